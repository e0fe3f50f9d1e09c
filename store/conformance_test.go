package store_test

import (
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"envivo/store"
	"envivo/store/storetest"
)

func TestBoltIsAStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, c storetest.Config) storetest.Store {
		path := dbPath(t)
		t.Cleanup(func() { sound(t, path, c) })
		return open(t, path, options(c))
	})
}

func TestMemoryIsAStore(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, c storetest.Config) storetest.Store { return storetest.NewMemory(c) })
}

// sound closes nothing: it examines the file of a store that was closed.
func sound(t *testing.T, path string, c storetest.Config) {
	t.Helper()
	r, err := store.Check(path, store.CheckOptions{Evolve: c.Evolve, Rules: c.Rules})
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		t.Errorf("check after the test: %v", err)
	}
}

func TestBoltAndMemoryAgree(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		clock := storetest.NewClock()
		a, err := store.Open(filepath.Join(dir, "plant"+string(rune('a'+n%26))+string(rune('0'+n/26))+".db"), options(storetest.ToyConfig(storetest.Toy{}, clock)))
		if err != nil {
			t.Fatal(err)
		}
		storetest.Compare(t, storetest.NewMemory(storetest.ToyConfig(storetest.Toy{}, clock)), a)
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
