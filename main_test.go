package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"envivo": main})
}

// TestScripts proves that the manual is true: every script is a sitting at the
// terminal.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("TMPDIR", e.WorkDir)
			for _, name := range []string{"ENVIVO_ENV", "ENVIRONMENT", "LOG_LEVEL", "API_PORT"} {
				e.Setenv(name, "")
			}
			e.Values["server"] = &background{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server": startServer,
			"stop":   stopServer,
			"fetch":  fetch,
			"exits":  exits,
			"glob":   globbed,
		},
	})
}

// background is the server a script has started.
type background struct {
	cmd    *exec.Cmd
	errors lockedBuffer
	copied chan struct{} // closed when all of stdout was read
}

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

// startServer runs `envivo ARGS` until `stop`, waits for its first line and
// puts the address into $URL.
func startServer(ts *testscript.TestScript, neg bool, args []string) {
	b := ts.Value("server").(*background)
	*b = background{copied: make(chan struct{})}
	b.cmd = exec.Command(program0(ts), args...)
	b.cmd.Dir = ts.Getenv("WORK")
	b.cmd.Env = environ(ts)
	b.cmd.Stderr = &b.errors
	out, err := b.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(b.cmd.Start())
	ts.Defer(func() { _ = b.cmd.Process.Kill() })
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	if err != nil {
		ts.Fatalf("envivo %s ended before it was ready: %v\n%s", strings.Join(args, " "), err, b.errors.String())
	}
	go func() {
		defer close(b.copied)
		_, _ = io.Copy(io.Discard, r)
	}()
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "envivo escuchando en ")
	if !ok {
		ts.Fatalf("first line = %q, want the address", line)
	}
	ts.Setenv("URL", url)
}

// stopServer asks the server to stop (or kills it, with the argument "kill")
// and wants exit code 0 after a request.
func stopServer(ts *testscript.TestScript, neg bool, args []string) {
	b := ts.Value("server").(*background)
	if len(args) == 1 && args[0] == "kill" {
		ts.Check(b.cmd.Process.Kill())
		<-b.copied
		_ = b.cmd.Wait() // it was killed
		return
	}
	ts.Check(b.cmd.Process.Signal(syscall.SIGTERM))
	<-b.copied
	if err := b.cmd.Wait(); err != nil {
		ts.Fatalf("the server ended with %v after SIGTERM, want exit code 0\n%s", err, b.errors.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs("server.log"), []byte(b.errors.String()), 0o600))
}

// fetch gets a path from the server and puts status and body into a file:
// fetch PATH FILE.
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: fetch PATH FILE")
	}
	resp, err := http.Get(ts.Getenv("URL") + args[0])
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), append([]byte(resp.Status+"\n"), body...), 0o600))
}

// globbed wants so many files: glob N PATTERN.
func globbed(ts *testscript.TestScript, _ bool, args []string) {
	found, err := filepath.Glob(ts.MkAbs(args[1]))
	ts.Check(err)
	if strconv.Itoa(len(found)) != args[0] {
		ts.Fatalf("%s is %v, want %s files", args[1], found, args[0])
	}
}

// exits runs a command and wants the given exit code: exits CODE ARGS…. Output
// goes to the files stdout and stderr.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	cmd := exec.Command(program0(ts), args[1:]...)
	cmd.Dir, cmd.Env = ts.Getenv("WORK"), environ(ts)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if cmd.ProcessState == nil {
		ts.Fatalf("envivo: %v", err)
	}
	if got := cmd.ProcessState.ExitCode(); args[0] != string(rune('0'+got)) {
		ts.Fatalf("envivo %s exits %d, want %s\n%s%s", strings.Join(args[1:], " "), got, args[0], out.String(), errs.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs("stdout.txt"), out.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("stderr.txt"), errs.Bytes(), 0o600))
}

// program0 is the program under test in the script's path.
func program0(ts *testscript.TestScript) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		name := filepath.Join(dir, "envivo")
		if info, err := os.Stat(name); err == nil && !info.IsDir() {
			return name
		}
	}
	ts.Fatalf("envivo is not in the script's path")
	return ""
}

func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOCOVERDIR", "TESTSCRIPT_COMMAND"} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}
