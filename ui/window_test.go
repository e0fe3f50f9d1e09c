package ui

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"envivo/plant"
)

func TestTheWidthOfAListIsPartOfItsAddress(t *testing.T) {
	for in, want := range map[string]string{
		"hasta=60":           "/spools",
		"hasta=1":            "/spools",
		"hasta=-9":           "/spools",
		"hasta=x":            "/spools",
		"hasta=61":           "/spools?hasta=90",
		"hasta=120":          "/spools?hasta=120",
		"q=a&hasta=30":       "/spools?q=a",
		"q=a&hasta=60":       "/spools?hasta=60&q=a",
		"hasta=999999999":    "/spools?hasta=100020",
		"hasta=120&nv=01":    "/spools?hasta=120&nv=01",
		"hasta=120&hasta=90": "/spools?hasta=120",
	} {
		q, err := url.ParseQuery(in)
		if err != nil {
			t.Fatal(err)
		}
		f := ParseFilter("/spools", q)
		if got := f.View(); got != want {
			t.Errorf("the view of ?%s = %s, want %s", in, got, want)
		}
		u, err := url.Parse(f.View())
		if err != nil || ParseFilter(u.Path, u.Query()) != f {
			t.Errorf("?%s does not come back from its address %s", in, f.View())
		}
	}
	wide := Filter{Path: "/spools", Hasta: 120}
	for name, f := range map[string]Filter{"a state": wide.withEstado(plant.ListoARM, true), "an NV": wide.withNV("1"), "an operation": wide.withOp(plant.ARM), "vencidas": wide.withVencidas(true)} {
		if f.Hasta != 0 {
			t.Errorf("the filter by %s begins with %d rows, want the usual window", name, f.Hasta)
		}
	}
}

// G-19: every list shows how many there are, and reaches each of them.
func TestListsShowAWindowAndCountEverything(t *testing.T) {
	const n = 250
	state := func(with ...func(*plant.Spool)) *plant.Snapshot {
		list := make([]plant.Spool, n)
		for i := range list {
			list[i] = spool(fmt.Sprintf("W-%03d", i), with...)
		}
		return snapshot(list...)
	}
	free, held := state(), state(heldBy(ana, plant.ARM, 0))
	waiting, rejected := state(armed(4), welded), state(armed(4), welded, quality(plant.RechazadoQ, 1))
	for path, c := range map[string]struct {
		s    *plant.Snapshot
		draw func(*plant.Snapshot, Filter, time.Time) ([]Region, error)
	}{
		"/spools": {free, NewRows().Spools}, "/spools?q=w": {free, NewRows().Spools}, "/listos": {free, Ready}, "/metrologia": {waiting, Inspection}, "/reparacion": {rejected, Repair}, "/spools?estado=EN_CURSO_ARM": {held, NewRows().Spools},
	} {
		t.Run(path, func(t *testing.T) {
			u, err := url.Parse(path)
			if err != nil {
				t.Fatal(err)
			}
			f, seen := ParseFilter(u.Path, u.Query()), map[string]bool{}
			for step := 0; ; step++ {
				regions, err := c.draw(c.s, f, noon)
				d := drawn(t, regions, err)
				tags := tagsOf(region(t, d, "filas"))
				for _, tag := range tags {
					seen[tag] = true
				}
				says(t, path, region(t, d, "resumen").n, "250 ")
				mas := region(t, d, "mas")
				if !mas.has("[data-mas]") {
					if len(tags) != n || len(seen) != n {
						t.Errorf("the whole list has %d rows, %d different ones, want %d", len(tags), len(seen), n)
					}
					return
				}
				if len(tags) != f.window() || step > 9 {
					t.Fatalf("step %d shows %d rows, want %d", step, len(tags), f.window())
				}
				says(t, path, region(t, d, "resumen").n, fmt.Sprintf("Se muestran %d de 250", len(tags)))
				href, _ := attr(mas.one(t, "[data-mas]"), "href")
				to, err := url.Parse(href)
				if err != nil {
					t.Fatal(err)
				}
				f = ParseFilter(to.Path, to.Query())
			}
		})
	}
}

func TestAPersonIsDrawnWholeInTheWindow(t *testing.T) {
	var list []plant.Spool
	for i := range 70 {
		list = append(list, spool(fmt.Sprintf("A-%02d", i), heldBy(ana, plant.ARM, 0)))
	}
	list = append(list, spool("B-1", heldBy(bruno, plant.ARM, 0)))
	regions, err := Held(snapshot(list...), Filter{Path: "/quien"}, noon)
	d := drawn(t, regions, err)
	if got := tagsOf(region(t, d, "gente")); len(got) != 70 {
		t.Errorf("the window shows %d spools, want Ana's 70 and nobody else's", len(got))
	}
	says(t, "the sum", region(t, d, "resumen").n, "71 spools en curso", "Se muestran 70 de 71")
	says(t, "the way on", region(t, d, "mas").n, "Ver 1 más")
}

// The partial list is a drawing of its own: how many are whole, and which is not.
func TestAListNamesWhatItCannotTrust(t *testing.T) {
	var list []plant.Spool
	for i := range 50 {
		list = append(list, spool(fmt.Sprintf("D-%02d", i)))
	}
	list[7].Damaged = []string{"Fecha_Armado"}
	regions, err := NewRows().Spools(snapshot(list...), Filter{Path: "/spools"}, noon)
	sum := region(t, drawn(t, regions, err), "resumen")
	says(t, "the sum", sum.n, "50 spools", "Se muestran 49 de 50: 1 con dato dañado", "D-07")
	for i := range list[:20] {
		list[i].Damaged = []string{"Fecha_Armado"}
	}
	regions, err = Ready(snapshot(list...), Filter{Path: "/listos"}, noon)
	sum = region(t, drawn(t, regions, err), "resumen")
	says(t, "the sum of many", sum.n, "Se muestran 30 de 50: 20 con dato dañado", "y 15 más")
	if strings.Contains(text(sum.n), "D-06") {
		t.Error("the sum names more than five spools")
	}
}

// TestTheDeskDrawsWindowsToo: each of the supervisor's lists shows its first rows
// and leads to the others; what is counted is all.
func TestTheDeskDrawsWindowsToo(t *testing.T) {
	var list []plant.Spool
	for i := range windowRows + 7 {
		list = append(list, spool(fmt.Sprintf("H-%d", 100+i), heldBy(ana, plant.ARM, time.Hour)))
	}
	s := snapshot(list...)
	regions, err := Desk(s, Filter{Path: SupervisorPath}, noon)
	drawn(t, regions, err)
	says(t, "the count", region(t, regions, "cuenta").n, "67 spools en manos de alguien")
	sweep := region(t, regions, "turno")
	if got := len(tagsOf(sweep)); got != windowRows {
		t.Errorf("the sweep draws %d rows, want %d", got, windowRows)
	}
	says(t, "the way to more", sweep.one(t, "[data-k=mas]"), "Ver 7 más")
	f := Filter{Path: SupervisorPath}.wider()
	if f.View() != "/supervisor?hasta=120" {
		t.Errorf("the wider desk is %s", f.View())
	}
	regions, err = Desk(s, f, noon)
	if got := len(tagsOf(region(t, drawn(t, regions, err), "turno"))); got != windowRows+7 {
		t.Errorf("the wider sweep draws %d rows, want all %d", got, windowRows+7)
	}
}
