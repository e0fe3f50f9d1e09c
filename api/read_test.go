package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"envivo/api"
	"envivo/plant"
	"envivo/ui"
)

func TestListsFollowTheWork(t *testing.T) {
	b := newBox(t)
	b.work("S-1", ana, "ARM")
	b.inspectable("S-2")
	b.rejected("S-3", 1)
	b.rejected("S-4", 3)
	b.post("/api/occupation/tomar", by("S-5", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.post("/api/occupation/tomar", by("S-6", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.post("/api/occupation/pausar", by("S-6", ana)).want(t, "PAUSAR", 200)
	b.rejected("S-7", 1)
	b.post("/api/tomar-reparacion", by("S-7", bruno)).want(t, "take a repair", 200)

	b.lists("/api/spools/iniciar?operacion=ARM", "S-6", "S-8", "S-9", "U-1")
	b.lists("/api/spools/iniciar?operacion=arm", "S-6", "S-8", "S-9", "U-1")
	b.lists("/api/spools/iniciar?operacion=SOLD", "S-1")
	b.lists("/api/spools/iniciar?operacion=METROLOGIA", "S-2")
	b.lists("/api/spools/iniciar?operacion=REPARACION", "S-3")
	b.lists("/api/spools/completar?operacion=ARM&worker_nombre=AB(12)", "S-5")
	b.lists("/api/spools/cancelar?operacion=ARM&worker_id=12", "S-5", "S-6")
	b.lists("/api/spools/cancelar?operacion=ARM&worker_id=13")
	b.lists("/api/spools/cancelar?operacion=METROLOGIA&worker_id=12")
	b.lists("/api/spools/cancelar?operacion=REPARACION&worker_id=13", "S-7")
	b.lists("/api/spools/ocupados?operacion=ARM&worker_id=12", "S-5")
	b.lists("/api/spools/ocupados?operacion=REPARACION&worker_id=13", "S-7")
	b.lists("/api/spools/reparacion", "S-3", "S-4")

	r := b.get("/api/spools/reparacion")
	today := plant.DateOf(b.clock.Now()).ISO()
	if r.num("bloqueados") != 1 || r.text("filtro_aplicado") == "" {
		t.Errorf("repairs = %s, want one blocked", r.Raw)
	}
	for i, want := range []fields{
		{"tag_spool": "S-3", "estado_detalle": "RECHAZADO (Ciclo 1/3) - Pendiente reparación", "fecha_rechazo": today, "cycle": 1.0, "bloqueado": false},
		{"tag_spool": "S-4", "estado_detalle": "BLOQUEADO - Contactar supervisor", "fecha_rechazo": today, "cycle": 3.0, "bloqueado": true},
	} {
		for k, v := range want {
			if got := r.items("spools")[i][k]; got != v {
				t.Errorf("repair %d has %s = %v, want %v", i, k, got, v)
			}
		}
	}
}

func TestQueriesAreChecked(t *testing.T) {
	b := newBox(t)
	for path, want := range map[string]int{
		"/api/nada": 404, "/api": 404, "/api/": 404, "/api/v4/occupation/iniciar": 405, "/api/spools/NO-ESTA": 404, "/api/spools/%22%27%25": 404,
		"/api/spools/%F0%9F%94%A7": 404, "/api/spools/%FF": 404, "/api/spools/a%2Fb": 404, "/api/spools/%00": 404,
		"/api/history/NO-ESTA": 404, "/api/occupation/status/NO-ESTA": 404, "/api/spools/iniciar": 422, "/api/spools/iniciar?operacion=PINTAR": 400,
		"/api/spools/iniciar?operacion=%FF%FE": 400, "/api/spools/iniciar?operacion=" + strings.Repeat("X", 9000): 400,
		"/api/spools/completar?operacion=ARM": 422, "/api/spools/cancelar?operacion=ARM": 422, "/api/spools/cancelar?operacion=ARM&worker_id=x": 422,
		"/api/spools/cancelar?operacion=ARM&worker_id=0": 422, "/api/spools/ocupados?operacion=ARM": 422, "/api/spools?limit=x": 422,
		"/api/spools?limit=0": 422, "/api/spools?estado=NADA": 422, "/api/spools?operacion=NADA": 400, "/api/spools?after=NADA": 422, "/api/spools?worker_id=-1": 422,
		"/api/events?after=x": 422, "/api/events?after=-1": 422, "/api/events?limit=5001": 422, "/api/workers/x/roles": 422, "/api/workers/0/roles": 422,
		"/api/workers/67/roles": 404, "/api/spools/S-1?worker_id=x": 422,
	} {
		r := b.get(path)
		if r.Status == http.StatusMovedPermanently || r.Status == http.StatusTemporaryRedirect {
			r = b.get(r.Header.Get("Location"))
		}
		name := path[:min(len(path), 60)]
		if r.Status != want || r.Body["success"] != false || r.text("error") == "" || r.text("message") == "" || r.Body["detail"] == nil {
			t.Errorf("GET %s = %d %s, want %d with success, error, message and detail", name, r.Status, r.Raw, want)
		}
		if len(r.Raw) > 2000 || strings.Contains(r.text("message"), "red") {
			t.Errorf("GET %s answers %d bytes, message %q", name, len(r.Raw), r.text("message"))
		}
	}
}

func TestOldPrefixesGetAnObjectAsDetail(t *testing.T) {
	b := newBox(t)
	for path, object := range map[string]bool{"/api/v4/nada": true, "/api/spool/S-1/nada": true, "/api/registro/12/nada": true, "/api/spools/NADA": false, "/api/nada": false} {
		r := b.get(path).want(t, "GET "+path, 404)
		m, got := r.Body["detail"].(map[string]any)
		if got != object || object && (m["error"] != r.text("error") || m["message"] != r.text("message")) {
			t.Errorf("detail of %s = %v, want an object: %v", path, r.Body["detail"], object)
		}
	}
}

func TestMethodsThatDoNotFit(t *testing.T) {
	b := newBox(t)
	for _, c := range []struct{ method, path, allow string }{
		{"GET", "/api/occupation/tomar", "POST"}, {"PUT", "/api/occupation/tomar", "POST"}, {"POST", "/api/workers", "GET"},
		{"DELETE", "/api/spools/S-1", "GET"}, {"GET", "/api/supervisor/session", "POST, DELETE"}, {"PATCH", "/api/events", "GET"},
	} {
		r := b.send(c.method, c.path, nil).want(t, c.method+" "+c.path, 405, "METODO_NO_PERMITIDO")
		if got := r.Header.Get("Allow"); got != c.allow {
			t.Errorf("%s %s allows %q, want %q", c.method, c.path, got, c.allow)
		}
	}
}

func TestOneSpool(t *testing.T) {
	b := newBox(t)
	r := b.get("/api/spools/u-1").want(t, "GET a spool", 200)
	for key, want := range map[string]any{
		"tag_spool": "U-1", "ot": "7", "nv": nil, "arm": "PENDIENTE", "sold": "PENDIENTE", "fecha_materiales": "2026-01-05", "fecha_armado": nil, "ocupado_por": nil,
		"fecha_ocupacion": nil, "proyecto": nil, "version": 1.0, "total_uniones": 3.0, "uniones_arm_completadas": 0.0, "pulgadas_arm": 0.0, "vencida": false, "ciclo": 0.0,
		"estado": "LISTO_ARM", "estado_trabajo": "LIBRE",
	} {
		if got, ok := r.Body[key]; !ok || got != want {
			t.Errorf("spool has %s = %v, want %v", key, got, want)
		}
	}
	unions := r.items("uniones")
	if len(unions) != 3 || unions[0]["id"] != "7+1" || unions[1]["dn_union"] != 0.75 || unions[2]["tipo_union"] != "FW" || unions[0]["arm_worker"] != nil {
		t.Errorf("uniones = %v", unions)
	}
	if may := allowed(r); !slices.Contains(may, "TOMAR ARM") || slices.Contains(may, "PAUSAR ARM") {
		t.Errorf("anybody may %v, want TOMAR ARM and no PAUSAR", may)
	}
	if may := allowed(b.get("/api/spools/U-1?worker_id=34")); slices.Contains(may, "TOMAR ARM") {
		t.Errorf("a welder may %v, want no TOMAR ARM", may)
	}
	b.post("/api/occupation/tomar", by("U-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	r = b.get("/api/spools/U-1")
	if r.text("ocupado_por") != "AB(12)" || r.text("arm") != "EN_PROGRESO" || r.text("operacion_actual") != "ARM" || r.text("estado") != "EN_CURSO_ARM" || r.num("version") != 2 {
		t.Errorf("held spool = %s", r.Raw)
	}
	if may := allowed(r); !slices.Contains(may, "PAUSAR ARM") || slices.Contains(may, "TOMAR ARM") || slices.Contains(may, "LIBERAR ") {
		t.Errorf("on a held spool somebody may %v, want PAUSAR ARM, no TOMAR, no LIBERAR", may)
	}
	status := b.get("/api/occupation/status/U-1").want(t, "occupation", 200)
	if status.Body["ocupado"] != true || status.text("ocupado_por") != "AB(12)" || status.text("fecha_ocupacion") != plant.SheetTime(b.clock.Now()) {
		t.Errorf("occupation = %s", status.Raw)
	}
	if status = b.get("/api/occupation/status/S-1"); status.Body["ocupado"] != false || status.Body["ocupado_por"] != nil || status.Body["fecha_ocupacion"] != nil {
		t.Errorf("occupation of a free spool = %s, want nulls", status.Raw)
	}
}

// allowed are the acts that an answer offers; one that is not must say why.
func allowed(r reply) []string {
	var out []string
	for _, a := range r.items("acciones") {
		op, _ := a["operacion"].(string)
		if a["permitida"] == true {
			out = append(out, fmt.Sprint(a["accion"], " ", op))
		} else if why, _ := a["motivo"].(string); why == "" {
			out = append(out, fmt.Sprint("without motivo: ", a["accion"]))
		}
	}
	return out
}

func TestSearchIsPaged(t *testing.T) {
	b := newBox(t)
	var got []string
	for path, pages := "/api/spools?limit=4", 0; path != "" && pages < 10; pages++ {
		r := b.get(path).want(t, "a page", 200)
		if r.num("total") != 11 {
			t.Errorf("total = %d, want 11", r.num("total"))
		}
		got = append(got, r.tags()...)
		path = ""
		if next := r.text("next"); next != "" {
			path = "/api/spools?limit=4&after=" + next
		}
	}
	want := []string{"S-1", "S-2", "S-3", "S-4", "S-5", "S-6", "S-7", "S-8", "S-9", "SIN-1", "U-1"}
	if !slices.Equal(got, want) {
		t.Errorf("all pages together = %v, want %v", got, want)
	}
	b.lists("/api/spools?q=u1", "U-1")
	b.lists("/api/spools?q=nada")
	b.lists("/api/spools?estado=NO_LISTO", "SIN-1")
	b.lists("/api/spools?estado=no_listo", "SIN-1")
	if m := b.get("/api/spools?estado=LIBRE").text("message"); !strings.Contains(m, "LISTO_ARM") || !strings.HasSuffix(m, " o NO_LISTO.") {
		t.Errorf("an unknown state is refused with %q, which names none that is known", m)
	}
	b.post("/api/occupation/tomar", by("S-4", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.lists("/api/spools?worker_id=12", "S-4")
	b.lists("/api/spools?operacion=arm&estado=EN_CURSO_ARM", "S-4")
	r := b.get("/api/spools?estado=LISTO_ARM&after=S-4&limit=2").want(t, "a page after a spool that left the filter", 200)
	if !slices.Equal(r.tags(), []string{"S-5", "S-6"}) {
		t.Errorf("after S-4 come %v, want S-5 and S-6", r.tags())
	}
}

func TestPeopleAndTheirRoles(t *testing.T) {
	b := newBox(t)
	r := b.get("/api/workers").want(t, "GET workers", 200)
	if r.num("total") != 4 || len(r.items("workers")) != 4 {
		t.Fatalf("workers = %s, want the four active ones", r.Raw)
	}
	first := r.items("workers")[0]
	if first["id"] != 12.0 || first["nombre_completo"] != "AB(12)" || first["rol"] != "Armador" || fmt.Sprint(first["roles"]) != "[Armador]" || first["activo"] != true {
		t.Errorf("first worker = %v", first)
	}
	if r := b.get("/api/workers/34/roles").want(t, "GET roles", 200); r.Raw != `{"roles":["Soldador"]}`+"\n" {
		t.Errorf("roles = %s", r.Raw)
	}
}

func TestHistoryListsStints(t *testing.T) {
	b := newBox(t)
	if r := b.get("/api/history/S-1").want(t, "history", 200); r.Raw != `{"tag_spool":"S-1","sessions":[]}`+"\n" {
		t.Errorf("history of an untouched spool = %s, want an empty list", r.Raw)
	}
	start := b.clock.Now()
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.clock.Add(26*time.Hour + 5*time.Minute)
	b.post("/api/occupation/completar", by("S-1", ana)).want(t, "COMPLETAR", 200)
	b.post("/api/occupation/tomar", by("S-1", carla, "operacion", "SOLD")).want(t, "TOMAR", 200)
	r := b.get("/api/history/S-1")
	if len(r.items("sessions")) != 2 {
		t.Fatalf("history = %s, want two stints", r.Raw)
	}
	one, two := r.items("sessions")[0], r.items("sessions")[1]
	if one["worker_nombre"] != "AB(12)" || one["worker_id"] != 12.0 || one["operacion"] != "ARM" || one["duration"] != "26h 5m" || one["start_time"] != plant.ISOTime(start) {
		t.Errorf("first stint = %v", one)
	}
	if two["worker_id"] != 34.0 || two["end_time"] != nil || two["duration"] != nil {
		t.Errorf("open stint = %v, want neither end nor duration", two)
	}
}

func TestLongHistoriesAreWhole(t *testing.T) {
	b := newBox(t)
	const stints = 260
	var all []plant.Command
	for range stints {
		all = append(all, plant.Command{Verb: plant.Tomar, Tag: "S-1", Op: plant.ARM, Worker: ana}, plant.Command{Verb: plant.Pausar, Tag: "S-1", Worker: ana})
	}
	for i, r := range b.store.DoAll(t.Context(), all) {
		if r.Err != nil {
			t.Fatalf("command %d: %v", i, r.Err)
		}
	}
	if got := len(b.get("/api/history/S-1").want(t, "history", 200).items("sessions")); got != stints {
		t.Errorf("history lists %d stints, want %d", got, stints)
	}
}

func TestDashboardShowsTheNewestFirst(t *testing.T) {
	b := newBox(t)
	if r := b.get("/api/dashboard/occupied").want(t, "dashboard", 200); r.Raw != "[]\n" {
		t.Errorf("dashboard of a still plant = %s, want an empty list", r.Raw)
	}
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.clock.Add(time.Minute)
	b.post("/api/occupation/tomar", by("S-2", bruno, "operacion", "ARM")).want(t, "TOMAR", 200)
	var rows []map[string]string
	if err := json.Unmarshal([]byte(b.get("/api/dashboard/occupied").Raw), &rows); err != nil || len(rows) != 2 {
		t.Fatalf("dashboard = %v, %v; want two rows", rows, err)
	}
	if rows[0]["tag_spool"] != "S-2" || rows[0]["worker_nombre"] != "BC(13)" || rows[0]["fecha_ocupacion"] != plant.ISOTime(b.clock.Now()) || rows[1]["tag_spool"] != "S-1" {
		t.Errorf("dashboard = %v, want S-2 of BC(13) before S-1", rows)
	}
}

func TestEventsForClientsThatCatchUp(t *testing.T) {
	b := newBox(t)
	start := b.seq()
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.pin("1234")
	b.post("/api/occupation/pausar", by("S-1", ana)).want(t, "PAUSAR", 200)
	r := b.get(fmt.Sprintf("/api/events?after=%d", start)).want(t, "events", 200)
	all := r.items("events")
	if len(all) != 2 || r.num("seq") != int(b.seq()) || r.text("epoch") != b.store.Snapshot().Epoch {
		t.Fatalf("events = %s, want two, the newest sequence and the epoch", r.Raw)
	}
	if all[0]["event_type"] != "TOMAR" || all[1]["event_type"] != "PAUSAR" || all[1]["prev"] != all[0]["seq"] || all[0]["prev"] != float64(start) {
		t.Errorf("events = %v, want TOMAR and PAUSAR chained past the setting", all)
	}
	if strings.Contains(b.get("/api/events?limit=5000").Raw, "argon2") {
		t.Errorf("the events show a setting's value")
	}
	var pages []any
	for after, n := 0.0, 0; n < 50; n++ {
		page := b.get(fmt.Sprintf("/api/events?limit=3&after=%.0f", after)).items("events")
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if e["prev"] != after {
				t.Errorf("event %v follows %v, want %v", e["seq"], e["prev"], after)
			}
			after, _ = e["seq"].(float64)
			pages = append(pages, e)
		}
	}
	if whole := b.get("/api/events?limit=5000").items("events"); len(pages) != len(whole) {
		t.Errorf("pages of three give %d events, one page gives %d", len(pages), len(whole))
	}
	if r := b.get("/api/events?after=999999").want(t, "events beyond the newest", 200); len(r.items("events")) != 0 {
		t.Errorf("events beyond the newest = %s", r.Raw)
	}
}

func TestHealth(t *testing.T) {
	var broken error
	b := newBox(t, func(o *api.Options) { o.Ready = func() error { return broken } })
	r := b.get("/api/health").want(t, "health", 200)
	if r.text("status") != "healthy" || r.Body["operational"] != true || r.text("sheets_connection") != "ok" || r.text("environment") != "prueba" || r.text("timestamp") == "" {
		t.Errorf("health = %s", r.Raw)
	}
	if r := b.get("/api/redis-health").want(t, "lock store", 200); r.text("status") != "healthy" || r.Body["operational"] != true {
		t.Errorf("lock store = %s", r.Raw)
	}
	b.get("/api/redis-connection-stats").want(t, "connection stats", 200)
	if r := b.get("/api/health/diagnostic").want(t, "diagnostic", 200); r.num("spools") != 11 || r.num("workers") != 5 {
		t.Errorf("diagnostic = %s", r.Raw)
	}
	b.get("/healthz").want(t, "healthz", 200)
	b.get("/readyz").want(t, "readyz", 200)
	broken = errors.New(ui.UnreadyDisk(3 << 20))
	if r := b.get("/readyz").want(t, "readyz with a full disk", 503); !strings.Contains(r.Raw, "el disco está lleno: quedan 3 MiB") {
		t.Errorf("readyz = %q, want the reason", r.Raw)
	}
	if r := b.get("/api/health").want(t, "health with a full disk", 200); r.text("status") != "unhealthy" || r.Body["operational"] != false {
		t.Errorf("health with a full disk = %s", r.Raw)
	}
	broken = nil
	b.api.NotReady()
	if r := b.get("/readyz").want(t, "readyz while leaving", 503); !strings.Contains(r.Raw, "deteniendo") {
		t.Errorf("readyz while leaving = %q, want the reason in Spanish", r.Raw)
	}
	b.get("/healthz").want(t, "healthz while leaving", 200)
}

func TestMetricsCountAnswersAndRefusals(t *testing.T) {
	b := newBox(t)
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.post("/api/occupation/tomar", by("S-1", bruno, "operacion", "ARM")).want(t, "TOMAR", 409)
	r := b.get("/metrics").want(t, "metrics", 200)
	for _, want := range []string{
		`envivo_http_requests_total{route="POST /api/occupation/tomar",status="2xx"} 1`, `envivo_http_requests_total{route="POST /api/occupation/tomar",status="4xx"} 1`,
		`envivo_refusals_total{code="SPOOL_OCCUPIED"} 1`, "envivo_http_seconds", "process_", "envivo_heap_live_bytes ",
	} {
		if !strings.Contains(r.Raw, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

func TestFrontDoorGreetsPrograms(t *testing.T) {
	b := newBox(t)
	r := b.get("/", "Accept", "application/json").want(t, "GET /", 200)
	for _, key := range []string{"message", "version", "docs", "redoc", "health"} {
		if r.text(key) == "" {
			t.Errorf("greeting %s lacks %s", r.Raw, key)
		}
	}
	if r := b.get("/", "Accept", "text/html,application/json"); strings.HasPrefix(r.Raw, "{") {
		t.Errorf("a browser is greeted with JSON")
	}
}

func TestStreamsThatAreNotThere(t *testing.T) {
	b := newBox(t)
	for _, path := range []string{"/ws", "/ws/ui", "/api/sse/stream"} {
		b.get(path).want(t, "GET "+path, 503)
	}
	with := newBox(t, func(o *api.Options) {
		o.SSE = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	})
	with.get("/api/sse/stream").want(t, "GET a stream", http.StatusTeapot)
}
