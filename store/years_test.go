package store_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"envivo/plant"
	"envivo/store"
	"envivo/store/storetest"
)

// yearsOptions are for measuring: the toy trade on the real clock.
func yearsOptions() store.Options {
	o := toyOptions()
	o.Now = time.Now
	return o
}

// pace is how far apart the events of a grown store are: a million in a year.
const pace = 30 * time.Second

// grown is a closed store with so many spools and events, the newest of now.
func grown(b *testing.B, spools, events int) string {
	b.Helper()
	path, o := dbPath(b), yearsOptions()
	o.Batch = 1 << 13 // years in a minute
	clock := storetest.NewClock()
	clock.Add(time.Since(clock.Now()) - time.Duration(events)*pace)
	o.Now = clock.Now
	st, err := store.Open(path, o)
	if err != nil {
		b.Fatal(err)
	}
	tag := func(i int) plant.Tag { return plant.Tag(fmt.Sprintf("MK-1335-%06d", i)) }
	const group = 1 << 13
	cmds := make([]plant.Command, 0, group)
	for i := range events {
		switch {
		case i < spools:
			cmds = append(cmds, storetest.Bring(tag(i), 6))
		case (i-spools)/spools%2 == 0:
			cmds = append(cmds, storetest.Take("", tag(i%spools), plant.WorkerID(i%50+1)))
		default:
			cmds = append(cmds, storetest.Pause("", tag(i%spools), plant.WorkerID((i-spools)%50+1)))
		}
		if len(cmds) == group || i == events-1 {
			for _, r := range st.DoAll(context.Background(), cmds) {
				if r.Err != nil {
					b.Fatal(r.Err)
				}
			}
			clock.Add(time.Duration(len(cmds)) * pace)
			cmds = cmds[:0]
		}
	}
	if err := st.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkStart opens a small store, BenchmarkStartYears one of many events,
// BenchmarkStartLarge one of many spools.
func BenchmarkStart(b *testing.B)      { benchmarkStart(b, 2500, 2500) }
func BenchmarkStartYears(b *testing.B) { benchmarkStart(b, 2500, 1_000_000) }
func BenchmarkStartLarge(b *testing.B) { benchmarkStart(b, 250_000, 250_000) }

func benchmarkStart(b *testing.B, spools, events int) {
	path := grown(b, spools, events)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Run(fmt.Sprintf("spools=%d/events=%d", spools, events), func(b *testing.B) {
		for range b.N {
			st, err := store.Open(path, yearsOptions())
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			if err := st.Close(); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
		b.ReportMetric(float64(info.Size())/1e6, "MB")
	})
}

// BenchmarkCommit commits one command after the other behind a short and a long
// journal.
func BenchmarkCommit(b *testing.B) {
	for _, events := range []int{2500, 1_000_000} {
		st := open(b, grown(b, 2500, events), yearsOptions())
		b.Run(fmt.Sprintf("events=%d", events), func(b *testing.B) {
			took := make([]time.Duration, 0, b.N)
			b.ResetTimer()
			for i := range b.N {
				began := time.Now()
				must(b, st, storetest.Note("", plant.Tag(fmt.Sprintf("MK-1335-%06d", i%2500)), "x"))
				took = append(took, time.Since(began))
			}
			b.StopTimer()
			slices.Sort(took)
			for _, p := range []int{50, 95, 99} {
				b.ReportMetric(float64(took[len(took)*p/100].Microseconds()), fmt.Sprintf("µs-p%d", p))
			}
		})
	}
}
