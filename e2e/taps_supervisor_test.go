package e2e

import (
	"fmt"
	"testing"
)

// TestTapBudgetsOfASupervisor counts what a supervisor touches once the PIN is
// in, and what a basket takes of anybody.
func TestTapBudgetsOfASupervisor(t *testing.T) {
	t.Parallel()
	s := demo(t)
	p := newTablet(t, s, 601, 962)
	e := &eye{t: t, tab: p.tab, s: s}
	to := func(path string) {
		t.Helper()
		open(t, p.tab, s.url+path)
		live(t, p.tab)
		p.taps = 0
	}
	pick := func(n int) {
		t.Helper()
		for i := range n {
			p.tap("a spool", `[...document.querySelectorAll('.pieza:not(.puesta)')].find(x => x.innerText.includes('Listo para'))`)
			until(t, p.tab, "the tile was never ticked", fmt.Sprintf(`document.querySelectorAll('.pieza.puesta').length === %d`, i+1))
		}
	}
	e.form("/entrar", "pin="+demoPIN)
	to("/supervisor")
	p.tap("a person", `document.querySelector('[data-cmd="ASIGNAR_A"]')`)
	pick(3)
	p.cmd("ASIGNAR")
	until(t, p.tab, "nothing was assigned", `document.querySelector('main').innerText.includes('3 de 3 asignados')`)
	p.spent("ASIGNAR 3 spools", 3+2)
	for _, act := range []struct{ cmd, said string }{{"LIBERAR", "Liberado"}, {"DESBLOQUEAR", "Desbloqueado"}} {
		to("/supervisor")
		p.tap(act.cmd+" of a row", fmt.Sprintf(`document.querySelector('main [data-cmd=%q]')`, act.cmd))
		p.tap("a motive", `document.querySelector('dialog .casilla span')`)
		p.tap(act.cmd+" of the dialog", fmt.Sprintf(`document.querySelector('dialog button[data-cmd=%q]')`, act.cmd)).said(act.said).spent(act.cmd+", with the PIN in", 3)
	}
	to("/supervisor")
	for _, choice := range []string{"PAUSAR", "TERMINAR", "Sigue mañana"} {
		p.tap(choice+" of a row", fmt.Sprintf(`[...document.querySelectorAll('.turno-que:not(:has([value^="sigue"]:not(:checked))) span')].find(x => x.innerText === %q)`, choice))
	}
	p.cmd("CERRAR_TURNO").said("Cierre de turno: 1 en pausa, 1 terminado.").spent("closing the shift, 3 spools marked", 3+1)
	e.form("/persona", fmt.Sprintf("trabajador=%d", demoFitter))
	to("/mis")
	fromARow := func() {
		t.Helper()
		p.cmd("A_CANASTA")
		until(t, p.tab, "the basket never opened with the row's spool in it", `document.querySelectorAll('.pieza.puesta').length === 1 && !!window.envivo`)
		live(t, p.tab)
		for i := range 2 {
			p.tap("a spool", `[...document.querySelectorAll('.pieza:not(.puesta)')].find(x => x.innerText.includes('Listo para'))`)
			until(t, p.tab, "the tile was never ticked", fmt.Sprintf(`document.querySelectorAll('.pieza.puesta').length === %d`, i+2))
		}
		p.cmd("TOMAR")
		until(t, p.tab, "nothing was taken", `document.querySelector('main').innerText.includes('3 de 3 tomados')`)
	}
	fromARow()
	p.spent("TOMAR a basket of 3, identified", 3+1)
	e.form("/salir", "")
	to("/")
	p.is("Luis Sepúlveda", "Armador")
	live(t, p.tab)
	fromARow()
	p.spent("TOMAR a basket of 3 from the picker", 3+2)
}
