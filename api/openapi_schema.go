package api

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// schema is the part of JSON Schema that our types need.
type schema struct {
	Ref         string           `json:"$ref,omitempty"`
	Type        any              `json:"type,omitempty"` // a name, or a list of them
	Format      string           `json:"format,omitempty"`
	Description string           `json:"description,omitempty"`
	Enum        []string         `json:"enum,omitempty"`
	Minimum     *int             `json:"minimum,omitempty"`
	MinItems    *int             `json:"minItems,omitempty"`
	MaxItems    *int             `json:"maxItems,omitempty"`
	MinLength   *int             `json:"minLength,omitempty"`
	MaxLength   *int             `json:"maxLength,omitempty"`
	Items       *schema          `json:"items,omitempty"`
	Properties  ordered[*schema] `json:"properties,omitzero"`
	Required    []string         `json:"required,omitempty"`
	Values      *schema          `json:"additionalProperties,omitempty"` // of a map
	OneOf       []*schema        `json:"oneOf,omitempty"`
}

// generator turns Go types into schemas; named types become components.
type generator struct {
	names   map[string]reflect.Type
	schemas ordered[*schema]
}

var (
	typeRaw    = reflect.TypeFor[json.RawMessage]()
	typeNumber = reflect.TypeFor[json.Number]()
	typeInches = reflect.TypeFor[Inches]()
)

// of is the schema of a type as encoding/json writes it.
func (g *generator) of(t reflect.Type) *schema {
	zero := 0
	switch {
	case t == typeRaw || t.Kind() == reflect.Interface:
		return &schema{}
	case t == typeNumber || t == typeInches:
		return &schema{Type: "number"}
	}
	switch t.Kind() {
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.Float64:
		return &schema{Type: "number"}
	case reflect.Uint64:
		return &schema{Type: "integer", Format: "int64", Minimum: &zero}
	case reflect.Int64:
		return &schema{Type: "integer", Format: "int64"}
	case reflect.Int, reflect.Int32, reflect.Uint32:
		return &schema{Type: "integer"}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return &schema{Type: "string", Format: "byte"}
		}
		return &schema{Type: "array", Items: g.of(t.Elem())}
	case reflect.Map:
		return &schema{Type: "object", Values: g.of(t.Elem())}
	case reflect.Pointer:
		return orNullSchema(g.of(t.Elem()))
	case reflect.Struct:
		return g.named(t)
	}
	panic("api: the document cannot show " + t.String()) // a test makes the document
}

// orNullSchema also admits null. A component is never null in our answers.
func orNullSchema(s *schema) *schema {
	if name, ok := s.Type.(string); ok {
		s.Type = []string{name, "null"}
	}
	return s
}

// named makes a component of a struct and refers to it.
func (g *generator) named(t reflect.Type) *schema {
	name := componentName(t.Name())
	if known, ok := g.names[name]; ok && known != t {
		panic("api: two types would be called " + name + ": " + known.String() + " and " + t.String())
	} else if !ok {
		g.names[name] = t
		s := &schema{Type: "object"}
		g.fields(s, t)
		g.schemas.set(name, s)
	}
	return &schema{Ref: "#/components/schemas/" + name}
}

// componentName is a type's name for readers: spoolJSON is Spool.
func componentName(name string) string {
	r := []rune(strings.TrimSuffix(name, "JSON"))
	r[0] = unicode.ToUpper(r[0])
	return string(r)
}

// fields adds what a struct has; embedded structs come first and are covered by
// what stands beside them.
func (g *generator) fields(s *schema, t reflect.Type) {
	for f := range t.Fields() {
		if f.Anonymous {
			g.fields(s, f.Type)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" || !f.IsExported() {
			continue
		}
		ft, optional := f.Type, strings.Contains(options, "omitempty")
		if optional && ft.Kind() == reflect.Pointer {
			ft = ft.Elem() // absent instead of null
		}
		p := g.of(ft)
		if about := fieldSays[name]; about != "" && p.Ref == "" {
			p.Description = about
		}
		if t == reflect.TypeFor[errorBody]() && name == "data" {
			p.Type = []string{"object", "null"}
		}
		s.Properties.set(name, p)
		if !optional && !slices.Contains(s.Required, name) {
			s.Required = append(s.Required, name)
		}
	}
}

// body is the schema of what a route reads. Required is what the body's own
// check misses in an empty one.
func (g *generator) body(r *route) *schema {
	whole := &schema{Type: "object"}
	g.fields(whole, reflect.TypeOf(r.body).Elem())
	reads := strings.Fields(r.reads)
	s := &schema{Type: "object"}
	for _, m := range whole.Properties {
		if len(reads) == 0 || slices.Contains(reads, m.name) {
			s.Properties.set(m.name, limited(m.name, m.value))
		}
	}
	for _, name := range reads {
		if _, ok := s.Properties.get(name); !ok {
			panic("api: " + r.at + " reads " + name + ", which its body does not have")
		}
	}
	var k checker
	r.body.check(&k)
	for _, f := range k.faults {
		if name := f.Loc[len(f.Loc)-1]; f.Type == "missing" && name != r.either {
			s.Required = append(s.Required, name)
		}
	}
	return s
}

// limited is a field of a body with what its check allows. Absent is better
// than null, though null is taken for absent.
func limited(name string, s *schema) *schema {
	if kinds, ok := s.Type.([]string); ok {
		s.Type = kinds[0]
	}
	least := func(n int) *int { return &n }
	switch name {
	case "operacion":
		s.Enum = opWords
	case "resultado":
		s.Enum = []string{"APROBADO", "RECHAZADO"}
	case "action_override":
		s.Enum = []string{"PAUSAR", "COMPLETAR"}
	case "worker_id", "worker_destino":
		s.Minimum = least(1)
	case "tag_spool", "worker_nombre":
		s.MinLength = least(1)
	case "texto":
		s.MinLength, s.MaxLength = least(1), least(maxNote)
	case "tag_spools":
		s.MinItems, s.MaxItems = least(1), least(maxBatch)
	case "tags":
		s.MinItems, s.MaxItems = least(1), least(maxStatus)
	case "unions":
		s.MinItems, s.MaxItems = least(1), least(maxFormUnions)
	case "events":
		s.MinItems, s.MaxItems = least(1), least(maxAudit)
	}
	return s
}

// fieldSays explains what names do not, once for all types.
var fieldSays = map[string]string{
	"tag_spool":            "TAG del spool.",
	"tag_spools":           "TAG de 1 a 50 spools, cada uno una vez.",
	"worker_id":            "Número del trabajador.",
	"worker_nombre":        "Nombre como AB(12). En un pedido no cuenta: vale la lista de la planta.",
	"worker_destino":       "Número de quien recibe.",
	"pin":                  "PIN, de 4 a 12 dígitos. En los actos, el de worker_id: solo si esa persona tiene uno.",
	"pin_destino":          "PIN de worker_destino, solo si esa persona tiene uno.",
	"tiene_pin":            "Los actos en su nombre llevan su PIN; falta si no tiene.",
	"operacion":            "ARM, SOLD, METROLOGIA o REPARACION.",
	"fecha_operacion":      "AAAA-MM-DD o DD-MM-AAAA; hoy si falta.",
	"resultado":            "APROBADO o RECHAZADO.",
	"motivo":               "Por qué.",
	"uniones":              "Números de unión.",
	"version":              "Revisión del spool. En un pedido: la que el cliente vio; otra se rechaza con VERSION_CONFLICT.",
	"seq":                  "Número del evento.",
	"prev":                 "Número del evento anterior del canal.",
	"epoch":                "Nombre de esta historia de eventos; cambia al restaurar.",
	"estado_detalle":       "El estado en palabras.",
	"fecha_ocupacion":      "Desde cuándo lo tiene alguien.",
	"selected_unions":      "Uniones elegidas, como OT+N o TAG+N.",
	"action_override":      "PAUSAR o COMPLETAR, sin contar uniones.",
	"action_taken":         "Lo que resultó: COMPLETAR, PAUSAR o CANCELADO.",
	"pulgadas":             "Pulgadas-diámetro.",
	"metrologia_triggered": "El spool pasó a la cola de metrología.",
	"error":                "Código estable.",
	"message":              "Una frase para personas.",
	"data":                 "Los hechos del rechazo.",
	"next":                 "after de la página siguiente; null en la última.",
	"event_type":           "Qué pasó; puede ganar palabras.",
	"type":                 "La palabra de los clientes antiguos: TOMAR, PAUSAR, COMPLETAR o STATE_CHANGE.",
	"dn_union":             "Diámetro en pulgadas.",
	"tipo_union":           "Tipo de la unión.",
}
