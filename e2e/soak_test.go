package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"envivo/client"
	"envivo/sheetsync/emulator"
)

// What the soak puts on a box: readers that follow, sockets that never read, and
// commands on a fixed schedule, whatever the box does.
const (
	soakReaders = 150
	soakDeaf    = 50
	soakRate    = 20 // commands per second
	soakWorkers = 50 // the crew of the test plant, each with spools of its own
	soakSpools  = 1000
	// soakBehind is how far behind those that never read begin: more than the
	// system's buffers take, so that the box always has something left for them.
	soakBehind = 900
	soakSteps  = 24 // of faults and calm, the same ones in each third of the time
	// soakOutEnv names the folder for the report and its plot.
	soakOutEnv = "ENVIVO_SOAK_OUT"
)

// soak is one run: what it drives and what it measured.
type soak struct {
	t     *testing.T
	s     *server
	other *server // has next to nothing to do, for comparison
	x     *sheetBox
	wire  *wire
	long  time.Duration
	begin time.Time
	from  uint64 // the newest event before the time began

	mu      sync.Mutex
	acts    []act // every answered command
	apart   []act // those of the other box
	samples []sample
	steps   []string // what was done to the box, by step
	deaf    []net.Conn

	repeats atomic.Int64 // of what had no answer in time

	crew []*client.Client          // a tablet each, connected before the time runs
	seen [soakReaders]atomic.Int64 // events that each reader got
}

// act is one command: when it was due, and how long after that it was answered.
type act struct{ due, took time.Duration }

// sample is a look at the server's process.
type sample struct {
	at                      time.Duration
	rss                     float64 // MB
	heap                    float64 // MB, what the last collection of garbage found in use
	goroutines, descriptors float64
	load                    float64 // of the machine: how much wants to run, as Linux tells it
}

// TestSoak runs a box under everything at once: tablets that follow, sockets
// that never read, commands by the clock, reconnect storms, a Sheet that fails in
// every way. Its latency, memory, goroutines and descriptors in the last third
// of the time are those of the first. Nothing is lost on the way: each reader saw
// each event once, and the Sheet ends as the store. ENVIVO_SOAK makes it longer,
// such as 30m.
func TestSoak(t *testing.T) {
	k := &soak{t: t, long: 15 * time.Second, steps: make([]string, soakSteps)}
	if text := os.Getenv(soakEnv); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("%s: %v", soakEnv, err)
		}
		k.long = d
	}
	k.x = newSheet(t, plantCSV(t, soakSpools, 0))
	k.s = serve(t, newPlant(t, soakSpools, 0), k.x.flags...)
	k.other = serve(t, newPlant(t, 1, 0))
	k.wire = newWire(t, strings.TrimPrefix(k.s.url, "http://"))
	k.s.settled()
	from, err := (&client.Client{Base: k.s.url}).Here(t.Context())
	if err != nil {
		t.Fatalf("Here: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for i := range soakReaders {
		go k.follow(ctx, i, from)
	}
	for range soakWorkers {
		c := &client.Client{Base: k.s.url, HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: 30 * time.Second}}
		if _, err := c.Here(t.Context()); err != nil {
			t.Fatalf("Here: %v", err)
		}
		k.crew = append(k.crew, c)
	}
	k.from = from.Seq
	k.listenNot()
	k.work()
	k.x.e.Calm()
	k.everybodySawAll()
	k.sheetSettles()
	k.x.agrees(k.s.data)
	k.judge()
	if dir := os.Getenv(soakOutEnv); dir != "" {
		write(t, dir, "soak.md", k.report())
		write(t, dir, "soak.svg", k.plot())
	}
	k.s.stop()
	check(t, k.s.data)
}

// follow is a tablet that reads, over the wire that storms cut.
func (k *soak) follow(ctx context.Context, i int, at client.Position) {
	err := (&client.Client{Base: k.wire.url}).Follow(ctx, &at, func(client.Event) error { k.seen[i].Add(1); return nil })
	if ctx.Err() == nil {
		k.t.Errorf("reader %d was let go: %v", i, err)
	}
}

// listenNot opens the sockets that never read, in place of those before. Their
// windows are small, so that what they do not take is the box's trouble at once.
func (k *soak) listenNot() {
	for _, c := range k.deaf {
		c.Close()
	}
	k.deaf = k.deaf[:0]
	small := websocket.Dialer{Subprotocols: []string{"envivo.v1"}, NetDial: func(network, addr string) (net.Conn, error) {
		c, err := net.Dial(network, addr)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		return c, err
	}}
	k.mu.Lock()
	to := fmt.Sprintf("ws%s/ws?after=%d", strings.TrimPrefix(k.s.url, "http"), k.from+uint64(len(k.acts))-soakBehind)
	k.mu.Unlock()
	for range soakDeaf {
		if err := k.insist(func() error {
			c, _, err := small.Dial(to, nil)
			if err == nil {
				k.deaf = append(k.deaf, c.NetConn())
			}
			return err
		}); err != nil {
			k.t.Errorf("a socket that will not read: %v", err)
			return
		}
	}
}

// work lets the time pass: the crew works, the box is looked at, and something is
// done to it at every step.
func (k *soak) work() {
	k.begin = time.Now()
	ctx, stop := context.WithTimeout(k.t.Context(), k.long)
	defer stop()
	var crew sync.WaitGroup
	crew.Go(func() { k.idle(ctx) })
	for i := range soakWorkers {
		crew.Go(func() { k.labour(ctx, i) })
	}
	look := time.NewTicker(max(k.long/150, time.Second/4))
	defer look.Stop()
	step := time.NewTicker(k.long / soakSteps)
	defer step.Stop()
	for n := 1; ; {
		select {
		case <-look.C:
			k.sample()
		case <-step.C:
			k.trouble(n)
			n++
		case <-ctx.Done():
			crew.Wait()
			for _, c := range k.deaf {
				c.Close()
			}
			return
		}
	}
}

// labour is one worker who takes and pauses at the instants of the schedule.
// Latency counts from the instant, so that a box that stalls cannot hide behind
// a worker who waits.
func (k *soak) labour(ctx context.Context, i int) {
	const gap = time.Second * soakWorkers / soakRate
	due := gap * time.Duration(i) / soakWorkers
	for n := 0; due < k.long; n, due = n+1, due+gap {
		wait := time.NewTimer(due - time.Since(k.begin))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return
		}
		if err := k.act(i, n); err != nil {
			k.t.Errorf("worker %d after %v: %v", 101+i, due, err)
			return
		}
		k.mu.Lock()
		k.acts = append(k.acts, act{due, time.Since(k.begin) - due})
		k.mu.Unlock()
	}
}

// act sends the nth command of a worker, over the connection of its own tablet.
func (k *soak) act(i, n int) error {
	return k.order(k.crew[i], n, client.Order{Tag: spoolTag(1 + i*4 + n/2%4), Worker: 101 + i, Op: client.ARM, Key: fmt.Sprintf("soak-%d-%d", i, n)})
}

// order takes a spool and at the next call pauses it.
func (k *soak) order(c *client.Client, n int, o client.Order) error {
	return k.insist(func() error {
		if n%2 == 0 {
			_, err := c.Tomar(k.t.Context(), o)
			return err
		}
		_, err := c.Pausar(k.t.Context(), o)
		return err
	})
}

// insist does what tablets do when no answer comes in time, as on a machine that
// is busy with other work: the same again, under the same key. A refusal stands.
// Latency counts to the answer that came.
func (k *soak) insist(do func() error) (err error) {
	for range 10 {
		var no *client.Error
		if err = do(); err == nil || errors.As(err, &no) || k.t.Context().Err() != nil {
			return err
		}
		k.repeats.Add(1)
	}
	return err
}

// trouble is what step n brings: a fault of the Sheet at each odd one, calm at the
// others, and a storm at every fourth: all readers are cut off and come back at
// once, and the deaf are exchanged for others.
func (k *soak) trouble(n int) {
	if n >= soakSteps {
		return
	}
	k.x.e.Calm()
	if n%4 == 2 {
		k.steps[n] = "storm"
		k.wire.cut()
		k.wire.mend()
		k.listenNot()
	}
	if n%2 == 0 {
		return
	}
	switch n / 2 % 4 {
	case 0:
		k.steps[n] = "a third of all calls fails"
		k.x.e.Inject(emulator.Fault{Act: emulator.Fail, When: emulator.API, Chance: 0.33})
	case 1:
		k.steps[n] = "writes are done and reported broken"
		k.x.e.Inject(emulator.Fault{Act: emulator.ResetAfter, When: emulator.Writes, Chance: 0.5})
	case 2:
		k.steps[n] = "quota spent, answers slow"
		k.x.e.Inject(emulator.Fault{Act: emulator.ExceedQuota, When: emulator.API, Chance: 0.5})
		k.x.e.Latency(100*time.Millisecond, time.Second)
	case 3:
		k.steps[n] = "no internet"
		k.x.e.Outage(true)
	}
}

// sample looks at the server's process.
func (k *soak) sample() {
	r, err := k.s.read("/metrics")
	if err != nil || r.Status != 200 {
		k.t.Errorf("GET /metrics: %v %d", err, r.Status)
		return
	}
	said := map[string]float64{}
	for sc := bufio.NewScanner(strings.NewReader(r.Raw)); sc.Scan(); {
		if name, value, ok := strings.Cut(sc.Text(), " "); ok {
			said[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	s := sample{at: time.Since(k.begin), rss: said["process_resident_memory_bytes"] / 1e6, heap: said["envivo_heap_live_bytes"] / 1e6,
		goroutines: said["go_goroutines"], descriptors: said["process_open_fds"]}
	if s.rss == 0 || s.heap == 0 || s.goroutines == 0 || s.descriptors == 0 {
		k.t.Errorf("/metrics does not tell about the process: %+v", s)
	}
	if said, err := os.ReadFile("/proc/loadavg"); err == nil {
		first, _, _ := strings.Cut(string(said), " ")
		s.load, _ = strconv.ParseFloat(first, 64)
	}
	k.samples = append(k.samples, s)
}

// idle is the work of the other box, one command each fifth of a second: what the
// machine, which others use too, makes of it.
func (k *soak) idle(ctx context.Context) {
	tick := time.NewTicker(time.Second / 5)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		due := time.Since(k.begin)
		if err := k.order(&client.Client{Base: k.other.url}, n, client.Order{Tag: spoolTag(1), Worker: fitterA, Op: client.ARM, Key: fmt.Sprint("other-", n)}); err != nil {
			k.t.Errorf("command %d at the other box: %v", n, err)
			return
		}
		k.mu.Lock()
		k.apart = append(k.apart, act{due, time.Since(k.begin) - due})
		k.mu.Unlock()
	}
}

// sheetSettles waits until the Sheet has all of it. On a busy machine that is
// longer than other tests wait.
func (k *soak) sheetSettles() {
	deadline := time.Now().Add(max(90*time.Second, k.long/3))
	for {
		var st fields
		out, err := run("sheet", "push", "--json", "--data", k.s.data)
		if err == nil && json.Unmarshal([]byte(out), &st) == nil && st["Backlog"] == 0.0 {
			return
		}
		if time.Now().After(deadline) {
			k.t.Fatalf("the Sheet is not up to date after the soak: %s", k.s.get("/api/sync").Raw)
		}
	}
}

// everybodySawAll: each reader has each event once, and the log has one event of
// each answered command and no other.
func (k *soak) everybodySawAll() {
	events := 0
	for _, e := range k.s.events() {
		if e["seq"].(float64) > float64(k.from) {
			events++
		}
	}
	if events != len(k.acts) {
		k.t.Errorf("%d events in the log after %d acknowledged commands", events, len(k.acts))
	}
	deadline := time.After(2 * time.Minute)
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for i := range k.seen {
		for k.seen[i].Load() < int64(events) {
			select {
			case <-look.C:
				continue
			case <-deadline:
				k.t.Fatalf("reader %d saw %d of %d events", i, k.seen[i].Load(), events)
			}
		}
		if n := k.seen[i].Load(); n > int64(events) {
			k.t.Errorf("reader %d saw %d events of %d", i, n, events)
		}
	}
}
