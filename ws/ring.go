package ws

import (
	"sort"
	"sync"
	"sync/atomic"

	"envivo/plant"
)

// entry is one streamed event, encoded. It is immutable once in the ring; sse
// is filled by the first SSE reader that needs it.
type entry struct {
	seq, prev plant.Seq
	frame     []byte
	event     plant.Event
	sse       atomic.Pointer[[]byte]
}

// spanBytes bounds what one socket is given in one write, so that the others
// of its shard need not wait for a reader that has much to catch up.
const spanBytes = 64 << 10

// ring holds the newest streamed events for cursors to read.
type ring struct {
	last atomic.Uint64 // newest streamed sequence

	mu      sync.Mutex
	entries []*entry // entry i is at i % len
	n       uint64   // entries ever put
	floor   plant.Seq
	// memo is the answer to the last question: most sockets stand at the same
	// place, and frames that travel together are joined once for all.
	memo struct {
		at, head, upto plant.Seq
		frames         []byte
	}
}

func newRing(size int) *ring { return &ring{entries: make([]*entry, size)} }

// head is the newest streamed sequence.
func (r *ring) head() plant.Seq { return plant.Seq(r.last.Load()) }

// begin tells an empty ring which event was streamed before its first one.
func (r *ring) begin(prev plant.Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.floor = prev
	r.last.Store(uint64(prev))
}

// put appends entries in order.
func (r *ring) put(fresh []*entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	size := uint64(len(r.entries))
	for _, e := range fresh {
		if old := r.entries[r.n%size]; old != nil {
			r.floor = old.seq
		}
		r.entries[r.n%size] = e
		r.n++
		r.last.Store(uint64(e.seq))
	}
}

// size is the number of entries held.
func (r *ring) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int(min(r.n, uint64(len(r.entries))))
}

// after gives at most limit entries behind at. It is false when at is older
// than the ring: entries may be missing and the journal must be asked.
func (r *ring) after(at plant.Seq, limit int) ([]*entry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.find(at, limit)
}

func (r *ring) find(at plant.Seq, limit int) ([]*entry, bool) {
	if at < r.floor {
		return nil, false
	}
	held := min(r.n, uint64(len(r.entries)))
	oldest := r.n - held
	size := uint64(len(r.entries))
	i := uint64(sort.Search(int(held), func(i int) bool { return r.entries[(oldest+uint64(i))%size].seq > at }))
	out := make([]*entry, 0, min(held-i, uint64(limit)))
	for ; i < held && len(out) < limit; i++ {
		out = append(out, r.entries[(oldest+i)%size])
	}
	return out, true
}

// frames joins the frames behind at, up to spanBytes or a single longer one;
// the result is shared and never written to. upto is the position after them.
func (r *ring) frames(at plant.Seq) (frames []byte, upto plant.Seq, covered bool) {
	if at >= r.head() {
		return nil, at, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := &r.memo; m.frames != nil && m.at == at && m.head == r.head() {
		return m.frames, m.upto, true
	}
	found, ok := r.find(at, 256)
	if !ok || len(found) == 0 {
		return nil, at, ok
	}
	frames, upto = join(found)
	r.memo.at, r.memo.head, r.memo.upto, r.memo.frames = at, r.head(), upto, frames
	return frames, upto, true
}

// join puts the frames of entries together, at most spanBytes of them.
func join(found []*entry) ([]byte, plant.Seq) {
	total, n := 0, 0
	for n < len(found) && (n == 0 || total+len(found[n].frame) <= spanBytes) {
		total += len(found[n].frame)
		n++
	}
	upto := found[n-1].seq
	if n == 1 {
		return found[0].frame, upto
	}
	out := make([]byte, 0, total)
	for _, e := range found[:n] {
		out = append(out, e.frame...)
	}
	return out, upto
}
