package main

import (
	"slices"
	"sync"
	"time"

	"envivo/ui"
)

// careFor is how long what was found wrong with the box is taken for granted:
// looking costs a few reads of the disk, and the supervisor's page asks at each
// change of the plant.
const careFor = 10 * time.Second

// care is what a supervisor must see without opening the administration: what is
// bad, and a second box or a second medium that no longer does its part.
type care struct {
	all func() []ui.HealthLine
	now func() time.Time

	mu     sync.Mutex
	looked time.Time
	found  []ui.HealthLine
}

// The names of health lines whose warnings matter to the floor, too: nothing
// else stands between a dead disk and the plant's data.
const (
	lineMedium  = "Segundo medio"
	lineStandby = "Respaldo"
	lineOld     = "Servidor anterior"
)

// lines are what is wrong now, or was within careFor.
func (c *care) lines() []ui.HealthLine {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if since := now.Sub(c.looked); since >= 0 && since < careFor {
		return slices.Clone(c.found)
	}
	c.looked, c.found = now, nil
	for _, l := range c.all() {
		if l.Level == levelBad || l.Level == levelWarn && slices.Contains([]string{lineMedium, lineStandby, lineOld}, l.Name) {
			c.found = append(c.found, l)
		}
	}
	return slices.Clone(c.found)
}
