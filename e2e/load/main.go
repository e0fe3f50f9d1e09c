// Command load measures what envivo promises about speed, on the built binary
// over real sockets, next to what the disk and a bare hub can do in the same
// run. It is a measuring tool, not a test: it never fails for being slow.
//
//	go run ./e2e/load -envivo ./envivo -dir /some/disk -out docs/bench/latest.md
//
// Closed loop: each client sends its next command when the last is answered.
// Open loop: commands are sent on a fixed schedule and latency counts from the
// scheduled instant, so that a stall of the server cannot hide behind clients
// that wait politely (coordinated omission).
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// settings are the program's flags.
type settings struct {
	binary   string
	dir      string
	out      string
	duration time.Duration
	clients  string
	only     string
	sockets  int
	rate     int
	big      int
}

func main() {
	var s settings
	flag.StringVar(&s.binary, "envivo", "", "path of the built binary (required)")
	flag.StringVar(&s.dir, "dir", "", "folder on the disk to measure; default: a temporary one")
	flag.StringVar(&s.out, "out", "", "write the report to this file as well")
	flag.DurationVar(&s.duration, "duration", 10*time.Second, "length of each measurement")
	flag.StringVar(&s.clients, "clients", "1,50,500", "client counts of the closed loop")
	flag.StringVar(&s.only, "only", "", "comma list of: bare,closed,open,fanout,start,page (default all)")
	flag.IntVar(&s.sockets, "sockets", 1000, "WebSocket clients of the fan-out")
	flag.IntVar(&s.rate, "rate", 50, "commands per second of the fan-out")
	flag.IntVar(&s.big, "big", 250_000, "spools of the large start")
	flag.Parse()
	if s.binary == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "envivo-load-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		s.dir = dir
	}
	binary, err := filepath.Abs(s.binary)
	if err != nil {
		return err
	}
	s.binary = binary
	r := &report{}
	r.header(s)
	for _, part := range []struct {
		name string
		do   func(context.Context, settings, *report) error
	}{{"closed", closedLoop}, {"open", openLoop}, {"fanout", fanOut}, {"page", pageSize}, {"start", startTime}} {
		if s.only != "" && !strings.Contains(","+s.only+",", ","+part.name+",") {
			continue
		}
		if err := part.do(ctx, s, r); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if s.out != "" {
		return os.WriteFile(s.out, r.buf.Bytes(), 0o644)
	}
	return nil
}

// report prints to standard output and keeps a copy.
type report struct{ buf bytes.Buffer }

func (r *report) printf(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	fmt.Print(line)
	r.buf.WriteString(line)
}

func (r *report) header(s settings) {
	r.printf("# Measured figures\n\n")
	r.printf("- Taken: %s, Go %s, %s/%s, %d cores\n", time.Now().UTC().Format("2006-01-02 15:04 UTC"), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	r.printf("- CPU: %s\n", cpuName())
	if k, err := exec.Command("uname", "-sr").Output(); err == nil {
		r.printf("- Kernel: %s\n", strings.TrimSpace(string(k)))
	}
	p50, p99, err := flushCost(s.dir)
	if err != nil {
		r.printf("- Flush cost: not measured (%v)\n", err)
	} else {
		r.printf("- Disk: %s; one fsync of an overwritten 4 KiB page: p50 %.2f ms, p99 %.2f ms\n", fsName(s.dir), p50, p99)
	}
	r.printf("- Clients, server and baseline share the machine.\n\n")
}
