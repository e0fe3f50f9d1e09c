package main

import (
	"testing"
	"time"

	"envivo/ui"
)

func TestWhatTheSupervisorIsToldOfTheBox(t *testing.T) {
	now, looks := copyNoon, 0
	c := &care{now: func() time.Time { return now }, all: func() []ui.HealthLine {
		looks++
		return []ui.HealthLine{{Name: "Disco", Level: levelWarn}, {Name: "Copias", Level: levelBad}, {Name: lineMedium, Level: levelWarn},
			{Name: lineStandby, Level: levelOK}, {Name: "Registro", Level: levelOK}}
	}}
	for range 3 {
		if got := c.lines(); len(got) != 2 || got[0].Name != "Copias" || got[1].Name != lineMedium {
			t.Errorf("told %v, want the bad one and the second medium", got)
		}
	}
	if looks != 1 {
		t.Errorf("looked %d times within %s, want once", looks, careFor)
	}
	now = now.Add(careFor)
	if c.lines(); looks != 2 {
		t.Errorf("looked %d times after %s, want again", looks, careFor)
	}
	now = now.Add(-time.Hour) // the clock was put back
	if c.lines(); looks != 3 {
		t.Error("what was found is believed for an hour after the clock was put back")
	}
}
