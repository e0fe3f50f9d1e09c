package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// promised are the statuses of docs/rules.md §9, by endpoint. The suite must
// have seen each of them and no other. 500 and 503 are not among them: a healthy
// box has no way to give them.
var promised = map[string]string{
	"GET /api/workers":                        "200",
	"GET /api/workers/{id}/roles":             "200 404 422",
	"GET /api/health":                         "200",
	"GET /api/health/diagnostic":              "200",
	"GET /api/redis-health":                   "200",
	"GET /api/redis-connection-stats":         "200",
	"GET /api/spools/iniciar":                 "200 400 422",
	"GET /api/spools/completar":               "200 400 422",
	"GET /api/spools/cancelar":                "200 400 422",
	"GET /api/spools/ocupados":                "200 400 422",
	"GET /api/spools/reparacion":              "200",
	"GET /api/spools":                         "200 400 422",
	"GET /api/spools/{tag}":                   "200 404 422",
	"GET /api/history/{tag}":                  "200 404",
	"GET /api/dashboard/occupied":             "200",
	"GET /api/occupation/status/{tag}":        "200 404",
	"GET /api/events":                         "200 422",
	"POST /api/occupation/tomar":              "200 400 403 404 409 413 422",
	"POST /api/v3/occupation/tomar":           "200 400 403 404 409 413 422",
	"POST /api/occupation/pausar":             "200 400 403 404 409 410 413 422",
	"POST /api/v3/occupation/pausar":          "200 400 403 404 409 410 413 422",
	"POST /api/occupation/completar":          "200 400 403 404 409 410 413 422",
	"POST /api/v3/occupation/completar":       "200 400 403 404 409 410 413 422",
	"POST /api/occupation/cancelar":           "200 400 403 404 409 410 413 422",
	"POST /api/occupation/batch-tomar":        "200 413 422",
	"POST /api/v3/occupation/batch-tomar":     "200 413 422",
	"POST /api/occupation/liberar":            "200 403",
	"POST /api/metrologia/completar":          "200 400 403 404 409 413 422",
	"POST /api/tomar-reparacion":              "200 400 403 404 409 413 422",
	"POST /api/pausar-reparacion":             "200 400 403 404 409 410 413 422",
	"POST /api/completar-reparacion":          "200 400 403 404 409 410 413 422",
	"POST /api/cancelar-reparacion":           "200 400 403 404 409 410 413 422",
	"POST /api/iniciar-accion":                "200 400 403 404 409 413 422",
	"POST /api/completar-accion":              "200 400 403 404 409 413 422",
	"POST /api/cancelar-accion":               "200 400 403 404 409 413 422",
	"POST /api/iniciar-accion-batch":          "200 413 422",
	"POST /api/completar-accion-batch":        "200 413 422",
	"POST /api/cancelar-accion-batch":         "200 413 422",
	"POST /api/v4/occupation/iniciar":         "200 400 403 404 409 413 422",
	"POST /api/v4/occupation/finalizar":       "200 400 403 404 409 410 413 422",
	"GET /api/v4/uniones/{tag}/disponibles":   "200 400 404 422",
	"GET /api/v4/uniones/{tag}/metricas":      "200 404",
	"GET /api/v4/uniones/{tag}/todas":         "200 404",
	"POST /api/v4/uniones/guardar":            "200 400 403 404 409 413 422",
	"GET /api/spool/{tag}/status":             "200 404",
	"POST /api/spools/batch-status":           "200 413 422",
	"GET /api/spool/{tag}/notas":              "200 404",
	"POST /api/spool/{tag}/notas":             "200 404 409 413 422",
	"GET /api/registro/{worker_id}":           "200 404 422",
	"GET /api/supervisor/list":                "200",
	"POST /api/supervisor/list/add":           "200 400 413 422",
	"POST /api/supervisor/list/remove":        "200 400 413 422",
	"POST /api/supervisor/audit/batch":        "200 413 422",
	"GET /api/supervisor/audit":               "200 422",
	"POST /api/supervisor/legacy-snapshot":    "200 413 422",
	"GET /api/diagnostic/{tag}/version":       "200 404",
	"POST /api/admin/invalidate-column-cache": "200 403 422",
}

// conformance asks one running binary everything §9 speaks of.
type conformance struct {
	*server
	admin string // an administrator's token
	seen  map[string]map[int]bool
	// how many spools are used up
	plain, jointed int
}

// probe is one request and what must come back.
type probe struct {
	name string
	to   string // method and address
	body any
	want int
	// code is the refusal's; keys are exactly those of a success.
	code, keys string
	// says are texts the message contains; has are texts of the whole answer.
	says, has []string
	header    []string
}

func TestConformance(t *testing.T) {
	data := newPlant(t, 400, 60)
	secret := strings.TrimSpace(envivo(t, "token", "new", "--data", data, "--name", "oficina", "--scope", "admin"))
	k := &conformance{server: serve(t, data), admin: secret[strings.LastIndex(secret, "envivo_"):], seen: map[string]map[int]bool{}}
	t.Run("reads", k.reads)
	for _, prefix := range []string{"/api/occupation", "/api/v3/occupation"} {
		t.Run("TOMAR at "+prefix, func(t *testing.T) { k.taking(t, prefix) })
		t.Run("PAUSAR at "+prefix, func(t *testing.T) { k.pausing(t, prefix) })
		t.Run("COMPLETAR at "+prefix, func(t *testing.T) { k.completing(t, prefix) })
		t.Run("batches at "+prefix, func(t *testing.T) { k.batches(t, prefix) })
	}
	t.Run("CANCELAR", k.cancelling)
	t.Run("Metrología", k.inspecting)
	t.Run("Reparación", k.repairing)
	t.Run("v2.1", k.actions)
	t.Run("v2.1 batches", k.actionBatches)
	t.Run("INICIAR and FINALIZAR", k.finishing)
	t.Run("uniones", k.unions)
	t.Run("the cards of v5", k.cards)
	t.Run("supervisor", k.supervisor)
	t.Run("every write", k.everyWrite)
	t.Run("keys", k.keyed)
	t.Run("greeting", k.greeting)
	t.Run("races", k.races)
	t.Run("CORS", k.cors)
	t.Run("coverage", k.coverage)
	k.stop()
	check(t, data)
}

// run sends requests in order.
func (k *conformance) run(t *testing.T, probes []probe) {
	t.Helper()
	for _, a := range probes {
		k.one(t, a)
	}
}

// one sends a request and judges the answer.
func (k *conformance) one(t *testing.T, a probe) reply {
	t.Helper()
	r := k.send(t, a)
	k.note(a.to, r.Status)
	what := a.to + ", " + a.name
	if r.Status != a.want {
		t.Errorf("%s = %d %s, want %d", what, r.Status, tail(r.Raw, 400), a.want)
		return r
	}
	if r.Status >= 400 {
		refusal(t, what, a, r)
	} else if got := keysOf(r.Body); a.keys != "" && got != a.keys {
		t.Errorf("%s has the keys\n %s, want\n %s", what, got, a.keys)
	}
	for _, w := range a.says {
		if !strings.Contains(r.text("message"), w) {
			t.Errorf("%s says %q, want it to contain %q", what, r.text("message"), w)
		}
	}
	for _, w := range a.has {
		if !strings.Contains(r.Raw, w) {
			t.Errorf("%s = %s, want it to contain %s", what, tail(r.Raw, 1200), w)
		}
	}
	wording(t, what, r)
	return r
}

func (k *conformance) send(t *testing.T, a probe) reply {
	t.Helper()
	method, path, _ := strings.Cut(a.to, " ")
	if method == http.MethodPost {
		r, err := k.try(path, a.body, a.header...)
		if err != nil {
			t.Fatalf("%s: %v", a.to, err)
		}
		return r
	}
	r, err := k.read(path)
	if err != nil {
		t.Fatalf("%s: %v", a.to, err)
	}
	return r
}

// note remembers which status of which endpoint was seen.
func (k *conformance) note(to string, status int) {
	e := endpointOf(to)
	if k.seen[e] == nil {
		k.seen[e] = map[int]bool{}
	}
	k.seen[e][status] = true
}

// endpointOf is the entry of promised for an address: literal parts first.
func endpointOf(to string) string {
	path, _, _ := strings.Cut(to, "?")
	if _, ok := promised[path]; ok {
		return path
	}
	parts := strings.Split(path, "/")
	for e := range promised {
		want := strings.Split(e, "/")
		if slices.EqualFunc(parts, want, func(got, want string) bool { return got == want || strings.HasPrefix(want, "{") }) {
			return e
		}
	}
	return path
}

func (k *conformance) coverage(t *testing.T) {
	for e, statuses := range promised {
		var got []string
		for _, s := range slices.Sorted(maps.Keys(k.seen[e])) {
			got = append(got, fmt.Sprint(s))
		}
		if strings.Join(got, " ") != statuses {
			t.Errorf("%s answered %v, want exactly %s", e, got, statuses)
		}
	}
	for e := range k.seen {
		if _, ok := promised[e]; !ok {
			t.Errorf("%s was asked but promises nothing", e)
		}
	}
}

func keysOf(m map[string]any) string { return strings.Join(slices.Sorted(maps.Keys(m)), " ") }

// dataKeys are the facts of a refusal (§9.1).
var dataKeys = map[string]string{
	"SPOOL_OCCUPIED":              "owner_id owner_name tag_spool",
	"VERSION_CONFLICT":            "actual_version expected_version tag_spool",
	"NO_AUTORIZADO":               "operacion tag_spool trabajador_esperado trabajador_solicitante",
	"ROL_NO_AUTORIZADO":           "operacion rol_requerido roles_actuales worker_id",
	"DEPENDENCIAS_NO_SATISFECHAS": "dependencia_faltante operacion tag_spool",
	"ARM_PREREQUISITE":            "dependencia_faltante operacion tag_spool",
	"INVALID_STATE_TRANSITION":    "attempted_transition current_state tag_spool",
	"OPERACION_YA_INICIADA":       "operacion tag_spool",
	"OPERACION_YA_COMPLETADA":     "operacion tag_spool",
}

// refusal checks the body all generations of clients can read (§9.1).
func refusal(t *testing.T, what string, a probe, r reply) {
	t.Helper()
	if got := keysOf(r.Body); got != "data detail error message success" || r.Body["success"] != false {
		t.Errorf("%s is refused with the keys %s: %s", what, got, tail(r.Raw, 300))
	}
	if r.text("error") != a.code {
		t.Errorf("%s is refused as %s: %s, want %s", what, r.text("error"), r.text("message"), a.code)
	}
	if body, _ := a.body.(fields); body != nil && r.Status != http.StatusUnprocessableEntity {
		if tag, _ := body["tag_spool"].(string); !strings.Contains(r.text("message"), strings.TrimSpace(tag)) {
			t.Errorf("%s says %q without the TAG %s", what, r.text("message"), tag)
		}
	}
	data, _ := r.Body["data"].(fields)
	delete(data, "vence") // new; old clients do not look for it
	if want := dataKeys[a.code]; want != "" && keysOf(data) != want && !strings.Contains(a.to, "/admin/") {
		t.Errorf("%s: data has the keys %q, want %q", what, keysOf(data), want)
	}
	switch path := a.to[strings.Index(a.to, "/"):]; {
	case strings.HasPrefix(path, "/api/v4/"), strings.HasPrefix(path, "/api/spool/"), strings.HasPrefix(path, "/api/registro/"):
		d, _ := r.Body["detail"].(fields)
		if d["error"] != r.Body["error"] || d["message"] != r.Body["message"] {
			t.Errorf("%s: detail = %v, want an object with error and message", what, r.Body["detail"])
		}
	case r.Status == http.StatusUnprocessableEntity:
		list, _ := r.Body["detail"].([]any)
		if len(list) == 0 {
			t.Errorf("%s: detail = %v, want a list of faults", what, r.Body["detail"])
			return
		}
		if first, _ := list[0].(fields); keysOf(first) != "input loc msg type" {
			t.Errorf("%s: a fault has the keys %q", what, keysOf(first))
		}
	case r.Body["detail"] != r.Body["message"]:
		t.Errorf("%s: detail = %v, want the message %q", what, r.Body["detail"], r.text("message"))
	}
}

// sortedBy are the words by which old front ends tell errors apart, and the codes
// that may, and those that must, use them (§9.1).
var sortedBy = map[string]struct{ may, must string }{
	"ocupado":       {"SPOOL_OCCUPIED", "SPOOL_OCCUPIED"},
	"expiró":        {"LOCK_EXPIRED", "LOCK_EXPIRED"},
	"no encontrado": {"SPOOL_NO_ENCONTRADO WORKER_NO_ENCONTRADO NO_ENCONTRADO", "SPOOL_NO_ENCONTRADO WORKER_NO_ENCONTRADO"},
	"ya iniciada":   {"OPERACION_YA_INICIADA", "OPERACION_YA_INICIADA"},
	"ya completada": {"OPERACION_YA_COMPLETADA", "OPERACION_YA_COMPLETADA"},
	"dependencias":  {"DEPENDENCIAS_NO_SATISFECHAS", "DEPENDENCIAS_NO_SATISFECHAS"},
	"autorizado":    {"NO_AUTORIZADO ROL_NO_AUTORIZADO", "NO_AUTORIZADO ROL_NO_AUTORIZADO"},
	"bloqueado":     {"SPOOL_BLOQUEADO", "SPOOL_BLOQUEADO"},
	"supervisor":    {"SPOOL_BLOQUEADO NO_AUTORIZADO LOCK_EXPIRED", "SPOOL_BLOQUEADO"},
	"Requisitos":    {}, "completar": {}, "Sheets": {}, "servidor": {}, "red": {}, "conexión": {},
}

// wording checks every message in an answer.
func wording(t *testing.T, what string, r reply) {
	t.Helper()
	for _, m := range messages(r.Body) {
		for _, never := range []string{"red", "conexión"} {
			if strings.Contains(m, never) {
				t.Errorf("%s says %q: old front ends take %q for a network failure", what, m, never)
			}
		}
	}
	code, m := r.text("error"), strings.ToLower(r.text("message"))
	if r.Status < 400 || r.Status == http.StatusUnprocessableEntity || r.Status == http.StatusRequestEntityTooLarge {
		return
	}
	for word, codes := range sortedBy {
		has := strings.Contains(m, strings.ToLower(word))
		if has && !slices.Contains(strings.Fields(codes.may), code) {
			t.Errorf("%s, %s, says %q: old front ends take %q for something else", what, code, m, word)
		}
		if !has && slices.Contains(strings.Fields(codes.must), code) {
			t.Errorf("%s, %s, says %q, want the word %q", what, code, m, word)
		}
	}
}

// messages are the texts called message, at any depth.
func messages(v any) (out []string) {
	switch x := v.(type) {
	case fields:
		for key, value := range x {
			if m, ok := value.(string); ok && (key == "message" || key == "msg") {
				out = append(out, m)
			}
			out = append(out, messages(value)...)
		}
	case []any:
		for _, value := range x {
			out = append(out, messages(value)...)
		}
	}
	return out
}

// The situations requests meet.

func (k *conformance) free() string {
	k.plain++
	return spoolTag(k.plain)
}

func (k *conformance) joints() string {
	k.jointed++
	return jointTag(k.jointed)
}

// held is a spool in somebody's hands.
func (k *conformance) held(worker int, op string) string {
	tag := k.free()
	if op == "SOLD" {
		k.work(tag, fitterA, "ARM")
	}
	k.post("/api/occupation/tomar", take(tag, worker, op)).want(k.t, "TOMAR", 200)
	return tag
}

// paused is a spool whose holder let go.
func (k *conformance) paused(worker int, op string) string {
	tag := k.held(worker, op)
	k.post("/api/occupation/pausar", fields{"tag_spool": tag, "worker_id": worker}).want(k.t, "PAUSAR", 200)
	return tag
}

// lost is a spool that the supervisor took out of somebody's hands.
func (k *conformance) lost(worker int, op string) string {
	tag := k.held(worker, op)
	k.release(tag)
	return tag
}

func (k *conformance) release(tag string) {
	k.post("/api/occupation/liberar", fields{"tag_spool": tag, "motivo": "turno"}, "Authorization", "Bearer "+k.admin).want(k.t, "LIBERAR", 200)
	k.note("POST /api/occupation/liberar", 200)
}

func (k *conformance) work(tag string, worker int, op string) {
	k.post("/api/occupation/tomar", take(tag, worker, op)).want(k.t, "TOMAR", 200)
	k.post("/api/occupation/completar", fields{"tag_spool": tag, "worker_id": worker}).want(k.t, "COMPLETAR", 200)
}

// ready is a spool that waits for its inspection.
func (k *conformance) ready() string {
	tag := k.free()
	k.work(tag, fitterA, "ARM")
	k.work(tag, welder, "SOLD")
	return tag
}

// rejected is a spool rejected n times; three block it.
func (k *conformance) rejected(n int) string {
	tag := k.ready()
	for i := range n {
		if i > 0 {
			k.post("/api/tomar-reparacion", fields{"tag_spool": tag, "worker_id": fitterA}).want(k.t, "take the repair", 200)
			k.post("/api/completar-reparacion", fields{"tag_spool": tag, "worker_id": fitterA}).want(k.t, "finish the repair", 200)
		}
		k.post("/api/metrologia/completar", fields{"tag_spool": tag, "worker_id": metro, "resultado": "RECHAZADO"}).want(k.t, "reject", 200)
	}
	return tag
}

// repair is a spool in somebody's hands for its repair.
func (k *conformance) repair(worker int) string {
	tag := k.rejected(1)
	k.post("/api/tomar-reparacion", fields{"tag_spool": tag, "worker_id": worker}).want(k.t, "take the repair", 200)
	return tag
}

// by is the body of a write with more fields.
func by(tag string, worker int, more ...any) fields {
	out := fields{"tag_spool": tag, "worker_id": worker}
	for i := 0; i+1 < len(more); i += 2 {
		out[more[i].(string)] = more[i+1]
	}
	return out
}

// listOf reads an answer that is a list.
func listOf(t *testing.T, r reply) (list []fields) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.Raw), &list); err != nil {
		t.Errorf("%s is no list: %v", tail(r.Raw, 200), err)
	}
	return list
}
