package table

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Normalize is the form in which headers are compared: decomposed, without
// marks, lower case, without blanks, '_' and '/' (rules §2.7).
func Normalize(header string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || unicode.IsSpace(r) || unicode.IsControl(r) || r == '_' || r == '/' || r == '\ufeff' || r == '\u200b' {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(header))
}

// Header says where each column of a worksheet is.
type Header struct {
	at map[string]int
	// Twice are the headers that occur again further right; the first counts.
	Twice []Repeat
}

// Repeat is a header that occurs a second time.
type Repeat struct {
	Text string
	Col  int
}

// ReadHeader finds the columns of a header row. A header with a slash is known
// as a whole and by the part before the slash.
func ReadHeader(cells []Cell) Header {
	h := Header{at: make(map[string]int, len(cells))}
	for i, c := range cells {
		text := clean(c.String())
		key := Normalize(text)
		if key == "" {
			continue
		}
		if _, ok := h.at[key]; ok {
			h.Twice = append(h.Twice, Repeat{text, i})
			continue
		}
		h.at[key] = i
	}
	// Whole headers come first: "TAG_SPOOL / CODIGO" gives way to a column that
	// is called TAG_SPOOL and nothing else.
	for i, c := range cells {
		if before, _, ok := strings.Cut(clean(c.String()), "/"); ok {
			if key := Normalize(before); key != "" {
				if _, taken := h.at[key]; !taken {
					h.at[key] = i
				}
			}
		}
	}
	return h
}

// Col is the position of a column, counted from 0.
func (h Header) Col(name string) (int, bool) {
	i, ok := h.at[Normalize(name)]
	return i, ok
}

// Missing lists those of names that the header does not have.
func (h Header) Missing(names []string) []string {
	var out []string
	for _, n := range names {
		if _, ok := h.Col(n); !ok {
			out = append(out, n)
		}
	}
	return out
}

// MissingColumnsError refuses a worksheet without columns that must be there:
// nothing is guessed by position.
type MissingColumnsError struct {
	Sheet   string
	Columns []string
}

func (e *MissingColumnsError) Error() string {
	return fmt.Sprintf("%s: faltan columnas en la fila 1: %s", e.Sheet, strings.Join(e.Columns, ", "))
}

// open finds the columns of a worksheet, required ones among them.
func open(s Sheet, name string, required, expected []string) (*rows, error) {
	s.Name = name
	rs := &rows{sheet: s, findings: append([]Finding(nil), s.Findings...)}
	for i := range rs.findings {
		rs.findings[i].Sheet = name
	}
	if len(s.Rows) == 0 {
		return rs, nil
	}
	rs.header = ReadHeader(s.Rows[0])
	if len(s.Rows) == 1 && len(rs.header.at) == 0 {
		return rs, nil
	}
	if missing := rs.header.Missing(required); len(missing) > 0 {
		return nil, &MissingColumnsError{Sheet: name, Columns: missing}
	}
	ours := make(map[string]bool)
	for _, c := range Columns(name) {
		ours[Normalize(c)] = true
	}
	for _, r := range rs.header.Twice {
		if ours[Normalize(r.Text)] {
			rs.findings = append(rs.findings, Finding{Sheet: name, Row: 1, Column: r.Text, Value: columnLetters(r.Col), Reason: headerTwice, Action: Noted})
		}
	}
	for _, c := range rs.header.Missing(expected) {
		rs.findings = append(rs.findings, Finding{Sheet: name, Row: 1, Column: c, Reason: headerMissing, Action: Noted})
	}
	return rs, nil
}

// each walks the rows that say something in one of the given columns. Boxes
// that are not ticked and zeros of formulas say nothing: sheets are full of
// rows that somebody filled down and never used.
func (rs *rows) each(columns []string, do func(r *row)) []Outcome {
	var out []Outcome
	for i := 1; i < len(rs.sheet.Rows); i++ {
		r := &row{rs: rs, n: i + 1, cells: rs.sheet.Rows[i]}
		if r.void(columns) {
			continue
		}
		for _, f := range rs.sheet.Findings {
			if f.Row == r.n {
				r.worst = worse(r.worst, f.Action)
			}
		}
		do(r)
		out = append(out, Outcome{Row: r.n, Action: r.worst})
	}
	return out
}

func (r *row) void(columns []string) bool {
	for _, name := range columns {
		c := r.cell(name)
		if !c.Blank() && (c.Kind == Text || c.Num != 0) {
			return false
		}
	}
	return true
}

// columnLetters names a column the way spreadsheets do.
func columnLetters(i int) string {
	s := ""
	for i++; i > 0; i = (i - 1) / 26 {
		s = string(rune('A'+(i-1)%26)) + s
	}
	return s
}
