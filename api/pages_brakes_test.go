package api_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"envivo/api"
)

func TestWhatKeepsPeopleFromWorking(t *testing.T) {
	var asked time.Time
	var list []api.Attempt
	b := newBox(t, func(o *api.Options) {
		o.Refusals = func(since time.Time) []api.Attempt { asked = since; return list }
	})
	b.pin("4821")
	now := b.clock.Now()
	add := func(n int, ago time.Duration, a api.Attempt) {
		for range n {
			a.At, a.Verb = now.Add(-ago), "TOMAR"
			list = append(list, a)
		}
	}
	add(6, time.Hour, api.Attempt{Code: "DEPENDENCIAS_NO_SATISFECHAS", Why: "Fecha_Materiales", Op: "ARM", Tag: "S-4"})
	add(2, 8*24*time.Hour, api.Attempt{Code: "DEPENDENCIAS_NO_SATISFECHAS", Why: "Fecha_Materiales", Op: "ARM", Tag: "S-4"})
	add(2, 26*time.Hour, api.Attempt{Code: "SPOOL_OCCUPIED", Op: "SOLD", Tag: "S-7"})
	list = append(list, api.Attempt{At: now, Code: "VALIDATION_ERROR"}) // no act of the floor
	r := b.tablet().send(http.MethodGet, "/supervisor/frenos", nil)
	if r.StatusCode != http.StatusSeeOther {
		t.Fatalf("without the PIN = %d, want to be sent away", r.StatusCode)
	}
	p := b.tablet().open("/entrar", http.StatusOK).fill("/entrar", url.Values{"pin": {"4821"}, "volver": {"/supervisor/frenos"}})
	p.says("Qué nos frena", "8 veces no se pudo", "la semana anterior, 2", "Faltan materiales", "75 %", "NV1", "sin materiales hoy", "qué materiales apurar en bodega",
		"Lo tenía otra persona", "25 %", "S-7", "la semana anterior, ninguna", "Para decidir").silent("Pedido incompleto", "Ana Bravo")
	if want := now.Add(-14 * 24 * time.Hour); asked.Before(want) {
		t.Errorf("asked since %v, want two weeks at most", asked)
	}
	list = nil
	p.open("/supervisor/frenos", http.StatusOK).says("0 veces no se pudo", "Nada registrado en estos días.")
	p.open("/supervisor", http.StatusOK).says("Qué nos frena")
}
