package store_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"envivo/plant"
	"envivo/store"
	"envivo/store/storetest"
)

// decadeEnv is how many events BenchmarkDecade works with; ten million are ten years.
const decadeEnv = "ENVIVO_DECADE"

// BenchmarkDecade grows a journal and asks of it what a plant does every day: a
// start, one command after the other, a page of the log from anywhere in it, a
// spool's history, check, and writing the file anew while commands go on. Run it
// with -benchtime 1x.
func BenchmarkDecade(b *testing.B) {
	events := 50_000
	if n, err := strconv.Atoi(os.Getenv(decadeEnv)); err == nil {
		events = n
	}
	began := time.Now()
	path := grown(b, 2500, events)
	b.Logf("%d events: %.0f MB, written in %v", events, megabytes(b, path), time.Since(began).Round(time.Second))
	b.ResetTimer()
	o := yearsOptions()
	for range b.N {
		var starts, commits, pages, histories []time.Duration
		for range 5 {
			starts = append(starts, timed(func() { must0(b, open(b, path, o).Close()) }))
		}
		st := open(b, path, o)
		for i := range 2000 {
			commits = append(commits, timed(func() { must(b, st, storetest.Note("", decadeTag(i), "x")) }))
		}
		rnd := rand.New(rand.NewPCG(1, 1))
		for range 500 {
			after := plant.Seq(rnd.IntN(events))
			pages = append(pages, timed(func() {
				got, err := st.Events(b.Context(), after, 100)
				if must0(b, err); len(got) == 0 {
					b.Fatalf("no events after %d", after)
				}
			}))
			histories = append(histories, timed(func() {
				_, err := st.History(b.Context(), decadeTag(rnd.IntN(2500)), 0, 100)
				must0(b, err)
			}))
		}
		b.Logf("start and close: %s", spread(starts))
		b.Logf("one command after the other: %s", spread(commits))
		b.Logf("a page of 100 events from anywhere: %s", spread(pages))
		b.Logf("the last 100 events of a spool: %s", spread(histories))
		compactServing(b, st)
		must0(b, st.Close())
		b.Logf("the file written anew: %.0f MB", megabytes(b, path))
		b.Logf("check: %v", timed(func() {
			r, err := store.Check(path, store.CheckOptions{Evolve: o.Evolve, Rules: o.Rules})
			if must0(b, err); r.Violation != nil {
				b.Fatalf("check: %v", r.Violation)
			}
		}).Round(time.Millisecond))
	}
}

// compactServing writes the file anew while one command follows the other.
func compactServing(b *testing.B, st *store.Bolt) {
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- st.Compact(b.Context()) }()
	var commits []time.Duration
	for i := 0; ; i++ {
		select {
		case err := <-done:
			must0(b, err)
			b.Logf("written anew while serving in %v; meanwhile one command after the other: %s", time.Since(began).Round(time.Millisecond), spread(commits))
			return
		default:
			commits = append(commits, timed(func() { must(b, st, storetest.Note("", decadeTag(i), "y")) }))
		}
	}
}

func decadeTag(i int) plant.Tag { return plant.Tag(fmt.Sprintf("MK-1335-%06d", i%2500)) }

func timed(do func()) time.Duration {
	began := time.Now()
	do()
	return time.Since(began)
}

func must0(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func megabytes(b *testing.B, path string) float64 {
	info, err := os.Stat(path)
	must0(b, err)
	return float64(info.Size()) / 1e6
}

func spread(took []time.Duration) string {
	slices.Sort(took)
	at := func(p int) time.Duration { return took[(len(took)-1)*p/100].Round(time.Microsecond) }
	return fmt.Sprintf("p50 %v, p95 %v, p99 %v, max %v, n %d", at(50), at(95), at(99), at(100), len(took))
}
