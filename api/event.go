package api

import (
	"strings"

	"envivo/plant"
)

// oldType is the old client's word for an event (rules §8): TOMAR for what
// gives a holder, PAUSAR for what frees without finishing, COMPLETAR for what
// finishes, STATE_CHANGE for the rest.
func oldType(e *plant.Event) string {
	held := e.Progress != nil && !e.Progress.Hold.Free()
	switch e.Kind {
	case plant.KindTomar, plant.KindTomarReparacion, plant.KindRelevar, plant.KindTraspasar:
		return "TOMAR"
	case plant.KindCompletar, plant.KindCompletarReparacion:
		return "COMPLETAR"
	case plant.KindPausar, plant.KindPausarReparacion, plant.KindLiberar:
		return "PAUSAR"
	case plant.KindCancelar, plant.KindCancelarReparacion:
		if !e.HoldSince.IsZero() {
			return "PAUSAR"
		}
	case plant.KindDeshacer:
		switch {
		case held:
			return "TOMAR"
		case !e.HoldSince.IsZero():
			return "PAUSAR"
		}
	}
	return "STATE_CHANGE"
}

// EncodeEvent is an event as /ws and /api/events give it. It depends on the
// event alone. e.Prev must be the sequence streamed before it.
func EncodeEvent(e plant.Event) []byte {
	return append(appendEvent(make([]byte, 0, 640), &e, true), '}')
}

// EncodeSSE are the messages an event becomes on the old stream: after
// COMPLETAR the same again as STATE_CHANGE (rules §8).
func EncodeSSE(e plant.Event) [][]byte {
	out := [][]byte{append(appendEvent(make([]byte, 0, 640), &e, false), '}')}
	if e.Kind == plant.KindCompletar {
		b := append(appendNames(make([]byte, 0, 640), &e, "STATE_CHANGE", "STATE_CHANGE"), '}')
		out = append(out, b)
	}
	return out
}

// appendEvent appends the object without its closing brace.
func appendEvent(b []byte, e *plant.Event, numbered bool) []byte {
	if !numbered {
		return appendNames(b, e, e.Kind.String(), oldType(e))
	}
	b = append(b, `{"kind":"event"`...)
	b = appendUintField(b, "seq", uint64(e.Seq))
	b = appendUintField(b, "prev", uint64(e.Prev))
	return append(b, appendNames(nil, e, e.Kind.String(), oldType(e))[len(`{"kind":"event"`):]...)
}

func appendNames(b []byte, e *plant.Event, name, old string) []byte {
	b = append(b, `{"kind":"event"`...)
	b = appendTextField(b, "id", e.ID)
	b = appendTextField(b, "event_type", name)
	b = appendTextField(b, "type", old)
	b = appendTextField(b, "tag_spool", string(e.Tag))
	b = appendTextField(b, "worker", e.Worker.Display)
	b = appendTextField(b, "worker_nombre", e.Worker.Display)
	b = appendIntField(b, "worker_id", int(e.Worker.ID))
	b = appendTextField(b, "actor", e.Actor.Display)
	b = appendIntField(b, "actor_id", int(e.Actor.ID))
	b = appendTextField(b, "device", e.Device)
	if e.Op != plant.OpNone {
		b = appendTextField(b, "operacion", e.Op.String())
	}
	b = appendTextField(b, "estado_detalle", e.After)
	b = appendISO(appendKey(b, "timestamp"), e.At)
	b = appendTextField(b, "timestamp_local", plant.SheetTime(e.At))
	b = appendUintField(b, "version", e.Version)
	return appendFacts(b, e)
}

// appendFacts appends what only some events have.
func appendFacts(b []byte, e *plant.Event) []byte {
	if e.Fecha != 0 {
		b = appendTextField(b, "fecha_operacion", e.Fecha.ISO())
	}
	if p := e.Progress; p != nil {
		b = appendTextField(b, "arm_state", strings.ToLower(p.Arm.Phase.String()))
		b = appendTextField(b, "sold_state", strings.ToLower(p.Sold.Phase.String()))
		if e.Op == plant.REPARACION || e.Op == plant.METROLOGIA {
			b = appendIntField(b, "cycle", int(p.Ciclo))
		}
	}
	if e.Resultado != plant.ResultadoNone {
		b = appendTextField(b, "resultado", e.Resultado.String())
	}
	if !e.From.None() {
		b = appendTextField(b, "de", e.From.Display)
	}
	if len(e.Selected) > 0 {
		b = appendIntField(b, "unions_processed", len(e.Selected))
		b = append(appendKey(b, "pulgadas"), e.PD.String()...)
	}
	if e.Motivo != "" {
		b = appendTextField(b, "motivo", e.Motivo)
	}
	if e.Texto != "" {
		b = appendTextField(b, "texto", e.Texto)
	}
	if e.Undoes != 0 {
		b = appendUintField(b, "deshace", uint64(e.Undoes))
	}
	return b
}
