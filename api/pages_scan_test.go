package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"envivo/plant"
	"envivo/ui"
)

// scan is what the script sends for a code that was read, and what it does
// with the answer: it goes where it is told or shows what it is told.
func (p *tablet) scan(code string, more ...string) (answer struct {
	OK   bool   `json:"ok"`
	HTML string `json:"html"`
	Go   string `json:"ir"`
}) {
	p.t.Helper()
	form := url.Values{"codigo": {code}, "orden": {fmt.Sprint("scan-", p.seq(), code, more)}, "aqui": {p.at}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Add(more[i], more[i+1])
	}
	r := p.send(http.MethodPost, "/escaneo", form, "Accept", "application/json")
	if err := json.Unmarshal([]byte(p.raw), &answer); err != nil || r.StatusCode != http.StatusOK {
		p.t.Fatalf("scan %s = %d %.200s", code, r.StatusCode, p.raw)
	}
	if answer.Go != "" {
		p.open(answer.Go, http.StatusOK)
	}
	return answer
}

func TestBadgeAndSpoolInAnyOrderTakeTheSpool(t *testing.T) {
	for name, codes := range map[string][2]string{
		"badge first":    {ui.WorkerCode(ana), ui.SpoolCode("S-1")},
		"spool first":    {ui.SpoolCode("S-1"), ui.WorkerCode(ana)},
		"a printed tag":  {ui.WorkerCode(ana), "S'1"},
		"tag, then card": {"s 1", ui.WorkerCode(ana)},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			p := b.tablet().open("/", http.StatusOK)
			p.scan(codes[0])
			if got := b.holder("S-1"); got != 0 {
				t.Fatalf("half a pair took the spool for %d", got)
			}
			b.clock.Add(19 * time.Second)
			p.scan(codes[1])
			if got := b.holder("S-1"); got != ana {
				t.Errorf("the pair left the holder %d, want %d", got, ana)
			}
			p.says("Tomado: S-1.", "Queda a tu nombre", "DESHACER", "Ana Bravo")
		})
	}
}

func TestAPairThatIsTooOldTakesNothing(t *testing.T) {
	b := newBox(t)
	p := b.tablet().open("/", http.StatusOK)
	p.scan(ui.WorkerCode(ana))
	b.clock.Add(21 * time.Second)
	p.scan(ui.SpoolCode("S-1"))
	if got := b.holder("S-1"); got != 0 {
		t.Errorf("after 21 s the pair took the spool for %d", got)
	}
	p.says("TOMAR ARM")
}

func TestAScanRepeatedAfterALostAnswerIsOneEvent(t *testing.T) {
	b := newBox(t)
	p := b.tablet().open("/", http.StatusOK)
	p.scan(ui.WorkerCode(ana))
	jar := maps.Clone(p.cookies)
	form := url.Values{"codigo": {ui.SpoolCode("S-1")}, "orden": {"c-1"}, "aqui": {"/mis"}}
	p.send(http.MethodPost, "/escaneo", form)
	first, before := p.raw, b.seq()
	p.cookies = jar // the answer never arrived
	p.send(http.MethodPost, "/escaneo", form)
	if b.seq() != before || b.holder("S-1") != ana {
		t.Errorf("the repeated scan recorded events %d to %d and left the holder %d", before, b.seq(), b.holder("S-1"))
	}
	if p.raw != first {
		t.Errorf("the repeated scan is told %s, the first was told %s", p.raw, first)
	}
	p.open("/spools/S-1", http.StatusOK).says("Tomado: S-1.")
}

func TestAPairBeginsOnlyWhatIsLegalAndAlone(t *testing.T) {
	b := newBox(t)
	b.post("/api/occupation/tomar", by("S-2", bruno, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.inspectable("S-3")
	b.rejected("S-4", 1)
	for name, c := range map[string]struct {
		worker plant.WorkerID
		tag    plant.Tag
		holder plant.WorkerID
		says   string
	}{
		"held by another":     {ana, "S-2", bruno, "Lo tiene Bruno Castro"},
		"own spool":           {bruno, "S-2", bruno, "TERMINAR"},
		"an inspection":       {elena, "S-3", 0, "APROBADO"},
		"a repair":            {ana, "S-4", ana, "Tomado: S-4."},
		"the wrong trade":     {carla, "S-5", 0, "Armar es solo para Armador o Ayudante."},
		"without material":    {ana, "SIN-1", 0, "Falta registrar la llegada de materiales."},
		"a spool held, again": {ana, "S-2", bruno, "Lo tiene Bruno Castro"},
	} {
		p := b.tablet().open("/", http.StatusOK)
		p.scan(ui.WorkerCode(c.worker))
		before := b.seq()
		p.scan(ui.SpoolCode(c.tag))
		p.says(c.says)
		if got := b.holder(string(c.tag)); got != c.holder {
			t.Errorf("%s: the holder is %d, want %d", name, got, c.holder)
		}
		if c.holder != c.worker && b.seq() != before {
			t.Errorf("%s: a scan recorded something", name)
		}
	}
}

func TestRelevarIsNeverBegunByAScan(t *testing.T) {
	b := newBox(t)
	b.post("/api/occupation/tomar", by("S-1", bruno, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.clock.Add(2 * time.Hour)
	p := b.tablet().open("/", http.StatusOK)
	p.scan(ui.WorkerCode(ana))
	p.scan(ui.SpoolCode("S-1"))
	p.says("RELEVAR")
	if got := b.holder("S-1"); got != bruno {
		t.Errorf("a scan relieved %d for %d", bruno, got)
	}
}

func TestCardsActOnTheSpoolOfTheScreen(t *testing.T) {
	b := newBox(t)
	p := b.tablet()
	if got := p.open("/spools/S-1", 200).scan(ui.CommandCode("TERMINAR"), "spool", "S-1"); got.OK || !strings.Contains(got.HTML, ui.TextScanWho) {
		t.Errorf("a card of nobody says %q", got.HTML)
	}
	p.identify("12")
	if got := p.scan(ui.CommandCode("PAUSAR")); got.OK || !strings.Contains(got.HTML, ui.TextScanWhich) {
		t.Errorf("a card without a spool says %q", got.HTML)
	}
	b.post("/api/occupation/tomar", by("U-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	if got := p.scan(ui.CommandCode("TERMINAR"), "spool", "U-1", "union", "1", "union", "3"); !got.OK || !strings.Contains(got.HTML, "Guardadas 2 de 3 uniones") {
		t.Errorf("TERMINAR with two of three ticked says %q", got.HTML)
	}
	b.post("/api/occupation/tomar", by("U-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	if got := p.scan(ui.CommandCode("PAUSAR"), "spool", "U-1"); !got.OK || !strings.Contains(got.HTML, "en pausa") {
		t.Errorf("PAUSAR says %q", got.HTML)
	}
	if got := p.scan(ui.CommandCode("DESHACER"), "spool", "U-1"); !got.OK || b.holder("U-1") != ana {
		t.Errorf("DESHACER says %q and leaves the holder %d", got.HTML, b.holder("U-1"))
	}
	if got := p.scan(ui.CommandCode("TERMINAR"), "spool", "U-1"); !got.OK || !strings.Contains(got.HTML, "Terminado ARM") {
		t.Errorf("TERMINAR says %q", got.HTML)
	}
	b.inspectable("S-3")
	p.identify("56")
	if got := p.scan(ui.CommandCode("RECHAZADO"), "spool", "S-3"); got.Go != "/spools/S-3?hacer=rechazado" {
		t.Errorf("RECHAZADO leads to %q, want its dialog", got.Go)
	}
	if got := p.scan(ui.CommandCode("APROBADO"), "spool", "S-3"); !got.OK || !strings.Contains(got.HTML, "Aprobado: S-3.") {
		t.Errorf("APROBADO says %q", got.HTML)
	}
	p.scan(ui.CommandCode("SALIR"))
	p.says("¿Quién eres?").silent("Elena Fuentes Metrología · 56 Salir")
}

func TestTheWrongKindOfCodeIsNamed(t *testing.T) {
	b := newBox(t)
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	p := b.tablet().identify("12")
	for code, want := range map[string]string{
		"ABC999":             "No conozco este código: ABC999.",
		"<b>x":               "No conozco este código: &lt;b&gt;x.",
		ui.WorkerCode(felix): "Ese trabajador no está activo.",
	} {
		if got := p.scan(code); got.OK || !strings.Contains(got.HTML, want) {
			t.Errorf("%s says %q, want %q", code, got.HTML, want)
		}
	}
	if got := p.scan(ui.SpoolCode("S-2"), "recibe", "1", "spool", "S-1"); !strings.Contains(got.HTML, ui.TextScanSpool) {
		t.Errorf("a spool where a receiver is awaited says %q", got.HTML)
	}
	if got := p.scan(ui.WorkerCode(bruno), "recibe", "1", "spool", "S-1"); !got.OK || b.holder("S-1") != bruno {
		t.Errorf("the receiver's badge says %q and leaves the holder %d", got.HTML, b.holder("S-1"))
	}
	p.open("/mis", 200).says("Ana Bravo")
	p.scan(ui.WorkerCode(bruno))
	p.says("Cambiaste a Bruno Castro.", "Mis spools", "Bruno Castro")
}
