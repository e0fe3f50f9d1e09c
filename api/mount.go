package api

import (
	"net/http"
	"strings"

	"envivo/plant"
	"envivo/ui"
)

// mount puts every address of the box into the mux.
func (s *Server) mount() {
	s.mountReads()
	s.mountWrites()
	s.mountOld()
	s.mountSync()
	s.mountHealth()
	s.mux.HandleFunc("/api/", s.nowhere)
	s.stream("GET /ws", s.o.WS)
	s.stream("GET /ws/ui", s.o.UI)
	s.stream("GET /api/sse/stream", s.o.SSE)
	s.mountPages()
}

func (s *Server) mountReads() {
	for pattern, f := range map[string]endpoint{
		"GET /api/workers":                 s.workers,
		"GET /api/workers/{id}/roles":      s.workerRoles,
		"GET /api/spools":                  s.spools,
		"GET /api/spools/{tag}":            s.spoolDetail,
		"GET /api/spools/iniciar":          s.listIniciar,
		"GET /api/spools/completar":        s.listCompletar,
		"GET /api/spools/cancelar":         s.listCancelar,
		"GET /api/spools/ocupados":         s.listOcupados,
		"GET /api/spools/reparacion":       s.listReparacion,
		"GET /api/history/{tag}":           s.history,
		"GET /api/dashboard/occupied":      s.occupied,
		"GET /api/occupation/status/{tag}": s.occupation,
		"GET /api/events":                  s.events,
	} {
		s.handle(pattern, ScopeRead, f)
	}
}

func (s *Server) mountWrites() {
	writes := map[string]endpoint{
		"/api/occupation/tomar":        s.tomar,
		"/api/occupation/pausar":       s.pausar,
		"/api/occupation/completar":    s.completar,
		"/api/occupation/cancelar":     s.cancelar,
		"/api/occupation/batch-tomar":  s.batchTomar,
		"/api/occupation/relevar":      s.relevar,
		"/api/occupation/traspasar":    s.traspasar,
		"/api/occupation/liberar":      s.liberar,
		"/api/occupation/desbloquear":  s.desbloquear,
		"/api/occupation/deshacer":     s.deshacer,
		"/api/metrologia/completar":    s.metrologia,
		"/api/tomar-reparacion":        repair(plant.Tomar, "Reparación tomada para spool ", "", repairTaken),
		"/api/pausar-reparacion":       repair(plant.Pausar, "Reparación pausada para spool ", "", repairCycle),
		"/api/completar-reparacion":    repair(plant.Completar, "Reparación completada para spool ", " - devuelto a metrología", repairCycle),
		"/api/cancelar-reparacion":     repair(plant.Cancelar, "Reparación cancelada para spool ", "", repairCycle),
		"/api/v3/occupation/tomar":     s.tomar,
		"/api/v3/occupation/pausar":    s.pausar,
		"/api/v3/occupation/completar": s.completar,
	}
	writes["/api/v3/occupation/batch-tomar"] = s.batchTomar
	for path, f := range writes {
		s.handle("POST "+path, ScopeAct, f)
	}
	s.handle("POST /api/supervisor/session", ScopeNone, s.openSession)
	s.handle("DELETE /api/supervisor/session", ScopeNone, s.closeSession)
}

// stream mounts a live stream; without one the box says that it has none.
func (s *Server) stream(pattern string, h http.Handler) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		switch g := s.identify(r); {
		case g.scope < ScopeRead:
			s.refuse(w, r, unauthorized(g))
		case h == nil:
			s.refuse(w, r, &problem{status: http.StatusServiceUnavailable, code: codeSheet, message: "El servidor no ofrece este canal ahora."})
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// mountPages puts the pages behind the plant's access: an unknown device may
// only look at how to get in.
func (s *Server) mountPages() {
	s.pages = &pages{
		plant: s.o.Plant, permitted: s.o.Permitted, render: s.o.Render, now: s.o.Now, newID: s.o.NewUUID,
		supervisor: s.supervisor, enter: s.enter, leave: s.leave, device: s.device, status: statusOf,
		build: s.o.Build, env: s.envBanner(), tls: s.o.TLS, log: s.o.Log, drafts: newDrafts(s.o.Now), rows: ui.NewRows(), bodies: newBodies(), chronicle: newChronicle(), desk: s.desk,
	}
	inner := http.NewServeMux()
	s.pages.routes(inner)
	if s.o.Assets != nil {
		inner.Handle("GET "+s.o.AssetsPrefix, s.o.Assets)
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if s.hang(w, r) {
			return
		}
		free := s.o.Assets != nil && strings.HasPrefix(r.URL.Path, s.o.AssetsPrefix) || r.URL.Path == "/entrar"
		switch {
		case r.URL.Path == "/" && r.Method == http.MethodGet && prefersJSON(r):
			s.answer(w, http.StatusOK, s.greeting())
		case free || s.identify(r).scope >= ScopeAct, s.identify(r).scope >= ScopeRead && r.Method == http.MethodGet:
			inner.ServeHTTP(w, r)
		default:
			s.pages.stranger(w, r)
		}
	})
}

// LivePage finds what draws a live view, for the hub.
func (s *Server) LivePage(view string) (Page, error) { return s.pages.LivePage(view) }

// prefersJSON tells programs from browsers, which always accept HTML.
func prefersJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
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
