package e2e

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// writes are the endpoints that change something, with a body that would work.
var writes = map[string]fields{
	"/api/occupation/tomar":       take(spoolTag(1), fitterA, "ARM"),
	"/api/occupation/pausar":      take(spoolTag(1), fitterA, "ARM"),
	"/api/occupation/completar":   {"tag_spool": spoolTag(1), "worker_id": fitterA, "worker_nombre": "x", "fecha_operacion": "05-10-2026", "operacion": "ARM"},
	"/api/occupation/relevar":     take(spoolTag(1), fitterA, "ARM"),
	"/api/occupation/traspasar":   {"tag_spool": spoolTag(1), "worker_id": fitterA, "worker_destino": fitterB},
	"/api/occupation/liberar":     {"tag_spool": spoolTag(1), "worker_id": fitterA, "motivo": "turno"},
	"/api/occupation/deshacer":    {"tag_spool": spoolTag(1), "worker_id": fitterA},
	"/api/metrologia/completar":   {"tag_spool": spoolTag(1), "worker_id": metro, "resultado": "APROBADO"},
	"/api/tomar-reparacion":       {"tag_spool": spoolTag(1), "worker_id": fitterA},
	"/api/pausar-reparacion":      {"tag_spool": spoolTag(1), "worker_id": fitterA},
	"/api/completar-reparacion":   {"tag_spool": spoolTag(1), "worker_id": fitterA},
	"/api/cancelar-reparacion":    {"tag_spool": spoolTag(1), "worker_id": fitterA},
	"/api/occupation/batch-tomar": {"tag_spools": []string{spoolTag(1)}, "worker_id": fitterA, "worker_nombre": "x", "operacion": "ARM"},
}

func with(body fields, key string, value any) fields {
	out := fields{}
	for k, v := range body {
		out[k] = v
	}
	if value == nil {
		delete(out, key)
		return out
	}
	out[key] = value
	return out
}

// TestBadInput sends what must be refused to every endpoint that writes: each
// answer is a clear sentence with a fitting status, and nothing changes.
func TestBadInput(t *testing.T) {
	s := serve(t, newPlant(t, 5, 0))
	before := len(s.events())
	huge := []byte(`{"tag_spool":"` + strings.Repeat("A", 2<<20) + `"}`)
	for path, good := range writes {
		tagField := "tag_spool"
		if path == "/api/occupation/batch-tomar" {
			tagField = "tag_spools"
		}
		tagValue := func(tag string) any {
			if tagField == "tag_spools" {
				return []string{tag}
			}
			return tag
		}
		for _, c := range []struct {
			name string
			body any
			want []int
		}{
			{"no body", []byte{}, []int{422}},
			{"not JSON", []byte("tag_spool=S-0001"), []int{422}},
			{"cut JSON", []byte(`{"tag_spool": "S-0001", `), []int{422}},
			{"two values", []byte(`{} {}`), []int{422}},
			{"a list", []byte(`[1]`), []int{422}},
			{"null", []byte(`null`), []int{422}},
			{"a number", []byte(`7`), []int{422}},
			{"huge body", huge, []int{413}},
			{"deep nesting", []byte(strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000)), []int{422}},
			{"broken UTF-8", []byte("{\"" + tagField + "\":\"S-\xff\xfe\",\"worker_id\":12}"), []int{422, 404}},
			{"tag missing", with(good, tagField, nil), []int{422}},
			{"tag a number", with(good, tagField, 5), []int{422}},
			{"tag empty", with(good, tagField, tagValue("")), []int{422, 200}},
			{"worker missing", with(good, "worker_id", nil), []int{422, 403}},
			{"worker text", with(good, "worker_id", "doce"), []int{422, 403}},
			{"worker 0", with(good, "worker_id", 0), []int{422, 403}},
			{"worker negative", with(good, "worker_id", -12), []int{422, 403}},
			{"worker huge", with(good, "worker_id", 1e30), []int{422, 403}},
			{"worker with a fraction", with(good, "worker_id", 12.5), []int{422, 403}},
			{"worker unknown", with(good, "worker_id", 999), []int{404, 200, 403}},
			{"worker inactive", with(good, "worker_id", inactive), []int{404, 200, 403}},
			{"key too long", good, []int{422}},
		} {
			t.Run(path+": "+c.name, func(t *testing.T) {
				var header []string
				if c.name == "key too long" {
					header = []string{"Idempotency-Key", strings.Repeat("k", 129)}
				}
				refused(t, s.post(path, c.body, header...), c.want, path)
			})
		}
		for _, tag := range []string{`S"0001`, "S'0001", "S%0001", "S%00", "🔧-001", "../../etc/passwd", "S-0001\x00", "<script>alert(1)</script>", strings.Repeat("X", 5000), "S-0001 OR 1=1", " ", "\u202eS-0001"} {
			t.Run(path+": tag "+clip(tag), func(t *testing.T) {
				refused(t, s.post(path, with(good, tagField, tagValue(tag))), []int{404, 422, 403, 200}, path)
			})
		}
	}
	if after := len(s.events()); after != before {
		t.Errorf("%d events after the refusals, want the %d from before", after, before)
	}
	s.post("/api/occupation/tomar", with(take(spoolTag(2), fitterA, "ARM"), "campo_desconocido", fields{"a": 1})).want(t, "TOMAR with an unknown field", 200)
	s.post("/api/occupation/tomar", take(spoolTag(3), welder, "ARM")).want(t, "TOMAR ARM by a welder", 403)
	s.post("/api/occupation/tomar", take("SIN-MATERIAL-001", fitterA, "ARM")).want(t, "TOMAR without material", 400)
	s.post("/api/occupation/tomar", take(spoolTag(3), fitterA, "PINTAR")).want(t, "TOMAR of an unknown operation", 422)
}

func clip(s string) string {
	if len(s) > 20 {
		s = s[:20]
	}
	return url.QueryEscape(s)
}

// refused checks the shape that every refusal has; batch answers are 200 with
// nothing succeeded.
func refused(t *testing.T, r reply, want []int, path string) {
	t.Helper()
	ok := false
	for _, w := range want {
		ok = ok || r.Status == w
	}
	if !ok {
		t.Fatalf("answer = %d %s, want one of %v", r.Status, tail(r.Raw, 300), want)
	}
	if !json.Valid([]byte(r.Raw)) {
		t.Fatalf("answer is no JSON: %q", tail(r.Raw, 300))
	}
	if r.Status == 200 {
		if path != "/api/occupation/batch-tomar" || r.num("succeeded") != 0 {
			t.Fatalf("answer = 200 %s, want a refusal", r.Raw)
		}
		return
	}
	if r.text("message") == "" || r.text("error") == "" || r.Body["success"] != false || r.Body["detail"] == nil {
		t.Errorf("refusal %s lacks success, error, message or detail", tail(r.Raw, 300))
	}
	if strings.Contains(r.text("message"), "red") && r.Status != 422 {
		t.Errorf("message %q contains the letters that old clients take for a network failure", r.text("message"))
	}
}

// TestBadReads asks for things that are not there or not well formed.
func TestBadReads(t *testing.T) {
	s := serve(t, newPlant(t, 5, 0))
	for path, want := range map[string]int{
		"/api/nada":                                      404,
		"/api/spools/NO-ESTA":                            404,
		"/api/spools/%22%27%25":                          404,
		"/api/spools/%F0%9F%94%A7":                       404,
		"/api/spools/%FF":                                404,
		"/api/history/NO-ESTA":                           404,
		"/api/occupation/status/NO-ESTA":                 404,
		"/api/spools/iniciar?operacion=PINTAR":           400,
		"/api/spools/iniciar":                            422,
		"/api/spools/cancelar?operacion=ARM":             422,
		"/api/spools/cancelar?operacion=ARM&worker_id=x": 422,
		"/api/spools?limit=x":                            422,
		"/api/spools?estado=NADA":                        422,
		"/api/events?after=x":                            422,
	} {
		r := s.get(path)
		if r.Status != want {
			t.Errorf("GET %s = %d %s, want %d", path, r.Status, tail(r.Raw, 200), want)
		}
		if !bytes.HasPrefix([]byte(r.Raw), []byte("{")) {
			t.Errorf("GET %s answered %q, want a JSON object", path, tail(r.Raw, 100))
		}
	}
}
