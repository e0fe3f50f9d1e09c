package api

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"envivo/ui"
)

// letters are those of one-time codes: none that two people read differently.
const (
	letters     = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	idLetters   = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	codeLetters = 8 // 40 bits: enough for ten minutes at five tries a minute
	// codeFor is how long the code of a new tablet is good.
	codeFor = 10 * time.Minute
	// codesMost bounds the codes that wait at once.
	codesMost = 50
)

var (
	errDeadCode  = errors.New("the code is not valid, or not any more")
	errManyCodes = errors.New("too many codes wait already")
)

// pick draws n letters of an alphabet; a byte that would favour some is drawn
// again.
func pick(random io.Reader, alphabet string, n int) (string, error) {
	out := make([]byte, 0, n)
	most := 256 - 256%len(alphabet)
	for len(out) < n {
		var raw [1]byte
		if _, err := io.ReadFull(random, raw[:]); err != nil {
			return "", fmt.Errorf("make a code: %w", err)
		}
		if int(raw[0]) < most {
			out = append(out, alphabet[int(raw[0])%len(alphabet)])
		}
	}
	return string(out), nil
}

// spell is a code as people read it, in two halves.
func spell(code string) string {
	if len(code) != codeLetters {
		return code
	}
	return code[:codeLetters/2] + "-" + code[codeLetters/2:]
}

// plainCode is what somebody typed as the box knows it.
func plainCode(typed string) string {
	return strings.NewReplacer("-", "", " ", "").Replace(strings.ToUpper(strings.TrimSpace(typed)))
}

// invitation is what a one-time code lets its bearer do: enrol a device with
// these settings, or, with setup, set the plant up.
type invitation struct {
	setup   bool
	tablet  ui.TabletSettings
	by      string
	expires time.Time // zero: until restart
}

// codes are the one-time codes that wait, by their hash. They live in memory:
// a restart ends them. Guarded by mu.
type codes struct {
	now    func() time.Time
	random io.Reader

	mu   sync.Mutex
	open map[[sha256.Size]byte]invitation
}

func newCodes(now func() time.Time, random io.Reader) *codes {
	return &codes{now: now, random: random, open: map[[sha256.Size]byte]invitation{}}
}

// issue makes a code for an invitation.
func (c *codes) issue(i invitation) (string, error) {
	code, err := pick(c.random, letters, codeLetters)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clear()
	if len(c.open) >= codesMost {
		return "", errManyCodes
	}
	c.open[sha256.Sum256([]byte(code))] = i
	return code, nil
}

// clear drops what has expired. It needs mu.
func (c *codes) clear() {
	now := c.now()
	for key, i := range c.open {
		if !i.expires.IsZero() && !now.Before(i.expires) {
			delete(c.open, key)
		}
	}
}

// take uses a code up. Whoever cannot carry out what it allows puts it back.
func (c *codes) take(typed string, setup bool) (invitation, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clear()
	key := sha256.Sum256([]byte(plainCode(typed)))
	i, ok := c.open[key]
	if !ok || i.setup != setup {
		return invitation{}, errDeadCode
	}
	delete(c.open, key)
	return i, nil
}

func (c *codes) putBack(typed string, i invitation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[sha256.Sum256([]byte(plainCode(typed)))] = i
}

// Invite makes the one-time code of a new device: good for ten minutes, once,
// and until a restart. The address to open on the device is path below the
// box's own.
func (s *Server) Invite(t ui.TabletSettings, by string) (code, path string, expires time.Time, err error) {
	if f := t.Fault(); f != "" {
		return "", "", time.Time{}, &tabletFault{f}
	}
	if s.taken(t.Name) {
		return "", "", time.Time{}, errSameName
	}
	expires = s.o.Now().Add(codeFor)
	code, err = s.codes.issue(invitation{tablet: t, by: by, expires: expires})
	if err != nil {
		return "", "", time.Time{}, err
	}
	return spell(code), tabletPath + "?codigo=" + code, expires, nil
}

// SetupCode is the one-time code of a plant that has neither PIN nor device,
// good until it is used or the box restarts; empty for every other plant.
func (s *Server) SetupCode() (string, error) {
	if !s.bare() {
		return "", nil
	}
	code, err := s.codes.issue(invitation{setup: true})
	return spell(code), err
}

// bare reports whether the plant waits to be set up.
func (s *Server) bare() bool {
	snap := s.o.Plant.Snapshot()
	return !s.o.Open && snap.Setting(SettingPIN) == "" && len(snap.Settings(SettingDevice)) == 0
}
