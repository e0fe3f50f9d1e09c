package fsm_test

import (
	"fmt"
	"testing"
	"time"

	"envivo/plant"
)

func TestTomarGivesTheSpoolAndSaysSoInTheEvent(t *testing.T) {
	f := newFloor(t)
	at := f.now
	c := cmd(plant.Tomar, liso, plant.ARM, ana)
	c.UUID, c.Device, c.Door, c.ID = "4f6c0b1e-0000-4000-8000-000000000001", "tableta 2", plant.DoorV4, "clave"
	e := f.must(c)
	s := f.spool(liso)
	if s.Hold.Token != "1:"+c.UUID || s.Token != c.UUID || e.ID != c.UUID || e.Token != c.UUID {
		t.Errorf("tokens are %q, %q, %q, %q; want all of them to come from the command's UUID", s.Hold.Token, s.Token, e.ID, e.Token)
	}
	if s.Version != 2 || e.Version != 2 || !s.Hold.Since.Equal(at) || !s.Changed.Equal(at) || !s.Touched {
		t.Errorf("the spool is at revision %d since %v, changed %v; want revision 2 at %v", s.Version, s.Hold.Since, s.Changed, at)
	}
	if e.Worker.Display != "AB(1)" || e.Actor != e.Worker || e.Device != "tableta 2" || e.Door != plant.DoorV4 || e.Cmd != "clave" {
		t.Errorf("the event names %+v by %+v on %q, want AB(1) on tableta 2", e.Worker, e.Actor, e.Device)
	}
	if e.Before != "" && e.Before != "Disponible - ARM pendiente, SOLD pendiente" || e.After != "AB(1) trabajando ARM (ARM en progreso, SOLD pendiente)" {
		t.Errorf("the event reads %q → %q", e.Before, e.After)
	}
	end := f.must(cmd(plant.Pausar, liso, plant.OpNone, ana))
	if !end.HoldSince.Equal(at) || end.Op != plant.ARM || end.Outcome != plant.Pausar || end.Before != e.After {
		t.Errorf("PAUSAR = %+v, want the end of the hold of ARM since %v", end, at)
	}
}

// doors are the prerequisites of SOLD by door (rules §4.2).
func TestWhatMustComeBeforeSoldDependsOnTheDoor(t *testing.T) {
	const ok = plant.Code(255)
	begun, done, partly := find(t, "ARM pausado"), find(t, "ARM completado"), find(t, "uniones armadas en parte")
	for _, c := range []struct {
		s    situation
		door plant.Door
		want plant.Code
	}{
		{find(t, "libre"), plant.DoorPage, plant.CodeDependency}, {find(t, "libre"), plant.DoorV3, plant.CodeDependency},
		{find(t, "libre"), plant.DoorV21, plant.CodeDependency}, {find(t, "libre"), plant.DoorV4, plant.CodeArmFirst},
		{begun, plant.DoorPage, plant.CodeDependency}, {begun, plant.DoorV3, ok}, {begun, plant.DoorV21, ok}, {begun, plant.DoorV4, plant.CodeArmFirst},
		{done, plant.DoorPage, ok}, {done, plant.DoorV3, ok}, {done, plant.DoorV21, ok}, {done, plant.DoorV4, ok},
		{partly, plant.DoorPage, ok}, {partly, plant.DoorV3, ok}, {partly, plant.DoorV21, ok}, {partly, plant.DoorV4, ok},
		{find(t, "uniones libres"), plant.DoorV4, plant.CodeArmFirst}, {find(t, "uniones libres"), plant.DoorPage, plant.CodeDependency},
		{find(t, "sin materiales"), plant.DoorV4, plant.CodeDependency},
	} {
		t.Run(fmt.Sprintf("%s, door %d", c.s.name, c.door), func(t *testing.T) {
			f := at(t, c.s)
			take := cmd(plant.Tomar, c.s.tag, plant.SOLD, sol)
			take.Door = c.door
			if c.want == ok {
				f.must(take)
				return
			}
			if e := f.refused(take, c.want); e.Missing == "" {
				t.Error("the refusal does not name what is missing")
			}
		})
	}
}

func TestTheRefusalNamesWhatIsMissing(t *testing.T) {
	f := newFloor(t)
	if e := f.refused(cmd(plant.Tomar, vacio, plant.ARM, ana), plant.CodeDependency); e.Missing != "Fecha_Materiales" {
		t.Errorf("missing = %q, want Fecha_Materiales", e.Missing)
	}
	v3 := cmd(plant.Tomar, liso, plant.SOLD, sol)
	v3.Door = plant.DoorV3
	if e := f.refused(v3, plant.CodeDependency); e.Missing != "ARM iniciado (Armador)" || e.Op != plant.SOLD {
		t.Errorf("missing = %q for %v, want ARM iniciado (Armador) for SOLD", e.Missing, e.Op)
	}
	if e := f.refused(cmd(plant.Tomar, liso, plant.ARM, sol), plant.CodeRole); e.Required != plant.Armador|plant.Ayudante || e.Has != plant.Soldador || e.Worker.ID != sol {
		t.Errorf("role refusal = %+v, want the roles required and had", e)
	}
	f.must(cmd(plant.Tomar, liso, plant.ARM, ana))
	since := f.spool(liso).Hold.Since
	e := f.refused(cmd(plant.Tomar, liso, plant.ARM, beto), plant.CodeOccupied)
	if e.Holder.ID != ana || e.HeldFor != plant.ARM || !e.Since.Equal(since) || !e.Until.Equal(since.Add(time.Hour)) || e.Worker.ID != beto {
		t.Errorf("occupied = %+v, want the holder, since when and until when", e)
	}
	stale := uint64(1)
	c := cmd(plant.Pausar, liso, plant.ARM, ana)
	c.Version = &stale
	if e := f.refused(c, plant.CodeVersion); e.Want != 1 || e.Have != 2 {
		t.Errorf("version refusal names %d and %d, want 1 and 2", e.Want, e.Have)
	}
	c.Worker = beto // the more telling refusal comes first
	f.refused(c, plant.CodeNotHolder)
	if e := f.refused(cmd(plant.Tomar, "NO-HAY", plant.ARM, ana), plant.CodeSpoolNotFound); e.Tag != "NO-HAY" {
		t.Errorf("the refusal is about %q, want NO-HAY", e.Tag)
	}
}

func TestV21BeginsAndFinishesWithoutHolding(t *testing.T) {
	v21 := func(v plant.Verb, op plant.Op, who plant.WorkerID) plant.Command {
		c := cmd(v, liso, op, who)
		c.Door = plant.DoorV21
		return c
	}
	f := newFloor(t)
	f.refused(v21(plant.Completar, plant.ARM, beto), plant.CodeNotStarted)
	f.must(v21(plant.Tomar, plant.ARM, ana))
	if e := f.refused(v21(plant.Tomar, plant.ARM, beto), plant.CodeStarted); e.Holder.ID != ana {
		t.Errorf("already begun by %+v, want AB(1)", e.Holder)
	}
	f.refused(v21(plant.Tomar, plant.SOLD, sol), plant.CodeOccupied)
	f.refused(v21(plant.Completar, plant.ARM, beto), plant.CodeNotHolder)
	f.must(v21(plant.Pausar, plant.ARM, ana))
	e := f.must(v21(plant.Completar, plant.ARM, beto))
	if s := f.spool(liso); s.Arm.Worker.ID != beto || s.Arm.Fecha != plant.DateOf(e.At) || e.Kind != plant.KindCompletar {
		t.Errorf("ARM = %+v after %v, want it completed by AB(2)", s.Arm, e.Kind)
	}
	f.refused(v21(plant.Completar, plant.ARM, beto), plant.CodeDone)
	f.refused(v21(plant.Cancelar, plant.METROLOGIA, mario), plant.CodeNotAvailable)
	other := at(t, find(t, "ARM pausado"))
	other.refused(cmd(plant.Completar, liso, plant.ARM, beto), plant.CodeNotHolder) // no other door may
	other.must(v21(plant.Cancelar, plant.ARM, beto))
	if s := other.spool(liso); s.Arm != (plant.Work{}) {
		t.Errorf("ARM = %+v after cancelling, want it untouched", s.Arm)
	}
}

func TestV21CompletesNoInspection(t *testing.T) {
	for _, c := range []struct {
		situation string
		who       plant.WorkerID
		want      plant.Code
	}{
		{"libre", mario, plant.CodeNotAvailable}, {"por inspeccionar", mario, plant.CodeNotAvailable}, {"por inspeccionar", ana, plant.CodeRole}, {"aprobado", mario, plant.CodeDone},
	} {
		s := find(t, c.situation)
		verb := cmd(plant.Completar, s.tag, plant.METROLOGIA, c.who)
		verb.Door = plant.DoorV21
		at(t, s).refused(verb, c.want)
	}
}

func TestAHoldIsRelievedOnlyOnceItIsVencida(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration
		ttl   time.Duration
		ok    bool
	}{
		{"one second before", time.Hour - time.Second, time.Hour, false},
		{"at the very instant", time.Hour, time.Hour, true},
		{"twelve hours later", 12 * time.Hour, time.Hour, true},
		{"a plant that never calls a hold vencida", 1000 * time.Hour, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := plant.DefaultRules()
			r.TTL = c.ttl
			f := floorUnder(t, r)
			f.must(cmd(plant.Tomar, liso, plant.ARM, ana))
			old := f.spool(liso).Hold
			f.now = old.Since.Add(c.after)
			relieve := cmd(plant.Relevar, liso, plant.OpNone, beto)
			f.refused(cmd(plant.Tomar, liso, plant.ARM, beto), plant.CodeOccupied)
			if !c.ok {
				e := f.refused(relieve, plant.CodeTooEarly)
				if c.ttl > 0 && !e.Until.Equal(old.Since.Add(c.ttl)) || e.Holder.ID != ana {
					t.Errorf("too early = %+v, want holder and the instant it becomes vencida", e)
				}
				f.must(cmd(plant.Pausar, liso, plant.ARM, ana)) // holder and rights stay the same
				return
			}
			relieved := f.now
			e := f.must(relieve)
			now := f.spool(liso).Hold
			if e.From.ID != ana || e.Worker.ID != beto || !e.HoldSince.Equal(old.Since) || now.Worker.ID != beto || now.Token == old.Token || !now.Since.Equal(relieved) {
				t.Errorf("RELEVAR = %+v with hold %+v, want both names and a new hold", e, now)
			}
			gone := f.refused(cmd(plant.Pausar, liso, plant.ARM, ana), plant.CodeDisplaced)
			if gone.By.ID != beto || gone.How != plant.KindRelevar || !gone.Since.Equal(relieved) {
				t.Errorf("displaced = %+v, want who relieved and when", gone)
			}
			f.must(cmd(plant.Pausar, liso, plant.ARM, beto))
			f.refused(cmd(plant.Completar, liso, plant.ARM, ana), plant.CodeDisplaced)
			f.must(cmd(plant.Tomar, liso, plant.ARM, ana)) // taking it again ends that
			f.must(cmd(plant.Pausar, liso, plant.ARM, ana))
			f.refused(cmd(plant.Pausar, liso, plant.ARM, ana), plant.CodeTransition)
		})
	}
}

func TestAVencidaHoldIsStillItsHolders(t *testing.T) {
	f := at(t, find(t, "ARM vencida"))
	f.refused(cmd(plant.Relevar, liso, plant.OpNone, sol), plant.CodeRole)
	f.refused(cmd(plant.Relevar, liso, plant.OpNone, ana), plant.CodeOccupied)
	f.must(cmd(plant.Completar, liso, plant.ARM, ana))
}

func TestAHandoverNeedsBothSides(t *testing.T) {
	for _, c := range []struct {
		name string
		to   plant.WorkerID
		want plant.Code
	}{
		{"to nobody", 0, plant.CodeInvalid}, {"to oneself", ana, plant.CodeInvalid}, {"to somebody unknown", nadie, plant.CodeWorkerNotFound},
		{"to somebody who left", inactiva, plant.CodeWorkerNotFound}, {"to another trade", sol, plant.CodeRole},
	} {
		f := at(t, find(t, "ARM en progreso"))
		if e := f.refused(hand(liso, ana, c.to), c.want); c.want == plant.CodeInvalid && e.Missing != "worker_destino" {
			t.Errorf("%s: the field is %q, want worker_destino", c.name, e.Missing)
		}
	}
	f := at(t, find(t, "uniones en ARM"))
	since := f.spool(cuatro).Hold.Since
	c := hand(cuatro, ana, beto)
	c.Unions = []int{2}
	e := f.must(c)
	s := f.spool(cuatro)
	if e.From.ID != ana || e.Worker.ID != beto || e.Actor.ID != ana || s.Hold.Worker.ID != beto || s.Arm.Worker.ID != beto || len(s.Displaced) != 0 {
		t.Errorf("TRASPASAR = from %v to %v by %v, displaced %v; want 1 to 2 by 1 and nobody displaced", e.From, e.Worker, e.Actor, s.Displaced)
	}
	if u, _ := s.Union(2); u.Arm.Worker.ID != ana || !u.Arm.Start.Equal(since) || e.PD != 400 {
		t.Errorf("union 2 = %+v, want what the giver did to be the giver's", u.Arm)
	}
	f.refused(cmd(plant.Pausar, cuatro, plant.ARM, ana), plant.CodeNotHolder)
	f.must(cmd(plant.Pausar, cuatro, plant.ARM, beto))
}

func TestASupervisorReleasesWithAMotive(t *testing.T) {
	for _, c := range []struct{ name, op string }{{"ARM en progreso", "ARM"}, {"SOLD en progreso", "SOLD"}, {"en reparación", "REPARACION"}} {
		f := at(t, find(t, c.name))
		before := f.spool(liso)
		f.refused(plant.Command{Verb: plant.Liberar, Tag: liso, Motivo: "turno"}, plant.CodeSupervisor)
		if e := f.refused(plant.Command{Verb: plant.Liberar, Tag: liso, Supervisor: true, Motivo: "  "}, plant.CodeInvalid); e.Missing != "motivo" {
			t.Errorf("%s: the field is %q, want motivo", c.name, e.Missing)
		}
		e := f.must(boss(plant.Liberar, liso))
		s := f.spool(liso)
		who := before.Hold.Worker
		if !s.Hold.Free() || e.From != who || e.Worker != who || e.Motivo != "fin de turno" || !e.Supervisor || e.Op.String() != c.op || !e.HoldSince.Equal(before.Hold.Since) {
			t.Errorf("%s: LIBERAR = %+v, want the end of %v's hold", c.name, e, who)
		}
		if s.Arm.Worker != before.Arm.Worker || s.Sold.Worker != before.Sold.Worker {
			t.Errorf("%s: the worker columns changed, want them kept", c.name)
		}
		if gone := f.refused(cmd(plant.Pausar, liso, plant.OpNone, who.ID), plant.CodeDisplaced); gone.How != plant.KindLiberar || gone.By.Display != "SUPERVISOR" {
			t.Errorf("%s: displaced = %+v, want by the supervisor", c.name, gone)
		}
		f.refused(cmd(plant.Cancelar, liso, before.Hold.Op, who.ID), plant.CodeDisplaced)
		f.refused(cmd(plant.Pausar, liso, plant.OpNone, ayu), plant.CodeNotHolder)
	}
}

// The owner and four strangers at once: one is served, four are told that it
// is not theirs, also those who come after the release.
func TestOwnershipIsJudgedBeforeState(t *testing.T) {
	f := at(t, find(t, "ARM en progreso"))
	f.refused(cmd(plant.Completar, liso, plant.ARM, beto), plant.CodeNotHolder)
	f.must(cmd(plant.Completar, liso, plant.ARM, ana))
	for _, who := range []plant.WorkerID{beto, ayu} {
		if e := f.refused(cmd(plant.Completar, liso, plant.ARM, who), plant.CodeNotHolder); e.Holder.ID != ana || e.HeldFor != plant.ARM {
			t.Errorf("a stranger after the release reads %+v, want who had it", e)
		}
	}
	f.refused(cmd(plant.Completar, liso, plant.ARM, ana), plant.CodeTransition)
}

func TestTheDayIsTheOneNamedAndNeverOneToCome(t *testing.T) {
	f := at(t, find(t, "ARM en progreso"))
	c := cmd(plant.Completar, liso, plant.ARM, ana)
	c.Fecha = plant.DateOf(f.now) + 1
	if e := f.refused(c, plant.CodeInvalid); e.Missing != "fecha_operacion" {
		t.Errorf("the field is %q, want fecha_operacion", e.Missing)
	}
	c.Fecha = plant.DateOf(f.now) - 3
	if e := f.must(c); f.spool(liso).Arm.Fecha != c.Fecha || e.Fecha != c.Fecha {
		t.Errorf("ARM is dated %v and the event %v, want the day named", f.spool(liso).Arm.Fecha, e.Fecha)
	}
	// 23:30 in the plant is the next day in Greenwich
	late := newFloor(t)
	late.now = time.Date(2026, 11, 3, 2, 30, 0, 0, time.UTC)
	late.must(cmd(plant.Tomar, liso, plant.ARM, ana))
	late.must(cmd(plant.Completar, liso, plant.ARM, ana))
	if got, want := late.spool(liso).Arm.Fecha, plant.NewDate(2026, 11, 2); got != want {
		t.Errorf("ARM completed at 23:30 is dated %v, want %v", got, want)
	}
}

func TestTheChecksOfWorkersAndRolesCanBeSwitchedOff(t *testing.T) {
	r := plant.DefaultRules()
	r.CheckRoles, r.CheckWorkers = false, false
	f := floorUnder(t, r)
	if e := f.must(cmd(plant.Tomar, liso, plant.ARM, nadie)); e.Worker.Display != "?(99)" {
		t.Errorf("an unknown worker is written %q, want ?(99)", e.Worker.Display)
	}
	f.must(cmd(plant.Pausar, liso, plant.ARM, nadie))
	f.must(cmd(plant.Tomar, liso, plant.ARM, pia))
	f.refused(cmd(plant.Tomar, cuatro, plant.ARM, 0), plant.CodeWorkerNotFound)
}

func TestNothingIsHandedOverOnceEverythingIsDone(t *testing.T) {
	f := at(t, find(t, "uniones en ARM"))
	c := hand(cuatro, ana, beto)
	c.Unions = []int{1, 2, 3, 4}
	f.refused(c, plant.CodeDone)
	c.Unions = []int{9}
	f.refused(c, plant.CodeUnion)
}

func TestARefusalSaysWhoFinishedAndWhereTheSpoolStands(t *testing.T) {
	f := at(t, find(t, "ARM completado"))
	s := f.spool(liso)
	e := f.refused(cmd(plant.Tomar, liso, plant.ARM, beto), plant.CodeDone)
	if e.Holder.ID != ana || !e.Since.Equal(s.FinishedAt(plant.ARM)) || e.Op != plant.ARM {
		t.Errorf("done = %+v, want who finished ARM and when", e)
	}
	for from, want := range map[string]string{"libre": "pendiente", "ARM pausado": "pausado", "ARM completado": "completado"} {
		f := at(t, find(t, from))
		if e := f.refused(cmd(plant.Pausar, liso, plant.ARM, ana), plant.CodeTransition); e.State != want || e.Transition != "pausar" || e.Op != plant.ARM {
			t.Errorf("%s: %q from %q of %v, want pausar from %s of ARM", from, e.Transition, e.State, e.Op, want)
		}
	}
	for from, want := range map[string]string{"aprobado": "aprobado", "reparado": "pendiente metrologia", "por inspeccionar": "libre"} {
		f := at(t, find(t, from))
		if e := f.refused(cmd(plant.Tomar, liso, plant.REPARACION, pia), plant.CodeNotAvailable); e.State != want {
			t.Errorf("%s: not available from %q, want %q", from, e.State, want)
		}
	}
}

func TestHolderAndActorAreBothRecorded(t *testing.T) {
	f := newFloor(t)
	c := cmd(plant.Tomar, liso, plant.ARM, ana)
	c.Actor = beto
	if e := f.refused(c, plant.CodeSupervisor); e.Worker.ID != ana {
		t.Errorf("for AB(1) without a supervisor: refused to %d", e.Worker.ID)
	}
	c.Actor, c.Supervisor = nadie, true
	if e := f.refused(c, plant.CodeWorkerNotFound); e.Worker.ID != nadie {
		t.Errorf("not found is %d, want 99", e.Worker.ID)
	}
	c.Actor = beto
	if e := f.must(c); e.Worker.ID != ana || e.Actor.ID != beto || !e.Supervisor || f.spool(liso).Hold.Worker.ID != ana {
		t.Errorf("TOMAR for AB(1) by AB(2) = %v by %v", e.Worker, e.Actor)
	}
	if u := f.spool(liso).Undo; u == nil || u.Actor != beto {
		t.Errorf("the undo is %+v, want it to belong to who pressed", u)
	}
}
