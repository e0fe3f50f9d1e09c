package ws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"envivo/plant"
)

// ServeSSE is the events stream for the earlier front end, GET /api/sse/stream
// (rules §8).
func (h *Hub) ServeSSE(w http.ResponseWriter, r *http.Request) {
	if !h.admit(w, r) {
		return
	}
	defer h.open.Done()
	h.count.sse.Add(1)
	defer h.count.sse.Add(-1)
	c := sseClient{cursor: cursor{h: h}, w: w, rc: http.NewResponseController(w), owner: h.owner(r)}
	// The server's own write timeout is for answers, not for a shift-long
	// stream; a writer that cannot change it keeps it.
	_ = c.rc.SetWriteDeadline(time.Time{})
	for k, v := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-cache, no-transform",
		"Connection": "keep-alive", "X-Accel-Buffering": "no"} {
		w.Header().Set(k, v)
	}
	w.WriteHeader(http.StatusOK)
	if err := c.follow(r); err != nil {
		h.o.Log.Debug("an SSE stream ended", "err", err)
	}
}

// sseClient belongs to the goroutine of its request.
type sseClient struct {
	cursor
	w     http.ResponseWriter
	rc    *http.ResponseController
	owner string // key of the setting that let it in, empty for none
}

func (c *sseClient) follow(r *http.Request) error {
	if err := c.welcome(r); err != nil {
		return err
	}
	ping := time.NewTicker(c.h.pace.comment)
	defer ping.Stop()
	for {
		news, cuts := c.h.news.next(), c.h.cuts.next()
		if c.h.shutOut(c.owner) {
			return nil // coming back it is refused
		}
		out, err := c.more(r)
		if err != nil {
			return err
		}
		if len(out) > 0 {
			if err := c.send(out); err != nil {
				return err
			}
			continue
		}
		select {
		case <-news:
		case <-cuts:
		case <-ping.C:
			if err := c.send([]byte(": ping\n\n")); err != nil {
				return err
			}
		case <-r.Context().Done():
			return nil
		case <-c.h.stop:
			return nil
		}
	}
}

// welcome finds the client's place and says how it continues.
func (c *sseClient) welcome(r *http.Request) error {
	q := r.URL.Query()
	after := r.Header.Get("Last-Event-ID")
	if after == "" {
		after = q.Get("after")
	}
	head := c.h.ring.head()
	at, ok := c.h.position(q, after, head)
	c.at = at
	if after != "" && ok {
		return c.send([]byte(": resumed\n\n"))
	}
	if !ok {
		c.h.count.resets.Add(1)
	}
	c.at = head
	return c.send(c.resync())
}

func (c *sseClient) resync() []byte {
	data, err := json.Marshal(resetMessage{Kind: "resync", Epoch: c.h.o.Source.Snapshot().Epoch, Seq: c.at})
	if err != nil {
		panic("ws: a message of plain fields cannot be encoded: " + err.Error())
	}
	return appendSSE(nil, "resync", c.at, data)
}

// more gives the text of what follows the cursor, empty when there is nothing.
func (c *sseClient) more(r *http.Request) ([]byte, error) {
	for {
		found, covered := c.h.ring.after(c.at, journalPage)
		if covered {
			if len(found) > 0 {
				c.at = found[len(found)-1].seq
			}
			return c.text(found), nil
		}
		found, lost, err := c.history(r.Context())
		if err != nil {
			return nil, fmt.Errorf("catch up: %w", err)
		}
		if lost {
			c.h.count.resets.Add(1)
			c.move(c.h.ring.head(), c.h.ring.head())
			return c.resync(), nil
		}
		if len(found) > 0 {
			return c.text(found), nil
		}
	}
}

func (c *sseClient) text(found []*entry) []byte {
	var out []byte
	for _, e := range found {
		out = append(out, c.h.sseText(e)...)
	}
	return out
}

// sseText is an event's text, made once for all who read it from the ring.
func (h *Hub) sseText(e *entry) []byte {
	if t := e.sse.Load(); t != nil {
		return *t
	}
	var t []byte
	for _, data := range h.o.EncodeSSE(e.event) {
		t = appendSSE(t, "spool_update", e.seq, data)
	}
	e.sse.Store(&t)
	return t
}

func appendSSE(b []byte, event string, id plant.Seq, data []byte) []byte {
	b = append(b, "event: "+event+"\nid: "...)
	b = strconv.AppendUint(b, uint64(id), 10)
	for _, line := range bytes.Split(data, []byte("\n")) {
		b = append(append(b, "\ndata: "...), line...)
	}
	return append(b, "\n\n"...)
}

// send writes and flushes, and drops a client that takes nothing for too long.
func (c *sseClient) send(text []byte) error {
	late := time.AfterFunc(c.h.pace.drop, func() {
		c.h.count.slow.Add(1)
		_ = c.rc.SetWriteDeadline(time.Unix(1, 0)) // long past: the write fails now
	})
	defer late.Stop()
	if _, err := c.w.Write(text); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := c.rc.Flush(); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}
