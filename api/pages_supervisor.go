package api

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/a-h/templ"

	"envivo/plant"
	"envivo/ui"
)

// supervisorDesk is the supervisor's page, behind the PIN.
func (p *pages) supervisorDesk(w http.ResponseWriter, r *http.Request) error {
	if !p.supervisor(r) {
		return p.askPIN(w, r)
	}
	return p.show(w, r, "Supervisor", p.filter(r, ui.SupervisorPath).View(), func(f ui.Frame) templ.Component {
		f.Wide, f.Footer = true, ui.SupervisorFooter()
		return ui.SupervisorPage(f, p.newID())
	})
}

// supervised is the live part of the supervisor's page: the plant's, and what is
// wrong with the box.
func (p *pages) supervised(s *plant.Snapshot, f ui.Filter, now time.Time) ([]ui.Region, error) {
	var all []ui.HealthLine
	if p.box.o.Care != nil {
		all = p.box.o.Care()
	}
	care, err := ui.Care(all)
	if err != nil {
		return nil, err
	}
	regions, err := ui.Desk(s, f, now)
	return append(regions, care), err
}

func (p *pages) askPIN(w http.ResponseWriter, r *http.Request) error {
	to := "/entrar?volver=" + url.QueryEscape(ui.SupervisorPath)
	if asked(r) {
		return p.told(w, r, toldJSON{Go: to}, nil)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// closeShift carries out what the supervisor marked: PAUSAR is a release with
// the shift's end as its reason, TERMINAR is the holder's, entered by the
// supervisor: by name when one is identified, else as SUPERVISOR (rules §3). A
// hold that changed since the page was drawn is left alone.
func (p *pages) closeShift(w http.ResponseWriter, r *http.Request) error {
	if !p.supervisor(r) {
		return p.askPIN(w, r)
	}
	snap := p.plant.Snapshot()
	fields := []string{"orden"}
	for row := range snap.Rows() {
		fields = append(fields, ui.SweepField(row.Spool.Tag))
	}
	form, err := p.form(w, r, fields...)
	if err != nil {
		return p.rejected(w, r, err)
	}
	me, _ := p.me(r, snap)
	var cmds []plant.Command
	for row := range snap.Rows() {
		if c, ok := p.sweep(row.Spool, me, form); ok {
			c.Device = p.device(r)
			cmds = append(cmds, c)
		}
	}
	return p.swept(w, r, cmds)
}

// sweep is the command of one choice; ok is false for what stays.
func (p *pages) sweep(s *plant.Spool, me plant.Worker, form url.Values) (plant.Command, bool) {
	choice, token := ui.ParseSweep(form.Get(ui.SweepField(s.Tag)))
	c := plant.Command{ID: itemKey(plant.CommandID(form.Get("orden")), s.Tag), Tag: s.Tag, Door: plant.DoorPage, Supervisor: true,
		Digest: sha256.Sum256([]byte(choice + "\x00" + token))}
	switch choice {
	case ui.SweepPause:
		c.Verb, c.Worker, c.Motivo = plant.Liberar, me.ID, ui.MotiveShiftEnd
	case ui.SweepFinish:
		c.Verb, c.Op, c.Worker, c.Actor = plant.Completar, s.Hold.Op, s.Hold.Worker.ID, cmp.Or(me.ID, plant.BySupervisor)
	default:
		return c, false
	}
	if s.Hold.Token != token { // it changed hands: let the rules say so
		none := uint64(0)
		c.Version = &none
		return c, true
	}
	version := s.Version
	c.Version = &version
	return c, true
}

// swept carries the commands out and tells each refusal.
func (p *pages) swept(w http.ResponseWriter, r *http.Request, cmds []plant.Command) error {
	paused, finished := 0, 0
	var refused []string
	for i, res := range p.plant.DoAll(r.Context(), cmds) {
		switch {
		case res.Err != nil:
			r.SetPathValue("tag", string(cmds[i].Tag))
			refused = append(refused, ui.Short(cmds[i].Tag)+": "+p.noticeOf(r, result{err: res.Err}).Text)
		case cmds[i].Verb == plant.Liberar:
			paused++
		default:
			finished++
		}
	}
	n := ui.Notice{OK: len(refused) == 0, Text: ui.SweepSaid(paused, finished, refused), Signal: signalSeen}
	return p.deskOutcome(w, r, n)
}

func (p *pages) deskOutcome(w http.ResponseWriter, r *http.Request, n ui.Notice) error {
	if asked(r) {
		return p.told(w, r, toldJSON{OK: n.OK, Signal: n.Signal}, &n)
	}
	p.leaveNotice(w, n)
	http.Redirect(w, r, ui.SupervisorPath, http.StatusSeeOther)
	return nil
}

// followSpool puts a spool on the supervisors' list or takes it off, or does so
// with all of a list; the list lives on the box (rules §11.8).
func (p *pages) followSpool(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, "orden", "poner", "quitar", "todos", "deshacer")
	if err != nil {
		return p.rejected(w, r, err)
	}
	if !p.supervisor(r) {
		return p.askPIN(w, r)
	}
	switch list, undo := form.Get("todos"), form.Get("deshacer"); {
	case list != "":
		return p.followList(w, r, list, p.orderOf(form))
	case undo != "":
		return p.unfollowList(w, r, undo, p.orderOf(form))
	}
	snap := p.plant.Snapshot()
	tag, set := plant.Tag(form.Get("quitar")), plant.Setting{}
	n := ui.Notice{OK: true, Signal: signalSeen, Text: "Ya no sigues " + ui.Short(tag) + "."}
	if put := plant.Tag(form.Get("poner")); put != "" {
		row, ok := snap.Row(put)
		if !ok {
			return p.gone(w, r, "No hay ningún spool "+string(put)+".")
		}
		now := plant.ISOTime(p.now())
		tag = row.Spool.Tag
		set.Value = encode(followItem{TagSpool: tag, Added: now, Updated: now})
		n.Text = "Agregado a la lista: " + ui.Short(tag) + "."
	}
	if set.Key = plant.FollowKey(tag); set.Value != "" && snap.Setting(set.Key) != "" {
		return p.deskOutcome(w, r, n) // it is there already
	}
	c := plant.Command{ID: itemKey(p.orderOf(form), tag), Verb: plant.Ajustar, Supervisor: true, Device: p.device(r), Setting: &set}
	if _, err := p.plant.Do(r.Context(), c); err != nil && !errors.Is(err, plant.ErrUnchanged) {
		return fmt.Errorf("change the list for %s: %w", tag, err)
	}
	return p.deskOutcome(w, r, n)
}
