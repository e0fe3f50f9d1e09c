package mirror

import (
	"fmt"
	"slices"

	"envivo/plant"
	"envivo/sheetsync/table"
)

var (
	unionTimes = []string{"ARM_FECHA_INICIO", "ARM_FECHA_FIN", "SOL_FECHA_INICIO", "SOL_FECHA_FIN"}
	unionOwned = []string{"ARM_FECHA_INICIO", "ARM_FECHA_FIN", "ARM_WORKER", "SOL_FECHA_INICIO", "SOL_FECHA_FIN", "SOL_WORKER"}
	// unionForm are the columns that the form for unions fills besides (rules §11.6).
	unionForm = []string{"OT", "N_UNION", "TAG_SPOOL", "DN_UNION", "TIPO_UNION"}
)

// unionPlan is what one reading of Uniones asks for.
type unionPlan struct {
	changes []change
	wrong   map[plant.Tag]bool // spools whose unions are not all right yet
	last    int                // last row in use
}

type unionKey struct {
	tag plant.Tag
	n   int
}

// planUnions compares every row of Uniones with the store. Work is ours: what
// differs is written, whoever changed it. Definitions are engineering's unless
// our form has just changed them.
func (m *Mirror) planUnions(c *cycle) *unionPlan {
	p := c.pages[table.Uniones]
	plan := &unionPlan{wrong: map[plant.Tag]bool{}, last: 1}
	seen := map[unionKey]bool{}
	restored := 0
	for row := 2; row <= len(p.rows); row++ {
		if slices.ContainsFunc(p.rows[row-1], func(x table.Cell) bool { return !x.Blank() }) {
			plan.last = row
		}
		r, n := m.unionAt(c, p, row)
		if r == nil || seen[unionKey{r.Spool.Tag, n}] {
			continue
		}
		sp := r.Spool
		seen[unionKey{sp.Tag, n}] = true
		u, ok := sp.Union(n)
		if !ok {
			if c.defined[sp.Tag] { // deleted with our form
				m.emptyRow(p, row, plan)
				plan.wrong[sp.Tag] = true
			}
			continue
		}
		columns := unionOwned
		if c.defined[sp.Tag] {
			columns = append(slices.Clone(unionOwned), "DN_UNION", "TIPO_UNION")
		}
		if m.planUnion(c, unionRow{p, row, sp, u}, columns, plan) && !c.waiting[sp.Tag] {
			restored++
		}
	}
	if restored > 0 {
		m.note(c.now, fmt.Sprintf("Uniones: se repusieron las celdas nuestras de %d fila(s).", restored))
	}
	m.newUnions(c, seen, plan)
	return plan
}

// unionAt finds the spool and the number of a row; nil when there is none.
func (m *Mirror) unionAt(c *cycle, p *page, row int) (*plant.Row, int) {
	tag, _ := table.Label(p.cell(row, "TAG_SPOOL"))
	if tag == "" {
		return nil, 0
	}
	n, problem := table.Int(p.cell(row, "N_UNION"), table.MaxN)
	if problem.Bad() || n == 0 {
		return nil, 0
	}
	r, ok := c.snap.Row(plant.Tag(tag))
	if !ok {
		return nil, 0
	}
	return r, n
}

type unionRow struct {
	page  *page
	row   int
	spool *plant.Spool
	union plant.Union
}

// planUnion adds what differs in one row and reports whether something that
// matters did.
func (m *Mirror) planUnion(c *cycle, v unionRow, columns []string, plan *unionPlan) bool {
	want := table.UnionCells(v.spool.Tag, v.spool.Office.OT, v.union)
	all := table.Columns(table.Uniones)
	matters := false
	for _, column := range columns {
		if !slices.Contains(v.page.columns, column) {
			continue
		}
		have, cell := v.page.cell(v.row, column), want[slices.Index(all, column)]
		if identical(have, cell) {
			continue
		}
		if cell.Kind == table.Empty && !c.waiting[v.spool.Tag] && slices.ContainsFunc(v.spool.Damaged, func(s string) bool {
			return s == fmt.Sprintf("%s (unión %d)", column, v.union.N)
		}) {
			continue // could not be read when it came in: somebody has to look first
		}
		plan.changes = append(plan.changes, change{v.row, column, table.Value(cell)})
		plan.wrong[v.spool.Tag] = true
		matters = matters || have.String() != cell.String()
	}
	return matters
}

// emptyRow clears the columns we know of a row whose union was deleted.
func (m *Mirror) emptyRow(p *page, row int, plan *unionPlan) {
	for _, column := range p.columns {
		if p.cell(row, column).Kind != table.Empty {
			plan.changes = append(plan.changes, change{row, column, ""})
		}
	}
}

// newUnions adds rows for unions that our form has made.
func (m *Mirror) newUnions(c *cycle, seen map[unionKey]bool, plan *unionPlan) {
	all := table.Columns(table.Uniones)
	for _, e := range c.pending {
		if e.Kind != plant.KindUniones {
			continue
		}
		r, ok := c.snap.Row(e.Tag)
		if !ok {
			continue
		}
		for _, u := range r.Spool.Unions {
			key := unionKey{r.Spool.Tag, u.N}
			if seen[key] {
				continue
			}
			seen[key] = true
			plan.last++
			plan.wrong[r.Spool.Tag] = true
			want := table.UnionCells(r.Spool.Tag, r.Spool.Office.OT, u)
			for _, column := range append(slices.Clone(unionForm), unionOwned...) {
				if cell := want[slices.Index(all, column)]; cell.Kind != table.Empty {
					plan.changes = append(plan.changes, change{plan.last, column, table.Value(cell)})
				}
			}
		}
	}
}
