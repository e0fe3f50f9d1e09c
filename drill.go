package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"envivo/plant"
	"envivo/store"
)

// proof is what a copy was found to contain when it was made.
type proof struct {
	File  string    `json:"file"`
	Seq   plant.Seq `json:"seq"`
	Head  string    `json:"head"`
	Epoch string    `json:"epoch"`
}

// drilled is how a restore drill went.
type drilled struct {
	File   string    `json:"file"`
	At     time.Time `json:"at"`
	TookMS int64     `json:"took_ms"`
	Seq    plant.Seq `json:"seq"`
	Head   string    `json:"head"`
	Spools int       `json:"spools"`
	// Trouble is what went wrong, Skipped why there was none; empty otherwise.
	Trouble string `json:"trouble,omitempty"`
	Skipped string `json:"skipped,omitempty"`
	// Good is when a drill last succeeded.
	Good time.Time `json:"good,omitzero"`
}

// drill restores the newest copy for practice, daily and soon after the first
// copy, into a folder inside the data folder that is removed afterwards.
type drill struct {
	data, copies string
	now          func() time.Time
	log          *slog.Logger
	// rehearse restores file into dir, opens it as a server would and checks it.
	rehearse func(ctx context.Context, file, dir string) (store.Report, error)
	free     func(path string) (uint64, error)
}

const (
	drillEvery = 24 * time.Hour
	drillFirst = 2 * time.Minute
	drillLook  = time.Minute
	// drillPattern is the practice folder. One left by a crash is removed at the
	// next start.
	drillPattern = ".envivo-ensayo-*"
)

// run drills until ctx ends.
func (d *drill) run(ctx context.Context) error {
	d.sweep()
	began := d.now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(drillLook):
		}
		if d.now().Sub(began) < drillFirst || !d.due() {
			continue
		}
		if err := d.once(ctx); err != nil && ctx.Err() == nil {
			d.log.Error("restore drill", "err", err)
		}
	}
}

func (d *drill) sweep() {
	old, err := filepath.Glob(filepath.Join(d.data, drillPattern))
	for _, name := range old {
		err = errors.Join(err, os.RemoveAll(name))
	}
	if err != nil {
		d.log.Warn("remove what a restore drill left behind", "err", err)
	}
}

// last is the newest drill; ok is false when there was none.
func (d *drill) last() (r drilled, ok bool) {
	ok = readNote(d.copies, noteDrill, &r)
	return r, ok
}

// due says whether it is time: a day after the last drill, an hour after one
// that failed or was skipped.
func (d *drill) due() bool {
	if len(copiesIn(d.copies)) == 0 {
		return false
	}
	r, ok := d.last()
	wait := drillEvery
	if r.Trouble != "" || r.Skipped != "" {
		wait = time.Hour
	}
	return !ok || d.now().Sub(r.At) >= wait
}

// once drills now and writes down how it went.
func (d *drill) once(ctx context.Context) error {
	names := copiesIn(d.copies)
	if len(names) == 0 {
		return errors.New("there is no copy to restore")
	}
	before, _ := d.last()
	r := drilled{File: filepath.Base(names[len(names)-1]), At: d.now(), Good: before.Good}
	began := d.now()
	report, err := d.practise(ctx, names[len(names)-1])
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.TookMS = d.now().Sub(began).Milliseconds()
	r.Seq, r.Head, r.Spools = report.Seq, report.Head, report.Spools
	switch {
	case err == nil:
		r.Good = r.At
		d.log.Info("restore drill", "file", r.File, "seq", uint64(r.Seq), "took", time.Duration(r.TookMS)*time.Millisecond)
	case errors.Is(err, errNoRoom):
		r.Skipped = err.Error()
	default:
		r.Trouble = err.Error()
	}
	return errors.Join(err, writeNote(d.copies, noteDrill, r))
}

var errNoRoom = errors.New("too little free disk for a drill")

func (d *drill) practise(ctx context.Context, file string) (store.Report, error) {
	info, err := os.Stat(file)
	if err != nil {
		return store.Report{}, err
	}
	free, err := d.free(d.data)
	if need := 2*uint64(info.Size()) + 4*diskLeast; err == nil && free < need {
		return store.Report{}, fmt.Errorf("%w: %d MiB left, %d MiB needed", errNoRoom, free>>20, need>>20)
	}
	dir, err := os.MkdirTemp(d.data, drillPattern)
	if err != nil {
		return store.Report{}, err
	}
	defer os.RemoveAll(dir)
	r, err := d.rehearse(ctx, file, dir)
	if err != nil {
		return r, err
	}
	if err := r.Err(); err != nil {
		return r, err
	}
	var want proof
	if readNote(d.copies, noteProof, &want) && want.File == filepath.Base(file) {
		switch {
		case r.Seq != want.Seq || r.Head != want.Head:
			return r, fmt.Errorf("restored %d events ending in %.12s, the copy had %d ending in %.12s", r.Seq, r.Head, want.Seq, want.Head)
		case r.Epoch == want.Epoch:
			return r, errors.New("the restored store has the epoch of the running one")
		}
	}
	return r, nil
}

// drillCmd is what the server starts for a drill: restore as `envivo restore`
// does, open as `envivo serve` does, close, and check as `envivo check` does.
type drillCmd struct {
	File string `arg:"" help:"Copy to restore."`
	Into string `required:"" placeholder:"DIR" help:"Empty folder."`
}

// Run prints the report of the restored store as JSON.
func (c *drillCmd) Run(p *program) error {
	if _, err := store.Restore(c.File, c.Into, false, checkOptions()); err != nil {
		return err
	}
	k, err := openDesk(p, Where{Data: c.Into}, false)
	if err != nil {
		return fmt.Errorf("open the restored store: %w", err)
	}
	seq := k.store.Snapshot().Seq
	if err := k.Close(); err != nil {
		return fmt.Errorf("close the restored store: %w", err)
	}
	r, err := checkFile(storePath(c.Into))
	if err != nil {
		return err
	}
	if r.Violation == nil && r.Seq != seq {
		return fmt.Errorf("the restored store opened with %d events and was left with %d", seq, r.Seq)
	}
	return json.NewEncoder(p.out).Encode(r)
}
