package mirror

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"envivo/sheetsync/emulator"
	"envivo/sheetsync/google"
)

// mostIn is the largest number of instants in any window of the length d.
func mostIn(at []time.Time, d time.Duration) (most int, from time.Time) {
	for i, j := 0, 0; i < len(at); i++ {
		for at[i].Sub(at[j]) >= d {
			j++
		}
		if i-j+1 > most {
			most, from = i-j+1, at[j]
		}
	}
	return most, from
}

func TestNoMinuteEverSeesMoreCallsThanTheAllowance(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		perMinute := rapid.IntRange(1, 60).Draw(rt, "allowance")
		now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
		var p pace
		var made []time.Time
		for range rapid.IntRange(1, 120).Draw(rt, "demands") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(rt, "ms later")) * time.Millisecond)
			again := rapid.Bool().Draw(rt, "after a failure")
			p.fill(now, perMinute)
			if rapid.Bool().Draw(rt, "patient") {
				now = now.Add(p.until(now, rapid.IntRange(1, 3).Draw(rt, "wanted"), perMinute, again))
			}
			for range rapid.IntRange(1, 12).Draw(rt, "calls") {
				if p.spend(now, perMinute) {
					made = append(made, now)
				}
				now = now.Add(time.Duration(rapid.IntRange(0, 800).Draw(rt, "takes")) * time.Millisecond)
			}
		}
		if n, from := mostIn(made, time.Minute); n > ceiling(perMinute) {
			rt.Fatalf("%d calls in the minute from %s, want %d at most", n, from.Format(time.TimeOnly), ceiling(perMinute))
		}
	})
}

func TestWhoWaitsAsToldMayCall(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		perMinute := rapid.IntRange(2, 60).Draw(rt, "allowance")
		now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
		var p pace
		for range 60 {
			n := min(rapid.IntRange(1, 2).Draw(rt, "wanted"), ceiling(perMinute))
			p.fill(now, perMinute)
			wait := p.until(now, n, perMinute, rapid.Bool().Draw(rt, "after a failure"))
			if wait > 2*window {
				rt.Fatalf("a wait of %s for %d calls at %d per minute, want no more than two minutes", wait, n, perMinute)
			}
			now = now.Add(wait)
			for k := range n {
				if !p.spend(now, perMinute) {
					rt.Fatalf("call %d of %d was not allowed after the wait of %s", k+1, n, wait)
				}
			}
		}
	})
}

func TestAnEagerCallerGetsMostOfTheAllowanceEvenlySpread(t *testing.T) {
	start := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	now := start
	var p pace
	var made []time.Time
	for now.Before(start.Add(time.Hour)) {
		p.fill(now, 20)
		now = now.Add(p.until(now, 2, 20, false))
		for range 2 {
			if !p.spend(now, 20) {
				t.Fatalf("a call at %s was refused although the pace said it may be made", now.Format(time.TimeOnly))
			}
			made = append(made, now)
		}
	}
	if n := len(made); n < 60*16 || n >= 60*20 {
		t.Errorf("%d calls in an hour at 20 per minute, want from 960 to 1199", n)
	}
	for i := 12; i+2 < len(made); i += 2 {
		if gap := made[i+2].Sub(made[i]); gap > 10*time.Second {
			t.Fatalf("a gap of %s between two pairs of calls, want 10 s at most so that news is not late", gap)
		}
	}
}

func TestBackoffDoublesFromATenthOfASecondToTenWithAQuarterOfJitter(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for n := 1; n <= 40; n++ {
		whole := 10 * time.Second
		if n <= 7 {
			whole = min(whole, 100*time.Millisecond<<(n-1))
		}
		var least, most time.Duration
		for i := range 400 {
			d := backoff(n, r)
			if d < whole*3/4 || d > whole*5/4 {
				t.Fatalf("pause after %d failures = %s, want %s ± 25 %%", n, d, whole)
			}
			if i == 0 {
				least, most = d, d
			}
			least, most = min(least, d), max(most, d)
		}
		if most-least < whole*2/5 {
			t.Errorf("pauses after %d failures differ by %s, want them spread over half of %s", n, most-least, whole)
		}
	}
}

func TestRetryAfterIsRespectedAndNeverShortensThePause(t *testing.T) {
	for _, c := range []struct {
		name   string
		after  time.Duration
		before int // failures before
		least  time.Duration
		most   time.Duration
	}{
		{"no Retry-After", 0, 0, 75 * time.Millisecond, 125 * time.Millisecond},
		{"longer than the pause", 90 * time.Second, 0, 90 * time.Second, 90 * time.Second},
		{"shorter than the pause", time.Second, 20, 7500 * time.Millisecond, 12500 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newOffice(t, sheetOf{spools: 2}, emulator.Options{}, Options{})
			x.m.failures = c.before
			x.m.settle(t.Context(), &google.Error{Class: google.Wait, Op: "values.batchGet", Status: 429, RetryAfter: c.after, Err: errors.New("429 Quota exceeded")})
			got := x.m.rest.Sub(x.clock.Now())
			if got < c.least || got > c.most {
				t.Errorf("the next call is %s away, want from %s to %s", got, c.least, c.most)
			}
			x.m.settle(t.Context(), nil)
			if !x.m.rest.IsZero() || x.m.failures != 0 {
				t.Errorf("after a success the mirror rests until %s with %d failures, want none", x.m.rest, x.m.failures)
			}
		})
	}
}
