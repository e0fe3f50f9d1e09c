package ui

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"envivo/plant"
)

// Every page at once: what a strict policy, a screen reader and a script need.
func TestEveryPageKeepsTheHouseRules(t *testing.T) {
	all := pages(t)
	if len(all) < 100 {
		t.Fatalf("only %d pages were drawn", len(all))
	}
	for name, raw := range all {
		d := parse(t, raw)
		if bytes.Contains(raw, holeOpen) {
			t.Errorf("%s: a region's place stayed empty", name)
		}
		if lang, _ := attr(d.one(t, "html"), "lang"); lang != "es-CL" {
			t.Errorf("%s: lang = %q, want es-CL", name, lang)
		}
		if n := len(d.all("h1")); n != 1 {
			t.Errorf("%s has %d main headings, want 1", name, n)
		}
		ids := map[string]bool{}
		for n := range d.n.Descendants() {
			if n.Type == html.ElementNode {
				element(t, name, d, n, ids)
			}
		}
		if got := text(d.one(t, "body")); codeLike.MatchString(got) {
			t.Errorf("%s shows the code %q", name, codeLike.FindString(got))
		}
	}
}

func element(t *testing.T, page string, d dom, n *html.Node, ids map[string]bool) {
	t.Helper()
	for _, a := range n.Attr {
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.TrimSpace(a.Val), "javascript:") {
			t.Errorf("%s: %s has the inline %s=%q, which the policy forbids", page, n.Data, a.Key, a.Val)
		}
	}
	if id, ok := attr(n, "id"); ok {
		if ids[id] {
			t.Errorf("%s: the id %s is there twice", page, id)
		}
		ids[id] = true
	}
	label, _ := attr(n, "aria-label")
	switch n.Data {
	case "style":
		t.Errorf("%s has an inline style sheet", page)
	case "script":
		if src, ok := attr(n, "src"); !ok || n.FirstChild != nil || !strings.HasPrefix(src, "/assets/") {
			t.Errorf("%s has a script that is not an asset", page)
		}
	case "button", "a", "summary", "h1", "h2", "label", "legend":
		if text(n) == "" && label == "" {
			t.Errorf("%s: a %s has no name", page, n.Data)
		}
		if cmd, ok := attr(n, "data-cmd"); ok && cmd == "" {
			t.Errorf("%s: a command has no name", page)
		}
	case "input", "textarea":
		kind, _ := attr(n, "type")
		if kind != "hidden" && label == "" && !labelled(d, n) {
			t.Errorf("%s: a field %s has no label", page, kind)
		}
	case "svg":
		if hidden, _ := attr(n, "aria-hidden"); hidden != "true" {
			t.Errorf("%s: a drawing is read aloud", page)
		}
	}
}

func labelled(d dom, n *html.Node) bool {
	for p := range n.Ancestors() {
		if p.Data == "label" {
			return true
		}
	}
	id, ok := attr(n, "id")
	return ok && slices.ContainsFunc(d.all("label[for]"), func(l *html.Node) bool {
		to, _ := attr(l, "for")
		return to == id && text(l) != ""
	})
}

func TestEveryFormIsSentOnceAndToThePlant(t *testing.T) {
	for name, raw := range pages(t) {
		d := parse(t, raw)
		for _, f := range d.all("form[data-orden]") {
			if m, _ := attr(f, "method"); m != "post" {
				t.Errorf("%s: a command travels by %q", name, m)
			}
			var orders int
			for n := range f.Descendants() {
				if v, _ := attr(n, "name"); v == "orden" {
					orders++
				}
			}
			if orders != 1 {
				t.Errorf("%s: a command's form has %d ids, want 1", name, orders)
			}
		}
	}
}

func TestTheFrameSaysWhoAndHowOld(t *testing.T) {
	raw := pages(t)
	d := parse(t, raw["mis"])
	says(t, "the header", d.one(t, "header.cab"), "Ana Bravo", "Armador · 12", "Salir", "SUPERVISOR", "12:00")
	says(t, "the banner of a test plant", d.one(t, ".prueba"), "PRUEBA — estos datos no son de la planta")
	nobody := parse(t, raw["inicio"])
	says(t, "the header before anybody came", nobody.one(t, "header.cab"), "¿Quién eres?")
	if nobody.has(".prueba") || nobody.has(".sup") {
		t.Error("a page of production wears the banner, or a supervisor's frame without one")
	}
	for _, sel := range []string{"[aria-live=polite]", "[aria-live=assertive]", "[data-caida][role=alert]", "a.saltar[href=#medio]"} {
		d.one(t, sel)
	}
}

func TestTheNoticeOffersTheWayBackOnlyInTime(t *testing.T) {
	n := Notice{OK: true, Text: "Tomado: **…010**.", Next: "Sigue: SOLD", Undo: 9, UndoTag: `A"%`, UndoUntil: noon, CommandID: "c7"}
	f := Frame{Now: noon.Add(-1), Here: "/mis"}
	d := component(t, NoticeBox(n, f))
	says(t, "the notice", d.one(t, ".aviso.bien"), "Tomado: …010", "Sigue: SOLD", "DESHACER")
	says(t, "the emphasis", d.one(t, "strong"), "…010")
	if to, _ := attr(d.one(t, "form[data-orden]"), "action"); to != "/spools/A%22%25/deshacer" {
		t.Errorf("DESHACER goes to %s", to)
	}
	d.one(t, "input[name=orden][value=c7]")
	d.one(t, "input[name=evento][value=9]")
	f.Now = noon
	if d := component(t, NoticeBox(n, f)); d.has("[data-cmd=DESHACER]") {
		t.Error("DESHACER is offered after its time")
	}
	bad := component(t, NoticeBox(Notice{Text: "<i>no</i>"}, f))
	says(t, "a refusal", bad.one(t, ".aviso.mal[role=alert]"), "<i>no</i>")
	if bad.has("i") {
		t.Error("a refusal's text became markup")
	}
}

// hostile is a tag and a text that a page must survive.
const hostile = `A"B'%<script>alert(1)</script>&amp;😀 / ñ`

func TestHostileTextsStayTexts(t *testing.T) {
	s := snapshot(spool(hostile, heldBy(ana, plant.ARM, 0), func(s *plant.Spool) {
		s.Notas, s.Office.NV, s.Office.OT, s.Unions[0].Tipo, s.Damaged = hostile, hostile, hostile, hostile, []string{hostile}
	}))
	v := sight(t, s, hostile, ana, may(plant.Pausar, plant.ARM)...)
	v.Events = []plant.Event{{Seq: 3, Kind: plant.KindNota, Tag: hostile, Texto: hostile, At: noon, Worker: ana.Person()}}
	regions, err := v.Regions()
	if err != nil {
		t.Fatalf("draw the spool: %v", err)
	}
	lists, err := NewRows().Spools(s, Filter{Path: "/spools", Q: hostile}, noon)
	if err != nil {
		t.Fatalf("draw the list: %v", err)
	}
	for _, r := range append(regions, lists...) {
		d := region(t, []Region{r}, r.ID)
		if d.has("script") {
			t.Errorf("region %s runs a script from a tag", r.ID)
		}
	}
	says(t, "the head", region(t, regions, "cabeza").one(t, "h1"), `A"B'%<script>alert(1)</script>&amp;😀 / ñ`)
	says(t, "the note", region(t, regions, "linea").one(t, ".detalle"), hostile)
	row := region(t, lists, "filas").one(t, "[data-tag]")
	if got, _ := attr(row, "data-tag"); got != hostile {
		t.Errorf("data-tag = %q, want the tag as it is", got)
	}
	var page bytes.Buffer
	if err := SpoolPage(Frame{Title: hostile, Now: noon, Here: hostile, Notice: &Notice{Text: hostile}}, v, "c", Older{}).Render(t.Context(), &page); err != nil {
		t.Fatalf("draw the page: %v", err)
	}
	if d := parse(t, page.Bytes()); len(d.all("script")) != 1 {
		t.Error("the page has a script besides its asset")
	}
}

func TestPagesPartAtTheirRegions(t *testing.T) {
	parts, err := Parts(t.Context(), HeldPage(Frame{Now: noon}))
	if err != nil {
		t.Fatalf("part a page: %v", err)
	}
	var got []string
	for _, p := range parts {
		if p.Region != "" {
			got = append(got, p.Region)
		}
	}
	if want := []string{"resumen", "filtros", "gente", "mas"}; !slices.Equal(got, want) {
		t.Errorf("regions of the page = %v, want %v", got, want)
	}
}
