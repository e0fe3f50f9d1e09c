package ws

import (
	"context"
	"fmt"

	"envivo/plant"
)

// journalPage is how many events are read from the journal at once.
const journalPage = 256

// streamed reports whether an event is for the streams. Settings hold secrets.
func streamed(e *plant.Event) bool { return e.Kind != plant.KindAjuste }

// entries encodes the streamed ones of a run of events whose streamed
// predecessor is prev.
func (h *Hub) entries(batch []plant.Event, prev plant.Seq) []*entry {
	out := make([]*entry, 0, len(batch))
	for _, e := range batch {
		if !streamed(&e) {
			continue
		}
		e.Prev = prev
		prev = e.Seq
		out = append(out, &entry{seq: e.Seq, prev: e.Prev, frame: textFrame(h.o.Encode(e)), event: e})
	}
	return out
}

// streamedBefore is the newest streamed sequence up to seq, found by walking
// the journal backwards: one event first, for settings change rarely, then by
// pages.
func (h *Hub) streamedBefore(ctx context.Context, seq plant.Seq) (plant.Seq, error) {
	for n := plant.Seq(1); seq > 0; n = journalPage {
		from := seq - min(n, seq)
		found, err := h.o.Source.Events(ctx, from, int(seq-from))
		if err != nil {
			return 0, fmt.Errorf("read the events up to %d: %w", seq, err)
		}
		if len(found) == 0 {
			return seq, nil
		}
		for i := len(found) - 1; i >= 0; i-- {
			if found[i].Seq <= seq && streamed(&found[i]) {
				return found[i].Seq, nil
			}
		}
		seq = min(from, found[0].Prev)
	}
	return 0, nil
}

// cursor is a reader's position among the streamed events.
type cursor struct {
	h  *Hub
	at plant.Seq
	// prev is the streamed sequence before what follows at; it is only known
	// while the journal is being read, when known == at.
	prev, known plant.Seq
}

func (c *cursor) move(at, prev plant.Seq) { c.at, c.prev, c.known = at, prev, at }

// history reads what follows the cursor from the journal and moves behind it.
// The result may be empty although the cursor moved. lost means that the
// journal cannot prove what came after the cursor.
func (c *cursor) history(ctx context.Context) (found []*entry, lost bool, err error) {
	if c.h.tooFar(c.at, c.h.ring.head()) {
		return nil, true, nil
	}
	batch, err := c.h.o.Source.Events(ctx, c.at, journalPage)
	if err != nil {
		return nil, false, fmt.Errorf("read the journal after %d: %w", c.at, err)
	}
	if len(batch) == 0 || batch[0].Prev > c.at {
		return nil, true, nil
	}
	if c.known != c.at || c.at == 0 {
		if c.prev, err = c.h.streamedBefore(ctx, batch[0].Prev); err != nil {
			return nil, false, err
		}
	}
	found = c.h.entries(batch, c.prev)
	prev := c.prev
	if len(found) > 0 {
		prev = found[len(found)-1].seq
	}
	c.move(batch[len(batch)-1].Seq, prev)
	if len(batch) < journalPage {
		c.goLive()
	}
	return found, false, nil
}

// goLive marks the moment where the journal's end has been read. A cursor
// needs to do nothing here: the ring is asked for what follows the position.
func (c *cursor) goLive() {
	if c.h.seam != nil {
		c.h.seam()
	}
	if c.h.late {
		c.move(c.h.ring.head(), c.h.ring.head())
	}
}
