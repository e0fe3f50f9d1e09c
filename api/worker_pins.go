package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"envivo/plant"
)

// settingWorkerPIN begins the keys of workers' PINs; a worker without one is
// believed, as rules §3 has it.
//
//	key    pin-trabajador/93
//	value  what HashPIN made
const settingWorkerPIN = "pin-trabajador/"

// WorkerPINKey is the key of the setting with a worker's PIN.
func WorkerPINKey(id plant.WorkerID) string { return settingWorkerPIN + strconv.Itoa(int(id)) }

// WorkerLocks begins the keys of the locks that wrong PINs of a worker led to.
func WorkerLocks(id plant.WorkerID) string { return SettingLock + WorkerPINKey(id) + "/" }

// hasPIN reports whether the person has a PIN; which is never told.
func hasPIN(snap *plant.Snapshot, id plant.WorkerID) bool {
	return snap.Setting(WorkerPINKey(id)) != ""
}

// Why a PIN is not given.
var (
	errPINsDiffer = errors.New("the two PINs differ")
	errNotActive  = errors.New("the worker is not active")
)

// setWorkerPIN stores the hash of a worker's PIN, or takes the PIN away for an
// empty one, and lifts what wrong ones had locked. Each change is an event.
func setWorkerPIN(ctx context.Context, p Plant, id plant.WorkerID, hash, device string) error {
	snap := p.Snapshot()
	w, ok := snap.Worker(id)
	switch {
	case !ok:
		return &plant.Error{Code: plant.CodeWorkerNotFound, Worker: plant.Person{ID: id}}
	case hash != "" && !w.Activo:
		return errNotActive
	}
	changes := []plant.Setting{{Key: WorkerPINKey(id), Value: hash}}
	for _, lock := range snap.Settings(WorkerLocks(id)) {
		changes = append(changes, plant.Setting{Key: lock})
	}
	for _, s := range changes {
		c := plant.Command{Verb: plant.Ajustar, Supervisor: true, Device: device, Setting: &s}
		if _, err := p.Do(ctx, c); err != nil && !errors.Is(err, plant.ErrUnchanged) {
			return fmt.Errorf("change the PIN of worker %d: %w", id, err)
		}
	}
	return nil
}

// unproven is the refusal of whoever names a worker that has a PIN: tried says
// that one was sent, and attempt what became of it.
type unproven struct {
	worker plant.WorkerID
	tried  bool
	attempt
}

func (u *unproven) Error() string {
	if u.tried {
		return fmt.Sprintf("worker %d: the PIN is wrong or locked", u.worker)
	}
	return fmt.Sprintf("worker %d has a PIN and it was not given", u.worker)
}

// prove checks that pin is the worker's; nobody who has none needs any. A try
// without a PIN costs nothing.
func (s *Server) prove(r *http.Request, who plant.WorkerID, pin string) error {
	stored := s.o.Plant.Snapshot().Setting(WorkerPINKey(who))
	if stored == "" {
		return nil
	}
	if pin == "" {
		return &unproven{worker: who}
	}
	g := s.identify(r)
	budgets := s.workerBudgets(g, address(r), who)
	a, err := s.checkPIN(r, stored, pin, budgets)
	switch {
	case err != nil:
		return fmt.Errorf("check the PIN of worker %d: %w", who, err)
	case !a.ok:
		return &unproven{worker: who, tried: true, attempt: a}
	}
	s.guard.right(g.device, budgets[0], budgets[1:]...)
	return nil
}

// workerBudgets are what a try of a worker's PIN is counted against: that
// worker on that device, and, where this worker's PIN was not right lately,
// everybody's such tries on the device and everybody's at the worker. So one
// device cannot go through the plant, many cannot go through one PIN, and no
// colleague can lock a worker out of the tablets where he works.
func (s *Server) workerBudgets(g grant, addr string, who plant.WorkerID) []budget {
	at, kind := g.key, "/registrados"
	if at == "" {
		at, kind = "dir/"+network(addr), "/extranos"
	}
	own := budget{key: WorkerPINKey(who) + "/" + at, most: wrongPINs}
	if s.guard.good(own) {
		return []budget{own}
	}
	return []budget{own, {key: "pin-en/" + at, most: poolPINs}, {key: WorkerPINKey(who) + kind, most: poolPINs, pool: true}}
}

// seals are the cookies of persons who have a PIN. Such a cookie is
//
//	93.1764194700000.Zm9v….kq3v…
//
// the number, when it ends (milliseconds of Unix time), random bits and an
// HMAC-SHA256 over all three and the device's setting, under the stored text of
// the PIN: 384 bits that nobody but the store knows. So it outlives a restart,
// and is nothing anywhere else, after its time, and once the PIN was set,
// changed or removed. left are those that were handed back before their time,
// until a restart. Guarded by mu.
type seals struct {
	now    func() time.Time
	random io.Reader

	mu   sync.Mutex
	left map[string]time.Time
}

func newSeals(now func() time.Time, random io.Reader) *seals {
	return &seals{now: now, random: random, left: map[string]time.Time{}}
}

// maxLeft bounds the memory of what was handed back.
const maxLeft = 4096

// pass is a person's cookie taken apart.
type pass struct {
	who   plant.WorkerID
	ends  int64 // milliseconds of Unix time
	nonce string
	seal  string
}

// parsePass reads a cookie that has a seal; ok is false for one that has none.
func parsePass(value string) (p pass, ok bool) {
	part := strings.Split(value, ".")
	if len(part) != 4 {
		return p, false
	}
	n, err := strconv.ParseInt(part[0], 10, 32)
	if err != nil {
		return p, false
	}
	p = pass{who: plant.WorkerID(n), nonce: part[2], seal: part[3]}
	p.ends, err = strconv.ParseInt(part[1], 10, 64)
	return p, err == nil
}

func (p pass) String() string {
	return fmt.Sprintf("%d.%d.%s.%s", p.who, p.ends, p.nonce, p.seal)
}

// sealBy is the seal that a pass has under a stored PIN on a device.
func (p pass) sealBy(stored, device string) string {
	mac := hmac.New(sha256.New, []byte(stored))
	fmt.Fprintf(mac, "envivo_persona\n%d\n%d\n%s\n%s", p.who, p.ends, p.nonce, device)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// personValue is the cookie that makes somebody the person of a request's device.
func (s *Server) personValue(r *http.Request, who plant.WorkerID) (string, error) {
	stored := s.o.Plant.Snapshot().Setting(WorkerPINKey(who))
	if stored == "" {
		return strconv.Itoa(int(who)), nil
	}
	nonce, err := randomText(s.seals.random)
	if err != nil {
		return "", err
	}
	p := pass{who: who, ends: s.seals.now().Add(personFor).UnixMilli(), nonce: nonce}
	p.seal = p.sealBy(stored, s.identify(r).key)
	return p.String(), nil
}

// sealed reports whether a person's cookie proves what it says; that of a
// worker without a PIN need not.
func (s *Server) sealed(r *http.Request, snap *plant.Snapshot, who plant.WorkerID, value string) bool {
	stored := snap.Setting(WorkerPINKey(who))
	if stored == "" {
		return true
	}
	p, ok := parsePass(value)
	if !ok || p.who != who || !hmac.Equal([]byte(p.seal), []byte(p.sealBy(stored, s.identify(r).key))) {
		return false
	}
	// A clock that was set back must not make it last longer than it was meant to.
	left := time.UnixMilli(p.ends).Sub(s.seals.now())
	return left > 0 && left <= personFor+time.Hour && !s.seals.returned(p.seal)
}

func (s *seals) returned(seal string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.left[seal]
	return ok
}

// handBack makes a cookie's copies nothing.
func (s *seals) handBack(value string) {
	p, ok := parsePass(value)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for other, end := range s.left {
		if !end.After(now) || len(s.left) >= maxLeft {
			delete(s.left, other)
		}
	}
	s.left[p.seal] = time.UnixMilli(p.ends)
}

// proven checks the PINs of a command that came as JSON: of who acts and of who
// receives. They are no part of what the idempotency key stands for.
func (c *call) proven(cmd *plant.Command, pin, pinDestino *string) error {
	for _, p := range []struct {
		who   plant.WorkerID
		pin   *string
		field string
	}{{cmd.Worker, pin, "pin"}, {cmd.Destino, pinDestino, "pin_destino"}} {
		typed := ""
		if p.pin != nil {
			typed = *p.pin
		}
		err := c.s.prove(c.r, p.who, typed)
		var no *unproven
		switch {
		case errors.As(err, &no):
			return no.problem(cmd.Tag, p.field)
		case err != nil:
			return err
		}
	}
	return nil
}
