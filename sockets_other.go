//go:build !windows

package main

import (
	"errors"
	"syscall"
)

// refused reports that nobody listens at a socket's file, such as after a crash.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// noSockets reports that this system has no sockets in files.
func noSockets(err error) bool { return errors.Is(err, syscall.EAFNOSUPPORT) }
