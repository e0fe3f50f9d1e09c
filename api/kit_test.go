package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"envivo/api"
	"envivo/fsm"
	"envivo/plant"
	"envivo/store"
	"envivo/store/storetest"
	"envivo/ui"
)

// The people of the test plant.
const (
	ana   = 12 // Ana Bravo, Armador
	bruno = 13 // Bruno Castro, Armador
	carla = 34 // Carla Díaz, Soldador
	elena = 56 // Elena Fuentes, Metrologia
	felix = 67 // Félix Gómez, Armador, not active
)

// box is the API on a real store under the real rules, with a clock of its own.
type box struct {
	t     testing.TB
	store *store.Bolt
	api   *api.Server
	clock *storetest.Clock
	// options are those of api, for another server on the same store.
	options api.Options
}

// counted are random bytes that a test can foresee.
type counted struct{ n byte }

func (c *counted) Read(p []byte) (int, error) {
	for i := range p {
		c.n++
		p[i] = c.n
	}
	return len(p), nil
}

// newBox is an open plant unless set says otherwise. Spools S-1 to S-9 are
// ready for ARM, SIN-1 lacks material, U-1 has the unions 1 BW, 2 SO, 3 FW.
func newBox(t testing.TB, set ...func(*api.Options)) *box {
	t.Helper()
	b := &box{t: t, clock: storetest.NewClock()}
	rules, ids := plant.DefaultRules(), storetest.UUIDs()
	engine := fsm.New(rules)
	var err error
	b.store, err = store.Open(filepath.Join(t.TempDir(), "plant.db"), store.Options{
		Decide: engine.Decide, Evolve: fsm.Evolve, Rules: rules, Now: b.clock.Now, NewUUID: ids, Env: "prueba", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	o := api.Options{
		Plant: b.store, Now: b.clock.Now, NewUUID: ids, Random: &counted{}, Log: slog.New(slog.DiscardHandler), Open: true,
		Origins: []string{"http://localhost:3000"}, Env: "prueba", Build: "b1", Version: "0.1",
		Permitted: func(v plant.View, tag plant.Tag, who plant.WorkerID, supervisor bool, now time.Time) []ui.Action {
			var out []ui.Action
			for _, a := range engine.Permitted(v, tag, fsm.Asker{Worker: who, Supervisor: supervisor, Door: plant.DoorV3}, now) {
				out = append(out, ui.Action{Verb: a.Verb, Op: a.Op, Allowed: a.Allowed, Refusal: a.Refusal})
			}
			return out
		},
	}
	for _, f := range set {
		f(&o)
	}
	b.options = o
	if b.api, err = api.New(o); err != nil {
		t.Fatalf("assemble the API: %v", err)
	}
	b.fill()
	return b
}

func enrolled(o *api.Options) { o.Open = false }

func (b *box) fill() {
	b.t.Helper()
	var all []plant.Command
	for _, w := range []plant.Worker{
		{ID: ana, Nombre: "Ana", Apellido: "Bravo", Roles: plant.Armador, Activo: true},
		{ID: bruno, Nombre: "Bruno", Apellido: "Castro", Roles: plant.Armador, Activo: true},
		{ID: carla, Nombre: "Carla", Apellido: "Díaz", Roles: plant.Soldador, Activo: true},
		{ID: elena, Nombre: "Elena", Apellido: "Fuentes", Roles: plant.Metrologia, Activo: true},
		{ID: felix, Nombre: "Félix", Apellido: "Gómez", Roles: plant.Armador},
	} {
		all = append(all, plant.Command{Verb: plant.Importar, Import: &plant.Import{Worker: &w}})
	}
	day := plant.NewDate(2026, 1, 5)
	for i := 1; i <= 9; i++ {
		all = append(all, bring(plant.Spool{Tag: plant.Tag(fmt.Sprintf("S-%d", i)), Order: int32(i), Office: plant.Office{NV: "NV1", Materiales: day}}))
	}
	all = append(all, bring(plant.Spool{Tag: "SIN-1", Order: 10}), bring(plant.Spool{Tag: "U-1", Order: 11, Office: plant.Office{OT: "7", Materiales: day},
		Unions: []plant.Union{{N: 1, DN: 200, Tipo: "BW"}, {N: 2, DN: 75, Tipo: "SO"}, {N: 3, DN: 400, Tipo: "FW"}}}))
	for i, r := range b.store.DoAll(context.Background(), all) {
		if r.Err != nil {
			b.t.Fatalf("fill the plant, command %d: %v", i, r.Err)
		}
	}
}

func bring(s plant.Spool) plant.Command {
	s.Version = 1
	return plant.Command{Verb: plant.Importar, Tag: s.Tag, Import: &plant.Import{Spool: &s}}
}

// setting stores one of the box's own settings.
func (b *box) setting(s plant.Setting) {
	b.t.Helper()
	if _, err := b.store.Do(context.Background(), plant.Command{Verb: plant.Ajustar, Supervisor: true, Setting: &s}); err != nil {
		b.t.Fatalf("store the setting %s: %v", s.Key, err)
	}
}

// token makes a token of a scope and returns its secret.
func (b *box) token(scope string) string {
	b.t.Helper()
	secret, s, err := api.NewToken(api.Token{Name: "tv-" + scope, Scope: scope}, strings.NewReader(strings.Repeat(scope, 20)))
	if err != nil {
		b.t.Fatalf("make a token: %v", err)
	}
	b.setting(s)
	return secret
}

// pin sets the supervisor's PIN.
func (b *box) pin(pin string) {
	b.t.Helper()
	phc, err := api.HashPIN(pin, &counted{})
	if err != nil {
		b.t.Fatalf("hash the PIN: %v", err)
	}
	b.setting(plant.Setting{Key: api.SettingPIN, Value: phc})
}

// reply is one answer.
type reply struct {
	Status int
	Header http.Header
	Raw    string
	Body   map[string]any
}

func (r reply) text(key string) string { s, _ := r.Body[key].(string); return s }
func (r reply) num(key string) int     { n, _ := r.Body[key].(float64); return int(n) }

func (r reply) data(key string) any {
	m, _ := r.Body["data"].(map[string]any)
	return m[key]
}

// items is a field that is a list of objects.
func (r reply) items(key string) []map[string]any {
	list, _ := r.Body[key].([]any)
	out := make([]map[string]any, len(list))
	for i, x := range list {
		out[i], _ = x.(map[string]any)
	}
	return out
}

// tags are the spools of a list's answer.
func (r reply) tags() []string {
	var out []string
	for _, s := range r.items("spools") {
		tag, _ := s["tag_spool"].(string)
		out = append(out, tag)
	}
	return out
}

// send carries one request out; body is a string or a value for JSON, nil for
// none, and header are pairs.
func (b *box) send(method, path string, body any, header ...string) reply {
	b.t.Helper()
	var in io.Reader
	switch x := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(x)
	default:
		raw, err := json.Marshal(x)
		if err != nil {
			b.t.Fatalf("encode a body: %v", err)
		}
		in = strings.NewReader(string(raw))
	}
	r := httptest.NewRequestWithContext(b.t.Context(), method, path, in)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.answer(r)
}

func (b *box) answer(r *http.Request) reply {
	w := httptest.NewRecorder()
	b.api.ServeHTTP(w, r)
	out := reply{Status: w.Code, Header: w.Result().Header, Raw: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &out.Body) // some answers are lists or texts
	described(b.t, r, out.Status, out.Header.Get("Content-Type"), out.Raw)
	return out
}

func (b *box) get(path string, header ...string) reply {
	b.t.Helper()
	return b.send(http.MethodGet, path, nil, header...)
}

func (b *box) post(path string, body any, header ...string) reply {
	b.t.Helper()
	return b.send(http.MethodPost, path, body, header...)
}

// want fails the test unless the answer has the status and, if it is a
// refusal, the code.
func (r reply) want(t testing.TB, what string, status int, code ...string) reply {
	t.Helper()
	if r.Status != status || len(code) > 0 && r.text("error") != code[0] {
		t.Fatalf("%s = %d %s, want %d %v", what, r.Status, r.Raw, status, code)
	}
	return r
}

type fields = map[string]any

// by is the body of a write.
func by(tag string, worker int, more ...any) fields {
	out := fields{"tag_spool": tag, "worker_id": worker}
	for i := 0; i+1 < len(more); i += 2 {
		out[more[i].(string)] = more[i+1]
	}
	return out
}

// work takes a spool for an operation and finishes it.
func (b *box) work(tag string, worker int, op string) {
	b.t.Helper()
	b.post("/api/occupation/tomar", by(tag, worker, "operacion", op)).want(b.t, "TOMAR "+op, 200)
	b.post("/api/occupation/completar", by(tag, worker)).want(b.t, "COMPLETAR "+op, 200)
}

// inspectable brings a spool to the inspection.
func (b *box) inspectable(tag string) {
	b.t.Helper()
	b.work(tag, ana, "ARM")
	b.work(tag, carla, "SOLD")
}

// rejected brings a spool to its nth rejection.
func (b *box) rejected(tag string, n int) {
	b.t.Helper()
	b.inspectable(tag)
	for i := range n {
		if i > 0 {
			b.post("/api/tomar-reparacion", by(tag, ana)).want(b.t, "take the repair", 200)
			b.post("/api/completar-reparacion", by(tag, ana)).want(b.t, "finish the repair", 200)
		}
		b.post("/api/metrologia/completar", by(tag, elena, "resultado", "RECHAZADO")).want(b.t, "reject", 200)
	}
}

func (b *box) seq() plant.Seq { return b.store.Snapshot().Seq }

// lists fails the test unless a list's answer names exactly these tags.
func (b *box) lists(path string, want ...string) {
	b.t.Helper()
	r := b.get(path).want(b.t, "GET "+path, 200)
	if got := r.tags(); !slices.Equal(got, want) || r.num("total") != len(want) {
		b.t.Errorf("GET %s lists %v of %d, want %v", path, got, r.num("total"), want)
	}
}
