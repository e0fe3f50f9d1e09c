package mirror

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"envivo/plant"
	"envivo/sheetsync/emulator"
	"envivo/sheetsync/table"
)

// logged is an office with eight events in its log, all of them delivered.
func logged(t *testing.T) *office {
	t.Helper()
	x := small(t, sheetOf{spools: 12, joints: 2})
	x.pass(time.Minute)
	for i := range 8 {
		x.take(plant.Tag(fmt.Sprintf("MK-%03d", i+1)), plant.WorkerID(91+i), plant.ARM)
	}
	x.pass(time.Minute)
	x.agrees()
	if t.Failed() {
		t.FailNow()
	}
	return x
}

func TestALogThatSomebodyTouchedIsWholeAgainAndTheAuditSaysSo(t *testing.T) {
	sheet := "Metadata"
	tests := map[string]struct {
		edit func(b *emulator.Book) error
		kept string // a foreign row that has to stay
	}{
		"a deleted row":       {func(b *emulator.Book) error { return b.DeleteRows(sheet, 4, 1) }, ""},
		"the first deleted":   {func(b *emulator.Book) error { return b.DeleteRows(sheet, 2, 1) }, ""},
		"the last deleted":    {func(b *emulator.Book) error { return b.DeleteRows(sheet, 9, 1) }, ""},
		"three deleted":       {func(b *emulator.Book) error { return b.DeleteRows(sheet, 3, 3) }, ""},
		"most deleted":        {func(b *emulator.Book) error { return b.DeleteRows(sheet, 3, 6) }, ""},
		"an edited worker":    {func(b *emulator.Book) error { return b.SetCell(sheet, "F4", "ZZ(99)") }, ""},
		"an edited instant":   {func(b *emulator.Book) error { return b.Type(sheet, "B4", "01-01-2020 00:00:00") }, ""},
		"an edited ID":        {func(b *emulator.Book) error { return b.SetCell(sheet, "A4", "otro") }, ""},
		"an emptied ID":       {func(b *emulator.Book) error { return b.SetCell(sheet, "A4", "") }, ""},
		"an emptied cell":     {func(b *emulator.Book) error { return b.SetCell(sheet, "H9", "") }, ""},
		"a doubled row":       {func(b *emulator.Book) error { return b.DuplicateRow(sheet, 4) }, ""},
		"the last doubled":    {func(b *emulator.Book) error { return b.DuplicateRow(sheet, 9) }, ""},
		"a moved row":         {func(b *emulator.Book) error { return b.MoveRow(sheet, 3, 8) }, ""},
		"sorted":              {func(b *emulator.Book) error { return b.SortBy(sheet, "ID", true) }, ""},
		"a blank line":        {func(b *emulator.Book) error { return b.InsertRows(sheet, 5, 1) }, ""},
		"blank lines on top":  {func(b *emulator.Book) error { return b.InsertRows(sheet, 2, 4) }, ""},
		"a foreign row below": {func(b *emulator.Book) error { return b.AppendRow(sheet, "", "", "nota de la oficina") }, "nota de la oficina"},
		"a foreign row, edits": {func(b *emulator.Book) error {
			if err := b.AppendRow(sheet, "de afuera", "", "nota de la oficina"); err != nil {
				return err
			}
			return b.DeleteRows(sheet, 3, 1)
		}, "nota de la oficina"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := logged(t)
			before := x.dump(sheet)
			check(t, tt.edit(x.b))
			edited := x.dump(sheet)
			x.pass(20 * time.Minute)
			x.ordered(name != "a foreign row, edits")
			after := x.dump(sheet)
			if tt.kept == "" && after != before {
				t.Errorf("Metadata = \n%s\nwant\n%s", after, before)
			}
			if !strings.Contains(after, tt.kept) {
				t.Errorf("Metadata = \n%s\nwant the row %q kept", after, tt.kept)
			}
			if edited != after && !x.audited("Metadata", "repusieron") {
				t.Errorf("audit = %+v, want the repair in it", x.m.Status().Audit)
			}
			x.take("MK-009", 110, plant.ARM)
			x.pass(time.Minute)
			x.ordered(name != "a foreign row, edits")
			if !strings.Contains(x.dump(sheet), "MK-009") {
				t.Error("the next event is not in Metadata")
			}
			if s := x.m.Status(); s.Backlog > 0 || len(s.Alerts) > 0 {
				t.Errorf("%d events wait, alerts %+v, want none", s.Backlog, s.Alerts)
			}
		})
	}
}

// ordered checks that Metadata has every row of ours once and, where that can be,
// in order.
func (x *office) ordered(order bool) {
	x.t.Helper()
	if order {
		x.logAgrees()
		return
	}
	rows, _ := x.b.Dump("Metadata")
	got := map[string]int{}
	for _, r := range rows[1:] {
		if len(r) > 0 {
			got[r[0].Text]++
		}
	}
	for _, r := range x.wantLog() {
		if got[r.ID] != 1 {
			x.t.Errorf("row %s stands %d times in Metadata, want once", r.ID, got[r.ID])
		}
	}
}

func TestALogLongerThanTheGridMakesRoom(t *testing.T) {
	x := small(t, sheetOf{spools: 12, joints: 2})
	x.pass(time.Minute)
	check(t, x.b.Resize("Metadata", 4, 11))
	for i := range 10 {
		x.take(plant.Tag(fmt.Sprintf("MK-%03d", i+1)), plant.WorkerID(91+i), plant.ARM)
	}
	x.e.Inject(emulator.Fault{When: emulator.On(emulator.BatchUpdate), Times: 1, Act: emulator.FailAfter})
	x.pass(3 * time.Minute)
	x.agrees()
	if rows, _ := x.b.Grid("Metadata"); rows < 11 || rows > 2100 {
		t.Errorf("the grid has %d rows, want it grown once or twice", rows)
	}
}

func TestAMovedColumnOfTheLogIsFollowed(t *testing.T) {
	x := logged(t)
	check(t, x.b.MoveColumn("Metadata", "Metadata_JSON", "ID"))
	check(t, x.b.InsertColumn("Metadata", "Accion", "Revisado"))
	x.take("MK-009", 110, plant.ARM)
	x.pass(time.Minute)
	x.agrees()
	rows, _ := x.b.Dump("Metadata")
	col := columnOf(rows[0], "Revisado")
	for n, r := range rows[1:] {
		if col < len(r) && r[col].Kind != emulator.Empty {
			t.Errorf("row %d has %q in the office's column, want nothing", n+2, r[col].Text)
		}
	}
}

func TestARestartDoesNotRewriteTheLog(t *testing.T) {
	x := logged(t)
	x.reopen()
	x.e.ResetCalls()
	x.pass(20 * time.Minute)
	writes := slices.DeleteFunc(x.e.Calls(), func(c emulator.Call) bool { return c.Op != emulator.BatchUpdateValues })
	if len(writes) > 0 {
		t.Errorf("%d writes after a restart, want none: everything is right. The first goes to %v", len(writes), writes[0].Ranges)
	}
	x.agrees()
}

// busySheet is a Sheet while whose answers are on their way the floor goes on.
type busySheet struct {
	Sheet
	during func()
}

func (s busySheet) Read(ctx context.Context, ranges ...string) ([][][]table.Cell, error) {
	cells, err := s.Sheet.Read(ctx, ranges...)
	s.during()
	return cells, err
}

// A study compares Metadata with the journal while the floor works. Events that
// were committed after the cycle took its look at the outbox counted as
// delivered: a reading that lacked them was called cut short, and they were
// written above events that still waited, so that the log was out of order for
// good. It showed after kills on a busy machine, and in a long soak.
func TestEventsCommittedDuringAStudyKeepTheirPlaceInTheLog(t *testing.T) {
	x := logged(t)
	next, busy := 8, false
	act := func() {
		if next < 12 {
			next++
			x.take(plant.Tag(fmt.Sprintf("MK-%03d", next)), plant.WorkerID(91+next), plant.ARM)
		}
	}
	o := x.o
	o.Plant, o.Now, o.Log = outbox{x.st}, x.clock.Now, slog.New(slog.DiscardHandler)
	o.Random = rand.New(rand.NewPCG(5, 6))
	o.Sheet = busySheet{x.c, func() {
		if busy {
			act()
		}
	}}
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	x.m = m
	x.pass(61 * time.Second) // the office's inputs have just been read
	if err := x.b.DeleteRows("Metadata", 4, 1); err != nil {
		t.Fatal(err)
	}
	busy = true
	act() // one that waits before the cycle looks at the outbox
	x.pass(2 * time.Minute)
	if next < 12 {
		t.Fatalf("only %d spools were taken while the Sheet was read", next)
	}
	if audit := x.m.Status().Audit; len(audit) != 1 || !strings.Contains(audit[0].Text, "6 fila(s)") {
		t.Errorf("the audit says %v, want one line about the six rows from the deleted one on", audit)
	}
	x.agrees()
}

// What the outbox does not give at once waits as well. It counted as delivered:
// after days without network and a restart the log in the Sheet looked cut short,
// and the exchange stood still. Nor was it counted: nothing waited, said the status.
func TestAnOutboxOfMoreThanOneReadIsEmptied(t *testing.T) {
	x := logged(t)
	x.e.Outage(true)
	for i := range outboxReads + 200 {
		tag, verb := plant.Tag(fmt.Sprintf("MK-%03d", 10+i/2%2*2)), []plant.Verb{plant.Tomar, plant.Pausar}[i%2]
		x.do(plant.Command{Verb: verb, Tag: tag, Worker: 110, Op: plant.ARM, Door: plant.DoorPage})
	}
	x.reopen()
	x.e.Outage(false)
	want := len(x.wantLog())
	for range 30 {
		x.pass(10 * time.Second)
		rows, _ := x.b.Dump("Metadata")
		if s := x.m.Status(); s.Backlog == 0 && !s.LastOut.IsZero() && len(rows)-1 < want {
			t.Fatalf("nothing waits, says the status, and %d of %d rows are in the log", len(rows)-1, want)
		}
	}
	for _, line := range x.m.Status().Alerts {
		t.Errorf("an alert is left: %q", line.Text)
	}
	x.agrees()
}
