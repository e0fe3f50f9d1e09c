package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"envivo/fsm"
	"envivo/plant"
	"envivo/store"
)

// tell lets a diary be the overseer.
func (d *diary) tell(state ...string) { d.note(state[0]) }

// watchedStore is a real store whose rules wait at TOMAR until they are let go,
// as a writer does whose disk hangs.
func watchedStore(t *testing.T) (st *store.Bolt, letGo chan struct{}) {
	t.Helper()
	letGo = make(chan struct{})
	rules, o := engine(plant.DefaultRules(), time.Now, slog.New(slog.DiscardHandler))
	o.Env = "prueba"
	o.Decide = func(v plant.View, c plant.Command, now time.Time) (plant.Event, error) {
		if c.Verb == plant.Tomar {
			<-letGo
		}
		return rules.Decide(v, c, now)
	}
	o.Evolve = fsm.Evolve
	st, err := store.Open(filepath.Join(t.TempDir(), store.FileName), o)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	return st, letGo
}

func TestAStalledWriterStopsThePings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, letGo := watchedStore(t)
		var told diary
		var gaveUp atomic.Int64
		w := &watchdog{within: time.Minute, by: &told, log: slog.New(slog.DiscardHandler), writer: st.Pulse,
			seq: func() plant.Seq { return 0 }, seen: func() plant.Seq { return 0 }, text: func() string { return "" },
			giveUp: func() { gaveUp.Add(1) }}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.run(ctx) }()
		after := func(d time.Duration) int {
			before := len(told.read())
			<-time.After(d) // the bubble's clock
			return len(told.read()) - before
		}
		if n := after(10 * time.Minute); n < 20 || gaveUp.Load() > 0 {
			t.Errorf("in ten good minutes the overseer heard %d times and was given up %d times, want at least every 30 s and never", n, gaveUp.Load())
		}
		stalled := make(chan error, 1)
		go func() {
			_, err := st.Do(context.Background(), plant.Command{Verb: plant.Tomar, Tag: "S-1", Op: plant.ARM, Worker: 12})
			stalled <- err
		}()
		synctest.Wait()
		if n := after(10 * time.Minute); n > 0 || gaveUp.Load() == 0 {
			t.Errorf("with the writer stalled the overseer heard %d times in ten minutes and was given up %d times, want silence and an end", n, gaveUp.Load())
		}
		close(letGo)
		<-stalled
		if n := after(10 * time.Minute); n < 20 {
			t.Errorf("once the writer goes on the overseer heard %d times in ten minutes, want at least 20", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the watchdog ended with %v", err)
		}
		if err := st.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := st.Pulse(t.Context()); err == nil {
			t.Error("a closed store says that its writer is alive")
		}
	})
}

func TestAHubThatFallsBehindStopsThePings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told diary
		var seq atomic.Uint64 // the hub never gets past 5
		seq.Store(5)
		w := &watchdog{within: time.Minute, by: &told, log: slog.New(slog.DiscardHandler), writer: func(context.Context) error { return nil },
			seq: func() plant.Seq { return plant.Seq(seq.Load()) }, seen: func() plant.Seq { return 5 }, text: func() string { return "" }}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.run(ctx) }()
		<-time.After(time.Minute)
		good := len(told.read())
		seq.Store(6)
		<-time.After(10 * time.Minute)
		if n := len(told.read()) - good; good < 3 || n > 2 {
			t.Errorf("%d pings before, %d after the hub stood still, want the second to end within two rounds", good, n)
		}
		cancel()
		<-done
	})
}

func TestSystemdIsToldOverItsSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "n") // the address of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	vars := map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"}
	look := func(k string) (string, bool) { v, ok := vars[k]; return v, ok }
	by, within := systemd(look, 7, slog.New(slog.DiscardHandler))
	if within != 3*time.Second {
		t.Errorf("the watchdog waits %v, want 3s", within)
	}
	by.tell(stateReady, stateText+"hola")
	buf := make([]byte, 200)
	n, err := l.Read(buf)
	if got := string(buf[:n]); err != nil || got != "READY=1\nSTATUS=hola" {
		t.Errorf("the socket got %q, %v", got, err)
	}
	if _, within := systemd(look, 8, slog.New(slog.DiscardHandler)); within != 0 {
		t.Error("another process's watchdog is answered")
	}
	delete(vars, "NOTIFY_SOCKET")
	if by, within := systemd(look, 7, slog.New(slog.DiscardHandler)); by != (unwatched{}) || within != 0 {
		t.Error("somebody watches although there is no socket")
	}
}

func TestUnitKeepsSecretsAndStrangeNamesApart(t *testing.T) {
	u := unit{name: "planta-2", user: "envivo", program: "/opt/en vivo/envivo", settings: []choice{
		{name: "data", value: "/srv/50% $HOME", folder: true}, {name: "access", value: "open"},
		{name: "sheet-credentials", value: "/etc/envivo/key.json", file: true}, {name: "log-file", value: "/var/log/envivo/a.log", file: true}}}
	lines := strings.Split(u.systemdUnit(), "\n")
	for _, want := range []string{
		`ExecStart="/opt/en vivo/envivo" serve "--data=/srv/50%% $$HOME" --access=open --sheet-credentials=%d/sheet-key --log-file=/var/log/envivo/a.log`,
		"LoadCredential=sheet-key:/etc/envivo/key.json", `ReadWritePaths="/srv/50%% $HOME"`, "ReadWritePaths=-/var/log/envivo",
		"Type=notify", "WatchdogSec=60", "Restart=always", "RestartPreventExitStatus=78", "ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet=",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("the unit lacks the line %s", want)
		}
	}
	if got := u.printed("windows"); !strings.Contains(got, `NT SERVICE\planta-2`) && !strings.Contains(got, "envivo") {
		t.Errorf("for Windows: %s", got)
	}
}

func TestLogFileTurnsAndKeepsSoMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logs", "envivo.log")
	l, err := openLogFile(path, 1000, 2)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("x", 99) + "\n"
	for range 45 {
		if _, err := l.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{"": 500, ".1": 1000, ".2": 1000} {
		if info, err := os.Stat(path + name); err != nil || info.Size() != want {
			t.Errorf("envivo.log%s: %v, want %d bytes", name, err, want)
		}
	}
	if _, err := os.Stat(path + ".3"); err == nil {
		t.Error("a third old file is kept")
	}
	if l, err = openLogFile(path, 1000, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Write([]byte(line)); err != nil || l.size != 600 {
		t.Errorf("after a restart the file has %d bytes, %v; want it continued", l.size, err)
	}
	_ = l.Close()
}
