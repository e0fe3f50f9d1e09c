package mirror

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"envivo/plant"
	"envivo/sheetsync"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// logLane knows what stands in Metadata: where it ends, and which rows of events
// that were not acknowledged yet are in it. What has been acknowledged is never
// asked for again, so the log's length costs no memory. When it does not know, the
// whole worksheet is read before anything is written.
type logLane struct {
	known bool
	last  int             // last row in use
	tail  string          // its ID
	have  map[string]bool // IDs of the rows there of events still in the outbox or set aside
	// doubt are the IDs of a write below the last row whose outcome nobody knows,
	// in order; nil without such a write. The rows where it would be tell.
	doubt []string
	// wrote are the IDs written since the last reading and the one above them, by
	// row: the next reading has to show them there.
	wrote map[int]string
	// bound and sheet say which worksheet this is about; anew that it is another one
	// than before, which may be empty.
	bound bool
	sheet int64
	anew  bool
	// most is the longest log that was believed; seen is what the last study came
	// to when it was not believed yet.
	most int
	seen logEnd
	odd  int // studies in a row that were set aside
	// shy is set once the service has refused a repair: the next one brings back
	// no row of an event that waits, which may be what it does not take.
	shy bool
}

// logEnd is where a reading of the log ends.
type logEnd struct {
	last int
	tail string
}

const (
	// trailLook is how many rows before the last one every cycle looks at.
	trailLook = 2
	// rowsPerLog bounds one write of Metadata (rules §7.1).
	rowsPerLog = 900
	// growBy is how many rows a full grid gets at once.
	growBy = 1000
)

// ourRows are the rows of an event that are ours to write. What an import
// brought along stood in the Sheet before.
func ourRows(e plant.Event) []plant.MetadataRow {
	if e.Import != nil {
		return nil
	}
	return table.EventRows(e)
}

// has reports whether all rows of an event are in the Sheet.
func (l *logLane) has(e plant.Event) bool {
	if !l.known {
		return false
	}
	for _, r := range ourRows(e) {
		if !l.have[r.ID] {
			return false
		}
	}
	return true
}

// check compares the end of Metadata with what is remembered. Anything else than
// exactly that means that somebody was there, or that the outcome of a write is
// not what was thought. A write in doubt is in the sheet whole, as the last thing
// there, or not at all; then it is made again at the same place.
func (l *logLane) check(p *page) {
	if !l.known && l.doubt == nil {
		return
	}
	doubt, last := l.doubt, lastUsed(p)
	l.known, l.doubt = true, nil
	if l.last > 1 && p.cell(l.last, "ID").String() != l.tail {
		l.known = false
	}
	for row, id := range l.wrote {
		if p.cell(row, "ID").String() != id {
			l.known = false // rows moved between the reading and the write
		}
	}
	l.wrote = nil
	switch {
	case last == l.last:
	case last == l.last+len(doubt) && l.stand(p, doubt):
		for _, id := range doubt {
			l.have[id], l.tail = true, id
		}
		l.last = last
		l.most = max(l.most, last)
	default:
		l.known = false
	}
}

// stand reports whether rows are where a write below the last one puts them.
func (l *logLane) stand(p *page, ids []string) bool {
	for i, id := range ids {
		if p.cell(l.last+1+i, "ID").String() != id {
			return false
		}
	}
	return true
}

// forget has the whole log read before the next write.
func (l *logLane) forget() { l.known, l.doubt = false, nil }

// delivered drops the rows of an event that has left the outbox.
func (l *logLane) delivered(e plant.Event) {
	for _, r := range ourRows(e) {
		delete(l.have, r.ID)
	}
}

// bind notices that the worksheet is another one than before.
func (l *logLane) bind(sheet int64) {
	if l.bound && l.sheet != sheet {
		l.forget()
		l.anew = true
	}
	l.bound, l.sheet = true, sheet
}

// look is the first row that the next cycle has to see.
func (l *logLane) look() int {
	first := l.last - trailLook
	for row := range l.wrote {
		first = min(first, row)
	}
	return max(1, first)
}

// added remembers rows that were written below the last one.
func (l *logLane) added(rows []plant.MetadataRow) {
	if l.wrote == nil {
		l.wrote = map[int]string{}
	}
	if l.last > 1 {
		l.wrote[l.last] = l.tail
	}
	for _, r := range rows {
		l.last++
		l.have[r.ID], l.wrote[l.last], l.tail = true, r.ID, r.ID
	}
	l.known, l.most = true, l.last
}

func lastUsed(p *page) int {
	for row := p.last(); row > p.skip+1; row-- {
		if !blankLine(p, row) {
			return row
		}
	}
	return 1
}

// study reads the whole log and puts right what somebody did to our rows: the
// store's log is authoritative (rules §7.1).
func (m *Mirror) study(ctx context.Context, c *cycle) error {
	if !c.wholeLog {
		pages, err := m.read(ctx, []wish{{m.tab(table.Metadata), table.Columns(table.Metadata), 0}})
		if err != nil {
			return m.unread(err)
		}
		c.pages[table.Metadata] = pages[table.Metadata]
	}
	c.wholeLog = false
	m.studied = c.now
	p := c.pages[table.Metadata]
	l := &m.trail
	l.forget()
	l.have, l.last, l.tail, l.wrote = map[string]bool{}, lastUsed(p), "", nil
	at := map[string]int{}
	var twice []int
	for row := 2; row <= l.last; row++ {
		id := p.cell(row, "ID").String()
		if id == "" {
			continue
		}
		if l.have[id] {
			twice = append(twice, row)
		} else {
			at[id] = row
		}
		l.have[id] = true
	}
	if l.last > 1 {
		l.tail = p.cell(l.last, "ID").String()
	}
	if m.readOnly() {
		l.known = true
		return nil
	}
	return m.repair(ctx, c, repairs{page: p, at: at, twice: twice})
}

// repairs is what a study found.
type repairs struct {
	page  *page
	at    map[string]int // row of every ID
	twice []int          // rows that repeat an ID
	mine  map[int]bool   // rows that are ours
}

// claim tells our rows from others'. A row that is like one of ours in all but its
// ID is ours as well: somebody spoilt the ID.
func (r *repairs) claim(last int, rows []plant.MetadataRow) {
	r.mine = map[int]bool{}
	ours, lost := make(map[string]bool, len(rows)), map[string]string{}
	for _, line := range rows {
		ours[line.ID] = true
		if r.at[line.ID] == 0 {
			lost[rest(table.MetadataCells(line))] = line.ID
		}
	}
	for row := 2; row <= last; row++ {
		if ours[r.page.cell(row, "ID").String()] {
			r.mine[row] = true
			continue
		}
		cells := make([]table.Cell, 0, len(r.page.columns))
		for _, column := range table.Columns(table.Metadata) {
			cells = append(cells, r.page.cell(row, column))
		}
		if id, ok := lost[rest(cells)]; ok && r.at[id] == 0 {
			r.at[id], r.mine[row] = row, true
		}
	}
}

// rest is a row of Metadata without its ID, dates to the second.
func rest(cells []table.Cell) string {
	var b strings.Builder
	for _, c := range cells[1:] {
		if c.Kind == table.Number {
			fmt.Fprintf(&b, "%.0f", c.Num*86400)
		} else {
			b.WriteString(c.String())
		}
		b.WriteByte(0)
	}
	return b.String()
}

// repair brings back rows of delivered events that are gone, rows that were
// edited, and the order where everything from the first wrong row on is ours.
func (m *Mirror) repair(ctx context.Context, c *cycle, found repairs) error {
	l := &m.trail
	rows, brought, err := m.due(ctx, c)
	if err != nil {
		return err
	}
	found.claim(l.last, rows)
	wrong := m.firstWrong(found, rows)
	if !m.trusted(c, wrong < 0, len(rows)+brought) {
		return nil
	}
	if wrong < 0 && !slices.ContainsFunc(found.twice, func(row int) bool { return found.mine[row] }) {
		l.known = true
		return nil
	}
	return m.rewrite(ctx, c, found, rows)
}

// due are the rows of ours that have to be in the log, in order: those of delivered
// events, those that are there, and those that were there before one of these, for
// rows are written in order: somebody deleted them before they were acknowledged.
// brought is how many rows came in from this Sheet. From here on only the rows of
// events that wait are remembered.
func (m *Mirror) due(ctx context.Context, c *cycle) (rows []plant.MetadataRow, brought int, err error) {
	l, pending, aside := &m.trail, map[plant.Seq]bool{}, map[plant.Seq]bool{}
	for _, e := range c.pending {
		pending[e.Seq] = true
	}
	for _, p := range m.plant.Parked() {
		aside[p.Seq] = true // its row may be what the service does not take
	}
	have := map[string]bool{}
	var before []plant.MetadataRow // of events that wait, not there
	err = sheetsync.EachEvent(ctx, m.plant, func(e plant.Event) {
		if e.Import != nil && e.Import.Source == plant.SheetDevice {
			brought += len(e.Import.History)
		}
		waits := pending[e.Seq] || aside[e.Seq] || e.Seq > c.upTo // the floor went on since
		for _, r := range ourRows(e) {
			switch there := l.have[r.ID]; {
			case !waits || there:
				rows = append(append(rows, before...), r)
				before = before[:0]
				if waits {
					have[r.ID] = true
				}
			case !aside[e.Seq] && !l.shy:
				before = append(before, r)
			}
		}
	})
	l.have = have
	return rows, brought, err
}

// trusted reports whether a reading of the whole log may be acted upon. One that
// was cut short would have rows written over others, so a log that is shorter
// than known, or the first one seen, has to be read twice with the same end, and
// one that lacks a good part of what must be there is set aside.
func (m *Mirror) trusted(c *cycle, whole bool, expected int) bool {
	l := &m.trail
	end := logEnd{l.last, l.tail}
	again := l.seen == end
	l.seen = end
	if lost := expected - (l.last - 1); !l.anew && lost > slack && float64(lost) > shrinkage*float64(expected) {
		if l.odd++; l.odd < insist || l.last == 1 {
			m.alert("lectura", table.Metadata, "", c.now, fmt.Sprintf("La hoja «%s» respondió %d filas del registro (debe haber %d o más): la lectura se dejó aparte.",
				m.tab(table.Metadata).grid.Title, l.last-1, expected))
			return false
		}
	}
	if !again && !(whole && l.most > 0 && l.last >= l.most) {
		m.again(c.now)
		return false
	}
	l.odd, l.most, l.anew = 0, l.last, false
	m.clear("lectura", table.Metadata)
	return true
}

// firstWrong is the index of our first row that is missing, edited or out of
// order; -1 when there is none.
func (m *Mirror) firstWrong(found repairs, rows []plant.MetadataRow) int {
	before := 0
	for i, r := range rows {
		row := found.at[r.ID]
		if row <= before || !sameLine(found.page, row, r) {
			return i
		}
		before = row
	}
	return -1
}

func sameLine(p *page, row int, r plant.MetadataRow) bool {
	cells := table.MetadataCells(r)
	for i, column := range table.Columns(table.Metadata) {
		if slices.Contains(p.columns, column) && !identical(p.cell(row, column), cells[i]) {
			return false
		}
	}
	return true
}

// rewrite writes our rows again. Where the tail of the worksheet from the first
// wrong row on holds nothing but rows of ours it is written as it should be, and
// the order is whole again; else edited rows are corrected in place and missing
// ones come last.
func (m *Mirror) rewrite(ctx context.Context, c *cycle, found repairs, rows []plant.MetadataRow) error {
	t, l, p := m.tab(table.Metadata), &m.trail, found.page
	from := 2 // first row from which on everything is ours
	for row := l.last; row >= 2; row-- {
		if !found.mine[row] && !blankLine(p, row) {
			from = row + 1
			break
		}
	}
	var tail []plant.MetadataRow
	var out []google.Block
	count := 0
	line := func(row int, r plant.MetadataRow) {
		if !sameLine(p, row, r) {
			one, _ := logBlock(t, row, []plant.MetadataRow{r})
			out, count = append(out, one), count+1
		}
	}
	for _, r := range rows {
		if row := found.at[r.ID]; row > 0 && row < from {
			line(row, r)
		} else {
			tail = append(tail, r)
		}
	}
	for i, r := range tail {
		line(from+i, r)
	}
	for row := from + len(tail); row <= l.last; row++ {
		if !blankLine(p, row) {
			out, count = append(out, clearBlock(t, p, row)...), count+1
		}
	}
	for _, row := range found.twice {
		if row < from && found.mine[row] {
			out, count = append(out, clearBlock(t, p, row)...), count+1
		}
	}
	if count == 0 {
		l.known = true // only the order is not whole, and cannot be
		return nil
	}
	if err := m.fit(ctx, t, from+len(tail)); err != nil {
		return err
	}
	for some := range slices.Chunk(out, rowsPerLog) {
		if err := m.sheet.Write(ctx, some...); err != nil {
			l.shy = google.ClassOf(err) == google.Refused
			return m.unread(err)
		}
	}
	l.shy = false
	m.note(c.now, fmt.Sprintf("Metadata: %d fila(s) del registro no estaban como se escribieron; se repusieron desde el servidor.", count))
	return nil // known stays false: the next cycle reads again and proves it
}

func blankLine(p *page, row int) bool {
	return !slices.ContainsFunc(p.line(row), func(x table.Cell) bool { return !x.Blank() })
}

// logBlock are rows of Metadata from one row on, in the columns where they are, and
// the first of those columns.
func logBlock(t *tab, at int, rows []plant.MetadataRow) (b google.Block, low int) {
	columns := table.Columns(table.Metadata)
	low, high := -1, -1
	col := make([]int, len(columns))
	for i, column := range columns {
		k, ok := t.header.Col(column)
		if !ok {
			col[i] = -1
			continue
		}
		col[i] = k
		if low < 0 || k < low {
			low = k
		}
		high = max(high, k)
	}
	values := make([][]any, len(rows))
	for i, r := range rows {
		values[i] = make([]any, high-low+1)
		for k, cell := range table.MetadataCells(r) {
			if col[k] >= 0 {
				values[i][col[k]-low] = table.Value(cell)
			}
		}
	}
	return google.Block{Range: google.A1(t.grid.Title, at, low, at+len(rows)-1, high), Rows: values}, low
}

// clearBlock empties our columns of one row.
func clearBlock(t *tab, p *page, row int) []google.Block {
	var all []change
	for _, column := range p.columns {
		all = append(all, change{row, column, ""})
	}
	return blocks(t, all)
}

// fit makes sure that a worksheet has a row. Growing is not idempotent: the
// layout is read first.
func (m *Mirror) fit(ctx context.Context, t *tab, row int) error {
	if row <= t.grid.Rows {
		return nil
	}
	if err := m.locate(ctx); err != nil {
		return err
	}
	if row <= t.grid.Rows {
		return nil
	}
	if err := m.sheet.Grow(ctx, t.grid, max(growBy, row-t.grid.Rows), 0); err != nil {
		m.located = false
		return err
	}
	m.groomed = time.Time{} // the new rows have no formats yet
	return m.locate(ctx)
}
