package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"envivo/ui"
)

// The document is OpenAPI 3.1, made from the table of routes and from the types
// that the endpoints decode and answer. What a body requires is asked of the
// body's own check.

const (
	openAPIVersion = "3.1.0"
	// apiVersion changes when a client may notice.
	apiVersion = "1.0.0"
)

type document struct {
	OpenAPI    string                `json:"openapi"`
	Info       docInfo               `json:"info"`
	Servers    []docServer           `json:"servers"`
	Security   []map[string][]string `json:"security"`
	Tags       []docTag              `json:"tags"`
	Paths      ordered[docPath]      `json:"paths"`
	Components docComponents         `json:"components"`
}

type docInfo struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Version     string `json:"version"`
}

type docServer struct {
	URL string `json:"url"`
}

type docTag struct {
	Name string `json:"name"`
}

// docPath are the operations of one path by method.
type docPath = ordered[*operation]

type operation struct {
	ID          string                `json:"operationId"`
	Tags        []string              `json:"tags"`
	Summary     string                `json:"summary"`
	Description string                `json:"description,omitempty"`
	Security    []map[string][]string `json:"security,omitempty"`
	Parameters  []*docParam           `json:"parameters,omitempty"`
	Body        *docBody              `json:"requestBody,omitempty"`
	Responses   ordered[*docAnswer]   `json:"responses"`
}

type docParam struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitempty"`
	Schema      *schema `json:"schema"`
}

type docBody struct {
	Required bool              `json:"required"`
	Content  ordered[docMedia] `json:"content"`
}

type docAnswer struct {
	Description string            `json:"description"`
	Content     ordered[docMedia] `json:"content,omitzero"`
}

type docMedia struct {
	Schema *schema `json:"schema"`
}

type docComponents struct {
	Schemas  ordered[*schema]        `json:"schemas"`
	Security ordered[map[string]any] `json:"securitySchemes"`
}

// ordered is a JSON object whose members keep their order.
type ordered[T any] []member[T]

type member[T any] struct {
	name  string
	value T
}

func (o ordered[T]) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		v, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b = append(append(appendText(b, m.name), ':'), v...)
	}
	return append(b, '}'), nil
}

func (o *ordered[T]) set(name string, v T) {
	for i := range *o {
		if (*o)[i].name == name {
			(*o)[i].value = v
			return
		}
	}
	*o = append(*o, member[T]{name, v})
}

func (o ordered[T]) get(name string) (v T, ok bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return v, false
}

const aboutAPI = "Quién tiene qué spool ahora, y los actos que lo cambian. " +
	"Toda escritura responde después de quedar guardada en disco. Con Idempotency-Key se puede repetir sin efecto doble; con version se rechaza si el spool cambió. " +
	"Los campos desconocidos de un pedido se ignoran; un cliente debe ignorar los que no conozca de una respuesta."

// describe makes the document.
func describe(routes []route) *document {
	g := &generator{names: map[string]reflect.Type{}}
	d := &document{OpenAPI: openAPIVersion, Info: docInfo{"envivo", aboutAPI, apiVersion}, Servers: []docServer{{"/"}},
		Security: []map[string][]string{{}, {"token": {}}, {"supervisor": {}}}}
	for _, name := range []string{groupReads, groupTake, groupRepair, groupV4, groupV2, groupSup, groupSheet, groupLive, groupDevices, groupBox} {
		d.Tags = append(d.Tags, docTag{name})
	}
	for i := range routes {
		r := &routes[i]
		p, _ := d.Paths.get(r.path())
		p.set(strings.ToLower(r.method()), g.operation(r))
		d.Paths.set(r.path(), p)
	}
	slices.SortFunc(g.schemas, func(a, b member[*schema]) int { return strings.Compare(a.name, b.name) })
	d.Components.Schemas = g.schemas
	d.Components.Security = ordered[map[string]any]{
		{"token", map[string]any{"type": "http", "scheme": "bearer", "description": "Un token de alcance read, act o admin."}},
		{"supervisor", map[string]any{"type": "apiKey", "in": "cookie", "name": sessionCookie, "description": "La sesión del supervisor."}},
	}
	return d
}

var (
	placeholder = regexp.MustCompile(`\{(\w+)\}`)
	notWord     = regexp.MustCompile(`\W+`)
)

// operationID is the name generated clients give to a route:
// post_occupation_tomar.
func operationID(r *route) string {
	path := strings.TrimPrefix(r.path(), "/api")
	return strings.ToLower(r.method()) + "_" + strings.Trim(notWord.ReplaceAllString(path, "_"), "_")
}

func (g *generator) operation(r *route) *operation {
	op := &operation{ID: operationID(r), Tags: []string{r.group}, Summary: r.says, Description: r.more}
	if r.scope > ScopeNone {
		op.Description = strings.TrimSpace(op.Description + " Alcance: " + r.scope.String() + ".")
	} else {
		op.Security = []map[string][]string{{}}
	}
	for _, m := range placeholder.FindAllStringSubmatch(r.path(), -1) {
		op.Parameters = append(op.Parameters, pathParam(m[1]))
	}
	for _, p := range r.query {
		op.Parameters = append(op.Parameters, &docParam{p.name, "query", p.says, p.must, &schema{Type: p.kind, Enum: p.words}})
	}
	if r.keyed {
		most := maxKey
		op.Parameters = append(op.Parameters, &docParam{keyHeader, "header", "La misma clave da la misma respuesta y un solo efecto, por 24 h al menos.", false, &schema{Type: "string", MaxLength: &most}})
	}
	if r.body != nil {
		op.Body = &docBody{true, ordered[docMedia]{{jsonMedia, docMedia{g.body(r)}}}}
	}
	status, good := g.success(r)
	op.Responses.set(status, good)
	for _, status := range r.refusals() {
		op.Responses.set(strconv.Itoa(status), g.refused(r, status))
	}
	return op
}

const jsonMedia = "application/json"

func pathParam(name string) *docParam {
	p := &docParam{Name: name, In: "path", Required: true, Schema: &schema{Type: "integer"}}
	switch {
	case name == "tag":
		p.Schema, p.Description = &schema{Type: "string"}, "TAG del spool."
	case name == "seq":
		p.Description = "Número de un evento."
	case name == "worker_id":
		p.Description = "Número del trabajador."
	default:
		p.Schema, p.Description = &schema{Type: "string"}, "Número o identificador."
	}
	return p
}

// success is what a route answers when all is well.
func (g *generator) success(r *route) (string, *docAnswer) {
	switch {
	case r.f == nil && r.media == "":
		return "101", &docAnswer{Description: "El canal queda abierto."}
	case r.f == nil:
		return "200", &docAnswer{"Como se describe.", ordered[docMedia]{{r.media, docMedia{&schema{Type: "string"}}}}}
	}
	if _, free := r.answer.(raw); free {
		return "200", &docAnswer{"El documento.", ordered[docMedia]{{jsonMedia, docMedia{&schema{Type: "object"}}}}}
	}
	return "200", &docAnswer{"Hecho.", ordered[docMedia]{{jsonMedia, docMedia{g.of(reflect.TypeOf(r.answer))}}}}
}

// refused is a refusal of a route; the codes are those of the catalogue.
func (g *generator) refused(r *route, status int) *docAnswer {
	out := &docAnswer{Description: http.StatusText(status) + "."}
	if codes := codesOf(status); len(codes) > 0 {
		out.Description = "error: " + strings.Join(codes, ", ") + "."
	}
	var v any = refusal{}
	switch {
	case r.f == nil && r.media == "text/plain":
		out.Content = ordered[docMedia]{{r.media, docMedia{&schema{Type: "string"}}}}
		return out
	case detailed(r.path()):
		v = detailedRefusal{}
	case status == http.StatusUnprocessableEntity:
		v = invalidBody{}
	}
	out.Content = ordered[docMedia]{{jsonMedia, docMedia{g.of(reflect.TypeOf(v))}}}
	return out
}

// codesOf are the stable codes that come with a status.
func codesOf(status int) []string {
	more := map[int][]string{http.StatusForbidden: {codePIN, codePINWrong}, http.StatusNotFound: {codeMissing}, http.StatusRequestEntityTooLarge: {codeTooLarge},
		http.StatusTooManyRequests: {codeLocked, codePace}, http.StatusBadRequest: {codeInvalid}}
	out := more[status]
	for _, row := range statuses {
		if row.status == status {
			out = append(out, row.code)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// encoded is the document as it is served.
func (d *document) encoded() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		panic("api: the document cannot be encoded: " + err.Error()) // it is made of our own types
	}
	return b.Bytes()
}

// OpenAPI is the description of the API, OpenAPI 3.1 as JSON.
func OpenAPI() []byte { return describe(new(Server).routes()).encoded() }

func (s *Server) openAPI(*call) (any, error) { return raw(s.described().json), nil }

// described is the document of a Server, in its two forms.
type described struct {
	json []byte
	page ui.APIDoc
}
