package store

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"

	"envivo/plant"
)

// writer is the one goroutine that changes the file. It owns every field.
type writer struct {
	b      *Bolt
	snap   *plant.Snapshot
	lastAt time.Time // of the newest event
	fold   fold
	dirty  dirtySet
	claims claims
	// next was taken from the queue but did not fit into the batch.
	next *request
	idle *time.Timer
	// moved are the spools whose rows were written during a compaction.
	moved map[plant.Tag]bool
}

const (
	// idleAfter is how long the writer waits for work before it uses the time
	// to bring a checkpoint forward that is an eighth of Replay behind.
	idleAfter = time.Second
	// idleRows is how many rows one such transaction takes.
	idleRows = 512
	// ringEvents is how many events, at least, tails find in memory.
	ringEvents = 4096
)

func newWriter(b *Bolt, l *loader) *writer {
	w := &writer{b: b, snap: l.snap, lastAt: l.lastAt, fold: l.fold, dirty: newDirtySet(l.dirty), claims: newClaims(l.claims)}
	w.idle = time.NewTimer(idleAfter)
	return w
}

// run is the writer's life. It ends on stop, with the queue drained, or when
// nobody knows any more what is on disk.
func (w *writer) run() {
	defer close(w.b.finished)
	defer w.idle.Stop()
	for {
		batch, more := w.gather()
		if !more {
			break
		}
		err := w.commit(batch)
		if s := batch.swap; s != nil && err == nil {
			err = w.swap(s.swap)
			s.answer()
		}
		if err != nil {
			w.fail(err)
			return
		}
	}
	for len(w.dirty.queue) > 0 {
		if err := w.rest(); err != nil {
			w.b.o.Log.Error("last checkpoint", "err", err)
			return
		}
	}
}

// gather waits for the first request and takes along what else is there, up to
// Batch commands, without waiting for more.
func (w *writer) gather() (*batch, bool) {
	first := w.next
	w.next = nil
	if first == nil {
		var idle <-chan time.Time
		if w.behind() >= max(1, w.b.o.Replay/8) {
			w.idle.Reset(idleAfter)
			idle = w.idle.C
		}
		select {
		case first = <-w.b.queue:
		case <-idle:
			b := w.newBatch()
			b.seal(idleRows)
			return b, true
		case <-w.b.stop:
			select {
			case first = <-w.b.queue:
			default:
				return nil, false
			}
		}
	}
	b := w.newBatch()
	n := first.weight()
	b.add(first)
	for n < w.b.o.Batch && w.next == nil && b.swap == nil {
		select {
		case r := <-w.b.queue:
			if n += r.weight(); n > w.b.o.Batch {
				w.next = r
				break
			}
			b.add(r)
		default:
			n = w.b.o.Batch
		}
	}
	b.seal(w.rowsDue(len(b.events)))
	return b, true
}

// rowsDue is how many checkpoint rows should go along with a batch: none while
// the replay is short, then somewhat more than become dirty.
func (w *writer) rowsDue(events int) int {
	if events == 0 || w.behind() <= w.b.o.Replay {
		return 0
	}
	return events + events/2 + 1
}

// rest writes some of the last rows of a store that is being closed.
func (w *writer) rest() error {
	b := w.newBatch()
	b.seal(idleRows)
	before := len(w.dirty.queue)
	if err := w.commit(b); err != nil {
		return err
	}
	if len(w.dirty.queue) == before {
		return errors.New("no room for the checkpoint; the journal has it all")
	}
	return nil
}

// commit makes a batch durable, then visible, then answers. An error means that
// the outcome is unknown; everybody has been told.
func (w *writer) commit(b *batch) error {
	if b.empty() {
		b.answer()
		return nil
	}
	f := w.b.o.Faults
	if f.AnswerBeforeCommit {
		b.answer()
	}
	f.at(BeforeCommit)
	began := w.b.o.Now()
	err := f.commit(func() error { return w.b.file().Update(b.write) })
	took := w.b.o.Now().Sub(began)
	if err != nil {
		return w.failed(b, err)
	}
	w.adopt(b)
	w.b.stats.committed(w, b, took)
	w.b.o.Log.Debug("commit", "seq", uint64(w.snap.Seq), "batch", len(b.events), "dur", took)
	f.at(BeforePublish)
	if f.PublishAfterAnswer {
		f.at(BeforeAnswer)
		b.answer()
		f.at(AfterAnswer)
		w.publish(b)
		return nil
	}
	w.publish(b)
	f.at(BeforeAnswer)
	b.answer()
	f.at(AfterAnswer)
	return nil
}

// failed sorts out a transaction that reported an error. When the disk is full
// or was made read-only bbolt has rolled back: the end of the journal proves
// it, and the writer goes on, so that everybody can still read. After anything
// else nobody knows.
func (w *writer) failed(b *batch, err error) error {
	if (diskFull(err) || ungrown(err) || errors.Is(err, syscall.EROFS)) && w.untouched() {
		w.b.stats.full.Add(1)
		w.b.o.Log.Error("the disk takes nothing", "batch", len(b.events), "err", err)
		b.refuse(plant.CodeFull, err)
		return nil
	}
	b.refuse(plant.CodeUnknownOutcome, err)
	return fmt.Errorf("commit after event %d: outcome unknown: %w", w.snap.Seq, err)
}

// ungrown reports that the file could not be made longer because there is no room
// for it. bbolt does this before it writes the first page of a commit, and tells
// what the system said in words only. Anything else the system may say there, an
// input/output error above all, is no proof of anything.
func ungrown(err error) bool {
	_, said, ok := strings.Cut(err.Error(), "file resize error: ")
	if !ok {
		return false
	}
	for _, full := range []error{syscall.ENOSPC, syscall.EFBIG} {
		if strings.HasSuffix(said, ": "+full.Error()) {
			return true
		}
	}
	return false
}

// untouched reports whether the file still ends where the snapshot does.
func (w *writer) untouched() bool {
	var m fileMeta
	err := guarded(func() error {
		return w.b.file().View(func(tx *bolt.Tx) (err error) {
			m, err = readFileMeta(tx)
			return err
		})
	})
	return err == nil && plant.Seq(m.head.Seq) == w.snap.Seq && m.head.link() == link(w.snap.Head)
}

// fail ends the writer. Whoever still waits in the queue finds out by finished.
func (w *writer) fail(err error) {
	w.b.o.Log.Error("the writer stops", "err", err)
	if w.next != nil {
		w.next.refuse(plant.CodeBusy, ErrClosed)
	}
	w.b.failed <- err
}

// adopt makes a durable batch the writer's own state.
func (w *writer) adopt(b *batch) {
	w.snap = b.snap
	for _, x := range b.effects {
		w.fold.hold(x)
	}
	for _, c := range b.claims {
		w.claims.add(c)
	}
	if n := len(b.events); n > 0 {
		w.lastAt = b.events[n-1].At
		w.claims.expire(b.now, w.snap.Seq)
	}
	w.dirty.become(b.rows, b.dirty)
	if !w.b.compacting.Load() {
		return
	}
	if w.moved == nil {
		w.moved = map[plant.Tag]bool{}
	}
	for _, r := range b.rows {
		w.moved[r.tag] = true
	}
}

// publish shows a durable batch to readers: outbox, snapshot and ring, then the
// sleeping tails are woken.
func (w *writer) publish(b *batch) {
	if b.box != nil {
		w.b.outbox.mu.Lock()
		w.b.outbox.state = b.box.s
		w.b.outbox.mu.Unlock()
	}
	if len(b.events) == 0 {
		return
	}
	old := w.b.now.Load()
	next := &published{snap: b.snap, recent: ring(old.recent, b.events), wake: make(chan struct{})}
	if w.b.o.Faults.WakeBeforePublish {
		w.b.now.Store(&published{snap: old.snap, recent: next.recent, wake: next.wake})
		close(old.wake)
		w.b.o.Faults.at(BeforeAnswer)
		w.b.now.Store(next)
		return
	}
	w.b.now.Store(next)
	close(old.wake)
}

// ring appends a batch and drops old ones while ringEvents remain.
func ring(old [][]plant.Event, events []plant.Event) [][]plant.Event {
	n := len(events)
	for _, b := range old {
		n += len(b)
	}
	drop := 0
	for drop < len(old) && n-len(old[drop]) >= ringEvents {
		n -= len(old[drop])
		drop++
	}
	out := make([][]plant.Event, 0, len(old)-drop+1)
	return append(append(out, old[drop:]...), events)
}

// answer settles every request of the batch, refusals too: they may rest on a
// neighbour that is only now durable.
func (b *batch) answer() {
	for _, r := range b.reqs {
		r.answer()
	}
}

// refuse settles every request with one error, except repeats of commands that
// had been on disk before: those hold in any case.
func (b *batch) refuse(code plant.Code, cause error) {
	for _, r := range b.reqs {
		for i := range r.results {
			if rec := r.results[i].Receipt; !rec.Repeated || rec.Event.Seq > b.w.snap.Seq {
				r.results[i] = plant.Result{Err: trouble(code, r.cmds[i], cause)}
			}
		}
		if r.mark != nil {
			r.mark.err = trouble(code, plant.Command{}, cause)
		}
		r.answer()
	}
}
