package emulator

import (
	"cmp"
	"slices"
	"strings"
)

// maxCells is how many cells a file may have.
const maxCells = 10_000_000

// sheet is one worksheet. Rows are as long as they need to be; the grid says how
// far they may reach. Guarded by the emulator's mutex.
type sheet struct {
	id            int64
	title         string
	height, width int
	frozen        int
	rows          [][]Cell
}

func (s *sheet) at(row, col int) Cell {
	if row >= len(s.rows) || col >= len(s.rows[row]) {
		return Cell{}
	}
	return s.rows[row][col]
}

// set stores c inside of the grid.
func (s *sheet) set(row, col int, c Cell) {
	if c == (Cell{}) && (row >= len(s.rows) || col >= len(s.rows[row])) {
		return
	}
	for row >= len(s.rows) {
		s.rows = append(s.rows, nil)
	}
	for col >= len(s.rows[row]) {
		s.rows[row] = append(s.rows[row], Cell{})
	}
	s.rows[row][col] = c
}

func (s *sheet) clone() *sheet {
	out := *s
	out.rows = make([][]Cell, len(s.rows))
	for i, row := range s.rows {
		out.rows[i] = slices.Clone(row)
	}
	return &out
}

// used is how many rows hold anything that a read would see.
func (s *sheet) used() int {
	for r := len(s.rows) - 1; r >= 0; r-- {
		if slices.ContainsFunc(s.rows[r], func(c Cell) bool { return !c.blank() }) {
			return r + 1
		}
	}
	return 0
}

// insert opens n empty rows or columns before at. They take the formats of the
// line that stood there; at the end, of the line before.
func (s *sheet) insert(d dimension, at, n int) {
	if d == byRow {
		like := min(at, s.height-1)
		s.height += n
		if at > len(s.rows) {
			return
		}
		var formats []Cell
		if like < len(s.rows) {
			formats = formatsOf(s.rows[like])
		}
		for range n {
			s.rows = slices.Insert(s.rows, at, slices.Clone(formats))
		}
		return
	}
	like := min(at, s.width-1)
	s.width += n
	for r, row := range s.rows {
		if at > len(row) {
			continue
		}
		blank := Cell{}
		if like < len(row) {
			blank = formatsOf(row[like : like+1])[0]
		}
		s.rows[r] = slices.Insert(row, at, slices.Repeat([]Cell{blank}, n)...)
	}
}

func formatsOf(row []Cell) []Cell {
	out := make([]Cell, len(row))
	for i, c := range row {
		out[i] = Cell{Format: c.Format, Pattern: c.Pattern}
	}
	return out
}

// remove takes rows or columns from start to end, excluded, out of the grid.
func (s *sheet) remove(d dimension, start, end int) {
	if d == byRow {
		s.height -= end - start
		if start < len(s.rows) {
			s.rows = slices.Delete(s.rows, start, min(end, len(s.rows)))
		}
		return
	}
	s.width -= end - start
	for r, row := range s.rows {
		if start < len(row) {
			s.rows[r] = slices.Delete(row, start, min(end, len(row)))
		}
	}
}

// resize changes the grid; what no longer fits is lost.
func (s *sheet) resize(height, width int) {
	s.height, s.width = height, width
	s.rows = s.rows[:min(len(s.rows), height)]
	for r, row := range s.rows {
		s.rows[r] = row[:min(len(row), width)]
	}
}

// move puts the lines start to end before the line dest, counted as they stand
// before the move.
func (s *sheet) move(d dimension, start, end, dest int) {
	if dest > end {
		dest -= end - start
	} else if dest > start {
		dest = start
	}
	if d == byRow {
		s.rows = moved(pad(s.rows, s.height), start, end, dest)
		return
	}
	for r, row := range s.rows {
		s.rows[r] = moved(pad(row, s.width), start, end, dest)
	}
}

func pad[T any](list []T, n int) []T {
	if len(list) >= n {
		return list
	}
	return append(list, make([]T, n-len(list))...)
}

func moved[T any](list []T, start, end, dest int) []T {
	block := slices.Clone(list[start:end])
	return slices.Insert(slices.Delete(list, start, end), dest, block...)
}

// order is one key of a sort.
type order struct {
	col  int
	down bool
}

// sort puts the rows of a in the order of keys and answers where each came from.
// Only the columns of a move. Empty cells go last, whichever way.
func (s *sheet) sort(a area, keys []order, value func(row, col int) Cell) []int {
	from := make([]int, a.row1-a.row0)
	held := map[[2]int]Cell{}
	for i := range from {
		from[i] = a.row0 + i
		for _, k := range keys {
			held[[2]int{from[i], k.col}] = value(from[i], k.col)
		}
	}
	slices.SortStableFunc(from, func(x, y int) int {
		for _, k := range keys {
			if d := compare(held[[2]int{x, k.col}], held[[2]int{y, k.col}], k.down); d != 0 {
				return d
			}
		}
		return 0
	})
	before := s.clone()
	for i, r := range from {
		for c := a.col0; c < a.col1; c++ {
			s.set(a.row0+i, c, before.at(r, c))
		}
	}
	return from
}

// compare orders numbers before texts before booleans before errors, and nothing
// after everything.
func compare(x, y Cell, down bool) int {
	if x.Kind == Empty || y.Kind == Empty {
		return cmp.Compare(rank(x.Kind), rank(y.Kind))
	}
	d := cmp.Or(cmp.Compare(rank(x.Kind), rank(y.Kind)), cmp.Compare(x.Num, y.Num),
		strings.Compare(strings.ToLower(x.Text), strings.ToLower(y.Text)))
	if down {
		return -d
	}
	return d
}

func rank(k Kind) int {
	return map[Kind]int{Number: 0, Text: 1, Bool: 2, ErrorValue: 3, Empty: 4}[k]
}
