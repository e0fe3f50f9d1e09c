package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"envivo/durable"
	"envivo/plant"
)

// FileName is the store's name in a data folder.
const FileName = "plant.db"

// ErrExists says that a restore would replace a store.
var ErrExists = fmt.Errorf("there is a store already: %w", fs.ErrExist)

// copyPattern is the name of a copy that is not finished. Leftovers of a crash
// are removed before the next one.
const copyPattern = ".envivo-copy-*"

// Backup writes a consistent copy of the running store to path, proven by the
// whole check, and gives its report. The file appears there complete or not at all; an older one is replaced. A file
// with many free pages is compacted afterwards.
func (b *Bolt) Backup(ctx context.Context, path string) (Report, error) {
	b.copying.Lock()
	defer b.copying.Unlock()
	tmp, err := b.copyTo(ctx, filepath.Dir(path))
	if err != nil {
		return Report{}, fmt.Errorf("back up to %s: %w", path, err)
	}
	defer os.Remove(tmp)
	r, err := b.prove(ctx, tmp, nil)
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return r, fmt.Errorf("verify the copy for %s: %w", path, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return r, err
	}
	if err := durable.SyncFolder(filepath.Dir(path)); err != nil {
		return r, err
	}
	b.tidy(ctx)
	return r, nil
}

// prove examines a copy.
func (b *Bolt) prove(ctx context.Context, path string, legal func(*plant.Spool) error) (Report, error) {
	if b.o.Prove != nil {
		return b.o.Prove(ctx, path)
	}
	return Check(path, CheckOptions{Evolve: b.o.Evolve, Rules: b.o.Rules, Legal: legal})
}

// copyTo writes a durable copy into a folder on the local disk: a slow target
// would hold its read transaction open, and the file grows meanwhile.
func (b *Bolt) copyTo(ctx context.Context, dir string) (name string, err error) {
	if err := sweep(dir, copyPattern); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, copyPattern)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	err = b.view(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(patient{ctx, f})
		return err
	})
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	return f.Name(), stamp(f.Name())
}

// sweep removes files of a crash.
func sweep(dir, pattern string) error {
	old, err := filepath.Glob(filepath.Join(dir, pattern))
	for _, name := range old {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// stamp marks a file as a copy: the first to open it begins a new epoch.
func stamp(path string) error {
	db, err := openBolt(path, &bolt.Options{Timeout: lockWait, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return err
	}
	err = inTx(db, func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyCopy, []byte{1}) })
	return errors.Join(err, db.Close(), syncFile(path))
}

// patient is a writer that stops with its context.
type patient struct {
	ctx context.Context
	w   io.Writer
}

func (p patient) Write(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.w.Write(b)
}

// Restore puts a verified copy of file into dir as its store, with an epoch of
// its own. The file is copied first, so that what is checked is what is used. A
// store that is there already is ErrExists, unless force is set: then it is kept
// beside the new one under the name that is returned. A store in use is ErrLocked;
// a link, a pipe or a device is ErrForeign.
func Restore(file, dir string, force bool, o CheckOptions) (kept string, err error) {
	path := filepath.Join(dir, FileName)
	_, err = os.Lstat(path)
	exists := err == nil
	switch {
	case exists && !force:
		return "", fmt.Errorf("restore into %s: %w", dir, ErrExists)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	tmp, err := copyFile(file, dir)
	if err != nil {
		return "", fmt.Errorf("copy %s: %w", file, err)
	}
	defer os.Remove(tmp)
	r, err := Check(tmp, o)
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return "", fmt.Errorf("restore %s: %w", file, err)
	}
	if err := stamp(tmp); err != nil {
		return "", fmt.Errorf("stamp the copy of %s: %w", file, err)
	}
	if exists {
		if kept, err = setAside(path); err != nil {
			return "", err
		}
	}
	if err := os.Rename(tmp, path); err != nil {
		return kept, err
	}
	return kept, durable.SyncFolder(dir)
}

// copyFile copies the pages of a store's file, which may be followed by room
// that was never used, into a new file of dir.
func copyFile(from, dir string) (name string, err error) {
	if info, err := os.Lstat(from); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return "", fmt.Errorf("%w: it is a symbolic link; name the file itself", ErrForeign)
	}
	src, err := openRegular(from)
	if err != nil {
		return "", err
	}
	defer src.Close()
	m, _, err := metas(src, from)
	if err != nil {
		return "", err
	}
	dst, err := os.CreateTemp(dir, copyPattern)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(dst.Name()) // half a copy is of no use
		}
	}()
	_, err = io.CopyN(dst, src, m.size())
	return dst.Name(), errors.Join(err, dst.Close())
}

// setAside gives the file at path a second name, after making sure that no
// server has it open. A damaged file has no owner either: it cannot be opened.
func setAside(path string) (string, error) {
	db, err := openFile(path, false, 0)
	switch {
	case err == nil:
		if err := db.Close(); err != nil {
			return "", err
		}
	case !errors.Is(err, ErrDamaged):
		return "", err
	}
	for n := 1; ; n++ {
		kept := fmt.Sprintf("%s.kept-%d", path, n)
		switch err := os.Link(path, kept); {
		case err == nil:
			return kept, nil // path is replaced in one step afterwards
		case errors.Is(err, fs.ErrExist):
			continue
		}
		if _, err := os.Lstat(kept); err == nil { // a file system without links
			continue
		}
		return kept, os.Rename(path, kept)
	}
}
