package ws

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"envivo/plant"
)

// Source is the committed plant, as the hub needs it.
type Source interface {
	// Snapshot is never older than an event that Tail or Events has given out.
	Snapshot() *plant.Snapshot
	// Tail gives committed events after a sequence, in order, then waits for news.
	Tail(ctx context.Context, after plant.Seq) iter.Seq2[[]plant.Event, error]
	// Events gives at most limit committed events after a sequence, at once.
	Events(ctx context.Context, after plant.Seq, limit int) ([]plant.Event, error)
}

// Options configure a Hub. Source, Encode, EncodeSSE, Resolve, Now and Log are
// required; zero numbers take the defaults named.
type Options struct {
	Source Source
	// Encode is the whole JSON object of an event of the events stream. Prev is
	// already the streamed predecessor. It must depend on the event alone, since
	// a resumed client gets it from another call than its neighbour.
	Encode func(plant.Event) []byte
	// EncodeSSE is the data of each message an event becomes on the SSE stream.
	EncodeSSE func(plant.Event) [][]byte
	// Resolve finds the page of a view; an error means there is none.
	Resolve func(view string) (Page, error)
	// Owner is the key of the setting that lets a request in, empty for none; nil
	// means that none has one. When the setting is removed, the streams of its
	// owner end with CloseRevoked.
	Owner func(*http.Request) string
	// Build identifies the binary to the pages.
	Build string
	// Ring is how many encoded events are kept in memory (1024).
	Ring int
	// Resume is how many events back a client may resume (20,000).
	Resume int
	// MaxViews bounds the views kept while nobody follows them (256).
	MaxViews int
	// Now is the box's clock.
	Now func() time.Time
	Log *slog.Logger
}

// pace holds the hub's durations; tests shorten them.
type pace struct {
	tick     time.Duration // a shard looks at every socket this often
	beat     uint32        // ticks between beats on the events stream
	viewBeat uint32        // ticks between beats on a view's socket
	ping     uint32        // ticks between pings
	deaf     uint32        // ticks without a sign of life before a cut
	patience time.Duration // how long a write of at most writeChunk may take
	grace    time.Duration // how long a close frame may take before the cut
	gap      time.Duration // between two renderings after news
	linger   time.Duration // how long a view stays without readers
	comment  time.Duration // between comment pings on SSE
	drop     time.Duration // how long an SSE reader may take nothing
}

func defaultPace() pace {
	return pace{tick: time.Second, beat: 15, viewBeat: 5, ping: 25, deaf: 60, patience: 10 * time.Second, grace: 5 * time.Second,
		gap: 50 * time.Millisecond, linger: 2 * time.Minute, comment: 15 * time.Second, drop: 30 * time.Second}
}

// Hub serves every live stream of the box. Make it with New, start Run, and
// mount the Serve methods; they may be called before Run and wait for it.
type Hub struct {
	o     Options
	pace  pace
	ring  *ring
	views *Views
	// shards share all sockets; a new socket goes to the next in turn.
	shards  []*shard
	turn    atomic.Uint32
	upgrade websocket.Upgrader

	ready chan struct{} // closed when the ring stands at the journal's head
	stop  chan struct{} // closed when the hub takes no more sockets
	gate  sync.Mutex    // orders admissions and the closing of stop
	// life ends with Run: catching up from the journal outlives the request
	// that opened the socket.
	life context.Context
	end  context.CancelFunc
	open sync.WaitGroup // admitted streams and lanes

	news news
	cuts news // told when a setting was removed; SSE readers look whether it was theirs

	count counters
	// seam is called between the last read of the journal and going live, and
	// late turns the hub into the classic bug (subscribe after reading
	// history). Tests set them to prove that their checks can fail.
	seam func()
	late bool
}

// New makes a hub that does nothing until Run.
func New(o Options) *Hub {
	if o.Ring <= 0 {
		o.Ring = 1024
	}
	if o.Resume <= 0 {
		o.Resume = 20_000
	}
	if o.MaxViews <= 0 {
		o.MaxViews = 256
	}
	h := &Hub{o: o, pace: defaultPace(), ring: newRing(o.Ring), ready: make(chan struct{}), stop: make(chan struct{}),
		upgrade: websocket.Upgrader{Subprotocols: []string{"envivo.v1"}, ReadBufferSize: 256, WriteBufferSize: 256, WriteBufferPool: new(sync.Pool)}}
	h.life, h.end = context.WithCancel(context.Background())
	h.news.c, h.cuts.c = make(chan struct{}), make(chan struct{})
	for range min(runtime.GOMAXPROCS(0), 4) {
		h.shards = append(h.shards, &shard{wake: make(chan struct{}, 1)})
	}
	h.views = newViews(h)
	return h
}

// Views are the live views of the pages.
func (h *Hub) Views() *Views { return h.views }

// Run follows the journal until ctx ends or the journal fails; then every
// socket is cut. Call Shutdown first to part politely.
func (h *Hub) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer func() {
		cancel()
		h.refuse()
		h.end()
		workers.Wait()
		h.each(func(s *socket) { s.cut() })
		h.open.Wait()
	}()
	at, err := h.prime(ctx)
	if ctx.Err() != nil {
		return nil // asked to stop before it began
	}
	if err != nil {
		return fmt.Errorf("read the journal's end: %w", err)
	}
	h.count.seen.Store(uint64(at))
	close(h.ready)
	for _, sh := range h.shards {
		workers.Go(func() { sh.run(ctx, h) })
	}
	workers.Go(func() { h.views.run(ctx) })
	for batch, err := range h.o.Source.Tail(ctx, at) {
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("follow the journal after %d: %w", h.ring.head(), err)
		}
		h.publish(batch)
		if n := len(batch); n > 0 {
			h.count.seen.Store(uint64(batch[n-1].Seq))
		}
	}
	if ctx.Err() == nil {
		return fmt.Errorf("follow the journal after %d: the tail ended", h.ring.head())
	}
	return nil
}

// prime fills the ring with the newest events, so that clients coming back
// after a restart are served from memory, and returns where the tail begins.
func (h *Hub) prime(ctx context.Context) (plant.Seq, error) {
	head := h.o.Source.Snapshot().Seq
	at := head - min(head, plant.Seq(h.o.Ring))
	first := true
	for at < head {
		batch, err := h.o.Source.Events(ctx, at, journalPage)
		if err != nil {
			return 0, err
		}
		if len(batch) == 0 {
			break
		}
		if first {
			prev, err := h.streamedBefore(ctx, batch[0].Prev)
			if err != nil {
				return 0, err
			}
			h.ring.begin(prev)
			first = false
		}
		h.ring.put(h.entries(batch, h.ring.head()))
		at = batch[len(batch)-1].Seq
	}
	return at, nil
}

// publish puts committed events into the ring and wakes everybody.
func (h *Hub) publish(batch []plant.Event) {
	h.count.published.Store(h.o.Now().UnixNano())
	if fresh := h.entries(batch, h.ring.head()); len(fresh) > 0 {
		h.ring.put(fresh)
		h.wake()
		h.news.tell()
	}
	h.views.poke()
	h.evict(batch)
}

// evict ends the streams of owners that these events shut out. A stream that is
// being opened meanwhile looks for itself, see start: the snapshot it then asks
// is at least as new as these events.
func (h *Hub) evict(batch []plant.Event) {
	for _, e := range batch {
		if e.Setting == nil || e.Setting.Value != "" {
			continue
		}
		h.each(func(s *socket) {
			if s.owner == e.Setting.Key {
				s.shut(CloseRevoked)
			}
		})
		h.cuts.tell()
	}
}

// owner is whose stream a request opens.
func (h *Hub) owner(r *http.Request) string {
	if h.o.Owner == nil {
		return ""
	}
	return h.o.Owner(r)
}

// shutOut reports whether an owner's setting is gone.
func (h *Hub) shutOut(owner string) bool {
	return owner != "" && h.o.Source.Snapshot().Setting(owner) == ""
}

func (h *Hub) wake() {
	for _, sh := range h.shards {
		sh.poke()
	}
}

// each calls f for every socket, a shard at a time.
func (h *Hub) each(f func(*socket)) {
	for _, sh := range h.shards {
		sh.mu.Lock()
		all := append([]*socket(nil), sh.sockets...)
		sh.mu.Unlock()
		for _, s := range all {
			f(s)
		}
	}
}

func (h *Hub) refuse() {
	h.gate.Lock()
	defer h.gate.Unlock()
	if !h.stopped() {
		close(h.stop)
	}
}

func (h *Hub) stopped() bool {
	select {
	case <-h.stop:
		return true
	default:
		return false
	}
}

// Shutdown refuses new sockets, closes the open ones with 1012 and waits until
// they are gone or ctx ends; whoever is left then is cut.
func (h *Hub) Shutdown(ctx context.Context) error {
	h.refuse()
	h.each(func(s *socket) { s.shut(websocket.CloseServiceRestart) })
	gone := make(chan struct{})
	go func() {
		h.open.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		h.each(func(s *socket) { s.cut() })
		return fmt.Errorf("close the sockets: %w", ctx.Err())
	}
}

// admit reports whether a stream may be opened, waiting for the hub's start,
// and answers 503 otherwise. An admitted stream is counted in open until it
// calls open.Done.
func (h *Hub) admit(w http.ResponseWriter, r *http.Request) bool {
	select {
	case <-h.ready:
	case <-h.stop:
	case <-r.Context().Done():
		return false
	}
	h.gate.Lock()
	defer h.gate.Unlock()
	if h.stopped() {
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(http.StatusServiceUnavailable)
		return false
	}
	h.open.Add(1)
	return true
}

// news lets any number of goroutines wait for the next publication.
type news struct {
	mu sync.Mutex
	c  chan struct{}
}

// next is closed at the next publication. Take it before looking at the ring.
func (n *news) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.c
}

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.c)
	n.c = make(chan struct{})
}
