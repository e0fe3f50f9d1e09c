package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"envivo/plant"
	"envivo/ui"
)

// chronicle is what the event log tells that no snapshot holds: who had what
// when, how long spools waited, which verdicts were given. It is folded once,
// from then on event by event, and forgotten when the store becomes another
// one.
type chronicle struct {
	mu    sync.Mutex
	epoch string
	seq   plant.Seq
	spool map[plant.Tag]*trace
	who   occupations
	waits map[plant.Date][]ui.Wait
	// verdicts are the inspections of each day.
	verdicts map[plant.Date][]ui.Verdict
}

// trace is one spool in the chronicle.
type trace struct {
	token string // of the open or the last occupation
	had   *occupation
	open  bool
	// end is when the last occupation or inspection ended; zero when nobody knows.
	end time.Time
	// last is what the latest wait rests on, for an undo or a cancellation.
	last lastWait
	// verdict is the event of the last inspection, and its day.
	verdict    plant.Seq
	verdictDay plant.Date
}

type lastWait struct {
	seq plant.Seq
	day plant.Date
	end time.Time // trace.end before it
	was bool      // a wait was counted
}

// keepDays is how long waits and verdicts are kept: twice what a page shows,
// so that it can compare.
const keepDays = 2 * ui.FigureDays

func newChronicle() *chronicle {
	return &chronicle{spool: map[plant.Tag]*trace{}, who: newOccupations(), waits: map[plant.Date][]ui.Wait{}, verdicts: map[plant.Date][]ui.Verdict{}}
}

// eventsAtOnce is how many events are read in one go.
const eventsAtOnce = 2000

// catchUp folds the events up to a snapshot. The caller holds mu.
func (c *chronicle) catchUp(ctx context.Context, p PageSource, snap *plant.Snapshot) error {
	if c.epoch != snap.Epoch {
		anew := newChronicle()
		c.epoch, c.seq, c.spool, c.who, c.waits, c.verdicts = snap.Epoch, 0, anew.spool, anew.who, anew.waits, anew.verdicts
	}
	for c.seq < snap.Seq {
		events, err := p.Events(ctx, c.seq, eventsAtOnce)
		if err != nil {
			return fmt.Errorf("read events after %d: %w", c.seq, err)
		}
		if len(events) == 0 {
			return nil
		}
		for i := range events {
			if events[i].Seq > snap.Seq {
				return nil
			}
			c.feed(&events[i])
			c.who.read(&events[i])
			c.seq = events[i].Seq
		}
	}
	return nil
}

func (c *chronicle) of(tag plant.Tag) *trace {
	key := plant.Tag(strings.ToUpper(string(tag)))
	t := c.spool[key]
	if t == nil {
		t = &trace{}
		c.spool[key] = t
	}
	return t
}

// feed takes over one event.
func (c *chronicle) feed(e *plant.Event) {
	if e.Tag == "" {
		return
	}
	if e.Import != nil {
		c.imported(e)
	}
	if e.Progress == nil {
		return
	}
	t, free := c.of(e.Tag), e.Progress.Hold.Free()
	switch {
	case e.Kind == plant.KindInspeccion:
		c.inspected(t, e)
	case e.Kind == plant.KindDeshacer:
		c.undone(t, e)
	case free && t.open:
		c.close(t, e.At)
		if e.Kind == plant.KindCancelar || e.Kind == plant.KindCancelarReparacion {
			c.unwait(t)
		}
	case !free && (!t.open || t.token != e.Progress.Hold.Token):
		c.taken(t, e)
	}
}

// taken begins an occupation, from a free spool or from another's hands.
func (c *chronicle) taken(t *trace, e *plant.Event) {
	if t.open {
		c.close(t, e.At)
	} else {
		c.wait(t, e.Seq, e.Progress.Hold.Op, e.At)
	}
	c.begin(t, e.Tag, e.Progress.Hold, e.At)
}

func (c *chronicle) begin(t *trace, tag plant.Tag, h plant.Hold, at time.Time) {
	t.open, t.token = true, h.Token
	t.had = c.who.begin(occupation{Stint: ui.Stint{Tag: tag, Worker: h.Worker, Op: h.Op, From: at}, token: h.Token})
}

func (c *chronicle) close(t *trace, at time.Time) {
	t.open, t.end = false, at
	c.who.end(t.had, at)
	t.had = nil
}

// wait counts how long a spool lay before it was taken up.
func (c *chronicle) wait(t *trace, seq plant.Seq, op plant.Op, at time.Time) {
	day := plant.DateOf(at)
	t.last = lastWait{seq: seq, day: day, end: t.end}
	if t.end.IsZero() || at.Before(t.end) {
		return
	}
	t.last.was = true
	c.waits[day] = append(c.waits[day], ui.Wait{Seq: seq, Op: op, For: at.Sub(t.end)})
	c.prune(day)
}

// unwait takes the last wait back: the spool has been lying all the time.
func (c *chronicle) unwait(t *trace) {
	if t.last.was {
		c.waits[t.last.day] = slices.DeleteFunc(c.waits[t.last.day], func(w ui.Wait) bool { return w.Seq == t.last.seq })
	}
	if t.last.seq != 0 {
		t.end = t.last.end
	}
	t.last = lastWait{}
}

func (c *chronicle) inspected(t *trace, e *plant.Event) {
	c.wait(t, e.Seq, plant.METROLOGIA, e.At)
	t.end, t.verdict, t.verdictDay = e.At, e.Seq, plant.DateOf(e.At)
	c.judge(t.verdictDay, ui.Verdict{Seq: e.Seq, Rejected: e.Resultado == plant.Rechazado, Motivo: e.Motivo})
}

func (c *chronicle) judge(day plant.Date, v ui.Verdict) {
	c.verdicts[day] = append(c.verdicts[day], v)
	c.prune(day)
}

// undone puts back what the last act had changed.
func (c *chronicle) undone(t *trace, e *plant.Event) {
	if e.Undoes != 0 && e.Undoes == t.verdict {
		c.verdicts[t.verdictDay] = slices.DeleteFunc(c.verdicts[t.verdictDay], func(v ui.Verdict) bool { return v.Seq == e.Undoes })
	}
	h := e.Progress.Hold
	switch {
	case h.Free() && t.open:
		c.close(t, e.At)
	case !h.Free() && (!t.open || t.token != h.Token):
		if t.open {
			c.close(t, e.At)
		}
		c.begin(t, e.Tag, h, e.At)
	}
	if e.Undoes != 0 && e.Undoes == t.last.seq {
		c.unwait(t)
	}
}

// prune forgets days that no page shows any more.
func (c *chronicle) prune(today plant.Date) {
	if len(c.waits) > 2*keepDays || len(c.verdicts) > 2*keepDays {
		for d := range c.waits {
			if d < today-keepDays {
				delete(c.waits, d)
			}
		}
		for d := range c.verdicts {
			if d < today-keepDays {
				delete(c.verdicts, d)
			}
		}
	}
}

// imported takes over what an import tells of the time before: the rows of the
// old log and the state a spool came with.
func (c *chronicle) imported(e *plant.Event) {
	t, sp := c.of(e.Tag), e.Import.Spool
	sessions := plant.AllSessions([]plant.Event{*e})
	for i, s := range sessions {
		last := i == len(sessions)-1
		if s.Open() && !last { // nobody wrote down its end
			s.End = sessions[i+1].Start
		}
		if !s.Start.Before(t.end) {
			c.wait(t, e.Seq, s.Op, s.Start)
		}
		t.end = later(t.end, s.End)
		switch {
		case s.Op == plant.METROLOGIA:
		case !s.Open():
			c.who.end(c.who.begin(occupation{Stint: ui.Stint{Tag: e.Tag, Worker: s.Worker, Op: s.Op, From: s.Start}, told: true}), s.End)
		case sp != nil && !sp.Hold.Free():
			if t.open {
				c.who.end(t.had, e.At)
			}
			c.begin(t, e.Tag, plant.Hold{Worker: s.Worker, Op: s.Op, Token: sp.Hold.Token}, s.Start)
			t.had.told = true
		}
	}
	if sp != nil {
		t.end = later(t.end, sp.ReadyAt)
	}
	t.last = lastWait{}
	c.oldVerdicts(e)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// oldVerdicts reads the inspections of the old log.
func (c *chronicle) oldVerdicts(e *plant.Event) {
	rows := slices.Clone(e.Import.History)
	slices.SortStableFunc(rows, func(a, b plant.MetadataRow) int { return cmp.Compare(a.Order, b.Order) })
	for _, r := range rows {
		if r.EventoTipo != "COMPLETAR_METROLOGIA" || r.At.IsZero() {
			continue
		}
		var told struct {
			Resultado string `json:"resultado"`
			Motivo    string `json:"motivo"`
		}
		if json.Unmarshal([]byte(r.JSON), &told) != nil || told.Resultado == "" {
			continue
		}
		c.judge(plant.DateOf(r.At), ui.Verdict{Seq: e.Seq, Rejected: told.Resultado == plant.Rechazado.String(), Motivo: told.Motivo})
	}
}

// figures are the waits and verdicts of the days that a page shows, as of a
// snapshot.
func (c *chronicle) figures(ctx context.Context, p PageSource, snap *plant.Snapshot, day plant.Date) (ui.Log, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.catchUp(ctx, p, snap); err != nil {
		return ui.Log{}, err
	}
	var out ui.Log
	for d := day - keepDays + 1; d <= day; d++ {
		out.Waits = append(out.Waits, slices.Clone(c.waits[d]))
		out.Verdicts = append(out.Verdicts, slices.Clone(c.verdicts[d]))
	}
	return out, nil
}

// at is who had what at a moment, as of a snapshot.
func (c *chronicle) at(ctx context.Context, p PageSource, snap *plant.Snapshot, moment time.Time) ([]ui.Stint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.catchUp(ctx, p, snap); err != nil {
		return nil, err
	}
	return c.who.at(ctx, p, moment)
}
