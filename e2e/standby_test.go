package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestStandbyTakesOver: a second box follows the first under load, the first
// dies, the second is promoted: everything it confirmed is there once, and every
// command repeated under its key has one effect.
func TestStandbyTakesOver(t *testing.T) {
	data, second := newPlant(t, 40, 0), filepath.Join(t.TempDir(), "second")
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(envivo(t, "token", "new", "--data", data, "--name", "respaldo-1", "--scope", "admin")), 0o600); err != nil {
		t.Fatal(err)
	}
	a := serve(t, data)
	b := serve(t, second, "--standby-of", a.url, "--standby-token", token)
	acked := standbyLoad(t, a, 0, 100)
	confirms(t, b, lastSeq(a)) // the first half; how much of the second is there when the primary dies depends on the machine
	if out, err := run("promote", "--data", second); err == nil || !strings.Contains(out, "the primary answers") {
		t.Errorf("promote while the primary lives = %v\n%s, want it refused", err, out)
	}
	if r := b.post("/api/occupation/tomar", take(spoolTag(40), 150, "ARM")); r.Status != 503 || !strings.Contains(r.text("message"), a.url) {
		t.Errorf("a command to the standby = %d %s, want 503 naming the primary", r.Status, r.Raw)
	}
	for path, want := range map[string]string{"/": "RESPALDO — solo lectura", "/metrics": "envivo_standby 1"} {
		if r := b.get(path); !strings.Contains(r.Raw, want) {
			t.Errorf("%s of the standby does not say %q", path, want)
		}
	}
	acked = append(acked, standbyLoad(t, a, 100, 100)...)
	a.kill()
	confirmed := lastSeq(b)
	if out, err := run("serve", "--data", second, "--addr", "127.0.0.1:0"); err == nil {
		t.Errorf("a standby's folder served as a plant's: %s", out)
	}
	t.Log(strings.TrimSpace(envivo(t, "promote", "--data", second)))
	repeated := 0
	for _, x := range acked {
		r := repeatUntilTaken(t, b, x)
		switch {
		case x.seq <= confirmed && r.num("seq") != x.seq:
			t.Errorf("%s %s was event %d and confirmed by the standby; there it is %d %s", x.kind, x.tag, x.seq, r.num("seq"), r.Raw)
		case x.seq <= confirmed:
			repeated++
		}
	}
	seen := map[string]int{}
	for _, e := range b.events() {
		if kind := e["event_type"].(string); kind == "TOMAR" || kind == "PAUSAR" {
			seen[fmt.Sprint(e["worker_id"])]++
		}
	}
	for worker, n := range seen {
		if n != 20 {
			t.Errorf("worker %s has %d events, want the 20 commands once each", worker, n)
		}
	}
	if len(acked) != 200 || len(seen) != 10 || repeated < 100 {
		t.Errorf("%d commands by %d workers, %d of them confirmed before the end; the test proves too little", len(acked), len(seen), repeated)
	}
	if out, err := run("promote", "--data", second); err == nil {
		t.Errorf("a second promotion = %s, want it refused", out)
	}
	check(t, second)
	t.Logf("%d commands, %d confirmed by the standby when the primary died, none lost or doubled", len(acked), repeated)
}

// standbyLoad has ten workers send n commands and gives the acknowledged ones in
// order by worker.
func standbyLoad(t *testing.T, s *server, from, n int) []acked {
	t.Helper()
	var mu sync.Mutex
	var out []acked
	var wg sync.WaitGroup
	for w := range 10 {
		wg.Go(func() {
			for i := from / 10; i < (from+n)/10; i++ {
				x := acked{key: fmt.Sprintf("s-%d-%d", w, i), tag: spoolTag(1 + w), kind: []string{"tomar", "pausar"}[i%2], worker: 101 + w}
				r, err := s.try("/api/occupation/"+x.kind, take(x.tag, x.worker, "ARM"), "Idempotency-Key", x.key)
				if err != nil || r.Status != 200 {
					t.Errorf("%s %s = %d %s %v", x.kind, x.tag, r.Status, r.Raw, err)
					return
				}
				x.seq = r.num("seq")
				mu.Lock()
				out = append(out, x)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return out
}

func lastSeq(s *server) int {
	return s.get("/api/events?limit=1").num("seq")
}

// confirms waits until a standby has an event of its primary.
func confirms(t *testing.T, standby *server, seq int) {
	t.Helper()
	for deadline := time.After(20 * time.Second); lastSeq(standby) < seq; {
		select {
		case <-deadline:
			t.Fatalf("the standby is at event %d, want %d", lastSeq(standby), seq)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// repeatUntilTaken sends a command under its key until the promoted server
// takes it.
func repeatUntilTaken(t *testing.T, s *server, x acked) reply {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		r, err := s.try("/api/occupation/"+x.kind, take(x.tag, x.worker, "ARM"), "Idempotency-Key", x.key)
		if err == nil && r.Status == 200 {
			return r
		}
		select {
		case <-deadline:
			t.Fatalf("the promoted server does not take %s %s: %d %s %v", x.kind, x.tag, r.Status, r.Raw, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
