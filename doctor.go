package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"time"

	"envivo/plant"
	"envivo/sheetsync/google"
	"envivo/sheetsync/migration"
)

type doctorCmd struct {
	Config `embed:""`
}

// verdict is one line of the diagnosis.
type verdict struct {
	level string // "ok", "warn" or "FAIL"
	what  string
	text  string
}

func fine(what, format string, a ...any) verdict {
	return verdict{"ok", what, fmt.Sprintf(format, a...)}
}
func warn(what, format string, a ...any) verdict {
	return verdict{"warn", what, fmt.Sprintf(format, a...)}
}
func bad(what, format string, a ...any) verdict {
	return verdict{"FAIL", what, fmt.Sprintf(format, a...)}
}

// Run examines everything, prints one line each and fails if anything is broken.
func (d *doctorCmd) Run(p *program) error {
	ctx, stop := signals(context.Background())
	defer stop()
	found := []verdict{d.clock(p.now()), d.folder()}
	if found[1].level != "FAIL" {
		found = append(found, d.space(), d.flush(p.now), d.store(ctx, p), d.copies(p.now()), d.medium(p.now()), d.drill(p.now()))
	}
	found = append(found, d.certificate(p.now()), d.localNameVerdict(), d.port(ctx), d.sheet(ctx, p))
	var broken int
	for _, v := range found {
		if _, err := fmt.Fprintf(p.out, "%-4s  %-12s %s\n", v.level, v.what, v.text); err != nil {
			return err
		}
		if v.level == "FAIL" {
			broken++
		}
	}
	if broken > 0 {
		return fmt.Errorf("doctor found %d fault(s)", broken)
	}
	return nil
}

// clock can only judge what a box without network knows: that the clock was set
// at all. Whether it is right to the second is for the operator to see.
func (d *doctorCmd) clock(now time.Time) verdict {
	text := plant.SheetTime(now) + " " + plant.Zone().String()
	if now.Year() < 2026 {
		return bad("clock", "%s: the clock is not set", text)
	}
	return fine("clock", "%s (compare with a watch)", text)
}

func (d *doctorCmd) folder() verdict {
	info, err := os.Stat(d.Data)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return bad("folder", "%s does not exist; serve or import creates it", d.Data)
	case err != nil:
		return bad("folder", "%v", err)
	case !info.IsDir():
		return bad("folder", "%s is no folder", d.Data)
	}
	f, err := os.CreateTemp(d.Data, ".doctor-*")
	if err != nil {
		return bad("folder", "%s cannot be written: %v", d.Data, err)
	}
	defer os.Remove(f.Name())
	if err := f.Close(); err != nil {
		return bad("folder", "%v", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0 { // there the mode says nothing
		return warn("folder", "%s can be read by every user of this machine (mode %v); 0700 is safer", d.Data, info.Mode().Perm())
	}
	return fine("folder", "%s, mode %v", d.Data, info.Mode().Perm())
}

func (d *doctorCmd) space() verdict {
	free, total, err := diskSpace(d.Data)
	if err != nil {
		return warn("disk", "free space is unknown: %v", err)
	}
	text := fmt.Sprintf("%.1f GiB of %.1f GiB free", float64(free)/(1<<30), float64(total)/(1<<30))
	switch {
	case free < 256<<20:
		return bad("disk", "%s: too little for a copy of the store", text)
	case free < 2<<30 || total > 0 && free*20 < total:
		return warn("disk", "%s", text)
	}
	return fine("disk", "%s", text)
}

// flush measures what every command pays at least: writing a page and waiting
// until the disk says it is safe.
func (d *doctorCmd) flush(now func() time.Time) verdict {
	f, err := os.CreateTemp(d.Data, ".doctor-*")
	if err != nil {
		return bad("flush", "%v", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	page := make([]byte, 4096)
	took := make([]time.Duration, 0, 100)
	for i := range cap(took) {
		page[0] = byte(i)
		begin := now()
		if _, err := f.WriteAt(page, 0); err != nil {
			return bad("flush", "%v", err)
		}
		if err := f.Sync(); err != nil {
			return bad("flush", "%v", err)
		}
		took = append(took, now().Sub(begin))
	}
	slices.Sort(took)
	half, most := took[len(took)/2], took[len(took)*95/100]
	text := fmt.Sprintf("one flush takes %v (half of them), %v (95 %%)", half.Round(10*time.Microsecond), most.Round(10*time.Microsecond))
	switch {
	case most > 12*time.Millisecond: // a commit is two of them and has 25 ms
		return warn("flush", "%s: commands will feel slow; use an SSD with power-loss protection", text)
	case half < 20*time.Microsecond:
		return warn("flush", "%s: too fast to be true, the disk may not survive a power cut", text)
	}
	return fine("flush", "%s", text)
}

func (d *doctorCmd) store(ctx context.Context, p *program) verdict {
	path := storePath(d.Data)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return warn("store", "there is no store yet; serve or import creates it")
	}
	k, err := openKeeper(ctx, p, d.Where, false)
	if err != nil {
		return bad("store", "%v", err)
	}
	defer k.Close()
	r, err := k.Check(ctx)
	if err != nil {
		return bad("store", "%v", err)
	}
	if err := r.Err(); err != nil {
		return bad("store", "%v", err)
	}
	return fine("store", "%s", summary(r))
}

func (d *doctorCmd) copies(now time.Time) verdict {
	if d.BackupEvery == 0 {
		return warn("backups", "automatic backups are switched off")
	}
	names := copiesIn(d.backupsFolder())
	if len(names) == 0 {
		return warn("backups", "there is no automatic backup yet")
	}
	info, err := os.Stat(names[len(names)-1])
	if err != nil {
		return bad("backups", "%v", err)
	}
	age := now.Sub(info.ModTime())
	text := fmt.Sprintf("%d kept, the newest is %v old", len(names), age.Round(time.Second))
	if age > 2*d.BackupEvery+time.Minute {
		return warn("backups", "%s (normal while no server runs)", text)
	}
	return fine("backups", "%s", text)
}

func (d *doctorCmd) medium(now time.Time) verdict {
	if d.BackupCopy != "" {
		m := medium{from: d.Data, to: d.BackupCopy, device: deviceOf}
		if err := m.present(); err != nil {
			return warn("medium", "%s: %v", d.BackupCopy, err)
		}
	}
	var on onMedium
	if !readNote(d.backupsFolder(), noteMedium, &on) {
		return warn("medium", "no copy has ever been put on another disk: use --backup-copy, or envivo backup --out to one")
	}
	age := now.Sub(on.At)
	text := fmt.Sprintf("%s in %s, %v ago", on.File, on.To, age.Round(time.Second))
	if age > mediumOld {
		return warn("medium", "%s: make a newer one", text)
	}
	return fine("medium", "%s", text)
}

func (d *doctorCmd) drill(now time.Time) verdict {
	var r drilled
	switch ok := readNote(d.backupsFolder(), noteDrill, &r); {
	case !ok:
		return warn("drill", "no copy has been restored for practice yet; a running server does it daily")
	case r.Trouble != "":
		return bad("drill", "%s could not be restored: %s", r.File, r.Trouble)
	case r.Skipped != "":
		return warn("drill", "not made: %s", r.Skipped)
	}
	age := now.Sub(r.Good)
	text := fmt.Sprintf("%s restored %v ago: %d events in %v", r.File, age.Round(time.Second), r.Seq, time.Duration(r.TookMS)*time.Millisecond)
	if age > 2*drillEvery+time.Hour {
		return warn("drill", "%s (normal while no server runs)", text)
	}
	return fine("drill", "%s", text)
}

// port tries the address: free, ours, or taken by somebody else.
func (d *doctorCmd) port(ctx context.Context) verdict {
	l, err := net.Listen("tcp", d.Addr)
	if err == nil {
		if err := l.Close(); err != nil {
			return bad("port", "%v", err)
		}
		return fine("port", "%s is free", d.Addr)
	}
	if c, dialErr := dialControl(ctx, d.Data); dialErr == nil {
		_ = c.Close() // it only had to answer
		return fine("port", "%s is in use and a server runs on this folder", d.Addr)
	}
	return bad("port", "%v", err)
}

// sheet makes two real calls: a key that looks right may be revoked, and only
// Google knows whether the spreadsheet is shared.
func (d *doctorCmd) sheet(ctx context.Context, p *program) verdict {
	if !d.Sheet.on() {
		return fine("sheet", "none configured")
	}
	client, err := d.Sheet.client(ctx, p, quiet(p))
	if err != nil {
		return bad("sheet", "%v", err)
	}
	f, err := migration.Check(ctx, d.Sheet.migrationOptions(client, p, ""))
	switch {
	case err != nil && google.ClassOf(err) == google.Stop:
		return bad("sheet", "%v", explain(err, client))
	case err != nil:
		return warn("sheet", "cannot be reached now, the floor does not need it: %v", err)
	case !f.OK():
		return bad("sheet", "%s: run envivo sheet check", f.Title)
	}
	return fine("sheet", "%q, %s, shared with %s", f.Title, f.Generation, client.Account().Email)
}
