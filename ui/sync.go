package ui

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"envivo/plant"
)

// The modes of the exchange with the Sheet.
const (
	SyncFine     = "al día"
	SyncNoticed  = "al día con avisos"
	SyncBehind   = "atrasada"
	SyncStopped  = "detenida"
	SyncReadOnly = "solo lectura"
	SyncNone     = "sin hoja"
)

// SyncStatus is the exchange with the Sheet at one moment. Zero times are
// moments that have not come yet.
type SyncStatus struct {
	// Mode is one of the modes above, empty before the first round; Sentence
	// says the same in one Spanish sentence.
	Mode, Sentence string
	// LastIn and LastOut are the last success of each direction.
	LastIn, LastOut time.Time
	// Backlog counts the events that wait, Oldest is when the oldest happened.
	Backlog int
	Oldest  time.Time
	// Calls are those of the last 60 s, Budget what is allowed in 60 s.
	Calls, Budget int
	Alerts        []SyncAlert
	Proposals     []SyncProposal
	Parked        []SyncParked
	Quarantined   []SyncCell
	// Missing are the spools without a row in the Sheet.
	Missing []plant.Tag
	// Audit tells what was put right, newest first.
	Audit []SyncAudit
	// Report is what became of the first reading, by tab.
	Report []SyncReport
}

// SyncAlert is a fault that lasts: which direction stands still or limps, and
// the tab and column it is about.
type SyncAlert struct {
	Since                          time.Time
	Direction, Sheet, Column, Text string
}

// SyncProposal is a hand edit of a cell of ours. ID names this edit of this
// cell; another edit has another. Why says what stands against accepting it.
type SyncProposal struct {
	ID                   string
	Tag                  plant.Tag
	Column, Ours, Theirs string
	Row                  int
	Since                time.Time
	Acceptable           bool
	Why                  string
}

// SyncParked is an event that could not be written and was set aside.
type SyncParked struct {
	Seq plant.Seq
	Tag plant.Tag
	Why string
	At  time.Time
}

// SyncCell is a cell that could not be read.
type SyncCell struct {
	Sheet                 string
	Row                   int
	Column, Value, Reason string
}

// SyncAudit is something that was put right.
type SyncAudit struct {
	At   time.Time
	Text string
}

// SyncReport counts what became of a tab's rows.
type SyncReport struct {
	Sheet                                 string
	Rows, Accepted, Repaired, Quarantined int
}

// SyncSight is the exchange as one person sees it.
type SyncSight struct {
	Status     SyncStatus
	Supervisor bool
	// All shows lists whole that are otherwise cut at SyncRows.
	All bool
}

// SyncPath is the address of the sync page.
const SyncPath = "/sync"

// SyncRows is how much of a long list is shown at first.
const SyncRows = 50

// Path is the page's own address.
func (v *SyncSight) Path() string {
	if v.All {
		return SyncPath + "?todo=1"
	}
	return SyncPath
}

// Regions are the parts of the sync page: one region, an element per section.
func (v *SyncSight) Regions() ([]Region, error) {
	s := &v.Status
	out := Region{ID: "sync"}
	for _, part := range []struct {
		key  string
		show bool
		draw templ.Component
	}{
		{"estado", true, syncState(v)},
		{"avisos", len(s.Alerts) > 0, syncAlerts(v)},
		{"cifras", v.begun(), syncFigures(v)},
		{"propuestas", len(s.Proposals) > 0, syncProposals(v)},
		{"aparcadas", len(s.Parked) > 0, syncParked(v)},
		{"celdas", len(s.Quarantined) > 0, syncCells(v)},
		{"faltan", len(s.Missing) > 0, syncMissing(v)},
		{"nada", v.begun() && v.nothing() != "", syncNothing(v)},
		{"arreglos", len(s.Audit) > 0, syncAudit(v)},
		{"informe", len(s.Report) > 0, syncReport(v)},
	} {
		if !part.show {
			continue
		}
		it, err := item(part.key, part.draw)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, it)
	}
	return []Region{out}, nil
}

// none is a plant without a Sheet.
func (v *SyncSight) none() bool { return v.Status.Mode == SyncNone }

// begun is set once there is something to tell; before, an empty list would
// look like a list of nothing.
func (v *SyncSight) begun() bool {
	s := &v.Status
	return !v.none() && (s.Mode != "" || !s.LastIn.IsZero() || !s.LastOut.IsZero())
}

// nothing names the lists that are empty, in one sentence; it is empty while
// there is no reading to judge by.
func (v *SyncSight) nothing() string {
	s := &v.Status
	if s.LastIn.IsZero() {
		return ""
	}
	var words []string
	for _, l := range []struct {
		n    int
		word string
	}{{len(s.Proposals), "propuestas"}, {len(s.Parked), "entradas aparcadas"}, {len(s.Quarantined), "celdas en cuarentena"}, {len(s.Missing), "spools sin fila"}} {
		if l.n == 0 {
			words = append(words, l.word)
		}
	}
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return "No hay " + words[0] + "."
	default:
		return "No hay " + strings.Join(words[:n-1], ", ") + " ni " + words[n-1] + "."
	}
}

// look is the mode as a heading, with the icon and the class of its panel.
func (v *SyncSight) look() Look {
	switch m := v.Status.Mode; m {
	case SyncFine:
		return Look{Word: "Al día", Icon: "visto"}
	case SyncNoticed:
		return Look{Word: "Al día, con avisos", Icon: "dano", Class: "pendiente"}
	case SyncBehind:
		return Look{Word: "Atrasada", Icon: "reloj", Class: "pendiente"}
	case SyncStopped:
		return Look{Word: "Detenida", Icon: "cruz", Class: "detenida"}
	case SyncReadOnly:
		return Look{Word: "Solo lectura", Icon: "candado", Class: "pendiente"}
	case SyncNone:
		return Look{Word: "Sin hoja", Icon: "aro"}
	case "":
		return Look{Word: "Empezando", Icon: "reloj"}
	default:
		return Look{Word: strings.ToUpper(m[:1]) + m[1:], Icon: "dano", Class: "pendiente"}
	}
}

func (v *SyncSight) sentence() string {
	switch {
	case v.none():
		return TextNoSheet
	case v.Status.Sentence != "":
		return v.Status.Sentence
	case !v.begun():
		return TextSyncFirst
	}
	return ""
}

// shown cuts a list of n at what is shown of it.
func (v *SyncSight) shown(n int) int {
	if v.All {
		return n
	}
	return min(n, SyncRows)
}

// Proposal finds a proposal by its id.
func (v *SyncSight) Proposal(id string) (SyncProposal, bool) {
	for _, p := range v.Status.Proposals {
		if p.ID == id {
			return p, true
		}
	}
	return SyncProposal{}, false
}

// SyncPost is the address of one act on a proposal.
func SyncPost(id, act string) string {
	return SyncPath + "/propuestas/" + url.PathEscape(id) + "/" + act
}

// SyncAsk is the address of the page with the dialog that accepts a proposal.
func SyncAsk(id string) string { return SyncPath + "?hacer=aceptar&propuesta=" + url.QueryEscape(id) }

func syncRetry(s plant.Seq) string { return SyncPath + "/aparcados/" + seqText(s) + "/reintentar" }

// place is "Operaciones · fila 12 · Fecha_Armado", of what is known.
func place(sheet string, row int, column string) string {
	var out []string
	if sheet != "" {
		out = append(out, sheet)
	}
	if row > 0 {
		out = append(out, "fila "+strconv.Itoa(row))
	}
	if column != "" {
		out = append(out, column)
	}
	return strings.Join(out, " · ")
}

// ofBudget is how calls stand to what is allowed.
func ofBudget(s *SyncStatus) string {
	if s.Budget <= 0 {
		return "en el último minuto"
	}
	return "de " + Count(s.Budget) + " en el último minuto"
}

// menuSync is what the menu says below its link to the page.
func menuSync(f Frame) string {
	if f.SyncAlerts > 0 {
		return "Hay " + Plural(f.SyncAlerts, "aviso", "avisos") + " de la hoja"
	}
	return "La hoja de la oficina y la planta"
}

// syncIcon is the menu's icon of the page.
func syncIcon(f Frame) string {
	if f.SyncAlerts > 0 {
		return "dano"
	}
	return "hoja"
}

var acceptMotives = [...]string{"La oficina tiene razón", "Dato mal registrado en planta", "Acordado con la oficina"}

// Accepted tells a supervisor that a proposal became a correction.
func Accepted(p SyncProposal) string {
	if p.Tag == "" {
		return "Propuesta aceptada: queda lo que dice la hoja."
	}
	return "Aceptado: " + p.Column + " de " + Short(p.Tag) + " queda como dice la hoja."
}

// Retried tells that a parked event is written again.
func Retried(s plant.Seq) string { return "Se reintenta el evento " + seqText(s) + "." }

// NotAcceptable tells why a proposal cannot become a correction.
func NotAcceptable(why string) string {
	return strings.TrimSpace("Esa propuesta no se puede aceptar, solo rechazar. " + why)
}
