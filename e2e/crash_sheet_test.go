package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"envivo/sheetsync/emulator"
)

// TestPowerCutWithTheSheet kills the server under load while it exchanges with a
// Sheet that fails in every way. After each kill the store passes every check,
// and every acknowledged command is in the log once, under the number it was
// told. At the end the same holds in the Sheet: each spool's row says what the
// store says, and its log holds each event once, in order.
// ENVIVO_CRASH_ROUNDS makes it longer.
func TestPowerCutWithTheSheet(t *testing.T) {
	t.Parallel()
	rounds := 50
	if n, err := strconv.Atoi(os.Getenv(crashRoundsEnv)); err == nil {
		rounds = n
	}
	const clients = 8
	x := newSheet(t, plantCSV(t, clients*4, 0))
	data := filepath.Join(t.TempDir(), "planta")
	rng := rand.New(rand.NewPCG(20261126, 6))
	s := serve(t, data, x.flags...)
	s.settled() // the first start pulls the plant out of the Sheet
	state := make([]crashClient, clients)
	for i := range state {
		state[i] = crashClient{worker: 101 + i, first: i*4 + 1}
	}
	l := &crashLog{t: t, bySeq: map[int]acked{}}
	began := time.Now()
	for round := range rounds {
		said := x.trouble(rng)
		if got := crashRound(s, state, 10+rng.IntN(50), round); !l.keep(got) {
			t.Fatalf("round %d (%s) told two commands the same number", round, said)
		}
		check(t, data)
		s = serve(t, data, x.flags...)
		l.verify(s, round, round%25 == 0)
	}
	x.e.Calm()
	s.settled()
	x.agrees(data)
	l.verify(s, rounds, true)
	s.stop()
	check(t, data)
	t.Logf("%d rounds of kill -9 in %v with the Sheet attached, %d acknowledged commands, none lost or doubled", rounds, time.Since(began).Round(time.Second), len(l.bySeq))
}

// crashRoundsEnv sets the number of kills of both tests.
const crashRoundsEnv = "ENVIVO_CRASH_ROUNDS"

// trouble makes the Sheet fail in one way, or not at all, and says how.
func (x *sheetBox) trouble(rng *rand.Rand) string {
	x.e.Calm()
	kinds := []struct {
		name  string
		fault emulator.Fault
	}{
		{name: "well"},
		{"calls fail", emulator.Fault{Act: emulator.Fail, When: emulator.API, Chance: 0.4}},
		{"writes done and reported failed", emulator.Fault{Act: emulator.FailAfter, When: emulator.Writes, Chance: 0.5}},
		{"writes done and the line broken", emulator.Fault{Act: emulator.ResetAfter, When: emulator.Writes, Chance: 0.5}},
		{"answers cut", emulator.Fault{Act: emulator.CutAnswer, When: emulator.API, Chance: 0.3}},
		{"quota spent", emulator.Fault{Act: emulator.ExceedQuota, When: emulator.API, Chance: 0.4}},
		{"no internet", emulator.Fault{Act: emulator.ResetBefore}},
	}
	k := kinds[rng.IntN(len(kinds))]
	if k.fault.Act != emulator.Nothing {
		x.e.Inject(k.fault)
	}
	return k.name
}

// crashLog is what the floor was told, by sequence number.
type crashLog struct {
	t     *testing.T
	bySeq map[int]acked
	last  int // the newest event seen at the last start
}

// keep remembers answers and reports whether each has a number of its own.
func (l *crashLog) keep(got []acked) bool {
	for _, a := range got {
		if old, ok := l.bySeq[a.seq]; ok && old.key != a.key {
			return false
		}
		l.bySeq[a.seq] = a
	}
	return true
}

// verify reads the log of a fresh start, all of it or what is new, and holds it
// against what the floor was told.
func (l *crashLog) verify(s *server, round int, whole bool) {
	l.t.Helper()
	after := l.last
	if whole {
		after = 0
	}
	kind := map[string]string{"tomar": "TOMAR", "pausar": "PAUSAR"}
	found := map[int]bool{}
	last := after
	for page := true; page; {
		r := s.get(fmt.Sprintf("/api/events?after=%d&limit=5000", last)).want(l.t, "GET /api/events", 200)
		events, _ := r.Body["events"].([]any)
		for _, e := range events {
			e := e.(fields)
			seq := int(e["seq"].(float64))
			if seq <= last || int(e["prev"].(float64)) != last && last > 0 {
				l.t.Fatalf("round %d: event %d says prev %v after event %d", round, seq, e["prev"], last)
			}
			last = seq
			found[seq] = true
			if a, ok := l.bySeq[seq]; ok && (e["tag_spool"] != a.tag || e["worker_id"] != float64(a.worker) || e["event_type"] != kind[a.kind]) {
				l.t.Fatalf("round %d: acknowledged %s %s by %d (seq %d) is %v in the log", round, a.kind, a.tag, a.worker, a.seq, e)
			}
		}
		page = len(events) > 0
	}
	for seq, a := range l.bySeq {
		if seq > after && !found[seq] {
			l.t.Fatalf("round %d: acknowledged %s %s by %d (seq %d) is not in the log", round, a.kind, a.tag, a.worker, a.seq)
		}
	}
	l.last = last
}
