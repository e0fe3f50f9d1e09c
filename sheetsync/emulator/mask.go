package emulator

import (
	"encoding/json"
	"strings"
)

// mask is a set of fields as in the fields parameter: "sheets.properties(sheetId,
// title),properties.title" or "*". A field without fields below it means all of
// it.
type mask map[string]mask

func parseMask(text string) mask {
	p := maskParser{text: strings.ReplaceAll(text, " ", "")}
	return p.list()
}

type maskParser struct {
	text string
	pos  int
}

func (p *maskParser) list() mask {
	m := mask{}
	for p.pos < len(p.text) {
		p.field(m)
		if p.pos >= len(p.text) || p.text[p.pos] != ',' {
			return m
		}
		p.pos++
	}
	return m
}

// field reads one name and what is below it, into m.
func (p *maskParser) field(m mask) {
	start := p.pos
	for p.pos < len(p.text) && !strings.ContainsRune(",./()", rune(p.text[p.pos])) {
		p.pos++
	}
	name := p.text[start:p.pos]
	if name == "" {
		p.pos++
		return
	}
	if m[name] == nil {
		m[name] = mask{}
	}
	if p.pos >= len(p.text) {
		return
	}
	switch p.text[p.pos] {
	case '.', '/':
		p.pos++
		p.field(m[name])
	case '(':
		p.pos++
		for k, v := range p.list() {
			m[name][k] = v
		}
		if p.pos < len(p.text) && p.text[p.pos] == ')' {
			p.pos++
		}
	}
}

// has reports whether a field or a part of it is named. An empty mask names all.
func (m mask) has(name string) bool {
	_, all := m["*"]
	_, named := m[name]
	return len(m) == 0 || all || named
}

// under is the mask of what is below a field.
func (m mask) under(name string) mask { return m[name] }

// filter is the answer with only the fields that the parameter names.
func filter(answer any, fields string) (any, error) {
	if fields == "" {
		return answer, nil
	}
	if a, ok := answer.(*batchAnswer); ok && fields == "valueRanges(range,values)" {
		return a.onlyValues(), nil // what the sync asks for all the time
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	return parseMask(fields).pick(v), nil
}

// onlyValues is the answer without anything but ranges and values.
func (a *batchAnswer) onlyValues() any {
	type part struct {
		Range  string  `json:"range"`
		Values [][]any `json:"values,omitempty"`
	}
	parts := make([]part, len(a.ValueRanges))
	for i, r := range a.ValueRanges {
		parts[i] = part{r.Range, r.Values}
	}
	return map[string]any{"valueRanges": parts}
}

func (m mask) pick(v any) any {
	if _, all := m["*"]; all || len(m) == 0 {
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, inner := range v {
			if below, ok := m[k]; ok {
				out[k] = below.pick(inner)
			}
		}
		return out
	case []any:
		for i := range v {
			v[i] = m.pick(v[i])
		}
		return v
	}
	return v
}
