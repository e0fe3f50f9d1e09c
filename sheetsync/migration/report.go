package migration

import (
	"fmt"
	"io"
	"strings"
	"time"

	"envivo/sheetsync/table"
)

// Status says what became of a step.
type Status string

// The states of a step.
const (
	Done    Status = "done"
	Skipped Status = "skipped" // an earlier run had finished it
	Planned Status = "planned" // a rehearsal
	Failed  Status = "failed"
)

// StepReport is one step of a run.
type StepReport struct {
	Step   string    `json:"step"`
	Status Status    `json:"status"`
	At     time.Time `json:"completed_at,omitzero"`
	Notes  []string  `json:"notes,omitempty"`
}

// Backup says where the copies are.
type Backup struct {
	// Title is the name of the copies.
	Title string `json:"title"`
	// DriveID is the file of the copy in Drive; empty when there is none.
	DriveID string `json:"drive_id,omitempty"`
	// Refused is why Drive made no copy.
	Refused string `json:"drive_refused,omitempty"`
	// File is the local copy, a name in the folder of the migration.
	File string `json:"file"`
}

// Report is what a migration or a rollback did, or would do. Texts are for the
// people of the plant.
type Report struct {
	Action     string    `json:"action"` // migrate or rollback
	Title      string    `json:"title"`
	Generation string    `json:"generation"`
	DryRun     bool      `json:"dry_run"`
	Force      bool      `json:"force"`
	Started    time.Time `json:"started_at"`
	Finished   time.Time `json:"finished_at"`
	// Already: there was nothing to do.
	Already bool `json:"already"`
	// Resumed: an earlier run had begun it.
	Resumed bool         `json:"resumed"`
	Steps   []StepReport `json:"steps,omitempty"`
	// Columns are those that were added or removed.
	Columns []string `json:"columns,omitempty"`
	Backup  Backup   `json:"backup,omitzero"`
	// Messages say how it went, Warnings what deserves a look, Instructions what
	// somebody should do by hand.
	Messages     []string `json:"messages,omitempty"`
	Warnings     []string `json:"warnings,omitempty"`
	Instructions []string `json:"instructions,omitempty"`
	// Rows are the rows whose state is doubtful.
	Rows []table.Finding `json:"rows,omitempty"`
	// Problem is the error a run ended with.
	Problem string `json:"problem,omitempty"`
}

// adopt takes over what the checkpoint of a skipped step has to say.
func (r *Report) adopt(c *checkpoint) {
	r.Warnings = append(r.Warnings, c.Warnings...)
	if c.Rows != nil {
		r.Rows = c.Rows
	}
	if c.Step == stepBackup && c.Rollback != nil && c.Rollback.Backup.DriveID == "" {
		r.Instructions = byHand(c.Rollback.Backup)
	}
}

// WriteText writes the report for a person.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	if r.Title != "" {
		fmt.Fprintf(&b, "Planilla %q (%s)\n", r.Title, r.Generation)
	}
	for _, st := range r.Steps {
		word := map[Status]string{Done: "hecho", Skipped: "ya estaba hecho", Planned: "por hacer", Failed: "falló"}[st.Status]
		fmt.Fprintf(&b, "%-20s %s\n", st.Step, word)
		for _, n := range st.Notes {
			fmt.Fprintf(&b, "    %s\n", n)
		}
	}
	list := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		fmt.Fprintln(&b, title)
		for _, l := range lines {
			fmt.Fprintf(&b, "  %s\n", l)
		}
	}
	list("Avisos:", r.Warnings)
	if len(r.Rows) > 0 {
		fmt.Fprintf(&b, "Filas dudosas: %d\n", len(r.Rows))
	}
	for _, f := range r.Rows {
		fmt.Fprintf(&b, "  %s fila %d, %s %q: %s\n", f.Sheet, f.Row, f.Column, f.Value, f.Reason)
	}
	list("Para hacer a mano:", r.Instructions)
	for _, m := range r.Messages {
		fmt.Fprintln(&b, m)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// quoted lists names for a person.
func quoted(names []string) string { return strings.Join(names, ", ") }
