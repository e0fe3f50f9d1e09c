package emulator

import (
	"fmt"
	"slices"
)

// Type is somebody typing text into a cell such as "B5": it is parsed the way the
// keyboard is.
func (b *Book) Type(title, cell, text string) error {
	return b.edit(title, func(s *sheet) error {
		row, col, err := at(s, cell)
		if err != nil {
			return err
		}
		s.set(row, col, enter(s.at(row, col), text, b.e.now().Year()))
		return nil
	})
}

// SetCell puts a native value into a cell such as "B5"; its format stays unless
// the value is a Cell.
func (b *Book) SetCell(title, cell string, v any) error {
	return b.edit(title, func(s *sheet) error {
		row, col, err := at(s, cell)
		if err != nil {
			return err
		}
		if c, ok := v.(Cell); ok {
			s.set(row, col, c)
			return nil
		}
		s.set(row, col, s.at(row, col).value(cellOf(v)))
		return nil
	})
}

// Put writes a native value into the first row whose column key shows id.
func (b *Book) Put(title string, where [2]string, column string, v any) error {
	return b.edit(title, func(s *sheet) error {
		key, err := b.column(s, where[0])
		if err != nil {
			return err
		}
		col, err := b.column(s, column)
		if err != nil {
			return err
		}
		for row := 1; row < len(s.rows); row++ {
			if b.shown(s, row, key).Shown() == where[1] {
				s.set(row, col, s.at(row, col).value(cellOf(v)))
				return nil
			}
		}
		return fmt.Errorf("edit: no row of sheet %q with %s = %q", title, where[0], where[1])
	})
}

// Cell is one cell such as "B5" as it stands now; empty outside of the sheet.
func (b *Book) Cell(title, cell string) Cell {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	s := b.sheet(title)
	if s == nil {
		return Cell{}
	}
	row, col, err := at(s, cell)
	if err != nil {
		return Cell{}
	}
	return b.shown(s, row, col)
}

// line checks that the lines from start (counted from 1) to start+n lie inside of
// the grid.
func line(s *sheet, d dimension, start, n int) error {
	limit := s.height
	if d == byColumn {
		limit = s.width
	}
	if start < 1 || n < 1 || start-1+n > limit {
		return fmt.Errorf("edit: lines %d to %d are outside of sheet %q", start, start+n-1, s.title)
	}
	return nil
}

// InsertRows opens n empty rows above the given one.
func (b *Book) InsertRows(title string, above, n int) error {
	return b.edit(title, func(s *sheet) error {
		if err := line(s, byRow, above, 1); err != nil {
			return err
		}
		b.insertLines(s, byRow, above-1, n)
		return nil
	})
}

// DeleteRows deletes n rows from the given one on.
func (b *Book) DeleteRows(title string, first, n int) error {
	return b.edit(title, func(s *sheet) error {
		if err := line(s, byRow, first, n); err != nil {
			return err
		}
		b.removeLines(s, byRow, first-1, first-1+n)
		return nil
	})
}

// MoveRow drags a row to stand above another.
func (b *Book) MoveRow(title string, row, above int) error {
	return b.edit(title, func(s *sheet) error {
		if err := line(s, byRow, row, 1); err != nil {
			return err
		}
		if above < 1 || above > s.height+1 {
			return fmt.Errorf("edit: no row %d in sheet %q", above, title)
		}
		b.moveLines(s, byRow, [2]int{row - 1, row}, above-1)
		return nil
	})
}

// DuplicateRow inserts a copy of a row below it.
func (b *Book) DuplicateRow(title string, row int) error {
	return b.edit(title, func(s *sheet) error {
		if err := line(s, byRow, row, 1); err != nil {
			return err
		}
		b.insertLines(s, byRow, row, 1)
		for c := range s.width {
			cell := s.at(row-1, c)
			if cell.Formula != "" {
				cell.Formula = carry(cell.Formula, 1)
			}
			s.set(row, c, cell)
		}
		return nil
	})
}

// AppendRow writes native values into the first row below the content; the grid
// grows if it is full.
func (b *Book) AppendRow(title string, values ...any) error {
	return b.edit(title, func(s *sheet) error {
		row := s.used()
		s.height, s.width = max(s.height, row+1), max(s.width, len(values))
		for c, v := range values {
			s.set(row, c, s.at(row, c).value(cellOf(v)))
		}
		return nil
	})
}

// InsertColumn opens an empty column before another and gives it a header, which
// may be empty.
func (b *Book) InsertColumn(title, before, header string) error {
	return b.edit(title, func(s *sheet) error {
		col, err := b.column(s, before)
		if err != nil {
			return err
		}
		b.insertLines(s, byColumn, col, 1)
		s.set(0, col, s.at(0, col).value(cellOf(header)))
		return nil
	})
}

// DeleteColumn deletes a column.
func (b *Book) DeleteColumn(title, column string) error {
	return b.edit(title, func(s *sheet) error {
		col, err := b.column(s, column)
		if err != nil {
			return err
		}
		if s.width == 1 {
			return fmt.Errorf("edit: %q is the only column of sheet %q", column, title)
		}
		b.removeLines(s, byColumn, col, col+1)
		return nil
	})
}

// MoveColumn drags a column to stand before another.
func (b *Book) MoveColumn(title, column, before string) error {
	return b.edit(title, func(s *sheet) error {
		col, err := b.column(s, column)
		if err != nil {
			return err
		}
		dest, err := b.column(s, before)
		if err != nil {
			return err
		}
		b.moveLines(s, byColumn, [2]int{col, col + 1}, dest)
		return nil
	})
}

// SortBy sorts all rows below the header by one column.
func (b *Book) SortBy(title, column string, descending bool) error {
	return b.edit(title, func(s *sheet) error {
		col, err := b.column(s, column)
		if err != nil {
			return err
		}
		if n := s.used(); n > 1 {
			b.sortRows(s, area{row0: 1, row1: n, col0: 0, col1: s.width}, []order{{col: col, down: descending}})
		}
		return nil
	})
}

// SetHeader changes the header of a column; empty clears it.
func (b *Book) SetHeader(title, column, header string) error {
	return b.edit(title, func(s *sheet) error {
		col, err := b.column(s, column)
		if err != nil {
			return err
		}
		s.set(0, col, s.at(0, col).value(cellOf(header)))
		return nil
	})
}

// FormatColumn changes how all cells of a column below the header are shown. A
// number that becomes a date stays the same number.
func (b *Book) FormatColumn(title, column string, f Format, pattern string) error {
	return b.edit(title, func(s *sheet) error {
		col, err := b.column(s, column)
		if err != nil {
			return err
		}
		for row := 1; row < s.height; row++ {
			c := s.at(row, col)
			c.Format, c.Pattern = f, pattern
			s.set(row, col, c)
		}
		return nil
	})
}

// FormatCell changes how one cell such as "B5" is shown.
func (b *Book) FormatCell(title, cell string, f Format, pattern string) error {
	return b.edit(title, func(s *sheet) error {
		row, col, err := at(s, cell)
		if err != nil {
			return err
		}
		c := s.at(row, col)
		c.Format, c.Pattern = f, pattern
		s.set(row, col, c)
		return nil
	})
}

// Resize changes the grid; what no longer fits is lost.
func (b *Book) Resize(title string, rows, cols int) error {
	return b.edit(title, func(s *sheet) error {
		if rows < 1 || cols < 1 {
			return fmt.Errorf("edit: a sheet of %d rows and %d columns", rows, cols)
		}
		s.resize(rows, cols)
		return nil
	})
}

// RenameSheet gives a sheet another title, which must be free.
func (b *Book) RenameSheet(title, to string) error {
	return b.edit(title, func(s *sheet) error {
		if t := b.sheet(to); to == "" || t != nil && t != s {
			return fmt.Errorf("edit: the title %q is taken or empty", to)
		}
		b.rename(s, to)
		return nil
	})
}

// rename lets formulas follow the new title.
func (b *Book) rename(s *sheet, to string) {
	was := s.title
	s.title = to
	b.changes++
	for _, own := range b.sheets {
		for _, row := range own.rows {
			for i := range row {
				row[i].Formula = retitle(row[i].Formula, was, to)
			}
		}
	}
}

// DeleteSheet deletes a sheet; the last one stays.
func (b *Book) DeleteSheet(title string) error {
	return b.edit(title, func(s *sheet) error {
		if len(b.sheets) == 1 {
			return fmt.Errorf("edit: %q is the only sheet", title)
		}
		b.sheets = slices.DeleteFunc(b.sheets, func(t *sheet) bool { return t == s })
		return nil
	})
}
