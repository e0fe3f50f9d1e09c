package fsm

import (
	"slices"
	"strings"

	"envivo/plant"
)

// inspeccionar is the verdict of Metrología (rules §4.3).
func (j *judge) inspeccionar() (plant.Event, error) {
	verdict := j.c.Resultado
	if verdict != plant.Aprobado && verdict != plant.Rechazado {
		if !j.probe {
			return plant.Event{}, j.invalid("resultado")
		}
		verdict = plant.Aprobado
	}
	if err := j.may(plant.METROLOGIA); err != nil {
		return plant.Event{}, err
	}
	if err := j.inspectable(); err != nil {
		return plant.Event{}, err
	}
	motivo := strings.TrimSpace(j.c.Motivo)
	if len([]rune(motivo)) > maxText {
		return plant.Event{}, j.invalid("motivo")
	}
	e := j.event(plant.KindInspeccion, plant.METROLOGIA)
	e.Resultado, e.Fecha, e.Motivo = verdict, j.day(), motivo
	if err := j.faulty(&e); err != nil {
		return plant.Event{}, err
	}
	on := aprobar
	if verdict == plant.Rechazado {
		on = rechazar
	}
	p := j.progress()
	next, err := j.quality.step(p.Quality, on, facts{ciclo: p.Ciclo})
	if err != nil {
		return plant.Event{}, j.stepped(plant.METROLOGIA, err)
	}
	p.Quality, p.Inspector = next, j.person
	if verdict == plant.Aprobado {
		p.Ciclo, p.FechaQC, p.Motivo, p.RejectedAt = 0, j.day(), "", noTime
	} else {
		p.Ciclo, p.FechaQC, p.Motivo, p.RejectedAt = min(p.Ciclo+1, plant.MaxCiclo), 0, motivo, j.now
	}
	return j.seal(e, p)
}

// inspectable are the checks of work, holder and state.
func (j *judge) inspectable() error {
	s := &j.s
	switch again := s.Quality == plant.PendienteMetrologia; {
	case !again && !s.ArmComplete(j.rules):
		return j.dependency(plant.CodeDependency, plant.METROLOGIA, "ARM completado")
	case !again && !s.SoldComplete(j.rules):
		return j.dependency(plant.CodeDependency, plant.METROLOGIA, "SOLD completado")
	case !s.Hold.Free():
		return j.occupied()
	case !again && s.Quality != plant.SinVeredicto:
		return j.done(plant.METROLOGIA)
	}
	return nil
}

// faulty notes the unions a rejection is about.
func (j *judge) faulty(e *plant.Event) error {
	if e.Resultado != plant.Rechazado {
		return nil
	}
	var missing []int
	for _, n := range j.c.Unions {
		u, ok := j.s.Union(n)
		if !ok || slices.Contains(e.Selected, n) {
			missing = append(missing, n)
			continue
		}
		e.Selected, e.PD = append(e.Selected, n), e.PD+u.DN
	}
	if len(missing) > 0 {
		r := j.refuse(plant.CodeUnion)
		r.Unions = missing
		return r
	}
	slices.Sort(e.Selected)
	return nil
}

// byHand reports whether the command is the unblocking of a supervisor who
// typed RECHAZADO over BLOQUEADO in the Sheet: nobody pressed anything, and a
// cell holds no motive (rules §4.5).
func (j *judge) byHand() bool {
	return j.c.Verb == plant.Desbloquear && j.c.Supervisor && j.c.Device == plant.SheetDevice && j.c.Ciclo != nil
}

// desbloquear opens a spool rejected three times: rejected, in cycle 0 or, by
// hand in the Sheet, in the cycle of the text (rules §4.5).
func (j *judge) desbloquear() (plant.Event, error) {
	if !j.c.Supervisor {
		return plant.Event{}, j.refuse(plant.CodeSupervisor)
	}
	next, err := j.quality.step(j.s.Quality, desbloquear, facts{})
	if err != nil {
		return plant.Event{}, j.stepped(plant.REPARACION, err)
	}
	p := j.progress()
	p.Quality, p.Ciclo = next, 0
	e := j.event(plant.KindDesbloquear, plant.REPARACION)
	if j.byHand() {
		if *j.c.Ciclo >= plant.MaxCiclo { // Ciclo 3/3 reads as blocked
			return plant.Event{}, j.invalid("ciclo")
		}
		p.Ciclo = *j.c.Ciclo
		return j.seal(e, p)
	}
	if e.Motivo, err = j.motive(); err != nil {
		return plant.Event{}, err
	}
	return j.seal(e, p)
}

// deshacer restores what was before the spool's last command, by a new event
// (rules §6.1).
func (j *judge) deshacer() (plant.Event, error) {
	u, by := j.s.Undo, j.who.ID
	if j.c.Actor == plant.BySupervisor {
		by = 0 // whose own acts name no worker
	}
	switch {
	case u == nil, u.Actor != by, j.c.Undoes != 0 && j.c.Undoes != u.Seq, j.now.Sub(u.At) > j.rules.UndoWithin:
		return plant.Event{}, j.idle(plant.CodeUndoLate)
	}
	p := u.Progress
	op := undoneOp(u.Kind, &j.s)
	e := j.event(plant.KindDeshacer, op)
	e.Undoes, e.Unions = u.Seq, u.Unions
	if p.Hold.Free() {
		e.HoldSince = j.s.Hold.Since
	}
	return j.seal(e, p)
}

// undoneOp is the operation the undone command was about.
func undoneOp(k plant.Kind, s *plant.Spool) plant.Op {
	switch k {
	case plant.KindInspeccion:
		return plant.METROLOGIA
	case plant.KindTomarReparacion, plant.KindPausarReparacion, plant.KindCompletarReparacion:
		return plant.REPARACION
	case plant.KindTomar, plant.KindRelevar:
		return s.Hold.Op
	}
	return s.LastOp
}
