package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func beside(spool, list string) string { return spool + "?lista=" + url.QueryEscape(list) }

func TestAListStandsBesideASpool(t *testing.T) {
	b := newBox(t)
	p := b.tablet().identify("12")
	at := beside("/spools/S-1", "/listos?operacion=ARM")
	p.open(at, http.StatusOK).says("Listos para ti")
	want := `data-view="/spools/S-1?lista=%2Flistos%3Foperacion%3DARM&amp;yo=12"`
	if !strings.Contains(p.raw, want) || strings.Count(p.raw, `class="vecina"`) < 2 || strings.Count(p.raw, `aria-current="page"`) != 1 {
		t.Errorf("the page does not show its list with the open spool marked in the view %s: %s", want, p.raw)
	}
	if main, list := strings.Index(p.raw, `data-region="accion"`), strings.Index(p.raw, `data-region="lado"`); list < main {
		t.Error("the list comes before the primary act in the order of the keyboard")
	}
	p.press("TOMAR", nil) // without script: a form and a redirect
	if p.at != at {
		t.Errorf("after TOMAR the page is %s, want %s with the list", p.at, at)
	}
	p.says("Tomado: S-1.")
}

func TestOnlyListsOfThisBoxStandBesideASpool(t *testing.T) {
	b := newBox(t)
	for _, list := range []string{"", "https://x.cl/listos", "//x.cl/listos", `/\x.cl/listos`, "javascript:alert(1)", "listos", "/listos/../admin", "/admin", "/spools/S-1", "/canasta", "/%zz",
		"/spools?q=" + strings.Repeat("%2B", 80) + "&nv=" + strings.Repeat("9", 400)} {
		p := b.tablet().open(beside("/spools/S-1", list), http.StatusOK)
		if strings.Contains(p.raw, "data-lado") || !strings.Contains(p.raw, `data-view="/spools/S-1"`) {
			t.Errorf("the list %q is followed", list)
		}
	}
	p := b.tablet().open(beside("/spools/S-1", "/listos?x=1&operacion=ARM&yo=12"), http.StatusOK)
	if !strings.Contains(p.raw, `data-lado="/listos?operacion=ARM"`) {
		t.Error("of a list's address more remains than its canonical name")
	}
	for view, ok := range map[string]bool{
		beside("/spools/S-1", "/listos"): true, beside("/spools/S-1", "/spools?estado=LISTO_ARM&hasta=90"): true, beside("/spools/S-1", "/quien") + "&sup=1&yo=12": true,
		beside("/spools/S-1", "/listos?x=1"): false, beside("/spools/S-1", "/mis?yo=12"): false, beside("/spools/S-1", "//x/listos"): false, beside("/spools/S-1", "/admin"): false,
		beside("/spools/S-1", ""): false, "/spools/S-1?lista=/listos": false, "/spools/S-1?sup=1&" + beside("", "/listos")[1:]: false} {
		if _, err := b.api.LivePage(view); (err == nil) != ok {
			t.Errorf("view %q: %v, want a view: %v", view, err, ok)
		}
	}
}

func TestEveryListCanStandBesideASpool(t *testing.T) {
	b := newBox(t)
	p := b.tablet().identify("12").open("/spools/S-1", http.StatusOK).press("TOMAR", nil)
	for list, marked := range map[string]bool{"/mis": true, "/spools": true, "/quien": true, "/listos": false, "/metrologia": false, "/reparacion": false} {
		p.open(beside("/spools/S-1", list), http.StatusOK)
		if got := strings.Contains(p.raw, `aria-current="page"`); got != marked {
			t.Errorf("beside %s the open spool is marked: %v, want %v", list, got, marked)
		}
	}
}
