package table

import (
	"math"
	"strconv"

	"envivo/plant"
)

// WorkerRow is one row of Trabajadores, decoded.
type WorkerRow struct {
	Row    int
	Worker plant.Worker // Roles only from a legacy Rol column
	// Activo is false and ActivoBad true when the box could not be read.
	ActivoBad bool
	// HasRol is set when the worksheet has the Rol column of older layouts.
	HasRol bool
}

// RoleRow is one row of Roles, decoded.
type RoleRow struct {
	Row    int
	ID     plant.WorkerID
	Role   plant.Role
	Active bool
}

const (
	noWorkerID  = "el trabajador no tiene un Id numérico"
	noName      = "el trabajador no tiene nombre y apellido"
	workerTwice = "Id repetido; vale la fila "
	noRole      = "rol desconocido"
)

// ReadTrabajadores decodes the worksheet of the workers. Rows without a number
// are put aside: a worker without one cannot be told from another.
func ReadTrabajadores(s Sheet) (Page[WorkerRow], error) {
	rs, err := open(s, Trabajadores, needed(Trabajadores), nil)
	if err != nil {
		return Page[WorkerRow]{}, err
	}
	_, hasRol := rs.header.Col(colRol)
	var page Page[WorkerRow]
	first := make(map[plant.WorkerID]int)
	page.Outcomes = rs.each(Columns(Trabajadores), func(r *row) {
		id, ok := r.workerID()
		if !ok {
			return
		}
		if f, taken := first[id]; taken {
			r.reject(colWorkerID, workerTwice+strconv.Itoa(f))
			return
		}
		w := WorkerRow{Row: r.n, HasRol: hasRol, Worker: plant.Worker{ID: id, Nombre: get(r, colNombre, Label), Apellido: get(r, colApellido, Label)}}
		if plant.Initial(w.Worker.Nombre) == "" || plant.Initial(w.Worker.Apellido) == "" {
			column := colNombre
			if w.Worker.Nombre != "" {
				column = colApellido
			}
			r.reject(column, noName)
			return
		}
		active, p := Truth(r.cell(colActivo))
		r.report(colActivo, p)
		w.Worker.Activo, w.ActivoBad = active, p.Bad()
		if hasRol {
			w.Worker.Roles = r.role()
		}
		first[id] = r.n
		page.Rows = append(page.Rows, w)
	})
	page.Findings = rs.findings
	return page, nil
}

// ReadRoles decodes the worksheet of the roles, one per row.
func ReadRoles(s Sheet) (Page[RoleRow], error) {
	rs, err := open(s, Roles, needed(Roles), nil)
	if err != nil {
		return Page[RoleRow]{}, err
	}
	var page Page[RoleRow]
	page.Outcomes = rs.each(Columns(Roles), func(r *row) {
		id, ok := r.workerID()
		if !ok {
			return
		}
		role := r.role()
		if role == 0 {
			if r.cell(colRol).Blank() {
				r.reject(colRol, noRole)
			}
			return
		}
		active, p := Truth(r.cell(colActivo))
		r.report(colActivo, p)
		page.Rows = append(page.Rows, RoleRow{Row: r.n, ID: id, Role: role, Active: active})
	})
	page.Findings = rs.findings
	return page, nil
}

func (r *row) workerID() (plant.WorkerID, bool) {
	id, p := Int(r.cell(colWorkerID), math.MaxInt32)
	if p.Bad() || id < 1 {
		r.reject(colWorkerID, noWorkerID)
		return 0, false
	}
	return plant.WorkerID(id), true
}

// role reads a Rol cell; a word that is no role is reported.
func (r *row) role() plant.Role {
	s, p := Label(r.cell(colRol))
	if p.OK() && s == "" {
		return 0
	}
	role, ok := plant.ParseRole(s)
	if !ok {
		r.report(colRol, bad(noRole))
	}
	return role
}
