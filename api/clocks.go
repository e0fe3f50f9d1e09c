package api

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// clocks remembers how far the clocks of devices are from the box's. A device
// says its own when a page opens its stream; that serves to find out whether
// the box's clock is right, and nothing else: no device's clock is ever used
// for the plant's times. Guarded by mu.
type clocks struct {
	mu   sync.Mutex
	seen map[string]clockSeen
}

type clockSeen struct {
	at time.Time
	// ahead is how far the device's clock is ahead of the box's.
	ahead time.Duration
}

const (
	// clockFor is how long what a device said counts.
	clockFor = 24 * time.Hour
	// maxClocks bounds what strangers can make us remember.
	maxClocks = 256
	// clockParam is the device's own time, in milliseconds since 1970.
	clockParam = "reloj"
)

func newClocks() *clocks { return &clocks{seen: map[string]clockSeen{}} }

// clocked notes the clock of a device on its way to f.
func (s *Server) clocked(f http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if g := s.identify(r); g.scope >= ScopeRead {
			s.clocks.note(g.device, r.URL.Query().Get(clockParam), s.o.Now())
		}
		f(w, r)
	}
}

func (c *clocks) note(device, text string, now time.Time) {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms <= 0 || ms > 1<<45 { // up to the year 3084
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.seen[device]; !known && len(c.seen) >= maxClocks {
		clear(c.seen)
	}
	c.seen[device] = clockSeen{now, time.UnixMilli(ms).Sub(now)}
}

// ClockAhead is how far the clocks of the devices heard of lately are ahead of
// the box's, in the middle of them all, and how many those are. One tablet with
// a wrong clock changes nothing.
func (s *Server) ClockAhead() (ahead time.Duration, devices int) {
	c, now := s.clocks, s.o.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []time.Duration
	for _, x := range c.seen {
		if now.Sub(x.at) < clockFor {
			all = append(all, x.ahead)
		}
	}
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	return all[len(all)/2], len(all)
}
