package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"envivo/plant"
	"envivo/store"
)

// backups puts proven copies of a running store into a folder and keeps those
// that the retention asks for. One goroutine runs it.
type backups struct {
	dir   string
	every time.Duration
	keep  retention
	now   func() time.Time
	log   *slog.Logger
	// copy makes one verified copy; seq is the store's newest event.
	copy func(ctx context.Context, path string) (store.Report, error)
	seq  func() plant.Seq
	// news is told after each copy, and after each proof that the newest one is
	// still current; it must not block.
	news func()

	last plant.Seq // what the newest copy contains, 0 when unknown
}

// run makes copies until ctx ends. After a restart the next one is due when it
// would have been, so a box that is switched off every night has its copies too.
func (b *backups) run(ctx context.Context) error {
	if b.every == 0 {
		return nil
	}
	wait := b.due()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = b.every
		if err := b.once(ctx); err != nil && ctx.Err() == nil {
			b.log.Error("backup", "err", err)
			wait = min(b.every, 5*time.Minute)
		}
	}
}

// due is the time until the next copy.
func (b *backups) due() time.Duration {
	names := b.names()
	if len(names) == 0 {
		return min(b.every, time.Minute)
	}
	info, err := os.Stat(names[len(names)-1])
	if err != nil {
		return min(b.every, time.Minute)
	}
	return min(max(b.every-b.now().Sub(info.ModTime()), min(b.every, time.Minute)), b.every)
}

// once makes a copy unless nothing happened since the last one: the copies kept
// reach further back when idle nights and Sundays take no place.
func (b *backups) once(ctx context.Context) error {
	seq := b.seq()
	if seq == 0 {
		return nil
	}
	if names := b.names(); seq == b.last && len(names) > 0 {
		err := os.Chtimes(names[len(names)-1], time.Time{}, b.now())
		b.tell()
		return err
	}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(b.dir, copyName(b.now()))
	r, err := b.copy(ctx, path)
	if err != nil {
		return fmt.Errorf("copy the store to %s: %w", filepath.Base(path), err)
	}
	if err := writeNote(b.dir, noteProof, proof{File: filepath.Base(path), Seq: r.Seq, Head: r.Head, Epoch: r.Epoch}); err != nil {
		return err
	}
	if err := os.Chtimes(path, time.Time{}, b.now()); err != nil { // due goes by our clock
		return err
	}
	b.last = seq
	b.log.Info("backup", "file", filepath.Base(path), "seq", seq)
	b.tell()
	return b.keep.prune(b.dir, b.now())
}

func (b *backups) tell() {
	if b.news != nil {
		b.news()
	}
}

// names lists the automatic copies, oldest first.
func (b *backups) names() []string { return copiesIn(b.dir) }
