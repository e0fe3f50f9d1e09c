package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestStreamsOutliveTheDeadlineOfTheirConnection sends an ordinary request and
// then a stream over one connection, with a clock so far in the past that every
// deadline set has already passed when it is set.
func TestStreamsOutliveTheDeadlineOfTheirConnection(t *testing.T) {
	past := func() time.Time { return time.Unix(0, 0) }
	s := httptest.NewServer(deadlines(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "hello") // the client judges
	}), past))
	defer s.Close()
	get := func(path string) error {
		resp, err := s.Client().Get(s.URL + path)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
		return err
	}
	if err := get("/api/spools"); err == nil {
		t.Error("an answer after its deadline arrived, want it cut")
	}
	for _, path := range []string{"/ws", "/ws/ui", "/api/sse/stream"} {
		if err := get(path); err != nil {
			t.Errorf("GET %s = %v, want no deadline on a stream", path, err)
		}
	}
}

// TestALongAnswerDoesNotMeetTheBodysDeadline guards the handlers: reading the
// next request begins with a fresh deadline.
func TestALongAnswerDoesNotMeetTheBodysDeadline(t *testing.T) {
	s := httptest.NewServer(deadlines(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = w.Write(b) // the client judges
	}), time.Now))
	defer s.Close()
	for range 3 {
		resp, err := s.Client().Post(s.URL+"/api", "text/plain", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close() // nothing to learn from it
		if resp.StatusCode != http.StatusOK {
			t.Errorf("POST = %d, want 200", resp.StatusCode)
		}
	}
}
