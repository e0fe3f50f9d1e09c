package ws

import (
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"envivo/plant"
)

// maxMarks is how many past states of a view a page may come back with.
const maxMarks = 2048

// instance is one view: its last good drawing and since when each item has
// been as it is. States are numbered from 1; that number is internal, because
// it means nothing after a restart. Outside a state is named by its digest: a
// page that shows exactly what the view shows now is up to date, however it
// got there.
type instance struct {
	views *Views
	name  string
	page  Page

	// Guarded by Views.mu.
	readers int
	turn    uint64
	idle    time.Time // since when nobody used it; zero until noticed

	drawing sync.Mutex // held while the page is drawn; never while sending

	// num and faults copy the fields below so that a socket with nothing to do
	// takes no lock.
	num, faults atomic.Uint64

	mu      sync.Mutex
	snap    *plant.Snapshot
	due     time.Time // when the clock alone may change the view
	regions []Region
	states  []*regionState
	rev     uint64
	floor   uint64 // states before this one can no longer be patched
	marks   []mark // of states floor..rev, ascending
	failing bool
	failed  uint64            // how often drawing began or ceased to fail
	patches map[uint64][]byte // frames to rev, by the state they start from
}

type mark struct {
	digest, rev uint64
}

// refresh brings the instance to the current snapshot and clock.
func (in *instance) refresh() error {
	in.drawing.Lock()
	defer in.drawing.Unlock()
	h := in.views.hub
	snap, now := h.o.Source.Snapshot(), h.o.Now()
	if in.fresh(snap, now) {
		return nil
	}
	due := in.views.next(snap, now)
	h.count.renders.Add(1)
	regions, err := in.draw(snap, now)
	if err == nil {
		err = checkKeys(regions)
	}
	changed := false
	if err != nil {
		h.count.renderErrors.Add(1)
		changed = in.fail(err)
		err = fmt.Errorf("draw view %q at %d: %w", in.name, snap.Seq, err)
	} else {
		changed = in.accept(regions, snap, due)
	}
	if changed {
		h.wake()
	}
	return err
}

func (in *instance) fresh(snap *plant.Snapshot, now time.Time) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return !in.failing && in.snap != nil && in.snap.Seq == snap.Seq && in.snap.Epoch == snap.Epoch && now.Before(in.due)
}

// draw calls the page. A page that panics must not take the box down with it:
// the floor works without screens.
func (in *instance) draw(snap *plant.Snapshot, now time.Time) (out []Region, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return in.page(snap, now)
}

// fail notes that drawing failed and reports whether the readers must be told.
func (in *instance) fail(err error) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.failing {
		return false
	}
	in.failing = true
	in.failed++
	in.faults.Store(in.failed)
	in.views.hub.o.Log.Error("a view cannot be drawn; its readers keep the last state", "view", in.name, "err", err)
	return true
}

// accept takes a drawing over and reports whether the readers must be told.
func (in *instance) accept(regions []Region, snap *plant.Snapshot, due time.Time) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	recovered := in.failing
	if recovered {
		in.failing = false
		in.failed++
		in.faults.Store(in.failed)
		in.views.hub.o.Log.Info("a view is drawn again", "view", in.name)
	}
	in.snap, in.due, in.regions = snap, due, regions
	rev := in.rev + 1
	if !in.sameShape(regions) {
		in.states = make([]*regionState, len(regions))
		for i, r := range regions {
			in.states[i] = &regionState{id: r.ID}
			in.states[i].update(r.Items, rev)
		}
		in.floor, in.marks = rev, in.marks[:0]
		in.advance(rev)
		return rev > 1 || recovered
	}
	changed := false
	for i, r := range regions {
		changed = in.states[i].update(r.Items, rev) || changed
	}
	if changed {
		in.advance(rev)
	}
	return changed || recovered
}

func (in *instance) sameShape(regions []Region) bool {
	if in.rev == 0 || len(in.states) != len(regions) {
		return false
	}
	for i, r := range regions {
		if in.states[i].id != r.ID {
			return false
		}
	}
	return true
}

// advance makes rev the current state. It needs mu.
func (in *instance) advance(rev uint64) {
	in.rev = rev
	clear(in.patches)
	if len(in.marks) == maxMarks {
		drop := maxMarks / 4
		in.marks = append(in.marks[:0], in.marks[drop:]...)
		in.floor = in.marks[0].rev
		for _, st := range in.states {
			st.forget(in.floor)
		}
	}
	in.marks = append(in.marks, mark{in.digest(), rev})
	in.num.Store(rev)
}

// digest names the current state by its content: regions, order, keys, HTML.
func (in *instance) digest() uint64 {
	d := fnvStart
	for _, st := range in.states {
		d = fnvWord(fnvText(d, st.id), st.sum)
	}
	return d
}

// at finds the newest state a page's rev stands for. It needs mu.
func (in *instance) at(rev string) (uint64, bool) {
	digest, err := strconv.ParseUint(rev, 16, 64)
	if err != nil {
		return 0, false
	}
	for i := len(in.marks) - 1; i >= 0; i-- {
		if in.marks[i].digest == digest {
			return in.marks[i].rev, true
		}
	}
	return 0, false
}

// name of the current state for the outside; empty before the first drawing.
// It needs mu.
func (in *instance) revText() string {
	if len(in.marks) == 0 {
		return ""
	}
	return fmt.Sprintf("%016x", in.marks[len(in.marks)-1].digest)
}

func (in *instance) rendering() Rendering {
	in.mu.Lock()
	defer in.mu.Unlock()
	return Rendering{Regions: in.regions, Epoch: in.snap.Epoch, Seq: in.snap.Seq, Rev: in.revText()}
}

// patch is the frame that brings a page from one state to the current one, made
// once for all sockets that need it; nil when the state is too old. It needs mu.
func (in *instance) patch(from uint64) []byte {
	if from < in.floor {
		return nil
	}
	if p := in.patches[from]; p != nil {
		return p
	}
	m := patchMessage{Kind: "patch", Seq: in.snap.Seq, Rev: in.revText(), Regions: []patchRegion{}}
	for _, st := range in.states {
		if p, ok := st.patch(from); ok {
			m.Regions = append(m.Regions, p)
		}
	}
	if in.patches == nil {
		in.patches = make(map[uint64][]byte)
	}
	f := message(m)
	in.patches[from] = f
	return f
}
