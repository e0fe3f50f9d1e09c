package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"time"

	"envivo/client"
)

// sender carries one occupation command to the box and returns the status.
type sender interface {
	command(verb, tag string, worker int) (int, error)
	close()
}

// raw is one keep-alive HTTP/1.1 connection that costs little itself, so
// that the machine's cores are left to the server under measurement.
type raw struct {
	conn net.Conn
	r    *bufio.Reader
	host string
	buf  []byte
	n    int
	id   int
	born int64 // keeps the keys of two runs on one store apart
}

func dial(addr string, id int) (sender, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &raw{conn: conn, r: bufio.NewReaderSize(conn, 4096), host: addr, id: id, born: time.Now().UnixNano()}, nil
}

func (c *raw) close() { c.conn.Close() }

func (c *raw) command(verb, tag string, worker int) (int, error) {
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
func (c *raw) answer() (int, error) {
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
	c     sender
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

// typed sends by package client, as programs of the plant do; it costs more than
// raw and serves where the rate is given.
type typed struct {
	ctx context.Context
	api *client.Client
	id  int
	n   int
	// born keeps the keys of two runs on one store apart.
	born int64
}

func (c *typed) command(verb, tag string, worker int) (int, error) {
	c.n++
	o := client.Order{Tag: tag, Worker: worker, Op: client.ARM, Key: fmt.Sprintf("load-%d-%d-%d", c.born, c.id, c.n)}
	var err error
	switch verb {
	case "tomar":
		_, err = c.api.Tomar(c.ctx, o)
	case "pausar":
		_, err = c.api.Pausar(c.ctx, o)
	default:
		err = fmt.Errorf("no command is called %s", verb)
	}
	var no *client.Error
	if errors.As(err, &no) {
		return no.Status, nil
	}
	return http.StatusOK, err
}

func (c *typed) close() {}

// typedDialer makes senders that share one client and its connections.
func typedDialer(ctx context.Context) func(addr string, id int) (sender, error) {
	born := time.Now().UnixNano()
	return func(addr string, id int) (sender, error) {
		return &typed{ctx: ctx, api: &client.Client{Base: "http://" + addr}, id: id, born: born}, nil
	}
}

// crew connects n workers who share the spools without meeting.
func crew(addr string, n, spools int, dial func(string, int) (sender, error)) ([]*worker, error) {
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
		w.c.close()
	}
	return nil
}
