package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"envivo/plant"
	"envivo/ui"
)

const registroPath = "/mi-registro/"

// dayAsked reads ?dia=YYYY-MM-DD; 0 when there is none.
func dayAsked(q url.Values) (plant.Date, bool) {
	text := q.Get("dia")
	if text == "" {
		return 0, true
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < 2000 || t.Year() > 2200 {
		return 0, false
	}
	return plant.NewDate(t.Date()), true
}

func (p *pages) liveRegistro(u *url.URL, view string) (Page, error) {
	n, _ := strconv.ParseInt(strings.TrimPrefix(u.Path, registroPath), 10, 32)
	worker := plant.WorkerID(n)
	day, ok := dayAsked(u.Query())
	if _, known := p.plant.Snapshot().Worker(worker); !ok || !known || ui.RegistroPath(worker, day) != view {
		return nil, fmt.Errorf("view %q: there is no such record", view)
	}
	return func(s *plant.Snapshot, now time.Time) ([]ui.Region, error) {
		return ui.RegistroRegions(s, worker, day, plant.DateOf(now))
	}, nil
}

// registro is one worker's day. ?codigo= compares a printed code with it.
func (p *pages) registro(w http.ResponseWriter, r *http.Request) error {
	snap := p.plant.Snapshot()
	n, err := strconv.ParseInt(r.PathValue("worker"), 10, 32)
	who, known := snap.Worker(plant.WorkerID(n))
	if err != nil || !known {
		return p.gone(w, r, "Ese trabajador no existe.")
	}
	q := r.URL.Query()
	day, ok := dayAsked(q)
	if !ok {
		return p.gone(w, r, "Ese día no se entiende. Ejemplo: ?dia=2026-05-12.")
	}
	shown := day
	if shown == 0 {
		shown = plant.DateOf(p.now())
	}
	said, same := "", false
	if typed := q.Get("codigo"); typed != "" {
		same = ui.SameCode(typed, ui.RegistroOf(snap, who, shown).Code())
		said = ui.TextCodeOther
		if same {
			said = ui.TextCodeSame
		}
	}
	return p.show(w, r, who.FullName(), ui.RegistroPath(who.ID, day), func(f ui.Frame) templ.Component {
		return ui.RegistroPage(f, who, shown, said, same)
	})
}

// registroAlias is the address that badges and old bookmarks point to.
func (p *pages) registroAlias(w http.ResponseWriter, r *http.Request) error {
	to := url.URL{Path: registroPath + r.PathValue("worker"), RawQuery: r.URL.RawQuery}
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
	return nil
}

// dossierTag is the tag of a dossier's address.
func dossierTag(u *url.URL) (plant.Tag, bool) {
	rest, ok := strings.CutPrefix(u.EscapedPath(), "/spools/")
	if !ok {
		return "", false
	}
	if rest, ok = strings.CutSuffix(rest, "/dossier"); !ok || strings.Contains(rest, "/") {
		return "", false
	}
	tag, err := url.PathUnescape(rest)
	return plant.Tag(tag), err == nil
}

func (p *pages) liveDossier(tag plant.Tag, view string) (Page, error) {
	row, ok := p.plant.Snapshot().Row(tag)
	if !ok || ui.DossierPath(row.Spool.Tag) != view {
		return nil, fmt.Errorf("view %q: there is no such dossier", view)
	}
	tag = row.Spool.Tag
	return func(s *plant.Snapshot, _ time.Time) ([]ui.Region, error) {
		r, ok := s.Row(tag)
		if !ok {
			return nil, &plant.Error{Code: plant.CodeSpoolNotFound, Tag: tag}
		}
		events, err := p.whole(context.Background(), r.Spool)
		if err != nil {
			return nil, err
		}
		return ui.Dossier(s, r, events)
	}, nil
}

// whole is a spool's history up to the state that is shown.
func (p *pages) whole(ctx context.Context, s *plant.Spool) ([]plant.Event, error) {
	const page = 500
	var all []plant.Event
	for before := s.Last + 1; ; {
		events, err := p.plant.History(ctx, s.Tag, before, page)
		if err != nil {
			return nil, fmt.Errorf("read the history of %s: %w", s.Tag, err)
		}
		all = append(all, events...)
		if len(events) == 0 || events[len(events)-1].PrevTag == 0 {
			return all, nil
		}
		before = events[len(events)-1].Seq
	}
}

// dossier is everything known about a spool, for paper.
func (p *pages) dossier(w http.ResponseWriter, r *http.Request) error {
	row, ok := p.plant.Snapshot().Row(plant.Tag(r.PathValue("tag")))
	if !ok {
		return p.orMissing(w, r, &plant.Error{Code: plant.CodeSpoolNotFound, Tag: plant.Tag(r.PathValue("tag"))})
	}
	tag := row.Spool.Tag
	return p.show(w, r, "Dossier "+ui.Short(tag), ui.DossierPath(tag), func(f ui.Frame) templ.Component { return ui.DossierPage(f, tag) })
}
