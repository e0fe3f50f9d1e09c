package ui

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"envivo/plant"
)

// Registro is what one worker did on one day of the plant.
type Registro struct {
	Worker plant.Worker
	Day    plant.Date
	Works  []workDone
	PD     [2]plant.Inches // ARM, SOLD
	Joints int
	// Approved and Rejected are the worker's inspections.
	Approved, Rejected int
}

// workDone is one operation of the worker on one spool.
type workDone struct {
	Tag    plant.Tag
	NV     string
	Op     plant.Op
	Joints []jointDone
	PD     plant.Inches
	// Whole says what was done where no joints tell it.
	Whole string
	From  time.Time
}

// jointDone is one joint with the name of who did its other trade.
type jointDone struct {
	N        int
	DN       plant.Inches
	Tipo     string
	From, To time.Time
	Other    plant.Person
}

// RegistroOf reads a worker's day from a snapshot.
func RegistroOf(s *plant.Snapshot, w plant.Worker, day plant.Date) Registro {
	out := Registro{Worker: w, Day: day}
	from, to := day.Start(), (day + 1).Start()
	within := func(t time.Time) bool { return !t.Before(from) && t.Before(to) }
	for r := range s.Rows() {
		sp := r.Spool
		for i, op := range []plant.Op{plant.ARM, plant.SOLD} {
			d := workDone{Tag: sp.Tag, NV: sp.Office.NV, Op: op}
			for k := range sp.Unions {
				u := &sp.Unions[k]
				j := u.Part(op)
				if j.Worker.ID != w.ID || !j.Done() || !within(j.End) {
					continue
				}
				d.Joints = append(d.Joints, jointDone{u.N, u.DN, u.Tipo, j.Start, j.End, u.Part(plant.ARM + plant.SOLD - op).Worker})
				d.PD += u.DN
				if d.From.IsZero() || j.End.Before(d.From) {
					d.From = j.End
				}
			}
			if v := sp.Work(op); len(sp.Unions) == 0 && v.Worker.ID == w.ID && v.Fecha == day {
				d.Whole, d.From = OpWord(op)+" terminado, sin uniones registradas", from
			}
			out.add(d, i)
		}
		out.inspections(sp, within)
	}
	slices.SortStableFunc(out.Works, func(a, b workDone) int { return a.From.Compare(b.From) })
	return out
}

func (g *Registro) add(d workDone, trade int) {
	if len(d.Joints) == 0 && d.Whole == "" {
		return
	}
	g.Works = append(g.Works, d)
	g.PD[trade] += d.PD
	g.Joints += len(d.Joints)
}

// inspections are the worker's verdicts that still stand.
func (g *Registro) inspections(sp *plant.Spool, within func(time.Time) bool) {
	if sp.Inspector.ID != g.Worker.ID || g.Worker.ID == 0 {
		return
	}
	d := workDone{Tag: sp.Tag, NV: sp.Office.NV, Op: plant.METROLOGIA, From: g.Day.Start()}
	switch {
	case sp.Quality == plant.AprobadoQ && sp.FechaQC == g.Day:
		d.Whole = "Aprobado"
		g.Approved++
	case sp.Quality != plant.AprobadoQ && within(sp.RejectedAt):
		d.Whole, d.From = "Rechazado", sp.RejectedAt
		if sp.Motivo != "" {
			d.Whole += ": " + sp.Motivo
		}
		g.Rejected++
	default:
		return
	}
	g.Works = append(g.Works, d)
}

// Code is the check code of the day: any change of what is written here gives
// another one.
func (g Registro) Code() string {
	var b strings.Builder
	fmt.Fprintf(&b, "registro 1\n%d %s\n", g.Worker.ID, g.Day.ISO())
	for _, w := range g.Works {
		fmt.Fprintf(&b, "%q %s %q %d\n", w.Tag, w.Op, w.Whole, w.PD)
		for _, j := range w.Joints {
			fmt.Fprintf(&b, "%d %d %q %d %d %d\n", j.N, j.DN, j.Tipo, j.From.Unix(), j.To.Unix(), j.Other.ID)
		}
	}
	return checkCode(b.String())
}

// codeLetters leave out what is mistaken for something else on paper.
const codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// checkCode is 40 bits of a text's hash as people copy them: 7KQ2-M9XD.
func checkCode(text string) string {
	sum := sha256.Sum256([]byte(text))
	n := uint64(0)
	for _, b := range sum[:5] {
		n = n<<8 | uint64(b)
	}
	var out [8]byte
	for i := range out {
		out[i] = codeLetters[n>>(35-5*i)&31]
	}
	return string(out[:4]) + "-" + string(out[4:])
}

// SameCode compares a code as somebody typed it.
func SameCode(typed, code string) bool {
	clean := func(s string) string {
		s = strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(s))
		return strings.TrimSpace(s)
	}
	return clean(typed) == clean(code)
}

// RegistroPath is the address of a worker's day; no day means today.
func RegistroPath(w plant.WorkerID, day plant.Date) string {
	p := "/mi-registro/" + id(w)
	if day != 0 {
		p += "?dia=" + day.ISO()
	}
	return p
}

// The outcomes of comparing a printed code.
const (
	TextCodeSame  = "El código coincide: el papel dice lo mismo que el registro."
	TextCodeOther = "El código no coincide: el papel es de otro día o persona, o el registro cambió después."
)

// weekShown is how many days the strip above the record shows.
const weekShown = 7

// RegistroRegions are the regions of a worker's day. today is the plant's day,
// asked the day of the address, 0 for today.
func RegistroRegions(s *plant.Snapshot, worker plant.WorkerID, asked, today plant.Date) ([]Region, error) {
	w, _ := s.Worker(worker)
	day := asked
	if day == 0 {
		day = today
	}
	g := RegistroOf(s, w, day)
	sum, err := item("suma", registroSum(g))
	if err != nil {
		return nil, err
	}
	works := Region{ID: "registro"}
	for _, d := range g.Works {
		it, err := item(d.Op.String()+" "+string(d.Tag), registroWork(s, d, day))
		if err != nil {
			return nil, err
		}
		works.Items = append(works.Items, it)
	}
	if len(g.Works) == 0 {
		it, err := item("vacio", message("vacio", "No hay trabajo terminado a tu nombre en este día.", "", ""))
		if err != nil {
			return nil, err
		}
		works.Items = append(works.Items, it)
	}
	code, err := item("codigo", registroCode(g))
	if err != nil {
		return nil, err
	}
	week, err := registroWeek(s, w, day, today)
	if err != nil {
		return nil, err
	}
	return []Region{{ID: "semana", Items: week}, {ID: "suma", Items: []Item{sum}}, works, {ID: "codigo", Items: []Item{code}}}, nil
}

// registroWeek is one link per day, with its inches.
func registroWeek(s *plant.Snapshot, w plant.Worker, day, today plant.Date) ([]Item, error) {
	last := max(day, min(today, day+weekShown/2))
	var out []choice
	for d := last - weekShown + 1; d <= last; d++ {
		pd := pdOf(s, w.ID, d)
		address := d
		if d == today {
			address = 0
		}
		t := d.Start().In(plant.Zone())
		out = append(out, choice{Key: d.ISO(), Href: RegistroPath(w.ID, address), Word: string([]rune(weekdays[t.Weekday()])[:3]) + " " + strconv.Itoa(t.Day()), N: int((pd + 50) / 100), On: d == day})
	}
	items := make([]Item, 0, len(out))
	for _, c := range out {
		it, err := item(c.Key, registroDay(c))
		if err != nil {
			return nil, err
		}
		items = append(items, it)
	}
	return items, nil
}

func pdOf(s *plant.Snapshot, worker plant.WorkerID, day plant.Date) (total plant.Inches) {
	from, to := day.Start(), (day + 1).Start()
	for r := range s.Rows() {
		for k := range r.Spool.Unions {
			u := &r.Spool.Unions[k]
			for _, j := range [...]*plant.JointWork{&u.Arm, &u.Sold} {
				if j.Worker.ID == worker && j.Done() && !j.End.Before(from) && j.End.Before(to) {
					total += u.DN
				}
			}
		}
	}
	return total
}

// span is from when to when: 09:42–11:10, with the day where it is another one.
func span(from, to time.Time, day plant.Date) string {
	text := plant.Clock(to)
	if from.IsZero() {
		return "hasta " + text
	}
	if plant.DateOf(from) != day {
		return Fecha(from) + "–" + text
	}
	return plant.Clock(from) + "–" + text
}

// otherWord is what the other trade did.
func otherWord(op plant.Op) string {
	if op == plant.ARM {
		return "Soldó"
	}
	return "Armó"
}

func nameOrDash(who People, p plant.Person) string { return cmp.Or(Name(who, p), "—") }
