package e2e

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// The picture's measures, in its own units.
const (
	plotWide  = 860
	plotLeft  = 64
	plotRight = 16
	panelHigh = 150
	panelGap  = 44
	plotTop   = 34
)

// line is one curve of a panel.
type line struct {
	name, colour string
	at           func(i int) (x time.Duration, y float64)
	n            int
}

// panel is one diagram: a unit and the curves that share it.
type panel struct {
	title string
	lines []line
}

// plot is docs/bench/soak.svg. Its greys and colours can be read on light and on
// dark, and it has no background of its own.
func (k *soak) plot() string {
	of := func(name, colour string, of func(sample) float64) line {
		return line{name, colour, func(i int) (time.Duration, float64) { return k.samples[i].at, of(k.samples[i]) }, len(k.samples)}
	}
	const windows = 60
	took := func(name, colour string, acts []act, p float64) line {
		w := k.long / windows
		return line{name, colour, func(i int) (time.Duration, float64) {
			return w*time.Duration(i) + w/2, latency(acts, w*time.Duration(i), w*time.Duration(i+1), p)
		}, windows}
	}
	panels := []panel{
		{"commands, ms from the scheduled instant", []line{took("p50", "#2f9e6e", k.acts, 0.5), took("p95", "#d08a1d", k.acts, 0.95), took("p99", "#c2557a", k.acts, 0.99)}},
		{"memory, MB", []line{of("resident", "#4a7fd0", func(s sample) float64 { return s.rss }), of("live heap", "#2f9e6e", func(s sample) float64 { return s.heap })}},
		{"count", []line{of("goroutines", "#4a7fd0", func(s sample) float64 { return s.goroutines }), of("file descriptors", "#d08a1d", func(s sample) float64 { return s.descriptors })}},
		{"the other box, with five commands per second: ms", []line{took("p50", "#2f9e6e", k.apart, 0.5), took("p95", "#d08a1d", k.apart, 0.95)}},
	}
	high := plotTop + len(panels)*(panelHigh+panelGap) + 24
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" fill="#808080">`+"\n", plotWide, high)
	fmt.Fprintf(&b, `<text x="%d" y="16">%v; shaded: the Sheet in trouble; dashed: all readers come back at once</text>`+"\n", plotLeft, k.long)
	for i, p := range panels {
		k.panel(&b, p, plotTop+i*(panelHigh+panelGap))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">minutes</text>`+"\n</svg>\n", plotWide-plotRight, high-8)
	return b.String()
}

// across is where an instant lies on the time axis.
func (k *soak) across(at time.Duration) float64 {
	return plotLeft + float64(plotWide-plotLeft-plotRight)*min(1, at.Seconds()/k.long.Seconds())
}

// panel draws one diagram with its axes below y.
func (k *soak) panel(b *strings.Builder, p panel, y int) {
	top, bottom := float64(y+18), float64(y+panelHigh)
	highest := 0.0
	for _, l := range p.lines {
		for i := range l.n {
			if _, v := l.at(i); !math.IsNaN(v) {
				highest = max(highest, v)
			}
		}
	}
	tick := round(highest / 4)
	scale := (bottom - top) / (tick * math.Max(1, math.Ceil(highest/tick)))
	k.troubles(b, top, bottom)
	fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n", plotLeft, y+10, p.title)
	for v := 0.0; v <= highest+tick/2; v += tick {
		at := bottom - v*scale
		fmt.Fprintf(b, `<path d="M%d %.1fH%d" stroke="#808080" stroke-opacity=".35"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n", plotLeft, at, plotWide-plotRight, plotLeft-6, at+4, v)
	}
	for i := range 7 {
		at := k.long * time.Duration(i) / 6
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%.3g</text>`+"\n", k.across(at), bottom+16, at.Minutes())
	}
	for n, l := range p.lines {
		var d strings.Builder
		for i := range l.n {
			at, v := l.at(i)
			if math.IsNaN(v) {
				continue
			}
			fmt.Fprintf(&d, "%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[d.Len() == 0], k.across(at), bottom-v*scale)
		}
		fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.6"/><text x="%d" y="%d" text-anchor="end" fill="%s">%s</text>`+"\n",
			d.String(), l.colour, plotWide-plotRight-110*(len(p.lines)-1-n), y+10, l.colour, l.name)
	}
}

// troubles shades the steps in which the Sheet failed and marks the storms.
func (k *soak) troubles(b *strings.Builder, top, bottom float64) {
	step := k.long / soakSteps
	for n, what := range k.steps {
		from, to := k.across(step*time.Duration(n)), k.across(step*time.Duration(n+1))
		switch what {
		case "":
		case "storm":
			fmt.Fprintf(b, `<path d="M%.1f %.1fV%.1f" stroke="#808080" stroke-dasharray="3 3"/>`+"\n", from, top, bottom)
		default:
			fmt.Fprintf(b, `<path d="M%.1f %.1fH%.1fV%.1fH%.1fz" fill="#808080" fill-opacity=".16"/>`+"\n", from, top, to, bottom, from)
		}
	}
}

// round gives the next number up that people read easily: 1, 2 or 5 of a decade.
func round(v float64) float64 {
	if v <= 0 {
		return 1
	}
	decade := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*decade {
			return m * decade
		}
	}
	return 10 * decade
}
