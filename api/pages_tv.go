package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"envivo/plant"
	"envivo/ui"
)

// boardRoutes are the pages that show and accept nothing.
func (p *pages) boardRoutes() map[string]pageFunc {
	return map[string]pageFunc{
		"GET /tv":                   p.tv,
		"GET /cifras":               p.cifras,
		"POST /cifras/meta":         p.meta,
		"GET /momento":              p.momento,
		"GET /mi-registro/{worker}": p.registro,
		"GET /registro/{worker}":    p.registroAlias,
		"GET /spools/{tag}/dossier": p.dossier,
	}
}

// liveBoard finds what draws one of those pages; ok is false for other views.
func (p *pages) liveBoard(u *url.URL, view string) (page Page, ok bool, err error) {
	switch {
	case u.Path == tvPath:
		page, err = liveTV(u.Query().Get("vista"), view)
	case u.Path == figuresPath:
		page, err = p.liveFigures(view)
	case u.Path == momentPath:
		page, err = p.liveMoment(u.Query(), view)
	case strings.HasPrefix(u.Path, registroPath):
		page, err = p.liveRegistro(u, view)
	default:
		tag, ok := dossierTag(u)
		if !ok {
			return nil, false, nil
		}
		page, err = p.liveDossier(tag, view)
	}
	return page, true, err
}

const tvPath = "/tv"

// tvView is the canonical name of the wall's view: pinned to one board, or all
// in turns.
func tvView(board string) string {
	if board == "" {
		return tvPath
	}
	return tvPath + "?vista=" + url.QueryEscape(board)
}

func liveTV(board, view string) (Page, error) {
	if tvView(board) != view || board != "" && !ui.KnownBoard(board) {
		return nil, fmt.Errorf("view %q: there is no such board", view)
	}
	return func(s *plant.Snapshot, now time.Time) ([]ui.Region, error) { return ui.TV(s, board, now) }, nil
}

// tv is the screen on the wall. ?vista= pins one board, ?tema=dia makes it
// light. An unknown board takes turns like none: a wall must show something.
func (p *pages) tv(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	board := q.Get("vista")
	if !ui.KnownBoard(board) {
		board = ""
	}
	return p.show(w, r, "Pantalla", tvView(board), func(f ui.Frame) templ.Component {
		return ui.TVPage(f, board, q.Get("tema") == "dia")
	})
}

const (
	// screenCookie is a wall's token: it only ever reads, and ends when the
	// token is revoked.
	screenCookie = "envivo_pantalla"
	screenFor    = 400 * 24 * time.Hour // as long as browsers keep one
)

// hang answers the link that a screen is given once, /tv?clave=TOKEN: the token
// becomes a cookie and leaves the address.
func (s *Server) hang(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	secret := q.Get("clave")
	if r.URL.Path != tvPath || r.Method != http.MethodGet || secret == "" {
		return false
	}
	if _, scope := s.tokens.find(s.o.Plant.Snapshot(), secret); scope == ScopeNone {
		s.pages.stranger(w, r)
		return true
	}
	pageHeaders(w.Header())
	s.pages.remember(w, screenCookie, secret, screenFor)
	q.Del("clave")
	to := url.URL{Path: tvPath, RawQuery: q.Encode()}
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
	return true
}

// screen is the token of a wall, if the request comes from one.
func (s *Server) screen(r *http.Request) (Token, bool) {
	c, err := r.Cookie(screenCookie)
	if err != nil {
		return Token{}, false
	}
	t, scope := s.tokens.find(s.o.Plant.Snapshot(), c.Value)
	return t, scope >= ScopeRead
}
