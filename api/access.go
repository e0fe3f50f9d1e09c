package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"envivo/plant"
)

// The settings of the store that access rests on. Both hold hashes only.
const (
	// SettingPIN is the key of the supervisor's PIN.
	SettingPIN = "pin"
	// SettingToken begins the keys of tokens.
	SettingToken = "token/"
)

// Scope is what a caller may do; a larger one includes the smaller.
type Scope uint8

// The scopes.
const (
	ScopeNone Scope = iota
	ScopeRead
	ScopeAct
	ScopeAdmin
)

var scopeNames = [...]string{"", "read", "act", "admin"}

// String is the scope's name in settings and on the command line.
func (s Scope) String() string { return scopeNames[s] }

// ParseScope reads read, act or admin.
func ParseScope(s string) (Scope, bool) {
	for i := ScopeRead; i <= ScopeAdmin; i++ {
		if scopeNames[i] == s {
			return i, true
		}
	}
	return ScopeNone, false
}

// Token is an access token as the store knows it: never the secret itself.
//
//	key    token/ID
//	value  {"name":"tv-1","scope":"read","sha256":"9f86…","created":"2026-11-24T10:05:00Z","by":"terminal"}
//
// The secret text is envivo_ID_RANDOM with 256 random bits; sha256 is of the
// whole text.
type Token struct {
	ID      string    `json:"-"`
	Name    string    `json:"name"`
	Scope   string    `json:"scope"`
	SHA256  string    `json:"sha256"`
	Created time.Time `json:"created"`
	By      string    `json:"by"`
}

const tokenPrefix = "envivo_"

// NewToken makes a token: the secret, to be shown once, and the setting to
// store.
func NewToken(t Token, random io.Reader) (secret string, s plant.Setting, err error) {
	if _, ok := ParseScope(t.Scope); !ok {
		return "", s, fmt.Errorf("scope %q: want read, act or admin", t.Scope)
	}
	if t.Name = strings.TrimSpace(t.Name); t.Name == "" {
		return "", s, errors.New("a token needs a name")
	}
	var id [4]byte
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return "", s, fmt.Errorf("make a token: %w", err)
	}
	body, err := randomText(random)
	if err != nil {
		return "", s, err
	}
	t.ID = hex.EncodeToString(id[:])
	secret = tokenPrefix + t.ID + "_" + body
	t.SHA256 = hashHex(secret)
	value, err := json.Marshal(t)
	if err != nil {
		return "", s, fmt.Errorf("encode token: %w", err)
	}
	return secret, plant.Setting{Key: SettingToken + t.ID, Value: string(value)}, nil
}

// ParseToken reads a token's setting.
func ParseToken(s plant.Setting) (Token, error) {
	id, ok := strings.CutPrefix(s.Key, SettingToken)
	if !ok {
		return Token{}, fmt.Errorf("setting %q is no token", s.Key)
	}
	t := Token{}
	if err := json.Unmarshal([]byte(s.Value), &t); err != nil {
		return Token{}, fmt.Errorf("token %s: %w", id, err)
	}
	t.ID = id
	return t, nil
}

// randomText is 256 random bits that can stand in a header or a cookie.
func randomText(random io.Reader) (string, error) {
	var raw [32]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}

func hashHex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// argon2id with 19 MiB and two passes: about 30 ms a check.
const (
	pinMemory  = 19 << 10 // KiB
	pinPasses  = 2
	pinThreads = 1
	pinKey     = 32
)

// ErrPIN says that a text cannot be a PIN.
var ErrPIN = errors.New("a PIN has 4 to 12 digits")

// goodPIN reports whether a text can be a PIN.
func goodPIN(pin string) bool {
	return len(pin) >= 4 && len(pin) <= 12 && strings.Trim(pin, "0123456789") == ""
}

// HashPIN is the PHC string of a PIN with the number of its digits before it,
// so that a pad of digits submits itself on the last one. That number is no
// secret: anybody who watches somebody enter it counts the touches.
func HashPIN(pin string, random io.Reader) (string, error) {
	if !goodPIN(pin) {
		return "", ErrPIN
	}
	var salt [16]byte
	if _, err := io.ReadFull(random, salt[:]); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	key := argon2.IDKey([]byte(pin), salt[:], pinPasses, pinMemory, pinThreads, pinKey)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("%d$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", len(pin), argon2.Version, pinMemory, pinPasses, pinThreads,
		enc.EncodeToString(salt[:]), enc.EncodeToString(key)), nil
}

// pinDigits is how many digits the PIN of a stored text has, 0 when the text
// does not tell.
func pinDigits(stored string) int {
	count, _, _ := strings.Cut(stored, "$")
	n, err := strconv.Atoi(count)
	if err != nil || n < 4 || n > 12 {
		return 0
	}
	return n
}

// VerifyPIN compares a PIN with what HashPIN made. The error is about that.
func VerifyPIN(stored, pin string) (bool, error) {
	part := strings.Split(stored, "$")
	if len(part) != 6 || part[1] != "argon2id" {
		return false, errors.New("the stored PIN is no argon2id string")
	}
	var version, memory, passes, threads uint32
	if _, err := fmt.Sscanf(part[2]+" "+part[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &threads); err != nil {
		return false, fmt.Errorf("the stored PIN: %w", err)
	}
	const limit = 1 << 20 // KiB; more would be an attack by way of a restored file
	if version != argon2.Version || memory > limit || passes == 0 || passes > 16 || threads == 0 || threads > 16 {
		return false, errors.New("the stored PIN has strange parameters")
	}
	salt, err := base64.RawStdEncoding.DecodeString(part[4])
	if err != nil {
		return false, fmt.Errorf("the stored PIN's salt: %w", err)
	}
	want, err := base64.RawStdEncoding.DecodeString(part[5])
	if err != nil || len(want) < 16 || len(want) > 64 {
		return false, errors.New("the stored PIN's key is damaged")
	}
	got := argon2.IDKey([]byte(pin), salt, passes, memory, uint8(threads), uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// grant is what a request may do and where it comes from.
type grant struct {
	scope Scope
	// supervisor is set by a live session or an admin token.
	supervisor bool
	// enrolling is set by a live session on a device that is not enrolled: it
	// may be enrolled, and nothing else.
	enrolling bool
	// device names the tablet, program or address for the events.
	device string
	// key is the setting that lets the request in, empty for none.
	key string
	// tablet is the enrolled device, nil for none.
	tablet *Device
	// stale is set when the request carried a token that is not valid.
	stale bool
}

// identify looks at a request's device, token and session. In an open plant
// everybody may read and act; a wall screen only ever reads.
func (s *Server) identify(r *http.Request) grant {
	g := grant{device: address(r)}
	if s.o.Open {
		g.scope = ScopeAct
	}
	if d, ok := s.devices.find(r, s.o.Plant.Snapshot); ok {
		s.devices.heard(d.ID, toldBuild(r), s.o.Now())
		g.tablet, g.scope, g.device, g.key = &d, ScopeAct, d.Name, SettingDevice+d.ID
		if d.TV() {
			g.scope = ScopeRead
		}
	} else if t, ok := s.screen(r); ok {
		g.scope, g.device, g.key = max(g.scope, ScopeRead), t.Name, SettingToken+t.ID
	}
	if secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		t, scope := s.tokens.find(s.o.Plant.Snapshot(), strings.TrimSpace(secret))
		if scope == ScopeNone {
			return grant{device: g.device, stale: true}
		}
		g.scope, g.device, g.key = max(g.scope, scope), t.Name, SettingToken+t.ID
		g.supervisor = scope == ScopeAdmin
	}
	switch {
	case !s.sessions.live(r, g.key):
	case g.scope >= ScopeAct:
		g.scope, g.supervisor = ScopeAdmin, true
	case g.key == "":
		g.enrolling = true
	}
	return g
}

// Owner is the key of the setting that lets a request in, for package ws: when
// that setting is removed, the request's streams end. Empty for a request that
// an open plant lets in without any.
func (s *Server) Owner(r *http.Request) string { return s.identify(r).key }

// address is the caller's network address without the port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// tokenCache keeps parsed settings by their text, so that a request costs one
// hash. It is guarded by mu.
type tokenCache struct {
	mu   sync.Mutex
	seen map[string]Token
}

func newTokenCache() *tokenCache { return &tokenCache{seen: map[string]Token{}} }

const maxTokens = 1024

// find gives the token a secret belongs to, ScopeNone when there is none. A
// revoked token is gone from the snapshot and thereby at once.
func (c *tokenCache) find(snap *plant.Snapshot, secret string) (Token, Scope) {
	rest, ok := strings.CutPrefix(secret, tokenPrefix)
	if !ok {
		return Token{}, ScopeNone
	}
	id, _, ok := strings.Cut(rest, "_")
	if !ok {
		return Token{}, ScopeNone
	}
	value := snap.Setting(SettingToken + id)
	if value == "" {
		return Token{}, ScopeNone
	}
	t, err := c.parse(plant.Setting{Key: SettingToken + id, Value: value})
	if err != nil {
		return Token{}, ScopeNone
	}
	if subtle.ConstantTimeCompare([]byte(hashHex(secret)), []byte(t.SHA256)) != 1 {
		return Token{}, ScopeNone
	}
	scope, _ := ParseScope(t.Scope)
	return t, scope
}

func (c *tokenCache) parse(s plant.Setting) (Token, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.seen[s.Value]; ok && SettingToken+t.ID == s.Key {
		return t, nil
	}
	t, err := ParseToken(s)
	if err != nil {
		return Token{}, err
	}
	if len(c.seen) >= maxTokens {
		clear(c.seen)
	}
	c.seen[s.Value] = t
	return t, nil
}
