// Package sheetsync moves the plant between the store and the office's
// worksheets. Whatever comes in becomes ordinary commands (IMPORTAR), decided
// by the same rules as everybody's; what goes out is read from one snapshot
// and the journal.
package sheetsync

import (
	"context"
	"errors"
	"fmt"
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
	known, err := knownRows(ctx, p)
	if err != nil {
		return nil, err
	}
	im.log(known)
	im.people()
	im.spools()
	im.orphans()
	if !rehearse {
		if err := im.carryOut(ctx, p); err != nil {
			return nil, err
		}
	} else {
		for _, c := range im.jobs {
			im.settle(c, nil)
		}
	}
	im.finish(b)
	return im.report, nil
}

// job is one command and the rows it stands for.
type job struct {
	cmd   plant.Command
	sheet string
	rows  []int
	also  []int // rows of Metadata that travel with it
	union []int // rows of Uniones
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
	for _, s := range b.Sheets {
		im.report.Findings = append(im.report.Findings, s.Findings...)
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
	err := eachEvent(ctx, p, func(e plant.Event) {
		for _, m := range table.EventRows(e) {
			known[m.ID] = true
		}
	})
	return known, err
}

// eachEvent walks the whole journal.
func eachEvent(ctx context.Context, p Plant, do func(plant.Event)) error {
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

// people are the workers with their roles. Worksheets that are not there
// change nothing.
func (im *importer) people() {
	roles := map[plant.WorkerID]plant.Role{}
	rows := map[plant.WorkerID][]int{}
	for _, r := range im.roles.Rows {
		rows[r.ID] = append(rows[r.ID], r.Row)
		if r.Active {
			roles[r.ID] |= r.Role
		}
	}
	haveRoles := len(im.roles.Outcomes) > 0
	seen := map[plant.WorkerID]bool{}
	for _, w := range im.workers.Rows {
		seen[w.Worker.ID] = true
		old, _ := im.snap.Worker(w.Worker.ID)
		next := w.Worker
		switch {
		case haveRoles:
			next.Roles |= roles[next.ID]
		case !w.HasRol:
			next.Roles = old.Roles
		}
		im.worker(next, w.Row, rows[next.ID])
	}
	for id := range rows { // roles of people whose row did not come along
		if old, ok := im.snap.Worker(id); ok && !seen[id] {
			next := old
			next.Roles = roles[id]
			im.worker(next, 0, rows[id])
		}
	}
}

func (im *importer) worker(w plant.Worker, row int, roleRows []int) {
	if old, ok := im.snap.Worker(w.ID); ok && old == w {
		return
	}
	j := job{cmd: plant.Command{Verb: plant.Importar, Device: im.source, Import: &plant.Import{Worker: &w, Source: im.source}}, sheet: table.Trabajadores}
	if row > 0 {
		j.rows = []int{row}
	}
	im.jobs = append(im.jobs, j)
	for _, r := range roleRows {
		im.state[table.Roles].changed[r] = true
	}
}

func (im *importer) spools() {
	inFile := map[string]bool{}
	for _, r := range im.ops.Rows {
		inFile[fold(r.Tag)] = true
	}
	im.attached = map[string][]table.UnionRow{}
	for _, u := range im.unions.Rows {
		_, known := im.snap.Row(u.Tag)
		if !known && !inFile[fold(u.Tag)] {
			im.find(table.Finding{Sheet: table.Uniones, Row: u.Row, Column: "TAG_SPOOL", Value: string(u.Tag), Reason: unknownSpool, Action: table.Quarantined})
			continue
		}
		im.attached[fold(u.Tag)] = append(im.attached[fold(u.Tag)], u)
	}
	for _, r := range im.ops.Rows {
		if row, known := im.snap.Row(r.Tag); known {
			im.known(row.Spool, &r)
		} else {
			im.create(r)
		}
	}
	for key, us := range im.attached { // joints of spools whose row did not come along
		if row, known := im.snap.Row(us[0].Tag); known && !inFile[key] {
			im.known(row.Spool, nil)
		}
	}
}

// create brings a spool the store does not know, with everything about it.
func (im *importer) create(r table.SpoolRow) {
	key := fold(r.Tag)
	unions := make([]plant.Union, 0, len(im.attached[key]))
	var rows []int
	for _, u := range im.attached[key] {
		unions, rows = append(unions, u.Union), append(rows, u.Row)
		r.Damaged = append(r.Damaged, u.Damaged...)
	}
	sortUnions(unions)
	if len(unions) == 0 {
		unions = nil
	}
	sp, findings := Hydrate(r, unions, im.byTag[key], im.snap.Rules(), im.now)
	for _, f := range findings {
		im.find(f)
	}
	if f, differs := r.Counts.Differs(r.Row, sp.Tally(im.snap.Rules())); differs && len(unions) > 0 {
		im.find(f)
	}
	c := plant.Command{Verb: plant.Importar, Tag: sp.Tag, Device: im.source,
		Import: &plant.Import{Spool: &sp, History: im.fresh[key], Source: im.source}}
	im.jobs = append(im.jobs, job{cmd: c, sheet: table.Operaciones, rows: []int{r.Row}, also: orders(im.fresh[key]), union: rows})
	delete(im.fresh, key)
}

func sortUnions(us []plant.Union) {
	for i := 1; i < len(us); i++ { // few, and as a rule in order already
		for k := i; k > 0 && us[k-1].N > us[k].N; k-- {
			us[k-1], us[k] = us[k], us[k-1]
		}
	}
}

func orders(rows []plant.MetadataRow) []int {
	out := make([]int, len(rows))
	for i, m := range rows {
		out[i] = int(m.Order)
	}
	return out
}

// known brings what the office owns on a spool of the store; r is nil when only
// unions came.
func (im *importer) known(sp *plant.Spool, r *table.SpoolRow) {
	key := fold(sp.Tag)
	next := &plant.Import{Source: im.source, History: im.fresh[key]}
	delete(im.fresh, key)
	changed := len(next.History) > 0
	j := job{sheet: table.Operaciones, also: orders(next.History)}
	if r != nil {
		if r.Office != sp.Office {
			office := r.Office
			next.Office, changed, j.rows = &office, true, []int{r.Row}
		}
	}
	for _, u := range im.attached[key] {
		old, ok := sp.Union(u.Union.N)
		if !ok || redefined(old, u.Union) {
			next.Unions = append(next.Unions, definition(u.Union))
			changed, j.union = true, append(j.union, u.Row)
		}
	}
	if !changed {
		return
	}
	j.cmd = plant.Command{Verb: plant.Importar, Tag: sp.Tag, Device: im.source, Import: next}
	im.jobs = append(im.jobs, j)
}

// redefined reports whether engineering's or the inspection staff's part of a
// union changed. DN and type of a union with work on it stay (rules §11.6).
func redefined(old, u plant.Union) bool {
	if !old.Worked() && (old.DN != u.DN || old.Tipo != u.Tipo) {
		return true
	}
	return old.NDT != u.NDT || old.NDTResult != u.NDTResult || old.NDTDate != u.NDTDate || old.NDTStatus != u.NDTStatus || old.SheetID != u.SheetID
}

// definition is a union without work: that belongs to the store.
func definition(u plant.Union) plant.Union {
	u.Arm, u.Sold = plant.JointWork{}, plant.JointWork{}
	return u
}

// orphans are rows of the log about spools that nobody knows; they are kept all
// the same, in one event.
func (im *importer) orphans() {
	var rest []plant.MetadataRow
	for _, m := range im.meta.Rows {
		key := fold(plant.Tag(m.Tag))
		for _, x := range im.fresh[key] {
			if x.ID == m.ID {
				if row, known := im.snap.Row(plant.Tag(m.Tag)); known && m.Tag != "" {
					im.known(row.Spool, nil)
					break
				}
				rest = append(rest, m)
			}
		}
	}
	if len(rest) == 0 {
		return
	}
	c := plant.Command{Verb: plant.Importar, Device: im.source, Import: &plant.Import{History: rest, Source: im.source}}
	im.jobs = append(im.jobs, job{cmd: c, sheet: table.Metadata, also: orders(rest)})
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
		for _, row := range j.rows {
			im.find(table.Finding{Sheet: j.sheet, Row: row, Value: string(j.cmd.Tag), Reason: storeRefused + err.Error(), Action: table.Quarantined})
		}
		return
	}
	im.report.Changed++
	mark := func(sheet string, rows []int) {
		for _, r := range rows {
			im.state[sheet].changed[r] = true
		}
	}
	mark(j.sheet, j.rows)
	mark(table.Metadata, j.also)
	mark(table.Uniones, j.union)
}

// finish turns what became of the rows into figures.
func (im *importer) finish(table.Book) {
	for name, s := range im.state {
		im.report.Sheets[name] = s.tally()
	}
	im.report.sort()
}
