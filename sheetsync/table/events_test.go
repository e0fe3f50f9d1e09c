package table

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"envivo/plant"
)

// seen is the instant of the events of these tests: 2-11-2026, 08:00 in the plant.
var seen = time.Date(2026, 11, 2, 11, 0, 0, 0, time.UTC)

const rowID = "00000000-0000-4000-8000-000000000007"

func TestAnUnblockingByHandIsAnOverrideOfTheSystem(t *testing.T) {
	system := plant.Person{Display: "SYSTEM"}
	e := plant.Event{ID: rowID, At: seen, Kind: plant.KindDesbloquear, Tag: "A-1", Op: plant.REPARACION, Worker: system, Actor: system,
		Device: plant.SheetDevice, Supervisor: true, Before: plant.TextoBloqueado, After: "RECHAZADO (Ciclo 2/3) - Pendiente reparación",
		Progress: &plant.Progress{Quality: plant.RechazadoQ, Ciclo: 2}}
	want := []plant.MetadataRow{{ID: rowID, Timestamp: "02-11-2026 08:00:00", At: seen, EventoTipo: "SUPERVISOR_OVERRIDE", Tag: "A-1", WorkerID: "0",
		WorkerNombre: "SYSTEM", Operacion: "REPARACION", Accion: "OVERRIDE", FechaOperacion: "02-11-2026",
		JSON: `{"detection_timestamp":"02-11-2026 08:00:00","device":"planilla","new_estado":"RECHAZADO (Ciclo 2/3) - Pendiente reparación",` +
			`"override_type":"BLOQUEADO_TO_RECHAZADO","previous_estado":"BLOQUEADO - Contactar supervisor"}`}}
	if d := cmp.Diff(want, EventRows(e)); d != "" {
		t.Errorf("rows of an unblocking by hand (-want +got):\n%s", d)
	}
}

// TestUnionsOfAHandOverAreTheGivers: the stint that begins is the receiver's, the
// unions finished with it are not.
func TestUnionsOfAHandOverAreTheGivers(t *testing.T) {
	giver, receiver := plant.Person{ID: 12, Display: "AB(12)"}, plant.Person{ID: 13, Display: "BC(13)"}
	e := plant.Event{ID: rowID, At: seen, Kind: plant.KindTraspasar, Op: plant.ARM, Tag: "A-1", Worker: receiver, From: giver, Actor: giver,
		Selected: []int{2}, PD: 600, Progress: &plant.Progress{}}
	var got []string
	for _, r := range EventRows(e) {
		got = append(got, r.EventoTipo+" "+r.WorkerNombre+" "+r.NUnion)
	}
	want := []string{"TOMAR_SPOOL BC(13) ", "UNION_ARM_REGISTRADA AB(12) ", "UNION_ARM_REGISTRADA AB(12) 2"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows of a hand-over with a union (-want +got):\n%s", d)
	}
}

func TestACorrectionIsARemediationOfTheSystem(t *testing.T) {
	e := plant.Event{ID: rowID, At: seen, Kind: plant.KindCorregir, Tag: "A-1", Worker: plant.Person{Display: "SYSTEM"}, Ready: true,
		Actor: plant.Person{Display: "SUPERVISOR"}, Device: plant.SheetDevice, Supervisor: true, Motivo: "fecha <mal> puesta", Texto: "en palabras",
		Before: "Disponible - ARM pendiente, SOLD pendiente", After: "Disponible - ARM completado, SOLD pendiente", Progress: &plant.Progress{},
		Correction: []plant.CellEdit{{Column: "Armador", Old: "", New: "AB(12)"}, {Column: "Fecha_Armado", Old: "01-11-2026", New: "31-10-2026"}}}
	want := []plant.MetadataRow{{ID: rowID, Timestamp: "02-11-2026 08:00:00", At: seen, EventoTipo: "SYSTEM_REMEDIATION", Tag: "A-1", WorkerID: "0",
		WorkerNombre: "SYSTEM", Accion: "REMEDIAR", FechaOperacion: "02-11-2026",
		JSON: `{"actor":"SUPERVISOR","antes":["","01-11-2026"],"columnas":["Armador","Fecha_Armado"],"despues":["AB(12)","31-10-2026"],` +
			`"device":"planilla","motivo":"fecha <mal> puesta"}`}}
	if d := cmp.Diff(want, EventRows(e)); d != "" {
		t.Errorf("rows of a correction (-want +got):\n%s", d)
	}
}
