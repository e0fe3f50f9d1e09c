package store_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"envivo/store"
)

// withSchema writes another version number into a store.
func withSchema(t *testing.T, path string, n uint32) {
	t.Helper()
	edit(t, path, "meta", func(b *bolt.Bucket) error { return b.Put([]byte("schema"), binary.BigEndian.AppendUint32(nil, n)) })
}

func TestANewerStoreIsRefusedByName(t *testing.T) {
	path := filled(t)
	withSchema(t, path, store.Schema+1)
	before, _ := os.ReadFile(path)
	if _, err := store.Open(path, toyOptions()); !errors.Is(err, store.ErrNewer) {
		t.Errorf("open = %v, want it refused as newer", err)
	}
	if _, err := examine(path); !errors.Is(err, store.ErrNewer) {
		t.Errorf("check = %v, want it refused as newer", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("a newer store was changed")
	}
}

func TestAnOlderStoreIsMigratedAfterACopy(t *testing.T) {
	path := filled(t)
	withSchema(t, path, store.Schema-1)
	if _, err := store.Open(path, toyOptions()); !errors.Is(err, store.ErrOlder) {
		t.Errorf("a schema without a migration = %v, want it refused by name", err)
	}
	o := toyOptions()
	failed := errors.New("the step failed")
	o.Faults = &store.Faults{Steps: map[uint32]func(*bolt.Tx) error{store.Schema - 1: func(tx *bolt.Tx) error {
		if err := tx.Bucket([]byte("meta")).Put([]byte("half"), []byte("done")); err != nil {
			return err
		}
		return failed
	}}}
	if _, err := store.Open(path, o); !errors.Is(err, failed) {
		t.Errorf("a step that fails = %v", err)
	}
	o.Faults.Steps[store.Schema-1] = func(tx *bolt.Tx) error {
		if tx.Bucket([]byte("meta")).Get([]byte("half")) != nil {
			t.Error("a step that failed left something")
		}
		return tx.Bucket([]byte("meta")).Put([]byte("whole"), []byte("done"))
	}
	st, err := store.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := examine(path); err != nil || r.Schema != store.Schema || r.Seq != 40 {
		t.Errorf("after the migration: %+v, %v", r, err)
	}
	if r, err := examine(path + ".schema-0"); err != nil || r.Schema != store.Schema-1 || r.Seq != 40 {
		t.Errorf("the copy from before: %+v, %v", r, err)
	}
}

func TestSaveIsTheStoreItself(t *testing.T) {
	path, to := filled(t), filepath.Join(t.TempDir(), "saved.db")
	for range 2 {
		if err := store.Save(path, to); err != nil {
			t.Fatal(err)
		}
	}
	a, err := examine(path)
	b, err2 := examine(to)
	if err != nil || err2 != nil || a.Head != b.Head || a.Epoch != b.Epoch {
		t.Errorf("saved %+v of %+v (%v, %v)", b, a, err2, err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.Save(path, to); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a damaged store saved = %v", err)
	}
	if r, err := examine(to); err != nil || r.Head != a.Head {
		t.Errorf("the copy that was there is now %+v, %v", r, err)
	}
}
