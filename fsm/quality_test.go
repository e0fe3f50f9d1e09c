package fsm_test

import (
	"strings"
	"testing"

	"envivo/fsm"
	"envivo/plant"
)

func TestThreeRejectionsInARowBlock(t *testing.T) {
	f := at(t, find(t, "por inspeccionar"))
	for n := 1; n <= plant.MaxCiclo; n++ {
		c := verdict(liso, plant.Rechazado)
		c.Motivo = " poros "
		e := f.must(c)
		s := f.spool(liso)
		want := plant.RechazadoQ
		if n == plant.MaxCiclo {
			want = plant.BloqueadoQ
		}
		if int(s.Ciclo) != n || s.Quality != want || s.FechaQC != 0 || s.Motivo != "poros" || s.Inspector.ID != mario || !s.RejectedAt.Equal(e.At) {
			t.Fatalf("rejection %d leaves %v in cycle %d, QC %v, %q; want %v", n, s.Quality, s.Ciclo, s.FechaQC, s.Motivo, want)
		}
		if e.Resultado != plant.Rechazado || e.Motivo != "poros" || e.After != s.EstadoDetalle(f.rules) {
			t.Fatalf("the event is %+v, want verdict, motive and text", e)
		}
		if n < plant.MaxCiclo {
			f.must(cmd(plant.Tomar, liso, plant.REPARACION, pia))
			if e := f.must(cmd(plant.Completar, liso, plant.REPARACION, pia)); !e.Ready {
				t.Fatal("a repaired spool was not announced as ready")
			}
		}
	}
	f.refused(cmd(plant.Tomar, liso, plant.REPARACION, pia), plant.CodeBlocked)
	f.refused(verdict(liso, plant.Aprobado), plant.CodeBlocked)
	f.must(plant.Command{Verb: plant.Anotar, Tag: liso, Texto: "avisado"}) // not an operation
	f.refused(plant.Command{Verb: plant.Desbloquear, Tag: liso, Motivo: "x"}, plant.CodeSupervisor)
	f.refused(plant.Command{Verb: plant.Desbloquear, Tag: liso, Supervisor: true}, plant.CodeInvalid)
	e := f.must(boss(plant.Desbloquear, liso))
	if s := f.spool(liso); s.Quality != plant.RechazadoQ || s.Ciclo != 0 || e.Motivo != "fin de turno" || !e.Supervisor || e.Actor.Display != "SUPERVISOR" {
		t.Errorf("DESBLOQUEAR = %+v leaving %v in cycle %d, want rejected in cycle 0", e, s.Quality, s.Ciclo)
	}
	f.must(cmd(plant.Tomar, liso, plant.REPARACION, pia))
	f.must(cmd(plant.Completar, liso, plant.REPARACION, pia))
	f.must(verdict(liso, plant.Rechazado))
	if s := f.spool(liso); s.Ciclo != 1 || s.Quality != plant.RechazadoQ {
		t.Errorf("the first rejection after unblocking leaves %v in cycle %d, want a first one", s.Quality, s.Ciclo)
	}
}

// typed is RECHAZADO typed over BLOQUEADO in the Sheet.
func typed(t plant.Tag, cycle uint8) plant.Command {
	return plant.Command{Verb: plant.Desbloquear, Tag: t, Supervisor: true, Device: plant.SheetDevice, Ciclo: &cycle}
}

func TestASupervisorUnblocksByHandInTheSheet(t *testing.T) {
	for cycle := range uint8(plant.MaxCiclo) {
		f := at(t, find(t, "bloqueado"))
		c := typed(liso, cycle)
		c.Worker, c.Actor = ana, beto // nobody pressed anything
		e := f.must(c)
		s := f.spool(liso)
		system := plant.Person{Display: "SYSTEM"}
		if e.Kind != plant.KindDesbloquear || e.Worker != system || e.Actor != system || !e.Supervisor || e.Motivo != "" || e.Device != plant.SheetDevice {
			t.Errorf("by hand = %+v, want DESBLOQUEAR by SYSTEM without a motive", e)
		}
		if s.Quality != plant.RechazadoQ || s.Ciclo != cycle || e.Before != plant.TextoBloqueado || e.After != s.EstadoDetalle(f.rules) {
			t.Errorf("by hand in cycle %d: %v in cycle %d, %q → %q", cycle, s.Quality, s.Ciclo, e.Before, e.After)
		}
		f.refused(typed(liso, cycle), plant.CodeTransition) // no longer blocked
		f.must(cmd(plant.Tomar, liso, plant.REPARACION, pia))
		f.must(cmd(plant.Completar, liso, plant.REPARACION, pia))
		f.must(verdict(liso, plant.Rechazado))
		if got := f.spool(liso).Ciclo; got != cycle+1 {
			t.Errorf("the rejection after cycle %d leaves cycle %d, want one more", cycle, got)
		}
	}
}

func TestWhatDoesNotUnblockByHand(t *testing.T) {
	at := func(from string) *floor { return at(t, find(t, from)) }
	for _, cycle := range []uint8{3, 4, 255} {
		if e := at("bloqueado").refused(typed(liso, cycle), plant.CodeInvalid); e.Missing != "ciclo" {
			t.Errorf("cycle %d: the field is %q, want ciclo", cycle, e.Missing)
		}
	}
	nobody, page, uncounted := typed(liso, 0), typed(liso, 0), typed(liso, 0)
	nobody.Supervisor, page.Device, uncounted.Ciclo = false, "Tablet 3", nil
	at("bloqueado").refused(nobody, plant.CodeSupervisor)
	for name, c := range map[string]plant.Command{"a page": page, "without a cycle": uncounted} {
		if e := at("bloqueado").refused(c, plant.CodeInvalid); e.Missing != "motivo" {
			t.Errorf("%s: the field is %q, want motivo", name, e.Missing)
		}
	}
	page.Motivo = "visto"
	f := at("bloqueado")
	f.must(page)
	if got := f.spool(liso).Ciclo; got != 0 {
		t.Errorf("a page unblocks to cycle %d, want 0 whatever it sends", got)
	}
	f = at("bloqueado")
	stale, one := typed(liso, 0), uint64(1)
	stale.Version = &one
	f.refused(stale, plant.CodeVersion)
	at("rechazado").refused(typed(liso, 0), plant.CodeTransition)
	at("libre").refused(typed(liso, 0), plant.CodeTransition)
}

func TestAnApprovalEndsTheCount(t *testing.T) {
	f := at(t, find(t, "reparado"))
	c := verdict(liso, plant.Aprobado)
	c.Fecha = plant.DateOf(f.now) - 1
	f.must(c)
	if s := f.spool(liso); s.Ciclo != 0 || s.FechaQC != c.Fecha || s.Motivo != "" || !s.RejectedAt.IsZero() {
		t.Errorf("approved: cycle %d, QC %v, motive %q; want 0, the day named, none", s.Ciclo, s.FechaQC, s.Motivo)
	}
	f.refused(verdict(liso, plant.Rechazado), plant.CodeDone)
	f.refused(cmd(plant.Tomar, liso, plant.REPARACION, pia), plant.CodeNotAvailable)
}

// Rows of the earlier system carry the day of a rejection as QC date.
func TestARepairedSpoolIsInspectedThoughItsRowHasAQCDate(t *testing.T) {
	f := newFloor(t)
	s := plant.Spool{Tag: "VIEJO-1"}
	day := plant.DateOf(f.now) - 9
	s.Arm, s.Sold = plant.Work{Phase: plant.Completado, Fecha: day}, plant.Work{Phase: plant.Completado, Fecha: day}
	s.Quality, s.Ciclo, s.FechaQC = plant.PendienteMetrologia, 1, day
	f.bring(s)
	f.must(verdict(s.Tag, plant.Rechazado))
	if got := f.spool(s.Tag); got.FechaQC != 0 || got.Ciclo != 2 {
		t.Errorf("QC date %v in cycle %d, want none in cycle 2", got.FechaQC, got.Ciclo)
	}
}

func TestARepairFinishedClearsTheQCDate(t *testing.T) {
	f := newFloor(t)
	s := plant.Spool{Tag: "VIEJO-2"}
	day := plant.DateOf(f.now) - 9
	s.Arm, s.Sold = plant.Work{Phase: plant.Completado, Fecha: day}, plant.Work{Phase: plant.Completado, Fecha: day}
	s.Quality, s.Ciclo, s.FechaQC = plant.RechazadoQ, 1, day
	f.bring(s)
	f.must(cmd(plant.Tomar, s.Tag, plant.REPARACION, pia))
	f.must(cmd(plant.Completar, s.Tag, plant.REPARACION, pia))
	if got := f.spool(s.Tag).FechaQC; got != 0 {
		t.Errorf("QC date %v after the repair, want none", got)
	}
}

func TestInspectionNamesWhatIsMissing(t *testing.T) {
	for from, want := range map[string]string{"libre": "ARM completado", "ARM completado": "SOLD completado", "SOLD en progreso": "SOLD completado"} {
		f := at(t, find(t, from))
		if e := f.refused(verdict(liso, plant.Aprobado), plant.CodeDependency); e.Missing != want {
			t.Errorf("%s: missing %q, want %q", from, e.Missing, want)
		}
	}
	f := at(t, find(t, "por inspeccionar"))
	f.refused(plant.Command{Verb: plant.Inspeccionar, Tag: liso, Worker: mario}, plant.CodeInvalid)
	long := verdict(liso, plant.Rechazado)
	long.Motivo = strings.Repeat("ñ", 501)
	f.refused(long, plant.CodeInvalid)
}

func TestARejectionMayNameUnions(t *testing.T) {
	f := at(t, find(t, "uniones listas"))
	c := verdict(cuatro, plant.Rechazado)
	c.Unions = []int{3, 9}
	if e := f.refused(c, plant.CodeUnion); len(e.Unions) != 1 || e.Unions[0] != 9 {
		t.Errorf("the refusal is about %v, want union 9", e.Unions)
	}
	c.Unions = []int{3, 1}
	before := f.spool(cuatro).Unions
	if e := f.must(c); len(e.Selected) != 2 || e.Selected[0] != 1 || e.PD != 250 || len(e.Unions) != 0 {
		t.Errorf("the event is about %v, changing %d unions; want 1 and 3, changing none", e.Selected, len(e.Unions))
	}
	if got := f.spool(cuatro).Unions; len(got) != len(before) || got[0] != before[0] {
		t.Error("a verdict changed the unions")
	}
}

func TestARepairTouchesNeitherColumnsNorUnionsNorCycle(t *testing.T) {
	f := at(t, find(t, "uniones listas"))
	f.reject(cuatro, 2)
	before := f.spool(cuatro)
	f.must(cmd(plant.Tomar, cuatro, plant.REPARACION, mario)) // any active worker may
	c := finish(cuatro, mario, 1, 2)
	if e := f.must(c); e.Kind != plant.KindCompletarReparacion || len(e.Unions) != 0 {
		t.Errorf("FINALIZAR of a repair = %v changing %d unions, want it completed, changing none", e.Kind, len(e.Unions))
	}
	after := f.spool(cuatro)
	if after.Arm != before.Arm || after.Sold != before.Sold || after.Ciclo != before.Ciclo || after.Quality != plant.PendienteMetrologia {
		t.Errorf("after the repair %+v, want only the quality changed from %+v", after.Progress, before.Progress)
	}
}

func TestNotesAreLinesWithTheirDay(t *testing.T) {
	f := newFloor(t)
	f.must(plant.Command{Verb: plant.Anotar, Tag: liso, Worker: pia, Texto: "  falta\nplano  "})
	e := f.must(plant.Command{Verb: plant.Anotar, Tag: liso, Texto: "llegó"})
	s := f.spool(liso)
	if want := "20261102: falta plano\n20261102: llegó"; s.Notas != want || s.Touched || e.Progress != nil || !e.Worker.None() {
		t.Errorf("notes = %q, touched=%v; want %q from an untouched spool", s.Notas, s.Touched, want)
	}
	for name, text := range map[string]string{"blank": " \n ", "501 characters": strings.Repeat("ñ", 501)} {
		if e := f.refused(plant.Command{Verb: plant.Anotar, Tag: liso, Texto: text}, plant.CodeInvalid); e.Missing != "texto" {
			t.Errorf("%s: the field is %q, want texto", name, e.Missing)
		}
	}
	f.must(plant.Command{Verb: plant.Anotar, Tag: liso, Texto: strings.Repeat("ñ", 500)})
	f.refused(plant.Command{Verb: plant.Anotar, Tag: liso, Worker: nadie, Texto: "hola"}, plant.CodeWorkerNotFound)
}

func TestLegalNamesWhatNoRuleKnows(t *testing.T) {
	day := plant.Date(46000)
	held := plant.Hold{Worker: plant.Person{ID: ana, Display: "AB(1)"}, Op: plant.ARM}
	for _, c := range []struct {
		name  string
		spoil func(*plant.Spool)
		want  string
	}{
		{"a phase of nobody's", func(s *plant.Spool) { s.Sold.Phase = 9 }, "no known phase"},
		{"in progress and free", func(s *plant.Spool) { s.Arm.Phase = plant.EnProgreso }, "held for it"},
		{"held and pending", func(s *plant.Spool) { s.Hold = held }, "held for it"},
		{"completed without a date", func(s *plant.Spool) { s.Arm.Phase = plant.Completado }, "with date"},
		{"a date without completion", func(s *plant.Spool) { s.Sold.Fecha = day }, "with date"},
		{"an unknown quality", func(s *plant.Spool) { s.Quality = 9 }, "none that is known"},
		{"in repair and free", func(s *plant.Spool) { s.Quality = plant.EnReparacion }, "held for repair"},
		{"held for repair without one", func(s *plant.Spool) { s.Hold = held; s.Hold.Op = plant.REPARACION }, "held for repair"},
		{"a fourth cycle", func(s *plant.Spool) { s.Ciclo = 4 }, "in cycle 4"},
		{"blocked too early", func(s *plant.Spool) { s.Quality, s.Ciclo = plant.BloqueadoQ, 2 }, "in cycle 2"},
		{"held for inspection", func(s *plant.Spool) { s.Hold = held; s.Hold.Op = plant.METROLOGIA }, "the hold is for"},
		{"a hold of nobody's", func(s *plant.Spool) { s.Hold.Token = "1:x" }, "the hold is for"},
		{"unions out of order", func(s *plant.Spool) { s.Unions = []plant.Union{{N: 2}, {N: 1}} }, "out of order"},
		{"a union twice", func(s *plant.Spool) { s.Unions = []plant.Union{{N: 1}, {N: 1}} }, "out of order"},
	} {
		s := plant.Spool{Tag: liso}
		if err := fsm.Legal(&s); err != nil {
			t.Fatalf("Legal of an untouched spool = %v, want nil", err)
		}
		c.spoil(&s)
		if err := fsm.Legal(&s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Legal of %s = %v, want it to say %q", c.name, err, c.want)
		}
	}
}
