package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// samples is a latency histogram from 1 µs to 60 s with three digits.
type samples struct {
	mu      sync.Mutex
	h       *hdrhistogram.Histogram
	failed  int
	elapsed time.Duration
}

func newSamples() *samples { return &samples{h: hdrhistogram.New(1, 60_000_000, 3)} }

func (s *samples) add(d time.Duration) { _ = s.h.RecordValue(max(1, d.Microseconds())) }

func (s *samples) merge(o *samples) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.Merge(o.h)
	s.failed += o.failed
}

func (s *samples) rate() float64 { return float64(s.h.TotalCount()) / s.elapsed.Seconds() }

func (s *samples) ms(q float64) float64 { return float64(s.h.ValueAtQuantile(q)) / 1000 }

func (s *samples) String() string {
	return fmt.Sprintf("%.0f/s, p50 %.2f ms, p95 %.2f ms, p99 %.2f ms, max %.1f ms, n %d, failed %d",
		s.rate(), s.ms(50), s.ms(95), s.ms(99), float64(s.h.Max())/1000, s.h.TotalCount(), s.failed)
}
