package plant

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Session is one stint of one worker on a spool (rules §7.3).
type Session struct {
	Worker Person
	Op     Op
	Start  time.Time
	End    time.Time // zero while it lasts
}

// Open reports whether the stint still lasts.
func (s Session) Open() bool { return s.End.IsZero() }

// Duration is the length as text, empty while the stint lasts.
func (s Session) Duration() string {
	if s.Open() {
		return ""
	}
	return DurationText(s.End.Sub(s.Start))
}

// DurationText is "26h 5m" from one hour on, "5m" below; seconds are dropped.
func DurationText(d time.Duration) string {
	m := int(max(d, 0) / time.Minute)
	if m < 60 {
		return strconv.Itoa(m) + "m"
	}
	return fmt.Sprintf("%dh %dm", m/60, m%60)
}

// Sessions are the stints on one spool, oldest first, from its events in any
// order. Rows of Metadata brought by import events take part by their time.
func Sessions(events []Event) []Session { return sessions(events, false) }

// AllSessions also lists inspections, as stints without length.
func AllSessions(events []Event) []Session { return sessions(events, true) }

func sessions(events []Event, inspections bool) []Session {
	log := sessionLog{inspections: inspections, open: -1, before: -1, byToken: map[string]int{}}
	for _, m := range merge(events) {
		if m.event != nil {
			log.event(m.event)
		} else {
			log.row(m.row, m.at)
		}
	}
	return log.out
}

// moment is an event or a row of the old log at its place in time.
type moment struct {
	at    time.Time
	event *Event
	row   *MetadataRow
}

// merge puts events and rows in one order. A row without a readable time stays
// behind the row before it; a row that is an event of ours is left out.
func merge(events []Event) []moment {
	ours := make(map[string]bool, len(events))
	var rows []MetadataRow
	var out []moment
	for i := range events {
		e := &events[i]
		ours[e.ID] = true
		if e.Import != nil {
			rows = append(rows, e.Import.History...)
		}
		out = append(out, moment{at: e.At, event: e})
	}
	slices.SortStableFunc(out, func(a, b moment) int { return cmp.Compare(a.event.Seq, b.event.Seq) })
	slices.SortStableFunc(rows, func(a, b MetadataRow) int { return cmp.Compare(a.Order, b.Order) })
	var last time.Time
	for i := range rows {
		r := &rows[i]
		if !r.At.IsZero() {
			last = r.At
		}
		if r.ID != "" && ours[r.ID] {
			continue
		}
		ours[r.ID] = true
		out = append(out, moment{at: last, row: r})
	}
	slices.SortStableFunc(out, func(a, b moment) int { return a.at.Compare(b.at) })
	return out
}

// sessionLog builds the list; open is the index of the stint that lasts, -1 for
// none.
type sessionLog struct {
	out         []Session
	open        int
	byToken     map[string]int
	inspections bool
	// before is what was open before the last row, which is what an undo restores.
	before int
}

func (l *sessionLog) begin(p Person, op Op, at time.Time) {
	l.open = len(l.out)
	l.out = append(l.out, Session{Worker: p, Op: op, Start: at})
}

func (l *sessionLog) end(at time.Time) {
	if l.open >= 0 {
		l.out[l.open].End = at
		l.open = -1
	}
}

func (l *sessionLog) inspection(p Person, at time.Time) {
	if l.inspections {
		l.out = append(l.out, Session{Worker: p, Op: METROLOGIA, Start: at, End: at})
	}
}

// event follows the hold after one of our own events; its token tells stints
// apart, so that an undone PAUSAR continues the one it had ended.
func (l *sessionLog) event(e *Event) {
	if e.Kind == KindInspeccion {
		l.inspection(e.Worker, e.At)
		return
	}
	p := e.Progress
	created := e.Import != nil && e.Import.Spool != nil
	if created {
		p = &e.Import.Spool.Progress
	}
	switch {
	case p == nil:
		return
	case p.Hold.Free():
		if !created {
			l.end(e.At)
		}
		return
	}
	if i, known := l.byToken[p.Hold.Token]; known {
		if i != l.open {
			l.end(e.At)
			l.open, l.out[i].End = i, time.Time{}
		}
		return
	}
	if created && l.open >= 0 { // the stint the old log knows already
		l.byToken[p.Hold.Token] = l.open
		return
	}
	l.end(e.At)
	since := p.Hold.Since
	if since.IsZero() {
		since = e.At
	}
	l.begin(p.Hold.Worker, p.Hold.Op, since)
	l.byToken[p.Hold.Token] = l.open
}

// row follows a row of the old log. A start while another stint is open leaves
// that one without an end, unless the row says that the hold was passed on.
func (l *sessionLog) row(r *MetadataRow, at time.Time) {
	verb, _, _ := strings.Cut(r.EventoTipo, "_")
	op := r.op()
	if verb == "UNION" || r.EventoTipo == "METROLOGIA_AUTO_TRIGGERED" { // these tell more of the row before
		return
	}
	before := l.open
	defer func() { l.before = before }()
	switch {
	case op == METROLOGIA:
		if verb == "COMPLETAR" || verb == "INICIAR" {
			l.inspection(r.person(), at)
		}
	case verb == "TOMAR" || verb == "INICIAR":
		if d := r.details(); d.Relevo+d.Traspaso != "" {
			l.end(at)
		}
		l.begin(r.person(), op, at)
	case r.EventoTipo == "SUPERVISOR_OVERRIDE":
		if r.details().Liberado != "" {
			l.end(at)
		}
	case r.EventoTipo == "SYSTEM_REMEDIATION":
		if was := l.before; r.details().Deshace != 0 && was != l.open {
			l.end(at)
			if l.open = was; was >= 0 {
				l.out[was].End = time.Time{}
			}
		}
	case l.open < 0:
	case r.EventoTipo == "COMPLETAR_ARM" || r.EventoTipo == "COMPLETAR_SOLD":
		if l.out[l.open].Op == op {
			l.end(at)
		}
	case verb == "PAUSAR" || verb == "CANCELAR" || r.EventoTipo == "SPOOL_CANCELADO" ||
		r.EventoTipo == "COMPLETAR_SPOOL" || r.EventoTipo == "COMPLETAR_REPARACION":
		l.end(at)
	}
}

// op is the row's operation: by its type where the type names one, else by its
// column.
func (r *MetadataRow) op() Op {
	if _, suffix, ok := strings.Cut(r.EventoTipo, "_"); ok {
		if op, ok := ParseOp(suffix); ok {
			return op
		}
	}
	op, _ := ParseOp(strings.ToUpper(strings.TrimSpace(r.Operacion)))
	return op
}

// passing are the keys of Metadata_JSON by which a hold ends or passes on.
type passing struct {
	Relevo   string `json:"relevo_de"`
	Traspaso string `json:"traspaso_de"`
	Liberado string `json:"liberado_de"`
	Deshace  uint64 `json:"deshace"`
}

// details are empty for rows of an earlier system, which wrote other keys.
func (r *MetadataRow) details() (d passing) {
	if json.Unmarshal([]byte(r.JSON), &d) != nil {
		return passing{}
	}
	return d
}

func (r *MetadataRow) person() Person {
	p := ParsePerson(r.WorkerNombre)
	if n, err := strconv.ParseInt(strings.TrimSpace(r.WorkerID), 10, 32); err == nil && n > 0 {
		p.ID = WorkerID(n)
	}
	return p
}
