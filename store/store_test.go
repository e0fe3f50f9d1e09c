package store_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"envivo/plant"
	"envivo/store"
	"envivo/store/storetest"
)

// options are for a store that runs the toy.
func options(c storetest.Config) store.Options {
	return store.Options{
		Decide: c.Decide, Evolve: c.Evolve, Rules: c.Rules, Now: c.Now, NewUUID: c.NewUUID, Queue: c.Queue,
		Env: "prueba", Log: slog.New(slog.DiscardHandler),
	}
}

func toyOptions() store.Options {
	return options(storetest.ToyConfig(storetest.Toy{}, storetest.NewClock()))
}

func dbPath(t testing.TB) string { return filepath.Join(t.TempDir(), "plant.db") }

func open(t testing.TB, path string, o store.Options) *store.Bolt {
	t.Helper()
	st, err := store.Open(path, o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return st
}

func must(t testing.TB, st *store.Bolt, c plant.Command) plant.Event {
	t.Helper()
	r, err := st.Do(context.Background(), c)
	if err != nil {
		t.Fatalf("%s %s: %v", c.Verb, c.Tag, err)
	}
	return r.Event
}

func TestReopenedStoreIsTheSame(t *testing.T) {
	path, o := dbPath(t), toyOptions()
	st := open(t, path, o)
	must(t, st, storetest.Hire(1, "Ana"))
	must(t, st, storetest.Bring("MK-1", 3))
	must(t, st, storetest.Take("k1", "MK-1", 1))
	before := st.Snapshot()
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	st = open(t, path, o)
	if d := storetest.Diff(before, st.Snapshot()); d != "" {
		t.Errorf("the reopened store differs:\n%s", d)
	}
}

func TestABatchsKeyIsKnownAfterARestart(t *testing.T) {
	path, o := dbPath(t), toyOptions()
	st := open(t, path, o)
	must(t, st, storetest.Bring("MK-1", 0))
	must(t, st, storetest.Bring("MK-2", 0))
	must(t, st, storetest.Take(plant.CommandID("k").Item("MK-1"), "MK-1", 1))
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	st = open(t, path, o)
	other := storetest.Take(plant.CommandID("k").Item("MK-2"), "MK-2", 1)
	if _, err := st.Do(context.Background(), other); !errors.Is(err, plant.ErrKeyReused) {
		t.Errorf("the batch's key with another spool = %v, want it refused", err)
	}
	if r, err := st.Do(context.Background(), storetest.Take(plant.CommandID("k").Item("MK-1"), "MK-1", 1)); err != nil || !r.Repeated {
		t.Errorf("the item again = %+v, %v; want its first receipt", r, err)
	}
}
