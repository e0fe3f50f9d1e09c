package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sort"
	"strings"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"envivo/plant"
)

// maxRead is the most events one call reads.
const maxRead = 5000

// bound is limit within reason; 0 or less means as many as allowed.
func bound(limit int) int {
	if limit <= 0 || limit > maxRead {
		return maxRead
	}
	return limit
}

// ErrAhead says that a reader claims to have seen events this store does not
// have: it followed another history.
var ErrAhead = errors.New("sequence number ahead of the store")

// Events reads up to limit committed events after a sequence number, in order,
// without waiting. A Snapshot taken afterwards contains them. Events are shared
// between readers: do not change what they point to.
func (b *Bolt) Events(ctx context.Context, after plant.Seq, limit int) ([]plant.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	limit = bound(limit)
	p := b.now.Load()
	if after >= p.snap.Seq {
		return nil, nil
	}
	if batches := p.after(after); batches != nil {
		var out []plant.Event
		for _, events := range batches {
			out = append(out, events[:min(len(events), limit-len(out))]...)
		}
		return out, nil
	}
	return b.journal(ctx, after, int(min(uint64(limit), uint64(p.snap.Seq-after))))
}

// after gives the batches in memory that follow a sequence number, nil when
// the ring does not reach back so far.
func (p *published) after(seq plant.Seq) [][]plant.Event {
	if len(p.recent) == 0 || p.recent[0][0].Prev > seq {
		return nil
	}
	i := sort.Search(len(p.recent), func(i int) bool {
		batch := p.recent[i]
		return batch[len(batch)-1].Seq > seq
	})
	if i == len(p.recent) {
		return nil
	}
	out := append([][]plant.Event(nil), p.recent[i:]...)
	j := sort.Search(len(out[0]), func(j int) bool { return out[0][j].Seq > seq })
	out[0] = out[0][j:]
	return out
}

// journal reads events from the file. It never goes beyond what is published:
// a commit may be on disk before readers may know of it.
func (b *Bolt) journal(ctx context.Context, after plant.Seq, limit int) ([]plant.Event, error) {
	out := make([]plant.Event, 0, limit)
	err := b.view(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketJournal).Cursor()
		for k, v := c.Seek(seqKey(after + 1)); k != nil && len(out) < limit; k, v = c.Next() {
			if err := ctx.Err(); err != nil {
				return err
			}
			seq, err := keySeq(k)
			if err != nil {
				return err
			}
			e, err := decodeEntry(seq, v)
			if err != nil {
				return fmt.Errorf("%w: event %d: %w", ErrDamaged, seq, err)
			}
			out = append(out, e.event)
		}
		return nil
	})
	return out, err
}

// view is db.View that survives a damaged page, and a compaction that closed
// the file between finding and reading it.
func (b *Bolt) view(f func(*bolt.Tx) error) error {
	for {
		db := b.file()
		err := guarded(func() error { return db.View(f) })
		if !errors.Is(err, berrors.ErrDatabaseNotOpen) || db == b.file() {
			return err
		}
	}
}

// entry reads one journal record.
func (b *Bolt) entry(seq plant.Seq) (x entry, err error) {
	err = b.view(func(tx *bolt.Tx) error {
		x, err = entryIn(tx, seq)
		return err
	})
	return x, err
}

func entryIn(tx *bolt.Tx, seq plant.Seq) (entry, error) {
	v := tx.Bucket(bucketJournal).Get(seqKey(seq))
	if v == nil {
		return entry{}, fmt.Errorf("%w: event %d is missing", ErrDamaged, seq)
	}
	x, err := decodeEntry(seq, v)
	if err != nil {
		return entry{}, fmt.Errorf("%w: event %d: %w", ErrDamaged, seq, err)
	}
	return x, nil
}

func (b *Bolt) event(seq plant.Seq) (plant.Event, error) {
	x, err := b.entry(seq)
	return x.event, err
}

// History reads up to limit events about one spool, newest first, from those
// before a sequence number; 0 begins with the newest. It follows the chain of
// PrevTag, so it costs what it returns.
func (b *Bolt) History(ctx context.Context, tag plant.Tag, before plant.Seq, limit int) ([]plant.Event, error) {
	limit = bound(limit)
	row, ok := b.now.Load().snap.Row(tag)
	if !ok {
		return nil, nil
	}
	at := row.Spool.Last
	var out []plant.Event
	err := b.view(func(tx *bolt.Tx) error {
		if before != 0 && before <= at { // a page further back: go on from its last event
			if x, err := entryIn(tx, before); err == nil && strings.EqualFold(string(x.event.Tag), string(row.Spool.Tag)) {
				at = x.event.PrevTag
			}
		}
		for at != 0 && len(out) < limit {
			if err := ctx.Err(); err != nil {
				return err
			}
			x, err := entryIn(tx, at)
			if err != nil {
				return err
			}
			if x.event.PrevTag >= at {
				return fmt.Errorf("%w: event %d names %d as the one before", ErrDamaged, at, x.event.PrevTag)
			}
			if before == 0 || at < before {
				out = append(out, x.event)
			}
			at = x.event.PrevTag
		}
		return nil
	})
	return out, err
}

// Tail gives the committed events after a sequence number, each once and in
// order, and then waits for news until ctx ends. What a batch of it shows is in
// every later Snapshot. It fails with ErrAhead when after is not in this
// history, and with ErrClosed after the last event of a store that is closed.
// Events are shared between readers: do not change what they point to.
func (b *Bolt) Tail(ctx context.Context, after plant.Seq) iter.Seq2[[]plant.Event, error] {
	return func(yield func([]plant.Event, error) bool) {
		if after > b.now.Load().snap.Seq {
			yield(nil, ErrAhead)
			return
		}
		for ctx.Err() == nil {
			p := b.now.Load()
			if p.last() == after {
				if !b.sleep(ctx, p) {
					if ctx.Err() == nil && b.now.Load() == p {
						yield(nil, ErrClosed)
						return
					}
				}
				continue
			}
			batches := p.after(after)
			if batches == nil {
				events, err := b.journal(ctx, after, int(min(uint64(tailRead), uint64(p.snap.Seq-after))))
				if err != nil {
					if ctx.Err() == nil {
						yield(nil, err)
					}
					return
				}
				if len(events) == 0 {
					yield(nil, fmt.Errorf("%w: no event after %d", ErrDamaged, after))
					return
				}
				batches = [][]plant.Event{events}
			}
			for _, events := range batches {
				if ctx.Err() != nil || !yield(events, nil) {
					return
				}
				after = events[len(events)-1].Seq
			}
		}
	}
}

// tailRead is how many events a tail takes from the file at once.
const tailRead = 256

// last is the newest event readers may know of.
func (p *published) last() plant.Seq {
	if n := len(p.recent); n > 0 {
		events := p.recent[n-1]
		return events[len(events)-1].Seq
	}
	return p.snap.Seq
}

// sleep waits for news after p; false when none will come.
func (b *Bolt) sleep(ctx context.Context, p *published) bool {
	select {
	case <-p.wake:
		return true
	case <-ctx.Done():
		return false
	case <-b.finished:
		return false
	}
}
