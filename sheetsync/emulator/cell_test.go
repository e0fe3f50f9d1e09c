package emulator

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

func TestTypedTextBecomesWhatTheKeyboardWouldMakeOfIt(t *testing.T) {
	day := Day(2026, 1, 21).Num
	tests := []struct {
		typed string
		want  Cell
	}{
		{"21-01-2026", Cell{Kind: Number, Num: day, Format: DateFormat}},
		{"21/1/2026", Cell{Kind: Number, Num: day, Format: DateFormat}},
		{"21/1/26", Cell{Kind: Number, Num: day, Format: DateFormat}},
		{"2026-01-21", Cell{Kind: Number, Num: day, Format: DateFormat}},
		{"21-ene-2026", Cell{Kind: Number, Num: day, Format: DateFormat}},
		{"21-Jan-2026", Cell{Kind: Text, Text: "21-Jan-2026"}},
		{"1-2", Cell{Kind: Number, Num: Day(2026, 2, 1).Num, Format: DateFormat}},
		{"31-02-2026", Cell{Kind: Text, Text: "31-02-2026"}},
		{"21-01-2026 06:00:00", Cell{Kind: Number, Num: day + 0.25, Format: DateTimeFormat}},
		{"21-01-2026 06:00", Cell{Kind: Number, Num: day + 0.25, Format: DateTimeFormat}},
		{"12:00", Cell{Kind: Number, Num: 0.5, Format: TimeFormat}},
		{"24:00", Cell{Kind: Text, Text: "24:00"}},
		{"1,5", numCell(1.5)},
		{"1.234,5", numCell(1234.5)},
		{"1.234", numCell(1234)},
		{"1.5", Cell{Kind: Text, Text: "1.5"}},
		{"007", numCell(7)},
		{"-4", numCell(-4)},
		{"50%", Cell{Kind: Number, Num: 0.5, Format: PercentFormat}},
		{"$ 1.000", Cell{Kind: Number, Num: 1000, Format: CurrencyFormat}},
		{"TRUE", boolCell(true)},
		{"verdadero", boolCell(true)},
		{"FALSO", boolCell(false)},
		{"'=1+1", Cell{Kind: Text, Text: "=1+1"}},
		{"'007", Cell{Kind: Text, Text: "007"}},
		{"=1+1", Cell{Kind: ErrorValue, Text: "#ERROR!", Formula: "=1+1"}},
		{"+56 9 1234", Cell{Kind: ErrorValue, Text: "#ERROR!", Formula: "=+56 9 1234"}},
		{"-sin pintura", Cell{Kind: ErrorValue, Text: "#ERROR!", Formula: "=-sin pintura"}},
		{"-", Cell{Kind: Text, Text: "-"}},
		{"@bodega", Cell{Kind: Text, Text: "@bodega"}},
		{" MR(93) ", Cell{Kind: Text, Text: " MR(93) "}},
		{"", Cell{}},
	}
	for _, tt := range tests {
		if got := enter(Cell{}, tt.typed, 2026); got != tt.want {
			t.Errorf("%q typed into an empty cell = %+v, want %+v", tt.typed, got, tt.want)
		}
	}
}

func TestAFormattedCellKeepsItsFormat(t *testing.T) {
	date := Cell{Format: DateFormat, Pattern: "yyyy-mm-dd"}
	got := enter(date, "7", 2026)
	if got.Kind != Number || got.Num != 7 || got.Format != DateFormat {
		t.Errorf("7 typed into a date cell = %+v, want the number 7 shown as a date", got)
	}
	if got.Shown() != "1900-01-06" {
		t.Errorf("7 in a date cell is shown as %q, want 1900-01-06", got.Shown())
	}
	text := enter(Cell{Format: TextFormat}, "=1+1", 2026)
	if text.Kind != Text || text.Text != "=1+1" || text.Formula != "" {
		t.Errorf("=1+1 typed into a plain-text cell = %+v, want the text itself", text)
	}
	if got := enter(date, "", 2026); got != date {
		t.Errorf("an emptied date cell = %+v, want only its format", got)
	}
}

func TestValuesAreShownTheChileanWay(t *testing.T) {
	instant := serial(time.Date(2026, 3, 9, 7, 5, 59, 0, time.UTC))
	tests := []struct {
		cell Cell
		want string
	}{
		{Cell{}, ""},
		{numCell(12), "12"},
		{numCell(0.1 + 0.2), "0,3"},
		{numCell(-1234.5), "-1234,5"},
		{Cell{Kind: Number, Num: 1234.5, Format: NumberFormat}, "1.234,50"},
		{Cell{Kind: Number, Num: 1234.5, Format: NumberFormat, Pattern: "0.0"}, "1234,5"},
		{Cell{Kind: Number, Num: 7, Format: NumberFormat, Pattern: "0"}, "7"},
		{Cell{Kind: Number, Num: 0.125, Format: PercentFormat}, "12,50%"},
		{Cell{Kind: Number, Num: 12000, Format: CurrencyFormat}, "$12.000"},
		{Cell{Kind: Number, Num: instant, Format: DateFormat}, "09-03-2026"},
		{Cell{Kind: Number, Num: instant, Format: DateTimeFormat}, "09-03-2026 07:05:59"},
		{Cell{Kind: Number, Num: instant, Format: DateTimeFormat, Pattern: "d/m/yy h:mm"}, "9/3/26 7:05"},
		{Cell{Kind: Number, Num: 0.5, Format: TimeFormat}, "12:00:00"},
		{boolCell(true), "VERDADERO"},
		{boolCell(false), "FALSO"},
		{faultCell("#REF!"), "#REF!"},
	}
	for _, tt := range tests {
		if got := tt.cell.Shown(); got != tt.want {
			t.Errorf("%+v is shown as %q, want %q", tt.cell, got, tt.want)
		}
	}
}

func TestRangesAreReadAndWrittenInA1(t *testing.T) {
	s := &sheet{title: "Hoja 1", height: 100, width: 30}
	tests := []struct{ text, want string }{
		{"'Hoja 1'!B5", "'Hoja 1'!B5"},
		{"'Hoja 1'!$B$5:C7", "'Hoja 1'!B5:C7"},
		{"'Hoja 1'!C7:B5", "'Hoja 1'!B5:C7"},
		{"'Hoja 1'!A:C", "'Hoja 1'!A1:C100"},
		{"'Hoja 1'!2:4", "'Hoja 1'!A2:AD4"},
		{"'Hoja 1'!B2:C", "'Hoja 1'!B2:C100"},
		{"'Hoja 1'!B2:3", "'Hoja 1'!B2:AD3"},
		{"'Hoja 1'", "'Hoja 1'!A1:AD100"},
		{"Hoja 1", "'Hoja 1'!A1:AD100"},
		{"AA9", "'Hoja 1'!AA9"},
		{"Hoja 1!Z99:ZZ500", "'Hoja 1'!Z99:AD100"},
	}
	for _, tt := range tests {
		a, err := parseA1(tt.text)
		if err != nil {
			t.Errorf("parse %q: %v", tt.text, err)
			continue
		}
		a, err = a.fit(s)
		if got := a.String(); err != nil || got != tt.want {
			t.Errorf("%q is %q (%v), want %q", tt.text, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "!A1", "X!", "'X!A1", "'X'A1", "X!A1:", "X!:B", "X!A0", "X!1A", "X!A1:B2:C3"} {
		if a, err := parseA1(bad); err == nil {
			t.Errorf("%q was read as %+v, want an error", bad, a)
		}
	}
}

func TestAQuoteInASheetNameIsDoubled(t *testing.T) {
	a, err := parseA1("'Juan''s'!A1")
	if err != nil || a.sheet != "Juan's" {
		t.Fatalf("sheet = %q, %v, want Juan's", a.sheet, err)
	}
	if got := a.String(); got != "'Juan''s'!A1" {
		t.Errorf("written back as %q, want 'Juan''s'!A1", got)
	}
}

func TestGridLimitsAreToldInTheServicesWords(t *testing.T) {
	s := &sheet{title: "T", height: 1000, width: 26}
	tests := []struct {
		text       string
		rows, cols int
		want       string
	}{
		{"T!A1001:B", 1, 1, "Range (T!A1001:B) exceeds grid limits. Max rows: 1000, max columns: 26"},
		{"T!AA1", 1, 1, "Range (T!AA1) exceeds grid limits. Max rows: 1000, max columns: 26"},
		{"T!A1000", 2, 1, "Range (T!A1000:A1001) exceeds grid limits. Max rows: 1000, max columns: 26"},
		{"T!A8:A9", 3, 1, "Requested writing within range ['T'!A8:A9], but tried writing to row [10]"},
		{"T!A8:A9", 2, 2, "Requested writing within range ['T'!A8:A9], but tried writing to column [B]"},
		{"T!A999:B", 3, 1, "Requested writing within range ['T'!A999:B1000], but tried writing to row [1001]"},
		{"T!A1", 3, 3, ""},
		{"T!A8:A9", 1, 1, ""},
	}
	for _, tt := range tests {
		a, err := parseA1(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.hold(s, tt.rows, tt.cols)
		var e *apiError
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%d×%d values at %s: %v, want them to fit", tt.rows, tt.cols, tt.text, err)
		case tt.want != "" && (!errors.As(err, &e) || e.message != tt.want || e.code != http.StatusBadRequest):
			t.Errorf("%d×%d values at %s: %v, want %q", tt.rows, tt.cols, tt.text, err, tt.want)
		}
	}
}

func TestColumnsHaveLetters(t *testing.T) {
	for n, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 51: "AZ", 62: "BK", 701: "ZZ", 702: "AAA"} {
		if got := Column(n); got != want {
			t.Errorf("column %d = %s, want %s", n, got, want)
		}
		if got := columnOf(want); got != n {
			t.Errorf("column %s = %d, want %d", want, got, n)
		}
	}
}

func FuzzTypingAndRangesNeverPanic(f *testing.F) {
	for _, s := range []string{"=A1", "21-01-2026 10:00", "'x", "1.234,5", "'a''b'!A1:B", "A:C", "$%", "-", "1e999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, format := range []Format{Automatic, TextFormat, DateFormat} {
			c := enter(Cell{Format: format}, s, 2026)
			_ = c.Shown()
			if c.Format != format && format != Automatic {
				t.Errorf("%q changed the format %s to %s", s, format, c.Format)
			}
		}
		if a, err := parseA1(s); err == nil {
			if again, err := parseA1(a.String()); a.sheet != "" && (err != nil || again.row0 != a.row0 || again.col0 != a.col0) {
				t.Errorf("%q is written as %s, which reads as %+v, %v", s, a, again, err)
			}
		}
	})
}
