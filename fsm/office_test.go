package fsm_test

import (
	"testing"

	"envivo/plant"
)

func bring(t plant.Tag, im plant.Import) plant.Command {
	return plant.Command{Verb: plant.Importar, Tag: t, Import: &im}
}

// Whatever an import brings, bringing it again changes nothing.
func TestAnImportRepeatedChangesNothing(t *testing.T) {
	office := plant.Office{NV: "NV-7", OT: "OT-1", Materiales: 46000}
	notes := "pedido por el cliente"
	worker := plant.Worker{ID: 12, Nombre: "Eva", Apellido: "Cid", Roles: plant.Armador, Activo: true}
	for name, c := range map[string]plant.Command{
		"a spool":         bring("NUEVO-1", plant.Import{Spool: &plant.Spool{Tag: "NUEVO-1"}}),
		"office data":     bring(liso, plant.Import{Office: &office}),
		"a worker":        bring("", plant.Import{Worker: &worker}),
		"new unions":      bring(liso, plant.Import{Unions: []plant.Union{{N: 2, DN: 100, Tipo: "BW"}, {N: 1, DN: 50, Tipo: "FW"}}}),
		"changed unions":  bring(cuatro, plant.Import{Unions: []plant.Union{{N: 3, DN: 75, Tipo: "BW", NDT: "RT"}}}),
		"notes":           bring(liso, plant.Import{Notas: &notes}),
		"damaged columns": bring(liso, plant.Import{SetDamaged: true, Damaged: []string{"Armador"}}),
	} {
		f := newFloor(t)
		before := f.spool(c.Tag).Version
		e := f.must(c)
		f.refused(c, plant.CodeUnchanged)
		if e.Kind != plant.KindImportar && name != "a worker" || e.Actor.Display != "SYSTEM" {
			t.Errorf("%s: the event is %v by %q, want IMPORTAR by SYSTEM", name, e.Kind, e.Actor.Display)
		}
		if s := f.spool(c.Tag); c.Tag != "" && (s.Version != before+1 || s.Touched) {
			t.Errorf("%s: revision %d after %d, touched=%v; want one more, untouched", name, s.Version, before, s.Touched)
		}
	}
	f := newFloor(t)
	if e := f.must(bring("", plant.Import{Worker: &worker})); e.Kind != plant.KindTrabajador || e.Worker.Display != "EC(12)" || e.Tag != "" {
		t.Errorf("a worker came as %v %+v, want TRABAJADOR about EC(12)", e.Kind, e.Worker)
	}
}

func TestAnImportNeverUndoesWork(t *testing.T) {
	f := at(t, find(t, "uniones armadas en parte"))
	before := f.spool(cuatro)
	f.must(bring(cuatro, plant.Import{Unions: []plant.Union{{N: 1, DN: 999, Tipo: "FW", NDT: "RT"}, {N: 3, DN: 75, Tipo: "SO"}}}))
	s := f.spool(cuatro)
	worked, _ := s.Union(1)
	fresh, _ := s.Union(3)
	if old, _ := before.Union(1); worked.DN != old.DN || worked.Tipo != old.Tipo || worked.Arm != old.Arm || worked.NDT != "RT" {
		t.Errorf("union 1 = %+v, want its work and size kept and the inspector's column carried along", worked)
	}
	if fresh.DN != 75 {
		t.Errorf("union 3 has DN %v, want 0.75", fresh.DN)
	}
	f.refused(bring(cuatro, plant.Import{Spool: &plant.Spool{Tag: cuatro}}), plant.CodeUnchanged) // known: not hydrated again
}

func TestTheOfficeWritesNotesAndLosesNoneOfOurs(t *testing.T) {
	write := func(text string) plant.Command { return bring(liso, plant.Import{Notas: &text}) }
	noted := func() *floor {
		f := newFloor(t)
		for _, text := range []string{"falta plano", "llegó", "llegó"} {
			f.must(plant.Command{Verb: plant.Anotar, Tag: liso, Texto: text})
		}
		return f
	}
	ours := "20261102: falta plano\n20261102: llegó\n20261102: llegó"
	for name, text := range map[string]string{
		"above":              "urge\n" + ours,
		"between":            "20261102: falta plano\nde la oficina\n20261102: llegó\n\n20261102: llegó",
		"below, with blanks": " 20261102: llegó \r\n20261102: falta plano\r\n20261102: llegó\r\nvisto 1234: no",
		"dated by hand":      ours + "\n20261103: oficina",
	} {
		f := noted()
		before := f.spool(liso)
		e := f.must(write(text))
		s := f.spool(liso)
		if s.Notas != text || s.Touched || s.Progress.Hold != before.Hold || e.Kind != plant.KindImportar || e.Actor.Display != "SYSTEM" || e.Progress != nil {
			t.Errorf("%s: notes %q, touched=%v by %+v; want the office's text, untouched, by SYSTEM", name, s.Notas, s.Touched, e.Actor)
		}
		f.refused(write(text), plant.CodeUnchanged)
		f.must(plant.Command{Verb: plant.Anotar, Tag: liso, Texto: "otra"})
		if got, want := f.spool(liso).Notas, text+"\n20261102: otra"; got != want {
			t.Errorf("%s: a note after it makes %q, want %q", name, got, want)
		}
	}
	for name, text := range map[string]string{
		"nothing left":   "",
		"one missing":    "20261102: falta plano\n20261102: llegó",
		"one changed":    "20261102: falta el plano\n20261102: llegó\n20261102: llegó",
		"one run on":     "nota 20261102: falta plano\n20261102: llegó\n20261102: llegó",
		"lines run over": "20261102: falta plano 20261102: llegó\n20261102: llegó",
	} {
		if e := noted().refused(write(text), plant.CodeInvalid); e.Missing != "Notas" {
			t.Errorf("%s: the field is %q, want Notas", name, e.Missing)
		}
	}
	f := newFloor(t)
	f.must(write("de la oficina\n1234567: corta\n20261102 sin dos puntos"))
	f.must(write("")) // the office may take back its own words
	if got := f.spool(liso).Notas; got != "" {
		t.Errorf("notes = %q, want none", got)
	}
	f.refused(write(""), plant.CodeUnchanged)
	none := ""
	f.refused(bring("NO-HAY", plant.Import{Notas: &none}), plant.CodeSpoolNotFound)
}

func TestWhatCannotBeImported(t *testing.T) {
	impossible := plant.Spool{Tag: "MALO-1"}
	impossible.Arm.Phase = plant.EnProgreso
	for name, c := range map[string]plant.Command{
		"nothing":             {Verb: plant.Importar},
		"a worker without id": bring("", plant.Import{Worker: &plant.Worker{}}),
		"a spool without tag": bring("", plant.Import{Spool: &plant.Spool{Tag: " "}}),
		"an impossible state": bring("MALO-1", plant.Import{Spool: &impossible}),
		"a union without DN":  bring(liso, plant.Import{Unions: []plant.Union{{N: 1}}}),
	} {
		if e := newFloor(t).refused(c, plant.CodeInvalid); e.Missing == "" && name != "nothing" {
			t.Errorf("%s: the refusal names no field", name)
		}
	}
	newFloor(t).refused(bring("NO-HAY", plant.Import{Office: &plant.Office{}}), plant.CodeSpoolNotFound)
}

// settings is a view that knows settings, as the store's does.
type settings struct {
	*floor
	m map[string]string
}

func (s settings) Setting(key string) string { return s.m[key] }

func TestSettingsAreTheSupervisorsAndChangeOnce(t *testing.T) {
	f := newFloor(t)
	v := settings{f, map[string]string{"pin": "hash"}}
	set := plant.Command{Verb: plant.Ajustar, Supervisor: true, UUID: "u", Setting: &plant.Setting{Key: "pin", Value: "other"}}
	e, err := f.engine.Decide(v, set, f.now)
	if err != nil || e.Kind != plant.KindAjuste || e.Setting.Value != "other" || e.Tag != "" || !e.Supervisor {
		t.Errorf("AJUSTE = %+v, %v; want the setting changed", e, err)
	}
	v.m["pin"] = "other"
	if _, err := f.engine.Decide(v, set, f.now); err == nil || err.(*plant.Error).Code != plant.CodeUnchanged {
		t.Errorf("the same setting again = %v, want it unchanged", err)
	}
	set.Supervisor = false
	f.refused(set, plant.CodeSupervisor)
	set.Setting = &plant.Setting{Key: plant.SettingFollowed + "MK-1", Value: "{}"}
	if e, err := f.engine.Decide(v, set, f.now); err != nil || e.Supervisor || !e.Actor.None() {
		t.Errorf("following a spool = %+v, %v; want it for everybody, in nobody's name", e, err)
	}
	f.refused(plant.Command{Verb: plant.Ajustar, Supervisor: true}, plant.CodeInvalid)
}

// A row may come in as held by somebody unknown for nobody knows what.
func TestAHoldOfUnknownOperationCanBeEnded(t *testing.T) {
	held := func(who plant.Person) *floor {
		f := newFloor(t)
		s := plant.Spool{Tag: "RARO-1"}
		s.Hold = plant.Hold{Worker: who, Since: f.now}
		f.bring(s)
		return f
	}
	f := held(plant.Person{ID: ana, Display: "AB(1)"})
	f.refused(cmd(plant.Completar, "RARO-1", plant.OpNone, ana), plant.CodeTransition)
	f.must(cmd(plant.Pausar, "RARO-1", plant.OpNone, ana))
	if s := f.spool("RARO-1"); !s.Hold.Free() {
		t.Errorf("held by %+v after PAUSAR, want it free", s.Hold.Worker)
	}
	f = held(plant.Person{Display: "Juan"})
	f.refused(cmd(plant.Pausar, "RARO-1", plant.OpNone, ana), plant.CodeNotHolder)
	if e := f.must(boss(plant.Liberar, "RARO-1")); e.From.Display != "Juan" || len(f.spool("RARO-1").Displaced) != 0 {
		t.Errorf("LIBERAR = %+v, want the end of Juan's hold and nobody to remember", e.From)
	}
}

func TestHistoryAloneBelongsToNoSpool(t *testing.T) {
	f := newFloor(t)
	rows := []plant.MetadataRow{{ID: "a", Tag: "BORRADO-1"}}
	if e := f.must(bring("", plant.Import{History: rows})); e.Tag != "" || e.Version != 0 || len(e.Import.History) != 1 {
		t.Errorf("history = %+v, want an event of no spool with its rows", e)
	}
}
