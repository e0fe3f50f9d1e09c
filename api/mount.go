package api

import (
	"net/http"
	"strings"

	"envivo/ui"
)

// entrances is a mux that remembers its patterns, so that a test can knock at each.
type entrances struct {
	*http.ServeMux
	patterns []string
}

func newEntrances() *entrances { return &entrances{ServeMux: http.NewServeMux()} }

// HandleFunc mounts a handler and remembers where.
func (e *entrances) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	e.Handle(pattern, http.HandlerFunc(h))
}

// Handle mounts a handler and remembers where.
func (e *entrances) Handle(pattern string, h http.Handler) {
	e.patterns = append(e.patterns, pattern)
	e.ServeMux.Handle(pattern, h)
}

// mount puts every address of the box into the mux.
func (s *Server) mount() {
	for _, r := range s.routes() {
		s.handle(r)
	}
	s.mux.HandleFunc("/api/", s.nowhere)
	s.mountPages()
}

// stream serves a live stream; without one the box says that it has none.
func (s *Server) stream(of func() http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch g, h := s.identify(r), of(); {
		case g.scope < ScopeRead:
			s.refuse(w, r, unauthorized(g))
		case h == nil:
			s.refuse(w, r, &problem{status: http.StatusServiceUnavailable, code: codeSheet, message: "El servidor no ofrece este canal ahora."})
		default:
			h.ServeHTTP(w, r)
		}
	}
}

// mountPages puts the pages behind the plant's access: an unknown device may
// only look at how to get in.
func (s *Server) mountPages() {
	s.pages = &pages{
		plant: s.o.Plant, permitted: s.o.Permitted, render: s.o.Render, now: s.o.Now, newID: s.o.NewUUID,
		supervisor: s.supervisor, enter: s.enter, leave: s.leave, device: s.device, status: statusOf, turnedAway: s.turnedAway,
		build: s.o.Build, env: s.envBanner(), tls: s.o.TLS, log: s.o.Log, drafts: newDrafts(s.o.Now), rows: ui.NewRows(), bodies: newBodies(), chronicle: newChronicle(), desk: s.desk, box: s, standby: s.o.Standby,
		refusals: s.o.Refusals, readCode: s.o.ReadCode, frames: newFrames(s.o.Now),
	}
	s.pages.drafts.load(s.o.Drafts)
	s.plain = http.NewServeMux()
	s.trustRoutes(s.plain)
	inner := newEntrances()
	s.pages.routes(inner)
	s.mux.HandleFunc("GET /ws/ui", s.clocked(s.stream(func() http.Handler { return s.o.UI }))) // the pages' own, described in package ws
	if s.o.Assets != nil {
		inner.Handle("GET "+s.o.AssetsPrefix, s.o.Assets)
	}
	s.inner = inner
	s.mux.HandleFunc("/", s.page)
}

// page lets a request through to the pages.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	if s.hang(w, r) {
		return
	}
	if r.URL.Path == ui.TrustPath || strings.HasPrefix(r.URL.Path, ui.TrustPath+"/") {
		s.plain.ServeHTTP(w, r)
		return
	}
	g := s.identify(r)
	looks := r.Method == http.MethodGet || r.Method == http.MethodHead
	if g.tablet != nil && looks && prefersHTML(r) {
		s.visited(w, r, g.tablet)
	}
	switch {
	case r.URL.Path == "/" && r.Method == http.MethodGet && prefersJSON(r):
		s.answer(w, http.StatusOK, s.greeting())
	case s.free(r), g.scope >= ScopeAct, g.scope >= ScopeRead && looks:
		s.inner.ServeHTTP(w, r)
	case g.scope >= ScopeRead:
		s.pages.onlyLooks(w, r)
	default:
		s.pages.stranger(w, r)
	}
}

// visited notes that a device loads a page, and renews its cookie.
func (s *Server) visited(w http.ResponseWriter, r *http.Request, d *Device) {
	now := s.o.Now()
	s.devices.heard(d.ID, s.o.Build, now)
	if c, err := r.Cookie(deviceCookie); err == nil && s.devices.keep(d.ID, now) {
		s.pages.remember(w, deviceCookie, c.Value, deviceFor)
	}
}

// free are the pages that a strange device needs to get in; those that do
// something ask for a code or a PIN themselves. They tell nothing of the plant.
func (s *Server) free(r *http.Request) bool {
	switch r.URL.Path {
	case "/entrar", "/entrar/salir", "/pulso", setupPath, tabletPath + "/codigo", tabletPath + "/registrar":
		return true
	case tabletPath:
		return r.Method == http.MethodGet
	}
	return s.o.Assets != nil && strings.HasPrefix(r.URL.Path, s.o.AssetsPrefix)
}

// LivePage finds what draws a live view, for the hub.
func (s *Server) LivePage(view string) (Page, error) { return s.pages.LivePage(view) }

// prefersJSON tells programs from browsers, which always accept HTML.
func prefersJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

// prefersHTML tells the loading of a page from what scripts ask for.
func prefersHTML(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html") && r.Header.Get("X-Parte") == ""
}

type greeting struct {
	Message string `json:"message"`
	Version string `json:"version"`
	Docs    string `json:"docs"`
	Redoc   string `json:"redoc"`
	Health  string `json:"health"`
}

func (s *Server) greeting() greeting {
	return greeting{"envivo: quién tiene qué spool", s.o.Version, "/api/docs", "/api/redoc", "/api/health"}
}

// production is the environment whose pages wear no banner.
const production = "produccion"

func (s *Server) envBanner() string {
	if s.o.Env == production {
		return ""
	}
	return s.o.Env
}
