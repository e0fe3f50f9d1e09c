package main

import (
	"errors"

	"golang.org/x/sys/windows"
)

// refused reports that nobody listens at a socket's file, such as after a crash.
// Windows says so by a number of its own, which syscall.ECONNREFUSED is not.
func refused(err error) bool { return errors.Is(err, windows.WSAECONNREFUSED) }

// noSockets reports that this system has no sockets in files (before Windows 10
// of 2018).
func noSockets(err error) bool { return errors.Is(err, windows.WSAEAFNOSUPPORT) }
