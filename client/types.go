package client

// The operations.
const (
	ARM        = "ARM"
	SOLD       = "SOLD"
	Metrologia = "METROLOGIA"
	Reparacion = "REPARACION"
)

// Order is what an act needs; each act reads what it knows. Version is the
// revision the caller saw: another one is refused with ErrVersion.
type Order struct {
	Tag      string   `json:"tag_spool"`
	Worker   int      `json:"worker_id"`
	Op       string   `json:"operacion,omitempty"`
	Fecha    string   `json:"fecha_operacion,omitempty"` // YYYY-MM-DD; today when empty
	Unions   []int    `json:"uniones,omitempty"`
	Selected []string `json:"selected_unions,omitzero"`  // of Finalizar, as OT+N or TAG+N
	Override string   `json:"action_override,omitempty"` // of Finalizar: PAUSAR or COMPLETAR
	Result   string   `json:"resultado,omitempty"`
	Motivo   string   `json:"motivo,omitempty"`
	Version  *uint64  `json:"version,omitempty"`

	// Key makes the order safe to send again: at most 128 characters, a new
	// one for every act.
	Key string `json:"-"`
}

// Written is what every act answers: Seq is the number of its event, Version
// the spool's new revision, Estado the state in words.
type Written struct {
	Tag     string `json:"tag_spool"`
	Message string `json:"message"`
	Seq     uint64 `json:"seq"`
	Version uint64 `json:"version"`
	Estado  string `json:"estado_detalle"`
}

// Ended is the answer to the end of a hold.
type Ended struct {
	Written
	// Action is what it came to: COMPLETAR or PAUSAR.
	Action string  `json:"action_taken"`
	Unions int     `json:"unions_processed"`
	PD     float64 `json:"pulgadas"`
	// Ready is set when the spool now waits for its inspection.
	Ready bool `json:"metrologia_triggered"`
}

// Finished is the answer to Finalizar; Action may also be CANCELADO, PD is nil
// for a spool without unions.
type Finished struct {
	Written
	Action   string   `json:"action_taken"`
	Unions   int      `json:"unions_processed"`
	PD       *float64 `json:"pulgadas"`
	Ready    bool     `json:"metrologia_triggered"`
	NewState *string  `json:"new_state"`
}

// Query narrows a search; zero values do not.
type Query struct {
	Text, Estado, Op string
	Worker, Limit    int
	After            string
}

// Page is a part of a search's result; Total counts all of it.
type Page struct {
	Spools []Spool `json:"spools"`
	Total  int     `json:"total"`
	Next   *string `json:"next"`
}

// Spool is a spool as lists give it. People are written AB(12), days
// YYYY-MM-DD, OcupadoDesde is RFC 3339; nil is nothing.
type Spool struct {
	Tag             string  `json:"tag_spool"`
	NV              *string `json:"nv"`
	OT              *string `json:"ot"`
	Estado          string  `json:"estado"`
	EstadoDetalle   *string `json:"estado_detalle"`
	Arm             string  `json:"arm"`
	Sold            string  `json:"sold"`
	Armador         *string `json:"armador"`
	Soldador        *string `json:"soldador"`
	FechaMateriales *string `json:"fecha_materiales"`
	FechaArmado     *string `json:"fecha_armado"`
	FechaSoldadura  *string `json:"fecha_soldadura"`
	FechaQC         *string `json:"fecha_qc_metrologia"`
	OcupadoPor      *string `json:"ocupado_por"`
	OcupadoDesde    *string `json:"ocupado_desde"`
	Operacion       *string `json:"operacion_actual"`
	Version         uint64  `json:"version"`
	Ciclo           int     `json:"ciclo"`
	Unions          int     `json:"total_uniones"`
	UnionsArm       int     `json:"uniones_arm_completadas"`
	UnionsSold      int     `json:"uniones_sold_completadas"`
	PDArm           float64 `json:"pulgadas_arm"`
	PDSold          float64 `json:"pulgadas_sold"`
}

// Detail is a spool with all that is known of it.
type Detail struct {
	Spool
	Overdue bool     `json:"vencida"`
	Work    string   `json:"estado_trabajo"`
	Notes   string   `json:"notas"`
	Damaged []string `json:"columnas_danadas"`
	Uniones []Union  `json:"uniones"`
	Actions []Action `json:"acciones"`
}

// Union is one joint; DN is in inches.
type Union struct {
	ID         string  `json:"id"`
	N          int     `json:"n_union"`
	DN         float64 `json:"dn_union"`
	Tipo       string  `json:"tipo_union"`
	ArmWorker  *string `json:"arm_worker"`
	SoldWorker *string `json:"sol_worker"`
}

// Action is something that may, or for Why may not, be done with a spool.
type Action struct {
	Verb    string  `json:"accion"`
	Op      *string `json:"operacion"`
	Allowed bool    `json:"permitida"`
	Why     *string `json:"motivo"`
}

// EventPage is a part of the history; Seq and Epoch are the box's newest place.
type EventPage struct {
	Events []Event `json:"events"`
	Seq    uint64  `json:"seq"`
	Epoch  string  `json:"epoch"`
}

// Event is one committed change. Kind says what happened and may gain words; go
// by Type (TOMAR, PAUSAR, COMPLETAR, STATE_CHANGE) where it is unknown. At is
// RFC 3339 with milliseconds.
type Event struct {
	Seq      uint64 `json:"seq"`
	Prev     uint64 `json:"prev"`
	ID       string `json:"id"`
	Kind     string `json:"event_type"`
	Type     string `json:"type"`
	Tag      string `json:"tag_spool"`
	Worker   string `json:"worker_nombre"`
	WorkerID int    `json:"worker_id"`
	Actor    string `json:"actor"`
	ActorID  int    `json:"actor_id"`
	Device   string `json:"device"`
	Op       string `json:"operacion"`
	Estado   string `json:"estado_detalle"`
	At       string `json:"timestamp"`
	Version  uint64 `json:"version"`
	Result   string `json:"resultado"`
	From     string `json:"de"`
	Motivo   string `json:"motivo"`
	Undoes   uint64 `json:"deshace"`
}

// Position is a place in a box's history of events.
type Position struct {
	Seq   uint64
	Epoch string
}
