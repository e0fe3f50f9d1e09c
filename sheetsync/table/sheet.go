package table

import (
	"slices"

	"envivo/plant"
)

// The worksheets of rules §2.1.
const (
	Operaciones  = "Operaciones"
	Trabajadores = "Trabajadores"
	Roles        = "Roles"
	Uniones      = "Uniones"
	Metadata     = "Metadata"
)

// SheetNames lists the worksheets in the order in which they are written.
func SheetNames() []string { return []string{Operaciones, Trabajadores, Roles, Uniones, Metadata} }

// Sheet is one worksheet as it was read or is to be written. Rows[0] is the
// header, which people call row 1; rows may be shorter than the header.
type Sheet struct {
	Name string
	Rows [][]Cell
	// Findings are what the reader of the file had to say.
	Findings []Finding
}

// Book is the worksheets of one workbook, folder or spreadsheet.
type Book struct {
	Sheets []Sheet
	// Record is the code of the plant's record that an export contains; it stands
	// beside the worksheets (a property of the workbook, Registro.txt in a folder),
	// where no import reads it.
	Record string
}

// Sheet finds a worksheet by name as people compare names. A missing one is
// empty: it changes nothing.
func (b Book) Sheet(name string) Sheet {
	for _, s := range b.Sheets {
		if plant.FoldKey(s.Name) == plant.FoldKey(name) {
			return s
		}
	}
	return Sheet{Name: name}
}

// Empty reports whether the worksheet has no rows below its header.
func (s Sheet) Empty() bool {
	for i := 1; i < len(s.Rows); i++ {
		if !blankRow(s.Rows[i]) {
			return false
		}
	}
	return true
}

func blankRow(row []Cell) bool {
	for _, c := range row {
		if !c.Blank() {
			return false
		}
	}
	return true
}

// rows is a worksheet whose columns have been found.
type rows struct {
	sheet    Sheet
	header   Header
	findings []Finding
}

// row is one row on its way to becoming something of the plant.
type row struct {
	rs    *rows
	n     int // as people count, the header being 1
	cells []Cell
	// worst is the gravest thing found in the row so far.
	worst Action
	bad   []string // columns in quarantine
}

// cell is the row's cell in a named column; empty beyond the row's end and for
// columns that do not exist.
func (r *row) cell(column string) Cell {
	i, ok := r.rs.header.Col(column)
	if !ok || i >= len(r.cells) {
		return Cell{}
	}
	return r.cells[i]
}

// report keeps a problem of one cell; nothing happens when there was none.
func (r *row) report(column string, p Problem) {
	if p.OK() {
		return
	}
	r.find(p.finding(r.rs.sheet.Name, r.n, column, r.cell(column)))
	if p.Bad() {
		r.bad = append(r.bad, column)
	}
}

// unread are those of the columns whose cell could not be read or which the
// worksheet does not have.
func (r *row) unread(columns ...string) []string {
	var out []string
	for _, c := range columns {
		if _, ok := r.rs.header.Col(c); !ok || slices.Contains(r.bad, c) {
			out = append(out, c)
		}
	}
	return out
}

// reject puts the whole row aside because of one column.
func (r *row) reject(column, reason string) {
	r.find(bad(reason).finding(r.rs.sheet.Name, r.n, column, r.cell(column)))
}

func (r *row) find(f Finding) {
	r.rs.findings = append(r.rs.findings, f)
	r.worst = worse(r.worst, f.Action)
}

// worse is the graver of two actions.
func worse(a, b Action) Action {
	rank := func(x Action) int {
		switch x {
		case Quarantined:
			return 2
		case Repaired:
			return 1
		}
		return 0
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// get decodes one column of a row and reports what was wrong with it.
func get[T any](r *row, column string, decode func(Cell) (T, Problem)) T {
	v, p := decode(r.cell(column))
	r.report(column, p)
	return v
}

// Outcome is what became of one row of a worksheet.
type Outcome struct {
	Row    int
	Action Action // "" when the row was fine
}
