package api_test

import (
	"net/http"
	"net/url"
	"testing"

	"envivo/plant"
)

func TestASupervisorPutsRightWhoDidWhat(t *testing.T) {
	b := newBox(t)
	b.pin("4821")
	b.post("/api/occupation/tomar", by("U-1", ana, "operacion", "ARM")).want(t, "Ana takes", 200)
	b.post("/api/occupation/completar", by("U-1", ana, "uniones", []int{1, 2, 3})).want(t, "Ana finishes", 200)
	p := b.tablet()
	if r := p.send(http.MethodGet, "/spools/U-1/corregir", nil); r.Header.Get("Location") != "/entrar?volver=%2Fspools%2FU-1%2Fcorregir" {
		t.Fatalf("without the PIN = %d to %q", r.StatusCode, r.Header.Get("Location"))
	}
	before := b.seq()
	p.fill("/spools/U-1/corregir", url.Values{"orden": {"c-0"}, "union": {"ARM 2"}, "trabajador": {"13"}, "motivo": {"x"}}).says("Eso lo hace el supervisor")
	if b.seq() != before {
		t.Fatal("a correction without the supervisor was recorded")
	}
	p.open("/entrar", http.StatusOK).fill("/entrar", url.Values{"pin": {"4821"}, "volver": {"/spools/U-1?hacer=mas"}}).says("Corregir quién lo hizo")
	p.open("/spools/U-1/corregir", http.StatusOK).says("ARM del spool", "Unión 2 · ARM", "Ana Bravo", "Bruno Castro").silent("SOLD del spool", "La misma persona")
	p.press("CORREGIR", url.Values{"union": {"ARM 2"}, "trabajador": {"13"}}).says("Falta el motivo", "Unión 2 · ARM")
	p.press("CORREGIR", url.Values{"motivo": {"Se anotó a otra persona"}}).says("Elige qué está mal")
	p.press("CORREGIR", url.Values{"union": {"ARM 2", "ARM 0"}, "trabajador": {"13"}, "motivo": {"Se anotó a otra persona"}}).
		says("Corregido: U-1.", "Corrección", "Unión 2 ARM: Ana Bravo → Bruno Castro", "Armador: Ana Bravo → Bruno Castro", "Motivo: Se anotó a otra persona", "hecha por el supervisor")
	e := b.events("U-1")[0]
	s, _ := b.store.Snapshot().Spool("U-1")
	if u, _ := s.Union(2); u.Arm.Worker.ID != bruno || s.Arm.Worker.ID != bruno || e.Kind != plant.KindCorregir || !e.Supervisor || e.Actor.Display != plant.SupervisorName {
		t.Errorf("union 2 is %+v, ARM %+v, by %v", u.Arm, s.Arm, e.Actor)
	}
	b.post("/api/occupation/tomar", by("U-1", carla, "operacion", "SOLD")).want(t, "Carla takes", 200)
	p.open("/spools/U-1?hacer=mas", http.StatusOK).silent("Corregir quién lo hizo")
	p.open("/spools/U-1/corregir", http.StatusOK).says("Ahora no hay nada que corregir")
}
