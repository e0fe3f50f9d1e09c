package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"envivo/plant"
)

// Same is Diff without the hash chain, which is each store's own business.
func Same(want, got *plant.Snapshot) string {
	a, b := imageOf(want), imageOf(got)
	a.Head, b.Head = [32]byte{}, [32]byte{}
	return cmp.Diff(a, b)
}

// Run is what every store must pass. open makes an empty one.
func Run(t *testing.T, open func(*testing.T, Config) Store) {
	for name, test := range map[string]func(*testing.T, func(Toy) (Store, *Clock)){
		"a receipt is visible at once":              visible,
		"a refusal leaves nothing":                  refusals,
		"a key has one effect":                      keys,
		"a batch's key is the whole batch's":        batchKeys,
		"a group is carried out one by one":         groups,
		"tails miss nothing and repeat nothing":     tails,
		"history goes backwards by pages":           history,
		"the outbox gives what was not delivered":   outbox,
		"one of many callers wins":                  race,
		"a panic is one command's misfortune":       panics,
		"time never runs backwards":                 clock,
		"a closed store says so":                    closing,
		"old snapshots stay as they were":           frozen,
		"a caller who gave up is told so, not lied": gaveUp,
	} {
		t.Run(name, func(t *testing.T) {
			test(t, func(toy Toy) (Store, *Clock) {
				c := NewClock()
				return open(t, ToyConfig(toy, c)), c
			})
		})
	}
}

func do(t testing.TB, s Store, c plant.Command) plant.Event {
	t.Helper()
	r, err := s.Do(context.Background(), c)
	if err != nil {
		t.Fatalf("%v %s: %v", c.Verb, c.Tag, err)
	}
	return r.Event
}

func code(err error) plant.Code {
	var no *plant.Error
	if errors.As(err, &no) {
		return no.Code
	}
	return plant.CodeInternal
}

func visible(t *testing.T, open func(Toy) (Store, *Clock)) {
	s, _ := open(Toy{})
	do(t, s, Bring("A-1", 2))
	for i := range 50 {
		e := do(t, s, Note("", "A-1", fmt.Sprint("nota ", i)))
		if err := Reached(s.Snapshot(), e); err != nil {
			t.Fatalf("after receipt %d: %v", i, err)
		}
		if e.Prev != e.Seq-1 || e.PrevTag != e.Seq-1 {
			t.Fatalf("event %d follows %d, its spool's %d; want %d for both", e.Seq, e.Prev, e.PrevTag, e.Seq-1)
		}
	}
}

func refusals(t *testing.T, open func(Toy) (Store, *Clock)) {
	s, _ := open(Toy{})
	do(t, s, Bring("A-1", 0))
	do(t, s, Take("k1", "A-1", 1))
	before := s.Snapshot()
	if _, err := s.Do(context.Background(), Take("k2", "A-1", 2)); code(err) != plant.CodeOccupied {
		t.Fatalf("TOMAR of a held spool = %v, want occupied", err)
	}
	if d := Same(before, s.Snapshot()); d != "" {
		t.Errorf("a refusal changed the plant:\n%s", d)
	}
	do(t, s, Pause("", "A-1", 1))
	do(t, s, Take("k2", "A-1", 2)) // a refusal is not remembered
}

func keys(t *testing.T, open func(Toy) (Store, *Clock)) {
	s, _ := open(Toy{})
	do(t, s, Bring("A-1", 0))
	first := do(t, s, Take("k", "A-1", 1))
	do(t, s, Pause("", "A-1", 1))
	r, err := s.Do(context.Background(), Take("k", "A-1", 1))
	if err != nil || !r.Repeated || cmp.Diff(first, r.Event) != "" {
		t.Errorf("the key again = %+v, %v; want the first receipt", r, err)
	}
	if _, err := s.Do(context.Background(), Take("k", "A-1", 2)); code(err) != plant.CodeKeyReused {
		t.Errorf("the key with another body = %v, want it refused", err)
	}
	long := Take(plant.CommandID(strings.Repeat("k", plant.MaxCommandID+1)), "A-1", 1)
	if _, err := s.Do(context.Background(), long); code(err) != plant.CodeInvalid {
		t.Errorf("a key that is too long = %v, want it refused", err)
	}
}

func batchKeys(t *testing.T, open func(Toy) (Store, *Clock)) {
	s, _ := open(Toy{})
	for _, tag := range []plant.Tag{"A-1", "A-2", "A-3"} {
		do(t, s, Bring(tag, 0))
	}
	do(t, s, Take("", "A-1", 2))
	item := func(body byte, tag plant.Tag) plant.Command {
		c := Take(plant.CommandID("k").Item(tag), tag, 1)
		c.Digest = [32]byte{body}
		return c
	}
	all := func(cmds ...plant.Command) (out []plant.Code) {
		for _, r := range s.DoAll(context.Background(), cmds) {
			c := plant.Code(255)
			if r.Err != nil {
				c = code(r.Err)
			}
			out = append(out, c)
		}
		return out
	}
	const done = plant.Code(255)
	first := []plant.Command{item(1, "A-1"), item(1, "A-2")}
	for range 2 {
		if got := all(first...); !slices.Equal(got, []plant.Code{plant.CodeOccupied, done}) {
			t.Fatalf("a batch = %v, want the free one taken", got)
		}
	}
	if got := all(item(2, "A-3")); !slices.Equal(got, []plant.Code{plant.CodeKeyReused}) {
		t.Errorf("the key with a batch of other spools = %v, want it refused", got)
	}
	alone := Take("k", "A-3", 1)
	if got := all(alone); !slices.Equal(got, []plant.Code{plant.CodeKeyReused}) {
		t.Errorf("the batch's key with a single command = %v, want it refused", got)
	}
	alone.ID = "m"
	do(t, s, alone)
	reused := Note(plant.CommandID("m").Item("A-1"), "A-1", "lote")
	if got := all(reused); !slices.Equal(got, []plant.Code{plant.CodeKeyReused}) {
		t.Errorf("a single command's key with a batch = %v, want it refused", got)
	}
}

func groups(t *testing.T, open func(Toy) (Store, *Clock)) {
	s, _ := open(Toy{})
	var cmds []plant.Command
	for i := range 600 { // more than one transaction takes
		cmds = append(cmds, Bring(plant.Tag(fmt.Sprintf("G-%03d", i%500)), 0))
	}
	for i, r := range s.DoAll(context.Background(), cmds) {
		switch again := i >= 500; {
		case again && code(r.Err) != plant.CodeUnchanged:
			t.Fatalf("spool %d brought twice = %v, want unchanged", i, r.Err)
		case !again && (r.Err != nil || r.Receipt.Event.Seq != plant.Seq(i+1)):
			t.Fatalf("item %d = seq %d, %v; want %d", i, r.Receipt.Event.Seq, r.Err, i+1)
		}
	}
}

func tails(t *testing.T, open func(Toy) (Store, *Clock)) {
	s, _ := open(Toy{})
	do(t, s, Bring("A-1", 0))
	do(t, s, Note("", "A-1", "antes"))
	const n = 200
	var wg sync.WaitGroup
	for after := range plant.Seq(3) {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			want := after + 1
			for events, err := range s.Tail(ctx, after) {
				if err != nil {
					t.Errorf("tail after %d: %v", after, err)
					return
				}
				for _, e := range events {
					if e.Seq != want {
						t.Errorf("tail after %d gave %d, want %d", after, e.Seq, want)
						return
					}
					if err := Reached(s.Snapshot(), e); err != nil {
						t.Errorf("an event arrived before its state: %v", err)
					}
					want++
				}
				if want > n+2 {
					return
				}
			}
		})
	}
	for i := range n {
		do(t, s, Note("", "A-1", fmt.Sprint(i)))
	}
	wg.Wait()
	got, err := s.Events(context.Background(), 10, 5)
	if err != nil || len(got) != 5 || got[0].Seq != 11 {
		t.Errorf("5 events after 10 = %d from %d, %v", len(got), got[0].Seq, err)
	}
}

func history(t *testing.T, open func(Toy) (Store, *Clock)) {
	s, _ := open(Toy{})
	do(t, s, Bring("A-1", 0))
	do(t, s, Bring("B-1", 0))
	for i := range 10 {
		do(t, s, Note("", plant.Tag([]string{"A-1", "B-1"}[i%2]), fmt.Sprint(i)))
	}
	var seqs []plant.Seq
	for before := plant.Seq(0); ; {
		page, err := s.History(context.Background(), "A-1", before, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			seqs = append(seqs, e.Seq)
		}
		before = page[len(page)-1].Seq
	}
	if want := []plant.Seq{11, 9, 7, 5, 3, 1}; cmp.Diff(want, seqs) != "" {
		t.Errorf("history of A-1 = %v, want %v", seqs, want)
	}
}

func outbox(t *testing.T, open func(Toy) (Store, *Clock)) {
	s, _ := open(Toy{})
	ctx := context.Background()
	do(t, s, Bring("A-1", 0))
	for i := range 5 {
		do(t, s, Note("", "A-1", fmt.Sprint(i)))
	}
	pending := func() (out []plant.Seq) {
		events, err := s.Pending(10)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			out = append(out, e.Seq)
		}
		return out
	}
	for _, step := range []struct {
		what string
		do   func() error
		want []plant.Seq
	}{
		{"nothing", func() error { return nil }, []plant.Seq{1, 2, 3, 4, 5, 6}},
		{"ack 1, 2 and 4", func() error { return s.Ack(ctx, 1, 2, 4) }, []plant.Seq{3, 5, 6}},
		{"ack 2 again", func() error { return s.Ack(ctx, 2) }, []plant.Seq{3, 5, 6}},
		{"park 3", func() error { return s.Park(ctx, 3, "tab missing") }, []plant.Seq{5, 6}},
		{"ack 5", func() error { return s.Ack(ctx, 5) }, []plant.Seq{6}},
		{"unpark 3", func() error { return s.Unpark(ctx, 3) }, []plant.Seq{3, 6}},
		{"ack the rest", func() error { return s.Ack(ctx, 3, 6) }, nil},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		if got := pending(); cmp.Diff(step.want, got) != "" {
			t.Fatalf("pending after %s = %v, want %v", step.what, got, step.want)
		}
	}
	if err := s.Ack(ctx, 99); err == nil {
		t.Error("an event that never was could be acknowledged")
	}
}

func race(t *testing.T, open func(Toy) (Store, *Clock)) {
	s, _ := open(Toy{})
	for round := range 20 {
		tag := plant.Tag(fmt.Sprint("R-", round))
		do(t, s, Bring(tag, 0))
		var wg sync.WaitGroup
		won := make(chan plant.WorkerID, 50)
		for w := range 50 {
			wg.Go(func() {
				id := plant.WorkerID(w + 1)
				switch _, err := s.Do(context.Background(), Take("", tag, id)); {
				case err == nil:
					won <- id
				case code(err) != plant.CodeOccupied:
					t.Errorf("a loser was told %v, want occupied", err)
				}
			})
		}
		wg.Wait()
		close(won)
		if n := len(won); n != 1 {
			t.Fatalf("%d winners of %s, want 1", n, tag)
		}
		if sp, _ := s.Snapshot().Spool(tag); sp.Hold.Worker.ID != <-won {
			t.Fatalf("%s is held by %d, who was not told so", tag, sp.Hold.Worker.ID)
		}
	}
}

func panics(t *testing.T, open func(Toy) (Store, *Clock)) {
	s, _ := open(Toy{Gate: func(c plant.Command) {
		if c.Texto == "bomba" {
			panic("bomba")
		}
	}})
	do(t, s, Bring("A-1", 0))
	r := s.DoAll(context.Background(), []plant.Command{Note("", "A-1", "uno"), Note("", "A-1", "bomba"), Note("", "A-1", "dos")})
	if r[0].Err != nil || r[2].Err != nil || code(r[1].Err) != plant.CodeInternal {
		t.Errorf("neighbours of a panic = %v, %v, %v; want only the middle one refused", r[0].Err, r[1].Err, r[2].Err)
	}
}

func clock(t *testing.T, open func(Toy) (Store, *Clock)) {
	s, c := open(Toy{})
	do(t, s, Bring("A-1", 0))
	late := do(t, s, Note("", "A-1", "tarde"))
	c.Add(-3 * time.Hour)
	if e := do(t, s, Note("", "A-1", "temprano")); e.At.Before(late.At) {
		t.Errorf("an event at %v follows one at %v", e.At, late.At)
	}
}

func closing(t *testing.T, open func(Toy) (Store, *Clock)) {
	s, _ := open(Toy{})
	do(t, s, Bring("A-1", 0))
	ended := make(chan error, 1)
	go func() {
		var last error
		for _, err := range s.Tail(context.Background(), 1) {
			last = err
		}
		ended <- last
	}()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
	if err := <-ended; err == nil {
		t.Error("a tail of a closed store ended without saying why")
	}
	if _, err := s.Do(context.Background(), Note("", "A-1", "x")); code(err) != plant.CodeBusy {
		t.Errorf("a command to a closed store = %v, want busy", err)
	}
}

func frozen(t *testing.T, open func(Toy) (Store, *Clock)) {
	s, _ := open(Toy{})
	do(t, s, Bring("A-1", 3))
	old := s.Snapshot()
	before := imageOf(old)
	do(t, s, Take("", "A-1", 1))
	do(t, s, Pause("", "A-1", 1, 1, 2))
	do(t, s, Hire(7, "Eva"))
	do(t, s, Set("a", "b"))
	if d := cmp.Diff(before, imageOf(old)); d != "" {
		t.Errorf("a snapshot changed under its reader:\n%s", d)
	}
}

func gaveUp(t *testing.T, open func(Toy) (Store, *Clock)) {
	s, _ := open(Toy{})
	do(t, s, Bring("A-1", 0))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Do(ctx, Note("", "A-1", "x")); code(err) != plant.CodeBusy {
		t.Errorf("a command of somebody who left = %v, want busy: nothing was stored", err)
	}
	if got := s.Snapshot().Seq; got != 1 {
		t.Errorf("the plant is at %d, want 1", got)
	}
}

// Compare runs random commands on two stores and wants the same answers and the
// same plant.
func Compare(t *rapid.T, a, b Store) {
	tags := []plant.Tag{"A-1", "A-2", "a-1", "B-1"}
	for i := range rapid.IntRange(1, 60).Draw(t, "length") {
		tag := rapid.SampledFrom(tags).Draw(t, "tag")
		who := plant.WorkerID(rapid.IntRange(1, 3).Draw(t, "who"))
		key := plant.CommandID(rapid.SampledFrom([]string{"", "", "k1", "k2"}).Draw(t, "key"))
		c := []plant.Command{Bring(tag, 2), Take(key, tag, who), Pause(key, tag, who, 1), Note(key, tag, "nota"), Hire(who, "Ana"), Set("s", string(key))}[rapid.IntRange(0, 5).Draw(t, "what")]
		c.UUID = fmt.Sprintf("00000000-0000-4000-9000-%012d", i)
		ra, ea := a.Do(context.Background(), c)
		rb, eb := b.Do(context.Background(), c)
		if (ea == nil) != (eb == nil) || ea != nil && code(ea) != code(eb) {
			t.Fatalf("%v %s = %v and %v", c.Verb, c.Tag, ea, eb)
		}
		if d := cmp.Diff(ra, rb); d != "" {
			t.Fatalf("receipts of %v %s differ:\n%s", c.Verb, c.Tag, d)
		}
	}
	if d := Same(a.Snapshot(), b.Snapshot()); d != "" {
		t.Fatalf("the plants differ:\n%s", d)
	}
}
