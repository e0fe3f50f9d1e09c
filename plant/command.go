package plant

// Command is one request of a person or of the system. Which fields count
// depends on Verb; the rest are ignored.
type Command struct {
	// ID is the idempotency key; empty means the caller gave none and the store
	// invents one.
	ID CommandID
	// Digest is a hash of everything that must match when ID is repeated.
	Digest [32]byte
	// UUID is a fresh UUID4: the event's ID, its version token and, for a new
	// hold, the random part of the lock token. The store fills it when empty.
	UUID string
	Verb Verb
	Tag  Tag
	Op   Op
	// Worker is who the command is for: who takes, who gives, who inspects.
	Worker WorkerID
	// Actor is who pressed when that is not Worker; 0 means Worker and
	// BySupervisor a supervisor who is no worker. To act for somebody else takes
	// Supervisor.
	Actor WorkerID
	// Supervisor says the request carried a valid supervisor session or an
	// admin token. The engine trusts it.
	Supervisor bool
	Device     string
	Door       Door
	// Version is the revision the client saw; nil when it did not say.
	Version *uint64
	// Fecha is fecha_operacion; 0 means today in the plant.
	Fecha     Date
	Resultado Resultado
	// Unions are the numbers selected. nil means the request named none at all,
	// which is not the same as an empty selection.
	Unions []int
	// Override is FINALIZAR's action_override: Pausar, Completar or VerbNone.
	Override Verb
	// Destino receives a TRASPASAR.
	Destino WorkerID
	Motivo  string
	Texto   string
	// Edits is the complete set of joints for EditarUniones.
	Edits []Union
	// Ciclo is the cycle read from the text typed over BLOQUEADO: DESBLOQUEAR by
	// hand in the Sheet, with Device SheetDevice. nil elsewhere.
	Ciclo *uint8
	// Undoes is the event DESHACER names; 0 means the worker's last on Tag.
	Undoes  Seq
	Import  *Import
	Setting *Setting
	// Correction is what CORREGIR is about.
	Correction *Correction
}

// BySupervisor is the Actor of what a supervisor does in somebody's name.
const BySupervisor WorkerID = -1

// SupervisorName is how events name a supervisor who is no worker.
const SupervisorName = "SUPERVISOR"

// Correction is what a supervisor puts right on a spool: a hand-made edit of its
// row in the Sheet, or who did what and when (rules §2.9).
type Correction struct {
	// Authors are what is put right on a page; the rest is left out then.
	Authors []Author
	// Progress is what the row now stands for. Only what a column holds counts:
	// ARM, SOLD, quality, cycle and QC date; its hold must be free.
	Progress Progress
	// Columns are the edited columns as the Sheet names them; Old and New the
	// texts of their cells, in the same order.
	Columns, Old, New []string
}

// Author says who did ARM or SOLD, and when.
type Author struct {
	// N is the union, 0 for the operation as a whole.
	N  int
	Op Op
	// Worker did it, whoever is active today; 0 leaves the author.
	Worker WorkerID
	// Fecha is the day it was finished, for a spool without unions; 0 leaves it.
	Fecha Date
}

// SheetDevice is the Device of commands read from hand-made edits of the Sheet
// (rules §2.9).
const SheetDevice = "planilla"

// Receipt is the "committed" answer to a command. It is the event that was
// committed: nothing in an answer may come from anywhere else.
type Receipt struct {
	Event Event
	// Repeated is set when the command had been accepted before under the same ID.
	Repeated bool
}

// View is what a decision may look at; immutable for the length of one call.
type View interface {
	Spool(Tag) (Spool, bool)
	Worker(WorkerID) (Worker, bool)
	// Held lists the tags a worker holds.
	Held(WorkerID) []Tag
}

// Result is what one command of a group came to: a Receipt, or an error.
type Result struct {
	Receipt Receipt
	Err     error
}
