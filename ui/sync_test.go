package ui

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"envivo/plant"
)

// exchange is a state of the exchange with something in every list.
func exchange() SyncStatus {
	return SyncStatus{
		Mode: SyncNoticed, Sentence: "La hoja se lee; no se escribe mientras falte un encabezado.",
		LastIn: noon.Add(-20 * time.Second), LastOut: noon.Add(-85 * time.Minute), Backlog: 1240, Oldest: noon.Add(-80 * time.Minute), Calls: 12, Budget: 60,
		Alerts: []SyncAlert{{Since: noon.Add(-80 * time.Minute), Direction: "salida", Sheet: "Operaciones", Column: "Fecha_Armado", Text: "Falta el encabezado."}},
		Proposals: []SyncProposal{
			{ID: "p/1 ?", Tag: "MK-1-010", Column: "Fecha_Armado", Ours: "", Theirs: "12-05-2026", Row: 7, Since: noon.Add(-5 * time.Minute), Acceptable: true},
			{ID: "p2", Tag: "MK-1-011", Column: "Armador", Ours: "AB(12)", Theirs: "nadie", Row: 8, Since: noon.Add(-5 * time.Minute), Why: "El spool está tomado."},
		},
		Parked:      []SyncParked{{Seq: 812, Tag: "MK-1-012", Why: "La hoja no acepta el valor.", At: noon.Add(-time.Hour)}},
		Quarantined: []SyncCell{{Sheet: "Operaciones", Row: 9, Column: "Total_Uniones", Value: "siete", Reason: "No es un número."}},
		Missing:     []plant.Tag{"MK-1-013"},
		Audit:       []SyncAudit{{At: noon.Add(-time.Minute), Text: "Una fila se movió: se reparó lo escrito."}},
		Report:      []SyncReport{{Sheet: "Operaciones", Rows: 1869, Accepted: 1850, Repaired: 12, Quarantined: 7}},
	}
}

// syncSights are the page's states by name.
func syncSights() map[string]*SyncSight {
	return map[string]*SyncSight{
		"full":       {Status: exchange()},
		"supervisor": {Status: exchange(), Supervisor: true},
		"empty":      {Status: SyncStatus{Mode: SyncFine, Sentence: "Todo está en la hoja.", LastIn: noon, LastOut: noon, Budget: 60}},
		"loading":    {},
		"none":       {Status: SyncStatus{Mode: SyncNone, Sentence: TextNoSheet}},
		"stopped":    {Status: SyncStatus{Mode: SyncStopped, Sentence: "Google no acepta la clave."}},
	}
}

// syncDOM is the page of a sight.
func syncDOM(t *testing.T, v *SyncSight) dom {
	t.Helper()
	regions, err := v.Regions()
	if err != nil {
		t.Fatalf("draw the exchange: %v", err)
	}
	parts, err := Parts(t.Context(), SyncPage(Frame{Title: "T", Now: noon, Here: v.Path(), Reread: true}, v))
	if err != nil {
		t.Fatalf("draw the page: %v", err)
	}
	var raw []byte
	for _, p := range parts {
		raw = append(raw, p.Text...)
		if p.Region != "" {
			raw = append(raw, FillTimes(joinItems(regions[0]), noon)...)
		}
	}
	return parse(t, raw)
}

func TestTheStateOfTheExchangeIsAWordAndASentence(t *testing.T) {
	for mode, want := range map[string]string{SyncFine: "Al día", SyncNoticed: "Al día, con avisos", SyncBehind: "Atrasada", SyncStopped: "Detenida",
		SyncReadOnly: "Solo lectura", "otra cosa": "Otra cosa"} {
		d := syncDOM(t, &SyncSight{Status: SyncStatus{Mode: mode, Sentence: "Así está."}})
		says(t, mode, d.one(t, "[data-k=estado]"), want, "Así está.")
		d.one(t, "[data-cmd=SINCRONIZAR]")
	}
}

func TestEverySectionOfTheExchangeIsInItsPlace(t *testing.T) {
	v := &SyncSight{Status: exchange()}
	regions, err := v.Regions()
	if err != nil {
		t.Fatalf("draw the exchange: %v", err)
	}
	if got, want := keys(regions[0]), []string{"estado", "avisos", "cifras", "propuestas", "aparcadas", "celdas", "faltan", "arreglos", "informe"}; !slices.Equal(got, want) {
		t.Errorf("sections = %v, want %v", got, want)
	}
	d := syncDOM(t, v)
	for sel, words := range map[string][]string{
		"[data-k=avisos]":       {"Avisos 1", "Falta el encabezado.", "salida", "Operaciones · Fecha_Armado", "desde las 10:40"},
		"[data-cifra=leido]":    {"Última lectura", "hace menos de 1 min", "las 11:59"},
		"[data-cifra=escrito]":  {"Última escritura", "hace 1 h 25 min", "las 10:35"},
		"[data-cifra=espera]":   {"1.240", "el más antiguo hace 1 h 20 min"},
		"[data-cifra=llamadas]": {"12", "de 60 en el último minuto"},
		"[data-propuesta=p2]":   {"MK-1- 011", "Armador", "fila 8", "Nuestro AB(12)", "En la hoja nadie", "No se puede aceptar. El spool está tomado."},
		"[data-seq=812]":        {"MK-1- 012", "La hoja no acepta el valor.", "evento 812", "aparcada las 11:00"},
		"[data-k=celdas]":       {"Operaciones · fila 9 · Total_Uniones", "siete", "No es un número."},
		"[data-k=faltan]":       {"MK-1-013"},
		"[data-k=arreglos]":     {"24-11-2026 11:59", "Una fila se movió: se reparó lo escrito."},
		"[data-k=informe]":      {"1.869 filas", "1.850 aceptadas", "12 reparadas", "7 en cuarentena"},
	} {
		says(t, sel, d.one(t, sel), words...)
	}
	says(t, "an empty cell", d.one(t, "[data-propuesta=p/1 ?]"), "Nuestro celda vacía", "En la hoja 12-05-2026")
}

func TestOnlyASupervisorIsOfferedToResolve(t *testing.T) {
	d := syncDOM(t, &SyncSight{Status: exchange()})
	for _, cmd := range []string{"ACEPTAR_PROPUESTA", "RECHAZAR_PROPUESTA", "REINTENTAR"} {
		if d.has("[data-cmd=" + cmd + "]") {
			t.Errorf("%s is offered without the supervisor's session", cmd)
		}
	}
	if got := len(d.all("a[href=/entrar?volver=%2Fsync]")); got != 2 {
		t.Errorf("%d ways to the PIN, want one per list to resolve", got)
	}
	d = syncDOM(t, &SyncSight{Status: exchange(), Supervisor: true})
	if to, _ := attr(d.one(t, "[data-cmd=ACEPTAR_PROPUESTA]"), "href"); to != "/sync?hacer=aceptar&propuesta=p%2F1+%3F" {
		t.Errorf("accepting leads to %s", to)
	}
	d.one(t, "form[action=/sync/propuestas/p%2F1%20%3F/rechazar][method=post]")
	d.one(t, "form[action=/sync/propuestas/p2/rechazar]")
	d.one(t, "form[action=/sync/aparcados/812/reintentar]")
	if d.has("a[href=/entrar?volver=%2Fsync]") {
		t.Error("a supervisor is sent to the PIN again")
	}
}

func TestNothingToResolveIsSaidInWords(t *testing.T) {
	d := syncDOM(t, &SyncSight{Status: SyncStatus{Mode: SyncFine, LastIn: noon, LastOut: noon}})
	says(t, "the empty page", d.one(t, "[data-k=nada]"), "No hay propuestas, entradas aparcadas, celdas en cuarentena ni spools sin fila.")
	says(t, "the backlog", d.one(t, "[data-cifra=espera]"), "0", "nada en espera")
	d = syncDOM(t, &SyncSight{Status: SyncStatus{Mode: SyncFine, LastIn: noon, Parked: exchange().Parked, Missing: exchange().Missing, Proposals: exchange().Proposals}})
	says(t, "one empty list", d.one(t, "[data-k=nada]"), "No hay celdas en cuarentena.")
}

func TestWhatIsNotKnownYetIsNoZero(t *testing.T) {
	d := syncDOM(t, &SyncSight{})
	says(t, "the page before the first round", d.one(t, "[data-k=estado]"), "Empezando", TextSyncFirst)
	for _, sel := range []string{"[data-k=cifras]", "[data-k=nada]"} {
		if d.has(sel) {
			t.Errorf("%s is shown before anything is known", sel)
		}
	}
	d = syncDOM(t, &SyncSight{Status: SyncStatus{Mode: SyncStopped, Sentence: "Google no acepta la clave.", Backlog: 3}})
	says(t, "a Sheet never reached", d.one(t, "[data-cifra=leido]"), "Todavía no")
	says(t, "its backlog", d.one(t, "[data-cifra=espera]"), "3", "eventos en espera")
	if d.has("[data-k=nada]") {
		t.Error("lists are called empty though the Sheet was never read")
	}
	d = syncDOM(t, &SyncSight{Status: SyncStatus{Mode: SyncNone}})
	says(t, "a plant without a Sheet", d.one(t, "[data-k=estado]"), "Sin hoja", TextNoSheet)
	if d.has("[data-cmd=SINCRONIZAR]") || d.has("[data-k=cifras]") {
		t.Error("a plant without a Sheet offers to synchronise")
	}
}

func TestLongListsSayWhatTheyLeaveOut(t *testing.T) {
	s := SyncStatus{Mode: SyncNoticed, LastIn: noon}
	for i := range 1869 {
		s.Quarantined = append(s.Quarantined, SyncCell{Sheet: "Operaciones", Row: i + 2, Column: "DN", Value: "x", Reason: "No es un número."})
	}
	d := syncDOM(t, &SyncSight{Status: s})
	says(t, "the cut list", d.one(t, "[data-k=celdas]"), "Celdas en cuarentena 1.869", "Se muestran 50 de 1.869.", "Ver todo")
	if got := len(d.all(".sinc-celda")); got != SyncRows {
		t.Errorf("the cut list has %d rows, want %d", got, SyncRows)
	}
	d = syncDOM(t, &SyncSight{Status: s, All: true})
	if got := len(d.all(".sinc-celda")); got != 1869 || d.has(".sinc-resto") {
		t.Errorf("the whole list has %d rows, want 1869 and no rest", got)
	}
}

// TestTheExchangeIsDrawnTheSameUntilItChanges: a drawing that differs each time
// would be put under the fingers of whoever reads it every few seconds.
func TestTheExchangeIsDrawnTheSameUntilItChanges(t *testing.T) {
	draw := func() []byte {
		regions, err := (&SyncSight{Status: exchange(), Supervisor: true}).Regions()
		if err != nil {
			t.Fatalf("draw the exchange: %v", err)
		}
		return joinItems(regions[0])
	}
	if !bytes.Equal(draw(), draw()) {
		t.Error("two drawings of one state differ")
	}
}

func TestAcceptingAsksForAMotive(t *testing.T) {
	p := exchange().Proposals[0]
	d := component(t, AcceptProposal(p, SheetForm{Said: "Falta el motivo."}))
	says(t, "the dialog", d.one(t, "dialog"), "Aceptar · …010", "Fecha_Armado", "Nuestro celda vacía", "Queda 12-05-2026", "La oficina tiene razón", "Falta el motivo.")
	d.one(t, "form[action=/sync/propuestas/p%2F1%20%3F/aceptar][method=post]")
	d.one(t, "input[name=otro]")
	if got := len(d.all("input[name=motivo]")); got != len(acceptMotives) {
		t.Errorf("%d motives to choose from, want %d", got, len(acceptMotives))
	}
}

func TestHostileCellsStayTexts(t *testing.T) {
	s := exchange()
	s.Sentence, s.Alerts[0].Text, s.Proposals[0].Tag, s.Proposals[0].Theirs, s.Proposals[0].ID = hostile, hostile, hostile, hostile, hostile
	s.Quarantined[0] = SyncCell{hostile, 1, hostile, hostile, hostile}
	s.Parked[0].Why, s.Missing[0], s.Audit[0].Text, s.Report[0].Sheet = hostile, hostile, hostile, hostile
	d := syncDOM(t, &SyncSight{Status: s, Supervisor: true})
	if got := len(d.all("script")); got != 1 {
		t.Errorf("%d scripts, want the page's own", got)
	}
	says(t, "a cell", d.one(t, ".sinc-celda"), hostile)
}

func TestTheFrameMarksAlertsOfTheSheet(t *testing.T) {
	menu := func(n int) dom { return component(t, MenuPage(Frame{Now: noon, SyncAlerts: n})) }
	d := menu(2)
	says(t, "the navigation", d.one(t, ".nav-aviso"), "Hay 2 avisos de la hoja")
	says(t, "the menu's link", d.one(t, "a[href=/sync]"), "Sincronización", "Hay 2 avisos de la hoja")
	if d = menu(0); d.has(".nav-aviso") || strings.Contains(text(d.one(t, "a[href=/sync]")), "aviso") {
		t.Error("a frame without alerts is marked")
	}
}

func TestTheScriptRereadsOnlyWhatFollowsNoView(t *testing.T) {
	for _, reread := range []bool{true, false} {
		d := component(t, MenuPage(Frame{Now: noon, Reread: reread}))
		if got := d.has("body[data-releer]"); got != reread {
			t.Errorf("a page that rereads: %v, want %v", got, reread)
		}
	}
}

func TestSentencesOfTheExchangeAreReadable(t *testing.T) {
	for i, s := range []string{TextNoSheet, TextSyncFirst, TextSyncNow, TextSyncPIN, TextSyncGone, TextSyncMoved, TextRejected,
		Accepted(SyncProposal{}), Accepted(exchange().Proposals[0]), Retried(812), NotAcceptable(""), NotAcceptable("El spool está tomado.")} {
		readable(t, fmt.Sprintf("sentence %d", i), s)
	}
}
