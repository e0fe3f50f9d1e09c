package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"envivo/plant"
	"envivo/ui"
)

// spoolView is the canonical name of a spool's live view: who looks and
// whether a supervisor's session is open decide what the page offers, and the
// list beside it is part of what it shows.
func spoolView(t plant.Tag, a asking) string {
	var q []string
	if a.me != 0 {
		q = append(q, "yo", strconv.Itoa(int(a.me)))
	}
	if a.supervisor {
		q = append(q, "sup", "1")
	}
	return ui.SpoolBeside(t, a.list, q...)
}

// besideOf is the list that a spool's address carries, nil for none.
func besideOf(q url.Values) *ui.Filter { return ui.ParseBeside(q.Get(ui.BesideParam)) }

// liveSpool finds what draws a spool's view.
func (p *pages) liveSpool(view, escaped string, q url.Values) (Page, error) {
	text, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, fmt.Errorf("view %q: %w", view, err)
	}
	row, ok := p.plant.Snapshot().Row(plant.Tag(text))
	if !ok {
		return nil, fmt.Errorf("view %q: there is no such spool", view)
	}
	tag := row.Spool.Tag
	me, _ := strconv.ParseInt(q.Get("yo"), 10, 32)
	a := asking{me: plant.WorkerID(me), supervisor: q.Get("sup") == "1", list: besideOf(q)}
	if want := spoolView(tag, a); want != view {
		return nil, fmt.Errorf("view %q: its name is %q", view, want)
	}
	return func(s *plant.Snapshot, now time.Time) ([]ui.Region, error) {
		sight, err := p.sight(context.Background(), s, tag, asking{me: a.me, supervisor: a.supervisor, list: a.list, now: now})
		if err != nil {
			return nil, err
		}
		regions, err := sight.Regions()
		if err != nil || a.list == nil {
			return regions, err
		}
		list := *a.list
		if list.Path == "/mis" || list.Path == "/listos" {
			list.Me = a.me
		}
		beside, err := p.rows.Beside(s, list, tag, now)
		return append(regions, beside), err
	}, nil
}

// asking is who looks at a spool, and when.
type asking struct {
	me         plant.WorkerID
	supervisor bool
	now        time.Time
	// list stands beside the spool; nil for none.
	list *ui.Filter
}

// sight gathers what a spool's page shows. Events newer than the snapshot are
// left to the next one.
func (p *pages) sight(ctx context.Context, s *plant.Snapshot, tag plant.Tag, a asking) (*ui.SpoolSight, error) {
	row, ok := s.Row(tag)
	if !ok {
		return nil, &plant.Error{Code: plant.CodeSpoolNotFound, Tag: tag}
	}
	events, err := p.plant.History(ctx, tag, row.Spool.Last+1, ui.PageOfHistory)
	if err != nil {
		return nil, fmt.Errorf("read the history of %s: %w", tag, err)
	}
	me, _ := s.Worker(a.me)
	return &ui.SpoolSight{Snap: s, Row: row, Now: a.now, Me: me, Supervisor: a.supervisor, List: a.list,
		Actions: p.permitted(s, tag, a.me, a.supervisor, a.now), Events: events}, nil
}

// looking is the spool of a request as the person before the tablet sees it.
func (p *pages) looking(r *http.Request) (*ui.SpoolSight, error) {
	snap := p.plant.Snapshot()
	a := asking{supervisor: p.supervisor(r), now: p.now(), list: besideOf(r.URL.Query())}
	if me, ok := p.me(r, snap); ok {
		a.me = me.ID
	}
	return p.sight(r.Context(), snap, plant.Tag(r.PathValue("tag")), a)
}

// spool is the page of one spool.
func (p *pages) spool(w http.ResponseWriter, r *http.Request) error {
	sight, err := p.looking(r)
	if err != nil {
		return p.orMissing(w, r, err)
	}
	do := r.URL.Query().Get("hacer")
	sheet := p.sheet(sight, do, "")
	if sheet != nil && r.Header.Get("X-Parte") == "hoja" {
		return p.writePart(w, r, sheet)
	}
	older, err := p.older(r, sight)
	if err != nil {
		return err
	}
	view := spoolView(sight.Row.Spool.Tag, asking{me: sight.Me.ID, supervisor: sight.Supervisor, list: sight.List})
	return p.show(w, r, ui.Short(sight.Row.Spool.Tag), view, func(f ui.Frame) templ.Component {
		if sheet != nil && f.Notice != nil && !f.Notice.OK { // told where the person looks: in the dialog
			sheet, f.Notice = p.sheet(sight, do, f.Notice.Text), nil
		}
		f.Footer, f.Sheet, f.Wide = ui.SpoolFooter(), sheet, true
		if sight.List != nil {
			f.Beside = ui.BesideList(*sight.List)
		}
		sight.Kept = p.drafts.ticksOf(sight.Me.ID, sight.Row.Spool.Tag)
		return ui.SpoolPage(f, sight, p.newID(), older)
	})
}

func (p *pages) orMissing(w http.ResponseWriter, r *http.Request, err error) error {
	if no := refusalIn(err); no != nil && no.Code == plant.CodeSpoolNotFound {
		return p.gone(w, r, ui.Refusal(no, ui.Telling{Now: p.now()}))
	}
	return err
}

// older is the part of the history before ?antes=, and the way further back.
func (p *pages) older(r *http.Request, v *ui.SpoolSight) (ui.Older, error) {
	var o ui.Older
	events := v.Events
	if n, err := strconv.ParseUint(r.URL.Query().Get("antes"), 10, 62); err == nil && n > 0 {
		o.Before = plant.Seq(n)
		if events, err = p.plant.History(r.Context(), v.Row.Spool.Tag, o.Before, ui.PageOfHistory); err != nil {
			return o, err
		}
		if o.Items, err = ui.Timeline(events, v.Snap); err != nil {
			return o, err
		}
	}
	if n := len(events); n == ui.PageOfHistory && events[n-1].PrevTag != 0 {
		o.More, o.Next = true, events[n-1].Seq
	}
	return o, nil
}

// sheet is the dialog an address asks for; nil when it asks for none, or for
// one that this person may not use.
func (p *pages) sheet(v *ui.SpoolSight, do, said string) templ.Component {
	if a, act := acts[do]; act && a.verb != plant.Anotar && !v.Can(a.verb) {
		return nil
	}
	form := ui.SheetForm{CommandID: p.newID(), Said: said}
	switch do {
	case "mas":
		return ui.More(v)
	case "nota":
		return ui.Note(v, form)
	case "rechazado":
		return ui.Reject(v, form)
	case "traspasar":
		form.Receivers = receivers(v)
		return ui.HandOver(v, form)
	case "liberar":
		return ui.Release(v, form)
	case "desbloquear":
		return ui.Unblock(v, form)
	case "cancelar":
		return ui.Cancel(v, form)
	}
	return nil
}

// receivers may take the spool over: active, of the trade, not its holder.
func receivers(v *ui.SpoolSight) []plant.Worker {
	h := v.Row.Spool.Hold
	need := map[plant.Op]plant.Role{plant.ARM: plant.Armador | plant.Ayudante, plant.SOLD: plant.Soldador | plant.Ayudante}[h.Op]
	if !v.Snap.Rules().CheckRoles {
		need = 0
	}
	out := slices.DeleteFunc(v.Snap.Workers(), func(w plant.Worker) bool {
		return !w.Activo || w.ID == h.Worker.ID || need != 0 && w.Roles&need == 0
	})
	slices.SortStableFunc(out, func(a, b plant.Worker) int {
		return bytes.Compare([]byte(plant.Fold(a.FullName())), []byte(plant.Fold(b.FullName())))
	})
	return out
}

// writePart answers with one component and nothing around it.
func (p *pages) writePart(w http.ResponseWriter, r *http.Request, c templ.Component) error {
	b, err := ui.Bytes(c)
	if err != nil {
		return err
	}
	var out reply
	out.add(b)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	return out.send(w, r, http.StatusOK)
}
