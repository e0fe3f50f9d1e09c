package api

import (
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"envivo/plant"
)

const (
	sessionCookie = "envivo_supervisor"
	// A supervisor's session ends after idleFor without a request and after
	// lastFor in any case.
	idleFor = 2 * time.Minute
	lastFor = 10 * time.Minute
)

// sessions are the supervisors at work. They live in memory: a restart asks for
// the PIN again. Guarded by mu.
type sessions struct {
	now    func() time.Time
	random io.Reader
	// checks admits two PIN checks at once: each takes 19 MiB.
	checks chan struct{}

	mu   sync.Mutex
	open map[[32]byte]*session // by hash of the cookie
}

// session belongs to the device or token it was begun with: its cookie is
// nothing anywhere else. bound is that one's setting, empty for none.
type session struct {
	begun, used time.Time
	bound       string
}

func newSessions(now func() time.Time, random io.Reader) *sessions {
	return &sessions{now: now, random: random, checks: make(chan struct{}, 2), open: map[[32]byte]*session{}}
}

// live reports whether the request belongs to a session begun with the same
// device or token, and keeps it awake.
func (s *sessions) live(r *http.Request, bound string) bool {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return false
	}
	key := sha256.Sum256([]byte(c.Value))
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.open[key]
	if !ok || x.bound != bound {
		return false
	}
	now := s.now()
	if x.over(now) {
		delete(s.open, key)
		return false
	}
	x.used = now
	return true
}

func (x *session) over(now time.Time) bool {
	return now.Sub(x.used) >= idleFor || now.Sub(x.begun) >= lastFor
}

// begin opens a session and returns its cookie's value.
func (s *sessions) begin(bound string) (string, error) {
	secret, err := randomText(s.random)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for key, x := range s.open {
		if x.over(now) {
			delete(s.open, key)
		}
	}
	s.open[sha256.Sum256([]byte(secret))] = &session{begun: now, used: now, bound: bound}
	return secret, nil
}

func (s *sessions) end(r *http.Request) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, sha256.Sum256([]byte(c.Value)))
	}
}

// attempt is what became of one PIN.
type attempt struct {
	ok bool
	// left are the tries before the lock; wait is set when there are none.
	left int
	wait time.Duration
	// unset says that the plant has no PIN.
	unset bool
}

// tryPIN checks a PIN and, when it is right, opens a session and sets its cookie.
func (s *Server) tryPIN(w http.ResponseWriter, r *http.Request, pin string) (attempt, error) {
	phc := s.o.Plant.Snapshot().Setting(SettingPIN)
	if phc == "" {
		return attempt{unset: true}, nil
	}
	g := s.identify(r)
	budgets := s.pinBudgets(g, address(r))
	a, err := s.checkPIN(r, phc, pin, budgets)
	if err != nil || !a.ok {
		return a, err
	}
	s.guard.right(g.device, budgets[0], budgets[1:]...)
	secret, err := s.sessions.begin(g.key)
	if err != nil {
		return attempt{}, err
	}
	http.SetCookie(w, s.cookie(secret, int(lastFor/time.Second)))
	s.o.Log.Info("supervisor session", "device", g.device)
	return attempt{ok: true}, nil
}

// checkPIN compares a PIN with its hash and counts it. It waits for its turn
// before it counts: many right ones at once, of a program, lock nobody.
func (s *Server) checkPIN(r *http.Request, phc, pin string, budgets []budget) (attempt, error) {
	select {
	case s.sessions.checks <- struct{}{}:
		defer func() { <-s.sessions.checks }()
	case <-r.Context().Done():
		return attempt{}, &plant.Error{Code: plant.CodeBusy, Err: r.Context().Err()}
	}
	left, wait := s.guard.admit(budgets...)
	if wait > 0 {
		return attempt{wait: wait}, nil
	}
	who := s.device(r)
	ok, err := VerifyPIN(phc, pin)
	if ok {
		return attempt{ok: true}, nil
	}
	a := attempt{left: left, wait: s.guard.wrong(who, budgets...)}
	if err == nil {
		s.o.Log.Warn("wrong PIN", "device", who, "of", budgets[0].key, "left", left)
	}
	return a, err
}

func (s *Server) cookie(value string, seconds int) *http.Cookie {
	return &http.Cookie{Name: sessionCookie, Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.o.TLS}
}

// supervisor reports whether the request may do a supervisor's acts.
func (s *Server) supervisor(r *http.Request) bool { return s.identify(r).supervisor }

// device names where a request comes from.
func (s *Server) device(r *http.Request) string { return s.identify(r).device }

// enter is tryPIN for the pages.
func (s *Server) enter(w http.ResponseWriter, r *http.Request, pin string) attempt {
	a, err := s.tryPIN(w, r, pin)
	if err != nil && !errors.Is(err, r.Context().Err()) {
		s.o.Log.Error("check the supervisor's PIN", "err", err)
	}
	return a
}

// leave ends the request's session.
func (s *Server) leave(w http.ResponseWriter, r *http.Request) {
	s.sessions.end(r)
	http.SetCookie(w, s.cookie("", -1))
}

type pinBody struct {
	PIN *string `json:"pin"`
}

func (b *pinBody) check(k *checker) {
	if b.PIN == nil {
		k.missing("pin")
	}
}

type sessionAnswer struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
	// Active and the seconds left until the session ends by itself.
	Active      bool `json:"activa"`
	Seconds     int  `json:"expira_en_segundos"`
	IdleSeconds int  `json:"inactiva_en_segundos"`
}

func (s *Server) openSession(c *call) (any, error) {
	var b pinBody
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	a, err := s.tryPIN(c.w, c.r, *b.PIN)
	if err != nil {
		return nil, err
	}
	if !a.ok {
		return nil, wrongPIN(a)
	}
	return &sessionAnswer{Success: true, Message: textSessionOpen, Active: true,
		Seconds: int(lastFor / time.Second), IdleSeconds: int(idleFor / time.Second)}, nil
}

func (s *Server) closeSession(c *call) (any, error) {
	s.leave(c.w, c.r)
	return &sessionAnswer{Success: true, Message: textSessionClosed}, nil
}
