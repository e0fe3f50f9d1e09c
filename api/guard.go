package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"envivo/plant"
)

// SettingLock begins the keys of what the box remembers of wrong PINs:
//
//	key    bloqueo/pin/device/ab12cd34, bloqueo/pin/dir/10.0.0.7, bloqueo/pin/extranos
//	value  {"nivel":2,"hasta":"2026-11-24T10:10:00Z","bueno":"2026-11-20T08:00:00Z"}
//
// nivel counts the locks in a row and hasta ends the last one; bueno is when the
// PIN was last right there. A lock is written before its answer is sent, so it
// outlives a restart. Single wrong tries are not written: whoever can restart
// the box gains less than wrongPINs tries by it, and reads the file anyway.
const SettingLock = "bloqueo/"

const (
	// wrongPINs lock a device, poolPINs all those together that never knew the PIN.
	wrongPINs = 5
	poolPINs  = 20
	// tryFor is how long a wrong try counts, levelFor a lock for the next one.
	tryFor   = 12 * time.Hour
	levelFor = 24 * time.Hour
	// A device where the PIN was right within goodFor has only its own budget; the
	// date is written anew after renewGood.
	goodFor   = 30 * 24 * time.Hour
	renewGood = 7 * 24 * time.Hour
	// maxGuessers bounds the memory that strangers can claim.
	maxGuessers = 4096
)

// lockFor is how long the nth lock in a row lasts.
func lockFor(n int) time.Duration {
	steps := [...]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}
	return steps[min(max(n, 1), len(steps))-1]
}

// budget is a number of wrong tries that may be spent before a lock. A pool is
// shared; a volatile one is remembered until a restart only.
type budget struct {
	key            string
	most           int
	pool, volatile bool
}

type lockState struct {
	Level int       `json:"nivel,omitempty"`
	Until time.Time `json:"hasta,omitzero"`
	Good  time.Time `json:"bueno,omitzero"`
}

// guesser is one budget's use. A try counts before it is checked, so that many
// at once cannot outrun the count.
type guesser struct {
	budget budget
	tries  int
	last   time.Time
	lockState
	stored  string // the setting that lockState was read from or written to
	writing bool
}

// guard counts wrong PINs and locks. Guarded by mu.
type guard struct {
	plant Plant
	now   func() time.Time
	newID func() string
	log   *slog.Logger

	mu   sync.Mutex
	seen map[string]*guesser
}

func newGuard(o *Options) *guard {
	return &guard{plant: o.Plant, now: o.Now, newID: o.NewUUID, log: o.Log, seen: map[string]*guesser{}}
}

// at is a budget's use, with what the store knows: a lock that was set before a
// restart, or taken away at the terminal. It needs mu.
func (g *guard) at(b budget) *guesser {
	x := g.seen[b.key]
	if x == nil {
		if len(g.seen) >= maxGuessers {
			g.forget()
		}
		x = &guesser{budget: b}
		g.seen[b.key] = x
	}
	if value := g.stored(b); value != x.stored && !x.writing {
		x.lockState, x.tries, x.stored = parseLock(value), 0, value
	}
	if g.now().Sub(x.last) >= tryFor {
		x.tries = 0
	}
	return x
}

func (g *guard) stored(b budget) string {
	if b.volatile {
		return ""
	}
	return g.plant.Snapshot().Setting(SettingLock + b.key)
}

// parseLock reads a lock's setting; one that cannot be read locks nobody.
func parseLock(value string) lockState {
	var s lockState
	if value == "" || json.Unmarshal([]byte(value), &s) != nil {
		return lockState{}
	}
	return s
}

// locked is how long a budget is still closed. A clock that was set back cannot
// make that longer than the lock was.
func (x *guesser) locked(now time.Time) time.Duration {
	if wait := x.Until.Sub(now); wait > 0 {
		return min(wait, lockFor(x.Level))
	}
	if x.tries >= x.budget.most { // the verdicts are still to come
		return lockFor(x.Level + 1)
	}
	return 0
}

// forget drops budgets that hold no lock and few tries; what is written comes
// back from the store.
func (g *guard) forget() {
	now := g.now()
	for key, x := range g.seen {
		if !x.budget.pool && !x.writing && (x.Until.Before(now) || x.stored != "") {
			delete(g.seen, key)
		}
	}
}

// good reports whether the PIN was right there lately.
func (g *guard) good(b budget) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	x := g.at(b)
	return !x.Good.IsZero() && g.now().Sub(x.Good) < goodFor
}

// admit counts a try against every budget, or none of them: left is what
// remains after it in the scarcest, wait how long one of them is closed.
func (g *guard) admit(all ...budget) (left int, wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	for _, b := range all {
		wait = max(wait, g.at(b).locked(now))
	}
	if wait > 0 {
		return 0, wait
	}
	left = all[0].most
	for _, b := range all {
		x := g.at(b)
		x.tries++
		x.last = now
		left = min(left, b.most-x.tries)
	}
	return left, 0
}

// wrong locks what the try has exhausted, durably; wait is the longest lock in
// force. by is the device for the event.
func (g *guard) wrong(by string, all ...budget) (wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range all {
		x, now := g.at(b), g.now()
		if x.tries >= b.most && !x.Until.After(now) {
			if now.Sub(x.Until) >= levelFor {
				x.Level = 0
			}
			x.Level++
			x.Until, x.tries = now.Add(lockFor(x.Level)).UTC().Truncate(time.Second), 0
			g.log.Warn("locked after wrong PINs", "device", by, "lock", b.key, "level", x.Level, "until", x.Until)
			g.write(x, by)
		}
		wait = max(wait, x.locked(now))
	}
	return wait
}

// right clears the first budget, the caller's own, and remembers that the PIN
// was known there. A pool gets this try back and no more: it counts those who
// never knew the PIN.
func (g *guard) right(by string, own budget, pools ...budget) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range pools {
		x := g.at(b)
		x.tries = max(x.tries-1, 0)
	}
	x, now := g.at(own), g.now()
	x.tries = 0
	if own.volatile || x.Level == 0 && now.Sub(x.Good) < renewGood {
		return
	}
	x.lockState = lockState{Good: now.UTC().Truncate(time.Second)}
	g.write(x, by)
}

// write stores a budget's state. It is called with mu, and lets go of it while
// the store works. What cannot be stored holds in memory.
func (g *guard) write(x *guesser, by string) {
	if x.budget.volatile || x.writing {
		return
	}
	text, err := json.Marshal(x.lockState)
	if err != nil {
		g.log.Error("encode a lock", "err", err)
		return
	}
	x.writing = true
	func() {
		g.mu.Unlock()
		defer g.mu.Lock()
		err = g.set(SettingLock+x.budget.key, string(text), by)
		for _, old := range g.stale() {
			err = errors.Join(err, g.set(old, "", by))
		}
	}()
	x.writing = false
	if err != nil {
		g.log.Error("store a lock", "lock", x.budget.key, "err", err)
		return
	}
	x.stored = string(text)
}

func (g *guard) set(key, value, by string) error {
	c := plant.Command{ID: plant.CommandID(g.newID()), Verb: plant.Ajustar, Supervisor: true, Device: by, Setting: &plant.Setting{Key: key, Value: value}}
	if _, err := g.plant.Do(context.Background(), c); err != nil && !errors.Is(err, plant.ErrUnchanged) {
		return fmt.Errorf("store the setting %s: %w", key, err)
	}
	return nil
}

// staleMost bounds what one lock clears away.
const staleMost = 8

// stale are the settings of locks that say nothing any more.
func (g *guard) stale() []string {
	snap, now := g.plant.Snapshot(), g.now()
	var out []string
	for _, key := range snap.Settings(SettingLock) {
		s := parseLock(snap.Setting(key))
		if now.Sub(s.Until) >= levelFor && now.Sub(s.Good) >= goodFor && len(out) < staleMost {
			out = append(out, key)
		}
	}
	return out
}

// network is what strangers are counted by: an address, of IPv6 the network.
func network(addr string) string {
	host, _, _ := strings.Cut(addr, "%")
	ip := net.ParseIP(host)
	if ip == nil || ip.To4() != nil {
		return addr
	}
	return ip.Mask(net.CIDRMask(64, 128)).String()
}

// pinBudgets are what a try of the supervisor's PIN is counted against: the
// device's own budget, and, where the PIN was not right lately, that of all
// such devices or of all strangers. So whoever changes address gains nothing,
// and no stranger can lock out the tablet where the supervisor works.
func (s *Server) pinBudgets(g grant, addr string) []budget {
	own, pool := budget{key: "pin/" + g.key, most: wrongPINs}, budget{key: "pin/registrados", most: poolPINs, pool: true}
	if g.key == "" {
		own.key, pool.key = "pin/dir/"+network(addr), "pin/extranos"
	}
	if s.guard.good(own) {
		return []budget{own}
	}
	return []budget{own, pool}
}
