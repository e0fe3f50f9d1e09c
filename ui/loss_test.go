package ui

import (
	"strings"
	"testing"
	"time"

	"envivo/plant"
)

// The pages of who held a spool say at once who ended that (ui: RELEVAR, LIBERAR).
func TestAFormerHolderIsTold(t *testing.T) {
	lost := func(tag string, how plant.Kind, ago time.Duration) plant.Spool {
		return spool(tag, func(s *plant.Spool) {
			s.Displaced = []plant.Displaced{{Worker: ana.ID, Op: plant.ARM, By: bruno.Person(), How: how, At: noon.Add(-ago)}}
		})
	}
	s := snapshot(lost("A-011", plant.KindRelevar, 15*time.Minute), lost("A-012", plant.KindLiberar, time.Hour), lost("A-013", plant.KindRelevar, 24*time.Hour),
		lost("A-014", plant.KindRelevar, 25*time.Hour), lost("A-015", plant.KindRelevar, 48*time.Hour))
	regions, err := Mine(s, Filter{Path: "/mis", Me: ana.ID}, noon)
	mine := region(t, drawn(t, regions, err), "mios")
	if n := len(mine.all(".perdida")); n != shownLosses {
		t.Errorf("Mis spools tells of %d, want %d", n, shownLosses)
	}
	for tag, want := range map[string]string{
		"A-011": "Bruno Castro te relevó en …011 a las 11:45. Tus uniones siguen a tu nombre.",
		"A-012": "El supervisor liberó …012 a las 11:00. Tus uniones siguen a tu nombre.",
		"A-013": "Bruno Castro te relevó en …013 el 23-11-2026 a las 12:00. Tus uniones siguen a tu nombre.",
	} {
		says(t, "Mis spools", mine.one(t, "a[data-tag="+tag+"]"), want)
	}
	regions, err = Mine(s, Filter{Path: "/mis", Me: carla.ID}, noon)
	if n := len(region(t, drawn(t, regions, err), "mios").all(".perdida")); n != 0 {
		t.Errorf("somebody else is told of %d", n)
	}
	freed := sight(t, s, "A-012", ana)
	freed.Events = []plant.Event{{Kind: plant.KindLiberar, At: noon.Add(-time.Hour), Motivo: "Terminó su turno"}}
	regions, err = freed.Regions()
	says(t, "the spool's page", region(t, drawn(t, regions, err), "cabeza").one(t, "section"), "El supervisor liberó …012 a las 11:00. Motivo: Terminó su turno")
	regions, err = sight(t, s, "A-015", ana).Regions()
	if head := text(region(t, drawn(t, regions, err), "cabeza").one(t, "section")); strings.Contains(head, "relevó") {
		t.Errorf("after two days the head still says %q", head)
	}
}
