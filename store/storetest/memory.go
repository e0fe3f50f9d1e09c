package storetest

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"envivo/plant"
)

// ErrClosed is what a closed Memory answers.
var ErrClosed = errors.New("the store is closed")

// Memory is a store without a disk: one lock, one slice. It is the plain
// reading of what a store promises, for comparison.
type Memory struct {
	cfg Config

	mu       sync.Mutex
	snap     *plant.Snapshot
	log      []plant.Event
	receipts map[plant.CommandID]memReceipt
	done     map[plant.Seq]bool // acknowledged or parked
	wake     chan struct{}
	closed   bool
	lastAt   time.Time
}

type memReceipt struct {
	event  plant.Event
	digest [32]byte
}

var _ Store = (*Memory)(nil)

// NewMemory is an empty plant.
func NewMemory(c Config) *Memory {
	return &Memory{cfg: c, snap: plant.NewSnapshot(c.Rules, "memory"), receipts: map[plant.CommandID]memReceipt{}, done: map[plant.Seq]bool{}, wake: make(chan struct{})}
}

// Do carries out one command.
func (m *Memory) Do(ctx context.Context, c plant.Command) (plant.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil || m.closed {
		return plant.Receipt{}, &plant.Error{Code: plant.CodeBusy, Verb: c.Verb, Tag: c.Tag, Err: errors.Join(err, ErrClosed)}
	}
	if len(c.ID) > plant.MaxCommandID {
		return plant.Receipt{}, &plant.Error{Code: plant.CodeInvalid, Missing: "Idempotency-Key"}
	}
	if r, ok := m.receipts[c.ID.Whole()]; ok && c.ID.Whole() != "" && r.digest != c.Digest {
		return plant.Receipt{}, &plant.Error{Code: plant.CodeKeyReused}
	}
	if r, ok := m.receipts[c.ID]; ok && c.ID != "" {
		if r.digest != c.Digest {
			return plant.Receipt{}, &plant.Error{Code: plant.CodeKeyReused}
		}
		return plant.Receipt{Event: r.event, Repeated: true}, nil
	}
	own := c.ID == ""
	if c.UUID == "" {
		c.UUID = m.cfg.NewUUID()
	}
	if own {
		c.ID = plant.CommandID(c.UUID)
	}
	e, err := m.decide(c)
	if err != nil {
		return plant.Receipt{}, err
	}
	if !own {
		m.receipts[c.ID] = memReceipt{e, c.Digest}
		if of := c.ID.Whole(); of != "" {
			m.receipts[of] = memReceipt{e, c.Digest}
		}
	}
	return plant.Receipt{Event: e}, nil
}

func (m *Memory) decide(c plant.Command) (e plant.Event, err error) {
	defer func() {
		if recover() != nil {
			err = &plant.Error{Code: plant.CodeInternal, Verb: c.Verb, Tag: c.Tag}
		}
	}()
	now := m.cfg.Now().UTC().Round(0)
	if now.Before(m.lastAt) {
		now = m.lastAt
	}
	change := m.snap.Change()
	if e, err = m.cfg.Decide(change, c, now); err != nil {
		return e, err
	}
	e.Seq, e.Prev, e.Cmd, e.At = m.snap.Seq+1, m.snap.Seq, c.ID, now
	if e.ID == "" {
		e.ID = c.UUID
	}
	before, _ := change.Spool(e.Tag)
	e.PrevTag = before.Last
	if e.Import != nil && e.Import.Worker != nil {
		change.PutWorker(*e.Import.Worker)
	}
	if e.Setting != nil {
		change.PutSetting(*e.Setting)
	}
	if after := m.cfg.Evolve(before, e); e.Tag != "" && after.Tag != "" {
		after.Last = e.Seq
		change.PutSpool(&after)
	}
	m.snap, m.lastAt = change.Done(e.Seq, [32]byte{}), now
	m.log = append(m.log, e)
	close(m.wake)
	m.wake = make(chan struct{})
	return e, nil
}

// DoAll carries out commands one after the other.
func (m *Memory) DoAll(ctx context.Context, cmds []plant.Command) []plant.Result {
	out := make([]plant.Result, len(cmds))
	for i, c := range cmds {
		out[i].Receipt, out[i].Err = m.Do(ctx, c)
	}
	return out
}

// Snapshot is the plant now.
func (m *Memory) Snapshot() *plant.Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.snap
}

// Events gives at most limit events after a sequence.
func (m *Memory) Events(_ context.Context, after plant.Seq, limit int) ([]plant.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rest := m.log[min(int(after), len(m.log)):]
	return append([]plant.Event(nil), rest[:min(max(limit, 0), len(rest))]...), nil
}

// History gives a spool's events before a sequence, newest first.
func (m *Memory) History(_ context.Context, tag plant.Tag, before plant.Seq, limit int) ([]plant.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []plant.Event
	for i := len(m.log) - 1; i >= 0 && len(out) < limit; i-- {
		if e := m.log[i]; e.Tag == tag && (before == 0 || e.Seq < before) {
			out = append(out, e)
		}
	}
	return out, nil
}

// Tail gives events after a sequence, then waits for more.
func (m *Memory) Tail(ctx context.Context, after plant.Seq) iter.Seq2[[]plant.Event, error] {
	return func(yield func([]plant.Event, error) bool) {
		for {
			m.mu.Lock()
			fresh := append([]plant.Event(nil), m.log[min(int(after), len(m.log)):]...)
			wake, closed := m.wake, m.closed
			m.mu.Unlock()
			if len(fresh) > 0 {
				after = fresh[len(fresh)-1].Seq
				if !yield(fresh, nil) {
					return
				}
				continue
			}
			if closed {
				yield(nil, ErrClosed)
				return
			}
			select {
			case <-wake:
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
		}
	}
}

// Pending are the oldest events that were neither acknowledged nor parked.
func (m *Memory) Pending(limit int) ([]plant.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []plant.Event
	for _, e := range m.log {
		if !m.done[e.Seq] && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, nil
}

func (m *Memory) settle(done bool, seqs ...plant.Seq) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range seqs {
		if s == 0 || int(s) > len(m.log) {
			return errors.New("no such event")
		}
		m.done[s] = done
	}
	return nil
}

// Ack says that events reached the Sheet.
func (m *Memory) Ack(_ context.Context, seqs ...plant.Seq) error { return m.settle(true, seqs...) }

// Park sets an event aside.
func (m *Memory) Park(_ context.Context, s plant.Seq, _ string) error { return m.settle(true, s) }

// Unpark makes it pending again.
func (m *Memory) Unpark(_ context.Context, s plant.Seq) error { return m.settle(false, s) }

// Close ends the tails.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.closed = true
		close(m.wake)
		m.wake = make(chan struct{})
	}
	return nil
}
