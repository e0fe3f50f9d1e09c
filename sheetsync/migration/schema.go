package migration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"envivo/plant"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// added are the columns of v3.0, in the order in which they are appended.
func added() []string { return []string{"Ocupado_Por", "Fecha_Ocupacion", "version", "Estado_Detalle"} }

// counters are columns that only sheets of v4 and v5 have. Those of v5 may do
// without a version.
func counters() []string {
	return []string{"Total_Uniones", "Uniones_ARM_Completadas", "Uniones_SOLD_Completadas", "Pulgadas_ARM", "Pulgadas_SOLD"}
}

// before are the columns of a worksheet that must be there and be unmistakable
// before a migration may begin.
func before(sheet string) []string {
	if sheet == table.Uniones { // v2.1 knew none
		return nil
	}
	return slices.DeleteFunc(table.Critical(sheet, false), func(c string) bool { return slices.Contains(added(), c) })
}

// places are the columns that a header may mean: those that say it as a whole or,
// if there are none, those that say it before a slash (rules §2.7).
func places(head []table.Cell, name string) []int {
	var whole, part []int
	key := table.Normalize(name)
	for i, c := range head {
		text := c.String()
		first, _, slash := strings.Cut(text, "/")
		switch {
		case table.Normalize(text) == key:
			whole = append(whole, i)
		case slash && table.Normalize(first) == key:
			part = append(part, i)
		}
	}
	if len(whole) > 0 {
		return whole
	}
	return part
}

// lastUsed is how many columns a row reaches to.
func lastUsed(row []table.Cell) int {
	for i := len(row); i > 0; i-- {
		if !row[i-1].Blank() {
			return i
		}
	}
	return 0
}

// view is the shape of the spreadsheet: its worksheets and their first rows.
type view struct {
	names  Names
	layout google.Layout
	tabs   map[string]google.Tab   // by our name
	head   map[string][]table.Cell // by our name
	twice  map[string][]string     // titles that could be one of ours, where that is not clear
}

func (v *view) tab(sheet string) google.Tab { return v.tabs[sheet] }

// look reads the shape, in two calls.
func look(ctx context.Context, o Options) (*view, error) {
	v := &view{names: o.Names, tabs: map[string]google.Tab{}, head: map[string][]table.Cell{}, twice: map[string][]string{}}
	var err error
	if v.layout, err = o.Sheet.Layout(ctx); err != nil {
		return nil, fmt.Errorf("read the layout of the sheet: %w", err)
	}
	var ranges, sheets []string
	for _, name := range table.SheetNames() {
		if v.settle(name) {
			t := v.tabs[name]
			ranges, sheets = append(ranges, google.A1(t.Title, 1, 0, 1, t.Cols-1)), append(sheets, name)
		}
	}
	if len(ranges) == 0 {
		return v, nil
	}
	rows, err := o.Sheet.Read(ctx, ranges...)
	if err != nil {
		return nil, fmt.Errorf("read the headers of the sheet: %w", err)
	}
	for i, name := range sheets {
		if len(rows[i]) > 0 {
			v.head[name] = rows[i][0]
		}
	}
	return v, nil
}

// settle finds the worksheet of a name: by its exact title, else the only one that
// reads the same.
func (v *view) settle(name string) bool {
	title := v.names.of(name)
	var alike []google.Tab
	for _, t := range v.layout.Tabs {
		if t.Title == title {
			v.tabs[name] = t
			return true
		}
		if plant.FoldKey(t.Title) == plant.FoldKey(title) {
			alike = append(alike, t)
		}
	}
	if len(alike) == 1 {
		v.tabs[name] = alike[0]
		return true
	}
	for _, t := range alike {
		v.twice[name] = append(v.twice[name], t.Title)
	}
	return false
}

// has reports whether Operaciones has a column.
func (v *view) has(column string) bool {
	return len(places(v.head[table.Operaciones], column)) > 0
}

// lacking are the columns of v3.0 to be added. A sheet of v4 or v5 that has all
// but the version lacks nothing (rules §2.2).
func (v *view) lacking() []string {
	var out []string
	for _, c := range added() {
		if !v.has(c) {
			out = append(out, c)
		}
	}
	if len(out) == 1 && out[0] == "version" && slices.ContainsFunc(counters(), v.has) {
		return nil
	}
	return out
}

// generation is which shape the spreadsheet has.
func (v *view) generation() string {
	missing := v.lacking()
	switch {
	case len(missing) == len(added()):
		return "v2.1"
	case len(missing) > 0:
		return "v3.0 incompleta"
	case slices.ContainsFunc(counters(), v.has):
		return "v4 o v5"
	}
	return "v3.0"
}

// Gap is a worksheet or a header that is missing or that there is more than one of.
type Gap struct {
	Sheet string `json:"sheet"` // the title people see
	// Column is the header; empty when it is about the whole worksheet.
	Column string `json:"column,omitempty"`
	// Where are the columns, by letter, or the titles, that compete; empty when
	// there is none.
	Where []string `json:"where,omitempty"`
	// Migration adds it: it need not be there before.
	Migration bool `json:"added_by_migration,omitempty"`
}

// String is the gap for a person.
func (g Gap) String() string {
	switch {
	case g.Column == "" && len(g.Where) == 0:
		return fmt.Sprintf("falta la hoja %s", g.Sheet)
	case g.Column == "":
		return fmt.Sprintf("no está claro cuál es la hoja %s: %s", g.Sheet, quoted(g.Where))
	case len(g.Where) == 0:
		return fmt.Sprintf("%s: falta la columna %s en la fila 1", g.Sheet, g.Column)
	}
	return fmt.Sprintf("%s: el encabezado %s está repetido en las columnas %s", g.Sheet, g.Column, quoted(g.Where))
}

// gaps are all worksheets and headers that are missing, and those that are
// ambiguous. Only those of before and of v3.0 count.
func (v *view) gaps() (missing, ambiguous []Gap) {
	lacking := v.lacking()
	for _, name := range table.SheetNames() {
		title := v.names.of(name)
		t, ok := v.tabs[name]
		switch {
		case len(v.twice[name]) > 0:
			ambiguous = append(ambiguous, Gap{Sheet: title, Where: v.twice[name]})
			continue
		case !ok && before(name) != nil:
			missing = append(missing, Gap{Sheet: title})
			continue
		case !ok:
			continue
		}
		columns := before(name)
		if name == table.Operaciones {
			columns = append(columns, added()...)
		}
		for _, c := range columns {
			at := places(v.head[name], c)
			ours := name == table.Operaciones && slices.Contains(added(), c)
			switch {
			case len(at) > 1:
				ambiguous = append(ambiguous, Gap{Sheet: t.Title, Column: c, Where: letters(at)})
			case len(at) == 0 && (!ours || slices.Contains(lacking, c)):
				missing = append(missing, Gap{Sheet: t.Title, Column: c, Migration: ours})
			}
		}
	}
	return missing, ambiguous
}

func letters(at []int) []string {
	out := make([]string, len(at))
	for i, c := range at {
		out[i] = table.Letters(c)
	}
	return out
}

// refusal is why the spreadsheet cannot be migrated as it is; nil if it can.
func (v *view) refusal() error {
	missing, ambiguous := v.gaps()
	var why []string
	for _, g := range append(missing, ambiguous...) {
		if !g.Migration {
			why = append(why, g.String())
		}
	}
	if len(why) == 0 {
		return nil
	}
	return refuse("La planilla no se puede migrar así: %s.", strings.Join(why, "; "))
}

// Findings are what a check of the spreadsheet found.
type Findings struct {
	Title      string `json:"title"`
	Generation string `json:"generation"`
	// Needed: a migration has to be run; Add are the columns it would add.
	Needed bool     `json:"migration_needed"`
	Add    []string `json:"columns_to_add,omitempty"`
	// Missing and Ambiguous are all gaps; those that are not Gap.Migration must be
	// put right by the office first.
	Missing   []Gap `json:"missing,omitempty"`
	Ambiguous []Gap `json:"ambiguous,omitempty"`
	// Unfinished says that a migration or a rollback was cut off.
	Unfinished string `json:"unfinished,omitempty"`
	// Text is all that for a person.
	Text string `json:"text"`
}

// OK reports that the spreadsheet can be worked with as it is.
func (f *Findings) OK() bool {
	return !f.Needed && len(f.Missing) == 0 && len(f.Ambiguous) == 0 && f.Unfinished == ""
}

// Check says which worksheets and headers are missing or ambiguous and whether a
// migration is needed. It only reads, in two calls. The error is about not finding
// out; what was found is no error.
func Check(ctx context.Context, o Options) (*Findings, error) {
	v, err := look(ctx, o)
	if err != nil {
		return nil, err
	}
	f := &Findings{Title: v.layout.Title, Generation: v.generation(), Add: v.lacking()}
	f.Missing, f.Ambiguous = v.gaps()
	f.Needed = len(f.Add) > 0
	if o.Dir != "" {
		s := &session{o: o, dir: folder(o.Dir)}
		err := s.recall()
		var no *Refusal
		switch {
		case errors.As(err, &no):
			f.Unfinished = no.Reason
		case err != nil:
			return nil, err
		case s.rec != nil:
			f.Unfinished = "Hay una migración a medias; repita `envivo sheet migrate` para terminarla."
		}
	}
	f.Text = f.text()
	return f, nil
}

func (f *Findings) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Planilla %q: %s.\n", f.Title, f.Generation)
	office := false
	for _, g := range slices.Concat(f.Missing, f.Ambiguous) {
		fmt.Fprintf(&b, "  %s\n", g)
		office = office || !g.Migration
	}
	if f.Unfinished != "" {
		fmt.Fprintln(&b, f.Unfinished)
	}
	switch {
	case office:
		b.WriteString("La oficina debe corregir los encabezados antes de seguir; no se adivina ninguna columna por su posición.\n")
	case f.Needed && f.Unfinished == "":
		fmt.Fprintf(&b, "Falta migrarla: `envivo sheet migrate` agrega %s al final de Operaciones.\n", quoted(f.Add))
	case f.OK():
		b.WriteString("Está completa: no hay nada que migrar.\n")
	}
	return b.String()
}
