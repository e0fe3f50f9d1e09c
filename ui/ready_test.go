package ui

import (
	"slices"
	"testing"

	"envivo/plant"
)

func readyRegions(t *testing.T, s *plant.Snapshot, f Filter) []Region {
	t.Helper()
	regions, err := Ready(s, f, noon)
	return drawn(t, regions, err)
}

func ofNV(nv string) func(*plant.Spool) { return func(s *plant.Spool) { s.Office.NV = nv } }

func TestReadySpoolsOfOneNVAreCountedAsTheyAreShown(t *testing.T) {
	s := snapshot(spool("A-1", ofNV("0901")), spool("A-2", ofNV("0901"), armed(4)), spool("B-1", ofNV("0902")), spool("A-3", ofNV("0901"), noMaterial), spool("B-2", ofNV("0902"), noMaterial))
	f := Filter{Path: "/listos", Me: bruno.ID} // Armador and Ayudante
	all := readyRegions(t, s, f)
	says(t, "the chips", region(t, all, "filtros").n, "ARM 2", "SOLD 1", "NV")
	says(t, "the way to the others", region(t, all, "nolistos").n, "2 no listos: ver por qué")
	f.NV = "0901"
	one := readyRegions(t, s, f)
	if got, want := tagsOf(region(t, one, "filas")), []string{"A-1", "A-2"}; !slices.Equal(got, want) {
		t.Errorf("ready in NV 0901 = %v, want %v", got, want)
	}
	says(t, "the sum", region(t, one, "resumen").n, "2 resultados con filtro NV 0901", "quitar filtro")
	says(t, "the chips of the NV", region(t, one, "filtros").n, "ARM 1", "SOLD 1", "NV 0901 2")
	says(t, "the way to the others of the NV", region(t, one, "nolistos").n, "1 no listo: ver por qué")
	if got, want := ReadyOrders(s, f), []SalesOrder{{"0901", 2}, {"0902", 1}}; !slices.Equal(got, want) {
		t.Errorf("NVs to choose from = %v, want %v whatever NV is chosen", got, want)
	}
	f.Op = plant.SOLD
	if got := tagsOf(region(t, readyRegions(t, s, f), "filas")); !slices.Equal(got, []string{"A-2"}) {
		t.Errorf("ready for SOLD in NV 0901 = %v, want A-2", got)
	}
	f.NV = "0999"
	says(t, "a filter too far", region(t, readyRegions(t, s, f), "filas").one(t, "[data-k=vacio]"), "Ningún spool listo con filtro NV 0999 · SOLD.", "Quitar filtros")
}

func TestWhatIsNotReadySaysWhy(t *testing.T) {
	closed := spool("B-ARM", armed(3)) // ARM closed by hand before a fourth union came
	closed.Arm.Phase, closed.Sold.Phase = plant.Completado, plant.Completado
	s := snapshot(spool("L-1"), spool("B-MAT", noMaterial), spool("A-MAT", noMaterial, ofNV("0901")))
	f := Filter{Path: "/listos", Me: ana.ID, Estado: plant.NoListo, ByEstado: true}
	if got, want := f.Address(), "/listos?estado=NO_LISTO"; got != want {
		t.Errorf("address = %s, want %s", got, want)
	}
	regions := readyRegions(t, s, f)
	list := region(t, regions, "filas")
	if got, want := tagsOf(list), []string{"B-MAT", "A-MAT"}; !slices.Equal(got, want) {
		t.Errorf("not ready = %v, want %v in the order of the Sheet", got, want)
	}
	says(t, "a reason", list.one(t, "[data-tag=A-MAT]"), "No listo", "Falta registrar la llegada de materiales. Avisa a tu supervisor.")
	says(t, "the way back", region(t, regions, "nolistos").n, "1 listo: ver")
	f.NV = "0901"
	if got := tagsOf(region(t, readyRegions(t, s, f), "filas")); !slices.Equal(got, []string{"A-MAT"}) {
		t.Errorf("not ready in NV 0901 = %v, want A-MAT", got)
	}
	none := readyRegions(t, snapshot(spool("L-1")), Filter{Path: "/listos", Estado: plant.NoListo, ByEstado: true})
	says(t, "nothing missing", region(t, none, "filas").one(t, "[data-k=vacio]"), "a ninguno le falta algo", "Ver los listos")
	for name, c := range map[string]struct {
		tally plant.Tally
		want  string
	}{
		"fitting": {plant.Tally{Total: 4, Armed: 3, ToWeld: 3}, "ARM figura terminado y hay 1 unión sin armar. Avisa a tu supervisor."},
		"welding": {plant.Tally{Total: 4, Armed: 4, ToWeld: 3, Welded: 1}, "SOLD figura terminado y hay 2 uniones sin soldar. Avisa a tu supervisor."},
		"unknown": {plant.Tally{}, "Falta trabajo anterior en este spool. Avisa a tu supervisor."},
	} {
		if got := whyNotReady(&plant.Row{Spool: &closed, Tally: c.tally}); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
