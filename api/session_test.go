package api

import (
	"strconv"
	"testing"
	"time"
)

func TestStrangersCannotFillThePacer(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	p := newPacer(1, func() time.Time { return now })
	for i := range 3 * maxPaced {
		if i%2 == 0 {
			now = now.Add(time.Millisecond)
		}
		if wait := p.admit("10.0.0."+strconv.Itoa(i), 1); wait != 0 {
			t.Fatalf("caller %d waits %v at the first write", i, wait)
		}
	}
	if n := len(p.done); n > maxPaced {
		t.Errorf("%d callers are remembered, want at most %d", n, maxPaced)
	}
}

func TestStrangersCannotFillTheGuard(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	g := newGuard(&Options{Now: func() time.Time { return now }})
	for i := range 3 * maxGuessers {
		if _, wait := g.admit(budget{key: strconv.Itoa(i), most: wrongPINs, volatile: true}); wait != 0 {
			t.Fatalf("guesser %d is locked at the first try", i)
		}
	}
	if n := len(g.seen); n > maxGuessers {
		t.Errorf("%d guessers are remembered, want at most %d", n, maxGuessers)
	}
}
