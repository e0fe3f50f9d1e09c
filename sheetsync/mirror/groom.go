package mirror

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"envivo/plant"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// groomEvery is how often formulas and formats are looked at: people change them.
const groomEvery = 15 * time.Minute

// groom looks for formulas in our columns, which are never overwritten, and sets
// how numbers are shown. It is needed once, whenever the columns moved, and now
// and then because people change formats.
func (m *Mirror) groom(ctx context.Context, c *cycle, forced bool) error {
	t := m.tab(table.Operaciones)
	if !c.usable[table.Operaciones] {
		return nil
	}
	full := !slices.Equal(m.rows.asked, t.texts) || c.now.Sub(m.groomed) >= groomEvery || forced
	if !full && !m.rows.suspect {
		return nil
	}
	if err := m.seekFormulas(ctx, c); err != nil {
		return m.unread(err)
	}
	if !full {
		return nil
	}
	if !m.readOnly() {
		switch err := m.dress(ctx, c); {
		case google.ClassOf(err) == google.Refused: // values are right without their look
			m.log.Warn("the sheet takes no number formats", "err", err)
		case err != nil:
			return err
		}
	}
	m.groomed = c.now
	return nil
}

// seekFormulas finds the formulas in our columns: those of counters, and single
// cells of the others.
func (m *Mirror) seekFormulas(ctx context.Context, c *cycle) error {
	t, p := m.tab(table.Operaciones), c.pages[table.Operaciones]
	var ranges, columns []string
	for _, column := range append([]string{tagColumn}, owned...) {
		if col, ok := t.header.Col(column); ok {
			columns, ranges = append(columns, column), append(ranges, google.A1(t.grid.Title, 1, col, 0, col))
		}
	}
	got, err := m.sheet.Formulas(ctx, ranges...)
	if err != nil {
		return err
	}
	formulas, cells := map[string]bool{}, map[string]bool{}
	for i, column := range columns {
		for row, line := range got[i] {
			if row == 0 || column == tagColumn || len(line) == 0 || !strings.HasPrefix(line[0].Text, "=") || p.cell(row+1, column).Text == line[0].Text {
				continue // a text that begins with = shows itself
			}
			if slices.Contains(counters, column) {
				formulas[column] = true
			} else if row < len(got[0]) && len(got[0][row]) > 0 {
				cells[got[0][row][0].String()+"\x00"+column] = true
			}
		}
	}
	m.formulas, m.rows.cells, m.rows.asked = formulas, cells, slices.Clone(t.texts)
	m.rows.suspect, m.rows.looked, c.formulas = false, map[string]bool{}, true
	return nil
}

// strange reports whether somebody changed cells of ours that may hold formulas
// now, which are never written over: they are looked at before the row is judged.
func (m *Mirror) strange(c *cycle, tag plant.Tag, diffs []difference) bool {
	found := false
	for _, d := range diffs {
		key := string(tag) + "\x00" + d.column + "\x00" + d.have.String()
		switch {
		case d.have.Kind == table.Empty || m.rows.looked[key]:
		case c.formulas:
			m.rows.looked[key] = true
		default:
			found = true
		}
	}
	return found
}

// dress sets the number formats of our columns, and says so where people had
// changed them: a counter shown as a date is right and looks wrong.
func (m *Mirror) dress(ctx context.Context, c *cycle) error {
	formats := m.formats(c)
	if !m.groomed.IsZero() {
		if err := m.undressed(ctx, c, formats); err != nil {
			return err
		}
	}
	return m.sheet.Format(ctx, formats...)
}

// undressed compares how numbers of Operaciones are shown with how they should be.
func (m *Mirror) undressed(ctx context.Context, c *cycle, formats []google.Format) error {
	t, p := m.tab(table.Operaciones), c.pages[table.Operaciones]
	var ranges []string
	var own []google.Format
	for _, f := range formats {
		if f.Tab.ID == t.grid.ID {
			own, ranges = append(own, f), append(ranges, google.A1(t.grid.Title, 1, f.Col, 0, f.Col))
		}
	}
	if len(ranges) == 0 {
		return nil
	}
	got, err := m.sheet.Shown(ctx, ranges...)
	if err != nil {
		return err
	}
	for i, f := range own {
		column := columnAt(t, p, f.Col)
		odd := 0
		for row, line := range got[i] {
			if row > 0 && len(line) > 0 && p.cell(row+1, column).Kind == table.Number && !looks[f.Style].MatchString(line[0].String()) {
				odd++
			}
		}
		if odd > 0 {
			m.note(c.now, fmt.Sprintf("Operaciones, columna %s: %d celda(s) tenían otro formato; se repuso.", column, odd))
		}
	}
	return nil
}

// columnAt is the column of ours at a position.
func columnAt(t *tab, p *page, at int) string {
	for _, column := range p.columns {
		if col, ok := t.header.Col(column); ok && col == at {
			return column
		}
	}
	return ""
}

// looks are the numbers of our formats as people see them.
var looks = map[table.Style]*regexp.Regexp{
	table.Plain:   regexp.MustCompile(`^\d+$`),
	table.Decimal: regexp.MustCompile(`^\d+[.,]\d\d$`),
	table.Day:     regexp.MustCompile(`^\d\d-\d\d-\d{4}$`),
	table.Instant: regexp.MustCompile(`^\d\d-\d\d-\d{4} \d\d:\d\d:\d\d$`),
}

// formats are the number formats of our columns.
func (m *Mirror) formats(c *cycle) []google.Format {
	var out []google.Format
	add := func(name string, style table.Style, columns ...string) {
		t := m.tab(name)
		for _, column := range columns {
			if col, ok := t.header.Col(column); ok && t.found && t.grid.Rows > 1 && !m.formulas[column] {
				out = append(out, google.Format{Tab: t.grid, Col: col, Style: style})
			}
		}
	}
	add(table.Operaciones, table.Day, "Fecha_Armado", "Fecha_Soldadura", "Fecha_QC_Metrología")
	add(table.Operaciones, table.Instant, "Fecha_Ocupacion")
	add(table.Operaciones, table.Plain, "Uniones_ARM_Completadas", "Uniones_SOLD_Completadas")
	add(table.Operaciones, table.Decimal, "Pulgadas_ARM", "Pulgadas_SOLD")
	if c.usable[table.Uniones] {
		add(table.Uniones, table.Instant, unionTimes...)
	}
	if c.usable[table.Metadata] {
		add(table.Metadata, table.Instant, "Timestamp")
		add(table.Metadata, table.Day, "Fecha_Operacion")
	}
	return out
}
