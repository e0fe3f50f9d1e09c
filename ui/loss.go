package ui

import (
	"slices"
	"time"

	"envivo/plant"
)

// shownLosses is how many holds ended by others Mis spools tells of.
const shownLosses = 3

// loss is a hold of one person that somebody else ended.
type loss struct {
	tag plant.Tag
	plant.Displaced
}

// lossOf finds what somebody else ended on a spool for one person, today or
// yesterday: a night shift has both. Older ones are in the history only.
func lossOf(s *plant.Spool, me plant.WorkerID, now time.Time) (loss, bool) {
	for _, d := range s.Displaced {
		if me != 0 && d.Worker == me && plant.DateOf(now)-plant.DateOf(d.At) <= 1 {
			return loss{s.Tag, d}, true
		}
	}
	return loss{}, false
}

// lossesOf are the last ones, newest first.
func lossesOf(s *plant.Snapshot, me plant.WorkerID, now time.Time) []loss {
	var out []loss
	for r := range s.Rows() {
		if l, ok := lossOf(r.Spool, me, now); ok {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b loss) int { return b.At.Compare(a.At) })
	return out[:min(len(out), shownLosses)]
}

// lossItems draws them, each with the way to its spool, where the motive is.
func lossItems(s *plant.Snapshot, losses []loss, now time.Time) ([]Item, error) {
	out := make([]Item, 0, len(losses))
	for _, l := range losses {
		it, err := item("perdida-"+string(l.tag), lossLine(l, l.text(s, "", now)))
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// text is what its former holder is told.
func (l loss) text(who People, motive string, now time.Time) string {
	e := &plant.Error{Code: plant.CodeDisplaced, Tag: l.tag, By: l.By, How: l.How, Since: l.At}
	return displaced(e, Telling{Who: who, Now: now, Motivo: motive})
}

// MotiveOf is why a supervisor ended a hold at that instant, empty if the events
// do not say.
func MotiveOf(events []plant.Event, at time.Time) string {
	for _, e := range events {
		if e.Kind == plant.KindLiberar && e.At.Equal(at) {
			return e.Motivo
		}
	}
	return ""
}
