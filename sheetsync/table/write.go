package table

import (
	"envivo/plant"
)

// headerRow is the header of a worksheet as an export writes it.
func headerRow(sheet string) []Cell {
	names := Columns(sheet)
	out := make([]Cell, len(names))
	for i, n := range names {
		out[i] = TextCell(n)
	}
	return out
}

// NewSheet is an empty worksheet of ours with its header.
func NewSheet(name string) Sheet {
	return Sheet{Name: name, Rows: [][]Cell{headerRow(name)}}
}

// SpoolCells is a spool as a row of Operaciones: office data as we know it and
// everything that is ours, in the order of Columns. Counters are numbers, and
// empty while nothing is known of the spool's unions.
func SpoolCells(sp *plant.Spool, r plant.Rules) []Cell {
	o := sp.Office
	version := TextCell(sp.Token)
	if sp.Token == "" {
		version = NumberCell(0)
	}
	row := []Cell{
		TextCell(string(sp.Tag)), TextCell(o.Split), TextCell(o.NV), TextCell(o.OT), DateCell(o.Materiales),
		DateCell(sp.Arm.Fecha), personCell(sp.Arm.Worker), DateCell(sp.Sold.Fecha), personCell(sp.Sold.Worker), DateCell(sp.FechaQC),
		personCell(sp.Hold.Worker), InstantCell(sp.Hold.Since), version, TextCell(sp.EstadoDetalle(r)),
	}
	if len(sp.Unions) == 0 {
		row = append(row, Cell{}, Cell{}, Cell{}, Cell{}, Cell{})
	} else {
		t := sp.Tally(r)
		row = append(row, NumberCell(float64(t.Total)), NumberCell(float64(t.Armed)), NumberCell(float64(t.Welded)), InchesCell(t.PDArmed), InchesCell(t.PDSold))
	}
	return append(row, TextCell(sp.Notas))
}

// personCell writes a worker as the column shows one.
func personCell(p plant.Person) Cell {
	return TextCell(p.Display)
}

// UnionCells is a union as a row of Uniones.
func UnionCells(tag plant.Tag, ot string, u plant.Union) []Cell {
	return []Cell{
		TextCell(u.SheetID), TextCell(ot), NumberCell(float64(u.N)), TextCell(string(tag)), InchesCell(u.DN), TextCell(u.Tipo),
		InstantCell(u.Arm.Start), InstantCell(u.Arm.End), personCell(u.Arm.Worker),
		InstantCell(u.Sold.Start), InstantCell(u.Sold.End), personCell(u.Sold.Worker),
		TextCell(u.NDT), TextCell(u.NDTResult), TextCell(u.NDTDate), TextCell(u.NDTStatus), {},
	}
}

// WorkerCells is a worker as a row of Trabajadores.
func WorkerCells(w plant.Worker) []Cell {
	return []Cell{NumberCell(float64(w.ID)), TextCell(w.Nombre), TextCell(w.Apellido), BoolCell(w.Activo)}
}

// RoleCells are a worker's rows of Roles, one per role.
func RoleCells(w plant.Worker) [][]Cell {
	var out [][]Cell
	for _, name := range w.Roles.Names() {
		out = append(out, []Cell{NumberCell(float64(w.ID)), TextCell(name), BoolCell(true)})
	}
	return out
}
