package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAStoreThatCannotGrow limits the size of files, so that sooner or later a
// command cannot be committed: every generation is told so with 503, and what
// was acknowledged before is there afterwards.
func TestAStoreThatCannotGrow(t *testing.T) {
	for path, body := range map[string]func(tag string) fields{
		"/api/occupation/tomar":      func(tag string) fields { return take(tag, fitterA, "ARM") },
		"/api/iniciar-accion":        func(tag string) fields { return take(tag, fitterA, "ARM") },
		"/api/v4/occupation/iniciar": func(tag string) fields { return take(tag, fitterA, "ARM") },
		"/api/spool/S-0001/notas":    func(string) fields { return fields{"texto": strings.Repeat("x", 500)} },
		"/api/supervisor/list/add":   func(tag string) fields { return fields{"tag_spool": tag, "session_id": "s"} },
		"/api/occupation/batch-tomar": func(tag string) fields {
			return fields{"tag_spools": []string{tag}, "worker_id": fitterA, "operacion": "ARM"}
		},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			data := tinyPlant(t)
			s := cramped(t, data)
			defer func() { _ = s.cmd.Process.Kill() }() // when a failure above left it alive
			done := 0
			var last reply
			for i := 1; i <= tinySpools; i++ {
				if last = s.post(path, body(spoolTag(i))); last.Status != 200 || strings.Contains(last.Raw, `"succeeded":0`) {
					break
				}
				done++
			}
			if batch := strings.HasSuffix(path, "batch-tomar"); batch && !strings.Contains(last.Raw, `"message":"Error: El disco del servidor`) {
				t.Errorf("the batch that could not be stored = %d %s", last.Status, last.Raw)
			} else if !batch && (last.Status != 503 || last.text("error") != "SHEETS_UPDATE_ERROR" || !strings.Contains(last.text("message"), "servidor") || strings.Contains(last.text("message"), "red")) {
				t.Errorf("what could not be stored = %d %s, want 503", last.Status, last.Raw)
			}
			if t.Failed() {
				return
			}
			if r := s.get("/api/occupation/status/" + spoolTag(1)); r.Status != 200 {
				t.Errorf("a reading while nothing can be stored = %d %s, want 200", r.Status, r.Raw)
			}
			if again := s.post(path, body(spoolTag(done+1))); !strings.Contains(again.Raw, "servidor") {
				t.Errorf("the same once more = %d %s, want it refused in the same way", again.Status, again.Raw)
			}
			s.kill()
			after := serve(t, data)
			if n := len(after.events()); !strings.Contains(path, "supervisor") && n < done {
				t.Errorf("%d events after %d acknowledged commands", n, done)
			}
			after.stop()
			check(t, data)
		})
	}
}

// tinySpools are few enough for the store's first pages: a file grows by 16 MiB.
const tinySpools = 9

// tinyPlant is a plant whose store has not grown yet.
func tinyPlant(t *testing.T) string {
	t.Helper()
	dir, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	var ops strings.Builder
	ops.WriteString("TAG_SPOOL,SPLIT,NV,OT,Fecha_Materiales,Fecha_Armado,Armador,Fecha_Soldadura,Soldador,Fecha_QC_Metrología,Ocupado_Por,Fecha_Ocupacion,version,Estado_Detalle\n")
	for i := 1; i <= tinySpools; i++ {
		fmt.Fprintf(&ops, "%s,,NV1,,05-10-2026,,,,,,,,,\n", spoolTag(i))
	}
	write(t, dir, "Operaciones.csv", ops.String())
	write(t, dir, "Trabajadores.csv", "Id,Nombre,Apellido,Activo\n12,Ana,Bravo,TRUE\n")
	write(t, dir, "Roles.csv", "Id,Rol,Activo\n12,Armador,TRUE\n")
	envivo(t, "import", dir, "--data", data)
	return data
}

// blocksOf is the size of a plant's store in the smaller unit of ulimit, of 512
// bytes; under the larger one there is twice the room.
func blocksOf(t *testing.T, data string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(data, "plant.db"))
	if err != nil {
		t.Fatal(err)
	}
	return (info.Size() + 511) / 512
}

// cramped serves a plant under a limit of file size: room for what is there and
// no more.
func cramped(t *testing.T, data string) *server {
	t.Helper()
	s := &server{t: t, data: data, logs: &lockedBuffer{}, done: make(chan error, 1)}
	s.cmd = exec.Command("sh", "-c", `ulimit -f "$0" && exec "$@"`, fmt.Sprint(blocksOf(t, data)), binary, "serve", "--data", data, "--addr", "127.0.0.1:0", "--access", "open")
	s.cmd.Stderr = s.logs
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server ended before it was ready: %v\n%s", err, s.logs.String())
	}
	_, s.url, _ = strings.Cut(strings.TrimSpace(line), "escuchando en ")
	go func() { s.done <- s.cmd.Wait() }()
	return s
}
