package emulator

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// open is the end of a range without one: the last row or column of the grid.
const open = -1

// area is a range in A1 notation: zero-based, ends excluded.
type area struct {
	sheet      string // empty: the first sheet
	row0, col0 int
	row1, col1 int // or open
	anchor     bool
}

var (
	cellText  = regexp.MustCompile(`^\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,7})$`)
	sideText  = regexp.MustCompile(`^(?:\$?([A-Za-z]{1,3}))?(?:\$?([1-9][0-9]{0,7}))?$`)
	plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// parseA1 reads "Hoja!A2:C", "'Hoja 1'!B5", "A:C", "2:7" or the bare name of a
// sheet, which is all of it.
func parseA1(s string) (area, error) {
	sheet, cells, err := splitSheet(s)
	if err != nil {
		return area{}, err
	}
	a := area{sheet: sheet, row1: open, col1: open}
	if cells == "" {
		return a, nil
	}
	from, to, ranged := strings.Cut(cells, ":")
	if m := cellText.FindStringSubmatch(from); !ranged && m != nil {
		a.col0, a.row0 = columnOf(m[1]), atoi(m[2])-1
		a.col1, a.row1, a.anchor = a.col0+1, a.row0+1, true
		return a, nil
	}
	m, n := sideText.FindStringSubmatch(from), sideText.FindStringSubmatch(to)
	if !ranged || m == nil || n == nil || from == "" || to == "" {
		return area{}, parseError(s)
	}
	a.col0, a.col1 = ordered(columnOf(m[1]), columnOf(n[1]))
	a.row0, a.row1 = ordered(atoi(m[2])-1, atoi(n[2])-1)
	return a, nil
}

// ordered turns the two sides of a range, either of which may be missing (-1),
// into a start and an excluded end.
func ordered(from, to int) (start, end int) {
	switch {
	case from < 0 && to < 0:
		return 0, open
	case from < 0:
		return 0, to + 1
	case to < 0:
		return from, open
	}
	return min(from, to), max(from, to) + 1
}

// splitSheet separates the name of the sheet, which may be quoted, from the
// cells.
func splitSheet(s string) (sheet, cells string, err error) {
	if strings.HasPrefix(s, "'") {
		for i := 1; i < len(s); i++ {
			if s[i] != '\'' {
				continue
			}
			if i+1 < len(s) && s[i+1] == '\'' {
				i++
				continue
			}
			sheet = strings.ReplaceAll(s[1:i], "''", "'")
			rest := s[i+1:]
			if rest == "" {
				return sheet, "", nil
			}
			if rest[0] != '!' || len(rest) == 1 {
				return "", "", parseError(s)
			}
			return sheet, rest[1:], nil
		}
		return "", "", parseError(s)
	}
	if i := strings.LastIndexByte(s, '!'); i >= 0 {
		if i == 0 || i == len(s)-1 {
			return "", "", parseError(s)
		}
		return s[:i], s[i+1:], nil
	}
	if s == "" {
		return "", "", parseError(s)
	}
	if cellText.MatchString(s) || strings.Contains(s, ":") {
		return "", s, nil
	}
	return s, "", nil
}

func parseError(s string) error { return invalid("Unable to parse range: %s", s) }

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0 // a missing number
	}
	return n
}

// columnOf is the zero-based number of a column; -1 for no letters.
func columnOf(letters string) int {
	n := 0
	for _, r := range strings.ToUpper(letters) {
		n = n*26 + int(r-'A') + 1
	}
	return n - 1
}

// Column is the letters of a zero-based column: 0 is A, 26 is AA.
func Column(n int) string {
	s := ""
	for n++; n > 0; n = (n - 1) / 26 {
		s = string(rune('A'+(n-1)%26)) + s
	}
	return s
}

// quoted is the name of a sheet as it stands in a range.
func quoted(sheet string) string {
	if plainName.MatchString(sheet) {
		return sheet
	}
	return alwaysQuoted(sheet)
}

func alwaysQuoted(sheet string) string { return "'" + strings.ReplaceAll(sheet, "'", "''") + "'" }

// cells is the part behind the exclamation mark, the way the service writes it:
// an open end has no number.
func (a area) cells() string {
	from := Column(a.col0) + strconv.Itoa(a.row0+1)
	switch {
	case a.row1 == open && a.col1 == open:
		return from + ":" + Column(a.col0)
	case a.row1 == open:
		return from + ":" + Column(a.col1-1)
	case a.col1 == open:
		return from + ":" + strconv.Itoa(a.row1)
	case a.row1 == a.row0+1 && a.col1 == a.col0+1:
		return from
	}
	return from + ":" + Column(a.col1-1) + strconv.Itoa(a.row1)
}

// String is the range with its sheet.
func (a area) String() string { return quoted(a.sheet) + "!" + a.cells() }

// fit clips a to the grid of s. A start outside of the grid is the error of the
// service.
func (a area) fit(s *sheet) (area, error) {
	a.sheet = s.title
	if a.row0 >= s.height || a.col0 >= s.width {
		return a, invalid("Range (%s) exceeds grid limits. Max rows: %d, max columns: %d", a, s.height, s.width)
	}
	if a.row1 == open || a.row1 > s.height {
		a.row1 = s.height
	}
	if a.col1 == open || a.col1 > s.width {
		a.col1 = s.width
	}
	return a, nil
}

// hold is the area that a block of rows × cols values goes to: exactly a, except
// that a single cell is only where the block starts. Values that lead outside are
// the error of the service.
func (a area) hold(s *sheet, rows, cols int) (area, error) {
	if a.anchor {
		a.row1, a.col1 = a.row0+max(rows, 1), a.col0+max(cols, 1)
		if a.row1 > s.height || a.col1 > s.width {
			a.sheet = s.title
			return a, invalid("Range (%s) exceeds grid limits. Max rows: %d, max columns: %d", a, s.height, s.width)
		}
	}
	a, err := a.fit(s)
	if err != nil {
		return a, err
	}
	within := fmt.Sprintf("Requested writing within range [%s!%s], but tried writing to", alwaysQuoted(s.title), a.cells())
	if a.row0+rows > a.row1 {
		return a, invalid("%s row [%d]", within, a.row1+1)
	}
	if a.col0+cols > a.col1 {
		return a, invalid("%s column [%s]", within, Column(a.col1))
	}
	return a, nil
}
