package fsm

import (
	"slices"

	"envivo/plant"
)

// claim is the operation of the hold the caller speaks of, or why it is not
// theirs: ownership is judged before state (rules §6.2).
func (j *judge) claim() (plant.Op, error) {
	h, op := j.s.Hold, j.c.Op
	if op == plant.METROLOGIA {
		return op, j.refuse(plant.CodeNotAvailable)
	}
	if op == plant.OpNone {
		op = h.Op
	}
	mine := !h.Free() && h.Worker.ID == j.who.ID
	if !mine || op != h.Op { // a holder may always end the hold, whatever became of the role
		if err := j.role(j.who, op); err != nil {
			return op, err
		}
	}
	if err := j.notBlocked(); err != nil {
		return op, err
	}
	switch d, gone := displaced(&j.s, j.who.ID); {
	case mine && op == h.Op:
		return op, nil
	case mine:
		return op, j.transition(op)
	case gone:
		return op, j.expired(d)
	case !h.Free(), !j.s.LastHolder.None() && j.s.LastHolder.ID != j.who.ID:
		return op, j.notHolder()
	}
	return op, j.transition(op)
}

// terminar is PAUSAR and COMPLETAR. Both may name the unions done; with unions
// it is they that decide whether the operation is completed (rules §6.5).
func (j *judge) terminar() (plant.Event, error) {
	if op, free := j.loose(); free {
		return j.completarLibre(op)
	}
	if j.c.Door == plant.DoorV21 && j.c.Verb == plant.Completar && j.c.Op == plant.METROLOGIA {
		return plant.Event{}, j.noSecondVerdict()
	}
	op, err := j.claim()
	if err != nil {
		return plant.Event{}, err
	}
	finish := j.c.Verb == plant.Completar
	if op == plant.REPARACION {
		on := pausar
		if finish {
			on = completar
		}
		return j.endRepair(on)
	}
	return j.close(op, j.c.Unions, finish)
}

// noSecondVerdict refuses to complete an inspection, which begins and ends at
// once (rules §9.8).
func (j *judge) noSecondVerdict() error {
	if err := j.may(plant.METROLOGIA); err != nil {
		return err
	}
	if q := j.s.Quality; q != plant.SinVeredicto && q != plant.PendienteMetrologia {
		return j.done(plant.METROLOGIA)
	}
	return j.refuse(plant.CodeNotAvailable)
}

// loose reports a v2.1 completion of a spool that nobody holds: that door
// never took a spool before it finished one (rules §9.8).
func (j *judge) loose() (plant.Op, bool) {
	op := j.c.Op
	return op, j.c.Door == plant.DoorV21 && j.c.Verb == plant.Completar && j.s.Hold.Free() && (op == plant.ARM || op == plant.SOLD)
}

func (j *judge) completarLibre(op plant.Op) (plant.Event, error) {
	if err := j.may(op); err != nil {
		return plant.Event{}, err
	}
	switch {
	case j.s.Complete(op, j.rules):
		return plant.Event{}, j.done(op)
	case j.s.Phase(op, j.rules) != plant.Pausado:
		r := j.refuse(plant.CodeNotStarted)
		return plant.Event{}, r
	case len(j.s.Unions) > 0: // the unions say that it is not done, and none was named
		return plant.Event{}, j.idle(plant.CodeUnchanged)
	}
	next, err := j.work.step(plant.Pausado, cerrar, facts{})
	if err != nil {
		return plant.Event{}, j.stepped(op, err)
	}
	p := j.progress()
	*part(&p, op) = plant.Work{Phase: next, Worker: j.person, Fecha: j.day()}
	e := j.event(plant.KindCompletar, op)
	e.Fecha, e.Outcome = j.day(), plant.Completar
	return j.seal(e, p)
}

// finalizar lets the unions named decide (rules §6.5).
func (j *judge) finalizar() (plant.Event, error) {
	switch j.c.Override {
	case plant.VerbNone:
		if j.c.Unions == nil { // absent is not empty
			return plant.Event{}, j.invalid("selected_unions")
		}
	case plant.Pausar, plant.Completar:
	default:
		return plant.Event{}, j.invalid("action_override")
	}
	op, err := j.claim()
	if err != nil {
		return plant.Event{}, err
	}
	over := j.c.Override
	switch {
	case over == plant.VerbNone && len(j.c.Unions) == 0:
		return j.cancelHeld(op)
	case op == plant.REPARACION && over == plant.Pausar:
		return j.endRepair(pausar)
	case op == plant.REPARACION:
		return j.endRepair(completar)
	case over == plant.Pausar:
		return j.close(op, nil, false)
	case over == plant.Completar:
		return j.close(op, numbers(j.s.Available(op, j.rules)), true)
	case len(j.s.Unions) == 0:
		return j.close(op, nil, true)
	}
	return j.close(op, j.c.Unions, true)
}

func numbers(us []plant.Union) []int {
	out := make([]int, 0, len(us))
	for _, u := range us {
		out = append(out, u.N)
	}
	return out
}

// close ends the caller's hold on ARM or SOLD. chosen are the unions done in
// it; finish says what a spool without unions comes to.
func (j *judge) close(op plant.Op, chosen []int, finish bool) (plant.Event, error) {
	if op == plant.OpNone { // imported as held for nobody knows what
		return j.letGo(finish)
	}
	done, err := j.record(op, chosen)
	if err != nil {
		return plant.Event{}, err
	}
	after := withUnions(&j.s, done)
	complete := finish
	if len(j.s.Unions) > 0 {
		complete = after.Complete(op, j.rules) && !needsNone(&after, op, j.rules)
	}
	on := cerrar
	if !complete && len(j.s.Unions) == 0 {
		on = pausar
	}
	next, err := j.work.step(plant.EnProgreso, on, facts{open: !complete})
	if err != nil {
		return plant.Event{}, j.stepped(op, err)
	}
	p := j.progress()
	e := j.event(plant.KindPausar, op)
	e.Outcome, e.Fecha = plant.Pausar, j.day()
	w := part(&p, op)
	w.Phase = next
	if complete {
		e.Kind, e.Outcome = plant.KindCompletar, plant.Completar
		w.Worker, w.Fecha = j.person, j.day()
		if last, ok := after.LastDone(op); ok && len(done) == 0 { // done earlier, perhaps by somebody else
			w.Worker, w.Fecha = last.Worker, plant.DateOf(last.End)
		}
		e.Fecha = w.Fecha
	}
	e.Unions = done
	e.Selected, e.PD = selected(done)
	e.HoldSince = p.Hold.Since
	release(&p)
	return j.seal(e, p)
}

// needsNone reports SOLD on a spool without a single union to weld: it never
// gets a date (rules §11.5).
func needsNone(s *plant.Spool, op plant.Op, r plant.Rules) bool {
	_, needed := s.Counts(op, r)
	return needed == 0
}

// letGo ends a hold whose operation nobody could tell at import.
func (j *judge) letGo(finish bool) (plant.Event, error) {
	if finish {
		return plant.Event{}, j.transition(plant.OpNone)
	}
	p := j.progress()
	e := j.event(plant.KindPausar, plant.OpNone)
	e.Outcome, e.HoldSince = plant.Pausar, p.Hold.Since
	release(&p)
	return j.seal(e, p)
}

// record is the unions chosen as they are once this hold has done them.
func (j *judge) record(op plant.Op, chosen []int) ([]plant.Union, error) {
	if len(chosen) == 0 {
		return nil, nil
	}
	if op != plant.ARM && op != plant.SOLD {
		return nil, nil // a repair touches no union
	}
	can := j.s.Available(op, j.rules)
	if len(chosen) > len(can) && !repeats(chosen) {
		r := j.refuse(plant.CodeRace)
		r.Op, r.Want, r.Have = op, uint64(len(can)), uint64(len(chosen))
		return nil, r
	}
	out := make([]plant.Union, 0, len(chosen))
	var no []int
	var whys []plant.UnionWhy
	for _, n := range chosen {
		i := slices.IndexFunc(can, func(u plant.Union) bool { return u.N == n })
		twice := slices.ContainsFunc(out, func(u plant.Union) bool { return u.N == n })
		if i < 0 || twice {
			why := plant.UnionTwice
			if !twice {
				why = j.notOpen(op, n)
			}
			no, whys = append(no, n), append(whys, why)
			continue
		}
		u := can[i]
		*u.Part(op) = plant.JointWork{Worker: j.person, Start: j.s.Hold.Since, End: j.now}
		out = append(out, u)
	}
	if len(no) > 0 {
		r := j.refuse(plant.CodeUnion)
		r.Op, r.Unions, r.Whys = op, no, whys
		return nil, r
	}
	slices.SortFunc(out, func(a, b plant.Union) int { return a.N - b.N })
	return out, nil
}

// notOpen is why a union is not among those available for an operation.
func (j *judge) notOpen(op plant.Op, n int) plant.UnionWhy {
	u, ok := j.s.Union(n)
	switch {
	case !ok:
		return plant.UnionMissing
	case u.Part(op).Done():
		return plant.UnionDone
	case op == plant.SOLD && !j.rules.Welded[u.Tipo]:
		return plant.UnionWeldless
	}
	return plant.UnionUnarmed
}

func repeats(n []int) bool {
	seen := map[int]bool{}
	for _, x := range n {
		if seen[x] {
			return true
		}
		seen[x] = true
	}
	return false
}

// selected are the numbers and inches of unions.
func selected(us []plant.Union) (n []int, pd plant.Inches) {
	for _, u := range us {
		n, pd = append(n, u.N), pd+u.DN
	}
	return n, pd
}

// withUnions is the spool with some unions replaced.
func withUnions(s *plant.Spool, changed []plant.Union) plant.Spool {
	out := *s
	out.Unions = merged(s.Unions, changed, nil)
	return out
}

// endRepair ends the caller's hold on a repair (rules §4.4).
func (j *judge) endRepair(on trigger) (plant.Event, error) {
	next, err := j.quality.step(j.s.Quality, on, facts{})
	if err != nil {
		return plant.Event{}, j.stepped(plant.REPARACION, err)
	}
	kind, outcome := plant.KindPausarReparacion, plant.Pausar
	p := j.progress()
	p.Quality = next
	switch on {
	case completar:
		kind, outcome, p.FechaQC = plant.KindCompletarReparacion, plant.Completar, 0
	case cancelar:
		kind, outcome = plant.KindCancelarReparacion, plant.Cancelar
	}
	e := j.event(kind, plant.REPARACION)
	e.Outcome, e.Fecha, e.HoldSince = outcome, j.day(), p.Hold.Since
	if !p.Hold.Free() {
		release(&p)
	}
	return j.seal(e, p)
}

// cancelar takes the beginning of an operation back (rules §6.4). On a free,
// paused spool anyone with the role may.
func (j *judge) cancelar() (plant.Event, error) {
	op := j.c.Op
	if op == plant.METROLOGIA {
		return plant.Event{}, j.refuse(plant.CodeNotAvailable)
	}
	if !j.s.Hold.Free() {
		op, err := j.claim()
		if err != nil {
			return plant.Event{}, err
		}
		return j.cancelHeld(op)
	}
	if err := j.may(op); err != nil {
		return plant.Event{}, err
	}
	// whoever lost the hold is told so first; v2.1 never held what it cancelled
	if d, gone := displaced(&j.s, j.who.ID); gone && j.c.Door != plant.DoorV21 {
		return plant.Event{}, j.expired(d)
	}
	switch {
	case op == plant.REPARACION && j.s.Quality == plant.ReparacionPausada:
		return j.endRepair(cancelar)
	case op == plant.ARM || op == plant.SOLD:
		if j.paused(op) {
			return j.undoWork(op)
		}
	}
	switch {
	case op == plant.OpNone:
		return plant.Event{}, j.transition(op)
	case op != plant.REPARACION && j.s.Complete(op, j.rules):
		return plant.Event{}, j.done(op)
	}
	r := j.refuse(plant.CodeNotStarted)
	r.State = j.stateWord(op)
	return plant.Event{}, r
}

// paused reports a begun operation whose beginning can be taken back.
func (j *judge) paused(op plant.Op) bool {
	return j.s.Quality == plant.SinVeredicto && j.s.Phase(op, j.rules) == plant.Pausado && !j.s.Work(op).Worker.None()
}

func (j *judge) cancelHeld(op plant.Op) (plant.Event, error) {
	switch op {
	case plant.REPARACION:
		return j.endRepair(cancelar)
	case plant.OpNone:
		return j.letGo(false)
	}
	return j.undoWork(op)
}

// undoWork clears the worker column and ends the hold, if there is one. Unions
// done stay with their author, so that the spool remains begun.
func (j *judge) undoWork(op plant.Op) (plant.Event, error) {
	_, recorded := j.s.LastDone(op)
	next, err := j.work.step(j.s.Phase(op, j.rules), cancelar, facts{recorded: recorded})
	if err != nil {
		return plant.Event{}, j.stepped(op, err)
	}
	p := j.progress()
	*part(&p, op) = plant.Work{Phase: next}
	e := j.event(plant.KindCancelar, op)
	e.Outcome, e.Fecha = plant.Cancelar, j.day()
	if !p.Hold.Free() {
		e.HoldSince = p.Hold.Since
		release(&p)
	}
	return j.seal(e, p)
}
