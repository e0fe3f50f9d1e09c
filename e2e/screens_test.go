package e2e

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The people of the sample plant who stand before these screens.
const (
	demoFitter    = 91 // Luis Sepúlveda, Armador
	demoWelder    = 94 // Carlos Peña, Soldador
	demoInspector = 97 // Patricia Núñez, Metrologia
)

// screen is one thing to look at.
type screen struct {
	name, path string
	// expect is the part of a console line that belongs to it, such as the
	// browser's remark about a 404.
	expect string
}

// scene is a series of screens of one person; enter prepares the tablet.
type scene struct {
	who     string
	enter   func(*eye)
	screens []screen
}

// tagged are the spools of the sample plant the screens are about.
type tagged struct{ held, free, partial, locked, notReady, waiting, rejected, approved, others string }

var dataTag = regexp.MustCompile(`<li[^>]* data-tag="([^"]+)"`)

// first gives the first spools a list shows.
func (s *server) first(path string, n int) []string {
	s.t.Helper()
	resp, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var tags []string
	for _, m := range dataTag.FindAllStringSubmatch(string(body), -1) {
		if !slices.Contains(tags, m[1]) {
			tags = append(tags, m[1])
		}
	}
	if len(tags) < n {
		s.t.Fatalf("%s shows %d spools, want %d at least: %s", path, len(tags), n, tail(string(body), 1500))
	}
	return tags[:n]
}

// withUnions gives the first spool of a list that has unions.
func (s *server) withUnions(path string) string {
	s.t.Helper()
	for _, tag := range s.first(path, 20) {
		resp, err := http.Get(s.url + "/spools/" + tag)
		if err != nil {
			s.t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil && strings.Count(string(body), `class="union`) >= 3 {
			return tag
		}
	}
	s.t.Fatalf("%s has no spool with unions among its first twenty", path)
	return ""
}

// setDemo finds a spool for each state and lets the fitter take one.
func setDemo(s *server) tagged {
	s.t.Helper()
	one := func(state string) string { return s.first("/spools?estado="+state, 1)[0] }
	d := tagged{held: s.withUnions("/spools?estado=LISTO_ARM"), partial: one("PARCIAL"), locked: one("BLOQUEADO"), notReady: one("NO_LISTO"),
		waiting: s.withUnions("/spools?estado=POR_INSPECCIONAR"), rejected: one("RECHAZADO"), approved: one("APROBADO"), others: one("EN_CURSO_SOLD")}
	for _, tag := range s.first("/spools?estado=LISTO_ARM", 3) {
		if tag != d.held {
			d.free = tag
		}
	}
	s.post("/api/occupation/tomar", take(d.held, demoFitter, "ARM")).want(s.t, "TOMAR for the fitter", 200)
	return d
}

// scenes are all screens, by who stands before them.
func scenes(d tagged) []scene {
	at := func(tag string) string { return "/spools/" + tag }
	return []scene{
		{"nobody", func(*eye) {}, []screen{
			{"inicio", "/", ""}, {"inicio soldadores", "/?rol=SOLDADOR", ""}, {"entrar", "/entrar", ""}, {"quien", "/quien", ""}, {"menu", "/menu", ""},
			{"spool de otro sin persona", at(d.others), ""}, {"no existe", "/spools/NO-HAY-TAL", "404"},
		}},
		{"fitter", func(e *eye) { e.as(demoFitter) }, []screen{
			{"mis", "/mis", ""}, {"listos", "/listos", ""}, {"spools", "/spools", ""}, {"spools vacio", "/spools?q=zzzz&nv=0123", ""}, {"spools nv", "/spools?hacer=nv", ""},
			{"spool mio", at(d.held), ""}, {"spool listo", at(d.free), ""}, {"spool parcial", at(d.partial), ""}, {"spool no listo", at(d.notReady), ""},
			{"spool rechazado", at(d.rejected), ""}, {"spool aprobado", at(d.approved), ""}, {"mas", at(d.held) + "?hacer=mas", ""}, {"nota", at(d.held) + "?hacer=nota", ""},
			{"cancelar", at(d.held) + "?hacer=cancelar", ""}, {"traspasar", at(d.held) + "?hacer=traspasar", ""}, {"uniones", at(d.free) + "/uniones", ""}, {"canasta", "/canasta", ""},
			{"mi registro", fmt.Sprintf("/mi-registro/%d", demoFitter), ""}, {"dossier", at(d.approved) + "/dossier", ""},
			{"cifras", "/cifras", ""}, {"momento", "/momento", ""}, {"sync", "/sync", ""}, {"imprimir", "/imprimir", ""}, {"imprimir tarjetas", "/imprimir?que=tarjetas", ""},
		}},
		{"welder with nothing", func(e *eye) { e.as(demoWelder) }, []screen{{"mis sin toma", "/mis", ""}, {"listos para soldar", "/listos", ""}}},
		{"inspector", func(e *eye) { e.as(demoInspector) }, []screen{
			{"metrologia", "/metrologia", ""}, {"por inspeccionar", at(d.waiting), ""}, {"rechazo", at(d.waiting) + "?hacer=rechazado", ""}, {"reparacion", "/reparacion", ""},
		}},
		{"supervisor", func(e *eye) { e.form("/entrar", "pin="+demoPIN) }, []screen{
			{"supervisor", "/supervisor", ""}, {"menu supervisor", "/menu", ""}, {"bloqueado", at(d.locked), ""}, {"corregir", at(d.approved) + "/corregir", ""}, {"desbloquear", at(d.locked) + "?hacer=desbloquear", ""},
			{"spool de otro", at(d.others), ""}, {"liberar", at(d.others) + "?hacer=liberar", ""}, {"vencidas", "/quien?vencidas=1", ""}, {"cifras supervisor", "/cifras", ""},
			{"frenos", "/supervisor/frenos", ""}, {"asignar", fmt.Sprintf("/canasta?para=%d", demoFitter), ""},
		}},
	}
}

// menuLinks are the addresses the menu leads to, so that a page cannot be added
// without being looked at.
var menuLinks = `[...document.querySelectorAll('main .menu a')].map(a => a.getAttribute('href'))`

// TestEveryScreen looks at every screen as three tablets show it, by day and by
// night, with the usual and with double letters, by hand and by keyboard, and
// keeps a picture of each.
func TestEveryScreen(t *testing.T) {
	t.Parallel() // with the fifty pages, which mostly wait
	s := demo(t)
	d := setDemo(s)
	axe := axeSource(t)
	first := browser(t)
	shots := shotFolder(t)
	for _, size := range []struct {
		width, height int64
		theme         string // the one axe is asked in
		keyboard      bool
	}{{601, 962, "light", false}, {768, 1024, "", true}, {1280, 800, "dark", false}} {
		if testing.Short() && size.keyboard {
			continue // the walk by keyboard takes as long as both others
		}
		t.Run(fmt.Sprintf("%dx%d", size.width, size.height), func(t *testing.T) {
			t.Parallel()
			e := newEye(t, first, s, shots, size.width, size.height)
			open(t, e.tab, s.url+"/menu")
			l := look{eye: e, axe: axe, axeTheme: size.theme, keyboard: size.keyboard}
			for _, sc := range scenes(d) {
				for _, screen := range sc.screens {
					l.known = append(l.known, screen.path)
				}
			}
			for _, sc := range scenes(d) {
				sc.enter(e)
				for _, screen := range append(sc.screens, l.more()...) {
					l.at(screen)
				}
			}
		})
	}
}

// look is how a screen is looked at on one tablet.
type look struct {
	*eye
	axe, axeTheme string
	keyboard      bool
	known         []string
}

// more are the pages this person's menu leads to that no list names.
func (l *look) more() []screen {
	l.t.Helper()
	open(l.t, l.tab, l.s.url+"/menu")
	var out []screen
	for _, path := range eval[[]string](l.t, l.tab, menuLinks) {
		// Other words for a listed page, and the wall, which has its own test.
		if slices.Contains(l.known, path) || strings.HasPrefix(path, "/tv") {
			continue
		}
		l.known = append(l.known, path)
		out = append(out, screen{name: "menu " + path, path: path})
	}
	return out
}

// at opens a screen and judges it in every way. In a short run one picture of
// it is kept per tablet, in the theme that axe looks at.
func (l *look) at(sc screen) {
	l.t.Helper()
	open(l.t, l.tab, l.s.url+sc.path)
	until(l.t, l.tab, sc.path+" never got its script", `!!window.envivo || !document.querySelector('script[src*="app"]')`)
	l.ask(sc.name, "by hand", `audit.plain()`)
	l.ask(sc.name, "between targets", `audit.gaps()`)
	eval[bool](l.t, l.tab, `audit.top()`)
	for _, theme := range []string{"dark", "light"} {
		l.theme(theme)
		if !testing.Short() || theme == l.axeTheme {
			l.shoot(sc.name, theme)
		}
	}
	eval[bool](l.t, l.tab, `audit.shorten()`)
	if l.keyboard {
		l.tabThrough(sc)
	}
	l.letters(32)
	l.ask(sc.name, "letters of 200 %", `audit.large()`)
	eval[bool](l.t, l.tab, `audit.top()`)
	if !testing.Short() {
		l.shoot(sc.name, "letters")
	}
	l.letters(16)
	if l.axeTheme != "" {
		l.theme(l.axeTheme)
		eval[bool](l.t, l.tab, `(() => { `+l.axe+`; return !!window.axe; })()`)
		l.ask(sc.name, "axe, "+l.axeTheme, `audit.axed()`)
		l.theme("light")
	}
	for _, said := range l.heard(sc.expect) {
		l.t.Errorf("%s at %s: %s", sc.name, l.size, said)
	}
}

// tabThrough goes over the page with the tabulator key.
func (l *look) tabThrough(sc screen) {
	l.t.Helper()
	for range eval[int](l.t, l.tab, `audit.tabbing()`) + 4 {
		if err := chromedp.Do(l.tab, chromedp.KeyEvent(kb.Tab)); err != nil {
			l.t.Fatalf("%s: press Tab: %v", sc.name, err)
		}
	}
	l.ask(sc.name, "by keyboard", `audit.tabbed()`)
}

// TestTheWall photographs each board as the television shows it: nothing is cut
// off, nothing scrolls, and tails and names are legible from five metres.
func TestTheWall(t *testing.T) {
	t.Parallel()
	s := demo(t)
	axe := axeSource(t)
	e := newEye(t, browser(t), s, shotFolder(t), 1920, 1080)
	for _, board := range []string{"quien", "filas", "hoy", "alertas"} {
		for _, theme := range []string{"noche", "dia"} {
			path := "/tv?vista=" + board
			if theme == "dia" {
				path += "&tema=dia"
			}
			open(t, e.tab, s.url+path)
			live(t, e.tab)
			e.shoot("tv "+board, theme)
			e.ask(path, "from below", `audit.wall()`)
			if got := eval[bool](t, e.tab, `document.documentElement.scrollHeight > innerHeight`); got {
				t.Errorf("%s scrolls", path)
			}
			eval[bool](t, e.tab, `(() => { `+axe+`; return !!window.axe; })()`)
			e.ask(path, "axe", `audit.axed()`)
		}
	}
	open(t, e.tab, s.url+"/tv?vista=quien")
	live(t, e.tab)
	small := eval[[]string](t, e.tab, `[...document.querySelectorAll('.tv-nombre, .tv-cola b')].filter(x => x.checkVisibility() && parseFloat(getComputedStyle(x).fontSize) < 52).map(x => x.innerText + ' ' + getComputedStyle(x).fontSize)`)
	if len(small) > 0 {
		t.Errorf("too small to be read from five metres, want 52 px at least: %v", small)
	}
	for _, said := range e.heard("") {
		t.Errorf("the wall: %s", said)
	}
}

// TestAShiftOfTwoTabletsAndAWall plays a part of a shift by touch: what one
// tablet does is on the other and on the wall without a reload.
func TestAShiftOfTwoTabletsAndAWall(t *testing.T) {
	t.Parallel()
	s := serve(t, sevenPlant(t))
	shots := shotFolder(t)
	a := newTablet(t, s, 601, 962)
	upright := &eye{t: t, tab: a.tab, s: s, shots: shots, size: "601x962"}
	lying := newEye(t, a.tab, s, shots, 1280, 800)
	wall := newEye(t, a.tab, s, shots, 1920, 1080)
	for _, e := range []*eye{upright, lying} { // nobody leaves by being slow: pictures take their time
		open(t, e.tab, s.url+"/")
		e.form("/tablet", "tipo=personal")
		open(t, e.tab, s.url+"/")
	}
	b := &tablet{t: t, tab: lying.tab, s: s}
	open(t, wall.tab, s.url+"/tv?vista=quien")
	live(t, wall.tab)
	step := 0
	shoot := func(what string) {
		step++
		for _, e := range []*eye{upright, lying, wall} {
			e.shoot(fmt.Sprintf("turno %02d %s", step, what), "light")
		}
	}
	onWall := func(text string, there bool) {
		t.Helper()
		until(t, wall.tab, fmt.Sprintf("%q on the wall is not %t", text, there), fmt.Sprintf(`document.querySelector('main').innerText.includes(%q) === %t`, text, there))
	}
	a.is("Ana Bravo", "Armador").row(sevenTag)
	b.is("Bruno Castro", "Armador").row(sevenTag)
	shoot("los dos miran el mismo spool")
	a.cmd("TOMAR").said("Tomado")
	onWall("Ana Bravo", true)
	until(t, b.tab, "the other tablet still offers TOMAR", `!document.querySelector('[data-cmd="TOMAR"]') && document.querySelector('.bajo').innerText.includes('Ana Bravo')`)
	shoot("Ana lo toma")
	a.cmd("TERMINAR").said("Terminado ARM")
	onWall("Ana Bravo", false)
	shoot("Ana termina")
	b.cmd("SALIR").is("Carlos Díaz", "Soldador").row(sevenTag).cmd("TOMAR").said("Tomado")
	onWall("Carlos Díaz", true)
	b.cmd("TERMINAR").said("Terminado SOLD")
	shoot("Carlos termina")
	a.cmd("SALIR").is("Elena Fuentes", "Metrología").row(sevenTag).cmd("APROBADO").said("Aprobado")
	until(t, b.tab, "the other tablet never said Aprobado", `document.querySelector('main').innerText.includes('Aprobado')`)
	shoot("Elena aprueba")
	for _, e := range []*eye{lying, wall} {
		for _, said := range e.heard("") {
			t.Errorf("%s: %s", e.size, said)
		}
	}
}
