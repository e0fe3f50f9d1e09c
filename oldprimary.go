package main

import (
	"context"
	"errors"
	"time"

	"envivo/standby"
)

// oldEvery is how often a promoted standby looks for the primary it took over
// from.
const oldEvery = 2 * time.Second

// watchOld looks whether the old primary has come back: two servers that both
// take commands are the one thing a promotion must not lead to. One that does is
// told to stop taking them, and a supervisor sees it here until it has.
func (f *floor) watchOld(ctx context.Context) {
	for {
		state, err := f.lookForOld(ctx)
		if was := f.role.old.Swap(state); was != state {
			f.tellOld(state, err)
		}
		if waitFor(ctx, oldEvery) != nil {
			return
		}
	}
}

func (f *floor) tellOld(state int32, err error) {
	switch state {
	case oldAlive:
		f.log.Error("the old primary answers, takes commands and cannot be retired: switch it off", "primary", f.role.promoted.Of, "err", err)
	case oldRetired:
		f.log.Warn("the old primary came back and takes no commands", "primary", f.role.promoted.Of)
	}
}

// errNoToken says why an old primary cannot be told.
var errNoToken = errors.New("there was no --standby-token when this box was promoted")

// lookForOld finds out what the old primary does, and retires it if it works;
// err is why that failed.
func (f *floor) lookForOld(ctx context.Context) (state int32, err error) {
	was := f.role.promoted
	found := standby.Knock(ctx, knocking(was.Of))
	switch {
	case !found.Alive, found.Epoch != was.Epoch && found.Epoch != "": // nobody, or another life of that box
		return oldSilent, nil
	case found.Follows != "":
		return oldRetired, nil
	case was.TokenFile == "":
		return oldAlive, errNoToken
	}
	o, err := asking(f.program, was.Of, was.TokenFile, was.CAFile, f.log)
	if err == nil {
		err = standby.Retire(ctx, o, was.Epoch, f.outside())
	}
	if err != nil {
		return oldAlive, err
	}
	return oldRetired, nil
}

// retire ends this server as the plant's: after the answer it starts again, in
// this process, and only shows.
func (f *floor) retire(by string) error {
	snap := f.store.Snapshot()
	if err := writeNote(f.cfg.Data, noteRetired, retiredNote{At: f.now(), By: by, Epoch: snap.Epoch, Seq: snap.Seq}); err != nil {
		return err
	}
	select {
	case f.role.changed <- struct{}{}:
	default: // it was told before
	}
	return nil
}
