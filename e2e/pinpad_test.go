package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestThePINPadSubmitsItself enters a wrong and the right PIN by touching digits
// only, with a scan over the pad in between.
func TestThePINPadSubmitsItself(t *testing.T) {
	t.Parallel()
	s := demo(t)
	first, shots := browser(t), shotFolder(t)
	for _, size := range [][2]int64{{601, 962}, {1280, 800}} {
		e := newEye(t, first, s, shots, size[0], size[1])
		p := &tablet{t: t, tab: e.tab, s: s}
		touch := func(digits string) {
			t.Helper()
			for _, d := range digits {
				p.tap("the digit "+string(d), fmt.Sprintf(`document.querySelector('[data-tecla=%q]')`, string(d)))
			}
		}
		open(t, e.tab, s.url+"/entrar?volver=%2Fsupervisor")
		if small := eval[int](t, e.tab, `[...document.querySelectorAll('.tecla')].filter(k => k.getBoundingClientRect().height < 112 || k.getBoundingClientRect().width < 112).length`); small > 0 {
			t.Errorf("at %s %d keys are smaller than 112 px", e.size, small)
		}
		touch("258")
		p.scan("123456789")
		until(t, e.tab, "a scan over the pad was not heard", `document.querySelector('[data-avisos]').innerText.includes('No conozco este código')`)
		if got := eval[string](t, e.tab, `document.querySelector('#pin').value`); got != "258" {
			t.Errorf("after a scan over the pad the field holds %q, want what was touched", got)
		}
		touch("9")
		e.says("PIN incorrecto. Quedan 4 intentos.")
		e.shoot("pin incorrecto", "light")
		touch(demoPIN)
		until(t, e.tab, "the right PIN led nowhere", `location.pathname === '/supervisor'`)
		live(t, e.tab)
		if high := eval[int](t, e.tab, `document.querySelector('header').offsetHeight`); high > 96 {
			t.Errorf("at %s the header of a supervisor's page is %d px high, want 96 at most", e.size, high)
		}
		e.form("/persona", fmt.Sprintf("trabajador=%d", demoFitter))
		if err := chromedp.Do(e.tab, chromedp.Reload()); err != nil {
			t.Fatal(err)
		}
		live(t, e.tab)
		if high := eval[int](t, e.tab, `document.querySelector('header').offsetHeight`); high > 96 {
			t.Errorf("at %s the header of a supervisor with a name is %d px high, want 96 at most", e.size, high)
		}
		e.shoot("supervisor con persona", "light")
	}
}
