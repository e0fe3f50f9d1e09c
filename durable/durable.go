// Package durable replaces files so that a power cut leaves the old one or the
// new one, whole. It knows nothing of the plant.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace puts what write writes at path, with the given permissions. When it
// returns nil the new file is on the disk under that name; when write or anything
// before the renaming fails, the old file is as it was. After an error of the
// flushing at the very end either may be there after a power cut, each of them whole.
//
// A process that dies inside leaves a hidden file beside path, .NAME-*.
func Replace(path string, perm fs.FileMode, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("replace %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // in vain once it was renamed
	if err := write(f); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Chmod(perm), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("replace %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("replace %s: %w", path, err)
	}
	return SyncFolder(filepath.Dir(path))
}
