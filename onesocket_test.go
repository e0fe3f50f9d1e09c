package main

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"envivo/localca"
)

// oneDoor serves what a request came with, on one port for both.
func oneDoor(t *testing.T, within time.Duration) (addr string, client *http.Client, server *http.Server, ended chan error) {
	t.Helper()
	a, err := localca.Open(localca.Options{Dir: t.TempDir(), Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Cover(localca.Names{IP: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &secured{authority: a}
	server = &http.Server{ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, map[bool]string{true: "HTTPS", false: "HTTP"}[r.TLS != nil]+" "+r.Method)
		})}
	ended = make(chan error, 1)
	go func() { ended <- server.Serve(newOneSocket(l, s.config(), within, time.Now)) }()
	t.Cleanup(func() { server.Close() })
	pool := x509.NewCertPool()
	pool.AddCert(a.Root())
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(tr.CloseIdleConnections)
	return l.Addr().String(), &http.Client{Transport: tr}, server, ended
}

func ask(t *testing.T, c *http.Client, method, url string) string {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestOnePortSpeaksBoth: HTTPS and plain HTTP on the same port, while others
// hold a connection and say nothing.
func TestOnePortSpeaksBoth(t *testing.T) {
	addr, client, server, ended := oneDoor(t, time.Minute)
	for range 50 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	for range 2 { // the second time on the kept connection
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if got := ask(t, client, method, "https://"+addr); got != "HTTPS "+method {
				t.Errorf("over TLS the handler sees %q", got)
			}
			if got := ask(t, client, method, "http://"+addr); got != "HTTP "+method {
				t.Errorf("without TLS the handler sees %q", got)
			}
		}
	}
	client.CloseIdleConnections()
	if err := server.Shutdown(t.Context()); err != nil {
		t.Errorf("with silent connections open the server does not stop: %v", err)
	}
	if err := <-ended; err != http.ErrServerClosed {
		t.Errorf("Serve ended with %v", err)
	}
}

// TestWhoSaysNothingIsHungUpOn, and so is who speaks neither.
func TestWhoSaysNothingIsHungUpOn(t *testing.T) {
	addr, _, _, _ := oneDoor(t, 50*time.Millisecond)
	for _, words := range []string{"", "\x16", "\x16\x03\x01\xff\xff", "\x00\x01\x02\r\n\r\n"} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, words); err != nil {
			t.Fatal(err)
		}
		if words == "\x16" { // the handshake's own deadline is the server's; half of one ends here
			_ = c.(*net.TCPConn).CloseWrite()
		}
		if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%q: the connection stays open: %v", words, err)
		}
		c.Close()
	}
}
