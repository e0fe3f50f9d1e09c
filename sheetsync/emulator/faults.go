package emulator

import (
	"context"
	"slices"
	"time"
)

// Action is what a fault does to a call.
type Action uint8

// The actions. Those that name no moment strike before anything was applied.
const (
	Nothing         Action = iota // only Before and After run
	Fail                          // an error answer with Code, 503 if none
	FailAfter                     // the same, although the call was applied
	ResetBefore                   // the connection breaks, nothing was applied
	ResetAfter                    // the connection breaks, the call was applied
	Hang                          // held until the client gives up or Release; released it goes on as usual
	HangAfter                     // applied, then held; released it is answered
	EmptyAnswer                   // 200 without any values, although there are some
	HalfAnswer                    // 200 with the first half of the rows
	CutAnswer                     // 200, and the connection breaks in the middle of the body
	PageAnswer                    // an HTML page with Code, 200 if none
	DenyAccess                    // 403, the file is not shared with the account
	HideFile                      // 404, there is no such file
	DisableService                // 403, the API is not enabled in the project
	ExceedQuota                   // 429
	RefuseSignature               // 400 invalid_grant; meant for Token
)

// Fault is one scripted fault. The first one that applies to a call is the one it
// meets. Mind that Go's HTTP client repeats a GET by itself when a reused
// connection breaks: a single reset of a read may go unseen.
type Fault struct {
	Name   string          // for the log
	When   func(Call) bool // nil: every call, tokens included
	Skip   int             // so many matching calls pass first
	Times  int             // then so many meet it; 0 = until removed
	Chance float64         // probability for each of them; 0 = certain
	Act    Action
	Code   int // of Fail, FailAfter and PageAnswer
	// Before runs before the call is applied, After when it was applied and not
	// yet answered; neither holds a lock, so both may edit the book.
	Before, After func(Call)
}

// injected is a fault in place, with its counters.
type injected struct {
	Fault
	seen, met int
}

// On matches calls of the given kinds.
func On(ops ...Op) func(Call) bool {
	return func(c Call) bool { return slices.Contains(ops, c.Op) }
}

// API matches every call but those for tokens.
func API(c Call) bool { return c.Op != Token }

// Writes matches every call that would change a book.
func Writes(c Call) bool { return c.Op.Kind() == Write }

// Inject adds a fault behind those that are there and returns what removes it.
func (e *Emulator) Inject(d Fault) (remove func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	added := &injected{Fault: d}
	e.faults = append(e.faults, added)
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.faults = slices.DeleteFunc(e.faults, func(x *injected) bool { return x == added })
	}
}

// Calm removes every fault, ends an outage, takes latency away and releases the
// calls that are held.
func (e *Emulator) Calm() {
	e.mu.Lock()
	e.faults, e.outage, e.slow = nil, false, [2]time.Duration{}
	e.mu.Unlock()
	e.Release()
}

// Outage breaks every connection before its call is read, as if the Internet were
// gone, until it is switched off.
func (e *Emulator) Outage(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.outage = on
}

// Latency delays every call by a random time between least and most.
func (e *Emulator) Latency(least, most time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.slow = [2]time.Duration{least, max(least, most)}
}

// Release lets go of the calls that are held.
func (e *Emulator) Release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.held)
	e.held = make(chan struct{})
}

// Holding is how many calls are held now.
func (e *Emulator) Holding() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.holding
}

// hold waits until Release, or fails when the client is gone.
func (e *Emulator) hold(ctx context.Context) error {
	e.mu.Lock()
	released := e.held
	e.holding++
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.holding--
		e.mu.Unlock()
	}()
	select {
	case <-released:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// strikes finds the fault that c meets; nil if none. Callers hold the lock.
func (e *Emulator) strikes(c Call) *Fault {
	for _, d := range e.faults {
		if d.When != nil && !d.When(c) || d.Times > 0 && d.met >= d.Times {
			continue
		}
		d.seen++
		if d.seen <= d.Skip || d.Chance > 0 && e.random.Float64() >= d.Chance {
			continue
		}
		d.met++
		return &d.Fault
	}
	return nil
}

// refusal is the error answer of a fault that strikes before the call; nil if it
// does something else.
func (d *Fault) refusal(c Call) error {
	switch d.Act {
	case Fail:
		return d.failure()
	case DenyAccess:
		return errDenied
	case HideFile:
		return errMissing
	case DisableService:
		return errDisabled
	case ExceedQuota:
		return quotaError(c.Op.Kind())
	case RefuseSignature:
		return grant("Invalid JWT Signature.")
	}
	return nil
}

func (d *Fault) failure() error {
	if d.Code == 0 {
		return errUnavailable
	}
	return statusError(d.Code)
}
