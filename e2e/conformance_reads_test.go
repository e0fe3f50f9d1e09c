package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// reads is §9.3 and §9.4.
func (k *conformance) reads(t *testing.T) {
	const spoolKeys = "arm armador ciclo estado estado_detalle fecha_armado fecha_materiales fecha_ocupacion fecha_qc_metrologia fecha_soldadura nv ocupado_desde ocupado_por operacion_actual ot proyecto pulgadas_arm pulgadas_sold sold soldador tag_spool total_uniones uniones_arm_completadas uniones_sold_completadas version"
	list, held, bad := "filtro_aplicado spools total", k.held(fitterA, "ARM"), k.rejected(1)
	k.run(t, []probe{
		{name: "active ones", to: "GET /api/workers", want: 200, keys: "total workers", has: []string{`{"id":12,"nombre":"Ana","apellido":"Bravo","rol":"Armador","roles":["Armador"],"activo":true,"nombre_completo":"AB(12)"}`, `"total":55`}},
		{name: "of one", to: "GET /api/workers/34/roles", want: 200, keys: "roles", has: []string{`{"roles":["Soldador"]}`}},
		{name: "of nobody", to: "GET /api/workers/999/roles", want: 404, code: "WORKER_NO_ENCONTRADO"},
		{name: "of a word", to: "GET /api/workers/ana/roles", want: 422, code: "VALIDATION_ERROR"},
		{name: "alive", to: "GET /api/health", want: 200, keys: "details environment operational redis_connection sheets_connection status timestamp version", has: []string{`"status":"healthy"`, `"redis_connection":"ok"`}},
		{name: "of the Sheet", to: "GET /api/health/diagnostic", want: 200, keys: "role_counts sheet_id sheet_names spools workers worksheets"},
		{name: "of the locks", to: "GET /api/redis-health", want: 200, keys: "message operational status", has: []string{`"status":"healthy"`}},
		{name: "of connections", to: "GET /api/redis-connection-stats", want: 200, keys: "alert max_connections pool_created status timestamp", has: []string{`"status":"ok"`}},
		{name: "to begin ARM", to: "GET /api/spools/iniciar?operacion=arm", want: 200, keys: list, has: []string{`"arm":"PENDIENTE"`}},
		{name: "to inspect", to: "GET /api/spools/iniciar?operacion=METROLOGIA", want: 200, keys: list},
		{name: "to repair", to: "GET /api/spools/iniciar?operacion=REPARACION", want: 200, keys: list, has: []string{bad}},
		{name: "an unknown operation", to: "GET /api/spools/iniciar?operacion=pintar", want: 400, code: "VALIDATION_ERROR", says: []string{"Operación inválida 'PINTAR'. Debe ser ARM, SOLD o METROLOGIA."}},
		{name: "no operation", to: "GET /api/spools/iniciar", want: 422, code: "VALIDATION_ERROR"},
		{name: "to complete", to: "GET /api/spools/completar?operacion=ARM&worker_nombre=AB(12)", want: 200, keys: list, has: []string{held}},
		{name: "an unknown operation", to: "GET /api/spools/completar?operacion=X&worker_nombre=x", want: 400, code: "VALIDATION_ERROR"},
		{name: "no name", to: "GET /api/spools/completar?operacion=ARM", want: 422, code: "VALIDATION_ERROR"},
		{name: "mine", to: "GET /api/spools/cancelar?operacion=ARM&worker_id=12", want: 200, keys: list, has: []string{held, `"total":1`, `"fecha_ocupacion"`}},
		{name: "METROLOGIA is never held", to: "GET /api/spools/cancelar?operacion=METROLOGIA&worker_id=56", want: 200, keys: list, has: []string{`"spools":[],"total":0`}},
		{name: "an unknown operation", to: "GET /api/spools/cancelar?operacion=X&worker_id=12", want: 400, code: "VALIDATION_ERROR"},
		{name: "a worker that is a word", to: "GET /api/spools/cancelar?operacion=ARM&worker_id=ana", want: 422, code: "VALIDATION_ERROR"},
		{name: "held", to: "GET /api/spools/ocupados?operacion=ARM&worker_id=12", want: 200, keys: list, has: []string{held}},
		{name: "held for another operation", to: "GET /api/spools/ocupados?operacion=REPARACION&worker_id=12", want: 200, keys: list, has: []string{`"total":0`}},
		{name: "an unknown operation", to: "GET /api/spools/ocupados?operacion=X&worker_id=12", want: 400, code: "VALIDATION_ERROR"},
		{name: "no worker", to: "GET /api/spools/ocupados?operacion=ARM", want: 422, code: "VALIDATION_ERROR"},
		{name: "to repair", to: "GET /api/spools/reparacion", want: 200, keys: "bloqueados filtro_aplicado spools total", has: []string{`"tag_spool":"` + bad + `"`, `"cycle":1,"bloqueado":false`, `"filtro_aplicado":"RECHAZADO + BLOQUEADO visibles (no ocupados)"`}},
		{name: "a search", to: "GET /api/spools?q=" + held, want: 200, keys: "next spools total"},
		{name: "an unknown operation", to: "GET /api/spools?operacion=X", want: 400, code: "VALIDATION_ERROR"},
		{name: "no limit", to: "GET /api/spools?limit=0", want: 422, code: "VALIDATION_ERROR"},
		{name: "one", to: "GET /api/spools/" + held, want: 200, has: []string{`"vencida":false`, `"acciones":[`}},
		{name: "an unknown spool", to: "GET /api/spools/NO-HAY-1", want: 404, code: "SPOOL_NO_ENCONTRADO"},
		{name: "for a worker that is a word", to: "GET /api/spools/" + held + "?worker_id=x", want: 422, code: "VALIDATION_ERROR"},
		{name: "of a spool", to: "GET /api/history/" + held, want: 200, keys: "sessions tag_spool", has: []string{`"worker_nombre":"AB(12)","worker_id":12,"operacion":"ARM"`, `"end_time":null,"duration":null`}},
		{name: "of a new spool", to: "GET /api/history/" + k.free(), want: 200, has: []string{`"sessions":[]`}},
		{name: "of an unknown spool", to: "GET /api/history/NO-HAY-1", want: 404, code: "SPOOL_NO_ENCONTRADO"},
		{name: "of a spool", to: "GET /api/occupation/status/" + held, want: 200, keys: "fecha_ocupacion ocupado ocupado_por tag_spool"},
		{name: "of an unknown spool", to: "GET /api/occupation/status/NO-HAY-1", want: 404, code: "SPOOL_NO_ENCONTRADO"},
		{name: "all", to: "GET /api/events", want: 200, keys: "epoch events seq"},
		{name: "after a word", to: "GET /api/events?after=x", want: 422, code: "VALIDATION_ERROR"},
	})
	mine := k.get("/api/spools/cancelar?operacion=ARM&worker_id=12")
	if rows, _ := mine.Body["spools"].([]any); len(rows) != 1 || keysOf(rows[0].(fields)) != spoolKeys {
		t.Errorf("a Spool = %s, want the keys\n %s", mine.Raw, spoolKeys)
	}
	board := listOf(t, k.one(t, probe{name: "who has what", to: "GET /api/dashboard/occupied", want: 200}))
	if len(board) != 1 || keysOf(board[0]) != "estado_detalle fecha_ocupacion tag_spool worker_nombre" {
		t.Fatalf("the board = %v, want the one held spool", board)
	}
	if since, err := time.Parse(time.RFC3339, fmt.Sprint(board[0]["fecha_ocupacion"])); err != nil || since.IsZero() {
		t.Errorf("the board says since %v, want RFC 3339", board[0]["fecha_ocupacion"])
	}
}

// cors is what a browser asks about another front end (§9.1).
func (k *conformance) cors(t *testing.T) {
	ask := func(method, path, origin string, header ...string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), method, k.url+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", origin)
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := httpClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	for _, origin := range []string{"http://localhost:3000", "http://localhost:3001"} {
		pre := ask(http.MethodOptions, "/api/occupation/tomar", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type,idempotency-key")
		h := pre.Header
		if pre.StatusCode/100 != 2 || h.Get("Access-Control-Allow-Origin") != origin || h.Get("Access-Control-Allow-Credentials") != "true" || h.Get("Access-Control-Allow-Headers") != "content-type,idempotency-key" {
			t.Errorf("preflight from %s = %d %v", origin, pre.StatusCode, h)
		}
		if got := strings.Split(h.Get("Access-Control-Allow-Methods"), ", "); !slices.Equal(got, []string{"GET", "POST", "OPTIONS"}) {
			t.Errorf("methods for %s = %v", origin, got)
		}
		if r := ask(http.MethodGet, "/api/workers", origin); r.StatusCode != 200 || r.Header.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("GET from %s = %d %v", origin, r.StatusCode, r.Header)
		}
		if r := ask(http.MethodPost, "/api/occupation/tomar", origin, "Sec-Fetch-Site", "cross-site"); r.StatusCode != 422 || r.Header.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("POST from %s = %d %v, want the endpoint's own answer, readable", origin, r.StatusCode, r.Header)
		}
	}
	if r := ask(http.MethodPost, "/api/occupation/tomar", "http://ajeno.example", "Sec-Fetch-Site", "cross-site"); r.StatusCode != 403 || r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("POST from elsewhere = %d %v, want it refused and not readable", r.StatusCode, r.Header)
	}
}
