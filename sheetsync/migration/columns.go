package migration

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"envivo/plant"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// Rows of Metadata about a migration (rules §7.2).
const (
	columnsEvent, columnsAccion = "MIGRATION_V3_COLUMNS", "ADD_COLUMNS"
	estadoEvent, estadoAccion   = "MIGRATION_ESTADO_DETALLE", "ADD_COLUMN"
)

// addColumns widens the grid and writes the missing headers behind the last
// column in use, together with the rows of Metadata that tell of it: one call,
// whole or not at all.
func (s *session) addColumns(ctx context.Context) error {
	snap, err := s.saved()
	if err != nil {
		return err
	}
	if s.view, err = look(ctx, s.o); err != nil {
		return err
	}
	if err := s.view.refusal(); err != nil {
		return err
	}
	if !s.touched() { // the office may have changed its shape since the backup
		s.rec.shape(s.view)
	}
	missing := slices.DeleteFunc(slices.Clone(s.rec.Columns), s.view.has)
	meta, err := s.metadata(ctx, snap)
	if err != nil {
		return err
	}
	rows := s.events()
	for _, m := range rows {
		if !slices.Contains(s.rec.IDs, m.ID) {
			s.rec.IDs = append(s.rec.IDs, m.ID)
		}
	}
	rows = slices.DeleteFunc(rows, func(m plant.MetadataRow) bool { return meta.row(m.ID) > 0 })
	start := 0
	if len(missing) > 0 {
		if start, err = s.start(ctx, snap); err != nil {
			return err
		}
	}
	if err := s.widen(ctx, start+len(missing)); err != nil {
		return err
	}
	if err := s.lengthen(ctx, len(meta.rows)+len(rows)); err != nil {
		return err
	}
	if err := s.stillSo(ctx, len(meta.rows)+1, len(rows)); err != nil {
		return err
	}
	if err := s.o.Sheet.Write(ctx, s.blocks(start, missing, meta, rows)...); err != nil {
		return fmt.Errorf("write the headers: %w", err)
	}
	s.rec.Added = true
	s.note("columnas agregadas: %s; filas de Metadata: %d", quoted(s.rec.Columns), len(s.rec.IDs))
	return s.dir.saveRecord(s.rec)
}

// start is the first column behind everything in use, headers or not, now and in
// the snapshot.
func (s *session) start(ctx context.Context, snap *snapshot) (int, error) {
	head := lastUsed(s.view.head[table.Operaciones])
	tab := s.view.tab(table.Operaciones)
	if head >= tab.Cols {
		return head, nil
	}
	beyond, err := s.o.Sheet.Formulas(ctx, google.A1(tab.Title, 1, head, 0, tab.Cols-1))
	if err != nil {
		return 0, fmt.Errorf("read behind the last header: %w", err)
	}
	most := head
	for _, row := range beyond[0] {
		most = max(most, head+lastUsed(row))
	}
	old, err := table.FromValues(snap.Operaciones)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", snapshotFile, err)
	}
	if len(old) > 0 && sameRow(old[0], s.view.head[table.Operaciones]) {
		for _, row := range old { // an answer may have left something out
			most = max(most, min(lastUsed(row), tab.Cols))
		}
	}
	return most, nil
}

// widen makes the grid of Operaciones wide enough. What it adds is on record
// before; how much of what an earlier run asked for came to be is seen from the
// layout.
func (s *session) widen(ctx context.Context, need int) error {
	tab := s.view.tab(table.Operaciones)
	if need > tab.Cols {
		came := min(s.rec.Grown, max(0, tab.Cols-s.rec.Cols))
		s.rec.Grown = came + need - tab.Cols
		if err := s.dir.saveRecord(s.rec); err != nil {
			return err
		}
		if err := s.o.Sheet.Grow(ctx, tab, 0, need-tab.Cols); err != nil {
			return fmt.Errorf("widen %s: %w", tab.Title, err)
		}
	}
	return s.dir.saveRecord(s.rec) // the IDs of the rows, too
}

// lengthen does the same for the rows of Metadata.
func (s *session) lengthen(ctx context.Context, need int) error {
	tab := s.view.tab(table.Metadata)
	if need <= tab.Rows {
		return nil
	}
	came := min(s.rec.GrownRows, max(0, tab.Rows-s.rec.Rows))
	s.rec.GrownRows = came + need - tab.Rows
	if err := s.dir.saveRecord(s.rec); err != nil {
		return err
	}
	if err := s.o.Sheet.Grow(ctx, tab, need-tab.Rows, 0); err != nil {
		return fmt.Errorf("lengthen %s: %w", tab.Title, err)
	}
	return nil
}

// stillSo looks once more, right before the write, whether the headers are where
// they were and the rows of Metadata to be written empty.
func (s *session) stillSo(ctx context.Context, row, n int) error {
	ops, meta := s.view.tab(table.Operaciones), s.view.tab(table.Metadata)
	got, err := s.o.Sheet.Formulas(ctx, google.A1(ops.Title, 1, 0, 1, ops.Cols-1),
		google.A1(meta.Title, row-1, 0, row-1+n, meta.Cols-1))
	if err != nil {
		return fmt.Errorf("read once more: %w", err)
	}
	if len(got[0]) == 0 || !sameRow(got[0][0], s.view.head[table.Operaciones]) || len(got[1]) != 1 {
		return fmt.Errorf("somebody works in row 1 of %s or at the end of %s; nothing was written", ops.Title, meta.Title)
	}
	return nil
}

// blocks are the headers and the rows of Metadata as they are written.
func (s *session) blocks(start int, missing []string, meta *logSheet, rows []plant.MetadataRow) []google.Block {
	var out []google.Block
	if len(missing) > 0 {
		title := s.view.tab(table.Operaciones).Title
		head := make([]any, len(missing))
		for i, c := range missing {
			head[i] = c
		}
		out = append(out, google.Block{Range: google.A1(title, 1, start, 1, start+len(missing)-1), Rows: [][]any{head}})
	}
	for i, m := range rows {
		out = append(out, meta.block(len(meta.rows)+1+i, m))
	}
	return out
}

// events are the rows of Metadata about this migration. Their IDs follow from the
// migration, so that they are the same in every run.
func (s *session) events() []plant.MetadataRow {
	var three, estado []string
	for _, c := range s.rec.Columns {
		if c == "Estado_Detalle" {
			estado = append(estado, c)
		} else {
			three = append(three, c)
		}
	}
	var out []plant.MetadataRow
	for _, e := range []struct {
		tipo, accion string
		columns      []string
	}{{columnsEvent, columnsAccion, three}, {estadoEvent, estadoAccion, estado}} {
		if len(e.columns) == 0 {
			continue
		}
		space := uuid.NewSHA1(uuid.NameSpaceURL, []byte("envivo:migration"))
		text, _ := json.Marshal(struct { // strings always encode
			Sheet   string   `json:"sheet"`
			Columns []string `json:"columns"`
		}{s.view.tab(table.Operaciones).Title, e.columns})
		out = append(out, plant.MetadataRow{
			ID:        uuid.NewSHA1(space, fmt.Appendf(nil, "%s %d %s", s.rec.ID, s.rec.Started.UnixNano(), e.tipo)).String(),
			Timestamp: plant.SheetTime(s.rec.Started), At: s.rec.Started, EventoTipo: e.tipo, WorkerID: "0", WorkerNombre: "SYSTEM",
			Operacion: "MIGRATION", Accion: e.accion, FechaOperacion: plant.DateOf(s.rec.Started).String(), JSON: string(text),
		})
	}
	return out
}

// logSheet is Metadata as it stands.
type logSheet struct {
	title string
	head  []table.Cell
	rows  [][]table.Cell // up to the last one in use
	id    int            // the column of the IDs
}

// metadata reads the whole log, for the row behind its last one is where ours go.
// It only ever grows: an answer shorter than the snapshot is not believed, or what
// it left out would be overwritten.
func (s *session) metadata(ctx context.Context, snap *snapshot) (*logSheet, error) {
	tab := s.view.tab(table.Metadata)
	got, err := s.o.Sheet.Formulas(ctx, google.A1(tab.Title, 1, 0, 0, tab.Cols-1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", tab.Title, err)
	}
	l := &logSheet{title: tab.Title, rows: got[0]}
	for len(l.rows) > 0 && lastUsed(l.rows[len(l.rows)-1]) == 0 {
		l.rows = l.rows[:len(l.rows)-1]
	}
	if snap != nil && len(l.rows) < len(snap.Metadata) {
		return nil, fmt.Errorf("%s: Google answered %d rows; the backup has %d", tab.Title, len(l.rows), len(snap.Metadata))
	}
	if len(l.rows) == 0 || !sameRow(l.rows[0], s.view.head[table.Metadata]) {
		return nil, fmt.Errorf("%s: row 1 changed while it was read", tab.Title)
	}
	l.head = l.rows[0]
	l.id = places(l.head, "ID")[0]
	return l, nil
}

// row is where the row of an ID stands, counted from 1; 0 if there is none.
func (l *logSheet) row(id string) int {
	for i, row := range l.rows {
		if at([][]table.Cell{row}, 0, l.id).Text == id {
			return i + 1
		}
	}
	return 0
}

// block is a row of the log at a place. Columns that are not the log's are left
// alone. Times are texts: the cells' formats stay what they are.
func (l *logSheet) block(row int, m plant.MetadataRow) google.Block {
	out := make([]any, lastUsed(l.head))
	for i, c := range []any{m.ID, m.Timestamp, m.EventoTipo, nil, 0, m.WorkerNombre, m.Operacion, m.Accion, m.FechaOperacion, m.JSON, nil} {
		if at := places(l.head, table.Columns(table.Metadata)[i]); len(at) > 0 {
			out[at[0]] = c
		}
	}
	return google.Block{Range: google.A1(l.title, row, 0, row, len(out)-1), Rows: [][]any{out}}
}
