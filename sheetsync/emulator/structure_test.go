package emulator

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"google.golang.org/api/sheets/v4"
)

func (x *bench) sheetID(title string) int64 {
	x.t.Helper()
	got, err := x.svc.Spreadsheets.Get("emulador").Fields("sheets.properties(sheetId,title)").Do()
	if err != nil {
		x.t.Fatal(err)
	}
	for _, s := range got.Sheets {
		if s.Properties.Title == title {
			return s.Properties.SheetId
		}
	}
	x.t.Fatalf("no sheet %q", title)
	return 0
}

func TestTheSpreadsheetDescribesItself(t *testing.T) {
	x := newBench(t, Options{Title: "Planta"})
	x.b.Fill("Metadata", [][]any{{"ID"}})
	got, err := x.svc.Spreadsheets.Get("emulador").Fields("properties(title,locale,timeZone)," +
		"sheets.properties(sheetId,title,index,gridProperties(rowCount,columnCount))").Do()
	if err != nil {
		t.Fatal(err)
	}
	p := got.Properties
	if p.Title != "Planta" || p.Locale != "es_CL" || p.TimeZone != "America/Santiago" || got.SpreadsheetId != "" {
		t.Errorf("properties = %+v, id %q, want those asked for and no id", p, got.SpreadsheetId)
	}
	if len(got.Sheets) != 2 || got.Sheets[1].Properties.Title != "Metadata" || got.Sheets[1].Properties.Index != 1 {
		t.Fatalf("sheets = %s, want Operaciones and Metadata", asJSON(t, got.Sheets))
	}
	if g := got.Sheets[0].Properties.GridProperties; g.RowCount != 3 || g.ColumnCount != 4 {
		t.Errorf("grid = %d×%d, want 3×4", g.RowCount, g.ColumnCount)
	}
	_, err = x.svc.Spreadsheets.Get("otra").Do()
	refused(t, err, 404, "Requested entity was not found.")
}

func TestTheGridGrowsWhenAskedAndNotByItself(t *testing.T) {
	x := newBench(t, Options{})
	id := x.sheetID("Operaciones")
	refused(t, x.put("RAW", block1("Operaciones!A4", []any{"C-3"})), 400,
		"Range (Operaciones!A4) exceeds grid limits. Max rows: 3, max columns: 4")
	_, err := x.change(
		&sheets.Request{AppendDimension: &sheets.AppendDimensionRequest{SheetId: id, Dimension: "ROWS", Length: 500}},
		&sheets.Request{AppendDimension: &sheets.AppendDimensionRequest{SheetId: id, Dimension: "COLUMNS", Length: 2}})
	do(t, err)
	if rows, cols := x.b.Grid("Operaciones"); rows != 503 || cols != 6 {
		t.Errorf("grid = %d×%d, want 503×6", rows, cols)
	}
	do(t, x.put("RAW", block1("Operaciones!A4:F4", []any{"C-3", nil, nil, nil, nil, "x"})))
	_, err = x.change(&sheets.Request{AppendDimension: &sheets.AppendDimensionRequest{SheetId: id, Dimension: "ROWS", Length: 2_000_000}})
	refused(t, err, 400, "Invalid requests[0].appendDimension: This action would increase the number of cells in the "+
		"workbook above the limit of 10000000 cells.")
	_, err = x.change(&sheets.Request{UpdateSheetProperties: &sheets.UpdateSheetPropertiesRequest{
		Properties: &sheets.SheetProperties{SheetId: id, GridProperties: &sheets.GridProperties{ColumnCount: 5}},
		Fields:     "gridProperties.columnCount"}})
	do(t, err)
	if rows, cols := x.b.Grid("Operaciones"); rows != 503 || cols != 5 {
		t.Errorf("grid = %d×%d, want 503×5", rows, cols)
	}
}

func TestSheetsAreAddedRenamedMovedCopiedAndDeleted(t *testing.T) {
	x := newBench(t, Options{})
	got, err := x.change(&sheets.Request{AddSheet: &sheets.AddSheetRequest{Properties: &sheets.SheetProperties{
		Title: "Metadata", GridProperties: &sheets.GridProperties{RowCount: 10, ColumnCount: 11, FrozenRowCount: 1}}}})
	do(t, err)
	id := got.Replies[0].AddSheet.Properties.SheetId
	if rows, cols := x.b.Grid("Metadata"); rows != 10 || cols != 11 || id != x.sheetID("Metadata") {
		t.Errorf("Metadata is %d×%d with id %d", rows, cols, id)
	}
	_, err = x.change(&sheets.Request{AddSheet: &sheets.AddSheetRequest{Properties: &sheets.SheetProperties{Title: "metadata"}}})
	refused(t, err, 400, "already exists")
	_, err = x.change(
		&sheets.Request{UpdateSheetProperties: &sheets.UpdateSheetPropertiesRequest{Fields: "title,index",
			Properties: &sheets.SheetProperties{SheetId: id, Title: "Eventos", Index: 0, ForceSendFields: []string{"Index"}}}},
		&sheets.Request{DuplicateSheet: &sheets.DuplicateSheetRequest{SourceSheetId: id, NewSheetName: "Copia", InsertSheetIndex: 2}})
	do(t, err)
	if got := strings.Join(x.b.Sheets(), " "); got != "Eventos Operaciones Copia" {
		t.Errorf("sheets = %s, want Eventos Operaciones Copia", got)
	}
	_, err = x.change(
		&sheets.Request{DeleteSheet: &sheets.DeleteSheetRequest{SheetId: id}},
		&sheets.Request{DeleteSheet: &sheets.DeleteSheetRequest{SheetId: 77}})
	refused(t, err, 400, "Invalid requests[1].deleteSheet: No sheet with id: 77")
	if got := strings.Join(x.b.Sheets(), " "); got != "Eventos Operaciones Copia" {
		t.Errorf("after a refused batch: %s, want every sheet still there", got)
	}
}

func TestRowsAndColumnsAreInsertedMovedSortedAndDeleted(t *testing.T) {
	x := newBench(t, Options{})
	id := x.sheetID("Operaciones")
	columns := func(start, end int64) *sheets.DimensionRange {
		return &sheets.DimensionRange{SheetId: id, Dimension: "COLUMNS", StartIndex: start, EndIndex: end}
	}
	_, err := x.change(
		&sheets.Request{InsertDimension: &sheets.InsertDimensionRequest{Range: columns(1, 3)}},
		&sheets.Request{DeleteDimension: &sheets.DeleteDimensionRequest{Range: columns(1, 2)}},
		&sheets.Request{MoveDimension: &sheets.MoveDimensionRequest{Source: columns(0, 1), DestinationIndex: 3}},
		&sheets.Request{SortRange: &sheets.SortRangeRequest{Range: &sheets.GridRange{SheetId: id, StartRowIndex: 1},
			SortSpecs: []*sheets.SortSpec{{DimensionIndex: 2, SortOrder: "DESCENDING"}}}})
	do(t, err)
	expect(t, x.b, "Operaciones", "four requests", [][]string{
		{"", "Armador", "TAG_SPOOL", "Fecha_Armado", "Total_Uniones"}, {"", "", "B-2", "", "0"}, {"", "MR(93)", "A-1", "21-01-2026", "2"}})
	_, err = x.change(&sheets.Request{DeleteDimension: &sheets.DeleteDimensionRequest{Range: columns(0, 5)}})
	refused(t, err, 400, "You can't delete all the columns on the sheet.")
	_, err = x.change(&sheets.Request{DeleteDimension: &sheets.DeleteDimensionRequest{Range: columns(9, 10)}})
	refused(t, err, 400, "Cannot delete a column that doesn't exist.")
}

func TestNumberFormatsAreSetOnWholeColumns(t *testing.T) {
	x := newBench(t, Options{})
	id := x.sheetID("Operaciones")
	format := func(kind string) *sheets.Request {
		return &sheets.Request{RepeatCell: &sheets.RepeatCellRequest{
			Range: &sheets.GridRange{SheetId: id, StartRowIndex: 1, StartColumnIndex: 3, EndColumnIndex: 4},
			Cell: &sheets.CellData{UserEnteredFormat: &sheets.CellFormat{
				NumberFormat: &sheets.NumberFormat{Type: kind, Pattern: "dd-mm-yyyy hh:mm:ss"}}},
			Fields: "userEnteredFormat.numberFormat"}}
	}
	_, err := x.change(format("DATE_TIME"))
	do(t, err)
	if got := x.b.Cell("Operaciones", "D2"); got.Num != 2 || got.Format != DateTimeFormat || got.Shown() != "01-01-1900 00:00:00" {
		t.Errorf("D2 = %+v shown as %s, want the 2 it was, as a date and time", got, got.Shown())
	}
	if got := x.b.Cell("Operaciones", "D1"); got.Format != Automatic {
		t.Errorf("the header = %+v, want it untouched", got)
	}
	_, err = x.change(format("FECHA"))
	refused(t, err, 400, "number_format.type")
	text := "=1"
	_, err = x.change(&sheets.Request{UpdateCells: &sheets.UpdateCellsRequest{Fields: "userEnteredValue",
		Start: &sheets.GridCoordinate{SheetId: id, RowIndex: 1, ColumnIndex: 1},
		Rows: []*sheets.RowData{{Values: []*sheets.CellData{
			{UserEnteredValue: &sheets.ExtendedValue{StringValue: &text}}, {}, {UserEnteredValue: &sheets.ExtendedValue{FormulaValue: &text}}}}}}})
	do(t, err)
	if b, c, d := x.b.Cell("Operaciones", "B2"), x.b.Cell("Operaciones", "C2"), x.b.Cell("Operaciones", "D2"); b != cellOf("=1") ||
		c != (Cell{Format: DateFormat}) || d.Formula != "=1" || d.Num != 1 {
		t.Errorf("written cells = %+v %+v %+v, want the text, an empty date cell and the formula", b, c, d)
	}
}

// drive sends the copy request of Drive, which the program speaks by itself.
func (x *bench) copyFile(id string) (int, string) {
	x.t.Helper()
	claim := claims{Iss: account, Aud: x.url + "/token", Scope: scopeBase + "drive.file",
		Iat: x.e.machine().Unix(), Exp: x.e.machine().Unix() + 3600}
	form := "grant_type=" + grantType + "&assertion=" + signed(x.t, claim)
	answer, err := x.e.giveToken(form)
	if err != nil {
		x.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(x.t.Context(), http.MethodPost, x.url+"/drive/v3/files/"+id+"/copy",
		strings.NewReader(`{"name":"Respaldo"}`))
	if err != nil {
		x.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+answer.(map[string]any)["access_token"].(string))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		x.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		x.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestDriveCopiesTheFileOrIsFull(t *testing.T) {
	x := newBench(t, Options{DriveFull: true})
	if code, body := x.copyFile("emulador"); code != 403 || !strings.Contains(body, "storageQuotaExceeded") {
		t.Errorf("a copy without storage = %d %s, want 403 storageQuotaExceeded", code, body)
	}
	x.e.SetDriveFull(false)
	code, body := x.copyFile("emulador")
	if code != 200 || !strings.Contains(body, `"emulador-copia-1"`) {
		t.Fatalf("copy = %d %s, want its identifier", code, body)
	}
	do(t, x.mark(t.Context(), "after the copy"))
	b, ok := x.e.Other("emulador-copia-1")
	if !ok || b.Cell("Operaciones", "B2").Text != "MR(93)" || b.Cell("Operaciones", "B3").Text != "" {
		t.Error("the copy is not the file as it was")
	}
	if code, _ := x.copyFile("nada"); code != 404 {
		t.Errorf("a copy of no file = %d, want 404", code)
	}
	if _, err := x.svc.Spreadsheets.Values.Get("emulador-copia-1", "Operaciones!A1").Do(); err != nil {
		t.Errorf("read of the copy: %v", err)
	}
}

func TestThePageShowsTheSheetsAHundredRowsAtATime(t *testing.T) {
	x := newBench(t, Options{})
	do(t, x.b.SetCell("Operaciones", "B3", `<script>alert("x")</script>`))
	long := make([][]any, 250)
	for i := range long {
		long[i] = []any{i + 1}
	}
	x.b.Fill("Larga & más", long)
	page := func(path string) (string, int) {
		resp, err := http.Get(x.url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := html.Parse(strings.NewReader(string(body))); err != nil {
			t.Errorf("%s is not HTML: %v", path, err)
		}
		return string(body), resp.StatusCode
	}
	first, code := page("/")
	if code != 200 || !strings.Contains(first, "21-01-2026") || !strings.Contains(first, ">MR(93)<") {
		t.Errorf("first page = %d, want the first sheet with its date and worker:\n%s", code, first)
	}
	if strings.Contains(first, "<script>") {
		t.Error("the content of a cell runs as a script")
	}
	second, _ := page("/?hoja=Larga+%26+m%C3%A1s&desde=101")
	if strings.Count(second, "<tr>") != 101 || !strings.Contains(second, ">101<") || strings.Contains(second, ">100<") ||
		!strings.Contains(second, "desde=201") {
		t.Errorf("second page = \n%s\nwant the rows 101 to 200 and links to the others", second)
	}
	if _, code := page("/?hoja=Nada"); code != 404 {
		t.Errorf("page of no sheet = %d, want 404", code)
	}
	if _, code := page("/v4/otra"); code != 404 {
		t.Errorf("an unknown address = %d, want 404", code)
	}
}
