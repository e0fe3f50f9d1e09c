package plant

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Role is a bit set of the roles a worker has (rules §3).
type Role uint8

// The roles of the Roles worksheet.
const (
	Armador Role = 1 << iota
	Soldador
	Ayudante
	Metrologia
	Revestimiento
	Pintura
	Despacho
)

var roleNames = [...]string{"Armador", "Soldador", "Ayudante", "Metrologia", "Revestimiento", "Pintura", "Despacho"}

// Names lists the canonical spellings of the roles in the set.
func (r Role) Names() []string {
	out := make([]string, 0, 2)
	for i, n := range roleNames {
		if r&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

// ParseRole reads one role, ignoring case, accents and outer blanks.
func ParseRole(s string) (Role, bool) {
	f := Fold(strings.TrimSpace(s))
	for i, n := range roleNames {
		if Fold(n) == f {
			return 1 << i, true
		}
	}
	return 0, false
}

// Worker is a person of Trabajadores with the active roles of Roles.
type Worker struct {
	ID       WorkerID
	Nombre   string
	Apellido string
	Roles    Role
	Activo   bool
}

// Display is INICIALES(ID), the form used in JSON and in the Sheet (rules §2.3).
func (w Worker) Display() string {
	return Initial(w.Nombre) + Initial(w.Apellido) + "(" + strconv.Itoa(int(w.ID)) + ")"
}

// FullName is "Nombre Apellido", the form used on screens.
func (w Worker) FullName() string { return strings.TrimSpace(w.Nombre + " " + w.Apellido) }

// Person is the worker as written into events and cells.
func (w Worker) Person() Person { return Person{ID: w.ID, Display: w.Display()} }

// Initial is the upper-cased first letter of the first word of s; it keeps
// accents and is empty for a blank s.
func Initial(s string) string {
	r, n := utf8.DecodeRuneInString(strings.TrimSpace(s))
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(r))
}

// Person is a worker as a cell or an event names one. ID is 0 when the text
// carries no number: rows filled by hand before the system, or SYSTEM.
type Person struct {
	ID      WorkerID
	Display string
}

// None reports whether nobody is named.
func (p Person) None() bool { return p.ID == 0 && p.Display == "" }

// ParsePerson reads the text of a worker cell. The number in parentheses at
// the end identifies the worker; without it the text is kept as it is.
func ParsePerson(s string) Person {
	s = strings.TrimSpace(s)
	p := Person{Display: s}
	if !strings.HasSuffix(s, ")") {
		return p
	}
	open := strings.LastIndexByte(s, '(')
	if open < 0 {
		return p
	}
	if n, err := strconv.ParseInt(s[open+1:len(s)-1], 10, 32); err == nil && n > 0 {
		p.ID = WorkerID(n)
	}
	return p
}
