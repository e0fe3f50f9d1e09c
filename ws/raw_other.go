//go:build !unix

package ws

import (
	"net"
	"syscall"
)

// rawConn is nil: every write goes through the socket's lane.
func rawConn(net.Conn) syscall.RawConn { return nil }

func (s *socket) writeRaw(uintptr) bool { return true }
