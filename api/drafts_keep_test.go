package api_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"golang.org/x/net/html"

	"envivo/api"
)

func TestDraftsSurviveARestart(t *testing.T) {
	b := newBox(t)
	b.post("/api/occupation/tomar", by("U-1", ana, "operacion", "ARM")).want(t, "Ana takes", 200)
	if text, changed := b.api.Drafts(); changed {
		t.Errorf("nothing was begun, and yet %s", text)
	}
	p := b.tablet().identify("12").open("/canasta", http.StatusOK).touch("S-1").touch("S-3")
	p.fill("/salir", url.Values{"spool": {"U-1"}, "union": {"2"}})
	text, changed := b.api.Drafts()
	if _, again := b.api.Drafts(); !changed || again {
		t.Errorf("changed %v, then %v; want once", changed, again)
	}
	after := newBox(t, func(o *api.Options) { o.Drafts = text })
	after.post("/api/occupation/tomar", by("U-1", ana, "operacion", "ARM")).want(t, "Ana takes", 200)
	q := after.tablet().identify("12").open("/canasta", http.StatusOK).says("2 spools", "TOMAR 2")
	if q.open("/spools/U-1", http.StatusOK); q.find(func(n *html.Node) bool { return value(n, "data-borrador") == "2" }) == nil {
		t.Errorf("the tick is gone: %s", q.text())
	}
	for _, broken := range map[string]string{"none": "", "half": string(text[:len(text)/2]), "other": `[1]`, "empty tag": `{"canastas":[{"quien":12,"spools":[""],"cuando":1}]}`} {
		newBox(t, func(o *api.Options) { o.Drafts = []byte(broken) }).tablet().identify("12").open("/canasta", http.StatusOK).says("La canasta está vacía.")
	}
	late := newBox(t, func(o *api.Options) {
		now := o.Now
		o.Now, o.Drafts = func() time.Time { return now().Add(13 * time.Hour) }, text
	})
	late.tablet().identify("12").open("/canasta", http.StatusOK).says("La canasta está vacía.")
}
