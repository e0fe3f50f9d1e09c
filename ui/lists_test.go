package ui

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"envivo/plant"
)

func drawn(t *testing.T, regions []Region, err error) []Region {
	t.Helper()
	if err != nil {
		t.Fatalf("draw a list: %v", err)
	}
	for _, r := range regions {
		seen := map[string]bool{}
		for _, it := range r.Items {
			if seen[it.Key] {
				t.Errorf("region %s has the key %s twice", r.ID, it.Key)
			}
			seen[it.Key] = true
			var roots int
			for n := range parse(t, it.HTML).one(t, "body").ChildNodes() {
				k, _ := attr(n, "data-k")
				if roots++; k != it.Key {
					t.Errorf("region %s: the element of %s carries the key %q", r.ID, it.Key, k)
				}
			}
			if roots != 1 {
				t.Errorf("region %s: %s has %d root elements, want 1", r.ID, it.Key, roots)
			}
		}
	}
	return regions
}

func tagsOf(d dom) []string {
	var out []string
	for _, n := range d.all("[data-tag]") {
		tag, _ := attr(n, "data-tag")
		out = append(out, tag)
	}
	return out
}

func TestWhoHasWhatGoesByName(t *testing.T) {
	s := snapshot(append(everySpool(), spool("Z-9", heldBy(ana, plant.ARM, 3*time.Hour)),
		spool("X-1", func(s *plant.Spool) { s.Hold = plant.Hold{Worker: plant.Person{Display: "Contratista"}, Since: noon} }))...)
	draw := func(f Filter) []Region {
		regions, err := Held(s, f, noon)
		return drawn(t, regions, err)
	}
	all := draw(Filter{Path: "/quien"})
	people := region(t, all, "gente")
	var names []string
	for _, n := range people.all("h2") {
		names = append(names, text(n))
	}
	if want := []string{"AB Ana Bravo 12 2", "BC Bruno Castro 13 2", "CD Carla Díaz 34", "C Contratista"}; !slices.Equal(names, want) {
		t.Errorf("cards = %q, want %q", names, want)
	}
	if got, want := tagsOf(people)[:2], []string{"Z-9", "E-ARM"}; !slices.Equal(got, want) {
		t.Errorf("Ana's spools = %v, want %v: the one held longest first", got, want)
	}
	says(t, "the row of E-ARM", people.one(t, "[data-tag=E-ARM]"), "En curso · ARM", "desde las 10:35", "1 h 25 min", "0/4 · 8,25 PD", "Vencida 25 min")
	says(t, "the sum", region(t, all, "resumen").n, "6 spools en curso")
	says(t, "the chips", region(t, all, "filtros").n, "ARM 2", "SOLD 1", "Reparación 1", "Vencidas 2")
	late := draw(Filter{Path: "/quien", Vencidas: true})
	if got, want := tagsOf(region(t, late, "gente")), []string{"Z-9", "E-ARM"}; !slices.Equal(got, want) {
		t.Errorf("vencidas = %v, want %v", got, want)
	}
	says(t, "the sum of a filter", region(t, late, "resumen").n, "2 resultados con filtro Vencidas", "quitar filtro")
	says(t, "the chips of a filter", region(t, late, "filtros").n, "ARM 2", "Vencidas 2")
}

func TestEmptyListsSayWhyAndWhatThen(t *testing.T) {
	s := plant.NewSnapshot(plant.DefaultRules(), "e1")
	full := snapshot(everySpool()...)
	for name, c := range map[string]struct {
		regions func() ([]Region, error)
		id      string
		says    []string
	}{
		"nobody holds":     {func() ([]Region, error) { return Held(s, Filter{Path: "/quien"}, noon) }, "gente", []string{TextNoHeld, "Ver los listos"}},
		"nothing held":     {func() ([]Region, error) { return Mine(s, Filter{Path: "/mis", Me: 1}, noon) }, "mios", []string{TextNoMine}},
		"nothing ready":    {func() ([]Region, error) { return Ready(s, Filter{Path: "/listos"}, noon) }, "filas", []string{TextNoReady}},
		"nothing to check": {func() ([]Region, error) { return Inspection(s, Filter{}, noon) }, "filas", []string{TextNoInspect}},
		"nothing to mend":  {func() ([]Region, error) { return Repair(s, Filter{}, noon) }, "filas", []string{TextNoRepair}},
		"no spools":        {func() ([]Region, error) { return NewRows().Spools(s, Filter{Path: "/spools"}, noon) }, "filas", []string{"Todavía no hay spools"}},
		"no people":        {func() ([]Region, error) { return Start(s, Filter{Path: "/"}, noon) }, "personas", []string{"Todavía no hay trabajadores"}},
		"a filter too far": {func() ([]Region, error) { return NewRows().Spools(full, Filter{Path: "/spools", Q: "zzz"}, noon) }, "filas",
			[]string{"Ningún spool con filtro «zzz».", "Quitar filtros"}},
	} {
		t.Run(name, func(t *testing.T) {
			regions, err := c.regions()
			says(t, name, region(t, drawn(t, regions, err), c.id).one(t, "[data-k=vacio]"), c.says...)
		})
	}
}

func TestThePickerShowsActivePeopleOfARole(t *testing.T) {
	s := snapshot(everySpool()...)
	regions, err := Start(s, Filter{Path: "/"}, noon)
	drawn(t, regions, err)
	for _, r := range regions {
		if got, want := keys(r), []string{"12", "13"}; r.ID == "personas" && !slices.Equal(got, want) {
			t.Errorf("fitters = %v, want %v by name, without Félix who left", got, want)
		}
	}
	says(t, "the tabs", region(t, regions, "roles").n, "Armador 2", "Soldador 1", "Ayudante 1", "Metrología 1")
	says(t, "the strip", region(t, regions, "curso").n, "4 spools en curso", "1 vencida", "Quién tiene qué")
	regions, err = Start(s, Filter{Path: "/", Rol: "Soldador"}, noon)
	says(t, "a tile", region(t, drawn(t, regions, err), "personas").one(t, "button[name=trabajador][value=34]"), "CD", "Carla Díaz", "Soldador · 34")
}

func TestReadyListsWhatWasLeftHalfDoneFirst(t *testing.T) {
	old, young := spool("P-OLD", armed(1)), spool("P-NEW", armed(1))
	old.Changed, young.Changed = noon.Add(-time.Hour), noon
	s := snapshot(spool("L-1"), young, spool("L-2"), old, spool("SIN", noMaterial), spool("DE-OTRO", heldBy(bruno, plant.ARM, 0)), spool("SOLDAR", armed(4)))
	regions, err := Ready(s, Filter{Path: "/listos", Me: ana.ID}, noon)
	if got, want := tagsOf(region(t, drawn(t, regions, err), "filas")), []string{"P-OLD", "P-NEW", "L-1", "L-2"}; !slices.Equal(got, want) {
		t.Errorf("ready for a fitter = %v, want %v", got, want)
	}
	regions, err = Ready(s, Filter{Path: "/listos", Me: carla.ID}, noon)
	if got, want := tagsOf(region(t, drawn(t, regions, err), "filas")), []string{"P-OLD", "P-NEW", "SOLDAR"}; !slices.Equal(got, want) {
		t.Errorf("ready for a welder = %v, want %v", got, want)
	}
	regions, err = Mine(s, Filter{Path: "/mis", Me: bruno.ID}, noon)
	mine := region(t, drawn(t, regions, err), "mios")
	if got := tagsOf(mine); !slices.Equal(got, []string{"DE-OTRO"}) {
		t.Errorf("Bruno's own = %v, want DE-OTRO", got)
	}
	if row := mine.one(t, "[data-tag=DE-OTRO]"); slices.Contains([]string{"Bruno Castro"}, text(row)) {
		t.Errorf("one's own row names oneself: %s", text(row))
	}
}

func TestQueuesShowTheOldestAndWhoMustAct(t *testing.T) {
	young := spool("I-NEW", welded)
	young.ReadyAt = noon
	s := snapshot(append([]plant.Spool{young}, everySpool()...)...)
	regions, err := Inspection(s, Filter{Path: "/metrologia"}, noon)
	d := region(t, drawn(t, regions, err), "filas")
	if got, want := tagsOf(d), []string{"E-INS", "I-NEW"}; !slices.Equal(got, want) {
		t.Errorf("to inspect = %v, want %v", got, want)
	}
	says(t, "the oldest", d.one(t, "[data-tag=E-INS]"), "ARM Ana Bravo · SOLD Carla Díaz", "espera hace 40 min")
	regions, err = Repair(s, Filter{Path: "/reparacion"}, noon)
	d = region(t, drawn(t, regions, err), "filas")
	if got, want := tagsOf(d), []string{"E-REC", "E-RPA", "E-REP", "E-BLO"}; !slices.Equal(got, want) {
		t.Errorf("to mend = %v, want %v", got, want)
	}
	says(t, "the blocked one", d.one(t, "[data-tag=E-BLO]"), "Bloqueado", TextBlocked, "Fuera de medida")
}

func TestARowIsDrawnOncePerChange(t *testing.T) {
	all := everySpool()
	s := snapshot(all...)
	rows := NewRows()
	f := Filter{Path: "/spools"}
	list := func(s *plant.Snapshot, at time.Time) map[string]*byte {
		regions, err := rows.Spools(s, f, at)
		if err != nil {
			t.Fatalf("draw the list: %v", err)
		}
		out := map[string]*byte{}
		for _, it := range regions[2].Items {
			out[it.Key] = &it.HTML[0]
		}
		return out
	}
	first := list(s, noon)
	c := s.Change()
	changed := all[plant.ListoARM]
	heldBy(bruno, plant.ARM, 0)(&changed)
	c.PutSpool(&changed)
	next := list(c.Done(101, [32]byte{}), noon)
	var again []string
	for tag, p := range next {
		if first[tag] != p {
			again = append(again, tag)
		}
	}
	if !slices.Equal(again, []string{string(changed.Tag)}) {
		t.Errorf("one change drew the rows %v again, want only %s", again, changed.Tag)
	}
	if late := list(s, noon.Add(time.Hour)); late["E-SOL"] == first["E-SOL"] {
		t.Error("a row that became vencida was not drawn again")
	}
}

// many is a plant of the size that the budgets speak of.
func many(n int) *plant.Snapshot {
	list := make([]plant.Spool, n)
	all := everySpool()
	for i := range list {
		list[i] = all[i%len(all)]
		list[i].Tag = plant.Tag("MK-13" + strconv.Itoa(10+i%50) + "-TW-" + strconv.Itoa(28000+i/9) + fmt.Sprintf("-%03d", 1+i%9*10))
		list[i].Office.NV = "NV0" + strconv.Itoa(101+i/40)
	}
	return snapshot(list...)
}

func BenchmarkSpools2500(b *testing.B) {
	s := many(2500)
	kept := NewRows()
	for name, c := range map[string]struct {
		rows func() *Rows
		f    Filter
	}{"cold": {NewRows, Filter{Path: "/spools"}}, "kept": {func() *Rows { return kept }, Filter{Path: "/spools"}},
		"kept, all drawn": {func() *Rows { return kept }, Filter{Path: "/spools", Hasta: 2500}}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.rows().Spools(s, c.f, noon); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSearch2500(b *testing.B) {
	s := many(2500)
	b.ReportAllocs()
	for b.Loop() {
		if rows, _ := (Filter{Path: "/spools", Q: "28082 011"}).Matching(s); len(rows) == 0 {
			b.Fatal("nothing found")
		}
	}
}

func BenchmarkFillTimes(b *testing.B) {
	regions, err := NewRows().Spools(many(2500), Filter{Path: "/spools"}, noon)
	if err != nil {
		b.Fatal(err)
	}
	raw := joinItems(regions[2])
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		FillTimes(raw, noon)
	}
}

// TestMineEndsWithWhatMayBeRelieved: the overdue spools of others in one's own
// trade, oldest first; not one's own, not another trade's, not those in time.
func TestMineEndsWithWhatMayBeRelieved(t *testing.T) {
	s := snapshot(spool("EN-HORA", heldBy(ana, plant.ARM, 30*time.Minute)), spool("TARDE", heldBy(ana, plant.ARM, 2*time.Hour)),
		spool("MUY-TARDE", heldBy(ana, plant.ARM, 5*time.Hour)), spool("PROPIO", heldBy(bruno, plant.ARM, 3*time.Hour)),
		spool("DE-SOLDAR", armed(4), heldBy(carla, plant.SOLD, 4*time.Hour)))
	at := func(who plant.Worker, now time.Time) []string {
		regions, err := Mine(s, Filter{Path: "/mis", Me: who.ID}, now)
		return tagsOf(region(t, drawn(t, regions, err), "relevables"))
	}
	if got, want := at(bruno, noon), []string{"MUY-TARDE", "DE-SOLDAR", "TARDE"}; !slices.Equal(got, want) {
		t.Errorf("a fitter and helper may relieve %v, want %v", got, want)
	}
	if got := at(carla, noon); len(got) != 0 {
		t.Errorf("a welder may relieve %v, want nothing", got)
	}
	if got := at(bruno, noon.Add(time.Hour)); !slices.Contains(got, "EN-HORA") {
		t.Errorf("an hour later a fitter may relieve %v, want EN-HORA among them", got)
	}
}
