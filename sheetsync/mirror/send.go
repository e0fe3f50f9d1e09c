package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"envivo/plant"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// sendOut compares the reading with the store, settles what is proved, and writes
// what differs.
func (m *Mirror) sendOut(ctx context.Context, c *cycle) error {
	o := &outgoing{}
	if c.usable[table.Operaciones] {
		o.rows = m.planRows(c)
		m.keep(o.rows.edits)
		m.takeEdits(ctx, c, o.rows)
	}
	if c.usable[table.Uniones] {
		o.unions = m.planUnions(c)
	}
	if err := m.lookAtLog(ctx, c); err != nil {
		return err
	}
	m.prove(c, o)
	if err := m.acknowledge(ctx, c, o); err != nil {
		return err
	}
	if m.readOnly() {
		return nil
	}
	return m.write(ctx, c, o)
}

// lookAtLog compares the reading of Metadata with what is known of it. Without a
// reading that may be believed nothing is known, and nothing is written.
func (m *Mirror) lookAtLog(ctx context.Context, c *cycle) error {
	if !c.usable[table.Metadata] {
		m.trail.forget()
		return nil
	}
	m.trail.bind(m.tab(table.Metadata).grid.ID)
	if m.trail.check(c.pages[table.Metadata]); m.trail.known || m.odd[table.Operaciones] > 0 {
		return nil // an answer that is odd in one part is not believed in another
	}
	return m.study(ctx, c)
}

// outgoing is what a cycle has to write.
type outgoing struct {
	rows   *rowPlan
	unions *unionPlan
}

// prove marks pending events whose cells were seen to be right.
func (m *Mirror) prove(c *cycle, o *outgoing) {
	for _, e := range c.pending {
		if m.rowDone[e.Seq] {
			continue
		}
		switch {
		case e.Tag == "":
			m.rowDone[e.Seq] = true
		case o.rows == nil:
		case o.rows.at[e.Tag] == 0:
			m.rowDone[e.Seq] = e.Kind == plant.KindImportar // the office decides what has a row
		case !o.rows.right[e.Tag]:
		case touchesUnions(e) && m.tab(table.Uniones).found && (o.unions == nil || o.unions.wrong[e.Tag]):
		default:
			m.rowDone[e.Seq] = true
		}
	}
}

const (
	noRow = "el spool no tiene fila en la hoja Operaciones"
)

// acknowledge takes proved events out of the outbox and sets aside those of
// spools without a row. Events that were set aside come out as soon as their
// cells are seen to be right.
func (m *Mirror) acknowledge(ctx context.Context, c *cycle, o *outgoing) error {
	var done []plant.Event
	c.pending = slices.DeleteFunc(c.pending, func(e plant.Event) bool {
		ok := m.rowDone[e.Seq] && (m.trail.has(e) || len(ourRows(e)) == 0)
		if ok {
			done = append(done, e)
		}
		return ok
	})
	if o.rows != nil {
		for _, p := range m.plant.Parked() {
			if !o.rows.right[p.Tag] {
				continue
			}
			if e, ok := m.inTrail(ctx, p.Seq); ok {
				done = append(done, e)
			}
		}
	}
	if len(done) > 0 {
		if err := m.plant.Ack(ctx, seqs(done)...); err != nil {
			return fmt.Errorf("acknowledge %d events: %w", len(done), err)
		}
		for _, e := range done {
			delete(m.rowDone, e.Seq)
			delete(m.rows.sent, e.Seq)
			m.trail.delivered(e)
		}
	}
	if o.rows == nil {
		return nil
	}
	for _, e := range c.pending {
		why := m.poisoned(e.Tag)
		if why == "" && e.Tag != "" && o.rows.at[e.Tag] == 0 && !m.rowDone[e.Seq] {
			why = noRow
		}
		if why == "" || !m.trail.has(e) {
			continue
		}
		if err := m.plant.Park(ctx, e.Seq, why); err != nil {
			return fmt.Errorf("set event %d aside: %w", e.Seq, err)
		}
	}
	return nil
}

func (m *Mirror) poisoned(tag plant.Tag) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.poison[tag]
}

func seqs(events []plant.Event) []plant.Seq {
	out := make([]plant.Seq, len(events))
	for i, e := range events {
		out[i] = e.Seq
	}
	return out
}

// inTrail is an event that was set aside, and whether its rows are in the Sheet.
func (m *Mirror) inTrail(ctx context.Context, seq plant.Seq) (plant.Event, bool) {
	events, err := m.plant.Events(ctx, seq-1, 1)
	if err != nil || len(events) != 1 || events[0].Seq != seq {
		return plant.Event{}, false
	}
	return events[0], m.trail.has(events[0])
}

// logBatch is the rows of Metadata of one write.
type logBatch struct {
	events []plant.Event
	rows   []plant.MetadataRow
}

// nextLog are the next rows that Metadata lacks, events whole, in order.
func (m *Mirror) nextLog(c *cycle, most int) logBatch {
	var b logBatch
	if !m.trail.known {
		return b
	}
	for _, e := range c.pending {
		rows := ourRows(e)
		if len(rows) == 0 || m.trail.has(e) {
			continue
		}
		if len(b.rows) > 0 && len(b.rows)+len(rows) > most {
			break
		}
		b.events = append(b.events, e)
		for _, r := range rows {
			if !m.trail.have[r.ID] {
				b.rows = append(b.rows, r)
			}
		}
	}
	return b
}

// rowChanges are the changes of the row lane, without those of poisoned spools.
func (m *Mirror) rowChanges(o *outgoing) []change {
	if o.rows == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(o.rows.changes), func(ch change) bool {
		return m.poisoned(o.rows.tags[ch.row]) != ""
	})
}

// scarce is when the lanes share a call: fewer may be made at once than a bucket
// of the steady state holds.
const scarce = bucket

// write sends the two lanes: the cells of rows in one call, rows of the log in
// another; both in one when calls are scarce. What does not fit goes with the
// next cycle, which follows at once.
func (m *Mirror) write(ctx context.Context, c *cycle, o *outgoing) error {
	spare := func() int { return m.pace.left(m.allowance(c.now)) }
	changes := m.rowChanges(o)
	var cells []google.Block
	var sent []change
	if len(changes) > 0 {
		sent = (&rowPlan{changes: changes}).chunk(0)
		cells = blocks(m.tab(table.Operaciones), sent)
		m.remember(c, table.Operaciones, places(m.tab(table.Operaciones), sent))
	}
	if o.unions != nil && len(o.unions.changes) > 0 {
		if err := m.fit(ctx, m.tab(table.Uniones), o.unions.last); err != nil {
			return err
		}
		some := (&rowPlan{changes: o.unions.changes}).chunk(0)
		cells = append(cells, blocks(m.tab(table.Uniones), some)...)
		m.remember(c, table.Uniones, places(m.tab(table.Uniones), some))
	}
	batch := m.nextLog(c, rowsPerLog)
	if len(cells) > 0 && len(batch.rows) > 0 && spare() < scarce && m.refused == 0 {
		if err := m.writeLog(ctx, c, batch, cells); err != nil {
			return m.refusedWrite(ctx, c, o, err)
		}
		m.wroteRows(c, o, sent)
	} else {
		if len(cells) > 0 {
			if err := m.sheet.Write(ctx, cells...); err != nil {
				return m.refusedWrite(ctx, c, o, err)
			}
			m.wroteRows(c, o, sent)
		}
		for n := 0; len(batch.rows) > 0 && (n == 0 || spare() > 0); n++ {
			if err := m.writeLog(ctx, c, batch, nil); err != nil {
				return m.refusedWrite(ctx, c, o, err)
			}
			batch = m.nextLog(c, rowsPerLog)
		}
	}
	m.refused = 0
	if c.more || len(sent) < len(changes) || len(m.nextLog(c, 1).rows) > 0 || o.unions != nil && len((&rowPlan{changes: o.unions.changes}).chunk(0)) < len(o.unions.changes) {
		m.again(c.now)
	}
	return nil
}

func (m *Mirror) wroteRows(c *cycle, o *outgoing, sent []change) {
	if o.rows != nil {
		m.wrote(o.rows, sent, c)
	}
}

// again asks for another cycle soon.
func (m *Mirror) again(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.news.IsZero() {
		m.news = now.Add(-m.o.Interval)
	}
}

// writeLog writes rows of the log below the last one, with whatever else shall go
// in the same call. Until it is answered nothing is known of the log.
func (m *Mirror) writeLog(ctx context.Context, c *cycle, b logBatch, more []google.Block) error {
	t, l := m.tab(table.Metadata), &m.trail
	if err := m.fit(ctx, t, l.last+len(b.rows)); err != nil {
		return err
	}
	l.forget()
	lines, low := logBlock(t, l.last+1, b.rows)
	m.remember(c, table.Metadata, logPlaces(lines, l.last+1, low))
	if err := m.sheet.Write(ctx, append(more, lines)...); err != nil {
		if l.known = errors.Is(err, errPaced); !l.known { // then nothing was said to anybody
			for _, r := range b.rows {
				l.doubt = append(l.doubt, r.ID)
			}
		}
		return err
	}
	l.added(b.rows)
	return nil
}

// refusedWrite looks for what the service does not take once a write has been
// refused twice: the first time the sheet may have changed under it.
func (m *Mirror) refusedWrite(ctx context.Context, c *cycle, o *outgoing, err error) error {
	if google.ClassOf(err) != google.Refused {
		return err
	}
	m.located = false
	if m.refused++; m.refused < 2 {
		return err
	}
	m.refused = 0
	t := m.tab(table.Operaciones)
	byRow := map[int][]change{}
	for _, ch := range m.rowChanges(o) {
		byRow[ch.row] = append(byRow[ch.row], ch)
	}
	rows := sortedKeys(byRow)
	bad, err := isolate(0, len(rows), func(from, to int) error {
		var some []google.Block
		for _, row := range rows[from:to] {
			some = append(some, rowBlocks(t, row, byRow[row])...)
		}
		return m.sheet.Write(ctx, some...)
	})
	for i, why := range bad {
		m.setAside(o.rows.tags[rows[i]], why, c.now)
	}
	if err != nil {
		return err
	}
	return m.isolateLog(ctx, c)
}

func (m *Mirror) setAside(tag plant.Tag, why string, now time.Time) {
	m.note(now, fmt.Sprintf("Operaciones: Google no acepta las celdas de %s; quedó aparcado: %s", tag, why))
	m.mu.Lock()
	m.poison[tag] = why
	m.mu.Unlock()
	m.again(now)
}

// isolateLog finds the events whose rows the service does not take and sets them
// aside.
func (m *Mirror) isolateLog(ctx context.Context, c *cycle) error {
	if !c.usable[table.Metadata] {
		return nil
	}
	if err := m.study(ctx, c); err != nil || !m.trail.known {
		return err
	}
	for n := 0; n < 20; n++ {
		batch := m.nextLog(c, 1)
		if len(batch.rows) == 0 {
			return nil
		}
		err := m.writeLog(ctx, c, batch, nil)
		if err == nil {
			continue
		}
		if google.ClassOf(err) != google.Refused {
			return err
		}
		for _, e := range batch.events {
			if err := m.plant.Park(ctx, e.Seq, "Google no acepta su fila de Metadata: "+err.Error()); err != nil {
				return fmt.Errorf("set event %d aside: %w", e.Seq, err)
			}
		}
		m.trail.shy = false
		return nil
	}
	return nil
}

// isolate tries halves until it knows which items are refused by themselves, and
// why. Any other failure ends it.
func isolate(from, to int, try func(from, to int) error) (map[int]string, error) {
	if from == to {
		return nil, nil
	}
	err := try(from, to)
	if err == nil || google.ClassOf(err) != google.Refused {
		return nil, err
	}
	if to-from == 1 {
		return map[int]string{from: err.Error()}, nil
	}
	mid := (from + to) / 2
	left, err := isolate(from, mid, try)
	if err != nil {
		return left, err
	}
	right, err := isolate(mid, to, try)
	for i, why := range right {
		if left == nil {
			left = map[int]string{}
		}
		left[i] = why
	}
	return left, err
}
