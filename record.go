package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"envivo/api"
	"envivo/blackbox"
)

const (
	// recordFolder holds what explains a fault, beside the store.
	recordFolder = "diagnostico"
	// refusalBytes keep at least 20,000 refusals: a month of a plant in which
	// everybody is refused a dozen times a day. actBytes hold everything else.
	refusalBytes, actBytes = 10 << 20, 10 << 20
	// One device may put so many lines a minute on record, and save up so many:
	// a program gone mad, or a stranger, does not push out what others did.
	linesPerMinute, linesSaved = 120, 240
	// maxPaced bounds the devices that are remembered for that.
	maxPaced = 512
)

// record is the box's memory of what was tried on it: refusals and, apart so
// that many acts do not push out a month of refusals, everything else. pace is
// guarded by mu.
type record struct {
	refusals, acts *blackbox.Ring[api.Attempt]

	mu   sync.Mutex
	pace map[string]*pace
}

// pace is what one device may still put on record.
type pace struct {
	left float64
	at   time.Time
	// more were left out since the last line.
	more int
}

func openRecord(dir string, log *slog.Logger) *record {
	o := blackbox.Options{Dir: filepath.Join(dir, recordFolder), Name: "rechazos", MaxBytes: refusalBytes, Memory: true, Log: log}
	refusals := blackbox.Open[api.Attempt](o)
	o.Name, o.MaxBytes, o.Memory = "actos", actBytes, false
	return &record{refusals: refusals, acts: blackbox.Open[api.Attempt](o), pace: map[string]*pace{}}
}

// run writes until ctx ends.
func (r *record) run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- r.acts.Run(ctx) }()
	err := r.refusals.Run(ctx)
	if actErr := <-done; err == nil {
		err = actErr
	}
	return err
}

// add is api.Options.Attempted.
func (r *record) add(a api.Attempt) {
	more, ok := r.admit(a.Device, a.At)
	if !ok {
		return
	}
	a.More = more
	if a.Code != "" {
		r.refusals.Add(a)
		return
	}
	r.acts.Add(a)
}

// admit says whether a device may put one more line on record, and how many
// were left out before it.
func (r *record) admit(device string, now time.Time) (more int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pace[device]
	if p == nil {
		if len(r.pace) >= maxPaced {
			clear(r.pace)
		}
		p = &pace{left: linesSaved, at: now}
		r.pace[device] = p
	}
	if past := now.Sub(p.at); past > 0 {
		p.left = min(linesSaved, p.left+past.Minutes()*linesPerMinute)
	}
	p.at = now
	if p.left < 1 {
		p.more++
		return 0, false
	}
	p.left--
	more, p.more = p.more, 0
	return more, true
}

// since is api.Options.Refusals.
func (r *record) since(t time.Time) []api.Attempt {
	var out []api.Attempt
	_ = r.refusals.All(func(a api.Attempt) bool { // in memory: it cannot fail
		if !a.At.Before(t) {
			out = append(out, a)
		}
		return true
	})
	return out
}
