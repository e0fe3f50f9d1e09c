package google

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"envivo/sheetsync/emulator"
)

// TestAnEndlessAnswerEnds: whatever answers in place of the Sheet, and whichever
// of its answers does not end (cells, layout, a refusal, a token, packed or not), the
// call fails by name once the bound is read, and not before.
func TestAnEndlessAnswerEnds(t *testing.T) {
	e, err := emulator.New(emulator.Options{Now: time.Now, Reads: -1, Writes: -1})
	if err != nil {
		t.Fatal(err)
	}
	e.Book().Fill("Operaciones", [][]any{{"TAG_SPOOL"}, {"A-1"}})
	var endless atomic.Pointer[string] // the part of an address whose answer does not end
	var status atomic.Int64
	var sent atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := endless.Load(); p == nil || !strings.Contains(r.URL.Path, *p) {
			e.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(status.Load()))
		_, err := io.WriteString(w, `{"valueRanges":[{"values":[["x"`)
		for more := []byte(strings.Repeat(`,"x"`, 16<<10)); err == nil; {
			_, err = w.Write(more)
			sent.Add(int64(len(more)))
		}
	}))
	defer srv.Close()
	defer e.Release()
	key, err := e.KeyFile(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(t.Context(), Options{ID: "emulador", Key: key, Endpoint: srv.URL, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if c.most != largest || largest.cells/10_000_000 < 50 {
		t.Fatalf("the bounds are %+v, want fifty bytes for each of ten million cells", c.most)
	}
	c.most = bounds{cells: 8 << 20, other: 4 << 20, refused: 1 << 20}
	read := func(ctx context.Context) error { _, err := c.Read(ctx, "A1:A2"); return err }
	for _, x := range []struct {
		name, path string
		status     int
		call       func(context.Context) error
		most       int64
		class      Class
		named      bool
	}{
		{"cells", "values:batchGet", 200, read, 8 << 20, Stop, true},
		{"the layout", "/emulador", 200, func(ctx context.Context) error { _, err := c.Layout(ctx); return err }, 4 << 20, Stop, true},
		{"what a writing answers", "values:batchUpdate", 200, func(ctx context.Context) error { return c.Write(ctx, Block{"A2", [][]any{{"x"}}}) }, 4 << 20, Stop, true},
		{"a refusal", "values:batchGet", 403, read, 1 << 20, Stop, false},
		{"a token", "token", 200, read, 1 << 20, Retry, false},
	} {
		if err := c.connect(t.Context()); err != nil { // without a token
			t.Fatal(err)
		}
		if x.path != "token" {
			if err := read(t.Context()); err != nil {
				t.Fatalf("before %s: %v", x.name, err)
			}
		}
		status.Store(int64(x.status))
		sent.Store(0)
		endless.Store(&x.path)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err := x.call(ctx)
		endless.Store(nil)
		var no *Error
		if !errors.As(err, &no) || no.Class != x.class || (no.Reason == reasonTooLarge) != x.named || ctx.Err() != nil {
			t.Errorf("%s without end: %v (%+v)", x.name, err, no)
		}
		cancel()
		if n := sent.Load(); n > x.most+16<<20 { // what lies in the sockets between
			t.Errorf("%s without end: %d MiB were sent, want %d", x.name, n>>20, x.most>>20)
		}
	}
	if err := read(t.Context()); err != nil {
		t.Errorf("once it answers well again: %v", err)
	}
}

func TestABodyAtItsBoundPasses(t *testing.T) {
	for n, want := range map[int]bool{0: true, 9: true, 10: true, 11: false, 1000: false} {
		got, err := io.ReadAll(&atMost{io.NopCloser(strings.NewReader(strings.Repeat("x", n))), 10, 10})
		if (err == nil) != want || !want && !errors.Is(err, ErrTooLarge) || len(got) != min(n, 10) {
			t.Errorf("%d bytes where 10 are allowed: %d read, %v", n, len(got), err)
		}
	}
}
