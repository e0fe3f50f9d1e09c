package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"time"
)

// client is one keep-alive HTTP/1.1 connection that costs little itself, so
// that the machine's cores are left to the server under measurement.
type client struct {
	conn net.Conn
	r    *bufio.Reader
	host string
	buf  []byte
	n    int
	id   int
	born int64 // keeps the keys of two runs on one store apart
}

func dial(addr string, id int) (*client, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, r: bufio.NewReaderSize(conn, 4096), host: addr, id: id, born: time.Now().UnixNano()}, nil
}

// command posts one occupation command and returns the status.
func (c *client) command(verb, tag string, worker int) (int, error) {
	c.n++
	body := fmt.Appendf(nil, `{"tag_spool":%q,"worker_id":%d,"worker_nombre":"x","operacion":"ARM"}`, tag, worker)
	c.buf = fmt.Appendf(c.buf[:0], "POST /api/occupation/%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nIdempotency-Key: load-%d-%d-%d\r\nContent-Length: %d\r\n\r\n",
		verb, c.host, c.born, c.id, c.n, len(body))
	c.buf = append(c.buf, body...)
	if _, err := c.conn.Write(c.buf); err != nil {
		return 0, err
	}
	return c.answer()
}

// answer reads one response and drops its body.
func (c *client) answer() (int, error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, fmt.Errorf("status line = %q", line)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return 0, err
	}
	length := -1
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte{':'}); ok && textproto.CanonicalMIMEHeaderKey(string(name)) == "Content-Length" {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, fmt.Errorf("answer %d without Content-Length", status)
	}
	_, err = io.CopyN(io.Discard, c.r, int64(length))
	return status, err
}

// worker alternates TOMAR and PAUSAR on spools of its own, so that every
// command is accepted.
type worker struct {
	c     *client
	id    int
	tags  []string
	next  int
	taken bool
}

func (w *worker) step() error {
	verb := "tomar"
	if w.taken {
		verb = "pausar"
	}
	tag := w.tags[w.next%len(w.tags)]
	status, err := w.c.command(verb, tag, w.id)
	if err != nil {
		return err
	}
	if status != 200 {
		return fmt.Errorf("%s %s by %d answered %d", verb, tag, w.id, status)
	}
	if w.taken {
		w.next++
	}
	w.taken = !w.taken
	return nil
}

// crew connects n workers who share the spools without meeting.
func crew(addr string, n, spools int) ([]*worker, error) {
	crew := make([]*worker, n)
	for i := range crew {
		c, err := dial(addr, i)
		if err != nil {
			return nil, err
		}
		w := &worker{c: c, id: i + 1}
		for j := i; j < spools; j += n {
			w.tags = append(w.tags, spoolTag(j))
		}
		crew[i] = w
	}
	return crew, nil
}

// rest ends every open hold and hangs up.
func rest(crew []*worker) error {
	for _, w := range crew {
		if w.taken {
			if err := w.step(); err != nil {
				return err
			}
		}
		w.c.conn.Close()
	}
	return nil
}
