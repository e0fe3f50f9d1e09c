package migration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"envivo/sheetsync/emulator"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

func TestOnlyMissingColumnsAreAddedBehindEverythingInUse(t *testing.T) {
	b := newBench(t, func(book *emulator.Book) {
		small(book)
		must(book.SetHeader("Operaciones", "DATO_20", "ocupado por"))
		must(book.SetHeader("Operaciones", "DATO_21", "Version"))
		must(book.SetCell("Operaciones", "U4", "7d1f1c9e-7a52-4a5c-9f0e-2f6f3a1d0001"))
		must(book.SetCell("Operaciones", "U5", 0))
		must(book.Resize("Operaciones", 40, 66))
		must(book.SetCell("Operaciones", "BL30", "apunte sin encabezado"))
		must(book.Resize("Metadata", 60, 11))
	})
	before := b.picture()
	r := b.run()
	if got := strings.Join(r.Columns, " "); got != "Fecha_Ocupacion Estado_Detalle" {
		t.Errorf("added columns = %q, want the two that were missing", got)
	}
	book := b.e.Book()
	if x, y := book.Cell("Operaciones", "BM1").Text, book.Cell("Operaciones", "BN1").Text; x != "Fecha_Ocupacion" || y != "Estado_Detalle" {
		t.Errorf("headers behind the note = %q, %q", x, y)
	}
	if rows, cols := book.Grid("Operaciones"); rows != 40 || cols != 66 {
		t.Errorf("grid = %d x %d, want it unchanged, for there was room", rows, cols)
	}
	if c := book.Cell("Operaciones", "U4"); c.Text != "7d1f1c9e-7a52-4a5c-9f0e-2f6f3a1d0001" {
		t.Errorf("a version that was there = %+v, want it kept", c)
	}
	if err := book.SortBy("Operaciones", "TAG_SPOOL / CODIGO_BARRA", true); err != nil {
		t.Fatal(err)
	}
	b.rollback()
	want := before.Cells["Operaciones"]
	got, _ := book.Dump("Operaciones")
	if len(sortedRows(got)) != len(sortedRows(want)) || !slices.Equal(sortedRows(got), sortedRows(want)) {
		t.Errorf("rows after sorting and a rollback =\n%s\nwant\n%s", strings.Join(sortedRows(got), "\n"), strings.Join(sortedRows(want), "\n"))
	}
}

// sortedRows are the rows as texts, without regard to their order.
func sortedRows(rows [][]emulator.Cell) []string {
	var out []string
	for _, row := range rows {
		var words []string
		for _, c := range row {
			words = append(words, c.Shown())
		}
		if s := strings.TrimRight(strings.Join(words, "|"), "|"); s != "" {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

func TestAPartialMigrationIsTakenBackCellByCell(t *testing.T) {
	for name, cols := range map[string]int{"no room": 63, "room for one": 64, "room for all": 70} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(book *emulator.Book) {
				small(book)
				must(book.SetHeader("Operaciones", "DATO_21", "version"))
				must(book.SetCell("Operaciones", "U4", "7d1f1c9e-7a52-4a5c-9f0e-2f6f3a1d0001"))
				must(book.SetCell("Operaciones", "U5", 0))
				rows, _ := book.Grid("Operaciones")
				must(book.Resize("Operaciones", rows, cols))
			})
			before := b.picture()
			b.run()
			b.rollback()
			b.same("the sheet", b.picture(), before)
			if r := b.rollback(); !r.Already {
				t.Errorf("a second rollback = %+v, want a no-op", r)
			}
			b.now = b.now.Add(time.Minute)
			if r := b.run(); r.Already || r.Resumed {
				t.Errorf("a migration after a rollback = %+v, want a new one", r)
			}
			b.rollback()
			b.same("the sheet after the second time", b.picture(), before)
		})
	}
}

func TestARollbackSparesWhatOthersDid(t *testing.T) {
	b := newBench(t, small)
	b.run()
	book := b.e.Book()
	must(book.SetCell("Operaciones", "BL3", "MR(93)"))
	must(book.InsertColumn("Operaciones", "NV", "FLAG"))
	must(book.AppendRow("Metadata", "id-nuevo", "27-01-2026 10:00:00", "TOMAR_SPOOL"))
	migrated := b.picture()
	_, err := Rollback(t.Context(), b.o)
	var no *Refusal
	if !errors.As(err, &no) || !strings.Contains(no.Reason, "BM3 (Ocupado_Por)") {
		t.Fatalf("rollback over foreign cells = %v, want it refused with the cell", err)
	}
	b.same("the sheet after a refused rollback", b.picture(), migrated)
	b.o.Force = true
	b.rollback()
	if _, cols := book.Grid("Operaciones"); cols != 64 {
		t.Errorf("the grid has %d columns, want 63 and the office's new one", cols)
	}
	head, _ := book.Dump("Operaciones")
	if len(head[0]) != 64 || head[0][1].Text != "FLAG" {
		t.Errorf("headers = %d, the second %q, want FLAG kept and ours gone", len(head[0]), head[0][1].Text)
	}
	meta, _ := book.Dump("Metadata")
	text := strings.Join(sortedRows(meta), "\n")
	if strings.Contains(text, "MIGRATION_") || !strings.Contains(text, "id-nuevo") {
		t.Errorf("Metadata = %s, want only the migration's rows gone", text)
	}
	kept := slices.IndexFunc(b.files(), func(f string) bool { return strings.HasPrefix(f, "dropped_") })
	if kept < 0 {
		t.Fatalf("files = %v, want the deleted cells among them", b.files())
	}
	if raw, err := os.ReadFile(filepath.Join(b.o.Dir, b.files()[kept])); err != nil || !strings.Contains(string(raw), "MR(93)") {
		t.Errorf("the deleted cells = %s, %v, want MR(93) kept", raw, err)
	}
}

func TestARollbackHasItsTimeAndItsSheet(t *testing.T) {
	b := newBench(t, small)
	refused := func(what, want string) {
		t.Helper()
		before := b.picture()
		_, err := Rollback(t.Context(), b.o)
		var no *Refusal
		if !errors.As(err, &no) || !strings.Contains(no.Reason, want) {
			t.Errorf("rollback %s = %v, want it refused with %q", what, err, want)
		}
		b.same("the sheet after a refused rollback", b.picture(), before)
	}
	refused("without a migration", "no hay ninguna migración")
	b.run()
	b.o.ID = "otra"
	refused("of another spreadsheet", "otra planilla")
	b.o.ID = "emulador"
	b.now = testNow.Add(Window + time.Second)
	refused("after seven days", "siete días")
	b.now = testNow.Add(Window)
	b.o.DryRun = true
	before := b.picture()
	b.rollback()
	b.same("the sheet after a rehearsed rollback", b.picture(), before)
	b.o.DryRun = false
	b.rollback()
}

func TestAnUnfinishedRollbackIsFinishedFirst(t *testing.T) {
	b := newBench(t, small)
	b.run()
	remove := b.e.Inject(emulator.Fault{When: emulator.Writes, Act: emulator.ResetBefore})
	if _, err := Rollback(t.Context(), b.o); err == nil {
		t.Fatal("a rollback without any write succeeded")
	}
	remove()
	_, err := Run(t.Context(), b.o)
	var no *Refusal
	if !errors.As(err, &no) || !strings.Contains(no.Reason, "--rollback") {
		t.Errorf("migration in the middle of a rollback = %v, want it refused", err)
	}
	b.rollback()
}

func TestTruncatedAnswersAreNotBelieved(t *testing.T) {
	for name, tt := range map[string]struct {
		act   emulator.Action
		times int // 0: all answers from then on
	}{"one empty": {emulator.EmptyAnswer, 1}, "one half": {emulator.HalfAnswer, 1}, "all empty": {emulator.EmptyAnswer, 0}, "all half": {emulator.HalfAnswer, 0}} {
		t.Run(name, func(t *testing.T) {
			failures := 0
			for n := 1; ; n++ {
				b := newBench(t, small)
				original := b.picture()
				b.e.ResetCalls()
				remove := b.e.Inject(emulator.Fault{Name: "odd", When: emulator.On(emulator.BatchGetValues), Skip: n - 1, Times: tt.times, Act: tt.act})
				_, err := Run(t.Context(), b.o)
				remove()
				if !slices.ContainsFunc(b.e.Calls(), func(c emulator.Call) bool { return c.Fault == "odd" }) {
					break
				}
				if err != nil {
					failures++
				}
				spared(t, b, original, n)
				b.o.Force = true
				b.run()
				b.rollback()
				b.same("the sheet in the end", b.picture(), original)
			}
			if failures < 3 {
				t.Errorf("only %d odd answers were noticed", failures)
			}
		})
	}
}

// spared checks that every cell of the original is what it was.
func spared(t *testing.T, b *bench, original picture, n int) {
	t.Helper()
	now := b.picture()
	for title, rows := range original.Cells {
		for r, row := range rows {
			for c, want := range row {
				if r >= len(now.Cells[title]) || row1(now.Cells[title][r], c) != want {
					t.Fatalf("odd answer to read %d: %s %s%d is no longer %+v", n, title, table.Letters(c), r+1, want)
				}
			}
		}
	}
}

func TestVerificationFindsAChangedSample(t *testing.T) {
	b := newBench(t, small)
	o := b.o
	o.Sheet = &mortal{b.o.Sheet, 4, true} // the headers are written, their answer is lost
	if _, err := Run(t.Context(), o); !errors.Is(err, errKilled) {
		t.Fatalf("first run: %v", err)
	}
	tagged := b.e.Book().Cell("Operaciones", "G2").Text
	must(b.e.Book().Put("Operaciones", [2]string{"TAG_SPOOL / CODIGO_BARRA", tagged}, "Soldador", "otro"))
	_, err := Run(t.Context(), b.o)
	var no *Refusal
	if !errors.As(err, &no) || !strings.Contains(no.Reason, "AN2 (Soldador)") {
		t.Fatalf("migration over a changed row = %v, want it to name the cell", err)
	}
	b.o.Force = true
	if r := b.run(); len(r.Warnings) == 0 {
		t.Error("a forced migration does not warn about the changed cell")
	}
}

func TestDoubtfulRowsAreNamed(t *testing.T) {
	b := newBench(t, func(book *emulator.Book) {
		old(1)(book)
		must(book.Resize("Operaciones", 1, 1))
		book.Fill("Operaciones", [][]any{
			{"TAG_SPOOL", "NV", "Fecha_Materiales", "Fecha_Armado", "Armador", "Fecha_Soldadura", "Soldador", "Fecha_QC_Metrología", "Ocupado_Por"},
			{"A-1", "1", "01-01-2026", "", "", "05-01-2026", "MR(93)", "", ""},
			{"A-2", "1", "01-01-2026", "08-01-2026", "MR(93)", "05-01-2026", "MR(93)", "", ""},
			{"a-1", "1", "", "", "", "", "", "", ""},
			{"A-3", "1", "01-01-2026", "", "", "", "", "", "Juan"},
			{"A-4", "1", "01-01-2026", "", "", "", "", "", "XY(777)"},
			{"A-5", "1", "01-01-2026", "02-01-2026", "MR(93)", "05-01-2026", "MR(93)", "04-01-2026", ""},
		})
	})
	r := b.run()
	for _, want := range []struct {
		row    int
		reason string
	}{{2, "SOLD terminado sin ARM"}, {3, "la soldadura es anterior al armado"}, {4, "TAG repetido"}, {5, "sin número de trabajador"},
		{6, heldByNoWorker}, {7, qcOutOfOrder}} {
		if !slices.ContainsFunc(r.Rows, func(f table.Finding) bool { return f.Row == want.row && strings.Contains(f.Reason, want.reason) }) {
			t.Errorf("row %d is not reported for %q: %+v", want.row, want.reason, r.Rows)
		}
	}
}

func TestWorksheetsMayHaveOtherTitles(t *testing.T) {
	b := newBench(t, small)
	must(b.e.Book().RenameSheet("Operaciones", "Operaciones 2026 'Planta'"))
	must(b.e.Book().RenameSheet("Metadata", "metadata "))
	before := b.picture()
	b.o.Names.Operaciones = "Operaciones 2026 'Planta'"
	b.run()
	b.rollback()
	b.same("the sheet", b.picture(), before)
}

func TestARefusedKeyIsAnErrorAndNotAMissingBackup(t *testing.T) {
	b := newBench(t, small)
	remove := b.e.Inject(emulator.Fault{When: emulator.On(emulator.CopyFile), Act: emulator.Fail})
	_, err := Run(t.Context(), b.o)
	if google.ClassOf(err) != google.Retry || err == nil {
		t.Errorf("a service that is away at the copy = %v, want an error that is worth another run", err)
	}
	remove()
	if r := b.run(); r.Backup.DriveID == "" {
		t.Errorf("backup of the second run = %+v, want the copy made", r.Backup)
	}
}

func TestWhateverDriveSaysAboutCopiesTheMigrationGoesOn(t *testing.T) {
	for name, act := range map[string]emulator.Action{"no access": emulator.DenyAccess, "not switched on": emulator.DisableService, "no such folder": emulator.HideFile} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, small)
			b.e.Inject(emulator.Fault{When: emulator.On(emulator.CopyFile), Act: act})
			r := b.run()
			if r.Backup.Refused == "" || r.Backup.DriveID != "" || len(r.Instructions) == 0 {
				t.Errorf("backup = %+v with instructions %q, want a refusal and what to do", r.Backup, r.Instructions)
			}
		})
	}
}

func TestARowOfTheLogThatSomebodyOverwroteIsNoticed(t *testing.T) {
	b := newBench(t, small)
	rows, _ := b.e.Book().Grid("Metadata")
	remove := b.e.Inject(emulator.Fault{When: emulator.On(emulator.BatchUpdateValues), Times: 1, After: func(emulator.Call) {
		must(b.e.Book().SetCell("Metadata", fmt.Sprintf("A%d", rows+1), "otro"))
	}})
	_, err := Run(t.Context(), b.o)
	remove()
	var no *Refusal
	if !errors.As(err, &no) || !strings.Contains(no.Reason, "Metadata") {
		t.Fatalf("migration whose row was overwritten = %v, want it noticed", err)
	}
	b.o.Force = true
	b.run()
}

func TestARowThatSomebodyAppendsMeanwhileIsNotOverwritten(t *testing.T) {
	b := newBench(t, small)
	original := b.picture()
	remove := b.e.Inject(emulator.Fault{When: emulator.On(emulator.BatchUpdate), Times: 1, After: func(emulator.Call) {
		must(b.e.Book().AppendRow("Metadata", "id-nuevo", "27-01-2026 10:00:00", "INICIAR_ARM"))
	}})
	_, err := Run(t.Context(), b.o)
	remove()
	if err == nil {
		t.Error("a migration did not notice that the log had grown meanwhile")
	}
	b.run()
	meta, _ := b.e.Book().Dump("Metadata")
	if n := len(original.Cells["Metadata"]); len(meta) != n+3 || meta[n][0].Text != "id-nuevo" {
		t.Errorf("Metadata has %d rows, row %d is %+v, want the new row and the migration's two behind it", len(meta), n+1, meta[n])
	}
	b.rollback()
	if after := b.picture(); len(after.Cells["Metadata"]) != len(original.Cells["Metadata"])+1 || after.Grids["Operaciones"] != original.Grids["Operaciones"] {
		t.Errorf("after a rollback Metadata has %d rows and the grids are %v, want the new row alone", len(after.Cells["Metadata"]), after.Grids)
	}
}
