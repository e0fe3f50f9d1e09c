package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"envivo/plant"
)

// backups puts verified copies of a running store into a folder and keeps the
// newest of them. One goroutine runs it.
type backups struct {
	dir   string
	every time.Duration
	keep  int
	now   func() time.Time
	log   *slog.Logger
	// copy makes one verified copy; seq is the store's newest event.
	copy func(ctx context.Context, path string) error
	seq  func() plant.Seq

	last plant.Seq    // what the newest copy contains, 0 when unknown
	good atomic.Int64 // unix seconds of the last proof that the newest copy is current
}

// backupStamp is the instant in a copy's name, in UTC so that names sort.
const backupStamp = "20060102T150405Z"

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
		b.good.Store(b.now().Unix())
		return os.Chtimes(names[len(names)-1], time.Time{}, b.now())
	}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(b.dir, "plant-"+b.now().UTC().Format(backupStamp)+".db")
	if err := b.copy(ctx, path); err != nil {
		return fmt.Errorf("copy the store to %s: %w", filepath.Base(path), err)
	}
	if err := os.Chtimes(path, time.Time{}, b.now()); err != nil { // due goes by our clock
		return err
	}
	b.last = seq
	b.good.Store(b.now().Unix())
	b.log.Info("backup", "file", filepath.Base(path), "seq", seq)
	return b.prune()
}

// names lists the automatic copies, oldest first.
func (b *backups) names() []string {
	all, err := filepath.Glob(filepath.Join(b.dir, "plant-*Z.db"))
	if err != nil {
		return nil
	}
	all = slices.DeleteFunc(all, func(name string) bool {
		stamp := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "plant-"), ".db")
		_, err := time.Parse(backupStamp, stamp)
		return err != nil
	})
	slices.Sort(all)
	return all
}

// prune removes the oldest automatic copies; files somebody else put into the
// folder stay.
func (b *backups) prune() error {
	names := b.names()
	for len(names) > b.keep {
		if err := os.Remove(names[0]); err != nil {
			return err
		}
		names = names[1:]
	}
	return nil
}
