package mirror

import (
	"context"
	"slices"
	"testing"
	"time"

	"envivo/plant"
	"envivo/sheetsync/emulator"
)

func TestEightHoursOfflineWithTwoKillsReachTheSheetOnceInThreeMinutes(t *testing.T) {
	events := 5000 / thin(10)
	d := newDay(t, sheetOf{spools: 250, joints: 3}, emulator.Options{}, Options{})
	x := d.x
	d.run(x.clock.Now().Add(3 * time.Minute))
	start, f := x.clock.Now(), newFloor(x, 31)
	for range events {
		d.errands = append(d.errands, errand{start.Add(time.Duration(f.r.Int64N(int64(8 * time.Hour)))), f.act})
	}
	slices.SortFunc(d.errands, func(a, b errand) int { return a.at.Compare(b.at) })
	x.e.Outage(true)
	for _, hours := range []time.Duration{3, 6} {
		d.run(start.Add(hours * time.Hour))
		if s := x.m.Status(); s.Backlog < int(hours)*events/10 || s.Mode != Stopped {
			t.Errorf("after %d h offline: %q with a backlog of %d, want %q and more", hours, s.Mode, s.Backlog, Stopped)
		}
		x.reopen() // whoever was told nothing finds everything in the outbox
	}
	d.run(start.Add(8 * time.Hour))
	if f.failed != nil || f.accepted != events {
		t.Fatalf("%d commands were accepted (%v), want %d", f.accepted, f.failed, events)
	}
	x.e.ResetCalls()
	x.e.Outage(false)
	back := x.clock.Now()
	for x.waiting() > 0 && x.clock.Now().Sub(back) < 10*time.Minute {
		d.run(x.clock.Now().Add(500 * time.Millisecond))
	}
	drained := x.clock.Now().Sub(back)
	d.run(x.clock.Now().Add(2 * time.Minute))
	most, _ := mostIn(x.callTimes(), time.Minute)
	t.Logf("%d events of 8 h offline left the outbox %.1f s after the network came back; fullest minute %d calls", events, drained.Seconds(), most)
	if drained > 3*time.Minute {
		t.Errorf("drained in %s, want three minutes at most", drained)
	}
	if most > catchUp {
		t.Errorf("%d calls in one minute while catching up, want %d at most", most, catchUp)
	}
	x.agrees()
}

// A command is decided and stored while a call of the mirror hangs.
func TestNoCommandWaitsForACallThatHangs(t *testing.T) {
	x := newOffice(t, sheetOf{spools: 30, joints: 3}, emulator.Options{}, Options{})
	x.pass(2 * time.Minute)
	x.take("MK-001", 90, plant.ARM)
	held := make(chan struct{}, 8)
	x.e.Inject(emulator.Fault{Act: emulator.Hang, When: emulator.API, Before: func(emulator.Call) { held <- struct{}{} }})
	x.clock.advance(time.Minute)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); x.m.Step(ctx) }()
	<-held
	for i := 1; i < 25; i++ { // the mirror's only goroutine is inside of a call all the time
		x.do(plant.Command{Verb: plant.Tomar, Tag: x.tag(i), Worker: plant.WorkerID(91 + i), Op: plant.ARM, Door: plant.DoorPage})
		if s := x.m.Status(); s.Mode == "" {
			t.Error("the status says nothing while a call hangs")
		}
	}
	select {
	case <-done:
		t.Error("the call came back although nobody released it: the commands proved nothing")
	default:
	}
	stop()
	<-done
	x.e.Calm()
	x.pass(3 * time.Minute)
	x.agrees()
}

func (x *office) tag(n int) plant.Tag {
	i := 0
	for r := range x.st.Snapshot().Rows() {
		if i == n {
			return r.Spool.Tag
		}
		i++
	}
	x.t.Fatalf("no spool number %d", n)
	return ""
}
