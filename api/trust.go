package api

import (
	"net/http"
	"strings"
	"time"

	"envivo/ui"
)

// Trust is the plant's own authority, for tablets to trust.
type Trust struct {
	// PEM is the root certificate, Profile the same for iPads.
	PEM, Profile []byte
	// Name and Fingerprint (SHA-256) are the root's, Until its end.
	Name, Fingerprint string
	Until             time.Time
	// Hosts are the box's names and addresses now, with the port; at least one.
	Hosts func() []string
}

// trustRoutes are the pages that a tablet may see before it trusts the box, and
// without HTTPS.
func (s *Server) trustRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+ui.TrustPath, s.pages.handle(s.trustPage))
	mux.HandleFunc("GET "+ui.TrustRootPath, s.trustFile("application/x-x509-ca-cert", "envivo-ca.crt", func(t *Trust) []byte { return t.PEM }))
	mux.HandleFunc("GET "+ui.TrustProfilePath, s.trustFile("application/x-apple-aspen-config", "envivo.mobileconfig", func(t *Trust) []byte { return t.Profile }))
	if s.o.Assets != nil {
		mux.Handle("GET "+s.o.AssetsPrefix, s.o.Assets)
	}
}

func (s *Server) trustPage(w http.ResponseWriter, r *http.Request) error {
	t := ui.TrustSight{On: s.o.TLS}
	if own := s.o.Trust; own != nil {
		t.Own, t.Name, t.Fingerprint, t.Until, t.Hosts = true, own.Name, own.Fingerprint, own.Until, own.Hosts()
	}
	return s.pages.write(w, r, http.StatusOK, live{}, ui.TrustPage(t))
}

// trustFile answers with one of the downloads; without an authority of our own
// there is none.
func (s *Server) trustFile(kind, name string, body func(*Trust) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.o.Trust == nil {
			s.pages.handle(s.pages.missing)(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
		h.Set("Cache-Control", "no-store")
		_, _ = w.Write(body(s.o.Trust)) // a reader who left cannot be told anything
	}
}

// codeHTTPS answers what must not travel unencrypted.
const codeHTTPS = "SOLO_HTTPS"

// plainDoor answers requests that came without HTTPS to a box that has it: the
// way to trust the box, a redirect for pages, and a refusal for everything that
// may have carried a secret already. A redirect is not kept: the box may be
// started without HTTPS one day.
func (s *Server) plainDoor(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	free := path == ui.TrustPath || strings.HasPrefix(path, ui.TrustPath+"/") || s.o.Assets != nil && strings.HasPrefix(path, s.o.AssetsPrefix)
	machine := strings.HasPrefix(path, "/api/") || path == "/ws" || strings.HasPrefix(path, "/ws/")
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case free && reads:
		s.plain.ServeHTTP(w, r)
	case machine || !reads || r.Host == "":
		w.Header().Set("Upgrade", "TLS/1.2, HTTP/1.1") // RFC 9110 §15.5.22 wants it named
		w.Header().Set("Connection", "Upgrade, close")
		s.refuse(w, r, &problem{status: http.StatusUpgradeRequired, code: codeHTTPS,
			message: "Este servidor solo atiende por HTTPS: usa https:// en la dirección. Si llevaba una clave, cámbiala."})
	default:
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Location", "https://"+r.Host+r.URL.RequestURI())
		w.WriteHeader(http.StatusPermanentRedirect)
	}
}
