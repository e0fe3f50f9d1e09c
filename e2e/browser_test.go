package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser starts one headless Chromium for a test and returns its first tab.
func browser(t *testing.T) context.Context {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(768, 1024))
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	tab, cancelTab := chromedp.NewContext(alloc)
	t.Cleanup(cancelTab)
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return tab
}

// newTab opens a further window on the same browser.
func newTab(t *testing.T, first context.Context) context.Context {
	t.Helper()
	tab, cancel := chromedp.NewContext(first)
	t.Cleanup(cancel)
	return tab
}

func open(t *testing.T, tab context.Context, url string) {
	t.Helper()
	if err := chromedp.Do(tab, chromedp.Navigate(url)); err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
}

func eval[T any](t *testing.T, tab context.Context, js string) T {
	t.Helper()
	v, err := chromedp.Run(tab, chromedp.Evaluate[T](js))
	if err != nil {
		t.Fatalf("evaluate %s: %v", js, err)
	}
	return v
}

// goneMidway are the words of the browser for a page that left while it was asked.
var goneMidway = []string{"navigated", "find context", "context was destroyed", "Promise was collected"}

// until waits for a JavaScript expression to become true and says how long it
// took. A page still being read is not asked: it lacks what the expression takes
// for granted, and an error would be taken for an answer.
func until(t *testing.T, tab context.Context, what, js string) time.Duration {
	t.Helper()
	begin := time.Now()
	for {
		_, err := chromedp.Run(tab, chromedp.Poll[bool]("document.readyState !== 'loading' && ("+js+")", chromedp.WithPollingTimeout(20*time.Second)))
		switch {
		case err == nil:
			return time.Since(begin)
		case time.Since(begin) < 20*time.Second && slices.ContainsFunc(goneMidway, func(s string) bool { return strings.Contains(err.Error(), s) }):
			// The page went away while it was asked: ask the one that comes.
		default:
			t.Fatalf("%s: %v; page:\n%s", what, err, tail(eval[string](t, tab, "document.body.innerText"), 3000))
		}
	}
}

// live waits until the page says that it hears the box.
func live(t *testing.T, tab context.Context) {
	t.Helper()
	until(t, tab, "the page never became live", `document.querySelector('[data-marca]')?.textContent.includes('Al día') ?? false`)
}

// liveDOM is the page's content without what may differ between a live page
// and a fresh one: passing times and the ids of commands not yet sent.
const liveDOM = `(() => {
	const m = document.querySelector('main').cloneNode(true);
	m.querySelectorAll('[data-elapsed]').forEach(e => { e.textContent = '' });
	m.querySelectorAll('input[type=hidden]').forEach(e => e.removeAttribute('value'));
	return m.innerHTML.replace(/\s+/g, ' ');
})()`

func TestTwoWindows(t *testing.T) {
	t.Parallel()
	s := serve(t, newPlant(t, 30, 5))
	a := browser(t)
	b := newTab(t, a)
	open(t, a, s.url+"/quien")
	live(t, a)
	s.post("/api/occupation/tomar", take(spoolTag(1), fitterA, "ARM")).want(t, "TOMAR", 200)
	took := until(t, a, "TOMAR by another client never showed on /quien", `document.querySelector('main').innerText.includes('S-0001')`)
	t.Logf("a TOMAR by HTTP was on the other window's screen %d ms after its answer", took.Milliseconds())

	open(t, b, s.url+"/")
	clickText(t, b, "Bruno Castro")
	until(t, b, "Bruno never became the acting person", `document.querySelector('header').innerText.includes('Bruno Castro')`)
	open(t, b, s.url+"/spools/"+spoolTag(2))
	live(t, b)
	click(t, b, `[data-cmd="TOMAR"], [data-cmd^="TOMAR"]`)
	took = until(t, a, "TOMAR in window B never showed in window A", `document.querySelector('main').innerText.includes('S-0002')`)
	t.Logf("a TOMAR tapped in window B was in window A %d ms after the tap returned", took.Milliseconds())
	until(t, b, "window B never offered to finish", `!!document.querySelector('[data-cmd="TERMINAR"], [data-cmd="TERMINAR_TODO"], [data-cmd^="TERMINAR"]')`)
	if r := s.get("/api/occupation/status/" + spoolTag(2)); r.text("ocupado_por") != "BC(13)" {
		t.Errorf("after the tap the holder is %s, want BC(13)", r.Raw)
	}
	s.post("/api/occupation/pausar", take(spoolTag(1), fitterA, "ARM")).want(t, "PAUSAR", 200)
	until(t, a, "PAUSAR never left /quien", `!document.querySelector('main').innerText.includes('S-0001')`)
}

// drawn is true once something of a page is on the glass. Before that no hand
// touches it, and rows that are laid out when they come into sight are not yet.
const drawn = `performance.getEntriesByName('first-contentful-paint').length > 0`

// click touches an element where it is drawn.
func click(t *testing.T, tab context.Context, selector string) {
	t.Helper()
	until(t, tab, selector+" never appeared", fmt.Sprintf(`!!document.querySelector(%q) && %s`, selector, drawn))
	if err := chromedp.Do(tab, chromedp.Click(selector, chromedp.NodeVisible)); err != nil {
		t.Fatalf("click %s: %v", selector, err)
	}
}

// clickText touches the button or link that carries the text.
func clickText(t *testing.T, tab context.Context, text string) {
	t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll('button, a')].find(e => e.innerText.includes(%q) && e.offsetParent)`, text)
	until(t, tab, "no button says "+text, "!!"+find+" && "+drawn)
	eval[bool](t, tab, "("+find+`.scrollIntoView({block: 'center', behavior: 'instant'}), true)`)
	box := eval[[]float64](t, tab, "(r => [r.x + r.width / 2, r.y + r.height / 2])("+find+".getBoundingClientRect())")
	if err := chromedp.Do(tab, chromedp.MouseClickXY(box[0], box[1])); err != nil {
		t.Fatalf("click %s: %v", text, err)
	}
}

// TestACutWireIsTold: 15 s after the box's last word the page says so, refuses
// commands without sending or keeping them, and wakes when the box is back.
func TestACutWireIsTold(t *testing.T) {
	t.Parallel()
	s := serve(t, newPlant(t, 5, 0))
	wire := newWire(t, strings.TrimPrefix(s.url, "http://"))
	tab := browser(t)
	open(t, tab, wire.url+"/?volver=/spools/"+spoolTag(1))
	clickText(t, tab, "Ana Bravo")
	until(t, tab, "Ana never came to the spool", `!!document.querySelector('[data-cmd="TOMAR"]')`)
	live(t, tab)
	wire.cut()
	took := until(t, tab, "the page never said that the box is away", `!document.querySelector('[data-caida]').hidden`)
	t.Logf("the banner was there %.1f s after the wire was cut", took.Seconds())
	if got := eval[string](t, tab, `document.querySelector('[data-caida]').innerText`); !strings.HasPrefix(got, "Sin conexión con el servidor desde las ") {
		t.Errorf("the banner says %q", got)
	}
	click(t, tab, `[data-cmd="TOMAR"]`)
	until(t, tab, "the tap was not refused on the page", `document.querySelector('[data-avisos]').innerText.includes('Sin conexión: no se guardó nada.')`)
	wire.mend()
	until(t, tab, "the page never said that the box is back", `document.querySelector('[data-caida]').hidden && document.querySelector('[data-marca]').innerText.includes('Conectado. Datos al día')`)
	if r := s.get("/api/occupation/status/" + spoolTag(1)); r.text("ocupado_por") != "" {
		t.Errorf("the refused tap was kept and sent later: the holder is %s", r.Raw)
	}
	click(t, tab, `[data-cmd="TOMAR"]`)
	until(t, tab, "after the outage TOMAR no longer works", `!!document.querySelector('[data-cmd="TERMINAR"]')`)
}

func keep(t *testing.T, name, text string) {
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name), []byte(text), 0o644); err != nil {
		t.Log(err)
	}
}

func window(s string, i int) string { return s[max(0, i-80):min(len(s), i+160)] }

// work sends n random commands of many workers; refusals are part of it.
func work(t *testing.T, s *server, rng *rand.Rand, n int) {
	t.Helper()
	for range n {
		tag := spoolTag(1 + rng.IntN(60))
		if rng.IntN(8) == 0 {
			tag = jointTag(1 + rng.IntN(6))
		}
		worker := 101 + rng.IntN(6)
		verb := []string{"tomar", "tomar", "pausar", "pausar", "completar"}[rng.IntN(5)]
		if verb != "tomar" {
			if who := askHolder(s, tag); who.owner != 0 {
				worker = who.owner
			}
		}
		if r := s.post("/api/occupation/"+verb, take(tag, worker, "ARM")); r.Status >= 500 {
			t.Fatalf("%s %s by %d = %d %s", verb, tag, worker, r.Status, r.Raw)
		}
	}
}

// wire is a cable between a page and the box that a test can pull.
type wire struct {
	url  string
	mu   sync.Mutex
	down bool
	ends map[net.Conn]bool
}

func newWire(t *testing.T, to string) *wire {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	w := &wire{url: "http://" + ln.Addr().String(), ends: map[net.Conn]bool{}}
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			go w.carry(in, to)
		}
	}()
	return w
}

func (w *wire) carry(in net.Conn, to string) {
	out, err := net.Dial("tcp", to)
	if err != nil {
		in.Close()
		return
	}
	w.mu.Lock()
	if w.down {
		in.Close()
		out.Close()
	} else {
		w.ends[in], w.ends[out] = true, true
	}
	w.mu.Unlock()
	go pump(in, out)
	pump(out, in)
	w.mu.Lock()
	delete(w.ends, in)
	delete(w.ends, out)
	w.mu.Unlock()
}

func pump(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = true
	for c := range w.ends {
		c.Close()
	}
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = false
}
