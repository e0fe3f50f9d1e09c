package sheetsync

import (
	"fmt"
	"slices"
	"strings"

	"envivo/plant"
	"envivo/sheetsync/table"
)

// known brings what the office owns on a spool of the store; r is nil when its
// row did not come along. What cannot be read, and what the worksheet has no
// column for, stays as it was (rules §2.8.3).
func (im *importer) known(sp *plant.Spool, r *table.SpoolRow) {
	key := fold(sp.Tag)
	history := im.fresh[key]
	delete(im.fresh, key)
	next := plant.Import{History: history}
	job := newJob(table.Operaciones, plant.Command{})
	job.rows[table.Metadata] = orders(history)
	changed := len(history) > 0
	if r != nil {
		if office := merged(r, sp.Office); office != sp.Office {
			next.Office, changed, job.rows[table.Operaciones] = &office, true, []int{r.Row}
		}
	}
	for _, u := range im.attached[key] {
		old, _ := sp.Union(u.Union.N)
		if def := definition(u, old); redefined(old, def) {
			next.Unions, changed = append(next.Unions, def), true
			job.rows[table.Uniones] = append(job.rows[table.Uniones], u.Row)
		}
	}
	if damaged := im.damaged(sp, r); !slices.Equal(damaged, sp.Damaged) {
		next.Damaged, next.SetDamaged, changed = damaged, true, true
		if r != nil {
			job.rows[table.Operaciones] = []int{r.Row}
		}
	}
	if !changed {
		return
	}
	if r == nil && len(job.rows[table.Uniones]) > 0 {
		job.main = table.Uniones
	} else if r == nil {
		job.main = table.Metadata
	}
	job.cmd = im.importing(sp.Tag, next)
	im.jobs = append(im.jobs, job)
}

// merged is the office's data of a row over what is known.
func merged(r *table.SpoolRow, old plant.Office) plant.Office {
	next := r.Office
	for _, c := range r.Unread {
		switch c {
		case "SPLIT":
			next.Split = old.Split
		case "NV":
			next.NV = old.NV
		case "OT":
			next.OT = old.OT
		case "Fecha_Materiales":
			next.Materiales = old.Materiales
		}
	}
	return next
}

// definition is engineering's and the inspection staff's part of a union. Its
// work belongs to the store, and so do DN and type once there is any (rules
// §11.6).
func definition(u table.UnionRow, old plant.Union) plant.Union {
	def := u.Union
	def.Arm, def.Sold = plant.JointWork{}, plant.JointWork{}
	if old.Worked() {
		def.DN, def.Tipo = old.DN, old.Tipo
	}
	for _, c := range u.Unread {
		switch c {
		case "ID":
			def.SheetID = old.SheetID
		case "NDT_UNION":
			def.NDT = old.NDT
		case "R_NDT_UNION":
			def.NDTResult = old.NDTResult
		case "NDT_FECHA":
			def.NDTDate = old.NDTDate
		case "NDT_STATUS":
			def.NDTStatus = old.NDTStatus
		}
	}
	return def
}

func redefined(old, def plant.Union) bool {
	old.Arm, old.Sold = plant.JointWork{}, plant.JointWork{}
	return old != def
}

// damaged are the columns in quarantine of a spool of the store once these
// worksheets are in. Cells that did not come along stay as they were.
func (im *importer) damaged(sp *plant.Spool, r *table.SpoolRow) []string {
	came := im.attached[fold(sp.Tag)]
	var out []string
	if r != nil {
		out = append(out, r.Damaged...)
	}
	for _, c := range sp.Damaged {
		if union := strings.Contains(c, "(unión "); union && !slices.ContainsFunc(came, func(u table.UnionRow) bool {
			return strings.HasSuffix(c, fmt.Sprintf("(unión %d)", u.Union.N))
		}) || !union && r == nil {
			out = append(out, c)
		}
	}
	for _, u := range came {
		out = append(out, u.Damaged...)
	}
	return out
}
