package ws

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"envivo/plant"
	"envivo/store/storetest"
)

// box is a hub over a plain store behind real HTTP.
type box struct {
	t     testing.TB
	hub   *Hub
	store *storetest.Memory
	url   string
	ended chan error
	clock *storetest.Clock
}

// newBox starts a hub; change adjusts it before anybody connects.
func newBox(t testing.TB, change func(*Hub)) *box {
	t.Helper()
	b := &box{t: t, clock: storetest.NewClock(), ended: make(chan error, 1)}
	b.store = storetest.NewMemory(storetest.ToyConfig(storetest.Toy{}, b.clock))
	b.hub = New(Options{
		Source: b.store, Build: "prueba", Now: b.clock.Now, Log: slog.New(slog.DiscardHandler), Ring: 16, Resume: 500,
		Encode: func(e plant.Event) []byte {
			return fmt.Appendf(nil, `{"kind":"event","seq":%d,"prev":%d,"tag":%q}`, e.Seq, e.Prev, e.Tag)
		},
		EncodeSSE: func(e plant.Event) [][]byte {
			out := [][]byte{fmt.Appendf(nil, `{"seq":%d}`, e.Seq)}
			if e.Kind == plant.KindPausar {
				out = append(out, []byte(`{"double":true}`))
			}
			return out
		},
		Resolve: func(string) (Page, error) { return nil, ErrNoView },
	})
	if change != nil {
		change(b.hub)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/ws", b.hub.ServeWS)
	mux.HandleFunc("/ws/ui", b.hub.ServeViews)
	mux.HandleFunc("/sse", b.hub.ServeSSE)
	srv := httptest.NewServer(mux)
	b.url = srv.URL
	ctx, cancel := context.WithCancel(context.Background())
	go func() { b.ended <- b.hub.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-b.ended; err != nil {
			t.Errorf("run = %v", err)
		}
		srv.CloseClientConnections()
		srv.Close()
	})
	b.do(storetest.Bring("A-1", 0))
	b.caughtUp() // from here on a hello tells of the first event
	return b
}

func (b *box) do(c plant.Command) plant.Event {
	b.t.Helper()
	r, err := b.store.Do(context.Background(), c)
	if err != nil {
		b.t.Fatal(err)
	}
	return r.Event
}

func (b *box) notes(n int) {
	b.t.Helper()
	for i := range n {
		b.do(storetest.Note("", "A-1", fmt.Sprint(i)))
	}
}

func (b *box) dial(path string) *websocket.Conn {
	b.t.Helper()
	c, _, err := websocket.DefaultDialer.Dial(strings.Replace(b.url, "http", "ws", 1)+path, nil)
	if err != nil {
		b.t.Fatalf("dial %s: %v", path, err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	return c
}

type frame struct {
	Kind    string    `json:"kind"`
	Seq     plant.Seq `json:"seq"`
	Prev    plant.Seq `json:"prev"`
	Epoch   string    `json:"epoch"`
	Build   string    `json:"build"`
	Rev     string    `json:"rev"`
	Regions []struct {
		ID     string   `json:"id"`
		Remove []string `json:"remove"`
		Put    []struct {
			Key   string          `json:"key"`
			HTML  *string         `json:"html"`
			After json.RawMessage `json:"after"`
		} `json:"put"`
	} `json:"regions"`
}

func (b *box) read(c *websocket.Conn) frame {
	b.t.Helper()
	var f frame
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		b.t.Fatal(err)
	}
	if err := c.ReadJSON(&f); err != nil {
		b.t.Fatalf("read: %v", err)
	}
	return f
}

// follow reads events until seq and checks that nothing is missing or doubled.
func (b *box) follow(c *websocket.Conn, at, until plant.Seq) error {
	for at < until {
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			return err
		}
		var f frame
		if err := c.ReadJSON(&f); err != nil {
			return fmt.Errorf("after %d: %w", at, err)
		}
		if f.Kind == "beat" && f.Seq > at {
			return fmt.Errorf("a beat tells of %d, the client is at %d", f.Seq, at)
		}
		if f.Kind == "reset" {
			return fmt.Errorf("after %d: reset to %d", at, f.Seq)
		}
		if f.Kind != "event" {
			continue
		}
		if f.Prev > at || f.Seq <= at {
			return fmt.Errorf("event %d with prev %d came to a client at %d", f.Seq, f.Prev, at)
		}
		at = f.Seq
	}
	return nil
}

func TestHelloThenLiveEventsInOrder(t *testing.T) {
	b := newBox(t, nil)
	c := b.dial("/ws")
	if f := b.read(c); f.Kind != "hello" || f.Seq != 1 || f.Build != "prueba" || f.Epoch == "" {
		t.Errorf("first frame = %+v, want hello at 1", f)
	}
	if got := c.Subprotocol(); got != "" {
		t.Errorf("sub-protocol %q although none was offered", got)
	}
	b.notes(100)
	if err := b.follow(c, 1, 101); err != nil {
		t.Error(err)
	}
}

func TestResumeFromRingAndJournal(t *testing.T) {
	b := newBox(t, nil)
	b.notes(200)
	for _, after := range []plant.Seq{0, 1, 100, 184, 185, 190, 200, 201} {
		c := b.dial(fmt.Sprintf("/ws?after=%d", after))
		if f := b.read(c); f.Kind != "hello" {
			t.Fatalf("first frame = %+v, want hello", f)
		}
		if err := b.follow(c, after, 201); err != nil {
			t.Errorf("resumed after %d: %v", after, err)
		}
	}
}

func TestWhatCannotBeResumedIsReset(t *testing.T) {
	b := newBox(t, nil)
	b.notes(700)
	b.caughtUp()
	for name, query := range map[string]string{
		"a foreign epoch": "after=5&epoch=otra", "beyond us": "after=99999", "too far back": "after=3", "no number": "after=x", "negative": "after=-1",
	} {
		c := b.dial("/ws?" + query)
		if f := b.read(c); f.Kind != "hello" {
			t.Errorf("%s: first frame = %+v, want hello", name, f)
		}
		f := b.read(c)
		if f.Kind != "reset" || f.Seq != 701 {
			t.Errorf("%s: second frame = %+v, want reset at 701", name, f)
		}
	}
}

func TestSettingsAreNeverStreamed(t *testing.T) {
	b := newBox(t, nil)
	c := b.dial("/ws")
	b.read(c)
	for range 5 {
		b.do(storetest.Set("pin", "secreto"))
		b.notes(2)
	}
	if err := b.follow(c, 1, 16); err != nil {
		t.Error(err)
	}
	again := b.dial("/ws?after=1")
	b.read(again)
	if err := b.follow(again, 1, 16); err != nil {
		t.Errorf("resumed: %v", err)
	}
}

// TestNothingFallsBetweenHistoryAndLive lets events happen at the very moment a
// client that catches up goes live. The classic bug, switched on, is noticed.
func TestNothingFallsBetweenHistoryAndLive(t *testing.T) {
	for _, late := range []bool{false, true} {
		var b *box
		var once sync.Once
		b = newBox(t, func(h *Hub) {
			h.late = late
			h.pace.tick, h.pace.beat = 50*time.Millisecond, 1
			h.seam = func() { once.Do(func() { b.notes(40); b.caughtUp() }) }
		})
		b.notes(100)
		b.caughtUp()
		c := b.dial("/ws?after=1")
		b.read(c)
		ok := make(chan error, 1)
		go func() { ok <- b.follow(c, 1, 141) }()
		err := <-ok
		if (err != nil) != late {
			t.Errorf("subscribe after reading history %v: the client noticed %v", late, err)
		}
	}
}

// caughtUp waits until the ring stands at the journal's end.
func (b *box) caughtUp() {
	for b.hub.ring.head() < b.store.Snapshot().Seq {
		runtime.Gosched()
	}
}

func TestClientsThatComeAndGoSeeEveryEventOnce(t *testing.T) {
	b := newBox(t, func(h *Hub) { h.o.Resume = 5000 })
	const total = 600
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(n), 1))
			at := plant.Seq(1)
			for at < total {
				until := min(at+plant.Seq(1+rng.IntN(120)), total)
				c := b.dial(fmt.Sprintf("/ws?after=%d", at))
				if err := b.follow(c, at, until); err != nil {
					t.Errorf("client %d: %v", n, err)
					return
				}
				at = until
				_ = c.Close() // without a word, as tablets do
			}
		})
	}
	b.notes(total - 1)
	wg.Wait()
}

func TestPingIsAnsweredByABeat(t *testing.T) {
	b := newBox(t, nil)
	c := b.dial("/ws")
	b.read(c)
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"kind":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	if f := b.read(c); f.Kind != "beat" || f.Seq != 1 {
		t.Errorf("answer to a ping = %+v, want a beat at 1", f)
	}
}

func closeCode(t testing.TB, c *websocket.Conn) int {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			if e, ok := err.(*websocket.CloseError); ok {
				return e.Code
			}
			return websocket.CloseAbnormalClosure
		}
	}
}

func TestClientsThatMisbehaveAreClosed(t *testing.T) {
	b := newBox(t, nil)
	large := b.dial("/ws")
	_ = large.WriteMessage(websocket.TextMessage, make([]byte, 2000)) // the answer counts
	if got := closeCode(t, large); got != websocket.CloseMessageTooBig {
		t.Errorf("a large message was answered with %d, want 1009", got)
	}
	if got := closeCode(t, b.dial("/ws/ui?view=%2Fnada")); got != CloseNoView {
		t.Errorf("an unknown view was answered with %d, want %d", got, CloseNoView)
	}
	head := http.Header{"Origin": {"http://otra.example"}}
	if _, resp, err := websocket.DefaultDialer.Dial(strings.Replace(b.url, "http", "ws", 1)+"/ws", head); err == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign page got %v, %v; want 403", resp, err)
	}
}

func TestShutdownSaysThatTheBoxRestarts(t *testing.T) {
	b := newBox(t, nil)
	var all []*websocket.Conn
	for range 5 {
		c := b.dial("/ws")
		b.read(c)
		all = append(all, c)
	}
	codes := make(chan int, len(all))
	for _, c := range all {
		go func() { codes <- closeCode(t, c) }()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := b.hub.Shutdown(ctx); err != nil {
		t.Errorf("shutdown = %v", err)
	}
	for range all {
		if got := <-codes; got != websocket.CloseServiceRestart {
			t.Errorf("close code %d, want 1012", got)
		}
	}
	if resp, err := http.Get(b.url + "/ws"); err != nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a socket after the shutdown = %v, %v; want 503", resp, err)
	}
}

func TestServerSentEvents(t *testing.T) {
	b := newBox(t, nil)
	b.notes(3)
	b.caughtUp()
	read := func(last string, n int) []string {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"/sse", nil)
		if err != nil {
			t.Fatal(err)
		}
		if last != "" {
			req.Header.Set("Last-Event-ID", last)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("content type %q", got)
		}
		b.do(storetest.Take("", "A-1", 1))
		b.do(storetest.Pause("", "A-1", 1))
		var out []string
		for s := bufio.NewScanner(resp.Body); len(out) < n && s.Scan(); {
			if line := s.Text(); strings.HasPrefix(line, "id: ") || strings.HasPrefix(line, "event: ") || strings.HasPrefix(line, "data: {\"double") {
				out = append(out, line)
			}
		}
		return out
	}
	want := []string{"event: resync", "id: 4", "event: spool_update", "id: 5", "event: spool_update", "id: 6", "event: spool_update", "id: 6", `data: {"double":true}`}
	if got := read("", len(want)); !slices.Equal(got, want) {
		t.Errorf("a new reader got\n%q, want\n%q", got, want)
	}
	want = []string{"event: spool_update", "id: 3", "event: spool_update", "id: 4", "event: spool_update", "id: 5"}
	if got := read("2", len(want)); !slices.Equal(got, want) {
		t.Errorf("a reader back from 2 got\n%q, want\n%q", got, want)
	}
}

// TestStoppedBeforeItBegan: a box that is asked to stop while it starts ends
// without an error.
func TestStoppedBeforeItBegan(t *testing.T) {
	m := storetest.NewMemory(storetest.ToyConfig(storetest.Toy{}, storetest.NewClock()))
	h := New(Options{Source: refusing{m}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.Run(ctx); err != nil {
		t.Errorf("run = %v, want nil", err)
	}
}

// refusing is a store that a context keeps from reading.
type refusing struct{ *storetest.Memory }

func (r refusing) Snapshot() *plant.Snapshot {
	return r.Memory.Snapshot().Change().Done(5, [32]byte{})
}

func (refusing) Events(ctx context.Context, _ plant.Seq, _ int) ([]plant.Event, error) {
	return nil, ctx.Err()
}
