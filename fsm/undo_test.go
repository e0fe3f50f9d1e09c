package fsm_test

import (
	"reflect"
	"testing"
	"time"

	"envivo/plant"
)

func undo(t plant.Tag, who plant.WorkerID) plant.Command {
	return plant.Command{Verb: plant.Deshacer, Tag: t, Worker: who}
}

func TestUndoRestoresWhatWasBefore(t *testing.T) {
	for _, c := range []struct {
		from string
		c    plant.Command
	}{
		{"libre", cmd(plant.Tomar, liso, plant.ARM, ana)},
		{"ARM en progreso", cmd(plant.Pausar, liso, plant.ARM, ana)},
		{"ARM en progreso", cmd(plant.Completar, liso, plant.ARM, ana)},
		{"uniones en ARM", finish(cuatro, ana, 1, 3)},
		{"uniones en ARM", finish(cuatro, ana, 1, 2, 3, 4)},
		{"uniones en SOLD", finish(cuatro, sol, 2)},
		{"ARM vencida", cmd(plant.Relevar, liso, plant.OpNone, beto)},
		{"rechazado", cmd(plant.Tomar, liso, plant.REPARACION, pia)},
		{"en reparación", cmd(plant.Pausar, liso, plant.REPARACION, pia)},
		{"en reparación", cmd(plant.Completar, liso, plant.REPARACION, pia)},
		{"por inspeccionar", verdict(liso, plant.Aprobado)},
		{"por inspeccionar", verdict(liso, plant.Rechazado)},
		{"reparado", verdict(liso, plant.Rechazado)},
	} {
		f := at(t, find(t, c.from))
		before := f.spool(c.c.Tag)
		done, err := f.do(c.c)
		if err != nil {
			t.Fatalf("%s: %v = %v", c.from, c.c.Verb, err)
		}
		f.refused(undo(c.c.Tag, ayu), plant.CodeUndoLate) // not theirs
		f.now = f.now.Add(f.rules.UndoWithin)             // the last instant
		e := f.must(undo(c.c.Tag, c.c.Worker))
		after := f.spool(c.c.Tag)
		if e.Undoes != done.Seq || e.Kind != plant.KindDeshacer || after.Version != before.Version+2 {
			t.Errorf("%s: DESHACER of %v = %v of %d at revision %d, want a new event that names it", c.from, done.Kind, e.Kind, e.Undoes, after.Version)
		}
		if !reflect.DeepEqual(after.Progress, before.Progress) || !reflect.DeepEqual(after.Unions, before.Unions) || after.Touched != before.Touched {
			t.Errorf("%s: after %v and DESHACER\n got %+v\nwant %+v", c.from, done.Kind, after.Progress, before.Progress)
		}
		f.refused(undo(c.c.Tag, c.c.Worker), plant.CodeUndoLate) // an undo is not undone
	}
}

func TestWhatCanNoLongerBeUndone(t *testing.T) {
	late := at(t, find(t, "libre"))
	if _, err := late.do(cmd(plant.Tomar, liso, plant.ARM, ana)); err != nil {
		t.Fatal(err)
	}
	late.now = late.now.Add(late.rules.UndoWithin + time.Nanosecond)
	late.refused(undo(liso, ana), plant.CodeUndoLate)

	since := at(t, find(t, "libre"))
	take, _ := since.do(cmd(plant.Tomar, liso, plant.ARM, ana))
	other := undo(liso, ana)
	other.Undoes = take.Seq + 1
	since.refused(other, plant.CodeUndoLate) // another command than the last
	if _, err := since.do(plant.Command{Verb: plant.Anotar, Tag: liso, Texto: "ojo"}); err != nil {
		t.Fatal(err)
	}
	since.refused(undo(liso, ana), plant.CodeUndoLate) // something happened since

	for from, c := range map[string]plant.Command{
		"ARM en progreso": cmd(plant.Cancelar, liso, plant.ARM, ana), "ARM traspasado": hand(liso, beto, ayu),
		"en reparación": cmd(plant.Cancelar, liso, plant.REPARACION, pia),
	} {
		f := at(t, find(t, from))
		if _, err := f.do(c); err != nil {
			t.Fatalf("%s: %v", from, err)
		}
		f.refused(undo(liso, c.Worker), plant.CodeUndoLate)
	}
	e := newFloor(t).refused(undo(liso, ana), plant.CodeUndoLate) // nothing yet
	if e.Transition != "deshacer" || e.State != "libre" {
		t.Errorf("the refusal is of %q from %q, want deshacer from libre", e.Transition, e.State)
	}
}

// The place in the queue of inspection is where the spool had been.
func TestAnUndoneVerdictKeepsItsPlaceInTheQueue(t *testing.T) {
	f := at(t, find(t, "por inspeccionar"))
	before := f.spool(liso).ReadyAt
	if _, err := f.do(verdict(liso, plant.Rechazado)); err != nil {
		t.Fatal(err)
	}
	e := f.must(undo(liso, mario))
	if got := f.spool(liso).ReadyAt; !got.Equal(before) || e.Ready {
		t.Errorf("ready since %v, announced=%v; want %v and no announcement", got, e.Ready, before)
	}
}
