package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"envivo/plant"
	"envivo/ui"
)

// followList puts every spool of the list at an address on the supervisors' list
// (rules §11.8). Each is its own event; those that are there stay as they are.
func (p *pages) followList(w http.ResponseWriter, r *http.Request, address string, batch plant.CommandID) error {
	list := ui.ParseBeside(address)
	if list == nil {
		return p.gone(w, r, "Esa lista no existe.")
	}
	snap, f := p.plant.Snapshot(), *list
	if me, ok := p.me(r, snap); ok && (f.Path == "/listos" || f.Path == "/mis") {
		f.Me = me.ID
	}
	var all followBatch
	all.gather(snap, ui.ListRows(snap, f, p.now()))
	switch {
	case len(all.tags) > ui.MostFollowedAtOnce:
		return p.listOutcome(w, r, list, ui.Notice{Text: ui.TextFollowTooMany, Signal: signalNo})
	case len(all.tags)+len(snap.Settings(plant.SettingFollowed)) > maxFollowed:
		return p.listOutcome(w, r, list, ui.Notice{Text: ui.TextFollowFull, Signal: signalNo})
	case len(all.tags)+all.out.There == 0:
		return p.listOutcome(w, r, list, ui.Notice{Warn: true, Text: ui.TextFollowNothing, Signal: signalTwice})
	}
	now := plant.ISOTime(p.now())
	cmds := make([]plant.Command, len(all.tags))
	for i, t := range all.tags {
		key := plant.FollowKey(t)
		cmds[i] = plant.Command{ID: itemKey(batch, plant.Tag(key)), Verb: plant.Ajustar, Supervisor: true, Device: p.device(r),
			Setting: &plant.Setting{Key: key, Value: encode(followItem{TagSpool: t, Added: now, Updated: now})}}
	}
	for i, res := range p.plant.DoAll(r.Context(), cmds) {
		all.count(res)
		if res.Err != nil && !errors.Is(res.Err, plant.ErrUnchanged) {
			p.log.Warn("spool not followed", "tag", all.tags[i], "err", res.Err)
		}
	}
	n := ui.Notice{OK: all.out.Failed == 0, Text: all.out.Text(), Signal: signalSeen}
	if all.out.Added > 0 {
		n.Unfollow = fmt.Sprintf("%d.%d.%s", all.first, all.last, batch)
		n.CommandID = p.newID()
		n.UndoUntil = p.now().Add(snap.Rules().UndoWithin)
	}
	return p.listOutcome(w, r, list, n)
}

// orderOf is the id a form was sent with, so that what is sent twice is done
// once; a new one where the form had none.
func (p *pages) orderOf(form url.Values) plant.CommandID {
	if id := form.Get("orden"); id != "" {
		return plant.CommandID(id)
	}
	return plant.CommandID(p.newID())
}

// followBatch is the rows one touch follows and what became of them.
type followBatch struct {
	tags        []plant.Tag
	out         ui.FollowedAtOnce
	first, last plant.Seq
}

func (b *followBatch) gather(s *plant.Snapshot, rows []*plant.Row) {
	for _, r := range rows {
		if s.Setting(plant.FollowKey(r.Spool.Tag)) != "" {
			b.out.There++
			continue
		}
		b.tags = append(b.tags, r.Spool.Tag)
	}
}

func (b *followBatch) count(res plant.Result) {
	switch seq := res.Receipt.Event.Seq; {
	case errors.Is(res.Err, plant.ErrUnchanged):
		b.out.There++
	case res.Err != nil:
		b.out.Failed++
	default:
		if b.out.Added++; b.first == 0 {
			b.first = seq
		}
		b.last = max(b.last, seq)
	}
}

// unfollowList takes off the list what one touch put there, as far as it is
// still as it was put; within the seconds of an undo.
func (p *pages) unfollowList(w http.ResponseWriter, r *http.Request, named string, order plant.CommandID) error {
	from, rest, _ := strings.Cut(named, ".")
	to, batch, _ := strings.Cut(rest, ".")
	first, err1 := strconv.ParseUint(from, 10, 62)
	last, err2 := strconv.ParseUint(to, 10, 62)
	if err1 != nil || err2 != nil || first == 0 || last < first || last-first > 10*ui.MostFollowedAtOnce {
		return p.rejected(w, r, &plant.Error{Code: plant.CodeInvalid, Missing: "deshacer"})
	}
	events, err := p.plant.Events(r.Context(), plant.Seq(first)-1, int(last-first)+1)
	if err != nil {
		return fmt.Errorf("read what was followed: %w", err)
	}
	snap := p.plant.Snapshot()
	oldest := p.now().Add(-snap.Rules().UndoWithin)
	var cmds []plant.Command
	for _, e := range events {
		set := e.Setting
		if set == nil || set.Value == "" || e.Cmd != itemKey(plant.CommandID(batch), plant.Tag(set.Key)) || e.At.Before(oldest) || snap.Setting(set.Key) != set.Value {
			continue
		}
		cmds = append(cmds, plant.Command{ID: itemKey(order, plant.Tag(set.Key)), Verb: plant.Ajustar, Supervisor: true, Device: p.device(r), Setting: &plant.Setting{Key: set.Key}})
	}
	gone := 0
	for _, res := range p.plant.DoAll(r.Context(), cmds) {
		if res.Err == nil {
			gone++
		}
	}
	if gone == 0 {
		return p.deskOutcome(w, r, ui.Notice{Text: ui.TextFollowLate, Signal: signalNo})
	}
	return p.deskOutcome(w, r, ui.Notice{OK: true, Text: ui.Unfollowed(gone), Signal: signalSeen})
}

// listOutcome tells what became of a whole list, on the list.
func (p *pages) listOutcome(w http.ResponseWriter, r *http.Request, list *ui.Filter, n ui.Notice) error {
	if asked(r) {
		return p.told(w, r, toldJSON{OK: n.OK, Signal: n.Signal}, &n)
	}
	p.leaveNotice(w, n)
	http.Redirect(w, r, list.Address(), http.StatusSeeOther)
	return nil
}
