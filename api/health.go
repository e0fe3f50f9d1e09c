package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"envivo/plant"
	"envivo/ui"
)

func healthz(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") }

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if err := s.unready(); err != nil {
		plain(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	text := "ok"
	if s.o.ReadyNotes != nil {
		text = strings.Join(append([]string{text}, s.o.ReadyNotes()...), "\n")
	}
	plain(w, http.StatusOK, text)
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

var errLeaving = errors.New(ui.TextUnreadyLeaving)

type healthJSON struct {
	Status      string        `json:"status"`
	Timestamp   string        `json:"timestamp"`
	Environment string        `json:"environment"`
	Sheets      string        `json:"sheets_connection"`
	Redis       string        `json:"redis_connection"`
	Version     string        `json:"version"`
	Operational bool          `json:"operational"`
	Details     healthDetails `json:"details"`
}

type healthDetails struct {
	Seq    plant.Seq  `json:"seq"`
	Epoch  string     `json:"epoch"`
	Spools int        `json:"spools"`
	Build  string     `json:"build"`
	Sheet  bool       `json:"sheet"`
	Sync   syncHealth `json:"sync"`
	Motivo string     `json:"motivo,omitempty"`
	// Follows is the address of the server whose plant this box only shows.
	Follows string `json:"sigue_a,omitempty"`
}

// health always answers 200 (rules §9.3): a front end that cannot read it
// calls the plant dead. Without a Sheet there is nothing to be disconnected
// from.
func (s *Server) health(*call) (any, error) {
	h := healthJSON{Status: "healthy", Timestamp: plant.ISOTime(s.o.Now()), Environment: s.o.Env, Sheets: "ok", Redis: "ok", Version: s.o.Version, Operational: true}
	snap := s.o.Plant.Snapshot()
	h.Details = healthDetails{Seq: snap.Seq, Epoch: snap.Epoch, Spools: snap.Len(), Build: s.o.Build, Sheet: s.o.SheetID != "", Sync: s.desk.health()}
	if s.o.Standby != nil {
		h.Details.Follows = s.o.Standby().Primary
	}
	if s.o.Sheet != nil {
		if err := s.o.Sheet(); err != nil {
			h.Status, h.Sheets = "degraded", "error"
		}
	}
	if err := s.unready(); err != nil {
		h.Status, h.Operational, h.Redis = "unhealthy", false, "error"
		h.Details.Motivo = err.Error()
	}
	return h, nil
}

type diagnosticAnswer struct {
	SheetID    *string        `json:"sheet_id"`
	SheetNames []string       `json:"sheet_names"`
	Worksheets []string       `json:"worksheets"`
	Roles      map[string]int `json:"role_counts"`
	Spools     int            `json:"spools"`
	Workers    int            `json:"workers"`
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
	return diagnosticAnswer{SheetID: orNull(id), SheetNames: sheetNames, Worksheets: s.worksheets(), Roles: roles,
		Spools: snap.Len(), Workers: len(snap.Workers())}, nil
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

type lockHealth struct {
	Status      string `json:"status"`
	Message     string `json:"message"`
	Operational bool   `json:"operational"`
}

// lockHealth reports the built-in store where the earlier system had a broker.
func (s *Server) lockHealth(*call) (any, error) {
	if err := s.unready(); err != nil {
		return lockHealth{"unhealthy", "El servidor no puede guardar ahora.", false}, nil
	}
	return lockHealth{"healthy", "Las tomas se guardan en el servidor mismo.", true}, nil
}

type lockStats struct {
	Status         string  `json:"status"`
	MaxConnections int     `json:"max_connections"`
	PoolCreated    bool    `json:"pool_created"`
	Alert          *string `json:"alert"`
	Timestamp      string  `json:"timestamp"`
}

func (s *Server) lockStats(*call) (any, error) {
	return lockStats{Status: "ok", PoolCreated: true, Timestamp: plant.ISOTime(s.o.Now())}, nil
}
