package mirror

import (
	"strings"
	"testing"
	"time"

	"envivo/plant"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

func TestNotesKeepBothTexts(t *testing.T) {
	x := started(t, sheetOf{spools: 8, joints: 2})
	x.do(plant.Command{Verb: plant.Anotar, Tag: "MK-004", Worker: 93, Texto: "falta soporte"})
	x.pass(30 * time.Second)
	ours := x.spool("MK-004").Notas
	x.put("MK-004", "Notas", "Ojo: cliente pide foto\n"+ours+"\nlisto el lunes")
	x.do(plant.Command{Verb: plant.Anotar, Tag: "MK-004", Worker: 93, Texto: "llegó soporte"})
	x.pass(2 * time.Minute)
	got := x.cell("Operaciones", "MK-004", "Notas").Text
	for _, want := range []string{"Ojo: cliente pide foto", "falta soporte", "listo el lunes", "llegó soporte"} {
		if !strings.Contains(got, want) {
			t.Errorf("Notas = %q, want %q in it", got, want)
		}
		if notes := x.spool("MK-004").Notas; strings.Count(notes, want) != 1 {
			t.Errorf("the floor's notes = %q, want %q in them once", notes, want)
		}
	}
	x.agrees()
	x.wantCalm()
}

func TestNotesThatTheOfficeEmptiesComeBackWithItsOwnTextGone(t *testing.T) {
	x := started(t, sheetOf{spools: 8, joints: 2})
	x.put("MK-004", "Notas", "de la oficina")
	x.pass(time.Minute)
	if got := x.spool("MK-004").Notas; got != "de la oficina" {
		t.Fatalf("the floor's notes = %q, want the office's", got)
	}
	x.do(plant.Command{Verb: plant.Anotar, Tag: "MK-004", Worker: 93, Texto: "del piso"})
	x.pass(30 * time.Second)
	x.put("MK-004", "Notas", "")
	x.pass(2 * time.Minute)
	got := x.cell("Operaciones", "MK-004", "Notas").Text
	if !strings.HasSuffix(got, ": del piso") || strings.Contains(got, "oficina") {
		t.Errorf("Notas = %q, want the floor's entry alone: the office took its own text away", got)
	}
	x.agrees()
}

func TestFreeTextThatLooksLikeAFormulaStaysText(t *testing.T) {
	x := started(t, sheetOf{spools: 8, joints: 2})
	for _, text := range []string{"=SUMA(A1:A9)", "+56 9 1234", "-sin soporte", "@jefe", "'comilla"} {
		x.put("MK-004", "Notas", text)
		x.pass(time.Minute)
		x.do(plant.Command{Verb: plant.Anotar, Tag: "MK-006", Worker: 93, Texto: text})
		x.do(plant.Command{Verb: plant.Anotar, Tag: "MK-004", Worker: 93, Texto: text})
		x.pass(time.Minute)
		for _, tag := range []string{"MK-004", "MK-006"} {
			c := x.cell("Operaciones", tag, "Notas")
			if c.Formula != "" || !strings.Contains(c.Text, text) {
				t.Errorf("Notas of %s = %+v, want the text %q", tag, c, text)
			}
		}
	}
	x.agrees()
	x.wantCalm()
}

func FuzzMergeNotes(f *testing.F) {
	f.Add("", "20260504: a")
	f.Add("oficina\n20260504: a", "20260504: a\n20260504: b")
	f.Add("20260504: a", "20260504: a\n20260504: a")
	f.Add("x\r\ny\n\n", "planner\n20260504: b\n")
	f.Fuzz(func(t *testing.T, cell, ours string) {
		got := mergeNotes(cell, ours)
		if again := mergeNotes(got, ours); again != got {
			t.Fatalf("merged twice %q, once %q: not the same", again, got)
		}
		if cell != ours && !strings.HasPrefix(got, strings.TrimRight(cell, "\n")) {
			t.Fatalf("merged %q does not begin with the office's %q", got, cell)
		}
		have := map[string]int{}
		for line := range strings.Lines(got) {
			have[strings.TrimSpace(line)]++
		}
		for line := range strings.Lines(ours) {
			if entry := strings.TrimSpace(line); dated(entry) {
				if have[entry]--; have[entry] < 0 {
					t.Fatalf("merged %q lacks our entry %q", got, entry)
				}
			}
		}
	})
}

// FuzzACellReadUnderANameStandsUnderThatHeader reads a sheet of any header and any
// ragged rows through ranges and assemble.
func FuzzACellReadUnderANameStandsUnderThatHeader(f *testing.F) {
	f.Add("TAG_SPOOL,x,,Armador,a,b,c,d,Notas", uint8(5), uint64(7), uint8(0))
	f.Add("Notas,notas,NOTAS,TAG_SPOOL / X,ARMADOR", uint8(3), uint64(1<<40+99), uint8(4))
	f.Add("", uint8(0), uint64(0), uint8(1))
	f.Fuzz(func(t *testing.T, names string, height uint8, ragged uint64, from uint8) {
		head := strings.Split(names, ",")
		if len(head) > 60 {
			return
		}
		tb := &tab{name: table.Operaciones, found: true, grid: google.Tab{Title: "O'p", Rows: 1000, Cols: len(head)}}
		cells := make([]table.Cell, len(head))
		for i, h := range head {
			cells[i] = table.TextCell(h)
		}
		tb.see(texts(cells))
		value := func(row, col int) table.Cell {
			if ragged>>((row*7+col)%64)&1 == 1 {
				return table.Cell{}
			}
			return table.NumberCell(float64(row*1000 + col))
		}
		w := wish{tb, table.Columns(table.Operaciones), int(from % 20)}
		m := &Mirror{}
		ranges, parts := m.ranges([]wish{w})
		got := make([][][]table.Cell, len(ranges))
		for _, r := range parts[0].runs {
			for row := max(1, w.from); row <= int(height); row++ {
				width := int(ragged>>(row%60)) % (r.end - r.col + 2)
				line := make([]table.Cell, width)
				for i := range line {
					line[i] = value(row, r.col+i)
				}
				got[r.at] = append(got[r.at], line)
			}
		}
		p := parts[0].assemble(w, got)
		for _, column := range table.Columns(table.Operaciones) {
			col, ok := tb.header.Col(column)
			for row := max(2, w.from); row <= int(height); row++ {
				have := p.cell(row, column)
				switch {
				case !ok && have.Kind != table.Empty:
					t.Fatalf("row %d has %v under %s, which is not in %q", row, have, column, names)
				case ok && have.Kind != table.Empty && have != value(row, col):
					t.Fatalf("row %d, %s = %v, want %v or nothing", row, column, have, value(row, col))
				}
			}
		}
	})
}
