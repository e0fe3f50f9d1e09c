package emulator

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Kind is what a cell holds.
type Kind uint8

// The kinds.
const (
	Empty Kind = iota
	Text
	Number
	Bool
	ErrorValue // an error value such as #REF!; its name is the cell's Text
)

// Format is the type of a cell's number format, in the API's own words. The
// empty Format is what the editor calls automatic.
type Format string

// The formats.
const (
	Automatic      Format = ""
	DateFormat     Format = "DATE"
	DateTimeFormat Format = "DATE_TIME"
	TimeFormat     Format = "TIME"
	NumberFormat   Format = "NUMBER"
	PercentFormat  Format = "PERCENT"
	CurrencyFormat Format = "CURRENCY"
	TextFormat     Format = "TEXT"
)

// Cell is one cell of a worksheet: its value, the formula behind it if there is
// one, and how it is shown. The zero Cell is empty and unformatted. Cells are
// comparable with ==.
type Cell struct {
	Kind Kind
	// Text is the text of a Text cell and the name of an ErrorValue.
	Text string
	// Num is the number of a Number cell, 1 or 0 in a Bool cell. Dates are days
	// since 1899-12-30, without a zone.
	Num float64
	// Formula begins with "="; the value is then what it came to.
	Formula string
	// Format and Pattern say how the value is shown. An empty Pattern is the
	// default of the Format in Chile.
	Format  Format
	Pattern string
}

// Formula is a cell with a formula. Its value is computed when the formula is
// one the emulator knows (literals, references, COUNTIF, COUNTIFS, COUNTA);
// otherwise it stays what value says, the way a cell keeps showing its result.
func Formula(text string, value any) Cell {
	c := cellOf(value)
	c.Formula = text
	return c
}

// Day is a date without a time, shown the way the plant writes dates.
func Day(year, month, day int) Cell {
	return Cell{Kind: Number, Num: serial(time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)),
		Format: DateFormat}
}

// True reports whether a boolean cell is true.
func (c Cell) True() bool { return c.Kind == Bool && c.Num != 0 }

// Native is the value as Go sees it: nil, string, float64 or bool. An ErrorValue is
// its name.
func (c Cell) Native() any {
	switch c.Kind {
	case Text, ErrorValue:
		return c.Text
	case Number:
		return c.Num
	case Bool:
		return c.Num != 0
	}
	return nil
}

// cellOf makes a cell of a Go value: nil, a Cell, string, bool, any number, or a
// time (its wall clock, as a date and time). A string is text, whatever it looks
// like, and the empty string an empty cell. Other types are a mistake of the
// caller and make an empty cell.
func cellOf(v any) Cell {
	switch v := v.(type) {
	case Cell:
		return v
	case string:
		if v == "" {
			return Cell{}
		}
		return Cell{Kind: Text, Text: v}
	case bool:
		return boolCell(v)
	case float64:
		return numCell(v)
	case int:
		return numCell(float64(v))
	case int64:
		return numCell(float64(v))
	case time.Time:
		return Cell{Kind: Number, Num: serial(v), Format: DateTimeFormat}
	}
	return Cell{}
}

func numCell(f float64) Cell { return Cell{Kind: Number, Num: f} }

func faultCell(name string) Cell { return Cell{Kind: ErrorValue, Text: name} }

func boolCell(b bool) Cell {
	c := Cell{Kind: Bool}
	if b {
		c.Num = 1
	}
	return c
}

// value is c with the value of v, keeping how c is shown. A format that v brings
// along applies only where the cell had none.
func (c Cell) value(v Cell) Cell {
	out := Cell{Kind: v.Kind, Text: v.Text, Num: v.Num, Formula: v.Formula, Format: c.Format, Pattern: c.Pattern}
	if c.Format == Automatic {
		out.Format, out.Pattern = v.Format, v.Pattern
	}
	return out
}

// blank reports whether a read sees nothing in the cell.
func (c Cell) blank() bool { return c.Kind == Empty && c.Formula == "" }

// epoch is day zero of serial numbers.
var epoch = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)

// serial is the serial number of t's wall clock.
func serial(t time.Time) float64 {
	wall := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	return wall.Sub(epoch).Hours() / 24
}

// wall is the wall clock of a serial number, to the nearest second.
func wall(n float64) time.Time {
	days := math.Floor(n)
	seconds := math.Round((n - days) * 86400)
	return epoch.AddDate(0, 0, int(days)).Add(time.Duration(seconds) * time.Second)
}

// Shown is the cell as the eye sees it in a file of the locale es_CL.
func (c Cell) Shown() string {
	switch c.Kind {
	case Text, ErrorValue:
		return c.Text
	case Bool:
		if c.Num != 0 {
			return "VERDADERO"
		}
		return "FALSO"
	case Number:
		return c.shownNumber()
	}
	return ""
}

func (c Cell) shownNumber() string {
	pattern := c.Pattern
	switch c.Format {
	case DateFormat, DateTimeFormat, TimeFormat:
		if pattern == "" {
			pattern = map[Format]string{DateFormat: "dd-mm-yyyy", DateTimeFormat: "dd-mm-yyyy hh:mm:ss",
				TimeFormat: "hh:mm:ss"}[c.Format]
		}
		if math.Abs(c.Num) > 3e6 { // beyond the year 9999: the editor shows the number
			return plain(c.Num)
		}
		return shownDate(wall(c.Num), pattern)
	case PercentFormat:
		return grouped(c.Num*100, decimals(pattern, 2), false) + "%"
	case CurrencyFormat:
		return "$" + grouped(c.Num, decimals(pattern, 0), true)
	case NumberFormat:
		return grouped(c.Num, decimals(pattern, 2), pattern == "" || strings.Contains(pattern, ","))
	}
	return plain(c.Num)
}

// plain is a number without a format: a decimal comma and no more digits than
// needed.
func plain(f float64) string {
	if math.Abs(f) >= 1e15 {
		return strings.Replace(strconv.FormatFloat(f, 'E', -1, 64), ".", ",", 1)
	}
	short := strconv.FormatFloat(f, 'g', 15, 64)
	if v, err := strconv.ParseFloat(short, 64); err == nil {
		f = v
	}
	return strings.Replace(strconv.FormatFloat(f, 'f', -1, 64), ".", ",", 1)
}

// decimals counts the digits after the point of a number pattern.
func decimals(pattern string, without int) int {
	if pattern == "" {
		return without
	}
	_, after, found := strings.Cut(pattern, ".")
	if !found {
		return 0
	}
	return strings.Count(after, "0") + strings.Count(after, "#")
}

// grouped writes f with a fixed number of decimals, and points between thousands
// if asked.
func grouped(f float64, places int, points bool) string {
	s := strconv.FormatFloat(math.Abs(f), 'f', places, 64)
	whole, frac, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; points && i > 0; i -= 3 {
		whole = whole[:i] + "." + whole[i:]
	}
	if places > 0 {
		whole += "," + frac
	}
	if f < 0 {
		return "-" + whole
	}
	return whole
}

// shownDate writes t by a date pattern. The letters m after hours are minutes.
func shownDate(t time.Time, pattern string) string {
	var b strings.Builder
	hours := false
	for i := 0; i < len(pattern); {
		n := 1
		for i+n < len(pattern) && pattern[i+n] == pattern[i] {
			n++
		}
		switch p := pattern[i]; {
		case p == 'd':
			b.WriteString(padded(t.Day(), n))
		case p == 'm' && hours:
			b.WriteString(padded(t.Minute(), n))
		case p == 'm':
			b.WriteString(padded(int(t.Month()), n))
		case p == 'y' && n <= 2:
			b.WriteString(padded(t.Year()%100, n))
		case p == 'y':
			b.WriteString(padded(t.Year(), 4))
		case p == 'h' || p == 'H':
			hours = true
			b.WriteString(padded(t.Hour(), n))
		case p == 's':
			b.WriteString(padded(t.Second(), n))
		default:
			b.WriteString(pattern[i : i+n])
		}
		i += n
	}
	return b.String()
}

func padded(n, width int) string {
	s := strconv.Itoa(n)
	for len(s) < width {
		s = "0" + s
	}
	return s
}
