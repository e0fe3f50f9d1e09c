package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"envivo/plant"
)

// overseer is whoever started the server and wants to know how it does: systemd
// or the service manager of Windows. tell never fails the server.
type overseer interface {
	tell(state ...string)
}

// The states of the notification protocol of systemd (sd_notify).
const (
	stateReady    = "READY=1"
	stateAlive    = "WATCHDOG=1"
	stateStopping = "STOPPING=1"
	stateText     = "STATUS="
)

// unwatched is a server that nobody asked about.
type unwatched struct{}

func (unwatched) tell(...string) {}

// notifySocket speaks the notification protocol of systemd: one datagram with
// the states, one a line.
type notifySocket struct {
	address net.UnixAddr
	log     *slog.Logger
}

// systemd finds the socket that a service manager left for us, and how often it
// wants to hear that we are alive; 0 is never.
func systemd(look func(string) (string, bool), pid int, log *slog.Logger) (overseer, time.Duration) {
	path, ok := look("NOTIFY_SOCKET")
	if !ok || path == "" {
		return unwatched{}, 0
	}
	n := notifySocket{address: net.UnixAddr{Name: path, Net: "unixgram"}, log: log}
	if whose, ok := look("WATCHDOG_PID"); ok && whose != strconv.Itoa(pid) {
		return n, 0
	}
	text, _ := look("WATCHDOG_USEC")
	micros, err := strconv.ParseInt(text, 10, 64)
	if err != nil || micros <= 0 {
		return n, 0
	}
	return n, time.Duration(micros) * time.Microsecond
}

func (n notifySocket) tell(state ...string) {
	c, err := net.DialUnix("unixgram", nil, &n.address)
	if err != nil {
		n.log.Warn("the service manager cannot be told", "err", err)
		return
	}
	defer c.Close()
	if _, err := c.Write([]byte(strings.Join(state, "\n"))); err != nil {
		n.log.Warn("the service manager cannot be told", "err", err)
	}
}

// watchdog tells the overseer again and again that the server is alive, for as
// long as that is proved: the store's writer takes a request through its queue,
// and the hub has dealt with every event of the round before.
type watchdog struct {
	// within is how soon the overseer gives us up; a round is a third of it.
	within time.Duration
	by     overseer
	log    *slog.Logger
	// writer returns once the store's writer has answered, or ctx ends.
	writer func(context.Context) error
	// seq is the store's newest event, seen the hub's.
	seq, seen func() plant.Seq
	// text is a line for people.
	text func() string
	// giveUp ends the process when nothing was proved for within; nil where the
	// overseer does that.
	giveUp func()
}

// run ends with ctx. With nobody watching it does nothing.
func (w *watchdog) run(ctx context.Context) error {
	if w.within == 0 {
		return nil
	}
	every := w.within / 3
	due, missed := plant.Seq(0), 0 // no round was before: the hub may still be starting
	for {
		next := w.seq()
		if err := w.prove(ctx, every, due); err == nil {
			missed = 0
			w.by.tell(stateAlive, stateText+w.text())
		} else if ctx.Err() == nil {
			missed++
			w.log.Error("the watchdog is not told that all is well", "err", err, "missed", missed)
		}
		due = next
		if missed >= 3 && w.giveUp != nil {
			w.giveUp()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

func (w *watchdog) prove(ctx context.Context, within time.Duration, due plant.Seq) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := w.writer(ctx); err != nil {
		return err
	}
	if seen := w.seen(); seen < due {
		return fmt.Errorf("the hub stands at event %d of %d", seen, due)
	}
	return nil
}

// watchdog is the plant's own.
func (f *floor) watchdog() *watchdog {
	return &watchdog{within: f.watched, by: f.overseer, log: f.log, writer: f.store.Pulse,
		seq:  func() plant.Seq { return f.store.Snapshot().Seq },
		seen: func() plant.Seq { return f.hub.Stats().Seen },
		text: f.statusLine, giveUp: f.program.giveUp}
}

// statusLine is what `systemctl status` shows.
func (f *floor) statusLine() string {
	s := f.hub.Stats()
	text := fmt.Sprintf("%s, event %d, %d sockets", f.url(), f.store.Snapshot().Seq, s.Events+s.ViewSockets+s.SSE)
	if err := f.ready(); err != nil {
		text += "; NOT READY: " + err.Error()
	}
	return text
}
