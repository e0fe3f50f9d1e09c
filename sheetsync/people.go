package sheetsync

import (
	"maps"
	"slices"
	"strconv"

	"envivo/plant"
	"envivo/sheetsync/table"
)

const unknownWorker = "ningún trabajador tiene este Id"

// people are the workers with their roles. Worksheets that are not there
// change nothing, and a box that cannot be read leaves a worker as known.
func (im *importer) people() {
	roles := map[plant.WorkerID]plant.Role{}
	rows := map[plant.WorkerID][]int{}
	for _, r := range im.roles.Rows {
		rows[r.ID] = append(rows[r.ID], r.Row)
		if r.Active {
			roles[r.ID] |= r.Role
		}
	}
	seen := map[plant.WorkerID]bool{}
	for _, w := range im.workers.Rows {
		seen[w.Worker.ID] = true
		old, known := im.snap.Worker(w.Worker.ID)
		next := w.Worker
		switch {
		case len(im.roles.Outcomes) > 0:
			next.Roles |= roles[next.ID]
		case !w.HasRol:
			next.Roles = old.Roles
		}
		if w.ActivoBad && known {
			next.Activo = old.Activo
		}
		im.worker(next, w.Row, rows[next.ID])
	}
	for _, id := range slices.Sorted(maps.Keys(rows)) { // people whose row did not come along
		if seen[id] {
			continue
		}
		next, known := im.snap.Worker(id)
		if !known {
			for _, row := range rows[id] {
				im.find(table.Finding{Sheet: table.Roles, Row: row, Column: "Id", Value: strconv.Itoa(int(id)), Reason: unknownWorker, Action: table.Quarantined})
			}
			continue
		}
		next.Roles = roles[id]
		im.worker(next, 0, rows[id])
	}
}

// worker brings one worker, unless the store knows exactly that.
// The office's list may still have the name of somebody who was made anonymous.
func (im *importer) worker(w plant.Worker, row int, roleRows []int) {
	if im.snap.Setting(plant.AnonymousKey(w.ID)) != "" {
		w = w.Anonymous()
	}
	if old, ok := im.snap.Worker(w.ID); ok && old == w {
		return
	}
	job := newJob(table.Trabajadores, im.importing("", plant.Import{Worker: &w}))
	job.rows[table.Roles] = roleRows
	if row > 0 {
		job.rows[table.Trabajadores] = []int{row}
	} else {
		job.main = table.Roles
	}
	im.jobs = append(im.jobs, job)
}
