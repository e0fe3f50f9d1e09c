package fsm_test

import (
	"slices"
	"testing"

	"envivo/plant"
)

func TestUnionsDoneCarryAuthorStartAndEnd(t *testing.T) {
	f := newFloor(t)
	f.must(cmd(plant.Tomar, cuatro, plant.ARM, ana))
	since := f.spool(cuatro).Hold.Since
	at := f.now
	e := f.must(finish(cuatro, ana, 3, 1))
	if e.Kind != plant.KindPausar || e.Outcome != plant.Pausar || !slices.Equal(e.Selected, []int{1, 3}) || e.PD != 250 || e.Done != 2 || e.Needed != 4 || e.Ready {
		t.Errorf("FINALIZAR of two of four = %v %v %v PD %v, %d/%d; want a partial pause with 2/4", e.Kind, e.Outcome, e.Selected, e.PD, e.Done, e.Needed)
	}
	s := f.spool(cuatro)
	want := plant.JointWork{Worker: plant.Person{ID: ana, Display: "AB(1)"}, Start: since, End: at}
	if u, _ := s.Union(3); u.Arm != want {
		t.Errorf("union 3 = %+v, want %+v", u.Arm, want)
	}
	if s.Arm.Phase != plant.Pausado || s.Arm.Fecha != 0 || !s.Hold.Free() {
		t.Errorf("ARM = %+v, want it paused without a date", s.Arm)
	}
	f.must(cmd(plant.Tomar, cuatro, plant.ARM, beto))
	e = f.must(finish(cuatro, beto, 2, 4))
	s = f.spool(cuatro)
	if e.Kind != plant.KindCompletar || e.Done != 4 || e.PD != 500 || s.Arm.Worker.ID != beto || s.Arm.Fecha != plant.DateOf(e.At) {
		t.Errorf("the last two = %v %d/%d, ARM %+v; want it completed by AB(2)", e.Kind, e.Done, e.Needed, s.Arm)
	}
	if u, _ := s.Union(3); u.Arm != want {
		t.Errorf("union 3 = %+v after another's work, want its author kept", u.Arm)
	}
}

func TestOnlyACompleteSpoolReachesInspection(t *testing.T) {
	f := newFloor(t)
	f.must(cmd(plant.Tomar, cuatro, plant.ARM, ana))
	f.must(finish(cuatro, ana, 1, 2, 3))
	f.must(cmd(plant.Tomar, cuatro, plant.SOLD, sol))
	f.must(finish(cuatro, sol, 1, 2, 3)) // all that is welded, yet union 4 is not fitted
	if s := f.spool(cuatro); s.InQueue(f.rules) || s.Sold.Phase != plant.Completado {
		t.Errorf("in the queue = %v with SOLD %v, want it welded and waiting for ARM", s.InQueue(f.rules), s.Sold.Phase)
	}
	f.refused(verdict(cuatro, plant.Aprobado), plant.CodeDependency)
	f.must(cmd(plant.Tomar, cuatro, plant.ARM, beto))
	e := f.must(finish(cuatro, beto, 4))
	if s := f.spool(cuatro); !e.Ready || !s.InQueue(f.rules) || !s.ReadyAt.Equal(e.At) {
		t.Errorf("ready = %v, in the queue = %v since %v; want it announced", e.Ready, s.InQueue(f.rules), s.ReadyAt)
	}
	f.must(verdict(cuatro, plant.Aprobado))
}

// A spool without a single union to weld is ready once it is fitted, and never
// gets a date of welding.
func TestASpoolThatNeedsNoWelding(t *testing.T) {
	f := newFloor(t)
	f.must(cmd(plant.Tomar, fit, plant.ARM, ana))
	e := f.must(cmd(plant.Cancelar, fit, plant.ARM, ana))
	if e.Ready {
		t.Error("a cancelled beginning announced the spool as ready")
	}
	f.must(cmd(plant.Tomar, fit, plant.ARM, ana))
	if e = f.must(finish(fit, ana, 1)); !e.Ready {
		t.Error("the fitted spool was not announced as ready")
	}
	f.refused(cmd(plant.Tomar, fit, plant.SOLD, sol), plant.CodeDone)
	f.must(verdict(fit, plant.Aprobado))
	if s := f.spool(fit); s.Sold.Fecha != 0 {
		t.Errorf("SOLD is dated %v, want no date", s.Sold.Fecha)
	}
}

func TestWhatCannotBeSelected(t *testing.T) {
	for _, c := range []struct {
		name   string
		from   string
		by     plant.WorkerID
		unions []int
		want   plant.Code
		about  []int
		whys   []plant.UnionWhy
	}{
		{"a union that is not there", "uniones en ARM", ana, []int{1, 9}, plant.CodeUnion, []int{9}, []plant.UnionWhy{plant.UnionMissing}},
		{"a union twice", "uniones en ARM", ana, []int{2, 2}, plant.CodeUnion, []int{2}, []plant.UnionWhy{plant.UnionTwice}},
		{"more than are open", "uniones en ARM", ana, []int{1, 2, 3, 4, 5}, plant.CodeRace, nil, nil},
		{"welding what is not fitted", "uniones en SOLD", sol, []int{3}, plant.CodeUnion, []int{3}, []plant.UnionWhy{plant.UnionUnarmed}},
		{"welding what needs none", "uniones en SOLD", sol, []int{1, 4}, plant.CodeUnion, []int{4}, []plant.UnionWhy{plant.UnionWeldless}},
		{"more than can be welded", "uniones en SOLD", sol, []int{1, 2, 3}, plant.CodeRace, nil, nil},
	} {
		f := at(t, find(t, c.from))
		e := f.refused(finish(cuatro, c.by, c.unions...), c.want)
		if !slices.Equal(e.Unions, c.about) || !slices.Equal(e.Whys, c.whys) {
			t.Errorf("%s: the refusal is about %v for the reasons %v, want %v for %v", c.name, e.Unions, e.Whys, c.about, c.whys)
		}
		if c.want == plant.CodeRace && (e.Have != uint64(len(c.unions)) || e.Want >= e.Have) {
			t.Errorf("%s: the refusal counts %d open and %d selected", c.name, e.Want, e.Have)
		}
	}
}

// Somebody else recorded union 1 after this list was drawn.
func TestAUnionDoneMeanwhileIsRefusedAsDone(t *testing.T) {
	f := at(t, find(t, "uniones en ARM"))
	f.must(finish(cuatro, ana, 1))
	f.must(cmd(plant.Tomar, cuatro, plant.ARM, beto))
	e := f.refused(finish(cuatro, beto, 1, 2), plant.CodeUnion)
	if !slices.Equal(e.Unions, []int{1}) || !slices.Equal(e.Whys, []plant.UnionWhy{plant.UnionDone}) {
		t.Errorf("the refusal is about %v for the reasons %v, want 1, done", e.Unions, e.Whys)
	}
}

func TestFinalizarBySelectionAndOverride(t *testing.T) {
	absent := plant.Command{Verb: plant.Finalizar, Tag: cuatro, Worker: ana}
	at(t, find(t, "uniones en ARM")).refused(absent, plant.CodeInvalid)
	strange := absent
	strange.Override = plant.Liberar
	at(t, find(t, "uniones en ARM")).refused(strange, plant.CodeInvalid)
	for _, c := range []struct {
		name, from string
		over       plant.Verb
		unions     []int
		kind       plant.Kind
		done       int
	}{
		{"an empty selection cancels", "uniones en ARM", plant.VerbNone, []int{}, plant.KindCancelar, 0},
		{"PAUSAR records none", "uniones en ARM", plant.Pausar, []int{1, 2, 3, 4}, plant.KindPausar, 0},
		{"COMPLETAR selects all that are open", "uniones en ARM", plant.Completar, nil, plant.KindCompletar, 4},
		{"COMPLETAR of SOLD stays partial while unions are not fitted", "uniones en SOLD", plant.Completar, nil, plant.KindPausar, 2},
		{"all of them complete", "uniones en ARM", plant.VerbNone, []int{4, 3, 2, 1}, plant.KindCompletar, 4},
	} {
		f := at(t, find(t, c.from))
		by := f.spool(cuatro).Hold.Worker.ID
		e := f.must(plant.Command{Verb: plant.Finalizar, Tag: cuatro, Worker: by, Override: c.over, Unions: c.unions})
		s := f.spool(cuatro)
		if e.Kind != c.kind || e.Done != c.done || !s.Hold.Free() {
			t.Errorf("%s: %v with %d done, held by %v; want %v with %d, free", c.name, e.Kind, e.Done, s.Hold.Worker, c.kind, c.done)
		}
		if (s.Work(e.Op).Fecha != 0) != (c.kind == plant.KindCompletar) {
			t.Errorf("%s: dated %v, want a date only with everything done", c.name, s.Work(e.Op).Fecha)
		}
	}
}

func TestCompletarWithUnionsOpenPausesAsPartial(t *testing.T) {
	for _, door := range []plant.Door{plant.DoorPage, plant.DoorV3, plant.DoorV21, plant.DoorV4} {
		f := at(t, find(t, "uniones en ARM"))
		c := cmd(plant.Completar, cuatro, plant.ARM, ana)
		c.Door = door
		if e := f.must(c); e.Kind != plant.KindPausar || e.Outcome != plant.Pausar || e.Done != 0 || e.Needed != 4 {
			t.Errorf("door %d: COMPLETAR = %v with %d/%d, want a partial pause with 0/4", door, e.Kind, e.Done, e.Needed)
		}
	}
}

// old is a spool fitted before unions were tracked.
func old(f *floor) plant.Tag {
	const tag = "ANTES-1"
	day := plant.DateOf(f.now)
	s := plant.Spool{Tag: tag, Office: plant.Office{Materiales: day}, Unions: []plant.Union{{N: 1, DN: 200, Tipo: "BW"}, {N: 2, DN: 100, Tipo: "FW"}, {N: 3, DN: 100, Tipo: "BR"}}}
	s.Arm = plant.Work{Phase: plant.Completado, Worker: plant.Person{Display: "Juan"}, Fecha: day - 30}
	f.bring(s)
	return tag
}

func TestASpoolFittedBeforeUnionsWereTracked(t *testing.T) {
	f := newFloor(t)
	tag := old(f)
	c := cmd(plant.Tomar, tag, plant.SOLD, sol)
	c.Door = plant.DoorV4
	f.must(c)
	f.must(finish(tag, sol, 1))
	f.refused(verdict(tag, plant.Aprobado), plant.CodeDependency)
	f.must(cmd(plant.Tomar, tag, plant.SOLD, saul))
	if e := f.must(finish(tag, saul, 3)); e.Kind != plant.KindCompletar || e.Done != 2 || e.Needed != 2 || !e.Ready {
		t.Errorf("the last weld = %v %d/%d, ready=%v; want it completed and ready", e.Kind, e.Done, e.Needed, e.Ready)
	}
	if s := f.spool(tag); s.Arm.Worker.Display != "Juan" {
		t.Errorf("ARM = %+v, want it left alone", s.Arm)
	}
	f.must(verdict(tag, plant.Aprobado))
}

// A date that the unions contradict counts as begun (rules §4.1).
func TestADateThatTheUnionsContradict(t *testing.T) {
	f := newFloor(t)
	day := plant.DateOf(f.now)
	armed := plant.JointWork{Worker: plant.Person{ID: ana, Display: "AB(1)"}, Start: f.now, End: f.now}
	s := plant.Spool{Tag: "FALSA-1", Office: plant.Office{Materiales: day}, Unions: []plant.Union{{N: 1, DN: 200, Tipo: "BW", Arm: armed}, {N: 2, DN: 100, Tipo: "BW"}}}
	s.Arm = plant.Work{Phase: plant.Completado, Worker: armed.Worker, Fecha: day}
	f.bring(s)
	f.must(cmd(plant.Tomar, s.Tag, plant.ARM, beto))
	f.must(finish(s.Tag, beto, 2))
	if got := f.spool(s.Tag); got.Arm.Phase != plant.Completado || got.Arm.Worker.ID != beto {
		t.Errorf("ARM = %+v, want it completed by who did the missing union", got.Arm)
	}
}

func TestCancellingKeepsTheUnionsDone(t *testing.T) {
	f := at(t, find(t, "uniones armadas en parte"))
	f.must(cmd(plant.Tomar, cuatro, plant.ARM, beto))
	e := f.must(cmd(plant.Cancelar, cuatro, plant.ARM, beto))
	s := f.spool(cuatro)
	if u, _ := s.Union(1); e.Outcome != plant.Cancelar || s.Arm.Phase != plant.Pausado || !s.Arm.Worker.None() || u.Arm.Worker.ID != ana {
		t.Errorf("ARM = %+v with union 1 %+v, want begun, nobody's, and the union its author's", s.Arm, u.Arm)
	}
	f.refused(cmd(plant.Cancelar, cuatro, plant.ARM, beto), plant.CodeNotStarted) // would change nothing
}

func edit(t plant.Tag, us ...plant.Union) plant.Command {
	return plant.Command{Verb: plant.EditarUniones, Tag: t, Worker: ana, Edits: us}
}

func TestEditingTheSetOfUnions(t *testing.T) {
	u := func(n int, dn plant.Inches, tipo string) plant.Union { return plant.Union{N: n, DN: dn, Tipo: tipo} }
	one, two, three, four := u(1, 200, "BW"), u(2, 400, "BW"), u(3, 50, "SO"), u(4, 100, "FW")
	for _, c := range []struct {
		name  string
		edits []plant.Union
		want  plant.Code
		about []int
	}{
		{"number 21", []plant.Union{one, two, three, four, u(21, 100, "BW")}, plant.CodeInvalid, nil},
		{"number 0", []plant.Union{one, two, three, four, u(0, 100, "BW")}, plant.CodeInvalid, nil},
		{"no diameter", []plant.Union{one, two, three, u(4, 0, "FW")}, plant.CodeInvalid, nil},
		{"51 inches", []plant.Union{one, two, three, u(4, 5100, "FW")}, plant.CodeInvalid, nil},
		{"no type", []plant.Union{one, two, three, u(4, 100, " ")}, plant.CodeInvalid, nil},
		{"a number twice", []plant.Union{one, one, two, three, four}, plant.CodeInvalid, nil},
		{"the same set", []plant.Union{four, three, two, one}, plant.CodeUnchanged, nil},
		{"a worked one changed", []plant.Union{u(1, 300, "BW"), two, three, four}, plant.CodeUnion, []int{1}},
		{"worked ones deleted", []plant.Union{three, four}, plant.CodeUnion, []int{1, 2}},
	} {
		f := at(t, find(t, "uniones armadas en parte"))
		if e := f.refused(edit(cuatro, c.edits...), c.want); !slices.Equal(e.Unions, c.about) {
			t.Errorf("%s: the refusal is about %v, want %v", c.name, e.Unions, c.about)
		}
	}
	f := at(t, find(t, "uniones armadas en parte"))
	e := f.must(edit(cuatro, one, two, u(4, 150, "FW"), u(7, 75, "LET")))
	s := f.spool(cuatro)
	if got := numbersOf(s.Unions); !slices.Equal(got, []int{1, 2, 4, 7}) || !slices.Equal(e.Removed, []int{3}) || !slices.Equal(numbersOf(e.Unions), []int{4, 7}) {
		t.Errorf("unions are %v (removed %v, changed %v), want 1 2 4 7: nothing is renumbered", got, e.Removed, numbersOf(e.Unions))
	}
}

func numbersOf(us []plant.Union) (out []int) {
	for _, u := range us {
		out = append(out, u.N)
	}
	return out
}

// What is complete by its unions says so whichever way it came about, and is
// begun again when a union is added.
func TestCompletionFollowsAChangedSet(t *testing.T) {
	f := at(t, find(t, "uniones armadas en parte"))
	done := f.spool(cuatro).Unions[:2]
	f.must(edit(cuatro, done...))
	s := f.spool(cuatro)
	if last, _ := s.LastDone(plant.ARM); s.Arm.Phase != plant.Completado || s.Arm.Worker != last.Worker || s.Arm.Fecha != plant.DateOf(last.End) {
		t.Errorf("ARM = %+v, want it completed by the latest union", s.Arm)
	}
	f.must(edit(cuatro, append(slices.Clone(s.Unions), plant.Union{N: 5, DN: 100, Tipo: "FW"})...))
	if s := f.spool(cuatro); s.Arm.Phase != plant.Pausado || s.Arm.Fecha != 0 {
		t.Errorf("ARM = %+v with a new union, want it begun without a date", s.Arm)
	}
}

func TestHoweverAHoldEndsCompleteUnionsAreComplete(t *testing.T) {
	ways := map[string]plant.Command{
		"PAUSAR": cmd(plant.Pausar, cuatro, plant.ARM, beto), "COMPLETAR": cmd(plant.Completar, cuatro, plant.ARM, beto),
		"CANCELAR": cmd(plant.Cancelar, cuatro, plant.ARM, beto), "LIBERAR": boss(plant.Liberar, cuatro),
	}
	for name, c := range ways {
		f := at(t, find(t, "uniones armadas en parte"))
		done := f.spool(cuatro).Unions[:2]
		f.must(cmd(plant.Tomar, cuatro, plant.ARM, beto))
		f.must(edit(cuatro, done...)) // what was open is gone while beto holds it
		f.must(c)
		s := f.spool(cuatro)
		last, _ := s.LastDone(plant.ARM)
		if s.Arm.Phase != plant.Completado || s.Arm.Worker.ID != ana || s.Arm.Fecha != plant.DateOf(last.End) {
			t.Errorf("after %s ARM = %+v, want it completed by AB(1), who did the latest union", name, s.Arm)
		}
	}
}
