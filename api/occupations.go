package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"envivo/plant"
	"envivo/ui"
)

// occupation is a stint while the log is read.
type occupation struct {
	ui.Stint
	token string
	// told says that an import told of it: it began before its event.
	told bool
}

// errGap says that the log is shorter than it was.
var errGap = errors.New("there are none")

// holds reports whether somebody had the spool at a moment.
func holds(o ui.Stint, moment time.Time) bool {
	return !o.From.After(moment) && (o.To.IsZero() || o.To.After(moment))
}

// occupations are who had what, at any moment of the log. The log grows for ever,
// so of what is over only these are kept: what imports told, the stints since the
// last chapter, and those that were open when a chapter began. The others of an
// older chapter are read again when somebody asks; instants in the log never go
// back, so a chapter is a span of time as well.
type occupations struct {
	open map[*occupation]bool
	// told are the closed ones that imports told of, by every day they touch.
	told     map[plant.Date][]*occupation
	chapters []chapter
	closed   []*occupation // since the last chapter began, without those of told
	fed      int           // events since then
	reread   []reread      // the last one asked for is the last
}

// chapter is a stretch of the log.
type chapter struct {
	after plant.Seq // the event before it
	at    time.Time // of that event
	open  []*occupation
}

// reread are the stints that began and ended within a chapter.
type reread struct {
	chapter int
	stints  []ui.Stint
}

const (
	// chapterEvents is how many events make a chapter.
	chapterEvents = eventsAtOnce
	// keepReread is how many old chapters are kept for live pages about them.
	keepReread = 4
)

func newOccupations() occupations {
	return occupations{open: map[*occupation]bool{}, told: map[plant.Date][]*occupation{}, chapters: []chapter{{}}}
}

// begin makes an occupation known; without an end it is open.
func (c *occupations) begin(o occupation) *occupation {
	c.open[&o] = true
	return &o
}

// end closes an occupation.
func (c *occupations) end(o *occupation, at time.Time) {
	delete(c.open, o)
	o.To = at
	if !o.told {
		c.closed = append(c.closed, o)
		return
	}
	for d, last := plant.DateOf(o.From), plant.DateOf(at); d <= last; d++ {
		c.told[d] = append(c.told[d], o)
	}
}

// read counts an event; now and then a chapter is full.
func (c *occupations) read(e *plant.Event) {
	if c.fed++; c.fed < chapterEvents {
		return
	}
	next := chapter{after: e.Seq, at: e.At, open: make([]*occupation, 0, len(c.open))}
	for o := range c.open {
		next.open = append(next.open, o)
	}
	c.chapters, c.closed, c.fed = append(c.chapters, next), nil, 0
}

// at are the stints at a moment, in no order.
func (c *occupations) at(ctx context.Context, p PageSource, moment time.Time) ([]ui.Stint, error) {
	var out []ui.Stint
	add := func(o *occupation) {
		if holds(o.Stint, moment) {
			out = append(out, o.Stint)
		}
	}
	for o := range c.open {
		add(o)
	}
	for _, o := range c.told[plant.DateOf(moment)] {
		add(o)
	}
	// The first chapter begins at the beginning of time.
	i := max(0, sort.Search(len(c.chapters), func(i int) bool { return c.chapters[i].at.After(moment) })-1)
	if i == len(c.chapters)-1 {
		for _, o := range c.closed {
			add(o)
		}
		return out, nil
	}
	spanning := map[*occupation]bool{}
	for _, o := range slices.Concat(c.chapters[i].open, c.chapters[i+1].open) {
		if !o.told && !c.open[o] && !spanning[o] {
			spanning[o] = true
			add(o)
		}
	}
	short, err := c.within(ctx, p, i)
	if err != nil {
		return nil, err
	}
	for _, s := range short {
		if holds(s, moment) {
			out = append(out, s)
		}
	}
	return out, nil
}

// within are the stints that began and ended within an old chapter.
func (c *occupations) within(ctx context.Context, p PageSource, i int) ([]ui.Stint, error) {
	if k := slices.IndexFunc(c.reread, func(r reread) bool { return r.chapter == i }); k >= 0 {
		r := c.reread[k]
		c.reread = append(slices.Delete(c.reread, k, k+1), r)
		return r.stints, nil
	}
	again := newChronicle()
	for _, o := range c.chapters[i].open {
		t, had := again.of(o.Tag), *o
		had.told = true // only what begins here is wanted
		t.had, t.open, t.token = again.who.begin(had), true, had.token
	}
	for at, upTo := c.chapters[i].after, c.chapters[i+1].after; at < upTo; {
		events, err := p.Events(ctx, at, eventsAtOnce)
		if err != nil || len(events) == 0 {
			return nil, fmt.Errorf("read events after %d once more: %w", at, cmp.Or(err, errGap))
		}
		for k := range events {
			if at = events[k].Seq; at <= upTo {
				again.feed(&events[k])
			}
		}
	}
	r := reread{chapter: i}
	for _, o := range again.who.closed {
		r.stints = append(r.stints, o.Stint)
	}
	c.reread = append(c.reread[max(0, len(c.reread)-keepReread+1):], r)
	return r.stints, nil
}
