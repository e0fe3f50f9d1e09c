package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// acked is one command the server answered with 200.
type acked struct {
	key, tag, kind string
	worker         int
	seq            int
}

// TestPowerCut kills the server at random instants under load. After each
// start: the store passes every check, every acknowledged command is in the
// log exactly once with the sequence number it was told, and a repeated key
// gets the first answer again.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	rounds := 50
	if n, err := strconv.Atoi(os.Getenv(crashRoundsEnv)); err == nil {
		rounds = n
	}
	const clients = 12
	data := newPlant(t, clients*4, 0)
	rng := rand.New(rand.NewPCG(20261124, 7))
	var known []acked
	state := make([]crashClient, clients)
	for i := range state {
		state[i] = crashClient{worker: 101 + i, first: i*4 + 1}
	}
	for round := range rounds {
		s := serve(t, data)
		limit := 20 + rng.IntN(400)
		known = append(known, crashRound(s, state, limit, round)...)
		if round%10 == 0 {
			check(t, data)
		}
		verifyLog(t, data, known, round)
	}
	check(t, data)
	t.Logf("%d rounds of kill -9, %d acknowledged commands, none lost or doubled", rounds, len(known))
}

// crashClient is a worker with four spools of its own; taken is what it
// believes after the last answer it is sure of.
type crashClient struct {
	worker, first, n int
	pending          *acked // sent, outcome unknown
}

// crashRound works until limit answers have come in, then pulls the plug.
func crashRound(s *server, clients []crashClient, limit, round int) []acked {
	var mu sync.Mutex
	var got []acked
	enough := make(chan struct{})
	var wg sync.WaitGroup
	for i := range clients {
		c := &clients[i]
		wg.Go(func() {
			for {
				a := c.next(round)
				body := take(a.tag, c.worker, "ARM")
				r, err := s.try("/api/occupation/"+a.kind, body, "Idempotency-Key", a.key)
				if err != nil {
					c.pending = &a
					return
				}
				c.pending = nil
				if r.Status != 200 {
					s.t.Errorf("%s %s by %d = %d %s, want 200", a.kind, a.tag, c.worker, r.Status, r.Raw)
					return
				}
				c.n++
				a.seq = r.num("seq")
				mu.Lock()
				got = append(got, a)
				if len(got) == limit {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(20 * time.Second):
		s.t.Errorf("round %d: the server answered %d of %d commands within 20 s", round, len(got), limit)
	}
	s.kill()
	wg.Wait()
	return got
}

// next is the command after the last sure one; one whose outcome is unknown is
// sent again under its key.
func (c *crashClient) next(round int) acked {
	if c.pending != nil {
		return *c.pending
	}
	kind := "tomar"
	if c.n%2 == 1 {
		kind = "pausar"
	}
	return acked{key: fmt.Sprintf("crash-%d-%d-%d", c.worker, round, c.n), tag: spoolTag(c.first + c.n/2%4), kind: kind, worker: c.worker}
}

func verifyLog(t *testing.T, data string, known []acked, round int) {
	t.Helper()
	s := serve(t, data)
	defer s.kill()
	bySeq := map[int]fields{}
	prev := 0
	for _, e := range s.events() {
		seq := int(e["seq"].(float64))
		if int(e["prev"].(float64)) != prev {
			t.Fatalf("round %d: event %d says prev %v, want %d", round, seq, e["prev"], prev)
		}
		prev = seq
		bySeq[seq] = e
	}
	seen := map[int]bool{}
	for _, a := range known {
		e, ok := bySeq[a.seq]
		if !ok || e["tag_spool"] != a.tag || e["worker_id"] != float64(a.worker) || e["event_type"] != map[string]string{"tomar": "TOMAR", "pausar": "PAUSAR"}[a.kind] {
			t.Fatalf("round %d: acknowledged %s %s by %d (seq %d) is %v in the log", round, a.kind, a.tag, a.worker, a.seq, e)
		}
		if seen[a.seq] {
			t.Fatalf("round %d: two acknowledged commands share seq %d", round, a.seq)
		}
		seen[a.seq] = true
	}
	if len(known) > 0 {
		a := known[len(known)-1]
		r := s.post("/api/occupation/"+a.kind, take(a.tag, a.worker, "ARM"), "Idempotency-Key", a.key)
		if r.Status != 200 || r.num("seq") != a.seq {
			t.Fatalf("round %d: the key of an acknowledged %s repeated after the restart = %d %s, want 200 with seq %d", round, a.kind, r.Status, r.Raw, a.seq)
		}
	}
}
