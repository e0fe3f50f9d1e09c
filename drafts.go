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
	// draftsMax is the largest such file that is read, in bytes.
	draftsMax = 1 << 20
	// draftsEvery is how much of it a power failure may cost.
	draftsEvery = 2 * time.Second
)

// readDrafts is what was kept; nothing when it cannot be read.
func readDrafts(dir string) []byte {
	f, err := os.Open(filepath.Join(dir, draftsFile))
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, draftsMax))
	if err != nil {
		return nil
	}
	return b
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
