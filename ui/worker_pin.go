package ui

import "envivo/plant"

// PersonPINPath asks a person for the own PIN; a form to the same address
// makes somebody the person of the tablet.
const PersonPINPath = "/persona"

// WorkerPad is the pad for a worker's own PIN.
type WorkerPad struct {
	PinPad
	Worker plant.Worker
	// Tag is the spool of an act that waits for the PIN, empty for none; Receives
	// says that the worker takes it over.
	Tag      plant.Tag
	Receives bool
}

func (p WorkerPad) why() string {
	switch {
	case p.Receives:
		return "Recibes " + Short(p.Tag) + " con tu PIN."
	case p.Tag != "":
		return "Para deshacer en " + Short(p.Tag) + ", ingresa tu PIN."
	}
	return "Ingresa tu PIN."
}

// TextPINActive says why somebody gets no PIN.
const TextPINActive = "Ya no está en la lista de activos: no necesita PIN."

// PINSet tells that a person has a new PIN, PINGone that there is none any more.
func PINSet(w plant.Worker) string  { return "PIN de " + w.FullName() + " guardado." }
func PINGone(w plant.Worker) string { return w.FullName() + " ya no tiene PIN." }
