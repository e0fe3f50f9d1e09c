package store

import (
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"envivo/plant"
)

// batch is what one transaction will make true. Nothing in it is visible to
// anybody, and nothing of the writer's own state changes, before it is on disk.
type batch struct {
	w      *writer
	now    time.Time
	change *plant.Change
	reqs   []*request
	swap   *request // carried out after the batch, nil as a rule

	events  []plant.Event
	records [][]byte
	tip     link
	effects []effect
	claims  []claim
	byID    map[plant.CommandID]int // index into events
	digests [][32]byte
	box     *boxEdit // nil when the outbox stays as it is
	rows    []dirtyRow
	dirty   []dirtyRow // what will be dirty afterwards
	snap    *plant.Snapshot
}

func (w *writer) newBatch() *batch {
	now := w.b.o.Now().UTC().Round(0)
	if now.Before(w.lastAt) {
		now = w.lastAt
	}
	return &batch{w: w, now: now, change: w.snap.Change(), tip: link(w.snap.Head), byID: map[plant.CommandID]int{}}
}

// last is the newest event, this batch's included.
func (b *batch) last() plant.Seq { return b.w.snap.Seq + plant.Seq(len(b.events)) }

// lastAt is the instant of the newest event, this batch's included.
func (b *batch) lastAt() time.Time {
	if n := len(b.events); n > 0 {
		return b.events[n-1].At
	}
	return b.w.lastAt
}

// empty reports whether there is nothing to write.
func (b *batch) empty() bool { return len(b.events) == 0 && b.box == nil && len(b.rows) == 0 }

// add carries out one request on the batch.
func (b *batch) add(r *request) {
	if r.swap != nil {
		b.swap = r
		return
	}
	b.reqs = append(b.reqs, r)
	if r.mark != nil {
		if b.box == nil {
			b.box = b.w.b.outbox.state.edit()
		}
		r.mark.err = b.box.apply(r.mark, b.last(), b.now)
		return
	}
	if r.follow != nil {
		r.follow.err = b.follow(r.follow)
		return
	}
	refused := true
	for i, c := range r.cmds {
		rec, err := b.command(c)
		r.results[i] = plant.Result{Receipt: rec, Err: err}
		refused = refused && err != nil
	}
	if refused && b.w.b.o.Faults.EarlyRefusal {
		r.answer()
	}
}

// command decides one command, unless its ID is known already.
func (b *batch) command(c plant.Command) (plant.Receipt, error) {
	if len(c.ID) > plant.MaxCommandID {
		e := &plant.Error{Code: plant.CodeInvalid, Verb: c.Verb, Tag: c.Tag, Missing: "Idempotency-Key"}
		return plant.Receipt{}, e
	}
	if of := c.ID.Whole(); of != "" { // whichever of its items were accepted
		if _, digest, ok, err := b.known(of); err != nil {
			return plant.Receipt{}, trouble(plant.CodeInternal, c, err)
		} else if ok && digest != c.Digest {
			return plant.Receipt{}, trouble(plant.CodeKeyReused, c, nil)
		}
	}
	if c.ID != "" {
		if e, digest, ok, err := b.known(c.ID); err != nil {
			return plant.Receipt{}, trouble(plant.CodeInternal, c, err)
		} else if ok && digest != c.Digest {
			return plant.Receipt{}, trouble(plant.CodeKeyReused, c, nil)
		} else if ok {
			return plant.Receipt{Event: e, Repeated: true}, nil
		}
	}
	own := c.ID == ""
	if c.UUID == "" {
		c.UUID = b.w.b.o.NewUUID()
	}
	if own {
		c.ID = plant.CommandID(c.UUID)
	}
	e, x, err := b.decide(c)
	if err != nil {
		return plant.Receipt{}, err
	}
	return b.accept(c, e, x, own)
}

// decide runs the rules and applies their event to its spool; a panic in
// either is this command's misfortune alone, for neither has touched anything.
func (b *batch) decide(c plant.Command) (e plant.Event, x effect, err error) {
	defer func() {
		if p := recover(); p != nil {
			b.w.b.o.Log.Error("panic in a decision", "cmd", string(c.ID), "tag", string(c.Tag), "err", p)
			err = trouble(plant.CodeInternal, c, fmt.Errorf("panic: %v", p))
		}
	}()
	e, err = b.w.b.o.Decide(b.change, c, b.now)
	if err != nil {
		return e, x, err
	}
	e.Prev, e.Cmd = b.last(), c.ID
	e.Seq = e.Prev + 1
	if e.ID == "" {
		e.ID = c.UUID
	}
	e.At = b.now
	if sp, ok := b.change.Spool(e.Tag); ok && e.Tag != "" {
		e.PrevTag = sp.Last
	}
	return e, b.w.fold.next(b.change, &e), nil
}

// accept makes an event part of the batch.
func (b *batch) accept(c plant.Command, e plant.Event, x effect, own bool) (plant.Receipt, error) {
	prev := b.tip
	if b.w.b.o.Faults.DropLink {
		prev = link{}
	}
	rec, tip, err := encodeEntry(&e, c.Digest, own, prev)
	if err != nil {
		return plant.Receipt{}, trouble(plant.CodeInternal, c, err)
	}
	b.w.fold.put(b.change, &e, x)
	b.tip = tip
	b.index(c.ID)
	b.events, b.records, b.effects, b.digests = append(b.events, e), append(b.records, rec), append(b.effects, x), append(b.digests, c.Digest)
	if !own && !b.w.b.o.Faults.ForgetReceipts {
		b.claims = claimed(b.claims, c.ID, e.Seq, e.At)
	}
	return plant.Receipt{Event: e}, nil
}

// index makes the next event known by its command's ID, and by that of the batch.
func (b *batch) index(id plant.CommandID) {
	b.byID[id] = len(b.events)
	if of := id.Whole(); of != "" {
		b.byID[of] = len(b.events)
	}
}

// known finds the event a command ID came to before; for the ID of a batch, one
// of its items' events.
func (b *batch) known(id plant.CommandID) (e plant.Event, digest [32]byte, ok bool, err error) {
	if b.w.b.o.Faults.ForgetReceipts {
		return e, digest, false, nil
	}
	if i, ok := b.byID[id]; ok {
		return b.events[i], b.digests[i], true, nil
	}
	seq, ok := b.w.claims.byID[hashID(id)]
	if !ok {
		return e, digest, false, nil
	}
	x, err := b.w.b.entry(seq)
	if err != nil || x.event.Cmd != id && x.event.Cmd.Whole() != id {
		return e, digest, false, err
	}
	return x.event, x.digest, true, nil
}

// seal derives the snapshot and chooses the checkpoint rows to go along.
func (b *batch) seal(rows int) {
	b.snap = b.change.Done(b.last(), b.tip)
	b.dirty = b.w.dirty.plus(b.effects)
	n := min(rows, len(b.dirty))
	b.rows, b.dirty = b.dirty[:n:n], b.dirty[n:]
	if b.w.b.o.Faults.SkipOutbox && len(b.events) > 0 {
		if b.box == nil {
			b.box = b.w.b.outbox.state.edit()
		}
		b.box.s.cursor = b.last()
	}
	if b.box != nil {
		b.box.advance(b.last())
	}
}

// write puts the batch into a transaction.
func (b *batch) write(tx *bolt.Tx) error {
	j := tx.Bucket(bucketJournal)
	j.FillPercent = 0.95 // keys only grow
	for i := range b.events {
		if err := j.Put(seqKey(b.events[i].Seq), b.records[i]); err != nil {
			return fmt.Errorf("put event %d: %w", b.events[i].Seq, err)
		}
	}
	if err := b.writePeople(tx); err != nil {
		return err
	}
	spools := tx.Bucket(bucketSpools)
	for _, d := range b.rows {
		v, err := b.row(d.tag)
		if err == nil {
			err = spools.Put([]byte(d.tag), v)
		}
		if err != nil {
			return fmt.Errorf("put spool %s: %w", d.tag, err)
		}
	}
	if b.box != nil {
		if err := b.box.write(tx); err != nil {
			return fmt.Errorf("put outbox: %w", err)
		}
	}
	head, err := seal(b.head())
	if err != nil {
		return err
	}
	return tx.Bucket(bucketMeta).Put(keyHead, head)
}

// head is the end of the journal after this batch.
func (b *batch) head() *headRec {
	h := &headRec{Seq: uint64(b.last()), Checkpoint: uint64(b.last()), Cursor: uint64(b.w.b.outbox.state.cursor)}
	if b.tip != (link{}) {
		h.Link = b.tip[:]
	}
	if len(b.dirty) > 0 {
		h.Checkpoint = uint64(b.dirty[0].first - 1)
	}
	if b.box != nil {
		h.Cursor = uint64(b.box.s.cursor)
	}
	return h
}

// writePeople keeps the rows of workers and settings always up to date: they
// are few and change rarely.
func (b *batch) writePeople(tx *bolt.Tx) error {
	for i := range b.events {
		e := &b.events[i]
		if e.Import != nil && e.Import.Worker != nil {
			w := toWorkerRec(e.Import.Worker)
			v, err := seal(&w)
			if err == nil {
				err = tx.Bucket(bucketWorkers).Put(workerKey(e.Import.Worker.ID), v)
			}
			if err != nil {
				return fmt.Errorf("put worker %d: %w", e.Import.Worker.ID, err)
			}
		}
		if e.Setting == nil {
			continue
		}
		settings, key := tx.Bucket(bucketSettings), []byte(e.Setting.Key)
		var err error
		if e.Setting.Value == "" {
			err = settings.Delete(key)
		} else {
			err = settings.Put(key, append([]byte{recordV1}, e.Setting.Value...))
		}
		if err != nil {
			return fmt.Errorf("put setting %s: %w", e.Setting.Key, err)
		}
	}
	return nil
}

// row encodes a spool's checkpoint row as of this batch.
func (b *batch) row(tag plant.Tag) ([]byte, error) {
	r, ok := b.snap.Row(tag)
	if !ok {
		return nil, fmt.Errorf("no row in the snapshot")
	}
	at, _ := b.snap.Position(tag)
	taken := b.w.fold.taken[tag]
	for _, x := range b.effects {
		if x.taken && x.after.Tag == tag {
			taken = x.after.Last
		}
	}
	if r.Spool.Hold.Free() {
		taken = 0
	}
	return seal(&rowRec{Spool: toSpoolRec(r.Spool), Position: at, Taken: uint64(taken)})
}

// dirtyRow is a spool whose checkpoint row is behind since event first.
type dirtyRow struct {
	tag   plant.Tag
	first plant.Seq
}

// dirtySet are the dirty rows in order of first. The writer owns it.
type dirtySet struct {
	queue []dirtyRow
	in    map[plant.Tag]bool
}

func newDirtySet(q []dirtyRow) dirtySet {
	d := dirtySet{queue: q, in: make(map[plant.Tag]bool, len(q))}
	for _, r := range q {
		d.in[r.tag] = true
	}
	return d
}

// plus is the queue with the spools that effects changed; d stays as it is.
func (d *dirtySet) plus(effects []effect) []dirtyRow {
	q := d.queue // appended to in place: a batch that fails leaves nothing but room behind its end
	var fresh map[plant.Tag]bool
	for _, x := range effects {
		if x.after == nil || d.in[x.after.Tag] || fresh[x.after.Tag] {
			continue
		}
		if fresh == nil {
			fresh = map[plant.Tag]bool{}
		}
		fresh[x.after.Tag] = true
		q = append(q, dirtyRow{x.after.Tag, x.after.Last})
	}
	return q
}

// become takes over the state after a batch.
func (d *dirtySet) become(rows, queue []dirtyRow) {
	for _, r := range queue[max(0, len(d.queue)-len(rows)):] {
		d.in[r.tag] = true
	}
	for _, r := range rows {
		delete(d.in, r.tag)
	}
	d.queue = queue
}
