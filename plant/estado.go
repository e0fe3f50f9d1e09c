package plant

// Estado is the one word a spool's chip shows: the first that fits, from the
// most urgent down (rules §12).
type Estado uint8

// The states, in order of precedence.
const (
	Bloqueado Estado = iota
	Reparando
	EnPausaReparacion
	EstadoRechazado
	EstadoAprobado
	PorInspeccionar
	EnCursoARM
	EnCursoSOLD
	EnCurso // held, for an operation nobody could tell at import
	Parcial // free, begun, unfinished
	ListoARM
	ListoSOLD
	NoListo
	estadoEnd
)

// Estados lists every state in order of precedence.
func Estados() []Estado {
	out := make([]Estado, estadoEnd)
	for i := range out {
		out[i] = Estado(i)
	}
	return out
}

var estadoNames = [...]string{"BLOQUEADO", "EN_REPARACION", "REPARACION_PAUSADA", "RECHAZADO", "APROBADO", "POR_INSPECCIONAR",
	"EN_CURSO_ARM", "EN_CURSO_SOLD", "EN_CURSO", "PARCIAL", "LISTO_ARM", "LISTO_SOLD", "NO_LISTO"}

// String is the state's stable id in queries and class names.
func (e Estado) String() string { return estadoNames[e] }

// ParseEstado reads the stable id of a state.
func ParseEstado(s string) (Estado, bool) {
	for i, n := range estadoNames {
		if n == s {
			return Estado(i), true
		}
	}
	return NoListo, false
}

// Estado derives the spool's chip.
func (s *Spool) Estado(r Rules) Estado {
	switch s.Quality {
	case BloqueadoQ:
		return Bloqueado
	case EnReparacion:
		return Reparando
	case ReparacionPausada:
		return EnPausaReparacion
	case RechazadoQ:
		return EstadoRechazado
	case AprobadoQ:
		return EstadoAprobado
	}
	if !s.Hold.Free() {
		switch s.Hold.Op {
		case ARM:
			return EnCursoARM
		case SOLD:
			return EnCursoSOLD
		}
		return EnCurso
	}
	if s.InspectionReady(r) {
		return PorInspeccionar
	}
	return s.openEstado(r)
}

func (s *Spool) openEstado(r Rules) Estado {
	t := s.Tally(r)
	arm, sold := s.Phase(ARM, r), s.Phase(SOLD, r)
	begun := arm == Pausado || sold == Pausado || t.Armed > 0 && arm != Completado || t.Welded > 0 && sold != Completado
	switch {
	case begun:
		return Parcial
	case s.Office.Materiales == 0:
		return NoListo
	case arm != Completado:
		return ListoARM
	case sold != Completado:
		return ListoSOLD
	}
	return NoListo
}

// InspectionReady reports whether the work is complete: with unions, every
// ARM-only union armed and every welded one welded; without, both dates
// (rules §11.5). A repaired spool is ready by its state.
func (s *Spool) InspectionReady(r Rules) bool {
	if s.Quality == PendienteMetrologia {
		return true
	}
	if len(s.Unions) == 0 {
		return s.Arm.Phase == Completado && s.Sold.Phase == Completado
	}
	return s.ArmComplete(r) && s.SoldComplete(r)
}

// ArmComplete reports whether ARM is done: with unions all are armed, unless
// the spool was fitted before unions were tracked, when its date counts.
func (s *Spool) ArmComplete(r Rules) bool {
	t := s.Tally(r)
	if t.Total == 0 || t.Armed == 0 && s.ArmBeforeTracking() {
		return s.Arm.Phase == Completado
	}
	return t.Armed == t.Total
}

// ArmBeforeTracking reports whether ARM has its date although no union carries
// any ARM data (rules §6.5 step 4, legacy mode).
func (s *Spool) ArmBeforeTracking() bool {
	if s.Arm.Fecha == 0 || len(s.Unions) == 0 {
		return false
	}
	for _, u := range s.Unions {
		if u.Arm.Done() || !u.Arm.Worker.None() {
			return false
		}
	}
	return true
}

// SoldComplete reports whether every union that needs welding is welded;
// without unions, whether SOLD was completed. A spool whose unions need no
// welding at all is complete once it is armed.
func (s *Spool) SoldComplete(r Rules) bool {
	t := s.Tally(r)
	if t.Total == 0 {
		return s.Sold.Phase == Completado
	}
	if t.ToWeld == 0 {
		return s.ArmComplete(r)
	}
	return t.Welded == t.ToWeld
}
