//go:build unix

package ws

import (
	"net"
	"syscall"
)

// rawConn is the descriptor under c, nil when c hides it.
func rawConn(c net.Conn) syscall.RawConn {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// writeRaw writes s.out to a descriptor that is in non-blocking mode, as every
// descriptor of package net is. It reports that it is done whatever happened:
// waiting is the lane's business.
func (s *socket) writeRaw(fd uintptr) bool {
	for s.sent < len(s.out) {
		n, err := syscall.Write(int(fd), s.out[s.sent:])
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return true
		case err != nil:
			s.failed = err
			return true
		default:
			s.sent += n
		}
	}
	return true
}
