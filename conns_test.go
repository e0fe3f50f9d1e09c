package main

import (
	"bytes"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// gated listens behind a gate and gives what it accepts.
func gated(t *testing.T, each int, log io.Writer) (*gate, <-chan net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := newGate(l, each, time.Now, slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() { _ = l.Close() }) // the test is over
	in := make(chan net.Conn)
	go func() {
		defer close(in)
		for {
			c, err := g.Accept()
			if err != nil {
				return
			}
			in <- c
		}
	}()
	return g, in
}

func dialed(t *testing.T, g *gate) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", g.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // the test is over
	return c
}

// kept reports whether another connection is let in; a reset may come as early
// as the dial.
func kept(t *testing.T, g *gate) bool {
	t.Helper()
	c, err := net.Dial("tcp", g.Addr().String())
	if err != nil {
		return false
	}
	t.Cleanup(func() { _ = c.Close() }) // the test is over
	_, err = c.Read(make([]byte, 1))
	return err == nil
}

func TestAnAddressHoldsOnlySoManyConnections(t *testing.T) {
	var log bytes.Buffer
	g, in := gated(t, 3, &log)
	var served []net.Conn
	for range 3 {
		dialed(t, g)
		served = append(served, <-in)
	}
	for range 5 {
		if kept(t, g) {
			t.Error("a fourth connection is kept, want it reset")
		}
	}
	for range 2 { // closing twice makes room once
		if err := served[0].Close(); err != nil && !strings.Contains(err.Error(), "closed") {
			t.Fatal(err)
		}
	}
	dialed(t, g)
	served[0] = <-in
	if kept(t, g) {
		t.Error("a fourth connection is kept after one was closed twice, want it reset")
	}
	if n := strings.Count(log.String(), "too many connections"); n != 1 {
		t.Errorf("the log tells of it %d times in a minute, want once:\n%s", n, log.String())
	}
	for _, c := range served {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if g.all != 0 || len(g.open) != 0 || g.refused != 6 {
		t.Errorf("after all closed %d are counted, %v, refused %d; want none and 6", g.all, g.open, g.refused)
	}
}

func TestWhatConnectionsAreCountedBy(t *testing.T) {
	plain, told := newGate(nil, 0, time.Now, nil), newGate(nil, 9, time.Now, nil)
	for _, c := range []struct{ addr, plain, told string }{
		{"10.0.0.7", "10.0.0.7", "10.0.0.7"},
		{"127.0.0.1", "", "127.0.0.1"},
		{"::1", "", "::"},
		{"2001:db8::1", "2001:db8::", "2001:db8::"},
		{"2001:db8::ffff:1", "2001:db8::", "2001:db8::"},
	} {
		a := &net.TCPAddr{IP: net.ParseIP(c.addr), Port: 1}
		if got := plain.from(a); got != c.plain {
			t.Errorf("%s counts as %q, want %q", c.addr, got, c.plain)
		}
		if got := told.from(a); got != c.told {
			t.Errorf("with a limit of its own %s counts as %q, want %q", c.addr, got, c.told)
		}
	}
	if plain.each != addressConns || plain.total > totalConns || plain.total < spareFiles {
		t.Errorf("limits %d and %d", plain.each, plain.total)
	}
}

func TestNoMoreThanAllConnections(t *testing.T) {
	g, in := gated(t, 0, io.Discard)
	g.mu.Lock() // its listener is at work
	g.total = 2
	g.mu.Unlock()
	for range 2 {
		dialed(t, g)
		<-in
	}
	if kept(t, g) {
		t.Error("a third connection of the box's own address is kept, want it reset: the box is full")
	}
}

func TestKnownHosts(t *testing.T) {
	known := knownHost([]string{"envivo.planta.cl"}, &x509.Certificate{DNSNames: []string{"caja.planta.cl"}})
	for _, host := range []string{"192.168.1.5", "192.168.1.5:8080", "[fe80::1]:8080", "[::1]", "localhost:8080", "envivo", "ENVIVO:80", "envivo.local", "envivo.LAN:8080",
		"box.home.arpa", "envivo.planta.cl:443", "Envivo.Planta.cl.", "caja.planta.cl"} {
		if !known(host) {
			t.Errorf("%s is refused", host)
		}
	}
	for _, host := range []string{"evil.example", "evil.example:8080", "192.168.1.5.evil.example", "local.evil.example", "xlocal.com", "planta.cl", "", ":8080", "127.0.0.1.nip.io"} {
		if known(host) {
			t.Errorf("%s is admitted", host)
		}
	}
}

// TestABodyOfAReadIsNotWaitedForWithoutEnd: a GET may announce a body too, and
// the server reads what is left of it after the answer.
func TestABodyOfAReadIsNotWaitedForWithoutEnd(t *testing.T) {
	g, in := gated(t, 0, io.Discard)
	past := func() time.Time { return time.Unix(0, 0) } // deadlines have passed when they are set
	srv := &http.Server{Handler: deadlines(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // only reading is tried here
	}), past)}
	l := &fed{Listener: g.Listener, in: in}
	go func() { _ = srv.Serve(l) }()      // ends with the listener
	t.Cleanup(func() { _ = srv.Close() }) // the test is over
	for _, head := range []string{"Content-Length: 10", "Transfer-Encoding: chunked"} {
		c := dialed(t, g)
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n"+head+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(c); err != nil {
			t.Errorf("a GET with %s is not ended: %v", head, err)
		}
	}
}

// fed is a listener whose connections were accepted elsewhere.
type fed struct {
	net.Listener
	in <-chan net.Conn
}

func (f *fed) Accept() (net.Conn, error) {
	c, ok := <-f.in
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
