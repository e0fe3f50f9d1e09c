package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"envivo/sheetsync/sample"
	"envivo/sheetsync/workbook"
)

var update = flag.Bool("update", false, "write the workbook that the project ships")

const shipped = "sheetsync/testdata/planta.xlsx"

// TestShippedWorkbookIsGenerated writes the workbook with -update and proves
// that it can be read.
func TestShippedWorkbookIsGenerated(t *testing.T) {
	if *update {
		if err := os.MkdirAll(filepath.Dir(shipped), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := workbook.Write(shipped, sample.Workbook()); err != nil {
			t.Fatal(err)
		}
	}
	b, err := workbook.Read(shipped, workbook.DefaultLimits())
	if err != nil {
		t.Fatalf("read the shipped workbook: %v", err)
	}
	if n := len(b.Sheet("Operaciones").Rows); n < 2494 {
		t.Errorf("the workbook has %d rows of Operaciones, want the header and at least 2493", n)
	}
}
