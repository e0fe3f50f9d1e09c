package api_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// weldU1 has Carla weld what U-1 needs, after Ana's work.
func (b *box) weldU1() {
	b.t.Helper()
	b.armU1()
	p := b.tablet().identify("34").open("/spools/U-1", http.StatusOK).press("TOMAR", nil)
	b.clock.Add(25 * time.Minute)
	p.open("/spools/U-1", http.StatusOK).press("TERMINAR", nil)
}

// code is the check code on the page.
func (p *tablet) code() string {
	p.t.Helper()
	text := p.row("codigo")
	found := regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}$`).FindString(text)
	if found == "" {
		p.t.Fatalf("%s shows no code in %q", p.at, text)
	}
	return found
}

func TestARecordTellsJointsTimesAndTheOtherTrade(t *testing.T) {
	b := newBox(t)
	b.weldU1()
	p := b.tablet().open("/mi-registro/12", http.StatusOK)
	p.says("Ana Bravo", "Registro del martes 24 de noviembre de 2026")
	wants(t, "the sum of Ana", p.row("suma"), "PD 6,75", "Uniones 3")
	wants(t, "the work of Ana", p.row("ARM U-1"), "6,75 PD", `1 2" BW 09:00–09:10 Carla Díaz`, `2 ¾" SO 09:00–09:10 Carla Díaz`, `3 4" FW 09:00–09:10 —`)
	p.open("/mi-registro/34", http.StatusOK)
	wants(t, "the work of Carla", p.row("SOLD U-1"), "2,75 PD", `1 2" BW 09:10–09:35 Ana Bravo`)
	p.open("/mi-registro/12?dia=2026-11-23", http.StatusOK).says("No hay trabajo terminado a tu nombre en este día.")
	b.clock.Add(24 * time.Hour)
	p.open("/mi-registro/12", http.StatusOK).says("Registro del miércoles 25 de noviembre de 2026")
	wants(t, "the day before on the strip", p.row("2026-11-24"), "mar 24 7 PD")
}

func TestARecordKnowsSpoolsWithoutJointsAndVerdicts(t *testing.T) {
	b := newBox(t)
	b.rejected("S-1", 1)
	b.inspectable("S-2")
	b.post("/api/metrologia/completar", by("S-2", elena, "resultado", "APROBADO")).want(t, "approve", 200)
	p := b.tablet().open("/mi-registro/12", http.StatusOK)
	wants(t, "the work of Ana", p.row("ARM S-1"), "ARM terminado, sin uniones registradas")
	p.open("/mi-registro/56", http.StatusOK)
	wants(t, "the sum of Elena", p.row("suma"), "Inspecciones 2", "1 aprobado, 1 rechazado")
	wants(t, "a verdict of Elena", p.row("METROLOGIA S-2"), "Aprobado")
}

func TestAPrintedCodeIsProvedAgainstTheRecord(t *testing.T) {
	b := newBox(t)
	b.armU1()
	p := b.tablet().open("/mi-registro/12", http.StatusOK)
	code := p.code()
	typed := strings.ToLower(strings.ReplaceAll(code, "-", " "))
	p.open("/mi-registro/12?dia=2026-11-24&codigo="+strings.ReplaceAll(typed, " ", "+"), http.StatusOK).says("El código coincide")
	p.open("/mi-registro/13?dia=2026-11-24&codigo="+code, http.StatusOK).says("El código no coincide")
	b.clock.Add(24 * time.Hour)
	if p.open("/mi-registro/12?dia=2026-11-24", http.StatusOK); p.code() != code {
		t.Errorf("a day later the code of the day is %s, want %s", p.code(), code)
	}
	b.clock.Add(-24 * time.Hour)
	q := b.tablet().identify("34").open("/spools/U-1", http.StatusOK).press("TOMAR", nil)
	q.open("/spools/U-1", http.StatusOK).press("TERMINAR", nil)
	if p.open("/mi-registro/12", http.StatusOK); p.code() == code {
		t.Errorf("the code of Ana's day stays %s after Carla's name came into it", code)
	}
}

func TestARecordIsOnlyOfSomebodyAndOfADay(t *testing.T) {
	b := newBox(t)
	p := b.tablet()
	p.open("/mi-registro/999", http.StatusNotFound).says("Ese trabajador no existe")
	p.open("/mi-registro/ana", http.StatusNotFound)
	p.open("/mi-registro/12?dia=ayer", http.StatusNotFound).says("Ese día no se entiende")
	if got := p.send(http.MethodGet, "/registro/12?dia=2026-11-20", nil).Header.Get("Location"); got != "/mi-registro/12?dia=2026-11-20" {
		t.Errorf("the address on a badge leads to %q", got)
	}
	for view, ok := range map[string]bool{"/mi-registro/12": true, "/mi-registro/12?dia=2026-11-20": true, "/mi-registro/012": false, "/mi-registro/12?dia=": false,
		"/mi-registro/999": false, "/spools/S-1/dossier": true, "/spools/s-1/dossier": false, "/spools/S-1/dossier?x=1": false, "/spools/X/dossier": false} {
		if _, err := b.api.LivePage(view); (err == nil) != ok {
			t.Errorf("view %q: %v, want a view: %v", view, err, ok)
		}
	}
}

func TestADossierTellsEverythingFromTheBeginning(t *testing.T) {
	b := newBox(t)
	b.weldU1()
	b.clock.Add(time.Hour)
	b.post("/api/metrologia/completar", by("U-1", elena, "resultado", "RECHAZADO", "motivo", "porosidad")).want(t, "reject", 200)
	p := b.tablet().open("/spools/u-1/dossier", http.StatusOK)
	wants(t, "the head", p.row("datos"), "Rechazado 1/3", "6,75 en 3 uniones", "ARM Ana Bravo, 24-11-2026", "SOLD Carla Díaz, 24-11-2026", "rechazo 1 de 3", "Lo tiene nadie")
	wants(t, "the joints", p.row("uniones"), `1 2" BW Ana Bravo 24-11-2026 09:10 Carla Díaz 24-11-2026 09:35`, `3 4" FW Ana Bravo 24-11-2026 09:10 —`)
	wants(t, "the stints", p.row("tomas"), "Ana Bravo ARM 24-11-2026 09:00 24-11-2026 09:10 10 min", "Elena Fuentes Metrología")
	history := p.find(func(n *html.Node) bool { return value(n, "data-region") == "historia" })
	text := nodeText(history)
	last := -1
	for _, w := range []string{"Llegó de la planilla", "Tomó ARM", "Terminó ARM", "Tomó SOLD", "Terminó SOLD", "Rechazado 1 de 3"} {
		i := strings.Index(text, w)
		if i <= last {
			t.Errorf("the history says %q, want %q after what came before it", text, w)
		}
		last = i
	}
	code := p.code()
	b.post("/api/tomar-reparacion", by("U-1", ana)).want(t, "take the repair", 200)
	if p.open("/spools/U-1/dossier", http.StatusOK); p.code() == code {
		t.Errorf("the code of the dossier stays %s after a command", code)
	}
	p.open("/spools/NADA/dossier", http.StatusNotFound)
}
