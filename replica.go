package main

import (
	"context"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"envivo/api"
	"envivo/plant"
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
	// retire ends this box as the plant's server.
	retire func(by string) error

	mu   sync.Mutex
	seen map[string]confirmed
}

// confirmed is how far a standby was when it last asked.
type confirmed struct {
	Name string
	Seq  plant.Seq
	At   time.Time
}

func newReplica(st *store.Bolt, dir string, now func() time.Time) *replica {
	leaving := make(chan struct{})
	return &replica{store: st, dir: dir, now: now, leaving: leaving, leaveNow: sync.OnceFunc(func() { close(leaving) }), seen: map[string]confirmed{}}
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

func (r *replica) Confirmed(name string, seq plant.Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[name] = confirmed{name, seq, r.now()}
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
