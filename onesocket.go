package main

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// handshake is the first byte of every TLS connection; no HTTP method begins
// with it.
const handshake = 0x16

// oneSocket is a listener that serves HTTPS and, on the same port, whoever came
// with plain HTTP: it reads the first byte of a connection and hands out a
// *tls.Conn or the connection as it is. Who says nothing within a time is hung
// up on. Waiting for the byte happens beside Accept, so nobody waits for a slow
// client.
type oneSocket struct {
	net.Listener
	config *tls.Config
	within time.Duration
	now    func() time.Time

	ready  chan net.Conn
	broken chan error
	done   chan struct{}
	close  sync.Once
}

func newOneSocket(l net.Listener, config *tls.Config, within time.Duration, now func() time.Time) *oneSocket {
	s := &oneSocket{Listener: l, config: config, within: within, now: now,
		ready: make(chan net.Conn), broken: make(chan error), done: make(chan struct{})}
	go s.listen()
	return s
}

// listen ends with the listener.
func (s *oneSocket) listen() {
	for {
		c, err := s.Listener.Accept()
		if err == nil {
			go s.sort(c)
			continue
		}
		select {
		case s.broken <- err: // the server waits before it asks again
		case <-s.done:
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// sort finds out what a connection speaks.
func (s *oneSocket) sort(c net.Conn) {
	begun := &begunConn{Conn: c}
	err := c.SetReadDeadline(s.now().Add(s.within))
	if err == nil {
		_, err = c.Read(begun.first[:])
	}
	if err == nil {
		err = c.SetReadDeadline(time.Time{})
	}
	if err != nil {
		_ = c.Close() // it said nothing
		return
	}
	begun.unread = true
	var out net.Conn = begun
	if begun.first[0] == handshake {
		out = tls.Server(begun, s.config)
	}
	select {
	case s.ready <- out:
	case <-s.done:
		_ = c.Close() // it was not served
	}
}

// Accept gives the next connection that has said something.
func (s *oneSocket) Accept() (net.Conn, error) {
	select {
	case c := <-s.ready:
		return c, nil
	case err := <-s.broken:
		return nil, err
	case <-s.done:
		return nil, net.ErrClosed
	}
}

// Close stops listening; connections handed out stay.
func (s *oneSocket) Close() error {
	s.close.Do(func() { close(s.done) })
	return s.Listener.Close()
}

// begunConn gives the byte back that was read ahead. One goroutine reads.
type begunConn struct {
	net.Conn
	first  [1]byte
	unread bool
}

func (c *begunConn) Read(p []byte) (int, error) {
	if c.unread && len(p) > 0 {
		c.unread = false
		p[0] = c.first[0]
		return 1, nil
	}
	return c.Conn.Read(p)
}
