package sample

import (
	"fmt"
	"time"

	"envivo/plant"
	"envivo/sheetsync/table"
)

// stage is how far a spool has come.
type stage uint8

const (
	noMaterial stage = iota
	readyArm
	pausedArm
	heldArm
	readySold
	pausedSold
	heldSold
	pending
	approved
	rejected1
	rejected2
	repairing
	repairPaused
	repaired
	blocked
)

// stages lists one stage per spool; approved ones fill up the rest.
func stages() []stage {
	count := []struct {
		st stage
		n  int
	}{
		{noMaterial, 412}, {readyArm, 487}, {pausedArm, 58}, {heldArm, 9}, {readySold, 371}, {pausedSold, 47}, {heldSold, 6},
		{pending, 166}, {rejected1, 17}, {rejected2, 6}, {repairing, 3}, {repairPaused, 5}, {repaired, 8}, {blocked, 4},
	}
	out := make([]stage, 0, Spools)
	for _, c := range count {
		for range c.n {
			out = append(out, c.st)
		}
	}
	for len(out) < Spools {
		out = append(out, approved)
	}
	return out
}

// live takes a spool to its stage, step by step, the way the floor would.
func (w *World) live(sp *plant.Spool, st stage) {
	if st == noMaterial {
		return
	}
	days := w.age(st)
	t := w.shift(days)
	sp.Office.Materiales = plant.DateOf(t.AddDate(0, 0, -2-w.rng.IntN(25)))
	if st == readyArm {
		return
	}
	legacy := days > 60 && w.rng.IntN(3) == 0 // built before unions were tracked
	switch st {
	case heldArm:
		w.hold(sp, plant.ARM)
		return
	case pausedArm:
		w.work(sp, plant.ARM, t, false, legacy)
		return
	}
	t = w.work(sp, plant.ARM, t, true, legacy)
	switch st {
	case readySold:
	case heldSold:
		w.hold(sp, plant.SOLD)
	case pausedSold:
		w.work(sp, plant.SOLD, w.next(t), false, legacy)
	default:
		t = w.work(sp, plant.SOLD, w.next(t), true, legacy)
		w.quality(sp, st, w.next(t))
	}
	if w.rng.IntN(60) == 0 {
		sp.Notas = fmt.Sprintf("%s: %s", t.In(plant.Zone()).Format("20060102"), notes()[w.rng.IntN(len(notes()))])
	}
}

func notes() []string {
	return []string{"Falta brida ciega, se pide a bodega", "Revisar pendiente según plano rev. 3", "Material con golpe, se cambió el codo", "Prioridad de cliente", "Medida corregida en terreno (+5 mm)"}
}

// age is how many days ago work on a spool of that stage began.
func (w *World) age(st stage) int {
	switch st {
	case readyArm, heldArm, pausedArm:
		return 1 + w.rng.IntN(6)
	case readySold, heldSold, pausedSold:
		return 3 + w.rng.IntN(18)
	case approved:
		return 14 + w.rng.IntN(200)
	}
	return 12 + w.rng.IntN(30)
}

// shift is a moment in the working hours of the day that many days ago.
func (w *World) shift(days int) time.Time {
	d := plant.DateOf(w.Base) - plant.Date(days)
	return d.Start().Add(8*time.Hour + time.Duration(w.rng.IntN(6*3600))*time.Second)
}

// next is some hours or a day later, still before the base instant.
func (w *World) next(t time.Time) time.Time {
	t = t.Add(time.Duration(1+w.rng.IntN(20)) * time.Hour)
	if latest := w.Base.Add(-6 * time.Hour); t.After(latest) {
		t = latest.Add(time.Duration(w.rng.IntN(3600)) * time.Second)
	}
	return t
}

// log records an event of the sample in the plant's log, unless it is older
// than the log.
func (w *World) log(sp *plant.Spool, e plant.Event) {
	e.ID, e.Tag = w.id(), sp.Tag
	if e.Worker.None() {
		e.Worker = e.Actor
	}
	p := sp.Progress
	e.Progress, e.Fecha, e.Token = &p, plant.DateOf(e.At), e.ID
	sp.Touched, sp.Token, sp.Changed = true, e.ID, e.At
	if e.At.After(w.logFrom) {
		w.Log = append(w.Log, table.EventRows(e)...)
	}
}

func roleOf(op plant.Op) plant.Role {
	if op == plant.SOLD {
		return plant.Soldador
	}
	return plant.Armador
}

// part is the ARM or SOLD part of a spool.
func part(sp *plant.Spool, op plant.Op) *plant.Work {
	if op == plant.SOLD {
		return &sp.Sold
	}
	return &sp.Arm
}

// take makes somebody the holder of a spool.
func (w *World) take(sp *plant.Spool, op plant.Op, who plant.Person, at time.Time) {
	sp.Hold = plant.Hold{Worker: who, Op: op, Since: at, Token: fmt.Sprintf("%d:%s", who.ID, w.id())}
	if op != plant.REPARACION {
		*part(sp, op) = plant.Work{Phase: plant.EnProgreso, Worker: who}
	}
	w.log(sp, plant.Event{Kind: plant.KindTomar, Op: op, Worker: who, At: at})
}

// hold lets somebody have the spool right now; one in five has had it for more
// than an hour. Half of the held spools were begun by somebody else.
func (w *World) hold(sp *plant.Spool, op plant.Op) {
	if len(sp.Unions) > 2 && w.rng.IntN(2) == 0 {
		w.session(sp, op, w.Base.Add(-26*time.Hour), 1)
	}
	minutes := 3 + w.rng.IntN(52)
	if w.rng.IntN(5) == 0 {
		minutes = 70 + w.rng.IntN(150)
	}
	w.take(sp, op, w.pick(roleOf(op)), w.Base.Add(-time.Duration(minutes)*time.Minute-time.Duration(w.rng.IntN(60))*time.Second))
}

// work does ARM or SOLD in one to three sittings, to the end or not, and
// returns when it was left.
func (w *World) work(sp *plant.Spool, op plant.Op, at time.Time, finish, legacy bool) time.Time {
	open := len(w.open(sp, op))
	sittings := 1
	if open > 3 {
		sittings += w.rng.IntN(2)
	}
	for s := range sittings {
		last := s == sittings-1
		n := open / (sittings + 1)
		if last && finish {
			n = open
		}
		if legacy {
			n = 0
		}
		if last && finish {
			return w.complete(sp, op, at, legacy)
		}
		at = w.next(w.session(sp, op, at, n))
	}
	return at
}

// open are the unions that can be done now.
func (w *World) open(sp *plant.Spool, op plant.Op) []int {
	var out []int
	for i, u := range sp.Unions {
		if op == plant.ARM && !u.Arm.Done() || op == plant.SOLD && w.rules.Welded[u.Tipo] && !u.Sold.Done() && u.Arm.Done() {
			out = append(out, i)
		}
	}
	return out
}

// session is one sitting that ends in a pause, with n unions finished.
func (w *World) session(sp *plant.Spool, op plant.Op, at time.Time, n int) time.Time {
	who := w.pick(roleOf(op))
	w.take(sp, op, who, at)
	end := at.Add(time.Duration(20+w.rng.IntN(100)) * time.Minute)
	e := plant.Event{Kind: plant.KindPausar, Op: op, Worker: who, At: end}
	w.join(sp, &e, min(n, max(0, len(w.open(sp, op))-1)))
	part(sp, op).Phase = plant.Pausado
	w.release(sp)
	w.log(sp, e)
	return end
}

// complete is the last sitting.
func (w *World) complete(sp *plant.Spool, op plant.Op, at time.Time, legacy bool) time.Time {
	who := w.pick(roleOf(op))
	w.take(sp, op, who, at)
	end := at.Add(time.Duration(20+w.rng.IntN(140)) * time.Minute)
	e := plant.Event{Kind: plant.KindCompletar, Op: op, Worker: who, At: end}
	if !legacy {
		w.join(sp, &e, len(sp.Unions))
	}
	if legacy && op == plant.SOLD {
		for i := range sp.Unions { // nobody went back to fill in the unions
			sp.Unions[i].Arm, sp.Unions[i].Sold = plant.JointWork{}, plant.JointWork{}
		}
		sp.Unions = nil
	}
	*part(sp, op) = plant.Work{Phase: plant.Completado, Worker: who, Fecha: plant.DateOf(end)}
	w.release(sp)
	e.Ready = op == plant.SOLD && sp.InspectionReady(w.rules)
	if e.Ready {
		sp.ReadyAt = end
	}
	w.log(sp, e)
	return end
}

func (w *World) release(sp *plant.Spool) {
	sp.LastHolder, sp.LastOp, sp.Hold = sp.Hold.Worker, sp.Hold.Op, plant.Hold{}
}

// join finishes the next n unions of the hold and writes them into the event.
func (w *World) join(sp *plant.Spool, e *plant.Event, n int) {
	for _, i := range w.open(sp, e.Op) {
		if n == 0 {
			break
		}
		n--
		u := &sp.Unions[i]
		done := plant.JointWork{Worker: e.Worker, Start: sp.Hold.Since, End: e.At}
		if e.Op == plant.SOLD {
			u.Sold = done
		} else {
			u.Arm = done
		}
		e.Selected = append(e.Selected, u.N)
		e.PD += u.DN
	}
	t := sp.Tally(w.rules)
	e.Done, e.Needed = t.Armed, t.Total
	if e.Op == plant.SOLD {
		e.Done, e.Needed = t.Welded, t.ToWeld
	}
}

// quality takes a finished spool through inspections and repairs.
func (w *World) quality(sp *plant.Spool, st stage, at time.Time) {
	if st == pending {
		return
	}
	cycles := 0
	switch st {
	case rejected1, repairing, repairPaused, repaired:
		cycles = 1
	case rejected2:
		cycles = 2
	case blocked:
		cycles = plant.MaxCiclo
	case approved:
		if w.rng.IntN(14) == 0 {
			cycles = 1 + w.rng.IntN(2)
		}
	}
	for c := 1; c <= cycles; c++ {
		at = w.inspect(sp, plant.Rechazado, at)
		if c < cycles || st == approved || st == repaired {
			at = w.repair(sp, at)
		}
	}
	switch st {
	case approved:
		w.inspect(sp, plant.Aprobado, at)
	case repairing, repairPaused:
		who := w.pick(plant.Soldador | plant.Armador)
		if st == repairing {
			at = w.Base.Add(-time.Duration(5+w.rng.IntN(110)) * time.Minute)
		}
		sp.Quality = plant.EnReparacion
		w.take(sp, plant.REPARACION, who, at)
		if st == repairPaused {
			sp.Quality = plant.ReparacionPausada
			w.release(sp)
			w.log(sp, plant.Event{Kind: plant.KindPausarReparacion, Op: plant.REPARACION, Worker: who, At: at.Add(40 * time.Minute)})
		}
	}
}

// inspect gives a verdict.
func (w *World) inspect(sp *plant.Spool, r plant.Resultado, at time.Time) time.Time {
	who := w.pick(plant.Metrologia)
	e := plant.Event{Kind: plant.KindInspeccion, Op: plant.METROLOGIA, Worker: who, At: at, Resultado: r}
	sp.Inspector = who
	if r == plant.Aprobado {
		sp.Quality, sp.Ciclo, sp.FechaQC = plant.AprobadoQ, 0, plant.DateOf(at)
	} else {
		sp.Ciclo++
		sp.Quality, sp.RejectedAt = plant.RechazadoQ, at
		e.Motivo = []string{"porosidad en la unión 2", "desalineación > 2 mm", "falta de penetración", "medida fuera de tolerancia"}[w.rng.IntN(4)]
		sp.Motivo = e.Motivo
		if sp.Ciclo == plant.MaxCiclo {
			sp.Quality = plant.BloqueadoQ
		}
	}
	w.log(sp, e)
	return w.next(at)
}

// repair is one complete repair.
func (w *World) repair(sp *plant.Spool, at time.Time) time.Time {
	who := w.pick(plant.Soldador | plant.Armador)
	sp.Quality = plant.EnReparacion
	w.take(sp, plant.REPARACION, who, at)
	end := at.Add(time.Duration(25+w.rng.IntN(60)) * time.Minute)
	sp.Quality, sp.ReadyAt = plant.PendienteMetrologia, end
	w.release(sp)
	w.log(sp, plant.Event{Kind: plant.KindCompletarReparacion, Op: plant.REPARACION, Worker: who, At: end})
	return w.next(end)
}
