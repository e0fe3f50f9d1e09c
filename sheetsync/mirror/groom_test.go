package mirror

import (
	"strings"
	"testing"
	"time"

	"envivo/plant"
	"envivo/sheetsync/emulator"
)

func TestCellsThatPeopleReformatAreShownRightAgain(t *testing.T) {
	x := newOffice(t, sheetOf{spools: 6, joints: 3}, emulator.Options{}, Options{})
	x.pass(time.Minute)
	x.take("MK-001", 91, plant.ARM)
	x.do(plant.Command{Verb: plant.Finalizar, Tag: "MK-001", Worker: 91, Op: plant.ARM, Unions: []int{1, 2, 3}, Door: plant.DoorPage})
	x.pass(time.Minute)
	for column, f := range map[string]emulator.Format{"Uniones_ARM_Completadas": emulator.DateFormat, "Fecha_Armado": emulator.CurrencyFormat} {
		if err := x.b.FormatColumn("Operaciones", column, f, ""); err != nil {
			t.Fatal(err)
		}
	}
	if got := x.cell("Operaciones", "MK-001", "Uniones_ARM_Completadas"); got.Format != emulator.DateFormat {
		t.Fatalf("the counter is shown as %q, want the date people made of it", got.Format)
	}
	x.pass(20 * time.Minute)
	if got := x.cell("Operaciones", "MK-001", "Uniones_ARM_Completadas"); got.Num != 3 || got.Format != emulator.NumberFormat {
		t.Errorf("counter = %v shown as %q, want 3 as a number", got.Num, got.Format)
	}
	x.agrees()
	told := ""
	for _, n := range x.m.Status().Audit {
		told += n.Text + "\n"
	}
	if !strings.Contains(told, "Uniones_ARM_Completadas") || !strings.Contains(told, "Fecha_Armado") {
		t.Errorf("the audit says %q, want both columns named", told)
	}
}
