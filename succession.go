package main

import (
	"context"
	"crypto/rand"
	"math/big"
	"time"

	"envivo/plant"
	"envivo/standby"
)

const (
	// noteStandbys is where the standbys of this server answer.
	noteStandbys = "respaldos.json"
	// askFor is how long a start may wait for their answers before it takes
	// commands: what does not answer on the plant's own network by then is off.
	askFor = 2 * time.Second
	// knownFor is how long a standby that was not seen is still asked.
	knownFor = 30 * 24 * time.Hour
)

// knownStandby is what a server remembers of a standby: everything up to Seq is on
// its disk.
type knownStandby struct {
	Address string    `json:"address"`
	Seq     plant.Seq `json:"seq"`
	At      time.Time `json:"at"`
}

// knowsStandbys finds out, before the store is opened, whether somebody has to be
// asked before commands are taken. A plant without a standby, or one that has just
// been promoted, does not wait.
func (f *floor) knowsStandbys() bool {
	f.role.standbys, f.role.asked = map[string]knownStandby{}, make(chan struct{})
	if !f.role.follows() {
		readNote(f.cfg.Data, noteStandbys, &f.role.standbys) // without one there are none
	}
	for name, s := range f.role.standbys {
		if f.now().Sub(s.At) > knownFor || s.Seq == 0 {
			delete(f.role.standbys, name)
		}
	}
	ask := len(f.role.standbys) > 0 && (f.role.promoted == nil || f.role.promoted.Recorded)
	f.role.asking.Store(ask)
	return ask
}

// askStandbys asks those that followed this server whether one of them was promoted
// while it was off: two servers that both take commands are what a promotion must
// not lead to. If so, this one only shows from now on; if not, or if nobody answers
// in time, it takes commands. Pages can be read meanwhile.
func (f *floor) askStandbys(ctx context.Context) {
	if !f.role.asking.Load() {
		close(f.role.asked)
		return
	}
	began := f.now()
	by := f.successor(ctx)
	if by != "" {
		f.log.Error("a standby has taken this box's place: no commands", "by", by)
		err := f.retire(by)
		if err == nil {
			return // a server that only shows follows in this process
		}
		f.log.Error("note that this box was replaced", "err", err)
		return // it goes on taking none
	}
	f.log.Info("no standby has taken this box's place", "asked", len(f.role.standbys), "took", f.now().Sub(began))
	f.store.Release()
	f.role.asking.Store(false)
	close(f.role.asked)
}

// successor is where the work goes on, empty for here.
func (f *floor) successor(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	answers := make(chan string, len(f.role.standbys))
	for name, s := range f.role.standbys {
		go func() {
			by, err := f.askStandby(ctx, s)
			if err != nil {
				f.log.Info("a standby does not answer", "standby", name, "address", s.Address, "err", err)
			}
			answers <- by
		}()
	}
	for range f.role.standbys {
		select {
		case by := <-answers:
			if by != "" {
				return by
			}
		case <-ctx.Done():
			return ""
		}
	}
	return ""
}

// askStandby has a standby prove itself with an event that nobody can foresee.
func (f *floor) askStandby(ctx context.Context, s knownStandby) (by string, err error) {
	snap := f.store.Snapshot()
	most := min(s.Seq, snap.Seq)
	if most == 0 { // another store lies here now
		return "", nil
	}
	n, err := rand.Int(rand.Reader, big.NewInt(int64(most)))
	if err != nil {
		return "", err
	}
	at := plant.Seq(n.Int64()) + 1
	link, err := f.store.Link(at)
	if err != nil {
		return "", err
	}
	return standby.Succeeded(ctx, knocking(s.Address), snap.Epoch, at, link, rand.Text())
}

// inCharge runs what only the plant's server does, once it is known to be it.
func (f *floor) inCharge(ctx context.Context, run func(context.Context) error) error {
	select {
	case <-f.role.asked:
		return run(ctx)
	case <-ctx.Done():
		return nil
	}
}
