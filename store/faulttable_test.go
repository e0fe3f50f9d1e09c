package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"envivo/plant"
	"envivo/store"
	"envivo/store/storetest"
)

// fault is one row of the table in docs/durability.md: what goes wrong, and
// everything that follows from it.
type fault struct {
	name  string
	at    where
	how   how
	err   error // of a write; what the commit reports, for a sync; nil is an input/output error
	told  string
	does  string
	disk  string
	check string
}

const (
	toldNothing = "503, nothing was stored"
	toldUnknown = "503, nobody knows"
	toldOk      = "ok"
	goesOn      = "goes on"
	stops       = "ends"
	without     = "without the command"
	with        = "with the command"
	clean       = "clean"
	cleanTorn   = "clean, notes the torn meta page"
)

// faults are the rows about the disk. A page is every page of the commit in turn.
func faults() []fault {
	eio, full, big, ro := error(syscall.EIO), error(syscall.ENOSPC), error(syscall.EFBIG), error(syscall.EROFS)
	return []fault{
		{"growth of the file fails, not done", atGrowth, notDone, eio, toldUnknown, stops, without, clean},
		{"growth of the file fails, done but reported failed", atGrowth, butDone, eio, toldUnknown, stops, without, clean},
		{"write of a page fails, not done", atPage, notDone, eio, toldUnknown, stops, without, clean},
		{"write of a page fails, half done", atPage, halfDone, eio, toldUnknown, stops, without, clean},
		{"write of a page fails, done but reported failed", atPage, butDone, eio, toldUnknown, stops, without, clean},
		{"sync of the pages fails, not done", atPagesSync, notDone, eio, toldUnknown, stops, without, clean},
		{"sync of the pages fails, done but reported failed", atPagesSync, butDone, eio, toldUnknown, stops, without, clean},
		{"write of the meta page fails, not done", atMeta, notDone, eio, toldUnknown, stops, without, clean},
		{"write of the meta page fails, half done", atMeta, halfDone, eio, toldUnknown, stops, without, cleanTorn},
		{"write of the meta page fails, done but reported failed", atMeta, butDone, eio, toldUnknown, stops, with, clean},
		{"sync of the meta page fails, not done", atMetaSync, notDone, eio, toldUnknown, stops, with, clean},
		{"sync of the meta page fails, done but reported failed", atMetaSync, butDone, eio, toldUnknown, stops, with, clean},
		{"disk full at the growth of the file, not done", atGrowth, notDone, full, toldNothing, goesOn, without, clean},
		{"disk full at the growth of the file, done but reported failed", atGrowth, butDone, full, toldNothing, goesOn, without, clean},
		{"file as long as the system allows, not done", atGrowth, notDone, big, toldNothing, goesOn, without, clean},
		{"disk full at a page, not done", atPage, notDone, full, toldNothing, goesOn, without, clean},
		{"disk full at a page, half done", atPage, halfDone, full, toldNothing, goesOn, without, clean},
		{"disk full at a page, done but reported failed", atPage, butDone, full, toldNothing, goesOn, without, clean},
		{"disk full at the sync of the pages", atPagesSync, notDone, full, toldNothing, goesOn, without, clean},
		{"disk full at the meta page, not done", atMeta, notDone, full, toldNothing, goesOn, without, clean},
		{"disk full at the meta page, half done", atMeta, halfDone, full, toldNothing, goesOn, without, clean},
		{"disk full at the meta page, done but reported failed", atMeta, butDone, full, toldUnknown, stops, with, clean},
		{"disk full at the sync of the meta page", atMetaSync, notDone, full, toldUnknown, stops, with, clean},
		{"disk remounted read-only before a page", atPage, notDone, ro, toldNothing, goesOn, without, clean},
		{"disk remounted read-only before the meta page", atMeta, notDone, ro, toldNothing, goesOn, without, clean},
		{"disk remounted read-only before the sync of the meta page", atMetaSync, notDone, ro, toldUnknown, stops, with, clean},
	}
}

// TestFaultTable injects every row and looks at its outcome: what the floor is
// told, what the process does, what is on disk, and what the check says.
func TestFaultTable(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "docs", "durability.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			line := fmt.Sprintf("| %s | %s | %s | %s | %s |", f.name, f.told, f.does, f.disk, f.check)
			if !strings.Contains(string(doc), line) {
				t.Errorf("docs/durability.md lacks the row\n%s", line)
			}
			pages := 1
			if f.at == atPage {
				pages = pagesOf(t, f)
			}
			for page := range pages {
				f.inject(t, page, pages)
			}
		})
	}
}

// command is what the fault hits: one that makes the file grow where that fails.
func (f *fault) command() plant.Command {
	if f.at == atGrowth {
		return storetest.Note("k", "A-1", strings.Repeat("x", 1<<16))
	}
	return storetest.Take("k", "A-1", 1)
}

// pagesOf counts the pages that the command writes.
func pagesOf(t *testing.T, f fault) int {
	st := open(t, dbPath(t), toyOptions())
	must(t, st, storetest.Bring("A-1", 2))
	d := layDisk(t, st)
	must(t, st, f.command())
	return len(d.strokes()) - 3 // without the meta page and its two syncs
}

// inject lets one stroke fail and follows the command to its end.
func (f *fault) inject(t *testing.T, page, pages int) {
	t.Helper()
	path, o := dbPath(t), toyOptions()
	var hurting atomic.Bool
	var d *disk
	o.Faults = &store.Faults{Commit: func(commit func() error) error {
		err := commit()
		if err != nil && hurting.Load() && (f.at == atPagesSync || f.at == atMetaSync) {
			return &os.PathError{Op: "sync", Path: "plant.db", Err: f.err}
		}
		if err != nil && hurting.Load() && f.at == atGrowth { // the words in which bbolt tells it
			if f.how == butDone {
				if err := d.grow(); err != nil {
					t.Error(err)
				}
			}
			how, _, _ := strings.Cut(err.Error(), ": ")
			return fmt.Errorf("%s: %s", how, &os.PathError{Op: "truncate", Path: "plant.db", Err: f.err})
		}
		return err
	}}
	st, err := store.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	before := must(t, st, storetest.Bring("A-1", 2)).Seq
	d = layDisk(t, st)
	h := &hurt{at: f.at, page: page, how: f.how, err: f.err}
	if f.at == atPagesSync {
		h.page = pagesOf(t, *f) - 1
	}
	hurting.Store(true)
	if err := d.fail(h); err != nil {
		t.Fatal(err)
	}
	_, err = st.Do(context.Background(), f.command())
	if got := toldBy(err); got != f.told || !h.hit {
		t.Errorf("page %d of %d: the floor is told %q (%v), hit %v; want %q", page+1, pages, got, err, h.hit, f.told)
	}
	if sp, _ := st.Snapshot().Spool("A-1"); !sp.Hold.Free() || sp.Last != before {
		t.Errorf("page %d of %d: readers see a command that nobody may rely on", page+1, pages)
	}
	if f.does == goesOn {
		d.heal()
		hurting.Store(false)
		f.wentOn(t, st, path)
		return
	}
	if err := <-st.Failed(); err == nil {
		t.Error("the store stopped without a word")
	}
	if _, err := st.Do(context.Background(), storetest.Take("k2", "A-1", 1)); !errors.Is(err, plant.ErrBusy) {
		t.Errorf("a command to a store that stopped = %v, want busy", err)
	}
	d.heal()
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	f.restarted(t, path, before)
}

// wentOn says the command again to a store that went on.
func (f *fault) wentOn(t *testing.T, st *store.Bolt, path string) {
	t.Helper()
	r, err := st.Do(context.Background(), f.command())
	if err != nil || r.Repeated {
		t.Errorf("the command once the disk takes it again = repeated %v, %v; want it carried out", r.Repeated, err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	f.checked(t, path, f.check, r.Event.Seq)
}

// restarted opens what a stopped store left behind and says the command again.
func (f *fault) restarted(t *testing.T, path string, before plant.Seq) {
	t.Helper()
	left := before
	if f.disk == with {
		left++
	}
	f.checked(t, path, f.check, left)
	st, err := store.Open(path, toyOptions())
	if err != nil {
		t.Fatalf("the start after it: %v", err)
	}
	r, err := st.Do(context.Background(), f.command())
	if err != nil || r.Repeated != (f.disk == with) || r.Event.Seq != before+1 {
		t.Errorf("the key after the restart = event %d, repeated %v, %v; the disk should be %s", r.Event.Seq, r.Repeated, err, f.disk)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	f.checked(t, path, clean, before+1)
}

// checked is the verdict of the check and where the journal ends.
func (f *fault) checked(t *testing.T, path, want string, end plant.Seq) {
	t.Helper()
	r, err := examine(path)
	got := clean
	switch {
	case err != nil:
		got = err.Error()
	case len(r.Notes) == 1:
		got = cleanTorn
	}
	if got != want || r.Seq != end {
		t.Errorf("the check says %q at event %d, want %q at %d", got, r.Seq, want, end)
	}
}

// toldBy puts an answer in the words of the table.
func toldBy(err error) string {
	var no *plant.Error
	switch {
	case err == nil:
		return toldOk
	case errors.As(err, &no) && no.Code == plant.CodeFull && no.RetryAfter > 0:
		return toldNothing
	case errors.Is(err, plant.ErrUnknownOutcome):
		return toldUnknown
	}
	return err.Error()
}

// TestSyncThatFailsBeforeAPowerCut: the last row that says "with the command"
// may as well end without it when the power goes too. Both files are sound.
func TestSyncThatFailsBeforeAPowerCut(t *testing.T) {
	path, o := dbPath(t), toyOptions()
	st := open(t, path, o)
	before := must(t, st, storetest.Bring("A-1", 2)).Seq
	d := layDisk(t, st)
	base, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	must(t, st, storetest.Take("k", "A-1", 1))
	for _, s := range d.strokes() {
		if s.kind == aWrite && s.off >= 2*d.page { // the meta page stayed in the cache
			base = laid(base, s.off, s.data)
		}
	}
	cut := dbPath(t)
	if err := writeImage(cut, base); err != nil {
		t.Fatal(err)
	}
	(&fault{disk: without, check: clean}).checked(t, cut, clean, before)
	st = open(t, cut, o)
	if r, err := st.Do(context.Background(), storetest.Take("k", "A-1", 1)); err != nil || r.Repeated {
		t.Errorf("the key after the power cut = repeated %v, %v; want it carried out", r.Repeated, err)
	}
}

// TestClockFaults: the clock jumps and both changes of daylight saving time in
// Chile. Events keep their order, holds their true length, keys their receipts.
func TestClockFaults(t *testing.T) {
	night := func(y int, m time.Month, d int) time.Time { // half an hour before midnight
		return time.Date(y, m, d, 23, 30, 0, 0, plant.Zone())
	}
	for name, c := range map[string]struct {
		start time.Time
		jump  time.Duration // between taking and pausing
		held  time.Duration // how long the log says the hold lasted
	}{
		"an ordinary hour":                              {night(2026, 11, 24), time.Hour, time.Hour},
		"back by three hours":                           {night(2026, 11, 24), -3 * time.Hour, 0},
		"back by thirty days":                           {night(2026, 11, 24), -30 * 24 * time.Hour, 0},
		"forward by three hours":                        {night(2026, 11, 24), 3 * time.Hour, 3 * time.Hour},
		"forward by thirty days":                        {night(2026, 11, 24), 30 * 24 * time.Hour, 30 * 24 * time.Hour},
		"summer time ends, the hour is there twice":     {night(2027, 4, 3), time.Hour, time.Hour},
		"summer time begins, the hour is not there":     {night(2027, 9, 4), time.Hour, time.Hour},
		"both hours of the night in which summer ended": {night(2027, 4, 3), 2 * time.Hour, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			clock := storetest.NewClock()
			clock.Add(c.start.Sub(clock.Now()))
			path, o := dbPath(t), options(storetest.ToyConfig(storetest.Toy{}, clock))
			st := open(t, path, o)
			must(t, st, storetest.Bring("A-1", 2))
			taken := must(t, st, storetest.Take("k", "A-1", 1))
			clock.Add(c.jump)
			paused := must(t, st, storetest.Pause("p", "A-1", 1))
			if got := paused.At.Sub(taken.At); got != c.held {
				t.Errorf("the log says that the hold lasted %v, want %v", got, c.held)
			}
			for restart := range 2 {
				for _, k := range []plant.Command{storetest.Take("k", "A-1", 1), storetest.Pause("p", "A-1", 1)} {
					if r, err := st.Do(context.Background(), k); err != nil || !r.Repeated {
						t.Errorf("key %s after the jump, %d restarts = repeated %v, %v; want its first receipt", k.ID, restart, r.Repeated, err)
					}
				}
				if err := st.Close(); err != nil {
					t.Fatal(err)
				}
				(&fault{}).checked(t, path, clean, paused.Seq)
				st = open(t, path, o)
			}
		})
	}
}

// TestReceiptsArePrunedWithoutHoles: what is old in time and in events is
// forgotten, everything later is known, and a restart draws the same line.
func TestReceiptsArePrunedWithoutHoles(t *testing.T) {
	const kept = 8192 // events that keep their receipt whatever the clock says
	clock := storetest.NewClock()
	path, o := dbPath(t), options(storetest.ToyConfig(storetest.Toy{}, clock))
	st := open(t, path, o)
	must(t, st, storetest.Bring("A-1", 0))
	key := func(i int) plant.Command {
		c := storetest.Set("turno", fmt.Sprint(i))
		c.ID = plant.CommandID(fmt.Sprint("k", i))
		return c
	}
	var all []plant.Command
	for i := range kept + 300 {
		all = append(all, key(i))
	}
	for _, r := range st.DoAll(context.Background(), all[:400]) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	clock.Add(49 * time.Hour)
	for _, r := range st.DoAll(context.Background(), all[400:]) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	for restart := range 2 {
		if got := st.Stats().Receipts; got != kept {
			t.Errorf("%d receipts are remembered after %d restarts, want %d", got, restart, kept)
		}
		for i := len(all) - kept; i < len(all); i += 97 {
			if r, err := st.Do(context.Background(), key(i)); err != nil || !r.Repeated {
				t.Errorf("key %d of %d after %d restarts = repeated %v, %v; want its first receipt", i, len(all), restart, r.Repeated, err)
			}
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		st = open(t, path, o)
	}
	if r, err := st.Do(context.Background(), key(0)); err != nil || r.Repeated {
		t.Errorf("the oldest key = repeated %v, %v; want it forgotten", r.Repeated, err)
	}
}
