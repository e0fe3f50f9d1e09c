package mirror

import (
	"math/rand/v2"
	"time"
)

// pace spends the calls that are allowed per minute: a bucket that is so small
// that no minute, wherever it begins, sees more than the allowance. The first
// minute is no exception.
type pace struct {
	tokens float64
	at     time.Time
}

// Ceilings of calls per minute. Google allows 60 reads and 60 writes to one
// account; half an hour of catching up must leave room for the office's own tools.
const (
	catchUp = 50
	// bucket is how many calls may follow each other at once: one cycle.
	bucket = 3
)

// fill brings the bucket up to date for an allowance per minute.
func (p *pace) fill(now time.Time, perMinute int) {
	size := bucketFor(perMinute)
	if p.at.IsZero() {
		p.tokens, p.at = size, now
	}
	if d := now.Sub(p.at); d > 0 {
		p.tokens += d.Minutes() * refill(perMinute, size)
		p.at = now
	}
	p.tokens = min(p.tokens, size)
}

// bucketFor is the size of the bucket of an allowance.
func bucketFor(perMinute int) float64 {
	return max(1, float64(min(bucket, perMinute)), float64(perMinute)/6)
}

// refill is how many tokens come back per minute, so that a full bucket and a
// minute's refill together are the allowance.
func refill(perMinute int, size float64) float64 { return max(float64(perMinute)-size, 1) }

// left is how many calls may be made at once.
func (p *pace) left() int { return int(p.tokens + 1e-9) }

// spend takes n; calls that could not be foreseen may bring it below zero.
func (p *pace) spend(n int) { p.tokens -= float64(n) }

// until is how long it takes until n calls may be made.
func (p *pace) until(n, perMinute int) time.Duration {
	lack := float64(n) - p.tokens
	if lack <= 0 {
		return 0
	}
	return time.Duration(lack / refill(perMinute, bucketFor(perMinute)) * float64(time.Minute))
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
