package e2e

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDepartedWorkersNameIsNowhere: after the name of a departed worker was
// taken out, no page, answer, stream or export of the built binary says it, not
// even after the office's list came in once more; the chain verifies, and what
// the worker did is still there under the number.
func TestDepartedWorkersNameIsNowhere(t *testing.T) {
	data := newPlant(t, 3, 1)
	s := serve(t, data)
	s.post("/api/occupation/tomar", take(spoolTag(1), fitterB, "ARM")).want(t, "TOMAR", 200)
	dir := t.TempDir()
	about := filepath.Join(dir, "13.json")
	envivo(t, "worker", "export", "13", "--data", data, "--out", about)
	var known struct {
		Nombre  string           `json:"nombre"`
		Tiene   []string         `json:"tiene"`
		Eventos []map[string]any `json:"eventos"`
	}
	text, err := os.ReadFile(about)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &known); err != nil || known.Nombre != "Bruno" || len(known.Tiene) != 1 || len(known.Eventos) == 0 {
		t.Errorf("the export says %.400s, want Bruno with one spool and events; %v", text, err)
	}
	refused := func(why string) {
		t.Helper()
		if out, err := run("worker", "anonymise", "13", "--data", data, "--motivo", "se fue", "--yes"); err == nil || !strings.Contains(out, why) {
			t.Errorf("anonymise says %q, %v; want a refusal that says %q", out, err, why)
		}
	}
	refused("is active")
	plant := plantCSV(t, 3, 1)
	list := filepath.Join(plant, "Trabajadores.csv")
	rows, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	write(t, plant, "Trabajadores.csv", strings.Replace(string(rows), "13,Bruno,Castro,TRUE", "13,Bruno,Castro,FALSE", 1))
	envivo(t, "import", plant, "--data", data)
	refused("holds spools")
	admin := strings.Fields(envivo(t, "token", "new", "--data", data, "--name", "oficina", "--scope", "admin"))[0]
	s.post("/api/occupation/liberar", fields{"tag_spool": spoolTag(1), "motivo": "se fue"}, "Authorization", "Bearer "+admin).want(t, "LIBERAR", 200)
	envivo(t, "worker", "anonymise", "13", "--data", data, "--motivo", "se fue", "--yes")
	envivo(t, "import", plant, "--data", data) // the office still has the name

	out, sheet := filepath.Join(dir, "out"), filepath.Join(dir, "hoja.html")
	envivo(t, "export", "--data", data, "--out", out)
	envivo(t, "contingency", "--data", data, "--out", sheet)
	envivo(t, "worker", "export", "13", "--data", data, "--out", about)
	for what, said := range everything(t, s, out, sheet, about) {
		for _, name := range []string{"Bruno", "Castro"} {
			if strings.Contains(said, name) {
				t.Errorf("%s still says %s", what, name)
			}
		}
	}
	if r := s.get("/mi-registro/13"); !strings.Contains(r.Raw, "Trabajador 13") {
		t.Errorf("the page of worker 13 = %d and does not say Trabajador 13", r.Status)
	}
	check(t, data)
	s.stop()
	check(t, data)
}

// everything is what the box tells, by where it tells it.
func everything(t *testing.T, s *server, files ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, path := range []string{"/", "/quien", "/spools", "/spools/" + spoolTag(1), "/spools/" + spoolTag(1) + "/dossier", "/cifras", "/momento",
		"/mi-registro/13", "/tv?vista=quien", "/imprimir?que=credenciales", "/imprimir/contingencia", "/supervisor",
		"/api/workers", "/api/events?after=0&limit=500", "/api/history/" + spoolTag(1), "/api/spools", "/api/spools/" + spoolTag(1)} {
		all[path] = s.get(path).Raw
	}
	for _, root := range files {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			all[path] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}
