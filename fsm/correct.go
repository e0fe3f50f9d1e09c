package fsm

import (
	"slices"
	"strings"

	"envivo/plant"
)

// corregir takes a hand-made edit of the Sheet that a supervisor accepts (rules
// §2.9), or who did what as a supervisor puts it right. The former changes what
// columns hold and nothing else: never who has the spool, and never what the
// unions say.
func (j *judge) corregir() (plant.Event, error) {
	if !j.c.Supervisor {
		return plant.Event{}, j.refuse(plant.CodeSupervisor)
	}
	if c := j.c.Correction; c != nil && len(c.Authors) > 0 {
		return j.corregirAutores()
	}
	e, err := j.correction()
	if err != nil {
		return plant.Event{}, err
	}
	if err := j.notBlocked(); err != nil {
		return plant.Event{}, err
	}
	proposed := &j.c.Correction.Progress
	switch {
	case !j.s.Hold.Free():
		return plant.Event{}, j.occupied()
	case proposed.Hold != plant.Hold{}:
		return plant.Event{}, j.invalid("Ocupado_Por")
	}
	p := j.corrected(proposed)
	if now := &j.s.Progress; p.Arm == now.Arm && p.Sold == now.Sold && p.Quality == now.Quality && p.Ciclo == now.Ciclo && p.FechaQC == now.FechaQC {
		return plant.Event{}, j.idle(plant.CodeUnchanged)
	}
	for _, check := range []func(*plant.Progress) error{j.computed, j.dated, j.possible, j.complete} {
		if err := check(&p); err != nil {
			return plant.Event{}, err
		}
	}
	return j.seal(e, p)
}

// correction begins the event of a correction that says what it is about.
func (j *judge) correction() (plant.Event, error) {
	c := j.c.Correction
	if c == nil {
		return plant.Event{}, j.invalid("correction")
	}
	if n := len(c.Columns); n == 0 || len(c.Old) != n || len(c.New) != n || slices.Contains(c.Columns, "") {
		return plant.Event{}, j.invalid("columnas")
	}
	motivo := strings.TrimSpace(j.c.Motivo)
	if len([]rune(motivo)) > maxText {
		return plant.Event{}, j.invalid("motivo")
	}
	e := j.event(plant.KindCorregir, plant.OpNone)
	e.Supervisor, e.Motivo, e.Texto = true, motivo, strings.TrimSpace(j.c.Texto)
	for i, column := range c.Columns {
		e.Correction = append(e.Correction, plant.CellEdit{Column: column, Old: c.Old[i], New: c.New[i]})
	}
	return e, nil
}

// corrected is the spool's progress with what columns hold taken from the
// proposal. A verdict that comes or goes with it has neither inspector nor
// motive, and a QC date stays only with an approval.
func (j *judge) corrected(proposed *plant.Progress) plant.Progress {
	p, was := j.progress(), verdictOf(j.s.Quality)
	p.Arm, p.Sold, p.Quality, p.Ciclo, p.FechaQC = proposed.Arm, proposed.Sold, proposed.Quality, proposed.Ciclo, proposed.FechaQC
	is := verdictOf(p.Quality)
	if is == plant.Aprobado {
		p.Ciclo = 0
	}
	if is == was {
		return p
	}
	p.Inspector, p.Motivo, p.RejectedAt = plant.Person{}, "", noTime
	if is == plant.Rechazado {
		p.RejectedAt = j.now
	}
	if is != plant.Aprobado && p.FechaQC == j.s.FechaQC {
		p.FechaQC = 0
	}
	return p
}

// verdictOf is the last verdict a quality follows from.
func verdictOf(q plant.Quality) plant.Resultado {
	switch q {
	case plant.SinVeredicto:
		return plant.ResultadoNone
	case plant.AprobadoQ:
		return plant.Aprobado
	}
	return plant.Rechazado
}

// columns are the cells of an operation: who, and when it was finished.
func columns(op plant.Op) (who, fecha string) {
	if op == plant.SOLD {
		return "Soldador", "Fecha_Soldadura"
	}
	return "Armador", "Fecha_Armado"
}

// computed refuses to type what follows from the unions (rules §11.5).
func (j *judge) computed(p *plant.Progress) error {
	if len(j.s.Unions) == 0 {
		return nil
	}
	for _, op := range []plant.Op{plant.ARM, plant.SOLD} {
		was, is := j.s.Work(op), part(p, op)
		who, fecha := columns(op)
		var r *plant.Error
		switch {
		case is.Fecha != was.Fecha:
			r = j.invalid(fecha)
		case is.Phase != was.Phase:
			r = j.invalid(who)
		default:
			continue
		}
		r.Op, r.Detail = op, "it follows from the unions"
		return r
	}
	return nil
}

// dated refuses days to come.
func (j *judge) dated(p *plant.Progress) error {
	today := plant.DateOf(j.now)
	for _, d := range []struct {
		column  string
		was, is plant.Date
	}{
		{"Fecha_Armado", j.s.Arm.Fecha, p.Arm.Fecha}, {"Fecha_Soldadura", j.s.Sold.Fecha, p.Sold.Fecha}, {"Fecha_QC_Metrología", j.s.FechaQC, p.FechaQC},
	} {
		if d.is != d.was && d.is > today {
			return j.invalid(d.column)
		}
	}
	return nil
}

// possible refuses a state that no command leads to.
func (j *judge) possible(p *plant.Progress) error {
	after := j.s
	after.Progress = *p
	if err := Legal(&after); err != nil {
		r := j.invalid("correction")
		r.Detail, r.Err = "the corrected state is not one of ours", err
		return r
	}
	switch approved := p.Quality == plant.AprobadoQ; {
	case p.Ciclo == plant.MaxCiclo && p.Quality != plant.BloqueadoQ:
		return j.invalid("Estado_Detalle")
	case approved && p.FechaQC == 0, !approved && p.FechaQC != 0 && p.FechaQC != j.s.FechaQC:
		return j.invalid("Fecha_QC_Metrología")
	}
	return nil
}

// complete refuses a verdict on unfinished work, and to reopen work under one
// (rules §4.3). What came in that way from an older sheet may stay.
func (j *judge) complete(p *plant.Progress) error {
	if p.Quality == plant.SinVeredicto {
		return nil
	}
	before, after := j.s, j.s
	after.Progress = *p
	odd := before.Quality != plant.SinVeredicto
	switch {
	case !after.ArmComplete(j.rules) && (!odd || before.ArmComplete(j.rules)):
		return j.dependency(plant.CodeDependency, plant.METROLOGIA, "ARM completado")
	case !after.SoldComplete(j.rules) && (!odd || before.SoldComplete(j.rules)):
		return j.dependency(plant.CodeDependency, plant.METROLOGIA, "SOLD completado")
	}
	return nil
}
