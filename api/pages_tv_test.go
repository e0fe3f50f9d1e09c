package api_test

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"envivo/plant"
	"envivo/ui"
)

// regionsOf draws a view by the way the hub does.
func (b *box) regionsOf(view string) []ui.Region {
	b.t.Helper()
	page, err := b.api.LivePage(view)
	if err != nil {
		b.t.Fatalf("view %s: %v", view, err)
	}
	regions, err := page(b.store.Snapshot(), b.clock.Now())
	if err != nil {
		b.t.Fatalf("draw %s: %v", view, err)
	}
	return regions
}

// row is the element of a key on the page.
func (p *tablet) row(key string) string {
	p.t.Helper()
	n := p.find(func(n *html.Node) bool { return value(n, "data-k") == key })
	if n == nil {
		p.t.Fatalf("%s has no %s; it says %q", p.at, key, p.text())
	}
	return nodeText(n)
}

func TestTheWallShowsWhoHasWhatByName(t *testing.T) {
	b := newBox(t)
	b.post("/api/occupation/tomar", by("S-2", bruno, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	p := b.tablet().open("/tv?vista=quien", http.StatusOK)
	p.says("Quién tiene qué", "2 spools en curso · 2 personas").silent("Filas", "Alertas")
	if text := p.text(); strings.Index(text, "Ana Bravo") > strings.Index(text, "Bruno Castro") {
		t.Errorf("the wall says %q, want Ana before Bruno", text)
	}
	if p.find(func(n *html.Node) bool { return slices.Contains([]string{"form", "a", "input"}, n.Data) }) != nil {
		t.Errorf("the wall offers something to touch")
	}
	b.clock.Add(85 * time.Minute)
	if row := p.open("/tv?vista=quien", http.StatusOK).row("S-1"); !strings.Contains(row, "Vencida 25 min") {
		t.Errorf("a hold of 85 minutes is shown as %q, want vencida since 25 min", row)
	}
}

func TestTheWallCountsQueuesTheDayAndTheGoal(t *testing.T) {
	b := newBox(t)
	b.setting(plant.Setting{Key: ui.SettingGoal + "ARM", Value: "10"})
	b.armU1()
	p := b.tablet().open("/tv?vista=hoy", http.StatusOK)
	if row := p.row("ARM"); !strings.Contains(row, "6,75 PD") || !strings.Contains(row, "3 uniones · 1 spool terminado") || !strings.Contains(row, "Meta 10 PD · 67 %") {
		t.Errorf("the day of ARM is shown as %q, want 6,75 PD in 3 unions, 67 %% of 10", row)
	}
	if row := p.row("SOLD"); !strings.Contains(row, "0 PD") || strings.Contains(row, "Meta") {
		t.Errorf("the day of SOLD is shown as %q, want nothing and no goal", row)
	}
	p.open("/tv?vista=filas", http.StatusOK)
	if arm, sold := p.row("arm"), p.row("sold"); !strings.Contains(arm, "ARM 9 en espera") || !strings.Contains(sold, "SOLD 1 en espera") || !strings.Contains(sold, "2 PD") {
		t.Errorf("the queues are shown as %q and %q, want 9 for ARM and one with 2 PD for SOLD", arm, sold)
	}
}

func TestTheWallWarnsOfWhatIsRejectedAndBlocked(t *testing.T) {
	b := newBox(t)
	b.tablet().open("/tv?vista=alertas", http.StatusOK).says("Sin alertas")
	b.rejected("S-1", 1)
	p := b.tablet().open("/tv?vista=alertas", http.StatusOK).says("0 bloqueados · 0 tomas vencidas · 1 rechazado")
	if row := p.row("S-1"); !strings.Contains(row, "Rechazado 1/3") {
		t.Errorf("a rejected spool is shown as %q", row)
	}
}

// armU1 has Ana fit all joints of U-1 within ten minutes.
func (b *box) armU1() *tablet {
	b.t.Helper()
	p := b.tablet().identify("12").open("/spools/U-1", http.StatusOK).press("TOMAR", nil)
	b.clock.Add(10 * time.Minute)
	return p.open("/spools/U-1", http.StatusOK).press("TERMINAR", nil)
}

func TestTheWallTakesTurnsUnlessAViewIsPinned(t *testing.T) {
	b := newBox(t)
	for _, path := range []string{"/tv", "/tv?vista=nada"} {
		b.tablet().open(path, http.StatusOK).says("Quién tiene qué", "Filas", "Hoy", "Alertas")
	}
	for view, ok := range map[string]bool{"/tv": true, "/tv?vista=filas": true, "/tv?vista=": false, "/tv?vista=nada": false, "/tv?tema=dia": false} {
		if _, err := b.api.LivePage(view); (err == nil) != ok {
			t.Errorf("view %q: %v, want a view: %v", view, err, ok)
		}
	}
}

func TestAWallComesInByALinkThatCanBeRevoked(t *testing.T) {
	b := newBox(t, enrolled)
	secret := b.token("read")
	p := b.tablet().open("/tv", http.StatusForbidden)
	p.open("/tv?clave=envivo_0_x", http.StatusForbidden)
	r := p.send(http.MethodGet, "/tv?clave="+secret+"&vista=hoy", nil)
	if got := r.Header.Get("Location"); r.StatusCode != http.StatusSeeOther || got != "/tv?vista=hoy" {
		t.Fatalf("the link = %d to %q, want to the wall without the token", r.StatusCode, got)
	}
	p.open("/tv", http.StatusOK)
	if r := p.send(http.MethodPost, "/persona", form("trabajador", "12")); r.StatusCode != http.StatusForbidden {
		t.Errorf("a command from a wall = %d, want 403", r.StatusCode)
	}
	id := strings.Split(secret, "_")[1]
	b.setting(plant.Setting{Key: "token/" + id})
	p.open("/tv", http.StatusForbidden)
}

// Whatever happens, what is drawn in steps equals what is drawn at the end, and
// only times pass between two drawings of the same state.
func TestTheWallAtRestIsAFreshOne(t *testing.T) {
	b := newBox(t)
	rnd := rand.New(rand.NewPCG(7, 1))
	tags := []string{"S-1", "S-2", "S-3", "U-1"}
	verbs := []string{"tomar", "pausar", "completar", "cancelar"}
	for range 120 {
		tag, who := tags[rnd.IntN(len(tags))], []int{ana, bruno, carla}[rnd.IntN(3)]
		b.post("/api/occupation/"+verbs[rnd.IntN(len(verbs))], by(tag, who, "operacion", []string{"ARM", "SOLD"}[rnd.IntN(2)]))
		live := b.regionsOf("/tv")
		b.clock.Add(time.Duration(rnd.IntN(20)) * time.Second)
		page := b.tablet().open("/tv", http.StatusOK).raw
		for _, region := range live {
			for _, it := range region.Items {
				if drawn := string(ui.FillTimes(it.HTML, b.clock.Now())); !strings.Contains(page, drawn) {
					t.Fatalf("a fresh wall differs from the live one in %s %s: %s", region.ID, it.Key, drawn)
				}
			}
		}
	}
}
