package api_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"envivo/plant"
	"envivo/ui"
)

func follows(b *box) []plant.Tag { return ui.Followed(b.store.Snapshot()) }

// TestAListIsFollowedInOneTouch: the button says how many it would add, adds
// those of the whole filter, and its undo takes off what it put and nothing else.
func TestAListIsFollowedInOneTouch(t *testing.T) {
	b := newBox(t)
	b.pin("4821")
	p := b.tablet()
	before := b.seq()
	for _, form := range []url.Values{{"todos": {"/spools?estado=LISTO_ARM"}}, {"deshacer": {"1.9.x"}}} {
		p.send(http.MethodPost, "/supervisor/seguidos", form)
	}
	if b.seq() != before {
		t.Errorf("without the PIN events %d to %d were recorded", before, b.seq())
	}
	p.fill("/entrar", url.Values{"pin": {"4821"}, "volver": {"/spools?estado=LISTO_ARM"}})
	var shown []plant.Tag
	for n := range p.dom.Descendants() {
		if n.Type == html.ElementNode && value(n, "data-tag") != "" {
			shown = append(shown, plant.Tag(value(n, "data-tag")))
		}
	}
	p.says("Seguir estos " + ui.Count(len(shown)))
	own, others := shown[0], shown[1:]
	p.fill("/supervisor/seguidos", url.Values{"poner": {string(own)}})
	p.open("/spools?estado=LISTO_ARM", http.StatusOK).says("Seguir estos " + ui.Count(len(others)))
	p.press("SEGUIR_ESTOS", nil).says("Agregados a la lista: "+ui.Count(len(others))+" spools. 1 ya estaba.", "DESHACER").silent("Seguir est")
	if got := follows(b); len(got) != len(shown) {
		t.Fatalf("followed are %v, want the %d of the list", got, len(shown))
	}
	undo := p.find(func(n *html.Node) bool { return value(n, "name") == "deshacer" })
	b.clock.Add(time.Second)
	b.post("/api/supervisor/list/remove", fields{"tag_spool": string(others[0]), "session_id": "s"}).want(t, "taken off by somebody else", 200)
	p.press("DESHACER", nil).says("Deshecho: " + ui.Count(len(others)-1) + " spools ya no están en la lista.")
	if got := follows(b); !slices.Equal(got, []plant.Tag{own}) {
		t.Errorf("after the undo %v are followed, want %s, who was there before", got, own)
	}
	p.fill("/supervisor/seguidos", url.Values{"deshacer": {value(undo, "value")}}).says(ui.TextFollowLate)
	p.open("/spools?estado=LISTO_ARM", http.StatusOK).press("SEGUIR_ESTOS", nil)
	b.clock.Add(11 * time.Second)
	seq := b.seq()
	p.press("DESHACER", nil).says(ui.TextFollowLate)
	if b.seq() != seq {
		t.Errorf("an undo after its 10 s recorded events %d to %d", seq, b.seq())
	}
	if r := p.send(http.MethodPost, "/supervisor/seguidos", url.Values{"todos": {"https://example.com/spools"}}); r.StatusCode != http.StatusNotFound {
		t.Errorf("following a list that does not exist = %d, want 404", r.StatusCode)
	}
	for _, bad := range []string{"x", "0.1.b", "5.1.b", "1.99999999.b"} {
		p.send(http.MethodPost, "/supervisor/seguidos", url.Values{"deshacer": {bad}})
		if strings.Contains(p.raw, "Deshecho") || b.seq() != seq {
			t.Errorf("the undo %q was taken: %.200s", bad, p.raw)
		}
	}
	p.open("/spools?q=zzz", http.StatusOK).silent("Seguir est")
	p.fill("/supervisor/seguidos", url.Values{"todos": {"/spools?q=zzz"}}).says(ui.TextFollowNothing)
}
