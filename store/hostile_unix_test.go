//go:build unix

package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"envivo/store"
	"envivo/store/storetest"
)

func TestLinksAndPipesAreNotRestored(t *testing.T) {
	path := filled(t)
	link, pipe := filepath.Join(t.TempDir(), "link.db"), filepath.Join(t.TempDir(), "pipe.db")
	if err := errors.Join(os.Symlink(path, link), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	c := storetest.ToyConfig(storetest.Toy{}, storetest.NewClock())
	for file, want := range map[string]string{link: "symbolic link", pipe: "no regular file", "/dev/zero": "no regular file", t.TempDir(): "no regular file"} {
		dir := t.TempDir()
		_, err := store.Restore(file, dir, false, store.CheckOptions{Evolve: c.Evolve, Rules: c.Rules})
		if !errors.Is(err, store.ErrForeign) || !strings.Contains(err.Error(), want) {
			t.Errorf("restore of %s = %v, want %q", file, err, want)
		}
	}
}
