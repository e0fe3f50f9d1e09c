package migration

import (
	"crypto/rand"
	"crypto/rsa"
	"io"
	"log"
	"log/slog"
	"net/http/httptest"
	"os"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"envivo/sheetsync/emulator"
	"envivo/sheetsync/google"
	"envivo/sheetsync/sample"
	"envivo/sheetsync/table"
)

// testKey is one key for all tests, for making one is slow.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// plantBook is the sample workbook, made once.
var plantBook = sync.OnceValue(sample.Workbook)

var testNow = time.Date(2026, 1, 26, 15, 4, 5, 0, time.UTC) // 12:04:05 in the plant

// bench is a spreadsheet on an emulator behind a socket, and Google's client.
type bench struct {
	t   *testing.T
	e   *emulator.Emulator
	o   Options
	now time.Time
}

func newBench(t *testing.T, fill func(*emulator.Book)) *bench {
	t.Helper()
	b := &bench{t: t, now: testNow}
	clock := func() time.Time { return b.now }
	e, err := emulator.New(emulator.Options{Title: "Planta", Now: clock, Machine: time.Now, Key: testKey(), Reads: -1, Writes: -1})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(e)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(func() { e.Release(); srv.Close() })
	key, err := e.KeyFile(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	c, err := google.New(t.Context(), google.Options{ID: "emulador", Key: key, Endpoint: srv.URL, Now: clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	b.e, b.o = e, Options{Sheet: c, ID: "emulador", Dir: t.TempDir(), Now: clock}
	fill(e.Book())
	return b
}

// old fills a book with the sample plant as a v2.1 sheet: so many rows, 63
// columns, the grid exactly as wide.
func old(spools int) func(*emulator.Book) {
	return func(b *emulator.Book) {
		for _, s := range plantBook().Sheets {
			if s.Name == table.Uniones { // v2.1 knew none
				continue
			}
			rows := make([][]any, 0, len(s.Rows))
			for _, row := range s.Rows[:min(len(s.Rows), spools+1)] {
				if s.Name == table.Operaciones {
					row = row[:min(len(row), 63)]
				}
				rows = append(rows, native(row))
			}
			b.Fill(s.Name, rows)
		}
		b.Fill("Precios de la oficina", [][]any{{"Ítem", "Valor"}, {"=no es fórmula", 12.5}, {true, emulator.Day(2026, 1, 21)}})
	}
}

func native(row []table.Cell) []any {
	out := make([]any, len(row))
	for i, c := range row {
		switch {
		case c.Kind == table.Number && c.Style == table.Day:
			out[i] = emulator.Cell{Kind: emulator.Number, Num: c.Num, Format: emulator.DateFormat}
		case c.Kind == table.Number && c.Style == table.Instant:
			out[i] = emulator.Cell{Kind: emulator.Number, Num: c.Num, Format: emulator.DateTimeFormat}
		case c.Kind != table.Empty:
			out[i] = table.Value(c)
		}
	}
	return out
}

// small is a v2.1 sheet for the tests that migrate often: a formula, a note without
// a header, a log whose grid is full.
func small(b *emulator.Book) {
	old(12)(b)
	must(b.SetCell("Operaciones", "P3", emulator.Formula("=COUNTA(A2:A4)", nil)))
	must(b.FormatColumn("Operaciones", "DATO_20", emulator.DateFormat, ""))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// picture is every cell of a book and the size of its grids.
type picture struct {
	Grids map[string][2]int
	Cells map[string][][]emulator.Cell
}

func (b *bench) picture() picture { return pictureOf(b.e.Book()) }

func pictureOf(book *emulator.Book) picture {
	p := picture{map[string][2]int{}, map[string][][]emulator.Cell{}}
	for _, title := range book.Sheets() {
		rows, cols := book.Grid(title)
		p.Grids[title] = [2]int{rows, cols}
		p.Cells[title], _ = book.Dump(title)
	}
	return p
}

func (b *bench) same(what string, got, want picture) {
	b.t.Helper()
	if !reflect.DeepEqual(got, want) { // cmp is slow where nothing differs
		d := cmp.Diff(want, got)
		if len(d) > 2000 {
			d = d[:2000] + "…"
		}
		b.t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

func (b *bench) run() *Report {
	b.t.Helper()
	r, err := Run(b.t.Context(), b.o)
	if err != nil {
		b.t.Fatalf("migration: %v", err)
	}
	return r
}

func (b *bench) rollback() *Report {
	b.t.Helper()
	r, err := Rollback(b.t.Context(), b.o)
	if err != nil {
		b.t.Fatalf("rollback: %v", err)
	}
	return r
}

// files are the names in the folder.
func (b *bench) files() []string {
	b.t.Helper()
	list, err := os.ReadDir(b.o.Dir)
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, f := range list {
		out = append(out, f.Name())
	}
	return out
}

func (b *bench) writes() (n int) {
	for _, c := range b.e.Calls() {
		if c.Op.Kind() == emulator.Write || c.Op == emulator.CopyFile {
			n++
		}
	}
	return n
}

func (b *bench) calls() (n int) {
	for _, c := range b.e.Calls() {
		if c.Op != emulator.Token {
			n++
		}
	}
	return n
}
