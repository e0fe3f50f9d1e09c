package migration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"envivo/durable"
	"envivo/plant"
	"envivo/sheetsync/table"
)

// The files of a migration in its folder. Each is replaced at once and flushed.
//
//	rollback.json            record: what was and is going to be written
//	snapshot.json            Operaciones and Metadata before the migration
//	<title>_v2.1_backup_….xlsx  everything before the migration
//	checkpoint_<step>.json   a finished step, until all are finished
//	migration_report.json    the report of the last migration that finished
//	rollback_report.json     the report of the last rollback that finished
//	dropped_<time>.json      what others had written into columns that were deleted
const (
	recordFile   = "rollback.json"
	snapshotFile = "snapshot.json"
	reportFile   = "migration_report.json"
	undoneFile   = "rollback_report.json"
)

// record is what a rollback needs, written before the Sheet is touched.
type record struct {
	Version int       `json:"version"` // of this format: 1
	ID      string    `json:"spreadsheet_id,omitempty"`
	Title   string    `json:"title"`
	Started time.Time `json:"started_at"`
	// Finished and RolledBack close the migration and its rollback.
	Finished   *time.Time `json:"finished_at,omitempty"`
	RolledBack *time.Time `json:"rolled_back_at,omitempty"`
	Backup     Backup     `json:"backup"`
	// Asked: Drive was asked for the copy, whatever came of it.
	Asked bool `json:"drive_asked,omitempty"`
	// Columns are the headers to add, in their order; Header is row 1 as it was.
	Columns []string `json:"columns"`
	Header  []string `json:"header"`
	// Cols is the width of the grid of Operaciones as it was, Grown by how many
	// columns it was widened at most; Added says that it is certain.
	Cols  int  `json:"grid_columns"`
	Grown int  `json:"grid_columns_added"`
	Added bool `json:"columns_added"`
	// Rows and GrownRows are the same for the rows of Metadata, IDs the rows
	// written there.
	Rows      int      `json:"metadata_rows"`
	GrownRows int      `json:"metadata_rows_added"`
	IDs       []string `json:"metadata_ids"`
	// Zeros are the cells of an older version column that were filled.
	Zeros []place `json:"versions_written,omitempty"`
	// Undo is set when a rollback begins.
	Undo *undo `json:"undo,omitempty"`
}

// place is a cell of a row: where the row was, and its TAG.
type place struct {
	Row int    `json:"row"`
	Tag string `json:"tag"`
}

// undo is the aim of a rollback, fixed before it changes anything.
type undo struct {
	Started time.Time `json:"started_at"`
	// Cols and Rows are the sizes of the grids of Operaciones and Metadata that it
	// leaves behind.
	Cols int `json:"grid_columns"`
	Rows int `json:"metadata_rows"`
}

func newRecord(o Options, v *view) *record {
	now := o.Now()
	rec := &record{Version: 1, ID: o.ID, Title: v.layout.Title, Started: now.UTC()}
	rec.shape(v)
	rec.name(now)
	return rec
}

// shape takes down what the spreadsheet is like before it is touched.
func (r *record) shape(v *view) {
	r.Columns, r.Cols, r.Rows, r.Header = v.lacking(), v.tab(table.Operaciones).Cols, v.tab(table.Metadata).Rows, nil
	for _, c := range v.head[table.Operaciones] {
		r.Header = append(r.Header, c.String())
	}
}

// name is what the copies are called: the title and the plant's time.
func (r *record) name(now time.Time) {
	title := fmt.Sprintf("%s_v2.1_backup_%s", r.Title, now.In(plant.Zone()).Format("20060102_150405"))
	r.Backup = Backup{Title: title, File: fileName(title) + ".xlsx"}
}

// fileName is a title as the name of a file on any system.
func fileName(title string) string {
	out := []rune(title)
	for i, c := range out {
		switch {
		case c < ' ', c == '/', c == '\\', c == ':', c == '*', c == '?', c == '"', c == '<', c == '>', c == '|':
			out[i] = '_'
		}
	}
	if len(out) > 100 { // the end tells copies apart
		out = append(out[:60:60], out[len(out)-40:]...)
	}
	return string(out)
}

// snapshot is the worksheets a migration writes into, as they were: values, and
// the text of formulas.
type snapshot struct {
	Operaciones [][]any `json:"operaciones"`
	Metadata    [][]any `json:"metadata"`
}

func packed(rows [][]table.Cell) [][]any {
	out := make([][]any, len(rows))
	for i, row := range rows {
		out[i] = make([]any, len(row))
		for k, c := range row {
			out[i][k] = table.Value(c)
		}
	}
	return out
}

// checkpoint is a finished step.
type checkpoint struct {
	Step        string          `json:"step"`
	CompletedAt time.Time       `json:"completed_at"`
	DryRun      bool            `json:"dry_run"`
	Notes       []string        `json:"notes,omitempty"`
	Warnings    []string        `json:"warnings,omitempty"`
	Rows        []table.Finding `json:"rows,omitempty"`
	Rollback    *record         `json:"rollback"`
}

// folder is where the files are.
type folder string

func (d folder) path(name string) string { return filepath.Join(string(d), name) }

// save writes v durably under a name: a crash leaves the old file or the new one.
func (d folder) save(name string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	if err := d.put(name, append(text, '\n')); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (d folder) put(name string, text []byte) error {
	return durable.Replace(d.path(name), 0o644, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// load reads a file; false if there is none.
func (d folder) load(name string, into any) (bool, error) {
	text, err := os.ReadFile(d.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", name, err)
	}
	return true, nil
}

// record is the migration on record; nil if there is none.
func (d folder) record() (*record, error) {
	r := new(record)
	ok, err := d.load(recordFile, r)
	switch {
	case err != nil || !ok:
		return nil, err
	case r.Version != 1:
		return nil, refuse("%s es de otra versión del programa (%d).", d.path(recordFile), r.Version)
	}
	return r, nil
}

func (d folder) saveRecord(r *record) error { return d.save(recordFile, r) }

// keepOld puts the record of an earlier migration aside before a new one begins,
// together with its checkpoints, which are of no use to the new one.
func (d folder) keepOld(next *record) error {
	old, err := d.record()
	if err != nil || old != nil && old.Started.Equal(next.Started) {
		return err
	}
	if err := d.dropCheckpoints(); err != nil || old == nil {
		return err
	}
	stamp := old.Started.In(plant.Zone()).Format("20060102_150405")
	for _, name := range []string{snapshotFile, recordFile} {
		ext := filepath.Ext(name)
		err := os.Rename(d.path(name), d.path(name[:len(name)-len(ext)]+"_"+stamp+ext))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("keep the record of an earlier migration: %w", err)
		}
	}
	return durable.SyncFolder(string(d))
}

func checkpointFile(step string) string { return "checkpoint_" + step + ".json" }

// checkpoint is a finished step; nil if it is not finished.
func (d folder) checkpoint(step string) (*checkpoint, error) {
	c := new(checkpoint)
	ok, err := d.load(checkpointFile(step), c)
	if err != nil || !ok || c.Step != step || c.DryRun {
		return nil, err
	}
	return c, nil
}

func (d folder) saveCheckpoint(c checkpoint) error { return d.save(checkpointFile(c.Step), c) }

func (d folder) dropCheckpoints() error {
	var errs []error
	for _, st := range steps() {
		if err := os.Remove(d.path(checkpointFile(st.name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove a checkpoint: %w", err))
		}
	}
	return errors.Join(errs...)
}
