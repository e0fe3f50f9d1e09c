package api

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"envivo/plant"
	"envivo/ui"
)

// syncRoutes are the page of the exchange with the Sheet and its forms.
func (p *pages) syncRoutes() map[string]pageFunc {
	return map[string]pageFunc{
		"GET /sync":                             p.syncPage,
		"POST /sync/ahora":                      p.syncNow,
		"POST /sync/propuestas/{id}/aceptar":    p.syncAccept,
		"POST /sync/propuestas/{id}/rechazar":   p.syncReject,
		"POST /sync/aparcados/{seq}/reintentar": p.syncRetry,
	}
}

// syncPage is the exchange with the Sheet. It shows more than the plant and
// follows no live view: its script asks again every few seconds.
func (p *pages) syncPage(w http.ResponseWriter, r *http.Request) error {
	v := &ui.SyncSight{Status: p.desk.status(), Supervisor: p.supervisor(r), All: r.URL.Query().Get("todo") == "1"}
	sheet := p.syncSheet(r, v, "")
	if sheet != nil && r.Header.Get("X-Parte") == "hoja" {
		return p.writePart(w, r, sheet)
	}
	regions, err := v.Regions()
	if err != nil {
		return err
	}
	snap := p.plant.Snapshot()
	l := live{regions: regions, seq: snap.Seq, epoch: snap.Epoch}
	if r.Header.Get("X-Parte") == "vivo" {
		return p.writeState(w, r, l)
	}
	f := p.frame(w, r, "Sincronización")
	if sheet != nil && f.Notice != nil && !f.Notice.OK { // told where the person looks: in the dialog
		sheet, f.Notice = p.syncSheet(r, v, f.Notice.Text), nil
	}
	f.Here, f.Sheet, f.Reread = v.Path(), sheet, true
	return p.write(w, r, http.StatusOK, l, ui.SyncPage(f, v))
}

// syncSheet is the dialog an address asks for, nil when there is none or
// nothing left to ask.
func (p *pages) syncSheet(r *http.Request, v *ui.SyncSight, said string) templ.Component {
	q := r.URL.Query()
	if q.Get("hacer") != "aceptar" || !v.Supervisor {
		return nil
	}
	proposal, ok := v.Proposal(q.Get("propuesta"))
	if !ok || !proposal.Acceptable {
		return nil
	}
	return ui.AcceptProposal(proposal, ui.SheetForm{Said: said})
}

func (p *pages) syncNow(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.form(w, r); err != nil {
		return p.rejected(w, r, err)
	}
	return p.syncOutcome(w, r, ui.SyncPath, ui.TextSyncNow, p.desk.ask())
}

func (p *pages) syncAccept(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, "motivo", "otro")
	if err != nil {
		return p.rejected(w, r, err)
	}
	id := r.PathValue("id")
	motivo := strings.TrimSpace(form.Get("otro"))
	if motivo == "" {
		motivo = form.Get("motivo")
	}
	was, err := p.desk.accept(r.Context(), p.pressing(r), id, motivo)
	back := ui.SyncPath
	if errors.Is(err, errSyncMotivo) {
		back = ui.SyncAsk(id)
	}
	return p.syncOutcome(w, r, back, ui.Accepted(was), err)
}

func (p *pages) pressing(r *http.Request) pressing { return pressing{p.supervisor(r), p.device(r)} }

func (p *pages) syncReject(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.form(w, r); err != nil {
		return p.rejected(w, r, err)
	}
	return p.syncOutcome(w, r, ui.SyncPath, ui.TextRejected, p.desk.reject(r.Context(), p.pressing(r), r.PathValue("id")))
}

func (p *pages) syncRetry(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.form(w, r); err != nil {
		return p.rejected(w, r, err)
	}
	n, err := strconv.ParseUint(r.PathValue("seq"), 10, 62)
	if err != nil {
		return p.missing(w, r)
	}
	seq := plant.Seq(n)
	return p.syncOutcome(w, r, ui.SyncPath, ui.Retried(seq), p.desk.retry(r.Context(), p.pressing(r), seq))
}

// syncOutcome answers a form of the sync page by loading it again with one
// sentence about what became of it.
func (p *pages) syncOutcome(w http.ResponseWriter, r *http.Request, back, done string, err error) error {
	n := ui.Notice{OK: err == nil, Text: done}
	if err != nil {
		n = p.syncRefusal(r, err)
	}
	p.leaveNotice(w, n)
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}

func (p *pages) syncRefusal(r *http.Request, err error) ui.Notice {
	var refused *SyncRefused
	no := refusalIn(err)
	switch {
	case errors.Is(err, errNoSync):
		return ui.Notice{Text: ui.TextNoSheet}
	case errors.Is(err, errSyncSession):
		return ui.Notice{Text: ui.TextSyncPIN, Link: "/entrar?volver=" + url.QueryEscape(ui.SyncPath), LinkText: "Ingresar el PIN"}
	case errors.Is(err, ErrSyncGone):
		return ui.Notice{Text: ui.TextSyncGone}
	case errors.Is(err, ErrSyncMoved):
		return ui.Notice{Text: ui.TextSyncMoved}
	case errors.As(err, &refused):
		return ui.Notice{Text: ui.NotAcceptable(refused.Why)}
	}
	t := ui.Telling{Who: p.plant.Snapshot(), Now: p.now()}
	if no == nil || no.Code == plant.CodeInternal {
		t.Code = p.newID()
		p.log.Error("sync act", "path", r.URL.Path, "code", t.Code, "err", err)
		no = &plant.Error{Code: plant.CodeInternal}
	}
	if row, ok := p.plant.Snapshot().Row(no.Tag); ok {
		t.Spool = row.Spool
	}
	return ui.Notice{Text: ui.Refusal(no, t)}
}
