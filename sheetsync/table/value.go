package table

import (
	"math"
	"strconv"
	"strings"

	"envivo/plant"
)

// Label reads a text of the office: identifiers, names, order numbers. Numbers
// come as people see them, 123 and not 123.0; everything is one line.
func Label(c Cell) (string, Problem) {
	s, p := Prose(c)
	if strings.ContainsAny(s, "\n\t") {
		s = strings.Join(strings.Fields(s), " ")
	}
	return s, p
}

// Prose reads a text that may have several lines.
func Prose(c Cell) (string, Problem) {
	switch c.Kind {
	case Bool:
		return "", bad(boolForText)
	case Number:
		return c.String(), Problem{}
	case Empty:
		return "", Problem{}
	}
	s := clean(c.Text)
	switch {
	case isError(s):
		return "", bad(formulaError)
	case s != strings.TrimSpace(strings.ReplaceAll(c.Text, "\r\n", "\n")):
		return s, repaired(cleanedText)
	}
	return s, Problem{}
}

// Int reads a count or an identifier from 0 to most.
func Int(c Cell, most int) (int, Problem) {
	f, p := number(c)
	if p.Bad() || c.Blank() {
		return 0, p
	}
	switch {
	case f != math.Trunc(f):
		return 0, bad(notAnInteger)
	case f < 0 || f > float64(most):
		return 0, bad(numberRange)
	}
	return int(f), p
}

// MaxDN is the widest diameter taken for one. Wider is a mistake, such as 1/2
// that a spreadsheet took for the first of February.
const MaxDN = 100

// Inches reads a diameter or a sum of diameters up to most inches: 2, 2.5, 2,5, ½, 1 1/2, 1½",
// to hundredths.
func Inches(c Cell, most float64) (plant.Inches, Problem) {
	f, p := number(c)
	if p.Bad() || c.Blank() {
		return 0, p
	}
	if f < 0 || f > most {
		return 0, bad(numberRange)
	}
	h := math.Round(f * 100)
	if math.Abs(h-f*100) > 1e-6 {
		p = repaired(roundedDN)
	}
	return plant.Inches(h), p
}

// number reads a number cell, or the text of one with comma or point and with
// fractions. An empty cell is 0.
func number(c Cell) (float64, Problem) {
	switch c.Kind {
	case Empty:
		return 0, Problem{}
	case Bool:
		return 0, bad(notANumber)
	case Number:
		if math.IsNaN(c.Num) || math.IsInf(c.Num, 0) {
			return 0, bad(notANumber)
		}
		return c.Num, Problem{}
	}
	s := clean(c.Text)
	switch {
	case s == "":
		return 0, Problem{}
	case isError(s):
		return 0, bad(formulaError)
	case !hasWord(s):
		return 0, bad(notANumber)
	}
	s = strings.TrimSpace(strings.TrimRight(s, `"”″'`))
	total, rest := 0.0, s
	if i := strings.IndexAny(s, " ½¼¾⅛⅜⅝⅞"); i >= 0 {
		whole := s[:i]
		rest = strings.TrimSpace(s[i:])
		if whole != "" {
			n, ok := digits(whole, 4)
			if !ok || rest == "" {
				return 0, bad(notANumber)
			}
			total = float64(n)
		}
	}
	if f, ok := fraction(rest); ok {
		return total + f, Problem{}
	}
	if rest != s {
		return 0, bad(notANumber)
	}
	return decimal(s)
}

// fraction reads ½ or 1/2.
func fraction(s string) (float64, bool) {
	switch s {
	case "½":
		return 0.5, true
	case "¼":
		return 0.25, true
	case "¾":
		return 0.75, true
	case "⅛":
		return 0.125, true
	case "⅜":
		return 0.375, true
	case "⅝":
		return 0.625, true
	case "⅞":
		return 0.875, true
	}
	a, b, ok := strings.Cut(s, "/")
	if !ok {
		return 0, false
	}
	n, ok1 := digits(a, 3)
	d, ok2 := digits(b, 3)
	if !ok1 || !ok2 || d == 0 {
		return 0, false
	}
	return float64(n) / float64(d), true
}

func decimal(s string) (float64, Problem) {
	s = strings.Replace(s, ",", ".", 1)
	for i := 0; i < len(s); i++ {
		if (s[i] < '0' || s[i] > '9') && s[i] != '.' && (s[i] != '-' || i > 0) {
			return 0, bad(notANumber)
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, bad(notANumber)
	}
	return f, Problem{}
}

// Truth reads a checkbox or a word for one; empty is false.
func Truth(c Cell) (bool, Problem) {
	switch c.Kind {
	case Empty:
		return false, Problem{}
	case Bool:
		return c.Num != 0, Problem{}
	case Number:
		switch c.Num {
		case 0:
			return false, Problem{}
		case 1:
			return true, Problem{}
		}
		return false, bad(notABool)
	}
	switch s := clean(c.Text); plant.Fold(s) {
	case "true", "verdadero", "1":
		return true, Problem{}
	case "false", "falso", "0", "":
		return false, Problem{}
	case "si", "s", "x", "v", "activo", "yes", "✓":
		return true, repaired(oddBool)
	case "no", "n", "f", "inactivo":
		return false, repaired(oddBool)
	default:
		if isError(s) {
			return false, bad(formulaError)
		}
		if !hasWord(s) {
			return false, repaired(dashForEmpty)
		}
	}
	return false, bad(notABool)
}

// Worker reads Armador, Soldador and the like. Names without a number are kept
// as they stand (rules §2.8.9); dashes name nobody.
func Worker(c Cell) (plant.Person, Problem) {
	if c.Kind == Number || c.Kind == Bool {
		return plant.Person{}, bad(notAWorker)
	}
	s, p := Label(c)
	switch {
	case p.Bad():
		return plant.Person{}, p
	case !hasWord(s):
		if s != "" {
			p = repaired(dashForEmpty)
		}
		return plant.Person{}, p
	}
	if looksLikeDate(s) {
		return plant.Person{}, bad(notAWorker)
	}
	return plant.ParsePerson(s), p
}

// Occupant reads Ocupado_Por: as Worker, and DISPONIBLE and stray dashes mean
// that the spool is free (rules §2.8.10).
func Occupant(c Cell) (plant.Person, Problem) {
	w, p := Worker(c)
	if p.Reason == dashForEmpty {
		return plant.Person{}, Problem{}
	}
	if plant.FoldKey(w.Display) == "disponible" {
		return plant.Person{}, Problem{}
	}
	return w, p
}

// looksLikeDate catches dates and numbers that slid into a column of names.
func looksLikeDate(s string) bool {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return false
	}
	if _, p := decimal(s); p.OK() {
		return true
	}
	_, _, p := leadingDay(s)
	return !p.Bad()
}
