package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"envivo/plant"
	"envivo/store"
	"envivo/store/storetest"
)

// filled is the path of a closed store with some history.
func filled(t testing.TB) string {
	t.Helper()
	path := dbPath(t)
	st, err := store.Open(path, toyOptions())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		tag := plant.Tag(fmt.Sprintf("MK-%02d", i))
		must(t, st, storetest.Bring(tag, 2))
		must(t, st, storetest.Take(plant.CommandID(fmt.Sprint("k", i)), tag, 1))
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func examine(path string) (store.Report, error) {
	c := storetest.ToyConfig(storetest.Toy{}, storetest.NewClock())
	r, err := store.Check(path, store.CheckOptions{Evolve: c.Evolve, Rules: c.Rules})
	if err != nil {
		return r, err
	}
	return r, r.Err()
}

func TestFilesThatAreNoStoreAreNamed(t *testing.T) {
	write := func(b []byte) func(string) error {
		return func(path string) error { return os.WriteFile(path, b, 0o600) }
	}
	for name, c := range map[string]struct {
		make func(path string) error
		want error
	}{
		"missing":          {func(string) error { return nil }, store.ErrMissing},
		"empty":            {write(nil), store.ErrDamaged},
		"text":             {write([]byte(strings.Repeat("TAG_SPOOL;NV\n", 1000))), store.ErrDamaged},
		"another database": {func(p string) error { return foreign(p) }, store.ErrForeign},
	} {
		t.Run(name, func(t *testing.T) {
			path := dbPath(t)
			if err := c.make(path); err != nil {
				t.Fatal(err)
			}
			o := toyOptions()
			o.MustExist = true
			before, _ := os.ReadFile(path)
			if st, err := store.Open(path, o); !errors.Is(err, c.want) {
				t.Errorf("open = %v, %v; want %v", st, err, c.want)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("a file that was refused was changed")
			}
		})
	}
}

func foreign(path string) error {
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("widgets")); return err })
	return errors.Join(err, db.Close())
}

func TestAnotherEnvironmentIsRefused(t *testing.T) {
	path := filled(t)
	o := toyOptions()
	o.Env = "produccion"
	if _, err := store.Open(path, o); !errors.Is(err, store.ErrEnv) {
		t.Errorf("a store of prueba opened as produccion = %v, want it refused by name", err)
	}
}

func TestASecondProcessIsRefused(t *testing.T) {
	path := dbPath(t)
	open(t, path, toyOptions())
	if _, err := store.Open(path, toyOptions()); !errors.Is(err, store.ErrLocked) {
		t.Errorf("a store that is open = %v, want locked", err)
	}
}

// TestFlippedByteIsFound flips one bit of an event where it lies in the journal.
func TestFlippedByteIsFound(t *testing.T) {
	for n := range 12 {
		path := filled(t)
		edit(t, path, "journal", func(b *bolt.Bucket) error {
			k := nth(b, n*3)
			v := append([]byte(nil), b.Get(k)...)
			v[len(v)*n/12] ^= 1
			return b.Put(k, v)
		})
		if _, err := examine(path); err == nil {
			t.Errorf("a flipped bit in event %d was not noticed", n*3+1)
		}
	}
}

func TestDroppedAndSwappedEventsAreFound(t *testing.T) {
	for name, spoil := range map[string]func(*bolt.Bucket) error{
		"the last event is gone": func(b *bolt.Bucket) error {
			k, _ := b.Cursor().Last()
			return b.Delete(append([]byte(nil), k...))
		},
		"an event in the middle is gone": func(b *bolt.Bucket) error { return b.Delete(nth(b, 7)) },
		"two events changed places": func(b *bolt.Bucket) error {
			x, y := nth(b, 5), nth(b, 9)
			vx, vy := append([]byte(nil), b.Get(x)...), append([]byte(nil), b.Get(y)...)
			return errors.Join(b.Put(x, vy), b.Put(y, vx))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t)
			edit(t, path, "journal", spoil)
			if _, err := examine(path); err == nil {
				t.Error("the check found nothing")
			} else {
				t.Log(err)
			}
		})
	}
}

func TestAStateThatIsNotTheFoldIsFound(t *testing.T) {
	path := filled(t)
	edit(t, path, "spools", func(b *bolt.Bucket) error {
		k, v := b.Cursor().First()
		other, _ := b.Cursor().Last()
		_ = v
		return b.Put(append([]byte(nil), k...), append([]byte(nil), b.Get(other)...))
	})
	if _, err := examine(path); err == nil {
		t.Error("a spool's row that holds another spool was not noticed")
	}
}

func nth(b *bolt.Bucket, n int) []byte {
	c := b.Cursor()
	k, _ := c.First()
	for range n {
		k, _ = c.Next()
	}
	return append([]byte(nil), k...)
}

func edit(t *testing.T, path, bucket string, f func(*bolt.Bucket) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		if b == nil {
			return fmt.Errorf("there is no bucket %s", bucket)
		}
		return f(b)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestBackupAndRestore(t *testing.T) {
	path := dbPath(t)
	st := open(t, path, toyOptions())
	must(t, st, storetest.Bring("A-1", 2))
	must(t, st, storetest.Take("k", "A-1", 1))
	copied := filepath.Join(t.TempDir(), "copy.db")
	stop := make(chan struct{})
	ended := make(chan error, 1)
	go func() { // the floor goes on meanwhile
		for i := 0; ; i++ {
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			if _, err := st.Do(context.Background(), storetest.Note("", "A-1", fmt.Sprint(i))); err != nil {
				ended <- err
				return
			}
		}
	}()
	if _, err := st.Backup(context.Background(), copied); err != nil {
		t.Fatal(err)
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if _, err := examine(copied); err != nil {
		t.Fatalf("the copy: %v", err)
	}
	dir := t.TempDir()
	c := storetest.ToyConfig(storetest.Toy{}, storetest.NewClock())
	co := store.CheckOptions{Evolve: c.Evolve, Rules: c.Rules}
	if _, err := store.Restore(copied, dir, false, co); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(copied, dir, false, co); !errors.Is(err, store.ErrExists) {
		t.Errorf("a restore over a store = %v, want it refused", err)
	}
	kept, err := store.Restore(copied, dir, true, co)
	if err != nil || kept == "" {
		t.Fatalf("a forced restore kept %q, %v; want the old file beside the new one", kept, err)
	}
	o := toyOptions()
	fresh := storetest.UUIDs()
	o.NewUUID = func() string { return "9" + fresh()[1:] } // another source of chance than the first store's
	restored := open(t, filepath.Join(dir, store.FileName), o)
	if restored.Epoch() == st.Epoch() {
		t.Error("a restored store has the epoch of the one it was copied from")
	}
	if r, err := restored.Do(context.Background(), storetest.Take("k", "A-1", 1)); err != nil || !r.Repeated {
		t.Errorf("a key from before the copy = %v, %v; want its first receipt", r.Repeated, err)
	}
}

// crashEnv names the file that a child of the crash test writes until it is
// killed.
const crashEnv = "ENVIVO_STORE_CRASH"

// compactEnv lets that child compact its file all the time.
const compactEnv = "ENVIVO_STORE_COMPACT"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		writeUntilKilled(path)
	}
	os.Exit(m.Run())
}

// writeUntilKilled acknowledges every note on stdout, after it was answered.
func writeUntilKilled(path string) {
	st, err := store.Open(path, toyOptions())
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	if _, ok := st.Snapshot().Spool("A-1"); !ok {
		if _, err := st.Do(context.Background(), storetest.Bring("A-1", 0)); err != nil {
			os.Exit(1)
		}
	}
	if os.Getenv(compactEnv) != "" {
		go func() {
			for st.Compact(context.Background()) == nil {
			}
			os.Exit(1)
		}()
	}
	for {
		r, err := st.Do(context.Background(), storetest.Note("", "A-1", "x"))
		if err != nil {
			os.Exit(1)
		}
		fmt.Println(r.Event.Seq)
	}
}

func TestKilledStoreKeepsWhatItSaid(t *testing.T) {
	path := dbPath(t)
	rng := rand.New(rand.NewPCG(7, 7))
	for round := range 10 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashEnv+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		said := acknowledged(out, 5+rng.IntN(60))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		r, err := examine(path)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if r.Seq < said {
			t.Fatalf("round %d: the store ends at %d, but %d was acknowledged", round, r.Seq, said)
		}
	}
}

// acknowledged reads n lines and gives the last number.
func acknowledged(out io.Reader, n int) (last plant.Seq) {
	for range n {
		var s uint64
		if _, err := fmt.Fscanln(out, &s); err != nil {
			return last
		}
		last = plant.Seq(s)
	}
	return last
}
