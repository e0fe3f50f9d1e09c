package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	bolt "go.etcd.io/bbolt"

	"envivo/plant"
)

// A store can follow another one: it takes the other's journal records as they
// are, byte for byte, so that its chain is the same, and no command of its own.
// docs/adr/0012 says how a standby uses this.

// ErrDiverged says that a record does not continue this store's chain: it comes
// from another history.
var ErrDiverged = errors.New("the record does not continue this history")

// follow is a run of another store's records on its way through the queue.
type follow struct {
	after   plant.Seq
	records [][]byte
	err     error
}

// Follow makes another store's records, those right after the event after, part
// of this one. When it returns nil they are on disk and in every later Snapshot.
// Records that are here already are skipped; one that does not fit is
// ErrDiverged, and then none is taken.
func (b *Bolt) Follow(ctx context.Context, after plant.Seq, records [][]byte) error {
	if b.o.Following == "" {
		return errors.New("this store follows nobody")
	}
	for len(records) > 0 {
		n := min(len(records), b.o.Batch)
		r := newRequest(nil)
		r.follow = &follow{after: after, records: records[:n]}
		b.submit(ctx, r, true)
		b.await(ctx, r)
		select {
		case <-r.done:
		default:
			return ctx.Err()
		}
		if r.follow.err != nil {
			return r.follow.err
		}
		after, records = after+plant.Seq(n), records[n:]
	}
	return nil
}

// follow proves all records of a run before it takes any.
func (b *batch) follow(f *follow) error {
	skip := b.last() - f.after
	if f.after > b.last() {
		return fmt.Errorf("%w: it would begin after %d, this store ends at %d", ErrDiverged, f.after, b.last())
	}
	if skip >= plant.Seq(len(f.records)) {
		return nil
	}
	records := f.records[skip:]
	entries, tip, at := make([]entry, len(records)), b.tip, b.lastAt()
	for i, raw := range records {
		seq := b.last() + plant.Seq(i) + 1
		x, err := decodeEntry(seq, raw)
		if err != nil {
			return fmt.Errorf("%w: event %d: %w", ErrDiverged, seq, err)
		}
		tip = chain(tip, raw)
		switch {
		case tip != x.link, x.event.Prev != seq-1:
			return fmt.Errorf("%w: event %d", ErrDiverged, seq)
		case x.event.At.Before(at):
			return fmt.Errorf("%w: event %d is older than the one before", ErrDiverged, seq)
		}
		entries[i], at = x, x.event.At
	}
	for i := range entries {
		b.take(records[i], &entries[i])
	}
	return nil
}

// take makes a proven record part of the batch.
func (b *batch) take(raw []byte, x *entry) {
	e := x.event
	fx := b.w.fold.next(b.change, &e)
	b.w.fold.put(b.change, &e, fx)
	b.tip = x.link
	b.index(e.Cmd)
	b.events, b.records, b.effects, b.digests = append(b.events, e), append(b.records, raw), append(b.effects, fx), append(b.digests, x.digest)
	if !x.own {
		b.claims = claimed(b.claims, e.Cmd, e.Seq, e.At)
	}
}

// Records gives journal records after an event as they are stored, up to limit
// of them and about most bytes. Never more than readers may know of.
func (b *Bolt) Records(ctx context.Context, after plant.Seq, limit, most int) ([][]byte, error) {
	last := b.now.Load().snap.Seq
	if after >= last {
		return nil, nil
	}
	var out [][]byte
	err := b.view(func(tx *bolt.Tx) error {
		size := 0
		for i, p := range collect(tx, after, int(min(uint64(bound(limit)), uint64(last-after)))) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !bytes.Equal(p.key, seqKey(after+1+plant.Seq(i))) {
				return fmt.Errorf("%w: event %d is missing", ErrDamaged, after+1+plant.Seq(i))
			}
			if size += len(p.value); size > most && len(out) > 0 {
				return nil
			}
			out = append(out, bytes.Clone(p.value))
		}
		return nil
	})
	return out, err
}

// Link is the chain's link at an event this store has; ErrNoEvent otherwise.
func (b *Bolt) Link(seq plant.Seq) ([32]byte, error) {
	snap := b.now.Load().snap
	switch {
	case seq == snap.Seq:
		return snap.Head, nil
	case seq > snap.Seq:
		return [32]byte{}, ErrNoEvent
	}
	var l link
	err := b.view(func(tx *bolt.Tx) (err error) {
		l, err = linkAtSeq(tx, seq)
		return err
	})
	return l, err
}

// Ship writes a consistent copy of the store to w. It is made on the local disk
// first, in dir, because a slow receiver would hold a read transaction open;
// begin is told its size before the first byte. Who receives it checks it.
func (b *Bolt) Ship(ctx context.Context, dir string, begin func(size int64), w io.Writer) error {
	b.copying.Lock()
	name, err := b.copyTo(ctx, dir)
	b.copying.Unlock()
	if err != nil {
		return fmt.Errorf("copy the store: %w", err)
	}
	defer os.Remove(name)
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	begin(info.Size())
	_, err = io.Copy(w, f)
	return err
}

// refuseFollower answers a command to a store that follows another, or that is
// held and may not know yet.
func refuseFollower(r *request, primary string) {
	no := func(c plant.Command) error {
		e := &plant.Error{Code: plant.CodeStandby, Verb: c.Verb, Op: c.Op, Tag: c.Tag, Primary: primary, Detail: "this store follows " + primary}
		if primary == "" {
			e.Detail, e.RetryAfter = "this store is held", retryAfter
		}
		return e
	}
	for i, c := range r.cmds {
		r.results[i] = plant.Result{Err: no(c)}
	}
	if r.mark != nil {
		r.mark.err = no(plant.Command{})
	}
	r.answer()
}
