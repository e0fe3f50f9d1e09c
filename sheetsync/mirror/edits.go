package mirror

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"envivo/plant"
	"envivo/sheetsync"
	"envivo/sheetsync/table"
)

// Proposal is a hand-made edit of a column of ours, waiting for a supervisor.
type Proposal struct {
	// ID names all edits of one row; they are decided together.
	ID           string
	Tag          plant.Tag
	Row          int
	Column       string
	Ours, Theirs string
	Since        time.Time
	// Acceptable is false when the rules do not allow it; Why says so.
	Acceptable bool
	Why        string
}

// proposal is the edits of one row.
type proposal struct {
	id      string
	tag     plant.Tag
	version uint64
	row     int
	since   time.Time
	diffs   []difference
	// progress is the state the edited row stands for.
	progress plant.Progress
	why      string // not acceptable, and why
}

func (p *proposal) shown() []Proposal {
	out := make([]Proposal, len(p.diffs))
	for i, d := range p.diffs {
		out[i] = Proposal{ID: p.id, Tag: p.tag, Row: p.row, Column: d.column, Ours: d.want.String(), Theirs: d.have.String(), Since: p.since,
			Acceptable: p.why == "", Why: p.why}
	}
	return out
}

// judgeEdits decides what to do about cells of ours that somebody changed while
// nothing of the floor was on its way (rules §2.9): other forms of the same are
// written anew without a word, what nobody may correct by hand is put right, the
// opening of a blocked spool is taken, the rest becomes a propuesta. It returns
// what has to be written.
func (m *Mirror) judgeEdits(c *cycle, v *rowView, diffs []difference, plan *rowPlan) []difference {
	var write, edited []difference
	astray := false
	for _, d := range diffs {
		astray = astray || plan.gotAstray(d.column, d.have) || m.strangeToken(v, d)
	}
	if astray {
		plan.strays = true
		return diffs
	}
	for _, d := range diffs {
		switch {
		case d.means, d.column == versionColumn, d.column == notasColumn, slices.Contains(counters, d.column):
			write = append(write, d)
		case d.column == estadoColumn && v.spool.Quality == plant.BloqueadoQ && opens(d.have.String()):
			if cmd, ok := opening(v.spool, d.have.String()); ok {
				plan.opened = append(plan.opened, cmd)
				continue
			}
			edited = append(edited, d)
		default:
			edited = append(edited, d)
		}
	}
	if len(edited) == 0 {
		return write
	}
	if !v.spool.Hold.Free() || slices.ContainsFunc(edited, func(d difference) bool { return d.unreadable }) {
		m.put(c, v, edited)
		return append(write, edited...)
	}
	plan.edits[v.spool.Tag] = m.propose(c, v, edited)
	return write
}

// strangeToken reports whether a row carries a version token that is neither its
// spool's nor the one seen there last. Every write brings a token along and nobody
// types one, so the row was written by us and moved at that moment, even if the
// process that wrote it is gone and remembers nothing.
func (m *Mirror) strangeToken(v *rowView, d difference) bool {
	if d.column != versionColumn || d.have.Text == m.rows.tokens[v.spool.Tag] {
		return false
	}
	_, err := uuid.Parse(d.have.Text)
	return err == nil
}

// put says that a hand-made edit is replaced by what the store says.
func (m *Mirror) put(c *cycle, v *rowView, edited []difference) {
	for _, d := range edited {
		why := "el spool está tomado"
		if d.unreadable {
			why = "la celda no se puede leer"
		}
		m.note(c.now, fmt.Sprintf("Operaciones, fila %d, %s de %s: «%s» se repuso por «%s» (%s).", v.row, d.column, v.spool.Tag, d.have, d.want, why))
	}
}

// landed reports whether a row is as we wrote it last, though no reading has shown
// that yet: it carries its spool's version token, which comes along with every
// write.
func (m *Mirror) landed(v *rowView, diffs []difference) bool {
	return slices.Contains(v.page.columns, versionColumn) && !m.formulas[versionColumn] && !m.rows.cells[string(v.spool.Tag)+"\x00"+versionColumn] &&
		!slices.ContainsFunc(diffs, func(d difference) bool { return d.column == versionColumn })
}

// openedSince takes a block lifted by hand right after it was written: unlike a
// correction it counts whatever waits for the row (rules §2.9).
func openedSince(v *rowView, diffs []difference, plan *rowPlan) []difference {
	return slices.DeleteFunc(diffs, func(d difference) bool {
		if d.column != estadoColumn || v.spool.Quality != plant.BloqueadoQ || !opens(d.have.String()) {
			return false
		}
		cmd, ok := opening(v.spool, d.have.String())
		if ok {
			plan.opened = append(plan.opened, cmd)
		}
		return ok
	})
}

// opens reports whether a text lifts a block (rules §4.5).
func opens(text string) bool {
	t := strings.ToUpper(text)
	return strings.Contains(t, "RECHAZADO") && !strings.Contains(t, "BLOQUEADO")
}

// opening is the command for a block lifted by hand; false when the text names a
// third cycle, which reads as blocked.
func opening(sp *plant.Spool, text string) (plant.Command, bool) {
	d := plant.ParseEstadoDetalle(text)
	if d.HasCiclo && d.Ciclo >= plant.MaxCiclo {
		return plant.Command{}, false
	}
	ciclo, version := d.Ciclo, sp.Version
	if !d.HasCiclo {
		ciclo = 0
	}
	return plant.Command{Verb: plant.Desbloquear, Tag: sp.Tag, Device: plant.SheetDevice, Supervisor: true, Ciclo: &ciclo, Version: &version}, true
}

// propose works out what an edited row stands for.
func (m *Mirror) propose(c *cycle, v *rowView, edited []difference) *proposal {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\x00%d", v.spool.Tag, v.spool.Version)
	for _, d := range edited {
		fmt.Fprintf(sum, "\x00%s\x00%d\x00%s", d.column, d.have.Kind, d.have)
	}
	p := &proposal{id: hex.EncodeToString(sum.Sum(nil)[:12]), tag: v.spool.Tag, version: v.spool.Version, row: v.row, since: c.now, diffs: edited}
	m.mu.Lock()
	old := m.proposed[p.id]
	m.mu.Unlock()
	if old != nil {
		p.since, p.progress, p.why = old.since, old.progress, old.why
		return p
	}
	p.progress, p.why = m.reread(c, v, edited)
	return p
}

// reread hydrates the row as it stands, with our values where nobody edited.
func (m *Mirror) reread(c *cycle, v *rowView, edited []difference) (plant.Progress, string) {
	columns := table.Columns(table.Operaciones)
	line := table.SpoolCells(v.spool, c.snap.Rules())
	for _, d := range edited {
		line[slices.Index(columns, d.column)] = d.have
	}
	sheet := table.NewSheet(table.Operaciones)
	sheet.Rows = append(sheet.Rows, line)
	read, err := table.ReadOperaciones(sheet)
	if err != nil || len(read.Rows) != 1 {
		return plant.Progress{}, "la fila no se puede leer"
	}
	sp, _ := sheetsync.Hydrate(read.Rows[0], v.spool.Unions, nil, c.snap.Rules(), c.now)
	if len(v.spool.Unions) > 0 {
		for _, d := range edited {
			switch d.column {
			case "Fecha_Armado", "Fecha_Soldadura":
				return plant.Progress{}, "el spool tiene uniones: su fecha sale de ellas y no se escribe a mano"
			}
		}
	}
	if !sp.Hold.Free() {
		return plant.Progress{}, "un spool se toma en la tableta, no en la planilla"
	}
	return sp.Progress, ""
}

// ErrNoProposal says that a propuesta is no longer there: decided, overtaken by
// work, or taken back by the office.
var ErrNoProposal = errors.New("the proposal is no longer there")

// NotAcceptable says that the rules do not allow what was proposed, and why, for
// the people of the plant.
type NotAcceptable struct{ Why string }

func (e *NotAcceptable) Error() string { return "the rules do not allow this correction: " + e.Why }

// Accept takes the edits of a row as a correction, an event of its own that
// names the supervisor and device, where that was pressed. The command is
// refused when the spool has changed since.
func (m *Mirror) Accept(ctx context.Context, id, reason, device string) error {
	m.mu.Lock()
	p := m.proposed[id]
	m.mu.Unlock()
	if p == nil {
		return ErrNoProposal
	}
	if p.why != "" {
		return &NotAcceptable{p.why}
	}
	cmd := plant.Command{Verb: plant.Corregir, Tag: p.tag, Supervisor: true, Actor: plant.BySupervisor, Device: device, Door: plant.DoorSheet, Motivo: reason, Version: &p.version,
		Correction: &plant.Correction{Progress: p.progress}}
	var words []string
	for _, d := range p.diffs {
		cmd.Correction.Columns = append(cmd.Correction.Columns, d.column)
		cmd.Correction.Old = append(cmd.Correction.Old, d.want.String())
		cmd.Correction.New = append(cmd.Correction.New, d.have.String())
		words = append(words, fmt.Sprintf("%s: «%s» → «%s»", d.column, d.want, d.have))
	}
	cmd.Texto = strings.Join(words, "; ")
	if _, err := m.plant.Do(ctx, cmd); err != nil && !errors.Is(err, plant.ErrUnchanged) {
		return err
	}
	m.drop(id)
	return nil
}

// Reject has our values written again; device is where that was pressed.
func (m *Mirror) Reject(_ context.Context, id, device string) error {
	m.mu.Lock()
	p := m.proposed[id]
	if p != nil {
		m.restore[p.tag] = true
		m.status.Backlog++ // until the next cycle has counted
	}
	m.mu.Unlock()
	if p == nil {
		return ErrNoProposal
	}
	m.note(m.o.Now(), fmt.Sprintf("Operaciones, fila %d, %s: el supervisor rechazó la propuesta (%s); se escribe lo nuestro.", p.row, p.tag, device))
	m.drop(id)
	m.Now()
	return nil
}

// Retry makes a parked event pending again.
func (m *Mirror) Retry(ctx context.Context, seq plant.Seq) error {
	if err := m.plant.Unpark(ctx, seq); err != nil {
		return err
	}
	m.mu.Lock()
	clear(m.poison)
	m.mu.Unlock()
	m.Now()
	return nil
}

func (m *Mirror) drop(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.proposed, id)
}

// keep replaces the propuestas by those of this reading.
func (m *Mirror) keep(edits map[plant.Tag]*proposal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.proposed = make(map[string]*proposal, len(edits))
	for _, p := range edits {
		m.proposed[p.id] = p
	}
}
