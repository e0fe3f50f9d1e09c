package fsm

import (
	"errors"
	"strings"
	"time"

	"envivo/plant"
)

// refuse begins a refusal of the command to the person it is for.
func (j *judge) refuse(code plant.Code) *plant.Error { return j.refuseFor(code, j.person) }

func (j *judge) refuseFor(code plant.Code, p plant.Person) *plant.Error {
	tag := j.s.Tag // as the Sheet spells it
	if tag == "" {
		tag = j.c.Tag
	}
	return &plant.Error{Code: code, Verb: j.c.Verb, Op: j.c.Op, Tag: tag, Worker: p}
}

// idle refuses a command that would change nothing, or no longer can, and says
// where the spool stands.
func (j *judge) idle(code plant.Code) *plant.Error {
	r := j.refuse(code)
	op := r.Op
	if op == plant.OpNone {
		op = j.s.Hold.Op
	}
	r.Transition, r.State = strings.ToLower(j.c.Verb.String()), j.stateWord(op)
	return r
}

// invalid refuses a field of the command.
func (j *judge) invalid(field string) *plant.Error {
	r := j.refuse(plant.CodeInvalid)
	r.Missing = field
	return r
}

// heldBy adds the present hold to a refusal.
func (j *judge) heldBy(r *plant.Error) *plant.Error {
	h := j.s.Hold
	r.Holder, r.HeldFor, r.Since = h.Worker, h.Op, h.Since
	if j.rules.TTL > 0 {
		r.Until = h.Since.Add(j.rules.TTL)
	}
	return r
}

func (j *judge) occupied() error { return j.heldBy(j.refuse(plant.CodeOccupied)) }

// dependency names what must come first.
func (j *judge) dependency(code plant.Code, op plant.Op, missing string) error {
	r := j.refuse(code)
	r.Op, r.Missing = op, missing
	return r
}

// done says who finished an operation, and when.
func (j *judge) done(op plant.Op) error {
	r := j.refuse(plant.CodeDone)
	r.Op = op
	switch {
	case op == plant.METROLOGIA:
		r.Holder = j.s.Inspector
	case op == plant.ARM || op == plant.SOLD:
		r.Holder, r.Since = j.s.Work(op).Worker, j.s.FinishedAt(op)
	}
	return r
}

// transition says from where the command leads nowhere.
func (j *judge) transition(op plant.Op) error {
	r := j.refuse(plant.CodeTransition)
	r.Op, r.Transition, r.State = op, strings.ToLower(j.c.Verb.String()), j.stateWord(op)
	if !j.s.Hold.Free() {
		r.Holder, r.HeldFor, r.Since = j.s.Hold.Worker, j.s.Hold.Op, j.s.Hold.Since
	}
	return r
}

// stateWord is where the spool stands as far as an operation is concerned.
func (j *judge) stateWord(op plant.Op) string {
	switch {
	case op == plant.ARM || op == plant.SOLD:
		return j.s.Phase(op, j.rules).Word()
	case j.s.Quality != plant.SinVeredicto:
		return strings.ReplaceAll(j.s.Quality.String(), "_", " ")
	case j.s.Hold.Free():
		return "libre"
	}
	return "en progreso"
}

// stepped turns a machine's refusal into ours.
func (j *judge) stepped(op plant.Op, err error) error {
	var no *errStep
	if errors.As(err, &no) {
		return j.transition(op)
	}
	r := j.refuse(plant.CodeInternal)
	r.Err = err
	return r
}

// displaced finds the memory of a hold that somebody else ended (rules §6.1).
func displaced(s *plant.Spool, id plant.WorkerID) (plant.Displaced, bool) {
	for _, d := range s.Displaced {
		if d.Worker == id && id != 0 {
			return d, true
		}
	}
	return plant.Displaced{}, false
}

func (j *judge) expired(d plant.Displaced) error {
	r := j.refuse(plant.CodeDisplaced)
	r.By, r.How, r.Since, r.HeldFor = d.By, d.How, d.At, d.Op
	r.Holder = j.s.Hold.Worker
	return r
}

// notHolder names who has the spool, or had it last.
func (j *judge) notHolder() error {
	r := j.refuse(plant.CodeNotHolder)
	if j.s.Hold.Free() {
		r.Holder, r.HeldFor = j.s.LastHolder, j.s.LastOp
		return r
	}
	return j.heldBy(r)
}

// forget drops a worker from the displaced; remember adds one.
func forget(all []plant.Displaced, id plant.WorkerID) []plant.Displaced {
	var out []plant.Displaced
	for _, d := range all {
		if d.Worker != id {
			out = append(out, d)
		}
	}
	return out
}

func remember(p *plant.Progress, by plant.Person, how plant.Kind, at time.Time) {
	h := p.Hold
	p.Displaced = forget(p.Displaced, h.Worker.ID)
	if h.Worker.ID != 0 {
		p.Displaced = append(p.Displaced, plant.Displaced{Worker: h.Worker.ID, Op: h.Op, By: by, How: how, At: at})
	}
}
