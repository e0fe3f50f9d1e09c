package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"envivo/plant"
	"envivo/store"
	"envivo/store/storetest"
)

// pupil is a follower that can be put back to how it began.
type pupil struct {
	path  string
	image []byte
	st    *store.Bolt
}

func newPupil(t testing.TB, primary *store.Bolt) *pupil {
	t.Helper()
	var b bytes.Buffer
	if err := primary.Ship(t.Context(), t.TempDir(), func(int64) {}, &b); err != nil {
		t.Fatal(err)
	}
	p := &pupil{path: filepath.Join(t.TempDir(), "pupil.db"), image: b.Bytes()}
	p.again(t)
	t.Cleanup(func() { _ = p.st.Close() }) // a store that was to be refused
	return p
}

// again begins anew.
func (p *pupil) again(t testing.TB) {
	t.Helper()
	if p.st != nil {
		_ = p.st.Close() // likewise
	}
	if err := os.WriteFile(p.path, p.image, 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.st, err = store.Open(p.path, followingOptions()); err != nil {
		t.Fatal(err)
	}
}

// FuzzFollow: of what a primary sends, a standby takes what continues its chain
// and is an event; everything else is ErrDiverged and changes nothing. Also a
// primary that makes links that fit cannot make it fault, and what was taken is
// there after a restart.
func FuzzFollow(f *testing.F) {
	primary := open(f, dbPath(f), toyOptions())
	must(f, primary, storetest.Bring("A-1", 2))
	must(f, primary, storetest.Hire(1, "Ana"))
	second := newPupil(f, primary)
	start, tip := primary.Snapshot().Seq, primary.Snapshot().Head
	for i := range 3 {
		must(f, primary, storetest.Take(plant.CommandID(fmt.Sprint("k", i)), "A-1", 1))
		must(f, primary, storetest.Note(plant.CommandID(fmt.Sprint("n", i)), "A-1", "x"))
		must(f, primary, storetest.Pause(plant.CommandID(fmt.Sprint("d", i)), "A-1", 1, 1))
	}
	records, err := primary.Records(f.Context(), start, 100, 1<<20)
	if err != nil || len(records) != 9 {
		f.Fatalf("%d records, %v", len(records), err)
	}
	for _, r := range records {
		f.Add(store.BodyOf(r), true)
	}
	f.Add(records[0], false)
	f.Add([]byte{}, false)
	tries := 0
	f.Fuzz(func(t *testing.T, raw []byte, fits bool) {
		if bytes.Equal(raw, records[0]) {
			return // it is what the primary sends
		}
		if fits {
			raw = store.Chained(tip, raw)
			e, written, err := store.Reencoded(start+1, tip, raw)
			again, _, err2 := store.Reencoded(start+1, tip, written)
			if err == nil && (err2 != nil || !reflect.DeepEqual(e, again)) {
				t.Fatalf("%q says %+v, written and read again %+v, %v", raw, e, again, err2)
			}
			if tries++; err == nil && tries%500 != 1 { // taking it costs a disk's time
				return
			}
		}
		before := second.st.Snapshot()
		err := second.st.Follow(t.Context(), start, [][]byte{raw})
		switch {
		case err != nil && (!errors.Is(err, store.ErrDiverged) || second.st.Snapshot() != before):
			t.Fatalf("%q = %v, now at %d", raw, err, second.st.Snapshot().Seq)
		case err == nil && !fits:
			t.Fatalf("%q was taken", raw)
		case err == nil:
			second.restarted(t)
			second.again(t)
		}
	})
}

// restarted fails the test unless a store is after a restart what it was before.
func (p *pupil) restarted(t *testing.T) {
	t.Helper()
	before := p.st.Snapshot()
	if err := p.st.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.st, err = store.Open(p.path, followingOptions()); err != nil {
		t.Fatalf("a record that was taken keeps the store from opening: %v", err)
	}
	if after := p.st.Snapshot(); after.Seq != before.Seq || after.Head != before.Head {
		t.Fatalf("at %d %x before the restart, at %d %x after it", before.Seq, before.Head, after.Seq, after.Head)
	}
}
