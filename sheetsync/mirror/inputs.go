package mirror

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"envivo/plant"
	"envivo/sheetsync"
	"envivo/sheetsync/table"
)

// bringIn takes what the office owns: new spools, office data, people, roles and
// definitions of unions become commands (rules §2.9). The very first reading of an
// empty store takes everything, the log as well (rules §4.6).
func (m *Mirror) bringIn(ctx context.Context, c *cycle, first bool) error {
	if err := m.unionsForNew(ctx, c); err != nil {
		return err
	}
	book := m.book(c, first)
	sum := digest(book)
	if len(book.Sheets) == 0 || !m.credible(c) {
		return nil
	}
	if sum != m.inputs {
		report, err := sheetsync.Import(ctx, m.plant, book, plant.SheetDevice, c.now, false)
		var missing *table.MissingColumnsError
		switch {
		case errors.As(err, &missing):
			m.alert("columna", missing.Sheet, strings.Join(missing.Columns, ", "), c.now, fmt.Sprintf("En la hoja «%s» falta la columna %s.",
				missing.Sheet, strings.Join(missing.Columns, ", ")))
			return nil
		case err != nil:
			return fmt.Errorf("bring in the office's inputs: %w", err)
		}
		m.inputs = sum
		m.reported(c, report, first)
	}
	if c.usable[table.Uniones] {
		m.unions = c.now
	}
	m.mu.Lock()
	m.status.LastIn = c.now
	m.mu.Unlock()
	return nil
}

// reported keeps what a reading had to say.
func (m *Mirror) reported(c *cycle, report *sheetsync.Report, first bool) {
	var bad []table.Finding
	for _, f := range report.Findings {
		if f.Action == table.Quarantined {
			bad = append(bad, f)
		}
	}
	m.mu.Lock()
	m.status.Quarantined = bad
	if first {
		m.status.First = report
	}
	m.mu.Unlock()
	if report.Changed > 0 {
		m.log.Info("sheet inputs", "changed", report.Changed, "findings", len(report.Findings))
	}
}

// unionsForNew reads the unions when a spool has come that the store does not
// know: its whole state has to come in at once.
func (m *Mirror) unionsForNew(ctx context.Context, c *cycle) error {
	t, p := m.tab(table.Uniones), c.pages[table.Operaciones]
	if !t.found || c.pages[table.Uniones] != nil || !c.usable[table.Operaciones] {
		return nil
	}
	for row := 2; row <= len(p.rows); row++ {
		tag, _ := table.Label(p.cell(row, tagColumn))
		if tag == "" {
			continue
		}
		if _, known := c.snap.Row(plant.Tag(tag)); known {
			continue
		}
		pages, err := m.read(ctx, []wish{{t, table.Columns(table.Uniones), 0}})
		if err != nil {
			return m.unread(err)
		}
		c.pages[table.Uniones] = pages[table.Uniones]
		c.usable[table.Uniones] = m.clearHeader(c, t) && m.plausible(c, t, pages[table.Uniones])
		return nil
	}
	return nil
}

// book is what of a reading may come in. Our cells of spools the store knows stay
// out: the store is the authority, and a cell somebody spoils is repaired, not
// believed. Those that could not be read when the spool came in stay in, so that
// they remain known as spoilt.
func (m *Mirror) book(c *cycle, first bool) table.Book {
	var out table.Book
	for _, name := range []string{table.Trabajadores, table.Roles} {
		if c.usable[name] {
			out.Sheets = append(out.Sheets, c.pages[name].sheet(name))
		}
	}
	if c.usable[table.Operaciones] {
		out.Sheets = append(out.Sheets, m.office(c))
	}
	if c.usable[table.Uniones] {
		out.Sheets = append(out.Sheets, definitions(c))
	}
	if first && c.usable[table.Metadata] {
		out.Sheets = append(out.Sheets, c.pages[table.Metadata].sheet(table.Metadata))
	}
	return out
}

// office is Operaciones without our cells of known spools.
func (m *Mirror) office(c *cycle) table.Sheet {
	p := c.pages[table.Operaciones]
	out := table.Sheet{Name: table.Operaciones, Rows: make([][]table.Cell, len(p.rows))}
	copy(out.Rows, p.rows)
	disturbed := map[int]bool{}
	for _, s := range m.rows.last {
		if tag, _ := table.Label(p.cell(s.row, tagColumn)); plant.Tag(tag) != s.tag {
			disturbed[s.row] = true
		}
	}
	for row := 2; row <= len(p.rows); row++ {
		tag, _ := table.Label(p.cell(row, tagColumn))
		r, known := c.snap.Row(plant.Tag(tag))
		switch {
		case tag == "":
		case !known && disturbed[row]:
			out.Rows[row-1] = nil // may hold what was meant for another row; the next reading tells
		case known:
			out.Rows[row-1] = p.without(row, owned, func(column string, x table.Cell) bool {
				_, unreadable := sameMeaning(column, x, table.Cell{})
				return unreadable && slices.Contains(r.Spool.Damaged, column)
			})
		}
	}
	return out
}

// without is a row with cells of some columns empty, except those to be kept.
func (p *page) without(row int, columns []string, keep func(string, table.Cell) bool) []table.Cell {
	old := p.rows[row-1]
	line := old
	for i, column := range p.columns {
		if i >= len(old) || old[i].Kind == table.Empty || !slices.Contains(columns, column) || keep(column, old[i]) {
			continue
		}
		if &line[0] == &old[0] {
			line = slices.Clone(old)
		}
		line[i] = table.Cell{}
	}
	return line
}

// definitions is Uniones without the work on known spools, and without the rows
// of spools whose unions our form has just changed: the Sheet does not know yet.
func definitions(c *cycle) table.Sheet {
	p := c.pages[table.Uniones]
	out := table.Sheet{Name: table.Uniones, Rows: make([][]table.Cell, len(p.rows))}
	copy(out.Rows, p.rows)
	for row := 2; row <= len(p.rows); row++ {
		tag, _ := table.Label(p.cell(row, tagColumn))
		r, known := c.snap.Row(plant.Tag(tag))
		switch {
		case tag == "" || !known:
		case c.defined[r.Spool.Tag]:
			out.Rows[row-1] = nil
		default:
			out.Rows[row-1] = p.without(row, unionOwned, func(column string, x table.Cell) bool {
				n, _ := table.Int(p.cell(row, "N_UNION"), table.MaxN)
				return slices.Contains(r.Spool.Damaged, fmt.Sprintf("%s (unión %d)", column, n))
			})
		}
	}
	return out
}

var seed = maphash.MakeSeed()

// digest tells whether a reading differs from the last one that was brought in.
func digest(b table.Book) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, s := range b.Sheets {
		h.WriteString(s.Name)
		for _, row := range s.Rows {
			h.WriteByte(1)
			for _, x := range row {
				h.WriteByte(byte(x.Kind) + 2)
				if x.Kind != table.Empty {
					h.WriteString(x.String())
				}
			}
		}
	}
	return h.Sum64()
}

const (
	// emptied is the share of office data that may vanish in one reading.
	emptied = 0.2
	few     = 20
)

// credible reports whether a reading may change the plant: one that empties a
// column or retires half of the people is set aside until somebody has looked.
func (m *Mirror) credible(c *cycle) bool {
	had, gone := 0, 0
	p := c.pages[table.Operaciones]
	if c.usable[table.Operaciones] {
		count := func(was bool, x table.Cell) {
			if was {
				had++
				if x.Blank() {
					gone++
				}
			}
		}
		for row := 2; row <= len(p.rows); row++ {
			tag, _ := table.Label(p.cell(row, tagColumn))
			if r, ok := c.snap.Row(plant.Tag(tag)); ok && tag != "" {
				o := r.Spool.Office
				count(o.NV != "", p.cell(row, "NV"))
				count(o.OT != "", p.cell(row, "OT"))
				count(o.Materiales != 0, p.cell(row, "Fecha_Materiales"))
			}
		}
	}
	retired, people := m.retired(c)
	if gone > few && float64(gone) > emptied*float64(had) {
		m.alert("lectura", "oficina", "", c.now, fmt.Sprintf("La planilla perdió %d de %d datos de la oficina de una vez: la lectura se dejó aparte y nada cambió.", gone, had))
		return false
	}
	if retired > 5 && retired*2 > people {
		m.alert("lectura", "oficina", "", c.now, fmt.Sprintf("La planilla da por inactivos a %d de %d trabajadores de una vez: la lectura se dejó aparte y nada cambió.", retired, people))
		return false
	}
	m.clear("lectura", "oficina")
	return true
}

// retired counts active workers whom the reading calls inactive.
func (m *Mirror) retired(c *cycle) (gone, active int) {
	if !c.usable[table.Trabajadores] {
		return 0, 0
	}
	p := c.pages[table.Trabajadores]
	for row := 2; row <= len(p.rows); row++ {
		id, problem := table.Int(p.cell(row, "Id"), 1<<30)
		w, ok := c.snap.Worker(plant.WorkerID(id))
		if problem.Bad() || !ok || !w.Activo {
			continue
		}
		active++
		if on, _ := table.Truth(p.cell(row, "Activo")); !on {
			gone++
		}
	}
	return gone, active
}

// takeEdits sends what the office did in our columns and may do: blocked spools
// opened by hand, notes.
func (m *Mirror) takeEdits(ctx context.Context, c *cycle, plan *rowPlan) {
	cmds := plan.opened
	for tag, text := range plan.texts {
		cmds = append(cmds, plant.Command{Verb: plant.Importar, Tag: tag, Device: plant.SheetDevice,
			Import: &plant.Import{Notas: &text, Source: plant.SheetDevice}})
	}
	for _, cmd := range cmds {
		if _, err := m.plant.Do(ctx, cmd); err != nil && !errors.Is(err, plant.ErrUnchanged) {
			m.log.Warn("sheet edit", "tag", cmd.Tag, "err", err)
			m.note(c.now, fmt.Sprintf("%s: lo escrito en la planilla no se pudo tomar: %v", cmd.Tag, err))
			continue
		}
		if cmd.Verb == plant.Desbloquear {
			m.note(c.now, fmt.Sprintf("%s: el bloqueo se levantó desde la planilla.", cmd.Tag))
		}
	}
}
