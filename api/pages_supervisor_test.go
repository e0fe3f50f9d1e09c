package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"envivo/api"
	"envivo/plant"
	"envivo/ui"
)

// choice is the value a radio of the sweep would send.
func (p *tablet) choice(tag, what string) string {
	p.t.Helper()
	n := p.find(func(n *html.Node) bool {
		c, _ := ui.ParseSweep(value(n, "value"))
		return value(n, "name") == ui.SweepField(plant.Tag(tag)) && c == what
	})
	if n == nil {
		p.t.Fatalf("the page offers no %s for %s; it says %q", what, tag, p.text())
	}
	return value(n, "value")
}

func TestTheShiftIsClosedSpoolBySpool(t *testing.T) {
	b := newBox(t)
	b.pin("4821")
	for tag, who := range map[string]int{"S-1": ana, "S-2": ana, "S-3": bruno, "S-4": bruno} {
		b.post("/api/occupation/tomar", by(tag, who, "operacion", "ARM")).want(t, "TOMAR "+tag, 200)
	}
	p := b.tablet().identify("13")
	if r := p.send(http.MethodGet, "/supervisor", nil); r.Header.Get("Location") != "/entrar?volver=%2Fsupervisor" {
		t.Fatalf("without the PIN /supervisor = %d to %q", r.StatusCode, r.Header.Get("Location"))
	}
	before := b.seq()
	p.send(http.MethodPost, "/supervisor/cierre", url.Values{"orden": {"c-0"}, "q-S-1": {"pausar x"}})
	p.send(http.MethodPost, "/supervisor/seguidos", url.Values{"poner": {"S-1"}})
	if b.seq() != before {
		t.Errorf("without the PIN events %d to %d were recorded", before, b.seq())
	}
	p.fill("/entrar", url.Values{"pin": {"4821"}, "volver": {"/supervisor"}}).says("Cierre de turno", "4 spools en manos de alguien", "Ana Bravo", "Bruno Castro", "No hay spools bloqueados.")
	form := url.Values{"q-S-1": {p.choice("S-1", ui.SweepPause)}, "q-S-2": {p.choice("S-2", ui.SweepFinish)}, "q-S-3": {p.choice("S-3", ui.SweepStays)}, "q-S-4": {p.choice("S-4", ui.SweepPause)}}
	b.post("/api/occupation/traspasar", by("S-4", bruno, "worker_destino", ana)).want(t, "S-4 changes hands meanwhile", 200)
	p.press("CERRAR_TURNO", form).says("Cierre de turno: 1 en pausa, 1 terminado.", "No se pudo: S-4:", "cambió mientras mirabas: ahora lo tiene Ana Bravo")
	if b.holder("S-1") != 0 || b.holder("S-2") != 0 || b.holder("S-3") != bruno || b.holder("S-4") != ana {
		t.Errorf("holders %d %d %d %d, want nobody, nobody, Bruno, Ana", b.holder("S-1"), b.holder("S-2"), b.holder("S-3"), b.holder("S-4"))
	}
	events, err := b.store.History(t.Context(), "S-1", 0, 1)
	if err != nil || events[0].Motivo != ui.MotiveShiftEnd || !events[0].Supervisor || events[0].From.ID != ana {
		t.Errorf("the release of S-1 is %+v, %v", events, err)
	}
	events, err = b.store.History(t.Context(), "S-2", 0, 1)
	if err != nil || events[0].Worker.ID != ana || events[0].Actor.ID != bruno {
		t.Errorf("S-2 was finished by %+v, %v; want Ana's work entered by Bruno", events, err)
	}
	p.press("CERRAR_TURNO", url.Values{"q-S-3": {p.choice("S-3", ui.SweepStays)}}).says("No había nada que cerrar: todos siguen mañana.")
}

// TestAShiftIsClosedByWhoeverHasThePIN: with nobody identified what is finished
// is entered by SUPERVISOR, as what a supervisor assigns.
func TestAShiftIsClosedByWhoeverHasThePIN(t *testing.T) {
	b := newBox(t)
	b.pin("4821")
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	p := b.tablet()
	p.fill("/entrar", url.Values{"pin": {"4821"}, "volver": {"/supervisor"}})
	p.press("CERRAR_TURNO", url.Values{"q-S-1": {p.choice("S-1", ui.SweepFinish)}}).says("Cierre de turno: 1 terminado.")
	events, err := b.store.History(t.Context(), "S-1", 0, 1)
	if err != nil || events[0].Worker.ID != ana || events[0].Actor.Display != plant.SupervisorName || !events[0].Supervisor {
		t.Errorf("S-1 was finished by %+v, %v; want Ana's work entered by SUPERVISOR in a session", events, err)
	}
}

func TestTheListOfFollowedSpoolsLivesOnTheBox(t *testing.T) {
	b := newBox(t)
	b.pin("4821")
	p := b.tablet()
	p.fill("/entrar", url.Values{"pin": {"4821"}, "volver": {"/supervisor"}}).says("No sigues ningún spool.")
	p.open("/spools/S-7?hacer=mas", http.StatusOK).says("Agregar a la lista")
	p.fill("/supervisor/seguidos", url.Values{"poner": {"s-7"}}).says("Agregado a la lista: S-7.")
	p.open("/spools/S-7?hacer=mas", http.StatusOK).says("Dejar de seguir")
	other := b.tablet()
	other.fill("/entrar", url.Values{"pin": {"4821"}, "volver": {"/supervisor"}}).says("S-7", "Dejar de seguir")
	b.post("/api/occupation/tomar", by("S-7", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	other.open("/supervisor", http.StatusOK).says("Ana Bravo")
	other.fill("/supervisor/seguidos", url.Values{"quitar": {"S-7"}}).says("Ya no sigues S-7.", "No sigues ningún spool.")
}

func TestBlockedSpoolsAreUnblockedFromThePage(t *testing.T) {
	b := newBox(t)
	b.pin("4821")
	b.rejected("S-1", 3)
	p := b.tablet()
	p.fill("/entrar", url.Values{"pin": {"4821"}, "volver": {"/supervisor"}}).says("3 rechazos seguidos", "Desbloquear")
	p.open("/spools/S-1?hacer=desbloquear", http.StatusOK).press("DESBLOQUEAR", url.Values{"motivo": {"Rechazo mal registrado"}}).says("Desbloqueado: S-1.")
	p.open("/supervisor", http.StatusOK).says("No hay spools bloqueados.")
}

// TestTheSupervisorSeesWhatIsWrongWithTheBox: without opening the administration.
func TestTheSupervisorSeesWhatIsWrongWithTheBox(t *testing.T) {
	wrong := []ui.HealthLine{{Name: "Segundo medio", Level: "warn", Text: "No se puede copiar a /media/usb."}}
	b := newBox(t, func(o *api.Options) { o.Care = func() []ui.HealthLine { return wrong } })
	b.pin("4821")
	p := b.tablet()
	p.fill("/entrar", url.Values{"pin": {"4821"}, "volver": {"/supervisor"}}).says("Atención:", "Segundo medio", "No se puede copiar a /media/usb.", "Hoja de contingencia")
	p.open("/menu", http.StatusOK).says("Hoja de contingencia")
	snap := b.store.Snapshot()
	p.open(ui.ContingencyPath, http.StatusOK).says("Registro " + ui.HeadCode(snap.Seq, snap.Head))
	wrong = nil
	if p.open("/supervisor", http.StatusOK); strings.Contains(p.raw, "Segundo medio") {
		t.Error("the warning stays when its cause is gone")
	}
}
