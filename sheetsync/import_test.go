package sheetsync

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"envivo/plant"
	"envivo/sheetsync/sample"
	"envivo/sheetsync/table"
	"envivo/store/storetest"
)

// toyPlant is a store that only imports, which is all these tests need.
func toyPlant() Plant {
	return storetest.NewMemory(storetest.ToyConfig(storetest.Toy{}, storetest.NewClock()))
}

func mustImport(t *testing.T, p Plant, b table.Book, rehearse bool) *Report {
	t.Helper()
	r, err := Import(context.Background(), p, b, "prueba", noon(), rehearse)
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	return r
}

// face is a spool without what belongs to a store rather than to the plant.
func face(p Plant) map[plant.Tag]plant.Spool {
	out := map[plant.Tag]plant.Spool{}
	for r := range p.Snapshot().Rows() {
		s := *r.Spool
		s.Last, s.Version, s.Changed, s.Order, s.Undo, s.Damaged, s.Token = 0, 0, noon(), 0, nil, nil, ""
		s.LastHolder, s.ReadyAt, s.Hold.Token = plant.Person{}, noon(), ""
		out[s.Tag] = s
	}
	return out
}

func TestTheRealWorkbookTwice(t *testing.T) {
	p := toyPlant()
	rehearsed := mustImport(t, p, sample.Workbook(), true)
	if n := p.Snapshot().Len(); n != 0 {
		t.Fatalf("a rehearsal left %d spools", n)
	}
	first := mustImport(t, p, sample.Workbook(), false)
	if d := cmp.Diff(rehearsed, first); d != "" {
		t.Errorf("the rehearsal promised something else:\n%s", d)
	}
	if n := p.Snapshot().Len(); n != 2493 {
		t.Errorf("%d spools, want 2493", n)
	}
	again := mustImport(t, p, sample.Workbook(), false)
	if again.Changed != 0 {
		t.Errorf("the same workbook again changed %d things", again.Changed)
	}
	if d := cmp.Diff(first.Findings, again.Findings); d != "" {
		t.Errorf("the second import has other remarks:\n%s", d)
	}
	for name, tally := range again.Sheets {
		if tally.Unchanged != tally.Rows || tally.Accepted+tally.Repaired+tally.Quarantined != tally.Rows {
			t.Errorf("%s the second time = %+v, want every row counted once and unchanged", name, *tally)
		}
	}
	for _, want := range []table.Finding{
		{Sheet: "Operaciones", Row: 19, Column: "Fecha_Materiales", Value: "pendiente", Action: table.Quarantined},
		{Sheet: "Operaciones", Row: 49, Column: "TAG_SPOOL", Action: table.Quarantined},
		{Sheet: "Uniones", Row: 7, Column: "TIPO_UNION", Value: "bw", Action: table.Repaired},
		{Sheet: "Metadata", Row: 4, Column: "ID", Action: table.Repaired},
	} {
		if !found(first.Findings, want) {
			t.Errorf("the report does not name %+v", want)
		}
	}
}

func found(all []table.Finding, want table.Finding) bool {
	for _, f := range all {
		if f.Reason = want.Reason; f == want {
			return true
		}
	}
	return false
}

func TestExportAndImportGiveTheSamePlant(t *testing.T) {
	a, b := toyPlant(), toyPlant()
	mustImport(t, a, sample.Tables(noon()), false)
	book, err := Export(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	if r := mustImport(t, b, book, false); r.Sheets[table.Operaciones].Quarantined != 0 {
		t.Errorf("our own export is quarantined: %v", r.Findings)
	}
	if d := cmp.Diff(face(a), face(b)); d != "" {
		t.Errorf("the plant after export and import differs:\n%.3000s", d)
	}
	if d := cmp.Diff(a.Snapshot().Workers(), b.Snapshot().Workers()); d != "" {
		t.Errorf("the workers differ:\n%s", d)
	}
	second, err := Export(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(book, second); d != "" {
		t.Errorf("the second export differs from the first:\n%.3000s", d)
	}
	if r := mustImport(t, a, book, false); r.Changed != 0 {
		t.Errorf("importing a plant's own export changed %d things", r.Changed)
	}
}

func TestAnImportNeverUndoesWork(t *testing.T) {
	p := toyPlant()
	before := sheet(table.Operaciones, "TAG_SPOOL,NV,Fecha_Materiales,Fecha_Armado,Armador,Fecha_Soldadura,Soldador,Fecha_QC_Metrología,Ocupado_Por,Fecha_Ocupacion,Estado_Detalle",
		"A-1,NV1,05-10-2026,,,,,,,,")
	mustImport(t, p, table.Book{Sheets: []table.Sheet{before}}, false)
	p.DoAll(context.Background(), []plant.Command{storetest.Take("k", "A-1", 12)})
	after := sheet(table.Operaciones, "TAG_SPOOL,NV,Fecha_Materiales,Fecha_Armado,Armador,Fecha_Soldadura,Soldador,Fecha_QC_Metrología,Ocupado_Por,Fecha_Ocupacion,Estado_Detalle",
		"A-1,NV2,06-10-2026,01-01-2026,ZZ(9),,,,,,", "A-2,NV1,,,,,,,,,")
	r := mustImport(t, p, table.Book{Sheets: []table.Sheet{after}}, false)
	sp, _ := p.Snapshot().Spool("A-1")
	if sp.Hold.Worker.ID != 12 || sp.Office.NV != "NV2" || sp.Arm.Fecha != 0 {
		t.Errorf("A-1 = held by %d, NV %s, armed %v; want the office's NV and the store's work", sp.Hold.Worker.ID, sp.Office.NV, sp.Arm.Fecha)
	}
	if r.Changed != 2 {
		t.Errorf("%d changes, want 2", r.Changed)
	}
	empty := mustImport(t, p, table.Book{}, false)
	if empty.Changed != 0 || p.Snapshot().Len() != 2 {
		t.Errorf("an empty workbook changed %d things", empty.Changed)
	}
	if _, err := Import(context.Background(), p, table.Book{Sheets: []table.Sheet{sheet(table.Operaciones, "NV,OT", "1,2")}}, "x", noon(), false); err == nil || !strings.Contains(err.Error(), "TAG_SPOOL") {
		t.Errorf("a worksheet without TAG_SPOOL = %v, want the column named", err)
	}
}

func sheet(name string, lines ...string) table.Sheet {
	s := table.Sheet{Name: name}
	for _, line := range lines {
		var row []table.Cell
		for _, text := range strings.Split(line, ",") {
			row = append(row, table.TextCell(text))
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}
