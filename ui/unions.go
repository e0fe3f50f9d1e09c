package ui

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"envivo/plant"
)

// MaxUnions is how many unions the form holds (rules §11.6).
const MaxUnions = 20

// UnionForm is the form that edits a spool's unions, as it is or as it was
// filled in.
type UnionForm struct {
	Tag       plant.Tag
	Version   string
	CommandID string
	Count     int
	Rows      []UnionRow
	Types     []string
	// Said is why what was sent was not saved.
	Said string
	// Deleting are the unions that wait for a second word.
	Deleting []int
}

// UnionRow is one line of it. Worked ones are shown and not touched.
type UnionRow struct {
	N        int
	DN, Tipo string
	Old      *plant.Union
	Delete   bool
}

func (r UnionRow) worked() bool { return r.Old != nil && r.Old.Worked() }
func (r UnionRow) empty() bool  { return r.DN == "" && r.Tipo == "" }

// usualDN are the diameters that have a tile, in inches as marked on the steel.
var usualDN = [...]plant.Inches{50, 75, 100, 150, 200, 300, 400, 600, 800, 1000, 1200}

// NewUnionForm shows the unions a spool has, and empty lines up to count.
func NewUnionForm(s *plant.Spool, r plant.Rules, count int) *UnionForm {
	f := &UnionForm{Tag: s.Tag, Version: strconv.FormatUint(s.Version, 10), Count: len(s.Unions)}
	last := 0
	byN := map[int]*plant.Union{}
	types := map[string]bool{"FW": true}
	for t := range r.Welded {
		types[t] = true
	}
	for i := range s.Unions {
		u := &s.Unions[i]
		byN[u.N], last = u, max(last, u.N)
		types[u.Tipo] = true
	}
	delete(types, "")
	f.Types = slices.Sorted(maps.Keys(types))
	f.Count = min(max(count, f.Count), max(MaxUnions, f.Count))
	missing := f.Count - len(s.Unions)
	for n := 1; n <= last || missing > 0; n++ {
		u := byN[n]
		if u == nil && missing <= 0 {
			continue
		}
		row := UnionRow{N: n, Old: u}
		if u == nil {
			missing--
		} else {
			row.DN, row.Tipo = strings.TrimSuffix(DN(u.DN), `"`), u.Tipo
		}
		f.Rows = append(f.Rows, row)
	}
	return f
}

// Edits are the unions as the form asks for them, complete. A line that is
// wholly empty is left for later; said is what is wrong with one that is not.
func (f *UnionForm) Edits() (edits []plant.Union, said string) {
	for _, r := range f.Rows {
		switch {
		case r.worked():
			edits = append(edits, *r.Old)
			continue
		case r.Delete, r.Old == nil && r.empty():
			continue
		case r.Tipo == "":
			return nil, fmt.Sprintf("Falta el tipo de la unión %d.", r.N)
		}
		dn, ok := ParseDN(r.DN)
		switch {
		case r.Old != nil && r.DN == strings.TrimSuffix(DN(r.Old.DN), `"`):
			dn = r.Old.DN // as it was, finer than the form writes it
		case !ok:
			return nil, fmt.Sprintf("El diámetro de la unión %d no se entiende: usa pulgadas, como 2 o 1½.", r.N)
		}
		edits = append(edits, plant.Union{N: r.N, DN: dn, Tipo: r.Tipo})
	}
	slices.SortFunc(edits, func(a, b plant.Union) int { return cmp.Compare(a.N, b.N) })
	return edits, ""
}

// Deleted are the numbers of the lines to delete.
func (f *UnionForm) Deleted() []int {
	var out []int
	for _, r := range f.Rows {
		if r.Delete && !r.worked() && r.Old != nil {
			out = append(out, r.N)
		}
	}
	return out
}

// ParseDN reads inches as people write them: 2, 1½, 1,5, 3/4, with or without
// the mark of inches.
func ParseDN(s string) (plant.Inches, bool) {
	s = strings.TrimSpace(strings.TrimRight(strings.TrimSpace(s), `"”`))
	for value, glyph := range fractions {
		plain := map[plant.Inches]string{25: "1/4", 50: "1/2", 75: "3/4"}[value]
		for _, part := range []string{glyph, plain} {
			whole, ok := strings.CutSuffix(s, part)
			if whole = strings.TrimSpace(whole); !ok {
				continue
			}
			if whole == "" {
				return value, true
			}
			n, err := strconv.Atoi(whole)
			return plant.Inches(n*100) + value, err == nil && n > 0 && n <= 50
		}
	}
	f, err := strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64)
	if err != nil || !(f > 0 && f <= 50) {
		return 0, false
	}
	return plant.Inches(f*100 + .5), true
}

func deletingText(numbers []int) string {
	if len(numbers) == 1 {
		return fmt.Sprintf("Vas a borrar la unión %d. Eso no se puede deshacer.", numbers[0])
	}
	return fmt.Sprintf("Vas a borrar las uniones %s. Eso no se puede deshacer.", Enumerate(numbers))
}
