package store

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"envivo/plant"
)

// loader brings the file's state into memory: the checkpoint, then the events
// that the checkpoint does not show yet.
type loader struct {
	evolve func(plant.Spool, plant.Event) plant.Spool
	rules  plant.Rules
	epoch  string
	// claimsSince is how far back command ids are wanted; zero means not at all.
	claimsSince time.Time

	snap     *plant.Snapshot
	head     headRec
	lastAt   time.Time
	fold     fold
	outbox   outboxState
	dirty    []dirtyRow // replayed, so not in the checkpoint; in order of first change
	claims   []claim    // ascending Seq
	replayed int
}

// row is a decoded row of the checkpoint, with its facts derived.
type row struct {
	spool    *plant.Spool
	derived  *plant.Row
	position int
	taken    plant.Seq
}

func (l *loader) load(db *bolt.DB) error {
	return quietly(func() error { return guarded(func() error { return db.View(l.read) }) })
}

func (l *loader) read(tx *bolt.Tx) error {
	m, err := readFileMeta(tx)
	if err != nil {
		return err
	}
	l.head = m.head
	l.fold = fold{evolve: l.evolve, taken: map[plant.Tag]plant.Seq{}}
	base := plant.NewSnapshot(l.rules, l.epoch).Change()
	for _, part := range []func(*bolt.Tx, *plant.Change) error{l.readPeople, l.readRows, l.replay} {
		if err := part(tx, base); err != nil {
			return err
		}
	}
	l.snap = base.Done(plant.Seq(l.head.Seq), l.head.link())
	if err := l.readOutbox(tx); err != nil {
		return err
	}
	return l.readClaims(tx)
}

// readPeople reads workers and settings. Their rows are always up to date.
func (l *loader) readPeople(tx *bolt.Tx, c *plant.Change) error {
	err := tx.Bucket(bucketWorkers).ForEach(func(k, v []byte) error {
		var r workerRec
		if err := unseal(v, &r); err != nil {
			return fmt.Errorf("%w: worker %x: %w", ErrDamaged, k, err)
		}
		c.PutWorker(r.worker())
		return nil
	})
	if err != nil {
		return err
	}
	return tx.Bucket(bucketSettings).ForEach(func(k, v []byte) error {
		if err := version(v); err != nil {
			return fmt.Errorf("%w: setting %s: %w", ErrDamaged, k, err)
		}
		c.PutSetting(plant.Setting{Key: string(k), Value: string(v[1:])})
		return nil
	})
}

// readRows reads the checkpoint's spools. Holds are put in the order in which
// they began, because that is the order of what a worker holds.
func (l *loader) readRows(tx *bolt.Tx, c *plant.Change) error {
	var raw [][]byte
	var tags [][]byte
	if err := tx.Bucket(bucketSpools).ForEach(func(k, v []byte) error {
		tags, raw = append(tags, k), append(raw, v)
		return nil
	}); err != nil {
		return err
	}
	rows := make([]row, len(raw))
	err := inParallel(len(raw), func(i int) (err error) {
		rows[i], err = decodeRow(tags[i], raw[i])
		if err == nil {
			rows[i].derived = c.Row(rows[i].spool)
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b row) int { return a.position - b.position })
	var held []row
	for i, r := range rows {
		if r.position != i {
			return fmt.Errorf("%w: row of %s has position %d, want %d", ErrDamaged, r.spool.Tag, r.position, i)
		}
		if r.spool.Hold.Free() {
			c.PutRow(r.derived)
			continue
		}
		held = append(held, r)
		free := *r.spool
		free.Hold = plant.Hold{}
		c.PutSpool(&free)
	}
	slices.SortFunc(held, func(a, b row) int { return int(a.taken) - int(b.taken) })
	for _, r := range held {
		c.PutRow(r.derived)
		l.fold.taken[r.spool.Tag] = r.taken
	}
	return nil
}

func decodeRow(tag, v []byte) (row, error) {
	var r rowRec
	if err := unseal(v, &r); err != nil {
		return row{}, fmt.Errorf("%w: row of %s: %w", ErrDamaged, tag, err)
	}
	if r.Spool.Tag != string(tag) {
		return row{}, fmt.Errorf("%w: row of %s is about %s", ErrDamaged, tag, r.Spool.Tag)
	}
	s := r.Spool.spool()
	return row{spool: &s, position: r.Position, taken: plant.Seq(r.Taken)}, nil
}

// replay applies what the checkpoint lacks. Rows were written at different
// moments: each knows by its Last which events it already contains. Workers and
// settings are replaced as a whole, so bringing in an older value for a moment
// does no harm: the newest comes last.
func (l *loader) replay(tx *bolt.Tx, c *plant.Change) error {
	if l.head.Checkpoint > l.head.Seq {
		return fmt.Errorf("%w: the checkpoint at %d is ahead of the journal at %d", ErrDamaged, l.head.Checkpoint, l.head.Seq)
	}
	prev, last := plant.Seq(l.head.Checkpoint), plant.Seq(l.head.Seq)
	if s, err := lastSeq(tx); err != nil || s != last {
		return fmt.Errorf("%w: the journal ends at %d, want %d", ErrDamaged, s, last)
	}
	tip, err := linkAtSeq(tx, prev)
	if err != nil {
		return err
	}
	raw := collect(tx, prev, int(last-prev))
	entries := make([]entry, len(raw))
	err = inParallel(len(raw), func(i int) (err error) {
		seq := prev + 1 + plant.Seq(i)
		if !bytes.Equal(raw[i].key, seqKey(seq)) {
			return fmt.Errorf("%w: event %d is missing", ErrDamaged, seq)
		}
		entries[i], err = decodeEntry(seq, raw[i].value)
		if err != nil {
			return fmt.Errorf("%w: event %d: %w", ErrDamaged, seq, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	seen := map[plant.Tag]bool{}
	for i := range entries {
		e := &entries[i].event
		if tip = chain(tip, raw[i].value); tip != entries[i].link {
			return fmt.Errorf("%w: event %d does not continue the chain", ErrDamaged, e.Seq)
		}
		l.step(c, e, seen)
	}
	if tip != l.head.link() {
		return fmt.Errorf("%w: the chain does not end where the last transaction left it", ErrDamaged)
	}
	l.replayed = len(entries)
	return nil
}

func (l *loader) step(c *plant.Change, e *plant.Event, seen map[plant.Tag]bool) {
	if sp, ok := c.Spool(e.Tag); ok && e.Tag != "" && sp.Last >= e.Seq {
		l.fold.put(c, e, effect{})
		return
	}
	x := l.fold.next(c, e)
	l.fold.put(c, e, x)
	l.fold.hold(x)
	if x.after != nil && !seen[x.after.Tag] {
		seen[x.after.Tag] = true
		l.dirty = append(l.dirty, dirtyRow{x.after.Tag, e.Seq})
	}
}

// linkAtSeq is the link of one journal record, the genesis for 0.
func linkAtSeq(tx *bolt.Tx, s plant.Seq) (link, error) {
	if s == 0 {
		return link{}, nil
	}
	v := tx.Bucket(bucketJournal).Get(seqKey(s))
	if len(v) < bodyAt {
		return link{}, fmt.Errorf("%w: event %d is missing", ErrDamaged, s)
	}
	return link(v[linkAt:bodyAt]), nil
}

// pair is a key and a value that live as long as their transaction.
type pair struct{ key, value []byte }

// collect gives up to n journal records after a sequence number.
func collect(tx *bolt.Tx, after plant.Seq, n int) []pair {
	out := make([]pair, 0, n)
	c := tx.Bucket(bucketJournal).Cursor()
	for k, v := c.Seek(seqKey(after + 1)); k != nil && len(out) < n; k, v = c.Next() {
		out = append(out, pair{k, v})
	}
	return out
}

// readClaims finds which commands came to which events, newest backwards.
func (l *loader) readClaims(tx *bolt.Tx) error {
	const chunk = 4096
	c := tx.Bucket(bucketJournal).Cursor()
	k, v := c.Last()
	for done := false; k != nil && !done; {
		var raw []pair
		for ; k != nil && len(raw) < chunk; k, v = c.Prev() {
			raw = append(raw, pair{k, v})
		}
		recs := make([]claimRec, len(raw))
		if err := inParallel(len(raw), func(i int) error { return decodeBody(raw[i].value, partMode(), &recs[i]) }); err != nil {
			return fmt.Errorf("%w: read command ids: %w", ErrDamaged, err)
		}
		for i, r := range recs {
			at := r.At.time()
			if l.lastAt.IsZero() {
				l.lastAt = at
			}
			seq, err := keySeq(raw[i].key)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			old := at.Before(l.claimsSince) && seq+rememberEvents <= plant.Seq(l.head.Seq)
			if done = l.claimsSince.IsZero() || old; done {
				break
			}
			if !r.Own {
				l.claims = claimed(l.claims, plant.CommandID(r.Cmd), seq, at)
			}
		}
	}
	slices.Reverse(l.claims)
	return nil
}

// inParallel calls f for every i below n from as many goroutines as there are
// processors, and returns the error of the lowest i. A fault in the mapped file
// is an error too: a goroutine cannot be guarded from outside.
func inParallel(n int, f func(i int) error) error {
	const grain = 256
	type failure struct {
		at  int
		err error
	}
	parts := (n + grain - 1) / grain
	errs := make([]failure, parts)
	work := make(chan int, parts)
	for p := range parts {
		work <- p
	}
	close(work)
	var wg sync.WaitGroup
	for range min(parts, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for p := range work {
				for i := p * grain; i < min(n, (p+1)*grain) && errs[p].err == nil; i++ {
					errs[p] = failure{i, guarded(func() error { return f(i) })}
				}
			}
		})
	}
	wg.Wait()
	for _, e := range errs {
		if e.err != nil {
			return e.err
		}
	}
	return nil
}
