package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"envivo/plant"
)

// FigureDays is how many days the figures show, today included.
const FigureDays = 14

// Stint is one occupation in the event log; To is zero while it lasts.
type Stint struct {
	Tag      plant.Tag
	Worker   plant.Person
	Op       plant.Op
	From, To time.Time
}

// Wait is how long a spool lay before somebody took it up for an operation.
// Seq is the event that ended it.
type Wait struct {
	Seq plant.Seq
	Op  plant.Op
	For time.Duration
}

// Verdict is one inspection.
type Verdict struct {
	Seq      plant.Seq
	Rejected bool
	Motivo   string
}

// Log is what the event log adds to a snapshot: waits and verdicts by day,
// oldest first, for the days shown and as many before.
type Log struct {
	Waits    [][]Wait
	Verdicts [][]Verdict
}

// recent are the days that are shown, before those they are compared with.
func recent[T any](days [][]T) (before, shown []T) {
	n := max(0, len(days)-FigureDays)
	return slices.Concat(days[:n]...), slices.Concat(days[n:]...)
}

// produced is what was done per day, oldest first, from the joints and dates
// of the snapshot.
type produced struct {
	Days []plant.Date
	PD   [2][]plant.Inches
	// Spools that ended ARM, ended SOLD, were approved.
	Spools [3][]int
	NV     []orderFigure
	Ages   [len(ageWords)]ageFigure
	Oldest []agedSpool
}

// orderFigure is one NV.
type orderFigure struct {
	NV                    string
	Spools, Approved      int
	Total, Welded, Lately plant.Inches // PD to weld, welded, welded in the days shown
}

// left is how many days the NV still takes at the pace of the days shown; 0
// when it does not move.
func (o orderFigure) left() int {
	if o.Lately <= 0 {
		return 0
	}
	return int((int64(o.Total-o.Welded)*FigureDays + int64(o.Lately) - 1) / int64(o.Lately))
}

var ageWords = [...]string{"hoy", "1–2 días", "3–6 días", "7–13 días", "14 o más"}

// ageClass is the bucket of an age in days.
func ageClass(days int) int {
	for i, most := range []int{0, 2, 6, 13} {
		if days <= most {
			return i
		}
	}
	return len(ageWords) - 1
}

type ageFigure struct {
	N  int
	PD plant.Inches
}

// agedSpool is a spool that was begun and is not approved yet.
type agedSpool struct {
	Row  *plant.Row
	Days int
}

// oldestShown is how many of the oldest spools are named.
const oldestShown = 5

// produce counts what was done in the days up to day.
func produce(s *plant.Snapshot, day plant.Date) produced {
	out := produced{Days: make([]plant.Date, FigureDays)}
	edges := make([]time.Time, FigureDays+1)
	for i := range edges {
		d := day - FigureDays + 1 + plant.Date(i)
		edges[i] = d.Start()
		if i < FigureDays {
			out.Days[i] = d
		}
	}
	for i := range out.PD {
		out.PD[i] = make([]plant.Inches, FigureDays)
	}
	for i := range out.Spools {
		out.Spools[i] = make([]int, FigureDays)
	}
	orders := map[string]*orderFigure{}
	for r := range s.Rows() {
		out.row(r, edges, orders)
		out.age(r, day)
	}
	for _, o := range orders {
		if o.Total > o.Welded && o.Welded > 0 {
			out.NV = append(out.NV, *o)
		}
	}
	slices.SortFunc(out.NV, func(a, b orderFigure) int {
		return cmp.Or(cmp.Compare(b.Lately, a.Lately), cmp.Compare(b.Welded, a.Welded), cmp.Compare(a.NV, b.NV))
	})
	slices.SortStableFunc(out.Oldest, func(a, b agedSpool) int { return cmp.Compare(b.Days, a.Days) })
	out.Oldest = out.Oldest[:min(len(out.Oldest), oldestShown)]
	return out
}

// row adds one spool to the days and to its NV.
func (p *produced) row(r *plant.Row, edges []time.Time, orders map[string]*orderFigure) {
	sp := r.Spool
	o := orders[sp.Office.NV]
	if o == nil {
		o = &orderFigure{NV: sp.Office.NV}
		orders[sp.Office.NV] = o
	}
	o.Spools++
	o.Total += r.Tally.PDWeld
	o.Welded += min(r.Tally.PDSold, r.Tally.PDWeld)
	first := p.Days[0]
	mark := func(kind int, d plant.Date) {
		if d >= first && int(d-first) < FigureDays {
			p.Spools[kind][d-first]++
		}
	}
	mark(0, sp.Arm.Fecha)
	mark(1, sp.Sold.Fecha)
	if sp.Quality == plant.AprobadoQ {
		o.Approved++
		mark(2, sp.FechaQC)
	}
	for i := range sp.Unions {
		u := &sp.Unions[i]
		if n := dayIndex(edges, u.Arm.End); n >= 0 {
			p.PD[0][n] += u.DN
		}
		if n := dayIndex(edges, u.Sold.End); n >= 0 {
			p.PD[1][n] += u.DN
			o.Lately += u.DN
		}
	}
}

// dayIndex is the day of an instant between edges, -1 outside.
func dayIndex(edges []time.Time, t time.Time) int {
	if t.Before(edges[0]) || !t.Before(edges[len(edges)-1]) {
		return -1
	}
	n, exact := slices.BinarySearchFunc(edges, t, time.Time.Compare)
	if exact {
		return n
	}
	return n - 1
}

// age adds a spool that was begun and is not approved to the ages.
func (p *produced) age(r *plant.Row, day plant.Date) {
	begun := begunAt(r.Spool)
	if begun.IsZero() || r.Estado == plant.EstadoAprobado {
		return
	}
	days := max(0, int(day-plant.DateOf(begun)))
	f := &p.Ages[ageClass(days)]
	f.N++
	f.PD += r.Tally.PDTotal
	p.Oldest = append(p.Oldest, agedSpool{r, days})
}

// begunAt is when work on a spool began, as far as the plant knows; zero for
// one that nobody has touched.
func begunAt(s *plant.Spool) time.Time {
	var first time.Time
	earlier := func(t time.Time) {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	for i := range s.Unions {
		for _, op := range []plant.Op{plant.ARM, plant.SOLD} {
			w := s.Unions[i].Part(op)
			earlier(w.Start)
			earlier(w.End)
		}
	}
	if !s.Hold.Free() {
		earlier(s.Hold.Since)
	}
	if s.Arm.Fecha != 0 {
		earlier(s.Arm.Fecha.Start())
	}
	return first
}

// waitFigure is how long spools wait before one operation.
type waitFigure struct {
	Op     plant.Op
	N      int
	Median time.Duration
	Long   time.Duration // one in ten waits longer
	Queue  int           // waiting now
}

func waiting(s *plant.Snapshot, waits []Wait) []waitFigure {
	queue := stages(s)
	out := []waitFigure{
		{Op: plant.ARM, Queue: queue[stageARM].N}, {Op: plant.SOLD, Queue: queue[stageSOLD].N},
		{Op: plant.METROLOGIA, Queue: queue[stageInspect].N}, {Op: plant.REPARACION, Queue: queue[stageRepair].N},
	}
	for i := range out {
		var all []time.Duration
		for _, w := range waits {
			if w.Op == out[i].Op {
				all = append(all, w.For)
			}
		}
		slices.Sort(all)
		if out[i].N = len(all); len(all) > 0 {
			out[i].Median, out[i].Long = all[len(all)/2], all[min(len(all)-1, len(all)*9/10)]
		}
	}
	return out
}

// waitsLeast is how many waits a stage needs before it is called the bottleneck.
const waitsLeast = 5

// bottleneck is the stage before which spools wait longest; ok is false while
// too little has waited.
func bottleneck(list []waitFigure) (w waitFigure, ok bool) {
	for _, f := range list {
		if f.N >= waitsLeast && (!ok || f.Median > w.Median) {
			w, ok = f, true
		}
	}
	return w, ok
}

// verdicts are the inspections of the days shown.
type verdicts struct {
	Days               []plant.Date
	Approved, Rejected []int
	N, NRejected       int
	Before             string // the share of the days before, empty when there is none
	Motives            []motive
}

type motive struct {
	Text string
	N    int
}

func judged(days []plant.Date, all [][]Verdict) verdicts {
	out := verdicts{Days: days, Approved: make([]int, len(days)), Rejected: make([]int, len(days))}
	why := map[string]int{}
	before, _ := recent(all)
	n := max(0, len(all)-FigureDays)
	for i, day := range all[n:] {
		for _, v := range day {
			out.N++
			if !v.Rejected {
				out.Approved[i]++
				continue
			}
			out.Rejected[i]++
			out.NRejected++
			if m := sentenceCase(v.Motivo); m != "" {
				why[m]++
			}
		}
	}
	bad := 0
	for _, v := range before {
		if v.Rejected {
			bad++
		}
	}
	if len(before) > 0 {
		out.Before = share(bad, len(before))
	}
	for text, n := range why {
		out.Motives = append(out.Motives, motive{text, n})
	}
	slices.SortFunc(out.Motives, func(a, b motive) int { return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Text, b.Text)) })
	out.Motives = out.Motives[:min(3, len(out.Motives))]
	return out
}

// share is n of all in per cent: 18 %.
func share(n, all int) string {
	if all == 0 {
		return "—"
	}
	return strconv.Itoa((n*100+all/2)/all) + " %"
}

// ordersShown is how many NV are drawn.
const ordersShown = 8

// Figures are the regions of the page of figures.
func Figures(s *plant.Snapshot, log Log, now time.Time) ([]Region, error) {
	p := produce(s, plant.DateOf(now))
	_, waits := recent(log.Waits)
	var items []Item
	for _, f := range []card{
		pdFigure(s, p), throughputFigure(p), waitsFigure(waiting(s, waits)), ageFigureOf(p), verdictFigure(judged(p.Days, log.Verdicts)), ordersFigure(p),
	} {
		it, err := item(f.Key, figureCard(f))
		if err != nil {
			return nil, err
		}
		items = append(items, it)
	}
	return []Region{{ID: "cifras", Items: items}}, nil
}

func sum[T int | plant.Inches](list []T) (total T) {
	for _, v := range list {
		total += v
	}
	return total
}

// workdays are the days on which anything was done.
func workdays[T int | plant.Inches](list []T) int {
	n := 0
	for _, v := range list {
		if v > 0 {
			n++
		}
	}
	return n
}

func pdFigure(s *plant.Snapshot, p produced) card {
	f := card{Key: "pd", Title: "PD por día", Decide: "Si un oficio va detrás del otro, o bajo su meta, mueve gente hoy."}
	for i, op := range []plant.Op{plant.ARM, plant.SOLD} {
		c := chart{Name: OpWord(op), Days: p.Days, Goal: int(Goal(s, op) / 100)}
		for _, v := range p.PD[i] {
			c.Bars = append(c.Bars, bar{N: int((v + 50) / 100)})
		}
		f.Charts = append(f.Charts, c)
		mean := plant.Inches(0)
		if n := workdays(p.PD[i]); n > 0 {
			mean = sum(p.PD[i]) / plant.Inches(n)
		}
		last := p.PD[i][FigureDays-1]
		f.Heads = append(f.Heads, head{PD(last), OpWord(op) + " hoy, PD", "un día con trabajo: " + Count(int((mean+50)/100))})
	}
	return f
}

func throughputFigure(p produced) card {
	f := card{Key: "spools", Title: "Spools por día y etapa", Decide: "Si entra más de lo que sale, la fila siguiente crece: frena la que adelanta o refuerza la que sigue."}
	for i, word := range []string{"ARM terminado", "SOLD terminado", "Aprobado"} {
		c := chart{Name: word, Days: p.Days, Low: true}
		for _, v := range p.Spools[i] {
			c.Bars = append(c.Bars, bar{N: v})
		}
		f.Charts = append(f.Charts, c)
		f.Heads = append(f.Heads, head{Count(sum(p.Spools[i])), word, fmt.Sprintf("en %d días", FigureDays)})
	}
	return f
}

// shortLapse is a duration without what is nought: 17 h, 2 días.
func shortLapse(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimSuffix(Lapse(d), " 0 min"), " 0 h")
}

func waitsFigure(list []waitFigure) card {
	f := card{Key: "espera", Title: "Espera antes de cada etapa", Decide: "Pon gente donde más se espera: lo demás solo alarga la fila."}
	if b, ok := bottleneck(list); ok {
		f.Heads = append(f.Heads, head{OpWord(b.Op), "es el cuello", "la mitad espera más de " + shortLapse(b.Median)})
	}
	longest := time.Duration(1)
	for _, w := range list {
		longest = max(longest, w.Median)
	}
	for _, w := range list {
		l := line{Word: OpWord(w.Op), Value: "sin esperas registradas", Note: Plural(w.Queue, "spool en la fila", "spools en la fila")}
		if w.N > 0 {
			l.Value = shortLapse(w.Median)
			l.Share = int(w.Median * 100 / longest)
			l.Note += fmt.Sprintf(" · 1 de 10 espera más de %s · %s", shortLapse(w.Long), Plural(w.N, "espera", "esperas"))
		}
		f.Lines = append(f.Lines, l)
	}
	return f
}

func ageFigureOf(p produced) card {
	f := card{Key: "edad", Title: "Edad de lo empezado", Decide: "Empezado y sin aprobar. Pregunta hoy por los más antiguos: algo los frena."}
	total, old := 0, 0
	c := chart{Name: "Spools según los días desde que se empezaron"}
	for i, a := range p.Ages {
		total += a.N
		if i >= 3 {
			old += a.N
		}
		c.Bars = append(c.Bars, bar{N: a.N, Label: ageWords[i]})
	}
	f.Charts = []chart{c}
	f.Heads = []head{{Count(total), "spools empezados", Count(old) + " con 7 días o más"}}
	for _, o := range p.Oldest {
		f.Links = append(f.Links, figureLink{Tag: o.Row.Spool.Tag, Text: Plural(o.Days, "día", "días"), Look: ChipOf(o.Row)})
	}
	return f
}

func verdictFigure(v verdicts) card {
	f := card{Key: "rechazo", Title: "Rechazos en inspección", Decide: "Ataca el motivo que más se repite con quien arma o suelda, antes del próximo turno."}
	h := head{share(v.NRejected, v.N), "rechazado", fmt.Sprintf("%d de %s", v.NRejected, Plural(v.N, "inspección", "inspecciones"))}
	if v.Before != "" {
		h.Note += fmt.Sprintf(" · los %d días antes: %s", FigureDays, v.Before)
	}
	f.Heads = []head{h}
	c := chart{Name: "Inspecciones por día: rechazadas de todas", Days: v.Days}
	for i := range v.Days {
		c.Bars = append(c.Bars, bar{N: v.Approved[i] + v.Rejected[i], Bad: v.Rejected[i]})
	}
	f.Charts = []chart{c}
	most := 1
	for _, m := range v.Motives {
		most = max(most, m.N)
	}
	for _, m := range v.Motives {
		f.Lines = append(f.Lines, line{Word: m.Text, Value: Plural(m.N, "rechazo", "rechazos"), Share: m.N * 100 / most})
	}
	return f
}

func ordersFigure(p produced) card {
	f := card{Key: "nv", Title: "PD por NV", Decide: "La NV que no alcanza su fecha a este ritmo necesita más soldadores, o un aviso al cliente."}
	f.Heads = []head{{Count(len(p.NV)), "NV empezadas sin terminar", fmt.Sprintf("ritmo de los últimos %d días", FigureDays)}}
	for _, o := range p.NV[:min(len(p.NV), ordersShown)] {
		l := line{Word: NVText(o.NV), Href: (Filter{Path: "/spools", NV: o.NV}).Address(), Share: int(int64(o.Welded) * 100 / int64(max(1, o.Total))),
			Value: Count(int(o.Welded/100)) + " de " + Count(int(o.Total/100)) + " PD",
			Note:  fmt.Sprintf("%d de %s aprobados", o.Approved, Plural(o.Spools, "spool", "spools"))}
		if o.NV == "" {
			l.Word = "Sin NV"
			l.Href = ""
		}
		if n := o.left(); n > 0 {
			l.Note += " · faltan unos " + Plural(n, "día", "días")
		} else {
			l.Note += " · detenida"
		}
		f.Lines = append(f.Lines, l)
	}
	return f
}
