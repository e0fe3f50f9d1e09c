package mirror

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"envivo/plant"
	"envivo/sheetsync"
	"envivo/sheetsync/table"
)

// Mode is how the exchange stands, in one word for programs.
type Mode string

// The modes, in the words of the sync page.
const (
	UpToDate Mode = "al día"
	Warned   Mode = "al día con avisos"
	Behind   Mode = "atrasada"
	Stopped  Mode = "detenida"
	ReadOnly Mode = "solo lectura"
)

// Status is what pages, metrics and `envivo sheet status` show.
type Status struct {
	Mode     Mode
	Sentence string
	// LastIn and LastOut are the last complete successes each way.
	LastIn, LastOut time.Time
	// Backlog counts events whose cells or rows are not in the Sheet yet; Oldest
	// is the instant of the oldest.
	Backlog int
	Oldest  time.Time
	// Calls is the number of calls in the last minute, Budget what is allowed.
	Calls, Budget int
	Alerts        []Alert
	Proposals     []Proposal
	Parked        []Parked
	// Quarantined are cells that could not be read.
	Quarantined []table.Finding
	// Missing are spools without a row in the Sheet.
	Missing []plant.Tag
	Audit   []Note // newest first
	// First is the report of the first reading, nil in later runs.
	First *sheetsync.Report
}

// Alert is something a person should know of; it goes away by itself when it is
// no longer true.
type Alert struct {
	Since               time.Time
	Kind, Sheet, Column string
	Text                string
}

// Direction is what stands still, in the words of the sync page.
func (a Alert) Direction() string {
	switch {
	case a.Kind == "lectura" || a.Sheet == table.Trabajadores || a.Sheet == table.Roles:
		return "de la planilla"
	case a.Sheet == table.Metadata:
		return "hacia la planilla"
	}
	return "ambas"
}

// Note is something that happened to the Sheet.
type Note struct {
	At   time.Time
	Text string
}

const keptNotes = 200

func (m *Mirror) alert(kind, sheet, column string, now time.Time, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := kind + "\x00" + sheet
	a, ok := m.alerts[key]
	if !ok {
		a.Since = now
		m.log.Warn("sheet alert", "kind", kind, "sheet", sheet, "column", column, "text", text)
	}
	a.Kind, a.Sheet, a.Column, a.Text = kind, sheet, column, text
	m.alerts[key] = a
}

func (m *Mirror) clear(kind, sheet string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.alerts[kind+"\x00"+sheet]; ok {
		delete(m.alerts, kind+"\x00"+sheet)
		m.log.Info("sheet alert over", "kind", kind, "sheet", sheet)
	}
}

func (m *Mirror) note(now time.Time, text string) {
	m.log.Info("sheet audit", "text", text)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.audit = append(m.audit, Note{now, text})
	if len(m.audit) > keptNotes {
		m.audit = slices.Clone(m.audit[len(m.audit)-keptNotes:])
	}
}

// publish makes the outcome of a cycle visible; out says that everything that
// could be written was.
func (m *Mirror) publish(c *cycle, out bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &m.status
	m.weighed = c.snap.Seq
	if out {
		s.LastOut = c.now
	}
	s.Backlog, s.Oldest = 0, time.Time{}
	for _, e := range c.pending {
		if m.rowDone[e.Seq] && m.trail.has(e) || m.rows.sent[e.Seq] && m.trail.has(e) {
			continue
		}
		s.Backlog++
		if s.Oldest.IsZero() {
			s.Oldest = e.At
		}
	}
	if c.more {
		s.Backlog += int(c.snap.Seq - c.upTo)
		if s.Oldest.IsZero() {
			s.Oldest = c.upToAt
		}
	}
	s.Missing = m.rows.missing
}

// recount is how often the outbox is read to count it while nothing goes out.
const recount = 10 * time.Minute

// tally is the outbox when it was last counted.
type tally struct {
	at   time.Time
	n    int
	upTo plant.Seq // the newest event counted
}

// publishFailure counts what waits after an exchange that failed. In a long outage
// what was committed since the last count is added to it.
func (m *Mirror) publishFailure() {
	now := m.o.Now()
	m.mu.Lock()
	if t := m.counted; m.failures > 3 && t.n > 0 && now.Sub(t.at) < recount {
		m.status.Backlog = t.n
		if m.seq > t.upTo {
			m.status.Backlog += int(m.seq - t.upTo)
		}
		m.mu.Unlock()
		return
	}
	m.mu.Unlock()
	pending, err := m.plant.Pending(0)
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.Backlog, m.status.Oldest = len(pending), time.Time{}
	m.counted = tally{at: now, n: len(pending), upTo: m.seq}
	if len(pending) > 0 {
		m.status.Oldest = pending[0].At
		m.counted.upTo = max(m.counted.upTo, pending[len(pending)-1].Seq)
	}
}

// Status is the newest state. The lists are the caller's.
func (m *Mirror) Status() Status {
	parked := m.plant.Parked()
	calls := m.sheet.Calls()
	now := m.o.Now()
	budget := m.allowance(now)
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.status
	s.Calls, s.Budget, s.Parked = calls, budget, parked
	s.Alerts = slices.SortedFunc(maps.Values(m.alerts), func(a, b Alert) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Kind+a.Sheet, b.Kind+b.Sheet))
	})
	s.Proposals = nil
	for _, p := range m.proposed {
		s.Proposals = append(s.Proposals, p.shown()...)
	}
	slices.SortFunc(s.Proposals, func(a, b Proposal) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Column, b.Column))
	})
	s.Audit = slices.Clone(m.audit)
	slices.Reverse(s.Audit)
	s.Mode, s.Sentence = m.sentence(&s, now)
	return s
}

// sentence says how things stand, for a person.
func (m *Mirror) sentence(s *Status, now time.Time) (Mode, string) {
	waiting := "nada espera"
	if s.Backlog == 1 {
		waiting = "espera 1 cambio"
	} else if s.Backlog > 1 {
		waiting = fmt.Sprintf("esperan %d cambios", s.Backlog)
	}
	if s.Backlog > 0 && !s.Oldest.IsZero() {
		waiting += ", el más antiguo de las " + s.Oldest.In(plant.Zone()).Format("15:04")
	}
	for _, a := range s.Alerts {
		switch a.Kind {
		case "google", "hoja", "columna", "lectura":
			return Stopped, a.Text + " En cola: " + waiting + "."
		case "migración":
			if m.o.Old {
				return ReadOnly, a.Text
			}
			return Stopped, a.Text
		}
	}
	switch {
	case s.LastIn.IsZero():
		return Behind, "La hoja aún no se ha leído; " + waiting + "."
	case s.Backlog > 0 && now.Sub(s.Oldest) > 30*time.Second:
		return Behind, "La hoja está atrasada: " + waiting + "."
	case len(s.Alerts)+len(s.Proposals)+len(s.Parked) > 0:
		return Warned, "La hoja está al día; hay avisos que mirar."
	}
	if s.Backlog > 0 {
		return UpToDate, "La hoja se mantiene al día; en camino: " + waiting + "."
	}
	if m.seq > m.weighed { // the exchange after this one counts it
		return UpToDate, "La hoja se mantiene al día; lo recién hecho va en camino."
	}
	return UpToDate, "La hoja está al día: nada espera."
}
