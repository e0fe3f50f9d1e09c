package ws

import (
	"sync/atomic"
	"time"

	"envivo/plant"
)

// counters are written by whoever sees the fact.
type counters struct {
	events, views, sse    atomic.Int64 // open now
	lanes                 atomic.Int64 // open now
	resets, slow          atomic.Uint64
	renders, renderErrors atomic.Uint64
	published, last       atomic.Int64 // nanoseconds
	seen                  atomic.Uint64
}

// Stats tells how the hub is doing, for the metrics page.
type Stats struct {
	// Sockets open now, by kind; Lanes are those that could not take a write at
	// once and have a goroutine of their own for the moment.
	Events, ViewSockets, SSE, Lanes int
	// Views are the instances kept, followed or not.
	Views int
	// Resets counts clients told to reload, SlowCuts those closed for not
	// reading. Renders and RenderErrors count drawings of views.
	Resets, SlowCuts, Renders, RenderErrors uint64
	// Ring is the number of events in memory, Head the newest one.
	Ring int
	Head plant.Seq
	// Seen is the newest event of the journal that the hub has dealt with,
	// streamed or not; 0 until it runs.
	Seen plant.Seq
	// LastPublish is the time from the news of the last commit until the
	// slowest shard had written it to its sockets.
	LastPublish time.Duration
}

// Stats reads the counters; they need not belong to one instant.
func (h *Hub) Stats() Stats {
	c := &h.count
	return Stats{
		Events: int(c.events.Load()), ViewSockets: int(c.views.Load()), SSE: int(c.sse.Load()), Lanes: int(c.lanes.Load()),
		Views: h.views.size(), Resets: c.resets.Load(), SlowCuts: c.slow.Load(), Renders: c.renders.Load(), RenderErrors: c.renderErrors.Load(),
		Ring: h.ring.size(), Head: h.ring.head(), Seen: plant.Seq(c.seen.Load()), LastPublish: time.Duration(c.last.Load()),
	}
}
