package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"envivo/plant"
)

// Attempt is one thing somebody tried at the box: a command, carried out or
// refused, a request refused before it became one, or a page opened. It never
// holds what was typed.
type Attempt struct {
	At time.Time `json:"at"`
	// Code is the refusal's stable code (rules §9.1), empty when it was done.
	Code string `json:"code,omitempty"`
	// Why tells refusals apart that share a code, and names what was missing: a
	// column, a role, a field. English words or the plant's names.
	Why  string `json:"why,omitempty"`
	Verb string `json:"verb,omitempty"`
	Op   string `json:"op,omitempty"`
	// Tag is clipped: a client may send anything.
	Tag    plant.Tag      `json:"tag,omitempty"`
	Worker plant.WorkerID `json:"worker,omitempty"`
	Device string         `json:"device,omitempty"`
	// Door is where it came in: page, v2.1, v3, v4, or web for what is no command.
	Door string `json:"door,omitempty"`
	// Path is the address without its query, for what is no command.
	Path string `json:"path,omitempty"`
	// Micros is how long the box took, in microseconds.
	Micros int64 `json:"us,omitempty"`
	// Trace is the X-Request-Id of the answer; Seq the event it led to.
	Trace string    `json:"trace,omitempty"`
	Seq   plant.Seq `json:"seq,omitempty"`
	// More counts attempts of the same device that were left out before this
	// one, because they came too fast.
	More int `json:"more,omitempty"`
}

// VerbOpen is the Verb of a page that was opened.
const VerbOpen = "ABRIR"

// trail follows one request through the funnel.
type trail struct {
	id    string
	began time.Time
	// told is set once a refusal was recorded, so that none is counted twice.
	told bool
}

type trailKey struct{}

// onTrail marks a request, so that whatever it leads to can be told together.
func (s *Server) onTrail(w http.ResponseWriter, r *http.Request) *http.Request {
	if s.o.Attempted == nil {
		return r
	}
	t := &trail{began: s.o.Now()}
	if id := w.Header()[traceHeader]; len(id) > 0 {
		t.id = id[0]
	}
	return r.WithContext(context.WithValue(r.Context(), trailKey{}, t))
}

func trailOf(ctx context.Context) *trail {
	t, _ := ctx.Value(trailKey{}).(*trail)
	return t
}

// opened records that a page was shown; fragments, pictures and streams are not
// worth a line.
func (s *Server) opened(r *http.Request) {
	t := trailOf(r.Context())
	if t == nil || t.told || r.Method != http.MethodGet || strings.HasPrefix(r.URL.Path, "/api/") ||
		r.Header.Get("X-Parte") != "" || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		return
	}
	a := s.attempt(t, r)
	a.Verb = VerbOpen
	s.o.Attempted(a)
}

// attempt is what is known of any request.
func (s *Server) attempt(t *trail, r *http.Request) Attempt {
	now := s.o.Now()
	a := Attempt{At: now, Door: "web", Path: clip(r.URL.Path), Device: s.device(r), Trace: t.id, Micros: now.Sub(t.began).Microseconds()}
	if me, ok := s.pages.me(r, s.o.Plant.Snapshot()); ok {
		a.Worker = me.ID
	}
	if tag := r.PathValue("tag"); tag != "" {
		a.Tag = plant.Tag(clip(tag))
	}
	return a
}

// turnedAway records a request that was refused before any command, unless the
// refusal came from a command and is on record.
func (s *Server) turnedAway(r *http.Request, code string, err error) {
	t := trailOf(r.Context())
	if t == nil || t.told {
		return
	}
	t.told = true
	a := s.attempt(t, r)
	a.Code = code
	var no *plant.Error
	var p *problem
	switch {
	case errors.As(err, &no):
		a.refusedAs(no)
	case errors.As(err, &p) && len(p.faults) > 0:
		a.Why = clip(strings.Join(p.faults[0].Loc, ".") + " " + p.faults[0].Type)
	}
	s.o.Attempted(a)
}

// refusedAs takes over what a refusal of the rules tells.
func (a *Attempt) refusedAs(no *plant.Error) {
	a.Code = statuses[no.Code].code
	a.Why = whyOf(no)
	if no.Tag != "" {
		a.Tag = plant.Tag(tagOf(no))
	}
	if no.Worker.ID != 0 {
		a.Worker = no.Worker.ID
	}
	if no.Op != plant.OpNone {
		a.Op = no.Op.String()
	}
	if no.Verb != plant.VerbNone {
		a.Verb = no.Verb.String()
	}
}

// whyOf is Attempt.Why of a refusal.
func whyOf(no *plant.Error) string {
	switch no.Code {
	case plant.CodeNotHolder:
		return "not-holder"
	case plant.CodeTooEarly:
		return "too-early"
	case plant.CodeSupervisor:
		return "supervisor"
	case plant.CodeUnauthorized:
		return "unauthorized"
	case plant.CodeUnchanged:
		return "unchanged"
	case plant.CodeUndoLate:
		return "undo-late"
	case plant.CodeUnion:
		return "union"
	case plant.CodeRole:
		return strings.Join(no.Required.Names(), ",")
	case plant.CodeUnknownOutcome:
		return "unknown-outcome"
	}
	return clip(no.Missing)
}

// watched is a plant whose commands are recorded as they are answered.
type watched struct {
	Plant
	s *Server
}

var doors = map[plant.Door]string{plant.DoorPage: "page", plant.DoorV3: "v3", plant.DoorV21: "v2.1", plant.DoorV4: "v4"}

// Do is part of Plant.
func (w watched) Do(ctx context.Context, c plant.Command) (plant.Receipt, error) {
	began := w.s.o.Now()
	rec, err := w.Plant.Do(ctx, c)
	w.tell(ctx, c, plant.Result{Receipt: rec, Err: err}, began)
	return rec, err
}

// DoAll is part of Plant.
func (w watched) DoAll(ctx context.Context, all []plant.Command) []plant.Result {
	began := w.s.o.Now()
	out := w.Plant.DoAll(ctx, all)
	for i, res := range out {
		w.tell(ctx, all[i], res, began)
	}
	return out
}

func (w watched) tell(ctx context.Context, c plant.Command, res plant.Result, began time.Time) {
	now := w.s.o.Now()
	a := Attempt{At: now, Verb: c.Verb.String(), Tag: plant.Tag(clip(string(c.Tag))), Worker: c.Worker, Device: c.Device,
		Door: doors[c.Door], Micros: now.Sub(began).Microseconds(), Seq: res.Receipt.Event.Seq}
	if c.Actor > 0 { // not for a supervisor who is no worker
		a.Worker = c.Actor
	}
	if c.Op != plant.OpNone {
		a.Op = c.Op.String()
	}
	t := trailOf(ctx)
	if t != nil {
		a.Trace = t.id
	}
	if res.Err != nil {
		a.Code = codeInternal
		var no *plant.Error
		if errors.As(res.Err, &no) {
			a.refusedAs(no)
		}
		if t != nil {
			t.told = true
		}
	}
	w.s.o.Attempted(a)
}
