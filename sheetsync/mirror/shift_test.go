package mirror

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"envivo/plant"
	"envivo/sheetsync/emulator"
)

// errand is something that happens at an instant of the simulated day.
type errand struct {
	at time.Time
	do func()
}

// day lets errands happen at their instants, whoever turns the clock: the mirror
// between its steps, or the service while a call is under way.
type day struct {
	x       *office
	mu      sync.Mutex // the clock is turned by one at a time
	errands []errand   // in order of time
	after   func()     // runs whenever time has passed
}

// pass turns the clock, stopping at every errand.
func (d *day) pass(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	end := d.x.clock.Now().Add(by)
	for len(d.errands) > 0 && !d.errands[0].at.After(end) {
		e := d.errands[0]
		d.errands = d.errands[1:]
		d.x.clock.advance(max(0, e.at.Sub(d.x.clock.Now())))
		e.do()
	}
	d.x.clock.advance(end.Sub(d.x.clock.Now()))
}

// run works through the day until an instant, with the mirror.
func (d *day) run(until time.Time) {
	d.x.t.Helper()
	for d.x.clock.Now().Before(until) {
		wait := d.x.m.Step(d.x.t.Context())
		if d.after != nil {
			d.after()
		}
		now := d.x.clock.Now()
		wait = min(max(wait, 10*time.Millisecond), max(0, until.Sub(now)))
		if len(d.errands) > 0 { // news wake the mirror
			wait = min(wait, max(0, d.errands[0].at.Sub(now)))
		}
		d.pass(wait)
	}
}

// newDay is a plant whose calls take from 200 to 500 ms of simulated time.
func newDay(t *testing.T, s sheetOf, eo emulator.Options, o Options) *day {
	t.Helper()
	d := &day{}
	eo.Sleep = func(_ context.Context, by time.Duration) { d.pass(by) }
	d.x = newOffice(t, s, eo, o)
	d.x.e.Latency(200*time.Millisecond, 500*time.Millisecond)
	return d
}

// floor is the people of a plant at work: they try what comes to mind, and the
// rules say what is accepted.
type floor struct {
	x         *office
	r         *rand.Rand
	tags      []plant.Tag
	accepted  int
	did       map[plant.Verb]int
	last      plant.Event
	committed func(plant.Event)
	failed    error // an answer that is not one of the rules
}

func newFloor(x *office, seed uint64) *floor {
	f := &floor{x: x, r: rand.New(rand.NewPCG(seed, 4)), did: map[plant.Verb]int{}}
	for r := range x.st.Snapshot().Rows() {
		f.tags = append(f.tags, r.Spool.Tag)
	}
	return f
}

// act has one command accepted.
func (f *floor) act() {
	for range 2000 {
		c := f.idea()
		r, err := f.x.st.Do(context.Background(), c)
		if err != nil {
			var rule *plant.Error
			if !errors.As(err, &rule) && !errors.Is(err, plant.ErrUnchanged) {
				f.failed = errors.Join(f.failed, fmt.Errorf("%v %s: %w", c.Verb, c.Tag, err))
				return
			}
			continue
		}
		f.accepted++
		f.did[c.Verb]++
		f.last = r.Event
		f.x.m.Heard(r.Event.Seq)
		if f.committed != nil {
			f.committed(r.Event)
		}
		return
	}
	f.failed = errors.Join(f.failed, errors.New("the plant has nothing left to do"))
}

// idea is something a worker may want.
func (f *floor) idea() plant.Command {
	snap := f.x.st.Snapshot()
	w := plant.WorkerID(90 + f.r.IntN(30))
	c := plant.Command{Worker: w, Tag: f.tags[f.r.IntN(len(f.tags))], Door: plant.DoorPage}
	if held := snap.Held(w); len(held) > 0 && f.r.IntN(8) > 0 {
		c.Tag = held[f.r.IntN(len(held))]
		r, _ := snap.Row(c.Tag)
		c.Op = r.Spool.Hold.Op
		switch n := f.r.IntN(10); {
		case n < 2:
			c.Verb = plant.Pausar
		case n < 3:
			c.Verb = plant.Cancelar
		case len(r.Spool.Unions) > 0:
			c.Verb, c.Unions = plant.Finalizar, []int{}
			for _, u := range r.Spool.Unions {
				done := u.Arm.Done()
				if c.Op == plant.SOLD {
					done = u.Sold.Done() || !u.Arm.Done()
				}
				if !done && f.r.IntN(3) > 0 {
					c.Unions = append(c.Unions, u.N)
				}
			}
		default:
			c.Verb = plant.Completar
		}
		return c
	}
	switch n := f.r.IntN(20); {
	case n == 0:
		c.Verb, c.Texto = plant.Anotar, []string{"=A1 revisar", "falta plano", "+ medida"}[f.r.IntN(3)]
	case n < 4:
		c.Verb, c.Resultado, c.Motivo = plant.Inspeccionar, plant.Aprobado, "porosidad"
		if f.r.IntN(3) == 0 {
			c.Resultado = plant.Rechazado
		}
	default:
		c.Verb = plant.Tomar
		c.Op = []plant.Op{plant.ARM, plant.SOLD, plant.SOLD, plant.REPARACION}[f.r.IntN(4)]
	}
	return c
}

// hands are people who edit the Sheet, and what they leave behind: between two of
// their edits nothing that is not ours may change.
type hands struct {
	t      *testing.T
	b      *emulator.Book
	r      *rand.Rand
	left   map[string][][]emulator.Cell
	extra  int
	edits  map[string]int
	broken int
	before string // the last edit, for messages
	now    func() time.Time
}

// oursIn tells the columns that are ours, by worksheet.
func oursIn(sheet string) []string {
	switch sheet {
	case "Operaciones":
		return owned
	case "Uniones":
		return unionOwned
	}
	return nil
}

var watched = []string{"Operaciones", "Uniones", "Trabajadores", "Roles"}

// grid is what stands in a worksheet outside of our columns. What our columns show
// in lines without a spool is looked at when the day is over.
func (h *hands) grid(sheet string) [][]emulator.Cell {
	rows, _ := h.b.Dump(sheet)
	for _, o := range oursIn(sheet) {
		col := columnOf(rows[0], o)
		for n := 1; n < len(rows); n++ {
			if col < len(rows[n]) {
				rows[n][col] = emulator.Cell{}
			}
		}
	}
	return rows
}

// check compares what stands there with what was left.
func (h *hands) check() {
	for _, sheet := range watched {
		was, now := h.left[sheet], h.grid(sheet)
		if was == nil {
			continue
		}
		for row := range max(len(was), len(now)) {
			for col := range max(width(was, row), width(now, row)) {
				if a, b := at(was, row, col), at(now, row, col); a != b {
					if h.broken++; h.broken < 6 {
						h.t.Errorf("%s: %s row %d column %q changed from %+v to %+v after the edit %q, and nobody edited it", h.now().Format(time.TimeOnly),
							sheet, row+1, at(now, 0, col).Text, a, b, h.before)
					}
				}
			}
		}
	}
}

func width(rows [][]emulator.Cell, row int) int {
	if row < len(rows) {
		return len(rows[row])
	}
	return 0
}

func at(rows [][]emulator.Cell, row, col int) emulator.Cell {
	if col < width(rows, row) {
		return rows[row][col]
	}
	return emulator.Cell{}
}

// edit does one thing to the Sheet and remembers how it was left.
func (h *hands) edit(tags []plant.Tag) {
	h.check()
	what, err := h.something(tags)
	if err != nil {
		h.t.Errorf("edit %q: %v", what, err)
	}
	h.edits[strings.Fields(what)[0]]++
	h.before = what
	h.remember()
}

func (h *hands) remember() {
	for _, sheet := range watched {
		h.left[sheet] = h.grid(sheet)
	}
}

func (h *hands) something(tags []plant.Tag) (string, error) {
	const ops = "Operaciones"
	rows, _ := h.b.Dump(ops)
	row := 2 + h.r.IntN(len(rows)-1)
	head := rows[0]
	column := func() string { return head[h.r.IntN(len(head))].Text }
	switch h.r.IntN(11) {
	case 0, 1:
		tag := string(tags[h.r.IntN(len(tags))])
		return "cell " + tag, h.b.Put(ops, [2]string{"TAG_SPOOL", tag}, "FLAG", fmt.Sprint("visto ", h.r.IntN(99)))
	case 2:
		by := []string{"TAG_SPOOL", "Cliente", "FLAG", "Peso"}[h.r.IntN(4)]
		return "sort by " + by, h.b.SortBy(ops, by, h.r.IntN(2) == 0)
	case 3:
		return fmt.Sprint("insert at row ", row), h.b.InsertRows(ops, row, 1+h.r.IntN(2))
	case 4:
		key := columnOf(head, "TAG_SPOOL")
		for n := 1; n < len(rows); n++ {
			if at(rows, n, key).Text == "" {
				return fmt.Sprint("delete row ", n+1), h.b.DeleteRows(ops, n+1, 1)
			}
		}
		return "sort by TAG_SPOOL", h.b.SortBy(ops, "TAG_SPOOL", false)
	case 5:
		to := 2 + h.r.IntN(len(rows)-1)
		return fmt.Sprint("move row ", row, " to ", to), h.b.MoveRow(ops, row, to)
	case 6:
		h.extra++
		name, before := fmt.Sprint("Extra ", h.extra), column()
		if err := h.b.InsertColumn(ops, before, name); err != nil {
			return "newcolumn before " + before, err
		}
		tag := string(tags[h.r.IntN(len(tags))])
		return "newcolumn " + name + " before " + before, h.b.Put(ops, [2]string{"TAG_SPOOL", tag}, name, 7.5)
	case 7:
		for _, c := range head {
			if strings.HasPrefix(c.Text, "Extra") {
				return "dropcolumn " + c.Text, h.b.DeleteColumn(ops, c.Text)
			}
		}
		return "sort by Cliente", h.b.SortBy(ops, "Cliente", false)
	case 8:
		a, b := column(), column()
		return "movecolumn " + a + " before " + b, h.b.MoveColumn(ops, a, b)
	case 9:
		return "sortunions", h.b.SortBy("Uniones", []string{"TAG_SPOOL", "DN_UNION", "OT"}[h.r.IntN(3)], h.r.IntN(2) == 0)
	}
	return "insertunion", h.b.InsertRows("Uniones", 3+h.r.IntN(20), 1)
}

// lags measures how long it takes from a commit until the row shows it.
type lags struct {
	x    *office
	open map[plant.Tag][]plant.Event
	all  []time.Duration
	seen int // calls looked at
}

func (l *lags) committed(e plant.Event) { l.open[e.Tag] = append(l.open[e.Tag], e) }

// look reads the versions in the Sheet after new writes.
func (l *lags) look() {
	if len(l.open) == 0 || l.x.c.Total() == int64(l.seen) {
		return
	}
	l.seen = int(l.x.c.Total())
	now := l.x.clock.Now()
	rows, _ := l.x.b.Dump("Operaciones")
	key, col := columnOf(rows[0], "TAG_SPOOL"), columnOf(rows[0], "version")
	for n := 1; n < len(rows); n++ {
		tag := plant.Tag(at(rows, n, key).Text)
		token := at(rows, n, col).Text
		shown := slices.IndexFunc(l.open[tag], func(e plant.Event) bool { return e.Token == token }) + 1
		for _, e := range l.open[tag][:shown] {
			l.all = append(l.all, now.Sub(e.At))
		}
		if l.open[tag] = l.open[tag][shown:]; len(l.open[tag]) == 0 {
			delete(l.open, tag)
		}
	}
}

func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(all))
	return s[min(len(s)-1, int(q*float64(len(s))))]
}

// callTimes are the instants of the calls that use Google's quota.
func (x *office) callTimes() []time.Time {
	var out []time.Time
	for _, c := range x.e.Calls() {
		if emulator.API(c) {
			out = append(out, c.At)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// stumbles makes about one call in twenty go wrong, in seven ways.
func stumbles(e *emulator.Emulator) {
	for _, f := range []emulator.Fault{
		{Name: "503", Act: emulator.Fail}, {Name: "500 after", Act: emulator.FailAfter, Code: 500},
		{Name: "reset before", Act: emulator.ResetBefore}, {Name: "reset after", Act: emulator.ResetAfter},
		{Name: "429", Act: emulator.ExceedQuota}, {Name: "page", Act: emulator.PageAnswer, Code: 502},
		{Name: "empty", Act: emulator.EmptyAnswer, When: emulator.On(emulator.BatchGetValues)}, {Name: "cut", Act: emulator.CutAnswer},
	} {
		if f.When == nil {
			f.When = emulator.API
		}
		f.Chance = 0.0068
		e.Inject(f)
	}
}

func TestAWholeShiftWithStumblesAndPeopleInTheSheetEndsRight(t *testing.T) {
	commands, length := 2000/thin(16), 8*time.Hour/time.Duration(thin(16))
	d := newDay(t, sheetOf{spools: 100, joints: 4}, emulator.Options{}, Options{})
	x := d.x
	d.run(x.clock.Now().Add(3 * time.Minute)) // the first start is another test's
	start := x.clock.Now()
	f := newFloor(x, 11)
	h := &hands{t: t, b: x.b, r: rand.New(rand.NewPCG(5, 5)), left: map[string][][]emulator.Cell{}, edits: map[string]int{}, now: x.clock.Now}
	l := &lags{x: x, open: map[plant.Tag][]plant.Event{}}
	f.committed, d.after = l.committed, l.look
	h.remember()
	for range commands {
		d.errands = append(d.errands, errand{start.Add(time.Duration(f.r.Int64N(int64(length)))), f.act})
	}
	for minute := range int(length / time.Minute) {
		at := start.Add(time.Duration(minute)*time.Minute + time.Duration(h.r.Int64N(int64(time.Minute))))
		d.errands = append(d.errands, errand{at, func() { h.edit(f.tags) }})
	}
	slices.SortFunc(d.errands, func(a, b errand) int { return a.at.Compare(b.at) })
	x.e.ResetCalls()
	stumbles(x.e)
	d.run(start.Add(length))
	h.check()
	faults := 0
	for _, c := range x.e.Calls() {
		if c.Fault != "" {
			faults++
		}
	}
	x.e.Calm()
	d.run(x.clock.Now().Add(2 * time.Minute))
	if f.failed != nil || f.accepted != commands {
		t.Errorf("%d commands were accepted (%v), want %d", f.accepted, f.failed, commands)
	}
	if s := x.m.Status(); s.Backlog > 0 || len(s.Alerts)+len(s.Parked)+len(s.Proposals) > 0 {
		t.Errorf("after the shift: %s; alerts %v, parked %v, proposals %v; want none", s.Sentence, s.Alerts, s.Parked, s.Proposals)
	}
	x.agrees()
	x.nothingAstray()
	d.calls(start, 8*time.Hour, faults, 20)
	p50, p95, worst := quantile(l.all, 0.50), quantile(l.all, 0.95), quantile(l.all, 1)
	t.Logf("sync lag of %d commits: p50 %.1f s, p95 %.1f s, worst %.1f s; %v; edits of people %v; foreign cells broken %d", len(l.all), p50.Seconds(), p95.Seconds(), worst.Seconds(), f.did, h.edits, h.broken)
	if p95 > 10*time.Second || len(l.all) != commands {
		t.Errorf("sync lag p95 of %d commits = %s, want 10 s at most of %d", len(l.all), p95, commands)
	}
}

// calls checks what was asked of Google from an instant on.
func (d *day) calls(start time.Time, long time.Duration, faults, budget int) {
	t, made := d.x.t, d.x.callTimes()
	t.Helper()
	most, from := mostIn(made, time.Minute)
	perMinute := float64(len(made)) / long.Minutes()
	t.Logf("%d calls, %.1f per minute, %d of them stumbled; the fullest minute, from %s, saw %d", len(made), perMinute, faults, from.Sub(start), most)
	if most > budget {
		t.Errorf("%d calls in the minute from %s, want %d at most", most, from.Sub(start), budget)
	}
	if perMinute >= float64(budget) {
		t.Errorf("%.1f calls per minute, want fewer than %d", perMinute, budget)
	}
	for _, m := range d.x.e.Minutes() {
		if m.Refused > 0 {
			t.Errorf("%d calls were refused for quota in the minute of %s, want none", m.Refused, m.Start.Format(time.TimeOnly))
		}
	}
}

// nothingAstray checks that our columns are empty in lines without a spool.
func (x *office) nothingAstray() {
	x.t.Helper()
	for _, sheet := range []string{"Operaciones", "Uniones"} {
		rows, _ := x.b.Dump(sheet)
		key := columnOf(rows[0], "TAG_SPOOL")
		for n := 1; n < len(rows); n++ {
			if at(rows, n, key).Text != "" {
				continue
			}
			for _, o := range oursIn(sheet) {
				if c := at(rows, n, columnOf(rows[0], o)); c.Kind != emulator.Empty && c.Text != "" {
					x.t.Errorf("%s row %d has no spool and %q in %s, want nothing", sheet, n+1, c.Text, o)
				}
			}
		}
	}
}
