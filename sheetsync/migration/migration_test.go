package migration

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"envivo/sheetsync/emulator"
	"envivo/sheetsync/table"
)

func TestAWholePlantIsMigratedInAFewCalls(t *testing.T) {
	b := newBench(t, old(1<<20))
	before := b.picture()
	if g := before.Grids["Operaciones"]; g[1] != 63 || g[0] < 2493 {
		t.Fatalf("the grid is %v, want the 63 columns of v2.1 and all spools", g)
	}
	r := b.run()
	t.Logf("%d calls, %d of them writes", b.calls(), b.writes())
	if n := b.calls(); n > 22 {
		t.Errorf("the migration took %d calls, want at most 22", n)
	}
	if n := b.writes(); n > 6 {
		t.Errorf("the migration took %d writes, want at most 6", n)
	}
	got, _ := b.e.Book().Dump("Operaciones")
	for i, want := range added() {
		if got[0][63+i].Text != want {
			t.Errorf("header %d = %q, want %q", 64+i, got[0][63+i].Text, want)
		}
	}
	for i, row := range got[1:] {
		tag, zero := strings.TrimSpace(row1(row, 6).Text) != "", row1(row, 65) == emulator.Cell{Kind: emulator.Number}
		if tag != zero {
			t.Fatalf("version of row %d = %+v, want 0 exactly where there is a TAG (%q)", i+2, row1(row, 65), row1(row, 6).Text)
		}
	}
	if len(r.Rows) == 0 || r.Backup.DriveID == "" || r.Already || r.Resumed {
		t.Errorf("report = %+v, want doubtful rows and a copy in Drive", r)
	}
	if dup := slices.ContainsFunc(r.Rows, func(f table.Finding) bool { return strings.HasPrefix(f.Reason, "TAG repetido") }); !dup {
		t.Error("the report does not name the repeated TAGs")
	}
	if want := "Planta_v2.1_backup_20260126_120405"; r.Backup.Title != want {
		t.Errorf("name of the backup = %q, want %q", r.Backup.Title, want)
	}
	copied, ok := b.e.Other(r.Backup.DriveID)
	if !ok {
		t.Fatal("there is no copy")
	}
	b.same("the copy in Drive", pictureOf(copied), before)
	want := []string{"Planta_v2.1_backup_20260126_120405.xlsx", "migration_report.json", "rollback.json", "snapshot.json"}
	if d := cmp.Diff(want, b.files()); d != "" {
		t.Errorf("files after success (-want +got):\n%s", d)
	}
	b.e.ResetCalls()
	b.rollback()
	t.Logf("rollback: %d calls, %d of them writes", b.calls(), b.writes())
	b.same("the sheet after the rollback", b.picture(), before)
}

func row1(row []emulator.Cell, i int) emulator.Cell {
	if i < len(row) {
		return row[i]
	}
	return emulator.Cell{}
}

func TestMetadataTellsOfTheMigrationOnce(t *testing.T) {
	b := newBench(t, small)
	before, _ := b.e.Book().Dump("Metadata")
	b.run()
	after, _ := b.e.Book().Dump("Metadata")
	if len(after) != len(before)+2 {
		t.Fatalf("Metadata has %d rows, want 2 more than %d", len(after), len(before))
	}
	for i, want := range []string{"26-01-2026 12:04:05 MIGRATION_V3_COLUMNS  0 SYSTEM MIGRATION ADD_COLUMNS 26-01-2026 " +
		`{"sheet":"Operaciones","columns":["Ocupado_Por","Fecha_Ocupacion","version"]}`,
		`26-01-2026 12:04:05 MIGRATION_ESTADO_DETALLE  0 SYSTEM MIGRATION ADD_COLUMN 26-01-2026 {"sheet":"Operaciones","columns":["Estado_Detalle"]}`} {
		var words []string
		for _, c := range after[len(before)+i][1:] {
			words = append(words, c.Shown())
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("row %d of the migration = %s, want %s", i+1, got, want)
		}
	}
}

func TestSkippedStepsAreNotRepeatedUnlessForced(t *testing.T) {
	b := newBench(t, small)
	o := b.o
	o.Sheet = &mortal{b.o.Sheet, 5, false} // the zeros
	if _, err := Run(t.Context(), o); !errors.Is(err, errKilled) {
		t.Fatalf("first run: %v", err)
	}
	for _, name := range []string{stepBackup, stepColumns, stepVerify} {
		if !slices.Contains(b.files(), "checkpoint_"+name+".json") {
			t.Errorf("no checkpoint of %s among %v", name, b.files())
		}
	}
	f, err := Check(t.Context(), b.o)
	if err != nil || f.Unfinished == "" || f.OK() {
		t.Errorf("check of a half migrated sheet = %+v, %v, want it to say so", f, err)
	}
	b.now = b.now.Add(time.Hour)
	b.e.ResetCalls()
	r := b.run()
	var got []string
	for _, s := range r.Steps {
		got = append(got, s.Step+" "+string(s.Status))
	}
	want := []string{"create_backup skipped", "add_v3_columns skipped", "verify_schema skipped", "initialize_versions done", "hydration_report done"}
	if d := cmp.Diff(want, got); d != "" || !r.Resumed {
		t.Errorf("steps of the second run (-want +got):\n%s", d)
	}
	if n := b.writes(); n != 1 {
		t.Errorf("the second run wrote %d times, want once", n)
	}

	forced := newBench(t, small)
	original := forced.picture()
	o = forced.o
	o.Sheet = &mortal{forced.o.Sheet, 5, false}
	if _, err := Run(t.Context(), o); !errors.Is(err, errKilled) {
		t.Fatalf("first run: %v", err)
	}
	forced.now = forced.now.Add(time.Hour)
	o = forced.o
	o.Force = true
	r, err = Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(r.Steps, func(s StepReport) bool { return s.Status != Done }) {
		t.Errorf("steps of a forced run = %+v, want all done again", r.Steps)
	}
	if meta, _ := forced.e.Book().Dump("Metadata"); len(meta) != len(original.Cells["Metadata"])+2 {
		t.Errorf("Metadata has %d rows, want the migration's two once", len(meta))
	}
	forced.rollback()
	forced.same("the sheet after a forced run and a rollback", forced.picture(), original)
}

func TestARehearsalWritesNothingAnywhere(t *testing.T) {
	b := newBench(t, small)
	before := b.picture()
	b.o.DryRun = true
	r := b.run()
	if b.writes() != 0 {
		t.Errorf("a rehearsal made %d writes", b.writes())
	}
	b.same("the sheet after a rehearsal", b.picture(), before)
	if f := b.files(); len(f) != 0 {
		t.Errorf("a rehearsal left %v", f)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Ocupado_Por, Fecha_Ocupacion, version, Estado_Detalle en Operaciones desde la columna BL", "crecería en 4", "no se escribió nada"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text of a rehearsal lacks %q:\n%s", want, &text)
		}
	}
}

func TestAMigratedSheetIsLeftAlone(t *testing.T) {
	v5 := []any{"TAG_SPOOL", "SPLIT", "NV", "OT", "Fecha_Materiales", "Fecha_Armado", "Armador", "Fecha_Soldadura", "Soldador", "Fecha_QC_Metrologia",
		"Ocupado_Por", "Fecha_Ocupacion", "Estado_Detalle", "Total_Uniones", "Notas"}
	for name, header := range map[string][]any{"v3.0": append(v5[:13:13], "version"), "v5 without a version": v5, "v5": append(v5[:15:15], "version")} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(book *emulator.Book) {
				small(book)
				must(book.Resize("Operaciones", 1, 1))
				book.Fill("Operaciones", [][]any{header, {"A-1"}})
			})
			before := b.picture()
			r := b.run()
			if !r.Already || b.writes() != 0 || len(b.files()) != 0 {
				t.Errorf("report = %+v, %d writes, files %v, want a no-op", r, b.writes(), b.files())
			}
			b.same("the sheet", b.picture(), before)
			f, err := Check(t.Context(), b.o)
			if err != nil || !f.OK() || f.Needed {
				t.Errorf("check = %+v, %v, want nothing to do", f, err)
			}
		})
	}
	b := newBench(t, small)
	b.run()
	b.e.ResetCalls()
	if r := b.run(); !r.Already || b.writes() != 0 {
		t.Errorf("a second migration = %+v with %d writes, want a no-op", r, b.writes())
	}
	b.rollback()
}

func TestUnclearSheetsAreRefusedByName(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(*emulator.Book) error
		want  string
	}{
		"missing":   {func(b *emulator.Book) error { return b.SetHeader("Operaciones", "Armador", "Quien") }, "Operaciones: falta la columna Armador"},
		"twice":     {func(b *emulator.Book) error { return b.SetHeader("Operaciones", "DATO_20", "SOLDADOR") }, "Operaciones: el encabezado Soldador está repetido en las columnas T, AN"},
		"twice cut": {func(b *emulator.Book) error { return b.SetHeader("Operaciones", "DATO_20", "Tag spool / otro") }, "Operaciones: el encabezado TAG_SPOOL está repetido en las columnas G, T"},
		"log":       {func(b *emulator.Book) error { return b.SetHeader("Metadata", "Accion", "") }, "Metadata: falta la columna Accion"},
		"worksheet": {func(b *emulator.Book) error { return b.RenameSheet("Roles", "Otros") }, "falta la hoja Roles"},
		"two titles": {func(b *emulator.Book) error {
			b.Fill("METADATA ", [][]any{{"x"}})
			return b.RenameSheet("Metadata", "Métadata")
		}, "no está claro cuál es la hoja Metadata"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, small)
			if err := tt.spoil(b.e.Book()); err != nil {
				t.Fatal(err)
			}
			before := b.picture()
			_, err := Run(t.Context(), b.o)
			var no *Refusal
			if !errors.As(err, &no) || !strings.Contains(no.Reason, tt.want) {
				t.Errorf("migration = %v, want it refused with %q", err, tt.want)
			}
			b.same("the refused sheet", b.picture(), before)
			f, err := Check(t.Context(), b.o)
			if err != nil || f.OK() || !strings.Contains(f.Text, tt.want) {
				t.Errorf("check = %+v, %v, want it to say %q", f, err, tt.want)
			}
		})
	}
}

func TestCheckSaysWhatAMigrationWouldAdd(t *testing.T) {
	b := newBench(t, small)
	f, err := Check(t.Context(), b.o)
	if err != nil {
		t.Fatal(err)
	}
	if f.OK() || !f.Needed || !slices.Equal(f.Add, added()) || f.Generation != "v2.1" || len(f.Missing) != 4 || b.calls() != 2 {
		t.Errorf("check = %+v in %d calls, want the four columns in two", f, b.calls())
	}
	b.e.Outage(true)
	if f, err := Check(t.Context(), b.o); err == nil {
		t.Errorf("check without a network = %+v, want an error", f)
	}
}

func TestWithoutRoomInDriveTheLocalCopyIsComplete(t *testing.T) {
	novel := strings.Repeat("ñandú ", 6000)
	b := newBench(t, func(book *emulator.Book) {
		small(book)
		must(book.SetCell("Precios de la oficina", "A1", novel))
	})
	b.e.SetDriveFull(true)
	before := b.picture()
	r := b.run()
	if r.Backup.DriveID != "" || r.Backup.Refused != "storageQuotaExceeded" {
		t.Errorf("backup = %+v, want Drive to refuse", r.Backup)
	}
	if text := strings.Join(r.Instructions, "\n"); !strings.Contains(text, "Hacer una copia") || !strings.Contains(text, r.Backup.Title) {
		t.Errorf("instructions = %q, want how to make a copy by hand", text)
	}
	f, err := excelize.OpenFile(filepath.Join(b.o.Dir, r.Backup.File), excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := slices.Sorted(maps.Keys(before.Cells))
	want = append(want, "Respaldo_Formulas", "Respaldo_Textos_Largos")
	got := f.GetSheetList()
	slices.Sort(got[:len(got)-2])
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("worksheets (-want +got):\n%s", d)
	}
	copied(t, f, before, novel)
	if shown, _ := f.GetCellValue("Precios de la oficina", "B3", excelize.Options{}); shown != "21-01-2026" {
		t.Errorf("a date of the copy shows as %q, want 21-01-2026", shown)
	}
	var parts string
	rows, _ := f.GetRows("Respaldo_Textos_Largos")
	for _, row := range rows[1:] {
		if row[0] != "Precios de la oficina" || row[1] != "A1" {
			t.Errorf("a long text is said to stand at %q", row[:2])
		}
		parts += row[3]
	}
	if parts != novel {
		t.Errorf("the parts of the long text make %d bytes, want the %d it has", len(parts), len(novel))
	}
	formula, _ := f.GetRows("Respaldo_Formulas")
	if len(formula) != 2 || strings.Join(formula[1], " ") != "Operaciones P3 '=COUNTA(A2:A4)" {
		t.Errorf("formulas = %q, want the one there is", formula)
	}
}

// copied checks that every cell of a picture is in a workbook, but for those of one
// text.
func copied(t *testing.T, f *excelize.File, before picture, but string) {
	t.Helper()
	cells := 0
	for title, rows := range before.Cells {
		for r, row := range rows {
			for c, cell := range row {
				where := fmt.Sprintf("%s%d", table.Letters(c), r+1)
				got, err := f.GetCellValue(title, where)
				if err != nil {
					t.Fatal(err)
				}
				if cell.Text == but {
					continue
				}
				if want := raw(cell); !alikeRaw(got, want) {
					t.Errorf("%s %s of the copy = %q, want %q", title, where, got, want)
				}
				cells++
			}
		}
	}
	if cells < 1000 {
		t.Errorf("only %d cells were compared", cells)
	}
}

// alikeRaw compares texts but for the mark that keeps a text from being a formula,
// and numbers to fifteen digits.
func alikeRaw(got, want string) bool {
	x, err1 := strconv.ParseFloat(got, 64)
	y, err2 := strconv.ParseFloat(want, 64)
	if err1 == nil && err2 == nil {
		return math.Abs(x-y) < 1e-9
	}
	return strings.TrimPrefix(got, "'") == strings.TrimPrefix(want, "'")
}

// raw is a cell as a workbook stores it.
func raw(c emulator.Cell) string {
	switch c.Kind {
	case emulator.Number:
		return table.NumberCell(c.Num).String()
	case emulator.Bool:
		if c.True() {
			return "1"
		}
		return "0"
	}
	return c.Text
}
