package emulator

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// enter is what the cell becomes when somebody types s into it, in a file of the
// locale es_CL: dates day first, decimal comma, VERDADERO next to TRUE, formulas,
// and an apostrophe that keeps text. A plain-text cell takes everything as text.
// Typed dates of two parts belong to year.
func enter(c Cell, s string, year int) Cell {
	if s == "" {
		return c.value(Cell{})
	}
	if text, ok := strings.CutPrefix(s, "'"); ok {
		return c.value(Cell{Kind: Text, Text: text})
	}
	if c.Format == TextFormat {
		return c.value(Cell{Kind: Text, Text: s})
	}
	t := strings.TrimSpace(s)
	if v, ok := typedBool(t); ok {
		return c.value(v)
	}
	if v, ok := typedNumber(t); ok {
		return c.value(v)
	}
	if v, ok := typedDate(t, year); ok {
		return c.value(v)
	}
	if f, ok := typedFormula(t); ok {
		return c.value(Cell{Formula: f, Kind: ErrorValue, Text: "#ERROR!"})
	}
	return c.value(Cell{Kind: Text, Text: s})
}

// typedFormula accepts what the keyboard would: "=" begins a formula, and so do a
// plus or a minus that no number follows.
func typedFormula(s string) (string, bool) {
	if len(s) < 2 {
		return "", false
	}
	switch s[0] {
	case '=':
		return s, true
	case '+', '-':
		return "=" + s, true
	}
	return "", false
}

func typedBool(s string) (Cell, bool) {
	switch strings.ToUpper(s) {
	case "TRUE", "VERDADERO":
		return boolCell(true), true
	case "FALSE", "FALSO":
		return boolCell(false), true
	}
	return Cell{}, false
}

var (
	grouping = regexp.MustCompile(`^[+-]?[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?$`)
	bare     = regexp.MustCompile(`^[+-]?([0-9]+(,[0-9]*)?|,[0-9]+)([eE][+-]?[0-9]+)?$`)
)

// typedNumber reads numbers with a decimal comma, points only between thousands,
// percentages and amounts of money.
func typedNumber(s string) (Cell, bool) {
	out := Cell{Kind: Number}
	scale := 1.0
	if rest, ok := strings.CutSuffix(s, "%"); ok {
		s, scale, out.Format = strings.TrimSpace(rest), 0.01, PercentFormat
	} else if rest, ok := strings.CutPrefix(s, "$"); ok {
		s, out.Format = strings.TrimSpace(rest), CurrencyFormat
	}
	switch {
	case grouping.MatchString(s):
		s = strings.ReplaceAll(s, ".", "")
	case !bare.MatchString(s):
		return Cell{}, false
	}
	f, err := strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64)
	if err != nil {
		return Cell{}, false
	}
	out.Num = f * scale
	return out, true
}

var (
	dayFirst  = regexp.MustCompile(`^([0-9]{1,2})[-/]([0-9]{1,2})(?:[-/]([0-9]{4}|[0-9]{2}))?$`)
	yearFirst = regexp.MustCompile(`^([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})$`)
	monthName = regexp.MustCompile(`^([0-9]{1,2})[-/ ]([A-Za-z]{3})[.]?[-/ ]([0-9]{4})$`)
	clockTime = regexp.MustCompile(`^([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?$`)
)

// months are the short names of the locale.
const months = "ene feb mar abr may jun jul ago sep oct nov dic"

// typedDate reads a date, a date with a time, or a time alone.
func typedDate(s string, year int) (Cell, bool) {
	day, clock, both := strings.Cut(s, " ")
	if !both || !strings.Contains(clock, ":") {
		if f, ok := clockOf(s); ok {
			return Cell{Kind: Number, Num: f, Format: TimeFormat}, true
		}
		d, ok := dayOf(s, year)
		return Cell{Kind: Number, Num: d, Format: DateFormat}, ok
	}
	d, ok := dayOf(day, year)
	f, okClock := clockOf(strings.TrimSpace(clock))
	return Cell{Kind: Number, Num: d + f, Format: DateTimeFormat}, ok && okClock
}

func dayOf(s string, year int) (float64, bool) {
	var y, m, d int
	switch {
	case dayFirst.MatchString(s):
		p := dayFirst.FindStringSubmatch(s)
		d, m, y = atoi(p[1]), atoi(p[2]), year
		if p[3] != "" {
			y = atoi(p[3])
		}
		if len(p[3]) == 2 {
			y += 2000
		}
	case yearFirst.MatchString(s):
		p := yearFirst.FindStringSubmatch(s)
		y, m, d = atoi(p[1]), atoi(p[2]), atoi(p[3])
	case monthName.MatchString(s):
		p := monthName.FindStringSubmatch(s)
		i := strings.Index(months, strings.ToLower(p[2]))
		if i < 0 {
			return 0, false
		}
		d, m, y = atoi(p[1]), i/4+1, atoi(p[3])
	default:
		return 0, false
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if t.Day() != d || int(t.Month()) != m {
		return 0, false
	}
	return serial(t), true
}

func clockOf(s string) (float64, bool) {
	p := clockTime.FindStringSubmatch(s)
	if p == nil {
		return 0, false
	}
	h, m, sec := atoi(p[1]), atoi(p[2]), atoi(p[3])
	if h > 23 || m > 59 || sec > 59 {
		return 0, false
	}
	return float64(h*3600+m*60+sec) / 86400, true
}
