package plant

import (
	"strconv"
	"strings"
	"unicode"
)

// The fixed texts of Estado_Detalle (rules §5.1).
const (
	TextoBloqueado = "BLOQUEADO - Contactar supervisor"
	TextoAprobado  = "METROLOGIA APROBADO ✓"
	TextoReparado  = "PENDIENTE_METROLOGIA"

	textoPendienteReparacion = " - Pendiente reparación"
	textoRechazoSinCiclo     = "METROLOGIA RECHAZADO" + textoPendienteReparacion
)

// EstadoDetalle is the text of the cell (rules §5.3). It is empty until the
// first command of the floor.
func (s *Spool) EstadoDetalle(r Rules) string {
	if !s.Touched {
		return ""
	}
	switch s.Quality {
	case BloqueadoQ:
		return TextoBloqueado
	case EnReparacion:
		return "EN_REPARACION " + ciclo(s.Ciclo) + " - Ocupado: " + s.Hold.Worker.Display
	case ReparacionPausada:
		return "REPARACION_PAUSADA " + ciclo(s.Ciclo)
	case RechazadoQ:
		return textoRechazado(s.Ciclo)
	case PendienteMetrologia:
		return TextoReparado + " " + ciclo(s.Ciclo)
	case AprobadoQ:
		return TextoAprobado
	}
	arm, sold := s.Phase(ARM, r), s.Phase(SOLD, r)
	if !s.Hold.Free() {
		op := s.Hold.Op.String()
		if s.Hold.Op == OpNone {
			op = "operación"
		}
		return s.Hold.Worker.Display + " trabajando " + op + " (ARM " + arm.Word() + ", SOLD " + sold.Word() + ")"
	}
	if len(s.Unions) > 0 {
		if t := s.partial(arm, sold, r); t != "" {
			return t
		}
	}
	return "Disponible - ARM " + arm.Word() + ", SOLD " + sold.Word()
}

func ciclo(n uint8) string {
	return "(Ciclo " + strconv.Itoa(int(n)) + "/" + strconv.Itoa(MaxCiclo) + ")"
}

func textoRechazado(n uint8) string { return "RECHAZADO " + ciclo(n) + textoPendienteReparacion }

// partial is the text of a spool with unions whose work was paused before all
// were done; empty when nothing is paused.
func (s *Spool) partial(arm, sold Phase, r Rules) string {
	op := OpNone
	switch {
	case s.LastOp == ARM && arm == Pausado:
		op = ARM
	case sold == Pausado:
		op = SOLD
	case arm == Pausado:
		op = ARM
	default:
		return ""
	}
	done, needed := s.Counts(op, r)
	return op.String() + " parcial " + strconv.Itoa(done) + "/" + strconv.Itoa(needed) + " (pausado)"
}

// EstadoRespuesta is estado_detalle in the answer to the command itself: the
// inspection and the end of a repair answer in the form their old clients know
// (rules §5.3, §9.6), everything else with the cell's text.
func (e *Event) EstadoRespuesta() string {
	if e.Progress == nil {
		return e.After
	}
	switch e.Kind {
	case KindCompletarReparacion:
		return TextoReparado
	case KindInspeccion:
		const libre = "Disponible - ARM completado, SOLD completado, "
		switch {
		case e.Resultado == Aprobado:
			return libre + TextoAprobado
		case e.Progress.Quality == BloqueadoQ:
			return TextoBloqueado
		case e.Progress.Ciclo == 0:
			return libre + textoRechazoSinCiclo
		}
		return libre + textoRechazado(e.Progress.Ciclo)
	}
	return e.After
}

// Trabajo is estado_trabajo, the combined state of the v5 cards (rules §4.7).
type Trabajo uint8

// The values of estado_trabajo.
const (
	TrabajoLibre Trabajo = iota
	TrabajoEnProgreso
	TrabajoPausado
	TrabajoCompletado
	TrabajoRechazado
	TrabajoBloqueado
	TrabajoPendienteMetrologia
)

var trabajoNames = [...]string{"LIBRE", "EN_PROGRESO", "PAUSADO", "COMPLETADO", "RECHAZADO", "BLOQUEADO", "PENDIENTE_METROLOGIA"}

// String is the value in JSON.
func (t Trabajo) String() string { return trabajoNames[t] }

// EstadoTrabajo is estado_trabajo, operacion_actual (OpNone for null) and
// ciclo_rep (0 for null) of rules §4.7. A paused repair counts as PAUSADO: the
// order of that section would call it ready for inspection.
func (s *Spool) EstadoTrabajo(r Rules) (t Trabajo, op Op, ciclo uint8) {
	switch s.Quality {
	case BloqueadoQ:
		return TrabajoBloqueado, OpNone, MaxCiclo
	case RechazadoQ:
		return TrabajoRechazado, OpNone, s.Ciclo
	case EnReparacion:
		return TrabajoEnProgreso, REPARACION, s.Ciclo
	case ReparacionPausada:
		return TrabajoPausado, REPARACION, s.Ciclo
	case PendienteMetrologia:
		return TrabajoPendienteMetrologia, OpNone, s.Ciclo
	case AprobadoQ:
		return TrabajoCompletado, OpNone, 0
	}
	switch {
	case s.InQueue(r):
		return TrabajoPendienteMetrologia, OpNone, 0
	case !s.Hold.Free():
		return TrabajoEnProgreso, s.Hold.Op, 0
	}
	return TrabajoLibre, OpNone, 0
}

// Detalle is what a text of Estado_Detalle says, of any generation.
type Detalle struct {
	// Trabajo and Op follow the v5 parser (rules §5.4).
	Trabajo Trabajo
	Op      Op
	// Worker is who the text names as holder.
	Worker Person
	// Held is the operation of the occupation the text speaks of, OpNone when it
	// does not.
	Held Op
	// Quality is the state of inspection or repair the text speaks of. Approval
	// has a column of its own and is not read from the text.
	Quality Quality
	// Ciclo is the cycle; HasCiclo is false when the text names none.
	Ciclo    uint8
	HasCiclo bool
	// Repair is set when the text mentions a rejection or a repair at all.
	Repair bool
}

// ParseEstadoDetalle reads a text of Estado_Detalle (rules §4.5, §4.6, §5.4).
// Case and accents do not matter, since supervisors type into the cell.
func ParseEstadoDetalle(text string) Detalle {
	text = strings.TrimSpace(text)
	f := strings.ToUpper(Fold(text))
	has := func(w string) bool { return strings.Contains(f, w) }
	d := Detalle{Repair: has("RECHAZADO") || has("REPARACION")}
	d.Ciclo, d.HasCiclo = findCiclo(f)
	d.Worker, d.Held = findHolder(text)
	switch {
	case d.Held != OpNone:
		d.Trabajo, d.Op = TrabajoEnProgreso, d.Held
	case has("EN_REPARACION") && d.HasCiclo:
		d.Trabajo, d.Op = TrabajoEnProgreso, REPARACION
	case has("BLOQUEADO"):
		d.Trabajo = TrabajoBloqueado
	case has("RECHAZADO"):
		d.Trabajo = TrabajoRechazado
	case has("PENDIENTE_METROLOGIA"), has("REPARACION COMPLETADO"):
		d.Trabajo = TrabajoPendienteMetrologia
	case has("METROLOGIA APROBADO"), has("APROBADO ✓"):
		d.Trabajo = TrabajoCompletado
	case has("ARM COMPLETADO") && has("SOLD COMPLETADO"):
		d.Trabajo = TrabajoCompletado
	case has("ARM COMPLETADO") && (has("SOLD PENDIENTE") || has("SOLD PAUSADO")), has("ARM PAUSADO"):
		d.Trabajo, d.Op = TrabajoPausado, ARM
	}
	switch {
	case has("BLOQUEADO"):
		d.Quality, d.Ciclo, d.HasCiclo = BloqueadoQ, MaxCiclo, true
	case has("EN_REPARACION"):
		d.Quality = EnReparacion
		if d.Held == OpNone {
			d.Held = REPARACION
		}
	case has("REPARACION_PAUSADA"):
		d.Quality = ReparacionPausada
	case has("PENDIENTE_METROLOGIA"), has("REPARACION COMPLETADO"):
		d.Quality = PendienteMetrologia
	case has("RECHAZADO"):
		d.Quality = RechazadoQ
	}
	return d
}

// findCiclo reads the first "CICLO n/3" of an upper-cased text. Counts above
// the limit are read as the limit.
func findCiclo(f string) (uint8, bool) {
	for {
		_, rest, ok := strings.Cut(f, "CICLO")
		if !ok {
			return 0, false
		}
		f = rest
		digits, tail, ok := strings.Cut(strings.TrimLeftFunc(rest, unicode.IsSpace), "/")
		if !ok || !strings.HasPrefix(tail, strconv.Itoa(MaxCiclo)) || len(digits) == len(rest)-len(tail)-1 {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil {
			continue
		}
		return uint8(min(n, MaxCiclo)), true
	}
}

// findHolder reads "W trabajando ARM (…" and "… Ocupado: W".
func findHolder(text string) (Person, Op) {
	if name, rest, ok := strings.Cut(text, " trabajando "); ok {
		word, _, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
		if op, ok := ParseOp(word); ok && (op == ARM || op == SOLD) {
			return ParsePerson(name), op
		}
		return ParsePerson(name), OpNone
	}
	if _, name, ok := strings.Cut(text, "Ocupado: "); ok {
		return ParsePerson(name), OpNone
	}
	return Person{}, OpNone
}
