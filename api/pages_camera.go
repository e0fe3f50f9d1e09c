package api

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A browser that cannot read codes sends what its camera sees. One frame is
// about 20 ms of work for the box, so nobody gets more than a scan needs.
const (
	frameMost  = 200_000 // bytes
	frameEvery = 250 * time.Millisecond
	frameBurst = 8
	frameTurns = 2    // frames that are read at the same time
	frameHeard = 1000 // devices that are remembered
)

// frames keeps each device to its share. Guarded by mu.
type frames struct {
	now   func() time.Time
	turns chan struct{}

	mu sync.Mutex
	// next is when a device's next frame would be due at the steady rate.
	next map[string]time.Time
}

func newFrames(now func() time.Time) *frames {
	return &frames{now: now, turns: make(chan struct{}, frameTurns), next: map[string]time.Time{}}
}

// admit reports whether a device may send a frame now.
func (f *frames) admit(device string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if len(f.next) >= frameHeard {
		clear(f.next)
	}
	due := f.next[device]
	if due.Before(now) {
		due = now
	}
	if due.Sub(now) > (frameBurst-1)*frameEvery {
		return false
	}
	f.next[device] = due.Add(frameEvery)
	return true
}

// frame answers what code a camera's frame shows: 200 and the code, or 204.
// The body is rows of grey pixels, one byte each, ?ancho= pixels a row.
func (p *pages) frameCode(w http.ResponseWriter, r *http.Request) error {
	if p.readCode == nil {
		return p.missing(w, r)
	}
	if !p.frames.admit(p.device(r)) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, frameMost))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return nil
		}
		w.WriteHeader(http.StatusBadRequest) // it came incomplete
		return nil
	}
	width, _ := strconv.Atoi(r.URL.Query().Get("ancho")) // 0 is no width
	select {
	case p.frames.turns <- struct{}{}:
	case <-r.Context().Done():
		return nil // nobody waits any more
	}
	code, ok, err := p.readCode(body, width)
	<-p.frames.turns
	switch {
	case err != nil:
		w.WriteHeader(http.StatusBadRequest)
		return nil
	case !ok:
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	b, err := marshal(struct {
		Code string `json:"codigo"`
	}{code})
	if err != nil {
		return err
	}
	var out reply
	out.add(b)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	return out.send(w, r, http.StatusOK)
}

// secureContext reports whether a browser counts the page as safe enough for
// the camera: it came by HTTPS, or from the box itself.
func secureContext(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && a.IsLoopback()
}

// cameraCookie is written by the page's script: whether this tablet has a camera.
const cameraCookie = "envivo_camara"

// hasCamera is "si" or "no" as the tablet's script found. Before it has said so,
// a tablet may have one, which empty says and a place is kept for; a browser on
// the box itself has none until it says.
func hasCamera(r *http.Request) string {
	c, err := r.Cookie(cameraCookie)
	switch {
	case err == nil && (c.Value == "si" || c.Value == "no"):
		return c.Value
	case r.TLS == nil:
		return "no"
	}
	return ""
}
