package main

import (
	"context"

	"envivo/sheetsync"
	"envivo/sheetsync/table"
	"envivo/ui"
)

// Import brings worksheets in through the store that is open here.
func (d *desk) Import(ctx context.Context, b table.Book, source string, rehearse bool) (*sheetsync.Report, error) {
	return sheetsync.Import(ctx, d.store, b, source, d.now(), rehearse)
}

// Export gives the worksheets of the store that is open here, and the code of
// the record they contain at least.
func (d *desk) Export(ctx context.Context) (table.Book, error) {
	snap := d.store.Snapshot()
	b, err := sheetsync.Export(ctx, d.store)
	b.Record = ui.HeadCode(snap.Seq, snap.Head)
	return b, err
}
