package api_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"envivo/api"
)

var update = flag.Bool("update", false, "write docs/openapi.json anew")

// TestTheDocumentInTheRepositoryIsTheOneServed: docs/openapi.json shows what a
// change does to clients.
func TestTheDocumentInTheRepositoryIsTheOneServed(t *testing.T) {
	path := filepath.Join("..", "docs", "openapi.json")
	if *update {
		if err := os.WriteFile(path, api.OpenAPI(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, api.OpenAPI()) {
		t.Error("docs/openapi.json is not what the program makes; write it anew with go test ./api -run TheDocumentInTheRepository -update")
	}
	if got := newBox(t).get("/api/openapi.json").want(t, "the document", 200); got.Raw != string(file) {
		t.Errorf("GET /api/openapi.json gives %d bytes, docs/openapi.json has %d", len(got.Raw), len(file))
	}
}

// TestTheDocumentIsOpenAPI31 holds the document to the rules of OpenAPI 3.1
// that it makes use of.
func TestTheDocumentIsOpenAPI31(t *testing.T) {
	s := theSpec()
	if got := s.raw["openapi"]; got != "3.1.0" {
		t.Errorf("openapi = %v, want 3.1.0", got)
	}
	info, _ := s.raw["info"].(fields)
	if info["title"] == "" || info["version"] == "" {
		t.Errorf("info = %v, want title and version", info)
	}
	tags := map[any]bool{}
	for _, tag := range s.raw["tags"].([]any) {
		tags[tag.(fields)["name"]] = true
	}
	ids := map[any]string{}
	for at, op := range s.paths {
		if other := ids[op["operationId"]]; other != "" || op["operationId"] == "" {
			t.Errorf("%s has the operationId %v of %s", at, op["operationId"], other)
		}
		ids[op["operationId"]] = at
		if list := op["tags"].([]any); len(list) != 1 || !tags[list[0]] || op["summary"] == "" {
			t.Errorf("%s has the tags %v and the summary %v", at, list, op["summary"])
		}
		parameters(t, at, op)
		for status, answer := range op["responses"].(fields) {
			if n, err := strconv.Atoi(status); err != nil || n < 100 || n > 599 || answer.(fields)["description"] == "" {
				t.Errorf("%s has the answer %s: %v", at, status, answer)
			}
		}
	}
	schemas(t, s, "the document", s.raw)
	for name := range s.raw["components"].(fields)["schemas"].(fields) {
		if !strings.Contains(string(api.OpenAPI()), `"$ref": "#/components/schemas/`+name+`"`) {
			t.Errorf("nothing refers to the schema %s", name)
		}
	}
}

// parameters checks names, places and that every part of the path is one.
func parameters(t *testing.T, at string, op fields) {
	t.Helper()
	seen := map[string]bool{}
	list, _ := op["parameters"].([]any)
	for _, x := range list {
		p := x.(fields)
		key := p["in"].(string) + " " + p["name"].(string)
		if seen[key] || p["schema"] == nil || p["in"] == "path" && p["required"] != true {
			t.Errorf("%s has the parameter %v", at, p)
		}
		seen[key] = true
		if name := p["name"].(string); p["in"] == "path" && !strings.Contains(at, "{"+name+"}") {
			t.Errorf("%s has no part for the parameter %s", at, name)
		}
	}
	for _, part := range strings.Split(at, "/") {
		if strings.HasPrefix(part, "{") && !seen["path "+strings.Trim(part, "{}")] {
			t.Errorf("%s does not describe %s", at, part)
		}
	}
}

// schemas looks at everything that is a schema: known types, references that
// lead somewhere, required members that exist.
func schemas(t *testing.T, s *spec, where string, v any) {
	t.Helper()
	kinds := []any{"string", "integer", "number", "boolean", "object", "array", "null"}
	switch x := v.(type) {
	case []any:
		for _, item := range x {
			schemas(t, s, where, item)
		}
	case fields:
		if ref, ok := x["$ref"].(string); ok {
			s.resolve(ref)
		}
		names, _ := x["type"].([]any)
		if name, ok := x["type"].(string); ok && !strings.HasSuffix(where, ".properties") && !strings.HasSuffix(where, ".securitySchemes.token") && !strings.HasSuffix(where, ".securitySchemes.supervisor") {
			names = []any{name}
		}
		for _, name := range names {
			if !slices.Contains(kinds, name) {
				t.Errorf("%s has the type %v", where, name)
			}
		}
		properties, _ := x["properties"].(fields)
		if list, ok := x["required"].([]any); ok {
			for _, name := range list {
				if properties[name.(string)] == nil {
					t.Errorf("%s requires %v, which it does not have", where, name)
				}
			}
		}
		for key, value := range x {
			schemas(t, s, where+"."+key, value)
		}
	}
}

// TestBodiesNeedWhatTheDocumentSays: without a required field a body is refused
// for that field; with the required ones alone nothing is missing. What is
// limited is limited.
func TestBodiesNeedWhatTheDocumentSays(t *testing.T) {
	b := newBox(t)
	b.pin("2580")
	n := 0
	for at, op := range theSpec().paths {
		body, _ := op["requestBody"].(fields)
		if body == nil || strings.Contains(at, "/sync/") || strings.Contains(at, "/devices/") { // for supervisors only
			continue
		}
		sc := body["content"].(fields)["application/json"].(fields)["schema"].(fields)
		method, path, good := sample(at)
		required, _ := sc["required"].([]any)
		least := fields{}
		for _, name := range required {
			n++
			least[name.(string)] = good.(fields)[name.(string)]
			r := b.send(method, path, change(good.(fields), name.(string), nil))
			if r.Status != 422 || !strings.Contains(r.Raw, `"loc":["body","`+name.(string)+`"]`) {
				t.Errorf("%s without %v = %d %.300s, want 422 about it", at, name, r.Status, r.Raw)
			}
		}
		if strings.HasSuffix(path, "/finalizar") {
			least["selected_unions"] = []string{} // or action_override
		}
		if r := b.send(method, path, least); strings.Contains(r.Raw, `"type":"missing"`) {
			t.Errorf("%s with %v lacks something: %.300s", at, least, r.Raw)
		}
		for name, p := range sc["properties"].(fields) {
			for _, bad := range beyond(p.(fields)) {
				n++
				r := b.send(method, path, change(good.(fields), name, bad))
				if r.Status != 422 && r.Status != 400 {
					t.Errorf("%s with %.40v for %s = %d %.200s, want it refused: the document does not allow it", at, bad, name, r.Status, r.Raw)
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("%d bodies were tried, want hundreds", n)
	}
}

// beyond are values that a schema excludes.
func beyond(sc fields) []any {
	var out []any
	if sc["enum"] != nil {
		out = append(out, "PINTAR")
	}
	if sc["minimum"] == 1.0 {
		out = append(out, 0)
	}
	if sc["minLength"] != nil {
		out = append(out, "")
	}
	if n, ok := sc["maxLength"].(float64); ok {
		out = append(out, strings.Repeat("x", int(n)+1))
	}
	if sc["minItems"] != nil {
		out = append(out, []string{})
	}
	if sc["type"] == "integer" || sc["type"] == "array" {
		out = append(out, "x")
	}
	return out
}

// TestEveryRouteIsInTheTable: nothing is put into the mux past the table but
// what leads nowhere, the pages, and the pages' own stream.
func TestEveryRouteIsInTheTable(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil || len(sources) < 20 {
		t.Fatalf("%d source files (%v); the test would prove nothing", len(sources), err)
	}
	var got []string
	for _, path := range sources {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(path, "_test.go") {
			for _, m := range regexp.MustCompile(`s\.mux\.Handle(?:Func)?\(("[^"]*"|at\.at),`).FindAllStringSubmatch(string(text), -1) {
				got = append(got, m[1])
			}
		}
	}
	slices.Sort(got)
	if want := []string{`"/"`, `"/api/"`, `"GET /ws/ui"`, "at.at", "at.at"}; !slices.Equal(got, want) {
		t.Errorf("the mux is given %q, want %q: describe new addresses in the table of routes", got, want)
	}
}
