package emulator

import (
	"fmt"
	"slices"
	"strings"
)

// Book is one spreadsheet. Its methods are what people in the office do in the
// editor, and may be called at any time, between two requests or during one that
// is held up; each is one edit, seen whole or not at all. Rows and columns in
// arguments count from 1 as the editor shows them; columns are given by letter or
// by the text of their header in row 1.
type Book struct {
	e     *Emulator
	id    string
	title string

	// The rest is guarded by e.mu.
	sheets    []*sheet
	lastID    int64
	metadata  []metadata // of the whole file
	changes   uint64     // grows with every change of a cell
	counted   map[string]map[string]int
	countedAt uint64
}

// ID is the identifier of the spreadsheet.
func (b *Book) ID() string { return b.id }

// sheet is the worksheet of a title, which does not distinguish case; nil if
// there is none.
func (b *Book) sheet(title string) *sheet {
	for _, s := range b.sheets {
		if strings.EqualFold(s.title, title) {
			return s
		}
	}
	return nil
}

func (b *Book) byID(id int64) *sheet {
	for _, s := range b.sheets {
		if s.id == id {
			return s
		}
	}
	return nil
}

func (b *Book) add(title string, height, width int) *sheet {
	s := &sheet{id: b.lastID, title: title, height: height, width: width}
	b.lastID++
	b.sheets = append(b.sheets, s)
	return s
}

// cells counts the cells of all grids.
func (b *Book) cells() int {
	n := 0
	for _, s := range b.sheets {
		n += s.height * s.width
	}
	return n
}

// shiftLines moves references everywhere after lines of s went elsewhere.
func (b *Book) shiftLines(s *sheet, d dimension, to shift) {
	b.changes++
	for _, own := range b.sheets {
		for _, row := range own.rows {
			for i := range row {
				if row[i].Formula != "" {
					row[i].Formula = relocate(row[i].Formula, own, s, d, to)
				}
			}
		}
	}
}

func (b *Book) insertLines(s *sheet, d dimension, at, n int) {
	s.insert(d, at, n)
	b.shiftLines(s, d, inserted(at, n))
}

func (b *Book) removeLines(s *sheet, d dimension, start, end int) {
	s.remove(d, start, end)
	b.shiftLines(s, d, removed(start, end))
}

func (b *Book) moveLines(s *sheet, d dimension, block [2]int, dest int) {
	s.move(d, block[0], block[1], dest)
	b.shiftLines(s, d, carried(block[0], block[1], dest))
}

// sortRows sorts and lets formulas follow their rows.
func (b *Book) sortRows(s *sheet, a area, keys []order) {
	from := s.sort(a, keys, func(row, col int) Cell { return b.shown(s, row, col) })
	b.changes++
	for i, was := range from {
		row := a.row0 + i
		for c := a.col0; c < a.col1; c++ {
			if cell := s.at(row, c); cell.Formula != "" {
				cell.Formula = carry(cell.Formula, row-was)
				s.set(row, c, cell)
			}
		}
	}
}

// edit runs one edit of a person under the lock. An unknown sheet is an error.
func (b *Book) edit(title string, f func(*sheet) error) error {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	s := b.sheet(title)
	if s == nil {
		return fmt.Errorf("edit: no sheet named %q", title)
	}
	b.changes++
	return f(s)
}

// column is the zero-based number of a column named by header or by letter.
func (b *Book) column(s *sheet, name string) (int, error) {
	for c := range s.width {
		if h := b.shown(s, 0, c); h.Kind == Text && h.Text == name {
			return c, nil
		}
	}
	if n := columnOf(name); sideText.MatchString(name) && n >= 0 && n < s.width {
		return n, nil
	}
	return 0, fmt.Errorf("edit: no column %q in sheet %q", name, s.title)
}

// Fill makes a sheet of exactly these rows, or replaces the content of an
// existing one, whose grid grows if it must. Values are nil, string (text,
// whatever it looks like), bool, int, float64, time.Time or Cell.
func (b *Book) Fill(title string, rows [][]any) {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	width := 1
	for _, row := range rows {
		width = max(width, len(row))
	}
	s := b.sheet(title)
	if s == nil {
		s = b.add(title, max(1, len(rows)), width)
	}
	s.rows = nil
	s.height, s.width = max(s.height, len(rows)), max(s.width, width)
	for r, row := range rows {
		for c, v := range row {
			s.set(r, c, cellOf(v))
		}
	}
	b.changes++
}

// Dump is a copy of a sheet, formulas with their present value. Trailing cells
// without value and format are left out, and so are such rows. It is false if
// there is no such sheet.
func (b *Book) Dump(title string) ([][]Cell, bool) {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	s := b.sheet(title)
	if s == nil {
		return nil, false
	}
	out := make([][]Cell, len(s.rows))
	last := 0
	for r, row := range s.rows {
		width := len(row)
		for width > 0 && row[width-1] == (Cell{}) {
			width--
		}
		out[r] = make([]Cell, width)
		for c := range out[r] {
			out[r][c] = b.shown(s, r, c)
		}
		if width > 0 {
			last = r + 1
		}
	}
	return out[:last], true
}

// Sheets are the titles of the worksheets, in order.
func (b *Book) Sheets() []string {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	var titles []string
	for _, s := range b.sheets {
		titles = append(titles, s.title)
	}
	return titles
}

// Grid is the size of a sheet; zero if there is no such sheet.
func (b *Book) Grid(title string) (rows, cols int) {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	if s := b.sheet(title); s != nil {
		return s.height, s.width
	}
	return 0, 0
}

// copy is a deep copy under another identifier.
func (b *Book) copy(id, title string) *Book {
	out := &Book{e: b.e, id: id, title: title, lastID: b.lastID, metadata: slices.Clone(b.metadata), changes: 1}
	for _, s := range b.sheets {
		out.sheets = append(out.sheets, s.clone())
	}
	return out
}

// at is the cell of a one-cell range such as B5.
func at(s *sheet, cell string) (row, col int, err error) {
	a, err := parseA1(cell)
	if err != nil || !a.anchor {
		return 0, 0, fmt.Errorf("edit: %q is not a cell", cell)
	}
	if a.row0 >= s.height || a.col0 >= s.width {
		return 0, 0, fmt.Errorf("edit: %s is outside of sheet %q", cell, s.title)
	}
	return a.row0, a.col0, nil
}

// remake puts saved sheets back after a request that failed half way.
func (b *Book) remake(saved []*sheet, lastID int64) {
	b.sheets, b.lastID = slices.Clone(saved), lastID
	b.changes++
}
