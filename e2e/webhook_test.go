package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"envivo/hooks"
)

// TestAReceiverGetsEveryEventOverACrash: signed, in order, and again what was
// not known to have arrived.
func TestAReceiverGetsEveryEventOverACrash(t *testing.T) {
	t.Parallel()
	type delivery struct {
		seq, prev int
		kind      string
	}
	got := make(chan delivery, 1000)
	key := make(chan string, 1)
	secret := sync.OnceValue(func() string { return <-key })
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		at, stampErr := strconv.ParseInt(r.Header.Get("X-Envivo-Timestamp"), 10, 64)
		if err != nil || stampErr != nil || r.Header.Get("X-Envivo-Signature") != hooks.Sign(hooks.KeyOf(secret()), at, body) {
			t.Errorf("a delivery at %q is not signed: %s", r.Header.Get("X-Envivo-Timestamp"), body)
		}
		var e fields
		if err := json.Unmarshal(body, &e); err != nil || e["id"] != r.Header.Get("X-Envivo-Event") {
			t.Errorf("delivery %s under %q: %v", body, r.Header.Get("X-Envivo-Event"), err)
			return
		}
		got <- delivery{int(e["seq"].(float64)), int(e["prev"].(float64)), e["event_type"].(string)}
	}))
	t.Cleanup(receiver.Close)

	data := newPlant(t, 12, 0)
	s := serve(t, data)
	out := envivo(t, "webhook", "new", "--data", data, "--name", "erp", "--url", receiver.URL)
	key <- strings.TrimSpace(out)
	begun := func() bool { return strings.Contains(s.get("/metrics").Raw, `envivo_webhook_behind{webhook="erp"} 0`) }
	for begin := time.Now(); !begun(); {
		if time.Since(begin) > 20*time.Second {
			t.Fatal("the webhook does not begin within 20 s")
		}
	}
	seen, last := map[int]string{}, 0
	follow := func(n int) {
		for len(seen) < n {
			select {
			case d := <-got:
				if seen[d.seq] == "" && d.prev < last {
					t.Errorf("event %d says that %d came before it, %d did", d.seq, d.prev, last)
				}
				seen[d.seq], last = d.kind, max(last, d.seq)
			case <-time.After(30 * time.Second):
				t.Fatalf("%d events arrived, want %d", len(seen), n)
			}
		}
	}
	for i := 1; i <= 6; i++ {
		s.post("/api/occupation/tomar", take(spoolTag(i), fitterA, "ARM")).want(t, "TOMAR", 200)
	}
	follow(6)
	s.kill()
	s = serve(t, data)
	for i := 7; i <= 12; i++ {
		s.post("/api/occupation/tomar", take(spoolTag(i), fitterA, "ARM")).want(t, "TOMAR", 200)
	}
	follow(12)
	for _, e := range s.events() {
		if seq := int(e["seq"].(float64)); e["event_type"] == "TOMAR" && seen[seq] != "TOMAR" {
			t.Errorf("event %d did not arrive", seq)
		}
	}
	if list := envivo(t, "webhook", "list", "--data", data); !strings.Contains(list, "erp") || !strings.Contains(list, "0 set aside") {
		t.Errorf("webhook list = %s, want one with nothing set aside", list)
	}
	envivo(t, "webhook", "remove", "--data", data, "erp")
	if list := envivo(t, "webhook", "list", "--data", data); list != "" {
		t.Errorf("webhook list after the removal = %s, want none", list)
	}
	s.stop()
	check(t, data)
}
