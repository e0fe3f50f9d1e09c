package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"envivo/durable"
	"envivo/plant"
)

// Why a file cannot be opened.
var (
	ErrMissing = fmt.Errorf("there is no store: %w", fs.ErrNotExist)
	ErrLocked  = errors.New("the store is in use by another process")
	ErrDamaged = errors.New("the store's file is damaged")
	ErrForeign = errors.New("the file is not a store of this program")
	ErrEnv     = errors.New("the store belongs to another environment")
	ErrNewer   = errors.New("the store was written by a newer program")
	ErrOlder   = errors.New("the store was written by a program too old for this one")
)

var (
	bucketJournal  = []byte("journal")
	bucketSpools   = []byte("spools")
	bucketWorkers  = []byte("workers")
	bucketSettings = []byte("settings")
	bucketParked   = []byte("parked")
	bucketAcked    = []byte("acked")
	bucketMeta     = []byte("meta")

	keySchema  = []byte("schema")
	keyEnv     = []byte("env")
	keyEpoch   = []byte("epoch")
	keyCreated = []byte("created")
	keyHead    = []byte("head")
	keyCopy    = []byte("copy")
)

func buckets() [][]byte {
	return [][]byte{bucketJournal, bucketSpools, bucketWorkers, bucketSettings, bucketParked, bucketAcked, bucketMeta}
}

// fileMeta is what the file says about itself.
type fileMeta struct {
	schema  uint32
	env     string
	epoch   string
	created time.Time
	copied  bool
	head    headRec
}

// ensure makes sure that a sound-looking file is at path. torn says that one of
// its meta pages is not valid.
func ensure(path string, o Options) (torn bool, err error) {
	_, err = os.Stat(path)
	switch {
	case err == nil:
		return preflight(path)
	case !errors.Is(err, fs.ErrNotExist):
		return false, err
	case o.MustExist:
		return false, fmt.Errorf("open %s: %w", path, ErrMissing)
	}
	return false, build(path, o)
}

// build makes a new file under another name; at path it appears complete or not
// at all.
func build(path string, o Options) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := create(tmp.Name(), o); err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	// A link fails where a rename would replace what another process has just
	// created and perhaps already written to.
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		if err := os.Rename(tmp.Name(), path); err != nil { // a file system without links
			return err
		}
	}
	return durable.SyncFolder(filepath.Dir(path))
}

func create(path string, o Options) error {
	db, err := openBolt(path, &bolt.Options{Timeout: lockWait, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return err
	}
	err = inTx(db, func(tx *bolt.Tx) error {
		for _, name := range buckets() {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		created, err := seal(toInstant(o.Now()))
		if err != nil {
			return err
		}
		return putAll(tx.Bucket(bucketMeta), map[string][]byte{
			string(keySchema): binary.BigEndian.AppendUint32(nil, Schema), string(keyEnv): []byte(o.Env),
			string(keyEpoch): []byte(o.NewUUID()), string(keyCreated): created,
		})
	})
	return errors.Join(err, db.Close(), syncFile(path))
}

// mend writes a torn meta page anew: it is the one that the next transaction
// writes, whatever that does.
func mend(db *bolt.DB) error {
	return guarded(func() error { return inTx(db, func(*bolt.Tx) error { return nil }) })
}

func putAll(b *bolt.Bucket, kv map[string][]byte) error {
	for k, v := range kv {
		if err := b.Put([]byte(k), v); err != nil {
			return err
		}
	}
	return nil
}

// inTx runs a transaction on a file that has no writer yet: creation, the first
// opening of a copy, migrations, the file that a compaction makes.
func inTx(db *bolt.DB, f func(*bolt.Tx) error) error {
	tx, err := db.Begin(true)
	if err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil { // an open transaction would hold up the closing for ever
			_ = tx.Rollback()
			panic(p)
		}
	}()
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// lockWait is how long an opening waits for another process to let go.
const lockWait = 2 * time.Second

// openFile opens an existing file after a look at its first pages: bbolt takes
// an empty file for a new database, and a file cut short faults under its feet.
func openFile(path string, readOnly bool, maxSize int) (*bolt.DB, error) {
	if _, err := preflight(path); err != nil {
		return nil, err
	}
	o := &bolt.Options{Timeout: lockWait, FreelistType: bolt.FreelistMapType, ReadOnly: readOnly, PreLoadFreelist: true, MaxSize: maxSize}
	if !readOnly {
		sysOptions(o)
	}
	db, err := openBolt(path, o)
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("open %s: %w", path, ErrLocked)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return nil, fmt.Errorf("open %s: %w: %w", path, ErrDamaged, err)
	}
	return nil, fmt.Errorf("open %s: %w", path, err)
}

// openBolt is bolt.Open without its panics. The file is closed after one, so
// that its lock does not outlive the attempt.
func openBolt(path string, o *bolt.Options) (db *bolt.DB, err error) {
	var file *os.File
	o.OpenFile = func(name string, flag int, mode fs.FileMode) (*os.File, error) {
		f, err := os.OpenFile(name, flag, mode)
		file = f
		return f, err
	}
	err = guarded(func() error {
		db, err = bolt.Open(path, 0o600, o)
		return err
	})
	if errors.Is(err, ErrDamaged) && file != nil {
		return nil, errors.Join(err, file.Close())
	}
	if err == nil && replaced(path, file) {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, ErrLocked), db.Close())
	}
	return db, err
}

// replaced reports whether path names another file by now: its owner compacted
// it while this process waited for the lock.
func replaced(path string, file *os.File) bool {
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(path)
	return err == nil && !os.SameFile(mine, now)
}

// guarded turns a panic, or a fault in the mapped file, into ErrDamaged.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return f()
}

// meta pages of bbolt: 16 bytes of page header, then magic, version, page size,
// flags (4 bytes each), root (16), freelist, page count, transaction, checksum
// (8 each), in the machine's byte order.
const (
	pageHeader  = 16
	metaSize    = 64
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	minPage     = 1 << 10
	maxPage     = 16 << 20
)

// preflight reads both meta pages and refuses a file that is shorter than they
// say. It is safe on a file in use: of two metas one is always whole. torn says
// that one of them is not valid: a crash leaves that behind, but so does damage.
func preflight(path string) (torn bool, err error) {
	f, err := openRegular(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	_, torn, err = metas(f, path)
	return torn, err
}

// openRegular opens a file for reading, and nothing else: opening a pipe would
// wait for ever.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("open %s: %w", path, ErrMissing)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("open %s: %w: it is no regular file", path, ErrForeign)
	}
	return os.Open(path)
}

// metas finds the meta page that counts.
func metas(f *os.File, path string) (best boltMeta, torn bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return best, false, err
	}
	first, ok := readMeta(f, 0)
	page := int64(first.pageSize)
	var second boltMeta
	var ok2 bool
	for size := int64(minPage); !ok2 && size <= maxPage; size *= 2 {
		if !ok || size == page {
			second, ok2 = readMeta(f, size)
			ok2 = ok2 && int64(second.pageSize) == size
		}
	}
	best = first
	if !ok || ok2 && second.tx > first.tx {
		best = second
	}
	switch {
	case ok && !first.plausible() || ok2 && !second.plausible():
		return best, false, fmt.Errorf("open %s: %w: a meta page that no program of ours wrote", path, ErrDamaged)
	case !ok && !ok2:
		return best, false, fmt.Errorf("open %s: %w: no valid meta page in %d bytes", path, ErrDamaged, info.Size())
	case info.Size() < best.size():
		return best, false, fmt.Errorf("open %s: %w: %d bytes, but its pages need %d", path, ErrDamaged, info.Size(), best.size())
	}
	return best, ok != ok2, nil
}

type boltMeta struct {
	pageSize uint32
	root     uint64
	freelist uint64
	pages    uint64
	tx       uint64
}

// size is how many bytes the pages in use need.
func (m boltMeta) size() int64 { return int64(m.pages) * int64(m.pageSize) }

func readMeta(r io.ReaderAt, at int64) (boltMeta, bool) {
	var b [metaSize]byte
	if _, err := r.ReadAt(b[:], at+pageHeader); err != nil {
		return boltMeta{}, false
	}
	n := binary.NativeEndian
	sum := fnv.New64a()
	sum.Write(b[:metaSize-8])
	if n.Uint32(b[:]) != boltMagic || n.Uint32(b[4:]) != boltVersion || n.Uint64(b[metaSize-8:]) != sum.Sum64() {
		return boltMeta{}, false
	}
	m := boltMeta{pageSize: n.Uint32(b[8:]), root: n.Uint64(b[16:]), freelist: n.Uint64(b[32:]), pages: n.Uint64(b[40:]), tx: n.Uint64(b[48:])}
	return m, true
}

// plausible refuses what bbolt would believe because its checksum is right.
func (m boltMeta) plausible() bool {
	return powerOfTwo(m.pageSize) && m.pageSize >= minPage && m.pageSize <= maxPage && m.pages >= 4 && m.pages < 1<<39
}

// readFileMeta reads what the file says about itself, or names why it cannot be
// one of ours.
func readFileMeta(tx *bolt.Tx) (fileMeta, error) {
	var m fileMeta
	b := tx.Bucket(bucketMeta)
	if b == nil || len(b.Get(keySchema)) != 4 {
		return m, ErrForeign
	}
	m.schema = binary.BigEndian.Uint32(b.Get(keySchema))
	if m.schema > Schema {
		return m, fmt.Errorf("%w: schema %d, this program knows %d", ErrNewer, m.schema, Schema)
	}
	for _, name := range buckets() {
		if tx.Bucket(name) == nil {
			return m, fmt.Errorf("%w: bucket %s is missing", ErrDamaged, name)
		}
	}
	m.env, m.epoch, m.copied = string(b.Get(keyEnv)), string(b.Get(keyEpoch)), b.Get(keyCopy) != nil
	var created instant
	if err := unseal(b.Get(keyCreated), &created); err != nil {
		return m, fmt.Errorf("%w: meta %s: %w", ErrDamaged, keyCreated, err)
	}
	m.created = created.time()
	if v := b.Get(keyHead); v != nil {
		if err := unseal(v, &m.head); err != nil {
			return m, fmt.Errorf("%w: meta %s: %w", ErrDamaged, keyHead, err)
		}
	}
	if n := len(m.head.Link); n != 0 && n != len(link{}) {
		return m, fmt.Errorf("%w: meta %s: a link of %d bytes", ErrDamaged, keyHead, n)
	}
	return m, nil
}

func (h headRec) link() link {
	var l link
	copy(l[:], h.Link)
	return l
}

// admit reads the file's marker, refuses a foreign one, and gives a copy that
// is opened for the first time an epoch of its own: what clients of the
// original have seen may never have happened here.
func admit(db *bolt.DB, o Options) (fileMeta, error) {
	var m fileMeta
	read := func() error {
		return guarded(func() error {
			return db.View(func(tx *bolt.Tx) (err error) {
				m, err = readFileMeta(tx)
				return err
			})
		})
	}
	if err := read(); err != nil {
		return m, err
	}
	if o.Env != "" && m.env != o.Env {
		return m, fmt.Errorf("%w: %q, not %q", ErrEnv, m.env, o.Env)
	}
	if m.schema < Schema {
		if err := migrate(db, m.schema, o); err != nil {
			return m, err
		}
		if err := read(); err != nil {
			return m, err
		}
	}
	if !m.copied || o.Following != "" {
		return m, nil
	}
	err := inTx(db, func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketMeta)
		if err := b.Put(keyEpoch, []byte(o.NewUUID())); err != nil {
			return err
		}
		return b.Delete(keyCopy)
	})
	if err != nil {
		return m, fmt.Errorf("begin a new epoch: %w", err)
	}
	return m, read()
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// lastSeq is the last journal key.
func lastSeq(tx *bolt.Tx) (plant.Seq, error) {
	k, _ := tx.Bucket(bucketJournal).Cursor().Last()
	if k == nil {
		return 0, nil
	}
	return keySeq(k)
}
