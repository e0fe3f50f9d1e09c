//go:build unix

package migration

import (
	"errors"
	"os"
)

// syncDir makes a change of names in a folder durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
