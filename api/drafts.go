package api

import (
	"slices"
	"sync"
	"time"

	"envivo/plant"
	"envivo/ui"
)

// drafts are what people have begun and not sent: ticks on a spool's unions
// and the spools of a basket. The box keeps them, the tablets forget. They live
// in memory for draftFor; save and load carry them over a restart. Guarded by mu.
type drafts struct {
	now func() time.Time

	mu      sync.Mutex
	ticks   map[tickKey]ticked
	baskets map[plant.WorkerID]basket
	// dirty is set by what save has not told yet.
	dirty bool
}

type tickKey struct {
	worker plant.WorkerID
	tag    plant.Tag
}

type ticked struct {
	unions []string
	at     time.Time
}

// basket is one person's: the spools in the order they came, and what the last
// act on them came to, until it is dismissed.
type basket struct {
	tags    []plant.Tag
	results *ui.BatchResult
	// order is the key of the command that led to results.
	order plant.CommandID
	at    time.Time
}

const (
	draftFor  = 12 * time.Hour
	maxDrafts = 2000
)

func newDrafts(now func() time.Time) *drafts {
	return &drafts{now: now, ticks: map[tickKey]ticked{}, baskets: map[plant.WorkerID]basket{}}
}

// keepTicks remembers what somebody had ticked when the tablet was left;
// nothing ticked forgets it.
func (d *drafts) keepTicks(who plant.WorkerID, tag plant.Tag, unions []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, was := d.ticks[tickKey{who, tag}]; was || len(unions) > 0 {
		d.dirty = true
	}
	if len(unions) == 0 || len(d.ticks) >= maxDrafts {
		delete(d.ticks, tickKey{who, tag})
		return
	}
	d.ticks[tickKey{who, tag}] = ticked{slices.Clone(unions), d.now()}
}

// ticksOf are the ticks somebody had left on a spool.
func (d *drafts) ticksOf(who plant.WorkerID, tag plant.Tag) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.ticks[tickKey{who, tag}]
	if d.now().Sub(t.at) > draftFor {
		return nil
	}
	return t.unions
}

// basket is a copy of somebody's basket.
func (d *drafts) basket(who plant.WorkerID) basket {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.baskets[who]
	if d.now().Sub(b.at) > draftFor {
		return basket{}
	}
	b.tags = slices.Clone(b.tags)
	return b
}

// change gives somebody's basket to f and keeps what f leaves of it. f must
// not block.
func (d *drafts) change(who plant.WorkerID, f func(*basket)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.baskets[who]
	if d.now().Sub(b.at) > draftFor {
		b = basket{}
	}
	b.tags = slices.Clone(b.tags)
	f(&b)
	b.at, d.dirty = d.now(), true
	if len(b.tags) == 0 && b.results == nil {
		delete(d.baskets, who)
		return
	}
	d.baskets[who] = b
}
