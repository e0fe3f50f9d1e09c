package api

import (
	"fmt"
	"net/http"

	"envivo/plant"
)

// mountHealth puts up what machines and people ask about the box itself. These
// answers carry nothing of the plant and need no access.
func (s *Server) mountHealth() {
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	s.mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := s.unready(); err != nil {
			plain(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		plain(w, http.StatusOK, "ok")
	})
	s.mux.HandleFunc("GET /metrics", s.metricsPage)
	s.handle("GET /api/health", ScopeNone, s.health)
	s.handle("GET /api/health/diagnostic", ScopeRead, s.diagnostic)
	s.handle("GET /api/redis-health", ScopeNone, s.lockHealth)
	s.handle("GET /api/redis-connection-stats", ScopeNone, s.lockStats)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// unready says why commands cannot be carried out now.
func (s *Server) unready() error {
	switch {
	case s.leaving.Load():
		return errLeaving
	case s.o.Ready != nil:
		return s.o.Ready()
	}
	return nil
}

var errLeaving = fmt.Errorf("the server is stopping")

type healthJSON struct {
	Status      string `json:"status"`
	Timestamp   string `json:"timestamp"`
	Environment string `json:"environment"`
	Sheets      string `json:"sheets_connection"`
	Redis       string `json:"redis_connection"`
	Version     string `json:"version"`
	Operational bool   `json:"operational"`
	Details     any    `json:"details"`
}

// health always answers 200 (rules §9.3): a front end that cannot read it
// calls the plant dead. Without a Sheet there is nothing to be disconnected
// from.
func (s *Server) health(*call) (any, error) {
	h := healthJSON{Status: "healthy", Timestamp: plant.ISOTime(s.o.Now()), Environment: s.o.Env, Sheets: "ok", Redis: "ok", Version: s.o.Version, Operational: true}
	snap := s.o.Plant.Snapshot()
	details := map[string]any{"seq": snap.Seq, "epoch": snap.Epoch, "spools": snap.Len(), "build": s.o.Build, "sheet": s.o.SheetID != "", "sync": s.desk.health()}
	if s.o.Sheet != nil {
		if err := s.o.Sheet(); err != nil {
			h.Status, h.Sheets = "degraded", "error"
		}
	}
	if err := s.unready(); err != nil {
		h.Status, h.Operational, h.Redis = "unhealthy", false, "error"
		details["motivo"] = err.Error()
	}
	h.Details = details
	return h, nil
}

func (s *Server) diagnostic(*call) (any, error) {
	roles := map[string]int{}
	snap := s.o.Plant.Snapshot()
	for _, w := range snap.Workers() {
		if w.Activo {
			for _, name := range w.Roles.Names() {
				roles[name]++
			}
		}
	}
	id := s.o.SheetID
	if len(id) > 8 {
		id = id[:4] + "…" + id[len(id)-4:]
	}
	return map[string]any{"sheet_id": orNull(id), "sheet_names": sheetNames, "worksheets": s.worksheets(), "role_counts": roles,
		"spools": snap.Len(), "workers": len(snap.Workers())}, nil
}

// worksheets are those of the Sheet that nothing is known against; none without
// a Sheet.
func (s *Server) worksheets() []string {
	found := []string{}
	if s.o.Sync == nil {
		return found
	}
	missing := map[string]bool{}
	for _, a := range s.o.Sync.Status().Alerts {
		missing[a.Sheet] = missing[a.Sheet] || a.Column == ""
	}
	for _, name := range sheetNames {
		if !missing[name] {
			found = append(found, name)
		}
	}
	return found
}

// lockHealth reports the built-in store where the earlier system had a broker.
func (s *Server) lockHealth(*call) (any, error) {
	if err := s.unready(); err != nil {
		return map[string]any{"status": "unhealthy", "message": "El servidor no puede guardar ahora.", "operational": false}, nil
	}
	return map[string]any{"status": "healthy", "message": "Las tomas se guardan en el servidor mismo.", "operational": true}, nil
}

func (s *Server) lockStats(*call) (any, error) {
	return map[string]any{"status": "ok", "max_connections": 0, "pool_created": true, "alert": nil, "timestamp": plant.ISOTime(s.o.Now())}, nil
}
