package sheetsync

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"envivo/plant"
	"envivo/sheetsync/table"
)

// Reasons of hydration (rules §4.6).
const (
	heldByStranger  = "ocupado por alguien sin número de trabajador"
	heldForUnknown  = "ocupado sin que se sepa para qué operación"
	heldSince       = "ocupado sin hora de toma; se usó la hora de la importación"
	soldWithoutArm  = "SOLD terminado sin ARM"
	datesOutOfOrder = "la soldadura es anterior al armado"
	dateContradicts = "la fecha dice terminado, las uniones no; vale lo que dicen las uniones"
	repairNobody    = "en reparación sin ocupante; quedó pausada"
)

// hydrator derives the state of one spool from its cells. It is used when a
// spool enters the store, and never again.
type hydrator struct {
	row      table.SpoolRow
	log      []plant.MetadataRow // of this spool, in the order of the worksheet
	rules    plant.Rules
	now      time.Time
	sp       plant.Spool
	findings []table.Finding
}

// Hydrate is the state that a row, its unions and its rows of the log stand for
// (rules §4.6). It depends on its arguments alone.
func Hydrate(row table.SpoolRow, unions []plant.Union, log []plant.MetadataRow, r plant.Rules, now time.Time) (plant.Spool, []table.Finding) {
	h := &hydrator{row: row, log: log, rules: r, now: now}
	h.sp = plant.Spool{Tag: row.Tag, Order: int32(row.Row), Office: row.Office, Unions: unions, Notas: row.Notas,
		Touched: row.Estado != "", Damaged: row.Damaged}
	if _, err := uuid.Parse(row.Version); err == nil {
		h.sp.Token = row.Version
	}
	text := plant.ParseEstadoDetalle(row.Estado)
	h.quality(text)
	h.hold(text)
	h.work(plant.ARM, row.Armador, row.FechaArmado)
	h.work(plant.SOLD, row.Soldador, row.FechaSoldadura)
	h.agree()
	h.last()
	h.remark()
	return h.sp, h.findings
}

func (h *hydrator) find(column, value, reason string, a table.Action) {
	h.findings = append(h.findings, table.Finding{Sheet: table.Operaciones, Row: h.row.Row, Column: column, Value: value, Reason: reason, Action: a})
}

// quality is where Metrología and Reparación stand, and the cycle (rules §4.5).
func (h *hydrator) quality(text plant.Detalle) {
	sp := &h.sp
	sp.Quality, sp.FechaQC = text.Quality, h.row.FechaQC
	verdict, at, who := h.lastVerdict()
	switch sp.Quality {
	case plant.SinVeredicto:
		if sp.FechaQC != 0 {
			sp.Quality = plant.AprobadoQ
			if verdict.Resultado == plant.Aprobado.String() {
				sp.Inspector = who
			}
		}
		return
	case plant.BloqueadoQ:
		sp.Ciclo = plant.MaxCiclo
	default:
		sp.Ciclo = text.Ciclo
		if !text.HasCiclo {
			sp.Ciclo = max(1, min(h.rejections(), plant.MaxCiclo-1))
		}
		if sp.Ciclo >= plant.MaxCiclo { // Ciclo 3/3 means blocked
			sp.Quality, sp.Ciclo = plant.BloqueadoQ, plant.MaxCiclo
		}
	}
	if verdict.Resultado == plant.Rechazado.String() {
		sp.Inspector, sp.RejectedAt, sp.Motivo = who, at, verdict.Motivo
	}
}

// verdict is one inspection of the log.
type verdict struct {
	detailsJSON
	at  time.Time
	who plant.Person
}

// verdicts are the inspections of the log that were not taken back, oldest
// first: an undo is about the act right before it.
func (h *hydrator) verdicts() []verdict {
	var out []verdict
	last := false // the act before was an inspection
	for _, m := range h.log {
		d := details(m)
		switch verb, _, _ := strings.Cut(m.EventoTipo, "_"); {
		case verb == "UNION", verb == "METROLOGIA": // tell more of the row before
			continue
		case m.EventoTipo == "COMPLETAR_METROLOGIA" && d.Resultado != "":
			out, last = append(out, verdict{d, m.At, plant.ParsePerson(m.WorkerNombre)}), true
			continue
		case m.EventoTipo == "SYSTEM_REMEDIATION" && d.Deshace != 0 && last:
			out = out[:len(out)-1]
		}
		last = false
	}
	return out
}

func (h *hydrator) lastVerdict() (v detailsJSON, at time.Time, who plant.Person) {
	if all := h.verdicts(); len(all) > 0 {
		x := all[len(all)-1]
		return x.detailsJSON, x.at, x.who
	}
	return v, at, who
}

// rejections counts the consecutive RECHAZADO at the end of the log.
func (h *hydrator) rejections() uint8 {
	n := uint8(0)
	for _, v := range slices.Backward(h.verdicts()) {
		if v.Resultado != plant.Rechazado.String() || n == plant.MaxCiclo {
			break
		}
		n++
	}
	return n
}

// hold is who has the spool, and for what.
func (h *hydrator) hold(text plant.Detalle) {
	who := h.row.Ocupado
	if who.None() {
		if h.sp.Quality == plant.EnReparacion {
			h.sp.Quality = plant.ReparacionPausada
			h.find("Ocupado_Por", "", repairNobody, table.Repaired)
		}
		return
	}
	op := h.heldFor(who, text)
	switch {
	case op == plant.REPARACION && h.sp.Quality == plant.BloqueadoQ, h.finished(op):
		op = plant.OpNone
	case op == plant.REPARACION:
		h.sp.Quality = plant.EnReparacion
		h.sp.Ciclo = max(h.sp.Ciclo, 1)
		if text.HasCiclo {
			h.sp.Ciclo = text.Ciclo
		}
	case h.sp.Quality == plant.EnReparacion: // held for something else
		h.sp.Quality = plant.ReparacionPausada
	}
	since := h.row.FechaOcupacion
	if since.IsZero() {
		since = h.now
		h.find("Fecha_Ocupacion", "", heldSince, table.Repaired)
	}
	h.sp.Hold = plant.Hold{Worker: who, Op: op, Since: since, Token: lockToken(h.log, h.row.Tag, who, since)}
	if who.ID == 0 {
		h.find("Ocupado_Por", who.Display, heldByStranger, table.Noted)
	}
	if op == plant.OpNone {
		h.find("Ocupado_Por", who.Display, heldForUnknown, table.Noted)
	}
}

// finished reports that a date says the operation is done and no union says
// otherwise.
func (h *hydrator) finished(op plant.Op) bool {
	switch op {
	case plant.ARM:
		return h.row.FechaArmado != 0 && !h.contradicted(op)
	case plant.SOLD:
		return h.row.FechaSoldadura != 0 && !h.contradicted(op)
	}
	return false
}

// contradicted reports that the unions deny a completion date. Nobody doubts
// the date of a spool that was inspected, nor an ARM from before the unions.
func (h *hydrator) contradicted(op plant.Op) bool {
	sp := h.sp // a trial: completed by its date
	sp.Hold = plant.Hold{}
	*partOf(&sp, op) = plant.Work{Phase: plant.Completado, Fecha: 1}
	return len(sp.Unions) > 0 && sp.Quality == plant.SinVeredicto && !sp.Complete(op, h.rules)
}

func (h *hydrator) heldFor(who plant.Person, text plant.Detalle) plant.Op {
	same := func(w plant.Person) bool { return w == who || w.ID != 0 && w.ID == who.ID }
	switch {
	case text.Held != plant.OpNone:
		return text.Held
	case same(h.row.Soldador) && h.row.FechaSoldadura == 0:
		return plant.SOLD
	case same(h.row.Armador) && h.row.FechaArmado == 0:
		return plant.ARM
	case h.row.FechaArmado == 0:
		return plant.ARM
	case h.row.FechaSoldadura == 0:
		return plant.SOLD
	case text.Repair:
		return plant.REPARACION
	}
	return plant.OpNone
}

// work is ARM or SOLD as the columns have it.
func (h *hydrator) work(op plant.Op, who plant.Person, date plant.Date) {
	w := plant.Work{Worker: who, Fecha: date}
	held := !h.sp.Hold.Free() && h.sp.Hold.Op == op
	switch {
	case held:
		w.Phase, w.Fecha = plant.EnProgreso, 0
		if who.None() {
			w.Worker = h.sp.Hold.Worker
		}
	case date != 0:
		w.Phase = plant.Completado
	case !who.None():
		w.Phase = plant.Pausado
	}
	*partOf(&h.sp, op) = w
}

func partOf(sp *plant.Spool, op plant.Op) *plant.Work {
	if op == plant.SOLD {
		return &sp.Sold
	}
	return &sp.Arm
}

// agree lets the unions decide about phases and dates (rules §11.5), as long as
// nobody has inspected the spool.
func (h *hydrator) agree() {
	sp := &h.sp
	if len(sp.Unions) == 0 || sp.Quality != plant.SinVeredicto {
		return
	}
	for _, op := range []plant.Op{plant.ARM, plant.SOLD} {
		w := partOf(sp, op)
		_, needed := sp.Counts(op, h.rules)
		complete := sp.Complete(op, h.rules)
		last, any := sp.LastDone(op)
		switch {
		case w.Phase == plant.EnProgreso:
		case complete && needed > 0 && w.Phase != plant.Completado && any:
			w.Phase, w.Fecha = plant.Completado, plant.DateOf(last.End)
			if w.Worker.None() {
				w.Worker = last.Worker
			}
		case !complete && w.Phase == plant.Completado:
			h.find(map[plant.Op]string{plant.ARM: "Fecha_Armado", plant.SOLD: "Fecha_Soldadura"}[op], w.Fecha.String(), dateContradicts, table.Repaired)
			w.Phase, w.Fecha = plant.Pausado, 0
		case any && w.Phase == plant.Pendiente:
			w.Phase = plant.Pausado
		}
	}
}

// last is who had the spool last and since when it waits for an inspector: by
// the log, else as far as texts and columns tell.
func (h *hydrator) last() {
	sp, t := &h.sp, follow(h.log)
	sp.LastHolder, sp.LastOp = t.last, t.op
	arm, sold := sp.Phase(plant.ARM, h.rules) == plant.Pausado, sp.Phase(plant.SOLD, h.rules) == plant.Pausado
	op := plant.OpNone
	switch text := h.row.Estado; {
	case strings.Contains(text, "SOLD parcial") && (t.op == plant.ARM && arm || t.op == plant.OpNone):
		op = plant.SOLD
	case strings.Contains(text, "ARM parcial") && (t.op == plant.SOLD && sold || t.op == plant.OpNone):
		op = plant.ARM
	case t.op != plant.OpNone:
	case sp.Sold.Phase == plant.Pausado:
		op = plant.SOLD
	case sp.Arm.Phase == plant.Pausado:
		op = plant.ARM
	}
	if op != plant.OpNone {
		sp.LastOp, sp.LastHolder = op, partOf(sp, op).Worker
	}
	if !sp.InQueue(h.rules) {
		return
	}
	sp.ReadyAt = sp.FinishedAt(plant.SOLD)
	for _, at := range []time.Time{sp.FinishedAt(plant.ARM), t.ready} {
		if at.After(sp.ReadyAt) {
			sp.ReadyAt = at
		}
	}
}

func (h *hydrator) remark() {
	sp := &h.sp
	switch {
	case sp.Sold.Fecha != 0 && sp.Arm.Fecha == 0 && !sp.ArmComplete(h.rules):
		h.find("Fecha_Soldadura", sp.Sold.Fecha.String(), soldWithoutArm, table.Noted)
	case sp.Sold.Fecha != 0 && sp.Arm.Fecha != 0 && sp.Sold.Fecha < sp.Arm.Fecha:
		h.find("Fecha_Soldadura", sp.Sold.Fecha.String(), datesOutOfOrder, table.Noted)
	}
}
