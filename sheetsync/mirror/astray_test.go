package mirror

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"envivo/plant"
	"envivo/sheetsync/emulator"
)

// duringTheNextWrite has somebody edit the Sheet after the reading of a cycle and
// before its write is applied.
func (x *office) duringTheNextWrite(edit func() error) {
	x.e.Inject(emulator.Fault{When: emulator.On(emulator.BatchUpdateValues), Times: 1, Act: emulator.Nothing, Before: func(emulator.Call) {
		if err := edit(); err != nil {
			x.t.Error(err)
		}
	}})
}

func TestAColumnThatMovesUnderAWriteLeavesNoForeignCellChanged(t *testing.T) {
	for name, edit := range map[string]func(b *emulator.Book) error{
		"inserted before all of ours":      func(b *emulator.Book) error { return b.InsertColumn("Operaciones", "NV", "Nueva") },
		"inserted before Fecha_Armado":     func(b *emulator.Book) error { return b.InsertColumn("Operaciones", "Fecha_Armado", "Nueva") },
		"inserted without a header":        func(b *emulator.Book) error { return b.InsertColumn("Operaciones", "Armador", "") },
		"a foreign one deleted before":     func(b *emulator.Book) error { return b.DeleteColumn("Operaciones", "Cliente") },
		"one dragged from behind to front": func(b *emulator.Book) error { return b.MoveColumn("Operaciones", "FLAG", "NV") },
		"one dragged from front to behind": func(b *emulator.Book) error { return b.MoveColumn("Operaciones", "Cliente", "Ocupado_Por") },
		"and the rows sorted as well": func(b *emulator.Book) error {
			if err := b.SortBy("Operaciones", "TAG_SPOOL", true); err != nil {
				return err
			}
			return b.InsertColumn("Operaciones", "NV", "Nueva")
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := newOffice(t, sheetOf{spools: 9, joints: 3}, emulator.Options{}, Options{})
			x.pass(time.Minute)
			x.take("MK-003", 91, plant.ARM)
			x.clock.advance(time.Minute)
			x.do(plant.Command{Verb: plant.Finalizar, Tag: "MK-003", Worker: 91, Op: plant.ARM, Unions: []int{1, 2, 3}, Door: plant.DoorPage})
			x.take("MK-004", 92, plant.ARM)
			var want map[string]emulator.Cell
			x.duringTheNextWrite(func() error {
				err := edit(x.b)
				want = x.foreign()
				return err
			})
			x.pass(3 * time.Minute)
			x.agrees()
			got := x.foreign()
			for key, c := range want {
				if g := got[key]; g.Native() != c.Native() && c.Formula == "" || (g.Formula != "") != (c.Formula != "") {
					t.Errorf("foreign cell %q = %+v, want %+v", key, g, c)
				}
			}
			for key := range maps.Keys(got) {
				if _, ok := want[key]; !ok {
					t.Errorf("foreign cell %q = %+v, want nothing there", key, got[key])
				}
			}
			for n := range 9 { // formulas must still be about their own row
				tag := fmt.Sprintf("MK-%03d", n+1)
				if c := x.cell("Operaciones", tag, "Precio Total"); c.Num != 10.5 {
					t.Errorf("Precio Total of %s = %+v, want 10.5", tag, c)
				}
			}
		})
	}
}

func TestFormulasAreCarriedRowByRow(t *testing.T) {
	for _, c := range [][3]string{
		{"=G2", "3", "=G5"},
		{"=$G2*G$2", "3", "=$G5*G$2"},
		{`=COUNTIF(Uniones!D:D;E2)`, "1", `=COUNTIF(Uniones!D:D;E3)`},
		{`="A2"&B2`, "1", `="A2"&B3`},
		{`='Hoja 2'!A2`, "1", `='Hoja 2'!A3`},
		{"=A2", "-5", "=A2"},
	} {
		var by int
		if _, err := fmt.Sscan(c[1], &by); err != nil {
			t.Fatal(err)
		}
		if got := carried(c[0], by); got != c[2] {
			t.Errorf("%s carried by %d = %s, want %s", c[0], by, got, c[2])
		}
	}
}

func TestAProcessThatDiesAfterAWriteIntoAMovedRowLeavesNoPropuesta(t *testing.T) {
	x := newOffice(t, sheetOf{spools: 9, joints: 3}, emulator.Options{}, Options{})
	x.pass(time.Minute)
	x.take("MK-004", 92, plant.ARM)
	x.duringTheNextWrite(func() error { return x.b.SortBy("Operaciones", "TAG_SPOOL", true) })
	for x.cell("Operaciones", "MK-006", "Ocupado_Por").Text == "" { // the row that is now where MK-004 was
		x.clock.advance(max(x.m.Step(t.Context()), time.Millisecond))
	}
	x.reopen() // it remembers nothing of the write
	x.pass(2 * time.Minute)
	x.agrees()
	if s := x.m.Status(); len(s.Proposals) > 0 {
		t.Errorf("propuestas %+v, want none: nobody typed anything", s.Proposals)
	}
}
