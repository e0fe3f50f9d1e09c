package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// diary notes what happened in which order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(s string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, s)
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

func (d *diary) step(name string, takes time.Duration, err error) step {
	return step{name, 10 * time.Second, func(ctx context.Context) error {
		d.note("begin " + name)
		<-time.After(takes) // the bubble's clock
		d.note("end " + name)
		return err
	}}
}

func TestStagesEndBeforeTheNextBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		begin := time.Now()
		err := stopInOrder(slog.New(slog.DiscardHandler),
			stage{d.step("sockets", 3*time.Second, nil), d.step("http", 5*time.Second, nil)},
			stage{d.step("store", 2*time.Second, nil)})
		if err != nil {
			t.Fatalf("stopInOrder = %v, want nil", err)
		}
		if took := time.Since(begin); took != 7*time.Second {
			t.Errorf("the stop took %v, want 7s: the steps of a stage run side by side", took)
		}
		got := d.read()
		slices.Sort(got[:2]) // which of the two begins first is open
		want := []string{"begin http", "begin sockets", "end sockets", "end http", "begin store", "end store"}
		if !slices.Equal(got, want) {
			t.Errorf("order = %v, want %v", got, want)
		}
	})
}

func TestAFailingStepDoesNotStopTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		boom := errors.New("boom")
		err := stopInOrder(slog.New(slog.DiscardHandler), stage{d.step("http", 0, boom)}, stage{d.step("store", 0, nil)})
		if !errors.Is(err, boom) || !strings.Contains(err.Error(), "http") {
			t.Errorf("stopInOrder = %v, want boom of http", err)
		}
		if !slices.Contains(d.read(), "end store") {
			t.Errorf("the store was not closed after http failed: %v", d.read())
		}
	})
}

func TestAHangingStepIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		err := stopInOrder(slog.New(slog.DiscardHandler), stage{d.step("sockets", time.Minute, nil)}, stage{d.step("store", 0, nil)})
		if err == nil || !strings.Contains(err.Error(), "sockets: not done within 10s") {
			t.Errorf("stopInOrder = %v, want a complaint about the sockets", err)
		}
		if !slices.Contains(d.read(), "end store") {
			t.Errorf("the store was not closed while the sockets hung: %v", d.read())
		}
		<-time.After(time.Minute) // the bubble's clock: what was left behind ends, too
	})
}
