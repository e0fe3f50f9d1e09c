package sheetsync

import (
	"testing"
	"time"

	"envivo/plant"
	"envivo/sheetsync/table"
)

var (
	ab = plant.Person{ID: 12, Display: "AB(12)"}
	cd = plant.Person{ID: 34, Display: "CD(34)"}
	ef = plant.Person{ID: 56, Display: "EF(56)"}
)

const day = plant.Date(46150)

func noon() time.Time { return time.Date(2026, 5, 12, 16, 0, 0, 0, time.UTC) }

// vector is a line of the table of rules §4.6: cells and what they stand for.
type vector struct {
	name            string
	armador         plant.Person
	fArmado         plant.Date
	soldador        plant.Person
	fSoldadura      plant.Date
	fQC             plant.Date
	ocupado         plant.Person
	estado          string
	arm, sold       plant.Phase
	quality         plant.Quality
	ciclo           uint8
	holder          plant.Person
	op              plant.Op
	inspectionReady bool
}

func vectors() []vector {
	const pend, prog, paus, done = plant.Pendiente, plant.EnProgreso, plant.Pausado, plant.Completado
	return []vector{
		{name: "never touched", arm: pend, sold: pend},
		{name: "worker alone", armador: ab, arm: paus, sold: pend},
		{name: "text of before there was a word for pausado", armador: ab, estado: "Disponible - ARM en progreso, SOLD pendiente", arm: paus, sold: pend},
		{name: "held for ARM by the text", armador: ab, ocupado: ab, estado: "AB(12) trabajando ARM (ARM en progreso, SOLD pendiente)", arm: prog, sold: pend, holder: ab, op: plant.ARM},
		{name: "held for ARM by the columns", armador: ab, ocupado: ab, arm: prog, sold: pend, holder: ab, op: plant.ARM},
		{name: "half taken", ocupado: ab, arm: prog, sold: pend, holder: ab, op: plant.ARM},
		{name: "ARM done", armador: ab, fArmado: day, arm: done, sold: pend},
		{name: "ARM done by nobody known", fArmado: day, arm: done, sold: pend},
		{name: "held for SOLD", armador: ab, fArmado: day, soldador: cd, ocupado: cd, estado: "CD(34) trabajando SOLD (ARM completado, SOLD en progreso)", arm: done, sold: prog, holder: cd, op: plant.SOLD},
		{name: "held for SOLD while ARM is paused", armador: ab, soldador: cd, ocupado: cd, estado: "CD(34) trabajando SOLD (…)", arm: paus, sold: prog, holder: cd, op: plant.SOLD},
		{name: "both done", armador: ab, fArmado: day, soldador: cd, fSoldadura: day, arm: done, sold: done, inspectionReady: true},
		{name: "approved, old text", armador: ab, fArmado: day, soldador: cd, fSoldadura: day, fQC: day, estado: "METROLOGIA_APROBADO ✓", arm: done, sold: done, quality: plant.AprobadoQ},
		{name: "approved by its date", armador: ab, fArmado: day, soldador: cd, fSoldadura: day, fQC: day, arm: done, sold: done, quality: plant.AprobadoQ},
		{name: "rejected without a cycle", armador: ab, fArmado: day, soldador: cd, fSoldadura: day, fQC: day, estado: "METROLOGIA RECHAZADO - Pendiente reparación", arm: done, sold: done, quality: plant.RechazadoQ, ciclo: 1},
		{name: "rejected twice", armador: ab, fArmado: day, soldador: cd, fSoldadura: day, estado: "RECHAZADO (Ciclo 2/3) - Pendiente reparación", arm: done, sold: done, quality: plant.RechazadoQ, ciclo: 2},
		{name: "in repair", armador: ab, fArmado: day, soldador: cd, fSoldadura: day, ocupado: ef, estado: "EN_REPARACION (Ciclo 2/3) - Ocupado: EF(56)", arm: done, sold: done, quality: plant.EnReparacion, ciclo: 2, holder: ef, op: plant.REPARACION},
		{name: "repair paused", armador: ab, fArmado: day, soldador: cd, fSoldadura: day, estado: "REPARACION_PAUSADA (Ciclo 2/3)", arm: done, sold: done, quality: plant.ReparacionPausada, ciclo: 2},
		{name: "repaired", armador: ab, fArmado: day, soldador: cd, fSoldadura: day, fQC: day, estado: "PENDIENTE_METROLOGIA", arm: done, sold: done, quality: plant.PendienteMetrologia, ciclo: 1, inspectionReady: true},
		{name: "blocked", armador: ab, fArmado: day, soldador: cd, fSoldadura: day, fQC: day, estado: "BLOQUEADO - Contactar supervisor", arm: done, sold: done, quality: plant.BloqueadoQ, ciclo: 3},
		{name: "Ciclo 3/3 means blocked", armador: ab, fArmado: day, soldador: cd, fSoldadura: day, estado: "RECHAZADO (Ciclo 3/3) - Pendiente reparación", arm: done, sold: done, quality: plant.BloqueadoQ, ciclo: 3},
		{name: "repaired through FINALIZAR", armador: ab, fArmado: day, soldador: cd, fSoldadura: day, estado: "REPARACION completado - PENDIENTE_METROLOGIA", arm: done, sold: done, quality: plant.PendienteMetrologia, ciclo: 1, inspectionReady: true},
		{name: "held, all dates set, text of a rejection", armador: ab, fArmado: day, soldador: cd, fSoldadura: day, ocupado: ef, estado: "RECHAZADO (Ciclo 1/3) - Pendiente reparación", arm: done, sold: done, quality: plant.EnReparacion, ciclo: 1, holder: ef, op: plant.REPARACION},
		{name: "held, nobody knows for what", armador: ab, fArmado: day, soldador: cd, fSoldadura: day, ocupado: ef, arm: done, sold: done, holder: ef, op: plant.OpNone},
		{name: "in repair by nobody", armador: ab, fArmado: day, soldador: cd, fSoldadura: day, estado: "EN_REPARACION (Ciclo 1/3) - Ocupado: EF(56)", arm: done, sold: done, quality: plant.ReparacionPausada, ciclo: 1},
	}
}

func TestHydration(t *testing.T) {
	r := plant.DefaultRules()
	for _, v := range vectors() {
		t.Run(v.name, func(t *testing.T) {
			row := table.SpoolRow{Row: 2, Tag: "A-1", Armador: v.armador, FechaArmado: v.fArmado, Soldador: v.soldador, FechaSoldadura: v.fSoldadura, FechaQC: v.fQC,
				Ocupado: v.ocupado, Estado: v.estado, FechaOcupacion: noon()}
			sp, _ := Hydrate(row, nil, nil, r, noon())
			if sp.Arm.Phase != v.arm || sp.Sold.Phase != v.sold {
				t.Errorf("ARM %v, SOLD %v; want %v, %v", sp.Arm.Phase, sp.Sold.Phase, v.arm, v.sold)
			}
			if sp.Quality != v.quality || sp.Ciclo != v.ciclo {
				t.Errorf("quality %v, cycle %d; want %v, %d", sp.Quality, sp.Ciclo, v.quality, v.ciclo)
			}
			if sp.Hold.Worker != v.holder || sp.Hold.Op != v.op {
				t.Errorf("held by %q for %v; want %q, %v", sp.Hold.Worker.Display, sp.Hold.Op, v.holder.Display, v.op)
			}
			if got := sp.InQueue(r); got != v.inspectionReady {
				t.Errorf("in the inspection queue = %v, want %v", got, v.inspectionReady)
			}
			if v.op == plant.ARM && sp.Arm.Worker != v.holder {
				t.Errorf("the Armador of a half-taken spool is %q, want its holder", sp.Arm.Worker.Display)
			}
		})
	}
}

func TestHydrationCountsRejectionsOfTheLog(t *testing.T) {
	verdict := func(r string) plant.MetadataRow {
		return plant.MetadataRow{EventoTipo: "COMPLETAR_METROLOGIA", JSON: `{"resultado":"` + r + `","motivo":"poros"}`, WorkerNombre: "EF(56)", At: noon()}
	}
	row := table.SpoolRow{Row: 2, Tag: "A-1", FechaArmado: day, FechaSoldadura: day, Estado: "METROLOGIA RECHAZADO - Pendiente reparación"}
	log := []plant.MetadataRow{verdict("RECHAZADO"), verdict("APROBADO"), verdict("RECHAZADO"), {EventoTipo: "TOMAR_REPARACION"}, verdict("RECHAZADO")}
	sp, _ := Hydrate(row, nil, log, plant.DefaultRules(), noon())
	if sp.Ciclo != 2 || sp.Motivo != "poros" || sp.Inspector != ef || !sp.RejectedAt.Equal(noon()) {
		t.Errorf("cycle %d, motive %q by %q at %v; want 2 rejections in a row since the approval", sp.Ciclo, sp.Motivo, sp.Inspector.Display, sp.RejectedAt)
	}
}

func TestUnionsDecideAboutDates(t *testing.T) {
	r := plant.DefaultRules()
	armed := func(n int, at time.Time) plant.Union {
		return plant.Union{N: n, DN: 200, Tipo: "BW", Arm: plant.JointWork{Worker: ab, Start: at.Add(-time.Hour), End: at}}
	}
	row := table.SpoolRow{Row: 2, Tag: "A-1", Armador: cd, Soldador: cd, FechaSoldadura: day}
	sp, found := Hydrate(row, []plant.Union{armed(1, noon()), armed(2, noon().Add(time.Hour))}, nil, r, noon())
	if sp.Arm.Phase != plant.Completado || sp.Arm.Fecha != plant.DateOf(noon()) {
		t.Errorf("ARM with all unions armed = %v on %v, want completed on the day of the latest", sp.Arm.Phase, sp.Arm.Fecha)
	}
	if sp.Sold.Phase != plant.Pausado || sp.Sold.Fecha != 0 || len(found) == 0 {
		t.Errorf("SOLD with a typed date and no union welded = %v on %v (%d findings), want begun, no date, and a finding", sp.Sold.Phase, sp.Sold.Fecha, len(found))
	}
	row = table.SpoolRow{Row: 2, Tag: "A-1", Armador: ab, FechaArmado: day}
	sp, _ = Hydrate(row, []plant.Union{{N: 1, DN: 200, Tipo: "BW"}}, nil, r, noon())
	if sp.Arm.Phase != plant.Completado {
		t.Error("a spool fitted before unions were tracked does not count as armed by its date")
	}
}
