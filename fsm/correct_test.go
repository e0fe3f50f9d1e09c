package fsm_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"envivo/fsm"
	"envivo/plant"
)

// correct is an edit of a spool's row that the supervisor accepts: change makes
// of the progress as it is what the row now says.
func (f *floor) correct(t plant.Tag, change func(*plant.Progress)) plant.Command {
	p := f.spool(t).Progress
	p.Displaced = append([]plant.Displaced(nil), p.Displaced...)
	if change != nil {
		change(&p)
	}
	v := f.spool(t).Version
	return plant.Command{Verb: plant.Corregir, Tag: t, Supervisor: true, Device: plant.SheetDevice, Motivo: " acordado ", Texto: " Armador: «» → «AB(1)» ",
		Version: &v, Correction: &plant.Correction{Progress: p, Columns: []string{"Armador", "Fecha_Armado"}, Old: []string{"", ""}, New: []string{"AB(1)", "x"}}}
}

var (
	armadora = plant.Person{ID: ana, Display: "AB(1)"}
	viejo    = plant.Person{Display: "Juan Pérez"} // no worker we know
)

// today is a day that has come in every test.
const today = plant.Date(46000)

func done(who plant.Person, day plant.Date) plant.Work {
	return plant.Work{Phase: plant.Completado, Worker: who, Fecha: day}
}

func TestACorrectionChangesWhatColumnsHold(t *testing.T) {
	for _, c := range []struct {
		name, from string
		change     func(*plant.Progress)
		want       string // Estado_Detalle
		ready      bool
	}{
		{"a name on an untouched spool", "libre", func(p *plant.Progress) { p.Arm = plant.Work{Phase: plant.Pausado, Worker: viejo} }, "Disponible - ARM pausado, SOLD pendiente", false},
		{"a date", "libre", func(p *plant.Progress) { p.Arm = done(armadora, today) }, "Disponible - ARM completado, SOLD pendiente", false},
		{"a date without a name", "libre", func(p *plant.Progress) { p.Arm = done(plant.Person{}, today) }, "Disponible - ARM completado, SOLD pendiente", false},
		{"both dates", "libre", func(p *plant.Progress) { p.Arm, p.Sold = done(armadora, today), done(viejo, today) }, "Disponible - ARM completado, SOLD completado", true},
		{"all three dates", "libre", func(p *plant.Progress) {
			p.Arm, p.Sold, p.Quality, p.FechaQC = done(armadora, today), done(viejo, today), plant.AprobadoQ, today
		}, plant.TextoAprobado, false},
		{"another name", "ARM completado", func(p *plant.Progress) { p.Arm.Worker = viejo }, "Disponible - ARM completado, SOLD pendiente", false},
		{"a pause taken back", "ARM pausado", func(p *plant.Progress) { p.Arm = plant.Work{} }, "Disponible - ARM pendiente, SOLD pendiente", false},
		{"a date taken back", "por inspeccionar", func(p *plant.Progress) { p.Sold.Phase, p.Sold.Fecha = plant.Pausado, 0 }, "Disponible - ARM completado, SOLD pausado", false},
		{"an approval", "por inspeccionar", func(p *plant.Progress) { p.Quality, p.FechaQC = plant.AprobadoQ, today }, plant.TextoAprobado, false},
		{"a rejection", "por inspeccionar", func(p *plant.Progress) { p.Quality, p.Ciclo = plant.RechazadoQ, 1 }, "RECHAZADO (Ciclo 1/3) - Pendiente reparación", false},
		{"an approval of a repair", "reparado", func(p *plant.Progress) { p.Quality, p.FechaQC = plant.AprobadoQ, today }, plant.TextoAprobado, false},
		{"another cycle", "rechazado", func(p *plant.Progress) { p.Ciclo = 2 }, "RECHAZADO (Ciclo 2/3) - Pendiente reparación", false},
		{"a repair finished", "rechazado", func(p *plant.Progress) { p.Quality = plant.PendienteMetrologia }, "PENDIENTE_METROLOGIA (Ciclo 1/3)", true},
		{"a repair begun once", "rechazado", func(p *plant.Progress) { p.Quality = plant.ReparacionPausada }, "REPARACION_PAUSADA (Ciclo 1/3)", false},
		{"a block", "rechazado", func(p *plant.Progress) { p.Quality, p.Ciclo = plant.BloqueadoQ, 3 }, plant.TextoBloqueado, false},
		{"an approval taken back", "aprobado", func(p *plant.Progress) { p.Quality, p.FechaQC = plant.SinVeredicto, 0 }, "Disponible - ARM completado, SOLD completado", true},
		{"a rejection over an approval", "aprobado", func(p *plant.Progress) { p.Quality, p.Ciclo = plant.RechazadoQ, 1 }, "RECHAZADO (Ciclo 1/3) - Pendiente reparación", false},
		{"another day of approval", "aprobado", func(p *plant.Progress) { p.FechaQC = today }, plant.TextoAprobado, false},
		{"a name on a spool with unions", "uniones armadas en parte", func(p *plant.Progress) { p.Arm.Worker = viejo }, "ARM parcial 2/4 (pausado)", false},
		{"names on finished unions", "uniones listas", func(p *plant.Progress) { p.Arm.Worker, p.Sold.Worker = viejo, viejo }, "Disponible - ARM completado, SOLD completado", false},
		{"an approval of finished unions", "uniones listas", func(p *plant.Progress) { p.Quality, p.FechaQC = plant.AprobadoQ, today }, plant.TextoAprobado, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := find(t, c.from)
			f := at(t, s)
			before, now := f.spool(s.tag), f.now
			e := f.must(f.correct(s.tag, c.change))
			after := f.spool(s.tag)
			if got := after.EstadoDetalle(f.rules); got != c.want || e.After != got || e.Before != before.EstadoDetalle(f.rules) {
				t.Errorf("the text is %q, the event %q → %q; want %q", got, e.Before, e.After, c.want)
			}
			if e.Ready != c.ready || c.ready != after.ReadyAt.Equal(now) {
				t.Errorf("ready=%v at %v, want %v at %v", e.Ready, after.ReadyAt, c.ready, now)
			}
			if (after.Quality == plant.AprobadoQ) != (after.FechaQC != 0) {
				t.Errorf("%v with QC date %v, want one exactly when approved", after.Quality, after.FechaQC)
			}
			if err := fsm.Legal(&after); err != nil || !after.Touched || after.Version != before.Version+1 || after.Undo != nil {
				t.Errorf("after it: %v, touched=%v, revision %d; want a sound spool, touched, one revision on", err, after.Touched, after.Version)
			}
			if !reflect.DeepEqual(before.Unions, after.Unions) || before.Hold != after.Hold {
				t.Error("a correction changed unions or hold")
			}
		})
	}
}

func TestTheEventOfACorrectionSaysWhatWasTyped(t *testing.T) {
	f := at(t, find(t, "libre"))
	c := f.correct(liso, func(p *plant.Progress) { p.Arm = done(armadora, today) })
	c.Correction.Old[1] = "01-11-2026"
	e := f.must(c)
	want := []plant.CellEdit{{Column: "Armador", New: "AB(1)"}, {Column: "Fecha_Armado", Old: "01-11-2026", New: "x"}}
	if !reflect.DeepEqual(e.Correction, want) || e.Motivo != "acordado" || e.Texto != "Armador: «» → «AB(1)»" || !e.Supervisor {
		t.Errorf("the event is %+v, want the cells, the motive and the words", e)
	}
	if e.Kind != plant.KindCorregir || e.Kind.String() != "CORREGIR" || e.Op != plant.OpNone || e.Worker != (plant.Person{Display: "SYSTEM"}) ||
		e.Actor != (plant.Person{Display: "SUPERVISOR"}) {
		t.Errorf("the event is %v of %v by %+v, want CORREGIR of the system by the supervisor", e.Kind, e.Worker, e.Actor)
	}
	c = f.correct(liso, func(p *plant.Progress) { p.Arm.Worker = viejo })
	c.Worker, c.Motivo = ana, "" // a supervisor who is a worker, with nothing to say
	if e := f.must(c); e.Worker.Display != "SYSTEM" || e.Actor != armadora || e.Motivo != "" {
		t.Errorf("by a worker: %+v by %+v with motive %q, want SYSTEM by AB(1) without", e.Worker, e.Actor, e.Motivo)
	}
	f.refused(undo(liso, ana), plant.CodeUndoLate) // a correction is not undone but corrected
}

// What no column holds stays, whatever the proposal says of it.
func TestACorrectionLeavesWhatNoColumnHolds(t *testing.T) {
	f := at(t, find(t, "ARM liberado"))
	before := f.spool(liso)
	if len(before.Displaced) != 1 || before.LastHolder.ID != ana {
		t.Fatalf("the spool remembers %+v, want ana as displaced", before.Progress)
	}
	f.must(f.correct(liso, func(p *plant.Progress) {
		at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		*p = plant.Progress{Arm: done(viejo, today), LastHolder: viejo, LastOp: plant.SOLD, Motivo: "x", Inspector: viejo, RejectedAt: at, ReadyAt: at,
			Displaced: []plant.Displaced{{Worker: beto}}}
	}))
	want := before.Progress
	want.Arm = done(viejo, today)
	if got := f.spool(liso).Progress; !reflect.DeepEqual(got, want) {
		t.Errorf("after the correction\n got %+v\nwant %+v", got, want)
	}
	f = at(t, find(t, "rechazado"))
	f.must(f.correct(liso, func(p *plant.Progress) { p.Ciclo = 2 }))
	if got := f.spool(liso); got.Inspector.ID != mario || got.RejectedAt.IsZero() {
		t.Errorf("another cycle left inspector %+v at %v, want the rejection's", got.Inspector, got.RejectedAt)
	}
	f.must(f.correct(liso, func(p *plant.Progress) { p.Quality, p.FechaQC = plant.AprobadoQ, today }))
	if got := f.spool(liso); !got.Inspector.None() || !got.RejectedAt.IsZero() || got.Ciclo != 0 {
		t.Errorf("an approval left %+v, want no inspector, no rejection, cycle 0", got.Progress)
	}
	now := f.now
	f.must(f.correct(liso, func(p *plant.Progress) { p.Quality, p.Ciclo = plant.RechazadoQ, 2 }))
	if got := f.spool(liso); !got.RejectedAt.Equal(now) || !got.Inspector.None() || got.Ciclo != 2 || got.FechaQC != 0 {
		t.Errorf("a rejection left %+v, want it now, by nobody known, in cycle 2, without QC date", got.Progress)
	}
}

// forbidden is a correction that is refused.
type forbidden struct {
	name, from string
	spoil      func(*floor, *plant.Command)
	change     func(*plant.Progress)
	want       plant.Code
	missing    string
}

// forbiddenCommands are wrong whatever the row says.
func forbiddenCommands() []forbidden {
	finished := func(p *plant.Progress) { p.Arm = done(viejo, today) }
	return []forbidden{
		{"no supervisor", "libre", func(_ *floor, c *plant.Command) { c.Supervisor, c.Worker = false, ana }, finished, plant.CodeSupervisor, ""},
		{"no spool", "libre", func(_ *floor, c *plant.Command) { c.Tag = "NO-HAY" }, finished, plant.CodeSpoolNotFound, ""},
		{"an unknown actor", "libre", func(_ *floor, c *plant.Command) { c.Actor = nadie }, finished, plant.CodeWorkerNotFound, ""},
		{"no correction", "libre", func(_ *floor, c *plant.Command) { c.Correction = nil }, nil, plant.CodeInvalid, "correction"},
		{"no columns", "libre", func(_ *floor, c *plant.Command) {
			c.Correction.Columns, c.Correction.Old, c.Correction.New = nil, nil, nil
		}, finished, plant.CodeInvalid, "columnas"},
		{"a column without a name", "libre", func(_ *floor, c *plant.Command) { c.Correction.Columns[1] = "" }, finished, plant.CodeInvalid, "columnas"},
		{"too few old texts", "libre", func(_ *floor, c *plant.Command) { c.Correction.Old = c.Correction.Old[:1] }, finished, plant.CodeInvalid, "columnas"},
		{"too many new texts", "libre", func(_ *floor, c *plant.Command) { c.Correction.New = append(c.Correction.New, "x") }, finished, plant.CodeInvalid, "columnas"},
		{"a long motive", "libre", func(_ *floor, c *plant.Command) { c.Motivo = strings.Repeat("ñ", 501) }, finished, plant.CodeInvalid, "motivo"},
		{"a blocked spool", "bloqueado", nil, func(p *plant.Progress) { p.Sold.Worker = viejo }, plant.CodeBlocked, ""},
		{"a block lifted", "bloqueado", nil, func(p *plant.Progress) { p.Quality, p.Ciclo = plant.RechazadoQ, 0 }, plant.CodeBlocked, ""},
		{"a held spool", "ARM en progreso", nil, finished, plant.CodeOccupied, ""},
		{"a hold taken away", "ARM en progreso", nil, func(p *plant.Progress) { p.Hold, p.Arm.Phase = plant.Hold{}, plant.Pausado }, plant.CodeOccupied, ""},
		{"a spool in repair", "en reparación", nil, func(p *plant.Progress) { p.Quality = plant.RechazadoQ }, plant.CodeOccupied, ""},
		{"held unions", "uniones en SOLD", nil, func(p *plant.Progress) { p.Arm.Worker = viejo }, plant.CodeOccupied, ""},
		{"a hold given", "libre", nil, func(p *plant.Progress) {
			p.Hold, p.Arm.Phase = plant.Hold{Worker: armadora, Op: plant.ARM}, plant.EnProgreso
		}, plant.CodeInvalid, "Ocupado_Por"},
		{"half a hold", "libre", nil, func(p *plant.Progress) { p.Hold.Since, p.Arm = time.Unix(1, 0), done(viejo, today) }, plant.CodeInvalid, "Ocupado_Por"},
		{"nothing changed", "ARM completado", nil, nil, plant.CodeUnchanged, ""},
		{"only what no column holds", "ARM completado", nil, func(p *plant.Progress) { p.LastHolder, p.Motivo = viejo, "x" }, plant.CodeUnchanged, ""},
		{"only a cycle under an approval", "aprobado", nil, func(p *plant.Progress) { p.Ciclo = 2 }, plant.CodeUnchanged, ""},
		{"another revision", "libre", func(_ *floor, c *plant.Command) { *c.Version++ }, finished, plant.CodeVersion, ""},
	}
}

// forbiddenRows say what cannot be.
func forbiddenRows() []forbidden {
	return []forbidden{
		{"in progress by nobody", "libre", nil, func(p *plant.Progress) { p.Arm.Phase = plant.EnProgreso }, plant.CodeInvalid, "correction"},
		{"completed without a date", "libre", nil, func(p *plant.Progress) { p.Sold.Phase = plant.Completado }, plant.CodeInvalid, "correction"},
		{"a phase of nobody's", "libre", nil, func(p *plant.Progress) { p.Sold.Phase = 9 }, plant.CodeInvalid, "correction"},
		{"in repair by nobody", "rechazado", nil, func(p *plant.Progress) { p.Quality = plant.EnReparacion }, plant.CodeInvalid, "correction"},
		{"a block in cycle 2", "rechazado", nil, func(p *plant.Progress) { p.Quality, p.Ciclo = plant.BloqueadoQ, 2 }, plant.CodeInvalid, "correction"},
		{"cycle 3 without a block", "rechazado", nil, func(p *plant.Progress) { p.Ciclo = 3 }, plant.CodeInvalid, "Estado_Detalle"},
		{"an approval without a date", "por inspeccionar", nil, func(p *plant.Progress) { p.Quality = plant.AprobadoQ }, plant.CodeInvalid, "Fecha_QC_Metrología"},
		{"a QC date on a rejection", "rechazado", nil, func(p *plant.Progress) { p.FechaQC = today }, plant.CodeInvalid, "Fecha_QC_Metrología"},
		{"an approval of nothing", "libre", nil, func(p *plant.Progress) { p.Quality, p.FechaQC = plant.AprobadoQ, today }, plant.CodeDependency, "ARM completado"},
		{"an approval before SOLD", "ARM completado", nil, func(p *plant.Progress) { p.Quality, p.FechaQC = plant.AprobadoQ, today }, plant.CodeDependency, "SOLD completado"},
		{"a rejection before SOLD", "SOLD pausado", nil, func(p *plant.Progress) { p.Quality, p.Ciclo = plant.RechazadoQ, 1 }, plant.CodeDependency, "SOLD completado"},
		{"work reopened under a verdict", "aprobado", nil, func(p *plant.Progress) { p.Sold.Phase, p.Sold.Fecha = plant.Pausado, 0 }, plant.CodeDependency, "SOLD completado"},
		{"a date on unions", "uniones armadas en parte", nil, func(p *plant.Progress) { p.Arm = done(p.Arm.Worker, today) }, plant.CodeInvalid, "Fecha_Armado"},
		{"a welding date on unions", "uniones libres", nil, func(p *plant.Progress) { p.Sold = done(viejo, today) }, plant.CodeInvalid, "Fecha_Soldadura"},
		{"another date on finished unions", "uniones listas", nil, func(p *plant.Progress) { p.Sold.Fecha-- }, plant.CodeInvalid, "Fecha_Soldadura"},
		{"a date taken from finished unions", "uniones listas", nil, func(p *plant.Progress) { p.Arm.Phase, p.Arm.Fecha = plant.Pausado, 0 }, plant.CodeInvalid, "Fecha_Armado"},
		{"a name that begins on unions", "uniones libres", nil, func(p *plant.Progress) { p.Arm = plant.Work{Phase: plant.Pausado, Worker: viejo} }, plant.CodeInvalid, "Armador"},
		{"a pause taken back on unions", "uniones armadas en parte", nil, func(p *plant.Progress) { p.Arm = plant.Work{} }, plant.CodeInvalid, "Armador"},
		{"an approval of unfinished unions", "uniones armadas en parte", nil, func(p *plant.Progress) { p.Quality, p.FechaQC = plant.AprobadoQ, today }, plant.CodeDependency, "ARM completado"},
	}
}

func TestWhatACorrectionMayNot(t *testing.T) {
	for _, c := range append(forbiddenCommands(), forbiddenRows()...) {
		t.Run(c.name, func(t *testing.T) {
			s := find(t, c.from)
			f := at(t, s)
			command := f.correct(s.tag, c.change)
			if c.spoil != nil {
				c.spoil(f, &command)
			}
			if e := f.refused(command, c.want); e.Missing != c.missing {
				t.Errorf("the refusal names %q, want %q", e.Missing, c.missing)
			}
		})
	}
}

func TestACorrectionNamesNoDayToCome(t *testing.T) {
	for column, change := range map[string]func(*plant.Progress, plant.Date){
		"Fecha_Armado":        func(p *plant.Progress, d plant.Date) { p.Arm.Fecha = d },
		"Fecha_Soldadura":     func(p *plant.Progress, d plant.Date) { p.Sold.Fecha = d },
		"Fecha_QC_Metrología": func(p *plant.Progress, d plant.Date) { p.FechaQC = d },
	} {
		f := at(t, find(t, "aprobado"))
		if e := f.refused(f.correct(liso, func(p *plant.Progress) { change(p, plant.DateOf(f.now)+1) }), plant.CodeInvalid); e.Missing != column {
			t.Errorf("a day to come in %s: the refusal names %q", column, e.Missing)
		}
		f.must(f.correct(liso, func(p *plant.Progress) { change(p, plant.DateOf(f.now)-1) }))
	}
}

// A row of the earlier system may carry a verdict without the work, or the day
// of a rejection. Correcting something else there leaves that alone.
func TestOddRowsOfTheEarlierSystemCanBeCorrected(t *testing.T) {
	f := newFloor(t)
	approved, rejected := plant.Spool{Tag: "VIEJO-1"}, plant.Spool{Tag: "VIEJO-2"}
	approved.Quality, approved.FechaQC, approved.Sold = plant.AprobadoQ, today, done(viejo, today)
	rejected.Quality, rejected.Ciclo, rejected.FechaQC, rejected.Arm, rejected.Sold = plant.RechazadoQ, 1, today, done(viejo, today), done(viejo, today)
	f.bring(approved)
	f.bring(rejected)
	f.must(f.correct("VIEJO-1", func(p *plant.Progress) { p.Sold.Worker = armadora }))
	f.must(f.correct("VIEJO-2", func(p *plant.Progress) { p.Sold.Worker = armadora }))
	if got := f.spool("VIEJO-2").FechaQC; got != today {
		t.Errorf("QC date %v after a name was corrected, want it left", got)
	}
	f.refused(f.correct("VIEJO-1", func(p *plant.Progress) { p.Sold = plant.Work{} }), plant.CodeDependency)
	f.must(f.correct("VIEJO-1", func(p *plant.Progress) { p.Arm = done(viejo, today) }))
}

func TestNobodyIsOfferedACorrection(t *testing.T) {
	f := at(t, find(t, "libre"))
	for _, a := range f.engine.Permitted(f, liso, fsm.Asker{Supervisor: true}, f.now) {
		if a.Verb == plant.Corregir {
			t.Error("a correction is offered as an act of the floor")
		}
	}
}
