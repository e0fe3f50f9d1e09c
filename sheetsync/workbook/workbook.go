// Package workbook reads and writes the plant's worksheets as an .xlsx file or
// as a folder of CSV files. It knows files and their accidents (byte order
// marks, semicolons, other encodings, bombs); what a cell means is for package
// table to say.
package workbook

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"envivo/sheetsync/table"
)

// Limits bound what a file may unfold to. A workbook of the plant has about
// 2,500 spools and 20,000 unions in 10 MB of XML.
type Limits struct {
	File    int64 // bytes of one file
	Unpack  int64 // bytes of a whole workbook once unpacked
	Rows    int   // of one worksheet
	Columns int
	Cell    int // bytes of one cell
	// Cells and Text are of a whole workbook: rows × columns that are each within
	// their limits can still be gigabytes.
	Cells int
	Text  int64 // bytes
}

// DefaultLimits leave ten times the room the plant needs.
func DefaultLimits() Limits {
	return Limits{File: 64 << 20, Unpack: 512 << 20, Rows: 300_000, Columns: 1000, Cell: 200_000, Cells: 8 << 20, Text: 256 << 20}
}

// budget is what is left of a workbook's limits while it is read.
type budget struct {
	Limits
	rows int // of the worksheet that is being read
}

// row pays for one row of so many cells.
func (b *budget) row(cells int) error {
	b.rows--
	b.Cells -= cells
	if b.rows < 0 || b.Cells < 0 || cells > b.Columns {
		return ErrTooLarge
	}
	return nil
}

// text pays for the text of one cell.
func (b *budget) text(s string) error {
	b.Text -= int64(len(s))
	if len(s) > b.Cell || b.Text < 0 {
		return ErrTooLarge
	}
	return nil
}

// ErrTooLarge is returned for files beyond the limits; nothing of them is used.
var ErrTooLarge = errors.New("workbook beyond its limits")

// Read reads an .xlsx file or a folder of CSV files.
func Read(path string, l Limits) (table.Book, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return table.Book{}, fmt.Errorf("read workbook: %w", err)
	case info.IsDir():
		return readFolder(path, l)
	case info.Size() > l.File:
		return table.Book{}, fmt.Errorf("read workbook %s: %d bytes: %w", filepath.Base(path), info.Size(), ErrTooLarge)
	case strings.EqualFold(filepath.Ext(path), ".xlsx"):
		return readXLSX(path, l)
	}
	return table.Book{}, fmt.Errorf("read workbook %s: neither an .xlsx file nor a folder of .csv files", filepath.Base(path))
}

// Write writes an .xlsx file if path says so, else a folder of CSV files. What
// was there under the same names is replaced, each file at once.
func Write(path string, b table.Book) error {
	if strings.EqualFold(filepath.Ext(path), ".xlsx") {
		return writeXLSX(path, b)
	}
	return writeFolder(path, b)
}

// known gives the canonical name of a worksheet of ours.
func known(name string) (string, bool) {
	b := table.Book{}
	for _, n := range table.SheetNames() {
		b.Sheets = append(b.Sheets, table.Sheet{Name: n})
	}
	for _, n := range table.SheetNames() {
		if s := b.Sheet(name); s.Name == n {
			return n, true
		}
	}
	return "", false
}

// runs reports whether a spreadsheet would run s as a formula.
func runs(s string) bool {
	return s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0]))
}

// neutral is s with a leading ' where a spreadsheet would run it. Texts that
// begin so of their own accord get one more, so that plain gives them back.
func neutral(s string) string {
	if runs(strings.TrimLeft(s, "'")) {
		return "'" + s
	}
	return s
}

// plain takes back what neutral did.
func plain(s string) string {
	if strings.HasPrefix(s, "'") && runs(strings.TrimLeft(s, "'")) {
		return s[1:]
	}
	return s
}

func encodingFinding(sheet string, row int, header []string, col int, value, reason string) table.Finding {
	name := ""
	if col < len(header) {
		name = header[col]
	}
	return table.Finding{Sheet: sheet, Row: row, Column: name, Value: value, Reason: reason, Action: table.Repaired}
}
