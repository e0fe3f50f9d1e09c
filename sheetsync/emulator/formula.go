package emulator

import (
	"regexp"
	"strconv"
	"strings"
)

// maxDepth is how far formulas may refer to formulas before the emulator calls it
// a circle.
const maxDepth = 20

var (
	callText = regexp.MustCompile(`^([A-Za-z]+)\((.*)\)$`)
	refText  = regexp.MustCompile(`^(?:(?:'(?:[^']|'')+'|[\pL\pN_]+)!)?\$?[A-Za-z]{1,3}\$?[0-9]+$`)
)

// shown is the cell with the value a read sees: what a known formula comes to
// now, else what is stored. Callers hold the lock.
func (b *Book) shown(s *sheet, row, col int) Cell { return b.shownAt(s, row, col, 0) }

func (b *Book) shownAt(s *sheet, row, col, depth int) Cell {
	c := s.at(row, col)
	if c.Formula == "" {
		return c
	}
	if depth > maxDepth {
		return c.value(Cell{Formula: c.Formula, Kind: ErrorValue, Text: "#REF!"})
	}
	v, known := b.eval(s, strings.TrimPrefix(c.Formula, "="), depth+1)
	if !known {
		return c
	}
	v.Formula = c.Formula
	return c.value(v)
}

// eval computes one expression. An unknown one is not an error: the cell keeps
// the value it has.
func (b *Book) eval(s *sheet, text string, depth int) (v Cell, known bool) {
	text = strings.TrimSpace(text)
	if strings.Contains(text, "#REF!") {
		return faultCell("#REF!"), true
	}
	if c, ok := literal(text); ok {
		return c, true
	}
	if refText.MatchString(text) {
		t, a, err := b.find(s, text)
		if err != nil {
			return faultCell("#REF!"), true
		}
		return b.shownAt(t, a.row0, a.col0, depth).bareValue(), true
	}
	call := callText.FindStringSubmatch(text)
	if call == nil {
		return Cell{}, false
	}
	args := arguments(call[2])
	switch strings.ToUpper(call[1]) {
	case "COUNTIF", "COUNTIFS", "CONTAR.SI":
		return b.countIf(s, args, depth)
	case "COUNTA":
		return b.countAll(s, args, depth)
	}
	return Cell{}, false
}

func (c Cell) bareValue() Cell { return Cell{Kind: c.Kind, Text: c.Text, Num: c.Num} }

func literal(text string) (Cell, bool) {
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' && !strings.Contains(text[1:len(text)-1], `"`) {
		return cellOf(text[1 : len(text)-1]), true
	}
	if f, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64); err == nil {
		return numCell(f), true
	}
	return typedBool(text)
}

// arguments splits at semicolons, or at commas where there are none, outside of
// quotes and parentheses.
func arguments(text string) []string {
	for _, mark := range ";," {
		if args := split(text, mark); len(args) > 1 {
			return args
		}
	}
	return []string{text}
}

func split(text string, mark rune) []string {
	var args []string
	depth, start := 0, 0
	inText := false
	for i, r := range text {
		switch {
		case r == '"':
			inText = !inText
		case inText:
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == mark && depth == 0:
			args = append(args, text[start:i])
			start = i + 1
		}
	}
	return append(args, text[start:])
}

// find is the sheet and the clipped area of a reference inside of a formula of s.
func (b *Book) find(s *sheet, ref string) (*sheet, area, error) {
	a, err := parseA1(strings.TrimSpace(ref))
	if err != nil {
		return nil, a, err
	}
	t := s
	if a.sheet != "" {
		if t = b.sheet(a.sheet); t == nil {
			return nil, a, parseError(ref)
		}
	}
	a, err = a.fit(t)
	return t, a, err
}

// countIf counts the rows in which every range equals its criterion; "<>" is
// anything at all. The counts of a set of ranges are kept until something in the
// book changes, so that a column of such formulas costs one pass.
func (b *Book) countIf(s *sheet, args []string, depth int) (Cell, bool) {
	if len(args) < 2 || len(args)%2 != 0 {
		return faultCell("#N/A"), true
	}
	var ranges []string
	var want strings.Builder
	for i := 0; i < len(args); i += 2 {
		crit, known := b.eval(s, args[i+1], depth)
		if !known {
			return Cell{}, false
		}
		mark := "="
		if crit.Text == "<>" {
			mark, crit = "?", boolCell(true)
		}
		ranges = append(ranges, mark+strings.TrimSpace(args[i]))
		want.WriteString(countKey(crit) + "\x00")
	}
	counts, err := b.countsOf(s, ranges, depth)
	if err != nil {
		return faultCell("#REF!"), true
	}
	return numCell(float64(counts[want.String()])), true
}

func (b *Book) countsOf(s *sheet, ranges []string, depth int) (map[string]int, error) {
	name := strings.Join(append(ranges, strconv.FormatInt(s.id, 10)), "|")
	if b.countedAt != b.changes {
		b.countedAt, b.counted = b.changes, map[string]map[string]int{}
	}
	if m := b.counted[name]; m != nil {
		return m, nil
	}
	sheets, areas := make([]*sheet, len(ranges)), make([]area, len(ranges))
	for i, r := range ranges {
		t, a, err := b.find(s, r[1:])
		if err != nil {
			return nil, err
		}
		sheets[i], areas[i] = t, a
	}
	m := map[string]int{}
	for k := range areas[0].row1 - areas[0].row0 {
		key := ""
		for i, a := range areas {
			c := b.shownAt(sheets[i], a.row0+k, a.col0, depth)
			if ranges[i][0] == '?' {
				c = boolCell(c.Kind != Empty)
			}
			key += countKey(c) + "\x00"
		}
		m[key]++
	}
	b.counted[name] = m
	return m, nil
}

// countKey is the value as counting compares it: without case, and a text of
// digits equal to the number.
func countKey(c Cell) string {
	switch c.Kind {
	case Number:
		return strconv.FormatFloat(c.Num, 'g', -1, 64)
	case Bool:
		return "b" + strconv.FormatFloat(c.Num, 'g', -1, 64)
	case Text:
		if f, err := strconv.ParseFloat(c.Text, 64); err == nil {
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
		return "t" + strings.ToLower(c.Text)
	}
	return ""
}

func (b *Book) countAll(s *sheet, args []string, depth int) (Cell, bool) {
	n := 0
	for _, arg := range args {
		t, a, err := b.find(s, arg)
		if err != nil {
			return faultCell("#REF!"), true
		}
		for r := a.row0; r < min(a.row1, len(t.rows)); r++ {
			for c := a.col0; c < a.col1; c++ {
				if b.shownAt(t, r, c, depth).Kind != Empty {
					n++
				}
			}
		}
	}
	return numCell(float64(n)), true
}
