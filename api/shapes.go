package api

import (
	"encoding/json"

	"envivo/plant"
)

// The answers that are appended by hand (json.go), as types for the document.
// The tests hold every answer they get to the document, and with it these
// types to what is sent.

// endedAnswer is the answer to the end of a hold.
type endedAnswer struct {
	written
	ActionTaken string `json:"action_taken"`
	Processed   int    `json:"unions_processed"`
	Pulgadas    Inches `json:"pulgadas"`
	Triggered   bool   `json:"metrologia_triggered,omitempty"`
}

// completedAnswer is endedAnswer, or inspectedAnswer when METROLOGIA was
// completed.
type completedAnswer struct {
	written
	ActionTaken *string `json:"action_taken,omitempty"`
	Processed   *int    `json:"unions_processed,omitempty"`
	Pulgadas    *Inches `json:"pulgadas,omitempty"`
	Triggered   bool    `json:"metrologia_triggered,omitempty"`
	Resultado   *string `json:"resultado,omitempty"`
	Cycle       *int    `json:"cycle,omitempty"`
}

// passedAnswer tells from whom a hold went to whom.
type passedAnswer struct {
	written
	Worker string `json:"worker_nombre"`
	De     string `json:"de"`
}

type undoneAnswer struct {
	written
	Deshace plant.Seq `json:"deshace"`
}

type inspectedAnswer struct {
	written
	Resultado string `json:"resultado"`
	Cycle     int    `json:"cycle"`
}

type repairAnswer struct {
	written
	Cycle int `json:"cycle"`
}

type repairTakenAnswer struct {
	written
	Worker string `json:"worker_nombre"`
	Cycle  int    `json:"cycle"`
}

type batchAnswer struct {
	Total     int         `json:"total"`
	Succeeded int         `json:"succeeded"`
	Failed    int         `json:"failed"`
	Details   []batchItem `json:"details"`
}

type batchItem struct {
	Success  bool       `json:"success"`
	TagSpool plant.Tag  `json:"tag_spool"`
	Message  string     `json:"message"`
	Seq      *plant.Seq `json:"seq,omitempty"`
	Version  *uint64    `json:"version,omitempty"`
}

type eventPage struct {
	Events []eventJSON `json:"events"`
	Seq    plant.Seq   `json:"seq"`
	Epoch  string      `json:"epoch"`
}

// eventJSON is an event as EncodeEvent writes it.
type eventJSON struct {
	Kind           string    `json:"kind"`
	Seq            plant.Seq `json:"seq"`
	Prev           plant.Seq `json:"prev"`
	ID             string    `json:"id"`
	EventType      string    `json:"event_type"`
	Type           string    `json:"type"`
	TagSpool       plant.Tag `json:"tag_spool"`
	Worker         string    `json:"worker"`
	WorkerNombre   string    `json:"worker_nombre"`
	WorkerID       int       `json:"worker_id"`
	Actor          string    `json:"actor"`
	ActorID        int       `json:"actor_id"`
	Device         string    `json:"device"`
	Operacion      *string   `json:"operacion,omitempty"`
	EstadoDetalle  string    `json:"estado_detalle"`
	Timestamp      string    `json:"timestamp"`
	TimestampLocal string    `json:"timestamp_local"`
	Version        uint64    `json:"version"`
	Fecha          *string   `json:"fecha_operacion,omitempty"`
	ArmState       *string   `json:"arm_state,omitempty"`
	SoldState      *string   `json:"sold_state,omitempty"`
	Cycle          *int      `json:"cycle,omitempty"`
	Resultado      *string   `json:"resultado,omitempty"`
	De             *string   `json:"de,omitempty"`
	Processed      *int      `json:"unions_processed,omitempty"`
	Pulgadas       *Inches   `json:"pulgadas,omitempty"`
	Motivo         *string   `json:"motivo,omitempty"`
	Texto          *string   `json:"texto,omitempty"`
	Deshace        *uint64   `json:"deshace,omitempty"`
}

// refusal, invalidBody and detailedRefusal are errorBody with what detail is
// where (rules §9.1).
type (
	refusal struct {
		errorBody
		Detail string `json:"detail"`
	}
	invalidBody struct {
		errorBody
		Detail []fault `json:"detail"`
	}
	detailedRefusal struct {
		errorBody
		Detail refusalDetail `json:"detail"`
	}
	refusalDetail struct {
		Error   string          `json:"error"`
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
		Faults  []fault         `json:"faults,omitempty"`
	}
)
