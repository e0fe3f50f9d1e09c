package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"envivo/plant"
	"envivo/store"
)

// plantCopies is a backup loop over a pretended store at *seq.
func plantCopies(t *testing.T, seq *plant.Seq) *backups {
	return &backups{dir: filepath.Join(t.TempDir(), "backups"), every: time.Hour, keep: retention{newest: 3}, now: time.Now, log: slog.New(slog.DiscardHandler),
		copy: func(_ context.Context, path string) (store.Report, error) {
			return store.Report{Seq: *seq}, os.WriteFile(path, []byte("copy"), 0o600)
		},
		seq: func() plant.Seq { return *seq }}
}

func TestBackupsKeepTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seq := plant.Seq(1)
		b := plantCopies(t, &seq)
		var first string
		for i := range 5 {
			if err := b.once(t.Context()); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = b.names()[0]
			}
			seq++
			<-time.After(time.Hour) // the bubble's clock
		}
		if got := len(b.names()); got != 3 {
			t.Errorf("%d copies are kept, want 3", got)
		}
		if _, err := os.Stat(first); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the oldest copy is still there (%v), want it removed", err)
		}
	})
}

func TestAnIdlePlantTakesNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seq := plant.Seq(7)
		b := plantCopies(t, &seq)
		for range 3 {
			if err := b.once(t.Context()); err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Hour) // the bubble's clock
		}
		if got := len(b.names()); got != 1 {
			t.Errorf("%d copies of a store in which nothing happened, want 1", got)
		}
	})
}

func TestOtherFilesInTheFolderStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seq := plant.Seq(1)
		b := plantCopies(t, &seq)
		b.keep.newest = 1
		if err := os.MkdirAll(b.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		mine := filepath.Join(b.dir, "plant-before-the-moveZ.db")
		if err := os.WriteFile(mine, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			seq++
			if err := b.once(t.Context()); err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Hour) // the bubble's clock
		}
		if _, err := os.Stat(mine); err != nil {
			t.Errorf("a file of the operator is gone: %v", err)
		}
	})
}

func TestACopyOverdueAtStartIsMadeSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seq := plant.Seq(1)
		b := plantCopies(t, &seq)
		if err := b.once(t.Context()); err != nil {
			t.Fatal(err)
		}
		seq++
		<-time.After(30 * time.Hour) // the bubble's clock: the box was off
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.run(ctx) }()
		<-time.After(2 * time.Minute)
		if got := len(b.names()); got != 2 {
			t.Errorf("%d copies two minutes after a start with an old one, want 2", got)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run = %v after its context ended, want nil", err)
		}
	})
}

func TestAFailedCopyIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seq := plant.Seq(1)
		b := plantCopies(t, &seq)
		tries := 0
		b.copy = func(context.Context, string) (store.Report, error) {
			tries++
			return store.Report{}, errors.New("no space")
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.run(ctx) }()
		<-time.After(30 * time.Minute) // the bubble's clock
		cancel()
		<-done
		if tries < 3 {
			t.Errorf("a failing copy was tried %d times in half an hour, want at least 3", tries)
		}
	})
}
