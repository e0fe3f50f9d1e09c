// Package plant holds the words of the floor: spools, unions, workers, the
// commands people send, the events that record what was decided, and the
// refusals. It knows no clock, no disk and no network, and depends on the
// standard library alone; every other package speaks in its types.
//
// Section marks such as "rules §4" refer to docs/rules.md.
package plant

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// Tag is TAG_SPOOL, the unique business identifier of a spool as the Sheet
// spells it (rules §2). It is opaque: letters, digits, '-' and '_' as a rule,
// but any non-blank text must be survived.
type Tag string

// WorkerID is the number of a worker in Trabajadores. 0 is nobody in
// particular: the system, or somebody who did not say who they are.
type WorkerID int32

// Seq numbers committed events. It only grows. 0 is "before the first event".
type Seq uint64

// CommandID is the idempotency key of a command: any text up to
// MaxCommandID bytes.
type CommandID string

// MaxCommandID is the longest idempotency key, in bytes.
const MaxCommandID = 128

// MaxBatchID is the longest key of a batch, in bytes: its items' fit behind it.
const MaxBatchID = MaxCommandID - 1 - 2*itemHash

// itemHash is how many bytes of a hash tell a batch's items apart, and itemMark
// stands before them: a key that comes in a header has no line break.
const (
	itemHash = 16
	itemMark = "\n"
)

// Item is the key of one spool's command in a batch with this key: the batch
// repeated is every item repeated.
func (id CommandID) Item(t Tag) CommandID {
	sum := sha256.Sum256([]byte(t))
	return id + itemMark + CommandID(hex.EncodeToString(sum[:itemHash]))
}

// Whole is the key of the batch a command is an item of, empty when of none. All
// items of a batch have one digest, and another command may not have its key.
func (id CommandID) Whole() CommandID {
	of, item, found := strings.Cut(string(id), itemMark)
	if !found || len(item) != 2*itemHash {
		return ""
	}
	return CommandID(of)
}

// Op is a kind of work (rules §1).
type Op uint8

// The operations. OpNone in a command means "whatever the spool is held for".
const (
	OpNone Op = iota
	ARM
	SOLD
	METROLOGIA
	REPARACION
)

var opNames = [...]string{"", "ARM", "SOLD", "METROLOGIA", "REPARACION"}

// String is the operation's word in JSON and in the Sheet; empty for OpNone.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return "Op(" + strconv.Itoa(int(o)) + ")"
}

// ParseOp reads the upper-case word of an operation.
func ParseOp(s string) (Op, bool) {
	for i := 1; i < len(opNames); i++ {
		if opNames[i] == s {
			return Op(i), true
		}
	}
	return OpNone, false
}

// Door is the generation of client a command came through. One engine serves
// them all; the few rules that differ are named in rules §4.2 and §9.
type Door uint8

// The doors.
const (
	DoorPage  Door = iota // our own pages
	DoorV3                // occupation, Metrología and Reparación endpoints
	DoorV21               // iniciar / completar / cancelar-accion
	DoorV4                // INICIAR / FINALIZAR
	DoorSheet             // a hand-made edit of the Sheet, accepted by a supervisor
)

// Verb is what a command asks for.
type Verb uint8

// The verbs. Finalizar lets the rules choose between pausing, completing and
// cancelling from the unions selected (rules §6.5).
const (
	VerbNone Verb = iota
	Tomar
	Pausar
	Completar
	Cancelar
	Finalizar
	Inspeccionar // Metrología: Resultado says APROBADO or RECHAZADO
	Relevar
	Traspasar
	Liberar
	Desbloquear
	Deshacer
	Anotar
	EditarUniones
	Importar // office data and hydrated rows: Command.Import
	Ajustar  // a setting of the store (PIN, token): Command.Setting
	Corregir // a hand-made edit of the Sheet, accepted: Command.Correction
)

var verbNames = [...]string{"", "TOMAR", "PAUSAR", "COMPLETAR", "CANCELAR", "FINALIZAR", "INSPECCIONAR", "RELEVAR",
	"TRASPASAR", "LIBERAR", "DESBLOQUEAR", "DESHACER", "NOTA", "UNIONES", "IMPORTAR", "AJUSTE", "CORREGIR"}

// String is the verb in capitals.
func (v Verb) String() string {
	if int(v) < len(verbNames) {
		return verbNames[v]
	}
	return "Verb(" + strconv.Itoa(int(v)) + ")"
}

// Verbs lists every verb a command may carry, in declaration order.
func Verbs() []Verb {
	out := make([]Verb, 0, len(verbNames)-1)
	for i := 1; i < len(verbNames); i++ {
		out = append(out, Verb(i))
	}
	return out
}

// Resultado is the verdict of an inspection.
type Resultado uint8

// The verdicts.
const (
	ResultadoNone Resultado = iota
	Aprobado
	Rechazado
)

var resultadoNames = [...]string{"", "APROBADO", "RECHAZADO"}

// String is the verdict's word in JSON and in the Sheet.
func (r Resultado) String() string {
	if int(r) < len(resultadoNames) {
		return resultadoNames[r]
	}
	return "Resultado(" + strconv.Itoa(int(r)) + ")"
}

// ParseResultado reads APROBADO or RECHAZADO.
func ParseResultado(s string) (Resultado, bool) {
	switch s {
	case "APROBADO":
		return Aprobado, true
	case "RECHAZADO":
		return Rechazado, true
	}
	return ResultadoNone, false
}

// Rules are the settings the rules of the trade depend on. The zero value is
// not useful; start from DefaultRules.
type Rules struct {
	// TTL is the age after which an occupation is vencida; 0 means never.
	TTL time.Duration
	// CheckRoles refuses work by workers without the role (rules §3).
	CheckRoles bool
	// CheckWorkers refuses unknown and inactive workers (rules §3).
	CheckWorkers bool
	// Welded says which TIPO_UNION need SOLD; a type not listed counts as
	// ARM-only (rules §11.2).
	Welded map[string]bool
	// UndoWithin is how long a worker's own last command can be undone.
	UndoWithin time.Duration
}

// DefaultRules are the plant's rules as the rule book states them.
func DefaultRules() Rules {
	return Rules{
		TTL:          time.Hour,
		CheckRoles:   true,
		CheckWorkers: true,
		Welded:       map[string]bool{"BW": true, "BR": true, "SO": true, "FILL": true, "LET": true},
		UndoWithin:   10 * time.Second,
	}
}

// MaxCiclo is the number of consecutive rejections that blocks a spool.
const MaxCiclo = 3
