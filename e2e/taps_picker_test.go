package e2e

import (
	"fmt"
	"testing"
)

// floorTablet is a tablet that nobody is identified on, with the people of a
// shift among its last ones: who works here is one touch.
type floorTablet struct {
	*tablet
	e *eye
}

func newFloorTablet(t *testing.T, s *server, width, height int64, people ...int) *floorTablet {
	t.Helper()
	p := newTablet(t, s, width, height)
	f := &floorTablet{tablet: p, e: &eye{t: t, tab: p.tab, s: s}}
	f.e.form("/tablet", "tipo=personal") // nobody leaves by being slow
	for _, who := range people {
		f.e.as(who)
	}
	return f
}

// picker puts the tablet to rest before nobody, and the count to nothing.
func (f *floorTablet) picker() *floorTablet {
	f.t.Helper()
	f.e.form("/salir", "")
	return f.at("/")
}

// mine puts the tablet before somebody's own spools, and the count to nothing.
func (f *floorTablet) mine(who int) *floorTablet {
	f.t.Helper()
	f.e.as(who)
	return f.at("/mis")
}

func (f *floorTablet) at(path string) *floorTablet {
	f.t.Helper()
	open(f.t, f.tab, f.s.url+path)
	live(f.t, f.tab)
	f.taps = 0
	return f
}

func (f *floorTablet) union(n int) *floorTablet {
	f.t.Helper()
	f.tap(fmt.Sprintf("union %d", n), fmt.Sprintf(`document.querySelector('[data-k="u%d"].marcable')`, n))
	return f
}

func (f *floorTablet) more(word string) *floorTablet {
	f.t.Helper()
	f.tap("Más", `document.querySelector('.bajo [href*="hacer=mas"]')`)
	f.tap(word, fmt.Sprintf(`[...document.querySelectorAll('dialog .menu a')].find(a => a.innerText.includes(%q))`, word))
	return f
}

func (f *floorTablet) receives(name string) *floorTablet {
	f.t.Helper()
	f.tap("the name "+name, fmt.Sprintf(`[...document.querySelectorAll('dialog .gente-casillas span')].find(e => e.innerText.includes(%q))`, name))
	f.tap("ACEPTO", `document.querySelector('dialog button[data-cmd="TRASPASAR"]')`)
	return f
}

func (f *floorTablet) rejects() *floorTablet {
	f.t.Helper()
	f.tap("RECHAZADO", `document.querySelector('a[data-cmd="RECHAZADO"]')`)
	f.tap("a motive", `document.querySelector('dialog .casilla span')`)
	f.tap("RECHAZADO of the dialog", `document.querySelector('dialog button[data-cmd="RECHAZADO"]')`).said("Rechazado, 1 de 3")
	return f
}

// TestTapBudgetsFromThePicker counts what an act takes of somebody who is not
// identified yet, and the acts of two people. An occupation is overdue after a
// second there, which is a mark and nothing else.
func TestTapBudgetsFromThePicker(t *testing.T) {
	t.Parallel()
	s := serve(t, sevenPlant(t), "--lock-ttl", "1s")
	f := newFloorTablet(t, s, 601, 962, fitterB, metro, fitterA)
	order := func(verb string, who int, op string) {
		t.Helper()
		s.post("/api/occupation/"+verb, take(sevenTag, who, op)).want(t, verb, 200)
	}
	order("tomar", fitterA, "ARM")
	f.picker().is("Ana Bravo", "Armador").row(sevenTag).cmd("PAUSAR").said("en pausa").spent("PAUSAR from the picker", 3)
	f.cmd("DESHACER").said("Deshecho").spent("DESHACER", 1)

	f.picker().is("Ana Bravo", "Armador").row(sevenTag)
	f.union(2).union(5).cmd("GUARDAR").said("Guardadas 2 de 7").spent("TERMINAR 2 unions from the picker", 4+2)
	order("tomar", fitterA, "ARM")
	f.mine(fitterA).row(sevenTag)
	f.union(1).cmd("GUARDAR").said("Guardada 1 de 7").spent("TERMINAR 1 union, identified", 3+1)
	order("tomar", fitterA, "ARM")

	f.mine(fitterA).row(sevenTag)
	f.more("Traspasar").receives("Bruno Castro").said("pasó de Ana Bravo a Bruno Castro").spent("TRASPASAR, identified", 5)
	f.mine(fitterB).row(sevenTag)
	f.union(3).more("Traspasar")
	until(t, f.tab, "the tick did not come along into the dialog", `document.querySelector('dialog [data-hechas] input:checked')?.value === '3'`)
	f.receives("Ana Bravo").said("1 unión hecha = 6 PD a nombre de Bruno Castro").spent("TRASPASAR with 1 union, identified", 5+1)
	f.mine(fitterA).row(sevenTag)
	f.more("Traspasar").receives("Bruno Castro").said("pasó de Ana Bravo a Bruno Castro")
	f.picker().is("Bruno Castro", "Armador").row(sevenTag)
	f.more("Traspasar").receives("Ana Bravo").said("pasó de Bruno Castro a Ana Bravo").spent("TRASPASAR from the picker", 6)

	f.picker().is("Bruno Castro", "Armador").row(sevenTag).cmd("RELEVAR").said("Relevaste a Ana Bravo").spent("RELEVAR from the picker", 3)
	f.mine(fitterA).row(sevenTag).cmd("RELEVAR").said("Relevaste a Bruno Castro").spent("RELEVAR, identified", 2)

	f.picker().is("Ana Bravo", "Armador").row(sevenTag).cmd("TERMINAR").said("Terminado ARM").spent("TERMINAR from the picker", 3)
	f.cmd("SALIR")
	f.taps = 0
	f.cmd("DESHACER").said("Deshecho").spent("DESHACER from the picker", 1)
	finish := func(who int, op string) {
		t.Helper()
		s.post("/api/v4/occupation/finalizar", fields{"tag_spool": sevenTag, "worker_id": who, "operacion": op, "selected_unions": []string{}, "action_override": "COMPLETAR"}).want(t, "FINALIZAR", 200)
	}
	finish(fitterA, "ARM")
	order("tomar", welder, "SOLD")
	finish(welder, "SOLD")

	f.picker().is("Elena Fuentes", "Metrología").row(sevenTag)
	f.rejects().spent("RECHAZADO from the picker", 5)
	f.cmd("DESHACER").said("Deshecho").spent("DESHACER of a rejection", 1)
	f.picker().is("Elena Fuentes", "Metrología").row(sevenTag).cmd("APROBADO").said("Aprobado").spent("APROBADO from the picker", 3)
}

// TestTapBudgetsOfTwoPeopleWithAScanner counts TRASPASAR and RELEVAR with badges,
// and a whole spool of seven unions by scans.
func TestTapBudgetsOfTwoPeopleWithAScanner(t *testing.T) {
	t.Parallel()
	s := serve(t, sevenPlant(t), "--lock-ttl", "1s")
	badges, cards := printedCodes(t, s, "credenciales"), printedCodes(t, s, "tarjetas")
	spool := codeOf(t, printedCodes(t, s, "etiquetas"), sevenTag)
	f := newFloorTablet(t, s, 601, 962)
	here := func(name string) {
		t.Helper()
		f.scan(codeOf(t, badges, name))
		until(t, f.tab, name+" never became the acting person", fmt.Sprintf(`document.querySelector('header').innerText.includes(%q) && !!window.envivo`, name))
		live(t, f.tab)
	}
	opened := func(how func()) {
		t.Helper()
		how()
		until(t, f.tab, "the spool never opened", fmt.Sprintf(`!!document.querySelector('[data-k="cabeza"][data-tag=%q]') && !!window.envivo`, sevenTag))
		live(t, f.tab)
	}
	scanned := func() { f.scan(spool) }
	s.post("/api/occupation/tomar", take(sevenTag, fitterA, "ARM")).want(t, "TOMAR", 200)
	f.mine(fitterA)
	opened(scanned)
	f.more("Traspasar")
	until(t, f.tab, "no receiver was ever awaited", `!!document.querySelector('dialog form[action$="/traspasar"]')`)
	f.scan(codeOf(t, badges, "Bruno Castro")).said("pasó de Ana Bravo a Bruno Castro").spent("TRASPASAR by badge", 2)
	f.picker()
	here("Ana Bravo")
	opened(scanned)
	f.cmd("RELEVAR").said("Relevaste a Bruno Castro").spent("RELEVAR, badge and spool", 1)

	s.post("/api/occupation/cancelar", take(sevenTag, fitterA, "ARM"))
	f.picker()
	for _, by := range [][2]string{{"Ana Bravo", "Terminado ARM"}, {"Carlos Díaz", "Terminado SOLD"}} {
		here(by[0])
		f.scan(spool).said("Tomado")
		opened(func() {})
		f.scan(codeOf(t, cards, "TERMINAR")).said(by[1])
	}
	here("Elena Fuentes")
	f.scan(codeOf(t, cards, "APROBADO")).said("Aprobado")
	f.spent("seven unions by scans, free to approved", 3)
}
