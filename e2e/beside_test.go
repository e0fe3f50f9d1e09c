package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestAListBesideASpool is the tablet that lies: at 1280×800 a spool opened
// from a list has at least five of its rows at its left, which scroll alone,
// and its primary act in the lower third; thick gloves and an upright tablet
// see the spool alone. With gloves the rows are as much higher as everything
// else, and four are in sight under the sample plant's banner.
func TestAListBesideASpool(t *testing.T) {
	t.Parallel()
	s := demo(t)
	axe := axeSource(t)
	first := browser(t)
	shots := shotFolder(t)
	e := newEye(t, first, s, shots, 1280, 800)
	open(t, e.tab, s.url+"/menu")
	e.form("/tablet", "tipo=personal") // nobody leaves by being slow
	e.as(demoFitter)
	enter := func(e *eye) {
		t.Helper()
		open(t, e.tab, s.url+"/spools?estado=LISTO_ARM")
		until(t, e.tab, "no script", `!!window.envivo`)
		click(t, e.tab, `.fila:first-child > a`)
		until(t, e.tab, "no spool came", `location.pathname.startsWith('/spools/') && !!document.querySelector('[data-region="accion"]') && !!window.envivo`)
	}
	enter(e)
	for what, js := range map[string]string{
		"five rows and more are in sight":                              `[...document.querySelectorAll('.vecina')].filter(r => { const b = r.getBoundingClientRect(); return b.height >= 96 && b.top >= 84 && b.bottom <= innerHeight; }).length >= 5`,
		"the open one is marked":                                       `document.querySelectorAll('.vecina > [aria-current="page"]').length === 1`,
		"the primary act is in the lower third and not under the fold": `(() => { const b = document.querySelector('.pri').getBoundingClientRect(); return b.height >= 112 && b.top >= innerHeight * 2 / 3 - 1 && b.bottom <= innerHeight && b.left >= 400; })()`,
		"nothing lies over the spool":                                  `document.querySelector('main').getBoundingClientRect().left >= document.querySelector('.lado').getBoundingClientRect().right`,
		"the list scrolls alone":                                       `(() => { const l = document.querySelector('.lado-filas'); l.scrollTop = 300; return l.scrollTop === 300 && scrollY === 0; })()`,
	} {
		if !eval[bool](t, e.tab, js) {
			t.Errorf("not so: %s", what)
		}
	}
	e.ask("list beside a spool", "by hand", `audit.plain()`)
	for _, theme := range []string{"light", "dark"} {
		e.theme(theme)
		e.shoot("spool beside list", theme)
		eval[bool](t, e.tab, `(() => { `+axe+`; return !!window.axe; })()`)
		e.ask("list beside a spool", "axe, "+theme, `audit.axed()`)
	}
	was := eval[string](t, e.tab, `location.pathname`)
	click(t, e.tab, `.vecina:nth-child(5) > a`)
	until(t, e.tab, "the next spool never came with the list", `location.pathname !== '`+was+`' && !!document.querySelector('.vecina > [aria-current]') && !!window.envivo`)
	live(t, e.tab)
	click(t, e.tab, `[data-cmd="TOMAR"]`)
	until(t, e.tab, "TOMAR never told", `document.querySelector('[data-avisos]').innerText.includes('Tomado')`)
	if !strings.Contains(eval[string](t, e.tab, `location.search`), "lista=") || !eval[bool](t, e.tab, `document.querySelectorAll('.vecina').length > 5`) {
		t.Error("after TOMAR the list is gone")
	}
	for _, said := range e.heard("") {
		t.Error(said)
	}

	thin := newEye(t, first, s, shots, 1280, 800)
	open(t, thin.tab, s.url+"/menu")
	thin.form("/tablet", "escala=guantes&tipo=personal")
	thin.as(demoFitter)
	enter(thin)
	for what, js := range map[string]string{
		"four rows of 120 px are in sight":         `[...document.querySelectorAll('.vecina')].filter(r => { const b = r.getBoundingClientRect(); return b.height >= 119.5 && b.top >= 84 && b.bottom <= innerHeight; }).length >= 4`,
		"the primary act is not under the fold":    `(() => { const b = document.querySelector('.pri').getBoundingClientRect(); return b.height >= 139.5 && b.top >= innerHeight * 2 / 3 - 1 && b.bottom <= innerHeight && b.left >= 480; })()`,
		"the spool has what an upright tablet has": `document.querySelector('main').clientWidth >= 601 && document.querySelector('main').getBoundingClientRect().left >= document.querySelector('.lado').getBoundingClientRect().right`,
	} {
		if !eval[bool](t, thin.tab, js) {
			t.Errorf("with gloves not so: %s", what)
		}
	}
	thin.ask("list beside a spool", gloves.String(), `audit.geometry()`)
	thin.shoot("spool beside list guantes", "light")
	open(t, thin.tab, s.url+"/quien?vencidas=1")
	click(t, thin.tab, `.tenida > a`)
	until(t, thin.tab, "no overdue spool came with its list", `document.querySelectorAll('.vecina .vencida').length > 4 && !!window.envivo`)
	if got := eval[[]float64](t, thin.tab, `[...document.querySelectorAll('.vecina')].map(r => r.getBoundingClientRect().height)`); slices.Max(got) > 122.5 {
		t.Errorf("with gloves overdue rows are %v px high, want 122 as all others", got)
	}
	thin.shoot("vencidas beside guantes", "light")

	thick := newEye(t, first, s, shots, 1280, 800)
	open(t, thick.tab, s.url+"/menu")
	thick.form("/tablet", "escala=gruesos")
	upright := newEye(t, first, s, shots, 601, 962)
	open(t, upright.tab, s.url+"/menu")
	for _, e := range []*eye{thick, upright} {
		enter(e)
		if eval[string](t, e.tab, `location.search`) != "" || eval[bool](t, e.tab, `!!document.querySelector('.lado')`) {
			t.Error("a list is carried where there is no room for it")
		}
	}
}

// TestAScanKeepsOrBringsTheList: on a tablet that lies a scanned spool stands
// beside the list that was there, else beside one's own spools, and a receiver's
// badge hands over there as elsewhere.
func TestAScanKeepsOrBringsTheList(t *testing.T) {
	t.Parallel()
	s := serve(t, sevenPlant(t))
	badges := printedCodes(t, s, "credenciales")
	f := newFloorTablet(t, s, 1280, 800)
	f.at("/")
	beside := func(list string) {
		t.Helper()
		until(t, f.tab, "beside the scanned spool is not "+list, fmt.Sprintf(`!!window.envivo && document.querySelector('.lado')?.dataset.lado === %q && document.querySelector('.lado').checkVisibility()`, list))
		live(t, f.tab)
	}
	f.scan(spoolTag(1))
	beside("/quien")
	f.picker()
	f.scan(codeOf(t, badges, "Ana Bravo"))
	until(t, f.tab, "Ana never came", `location.pathname === '/mis' && !!window.envivo`)
	live(t, f.tab)
	f.scan(sevenTag).said("Tomado")
	beside("/mis")
	f.more("Traspasar")
	until(t, f.tab, "no receiver was ever awaited", `!!document.querySelector('dialog form[action*="/traspasar"]')`)
	f.scan(codeOf(t, badges, "Bruno Castro")).said("pasó de Ana Bravo a Bruno Castro")
	f.at("/spools?estado=LISTO_ARM")
	f.scan(spoolTag(2))
	until(t, f.tab, "the second spool never came", fmt.Sprintf(`location.pathname === '/spools/' + %q`, spoolTag(2)))
	beside("/spools?estado=LISTO_ARM")
}
