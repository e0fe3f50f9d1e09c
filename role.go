package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"envivo/durable"
	"envivo/plant"
	"envivo/standby"
)

// Notes in the data folder that say what the box is.
const (
	// noteStandby makes a folder a standby's: its store follows another one and
	// takes no commands.
	noteStandby = "respaldo.json"
	// notePromoted says that the folder was a standby's.
	notePromoted = "promovido.json"
	// noteRetired says that the folder was the plant's until a promoted standby
	// took its place: its store takes no commands. Whoever knows better removes it.
	noteRetired = "retirado.json"
	// settingPromoted is the same in the plant's own log.
	settingPromoted = "promovido"
)

// standbyNote is what a standby remembers of its primary.
type standbyNote struct {
	Of      string    `json:"of"`
	Epoch   string    `json:"epoch"`
	Since   time.Time `json:"since"`
	Told    plant.Seq `json:"told"`
	Contact time.Time `json:"contact"`
	// TokenFile and CAFile are those of --standby-token and --standby-ca.
	TokenFile string `json:"token_file,omitempty"`
	CAFile    string `json:"ca_file,omitempty"`
}

// promotedNote is what a promoted standby remembers of its life before.
type promotedNote struct {
	At     time.Time `json:"at"`
	Of     string    `json:"of"`
	Epoch  string    `json:"epoch"`
	Seq    plant.Seq `json:"seq"`
	Reason string    `json:"reason,omitempty"`
	// Recorded says that the plant's log has it, too.
	Recorded bool `json:"recorded,omitempty"`
	// TokenFile and CAFile let it speak to the old primary, should that return.
	TokenFile string `json:"token_file,omitempty"`
	CAFile    string `json:"ca_file,omitempty"`
}

// retiredNote is what a primary remembers of having been replaced.
type retiredNote struct {
	At    time.Time `json:"at"`
	By    string    `json:"by"`
	Epoch string    `json:"epoch"`
	Seq   plant.Seq `json:"seq"`
}

// errRole ends a server whose folder has become something else; another one
// starts in its place, in this process.
var errRole = errors.New("the role of this box changed")

// role is what a box is beside a plant's server: a standby, or one that was.
type role struct {
	note     standbyNote
	options  standby.Options
	follower *standby.Follower // nil: not a standby
	promoted *promotedNote     // nil: never was one
	retired  *retiredNote      // nil: nobody took its place

	// promote carries out a promotion of the running standby; nil otherwise.
	promote func(ctx context.Context, force bool, reason string) error
	// changed ends the server.
	changed chan struct{}
	// old is what the old primary was last seen doing.
	old atomic.Int32
	// standbys are those that followed this server lately, by name.
	standbys map[string]knownStandby
	// asking says that one of them is asked whether it took this server's place;
	// asked is closed when that is known.
	asking atomic.Bool
	asked  chan struct{}
	// noCopy is why a standby that begins anew has no copy yet; nil or empty for no
	// such trouble.
	noCopy atomic.Pointer[string]
}

// What a promoted standby knows of the primary it took over from.
const (
	oldSilent  int32 = iota
	oldAlive         // it takes commands
	oldRetired       // it is there and takes none
)

// shows is the address of the server whose plant the box only shows, empty for
// a plant's server.
func (r *role) shows() string {
	if r.retired != nil {
		return r.retired.By
	}
	return r.note.Of
}

// follows reports whether the box takes no commands: a standby, or a primary
// that was replaced.
func (r *role) follows() bool { return r.shows() != "" }

// serveInRole serves as what the folder is, and again when that changes.
func serveInRole(ctx context.Context, p *program, c *Config) error {
	for {
		role, err := c.takeRole(ctx, p)
		if err != nil {
			return err
		}
		err = serve(ctx, p, c, extra{role: role})
		if ctx.Err() != nil || !errors.Is(err, errRole) {
			return err
		}
	}
}

// takeRole finds out what the folder is, and makes it a standby's if that is
// asked for: with --standby-of, a folder without a store gets a copy.
func (c *Config) takeRole(ctx context.Context, p *program) (*role, error) {
	r := &role{changed: make(chan struct{}, 1)}
	var was promotedNote
	if readNote(c.Data, notePromoted, &was) {
		r.promoted = &was
	}
	var gone retiredNote
	if readNote(c.Data, noteRetired, &gone) {
		if c.StandbyOf != "" {
			return nil, fmt.Errorf("%s was the plant's until %s took its place: a standby begins with an empty folder", c.Data, gone.By)
		}
		p.say("this box was replaced by %s on %s: it only shows. Empty the folder and start with --standby-of; if it was a mistake, switch the other one off and remove %s",
			gone.By, gone.At.Format(time.DateTime), filepath.Join(c.Data, noteRetired))
		r.retired = &gone
		return r, nil
	}
	standing := readNote(c.Data, noteStandby, &r.note)
	switch {
	case standing && c.StandbyOf == "":
		return nil, fmt.Errorf("%s is the standby of %s: start it with --standby-of, or make it the plant's server with envivo promote", c.Data, r.note.Of)
	case c.StandbyOf == "":
		return r, nil
	case !standing && r.promoted != nil:
		p.say("--standby-of is ignored: this box was promoted on %s; take the setting away", was.At.Format(time.DateTime))
		return r, nil
	case !standing && exists(storePath(c.Data)):
		return nil, fmt.Errorf("%s has a store of its own: a standby begins with an empty folder", c.Data)
	}
	log := c.logger(p.err)
	var err error
	if r.options, err = asking(p, c.StandbyOf, c.StandbyToken, c.StandbyCA, log); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, err
	}
	n := nursery{dir: c.Data, of: c.StandbyOf, options: r.options, program: p, log: log}
	if !exists(storePath(c.Data)) && !exists(n.fresh()) {
		if err := n.fetch(ctx); err != nil {
			return nil, err
		}
	}
	if r.note, err = n.install(r.note); err != nil {
		return nil, fmt.Errorf("begin with the copy of %s: %w", c.StandbyOf, err)
	}
	return r, c.noteKeys(r)
}

// noteKeys remembers where the token and the authority are: after a promotion
// the settings will be gone.
func (c *Config) noteKeys(r *role) (err error) {
	was := r.note
	if r.note.TokenFile, err = filepath.Abs(c.StandbyToken); err != nil {
		return err
	}
	if r.note.CAFile = c.StandbyCA; c.StandbyCA != "" {
		if r.note.CAFile, err = filepath.Abs(c.StandbyCA); err != nil {
			return err
		}
	}
	if r.note == was {
		return nil
	}
	return writeNote(c.Data, noteStandby, r.note)
}

// asking is how a primary is asked: with the token in a file, and trusting the
// authority in another one (empty: those the system knows).
func asking(p *program, primary, tokenFile, caFile string, log *slog.Logger) (standby.Options, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return standby.Options{}, fmt.Errorf("--standby-ca: %w", err)
		}
		if conf.RootCAs = x509.NewCertPool(); !conf.RootCAs.AppendCertsFromPEM(pem) {
			return standby.Options{}, fmt.Errorf("--standby-ca: %s holds no certificate", caFile)
		}
	}
	token := func() (string, error) {
		b, err := os.ReadFile(tokenFile)
		if err != nil {
			return "", fmt.Errorf("--standby-token: %w", err)
		}
		return strings.TrimSpace(string(b)), nil
	}
	if _, err := token(); err != nil {
		return standby.Options{}, err
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: conf, ResponseHeaderTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return standby.Options{Primary: primary, Token: token, Send: client.Do, Now: p.now, Log: log, Wait: waitFor}, nil
}

// waitFor returns after a time, or with ctx's error.
func waitFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// nursery brings a standby's folder a copy of its primary.
type nursery struct {
	dir     string
	of      string
	options standby.Options
	program *program
	log     *slog.Logger
	// failed is told why there is no copy yet; nil tells the log alone.
	failed func(error)
}

// fresh is a copy that is proven and waits for its turn.
func (n *nursery) fresh() string { return storePath(n.dir) + ".nuevo" }

// again is the pause between two tries to get a copy.
const fetchAgain = 5 * time.Second

// fetch tries until it has a proven copy, or ctx ends.
func (n *nursery) fetch(ctx context.Context) error {
	for {
		n.log.Info("standby: fetching a copy", "primary", n.of)
		err := n.once(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n.log.Warn("standby: no copy", "primary", n.of, "err", err)
		if n.failed != nil {
			n.failed(err)
		}
		if err := waitFor(ctx, fetchAgain); err != nil {
			return err
		}
	}
}

const fetchPattern = ".envivo-replica-*"

// room is how large a copy may be: the disk stays as free as a box needs it.
func (n *nursery) room() (int64, error) {
	free, _, err := diskSpace(n.dir)
	if err != nil {
		return 0, fmt.Errorf("find out how much disk is free: %w", err)
	}
	return int64(min(free, 1<<62)) - diskLeast, nil
}

func (n *nursery) once(ctx context.Context) error {
	old, err := filepath.Glob(filepath.Join(n.dir, fetchPattern))
	for _, name := range old {
		err = errors.Join(err, os.Remove(name))
	}
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(n.dir, fetchPattern)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	room, err := n.room()
	if err == nil {
		err = standby.Fetch(ctx, n.options, room, f)
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	r, err := n.program.prove(ctx, f.Name())
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return fmt.Errorf("the copy is not sound: %w", err)
	}
	note := standbyNote{Of: n.of, Epoch: r.Epoch, Since: n.program.now(), Told: r.Seq, Contact: n.program.now()}
	if err := writeNote(n.dir, noteStandby, note); err != nil { // first: a store that nobody calls a standby's would be a primary
		return err
	}
	return os.Rename(f.Name(), n.fresh())
}

// keptCopies is how many stores from before a new copy stay.
const keptCopies = 3

// install puts a fetched copy in its place; the store that was there stays
// beside it. Without one it changes nothing.
func (n *nursery) install(note standbyNote) (standbyNote, error) {
	if note.Of != n.of { // the primary has another address now
		note.Of = n.of
	}
	if !exists(n.fresh()) {
		return note, nil
	}
	var fetched standbyNote
	if !readNote(n.dir, noteStandby, &fetched) {
		return note, errors.New("the note about the copy cannot be read")
	}
	path := storePath(n.dir)
	kept := path + ".antes-" + n.program.now().UTC().Format(backupStamp)
	switch err := os.Rename(path, kept); {
	case err == nil:
		n.program.say("the store that was here is kept as %s", kept)
	case !errors.Is(err, fs.ErrNotExist):
		return note, err
	}
	if err := os.Rename(n.fresh(), path); err != nil {
		return note, err
	}
	old, err := filepath.Glob(path + ".antes-*")
	slices.Sort(old)
	for _, name := range old[:max(0, len(old)-keptCopies)] {
		err = errors.Join(err, os.Remove(name))
	}
	return fetched, errors.Join(err, durable.SyncFolder(n.dir))
}

// record writes a promotion into the plant's log, once.
func (f *floor) recordPromotion(ctx context.Context) error {
	was := f.role.promoted
	if was == nil || was.Recorded {
		return nil
	}
	text, err := json.Marshal(was)
	if err != nil {
		return fmt.Errorf("encode the promotion: %w", err)
	}
	d := &desk{store: f.store}
	if err := d.Set(ctx, plant.Setting{Key: settingPromoted, Value: string(text)}); err != nil {
		return fmt.Errorf("record the promotion: %w", err)
	}
	if err := f.resumeHooks(ctx, d, was.Epoch); err != nil {
		return fmt.Errorf("let the webhooks go on: %w", err)
	}
	was.Recorded = true
	return writeNote(f.cfg.Data, notePromoted, was)
}
