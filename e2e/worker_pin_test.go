package e2e

import (
	"fmt"
	"testing"
)

// TestAWorkersPINOnTheTablet goes from the tile to the pad and on: a wrong PIN,
// the right one, a restart that asks nobody again, and a lock that outlives one.
func TestAWorkersPINOnTheTablet(t *testing.T) {
	t.Parallel()
	const pin = "7391"
	data := newPlant(t, 3, 1)
	setPIN(t, data, pin, "--worker", "12")
	setPIN(t, data, "2580")
	s := serve(t, data)
	first, shots, axe := browser(t), shotFolder(t), axeSource(t)
	for _, size := range [][2]int64{{601, 962}, {1280, 800}} {
		e := newEye(t, first, s, shots, size[0], size[1])
		p := &tablet{t: t, tab: e.tab, s: s}
		open(t, e.tab, s.url+"/")
		p.is("Ana Bravo", "Armador")
		until(t, e.tab, "the tile did not lead to the pad", `location.pathname === '/persona' && !!document.querySelector('.tecla')`)
		e.says("Ingresa tu PIN.")
		if small := eval[int](t, e.tab, `[...document.querySelectorAll('.tecla')].filter(k => k.getBoundingClientRect().height < 112 || k.getBoundingClientRect().width < 112).length`); small > 0 {
			t.Errorf("at %s %d keys are smaller than 112 px", e.size, small)
		}
		e.judged("PIN de un trabajador", axe)
		p.digits("1111")
		e.says("PIN incorrecto. Quedan 4 intentos.")
		e.shoot("PIN de un trabajador incorrecto", "light")
		p.digits(pin)
		until(t, e.tab, "the right PIN led nowhere", `location.pathname === '/mis'`)
		e.says("Ana Bravo")
		s.stop()
		s = serve(t, data)
		e.s, p.s = s, s
		open(t, e.tab, s.url+"/mis")
		if got := eval[string](t, e.tab, `location.pathname`); got != "/mis" {
			t.Errorf("after a restart the person is asked again: %s", got)
		}
	}
	e := newEye(t, first, s, shots, 601, 962)
	p := &tablet{t: t, tab: e.tab, s: s}
	open(t, e.tab, s.url+"/entrar?volver=%2Fadmin%2Fpersonas%2F12")
	p.digits("2580")
	until(t, e.tab, "the supervisor never came in", `location.pathname === '/admin/personas/12'`)
	e.says("Tiene PIN")
	e.judged("PIN en Personas", axe)

	for range 4 { // from this address, as the tablet's own
		s.post("/api/occupation/pausar", fields{"tag_spool": spoolTag(1), "worker_id": 12, "pin": "1111"}).want(t, "a wrong PIN", 403)
	}
	e.form("/persona", "trabajador=13")
	s.post("/api/occupation/tomar", fields{"tag_spool": spoolTag(1), "worker_id": 13, "operacion": "ARM"}).want(t, "TOMAR", 200)
	open(t, e.tab, s.url+"/spools/"+spoolTag(1)+"?hacer=traspasar")
	p.tap("the receiver", `document.querySelector('input[name="destino"][value="12"]').closest('label')`)
	p.tap("ACEPTO", `document.querySelector('[data-cmd="TRASPASAR"]')`)
	until(t, e.tab, "ACEPTO did not lead to the receiver's pad", `location.pathname === '/persona' && document.body.innerText.includes('Recibes')`)
	e.judged("PIN de quien recibe", axe)
	p.digits("1111")
	until(t, e.tab, "the fifth wrong PIN locked nothing", `document.body.innerText.includes('Espera 1 minuto')`)
	s.stop()
	s = serve(t, data)
	open(t, e.tab, s.url+"/persona?trabajador=12")
	p.digits(pin)
	until(t, e.tab, "the lock did not outlive a restart", `document.body.innerText.includes('Espera 1 minuto')`)
}

// digits touches the keys of the pad.
func (p *tablet) digits(pin string) {
	p.t.Helper()
	for _, d := range pin {
		p.tap("the digit "+string(d), fmt.Sprintf(`document.querySelector('[data-tecla=%q]')`, string(d)))
	}
}

// judged looks at a screen by hand and by axe, and keeps pictures of it.
func (e *eye) judged(screen, axe string) {
	e.t.Helper()
	e.ask(screen, "by hand", `audit.plain()`)
	for _, theme := range []string{"light", "dark"} {
		e.theme(theme)
		e.shoot(screen, theme)
		eval[bool](e.t, e.tab, `(() => { `+axe+`; return !!window.axe; })()`)
		e.ask(screen, "axe, "+theme, `audit.axed()`)
	}
	e.theme("light")
}
