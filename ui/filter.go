package ui

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"envivo/plant"
)

// Filter is what a list shows. Its URL is canonical: the same filter has the
// same address on every screen, so screens share what is drawn for it.
type Filter struct {
	Path string
	Q    string
	// Estado is one state; Any when absent.
	Estado   plant.Estado
	ByEstado bool
	NV       string
	Op       plant.Op
	Vencidas bool
	// Me is who looks, on pages that depend on it.
	Me  plant.WorkerID
	Rol string
	// Hasta is how many rows are drawn at most; 0 for the usual window.
	Hasta int
	// Trade is the role of the tablet, whose people the picker shows first.
	Trade string
}

// ParseFilter reads a list's address. Unknown names are ignored.
func ParseFilter(path string, q url.Values) Filter {
	f := Filter{Path: path, Q: strings.Join(strings.Fields(q.Get("q")), " "), NV: strings.TrimSpace(q.Get("nv")), Rol: q.Get("rol"), Trade: q.Get("oficio")}
	if len(f.Q) > 80 {
		f.Q = strings.ToValidUTF8(f.Q[:80], "")
	}
	if e, ok := plant.ParseEstado(q.Get("estado")); ok {
		f.Estado, f.ByEstado = e, true
	}
	f.Op, _ = plant.ParseOp(q.Get("operacion"))
	f.Vencidas = q.Get("vencidas") == "1"
	if n, err := strconv.ParseInt(q.Get("yo"), 10, 32); err == nil && n > 0 {
		f.Me = plant.WorkerID(n)
	}
	f.Hasta = f.parseHasta(q.Get("hasta"))
	return f
}

// Address is the canonical address, without the person and the tablet.
func (f Filter) Address() string { return f.path(0, "") }

// View is the canonical name of the live view: the address, and the person and
// the tablet where the page depends on them.
func (f Filter) View() string { return f.path(f.Me, f.Trade) }

func (f Filter) path(me plant.WorkerID, trade string) string {
	v := url.Values{}
	set := func(k, s string) {
		if s != "" {
			v.Set(k, s)
		}
	}
	set("q", f.Q)
	if f.ByEstado {
		set("estado", f.Estado.String())
	}
	set("nv", f.NV)
	set("operacion", f.Op.String())
	set("rol", f.Rol)
	set("oficio", trade)
	if f.Vencidas {
		set("vencidas", "1")
	}
	if me != 0 {
		set("yo", id(me))
	}
	if f.Hasta != 0 {
		set("hasta", strconv.Itoa(f.Hasta))
	}
	if len(v) == 0 {
		return f.Path
	}
	return f.Path + "?" + v.Encode()
}

// choosing is the address of the list with a dialog over it.
func (f Filter) choosing(what string) string {
	if a := f.Address(); a != f.Path {
		return a + "&hacer=" + what
	}
	return f.Path + "?hacer=" + what
}

// With changes of one criterion, for links; the rows begin anew.
func (f Filter) withEstado(e plant.Estado, on bool) Filter {
	f.Estado, f.ByEstado, f.Hasta = e, on, 0
	return f
}

func (f Filter) withOp(o plant.Op) Filter {
	f.Op, f.Hasta = o, 0
	return f
}

func (f Filter) withNV(nv string) Filter {
	f.NV, f.Hasta = nv, 0
	return f
}

// withReady leaves the states out: of Listos, what can be taken.
func (f Filter) withReady() Filter { return f.withEstado(0, false) }

func (f Filter) readyTitle() string {
	if f.notReady() {
		return "No listos"
	}
	return "Listos para ti"
}

// notReady reports whether the list is of what cannot be taken yet.
func (f Filter) notReady() bool { return f.ByEstado && f.Estado == plant.NoListo }

func (f Filter) withVencidas(on bool) Filter {
	f.Vencidas, f.Hasta = on, 0
	return f
}

// Active reports whether anything is left out.
func (f Filter) Active() bool {
	return f.Q != "" || f.ByEstado || f.NV != "" || f.Op != plant.OpNone || f.Vencidas
}

// Words names what the filter asks for: NV 0123, Listo para ARM.
func (f Filter) Words() string {
	var out []string
	if f.Q != "" {
		out = append(out, "«"+f.Q+"»")
	}
	if f.ByEstado {
		out = append(out, LookOf(f.Estado).Text())
	}
	if f.NV != "" {
		out = append(out, NVText(f.NV))
	}
	if f.Op != plant.OpNone {
		out = append(out, OpWord(f.Op))
	}
	if f.Vencidas {
		out = append(out, "Vencidas")
	}
	return strings.Join(out, " · ")
}

// query is a search text made ready to compare with Row.Search.
type query struct {
	whole string
	words []string
}

func newQuery(q string) query {
	out := query{whole: plant.FoldKey(q)}
	for _, w := range strings.Fields(q) {
		w = plant.FoldKey(w)
		if w == "" {
			continue
		}
		if trimmed := strings.TrimLeft(w, "0"); trimmed != "" && digits(w) {
			w = trimmed
		}
		out.words = append(out.words, w)
	}
	return out
}

func digits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// How well a row answers a query; noMatch leaves it out.
const (
	exact = iota
	segment
	prefix
	contains
	noMatch
)

func (q query) rank(r *plant.Row) int {
	for _, w := range q.words {
		if !strings.Contains(r.Search, w) {
			return noMatch
		}
	}
	best := contains
	for line := range strings.SplitSeq(r.Search, "\n") {
		switch {
		case line == q.whole:
			return exact
		case strings.HasPrefix(line, q.whole):
			best = min(best, prefix)
		}
	}
	if len(q.words) > 0 && best > segment {
		_, tail := SplitTag(r.Spool.Tag)
		if strings.TrimLeft(plant.FoldKey(tail), "0") == q.words[len(q.words)-1] {
			best = segment
		}
	}
	return best
}

// Matching lists the rows a filter shows, best first, then in the order of the
// Sheet. counts are per state before the state filter is applied, so that the
// chips say what choosing them would show.
func (f Filter) Matching(s *plant.Snapshot) (rows []*plant.Row, counts map[plant.Estado]int) {
	counts = map[plant.Estado]int{}
	q := newQuery(f.Q)
	var ranked [noMatch][]*plant.Row
	for r := range s.Rows() {
		if !f.matchesNV(r) || !f.matchesOp(r) {
			continue
		}
		n := exact
		if len(q.words) > 0 {
			n = q.rank(r)
		}
		if n == noMatch {
			continue
		}
		counts[r.Estado]++
		if !f.ByEstado || r.Estado == f.Estado {
			ranked[n] = append(ranked[n], r)
		}
	}
	return slices.Concat(ranked[:]...), counts
}

func (f Filter) matchesNV(r *plant.Row) bool {
	return f.NV == "" || strings.EqualFold(r.Spool.Office.NV, f.NV)
}

// matchesOp says whether an operation is what the spool is held for or waits
// for.
func (f Filter) matchesOp(r *plant.Row) bool {
	switch f.Op {
	case plant.OpNone:
		return true
	case plant.ARM:
		return r.Estado == plant.EnCursoARM || r.Estado == plant.ListoARM || r.Estado == plant.Parcial && r.Spool.Arm.Phase != plant.Completado
	case plant.SOLD:
		return r.Estado == plant.EnCursoSOLD || r.Estado == plant.ListoSOLD ||
			r.Estado == plant.Parcial && (r.Spool.Arm.Phase == plant.Completado || r.Tally.Armed > 0)
	case plant.METROLOGIA:
		return r.Estado == plant.PorInspeccionar
	}
	return r.Estado == plant.EstadoRechazado || r.Estado == plant.Reparando || r.Estado == plant.EnPausaReparacion || r.Estado == plant.Bloqueado
}
