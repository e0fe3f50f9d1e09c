package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"envivo/plant"
)

func TestTailsGrowUntilTheyDiffer(t *testing.T) {
	tags := []plant.Tag{"MK-1-TW-280-010", "MK-2-TW-281-010", "MK-1-FG-280-020", "X-7-A-1", "X-8-A-1", "SOLO", "MK-1-TW-280-010"}
	want := []string{"280-010", "281-010", "020", "7-A-1", "8-A-1", "SOLO", "280-010"}
	if diff := cmp.Diff(want, Tails(tags)); diff != "" {
		t.Errorf("tails (-want +got):\n%s", diff)
	}
	if got := Tails([]plant.Tag{"A-1", "A-1"}); got[0] != "A-1" || got[1] != "A-1" {
		t.Errorf("two equal tags are told apart as %v", got)
	}
}

// large is what every row shows large of its tag, sorted.
func large(d dom) []string {
	var out []string
	for _, n := range d.all(".tag") {
		var shown strings.Builder
		for c := range n.LastChild.Descendants() {
			if c.Type == html.TextNode {
				shown.WriteString(c.Data)
			}
		}
		out = append(out, shown.String())
	}
	slices.Sort(out)
	return out
}

// TestRowsOnOnePageDoNotLookAlike: wherever spools stand below each other, two
// that end alike show as much more of their tags as it takes, whichever regions
// of the page they are in, and those that do not show what they always do.
func TestRowsOnOnePageDoNotLookAlike(t *testing.T) {
	alike := func(with ...func(*plant.Spool)) []plant.Spool {
		return []plant.Spool{spool("MK-1-TW-280-010", with...), spool("MK-1-TW-281-010", with...), spool("MK-1-TW-281-020", with...)}
	}
	want := []string{"020", "280-010", "281-010"}
	for name, c := range map[string]struct {
		spools []plant.Spool
		draw   func(*plant.Snapshot) ([]Region, error)
	}{
		"buscar": {alike(), func(s *plant.Snapshot) ([]Region, error) { return NewRows().Spools(s, Filter{Path: "/spools"}, noon) }},
		"beside": {alike(), func(s *plant.Snapshot) ([]Region, error) {
			r, err := NewRows().Beside(s, Filter{Path: "/spools"}, "MK-1-TW-280-010", noon)
			return []Region{r}, err
		}},
		"listos":     {alike(), func(s *plant.Snapshot) ([]Region, error) { return Ready(s, Filter{Path: "/listos", Me: ana.ID}, noon) }},
		"metrologia": {alike(welded), func(s *plant.Snapshot) ([]Region, error) { return Inspection(s, Filter{Path: "/metrologia"}, noon) }},
		"reparacion": {alike(quality(plant.RechazadoQ, 1)), func(s *plant.Snapshot) ([]Region, error) { return Repair(s, Filter{Path: "/reparacion"}, noon) }},
		"quien": {[]plant.Spool{spool("MK-1-TW-280-010", heldBy(ana, plant.ARM, time.Minute)), spool("MK-1-TW-281-010", heldBy(bruno, plant.ARM, time.Minute)),
			spool("MK-1-TW-281-020", heldBy(bruno, plant.ARM, time.Minute))}, func(s *plant.Snapshot) ([]Region, error) { return Held(s, Filter{Path: "/quien"}, noon) }},
		"mis": {[]plant.Spool{spool("MK-1-TW-280-010", heldBy(ana, plant.ARM, time.Minute)), spool("MK-1-TW-281-010"), spool("MK-1-TW-281-020", heldBy(bruno, plant.ARM, 3*time.Hour))},
			func(s *plant.Snapshot) ([]Region, error) { return Mine(s, Filter{Path: "/mis", Me: ana.ID}, noon) }},
		"supervisor": {[]plant.Spool{spool("MK-1-TW-280-010", heldBy(ana, plant.ARM, time.Minute)), spool("MK-1-TW-281-010", quality(plant.BloqueadoQ, 3)), spool("MK-1-TW-281-020", quality(plant.BloqueadoQ, 3))},
			func(s *plant.Snapshot) ([]Region, error) { return Desk(s, Filter{Path: "/supervisor"}, noon) }},
		"canasta": {alike(), func(s *plant.Snapshot) ([]Region, error) {
			return (&BasketSight{Snap: s, Me: ana, Now: noon}).Regions()
		}},
	} {
		regions, err := c.draw(snapshot(c.spools...))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var all Region
		for _, r := range regions {
			all.Items = append(all.Items, r.Items...)
		}
		if diff := cmp.Diff(want, large(parse(t, joinItems(all)))); diff != "" {
			t.Errorf("%s shows large (-want +got):\n%s", name, diff)
		}
	}
}

// TestARowIsKeptOncePerTail: one list lengthens a row's tail, another does not,
// and neither is handed the other's drawing.
func TestARowIsKeptOncePerTail(t *testing.T) {
	a, b := spool("MK-1-TW-280-010"), spool("MK-1-TW-281-010")
	a.Office.NV, b.Office.NV = "1", "2"
	s, rows := snapshot(a, b), NewRows()
	for range 2 {
		for nv, want := range map[string][]string{"": {"280-010", "281-010"}, "1": {"010"}} {
			regions, err := rows.Spools(s, Filter{Path: "/spools", NV: nv}, noon)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, large(region(t, regions, "filas"))); diff != "" {
				t.Errorf("with the NV %q large is (-want +got):\n%s", nv, diff)
			}
		}
	}
}

func BenchmarkTails2500(b *testing.B) {
	tags := []plant.Tag{}
	for r := range many(2500).Rows() {
		tags = append(tags, r.Spool.Tag)
	}
	b.ReportAllocs()
	for b.Loop() {
		Tails(tags)
	}
}
