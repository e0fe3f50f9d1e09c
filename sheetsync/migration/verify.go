package migration

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// How many rows are looked at, spread over the sheet.
const (
	sampleNew = 10 // for what the new columns hold
	sampleOld = 5  // for whether the old ones are as they were
)

// verify reads the sheet and compares it, by header and not by position or count,
// with what it should be (rules §10).
func (s *session) verify(ctx context.Context) error {
	snap, err := s.saved()
	if err != nil {
		return err
	}
	old, err := table.FromValues(snap.Operaciones)
	if err != nil {
		return fmt.Errorf("read %s: %w", snapshotFile, err)
	}
	if len(old) == 0 {
		return refuse("%s está vacío; sin él no se puede comprobar nada.", s.dir.path(snapshotFile))
	}
	if s.view, err = look(ctx, s.o); err != nil {
		return err
	}
	rows, err := s.operaciones(ctx)
	if err != nil {
		return err
	}
	if len(rows) < len(old)/2 {
		return fmt.Errorf("%s: Google answered %d rows; the backup has %d", s.view.tab(table.Operaciones).Title, len(rows), len(old))
	}
	if err := s.verifyHeaders(); err != nil {
		return err
	}
	if err := s.verifyNew(rows); err != nil {
		return err
	}
	if err := s.verifyLog(ctx, snap); err != nil {
		return err
	}
	if err := s.verifyOld(old, rows); err != nil {
		return err
	}
	s.report.Generation = s.view.generation()
	s.note("encabezados completos; muestra de %d filas nuevas y %d contra el respaldo", sampleNew, sampleOld)
	return nil
}

// operaciones reads the whole worksheet, formulas as their text.
func (s *session) operaciones(ctx context.Context) ([][]table.Cell, error) {
	tab := s.view.tab(table.Operaciones)
	got, err := s.o.Sheet.Formulas(ctx, google.A1(tab.Title, 1, 0, 0, tab.Cols-1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", tab.Title, err)
	}
	if len(got[0]) == 0 || !sameRow(got[0][0], s.view.head[table.Operaciones]) {
		return nil, fmt.Errorf("%s: row 1 changed while it was read", tab.Title)
	}
	return got[0], nil
}

// verifyHeaders: every header of before is still there, every new one is there
// once, and the header map finds all critical columns.
func (s *session) verifyHeaders() error {
	head := s.view.head[table.Operaciones]
	var lost []string
	for _, h := range s.rec.Header {
		if table.Normalize(h) != "" && len(places(head, h)) == 0 {
			lost = append(lost, h)
		}
	}
	if len(lost) > 0 {
		if !s.o.Force {
			return refuse("En %s ya no están los encabezados %s, que había antes de migrar. Con --force se sigue igual.",
				s.view.tab(table.Operaciones).Title, quoted(lost))
		}
		s.warn("ya no están los encabezados %s", quoted(lost))
	}
	for _, name := range []string{table.Operaciones, table.Metadata, table.Trabajadores, table.Roles} {
		if m := table.ReadHeader(s.view.head[name]).Missing(table.Critical(name, false)); len(m) > 0 {
			return &Refusal{Reason: (&table.MissingColumnsError{Sheet: s.view.names.of(name), Columns: m}).Error()}
		}
	}
	for _, c := range s.rec.Columns {
		if n := len(places(head, c)); n != 1 {
			return refuse("En %s el encabezado %s está %d veces; debe estar una.", s.view.tab(table.Operaciones).Title, c, n)
		}
	}
	return nil
}

// verifyLog: the rows of Metadata are there, once each.
func (s *session) verifyLog(ctx context.Context, snap *snapshot) error {
	meta, err := s.metadata(ctx, snap)
	if err != nil {
		return err
	}
	for _, id := range s.rec.IDs {
		n := 0
		for _, row := range meta.rows {
			if at([][]table.Cell{row}, 0, meta.id).Text == id {
				n++
			}
		}
		if n != 1 {
			return refuse("En %s la fila %s de la migración está %d veces; debe estar una. Si alguien escribió encima, siga con --force.", meta.title, id, n)
		}
	}
	return nil
}

// spread are n of the rows that have a TAG, spread evenly; rows count from 0.
func spread(rows [][]table.Cell, tag, n int) []int {
	var all []int
	for i := 1; i < len(rows); i++ {
		if !at(rows, i, tag).Blank() {
			all = append(all, i)
		}
	}
	if len(all) <= n {
		return all
	}
	out := make([]int, n)
	for i := range out {
		out[i] = all[i*(len(all)-1)/(n-1)]
	}
	return out
}

// verifyNew: a new version is 0 or empty; a new occupation is empty, or somebody
// was quick.
func (s *session) verifyNew(rows [][]table.Cell) error {
	head := rows[0]
	tag := places(head, "TAG_SPOOL")[0]
	for _, r := range spread(rows, tag, sampleNew) {
		for _, c := range s.rec.Columns {
			col := places(head, c)[0]
			cell := at(rows, r, col)
			switch {
			case cell.Blank(), c == "version" && cell.Kind == table.Number && cell.Num == 0:
			case c == "version" && !s.o.Force:
				return refuse("La celda nueva %s%d (version) tiene %q, no 0. Con --force se sigue igual.", table.Letters(col), r+1, cell.String())
			default:
				s.warn("la celda nueva %s%d (%s) ya tiene %q", table.Letters(col), r+1, c, cell.String())
			}
		}
	}
	return nil
}

// verifyOld: the columns of before hold in some rows what they held. Rows are
// found by TAG, columns by header.
func (s *session) verifyOld(old, rows [][]table.Cell) error {
	tagOld, tagNew := places(old[0], "TAG_SPOOL")[0], places(rows[0], "TAG_SPOOL")[0]
	pairs := columnPairs(old[0], rows[0], s.rec.Columns)
	var differ []string
	for _, r := range spread(old, tagOld, sampleOld) {
		tag := at(old, r, tagOld)
		now := slices.IndexFunc(rows, func(row []table.Cell) bool { return at([][]table.Cell{row}, 0, tagNew) == tag })
		if now < 0 {
			differ = append(differ, fmt.Sprintf("%s (no está)", tag))
			continue
		}
		for _, p := range pairs {
			if a, b := at(old, r, p[0]), at(rows, now, p[1]); a != b && !alike(a, b) {
				differ = append(differ, fmt.Sprintf("%s%d (%s)", table.Letters(p[1]), now+1, at(rows, 0, p[1])))
			}
		}
	}
	if len(differ) == 0 {
		return nil
	}
	if len(differ) > 10 {
		differ = append(differ[:10], "…")
	}
	if !s.o.Force {
		return refuse("Celdas de antes que ya no son como en el respaldo: %s. Si las cambió la oficina, siga con --force.", strings.Join(differ, ", "))
	}
	s.warn("celdas que ya no son como en el respaldo: %s", strings.Join(differ, ", "))
	return nil
}

// columnPairs are the columns of old and where their headers are now: the n-th of
// a header is the n-th. Those of ours are left out.
func columnPairs(old, now []table.Cell, ours []string) [][2]int {
	var out [][2]int
	seen := map[string]int{}
	for i, c := range old {
		key := table.Normalize(c.String())
		if key == "" || slices.ContainsFunc(ours, func(o string) bool { return table.Normalize(o) == key }) {
			continue
		}
		n := seen[key]
		seen[key]++
		for k, d := range now {
			if table.Normalize(d.String()) != key {
				continue
			}
			if n == 0 {
				out = append(out, [2]int{i, k})
				break
			}
			n--
		}
	}
	return out
}

// alike reports whether both cells hold a formula. Its text follows its row when
// the office sorts.
func alike(a, b table.Cell) bool {
	return a.Kind == table.Text && b.Kind == table.Text && strings.HasPrefix(a.Text, "=") && strings.HasPrefix(b.Text, "=")
}
