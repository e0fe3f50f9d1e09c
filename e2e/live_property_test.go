package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
)

// seedEnv repeats a run: the same pages, filters, commands and cuts.
const seedEnv = "ENVIVO_SEED"

// seeded gives the randomness of a run and prints how to have it again.
func seeded(t *testing.T, usual uint64) *rand.Rand {
	t.Helper()
	seed := usual
	if text := os.Getenv(seedEnv); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", seedEnv, err)
		}
		seed = n
	}
	t.Logf("%s=%d", seedEnv, seed)
	return rand.New(rand.NewPCG(seed, 15))
}

// anyPages gives a page of every kind, each with a filter made up at random.
func anyPages(rng *rand.Rand) []string {
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	list := func(path string, params ...string) string {
		q := url.Values{}
		for i := 0; i+1 < len(params); i += 2 {
			if rng.IntN(2) == 0 {
				q.Set(params[i], params[i+1])
			}
		}
		if len(q) == 0 {
			return path
		}
		return path + "?" + q.Encode()
	}
	state := pick("LISTO_ARM", "EN_CURSO_ARM", "PARCIAL", "LISTO_SOLD", "EN_CURSO_SOLD", "POR_INSPECCIONAR", "RECHAZADO", "APROBADO")
	nv := pick("NV000", "NV001", "NV002", "NV500")
	return []string{
		list("/spools", "nv", nv, "q", pick("s-00", "u", "1", "obrero", "ana")),
		"/spools?estado=" + state,
		"/spools?" + pick("estado=LISTO_ARM", "hasta=90", "q=s-00&hasta=60"),
		list("/listos", "nv", nv, "operacion", pick("ARM", "SOLD")),
		list("/listos", "nv", nv, "estado", "NO_LISTO"),
		list("/quien", "vencidas", "1"),
		"/mi-registro/" + pick("12", "34", "101"),
		"/metrologia",
		"/reparacion",
		"/spools/" + pick(spoolTag(1), spoolTag(7), jointTag(2)),
		"/spools/" + spoolTag(3) + "?lista=" + url.QueryEscape(pick("/spools?hasta=90", "/listos", "/quien", "/metrologia", "/reparacion")),
		"/tv?vista=" + pick("quien", "filas", "hoy"),
		"/",
	}
}

// TestLiveEqualsReload is the property G-15: whatever other clients do while
// pages with any filter are open, and however often the wire to the box is cut
// and mended meanwhile, at rest each page reads like a fresh load of its
// address. All pages are open at once and hang on one wire. ENVIVO_NIGHTLY=1
// makes the run more than seven times as long.
func TestLiveEqualsReload(t *testing.T) {
	t.Parallel()
	s := serve(t, newPlant(t, 90, 5)) // more than a list's window
	wire := newWire(t, strings.TrimPrefix(s.url, "http://"))
	rng := seeded(t, 2026)
	first := browser(t)
	paths := anyPages(rng)
	tabs := make([]context.Context, len(paths))
	for i, path := range paths {
		tabs[i] = newTab(t, first)
		open(t, tabs[i], wire.url+path)
		live(t, tabs[i])
	}
	l := &labour{s: s, rng: rng}
	cuts, rounds := 0, 8
	if nightly() {
		rounds = 60
	}
	for range rounds {
		l.work(t, 30+rng.IntN(40))
		if rng.IntN(3) > 0 {
			wire.cut()
			cuts++
			l.work(t, rng.IntN(40))
			wire.mend()
		}
	}
	n := len(s.events())
	t.Logf("%d pages: %s", len(paths), strings.Join(paths, " "))
	t.Logf("%d events, %d refusals, the wire cut %d times", n, l.refused, cuts)
	if n < 200 || cuts == 0 {
		t.Fatalf("only %d events and %d cuts: this run shows nothing", n, cuts)
	}
	for i, path := range paths {
		live(t, tabs[i])
		settledLike(t, s, tabs[i], path)
	}
}

// labour is what other clients do: every verb of the floor, refusals included.
type labour struct {
	s       *server
	rng     *rand.Rand
	refused int
}

var personOf = regexp.MustCompile(`\((\d+)\)$`)

// holder is who has a spool, 0 for nobody.
func (l *labour) holder(tag string) int {
	r, err := l.s.read("/api/occupation/status/" + tag)
	if err != nil {
		return 0
	}
	m := personOf.FindStringSubmatch(r.text("ocupado_por"))
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

func (l *labour) work(t *testing.T, n int) {
	t.Helper()
	for range n {
		l.one(t)
	}
}

func (l *labour) one(t *testing.T) {
	t.Helper()
	tag := spoolTag(1 + l.rng.IntN(40))
	if l.rng.IntN(6) == 0 {
		tag = jointTag(1 + l.rng.IntN(5))
	}
	who, op := []int{fitterA, fitterB, 101, 102}[l.rng.IntN(4)], "ARM"
	if l.rng.IntN(2) == 0 {
		who, op = welder, "SOLD"
	}
	path, body := "/api/occupation/tomar", take(tag, who, op)
	switch held := l.holder(tag); {
	case held != 0:
		if held == welder {
			op = "SOLD"
		} else {
			op = "ARM"
		}
		path = "/api/occupation/" + []string{"pausar", "completar", "completar"}[l.rng.IntN(3)]
		body = take(tag, held, op)
	case l.rng.IntN(3) == 0:
		path, body = "/api/metrologia/completar", fields{"tag_spool": tag, "worker_id": metro, "resultado": []string{"APROBADO", "RECHAZADO"}[l.rng.IntN(2)]}
	case l.rng.IntN(6) == 0:
		path, body = "/api/"+[]string{"tomar", "completar"}[l.rng.IntN(2)]+"-reparacion", take(tag, fitterA, "REPARACION")
	}
	r := l.s.post(path, body)
	if r.Status >= 500 {
		t.Fatalf("%s %v = %d %s", path, body, r.Status, r.Raw)
	}
	if r.Status >= 400 {
		l.refused++
	}
}

// TestNewsLeaveThePersonAlone: while others work, typed text, the caret, the
// focus, the scroll position, an open dialog and ticks stay as they are.
func TestNewsLeaveThePersonAlone(t *testing.T) {
	t.Parallel()
	s := serve(t, newPlant(t, 60, 6))
	tab := browser(t)
	open(t, tab, s.url+"/menu")
	(&eye{t: t, tab: tab, s: s}).as(fitterA)

	open(t, tab, s.url+"/spools/"+spoolTag(3)+"?hacer=nota")
	live(t, tab)
	const text = "falta el soporte"
	call(t, tab, input.InsertText, input.InsertTextParams{Text: text}) // the field has the focus
	eval[bool](t, tab, `(document.querySelector('#texto').setSelectionRange(5, 5), true)`)
	s.post("/api/occupation/tomar", take(spoolTag(3), fitterB, "ARM")).want(t, "TOMAR", 200)
	until(t, tab, "the page never knew of the other's TOMAR", `document.querySelector('main').innerText.includes('Bruno Castro')`)
	same := fmt.Sprintf(`!!document.querySelector('dialog:modal #texto') && document.activeElement.id === 'texto' && document.activeElement.value === %q && document.activeElement.selectionStart === 5`, text)
	if !eval[bool](t, tab, same) {
		t.Errorf("after the news the open note is not as it was: %s", eval[string](t, tab, `document.activeElement.outerHTML`))
	}

	open(t, tab, s.url+"/spools")
	live(t, tab)
	eval[bool](t, tab, `(document.querySelector('#q').focus(), true)`)
	call(t, tab, input.InsertText, input.InsertTextParams{Text: "s-00"})
	until(t, tab, "the search never answered", `location.search === '?q=s-00' && !document.querySelector('main').innerText.includes('U-01')`)
	eval[bool](t, tab, `(scrollTo(0, 700), document.querySelector('#q').setSelectionRange(1, 3), true)`)
	before := eval[float64](t, tab, `scrollY`)
	for i := 10; i < 15; i++ {
		s.post("/api/occupation/tomar", take(spoolTag(i), 101, "ARM")).want(t, "TOMAR", 200)
	}
	until(t, tab, "the rows never changed", `document.querySelector('[data-tag="S-0014"]').innerText.includes('En curso')`)
	if got := eval[float64](t, tab, `scrollY`); got != before {
		t.Errorf("the news scrolled the page from %v to %v", before, got)
	}
	if !eval[bool](t, tab, `document.activeElement.id === 'q' && document.activeElement.value === 's-00' && document.activeElement.selectionStart === 1 && document.activeElement.selectionEnd === 3`) {
		t.Error("the news took the focus or the text of the search box")
	}
}

// TestTheScreenStaysOn: a page asks the browser not to let the screen go dark.
func TestTheScreenStaysOn(t *testing.T) {
	t.Parallel()
	s := serve(t, newPlant(t, 1, 0))
	tab := browser(t)
	call(t, tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		const ask = navigator.wakeLock.request.bind(navigator.wakeLock);
		navigator.wakeLock.request = (kind) => { const got = ask(kind); got.then(() => { window.awake = kind; }, (no) => { window.awake = String(no); }); return got; };`})
	open(t, tab, s.url+"/spools")
	until(t, tab, "the screen was left to go dark", `window.awake === 'screen'`)
}

// TestARowUnderAFingerStays: while a finger is down no row changes; when it has
// left, what is new waits behind a bar of fixed height until the page is at rest.
func TestARowUnderAFingerStays(t *testing.T) {
	t.Parallel()
	s := serve(t, newPlant(t, 30, 0))
	tab := browser(t)
	open(t, tab, s.url+"/spools?estado=LISTO_ARM")
	live(t, tab)
	const top = `document.querySelector('[data-tag="S-0010"]').getBoundingClientRect().top`
	before := eval[float64](t, tab, `(document.querySelector('[data-tag="S-0010"]').dispatchEvent(new PointerEvent('pointerdown', {bubbles: true})), `+top+`)`)
	for i := 1; i <= 5; i++ {
		s.post("/api/occupation/tomar", take(spoolTag(i), 101, "ARM")).want(t, "TOMAR", 200)
	}
	until(t, tab, "the news never came", fmt.Sprintf(`Number(document.body.dataset.seq) >= %d`, len(s.events())))
	if got := eval[float64](t, tab, top); got != before {
		t.Errorf("under the finger the row moved from %v to %v", before, got)
	}
	if got := await[float64](t, tab, `new Promise(done => { document.body.dispatchEvent(new PointerEvent('pointerup', {bubbles: true}));
		setTimeout(() => done(document.querySelector('[data-novedades]').hidden ? -1 : `+top+`), 10); })`); got != before {
		t.Errorf("when the finger left, the row was at %v (-1: no bar told of the news), want %v still", got, before)
	}
	// Each touch puts the rest off.
	until(t, tab, "no leaving row told why", `(document.body.dispatchEvent(new PointerEvent('pointerup', {bubbles: true})),
		/^Lo tomó .*[a-z]{3}/.test(document.querySelector('[data-tag="S-0001"].yendo .razon')?.innerText))`)
	until(t, tab, "at rest the waiting news were never applied", `document.querySelector('[data-novedades]').hidden && !document.querySelector('[data-tag="S-0001"]')`)
}
