// Package table turns worksheets into the plant's words and back: typed cells,
// one decoder per kind of column, columns found by header, rows of the five
// worksheets. It reads no file and calls no service; whoever has cells, from a
// workbook or from the Sheet, can use it.
//
// Nothing here fails because of what somebody typed. A decoder returns a value
// and, when the cell was not as it should be, a Problem; a row reader returns
// what it could read and the Findings about the rest.
package table

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"envivo/plant"
)

// Kind is what a cell holds.
type Kind uint8

// The kinds.
const (
	Empty Kind = iota
	Text
	Number
	Bool
)

// Style says how a number is meant to be seen. Writers need it, readers do not.
type Style uint8

// The styles.
const (
	Plain   Style = iota
	Day           // a serial day, shown DD-MM-YYYY
	Instant       // a serial date and time, shown DD-MM-YYYY HH:MM:SS
	Decimal       // two decimals
)

// Cell is one cell of a worksheet. The zero Cell is empty.
type Cell struct {
	Kind  Kind
	Style Style
	// Text is the text of a text cell.
	Text string
	// Num is the number of a number cell; 1 or 0 in a boolean one.
	Num float64
}

// TextCell holds s; an empty s makes an empty cell.
func TextCell(s string) Cell {
	if s == "" {
		return Cell{}
	}
	return Cell{Kind: Text, Text: s}
}

// NumberCell holds f.
func NumberCell(f float64) Cell { return Cell{Kind: Number, Num: f} }

// BoolCell holds b.
func BoolCell(b bool) Cell {
	c := Cell{Kind: Bool}
	if b {
		c.Num = 1
	}
	return c
}

// DateCell is a real date; empty for no date.
func DateCell(d plant.Date) Cell {
	if d == 0 {
		return Cell{}
	}
	return Cell{Kind: Number, Style: Day, Num: float64(d)}
}

// InstantCell is a real date and time in plant time, to the second; empty for
// the zero time.
func InstantCell(t time.Time) Cell {
	if t.IsZero() {
		return Cell{}
	}
	return Cell{Kind: Number, Style: Instant, Num: serialOf(t)}
}

// InchesCell is a number of inches with two decimals.
func InchesCell(i plant.Inches) Cell {
	return Cell{Kind: Number, Style: Decimal, Num: i.Float()}
}

// True reports whether a boolean cell is true.
func (c Cell) True() bool { return c.Kind == Bool && c.Num != 0 }

// Blank reports whether a reader of the sheet sees nothing in the cell.
func (c Cell) Blank() bool {
	return c.Kind == Empty || c.Kind == Text && clean(c.Text) == ""
}

// String is the cell as text: numbers without an exponent or trailing zeros,
// booleans as TRUE or FALSE, dates as the plant writes them.
func (c Cell) String() string {
	switch c.Kind {
	case Text:
		return c.Text
	case Bool:
		if c.Num != 0 {
			return "TRUE"
		}
		return "FALSE"
	case Number:
		return c.number()
	}
	return ""
}

func (c Cell) number() string {
	switch c.Style {
	case Day:
		if d, p := serialDay(c.Num); p.OK() {
			return d.String()
		}
	case Instant:
		if t, p := serialInstant(c.Num); p.OK() {
			return plant.SheetTime(t)
		}
	}
	if math.Abs(c.Num) < 1e15 {
		return strconv.FormatFloat(c.Num, 'f', -1, 64)
	}
	return strconv.FormatFloat(c.Num, 'g', 15, 64)
}

// clean drops what the eye does not see: outer blanks of every kind, the marks
// of zero width that copying brings along, and control characters other than
// line breaks and tabs.
func clean(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= 0x20 && s[i] < 0x7f
	}
	if plain {
		return strings.TrimSpace(s)
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return '\n'
		case unicode.IsControl(r), r == '\u200b', r == '\u200e', r == '\u200f', r == '\u2060', r == '\ufeff',
			r == '\ufffe', r == '\uffff':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.TrimSpace(s)
}

// hasWord reports whether s has a letter or a digit: stray dashes, dots and
// quotes say nothing.
func hasWord(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsNumber(r) }) >= 0
}

// isError reports whether s is what a spreadsheet shows for a broken formula.
func isError(s string) bool {
	if !strings.HasPrefix(s, "#") {
		return false
	}
	switch strings.ToUpper(s) {
	case "#REF!", "#N/A", "#VALUE!", "#¡VALOR!", "#NAME?", "#¿NOMBRE?", "#DIV/0!", "#¡DIV/0!", "#NULL!", "#¡NULO!", "#NUM!", "#¡NUM!",
		"#ERROR!", "#¡REF!", "#N/D":
		return true
	}
	return false
}
