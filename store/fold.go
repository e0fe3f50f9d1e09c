package store

import "envivo/plant"

// fold applies events to a change. The writer, a start and a check all do it
// here, so that there is one meaning of an event.
type fold struct {
	evolve func(plant.Spool, plant.Event) plant.Spool
	// taken is the event that began each present hold.
	taken map[plant.Tag]plant.Seq
}

// effect is what an event did.
type effect struct {
	before plant.Spool  // the zero Spool when there was none
	after  *plant.Spool // nil when no spool is concerned
	taken  bool         // after's hold began here
}

// next computes an event's effect on its spool without applying it.
func (f *fold) next(v plant.View, e *plant.Event) effect {
	if e.Tag == "" {
		return effect{}
	}
	before, _ := v.Spool(e.Tag)
	after := f.evolve(before, *e)
	if after.Tag == "" {
		return effect{before: before}
	}
	after.Last = e.Seq
	a, b := before.Hold, after.Hold
	return effect{before: before, after: &after, taken: !b.Free() && (a.Worker != b.Worker || a.Token != b.Token)}
}

// put applies an event and its effect.
func (f *fold) put(c *plant.Change, e *plant.Event, x effect) {
	if e.Import != nil && e.Import.Worker != nil {
		c.PutWorker(*e.Import.Worker)
	}
	if e.Setting != nil {
		c.PutSetting(*e.Setting)
	}
	if x.after != nil {
		c.PutSpool(x.after)
	}
}

// hold keeps taken in step with an effect that is final.
func (f *fold) hold(x effect) {
	switch {
	case x.after == nil:
	case x.taken:
		f.taken[x.after.Tag] = x.after.Last
	case x.after.Hold.Free() && !x.before.Hold.Free():
		delete(f.taken, x.after.Tag)
	}
}
