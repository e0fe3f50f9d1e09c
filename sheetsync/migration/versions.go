package migration

import (
	"context"
	"fmt"
	"slices"

	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// versionTries is how often zeros are written again because the office moved rows
// meanwhile.
const versionTries = 3

// versions writes 0 into every empty version of a row with a TAG, and looks
// whether they are there.
func (s *session) versions(ctx context.Context) error {
	if !s.view.has("version") { // v5 dropped it, or the view is of before
		v, err := look(ctx, s.o)
		if err != nil {
			return err
		}
		if s.view = v; !v.has("version") {
			return refuse("En %s no está la columna version.", v.names.of(table.Operaciones))
		}
	}
	tagged, err := s.tagged()
	if err != nil {
		return err
	}
	written := 0
	for range versionTries + 1 {
		l, err := s.readVersions(ctx)
		if err != nil {
			return err
		}
		if len(l.tags) < tagged/2 {
			return fmt.Errorf("%s: Google answered %d rows; %d had a TAG in the backup", l.title, len(l.tags), tagged)
		}
		var empty []place
		for r := 1; r < len(l.tags); r++ {
			if tag := at(l.tags, r, 0); !tag.Blank() && at(l.cells, r, 0).Kind == table.Empty {
				empty = append(empty, place{Row: r + 1, Tag: tag.String()})
			}
		}
		if len(empty) == 0 {
			s.note("filas con version 0 escritas: %d", written)
			return nil
		}
		if err := s.writeZeros(ctx, l, empty); err != nil {
			return err
		}
		written += len(empty)
	}
	return fmt.Errorf("%s: rows move faster than versions can be written", s.view.tab(table.Operaciones).Title)
}

// tagged is how many rows of the snapshot have a TAG.
func (s *session) tagged() (int, error) {
	snap, err := s.saved()
	if err != nil {
		return 0, err
	}
	rows, err := table.FromValues(snap.Operaciones)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	n := 0
	if tag := places(rows[0], "TAG_SPOOL"); len(tag) == 1 {
		for r := 1; r < len(rows); r++ {
			if !at(rows, r, tag[0]).Blank() {
				n++
			}
		}
	}
	return n, nil
}

// versionColumn is the column of the version beside that of the TAG.
type versionColumn struct {
	title       string
	col         int
	tags, cells [][]table.Cell
}

// readVersions reads both columns and the header that says that it is them.
func (s *session) readVersions(ctx context.Context) (*versionColumn, error) {
	for range versionTries {
		tab, head := s.view.tab(table.Operaciones), s.view.head[table.Operaciones]
		tag, version := places(head, "TAG_SPOOL"), places(head, "version")
		if len(tag) != 1 || len(version) != 1 {
			return nil, refuse("En %s no está claro cuáles son las columnas TAG_SPOOL y version.", tab.Title)
		}
		got, err := s.o.Sheet.Formulas(ctx, google.A1(tab.Title, 1, 0, 1, tab.Cols-1),
			google.A1(tab.Title, 1, tag[0], 0, tag[0]), google.A1(tab.Title, 1, version[0], 0, version[0]))
		if err != nil {
			return nil, fmt.Errorf("read versions: %w", err)
		}
		if len(got[0]) > 0 && sameRow(got[0][0], head) {
			return &versionColumn{tab.Title, version[0], got[1], got[2]}, nil
		}
		if s.view, err = look(ctx, s.o); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: row 1 changes faster than it can be read", s.view.tab(table.Operaciones).Title)
}

// writeZeros fills the empty cells in one call. In a column that was there before,
// which ones is on record first.
func (s *session) writeZeros(ctx context.Context, l *versionColumn, empty []place) error {
	if !slices.Contains(s.rec.Columns, "version") {
		for _, p := range empty {
			if !slices.Contains(s.rec.Zeros, p) {
				s.rec.Zeros = append(s.rec.Zeros, p)
			}
		}
		if err := s.dir.saveRecord(s.rec); err != nil {
			return err
		}
	}
	first, last := empty[0].Row, empty[len(empty)-1].Row
	rows := make([][]any, last-first+1)
	for i := range rows {
		rows[i] = []any{nil}
	}
	for _, p := range empty {
		rows[p.Row-first][0] = 0
	}
	err := s.o.Sheet.Write(ctx, google.Block{Range: google.A1(l.title, first, l.col, last, l.col), Rows: rows})
	if err != nil {
		return fmt.Errorf("write versions: %w", err)
	}
	return nil
}
