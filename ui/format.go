package ui

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"envivo/plant"
)

var fractions = map[plant.Inches]string{25: "¼", 50: "½", 75: "¾"}

// DN is a diameter as it is marked on the steel: 2", 1½", ¾".
func DN(i plant.Inches) string {
	whole, part := i/100, i%100
	f, ok := fractions[part]
	switch {
	case part == 0:
		return strconv.Itoa(int(whole)) + `"`
	case !ok:
		return PD(i) + `"`
	case whole == 0:
		return f + `"`
	}
	return strconv.Itoa(int(whole)) + f + `"`
}

// PD is a sum of inches with a decimal comma: 42, 37,5.
func PD(i plant.Inches) string { return strings.Replace(i.String(), ".", ",", 1) }

// Fecha is DD-MM-AAAA HH:MM in the plant.
func Fecha(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return plant.DateOf(t).String() + " " + plant.Clock(t)
}

// Count is a number with a point between thousands: 2.493.
func Count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "." + s[i:]
	}
	return s
}

// NVText names a sales order; many plants write the NV into the number itself.
func NVText(nv string) string {
	if strings.HasPrefix(plant.Fold(nv), "nv") {
		return nv
	}
	return "NV " + nv
}

// Plural is "1 spool" or "14 spools".
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// Enumerate is "3", "3 y 5", "3, 5 y 7".
func Enumerate(numbers []int) string {
	var b strings.Builder
	for i, n := range numbers {
		switch {
		case i > 0 && i == len(numbers)-1:
			b.WriteString(" y ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}

// SplitTag parts a tag before its distinguishing tail: what follows the last
// hyphen, or the last two segments when that is shorter than three characters.
func SplitTag(t plant.Tag) (head, tail string) {
	s := string(t)
	i := strings.LastIndexByte(s, '-')
	if i < 0 {
		return "", s
	}
	if len([]rune(s[i+1:])) < 3 {
		i = strings.LastIndexByte(s[:i], '-')
	}
	return s[:i+1], s[i+1:]
}

// Short is the tag's tail as sentences name it: …010.
func Short(t plant.Tag) string {
	head, tail := SplitTag(t)
	if head == "" {
		return tail
	}
	return "…" + tail
}

// SpoolPath is the address of a spool's page.
func SpoolPath(t plant.Tag) string { return "/spools/" + url.PathEscape(string(t)) }

// People turns the names in events into the names on screens.
type People interface {
	Worker(plant.WorkerID) (plant.Worker, bool)
}

// Name is the full name of a person, or what the cell said.
func Name(who People, p plant.Person) string {
	if p.ID != 0 && who != nil {
		if w, ok := who.Worker(p.ID); ok {
			return w.FullName()
		}
	}
	return p.Display
}

// Initials are the letters of a tile: the display without its number.
func Initials(p plant.Person) string {
	if i := strings.IndexByte(p.Display, '('); i > 0 {
		return p.Display[:i]
	}
	return plant.Initial(p.Display)
}
