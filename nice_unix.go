//go:build unix

package main

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// lowPriority lets the floor go first. It is a kindness: failing changes nothing.
func lowPriority(pid int) {
	_ = unix.Setpriority(unix.PRIO_PROCESS, pid, 10)
}

// deviceOf tells file systems apart.
func deviceOf(path string) (uint64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Dev), nil
	}
	return 0, nil
}
