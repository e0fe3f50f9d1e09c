package mirror

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"envivo/plant"
	"envivo/sheetsync/emulator"
)

// logWrites matches calls that write rows of Metadata.
func logWrites(c emulator.Call) bool {
	return c.Op == emulator.BatchUpdateValues && slices.ContainsFunc(c.Ranges, func(r string) bool { return strings.Contains(r, "Metadata") })
}

// remembered counts rows of Metadata that are kept between two exchanges.
func (m *Mirror) remembered() int {
	n := len(m.trail.have) + len(m.trail.wrote) + len(m.trail.doubt)
	for _, x := range m.memories["Metadata"] {
		n += len(x.page.rows)
		for _, p := range x.page.parts {
			n += len(p.cells)
		}
	}
	return n
}

// The log grows for years. A write whose outcome was unknown kept the whole reading
// before it for as long as the Sheet did not answer, and every row's ID was kept for
// ever: in half an hour of soak the heap tripled.
func TestWhatIsKeptOfTheLogDoesNotGrowWithIt(t *testing.T) {
	x := logged(t)
	for i := range 300 {
		x.do(plant.Command{Verb: []plant.Verb{plant.Tomar, plant.Pausar}[i%2], Tag: "MK-010", Worker: 110, Op: plant.ARM, Door: plant.DoorPage})
	}
	x.pass(2 * time.Minute)
	x.agrees()
	if n := x.m.remembered(); n > 8 {
		t.Errorf("%d rows of a log of %d are kept when nothing waits, want a few", n, len(x.wantLog()))
	}
	x.e.Inject(emulator.Fault{When: logWrites, Times: 1, Act: emulator.FailAfter, After: func(emulator.Call) { x.e.Outage(true) }})
	x.take("MK-009", 110, plant.ARM)
	x.m.Now() // reads the whole log
	x.pass(time.Minute)
	if n := x.m.remembered(); n > 24 || n == 0 {
		t.Errorf("%d rows of a log of %d are kept while the outcome of a write of one is unknown, want a few", n, len(x.wantLog()))
	}
	x.e.Calm()
	x.pass(10 * time.Minute)
	x.agrees()
}

// The rows below the last one tell what became of a write; the whole log, which is
// long, is not read for it.
func TestADoubtfulWriteIsSettledByTheRowsWhereItWouldBe(t *testing.T) {
	for name, act := range map[string]emulator.Action{"503": emulator.Fail, "503 after": emulator.FailAfter, "reset": emulator.ResetBefore,
		"reset after": emulator.ResetAfter, "cut": emulator.CutAnswer, "a page": emulator.PageAnswer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := logged(t)
			x.e.ResetCalls()
			x.e.Inject(emulator.Fault{When: logWrites, Times: 2, Act: act})
			for i := range 4 {
				x.take(plant.Tag(fmt.Sprintf("MK-%03d", 9+i)), plant.WorkerID(100+i), plant.ARM)
			}
			x.pass(3 * time.Minute)
			x.agrees()
			for _, c := range x.e.Calls() {
				if c.Op == emulator.BatchGetValues && slices.ContainsFunc(c.Ranges, func(r string) bool { return strings.Contains(r, "Metadata") && strings.Contains(r, "!A1:") }) {
					t.Errorf("the whole log was read: %v", c.Ranges)
				}
			}
		})
	}
}

// Somebody deletes a row that was written and not yet acknowledged. It came back
// below newer ones and stood there until the next look at the whole log.
func TestARowDeletedBeforeItWasAcknowledgedKeepsItsPlace(t *testing.T) {
	for name, rows := range map[string][2]int{"the first of three": {10, 1}, "two of three": {10, 2}, "the last": {12, 1}, "all": {10, 3}, "and an old one": {9, 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := logged(t)
			x.e.Inject(emulator.Fault{When: logWrites, Times: 1, Act: emulator.Nothing, After: func(emulator.Call) {
				if err := x.b.DeleteRows("Metadata", rows[0], rows[1]); err != nil {
					t.Error(err)
				}
			}})
			for i := range 3 {
				x.take(plant.Tag(fmt.Sprintf("MK-%03d", 9+i)), plant.WorkerID(100+i), plant.ARM)
			}
			x.pass(3 * time.Minute)
			x.agrees()
		})
	}
}

// An event that the service does not take is tried again, older than what is in the
// log by then. The log goes on without it.
func TestAnEventThatIsRefusedAgainDoesNotHoldTheLogUp(t *testing.T) {
	x := started(t, sheetOf{spools: 12, joints: 2})
	poison := x.do(plant.Command{Verb: plant.Anotar, Tag: "MK-004", Worker: 93, Texto: "VENENO"})
	x.take("MK-006", 92, plant.ARM)
	x.through(&pickySheet{Sheet: x.c, word: "VENENO"})
	x.pass(6 * time.Minute)
	check(t, x.m.Retry(t.Context(), poison.Seq))
	x.take("MK-008", 94, plant.ARM)
	x.pass(6 * time.Minute)
	x.take("MK-010", 95, plant.ARM)
	x.pass(3 * time.Minute)
	if s := x.m.Status(); len(s.Parked) != 1 || s.Parked[0].Seq != poison.Seq || s.Backlog > 0 {
		t.Errorf("parked = %+v and %d wait, want the note alone", s.Parked, s.Backlog)
	}
	log := x.dump("Metadata")
	for _, tag := range []string{"MK-006", "MK-008", "MK-010"} {
		if strings.Count(log, "|"+tag+"|") != 1 {
			t.Errorf("Metadata has %d rows of %s, want one:\n%s", strings.Count(log, "|"+tag+"|"), tag, log)
		}
	}
}

// A column moves under a write, and rows move after it. What the office has in rows
// that were not read before the write is nobody's to put back; it was emptied where
// it looked like the value that went astray.
func TestAColumnOfTheOfficeInTheLogKeepsWhatLooksLikeOurs(t *testing.T) {
	x := logged(t)
	check(t, x.b.InsertColumn("Metadata", "Operacion", "Revisado"))
	for row := 2; row <= 5; row++ {
		check(t, x.b.SetCell("Metadata", fmt.Sprint("G", row), "ARM"))
	}
	x.take("MK-009", 100, plant.ARM)
	x.pass(2 * time.Minute)
	edit := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	x.e.Inject(emulator.Fault{When: logWrites, Times: 1, Act: emulator.Nothing,
		Before: func(emulator.Call) { edit(x.b.MoveColumn("Metadata", "Revisado", "Accion")) },
		After:  func(emulator.Call) { edit(x.b.InsertRows("Metadata", 7, 1)) }})
	x.take("MK-010", 101, plant.ARM)
	x.pass(3 * time.Minute)
	rows, _ := x.b.Dump("Metadata")
	col, got := columnOf(rows[0], "Revisado"), []int{}
	for n, r := range rows[1:] {
		if col < len(r) && r[col].Kind != emulator.Empty {
			got = append(got, n+2)
		}
	}
	if want := []int{2, 3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("the office's column has something in rows %v, want %v\n%s", got, want, x.dump("Metadata"))
	}
	x.agrees()
}
