package store

import (
	"errors"
	"syscall"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// initialMap reserves address space, which costs nothing here, so that the
// writer does not have to wait for readers when the file grows: bbolt maps it
// anew then, from 1 GiB on at every further one, and a backup or a compaction
// reads for as long as it copies. 64 GiB is a century of events; where addresses
// have 32 bits it is 1 GiB.
const initialMap = 1 << (30 + 6*(^uint(0)>>63))

func sysOptions(o *bolt.Options) { o.InitialMmapSize = initialMap }

// diskFull reports an error after which bbolt has rolled back and may go on.
func diskFull(err error) bool {
	return errors.Is(err, berrors.ErrMaxSizeReached) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
