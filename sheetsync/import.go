// Package sheetsync moves the plant between the store and the office's
// worksheets. Whatever comes in becomes ordinary commands (IMPORTAR), decided
// by the same rules as everybody's; what goes out is read from one snapshot
// and the journal.
package sheetsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"envivo/plant"
	"envivo/sheetsync/table"
)

// Plant is what an import and an export need of the store.
type Plant interface {
	Snapshot() *plant.Snapshot
	DoAll(context.Context, []plant.Command) []plant.Result
	Events(ctx context.Context, after plant.Seq, limit int) ([]plant.Event, error)
}

const (
	unknownSpool = "ningún spool tiene este TAG"
	storeRefused = "el servidor no aceptó la fila: "
)

// Import brings worksheets in: office data for spools that the store knows, the
// whole hydrated state of those it does not, workers, roles, joint definitions
// and the rows of the old log (rules §2.9). It never undoes work. Rows that
// cannot be read are named in the report; the error is about worksheets that
// cannot be used at all, or the store. A rehearsal changes nothing. The same
// book again changes nothing; an import that was cut off may be repeated.
func Import(ctx context.Context, p Plant, b table.Book, source string, now time.Time, rehearse bool) (*Report, error) {
	im := &importer{snap: p.Snapshot(), source: source, now: now, report: newReport()}
	if err := im.read(b); err != nil {
		return nil, err
	}
	known := map[string]bool{}
	if len(im.meta.Rows) > 0 { // without a log there is nothing to compare with
		var err error
		if known, err = knownRows(ctx, p); err != nil {
			return nil, err
		}
	}
	im.log(known)
	im.people()
	im.spools()
	im.strayLog()
	if rehearse {
		for _, j := range im.jobs {
			im.settle(j, nil)
		}
	} else if err := im.carryOut(ctx, p); err != nil {
		return nil, err
	}
	im.finish()
	return im.report, nil
}

// Readable says why nothing of a book can be imported, whatever the plant: a
// worksheet without a column that is needed. It is for asking before a store is
// made for it.
func Readable(b table.Book) error {
	return (&importer{report: newReport()}).read(b)
}

// job is one command and the rows it stands for, by worksheet.
type job struct {
	cmd  plant.Command
	main string // the worksheet whose rows a refusal is reported at
	rows map[string][]int
}

func newJob(main string, cmd plant.Command) job {
	return job{cmd: cmd, main: main, rows: map[string][]int{}}
}

// importer is one import in progress.
type importer struct {
	snap   *plant.Snapshot
	source string
	now    time.Time
	report *Report

	ops     table.Page[table.SpoolRow]
	unions  table.Page[table.UnionRow]
	workers table.Page[table.WorkerRow]
	roles   table.Page[table.RoleRow]
	meta    table.Page[plant.MetadataRow]
	state   map[string]*rowState

	byTag    map[string][]plant.MetadataRow // all rows of the log, by tag
	fresh    map[string][]plant.MetadataRow // those the store does not have
	attached map[string][]table.UnionRow
	jobs     []job
}

func (im *importer) read(b table.Book) error {
	var errs [5]error
	im.ops, errs[0] = table.ReadOperaciones(b.Sheet(table.Operaciones))
	im.workers, errs[1] = table.ReadTrabajadores(b.Sheet(table.Trabajadores))
	im.roles, errs[2] = table.ReadRoles(b.Sheet(table.Roles))
	im.unions, errs[3] = table.ReadUniones(b.Sheet(table.Uniones))
	im.meta, errs[4] = table.ReadMetadata(b.Sheet(table.Metadata))
	if err := errors.Join(errs[:]...); err != nil {
		return fmt.Errorf("read the worksheets: %w", err)
	}
	im.state = map[string]*rowState{
		table.Operaciones: newRowState(im.ops.Outcomes), table.Trabajadores: newRowState(im.workers.Outcomes), table.Roles: newRowState(im.roles.Outcomes),
		table.Uniones: newRowState(im.unions.Outcomes), table.Metadata: newRowState(im.meta.Outcomes),
	}
	for _, list := range [][]table.Finding{im.ops.Findings, im.workers.Findings, im.roles.Findings, im.unions.Findings, im.meta.Findings} {
		im.report.Findings = append(im.report.Findings, list...)
	}
	return nil
}

func (im *importer) find(f table.Finding) {
	im.report.Findings = append(im.report.Findings, f)
	im.state[f.Sheet].worsen(f.Row, f.Action)
}

// fold is the form in which tags are compared: those that differ only in case
// are one spool (rules §2.7).
func fold(t plant.Tag) string { return strings.ToUpper(string(t)) }

// knownRows are the IDs of all rows of the log the store would write itself.
func knownRows(ctx context.Context, p Plant) (map[string]bool, error) {
	known := map[string]bool{}
	err := EachEvent(ctx, p, func(e plant.Event) {
		for _, m := range table.EventRows(e) {
			known[m.ID] = true
		}
	})
	return known, err
}

// EachEvent walks the whole journal, oldest first. Events are shared with other
// readers: do not change what they point to.
func EachEvent(ctx context.Context, p Plant, do func(plant.Event)) error {
	const page = 2000
	for at := plant.Seq(0); ; {
		events, err := p.Events(ctx, at, page)
		if err != nil {
			return fmt.Errorf("read events after %d: %w", at, err)
		}
		if len(events) == 0 {
			return nil
		}
		for _, e := range events {
			do(e)
		}
		at = events[len(events)-1].Seq
	}
}

func (im *importer) log(known map[string]bool) {
	im.byTag, im.fresh = map[string][]plant.MetadataRow{}, map[string][]plant.MetadataRow{}
	for _, m := range im.meta.Rows {
		key := fold(plant.Tag(m.Tag))
		im.byTag[key] = append(im.byTag[key], m)
		if !known[m.ID] {
			im.fresh[key] = append(im.fresh[key], m)
		}
	}
}

// spools sends every row to where it belongs and attaches the unions by tag
// and number alone (rules §11.1).
func (im *importer) spools() {
	inFile := map[string]bool{}
	for _, r := range im.ops.Rows {
		inFile[fold(r.Tag)] = true
	}
	im.attached = map[string][]table.UnionRow{}
	var alone []string // unions of spools whose row did not come along
	for _, u := range im.unions.Rows {
		key := fold(u.Tag)
		_, known := im.snap.Row(u.Tag)
		if !known && !inFile[key] {
			im.find(table.Finding{Sheet: table.Uniones, Row: u.Row, Column: "TAG_SPOOL", Value: string(u.Tag), Reason: unknownSpool, Action: table.Quarantined})
			continue
		}
		if !inFile[key] && len(im.attached[key]) == 0 {
			alone = append(alone, key)
		}
		im.attached[key] = append(im.attached[key], u)
	}
	for _, r := range im.ops.Rows {
		if row, known := im.snap.Row(r.Tag); known {
			im.known(row.Spool, &r)
		} else {
			im.create(r)
		}
	}
	for _, key := range alone {
		if row, known := im.snap.Row(plant.Tag(key)); known {
			im.known(row.Spool, nil)
		}
	}
}

// create brings a spool the store does not know, with everything about it.
func (im *importer) create(r table.SpoolRow) {
	key := fold(r.Tag)
	var unions []plant.Union
	var rows []int
	for _, u := range im.attached[key] {
		unions, rows = append(unions, u.Union), append(rows, u.Row)
		r.Damaged = append(r.Damaged, u.Damaged...)
	}
	slices.SortFunc(unions, func(a, b plant.Union) int { return cmp.Compare(a.N, b.N) })
	sp, findings := Hydrate(r, unions, im.byTag[key], im.snap.Rules(), im.now)
	for _, f := range findings {
		im.find(f)
	}
	if f, differs := r.Counts.Differs(r.Row, sp.Tally(im.snap.Rules())); differs && len(unions) > 0 {
		im.find(f)
	}
	job := newJob(table.Operaciones, im.importing(sp.Tag, plant.Import{Spool: &sp, History: im.fresh[key]}))
	job.rows[table.Operaciones], job.rows[table.Metadata], job.rows[table.Uniones] = []int{r.Row}, orders(im.fresh[key]), rows
	im.jobs = append(im.jobs, job)
	delete(im.fresh, key)
}

// importing is the command that brings something in.
func (im *importer) importing(tag plant.Tag, i plant.Import) plant.Command {
	i.Source = im.source
	return plant.Command{Verb: plant.Importar, Tag: tag, Device: im.source, Import: &i}
}

func orders(rows []plant.MetadataRow) []int {
	out := make([]int, len(rows))
	for i, m := range rows {
		out[i] = int(m.Order)
	}
	return out
}

// logRows bounds the rows of the log that one event carries.
const logRows = 500

// strayLog are rows of the log that no row of a spool took along: of spools
// the store knows, or of none. They are kept all the same.
func (im *importer) strayLog() {
	var rest []plant.MetadataRow
	for _, m := range im.meta.Rows {
		key := fold(plant.Tag(m.Tag))
		rows := im.fresh[key]
		if len(rows) == 0 {
			continue
		}
		if row, known := im.snap.Row(plant.Tag(m.Tag)); known && key != "" {
			im.known(row.Spool, nil)
			continue
		}
		delete(im.fresh, key)
		rest = append(rest, rows...)
	}
	slices.SortFunc(rest, func(a, b plant.MetadataRow) int { return cmp.Compare(a.Order, b.Order) })
	for some := range slices.Chunk(rest, logRows) {
		job := newJob(table.Metadata, im.importing("", plant.Import{History: some}))
		job.rows[table.Metadata] = orders(some)
		im.jobs = append(im.jobs, job)
	}
}

// carryOut sends the commands. One refused row does not stop the rest; a store
// that cannot write does.
func (im *importer) carryOut(ctx context.Context, p Plant) error {
	cmds := make([]plant.Command, len(im.jobs))
	for i, j := range im.jobs {
		cmds[i] = j.cmd
	}
	for i, r := range p.DoAll(ctx, cmds) {
		var no *plant.Error
		if errors.As(r.Err, &no) {
			switch no.Code {
			case plant.CodeBusy, plant.CodeFull, plant.CodeUnknownOutcome, plant.CodeInternal:
				return fmt.Errorf("import row %d of %d: %w", i+1, len(cmds), r.Err)
			}
		} else if r.Err != nil {
			return fmt.Errorf("import row %d of %d: %w", i+1, len(cmds), r.Err)
		}
		im.settle(im.jobs[i], r.Err)
	}
	return nil
}

// settle counts what one command came to.
func (im *importer) settle(j job, err error) {
	switch {
	case errors.Is(err, plant.ErrUnchanged):
		return
	case err != nil:
		for _, row := range j.rows[j.main] {
			im.find(table.Finding{Sheet: j.main, Row: row, Value: string(j.cmd.Tag), Reason: storeRefused + err.Error(), Action: table.Quarantined})
		}
		return
	}
	im.report.Changed++
	for sheet, rows := range j.rows {
		for _, r := range rows {
			im.state[sheet].changed[r] = true
		}
	}
}

// finish turns what became of the rows into figures.
func (im *importer) finish() {
	for name, s := range im.state {
		im.report.Sheets[name] = s.tally()
	}
	im.report.sort()
}
