package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"envivo/durable"
	"envivo/plant"
)

// bloated is the size of the list of free pages from which on the file is
// written anew after a backup: every commit writes that list.
const bloated = 64 << 10

// compactSuffix is the name of the file that is to take the store's place.
const compactSuffix = ".compact"

// swap asks the writer to go on in another file.
type swap struct {
	db   *bolt.DB
	path string
	seq  plant.Seq // up to where the other file has the journal
	err  error     // the other file was not taken; the writer goes on in the old one
}

// Compact writes the file anew, without its free pages, while everybody goes on
// reading and commanding. The bulk is copied beside the writer; then the writer
// adds what came meanwhile and goes on in the new file, which takes the old
// one's name in one step. An error leaves the old file in use, except when the
// folder cannot be flushed: then the store stops (Failed).
func (b *Bolt) Compact(ctx context.Context) error {
	b.copying.Lock()
	defer b.copying.Unlock()
	return b.compact(ctx)
}

func (b *Bolt) compact(ctx context.Context) error {
	s := &swap{path: b.path + compactSuffix}
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	b.compacting.Store(true)
	defer b.compacting.Store(false)
	err := b.bulk(s)
	if err == nil {
		r := newRequest(nil)
		r.swap = s
		b.submit(ctx, r, true)
		b.await(context.WithoutCancel(ctx), r) // the writer has it: nothing may be closed under it
		err = s.err
	}
	if err != nil {
		if s.db != nil {
			err = errors.Join(err, s.db.Close(), os.Remove(s.path))
		}
		return fmt.Errorf("compact %s: %w", b.path, err)
	}
	return nil
}

// bulk copies the file as it is now. It is not flushed yet.
func (b *Bolt) bulk(s *swap) (err error) {
	o := &bolt.Options{Timeout: lockWait, FreelistType: bolt.FreelistMapType, NoSync: true, MaxSize: b.o.MaxSize}
	sysOptions(o)
	if s.db, err = openBolt(s.path, o); err != nil {
		return err
	}
	return b.view(func(from *bolt.Tx) error {
		m, err := readFileMeta(from)
		if err != nil {
			return err
		}
		s.seq = plant.Seq(m.head.Seq)
		for _, name := range buckets() {
			if err := copyBucket(s.db, name, from.Bucket(name)); err != nil {
				return err
			}
		}
		return nil
	})
}

// bulkBytes is how much one transaction of the bulk takes.
const bulkBytes = 1 << 20

// copyBucket writes a bucket into another file. The values lie in the mapped
// file of the reading transaction, so every writing one ends before it does:
// bolt.Compact commits its last one later, when the writer of a running store
// may have put other pages there.
func copyBucket(db *bolt.DB, name []byte, from *bolt.Bucket) error {
	c := from.Cursor()
	k, v := c.First()
	for done := false; !done; {
		err := inTx(db, func(tx *bolt.Tx) error {
			to, err := tx.CreateBucketIfNotExists(name)
			if err != nil {
				return err
			}
			to.FillPercent = 0.95
			for size := 0; k != nil && size < bulkBytes; k, v = c.Next() {
				if err := to.Put(k, v); err != nil {
					return err
				}
				size += len(k) + len(v)
			}
			done = k == nil
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// swap brings the new file up to date and takes it. An error means that nobody
// knows which of the two files a power cut would leave.
func (w *writer) swap(s *swap) error {
	b := w.b
	s.err = w.catchUp(s)
	if s.err == nil {
		s.err = os.Rename(s.path, b.path)
	}
	if s.err != nil {
		w.moved = nil
		return nil
	}
	old := b.db.Swap(s.db)
	w.moved = nil
	if err := durable.SyncFolder(filepath.Dir(b.path)); err != nil {
		return fmt.Errorf("flush the folder of the compacted file: %w", err)
	}
	b.retired.Go(func() { // it waits for its last reader
		if err := old.Close(); err != nil {
			b.o.Log.Error("close the file from before the compaction", "err", err)
		}
	})
	b.o.Log.Info("store compacted", "seq", uint64(w.snap.Seq))
	return nil
}

// catchUp copies what the writer did since the bulk was read, and flushes all.
func (w *writer) catchUp(s *swap) error {
	return guarded(func() error {
		return w.b.file().View(func(from *bolt.Tx) error {
			s.db.NoSync = false
			if err := inTx(s.db, func(to *bolt.Tx) error { return w.copyNews(from, to, s.seq) }); err != nil {
				return err
			}
			return s.db.Sync()
		})
	})
}

func (w *writer) copyNews(from, to *bolt.Tx, after plant.Seq) error {
	j := to.Bucket(bucketJournal)
	j.FillPercent = 0.95
	for _, p := range collect(from, after, int(w.snap.Seq-after)) {
		if err := j.Put(p.key, p.value); err != nil {
			return err
		}
	}
	rows, fresh := from.Bucket(bucketSpools), to.Bucket(bucketSpools)
	for tag := range w.moved {
		if err := fresh.Put([]byte(tag), rows.Get([]byte(tag))); err != nil {
			return err
		}
	}
	for _, name := range [][]byte{bucketWorkers, bucketSettings, bucketParked, bucketAcked, bucketMeta} {
		if err := to.DeleteBucket(name); err != nil {
			return err
		}
		b, err := to.CreateBucket(name)
		if err != nil {
			return err
		}
		if err := from.Bucket(name).ForEach(b.Put); err != nil {
			return err
		}
	}
	return nil
}

// tidy writes a bloated file anew. Failing is no misfortune: the file is as
// good as before.
func (b *Bolt) tidy(ctx context.Context) {
	if b.file().Stats().FreelistInuse < bloated {
		return
	}
	if err := b.compact(ctx); err != nil {
		b.o.Log.Warn("the file was not compacted", "err", err)
	}
}
