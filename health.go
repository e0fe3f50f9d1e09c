package main

import (
	"time"

	"envivo/ui"
)

const (
	// diskLow is what a plant should have free, in bytes.
	diskLow = 1 << 30
	// clockOff is how far the devices' clocks may be from the box's before
	// somebody should look.
	clockOff = 30 * time.Second
	// commitSlow is a commit that people notice.
	commitSlow = 250 * time.Millisecond
)

// health is what the administration page shows of the box.
func (f *floor) health() []ui.HealthLine {
	return append([]ui.HealthLine{f.diskLine(), f.clockLine(), f.storeLine(), f.certificateLine()}, f.healthLines()...)
}

func (f *floor) diskLine() ui.HealthLine {
	disk := ui.HealthLine{Name: "Disco", Level: levelBad, Text: ui.TextDiskUnknown}
	free, total, err := diskSpace(f.cfg.Data)
	if err != nil {
		return disk
	}
	disk.Text = ui.DiskText(free, total)
	switch {
	case free >= diskLow:
		disk.Level = levelOK
	case free >= diskLeast:
		disk.Level = levelWarn
	}
	return disk
}

// clockLine compares the box's clock with those of the devices at work: the box
// has no other to compare with when there is no network.
func (f *floor) clockLine() ui.HealthLine {
	now := f.now()
	if f.api == nil {
		return ui.HealthLine{Name: "Reloj", Level: levelOK, Text: ui.Fecha(now)}
	}
	ahead, devices := f.api.ClockAhead()
	l := ui.HealthLine{Name: "Reloj", Level: levelOK, Text: ui.ClockText(now, ahead, devices)}
	if ahead.Abs() > clockOff {
		l.Level = levelWarn
	}
	return l
}

func (f *floor) storeLine() ui.HealthLine {
	s := f.store.Stats()
	l := ui.HealthLine{Name: "Almacén", Level: levelOK, Text: ui.StoreText(s.Queued, s.LastCommit, uint64(s.Seq), s.FileSize)}
	if s.Queued > s.QueueLimit/2 || s.LastCommit > commitSlow {
		l.Level = levelWarn
	}
	return l
}
