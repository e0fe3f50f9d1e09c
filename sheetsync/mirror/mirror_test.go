package mirror

import (
	"strings"
	"testing"
	"time"

	"envivo/plant"
	"envivo/sheetsync/emulator"
)

func TestTheFirstReadingFillsAnEmptyStore(t *testing.T) {
	x := newOffice(t, sheetOf{spools: 12, joints: 3}, emulator.Options{}, Options{})
	before := x.foreign()
	x.pass(2 * time.Minute)
	snap := x.st.Snapshot()
	if snap.Len() != 12 || len(snap.Workers()) != 30 {
		t.Fatalf("the store has %d spools and %d workers, want 12 and 30", snap.Len(), len(snap.Workers()))
	}
	s := x.m.Status()
	if s.Mode != UpToDate || s.First == nil || s.LastIn.IsZero() || s.LastOut.IsZero() {
		t.Errorf("status = %+v, want it up to date with a report", s)
	}
	x.agrees()
	if after := x.foreign(); len(after) != len(before) {
		t.Errorf("%d foreign cells afterwards, %d before", len(after), len(before))
	}
}

func TestWorkReachesTheSheetAndPeopleAreNotDisturbed(t *testing.T) {
	x := newOffice(t, sheetOf{spools: 12, joints: 3}, emulator.Options{}, Options{})
	x.pass(time.Minute)
	x.e.ResetCalls()
	says := func(want string) {
		t.Helper()
		if got := x.m.Status(); got.Mode != UpToDate || !strings.Contains(got.Sentence, want) {
			t.Errorf("the status is %s: %s, want %q", got.Mode, got.Sentence, want)
		}
	}
	says("nada espera")
	x.take("MK-002", 91, plant.ARM)
	says("lo recién hecho va en camino")
	x.pass(8 * time.Second)
	if got := x.cell("Operaciones", "MK-002", "Ocupado_Por"); got.Text != "AB(91)" {
		t.Errorf("Ocupado_Por after 8 s = %+v, want AB(91)", got)
	}
	x.do(plant.Command{Verb: plant.Completar, Tag: "MK-002", Worker: 91, Op: plant.ARM, Door: plant.DoorPage})
	x.pass(time.Minute)
	if got := x.cell("Operaciones", "MK-002", "Fecha_Armado"); got.Kind != emulator.Number || got.Format != emulator.DateFormat {
		t.Errorf("Fecha_Armado = %+v, want a real date", got)
	}
	x.agrees()
	says("nada espera")
	if n := len(x.e.Calls()); n > 20 {
		t.Errorf("%d calls in little more than a minute, want 20 at most", n)
	}
}

func TestUnionsAndCountersAreWrittenAndFormulasStay(t *testing.T) {
	x := newOffice(t, sheetOf{spools: 6, joints: 3}, emulator.Options{}, Options{})
	x.pass(time.Minute)
	x.take("MK-001", 91, plant.ARM)
	x.clock.advance(20 * time.Minute)
	x.do(plant.Command{Verb: plant.Finalizar, Tag: "MK-001", Worker: 91, Op: plant.ARM, Unions: []int{1, 2}, Door: plant.DoorPage})
	x.pass(time.Minute)
	x.agrees()
	if got := x.cell("Operaciones", "MK-001", "Uniones_ARM_Completadas"); got.Num != 2 || got.Kind != emulator.Number {
		t.Errorf("Uniones_ARM_Completadas = %+v, want the number 2", got)
	}
	if got := x.cell("Operaciones", "MK-001", "Total_Uniones"); got.Formula == "" || got.Num != 3 {
		t.Errorf("Total_Uniones = %+v, want the office's formula", got)
	}
}
