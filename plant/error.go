package plant

import (
	"fmt"
	"time"
)

// Code classifies a refusal. Each code has one HTTP status, one stable string
// and one sentence, in api/status.go.
type Code uint8

// The codes. The comment gives the string of the JSON API.
const (
	CodeInternal       Code = iota // INTERNAL_SERVER_ERROR
	CodeInvalid                    // VALIDATION_ERROR: shape or range of a field
	CodeSpoolNotFound              // SPOOL_NO_ENCONTRADO
	CodeWorkerNotFound             // WORKER_NO_ENCONTRADO
	CodeRole                       // ROL_NO_AUTORIZADO
	CodeBlocked                    // SPOOL_BLOQUEADO
	CodeDependency                 // DEPENDENCIAS_NO_SATISFECHAS
	CodeArmFirst                   // ARM_PREREQUISITE (v4 door)
	CodeOccupied                   // SPOOL_OCCUPIED
	CodeNotHolder                  // NO_AUTORIZADO: somebody else has or last had it
	CodeTooEarly                   // NO_AUTORIZADO: RELEVAR before the hold is vencida
	CodeSupervisor                 // NO_AUTORIZADO: needs the supervisor
	CodeDisplaced                  // LOCK_EXPIRED
	CodeTransition                 // INVALID_STATE_TRANSITION
	CodeUnchanged                  // INVALID_STATE_TRANSITION: nothing to change
	CodeUndoLate                   // INVALID_STATE_TRANSITION: can no longer be undone
	CodeStarted                    // OPERACION_YA_INICIADA
	CodeDone                       // OPERACION_YA_COMPLETADA
	CodeNotStarted                 // OPERACION_NO_INICIADA
	CodeNotPending                 // OPERACION_NO_PENDIENTE
	CodeNotAvailable               // OPERACION_NO_DISPONIBLE
	CodeVersion                    // VERSION_CONFLICT
	CodeRace                       // RACE_CONDITION: more unions than are open
	CodeUnion                      // VALIDATION_ERROR: a union that is not there or not open
	CodeKeyReused                  // IDEMPOTENCY_KEY_REUSED
	CodeCorrupt                    // SPOOL_DATA_CORRUPT
	CodeBusy                       // 503, the queue is full: nothing was stored
	CodeFull                       // 503, the disk is full: nothing was stored
	CodeUnknownOutcome             // 503, nobody knows what is on disk
	CodeUnauthorized               // NO_AUTORIZADO: token or device missing
	CodeStandby                    // 503, a standby only shows
	codeEnd
)

// Codes lists every code, for tables and tests.
func Codes() []Code {
	out := make([]Code, codeEnd)
	for i := range out {
		out[i] = Code(i)
	}
	return out
}

// UnionWhy is why a union cannot be recorded as done.
type UnionWhy uint8

const (
	UnionMissing  UnionWhy = iota // the spool has no union of that number
	UnionTwice                    // the command names it twice
	UnionDone                     // somebody recorded it already
	UnionUnarmed                  // SOLD before ARM
	UnionWeldless                 // its type needs no weld
)

// Error is a refusal: what, about whom, since when. Adapters turn it into a
// status and a sentence; it is matched with errors.As or errors.Is against
// &Error{Code: …}.
type Error struct {
	Code Code
	Verb Verb
	Op   Op
	Tag  Tag
	// Worker is who asked; Display is empty when the worker is unknown.
	Worker Person
	// Holder has the spool, or had it last.
	Holder Person
	// HeldFor is the operation of that hold; Since its beginning, or the instant
	// of the event the refusal is about; Until when a hold becomes vencida.
	HeldFor Op
	Since   time.Time
	Until   time.Time
	// By and How say who ended the hold of a displaced worker.
	By  Person
	How Kind
	// Missing is the dependency by column name, or the field that is wrong.
	Missing string
	// Required and Has are roles.
	Required, Has Role
	// State and Transition name what could not be done from where.
	State, Transition string
	// Want and Have are the revisions of CodeVersion, and the unions open and
	// selected of CodeRace.
	Want, Have uint64
	// Unions are the numbers the refusal is about; Whys says of each, where it is
	// known, why it could not be recorded.
	Unions []int
	Whys   []UnionWhy
	// Primary is the address of the server that takes commands (CodeStandby); empty
	// while a box that has just started finds out whether it is this one.
	Primary string
	// Detail is extra text for logs, in English; never shown to an operator.
	Detail     string
	RetryAfter time.Duration
	Err        error
}

// Error is for logs.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s %s refused: code %d", e.Verb, e.Tag, e.Code)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is matches another *Error by code, so that errors.Is(err, ErrOccupied) works.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Refusals to match against.
var (
	ErrOccupied       = &Error{Code: CodeOccupied}
	ErrNotHolder      = &Error{Code: CodeNotHolder}
	ErrUnchanged      = &Error{Code: CodeUnchanged}
	ErrBusy           = &Error{Code: CodeBusy}
	ErrUnknownOutcome = &Error{Code: CodeUnknownOutcome}
	ErrKeyReused      = &Error{Code: CodeKeyReused}
	ErrVersion        = &Error{Code: CodeVersion}
)
