package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/net/html"
)

// sevenTag is the spool with seven unions, all of which are welded.
const sevenTag = "MK-7-TW-28082-007"

// sevenPlant is a plant with that spool as well; its sales order comes first in
// nobody's list, so that a row has to be found, not guessed.
func sevenPlant(t testing.TB) string {
	t.Helper()
	dir := plantCSV(t, 3, 0)
	more := func(name, text string) {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	more("Operaciones.csv", sevenTag+",,NV777,700,05-10-2026,,,,,,,,,\n")
	for n := 1; n <= 7; n++ {
		more("Uniones.csv", fmt.Sprintf("%d,700,%d,%s,6,BW,,,,,,,,,,,\n", 7000+n, n, sevenTag))
	}
	data := filepath.Join(t.TempDir(), "data")
	envivo(t, "import", dir, "--data", data)
	return data
}

// tablet counts the touches of one person at one tablet.
type tablet struct {
	t    *testing.T
	tab  context.Context
	s    *server
	taps int
}

func newTablet(t *testing.T, s *server, width, height int64) *tablet {
	t.Helper()
	tab := browser(t)
	if err := chromedp.Do(tab, chromedp.EmulateViewport(width, height)); err != nil {
		t.Fatal(err)
	}
	open(t, tab, s.url+"/")
	live(t, tab)
	return &tablet{t: t, tab: tab, s: s}
}

// tap touches the element a JavaScript expression gives, where it is drawn.
func (p *tablet) tap(what, element string) *tablet {
	p.t.Helper()
	// A touch on what changed less than 400 ms ago is ignored; people take longer.
	until(p.t, p.tab, "there is no "+what, fmt.Sprintf(`(e => { if (window.lastSeen !== e) { window.lastSeen = e; window.seenAt = performance.now(); }
		return !!e && e.offsetParent !== null && performance.now() - window.seenAt > 450; })(%s)`, element))
	eval[bool](p.t, p.tab, fmt.Sprintf(`(%s).scrollIntoView({block: 'center', behavior: 'instant'}), true`, element))
	box := eval[[]float64](p.t, p.tab, fmt.Sprintf(`(e => { const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
		const top = document.elementFromPoint(x, y);
		return [x, y, top && (e.contains(top) || top.contains(e)) ? 1 : 0, r.width, r.height]; })(%s)`, element))
	if box[2] != 1 {
		p.t.Fatalf("%s is drawn under something else", what)
	}
	if min(box[3], box[4]) < 64 {
		p.t.Errorf("%s is %.0f×%.0f px, want 64 at least", what, box[3], box[4])
	}
	if err := chromedp.Do(p.tab, chromedp.MouseClickXY(box[0], box[1])); err != nil {
		p.t.Fatalf("touch %s: %v", what, err)
	}
	p.taps++
	return p
}

func (p *tablet) cmd(name string) *tablet {
	p.t.Helper()
	return p.tap(name, fmt.Sprintf(`document.querySelector('[data-cmd=%q]:not(dialog *)')`, name))
}

func (p *tablet) row(tag string) *tablet {
	p.t.Helper()
	return p.tap("a row of "+tag, fmt.Sprintf(`document.querySelector('main [data-tag=%q] a')`, tag))
}

// is touches the own name; the tab of the trade first where the name is not shown.
func (p *tablet) is(name, trade string) *tablet {
	p.t.Helper()
	tile := fmt.Sprintf(`[...document.querySelectorAll('.ficha')].find(e => e.innerText.includes(%q))`, name)
	until(p.t, p.tab, "the picker never came", `document.querySelectorAll('.ficha').length > 0`)
	if !eval[bool](p.t, p.tab, "!!"+tile) {
		p.tap("the tab "+trade, fmt.Sprintf(`[...document.querySelectorAll('.roles a')].find(e => e.innerText.includes(%q))`, trade))
	}
	return p.tap("the tile of "+name, tile)
}

func (p *tablet) said(what string) *tablet {
	p.t.Helper()
	until(p.t, p.tab, fmt.Sprintf("the tablet never said %q", what), fmt.Sprintf(`document.querySelector('[data-avisos]').innerText.includes(%q)`, what))
	return p
}

// spent checks and prints the touches since the last call.
func (p *tablet) spent(act string, budget int) {
	p.t.Helper()
	p.t.Logf("%-34s %2d taps, budget %2d", act, p.taps, budget)
	if p.taps > budget {
		p.t.Errorf("%s took %d taps, want %d at most", act, p.taps, budget)
	}
	p.taps = 0
}

// scan lets the script hear a scanner: keys without a field, 2 ms apart or less.
func (p *tablet) scan(code string) *tablet {
	p.t.Helper()
	eval[bool](p.t, p.tab, fmt.Sprintf(`(() => { let at = performance.now(); for (const key of [...%q, 'Enter']) {
		const e = new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true});
		Object.defineProperty(e, 'timeStamp', {value: at += 2}); // however busy this machine is
		document.body.dispatchEvent(e);
	} return true; })()`, code))
	return p
}

func TestTapBudgets(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int64{{601, 962}, {1280, 800}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			s := serve(t, sevenPlant(t))
			p := newTablet(t, s, size[0], size[1])
			p.is("Ana Bravo", "Armador").row(sevenTag).cmd("TOMAR").said("Tomado")
			p.spent("TOMAR from the picker", 3)
			open(t, p.tab, s.url+"/mis")
			live(t, p.tab)
			p.row(sevenTag).cmd("PAUSAR").said("en pausa").spent("PAUSAR, identified", 2)
			p.cmd("TOMAR").said("Tomado")
			open(t, p.tab, s.url+"/mis")
			live(t, p.tab)
			p.taps = 0
			p.row(sevenTag).cmd("TERMINAR").said("Terminado ARM: 7 uniones, 42 PD.").said("Sigue: SOLD").spent("TERMINAR all unions, identified", 3)
			if eval[bool](t, p.tab, `!!document.querySelector('dialog')`) {
				t.Error("after TERMINAR a dialog must be dismissed")
			}
			p.cmd("SALIR").is("Carlos Díaz", "Soldador").row(sevenTag).cmd("TOMAR").said("Tomado")
			p.cmd("TERMINAR").said("Terminado SOLD").said("Sigue: Metrología")
			p.cmd("SALIR").is("Elena Fuentes", "Metrología")
			p.taps = 0
			p.row(sevenTag).tap("RECHAZADO", `document.querySelector('a[data-cmd="RECHAZADO"]')`)
			p.tap("a motive", `[...document.querySelectorAll('dialog .casilla span')][0]`)
			p.tap("RECHAZADO of the dialog", `document.querySelector('dialog button[data-cmd="RECHAZADO"]')`).said("Rechazado, 1 de 3").spent("RECHAZADO with motive, identified", 4)
			s.post("/api/tomar-reparacion", take(sevenTag, fitterA, "REPARACION")).want(t, "take the repair", 200)
			s.post("/api/completar-reparacion", take(sevenTag, fitterA, "REPARACION")).want(t, "finish the repair", 200)
			open(t, p.tab, s.url+"/metrologia")
			live(t, p.tab)
			p.row(sevenTag).cmd("APROBADO").said("Aprobado").spent("APROBADO, identified", 2)
		})
	}
}

// TestSevenUnionsFromFreeToApproved counts every touch on one shared tablet
// that nobody has used yet (S-27).
func TestSevenUnionsFromFreeToApproved(t *testing.T) {
	t.Parallel()
	s := serve(t, sevenPlant(t))
	p := newTablet(t, s, 601, 962)
	p.is("Ana Bravo", "Armador").row(sevenTag).cmd("TOMAR").said("Tomado").cmd("TERMINAR").said("Terminado ARM")
	p.cmd("SALIR").is("Carlos Díaz", "Soldador").row(sevenTag).cmd("TOMAR").said("Tomado").cmd("TERMINAR").said("Terminado SOLD")
	p.cmd("SALIR").is("Elena Fuentes", "Metrología").row(sevenTag).cmd("APROBADO").said("Aprobado")
	p.spent("seven unions, free to approved", 15)
}

// printedCodes reads the codes off the sheets the box prints.
func printedCodes(t *testing.T, s *server, what string) map[string]string {
	t.Helper()
	r, err := s.read("/imprimir?que=" + what)
	if err != nil || r.Status != 200 {
		t.Fatalf("GET the sheet %s = %d, %v", what, r.Status, err)
	}
	n, err := html.Parse(strings.NewReader(r.Raw))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for e := range n.Descendants() {
		for _, a := range e.Attr {
			if a.Key != "data-code" {
				continue
			}
			var text strings.Builder
			for c := range e.Descendants() {
				if c.Type == html.TextNode {
					text.WriteString(c.Data)
				}
			}
			out[text.String()] = a.Val
		}
	}
	return out
}

func codeOf(t *testing.T, sheet map[string]string, text string) string {
	t.Helper()
	for label, code := range sheet {
		if strings.Contains(label, text) {
			return code
		}
	}
	t.Fatalf("no label carries %q: %v", text, sheet)
	return ""
}

func TestTapBudgetsWithAScanner(t *testing.T) {
	s := serve(t, sevenPlant(t))
	badges, cards := printedCodes(t, s, "credenciales"), printedCodes(t, s, "tarjetas")
	spool := codeOf(t, printedCodes(t, s, "etiquetas"), sevenTag)
	anas, carlos, elena := codeOf(t, badges, "Ana Bravo"), codeOf(t, badges, "Carlos Díaz"), codeOf(t, badges, "Elena Fuentes")
	p := newTablet(t, s, 601, 962)
	here := func(name string) {
		t.Helper()
		until(t, p.tab, name+" never became the acting person", fmt.Sprintf(`document.querySelector('header').innerText.includes(%q) && !!window.envivo`, name))
	}
	at := func() {
		t.Helper()
		until(t, p.tab, "the spool never opened", fmt.Sprintf(`!!document.querySelector('[data-k="cabeza"][data-tag=%q]') && !!window.envivo`, sevenTag))
		live(t, p.tab)
	}
	p.scan(anas)
	here("Ana Bravo")
	p.scan(spool).said("Tomado")
	at()
	p.spent("TOMAR, badge and spool", 0)
	p.scan(codeOf(t, cards, "PAUSAR")).said("en pausa").spent("PAUSAR by card", 1)
	open(t, p.tab, s.url+"/mis")
	live(t, p.tab)
	p.scan(spool)
	at()
	p.cmd("TOMAR").said("Tomado").spent("TOMAR, spool scanned, identified", 1)
	open(t, p.tab, s.url+"/mis")
	live(t, p.tab)
	p.scan(spool)
	at()
	p.cmd("PAUSAR").said("en pausa").spent("PAUSAR, own spool scanned", 1)
	p.cmd("TOMAR").said("Tomado")
	open(t, p.tab, s.url+"/mis")
	live(t, p.tab)
	p.taps = 0
	p.scan(spool)
	at()
	p.cmd("TERMINAR").said("Terminado ARM").spent("TERMINAR, own spool scanned", 1)
	open(t, p.tab, s.url+"/")
	live(t, p.tab)
	p.scan(spool)
	at()
	p.scan(carlos).said("Tomado")
	here("Carlos Díaz")
	live(t, p.tab)
	p.spent("TOMAR SOLD, spool and badge", 0)
	p.scan(codeOf(t, cards, "TERMINAR")).said("Terminado SOLD").spent("TERMINAR by card", 1)
	p.scan(elena)
	here("Elena Fuentes")
	live(t, p.tab)
	p.scan(codeOf(t, cards, "RECHAZADO"))
	p.tap("a motive", `[...document.querySelectorAll('dialog .casilla span')][0]`)
	p.tap("RECHAZADO of the dialog", `document.querySelector('dialog button[data-cmd="RECHAZADO"]')`).said("Rechazado, 1 de 3").spent("RECHAZADO by card, motive", 3)
	p.scan(codeOf(t, cards, "DESHACER")).said("Deshecho")
	p.scan(codeOf(t, cards, "APROBADO")).said("Aprobado").spent("APROBADO by card", 1)
	p.scan(codeOf(t, cards, "APROBADO"))
	until(t, p.tab, "the same card at once is no duplicate", `document.querySelector('.aviso.ambar')?.innerText.includes('Ya lo escaneaste')`)
}

// TestNoScanIsKeptForLater: a scan made without connection, and one that waited too
// long for an answer before it, are given back and never sent (G-17).
func TestNoScanIsKeptForLater(t *testing.T) {
	t.Parallel()
	s := serve(t, sevenPlant(t))
	f := newFloorTablet(t, s, 601, 962)
	f.mine(fitterA).at("/canasta")
	refused := func(what string) {
		t.Helper()
		until(t, f.tab, "the scan was not given back", fmt.Sprintf(`document.querySelector('[data-avisos]').innerText.includes(%q)`, what))
	}
	eval[bool](t, f.tab, `(envivo.setBusy(true), window.honest = envivo.stale, envivo.stale = () => true, true)`)
	f.scan(spoolTag(2))
	eval[bool](t, f.tab, `(envivo.stale = () => false, envivo.setBusy(false), true)`)
	refused("Sin conexión")
	eval[bool](t, f.tab, `(envivo.setBusy(true), true)`)
	f.scan(spoolTag(2))
	eval[bool](t, f.tab, `(window.clock = performance.now.bind(performance), performance.now = () => clock() + 16000, envivo.setBusy(false), true)`)
	refused("no se guardó")
	eval[bool](t, f.tab, `(performance.now = clock, envivo.stale = honest, true)`)
	f.scan(spoolTag(3))
	inBasket := `!!document.querySelector('main [data-tag=%q] button[name=quitar]')`
	until(t, f.tab, "a scan after them never came into the basket", fmt.Sprintf(inBasket, spoolTag(3)))
	if eval[bool](t, f.tab, fmt.Sprintf(inBasket, spoolTag(2))) {
		t.Error("a scan that was given back was sent later")
	}
}

// TestScansWaitForTheirTurn: scans that come before the box has answered the last
// one, or while a page is about to be left, are carried out in their order, and
// those that are too many are refused aloud by what they say. Answers are held
// back in the page's own fetch.
func TestScansWaitForTheirTurn(t *testing.T) {
	t.Parallel()
	s := serve(t, sevenPlant(t))
	badges, cards := printedCodes(t, s, "credenciales"), printedCodes(t, s, "tarjetas")
	f := newFloorTablet(t, s, 601, 962)
	hold := func() {
		t.Helper()
		eval[bool](t, f.tab, `(window.held = [], window.honest = window.fetch, window.fetch = (...a) => new Promise(go => held.push(go)).then(() => honest(...a)), true)`)
	}
	release := `(held.splice(0).forEach(go => go()), true) && `
	f.at("/")
	hold()
	f.scan(codeOf(t, badges, "Ana Bravo")).scan(sevenTag).scan(codeOf(t, cards, "PAUSAR")).scan(spoolTag(1))
	until(t, f.tab, "four scans in one breath did not end at the last one's page", fmt.Sprintf(`(window.held && `+release+`false) || location.pathname === '/spools/' + %q`, spoolTag(1)))
	until(t, f.tab, "Ana never became the acting person", `document.querySelector('header').innerText.includes('Ana Bravo')`)
	live(t, f.tab)
	if r := s.get("/api/spool/" + sevenTag + "/status"); !strings.Contains(r.Raw, "(pausado)") {
		t.Errorf("badge, spool and PAUSAR left %s", r.Raw)
	}

	f.at("/canasta")
	hold()
	f.scan(spoolTag(3))
	for n := 1; n <= 10; n++ {
		f.scan(fmt.Sprintf("NADA%02d", n))
	}
	until(t, f.tab, "too many scans are not named", `document.querySelector('[data-avisos]').innerText.includes('No se leyó: NADA10.')`)
	until(t, f.tab, "the first of them never came into the basket", release+fmt.Sprintf(`!!document.querySelector('main [data-tag=%q] button[name=quitar]')`, spoolTag(3)))
	until(t, f.tab, "the second was not answered", release+`document.querySelector('[data-avisos]').innerText.includes('No conozco este código: NADA01.')`)
	until(t, f.tab, "the one after it was not answered", release+`document.querySelector('[data-avisos]').innerText.includes('No conozco este código: NADA02.')`)
}

// TestAScanNeverReachesAField types like a scanner into the page's search box: real
// keys of the browser, stamped four milliseconds apart, as a scanner sends them
// however slow this machine is.
func TestAScanNeverReachesAField(t *testing.T) {
	s := serve(t, sevenPlant(t))
	tab := browser(t)
	open(t, tab, s.url+"/spools")
	live(t, tab)
	click(t, tab, "#q")
	at := time.Now()
	for _, r := range strings.ReplaceAll(sevenTag, "-", "'") + "\r" {
		at = at.Add(4 * time.Millisecond)
		for _, key := range kb.Encode(r) {
			key.Timestamp = input.TimeSinceEpoch(float64(at.UnixNano()) / 1e9)
			call(t, tab, input.DispatchKeyEvent, *key)
		}
	}
	until(t, tab, "the scan opened nothing", fmt.Sprintf(`location.pathname === '/spools/' + %q`, sevenTag))
}
