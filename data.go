package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"envivo/fsm"
	"envivo/plant"
	"envivo/sheetsync"
	"envivo/sheetsync/workbook"
	"envivo/store"
	"envivo/ui"
)

type importCmd struct {
	Where  `embed:""`
	Path   string `arg:"" help:"Workbook (.xlsx) or folder of .csv files."`
	DryRun bool   `help:"Only report what an import would do."`
	JSON   bool   `name:"json" help:"Report as JSON."`
}

// Run imports a workbook and prints the report.
func (c *importCmd) Run(p *program) (err error) {
	ctx, stop := signals(context.Background())
	defer stop()
	book, err := workbook.Read(c.Path, workbook.DefaultLimits())
	if err != nil {
		return err
	}
	where, first := c.Where, !exists(storePath(c.Data))
	if first { // what cannot be imported leaves no empty plant behind
		if err := sheetsync.Readable(book); err != nil {
			return err
		}
	}
	if c.DryRun && first { // rehearse on a store that is thrown away
		if where.Data, err = os.MkdirTemp("", "envivo-rehearsal-"); err != nil {
			return err
		}
		defer os.RemoveAll(where.Data)
	}
	k, err := openKeeper(ctx, p, where, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	report, err := k.Import(ctx, book, filepath.Base(c.Path), c.DryRun)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(p.out).Encode(report)
	}
	return report.WriteText(p.out)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

type exportCmd struct {
	Where `embed:""`
	Out   string `required:"" placeholder:"PATH" help:"Workbook (.xlsx) or folder for .csv files."`
}

// Run writes the worksheets.
func (c *exportCmd) Run(p *program) (err error) {
	ctx, stop := signals(context.Background())
	defer stop()
	k, err := openKeeper(ctx, p, c.Where, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	book, err := k.Export(ctx)
	if err != nil {
		return err
	}
	if err := workbook.Write(c.Out, book); err != nil {
		return err
	}
	for _, s := range book.Sheets {
		if _, err := fmt.Fprintf(p.out, "%-14s %d rows\n", s.Name, max(0, len(s.Rows)-1)); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(p.out, "record %s\n", book.Record)
	return err
}

type backupCmd struct {
	Where `embed:""`
	Out   string `required:"" placeholder:"FILE" help:"The copy; must not exist yet."`
}

// Run writes a copy beside its final name, proves it, and only then gives it
// that name: a file called so is always a whole, sound copy.
func (c *backupCmd) Run(p *program) (err error) {
	ctx, stop := signals(context.Background())
	defer stop()
	if exists(c.Out) {
		return fmt.Errorf("%s exists; a backup replaces nothing", c.Out)
	}
	k, err := openKeeper(ctx, p, c.Where, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	tmp, err := os.CreateTemp(filepath.Dir(c.Out), ".envivo-backup-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := errors.Join(k.Backup(ctx, tmp), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	report, err := checkFile(tmp.Name())
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		return fmt.Errorf("prove the copy: %w", err)
	}
	if err := os.Link(tmp.Name(), c.Out); err != nil { // unlike a rename, never replaces
		if err := os.Rename(tmp.Name(), c.Out); err != nil {
			return err
		}
	}
	c.noteMedium(p)
	_, err = fmt.Fprintf(p.out, "%s: %s\n", c.Out, summary(report))
	return err
}

// noteMedium remembers a copy that was put on another disk, so that the server
// stops asking for one.
func (c *backupCmd) noteMedium(p *program) {
	out, err := filepath.Abs(c.Out)
	here, err1 := deviceOf(c.Data)
	there, err2 := deviceOf(out)
	if errors.Join(err, err1, err2) != nil || here == there {
		return
	}
	if err := os.MkdirAll(c.backupsFolder(), 0o700); err != nil {
		return
	}
	if err := writeNote(c.backupsFolder(), noteMedium, onMedium{File: filepath.Base(out), To: filepath.Dir(out), At: p.now()}); err != nil {
		p.say("note: the server will not know of this copy: %v", err)
	}
}

type restoreCmd struct {
	Where `embed:""`
	File  string `arg:"" help:"Backup to restore."`
	Force bool   `help:"Replace an existing store; the old file is kept beside it."`
}

// Run puts a backup into a folder that no server uses.
func (c *restoreCmd) Run(p *program) error {
	info, err := os.Lstat(c.File)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("there is no file %s", c.File)
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is a link, a folder or a device: name the file itself", c.File)
	}
	if conn, err := dialControl(context.Background(), c.Data); err == nil {
		_ = conn.Close() // it only had to answer
		return fmt.Errorf("a server is running on %s: stop it first", c.Data)
	}
	report, err := p.prove(context.Background(), c.File)
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		return fmt.Errorf("%s cannot be restored: %w", c.File, err)
	}
	if c.Env != "" && c.Env != report.Env {
		return fmt.Errorf("%s: %w: %q, not %q", c.File, store.ErrEnv, report.Env, c.Env)
	}
	kept, err := store.Restore(c.File, c.Data, c.Force, checkOptions())
	if errors.Is(err, store.ErrExists) {
		return fmt.Errorf("%w (--force keeps it beside the restored one)", err)
	}
	if err != nil {
		return err
	}
	if kept != "" {
		p.say("the store that was there is kept as %s", kept)
	}
	// What is restored is another history: nobody took its place.
	if err := os.Remove(filepath.Join(c.Data, noteRetired)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	_, err = fmt.Fprintf(p.out, "%s: %s\n", storePath(c.Data), summary(&report))
	return err
}

type checkCmd struct {
	Where `embed:""`
	JSON  bool   `name:"json" help:"Report as JSON."`
	Code  string `placeholder:"CODE" help:"Compare the code of the record from a printed page (8.412-7K3M-Q2XA), in a copy or in a folder at rest."`
}

// Run proves the store of a folder, or a single file such as a backup. The file
// is only read.
func (c *checkCmd) Run(p *program) error {
	ctx, stop := signals(context.Background())
	defer stop()
	report, err := c.examine(ctx)
	if err != nil {
		return err
	}
	if c.Env != "" && report.Env != "" && c.Env != report.Env {
		return fmt.Errorf("%w: %q, not %q", store.ErrEnv, report.Env, c.Env)
	}
	if err := c.print(p, report); err != nil {
		return err
	}
	if report.Violation != nil {
		return fmt.Errorf("violation: %w", report.Violation)
	}
	return c.compare(p, report)
}

// compare says whether a printed code is that of the record at its event.
func (c *checkCmd) compare(p *program, r *store.Report) error {
	if c.Code == "" {
		return nil
	}
	seq, code, ok := ui.ParseHeadCode(c.Code)
	switch {
	case !ok:
		return usageError{fmt.Errorf("--code %q: want a code such as 8.412-7K3M-Q2XA", c.Code)}
	case r.At == "" && seq > r.Seq:
		return fmt.Errorf("the record ends at event %d; the code is of event %d", r.Seq, seq)
	case r.At == "":
		return errors.New("a server is running on this folder: compare the code with a copy (--data DIR/backups/plant-….db)")
	case ui.HeadCode(seq, linkOf(r.At)) != code:
		return fmt.Errorf("the code is not that of this record: at event %d it is %s", seq, ui.HeadCode(seq, linkOf(r.At)))
	}
	p.say("the code is that of this record at event %d", seq)
	return nil
}

// linkOf reads a link as reports write it.
func linkOf(text string) (l [32]byte) {
	b, err := hex.DecodeString(text)
	if err == nil {
		copy(l[:], b)
	}
	return l
}

func (c *checkCmd) print(p *program, r *store.Report) error {
	if c.JSON {
		return json.NewEncoder(p.out).Encode(struct {
			OK bool `json:"ok"`
			*store.Report
		}{r.Violation == nil, r})
	}
	for _, note := range r.Notes {
		p.say("note: %s", note)
	}
	if r.Violation != nil {
		return nil
	}
	_, err := fmt.Fprintln(p.out, "ok: "+summary(r))
	return err
}

func (c *checkCmd) examine(ctx context.Context) (*store.Report, error) {
	if info, err := os.Stat(c.Data); err == nil && info.Mode().IsRegular() {
		return c.file(c.Data)
	}
	if err := prepare(c.Data, false); err != nil {
		return nil, err
	}
	k, err := dialKeeper(ctx, c.Where)
	if errors.Is(err, errNoServer) {
		return c.file(storePath(c.Data))
	}
	if err != nil {
		return nil, err
	}
	defer k.Close()
	return k.Check(ctx)
}

// file examines a file that nobody has open.
func (c *checkCmd) file(path string) (*store.Report, error) {
	o := checkOptions()
	o.At, _, _ = ui.ParseHeadCode(c.Code)
	r, err := store.Check(path, o)
	return &r, err
}

// checkFile examines a file that nobody has open.
func checkFile(path string) (*store.Report, error) {
	r, err := store.Check(path, checkOptions())
	return &r, err
}

func checkOptions() store.CheckOptions {
	return store.CheckOptions{Evolve: fsm.Evolve, Rules: plant.DefaultRules(), Legal: fsm.Legal}
}

// summary is a report without violation in one line.
func summary(r *store.Report) string {
	return fmt.Sprintf("%d spools (%d held), %d workers, %d events, environment %s, schema %d, record %s",
		r.Spools, r.Held, r.Workers, r.Seq, r.Env, r.Schema, ui.HeadCode(r.Seq, linkOf(r.Head)))
}
