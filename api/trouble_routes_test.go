package api_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"envivo/api"
	"envivo/plant"
)

// samples are bodies for the routes beside those of writes.
var samples = map[string]fields{
	"/api/v4/uniones/guardar":         by("U-1", ana, "unions", []fields{{"n_union": 1, "dn_union": 2, "tipo_union": "BW"}}),
	"/api/spool/{tag}/notas":          {"texto": "revisar"},
	"/api/spools/batch-status":        {"tags": []string{"S-1"}},
	"/api/supervisor/list/add":        {"tag_spool": "S-1", "session_id": "s"},
	"/api/supervisor/list/remove":     {"tag_spool": "S-1", "session_id": "s"},
	"/api/supervisor/audit/batch":     {"events": []fields{{"id": "a", "session_id": "s", "event_type": "NAVIGATE"}}},
	"/api/supervisor/legacy-snapshot": {"snapshot_id": "x", "raw": []string{"S-1"}},
	"/api/supervisor/session":         {"pin": "2580"},
	"/api/sync/proposals/{id}/accept": {"motivo": "lo vio la oficina"},
}

// sample is a request that an operation of the document would grant.
func sample(at string) (method, path string, body any) {
	method, path, _ = strings.Cut(at, " ")
	if b := writes[path]; b != nil {
		body = b
	} else if b := samples[path]; b != nil {
		body = b
	}
	tag := "S-1"
	if strings.Contains(path, "/uniones/") {
		tag = "U-1"
	}
	path = strings.NewReplacer("{tag}", tag, "{worker_id}", "12", "{id}", "12", "{seq}", "812").Replace(path)
	if method == http.MethodGet {
		path += "?operacion=ARM&worker_id=12&worker_nombre=x"
	}
	return method, path, body
}

// promising are the operations that may answer a status, in order.
func promising(status string) []string {
	var out []string
	for _, at := range slices.Sorted(maps.Keys(theSpec().paths)) {
		if slices.Contains(statuses(theSpec().paths[at]), status) {
			out = append(out, at)
		}
	}
	return out
}

// each sends the sample of every operation that may answer a status and wants
// that status.
func (b *box) each(status int, word string, skip ...string) {
	b.t.Helper()
	all := promising(word)
	if len(all) < 10 {
		b.t.Fatalf("%d operations may answer %s; the test would prove nothing", len(all), word)
	}
	for _, at := range all {
		method, path, body := sample(at)
		if slices.Contains(skip, at) {
			continue
		}
		if status == http.StatusRequestEntityTooLarge {
			body = `{"tag_spool":"` + strings.Repeat("A", 2<<20) + `"}`
		}
		if r := b.send(method, path, body); r.Status != status {
			b.t.Errorf("%s = %d %.200s, want %d", at, r.Status, r.Raw, status)
		}
	}
}

// ruin is a plant in which every call is a bug.
type ruin struct{}

func (ruin) Do(context.Context, plant.Command) (plant.Receipt, error)      { panic("a bug") }
func (ruin) DoAll(context.Context, []plant.Command) []plant.Result         { panic("a bug") }
func (ruin) Snapshot() *plant.Snapshot                                     { panic("a bug") }
func (ruin) Events(context.Context, plant.Seq, int) ([]plant.Event, error) { panic("a bug") }
func (ruin) Status() api.SyncStatus                                        { panic("a bug") }
func (ruin) Now()                                                          { panic("a bug") }
func (ruin) Accept(context.Context, string, string, string) error          { panic("a bug") }
func (ruin) Reject(context.Context, string, string) error                  { panic("a bug") }
func (ruin) Retry(context.Context, plant.Seq) error                        { panic("a bug") }
func (ruin) History(context.Context, plant.Tag, plant.Seq, int) ([]plant.Event, error) {
	panic("a bug")
}

// supervised are operations that none but a supervisor gets anywhere with.
var supervised = []string{"POST /api/admin/invalidate-column-cache", "GET /api/webhooks", "POST /api/sync/proposals/{id}/accept", "POST /api/sync/proposals/{id}/reject", "POST /api/sync/parked/{seq}/retry"}

// devicesOnly are operations about devices, for administrators; TestDevicesForPrograms
// breaks them.
var devicesOnly = []string{"GET /api/devices", "POST /api/devices/codigo", "POST /api/devices/{id}/revocar"}

// forStandbys are tested with them.
var forStandbys = []string{"GET /api/replica/copy", "GET /api/replica/records", "GET /api/replica/successor", "POST /api/replica/retire"}

// nothingToBreak are operations that ask nobody for anything.
var nothingToBreak = []string{"GET /api/openapi.json", "GET /api/redis-connection-stats", "DELETE /api/supervisor/session"}

func TestABugAnywhereIsAnswered500(t *testing.T) {
	b := newBox(t, func(o *api.Options) {
		o.Plant, o.Sync = ruin{}, ruin{}
		o.Ready = func() error { panic("a bug") }
	})
	b.each(500, "500", slices.Concat(nothingToBreak, supervised, devicesOnly, forStandbys)...)
	b = newBox(t, func(o *api.Options) { o.Sync, o.Webhooks = ruin{}, func() []api.Webhook { panic("a bug") } })
	b.asSupervisor(500, b.token("admin"))
}

// asSupervisor sends the samples of supervised operations with an
// administrator's token and wants a status.
func (b *box) asSupervisor(status int, admin string, skip ...string) {
	b.t.Helper()
	for _, at := range supervised {
		if slices.Contains(skip, at) {
			continue
		}
		method, path, body := sample(at)
		b.send(method, path, body, "Authorization", "Bearer "+admin).want(b.t, at, status)
	}
}

func TestABusyPlantAnswers503(t *testing.T) {
	b := newBox(t, func(o *api.Options) {
		o.Plant = faulty{Plant: o.Plant, err: &plant.Error{Code: plant.CodeBusy}}
		o.Ready = func() error { return &plant.Error{Code: plant.CodeFull} }
	})
	b.each(503, "503", slices.Concat([]string{"GET /api/events"}, supervised, devicesOnly, forStandbys)...) // a read that waits for nobody
	b, x := newExchange(t)
	x.fails = &plant.Error{Code: plant.CodeBusy}
	admin := b.token("admin")
	b.asSupervisor(503, admin, supervised[:2]...)
	x.fails = api.ErrSyncMoved
	b.asSupervisor(409, admin, supervised[:2]...)
}

func TestStrangersAreKeptOutOfEveryRoute(t *testing.T) {
	b := newBox(t, enrolled)
	b.each(403, "403")
}

func TestHugeBodiesAreRefusedEverywhere(t *testing.T) {
	b, _ := newExchange(t)
	b.each(413, "413", supervised[2], devicesOnly[1])
	b.post("/api/sync/proposals/p1/accept", `{"motivo":"`+strings.Repeat("A", 2<<20)+`"}`, "Authorization", "Bearer "+b.token("admin")).want(t, "a huge motive", 413)
}

// TestEveryWriteComparesTheVersion: whoever acts on a spool as it was is told.
func TestEveryWriteComparesTheVersion(t *testing.T) {
	b := newBox(t)
	admin := []string{"Authorization", "Bearer " + b.token("admin")}
	b.post("/api/occupation/tomar", by("S-9", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.rejected("S-8", 1)
	b.post("/api/tomar-reparacion", by("S-8", ana)).want(t, "take the repair", 200)
	b.inspectable("S-7")
	b.rejected("S-6", 1)
	b.rejected("S-5", 3)
	// what there is to do on each, S-9 where nothing is said
	ready := map[string]string{"tomar": "S-1", "iniciar": "S-1", "iniciar-accion": "S-1", "tomar-reparacion": "S-6", "notas": "S-1", "guardar": "U-1",
		"completar-reparacion": "S-8", "pausar-reparacion": "S-8", "cancelar-reparacion": "S-8", "desbloquear": "S-5"}
	for _, at := range promising("409") {
		method, path, body := sample(at)
		if strings.Contains(path, "/sync/") || strings.Contains(path, "/devices/") || strings.Contains(path, "/replica/") || strings.HasSuffix(path, "/relevar") { // the hold is not overdue
			continue
		}
		tag := ready[path[strings.LastIndexByte(path, '/')+1:]]
		switch {
		case strings.HasPrefix(path, "/api/metrologia/"):
			tag = "S-7"
		case tag == "":
			tag = "S-9"
		}
		body = change(change(body.(fields), "tag_spool", tag), "version", 99)
		if r := b.send(method, path, body, admin...); r.Status != 409 || r.text("error") != "VERSION_CONFLICT" || r.data("expected_version") != 99.0 {
			t.Errorf("%s with an old version = %d %.200s, want VERSION_CONFLICT with the version that was expected", at, r.Status, r.Raw)
		}
	}
}

// TestEveryEndOfALostHoldIsToldSo: 410 for who acts on a hold that a supervisor
// ended.
func TestEveryEndOfALostHoldIsToldSo(t *testing.T) {
	b := newBox(t)
	admin := []string{"Authorization", "Bearer " + b.token("admin")}
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.rejected("S-2", 1)
	b.post("/api/tomar-reparacion", by("S-2", ana)).want(t, "take the repair", 200)
	for _, tag := range []string{"S-1", "S-2"} {
		b.post("/api/occupation/liberar", by(tag, ana, "motivo", "turno"), admin...).want(t, "LIBERAR", 200)
	}
	for _, at := range promising("410") {
		method, path, body := sample(at)
		if strings.Contains(path, "reparacion") {
			body = change(body.(fields), "tag_spool", "S-2")
		}
		b.send(method, path, body).want(t, at+" of a lost hold", 410, "LOCK_EXPIRED")
	}
}

func TestWhatIsNotPossibleIs400Everywhere(t *testing.T) {
	b := newBox(t)
	admin := []string{"Authorization", "Bearer " + b.token("admin")}
	for _, list := range []string{"iniciar", "completar", "cancelar", "ocupados"} {
		b.get("/api/spools/"+list+"?operacion=PINTAR&worker_id=12&worker_nombre=x").want(t, list, 400)
	}
	for _, verb := range []string{"liberar", "desbloquear"} {
		b.post("/api/occupation/"+verb, by("S-1", ana, "motivo", "turno"), admin...).want(t, verb+" of a free spool", 400)
	}
	b.post("/api/occupation/traspasar", by("S-2", ana, "worker_destino", bruno)).want(t, "handing over what is free", 400)
	b.get("/api/diagnostic/NADA/version").want(t, "an unknown spool", 404, "SPOOL_NO_ENCONTRADO")
	for _, at := range []string{"/api/v3/occupation/tomar", "/api/v4/occupation/iniciar"} {
		b.post(at, by("SIN-1", ana, "operacion", "ARM")).want(t, at+" without material", 400, "DEPENDENCIAS_NO_SATISFECHAS")
	}
	for _, page := range []string{"/api/docs", "/api/redoc"} {
		r := b.get(page).want(t, page, 200)
		for _, at := range theSpec().raw["tags"].([]any) {
			if name := at.(fields)["name"].(string); !strings.Contains(r.Raw, "<h2>"+name+"</h2>") {
				t.Errorf("%s has no heading %s", page, name)
			}
		}
	}
}

func TestReceiversAreForAdministratorsToSee(t *testing.T) {
	b := newBox(t, func(o *api.Options) {
		o.Webhooks = func() []api.Webhook {
			return []api.Webhook{{ID: "a1", Name: "erp", URL: "https://erp.cl", Sent: 3, Behind: 1, Trouble: "503", Dead: []plant.Seq{4}}}
		}
	})
	b.get("/api/webhooks").want(t, "somebody", 403, "NO_AUTORIZADO")
	r := b.get("/api/webhooks", "Authorization", "Bearer "+b.token("admin")).want(t, "an administrator", 200)
	if got := r.items("webhooks"); len(got) != 1 || got[0]["nombre"] != "erp" || got[0]["atraso"] != 1.0 || got[0]["problema"] != "503" {
		t.Errorf("webhooks = %s, want the one there is", r.Raw)
	}
}
