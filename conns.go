package main

import (
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

const (
	// addressConns is how many connections one address may hold: a Wi-Fi router
	// may hide fifty tablets with five connections each behind one.
	addressConns = 256
	// totalConns is the most connections the box holds; fewer where the system
	// allows fewer open files, of which spareFiles stay for the store.
	totalConns = 4096
	spareFiles = 128
	// tellEvery spaces the log's lines about refused connections.
	tellEvery = time.Minute
)

// gate is a listener that hangs up on an address with too many connections and
// on everybody when the box is full. Connections keep all methods of TCP, so
// that the live streams still find the descriptor. Guarded by mu.
type gate struct {
	net.Listener
	each  int  // of one address
	total int  // of all
	home  bool // the box's own addresses count as one address too
	now   func() time.Time
	log   *slog.Logger

	mu      sync.Mutex
	open    map[string]int
	all     int
	refused int
	told    time.Time
}

// newGate limits l. Without each the limits are those of a plant, and the
// box's own addresses, where a proxy may stand for everybody, only count in all.
func newGate(l net.Listener, each int, now func() time.Time, log *slog.Logger) *gate {
	c := &gate{Listener: l, each: each, home: each > 0, total: min(totalConns, max(openFiles()-spareFiles, spareFiles)), now: now, log: log, open: map[string]int{}}
	if each <= 0 {
		c.each = addressConns
	}
	return c
}

// Accept gives the next connection there is room for.
func (c *gate) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := conn.(*net.TCPConn)
		if !ok {
			return conn, nil
		}
		from := c.from(conn.RemoteAddr())
		if c.enter(from) {
			return &guest{TCPConn: tcp, gate: c, from: from}, nil
		}
		_ = tcp.SetLinger(0) // a reset: nothing is kept of a flood
		_ = tcp.Close()
	}
}

// from is what connections are counted by: an address, of IPv6 the network,
// empty for the box's own when those only count in all.
func (c *gate) from(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	switch {
	case !ok:
		return a.String()
	case tcp.IP.IsLoopback() && !c.home:
		return ""
	case tcp.IP.To4() == nil:
		return tcp.IP.Mask(net.CIDRMask(64, 128)).String()
	}
	return tcp.IP.String()
}

func (c *gate) enter(from string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all < c.total && (from == "" || c.open[from] < c.each) {
		c.open[from]++
		c.all++
		return true
	}
	c.refused++
	if now := c.now(); now.Sub(c.told) >= tellEvery {
		c.told = now
		c.log.Warn("too many connections", "address", from, "open", c.open[from], "all", c.all, "refused", c.refused)
	}
	return false
}

func (c *gate) leave(from string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all--
	if c.open[from]--; c.open[from] == 0 {
		delete(c.open, from)
	}
}

// metrics are the gate's lines of the metrics page.
func (c *gate) metrics(w io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	writeGauges(w, []gauge{{"envivo_connections", float64(c.all)}, {"envivo_connections_refused_total", float64(c.refused)}})
}

// guest is one connection of the gate.
type guest struct {
	*net.TCPConn
	gate *gate
	from string
	once sync.Once
}

// Close makes room.
func (g *guest) Close() error {
	g.once.Do(func() { g.gate.leave(g.from) })
	return g.TCPConn.Close()
}
