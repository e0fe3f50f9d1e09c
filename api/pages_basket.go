package api

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"envivo/plant"
	"envivo/ui"
)

// basketView is the canonical name of a basket's live view: its spools in
// order and whose it is.
func basketView(who ui.BasketOwner, tags []plant.Tag) string {
	q := who.Query()
	for _, t := range tags {
		q.Add("t", string(t))
	}
	return ui.BasketPath + "?" + q.Encode()
}

// liveBasket finds what draws a basket.
func (p *pages) liveBasket(view string, q url.Values) (Page, error) {
	who := ui.BasketOwner{Assign: q.Has("para")}
	text := q.Get("yo")
	if who.Assign {
		text = q.Get("para")
	}
	var ok bool
	who.Me, ok = activeWorker(p.plant.Snapshot(), text)
	tags := make([]plant.Tag, 0, len(q["t"]))
	for _, t := range q["t"] {
		tags = append(tags, plant.Tag(t))
	}
	if want := basketView(who, tags); !ok || want != view || len(tags) > maxBatch {
		return nil, fmt.Errorf("view %q: there is no such basket", view)
	}
	return func(s *plant.Snapshot, now time.Time) ([]ui.Region, error) {
		return p.basketSight(s, who, tags, now).Regions()
	}, nil
}

// basketOf is whose basket a request is about: of who stands before the
// tablet, or the one a supervisor fills for the worker named.
func (p *pages) basketOf(r *http.Request, worker string) (ui.BasketOwner, bool) {
	snap := p.plant.Snapshot()
	if worker == "" {
		me, ok := p.me(r, snap)
		return ui.BasketOwner{Me: me}, ok
	}
	me, ok := activeWorker(snap, worker)
	return ui.BasketOwner{Me: me, Assign: true}, ok && p.supervisor(r)
}

// noBasket asks for who is missing: a person, or the supervisor.
func (p *pages) noBasket(w http.ResponseWriter, r *http.Request, who ui.BasketOwner) error {
	to := "/?volver=" + url.QueryEscape(ui.BasketPath)
	if who.Assign {
		to = "/entrar?volver=" + url.QueryEscape(ui.SupervisorPath)
	}
	if asked(r) {
		return p.told(w, r, toldJSON{Go: to}, nil)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (p *pages) basketSight(s *plant.Snapshot, who ui.BasketOwner, tags []plant.Tag, now time.Time) *ui.BasketSight {
	me := who.Me
	v := &ui.BasketSight{Snap: s, Me: me, Assign: who.Assign, Now: now}
	for _, t := range tags {
		item := ui.BasketItem{Tag: t}
		if row, ok := s.Row(t); ok {
			item.Sight = &ui.SpoolSight{Snap: s, Row: row, Now: now, Me: me, Actions: p.permitted(s, t, me.ID, false, now)}
		}
		v.Items = append(v.Items, item)
	}
	return v
}

// canasta is the basket of who stands before the tablet, or of whom a
// supervisor assigns spools to.
func (p *pages) canasta(w http.ResponseWriter, r *http.Request) error {
	who, ok := p.basketOf(r, r.URL.Query().Get("para"))
	if !ok {
		return p.noBasket(w, r, who)
	}
	b := p.drafts.basket(who.Key())
	f := p.frame(w, r, who.Title())
	l, err := p.state(basketView(who, b.tags))
	if err != nil {
		return err
	}
	if r.Header.Get("X-Parte") == "vivo" {
		return p.writeState(w, r, l)
	}
	f.View, f.Seq, f.Rev, f.Epoch, f.Footer, f.Wide = l.view, l.seq, l.rev, l.epoch, ui.BasketFooter(), true
	return p.write(w, r, http.StatusOK, l, ui.BasketPage(f, who, b.results, p.newID()))
}

// canastaChange puts a spool into the basket, takes one out, empties it or
// dismisses the last results.
func (p *pages) canastaChange(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, "poner", "quitar", "vaciar", "visto", "para")
	if err != nil {
		return p.rejected(w, r, err)
	}
	who, ok := p.basketOf(r, form.Get("para"))
	if !ok {
		return p.noBasket(w, r, who)
	}
	n := (*ui.Notice)(nil)
	switch {
	case form.Get("poner") != "":
		said := p.addTo(who, plant.Tag(form.Get("poner")))
		if !said.OK {
			n = &said
		}
	case form.Get("quitar") != "":
		p.drafts.change(who.Key(), func(b *basket) {
			b.tags = slices.DeleteFunc(b.tags, func(t plant.Tag) bool { return string(t) == form.Get("quitar") })
		})
	case form.Get("vaciar") != "":
		p.drafts.change(who.Key(), func(b *basket) { b.tags, b.results = nil, nil })
	case form.Get("visto") != "":
		p.drafts.change(who.Key(), func(b *basket) { b.results = nil })
		return p.toBasket(w, r, who, nil)
	}
	if asked(r) {
		return p.toldBasket(w, r, who, n)
	}
	return p.toBasket(w, r, who, n)
}

func asked(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

// toBasket loads the basket again.
func (p *pages) toBasket(w http.ResponseWriter, r *http.Request, who ui.BasketOwner, n *ui.Notice) error {
	if n != nil {
		p.leaveNotice(w, *n)
	}
	if asked(r) {
		return p.told(w, r, toldJSON{OK: true, Go: who.Path()}, nil)
	}
	http.Redirect(w, r, who.Path(), http.StatusSeeOther)
	return nil
}

// toldBasket answers the script with the basket as it is now.
func (p *pages) toldBasket(w http.ResponseWriter, r *http.Request, who ui.BasketOwner, n *ui.Notice) error {
	t := toldJSON{OK: n == nil || n.OK, Moves: true}
	if n != nil {
		t.Signal = n.Signal
	}
	r.Header.Set("X-Vista", basketView(who, p.drafts.basket(who.Key()).tags))
	return p.told(w, r, t, n)
}

// addTo puts one spool into somebody's basket and says what became of it.
func (p *pages) addTo(who ui.BasketOwner, tag plant.Tag) ui.Notice {
	row, ok := p.plant.Snapshot().Row(tag)
	if !ok {
		return ui.Notice{Text: ui.ScanUnknown(string(tag)), Signal: signalNo}
	}
	tag = row.Spool.Tag
	n := ui.Notice{OK: true, Signal: signalSeen}
	p.drafts.change(who.Key(), func(b *basket) {
		switch {
		case slices.Contains(b.tags, tag):
			n = ui.Notice{Text: ui.ScannedBefore(tag), Warn: true, Signal: signalTwice}
		case len(b.tags) >= maxBatch:
			n = ui.Notice{Text: ui.TextBasketFull, Signal: signalNo}
		default:
			b.tags = append(b.tags, tag)
			n.Text = ui.InBasket(tag, len(b.tags))
		}
	})
	return n
}

// batchVerbs are the acts on a whole basket.
var batchVerbs = map[string]act{"tomar": acts["tomar"], "pausar": acts["pausar"], "terminar": acts["terminar"]}

// canastaAct carries out one act on the spools the page named, each judged on
// its own (rules §6.3).
func (p *pages) canastaAct(w http.ResponseWriter, r *http.Request) error {
	verb := r.PathValue("verbo")
	if _, ok := batchVerbs[verb]; !ok {
		return p.missing(w, r)
	}
	form, err := p.form(w, r, "orden", "t", "para")
	if err != nil {
		return p.rejected(w, r, err)
	}
	who, known := p.basketOf(r, form.Get("para"))
	tags, order := basketTags(form.Get("t")), plant.CommandID(form.Get("orden"))
	switch {
	case who.Assign && verb != "tomar":
		return p.missing(w, r)
	case !known:
		return p.noBasket(w, r, who)
	case order == "" || len(tags) == 0 || len(tags) > maxBatch:
		return p.toBasket(w, r, who, &ui.Notice{Text: ui.TextBasketEmpty, Signal: signalNo})
	}
	p.basketDo(r, who, verb, order, tags)
	return p.toBasket(w, r, who, nil)
}

// basketDo carries out one act on spools of a basket, takes out those it was
// recorded for and leaves what came of it on the basket's page.
func (p *pages) basketDo(r *http.Request, who ui.BasketOwner, verb string, order plant.CommandID, tags []plant.Tag) *ui.BatchResult {
	snap, me, a := p.plant.Snapshot(), who.Me, batchVerbs[verb]
	cmds := make([]plant.Command, len(tags))
	for i, t := range tags {
		cmds[i] = plant.Command{ID: itemKey(order, t), Verb: a.verb, Tag: t,
			Door: plant.DoorPage, Device: p.device(r), Supervisor: p.supervisor(r), Worker: me.ID}
		if who.Assign {
			cmds[i].Actor = plant.BySupervisor
		}
		if a.fill != nil {
			a.fill(&cmds[i], nil)
		}
		if verb == "tomar" {
			cmds[i].Op = p.batchOp(snap, me, t)
		} else if row, ok := snap.Row(t); ok {
			cmds[i].Op = row.Spool.Hold.Op
		}
		cmds[i].Digest = sha256.Sum256([]byte(verb + "\x00" + string(t) + "\x00" + fmt.Sprint(me.ID))) // not the operation: a repeat finds the spool changed
	}
	out := p.batchResult(r, verb, cmds, p.plant.DoAll(r.Context(), cmds))
	out.Assign = who.Assign
	p.drafts.change(who.Key(), func(b *basket) {
		b.results, b.order = out, order
		b.tags = slices.DeleteFunc(b.tags, out.Did)
	})
	return out
}

// basketTags are the spools of a button: one a line.
func basketTags(text string) []plant.Tag {
	var out []plant.Tag
	for line := range strings.Lines(strings.ReplaceAll(text, "\r", "")) {
		if t := strings.TrimSuffix(line, "\n"); t != "" {
			out = append(out, plant.Tag(t))
		}
	}
	return out
}

// batchOp is what TOMAR of a basket takes a spool for: the one legal
// operation, else the one whose refusal says most.
func (p *pages) batchOp(snap *plant.Snapshot, me plant.Worker, tag plant.Tag) plant.Op {
	row, ok := snap.Row(tag)
	if !ok {
		return plant.ARM
	}
	v := &ui.SpoolSight{Snap: snap, Row: row, Now: p.now(), Me: me, Actions: p.permitted(snap, tag, me.ID, false, p.now())}
	if op, ok := v.Start(); ok {
		return op
	}
	return v.Awaits()
}

func (p *pages) batchResult(r *http.Request, verb string, cmds []plant.Command, results []plant.Result) *ui.BatchResult {
	out := &ui.BatchResult{Verb: verb, Retry: p.newID()}
	for i, res := range results {
		r.SetPathValue("tag", string(cmds[i].Tag))
		n := p.noticeOf(r, result{event: res.Receipt.Event, err: res.Err})
		out.Items = append(out.Items, ui.BatchItem{Tag: cmds[i].Tag, Notice: n})
	}
	return out
}
