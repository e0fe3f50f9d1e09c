package fsm

import (
	"errors"
	"time"

	"envivo/plant"
)

// Asker is who wants to know what is possible.
type Asker struct {
	// Worker is 0 for nobody identified.
	Worker     plant.WorkerID
	Supervisor bool
	Door       plant.Door
}

// Action is one act on one spool: allowed, or refused and why.
type Action struct {
	Verb    plant.Verb
	Op      plant.Op
	Allowed bool
	Refusal *plant.Error // nil when allowed
}

// acts are all acts a person may be offered, in the order of verbs.
func acts() []Action {
	var out []Action
	for _, v := range []plant.Verb{plant.Tomar, plant.Pausar, plant.Completar, plant.Cancelar, plant.Finalizar} {
		for _, op := range []plant.Op{plant.ARM, plant.SOLD, plant.REPARACION} {
			out = append(out, Action{Verb: v, Op: op})
		}
	}
	out = append(out, Action{Verb: plant.Inspeccionar, Op: plant.METROLOGIA})
	for _, v := range []plant.Verb{plant.Relevar, plant.Traspasar, plant.Liberar, plant.Desbloquear, plant.Deshacer, plant.Anotar, plant.EditarUniones} {
		out = append(out, Action{Verb: v})
	}
	return out
}

// Permitted says of every act whether Decide would accept it from the asker at
// now, given that what is still to be filled in (motive, receiver, unions) is
// filled in well: it asks Decide itself, so a page never offers what the box
// refuses (rules §11.10). The order is always the same.
func (e *Engine) Permitted(v plant.View, t plant.Tag, a Asker, now time.Time) []Action {
	out := acts()
	for i := range out {
		act := &out[i]
		c := plant.Command{Verb: act.Verb, Op: act.Op, Tag: t, Worker: a.Worker, Supervisor: a.Supervisor, Door: a.Door}
		if act.Verb == plant.Finalizar {
			c.Override = plant.Pausar // legal exactly when some selection is
		}
		_, err := e.decide(v, c, now, true)
		act.Allowed = err == nil
		if err != nil && !errors.As(err, &act.Refusal) {
			act.Refusal = &plant.Error{Code: plant.CodeInternal, Verb: act.Verb, Op: act.Op, Tag: t, Err: err}
		}
	}
	return out
}
