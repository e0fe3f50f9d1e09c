package ws

import (
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"envivo/plant"
	"envivo/store/storetest"
)

// owned lets the query say whose a stream is.
func owned(h *Hub) {
	h.o.Owner = func(r *http.Request) string { return r.URL.Query().Get("owner") }
	h.o.Resolve = func(string) (Page, error) {
		return func(*plant.Snapshot, time.Time) ([]Region, error) {
			return []Region{{ID: "r", Items: []Item{{Key: "k", HTML: []byte("<p></p>")}}}}, nil
		}, nil
	}
}

func TestTheStreamsOfARevokedOwnerEndAtOnce(t *testing.T) {
	b := newBox(t, owned)
	b.do(storetest.Set("device/A", "x"))
	b.do(storetest.Set("device/B", "x"))
	mine, other, nobodys := b.dial("/ws?owner=device/A"), b.dial("/ws?owner=device/B"), b.dial("/ws")
	page := b.dial("/ws/ui?view=v&owner=device/A")
	conn, sse := b.sse("?owner=device/A", "")
	for sse.Scan() && sse.Text() != "event: resync" {
	}
	// A connection is there before its stream has a place among the events: what is
	// awaited from a stream below must come after its hello.
	for _, c := range []*websocket.Conn{other, nobodys} {
		if f := b.read(c); f.Kind != "hello" {
			t.Fatalf("the first frame is %+v, want the hello", f)
		}
	}
	b.do(storetest.Set("device/B", "y")) // a change is no revocation
	b.do(storetest.Set("device/A", ""))
	if code := closeCode(t, mine); code != CloseRevoked {
		t.Errorf("the events stream ends with %d, want %d", code, CloseRevoked)
	}
	if code := closeCode(t, page); code != CloseRevoked {
		t.Errorf("the page's stream ends with %d, want %d", code, CloseRevoked)
	}
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for sse.Scan() {
	}
	if err := sse.Err(); err != nil {
		t.Errorf("the SSE stream did not end: %v", err)
	}
	b.notes(1)
	for _, c := range []struct {
		name string
		f    frame
	}{{"another owner's", b.read(other)}, {"nobody's", b.read(nobodys)}} {
		if c.f.Kind != "event" {
			t.Errorf("%s stream got %+v, want the event", c.name, c.f)
		}
	}
}

// TestAStreamOpenedWhileItIsRevokedEnds: the gate let it in just before.
func TestAStreamOpenedWhileItIsRevokedEnds(t *testing.T) {
	b := newBox(t, owned)
	for _, path := range []string{"/ws?owner=device/A", "/ws/ui?view=v&owner=device/A"} {
		if code := closeCode(t, b.dial(path)); code != CloseRevoked {
			t.Errorf("%s ends with %d, want %d", path, code, CloseRevoked)
		}
	}
	conn, sse := b.sse("?owner=device/A", "")
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for sse.Scan() {
	}
	if err := sse.Err(); err != nil {
		t.Errorf("the SSE stream did not end: %v", err)
	}
}
