package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"envivo/plant"
	"envivo/sheetsync/emulator"
	"envivo/sheetsync/google"
)

// within is how soon an input of the office is on the floor (rules §2.8.14).
const within = time.Minute

func (x *office) spool(tag plant.Tag) *plant.Spool {
	x.t.Helper()
	r, ok := x.st.Snapshot().Row(tag)
	if !ok {
		x.t.Fatalf("the store has no spool %s", tag)
	}
	return r.Spool
}

// kinds are the kinds of events after seq.
func (x *office) kinds(seq plant.Seq) []string {
	x.t.Helper()
	events, err := x.st.Events(x.t.Context(), seq, 0)
	if err != nil {
		x.t.Fatal(err)
	}
	var out []string
	for _, e := range events {
		out = append(out, fmt.Sprintf("%v %s", e.Kind, e.Tag))
	}
	return out
}

// put types a native value into a column of the row with a TAG.
func (x *office) put(tag, column string, v any) {
	x.t.Helper()
	check(x.t, x.b.Put("Operaciones", [2]string{"TAG_SPOOL", tag}, column, v))
}

func TestInputsOfTheOfficeAreOnTheFloorWithinAMinute(t *testing.T) {
	worker := func(id plant.WorkerID) func(*office) (plant.Worker, bool) {
		return func(x *office) (plant.Worker, bool) { return x.st.Snapshot().Worker(id) }
	}
	tests := []struct {
		name string
		edit func(*office) error
		ok   func(*office) bool
	}{
		{"a new spool", func(x *office) error { return x.b.AppendRow("Operaciones", "C", "NV09", "077", "MK-077", "MK-077") },
			func(x *office) bool { r, ok := x.st.Snapshot().Row("MK-077"); return ok && r.Spool.Office.NV == "NV09" }},
		{"a new spool with joints", func(x *office) error {
			if err := x.b.AppendRow("Uniones", nil, "077", 1, "MK-077", 6.0, "BW"); err != nil {
				return err
			}
			return x.b.AppendRow("Operaciones", "C", "NV09", "077", "MK-077", "MK-077")
		}, func(x *office) bool { r, ok := x.st.Snapshot().Row("MK-077"); return ok && len(r.Spool.Unions) == 1 }},
		{"materials", func(x *office) error {
			return x.b.Put("Operaciones", [2]string{"TAG_SPOOL", "MK-003"}, "Fecha_Materiales", emulator.Day(2026, 5, 3))
		}, func(x *office) bool { return x.spool("MK-003").Office.Materiales == plant.NewDate(2026, 5, 3) }},
		{"materials as text", func(x *office) error {
			return x.b.Put("Operaciones", [2]string{"TAG_SPOOL", "MK-003"}, "Fecha_Materiales", "3/5/26")
		}, func(x *office) bool { return x.spool("MK-003").Office.Materiales == plant.NewDate(2026, 5, 3) }},
		{"another NV", func(x *office) error { return x.b.Put("Operaciones", [2]string{"TAG_SPOOL", "MK-003"}, "NV", 1234) },
			func(x *office) bool { return x.spool("MK-003").Office.NV == "1234" }},
		{"a new worker", func(x *office) error {
			if err := x.b.AppendRow("Roles", 200, "armador ", true); err != nil {
				return err
			}
			return x.b.AppendRow("Trabajadores", 200, "Ana María", "Bravo Cortés", true)
		}, func(x *office) bool {
			w, ok := worker(200)(x)
			return ok && w.Activo && w.Display() == "AB(200)" && w.Roles != 0
		}},
		{"a worker who left", func(x *office) error { return x.b.Put("Trabajadores", [2]string{"Id", "95"}, "Activo", false) },
			func(x *office) bool { w, ok := worker(95)(x); return ok && !w.Activo }},
		{"a role taken away", func(x *office) error { return x.b.Put("Roles", [2]string{"Id", "95"}, "Activo", false) },
			func(x *office) bool {
				w, ok := worker(95)(x)
				all, _ := worker(96)(x)
				return ok && w.Roles != 0 && w.Roles != all.Roles
			}},
		{"a joint defined", func(x *office) error { return x.b.AppendRow("Uniones", nil, "001", 3, "MK-001", 2.5, "SO") },
			func(x *office) bool { u, ok := x.spool("MK-001").Union(3); return ok && u.Tipo == "SO" }},
		{"a joint's type", func(x *office) error { return x.b.Put("Uniones", [2]string{"TAG_SPOOL", "MK-003"}, "TIPO_UNION", "FW") },
			func(x *office) bool { u, ok := x.spool("MK-003").Union(1); return ok && u.Tipo == "FW" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := started(t, sheetOf{spools: 8, joints: 2})
			seq := x.st.Snapshot().Seq
			check(t, tt.edit(x))
			if tt.ok(x) {
				t.Fatal("it is on the floor before anybody read it")
			}
			x.pass(within)
			if !tt.ok(x) {
				t.Errorf("not on the floor after %v", within)
			}
			kinds := x.kinds(seq)
			if len(kinds) == 0 {
				t.Error("no event in the log, want one")
			}
			for _, k := range kinds {
				if !strings.HasPrefix(k, plant.KindImportar.String()) && !strings.HasPrefix(k, plant.KindTrabajador.String()) {
					t.Errorf("event %s, want imports only", k)
				}
			}
			x.agrees()
			x.wantCalm()
		})
	}
}

func TestSincronizarAhoraBringsANewWorkerAtOnce(t *testing.T) {
	x := started(t, sheetOf{spools: 8, joints: 2})
	x.pass(35 * time.Second)
	check(t, x.b.AppendRow("Trabajadores", 200, "Ana", "Bravo", true))
	x.m.Now()
	x.pass(time.Second)
	if w, ok := x.st.Snapshot().Worker(200); !ok || !w.Activo {
		t.Errorf("worker 200 = %+v, want her active at once", w)
	}
}

func TestCellsThatCannotBeReadAreQuarantinedAndTheRestGoesOn(t *testing.T) {
	x := small(t, sheetOf{spools: 8, joints: 2})
	x.put("MK-003", "Fecha_Armado", "a fines de mayo")
	x.put("MK-005", "Fecha_Materiales", "pronto")
	check(t, x.b.AppendRow("Trabajadores", "doce", "Ana", "Bravo", true))
	x.pass(time.Minute)
	if n := x.st.Snapshot().Len(); n != 8 {
		t.Fatalf("the store has %d spools, want all 8", n)
	}
	found := map[string]bool{}
	for _, f := range x.m.Status().Quarantined {
		found[fmt.Sprintf("%s %d %s", f.Sheet, f.Row, f.Column)] = f.Reason != ""
	}
	for _, want := range []string{"Operaciones 4 Fecha_Armado", "Operaciones 6 Fecha_Materiales"} {
		if !found[want] {
			t.Errorf("quarantined = %v, want %s with a reason", found, want)
		}
	}
	if got := x.cell("Operaciones", "MK-003", "Fecha_Armado"); got.Text != "a fines de mayo" {
		t.Errorf("Fecha_Armado of MK-003 = %+v, want it left alone until somebody looks", got)
	}
	x.take("MK-002", 91, plant.ARM)
	x.pass(30 * time.Second)
	if got := x.cell("Operaciones", "MK-002", "Ocupado_Por"); got.Text != "AB(91)" {
		t.Errorf("Ocupado_Por of MK-002 = %+v, want AB(91)", got)
	}
}

func TestCellsOfOursThatSomebodySpoilsNeverHideASpool(t *testing.T) {
	spoil := map[string]any{"date": 46000.0, "currency": 12.5, "text": "xx", "bool": true, "error": emulator.Cell{Kind: emulator.ErrorValue, Text: "#REF!"}, "empty": nil}
	for name, v := range spoil {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := started(t, sheetOf{spools: 8, joints: 2})
			before := *x.spool("MK-002")
			for _, column := range owned {
				if v == nil {
					v = ""
				}
				x.put("MK-002", column, v)
			}
			x.pass(2 * time.Minute)
			after := *x.spool("MK-002")
			before.Notas, after.Notas = "", ""
			before.Version, after.Version = 0, 0
			before.Token, after.Token = "", ""
			if fmt.Sprintf("%+v", before.Progress) != fmt.Sprintf("%+v", after.Progress) {
				t.Errorf("the spool is %+v, want %+v", after.Progress, before.Progress)
			}
			x.agrees()
			if !x.audited("MK-002", "repuso") {
				t.Errorf("audit = %+v, want the edits on a taken spool in it", x.m.Status().Audit)
			}
		})
	}
}

func TestAMassEmptyingIsSetAside(t *testing.T) {
	tests := map[string]struct {
		edit func(x *office)
		want string
	}{
		"materials emptied": {func(x *office) {
			for i := range 30 {
				x.put(fmt.Sprintf("MK-%03d", i+1), "Fecha_Materiales", "")
			}
		}, "datos de la oficina"},
		"workers retired": {func(x *office) {
			for i := range 20 {
				check(x.t, x.b.Put("Trabajadores", [2]string{"Id", fmt.Sprint(90 + i)}, "Activo", false))
			}
		}, "trabajadores"},
		"people emptied": {func(x *office) { check(x.t, x.b.DeleteRows("Trabajadores", 2, 30)) }, "Trabajadores"},
		"roles emptied":  {func(x *office) { check(x.t, x.b.DeleteRows("Roles", 2, 90)) }, "Roles"},
		"half the rows":  {func(x *office) { check(x.t, x.b.DeleteRows("Operaciones", 2, 20)) }, "Operaciones"},
		"joints emptied": {func(x *office) { check(x.t, x.b.DeleteRows("Uniones", 2, 30)) }, "Uniones"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := started(t, sheetOf{spools: 40, joints: 2})
			seq := x.st.Snapshot().Seq
			tt.edit(x)
			x.pass(3 * time.Minute)
			if got := x.kinds(seq); len(got) > 0 {
				t.Errorf("events %v, want none: nothing changed on the floor", got)
			}
			found := false
			for _, a := range x.m.Status().Alerts {
				found = found || a.Kind == "lectura" && strings.Contains(a.Text, tt.want)
			}
			if !found {
				t.Errorf("alerts = %+v, want one about %q", x.m.Status().Alerts, tt.want)
			}
		})
	}
}

// sheetLimit refuses writes like the service does when a cell holds too much.
const sheetLimit = 50_000

func TestARowThatGoogleRefusesIsParkedAndTheRestGoesOn(t *testing.T) {
	x := started(t, sheetOf{spools: 8, joints: 2})
	long := strings.Repeat("línea larga de la oficina\n", sheetLimit/26-10)
	x.put("MK-004", "Notas", long)
	x.pass(2 * time.Minute)
	if got := x.spool("MK-004").Notas; len(got) < 40_000 {
		t.Fatalf("the store's notes have %d bytes, want the office's text", len(got))
	}
	for range 4 {
		x.do(plant.Command{Verb: plant.Anotar, Tag: "MK-004", Worker: 93, Texto: strings.Repeat("x", 490)})
	}
	x.take("MK-006", 92, plant.ARM)
	x.pass(5 * time.Minute)
	if got := x.cell("Operaciones", "MK-006", "Ocupado_Por"); got.Text != "AB(92)" {
		t.Errorf("Ocupado_Por of MK-006 = %q, want AB(92): the rest goes on", got.Text)
	}
	s := x.m.Status()
	if len(s.Parked) != 4 {
		t.Fatalf("parked = %+v, want the four notes", s.Parked)
	}
	for _, p := range s.Parked {
		if p.Tag != "MK-004" || p.Why == "" {
			t.Errorf("parked = %+v, want MK-004 and a reason", p)
		}
	}
	x.logAgrees()
}

// pickySheet refuses every write that holds a word.
type pickySheet struct {
	Sheet
	word string
}

func (s *pickySheet) Write(ctx context.Context, blocks ...google.Block) error {
	for _, b := range blocks {
		if s.word != "" && strings.Contains(fmt.Sprint(b.Rows), s.word) {
			return &google.Error{Class: google.Refused, Op: "values.batchUpdate", Status: 400, Err: errors.New("invalid value")}
		}
	}
	return s.Sheet.Write(ctx, blocks...)
}

// through gives the office a mirror that sees the spreadsheet through another.
func (x *office) through(s Sheet) {
	x.t.Helper()
	o := x.o
	o.Plant, o.Sheet, o.Now, o.Log, o.Random = outbox{x.st}, s, x.clock.Now, slog.New(slog.DiscardHandler), rand.New(rand.NewPCG(5, 6))
	m, err := New(o)
	if err != nil {
		x.t.Fatal(err)
	}
	x.m = m
}

func TestAnEventThatGoogleRefusesIsParkedAndTheLogGoesOn(t *testing.T) {
	x := started(t, sheetOf{spools: 8, joints: 2})
	poison := x.do(plant.Command{Verb: plant.Anotar, Tag: "MK-004", Worker: 93, Texto: "VENENO"})
	x.take("MK-006", 92, plant.ARM)
	picky := &pickySheet{Sheet: x.c, word: "VENENO"}
	x.through(picky)
	x.pass(6 * time.Minute)
	s := x.m.Status()
	if len(s.Parked) != 1 || s.Parked[0].Seq != poison.Seq || s.Parked[0].Why == "" {
		t.Errorf("parked = %+v, want the note alone", s.Parked)
	}
	if got := x.cell("Operaciones", "MK-006", "Ocupado_Por"); got.Text != "AB(92)" {
		t.Errorf("Ocupado_Por of MK-006 = %q, want AB(92)", got.Text)
	}
	rows := x.dump("Metadata")
	if !strings.Contains(rows, "MK-006") {
		t.Errorf("Metadata lacks the event of MK-006:\n%s", rows)
	}
	picky.word = ""
	check(t, x.m.Retry(t.Context(), poison.Seq))
	x.pass(3 * time.Minute)
	if got := x.cell("Operaciones", "MK-004", "Notas"); !strings.Contains(got.Text, "VENENO") {
		t.Errorf("Notas after the retry = %q, want the note", got.Text)
	}
	if !strings.Contains(x.dump("Metadata"), poison.ID) {
		t.Error("Metadata lacks the event after the retry")
	}
	if s := x.m.Status(); len(s.Parked) > 0 {
		t.Errorf("parked = %+v after the retry, want nothing", s.Parked)
	}
}

func TestTheFirstReadingTakesTheOldLogAsHistory(t *testing.T) {
	x := small(t, sheetOf{spools: 4, joints: 2})
	for i := range 5 {
		check(t, x.b.AppendRow("Metadata", fmt.Sprintf("viejo-%d", i), "01-04-2026 10:00:00", "TOMAR_SPOOL", "MK-002", 91, "AB(91)", "ARM", "TOMAR", "01-04-2026", "{}"))
	}
	before := x.dump("Metadata")
	x.pass(2 * time.Minute)
	if got := x.dump("Metadata"); got != before {
		t.Errorf("Metadata = \n%s\nwant it untouched:\n%s", got, before)
	}
	x.take("MK-002", 91, plant.ARM)
	x.pass(time.Minute)
	x.agrees()
	if got := x.dump("Metadata"); !strings.HasPrefix(got, before) {
		t.Errorf("Metadata = \n%s\nwant the old rows first:\n%s", got, before)
	}
}
