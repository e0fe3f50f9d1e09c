package ws

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"envivo/plant"
	"envivo/store/storetest"
)

// until waits for something another goroutine brings about.
func until(t *testing.T, what string, true func() bool) {
	t.Helper()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(20 * time.Second)
	for !true() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("in vain waited until %s", what)
		}
	}
}

// text is the next message as it travelled.
func text(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, b, err := c.ReadMessage()
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return string(b)
}

func ping(t testing.TB, c *websocket.Conn) {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"kind":"ping"}`)); err != nil {
		t.Fatalf("ping: %v", err)
	}
}

// another runs a second hub over the box's plant: the program after a restart.
func (b *box) another(o Options) *box {
	b.t.Helper()
	h := New(o)
	mux := http.NewServeMux()
	mux.HandleFunc("/ws", h.ServeWS)
	srv := httptest.NewServer(mux)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	b.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Errorf("run = %v", err)
		}
		srv.Close()
	})
	return &box{t: b.t, hub: h, store: b.store, url: srv.URL, clock: b.clock}
}

// what is the encoding of an event in these tests.
func what(e plant.Event) []byte {
	return fmt.Appendf(nil, `{"kind":"event","seq":%d,"prev":%d,"what":%q}`, e.Seq, e.Prev, e.Kind)
}

// Settings stand at the beginning, in runs, at the edge of the ring and at the
// end. Whoever reads, live or coming back to any place, from the ring, from the
// journal or from the program's next run, gets the same bytes for the same
// event, and a beat that names the last of them.
func TestEveryReaderGetsTheSameEventsAndNeverASetting(t *testing.T) {
	b := newBox(t, func(h *Hub) { h.o.Encode = what })
	live := b.dial("/ws?after=0")
	b.read(live)
	for i := range 12 {
		b.notes(i % 4)
		for n := range 1 + i%3 {
			b.do(storetest.Set("pin", fmt.Sprint("secreto ", i, n)))
		}
	}
	all, err := b.store.Events(context.Background(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var want []string // what a reader from the beginning gets
	var seqs []plant.Seq
	last := plant.Seq(0)
	for _, e := range all {
		if e.Kind != plant.KindAjuste {
			e.Prev, last = last, e.Seq
			want, seqs = append(want, string(what(e))), append(seqs, e.Seq)
		}
	}
	if last == all[len(all)-1].Seq || len(seqs) <= 16 {
		t.Fatalf("the journal ends with a streamed event or is shorter than the ring: %d events, the last at %d", len(seqs), last)
	}
	until(t, "the ring has them all", func() bool { return b.hub.Stats().Head == last })
	check := func(who string, c *websocket.Conn, want []string) {
		t.Helper()
		got := make([]string, len(want))
		for i := range got {
			got[i] = text(t, c)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", who, diff)
		}
		ping(t, c)
		if f := b.read(c); f.Kind != "beat" || f.Seq != last {
			t.Errorf("%s: after the last event came %+v, want a beat at %d", who, f, last)
		}
	}
	check("the live reader", live, want)
	for who, box := range map[string]*box{"the first run": b, "a run with a full ring": b.another(b.hub.o), "a run with a small ring": b.another(small(b.hub.o))} {
		for after, skip := plant.Seq(0), 0; after <= all[len(all)-1].Seq; after++ {
			for skip < len(seqs) && seqs[skip] <= after {
				skip++
			}
			c := box.dial(fmt.Sprintf("/ws?after=%d", after))
			if f := box.read(c); f.Kind != "hello" || f.Seq != last {
				t.Fatalf("%s: first frame = %+v, want hello at %d", who, f, last)
			}
			check(fmt.Sprintf("%s, resumed after %d", who, after), c, want[skip:])
			_ = c.Close()
		}
	}
}

func small(o Options) Options {
	o.Ring = 3
	return o
}

// Frames of all three forms of length arrive whole.
func TestFramesOfEveryLengthArriveWhole(t *testing.T) {
	sizes := []int{0, 1, 125, 126, 127, 1<<16 - 1, 1 << 16, 1<<16 + 1, 200_000}
	b := newBox(t, func(h *Hub) {
		h.o.Encode = func(e plant.Event) []byte { return []byte(strings.Repeat("x", sizes[int(e.Seq)%len(sizes)])) }
	})
	c := b.dial("/ws?after=0")
	b.read(c)
	b.notes(3 * len(sizes))
	for seq := 1; seq <= 1+3*len(sizes); seq++ {
		if got, want := len(text(t, c)), sizes[seq%len(sizes)]; got != want {
			t.Errorf("event %d has %d bytes, want %d", seq, got, want)
		}
	}
}

// padded makes events so large that the kernels cannot hold many of them for a
// reader that stalls.
func padded(h *Hub) {
	h.o.Encode = func(e plant.Event) []byte {
		return fmt.Appendf(nil, `{"kind":"event","seq":%d,"prev":%d,"pad":%q}`, e.Seq, e.Prev, strings.Repeat("x", 10_000))
	}
}

// dialNarrow opens a socket whose side of the kernel holds little.
func (b *box) dialNarrow(path string) *websocket.Conn {
	b.t.Helper()
	d := websocket.Dialer{NetDial: func(network, addr string) (net.Conn, error) {
		c, err := net.Dial(network, addr)
		if err != nil {
			return nil, err
		}
		return c, c.(*net.TCPConn).SetReadBuffer(16 << 10)
	}}
	c, _, err := d.Dial(strings.Replace(b.url, "http", "ws", 1)+path, nil)
	if err != nil {
		b.t.Fatalf("dial %s: %v", path, err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	return c
}

// A reader with all the patience of the box stalls: the others have everything,
// the hub goes on, and nobody had to be cut for it.
func TestAStalledReaderCostsNobodyAnything(t *testing.T) {
	b := newBox(t, func(h *Hub) {
		padded(h)
		h.pace.patience = time.Hour
	})
	stalled, well := b.dialNarrow("/ws?after=1"), b.dial("/ws?after=1")
	b.read(well)
	b.notes(80)
	if err := b.follow(well, 1, 81); err != nil {
		t.Errorf("the client that reads: %v", err)
	}
	b.caughtUp()
	if s := b.hub.Stats(); s.Head != 81 || s.SlowCuts != 0 || s.Events != 2 || s.Lanes == 0 {
		t.Errorf("the hub stands at %+v; want head 81, two sockets, a lane for the stalled one and no cut", s)
	}
	if err := b.follow(stalled, 1, 81); err != nil { // it wakes up, far behind the ring
		t.Errorf("the client that stalled: %v", err)
	}
	until(t, "the lanes are gone", func() bool { return b.hub.Stats().Lanes == 0 })
}

// The close code reaches a reader that wakes up within the grace, behind the
// events it had been given.
func TestAReaderThatIsTooSlowIsToldSo(t *testing.T) {
	b := newBox(t, func(h *Hub) {
		padded(h)
		h.pace.patience, h.pace.grace = 20*time.Millisecond, time.Hour
	})
	slow := b.dialNarrow("/ws?after=1")
	b.notes(80)
	until(t, "the slow reader is given up", func() bool { return b.hub.Stats().SlowCuts == 1 })
	err := b.follow(slow, 1, 81)
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != CloseSlow {
		t.Errorf("the slow reader ended with %v, want close code %d", err, CloseSlow)
	}
	until(t, "its socket is gone", func() bool { return b.hub.Stats().Events == 0 })
	back := b.dial("/ws?after=1")
	if err := b.follow(back, 1, 2); err != nil {
		t.Errorf("when it came back: %v", err)
	}
}

// A peer that answers pings stays, one from which nothing comes is cut.
func TestASilentPeerIsCut(t *testing.T) {
	const deaf = 400
	b := newBox(t, func(h *Hub) {
		h.pace.tick, h.pace.beat, h.pace.ping, h.pace.deaf = 5*time.Millisecond, 1, 1, deaf
	})
	b.dial("/ws") // never reads, so gorilla never answers a ping
	awake := b.dial("/ws")
	b.read(awake)
	until(t, "both are here", func() bool { return b.hub.Stats().Events == 2 })
	for range deaf + deaf/8 { // a beat a tick
		if f := b.read(awake); f.Kind != "beat" || f.Seq != 1 {
			t.Fatalf("a quiet stream brought %+v, want beats at 1", f)
		}
	}
	until(t, "the silent one is cut", func() bool { return b.hub.Stats().Events == 1 })
	b.notes(1)
	f := b.read(awake)
	for f.Kind == "beat" && f.Seq == 1 {
		f = b.read(awake)
	}
	if f.Kind != "event" || f.Seq != 2 {
		t.Errorf("after the beats at 1 came %+v, want event 2", f)
	}
}

// Whoever sends too much is told why; what it had sent before is answered.
func TestAFloodIsAnsweredWith1008(t *testing.T) {
	b := newBox(t, func(h *Hub) { h.pace.tick = time.Hour })
	c := b.dial("/ws")
	b.read(c)
	for range messages {
		ping(t, c)
		if f := b.read(c); f.Kind != "beat" {
			t.Fatalf("a ping within the allowance was answered by %+v", f)
		}
	}
	ping(t, c)
	if got := closeCode(t, c); got != websocket.ClosePolicyViolation {
		t.Errorf("ping %d was answered with %d, want 1008", messages+1, got)
	}
}

// Control frames count as well: a peer that only pings the protocol's way is
// closed before it has had more than its allowance of pongs.
func TestAFloodOfControlFramesIsAnsweredWith1008(t *testing.T) {
	for name, kind := range map[string]int{"pings": websocket.PingMessage, "pongs": websocket.PongMessage} {
		b := newBox(t, func(h *Hub) { h.pace.tick = time.Hour })
		c := b.dial("/ws")
		b.read(c)
		pongs := 0
		c.SetPongHandler(func(string) error { pongs++; return nil })
		for range messages + 1 {
			if err := c.WriteControl(kind, []byte("x"), time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		if got := closeCode(t, c); got != websocket.ClosePolicyViolation {
			t.Errorf("%d %s were answered with %d, want 1008", messages+1, name, got)
		}
		if pongs > messages {
			t.Errorf("%d pongs, want at most %d", pongs, messages)
		}
	}
}

// What a client says besides ping is ignored.
func TestOtherMessagesAreIgnored(t *testing.T) {
	b := newBox(t, nil)
	c := b.dial("/ws")
	b.read(c)
	for _, m := range []string{"", "null", "{", `{"kind":"pong"}`, `{"kind":7}`, strings.Repeat("x", readLimit)} {
		if err := c.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	b.notes(1)
	if f := b.read(c); f.Kind != "event" || f.Seq != 2 {
		t.Errorf("after messages without meaning came %+v, want event 2", f)
	}
}

// TLS hides the descriptor: everything goes through lanes.
func TestStreamsWorkWithoutADescriptor(t *testing.T) {
	b := newBox(t, nil)
	srv := httptest.NewTLSServer(http.HandlerFunc(b.hub.ServeWS))
	defer srv.Close()
	b.notes(100)
	d := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}, Subprotocols: []string{"envivo.v1"}}
	c, _, err := d.Dial(strings.Replace(srv.URL, "https", "wss", 1)+"/ws?after=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := c.Subprotocol(); got != "envivo.v1" {
		t.Errorf("sub-protocol %q, want envivo.v1", got)
	}
	if err := b.follow(c, 1, 101); err != nil {
		t.Errorf("resumed over TLS: %v", err)
	}
	b.notes(20)
	if err := b.follow(c, 101, 121); err != nil {
		t.Errorf("live over TLS: %v", err)
	}
	b.caughtUp()
	ping(t, c)
	if f := b.read(c); f.Kind != "beat" || f.Seq != 121 {
		t.Errorf("answer to a ping = %+v, want a beat at 121", f)
	}
	code := make(chan int, 1)
	go func() { code <- closeCode(t, c) }()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := b.hub.Shutdown(ctx); err != nil {
		t.Errorf("shutdown = %v", err)
	}
	if got := <-code; got != websocket.CloseServiceRestart {
		t.Errorf("close code %d, want 1012", got)
	}
}

// fragile is a plant whose journal can become unreadable.
type fragile struct {
	Source
	broken atomic.Bool
}

var errDisk = errors.New("the disk is gone")

func (f *fragile) Events(ctx context.Context, after plant.Seq, limit int) ([]plant.Event, error) {
	if f.broken.Load() {
		return nil, errDisk
	}
	return f.Source.Events(ctx, after, limit)
}

func TestAJournalThatCannotBeReadEndsOnlyWhoNeedsIt(t *testing.T) {
	source := &fragile{}
	b := newBox(t, func(h *Hub) {
		source.Source = h.o.Source
		h.o.Source = source
	})
	b.notes(100)
	b.caughtUp()
	ready := b.dial("/ws")
	b.read(ready)
	source.broken.Store(true)
	if got := closeCode(t, b.dial("/ws?after=1")); got != websocket.CloseInternalServerErr {
		t.Errorf("a reader that needs the journal was closed with %d, want 1011", got)
	}
	b.notes(1)
	if err := b.follow(ready, 101, 102); err != nil {
		t.Errorf("the reader at the ring: %v", err)
	}
	h := New(b.hub.o)
	if err := h.Run(context.Background()); !errors.Is(err, errDisk) {
		t.Errorf("a hub over a journal that cannot be read = %v, want %v", err, errDisk)
	}
}

// sse opens the SSE stream over a bare connection, which need not be read.
func (b *box) sse(query, lastID string) (net.Conn, *bufio.Scanner) {
	b.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		b.t.Fatal(err)
	}
	if lastID != "" {
		lastID = "Last-Event-ID: " + lastID + "\r\n"
	}
	if _, err := fmt.Fprintf(c, "GET /sse%s HTTP/1.0\r\nHost: caja\r\n%s\r\n", query, lastID); err != nil {
		b.t.Fatal(err)
	}
	return c, bufio.NewScanner(c)
}

// lines gives the first n lines of the stream's body.
func (b *box) lines(s *bufio.Scanner, n int) []string {
	b.t.Helper()
	for s.Scan() && s.Text() != "" { // the header
	}
	var out []string
	for len(out) < n && s.Scan() {
		if s.Text() != "" {
			out = append(out, s.Text())
		}
	}
	return out
}

func TestAnSSEReaderIsResumedOrToldToReload(t *testing.T) {
	b := newBox(t, nil)
	b.notes(600)
	b.caughtUp()
	resync := []string{"event: resync", "id: 601", `data: {"kind":"resync","epoch":"memory","seq":601}`}
	from := func(seq int) []string {
		return []string{": resumed", "event: spool_update", fmt.Sprint("id: ", seq+1), fmt.Sprintf(`data: {"seq":%d}`, seq+1)}
	}
	for name, c := range map[string]struct {
		query, lastID string
		want          []string
	}{
		"new":                         {"", "", resync},
		"back, from the ring":         {"", "595", from(595)},
		"back, from the journal":      {"", "200", from(200)},
		"back by parameter":           {"?after=300", "", from(300)},
		"the header counts, not both": {"?after=300", "400", from(400)},
		"the epoch is ours":           {"?epoch=memory", "400", from(400)},
		"a foreign epoch":             {"?epoch=otra", "400", resync},
		"beyond us":                   {"", "602", resync},
		"too far back":                {"", "20", resync},
		"no number":                   {"", "x", resync},
	} {
		t.Run(name, func(t *testing.T) {
			conn, s := b.sse(c.query, c.lastID)
			if diff := cmp.Diff(c.want, b.lines(s, len(c.want))); diff != "" {
				t.Errorf("first lines (-want +got):\n%s", diff)
			}
			_ = conn.Close()
		})
	}
	until(t, "every stream is gone", func() bool { return b.hub.Stats().SSE == 0 })
}

func TestAnSSEReaderThatTakesNothingIsDropped(t *testing.T) {
	b := newBox(t, func(h *Hub) {
		h.o.EncodeSSE = func(plant.Event) [][]byte { return [][]byte{[]byte(strings.Repeat("x", 100_000))} }
		h.pace.drop = 50 * time.Millisecond
	})
	b.sse("?after=1", "")
	b.notes(300)
	until(t, "the stalled stream is dropped", func() bool { s := b.hub.Stats(); return s.SlowCuts > 0 && s.SSE == 0 })
}

func TestAQuietSSEStreamIsKeptAwake(t *testing.T) {
	b := newBox(t, func(h *Hub) { h.pace.comment = time.Millisecond })
	_, s := b.sse("?after=1", "")
	if diff := cmp.Diff([]string{": resumed", ": ping", ": ping", ": ping"}, b.lines(s, 4)); diff != "" {
		t.Errorf("a quiet stream (-want +got):\n%s", diff)
	}
}
