package fsm

import (
	"slices"
	"strings"
	"time"

	"envivo/plant"
)

var noTime time.Time

// Evolve applies an event to its spool: the zero Spool when there is none yet.
// It never fails and knows no rule: the event carries what was decided. The
// store adds Last.
func Evolve(s plant.Spool, e plant.Event) plant.Spool {
	if e.Import != nil && e.Import.Spool != nil {
		s = *e.Import.Spool
		s.Undo = nil
	}
	if s.Tag == "" {
		return s
	}
	before := s
	if im := e.Import; im != nil {
		if im.Office != nil {
			s.Office = *im.Office
		}
		if im.Notas != nil {
			s.Notas = *im.Notas
		}
		if im.SetDamaged {
			s.Damaged = im.Damaged
		}
	}
	s.Unions = merged(s.Unions, e.Unions, e.Removed)
	if e.Progress != nil {
		s.Progress = *e.Progress
	}
	switch e.Kind {
	case plant.KindDeshacer:
		if before.Undo != nil {
			s.Touched = before.Undo.Touched
		}
	case plant.KindNota:
		s.Notas = strings.TrimPrefix(s.Notas+"\n"+plant.DateOf(e.At).Compact()+": "+e.Texto, "\n")
	case plant.KindUniones, plant.KindImportar: // not acts of the floor
	default:
		s.Touched = true
	}
	s.Undo = undoOf(&before, &e)
	s.Version, s.Token, s.Changed = e.Version, e.Token, e.At
	return s
}

// undoOf is what DESHACER would restore after an event.
func undoOf(before *plant.Spool, e *plant.Event) *plant.Undo {
	switch e.Kind {
	case plant.KindTomar, plant.KindPausar, plant.KindCompletar, plant.KindRelevar, plant.KindInspeccion,
		plant.KindTomarReparacion, plant.KindPausarReparacion, plant.KindCompletarReparacion:
	default:
		return nil
	}
	u := &plant.Undo{Seq: e.Seq, Kind: e.Kind, Actor: e.Actor.ID, At: e.At, Progress: before.Progress, Touched: before.Touched}
	for _, changed := range e.Unions {
		if old, ok := before.Union(changed.N); ok {
			u.Unions = append(u.Unions, old)
		}
	}
	return u
}

// merged is a set of unions with some replaced or added and some removed, in
// ascending order. The old slice is left as it is.
func merged(old, changed []plant.Union, removed []int) []plant.Union {
	if len(changed) == 0 && len(removed) == 0 {
		return old
	}
	out := make([]plant.Union, 0, len(old)+len(changed))
	for _, u := range old {
		replaced := slices.ContainsFunc(changed, func(c plant.Union) bool { return c.N == u.N })
		if !replaced && !slices.Contains(removed, u.N) {
			out = append(out, u)
		}
	}
	out = append(out, changed...)
	slices.SortFunc(out, func(a, b plant.Union) int { return a.N - b.N })
	return out
}
