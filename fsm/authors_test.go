package fsm_test

import (
	"reflect"
	"testing"

	"envivo/plant"
)

// fix puts right who did what, as a supervisor with a reason.
func fix(t plant.Tag, authors ...plant.Author) plant.Command {
	return plant.Command{Verb: plant.Corregir, Tag: t, Supervisor: true, Actor: plant.BySupervisor, Device: "t-1", Motivo: "se anotó a otro",
		Correction: &plant.Correction{Authors: authors}}
}

func TestASupervisorAssignsAndTakesItBack(t *testing.T) {
	f := newFloor(t)
	before := f.spool(liso)
	c := cmd(plant.Tomar, liso, plant.ARM, ana)
	c.Actor = plant.BySupervisor
	f.refused(c, plant.CodeSupervisor)
	c.Supervisor = true
	if e, err := f.do(c); err != nil || e.Worker.ID != ana || e.Actor != (plant.Person{Display: plant.SupervisorName}) || !e.Supervisor {
		t.Fatalf("assigned: %v by %v, supervisor %v, %v", e.Worker, e.Actor, e.Supervisor, err)
	}
	f.refused(undo(liso, ana), plant.CodeUndoLate) // it was not hers
	back := undo(liso, ana)
	back.Actor = plant.BySupervisor
	f.refused(back, plant.CodeSupervisor)
	back.Supervisor = true
	if e := f.must(back); e.Worker.ID != ana || !e.Supervisor || !reflect.DeepEqual(f.spool(liso).Progress, before.Progress) {
		t.Errorf("taken back: %+v", f.spool(liso).Progress)
	}
	own := cmd(plant.Tomar, liso, plant.ARM, ana)
	own.Supervisor = true // under somebody's session, but her own act
	if e := f.must(own); e.Actor.ID != ana || !e.Supervisor {
		t.Errorf("her own act = by %v, supervisor %v", e.Actor, e.Supervisor)
	}
	f.refused(back, plant.CodeUndoLate)
}

func TestAuthorsArePutRight(t *testing.T) {
	f := at(t, find(t, "uniones listas"))
	before := f.spool(cuatro)
	e := f.must(fix(cuatro, plant.Author{N: 2, Op: plant.ARM, Worker: beto}, plant.Author{N: 2, Op: plant.SOLD, Worker: saul}, plant.Author{N: 1, Op: plant.ARM, Worker: ana},
		plant.Author{Op: plant.ARM, Worker: beto}))
	s := f.spool(cuatro)
	u, _ := s.Union(2)
	was, _ := before.Union(2)
	if u.Arm.Worker.ID != beto || u.Sold.Worker.ID != saul || u.Arm.End != was.Arm.End || s.Arm.Worker.ID != beto || s.Arm.Fecha != before.Arm.Fecha {
		t.Errorf("union 2 is %+v and ARM %+v", u, s.Arm)
	}
	if len(e.Unions) != 1 || len(e.Correction) != 3 || e.Motivo != "se anotó a otro" || e.Actor.Display != plant.SupervisorName || e.Device != "t-1" || !e.Supervisor {
		t.Errorf("the event is %+v", e)
	}
	if want := "Unión 2 ARM: AB(1) → AB(2); Unión 2 SOLD: AB(3) → AB(4); ARM: AB(1) → AB(2)"; e.Texto != want {
		t.Errorf("it says %q, want %q", e.Texto, want)
	}
	if s.Quality != before.Quality || s.Version != before.Version+1 || s.Undo != nil || !s.InQueue(f.rules) {
		t.Errorf("afterwards %+v", s.Progress)
	}
	f.must(fix(cuatro, plant.Author{N: 2, Op: plant.ARM, Worker: ana})) // a correction is corrected
}

func TestDaysArePutRightWithoutUnions(t *testing.T) {
	f := at(t, find(t, "ARM completado"))
	day := f.spool(liso).Arm.Fecha - 1
	if e := f.must(fix(liso, plant.Author{Op: plant.ARM, Fecha: day})); f.spool(liso).Arm.Fecha != day || e.Correction[0].Column != "Fecha_Armado" {
		t.Errorf("ARM is %+v by %+v", f.spool(liso).Arm, e.Correction)
	}
}

func TestWhatCannotBePutRight(t *testing.T) {
	arm := func(a plant.Author) plant.Author { a.Op = plant.ARM; return a }
	for name, c := range map[string]struct {
		from string
		c    plant.Command
		code plant.Code
	}{
		"no supervisor": {"ARM completado", func() plant.Command {
			c := fix(liso, arm(plant.Author{Worker: beto}))
			c.Supervisor, c.Actor, c.Worker = false, 0, ana
			return c
		}(), plant.CodeSupervisor},
		"no reason": {"ARM completado", func() plant.Command {
			c := fix(liso, arm(plant.Author{Worker: beto}))
			c.Motivo = " "
			return c
		}(), plant.CodeInvalid},
		"blocked":           {"bloqueado", fix(liso, arm(plant.Author{Worker: beto})), plant.CodeBlocked},
		"held":              {"ARM en progreso", fix(liso, arm(plant.Author{Worker: beto})), plant.CodeOccupied},
		"not done":          {"libre", fix(liso, arm(plant.Author{Worker: beto})), plant.CodeInvalid},
		"no such operation": {"ARM completado", fix(liso, plant.Author{Op: plant.METROLOGIA, Worker: beto}), plant.CodeInvalid},
		"unknown":           {"ARM completado", fix(liso, arm(plant.Author{Worker: nadie})), plant.CodeWorkerNotFound},
		"wrong trade":       {"ARM completado", fix(liso, arm(plant.Author{Worker: sol})), plant.CodeRole},
		"nothing changes":   {"ARM completado", fix(liso, arm(plant.Author{Worker: ana})), plant.CodeUnchanged},
		"a day to come":     {"ARM completado", fix(liso, arm(plant.Author{Fecha: 1 << 20})), plant.CodeInvalid},
		"no such union":     {"ARM completado", fix(liso, arm(plant.Author{N: 1, Worker: beto})), plant.CodeUnion},
	} {
		t.Run(name, func(t *testing.T) { at(t, find(t, c.from)).refused(c.c, c.code) })
	}
}
