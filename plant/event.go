package plant

import (
	"strconv"
	"strings"
	"time"
)

// Kind is what an event records. Its String is the event_type of the streams
// (docs/protocol.md).
type Kind uint8

// The kinds.
const (
	KindNone Kind = iota
	KindTomar
	KindPausar
	KindCompletar
	KindCancelar
	KindRelevar
	KindTraspasar
	KindLiberar
	KindDesbloquear
	KindInspeccion
	KindTomarReparacion
	KindPausarReparacion
	KindCompletarReparacion
	KindCancelarReparacion
	KindDeshacer
	KindNota
	KindUniones
	KindImportar   // spool: created, office data, joint definitions or history rows
	KindTrabajador // a worker was created or changed
	KindAjuste     // a setting of the store changed
	KindCorregir   // a hand-made edit of the Sheet was accepted (rules §2.9)
)

var kindNames = [...]string{"", "TOMAR", "PAUSAR", "COMPLETAR", "CANCELAR", "RELEVAR", "TRASPASAR", "LIBERAR", "DESBLOQUEAR",
	"COMPLETAR_METROLOGIA", "TOMAR_REPARACION", "PAUSAR_REPARACION", "COMPLETAR_REPARACION", "CANCELAR_REPARACION",
	"DESHACER", "NOTA", "UNIONES", "IMPORTAR", "TRABAJADOR", "AJUSTE", "CORREGIR"}

// String is the precise name used in the streams.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// Event is the immutable record of one committed change of one spool, worker
// or setting. The state of the plant is the fold of its events and of nothing
// else. Decide fills what was decided; the store adds Seq, Prev, PrevTag, ID
// and Cmd.
type Event struct {
	Seq     Seq
	Prev    Seq    // the event before this one; continuity is proved by it
	PrevTag Seq    // the previous event about the same spool, 0 for none
	ID      string // UUID4; also the ID of the Metadata row
	At      time.Time
	Cmd     CommandID

	Kind   Kind
	Tag    Tag
	Op     Op
	Worker Person // the holder the event is about
	Actor  Person // who pressed
	Device string
	Door   Door
	// Supervisor is set when a supervisor's session was open: the act rested on
	// it, or was done under it.
	Supervisor bool

	// Before and After are Estado_Detalle before and after, as the cell shows it.
	Before, After string
	// Version is the spool's revision after the event.
	Version uint64
	Token   string // the spool's fresh UUID4 version token

	// Progress is the spool's progress after the event; nil where the event
	// does not touch it (notes, joint definitions, office data, workers).
	Progress *Progress
	// Unions are the unions the event changed, as they are afterwards.
	Unions []Union
	// Removed are numbers of unions deleted by UNIONES.
	Removed []int

	Resultado Resultado
	Fecha     Date   // fecha_operacion as decided (today in the plant by default)
	Motivo    string // rejection, LIBERAR, DESBLOQUEAR, CORREGIR
	Texto     string // note; CORREGIR: what was changed, in words
	// From is the former holder of RELEVAR, TRASPASAR and LIBERAR.
	From Person
	// Undoes is the event that DESHACER takes back.
	Undoes Seq
	// Outcome is what FINALIZAR and COMPLETAR came to: Pausar, Completar or
	// Cancelar; VerbNone elsewhere.
	Outcome Verb
	// Selected and PD are the unions this command finished and their inches.
	Selected []int
	PD       Inches
	// Done and Needed are the unions finished and required for Op afterwards;
	// both 0 without unions.
	Done, Needed int
	// Ready is set when the event put the spool into the inspection queue.
	Ready bool
	// HoldSince is when the hold ended by this event had begun.
	HoldSince time.Time

	// Import carries what an IMPORTAR or TRABAJADOR event brought.
	Import *Import
	// Setting carries what an AJUSTE event changed.
	Setting *Setting
	// Correction are the cells of a CORREGIR event.
	Correction []CellEdit
}

// CellEdit is one cell of the Sheet that was changed by hand: its column as the
// Sheet names it, our text and the one typed over it.
type CellEdit struct {
	Column, Old, New string
}

// Import is what an import or the Sheet brings about one spool or one worker.
// Exactly one of Spool, Office, Worker is set, or only History.
type Import struct {
	// Spool is the whole hydrated state of a spool the store does not know yet.
	Spool *Spool
	// Office replaces the office's data of a known spool.
	Office *Office
	// Notas replaces the notes of a known spool by what the office made of them;
	// nil leaves them. Every dated entry of ours must still be in it.
	Notas *string
	// Unions are joint definitions new or changed by engineering (N, DN, Tipo).
	Unions []Union
	// Worker replaces a worker.
	Worker *Worker
	// History are rows of Metadata from before this store.
	History []MetadataRow
	// Damaged replaces the list of quarantined columns of a known spool when
	// SetDamaged is true.
	Damaged    []string
	SetDamaged bool
	// Source names where the data came from, for the record.
	Source string
}

// MetadataRow is one row of the Metadata worksheet, as text (rules §7.1).
type MetadataRow struct {
	ID, Timestamp, EventoTipo, Tag, WorkerID, WorkerNombre, Operacion, Accion, FechaOperacion, JSON, NUnion string
	// Order is the row's position in its worksheet.
	Order int32
	// At is Timestamp as an instant; zero when it could not be read.
	At time.Time
}

// Setting is one key of the store's own settings (PIN hash, tokens). Values
// are secrets or hashes of secrets, or Shared: they are never exported or
// streamed.
type Setting struct {
	Key   string
	Value string // empty removes the key
}

// The settings that anybody on the floor may change (rules §11.8).
const (
	// SettingFollowed begins the keys of spools a supervisor follows.
	SettingFollowed = "seguido/"
	// SettingAudit begins the keys of what old front ends report about their use.
	SettingAudit = "auditoria/"
	// SettingOldList begins the keys of lists that front ends once kept themselves.
	SettingOldList = "lista-antigua/"
)

// Shared reports whether changing the setting needs no supervisor.
func (s Setting) Shared() bool {
	for _, prefix := range []string{SettingFollowed, SettingAudit, SettingOldList} {
		if strings.HasPrefix(s.Key, prefix) {
			return true
		}
	}
	return false
}
