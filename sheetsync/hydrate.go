package sheetsync

import (
	"encoding/json"
	"fmt"
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

type verdictJSON struct {
	Resultado string `json:"resultado"`
	Motivo    string `json:"motivo"`
	LockToken string `json:"lock_token"`
}

func inspection(m plant.MetadataRow) (verdictJSON, bool) {
	var v verdictJSON
	if m.EventoTipo != "COMPLETAR_METROLOGIA" || json.Unmarshal([]byte(m.JSON), &v) != nil {
		return v, false
	}
	return v, v.Resultado != ""
}

func (h *hydrator) lastVerdict() (v verdictJSON, at time.Time, who plant.Person) {
	for _, m := range slices.Backward(h.log) {
		if v, ok := inspection(m); ok {
			return v, m.At, plant.ParsePerson(m.WorkerNombre)
		}
	}
	return v, at, who
}

// rejections counts the consecutive RECHAZADO at the end of the log.
func (h *hydrator) rejections() uint8 {
	n := uint8(0)
	for _, m := range slices.Backward(h.log) {
		v, ok := inspection(m)
		switch {
		case !ok:
		case v.Resultado == plant.Rechazado.String() && n < plant.MaxCiclo:
			n++
		default:
			return n
		}
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
	case op == plant.REPARACION && h.sp.Quality == plant.BloqueadoQ, op == plant.ARM && h.row.FechaArmado != 0, op == plant.SOLD && h.row.FechaSoldadura != 0:
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
	h.sp.Hold = plant.Hold{Worker: who, Op: op, Since: since, Token: h.lockToken(who, since)}
	if who.ID == 0 {
		h.find("Ocupado_Por", who.Display, heldByStranger, table.Noted)
	}
	if op == plant.OpNone {
		h.find("Ocupado_Por", who.Display, heldForUnknown, table.Noted)
	}
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

// lockToken is the one the log names, else one made from what is known, so that
// the same row always gives the same.
func (h *hydrator) lockToken(who plant.Person, since time.Time) string {
	for _, m := range slices.Backward(h.log) {
		var v verdictJSON
		if json.Unmarshal([]byte(m.JSON), &v) == nil && v.LockToken != "" {
			if strings.HasPrefix(v.LockToken, fmt.Sprintf("%d:", who.ID)) {
				return v.LockToken
			}
			break
		}
	}
	space := uuid.NewSHA1(uuid.NameSpaceURL, []byte("envivo:toma"))
	return fmt.Sprintf("%d:%s", who.ID, uuid.NewSHA1(space, []byte(string(h.row.Tag)+plant.SheetTime(since))))
}

// work is ARM or SOLD as the columns have it.
func (h *hydrator) work(op plant.Op, who plant.Person, date plant.Date) {
	w := plant.Work{Worker: who, Fecha: date}
	held := !h.sp.Hold.Free() && h.sp.Hold.Op == op
	switch {
	case date != 0:
		w.Phase = plant.Completado
	case held:
		w.Phase = plant.EnProgreso
		if who.None() {
			w.Worker = h.sp.Hold.Worker
		}
	case !who.None():
		w.Phase = plant.Pausado
	}
	*h.part(op) = w
}

func (h *hydrator) part(op plant.Op) *plant.Work {
	if op == plant.SOLD {
		return &h.sp.Sold
	}
	return &h.sp.Arm
}

// agree lets the unions decide about phases and dates (rules §11.5), as long as
// nobody has inspected the spool.
func (h *hydrator) agree() {
	sp := &h.sp
	if len(sp.Unions) == 0 || sp.Quality != plant.SinVeredicto {
		return
	}
	for _, op := range []plant.Op{plant.ARM, plant.SOLD} {
		w := h.part(op)
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

// last is who had the spool last, as far as texts and columns tell.
func (h *hydrator) last() {
	sp := &h.sp
	switch {
	case strings.Contains(h.row.Estado, "SOLD parcial"), sp.Sold.Phase == plant.Pausado && !strings.Contains(h.row.Estado, "ARM parcial"):
		sp.LastOp, sp.LastHolder = plant.SOLD, sp.Sold.Worker
	case sp.Arm.Phase == plant.Pausado:
		sp.LastOp, sp.LastHolder = plant.ARM, sp.Arm.Worker
	}
	if sp.InQueue(h.rules) {
		sp.ReadyAt = sp.FinishedAt(plant.SOLD)
		if arm := sp.FinishedAt(plant.ARM); arm.After(sp.ReadyAt) {
			sp.ReadyAt = arm
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
