package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// listRows counts the rows that are drawn.
const listRows = `document.querySelectorAll('main [data-region="filas"] > .fila').length`

// TestAListWidensInPlace: "Ver 60 más" puts the next rows below. Nothing above
// moves, the focus goes to the first of them, the address says how wide the list
// is, and at rest it reads like a fresh load while others work.
func TestAListWidensInPlace(t *testing.T) {
	s := serve(t, newPlant(t, 200, 0))
	tab := browser(t)
	e := newEye(t, tab, s, shotFolder(t), 601, 962)
	for _, list := range []struct {
		path string
		all  int
	}{{"/spools", 201}, {"/listos", 197}} { // three are taken on the way
		path, all := list.path, list.all
		open(t, e.tab, s.url+path)
		live(t, e.tab)
		if got := eval[int](t, e.tab, listRows); got != 60 {
			t.Errorf("%s draws %d rows at first, want 60", path, got)
		}
		until(t, e.tab, path+" does not say how many it shows", fmt.Sprintf(`document.querySelector('[data-region="resumen"]').innerText.includes('Se muestran 60 de %d')`, all))
		eval[bool](t, e.tab, `(document.querySelector('[data-mas]').scrollIntoView({block: 'end', behavior: 'instant'}), scrollBy(0, 200), true)`)
		e.shoot("lista mas "+path, "light")
		where := `[scrollY, document.querySelectorAll('main .fila')[59].getBoundingClientRect().top]`
		before := eval[[]float64](t, e.tab, where)
		click(t, e.tab, "[data-mas]")
		until(t, e.tab, "the next rows never came", listRows+` === 120 && location.search === '?hasta=120'`)
		until(t, e.tab, "the focus is not on the first new row", `document.activeElement.closest('.fila') === document.querySelectorAll('main .fila')[60]`)
		if after := eval[[]float64](t, e.tab, where); after[0] != before[0] || after[1] != before[1] {
			t.Errorf("%s: widening moved the page: scroll and last row %v, before %v", path, after, before)
		}
		for i := 1; i < 4; i++ {
			tag := spoolTag(i)
			if path == "/listos" {
				tag = spoolTag(i + 10)
			}
			s.post("/api/occupation/tomar", take(tag, fitterA, "ARM")).want(t, "TOMAR", 200)
		}
		settledLike(t, s, e.tab, path+"?hasta=120")
		click(t, e.tab, "[data-mas]")
		until(t, e.tab, "not all rows came", `!document.querySelector('[data-mas]') || location.search === '?hasta=180'`)
	}
	open(t, e.tab, s.url+"/spools")
	live(t, e.tab)
	typed(t, e.tab, "s")
	until(t, e.tab, "a search has no window of its own", listRows+` === 30 && document.querySelector('[data-region="resumen"]').innerText.includes('Se muestran 30 de 201')`)
	click(t, e.tab, "[data-mas]")
	until(t, e.tab, "the search never widened", listRows+` === 90 && location.search === '?hasta=90&q=s'`)
	typed(t, e.tab, "-01")
	until(t, e.tab, "another search did not begin anew", listRows+` === 30 || !document.querySelector('[data-mas]')`)
}

// TestARowThatComesLengthensAnothersTail: two rows that end alike show more of
// their tags from the moment the second comes, on a live page as on a fresh one,
// and the usual tail again when it has gone.
func TestARowThatComesLengthensAnothersTail(t *testing.T) {
	t.Parallel()
	dir := plantCSV(t, 3, 0)
	text, err := os.ReadFile(filepath.Join(dir, "Operaciones.csv"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "Operaciones.csv", strings.NewReplacer("S-0001", "MK-1-TW-280-010", "S-0002", "MK-1-TW-281-010", "S-0003", "MK-1-TW-281-020").Replace(string(text)))
	data := filepath.Join(t.TempDir(), "data")
	envivo(t, "import", dir, "--data", data)
	s := serve(t, data)
	tab := browser(t)
	open(t, tab, s.url+"/listos")
	live(t, tab)
	large := func(when, want string) {
		t.Helper()
		until(t, tab, when+" the rows do not read "+want, fmt.Sprintf(`[...document.querySelectorAll('main .fila .tag b')].map(b => b.textContent).join(' ') === %q`, want))
		settledLike(t, s, tab, "/listos")
	}
	large("at first", "280-010 281-010 020")
	s.post("/api/occupation/tomar", take("MK-1-TW-281-010", fitterA, "ARM")).want(t, "TOMAR", 200)
	large("after TOMAR of the other", "010 020")
	s.post("/api/occupation/cancelar", take("MK-1-TW-281-010", fitterA, "ARM")).want(t, "CANCELAR", 200)
	large("after CANCELAR", "280-010 281-010 020")
}

// typed puts text into the search box, one letter after the other.
func typed(t *testing.T, tab context.Context, text string) {
	t.Helper()
	eval[bool](t, tab, `(q => { q.focus(); q.setSelectionRange(q.value.length, q.value.length); return true; })(document.querySelector('#q'))`)
	for _, r := range text { // not as keys: on a busy machine they come in bursts, like a scanner's
		call(t, tab, input.InsertText, input.InsertTextParams{Text: string(r)})
	}
}

// damagedPlant has 45 spools, of which one holds a date that nobody can read.
func damagedPlant(t *testing.T) string {
	t.Helper()
	dir := plantCSV(t, 40, 4)
	text, err := os.ReadFile(filepath.Join(dir, "Operaciones.csv"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "Operaciones.csv", strings.Replace(string(text), "S-0003,,NV000,,05-10-2026,,", "S-0003,,NV000,,05-10-2026,anteayer,", 1))
	data := filepath.Join(t.TempDir(), "data")
	envivo(t, "import", dir, "--data", data)
	return data
}

// TestFourDrawingsOfAList: loading, empty, error and partial do not look alike on
// any list, and what was typed survives each (G-19). The answers are held back
// and refused in the page's own fetch.
func TestFourDrawingsOfAList(t *testing.T) {
	s := serve(t, damagedPlant(t))
	first := browser(t)
	shots := shotFolder(t)
	for _, size := range [][2]int64{{601, 962}, {768, 1024}, {1280, 800}} {
		e := newEye(t, first, s, shots, size[0], size[1])
		open(t, e.tab, s.url+"/spools")
		live(t, e.tab)
		until(t, e.tab, "the partial list names nothing", `(r => r.includes('Se muestran 44 de 45: 1 con dato dañado') && r.includes('S-0003'))(document.querySelector('[data-region="resumen"]').innerText)`)
		e.shoot("lista parcial", "light")
		eval[bool](t, e.tab, `(window.held = [], window.honest = window.fetch, window.fetch = (...a) => new Promise(go => held.push(go)).then(() => honest(...a)), true)`)
		typed(t, e.tab, "s-00")
		until(t, e.tab, "no placeholders while the answer is away", `document.querySelector('main').classList.contains('cargando')`)
		e.shoot("lista cargando", "light")
		until(t, e.tab, "the answer never ended the placeholders", `(held.splice(0).forEach(go => go()), !document.querySelector('main').classList.contains('cargando') && location.search === '?q=s-00')`)
		eval[bool](t, e.tab, `(window.fetch = () => Promise.reject(new TypeError('no')), true)`)
		typed(t, e.tab, "4")
		until(t, e.tab, "the failure is not told", `/^No se pudo cargar\. Datos de las \d\d:\d\d\.\s*Reintentar$/.test(document.querySelector('[data-sin-carga]').innerText)`)
		e.shoot("lista error", "light")
		if got := eval[string](t, e.tab, `document.querySelector('#q').value`); got != "s-004" {
			t.Errorf("after the failure the box says %q, want what was typed", got)
		}
		eval[bool](t, e.tab, `(window.fetch = honest, true)`)
		click(t, e.tab, "[data-sin-carga] a")
		until(t, e.tab, "Reintentar fetched nothing", `document.querySelector('[data-sin-carga]').hidden && location.search === '?q=s-004' && `+listRows+` === 1`)
		typed(t, e.tab, "zz")
		until(t, e.tab, "the empty list does not say why", `(r => r.includes('Ningún spool con filtro «s-004zz».') && r.includes('Quitar filtros'))(document.querySelector('[data-region="filas"]').innerText)`)
		e.shoot("lista vacia", "light")
		for _, said := range e.heard("") {
			t.Errorf("%s: %s", e.size, said)
		}
	}
	e := newEye(t, first, s, shots, 601, 962)
	for path, want := range map[string]string{"/quien": "Nadie tiene spools en este momento.", "/metrologia": "No hay spools por inspeccionar.", "/reparacion": "No hay spools rechazados ni en reparación."} {
		open(t, e.tab, s.url+path)
		live(t, e.tab)
		until(t, e.tab, path+" empty does not say why", fmt.Sprintf(`document.querySelector('[data-region="filas"],[data-region="gente"]').innerText.includes(%q)`, want))
		e.shoot("vacia "+path, "light")
		eval[bool](t, e.tab, `(dispatchEvent(new Event('sin-carga')), true)`)
		until(t, e.tab, path+" has no drawing of an error", `document.querySelector('[data-sin-carga]').innerText.includes('No se pudo cargar. Datos de las ')`)
		e.shoot("error "+path, "light")
	}
}

// TestRowsKeepTheirHeight: a spool that is taken, paused or finished elsewhere
// moves no row on an open list, and enough rows are seen at once.
func TestRowsKeepTheirHeight(t *testing.T) {
	s := demo(t)
	first := browser(t)
	shots := shotFolder(t)
	for _, size := range []struct {
		width, height int64
		rows          int
	}{{601, 962, 6}, {768, 1024, 6}, {1280, 800, 5}} {
		e := newEye(t, first, s, shots, size.width, size.height)
		open(t, e.tab, s.url+"/spools")
		live(t, e.tab)
		seen := eval[int](t, e.tab, `(foot => [...document.querySelectorAll('main .fila')].filter(r => r.getBoundingClientRect().bottom <= foot + 1).length)(document.querySelector('.bajo').getBoundingClientRect().top)`)
		if seen < size.rows {
			t.Errorf("%s shows %d rows at once, want %d", e.size, seen, size.rows)
		}
		tag := s.first("/spools?estado=LISTO_ARM", 1)[0]
		open(t, e.tab, s.url+"/spools?q="+tag[:len(tag)-6])
		live(t, e.tab)
		row := fmt.Sprintf(`document.querySelector('[data-tag=%q]')`, tag)
		const lines = `[...document.querySelectorAll('main .fila')].slice(0, 30).map(r => r.getBoundingClientRect().top + scrollY)`
		before := fmt.Sprint(eval[[]float64](t, e.tab, lines))
		for _, verb := range []string{"tomar", "pausar", "tomar", "completar"} {
			was := eval[string](t, e.tab, row+`.querySelector('.chips').innerText`)
			s.post("/api/occupation/"+verb, take(tag, demoFitter, "ARM")).want(t, verb, 200)
			until(t, e.tab, verb+" never came to the list", fmt.Sprintf(`%s.querySelector('.chips').innerText !== %q`, row, was))
			if verb == "tomar" {
				e.shoot("fila tomada", "light")
			}
			if after := fmt.Sprint(eval[[]float64](t, e.tab, lines)); after != before {
				t.Errorf("%s at %s of %s moved the rows from %s to %s", e.size, verb, tag, before, after)
			}
		}
	}
}

// TestARepairLeftHalfDoneFitsItsRow: its chip says all of it on a small tablet,
// the state in one line where nothing else wants the room, and no row grows.
func TestARepairLeftHalfDoneFitsItsRow(t *testing.T) {
	t.Parallel()
	s := demo(t)
	e := newEye(t, browser(t), s, shotFolder(t), 601, 962)
	open(t, e.tab, s.url+"/menu")
	e.as(demoFitter)
	for path, lines := range map[string]int{"/spools?estado=REPARACION_PAUSADA": 1, "/listos?operacion=REPARACION": 2} {
		open(t, e.tab, s.url+path)
		live(t, e.tab)
		e.shoot("reparacion en pausa "+path, "light")
		for _, found := range eval[[]string](t, e.tab, fmt.Sprintf(`[...document.querySelectorAll('.fila')].filter(r => r.querySelector('.chip small')).map(r => {
			const said = document.createRange();
			said.selectNodeContents(r.querySelector('.chip small').previousSibling);
			return [r.querySelector('.chip').innerText.replace(/\s+/g, ' '), said.getClientRects().length <= %d, r.getBoundingClientRect().height <= 98.5].join();
		})`, lines)) {
			if !regexp.MustCompile(`^En reparación [12]/3 en pausa,true,true$`).MatchString(found) {
				t.Errorf("%s: a chip with its words, its lines and its row's height is %s", path, found)
			}
		}
		until(t, e.tab, path+" shows no repair in pause", `!!document.querySelector('.fila .chip small')`)
	}
}

// TestDigitsForGloves: the pad of the search box has keys of 112 px, covers
// neither the box nor the first rows, and hands over to the tablet's keyboard;
// with a keyboard over the lower part of the screen the box is still there.
func TestDigitsForGloves(t *testing.T) {
	s := serve(t, newPlant(t, 60, 0))
	first := browser(t)
	shots := shotFolder(t)
	for _, size := range [][2]int64{{601, 962}, {768, 1024}, {1280, 800}} {
		e := newEye(t, first, s, shots, size[0], size[1])
		open(t, e.tab, s.url+"/spools")
		live(t, e.tab)
		click(t, e.tab, "[data-numeros-abrir]")
		until(t, e.tab, "the pad never opened", `!document.querySelector('[data-numeros]').hidden && document.activeElement.id === 'q' && document.activeElement.inputMode === 'none'`)
		for _, found := range eval[[]string](t, e.tab, `[...document.querySelectorAll('[data-numeros] button')].filter(b => { const r = b.getBoundingClientRect(); return Math.min(r.width, r.height) < 112 || r.bottom > innerHeight || r.right > innerWidth; }).map(b => b.outerHTML)`) {
			t.Errorf("%s: a key is small or cut off: %s", e.size, found)
		}
		for _, key := range []string{"0", "1", "3", "", "2"} {
			click(t, e.tab, fmt.Sprintf(`[data-numero=%q]`, key))
		}
		until(t, e.tab, "the pad did not search", `document.querySelector('#q').value === '012' && location.search === '?q=012' && document.querySelector('main .fila .tag').innerText === 'S-0012'`)
		e.shoot("teclado de numeros", "light")
		const clear = `(top => ['#q', 'main .fila'].every(sel => { const r = document.querySelector(sel).getBoundingClientRect(); return r.top >= 0 && r.bottom <= top + 1; }))(document.querySelector('.bajo').getBoundingClientRect().top)`
		if !eval[bool](t, e.tab, clear) {
			t.Errorf("%s: the pad covers the box or the first row", e.size)
		}
		click(t, e.tab, "[data-letras]")
		until(t, e.tab, "ABC did not ask for letters", `document.querySelector('[data-numeros]').hidden && document.activeElement.id === 'q' && document.activeElement.inputMode === 'search'`)
		if err := chromedp.Do(e.tab, chromedp.EmulateViewport(size[0], size[1]*55/100)); err != nil {
			t.Fatal(err)
		}
		if !eval[bool](t, e.tab, `(r => r.top >= 0 && r.bottom <= document.querySelector('.bajo').getBoundingClientRect().top)(document.querySelector('#q').getBoundingClientRect())`) {
			t.Errorf("%s: the keyboard leaves no room for the box", e.size)
		}
		e.shoot("teclado de letras", "light")
		for _, said := range e.heard("") {
			t.Errorf("%s: %s", e.size, said)
		}
	}
}
