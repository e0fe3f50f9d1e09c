// Package e2e holds the tests that drive the built binary from outside, over
// real HTTP, real sockets, a real store file and a real browser.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the program under test, built once by TestMain.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "envivo-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "envivo")
		build := exec.Command("go", "build", "-o", binary, "envivo")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the binary: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// The people of the test plant.
const (
	fitterA  = 12 // Ana Bravo, Armador
	fitterB  = 13 // Bruno Castro, Armador
	welder   = 34 // Carlos Díaz, Soldador
	helper   = 45 // Diego Errázuriz, Ayudante
	metro    = 56 // Elena Fuentes, Metrologia
	inactive = 67 // Félix Gómez, Armador, not active
)

// plant writes a small plant as CSV: jointless spools S-0001…, ready for ARM,
// and spools U-01… with four unions, the last of them ARM-only.
func plantCSV(t testing.TB, spools, jointed int) string {
	t.Helper()
	dir := t.TempDir()
	var ops, joints strings.Builder
	ops.WriteString("TAG_SPOOL,SPLIT,NV,OT,Fecha_Materiales,Fecha_Armado,Armador,Fecha_Soldadura,Soldador,Fecha_QC_Metrología,Ocupado_Por,Fecha_Ocupacion,version,Estado_Detalle\n")
	for i := 1; i <= spools; i++ {
		fmt.Fprintf(&ops, "%s,,NV%03d,,05-10-2026,,,,,,,,,\n", spoolTag(i), i/10)
	}
	ops.WriteString("SIN-MATERIAL-001,,NV999,,,,,,,,,,,\n")
	joints.WriteString("ID,OT,N_UNION,TAG_SPOOL,DN_UNION,TIPO_UNION,ARM_FECHA_INICIO,ARM_FECHA_FIN,ARM_WORKER,SOL_FECHA_INICIO,SOL_FECHA_FIN,SOL_WORKER,NDT_UNION,R_NDT_UNION,NDT_FECHA,NDT_STATUS,version\n")
	for i := 1; i <= jointed; i++ {
		fmt.Fprintf(&ops, "%s,,NV%03d,%d,05-10-2026,,,,,,,,,\n", jointTag(i), 500+i/10, i)
		for n, tipo := range []string{"BW", "SO", "BR", "FW"} {
			fmt.Fprintf(&joints, "%d,%d,%d,%s,%d,%s,,,,,,,,,,,\n", i*10+n, i, n+1, jointTag(i), 2+n, tipo)
		}
	}
	write(t, dir, "Operaciones.csv", ops.String())
	write(t, dir, "Uniones.csv", joints.String())
	write(t, dir, "Trabajadores.csv", "Id,Nombre,Apellido,Activo\n12,Ana,Bravo,TRUE\n13,Bruno,Castro,TRUE\n34,Carlos,Díaz,TRUE\n45,Diego,Errázuriz,TRUE\n56,Elena,Fuentes,TRUE\n67,Félix,Gómez,FALSE\n"+crewCSV("%d,Obrero%d,Zeta,TRUE\n"))
	write(t, dir, "Roles.csv", "Id,Rol,Activo\n12,Armador,TRUE\n13,Armador,TRUE\n34,Soldador,TRUE\n45,Ayudante,TRUE\n56,Metrologia,TRUE\n67,Armador,TRUE\n"+crewCSV("%d,Armador,TRUE\n"))
	return dir
}

// crewCSV lists the fifty fitters 101 to 150.
func crewCSV(row string) string {
	var b strings.Builder
	for id := 101; id <= 150; id++ {
		if strings.Count(row, "%d") == 2 {
			fmt.Fprintf(&b, row, id, id)
			continue
		}
		fmt.Fprintf(&b, row, id)
	}
	return b.String()
}

func spoolTag(i int) string { return fmt.Sprintf("S-%04d", i) }
func jointTag(i int) string { return fmt.Sprintf("U-%02d", i) }

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// envivo runs a subcommand and returns its output; a failure ends the test.
func envivo(t testing.TB, args ...string) string {
	t.Helper()
	out, err := run(args...)
	if err != nil {
		t.Fatalf("envivo %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func run(args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	return stdout.String() + stderr.String(), err
}

// server is one running binary.
type server struct {
	t    testing.TB
	cmd  *exec.Cmd
	data string
	url  string
	logs *lockedBuffer
	done chan error
	said chan string // what it says on stdout after the ready line
}

// newPlant imports a test plant into a new folder.
func newPlant(t testing.TB, spools, jointed int) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	envivo(t, "import", plantCSV(t, spools, jointed), "--data", data)
	return data
}

// serve starts the binary on data and stops it when the test ends.
func serve(t testing.TB, data string, args ...string) *server {
	t.Helper()
	return launch(t, data, append([]string{"serve", "--data", data, "--addr", "127.0.0.1:0", "--access", "open"}, args...)...)
}

// launch starts the binary with any arguments that make it serve.
func launch(t testing.TB, data string, args ...string) *server {
	t.Helper()
	s := &server{t: t, data: data, logs: &lockedBuffer{}, done: make(chan error, 1), said: make(chan string, 16)}
	s.cmd = exec.Command(binary, args...)
	s.cmd.Stderr = s.logs
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stdout := bufio.NewReader(out)
	line, err := stdout.ReadString('\n')
	if err != nil {
		t.Fatalf("the server ended before it was ready: %v\n%s", err, s.logs.String())
	}
	go s.hear(stdout)
	const prefix = "envivo escuchando en "
	if !strings.HasPrefix(line, prefix+"http") {
		t.Fatalf("first line = %q, want %q and the address", line, prefix)
	}
	s.url = strings.TrimSpace(strings.TrimPrefix(line, prefix))
	go func() { s.done <- s.cmd.Wait() }()
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("server log:\n%s", tail(s.logs.String(), 4000))
		}
	})
	return s
}

// hear keeps the first lines that follow the ready line; the rest is dropped.
func (s *server) hear(stdout *bufio.Reader) {
	for {
		line, err := stdout.ReadString('\n')
		if err != nil {
			return
		}
		select {
		case s.said <- line:
		default:
		}
	}
}

// kill is the power failing: no handler runs, nothing is flushed by the process.
func (s *server) kill() {
	_ = s.cmd.Process.Signal(syscall.SIGKILL)
	<-s.done
	s.done <- nil
}

// stop ends the server in order and reports an exit code other than 0.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-s.done:
		if err != nil {
			s.t.Errorf("the server ended with %v, want exit code 0", err)
		}
		s.done <- nil
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Kill()
		s.t.Error("the server did not stop within 30 s of SIGTERM")
	}
}

// reply is one HTTP answer.
type reply struct {
	Status int
	Body   map[string]any
	Raw    string
}

func (r reply) text(key string) string { s, _ := r.Body[key].(string); return s }
func (r reply) num(key string) int     { n, _ := r.Body[key].(float64); return int(n) }

var httpClient = &http.Client{
	Transport: &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true},
	Timeout:   30 * time.Second,
}

// try posts a JSON value and returns the transport's error instead of failing.
func (s *server) try(path string, body any, header ...string) (reply, error) {
	b, ok := body.([]byte)
	if !ok {
		var err error
		if b, err = json.Marshal(body); err != nil {
			return reply{}, err
		}
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.url+path, bytes.NewReader(b))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return do(req)
}

func do(req *http.Request) (reply, error) {
	resp, err := httpClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{}, err
	}
	r := reply{Status: resp.StatusCode, Raw: string(raw)}
	_ = json.Unmarshal(raw, &r.Body)
	return r, nil
}

// post is try for tests in which the server must be there.
func (s *server) post(path string, body any, header ...string) reply {
	s.t.Helper()
	r, err := s.try(path, body, header...)
	if err != nil {
		s.t.Fatalf("POST %s: %v\n%s", path, err, tail(s.logs.String(), 2000))
	}
	return r
}

// get reads a JSON document.
func (s *server) get(path string) reply {
	s.t.Helper()
	r, err := s.read(path)
	if err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
	return r
}

// read is get for tests in which the server may be gone.
func (s *server) read(path string) (reply, error) {
	req, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	if err != nil {
		return reply{}, err
	}
	return do(req)
}

// want fails the test unless the status is as expected.
func (r reply) want(t testing.TB, what string, status int) reply {
	t.Helper()
	if r.Status != status {
		t.Fatalf("%s = %d %s, want %d", what, r.Status, tail(r.Raw, 500), status)
	}
	return r
}

type fields = map[string]any

func take(tag string, worker int, op string) fields {
	return fields{"tag_spool": tag, "worker_id": worker, "worker_nombre": "x", "operacion": op}
}

// events reads the whole log.
func (s *server) events() []fields {
	s.t.Helper()
	var all []fields
	for after := 0; ; {
		r := s.get(fmt.Sprintf("/api/events?after=%d&limit=5000", after)).want(s.t, "GET /api/events", 200)
		page, _ := r.Body["events"].([]any)
		for _, e := range page {
			all = append(all, e.(fields))
		}
		if len(page) == 0 {
			return all
		}
		after = int(all[len(all)-1]["seq"].(float64))
	}
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// lockedBuffer collects a log that a process writes while a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// check runs `envivo check` on a folder and fails the test on any violation.
func check(t testing.TB, data string) {
	t.Helper()
	if out, err := run("check", "--data", data); err != nil {
		var exit *exec.ExitError
		errors.As(err, &exit)
		t.Fatalf("envivo check found a violation (%v):\n%s", err, out)
	}
}
