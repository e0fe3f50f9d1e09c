package api

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"envivo/ui"
)

// How many writes a caller may send is counted against who it is: a tablet
// against the plant's own rate, a program with a token and an address that
// several tablets may share against a multiple. A burst is three seconds of the
// rate, and a batch counts as one.
const (
	burstSeconds  = 3
	programFactor = 10
	addressFactor = 25
	// maxPaced bounds the memory that strangers can claim.
	maxPaced = 4096
)

// pacer spaces writes out: it remembers for each caller when everything sent so
// far would be done at the even rate. Guarded by mu.
type pacer struct {
	now  func() time.Time
	rate int // writes per second of a tablet; 0 limits nobody

	mu   sync.Mutex
	done map[string]time.Time
}

func newPacer(rate int, now func() time.Time) *pacer {
	return &pacer{now: now, rate: rate, done: map[string]time.Time{}}
}

// admit counts a write of who, at rate times factor; wait is how long it has to
// be held back, 0 when it may pass.
func (p *pacer) admit(who string, factor int) (wait time.Duration) {
	if p.rate <= 0 || factor == 0 {
		return 0
	}
	each := time.Second / time.Duration(p.rate*factor)
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	at, known := p.done[who]
	if !known && len(p.done) >= maxPaced {
		p.forget(now)
	}
	if at.Before(now) {
		at = now
	}
	if ahead := at.Add(each).Sub(now) - burstSeconds*time.Second; ahead > 0 {
		return ahead
	}
	p.done[who] = at.Add(each)
	return 0
}

// forget drops callers that have nothing outstanding, or all when every one of
// them has.
func (p *pacer) forget(now time.Time) {
	for who, at := range p.done {
		if !at.After(now) {
			delete(p.done, who)
		}
	}
	if len(p.done) >= maxPaced {
		clear(p.done)
	}
}

// writes reports whether a request may change something.
func writes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
}

// paced answers a write that came too fast; it reports whether it did.
func (s *Server) paced(w http.ResponseWriter, r *http.Request) bool {
	if s.o.WriteRate == 0 || !writes(r) {
		return false
	}
	g := s.identify(r)
	who, factor := g.key, programFactor
	switch {
	case g.key == "":
		who, factor = g.device, addressFactor
		if ip := net.ParseIP(g.device); ip != nil && ip.IsLoopback() {
			factor = 0 // the box itself, or a proxy on it that hides who is who
		}
	case g.tablet != nil:
		factor = 1
	}
	wait := s.pacer.admit(who, factor)
	if wait == 0 {
		return false
	}
	s.o.Log.Warn("too many writes", "device", g.device, "path", r.URL.Path)
	if strings.HasPrefix(r.URL.Path, "/api/") {
		s.refuse(w, r, tooFast(wait))
		return true
	}
	retryAfter(w, wait)
	s.meters.refused(codePace)
	s.pages.handle(s.pages.tooFast)(w, r)
	return true
}

// tooFast is the page's answer to a write that came too fast.
func (p *pages) tooFast(w http.ResponseWriter, r *http.Request) error {
	if !asked(r) {
		return p.write(w, r, http.StatusTooManyRequests, live{}, ui.ErrorPage(p.frame(w, r, "No se guardó"), "No se guardó.", ui.TextTooFast, ""))
	}
	html, err := ui.Bytes(ui.NoticeBox(ui.Notice{Text: ui.TextTooFast}, ui.Frame{Now: p.now()}))
	if err != nil {
		return err
	}
	b, err := marshal(toldJSON{HTML: string(html), Signal: signalNo})
	if err != nil {
		return err
	}
	var out reply
	out.add(b)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	return out.send(w, r, http.StatusTooManyRequests)
}

// strangeHost answers a request that was sent to a name which is none of the
// box's: a page elsewhere may have had its name point here, to get past the
// browser's rule that sites do not read each other. It reports whether it did.
func (s *Server) strangeHost(w http.ResponseWriter, r *http.Request) bool {
	if s.o.Host == nil || r.Host == "" || s.o.Host(r.Host) || s.o.Assets != nil && strings.HasPrefix(r.URL.Path, s.o.AssetsPrefix) {
		return false
	}
	s.o.Log.Warn("a strange host name", "host", clip(r.Host), "address", address(r))
	if strings.HasPrefix(r.URL.Path, "/api/") {
		s.refuse(w, r, unknownHost())
		return true
	}
	s.meters.refused(codeHost)
	s.pages.handle(func(w http.ResponseWriter, r *http.Request) error {
		f := ui.Frame{Title: "Otra dirección", Now: s.o.Now(), Build: s.o.Build, Here: "/"} // tells nothing of the plant
		return s.pages.write(w, r, http.StatusMisdirectedRequest, live{}, ui.ErrorPage(f, "Otra dirección", ui.TextHost, ""))
	})(w, r)
	return true
}
