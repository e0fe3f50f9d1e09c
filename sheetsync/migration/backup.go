package migration

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"

	"envivo/durable"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
	"envivo/sheetsync/workbook"
)

// reading is all cells of all worksheets in the three ways they can be read.
type reading struct {
	values, formulas, shown [][][]table.Cell // by worksheet, in the order of the layout
}

// backup copies everything: always to a file of our own, and in Drive where the
// account may. It leaves the record that makes the rest possible.
func (s *session) backup(ctx context.Context) error {
	all, err := s.readAll(ctx)
	if err != nil {
		return err
	}
	fresh := !s.touched()
	if !fresh || s.rec.Backup.DriveID != "" { // repeated: the older copies stay
		s.rec.name(s.o.Now())
		s.rec.Asked = false
	}
	if err := workbook.Write(s.dir.path(s.rec.Backup.File), s.book(all)); err != nil {
		return fmt.Errorf("write the local copy: %w", err)
	}
	if err := durable.SyncFolder(s.o.Dir); err != nil {
		return fmt.Errorf("write the local copy: %w", err)
	}
	if fresh { // else the snapshot of the untouched sheet is the one that counts
		if err := s.dir.save(snapshotFile, s.snapshotOf(all)); err != nil {
			return err
		}
	}
	s.note("copia local completa: %s", s.dir.path(s.rec.Backup.File))
	if err := s.copyInDrive(ctx); err != nil {
		return err
	}
	s.report.Backup = s.rec.Backup
	return s.dir.saveRecord(s.rec)
}

// touched reports whether the Sheet may already have been written to.
func (s *session) touched() bool { return s.rec.Grown > 0 || s.rec.Added || len(s.rec.IDs) > 0 }

// copyInDrive asks for a copy. A refusal is no failure: there is the local one.
func (s *session) copyInDrive(ctx context.Context) error {
	b := &s.rec.Backup
	if s.rec.Asked {
		s.warn("una copia anterior puede existir en Drive aunque no llegó la respuesta; si %q está dos veces, sobra una", b.Title)
	}
	s.rec.Asked = true
	if err := s.dir.saveRecord(s.rec); err != nil {
		return err
	}
	id, err := s.o.Sheet.Copy(ctx, b.Title, s.o.Folder)
	var no *google.Error
	switch {
	case err == nil:
		b.DriveID, b.Refused = id, ""
		s.note("copia en Drive: %q (%s)", b.Title, id)
		return nil
	case errors.As(err, &no) && (no.Class == google.Stop && no.Status != 401 && no.Reason != "invalid_grant" || no.Class == google.Refused):
		b.Refused = no.Reason
		if b.Refused == "" {
			b.Refused = strconv.Itoa(no.Status)
		}
		s.note("Drive no hizo la copia (%s)", b.Refused)
		s.report.Instructions = byHand(*b)
		return nil
	}
	return fmt.Errorf("copy the spreadsheet in Drive: %w", err)
}

// byHand is how a person makes the copy that the account may not make.
func byHand(b Backup) []string {
	return []string{
		"La cuenta de servicio no puede copiar la planilla en Drive (" + b.Refused + "). La copia local está completa; además conviene una en Drive:",
		"1. Abra la planilla con la cuenta de la oficina.",
		"2. Menú Archivo, Hacer una copia.",
		"3. Nombre: " + b.Title,
		"4. Elija la carpeta de respaldos y deje sin marcar que se comparta con las mismas personas.",
		"5. Compruebe que la copia tiene todas las hojas. Guárdela al menos siete días.",
	}
}

// readAll reads everything, in three calls. An answer that contradicts another, as
// a truncated one does, is not believed.
func (s *session) readAll(ctx context.Context) (*reading, error) {
	var ranges []string
	for _, t := range s.view.layout.Tabs {
		ranges = append(ranges, google.A1(t.Title, 1, 0, 0, t.Cols-1))
	}
	var all reading
	for _, way := range []struct {
		read func(context.Context, ...string) ([][][]table.Cell, error)
		into *[][][]table.Cell
	}{{s.o.Sheet.Read, &all.values}, {s.o.Sheet.Formulas, &all.formulas}, {s.o.Sheet.Shown, &all.shown}} {
		var err error
		if *way.into, err = way.read(ctx, ranges...); err != nil {
			return nil, fmt.Errorf("read the whole sheet: %w", err)
		}
	}
	for i, t := range s.view.layout.Tabs {
		n := len(all.values[i])
		if len(all.formulas[i]) < n || len(all.shown[i]) > len(all.formulas[i]) || n < len(all.shown[i]) {
			return nil, fmt.Errorf("%s: Google answered %d, %d and %d rows to the same question", t.Title, n, len(all.formulas[i]), len(all.shown[i]))
		}
	}
	for _, name := range table.SheetNames() {
		rows := s.of(all.values, name)
		if head := s.view.head[name]; len(head) > 0 && (len(rows) == 0 || !sameRow(rows[0], head)) {
			return nil, fmt.Errorf("%s: row 1 changed while it was read", s.view.tab(name).Title)
		}
	}
	return &all, nil
}

// of are the rows of a worksheet of ours among those of all.
func (s *session) of(all [][][]table.Cell, name string) [][]table.Cell {
	tab, ok := s.view.tabs[name]
	for i, t := range s.view.layout.Tabs {
		if ok && t.ID == tab.ID {
			return all[i]
		}
	}
	return nil
}

func (s *session) snapshotOf(all *reading) *snapshot {
	return &snapshot{Operaciones: packed(s.of(all.formulas, table.Operaciones)), Metadata: packed(s.of(all.formulas, table.Metadata))}
}

// saved is the snapshot of the sheet before the migration.
func (s *session) saved() (*snapshot, error) {
	if s.snap == nil {
		snap := new(snapshot)
		ok, err := s.dir.load(snapshotFile, snap)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, refuse("Falta %s, sin el cual no se puede seguir.", s.dir.path(snapshotFile))
		}
		s.snap = snap
	}
	return s.snap, nil
}

// sheetText is how many characters a cell of a workbook holds.
const sheetText = 32_000

// shelf is a workbook in the making: the worksheets, and on two more the formulas
// and the texts too long for a workbook's cell.
type shelf struct {
	sheets         []table.Sheet
	formulas, long table.Sheet
}

// book is everything as a workbook: values with their types, dates as dates.
func (s *session) book(all *reading) table.Book {
	b := &shelf{
		formulas: table.Sheet{Name: "Respaldo_Formulas", Rows: [][]table.Cell{texts("Hoja", "Celda", "Formula")}},
		long:     table.Sheet{Name: "Respaldo_Textos_Largos", Rows: [][]table.Cell{texts("Hoja", "Celda", "Parte", "Texto")}},
	}
	titles := map[string]bool{table.Normalize(b.formulas.Name): true, table.Normalize(b.long.Name): true}
	for i, t := range s.view.layout.Tabs {
		sheet := table.Sheet{Name: tabName(t.Title, titles)}
		for r, row := range all.values[i] {
			out := make([]table.Cell, len(row))
			for c, cell := range row {
				where := []string{t.Title, table.Letters(c) + strconv.Itoa(r+1)}
				out[c] = b.cell(where, styled(cell, at(all.shown[i], r, c)), at(all.formulas[i], r, c))
			}
			sheet.Rows = append(sheet.Rows, out)
		}
		b.sheets = append(b.sheets, sheet)
	}
	return table.Book{Sheets: append(b.sheets, b.formulas, b.long)}
}

// cell is a cell as it goes into the workbook. Its formula, and its text if that
// is too long, go to where there is room for them.
func (b *shelf) cell(where []string, c, formula table.Cell) table.Cell {
	note := func(on *table.Sheet, text string) {
		for k, p := range chunks(text) {
			words := []string{where[0], where[1], p}
			if on == &b.long {
				words = []string{where[0], where[1], strconv.Itoa(k + 1), p}
			}
			on.Rows = append(on.Rows, texts(words...))
		}
	}
	if formula.Kind == table.Text && (c.Kind != table.Text || formula.Text != c.Text) {
		note(&b.formulas, formula.Text)
	}
	if c.Kind == table.Text && len(utf16.Encode([]rune(c.Text))) > sheetText {
		note(&b.long, c.Text)
		return table.TextCell("ver Respaldo_Textos_Largos " + where[1])
	}
	return c
}

// tabName is a title as a workbook allows it, and no other's.
func tabName(title string, taken map[string]bool) string {
	name := []rune(fileName(title))
	for i, c := range name {
		if c == '[' || c == ']' || c == '\'' {
			name[i] = '_'
		}
	}
	out := string(name[:min(len(name), 31)])
	for n := 2; taken[table.Normalize(out)] || out == ""; n++ {
		out = string(name[:min(len(name), 27)]) + "~" + strconv.Itoa(n)
	}
	taken[table.Normalize(out)] = true
	return out
}

// styled is a number with the style in which the Sheet shows it: an unformatted
// answer does not tell dates from other numbers.
func styled(c, shown table.Cell) table.Cell {
	if c.Kind != table.Number || shown.Kind != table.Text {
		return c
	}
	if c.Num == math.Trunc(c.Num) {
		if d, p := table.Date(shown); p.OK() && float64(d) == c.Num {
			c.Style = table.Day
		}
	} else if t, p := table.Time(shown); p.OK() && !t.IsZero() && math.Abs(table.InstantCell(t).Num-c.Num) < 1.0/86400 {
		c.Style = table.Instant
	}
	return c
}

// chunks cuts a text into parts that fit into a cell of a workbook.
func chunks(text string) []string {
	var out []string
	runes := []rune(text)
	for len(runes) > sheetText/2 {
		out, runes = append(out, string(runes[:sheetText/2])), runes[sheetText/2:]
	}
	return append(out, string(runes))
}

func texts(words ...string) []table.Cell {
	out := make([]table.Cell, len(words))
	for i, w := range words {
		out[i] = table.TextCell(w)
	}
	return out
}

// at is a cell of rows that end where their content does.
func at(rows [][]table.Cell, row, col int) table.Cell {
	if row >= len(rows) || col >= len(rows[row]) {
		return table.Cell{}
	}
	return rows[row][col]
}

// sameRow compares two rows but for empty cells at their end.
func sameRow(a, b []table.Cell) bool {
	for i := range max(len(a), len(b)) {
		if at([][]table.Cell{a}, 0, i) != at([][]table.Cell{b}, 0, i) {
			return false
		}
	}
	return true
}
