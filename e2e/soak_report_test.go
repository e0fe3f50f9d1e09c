package e2e

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"
)

// quantity is something that must be as flat in the last third as in the first.
// A latency may grow as much as that of the other box did, which has next to
// nothing to do on the same machine.
type quantity struct {
	name, unit string
	of         func(*soak, time.Duration, time.Duration) float64 // within a span
	factor     float64                                           // last third over first, at most, in a long run
	p          float64                                           // which percentile of a latency it is
}

// quantities are the rows of the report. What a plant remembers of its last two
// days (receipts) and reads again from its file is part of the memory, and grows
// with the commands.
func quantities() []quantity {
	took := func(p float64) func(*soak, time.Duration, time.Duration) float64 {
		return func(k *soak, from, to time.Duration) float64 { return latency(k.acts, from, to, p) }
	}
	middle := func(of func(sample) float64) func(*soak, time.Duration, time.Duration) float64 {
		return func(k *soak, from, to time.Duration) float64 { return k.median(from, to, of) }
	}
	return []quantity{
		{"command, p50", "ms", took(0.50), 1.5, 0.50},
		{"command, p95", "ms", took(0.95), 2, 0.95},
		{"command, p99", "ms", took(0.99), 3, 0.99},
		{"resident memory", "MB", middle(func(s sample) float64 { return s.rss }), 1.4, 0},
		{"live heap", "MB", middle(func(s sample) float64 { return s.heap }), 1.4, 0},
		{"goroutines", "", middle(func(s sample) float64 { return s.goroutines }), 1.1, 0},
		{"file descriptors", "", middle(func(s sample) float64 { return s.descriptors }), 1.1, 0},
	}
}

// latency is a percentile of the commands due within a span, in milliseconds.
func latency(acts []act, from, to time.Duration, p float64) float64 {
	var ms []float64
	for _, a := range acts {
		if a.due >= from && a.due < to {
			ms = append(ms, a.took.Seconds()*1000)
		}
	}
	if len(ms) == 0 {
		return math.NaN()
	}
	slices.Sort(ms)
	return ms[int(p*float64(len(ms)-1))]
}

// median is the middle of what the samples of a span say.
func (k *soak) median(from, to time.Duration, of func(sample) float64) float64 {
	var all []float64
	for _, s := range k.samples {
		if s.at >= from && s.at < to {
			all = append(all, of(s))
		}
	}
	if len(all) == 0 {
		return math.NaN()
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// verdict compares the last third with the first.
type verdict struct {
	quantity
	thirds  [3]float64
	allowed float64 // last over first
}

func (v verdict) flat() bool { return v.thirds[2] <= v.thirds[0]*v.allowed }

// verdicts are one per quantity. A short run still fills its memory during the
// first third and has a hundred commands in each: it may deviate twice as far, and
// of so few commands the slowest one tells nothing.
func (k *soak) verdicts() []verdict {
	third, short := k.long/3, k.long < 5*time.Minute
	var out []verdict
	for _, q := range quantities() {
		v := verdict{quantity: q, allowed: q.factor}
		if short {
			v.allowed = 1 + 2*(q.factor-1)
		}
		if q.p > 0 {
			v.allowed *= max(1, latency(k.apart, 2*third, k.long, q.p)/latency(k.apart, 0, third, q.p))
		}
		if short && q.p == 0.99 {
			v.allowed = math.Inf(1)
		}
		for i := range v.thirds {
			v.thirds[i] = q.of(k, third*time.Duration(i), third*time.Duration(i+1))
		}
		out = append(out, v)
	}
	return out
}

func (k *soak) judge() {
	for _, v := range k.verdicts() {
		k.t.Logf("%-16s %8.1f → %8.1f → %8.1f %s; last over first %.2f, allowed %.2f", v.name, v.thirds[0], v.thirds[1], v.thirds[2], v.unit, v.thirds[2]/v.thirds[0], v.allowed)
		if !v.flat() {
			k.t.Errorf("%s is not flat: %.1f %s in the first third, %.1f in the last", v.name, v.thirds[0], v.unit, v.thirds[2])
		}
	}
}

// report is docs/bench/soak.md.
func (k *soak) report() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Soak

Written by %s with its plot; %s. %s, %s/%s, %d processors that the box shares with
its clients, the Sheet and whatever else ran: the load average was %.0f in the middle of the samples. A second box on the same machine that gets five commands per second and nothing
else answered them in %.1f ms (p50), %.1f ms (p95): what the machine itself costs.

- %d sockets, of which %d never read; %d commands per second by the clock, latency counted from the scheduled instant;
  %d commands, none refused; %d times no answer came in time, and the same was asked again under the same key.
- The Sheet is the emulator behind the real client library. In each third of the time the same four troubles: %s.
- At every storm all %d readers are cut off and come back at once, and the sockets that never read are exchanged for others.
- Afterwards each reader had seen every event once, the Sheet agreed with the store row by row and event by event, and check passed.

![latency, memory, goroutines and descriptors](soak.svg)

| | first third | second | last | last over first | allowed |
|---|---|---|---|---|---|
`, "`make soak`", time.Now().UTC().Format("2006-01-02 15:04 UTC"), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(),
		k.median(0, k.long, func(s sample) float64 { return s.load }), latency(k.apart, 0, k.long, 0.5), latency(k.apart, 0, k.long, 0.95),
		soakReaders+soakDeaf, soakDeaf, soakRate, len(k.acts), k.repeats.Load(), strings.Join(k.kinds(), "; "), soakReaders)
	for _, v := range k.verdicts() {
		name := v.name
		if v.unit != "" {
			name += ", " + v.unit
		}
		fmt.Fprintf(&b, "| %s | %.1f | %.1f | %.1f | %.2f | %.2f |\n", name, v.thirds[0], v.thirds[1], v.thirds[2], v.thirds[2]/v.thirds[0], v.allowed)
	}
	fmt.Fprintf(&b, `
Duration %v. Latencies may grow by what those of the other box grew between the thirds. The live heap is what the last collection
of garbage found in use. It holds the receipts of 48 hours, and resident memory the pages of the file that were read as well, so
both grow slowly with the commands of the first two days.
`, k.long)
	return b.String()
}

// kinds are the troubles that were made, each once.
func (k *soak) kinds() []string {
	var out []string
	for _, s := range k.steps {
		if s != "" && s != "storm" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
