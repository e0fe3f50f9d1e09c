package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"envivo/sheetsync/sample"
)

type demoCmd struct {
	Addr  string `setting:"" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Listen address (${default}); port 0 takes a free one."`
	Quiet bool   `help:"No simulated workers: only you move the plant."`
	Sheet bool   `name:"with-sheet" help:"Exchange with a simulated Google Sheet, shown at /planilla."`

	Logging `embed:""`
}

// Validate is called by kong after every source has been read.
func (d *demoCmd) Validate() error { return checkAddr(d.Addr) }

// demoPIN is the supervisor's PIN of every demo.
const demoPIN = "2580"

// demoSeed makes the simulated shift the same every time, as far as the clock
// and the visitors allow.
const demoSeed = 2493

// config is the demo's setting: everything open, nothing lasting.
func (d *demoCmd) config(dir string) *Config {
	return &Config{Where: Where{Data: dir, Env: "demo"}, Addr: d.Addr, Access: "open", TLS: "off", MDNS: "off", LockTTL: time.Hour,
		CheckRoles: true, CheckWorkers: true, BackupKeep: 1, Logging: d.Logging,
		Sheet: sheetFlags{Interval: 5 * time.Second, Poll: 30 * time.Second, Budget: 20}}
}

// Run serves the sample plant from a folder that is removed at the end.
func (d *demoCmd) Run(p *program) (err error) {
	ctx, stop := signals(context.Background())
	defer stop()
	dir, err := os.MkdirTemp("", "envivo-demo-")
	if err != nil {
		return err
	}
	defer func() {
		if e := os.RemoveAll(dir); e != nil && err == nil {
			err = e
		}
	}()
	cfg := d.config(dir)
	var sheet *demoSheet
	more := extra{}
	if d.Sheet {
		if sheet, err = openDemoSheet(&cfg.Sheet, dir, p.now); err != nil {
			return fmt.Errorf("start the simulated Sheet: %w", err)
		}
		more.wrap = sheet.under
	}
	more.fill = func(ctx context.Context, f *floor, g *errgroup.Group) error {
		if sheet != nil {
			sheet.fill(sample.Tables(p.now()))
			g.Go(func() error { return sheet.run(ctx) })
		}
		return d.fill(ctx, p, f, g)
	}
	more.ready = "PIN del supervisor: " + demoPIN + "\n" + sheet.ready() + "Planta de muestra: desaparece al terminar con Ctrl+C\n"
	return serve(ctx, p, cfg, more)
}

// fill imports the sample plant by the ordinary way, sets the PIN and puts the
// simulated workers on the floor.
func (d *demoCmd) fill(ctx context.Context, p *program, f *floor, g *errgroup.Group) error {
	k := &desk{store: f.store, dir: f.cfg.Data, now: p.now}
	report, err := k.Import(ctx, sample.Tables(p.now()), "demo", false)
	if err != nil {
		return fmt.Errorf("import the sample plant: %w", err)
	}
	if err := setPIN(ctx, k, demoPIN); err != nil {
		return err
	}
	f.log.Debug("sample plant", "changed", report.Changed)
	if d.Quiet {
		return nil
	}
	c := &crew{snapshot: f.store.Snapshot, do: f.store.Do, permitted: f.engine.Permitted, now: p.now,
		rnd: rand.New(rand.NewPCG(demoSeed, 1)), log: f.log}
	g.Go(func() error { return c.run(ctx) })
	return nil
}
