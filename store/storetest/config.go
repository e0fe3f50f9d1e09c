// Package storetest says what a store is: a suite that every implementation
// must pass, an implementation in memory that is simple enough to be believed,
// and a toy trade to run both with.
package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"envivo/plant"
)

// Store is what the rest of the program needs of a store.
type Store interface {
	Do(context.Context, plant.Command) (plant.Receipt, error)
	DoAll(context.Context, []plant.Command) []plant.Result
	Snapshot() *plant.Snapshot
	Tail(ctx context.Context, after plant.Seq) iter.Seq2[[]plant.Event, error]
	Events(ctx context.Context, after plant.Seq, limit int) ([]plant.Event, error)
	History(ctx context.Context, tag plant.Tag, before plant.Seq, limit int) ([]plant.Event, error)
	Pending(limit int) ([]plant.Event, error)
	Ack(context.Context, ...plant.Seq) error
	Park(ctx context.Context, seq plant.Seq, why string) error
	Unpark(ctx context.Context, seq plant.Seq) error
	Close() error
}

// Config is what a store is opened with.
type Config struct {
	Decide  func(plant.View, plant.Command, time.Time) (plant.Event, error)
	Evolve  func(plant.Spool, plant.Event) plant.Spool
	Rules   plant.Rules
	Now     func() time.Time
	NewUUID func() string
	// Queue is how many callers may wait.
	Queue int
}

// Clock is a time that only moves when told to.
type Clock struct{ at atomic.Int64 }

// NewClock is a clock that shows a working morning.
func NewClock() *Clock {
	c := new(Clock)
	c.at.Store(time.Date(2026, 11, 24, 12, 0, 0, 123456789, time.UTC).UnixNano())
	return c
}

// Now is what the clock shows.
func (c *Clock) Now() time.Time { return time.Unix(0, c.at.Load()) }

// Add moves the clock, backwards too.
func (c *Clock) Add(d time.Duration) { c.at.Add(int64(d)) }

// UUIDs gives distinct ids of the form of a UUID4, the same ones every time.
func UUIDs() func() string {
	var n atomic.Uint64
	return func() string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", n.Add(1)) }
}

// ToyConfig runs the toy on a clock.
func ToyConfig(t Toy, c *Clock) Config {
	return Config{Decide: t.Decide, Evolve: t.Evolve, Rules: plant.DefaultRules(), Now: c.Now, NewUUID: UUIDs()}
}

func digest(parts ...any) [32]byte { return sha256.Sum256([]byte(fmt.Sprint(parts...))) }
