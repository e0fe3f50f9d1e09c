package api

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"envivo/plant"
	"envivo/ui"
)

// Page draws the regions of one live view from a snapshot.
type Page func(*plant.Snapshot, time.Time) ([]ui.Region, error)

// PageSource is what the pages need of the plant.
type PageSource interface {
	Do(context.Context, plant.Command) (plant.Receipt, error)
	DoAll(context.Context, []plant.Command) []plant.Result
	Snapshot() *plant.Snapshot
	Events(ctx context.Context, after plant.Seq, limit int) ([]plant.Event, error)
	History(ctx context.Context, tag plant.Tag, before plant.Seq, limit int) ([]plant.Event, error)
}

// RenderFunc gives the newest state of a live view: its regions, the snapshot
// they were drawn from and the mark a stream resumes from.
type RenderFunc func(view string) ([]ui.Region, plant.Seq, string, error)

// pages serves what people see. All fields are set once, before the first
// request; rows, bodies, chronicle and desk lock for themselves.
type pages struct {
	plant     PageSource
	permitted func(plant.View, plant.Tag, plant.WorkerID, bool, time.Time) []ui.Action
	render    RenderFunc // nil: every page is drawn for its request
	now       func() time.Time
	newID     func() string
	// supervisor, enter and leave are the supervisor's session; device names
	// the tablet a request comes from.
	supervisor func(*http.Request) bool
	enter      func(http.ResponseWriter, *http.Request, string) attempt
	leave      func(http.ResponseWriter, *http.Request)
	device     func(*http.Request) string
	status     func(plant.Code) int
	// turnedAway records a request that was refused before any command.
	turnedAway func(r *http.Request, code string, err error)
	build, env string
	tls        bool // cookies travel over TLS only
	readCode   func(frame []byte, width int) (code string, ok bool, err error)
	frames     *frames
	log        *slog.Logger

	drafts *drafts
	rows   *ui.Rows
	bodies *bodies
	// chronicle is the event log's fold for figures and the time machine.
	chronicle *chronicle
	desk      *desk
	// refusals are what was refused since an instant; nil without a record.
	refusals func(since time.Time) []Attempt
	// box enrols devices and makes tokens.
	box     *Server
	standby func() ui.Standby // nil on a box of its own
}

// routes mounts the pages. The caller decides about access.
func (p *pages) routes(mux *entrances) {
	for pattern, h := range map[string]pageFunc{
		"GET /{$}":                   p.inicio,
		"GET /quien":                 p.quien,
		"GET /spools":                p.spools,
		"GET /spools/{tag}":          p.spool,
		"GET /spools/{tag}/orden":    p.orderOutcome,
		"POST /spools/{tag}/{verbo}": p.command,
		"GET /mis":                   p.mis,
		"GET /listos":                p.listos,
		"GET /metrologia":            p.metrologia,
		"GET /reparacion":            p.reparacion,
		"GET /menu":                  p.menu,
		"GET /entrar":                p.entrar,
		"POST /entrar":               p.entrarPIN,
		"POST /entrar/salir":         p.entrarSalir,
		"GET " + ui.PersonPINPath:    p.personPIN,
		"POST /persona":              p.persona,
		"POST /salir":                p.salir,
		"GET /buscar":                p.buscar,
	} {
		mux.HandleFunc(pattern, p.handle(h))
	}
	for pattern, h := range p.syncRoutes() {
		mux.HandleFunc(pattern, p.handle(h))
	}
	for pattern, h := range p.personRoutes() {
		mux.HandleFunc(pattern, p.handle(h))
	}
	for pattern, h := range p.boardRoutes() {
		mux.HandleFunc(pattern, p.handle(h))
	}
	for pattern, h := range p.accessRoutes() {
		mux.HandleFunc(pattern, p.handle(h))
	}
	p.floorRoutes(mux)
	mux.HandleFunc("/", p.handle(p.missing))
}

// pageFunc is a page's handler; an error becomes the error page.
type pageFunc func(w http.ResponseWriter, r *http.Request) error

func (p *pages) handle(f pageFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		pageHeaders(w.Header())
		if secureContext(r) {
			w.Header().Set(permissionsHeader, withCamera)
		}
		if err := f(w, r); err != nil {
			p.fault(w, r, err)
		}
	}
}

// contentPolicy: nothing from outside, nothing inline.
const contentPolicy = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"

// What a page may use of the device: the camera where a browser gives it at
// all, and nothing else.
const (
	permissionsHeader = "Permissions-Policy"
	withoutDevices    = "camera=(), microphone=(), geolocation=()"
	withCamera        = "camera=(self), microphone=(), geolocation=()"
)

func pageHeaders(h http.Header) {
	h.Set(permissionsHeader, withoutDevices)
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept, Accept-Encoding, Cookie, X-Parte")
}

// fault answers what nobody foresaw with an id that is in the log.
func (p *pages) fault(w http.ResponseWriter, r *http.Request, err error) {
	code := p.newID()
	p.log.Error("page", "path", r.URL.Path, "code", code, "err", err)
	f := p.frame(w, r, "Falla")
	text := "Algo falló de nuestro lado. Código: " + code
	if writeErr := p.write(w, r, http.StatusInternalServerError, live{}, ui.ErrorPage(f, ui.TextNotLoaded, "Algo falló de nuestro lado. Espera un momento y reintenta.", code)); writeErr != nil {
		http.Error(w, text, http.StatusInternalServerError)
	}
}

// missing answers an address that leads nowhere.
func (p *pages) missing(w http.ResponseWriter, r *http.Request) error {
	return p.gone(w, r, "Esta dirección no existe.")
}

func (p *pages) gone(w http.ResponseWriter, r *http.Request, text string) error {
	return p.write(w, r, http.StatusNotFound, live{}, ui.MissingPage(p.frame(w, r, "No está"), text))
}

// live is the state of a view as a page embeds it.
type live struct {
	view    string
	regions []ui.Region
	seq     plant.Seq
	rev     string
	epoch   string
}

// state is the newest state of a view. It contains everything committed before
// the call.
func (p *pages) state(view string) (live, error) {
	snap := p.plant.Snapshot()
	if p.render != nil {
		regions, seq, rev, err := p.render(view)
		if err != nil {
			return live{}, fmt.Errorf("render view: %w", err)
		}
		if seq >= snap.Seq {
			return live{view: view, regions: regions, seq: seq, rev: rev, epoch: snap.Epoch}, nil
		}
	}
	page, err := p.LivePage(view)
	if err != nil {
		return live{}, err
	}
	regions, err := page(snap, p.now())
	if err != nil {
		return live{}, fmt.Errorf("draw view: %w", err)
	}
	return live{view: view, regions: regions, seq: snap.Seq, epoch: snap.Epoch}, nil
}

// LivePage finds what draws a view. Only canonical names are views, so that one
// page cannot be drawn under many names.
func (p *pages) LivePage(view string) (Page, error) {
	u, err := url.Parse(view)
	if err != nil {
		return nil, fmt.Errorf("view %q: %w", view, err)
	}
	if page, ok, err := p.liveBoard(u, view); ok {
		return page, err
	}
	if u.Path == "/canasta" {
		return p.liveBasket(view, u.Query())
	}
	if tag, ok := strings.CutPrefix(u.EscapedPath(), "/spools/"); ok {
		return p.liveSpool(view, tag, u.Query())
	}
	f := ui.ParseFilter(u.Path, u.Query())
	if f.View() != view {
		return nil, fmt.Errorf("view %q: its name is %q", view, f.View())
	}
	draw := map[string]func(*plant.Snapshot, ui.Filter, time.Time) ([]ui.Region, error){
		"/": ui.Start, "/quien": ui.Held, "/spools": p.rows.Spools, "/mis": ui.Mine, "/listos": ui.Ready,
		"/metrologia": ui.Inspection, "/reparacion": ui.Repair, ui.SupervisorPath: p.supervised,
	}[f.Path]
	if draw == nil {
		return nil, fmt.Errorf("view %q: there is no such page", view)
	}
	return func(s *plant.Snapshot, now time.Time) ([]ui.Region, error) { return draw(s, f, now) }, nil
}

// frame is the surroundings of a page for whoever asks. Whoever may not read
// gets a frame that tells nothing of the plant.
func (p *pages) frame(w http.ResponseWriter, r *http.Request, title string) ui.Frame {
	f := ui.Frame{Title: title, Now: p.now(), Build: p.build, Env: p.env, Here: here(r), Active: r.URL.Path, TLS: p.tls, Camera: secureContext(r), HasCamera: hasCamera(r)}
	g := p.box.identify(r)
	if f.Supervisor = g.supervisor || g.enrolling; g.scope < ScopeRead {
		f.Stranger = true
		return f
	}
	snap := p.plant.Snapshot()
	f.Seq, f.Epoch, f.SyncAlerts, f.AnyoneActs = snap.Seq, snap.Epoch, p.desk.attention(), p.box.o.Open && g.supervisor
	f.Tablet, f.Enrolled = settingsOf(g, r), g.tablet != nil
	if f.Supervisor {
		f.CommandID = p.newID()
	}
	if me, ok := p.me(r, snap); ok {
		f.Me, f.Rest = &me, rest(f.Tablet)
	}
	f.Notice = p.notice(w, r, snap)
	f.Head = ui.HeadCode(snap.Seq, snap.Head)
	if p.standby != nil {
		now := p.standby()
		f.Standby = &now
	}
	return f
}

// here is the page's own address, without what belongs to one visit.
func here(r *http.Request) string {
	if r.Method != http.MethodGet {
		return "/"
	}
	q := r.URL.Query()
	q.Del("hacer")
	if len(q) == 0 {
		return r.URL.EscapedPath()
	}
	return r.URL.EscapedPath() + "?" + q.Encode()
}

// show answers with a live page, or with its state alone when the script asks.
func (p *pages) show(w http.ResponseWriter, r *http.Request, title, view string, draw func(ui.Frame) templ.Component) error {
	l, err := p.state(view)
	if err != nil {
		return err
	}
	if r.Header.Get("X-Parte") == "vivo" {
		return p.writeState(w, r, l)
	}
	f := p.frame(w, r, title)
	f.View, f.Seq, f.Rev, f.Epoch = l.view, l.seq, l.rev, l.epoch
	return p.write(w, r, http.StatusOK, l, draw(f))
}

// write answers with a page. Regions are shared by all readers, so their packed
// bytes are kept; the rest of a page is small.
func (p *pages) write(w http.ResponseWriter, r *http.Request, status int, l live, page templ.Component) error {
	parts, err := ui.Parts(r.Context(), page)
	if err != nil {
		return err
	}
	now := p.now()
	var out reply
	for _, part := range parts {
		if part.Region == "" {
			out.add(part.Text)
			continue
		}
		region, ok := l.region(part.Region)
		if !ok {
			return fmt.Errorf("page %s has a place for region %s, its view has none", r.URL.Path, part.Region)
		}
		out.addKept(p.bodies.html(l, region, now))
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	return out.send(w, r, status)
}

func (l live) region(id string) (ui.Region, bool) {
	for _, r := range l.regions {
		if r.ID == id {
			return r, true
		}
	}
	return ui.Region{}, false
}

func joined(r ui.Region) []byte {
	n := 0
	for _, it := range r.Items {
		n += len(it.HTML)
	}
	out := bytes.NewBuffer(make([]byte, 0, n))
	for _, it := range r.Items {
		out.Write(it.HTML)
	}
	return out.Bytes()
}
