package mirror

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"envivo/fsm"
	"envivo/plant"
	"envivo/sheetsync/emulator"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
	"envivo/store"
)

// thin is 1, and n in a short run. The gate runs everything once, and thinned out
// under the race detector, which is ten times slower.
func thin(n int) int {
	if testing.Short() {
		return n
	}
	return 1
}

// clock is a clock that tests turn.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// outbox is the store as the mirror sees it.
type outbox struct{ *store.Bolt }

func (o outbox) Parked() []Parked {
	var out []Parked
	for _, p := range o.Bolt.Parked() {
		x := Parked{Seq: p.Seq, Why: p.Why, At: p.At}
		if events, err := o.Events(context.Background(), p.Seq-1, 1); err == nil && len(events) == 1 {
			x.Tag = events[0].Tag
		}
		out = append(out, x)
	}
	return out
}

// office is a plant with its Sheet: a real store under the real rules, the real
// client library, and an emulator behind a real socket. Only the clock is ours.
type office struct {
	t     *testing.T
	clock *clock
	e     *emulator.Emulator
	b     *emulator.Book
	st    *store.Bolt
	c     *google.Client
	m     *Mirror
	path  string
	o     Options
	steps int
}

// sheetOf are the worksheets of a small plant as rows of the emulator.
type sheetOf struct {
	spools, joints int
}

func newOffice(t *testing.T, s sheetOf, eo emulator.Options, o Options) *office {
	t.Helper()
	x := &office{t: t, clock: &clock{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}, path: filepath.Join(t.TempDir(), "plant.db"), o: o}
	eo.Now, eo.Machine = x.clock.Now, time.Now
	if eo.Sleep == nil {
		eo.Sleep = func(context.Context, time.Duration) {}
	}
	var err error
	if x.e, err = emulator.New(eo); err != nil {
		t.Fatal(err)
	}
	x.b = x.e.Book()
	srv := httptest.NewUnstartedServer(x.e)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(func() { x.e.Release(); srv.Close() })
	x.fill(s)
	key, err := x.e.KeyFile(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	x.c, err = google.New(t.Context(), google.Options{ID: "emulador", Key: key, Endpoint: srv.URL, Now: x.clock.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	x.open()
	t.Cleanup(func() { x.st.Close() })
	return x
}

// fill makes the worksheets: foreign columns between ours, a column of formulas.
func (x *office) fill(s sheetOf) {
	head := []any{"Cliente", "NV", "OT", "SPLIT", "TAG_SPOOL", "Fecha_Materiales", "Peso", "Fecha_Armado", "Armador", "Fecha_Soldadura", "Soldador",
		"Fecha_QC_Metrología", "Precio Total", "Total_Uniones", "Uniones_ARM_Completadas", "Uniones_SOLD_Completadas", "Pulgadas_ARM", "Pulgadas_SOLD",
		"Notas", "FLAG", "Ocupado_Por", "Fecha_Ocupacion", "version", "Estado_Detalle"}
	rows, unions := [][]any{head}, [][]any{}
	var uh []any
	for _, c := range table.Columns(table.Uniones) {
		uh = append(uh, c)
	}
	unions = append(unions, uh)
	for i := range s.spools {
		tag := fmt.Sprintf("MK-%03d", i+1)
		row := make([]any, len(head))
		row[0], row[1], row[2], row[3], row[4], row[5], row[6] = "Cliente "+tag, "NV01", fmt.Sprintf("%03d", i+1), tag, tag, emulator.Day(2026, 4, 1), 10.5
		row[12], row[22] = emulator.Formula(fmt.Sprintf("=G%d", i+2), 10.5), 0
		if i%2 == 0 {
			row[13] = emulator.Formula(fmt.Sprintf(`=COUNTIF(Uniones!D:D;E%d)`, i+2), 0)
			for n := 1; n <= s.joints; n++ {
				u := make([]any, len(uh))
				u[1], u[2], u[3], u[4], u[5] = fmt.Sprintf("%03d", i+1), n, tag, 4.0, "BW"
				unions = append(unions, u)
			}
		}
		rows = append(rows, row)
	}
	x.b.Fill("Operaciones", rows)
	x.b.Fill("Uniones", unions)
	people, roles := [][]any{{"Id", "Nombre", "Apellido", "Activo"}}, [][]any{{"Id", "Rol", "Activo"}}
	for i := range 30 {
		people = append(people, []any{90 + i, "Ana", "Bravo", true})
		roles = append(roles, []any{90 + i, "Armador", true}, []any{90 + i, "Soldador", true}, []any{90 + i, "Metrologia", true})
	}
	x.b.Fill("Trabajadores", people)
	x.b.Fill("Roles", roles)
	x.b.Fill("Metadata", [][]any{{"ID", "Timestamp", "Evento_Tipo", "TAG_SPOOL", "Worker_ID", "Worker_Nombre", "Operacion", "Accion", "Fecha_Operacion", "Metadata_JSON", "N_UNION"}})
}

// open opens the store and makes a mirror, as a process that starts does.
func (x *office) open() {
	x.t.Helper()
	rules := plant.DefaultRules()
	e := fsm.New(rules)
	st, err := store.Open(x.path, store.Options{Decide: e.Decide, Evolve: fsm.Evolve, Rules: rules, Now: x.clock.Now, NewUUID: uuid.NewString, Log: slog.New(slog.DiscardHandler), Env: "prueba"})
	if err != nil {
		x.t.Fatal(err)
	}
	x.st = st
	o := x.o
	o.Plant, o.Sheet, o.Now, o.Log = outbox{st}, x.c, x.clock.Now, slog.New(slog.DiscardHandler)
	o.Random = rand.New(rand.NewPCG(1, 2))
	if x.m, err = New(o); err != nil {
		x.t.Fatal(err)
	}
}

// reopen ends the process and starts another.
func (x *office) reopen() {
	x.t.Helper()
	if err := x.st.Close(); err != nil {
		x.t.Fatal(err)
	}
	x.open()
}

// pass lets time go by, with the mirror at work.
func (x *office) pass(d time.Duration) {
	x.t.Helper()
	end := x.clock.Now().Add(d)
	for x.clock.Now().Before(end) {
		wait := x.m.Step(x.t.Context())
		x.steps++
		x.clock.advance(min(max(wait, 10*time.Millisecond), end.Sub(x.clock.Now())))
	}
	x.m.Step(x.t.Context())
}

func (x *office) do(c plant.Command) plant.Event {
	x.t.Helper()
	r, err := x.st.Do(x.t.Context(), c)
	if err != nil {
		x.t.Fatalf("%v %v %s: %v", c.Verb, c.Op, c.Tag, err)
	}
	x.m.Heard(r.Event.Seq)
	return r.Event
}

func (x *office) take(tag plant.Tag, w plant.WorkerID, op plant.Op) plant.Event {
	x.t.Helper()
	return x.do(plant.Command{Verb: plant.Tomar, Tag: tag, Worker: w, Op: op, Door: plant.DoorPage})
}

// cell is what the Sheet shows in a column of the row with a TAG.
func (x *office) cell(sheet, tag, column string) emulator.Cell {
	x.t.Helper()
	rows, _ := x.b.Dump(sheet)
	key, col := columnOf(rows[0], "TAG_SPOOL"), columnOf(rows[0], column)
	for _, r := range rows[1:] {
		if key < len(r) && r[key].Text == tag {
			if col < len(r) {
				return r[col]
			}
			return emulator.Cell{}
		}
	}
	x.t.Fatalf("%s has no row of %s", sheet, tag)
	return emulator.Cell{}
}

func columnOf(head []emulator.Cell, name string) int {
	return slices.IndexFunc(head, func(c emulator.Cell) bool { return table.Normalize(c.Text) == table.Normalize(name) })
}

// agrees checks the whole promise: every owned cell as the store says, Metadata
// with every event of the floor exactly once and in order, the outbox empty.
func (x *office) agrees() {
	x.t.Helper()
	x.rowsAgree()
	x.unionsAgree()
	x.logAgrees()
	pending, err := x.st.Pending(0)
	if err != nil || len(pending) > 0 {
		x.t.Errorf("%d events still wait for the Sheet (%v), want none; the first is %+v", len(pending), err, pending[:min(1, len(pending))])
	}
}

func wire(c emulator.Cell) table.Cell {
	switch c.Kind {
	case emulator.Text, emulator.ErrorValue:
		return table.TextCell(c.Text)
	case emulator.Number:
		return table.NumberCell(c.Num)
	case emulator.Bool:
		return table.BoolCell(c.True())
	}
	return table.Cell{}
}

func (x *office) rowsAgree() {
	x.t.Helper()
	rows, _ := x.b.Dump("Operaciones")
	snap := x.st.Snapshot()
	key := columnOf(rows[0], "TAG_SPOOL")
	found := map[plant.Tag]bool{}
	for n, r := range rows[1:] {
		if key >= len(r) || r[key].Text == "" {
			continue
		}
		row, ok := snap.Row(plant.Tag(r[key].Text))
		if !ok || found[row.Spool.Tag] {
			continue
		}
		found[row.Spool.Tag] = true
		want := table.SpoolCells(row.Spool, snap.Rules())
		for i, column := range table.Columns(table.Operaciones) {
			col := columnOf(rows[0], column)
			if !slices.Contains(owned, column) || col < 0 {
				continue
			}
			var have emulator.Cell
			if col < len(r) {
				have = r[col]
			}
			if !identical(wire(have), want[i]) {
				x.t.Errorf("Operaciones row %d, %s of %s = %q (%v), want %q", n+2, column, row.Spool.Tag, have.Text, have.Num, want[i])
			}
			if have.Kind == emulator.Number && want[i].Style == table.Day && have.Format != emulator.DateFormat {
				x.t.Errorf("%s of %s is a number shown as %q, want a date", column, row.Spool.Tag, have.Format)
			}
		}
	}
	if len(found) != snap.Len() {
		x.t.Errorf("the Sheet has rows of %d spools, want %d", len(found), snap.Len())
	}
}

func (x *office) unionsAgree() {
	x.t.Helper()
	rows, _ := x.b.Dump("Uniones")
	snap := x.st.Snapshot()
	col := map[string]int{}
	for _, c := range table.Columns(table.Uniones) {
		col[c] = columnOf(rows[0], c)
	}
	seen := 0
	at := func(r []emulator.Cell, column string) table.Cell {
		if i := col[column]; i >= 0 && i < len(r) {
			return wire(r[i])
		}
		return table.Cell{}
	}
	for n, r := range rows[1:] {
		row, ok := snap.Row(plant.Tag(at(r, "TAG_SPOOL").Text))
		if !ok {
			continue
		}
		u, ok := row.Spool.Union(int(at(r, "N_UNION").Num))
		if !ok {
			x.t.Errorf("Uniones row %d is a union the store does not have", n+2)
			continue
		}
		seen++
		want := table.UnionCells(row.Spool.Tag, "", u)
		for i, column := range table.Columns(table.Uniones) {
			if slices.Contains(unionOwned, column) && !identical(at(r, column), want[i]) {
				x.t.Errorf("Uniones row %d, %s = %q, want %q", n+2, column, at(r, column), want[i])
			}
		}
	}
	total := 0
	for r := range snap.Rows() {
		total += len(r.Spool.Unions)
	}
	if seen != total {
		x.t.Errorf("the Sheet has rows of %d unions, want %d", seen, total)
	}
}

// wantLog are the rows that Metadata must hold, in order.
func (x *office) wantLog() []plant.MetadataRow {
	x.t.Helper()
	var out []plant.MetadataRow
	for at := plant.Seq(0); ; {
		events, err := x.st.Events(x.t.Context(), at, 0)
		if err != nil {
			x.t.Fatal(err)
		}
		if len(events) == 0 {
			return out
		}
		for _, e := range events {
			out = append(out, ourRows(e)...)
		}
		at = events[len(events)-1].Seq
	}
}

func (x *office) logAgrees() {
	x.t.Helper()
	rows, _ := x.b.Dump("Metadata")
	want := x.wantLog()
	ours := map[string]bool{}
	for _, r := range want {
		ours[r.ID] = true
	}
	var got [][]emulator.Cell
	id := columnOf(rows[0], "ID")
	for _, r := range rows[1:] {
		if id < len(r) && ours[r[id].Text] {
			got = append(got, r)
		}
	}
	if len(got) != len(want) {
		x.t.Errorf("Metadata holds %d rows of ours, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		cells := table.MetadataCells(want[i])
		for k, column := range table.Columns(table.Metadata) {
			var have table.Cell
			if col := columnOf(rows[0], column); col >= 0 && col < len(got[i]) {
				have = wire(got[i][col])
			}
			if !identical(have, cells[k]) {
				x.t.Fatalf("row %d of ours in Metadata, %s = %q, want %q", i+1, column, have, cells[k])
			}
		}
	}
}

// foreign is everything in a worksheet that is not ours, by TAG and column.
func (x *office) foreign() map[string]emulator.Cell {
	out := map[string]emulator.Cell{}
	rows, _ := x.b.Dump("Operaciones")
	key := columnOf(rows[0], "TAG_SPOOL")
	for n, r := range rows {
		tag := fmt.Sprint("row ", n)
		if key < len(r) && n > 0 && r[key].Text != "" {
			tag = r[key].Text
		}
		for i, c := range r {
			if n > 0 && (i >= len(rows[0]) || slices.ContainsFunc(owned, func(o string) bool { return table.Normalize(o) == table.Normalize(rows[0][i].Text) })) {
				continue
			}
			if c != (emulator.Cell{}) {
				out[tag+"\x00"+rows[0][i].Text] = c
			}
		}
	}
	return out
}
