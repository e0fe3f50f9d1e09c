package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"envivo/api"
	"envivo/fsm"
	"envivo/hooks"
	"envivo/store"
	"envivo/ws"
)

type serveCmd struct {
	Config `embed:""`
}

// Run serves the plant until asked to stop.
func (c *serveCmd) Run(p *program) error {
	if ran, err := underServiceManager(p, &c.Config); ran {
		return err
	}
	ctx, stop := signals(context.Background())
	defer stop()
	return serveInRole(ctx, p, &c.Config)
}

// signals ends the context at the first SIGINT or SIGTERM; a second one ends
// the process at once, for a stop that hangs.
func signals(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	c := make(chan os.Signal, 2)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-c:
			cancel()
		case <-ctx.Done():
		}
		<-c
		os.Exit(1)
	}()
	return ctx, cancel
}

// storePath is the only file of a data folder that matters.
func storePath(dir string) string { return filepath.Join(dir, store.FileName) }

// floor is a running plant: everything that has to be stopped in order.
type floor struct {
	cfg *Config
	log *slog.Logger
	now func() time.Time

	store   *store.Bolt
	engine  *fsm.Engine
	hub     *ws.Hub
	api     *api.Server
	http    *http.Server
	listen  net.Listener
	gate    *gate
	secured *secured               // nil without TLS
	renamed atomic.Pointer[string] // the name the local network gave the box instead of its own
	control *http.Server
	socket  net.Listener
	safety  *safety
	care    *care
	sheet   *sheetSync // nil: the plant has no Sheet
	hooks   *hooks.Sender
	role    *role
	again   bool // another server follows in this process
	replica *replica
	record  *record
	program *program
	// overseer started us; watched is how soon it gives us up, 0 for never.
	overseer overseer
	watched  time.Duration
	tail     *logTail
}

// extra is what demo adds to a served plant.
type extra struct {
	// fill is called once the store is open and before anybody is let in; it may
	// start work that ends with ctx.
	fill func(ctx context.Context, f *floor, g *errgroup.Group) error
	// ready is printed after the address.
	ready string
	// role is what the box is beside a plant's server; nil for nothing else.
	role *role
	// wrap puts pages of its own in front of the plant's; nil puts none.
	wrap func(http.Handler) http.Handler
}

// serve runs a plant until ctx ends (nil) or something fatal happens.
func serve(ctx context.Context, p *program, cfg *Config, more extra) error {
	if os.Getenv("TEMPL_DEV_MODE") != "" {
		return errors.New("TEMPL_DEV_MODE is set: pages would be read from files beside the program; unset it")
	}
	logTo, closeLog, err := cfg.writer(p.err)
	if err != nil {
		return err
	}
	defer func() { _ = closeLog() }() // nothing is left to tell it to
	tail := &logTail{to: logTo}
	f := &floor{cfg: cfg, log: cfg.logger(tail), tail: tail, now: p.now, program: p, role: more.role}
	f.overseer, f.watched = p.overseer(f.log)
	if f.role == nil {
		f.role = &role{}
	}
	if err := f.openListener(); err != nil {
		return err
	}
	if err := f.openStore(); err != nil {
		_ = f.listen.Close() // nothing was served
		return err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	g, running := errgroup.WithContext(running)
	err = f.start(running, g, more)
	if err == nil {
		fmt.Fprintf(p.out, "envivo escuchando en %s\n%s", f.url(), more.ready)
		f.sayHowToSetUp(p.out)
		f.overseer.tell(stateReady, stateText+f.statusLine())
		err = f.wait(ctx, running)
		f.again = errors.Is(err, errRole)
	}
	return errors.Join(err, f.stop(cancel, g))
}

// openListener takes the port before anything slow or lasting is done.
func (f *floor) openListener() error {
	l, err := net.Listen("tcp", f.cfg.Addr)
	if err != nil {
		return err
	}
	f.gate = newGate(l, f.cfg.Limits.ConnsPerAddress, f.now, f.log)
	l = f.gate
	if f.secured, err = f.secure(); err != nil {
		_ = l.Close() // nothing was served
		return err
	}
	if f.secured != nil {
		l = newOneSocket(l, f.secured.config(), headerWithin, f.now)
	}
	f.listen = l
	return nil
}

func (f *floor) openStore() error {
	if err := os.MkdirAll(f.cfg.Data, 0o700); err != nil {
		return err
	}
	f.saveBeforeUpgrade()
	rules, o := engine(f.cfg.rules(), f.now, f.log)
	o.Env, o.Prove = f.cfg.env(), f.program.prove
	if f.role.follows() {
		o.Env, o.Following, o.MustExist = f.cfg.Env, f.role.shows(), true
	}
	o.Held = f.knowsStandbys()
	st, err := store.Open(storePath(f.cfg.Data), o)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	f.store, f.engine = st, rules
	if err := sweepSends(f.cfg.Data); err != nil { // who has the store open is the only one who sends
		f.log.Warn("remove copies that were being sent", "err", err)
	}
	return nil
}

// start brings everything up; on an error the caller stops what there is.
func (f *floor) start(ctx context.Context, g *errgroup.Group, more extra) error {
	if more.fill != nil {
		if err := more.fill(ctx, f, g); err != nil {
			return err
		}
	}
	if f.cfg.Sheet.on() && !f.role.follows() {
		f.sheet = newSheetSync(&f.cfg.Sheet, f.program, f.store, f.log)
	}
	f.hooks = f.sender()
	f.record = openRecord(f.cfg.Data, f.log)
	f.safety = f.newSafety()
	f.care = &care{all: f.health, now: f.now}
	if err := f.beginRole(ctx); err != nil {
		return err
	}
	if err := f.assemble(); err != nil {
		return err
	}
	if more.wrap != nil {
		f.http.Handler = more.wrap(f.http.Handler)
	}
	if err := f.openControl(g); err != nil {
		return err
	}
	g.Go(func() error { return served(f.http.Serve(f.listen)) })
	g.Go(func() error { return f.hub.Run(ctx) })
	f.safety.start(ctx, g)
	f.startRole(ctx, g)
	if !f.role.follows() {
		g.Go(func() error { f.askStandbys(ctx); return nil })
		g.Go(func() error { return f.inCharge(ctx, f.hooks.Run) })
		g.Go(func() error { return f.announce(ctx) })
	}
	g.Go(func() error { return f.record.run(ctx) })
	g.Go(func() error { return f.keepDrafts(ctx) })
	g.Go(func() error { return f.watchdog().run(ctx) })
	if f.secured != nil {
		g.Go(func() error { return f.secured.run(ctx) })
	}
	g.Go(func() error { return f.contingency(ctx) })
	if f.sheet != nil {
		g.Go(func() error { return f.inCharge(ctx, f.sheet.run) })
	}
	return nil
}

// openControl lets the commands of a terminal in. On a system without sockets in
// files the plant is served all the same; commands then find the store locked.
func (f *floor) openControl(g *errgroup.Group) error {
	socket, err := listenControl(f.cfg.Data)
	switch {
	case err != nil && noSockets(err):
		f.log.Warn("this system has no sockets in files: commands on this folder work only while no server runs", "err", err)
		return nil
	case err != nil:
		return err
	}
	f.socket = socket
	f.control = controlServer(&desk{store: f.store, dir: f.cfg.Data, now: f.now, served: true, sync: f.exchange(), record: f.record, program: f.program, promote: f.role.promote, invite: f.invite}, f.store.Env())
	g.Go(func() error { return served(f.control.Serve(f.socket)) })
	return nil
}

// exchange is what the pages may ask of the Sheet; nil without one.
func (f *floor) exchange() api.Sync {
	if f.sheet == nil {
		return nil
	}
	return f.sheet
}

func served(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// url is where the plant is served. A listener on every address is shown as
// localhost, the one name that always works on the box itself.
func (f *floor) url() string {
	scheme := "http"
	if f.cfg.TLS != "off" {
		scheme = "https"
	}
	a := f.listen.Addr().(*net.TCPAddr)
	host := a.IP.String()
	if a.IP.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(a.Port))
}

// wait returns nil when the plant was asked to stop, else what ended it.
func (f *floor) wait(ctx, running context.Context) error {
	select {
	case <-ctx.Done():
		f.log.Info("stopping")
		return nil
	case err := <-f.store.Failed():
		return fmt.Errorf("the store failed and must be opened again: %w", err)
	case <-running.Done():
		return context.Cause(running)
	}
}

// stop ends the plant in the order that lets every command already accepted
// reach the disk and its answer reach the caller.
func (f *floor) stop(cancel context.CancelFunc, g *errgroup.Group) error {
	if !f.again { // systemd would wait for the process to end
		f.overseer.tell(stateStopping, stateText+"stopping")
	}
	var out, in stage
	if f.http != nil {
		f.api.NotReady()
		out = stage{
			{"sockets", 8 * time.Second, f.hub.Shutdown},
			{"http", 10 * time.Second, shutdown(f.http)},
		}
	} else {
		out = stage{{"listener", time.Second, func(context.Context) error { return f.listen.Close() }}}
	}
	if f.control != nil {
		out = append(out, step{"control", 10 * time.Second, shutdown(f.control)})
	}
	in = stage{{"workers", 5 * time.Second, func(context.Context) error {
		cancel()
		if err := g.Wait(); !errors.Is(err, errRole) { // which is no failure
			return err
		}
		return nil
	}}}
	return stopInOrder(f.log, out, in,
		stage{{"store", 15 * time.Second, func(context.Context) error { return f.store.Close() }}},
		stage{{"socket", time.Second, f.removeSocket}})
}

// shutdown lets handlers finish; whoever is left at the deadline is cut.
func shutdown(s *http.Server) func(context.Context) error {
	return func(ctx context.Context) error {
		err := s.Shutdown(ctx)
		if err != nil {
			return errors.Join(err, s.Close())
		}
		return nil
	}
}

func (f *floor) removeSocket(context.Context) error {
	err := os.Remove(filepath.Join(f.cfg.Data, socketName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
