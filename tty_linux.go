package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// hideInput switches the terminal's echo off and returns what switches it on
// again; ok is false when f is no terminal.
func hideInput(f *os.File) (restore func(), ok bool) {
	fd := int(f.Fd())
	was, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, false
	}
	now := *was
	now.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &now); err != nil {
		return nil, false
	}
	return func() {
		_ = unix.IoctlSetTermios(fd, unix.TCSETS, was) // the terminal is going away if this fails
	}, true
}
