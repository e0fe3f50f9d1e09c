package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAnOldPrimaryAsksBeforeItTakesCommands: switched on again with its data, it
// once took commands for up to two seconds until the promoted standby had noticed.
// Here that one cannot even tell it to stop, for want of a token: the old one asks,
// and no command is taken.
func TestAnOldPrimaryAsksBeforeItTakesCommands(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	if r := p.take(p.first, 1); r.Status != 200 {
		t.Fatalf("TOMAR at the primary = %d %s", r.Status, r.Raw)
	}
	p.until("the standby follows", p.second.url+"/spools/"+spoolTag(1), "Ana")
	note := filepath.Join(p.data, "respaldos.json")
	known(t, note, p.second.url)
	// A restart beside a standby that follows: it is asked, and says no.
	p.first.stop()
	p.first = p.serve(p.data, p.host, "--tls", "auto")
	p.taken(2)
	p.until("the standby follows again", p.second.url+"/api/spools/"+spoolTag(2), `"ocupado_por":"A`)
	p.first.kill()
	if err := os.Remove(p.tokenFile); err != nil {
		t.Fatal(err)
	}
	envivo(t, "promote", "--data", p.other)
	p.until("promoted", p.second.url+"/metrics", "envivo_standby 0")
	p.first = p.serve(p.data, p.host, "--tls", "auto")
	before := 0
	for deadline := time.After(20 * time.Second); ; {
		r := p.take(p.first, 3)
		if r.Status == 200 {
			t.Fatalf("the old primary takes a command: %s", r.Raw)
		}
		if strings.Contains(r.Raw, "RESPALDO_SOLO_LECTURA") && strings.Contains(r.Raw, p.second.url) {
			break
		}
		before++
		select {
		case <-deadline:
			t.Fatalf("the old primary does not find out: %d %s", r.Status, r.Raw)
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Logf("%d commands were refused before it knew", before)
	if r := p.take(p.second, 3); r.Status != 200 {
		t.Errorf("TOMAR at the promoted one = %d %s", r.Status, r.Raw)
	}
	check(t, p.data)
}

// taken repeats a TOMAR at the first box until it is taken.
func (p *pair) taken(n int) {
	p.t.Helper()
	for deadline := time.After(20 * time.Second); ; {
		r := p.take(p.first, n)
		if r.Status == 200 {
			return
		}
		select {
		case <-deadline:
			p.t.Fatalf("TOMAR at the primary = %d %s", r.Status, r.Raw)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// known waits until a primary has noted where its standby answers.
func known(t *testing.T, note, address string) {
	t.Helper()
	for deadline := time.After(20 * time.Second); ; {
		text, err := os.ReadFile(note)
		if err == nil && strings.Contains(string(text), address) {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("the primary notes %s of its standby (%v), want %s", text, err, address)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// TestAStandbyThatDoesNotAnswerDelaysCommandsOnly: pages are there at once, commands
// are refused in clear words, and taken when two seconds have passed; what answers
// without the plant's history is not believed.
func TestAStandbyThatDoesNotAnswerDelaysCommandsOnly(t *testing.T) {
	t.Parallel()
	data := newPlant(t, 12, 0)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	liar := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"address":"http://127.0.0.1:9","proof":"00","promovido":true}`)
	})}
	lies, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = liar.Serve(lies) }() // until it is closed
	defer liar.Close()
	note, err := json.Marshal(map[string]any{
		"callado":   map[string]any{"address": "http://" + silent.Addr().String(), "seq": 3, "at": time.Now()},
		"mentiroso": map[string]any{"address": "http://" + lies.Addr().String(), "seq": 3, "at": time.Now()},
		"viejo":     map[string]any{"address": "http://192.0.2.1:9", "seq": 3, "at": time.Now().AddDate(0, -2, 0)},
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, data, "respaldos.json", string(note))
	s := whileItAsks(t, data)
	for deadline := time.After(20 * time.Second); ; {
		if r := s.post("/api/occupation/tomar", take(spoolTag(12), fitterA, "ARM")); r.Status == 200 {
			break
		}
		select {
		case <-deadline:
			t.Fatalf("it takes no commands: %s", s.get("/readyz").Raw)
		case <-time.After(20 * time.Millisecond):
		}
	}
	if r := s.get("/readyz"); !strings.HasPrefix(r.Raw, "ok") {
		t.Errorf("/readyz afterwards = %s", r.Raw)
	}
}

// whileItAsks starts the server and looks at it before the two seconds are over,
// again where this machine was too slow for that.
func whileItAsks(t *testing.T, data string) *server {
	t.Helper()
	for n := range 8 {
		began := time.Now()
		s := serve(t, data)
		order, page, ready := s.post("/api/occupation/tomar", take(spoolTag(1+n), fitterA, "ARM")), s.get("/spools"), s.get("/readyz")
		if time.Since(began) > 1500*time.Millisecond {
			s.stop()
			continue
		}
		if order.Status != 503 || !strings.Contains(order.text("message"), "pregunta a su respaldo") || order.text("error") != "RESPALDO_SOLO_LECTURA" {
			t.Errorf("a command while it asks = %d %s, want 503 and why", order.Status, order.Raw)
		}
		if page.Status != 200 {
			t.Errorf("a page while it asks = %d", page.Status)
		}
		if ready.Status != 503 || !strings.Contains(ready.Raw, "pregunta a su respaldo") {
			t.Errorf("/readyz while it asks = %d %s", ready.Status, ready.Raw)
		}
		return s
	}
	t.Fatal("this machine is too slow to look at a server in its first two seconds")
	return nil
}
