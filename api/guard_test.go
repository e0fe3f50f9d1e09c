package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"envivo/api"
	"envivo/plant"
)

// guess tries a PIN from an address, with headers as pairs.
func (b *box) guess(addr, pin string, header ...string) reply {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, "/api/supervisor/session", strings.NewReader(`{"pin":"`+pin+`"}`))
	r.RemoteAddr = addr + ":4711"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.answer(r)
}

// restarted is another server on the same store.
func (b *box) restarted() *box {
	b.t.Helper()
	var err error
	other := *b
	if other.api, err = api.New(b.options); err != nil {
		b.t.Fatalf("start again: %v", err)
	}
	return &other
}

// exhaust guesses wrongly until the lock.
func (b *box) exhaust(addr string, header ...string) {
	b.t.Helper()
	for range 4 {
		b.guess(addr, "0000", header...).want(b.t, "a wrong PIN of "+addr, 403)
	}
	b.guess(addr, "0000", header...).want(b.t, "the fifth wrong PIN of "+addr, 429, "DEMASIADOS_INTENTOS")
}

func TestLocksOutliveARestartAndGrow(t *testing.T) {
	b := newBox(t)
	b.pin("2468")
	for _, minutes := range []int{1, 5, 15, 60, 60} {
		before := b.seq()
		b.exhaust("10.0.0.7")
		if n := b.seq() - before; n != 1 {
			t.Errorf("a lock wrote %d events, want one", n)
		}
		b = b.restarted()
		b.clock.Add(time.Duration(minutes)*time.Minute - 2*time.Second)
		b.guess("10.0.0.7", "2468").want(t, fmt.Sprintf("the right PIN just before %d minutes are over", minutes), 429)
		b.clock.Add(3 * time.Second)
	}
	b.guess("10.0.0.7", "2468").want(t, "the right PIN after the lock", 200)
	b.exhaust("10.0.0.7")
	b.clock.Add(time.Minute)
	b.guess("10.0.0.7", "2468").want(t, "the right PIN a minute after the first lock since", 200)
	b.exhaust("10.0.0.7")
	b.clock.Add(-48 * time.Hour)
	b = b.restarted()
	if s := b.guess("10.0.0.7", "2468").want(t, "with the clock set back", 429).Header.Get("Retry-After"); s != "61" {
		t.Errorf("with the clock set back two days the lock lasts %s s, want 61", s)
	}
}

func TestThePageSaysHowLongTheLockLasts(t *testing.T) {
	b := newBox(t)
	b.pin("2468")
	for _, want := range []string{"Espera 1 minuto o", "Espera 5 minutos o"} {
		b.exhaust("192.0.2.1")
		p := b.send(http.MethodPost, "/entrar", "pin=2468", "Content-Type", "application/x-www-form-urlencoded")
		if p.Status != 403 || !strings.Contains(p.Raw, want) {
			t.Errorf("the page says %d %.3000s, want %q", p.Status, p.Raw, want)
		}
		b.clock.Add(5 * time.Minute)
	}
}

// TestAddressesShareTheirTries: who changes address runs into the limit of all
// strangers; the supervisor's usual place is not among them.
func TestAddressesShareTheirTries(t *testing.T) {
	b := newBox(t)
	b.pin("2468")
	b.guess("10.0.0.7", "2468").want(t, "the supervisor", 200)
	for i := range 20 {
		r := b.guess(fmt.Sprintf("10.0.1.%d", i), "0000")
		if i < 19 && r.Status != 403 || i == 19 && r.Status != 429 {
			t.Fatalf("wrong PIN %d, each from another address = %d %s", i+1, r.Status, r.Raw)
		}
	}
	b = b.restarted()
	b.guess("10.0.2.1", "2468").want(t, "the right PIN from one more address", 429)
	b.guess("10.0.0.7", "2468").want(t, "the supervisor meanwhile", 200)
	b.guess("2001:db8::1", "0000").want(t, "an address of another kind", 429)
	b.clock.Add(time.Minute + time.Second)
	b.guess("10.0.2.1", "2468").want(t, "the right PIN from that address a minute later", 200)
}

func TestStrangersDoNotLockTokensOut(t *testing.T) {
	b := newBox(t, enrolled)
	b.pin("2468")
	act := []string{"Authorization", "Bearer " + b.token("act")}
	for i := range 20 {
		b.guess(fmt.Sprintf("10.0.1.%d", i), "0000")
	}
	b.guess("10.0.1.99", "2468").want(t, "a stranger", 429)
	b.guess("10.0.1.99", "2468", act...).want(t, "who is known, from the same address", 200)
}

func TestParallelGuessesDoNotOutrunTheCount(t *testing.T) {
	b := newBox(t)
	b.pin("2468")
	var mu sync.Mutex
	got := map[int]int{}
	var all sync.WaitGroup
	for range 24 {
		all.Go(func() {
			r := b.guess("10.0.0.7", "0000")
			mu.Lock()
			defer mu.Unlock()
			got[r.Status]++
		})
	}
	all.Wait()
	if got[403]+got[429] != 24 || got[403] > 5 {
		t.Errorf("24 wrong PINs at once are answered %v, want five looked at and the rest 429", got)
	}
	b.guess("10.0.0.7", "2468").want(t, "the right PIN afterwards", 429)
}

func TestALockCanBeLiftedAtTheTerminal(t *testing.T) {
	b := newBox(t)
	b.pin("2468")
	b.exhaust("10.0.0.7")
	keys := b.store.Snapshot().Settings(api.SettingLock)
	if len(keys) != 1 {
		t.Fatalf("locks on record = %v, want one", keys)
	}
	b.setting(plant.Setting{Key: keys[0]})
	b.guess("10.0.0.7", "2468").want(t, "the right PIN after the lock was lifted", 200)
}

func TestOldLocksAreClearedAway(t *testing.T) {
	b := newBox(t)
	b.pin("2468")
	b.exhaust("10.0.0.7")
	b.clock.Add(100 * 24 * time.Hour)
	b.exhaust("10.0.0.8")
	if keys := b.store.Snapshot().Settings(api.SettingLock); len(keys) != 1 || !strings.HasSuffix(keys[0], "10.0.0.8") {
		t.Errorf("locks on record = %v, want the new one alone", keys)
	}
}
