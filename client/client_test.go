package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// asked is what a fake box was asked, and answers what it answers.
type asked struct {
	method, path, key, token, body string
}

func fake(t *testing.T, status int, answer string, header ...string) (*Client, *asked) {
	t.Helper()
	got := &asked{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the body: %v", err)
		}
		*got = asked{r.Method, r.URL.RequestURI(), r.Header.Get("Idempotency-Key"), r.Header.Get("Authorization"), string(body)}
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(s.Close)
	return &Client{Base: s.URL + "/", Token: "envivo_x"}, got
}

func TestAnActIsSentWithKeyAndTokenAndNothingElse(t *testing.T) {
	c, got := fake(t, 200, `{"success":true,"tag_spool":"S-1","message":"ok","seq":7,"version":2,"estado_detalle":"x","new_field":1}`)
	w, err := c.Tomar(t.Context(), Order{Tag: "S-1", Worker: 12, Op: ARM, Key: "k1"})
	if err != nil || w != (Written{"S-1", "ok", 7, 2, "x"}) {
		t.Errorf("Tomar = %+v, %v", w, err)
	}
	if want := (asked{"POST", "/api/occupation/tomar", "k1", "Bearer envivo_x", `{"tag_spool":"S-1","worker_id":12,"operacion":"ARM"}`}); *got != want {
		t.Errorf("the box was asked %+v, want %+v", *got, want)
	}
}

func TestFinalizarWithoutASelectionSendsAnEmptyOne(t *testing.T) {
	for _, c := range []struct {
		o    Order
		want string
	}{
		{Order{Tag: "U-1", Worker: 12}, `{"tag_spool":"U-1","worker_id":12,"selected_unions":[]}`},
		{Order{Tag: "U-1", Worker: 12, Selected: []string{"7+1"}}, `{"tag_spool":"U-1","worker_id":12,"selected_unions":["7+1"]}`},
		{Order{Tag: "U-1", Worker: 12, Override: "PAUSAR"}, `{"tag_spool":"U-1","worker_id":12,"action_override":"PAUSAR"}`},
	} {
		box, got := fake(t, 200, `{}`)
		if _, err := box.Finalizar(t.Context(), c.o); err != nil || got.body != c.want {
			t.Errorf("Finalizar sends %s (%v), want %s", got.body, err, c.want)
		}
	}
}

func TestReadsAreAddressedAsTheyAreMeant(t *testing.T) {
	box, got := fake(t, 200, `{}`)
	for want, ask := range map[string]func() error{
		"/api/spools/A%2FB%20%231": func() error { _, err := box.Spool(t.Context(), "A/B #1"); return err },
		"/api/spools?after=S-9&limit=5&operacion=SOLD&q=MK+1&worker_id=12": func() error {
			_, err := box.Spools(t.Context(), Query{Text: "MK 1", Op: SOLD, Worker: 12, Limit: 5, After: "S-9"})
			return err
		},
		"/api/spools?":                  func() error { _, err := box.Spools(t.Context(), Query{}); return err },
		"/api/events?after=3":           func() error { _, err := box.Events(t.Context(), 3, 0); return err },
		"/api/events?after=3&limit=100": func() error { _, err := box.Events(t.Context(), 3, 100); return err },
	} {
		if err := ask(); err != nil || got.path != want || got.method != "GET" {
			t.Errorf("asked %s %s (%v), want GET %s", got.method, got.path, err, want)
		}
	}
}

func TestRefusalsAreValues(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		answer string
		header []string
		want   Error
	}{
		{"a rule", 409, `{"success":false,"error":"SPOOL_OCCUPIED","message":"Spool S-1 ocupado por AB(12).","data":{"owner_id":12},"detail":"Spool S-1 ocupado por AB(12)."}`, nil,
			Error{Status: 409, Code: "SPOOL_OCCUPIED", Message: "Spool S-1 ocupado por AB(12).", Data: json.RawMessage(`{"owner_id":12}`)}},
		{"fields", 422, `{"error":"VALIDATION_ERROR","message":"m","data":null,"detail":[{"loc":["body","worker_id"]},{"loc":["body","operacion"]}]}`, nil,
			Error{Status: 422, Code: "VALIDATION_ERROR", Message: "m", Data: json.RawMessage(`null`), Fields: []string{"worker_id", "operacion"}}},
		{"fields in an object", 422, `{"error":"VALIDATION_ERROR","message":"m","data":null,"detail":{"faults":[{"loc":["body","selected_unions"]}]}}`, nil,
			Error{Status: 422, Code: "VALIDATION_ERROR", Message: "m", Data: json.RawMessage(`null`), Fields: []string{"selected_unions"}}},
		{"a busy box", 503, `{"error":"SHEETS_CONNECTION_ERROR","message":"m","data":null,"detail":"m"}`, []string{"Retry-After", "2"},
			Error{Status: 503, Code: "SHEETS_CONNECTION_ERROR", Message: "m", Data: json.RawMessage(`null`), RetryAfter: 2 * time.Second}},
		{"a proxy", 502, `<h1>Bad Gateway</h1>`, nil, Error{Status: 502, Message: "502 Bad Gateway"}},
	} {
		box, _ := fake(t, c.status, c.answer, c.header...)
		_, err := box.Tomar(t.Context(), Order{})
		var got *Error
		if !errors.As(err, &got) || !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%s = %+v (%v), want %+v", c.name, got, err, c.want)
		}
	}
	box, _ := fake(t, 409, `{"error":"SPOOL_OCCUPIED","message":"m"}`)
	if _, err := box.Tomar(t.Context(), Order{}); !errors.Is(err, ErrOccupied) || errors.Is(err, ErrVersion) {
		t.Errorf("%v, want ErrOccupied and nothing else", err)
	}
}

func TestAPositionMovesByWhatItHasSeen(t *testing.T) {
	for _, c := range []struct {
		name, frame string
		want        Position
		seen        int
		fails       error // nil: none
	}{
		{"the next", `{"kind":"event","seq":6,"prev":5}`, Position{6, "e"}, 1, nil},
		{"after a setting", `{"kind":"event","seq":9,"prev":4}`, Position{9, "e"}, 1, nil},
		{"seen before", `{"kind":"event","seq":5,"prev":4}`, Position{5, "e"}, 0, nil},
		{"a gap", `{"kind":"event","seq":8,"prev":7}`, Position{5, "e"}, 0, errGap},
		{"a beat", `{"kind":"beat","seq":5}`, Position{5, "e"}, 0, nil},
		{"a beat beyond", `{"kind":"beat","seq":6}`, Position{5, "e"}, 0, errGap},
		{"hello", `{"kind":"hello","seq":90,"epoch":"e"}`, Position{5, "e"}, 0, nil},
		{"reset", `{"kind":"reset","seq":90,"epoch":"f"}`, Position{90, "f"}, 0, ErrReset},
		{"unknown", `{"kind":"weather"}`, Position{5, "e"}, 0, nil},
	} {
		at, seen := Position{5, "e"}, 0
		err := at.take([]byte(c.frame), func(Event) error { seen++; return nil })
		if at != c.want || seen != c.seen || !errors.Is(err, c.fails) {
			t.Errorf("%s: position %+v, %d seen, %v; want %+v, %d, %v", c.name, at, seen, err, c.want, c.seen, c.fails)
		}
	}
	stop := errors.New("enough")
	at := Position{5, "e"}
	if err := at.take([]byte(`{"kind":"event","seq":6,"prev":5}`), func(Event) error { return stop }); !errors.Is(err, stop) || at.Seq != 5 {
		t.Errorf("a reader that fails leaves %+v with %v, want the position before", at, err)
	}
}

// TestTheTypesAreTheDocuments: every field that the client reads or sends is in
// docs/openapi.json.
func TestTheTypesAreTheDocuments(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "docs", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Properties map[string]any `json:"properties"`
	}
	var doc struct {
		Components struct {
			Schemas map[string]object `json:"schemas"`
		} `json:"components"`
		Paths map[string]struct {
			Post struct {
				Body struct {
					Content map[string]struct {
						Schema object `json:"schema"`
					} `json:"content"`
				} `json:"requestBody"`
			} `json:"post"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{"Written": Written{}, "EndedAnswer": Ended{}, "Finished4": Finished{}, "SpoolPage": Page{}, "Spool": Spool{}, "SpoolDetail": Detail{},
		"Union": Union{}, "Accion": Action{}, "EventPage": EventPage{}, "Event": Event{}} {
		has := doc.Components.Schemas[name].Properties
		for _, field := range jsonNames(reflect.TypeOf(v)) {
			if has[field] == nil {
				t.Errorf("%T reads %s, which %s of the document does not have", v, field, name)
			}
		}
	}
	sent := map[string]bool{}
	for _, path := range []string{"/api/occupation/completar", "/api/v4/occupation/finalizar"} {
		for field := range doc.Paths[path].Post.Body.Content["application/json"].Schema.Properties {
			sent[field] = true
		}
	}
	for _, field := range jsonNames(reflect.TypeFor[Order]()) {
		if !sent[field] {
			t.Errorf("Order sends %s, which no act reads", field)
		}
	}
}

func jsonNames(t reflect.Type) []string {
	var out []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			out = append(out, jsonNames(f.Type)...)
		case name != "-":
			out = append(out, name)
		}
	}
	return out
}
