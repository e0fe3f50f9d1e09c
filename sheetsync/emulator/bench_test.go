package emulator

import (
	"fmt"
	"net/url"
	"testing"
	"time"
)

// The sheet of a whole plant: 2,500 rows of 77 columns with four counting
// formulas each, over 20,000 unions.
func BenchmarkReadAWholePlant(b *testing.B) {
	e, err := New(Options{Now: func() time.Time { return time.Time{} }, Key: testKey()})
	if err != nil {
		b.Fatal(err)
	}
	spools, unions := make([][]any, 2500), make([][]any, 20_000)
	for i := range unions {
		unions[i] = []any{fmt.Sprintf("TAG-%d", i%2500), i, "x"}
	}
	for i := range spools {
		row := make([]any, 77)
		row[0] = fmt.Sprintf("TAG-%d", i)
		for c := 1; c < 73; c++ {
			row[c] = float64(c)
		}
		for c := 73; c < 77; c++ {
			row[c] = Formula(fmt.Sprintf("=COUNTIF(Uniones!A:A;A%d)", i+1), nil)
		}
		spools[i] = row
	}
	e.Book().Fill("Operaciones", spools)
	e.Book().Fill("Uniones", unions)
	b.ReportAllocs()
	for b.Loop() {
		e.mu.Lock()
		e.main.changes++ // somebody wrote meanwhile, the counts are stale
		_, err := e.main.batchGet(url.Values{"ranges": {"Operaciones"}, "valueRenderOption": {"UNFORMATTED_VALUE"}})
		e.mu.Unlock()
		if err != nil {
			b.Fatal(err)
		}
	}
}

// A structure request saves all sheets first, so that it can be taken back.
func BenchmarkStructureRequest(b *testing.B) {
	e, err := New(Options{Now: func() time.Time { return time.Time{} }, Key: testKey()})
	if err != nil {
		b.Fatal(err)
	}
	rows := make([][]any, 2500)
	for i := range rows {
		rows[i] = make([]any, 77)
		rows[i][76] = float64(i)
	}
	e.Book().Fill("Operaciones", rows)
	body := []byte(`{"requests":[{"appendDimension":{"sheetId":0,"dimension":"ROWS","length":1}}]}`)
	b.ReportAllocs()
	for b.Loop() {
		e.mu.Lock()
		_, err := e.main.batchUpdate(body)
		e.mu.Unlock()
		if err != nil {
			b.Fatal(err)
		}
	}
}
