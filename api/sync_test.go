package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"envivo/api"
	"envivo/plant"
)

// exchange is a Sync whose state a test sets and which tells what was asked.
type exchange struct {
	is    api.SyncStatus
	asked []string
	// fails is the answer to the next act.
	fails error
}

func (x *exchange) Status() api.SyncStatus { return x.is }
func (x *exchange) Now()                   { x.asked = append(x.asked, "now") }

func (x *exchange) Accept(_ context.Context, id, motivo, _ string) error {
	return x.settle("accept "+id+" "+motivo, id)
}

func (x *exchange) Reject(_ context.Context, id, _ string) error { return x.settle("reject "+id, id) }

// settle does an act: what is settled is no longer listed.
func (x *exchange) settle(what, id string) error {
	at := slices.IndexFunc(x.is.Proposals, func(p api.SyncProposal) bool { return p.ID == id })
	switch {
	case x.fails != nil:
		return x.fails
	case at < 0:
		return api.ErrSyncGone
	}
	x.asked = append(x.asked, what)
	x.is.Proposals = slices.Delete(slices.Clone(x.is.Proposals), at, at+1)
	return nil
}

func (x *exchange) Retry(_ context.Context, seq plant.Seq) error {
	switch {
	case x.fails != nil:
		return x.fails
	case len(x.is.Parked) == 0 || x.is.Parked[0].Seq != seq:
		return api.ErrSyncGone
	}
	x.asked = append(x.asked, "retry")
	x.is.Parked = nil
	return nil
}

// want fails the test unless exactly this was asked.
func (x *exchange) want(t *testing.T, asked ...string) {
	t.Helper()
	if !slices.Equal(x.asked, asked) {
		t.Errorf("the exchange was asked %q, want %q", x.asked, asked)
	}
}

// newExchange is a plant with a Sheet, a supervisor's PIN and something in
// every list.
func newExchange(t *testing.T, set ...func(*api.Options)) (*box, *exchange) {
	t.Helper()
	x := &exchange{}
	b := newBox(t, append(set, func(o *api.Options) { o.Sync = x })...)
	b.pin("2580")
	now := b.clock.Now()
	x.is = api.SyncStatus{
		Mode: api.SyncNoticed, Sentence: "Se lee y se escribe; hay celdas que mirar.", LastIn: now.Add(-20 * time.Second), LastOut: now.Add(-30 * time.Second),
		Backlog: 4, Oldest: now.Add(-40 * time.Second), Calls: 12, Budget: 60,
		Alerts: []api.SyncAlert{{Since: now.Add(-time.Hour), Direction: "salida", Sheet: "Operaciones", Column: "Armador", Text: "Falta el encabezado."}},
		Proposals: []api.SyncProposal{
			{ID: "p1", Tag: "S-1", Column: "Fecha_Armado", Ours: "10-01-2026", Theirs: "12-01-2026", Row: 7, Since: now, Acceptable: true},
			{ID: "p2", Tag: "S-2", Column: "Armador", Theirs: "nadie", Row: 8, Since: now, Why: "El spool está tomado."}},
		Parked:      []api.SyncParked{{Seq: 812, Tag: "S-3", Why: "La hoja no acepta el valor.", At: now}},
		Quarantined: []api.SyncCell{{Sheet: "Operaciones", Row: 9, Column: "DN", Value: "siete", Reason: "No es un número."}},
		Missing:     []plant.Tag{"S-4"},
		Audit:       []api.SyncAudit{{At: now, Text: "Una fila se movió."}},
		Report:      []api.SyncReport{{Sheet: "Operaciones", Rows: 11, Accepted: 9, Repaired: 1, Quarantined: 1}},
	}
	return b, x
}

// supervised is a tablet with the supervisor's session open.
func (b *box) supervised() *tablet {
	b.t.Helper()
	return b.tablet().open("/entrar?volver=%2Fsync", http.StatusOK).press("ENTRAR", url.Values{"pin": {"2580"}})
}

func TestEverybodyReadsTheSyncPage(t *testing.T) {
	b, _ := newExchange(t)
	p := b.tablet().open("/sync", http.StatusOK)
	p.says("Sincronización", "Al día, con avisos", "Se lee y se escribe; hay celdas que mirar.", "Falta el encabezado.", "10-01-2026", "12-01-2026",
		"La hoja no acepta el valor.", "siete", "Una fila se movió.", "11 filas", "Lo resuelve el supervisor.")
	p.open("/menu", http.StatusOK).says("Sincronización", "Hay 1 aviso de la hoja")
	newBox(t).tablet().open("/sync", http.StatusOK).says("Sin hoja", "Esta planta trabaja sin hoja de cálculo").silent("Sincronizar ahora")
}

func TestTheSyncPageIsReadAgainByItsScript(t *testing.T) {
	b, x := newExchange(t)
	p := b.tablet().open("/sync?todo=1", http.StatusOK)
	if p.find(func(n *html.Node) bool {
		return n.Data == "body" && slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "data-releer" }) && value(n, "data-view") == ""
	}) == nil {
		t.Error("the page does not say that it is to be read again, or follows a view")
	}
	x.is.Backlog = 77
	p.send(http.MethodGet, "/sync?todo=1", nil, "X-Parte", "vivo")
	var state struct {
		View    string
		Now     int64
		Regions []struct {
			ID    string
			Items []struct{ K, H string }
		}
	}
	if err := json.Unmarshal([]byte(p.raw), &state); err != nil {
		t.Fatalf("read the state %s: %v", p.raw, err)
	}
	if state.View != "" || state.Now == 0 || len(state.Regions) != 1 || state.Regions[0].ID != "sync" || len(state.Regions[0].Items) < 5 {
		t.Fatalf("the state is %.300s", p.raw)
	}
	for _, it := range state.Regions[0].Items {
		if it.K == "cifras" && !strings.Contains(it.H, "77") {
			t.Errorf("the figures are %s, want the new backlog in them", it.H)
		}
	}
}

func TestAnybodyAsksForARound(t *testing.T) {
	b, x := newExchange(t)
	b.tablet().open("/sync", http.StatusOK).press("SINCRONIZAR", nil).says("Pedido: la hoja se lee y se escribe ahora.")
	if r := b.post("/api/sync/now", nil).want(t, "now", 200); r.Body["success"] != true {
		t.Errorf("now = %s", r.Raw)
	}
	x.want(t, "now", "now")
}

func TestASupervisorAcceptsAProposal(t *testing.T) {
	b, x := newExchange(t)
	p := b.supervised()
	p.open("/sync?hacer=aceptar&propuesta=p1", http.StatusOK).says("Aceptar · S-1", "La oficina tiene razón")
	p.press("ACEPTAR", nil).says("Falta el motivo.", "Aceptar · S-1")
	x.want(t)
	p.press("ACEPTAR", url.Values{"motivo": {"Acordado con la oficina"}}).says("Aceptado: Fecha_Armado de S-1 queda como dice la hoja.").silent("12-01-2026")
	x.want(t, "accept p1 Acordado con la oficina")
	if p.at != "/sync" {
		t.Errorf("accepting leads to %s, want the page", p.at)
	}
	p.fill("/sync/propuestas/p1/aceptar", url.Values{"motivo": {"Acordado con la oficina"}}).says("queda lo que dice la hoja.").silent("ya no está")
	p.fill("/sync/propuestas/p1/rechazar", url.Values{}).says("Esa entrada ya no está: alguien la resolvió o la hoja cambió. Revisa la lista.")
	x.want(t, "accept p1 Acordado con la oficina")
}

func TestASupervisorRejectsAndRetries(t *testing.T) {
	b, x := newExchange(t)
	p := b.supervised()
	p.fill("/sync/propuestas/p2/rechazar", url.Values{}).says("Propuesta rechazada: se vuelve a escribir lo nuestro en la hoja.")
	if e := b.lastSetting(); e.Setting.Key != "hoja/acto" || !strings.Contains(e.Setting.Value, `"rechazar","que":"p2"`) || !e.Supervisor || e.Actor.Display != plant.SupervisorName || e.Device == "" {
		t.Errorf("the rejection is recorded as %+v by %v on %q", e.Setting, e.Actor, e.Device)
	}
	p.open("/sync", http.StatusOK).press("REINTENTAR", nil).says("Se reintenta el evento 812.", "No hay entradas aparcadas.")
	p.fill("/sync/aparcados/812/reintentar", url.Values{}).says("Se reintenta el evento 812.")
	b.clock.Add(5 * time.Minute)
	b.clock.Add(5 * time.Minute)
	b.supervised().fill("/sync/aparcados/812/reintentar", url.Values{}).says("Esa entrada ya no está")
	x.want(t, "reject p2", "retry")
	if e := b.lastSetting(); !strings.Contains(e.Setting.Value, `"reintentar","que":"812"`) {
		t.Errorf("the retry is recorded as %+v", e.Setting)
	}
}

// lastSetting is the newest event of the box, one about a setting.
func (b *box) lastSetting() plant.Event {
	b.t.Helper()
	events, err := b.store.Events(b.t.Context(), b.store.Snapshot().Seq-1, 1)
	if err != nil || len(events) != 1 || events[0].Setting == nil {
		b.t.Fatalf("the last event is %+v, %v; want one about a setting", events, err)
	}
	return events[0]
}

func TestTheDialogIsForWhoMayUseIt(t *testing.T) {
	b, _ := newExchange(t)
	b.tablet().open("/sync?hacer=aceptar&propuesta=p1", http.StatusOK).silent("ACEPTAR")
	p := b.supervised()
	for _, id := range []string{"p2", "nada", ""} {
		p.open("/sync?hacer=aceptar&propuesta="+id, http.StatusOK).silent("ACEPTAR")
	}
	p.send(http.MethodGet, "/sync?hacer=aceptar&propuesta=p1", nil, "X-Parte", "hoja")
	if !strings.HasPrefix(p.raw, "<dialog") {
		t.Errorf("the script gets %.60s, want the dialog alone", p.raw)
	}
}

func TestEveryRefusalOfTheSyncPageSaysWhatToDo(t *testing.T) {
	b, x := newExchange(t)
	why := url.Values{"motivo": {"Acordado"}}
	acts := map[string]url.Values{"/sync/propuestas/p1/aceptar": why, "/sync/propuestas/p1/rechazar": {}, "/sync/aparcados/812/reintentar": {}}
	for path, form := range acts {
		b.tablet().fill(path, form).says("Eso lo hace el supervisor: ingresa el PIN.", "Ingresar el PIN")
	}
	p := b.supervised()
	for _, c := range []struct {
		path string
		form url.Values
		fail error
		want string
	}{
		{"/sync/propuestas/nada/aceptar", why, nil, "Esa entrada ya no está"},
		{"/sync/propuestas/nada/rechazar", url.Values{}, nil, "Esa entrada ya no está"},
		{"/sync/aparcados/1/reintentar", url.Values{}, nil, "Esa entrada ya no está"},
		{"/sync/propuestas/p2/aceptar", why, nil, "Esa propuesta no se puede aceptar, solo rechazar. El spool está tomado."},
		{"/sync/propuestas/p1/aceptar", why, &api.SyncRefused{Why: "La celda es una fórmula."}, "solo rechazar. La celda es una fórmula."},
		{"/sync/propuestas/p1/aceptar", why, api.ErrSyncMoved, "La celda o el spool cambió mientras mirabas. Revisa los dos valores y repite."},
		{"/sync/propuestas/p1/rechazar", url.Values{}, api.ErrSyncMoved, "cambió mientras mirabas"},
		{"/sync/propuestas/p1/aceptar", why, &plant.Error{Code: plant.CodeBusy, Tag: "S-1"}, "Hay mucho trabajo a la vez"},
		{"/sync/aparcados/812/reintentar", url.Values{}, errors.New("the disk fell off"), "Algo falló de nuestro lado. Revisa el spool antes de repetir. Código: "},
	} {
		x.fails = c.fail
		p.fill(c.path, c.form).says(c.want).silent("fell off")
	}
	x.want(t)
	x.fails = nil
	for path, want := range map[string]int{"/sync/aparcados/x/reintentar": 404, "/sync/propuestas/p1/borrar": 404} {
		if r := p.send(http.MethodPost, path, url.Values{}); r.StatusCode != want {
			t.Errorf("POST %s = %d, want %d", path, r.StatusCode, want)
		}
	}
	for _, path := range []string{"/sync/ahora", "/sync/propuestas/p1/aceptar", "/sync/propuestas/p1/rechazar", "/sync/aparcados/812/reintentar"} {
		if r := p.send(http.MethodPost, path, url.Values{"extra": {"1"}}); r.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("POST %s with a strange field = %d, want 422", path, r.StatusCode)
		}
		if r := p.send(http.MethodPost, path, why, "Sec-Fetch-Site", "cross-site", "Origin", "https://mal.example"); r.StatusCode != http.StatusForbidden {
			t.Errorf("POST %s of another site = %d, want 403", path, r.StatusCode)
		}
		newBox(t).tablet().fill(path, motiveFor(path, why)).says("Esta planta trabaja sin hoja de cálculo")
	}
	x.want(t)
}

// motiveFor is the form of an address: only accepting takes a motive.
func motiveFor(path string, why url.Values) url.Values {
	if strings.HasSuffix(path, "/aceptar") {
		return why
	}
	return url.Values{}
}

func TestAStrangerNeitherSeesNorActs(t *testing.T) {
	b, x := newExchange(t, enrolled)
	b.tablet().open("/sync", http.StatusForbidden).silent("Falta el encabezado.")
	if r := b.tablet().send(http.MethodPost, "/sync/ahora", url.Values{}); r.StatusCode != http.StatusForbidden {
		t.Errorf("a stranger's round = %d, want 403", r.StatusCode)
	}
	b.get("/api/sync").want(t, "a stranger's look", 403, "NO_AUTORIZADO")
	read, act := []string{"Authorization", "Bearer " + b.token("read")}, []string{"Authorization", "Bearer " + b.token("act")}
	b.get("/api/sync", read...).want(t, "reading", 200)
	b.post("/api/sync/now", nil, read...).want(t, "a round by a reader", 403, "NO_AUTORIZADO")
	x.want(t)
	b.post("/api/sync/now", nil, act...).want(t, "a round", 200)
	for _, path := range []string{"/api/sync/proposals/p1/accept", "/api/sync/proposals/p1/reject", "/api/sync/parked/812/retry"} {
		b.post(path, fields{"motivo": "m"}, act...).want(t, path+" by a tablet", 403, "NO_AUTORIZADO")
	}
	x.want(t, "now")
}

func TestTheSyncForPrograms(t *testing.T) {
	b, x := newExchange(t)
	r := b.get("/api/sync").want(t, "GET /api/sync", 200)
	for list, keys := range map[string]string{
		"alerts":      "since direction sheet column text",
		"proposals":   "id tag_spool row column ours theirs since acceptable why",
		"parked":      "seq tag_spool why at",
		"quarantined": "sheet row column value reason",
		"audit":       "at text",
		"report":      "sheet rows accepted repaired quarantined",
	} {
		items := r.items(list)
		if len(items) == 0 || len(items[0]) != len(strings.Fields(keys)) {
			t.Errorf("%s = %v, want the keys %s", list, items, keys)
			continue
		}
		for key := range strings.FieldsSeq(keys) {
			if _, ok := items[0][key]; !ok {
				t.Errorf("%s lacks %s: %v", list, key, items[0])
			}
		}
	}
	if r.text("mode") != "al día con avisos" || r.num("backlog") != 4 || r.num("calls") != 12 || r.num("budget") != 60 || r.text("last_in") == "" || r.text("oldest") == "" || r.text("sentence") == "" {
		t.Errorf("GET /api/sync = %s", r.Raw)
	}
	x.is = api.SyncStatus{Mode: api.SyncBehind}
	r = b.get("/api/sync")
	for _, key := range []string{"last_in", "last_out", "oldest"} {
		if v, ok := r.Body[key]; !ok || v != nil {
			t.Errorf("%s before the first round = %v, want null", key, v)
		}
	}
	for _, key := range []string{"alerts", "proposals", "parked", "quarantined", "missing", "audit", "report"} {
		if list, ok := r.Body[key].([]any); !ok || len(list) != 0 {
			t.Errorf("an empty %s = %v, want []", key, r.Body[key])
		}
	}
	if r := newBox(t).get("/api/sync").want(t, "a plant without Sheet", 200); r.text("mode") != "sin hoja" {
		t.Errorf("a plant without Sheet = %s", r.Raw)
	}
}

func TestProgramsResolve(t *testing.T) {
	b, x := newExchange(t)
	admin := []string{"Authorization", "Bearer " + b.token("admin")}
	accept, why := "/api/sync/proposals/p1/accept", fields{"motivo": " Acordado "}
	for _, c := range []struct {
		name, path string
		body       any
		fail       error
		status     int
		code       string
	}{
		{"no motive", accept, fields{}, nil, 422, "VALIDATION_ERROR"},
		{"an empty motive", accept, fields{"motivo": "  "}, nil, 422, "VALIDATION_ERROR"},
		{"an endless motive", accept, fields{"motivo": strings.Repeat("x", 2000)}, nil, 422, "VALIDATION_ERROR"},
		{"no body", accept, nil, nil, 422, "VALIDATION_ERROR"},
		{"an unknown proposal", "/api/sync/proposals/nada/accept", why, nil, 404, "NO_ENCONTRADO"},
		{"an unknown proposal rejected", "/api/sync/proposals/nada/reject", nil, nil, 404, "NO_ENCONTRADO"},
		{"an unknown entry", "/api/sync/parked/1/retry", nil, nil, 404, "NO_ENCONTRADO"},
		{"no number", "/api/sync/parked/x/retry", nil, nil, 422, "VALIDATION_ERROR"},
		{"not acceptable", "/api/sync/proposals/p2/accept", why, nil, 400, "OPERACION_NO_DISPONIBLE"},
		{"stale", accept, why, api.ErrSyncMoved, 409, "VERSION_CONFLICT"},
		{"refused by the rules", accept, why, &plant.Error{Code: plant.CodeOccupied, Tag: "S-1", Holder: plant.Person{ID: 12, Display: "AB(12)"}}, 409, "SPOOL_OCCUPIED"},
	} {
		x.fails = c.fail
		b.post(c.path, c.body, admin...).want(t, c.name, c.status, c.code)
	}
	x.fails = nil
	x.want(t)
	b.post(accept, why).want(t, "without a session", 403, "NO_AUTORIZADO")
	for _, path := range []string{accept, "/api/sync/now", "/api/sync/proposals/p1/reject", "/api/sync/parked/812/retry"} {
		newBox(t).post(path, why).want(t, path+" without a Sheet", 404, "NO_ENCONTRADO")
	}
	for range 2 { // the second is the first, sent again after a lost answer
		b.post(accept, why, admin...).want(t, "accepting", 200)
		b.post("/api/sync/proposals/p2/reject", nil, admin...).want(t, "rejecting", 200)
		b.post("/api/sync/parked/812/retry", nil, admin...).want(t, "retrying", 200)
	}
	x.want(t, "accept p1 Acordado", "reject p2", "retry")
	b.post(accept, fields{"motivo": "otro"}, admin...).want(t, "accepting what was accepted for another reason", 404, "NO_ENCONTRADO")
}

func TestTheExchangeIsMeasured(t *testing.T) {
	b, x := newExchange(t)
	lines := func() []string { return strings.Split(b.get("/metrics").want(t, "metrics", 200).Raw, "\n") }
	got := lines()
	for _, want := range []string{"envivo_sheet_backlog 4", "envivo_sheet_oldest_seconds 40", "envivo_sheet_calls_per_minute 12", "envivo_sheet_budget 60",
		"envivo_sheet_alerts 1", "envivo_sheet_parked 1", "envivo_sheet_proposals 2", "envivo_sheet_last_in_seconds 20", "envivo_sheet_last_out_seconds 30"} {
		if !slices.Contains(got, want) {
			t.Errorf("metrics lack the line %s", want)
		}
	}
	x.is = api.SyncStatus{Mode: api.SyncBehind, Oldest: b.clock.Now().Add(time.Hour)}
	got = lines()
	if !slices.Contains(got, "envivo_sheet_oldest_seconds 0") {
		t.Error("an event of the future is not 0 s old")
	}
	for _, l := range append(got, strings.Split(newBox(t).get("/metrics").Raw, "\n")...) {
		if strings.HasPrefix(l, "envivo_sheet_last_") {
			t.Errorf("metrics have %s before the first round", l)
		}
	}
}

func TestAStoppedExchangeLeavesTheBoxHealthyAndReady(t *testing.T) {
	b, x := newExchange(t)
	x.is = api.SyncStatus{Mode: api.SyncStopped, Sentence: "Google no acepta la clave.", Backlog: 9, Alerts: x.is.Alerts}
	r := b.get("/api/health").want(t, "health", 200)
	details, _ := r.Body["details"].(map[string]any)
	line, _ := details["sync"].(map[string]any)
	if r.text("status") != "healthy" || r.Body["operational"] != true || line["mode"] != "detenida" || line["backlog"] != 9.0 || line["alerts"] != 1.0 {
		t.Errorf("health with a stopped exchange = %s", r.Raw)
	}
	if strings.Contains(r.Raw, "encabezado") {
		t.Errorf("health tells strangers %s", r.Raw)
	}
	b.get("/readyz").want(t, "readyz", 200)
	r = newBox(t).get("/api/health")
	details, _ = r.Body["details"].(map[string]any)
	if line, _ := details["sync"].(map[string]any); line["mode"] != "sin hoja" {
		t.Errorf("health without a Sheet = %s", r.Raw)
	}
}

// slow is an exchange whose acts take until they are let go.
type slow struct {
	exchange
	begun, let chan struct{}
}

func (s *slow) Reject(ctx context.Context, id, device string) error {
	s.begun <- struct{}{}
	<-s.let
	return s.exchange.Reject(ctx, id, device)
}

func TestWhoeverGivesUpWaitingIsToldSo(t *testing.T) {
	x := &slow{begun: make(chan struct{}, 1), let: make(chan struct{})}
	b := newBox(t, func(o *api.Options) { o.Sync = x })
	x.is.Proposals = []api.SyncProposal{{ID: "p1"}}
	admin := []string{"Authorization", "Bearer " + b.token("admin")}
	first := make(chan reply)
	go func() { first <- b.post("/api/sync/proposals/p1/reject", nil, admin...) }()
	<-x.begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	again := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/sync/proposals/p1/reject", nil)
	again.Header.Set(admin[0], admin[1])
	b.answer(again).want(t, "the second while the first is at it", 503, "SHEETS_CONNECTION_ERROR")
	close(x.let)
	(<-first).want(t, "the first", 200)
}
