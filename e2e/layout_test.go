package e2e

import (
	"fmt"
	"testing"
)

// overlaps are the words of a page that another word covers, or the edge cuts.
const overlaps = `(() => {
	const words = [];
	for (const e of document.querySelectorAll('body *')) {
		if (!e.checkVisibility({visibilityProperty: true}) || e.closest('.oculto, svg')) continue;
		for (const n of e.childNodes) {
			if (n.nodeType !== 3 || !n.data.trim()) continue;
			const r = document.createRange();
			r.selectNodeContents(n);
			const b = r.getBoundingClientRect();
			if (b.width) words.push({say: n.data.trim(), l: b.left, r: b.right, t: b.top + b.height * .05, b: b.bottom - b.height * .05, corner: !!e.closest('header.tv-cab')});
		}
	}
	const out = [], edge = 2.5 * Math.min(innerHeight / 100, innerWidth * .005625);
	for (const a of words.filter((w) => w.corner)) {
		if (a.l < edge || a.t < 0 || a.r > innerWidth - edge || a.b > innerHeight) out.push(a.say + ' leaves the screen');
		for (const b of words) if (b !== a && a.l < b.r && b.l < a.r && a.t < b.b && b.t < a.b) out.push(a.say + ' lies over ' + b.say);
	}
	return out;
})()`

// TestTheWallsCornerLiesOverNothing: clock, tablet and build of a wall keep clear
// of its heads and rows.
func TestTheWallsCornerLiesOverNothing(t *testing.T) {
	t.Parallel()
	s := demo(t)
	first := browser(t)
	for _, size := range [][2]int64{{1920, 1080}, {1280, 720}, {1024, 768}} {
		e := newEye(t, first, s, shotFolder(t), size[0], size[1])
		for _, view := range []string{"quien", "filas", "hoy", "alertas"} {
			open(t, e.tab, s.url+"/tv?vista="+view)
			live(t, e.tab)
			until(t, e.tab, "the letters never came", `document.fonts.status === 'loaded'`)
			for _, found := range eval[[]string](t, e.tab, overlaps) {
				t.Errorf("%s at %s: %s", view, e.size, found)
			}
			e.shoot("tv "+view, "dark")
		}
	}
}

// TestTwoRowsOfUnionsInLandscape: on a lying tablet who holds a spool sees two rows
// of its unions before scrolling.
func TestTwoRowsOfUnionsInLandscape(t *testing.T) {
	t.Parallel()
	s := demo(t)
	d := setDemo(s)
	e := newEye(t, browser(t), s, shotFolder(t), 1280, 800)
	open(t, e.tab, s.url+"/")
	e.as(demoFitter)
	open(t, e.tab, s.url+"/spools/"+d.held)
	live(t, e.tab)
	e.shoot("uniones en apaisado", "light")
	rows := eval[[]float64](t, e.tab, `(() => {
		const edge = document.querySelector('.bajo').getBoundingClientRect().top;
		return [...new Set([...document.querySelectorAll('.union')].map((u) => u.getBoundingClientRect()).filter((r) => r.bottom <= edge).map((r) => r.top))];
	})()`)
	if len(rows) < 2 {
		t.Errorf("%d rows of unions are above the fold, want 2: tops %s", len(rows), fmt.Sprint(rows))
	}
}
