package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestServiceManagerIsTold: the built binary tells systemd's socket when it is
// ready, that it is alive, again and again, and when it stops, in this order.
func TestServiceManagerIsTold(t *testing.T) {
	dir, err := os.MkdirTemp("", "n") // the address of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	address := net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"}
	l, err := net.ListenUnixgram("unixgram", &address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", address.Name)
	t.Setenv("WATCHDOG_USEC", "600000")
	s := serve(t, newPlant(t, 3, 0))

	heard := func() string {
		t.Helper()
		if err := l.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		n, err := l.Read(buf)
		if err != nil {
			t.Fatalf("the service manager hears nothing: %v", err)
		}
		return string(buf[:n])
	}
	until := func(state string) {
		t.Helper()
		for range 50 {
			if strings.HasPrefix(heard(), state+"\n") {
				return
			}
		}
		t.Fatalf("the service manager is never told %s", state)
	}
	until("READY=1")
	for range 3 {
		if got := heard(); !strings.HasPrefix(got, "WATCHDOG=1\nSTATUS="+s.url) {
			t.Errorf("the service manager is told %q, want a ping and the address", got)
		}
	}
	s.stop()
	until("STOPPING=1")

	// What systemd must not start again has a code of its own: a server that it
	// ends because it hangs, and one that panics, exit with Go's 2.
	nonsense := exec.Command(binary, "serve", "--nonsense")
	if err := nonsense.Run(); nonsense.ProcessState.ExitCode() != 78 {
		t.Errorf("wrong settings exit %d, %v; want 78", nonsense.ProcessState.ExitCode(), err)
	}
	s = serve(t, newPlant(t, 3, 0))
	_ = s.cmd.Process.Signal(syscall.SIGABRT) // as the watchdog of systemd
	<-s.done
	s.done <- nil
	unit := envivo(t, "service", "install", "--print", "--data", s.data)
	if code := s.cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(unit, "RestartPreventExitStatus=78\n") {
		t.Errorf("a server that hung exits %d; systemd would not start it again:\n%s", code, unit)
	}
}

// TestACopyThatWasBeingSentIsSweptUp: a process that died while it sent a backup or a
// copy for a standby left one as large as the store, for ever.
func TestACopyThatWasBeingSentIsSweptUp(t *testing.T) {
	data := newPlant(t, 3, 0)
	left := filepath.Join(data, ".envivo-send-1")
	if err := os.Mkdir(left, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, left, "plant.db", "half a copy")
	serve(t, data)
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("after a start, what was being sent: %v, want it gone", err)
	}
	// What cannot be removed, here because no pattern finds it, stops no server.
	odd := filepath.Join(t.TempDir(), "plan[ta")
	if err := os.Rename(newPlant(t, 3, 0), odd); err != nil {
		t.Fatal(err)
	}
	if r := serve(t, odd).get("/readyz"); r.Status != 200 {
		t.Errorf("/readyz = %d %s", r.Status, r.Raw)
	}
}
