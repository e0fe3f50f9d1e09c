package store_test

import (
	"bytes"
	"os"
	"reflect"
	"sync"
	"testing"
	"unsafe"

	"envivo/plant"
	"envivo/store"
)

// disk lies between bbolt and its file. It records every write, and it can make
// one write, sync or growth fail: not done, half done, or done but reported
// failed. Writes go through a function that bbolt keeps in a field; syncs and
// growth go to the file itself, which the disk exchanges for a pipe that
// refuses both.
type disk struct {
	file  **os.File // bbolt's own
	write *func([]byte, int64) (int, error)
	real  *os.File
	dead  *os.File
	fixed *os.File // refuses another size
	page  int64

	mu   sync.Mutex
	log  []stroke
	hurt *hurt
	n    int // strokes since the hurt was set
}

// stroke is one thing that happened to the file.
type stroke struct {
	kind kind
	off  int64
	data []byte    // of a write
	seq  plant.Seq // of an answer: the newest event that somebody was told about
}

type kind uint8

const (
	aWrite kind = iota
	aSync       // everything written before is on the platter
	anAnswer
)

// where names the strokes of a commit: its pages, then their sync, then the
// meta page, then its sync.
type where uint8

const (
	atGrowth where = iota
	atPage
	atPagesSync
	atMeta
	atMetaSync
)

// how is what becomes of the stroke that fails.
type how uint8

const (
	notDone how = iota
	halfDone
	butDone // done but reported failed
)

// hurt makes one stroke fail.
type hurt struct {
	at   where
	page int // which page write, from 0
	how  how
	err  error // what a write reports; syncs and growth report their own
	hit  bool
}

// layDisk puts a disk under a store that has nothing to do at the moment.
func layDisk(t testing.TB, st *store.Bolt) *disk {
	t.Helper()
	db := reflect.ValueOf(st.DB()).Elem()
	write := db.FieldByName("ops").FieldByName("writeAt")
	file := db.FieldByName("file")
	if !write.IsValid() || !file.IsValid() {
		t.Fatal("this bbolt keeps its file elsewhere: the disk of the tests must learn where")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() }) // nothing was in it
	d := &disk{page: int64(st.DB().Info().PageSize), dead: w}
	d.file = (**os.File)(unsafe.Pointer(file.UnsafeAddr()))
	d.write = (*func([]byte, int64) (int, error))(unsafe.Pointer(write.UnsafeAddr()))
	d.real = *d.file
	*d.write = d.writeAt
	return d
}

// fail makes one stroke of the next commit fail. A growth is broken before the
// commit begins: the same file, open for reading only, knows its size and refuses
// another one.
func (d *disk) fail(h *hurt) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hurt, d.n = h, 0
	if h.at != atGrowth {
		return nil
	}
	h.hit = true
	var err error
	if d.fixed, err = os.Open(d.real.Name()); err == nil {
		*d.file = d.fixed
	}
	return err
}

// grow is the growth that was done although it was reported failed.
func (d *disk) grow() error {
	info, err := d.real.Stat()
	if err != nil {
		return err
	}
	return d.real.Truncate(info.Size() + 16<<20)
}

// heal gives bbolt its file back; the store must have come to rest.
func (d *disk) heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hurt = nil
	*d.file = d.real
	if d.fixed != nil {
		_ = d.fixed.Close() // it was only read
		d.fixed = nil
	}
}

// answered notes that somebody was told about every event up to seq.
func (d *disk) answered(seq plant.Seq) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, stroke{kind: anAnswer, seq: seq})
}

// strokes is what happened so far.
func (d *disk) strokes() []stroke {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]stroke(nil), d.log...)
}

// writeAt is what bbolt calls for every page. bbolt syncs before and after each
// meta page: the rows of TestFaultTable about these syncs prove it, for a sync
// that is not there cannot fail.
func (d *disk) writeAt(b []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	meta := off < 2*d.page
	if meta {
		d.log = append(d.log, stroke{kind: aSync})
	}
	d.log = append(d.log, stroke{kind: aWrite, off: off, data: bytes.Clone(b)})
	n := d.n
	d.n++
	h := d.hurt
	if h == nil {
		return d.through(b, off, meta)
	}
	switch {
	case h.at == atPage && !meta && n == h.page, h.at == atMeta && meta:
		h.hit = true
		return d.broken(h, b, off)
	case h.at == atPagesSync && !meta && n == h.page, h.at == atMetaSync && meta:
		h.hit = true
		_, err := d.through(b, off, meta)
		if err == nil && h.how == butDone {
			err = d.real.Sync()
		}
		*d.file = d.dead
		return len(b), err
	}
	return d.through(b, off, meta)
}

func (d *disk) through(b []byte, off int64, meta bool) (int, error) {
	n, err := d.real.WriteAt(b, off)
	if meta && err == nil {
		d.log = append(d.log, stroke{kind: aSync})
	}
	return n, err
}

// metaSum is where the checksum at the end of a meta page begins.
const metaSum = 72

// broken carries out a write as far as the hurt says. Half a meta page lacks its
// checksum.
func (d *disk) broken(h *hurt, b []byte, off int64) (int, error) {
	n := 0
	switch h.how {
	case halfDone:
		if n = len(b) / 2; h.at == atMeta {
			n = metaSum
		}
	case butDone:
		n = len(b)
	}
	if _, err := d.real.WriteAt(b[:n], off); err != nil {
		return 0, err
	}
	return n, h.err
}
