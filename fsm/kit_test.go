package fsm_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"envivo/fsm"
	"envivo/plant"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The people of these tests. inactiva has left, nadie never existed.
const (
	ana      plant.WorkerID = 1 // Armador
	beto     plant.WorkerID = 2 // Armador
	sol      plant.WorkerID = 3 // Soldador
	saul     plant.WorkerID = 4 // Soldador
	ayu      plant.WorkerID = 5 // Ayudante
	mario    plant.WorkerID = 6 // Metrologia
	pia      plant.WorkerID = 7 // Pintura
	inactiva plant.WorkerID = 67
	nadie    plant.WorkerID = 99
)

var roles = map[plant.WorkerID]plant.Role{ana: plant.Armador, beto: plant.Armador, sol: plant.Soldador, saul: plant.Soldador,
	ayu: plant.Ayudante, mario: plant.Metrologia, pia: plant.Pintura, inactiva: plant.Armador}

// The spools of these tests: without unions, with three to weld and one that
// is only fitted, with one that is only fitted, and without materials.
const (
	liso   plant.Tag = "LISO-1"
	cuatro plant.Tag = "CUATRO-1"
	fit    plant.Tag = "FIT-1"
	vacio  plant.Tag = "VACIO-1"
)

// fataler is what testing.T and rapid.T share.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// floor is a plant in memory: the engine, its view and the fold of its events.
type floor struct {
	fataler
	engine  *fsm.Engine
	rules   plant.Rules
	now     time.Time
	spools  map[plant.Tag]plant.Spool
	workers map[plant.WorkerID]plant.Worker
	events  []plant.Event
}

func (f *floor) Spool(t plant.Tag) (plant.Spool, bool) { s, ok := f.spools[t]; return s, ok }
func (f *floor) Worker(id plant.WorkerID) (plant.Worker, bool) {
	w, ok := f.workers[id]
	return w, ok
}

func (f *floor) Held(id plant.WorkerID) (out []plant.Tag) {
	for t, s := range f.spools {
		if !s.Hold.Free() && s.Hold.Worker.ID == id {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return out
}

func newFloor(t fataler) *floor { return floorUnder(t, plant.DefaultRules()) }

func floorUnder(t fataler, r plant.Rules) *floor {
	f := &floor{fataler: t, engine: fsm.New(r), rules: r, now: time.Date(2026, 11, 2, 11, 0, 0, 0, time.UTC),
		spools: map[plant.Tag]plant.Spool{}, workers: map[plant.WorkerID]plant.Worker{}}
	for id, role := range roles {
		f.workers[id] = plant.Worker{ID: id, Nombre: "Ana", Apellido: "Bravo", Roles: role, Activo: id != inactiva}
	}
	ready := plant.Office{Materiales: plant.DateOf(f.now)}
	f.bring(plant.Spool{Tag: liso, Office: ready})
	f.bring(plant.Spool{Tag: cuatro, Office: ready, Unions: []plant.Union{
		{N: 1, DN: 200, Tipo: "BW"}, {N: 2, DN: 400, Tipo: "BW"}, {N: 3, DN: 50, Tipo: "SO"}, {N: 4, DN: 100, Tipo: "FW"}}})
	f.bring(plant.Spool{Tag: fit, Office: ready, Unions: []plant.Union{{N: 1, DN: 200, Tipo: "FW"}}})
	f.bring(plant.Spool{Tag: vacio})
	return f
}

func (f *floor) bring(s plant.Spool) {
	f.Helper()
	f.must(plant.Command{Verb: plant.Importar, Tag: s.Tag, Import: &plant.Import{Spool: &s}})
}

// do decides a command and, like the store, folds its event.
func (f *floor) do(c plant.Command) (plant.Event, error) {
	n := plant.Seq(len(f.events) + 1)
	if c.UUID == "" {
		c.UUID = fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
	}
	e, err := f.engine.Decide(f, c, f.now)
	if err != nil {
		return e, err
	}
	e.Seq, e.Prev = n, n-1
	f.events = append(f.events, e)
	if e.Import != nil && e.Import.Worker != nil {
		f.workers[e.Import.Worker.ID] = *e.Import.Worker
	}
	if e.Tag != "" {
		s := fsm.Evolve(f.spools[e.Tag], e)
		s.Last = n
		f.spools[e.Tag] = s
	}
	return e, nil
}

// must is a command that the rules accept.
func (f *floor) must(c plant.Command) plant.Event {
	f.Helper()
	e, err := f.do(c)
	if err != nil {
		f.Fatalf("%v %v on %s by %d = %v, want it accepted", c.Verb, c.Op, c.Tag, c.Worker, err)
	}
	f.now = f.now.Add(time.Minute)
	return e
}

// refused is a command that the rules refuse with a code, leaving the spool as
// it was.
func (f *floor) refused(c plant.Command, want plant.Code) *plant.Error {
	f.Helper()
	before := f.spools[c.Tag].Version
	_, err := f.do(c)
	var e *plant.Error
	if !errors.As(err, &e) || e.Code != want {
		f.Fatalf("%v %v on %s by %d = %v, want a refusal with code %d", c.Verb, c.Op, c.Tag, c.Worker, err, want)
	}
	if got := f.spools[c.Tag].Version; got != before {
		f.Fatalf("a refused %v moved %s from revision %d to %d", c.Verb, c.Tag, before, got)
	}
	return e
}

// spool is the spool as it is now.
func (f *floor) spool(t plant.Tag) plant.Spool { return f.spools[t] }

// The commands, as short as they can be said.

func cmd(v plant.Verb, t plant.Tag, op plant.Op, by plant.WorkerID) plant.Command {
	return plant.Command{Verb: v, Tag: t, Op: op, Worker: by}
}

func finish(t plant.Tag, by plant.WorkerID, unions ...int) plant.Command {
	return plant.Command{Verb: plant.Finalizar, Tag: t, Worker: by, Unions: append([]int{}, unions...)}
}

func verdict(t plant.Tag, r plant.Resultado) plant.Command {
	return plant.Command{Verb: plant.Inspeccionar, Tag: t, Op: plant.METROLOGIA, Worker: mario, Resultado: r}
}

func boss(v plant.Verb, t plant.Tag) plant.Command {
	return plant.Command{Verb: v, Tag: t, Supervisor: true, Motivo: "fin de turno"}
}

func hand(t plant.Tag, from, to plant.WorkerID) plant.Command {
	return plant.Command{Verb: plant.Traspasar, Tag: t, Worker: from, Destino: to}
}

// build brings a plain spool through ARM and SOLD.
func (f *floor) build(t plant.Tag) {
	f.Helper()
	f.must(cmd(plant.Tomar, t, plant.ARM, ana))
	f.must(plant.Command{Verb: plant.Finalizar, Tag: t, Worker: ana, Override: plant.Completar})
	f.must(cmd(plant.Tomar, t, plant.SOLD, sol))
	f.must(plant.Command{Verb: plant.Finalizar, Tag: t, Worker: sol, Override: plant.Completar})
}

// reject brings a spool that waits for its inspection to its n-th rejection.
func (f *floor) reject(t plant.Tag, n int) {
	f.Helper()
	for i := range n {
		if i > 0 {
			f.must(cmd(plant.Tomar, t, plant.REPARACION, pia))
			f.must(cmd(plant.Completar, t, plant.REPARACION, pia))
		}
		f.must(verdict(t, plant.Rechazado))
	}
}

// situation is a place a spool can be in, reached by commands alone.
type situation struct {
	name  string
	tag   plant.Tag
	reach func(*floor)
}

// situations are the states of the rule book, each with the holders ana for
// ARM, sol for SOLD and pia for REPARACION.
func situations() []situation {
	take := func(t plant.Tag, op plant.Op, who plant.WorkerID) func(*floor) {
		return func(f *floor) { f.must(cmd(plant.Tomar, t, op, who)) }
	}
	armed := func(f *floor) {
		take(liso, plant.ARM, ana)(f)
		f.must(cmd(plant.Completar, liso, plant.ARM, ana))
	}
	partly := func(f *floor) {
		take(cuatro, plant.ARM, ana)(f)
		f.must(finish(cuatro, ana, 1, 2))
	}
	return []situation{
		{"sin materiales", vacio, func(*floor) {}},
		{"libre", liso, func(*floor) {}},
		{"ARM en progreso", liso, take(liso, plant.ARM, ana)},
		{"ARM pausado", liso, func(f *floor) { take(liso, plant.ARM, ana)(f); f.must(cmd(plant.Pausar, liso, plant.ARM, ana)) }},
		{"ARM vencida", liso, func(f *floor) { take(liso, plant.ARM, ana)(f); f.now = f.now.Add(2 * time.Hour) }},
		{"ARM relevado", liso, func(f *floor) {
			take(liso, plant.ARM, ana)(f)
			f.now = f.now.Add(2 * time.Hour)
			f.must(cmd(plant.Relevar, liso, plant.OpNone, beto))
		}},
		{"ARM liberado", liso, func(f *floor) { take(liso, plant.ARM, ana)(f); f.must(boss(plant.Liberar, liso)) }},
		{"ARM traspasado", liso, func(f *floor) { take(liso, plant.ARM, ana)(f); f.must(hand(liso, ana, beto)) }},
		{"ARM completado", liso, armed},
		{"SOLD en progreso", liso, func(f *floor) { armed(f); take(liso, plant.SOLD, sol)(f) }},
		{"SOLD pausado", liso, func(f *floor) {
			armed(f)
			take(liso, plant.SOLD, sol)(f)
			f.must(cmd(plant.Pausar, liso, plant.SOLD, sol))
		}},
		{"por inspeccionar", liso, func(f *floor) { f.build(liso) }},
		{"aprobado", liso, func(f *floor) { f.build(liso); f.must(verdict(liso, plant.Aprobado)) }},
		{"rechazado", liso, func(f *floor) { f.build(liso); f.reject(liso, 1) }},
		{"en reparación", liso, func(f *floor) { f.build(liso); f.reject(liso, 1); take(liso, plant.REPARACION, pia)(f) }},
		{"reparación pausada", liso, func(f *floor) {
			f.build(liso)
			f.reject(liso, 1)
			take(liso, plant.REPARACION, pia)(f)
			f.must(cmd(plant.Pausar, liso, plant.REPARACION, pia))
		}},
		{"reparado", liso, func(f *floor) {
			f.build(liso)
			f.reject(liso, 1)
			take(liso, plant.REPARACION, pia)(f)
			f.must(cmd(plant.Completar, liso, plant.REPARACION, pia))
		}},
		{"bloqueado", liso, func(f *floor) { f.build(liso); f.reject(liso, plant.MaxCiclo) }},
		{"uniones libres", cuatro, func(*floor) {}},
		{"uniones en ARM", cuatro, take(cuatro, plant.ARM, ana)},
		{"uniones armadas en parte", cuatro, partly},
		{"uniones en SOLD", cuatro, func(f *floor) { partly(f); take(cuatro, plant.SOLD, sol)(f) }},
		{"uniones listas", cuatro, func(f *floor) { f.build(cuatro) }},
		{"sólo FW armado", fit, func(f *floor) {
			take(fit, plant.ARM, ana)(f)
			f.must(finish(fit, ana, 1))
		}},
	}
}

// at is a floor on which the situation has been reached.
func at(t fataler, s situation) *floor {
	t.Helper()
	f := newFloor(t)
	s.reach(f)
	f.now = f.now.Add(11 * time.Second) // nothing can be undone any more
	return f
}

// clone is the same floor again, to try something on.
func (f *floor) clone(t fataler) *floor {
	c := *f
	c.fataler, c.spools, c.workers, c.events = t, maps.Clone(f.spools), maps.Clone(f.workers), slices.Clone(f.events)
	return &c
}

// find gives a situation by its name.
func find(t *testing.T, name string) situation {
	t.Helper()
	i := slices.IndexFunc(situations(), func(s situation) bool { return s.name == name })
	if i < 0 {
		t.Fatalf("no situation is called %q", name)
	}
	return situations()[i]
}
