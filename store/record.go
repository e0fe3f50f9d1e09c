package store

import (
	"time"
)

// The types of this file are what lies on disk. They are separate from plant's
// so that a renamed field there can never change a byte here. Every struct is a
// CBOR map under the integer keys of its tags (Core Deterministic, zero values
// left out), an array where the tag says toarray. A number, once used, keeps
// its meaning for ever; new fields take new numbers, and a record whose old
// meaning cannot be kept gets a new version byte.
//
//	journal    key   Seq, 8 bytes big-endian
//	           value version(1) | link(32) | entryRec
//	           link = SHA-256(previous link | version | entryRec), 32 zero bytes before the first
//	spools     key   tag as spelled        value version(1) | rowRec
//	workers    key   WorkerID, 4 bytes BE  value version(1) | workerRec
//	settings   key   setting's key         value version(1) | text
//	parked     key   Seq, 8 bytes BE       value version(1) | parkedRec
//	acked      key   Seq, 8 bytes BE       value empty: acknowledged out of order
//	meta       "schema" 4 bytes BE; "env", "epoch" text; "created" version(1) | instant;
//	           "head" version(1) | headRec; "copy" present in a backup until it is first opened
const recordV1 = 1

// instant is a time as [seconds since 1-1-0001 UTC, nanoseconds], so that the
// zero time is the zero value and is left out.
type instant [2]int64

const yearOne = -62135596800 // Unix seconds of the zero time

func toInstant(t time.Time) instant {
	if t.IsZero() {
		return instant{}
	}
	return instant{t.Unix() - yearOne, int64(t.Nanosecond())}
}

func (i instant) time() time.Time {
	if i == (instant{}) {
		return time.Time{}
	}
	return time.Unix(i[0]+yearOne, i[1]).UTC()
}

type personRec struct {
	_       struct{} `cbor:",toarray"`
	ID      int32
	Display string
}

type workRec struct {
	Phase  uint8     `cbor:"1,keyasint,omitzero"`
	Worker personRec `cbor:"2,keyasint,omitzero"`
	Fecha  int32     `cbor:"3,keyasint,omitzero"`
}

type displacedRec struct {
	Worker int32     `cbor:"1,keyasint,omitzero"`
	Op     uint8     `cbor:"2,keyasint,omitzero"`
	By     personRec `cbor:"3,keyasint,omitzero"`
	How    uint8     `cbor:"4,keyasint,omitzero"`
	At     instant   `cbor:"5,keyasint,omitzero"`
}

type progressRec struct {
	Arm        workRec        `cbor:"1,keyasint,omitzero"`
	Sold       workRec        `cbor:"2,keyasint,omitzero"`
	Quality    uint8          `cbor:"3,keyasint,omitzero"`
	Ciclo      uint8          `cbor:"4,keyasint,omitzero"`
	FechaQC    int32          `cbor:"5,keyasint,omitzero"`
	Holder     personRec      `cbor:"6,keyasint,omitzero"`
	HoldOp     uint8          `cbor:"7,keyasint,omitzero"`
	HoldSince  instant        `cbor:"8,keyasint,omitzero"`
	HoldToken  string         `cbor:"9,keyasint,omitzero"`
	LastHolder personRec      `cbor:"10,keyasint,omitzero"`
	LastOp     uint8          `cbor:"11,keyasint,omitzero"`
	Displaced  []displacedRec `cbor:"12,keyasint,omitempty"`
	RejectedAt instant        `cbor:"13,keyasint,omitzero"`
	Motivo     string         `cbor:"14,keyasint,omitzero"`
	Inspector  personRec      `cbor:"15,keyasint,omitzero"`
	ReadyAt    instant        `cbor:"16,keyasint,omitzero"`
}

type unionRec struct {
	N          int       `cbor:"1,keyasint,omitzero"`
	DN         int32     `cbor:"2,keyasint,omitzero"`
	Tipo       string    `cbor:"3,keyasint,omitzero"`
	ArmWorker  personRec `cbor:"4,keyasint,omitzero"`
	ArmStart   instant   `cbor:"5,keyasint,omitzero"`
	ArmEnd     instant   `cbor:"6,keyasint,omitzero"`
	SoldWorker personRec `cbor:"7,keyasint,omitzero"`
	SoldStart  instant   `cbor:"8,keyasint,omitzero"`
	SoldEnd    instant   `cbor:"9,keyasint,omitzero"`
	NDT        string    `cbor:"10,keyasint,omitzero"`
	NDTResult  string    `cbor:"11,keyasint,omitzero"`
	NDTDate    string    `cbor:"12,keyasint,omitzero"`
	NDTStatus  string    `cbor:"13,keyasint,omitzero"`
	SheetID    string    `cbor:"14,keyasint,omitzero"`
}

type undoRec struct {
	Seq      uint64      `cbor:"1,keyasint,omitzero"`
	Kind     uint8       `cbor:"2,keyasint,omitzero"`
	Actor    int32       `cbor:"3,keyasint,omitzero"`
	At       instant     `cbor:"4,keyasint,omitzero"`
	Progress progressRec `cbor:"5,keyasint,omitzero"`
	Unions   unionsRec   `cbor:"6,keyasint,omitempty"`
	Touched  bool        `cbor:"7,keyasint,omitzero"`
}

type officeRec struct {
	Split      string `cbor:"1,keyasint,omitzero"`
	NV         string `cbor:"2,keyasint,omitzero"`
	OT         string `cbor:"3,keyasint,omitzero"`
	Materiales int32  `cbor:"4,keyasint,omitzero"`
}

type spoolRec struct {
	Tag      string      `cbor:"1,keyasint,omitzero"`
	Order    int32       `cbor:"2,keyasint,omitzero"`
	Office   officeRec   `cbor:"3,keyasint,omitzero"`
	Progress progressRec `cbor:"4,keyasint,omitzero"`
	Unions   unionsRec   `cbor:"5,keyasint,omitempty"`
	Notas    string      `cbor:"6,keyasint,omitzero"`
	Touched  bool        `cbor:"7,keyasint,omitzero"`
	Version  uint64      `cbor:"8,keyasint,omitzero"`
	Token    string      `cbor:"9,keyasint,omitzero"`
	Last     uint64      `cbor:"10,keyasint,omitzero"`
	Changed  instant     `cbor:"11,keyasint,omitzero"`
	Damaged  []string    `cbor:"12,keyasint,omitempty"`
	Undo     *undoRec    `cbor:"13,keyasint,omitempty"`
}

type workerRec struct {
	ID       int32  `cbor:"1,keyasint,omitzero"`
	Nombre   string `cbor:"2,keyasint,omitzero"`
	Apellido string `cbor:"3,keyasint,omitzero"`
	Roles    uint8  `cbor:"4,keyasint,omitzero"`
	Activo   bool   `cbor:"5,keyasint,omitzero"`
}

type metadataRec struct {
	ID             string  `cbor:"1,keyasint,omitzero"`
	Timestamp      string  `cbor:"2,keyasint,omitzero"`
	EventoTipo     string  `cbor:"3,keyasint,omitzero"`
	Tag            string  `cbor:"4,keyasint,omitzero"`
	WorkerID       string  `cbor:"5,keyasint,omitzero"`
	WorkerNombre   string  `cbor:"6,keyasint,omitzero"`
	Operacion      string  `cbor:"7,keyasint,omitzero"`
	Accion         string  `cbor:"8,keyasint,omitzero"`
	FechaOperacion string  `cbor:"9,keyasint,omitzero"`
	JSON           string  `cbor:"10,keyasint,omitzero"`
	NUnion         string  `cbor:"11,keyasint,omitzero"`
	Order          int32   `cbor:"12,keyasint,omitzero"`
	At             instant `cbor:"13,keyasint,omitzero"`
}

type importRec struct {
	Spool      *spoolRec     `cbor:"1,keyasint,omitempty"`
	Office     *officeRec    `cbor:"2,keyasint,omitempty"`
	Unions     unionsRec     `cbor:"3,keyasint,omitempty"`
	Worker     *workerRec    `cbor:"4,keyasint,omitempty"`
	History    []metadataRec `cbor:"5,keyasint,omitempty"`
	Damaged    []string      `cbor:"6,keyasint,omitempty"`
	SetDamaged bool          `cbor:"7,keyasint,omitzero"`
	Source     string        `cbor:"8,keyasint,omitzero"`
	Notas      *string       `cbor:"9,keyasint,omitempty"`
}

type settingRec struct {
	Key   string `cbor:"1,keyasint,omitzero"`
	Value string `cbor:"2,keyasint,omitzero"`
}

type editRec struct {
	_      struct{} `cbor:",toarray"`
	Column string
	Old    string
	New    string
}

type eventRec struct {
	Prev       uint64       `cbor:"1,keyasint,omitzero"`
	PrevTag    uint64       `cbor:"2,keyasint,omitzero"`
	ID         string       `cbor:"3,keyasint,omitzero"`
	Kind       uint8        `cbor:"4,keyasint,omitzero"`
	Tag        string       `cbor:"5,keyasint,omitzero"`
	Op         uint8        `cbor:"6,keyasint,omitzero"`
	Worker     personRec    `cbor:"7,keyasint,omitzero"`
	Actor      personRec    `cbor:"8,keyasint,omitzero"`
	Device     string       `cbor:"9,keyasint,omitzero"`
	Door       uint8        `cbor:"10,keyasint,omitzero"`
	Supervisor bool         `cbor:"11,keyasint,omitzero"`
	Before     string       `cbor:"12,keyasint,omitzero"`
	After      string       `cbor:"13,keyasint,omitzero"`
	Version    uint64       `cbor:"14,keyasint,omitzero"`
	Token      string       `cbor:"15,keyasint,omitzero"`
	Progress   *progressRec `cbor:"16,keyasint,omitempty"`
	Unions     unionsRec    `cbor:"17,keyasint,omitempty"`
	Removed    []int        `cbor:"18,keyasint,omitempty"`
	Resultado  uint8        `cbor:"19,keyasint,omitzero"`
	Fecha      int32        `cbor:"20,keyasint,omitzero"`
	Motivo     string       `cbor:"21,keyasint,omitzero"`
	Texto      string       `cbor:"22,keyasint,omitzero"`
	From       personRec    `cbor:"23,keyasint,omitzero"`
	Undoes     uint64       `cbor:"24,keyasint,omitzero"`
	Outcome    uint8        `cbor:"25,keyasint,omitzero"`
	Selected   []int        `cbor:"26,keyasint,omitempty"`
	PD         int32        `cbor:"27,keyasint,omitzero"`
	Done       int          `cbor:"28,keyasint,omitzero"`
	Needed     int          `cbor:"29,keyasint,omitzero"`
	Ready      bool         `cbor:"30,keyasint,omitzero"`
	HoldSince  instant      `cbor:"31,keyasint,omitzero"`
	Import     *importRec   `cbor:"32,keyasint,omitempty"`
	Setting    *settingRec  `cbor:"33,keyasint,omitempty"`
	Correction []editRec    `cbor:"34,keyasint,omitempty"`
}

// entryRec is one command and the event it came to.
type entryRec struct {
	Cmd    string  `cbor:"1,keyasint,omitzero"`
	Digest []byte  `cbor:"2,keyasint,omitempty"` // left out when 32 zero bytes
	Own    bool    `cbor:"3,keyasint,omitzero"`  // the store invented Cmd: nobody can repeat it
	At     instant `cbor:"4,keyasint,omitzero"`
	// Event holds everything else; Seq is the key, Cmd and At are above.
	Event eventRec `cbor:"5,keyasint,omitzero"`
}

// claimRec is what a start needs of the entries whose events are already in
// the checkpoint: which command came to this event, and when.
type claimRec struct {
	Cmd string  `cbor:"1,keyasint"`
	Own bool    `cbor:"3,keyasint"`
	At  instant `cbor:"4,keyasint"`
}

// rowRec is one spool in the checkpoint.
type rowRec struct {
	Spool spoolRec `cbor:"1,keyasint,omitzero"`
	// Position is the row's number in the snapshot.
	Position int `cbor:"2,keyasint,omitzero"`
	// Taken is the event that began the present hold; it orders what a worker holds.
	Taken uint64 `cbor:"3,keyasint,omitzero"`
}

// headRec is the end of the journal as the last transaction left it. It is
// written in every transaction: the meta bucket is so small that it lies in the
// root page, which every commit writes anyway.
type headRec struct {
	Seq  uint64 `cbor:"1,keyasint,omitzero"`
	Link []byte `cbor:"2,keyasint,omitempty"`
	// Checkpoint is the last event all of whose effects are in the rows.
	Checkpoint uint64 `cbor:"3,keyasint,omitzero"`
	// Cursor is the last event up to which the outbox is done.
	Cursor uint64 `cbor:"4,keyasint,omitzero"`
}

// parkedRec is an event the outbox could not deliver.
type parkedRec struct {
	Why string  `cbor:"1,keyasint,omitzero"`
	At  instant `cbor:"2,keyasint,omitzero"`
	// Retry is set when the event is pending again.
	Retry bool `cbor:"3,keyasint,omitzero"`
}

// unionsRec is a list of unions.
type unionsRec []unionRec
