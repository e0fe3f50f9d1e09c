// Package hooks sends committed events to other programs: one signed POST per
// event, in order, at least once. The store's log is the queue, so an endpoint
// that is down for a night misses nothing; no command ever waits for one.
//
// A receiver checks the signature and answers 2xx. It may get an event twice
// (after a lost answer or a restart) and tells by X-Envivo-Event, the event's id.
// What it answers decides:
//
//	2xx                       the next event
//	408, 429, 5xx, no answer  the same again, after 1 s doubled up to 5 min, without end
//	anything else             the same again, tries times; then the event is set
//	                          aside (a dead letter) and the next one is sent
package hooks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"envivo/plant"
)

// The store's settings that hooks rest on. None of them is streamed.
//
//	webhook/a1b2             {"name":"erp","url":"https://…","key":"9f86…","created":"…"}
//	webhook-hasta/a1b2       1200 4f1c…     its place, and the history it belongs to
//	webhook-muerto/a1b2/1100 {"why":"400 Bad Request","at":"…"}
const (
	SettingHook = "webhook/"
	settingDone = "webhook-hasta/"
	settingDead = "webhook-muerto/"
)

const (
	tries      = 5
	firstPause = time.Second
	lastPause  = 5 * time.Minute
	// look is how often a hook that is up to date looks for news.
	look = 500 * time.Millisecond
	// A hook's place is stored after saveEvents events or saveWithin, whichever
	// comes first, and at the end: storing is a write, too.
	saveEvents = 64
	saveWithin = 5 * time.Minute
	page       = 100
)

// Hook is one receiver.
type Hook struct {
	ID   string `json:"-"`
	Name string `json:"name"`
	URL  string `json:"url"`
	// Key signs: the SHA-256 of the secret, as hex. The secret itself is shown
	// once and not kept.
	Key     string    `json:"key"`
	Created time.Time `json:"created"`
	// All begins with the first event of the log instead of the next one.
	All bool `json:"all,omitempty"`
}

// New makes a hook: its secret, to be shown once, and the setting to store.
func New(h Hook, random io.Reader) (secret string, s plant.Setting, err error) {
	if h.Name = strings.TrimSpace(h.Name); h.Name == "" {
		return "", s, errors.New("a webhook needs a name")
	}
	if u, err := url.Parse(h.URL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return "", s, fmt.Errorf("webhook address %q: want http or https, a host and no password", h.URL)
	}
	var raw [36]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", s, fmt.Errorf("make a webhook's secret: %w", err)
	}
	secret = "envivo_wh_" + hex.EncodeToString(raw[4:])
	h.ID, h.Key = hex.EncodeToString(raw[:4]), KeyOf(secret)
	value, err := json.Marshal(h)
	if err != nil {
		return "", s, fmt.Errorf("encode a webhook: %w", err)
	}
	return secret, plant.Setting{Key: SettingHook + h.ID, Value: string(value)}, nil
}

// Parse reads a hook's setting.
func Parse(s plant.Setting) (Hook, error) {
	id, ok := strings.CutPrefix(s.Key, SettingHook)
	if !ok {
		return Hook{}, fmt.Errorf("setting %q is no webhook", s.Key)
	}
	var h Hook
	if err := json.Unmarshal([]byte(s.Value), &h); err != nil {
		return Hook{}, fmt.Errorf("webhook %s: %w", id, err)
	}
	h.ID = id
	return h, nil
}

// KeyOf is the signing key of a secret: the hex text is used as it is.
func KeyOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Sign is the X-Envivo-Signature of a body sent at a time in Unix seconds.
func Sign(key string, at int64, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%d.", at)
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Source is what hooks need of the store.
type Source interface {
	Do(context.Context, plant.Command) (plant.Receipt, error)
	Snapshot() *plant.Snapshot
	Events(ctx context.Context, after plant.Seq, limit int) ([]plant.Event, error)
}

// Options configure a Sender; all are required.
type Options struct {
	Source Source
	// Encode is an event as receivers read it.
	Encode func(plant.Event) []byte
	// Send makes one request; it must not follow redirects, nor wait for ever.
	Send func(*http.Request) (*http.Response, error)
	// Wait returns after a time, or with ctx's error.
	Wait func(ctx context.Context, d time.Duration) error
	Now  func() time.Time
	Log  *slog.Logger
}

// A hook's place names the epoch it belongs to. A restored copy has another
// one: there the hook is paused, or a copy for a test would tell the plant's
// receivers of things that never happened.

func placeOf(text string) (at plant.Seq, epoch string, err error) {
	number, epoch, _ := strings.Cut(text, " ")
	n, err := strconv.ParseUint(number, 10, 64)
	return plant.Seq(n), epoch, err
}

func placeText(at plant.Seq, epoch string) string {
	return strings.TrimSpace(strconv.FormatUint(uint64(at), 10) + " " + epoch)
}

// Paused reports whether a hook's place, by its settings, belongs to another
// history than epoch.
func Paused(settings map[string]string, id, epoch string) bool {
	_, of, err := placeOf(settings[settingDone+id])
	return err == nil && of != "" && of != epoch
}

// Resume are the settings that let hooks go on in whatever history they are
// found: the one with this id, or all of those that belong to the epoch from.
func Resume(settings map[string]string, id, from string) []plant.Setting {
	var out []plant.Setting
	for key, value := range settings {
		hook, ok := strings.CutPrefix(key, settingDone)
		at, of, err := placeOf(value)
		if ok && err == nil && of != "" && (hook == id || id == "" && of == from) {
			out = append(out, plant.Setting{Key: key, Value: placeText(at, "")})
		}
	}
	return out
}

// letter is what is written down about an event set aside. Again asks for
// another try.
type letter struct {
	Why   string    `json:"why"`
	At    time.Time `json:"at"`
	Again bool      `json:"again,omitempty"`
}

func deadKey(id string, seq plant.Seq) string {
	return fmt.Sprintf("%s%s/%020d", settingDead, id, seq)
}

// Dead lists the events of a hook that were set aside.
func Dead(snap *plant.Snapshot, id string) []plant.Seq {
	var out []plant.Seq
	for _, key := range snap.Settings(settingDead + id + "/") {
		if n, err := strconv.ParseUint(key[strings.LastIndexByte(key, '/')+1:], 10, 64); err == nil {
			out = append(out, plant.Seq(n))
		}
	}
	return out
}

// Prefixes begin the keys of all settings of hooks.
func Prefixes() []string { return []string{SettingHook, settingDone, settingDead} }

// Remove are the settings, among keys, that make a hook and all about it go; the
// hook itself first.
func Remove(keys []string, id string) []plant.Setting {
	out := []plant.Setting{{Key: SettingHook + id}}
	for _, key := range keys {
		if key == settingDone+id || strings.HasPrefix(key, settingDead+id+"/") {
			out = append(out, plant.Setting{Key: key})
		}
	}
	return out
}

// Again are the settings, of those given, that have every event set aside for a
// hook sent once more.
func Again(settings map[string]string, id string) ([]plant.Setting, error) {
	var out []plant.Setting
	for key, value := range settings {
		if !strings.HasPrefix(key, settingDead+id+"/") {
			continue
		}
		var l letter
		if err := json.Unmarshal([]byte(value), &l); err != nil {
			return nil, fmt.Errorf("setting %s: %w", key, err)
		}
		l.Again = true
		text, err := json.Marshal(l)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", key, err)
		}
		out = append(out, plant.Setting{Key: key, Value: string(text)})
	}
	return out, nil
}

// request is the POST of one event.
func (s *Sender) request(ctx context.Context, h Hook, e *plant.Event) (*http.Request, error) {
	body, at := s.o.Encode(*e), s.o.Now().Unix()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "envivo")
	req.Header.Set("X-Envivo-Event", e.ID)
	req.Header.Set("X-Envivo-Timestamp", strconv.FormatInt(at, 10))
	req.Header.Set("X-Envivo-Signature", Sign(h.Key, at, body))
	return req, nil
}
