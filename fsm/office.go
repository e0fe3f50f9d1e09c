package fsm

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"envivo/plant"
)

// anotar adds a note (rules §11.9). It needs no hold and no state.
func (j *judge) anotar() (plant.Event, error) {
	text := strings.Join(strings.FieldsFunc(j.c.Texto, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
	text = strings.TrimSpace(text)
	if !j.probe && (text == "" || len([]rune(text)) > maxText) {
		return plant.Event{}, j.invalid("texto")
	}
	e := j.event(plant.KindNota, plant.OpNone)
	e.Texto = text
	after := Evolve(j.s, e)
	return j.tell(e, &after)
}

const (
	maxUnions = 20
	maxDN     = plant.Inches(5000) // 50 inches
)

// editarUniones replaces the set of unions (rules §11.6).
func (j *judge) editarUniones() (plant.Event, error) {
	if err := j.notBlocked(); err != nil {
		return plant.Event{}, err
	}
	e := j.event(plant.KindUniones, plant.OpNone)
	if j.probe {
		return e, nil
	}
	var worked []int
	seen := map[int]bool{}
	for _, u := range j.c.Edits {
		old, ok := j.s.Union(u.N)
		same := ok && old.DN == u.DN && old.Tipo == u.Tipo // engineering may exceed the form's limits
		if seen[u.N] || !same && !editable(u) {
			return e, j.invalid("unions")
		}
		seen[u.N] = true
		switch {
		case same:
		case ok && old.Worked():
			worked = append(worked, u.N)
		default:
			old.N, old.DN, old.Tipo = u.N, u.DN, u.Tipo
			e.Unions = append(e.Unions, old)
		}
	}
	for _, u := range j.s.Unions {
		switch {
		case seen[u.N]:
		case u.Worked():
			worked = append(worked, u.N)
		default:
			e.Removed = append(e.Removed, u.N)
		}
	}
	if len(worked) > 0 {
		r := j.refuse(plant.CodeUnion)
		r.Unions, r.Detail = worked, "unions with recorded work are neither changed nor deleted"
		return e, r
	}
	if len(e.Unions) == 0 && len(e.Removed) == 0 {
		return e, j.idle(plant.CodeUnchanged)
	}
	return j.settle(e)
}

// editable reports whether the form can hold such a union.
func editable(u plant.Union) bool {
	return u.N >= 1 && u.N <= maxUnions && u.DN > 0 && u.DN <= maxDN && strings.TrimSpace(u.Tipo) != ""
}

// settle lets completion follow from a changed set of unions (rules §11.5).
func (j *judge) settle(e plant.Event) (plant.Event, error) {
	after := Evolve(j.s, e)
	p := j.progress()
	if j.reconcile(&p, &after) {
		return j.seal(e, p)
	}
	return j.tell(e, &after)
}

// reconcile writes into p what the unions of after say of ARM and SOLD where
// nobody is at work: whoever finished the last one, and its day, or that
// something is missing again (rules §11.5). It reports whether p changed.
func (j *judge) reconcile(p *plant.Progress, after *plant.Spool) (changed bool) {
	if after.Quality != plant.SinVeredicto || len(after.Unions) == 0 {
		return false
	}
	for _, op := range []plant.Op{plant.ARM, plant.SOLD} {
		if !after.Hold.Free() && after.Hold.Op == op {
			continue
		}
		w := part(p, op)
		complete := after.Complete(op, j.rules) && !needsNone(after, op, j.rules)
		if complete && w.Phase != plant.Completado {
			if last, ok := after.LastDone(op); ok {
				*w, changed = plant.Work{Phase: plant.Completado, Worker: last.Worker, Fecha: plant.DateOf(last.End)}, true
			}
		}
		if !complete && w.Phase == plant.Completado {
			w.Phase, w.Fecha, changed = plant.Pausado, 0, true
		}
	}
	return changed
}

// importar takes what the office or a workbook brings (rules §2.9). What is
// there already is refused as unchanged, so that an import can be repeated.
func (j *judge) importar() (plant.Event, error) {
	im := j.c.Import
	j.actor = plant.Person{Display: system}
	if j.c.Actor != 0 {
		if w, ok := j.v.Worker(j.c.Actor); ok {
			j.actor = w.Person()
		}
	}
	j.person = j.actor
	switch {
	case im == nil:
		return plant.Event{}, j.invalid("import")
	case im.Worker != nil:
		return j.importarTrabajador(im)
	case im.Spool != nil:
		return j.importarSpool(im)
	}
	return j.importarOficina(im)
}

// system is how the log names what no person did.
const system = "SYSTEM"

func (j *judge) importarTrabajador(im *plant.Import) (plant.Event, error) {
	if im.Worker.ID <= 0 {
		return plant.Event{}, j.invalid("Id")
	}
	if old, ok := j.v.Worker(im.Worker.ID); ok && old == *im.Worker {
		return plant.Event{}, j.idle(plant.CodeUnchanged)
	}
	e := j.event(plant.KindTrabajador, plant.OpNone)
	e.Tag, e.Version, e.Worker, e.Import = "", 0, im.Worker.Person(), im
	return e, nil
}

func (j *judge) importarSpool(im *plant.Import) (plant.Event, error) {
	sp := im.Spool
	if strings.TrimSpace(string(sp.Tag)) == "" {
		return plant.Event{}, j.invalid("TAG_SPOOL")
	}
	if _, ok := j.v.Spool(sp.Tag); ok {
		return plant.Event{}, j.idle(plant.CodeUnchanged)
	}
	if err := Legal(sp); err != nil {
		r := j.invalid("TAG_SPOOL")
		r.Detail, r.Err = "the hydrated state is not one of ours", err
		return plant.Event{}, r
	}
	e := j.event(plant.KindImportar, plant.OpNone)
	e.Tag, e.Version, e.Import = sp.Tag, 1, im
	if sp.Token != "" {
		e.Token = sp.Token
	}
	e.After = sp.EstadoDetalle(j.rules)
	return e, nil
}

// importarOficina changes what the office owns on a spool that is known, or
// brings rows of the old log.
func (j *judge) importarOficina(im *plant.Import) (plant.Event, error) {
	var ok bool
	if j.s, ok = j.v.Spool(j.c.Tag); !ok {
		if j.c.Tag == "" && len(im.History) > 0 {
			e := j.event(plant.KindImportar, plant.OpNone)
			e.Version, e.Import = 0, im
			return e, nil
		}
		return plant.Event{}, j.refuse(plant.CodeSpoolNotFound)
	}
	e := j.event(plant.KindImportar, plant.OpNone)
	e.Import = im
	var err error
	if e.Unions, err = j.defined(im.Unions); err != nil {
		return plant.Event{}, err
	}
	office := im.Office != nil && *im.Office != j.s.Office
	notas, err := j.rewritten(im.Notas)
	if err != nil {
		return plant.Event{}, err
	}
	damaged := im.SetDamaged && !slices.Equal(im.Damaged, j.s.Damaged)
	if !office && !notas && !damaged && len(e.Unions) == 0 && len(im.History) == 0 {
		return plant.Event{}, j.idle(plant.CodeUnchanged)
	}
	return j.settle(e)
}

// rewritten reports whether the office's text of the notes is another. Whoever
// brings it has merged it with ours; a text that lost one of our entries was
// merged with older notes than these (rules §11.9).
func (j *judge) rewritten(text *string) (bool, error) {
	if text == nil || *text == j.s.Notas {
		return false, nil
	}
	kept := entries(*text)
	for entry, n := range entries(j.s.Notas) {
		if kept[entry] < n {
			r := j.invalid("Notas")
			r.Detail = fmt.Sprintf("the entry %q is missing", entry)
			return false, r
		}
	}
	return true, nil
}

// entries counts the dated lines of a text of notes.
func entries(notas string) map[string]int {
	out := map[string]int{}
	for line := range strings.Lines(notas) {
		line = strings.TrimSpace(line)
		day, _, dated := strings.Cut(line, ": ")
		if dated && len(day) == 8 && strings.Trim(day, "0123456789") == "" {
			out[line]++
		}
	}
	return out
}

// defined are the unions that engineering's definitions change. Work done is
// never touched: a union with any keeps its DN and type.
func (j *judge) defined(defs []plant.Union) ([]plant.Union, error) {
	var out []plant.Union
	for _, d := range defs {
		if d.N < 1 || d.DN <= 0 {
			return nil, j.invalid("N_UNION")
		}
		u, ok := j.s.Union(d.N)
		before := u
		if !ok || !u.Worked() {
			u.N, u.DN, u.Tipo = d.N, d.DN, d.Tipo
		}
		u.NDT, u.NDTResult, u.NDTDate, u.NDTStatus, u.SheetID = d.NDT, d.NDTResult, d.NDTDate, d.NDTStatus, d.SheetID
		if !ok || !reflect.DeepEqual(before, u) {
			out = append(out, u)
		}
	}
	return out, nil
}

// ajustar changes one of the store's own settings, the supervisor's business
// but for those that all share.
func (j *judge) ajustar() (plant.Event, error) {
	s := j.c.Setting
	switch {
	case !j.c.Supervisor && (s == nil || !s.Shared()):
		return plant.Event{}, j.refuse(plant.CodeSupervisor)
	case s == nil || s.Key == "":
		return plant.Event{}, j.invalid("setting")
	}
	if known, ok := j.v.(interface{ Setting(string) string }); ok && known.Setting(s.Key) == s.Value {
		return plant.Event{}, j.idle(plant.CodeUnchanged)
	}
	if j.c.Supervisor {
		j.person = plant.Person{Display: plant.SupervisorName}
	}
	j.actor = j.person
	e := j.event(plant.KindAjuste, plant.OpNone)
	e.Tag, e.Version, e.Setting = "", 0, s
	return e, nil
}

// Legal names what is wrong with a stored state that the rules do not know;
// nil when nothing is. It needs no settings, so it holds under all of them.
func Legal(s *plant.Spool) error {
	for _, op := range []plant.Op{plant.ARM, plant.SOLD} {
		w := s.Work(op)
		held := !s.Hold.Free() && s.Hold.Op == op
		switch {
		case w.Phase > plant.Completado:
			return fmt.Errorf("%v is in no known phase (%d)", op, w.Phase)
		case (w.Phase == plant.EnProgreso) != held:
			return fmt.Errorf("%v is %s, held for it: %v", op, w.Phase.Word(), held)
		case (w.Phase == plant.Completado) != (w.Fecha != 0):
			return fmt.Errorf("%v is %s with date %q", op, w.Phase.Word(), w.Fecha)
		}
	}
	repair := !s.Hold.Free() && s.Hold.Op == plant.REPARACION
	switch {
	case s.Quality > plant.BloqueadoQ:
		return fmt.Errorf("the quality is none that is known (%d)", s.Quality)
	case (s.Quality == plant.EnReparacion) != repair:
		return fmt.Errorf("the quality is %v, held for repair: %v", s.Quality, repair)
	case s.Ciclo > plant.MaxCiclo || s.Quality == plant.BloqueadoQ && s.Ciclo != plant.MaxCiclo:
		return fmt.Errorf("the quality is %v in cycle %d", s.Quality, s.Ciclo)
	case s.Hold.Op == plant.METROLOGIA || s.Hold.Free() && s.Hold != plant.Hold{}:
		return fmt.Errorf("the hold is for %q by %q", s.Hold.Op, s.Hold.Worker.Display)
	}
	for i, u := range s.Unions {
		if u.N < 1 || i > 0 && s.Unions[i-1].N >= u.N {
			return fmt.Errorf("union %d is out of order", u.N)
		}
	}
	return nil
}
