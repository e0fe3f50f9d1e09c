package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func TestReplaceGivesTheWholeFileOrLeavesTheOldOne(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hoja.html")
	no := errors.New("no")
	for _, c := range []struct {
		name  string
		write func(io.Writer) error
		err   error
		want  string
	}{
		{"a new file", text("uno"), nil, "uno"},
		{"another", text("dos"), nil, "dos"},
		{"fails half way", func(w io.Writer) error { return errors.Join(text("tr")(w), no) }, no, "dos"},
	} {
		if err := Replace(path, 0o640, c.write); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != c.want {
			t.Errorf("%s: %q and %v, want %q", c.name, got, err, c.want)
		}
		if all, err := os.ReadDir(dir); err != nil || len(all) != 1 {
			t.Errorf("%s leaves %v beside (%v)", c.name, all, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o200 == 0 || info.Mode().Perm()&0o007 != 0 && os.PathSeparator == '/' {
		t.Errorf("mode %v (%v), want -rw-r-----", info.Mode(), err)
	}
	if err := Replace(filepath.Join(dir, "no", "hay.html"), 0o640, text("x")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("into a folder that is not there: %v", err)
	}
	if err := Replace(dir, 0o640, text("x")); err == nil {
		t.Error("a folder was replaced by a file")
	}
}
