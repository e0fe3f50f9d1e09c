package migration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"envivo/plant"
	"envivo/sheetsync"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

const (
	heldByNoWorker  = "ocupado por un trabajador que no está en Trabajadores"
	qcOutOfOrder    = "la inspección es anterior a la soldadura"
	armBeforeAny    = "el armado es anterior a la llegada de materiales"
	unionsUnread    = "no se pudieron leer las uniones; no se tomaron en cuenta"
	qcWithoutWelded = "inspeccionado sin fecha de soldadura"
)

// hydrate reads the sheet the way the first start will and names the rows whose
// state is a matter of opinion (rules §4.6, §10): rows without or with a repeated
// TAG, cells that cannot be read, spools held by nobody known, dates out of order,
// SOLD without ARM. It changes nothing.
func (s *session) hydrate(ctx context.Context) error {
	var ranges, sheets []string
	for _, name := range table.SheetNames() {
		if t, ok := s.view.tabs[name]; ok {
			ranges, sheets = append(ranges, google.A1(t.Title, 1, 0, 0, t.Cols-1)), append(sheets, name)
		}
	}
	got, err := s.o.Sheet.Read(ctx, ranges...)
	if err != nil {
		return fmt.Errorf("read the sheet: %w", err)
	}
	var b table.Book
	for i, name := range sheets {
		b.Sheets = append(b.Sheets, table.Sheet{Name: name, Rows: got[i]})
	}
	if len(b.Sheets) > 0 && len(b.Sheets[0].Rows) > 0 { // a rehearsal: as if they were there
		head := b.Sheets[0].Rows[0]
		for _, c := range s.view.lacking() {
			head = append(head, table.TextCell(c))
		}
		b.Sheets[0].Rows[0] = head
	}
	s.report.Rows, err = s.doubtful(b)
	if err == nil {
		s.note("filas dudosas: %d", len(s.report.Rows))
	}
	return err
}

func (s *session) doubtful(b table.Book) ([]table.Finding, error) {
	ops, err1 := table.ReadOperaciones(b.Sheet(table.Operaciones))
	meta, err2 := table.ReadMetadata(b.Sheet(table.Metadata))
	people, err3 := table.ReadTrabajadores(b.Sheet(table.Trabajadores))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, &Refusal{Reason: err.Error()}
	}
	out := slices.DeleteFunc(ops.Findings, func(f table.Finding) bool { return f.Action != table.Quarantined })
	unions, err := table.ReadUniones(b.Sheet(table.Uniones))
	if err != nil {
		out = append(out, table.Finding{Sheet: table.Uniones, Row: 1, Value: err.Error(), Reason: unionsUnread, Action: table.Noted})
	}
	fold := func(t string) string { return strings.ToUpper(t) }
	joints, log, known := map[string][]plant.Union{}, map[string][]plant.MetadataRow{}, map[plant.WorkerID]bool{}
	for _, u := range unions.Rows {
		joints[fold(string(u.Tag))] = append(joints[fold(string(u.Tag))], u.Union)
	}
	for _, m := range meta.Rows {
		log[fold(m.Tag)] = append(log[fold(m.Tag)], m)
	}
	for _, p := range people.Rows {
		known[p.Worker.ID] = true
	}
	for _, r := range ops.Rows {
		key := fold(string(r.Tag))
		slices.SortFunc(joints[key], func(a, b plant.Union) int { return cmp.Compare(a.N, b.N) })
		_, found := sheetsync.Hydrate(r, joints[key], log[key], plant.DefaultRules(), s.o.Now())
		out = append(append(out, found...), contradictions(r, known)...)
	}
	slices.SortStableFunc(out, func(a, b table.Finding) int {
		return cmp.Or(strings.Compare(a.Sheet, b.Sheet), cmp.Compare(a.Row, b.Row))
	})
	return out, nil
}

// contradictions are what hydration accepts without a word.
func contradictions(r table.SpoolRow, known map[plant.WorkerID]bool) []table.Finding {
	var out []table.Finding
	find := func(column, value, reason string) {
		out = append(out, table.Finding{Sheet: table.Operaciones, Row: r.Row, Column: column, Value: value, Reason: reason, Action: table.Noted})
	}
	if r.Ocupado.ID != 0 && !known[r.Ocupado.ID] {
		find("Ocupado_Por", r.Ocupado.Display, heldByNoWorker)
	}
	switch {
	case r.FechaQC == 0:
	case r.FechaSoldadura == 0:
		find("Fecha_QC_Metrología", r.FechaQC.String(), qcWithoutWelded)
	case r.FechaQC < r.FechaSoldadura:
		find("Fecha_QC_Metrología", r.FechaQC.String(), qcOutOfOrder)
	}
	if m := r.Office.Materiales; m != 0 && r.FechaArmado != 0 && r.FechaArmado < m {
		find("Fecha_Armado", r.FechaArmado.String(), armBeforeAny)
	}
	return out
}
