package ui

import (
	"strconv"
	"time"
)

// AttemptsPath is the record of what was tried at the box.
const AttemptsPath = "/admin/actos"

// DiagnosisPath gives everything that explains a fault, in one file.
const DiagnosisPath = "/admin/diagnostico"

// AttemptSight is one line of it. Refused is the stable code, empty when it was
// done; Who is a name.
type AttemptSight struct {
	At                                   time.Time
	Who, Tag, Device, What, Refused, Why string
	Trace                                string
	Took                                 time.Duration
	More                                 int
}

func (a AttemptSight) took() string {
	return strconv.FormatFloat(a.Took.Seconds()*1000, 'f', 1, 64) + " ms"
}

// TextNoAttempts says that nothing matches.
const TextNoAttempts = "Nada en el diagnóstico con eso."
