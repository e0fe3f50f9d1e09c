package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"envivo/plant"
)

// outbox says which events are still to be delivered to the Sheet: those after
// the cursor that are neither acknowledged nor parked, and the parked ones that
// are to be tried again. It costs nothing until somebody acknowledges.
type outbox struct {
	mu    sync.RWMutex
	state outboxState // changed by the writer after the commit, never in place
}

// outboxState is immutable once it is in an outbox.
type outboxState struct {
	cursor plant.Seq
	acked  map[plant.Seq]struct{} // after the cursor, out of order
	parked map[plant.Seq]Parked
}

// Parked is an event that could not be delivered.
type Parked struct {
	Seq plant.Seq
	Why string
	At  time.Time
	// Retry is set when the event is pending again.
	Retry bool
}

// mark is a change of the outbox on its way through the writer's queue.
type mark struct {
	seqs []plant.Seq
	kind markKind
	why  string
	err  error
}

type markKind uint8

const (
	markAck markKind = iota
	markPark
	markRetry
)

// ErrNoEvent says that a sequence number belongs to no event.
var ErrNoEvent = errors.New("no such event")

// Pending lists up to limit events that still have to be delivered, oldest
// first; those to be tried again come before the rest.
func (b *Bolt) Pending(limit int) ([]plant.Event, error) {
	limit = bound(limit)
	b.outbox.mu.RLock()
	s := b.outbox.state
	b.outbox.mu.RUnlock()
	var out []plant.Event
	for _, seq := range slices.Sorted(maps.Keys(s.parked)) {
		if !s.parked[seq].Retry || seq > s.cursor || len(out) == limit {
			continue
		}
		e, err := b.event(seq)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	for at := s.cursor; len(out) < limit; {
		events, err := b.Events(context.Background(), at, limit)
		if err != nil {
			return nil, err
		}
		if len(events) == 0 {
			break
		}
		at = events[len(events)-1].Seq
		for _, e := range events {
			if s.open(e.Seq) && len(out) < limit {
				out = append(out, e)
			}
		}
	}
	return out, nil
}

// open reports whether an event after the cursor is still to be delivered.
func (s outboxState) open(seq plant.Seq) bool {
	_, acked := s.acked[seq]
	p, parked := s.parked[seq]
	return !acked && (!parked || p.Retry)
}

// Parked lists the events that were set aside, oldest first.
func (b *Bolt) Parked() []Parked {
	b.outbox.mu.RLock()
	defer b.outbox.mu.RUnlock()
	var out []Parked
	for _, seq := range slices.Sorted(maps.Keys(b.outbox.state.parked)) {
		if p := b.outbox.state.parked[seq]; !p.Retry {
			out = append(out, p)
		}
	}
	return out
}

// Ack records that events were delivered. It is durable when it returns, and
// repeating it changes nothing. Parked events are released by it too.
func (b *Bolt) Ack(ctx context.Context, seqs ...plant.Seq) error {
	return b.mark(ctx, mark{seqs: seqs, kind: markAck})
}

// Park sets an event aside that cannot be delivered, so that those behind it
// can; Parked shows it with the reason.
func (b *Bolt) Park(ctx context.Context, seq plant.Seq, why string) error {
	return b.mark(ctx, mark{seqs: []plant.Seq{seq}, kind: markPark, why: why})
}

// Unpark makes a parked event pending again. It fails with ErrNoEvent when the
// event is not parked.
func (b *Bolt) Unpark(ctx context.Context, seq plant.Seq) error {
	return b.mark(ctx, mark{seqs: []plant.Seq{seq}, kind: markRetry})
}

func (b *Bolt) mark(ctx context.Context, m mark) error {
	if len(m.seqs) == 0 {
		return nil
	}
	r := newRequest(nil)
	r.mark = &m
	b.submit(ctx, r, true)
	b.await(ctx, r)
	select {
	case <-r.done:
		return m.err
	default:
		return trouble(plant.CodeUnknownOutcome, plant.Command{}, ctx.Err())
	}
}

// boxEdit is a change of the outbox that becomes true with its transaction.
type boxEdit struct {
	s       outboxState
	touched map[plant.Seq]bool // rows that may differ from the file
}

func (s outboxState) edit() *boxEdit {
	return &boxEdit{s: outboxState{s.cursor, maps.Clone(s.acked), maps.Clone(s.parked)}, touched: map[plant.Seq]bool{}}
}

// apply carries out one mark, last being the newest event. A mark that names an
// event that does not exist changes nothing.
func (x *boxEdit) apply(m *mark, last plant.Seq, now time.Time) error {
	for _, seq := range m.seqs {
		_, parked := x.s.parked[seq]
		if seq == 0 || seq > last || m.kind == markRetry && !parked {
			return fmt.Errorf("mark event %d in the outbox: %w", seq, ErrNoEvent)
		}
	}
	for _, seq := range m.seqs {
		p, parked := x.s.parked[seq]
		_, acked := x.s.acked[seq]
		x.touched[seq] = true
		switch m.kind {
		case markAck:
			delete(x.s.parked, seq)
			if seq > x.s.cursor {
				x.s.acked[seq] = struct{}{}
			}
		case markPark:
			if parked || seq > x.s.cursor && !acked { // what was delivered stays so
				x.s.parked[seq] = Parked{Seq: seq, Why: m.why, At: now}
			}
		case markRetry:
			p.Retry = true
			x.s.parked[seq] = p
		}
	}
	x.advance(last)
	return nil
}

// advance moves the cursor over everything that is settled.
func (x *boxEdit) advance(last plant.Seq) {
	for x.s.cursor < last {
		next := x.s.cursor + 1
		_, acked := x.s.acked[next]
		_, parked := x.s.parked[next]
		if !acked && !parked {
			return
		}
		delete(x.s.acked, next)
		x.touched[next] = true
		x.s.cursor = next
	}
}

// write brings the file's rows into line.
func (x *boxEdit) write(tx *bolt.Tx) error {
	acked, parked := tx.Bucket(bucketAcked), tx.Bucket(bucketParked)
	for _, seq := range slices.Sorted(maps.Keys(x.touched)) {
		key := seqKey(seq)
		var err error
		if _, ok := x.s.acked[seq]; ok {
			err = acked.Put(key, []byte{})
		} else {
			err = acked.Delete(key)
		}
		if err != nil {
			return err
		}
		p, ok := x.s.parked[seq]
		if !ok {
			err = parked.Delete(key)
		} else {
			var v []byte
			if v, err = seal(&parkedRec{Why: p.Why, At: toInstant(p.At), Retry: p.Retry}); err == nil {
				err = parked.Put(key, v)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readOutbox reads the outbox; a cursor beyond the journal is damage.
func (l *loader) readOutbox(tx *bolt.Tx) error {
	last := plant.Seq(l.head.Seq)
	s := outboxState{cursor: plant.Seq(l.head.Cursor), acked: map[plant.Seq]struct{}{}, parked: map[plant.Seq]Parked{}}
	if s.cursor > last {
		return fmt.Errorf("%w: the outbox is at %d, the journal ends at %d", ErrDamaged, s.cursor, last)
	}
	err := tx.Bucket(bucketAcked).ForEach(func(k, _ []byte) error {
		seq, err := keySeq(k)
		if err != nil || seq <= s.cursor || seq > last {
			return fmt.Errorf("%w: acknowledged event %x is not between the cursor %d and the end %d", ErrDamaged, k, s.cursor, last)
		}
		s.acked[seq] = struct{}{}
		return nil
	})
	if err != nil {
		return err
	}
	err = tx.Bucket(bucketParked).ForEach(func(k, v []byte) error {
		var r parkedRec
		seq, err := keySeq(k)
		if err == nil {
			err = unseal(v, &r)
		}
		if err != nil || seq == 0 || seq > last {
			return errors.Join(fmt.Errorf("%w: parked event %x", ErrDamaged, k), err)
		}
		s.parked[seq] = Parked{Seq: seq, Why: r.Why, At: r.At.time(), Retry: r.Retry}
		return nil
	})
	l.outbox = s
	return err
}
