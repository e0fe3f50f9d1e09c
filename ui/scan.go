package ui

import "envivo/plant"

// What a scan is answered with when nothing is recorded.
const (
	TextScanPerson   = "Eso es una credencial. Ahora escanea el spool."
	TextScanSpool    = "Eso es un spool. Escanea la credencial de quien recibe."
	TextScanBadge    = "Ahora escanea tu credencial."
	TextScanDevice   = "Eso es el código de una tablet. Escanea un spool o tu credencial."
	TextScanWho      = "Primero escanea tu credencial o toca tu nombre."
	TextScanWhich    = "Primero escanea el spool o ábrelo."
	TextScanChoose   = "Elige la operación."
	TextNotInspected = "Este spool no espera inspección tuya."
)

// ScanUnknown says that nobody knows the code.
func ScanUnknown(code string) string {
	return "No conozco este código: " + code + ". Revisa la etiqueta o busca por número."
}

// Switched tells that a badge changed who acts.
func Switched(w plant.Worker) string { return "Cambiaste a **" + w.FullName() + "**." }

// Start is the one thing a scan of badge and spool may begin: TOMAR for the
// operation, of which REPARACION is one. Where several are legal, none is
// chosen for the person, and RELEVAR is never begun by a scan alone.
func (v *SpoolSight) Start() (op plant.Op, ok bool) {
	switch a := v.act(); {
	case a.Kind == ActTake && len(a.Ops) == 1:
		return a.Ops[0], true
	case a.Kind == ActRepair:
		return plant.REPARACION, true
	}
	return plant.OpNone, false
}

// Offer is what the page of a scanned spool says to a person for whom nothing
// was begun; good is set when there is a button to touch.
func (v *SpoolSight) Offer() (text string, good bool) {
	switch a := v.act(); a.Kind {
	case ActTake:
		return TextScanChoose, true
	case ActNone:
		return a.Why, false
	case ActFinish, ActInspect, ActRelieve, ActRepair, ActIdentify:
	}
	return "", true
}
