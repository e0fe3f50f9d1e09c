package mirror

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

// tab is one worksheet: where it is, its columns as last seen, and what of it
// one reading brought.
type tab struct {
	name string // as the rules call it
	grid google.Tab
	// found is false when the spreadsheet has no such worksheet.
	found  bool
	header table.Header
	texts  []string // of row 1, to see that it changed
}

// page is what one reading brought of a worksheet: its known columns in the
// order of table.Columns, row for row as people count them.
type page struct {
	columns []string
	rows    [][]table.Cell // rows[0] is the header
	skip    int            // rows between the header and rows[1], which were not read; only of Metadata
	texts   []string       // of row 1 at the time
	parts   []piece        // the ranges as they came, foreign columns beside ours included
}

// piece is a range of a reading by position.
type piece struct {
	run
	skip  int // rows before the first one
	cells [][]table.Cell
}

// raw is a cell by position, as far as it was read along.
func (p *page) raw(row, col int) table.Cell {
	for _, x := range p.parts {
		if x.col <= col && col <= x.end {
			if i := row - 1 - x.skip; i >= 0 && i < len(x.cells) && col-x.col < len(x.cells[i]) {
				return x.cells[i][col-x.col]
			}
			return table.Cell{}
		}
	}
	return table.Cell{}
}

// last is the last row that was read, counted as people do.
func (p *page) last() int { return len(p.rows) + p.skip }

// line is a row, counted as people do; nil when it is not there or was not read.
func (p *page) line(row int) []table.Cell {
	if row > 1 {
		row -= p.skip
		if row < 2 {
			return nil
		}
	}
	if row < 1 || row > len(p.rows) {
		return nil
	}
	return p.rows[row-1]
}

// cell is a cell of a row, counted as people do; empty when it is not there.
func (p *page) cell(row int, column string) table.Cell {
	i, line := slices.Index(p.columns, column), p.line(row)
	if i < 0 || i >= len(line) {
		return table.Cell{}
	}
	return line[i]
}

// near is what a page has from a row on, without holding on to the rest.
func (p *page) near(row int) *page {
	cut := min(max(0, row-2-p.skip), len(p.rows)-1)
	out := &page{columns: p.columns, texts: p.texts, skip: p.skip + cut}
	out.rows = append([][]table.Cell{p.rows[0]}, p.rows[1+cut:]...)
	for _, x := range p.parts {
		cut := min(max(0, row-1-x.skip), len(x.cells))
		out.parts = append(out.parts, piece{x.run, x.skip + cut, slices.Clone(x.cells[cut:])})
	}
	return out
}

func (p *page) sheet(name string) table.Sheet { return table.Sheet{Name: name, Rows: p.rows} }

// wish is what a reading shall bring of one worksheet.
type wish struct {
	tab     *tab
	columns []string // those of them that exist are read
	from    int      // first row beside the header; 0 means all
}

// read brings wishes in one call, two when the columns have moved since the last
// one. Every header comes along and is compared before anything is believed.
func (m *Mirror) read(ctx context.Context, wishes []wish) (map[string]*page, error) {
	const tries = 3
	for range tries {
		ranges, parts := m.ranges(wishes)
		got, err := m.sheet.Read(ctx, ranges...)
		if err != nil {
			return nil, err
		}
		moved := false
		for i, w := range wishes {
			moved = w.tab.see(texts(first(got[parts[i].head]))) || moved
		}
		if moved {
			continue
		}
		out := make(map[string]*page, len(wishes))
		for i, w := range wishes {
			out[w.tab.name] = parts[i].assemble(w, got)
		}
		return out, nil
	}
	return nil, fmt.Errorf("the columns moved during %d readings", tries)
}

func first(rows [][]table.Cell) []table.Cell {
	if len(rows) == 0 {
		return nil
	}
	return rows[0]
}

func texts(cells []table.Cell) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = c.String()
	}
	for len(out) > 0 && strings.TrimSpace(out[len(out)-1]) == "" {
		out = out[:len(out)-1]
	}
	return out
}

// see takes a header and reports whether it is another one than before.
func (t *tab) see(now []string) bool {
	if t.texts != nil && slices.Equal(t.texts, now) {
		return false
	}
	cells := make([]table.Cell, len(now))
	for i, s := range now {
		cells[i] = table.TextCell(s)
	}
	t.header, t.texts = table.ReadHeader(cells), now
	return true
}

// part says which ranges of a call belong to a wish.
type part struct {
	head int
	runs []run
}

// run is a group of neighbouring columns read as one range.
type run struct {
	at       int // index of the range
	col, end int // columns, both included
}

// joinGap is how many foreign columns between two of ours are read along
// rather than making a range of their own.
const joinGap = 2

func (m *Mirror) ranges(wishes []wish) (ranges []string, parts []part) {
	for _, w := range wishes {
		title := "'" + strings.ReplaceAll(w.tab.grid.Title, "'", "''") + "'"
		p := part{head: len(ranges)}
		ranges = append(ranges, title+"!1:1")
		var cols []int
		for _, c := range w.columns {
			if i, ok := w.tab.header.Col(c); ok {
				cols = append(cols, i)
			}
		}
		slices.Sort(cols)
		for _, c := range cols {
			if n := len(p.runs); n > 0 && c <= p.runs[n-1].end+1+joinGap {
				p.runs[n-1].end = c
				continue
			}
			p.runs = append(p.runs, run{col: c, end: c})
		}
		p.runs = widened(p.runs, w.tab.grid.Cols)
		for i := range p.runs {
			p.runs[i].at = len(ranges)
			ranges = append(ranges, google.A1(w.tab.grid.Title, max(1, w.from), p.runs[i].col, 0, p.runs[i].end))
		}
		parts = append(parts, p)
	}
	return ranges, parts
}

// beside is how many columns next to ours are read along: what is in them can be
// put back if they move under a write.
const beside = 2

func widened(runs []run, width int) []run {
	var out []run
	for _, r := range runs {
		r.col, r.end = max(0, r.col-beside), max(r.end, min(r.end+beside, width-1))
		if n := len(out); n > 0 && r.col <= out[n-1].end+1 {
			out[n-1].end = r.end
			continue
		}
		out = append(out, r)
	}
	return out
}

// assemble puts the ranges of a wish together.
func (p part) assemble(w wish, got [][][]table.Cell) *page {
	out := &page{}
	for _, c := range w.columns {
		if _, ok := w.tab.header.Col(c); ok {
			out.columns = append(out.columns, c)
		}
	}
	out.texts = w.tab.texts
	head := make([]table.Cell, len(out.columns))
	for k, c := range out.columns {
		head[k] = table.TextCell(c)
	}
	above := max(1, w.from) - 1 // rows above the first one of the ranges
	out.skip = max(0, above-1)
	longest := 1
	for _, r := range p.runs {
		out.parts = append(out.parts, piece{r, above, got[r.at]})
		longest = max(longest, above-out.skip+len(got[r.at]))
	}
	out.rows = make([][]table.Cell, longest)
	out.rows[0] = head
	for k, c := range out.columns {
		col, _ := w.tab.header.Col(c)
		i := slices.IndexFunc(p.runs, func(r run) bool { return r.col <= col && col <= r.end })
		for row, cells := range got[p.runs[i].at] {
			at := row + above - out.skip
			if at == 0 || col-p.runs[i].col >= len(cells) {
				continue
			}
			if out.rows[at] == nil {
				out.rows[at] = make([]table.Cell, len(out.columns))
			}
			out.rows[at][k] = cells[col-p.runs[i].col]
		}
	}
	return out
}

// locate reads the layout and finds the worksheets in it.
func (m *Mirror) locate(ctx context.Context) error {
	l, err := m.sheet.Layout(ctx)
	if err != nil {
		return err
	}
	if err := m.belongs(ctx, l.Stamp); err != nil {
		return err
	}
	for _, t := range m.tabs {
		was := t.grid.ID
		t.found = false
		for _, g := range l.Tabs {
			if plant.FoldKey(g.Title) == plant.FoldKey(m.o.title(t.name)) {
				t.grid, t.found = g, true
				break
			}
		}
		if t.grid.ID != was || t.grid.Cols < len(t.texts) { // columns beyond the grid cannot be asked for
			t.texts, t.header = nil, table.Header{}
		}
	}
	m.located = true
	return nil
}

// foreignEnv is the reason of an error about a spreadsheet of another environment.
const foreignEnv = "another environment"

// belongs checks whose spreadsheet it is; one that is nobody's becomes ours,
// unless nothing may be written to it.
func (m *Mirror) belongs(ctx context.Context, stamp string) error {
	switch {
	case m.o.Env == "" || stamp == m.o.Env:
		return nil
	case stamp != "":
		return &google.Error{Class: google.Stop, Op: "spreadsheets.get", Reason: foreignEnv, Err: errors.New(stamp)}
	case m.o.Old:
		return nil
	}
	err := m.sheet.Stamp(ctx, m.o.Env, false)
	if google.ClassOf(err) == google.Refused { // a service without metadata: nothing is lost but the check
		m.log.Warn("the sheet takes no stamp", "err", err)
		return nil
	}
	return err
}

// lacking says what is wrong with the header of a worksheet: columns that must be
// there and are not, or that are there twice.
func (t *tab) lacking(critical []string) (missing, twice []string) {
	missing = t.header.Missing(critical)
	for _, r := range t.header.Twice {
		for _, c := range critical {
			if table.Normalize(c) == table.Normalize(r.Text) {
				twice = append(twice, c)
			}
		}
	}
	return missing, twice
}
