//go:build unix

package main

import "golang.org/x/sys/unix"

// openFiles is how many files this process may have open.
func openFiles() int {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return totalConns + spareFiles
	}
	return int(min(r.Cur, totalConns+spareFiles))
}
