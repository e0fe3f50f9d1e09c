package blackbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"envivo/blackbox"
)

type line struct {
	N    int    `json:"n"`
	Text string `json:"text"`
}

func options(dir string, memory bool) blackbox.Options {
	return blackbox.Options{Dir: dir, Name: "actos", MaxBytes: 64 << 10, Memory: memory, Log: slog.New(slog.DiscardHandler)}
}

// session opens a ring, lets do use it, and ends it as a server would.
func session(t *testing.T, o blackbox.Options, do func(*blackbox.Ring[line])) *blackbox.Ring[line] {
	t.Helper()
	r := blackbox.Open[line](o)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _ = r.Run(ctx) }()
	do(r)
	cancel()
	if err := r.Wait(t.Context()); err != nil {
		t.Fatalf("wait: %v", err)
	}
	return r
}

func all(t *testing.T, r *blackbox.Ring[line]) []int {
	t.Helper()
	var out []int
	if err := r.All(func(l line) bool { out = append(out, l.N); return true }); err != nil {
		t.Fatalf("read: %v", err)
	}
	return out
}

func TestWhatIsRecordedSurvivesARestart(t *testing.T) {
	for _, memory := range []bool{false, true} {
		o := options(t.TempDir(), memory)
		session(t, o, func(r *blackbox.Ring[line]) { r.Add(line{1, "uno"}); r.Add(line{2, "<dos>"}) })
		r := session(t, o, func(r *blackbox.Ring[line]) { r.Add(line{3, "tres"}) })
		if got := fmt.Sprint(all(t, r)); got != "[1 2 3]" {
			t.Errorf("memory %v: after a restart the ring holds %s, want [1 2 3]", memory, got)
		}
	}
}

func TestTheOldestGoesWhenThereIsNoRoom(t *testing.T) {
	for _, memory := range []bool{false, true} {
		o := options(t.TempDir(), memory)
		const each, many = 200, 2000 // 400 kB into 64 KiB
		for round := range many / each {
			session(t, o, func(r *blackbox.Ring[line]) {
				for i := range each {
					r.Add(line{round*each + i, strings.Repeat("x", 180)})
				}
			})
		}
		r := session(t, o, func(*blackbox.Ring[line]) {})
		got := all(t, r)
		if last := got[len(got)-1]; last != many-1 {
			t.Errorf("memory %v: the newest kept is %d, want %d", memory, last, many-1)
		}
		for i := 1; i < len(got); i++ {
			if got[i] != got[i-1]+1 {
				t.Fatalf("memory %v: %d follows %d: a hole", memory, got[i], got[i-1])
			}
		}
		size := taken(t, o.Dir)
		if size > o.MaxBytes || size < o.MaxBytes/2-8<<10 {
			t.Errorf("memory %v: the files take %d bytes, want about half to all of %d", memory, size, o.MaxBytes)
		}
	}
}

// TestManyAtOnceTakeNoMoreRoom lets so much wait before anything is written that
// one piece would be larger than a file may be.
func TestManyAtOnceTakeNoMoreRoom(t *testing.T) {
	for _, memory := range []bool{false, true} {
		o := options(t.TempDir(), memory)
		r := blackbox.Open[line](o)
		const many = 900 // 180 kB into 64 KiB
		for i := range many {
			r.Add(line{i, strings.Repeat("x", 180)})
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Run(ctx); err != nil {
			t.Fatalf("run: %v", err)
		}
		kept, again := all(t, r), all(t, blackbox.Open[line](o))
		if fmt.Sprint(kept) != fmt.Sprint(again) {
			t.Errorf("memory %v: kept are %d values, in the files %d, want the same", memory, len(kept), len(again))
		}
		if last := again[len(again)-1]; last != many-1 || len(again) < 32<<10/220 {
			t.Errorf("memory %v: %d values are kept up to %d, want about half of the room or more, up to %d", memory, len(again), last, many-1)
		}
		if size := taken(t, o.Dir); size > o.MaxBytes {
			t.Errorf("memory %v: the files take %d bytes, want %d at most", memory, size, o.MaxBytes)
		}
	}
}

func taken(t *testing.T, dir string) (size int64) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	return size
}

func TestATornLineIsLeftOut(t *testing.T) {
	o := options(t.TempDir(), true)
	torn := `{"n":1,"text":"uno"}` + "\n" + `{"n":2,"te`
	if err := os.WriteFile(filepath.Join(o.Dir, "actos.jsonl"), []byte(torn), 0o600); err != nil {
		t.Fatal(err)
	}
	session(t, o, func(r *blackbox.Ring[line]) { r.Add(line{3, "tres"}) })
	r := session(t, o, func(*blackbox.Ring[line]) {})
	if got := fmt.Sprint(all(t, r)); got != "[1 3]" {
		t.Errorf("with a torn line the ring holds %s, want [1 3]", got)
	}
}

func TestADiskThatRefusesLosesOnlyTheRecord(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "d"), true)
	r := session(t, o, func(r *blackbox.Ring[line]) {
		if err := os.WriteFile(o.Dir, nil, 0o600); err != nil { // a file where the folder should be
			t.Fatal(err)
		}
		r.Add(line{1, "uno"})
	})
	if r.Lost() != 1 || len(all(t, r)) != 1 {
		t.Errorf("lost %d, in memory %v; want 1 lost and still readable", r.Lost(), all(t, r))
	}
}
