package mirror

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// A column that somebody inserts, deletes or drags between our reading and our
// write shifts what is written by one column: a foreign cell gets our value. The
// service knows no conditional write, so the next cycle looks: where the headers
// are not those the write was made for, the cells that were written are read again,
// and every foreign one that holds our value gets back what the reading before the
// write had seen there. Formulas are taken from the nearest row that has them.

// written is one cell of a write, by position.
type written struct {
	row, col int // row counts from 1, col from 0
	value    any
}

// memory is a write and what the reading before it saw of a worksheet.
type memory struct {
	page   *page
	writes []written
}

// remember notes what is about to be written to a worksheet. The outcome may be
// unknown afterwards, so it is noted before. Of the log, which grows for ever, only
// the rows near the write are kept: until the Sheet answers again that may be long.
func (m *Mirror) remember(c *cycle, name string, writes []written) {
	p := c.pages[name]
	if p == nil || len(writes) == 0 {
		return
	}
	if name == table.Metadata {
		p = p.near(writes[0].row - trailLook)
	}
	m.memories[name] = append(m.memories[name], memory{p, writes})
}

// places are changes by position.
func places(t *tab, changes []change) []written {
	out := make([]written, 0, len(changes))
	for _, ch := range changes {
		if col, ok := t.header.Col(ch.column); ok {
			out = append(out, written{ch.row, col, ch.value})
		}
	}
	return out
}

// logPlaces are the cells of rows of Metadata by position.
func logPlaces(b google.Block, at, low int) []written {
	var out []written
	for i, line := range b.Rows {
		for k, v := range line {
			if v != nil {
				out = append(out, written{at + i, low + k, v})
			}
		}
	}
	return out
}

// oursAt reports whether a column at a position is written by us.
func oursAt(t *tab, col int) bool {
	columns := owned
	switch t.name {
	case table.Uniones:
		columns = append(slices.Clone(unionOwned), unionForm...)
	case table.Metadata:
		columns = table.Columns(table.Metadata)
	}
	return slices.ContainsFunc(columns, func(c string) bool { i, ok := t.header.Col(c); return ok && i == col })
}

// putBack looks after the last cycle's writes where columns have moved since.
func (m *Mirror) putBack(ctx context.Context, c *cycle) error {
	for name, all := range m.memories {
		t := m.tab(name)
		if c.pages[name] == nil && t.found {
			continue // not read in this cycle: later
		}
		for len(all) > 0 && t.found {
			if err := m.putBackOne(ctx, c, t, all[0]); err != nil {
				m.memories[name] = all
				return err
			}
			all = all[1:]
		}
		delete(m.memories, name)
	}
	return nil
}

func (m *Mirror) putBackOne(ctx context.Context, c *cycle, t *tab, was memory) error {
	if slices.Equal(was.page.texts, t.texts) {
		return nil
	}
	var cols []int
	for _, w := range was.writes {
		if !oursAt(t, w.col) && !slices.Contains(cols, w.col) && w.col < t.grid.Cols {
			cols = append(cols, w.col)
		}
	}
	if len(cols) == 0 {
		return nil
	}
	var ranges []string
	for _, col := range cols {
		ranges = append(ranges, google.A1(t.grid.Title, 1, col, 0, col))
	}
	got, err := m.sheet.Formulas(ctx, ranges...)
	if err != nil {
		return m.unread(err)
	}
	r := &rescue{t: t, was: was.page, now: c.pages[t.name]}
	for i, col := range cols {
		r.column(col, got[i], was.writes)
	}
	if len(r.values)+len(r.formulas) == 0 {
		return nil
	}
	if len(r.values) > 0 {
		if err := m.sheet.Write(ctx, r.values...); err != nil {
			return m.unread(err)
		}
	}
	if err := m.sheet.Enter(ctx, r.formulas...); err != nil {
		return m.unread(err)
	}
	m.note(c.now, fmt.Sprintf("%s: una columna se movió durante una escritura; %d celda(s) ajena(s) se repusieron como estaban.", t.name, len(r.values)+len(r.formulas)))
	return nil
}

// Enter writes through the pace.
func (p paced) Enter(ctx context.Context, blocks ...google.Block) error {
	if len(blocks) > 0 && !p.may() {
		return errPaced
	}
	return p.Sheet.Enter(ctx, blocks...)
}

// rescue collects what goes back into foreign cells.
type rescue struct {
	t        *tab
	was, now *page
	values   []google.Block
	formulas []google.Block
}

// column compares one foreign column with what was written to its position. Rows
// may have moved as well; a value is then looked for in the whole column.
func (r *rescue) column(col int, cells [][]table.Cell, writes []written) {
	at := func(row int) table.Cell {
		if row < 1 || row > len(cells) || len(cells[row-1]) == 0 {
			return table.Cell{}
		}
		return cells[row-1][0]
	}
	hit := map[int]bool{}
	for _, w := range writes {
		if w.col != col {
			continue
		}
		if v := cellOf(w.value); identical(at(w.row), v) {
			hit[w.row] = true
		} else if v.Kind != table.Empty {
			for row := r.was.skip + 2; row <= len(cells); row++ { // of rows above nobody knows what was there
				if identical(at(row), v) && !identical(r.before(row, col), v) {
					hit[row] = true
				}
			}
		}
	}
	formula := mostlyFormulas(cells, hit)
	for _, row := range sortedKeys(hit) {
		spot := google.A1(r.t.grid.Title, row, col, row, col)
		old := r.before(row, col)
		switch {
		case formula && r.origin(row) > 0:
			r.formulas = append(r.formulas, google.Block{Range: spot, Rows: [][]any{{nearestFormula(cells, hit, row)}}})
		case !identical(old, at(row)):
			r.values = append(r.values, google.Block{Range: spot, Rows: [][]any{{table.Value(old)}}})
		}
	}
}

// before is what the reading before the write saw in the cell that is now in a row
// and column: the same row by its key, the same column by its header. Columns that
// were not there then were empty.
func (r *rescue) before(row, col int) table.Cell {
	text := ""
	if col < len(r.t.texts) {
		text = r.t.texts[col]
	}
	old := slices.Index(r.was.texts, text)
	if old < 0 || text == "" {
		return table.Cell{}
	}
	if row = r.origin(row); row == 0 {
		return table.Cell{}
	}
	return r.was.raw(row, old)
}

// origin is where a row was before; 0 when it is new. A row whose key was itself
// overwritten is taken for the one that stood there, unless that is elsewhere now.
func (r *rescue) origin(row int) int {
	key, there := r.key(r.now, row), r.key(r.was, row)
	if key == there && key != "" {
		return row
	}
	if old := r.find(r.was, key); old > 0 && key != "" {
		return old
	}
	if there == "" || r.find(r.now, there) > 0 {
		return 0
	}
	return row
}

func (r *rescue) find(p *page, key string) int {
	for i := p.skip + 2; i <= p.last(); i++ {
		if r.key(p, i) == key {
			return i
		}
	}
	return 0
}

// key tells rows apart.
func (r *rescue) key(p *page, row int) string {
	switch r.t.name {
	case table.Uniones:
		return p.cell(row, tagColumn).String() + "\x00" + p.cell(row, "N_UNION").String()
	case table.Metadata:
		return p.cell(row, "ID").String()
	}
	return p.cell(row, tagColumn).String()
}

func mostlyFormulas(cells [][]table.Cell, hit map[int]bool) bool {
	formulas, others := 0, 0
	for i, line := range cells {
		if i == 0 || hit[i+1] || len(line) == 0 || line[0].Blank() {
			continue
		}
		if strings.HasPrefix(line[0].Text, "=") {
			formulas++
		} else {
			others++
		}
	}
	return formulas > others
}

// nearestFormula is the formula of the nearest row that has one, carried to a row.
func nearestFormula(cells [][]table.Cell, hit map[int]bool, row int) string {
	for d := 1; d < len(cells); d++ {
		for _, from := range []int{row - d, row + d} {
			if from < 2 || from > len(cells) || hit[from] || len(cells[from-1]) == 0 {
				continue
			}
			if f := cells[from-1][0].Text; strings.HasPrefix(f, "=") {
				return carried(f, row-from)
			}
		}
	}
	return ""
}

var reference = regexp.MustCompile(`("[^"]*"|'[^']*')|(\$?[A-Za-z]{1,3})(\d+)\b`)

// carried is a formula copied some rows further: relative rows move along.
func carried(formula string, by int) string {
	return reference.ReplaceAllStringFunc(formula, func(s string) string {
		part := reference.FindStringSubmatch(s)
		n, err := strconv.Atoi(part[3])
		if part[1] != "" || err != nil || n+by < 1 {
			return s
		}
		return part[2] + strconv.Itoa(n+by)
	})
}
