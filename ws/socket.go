package ws

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

// feed is what one socket follows. Only the holder of the socket's write turn
// calls it: a shard under the socket's mutex, or the socket's lane.
type feed interface {
	// next gives whole frames that follow what the socket was given so far, nil
	// when there are none. behind means they must be fetched. It never blocks.
	next() (frames []byte, behind bool)
	// fetch gets frames that next could not; it may block and may give nil.
	fetch() ([]byte, error)
	// beat is a heartbeat frame for the state last given by next.
	beat() []byte
	// leave is called once, when the socket is gone.
	leave()
}

const (
	readLimit  = 512      // bytes of a client's message
	messages   = 32       // messages a client may have sent ahead of one a tick
	writeChunk = 64 << 10 // bytes that must be taken within pace.patience
	sendBuffer = 64 << 10 // bytes the kernel may hold for a socket
)

// socket is one WebSocket connection. It stands between gorilla and the
// network: gorilla's own frames (pongs, close echoes) go through Write and
// never cut into ours.
type socket struct {
	net.Conn // the network; Write, Close and SetWriteDeadline are ours
	hub      *Hub
	ws       *websocket.Conn
	raw      syscall.RawConn // nil where there is no descriptor to try (TLS)
	feed     feed
	period   uint32 // ticks between beats
	live     *atomic.Int64
	owner    string // key of the setting that let it in, empty for none
	home     *shard
	slot     int // in home.sockets; guarded by home.mu

	silent atomic.Uint32 // ticks since the peer was last heard
	quota  atomic.Int32  // messages the peer may still send

	mu     sync.Mutex
	ahead  []byte // whole frames that go before the feed's: hello, pongs
	lane   bool   // a goroutine of its own has the write turn
	code   int    // close code to be sent; 0 while open
	parted bool   // the close frame is out, or nothing can be written any more
	beat   bool   // due
	ping   bool   // due
	ticks  uint32
	// try's argument and results; attempt is try's body, made once so that a
	// write allocates nothing.
	out     []byte
	sent    int
	failed  error
	attempt func(fd uintptr) bool
}

// connect upgrades an admitted request. On false the request has been answered
// and is no longer admitted.
func (h *Hub) connect(w http.ResponseWriter, r *http.Request, period uint32, live *atomic.Int64) (*socket, bool) {
	s := &socket{hub: h, period: period, live: live, owner: h.owner(r)}
	s.attempt = s.writeRaw
	s.quota.Store(messages)
	c, err := h.upgrade.Upgrade(hijacker{w, s}, r, nil)
	if err != nil {
		h.open.Done()
		h.o.Log.Debug("a socket was not opened", "err", err)
		return nil, false
	}
	c.SetReadLimit(readLimit)
	c.SetPongHandler(func(string) error { s.silent.Store(0); s.charge(); return nil })
	answer := c.PingHandler()
	c.SetPingHandler(func(data string) error {
		if !s.charge() {
			return nil
		}
		return answer(data)
	})
	s.ws = c
	return s, true
}

// hijacker hands gorilla the socket instead of the bare connection.
type hijacker struct {
	http.ResponseWriter
	s *socket
}

// Hijack takes the connection over from the HTTP server.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.s.Conn = c
	h.s.raw = rawConn(c)
	if b, ok := c.(interface{ SetWriteBuffer(int) error }); ok {
		// A reader that stalls must be noticed after kilobytes, not megabytes.
		// Failing to limit it is harmless.
		_ = b.SetWriteBuffer(sendBuffer)
	}
	return h.s, rw, nil
}

// start lets the socket follow a feed, after the frames in ahead. The caller
// returns to the HTTP server right after, which frees its goroutine and
// buffers: the reader is a new goroutine with a small stack.
func (s *socket) start(f feed, ahead []byte) {
	s.mu.Lock()
	s.feed = f
	s.ahead = append(s.ahead, ahead...)
	s.mu.Unlock()
	s.live.Add(1)
	s.hub.adopt(s)
	go s.read()
	if s.hub.stopped() { // Shutdown may have passed before the shard knew us
		s.shut(websocket.CloseServiceRestart)
	}
	if s.hub.shutOut(s.owner) { // likewise evict
		s.shut(CloseRevoked)
	}
}

// deny closes a socket that will not follow anything.
func (s *socket) deny(code int) {
	s.mu.Lock()
	s.feed = silence{}
	s.mu.Unlock()
	s.live.Add(1)
	s.hub.adopt(s)
	go s.read()
	s.shut(code)
}

// silence is the feed of a socket that is only being closed.
type silence struct{}

func (silence) next() ([]byte, bool)   { return nil, false }
func (silence) fetch() ([]byte, error) { return nil, nil }
func (silence) beat() []byte           { return nil }
func (silence) leave()                 {}

// read hears the peer until the connection ends, then clears up.
func (s *socket) read() {
	defer s.hub.open.Done()
	for {
		_, msg, err := s.ws.ReadMessage()
		if err != nil {
			break
		}
		s.silent.Store(0)
		if !s.charge() {
			continue
		}
		if pinged(msg) {
			s.mu.Lock()
			s.beat = true
			s.serve()
			s.mu.Unlock()
		}
	}
	s.mu.Lock()
	s.parted = true
	s.mu.Unlock()
	s.cut()
	s.home.drop(s)
	s.feed.leave()
	s.live.Add(-1)
}

// charge counts a frame of the peer, control frames too. It is false, and the
// socket is being closed, when there were too many.
func (s *socket) charge() bool {
	if s.quota.Add(-1) >= 0 {
		return true
	}
	s.shut(websocket.ClosePolicyViolation)
	return false
}

// tick is called by the shard once per pace.tick.
func (s *socket) tick() {
	p := &s.hub.pace
	if s.silent.Add(1) > p.deaf {
		s.cut()
		return
	}
	if s.quota.Load() < messages {
		s.quota.Add(1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ticks++
	s.beat = s.beat || s.ticks%s.period == 0
	s.ping = s.ping || s.ticks%p.ping == 0
	s.serve()
}

// news is called by the shard after a publication.
func (s *socket) news() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serve()
}

// serve writes what there is for the socket, as far as the kernel takes it at
// once. It needs mu.
func (s *socket) serve() {
	for !s.lane {
		b, behind := s.pick()
		if behind {
			s.detour(nil)
			return
		}
		if b == nil {
			return
		}
		n, err := s.try(b)
		if err != nil {
			s.parted = true
			s.cut()
			return
		}
		if n < len(b) {
			s.detour(b[n:])
		}
	}
}

// pick chooses what goes out next. It needs mu.
func (s *socket) pick() (frames []byte, behind bool) {
	if s.parted {
		return nil, false
	}
	if len(s.ahead) > 0 {
		frames, s.ahead = s.ahead, nil
		return frames, false
	}
	if s.code != 0 {
		s.parted = true
		return closeFrame(s.code), false
	}
	if s.feed == nil {
		return nil, false
	}
	if frames, behind = s.feed.next(); frames != nil || behind {
		return frames, behind
	}
	if s.beat {
		s.beat = false
		return s.feed.beat(), false
	}
	if s.ping {
		s.ping = false
		return controlFrame(websocket.PingMessage, nil), false
	}
	return nil, false
}

// try writes without waiting. It needs mu and the write turn.
func (s *socket) try(b []byte) (int, error) {
	if s.raw == nil {
		return 0, nil
	}
	s.out, s.sent, s.failed = b, 0, nil
	err := s.raw.Write(s.attempt)
	s.out = nil
	if err == nil {
		err = s.failed
	}
	return s.sent, err
}

// detour gives the write turn to a lane. It needs mu.
func (s *socket) detour(rest []byte) {
	s.lane = true
	s.hub.open.Add(1)
	s.hub.count.lanes.Add(1)
	go func() {
		defer s.hub.open.Done()
		s.drive(rest)
	}()
}

// drive is the lane: it writes, waiting as long as it must, until the socket
// has caught up; then the shard has the turn again.
func (s *socket) drive(b []byte) {
	defer s.hub.count.lanes.Add(-1)
	for {
		if err := s.push(b); err != nil {
			s.mu.Lock()
			s.parted, s.lane = true, false
			s.mu.Unlock()
			s.cut()
			return
		}
		var behind bool
		s.mu.Lock()
		b, behind = s.pick()
		if b == nil && !behind {
			// Under mu: news that came before was picked, news that comes later
			// finds the turn free.
			s.lane = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		if behind {
			var err error
			if b, err = s.feed.fetch(); err != nil {
				s.hub.o.Log.Error("a socket could not catch up", "err", err)
				s.mark(websocket.CloseInternalServerErr)
			}
		}
	}
}

// push writes all of b. A piece that is not taken in time dooms the socket:
// what is being written may still arrive, with the close code behind it, while
// the grace lasts.
func (s *socket) push(b []byte) error {
	for len(b) > 0 {
		piece := b[:min(len(b), writeChunk)]
		late := time.AfterFunc(s.hub.pace.patience, func() {
			if s.mark(CloseSlow) {
				s.hub.count.slow.Add(1)
			}
		})
		_, err := s.Conn.Write(piece)
		late.Stop()
		if err != nil {
			return err
		}
		b = b[len(piece):]
	}
	return nil
}

// mark decides that the socket shall be closed with code and gives it
// pace.grace until it is cut. It is false when that was decided before.
func (s *socket) mark(code int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code != 0 || s.parted {
		return false
	}
	s.code = code
	time.AfterFunc(s.hub.pace.grace, s.cut)
	return true
}

// shut closes the socket politely.
func (s *socket) shut(code int) {
	s.mark(code)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serve()
}

// cut ends the connection; the reader clears up.
func (s *socket) cut() { _ = s.Conn.Close() } // nothing to do about a failing close

// Write is for gorilla: the handshake's answer and whole control frames.
func (s *socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	if s.parted {
		s.mu.Unlock()
		return len(p), nil
	}
	if len(s.ahead) < 4*readLimit { // a peer may not pile up pongs it does not read
		s.ahead = append(s.ahead, p...)
	}
	if s.raw != nil || s.lane {
		s.serve()
		s.mu.Unlock()
		return len(p), nil
	}
	// Without a descriptor the caller, the socket's reader, drives the lane: a
	// close echo is then on the wire before the reader hangs up.
	s.lane = true
	s.mu.Unlock()
	s.hub.count.lanes.Add(1)
	s.drive(nil)
	return len(p), nil
}

// Close is for gorilla.
func (s *socket) Close() error { return s.Conn.Close() }

// SetWriteDeadline is for gorilla, whose writes never wait.
func (s *socket) SetWriteDeadline(time.Time) error { return nil }
