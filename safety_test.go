package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"envivo/store"
)

var copyNoon = time.Date(2026, 11, 26, 15, 0, 0, 0, time.UTC) // 12:00 in the plant

func TestRetentionKeepsHoursDaysAndMonths(t *testing.T) {
	r := retention{newest: 12, days: 31, months: 12}
	var names []string
	for at := copyNoon.AddDate(-1, -2, 0); !at.After(copyNoon); at = at.Add(4 * time.Hour) {
		names = append(names, filepath.Join("x", copyName(at)))
		gone := r.surplus(names, at) // as if pruned after each, which must come to the same
		names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(gone, n) })
	}
	if n := len(names); n < 12+28+10 || n > 12+31+12 {
		t.Errorf("%d copies are kept after more than a year, want some fifty", n)
	}
	first, _ := copiedAt(names[0])
	if first.Before(copyNoon.AddDate(-1, 0, 0)) || first.After(copyNoon.AddDate(0, -10, 0)) {
		t.Errorf("the oldest copy is of %v, want one of the month eleven months ago", first)
	}
	seen := map[string]bool{}
	for _, n := range names {
		at, _ := copiedAt(n)
		seen[at.In(time.FixedZone("", -3*3600)).Format(time.DateOnly)] = true
	}
	for back := range 31 {
		if day := copyNoon.AddDate(0, 0, -back).Format(time.DateOnly); !seen[day] {
			t.Errorf("no copy of %s is kept", day)
		}
	}
	if got := r.surplus(names, copyNoon); len(got) != 0 {
		t.Errorf("pruning again removes %v", got)
	}
}

func TestRetentionNeverRemovesTheNewest(t *testing.T) {
	r := retention{newest: 1}
	old := []string{copyName(copyNoon.AddDate(-9, 0, 0)), copyName(copyNoon.AddDate(-8, 0, 0))}
	if got := r.surplus(old, copyNoon); !slices.Equal(got, old[:1]) {
		t.Errorf("surplus of two ancient copies = %v, want the older one", got)
	}
	if got := r.surplus([]string{copyName(copyNoon.AddDate(0, 1, 0))}, copyNoon); len(got) != 0 { // the clock was ahead
		t.Errorf("a copy from the future is removed: %v", got)
	}
}

// usb is a medium whose device the test plugs in and out.
func usb(t *testing.T) (m *medium, plug func(bool)) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "usb")
	if err := os.WriteFile(filepath.Join(from, copyName(copyNoon)), []byte("copy"), 0o600); err != nil {
		t.Fatal(err)
	}
	there := uint64(2)
	m = &medium{from: from, to: to, keep: retention{newest: 2}, now: func() time.Time { return copyNoon }, log: slog.New(slog.DiscardHandler),
		wake: make(chan struct{}, 1), device: func(p string) (uint64, error) {
			if p == to {
				return there, nil
			}
			return 1, nil
		}}
	return m, func(in bool) {
		there = 1
		if in {
			there = 2
		}
		if err := os.MkdirAll(to, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheSecondMediumIsTriedAgain(t *testing.T) {
	m, plug := usb(t)
	if err := m.once(t.Context()); !errors.Is(err, errUnplugged) {
		t.Errorf("without its folder = %v, want unplugged", err)
	}
	plug(false) // the mount point is there, the disk is not
	if err := m.once(t.Context()); !errors.Is(err, errSameDisk) {
		t.Errorf("on the store's own disk = %v, want it refused", err)
	}
	if why, since := m.state(); why == "" || !since.Equal(copyNoon) {
		t.Errorf("state = %q since %v, want the trouble", why, since)
	}
	if left := copiesIn(m.to); len(left) != 0 {
		t.Errorf("%v was copied to the same disk", left)
	}
	plug(true)
	for range 2 {
		if err := m.once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var on onMedium
	if !readNote(m.from, noteMedium, &on) || on.File != copyName(copyNoon) {
		t.Errorf("note = %+v, want the copy", on)
	}
	if why, _ := m.state(); why != "" {
		t.Errorf("state = %q after a copy, want none", why)
	}
	b, err := os.ReadFile(filepath.Join(m.to, copyName(copyNoon)))
	if err != nil || string(b) != "copy" {
		t.Errorf("on the medium: %q, %v", b, err)
	}
	if all, _ := os.ReadDir(m.to); len(all) != 1 {
		t.Errorf("the medium has %d files, want the copy alone", len(all))
	}
}

func TestAMediumPulledOutLeavesNoHalfCopy(t *testing.T) {
	m, plug := usb(t)
	plug(true)
	if err := os.WriteFile(filepath.Join(m.to, ".envivo-copia-123"), []byte("ha"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.once(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a copy that is cut off = %v", err)
	}
	if all, _ := os.ReadDir(m.to); len(all) != 0 {
		t.Errorf("the medium has %v, want nothing half done", all)
	}
}

func practice(t *testing.T, rehearse func(context.Context, string, string) (store.Report, error)) *drill {
	copies := t.TempDir()
	if err := os.WriteFile(filepath.Join(copies, copyName(copyNoon)), []byte("copy"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeNote(copies, noteProof, proof{File: copyName(copyNoon), Seq: 7, Head: "ab", Epoch: "e1"}); err != nil {
		t.Fatal(err)
	}
	return &drill{data: t.TempDir(), copies: copies, now: func() time.Time { return copyNoon }, log: slog.New(slog.DiscardHandler),
		rehearse: rehearse, free: func(string) (uint64, error) { return 1 << 40, nil }}
}

func TestTheDrillComparesWithTheCopy(t *testing.T) {
	for name, c := range map[string]struct {
		report store.Report
		err    error
		want   string // part of the trouble
	}{
		"the same":      {store.Report{Seq: 7, Head: "ab", Epoch: "e2"}, nil, ""},
		"events lost":   {store.Report{Seq: 6, Head: "aa", Epoch: "e2"}, nil, "restored 6 events"},
		"another chain": {store.Report{Seq: 7, Head: "cd", Epoch: "e2"}, nil, "ending in cd"},
		"same epoch":    {store.Report{Seq: 7, Head: "ab", Epoch: "e1"}, nil, "epoch"},
		"damaged":       {store.Report{Violation: &store.Violation{Seq: 3, What: "bent"}}, nil, "event 3: bent"},
		"died":          {store.Report{}, store.ErrDamaged, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			var into string
			d := practice(t, func(_ context.Context, _, dir string) (store.Report, error) {
				into = dir
				return c.report, c.err
			})
			if err := d.once(t.Context()); (err != nil) != (c.want != "") {
				t.Errorf("once = %v, want trouble %q", err, c.want)
			}
			r, ok := d.last()
			if !ok || !strings.Contains(r.Trouble, c.want) || (c.want == "") != r.Good.Equal(copyNoon) {
				t.Errorf("note = %+v, want trouble %q", r, c.want)
			}
			if _, err := os.Stat(into); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the practice folder is still there: %v", err)
			}
			if d.due() {
				t.Error("a drill is due right after one")
			}
		})
	}
}

func TestADrillIsSkippedByNameOnAFullDisk(t *testing.T) {
	d := practice(t, nil)
	d.free = func(string) (uint64, error) { return 1 << 20, nil }
	if err := d.once(t.Context()); !errors.Is(err, errNoRoom) {
		t.Errorf("once = %v, want no room", err)
	}
	if r, _ := d.last(); r.Skipped == "" || r.Trouble != "" {
		t.Errorf("note = %+v, want it skipped", r)
	}
}

func TestADrillCutOffIsSweptUp(t *testing.T) {
	d := practice(t, nil)
	left := filepath.Join(d.data, ".envivo-ensayo-9")
	if err := os.Mkdir(left, 0o700); err != nil {
		t.Fatal(err)
	}
	d.sweep()
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder of a drill that was cut off: %v, want it gone", err)
	}
}

func TestHealthLinesNameWhatIsMissing(t *testing.T) {
	now := copyNoon
	c := &Config{Where: Where{Data: t.TempDir()}, BackupEvery: time.Hour}
	s := &safety{cfg: c, now: func() time.Time { return now }, backups: &backups{dir: c.backupsFolder()}, drill: &drill{copies: c.backupsFolder()}}
	expect := func(want ...string) {
		t.Helper()
		for i, l := range s.lines() {
			if got := fmt.Sprint(l.Level, ": ", l.Text); !strings.Contains(got, want[i]) {
				t.Errorf("%s is %q, want %q", l.Name, got, want[i])
			}
		}
	}
	expect("warn: Todavía no hay", "warn: Ninguna copia en otro disco", "warn: Todavía no se ha ensayado")
	if err := os.MkdirAll(s.backups.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.backups.dir, copyName(now))
	for _, err := range []error{os.WriteFile(file, nil, 0o600), os.Chtimes(file, time.Time{}, now),
		writeNote(s.backups.dir, noteMedium, onMedium{File: "x.db", To: "/usb", At: now}),
		writeNote(s.backups.dir, noteDrill, drilled{File: "x.db", At: now, Good: now, Seq: 7, TookMS: 1500})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(10 * time.Minute)
	expect("ok: La última copia comprobada es de hace 10 min; se guardan 1.", "ok: Copia en /usb (x.db)", "ok: Restaurada x.db hace 10 min: 7 eventos, 1,5 s.")
	now = now.Add(8 * 24 * time.Hour)
	expect("bad: ", "warn: Copia en /usb (x.db) de hace 8 días 0 h. Ya es vieja", "warn: Restaurada")
}
