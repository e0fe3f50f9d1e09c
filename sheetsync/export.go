package sheetsync

import (
	"cmp"
	"context"
	"slices"

	"envivo/plant"
	"envivo/sheetsync/table"
)

// Export is the plant as worksheets: the state of one snapshot and the complete
// log. Rows of the log that an import brought keep their place and their words;
// the events of this store follow in their order (rules §7).
func Export(ctx context.Context, p Plant) (table.Book, error) {
	snap := p.Snapshot()
	ops, unions := table.NewSheet(table.Operaciones), table.NewSheet(table.Uniones)
	for r := range snap.Rows() {
		ops.Rows = append(ops.Rows, table.SpoolCells(r.Spool, snap.Rules()))
		for _, u := range r.Spool.Unions {
			unions.Rows = append(unions.Rows, table.UnionCells(r.Spool.Tag, r.Spool.Office.OT, u))
		}
	}
	people, roles := table.NewSheet(table.Trabajadores), table.NewSheet(table.Roles)
	for _, w := range snap.Workers() {
		people.Rows = append(people.Rows, table.WorkerCells(w))
		roles.Rows = append(roles.Rows, table.RoleCells(w)...)
	}
	log, err := exportLog(ctx, p, snap.Seq)
	if err != nil {
		return table.Book{}, err
	}
	return table.Book{Sheets: []table.Sheet{ops, people, roles, unions, log}}, nil
}

func exportLog(ctx context.Context, p Plant, until plant.Seq) (table.Sheet, error) {
	var before, ours []plant.MetadataRow
	err := EachEvent(ctx, p, func(e plant.Event) {
		switch {
		case e.Seq > until:
		case e.Import != nil:
			before = append(before, e.Import.History...)
		default:
			ours = append(ours, table.EventRows(e)...)
		}
	})
	slices.SortStableFunc(before, func(a, b plant.MetadataRow) int { return cmp.Compare(a.Order, b.Order) })
	out := table.NewSheet(table.Metadata)
	for _, m := range append(before, ours...) {
		out.Rows = append(out.Rows, table.MetadataCells(m))
	}
	return out, err
}
