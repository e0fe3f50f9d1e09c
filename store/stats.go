package store

import (
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"envivo/plant"
)

// Stats are figures for health pages and metrics. They are read one by one,
// not at one instant.
type Stats struct {
	Seq        plant.Seq
	Queued     int // requests waiting
	QueueLimit int
	Commits    uint64 // transactions since the start
	Events     uint64 // events since the start
	CommitTime time.Duration
	LastCommit time.Duration
	LastBatch  int
	Full       uint64 // transactions refused by a full disk
	Dirty      int    // spools whose checkpoint row is behind
	Replay     int    // events a start would replay
	Receipts   int    // command ids remembered
	Cursor     plant.Seq
	Parked     int
	// FileSize is what the pages in use need; FreelistBytes above 64 KiB says
	// that the file should be compacted.
	FileSize      int64
	FreelistBytes int
}

// counters are written by the writer and read by anybody.
type counters struct {
	commits, events, full                         atomic.Uint64
	commitTime, lastCommit, lastBatch, dirty, gap atomic.Int64
	receipts                                      atomic.Int64
}

func (c *counters) seed(w *writer) {
	c.dirty.Store(int64(len(w.dirty.queue)))
	c.receipts.Store(int64(len(w.claims.byID)))
	c.gap.Store(int64(w.behind()))
}

func (c *counters) committed(w *writer, b *batch, took time.Duration) {
	c.commits.Add(1)
	c.events.Add(uint64(len(b.events)))
	c.commitTime.Add(int64(took))
	c.lastCommit.Store(int64(took))
	c.lastBatch.Store(int64(len(b.events)))
	c.seed(w)
}

// behind is how many events a start would replay now.
func (w *writer) behind() int {
	if len(w.dirty.queue) == 0 {
		return 0
	}
	return int(w.snap.Seq-w.dirty.queue[0].first) + 1
}

// Stats reads the figures.
func (b *Bolt) Stats() Stats {
	c := &b.stats
	s := Stats{
		Seq: b.Snapshot().Seq, Queued: len(b.queue), QueueLimit: cap(b.queue), Commits: c.commits.Load(), Events: c.events.Load(),
		CommitTime: time.Duration(c.commitTime.Load()), LastCommit: time.Duration(c.lastCommit.Load()), LastBatch: int(c.lastBatch.Load()),
		Full: c.full.Load(), Dirty: int(c.dirty.Load()), Replay: int(c.gap.Load()), Receipts: int(c.receipts.Load()),
		FreelistBytes: b.file().Stats().FreelistInuse,
	}
	if err := b.view(func(tx *bolt.Tx) error { s.FileSize = tx.Size(); return nil }); err != nil {
		s.FileSize = 0 // closed
	}
	b.outbox.mu.RLock()
	s.Cursor = b.outbox.state.cursor
	for _, p := range b.outbox.state.parked {
		if !p.Retry {
			s.Parked++
		}
	}
	b.outbox.mu.RUnlock()
	return s
}
