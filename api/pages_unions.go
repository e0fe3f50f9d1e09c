package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"envivo/plant"
	"envivo/ui"
)

var editUnions = act{verb: plant.EditarUniones, fields: unionFields()}

// unionFields are the fields of the form: two a union; "union" are those to
// delete.
func unionFields() []string {
	out := []string{"orden", "version", "cuantas", "union", "confirma"}
	for n := 1; n <= 99; n++ {
		out = append(out, fmt.Sprintf("dn%d", n), fmt.Sprintf("tipo%d", n))
	}
	return out
}

// unions is the page that edits the unions of a spool (rules §11.6).
func (p *pages) unions(w http.ResponseWriter, r *http.Request) error {
	sight, err := p.looking(r)
	if err != nil {
		return p.orMissing(w, r, err)
	}
	if sight.Me.ID == 0 {
		http.Redirect(w, r, "/?volver="+url.QueryEscape(ui.SpoolPath(sight.Row.Spool.Tag)+"/uniones"), http.StatusSeeOther)
		return nil
	}
	count, _ := strconv.Atoi(r.URL.Query().Get("cuantas")) // 0 shows what there is
	return p.showUnions(w, r, http.StatusOK, ui.NewUnionForm(sight.Row.Spool, sight.Snap.Rules(), count))
}

func (p *pages) showUnions(w http.ResponseWriter, r *http.Request, status int, u *ui.UnionForm) error {
	u.CommandID = p.newID()
	f := p.frame(w, r, "Uniones")
	f.Here, f.Footer = ui.SpoolPath(u.Tag)+"/uniones", ui.UnionsFooter(u)
	return p.write(w, r, status, live{}, ui.UnionsPage(f, u))
}

// saveUnions stores the form. Deleting needs a second word, since nothing
// brings a deleted union back.
func (p *pages) saveUnions(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, editUnions.fields...)
	if err != nil {
		return p.rejected(w, r, err)
	}
	sight, err := p.looking(r)
	if err != nil {
		return p.orMissing(w, r, err)
	}
	u := filled(sight, form)
	edits, said := u.Edits()
	if said != "" {
		u.Said = said
		return p.showUnions(w, r, http.StatusUnprocessableEntity, u)
	}
	if u.Deleting = u.Deleted(); len(u.Deleting) > 0 && form.Get("confirma") == "" {
		return p.showUnions(w, r, http.StatusOK, u)
	}
	u.Deleting = nil
	form.Del("union")
	cmd, err := p.orderBy(r, editUnions, form, sight.Me, sight.Me.ID != 0)
	var rec plant.Receipt
	if err == nil {
		cmd.Edits = edits
		rec, err = p.plant.Do(r.Context(), cmd)
	}
	n := p.noticeOf(r, result{act: editUnions, form: form, event: rec.Event, err: err})
	if n.OK {
		p.leaveNotice(w, n)
		http.Redirect(w, r, ui.SpoolPath(sight.Row.Spool.Tag), http.StatusSeeOther)
		return nil
	}
	u.Said = n.Text
	if no := refusalIn(err); no != nil && no.Code == plant.CodeVersion {
		u.Version = sight.Version() // the page shows the newer state; the next try is about it
	}
	return p.showUnions(w, r, http.StatusConflict, u)
}

// filled is the form as it was sent.
func filled(v *ui.SpoolSight, form url.Values) *ui.UnionForm {
	count, _ := strconv.Atoi(form.Get("cuantas"))
	u := ui.NewUnionForm(v.Row.Spool, v.Snap.Rules(), count)
	u.Version = form.Get("version")
	for i := range u.Rows {
		row := &u.Rows[i]
		n := strconv.Itoa(row.N)
		row.DN, row.Tipo = strings.TrimSpace(form.Get("dn"+n)), form.Get("tipo"+n)
		row.Delete = slices.Contains(form["union"], n)
	}
	return u
}
