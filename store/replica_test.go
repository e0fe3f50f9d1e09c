package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"envivo/plant"
	"envivo/store"
	"envivo/store/storetest"
)

// follower opens a shipped copy of st as its follower.
func follower(t *testing.T, st *store.Bolt) *store.Bolt {
	t.Helper()
	path := dbPath(t)
	var size int64
	var b bytes.Buffer
	if err := st.Ship(t.Context(), t.TempDir(), func(n int64) { size = n }, &b); err != nil || size != int64(b.Len()) {
		t.Fatalf("ship %d bytes of %d: %v", b.Len(), size, err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, path, followingOptions())
}

func followingOptions() store.Options {
	o := toyOptions()
	o.Following = "http://primary"
	fresh := storetest.UUIDs()
	o.NewUUID = func() string { return "9" + fresh()[1:] }
	return o
}

// ship brings what to lacks.
func ship(t *testing.T, from, to *store.Bolt, limit, most int) {
	t.Helper()
	for {
		at := to.Snapshot().Seq
		records, err := from.Records(t.Context(), at, limit, most)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 {
			return
		}
		if err := to.Follow(t.Context(), at, records); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFollowerHasTheSameChain(t *testing.T) {
	primary := open(t, dbPath(t), toyOptions())
	must(t, primary, storetest.Bring("A-1", 2))
	must(t, primary, storetest.Take("k1", "A-1", 1))
	second := follower(t, primary)
	if second.Epoch() != primary.Epoch() || second.Snapshot().Head != primary.Snapshot().Head {
		t.Fatal("a follower does not begin with its primary's epoch and head")
	}
	for i := range 700 {
		must(t, primary, storetest.Note(plant.CommandID(fmt.Sprint("n", i)), "A-1", "x"))
	}
	ship(t, primary, second, 300, 10_000)
	a, b := primary.Snapshot(), second.Snapshot()
	if a.Seq != b.Seq || a.Head != b.Head {
		t.Fatalf("the follower ends at %d %x, the primary at %d %x", b.Seq, b.Head, a.Seq, a.Head)
	}
	records, err := primary.Records(t.Context(), 0, 500, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Follow(t.Context(), 0, records); err != nil || second.Snapshot().Seq != a.Seq {
		t.Errorf("records it has already: %v, now at %d", err, second.Snapshot().Seq)
	}
	for seq := plant.Seq(0); seq <= a.Seq; seq += 101 {
		x, err := primary.Link(seq)
		y, err2 := second.Link(seq)
		if err != nil || err2 != nil || x != y {
			t.Errorf("links at %d: %x %v, %x %v", seq, x, err, y, err2)
		}
	}
	if _, err := second.Link(a.Seq + 1); !errors.Is(err, store.ErrNoEvent) {
		t.Errorf("link beyond the end = %v", err)
	}
}

func TestAFollowerRefusesCommandsAndStrangers(t *testing.T) {
	primary := open(t, dbPath(t), toyOptions())
	must(t, primary, storetest.Bring("A-1", 2))
	second := follower(t, primary)
	_, err := second.Do(context.Background(), storetest.Take("k", "A-1", 1))
	var refusal *plant.Error
	if !errors.As(err, &refusal) || refusal.Code != plant.CodeStandby || refusal.Primary != "http://primary" {
		t.Errorf("a command to a follower = %v, want it refused naming the primary", err)
	}
	if err := second.Ack(context.Background(), 1); err == nil {
		t.Error("a follower lets its outbox be marked")
	}
	if err := primary.Follow(context.Background(), 0, nil); err == nil {
		t.Error("a store of its own takes records")
	}
	must(t, primary, storetest.Take("k", "A-1", 1))
	must(t, primary, storetest.Note("n", "A-1", "x"))
	records, err := primary.Records(t.Context(), 1, 10, 1<<20)
	if err != nil || len(records) != 2 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	before := second.Snapshot()
	for i := range records[1] {
		bent := bytes.Clone(records[1])
		bent[i] ^= 0x10
		if err := second.Follow(t.Context(), 1, [][]byte{records[0], bent}); !errors.Is(err, store.ErrDiverged) {
			t.Fatalf("byte %d of a record bent on the way = %v, want it refused", i, err)
		}
	}
	for name, err := range map[string]error{
		"a gap":         second.Follow(t.Context(), 2, records[1:]),
		"another order": second.Follow(t.Context(), 1, [][]byte{records[1], records[0]}),
		"nothing":       second.Follow(t.Context(), 1, [][]byte{nil}),
	} {
		if !errors.Is(err, store.ErrDiverged) {
			t.Errorf("%s = %v, want it refused", name, err)
		}
	}
	if second.Snapshot() != before {
		t.Error("a refused run changed the follower")
	}
	ship(t, primary, second, 10, 1)
	if second.Snapshot().Head != primary.Snapshot().Head {
		t.Error("the follower did not catch up after all that")
	}
}

func TestAPromotedFollowerBeginsAnEpochAndKnowsTheKeys(t *testing.T) {
	primary := open(t, dbPath(t), toyOptions())
	must(t, primary, storetest.Bring("A-1", 2))
	path := filepath.Join(t.TempDir(), store.FileName)
	var b bytes.Buffer
	if err := primary.Ship(t.Context(), t.TempDir(), func(int64) {}, &b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, primary, storetest.Take("k", "A-1", 1))
	for range 2 { // a restart of the follower is no promotion
		second, err := store.Open(path, followingOptions())
		if err != nil {
			t.Fatal(err)
		}
		ship(t, primary, second, 10, 1<<20)
		if second.Epoch() != primary.Epoch() {
			t.Error("a follower opened again has another epoch")
		}
		if err := second.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := examine(path); err != nil || r.Seq != 2 {
		t.Fatalf("the follower's file: %d events, %v", r.Seq, err)
	}
	o := followingOptions()
	o.Following = ""
	promoted := open(t, path, o)
	if promoted.Epoch() == primary.Epoch() {
		t.Error("a promoted follower has its primary's epoch")
	}
	if r, err := promoted.Do(context.Background(), storetest.Take("k", "A-1", 1)); err != nil || !r.Repeated {
		t.Errorf("a key that the primary accepted = %v, %v; want its receipt", r.Repeated, err)
	}
	if r, err := promoted.Do(context.Background(), storetest.Note("m", "A-1", "x")); err != nil || r.Event.Seq != 3 {
		t.Errorf("the first command after the promotion = %d, %v; want event 3", r.Event.Seq, err)
	}
}

// TestAHeldStoreIsReadUntilItIsReleased: a server that has just started may not
// know yet whether another one took its place.
func TestAHeldStoreIsReadUntilItIsReleased(t *testing.T) {
	path := dbPath(t)
	o := toyOptions()
	o.Held = true
	b := open(t, path, o)
	_, err := b.Do(t.Context(), storetest.Bring("A-1", 1))
	var no *plant.Error
	if !errors.As(err, &no) || no.Code != plant.CodeStandby || no.Primary != "" || no.RetryAfter == 0 || b.Snapshot().Seq != 0 {
		t.Errorf("a command to a held store = %v at event %d, want it refused", err, b.Snapshot().Seq)
	}
	if err := b.Pulse(t.Context()); err != nil {
		t.Errorf("the writer of a held store: %v", err)
	}
	b.Release()
	if _, err := b.Do(t.Context(), storetest.Bring("A-1", 1)); err != nil {
		t.Errorf("once it is released: %v", err)
	}
}
