package ws

import (
	"net/http"
	"net/url"
	"strconv"

	"envivo/plant"
)

// ServeWS is the events stream, GET /ws.
func (h *Hub) ServeWS(w http.ResponseWriter, r *http.Request) {
	if !h.admit(w, r) {
		return
	}
	s, ok := h.connect(w, r, h.pace.beat, &h.count.events)
	if !ok {
		return
	}
	q := r.URL.Query()
	head, epoch := h.ring.head(), h.o.Source.Snapshot().Epoch
	ahead := message(helloMessage{Kind: "hello", Epoch: epoch, Seq: head, Build: h.o.Build})
	at, ok := h.position(q, q.Get("after"), head)
	if !ok {
		at = head
		ahead = append(ahead, h.reset(head)...)
	}
	s.start(&eventFeed{cursor: cursor{h: h, at: at}}, ahead)
}

// position is where a client continues: after the sequence it names, or live.
// It is false when that place cannot be continued from.
func (h *Hub) position(q url.Values, after string, head plant.Seq) (plant.Seq, bool) {
	snap := h.o.Source.Snapshot()
	if e := q.Get("epoch"); e != "" && e != snap.Epoch {
		return 0, false
	}
	if after == "" {
		return head, true
	}
	n, err := strconv.ParseUint(after, 10, 64)
	at := plant.Seq(n)
	// The snapshot may be ahead of the ring for a moment, and a page drawn from
	// it knows that sequence.
	if err != nil || at > snap.Seq || h.tooFar(at, head) {
		return 0, false
	}
	return at, true
}

func (h *Hub) tooFar(at, head plant.Seq) bool {
	return at < head && head-at > plant.Seq(h.o.Resume)
}

func (h *Hub) reset(head plant.Seq) []byte {
	h.count.resets.Add(1)
	return message(resetMessage{Kind: "reset", Epoch: h.o.Source.Snapshot().Epoch, Seq: head})
}

// eventFeed follows the ring, or the journal while it is behind the ring.
type eventFeed struct {
	cursor
	told plant.Seq // everything streamed up to here was given out
}

func (f *eventFeed) next() ([]byte, bool) {
	head := f.h.ring.head()
	frames, upto, covered := f.h.ring.frames(f.at)
	f.at = upto
	if covered && frames == nil {
		f.told = head
	}
	return frames, !covered
}

func (f *eventFeed) fetch() ([]byte, error) {
	found, lost, err := f.history(f.h.life)
	if err != nil {
		return nil, err
	}
	if lost {
		head := f.h.ring.head()
		f.move(head, head)
		return f.h.reset(head), nil
	}
	if len(found) == 0 {
		return nil, nil
	}
	return f.take(found), nil
}

// take joins as many entries as fit and moves behind them.
func (f *eventFeed) take(found []*entry) []byte {
	frames, upto := join(found)
	if upto != found[len(found)-1].seq {
		f.move(upto, upto)
	}
	return frames
}

// beat names the newest event that was given out. The ring may be ahead of it
// by one that is only about to be sent, and the cursor by a setting, which a
// reader never sees: either would look like a loss.
func (f *eventFeed) beat() []byte {
	return message(beatMessage{Kind: "beat", Seq: f.told})
}

func (f *eventFeed) leave() {}
