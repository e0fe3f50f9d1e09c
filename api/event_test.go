package api

import (
	"encoding/json"
	"testing"
	"time"

	"envivo/plant"
)

// wireEvent is an event on the wire (rules §8), in the order it travels.
type wireEvent struct {
	Kind          string  `json:"kind"`
	Seq           uint64  `json:"seq,omitempty"`
	Prev          *uint64 `json:"prev,omitempty"`
	ID            string  `json:"id"`
	EventType     string  `json:"event_type"`
	Type          string  `json:"type"`
	TagSpool      string  `json:"tag_spool"`
	Worker        string  `json:"worker"`
	WorkerNombre  string  `json:"worker_nombre"`
	WorkerID      int     `json:"worker_id"`
	Actor         string  `json:"actor"`
	ActorID       int     `json:"actor_id"`
	Device        string  `json:"device"`
	Operacion     string  `json:"operacion,omitempty"`
	EstadoDetalle string  `json:"estado_detalle"`
	Timestamp     string  `json:"timestamp"`
	Local         string  `json:"timestamp_local"`
	Version       uint64  `json:"version"`
	Fecha         string  `json:"fecha_operacion,omitempty"`
	Arm           string  `json:"arm_state,omitempty"`
	Sold          string  `json:"sold_state,omitempty"`
	Cycle         *int    `json:"cycle,omitempty"`
	Resultado     string  `json:"resultado,omitempty"`
	De            string  `json:"de,omitempty"`
	Unions        int     `json:"unions_processed,omitempty"`
	Pulgadas      float64 `json:"pulgadas,omitempty"`
	Motivo        string  `json:"motivo,omitempty"`
	Texto         string  `json:"texto,omitempty"`
	Deshace       uint64  `json:"deshace,omitempty"`
}

func asWire(e *plant.Event) wireEvent {
	prev := uint64(e.Prev)
	w := wireEvent{
		Kind: "event", Seq: uint64(e.Seq), Prev: &prev, ID: e.ID, EventType: e.Kind.String(), Type: oldType(e), TagSpool: string(e.Tag),
		Worker: e.Worker.Display, WorkerNombre: e.Worker.Display, WorkerID: int(e.Worker.ID), Actor: e.Actor.Display, ActorID: int(e.Actor.ID),
		Device: e.Device, Operacion: e.Op.String(), EstadoDetalle: e.After, Timestamp: e.At.In(plant.Zone()).Format("2006-01-02T15:04:05.000Z07:00"),
		Local: plant.SheetTime(e.At), Version: e.Version, Fecha: e.Fecha.ISO(), Resultado: e.Resultado.String(), De: e.From.Display,
		Unions: len(e.Selected), Motivo: e.Motivo, Texto: e.Texto, Deshace: uint64(e.Undoes),
	}
	if len(e.Selected) > 0 {
		w.Pulgadas = e.PD.Float()
	}
	if p := e.Progress; p != nil {
		w.Arm, w.Sold = phaseKey[p.Arm.Phase], phaseKey[p.Sold.Phase]
		if e.Op == plant.REPARACION || e.Op == plant.METROLOGIA {
			n := int(p.Ciclo)
			w.Cycle = &n
		}
	}
	return w
}

var phaseKey = map[plant.Phase]string{plant.Pendiente: "pendiente", plant.EnProgreso: "en_progreso", plant.Pausado: "pausado", plant.Completado: "completado"}

// wireEvents are events of many kinds, with texts that need escaping.
func wireEvents() []plant.Event {
	at := time.Date(2026, 1, 5, 13, 4, 5, 6e6, time.UTC)
	ab, cd := plant.Person{ID: 12, Display: "AB(12)"}, plant.Person{ID: 34, Display: `C"D\(34)`}
	base := plant.Event{Seq: 1042, Prev: 1040, ID: "5b6f", At: at, Tag: "MK-\"1\"\n✓", Worker: ab, Actor: cd, Device: "tablet <3>", Version: 17, After: "Disponible - ARM pausado"}
	var out []plant.Event
	for k := plant.KindTomar; k <= plant.KindTrabajador; k++ {
		e := base
		e.Kind = k
		out = append(out, e)
		e.Op, e.Progress = plant.ARM, &plant.Progress{Arm: plant.Work{Phase: plant.EnProgreso}, Ciclo: 2, Hold: plant.Hold{Worker: ab}}
		e.Fecha, e.From, e.Motivo, e.Texto, e.Undoes = plant.DateOf(at), cd, "otro \x01 motivo", "nota\u2028", 1039
		e.Selected, e.PD, e.HoldSince = []int{1, 2}, 275, at
		out = append(out, e)
		e.Op, e.Resultado, e.Progress = plant.METROLOGIA, plant.Rechazado, &plant.Progress{Sold: plant.Work{Phase: plant.Completado}}
		out = append(out, e)
	}
	return out
}

func TestEventsAreWrittenAsEncodingJSONDoes(t *testing.T) {
	for _, e := range wireEvents() {
		if got, want := string(EncodeEvent(e)), encoded(t, asWire(&e)); got != want {
			t.Errorf("EncodeEvent(%s) =\n %s, want\n %s", e.Kind, got, want)
		}
	}
}

func TestOldStreamDoublesCompletarAndNothingElse(t *testing.T) {
	for _, e := range wireEvents() {
		messages := EncodeSSE(e)
		want := 1
		if e.Kind == plant.KindCompletar {
			want = 2
		}
		if len(messages) != want {
			t.Errorf("%s becomes %d messages on the old stream, want %d", e.Kind, len(messages), want)
			continue
		}
		first := asWire(&e)
		first.Seq, first.Prev = 0, nil
		if got := string(messages[0]); got != encoded(t, first) {
			t.Errorf("EncodeSSE(%s) =\n %s, want\n %s", e.Kind, got, encoded(t, first))
		}
		if want == 2 {
			first.EventType, first.Type = "STATE_CHANGE", "STATE_CHANGE"
			if got := string(messages[1]); got != encoded(t, first) {
				t.Errorf("the double of %s =\n %s, want\n %s", e.Kind, got, encoded(t, first))
			}
		}
	}
}

func TestOldTypeSaysWhatBecameOfTheHold(t *testing.T) {
	held, free := &plant.Progress{Hold: plant.Hold{Worker: plant.Person{ID: 12, Display: "AB(12)"}}}, &plant.Progress{}
	since := time.Date(2026, 1, 5, 13, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		kind  plant.Kind
		after *plant.Progress
		ended bool
		want  string
	}{
		{plant.KindTomar, held, false, "TOMAR"}, {plant.KindTomarReparacion, held, false, "TOMAR"},
		{plant.KindRelevar, held, true, "TOMAR"}, {plant.KindTraspasar, held, true, "TOMAR"},
		{plant.KindPausar, free, true, "PAUSAR"}, {plant.KindPausarReparacion, free, true, "PAUSAR"}, {plant.KindLiberar, free, true, "PAUSAR"},
		{plant.KindCancelar, free, true, "PAUSAR"}, {plant.KindCancelar, free, false, "STATE_CHANGE"},
		{plant.KindCancelarReparacion, free, true, "PAUSAR"}, {plant.KindCancelarReparacion, free, false, "STATE_CHANGE"},
		{plant.KindCompletar, free, true, "COMPLETAR"}, {plant.KindCompletarReparacion, free, true, "COMPLETAR"},
		{plant.KindInspeccion, free, false, "STATE_CHANGE"}, {plant.KindDesbloquear, free, false, "STATE_CHANGE"},
		{plant.KindDeshacer, held, false, "TOMAR"}, {plant.KindDeshacer, free, true, "PAUSAR"}, {plant.KindDeshacer, free, false, "STATE_CHANGE"},
		{plant.KindNota, nil, false, "STATE_CHANGE"}, {plant.KindUniones, nil, false, "STATE_CHANGE"}, {plant.KindImportar, nil, false, "STATE_CHANGE"},
		{plant.KindTrabajador, nil, false, "STATE_CHANGE"}, {plant.KindCorregir, free, false, "STATE_CHANGE"},
	} {
		e := plant.Event{Kind: c.kind, Progress: c.after}
		if c.ended {
			e.HoldSince = since
		}
		if got := oldType(&e); got != c.want {
			t.Errorf("type of %s (held %v, ended %v) = %s, want %s", c.kind, c.after == held, c.ended, got, c.want)
		}
	}
}

func FuzzEventsAreAlwaysJSON(f *testing.F) {
	f.Add("MK-1", "AB(12)", "motivo", uint8(1), int64(0))
	f.Add("\xff", "\"", "\u2029", uint8(200), int64(-1<<62))
	f.Fuzz(func(t *testing.T, tag, who, text string, kind uint8, at int64) {
		e := plant.Event{Kind: plant.Kind(kind), Tag: plant.Tag(tag), Worker: plant.Person{ID: 1, Display: who}, Motivo: text, Texto: text, ID: text, At: time.Unix(at%(1<<33), 0)}
		for _, b := range append(EncodeSSE(e), EncodeEvent(e)) {
			if !json.Valid(b) {
				t.Errorf("event %+v is written as %s, which is no JSON", e, b)
			}
		}
	})
}
