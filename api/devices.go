package api

import (
	"cmp"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"envivo/plant"
	"envivo/ui"
)

// SettingDevice begins the keys of enrolled devices.
const SettingDevice = "device/"

// Device is an enrolled tablet or wall screen as the store knows it: never the
// secret itself.
//
//	key    device/ID
//	value  {"name":"Armado 1","kind":"compartida","trade":"ARMADOR","scale":"guantes","volume":"normal",
//	        "sha256":"9f86…","created":"2026-11-26T10:05:00Z","by":"Instalación"}
//
// The secret is ID.RANDOM with 256 random bits, the value of the device's
// cookie; sha256 is of the whole text. ID holds A-Z0-9 only, so that a printed
// code can carry it.
type Device struct {
	ID string `json:"-"`
	ui.TabletSettings
	SHA256  string    `json:"sha256"`
	Created time.Time `json:"created"`
	// By is where it was enrolled from.
	By string `json:"by"`
}

const (
	deviceCookie = "envivo_device"
	// deviceFor is as long as browsers keep a cookie.
	deviceFor = 400 * 24 * time.Hour
	keepEvery = 24 * time.Hour
	// deviceMost bounds the list: each is a setting in every snapshot.
	deviceMost = 500
	// deviceDigits is the length of a device's id.
	deviceDigits = 7
)

// NewDevice makes a device: the secret for its cookie, and the setting to store.
func NewDevice(d Device, random io.Reader) (secret string, s plant.Setting, err error) {
	if f := d.Fault(); f != "" {
		return "", s, &tabletFault{f}
	}
	id, err := pick(random, idLetters, deviceDigits)
	if err != nil {
		return "", s, err
	}
	body, err := randomText(random)
	if err != nil {
		return "", s, err
	}
	d.ID = id
	secret = id + "." + body
	d.SHA256 = hashHex(secret)
	s, err = d.setting()
	return secret, s, err
}

func (d Device) setting() (plant.Setting, error) {
	value, err := json.Marshal(d)
	if err != nil {
		return plant.Setting{}, fmt.Errorf("encode device %s: %w", d.ID, err)
	}
	return plant.Setting{Key: SettingDevice + d.ID, Value: string(value)}, nil
}

// ParseDevice reads a device's setting.
func ParseDevice(s plant.Setting) (Device, error) {
	id, ok := strings.CutPrefix(s.Key, SettingDevice)
	if !ok {
		return Device{}, fmt.Errorf("setting %q is no device", s.Key)
	}
	d := Device{}
	if err := json.Unmarshal([]byte(s.Value), &d); err != nil {
		return Device{}, fmt.Errorf("device %s: %w", id, err)
	}
	d.ID = id
	return d, nil
}

// Devices are the plant's devices by the time they were enrolled. A record that
// cannot be read is left out: it lets nobody in.
func Devices(snap *plant.Snapshot) []Device {
	var out []Device
	for _, key := range snap.Settings(SettingDevice) {
		if d, err := ParseDevice(plant.Setting{Key: key, Value: snap.Setting(key)}); err == nil {
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(a, b Device) int { return a.Created.Compare(b.Created) })
	return out
}

// ParseDevices reads settings of devices, by the time they were enrolled.
func ParseDevices(settings map[string]string) ([]Device, error) {
	var out []Device
	for key, value := range settings {
		d, err := ParseDevice(plant.Setting{Key: key, Value: value})
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Device) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

// FindDevice finds a device by id or name.
func FindDevice(all []Device, word string) (Device, bool) {
	i := slices.IndexFunc(all, func(d Device) bool { return d.ID == strings.ToUpper(word) || d.Name == word })
	if i < 0 {
		return Device{}, false
	}
	return all[i], true
}

// contact is when a device last asked for anything, and the build its pages
// run. It lives in memory: an event for each would drown the log.
type contact struct {
	at    time.Time
	build string
	// kept is when its cookie was last given again: browsers forget one that is
	// not renewed.
	kept time.Time
}

// devices recognises enrolled devices. It is guarded by mu.
type devices struct {
	mu   sync.Mutex
	seen map[string]Device // by setting value
	last map[string]contact
}

func newDevices() *devices { return &devices{seen: map[string]Device{}, last: map[string]contact{}} }

// find gives the device whose cookie a request carries. A revoked device is
// gone from the snapshot and thereby at once.
func (c *devices) find(r *http.Request, snap func() *plant.Snapshot) (Device, bool) {
	cookie, err := r.Cookie(deviceCookie)
	if err != nil {
		return Device{}, false
	}
	id, _, ok := strings.Cut(cookie.Value, ".")
	if !ok {
		return Device{}, false
	}
	key := SettingDevice + id
	value := snap().Setting(key)
	if value == "" {
		return Device{}, false
	}
	d, err := c.parse(plant.Setting{Key: key, Value: value})
	if err != nil || subtle.ConstantTimeCompare([]byte(hashHex(cookie.Value)), []byte(d.SHA256)) != 1 {
		return Device{}, false
	}
	return d, true
}

func (c *devices) parse(s plant.Setting) (Device, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d, ok := c.seen[s.Value]; ok && SettingDevice+d.ID == s.Key {
		return d, nil
	}
	d, err := ParseDevice(s)
	if err != nil {
		return Device{}, err
	}
	if len(c.seen) >= 2*deviceMost {
		clear(c.seen)
	}
	c.seen[s.Value] = d
	return d, nil
}

// heard notes a sign of life; build is empty where the request does not tell.
func (c *devices) heard(id, build string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.last[id]
	if build != "" {
		was.build = clipBuild(build)
	}
	was.at = now
	c.last[id] = was
}

// keep reports once a day that a device's cookie is to be given again.
func (c *devices) keep(id string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.last[id]
	if now.Sub(was.kept) < keepEvery {
		return false
	}
	was.kept = now
	c.last[id] = was
	return true
}

func (c *devices) contact(id string) contact {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last[id]
}

// forget drops what is remembered of a device that was revoked.
func (c *devices) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.last, id)
}

// toldBuild is the build that a page says it was drawn by, where it does.
func toldBuild(r *http.Request) string {
	if r.URL.Path != "/ws/ui" && r.URL.Path != "/pulso" {
		return ""
	}
	return r.URL.Query().Get("build")
}

// clipBuild bounds what a page says of itself.
func clipBuild(s string) string {
	if len(s) > 32 || !utf8.ValidString(s) {
		return "?"
	}
	return s
}

// tabletFault names the field of a device's settings that is wrong.
type tabletFault struct{ field string }

func (f *tabletFault) Error() string { return "a device's " + f.field + " is missing or wrong" }

// The refusals of enrolling.
var (
	errSameName = errors.New("there is a device of that name")
	errTooMany  = errors.New("there are too many devices")
	errNoDevice = errors.New("there is no such device")
)

// taken reports whether a device has this name.
func (s *Server) taken(name string) bool {
	return slices.ContainsFunc(Devices(s.o.Plant.Snapshot()), func(d Device) bool { return plant.Fold(d.Name) == plant.Fold(name) })
}

// enrol stores a new device and gives its browser the cookie.
func (s *Server) enrol(w http.ResponseWriter, r *http.Request, t ui.TabletSettings, by string) (Device, error) {
	s.enrolling.Lock()
	defer s.enrolling.Unlock()
	switch {
	case len(s.o.Plant.Snapshot().Settings(SettingDevice)) >= deviceMost:
		return Device{}, errTooMany
	case s.taken(t.Name):
		return Device{}, errSameName
	}
	secret, set, err := NewDevice(Device{TabletSettings: t, Created: s.o.Now().UTC(), By: by}, s.o.Random)
	if err != nil {
		return Device{}, err
	}
	if err := s.adjust(r, set, by); err != nil {
		return Device{}, err
	}
	d, err := ParseDevice(set)
	if err != nil {
		return Device{}, err
	}
	s.pages.remember(w, deviceCookie, secret, deviceFor)
	s.o.Log.Info("device enrolled", "device", d.Name, "id", d.ID, "kind", d.Kind, "from", by)
	return d, nil
}

// alter changes what a device is set to; the secret stays.
func (s *Server) alter(r *http.Request, id string, t ui.TabletSettings, by string) (Device, error) {
	if f := t.Fault(); f != "" {
		return Device{}, &tabletFault{f}
	}
	s.enrolling.Lock()
	defer s.enrolling.Unlock()
	all := Devices(s.o.Plant.Snapshot())
	i := slices.IndexFunc(all, func(d Device) bool { return d.ID == id })
	if i < 0 {
		return Device{}, errNoDevice
	}
	if slices.ContainsFunc(all, func(d Device) bool { return d.ID != id && plant.Fold(d.Name) == plant.Fold(t.Name) }) {
		return Device{}, errSameName
	}
	all[i].TabletSettings = t
	set, err := all[i].setting()
	if err != nil {
		return Device{}, err
	}
	return all[i], s.adjust(r, set, by)
}

// revoke takes a device's record away: its next request is refused, and package
// ws closes its streams when the event passes.
func (s *Server) revoke(r *http.Request, id string, by string) (Device, error) {
	s.enrolling.Lock()
	defer s.enrolling.Unlock()
	d, err := s.parseDevice(id)
	if err != nil {
		return Device{}, err
	}
	if err := s.adjust(r, plant.Setting{Key: SettingDevice + id}, by); err != nil {
		return Device{}, err
	}
	s.devices.forget(id)
	s.o.Log.Info("device revoked", "device", d.Name, "id", id, "from", by)
	return d, nil
}

func (s *Server) parseDevice(id string) (Device, error) {
	key := SettingDevice + id
	value := s.o.Plant.Snapshot().Setting(key)
	if value == "" {
		return Device{}, errNoDevice
	}
	return ParseDevice(plant.Setting{Key: key, Value: value})
}

// adjust changes a setting as an event. A setting that is so already is no
// error.
func (s *Server) adjust(r *http.Request, set plant.Setting, by string) error {
	c := plant.Command{ID: plant.CommandID(s.o.NewUUID()), Verb: plant.Ajustar, Supervisor: true, Device: by, Setting: &set}
	if _, err := s.o.Plant.Do(r.Context(), c); err != nil && !errors.Is(err, plant.ErrUnchanged) {
		return fmt.Errorf("store the setting %s: %w", set.Key, err)
	}
	return nil
}
