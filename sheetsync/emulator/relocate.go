package emulator

import (
	"regexp"
	"strconv"
	"strings"
)

// dimension is rows or columns.
type dimension uint8

const (
	byRow dimension = iota
	byColumn
)

// shift says where the lines of a sheet went: the new number of line i, or false
// if it is gone.
type shift func(i int) (int, bool)

// inserted, removed and carried are the three ways lines move.
func inserted(at, n int) shift {
	return func(i int) (int, bool) {
		if i >= at {
			return i + n, true
		}
		return i, true
	}
}

func removed(start, end int) shift {
	return func(i int) (int, bool) {
		switch {
		case i >= end:
			return i - (end - start), true
		case i >= start:
			return 0, false
		}
		return i, true
	}
}

func carried(start, end, dest int) shift {
	n := end - start
	return func(i int) (int, bool) {
		switch {
		case i >= start && i < end && dest > end:
			return i - start + dest - n, true
		case i >= start && i < end:
			return i - start + min(dest, start), true
		case i >= end && i < dest:
			return i - n, true
		case i >= dest && i < start:
			return i + n, true
		}
		return i, true
	}
}

// references finds texts, which stay, and references to cells and ranges.
var references = regexp.MustCompile(`"[^"]*"|((?:'(?:[^']|'')+'|[\pL\pN_]+)!)?` +
	`((?:\$?[A-Z]{1,3}(?:\$?[0-9]+)?|\$?[0-9]+):(?:\$?[A-Z]{1,3}(?:\$?[0-9]+)?|\$?[0-9]+)|\$?[A-Z]{1,3}\$?[0-9]+)`)

var side = regexp.MustCompile(`^(\$?)([A-Z]{0,3})(\$?)([0-9]*)$`)

// endpoint is one corner of a reference; a missing row or column is -1.
type endpoint struct {
	col, row       int
	colPin, rowPin string
}

func endpointOf(s string) endpoint {
	m := side.FindStringSubmatch(s)
	if m == nil {
		return endpoint{col: -1, row: -1}
	}
	return endpoint{col: columnOf(m[2]), row: atoi(m[4]) - 1, colPin: m[1], rowPin: m[3]}
}

func (p endpoint) String() string {
	s := ""
	if p.col >= 0 {
		s = p.colPin + Column(p.col)
	}
	if p.row >= 0 {
		s += p.rowPin + strconv.Itoa(p.row+1)
	}
	return s
}

// relocate rewrites the references of a formula that stands on own, after lines
// of the sheet changed went elsewhere.
func relocate(formula string, own, changed *sheet, d dimension, to shift) string {
	return rewrite(formula, func(on string, from, until endpoint, ranged bool) (endpoint, endpoint, bool) {
		if on == "" && own != changed || on != "" && !strings.EqualFold(on, changed.title) {
			return from, until, true
		}
		start, end := from.line(d), until.line(d)
		if *start < 0 || *end < 0 {
			return from, until, true
		}
		if !ranged {
			n, ok := to(*start)
			*start, *end = n, n
			return from, until, ok
		}
		lo, ok := to(*start)
		for ; !ok && *start < *end; lo, ok = to(*start) {
			*start++
		}
		hi, ok2 := to(*end)
		for ; !ok2 && *end > *start; hi, ok2 = to(*end) {
			*end--
		}
		*start, *end = lo, hi
		return from, until, ok && ok2
	})
}

func (p *endpoint) line(d dimension) *int {
	if d == byRow {
		return &p.row
	}
	return &p.col
}

// carry rewrites the references of a formula that was itself taken by rows down,
// the way a sort or a copy does: relative rows of its own sheet follow it.
func carry(formula string, rows int) string {
	return rewrite(formula, func(on string, from, until endpoint, _ bool) (endpoint, endpoint, bool) {
		for _, p := range []*endpoint{&from, &until} {
			if on == "" && p.row >= 0 && p.rowPin == "" {
				p.row += rows
			}
			if p.row < -1 {
				return from, until, false
			}
		}
		return from, until, true
	})
}

// rewrite hands every reference of a formula to change, which answers its new
// corners, or false for #REF!.
func rewrite(formula string,
	change func(on string, from, until endpoint, ranged bool) (endpoint, endpoint, bool)) string {
	return references.ReplaceAllStringFunc(formula, func(match string) string {
		m := references.FindStringSubmatch(match)
		if m[2] == "" { // a text
			return match
		}
		on := strings.TrimSuffix(m[1], "!")
		if strings.HasPrefix(on, "'") {
			on = strings.ReplaceAll(on[1:len(on)-1], "''", "'")
		}
		first, last, ranged := strings.Cut(m[2], ":")
		if !ranged {
			last = first
		}
		from, until, ok := change(on, endpointOf(first), endpointOf(last), ranged)
		switch {
		case !ok:
			return "#REF!"
		case ranged:
			return m[1] + from.String() + ":" + until.String()
		}
		return m[1] + from.String()
	})
}

// retitle rewrites references to a sheet that got another title.
func retitle(formula, was, to string) string {
	if formula == "" {
		return ""
	}
	return references.ReplaceAllStringFunc(formula, func(match string) string {
		m := references.FindStringSubmatch(match)
		if on := strings.TrimSuffix(m[1], "!"); m[2] != "" && on != "" &&
			strings.EqualFold(strings.ReplaceAll(strings.Trim(on, "'"), "''", "'"), was) {
			return quoted(to) + "!" + m[2]
		}
		return match
	})
}
