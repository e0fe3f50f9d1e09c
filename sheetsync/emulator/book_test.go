package emulator

import (
	"reflect"
	"testing"
	"time"
)

// plant is a small workbook: spools with a counting formula, and unions.
func plant(t *testing.T) *Book {
	t.Helper()
	e, err := New(Options{Now: func() time.Time { return time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC) }, Key: testKey()})
	if err != nil {
		t.Fatal(err)
	}
	b := e.Book()
	b.Fill("Operaciones", [][]any{
		{"TAG_SPOOL", "Armador", "Total_Uniones"},
		{"A-1", "MR(93)", Formula("=COUNTIF(Uniones!A:A;A2)", nil)},
		{"C-3", nil, Formula("=COUNTIF(Uniones!$A$2:$A$5,A3)", nil)},
		{"B-2", "LS(91)", Formula("=COUNTIF(Uniones!A:A;A4)", nil)},
	})
	b.Fill("Uniones", [][]any{{"TAG_SPOOL", "N_UNION"}, {"A-1", 1}, {"A-1", 2}, {"B-2", 1}, {"C-3", 1}})
	return b
}

// texts are the shown texts of a sheet.
func texts(t *testing.T, b *Book, title string) [][]string {
	t.Helper()
	rows, ok := b.Dump(title)
	if !ok {
		t.Fatalf("no sheet %q", title)
	}
	var out [][]string
	for _, row := range rows {
		line := []string{}
		for _, c := range row {
			line = append(line, c.Shown())
		}
		out = append(out, line)
	}
	return out
}

func expect(t *testing.T, b *Book, title, what string, want [][]string) {
	t.Helper()
	if got := texts(t, b, title); !reflect.DeepEqual(got, want) {
		t.Errorf("after %s %s =\n%q, want\n%q", what, title, got, want)
	}
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestCountingFormulasFollowTheUnions(t *testing.T) {
	b := plant(t)
	want := [][]string{{"TAG_SPOOL", "Armador", "Total_Uniones"}, {"A-1", "MR(93)", "2"}, {"C-3", "", "1"}, {"B-2", "LS(91)", "1"}}
	expect(t, b, "Operaciones", "filling", want)
	do(t, b.AppendRow("Uniones", "A-1", 3))
	want[1][2] = "3"
	expect(t, b, "Operaciones", "one more union", want)
	do(t, b.DeleteSheet("Uniones"))
	if got := b.Cell("Operaciones", "C2").Shown(); got != "#REF!" {
		t.Errorf("a count over a deleted sheet = %q, want #REF!", got)
	}
}

func TestAnUnknownFormulaKeepsItsResult(t *testing.T) {
	b := plant(t)
	do(t, b.SetCell("Operaciones", "B3", Formula(`=VLOOKUP(A3;Otra!A:B;2;0)`, "JP(94)")))
	if got := b.Cell("Operaciones", "B3"); got.Shown() != "JP(94)" || got.Formula == "" {
		t.Errorf("cell = %+v, want the formula showing JP(94)", got)
	}
}

func TestEditsOfRowsCarryFormulasAlong(t *testing.T) {
	header := []string{"TAG_SPOOL", "Armador", "Total_Uniones"}
	a, b2, c := []string{"A-1", "MR(93)", "2"}, []string{"B-2", "LS(91)", "1"}, []string{"C-3", "", "1"}
	tests := []struct {
		what string
		edit func(*Book) error
		want [][]string
	}{
		{"a sort", func(b *Book) error { return b.SortBy("Operaciones", "TAG_SPOOL", false) }, [][]string{header, a, b2, c}},
		{"a sort down", func(b *Book) error { return b.SortBy("Operaciones", "TAG_SPOOL", true) }, [][]string{header, c, b2, a}},
		{"a sort with blanks", func(b *Book) error { return b.SortBy("Operaciones", "Armador", true) }, [][]string{header, a, b2, c}},
		{"an inserted row", func(b *Book) error { return b.InsertRows("Operaciones", 3, 1) }, [][]string{header, a, {}, c, b2}},
		{"a deleted row", func(b *Book) error { return b.DeleteRows("Operaciones", 2, 1) }, [][]string{header, c, b2}},
		{"a row moved down", func(b *Book) error { return b.MoveRow("Operaciones", 2, 5) }, [][]string{header, c, b2, a}},
		{"a row moved up", func(b *Book) error { return b.MoveRow("Operaciones", 4, 2) }, [][]string{header, b2, a, c}},
		{"a duplicated row", func(b *Book) error { return b.DuplicateRow("Operaciones", 2) }, [][]string{header, a, a, c, b2}},
		{"an appended row", func(b *Book) error { return b.AppendRow("Operaciones", "D-4") }, [][]string{header, a, c, b2, {"D-4"}}},
		{"a renamed sheet", func(b *Book) error { return b.RenameSheet("Uniones", "Uniones v4") }, [][]string{header, a, c, b2}},
		{"deleted unions", func(b *Book) error { return b.DeleteRows("Uniones", 4, 2) },
			[][]string{header, a, {"C-3", "", "0"}, {"B-2", "LS(91)", "0"}}},
		{"a column before the counted one", func(b *Book) error { return b.InsertColumn("Uniones", "TAG_SPOOL", "OT") },
			[][]string{header, a, c, b2}},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			b := plant(t)
			do(t, tt.edit(b))
			expect(t, b, "Operaciones", tt.what, tt.want)
		})
	}
}

func TestEditsOfColumns(t *testing.T) {
	b := plant(t)
	do(t, b.InsertColumn("Operaciones", "Armador", "FLAG"))
	do(t, b.MoveColumn("Operaciones", "Total_Uniones", "TAG_SPOOL"))
	expect(t, b, "Operaciones", "inserting FLAG and moving the counter", [][]string{
		{"Total_Uniones", "TAG_SPOOL", "FLAG", "Armador"}, {"2", "A-1", "", "MR(93)"}, {"1", "C-3"}, {"1", "B-2", "", "LS(91)"}})
	do(t, b.DeleteColumn("Operaciones", "FLAG"))
	do(t, b.SetHeader("Operaciones", "Armador", ""))
	expect(t, b, "Operaciones", "deleting FLAG and a header", [][]string{
		{"Total_Uniones", "TAG_SPOOL"}, {"2", "A-1", "MR(93)"}, {"1", "C-3"}, {"1", "B-2", "LS(91)"}})
	if _, cols := b.Grid("Operaciones"); cols != 3 {
		t.Errorf("the grid is %d columns wide, want 3 again", cols)
	}
	do(t, b.SetHeader("Operaciones", "C", "Armador"))
	do(t, b.Put("Operaciones", [2]string{"TAG_SPOOL", "C-3"}, "Armador", "JP(94)"))
	if got := b.Cell("Operaciones", "C3").Text; got != "JP(94)" {
		t.Errorf("C3 = %q, want JP(94)", got)
	}
}

func TestAReformattedColumnKeepsItsValues(t *testing.T) {
	b := plant(t)
	do(t, b.SetCell("Uniones", "B2", 7))
	do(t, b.FormatColumn("Uniones", "N_UNION", DateFormat, "yyyy-mm-dd"))
	got := b.Cell("Uniones", "B2")
	if got.Num != 7 || got.Shown() != "1900-01-06" {
		t.Errorf("the count = %v shown as %q, want 7 shown as 1900-01-06", got.Num, got.Shown())
	}
	do(t, b.Type("Uniones", "B3", "12-05-2026"))
	if got := b.Cell("Uniones", "B3"); got.Num != Day(2026, 5, 12).Num || got.Shown() != "2026-05-12" {
		t.Errorf("a typed date = %+v, want 12 May in the cell's own pattern", got)
	}
}

func TestImpossibleEditsAreErrorsAndChangeNothing(t *testing.T) {
	b := plant(t)
	before := texts(t, b, "Operaciones")
	for what, err := range map[string]error{
		"a cell of an unknown sheet":  b.SetCell("Nada", "A1", 1),
		"a cell outside of the grid":  b.SetCell("Operaciones", "Z1", 1),
		"a range instead of a cell":   b.SetCell("Operaciones", "A1:B2", 1),
		"rows beyond the end":         b.DeleteRows("Operaciones", 4, 2),
		"row zero":                    b.InsertRows("Operaciones", 0, 1),
		"a column nobody has":         b.SortBy("Operaciones", "Soldador", false),
		"a title that is taken":       b.RenameSheet("Operaciones", "uniones"),
		"a row nobody has":            b.Put("Operaciones", [2]string{"TAG_SPOOL", "Z-9"}, "Armador", "x"),
		"an impossible grid":          b.Resize("Operaciones", 0, 3),
		"a move beyond the end":       b.MoveRow("Operaciones", 2, 9),
		"a column that is no longer ": b.MoveColumn("Operaciones", "Armador", "Notas"),
	} {
		if err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
	expect(t, b, "Operaciones", "refused edits", before)
}

func TestReferencesAreRewritten(t *testing.T) {
	own, other := &sheet{title: "Op"}, &sheet{title: "Hoja 2"}
	tests := []struct {
		formula string
		on      *sheet
		d       dimension
		to      shift
		want    string
	}{
		{"=A5+B1", own, byRow, inserted(2, 1), "=A6+B1"},
		{"=A5:A9", own, byRow, removed(6, 8), "=A5:A7"},
		{"=A5:A9", own, byRow, removed(7, 20), "=A5:A7"},
		{"=A5:A9", own, byRow, removed(0, 20), "=#REF!"},
		{"=$A$5", own, byRow, removed(4, 5), "=#REF!"},
		{"=SUM(B:C)", own, byColumn, inserted(1, 2), "=SUM(D:E)"},
		{"=SUM(B:C)", own, byRow, inserted(1, 2), "=SUM(B:C)"},
		{"='Hoja 2'!B3&\"A1\"", other, byColumn, inserted(0, 1), "='Hoja 2'!C3&\"A1\""},
		{"='Hoja 2'!B3&A1", own, byColumn, inserted(0, 1), "='Hoja 2'!B3&B1"},
		{"=A1+A2+A3", own, byRow, carried(0, 1, 3), "=A3+A1+A2"},
		{"=A1+A2+A3", own, byRow, carried(2, 3, 0), "=A2+A3+A1"},
	}
	for _, tt := range tests {
		if got := relocate(tt.formula, own, tt.on, tt.d, tt.to); got != tt.want {
			t.Errorf("%s became %s, want %s", tt.formula, got, tt.want)
		}
	}
}
