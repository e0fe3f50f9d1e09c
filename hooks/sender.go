package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"envivo/plant"
)

// Sender serves all hooks that the store's settings name.
type Sender struct {
	o Options

	mu    sync.Mutex
	state map[string]State // by hook's id
}

// State is how a hook is doing.
type State struct {
	Sent uint64 // since the start
	Seq  plant.Seq
	// Trouble is why the last try failed and Since when the first of a row did;
	// empty while all is well.
	Trouble string
	Since   time.Time
	// Paused says that this is a restored copy, which sends nothing by itself.
	Paused bool
}

// NewSender makes a Sender; Run starts it.
func NewSender(o Options) *Sender { return &Sender{o: o, state: map[string]State{}} }

// States are the hooks at work by their ids.
func (s *Sender) States() map[string]State {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]State, len(s.state))
	for id, st := range s.state {
		out[id] = st
	}
	return out
}

func (s *Sender) note(id string, f func(*State)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state[id]
	f(&st)
	s.state[id] = st
}

// Run sends until ctx ends. Hooks that are added or removed are noticed at once.
func (s *Sender) Run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	running := map[plant.Setting]context.CancelFunc{}
	for {
		snap, wanted := s.o.Source.Snapshot(), map[plant.Setting]bool{}
		for _, key := range snap.Settings(SettingHook) {
			x := plant.Setting{Key: key, Value: snap.Setting(key)}
			wanted[x] = true
			if running[x] != nil {
				continue
			}
			own, stop := context.WithCancel(ctx)
			running[x] = stop
			all.Go(func() { s.serve(own, x) })
		}
		for x, stop := range running {
			if !wanted[x] {
				stop()
				delete(running, x)
			}
		}
		if s.o.Wait(ctx, look) != nil {
			for _, stop := range running {
				stop()
			}
			return nil
		}
	}
}

// job is one hook at work.
type job struct {
	*Sender
	h     Hook
	at    plant.Seq // sent or skipped up to here
	prev  plant.Seq // the newest event before at that is no setting
	saved time.Time
	since int // events sent since
}

func (s *Sender) serve(ctx context.Context, x plant.Setting) {
	h, err := Parse(x)
	if err != nil {
		s.o.Log.Error("read a webhook", "err", err)
		return
	}
	j := &job{Sender: s, h: h, saved: s.o.Now()}
	defer func() {
		s.mu.Lock()
		delete(s.state, h.ID)
		s.mu.Unlock()
	}()
	defer j.save(context.WithoutCancel(ctx), true)
	if err := j.begin(ctx); err != nil {
		if ctx.Err() != nil {
			return
		}
		s.o.Log.Error("webhook: where to begin", "name", h.Name, "err", err)
		return
	}
	for ctx.Err() == nil {
		if err := j.turn(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Error("webhook", "name", h.Name, "err", err)
		}
		j.save(ctx, false)
		if s.o.Wait(ctx, look) != nil {
			return
		}
	}
}

// begin finds the hook's place: where it was, else here, else the very start.
func (j *job) begin(ctx context.Context) error {
	for {
		snap := j.o.Source.Snapshot()
		text := snap.Setting(settingDone + j.h.ID)
		if text == "" {
			if !j.h.All {
				j.at = snap.Seq
			}
			break
		}
		at, epoch, err := placeOf(text)
		if err != nil {
			return err
		}
		if j.at = at; epoch == "" || epoch == snap.Epoch {
			break
		}
		j.note(j.h.ID, func(st *State) { st.Seq, st.Paused = at, true })
		if err := j.o.Wait(ctx, look); err != nil {
			return err
		}
	}
	j.note(j.h.ID, func(st *State) { st.Seq, st.Paused = j.at, false })
	return j.place(ctx)
}

// place stores how far the hook is, and in which history.
func (j *job) place(ctx context.Context) error {
	return j.set(ctx, plant.Setting{Key: settingDone + j.h.ID, Value: placeText(j.at, j.o.Source.Snapshot().Epoch)})
}

// turn sends what there is: letters that are to be tried again, then news.
func (j *job) turn(ctx context.Context) error {
	snap := j.o.Source.Snapshot()
	for _, seq := range Dead(snap, j.h.ID) {
		var l letter
		key := deadKey(j.h.ID, seq)
		if err := json.Unmarshal([]byte(snap.Setting(key)), &l); err != nil || !l.Again {
			continue
		}
		events, err := j.o.Source.Events(ctx, seq-1, 1)
		if err != nil || len(events) == 0 || events[0].Seq != seq {
			return fmt.Errorf("read event %d: %w", seq, err)
		}
		if events[0].Prev, err = j.before(ctx, events[0].Prev); err != nil {
			return err
		}
		if err := j.one(ctx, &events[0]); err != nil {
			return err
		}
	}
	for j.at < j.o.Source.Snapshot().Seq {
		events, err := j.o.Source.Events(ctx, j.at, page)
		if err != nil || len(events) == 0 {
			return err
		}
		for i := range events {
			if err := j.next(ctx, &events[i]); err != nil {
				return err
			}
		}
		j.save(ctx, false)
	}
	return nil
}

// next sends one event of the log, unless it is a setting.
func (j *job) next(ctx context.Context, e *plant.Event) error {
	if e.Kind != plant.KindAjuste {
		if j.prev == 0 {
			prev, err := j.before(ctx, e.Prev)
			if err != nil {
				return err
			}
			j.prev = prev
		}
		e.Prev = j.prev
		if err := j.one(ctx, e); err != nil {
			return err
		}
		j.prev, j.since = e.Seq, j.since+1
	}
	j.at = e.Seq
	j.note(j.h.ID, func(st *State) { st.Seq = j.at })
	return nil
}

// before is the newest event up to seq that is no setting.
func (j *job) before(ctx context.Context, seq plant.Seq) (plant.Seq, error) {
	for n := plant.Seq(1); seq > 0; n = page { // settings change rarely: one first, then many
		from := seq - min(n, seq)
		events, err := j.o.Source.Events(ctx, from, int(seq-from))
		if err != nil {
			return 0, err
		}
		for i := len(events) - 1; i >= 0; i-- {
			if events[i].Seq <= seq && events[i].Kind != plant.KindAjuste {
				return events[i].Seq, nil
			}
		}
		seq = from
	}
	return 0, nil
}

// errRefused is an answer that the same again will hardly change.
var errRefused = errors.New("the receiver refuses the event")

// one brings an event to the receiver, or sets it aside. An error is ctx's or
// the store's.
func (j *job) one(ctx context.Context, e *plant.Event) error {
	refused := 0
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := j.post(ctx, e)
		switch {
		case err == nil:
			j.note(j.h.ID, func(st *State) { st.Sent++; st.Trouble, st.Since = "", time.Time{} })
			return j.set(ctx, plant.Setting{Key: deadKey(j.h.ID, e.Seq)})
		case ctx.Err() != nil:
			return ctx.Err()
		}
		j.note(j.h.ID, func(st *State) {
			if st.Trouble = err.Error(); st.Since.IsZero() {
				st.Since = j.o.Now()
			}
		})
		if errors.Is(err, errRefused) {
			if refused++; refused == tries {
				return j.bury(ctx, e, err)
			}
		}
		if err := j.o.Wait(ctx, pause); err != nil {
			return err
		}
	}
}

func (j *job) post(ctx context.Context, e *plant.Event) error {
	req, err := j.request(ctx, j.h, e)
	if err != nil {
		return err
	}
	resp, err := j.o.Send(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooManyRequests:
		return errors.New(resp.Status)
	}
	return fmt.Errorf("%w: %s", errRefused, resp.Status)
}

// bury sets an event aside.
func (j *job) bury(ctx context.Context, e *plant.Event, why error) error {
	j.o.Log.Warn("webhook: an event is set aside", "name", j.h.Name, "seq", uint64(e.Seq), "why", why)
	value, err := json.Marshal(letter{Why: why.Error(), At: j.o.Now().UTC()})
	if err != nil {
		return err
	}
	return j.set(ctx, plant.Setting{Key: deadKey(j.h.ID, e.Seq), Value: string(value)})
}

// save stores the hook's place now and then.
func (j *job) save(ctx context.Context, last bool) {
	if j.since == 0 || !last && j.since < saveEvents && j.o.Now().Sub(j.saved) < saveWithin {
		return
	}
	if j.o.Source.Snapshot().Setting(SettingHook+j.h.ID) == "" {
		return // removed: nothing about it is to stay
	}
	if err := j.place(ctx); err != nil {
		j.o.Log.Warn("webhook: store its place", "name", j.h.Name, "err", err)
		return
	}
	j.since, j.saved = 0, j.o.Now()
}

// set stores a setting; one that is so already is stored.
func (j *job) set(ctx context.Context, x plant.Setting) error {
	if j.o.Source.Snapshot().Setting(x.Key) == x.Value {
		return nil
	}
	_, err := j.o.Source.Do(ctx, plant.Command{Verb: plant.Ajustar, Supervisor: true, Setting: &x})
	if errors.Is(err, plant.ErrUnchanged) {
		return nil
	}
	return err
}
