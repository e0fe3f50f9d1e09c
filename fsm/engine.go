// Package fsm holds the rules of the plant: what a command comes to (Decide),
// what an event makes of a spool (Evolve) and what somebody may do now
// (Permitted). It is pure: no clock, no randomness, no I/O, no logging. The
// same view, command and instant always give the same answer, so a decision
// may run more than once.
package fsm

import (
	"strconv"
	"strings"
	"time"

	"envivo/plant"
)

// Engine decides under one set of rules. It is immutable and may be shared.
type Engine struct {
	rules   plant.Rules
	work    *machine[plant.Phase]
	quality *machine[plant.Quality]
}

// New builds the machines once.
func New(r plant.Rules) *Engine {
	return &Engine{rules: r, work: build(workEdges(), plant.Pendiente), quality: build(qualityEdges(), plant.SinVeredicto)}
}

// Decide judges one command on what v shows at now. An accepted command is
// exactly one event, complete but for Seq, Prev and PrevTag; a refused one is a
// *plant.Error. Checks follow the order of rules §4; the revision is compared
// last, so that a more telling refusal is never hidden behind "it changed".
func (e *Engine) Decide(v plant.View, c plant.Command, now time.Time) (plant.Event, error) {
	return e.decide(v, c, now, false)
}

func (e *Engine) decide(v plant.View, c plant.Command, now time.Time, probe bool) (plant.Event, error) {
	j := &judge{Engine: e, v: v, c: c, now: now, probe: probe}
	ev, err := j.decide()
	if err != nil {
		return plant.Event{}, err
	}
	return ev, nil
}

// judge is one decision in progress.
type judge struct {
	*Engine
	v   plant.View
	c   plant.Command
	now time.Time
	// probe asks whether the command could be sent at all: what a person still
	// has to fill in (motive, receiver, text) is not missed.
	probe bool

	s plant.Spool // as it is; never changed
	// who the command is for, and the same person and the one who pressed as
	// events name them.
	who           plant.Worker
	person, actor plant.Person
}

func (j *judge) decide() (plant.Event, error) {
	switch j.c.Verb {
	case plant.Importar:
		return j.importar()
	case plant.Ajustar:
		return j.ajustar()
	}
	var ok bool
	if j.s, ok = j.v.Spool(j.c.Tag); !ok {
		return plant.Event{}, j.refuse(plant.CodeSpoolNotFound)
	}
	if err := j.identify(); err != nil {
		return plant.Event{}, err
	}
	if j.c.Fecha > plant.DateOf(j.now) {
		return plant.Event{}, j.invalid("fecha_operacion")
	}
	switch j.c.Verb {
	case plant.Tomar:
		return j.tomar()
	case plant.Pausar, plant.Completar:
		return j.terminar()
	case plant.Finalizar:
		return j.finalizar()
	case plant.Cancelar:
		return j.cancelar()
	case plant.Inspeccionar:
		return j.inspeccionar()
	case plant.Relevar:
		return j.relevar()
	case plant.Traspasar:
		return j.traspasar()
	case plant.Liberar:
		return j.liberar()
	case plant.Desbloquear:
		return j.desbloquear()
	case plant.Deshacer:
		return j.deshacer()
	case plant.Anotar:
		return j.anotar()
	case plant.EditarUniones:
		return j.editarUniones()
	case plant.Corregir:
		return j.corregir()
	}
	return plant.Event{}, j.invalid("accion")
}

// identify finds who the command is for. Notes and edits of unions may come
// from nobody in particular; a supervisor need not be a worker at all. What was
// typed into the Sheet was typed by nobody we know.
func (j *judge) identify() error {
	id := j.c.Worker
	if j.byHand() {
		j.person = plant.Person{Display: system}
		j.actor = j.person
		return nil
	}
	switch j.c.Verb {
	case plant.Liberar, plant.Desbloquear, plant.Corregir:
		j.person = plant.Person{Display: plant.SupervisorName}
		if w, ok := j.v.Worker(id); ok && id != 0 {
			j.who, j.person = w, w.Person()
		}
	default:
		optional := j.c.Verb == plant.Anotar || j.c.Verb == plant.EditarUniones
		if id == 0 && optional {
			break
		}
		w, ok := j.worker(id)
		if !ok {
			return j.refuseFor(plant.CodeWorkerNotFound, plant.Person{ID: id})
		}
		j.who, j.person = w, w.Person()
	}
	if err := j.pressed(); err != nil {
		return err
	}
	if j.c.Verb == plant.Corregir {
		j.who, j.person = plant.Worker{}, plant.Person{Display: system}
	}
	return nil
}

// pressed finds who acts, which for somebody else only a supervisor may
// (rules §3).
func (j *judge) pressed() error {
	by := j.c.Actor
	j.actor = j.person
	switch {
	case by == 0 || by == j.c.Worker:
		return nil
	case !j.c.Supervisor:
		return j.refuse(plant.CodeSupervisor)
	case by == plant.BySupervisor:
		j.actor = plant.Person{Display: plant.SupervisorName}
		return nil
	}
	w, ok := j.worker(by)
	if !ok {
		return j.refuseFor(plant.CodeWorkerNotFound, plant.Person{ID: by})
	}
	j.actor = w.Person()
	return nil
}

// worker is an active worker; without the check of workers any number is one.
func (j *judge) worker(id plant.WorkerID) (plant.Worker, bool) {
	if id <= 0 {
		return plant.Worker{}, false
	}
	w, ok := j.v.Worker(id)
	switch {
	case ok && w.Activo:
		return w, true
	case j.rules.CheckWorkers:
		return w, false
	case !ok:
		w = plant.Worker{ID: id, Nombre: "?", Roles: ^plant.Role(0), Activo: true}
	}
	return w, true
}

// needed are the roles that may do an operation; 0 is anyone (rules §3).
func needed(op plant.Op) plant.Role {
	switch op {
	case plant.ARM:
		return plant.Armador | plant.Ayudante
	case plant.SOLD:
		return plant.Soldador | plant.Ayudante
	case plant.METROLOGIA:
		return plant.Metrologia
	}
	return 0
}

// role refuses a worker without the role for an operation.
func (j *judge) role(w plant.Worker, op plant.Op) error {
	must := needed(op)
	if !j.rules.CheckRoles || must == 0 || w.Roles&must != 0 {
		return nil
	}
	r := j.refuseFor(plant.CodeRole, w.Person())
	r.Op, r.Required, r.Has = op, must, w.Roles
	return r
}

// notBlocked refuses everything on a spool rejected three times (rules §4.5).
func (j *judge) notBlocked() error {
	if j.s.Quality == plant.BloqueadoQ {
		return j.refuse(plant.CodeBlocked)
	}
	return nil
}

// may are the checks before prerequisites, holder and state.
func (j *judge) may(op plant.Op) error {
	if err := j.role(j.who, op); err != nil {
		return err
	}
	return j.notBlocked()
}

// event begins the event of an accepted command.
func (j *judge) event(k plant.Kind, op plant.Op) plant.Event {
	c := &j.c
	return plant.Event{ID: c.UUID, At: j.now, Cmd: c.ID, Kind: k, Tag: j.s.Tag, Op: op, Worker: j.person, Actor: j.actor,
		Device: c.Device, Door: c.Door, Supervisor: c.Supervisor, Version: j.s.Version + 1, Token: c.UUID}
}

// progress is a copy of the spool's progress that may be changed.
func (j *judge) progress() plant.Progress {
	p := j.s.Progress
	p.Displaced = append([]plant.Displaced(nil), p.Displaced...)
	return p
}

// seal completes an event that changes the spool's progress.
func (j *judge) seal(e plant.Event, p plant.Progress) (plant.Event, error) {
	e.Progress = &p
	after := Evolve(j.s, e)
	if e.Kind != plant.KindDeshacer { // an undo restores, and the place in the queue with it
		if j.reconcile(&p, &after) {
			after = Evolve(j.s, e)
		}
		if !j.s.InQueue(j.rules) && after.InQueue(j.rules) {
			e.Ready, p.ReadyAt = true, j.now
		}
	}
	if e.Op == plant.ARM || e.Op == plant.SOLD {
		e.Done, e.Needed = after.Counts(e.Op, j.rules)
	}
	return j.tell(e, &after)
}

// tell adds the texts before and after, once the client is known to have seen
// the present revision.
func (j *judge) tell(e plant.Event, after *plant.Spool) (plant.Event, error) {
	if v := j.c.Version; v != nil && *v != j.s.Version {
		r := j.refuse(plant.CodeVersion)
		r.Want, r.Have = *v, j.s.Version
		return e, r
	}
	e.Before, e.After = j.s.EstadoDetalle(j.rules), after.EstadoDetalle(j.rules)
	return e, nil
}

// day is fecha_operacion, today in the plant by default.
func (j *judge) day() plant.Date {
	if j.c.Fecha != 0 {
		return j.c.Fecha
	}
	return plant.DateOf(j.now)
}

// newHold is a fresh occupation with its own lock token (rules §6.1).
func (j *judge) newHold(op plant.Op, p plant.Person) plant.Hold {
	return plant.Hold{Worker: p, Op: op, Since: j.now, Token: strconv.Itoa(int(p.ID)) + ":" + j.c.UUID}
}

// release ends the hold in p.
func release(p *plant.Progress) {
	p.LastHolder, p.LastOp, p.Hold = p.Hold.Worker, p.Hold.Op, plant.Hold{}
}

// part is the ARM or SOLD part of p; nil for other operations.
func part(p *plant.Progress, op plant.Op) *plant.Work {
	switch op {
	case plant.ARM:
		return &p.Arm
	case plant.SOLD:
		return &p.Sold
	}
	return nil
}

// motive is the reason given, required where the act has one.
func (j *judge) motive() (string, error) {
	m := strings.TrimSpace(j.c.Motivo)
	if m == "" && !j.probe || len([]rune(m)) > maxText {
		return "", j.invalid("motivo")
	}
	return m, nil
}

// maxText is the longest note or motive, in characters (rules §11.9).
const maxText = 500
