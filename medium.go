package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"envivo/durable"
)

// medium brings the newest copy to a second folder, on another disk. A medium
// that is unplugged, full, or hangs is a warning and tried again: it has a
// goroutine of its own, and nothing waits for it.
type medium struct {
	// from is the folder of the automatic copies, to the second one.
	from, to string
	keep     retention
	now      func() time.Time
	log      *slog.Logger
	// device tells file systems apart: a mount point without its disk is a folder
	// of the first one.
	device func(path string) (uint64, error)
	wake   chan struct{}

	mu      sync.Mutex
	trouble string    // why the last try failed, empty when it did not
	since   time.Time // of the first of a row
	begun   time.Time // of a try that is going on
}

// onMedium is the note about the second medium.
type onMedium struct {
	File string    `json:"file"`
	To   string    `json:"to"`
	At   time.Time `json:"at"`
	// Auto says that the server does it by itself (--backup-copy).
	Auto bool `json:"auto,omitempty"`
}

// mediumAgain is when a failed try is repeated.
const mediumAgain = 5 * time.Minute

// Why nothing was copied.
var (
	errUnplugged = errors.New("the folder is not there: the medium is not connected")
	errSameDisk  = errors.New("the folder lies on the same disk as the store: the medium is not connected, or it is no second one")
)

// told wakes the medium; it never blocks.
func (m *medium) told() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// run copies after each local copy, and again and again while that fails.
func (m *medium) run(ctx context.Context) error {
	for {
		again := time.Duration(0)
		if err := m.once(ctx); err != nil && ctx.Err() == nil {
			m.log.Warn("second medium", "folder", m.to, "err", err)
			again = mediumAgain
		}
		var retry <-chan time.Time
		if again > 0 {
			retry = time.After(again)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-m.wake:
		case <-retry:
		}
	}
}

// once brings the newest local copy over unless it is there already.
func (m *medium) once(ctx context.Context) error {
	names := copiesIn(m.from)
	if len(names) == 0 {
		return nil
	}
	m.mu.Lock()
	m.begun = m.now()
	m.mu.Unlock()
	err := m.bring(ctx, names[len(names)-1])
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begun = time.Time{}
	switch {
	case err == nil:
		m.trouble, m.since = "", time.Time{}
	case m.trouble == "":
		m.since = m.now()
		fallthrough
	default:
		m.trouble = err.Error()
	}
	return err
}

// state is why the last try failed and since when; empty when it did not. A try
// that hangs counts as failing after a while.
func (m *medium) state() (trouble string, since time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.trouble == "" && !m.begun.IsZero() && m.now().Sub(m.begun) > mediumAgain {
		return "the medium does not answer", m.begun
	}
	return m.trouble, m.since
}

func (m *medium) bring(ctx context.Context, file string) error {
	if err := m.present(); err != nil {
		return err
	}
	target := filepath.Join(m.to, filepath.Base(file))
	have, err := os.Stat(target)
	want, err2 := os.Stat(file)
	if err2 != nil {
		return err2
	}
	if err != nil || have.Size() != want.Size() {
		if err := carry(ctx, file, target); err != nil {
			return err
		}
		m.log.Info("copy on the second medium", "file", filepath.Base(file), "folder", m.to)
	}
	if err := writeNote(m.from, noteMedium, onMedium{File: filepath.Base(file), To: m.to, At: m.now(), Auto: true}); err != nil {
		return err
	}
	return m.keep.prune(m.to, m.now())
}

// present refuses a folder that is missing or on the store's own disk.
func (m *medium) present() error {
	info, err := os.Stat(m.to)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return errUnplugged
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no folder", m.to)
	}
	here, err := m.device(m.from)
	if err != nil {
		return err
	}
	there, err := m.device(m.to)
	if err != nil {
		return err
	}
	if here == there {
		return errSameDisk
	}
	return nil
}

// carryPattern is the name of a copy on the medium that is not finished.
const carryPattern = ".envivo-copia-*"

// carry writes a file to another folder, flushes it, reads it back from the
// medium and compares; only then does it get its name.
func carry(ctx context.Context, from, to string) error {
	old, err := filepath.Glob(filepath.Join(filepath.Dir(to), carryPattern))
	for _, name := range old { // of a medium that was pulled out
		err = errors.Join(err, os.Remove(name))
	}
	if err != nil {
		return err
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.CreateTemp(filepath.Dir(to), carryPattern)
	if err != nil {
		return err
	}
	defer os.Remove(dst.Name())
	h := sha256.New()
	_, err = io.Copy(dst, io.TeeReader(ended{ctx, src}, h))
	if err := errors.Join(err, dst.Sync(), dst.Close()); err != nil {
		return err
	}
	back, err := fileHash(ctx, dst.Name())
	if err != nil {
		return fmt.Errorf("read back from the medium: %w", err)
	}
	if back != [32]byte(h.Sum(nil)) {
		return errors.New("the medium gives back other bytes than were written")
	}
	if err := os.Rename(dst.Name(), to); err != nil {
		return err
	}
	_ = durable.SyncFolder(filepath.Dir(to)) // FAT and network folders cannot; the file itself is flushed
	return nil
}

func fileHash(ctx context.Context, path string) (sum [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	uncached(f)
	h := sha256.New()
	if _, err := io.Copy(h, ended{ctx, f}); err != nil {
		return sum, err
	}
	return [32]byte(h.Sum(nil)), nil
}

// ended is a reader that stops with its context.
type ended struct {
	ctx context.Context
	r   io.Reader
}

func (e ended) Read(b []byte) (int, error) {
	if err := e.ctx.Err(); err != nil {
		return 0, err
	}
	return e.r.Read(b)
}
