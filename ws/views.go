package ws

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"envivo/plant"
)

// Item is one keyed element of a region. HTML has exactly one root element and
// is never changed after it was returned: a page gives the same slice again
// for what did not change, which makes comparing cheap.
type Item struct {
	Key  string
	HTML []byte
}

// Region is an ordered list of items with distinct keys. The set and order of a
// page's regions should not depend on the plant: when it changes, the page is
// reloaded.
type Region struct {
	ID    string
	Items []Item
}

// Page draws a view. It depends on its arguments alone, and on now only through
// holds becoming vencida and through the plant's calendar day.
type Page func(snap *plant.Snapshot, now time.Time) ([]Region, error)

// ErrNoView is returned for views that Options.Resolve does not know.
var ErrNoView = errors.New("no such view")

// Rendering is a view as it is now, with the position a page must embed.
type Rendering struct {
	Regions []Region
	Epoch   string
	Seq     plant.Seq
	Rev     string
}

// Views keeps one instance of every view in use. Instances with readers are
// drawn again after news, the others only when somebody asks.
type Views struct {
	hub  *Hub
	wake chan struct{} // one slot

	mu   sync.Mutex
	byID map[string]*instance
	turn uint64 // grows with every use; orders instances for eviction

	dueMu sync.Mutex
	due   struct { // the answer to the last question
		snap *plant.Snapshot
		from time.Time
		at   time.Time
	}
}

func newViews(h *Hub) *Views {
	return &Views{hub: h, wake: make(chan struct{}, 1), byID: make(map[string]*instance)}
}

// Render draws a view for a page. It reflects everything committed before the
// call.
func (v *Views) Render(view string) (Rendering, error) {
	in, err := v.use(view, 0)
	if err != nil {
		return Rendering{}, err
	}
	if err := in.refresh(); err != nil {
		return Rendering{}, err
	}
	return in.rendering(), nil
}

// use finds or makes the instance of a view and counts readers more of it.
func (v *Views) use(view string, readers int) (*instance, error) {
	if in := v.find(view, readers); in != nil {
		return in, nil
	}
	page, err := v.hub.o.Resolve(view)
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrNoView, view, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	in := v.byID[view]
	if in == nil {
		in = &instance{views: v, name: view, page: page}
		v.evict(v.hub.o.MaxViews - 1)
		v.byID[view] = in
	}
	v.touch(in, readers)
	return in, nil
}

func (v *Views) find(view string, readers int) *instance {
	v.mu.Lock()
	defer v.mu.Unlock()
	in := v.byID[view]
	if in != nil {
		v.touch(in, readers)
	}
	return in
}

// touch needs mu.
func (v *Views) touch(in *instance, readers int) {
	v.turn++
	in.turn = v.turn
	in.idle = time.Time{}
	in.readers += readers
}

// leave takes one reader off.
func (v *Views) leave(in *instance) {
	v.mu.Lock()
	defer v.mu.Unlock()
	in.readers--
	in.idle = time.Time{}
}

// evict drops the longest unused instances until at most n are left; followed
// ones stay, their number being bounded by the sockets. It needs mu.
func (v *Views) evict(n int) {
	for len(v.byID) > n {
		var oldest *instance
		for _, in := range v.byID {
			if in.readers == 0 && (oldest == nil || in.turn < oldest.turn) {
				oldest = in
			}
		}
		if oldest == nil {
			return
		}
		delete(v.byID, oldest.name)
	}
}

// reap drops instances nobody has used for pace.linger.
func (v *Views) reap(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for name, in := range v.byID {
		switch {
		case in.readers > 0:
		case in.idle.IsZero():
			in.idle = now
		case now.Sub(in.idle) >= v.hub.pace.linger:
			delete(v.byID, name)
		}
	}
}

func (v *Views) followed() []*instance {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []*instance
	for _, in := range v.byID {
		if in.readers > 0 {
			out = append(out, in)
		}
	}
	return out
}

func (v *Views) size() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.byID)
}

func (v *Views) poke() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// run redraws the followed views after news, at most once per pace.gap, and
// looks every second whether the clock alone has changed one: a timer to the
// very instant would miss it when the box's clock is set.
func (v *Views) run(ctx context.Context) {
	tick := time.NewTicker(v.hub.pace.tick)
	defer tick.Stop()
	gap := time.NewTimer(0)
	defer gap.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-gap.C:
		}
		select {
		case <-ctx.Done():
			return
		case <-v.wake:
		case <-tick.C:
			v.reap(v.hub.o.Now())
		}
		for _, in := range v.followed() {
			if ctx.Err() != nil {
				return
			}
			// refresh has logged it and the readers are told.
			_ = in.refresh()
		}
		gap.Reset(v.hub.pace.gap)
	}
}

// next is the first instant after now at which a page drawn from snap may look
// different although nothing happened: a hold becomes vencida, or the plant's
// day ends.
func (v *Views) next(snap *plant.Snapshot, now time.Time) time.Time {
	v.dueMu.Lock()
	defer v.dueMu.Unlock()
	if d := &v.due; d.snap == snap && !now.Before(d.from) && now.Before(d.at) {
		return d.at
	}
	at := (plant.DateOf(now) + 1).Start()
	if ttl := snap.Rules().TTL; ttl > 0 {
		for row := range snap.Rows() {
			if row.Spool.Hold.Free() {
				continue
			}
			if end := row.Spool.Hold.Since.Add(ttl); end.After(now) && end.Before(at) {
				at = end
			}
		}
	}
	v.due.snap, v.due.from, v.due.at = snap, now, at
	return at
}
