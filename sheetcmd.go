package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"envivo/api"
	"envivo/plant"
	"envivo/sheetsync/google"
	"envivo/sheetsync/migration"
)

type sheetCmd struct {
	Check   sheetCheck   `cmd:"" help:"Compare the spreadsheet's worksheets and columns with what is needed."`
	Migrate sheetMigrate `cmd:"" help:"Add the columns that are missing, with a copy and a way back."`
	Pull    sheetPull    `cmd:"" help:"Read the office's changes now."`
	Push    sheetPush    `cmd:"" help:"Write what is waiting now."`
	Status  sheetStatus  `cmd:"" help:"Backlog, age and faults of the sync."`
}

// sheetSub are the flags of every subcommand.
type sheetSub struct {
	Where `embed:""`
	Sheet sheetFlags `embed:"" prefix:"sheet-"`
}

// Validate is called by kong after every source has been read.
func (s *sheetSub) Validate() error {
	if err := s.Where.Validate(); err != nil {
		return err
	}
	return s.Sheet.validate()
}

// quiet is the log of a command at a terminal.
func quiet(p *program) *slog.Logger {
	return slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: slog.LevelError}))
}

// migrationDir is where the checkpoints, copies and reports of migrations lie.
func (s *sheetSub) migrationDir() string { return filepath.Join(s.Data, "migracion") }

type sheetCheck struct {
	sheetSub `embed:""`
	Claim    bool `help:"Make the spreadsheet belong to --env, whatever it belonged to: for a copy used in tests."`
	JSON     bool `name:"json" help:"Report as JSON."`
}

// Run reads the headers; it fails when something is missing.
func (c *sheetCheck) Run(p *program) error {
	ctx, stop := signals(context.Background())
	defer stop()
	client, err := c.Sheet.client(ctx, p, quiet(p))
	if err != nil {
		return err
	}
	if err := c.whose(ctx, p, client); err != nil {
		return explain(err, client)
	}
	f, err := migration.Check(ctx, c.Sheet.migrationOptions(client, p, c.migrationDir()))
	if err != nil {
		return explain(err, client)
	}
	if c.JSON {
		err = json.NewEncoder(p.out).Encode(f)
	} else {
		_, err = fmt.Fprint(p.out, f.Text)
	}
	if err == nil && !f.OK() {
		err = errors.New("the spreadsheet is not ready")
	}
	return err
}

// whose refuses a spreadsheet of another environment, or claims it.
func (c *sheetCheck) whose(ctx context.Context, p *program, client *google.Client) error {
	l, err := client.Layout(ctx)
	if err != nil || l.Stamp == "" || l.Stamp == c.env() {
		return err
	}
	if !c.Claim {
		return fmt.Errorf("the spreadsheet belongs to the environment %q, not %q (--claim takes it over)", l.Stamp, c.env())
	}
	p.say("the spreadsheet belonged to %q and belongs to %q now", l.Stamp, c.env())
	return client.Stamp(ctx, c.env(), true)
}

// explain says what to do about the commonest refusals.
func explain(err error, c *google.Client) error {
	var g *google.Error
	if errors.As(err, &g) && g.Class == google.Stop && g.Status == 403 {
		return fmt.Errorf("%w (is the spreadsheet shared with %s as an editor?)", err, c.Account().Email)
	}
	return err
}

type sheetMigrate struct {
	sheetSub `embed:""`
	DryRun   bool   `help:"Only say what would be changed."`
	Force    bool   `help:"Repeat finished steps; with --rollback also remove columns others have written into."`
	Rollback bool   `help:"Take a migration of the last seven days back."`
	Folder   string `placeholder:"ID" help:"Drive folder of the copy; empty means beside the original."`
	JSON     bool   `name:"json" help:"Report as JSON."`
}

// Run migrates, or takes a migration back, and prints the report in any case.
func (c *sheetMigrate) Run(p *program) error {
	ctx, stop := signals(context.Background())
	defer stop()
	client, err := c.Sheet.client(ctx, p, quiet(p))
	if err != nil {
		return err
	}
	o := c.Sheet.migrationOptions(client, p, c.migrationDir())
	o.DryRun, o.Force, o.Folder, o.Log = c.DryRun, c.Force, c.Folder, quiet(p)
	if o.Folder == "" {
		o.Folder, _ = p.env.look("BACKUP_FOLDER_ID")
	}
	if v, _ := p.env.look("MIGRATION_DRY_RUN"); v == "true" || v == "1" {
		o.DryRun = true
	}
	run := migration.Run
	if c.Rollback {
		run = migration.Rollback
	}
	report, err := run(ctx, o)
	if report != nil {
		if e := c.print(p.out, report); err == nil {
			err = e
		}
	}
	return explain(err, client)
}

func (c *sheetMigrate) print(w io.Writer, r *migration.Report) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(r)
	}
	return r.WriteText(w)
}

type sheetStatus struct {
	sheetSub `embed:""`
	JSON     bool `name:"json" help:"Status as JSON."`
}

// Run asks the running server; without one the store's backlog is all there is.
func (c *sheetStatus) Run(p *program) error {
	ctx, stop := signals(context.Background())
	defer stop()
	k, err := openKeeper(ctx, p, c.Where, false)
	if err != nil {
		return err
	}
	s, err := k.SheetStatus(ctx)
	if err := errors.Join(err, k.Close()); err != nil {
		return err
	}
	return printStatus(p.out, s, c.JSON)
}

func printStatus(w io.Writer, s api.SyncStatus, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(s)
	}
	moment := func(t time.Time) string {
		if t.IsZero() {
			return "nunca"
		}
		return plant.SheetTime(t)
	}
	lines := []string{
		fmt.Sprintf("Estado: %s", s.Mode), s.Sentence,
		fmt.Sprintf("Última lectura: %s. Última escritura: %s.", moment(s.LastIn), moment(s.LastOut)),
		fmt.Sprintf("En cola: %d. Llamadas en el último minuto: %d de %d.", s.Backlog, s.Calls, s.Budget),
	}
	if !s.Oldest.IsZero() {
		lines = append(lines, "El más antiguo de la cola es de "+moment(s.Oldest)+".")
	}
	for _, a := range s.Alerts {
		lines = append(lines, "Aviso desde "+moment(a.Since)+": "+a.Text)
	}
	for _, x := range s.Proposals {
		lines = append(lines, fmt.Sprintf("Propuesta: %s, %s: %q en la planilla, %q aquí.", x.Tag, x.Column, x.Theirs, x.Ours))
	}
	for _, x := range s.Parked {
		lines = append(lines, fmt.Sprintf("Aparcado: evento %d de %s: %s", x.Seq, x.Tag, x.Why))
	}
	for _, x := range s.Quarantined {
		lines = append(lines, fmt.Sprintf("En cuarentena: %s fila %d, %s %q: %s", x.Sheet, x.Row, x.Column, x.Value, x.Reason))
	}
	if n := len(s.Missing); n > 0 {
		lines = append(lines, fmt.Sprintf("Sin fila en la planilla: %d spools, el primero %s.", n, s.Missing[0]))
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(w, l); err != nil {
			return err
		}
	}
	return nil
}

type sheetPull struct {
	sheetSub `embed:""`
	JSON     bool `name:"json" help:"Status as JSON."`
}

// Run reads the office's changes.
func (c *sheetPull) Run(p *program) error {
	return c.exchange(p, c.JSON, func(s api.SyncStatus) bool { return true })
}

type sheetPush struct {
	sheetSub `embed:""`
	JSON     bool `name:"json" help:"Status as JSON."`
}

// Run writes until nothing waits.
func (c *sheetPush) Run(p *program) error {
	return c.exchange(p, c.JSON, func(s api.SyncStatus) bool { return s.Backlog == 0 && !s.LastOut.IsZero() })
}

// exchangeWithin bounds pull and push.
const exchangeWithin = 10 * time.Minute

// exchange has one complete exchange made, by the running server or here, goes on
// until done, and prints the status. A sync that a person has to help is an error.
func (c *sheetSub) exchange(p *program, asJSON bool, done func(api.SyncStatus) bool) error {
	ctx, stop := signals(context.Background())
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, exchangeWithin)
	defer cancel()
	k, err := openKeeper(ctx, p, c.Where, false) // a mistyped folder must not become an empty plant
	if err != nil {
		return err
	}
	begun := p.now()
	s, err := k.SheetNow(ctx, &c.Sheet, func(s api.SyncStatus) bool { return s.LastIn.After(begun) && done(s) })
	if err := errors.Join(err, k.Close()); err != nil {
		return err
	}
	if err := printStatus(p.out, s, asJSON); err != nil {
		return err
	}
	if s.Mode == api.SyncStopped || !s.LastIn.After(begun) {
		return errors.New(s.Sentence)
	}
	return nil
}

// SheetStatus is what the store alone knows.
func (d *desk) SheetStatus(context.Context) (api.SyncStatus, error) {
	if d.sync != nil {
		return d.sync.Status(), nil
	}
	s := waitingStatus(d.store)
	s.Mode, s.Sentence = api.SyncNone, "Ningún servidor trabaja en esta carpeta: solo se ve lo que espera."
	if d.served {
		s.Sentence = "El servidor trabaja sin planilla."
	}
	return s, nil
}

// SheetNow makes exchanges here until done says so, or a person is needed.
func (d *desk) SheetNow(ctx context.Context, flags *sheetFlags, done func(api.SyncStatus) bool) (api.SyncStatus, error) {
	if d.sync != nil {
		d.sync.Now()
		return d.sync.Status(), nil
	}
	if d.served {
		return api.SyncStatus{}, errors.New("the running server has no Sheet")
	}
	p := d.program
	m, err := flags.newMirror(ctx, p, d.store, quiet(p))
	if err != nil {
		return api.SyncStatus{}, err
	}
	m.Now()
	for {
		wait := m.Step(ctx)
		s := shownStatus(m.Status())
		if done(s) || s.Mode == api.SyncStopped && stuck(s) {
			return s, nil
		}
		m.Now() // the next step needs no news
		t := time.NewTimer(min(max(wait, 100*time.Millisecond), 5*time.Second))
		select {
		case <-ctx.Done():
			t.Stop()
			return s, ctx.Err()
		case <-t.C:
		}
	}
}

// stuck reports whether an exchange needs a person.
func stuck(s api.SyncStatus) bool { return len(s.Alerts) > 0 }
