//go:build unix

package main

import "golang.org/x/sys/unix"

// diskSpace is the space on the file system of a path: what this user may still
// write, and all of it.
func diskSpace(path string) (free, total uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, 0, err
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), nil
}
