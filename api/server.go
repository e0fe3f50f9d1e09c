// Package api is the plant's outside: the JSON endpoints of every generation of
// client, access and the supervisor's session, health and metrics, and the
// pages (files pages*.go).
//
// A request passes one funnel: headers and origin (ServeHTTP), the route's
// scope, decoding, the endpoint, and one place that writes answers and errors.
// Endpoints return a value or an error and never write a status themselves;
// status.go says what each error is called.
//
// Names and addresses of a plant's box vary: Options.Host knows which may be
// its own. Requests of browsers are compared by Origin as well.
package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"envivo/plant"
	"envivo/ui"
)

// Plant is what the API needs of the store; see package store for what is
// durable, visible and ordered when.
type Plant interface {
	Do(context.Context, plant.Command) (plant.Receipt, error)
	DoAll(context.Context, []plant.Command) []plant.Result
	Snapshot() *plant.Snapshot
	Events(ctx context.Context, after plant.Seq, limit int) ([]plant.Event, error)
	History(ctx context.Context, tag plant.Tag, before plant.Seq, limit int) ([]plant.Event, error)
}

// Options configure a Server. Plant, Permitted, Now, NewUUID, Random and Log are
// required.
type Options struct {
	Plant Plant
	// Permitted says what one person may do on one spool, from the table that
	// decides commands.
	Permitted func(v plant.View, t plant.Tag, worker plant.WorkerID, supervisor bool, now time.Time) []ui.Action
	// WS, SSE and UI serve the live streams; where one is nil the box answers
	// 503.
	WS, SSE, UI http.Handler
	// Assets serves scripts, styles and pictures below AssetsPrefix; nil serves
	// none.
	Assets       http.Handler
	AssetsPrefix string
	// Render gives the newest state of a live view; nil draws pages per request.
	Render func(view string) ([]ui.Region, plant.Seq, string, error)

	Now     func() time.Time
	NewUUID func() string
	// Random is the source of session secrets.
	Random io.Reader
	Log    *slog.Logger

	// Open lets anybody who reaches the port read and act; otherwise an enrolled
	// device or a token is needed. Supervisor acts need the supervisor in both.
	Open bool
	// Origins are other front ends that may call the API from a browser.
	Origins []string
	// Host says whether a Host header can be the box's own; nil admits all.
	Host func(string) bool
	// WriteRate is how many writes per second a tablet may send (see pace.go); 0
	// limits nobody.
	WriteRate int
	// TLS marks cookies as Secure and leaves nothing but the way to HTTPS to
	// requests without it.
	TLS bool
	// ReadCode finds a QR code in a frame of grey pixels (package camera); nil
	// leaves that to browsers.
	ReadCode func(frame []byte, width int) (code string, ok bool, err error)
	// Trust is the plant's own authority, nil without one.
	Trust *Trust
	// Env names the environment, Build the binary, Version the release.
	Env, Build, Version string

	// Ready returns why commands cannot be carried out; nil means they always can.
	Ready func() error
	// ReadyNotes are faults that do not keep the plant from working, one a line;
	// nil means none.
	ReadyNotes func() []string
	// SheetID is the spreadsheet, empty for none; Sheet returns why it cannot be
	// reached.
	SheetID string
	Sheet   func() error
	// Sync is the exchange with the Sheet, nil when the plant has none.
	Sync Sync
	// Webhooks tells how the receivers of events are doing; nil means none.
	Webhooks func() []Webhook
	// Attempted is told everything that is tried at the box, from the goroutine
	// that answers: it must not wait. nil when nobody keeps a record.
	Attempted func(Attempt)
	// Refusals are the refusals on record since an instant, oldest first, also
	// those of before a restart; nil when there is no record.
	Refusals func(since time.Time) []Attempt
	// Attempts searches everything on record, newest first; Diagnosis writes a zip
	// of all that explains a fault, without secrets. nil when there is none.
	Attempts  func(match func(Attempt) bool, limit int) ([]Attempt, error)
	Diagnosis func(context.Context, io.Writer) error
	// Address is how other devices reach the box, for a browser on the box itself,
	// which knows it by a name that leads nowhere else.
	Address string
	// Health are what the administration page tells about the box beside what the
	// API knows itself; Settings are those in force, without secrets. Nil means
	// none.
	Health func() []ui.HealthLine
	// Care are those of Health that a supervisor must see without looking for
	// them; it is asked often. Nil means none.
	Care     func() []ui.HealthLine
	Settings []ui.Fact
	// Replica is what standbys are given; nil offers nothing.
	Replica Replica
	// Standby says that this box only shows what another one does; nil for a box
	// of its own.
	Standby func() ui.Standby
	// Drafts are what Server.Drafts told before a restart; nil without.
	Drafts []byte
	// KeepReturned keeps which persons' cookies were handed back; when it returns nil
	// the text is on the disk. Returned is the last one kept before a restart. nil
	// keeps nothing.
	KeepReturned func(text []byte) error
	Returned     []byte
	// Metrics append what other parts measure to /metrics.
	Metrics []func(io.Writer)
}

// Server answers every request of the box. All fields are set by New;
// sessions, tokens and meters lock for themselves.
type Server struct {
	o        Options
	mux      *entrances
	inner    *entrances // the pages, behind the plant's access
	cross    *http.CrossOriginProtection
	origins  map[string]bool
	sessions *sessions
	tokens   *tokenCache
	devices  *devices
	codes    *codes
	pacer    *pacer
	guard    *guard
	seals    *seals
	meters   *meters
	clocks   *clocks
	pages    *pages
	desk     *desk
	plain    *http.ServeMux // what a tablet may see without HTTPS
	began    time.Time
	leaving  atomic.Bool
	// auditing is held while a slot of the old front ends' log is chosen and written.
	auditing sync.Mutex
	// enrolling is held while the list of devices or tokens is read and changed.
	enrolling sync.Mutex
	// described makes the document once, when it is first asked for.
	described func() described
}

// New assembles the box's handler. An origin that is none is an error.
func New(o Options) (*Server, error) {
	s := &Server{o: o, mux: newEntrances(), cross: http.NewCrossOriginProtection(), origins: map[string]bool{},
		sessions: newSessions(o.Now, o.Random), tokens: newTokenCache(), devices: newDevices(), codes: newCodes(o.Now, o.Random), meters: newMeters(o.Metrics), clocks: newClocks(), desk: newDesk(o.Sync, o.Plant, o.Now), began: o.Now()}
	s.pacer, s.guard, s.seals = newPacer(o.WriteRate, o.Now), newGuard(&o), newSeals(&o)
	for _, origin := range o.Origins {
		origin = strings.TrimSuffix(origin, "/")
		if err := s.cross.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
		s.origins[origin] = true
	}
	if o.Attempted != nil {
		s.o.Plant = watched{o.Plant, s}
	}
	s.described = sync.OnceValue(func() described {
		d := describe(s.routes())
		return described{d.encoded(), d.page()}
	})
	s.mount()
	return s, nil
}

// NotReady makes /readyz say that the box is leaving.
func (s *Server) NotReady() { s.leaving.Store(true) }

// headers that every answer has.
var (
	nosniff  = []string{"nosniff"}
	sameSite = []string{"same-origin"}
	noStore  = []string{"no-store"}
	jsonType = []string{"application/json; charset=utf-8"}
)

const traceHeader = "X-Request-Id"

// ServeHTTP is the first station of the funnel.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["X-Content-Type-Options"] = nosniff
	h["Referrer-Policy"] = sameSite
	h[traceHeader] = []string{s.o.NewUUID()}
	r = s.onTrail(w, r)
	if s.strangeHost(w, r) {
		return
	}
	if s.o.TLS && r.TLS == nil {
		s.plainDoor(w, r)
		return
	}
	if s.crossOrigin(w, r) {
		return
	}
	if s.cross.Check(r) != nil {
		s.refuse(w, r, strangeOrigin())
		return
	}
	if s.paced(w, r) {
		return
	}
	s.mux.ServeHTTP(w, r)
	s.opened(r)
}
