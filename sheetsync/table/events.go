package table

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"envivo/plant"
)

// EventRows are the rows of Metadata that record an event (rules §7.2): the
// event's own row under the event's ID and, where unions were finished, a
// summary, one row per union and the entry into the inspection queue, under
// IDs derived from it. The log's vocabulary is older than some of our kinds;
// they are written with the nearest old word and say more in Metadata_JSON:
//
//	RELEVAR, TRASPASAR      TOMAR_SPOOL with relevo_de or traspaso_de
//	LIBERAR                 SUPERVISOR_OVERRIDE, override_type LIBERAR
//	DESBLOQUEAR             SUPERVISOR_OVERRIDE, override_type BLOQUEADO_TO_RECHAZADO
//	DESHACER, UNIONES       SYSTEM_REMEDIATION
//	CORREGIR                SYSTEM_REMEDIATION with columnas, antes and despues
//
// An import adds nothing but the rows of the log it brought along, verbatim:
// the office's own changes are not acts of the floor, and a workbook that is
// exported and imported again must not grow. Settings are never written.
func EventRows(e plant.Event) []plant.MetadataRow {
	switch e.Kind {
	case plant.KindNone, plant.KindAjuste:
		return nil
	case plant.KindImportar, plant.KindTrabajador:
		if e.Import == nil {
			return nil
		}
		return e.Import.History
	}
	rows := []plant.MetadataRow{mainRow(e)}
	if len(e.Selected) > 0 && (e.Op == plant.ARM || e.Op == plant.SOLD) {
		rows = append(rows, unionRows(e)...)
	}
	if e.Ready && (e.Needed > 0 || len(e.Selected) > 0) {
		rows = append(rows, autoRow(e))
	}
	return rows
}

// fields is a JSON object on its way into Metadata_JSON.
type fields map[string]any

func (f fields) text() string {
	if len(f) == 0 {
		return "{}"
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any(f)); err != nil {
		panic(fmt.Sprintf("table: the fields of an event are plain values and yet: %v", err))
	}
	return strings.TrimSpace(b.String())
}

// blank is a row with everything that all rows of an event share.
func blank(e plant.Event, id string, f fields) plant.MetadataRow {
	who := e.Worker
	override := e.Kind == plant.KindLiberar || e.Kind == plant.KindDesbloquear
	if who.None() || override { // the row of an override names who decided it
		who = e.Actor
	}
	name := who.Display
	if who.None() {
		name = "SYSTEM"
		if e.Kind == plant.KindNota {
			name = "ANONIMO"
		}
	}
	if !e.Actor.None() && e.Actor != who {
		f["actor"] = e.Actor.Display
	}
	if e.Device != "" {
		f["device"] = e.Device
	}
	fecha := e.Fecha
	if fecha == 0 {
		fecha = plant.DateOf(e.At)
	}
	return plant.MetadataRow{
		ID: id, Timestamp: plant.SheetTime(e.At), At: e.At, Tag: string(e.Tag), WorkerID: strconv.Itoa(int(who.ID)), WorkerNombre: name,
		Operacion: e.Op.String(), FechaOperacion: fecha.String(), JSON: f.text(),
	}
}

// mainRow is the row under the event's own ID.
func mainRow(e plant.Event) plant.MetadataRow {
	tipo, accion, operacion := words(e)
	m := blank(e, e.ID, details(e))
	m.EventoTipo, m.Accion = tipo, accion
	if operacion != "" {
		m.Operacion = operacion
	}
	return m
}

// words are Evento_Tipo, Accion and, where it is not the operation's name,
// Operacion.
func words(e plant.Event) (tipo, accion, operacion string) {
	repair := e.Op == plant.REPARACION
	switch e.Kind {
	case plant.KindTomar, plant.KindRelevar, plant.KindTraspasar:
		switch {
		case repair:
			return "TOMAR_REPARACION", "TOMAR", ""
		case e.Kind == plant.KindTomar && e.Door == plant.DoorV4:
			return "INICIAR_SPOOL", "INICIAR", ""
		}
		return "TOMAR_SPOOL", "TOMAR", ""
	case plant.KindPausar:
		return "PAUSAR_SPOOL", "PAUSAR", ""
	case plant.KindCompletar:
		return "COMPLETAR_" + e.Op.String(), "COMPLETAR", ""
	case plant.KindCancelar:
		if e.Door == plant.DoorV4 {
			return "SPOOL_CANCELADO", "CANCELAR", ""
		}
		return "CANCELAR_" + e.Op.String(), "CANCELAR", ""
	case plant.KindInspeccion:
		return "COMPLETAR_METROLOGIA", "COMPLETAR", "METROLOGIA"
	case plant.KindTomarReparacion:
		return "TOMAR_REPARACION", "TOMAR", "REPARACION"
	case plant.KindPausarReparacion:
		return "PAUSAR_REPARACION", "PAUSAR", "REPARACION"
	case plant.KindCompletarReparacion:
		return "COMPLETAR_REPARACION", "COMPLETAR", "REPARACION"
	case plant.KindCancelarReparacion:
		return "CANCELAR_REPARACION", "CANCELAR", "REPARACION"
	case plant.KindLiberar, plant.KindDesbloquear:
		return "SUPERVISOR_OVERRIDE", "OVERRIDE", ""
	case plant.KindNota:
		return "NOTAS_ACTUALIZADA", "COMPLETAR", "NOTAS"
	case plant.KindUniones:
		return "SYSTEM_REMEDIATION", "REMEDIAR", "UNIONES"
	}
	return "SYSTEM_REMEDIATION", "REMEDIAR", ""
}

// details are the keys of Metadata_JSON.
func details(e plant.Event) fields {
	p := plant.Progress{}
	if e.Progress != nil {
		p = *e.Progress
	}
	f := fields{}
	switch e.Kind {
	case plant.KindTomar, plant.KindRelevar, plant.KindTraspasar:
		takeDetails(e, p, f)
	case plant.KindTomarReparacion, plant.KindPausarReparacion, plant.KindCompletarReparacion, plant.KindCancelarReparacion:
		f["cycle"], f["max_cycles"], f["state"] = p.Ciclo, plant.MaxCiclo, p.Quality.String()
		if e.Kind == plant.KindCompletarReparacion {
			f["next_state"] = "PENDIENTE_METROLOGIA"
		}
	case plant.KindPausar:
		f["estado"], f["lock_released"] = partial(e), true
	case plant.KindCompletar:
		f["fecha_operacion"], f["completed"] = e.Fecha.String(), true
	case plant.KindCancelar:
		if e.Door == plant.DoorV4 {
			f["reason"] = "zero_unions_selected"
		}
	case plant.KindInspeccion:
		f["resultado"], f["state"], f["cycle"] = e.Resultado.String(), strings.ToLower(e.Resultado.String()), p.Ciclo
	case plant.KindLiberar, plant.KindDesbloquear:
		f["previous_estado"], f["new_estado"], f["detection_timestamp"] = e.Before, e.After, plant.SheetTime(e.At)
		f["override_type"] = "LIBERAR"
		if e.Kind == plant.KindDesbloquear {
			f["override_type"] = "BLOQUEADO_TO_RECHAZADO"
		}
		if !e.From.None() {
			f["liberado_de"] = e.From.Display
		}
	case plant.KindNota:
		f["nota"] = e.Texto
	case plant.KindDeshacer:
		f["deshace"], f["previous_estado"], f["new_estado"] = uint64(e.Undoes), e.Before, e.After
	case plant.KindUniones:
		unionDetails(e, f)
	case plant.KindCorregir:
		correctionDetails(e, f)
	}
	if e.Motivo != "" {
		f["motivo"] = e.Motivo
	}
	return f
}

func takeDetails(e plant.Event, p plant.Progress, f fields) {
	switch {
	case e.Op == plant.REPARACION:
		f["cycle"], f["max_cycles"], f["state"] = p.Ciclo, plant.MaxCiclo, p.Quality.String()
	case e.Kind == plant.KindTomar && e.Door == plant.DoorV4:
		f["ocupado_por"] = e.Worker.Display
	default:
		f["lock_token"] = p.Hold.Token
	}
	f["fecha_ocupacion"] = plant.SheetTime(p.Hold.Since)
	switch e.Kind {
	case plant.KindRelevar:
		f["relevo_de"] = e.From.Display
	case plant.KindTraspasar:
		f["traspaso_de"] = e.From.Display
	}
}

func unionDetails(e plant.Event, f fields) {
	type joint struct {
		N    int     `json:"n_union"`
		DN   float64 `json:"dn_union"`
		Tipo string  `json:"tipo_union"`
	}
	set := make([]joint, 0, len(e.Unions))
	for _, u := range e.Unions {
		set = append(set, joint{u.N, u.DN.Float(), u.Tipo})
	}
	f["uniones"] = set
	if len(e.Removed) > 0 {
		f["eliminadas"] = e.Removed
	}
}

func correctionDetails(e plant.Event, f fields) {
	columns, before, after := make([]string, 0, len(e.Correction)), make([]string, 0, len(e.Correction)), make([]string, 0, len(e.Correction))
	for _, c := range e.Correction {
		columns, before, after = append(columns, c.Column), append(before, c.Old), append(after, c.New)
	}
	f["columnas"], f["antes"], f["despues"] = columns, before, after
}

// partial is the word of the old log for a pause.
func partial(e plant.Event) string {
	if e.Needed > 0 {
		return fmt.Sprintf("%s parcial %d/%d (pausado)", e.Op, e.Done, e.Needed)
	}
	return e.Op.String() + " parcial (pausado)"
}

// unionRows are the summary of the unions finished by an event and a row for
// each of them. With a hand-over they are the giver's.
func unionRows(e plant.Event) []plant.MetadataRow {
	if e.Kind == plant.KindTraspasar {
		e.Worker = e.From
	}
	tipo := "UNION_" + e.Op.String() + "_REGISTRADA"
	ids := make([]string, len(e.Selected))
	for i, n := range e.Selected {
		ids[i] = fmt.Sprintf("%s+%d", e.Tag, n)
	}
	out := make([]plant.MetadataRow, 0, 1+len(e.Selected))
	sum := blank(e, derivedID(e.ID, "uniones"), fields{"union_count": len(ids), "pulgadas": e.PD.Float(), "union_ids": ids})
	sum.EventoTipo, sum.Accion = tipo, "COMPLETAR"
	out = append(out, sum)
	for i, n := range e.Selected {
		m := blank(e, derivedID(e.ID, "union", strconv.Itoa(n)), fields{"union_id": ids[i]})
		m.EventoTipo, m.Accion, m.NUnion = tipo, "COMPLETAR", strconv.Itoa(n)
		out = append(out, m)
	}
	return out
}

// autoRow records that the spool entered the inspection queue.
func autoRow(e plant.Event) plant.MetadataRow {
	m := blank(e, derivedID(e.ID, "metrologia"), fields{
		"trigger_reason": "all_unions_completed", "operacion_completed": e.Op.String(), "unions_processed": len(e.Selected), "new_state": e.After,
	})
	m.EventoTipo, m.Accion, m.Operacion = "METROLOGIA_AUTO_TRIGGERED", "AUTO_TRIGGER", "METROLOGIA"
	return m
}
