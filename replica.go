package main

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"envivo/api"
	"envivo/plant"
	"envivo/standby"
	"envivo/store"
)

// replica is a primary's side of its standbys.
type replica struct {
	store *store.Bolt
	dir   string
	now   func() time.Time
	// leaving ends the waiting of standbys when the server stops.
	leaving  chan struct{}
	leaveNow func()
	// retire ends this box as the plant's server; promoted is what it was before,
	// nil for nothing else, and outside where it answers.
	retire   func(by string) error
	promoted *promotedNote
	outside  string

	log   *slog.Logger
	mu    sync.Mutex // guards the rest
	seen  map[string]confirmed
	known map[string]knownStandby
}

// confirmed is how far a standby was when it last asked.
type confirmed struct {
	Name string
	Seq  plant.Seq
	At   time.Time
}

func (f *floor) newReplica() *replica {
	leaving := make(chan struct{})
	return &replica{store: f.store, dir: f.cfg.Data, now: f.now, log: f.log, leaving: leaving, leaveNow: sync.OnceFunc(func() { close(leaving) }),
		retire: f.retire, promoted: f.role.promoted, outside: f.outside(), seen: map[string]confirmed{}, known: maps.Clone(f.role.standbys)}
}

// offers is what the API gives standbys; a standby itself offers nothing.
func (f *floor) offers() api.Replica {
	if f.replica == nil {
		return nil
	}
	return f.replica
}

func (r *replica) Ship(ctx context.Context, begin func(int64), w http.ResponseWriter) error {
	dir, err := os.MkdirTemp(r.dir, sendPattern)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return r.store.Ship(ctx, dir, begin, w)
}

const (
	shipRecords = 2000
	shipBytes   = 4 << 20
)

// Records waits for news until ctx ends or the server stops.
func (r *replica) Records(ctx context.Context, after plant.Seq) ([][]byte, error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-r.leaving:
			cancel()
		case <-waiting.Done():
		}
	}()
	for range r.store.Tail(waiting, after) {
		break
	}
	return r.store.Records(ctx, after, shipRecords, shipBytes)
}

func (r *replica) Link(seq plant.Seq) ([32]byte, error) { return r.store.Link(seq) }

// Confirmed is part of api.Replica. Where a standby answers is written down once
// a day and when it changes: after a restart it is asked there.
func (r *replica) Confirmed(name, address string, seq plant.Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	r.seen[name] = confirmed{name, seq, now}
	was := r.known[name]
	if address == "" || seq == 0 || was.Address == address && now.Sub(was.At).Abs() < 24*time.Hour {
		return
	}
	r.known[name] = knownStandby{Address: address, Seq: seq, At: now}
	if err := writeNote(r.dir, noteStandbys, r.known); err != nil {
		r.log.Warn("note where the standby answers", "standby", name, "err", err)
		delete(r.known, name) // again at its next request
	}
}

// Succeeds is part of api.Replica.
func (r *replica) Succeeds(epoch string, at plant.Seq, nonce string) (address, proof string, ok bool) {
	if r.promoted == nil || r.promoted.Epoch != epoch || at == 0 {
		return "", "", false
	}
	link, err := r.store.Link(at)
	if err != nil {
		return "", "", false
	}
	return r.outside, standby.ProofOf(link, epoch, nonce, r.outside), true
}

// Retire is part of api.Replica.
func (r *replica) Retire(by string) error { return r.retire(by) }

// all are the standbys seen since the start, by name.
func (r *replica) all() []confirmed {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]confirmed, 0, len(r.seen))
	for _, c := range r.seen {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b confirmed) int { return a.At.Compare(b.At) })
	return out
}
