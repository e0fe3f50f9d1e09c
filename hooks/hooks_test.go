package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"envivo/fsm"
	"envivo/plant"
	"envivo/store"
	"envivo/store/storetest"
)

// bench is a store, a receiver whose answers a test sets, and a sender whose
// waits take no time.
type bench struct {
	t     *testing.T
	store *store.Bolt
	clock *storetest.Clock
	hook  Hook
	stop  func()

	mu     sync.Mutex
	got    []string // tags in the order of arrival
	seqs   []string // "prev>seq"
	refuse func(tag string, nth int) int
	tries  map[string]int
	waits  []time.Duration
	news   chan struct{}
}

func newBench(t *testing.T, refuse func(tag string, nth int) int) *bench {
	t.Helper()
	b := &bench{t: t, clock: storetest.NewClock(), refuse: refuse, tries: map[string]int{}, news: make(chan struct{}, 1000)}
	rules := plant.DefaultRules()
	engine := fsm.New(rules)
	var err error
	b.store, err = store.Open(filepath.Join(t.TempDir(), "plant.db"), store.Options{Decide: engine.Decide, Evolve: fsm.Evolve, Rules: rules,
		Now: b.clock.Now, NewUUID: storetest.UUIDs(), Env: "prueba", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		b.stop()
		if err := b.store.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	b.stop = func() {}
	_, s, err := New(Hook{Name: "erp", URL: "http://erp.local/x", All: true}, strings.NewReader(strings.Repeat("k", 64)))
	if err != nil {
		t.Fatalf("make a hook: %v", err)
	}
	b.set(s)
	if b.hook, err = Parse(s); err != nil {
		t.Fatalf("parse the hook: %v", err)
	}
	return b
}

func (b *bench) set(s plant.Setting) {
	b.t.Helper()
	if _, err := b.store.Do(context.Background(), plant.Command{Verb: plant.Ajustar, Supervisor: true, Setting: &s}); err != nil {
		b.t.Fatalf("store %s: %v", s.Key, err)
	}
}

// happen commits an event for each tag.
func (b *bench) happen(tags ...string) {
	b.t.Helper()
	for _, tag := range tags {
		sp := plant.Spool{Tag: plant.Tag(tag), Version: 1}
		if _, err := b.store.Do(context.Background(), plant.Command{Verb: plant.Importar, Tag: sp.Tag, Import: &plant.Import{Spool: &sp}}); err != nil {
			b.t.Fatalf("import %s: %v", tag, err)
		}
	}
}

// run starts a sender; stop ends it.
func (b *bench) run() *Sender {
	ctx, cancel := context.WithCancel(context.Background())
	s := NewSender(Options{Source: b.store, Now: b.clock.Now, Log: slog.New(slog.DiscardHandler), Send: b.receive, Wait: b.wait,
		Encode: func(e plant.Event) []byte { return fmt.Appendf(nil, "%d>%d %s", e.Prev, e.Seq, e.Tag) }})
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	b.stop = func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Errorf("Run = %v", err)
		}
		b.stop = func() {}
	}
	return s
}

// wait notes pauses between tries; looks for news last a real moment.
func (b *bench) wait(ctx context.Context, d time.Duration) error {
	if d == look {
		d = time.Millisecond
	} else {
		b.mu.Lock()
		b.waits = append(b.waits, d)
		b.mu.Unlock()
		d = 0
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// receive is the receiver: it proves the signature and answers what refuse says.
func (b *bench) receive(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	at, err := strconv.ParseInt(r.Header.Get("X-Envivo-Timestamp"), 10, 64)
	if got := r.Header.Get("X-Envivo-Signature"); err != nil || got != Sign(b.hook.Key, at, body) || r.Header.Get("X-Envivo-Event") == "" || at != b.clock.Now().Unix() {
		b.t.Errorf("signature %q at %d of %s is not the hook's", got, at, body)
	}
	order, tag, _ := strings.Cut(string(body), " ")
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tries[tag]++
	status := 204
	if b.refuse != nil {
		status = b.refuse(tag, b.tries[tag])
	}
	switch {
	case status == 0:
		return nil, errors.New("no route to host")
	case status < 300:
		b.got, b.seqs = append(b.got, tag), append(b.seqs, order)
		b.news <- struct{}{}
	}
	return &http.Response{StatusCode: status, Status: strconv.Itoa(status), Body: http.NoBody}, nil
}

// arrived waits for so many events and gives all tags in order.
func (b *bench) arrived(n int) []string {
	for range n {
		<-b.news
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got)
}

func TestEveryEventIsSentInOrderAndSettingsNever(t *testing.T) {
	b := newBench(t, nil)
	b.happen("A", "B")
	b.set(plant.Setting{Key: "token/x", Value: "secret"})
	b.happen("C")
	b.run()
	if got := b.arrived(3); !slices.Equal(got, []string{"A", "B", "C"}) {
		t.Errorf("sent %v, want A B C", got)
	}
	b.happen("D")
	b.arrived(1)
	if got := strings.Join(b.seqs, " "); got != "0>2 2>3 3>5 5>7" { // 1 and 4 are settings, 6 is the hook's place
		t.Errorf("prev and seq = %s, want each event to name the one before it", got)
	}
}

func TestARestartGoesOnWhereItWas(t *testing.T) {
	b := newBench(t, nil)
	b.happen("A", "B")
	b.run()
	b.arrived(2)
	b.stop()
	b.happen("C")
	b.run()
	if got := b.arrived(1); !slices.Equal(got, []string{"A", "B", "C"}) {
		t.Errorf("sent %v over a restart, want each once", got)
	}
}

func TestAReceiverThatIsDownMissesNothing(t *testing.T) {
	b := newBench(t, func(tag string, nth int) int {
		return map[bool]int{true: []int{0, 500, 503, 429, 408}[nth%5], false: 200}[tag == "A" && nth < 12]
	})
	b.happen("A", "B")
	s := b.run()
	if got := b.arrived(2); !slices.Equal(got, []string{"A", "B"}) {
		t.Errorf("sent %v, want A B", got)
	}
	if got := b.waits; len(got) != 11 || got[0] != time.Second || got[1] != 2*time.Second || got[10] != lastPause {
		t.Errorf("waited %v, want 1 s doubled up to 5 min", got)
	}
	if dead := Dead(b.store.Snapshot(), b.hook.ID); len(dead) > 0 {
		t.Errorf("%v are set aside, want none: the receiver was only down", dead)
	}
	b.happen("C")
	b.arrived(1)
	if st := s.States()[b.hook.ID]; st.Trouble != "" || st.Sent < 2 {
		t.Errorf("state = %+v, want it to be well again", st)
	}
}

func TestARefusedEventIsSetAsideAndCanBeSentAgain(t *testing.T) {
	willing := false
	b := newBench(t, func(tag string, _ int) int {
		if tag == "A" && !willing {
			return 400
		}
		return 200
	})
	b.happen("A", "B")
	b.run()
	if got := b.arrived(1); !slices.Equal(got, []string{"B"}) || b.tries["A"] != tries {
		t.Errorf("sent %v after %d tries of A, want B after %d", got, b.tries["A"], tries)
	}
	dead := Dead(b.store.Snapshot(), b.hook.ID)
	if len(dead) != 1 || dead[0] != 2 {
		t.Fatalf("set aside %v, want the event 2", dead)
	}
	key := deadKey(b.hook.ID, 2)
	if why := b.store.Snapshot().Setting(key); !strings.Contains(why, "400") {
		t.Errorf("set aside for %s, want the answer", why)
	}
	b.mu.Lock()
	willing = true
	b.mu.Unlock()
	again, err := Again(map[string]string{key: b.store.Snapshot().Setting(key), "token/x": "y"}, b.hook.ID)
	if err != nil || len(again) != 1 {
		t.Fatalf("Again = %v, %v", again, err)
	}
	b.set(again[0])
	if got := b.arrived(1); !slices.Equal(got, []string{"B", "A"}) {
		t.Errorf("sent %v, want A at last", got)
	}
	b.stop()
	if dead := Dead(b.store.Snapshot(), b.hook.ID); len(dead) != 0 {
		t.Errorf("%v are still set aside", dead)
	}
}

func TestARemovedHookIsSilentAndLeavesNothing(t *testing.T) {
	b := newBench(t, nil)
	b.happen("A")
	s := b.run()
	b.arrived(1)
	for _, x := range Remove(b.store.Snapshot().Settings(""), b.hook.ID) {
		b.set(x)
	}
	for len(s.States()) > 0 {
		if err := b.wait(t.Context(), look); err != nil {
			t.Fatal(err)
		}
	}
	b.happen("B")
	b.stop()
	if len(b.got) != 1 {
		t.Errorf("sent %v, want A only", b.got)
	}
	for _, prefix := range Prefixes() {
		if left := b.store.Snapshot().Settings(prefix); len(left) > 0 {
			t.Errorf("%v are left of a removed hook", left)
		}
	}
}

func TestHooksAreChecked(t *testing.T) {
	for _, h := range []Hook{{Name: " ", URL: "https://a.cl"}, {Name: "x", URL: "ftp://a.cl"}, {Name: "x", URL: "https://"}, {Name: "x", URL: "https://u:p@a.cl"}, {Name: "x", URL: ":"}} {
		if _, _, err := New(h, strings.NewReader(strings.Repeat("k", 64))); err == nil {
			t.Errorf("New(%+v) makes a hook, want an error", h)
		}
	}
	secret, s, err := New(Hook{Name: "x", URL: "https://a.cl"}, strings.NewReader(strings.Repeat("k", 64)))
	if err != nil || strings.Contains(s.Value, secret) || !strings.Contains(s.Value, KeyOf(secret)) {
		t.Errorf("setting = %s (%v), want the key and not the secret %s", s.Value, err, secret)
	}
	if _, _, err := New(Hook{Name: "x", URL: "https://a.cl"}, strings.NewReader("k")); err == nil {
		t.Error("a hook is made without enough random bytes")
	}
	if got := Sign("k", 7, []byte("b")); got == Sign("k", 8, []byte("b")) || got == Sign("k", 7, []byte("c")) || got == Sign("l", 7, []byte("b")) {
		t.Error("a signature does not depend on key, time and body")
	}
}
