package e2e

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// workbook is the realistic plant that the project ships.
const workbook = "../sheetsync/testdata/planta.xlsx"

// TestWorkbookRoundTrip imports the real workbook, works a shift on it, exports
// the result and imports that into a new folder: nothing of the plant's state
// may be different.
func TestWorkbookRoundTrip(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	var report struct {
		Sheets  map[string]struct{ Rows, Accepted, Repaired, Quarantined, Unchanged int }
		Changed int
	}
	decode(t, envivo(t, "import", workbook, "--data", data, "--json"), &report)
	if n := report.Sheets["Operaciones"].Rows; n < 2493 {
		t.Fatalf("the workbook has %d rows of Operaciones, want at least 2493", n)
	}
	decode(t, envivo(t, "import", workbook, "--data", data, "--json"), &report)
	if report.Changed != 0 {
		t.Fatalf("importing the same workbook again changed %d things, want 0", report.Changed)
	}
	s := serve(t, data)
	shift(t, s)
	want := spools(t, s)
	s.stop()
	check(t, data)

	out1, out2 := filepath.Join(t.TempDir(), "uno.xlsx"), filepath.Join(t.TempDir(), "dos")
	envivo(t, "export", "--data", data, "--out", out1)
	other := filepath.Join(t.TempDir(), "other")
	envivo(t, "import", out1, "--data", other)
	check(t, other)
	s = serve(t, other)
	if d := cmp.Diff(want, spools(t, s)); d != "" {
		t.Errorf("the state after export and import differs (-before +after):\n%s", tail(d, 4000))
	}
	s.stop()
	envivo(t, "export", "--data", data, "--out", out2)
	out3 := filepath.Join(t.TempDir(), "tres")
	envivo(t, "export", "--data", other, "--out", out3)
	for _, name := range []string{"Operaciones.csv", "Trabajadores.csv", "Roles.csv", "Uniones.csv", "Metadata.csv"} {
		a, b := table(t, filepath.Join(out2, name)), table(t, filepath.Join(out3, name))
		if len(a) < 2 {
			t.Errorf("%s has %d rows", name, len(a))
		}
		if d := cmp.Diff(a, b); d != "" {
			t.Errorf("%s differs after export and import (-before +after):\n%s", name, tail(d, 3000))
		}
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %s", err, tail(text, 500))
	}
}

func table(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// spools reads every spool's full state, without what belongs to a store
// rather than to the plant.
func spools(t *testing.T, s *server) map[string]fields {
	t.Helper()
	out := map[string]fields{}
	for after := ""; ; {
		r := s.get("/api/spools?limit=500&after="+url.QueryEscape(after)).want(t, "GET /api/spools", 200)
		page, _ := r.Body["spools"].([]any)
		for _, e := range page {
			sp := e.(fields)
			tag := sp["tag_spool"].(string)
			full := s.get("/api/spools/"+url.PathEscape(tag)).want(t, "GET spool "+tag, 200).Body
			// columnas_danadas is about cells of the file that was read; the one we
			// write has none that cannot be read.
			for _, key := range []string{"version", "seq", "acciones", "vencida", "columnas_danadas"} {
				delete(full, key)
			}
			out[tag] = full
		}
		next, _ := r.Body["next"].(string)
		if next == "" {
			if total := r.num("total"); len(out) != total {
				t.Fatalf("paging gave %d spools of %d", len(out), total)
			}
			return out
		}
		after = next
	}
}

// shift is some hours of everybody's work, by the lists the plant's people see.
func shift(t *testing.T, s *server) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 8))
	byRole := map[string][]int{}
	list, _ := s.get("/api/workers").want(t, "GET /api/workers", 200).Body["workers"].([]any)
	for _, w := range list {
		w := w.(fields)
		for _, role := range w["roles"].([]any) {
			byRole[role.(string)] = append(byRole[role.(string)], int(w["id"].(float64)))
		}
	}
	pick := func(role string) int { return byRole[role][rng.IntN(len(byRole[role]))] }
	done := map[string]int{}
	act := func(name, path string, body fields) {
		if r := s.post(path, body); r.Status == 200 {
			done[name]++
		} else if r.Status >= 500 {
			t.Fatalf("%s = %d %s", name, r.Status, r.Raw)
		}
	}
	for _, op := range []struct{ op, role string }{{"ARM", "Armador"}, {"SOLD", "Soldador"}} {
		for i, tag := range tags(s, "/api/spools/iniciar?operacion="+op.op) {
			if i == 60 {
				break
			}
			who := pick(op.role)
			act("tomar", "/api/occupation/tomar", take(tag, who, op.op))
			switch i % 3 {
			case 0:
				act("pausar", "/api/occupation/pausar", take(tag, who, op.op))
			case 1:
				act("completar", "/api/occupation/completar", take(tag, who, op.op))
			}
		}
	}
	for i, tag := range tags(s, "/api/spools/iniciar?operacion=METROLOGIA") {
		act("inspeccionar", "/api/metrologia/completar", fields{"tag_spool": tag, "worker_id": pick("Metrologia"), "resultado": []string{"APROBADO", "RECHAZADO"}[i%2]})
	}
	for i, tag := range tags(s, "/api/spools/reparacion") {
		body := fields{"tag_spool": tag, "worker_id": pick("Soldador")}
		act("reparar", "/api/tomar-reparacion", body)
		verb := []string{"", "pausar", "completar", "cancelar"}[i%4]
		if verb != "" {
			act(verb+" reparación", "/api/"+verb+"-reparacion", body)
		}
	}
	for _, name := range []string{"tomar", "pausar", "inspeccionar", "reparar"} {
		if done[name] == 0 {
			t.Errorf("the shift never managed to %s: %v", name, done)
		}
	}
	t.Log("the shift: " + fmt.Sprint(done))
}

func tags(s *server, path string) []string {
	s.t.Helper()
	list, _ := s.get(path).want(s.t, "GET "+path, 200).Body["spools"].([]any)
	var out []string
	for _, e := range list {
		out = append(out, e.(fields)["tag_spool"].(string))
	}
	if !slices.ContainsFunc(out, func(s string) bool { return strings.TrimSpace(s) != "" }) {
		s.t.Logf("%s offers nothing", path)
	}
	return out
}
