package mirror

import (
	"math"
	"slices"
	"strings"

	"envivo/plant"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// owned are the columns of Operaciones that are written (rules §2.2), in the
// order of table.Columns. Total_Uniones is the office's formula.
var owned = []string{"Fecha_Armado", "Armador", "Fecha_Soldadura", "Soldador", "Fecha_QC_Metrología", "Ocupado_Por", "Fecha_Ocupacion",
	"version", "Estado_Detalle", "Uniones_ARM_Completadas", "Uniones_SOLD_Completadas", "Pulgadas_ARM", "Pulgadas_SOLD", "Notas"}

// counters are written unless the office fills them by formula (rules §2.8.13).
var counters = owned[9:13]

const estadoColumn, notasColumn, versionColumn, tagColumn = "Estado_Detalle", "Notas", "version", "TAG_SPOOL"

// rowLane remembers what the last cycle wrote, to see in the next where it went.
type rowLane struct {
	last    []sentRow
	sent    map[plant.Seq]bool // pending events whose cells were written, not yet seen
	missing []plant.Tag
	tokens  map[plant.Tag]string // the version token that was last seen to be right in a row
	cells   map[string]bool      // TAG and column of cells that hold a formula
	asked   []string             // header when formulas were last asked for
	suspect bool                 // cells somebody changed may hold formulas
	looked  map[string]bool      // TAG, column and text of changed cells that hold none
}

// sentRow is what was written into one row.
type sentRow struct {
	row   int
	tag   plant.Tag
	cells map[string]any // by column
}

// change is one cell that shall be written.
type change struct {
	row    int
	column string
	value  any
}

// rowPlan is what one reading of Operaciones asks for.
type rowPlan struct {
	changes []change
	tags    map[int]plant.Tag // of the rows with changes
	right   map[plant.Tag]bool
	at      map[plant.Tag]int // row of every spool
	// astray are values that the last cycle wrote and that are not where they
	// belong, by column.
	astray map[string][]any
	moved  map[int]bool         // rows the last cycle wrote for a spool that does not have it
	strays bool                 // something went astray and is put right
	texts  map[plant.Tag]string // notes the office has changed
	opened []plant.Command      // blocked spools that were opened by hand
	edits  map[plant.Tag]*proposal
	bad    []table.Finding
}

// planRows compares every row with the store.
func (m *Mirror) planRows(c *cycle) *rowPlan {
	p := c.pages[table.Operaciones]
	plan := &rowPlan{tags: map[int]plant.Tag{}, right: map[plant.Tag]bool{}, at: map[plant.Tag]int{}, astray: map[string][]any{}, moved: map[int]bool{},
		texts: map[plant.Tag]string{}, edits: map[plant.Tag]*proposal{}}
	for row := 2; row <= len(p.rows); row++ {
		tag, _ := table.Label(p.cell(row, tagColumn))
		if tag == "" {
			continue
		}
		if r, ok := c.snap.Row(plant.Tag(tag)); ok && plan.at[r.Spool.Tag] == 0 {
			plan.at[r.Spool.Tag] = row
		}
	}
	m.findAstray(p, plan)
	parked := m.parkedTags()
	var missing []plant.Tag
	for r := range c.snap.Rows() {
		row := plan.at[r.Spool.Tag]
		if row == 0 {
			missing = append(missing, r.Spool.Tag)
			continue
		}
		m.planRow(c, &rowView{page: p, row: row, spool: r.Spool, ours: c.more || c.waiting[r.Spool.Tag] || parked[r.Spool.Tag] || m.toRestore(r.Spool.Tag)}, plan)
	}
	m.cleanStrays(c, p, plan)
	if plan.strays {
		m.note(c.now, "Operaciones: unas filas se movieron durante una escritura; lo que cayó en otra fila se repuso.")
	}
	m.rows.missing, m.rows.last = missing, nil
	return plan
}

// rowView is one row beside its spool.
type rowView struct {
	page  *page
	row   int
	spool *plant.Spool
	ours  bool // differences are ours to write, whatever stands there
}

// difference is one owned cell that is not what the store says.
type difference struct {
	column     string
	have, want table.Cell
	means      bool // both mean the same
	unreadable bool
}

func (m *Mirror) planRow(c *cycle, v *rowView, plan *rowPlan) {
	sp := v.spool
	var diffs []difference
	want := table.SpoolCells(sp, c.snap.Rules())
	all := table.Columns(table.Operaciones)
	for _, column := range owned {
		if !slices.Contains(v.page.columns, column) || m.formulas[column] || m.rows.cells[string(sp.Tag)+"\x00"+column] {
			continue
		}
		have, cell := v.page.cell(v.row, column), want[slices.Index(all, column)]
		if column == notasColumn {
			cell = table.TextCell(mergeNotes(have.String(), sp.Notas))
			if !v.ours && have.String() != sp.Notas && cell.String() == have.String() {
				plan.texts[sp.Tag] = have.String()
			}
		}
		if identical(have, cell) {
			if column == versionColumn {
				m.rows.tokens[sp.Tag] = have.Text
			}
			continue
		}
		d := difference{column: column, have: have, want: cell}
		d.means, d.unreadable = sameMeaning(column, have, cell)
		if d.unreadable && slices.Contains(sp.Damaged, column) && !c.worked(sp.Tag) {
			plan.bad = append(plan.bad, finding(v, d, "la celda no se pudo leer al importar; no se toca hasta que se corrija o el spool avance"))
			continue
		}
		diffs = append(diffs, d)
	}
	if !v.ours && len(plan.astray) == 0 && m.strange(c, sp.Tag, diffs) {
		m.rows.suspect = true
		delete(plan.texts, sp.Tag)
		m.again(c.now)
		return
	}
	if !v.ours {
		diffs = m.judgeEdits(c, v, diffs, plan)
	} else if m.landed(v, diffs) {
		diffs = openedSince(v, diffs, plan)
	}
	if len(diffs) == 0 {
		plan.right[sp.Tag] = true
		m.restored(sp.Tag)
		return
	}
	plan.tags[v.row] = sp.Tag
	for _, d := range diffs {
		plan.changes = append(plan.changes, change{v.row, d.column, table.Value(d.want)})
	}
}

// worked reports whether somebody on the floor did something to the spool that
// the Sheet does not know yet.
func (c *cycle) worked(tag plant.Tag) bool {
	return slices.ContainsFunc(c.pending, func(e plant.Event) bool { return e.Tag == tag && e.Kind != plant.KindImportar })
}

func finding(v *rowView, d difference, reason string) table.Finding {
	return table.Finding{Sheet: table.Operaciones, Row: v.row, Column: d.column, Value: d.have.String(), Reason: reason, Action: table.Quarantined}
}

// identical reports whether a cell holds exactly what would be written: type and
// value, dates to the second.
func identical(have, want table.Cell) bool {
	if have.Kind == table.Empty || want.Kind == table.Empty {
		return have.Kind == want.Kind || have.Kind == table.Text && have.Text == ""
	}
	if have.Kind != want.Kind {
		return false
	}
	if have.Kind == table.Text {
		return have.Text == want.Text
	}
	return math.Abs(have.Num-want.Num) < 0.4/86400
}

// sameMeaning reports whether two cells say the same in different forms, and
// whether the first one cannot be read at all.
func sameMeaning(column string, have, want table.Cell) (means, unreadable bool) {
	switch column {
	case "Fecha_Armado", "Fecha_Soldadura", "Fecha_QC_Metrología":
		return decoded(table.Date, have, want)
	case "Fecha_Ocupacion":
		return decoded(table.Time, have, want)
	case "Armador", "Soldador":
		return decoded(table.Worker, have, want)
	case "Ocupado_Por":
		return decoded(table.Occupant, have, want)
	case estadoColumn:
		a, p := table.Label(have)
		b, _ := table.Label(want)
		return plant.ParseEstadoDetalle(a) == plant.ParseEstadoDetalle(b) && (a == "") == (b == ""), p.Bad()
	}
	return have.String() == want.String(), false
}

func decoded[T comparable](read func(table.Cell) (T, table.Problem), have, want table.Cell) (same, unreadable bool) {
	a, p := read(have)
	b, _ := read(want)
	return !p.Bad() && a == b, p.Bad()
}

// findAstray looks for what the last cycle wrote. Where a spool's row does not
// hold it, the row moved between the reading and the write, and another row got
// the values; they are known by their column and value.
func (m *Mirror) findAstray(p *page, plan *rowPlan) {
	for _, s := range m.rows.last {
		there, lost := plan.at[s.tag], false
		for column, v := range s.cells {
			lost = lost || !identical(p.cell(there, column), cellOf(v))
		}
		if !lost {
			continue
		}
		plan.moved[s.row] = true
		for column, v := range s.cells {
			plan.astray[column] = append(plan.astray[column], v)
		}
	}
}

func cellOf(v any) table.Cell {
	switch v := v.(type) {
	case string:
		return table.TextCell(v)
	case float64:
		return table.NumberCell(v)
	case bool:
		return table.BoolCell(v)
	}
	return table.Cell{}
}

// gotAstray reports whether a cell holds a value that was meant for another row.
func (plan *rowPlan) gotAstray(column string, have table.Cell) bool {
	return slices.ContainsFunc(plan.astray[column], func(v any) bool { return identical(have, cellOf(v)) })
}

// cleanStrays empties what was written into a row that belongs to no spool of the
// store: an empty line somebody opened, or one the office has just begun.
func (m *Mirror) cleanStrays(c *cycle, p *page, plan *rowPlan) {
	for _, s := range m.rows.last {
		if !plan.moved[s.row] {
			continue
		}
		tag, _ := table.Label(p.cell(s.row, tagColumn))
		if _, known := c.snap.Row(plant.Tag(tag)); tag != "" && known {
			continue
		}
		for column, v := range s.cells {
			if v != "" && identical(p.cell(s.row, column), cellOf(v)) {
				plan.changes = append(plan.changes, change{s.row, column, ""})
				plan.strays = true
			}
		}
	}
}

// blocks are the changes as rectangles: one per run of neighbouring cells of a
// row. Cells in between that are not ours are left alone.
func blocks(t *tab, changes []change) []google.Block {
	byRow := map[int][]change{}
	for _, ch := range changes {
		byRow[ch.row] = append(byRow[ch.row], ch)
	}
	var out []google.Block
	for _, row := range sortedKeys(byRow) {
		out = append(out, rowBlocks(t, row, byRow[row])...)
	}
	return out
}

func rowBlocks(t *tab, row int, changes []change) []google.Block {
	at := map[int]any{}
	for _, ch := range changes {
		if col, ok := t.header.Col(ch.column); ok {
			at[col] = ch.value
		}
	}
	var out []google.Block
	cols := sortedKeys(at)
	for i := 0; i < len(cols); {
		end := i
		for end+1 < len(cols) && cols[end+1] <= cols[end]+1+joinGap {
			end++
		}
		line := make([]any, cols[end]-cols[i]+1)
		for _, col := range cols[i : end+1] {
			line[col-cols[i]] = at[col]
		}
		out = append(out, google.Block{Range: google.A1(t.grid.Title, row, cols[i], row, cols[end]), Rows: [][]any{line}})
		i = end + 1
	}
	return out
}

func sortedKeys[V any](m map[int]V) []int {
	out := make([]int, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// mergeNotes is the office's text with every dated entry of ours that it lacks
// below it (rules §11.9): neither side's words are lost.
func mergeNotes(cell, ours string) string {
	if cell == ours {
		return ours
	}
	has := map[string]int{}
	for line := range strings.Lines(cell) {
		has[strings.TrimSpace(line)]++
	}
	out := strings.TrimRight(cell, "\n")
	for line := range strings.Lines(ours) {
		entry := strings.TrimSpace(line)
		if has[entry]--; dated(entry) && has[entry] < 0 { // the same may have been said twice
			if out != "" {
				out += "\n"
			}
			out += entry
		}
	}
	return out
}

// dated reports whether a line is an entry of ours: YYYYMMDD: text.
func dated(line string) bool {
	if len(line) < 10 || line[8] != ':' {
		return false
	}
	return strings.Trim(line[:8], "0123456789") == ""
}

// parkedTags are the spools with parked events: their cells are ours to write as
// soon as there is a row again.
func (m *Mirror) parkedTags() map[plant.Tag]bool {
	out := map[plant.Tag]bool{}
	for _, p := range m.plant.Parked() {
		out[p.Tag] = true
	}
	return out
}

func (m *Mirror) toRestore(tag plant.Tag) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.restore[tag]
}

// restored says that a row has our values again.
func (m *Mirror) restored(tag plant.Tag) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.restore, tag)
}

// rowsPerCall bounds one write.
const rowsPerCall = 800

// chunk is part of the changes, whole rows, with the rows' spools.
func (plan *rowPlan) chunk(from int) []change {
	rows := map[int]bool{}
	for i := from; i < len(plan.changes); i++ {
		rows[plan.changes[i].row] = true
		if len(rows) > rowsPerCall {
			return plan.changes[from:i]
		}
	}
	return plan.changes[from:]
}

// wrote remembers a successful write until the next reading has looked at it.
func (m *Mirror) wrote(plan *rowPlan, changes []change, c *cycle) {
	byRow := map[int]map[string]any{}
	for _, ch := range changes {
		if byRow[ch.row] == nil {
			byRow[ch.row] = map[string]any{}
		}
		byRow[ch.row][ch.column] = ch.value
	}
	tags := map[plant.Tag]bool{}
	for row, cells := range byRow {
		if tag, ok := plan.tags[row]; ok {
			m.rows.last = append(m.rows.last, sentRow{row, tag, cells})
			if token, ok := cells[versionColumn].(string); ok {
				m.rows.tokens[tag] = token
			}
			tags[tag] = true
			m.restored(tag)
		}
	}
	for _, e := range c.pending {
		if tags[e.Tag] || plan.right[e.Tag] {
			m.rows.sent[e.Seq] = true
		}
	}
}
