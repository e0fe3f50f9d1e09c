package api

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"envivo/plant"
	"envivo/ui"
)

// longLog is a log whose readings are counted.
type longLog struct {
	PageSource
	events []plant.Event
	read   int
}

func (l *longLog) Events(_ context.Context, after plant.Seq, limit int) ([]plant.Event, error) {
	out := l.events[min(int(after), len(l.events)):]
	out = out[:min(limit, len(out))]
	l.read += len(out)
	return out, nil
}

// months of a plant: every few minutes a spool is taken, handed over, noted on or
// put down; some are held for a minute, one for weeks. stints are what happened.
func months(n int) (l *longLog, stints []ui.Stint) {
	rnd := rand.New(rand.NewPCG(4, 9))
	l = &longLog{}
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	open := map[plant.Tag]int{}
	holds := map[plant.Tag]plant.Hold{}
	for seq := 1; seq <= n; seq++ {
		at = at.Add(time.Duration(rnd.IntN(4)) * time.Minute) // some at the same instant
		tag := plant.Tag(fmt.Sprintf("S-%02d", rnd.IntN(40)))
		if rnd.IntN(2000) > 0 && tag == "S-07" {
			tag = "S-08" // the other one is left where it is
		}
		e := plant.Event{Seq: plant.Seq(seq), Prev: plant.Seq(seq - 1), At: at, Tag: tag, Progress: &plant.Progress{}}
		i, held := open[tag]
		switch next := rnd.IntN(4); {
		case held && next == 0: // something else happens to it
			e.Kind, e.Progress.Hold = plant.KindNota, holds[tag]
		case held && next < 3:
			e.Kind, stints[i].To = plant.KindPausar, at
			delete(open, tag)
		default:
			if e.Kind = plant.KindTomar; held {
				e.Kind, stints[i].To = plant.KindRelevar, at
			}
			who := plant.Person{ID: plant.WorkerID(1 + rnd.IntN(20))}
			holds[tag] = plant.Hold{Worker: who, Op: plant.ARM, Since: at, Token: fmt.Sprint(seq)}
			e.Progress.Hold, open[tag] = holds[tag], len(stints)
			stints = append(stints, ui.Stint{Tag: tag, Worker: who, Op: plant.ARM, From: at})
		}
		l.events = append(l.events, e)
	}
	return l, stints
}

func sorted(s []ui.Stint) []ui.Stint {
	slices.SortFunc(s, func(a, b ui.Stint) int { return cmp.Or(cmp.Compare(a.Tag, b.Tag), a.From.Compare(b.From)) })
	return s
}

// kept counts the occupations that a chronicle holds on to.
func (c *occupations) kept() int {
	all := map[*occupation]bool{}
	for _, x := range c.chapters {
		for _, o := range x.open {
			all[o] = true
		}
	}
	for _, o := range c.closed {
		all[o] = true
	}
	for o := range c.open {
		all[o] = true
	}
	n := len(all)
	for _, day := range c.told {
		n += len(day)
	}
	for _, r := range c.reread {
		n += len(r.stints)
	}
	return n
}

// Every stint of the log was kept, for ever. Now the log is read again about what
// is long over, and says the same.
func TestWhatIsLongOverIsReadAgainAndIsTheSame(t *testing.T) {
	const events = 9*chapterEvents + 700
	l, stints := months(events)
	c := newChronicle()
	last := l.events[events-1].At
	first := l.events[0].At
	rnd := rand.New(rand.NewPCG(2, 2))
	for _, upTo := range []int{100, 5 * chapterEvents, events} { // as the plant goes on
		snap := &plant.Snapshot{Seq: plant.Seq(upTo), Epoch: "e"}
		if _, err := c.at(t.Context(), l, snap, first); err != nil {
			t.Fatal(err)
		}
	}
	snap := &plant.Snapshot{Seq: events, Epoch: "e"}
	moments := []time.Time{first.Add(-time.Hour), first, last, last.Add(time.Hour)}
	for _, x := range c.who.chapters {
		moments = append(moments, x.at, x.at.Add(-1), x.at.Add(1))
	}
	for range 120 {
		moments = append(moments, first.Add(time.Duration(rnd.Int64N(int64(last.Sub(first))))))
	}
	for _, at := range moments {
		var want []ui.Stint
		for _, s := range stints {
			if !s.From.After(at) && (s.To.IsZero() || s.To.After(at)) {
				want = append(want, s)
			}
		}
		got, err := c.at(t.Context(), l, snap, at)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(sorted(want), sorted(got)); diff != "" {
			t.Fatalf("at %v (-log +chronicle):\n%s", at, diff)
		}
	}
	if n, most := c.who.kept(), (keepReread+1)*chapterEvents/2+40*len(c.who.chapters); n > most || n > len(stints)*2/3 {
		t.Errorf("%d of %d stints are kept after %d events, want %d at most", n, len(stints), events, most)
	}
	l.read = 0
	for range 3 {
		if _, err := c.at(t.Context(), l, snap, moments[len(moments)-1]); err != nil {
			t.Fatal(err)
		}
	}
	if l.read > 0 {
		t.Errorf("a moment that is shown reads %d events each time the page is drawn, want none", l.read)
	}
	if _, err := c.at(t.Context(), l, snap, first.Add(time.Hour)); err != nil || l.read > 2*chapterEvents {
		t.Errorf("another one reads %d events (%v), want a chapter at most", l.read, err)
	}
}
