package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// fanOut measures a command's way to the last of many WebSocket clients, next
// to the same frames through a hub that does nothing else.
func fanOut(ctx context.Context, s settings, r *report) error {
	data, err := prepare(ctx, s, "fanout", loopSpools, 500, 0)
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	srv, err := start(ctx, s, data)
	if err != nil {
		return err
	}
	before := residentKB(srv.cmd.Process.Pid)
	l, err := listen(ctx, "ws://"+srv.addr+"/ws", s.sockets, eventKey)
	if err != nil {
		return err
	}
	after := residentKB(srv.cmd.Process.Pid)
	got, err := l.commands(ctx, srv.addr, s)
	if err != nil {
		return err
	}
	l.close()
	if err := srv.stop(); err != nil {
		return err
	}
	bare, bareKB, err := bareHub(ctx, s, l.frame)
	if err != nil {
		return err
	}
	r.printf("## Command to the last of %d WebSocket clients, %d commands/s\n\n", s.sockets, s.rate)
	r.printf("From sending the command over HTTP to the moment the last client has the event; the bare hub is a process of its own that writes a frame of the same %d bytes to every socket, from sending it the trigger over a socket.\n\n", len(l.frame))
	r.printf("| | to the last client | resident memory per connection |\n|---|---|---|\n")
	r.printf("| envivo | %s | %.1f KiB |\n| bare hub | %s | %.1f KiB |\n\n", got, float64(after-before)/float64(s.sockets), bare, bareKB)
	r.printf("p99 ratio: %.2f\n\n", got.ms(99)/bare.ms(99))
	return nil
}

// listeners are WebSocket clients that count how many have seen each frame.
type listeners struct {
	conns []*websocket.Conn
	want  int
	mu    sync.Mutex
	seen  map[string]*arrival
	frame []byte
	key   func([]byte) string
}

type arrival struct {
	n    int
	last time.Time
	all  chan struct{}
}

func listen(ctx context.Context, url string, n int, key func([]byte) string) (*listeners, error) {
	l := &listeners{seen: map[string]*arrival{}, want: n, key: key}
	d := websocket.Dialer{Subprotocols: []string{"envivo.v1"}, ReadBufferSize: 1024, WriteBufferSize: 512}
	for range n {
		c, _, err := d.DialContext(ctx, url, nil)
		if err != nil {
			return nil, fmt.Errorf("socket %d: %w", len(l.conns), err)
		}
		l.conns = append(l.conns, c)
		go l.read(c)
	}
	return l, nil
}

func (l *listeners) read(c *websocket.Conn) {
	for {
		_, frame, err := c.ReadMessage()
		if err != nil {
			return
		}
		now := time.Now()
		key := l.key(frame)
		if key == "" {
			continue
		}
		l.mu.Lock()
		a := l.arrivalOf(key)
		a.n++
		a.last = now
		if a.n == l.want {
			l.frame = frame
			close(a.all)
		}
		l.mu.Unlock()
	}
}

func (l *listeners) arrivalOf(key string) *arrival {
	a := l.seen[key]
	if a == nil {
		a = &arrival{all: make(chan struct{})}
		l.seen[key] = a
	}
	return a
}

var versionMark, tagMark = []byte(`"version":`), []byte(`"tag_spool":"`)

// eventKey names an event by its spool and revision, without decoding it.
func eventKey(frame []byte) string {
	if !bytes.Contains(frame, []byte(`"kind":"event"`)) {
		return ""
	}
	return cutField(frame, tagMark) + "@" + cutField(frame, versionMark)
}

func cutField(frame, mark []byte) string {
	_, rest, ok := bytes.Cut(frame, mark)
	if !ok {
		return ""
	}
	if i := bytes.IndexAny(rest, `",}`); i >= 0 {
		rest = rest[:i]
	}
	return string(rest)
}

func (l *listeners) close() {
	for _, c := range l.conns {
		c.Close()
	}
}

// commands takes and pauses at the wanted rate; spool j is at revision 1
// after the import, so the k-th command on it makes revision k+1.
func (l *listeners) commands(ctx context.Context, addr string, s settings) (*samples, error) {
	const conns = 20
	crew, err := crew(addr, conns, loopSpools, typedDialer(ctx))
	if err != nil {
		return nil, err
	}
	out := newSamples()
	gap := time.Second / time.Duration(s.rate)
	begin := time.Now()
	errs := make(chan error, 1)
	var wg sync.WaitGroup
	for i := 0; time.Duration(i)*gap < s.duration && ctx.Err() == nil; i++ {
		due := begin.Add(time.Duration(i) * gap)
		time.Sleep(time.Until(due))
		w := crew[i%conns]
		revision := 2 + 2*(w.next/len(w.tags))
		if w.taken {
			revision++
		}
		key := fmt.Sprintf("%s@%d", w.tags[w.next%len(w.tags)], revision)
		if err := w.step(); err != nil {
			return nil, err
		}
		wg.Go(func() {
			if err := l.await(key, due, out); err != nil {
				select {
				case errs <- err:
				default:
				}
			}
		})
	}
	wg.Wait()
	out.elapsed = time.Since(begin)
	select {
	case err := <-errs:
		return nil, err
	default:
		return out, rest(crew)
	}
}

// await records the time from due until the last client has the frame.
func (l *listeners) await(key string, due time.Time, out *samples) error {
	l.mu.Lock()
	a := l.arrivalOf(key)
	l.mu.Unlock()
	select {
	case <-a.all:
	case <-time.After(20 * time.Second):
		l.mu.Lock()
		defer l.mu.Unlock()
		return fmt.Errorf("%s reached %d of %d clients", key, a.n, l.want)
	}
	l.mu.Lock()
	last := a.last
	l.mu.Unlock()
	out.mu.Lock()
	defer out.mu.Unlock()
	out.add(last.Sub(due))
	return nil
}

// bareHub starts this program again as a hub that only copies frames.
func bareHub(ctx context.Context, s settings, frame []byte) (*samples, float64, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, 0, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, 0, err
	}
	addr := ln.Addr().String()
	ln.Close()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), hubEnv+"="+addr)
	if err := cmd.Start(); err != nil {
		return nil, 0, err
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	trigger, err := dialHub(ctx, addr)
	if err != nil {
		return nil, 0, err
	}
	before := residentKB(cmd.Process.Pid)
	l, err := listen(ctx, "ws://"+addr+"/", s.sockets, func(f []byte) string { return fmt.Sprint(binary.BigEndian.Uint64(f)) })
	if err != nil {
		return nil, 0, err
	}
	after := residentKB(cmd.Process.Pid)
	defer l.close()
	out := newSamples()
	gap := time.Second / time.Duration(s.rate)
	begin := time.Now()
	var wg sync.WaitGroup
	for i := uint64(1); time.Duration(i)*gap < s.duration; i++ {
		due := begin.Add(time.Duration(i) * gap)
		time.Sleep(time.Until(due))
		msg := make([]byte, max(len(frame), 8))
		binary.BigEndian.PutUint64(msg, i)
		if err := trigger.WriteMessage(websocket.BinaryMessage, msg); err != nil {
			return nil, 0, err
		}
		wg.Go(func() { _ = l.await(fmt.Sprint(i), due, out) })
	}
	wg.Wait()
	out.elapsed = time.Since(begin)
	return out, float64(after-before) / float64(s.sockets), nil
}

const hubEnv = "ENVIVO_LOAD_BARE_HUB"

func dialHub(ctx context.Context, addr string) (*websocket.Conn, error) {
	for try := 0; ; try++ {
		c, _, err := websocket.DefaultDialer.DialContext(ctx, "ws://"+addr+"/trigger", nil)
		if err == nil || try == 100 {
			return c, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func init() { // the child process of bareHub never reaches main
	if addr := os.Getenv(hubEnv); addr != "" {
		runBareHub(addr)
		os.Exit(0)
	}
}

func runBareHub(addr string) {
	var mu sync.Mutex
	var conns []*websocket.Conn
	up := websocket.Upgrader{}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		mu.Lock()
		conns = append(conns, c)
		mu.Unlock()
		for {
			if _, _, err := c.ReadMessage(); err != nil {
				return
			}
		}
	})
	http.HandleFunc("/trigger", func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		for {
			_, msg, err := c.ReadMessage()
			if err != nil {
				return
			}
			frame, err := websocket.NewPreparedMessage(websocket.TextMessage, msg)
			if err != nil {
				return
			}
			mu.Lock()
			for _, to := range conns {
				_ = to.WritePreparedMessage(frame)
			}
			mu.Unlock()
		}
	})
	_ = http.ListenAndServe(addr, nil)
}
