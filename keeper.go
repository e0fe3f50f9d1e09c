package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"envivo/api"
	"envivo/fsm"
	"envivo/plant"
	"envivo/store"
	"envivo/ui"
)

// desk is a keeper on a store that is open in this process.
type desk struct {
	store *store.Bolt
	dir   string
	now   func() time.Time
	owner bool // Close closes the store
	// served says that this is the running server's desk; sync is then its
	// exchange with the Sheet, nil without one.
	served bool
	sync   api.Sync
	// record is the running server's; nil without one.
	record *record
	// invite makes the code of a new device; nil without a server.
	invite func(ui.TabletSettings) (Invitation, error)
	// promote makes a standby that is running the plant's server.
	promote func(ctx context.Context, force bool, reason string) error
	program *program
}

// lockPatience is how long a data command waits for a server that has the
// store but does not answer yet, because it is starting or stopping.
const lockPatience = 10 * time.Second

// openKeeper reaches the store of a folder: through the server that runs on
// it, else by opening the file. create allows a new folder and a new store.
func openKeeper(ctx context.Context, p *program, w Where, create bool) (keeper, error) {
	if err := prepare(w.Data, create); err != nil {
		return nil, err
	}
	deadline := p.now().Add(lockPatience)
	for {
		k, err := dialKeeper(ctx, w)
		if err == nil {
			return k, nil
		}
		if !errors.Is(err, errNoServer) {
			return nil, fmt.Errorf("reach the server on %s: %w", w.Data, err)
		}
		d, err := openDesk(p, w, create)
		if err == nil {
			return d, nil
		}
		if !errors.Is(err, store.ErrLocked) || p.now().After(deadline) || ctx.Err() != nil {
			return nil, err
		}
	}
}

// prepare makes sure that the data folder is there, or says that it is not.
func prepare(dir string, create bool) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist) && create:
		return os.MkdirAll(dir, 0o700)
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("data folder %s does not exist", dir)
	case err != nil:
		return fmt.Errorf("data folder: %w", err)
	case !info.IsDir():
		return fmt.Errorf("data folder %s is a file", dir)
	}
	return nil
}

// openDesk opens the file. An existing store of any environment will do unless
// one is named; a new one gets the default environment. Messages of the store
// that are not errors are of no interest at a terminal.
func openDesk(p *program, w Where, create bool) (*desk, error) {
	_, o := engine(plant.DefaultRules(), p.now, slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: slog.LevelError})))
	o.Env, o.MustExist = w.Env, !create
	var standing standbyNote
	var gone retiredNote
	switch {
	case readNote(w.Data, noteRetired, &gone):
		o.Following = gone.By
	case readNote(w.Data, noteStandby, &standing):
		o.Following = standing.Of
	}
	if _, err := os.Stat(storePath(w.Data)); errors.Is(err, os.ErrNotExist) {
		o.Env = w.env()
	}
	st, err := store.Open(storePath(w.Data), o)
	if err != nil {
		return nil, err
	}
	return &desk{store: st, dir: w.Data, now: p.now, owner: true, program: p}, nil
}

func (d *desk) Close() error {
	if !d.owner {
		return nil
	}
	return d.store.Close()
}

// sendPattern is the name of the folder a copy is made in before it is sent.
const sendPattern = ".envivo-send-*"

// sweepSends removes copies that a process left when it died while sending them:
// each is as large as the store.
func sweepSends(dir string) error {
	old, err := filepath.Glob(filepath.Join(dir, sendPattern))
	for _, name := range old {
		err = errors.Join(err, os.RemoveAll(name))
	}
	return err
}

// Backup makes the copy on the local disk first: a slow receiver must not hold
// a read transaction open.
func (d *desk) Backup(ctx context.Context, w io.Writer) error {
	dir, err := os.MkdirTemp(d.dir, sendPattern)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, store.FileName)
	if _, err := d.store.Backup(ctx, path); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

func (d *desk) Check(ctx context.Context) (*store.Report, error) {
	r, err := d.store.Check(ctx, fsm.Legal)
	return &r, err
}

func (d *desk) Settings(_ context.Context, prefix string) (map[string]string, error) {
	snap, m := d.store.Snapshot(), map[string]string{}
	for _, key := range snap.Settings(prefix) {
		m[key] = snap.Setting(key)
	}
	return m, nil
}

func (d *desk) Set(ctx context.Context, s plant.Setting) error {
	_, err := d.store.Do(ctx, plant.Command{Verb: plant.Ajustar, Setting: &s, Supervisor: true, Device: "terminal"})
	if errors.Is(err, plant.ErrUnchanged) {
		return nil
	}
	return err
}
