package e2e

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// terabyte answers that so much follows, and lets it follow as long as it is read.
func terabyte(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "1099511627776")
	for some := []byte(strings.Repeat(" ", 64<<10)); ; {
		if _, err := w.Write(some); err != nil {
			return
		}
	}
}

// endlessSheet has the Sheet read where somebody else answers in its place.
func (a *assault) endlessSheet() string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/spreadsheets/") {
			terabyte(w)
			return
		}
		a.sheet.e.ServeHTTP(w, r) // the token
	}))
	defer srv.Close()
	key, err := a.sheet.e.KeyFile(srv.URL)
	if err != nil {
		a.t.Fatal(err)
	}
	path := filepath.Join(a.t.TempDir(), "otra-clave.json")
	if err := os.WriteFile(path, key, 0o600); err != nil {
		a.t.Fatal(err)
	}
	said, memory := a.program("sheet", "check", "--data", a.data, "--sheet-id", "planilla", "--sheet-credentials", path, "--sheet-endpoint", srv.URL)
	if memory > 256<<20 {
		return said + ", with too much memory"
	}
	return said
}

// endlessPrimary has a standby begin with a copy that no disk holds.
func (a *assault) endlessPrimary() string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { terabyte(w) }))
	defer srv.Close()
	token := filepath.Join(a.t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(a.admin), 0o600); err != nil {
		a.t.Fatal(err)
	}
	data := filepath.Join(a.t.TempDir(), "respaldo")
	before := len(a.logs.String())
	cmd := exec.Command(binary, "serve", "--data", data, "--addr", "127.0.0.1:0", "--standby-of", srv.URL, "--standby-token", token)
	cmd.Stdout, cmd.Stderr = a.logs, a.logs
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	for end := time.After(20 * time.Second); !strings.Contains(a.logs.String()[before:], "standby: no copy"); {
		select {
		case <-end:
			return "the copy is taken"
		case <-time.After(10 * time.Millisecond):
		}
	}
	left := "no copy, nothing written"
	_ = filepath.WalkDir(data, func(_ string, d fs.DirEntry, err error) error { // what vanishes meanwhile is not there
		if info, infoErr := d.Info(); err == nil && infoErr == nil && !d.IsDir() && info.Size() > 0 {
			left = "left " + d.Name()
		}
		return nil
	})
	return left
}
