package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"time"
)

const (
	// draftsFile holds ticks and baskets that were begun and not sent, so that a
	// restart of the box does not empty them. It decides nothing.
	draftsFile = "borradores.json"
	// returnedFile holds which cookies of persons with a PIN were handed back, so
	// that a restart does not make their copies good again.
	returnedFile = "devueltos.json"
	// keptMax is the largest such file that is read, in bytes.
	keptMax = 1 << 20
	// draftsEvery is how much of it a power failure may cost.
	draftsEvery = 2 * time.Second
)

// readKept is what the API kept in a file; nothing when it cannot be read.
func readKept(dir, name string) []byte {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, keptMax))
	if err != nil {
		return nil
	}
	return b
}

// keepReturned is asked for whenever a cookie is handed back.
func (f *floor) keepReturned(text []byte) error {
	return writeNote(f.cfg.Data, returnedFile, json.RawMessage(text))
}

// keepDrafts writes the drafts whenever they changed, and once more at the end.
// A disk that refuses is told in the log and tried again at the next change.
func (f *floor) keepDrafts(ctx context.Context) error {
	tick := time.NewTicker(draftsEvery)
	defer tick.Stop()
	for {
		ended := false
		select {
		case <-tick.C:
		case <-ctx.Done():
			ended = true
		}
		if text, changed := f.api.Drafts(); changed {
			if err := writeNote(f.cfg.Data, draftsFile, json.RawMessage(text)); err != nil {
				f.log.Warn("the drafts were not kept", "err", err)
			}
		}
		if ended {
			return nil
		}
	}
}
