package mirror

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// pace spends the calls that are allowed per minute. A bucket spreads them, so
// that news never waits for the rest of a minute that was used up at its start;
// the calls of the last minute are counted besides, so that no minute, wherever
// it begins, sees more than the allowance. The first minute is no exception.
type pace struct {
	tokens float64
	at     time.Time
	calls  []time.Time // of the last minute, oldest first
}

// Ceilings of calls per minute. Google allows 60 reads and 60 writes to one
// account; half an hour of catching up must leave room for the office's own tools.
const (
	catchUp = 50
	// bucket is how many calls may follow each other at once: one cycle.
	bucket = 3
	// window is a minute as Google may see it: calls are counted here when they
	// leave, there when they arrive.
	window = time.Minute + time.Second
)

// fill brings the bucket up to date for an allowance per minute.
func (p *pace) fill(now time.Time, perMinute int) {
	size := bucketFor(perMinute)
	if p.at.IsZero() {
		p.tokens, p.at = size, now
	}
	if d := now.Sub(p.at); d > 0 {
		p.tokens += d.Minutes() * refill(perMinute)
		p.at = now
	}
	p.tokens = min(p.tokens, size)
	for len(p.calls) > 0 && now.Sub(p.calls[0]) >= window {
		p.calls = p.calls[1:]
	}
}

// bucketFor is the size of the bucket of an allowance.
func bucketFor(perMinute int) float64 {
	return max(1, float64(min(bucket, perMinute)), float64(perMinute)/6)
}

// refill is how many tokens come back per minute: some of the allowance is kept
// for calls that nobody could foresee.
func refill(perMinute int) float64 { return max(0.85*float64(perMinute), 1) }

// ceiling is how many calls of ours a minute may see: one of the allowance is left
// to the library, which repeats a reading by itself when a connection breaks.
func ceiling(perMinute int) int { return max(1, perMinute-1) }

// left is how many calls may be made at once.
func (p *pace) left(perMinute int) int {
	return max(0, min(int(p.tokens+1e-9), ceiling(perMinute)-len(p.calls)))
}

// repeated counts calls that the library made by itself, once they are known.
func (p *pace) repeated(now time.Time, made int) {
	for len(p.calls) < made {
		p.tokens--
		p.calls = append(p.calls, now)
	}
}

// spend takes one call and reports whether it may be made. Calls that could not
// be foreseen may bring the bucket below zero, but not above the allowance.
func (p *pace) spend(now time.Time, perMinute int) bool {
	p.fill(now, perMinute)
	if len(p.calls) >= ceiling(perMinute) {
		return false
	}
	p.tokens--
	p.calls = append(p.calls, now)
	return true
}

// until is how long it takes until n calls may be made. What failed is repeated
// without waiting for the bucket.
func (p *pace) until(now time.Time, n, perMinute int, again bool) time.Duration {
	var wait time.Duration
	if lack := float64(n) - p.tokens; lack > 0 && !again {
		wait = time.Duration(math.Ceil(lack / refill(perMinute) * float64(time.Minute)))
	}
	if most := ceiling(perMinute); len(p.calls)+min(n, most) > most {
		over := len(p.calls) + min(n, most) - most
		wait = max(wait, p.calls[over-1].Add(window).Sub(now))
	}
	return wait
}

// errPaced ends an exchange that would exceed the allowance. It is no failure.
var errPaced = errors.New("mirror: the calls of this minute are used up")

// paced is the spreadsheet behind the pace. It belongs to the goroutine of Run.
type paced struct {
	Sheet
	may func() bool
}

func (p paced) Layout(ctx context.Context) (google.Layout, error) {
	if !p.may() {
		return google.Layout{}, errPaced
	}
	return p.Sheet.Layout(ctx)
}

func (p paced) Read(ctx context.Context, ranges ...string) ([][][]table.Cell, error) {
	if !p.may() {
		return nil, errPaced
	}
	return p.Sheet.Read(ctx, ranges...)
}

func (p paced) Formulas(ctx context.Context, ranges ...string) ([][][]table.Cell, error) {
	if !p.may() {
		return nil, errPaced
	}
	return p.Sheet.Formulas(ctx, ranges...)
}

func (p paced) Shown(ctx context.Context, ranges ...string) ([][][]table.Cell, error) {
	if !p.may() {
		return nil, errPaced
	}
	return p.Sheet.Shown(ctx, ranges...)
}

func (p paced) Write(ctx context.Context, blocks ...google.Block) error {
	if !p.may() {
		return errPaced
	}
	return p.Sheet.Write(ctx, blocks...)
}

func (p paced) Grow(ctx context.Context, t google.Tab, rows, cols int) error {
	if !p.may() {
		return errPaced
	}
	return p.Sheet.Grow(ctx, t, rows, cols)
}

func (p paced) Format(ctx context.Context, formats ...google.Format) error {
	if !p.may() {
		return errPaced
	}
	return p.Sheet.Format(ctx, formats...)
}

const (
	backoffFirst = 100 * time.Millisecond
	backoffMost  = 10 * time.Second
	// stoppedFor is how often a sync that needs a person looks whether it has
	// been helped.
	stoppedFor = time.Minute
)

// backoff is the pause after n failures in a row: doubled each time, truncated,
// 25 % more or less so that several boxes do not come back together.
func backoff(n int, r *rand.Rand) time.Duration {
	d := backoffMost
	if n < 8 {
		d = min(backoffMost, backoffFirst<<max(0, n-1))
	}
	return time.Duration(float64(d) * (0.75 + 0.5*r.Float64()))
}
