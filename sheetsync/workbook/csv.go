package workbook

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"envivo/durable"
	"envivo/sheetsync/table"
)

const (
	wrongEncoding = "el texto no venía en UTF-8; se leyó como Windows-1252"
	looseQuote    = "comillas sueltas en la fila; se leyó sin ellas"
)

func readFolder(dir string, l Limits) (table.Book, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return table.Book{}, fmt.Errorf("read workbook: %w", err)
	}
	found := make(map[string]string)
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		name, ok := known(strings.TrimSuffix(e.Name(), ext))
		if !ok || !strings.EqualFold(ext, ".csv") || e.IsDir() {
			continue
		}
		if _, taken := found[name]; !taken {
			found[name] = e.Name()
		}
	}
	if len(found) == 0 {
		return table.Book{}, fmt.Errorf("read workbook: %s has none of %s", filepath.Base(dir), strings.Join(table.SheetNames(), ".csv, ")+".csv")
	}
	var b table.Book
	left := &budget{Limits: l}
	for _, name := range table.SheetNames() {
		if found[name] == "" {
			continue
		}
		s, err := readCSV(filepath.Join(dir, found[name]), name, left)
		if err != nil {
			return table.Book{}, fmt.Errorf("read %s: %w", found[name], err)
		}
		b.Sheets = append(b.Sheets, s)
	}
	return b, nil
}

func readCSV(path, name string, left *budget) (table.Sheet, error) {
	f, err := os.Open(path)
	if err != nil {
		return table.Sheet{}, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, left.File+1))
	if err != nil {
		return table.Sheet{}, err
	}
	if int64(len(raw)) > left.File {
		return table.Sheet{}, ErrTooLarge
	}
	return parseCSV(raw, name, left)
}

// parseCSV reads comma or semicolon separated text. Rows are numbered the way
// a spreadsheet numbers them, so a cell with line breaks is one row and an
// empty line is one, too.
func parseCSV(raw []byte, name string, left *budget) (table.Sheet, error) {
	raw, err := unwrap(raw)
	if err != nil {
		return table.Sheet{}, err
	}
	left.rows = left.Rows
	s := table.Sheet{Name: name}
	var header []string
	separator := detect(raw)
	for len(raw) > 0 {
		var record []byte
		record, raw = cutRecord(raw)
		fields, loose, err := splitRecord(record, separator)
		if err != nil {
			return table.Sheet{}, fmt.Errorf("row %d: %w", len(s.Rows)+1, err)
		}
		if err := left.row(len(fields)); err != nil {
			return table.Sheet{}, err
		}
		row := make([]table.Cell, len(fields))
		for i, v := range fields {
			if err := left.text(v); err != nil {
				return table.Sheet{}, err
			}
			if !utf8.ValidString(v) {
				v = mend(v)
				s.Findings = append(s.Findings, encodingFinding(name, len(s.Rows)+1, header, i, v, wrongEncoding))
			}
			if len(s.Rows)+i == 0 {
				v = strings.TrimLeft(v, mark) // inside quotes
			}
			row[i] = table.TextCell(plain(v))
			fields[i] = v
		}
		if loose {
			s.Findings = append(s.Findings, encodingFinding(name, len(s.Rows)+1, header, len(header), "", looseQuote))
		}
		if header == nil {
			header = fields
		}
		s.Rows = append(s.Rows, row)
	}
	return s, nil
}

// mark is the byte order mark as UTF-8.
const mark = "\ufeff"

// unwrap removes byte order marks and turns UTF-16, which it announces, into
// UTF-8.
func unwrap(raw []byte) ([]byte, error) {
	if bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff")) {
		var err error
		if raw, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(raw); err != nil {
			return nil, err
		}
	}
	for bytes.HasPrefix(raw, []byte(mark)) { // each program that saved it may have added one
		raw = raw[len(mark):]
	}
	return raw, nil
}

// mend reads the bytes that are no UTF-8 as Windows-1252, one by one: it
// repairs files that mix both as well as files that are all of the other kind.
func mend(s string) string {
	var b strings.Builder
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			r = charmap.Windows1252.DecodeByte(s[0])
		}
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String()
}

// detect finds the separator: of comma, semicolon and tab the one that occurs
// most often in the header, outside of quotes.
func detect(raw []byte) rune {
	head, _ := cutRecord(raw)
	count, quoted := map[rune]int{}, false
	for _, c := range head {
		if c == '"' {
			quoted = !quoted
		} else if !quoted {
			count[rune(c)]++
		}
	}
	best := ','
	for _, c := range []rune{';', '\t'} {
		if count[c] > count[best] {
			best = c
		}
	}
	return best
}

// cutRecord takes one record from the front: up to the first line break that
// is not inside quotes.
func cutRecord(raw []byte) (record, rest []byte) {
	quoted := false
	for i, c := range raw {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\n' && !quoted:
			return bytes.TrimSuffix(raw[:i], []byte{'\r'}), raw[i+1:]
		case c == '\r' && !quoted && (i+1 == len(raw) || raw[i+1] != '\n'):
			return raw[:i], raw[i+1:]
		}
	}
	return raw, nil
}

// splitRecord takes a record apart. Stray quotes make it loose: it is read
// with quotes as ordinary letters rather than not at all.
func splitRecord(record []byte, separator rune) (fields []string, loose bool, err error) {
	if len(bytes.TrimSpace(record)) == 0 {
		return nil, false, nil
	}
	r := csv.NewReader(bytes.NewReader(record))
	r.Comma, r.FieldsPerRecord = separator, -1
	fields, err = r.Read()
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		fields = strings.Split(string(record), string(separator))
		for i, f := range fields {
			fields[i] = strings.ReplaceAll(f, `"`, "")
		}
		return fields, true, nil
	}
	return fields, false, err
}

func writeFolder(dir string, b table.Book) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	for _, s := range b.Sheets {
		err := durable.Replace(filepath.Join(dir, s.Name+".csv"), 0o644, func(f io.Writer) error { return encodeCSV(f, s) })
		if err != nil {
			return fmt.Errorf("write %s.csv: %w", s.Name, err)
		}
	}
	if b.Record == "" {
		return nil
	}
	err := durable.Replace(filepath.Join(dir, "Registro.txt"), 0o644, func(f io.Writer) error {
		_, err := fmt.Fprintln(f, recordNote(b.Record))
		return err
	})
	if err != nil {
		return fmt.Errorf("write Registro.txt: %w", err)
	}
	return nil
}

// encodeCSV writes UTF-8 with commas and without a byte order mark. Dates are
// text as rules §2 write them, numbers have a point.
func encodeCSV(w io.Writer, s table.Sheet) error {
	out := csv.NewWriter(w)
	for _, row := range s.Rows {
		record := make([]string, max(len(row), width(s)))
		for i, c := range row {
			record[i] = c.String()
			if c.Kind == table.Text {
				record[i] = neutral(c.Text)
			}
		}
		if len(record) == 1 && record[0] == "" {
			record[0] = " " // an empty line is easily lost
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// width is the number of columns of the header.
func width(s table.Sheet) int {
	if len(s.Rows) == 0 {
		return 0
	}
	return len(s.Rows[0])
}
