package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"envivo/api"
	"envivo/durable"
	"envivo/plant"
	"envivo/ui"
)

type workerCmd struct {
	Export    workerExport    `cmd:"" help:"Write everything about a worker into a JSON file, for that person."`
	Anonymise workerAnonymise `cmd:"" help:"Take the name of a departed worker out of screens and exports."`
}

type workerExport struct {
	Where `embed:""`
	ID    int32  `arg:"" help:"The worker's number."`
	Out   string `required:"" placeholder:"FILE" help:"File to write."`
}

// Run writes the file.
func (c *workerExport) Run(p *program) error {
	return withKeeper(p, c.Where, func(ctx context.Context, k keeper) error {
		return durable.Replace(c.Out, 0o600, func(w io.Writer) error { return k.Ask(ctx, askWorker, url.Values{"id": {id(c.ID)}}, w) })
	})
}

type workerAnonymise struct {
	Where  `embed:""`
	ID     int32  `arg:"" help:"The worker's number."`
	Motivo string `required:"" placeholder:"TEXT" help:"Why; kept in the log."`
	Yes    bool   `help:"Do it; without this it is only told what would happen."`
}

// Run takes the name out. It cannot be taken back, so it wants to be told twice.
func (c *workerAnonymise) Run(p *program) error {
	if !c.Yes {
		return usageError{fmt.Errorf("this cannot be taken back: worker %d becomes \"Trabajador %d\" everywhere; repeat with --yes", c.ID, c.ID)}
	}
	return withKeeper(p, c.Where, func(ctx context.Context, k keeper) error {
		return k.Ask(ctx, askAnonymise, url.Values{"id": {id(c.ID)}, "motivo": {c.Motivo}}, p.out)
	})
}

type paperCmd struct {
	Where `embed:""`
	Out   string `required:"" placeholder:"FILE" help:"HTML file to write; print it from any browser."`
}

// Run writes the sheet.
func (c *paperCmd) Run(p *program) error {
	return withKeeper(p, c.Where, func(ctx context.Context, k keeper) error {
		return durable.Replace(c.Out, 0o600, func(w io.Writer) error { return k.Ask(ctx, askContingency, nil, w) })
	})
}

func id(n int32) string { return strconv.Itoa(int(n)) }

// What a keeper can be asked.
const (
	askContingency = "contingency"
	askWorker      = "worker"
	askAnonymise   = "anonymise"
	askKnown       = "known"
)

// Ask answers about people and paper, into w.
func (d *desk) Ask(ctx context.Context, what string, q url.Values, w io.Writer) error {
	if what == askContingency {
		return ui.WriteContingency(ctx, w, ui.NewContingencySheet(d.store.Snapshot(), d.now()))
	}
	n, err := strconv.ParseInt(q.Get("id"), 10, 32)
	if err != nil {
		return fmt.Errorf("worker %q: %w", q.Get("id"), err)
	}
	who := plant.WorkerID(n)
	switch what {
	case askKnown:
		return d.known(who, q.Get("need") == "active")
	case askWorker:
		record := d.record
		if record == nil {
			record = openRecord(d.dir, slog.New(slog.DiscardHandler))
		}
		about, err := api.AboutWorker(ctx, d.store, who, record.since(time.Time{}), d.now())
		if err != nil {
			return about404(err, who)
		}
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(about)
	case askAnonymise:
		if err := api.AnonymiseWorker(ctx, d.store, who, "terminal", q.Get("motivo"), d.now()); err != nil {
			return about404(err, who)
		}
		_, err := fmt.Fprintf(w, "worker %d is \"Trabajador %d\" from now on\n", who, who)
		return err
	}
	return fmt.Errorf("nobody knows what %q asks", what)
}

// known is an error unless there is such a worker, an active one if need be.
func (d *desk) known(who plant.WorkerID, active bool) error {
	w, ok := d.store.Snapshot().Worker(who)
	switch {
	case !ok:
		return fmt.Errorf("there is no worker %d", who)
	case active && !w.Activo:
		return fmt.Errorf("worker %d is not active", who)
	}
	return nil
}

func about404(err error, who plant.WorkerID) error {
	var no *plant.Error
	if errors.As(err, &no) && no.Code == plant.CodeWorkerNotFound {
		return fmt.Errorf("there is no worker %d", who)
	}
	return fmt.Errorf("worker %d: %w", who, err)
}

// Ask is part of keeper.
func (w *wire) Ask(ctx context.Context, what string, q url.Values, to io.Writer) error {
	r, err := w.ask(ctx, http.MethodPost, "/ask/"+what+"?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(to, r)
	return err
}

// contingencyEvery is how old the sheet beside the copies may become.
const contingencyEvery = 5 * time.Minute

// contingencyFile lies beside the copies.
const contingencyFile = "contingencia.html"

// contingency keeps the sheet on disk, so that it can be printed when the server
// is dead; it ends with ctx.
func (f *floor) contingency(ctx context.Context) error {
	var last plant.Seq
	for wait := contingencyEvery / 60; ; wait = contingencyEvery {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		snap := f.store.Snapshot()
		if snap.Seq == last {
			continue
		}
		dir := f.cfg.backupsFolder()
		err := os.MkdirAll(dir, 0o700)
		if err == nil {
			err = durable.Replace(filepath.Join(dir, contingencyFile), 0o600, func(w io.Writer) error {
				return ui.WriteContingency(ctx, w, ui.NewContingencySheet(snap, f.now()))
			})
		}
		if err != nil {
			f.log.Warn("the contingency sheet cannot be written", "err", err)
			continue
		}
		last = snap.Seq
	}
}
