package workbook

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/csv"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"envivo/sheetsync/table"
)

// tight are limits that a fuzzed file can reach.
func tight() Limits {
	return Limits{File: 1 << 20, Unpack: 4 << 20, Rows: 300, Columns: 40, Cell: 500, Cells: 4000, Text: 20_000}
}

// within fails the test unless a workbook keeps to limits.
func within(t *testing.T, b table.Book, l Limits) {
	t.Helper()
	cells, text := 0, int64(0)
	for _, s := range b.Sheets {
		if len(s.Rows) > l.Rows {
			t.Fatalf("%s has %d rows", s.Name, len(s.Rows))
		}
		for _, row := range s.Rows {
			if cells += len(row); len(row) > l.Columns {
				t.Fatalf("%s has a row of %d columns", s.Name, len(row))
			}
			for _, c := range row {
				text += int64(len(c.Text))
				if c.Kind == table.Text && len(c.Text) > 3*l.Cell { // a letter of Windows-1252 has up to 3 bytes in UTF-8
					t.Fatalf("%s has a cell of %d bytes", s.Name, len(c.Text))
				}
			}
		}
	}
	if cells > l.Cells || text > 3*l.Text {
		t.Fatalf("%d cells, %d bytes of text", cells, text)
	}
}

// FuzzWorkbook: whatever a file of CSV, or the worksheet and the texts of an
// .xlsx hold, it is read within the limits or refused; and a table that was
// read is written such that it reads the same.
func FuzzWorkbook(f *testing.F) {
	for _, text := range []string{"TAG_SPOOL;NV\nMK-1;\"a\nb\"\r\n\n", "\xef\xbb\xbfa,b\n'=1,\xe1", "\xff\xfea\x00,\x00", "a\t\"b", "''+1,'x,=IMPORTXML(1)\n\"\n"} {
		f.Add(text, "")
	}
	const head = worksheet
	f.Add(head+`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="b"><v>1</v></c></row><row r="3"><c r="B3" s="1"><f>A1</f><v>46000.5</v></c></row></sheetData></worksheet>`, `<si><t>TAG</t></si>`)
	f.Add(head+`<row r="9999999"><c r="XFD1" t="inlineStr"><is><r><t>x</t></r></is></c></row>`, `<si><r><t>a</t></r><r/></si>`)
	f.Add(head+`<row r="2"><c r="A1"/><c r="-1"/><c t="s"><v>-1</v></c><c t="e"><v>#REF!</v></c><c t="d"><v>2026-01-05</v></c></row>`, ``)
	f.Fuzz(func(t *testing.T, sheet, texts string) {
		l := tight()
		left := &budget{Limits: l}
		if strings.HasPrefix(sheet, worksheet) {
			b, err := parseXLSX(fold(t, sheet, texts), l)
			if err == nil {
				within(t, b, l)
			}
			return
		}
		s, err := parseCSV([]byte(sheet), table.Operaciones, left)
		if err != nil {
			return
		}
		within(t, table.Book{Sheets: []table.Sheet{s}}, l)
		s.Rows = append(table.NewSheet(table.Operaciones).Rows, s.Rows...) // an export has a header of ours
		var out bytes.Buffer
		if err := encodeCSV(&out, s); err != nil {
			t.Fatalf("write what was read: %v", err)
		}
		inert(t, out.Bytes())
		again, err := parseCSV(out.Bytes(), table.Operaciones, &budget{Limits: DefaultLimits()})
		if err != nil || !sameTexts(s, again) {
			t.Fatalf("read %q, %v; written %q, read again %q, %v", s.Rows, s.Findings, out.String(), again.Rows, err)
		}
	})
}

// inert fails the test if a spreadsheet that opens the text would run a cell.
func inert(t *testing.T, text []byte) {
	t.Helper()
	records := csv.NewReader(bytes.NewReader(text))
	records.FieldsPerRecord = -1
	for {
		record, err := records.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("not CSV: %v\n%s", err, text)
		}
		for _, v := range record {
			if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) {
				t.Fatalf("a spreadsheet runs the cell %q", v)
			}
		}
	}
}

// sameTexts compares two readings. Rows of blanks are nothing, cells beyond a
// row's end are empty, and CSV itself makes \n of \r\n in a cell.
func sameTexts(a, b table.Sheet) bool {
	flat := func(s table.Sheet) []string {
		var out []string
		for _, row := range s.Rows {
			var texts []string
			for _, c := range row {
				texts = append(texts, strings.ReplaceAll(c.Text, "\r\n", "\n"))
			}
			out = append(out, strings.TrimRight(strings.Join(texts, "\x00"), "\x00 \t\n\v\f\r\u0085\u00a0"))
		}
		return slices.DeleteFunc(out, func(s string) bool { return s == "" })
	}
	return slices.Equal(flat(a), flat(b))
}

const (
	space     = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	worksheet = `<worksheet ` + space + `><sheetData>`
)

// fold is an .xlsx with a worksheet Operaciones and its texts.
func fold(t testing.TB, sheet, texts string) []byte {
	t.Helper()
	const (
		types  = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
		opened = `<?xml version="1.0" encoding="UTF-8"?>`
	)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, part := range [][2]string{
		{"[Content_Types].xml", opened + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`},
		{"_rels/.rels", opened + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + types + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", opened + `<workbook ` + space + ` xmlns:r="` + types + `"><sheets><sheet name="Operaciones" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", opened + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + types + `/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
		{"xl/worksheets/sheet1.xml", sheet}, {"xl/sharedStrings.xml", opened + `<sst ` + space + `>` + texts + `</sst>`},
	} {
		w, err := z.Create(part[0])
		if err == nil {
			_, err = io.WriteString(w, part[1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestBombsAreRefused: files of a few kilobytes that would unfold to gigabytes.
func TestBombsAreRefused(t *testing.T) {
	const row = `<row><c r="ALL1"><v>1</v></c></row>`
	l := DefaultLimits()
	l.Cells = 100_000
	for name, c := range map[string]struct {
		file string
		raw  []byte
		want error
	}{
		"a part that claims terabytes":        {"a.xlsx", claiming(t, "xl/worksheets/sheet1.xml", 1<<42), ErrTooLarge},
		"a part that claims less than 0":      {"b.xlsx", claiming(t, "xl/worksheets/sheet1.xml", 1<<63), ErrTooLarge},
		"styles of 17 MB":                     {"c.xlsx", claiming(t, "xl/styles.xml", 17<<20), ErrTooLarge},
		"texts of 65 MB":                      {"d.xlsx", claiming(t, `xl\SharedStrings.XML`, 65<<20), ErrTooLarge},
		"a part that lies about its size":     {"e.xlsx", claiming(t, "xl/styles.xml", 10), io.EOF},
		"cells by the row that are not there": {"f.xlsx", fold(t, worksheet+strings.Repeat(row, 200), ``), ErrTooLarge},
		"cells of nothing but commas":         {"Operaciones.csv", bytes.Repeat(append(bytes.Repeat([]byte(","), 999), '\n'), 200), ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), c.file)
			if err := os.WriteFile(path, c.raw, 0o600); err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(path, ".xlsx") {
				path = filepath.Dir(path)
			}
			if b, err := Read(path, l); !errors.Is(err, c.want) || len(b.Sheets) > 0 {
				t.Errorf("a file of %d bytes = %d worksheets, %v, want %v", len(c.raw), len(b.Sheets), err, c.want)
			}
		})
	}
}

// claiming is a packed file of a megabyte of zeros that claims to be more, or
// less.
func claiming(t *testing.T, part string, size uint64) []byte {
	t.Helper()
	zeros := make([]byte, 1<<20)
	var small, out bytes.Buffer
	w, err := flate.NewWriter(&small, flate.BestSpeed)
	if err == nil {
		_, err = w.Write(zeros)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(&out)
	raw, err := z.CreateRaw(&zip.FileHeader{Name: part, Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(zeros), CompressedSize64: uint64(small.Len()), UncompressedSize64: size})
	if err == nil {
		_, err = raw.Write(small.Bytes())
	}
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
