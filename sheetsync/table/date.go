package table

import (
	"math"
	"strconv"
	"strings"
	"time"

	"envivo/plant"
)

// Days outside these years are typing errors or numbers that were never dates
// (a counter shown as a date lies in 1900).
const firstYear, lastYear = 1990, 2100

// Date reads a day in any shape of rules §2.8.1.
func Date(c Cell) (plant.Date, Problem) {
	switch c.Kind {
	case Empty:
		return 0, Problem{}
	case Bool:
		return 0, bad(boolForDate)
	case Number:
		return serialDay(c.Num)
	}
	s := clean(c.Text)
	switch {
	case s == "":
		return 0, Problem{}
	case isError(s):
		return 0, bad(formulaError)
	case !hasWord(s):
		return 0, repaired(dashForEmpty)
	}
	if f, ok := plainNumber(s); ok {
		return serialDay(f)
	}
	if d, rest, p := leadingDay(s); p.OK() || p.Repaired {
		if rest == "" {
			return d, p
		}
		if _, ok := clockTime(rest); ok {
			return d, repaired(dateHadTime)
		}
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return plant.DateOf(t), repaired(dateHadTime)
		}
		return 0, bad(notADate)
	} else {
		return 0, p
	}
}

// Time reads a date and time in any shape of rules §2.8.2, in plant time. A
// text with a zone, such as the ISO texts the first versions wrote into
// Metadata, is taken at its word.
//
// Twice a year the wall clock jumps. Of an hour that happened twice the first
// is meant, so that nothing seems to have lasted shorter than it did; an hour
// that never happened is moved forward by the jump.
func Time(c Cell) (time.Time, Problem) {
	switch c.Kind {
	case Empty:
		return time.Time{}, Problem{}
	case Bool:
		return time.Time{}, bad(boolForDate)
	case Number:
		return serialInstant(c.Num)
	}
	s := clean(c.Text)
	switch {
	case s == "":
		return time.Time{}, Problem{}
	case isError(s):
		return time.Time{}, bad(formulaError)
	case !hasWord(s):
		return time.Time{}, repaired(dashForEmpty)
	}
	if f, ok := plainNumber(s); ok {
		return serialInstant(f)
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return instantInRange(t.UTC().Round(time.Second))
	}
	d, rest, p := leadingDay(s)
	if p.Bad() {
		if p.Reason == notADate {
			p.Reason = notATime
		}
		return time.Time{}, p
	}
	if rest == "" {
		t, q := wall(d, 0)
		if p.OK() && q.Reason != timeGap { // midnight stands for the day itself
			p = q
		}
		return t, p
	}
	secs, ok := clockTime(rest)
	if !ok {
		return time.Time{}, bad(notATime)
	}
	t, q := wall(d, secs)
	if p.OK() {
		p = q
	}
	return t, p
}

func instantInRange(t time.Time) (time.Time, Problem) {
	if y := t.Year(); y < firstYear || y > lastYear {
		return time.Time{}, bad(dateRange)
	}
	return t, Problem{}
}

// plainNumber reads texts such as "46155" and "46155,48": serials that lost
// their type. Signs, exponents and grouping are not dates.
func plainNumber(s string) (float64, bool) {
	s = strings.Replace(s, ",", ".", 1)
	for i := 0; i < len(s); i++ {
		if (s[i] < '0' || s[i] > '9') && s[i] != '.' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

func serialDay(f float64) (plant.Date, Problem) {
	if math.IsNaN(f) || f < 1 || f > 1e6 {
		return 0, bad(dateRange)
	}
	d := plant.Date(math.Floor(f + 0.5/86400))
	return inRange(d)
}

func inRange(d plant.Date) (plant.Date, Problem) {
	if d < plant.NewDate(firstYear, 1, 1) || d > plant.NewDate(lastYear, 12, 31) {
		return 0, bad(dateRange)
	}
	return d, Problem{}
}

func serialInstant(f float64) (time.Time, Problem) {
	d, p := serialDay(f)
	if p.Bad() {
		return time.Time{}, p
	}
	secs := int(math.Round((f - float64(d)) * 86400))
	return wall(d, max(secs, 0))
}

// serialOf is the wall clock of the plant at t as a serial number.
func serialOf(t time.Time) float64 {
	l := t.In(plant.Zone())
	h, m, s := l.Clock()
	return float64(plant.DateOf(t)) + float64(h*3600+m*60+s)/86400
}

// wall is the instant at which the plant's clocks showed secs past midnight of
// d; see Time for the two hours of the year where that is not one instant.
func wall(d plant.Date, secs int) (time.Time, Problem) {
	naive := time.Date(1899, 12, 30+int(d), 0, 0, secs, 0, time.UTC)
	offset := func(t time.Time) time.Duration {
		_, o := t.In(plant.Zone()).Zone()
		return time.Duration(o) * time.Second
	}
	before, after := offset(naive.Add(-24*time.Hour)), offset(naive.Add(24*time.Hour))
	first, second := naive.Add(-before), naive.Add(-after)
	switch {
	case offset(first) == before:
		return first, Problem{}
	case offset(second) == after:
		return second, Problem{}
	}
	return first, repaired(timeGap)
}

// leadingDay reads the day at the beginning of s and returns what follows it.
func leadingDay(s string) (plant.Date, string, Problem) {
	part := func() (string, byte) {
		i := 0
		for i < len(s) && s[i] != '-' && s[i] != '/' && s[i] != '.' && s[i] != ' ' && s[i] != 'T' && s[i] != ',' || i == 0 && len(s) > 0 && s[0] == 'T' {
			i++
		}
		head, sep := s[:i], byte(0)
		s = s[i:]
		if s != "" {
			sep = s[0]
		}
		return head, sep
	}
	a, sep := part()
	if sep != '-' && sep != '/' && sep != '.' {
		return 0, "", bad(notADate)
	}
	s = s[1:]
	b, sep2 := part()
	if sep2 != sep {
		return 0, "", bad(notADate)
	}
	s = s[1:]
	c, end := part()
	if end == 'T' || end == ' ' || end == ',' {
		s = s[1:]
	} else if end != 0 {
		return 0, "", bad(notADate)
	}
	d, p := civil(a, b, c, sep)
	return d, strings.TrimSpace(s), p
}

// civil puts the three parts of a date together: year first when it has four
// digits, else day first, whatever the separator.
func civil(a, b, c string, sep byte) (plant.Date, Problem) {
	p := Problem{}
	if sep == '.' {
		p = repaired(dateOddShape)
	}
	if len(a) == 4 {
		a, c = c, a
		if sep == '/' {
			p = repaired(dateOddShape)
		}
	}
	day, ok1 := digits(a, 2)
	month, ok2 := digits(b, 2)
	if !ok2 {
		var odd bool
		if month, odd, ok2 = monthName(b); odd {
			p = repaired(dateOddShape)
		}
	}
	year, ok3 := digits(c, 4)
	switch {
	case !ok1 || !ok2 || !ok3 || len(c) == 1 || len(c) == 3:
		return 0, bad(notADate)
	case len(c) == 2:
		year += 2000
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if t.Day() != day || int(t.Month()) != month {
		return 0, bad(noSuchDay)
	}
	d, q := inRange(plant.NewDate(year, time.Month(month), day))
	if q.Bad() {
		return 0, q
	}
	return d, p
}

func digits(s string, most int) (int, bool) {
	if s == "" || len(s) > most {
		return 0, false
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

// monthName reads English abbreviations as the Sheet shows them, and the
// Spanish ones, which are odd but clear.
func monthName(s string) (month int, odd, ok bool) {
	const english, spanish = "janfebmaraprmayjunjulaugsepoctnovdec", "enefebmarabrmayjunjulagosepoctnovdic"
	f := plant.Fold(strings.TrimSuffix(s, "."))
	if len(f) == 4 && f == "sept" {
		f, odd = "sep", true
	}
	if len(f) != 3 {
		return 0, false, false
	}
	for i := 0; i < 12; i++ {
		if english[3*i:3*i+3] == f {
			return i + 1, odd, true
		}
		if spanish[3*i:3*i+3] == f {
			return i + 1, true, true
		}
	}
	return 0, false, false
}

// clockTime reads HH:MM and HH:MM:SS, with or without a fraction, as seconds
// past midnight rounded to the nearest.
func clockTime(s string) (int, bool) {
	parts := strings.Split(s, ":")
	if len(parts) != 2 && len(parts) != 3 {
		return 0, false
	}
	h, ok1 := digits(parts[0], 2)
	m, ok2 := digits(parts[1], 2)
	if !ok1 || !ok2 || h > 23 || m > 59 {
		return 0, false
	}
	if len(parts) == 2 {
		return h*3600 + m*60, true
	}
	whole, fraction, _ := strings.Cut(parts[2], ".")
	sec, ok := digits(whole, 2)
	if !ok || sec > 59 {
		return 0, false
	}
	if fraction != "" {
		if _, ok := digits(fraction, 9); !ok {
			return 0, false
		}
		if fraction[0] >= '5' {
			sec++
		}
	}
	return h*3600 + m*60 + sec, true
}
