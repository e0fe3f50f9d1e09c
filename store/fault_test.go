package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"envivo/plant"
	"envivo/store"
	"envivo/store/storetest"
)

// promises runs a few commands and names the first promise of the store that is
// broken; nil when all are kept. It is what the seeded mistakes must fail.
func promises(t *testing.T, f *store.Faults) error {
	t.Helper()
	path, cfg := dbPath(t), storetest.ToyConfig(storetest.Toy{}, storetest.NewClock())
	o := options(cfg)
	o.Faults = f
	st, err := store.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := answered(ctx, st, storetest.Bring("A-1", 2)); err != nil {
		return err
	}
	if err := answered(ctx, st, storetest.Take("k", "A-1", 1)); err != nil {
		return err
	}
	if p, err := st.Pending(10); err != nil || len(p) != 2 {
		return fmt.Errorf("%d events wait for the Sheet, want 2 (%v)", len(p), err)
	}
	if err := answered(ctx, st, storetest.Pause("", "A-1", 1)); err != nil {
		return err
	}
	if r, err := st.Do(ctx, storetest.Take("k", "A-1", 1)); err != nil || !r.Repeated {
		return fmt.Errorf("a key a second time = repeated %v, %v; want the first receipt", r.Repeated, err)
	}
	for events, err := range st.Tail(ctx, 0) {
		if err != nil {
			return err
		}
		if err := storetest.Reached(st.Snapshot(), events[len(events)-1]); err != nil {
			return err
		}
		break
	}
	if err := st.Close(); err != nil {
		return err
	}
	r, err := store.Check(path, store.CheckOptions{Evolve: cfg.Evolve, Rules: cfg.Rules})
	return errors.Join(err, r.Err())
}

// answered carries out a command and looks, the moment it is answered, whether
// the plant shows it.
func answered(ctx context.Context, st *store.Bolt, c plant.Command) error {
	r, err := st.Do(ctx, c)
	if err != nil {
		return fmt.Errorf("%v %s: %w", c.Verb, c.Tag, err)
	}
	return storetest.Reached(st.Snapshot(), r.Event)
}

func TestSoundStoreKeepsItsPromises(t *testing.T) {
	if err := promises(t, &store.Faults{}); err != nil {
		t.Error(err)
	}
}

// TestSeededMistakesAreCaught proves that the checks can fail: each mistake
// breaks a promise. Seams hold the writer where the mistake shows.
func TestSeededMistakesAreCaught(t *testing.T) {
	for name, f := range map[string]*store.Faults{
		"the outbox is skipped":          {SkipOutbox: true},
		"receipts are forgotten":         {ForgetReceipts: true},
		"the chain misses a link":        {DropLink: true},
		"the snapshot is published late": {PublishAfterAnswer: true},
	} {
		t.Run(name, func(t *testing.T) {
			f.At = stall(store.AfterAnswer)
			if err := promises(t, f); err == nil {
				t.Error("nobody noticed")
			}
		})
	}
}

// stall holds the writer at a seam long enough for the caller to look. It waits
// on a timer of its own, not on the test.
func stall(at store.Seam) func(store.Seam) {
	return func(s store.Seam) {
		if s == at {
			<-time.After(20 * time.Millisecond)
		}
	}
}

// TestAnswerBeforeCommitIsCaught: whoever is told yes must find it on disk.
func TestAnswerBeforeCommitIsCaught(t *testing.T) {
	for _, early := range []bool{false, true} {
		var durable atomic.Bool
		o := toyOptions()
		o.Faults = &store.Faults{AnswerBeforeCommit: early, At: stall(store.BeforeCommit), Commit: func(commit func() error) error {
			err := commit()
			durable.Store(true)
			return err
		}}
		st := open(t, dbPath(t), o)
		must(t, st, storetest.Bring("A-1", 0))
		if honest := durable.Load(); honest == early {
			t.Errorf("answer before commit %v: on disk when the caller was told = %v", early, honest)
		}
	}
}

// TestEarlyRefusalIsCaught: whoever is refused because of a neighbour must be
// able to rely on the neighbour being on disk.
func TestEarlyRefusalIsCaught(t *testing.T) {
	for _, early := range []bool{false, true} {
		o := toyOptions()
		arrived, gate := make(chan struct{}), make(chan struct{})
		var durable atomic.Bool
		commits := 0
		o.Faults = &store.Faults{EarlyRefusal: early, Commit: func(commit func() error) error {
			commits++
			if commits == 1 { // while this one is held, the two rivals queue up for one batch
				close(arrived)
				<-gate
			}
			err := commit()
			if commits == 2 {
				durable.Store(true)
			}
			return err
		}, At: stall(store.BeforeCommit)}
		st := open(t, dbPath(t), o)
		done := make(chan error, 2)
		go func() { _, err := st.Do(context.Background(), storetest.Bring("A-1", 0)); done <- err }()
		<-arrived
		go func() { _, err := st.Do(context.Background(), storetest.Take("", "A-1", 1)); done <- err }()
		queued(st, 1)
		told := make(chan bool, 1)
		go func() {
			_, err := st.Do(context.Background(), storetest.Take("", "A-1", 2))
			told <- errors.Is(err, plant.ErrOccupied) && durable.Load()
		}()
		queued(st, 2)
		close(gate)
		if honest := <-told; honest == early {
			t.Errorf("early refusal %v: the neighbour was on disk when the loser was told = %v", early, honest)
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
	}
}

// queued waits until n requests wait for the writer.
func queued(st *store.Bolt, n int) {
	for st.Stats().Queued < n {
		runtime.Gosched()
	}
}

// TestCommitThatFails: not done, and done but reported failed. Either way the
// caller is told that nobody knows, the store stops, and the same key tells
// after the restart.
func TestCommitThatFails(t *testing.T) {
	for name, after := range map[string]bool{"not done": false, "done but reported failed": true} {
		t.Run(name, func(t *testing.T) {
			o := toyOptions()
			var fail atomic.Bool
			o.Faults = &store.Faults{Commit: func(commit func() error) error {
				if !fail.Load() {
					return commit()
				}
				if after {
					if err := commit(); err != nil {
						return err
					}
				}
				return errors.New("input/output error")
			}}
			path := dbPath(t)
			st, err := store.Open(path, o)
			if err != nil {
				t.Fatal(err)
			}
			must(t, st, storetest.Bring("A-1", 0))
			fail.Store(true)
			if _, err := st.Do(context.Background(), storetest.Take("k", "A-1", 1)); !errors.Is(err, plant.ErrUnknownOutcome) {
				t.Errorf("TOMAR on a failing disk = %v, want unknown outcome", err)
			}
			if err := <-st.Failed(); err == nil {
				t.Error("the store did not say that it failed")
			}
			if _, err := st.Do(context.Background(), storetest.Take("k2", "A-1", 1)); !errors.Is(err, plant.ErrBusy) {
				t.Errorf("a command to a store that stopped = %v, want busy", err)
			}
			_ = st.Close() // nothing more to lose
			st = open(t, path, toyOptions())
			r, err := st.Do(context.Background(), storetest.Take("k", "A-1", 1))
			if err != nil || r.Repeated != after {
				t.Errorf("the key after the restart = repeated %v, %v; want repeated %v", r.Repeated, err, after)
			}
			if events, _ := st.Events(context.Background(), 0, 10); len(events) != 2 {
				t.Errorf("%d events, want 2", len(events))
			}
		})
	}
}

// TestFullDiskIsToldAndForgotten: nothing was stored, and the next command works
// once there is room.
func TestFullDiskIsToldAndForgotten(t *testing.T) {
	o := toyOptions()
	var full atomic.Bool
	o.Faults = &store.Faults{Commit: func(commit func() error) error {
		if full.Load() {
			return &os.PathError{Op: "write", Path: "plant.db", Err: syscall.ENOSPC}
		}
		return commit()
	}}
	st := open(t, dbPath(t), o)
	must(t, st, storetest.Bring("A-1", 0))
	full.Store(true)
	_, err := st.Do(context.Background(), storetest.Take("k", "A-1", 1))
	var no *plant.Error
	if !errors.As(err, &no) || no.Code != plant.CodeFull {
		t.Errorf("TOMAR on a full disk = %v, want the disk to be called full", err)
	}
	if sp, _ := st.Snapshot().Spool("A-1"); !sp.Hold.Free() {
		t.Error("a refused command shows in the snapshot")
	}
	full.Store(false)
	must(t, st, storetest.Take("k", "A-1", 1))
}
