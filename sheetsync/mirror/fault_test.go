package mirror

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"envivo/plant"
	"envivo/sheetsync/emulator"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// accountKey is one key for all emulators: making one takes a tenth of a second.
var accountKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// small is an office with one key for all and no limits but the mirror's own.
func small(t *testing.T, s sheetOf) *office {
	t.Helper()
	return newOffice(t, s, emulator.Options{Key: accountKey()}, Options{})
}

// act is one stretch of a scenario: something happens, then time goes by.
type act struct {
	do   func(*office)
	span time.Duration
}

// wholeDay is everything a mirror does: start, first reading, work of every kind,
// the office's inputs, a hand-made edit, verification.
func wholeDay() []act {
	return []act{
		{nil, 40 * time.Second},
		{func(x *office) {
			x.take("MK-002", 91, plant.ARM)
			x.take("MK-001", 92, plant.ARM)
			x.do(plant.Command{Verb: plant.Anotar, Tag: "MK-003", Worker: 93, Texto: "=soporte"})
		}, 20 * time.Second},
		{func(x *office) {
			x.do(plant.Command{Verb: plant.Completar, Tag: "MK-002", Worker: 91, Op: plant.ARM, Door: plant.DoorPage})
			x.do(plant.Command{Verb: plant.Finalizar, Tag: "MK-001", Worker: 92, Op: plant.ARM, Unions: []int{1}, Door: plant.DoorPage})
			x.b.AppendRow("Operaciones", "Cliente nuevo", "NV01", "099", "MK-099", "MK-099", emulator.Day(2026, 4, 2))
		}, 40 * time.Second},
		{func(x *office) {
			x.take("MK-002", 94, plant.SOLD)
			x.b.Put("Operaciones", [2]string{"TAG_SPOOL", "MK-001"}, "version", 77)
		}, 40 * time.Second},
	}
}

// quiet lets everything settle.
const quiet = 4 * time.Minute

// proved checks the outcome of a day: everything once, nothing of others touched,
// nothing invented.
func (x *office) proved(before map[string]emulator.Cell) {
	x.t.Helper()
	x.agrees()
	if s := x.m.Status(); len(s.Proposals) > 0 || len(s.Parked) > 0 || s.Backlog > 0 || len(s.Alerts) > 0 {
		x.t.Errorf("status = %d propuestas %+v, %d parked, %d waiting, alerts %+v, want none", len(s.Proposals), s.Proposals, len(s.Parked), s.Backlog, s.Alerts)
	}
	x.untouched(before)
	rows, _ := x.b.Dump("Metadata")
	seen, blank := map[string]bool{}, 0
	for n, r := range rows[1:] {
		id := ""
		if len(r) > 0 {
			id = r[0].Text
		}
		switch {
		case id == "" && blank == 0:
			blank = n + 2
		case id == "":
		case blank > 0:
			x.t.Fatalf("Metadata row %d is blank and row %d is not, want no gap", blank, n+2)
		case seen[id]:
			x.t.Errorf("Metadata row %d repeats %s", n+2, id)
		}
		seen[id] = true
	}
}

// untouched checks that every foreign cell is what it was.
func (x *office) untouched(before map[string]emulator.Cell) {
	x.t.Helper()
	after := x.foreign()
	for key, was := range before {
		if now := after[key]; now.Text != was.Text || now.Num != was.Num || now.Formula != was.Formula {
			if was.Formula == "" || now.Formula == "" {
				x.t.Errorf("foreign cell %q = %+v, want %+v", strings.ReplaceAll(key, "\x00", " "), now, was)
			}
		}
	}
}

func TestAFaultAtEveryCallOfADayLeavesNoTrace(t *testing.T) {
	faults := []struct {
		name  string
		act   emulator.Action
		code  int
		times int
		every int // calls between two runs
	}{
		{"reset before", emulator.ResetBefore, 0, 2, 1}, // Go's client repeats a read once by itself
		{"reset after", emulator.ResetAfter, 0, 2, 1},
		{"503 after", emulator.FailAfter, 503, 1, 1},
		{"cut answer", emulator.CutAnswer, 0, 1, 1},
		{"empty answer", emulator.EmptyAnswer, 0, 1, 2},
		{"half answer", emulator.HalfAnswer, 0, 1, 2},
		{"500 before", emulator.Fail, 500, 1, 4},
		{"429", emulator.ExceedQuota, 0, 1, 4},
		{"page", emulator.PageAnswer, 0, 1, 4},
		{"page 502", emulator.PageAnswer, 502, 1, 4},
	}
	calls := callsOfADay(t)
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			for n := 0; n < calls; n += f.every * thin(8) {
				t.Run(fmt.Sprint("call ", n+1), func(t *testing.T) {
					t.Parallel()
					x := small(t, sheetOf{spools: 4, joints: 2})
					before := x.foreign()
					x.e.Inject(emulator.Fault{Name: f.name, When: emulator.API, Skip: n, Times: f.times, Act: f.act, Code: f.code})
					for _, a := range wholeDay() {
						x.play(a)
					}
					x.e.Calm()
					x.pass(quiet)
					x.proved(before)
				})
			}
		})
	}
}

// play runs one stretch; what needs a spool that has not come yet waits for it.
func (x *office) play(a act) {
	x.t.Helper()
	for range 20 {
		if x.st.Snapshot().Len() > 0 || a.do == nil {
			break
		}
		x.pass(20 * time.Second)
	}
	if a.do != nil {
		a.do(x)
	}
	x.pass(a.span)
}

func callsOfADay(t *testing.T) int {
	t.Helper()
	x := small(t, sheetOf{spools: 4, joints: 2})
	before := x.foreign()
	for _, a := range wholeDay() {
		x.play(a)
	}
	n := 0
	for _, c := range x.e.Calls() {
		if emulator.API(c) {
			n++
		}
	}
	x.pass(quiet)
	x.proved(before)
	if n < 12 {
		t.Fatalf("a day takes %d calls, want a dozen at least", n)
	}
	t.Logf("a day takes %d calls", n)
	return n
}

// killed is the panic of a process that dies.
type killed struct{}

// fate kills the process at its n-th step, before or after the step is done; a
// step is a call or a change of the store.
type fate struct {
	at    int
	after bool
	steps int
	gone  bool
}

func (f *fate) step(do func()) {
	f.steps++
	now := f.steps == f.at && !f.gone
	if now && !f.after {
		f.gone = true
		panic(killed{})
	}
	do()
	if now {
		f.gone = true
		panic(killed{})
	}
}

type mortalSheet struct {
	Sheet
	f *fate
}

func (s mortalSheet) Layout(ctx context.Context) (l google.Layout, err error) {
	s.f.step(func() { l, err = s.Sheet.Layout(ctx) })
	return l, err
}

func (s mortalSheet) Read(ctx context.Context, ranges ...string) (c [][][]table.Cell, err error) {
	s.f.step(func() { c, err = s.Sheet.Read(ctx, ranges...) })
	return c, err
}

func (s mortalSheet) Write(ctx context.Context, blocks ...google.Block) (err error) {
	s.f.step(func() { err = s.Sheet.Write(ctx, blocks...) })
	return err
}

func (s mortalSheet) Grow(ctx context.Context, t google.Tab, rows, cols int) (err error) {
	s.f.step(func() { err = s.Sheet.Grow(ctx, t, rows, cols) })
	return err
}

type mortalPlant struct {
	Plant
	f *fate
}

func (p mortalPlant) Do(ctx context.Context, c plant.Command) (r plant.Receipt, err error) {
	p.f.step(func() { r, err = p.Plant.Do(ctx, c) })
	return r, err
}

func (p mortalPlant) Pending(limit int) (e []plant.Event, err error) {
	p.f.step(func() { e, err = p.Plant.Pending(limit) })
	return e, err
}

func (p mortalPlant) Ack(ctx context.Context, seqs ...plant.Seq) (err error) {
	p.f.step(func() { err = p.Plant.Ack(ctx, seqs...) })
	return err
}

func (p mortalPlant) Park(ctx context.Context, seq plant.Seq, why string) (err error) {
	p.f.step(func() { err = p.Plant.Park(ctx, seq, why) })
	return err
}

// mortal gives the office a mirror that dies as f says.
func (x *office) mortal(f *fate) {
	x.t.Helper()
	o := x.o
	o.Plant, o.Sheet, o.Now, o.Log = mortalPlant{outbox{x.st}, f}, mortalSheet{x.c, f}, x.clock.Now, slog.New(slog.DiscardHandler)
	o.Random = mathrand.New(mathrand.NewPCG(3, 4))
	m, err := New(o)
	if err != nil {
		x.t.Fatal(err)
	}
	x.m = m
}

// live lets time go by; a process that dies is started again with another fate.
func (x *office) live(d time.Duration) {
	x.t.Helper()
	end := x.clock.Now().Add(d)
	died := func() (died bool) {
		defer func() {
			r := recover()
			if _, ok := r.(killed); ok {
				died = true
			} else if r != nil {
				panic(r)
			}
		}()
		x.pass(d)
		return false
	}()
	if died {
		x.reopen()
		x.pass(max(0, end.Sub(x.clock.Now())))
	}
}

// deadly is a day with a spool whose row goes away and comes back, so that events
// are parked as well.
func (x *office) deadly() {
	for i, a := range wholeDay() {
		for range 20 {
			if x.st.Snapshot().Len() > 0 {
				break
			}
			x.live(20 * time.Second)
		}
		if a.do != nil {
			a.do(x)
		}
		if i == 1 {
			x.b.Put("Operaciones", [2]string{"TAG_SPOOL", "MK-002"}, "TAG_SPOOL", "")
		}
		x.live(a.span)
		if i == 1 {
			x.b.Put("Operaciones", [2]string{"Cliente", "Cliente MK-002"}, "TAG_SPOOL", "MK-002")
		}
	}
	x.live(quiet)
}

func TestAKillAtEveryStepLeavesEverythingOnce(t *testing.T) {
	count := &fate{}
	x := small(t, sheetOf{spools: 4, joints: 2})
	x.mortal(count)
	x.deadly()
	if t.Failed() || count.steps < 30 {
		t.Fatalf("a day takes %d steps, want 30 at least", count.steps)
	}
	t.Logf("a day takes %d steps", count.steps)
	for _, after := range []bool{false, true} {
		for n := 1; n <= count.steps; n += thin(8) {
			t.Run(fmt.Sprintf("step %d, after: %v", n, after), func(t *testing.T) {
				t.Parallel()
				x := small(t, sheetOf{spools: 4, joints: 2})
				x.mortal(&fate{at: n, after: after})
				x.deadly()
				x.agrees()
				if s := x.m.Status(); len(s.Proposals)+len(s.Parked) > 0 {
					t.Errorf("propuestas %+v, parked %+v, want none", s.Proposals, s.Parked)
				}
			})
		}
	}
}

func TestACallThatHangsWhenTheProcessEndsIsNoLoss(t *testing.T) {
	calls := callsOfADay(t)
	for how, every := range map[emulator.Action]int{emulator.Hang: 4, emulator.HangAfter: 1} {
		for n := 0; n < calls; n += every * thin(8) {
			t.Run(fmt.Sprintf("kind %d, call %d", how, n+1), func(t *testing.T) {
				t.Parallel()
				x := small(t, sheetOf{spools: 4, joints: 2})
				before := x.foreign()
				x.e.Inject(emulator.Fault{When: emulator.API, Skip: n, Times: 1, Act: how})
				for _, a := range wholeDay() {
					if x.st.Snapshot().Len() == 0 {
						x.hanging(20 * time.Second)
					}
					if a.do != nil {
						a.do(x)
					}
					x.hanging(a.span)
				}
				x.pass(quiet)
				x.proved(before)
			})
		}
	}
}

// hanging lets time go by; when a call hangs the process is ended and started
// again.
func (x *office) hanging(d time.Duration) {
	x.t.Helper()
	end := x.clock.Now().Add(d)
	for x.clock.Now().Before(end) {
		ctx, cancel := context.WithCancel(x.t.Context())
		done := make(chan time.Duration)
		go func() { done <- x.m.Step(ctx) }()
		wait := x.cancelled(done, cancel)
		cancel()
		x.clock.advance(min(max(wait, 10*time.Millisecond), end.Sub(x.clock.Now())))
	}
}

// cancelled waits for a step; one that hangs is given up and the process begins
// anew.
func (x *office) cancelled(done <-chan time.Duration, cancel func()) time.Duration {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case wait := <-done:
			return wait
		case <-tick.C:
			if x.e.Holding() > 0 {
				cancel()
				<-done
				x.e.Release()
				x.reopen()
				return time.Second
			}
		}
	}
}
