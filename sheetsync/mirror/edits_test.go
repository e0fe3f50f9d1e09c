package mirror

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"envivo/plant"
	"envivo/sheetsync/emulator"
)

// built is an office in which MK-002 and MK-001, which has joints, are free with
// ARM done.
func built(t *testing.T) *office {
	t.Helper()
	x := started(t, sheetOf{spools: 8, joints: 2})
	x.do(plant.Command{Verb: plant.Completar, Tag: "MK-002", Worker: 91, Op: plant.ARM, Door: plant.DoorPage})
	x.take("MK-001", 92, plant.ARM)
	x.clock.advance(20 * time.Minute)
	x.do(plant.Command{Verb: plant.Finalizar, Tag: "MK-001", Worker: 92, Op: plant.ARM, Unions: []int{1, 2}, Door: plant.DoorPage})
	x.pass(time.Minute)
	x.agrees()
	if t.Failed() {
		t.FailNow()
	}
	return x
}

// proposal is the one propuesta there is for a column.
func (x *office) proposal(tag plant.Tag, column string) Proposal {
	x.t.Helper()
	for _, p := range x.m.Status().Proposals {
		if p.Tag == tag && p.Column == column {
			return p
		}
	}
	x.t.Fatalf("propuestas = %+v, want one for %s of %s", x.m.Status().Proposals, column, tag)
	return Proposal{}
}

func TestAnEditOfOursWaitsForASupervisorWithBothValues(t *testing.T) {
	x := built(t)
	seq := x.st.Snapshot().Seq
	x.put("MK-002", "Fecha_Armado", emulator.Day(2026, 5, 2))
	x.pass(time.Minute)
	p := x.proposal("MK-002", "Fecha_Armado")
	if p.Ours != "04-05-2026" && !strings.Contains(p.Ours, "2026") || p.Theirs == p.Ours || p.Theirs == "" || !p.Acceptable || p.Row != 3 || p.Since.IsZero() {
		t.Errorf("propuesta = %+v, want both values, row 3, acceptable", p)
	}
	if got := x.kinds(seq); len(got) > 0 {
		t.Errorf("events %v before anybody decided, want none", got)
	}
	x.pass(10 * time.Minute)
	if again := x.proposal("MK-002", "Fecha_Armado"); again != p {
		t.Errorf("propuesta later = %+v, want the same %+v", again, p)
	}
	check(t, x.m.Accept(t.Context(), p.ID, "el armado fue el sábado", "t-1"))
	x.pass(time.Minute)
	events, _ := x.st.Events(t.Context(), seq, 0)
	if len(events) != 1 || events[0].Kind != plant.KindCorregir || events[0].Tag != "MK-002" {
		t.Fatalf("events = %+v, want one correction", x.kinds(seq))
	}
	if got := x.spool("MK-002").Progress.Arm.Fecha; got != plant.NewDate(2026, 5, 2) {
		t.Errorf("ARM was done on %v, want 2 May", got)
	}
	x.agrees()
	x.wantCalm()
	if err := x.m.Accept(t.Context(), p.ID, "", "t-1"); !errors.Is(err, ErrNoProposal) {
		t.Errorf("accepting twice = %v, want ErrNoProposal", err)
	}
}

func TestARejectedEditGivesWayToOurValue(t *testing.T) {
	x := built(t)
	seq := x.st.Snapshot().Seq
	x.put("MK-002", "Armador", "CD(95)")
	x.put("MK-002", "Soldador", "CD(95)")
	x.pass(time.Minute)
	p := x.proposal("MK-002", "Armador")
	check(t, x.m.Reject(t.Context(), p.ID, "t-1"))
	x.pass(time.Minute)
	if got := x.cell("Operaciones", "MK-002", "Armador"); got.Text != "AB(91)" {
		t.Errorf("Armador = %q, want ours again", got.Text)
	}
	if got := x.kinds(seq); len(got) > 0 {
		t.Errorf("events %v, want none", got)
	}
	if !x.audited("MK-002", "rechazó") {
		t.Errorf("audit = %+v, want the rejection", x.m.Status().Audit)
	}
	x.agrees()
	x.wantCalm()
	if err := x.m.Reject(t.Context(), p.ID, "t-1"); !errors.Is(err, ErrNoProposal) {
		t.Errorf("rejecting twice = %v, want ErrNoProposal", err)
	}
}

func TestAnEditTakenBackIsNoPropuestaAnyMore(t *testing.T) {
	x := built(t)
	was := x.cell("Operaciones", "MK-002", "Armador")
	x.put("MK-002", "Armador", "CD(95)")
	x.pass(time.Minute)
	p := x.proposal("MK-002", "Armador")
	x.put("MK-002", "Armador", was)
	x.pass(time.Minute)
	x.wantCalm()
	if err := x.m.Accept(t.Context(), p.ID, "", "t-1"); !errors.Is(err, ErrNoProposal) {
		t.Errorf("accepting what was taken back = %v, want ErrNoProposal", err)
	}
}

func TestAnEditOvertakenByWorkIsPutRight(t *testing.T) {
	x := built(t)
	x.put("MK-002", "Armador", "CD(95)")
	x.pass(time.Minute)
	p := x.proposal("MK-002", "Armador")
	x.take("MK-002", 93, plant.SOLD)
	if err := x.m.Accept(t.Context(), p.ID, "", "t-1"); err == nil {
		t.Error("accepting an edit of a spool that was taken meanwhile went well, want it refused")
	}
	x.pass(time.Minute)
	x.agrees()
	x.wantCalm()
}

func TestAnAcceptedEditSurvivesARestartInBetween(t *testing.T) {
	x := built(t)
	x.put("MK-002", "Fecha_Armado", emulator.Day(2026, 5, 2))
	x.pass(time.Minute)
	x.reopen()
	x.pass(time.Minute)
	p := x.proposal("MK-002", "Fecha_Armado")
	check(t, x.m.Accept(t.Context(), p.ID, "", "t-1"))
	x.reopen()
	x.pass(2 * time.Minute)
	if got := x.spool("MK-002").Progress.Arm.Fecha; got != plant.NewDate(2026, 5, 2) {
		t.Errorf("ARM was done on %v, want 2 May", got)
	}
	x.agrees()
	x.wantCalm()
}

func TestEditsOnATakenSpoolArePutRightWithAnAuditLine(t *testing.T) {
	x := started(t, sheetOf{spools: 8, joints: 2})
	seq := x.st.Snapshot().Seq
	x.put("MK-002", "Ocupado_Por", "DISPONIBLE")
	x.put("MK-002", "Fecha_Armado", emulator.Day(2026, 5, 2))
	x.pass(time.Minute)
	if got := x.cell("Operaciones", "MK-002", "Ocupado_Por"); got.Text != "AB(91)" {
		t.Errorf("Ocupado_Por = %q, want AB(91) again", got.Text)
	}
	for _, column := range []string{"Ocupado_Por", "Fecha_Armado"} {
		if !x.audited("MK-002", column, "tomado") {
			t.Errorf("audit = %+v, want %s in it", x.m.Status().Audit, column)
		}
	}
	if got := x.kinds(seq); len(got) > 0 {
		t.Errorf("events %v, want none", got)
	}
	x.agrees()
	x.wantCalm()
}

func TestWhatTheRulesDoNotAllowCannotBeAccepted(t *testing.T) {
	tests := map[string]struct {
		tag    string
		column string
		value  any
		why    string
	}{
		"a typed date on a spool with joints": {"MK-001", "Fecha_Soldadura", emulator.Day(2026, 5, 2), "uniones"},
		"another date on a spool with joints": {"MK-001", "Fecha_Armado", emulator.Day(2026, 5, 2), "uniones"},
		"taking a spool":                      {"MK-002", "Ocupado_Por", "CD(95)", "tableta"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := built(t)
			before := x.spool(plant.Tag(tt.tag)).Progress
			x.put(tt.tag, tt.column, tt.value)
			x.pass(time.Minute)
			p := x.proposal(plant.Tag(tt.tag), tt.column)
			if p.Acceptable || !strings.Contains(p.Why, tt.why) {
				t.Errorf("propuesta = %+v, want it not acceptable for %q", p, tt.why)
			}
			var refused *NotAcceptable
			if err := x.m.Accept(t.Context(), p.ID, "", "t-1"); !errors.As(err, &refused) {
				t.Errorf("accepting it = %v, want NotAcceptable", err)
			}
			if got := x.spool(plant.Tag(tt.tag)).Progress; !reflect.DeepEqual(got, before) {
				t.Errorf("the spool is %+v, want %+v", got, before)
			}
			check(t, x.m.Reject(t.Context(), p.ID, "t-1"))
			x.pass(time.Minute)
			x.agrees()
			x.wantCalm()
		})
	}
}

func TestCountersVersionAndFormsOfTheSameAreWrittenWithoutAWord(t *testing.T) {
	x := built(t)
	seq := x.st.Snapshot().Seq
	x.put("MK-001", "Uniones_ARM_Completadas", 9)
	x.put("MK-001", "Pulgadas_ARM", "ocho")
	x.put("MK-001", "version", "")
	x.put("MK-002", "Fecha_Armado", "04-05-2026")
	x.put("MK-002", "Armador", " AB(91) ")
	x.pass(time.Minute)
	if got := x.m.Status().Proposals; len(got) > 0 {
		t.Errorf("propuestas = %+v, want none", got)
	}
	if got := x.kinds(seq); len(got) > 0 {
		t.Errorf("events %v, want none", got)
	}
	x.agrees()
}

func TestAFormulaInAColumnOfOursIsNeverOverwritten(t *testing.T) {
	for _, column := range []string{"Uniones_ARM_Completadas", "Pulgadas_SOLD", "Notas", "Estado_Detalle", "Soldador", "Fecha_Soldadura", "version"} {
		t.Run(column, func(t *testing.T) {
			t.Parallel()
			x := started(t, sheetOf{spools: 8, joints: 2})
			x.put("MK-004", column, emulator.Formula("=G5", 10.5))
			x.pass(2 * time.Minute)
			x.take("MK-004", 92, plant.ARM)
			x.do(plant.Command{Verb: plant.Anotar, Tag: "MK-004", Worker: 93, Texto: "algo"})
			x.pass(2 * time.Minute)
			if got := x.cell("Operaciones", "MK-004", column); got.Formula != "=G5" {
				t.Errorf("%s = %+v, want the formula left alone", column, got)
			}
			if got := x.cell("Operaciones", "MK-004", "Ocupado_Por"); got.Text != "AB(92)" {
				t.Errorf("Ocupado_Por = %q, want AB(92)", got.Text)
			}
		})
	}
}

// blocked is an office whose MK-002 was rejected three times.
func blocked(t *testing.T) *office {
	t.Helper()
	x := rejected(t, 3)
	x.pass(time.Minute)
	x.agrees()
	if got := x.spool("MK-002").Quality; got != plant.BloqueadoQ {
		t.Fatalf("MK-002 is %v, want it blocked", got)
	}
	return x
}

// rejected is an office whose MK-002 was rejected so often just now.
func rejected(t *testing.T, times int) *office {
	t.Helper()
	x := started(t, sheetOf{spools: 8, joints: 2})
	x.do(plant.Command{Verb: plant.Completar, Tag: "MK-002", Worker: 91, Op: plant.ARM, Door: plant.DoorPage})
	x.take("MK-002", 91, plant.SOLD)
	x.do(plant.Command{Verb: plant.Completar, Tag: "MK-002", Worker: 91, Op: plant.SOLD, Door: plant.DoorPage})
	for n := range times {
		x.do(plant.Command{Verb: plant.Inspeccionar, Tag: "MK-002", Worker: 95, Op: plant.METROLOGIA, Resultado: plant.Rechazado, Motivo: "fuera de medida", Door: plant.DoorPage})
		if n < times-1 {
			x.take("MK-002", 91, plant.REPARACION)
			x.do(plant.Command{Verb: plant.Completar, Tag: "MK-002", Worker: 91, Op: plant.REPARACION, Door: plant.DoorPage})
		}
	}
	return x
}

// A supervisor who was waiting for the block types over it before any reading has
// shown that it is there.
func TestABlockMayBeLiftedAsSoonAsItStands(t *testing.T) {
	x := rejected(t, 3)
	for n := 0; !strings.Contains(x.cell("Operaciones", "MK-002", "Estado_Detalle").Text, "BLOQUEADO"); n++ {
		if n == 600 {
			t.Fatal("the block did not reach the Sheet in a minute")
		}
		x.pass(100 * time.Millisecond)
	}
	x.put("MK-002", "Estado_Detalle", "RECHAZADO (Ciclo 1/3)")
	x.pass(within)
	if sp := x.spool("MK-002"); sp.Quality != plant.RechazadoQ || sp.Ciclo != 1 {
		t.Errorf("MK-002 is %v in cycle %d, want it rejected in cycle 1", sp.Quality, sp.Ciclo)
	}
	x.pass(time.Minute)
	x.agrees()
}

// What stands in the cell from the second rejection lifts no block.
func TestAnOldRejectionLiftsNoBlock(t *testing.T) {
	x := rejected(t, 2)
	x.pass(time.Minute)
	x.agrees()
	x.take("MK-002", 91, plant.REPARACION)
	x.do(plant.Command{Verb: plant.Completar, Tag: "MK-002", Worker: 91, Op: plant.REPARACION, Door: plant.DoorPage})
	x.do(plant.Command{Verb: plant.Inspeccionar, Tag: "MK-002", Worker: 95, Op: plant.METROLOGIA, Resultado: plant.Rechazado, Motivo: "fuera de medida", Door: plant.DoorPage})
	x.pass(within)
	if got := x.spool("MK-002").Quality; got != plant.BloqueadoQ {
		t.Errorf("MK-002 is %v, want it blocked", got)
	}
	x.agrees()
}

func TestABlockLiftedByHandIsTheOverride(t *testing.T) {
	tests := map[string]struct {
		text  string
		opens bool
		ciclo uint8
	}{
		"Ciclo 0/3":  {"RECHAZADO (Ciclo 0/3) - Pendiente reparación", true, 0},
		"Ciclo 1/3":  {"RECHAZADO (Ciclo 1/3)", true, 1},
		"Ciclo 2/3":  {"rechazado (ciclo 2/3) - pendiente reparación", true, 2},
		"none":       {"RECHAZADO", true, 0},
		"Ciclo 3/3":  {"RECHAZADO (Ciclo 3/3)", false, 3},
		"still both": {"BLOQUEADO - RECHAZADO", false, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := blocked(t)
			seq := x.st.Snapshot().Seq
			x.put("MK-002", "Estado_Detalle", tt.text)
			x.pass(within)
			sp := x.spool("MK-002")
			if !tt.opens {
				if sp.Quality != plant.BloqueadoQ || len(x.kinds(seq)) > 0 {
					t.Errorf("MK-002 is %v after %v, want it blocked still", sp.Quality, x.kinds(seq))
				}
				return
			}
			events, _ := x.st.Events(t.Context(), seq, 0)
			if len(events) != 1 || events[0].Kind != plant.KindDesbloquear {
				t.Fatalf("events = %v, want the override", x.kinds(seq))
			}
			if sp.Quality != plant.RechazadoQ || sp.Ciclo != tt.ciclo {
				t.Errorf("MK-002 is %v in cycle %d, want it rejected in cycle %d", sp.Quality, sp.Ciclo, tt.ciclo)
			}
			x.pass(time.Minute)
			x.agrees()
			x.wantCalm()
			if rows := x.dump("Metadata"); !strings.Contains(rows, "SUPERVISOR_OVERRIDE") || !strings.Contains(rows, "BLOQUEADO_TO_RECHAZADO") {
				t.Errorf("Metadata = \n%s\nwant the override in it", rows)
			}
		})
	}
}

func TestANoteAndADateEditedTogetherAreBothSeen(t *testing.T) {
	x := built(t)
	x.put("MK-002", "Notas", "cambié la fecha")
	x.put("MK-002", "Fecha_Armado", emulator.Day(2026, 5, 2))
	x.put("MK-002", "NV", "NV77")
	x.pass(3 * time.Minute)
	p := x.proposal("MK-002", "Fecha_Armado")
	sp := x.spool("MK-002")
	if sp.Notas != "cambié la fecha" || sp.Office.NV != "NV77" {
		t.Errorf("the floor has notes %q and NV %q, want the office's", sp.Notas, sp.Office.NV)
	}
	check(t, x.m.Accept(t.Context(), p.ID, "", "t-1"))
	x.pass(time.Minute)
	x.agrees()
	x.wantCalm()
}
