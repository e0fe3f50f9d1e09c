package fsm

import "envivo/plant"

// tomar begins or resumes an operation (rules §4.1, §4.2, §4.4).
func (j *judge) tomar() (plant.Event, error) {
	op := j.c.Op
	switch op {
	case plant.OpNone:
		return plant.Event{}, j.invalid("operacion")
	case plant.METROLOGIA:
		return plant.Event{}, j.refuse(plant.CodeNotAvailable)
	}
	if err := j.may(op); err != nil {
		return plant.Event{}, err
	}
	if op == plant.REPARACION {
		return j.tomarReparacion()
	}
	if err := j.before(op); err != nil {
		return plant.Event{}, err
	}
	switch {
	case !j.s.Hold.Free() && j.c.Door == plant.DoorV21 && j.s.Hold.Op == op:
		r := j.heldBy(j.refuse(plant.CodeStarted))
		return plant.Event{}, r
	case !j.s.Hold.Free():
		return plant.Event{}, j.occupied()
	case j.s.Quality != plant.SinVeredicto || j.s.Complete(op, j.rules):
		return plant.Event{}, j.done(op)
	}
	next, err := j.work.step(j.s.Phase(op, j.rules), tomar, facts{})
	if err != nil {
		return plant.Event{}, j.stepped(op, err)
	}
	p := j.progress()
	*part(&p, op) = plant.Work{Phase: next, Worker: j.person}
	j.grip(&p, op, j.person)
	return j.seal(j.event(plant.KindTomar, op), p)
}

// grip gives a spool to somebody, who thereby is displaced no longer.
func (j *judge) grip(p *plant.Progress, op plant.Op, who plant.Person) {
	p.Hold = j.newHold(op, who)
	p.Displaced = forget(p.Displaced, who.ID)
}

// before are the prerequisites of ARM and SOLD (rules §4.2).
func (j *judge) before(op plant.Op) error {
	if j.s.Office.Materiales == 0 {
		return j.dependency(plant.CodeDependency, op, "Fecha_Materiales")
	}
	if op != plant.SOLD {
		return nil
	}
	armed, _ := j.s.Counts(plant.ARM, j.rules)
	switch j.c.Door {
	case plant.DoorV3, plant.DoorV21:
		if armed > 0 || j.s.Arm.Phase != plant.Pendiente || !j.s.Arm.Worker.None() {
			return nil
		}
		return j.dependency(plant.CodeDependency, op, "ARM iniciado (Armador)")
	}
	if armed > 0 || j.s.ArmComplete(j.rules) || j.s.Arm.Phase == plant.Completado {
		return nil
	}
	if j.c.Door == plant.DoorV4 {
		return j.dependency(plant.CodeArmFirst, op, "ARM completado")
	}
	return j.dependency(plant.CodeDependency, op, "ARM completado")
}

func (j *judge) tomarReparacion() (plant.Event, error) {
	if !j.s.Hold.Free() {
		return plant.Event{}, j.occupied()
	}
	next, err := j.quality.step(j.s.Quality, tomar, facts{})
	if err != nil {
		r := j.refuse(plant.CodeNotAvailable)
		r.State = j.stateWord(plant.REPARACION)
		return plant.Event{}, r
	}
	p := j.progress()
	p.Quality = next
	j.grip(&p, plant.REPARACION, j.person)
	return j.seal(j.event(plant.KindTomarReparacion, plant.REPARACION), p)
}

// relevar takes an overdue hold over (rules §6.1).
func (j *judge) relevar() (plant.Event, error) {
	h := j.s.Hold
	if err := j.may(h.Op); err != nil {
		return plant.Event{}, err
	}
	switch {
	case h.Free():
		return plant.Event{}, j.transition(h.Op)
	case h.Worker.ID == j.who.ID:
		return plant.Event{}, j.occupied()
	case !h.Overdue(j.now, j.rules.TTL):
		return plant.Event{}, j.heldBy(j.refuse(plant.CodeTooEarly))
	}
	p := j.progress()
	remember(&p, j.person, plant.KindRelevar, j.now)
	e := j.event(plant.KindRelevar, h.Op)
	return j.pass(e, p, j.person)
}

// traspasar hands the spool to somebody who is there (rules §6.1).
func (j *judge) traspasar() (plant.Event, error) {
	op, err := j.claim()
	if err != nil {
		return plant.Event{}, err
	}
	e := j.event(plant.KindTraspasar, op)
	to := j.person
	if !j.probe {
		if to, err = j.receiver(op); err != nil {
			return plant.Event{}, err
		}
	}
	if e.Unions, err = j.record(op, j.c.Unions); err != nil {
		return plant.Event{}, err
	}
	e.Selected, e.PD = selected(e.Unions)
	if len(e.Selected) > 0 {
		if after := withUnions(&j.s, e.Unions); after.Complete(op, j.rules) {
			return plant.Event{}, j.done(op) // nothing is left to hand over: finish instead
		}
	}
	e.Worker = to
	return j.pass(e, j.progress(), to)
}

// receiver is the person a spool is handed to.
func (j *judge) receiver(op plant.Op) (plant.Person, error) {
	id := j.c.Destino
	if id == 0 || id == j.who.ID {
		return plant.Person{}, j.invalid("worker_destino")
	}
	w, ok := j.worker(id)
	if !ok {
		return plant.Person{}, j.refuseFor(plant.CodeWorkerNotFound, plant.Person{ID: id})
	}
	return w.Person(), j.role(w, op)
}

// pass moves the hold to somebody else with the work it stands for.
func (j *judge) pass(e plant.Event, p plant.Progress, to plant.Person) (plant.Event, error) {
	h := j.s.Hold
	e.From, e.HoldSince = h.Worker, h.Since
	if w := part(&p, h.Op); w != nil {
		next, err := j.work.step(j.s.Phase(h.Op, j.rules), entregar, facts{})
		if err != nil {
			return e, j.stepped(h.Op, err)
		}
		w.Phase, w.Worker = next, to
	} else if h.Op == plant.REPARACION {
		next, err := j.quality.step(p.Quality, entregar, facts{})
		if err != nil {
			return e, j.stepped(h.Op, err)
		}
		p.Quality = next
	}
	release(&p)
	j.grip(&p, h.Op, to)
	return j.seal(e, p)
}

// liberar ends somebody's hold by the supervisor (rules §6.1).
func (j *judge) liberar() (plant.Event, error) {
	if !j.c.Supervisor {
		return plant.Event{}, j.refuse(plant.CodeSupervisor)
	}
	if err := j.notBlocked(); err != nil {
		return plant.Event{}, err
	}
	h := j.s.Hold
	if h.Free() {
		return plant.Event{}, j.transition(plant.OpNone)
	}
	m, err := j.motive()
	if err != nil {
		return plant.Event{}, err
	}
	p := j.progress()
	remember(&p, j.person, plant.KindLiberar, j.now)
	if w := part(&p, h.Op); w != nil {
		if w.Phase, err = j.work.step(j.s.Phase(h.Op, j.rules), pausar, facts{}); err != nil {
			return plant.Event{}, j.stepped(h.Op, err)
		}
	} else if h.Op == plant.REPARACION {
		if p.Quality, err = j.quality.step(p.Quality, pausar, facts{}); err != nil {
			return plant.Event{}, j.stepped(h.Op, err)
		}
	}
	release(&p)
	e := j.event(plant.KindLiberar, h.Op)
	e.Worker, e.From, e.HoldSince, e.Motivo = h.Worker, h.Worker, h.Since, m
	return j.seal(e, p)
}
