package api

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestStrangersCannotFillTheMemory(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	s := newSessions(func() time.Time { return now }, strings.NewReader(""))
	for i := range 3 * maxGuessers {
		if _, wait := s.admit("10.0.0." + strconv.Itoa(i)); wait != 0 {
			t.Fatalf("guesser %d is locked at the first try", i)
		}
	}
	if n := len(s.guesses); n > maxGuessers {
		t.Errorf("%d guessers are remembered, want at most %d", n, maxGuessers)
	}
}

func TestLockHoldsWhileOthersGuess(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	s := newSessions(func() time.Time { return now }, strings.NewReader(""))
	for i := range wrongPINs {
		if left, wait := s.admit("tablet"); left != wrongPINs-1-i || wait != 0 {
			t.Errorf("try %d leaves %d and waits %v, want %d and none", i+1, left, wait, wrongPINs-1-i)
		}
	}
	now = now.Add(20 * time.Second)
	if _, wait := s.admit("tablet"); wait != lockFor-20*time.Second {
		t.Errorf("after 20 s the lock lasts %v, want 40 s", wait)
	}
	if _, wait := s.admit("another tablet"); wait != 0 {
		t.Errorf("another tablet waits %v, want none", wait)
	}
}

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
