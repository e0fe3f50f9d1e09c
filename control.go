package main

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"envivo/api"
	"envivo/plant"
	"envivo/sheetsync"
	"envivo/sheetsync/table"
	"envivo/store"
	"envivo/ui"
)

// keeper is what the data commands need from whoever has the store open: desk
// in this process, wire in the server that is running on the folder.
type keeper interface {
	// Import brings in worksheets; source names them. A rehearsal changes nothing.
	Import(ctx context.Context, b table.Book, source string, rehearse bool) (*sheetsync.Report, error)
	// Export gives the worksheets with the current state.
	Export(ctx context.Context) (table.Book, error)
	// Backup writes a consistent, verified copy of the store.
	Backup(ctx context.Context, w io.Writer) error
	// Check proves every invariant on a consistent copy.
	Check(ctx context.Context) (*store.Report, error)
	// Settings are the store's own settings whose key begins with prefix.
	Settings(ctx context.Context, prefix string) (map[string]string, error)
	// Set changes one setting; an empty value removes it.
	Set(ctx context.Context, s plant.Setting) error
	// Invite makes the one-time code of a new device; only a running server can.
	Invite(ctx context.Context, t ui.TabletSettings) (Invitation, error)
	// Ask answers about people and paper; see people.go.
	Ask(ctx context.Context, what string, q url.Values, w io.Writer) error
	// SheetStatus is how the exchange with the Sheet stands.
	SheetStatus(ctx context.Context) (api.SyncStatus, error)
	// SheetNow has exchanges made until done says so or a person is needed. The
	// settings count only where no server runs.
	SheetNow(ctx context.Context, flags *sheetFlags, done func(api.SyncStatus) bool) (api.SyncStatus, error)
	// Promote makes a standby the plant's server; force does so although it is
	// behind or its primary answers, for a reason.
	Promote(ctx context.Context, force bool, reason string) error
	Close() error
}

const (
	socketName = "envivo.sock"
	// socketMax is the longest socket path that every system accepts
	// (sun_path holds 104 bytes on some, 108 on Linux).
	socketMax = 100
	// controlMax bounds what is taken from the socket: a whole workbook.
	controlMax = 512 << 20
)

// withSocket calls use with a path to DIR's socket that is short enough for the
// kernel: a long one is reached through a short-lived symbolic link to DIR.
func withSocket(dir string, use func(path string) error) error {
	path, err := filepath.Abs(filepath.Join(dir, socketName))
	if err != nil {
		return err
	}
	if len(path) <= socketMax {
		return use(path)
	}
	short, err := os.MkdirTemp("", "envivo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(short)
	link := filepath.Join(short, "d")
	if err := os.Symlink(filepath.Dir(path), link); err != nil {
		return err
	}
	return use(filepath.Join(link, socketName))
}

// listenControl opens DIR's socket; noSockets tells the error of a system without
// any. The caller holds the store's lock, so a socket file found there was left by
// a server that died.
func listenControl(dir string) (net.Listener, error) {
	if err := os.Remove(filepath.Join(dir, socketName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var l net.Listener
	err := withSocket(dir, func(path string) error {
		u, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			return err
		}
		u.SetUnlinkOnClose(false) // the path may be a link that is gone by then
		l = u
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	return l, nil
}

// dialControl reaches the server running on DIR; errNoServer when there is none,
// or none that can be reached: then the store's lock says whether one runs. Not
// every system tells a file that is missing from one where nobody listens.
func dialControl(ctx context.Context, dir string) (net.Conn, error) {
	if !exists(filepath.Join(dir, socketName)) {
		return nil, errNoServer
	}
	var c net.Conn
	err := withSocket(dir, func(path string) error {
		var d net.Dialer
		var err error
		c, err = d.DialContext(ctx, "unix", path)
		return err
	})
	if errors.Is(err, os.ErrNotExist) || refused(err) || noSockets(err) {
		return nil, errNoServer
	}
	return c, err
}

var errNoServer = errors.New("no server is running on this folder")

// envHeader names the environment a command insists on.
const envHeader = "Envivo-Env"

// wire is a keeper that asks the running server.
type wire struct {
	http *http.Client
	env  string // what --env insists on, empty for any
}

// dialKeeper finds the server running on a folder, or errNoServer.
func dialKeeper(ctx context.Context, where Where) (*wire, error) {
	probe, err := dialControl(ctx, where.Data)
	if err != nil {
		return nil, err
	}
	if err := probe.Close(); err != nil {
		return nil, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return dialControl(ctx, where.Data) }
	return &wire{http: &http.Client{Transport: &http.Transport{DialContext: dial}}, env: where.Env}, nil
}

// ask sends one request; a status other than 200 is the server's own sentence.
func (w *wire) ask(ctx context.Context, method, path string, body []byte) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://envivo"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set(envHeader, w.env)
	resp, err := w.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the running server: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	msg, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("ask the running server: %w", err)
	}
	return nil, errors.New(string(bytes.TrimSpace(msg)))
}

// fetch is ask for a JSON answer.
func (w *wire) fetch(ctx context.Context, method, path string, body []byte, into any) error {
	r, err := w.ask(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := json.NewDecoder(r).Decode(into); err != nil {
		return fmt.Errorf("read the running server's answer: %w", err)
	}
	return nil
}

func (w *wire) Import(ctx context.Context, b table.Book, source string, rehearse bool) (*sheetsync.Report, error) {
	q := url.Values{"source": {source}}
	if rehearse {
		q.Set("dry-run", "1")
	}
	var packed bytes.Buffer
	if err := gob.NewEncoder(&packed).Encode(b); err != nil {
		return nil, fmt.Errorf("pack the workbook: %w", err)
	}
	var r sheetsync.Report
	return &r, w.fetch(ctx, http.MethodPost, "/import?"+q.Encode(), packed.Bytes(), &r)
}

func (w *wire) Export(ctx context.Context) (table.Book, error) {
	var b table.Book
	r, err := w.ask(ctx, http.MethodGet, "/export", nil)
	if err != nil {
		return b, err
	}
	defer r.Close()
	if err := gob.NewDecoder(r).Decode(&b); err != nil {
		return b, fmt.Errorf("read the running server's answer: %w", err)
	}
	return b, nil
}

func (w *wire) Backup(ctx context.Context, to io.Writer) error {
	r, err := w.ask(ctx, http.MethodGet, "/backup", nil)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(to, r)
	return err
}

func (w *wire) Check(ctx context.Context) (*store.Report, error) {
	var r store.Report
	return &r, w.fetch(ctx, http.MethodGet, "/check", nil, &r)
}

func (w *wire) Settings(ctx context.Context, prefix string) (map[string]string, error) {
	var m map[string]string
	return m, w.fetch(ctx, http.MethodGet, "/settings?prefix="+url.QueryEscape(prefix), nil, &m)
}

func (w *wire) Set(ctx context.Context, s plant.Setting) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	r, err := w.ask(ctx, http.MethodPost, "/settings", b)
	if err != nil {
		return err
	}
	return r.Close()
}

func (w *wire) SheetStatus(ctx context.Context) (api.SyncStatus, error) {
	var s api.SyncStatus
	return s, w.fetch(ctx, http.MethodGet, "/sheet", nil, &s)
}

// SheetNow asks the running server and looks until it has been done.
func (w *wire) SheetNow(ctx context.Context, _ *sheetFlags, done func(api.SyncStatus) bool) (api.SyncStatus, error) {
	var s api.SyncStatus
	if err := w.fetch(ctx, http.MethodPost, "/sheet", nil, &s); err != nil {
		return s, err
	}
	const look = 200 * time.Millisecond
	for n := 0; ; n++ {
		if err := w.fetch(ctx, http.MethodGet, "/sheet", nil, &s); err != nil {
			return s, err
		}
		if done(s) || n > 50 && s.Mode == api.SyncStopped {
			return s, nil
		}
		t := time.NewTimer(look)
		select {
		case <-ctx.Done():
			t.Stop()
			return s, ctx.Err()
		case <-t.C:
		}
	}
}

func (w *wire) Promote(ctx context.Context, force bool, reason string) error {
	q := url.Values{"reason": {reason}}
	if force {
		q.Set("force", "1")
	}
	r, err := w.ask(ctx, http.MethodPost, "/promote?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	return r.Close()
}

func (w *wire) Close() error {
	w.http.CloseIdleConnections()
	return nil
}

// controlServer serves a keeper on DIR's socket, which only the user the
// server runs as can open: whoever can may read the file as well.
func controlServer(k keeper, env string) *http.Server {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(w http.ResponseWriter, r *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, controlMax)
			if want := r.Header.Get(envHeader); want != "" && want != env {
				http.Error(w, fmt.Sprintf("%v: %q, not %q", store.ErrEnv, env, want), http.StatusConflict)
				return
			}
			if err := f(w, r); err != nil {
				http.Error(w, err.Error(), http.StatusConflict)
			}
		})
	}
	handle("POST /import", func(w http.ResponseWriter, r *http.Request) error {
		var b table.Book
		if err := gob.NewDecoder(r.Body).Decode(&b); err != nil {
			return fmt.Errorf("unpack the workbook: %w", err)
		}
		q := r.URL.Query()
		report, err := k.Import(r.Context(), b, q.Get("source"), q.Has("dry-run"))
		return reply(w, report, err)
	})
	handle("GET /export", func(w http.ResponseWriter, r *http.Request) error {
		b, err := k.Export(r.Context())
		if err != nil {
			return err
		}
		return gob.NewEncoder(w).Encode(b)
	})
	handle("GET /backup", func(w http.ResponseWriter, r *http.Request) error {
		begun := &started{to: w}
		err := k.Backup(r.Context(), begun)
		if err != nil && begun.yes {
			panic(http.ErrAbortHandler) // half a copy must not look like a whole one
		}
		return err
	})
	handle("GET /check", func(w http.ResponseWriter, r *http.Request) error {
		report, err := k.Check(r.Context())
		return reply(w, report, err)
	})
	handle("POST /ask/{what}", func(w http.ResponseWriter, r *http.Request) error {
		return k.Ask(r.Context(), r.PathValue("what"), r.URL.Query(), w)
	})
	handle("GET /settings", func(w http.ResponseWriter, r *http.Request) error {
		m, err := k.Settings(r.Context(), r.URL.Query().Get("prefix"))
		return reply(w, m, err)
	})
	handle("POST /settings", func(w http.ResponseWriter, r *http.Request) error {
		var s plant.Setting
		if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
			return err
		}
		return k.Set(r.Context(), s)
	})
	handle("POST /invite", func(w http.ResponseWriter, r *http.Request) error {
		var t ui.TabletSettings
		if err := json.NewDecoder(r.Body).Decode(&t); err != nil {
			return err
		}
		i, err := k.Invite(r.Context(), t)
		return reply(w, i, err)
	})
	handle("POST /promote", func(_ http.ResponseWriter, r *http.Request) error {
		q := r.URL.Query()
		return k.Promote(r.Context(), q.Has("force"), q.Get("reason"))
	})
	handle("GET /sheet", func(w http.ResponseWriter, r *http.Request) error {
		s, err := k.SheetStatus(r.Context())
		return reply(w, s, err)
	})
	handle("POST /sheet", func(w http.ResponseWriter, r *http.Request) error {
		s, err := k.SheetNow(r.Context(), nil, nil)
		return reply(w, s, err)
	})
	return &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
}

func reply(w http.ResponseWriter, v any, err error) error {
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}

// started notices whether anything was written.
type started struct {
	to  io.Writer
	yes bool
}

func (s *started) Write(b []byte) (int, error) {
	s.yes = true
	return s.to.Write(b)
}
