package api

import (
	"fmt"
	"io"
	"net/http"
	runtime "runtime/metrics"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// meters count what the API does. Counters are made once and then only bumped.
type meters struct {
	set  *metrics.Set
	more []func(io.Writer)

	mu       sync.Mutex
	refusals map[string]*metrics.Counter
}

func newMeters(more []func(io.Writer)) *meters {
	return &meters{set: metrics.NewSet(), more: more, refusals: map[string]*metrics.Counter{}}
}

// routeMeter counts one route: answers by class of status, and their time.
type routeMeter struct {
	classes [6]*metrics.Counter
	seconds *metrics.Histogram
}

func (m *meters) route(pattern string) *routeMeter {
	r := &routeMeter{seconds: m.set.NewHistogram(fmt.Sprintf("envivo_http_seconds{route=%q}", pattern))}
	for class := 1; class <= 5; class++ {
		r.classes[class] = m.set.NewCounter(fmt.Sprintf("envivo_http_requests_total{route=%q,status=\"%dxx\"}", pattern, class))
	}
	return r
}

func (r *routeMeter) done(status int, took time.Duration) {
	r.seconds.Update(took.Seconds())
	if class := status / 100; class > 0 && class < len(r.classes) {
		r.classes[class].Inc()
	}
}

// refused counts a refusal by its stable code.
func (m *meters) refused(code string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.refusals[code]
	if c == nil {
		c = m.set.NewCounter(fmt.Sprintf("envivo_refusals_total{code=%q}", code))
		m.refusals[code] = c
	}
	c.Inc()
}

// write is the metrics page: ours, other parts' and the process's.
func (m *meters) write(w io.Writer) {
	m.set.WritePrometheus(w)
	for _, f := range m.more {
		f(w)
	}
	metrics.WriteProcessMetrics(w)
	metrics.WriteFDMetrics(w)
	writeLiveHeap(w)
}

// writeLiveHeap writes what the last collection of garbage found in use, in bytes.
// Unlike the heap's size it does not swing between collections, and shows whether
// the process forgets what it no longer needs.
func writeLiveHeap(w io.Writer) {
	s := []runtime.Sample{{Name: "/gc/heap/live:bytes"}}
	if runtime.Read(s); s[0].Value.Kind() == runtime.KindUint64 {
		metrics.WriteGaugeUint64(w, "envivo_heap_live_bytes", s[0].Value.Uint64())
	}
}

func (s *Server) metricsPage(w http.ResponseWriter, r *http.Request) {
	if s.identify(r).scope < ScopeRead {
		http.Error(w, "no autorizado", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	s.WriteMetrics(w)
}

// WriteMetrics writes what /metrics shows.
func (s *Server) WriteMetrics(w io.Writer) {
	s.desk.measure(w)
	s.meters.write(w)
}
