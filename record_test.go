package main

import (
	"log/slog"
	"testing"
	"time"

	"envivo/api"
)

func TestAMadDeviceDoesNotPushOutOthers(t *testing.T) {
	r := openRecord(t.TempDir(), slog.New(slog.DiscardHandler))
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for range 5000 {
		r.add(api.Attempt{At: at, Code: "NO_AUTORIZADO", Device: "10.0.0.66"})
	}
	r.add(api.Attempt{At: at, Code: "SPOOL_OCCUPIED", Device: "tablet-3"})
	all := r.since(time.Time{})
	if len(all) != linesSaved+1 || all[len(all)-1].Device != "tablet-3" {
		t.Errorf("%d lines on record, want the %d of the mad device and the tablet's", len(all), linesSaved)
	}
	r.add(api.Attempt{At: at.Add(time.Minute), Code: "NO_AUTORIZADO", Device: "10.0.0.66"})
	all = r.since(at.Add(time.Second))
	if len(all) != 1 || all[0].More != 5000-linesSaved {
		t.Errorf("a minute later: %+v, want one line that counts %d more", all, 5000-linesSaved)
	}
}
