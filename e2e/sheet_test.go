package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"envivo/sheetsync/emulator"
	cells "envivo/sheetsync/table"
	sheetfile "envivo/sheetsync/workbook"
)

// sheetBox is a simulated Google Sheet that the built binary talks to.
type sheetBox struct {
	t     *testing.T
	e     *emulator.Emulator
	b     *emulator.Book
	flags []string
}

// newSheet starts a Sheet with the worksheets of a folder of .csv files.
func newSheet(t *testing.T, folder string) *sheetBox {
	t.Helper()
	e, err := emulator.New(emulator.Options{ID: "planilla", Now: time.Now, Reads: -1, Writes: -1})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(e)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(func() { e.Release(); srv.Close() })
	key, err := e.KeyFile(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "clave.json")
	if err := os.WriteFile(path, key, 0o600); err != nil {
		t.Fatal(err)
	}
	book, err := sheetfile.Read(folder, sheetfile.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	x := &sheetBox{t: t, e: e, b: e.Book(), flags: []string{"--sheet-id", "planilla", "--sheet-credentials", path, "--sheet-endpoint", srv.URL,
		"--sheet-interval", "100ms", "--sheet-poll", "500ms", "--sheet-budget", "50"}}
	for _, s := range book.Sheets {
		rows := make([][]any, len(s.Rows))
		for i, line := range s.Rows {
			rows[i] = make([]any, len(line))
			for k, c := range line {
				rows[i][k] = cells.Value(c)
			}
		}
		x.b.Fill(s.Name, rows)
	}
	if !slices.Contains(x.b.Sheets(), "Metadata") {
		var head []any
		for _, c := range cells.Columns("Metadata") {
			head = append(head, c)
		}
		x.b.Fill("Metadata", [][]any{head})
	}
	return x
}

// shown is a worksheet as people see it, header first.
func (x *sheetBox) shown(title string) [][]string {
	x.t.Helper()
	rows, ok := x.b.Dump(title)
	if !ok {
		x.t.Fatalf("the Sheet has no worksheet %s", title)
	}
	out := make([][]string, len(rows))
	for i, line := range rows {
		out[i] = make([]string, max(len(line), len(rows[0])))
		for k, c := range line {
			out[i][k] = c.Shown()
		}
	}
	return out
}

// settled waits until the exchange says that nothing waits any more. The events
// leave the outbox once a reading has proved them, so that is the proof.
func (s *server) settled() fields {
	s.t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for time.Now().Before(deadline) {
		var st fields
		out, err := run("sheet", "push", "--json", "--data", s.data)
		if err == nil && json.Unmarshal([]byte(out), &st) == nil && st["Backlog"] == 0.0 {
			return st
		}
	}
	s.t.Fatalf("the Sheet is not up to date after 90 s: %s", s.get("/api/sync").Raw)
	return nil
}

// agrees compares the Sheet with what the store exports.
func (x *sheetBox) agrees(data string) {
	x.t.Helper()
	dir := filepath.Join(x.t.TempDir(), "export")
	envivo(x.t, "export", "--data", data, "--out", dir)
	want := map[string]fields{}
	exported := table(x.t, filepath.Join(dir, "Operaciones.csv"))
	for _, line := range exported[1:] {
		row := fields{}
		for i, name := range exported[0] {
			row[name] = line[i]
		}
		want[line[0]] = row
	}
	got := x.shown("Operaciones")
	tag := slices.Index(got[0], "TAG_SPOOL")
	for n, line := range got[1:] {
		row, ok := want[line[tag]]
		if !ok {
			continue
		}
		delete(want, line[tag])
		for i, name := range got[0] {
			if name != "SPLIT" && name != "Total_Uniones" && row[name] != nil && !same(line[i], row[name].(string)) {
				x.t.Errorf("Sheet row %d, %s of %s = %q, want %q", n+2, name, line[tag], line[i], row[name])
			}
		}
	}
	if len(want) > 0 {
		x.t.Errorf("%d spools have no row in the Sheet", len(want))
	}
	ids := func(lines [][]string) []string {
		var out []string
		for _, line := range lines[1:] {
			if line[0] != "" { // the grid ends below the log
				out = append(out, line[0])
			}
		}
		return out
	}
	if a, b := ids(x.shown("Metadata")), ids(table(x.t, filepath.Join(dir, "Metadata.csv"))); !slices.Equal(a, b) {
		i := 0
		for i < min(len(a), len(b)) && a[i] == b[i] {
			i++
		}
		x.t.Errorf("Metadata in the Sheet holds %d rows, the log %d; the first that differ, at row %d: %v, want %v", len(a), len(b), i+2, a[i:min(len(a), i+8)], b[i:min(len(b), i+8)])
	}
}

// same compares a cell with the exported text; a leading ' of the export is the
// neutral form of a text that a spreadsheet would run.
func same(shown, exported string) bool {
	return shown == exported || "'"+shown == exported || strings.ReplaceAll(shown, ",", ".") == exported
}

func TestTheSheetFollowsThePlantThroughPowerCuts(t *testing.T) {
	t.Parallel()
	x := newSheet(t, plantCSV(t, 40, 6))
	data := filepath.Join(t.TempDir(), "planta")
	rng := rand.New(rand.NewPCG(3, 14))
	for round := range 5 {
		s := serve(t, data, x.flags...)
		if round == 0 {
			s.settled() // the first start pulls the plant out of the Sheet
			if n := s.get("/api/spools?limit=1").num("total"); n != 47 {
				t.Fatalf("the store has %d spools after the first reading, want 47", n)
			}
		}
		for i := range 30 {
			worker := 101 + rng.IntN(50)
			tag := spoolTag(1 + rng.IntN(40))
			for _, what := range []string{"tomar", "pausar"}[:1+i%2] {
				if r, err := s.try("/api/occupation/"+what, take(tag, worker, "ARM")); err != nil || r.Status >= 500 {
					t.Fatalf("%s: %v %d %s", what, err, r.Status, r.Raw)
				}
			}
			if i%10 == 5 {
				if err := x.b.SortBy("Operaciones", []string{"NV", "TAG_SPOOL", "OT"}[round%3], i%4 == 1); err != nil {
					t.Fatal(err)
				}
			}
		}
		s.kill()
	}
	s := serve(t, data, x.flags...)
	s.settled()
	x.agrees(data)
	s.stop()
	check(t, data)
}

func TestThePlantWorksWithoutGoogle(t *testing.T) {
	t.Parallel()
	x := newSheet(t, plantCSV(t, 10, 0))
	data := newPlant(t, 10, 0)

	s := serve(t, data, "--sheet-id", "planilla", "--sheet-credentials", filepath.Join(t.TempDir(), "no-hay.json"))
	s.post("/api/occupation/tomar", take(spoolTag(1), 101, "ARM")).want(t, "a take without a key file", 200)
	if r := s.get("/api/sync"); r.text("mode") != "detenida" || !strings.Contains(r.text("sentence"), "no-hay.json") {
		t.Errorf("the exchange without a key file is %s, want it to name the file", r.Raw)
	}
	if r := s.get("/readyz"); r.Status != 200 {
		t.Errorf("/readyz without Google = %d %s, want 200", r.Status, r.Raw)
	}
	s.stop()

	x.e.Outage(true)
	s = serve(t, data, x.flags...)
	for i := 2; i <= 10; i++ {
		s.post("/api/occupation/tomar", take(spoolTag(i), 101, "ARM")).want(t, "a take without network", 200)
	}
	s.kill()
	s = serve(t, data, x.flags...)
	x.e.Outage(false)
	s.settled()
	x.agrees(data)
	if out := envivo(t, "sheet", "status", "--data", data); !strings.Contains(out, "al día") {
		t.Errorf("sheet status = %q, want it up to date", out)
	}
	s.stop()
}

func TestTheOfficeReachesTheFloor(t *testing.T) {
	t.Parallel()
	x := newSheet(t, plantCSV(t, 10, 0))
	data := filepath.Join(t.TempDir(), "planta")
	s := serve(t, data, x.flags...)
	s.settled()
	s.post("/api/occupation/tomar", take("SIN-MATERIAL-001", 101, "ARM")).want(t, "a take without materials", 400)
	if err := x.b.Put("Operaciones", [2]string{"TAG_SPOOL", "SIN-MATERIAL-001"}, "Fecha_Materiales", "01-10-2026"); err != nil {
		t.Fatal(err)
	}
	if err := x.b.AppendRow("Trabajadores", 200, "Nueva", "Persona", true); err != nil {
		t.Fatal(err)
	}
	if err := x.b.AppendRow("Roles", 200, "Armador", true); err != nil {
		t.Fatal(err)
	}
	envivo(t, "sheet", "pull", "--data", data)
	s.post("/api/occupation/tomar", take("SIN-MATERIAL-001", 200, "ARM")).want(t, "a take by the new worker once materials are there", 200)
	s.settled()
	x.agrees(data)
	s.stop()
}

func TestASheetOfTheOldPlantIsMigratedAndTakenBack(t *testing.T) {
	t.Parallel()
	x := newSheet(t, plantCSV(t, 12, 2))
	rows, _ := x.b.Dump("Operaciones")
	for _, name := range []string{"Ocupado_Por", "Fecha_Ocupacion", "version", "Estado_Detalle"} {
		if err := x.b.DeleteColumn("Operaciones", name); err != nil {
			t.Fatal(err)
		}
	}
	original, _ := x.b.Dump("Operaciones")
	data := filepath.Join(t.TempDir(), "planta")
	sub := func(args ...string) []string {
		return append(append([]string{"sheet"}, args...), append(slices.Clone(x.flags), "--data", data)...)
	}
	if out, err := run(sub("check")...); err == nil || !strings.Contains(out, "Ocupado_Por") {
		t.Errorf("check of a sheet that is not migrated: %v, %q, want it refused by column", err, out)
	}
	envivo(t, sub("migrate", "--dry-run")...)
	if now, _ := x.b.Dump("Operaciones"); fmt.Sprint(now) != fmt.Sprint(original) {
		t.Error("the rehearsal changed the Sheet")
	}
	envivo(t, sub("migrate")...)
	if now, _ := x.b.Dump("Operaciones"); len(now[0]) != len(rows[0]) {
		t.Errorf("%d columns after the migration, want %d", len(now[0]), len(rows[0]))
	}
	envivo(t, sub("check")...)
	if out := envivo(t, sub("migrate")...); !strings.Contains(out, "no") {
		t.Errorf("a second migration says %q, want it to say that there is nothing to do", out)
	}
	envivo(t, sub("migrate", "--rollback")...)
	if now, _ := x.b.Dump("Operaciones"); fmt.Sprint(now) != fmt.Sprint(original) {
		t.Error("the Sheet is not as it was after the rollback")
	}
}

func TestASupervisorDecidesAboutHandMadeEdits(t *testing.T) {
	t.Parallel()
	x := newSheet(t, plantCSV(t, 10, 0))
	data := filepath.Join(t.TempDir(), "planta")
	s := serve(t, data, x.flags...)
	s.settled()
	admin := "Bearer " + strings.TrimSpace(envivo(t, "token", "new", "--data", data, "--name", "jefa", "--scope", "admin"))
	edit := func(tag, column string, v any) {
		t.Helper()
		if err := x.b.Put("Operaciones", [2]string{"TAG_SPOOL", tag}, column, v); err != nil {
			t.Fatal(err)
		}
	}
	proposals := func() []any {
		t.Helper()
		envivo(t, "sheet", "pull", "--data", data)
		out, _ := s.get("/api/sync").Body["proposals"].([]any)
		return out
	}
	edit("S-0001", "Armador", "AB(12)")
	edit("S-0001", "Fecha_Armado", emulator.Day(2026, 10, 20))
	edit("S-0002", "Armador", "BC(13)")
	found := proposals()
	if len(found) != 3 {
		t.Fatalf("%d propuestas, want 3 (two columns of one spool, one of another): %v", len(found), found)
	}
	if e := s.get("/api/spools/S-0001"); e.text("armador") != "" {
		t.Errorf("the edit was believed before anybody decided: %s", e.Raw)
	}
	id := map[string]string{}
	for _, p := range found {
		p := p.(map[string]any)
		id[p["tag_spool"].(string)], _ = p["id"].(string)
	}
	accept := "/api/sync/proposals/" + id["S-0001"] + "/accept"
	s.post(accept, fields{"motivo": "armado antes del sistema"}).want(t, "accepting without being the supervisor", 403)
	s.post(accept, fields{"motivo": "armado antes del sistema"}, "Authorization", admin).want(t, "accepting", 200)
	s.post("/api/sync/proposals/"+id["S-0002"]+"/reject", fields{}, "Authorization", admin).want(t, "rejecting", 200)
	if left := proposals(); len(left) != 0 {
		t.Errorf("%d propuestas afterwards, want none: %v", len(left), left)
	}
	if r := s.get("/api/spools/S-0001"); r.text("fecha_armado") == "" || r.text("armador") != "AB(12)" {
		t.Errorf("S-0001 after the correction = %s, want it armed by AB(12)", r.Raw)
	}
	s.settled()
	x.agrees(data)
	log := x.shown("Metadata")
	if last := log[len(log)-1]; !slices.ContainsFunc(log, func(l []string) bool { return l[2] == "SYSTEM_REMEDIATION" && l[3] == "S-0001" }) {
		t.Errorf("the log of the Sheet has no SYSTEM_REMEDIATION of S-0001; its last row is %v", last)
	}
	s.stop()
	check(t, data)
}

func TestASheetOfAnotherEnvironmentIsLeftAlone(t *testing.T) {
	t.Parallel()
	x := newSheet(t, plantCSV(t, 6, 0))
	mine := filepath.Join(t.TempDir(), "planta")
	s := serve(t, mine, x.flags...)
	s.settled()
	s.stop()
	before, _ := x.b.Dump("Operaciones")
	x.e.ResetCalls()

	other := filepath.Join(t.TempDir(), "ensayo")
	s = serve(t, other, append([]string{"--env", "prueba"}, x.flags...)...)
	if out, err := run("sheet", "pull", "--data", other); err == nil || !strings.Contains(out, "produccion") {
		t.Errorf("a pull from the Sheet of another environment: %v, %q, want it refused by name", err, out)
	}
	if n := s.get("/api/spools?limit=1").num("total"); n != 0 {
		t.Errorf("%d spools came out of the Sheet of another environment", n)
	}
	s.stop()
	for _, c := range x.e.Calls() {
		if c.Op.Kind() == emulator.Write {
			t.Errorf("a test plant wrote to the Sheet of another environment: %v", c.Op)
		}
	}
	if after, _ := x.b.Dump("Operaciones"); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Error("the Sheet of another environment was changed")
	}
	sub := append([]string{"sheet", "check", "--claim", "--env", "prueba", "--data", other}, x.flags...)
	envivo(t, sub...)
	s = serve(t, other, append([]string{"--env", "prueba"}, x.flags...)...)
	s.settled()
	s.stop()
}
