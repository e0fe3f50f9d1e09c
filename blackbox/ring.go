// Package blackbox keeps a bounded record of what happened on the box, in files
// of JSON lines beside the store: the newest is always there, the oldest goes
// when there is no more room. It is for explaining faults and is no part of the
// plant's truth: what it loses in a crash, or on a full disk, changes nothing.
package blackbox

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// Options say where a ring lies and how much it may hold.
type Options struct {
	// Dir is made when it is missing; the ring is DIR/NAME.jsonl and the older
	// half DIR/NAME.1.jsonl.
	Dir, Name string
	// MaxBytes is the most that both files hold together. At least half of it
	// is kept at any time.
	MaxBytes int64
	// Memory keeps everything in memory too, so that reading costs no disk.
	Memory bool
	Log    *slog.Logger
}

// Ring is a bounded record of values of one type. Add may be called by
// anybody at any time and never waits; Run writes. mu guards kept and older.
type Ring[T any] struct {
	o     Options
	in    chan T
	lost  atomic.Uint64
	ended chan struct{}

	mu sync.Mutex
	// kept is everything in the files and on the way there, oldest first, when
	// Memory is set; the first older of them lie in the older file.
	kept  []T
	older int
}

// waiting is how many values may wait for the disk.
const waiting = 1024

// Open reads what there is. Lines that cannot be read are left out: a crash may
// have torn one. A folder that cannot be used is told to the log and costs
// nothing but the record.
func Open[T any](o Options) *Ring[T] {
	r := &Ring[T]{o: o, in: make(chan T, waiting), ended: make(chan struct{})}
	if !o.Memory {
		return r
	}
	for _, older := range []bool{true, false} {
		if err := r.file(older, func(v T) bool { r.kept = append(r.kept, v); return true }); err != nil {
			o.Log.Warn("an older record cannot be read", "err", err)
		}
		if older {
			r.older = len(r.kept)
		}
	}
	return r
}

func (r *Ring[T]) path(older bool) string {
	if older {
		return filepath.Join(r.o.Dir, r.o.Name+".1.jsonl")
	}
	return filepath.Join(r.o.Dir, r.o.Name+".jsonl")
}

// file reads one of the two files, oldest first, until yield returns false.
func (r *Ring[T]) file(older bool, yield func(T) bool) error {
	f, err := os.Open(r.path(older))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the record %s: %w", r.o.Name, err)
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		var v T
		if len(bytes.TrimSpace(line)) > 0 && json.Unmarshal(line, &v) == nil && !yield(v) {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the record %s: %w", r.o.Name, err)
		}
	}
}

// Add records a value. When the disk is so far behind that it would have to
// wait, the value is counted as lost instead.
func (r *Ring[T]) Add(v T) {
	if r.o.Memory {
		r.mu.Lock()
		defer r.mu.Unlock()
	}
	select {
	case r.in <- v:
		if r.o.Memory {
			r.kept = append(r.kept, v)
		}
	default:
		r.lost.Add(1)
	}
}

// Lost is how many values found no place since the start.
func (r *Ring[T]) Lost() uint64 { return r.lost.Load() }

// All walks over what is kept, oldest first, until yield returns false. Without
// Memory it reads the files, which lack what is still on its way there.
func (r *Ring[T]) All(yield func(T) bool) error {
	if !r.o.Memory {
		if err := r.file(true, yield); err != nil {
			return err
		}
		return r.file(false, yield)
	}
	r.mu.Lock()
	all := r.kept[:len(r.kept):len(r.kept)]
	r.mu.Unlock()
	for _, v := range all {
		if !yield(v) {
			return nil
		}
	}
	return nil
}

// Run writes what is added until ctx ends, and then what is left.
func (r *Ring[T]) Run(ctx context.Context) error {
	defer close(r.ended)
	w := &writer[T]{ring: r}
	defer w.close()
	for {
		select {
		case v := <-r.in:
			w.write(r.gather(v))
		case <-ctx.Done():
			for {
				select {
				case v := <-r.in:
					w.write(r.gather(v))
				default:
					return nil
				}
			}
		}
	}
}

// atOnce is how many values one write takes: few enough to fit a file.
const atOnce = 64

// gather takes what else is waiting: one write for all of it.
func (r *Ring[T]) gather(first T) []T {
	all := []T{first}
	for len(all) < atOnce {
		select {
		case v := <-r.in:
			all = append(all, v)
		default:
			return all
		}
	}
	return all
}

// writer is the file that is being written; Run's goroutine owns it.
type writer[T any] struct {
	ring *Ring[T]
	f    *os.File
	size int64
	// failing keeps a full disk from filling the log as well.
	failing bool
}

// write puts the values into the files, in pieces of which each fits into one
// file: however many came together, the two hold no more than they may.
func (w *writer[T]) write(all []T) {
	var piece, one bytes.Buffer
	values := 0
	enc := json.NewEncoder(&one)
	enc.SetEscapeHTML(false)
	for i, v := range all {
		one.Reset()
		if err := enc.Encode(v); err != nil {
			w.ring.o.Log.Error("encode a record", "name", w.ring.o.Name, "err", err)
		}
		if piece.Len() > 0 && int64(piece.Len()+one.Len()) > w.ring.o.MaxBytes/2 {
			w.flush(piece.Bytes(), values, len(all)-i+values)
			piece.Reset()
			values = 0
		}
		piece.Write(one.Bytes())
		values++
	}
	w.flush(piece.Bytes(), values, values)
}

// flush writes one piece, which holds so many values; ahead are those not in
// the files yet, with this piece's.
func (w *writer[T]) flush(piece []byte, values, ahead int) {
	if err := w.append(piece, ahead); err != nil {
		w.ring.lost.Add(uint64(values))
		if !w.failing {
			w.ring.o.Log.Warn("the record of what happens cannot be written", "name", w.ring.o.Name, "err", err)
		}
		w.failing = true
		w.close()
		return
	}
	w.failing = false
}

func (w *writer[T]) append(b []byte, ahead int) error {
	if w.f == nil {
		if err := w.open(); err != nil {
			return err
		}
	}
	if w.size > 0 && w.size+int64(len(b)) > w.ring.o.MaxBytes/2 {
		if err := w.turn(ahead); err != nil {
			return err
		}
	}
	n, err := w.f.Write(b)
	w.size += int64(n)
	return err
}

// open continues the newer file. A line that a crash tore is ended first.
func (w *writer[T]) open() error {
	if err := os.MkdirAll(w.ring.o.Dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(w.ring.path(false), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	w.f, w.size = f, info.Size()
	if w.size == 0 {
		return nil
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], w.size-1); err != nil {
		return err
	}
	if last[0] != '\n' {
		n, err := f.Write([]byte{'\n'})
		w.size += int64(n)
		return err
	}
	return nil
}

// turn makes the newer file the older one; the older one goes. Ahead are the
// values that were taken from the channel and are not in the files yet.
func (w *writer[T]) turn(ahead int) error {
	w.close()
	if err := os.Rename(w.ring.path(false), w.ring.path(true)); err != nil {
		return err
	}
	w.ring.turned(ahead)
	return w.open()
}

// turned forgets what lay in the older file. What is still on its way to the
// disk, those ahead and the channel's, will lie in the newer one.
func (r *Ring[T]) turned(ahead int) {
	if !r.o.Memory {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append([]T(nil), r.kept[r.older:]...)
	r.older = max(0, len(r.kept)-len(r.in)-ahead)
}

func (w *writer[T]) close() {
	if w.f == nil {
		return
	}
	if err := w.f.Close(); err != nil {
		w.ring.o.Log.Warn("close the record", "name", w.ring.o.Name, "err", err)
	}
	w.f = nil
}

// Wait returns when Run has written everything, or ctx ends.
func (r *Ring[T]) Wait(ctx context.Context) error {
	select {
	case <-r.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Copy writes what the files hold, oldest first, as it is.
func (r *Ring[T]) Copy(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	var failed error
	err := r.All(func(v T) bool {
		failed = enc.Encode(v)
		return failed == nil
	})
	return errors.Join(err, failed)
}
