package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"envivo/durable"
	"envivo/hooks"
	"envivo/standby"
	"envivo/ui"
)

type promoteCmd struct {
	Where  `embed:""`
	Force  bool   `help:"Promote although the standby is behind or its primary answers. Needs --reason."`
	Reason string `placeholder:"TEXT" help:"Why; it is recorded."`
}

// Validate is called by kong.
func (c *promoteCmd) Validate() error {
	if c.Force && strings.TrimSpace(c.Reason) == "" {
		return errors.New("--force needs --reason TEXT")
	}
	return c.Where.Validate()
}

// Run promotes the folder's standby: a running one goes on as the plant's
// server in the same process, one at rest when it is started.
func (c *promoteCmd) Run(p *program) error {
	return withKeeper(p, c.Where, func(ctx context.Context, k keeper) error {
		if err := k.Promote(ctx, c.Force, strings.TrimSpace(c.Reason)); err != nil {
			return err
		}
		text := "promoted: this box is the plant's server from now on. Keep the old one switched off, empty its folder, and start it with --standby-of this one"
		if _, running := k.(*wire); !running {
			text = "promoted: start envivo serve (without --standby-of). Keep the old server switched off"
		}
		_, err := fmt.Fprintln(p.out, text)
		return err
	})
}

// Promote is part of keeper.
func (d *desk) Promote(ctx context.Context, force bool, reason string) error {
	var note standbyNote
	switch {
	case d.promote != nil:
		return d.promote(ctx, force, reason)
	case d.served || !readNote(d.dir, noteStandby, &note):
		return errors.New("this is no standby")
	}
	s := standby.State{Applied: d.store.Snapshot().Seq, Told: note.Told, Contact: note.Contact}
	return promotion{dir: d.dir, note: note, state: s, now: d.now()}.carryOut(ctx, force, reason)
}

// promotion turns a standby's folder into a plant's.
type promotion struct {
	dir   string
	note  standbyNote
	state standby.State
	now   time.Time
}

func (x promotion) carryOut(ctx context.Context, force bool, reason string) error {
	found := standby.Knock(ctx, knocking(x.note.Of))
	if err := standby.Promotion(x.state, found.Alive); err != nil && !force {
		return fmt.Errorf("%w (--force --reason TEXT does it all the same)", err)
	}
	was := promotedNote{At: x.now, Of: x.note.Of, Epoch: x.note.Epoch, Seq: x.state.Applied, Reason: reason,
		TokenFile: x.note.TokenFile, CAFile: x.note.CAFile}
	if err := writeNote(x.dir, notePromoted, was); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(x.dir, noteStandby)); err != nil { // from here on it is no standby
		return err
	}
	return durable.SyncFolder(x.dir)
}

// knocking are options that only ask whether somebody answers. No secret is
// sent, so the certificate does not matter: one that is not trusted is alive.
func knocking(primary string) standby.Options {
	client := &http.Client{Timeout: 4 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}}} // #nosec G402: see above
	return standby.Options{Primary: primary, Send: client.Do}
}

// beginRole prepares what the role needs before anybody is let in.
func (f *floor) beginRole(ctx context.Context) error {
	switch {
	case f.role.retired != nil:
		return nil
	case !f.role.follows():
		f.replica = f.newReplica()
		return f.recordPromotion(ctx)
	}
	f.role.options.Address = f.outside()
	f.role.follower = standby.NewFollower(f.role.options, f.store, f.role.note.Told, f.role.note.Contact)
	f.role.promote = func(ctx context.Context, force bool, reason string) error {
		err := promotion{dir: f.cfg.Data, note: f.role.note, state: f.role.follower.State(), now: f.now()}.carryOut(ctx, force, reason)
		if err == nil {
			f.role.changed <- struct{}{}
		}
		return err
	}
	return nil
}

// startRole starts what the role does while the server runs.
func (f *floor) startRole(ctx context.Context, g *errgroup.Group) {
	if f.replica != nil {
		f.http.RegisterOnShutdown(f.replica.leaveNow)
	}
	if f.role.promoted != nil && !f.role.follows() {
		g.Go(func() error { f.watchOld(ctx); return nil })
	}
	if f.role.follower != nil {
		g.Go(func() error { return f.followPrimary(ctx) })
		g.Go(func() error { f.noteContact(ctx); return nil })
	}
	g.Go(func() error {
		select {
		case <-f.role.changed:
			f.log.Warn("this box has another role from now on")
			f.cfg.Addr = f.listen.Addr().String()
			return errRole
		case <-ctx.Done():
			return nil
		}
	})
}

// followPrimary follows until ctx ends. When the primary has another history, a
// new copy is fetched while the old state is still shown; then a server on the
// new one takes over.
func (f *floor) followPrimary(ctx context.Context) error {
	err := f.role.follower.Run(ctx)
	if !errors.Is(err, standby.ErrAnother) {
		return err
	}
	f.log.Warn("the primary has another history: this standby begins anew", "primary", f.role.note.Of)
	n := nursery{dir: f.cfg.Data, of: f.role.note.Of, options: f.role.options, program: f.program, log: f.log,
		failed: func(err error) { why := err.Error(); f.role.noCopy.Store(&why) }}
	if err := n.fetch(ctx); err != nil {
		return nil // ctx ended
	}
	f.cfg.Addr = f.listen.Addr().String()
	return errRole
}

// noteContact writes down what the primary said, so that a promotion after a
// restart knows it.
func (f *floor) noteContact(ctx context.Context) {
	last := f.role.note
	for waitFor(ctx, 5*time.Second) == nil {
		s := f.role.follower.State()
		now := last
		now.Told, now.Contact = s.Told, s.Contact
		if now == last || !exists(filepath.Join(f.cfg.Data, noteStandby)) {
			continue
		}
		if err := writeNote(f.cfg.Data, noteStandby, now); err != nil {
			f.log.Warn("note the primary's last word", "err", err)
			continue
		}
		last = now
	}
}

// resumeHooks lets receivers that were served in an epoch go on in this one.
func (f *floor) resumeHooks(ctx context.Context, d *desk, epoch string) error {
	settings := map[string]string{}
	for _, prefix := range hooks.Prefixes() {
		some, err := d.Settings(ctx, prefix)
		if err != nil {
			return err
		}
		for k, v := range some {
			settings[k] = v
		}
	}
	for _, s := range hooks.Resume(settings, "", epoch) {
		if err := d.Set(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// banner is what pages of a standby say on top; nil on a plant's server.
func (f *floor) banner() func() ui.Standby {
	if !f.role.follows() {
		return nil
	}
	return func() ui.Standby {
		if f.role.retired != nil {
			return ui.Standby{Primary: f.role.retired.By, Retired: true}
		}
		s := f.role.follower.State()
		out := ui.Standby{Primary: f.role.note.Of, Behind: s.Behind()}
		if s.Trouble != "" {
			out.Silent = max(time.Second, f.now().Sub(s.Contact))
		}
		return out
	}
}

// trouble is what keeps a standby from its primary's records or copy beside the
// primary's silence: what a person must look at.
func (r *role) trouble() string {
	if r.follower == nil {
		return ""
	}
	if why := r.noCopy.Load(); why != nil {
		return *why
	}
	if why := r.follower.State().Trouble; strings.Contains(why, standby.ErrTooLarge.Error()) {
		return why
	}
	return ""
}

// standbySilent is how long a standby may be silent before that is a warning.
const standbySilent = 2 * time.Minute

// roleLines are the health page's lines about standbys.
func (f *floor) roleLines() []ui.HealthLine {
	const name = lineStandby
	var out []ui.HealthLine
	switch {
	case f.role.follows():
		level, now := levelOK, f.banner()()
		switch {
		case now.Retired:
			level = levelBad
		case now.Silent > 0 || now.Behind > 0:
			level = levelWarn
		}
		out = append(out, ui.HealthLine{Name: name, Level: level, Text: ui.StandbyOf(now)})
		if why := f.role.trouble(); why != "" {
			out = append(out, ui.HealthLine{Name: name, Level: levelBad, Text: ui.StandbyTrouble(why)})
		}
	case f.replica != nil:
		for _, c := range f.replica.all() {
			age, level := f.now().Sub(c.At), levelOK
			if age > standbySilent {
				level = levelWarn
			}
			out = append(out, ui.HealthLine{Name: name, Level: level, Text: ui.StandbyAt(c.Name, int(c.Seq), age)})
		}
	}
	switch f.role.old.Load() {
	case oldAlive:
		out = append(out, ui.HealthLine{Name: lineOld, Level: levelBad, Text: ui.OldAlive(f.role.promoted.Of)})
	case oldRetired:
		out = append(out, ui.HealthLine{Name: lineOld, Level: levelWarn, Text: ui.OldRetired(f.role.promoted.Of)})
	}
	return out
}

func (f *floor) roleMetrics(w io.Writer) {
	all := []gauge{{"envivo_standby", truth(f.role.follower != nil)}, {"envivo_retired", truth(f.role.retired != nil)}}
	if f.role.follower != nil {
		s := f.role.follower.State()
		all = append(all, gauge{"envivo_standby_behind_events", float64(s.Behind())}, gauge{"envivo_standby_contact_age_seconds", f.now().Sub(s.Contact).Seconds()})
	}
	if f.replica != nil {
		seq := f.store.Snapshot().Seq
		for _, c := range f.replica.all() {
			label := fmt.Sprintf("{standby=%q}", c.Name)
			all = append(all, gauge{"envivo_standby_behind_events" + label, float64(seq - min(seq, c.Seq))},
				gauge{"envivo_standby_contact_age_seconds" + label, f.now().Sub(c.At).Seconds()})
		}
	}
	if f.role.promoted != nil {
		all = append(all, gauge{"envivo_old_primary_alive", truth(f.role.old.Load() == oldAlive)})
	}
	writeGauges(w, all)
}
