package ui

import (
	"fmt"

	"envivo/plant"
)

// Look is how a state is shown: a word, a shape and a class that carries the
// fill (ui tokens --e-…).
type Look struct {
	Word, Icon, Class string
	// Aside is said after the word, smaller.
	Aside string
}

// Text is the look in words.
func (l Look) Text() string {
	if l.Aside == "" {
		return l.Word
	}
	return l.Word + " " + l.Aside
}

// looks is indexed by Estado.
var looks = [...]Look{
	plant.Bloqueado:         {Word: "Bloqueado", Icon: "candado", Class: "blo"},
	plant.Reparando:         {Word: "En reparación", Icon: "llave", Class: "rep"},
	plant.EnPausaReparacion: {Word: "En reparación", Icon: "pausa", Class: "rep", Aside: "en pausa"},
	plant.EstadoRechazado:   {Word: "Rechazado", Icon: "cruz", Class: "rec"},
	plant.EstadoAprobado:    {Word: "Aprobado", Icon: "visto", Class: "apr"},
	plant.PorInspeccionar:   {Word: "Por inspeccionar", Icon: "lupa", Class: "ins"},
	plant.EnCursoARM:        {Word: "En curso · ARM", Icon: "punto", Class: "cur"},
	plant.EnCursoSOLD:       {Word: "En curso · SOLD", Icon: "punto", Class: "cur"},
	plant.EnCurso:           {Word: "En curso", Icon: "punto", Class: "cur"},
	plant.Parcial:           {Word: "Parcial", Icon: "pausa", Class: "par"},
	plant.ListoARM:          {Word: "Listo para ARM", Icon: "aro", Class: "lis"},
	plant.ListoSOLD:         {Word: "Listo para SOLD", Icon: "aro", Class: "lis"},
	plant.NoListo:           {Word: "No listo", Icon: "aro-roto", Class: "nol"},
}

// LookOf is the look of a state, without counts.
func LookOf(e plant.Estado) Look { return looks[e] }

// ChipOf is the look of one spool's chip, counts included.
func ChipOf(r *plant.Row) Look {
	l, s := looks[r.Estado], r.Spool
	switch r.Estado {
	case plant.Reparando, plant.EnPausaReparacion, plant.EstadoRechazado:
		if s.Ciclo > 0 {
			l.Word = fmt.Sprintf("%s %d/%d", l.Word, s.Ciclo, plant.MaxCiclo)
		}
	case plant.Parcial:
		l.Word = partialWord(s, r.Tally)
	}
	return l
}

func partialWord(s *plant.Spool, t plant.Tally) string {
	word := "Parcial"
	if s.Arm.Phase == plant.Pausado || s.Sold.Phase == plant.Pausado {
		word = "En pausa"
	}
	switch {
	case t.Total == 0:
		return word
	case t.Armed == t.Total && t.ToWeld > 0:
		return fmt.Sprintf("%s %d/%d", word, t.Welded, t.ToWeld)
	}
	return fmt.Sprintf("%s %d/%d", word, t.Armed, t.Total)
}

// Progress is "ARM 7/7 · SOLD 3/7 · 18/42 PD", or the phases in words for a
// spool without unions.
func Progress(r *plant.Row) string {
	t := r.Tally
	if t.Total == 0 {
		return fmt.Sprintf("ARM %s · SOLD %s", r.Spool.Arm.Phase.Word(), r.Spool.Sold.Phase.Word())
	}
	return fmt.Sprintf("ARM %d/%d · SOLD %d/%d · %s PD", t.Armed, t.Total, t.Welded, t.ToWeld, doneOf(r))
}

// doneOf is the inches done of the inches to do in the operation under way.
func doneOf(r *plant.Row) string {
	done, all := inches(r)
	return PD(done) + "/" + PD(all)
}

func inches(r *plant.Row) (done, all plant.Inches) {
	if t := r.Tally; t.Armed < t.Total || t.ToWeld == 0 {
		return t.PDArmed, t.PDTotal
	}
	return r.Tally.PDSold, r.Tally.PDWeld
}

// Short progress of the operation a spool is held for: "3/7 · 18 PD".
func heldProgress(r *plant.Row) string {
	t := r.Tally
	switch {
	case t.Total == 0 || r.Spool.Hold.Op == plant.REPARACION:
		return ""
	case r.Spool.Hold.Op == plant.SOLD:
		return fmt.Sprintf("%d/%d · %s PD", t.Welded, t.ToWeld, PD(t.PDWeld))
	}
	return fmt.Sprintf("%d/%d · %s PD", t.Armed, t.Total, PD(t.PDTotal))
}

// whyNotReady is what a spool that is not ready waits for, and whom to tell.
func whyNotReady(r *plant.Row) string {
	s, t := r.Spool, r.Tally
	switch {
	case s.Office.Materiales == 0:
		return "Falta registrar la llegada de materiales. Avisa a tu supervisor."
	case t.Armed < t.Total: // its ARM was closed before the unions were known
		return fmt.Sprintf("ARM figura terminado y hay %s sin armar. Avisa a tu supervisor.", Plural(t.Total-t.Armed, "unión", "uniones"))
	case t.Welded < t.ToWeld:
		return fmt.Sprintf("SOLD figura terminado y hay %s sin soldar. Avisa a tu supervisor.", Plural(t.ToWeld-t.Welded, "unión", "uniones"))
	}
	return "Falta trabajo anterior en este spool. Avisa a tu supervisor."
}

// opWords are the operations as the floor says them.
var opWords = [...]string{"", "ARM", "SOLD", "Metrología", "Reparación"}

// OpWord is the operation's word on screens.
func OpWord(o plant.Op) string { return opWords[o] }

// RoleWords are the roles of a worker as screens spell them.
func RoleWords(r plant.Role) string {
	out := ""
	for _, n := range r.Names() {
		if out != "" {
			out += " · "
		}
		out += RoleWord(n)
	}
	return out
}

// RoleWord is a role with its accent.
func RoleWord(name string) string {
	if name == "Metrologia" {
		return "Metrología"
	}
	return name
}
