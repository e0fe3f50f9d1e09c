package workbook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"envivo/durable"
	"envivo/sheetsync/table"
)

// inMemory is the largest part of a packed workbook that is unfolded in memory,
// in bytes; larger worksheets and texts go through a temporary file.
const inMemory = 16 << 20

func readXLSX(path string, l Limits) (table.Book, error) {
	f, err := os.Open(path)
	if err != nil {
		return table.Book{}, fmt.Errorf("read workbook: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, l.File+1))
	if err != nil {
		return table.Book{}, fmt.Errorf("read workbook %s: %w", filepath.Base(path), err)
	}
	b, err := parseXLSX(raw, l)
	if err != nil {
		return table.Book{}, fmt.Errorf("read workbook %s: %w", filepath.Base(path), err)
	}
	return b, nil
}

func parseXLSX(raw []byte, l Limits) (table.Book, error) {
	if err := packed(raw, l); err != nil {
		return table.Book{}, err
	}
	f, err := excelize.OpenReader(bytes.NewReader(raw), excelize.Options{RawCellValue: true, UnzipSizeLimit: l.Unpack, UnzipXMLSizeLimit: min(l.Unpack, inMemory)})
	if err != nil {
		return table.Book{}, err
	}
	defer f.Close()
	var b table.Book
	left := &budget{Limits: l}
	taken := make(map[string]bool)
	for _, title := range f.GetSheetList() {
		name, ok := known(title)
		if !ok || taken[name] {
			continue
		}
		taken[name] = true
		s, err := readWorksheet(f, title, left)
		if err != nil {
			return table.Book{}, fmt.Errorf("worksheet %s: %w", name, err)
		}
		s.Name = name
		b.Sheets = append(b.Sheets, s)
	}
	if len(b.Sheets) == 0 {
		return table.Book{}, fmt.Errorf("it has none of the worksheets %v", table.SheetNames())
	}
	return b, nil
}

// readWorksheet streams the cells of one worksheet. Raw values carry no type,
// so the rows are read twice in step: a box arrives as 1 or 0 raw and as TRUE
// or FALSE as shown, which nothing else does.
func readWorksheet(f *excelize.File, title string, left *budget) (table.Sheet, error) {
	raw, err := f.Rows(title)
	if err != nil {
		return table.Sheet{}, err
	}
	shown, err := f.Rows(title)
	if err != nil {
		return table.Sheet{}, errors.Join(err, raw.Close())
	}
	left.rows = left.Rows
	s := table.Sheet{}
	err = func() error {
		for raw.Next() && shown.Next() {
			values, err := raw.Columns()
			if err != nil {
				return err
			}
			texts, err := shown.Columns(excelize.Options{RawCellValue: false})
			if err != nil {
				return err
			}
			if err := left.row(len(values)); err != nil {
				return err
			}
			row, err := typed(values, texts, left)
			if err != nil {
				return err
			}
			s.Rows = append(s.Rows, row)
		}
		return errors.Join(raw.Error(), shown.Error())
	}()
	for len(s.Rows) > 0 && len(s.Rows[len(s.Rows)-1]) == 0 {
		s.Rows = s.Rows[:len(s.Rows)-1]
	}
	return s, errors.Join(err, raw.Close(), shown.Close())
}

func typed(values, texts []string, left *budget) ([]table.Cell, error) {
	row := make([]table.Cell, len(values))
	for i, v := range values {
		if err := left.text(v); err != nil {
			return nil, err
		}
		switch {
		case i < len(texts) && (v == "1" && texts[i] == "TRUE" || v == "0" && texts[i] == "FALSE"):
			row[i] = table.BoolCell(v == "1")
		default:
			row[i] = scalar(v)
		}
	}
	return row, nil
}

// scalar is a number where s is how a spreadsheet stores one, else a text. A
// text that looks exactly like a number cannot be told from one and need not
// be: every decoder reads both alike. 007 stays a text.
func scalar(s string) table.Cell {
	if s == "" || s[0] != '-' && (s[0] < '0' || s[0] > '9') || len(s) > 1 && s[0] == '0' && s[1] != '.' {
		return table.TextCell(plain(s))
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || len(s) > 15 && !hasPointOrExponent(s) {
		return table.TextCell(plain(s))
	}
	return table.NumberCell(f)
}

func hasPointOrExponent(s string) bool {
	for _, c := range s {
		if c == '.' || c == 'e' || c == 'E' {
			return true
		}
	}
	return false
}

func writeXLSX(path string, b table.Book) error {
	f := excelize.NewFile()
	defer f.Close()
	styles, err := makeStyles(f)
	if err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	for i, s := range b.Sheets {
		if i == 0 {
			err = f.SetSheetName("Sheet1", s.Name)
		} else {
			_, err = f.NewSheet(s.Name)
		}
		if err == nil {
			err = writeWorksheet(f, s, styles)
		}
		if err != nil {
			return fmt.Errorf("write worksheet %s: %w", s.Name, err)
		}
	}
	if b.Record != "" {
		if err := f.SetDocProps(&excelize.DocProperties{Creator: "envivo", Description: recordNote(b.Record)}); err != nil {
			return fmt.Errorf("write the record's code: %w", err)
		}
	}
	return durable.Replace(path, 0o644, func(out io.Writer) error { return f.Write(out) })
}

// recordNote says which record an export contains.
func recordNote(code string) string { return "Contiene el registro hasta " + code }

type styleSet map[table.Style]int

func makeStyles(f *excelize.File) (styleSet, error) {
	out := styleSet{}
	for style, format := range map[table.Style]string{table.Day: "dd-mm-yyyy", table.Instant: "dd-mm-yyyy hh:mm:ss", table.Decimal: "0.00"} {
		id, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err != nil {
			return nil, err
		}
		out[style] = id
	}
	return out, nil
}

func writeWorksheet(f *excelize.File, s table.Sheet, styles styleSet) error {
	w, err := f.NewStreamWriter(s.Name)
	if err != nil {
		return err
	}
	if err := w.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	for i, row := range s.Rows {
		values := make([]any, len(row))
		for j, c := range row {
			if values[j], err = cellValue(c, styles); err != nil {
				return fmt.Errorf("row %d: %w", i+1, err)
			}
		}
		if err := w.SetRow("A"+strconv.Itoa(i+1), values); err != nil {
			return err
		}
	}
	return w.Flush()
}

// cellValue is what the library is given for a cell: real dates are numbers
// with a date's style, texts stay texts.
func cellValue(c table.Cell, styles styleSet) (any, error) {
	switch c.Kind {
	case table.Bool:
		return c.True(), nil
	case table.Number:
		return excelize.Cell{StyleID: styles[c.Style], Value: c.Num}, nil
	case table.Text:
		if n := len(utf16.Encode([]rune(c.Text))); n >= excelize.TotalCellChars {
			return nil, fmt.Errorf("a text of %d characters does not fit into a cell of a workbook: export to a folder of CSV files", n)
		}
		return neutral(c.Text), nil
	}
	return nil, nil
}
