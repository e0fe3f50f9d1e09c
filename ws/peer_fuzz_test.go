package ws

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"envivo/plant"
	"envivo/store/storetest"
)

// FuzzPeer: whatever bytes follow on a connection that asks for a stream, and
// wherever it says that it continues, the box lets go of it when it ends, and
// another reader sees every event once.
func FuzzPeer(f *testing.F) {
	b := newBox(f, nil)
	b.do(storetest.Hire(1, "Ana"))
	for _, sent := range []string{
		"\x81\x84\x00\x00\x00\x00ping", "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x89\x80\x00\x00\x00\x00", "\x88\x82\x00\x00\x00\x00\x03\xe8",
		"\x81\x8f\x00\x00\x00\x00{\"kind\":\"ping\"}", "\x01\x81\x00\x00\x00\x00x\x80\x81\x00\x00\x00\x00y", "", "GET / HTTP/1.1\r\n\r\n",
	} {
		f.Add(uint8(0), "after=1", "", sent)
	}
	f.Add(uint8(1), "view=/x&rev=%ff&epoch=x", "", "\x81\x80\x00\x00\x00\x00")
	f.Add(uint8(2), "after=18446744073709551616", "-1", "")
	tries := 0
	f.Fuzz(func(t *testing.T, which uint8, query, last, sent string) {
		mine := *b
		mine.t = t
		mine.visited([]string{"/ws", "/ws/ui", "/sse"}[which%3], query, last, sent)
		if tries++; tries%8 != 1 {
			return
		}
		at := mine.hub.Stats().Head
		c := mine.dial(fmt.Sprint("/ws?after=", at))
		var e plant.Event
		if tries%16 == 1 {
			e = mine.do(storetest.Take("", "A-1", 1))
		} else {
			e = mine.do(storetest.Pause("", "A-1", 1))
		}
		if err := mine.follow(c, at, e.Seq); err != nil {
			t.Fatalf("another reader, %v", err)
		}
	})
}

// visited opens a stream over a bare connection, says what a fuzzer made up and
// ends. It fails the test unless the box then ends, too.
func (b *box) visited(path, query, last, sent string) {
	b.t.Helper()
	line := strings.NewReplacer("\r", "", "\n", "", " ", "%20").Replace
	c, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.Close()
	_, err = fmt.Fprintf(c, "GET %s?%s HTTP/1.1\r\nHost: caja\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nLast-Event-ID: %s\r\n\r\n%s",
		path, line(query), line(last), sent)
	if tcp, ok := c.(*net.TCPConn); ok && err == nil {
		err = tcp.CloseWrite()
	}
	if err == nil {
		err = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	}
	if err != nil {
		return // the box has ended already
	}
	if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
		b.t.Fatalf("%s?%s held after its end: %v", path, query, err)
	}
}
