package api

import (
	"envivo/plant"
)

// assigned is the holder a spool was given to by the supervisor who now takes
// that back; ok is false for everything else.
func (p *pages) assigned(a act, c plant.Command) (holder plant.WorkerID, ok bool) {
	row, found := p.plant.Snapshot().Row(c.Tag)
	if a.verb != plant.Deshacer || !c.Supervisor || !found || row.Spool.Undo == nil || row.Spool.Undo.Actor != 0 {
		return 0, false
	}
	return row.Spool.Hold.Worker.ID, true
}
