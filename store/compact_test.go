package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"envivo/plant"
	"envivo/store"
	"envivo/store/storetest"
)

// swollen is a store whose file is mostly free pages: a reader held on while
// the checkpoint was written again and again.
func swollen(t *testing.T, path string) *store.Bolt {
	t.Helper()
	o := toyOptions()
	o.Replay = 4
	st := open(t, path, o)
	for i := range 20 {
		must(t, st, storetest.Bring(tagOf(i), 4))
	}
	tx, err := st.DB().Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 400 {
		must(t, st, storetest.Note("", tagOf(i%20), "x"))
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	return st
}

func tagOf(i int) plant.Tag { return plant.Tag(fmt.Sprintf("MK-%02d", i)) }

// TestCompactionWhileServing: commands, readers and a tail go on while the file
// is exchanged under them; nothing is lost, and the file is small afterwards.
func TestCompactionWhileServing(t *testing.T) {
	path := dbPath(t)
	st := swollen(t, path)
	before := st.Stats().FileSize
	must(t, st, storetest.Note("first", "MK-01", "antes"))
	ctx, cancel := context.WithCancel(context.Background())
	var floor sync.WaitGroup
	busy := func(f func(i int) error) {
		floor.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := f(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for w := range 3 {
		busy(func(i int) error {
			id := plant.CommandID(fmt.Sprintf("w%d-%d", w, i))
			r, err := st.Do(context.Background(), storetest.Note(id, tagOf((i+w)%20), "x"))
			if err != nil {
				return err
			}
			return storetest.Reached(st.Snapshot(), r.Event)
		})
	}
	busy(func(i int) error {
		found, err := st.History(context.Background(), tagOf(i%20), 0, 50)
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("%s has no history", tagOf(i%20))
		}
		return err
	})
	for range 10 {
		if err := st.Compact(context.Background()); err != nil {
			t.Error(err)
		}
	}
	cancel()
	floor.Wait()
	if after := st.Stats().FileSize; after >= before {
		t.Errorf("the file has %d bytes in use after the compaction, %d before", after, before)
	}
	seq, snap := st.Snapshot().Seq, st.Snapshot()
	all := unbroken(t, st)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := examine(path); err != nil || r.Seq != seq || all != seq {
		t.Errorf("the check says %v at event %d, %d were read, want %d", err, r.Seq, all, seq)
	}
	st = open(t, path, toyOptions())
	if d := storetest.Diff(snap, st.Snapshot()); d != "" {
		t.Errorf("the reopened store differs:\n%s", d)
	}
	if r, err := st.Do(context.Background(), storetest.Note("first", "MK-01", "antes")); err != nil || !r.Repeated {
		t.Errorf("a key from before the compaction = repeated %v, %v; want its first receipt", r.Repeated, err)
	}
}

// unbroken reads the whole journal and gives its last number.
func unbroken(t *testing.T, st *store.Bolt) (all plant.Seq) {
	t.Helper()
	for {
		events, err := st.Events(context.Background(), all, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			return all
		}
		for _, e := range events {
			if all++; e.Seq != all {
				t.Fatalf("event %d follows %d", e.Seq, all-1)
			}
		}
	}
}

// TestCompactionThatFailsChangesNothing: the new file cannot be made, or not be
// renamed; the store goes on in the old one.
func TestCompactionThatFailsChangesNothing(t *testing.T) {
	path := dbPath(t)
	st := swollen(t, path)
	if err := os.MkdirAll(path+".compact/full", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := st.Compact(context.Background()); err == nil {
		t.Error("a compaction without a place for its file succeeded")
	}
	last := must(t, st, storetest.Note("", "MK-01", "x")).Seq
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := examine(path); err != nil || r.Seq != last {
		t.Errorf("the check says %v at event %d, want clean at %d", err, r.Seq, last)
	}
	if err := st.Compact(context.Background()); err == nil {
		t.Error("a closed store was compacted")
	}
	if r, err := examine(path); err != nil || r.Seq != last {
		t.Errorf("after that the check says %v at event %d, want clean at %d", err, r.Seq, last)
	}
}

// TestBackupCompactsABloatedFile: the hourly copy is the occasion.
func TestBackupCompactsABloatedFile(t *testing.T) {
	st := swollen(t, dbPath(t))
	tx, err := st.DB().Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; st.Stats().FreelistBytes < 64<<10; i++ { // old versions of a large page pile up
		must(t, st, storetest.Note("", tagOf(i%20), string(make([]byte, 1<<18))))
		if i > 500 {
			t.Fatalf("the list of free pages has only %d bytes", st.Stats().FreelistBytes)
		}
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Backup(context.Background(), dbPath(t)); err != nil {
		t.Fatal(err)
	}
	if got := st.Stats().FreelistBytes; got >= 64<<10 {
		t.Errorf("the list of free pages has %d bytes after a backup", got)
	}
}

// TestKilledCompactionKeepsWhatWasSaid kills a process that commands and
// compacts without a pause.
func TestKilledCompactionKeepsWhatWasSaid(t *testing.T) {
	path := dbPath(t)
	for round := range 5 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashEnv+"="+path, compactEnv+"=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		said := acknowledged(out, 20+round*25)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		r, err := examine(path)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if r.Seq < said || said == 0 {
			t.Fatalf("round %d: the store ends at %d, but %d was acknowledged", round, r.Seq, said)
		}
	}
}
