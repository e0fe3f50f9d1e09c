package api

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"envivo/plant"
	"envivo/ui"
)

var correction = act{verb: plant.Corregir, anyone: true, fields: []string{"orden", "version", "union", "trabajador", "fecha", "motivo", "otro"}}

// correct is the page on which a supervisor puts right who did what.
func (p *pages) correct(w http.ResponseWriter, r *http.Request) error {
	sight, err := p.looking(r)
	if err != nil {
		return p.orMissing(w, r, err)
	}
	if !sight.Supervisor {
		http.Redirect(w, r, "/entrar?volver="+url.QueryEscape(ui.CorrectPath(sight.Row.Spool.Tag)), http.StatusSeeOther)
		return nil
	}
	return p.showCorrect(w, r, http.StatusOK, ui.NewCorrectForm(sight))
}

func (p *pages) showCorrect(w http.ResponseWriter, r *http.Request, status int, c *ui.CorrectForm) error {
	c.CommandID = p.newID()
	f := p.frame(w, r, "Corregir")
	f.Here, f.Footer = ui.CorrectPath(c.Tag), ui.CorrectFooter(c)
	return p.write(w, r, status, live{}, ui.CorrectPage(f, c))
}

// saveCorrect stores the correction, an event with both texts of each cell.
func (p *pages) saveCorrect(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, correction.fields...)
	if err != nil {
		return p.rejected(w, r, err)
	}
	sight, err := p.looking(r)
	if err != nil {
		return p.orMissing(w, r, err)
	}
	chosen := form["union"]
	form.Del("union") // here a union has its trade with it
	form.Set("que", strings.Join(chosen, ","))
	cmd, err := p.orderBy(r, correction, form, sight.Me, sight.Me.ID != 0)
	if err == nil {
		cmd.Correction, err = authors(&cmd, chosen, form)
	}
	var rec plant.Receipt
	if err == nil {
		rec, err = p.plant.Do(r.Context(), cmd)
	}
	n := p.noticeOf(r, result{act: correction, form: form, event: rec.Event, err: err})
	if n.OK || !sight.Supervisor {
		p.leaveNotice(w, n)
		http.Redirect(w, r, ui.SpoolPath(sight.Row.Spool.Tag), http.StatusSeeOther)
		return nil
	}
	c := ui.NewCorrectForm(sight)
	c.Fill(chosen)
	c.Worker, c.Fecha, c.Motivo, c.Otro = form.Get("trabajador"), form.Get("fecha"), form.Get("motivo"), form.Get("otro")
	c.Said = n.Text
	return p.showCorrect(w, r, http.StatusConflict, c)
}

// authors are what a form puts right: one person and day for all that was
// chosen.
func authors(cmd *plant.Command, chosen []string, form url.Values) (*plant.Correction, error) {
	bad := func(field string) error {
		return &plant.Error{Code: plant.CodeInvalid, Verb: cmd.Verb, Tag: cmd.Tag, Missing: field}
	}
	who, _ := strconv.ParseInt(form.Get("trabajador"), 10, 32) // 0 leaves the author
	var day plant.Date
	if text := form.Get("fecha"); text != "" {
		d, ok := parseDay(text)
		if !ok {
			return nil, bad("fecha")
		}
		day = d
	}
	out := &plant.Correction{}
	for _, value := range chosen {
		a, ok := ui.ParseAuthor(value)
		if !ok {
			return nil, bad("que")
		}
		a.Worker, a.Fecha = plant.WorkerID(who), day
		out.Authors = append(out.Authors, a)
	}
	if len(out.Authors) == 0 {
		return nil, bad("que")
	}
	return out, nil
}
