package api_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"envivo/api"
	"envivo/plant"
)

// reading counts the events that are read from the log.
type reading struct {
	api.Plant
	n int
}

func (r *reading) Events(ctx context.Context, after plant.Seq, limit int) ([]plant.Event, error) {
	events, err := r.Plant.Events(ctx, after, limit)
	r.n += len(events)
	return events, err
}

// counting is a box whose readings of the log are counted.
func counting(t *testing.T) (*box, *reading) {
	r := &reading{}
	return newBox(t, func(o *api.Options) { r.Plant, o.Plant = o.Plant, r }), r
}

// figure is what one card of the page of figures says.
func (p *tablet) figure(key string) string {
	p.t.Helper()
	return p.open("/cifras", http.StatusOK).row(key)
}

func wants(t *testing.T, what, got string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(got, w) {
			t.Errorf("%s says %q, want %q in it", what, got, w)
		}
	}
}

func TestFiguresCountTheDayByTrade(t *testing.T) {
	b := newBox(t)
	p := b.tablet()
	wants(t, "PD per day before any work", p.figure("pd"), "Nada registrado en estos días.")
	b.armU1()
	b.inspectable("S-1")
	wants(t, "PD per day", p.figure("pd"), "6,75 ARM hoy, PD", "0 SOLD hoy, PD", "Para decidir")
	wants(t, "spools per day", p.figure("spools"), "2 ARM terminado", "1 SOLD terminado", "0 Aprobado")
	wants(t, "the age", p.figure("edad"), "2 spools empezados", "0 con 7 días o más", "U-1 0 días")
	chart := p.find(func(n *html.Node) bool {
		return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "data-grafico" })
	})
	wants(t, "a chart for those who do not see it", nodeText(chart), "ARM: 11-11-2026 0,", "24-11-2026 7")
	b.clock.Add(8 * 24 * time.Hour)
	wants(t, "the age a week later", p.figure("edad"), "2 con 7 días o más", "U-1 8 días")
}

func TestWaitsEndWhenSomebodyTakesTheSpoolUp(t *testing.T) {
	b := newBox(t)
	for i := 1; i <= 5; i++ {
		tag := fmt.Sprintf("S-%d", i)
		b.work(tag, ana, "ARM")
		b.clock.Add(20 * time.Minute)
		b.work(tag, carla, "SOLD")
		b.clock.Add(90 * time.Minute)
		b.post("/api/metrologia/completar", by(tag, elena, "resultado", "RECHAZADO", "motivo", "porosidad")).want(t, "reject", 200)
	}
	p := b.tablet()
	wants(t, "waiting", p.figure("espera"), "Metrología es el cuello", "la mitad espera más de 1 h 30 min", "SOLD 20 min", "Reparación sin esperas registradas 5 spools en la fila")
	wants(t, "rejections", p.figure("rechazo"), "100 % rechazado 5 de 5 inspecciones", "Porosidad 5 rechazos")
	b.clock.Add(time.Hour)
	take := b.post("/api/tomar-reparacion", by("S-5", ana)).want(t, "take the repair", 200)
	wants(t, "a repair taken", p.figure("espera"), "Reparación 1 h")
	b.clock.Add(time.Second)
	b.post("/api/occupation/deshacer", by("S-5", ana, "seq", take.num("seq"))).want(t, "DESHACER", 200)
	wants(t, "a repair taken and undone", p.figure("espera"), "Reparación sin esperas registradas")
	b.clock.Add(time.Hour)
	b.post("/api/tomar-reparacion", by("S-5", ana)).want(t, "take the repair", 200)
	wants(t, "a repair taken after an undo", p.figure("espera"), "Reparación 2 h")
}

func TestAVerdictTakenBackIsNoVerdict(t *testing.T) {
	b := newBox(t)
	b.inspectable("S-1")
	b.clock.Add(time.Minute)
	r := b.post("/api/metrologia/completar", by("S-1", elena, "resultado", "RECHAZADO")).want(t, "reject", 200)
	p := b.tablet()
	wants(t, "rejections", p.figure("rechazo"), "1 de 1 inspección")
	b.post("/api/occupation/deshacer", by("S-1", elena, "seq", r.num("seq"))).want(t, "DESHACER", 200)
	wants(t, "rejections after the undo", p.figure("rechazo"), "— rechazado 0 de 0")
	b.post("/api/metrologia/completar", by("S-1", elena, "resultado", "APROBADO")).want(t, "approve", 200)
	wants(t, "rejections after an approval", p.figure("rechazo"), "0 % rechazado 0 de 1 inspección")
}

func TestTheLogIsReadOnce(t *testing.T) {
	b, log := counting(t)
	p := b.tablet().open("/cifras", http.StatusOK)
	before := log.n
	if before != int(b.seq()) {
		t.Fatalf("the first page read %d events of %d", before, b.seq())
	}
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	for range 3 {
		p.open("/cifras", http.StatusOK).open("/momento?t=2026-11-24T09:01", http.StatusOK)
	}
	if got := log.n - before; got != 1 {
		t.Errorf("seven pages after one command read %d events, want 1", got)
	}
}

func TestTheGoalIsTheSupervisors(t *testing.T) {
	b := newBox(t)
	b.pin("2580")
	p := b.tablet().open("/cifras", http.StatusOK)
	if p.find(func(n *html.Node) bool { return value(n, "action") == "/cifras/meta" }) != nil {
		t.Errorf("the goal is offered without a session")
	}
	if r := p.send(http.MethodPost, "/cifras/meta", url.Values{"arm": {"300"}}); r.Header.Get("Location") != "/entrar?volver=%2Fcifras" {
		t.Errorf("a goal set by nobody leads to %q, want to the PIN", r.Header.Get("Location"))
	}
	p.open("/entrar", http.StatusOK).press("ENTRAR", url.Values{"pin": {"2580"}})
	p.open("/cifras", http.StatusOK).press("META", url.Values{"arm": {"300"}, "sold": {""}}).says("meta 300")
	p.open("/tv?vista=hoy", http.StatusOK).says("Meta 300 PD · 0 %")
	if r := p.send(http.MethodPost, "/cifras/meta", url.Values{"arm": {"-1"}}); r.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a goal of -1 = %d, want 422", r.StatusCode)
	}
	p.open("/cifras", http.StatusOK).press("META", url.Values{"arm": {"0"}, "sold": {""}}).silent("meta 300")
}

// then is who has what in the store.
func (b *box) then() []string {
	out := []string{}
	snap := b.store.Snapshot()
	for r := range snap.Rows() {
		if h := r.Spool.Hold; !h.Free() {
			out = append(out, fmt.Sprintf("%s %d %s", r.Spool.Tag, h.Worker.ID, h.Op))
		}
	}
	slices.Sort(out)
	return out
}

// was is what the time machine says of a moment.
func (p *tablet) was(t time.Time) []string {
	p.t.Helper()
	p.open("/momento?t="+url.QueryEscape(t.In(plant.Zone()).Format("2006-01-02T15:04")), http.StatusOK)
	out := []string{}
	for n := range p.dom.Descendants() {
		tag := value(n, "data-tag")
		if tag == "" {
			continue
		}
		card := n.Parent.Parent
		text := nodeText(n)
		for _, op := range []string{"ARM", "SOLD", "Reparación"} {
			if strings.Contains(text, " "+op+" ") {
				out = append(out, fmt.Sprintf("%s %s %s", tag, strings.TrimPrefix(value(card, "data-k"), "p"), strings.ToUpper(plant.Fold(op))))
			}
		}
	}
	slices.Sort(out)
	return out
}

// The oracle of the time machine is the plant itself at that moment.
func TestTheTimeMachineKnowsEveryMoment(t *testing.T) {
	b := newBox(t)
	p := b.tablet()
	rnd := rand.New(rand.NewPCG(11, 3))
	tags := []string{"S-1", "S-2", "S-3", "S-4"}
	moments := map[time.Time][]string{}
	for range 250 {
		tag, who := tags[rnd.IntN(len(tags))], []int{ana, bruno, carla}[rnd.IntN(3)]
		body := by(tag, who, "operacion", []string{"ARM", "SOLD"}[rnd.IntN(2)])
		path := []string{"occupation/tomar", "occupation/tomar", "occupation/pausar", "occupation/completar", "occupation/cancelar", "occupation/relevar",
			"tomar-reparacion", "pausar-reparacion", "completar-reparacion"}[rnd.IntN(9)]
		r := b.post("/api/"+path, body)
		if rnd.IntN(12) == 0 {
			b.post("/api/metrologia/completar", by(tag, elena, "resultado", "RECHAZADO"))
		}
		if r.Status == 200 && rnd.IntN(4) == 0 {
			b.clock.Add(3 * time.Second)
			b.post("/api/occupation/deshacer", by(tag, who, "seq", r.num("seq")))
		}
		at := b.clock.Now().Truncate(time.Minute).Add(time.Minute)
		moments[at] = b.then()
		if rnd.IntN(5) == 0 { // catch up in steps
			p.open("/momento?t=2026-11-24T09:00", http.StatusOK)
		}
		b.clock.Add(time.Duration(2+rnd.IntN(70)) * time.Minute)
	}
	some := 0
	for at, want := range moments {
		if diff := cmp.Diff(want, p.was(at)); diff != "" {
			t.Fatalf("the time machine about %s (-plant +page):\n%s", plant.SheetTime(at), diff)
		}
		some += len(want)
	}
	if some < 100 {
		t.Errorf("all moments together show %d occupations: too few to prove anything", some)
	}
}

func TestTheTimeMachineBeginsAnHourAgo(t *testing.T) {
	b := newBox(t)
	p := b.tablet()
	if got := p.send(http.MethodGet, "/momento", nil).Header.Get("Location"); got != "/momento?t=2026-11-24T08%3A00" {
		t.Errorf("the time machine begins at %q, want an hour ago", got)
	}
	p.open("/momento?t=2026-11-24T08%3A00", http.StatusOK).says("Nadie tenía spools en ese momento", "24-11-2026 08:00")
	p.open("/momento?t=ayer", http.StatusNotFound).says("Ese momento no se entiende")
	for _, view := range []string{"/momento", "/momento?t=ayer", "/momento?t=2026-11-24T08:00", "/cifras?x=1"} {
		if _, err := b.api.LivePage(view); err == nil {
			t.Errorf("%q is a view, want canonical names only", view)
		}
	}
}

// What was in the old log is known as well.
func TestTheTimeMachineReadsTheOldLog(t *testing.T) {
	b := newBox(t)
	at := func(h, m int) time.Time { return time.Date(2026, 11, 20, h, m, 0, 0, plant.Zone()) }
	row := func(order int32, when time.Time, kind, more string) plant.MetadataRow {
		return plant.MetadataRow{ID: fmt.Sprint("r", order), At: when, Order: order, EventoTipo: kind, Tag: "V-1", WorkerID: "12", WorkerNombre: "AB(12)", Operacion: "ARM", JSON: more}
	}
	sp := plant.Spool{Tag: "V-1", Order: 90, Version: 1, Office: plant.Office{Materiales: plant.NewDate(2026, 1, 5)}}
	c := bring(sp)
	c.Import.History = []plant.MetadataRow{row(1, at(9, 0), "TOMAR_SPOOL", ""), row(2, at(9, 40), "PAUSAR_SPOOL", ""),
		row(3, at(15, 0), "COMPLETAR_METROLOGIA", `{"resultado":"RECHAZADO","motivo":"porosidad"}`)}
	if _, err := b.store.Do(t.Context(), c); err != nil {
		t.Fatalf("import V-1: %v", err)
	}
	p := b.tablet()
	for when, want := range map[time.Time]int{at(8, 59): 0, at(9, 0): 1, at(9, 39): 1, at(9, 40): 0} {
		if got := p.was(when); len(got) != want {
			t.Errorf("at %s the old log tells of %v, want %d", plant.Clock(when), got, want)
		}
	}
	wants(t, "rejections", p.figure("rechazo"), "1 de 1 inspección", "Porosidad")
}
