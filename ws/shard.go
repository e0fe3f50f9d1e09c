package ws

import (
	"context"
	"sync"
	"time"
)

// shard is a goroutine and the sockets it writes to.
type shard struct {
	wake    chan struct{} // one slot: news is news, however often told
	mu      sync.Mutex
	sockets []*socket
}

func (sh *shard) poke() {
	select {
	case sh.wake <- struct{}{}:
	default:
	}
}

// run serves the shard's sockets until ctx ends.
func (sh *shard) run(ctx context.Context, h *Hub) {
	tick := time.NewTicker(h.pace.tick)
	defer tick.Stop()
	var written int64 // the publication last measured
	for {
		select {
		case <-ctx.Done():
			return
		case <-sh.wake:
			sh.round((*socket).news)
			if at := h.count.published.Load(); at != written {
				written = at
				h.count.last.Store(h.o.Now().UnixNano() - at)
			}
		case <-tick.C:
			sh.round((*socket).tick)
		}
	}
}

// round holds mu throughout: nothing in it waits for a peer.
func (sh *shard) round(f func(*socket)) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, s := range sh.sockets {
		f(s)
	}
}

// adopt gives a new socket to a shard, which sends its first frames. Beats of
// sockets that came together are spread over the period.
func (h *Hub) adopt(s *socket) {
	turn := h.turn.Add(1)
	sh := h.shards[turn%uint32(len(h.shards))]
	sh.mu.Lock()
	s.home, s.slot = sh, len(sh.sockets)
	sh.sockets = append(sh.sockets, s)
	sh.mu.Unlock()
	s.mu.Lock()
	s.ticks = turn % (s.period * h.pace.ping)
	s.serve()
	s.mu.Unlock()
}

func (sh *shard) drop(s *socket) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	last := len(sh.sockets) - 1
	sh.sockets[s.slot] = sh.sockets[last]
	sh.sockets[s.slot].slot = s.slot
	sh.sockets[last] = nil
	sh.sockets = sh.sockets[:last]
}
