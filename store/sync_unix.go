//go:build unix

package store

import (
	"errors"
	"os"
)

// syncDir makes a change of names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
