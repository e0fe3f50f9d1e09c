package e2e

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/stopwatch.js
var stopwatches string

// spread sums a series of milliseconds up.
func spread(ms []float64) string {
	s := slices.Sorted(slices.Values(ms))
	return fmt.Sprintf("median %.1f ms, max %.1f ms, n %d", s[len(s)/2], s[len(s)-1], len(s))
}

// timed opens a tab with nothing in its cache and stopwatches in its pages.
func timed(t *testing.T, first context.Context) context.Context {
	t.Helper()
	tab, cancel := chromedp.NewContext(first, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(tab, chromedp.EmulateViewport(768, 1024)); err != nil {
		t.Fatal(err)
	}
	call(t, tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: stopwatches})
	return tab
}

// coldLoad goes to an address in a tab that stands, as the browser of whoever
// types an address does, and with nobody looking over its shoulder: the
// inspectors of document, style sheets and network that the kit turns on cost a
// load some 25 ms. It comes back when the page is usable.
func coldLoad(t *testing.T, tab context.Context, url string) {
	t.Helper()
	for _, off := range []cdp.Command[cdp.Empty, cdp.Empty]{css.Disable, dom.Disable, network.Disable, log.Disable} {
		call(t, tab, off, cdp.Empty{})
	}
	await[bool](t, tab, `new Promise((done) => { let frames = 60; (function next() { frames-- ? requestAnimationFrame(next) : done(true); })(); })`)
	if r := call(t, tab, page.Navigate, page.NavigateParams{URL: url}); r.ErrorText != "" {
		t.Fatalf("open %s: %s", url, r.ErrorText)
	}
	const usable = `new Promise((done) => { (function look() { window.usableAt > 0 ? done(true) : setTimeout(look, 25); })(); })`
	for end := time.Now().Add(20 * time.Second); ; {
		_, err := chromedp.Run(tab, chromedp.Evaluate[bool](usable, awaiting))
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s was never usable: %v", url, err)
		} // else the empty page went away while it was asked: ask the one that came
	}
}

// wireSizes is what a load took from the network, in bytes: its page, that page
// unpacked, and all of it with style sheet, scripts and font.
const wireSizes = `(() => {
	const page = performance.getEntriesByType('navigation')[0];
	return [page.transferSize, page.decodedBodySize, performance.getEntriesByType('resource').reduce((sum, r) => sum + r.transferSize, page.transferSize)];
})()`

// TestScreensAreMeasured takes the times of G-15, B-02, B-04 and B-05 with all
// 2,493 spools on one list, in the browser. The figures are printed and kept in
// docs/bench/screens.md; a test on a shared machine does not judge them, but it
// fails when a step does not end in a painted change.
func TestScreensAreMeasured(t *testing.T) {
	s := demo(t)
	first := browser(t)
	var usable, painted []float64
	for range 5 {
		tab := timed(t, first)
		coldLoad(t, tab, s.url+"/spools")
		usable = append(usable, eval[float64](t, tab, `usableAt`))
		painted = append(painted, eval[float64](t, tab, `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1`))
		if len(usable) == 1 {
			wire := eval[[]float64](t, tab, wireSizes)
			t.Logf("%d rows; on the wire: the page %.1f kB of %.0f kB plain, all with style, scripts and font %.1f kB", eval[int](t, tab, `document.querySelectorAll('main .fila').length`), wire[0]/1000, wire[1]/1000, wire[2]/1000)
		}
	}
	t.Logf("cold load of /spools, first contentful paint: first %.0f ms, then %s", painted[0], spread(painted[1:]))
	t.Logf("cold load of /spools, usable: first %.0f ms, then %s", usable[0], spread(usable[1:]))
	tab := timed(t, first)
	open(t, tab, s.url+"/spools")
	live(t, tab)
	var rows []float64
	for _, tag := range s.first("/spools?estado=LISTO_ARM", 6) {
		got := await[[]float64](t, tab, fmt.Sprintf(`stopwatch.row(%q, %d, 'tomar')`, tag, demoFitter))
		if got[1] == 0 {
			t.Errorf("the row of %s never changed on the list", tag)
		}
		rows = append(rows, got[0])
	}
	t.Logf("one row of the list, from the command's answer to its paint: %s", spread(rows))
	for _, text := range []string{"28032069", "0108", "sepulveda"} {
		eval[bool](t, tab, `(document.querySelector('#q').value = '', document.querySelector('#q').dispatchEvent(new InputEvent('input', {bubbles: true})), true)`)
		until(t, tab, "the whole list never came back", `location.search === '' && document.querySelectorAll('main .fila').length === 60`)
		var keys []float64
		for _, key := range strings.Split(text, "") {
			if got := await[[]float64](t, tab, fmt.Sprintf(`stopwatch.key(%q)`, key)); got[1] > 0 {
				keys = append(keys, got[1])
			}
		}
		if len(keys) == 0 {
			t.Fatalf("typing %q changed nothing", text)
		}
		t.Logf("search for %q, key to painted result: first key %.0f ms, all: %s", text, keys[0], spread(keys))
	}
	measureTaps(t, s, tab)
}

// measureTaps touches TOMAR and PAUSAR on spool pages.
func measureTaps(t *testing.T, s *server, tab context.Context) {
	t.Helper()
	p := &tablet{t: t, tab: tab, s: s}
	(&eye{t: t, tab: tab, s: s}).as(demoFitter)
	var taps []float64
	for _, tag := range s.first("/spools?estado=LISTO_ARM", 5) {
		open(t, tab, s.url+"/spools/"+tag)
		live(t, tab)
		for _, verb := range []string{"TOMAR", "PAUSAR"} {
			eval[bool](t, tab, `(document.querySelector('[data-avisos]').replaceChildren(), window.tapped = stopwatch.tap(), true)`)
			p.cmd(verb)
			got := await[[]float64](t, tab, `tapped`)
			if got[0] <= 0 {
				t.Errorf("the touch on %s of %s was never answered", verb, tag)
			}
			taps = append(taps, got[0])
		}
	}
	t.Logf("finger up to the painted, committed outcome: %s", spread(taps))
}

// soakEnv makes the fifty pages work longer, such as 10m.
const soakEnv = "ENVIVO_SOAK"

// footprint is what a tab holds after its garbage is collected.
type footprint struct{ heap, nodes float64 }

func weigh(t *testing.T, tab context.Context) footprint {
	t.Helper()
	call(t, tab, performance.Enable, performance.EnableParams{})
	call(t, tab, heapprofiler.CollectGarbage, cdp.Empty{})
	call(t, tab, heapprofiler.CollectGarbage, cdp.Empty{})
	var f footprint
	for _, m := range call(t, tab, performance.GetMetrics, cdp.Empty{}).Metrics {
		switch m.Name {
		case "JSHeapUsedSize":
			f.heap = m.Value / 1e6
		case "Nodes":
			f.nodes = m.Value
		}
	}
	return f
}

var residentLine = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// resident is the server's memory in MB, 0 where the system does not say.
func (s *server) resident() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	m := residentLine.FindSubmatch(text)
	if m == nil {
		return 0
	}
	kb, _ := strconv.ParseFloat(string(m[1]), 64)
	return kb / 1000
}

// TestFiftyOpenPagesLeakNothing keeps fifty pages open while commands come, five
// a second, and weighs tabs and server before and after.
func TestFiftyOpenPagesLeakNothing(t *testing.T) {
	t.Parallel()
	long := 30 * time.Second
	if text := os.Getenv(soakEnv); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("%s: %v", soakEnv, err)
		}
		long = d
	}
	s := serve(t, newPlant(t, 40, 5))
	first := browser(t)
	paths := []string{"/spools", "/quien", "/tv?vista=quien", "/spools?estado=EN_CURSO_ARM", "/tv?vista=filas", "/metrologia", "/listos", "/", "/spools/" + spoolTag(1), "/reparacion"}
	tabs := make([]context.Context, 50)
	for i := range tabs {
		tabs[i] = newTab(t, first)
		open(t, tabs[i], s.url+paths[i%len(paths)])
	}
	l := &labour{s: s, rng: seeded(t, 50)}
	l.work(t, 60) // what grows once has grown
	watched := tabs[:len(paths)]
	before := make([]footprint, len(watched))
	for i, tab := range watched {
		live(t, tab)
		before[i] = weigh(t, tab)
	}
	rss := s.resident()
	events := len(s.events())
	tick := time.NewTicker(time.Second / 5)
	defer tick.Stop()
	commands := 0
	for end := time.After(long); ; commands++ {
		select {
		case <-tick.C:
			l.one(t)
			continue
		case <-end:
		}
		break
	}
	t.Logf("fifty pages, %v, %d commands, %d events; server %.0f MB before, %.0f MB after", long, commands, len(s.events())-events, rss, s.resident())
	for i, tab := range watched {
		live(t, tab)
		after := weigh(t, tab)
		fresh := newTab(t, first) // what the page shows has changed: a leak is what a fresh load has not
		open(t, fresh, s.url+paths[i])
		live(t, fresh)
		anew := weigh(t, fresh)
		t.Logf("%-28s heap %.2f → %.2f MB, fresh %.2f; nodes %.0f → %.0f, fresh %.0f", paths[i], before[i].heap, after.heap, anew.heap, before[i].nodes, after.nodes, anew.nodes)
		if after.heap > anew.heap*1.5+2 || after.nodes > anew.nodes*1.5+600 {
			t.Errorf("%s has grown to %.2f MB and %.0f nodes, a fresh one has %.2f MB and %.0f nodes", paths[i], after.heap, after.nodes, anew.heap, anew.nodes)
		}
	}
	if got := s.resident(); got > rss*1.5+40 {
		t.Errorf("the server grew from %.0f to %.0f MB", rss, got)
	}
}
