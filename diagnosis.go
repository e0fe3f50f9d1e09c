package main

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"

	"envivo/api"
	"envivo/plant"
	"envivo/store"
)

// logTail keeps the end of the log in memory, for the diagnosis: where the log
// goes to the journal the box cannot read it back. Guarded by mu.
type logTail struct {
	to io.Writer

	mu  sync.Mutex
	end []byte
}

// logTailBytes is how much of the log is kept at least.
const logTailBytes = 256 << 10

// Write passes a line on and keeps it.
func (l *logTail) Write(p []byte) (int, error) {
	l.mu.Lock()
	if len(l.end)+len(p) > 2*logTailBytes {
		l.end = append([]byte(nil), l.end[max(0, len(l.end)-logTailBytes):]...)
	}
	l.end = append(l.end, p...)
	l.mu.Unlock()
	return l.to.Write(p)
}

func (l *logTail) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.end)
}

// diagnosisEvents is how many of the newest events go along.
const diagnosisEvents = 2000

// diagnosis writes everything that explains a fault into one zip: no secret is
// in it, the log and the record never contain any.
func (f *floor) diagnosis(ctx context.Context, w io.Writer) error {
	z := zip.NewWriter(w)
	part := func(name string, write func(io.Writer) error) error {
		e, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: f.now()})
		if err != nil {
			return err
		}
		if err := write(e); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	for _, x := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"version.txt", func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "envivo %s %s\nschema %d\n%s %s/%s\nnow %s\n", release, build(), store.Schema, runtime.Version(), runtime.GOOS, runtime.GOARCH, f.now().Format(time.RFC3339))
			return err
		}},
		{"equipo.json", f.api.WriteBox},
		{"config.txt", func(w io.Writer) error {
			for _, fact := range f.cfg.facts() {
				fmt.Fprintf(w, "%s: %s\n", fact.Name, fact.Value)
			}
			return nil
		}},
		{"health.txt", func(w io.Writer) error {
			for _, l := range f.api.HealthLines() {
				fmt.Fprintf(w, "%-4s %s: %s\n", l.Level, l.Name, l.Text)
			}
			return nil
		}},
		{"metrics.txt", func(w io.Writer) error { f.api.WriteMetrics(w); return nil }},
		{"log.txt", func(w io.Writer) error { _, err := w.Write(f.tail.bytes()); return err }},
		{"rechazos.jsonl", f.record.refusals.Copy},
		{"actos.jsonl", f.record.acts.Copy},
		{"eventos.jsonl", func(w io.Writer) error { return f.lastEvents(ctx, w) }},
	} {
		if err := part(x.name, x.write); err != nil {
			return err
		}
	}
	return z.Close()
}

func (f *floor) lastEvents(ctx context.Context, w io.Writer) error {
	seq := f.store.Snapshot().Seq
	events, err := f.store.Events(ctx, seq-min(seq, plant.Seq(diagnosisEvents)), diagnosisEvents)
	if err != nil {
		return err
	}
	for _, e := range events {
		if _, err := w.Write(append(api.EncodeEvent(e), '\n')); err != nil {
			return err
		}
	}
	return nil
}

// attempts is api.Options.Attempts: the newest that match, newest first.
func (r *record) attempts(match func(api.Attempt) bool, limit int) ([]api.Attempt, error) {
	var out []api.Attempt
	keep := func(a api.Attempt) bool {
		if match(a) {
			out = append(out, a)
		}
		return true
	}
	if err := r.refusals.All(keep); err != nil {
		return nil, err
	}
	if err := r.acts.All(keep); err != nil {
		return nil, err
	}
	slices.SortStableFunc(out, func(a, b api.Attempt) int { return b.At.Compare(a.At) })
	return out[:min(limit, len(out))], nil
}
