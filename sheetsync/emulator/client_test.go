package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/api/sheets/v4"
)

// clock is a clock that tests turn.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is an emulator behind a real socket and Google's client in front of it.
type bench struct {
	t     *testing.T
	e     *Emulator
	b     *Book
	clock *clock
	url   string
	key   string // path of the key file
	svc   *sheets.Service
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	c := &clock{now: time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)}
	o.Now, o.Machine, o.Key = c.Now, time.Now, testKey()
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(e)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(func() {
		e.Release()
		srv.Close()
	})
	x := &bench{t: t, e: e, b: e.Book(), clock: c, url: srv.URL, key: filepath.Join(t.TempDir(), "clave.json")}
	text, err := e.KeyFile(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(x.key, text, 0o600); err != nil {
		t.Fatal(err)
	}
	x.svc = x.client(x.key, sheets.SpreadsheetsScope)
	e.Book().Fill("Operaciones", [][]any{
		{"TAG_SPOOL", "Armador", "Fecha_Armado", "Total_Uniones"},
		{"A-1", "MR(93)", Day(2026, 1, 21), 2},
		{"B-2", nil, nil, 0},
	})
	return x
}

// client makes a service from a key file, with connections of its own.
func (x *bench) client(key, scope string) *sheets.Service {
	x.t.Helper()
	svc, err := sheets.NewService(context.Background(),
		option.WithAuthCredentialsFile(option.ServiceAccount, key), option.WithScopes(scope), option.WithEndpoint(x.url))
	if err != nil {
		x.t.Fatal(err)
	}
	return svc
}

func (x *bench) get(text string) (*sheets.ValueRange, error) {
	return x.svc.Spreadsheets.Values.Get("emulador", text).ValueRenderOption("UNFORMATTED_VALUE").Do()
}

func (x *bench) put(option string, data ...*sheets.ValueRange) error {
	_, err := x.svc.Spreadsheets.Values.BatchUpdate("emulador",
		&sheets.BatchUpdateValuesRequest{ValueInputOption: option, Data: data}).Do()
	return err
}

func (x *bench) change(requests ...*sheets.Request) (*sheets.BatchUpdateSpreadsheetResponse, error) {
	return x.svc.Spreadsheets.BatchUpdate("emulador",
		&sheets.BatchUpdateSpreadsheetRequest{Requests: requests}).Do()
}

func block1(text string, rows ...[]any) *sheets.ValueRange {
	return &sheets.ValueRange{Range: text, Values: rows}
}

// refused checks that err is an answer of Google's with a code and a part of its
// message.
func refused(t *testing.T, err error, code int, message string) *googleapi.Error {
	t.Helper()
	var g *googleapi.Error
	if !errors.As(err, &g) {
		t.Fatalf("error = %v, want an answer %d", err, code)
	}
	if g.Code != code || !strings.Contains(g.Message, message) {
		t.Errorf("answer = %d %q, want %d %q", g.Code, g.Message, code, message)
	}
	return g
}

// asJSON is a value as the wire shows it.
func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestTheClientsSignatureBuysAToken(t *testing.T) {
	x := newBench(t, Options{})
	if _, err := x.get("Operaciones!A1"); err != nil {
		t.Fatalf("read with a good key: %v", err)
	}
	calls := x.e.Calls()
	if len(calls) != 2 || calls[0].Op != Token || calls[1].Op != GetValues || !calls[1].Applied {
		t.Errorf("calls = %+v, want one token and one read", calls)
	}
	if _, err := x.get("Operaciones!A1"); err != nil || len(x.e.Calls()) != 3 {
		t.Errorf("a second read: %v, %d calls in all, want the token to be used again", err, len(x.e.Calls()))
	}
}

func TestAWrongKeyIsRefused(t *testing.T) {
	x := newBench(t, Options{})
	for what, spoil := range map[string]func(key map[string]string){
		"a key of somebody else": func(key map[string]string) { key["private_key"] = strangeKey(t) },
		"another account":        func(key map[string]string) { key["client_email"] = "otro@emulador.iam.gserviceaccount.com" },
	} {
		raw, err := os.ReadFile(x.key)
		if err != nil {
			t.Fatal(err)
		}
		var key map[string]string
		if err := json.Unmarshal(raw, &key); err != nil {
			t.Fatal(err)
		}
		spoil(key)
		path := filepath.Join(t.TempDir(), "otra.json")
		if err := os.WriteFile(path, []byte(asJSON(t, key)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = x.client(path, sheets.SpreadsheetsScope).Spreadsheets.Get("emulador").Do()
		if err == nil || !strings.Contains(err.Error(), "invalid_grant") {
			t.Errorf("read with %s: %v, want invalid_grant", what, err)
		}
	}
}

func TestScopesLimitWhatATokenMayDo(t *testing.T) {
	x := newBench(t, Options{})
	reader := x.client(x.key, sheets.SpreadsheetsReadonlyScope)
	if _, err := reader.Spreadsheets.Values.Get("emulador", "Operaciones!A1").Do(); err != nil {
		t.Errorf("read with a scope for reading: %v", err)
	}
	_, err := reader.Spreadsheets.Values.Update("emulador", "Operaciones!A1", block1("", []any{"x"})).
		ValueInputOption("RAW").Do()
	refused(t, err, 403, "insufficient authentication scopes")
}

func TestRevokedCredentialsStopEverythingUntilTheyAreBack(t *testing.T) {
	x := newBench(t, Options{})
	if _, err := x.get("Operaciones!A1"); err != nil {
		t.Fatal(err)
	}
	x.e.Revoke(true)
	_, err := x.get("Operaciones!A1")
	refused(t, err, 401, "invalid authentication credentials")
	fresh := x.client(x.key, sheets.SpreadsheetsScope)
	if _, err := fresh.Spreadsheets.Get("emulador").Do(); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("a new client of a revoked account: %v, want invalid_grant", err)
	}
	x.e.Revoke(false)
	if _, err := fresh.Spreadsheets.Get("emulador").Do(); err != nil {
		t.Errorf("after the account is back: %v", err)
	}
}

func TestReadsAreRagged(t *testing.T) {
	x := newBench(t, Options{})
	do(t, x.b.Resize("Operaciones", 50, 30))
	do(t, x.b.FormatColumn("Operaciones", "J", DateFormat, ""))
	got, err := x.get("Operaciones!A1:Z")
	if err != nil {
		t.Fatal(err)
	}
	want := `[["TAG_SPOOL","Armador","Fecha_Armado","Total_Uniones"],["A-1","MR(93)",46043,2],["B-2","","",0]]`
	if asJSON(t, got.Values) != want || got.Range != "Operaciones!A1:Z50" {
		t.Errorf("values of %s = %s, want %s of Operaciones!A1:Z50", got.Range, asJSON(t, got.Values), want)
	}
	do(t, x.b.SetCell("Operaciones", "D3", nil))
	got, err = x.get("Operaciones!A2:D50")
	if err != nil || asJSON(t, got.Values) != `[["A-1","MR(93)",46043,2],["B-2"]]` {
		t.Errorf("values = %s, %v, want the second row to end after its tag", asJSON(t, got.Values), err)
	}
	if got, err = x.get("Operaciones!F2:H9"); err != nil || got.Values != nil {
		t.Errorf("an empty range = %s, %v, want no values at all", asJSON(t, got.Values), err)
	}
}

func TestReadsShowValuesAsAsked(t *testing.T) {
	x := newBench(t, Options{})
	do(t, x.b.SetCell("Operaciones", "D3", Formula("=COUNTIF(A:A;A3)", nil)))
	do(t, x.b.SetCell("Operaciones", "B3", true))
	tests := []struct{ render, dates, major, want string }{
		{"UNFORMATTED_VALUE", "SERIAL_NUMBER", "ROWS", `[["A-1","MR(93)",46043,2],["B-2",true,"",1]]`},
		{"UNFORMATTED_VALUE", "FORMATTED_STRING", "ROWS", `[["A-1","MR(93)","21-01-2026",2],["B-2",true,"",1]]`},
		{"FORMATTED_VALUE", "SERIAL_NUMBER", "ROWS", `[["A-1","MR(93)","21-01-2026","2"],["B-2","VERDADERO","","1"]]`},
		{"FORMULA", "SERIAL_NUMBER", "ROWS", `[["A-1","MR(93)",46043,2],["B-2",true,"","=COUNTIF(A:A;A3)"]]`},
		{"UNFORMATTED_VALUE", "SERIAL_NUMBER", "COLUMNS", `[["A-1","B-2"],["MR(93)",true],[46043],[2,1]]`},
	}
	for _, tt := range tests {
		got, err := x.svc.Spreadsheets.Values.BatchGet("emulador").Ranges("Operaciones!A2:D", "Operaciones!B2").
			ValueRenderOption(tt.render).DateTimeRenderOption(tt.dates).MajorDimension(tt.major).
			Fields("valueRanges(range,values)").Do()
		if err != nil {
			t.Fatal(err)
		}
		if s := asJSON(t, got.ValueRanges[0].Values); s != tt.want {
			t.Errorf("%s %s by %s = %s, want %s", tt.render, tt.dates, tt.major, s, tt.want)
		}
		if got.SpreadsheetId != "" || got.ValueRanges[0].MajorDimension != "" {
			t.Error("fields that were not asked for came along")
		}
		if len(got.ValueRanges) != 2 || got.ValueRanges[1].Range != "Operaciones!B2" {
			t.Errorf("ranges = %s, want two in order", asJSON(t, got.ValueRanges))
		}
	}
}

func TestRawAndTypedWritesDiffer(t *testing.T) {
	x := newBench(t, Options{})
	tests := []struct {
		value      any
		raw, typed Cell
	}{
		{"=1+1", cellOf("=1+1"), Cell{Kind: ErrorValue, Text: "#ERROR!", Formula: "=1+1"}},
		{"=TRUE", cellOf("=TRUE"), Cell{Kind: Bool, Num: 1, Formula: "=TRUE"}},
		{"007", cellOf("007"), numCell(7)},
		{"1-2", cellOf("1-2"), Day(2026, 2, 1)},
		{"'x", cellOf("'x"), cellOf("x")},
		{"21-01-2026", cellOf("21-01-2026"), Day(2026, 1, 21)},
		{"1,5", cellOf("1,5"), numCell(1.5)},
		{"FALSO", cellOf("FALSO"), boolCell(false)},
		{7, numCell(7), numCell(7)},
		{0, numCell(0), numCell(0)},
		{true, boolCell(true), boolCell(true)},
		{"MR(93)", cellOf("MR(93)"), cellOf("MR(93)")},
	}
	for _, tt := range tests {
		for option, want := range map[string]Cell{"RAW": tt.raw, "USER_ENTERED": tt.typed} {
			do(t, x.b.SetCell("Operaciones", "B3", Cell{}))
			do(t, x.put(option, block1("Operaciones!B3", []any{tt.value})))
			if got := x.b.Cell("Operaciones", "B3"); got != want {
				t.Errorf("%v written %s = %+v, want %+v", tt.value, option, got, want)
			}
		}
	}
}

func TestNullSkipsAndTheEmptyTextClears(t *testing.T) {
	x := newBench(t, Options{})
	do(t, x.put("RAW", block1("Operaciones!A2:D2", []any{nil, "", nil, 5})))
	expect(t, x.b, "Operaciones", "a write with null and an empty text", [][]string{
		{"TAG_SPOOL", "Armador", "Fecha_Armado", "Total_Uniones"}, {"A-1", "", "21-01-2026", "5"}, {"B-2", "", "", "0"}})
	do(t, x.put("USER_ENTERED", block1("Operaciones!A2:D2", []any{nil, nil, "", nil})))
	if got := x.b.Cell("Operaciones", "C2"); got != (Cell{Format: DateFormat}) {
		t.Errorf("the cleared date = %+v, want an empty cell that is still a date cell", got)
	}
}

func TestABatchWithOneBadRangeWritesNothing(t *testing.T) {
	x := newBench(t, Options{})
	before := texts(t, x.b, "Operaciones")
	bad := map[string]*sheets.ValueRange{
		"Range (Operaciones!A9) exceeds grid limits. Max rows: 3, max columns: 4":            block1("Operaciones!A9", []any{"x"}),
		"Requested writing within range ['Operaciones'!A2:B2], but tried writing to row [3]": block1("Operaciones!A2:B2", []any{"x"}, []any{"y"}),
		"Unable to parse range: Nada!A1":                                                     block1("Nada!A1", []any{"x"}),
		"Your input contains more than the maximum of 50000 characters in a single cell.":    block1("Operaciones!A2", []any{strings.Repeat("ñ", 50_001)}),
		"Invalid values[0][0]: list_value":                                                   block1("Operaciones!A2", []any{[]string{"x"}}),
	}
	for message, r := range bad {
		err := x.put("RAW", block1("Operaciones!A2", []any{"changed"}), r)
		refused(t, err, 400, message)
	}
	expect(t, x.b, "Operaciones", "five refused batches", before)
	refused(t, x.put("", block1("Operaciones!A2", []any{"x"})), 400, "valueInputOption")
	do(t, x.put("RAW", block1("Operaciones!A2", []any{strings.Repeat("ñ", 50_000)})))
}

func TestOneRangeIsUpdatedAndCleared(t *testing.T) {
	x := newBench(t, Options{})
	got, err := x.svc.Spreadsheets.Values.Update("emulador", "Operaciones!A2:B3",
		&sheets.ValueRange{MajorDimension: "COLUMNS", Values: [][]any{{"X", "Y"}, {nil, "JP(94)"}}}).ValueInputOption("RAW").Do()
	if err != nil {
		t.Fatal(err)
	}
	if got.UpdatedRange != "Operaciones!A2:B3" || got.UpdatedCells != 3 {
		t.Errorf("updated %d cells of %s, want 3 of Operaciones!A2:B3", got.UpdatedCells, got.UpdatedRange)
	}
	if _, err := x.svc.Spreadsheets.Values.Clear("emulador", "Operaciones!C2:D", &sheets.ClearValuesRequest{}).Do(); err != nil {
		t.Fatal(err)
	}
	if _, err := x.svc.Spreadsheets.Values.BatchClear("emulador",
		&sheets.BatchClearValuesRequest{Ranges: []string{"Operaciones!A1:B1"}}).Do(); err != nil {
		t.Fatal(err)
	}
	expect(t, x.b, "Operaciones", "an update by columns and two clears", [][]string{
		{"", "", "Fecha_Armado", "Total_Uniones"}, {"X", "MR(93)", ""}, {"Y", "JP(94)"}})
}
