//go:build !linux

package store

import (
	"errors"
	"runtime"
	"syscall"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// sysOptions leaves the map as it is: elsewhere bbolt would extend the file
// itself to the size of the map.
func sysOptions(*bolt.Options) {}

// windowsDiskFull is ERROR_DISK_FULL.
const windowsDiskFull = syscall.Errno(112)

// diskFull reports an error after which bbolt has rolled back and may go on.
func diskFull(err error) bool {
	return errors.Is(err, berrors.ErrMaxSizeReached) || errors.Is(err, syscall.ENOSPC) ||
		runtime.GOOS == "windows" && errors.Is(err, windowsDiskFull)
}
