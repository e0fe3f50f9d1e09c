package api

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"envivo/plant"
)

// full is a refusal with everything filled in that any sentence could use,
// names that contain forbidden sequences included.
func full(c plant.Code) *plant.Error {
	at := time.Date(2026, 1, 5, 12, 42, 0, 0, time.UTC)
	return &plant.Error{
		Code: c, Verb: plant.Pausar, Op: plant.SOLD, Tag: "MK-1", Worker: plant.Person{ID: 44, Display: "PD(44)"},
		Holder: plant.Person{ID: 31, Display: "JS(31)"}, HeldFor: plant.ARM, Since: at, Until: at.Add(time.Hour),
		By: plant.Person{ID: 50, Display: "QR(50)"}, How: plant.KindRelevar, Missing: "Fecha_Materiales",
		Required: plant.Soldador | plant.Ayudante, Has: plant.Armador, State: "pausado", Transition: "completar",
		Want: 7, Have: 8, Unions: []int{3, 5}, Primary: "http://planta:8080", Detail: "the credentials of Alfredo", RetryAfter: time.Second,
	}
}

// words that old front ends sort errors by, and the codes they may stand in
// (rules §9.1).
var sorting = map[string][]string{
	"ocupado":       {"SPOOL_OCCUPIED"},
	"expiró":        {"LOCK_EXPIRED"},
	"no encontrado": {"SPOOL_NO_ENCONTRADO", "WORKER_NO_ENCONTRADO", codeMissing},
	"ya iniciada":   {"OPERACION_YA_INICIADA"},
	"ya completada": {"OPERACION_YA_COMPLETADA"},
	"dependencias":  {"DEPENDENCIAS_NO_SATISFECHAS"},
	"Requisitos":    {"DEPENDENCIAS_NO_SATISFECHAS"},
	"autorizado":    {"NO_AUTORIZADO", "ROL_NO_AUTORIZADO", codePIN, codePINWrong},
	"completar":     nil,
	"Sheets":        {codeSheet, "SHEETS_UPDATE_ERROR"},
	"servidor":      {codeSheet, "SHEETS_UPDATE_ERROR"},
	"red":           nil,
	"conexión":      nil,
}

// required are the words that a code's sentence must have.
var required = map[string][]string{
	"SPOOL_OCCUPIED": {"ocupado", "JS(31)", "09:42"}, "LOCK_EXPIRED": {"expiró", "QR(50)"}, "SPOOL_NO_ENCONTRADO": {"no encontrado"},
	"WORKER_NO_ENCONTRADO": {"no encontrado", "44"}, "OPERACION_YA_INICIADA": {"ya iniciada"}, "OPERACION_YA_COMPLETADA": {"ya completada"},
	"DEPENDENCIAS_NO_SATISFECHAS": {"dependencias", "Fecha_Materiales"}, "NO_AUTORIZADO": {"autorizado"}, "ROL_NO_AUTORIZADO": {"autorizado", "Soldador o Ayudante"},
	"SPOOL_BLOQUEADO": {"bloqueado", "supervisor"}, codePIN: {"autorizado", "MK-1"}, codePINWrong: {"autorizado", "MK-1"}, "SHEETS_UPDATE_ERROR": {"servidor"}, codeSheet: {"servidor"},
}

func sortsRight(t *testing.T, code, message string) {
	t.Helper()
	for word, codes := range sorting {
		if strings.Contains(message, word) && !slices.Contains(codes, code) {
			t.Errorf("%s says %q: old front ends take %q for something else", code, message, word)
		}
	}
	for _, word := range required[code] {
		if !strings.Contains(message, word) {
			t.Errorf("%s says %q, want it to contain %q", code, message, word)
		}
	}
	if !strings.HasSuffix(message, ".") || strings.Contains(message, "  ") {
		t.Errorf("%s says %q, want one tidy sentence", code, message)
	}
}

func TestEveryCodeHasItsRow(t *testing.T) {
	if got, want := len(statuses), len(plant.Codes()); got != want {
		t.Errorf("the catalogue has %d rows for %d codes", got, want)
	}
	for _, c := range plant.Codes() {
		row, ok := statuses[c]
		if !ok {
			t.Errorf("code %d has no row", c)
			continue
		}
		if row.status < 400 || row.status > 599 || http.StatusText(row.status) == "" || row.code == "" {
			t.Errorf("code %d is %d %q, want an HTTP status and a name", c, row.status, row.code)
		}
		e := full(c)
		if c == plant.CodeInternal {
			e.Detail = "4f1c" // the request's id
		}
		message := row.say(e)
		sortsRight(t, row.code, message)
		if !strings.Contains(message, "MK-1") && c != plant.CodeUnauthorized {
			t.Errorf("%s says %q, want it to name the TAG", row.code, message)
		}
		if strings.Contains(message, "Alfredo") {
			t.Errorf("%s says %q: details are for the log", row.code, message)
		}
		if row.facts(e) == nil {
			t.Errorf("%s has no data", row.code)
		}
	}
}

func TestSentencesDoWithLess(t *testing.T) {
	for _, c := range plant.Codes() {
		e := full(c)
		if c != plant.CodeOccupied { // which always has a holder
			e.Holder = plant.Person{}
		}
		e.Until, e.How = time.Time{}, plant.KindLiberar
		e.Since = time.Date(2026, 1, 5, 13, 45, 0, 0, time.UTC) // of the event the refusal is about
		if c != plant.CodeDisplaced {
			e.Since = time.Time{}
		}
		if m := statuses[c].say(e); strings.Contains(m, "desde las .") || strings.Contains(m, "por .") || strings.Contains(m, "  ") {
			t.Errorf("code %d without holder says %q", c, m)
		}
	}
	for _, c := range []plant.Code{plant.CodeBusy, plant.CodeInternal, plant.CodeWorkerNotFound, plant.CodeInvalid, plant.CodeUnauthorized} {
		if m := statuses[c].say(&plant.Error{Code: c, Missing: "texto", Detail: "f1"}); strings.Contains(m, "  ") || strings.Contains(m, " :") {
			t.Errorf("code %d without TAG says %q", c, m)
		}
	}
}

func TestSentencesReadAsTheRulesPutThem(t *testing.T) {
	free := full(plant.CodeNotHolder)
	free.Since = time.Time{}
	released := full(plant.CodeDisplaced)
	released.How = plant.KindLiberar
	mixed, one := full(plant.CodeUnion), full(plant.CodeUnion)
	mixed.Unions, mixed.Whys = []int{1, 9, 3, 4, 2, 2, 5}, []plant.UnionWhy{plant.UnionDone, plant.UnionMissing, plant.UnionUnarmed, plant.UnionUnarmed, plant.UnionTwice, plant.UnionTwice, plant.UnionWeldless}
	one.Unions = []int{3}
	inspection := full(plant.CodeNotAvailable)
	inspection.Op = plant.METROLOGIA
	for _, c := range []struct {
		err  *plant.Error
		want string
	}{
		{full(plant.CodeOccupied), "Spool MK-1 ocupado por JS(31) desde las 09:42."},
		{full(plant.CodeNotHolder), "PD(44) no está autorizado en MK-1: lo tiene JS(31) desde las 09:42."},
		{full(plant.CodeTooEarly), "PD(44) no está autorizado en MK-1: lo tiene JS(31) desde las 09:42."},
		{free, "PD(44) no está autorizado en MK-1: la última toma fue de JS(31)."},
		{full(plant.CodeDisplaced), "La toma de MK-1 por PD(44) expiró: la tiene QR(50) desde las 09:42."},
		{released, "La toma de MK-1 por PD(44) expiró: la liberó un supervisor a las 09:42."},
		{full(plant.CodeRole), "PD(44) no está autorizado para SOLD en MK-1: hace falta el rol Soldador o Ayudante."},
		{full(plant.CodeDependency), "Faltan dependencias para SOLD en MK-1: Fecha_Materiales."},
		{full(plant.CodeArmFirst), "Aún no se puede soldar MK-1: ninguna unión tiene ARM."},
		{full(plant.CodeDone), "SOLD ya completada en MK-1 por JS(31)."},
		{full(plant.CodeStarted), "SOLD ya iniciada en MK-1 por JS(31)."},
		{full(plant.CodeTransition), "Spool MK-1: no se puede terminar SOLD, está pausado."},
		{full(plant.CodeUnchanged), "Spool MK-1: no había nada que cambiar."},
		{full(plant.CodeUndoLate), "Spool MK-1: ya no se puede deshacer."},
		{inspection, "METROLOGIA no se toma en MK-1: se registra el resultado."},
		{full(plant.CodeNotStarted), "SOLD no está iniciada en MK-1."},
		{full(plant.CodeNotPending), "SOLD no está pendiente en MK-1."},
		{full(plant.CodeRace), "En MK-1 quedan 7 uniones por hacer y llegaron 8."},
		{mixed, "En MK-1 la unión 9 no existe; la unión 2 viene dos veces; la unión 1 ya está hecha; las uniones 3 y 4 todavía no tienen ARM; la unión 5 no lleva soldadura."},
		{full(plant.CodeUnion), "En MK-1 no se pueden usar las uniones 3 y 5."},
		{one, "En MK-1 no se puede usar la unión 3."},
		{full(plant.CodeBlocked), "Spool MK-1 bloqueado tras 3 rechazos: debe intervenir el supervisor."},
		{full(plant.CodeSupervisor), "No autorizado en MK-1: hace falta la sesión del supervisor."},
		{full(plant.CodeVersion), "Spool MK-1 cambió desde que lo leíste: revisa y repite."},
		{full(plant.CodeSpoolNotFound), "Spool MK-1 no encontrado."},
		{full(plant.CodeWorkerNotFound), "Trabajador 44 no encontrado o inactivo; MK-1 sin cambios."},
		{full(plant.CodeBusy), "El servidor tiene mucho trabajo: repite MK-1 en un momento."},
		{full(plant.CodeUnknownOutcome), "El servidor no pudo confirmar el cambio en MK-1."},
		{full(plant.CodeCorrupt), "Spool MK-1 tiene un dato dañado en Fecha_Materiales."},
	} {
		if got := statuses[c.err.Code].say(c.err); got != c.want {
			t.Errorf("code %d says\n %q, want\n %q", c.err.Code, got, c.want)
		}
	}
}

func TestStatusesAreTheRules(t *testing.T) {
	for code, want := range map[plant.Code]int{
		plant.CodeSpoolNotFound: 404, plant.CodeWorkerNotFound: 404, plant.CodeRole: 403, plant.CodeBlocked: 403, plant.CodeDependency: 400,
		plant.CodeArmFirst: 403, plant.CodeOccupied: 409, plant.CodeNotHolder: 403, plant.CodeTooEarly: 403, plant.CodeSupervisor: 403,
		plant.CodeDisplaced: 410, plant.CodeTransition: 400, plant.CodeUnchanged: 400, plant.CodeUndoLate: 400, plant.CodeStarted: 400,
		plant.CodeDone: 400, plant.CodeNotStarted: 400, plant.CodeNotPending: 400, plant.CodeNotAvailable: 400, plant.CodeVersion: 409,
		plant.CodeRace: 409, plant.CodeUnion: 422, plant.CodeKeyReused: 422, plant.CodeInvalid: 422, plant.CodeCorrupt: 500,
		plant.CodeInternal: 500, plant.CodeBusy: 503, plant.CodeFull: 503, plant.CodeUnknownOutcome: 503, plant.CodeUnauthorized: 403, plant.CodeStandby: 503,
	} {
		if got := statusOf(code); got != want {
			t.Errorf("code %d is status %d, want %d", code, got, want)
		}
	}
}

func TestDataHasTheKeysClientsRead(t *testing.T) {
	for code, keys := range map[plant.Code]string{
		plant.CodeOccupied:      "tag_spool owner_id owner_name",
		plant.CodeVersion:       "expected_version actual_version",
		plant.CodeNotHolder:     "tag_spool trabajador_esperado trabajador_solicitante operacion",
		plant.CodeTooEarly:      "tag_spool trabajador_esperado trabajador_solicitante operacion vence",
		plant.CodeRole:          "worker_id operacion rol_requerido roles_actuales",
		plant.CodeDependency:    "tag_spool operacion dependencia_faltante",
		plant.CodeNotPending:    "tag_spool operacion estado_actual",
		plant.CodeTransition:    "tag_spool current_state attempted_transition",
		plant.CodeSpoolNotFound: "tag_spool",
		plant.CodeDone:          "tag_spool operacion",
	} {
		data := statuses[code].facts(full(code))
		for key := range strings.FieldsSeq(keys) {
			if v, ok := data[key]; !ok || v == "" {
				t.Errorf("data of code %d has no %s: %v", code, key, data)
			}
		}
	}
}

// A key is there with a value, or the whole is null: an empty text says nothing.
func TestDataSaysNothingEmpty(t *testing.T) {
	unsaid := full(plant.CodeNotHolder)
	unsaid.Op = plant.OpNone
	if got := statuses[plant.CodeNotHolder].facts(unsaid)["operacion"]; got != "ARM" {
		t.Errorf("operacion = %q, want that of the hold", got)
	}
	if got := statuses[plant.CodeUnauthorized].facts(&plant.Error{Code: plant.CodeUnauthorized}); got != nil {
		t.Errorf("data of a request that named no spool = %v, want null", got)
	}
}

func TestOtherRefusalsSortRightToo(t *testing.T) {
	for _, a := range []attempt{{unset: true}, {left: 1}, {left: 3}, {wait: time.Minute}} {
		var p *problem
		if !errors.As(wrongPIN(a), &p) {
			t.Fatalf("wrongPIN(%+v) is no problem", a)
		}
		sortsRight(t, p.code, p.message)
	}
	pin := func(u unproven) error { return u.problem("MK-1", "pin") }
	for _, err := range []error{pin(unproven{worker: 12}), pin(unproven{worker: 12, tried: true, attempt: attempt{left: 1}}), pin(unproven{worker: 12, tried: true, attempt: attempt{left: 3}}),
		pin(unproven{worker: 12, tried: true, attempt: attempt{wait: time.Minute}}), strangeOrigin(), unauthorized(grant{stale: true}), badOp("PINTAR", plant.ARM, plant.SOLD), badJSON(errors.New("x"))} {
		var p *problem
		if !errors.As(err, &p) {
			t.Fatalf("%v is no problem", err)
		}
		sortsRight(t, p.code, p.message)
	}
}

func TestPeopleAreNamedByNumber(t *testing.T) {
	for _, c := range []struct {
		p    plant.Person
		want string
	}{
		{plant.Person{ID: 12, Display: "AB(12)"}, "AB(12)"},
		{plant.Person{ID: 12, Display: "Á(12)"}, "Á(12)"},
		{plant.Person{ID: 12, Display: "Alfredo Rojas(12)"}, "el trabajador 12"},
		{plant.Person{Display: "Alfredo"}, "alguien sin número"},
	} {
		m := statuses[plant.CodeOccupied].say(&plant.Error{Tag: "MK-1", Holder: c.p})
		if want := "Spool MK-1 ocupado por " + c.want + "."; m != want {
			t.Errorf("a spool held by %+v is refused with %q, want %q", c.p, m, want)
		}
	}
}

func TestLongAndBrokenTagsAreClipped(t *testing.T) {
	m := statuses[plant.CodeSpoolNotFound].say(&plant.Error{Tag: plant.Tag(strings.Repeat("ñ", 500) + "\xff")})
	if len([]rune(m)) > 120 || strings.Contains(m, "\xff") {
		t.Errorf("a refusal of a strange TAG is %d characters: %q", len([]rune(m)), m)
	}
}
