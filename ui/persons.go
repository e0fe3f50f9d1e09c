package ui

import "envivo/plant"

// PersonsPath lists everybody, for what the plant owes them about their data.
const PersonsPath = "/admin/personas"

// PersonPath is one person's page there.
func PersonPath(w plant.WorkerID) string { return PersonsPath + "/" + id(w) }

// PersonSight is a worker as the pages about data show one.
type PersonSight struct {
	Worker    plant.Worker
	Anonymous bool
	// PIN is set for who has one; PINSaid is why the one typed was not taken.
	PIN     bool
	PINSaid string
}

func (p PersonSight) state() string {
	switch {
	case p.Anonymous:
		return "sin nombre"
	case p.Worker.Activo:
		return "en la planta"
	}
	return "ya no trabaja"
}

// Why a name stays, and what happened.
const (
	TextStillActive = "Sigue en la lista de activos. Primero quítalo de ella en la planilla."
	TextStillHolds  = "Todavía tiene spools. Primero libéralos."
	TextWhyNeeded   = "Falta el motivo."
)

// NameGone tells that a name was taken out.
func NameGone(w plant.WorkerID) string { return "Desde ahora es Trabajador " + id(w) + "." }
