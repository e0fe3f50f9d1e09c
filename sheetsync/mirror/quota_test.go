package mirror

import (
	"slices"
	"testing"
	"time"

	"envivo/plant"
	"envivo/sheetsync/emulator"
	"envivo/sheetsync/sample"
	"envivo/sheetsync/table"
)

func TestAnHourOf429DisturbsNobodyAndLosesNothing(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration
	}{{"without Retry-After", 0}, {"with Retry-After", 40 * time.Second}} {
		t.Run(c.name, func(t *testing.T) {
			d := newDay(t, sheetOf{spools: 60, joints: 3}, emulator.Options{RetryAfter: c.after}, Options{})
			x := d.x
			d.run(x.clock.Now().Add(3 * time.Minute))
			x.e.ResetCalls()
			f, start := newFloor(x, 21), x.clock.Now()
			for range 500 {
				d.errands = append(d.errands, errand{start.Add(time.Duration(f.r.Int64N(int64(time.Hour)))), f.act})
			}
			slices.SortFunc(d.errands, func(a, b errand) int { return a.at.Compare(b.at) })
			x.e.SetQuota(0, 0)
			d.run(start.Add(time.Hour))
			refused := x.callTimes()
			s := x.m.Status()
			if f.failed != nil || f.accepted != 500 {
				t.Errorf("%d commands were accepted (%v), want 500", f.accepted, f.failed)
			}
			if s.Backlog < 490 || s.Oldest.IsZero() || s.Oldest.Sub(start) > 5*time.Minute || s.Mode != Stopped {
				t.Errorf("status = %q, backlog %d, oldest %s; want %q, at least 490 and an event of the first minutes", s.Mode, s.Backlog, s.Oldest, Stopped)
			}
			if c.after > 0 {
				for i := 1; i < len(refused); i++ {
					if gap := refused[i].Sub(refused[i-1]); gap < c.after {
						t.Fatalf("call %d came %s after a refused one, want %s at least", i+1, gap, c.after)
					}
				}
			}
			x.e.SetQuota(60, 60)
			back := x.clock.Now()
			for x.waiting() > 0 && x.clock.Now().Sub(back) < 10*time.Minute {
				d.run(x.clock.Now().Add(time.Second))
			}
			drained := x.clock.Now().Sub(back)
			d.run(x.clock.Now().Add(time.Minute))
			most, _ := mostIn(x.callTimes(), time.Minute)
			t.Logf("%d calls were refused in the hour; backlog %d; drained %.0f s after the quota came back; fullest minute %d calls", len(refused), s.Backlog, drained.Seconds(), most)
			if most > catchUp {
				t.Errorf("%d calls in one minute, want %d at most", most, catchUp)
			}
			if drained > 3*time.Minute {
				t.Errorf("drained %s after the quota came back, want three minutes at most", drained)
			}
			if s := x.m.Status(); len(s.Alerts) > 0 || s.Backlog > 0 {
				t.Errorf("afterwards alerts %v and backlog %d, want none", s.Alerts, s.Backlog)
			}
			x.agrees()
		})
	}
}

// waiting is how many events have not left the outbox.
func (x *office) waiting() int {
	pending, err := x.st.Pending(0)
	if err != nil {
		x.t.Fatal(err)
	}
	return len(pending)
}

// production replaces the worksheets by those of a plant of 2,493 spools.
func (x *office) production() {
	for _, s := range sample.Workbook().Sheets {
		rows := make([][]any, len(s.Rows))
		for i, line := range s.Rows {
			rows[i] = make([]any, len(line))
			for k, c := range line {
				rows[i][k] = table.Value(c)
			}
		}
		x.b.Fill(s.Name, rows)
	}
}

func TestThirtyWorkersNeedFewCallsFromTheFirstMinuteOn(t *testing.T) {
	d := newDay(t, sheetOf{}, emulator.Options{}, Options{})
	x := d.x
	x.production()
	start := x.clock.Now()
	began := time.Now()
	d.run(start.Add(time.Minute))
	first := len(x.callTimes())
	t.Logf("first start with %d spools: %d calls in its first minute, %.1f s of this machine's time", x.st.Snapshot().Len(), first, time.Since(began).Seconds())
	if n := x.st.Snapshot().Len(); n < 2400 {
		t.Fatalf("%d spools came in, want some 2,493; status %+v", n, x.m.Status().Sentence)
	}
	workers := x.st.Snapshot().Workers()
	tags := []plant.Tag{}
	for r := range x.st.Snapshot().Rows() {
		tags = append(tags, r.Spool.Tag)
	}
	accepted := 0
	for i := range 30 * 6 { // every worker does something twice a minute
		at := start.Add(time.Minute + time.Duration(i)*time.Second)
		d.errands = append(d.errands, errand{at, func() {
			for n := range 400 {
				w := workers[(i+n)%len(workers)]
				r, err := x.st.Do(t.Context(), plant.Command{Verb: plant.Tomar, Tag: tags[(i*37+n)%len(tags)], Worker: w.ID, Op: plant.ARM, Door: plant.DoorPage})
				if err == nil {
					x.m.Heard(r.Event.Seq)
					accepted++
					return
				}
			}
		}})
	}
	d.run(start.Add(5 * time.Minute))
	made := x.callTimes()
	most, from := mostIn(made, time.Minute)
	t.Logf("%d commands; %d calls in five minutes; the fullest minute, from %s on, saw %d", accepted, len(made), from.Sub(start), most)
	if accepted < 150 {
		t.Errorf("%d commands were accepted, want 150 at least", accepted)
	}
	if most >= 80 || most > catchUp {
		t.Errorf("%d calls in one minute, want %d at most (and fewer than 80)", most, catchUp)
	}
	for _, m := range x.e.Minutes() {
		if m.Refused > 0 {
			t.Errorf("%d calls of the minute %s were refused for quota, want none", m.Refused, m.Start.Format(time.TimeOnly))
		}
	}
}
