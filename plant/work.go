package plant

import "time"

// Complete reports whether ARM or SOLD has nothing left to do (rules §11.5);
// false for other operations.
func (s *Spool) Complete(op Op, r Rules) bool {
	switch op {
	case ARM:
		return s.ArmComplete(r)
	case SOLD:
		return s.SoldComplete(r)
	}
	return false
}

// Phase is where ARM or SOLD stands by the rules. With unions completion
// follows from them alone: a date that the unions contradict counts as begun,
// so the missing ones can still be done.
func (s *Spool) Phase(op Op, r Rules) Phase {
	if !s.Hold.Free() && s.Hold.Op == op {
		return EnProgreso
	}
	if s.Complete(op, r) {
		return Completado
	}
	if p := s.Work(op).Phase; p == Pendiente {
		return Pendiente
	}
	return Pausado
}

// Counts are the unions finished and required for ARM or SOLD; 0, 0 without
// unions.
func (s *Spool) Counts(op Op, r Rules) (done, needed int) {
	t := s.Tally(r)
	switch op {
	case ARM:
		return t.Armed, t.Total
	case SOLD:
		return t.Welded, t.ToWeld
	}
	return 0, 0
}

// Available are the unions that can be done now for ARM or SOLD (rules §6.5
// step 4): for ARM those not armed, for SOLD the armed ones that need welding
// and are not welded. On a spool fitted before unions were tracked every union
// that needs welding counts as armed.
func (s *Spool) Available(op Op, r Rules) []Union {
	before := op == SOLD && s.ArmBeforeTracking()
	var out []Union
	for _, u := range s.Unions {
		switch {
		case op == ARM && !u.Arm.Done(),
			op == SOLD && r.Welded[u.Tipo] && !u.Sold.Done() && (u.Arm.Done() || before):
			out = append(out, u)
		}
	}
	return out
}

// Open are the numbers of the unions not finished for ARM or SOLD, whether or
// not they can be done already.
func (s *Spool) Open(op Op, r Rules) []int {
	var out []int
	for _, u := range s.Unions {
		if op == ARM && !u.Arm.Done() || op == SOLD && r.Welded[u.Tipo] && !u.Sold.Done() {
			out = append(out, u.N)
		}
	}
	return out
}

// Part is the ARM or SOLD part of the union.
func (u *Union) Part(op Op) *JointWork {
	if op == SOLD {
		return &u.Sold
	}
	return &u.Arm
}

// LastDone is the union whose ARM or SOLD was finished last; ok is false when
// none was.
func (s *Spool) LastDone(op Op) (last JointWork, ok bool) {
	for i := range s.Unions {
		if w := s.Unions[i].Part(op); w.Done() && (!ok || !w.End.Before(last.End)) {
			last, ok = *w, true
		}
	}
	return last, ok
}

// FinishedAt is when ARM or SOLD was completed as far as anybody knows: the
// instant of its last union, else the first instant of its day.
func (s *Spool) FinishedAt(op Op) time.Time {
	if w, ok := s.LastDone(op); ok {
		return w.End
	}
	if f := s.Work(op).Fecha; f != 0 {
		return f.Start()
	}
	return time.Time{}
}

// InQueue reports whether the spool waits for an inspector: complete, free and
// without a verdict or repair that is still open.
func (s *Spool) InQueue(r Rules) bool {
	return s.Hold.Free() && (s.Quality == SinVeredicto || s.Quality == PendienteMetrologia) && s.InspectionReady(r)
}
