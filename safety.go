package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"envivo/plant"
	"envivo/store"
	"envivo/ui"
)

// safety is what looks after the data while the plant works: copies, the second
// medium, the restore drill.
type safety struct {
	cfg     *Config
	now     func() time.Time
	backups *backups
	medium  *medium // nil without --backup-copy
	drill   *drill
}

const (
	levelOK   = "ok"
	levelWarn = "warn"
	levelBad  = "bad"
)

// prove examines a copy: in a child process when the program knows its own file.
func (p *program) prove(ctx context.Context, path string) (store.Report, error) {
	if p.self != nil {
		return p.self.check(ctx, path)
	}
	return store.Check(path, checkOptions())
}

func (f *floor) newSafety() *safety {
	c := f.cfg
	keep := retention{newest: c.BackupKeep, days: c.BackupKeepDays, months: c.BackupKeepMonths}
	s := &safety{cfg: c, now: f.now}
	s.backups = &backups{dir: c.backupsFolder(), every: c.BackupEvery, keep: keep, now: f.now, log: f.log,
		copy: f.store.Backup, seq: func() plant.Seq { return f.store.Snapshot().Seq }}
	if c.BackupCopy != "" {
		s.medium = &medium{from: s.backups.dir, to: c.BackupCopy, keep: keep, now: f.now, log: f.log, device: deviceOf, wake: make(chan struct{}, 1)}
		s.backups.news = s.medium.told
	}
	s.drill = &drill{data: c.Data, copies: s.backups.dir, now: f.now, log: f.log, rehearse: f.rehearse,
		free: func(path string) (uint64, error) { free, _, err := diskSpace(path); return free, err }}
	return s
}

// rehearse restores, opens and checks in a child process.
func (f *floor) rehearse(ctx context.Context, file, dir string) (r store.Report, err error) {
	if f.program.self == nil {
		return r, fmt.Errorf("this program does not know its own file")
	}
	return r, f.program.self.ask(ctx, &r, "drill", file, "--into", dir)
}

func (s *safety) start(ctx context.Context, g *errgroup.Group) {
	g.Go(func() error { return s.backups.run(ctx) })
	if s.medium != nil {
		g.Go(func() error { return s.medium.run(ctx) })
	}
	if s.cfg.BackupEvery > 0 {
		g.Go(func() error { return s.drill.run(ctx) })
	}
}

// lines are the health page's lines about the data's safety.
func (s *safety) lines() []ui.HealthLine {
	return []ui.HealthLine{s.copiesLine(), s.mediumLine(), s.drillLine()}
}

func (s *safety) copiesLine() ui.HealthLine {
	const name = "Copias"
	names := s.backups.names()
	switch {
	case s.cfg.BackupEvery == 0:
		return ui.HealthLine{Name: name, Level: levelWarn, Text: ui.TextCopiesOff}
	case len(names) == 0:
		return ui.HealthLine{Name: name, Level: levelWarn, Text: ui.TextCopiesNone}
	}
	age := s.copyAge(names[len(names)-1])
	l := ui.HealthLine{Name: name, Level: levelOK, Text: ui.CopiesText(age, len(names))}
	if age > 2*s.cfg.BackupEvery+5*time.Minute {
		l.Level = levelBad
	}
	return l
}

// copyAge is the time since the newest copy was proven to be current.
func (s *safety) copyAge(newest string) time.Duration {
	info, err := os.Stat(newest)
	if err != nil {
		return 0
	}
	return max(0, s.now().Sub(info.ModTime()))
}

// A copy on the second medium is old after mediumOld when it is made by hand;
// one the server makes is old with the other copies.
const mediumOld = 7 * 24 * time.Hour

func (s *safety) mediumLine() ui.HealthLine {
	const name = lineMedium
	var on onMedium
	ok := readNote(s.backups.dir, noteMedium, &on)
	said, limit := "", mediumOld
	age := max(0, s.now().Sub(on.At))
	if ok {
		said = ui.MediumText(on.To, on.File, age)
	}
	if s.medium != nil {
		if why, since := s.medium.state(); why != "" {
			return ui.HealthLine{Name: name, Level: levelWarn, Text: ui.MediumTrouble(s.medium.to, ui.MediumWhy(why), s.now().Sub(since), said)}
		}
		limit = max(24*time.Hour, 2*s.cfg.BackupEvery)
	}
	switch {
	case !ok:
		return ui.HealthLine{Name: name, Level: levelWarn, Text: ui.TextNoMedium}
	case age > limit:
		return ui.HealthLine{Name: name, Level: levelWarn, Text: ui.MediumOld(said)}
	}
	return ui.HealthLine{Name: name, Level: levelOK, Text: said}
}

func (s *safety) drillLine() ui.HealthLine {
	const name = "Ensayo de restauración"
	r, ok := s.drill.last()
	switch {
	case !ok:
		return ui.HealthLine{Name: name, Level: levelWarn, Text: ui.TextDrillNone}
	case r.Trouble != "":
		return ui.HealthLine{Name: name, Level: levelBad, Text: ui.DrillTrouble(r.File, r.Trouble)}
	case r.Skipped != "":
		good := time.Duration(-1)
		if !r.Good.IsZero() {
			good = s.now().Sub(r.Good)
		}
		return ui.HealthLine{Name: name, Level: levelWarn, Text: ui.DrillSkipped(ui.MediumWhy(r.Skipped), good)}
	}
	age := s.now().Sub(r.Good)
	l := ui.HealthLine{Name: name, Level: levelOK, Text: ui.DrillText(r.File, int(r.Seq), time.Duration(r.TookMS)*time.Millisecond, age)}
	if age > 2*drillEvery+time.Hour {
		l.Level = levelWarn
	}
	return l
}

func (s *safety) metrics(w io.Writer) {
	var all []gauge
	names := s.backups.names()
	if len(names) > 0 {
		all = append(all, gauge{"envivo_backup_age_seconds", s.copyAge(names[len(names)-1]).Seconds()})
	}
	all = append(all, gauge{"envivo_backups", float64(len(names))})
	var on onMedium
	if readNote(s.backups.dir, noteMedium, &on) {
		all = append(all, gauge{"envivo_second_medium_age_seconds", s.now().Sub(on.At).Seconds()})
	}
	if s.medium != nil {
		why, _ := s.medium.state()
		all = append(all, gauge{"envivo_second_medium_trouble", truth(why != "")})
	}
	if r, ok := s.drill.last(); ok {
		if !r.Good.IsZero() {
			all = append(all, gauge{"envivo_restore_drill_age_seconds", s.now().Sub(r.Good).Seconds()})
		}
		all = append(all, gauge{"envivo_restore_drill_trouble", truth(r.Trouble != "")},
			gauge{"envivo_restore_drill_seconds", float64(r.TookMS) / 1000})
	}
	writeGauges(w, all)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// healthLines are what the health page shows of the data.
func (f *floor) healthLines() []ui.HealthLine {
	snap := f.store.Snapshot()
	all := append(f.safety.lines(), ui.HealthLine{Name: "Registro", Level: levelOK, Text: ui.ChainText(ui.HeadCode(snap.Seq, snap.Head))})
	all = append(all, f.roleLines()...)
	for _, st := range f.hooks.States() {
		if st.Paused {
			return append(all, ui.HealthLine{Name: "Avisos", Level: levelWarn, Text: ui.TextHookPaused})
		}
	}
	return all
}

// readyNotes are the faults that do not keep the plant from working, one a line.
func (f *floor) readyNotes() []string {
	var out []string
	for _, l := range f.healthLines() {
		if l.Level != levelOK {
			out = append(out, strings.ToLower(l.Name)+": "+l.Text)
		}
	}
	return out
}
