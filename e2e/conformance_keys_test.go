package e2e

import (
	"fmt"
	"net/http"
	"testing"
)

// keyed repeats an accepted command of every writing endpoint under its key: the
// first answer comes again, byte for byte, and nothing happens a second time.
func (k *conformance) keyed(t *testing.T) {
	union := []fields{{"n_union": 1, "dn_union": 2, "tipo_union": "BW"}}
	followed := k.free()
	k.post("/api/supervisor/list/add", fields{"tag_spool": followed, "session_id": "s"}).want(t, "add", 200)
	for to, body := range map[string]fields{
		"/api/occupation/tomar":             take(k.free(), fitterA, "ARM"),
		"/api/occupation/pausar":            by(k.held(fitterA, "ARM"), fitterA),
		"/api/occupation/completar":         by(k.held(fitterA, "ARM"), fitterA, "fecha_operacion", "05-03-2026"),
		"/api/occupation/cancelar":          by(k.held(fitterA, "ARM"), fitterA),
		"/api/occupation/batch-tomar":       {"tag_spools": []string{k.free(), "NO-HAY-1", k.free()}, "worker_id": fitterA, "operacion": "ARM"},
		"/api/v3/occupation/tomar":          take(k.free(), fitterA, "ARM"),
		"/api/v3/occupation/pausar":         by(k.held(fitterA, "ARM"), fitterA),
		"/api/v3/occupation/completar":      by(k.held(fitterA, "ARM"), fitterA),
		"/api/v3/occupation/batch-tomar":    {"tag_spools": []string{k.free()}, "worker_id": fitterA, "operacion": "ARM"},
		"/api/metrologia/completar":         by(k.ready(), metro, "resultado", "RECHAZADO"),
		"/api/tomar-reparacion":             by(k.rejected(1), fitterA),
		"/api/pausar-reparacion":            by(k.repair(fitterA), fitterA),
		"/api/completar-reparacion":         by(k.repair(fitterA), fitterA),
		"/api/cancelar-reparacion":          by(k.repair(fitterA), fitterA),
		"/api/iniciar-accion":               take(k.free(), fitterA, "ARM"),
		"/api/completar-accion":             take(k.held(fitterA, "ARM"), fitterA, "ARM"),
		"/api/cancelar-accion":              take(k.paused(fitterA, "ARM"), fitterA, "ARM"),
		"/api/iniciar-accion-batch":         {"tag_spools": []string{k.free(), "NO-HAY-1"}, "worker_id": fitterA, "operacion": "ARM"},
		"/api/completar-accion-batch":       {"tag_spools": []string{k.held(fitterA, "ARM")}, "worker_id": fitterA, "operacion": "ARM"},
		"/api/cancelar-accion-batch":        {"tag_spools": []string{k.held(fitterA, "ARM")}, "worker_id": fitterA, "operacion": "ARM"},
		"/api/v4/occupation/iniciar":        take(k.free(), fitterA, "ARM"),
		"/api/v4/occupation/finalizar":      by(k.held(fitterA, "ARM"), fitterA, "operacion", "ARM", "selected_unions", []string{}),
		"/api/v4/uniones/guardar":           {"tag_spool": k.free(), "unions": union},
		"/api/spool/" + k.free() + "/notas": {"texto": "listo"},
		"/api/supervisor/list/add":          {"tag_spool": k.free(), "session_id": "s"},
		"/api/supervisor/list/remove":       {"tag_spool": followed, "session_id": "s"},
		"/api/supervisor/audit/batch":       {"events": []fields{{"id": "k1", "session_id": "s", "event_type": "NAVIGATE"}}},
		"/api/supervisor/legacy-snapshot":   {"snapshot_id": "k1", "raw": "[]"},
	} {
		key := []string{"Idempotency-Key", "clave de " + to}
		first := k.post(to, body, key...).want(t, to, 200)
		before := k.get("/api/events?limit=1").num("seq")
		if again := k.post(to, body, key...); again.Status != 200 || again.Raw != first.Raw {
			t.Errorf("%s repeated = %d %s, want %s", to, again.Status, again.Raw, first.Raw)
		}
		if after := k.get("/api/events?limit=1").num("seq"); after != before {
			t.Errorf("%s repeated committed %d events", to, after-before)
		}
		if first.num("seq") == 0 && first.num("total") == 0 {
			t.Errorf("%s answers no seq: %s", to, first.Raw)
		}
		other := fields{"otro": 1}
		for name, value := range body {
			other[name] = value
		}
		if again := k.post(to, other, key...); again.Raw != first.Raw {
			t.Errorf("%s with a field nobody reads = %d %s, want the first answer", to, again.Status, again.Raw)
		}
		if _, one := body["worker_id"]; one && body["tag_spool"] != nil {
			k.one(t, probe{name: "the key with another worker", to: http.MethodPost + " " + to, body: with(body, "worker_id", fitterB), want: 422, code: "IDEMPOTENCY_KEY_REUSED", header: key})
		}
	}
	k.one(t, probe{name: "a note's key with another text", to: "POST /api/spool/" + followed + "/notas", body: fields{"texto": "a"}, header: []string{"Idempotency-Key", "n"}, want: 200})
	k.one(t, probe{name: "a note's key with another text", to: "POST /api/spool/" + followed + "/notas", body: fields{"texto": "b"}, header: []string{"Idempotency-Key", "n"}, want: 422, code: "IDEMPOTENCY_KEY_REUSED"})
}

// greeting is GET /, which is a page for browsers and JSON for programs.
func (k *conformance) greeting(t *testing.T) {
	for accept, want := range map[string]string{"application/json": "docs health message redoc version", "text/html,application/json": ""} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, k.url+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		r, err := do(req)
		if err != nil || r.Status != 200 || keysOf(r.Body) != want {
			t.Errorf("GET / for %s = %d with the keys %q, %v; want %q", accept, r.Status, fmt.Sprint(keysOf(r.Body)), err, want)
		}
	}
	for to, want := range map[string]int{"GET /api/nada": 404, "GET /api/occupation/tomar": 405, "POST /api/workers": 405} {
		if r := k.send(t, probe{to: to, body: fields{}}); r.Status != want || keysOf(r.Body) != "data detail error message success" {
			t.Errorf("%s = %d %s, want %d as JSON", to, r.Status, tail(r.Raw, 300), want)
		}
	}
}
