package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// all runs n requests at once, released together.
func all(n int, do func(i int) reply) []reply {
	out := make([]reply, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			out[i] = do(i)
		})
	}
	close(start)
	wg.Wait()
	return out
}

func TestOneWinner(t *testing.T) {
	s := serve(t, newPlant(t, 20, 0))
	for round, n := range []int{10, 50, 50, 10, 50, 50, 50, 10} {
		t.Run(fmt.Sprintf("%d simultaneous TOMAR, round %d", n, round), func(t *testing.T) {
			tag := spoolTag(round + 1)
			replies := all(n, func(i int) reply { return s.post("/api/occupation/tomar", take(tag, 101+i, "ARM")) })
			winner := -1
			for i, r := range replies {
				if r.Status == 200 {
					if winner >= 0 {
						t.Fatalf("workers %d and %d both took %s", 101+winner, 101+i, tag)
					}
					winner = i
				}
			}
			if winner < 0 {
				t.Fatalf("nobody took %s; first answer %d %s", tag, replies[0].Status, replies[0].Raw)
			}
			name := fmt.Sprintf("OZ(%d)", 101+winner)
			for i, r := range replies {
				if i == winner {
					continue
				}
				if r.Status != 409 || r.text("error") != "SPOOL_OCCUPIED" || !strings.Contains(r.text("message"), name) {
					t.Errorf("loser %d got %d %s, want 409 SPOOL_OCCUPIED naming %s", 101+i, r.Status, r.Raw, name)
				}
				if d, _ := r.Body["data"].(fields); d["owner_id"] != float64(101+winner) {
					t.Errorf("loser %d got data %v, want owner_id %d", 101+i, d, 101+winner)
				}
			}
			n := 0
			for _, e := range s.events() {
				if e["tag_spool"] == tag && e["event_type"] == "TOMAR" {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d TOMAR events of %s, want 1", n, tag)
			}
		})
	}
}

func TestStrangersNeverPause(t *testing.T) {
	s := serve(t, newPlant(t, 20, 0))
	for round := 1; round <= 10; round++ {
		tag := spoolTag(round)
		s.post("/api/occupation/tomar", take(tag, fitterA, "ARM")).want(t, "TOMAR", 200)
		workers := []int{fitterA, fitterB, 101, 102, 103}
		replies := all(len(workers), func(i int) reply {
			return s.post("/api/occupation/pausar", fields{"tag_spool": tag, "worker_id": workers[i], "worker_nombre": "x"})
		})
		for i, r := range replies {
			want := 403
			if i == 0 {
				want = 200
			}
			if r.Status != want {
				t.Errorf("PAUSAR of %s by %d = %d %s, want %d", tag, workers[i], r.Status, r.Raw, want)
			}
		}
		// The owner's release is history now: a stranger still gets 403.
		s.post("/api/occupation/pausar", fields{"tag_spool": tag, "worker_id": fitterB}).want(t, "PAUSAR by a stranger after the release", 403)
		s.post("/api/occupation/pausar", fields{"tag_spool": tag, "worker_id": fitterA}).want(t, "PAUSAR by the former owner", 400)
	}
}
