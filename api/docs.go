package api

import (
	"net/http"
	"strings"

	"envivo/ui"
)

// docsPolicy: the page needs style, typeface and icon of ours and nothing else.
const docsPolicy = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsPage shows the document to people. It carries nothing of the plant.
func (s *Server) docsPage(w http.ResponseWriter, r *http.Request) {
	s.pages.handle(func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Security-Policy", docsPolicy)
		return s.pages.write(w, r, http.StatusOK, live{}, ui.APIDocPage(s.described().page))
	})(w, r)
}

// page is the document as its page shows it.
func (d *document) page() ui.APIDoc {
	out := ui.APIDoc{About: d.Info.Description, Version: d.Info.Version}
	for _, tag := range d.Tags {
		g := ui.APIGroup{Name: tag.Name}
		for _, p := range d.Paths {
			for _, m := range p.value {
				if m.value.Tags[0] == tag.Name {
					g.Operations = append(g.Operations, m.value.page(strings.ToUpper(m.name), p.name))
				}
			}
		}
		out.Groups = append(out.Groups, g)
	}
	for _, m := range d.Components.Schemas {
		out.Types = append(out.Types, ui.APIType{Name: m.name, Fields: m.value.page()})
	}
	return out
}

var docPlaces = map[string]string{"path": "dirección", "query": "consulta", "header": "cabecera"}

func (op *operation) page(method, path string) ui.APIOperation {
	out := ui.APIOperation{ID: op.ID, Method: method, Path: path, Says: op.Summary, More: op.Description}
	for _, p := range op.Parameters {
		out.Params = append(out.Params, ui.APIField{Name: p.Name, Place: docPlaces[p.In], Kind: p.Schema.kind(), Says: p.Description, Words: p.Schema.Enum, Must: p.Required})
	}
	if op.Body != nil {
		out.Body = op.Body.Content[0].value.Schema.page()
	}
	for _, a := range op.Responses {
		answer := ui.APIAnswer{Status: a.name, Says: a.value.Description}
		if len(a.value.Content) > 0 {
			answer.Media = a.value.Content[0].name
			answer.Kind = a.value.Content[0].value.Schema.kind()
		}
		out.Answers = append(out.Answers, answer)
	}
	return out
}

// page lists the fields of an object.
func (s *schema) page() []ui.APIField {
	var out []ui.APIField
	must := map[string]bool{}
	for _, name := range s.Required {
		must[name] = true
	}
	for _, p := range s.Properties {
		out = append(out, ui.APIField{Name: p.name, Kind: p.value.kind(), Says: p.value.Description, Words: p.value.Enum, Must: must[p.name]})
	}
	return out
}

var docKinds = map[string]string{"string": "texto", "integer": "entero", "number": "número", "boolean": "sí o no", "object": "objeto", "array": "lista", "null": "null"}

// kind names the type of a value and, where it is one of the document's, its
// component.
func (s *schema) kind() ui.APIKind {
	switch t := s.Type.(type) {
	case []string:
		words := make([]string, len(t))
		for i, name := range t {
			words[i] = docKinds[name]
		}
		return ui.APIKind{Word: strings.Join(words, " o ")}
	case string:
		switch {
		case s.Items != nil:
			of := s.Items.kind()
			return ui.APIKind{Word: strings.TrimSpace("lista de " + of.Word), Type: of.Type}
		case s.Values != nil:
			return ui.APIKind{Word: "objeto de " + s.Values.kind().Word}
		}
		return ui.APIKind{Word: docKinds[t]}
	}
	if s.Ref == "" {
		return ui.APIKind{Word: "cualquiera"}
	}
	return ui.APIKind{Type: s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]}
}
