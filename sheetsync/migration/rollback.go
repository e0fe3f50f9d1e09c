package migration

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"envivo/plant"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// Rollback takes back what the migration on record in Dir wrote, finished or not,
// within Window: the columns it added, found by header, the cells it filled, its
// rows of Metadata, and what it widened the grids by. Nothing else is touched, and
// columns that others have written into only with Force, after their cells were
// put away in Dir. It may be run again after any failure, and continues. Without a
// migration to take back the report says so and nothing happens.
func Rollback(ctx context.Context, o Options) (*Report, error) {
	s := begin(o, "rollback")
	err := s.rollback(ctx)
	s.report.Finished = o.Now().UTC()
	if err != nil {
		s.report.Problem = err.Error()
	}
	return s.report, err
}

func (s *session) rollback(ctx context.Context) error {
	rec, err := s.dir.record()
	switch {
	case err != nil:
		return err
	case rec == nil:
		return refuse("En %s no hay ninguna migración que deshacer.", s.o.Dir)
	case rec.ID != "" && s.o.ID != "" && rec.ID != s.o.ID:
		return refuse("La carpeta %s guarda la migración de otra planilla.", s.o.Dir)
	case rec.RolledBack != nil:
		s.report.Already = true
		s.say("La migración ya se deshizo el %s: no se cambió nada.", plant.SheetTime(*rec.RolledBack))
		return nil
	case rec.Undo == nil && s.o.Now().Sub(rec.end()) > Window:
		return refuse("La migración terminó el %s: pasaron más de siete días y ya no se deshace. Quedan los respaldos: %s.",
			plant.SheetTime(rec.end()), rec.Backup.Title)
	}
	s.rec, s.report.Resumed, s.report.Backup = rec, rec.Undo != nil, rec.Backup
	if s.view, err = look(ctx, s.o); err != nil {
		return err
	}
	s.report.Title, s.report.Generation = s.view.layout.Title, s.view.generation()
	for _, name := range []string{table.Operaciones, table.Metadata} {
		if len(s.view.head[name]) == 0 {
			return refuse("No se encuentra la hoja %s o su fila 1.", s.view.names.of(name))
		}
	}
	return s.takeBack(ctx)
}

// end is when the migration ended, or began if it never did.
func (r *record) end() time.Time {
	if r.Finished != nil {
		return *r.Finished
	}
	return r.Started
}

// takeBack does the parts of a rollback in their order. Each finds out by itself
// what there is still to do.
func (s *session) takeBack(ctx context.Context) error {
	rows, err := s.operaciones(ctx)
	if err != nil {
		return err
	}
	meta, err := s.metadata(ctx, nil)
	if err != nil {
		return err
	}
	ours, err := s.ours(rows)
	if err != nil {
		return err
	}
	if err := s.foreign(rows, ours); err != nil || s.o.DryRun {
		return err
	}
	if err := s.aim(); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		do   func() error
	}{
		{"restore_cells", func() error { return s.restore(ctx, rows, ours, meta) }},
		{"remove_columns", func() error { return s.removeColumns(ctx) }},
		{"remove_metadata_rows", func() error { return s.removeRows(ctx) }},
		{"verify_rollback", func() error { return s.compare(ctx) }},
	} {
		s.report.Steps = append(s.report.Steps, StepReport{Step: part.name, Status: Done})
		err := part.do()
		at := &s.report.Steps[len(s.report.Steps)-1]
		at.At = s.o.Now().UTC()
		if err != nil {
			at.Status = Failed
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return s.closeUndo()
}

// closeUndo puts the end on record.
func (s *session) closeUndo() error {
	now := s.o.Now().UTC()
	s.rec.RolledBack, s.report.Columns, s.report.Finished = &now, s.rec.Columns, now
	s.say("Se deshizo la migración: la planilla vuelve a ser v2.1.")
	s.report.Generation = s.view.generation()
	if err := s.dir.save(undoneFile, s.report); err != nil {
		return err
	}
	if err := s.dir.dropCheckpoints(); err != nil {
		return err
	}
	return s.dir.saveRecord(s.rec)
}

// ours are the columns to take back and where they are now. The ones that the grid
// was widened for come last in the record and are removed; for those before them
// there was room, and they are emptied.
func (s *session) ours(rows [][]table.Cell) (map[string]int, error) {
	out := map[string]int{}
	for _, c := range s.rec.Columns {
		at := places(rows[0], c)
		if len(at) > 1 {
			return nil, refuse("En %s el encabezado %s está repetido en las columnas %s: no se sabe cuál quitar.",
				s.view.tab(table.Operaciones).Title, c, quoted(letters(at)))
		}
		if len(at) == 1 {
			out[c] = at[0]
		}
	}
	return out, nil
}

// doomed reports whether a column is removed and not merely emptied.
func (s *session) doomed(column string) bool {
	return slices.Index(s.rec.Columns, column) >= len(s.rec.Columns)-min(s.rec.Grown, len(s.rec.Columns))
}

// foreign looks for cells in our columns that the migration did not write.
func (s *session) foreign(rows [][]table.Cell, ours map[string]int) error {
	var where []string
	for _, c := range s.rec.Columns {
		col, ok := ours[c]
		for r := 1; ok && r < len(rows); r++ {
			cell := at(rows, r, col)
			if cell.Kind == table.Empty || c == "version" && cell.Kind == table.Number && cell.Num == 0 {
				continue
			}
			where = append(where, fmt.Sprintf("%s%d (%s)", table.Letters(col), r+1, c))
		}
	}
	title := s.view.tab(table.Operaciones).Title
	if len(where) == 0 {
		if s.o.DryRun {
			s.say("Ensayo: se quitarían de %s las columnas %s; no se escribió nada.", title, quoted(s.rec.Columns))
		}
		return nil
	}
	n := len(where)
	if n > 5 {
		where = append(where[:5], "…")
	}
	if !s.o.Force {
		return refuse("En %s hay %d celdas escritas después de migrar: %s. Con --force se quitan igual y quedan guardadas en %s.",
			title, n, quoted(where), s.o.Dir)
	}
	if s.o.DryRun {
		s.say("Ensayo: se quitarían de %s las columnas %s, con %d celdas escritas después; no se escribió nada.", title, quoted(s.rec.Columns), n)
		return nil
	}
	return s.putAway(rows, ours, n)
}

// putAway keeps what is about to be lost, beside the TAGs of its rows.
func (s *session) putAway(rows [][]table.Cell, ours map[string]int, n int) error {
	lost := map[string][]any{}
	columns := []string{"TAG_SPOOL"}
	for _, c := range s.rec.Columns {
		if _, ok := ours[c]; ok {
			columns = append(columns, c)
		}
	}
	for _, c := range columns {
		col := places(rows[0], c)
		for r := range rows {
			v := any("")
			if len(col) > 0 {
				v = table.Value(at(rows, r, col[0]))
			}
			lost[c] = append(lost[c], v)
		}
	}
	name := "dropped_" + s.o.Now().In(plant.Zone()).Format("20060102_150405") + ".json"
	s.warn("se quitaron %d celdas escritas después de migrar; quedan en %s", n, s.dir.path(name))
	return s.dir.save(name, lost)
}

// aim fixes once which sizes the grids are to have in the end.
func (s *session) aim() error {
	if s.rec.Undo != nil {
		return nil
	}
	ops, meta := s.view.tab(table.Operaciones), s.view.tab(table.Metadata)
	cols, rows := s.rec.Grown, s.rec.GrownRows
	if !s.rec.Added { // whether it was widened is seen from the size alone
		cols, rows = min(cols, max(0, ops.Cols-s.rec.Cols)), min(rows, max(0, meta.Rows-s.rec.Rows))
	}
	s.rec.Undo = &undo{Started: s.o.Now().UTC(), Cols: ops.Cols - cols, Rows: meta.Rows - rows}
	return s.dir.saveRecord(s.rec)
}

// restore gives the cells that stay their old content, which was none: headers and
// zeros in columns there was room for, zeros in a column that was there before,
// and rows of Metadata.
func (s *session) restore(ctx context.Context, rows [][]table.Cell, ours map[string]int, meta *logSheet) error {
	title := s.view.tab(table.Operaciones).Title
	var blocks []google.Block
	for _, c := range s.rec.Columns {
		if col, ok := ours[c]; ok && !s.doomed(c) {
			blocks = append(blocks, emptied(title, col, rows, func(r int) bool { return at(rows, r, col).Kind != table.Empty })...)
		}
	}
	if col := places(rows[0], "version"); len(s.rec.Zeros) > 0 && len(col) == 1 {
		mine := s.zeros(rows, col[0])
		blocks = append(blocks, emptied(title, col[0], rows, func(r int) bool { return mine[r+1] })...)
	}
	for _, id := range s.rec.IDs {
		row := meta.row(id)
		if row == 0 || s.doomedRow(id) {
			continue
		}
		out := make([]any, lastUsed(meta.head))
		for i := range out {
			if at(meta.rows, row-1, i).Kind != table.Empty {
				out[i] = ""
			}
		}
		blocks = append(blocks, google.Block{Range: google.A1(meta.title, row, 0, row, len(out)-1), Rows: [][]any{out}})
	}
	if err := s.o.Sheet.Write(ctx, blocks...); err != nil {
		return fmt.Errorf("restore cells: %w", err)
	}
	return nil
}

// emptied is a block that clears those cells of a column that want it.
func emptied(title string, col int, rows [][]table.Cell, want func(r int) bool) []google.Block {
	first, last := -1, -1
	for r := range rows {
		if want(r) {
			if first < 0 {
				first = r
			}
			last = r
		}
	}
	if first < 0 {
		return nil
	}
	out := make([][]any, last-first+1)
	for i := range out {
		out[i] = []any{nil}
		if want(first + i) {
			out[i][0] = ""
		}
	}
	return []google.Block{{Range: google.A1(title, first+1, col, last+1, col), Rows: out}}
}

// zeros finds the rows whose zero is the migration's: where it was written if the
// same TAG is still there, else another row of that TAG.
func (s *session) zeros(rows [][]table.Cell, version int) map[int]bool {
	tag := places(rows[0], "TAG_SPOOL")
	out, moved := map[int]bool{}, map[string]int{}
	if len(tag) == 0 {
		return out
	}
	mine := func(row int) bool {
		c := at(rows, row-1, version)
		return !out[row] && c.Kind == table.Number && c.Num == 0
	}
	for _, p := range s.rec.Zeros {
		if at(rows, p.Row-1, tag[0]).String() == p.Tag && mine(p.Row) {
			out[p.Row] = true
		} else {
			moved[p.Tag]++
		}
	}
	for row := 2; row <= len(rows); row++ {
		if t := at(rows, row-1, tag[0]).String(); moved[t] > 0 && mine(row) {
			out[row] = true
			moved[t]--
		}
	}
	return out
}

// removeColumns deletes the columns the grid was widened for, a run of neighbours
// at a time, looking again before each; then, if a migration was cut off before it
// wrote its headers, the bare columns at the end.
func (s *session) removeColumns(ctx context.Context) error {
	for range len(s.rec.Columns) + 1 {
		var err error
		if s.view, err = look(ctx, s.o); err != nil {
			return err
		}
		tab, head := s.view.tab(table.Operaciones), s.view.head[table.Operaciones]
		var at []int
		for _, c := range s.rec.Columns {
			if p := places(head, c); s.doomed(c) && len(p) == 1 {
				at = append(at, p[0])
			}
		}
		if len(at) == 0 {
			return s.trim(ctx, tab)
		}
		from, n := run(at)
		if err := s.o.Sheet.DropColumns(ctx, tab, from, n); err != nil {
			return fmt.Errorf("remove columns of %s: %w", tab.Title, err)
		}
	}
	return fmt.Errorf("%s: columns come faster than they can be removed", s.view.tab(table.Operaciones).Title)
}

// run is the last run of neighbours among positions.
func run(at []int) (from, n int) {
	slices.Sort(at)
	for n = 1; n < len(at) && at[len(at)-1-n] == at[len(at)-n]-1; n++ {
		continue
	}
	return at[len(at)-n], n
}

// trim takes bare columns from the end until the grid is as wide as is aimed at.
func (s *session) trim(ctx context.Context, tab google.Tab) error {
	spare := tab.Cols - s.rec.Undo.Cols
	if spare <= 0 {
		return nil
	}
	from := tab.Cols - spare
	got, err := s.o.Sheet.Formulas(ctx, google.A1(tab.Title, 1, from, 0, tab.Cols-1))
	if err != nil {
		return fmt.Errorf("read the end of %s: %w", tab.Title, err)
	}
	for _, row := range got[0] {
		if lastUsed(row) > 0 {
			s.warn("%s conserva %d columnas más que antes: tienen contenido de otros", tab.Title, spare)
			return nil
		}
	}
	if err := s.o.Sheet.DropColumns(ctx, tab, from, spare); err != nil {
		return fmt.Errorf("narrow %s: %w", tab.Title, err)
	}
	return nil
}

// doomedRow reports whether a row of Metadata is removed and not merely emptied.
func (s *session) doomedRow(id string) bool {
	return slices.Index(s.rec.IDs, id) >= len(s.rec.IDs)-min(s.rec.GrownRows, len(s.rec.IDs))
}

// removeRows does to Metadata what removeColumns does to Operaciones.
func (s *session) removeRows(ctx context.Context) error {
	for range len(s.rec.IDs) + 1 {
		var err error
		if s.view, err = look(ctx, s.o); err != nil {
			return err
		}
		meta, err := s.metadata(ctx, nil)
		if err != nil {
			return err
		}
		var at []int
		for _, id := range s.rec.IDs {
			if row := meta.row(id); row > 0 && s.doomedRow(id) {
				at = append(at, row-1)
			}
		}
		tab := s.view.tab(table.Metadata)
		if len(at) > 0 {
			from, n := run(at)
			if err := s.o.Sheet.DropRows(ctx, tab, from, n); err != nil {
				return fmt.Errorf("remove rows of %s: %w", tab.Title, err)
			}
			continue
		}
		if spare := tab.Rows - s.rec.Undo.Rows; spare > 0 && tab.Rows-len(meta.rows) >= spare {
			if err := s.o.Sheet.DropRows(ctx, tab, tab.Rows-spare, spare); err != nil {
				return fmt.Errorf("shorten %s: %w", tab.Title, err)
			}
		}
		return nil
	}
	return fmt.Errorf("%s: rows come faster than they can be removed", s.view.tab(table.Metadata).Title)
}

// compare says how the sheet differs from the snapshot. What differs now is the
// office's own work since.
func (s *session) compare(ctx context.Context) error {
	var err error
	if s.view, err = look(ctx, s.o); err != nil {
		return err
	}
	rows, err := s.operaciones(ctx)
	if err != nil {
		return err
	}
	for _, c := range s.rec.Columns {
		if s.view.has(c) {
			return fmt.Errorf("%s still has the column %s", s.view.tab(table.Operaciones).Title, c)
		}
	}
	if _, err := os.Stat(s.dir.path(snapshotFile)); err != nil {
		s.note("no hay con qué comparar: falta %s", snapshotFile)
		return nil
	}
	snap, err := s.saved()
	if err != nil {
		return err
	}
	old, err := table.FromValues(snap.Operaciones)
	if err != nil {
		return fmt.Errorf("read %s: %w", snapshotFile, err)
	}
	n := 0
	for r := range max(len(old), len(rows)) {
		for c := range max(width(old, r), width(rows, r)) {
			if at(old, r, c) != at(rows, r, c) {
				n++
			}
		}
	}
	if n > 0 {
		s.warn("%d celdas no son como en el respaldo: las cambió la oficina desde entonces", n)
	} else {
		s.note("Operaciones es celda por celda como en el respaldo")
	}
	return nil
}

func width(rows [][]table.Cell, r int) int {
	if r >= len(rows) {
		return 0
	}
	return len(rows[r])
}
