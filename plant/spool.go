package plant

import (
	"slices"
	"time"
)

// Phase is the state of ARM or SOLD on a spool (rules §4.1).
type Phase uint8

// The phases.
const (
	Pendiente Phase = iota
	EnProgreso
	Pausado
	Completado
)

var phaseWords = [...]string{"pendiente", "en progreso", "pausado", "completado"}

// Word is the phase as Estado_Detalle spells it.
func (p Phase) Word() string { return phaseWords[p] }

var phaseNames = [...]string{"PENDIENTE", "EN_PROGRESO", "PAUSADO", "COMPLETADO"}

// String is the phase as JSON spells it.
func (p Phase) String() string { return phaseNames[p] }

// Quality is where a spool stands with Metrología and Reparación (rules §4.3,
// §4.4). SinVeredicto covers both "not ready" and "inspection pending": which
// of the two follows from the work done.
type Quality uint8

// The states of inspection and repair.
const (
	SinVeredicto Quality = iota
	AprobadoQ
	RechazadoQ
	EnReparacion
	ReparacionPausada
	PendienteMetrologia // repaired, waiting to be inspected again
	BloqueadoQ
)

var qualityNames = [...]string{"sin_veredicto", "aprobado", "rechazado", "en_reparacion", "reparacion_pausada", "pendiente_metrologia", "bloqueado"}

// String is the state's id in events and errors.
func (q Quality) String() string { return qualityNames[q] }

// Work is one operation, ARM or SOLD, on a spool.
type Work struct {
	Phase  Phase
	Worker Person // column Armador / Soldador
	Fecha  Date   // column Fecha_Armado / Fecha_Soldadura: set exactly when completed
}

// Hold is an occupation: who has the spool now. The zero value means free.
type Hold struct {
	Worker Person
	// Op is what the spool is held for; OpNone for a row imported as occupied
	// without a recognisable operation.
	Op    Op
	Since time.Time
	// Token is {worker_id}:{uuid4}, unique to this occupation.
	Token string
}

// Free reports whether nobody has the spool.
func (h Hold) Free() bool { return h.Worker.None() }

// Overdue reports whether the hold is vencida at now. It is a mark only: it
// never ends a hold (rules §6.1).
func (h Hold) Overdue(now time.Time, ttl time.Duration) bool {
	return !h.Free() && ttl > 0 && now.Sub(h.Since) >= ttl
}

// Displaced remembers a holder whose hold was ended by somebody else, until
// that worker takes the spool again: the next PAUSAR is answered 410 with who
// and when (rules §6.2).
type Displaced struct {
	Worker WorkerID
	Op     Op
	By     Person // who relieved; the supervisor's Person for LIBERAR
	How    Kind   // KindRelevar or KindLiberar
	At     time.Time
}

// Progress is everything the floor's commands change on a spool, joints and
// notes aside. Events carry the resulting value, so that an old event can
// never be re-interpreted by a newer rule.
type Progress struct {
	Arm, Sold Work
	Quality   Quality
	// Ciclo counts consecutive rejections, 0 to MaxCiclo (rules §4.5).
	Ciclo uint8
	// FechaQC is the day of approval. Rows left by the earlier system may carry
	// the day of a rejection here; the next verdict or repair corrects it.
	FechaQC Date
	Hold    Hold
	// LastHolder and LastOp name the holder of the last ended hold.
	LastHolder Person
	LastOp     Op
	Displaced  []Displaced
	// Verdict is the day and, if one was given, the motive of the last rejection.
	RejectedAt time.Time
	Motivo     string
	Inspector  Person
	// ReadyAt is when the spool last became ready for inspection.
	ReadyAt time.Time
}

// JointWork is ARM or SOLD on one union.
type JointWork struct {
	Worker     Person
	Start, End time.Time // columns …_FECHA_INICIO, …_FECHA_FIN
}

// Done reports whether the work on the union is finished.
func (w JointWork) Done() bool { return !w.End.IsZero() }

// Union is one joint of a spool. Its identity is the spool's tag and N, the
// number marked on the steel, which never changes (rules §11.1).
type Union struct {
	N    int
	DN   Inches
	Tipo string
	Arm  JointWork
	Sold JointWork
	// The inspection staff's own columns, carried along unread.
	NDT, NDTResult, NDTDate, NDTStatus string
	// SheetID is the worksheet's ID cell, carried along unread.
	SheetID string
}

// Worked reports whether any work was recorded on the union.
func (u Union) Worked() bool {
	return !u.Arm.Worker.None() || !u.Sold.Worker.None() || u.Arm.Done() || u.Sold.Done()
}

// Office is what the office owns on a row of Operaciones.
type Office struct {
	Split, NV, OT string
	Materiales    Date
}

// Spool is one spool's complete state. Values are immutable once published:
// copy before changing, slices included.
type Spool struct {
	Tag Tag
	// Order is the position in the Sheet at the first import; it orders lists.
	Order  int32
	Office Office
	Progress
	Unions []Union // ascending N
	Notas  string  // lines "YYYYMMDD: text"
	// Touched is set by the first command of the floor: an untouched spool has
	// an empty Estado_Detalle.
	Touched bool
	// Version counts the changes of this spool; it starts at 1.
	Version uint64
	// Token is the fresh UUID4 of the last change, for the Sheet's version column.
	Token string
	// Last is the last event about this spool; with Event.PrevTag it chains the
	// spool's history backwards.
	Last Seq
	// Changed is the instant of the last change.
	Changed time.Time
	// Damaged names columns whose cells are in quarantine: the last good state
	// stands (rules §2.8).
	Damaged []string
	// Undo is what DESHACER would restore, nil when nothing can be undone.
	Undo *Undo
}

// Undo is the state before a spool's last command.
type Undo struct {
	Seq      Seq
	Kind     Kind
	Actor    WorkerID // whose command it was
	At       time.Time
	Progress Progress
	Unions   []Union // as they were: only those that the command changed
	Touched  bool
}

// Union finds the union with number n.
func (s *Spool) Union(n int) (Union, bool) {
	i := slices.IndexFunc(s.Unions, func(u Union) bool { return u.N == n })
	if i < 0 {
		return Union{}, false
	}
	return s.Unions[i], true
}

// Work is the ARM or SOLD part of the spool; the zero Work for other operations.
func (s *Spool) Work(op Op) Work {
	switch op {
	case ARM:
		return s.Arm
	case SOLD:
		return s.Sold
	}
	return Work{}
}

// Tally counts a spool's unions and inches (rules §11.4).
type Tally struct {
	Total   int // all unions: what ARM needs
	Armed   int
	ToWeld  int // unions that need SOLD
	Welded  int // of those
	PDTotal Inches
	PDArmed Inches
	PDWeld  Inches // inches of ToWeld
	PDSold  Inches // inches of every union with SOLD finished
}

// Tally counts the spool's unions under the plant's list of welded types.
func (s *Spool) Tally(r Rules) Tally {
	var t Tally
	for _, u := range s.Unions {
		t.Total++
		t.PDTotal += u.DN
		if u.Arm.Done() {
			t.Armed++
			t.PDArmed += u.DN
		}
		needs := r.Welded[u.Tipo]
		if needs {
			t.ToWeld++
			t.PDWeld += u.DN
		}
		if u.Sold.Done() {
			t.PDSold += u.DN
			if needs {
				t.Welded++
			}
		}
	}
	return t
}
