package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"envivo/ui"
)

// touch presses the tile of a spool in the basket.
func (p *tablet) touch(tag string) *tablet {
	p.t.Helper()
	tile := p.find(func(n *html.Node) bool {
		return n.Data == "button" && value(n, "value") == tag && value(n, "form") == "f-cambio"
	})
	if tile == nil {
		p.t.Fatalf("the basket has no tile of %s; it says %q", tag, p.text())
	}
	return p.fill("/canasta", url.Values{value(tile, "name"): {tag}})
}

func TestABasketIsTakenInOneTouchEachSpoolOnItsOwn(t *testing.T) {
	b := newBox(t)
	p := b.tablet().identify("12").open("/canasta", http.StatusOK).says("La canasta está vacía.", "Listo para ARM")
	p.touch("S-1").touch("S-2").touch("S-3").touch("U-1").says("4 spools", "TOMAR 4", "6,75 PD")
	p.touch("S-3").says("3 spools", "TOMAR 3")
	order := p.find(func(n *html.Node) bool { return value(n, "data-cmd") == "TOMAR" })
	b.post("/api/occupation/tomar", by("S-2", bruno, "operacion", "ARM")).want(t, "another is quicker", 200)
	form := url.Values{"orden": {"lote-1"}, "t": {value(order, "value")}}
	p.fill("/canasta/tomar", form).says("2 de 3 tomados. 1 no: mira por qué.", "Bruno Castro lo tomó recién", "Reintentar el que no", "DESHACER")
	if b.holder("S-1") != ana || b.holder("U-1") != ana || b.holder("S-2") != bruno || b.holder("S-3") != 0 {
		t.Errorf("holders %d %d %d %d, want Ana, Ana, Bruno, nobody", b.holder("S-1"), b.holder("U-1"), b.holder("S-2"), b.holder("S-3"))
	}
	before := b.seq()
	p.fill("/canasta/tomar", form)
	if b.seq() != before {
		t.Errorf("the same basket sent twice recorded events %d to %d", before, b.seq())
	}
	b.post("/api/occupation/pausar", by("S-2", bruno)).want(t, "Bruno lets go", 200)
	p.open("/canasta", http.StatusOK).press("REINTENTAR", nil).says("1 de 1 tomado.")
	if b.holder("S-2") != ana {
		t.Errorf("after the retry S-2 is with %d, want Ana", b.holder("S-2"))
	}
	p.touch("S-1").touch("S-2").says("TERMINAR 2", "PAUSAR 2").press("TERMINAR", nil).says("2 de 2 terminados.")
	if b.holder("S-1") != 0 {
		t.Errorf("after TERMINAR 2 S-1 is with %d", b.holder("S-1"))
	}
}

func TestABasketIsFedByScans(t *testing.T) {
	b := newBox(t)
	p := b.tablet().identify("12").open("/canasta", http.StatusOK)
	for i, want := range []string{"S-1 en la canasta: van 1.", "S-5 en la canasta: van 2.", "SIN-1 en la canasta: van 3."} {
		code := []string{ui.SpoolCode("S-1"), "S'5", ui.SpoolCode("SIN-1")}[i]
		if got := p.scan(code); got.Go != "" || !strings.Contains(got.HTML, want) {
			t.Errorf("the scan %s says %q, want %q", code, got.HTML, want)
		}
	}
	if got := p.scan(ui.SpoolCode("S-1")); got.OK || !strings.Contains(got.HTML, "Ya lo escaneaste: S-1.") || !strings.Contains(got.HTML, "ambar") {
		t.Errorf("the second scan says %q, want a duplicate in amber", got.HTML)
	}
	p.open("/canasta", http.StatusOK).says("3 spools", "TOMAR 2", "Falta registrar la llegada de materiales.")
	if b.holder("S-1") != 0 {
		t.Error("a scan into the basket took the spool")
	}
	for i := range 60 {
		p.scan(fmt.Sprintf("S-%d", i%9+1))
	}
	b.tablet().identify("13").open("/canasta", http.StatusOK).says("La canasta está vacía.")
	b.clock.Add(13 * time.Hour)
	p.identify("12").open("/canasta", http.StatusOK).says("La canasta está vacía.")
}

func TestTicksWaitForTheirPersonAndTheUndoForThePicker(t *testing.T) {
	b := newBox(t)
	b.post("/api/occupation/tomar", by("U-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	p := b.tablet().identify("12")
	p.fill("/salir", url.Values{"spool": {"U-1"}, "union": {"1", "3"}}).says("¿Quién eres?")
	draft := func() string {
		n := p.open("/spools/U-1", http.StatusOK).find(func(n *html.Node) bool { return value(n, "data-borrador") != "" })
		if n == nil {
			return ""
		}
		return value(n, "data-borrador")
	}
	if got := draft(); got != "" {
		t.Errorf("nobody sees the ticks %q of Ana", got)
	}
	p.identify("13")
	if got := draft(); got != "" {
		t.Errorf("Bruno sees the ticks %q of Ana", got)
	}
	p.identify("12")
	if got := draft(); got != "1,3" {
		t.Errorf("Ana finds the ticks %q, want 1,3", got)
	}
	p.press("PAUSAR", nil)
	if got := draft(); got != "" {
		t.Errorf("after PAUSAR the ticks %q are still there", got)
	}
	seq := b.seq()
	p.fill("/salir", url.Values{"evento": {fmt.Sprint(seq)}}).says("¿Quién eres?", "en pausa", "DESHACER")
	p.press("DESHACER", nil).says("Deshecho")
	if b.holder("U-1") != ana {
		t.Errorf("undone from the picker the holder is %d, want Ana", b.holder("U-1"))
	}
}

func TestAPersonalTabletLetsNobodyGo(t *testing.T) {
	p := newBox(t).tablet().identify("12")
	body := func() string {
		return value(p.open("/mis", http.StatusOK).find(func(n *html.Node) bool { return n.Data == "body" }), "data-reposo")
	}
	if got := body(); got != "30" {
		t.Errorf("a shared tablet rests after %q s, want 30", got)
	}
	p.fill("/tablet", url.Values{"tipo": {"personal"}})
	if got := body(); got != "" {
		t.Errorf("a personal tablet rests after %q s, want never", got)
	}
	p.fill("/tablet", url.Values{"tipo": {"compartida"}})
	if got := body(); got != "30" {
		t.Errorf("shared again it rests after %q s, want 30", got)
	}
}

// TestCardsActOnTheBasketThatLiesOpen: TERMINAR and PAUSAR do what the basket's
// buttons would, once for each scan; the other cards say what to do instead.
func TestCardsActOnTheBasketThatLiesOpen(t *testing.T) {
	b := newBox(t)
	for _, tag := range []string{"S-1", "S-2", "U-1"} {
		b.post("/api/occupation/tomar", by(tag, ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	}
	p := b.tablet().identify("12").open("/canasta", http.StatusOK)
	for word, want := range map[string]string{"TERMINAR": "no hay spools tuyos para TERMINAR", "PAUSAR": "no hay spools tuyos para PAUSAR", "APROBADO": "En la canasta no se inspecciona.",
		"RECHAZADO": "Abre el spool y escanea RECHAZADO ahí.", "DESHACER": "toca DESHACER en cada resultado"} {
		if got := p.scan(ui.CommandCode(word)); got.OK || got.Go != "" || !strings.Contains(got.HTML, want) {
			t.Errorf("%s on an empty basket says %q, want %q", word, got.HTML, want)
		}
	}
	p.touch("S-1").touch("U-1").touch("S-3").says("TERMINAR 2", "TOMAR 1")
	card := url.Values{"codigo": {ui.CommandCode("TERMINAR")}, "orden": {"tarjeta-1"}, "aqui": {"/canasta"}}
	var seqs []uint64
	for range 2 { // its answer was lost
		p.send(http.MethodPost, "/escaneo", card, "Accept", "application/json")
		if !strings.Contains(p.raw, `"ir":"/canasta"`) {
			t.Fatalf("the card is answered %s", p.raw)
		}
		p.open("/canasta", http.StatusOK).says("2 de 2 terminados.", "1 spool")
		if b.holder("S-1") != 0 || b.holder("U-1") != 0 || b.holder("S-2") != ana || b.holder("S-3") != 0 {
			t.Errorf("holders %d %d %d %d, want Ana of S-2 only", b.holder("S-1"), b.holder("U-1"), b.holder("S-2"), b.holder("S-3"))
		}
		seqs = append(seqs, uint64(b.seq()))
	}
	if seqs[0] != seqs[1] {
		t.Errorf("the repeated card recorded events %d to %d", seqs[0], seqs[1])
	}
	p.touch("S-2").scan(ui.CommandCode("PAUSAR"))
	p.says("1 de 1 en pausa.")
	if b.holder("S-2") != 0 {
		t.Errorf("after PAUSAR S-2 is with %d", b.holder("S-2"))
	}
}
