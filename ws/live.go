package ws

import (
	"errors"
	"net/http"

	"github.com/gorilla/websocket"

	"envivo/plant"
)

// ServeViews is the socket of our own pages, GET /ws/ui.
func (h *Hub) ServeViews(w http.ResponseWriter, r *http.Request) {
	if !h.admit(w, r) {
		return
	}
	s, ok := h.connect(w, r, h.pace.viewBeat, &h.count.views)
	if !ok {
		return
	}
	q := r.URL.Query()
	in, err := h.views.use(q.Get("view"), 1)
	if errors.Is(err, ErrNoView) {
		h.o.Log.Info("a socket asked for an unknown view", "err", err)
		s.deny(CloseNoView)
		return
	}
	f := &viewFeed{in: in}
	// A view that cannot be drawn now may be drawn later: the last good state
	// stands, and without one there is nothing to follow yet.
	if err := in.refresh(); err != nil && in.num.Load() == 0 {
		f.leave()
		s.deny(websocket.CloseInternalServerErr)
		return
	}
	s.start(f, f.greet(q.Get("epoch"), q.Get("rev")))
}

// viewFeed follows an instance. There is no queue of patches: what a socket
// needs is computed from where it stands.
type viewFeed struct {
	in     *instance
	rev    uint64    // state the page is in
	seq    plant.Seq // snapshot the page is known to show
	faults uint64    // in.failed when the page was last told
	broken bool      // the page was told that the view cannot be drawn
	mute   bool      // the page was told to reload
}

// greet gives the first frames and finds the page's state.
func (f *viewFeed) greet(epoch, rev string) []byte {
	h, in := f.in.views.hub, f.in
	in.mu.Lock()
	defer in.mu.Unlock()
	out := message(viewHelloMessage{Kind: "hello", Build: h.o.Build, Epoch: in.snap.Epoch, Seq: in.snap.Seq, Rev: in.revText(),
		Now: h.o.Now().UnixMilli()})
	f.faults = in.failed
	if in.failing {
		f.faults-- // the page has not been told
	}
	at, ok := in.at(rev)
	if ok && (epoch == "" || epoch == in.snap.Epoch) {
		f.rev = at
		if at == in.rev {
			f.seq = in.snap.Seq
		}
		return out
	}
	return append(out, f.reset()...)
}

// reset needs the instance's mu.
func (f *viewFeed) reset() []byte {
	f.mute, f.seq = true, f.in.snap.Seq
	f.in.views.hub.count.resets.Add(1)
	return message(resetMessage{Kind: "reset", Epoch: f.in.snap.Epoch, Seq: f.in.snap.Seq, Rev: f.in.revText()})
}

func (f *viewFeed) next() ([]byte, bool) {
	in := f.in
	if f.mute || in.num.Load() == f.rev && in.faults.Load() == f.faults {
		return nil, false
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if f.rev != in.rev {
		p := in.patch(f.rev)
		f.rev, f.seq, f.broken = in.rev, in.snap.Seq, false
		if p == nil {
			p = f.reset()
		}
		return p, false
	}
	f.faults = in.failed
	switch {
	case in.failing:
		f.broken = true
		return message(errorMessage{Kind: "error"}), false
	case f.broken: // it is drawn again as the page shows it
		f.broken = false
		return message(patchMessage{Kind: "patch", Seq: in.snap.Seq, Rev: in.revText(), Regions: []patchRegion{}}), false
	}
	return nil, false // it recovered before this socket could be told
}

func (f *viewFeed) fetch() ([]byte, error) { return nil, nil }

// beat names the newest snapshot the page is known to show: the instance may be
// ahead by a patch that is only about to be sent.
func (f *viewFeed) beat() []byte {
	f.in.mu.Lock()
	defer f.in.mu.Unlock()
	if f.rev == f.in.rev && !f.mute {
		f.seq = f.in.snap.Seq
	}
	return message(beatMessage{Kind: "beat", Seq: f.seq, Now: f.in.views.hub.o.Now().UnixMilli()})
}

func (f *viewFeed) leave() { f.in.views.leave(f.in) }
