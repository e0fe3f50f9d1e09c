package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"envivo/api"
)

// spec is the document as a client reads it.
type spec struct {
	raw   fields
	paths map[string]fields // operations by method and path
}

var theSpec = sync.OnceValue(func() *spec {
	s := &spec{paths: map[string]fields{}}
	if err := json.Unmarshal(api.OpenAPI(), &s.raw); err != nil {
		panic("the document is no JSON: " + err.Error())
	}
	for path, item := range s.raw["paths"].(fields) {
		for method, op := range item.(fields) {
			s.paths[strings.ToUpper(method)+" "+path] = op.(fields)
		}
	}
	return s
})

// operation finds the operation of an address: literal parts first.
func (s *spec) operation(method, path string) (name string, op fields) {
	name = method + " " + path
	if op, ok := s.paths[name]; ok {
		return name, op
	}
	parts := strings.Split(name, "/")
	for at, op := range s.paths {
		if slices.EqualFunc(parts, strings.Split(at, "/"), func(got, want string) bool { return got == want || strings.HasPrefix(want, "{") && got != "" }) {
			return at, op
		}
	}
	return name, nil
}

// statuses are what an operation is described to answer.
func statuses(op fields) []string { return slices.Sorted(maps.Keys(op["responses"].(fields))) }

// produced are the described answers that this run has seen.
var produced = struct {
	sync.Mutex
	seen map[string]bool
}{seen: map[string]bool{}}

// described holds an answer to the document. Every answer that a test of this
// package gets passes here.
func described(t testing.TB, r *http.Request, status int, kind, body string) {
	at, op := theSpec().operation(r.Method, r.URL.Path)
	if op == nil || r.Header.Get("Origin") != "" || status == http.StatusTeapot {
		return // a page, an address that leads nowhere, another site, or a stand-in for a stream
	}
	answer, ok := op["responses"].(fields)[fmt.Sprint(status)].(fields)
	if !ok {
		t.Errorf("%s answers %d, the document says %v: %.300s", at, status, statuses(op), body)
		return
	}
	produced.Lock()
	produced.seen[fmt.Sprint(at, " ", status)] = true
	produced.Unlock()
	content, _ := answer["content"].(fields)
	media, ok := content["application/json"].(fields)
	if !ok {
		for want := range content {
			if !strings.HasPrefix(kind, want) {
				t.Errorf("%s answers %d as %s, the document says %s", at, status, kind, want)
			}
		}
		return
	}
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Errorf("%s answers %d with no JSON: %.300s", at, status, body)
		return
	}
	for _, problem := range theSpec().differs(media["schema"].(fields), v, "the answer") {
		t.Errorf("%s, status %d: %s, unlike the document: %.600s", at, status, problem, body)
	}
}

// differs lists in what a value is not as a schema says. A member that the
// schema does not name is a difference too: the document is complete.
func (s *spec) differs(sc fields, v any, where string) []string {
	if ref, ok := sc["$ref"].(string); ok {
		return s.differs(s.resolve(ref), v, where)
	}
	if problem := wrongKind(sc["type"], v, where); problem != "" {
		return []string{problem}
	}
	var out []string
	if words, ok := sc["enum"].([]any); ok && !slices.Contains(words, v) {
		out = append(out, fmt.Sprintf("%s is %v, want one of %v", where, v, words))
	}
	if least, ok := sc["minimum"].(float64); ok && v != nil && v.(float64) < least {
		out = append(out, fmt.Sprintf("%s is %v, want at least %v", where, v, least))
	}
	switch x := v.(type) {
	case []any:
		if items, ok := sc["items"].(fields); ok {
			for i, item := range x {
				out = append(out, s.differs(items, item, fmt.Sprintf("%s[%d]", where, i))...)
			}
		}
	case fields:
		out = append(out, s.members(sc, x, where)...)
	}
	return out
}

func (s *spec) members(sc, x fields, where string) []string {
	var out []string
	properties, named := sc["properties"].(fields)
	values, _ := sc["additionalProperties"].(fields)
	required, _ := sc["required"].([]any)
	for _, name := range required {
		if _, ok := x[name.(string)]; !ok {
			out = append(out, fmt.Sprintf("%s has no %s", where, name))
		}
	}
	for name, value := range x {
		switch p, ok := properties[name].(fields); {
		case ok:
			out = append(out, s.differs(p, value, where+"."+name)...)
		case values != nil:
			out = append(out, s.differs(values, value, where+"."+name)...)
		case named:
			out = append(out, fmt.Sprintf("%s has %s", where, name))
		}
	}
	return out
}

func (s *spec) resolve(ref string) fields {
	at := s.raw
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		at, _ = at[part].(fields)
	}
	if at == nil {
		panic("the document refers to " + ref + ", which it does not have")
	}
	return at
}

// wrongKind compares a value with a schema's type, a name or a list of names.
func wrongKind(want, v any, where string) string {
	names, some := want.([]any)
	if name, ok := want.(string); ok {
		names, some = []any{name}, true
	}
	if !some || slices.ContainsFunc(names, func(n any) bool { return isKind(n.(string), v) }) {
		return ""
	}
	return fmt.Sprintf("%s is a %T, want %v", where, v, names)
}

func isKind(name string, v any) bool {
	switch x := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case float64:
		return name == "number" || name == "integer" && x == math.Trunc(x)
	case []any:
		return name == "array"
	}
	return name == "object"
}
