package ui

import (
	"fmt"
	"slices"
	"strings"

	"envivo/plant"
)

// CorrectPath is the page on which a supervisor puts right who did what.
func CorrectPath(t plant.Tag) string { return SpoolPath(t) + "/corregir" }

// CorrectForm is what a supervisor puts right on a spool (rules §2.9), and what
// was typed when it is shown again.
type CorrectForm struct {
	Tag                plant.Tag
	Version, CommandID string
	Choices            []CorrectChoice
	Workers            []plant.Worker
	// Dates is set where a day can be put right: without unions.
	Dates               bool
	Worker, Fecha, Otro string
	Motivo              string
	// Said is a refusal of what was sent before.
	Said string
}

// CorrectChoice is one thing with an author.
type CorrectChoice struct {
	// Value is "ARM 3" for a union, "ARM 0" for the operation as a whole.
	Value, Word, Who string
	On               bool
}

// NewCorrectForm lists what can be put right on a spool now; there are no
// choices when nothing can.
func NewCorrectForm(v *SpoolSight) *CorrectForm {
	s := v.spool()
	f := &CorrectForm{Tag: s.Tag, Version: v.Version(), Dates: len(s.Unions) == 0}
	if !s.Hold.Free() || s.Quality == plant.BloqueadoQ {
		return f
	}
	for _, op := range []plant.Op{plant.ARM, plant.SOLD} {
		if w := s.Work(op); w.Phase == plant.Completado {
			f.add(v, plant.Author{Op: op}, w.Worker)
		}
	}
	for i := range s.Unions {
		for _, op := range []plant.Op{plant.ARM, plant.SOLD} {
			if w := s.Unions[i].Part(op); w.Done() {
				f.add(v, plant.Author{N: s.Unions[i].N, Op: op}, w.Worker)
			}
		}
	}
	f.Workers = slices.DeleteFunc(v.Snap.Workers(), func(w plant.Worker) bool {
		return w.Roles&(plant.Armador|plant.Soldador|plant.Ayudante) == 0
	})
	slices.SortStableFunc(f.Workers, func(a, b plant.Worker) int {
		return strings.Compare(plant.Fold(a.FullName()), plant.Fold(b.FullName()))
	})
	return f
}

func (f *CorrectForm) add(v *SpoolSight, a plant.Author, who plant.Person) {
	f.Choices = append(f.Choices, CorrectChoice{Value: fmt.Sprintf("%s %d", a.Op, a.N), Word: authorWord(a), Who: nameOrDash(v.Snap, who)})
}

func authorWord(a plant.Author) string {
	if a.N == 0 {
		return a.Op.String() + " del spool"
	}
	return fmt.Sprintf("Unión %d · %s", a.N, a.Op)
}

// ParseAuthor reads a choice's value.
func ParseAuthor(value string) (plant.Author, bool) {
	var a plant.Author
	var op string
	if n, err := fmt.Sscanf(value, "%s %d", &op, &a.N); n != 2 || err != nil || a.N < 0 {
		return a, false
	}
	var ok bool
	a.Op, ok = plant.ParseOp(op)
	return a, ok
}

// Fill takes over what was sent.
func (f *CorrectForm) Fill(chosen []string) {
	for i := range f.Choices {
		f.Choices[i].On = slices.Contains(chosen, f.Choices[i].Value)
	}
}

// CorrectMotives are the usual reasons.
var correctMotives = [...]string{"Se anotó a otra persona", "Fecha mal puesta", "Se olvidó cambiar de persona en la tablet"}

// correctable reports whether More offers a correction.
func (v *SpoolSight) correctable() bool {
	return v.Supervisor && len(NewCorrectForm(v).Choices) > 0
}

// corrected are the cells of a supervisor's correction in words.
func corrected(e plant.Event, who People) []string {
	var out []string
	for _, c := range e.Correction {
		word, person := c.Column, true
		op, n, union := strings.Cut(c.Column, "_WORKER ")
		switch {
		case union:
			word = "Unión " + n + " " + op
		case strings.HasPrefix(c.Column, "Fecha_"):
			word, person = strings.ReplaceAll(c.Column, "_", " "), false
		}
		old, now := c.Old, c.New
		if person {
			old, now = nameOrDash(who, plant.ParsePerson(old)), nameOrDash(who, plant.ParsePerson(now))
		}
		out = append(out, fmt.Sprintf("%s: %s → %s", word, orDash(old), now))
	}
	return out
}
