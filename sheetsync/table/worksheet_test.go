package table

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"envivo/plant"
)

// typedIn is a worksheet of lines and cells between |; ~ marks a number and ?
// a box. A first line of ! is the header of ours.
func typedIn(name, text string) Sheet {
	s := Sheet{Name: name}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "!" && len(s.Rows) == 0 {
			s.Rows = append(s.Rows, headerRow(name))
			continue
		}
		var row []Cell
		for v := range strings.SplitSeq(line, "|") {
			f, err := strconv.ParseFloat(strings.TrimPrefix(v, "~"), 64)
			switch {
			case v != "" && v[0] == '~' && err == nil:
				row = append(row, NumberCell(f))
			case v != "" && v[0] == '?':
				row = append(row, BoolCell(len(v) > 1))
			default:
				row = append(row, TextCell(v))
			}
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

// FuzzWorksheets: whatever the rows of a worksheet hold, each is read, repaired
// or put aside; no two that were read are the same thing; and what was read is
// written such that it reads the same.
func FuzzWorksheets(f *testing.F) {
	for i, text := range []string{
		"!\nMK-1|||OT-1|~46000||||||||||||||~3\nmk-1\n|x", "!\n~12|Ana|Bravo|?x\n12|Ana|Bravo|\n~1e300|a|b|no", "!\n~12|Armador|?x\n12|?|sí",
		"!\nU|OT|~1|MK-1|1/2|bw|~46000.5|21-01-2026 10:30:15|AB(12)|||||||\n|||MK-1|x", "!\n|~46000.5|X|MK-1|12|AB(12)|ARM|TOMAR|~46000|{}|\n\n|\na|\na|\na||b",
		"TAG_SPOOL|tag_spool|SPLIT\nx|y|z", "", "\n\n",
	} {
		f.Add(uint8(i), text)
	}
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		name := SheetNames()[int(which)%5]
		if s := typedIn(name, text); len(s.Rows) < 200 {
			for range 2 { // a second time what the first reading wrote
				s = readAndWrite(t, s)
			}
		}
	})
}

// readAndWrite reads a worksheet, and writes what it read. Reading that again
// must give the same rows; Operaciones is not read again, its states are the
// engine's.
func readAndWrite(t *testing.T, s Sheet) Sheet {
	t.Helper()
	out := NewSheet(s.Name)
	switch s.Name {
	case Operaciones:
		p, err := ReadOperaciones(s)
		distinct(t, s, p, err, func(r SpoolRow) string { return strings.ToUpper(string(r.Tag)) })
	case Trabajadores:
		p, err := ReadTrabajadores(s)
		distinct(t, s, p, err, func(r WorkerRow) string { return strconv.Itoa(int(r.Worker.ID)) })
		for i := range p.Rows {
			out.Rows = append(out.Rows, WorkerCells(p.Rows[i].Worker))
			p.Rows[i] = WorkerRow{Worker: p.Rows[i].Worker}
			p.Rows[i].Worker.Roles = 0
		}
		again, err := ReadTrabajadores(out)
		for i := range again.Rows {
			again.Rows[i] = WorkerRow{Worker: again.Rows[i].Worker}
		}
		same(t, p, again, err)
	case Roles:
		p, err := ReadRoles(s)
		distinct(t, s, p, err, func(r RoleRow) string { return strconv.Itoa(r.Row) })
	case Uniones:
		p, err := ReadUniones(s)
		distinct(t, s, p, err, func(r UnionRow) string { return strings.ToUpper(string(r.Tag)) + " " + strconv.Itoa(r.Union.N) })
		for i := range p.Rows {
			out.Rows = append(out.Rows, UnionCells(p.Rows[i].Tag, "", p.Rows[i].Union))
			p.Rows[i] = UnionRow{Tag: p.Rows[i].Tag, Union: p.Rows[i].Union}
		}
		again, err := ReadUniones(out)
		for i := range again.Rows {
			again.Rows[i] = UnionRow{Tag: again.Rows[i].Tag, Union: again.Rows[i].Union}
		}
		same(t, p, again, err)
	case Metadata:
		p, err := ReadMetadata(s)
		distinct(t, s, p, err, func(r plant.MetadataRow) string { return r.ID })
		for i := range p.Rows {
			out.Rows = append(out.Rows, MetadataCells(p.Rows[i]))
			p.Rows[i].Order = 0
		}
		again, err := ReadMetadata(out)
		for i := range again.Rows {
			again.Rows[i].Order = 0
		}
		same(t, p, again, err)
	}
	return out
}

// distinct fails the test unless the rows of a page are at most those of the
// worksheet, and each has a key of its own.
func distinct[T any](t *testing.T, s Sheet, p Page[T], err error, key func(T) string) {
	t.Helper()
	if err != nil && len(p.Rows)+len(p.Outcomes) > 0 {
		t.Fatalf("refused with %v, and yet %d rows", err, len(p.Rows))
	}
	if len(p.Rows) > len(s.Rows) || len(p.Outcomes) > len(s.Rows) || len(p.Findings) > (1+len(s.Rows))*(10+len(Columns(s.Name))) {
		t.Fatalf("%d rows gave %d rows, %d outcomes, %d findings", len(s.Rows), len(p.Rows), len(p.Outcomes), len(p.Findings))
	}
	seen := map[string]bool{}
	for _, r := range p.Rows {
		if k := key(r); k == "" || seen[k] {
			t.Fatalf("two rows are %q", k)
		} else {
			seen[k] = true
		}
	}
}

func same[T any](t *testing.T, p, again Page[T], err error) {
	t.Helper()
	if err != nil || len(p.Rows) != len(again.Rows) {
		t.Fatalf("%d rows read again are %d, %v: %+v, then %+v", len(p.Rows), len(again.Rows), err, p.Rows, again.Findings)
	}
	for i := range p.Rows {
		if !reflect.DeepEqual(p.Rows[i], again.Rows[i]) {
			t.Fatalf("row %d read again differs:\n%+v\n%+v", i, p.Rows[i], again.Rows[i])
		}
	}
}
