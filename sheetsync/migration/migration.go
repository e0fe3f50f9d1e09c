// Package migration turns the office's v2.1 spreadsheet into one of v3.0 and back
// (rules §10): a backup, four columns behind the last one, zeros in the column of
// the version, a check by header and by samples, and a report about the rows whose
// state is a matter of opinion.
//
// Before anything is written to the Sheet, what is going to be written and what
// stood there is durable in a folder. Every step finds out what is already done by
// reading the Sheet, so that a run that was cut off between any two calls, or that
// never heard the answer to one, is continued by the next. Nothing is repeated by
// itself: who runs it runs it again.
package migration

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"envivo/plant"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// Window is how long a migration can be rolled back.
const Window = 7 * 24 * time.Hour

// Sheet is what a migration needs of the spreadsheet; google.Client has it. Calls
// are applied whole or not at all; after an error of class google.Retry it is not
// known which.
type Sheet interface {
	Layout(ctx context.Context) (google.Layout, error)
	Read(ctx context.Context, ranges ...string) ([][][]table.Cell, error)
	Formulas(ctx context.Context, ranges ...string) ([][][]table.Cell, error)
	Shown(ctx context.Context, ranges ...string) ([][][]table.Cell, error)
	Write(ctx context.Context, blocks ...google.Block) error
	Grow(ctx context.Context, t google.Tab, rows, cols int) error
	DropColumns(ctx context.Context, t google.Tab, from, n int) error
	DropRows(ctx context.Context, t google.Tab, from, n int) error
	Copy(ctx context.Context, title, folder string) (id string, err error)
}

// Options say what is migrated, and how carefully.
type Options struct {
	Sheet Sheet
	// ID is the spreadsheet's id. It is kept with what a rollback needs, so that
	// one is never applied to another spreadsheet; empty checks nothing.
	ID string
	// Dir is the folder of checkpoints, backup and reports. It is made if needed.
	Dir string
	Now func() time.Time
	// DryRun writes nothing, neither to the Sheet nor into Dir.
	DryRun bool
	// Force repeats finished steps, goes on where a sample differs from the backup
	// and lets a rollback delete columns that others have written into.
	Force bool
	// Folder is the Drive folder of the copy; empty means beside the original.
	Folder string
	// Names are the titles of the worksheets; empty ones mean the usual.
	Names Names
	Log   *slog.Logger
}

// Names are the titles of the worksheets in this spreadsheet.
type Names struct {
	Operaciones, Trabajadores, Roles, Uniones, Metadata string
}

// of is the title of a worksheet of ours.
func (n Names) of(sheet string) string {
	title := map[string]string{table.Operaciones: n.Operaciones, table.Trabajadores: n.Trabajadores, table.Roles: n.Roles,
		table.Uniones: n.Uniones, table.Metadata: n.Metadata}[sheet]
	if title == "" {
		return sheet
	}
	return title
}

// Refusal is a migration or rollback that was not begun, or not continued, because
// something about the Sheet or the folder has to be put right by a person first.
// The text is for that person.
type Refusal struct{ Reason string }

func (e *Refusal) Error() string { return e.Reason }

func refuse(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// The steps, in their order.
const (
	stepBackup   = "create_backup"
	stepColumns  = "add_v3_columns"
	stepVerify   = "verify_schema"
	stepVersions = "initialize_versions"
	stepReport   = "hydration_report"
)

type step struct {
	name string
	do   func(*session, context.Context) error
}

func steps() []step {
	return []step{
		{stepBackup, (*session).backup},
		{stepColumns, (*session).addColumns},
		{stepVerify, (*session).verify},
		{stepVersions, (*session).versions},
		{stepReport, (*session).hydrate},
	}
}

// session is one run of a migration or a rollback.
type session struct {
	o      Options
	dir    folder
	rec    *record
	snap   *snapshot
	report *Report
	view   *view
}

func begin(o Options, action string) *session {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &session{o: o, dir: folder(o.Dir), report: &Report{Action: action, DryRun: o.DryRun, Force: o.Force, Started: o.Now().UTC()}}
}

// Run migrates the spreadsheet. Steps that were finished by an earlier run are
// skipped; of a spreadsheet that is migrated already nothing is changed, and the
// report says so. The report is complete as far as the run came even when there is
// an error; a *Refusal is for a person to resolve, any other error is worth another
// run, which continues.
func Run(ctx context.Context, o Options) (*Report, error) {
	s := begin(o, "migrate")
	err := s.run(ctx)
	s.report.Finished = o.Now().UTC()
	if err != nil {
		s.report.Problem = err.Error()
	}
	return s.report, err
}

func (s *session) run(ctx context.Context) error {
	if err := s.recall(); err != nil {
		return err
	}
	var err error
	if s.view, err = look(ctx, s.o); err != nil {
		return err
	}
	s.report.Title, s.report.Generation = s.view.layout.Title, s.view.generation()
	missing := s.view.lacking()
	if s.rec == nil && len(missing) == 0 {
		return s.already()
	}
	if err := s.view.refusal(); err != nil {
		return err
	}
	if s.o.DryRun {
		return s.rehearse(ctx, missing)
	}
	if s.rec == nil {
		s.rec = newRecord(s.o, s.view)
	} else {
		s.report.Resumed = true
	}
	return s.carryOut(ctx)
}

// already says that there is nothing to do. Checkpoints of a run that was cut off
// while it cleared up go now.
func (s *session) already() error {
	s.report.Already = true
	s.say("La planilla ya está migrada (%s): no se cambió nada.", s.report.Generation)
	missing, ambiguous := s.view.gaps()
	for _, g := range append(missing, ambiguous...) {
		s.warn("%s", g)
	}
	if s.o.DryRun {
		return nil
	}
	return s.dir.dropCheckpoints()
}

// recall reads what an earlier run left. Only an unfinished migration is
// continued.
func (s *session) recall() error {
	rec, err := s.dir.record()
	switch {
	case err != nil:
		return err
	case rec == nil:
		return nil
	case rec.ID != "" && s.o.ID != "" && rec.ID != s.o.ID:
		return refuse("La carpeta %s guarda la migración de otra planilla; use otra carpeta.", s.o.Dir)
	case rec.RolledBack != nil:
		return nil
	case rec.Undo != nil:
		return refuse("Hay una vuelta atrás a medias; termínela antes con --rollback.")
	case rec.Finished != nil:
		return nil
	}
	s.rec = rec
	return nil
}

// carryOut does the steps that have no checkpoint yet, then puts the end on record
// and clears up.
func (s *session) carryOut(ctx context.Context) error {
	if err := os.MkdirAll(s.o.Dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of the migration: %w", err)
	}
	if err := s.dir.keepOld(s.rec); err != nil {
		return err
	}
	for _, st := range steps() {
		done, err := s.dir.checkpoint(st.name)
		if err != nil {
			return err
		}
		if done != nil && !s.o.Force {
			s.report.Steps = append(s.report.Steps, StepReport{Step: st.name, Status: Skipped, At: done.CompletedAt, Notes: done.Notes})
			s.report.adopt(done)
			continue
		}
		if err := s.one(ctx, st); err != nil {
			return err
		}
	}
	now := s.o.Now().UTC()
	s.rec.Finished = &now
	s.report.Finished, s.report.Columns, s.report.Backup = now, s.rec.Columns, s.rec.Backup
	s.say("Migración terminada. Se puede deshacer hasta el %s con --rollback.", plant.SheetTime(now.Add(Window)))
	if err := errors.Join(s.dir.save(reportFile, s.report), s.dir.saveRecord(s.rec)); err != nil {
		return err
	}
	return s.dir.dropCheckpoints()
}

// one does a step and leaves its checkpoint.
func (s *session) one(ctx context.Context, st step) error {
	r := StepReport{Step: st.name, Status: Done}
	s.report.Steps = append(s.report.Steps, r)
	at := &s.report.Steps[len(s.report.Steps)-1]
	warned := len(s.report.Warnings)
	if err := st.do(s, ctx); err != nil {
		at.Status = Failed
		return fmt.Errorf("%s: %w", st.name, err)
	}
	at.At = s.o.Now().UTC()
	s.o.Log.Info("migration step done", "op", st.name)
	c := checkpoint{Step: st.name, CompletedAt: at.At, Notes: at.Notes, Warnings: s.report.Warnings[warned:], Rollback: s.rec}
	if st.name == stepReport {
		c.Rows = s.report.Rows
	}
	return s.dir.saveCheckpoint(c)
}

// say adds a sentence for the person who runs it, note one about the step at hand.
func (s *session) say(format string, args ...any) {
	s.report.Messages = append(s.report.Messages, fmt.Sprintf(format, args...))
}

func (s *session) note(format string, args ...any) {
	at := &s.report.Steps[len(s.report.Steps)-1]
	at.Notes = append(at.Notes, fmt.Sprintf(format, args...))
}

func (s *session) warn(format string, args ...any) {
	s.report.Warnings = append(s.report.Warnings, fmt.Sprintf(format, args...))
}

// rehearse says what a run would do. It only reads.
func (s *session) rehearse(ctx context.Context, missing []string) error {
	plan := func(name, format string, args ...any) {
		s.report.Steps = append(s.report.Steps, StepReport{Step: name, Status: Planned, Notes: []string{fmt.Sprintf(format, args...)}})
	}
	rec := s.rec
	if rec == nil {
		rec = newRecord(s.o, s.view)
	}
	s.report.Columns = missing
	ops := s.view.tab(table.Operaciones)
	start := lastUsed(s.view.head[table.Operaciones])
	plan(stepBackup, "copia en Drive con el nombre %q y copia local completa en %s", rec.Backup.Title, s.o.Dir)
	plan(stepColumns, "agregar %s en %s desde la columna %s; la grilla de %d columnas crecería en %d", quoted(missing), ops.Title,
		table.Letters(start), ops.Cols, max(0, start+len(missing)-ops.Cols))
	plan(stepVerify, "comprobar encabezados y muestras contra el respaldo")
	plan(stepVersions, "escribir 0 en las celdas vacías de version de las filas con TAG_SPOOL")
	plan(stepReport, "informar las filas dudosas")
	if err := s.hydrate(ctx); err != nil {
		return err
	}
	s.say("Ensayo: no se escribió nada.")
	return nil
}
