package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"envivo/api"
	"envivo/plant"
	"envivo/ui"
)

// answerToScript is an answer to the script.
type answerToScript struct {
	OK    bool   `json:"ok"`
	HTML  string `json:"html"`
	Go    string `json:"ir"`
	State *struct {
		View    string    `json:"view"`
		Seq     plant.Seq `json:"seq"`
		Regions []struct {
			ID    string `json:"id"`
			Items []struct {
				K, H string
			} `json:"items"`
		} `json:"regions"`
	} `json:"state"`
}

func (p *tablet) script(method, path string, form url.Values, view string) answerToScript {
	p.t.Helper()
	r := p.send(method, path, form, "Accept", "application/json", "X-Vista", view)
	var out answerToScript
	if err := json.Unmarshal([]byte(p.raw), &out); err != nil || r.StatusCode != http.StatusOK {
		p.t.Fatalf("%s %s = %d %.200s: %v", method, path, r.StatusCode, p.raw, err)
	}
	return out
}

func TestTheScriptIsToldTheOutcomeAndTheNewState(t *testing.T) {
	b := newBox(t)
	p := b.tablet().identify("12")
	view := "/spools/S-1?yo=12"
	a := p.script(http.MethodPost, "/spools/S-1/tomar", form("operacion", "ARM"), view)
	if !a.OK || !strings.Contains(a.HTML, "Tomado: S-1.") || !strings.Contains(a.HTML, "DESHACER") {
		t.Errorf("TOMAR told %v %s", a.OK, a.HTML)
	}
	if a.State == nil || a.State.View != view || a.State.Seq != b.seq() || !strings.Contains(a.State.Regions[0].Items[0].H, "En curso · ARM") {
		t.Errorf("the state after TOMAR is %+v, want the spool held at %d", a.State, b.seq())
	}
	no := p.script(http.MethodPost, "/spools/S-1/tomar", form("operacion", "ARM"), "/no-such-view")
	if no.OK || no.State != nil || !strings.Contains(no.HTML, "Ya lo tienes tú") {
		t.Errorf("a refusal told %+v", no)
	}
	nobody := b.tablet().script(http.MethodPost, "/spools/S-1/pausar", form("operacion", "ARM"), view)
	if nobody.Go != "/?volver=%2Fspools%2FS-1" {
		t.Errorf("a command of nobody leads the script to %q", nobody.Go)
	}
}

func TestALostAnswerCanBeAskedFor(t *testing.T) {
	b := newBox(t)
	p := b.tablet().identify("12")
	f := form("operacion", "ARM")
	p.script(http.MethodPost, "/spools/S-2/tomar", f, "")
	known := p.script(http.MethodGet, "/spools/S-2/orden?id="+f.Get("orden"), nil, "")
	if !known.OK || !strings.Contains(known.HTML, "Confirmado: guardado a las 09:00.") {
		t.Errorf("a stored command is told %v %s", known.OK, known.HTML)
	}
	for _, id := range []string{"otra", ""} {
		if a := p.script(http.MethodGet, "/spools/S-2/orden?id="+id, nil, ""); a.OK || !strings.Contains(a.HTML, ui.TextNotSaved) {
			t.Errorf("the command %q is told %v %s, want that it was not saved", id, a.OK, a.HTML)
		}
	}
}

func TestOnlyCanonicalNamesAreViews(t *testing.T) {
	b := newBox(t)
	for view, ok := range map[string]bool{"/": true, "/quien": true, "/spools": true, "/spools?estado=LISTO_ARM&q=s-1": true, "/mis?yo=12": true, "/listos": true,
		"/metrologia": true, "/reparacion": true, "/spools/S-1": true, "/spools/S-1?yo=12": true, "/spools/S-1?sup=1&yo=12": true,
		"/spools?q=s-1&estado=LISTO_ARM": false, "/spools?q=": false, "/spools/s-1": false, "/spools/S-1?yo=0": false, "/spools/NADA": false, "/menu": false, "": false,
		"/spools/%zz": false, "http://x/quien": false, "/spools/S-1?yo=12&x=1": false} {
		_, err := b.api.LivePage(view)
		if (err == nil) != ok {
			t.Errorf("view %q: %v, want a view: %v", view, err, ok)
		}
	}
}

// The state a script fetches is the state the page was drawn with.
func TestThePageAndItsStateAreTheSame(t *testing.T) {
	b := newBox(t)
	p := b.tablet().identify("12").open("/spools/S-3", http.StatusOK).press("TOMAR", nil)
	for _, path := range []string{"/", "/quien", "/spools", "/mis", "/spools/S-3"} {
		p.open(path, http.StatusOK)
		page := p.raw
		r := p.send(http.MethodGet, path, nil, "X-Parte", "vivo")
		var s struct {
			Rev, View string
			Regions   []struct {
				Items []struct{ K, H string }
			}
		}
		if err := json.Unmarshal([]byte(p.raw), &s); err != nil || r.Header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Fatalf("the state of %s: %.200s: %v", path, p.raw, err)
		}
		for _, region := range s.Regions {
			for _, it := range region.Items {
				if drawn := string(ui.FillTimes([]byte(it.H), b.clock.Now())); !strings.Contains(page, drawn) {
					t.Errorf("%s was drawn without the item %s of its state: %s", path, it.K, drawn)
				}
			}
		}
	}
}

// big is a plant of the size that the budget of a page speaks of, and what
// draws its views.
func big(t testing.TB, n int) (*box, *watched) {
	w := &watched{kept: map[string]drawnView{}}
	b := newBox(t, func(o *api.Options) { o.Render = w.render })
	w.b = b
	list := make([]plant.Command, 0, n)
	types := []string{"BW", "SO", "LET", "FW"}
	for i := range n {
		sp := plant.Spool{Tag: plant.Tag(fmt.Sprintf("MK-13%02d-TW-%d-%03d", i%50, 28000+i/9, 1+i%9*10)), Order: int32(100 + i),
			Office: plant.Office{NV: fmt.Sprintf("NV%04d", 101+i/40), OT: fmt.Sprint(i), Materiales: plant.NewDate(2026, 1, 5)}}
		for k := range i % 8 {
			sp.Unions = append(sp.Unions, plant.Union{N: k + 1, DN: plant.Inches(50 * (1 + (i+k)%20)), Tipo: types[(i+k)%4]})
		}
		list = append(list, bring(sp))
	}
	for len(list) > 0 {
		some := min(200, len(list))
		for i, r := range b.store.DoAll(t.Context(), list[:some]) {
			if r.Err != nil {
				t.Fatalf("bring spool %d: %v", i, r.Err)
			}
		}
		list = list[some:]
	}
	return b, w
}

func TestAPageOf2500RowsIsSmallAndDrawnOncePerChange(t *testing.T) {
	b, w := big(t, 2500)
	p := b.tablet()
	load := func(path string, header ...string) string {
		p.send(http.MethodGet, path, nil, append(header, "Accept-Encoding", "gzip")...)
		return p.raw
	}
	raw := load("/spools")
	if got := len(raw); got > 20_000 {
		t.Errorf("the page has %d bytes packed, want at most 20 kB", got)
	}
	page := unpack(t, raw)
	if got := strings.Count(page, `<li data-k=`); got != 60 || !strings.Contains(page, "Se muestran 60 de "+ui.Count(b.store.Snapshot().Len())) {
		t.Fatalf("the page has %d rows, want 60 and how many there are", got)
	}
	t.Logf("60 of 2,500 rows: %d bytes, %d packed", len(page), len(raw))
	raw = load("/spools?hasta=9000")
	if got := len(raw); got > 100_000 {
		t.Errorf("the widest page has %d bytes packed, want at most 100 kB", got)
	}
	page = unpack(t, raw)
	if got := strings.Count(page, "<li data-k="); got < 2500 || strings.Contains(page, "Se muestran") {
		t.Fatalf("the widest page has %d rows, want all 2500 and no word of others", got)
	}
	t.Logf("2,500 rows: %d bytes, %d packed", len(page), len(raw))
	w.draws = 1 // the narrow one
	for range 20 {
		load("/spools")
		load("/spools", "X-Parte", "vivo")
	}
	if w.draws != 1 {
		t.Errorf("41 readers had the view drawn %d times, want once", w.draws)
	}
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	if again := unpack(t, load("/spools")); w.draws != 2 || !strings.Contains(again, "En curso · ARM") {
		t.Errorf("after a change the view was drawn %d times in all, want twice and with the change", w.draws)
	}
}

func TestTimesOnAKeptPageGoOn(t *testing.T) {
	b, _ := big(t, 400)
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	p := b.tablet()
	p.open("/spools", http.StatusOK).says("menos de 1 min")
	b.clock.Add(25 * time.Minute)
	p.open("/spools", http.StatusOK).says("25 min").silent("menos de 1 min")
}

func packedRequest(b *testing.B) *http.Request {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/spools", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	return r
}

func BenchmarkPageOf2500Rows(b *testing.B) {
	box, _ := big(b, 2500)
	r := packedRequest(b)
	b.ReportAllocs()
	for b.Loop() {
		box.api.ServeHTTP(&blank{http.Header{}}, r)
	}
}

func BenchmarkPageOf2500RowsAfterAChange(b *testing.B) {
	box, w := big(b, 2500)
	r := packedRequest(b)
	b.ReportAllocs()
	for b.Loop() {
		clear(w.kept)
		box.api.ServeHTTP(&blank{http.Header{}}, r)
	}
}
