package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// size is how large a tablet draws: its own scale, and the reader's letters in
// pixels.
type size struct {
	scale   string
	letters int64
}

func (s size) String() string { return fmt.Sprintf("%s, letters of %d px", s.scale, s.letters) }

var (
	gloves      = size{"guantes", 16}
	thickGloves = size{"gruesos", 16}
	bigLetters  = size{"dedos", 32}
)

// drawnAt sets the tablet, as its menu does.
func (e *eye) drawnAt(to size) {
	e.t.Helper()
	open(e.t, e.tab, e.s.url+"/menu")
	e.form("/tablet", "escala="+to.scale)
	e.letters(to.letters)
}

// nightly reports whether the long variants of a test are wanted.
func nightly() bool { return os.Getenv("ENVIVO_NIGHTLY") == "1" }

// sized are the screens whose sizes are judged: those of scenes, and what they
// do not name. The first three of each person come in the gate.
func sized(d tagged) []scene {
	at := func(tag string) string { return "/spools/" + tag }
	fitter := func(e *eye) { e.as(demoFitter) }
	return []scene{
		{"nobody", func(*eye) {}, []screen{{"inicio", "/", ""}, {"entrar", "/entrar", ""}, {"quien", "/quien", ""}, {"menu", "/menu", ""}}},
		{"fitter", fitter, []screen{
			{"spool mio", at(d.held), ""}, {"spools", "/spools", ""}, {"spool listo", at(d.free), ""}, {"listos", "/listos", ""}, {"canasta", "/canasta", ""},
			{"mis", "/mis", ""}, {"spool rechazado", at(d.rejected), ""}, {"spool bloqueado", at(d.locked), ""}, {"spool parcial", at(d.partial), ""},
			{"mas", at(d.held) + "?hacer=mas", ""}, {"traspasar", at(d.held) + "?hacer=traspasar", ""}, {"nota", at(d.held) + "?hacer=nota", ""},
			{"uniones", at(d.free) + "/uniones", ""}, {"spools vacio", "/spools?q=zzzz&nv=0123", ""}, {"cifras", "/cifras", ""}, {"momento", "/momento", ""},
		}},
		{"inspector", func(e *eye) { e.as(demoInspector) }, []screen{
			{"por inspeccionar", at(d.waiting), ""}, {"rechazo", at(d.waiting) + "?hacer=rechazado", ""}, {"metrologia", "/metrologia", ""}, {"reparacion", "/reparacion", ""},
		}},
		{"supervisor", func(e *eye) { e.form("/entrar", "pin="+demoPIN) }, []screen{
			{"supervisor", "/supervisor", ""}, {"liberar", at(d.others) + "?hacer=liberar", ""}, {"admin", "/admin", ""}, {"tablet", "/tablet", ""}, {"sync", "/sync", ""},
			{"frenos", "/supervisor/frenos", ""}, {"corregir", at(d.approved) + "/corregir", ""}, {"seguir", "/spools?nv=NV0105", ""},
		}},
	}
}

// TestSizes: at the scales for gloves and with letters of 200 % no page scrolls
// sideways, no word is cut, every action can be brought under a finger and the
// act of a page is on the screen before anybody scrolls. The gate takes one size
// per tablet and three screens per person; ENVIVO_NIGHTLY=1 takes all.
func TestSizes(t *testing.T) {
	t.Parallel()
	s := demo(t)
	d := setDemo(s)
	first := browser(t)
	shots := shotFolder(t)
	for _, c := range []struct {
		width, height int64
		short         size
	}{{601, 962, thickGloves}, {768, 1024, gloves}, {1280, 800, thickGloves}} {
		t.Run(fmt.Sprintf("%dx%d", c.width, c.height), func(t *testing.T) {
			t.Parallel()
			for _, to := range []size{gloves, thickGloves, bigLetters} {
				if to != c.short && !nightly() {
					continue
				}
				e := newEye(t, first, s, shots, c.width, c.height)
				e.drawnAt(to)
				for _, sc := range sized(d) {
					sc.enter(e)
					for i, screen := range sc.screens {
						if i < 3 || nightly() {
							e.fits(screen, to)
						}
					}
				}
			}
		})
	}
}

// fits judges the sizes on one screen.
func (e *eye) fits(sc screen, to size) {
	e.t.Helper()
	open(e.t, e.tab, e.s.url+sc.path)
	until(e.t, e.tab, sc.path+" never got its script", `!!window.envivo || !document.querySelector('script[src*="app"]')`)
	if strings.HasPrefix(sc.path, "/spools") && !strings.HasPrefix(sc.path, "/spools/") && to.letters == 16 {
		click(e.t, e.tab, "[data-numeros-abrir]")
		e.shoot("tallas "+to.scale+" numeros "+sc.name, "light")
		e.ask(sc.name+" with the pad", to.String(), `audit.geometry()`)
		click(e.t, e.tab, "[data-numeros-abrir]")
	}
	eval[bool](e.t, e.tab, `audit.top()`)
	e.shoot(fmt.Sprintf("tallas %s %d %s", to.scale, to.letters, sc.name), "light")
	eval[bool](e.t, e.tab, `audit.shorten()`)
	e.ask(sc.name, to.String(), `audit.geometry()`)
}

// TestAKeyboardHidesNothing: with the tablet's keyboard over the lower 45 % of
// the screen, the field one types in and what it is for stay in sight and in
// reach.
func TestAKeyboardHidesNothing(t *testing.T) {
	t.Parallel()
	s := demo(t)
	d := setDemo(s)
	first := browser(t)
	shots := shotFolder(t)
	at := func(tag, what string) string { return "/spools/" + tag + "?hacer=" + what }
	fields := []struct {
		name, path, field, act string
		enter                  func(*eye)
	}{
		{"nota", at(d.held, "nota"), `dialog textarea`, `dialog .pri`, func(e *eye) { e.as(demoFitter) }},
		{"buscar", "/spools", `#q`, `main .fila .tag`, func(*eye) {}},
		{"cuantas uniones", "/spools/" + d.free + "/uniones", `.cuantas .campo`, `.cuantas button`, func(*eye) {}},
		{"rechazo", at(d.waiting, "rechazado"), `dialog .campo`, `dialog .pri`, func(e *eye) { e.as(demoInspector) }},
		{"entrar", "/entrar", `.pin input`, `.pin button`, func(*eye) {}},
		{"liberar", at(d.others, "liberar"), `dialog .campo`, `dialog .pri`, func(e *eye) { e.form("/entrar", "pin="+demoPIN) }},
	}
	for _, c := range [][2]int64{{601, 962}, {768, 1024}, {1280, 800}} {
		t.Run(fmt.Sprintf("%dx%d", c[0], c[1]), func(t *testing.T) {
			t.Parallel()
			for i, to := range []size{{"dedos", 16}, thickGloves, bigLetters} {
				if i > 0 && !nightly() {
					break
				}
				e := newEye(t, first, s, shots, c[0], c[1])
				e.drawnAt(to)
				for _, f := range fields {
					f.enter(e)
					e.typesIn(f.path, f.field, c)
					e.shoot(fmt.Sprintf("teclado %s %d %s", to.scale, to.letters, f.name), "light")
					act := f.act
					if i > 0 && (f.name == "buscar" || f.name == "entrar") {
						act = f.field // the keyboard's own Enter is what sends them
					}
					e.ask(f.name, "under the keyboard, "+to.String(), fmt.Sprintf(`audit.keyboard(%q)`, act))
				}
			}
		})
	}
}

// typesIn opens a page at its full height, puts the focus into a field and lets
// the keyboard come up.
func (e *eye) typesIn(path, field string, full [2]int64) {
	e.t.Helper()
	resize := func(height int64) {
		if err := chromedp.Do(e.tab, chromedp.EmulateViewport(full[0], height)); err != nil {
			e.t.Fatal(err)
		}
		until(e.t, e.tab, "the page never got its height", fmt.Sprintf(`innerHeight === %d`, height))
	}
	resize(full[1])
	open(e.t, e.tab, e.s.url+path)
	until(e.t, e.tab, path+" has no "+field, fmt.Sprintf(`!!window.envivo && !!document.querySelector(%q)`, field))
	eval[bool](e.t, e.tab, fmt.Sprintf(`(document.querySelector(%q).focus(), true)`, field))
	resize(full[1] * 55 / 100)
	until(e.t, e.tab, "the page never settled", `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}
