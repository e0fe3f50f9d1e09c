package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
// changed or removed.
//
// left are the random bits of those that were handed back before their time, with
// the time. They are kept beside the store (Options.KeepReturned) and hold after a
// restart; what is kept is no secret, for without the seal it opens nothing.
type seals struct {
	now    func() time.Time
	random io.Reader
	plant  Plant
	log    *slog.Logger
	keep   func([]byte) error

	mu    sync.Mutex // guards left and turn, the number of changes
	left  map[string]int64
	turn  uint64
	write sync.Mutex // held while left is kept; guards kept, the last turn that was
	kept  uint64
}

func newSeals(o *Options) *seals {
	s := &seals{now: o.Now, random: o.Random, plant: o.Plant, log: o.Log, keep: o.KeepReturned, left: map[string]int64{}}
	s.load(o.Returned)
	return s
}

// maxLeft bounds the memory of what was handed back: in twelve hours one every ten
// seconds. Beyond it the one that ends soonest is forgotten.
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
	return left > 0 && left <= personFor+time.Hour && !s.seals.returned(p.nonce)
}

func (s *seals) returned(nonce string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.left[nonce]
	return ok
}

// handBack makes a cookie's copies nothing, on the disk too when it returns. The
// caller has found that the cookie holds. That of a worker without a PIN, whose
// seal nobody looked at, is not remembered.
func (s *seals) handBack(value string) {
	p, ok := parsePass(value)
	if !ok || !hasPIN(s.plant.Snapshot(), p.who) {
		return
	}
	s.mu.Lock()
	now := s.now().UnixMilli()
	for other, end := range s.left {
		if end <= now {
			delete(s.left, other)
		}
	}
	for len(s.left) >= maxLeft {
		delete(s.left, soonest(s.left))
	}
	s.left[p.nonce] = p.ends
	s.turn++
	mine := s.turn
	s.mu.Unlock()
	if err := s.save(mine); err != nil { // it holds until a restart
		s.log.Warn("a person's cookie that was handed back could not be kept", "worker", int(p.who), "err", err)
	}
}

func soonest(left map[string]int64) string {
	first := ""
	for nonce, end := range left {
		if first == "" || end < left[first] {
			first = nonce
		}
	}
	return first
}

// returnedText is what was handed back as it survives a restart, as JSON: random
// bits of a cookie and when it ends, in Unix milliseconds.
//
//	{"devueltos":{"Zm9v…":1764194700000}}
type returnedText struct {
	Left map[string]int64 `json:"devueltos"`
}

// save keeps what was handed back up to a turn. Those who come together share one
// writing.
func (s *seals) save(turn uint64) error {
	if s.keep == nil {
		return nil
	}
	s.write.Lock()
	defer s.write.Unlock()
	if s.kept >= turn {
		return nil
	}
	s.mu.Lock()
	text, err := json.Marshal(returnedText{s.left})
	turn = s.turn
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if err := s.keep(text); err != nil {
		return err
	}
	s.kept = turn
	return nil
}

// load takes over what was kept; what cannot be read, is over or too much is
// dropped.
func (s *seals) load(text []byte) {
	var in returnedText
	if json.Unmarshal(text, &in) != nil {
		return
	}
	now := s.now().UnixMilli()
	for nonce, end := range in.Left {
		if end > now && len(s.left) < maxLeft {
			s.left[nonce] = end
		}
	}
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
