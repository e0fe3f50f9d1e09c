package ui

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"envivo/plant"
)

// codeLike is how the JSON API and the Sheet spell things; no person reads it.
var codeLike = regexp.MustCompile(`[A-Z]{2,}_[A-Z_]+|\bCode\(|%!|\*plant\.|<nil>`)

// refusal is one with everything a sentence may use.
func refusal(c plant.Code) *plant.Error {
	return &plant.Error{Code: c, Verb: plant.Tomar, Op: plant.ARM, Tag: "MK-1-010", Worker: bruno.Person(), Holder: ana.Person(), HeldFor: plant.ARM,
		Since: noon.Add(-20 * time.Minute), Until: noon.Add(40 * time.Minute), By: carla.Person(), How: plant.KindRelevar, Missing: "motivo",
		Required: plant.Soldador, Has: plant.Armador, Want: 6, Have: 8, Unions: []int{3, 5}}
}

func TestEveryCodeHasASentenceForTheScreen(t *testing.T) {
	held := spool("MK-1-010", heldBy(ana, plant.ARM, 20*time.Minute))
	s := snapshot(held)
	for _, code := range plant.Codes() {
		if refusals[code] == nil {
			t.Errorf("code %d has no sentence", code)
		}
		for name, e := range map[string]*plant.Error{"full": refusal(code), "bare": {Code: code, Tag: "MK-1-010", Op: plant.ARM, By: carla.Person(), Holder: ana.Person()}} {
			for _, sp := range []*plant.Spool{nil, &held, {Tag: "MK-1-010"}} {
				got := Refusal(e, Telling{Who: s, Now: noon, Spool: sp, Mine: plant.Armador, Code: "f-1"})
				readable(t, fmt.Sprintf("code %d, %s", code, name), got)
			}
		}
		if got := Refusal(&plant.Error{Code: code}, Telling{}); got == "" {
			t.Errorf("code %d says nothing when nothing is known", code)
		}
	}
	if got := Refusal(&plant.Error{Code: 200}, Telling{Code: "f-1"}); !strings.Contains(got, "f-1") {
		t.Errorf("a code nobody knows says %q, want the fault id", got)
	}
}

// readable fails the test unless s is something to put before a person.
func readable(t *testing.T, what, s string) {
	t.Helper()
	switch {
	case s == "" || strings.TrimSpace(s) != s:
		t.Errorf("%s says %q", what, s)
	case codeLike.MatchString(s) && !strings.Contains(s, "Fecha_Materiales"):
		t.Errorf("%s shows a code: %q", what, s)
	case strings.Count(s, "**")%2 != 0:
		t.Errorf("%s leaves an emphasis open: %q", what, s)
	case strings.Contains(s, "  ") || strings.Contains(s, " .") || strings.Contains(s, " ,"):
		t.Errorf("%s has a gap: %q", what, s)
	}
}

func TestRefusalsSayWhatTheBriefSays(t *testing.T) {
	four := spool("MK-1-010", armed(2))
	free := spool("MK-1-010")
	mine := spool("MK-1-010", heldBy(bruno, plant.SOLD, 0))
	s := snapshot(four)
	with := func(c plant.Code, f func(*plant.Error)) *plant.Error {
		e := refusal(c)
		if f != nil {
			f(e)
		}
		return e
	}
	for _, c := range []struct {
		name string
		e    *plant.Error
		sp   *plant.Spool
		want string
	}{
		{"held by another", with(plant.CodeOccupied, nil), &four, "Lo tiene **Ana Bravo** (ARM) desde las 11:40. Elige otro o pídeselo."},
		{"lost the race", with(plant.CodeOccupied, func(e *plant.Error) { e.Since = noon }), &four, "**Ana Bravo** lo tomó recién (hace 1 s). No quedó a tu nombre."},
		{"already mine", with(plant.CodeOccupied, func(e *plant.Error) { e.Holder = bruno.Person() }), &four, "Ya lo tienes tú desde las 11:40."},
		{"vencida", with(plant.CodeOccupied, func(e *plant.Error) { e.Since, e.Until = noon.Add(-85*time.Minute), noon.Add(-25*time.Minute) }), &four,
			"**Ana Bravo** lo tiene hace 1 h 25 min: toma vencida. Puedes relevar."},
		{"too early", with(plant.CodeTooEarly, nil), &four, "Todavía no se puede relevar: vence a las 12:40. Pide el traspaso o avisa al supervisor."},
		{"relieved", with(plant.CodeDisplaced, nil), &four, "**Carla Díaz** te relevó en …010 a las 11:40. Tus uniones siguen a tu nombre."},
		{"relieved yesterday", with(plant.CodeDisplaced, func(e *plant.Error) { e.Since = noon.Add(-24 * time.Hour) }), &four,
			"**Carla Díaz** te relevó en …010 el 23-11-2026 a las 12:00. Tus uniones siguen a tu nombre."},
		{"freed", with(plant.CodeDisplaced, func(e *plant.Error) { e.How = plant.KindLiberar }), &four, "El supervisor liberó …010 a las 11:40. Tus uniones siguen a tu nombre."},
		{"not the holder", with(plant.CodeNotHolder, nil), &four, "…010 está libre: la última toma fue de Ana Bravo. Primero tómalo."},
		{"wrong trade", with(plant.CodeRole, func(e *plant.Error) { e.Op = plant.SOLD }), &four, "Soldar es solo para Soldador o Ayudante. Tu rol: Armador."},
		{"materials", with(plant.CodeDependency, func(e *plant.Error) { e.Missing = "Fecha_Materiales" }), &four, "Falta registrar la llegada de materiales. Avisa a tu supervisor."},
		{"some not armed", with(plant.CodeDependency, func(e *plant.Error) { e.Op, e.Missing = plant.SOLD, "ARM" }), &four, "Faltan por armar las uniones 3 y 4."},
		{"none armed", with(plant.CodeDependency, func(e *plant.Error) { e.Op, e.Missing = plant.SOLD, "ARM" }), &free, "Aún no se puede soldar: no hay uniones armadas."},
		{"done", with(plant.CodeDone, func(e *plant.Error) { e.Since = time.Date(2026, 5, 12, 15, 40, 0, 0, time.UTC) }), &four, "ARM ya está terminado: Ana Bravo, 12-05-2026 11:40."},
		{"paused", with(plant.CodeTransition, nil), &four, "…010 está en pausa: primero tómalo."},
		{"held for something else", with(plant.CodeTransition, nil), &mine, "Tienes …010 para SOLD, no para eso. Revisa y repite."},
		{"nothing to change", with(plant.CodeUnchanged, nil), &four, "No había nada que cambiar en …010."},
		{"too many", with(plant.CodeRace, nil), &four, "Quedan 6 uniones por hacer y marcaste 8. Revisa la lista."},
		{"nothing ticked", with(plant.CodeUnion, func(e *plant.Error) { e.Unions = nil }), &four, "Marca las uniones que hiciste (o TODAS)."},
		{"union done meanwhile", with(plant.CodeUnion, nil), &four, "Las uniones 3 y 5 ya no están por hacer. Revisa la lista."},
		{"inspection is not taken", with(plant.CodeNotAvailable, func(e *plant.Error) { e.Op = plant.METROLOGIA }), &four, "La inspección no se toma: marca el resultado."},
		{"changed meanwhile", with(plant.CodeVersion, nil), &mine, "…010 cambió mientras mirabas: ahora lo tiene **Bruno Castro**. Revisa y repite."},
		{"freed meanwhile", with(plant.CodeVersion, nil), &free, "…010 cambió mientras mirabas: ahora está libre. Revisa y repite."},
		{"without motive", with(plant.CodeInvalid, nil), &four, "Falta el motivo."},
		{"unknown spool", with(plant.CodeSpoolNotFound, nil), nil, "No hay ningún spool MK-1-010. Revisa el número o busca."},
		{"undo too late", with(plant.CodeUndoLate, nil), &four, "Ya no se puede deshacer: pasaron 10 s o …010 cambió."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Refusal(c.e, Telling{Who: s, Now: noon, Spool: c.sp, Mine: plant.Armador}); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestEveryKindOfEventHasAnOutcomeAndAPlaceInTheHistory(t *testing.T) {
	s := snapshot(spool("MK-1-010"))
	for k := plant.KindTomar; k <= plant.KindCorregir; k++ {
		for _, e := range []plant.Event{
			{Kind: k, Tag: "MK-1-010", Op: plant.ARM, Worker: ana.Person(), Actor: bruno.Person(), From: carla.Person(), At: noon, Selected: []int{1, 2}, PD: 275, Done: 2, Needed: 4,
				Motivo: "<b>m</b>", Texto: "t", HoldSince: noon.Add(-time.Hour), Ready: true, Progress: &plant.Progress{Ciclo: 1}, Resultado: plant.Rechazado},
			{Kind: k, Tag: "MK-1-010", At: noon, Worker: ana.Person(), From: carla.Person()},
		} {
			readable(t, "the outcome of "+k.String(), Outcome(e, s))
			items, err := Timeline([]plant.Event{e}, s)
			if err != nil || len(items) == 0 {
				t.Fatalf("the history of %s: %d entries, %v", k, len(items), err)
			}
			if got := text(parse(t, items[0].HTML).n); codeLike.MatchString(got) || (k <= plant.KindImportar || k == plant.KindCorregir) && strings.Contains(got, k.String()) {
				t.Errorf("the history shows a code for %s: %s", k, got)
			}
		}
	}
}

func TestOutcomesSayWhatTheBriefSays(t *testing.T) {
	s := snapshot(spool("MK-1-010"))
	for want, e := range map[string]plant.Event{
		"Tomado: …010. Queda a tu nombre desde las 12:00.":                                          {Kind: plant.KindTomar},
		"Relevaste a Carla Díaz. …010 queda a tu nombre; lo ya hecho sigue a nombre de Carla Díaz.": {Kind: plant.KindRelevar, From: carla.Person()},
		"…010 pasó de Carla Díaz a Ana Bravo a las 12:00.":                                          {Kind: plant.KindTraspasar, From: carla.Person()},
		"Guardadas 4 de 7 uniones = 24 PD. Queda **en pausa**, libre para otro.":                    {Kind: plant.KindPausar, Selected: []int{1, 2, 3, 4}, PD: 2400, Needed: 7},
		"…010 queda **en pausa**, libre para otro.":                                                 {Kind: plant.KindPausar},
		"Terminado ARM: 7 uniones, 42 PD.":                                                          {Kind: plant.KindCompletar, Op: plant.ARM, Selected: []int{1, 2, 3, 4, 5, 6, 7}, PD: 4200},
		"Rechazado, 1 de 3. Pasa a reparación.":                                                     {Kind: plant.KindInspeccion, Resultado: plant.Rechazado, Progress: &plant.Progress{Ciclo: 1}},
		"Rechazado, 3 de 3. Quedó BLOQUEADO: avisa al supervisor.":                                  {Kind: plant.KindInspeccion, Resultado: plant.Rechazado, Progress: &plant.Progress{Ciclo: 3}},
		"Deshecho: …010 quedó como antes.":                                                          {Kind: plant.KindDeshacer},
	} {
		e.Tag, e.At, e.Worker = "MK-1-010", noon, ana.Person()
		if got := Outcome(e, s); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestWrongPINCountsDown(t *testing.T) {
	for left, want := range map[int]string{3: "PIN incorrecto. Quedan 3 intentos.", 1: "PIN incorrecto. Queda 1 intento.", 0: "Espera 1 minuto o pide ayuda al supervisor."} {
		if got := PinLeft(left); got != want {
			t.Errorf("PinLeft(%d) = %q, want %q", left, got, want)
		}
	}
	for wait, want := range map[time.Duration]string{time.Second: "1 minuto", time.Minute: "1 minuto", 61 * time.Second: "2 minutos", time.Hour: "60 minutos"} {
		if got := PinWait(wait); got != "Espera "+want+" o pide ayuda al supervisor." {
			t.Errorf("PinWait(%v) = %q, want %s", wait, got, want)
		}
	}
}
