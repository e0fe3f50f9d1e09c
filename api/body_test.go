package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// writes are the endpoints that change something, with a body that would work.
var writes = map[string]fields{
	"/api/occupation/tomar":          by("S-1", ana, "operacion", "ARM"),
	"/api/occupation/pausar":         by("S-1", ana),
	"/api/occupation/completar":      by("S-1", ana, "fecha_operacion", "05-01-2026"),
	"/api/occupation/cancelar":       by("S-1", ana),
	"/api/occupation/relevar":        by("S-1", ana),
	"/api/occupation/traspasar":      by("S-1", ana, "worker_destino", bruno),
	"/api/occupation/liberar":        by("S-1", ana, "motivo", "turno"),
	"/api/occupation/desbloquear":    by("S-1", ana, "motivo", "turno"),
	"/api/occupation/deshacer":       by("S-1", ana),
	"/api/occupation/batch-tomar":    {"tag_spools": []string{"S-1"}, "worker_id": ana, "operacion": "ARM"},
	"/api/v3/occupation/tomar":       by("S-1", ana, "operacion", "ARM"),
	"/api/v3/occupation/pausar":      by("S-1", ana),
	"/api/v3/occupation/completar":   by("S-1", ana),
	"/api/v3/occupation/batch-tomar": {"tag_spools": []string{"S-1"}, "worker_id": ana, "operacion": "ARM"},
	"/api/metrologia/completar":      by("S-1", elena, "resultado", "APROBADO"),
	"/api/tomar-reparacion":          by("S-1", ana),
	"/api/pausar-reparacion":         by("S-1", ana),
	"/api/completar-reparacion":      by("S-1", ana),
	"/api/cancelar-reparacion":       by("S-1", ana),
	"/api/iniciar-accion":            by("S-1", ana, "operacion", "ARM", "timestamp", "2026-01-05T10:00:00Z"),
	"/api/completar-accion":          by("S-1", ana, "operacion", "ARM"),
	"/api/cancelar-accion":           by("S-1", ana, "operacion", "ARM"),
	"/api/iniciar-accion-batch":      {"tag_spools": []string{"S-1"}, "worker_id": ana, "operacion": "ARM"},
	"/api/completar-accion-batch":    {"tag_spools": []string{"S-1"}, "worker_id": ana, "operacion": "ARM"},
	"/api/cancelar-accion-batch":     {"tag_spools": []string{"S-1"}, "worker_id": ana, "operacion": "ARM"},
	"/api/v4/occupation/iniciar":     by("S-1", ana, "operacion", "ARM"),
	"/api/v4/occupation/finalizar":   by("S-1", ana, "operacion", "ARM", "selected_unions", []string{}),
}

func change(body fields, key string, value any) fields {
	out := fields{}
	for k, v := range body {
		out[k] = v
	}
	if out[key] = value; value == nil {
		delete(out, key)
	}
	return out
}

func tagKey(path string) string {
	if strings.HasSuffix(path, "batch-tomar") || strings.HasSuffix(path, "-batch") {
		return "tag_spools"
	}
	return "tag_spool"
}

func TestBrokenBodiesAreToldWhatIsWrong(t *testing.T) {
	b := newBox(t)
	before := b.seq()
	for path, good := range writes {
		tag := tagKey(path)
		for _, c := range []struct {
			name   string
			body   any
			status int
			field  string // of the first fault
		}{
			{"no body", "", 422, "body"},
			{"no JSON", "tag_spool=S-1", 422, "body"},
			{"cut JSON", `{"tag_spool": "S-1", `, 422, "body"},
			{"two values", `{} {}`, 422, "body"},
			{"garbage behind", `{"worker_id":12} x`, 422, "body"},
			{"a list", `[1]`, 422, "body"},
			{"null", `null`, 422, "body"},
			{"a number", `7`, 422, "body"},
			{"broken UTF-8", "{\"" + tag + "\":\"S-\xff\",\"worker_id\":12}", 422, "body"},
			{"deep nesting", strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000), 422, "body"},
			{"2 MiB", `{"tag_spool":"` + strings.Repeat("A", 2<<20) + `"}`, 413, ""},
			{"no tag", change(good, tag, nil), 422, tag},
			{"tag a number", change(good, tag, 5), 422, tag},
			{"worker a text", change(good, "worker_id", "doce"), 422, "worker_id"},
			{"worker 0", change(good, "worker_id", 0), 422, "worker_id"},
			{"worker negative", change(good, "worker_id", -12), 422, "worker_id"},
			{"worker huge", change(good, "worker_id", 1e30), 422, "worker_id"},
			{"worker beyond 32 bits", change(good, "worker_id", 1<<32+12), 422, "worker_id"},
			{"worker a fraction", change(good, "worker_id", 12.5), 422, "worker_id"},
			{"operation unknown", change(good, "operacion", "PINTAR"), 422, "operacion"},
			{"operation a list", change(good, "operacion", []int{1}), 422, "operacion"},
			{"day unreadable", change(good, "fecha_operacion", "mañana"), 422, "fecha_operacion"},
			{"version a text", change(good, "version", "x"), 422, "version"},
			{"version negative", change(good, "version", -1), 422, "version"},
			{"no name", change(good, "worker_nombre", ""), 422, "worker_nombre"},
		} {
			told(t, b.post(path, c.body), path+", "+c.name, c.status, c.field)
		}
	}
	if b.seq() != before {
		t.Errorf("broken bodies committed %d events", b.seq()-before)
	}
}

// told checks a refusal's body: the union of what clients read, and for 422 a
// list that names the field.
func told(t *testing.T, r reply, what string, status int, field string) {
	t.Helper()
	if r.Status != status || r.Body["success"] != false || r.text("error") == "" || r.text("message") == "" {
		t.Errorf("%s = %d %.300s, want %d with success, error and message", what, r.Status, r.Raw, status)
		return
	}
	if _, ok := r.Body["data"]; !ok {
		t.Errorf("%s: %.300s has no data", what, r.Raw)
	}
	if status != 422 {
		return
	}
	faults := r.items("detail")
	if m, ok := r.Body["detail"].(map[string]any); ok && strings.Contains(what, "/api/v4/") { // an object there
		faults = reply{Body: m}.items("faults")
	}
	if len(faults) == 0 {
		t.Errorf("%s: detail = %v, want a list", what, r.Body["detail"])
		return
	}
	f := faults[0]
	if got := fmt.Sprint(f["loc"]); got != "[body "+field+"]" || f["msg"] != r.text("message") || f["type"] == "" {
		t.Errorf("%s: fault = %v, want it to be about body %s", what, f, field)
	}
	if _, ok := f["input"]; !ok {
		t.Errorf("%s: fault %v has no input", what, f)
	}
}

func TestMissingWorkerIsAllowedToSupervisorsOnly(t *testing.T) {
	b := newBox(t)
	for path, good := range writes {
		r := b.post(path, change(good, "worker_id", nil))
		if strings.HasSuffix(path, "/liberar") || strings.HasSuffix(path, "/desbloquear") {
			r.want(t, path+" without worker", 403, "NO_AUTORIZADO")
			continue
		}
		told(t, r, path+" without worker", 422, "worker_id")
	}
}

func TestStrangeTagsAreUnknownSpools(t *testing.T) {
	b := newBox(t)
	before := b.seq()
	for _, tag := range []string{`S"1`, "S'1", "S%1", "S%00", "🔧-001", "../../etc/passwd", "S-1\x00", "<script>alert(1)</script>", strings.Repeat("X", 5000), "S-1 OR 1=1", "\u202eS-1", "S-1\n"} {
		for path, good := range writes {
			if tagKey(path) == "tag_spools" || strings.TrimSpace(tag) == "S-1" {
				continue
			}
			r := b.post(path, change(good, "tag_spool", tag)).want(t, path+" of "+tag[:min(len(tag), 20)], 404, "SPOOL_NO_ENCONTRADO")
			if len(r.text("message")) > 400 {
				t.Errorf("%s answers a message of %d bytes", path, len(r.text("message")))
			}
		}
	}
	b.post("/api/occupation/tomar", by(" S-1\n", ana, "operacion", "ARM")).want(t, "a tag with blanks around it", 200)
	if b.seq() != before+1 {
		t.Errorf("%d events, want the one of the tag that exists", b.seq()-before)
	}
}

// FuzzBodies: nothing a client sends is answered 500, and every refusal is the
// union body.
func FuzzBodies(f *testing.F) {
	b := newBox(f)
	paths := append(slices.Sorted(maps.Keys(writes)), "/api/supervisor/session", "/api/v4/uniones/guardar", "/api/spool/U-1/notas", "/api/spools/batch-status",
		"/api/supervisor/list/add", "/api/supervisor/list/remove", "/api/supervisor/audit/batch", "/api/supervisor/legacy-snapshot", "/api/v4/occupation/finalizar")
	for i, body := range []string{
		`{"tag_spool":"S-1","worker_id":12,"operacion":"ARM"}`, `{"tag_spool":"U-1","worker_id":12,"uniones":[1,2,3]}`, `{"tag_spools":["S-1","S-2"],"worker_id":12,"operacion":"ARM"}`,
		`{"tag_spool":"S-1","worker_id":56,"resultado":"APROBADO","motivo":"x"}`, `{"pin":"1234"}`, `{`, `[]`, "\xff", `{"fecha_operacion":"2026-01-05T"}`, `{"version":1e3}`, `{"seq":18446744073709551616}`,
		`{"tag_spool":"U-1","unions":[{"n_union":1,"dn_union":1e300,"tipo_union":"BW"}]}`, `{"texto":"x\n=1"}`, `{"tags":["S-1",""]}`, `{"tag_spool":"S-1","session_id":"s"}`,
		`{"events":[{"id":"a","session_id":"s","event_type":"NAVIGATE"},null]}`, `{"snapshot_id":"a","raw":{"x":[1e999]}}`, `{"tag_spool":"U-1","worker_id":12,"selected_unions":["7+99999999999999999999"],"action_override":""}`,
	} {
		for which := range paths {
			f.Add(uint8(which), body, fmt.Sprint("clave", i))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, body, key string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, paths[int(which)%len(paths)], strings.NewReader(body))
		r.Header["Idempotency-Key"] = []string{key}
		mine := *b
		mine.t = t
		got := mine.answer(r)
		if got.Body == nil || got.Status >= 500 || got.Status != 200 && (got.Body["success"] != false || got.text("error") == "" || got.text("message") == "" || got.Body["detail"] == nil) {
			t.Errorf("POST %s %q under %q = %d %s", r.URL.Path, body, key, got.Status, got.Raw)
		}
	})
}
