package api_test

import (
	"net/http"
	"net/url"
	"testing"

	"golang.org/x/net/html"

	"envivo/plant"
	"envivo/ui"
)

// give presses a tile of the basket that a supervisor fills for a worker.
func (p *tablet) give(tag string) *tablet {
	p.t.Helper()
	return p.fill("/canasta", url.Values{"poner": {tag}, "para": {"12"}})
}

func TestASupervisorAssignsSpoolsToAWorker(t *testing.T) {
	b := newBox(t)
	b.pin("4821")
	before := b.seq()
	stranger := b.tablet().identify("13")
	for _, path := range []string{"/canasta", "/canasta/tomar"} {
		r := stranger.send(http.MethodPost, path, url.Values{"poner": {"S-1"}, "para": {"12"}})
		if want := map[string]int{"/canasta": http.StatusSeeOther, "/canasta/tomar": http.StatusUnprocessableEntity}[path]; r.StatusCode != want {
			t.Errorf("POST %s for another without a supervisor = %d, want %d", path, r.StatusCode, want)
		}
	}
	r := stranger.send(http.MethodPost, "/canasta/tomar", url.Values{"t": {"S-1"}, "orden": {"x"}, "para": {"12"}})
	if b.seq() != before || r.Header.Get("Location") != "/entrar?volver=%2Fsupervisor" {
		t.Errorf("without a supervisor: %d events, sent to %q", b.seq()-before, r.Header.Get("Location"))
	}
	p := b.tablet().open("/entrar", http.StatusOK).fill("/entrar", url.Values{"pin": {"4821"}, "volver": {"/supervisor"}}).says("Asignar a…", "Ana Bravo")
	tile := p.find(func(n *html.Node) bool {
		return value(n, "data-cmd") == "ASIGNAR_A" && value(n, "href") == "/canasta?para=12"
	})
	if tile == nil {
		t.Fatalf("nobody to assign to: %s", p.text())
	}
	p.open("/canasta?para=12", http.StatusOK).says("Asignar a Ana Bravo", "Listo para ARM")
	p.give("S-1").give("S-2").give("U-1").says("3 spools", "ASIGNAR 3")
	b.post("/api/occupation/tomar", by("S-2", bruno, "operacion", "ARM")).want(t, "another is quicker", 200)
	p.fill("/canasta/tomar", url.Values{"para": {"12"}, "orden": {"lote-1"}, "t": {"S-1\nS-2\nU-1"}}).
		says("2 de 3 asignados. 1 no: mira por qué.", "Asignado: S-1. Queda a nombre de Ana Bravo", "Bruno Castro lo tomó recién", "DESHACER")
	if b.holder("S-1") != ana || b.holder("U-1") != ana || b.holder("S-2") != bruno {
		t.Errorf("holders %d %d %d, want Ana, Ana, Bruno", b.holder("S-1"), b.holder("U-1"), b.holder("S-2"))
	}
	e := b.events("S-1")[0]
	if e.Worker.ID != ana || e.Actor.Display != plant.SupervisorName || !e.Supervisor {
		t.Errorf("S-1 was assigned to %v by %v, supervisor %v", e.Worker, e.Actor, e.Supervisor)
	}
	p.press("DESHACER", nil).says("Deshecho: S-1 quedó como antes.")
	if e := b.events("S-1")[0]; b.holder("S-1") != 0 || e.Actor.Display != plant.SupervisorName || p.at != "/canasta?para=12" {
		t.Errorf("after DESHACER %d has it, by %v, on %s", b.holder("S-1"), e.Actor, p.at)
	}
	p.open("/spools/U-1", http.StatusOK).says("Tomó ARM", "lo asignó el supervisor")
	if r := p.send(http.MethodPost, "/canasta/terminar", url.Values{"para": {"12"}, "orden": {"l-2"}, "t": {"U-1"}}); r.StatusCode != http.StatusNotFound {
		t.Errorf("TERMINAR for another = %d, want 404", r.StatusCode)
	}
	b.tablet().identify("12").open("/canasta", http.StatusOK).says(ui.TextBasketEmpty) // her own is another
}
