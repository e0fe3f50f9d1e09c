package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestASharedTabletRests: after a finished act the person leaves by itself, the
// way back stays on the picker, and a page that follows nothing knows that the
// box is there.
func TestASharedTabletRests(t *testing.T) {
	t.Parallel()
	s := serve(t, sevenPlant(t))
	p := newTablet(t, s, 601, 962)
	menu := newTab(t, p.tab)
	open(t, menu, s.url+"/menu")
	p.is("Ana Bravo", "Armador").row(sevenTag).cmd("TOMAR").said("Tomado")
	until(t, p.tab, "the tablet never said that it closes", `document.querySelector('.sigues:not([hidden])')?.innerText.includes('Listo, Ana. Se cierra en')`)
	p.tap("SEGUIR", `document.querySelector('.sigues button')`)
	until(t, p.tab, "SEGUIR did not keep the page", `document.querySelector('.sigues').hidden && location.pathname.startsWith('/spools/')`)
	for n := range 3 {
		p.tap(fmt.Sprintf("union %d", n+1), fmt.Sprintf(`document.querySelectorAll('.union.marcable')[%d]`, n))
	}
	until(t, p.tab, "three ticks are not 18 PD", `document.querySelector('[data-parte]').innerText.includes('18 PD')`)
	begin := time.Now()
	until(t, p.tab, "half of the rest never passed", `(window.restingSince ??= performance.now(), performance.now() - window.restingSince > 15000)`)
	until(t, p.tab, "a tablet at rest never let Ana go", `location.pathname === '/' && document.querySelectorAll('.ficha').length > 0`)
	t.Logf("the person left %.0f s after the last touch", time.Since(begin).Seconds())
	p.is("Ana Bravo", "Armador").row(sevenTag)
	until(t, p.tab, "the ticks did not wait for Ana", `document.querySelectorAll('.union input:checked').length === 3 && document.querySelector('[data-parte]').innerText.includes('3 de 7')`)
	p.cmd("GUARDAR").said("Guardadas 3 de 7 uniones = 18 PD")
	until(t, p.tab, "after GUARDAR the person never left", `location.pathname === '/' && document.querySelectorAll('.ficha').length > 0`)
	p.said("DESHACER").tap("DESHACER on the picker", `document.querySelector('[data-avisos] [data-cmd="DESHACER"]')`).said("Deshecho")
	if r := s.get("/api/occupation/status/" + sevenTag); r.text("ocupado_por") != "AB(12)" {
		t.Errorf("undone from the picker the holder is %s, want AB(12)", r.Raw)
	}
	until(t, menu, "the menu was not open for 16 s", `performance.now() > 16000`)
	if eval[bool](t, menu, `!document.querySelector('[data-caida]').hidden`) {
		t.Error("the menu says that the box is away while it is there")
	}
}

// TestABatchByTouch: n touches and one, and a result per spool.
func TestABatchByTouch(t *testing.T) {
	t.Parallel()
	s := serve(t, newPlant(t, 12, 2))
	p := newTablet(t, s, 601, 962)
	p.is("Ana Bravo", "Armador")
	until(t, p.tab, "Ana's spools never came", `location.pathname === '/mis'`)
	open(t, p.tab, s.url+"/canasta")
	live(t, p.tab)
	p.taps = 0
	for _, n := range []int{2, 3, 5} {
		p.tap("the tile of "+spoolTag(n), fmt.Sprintf(`document.querySelector('main [data-tag=%q] button[name=poner]')`, spoolTag(n)))
		until(t, p.tab, "the tile was never taken in", fmt.Sprintf(`!!document.querySelector('main [data-tag=%q] button[name=quitar]')`, spoolTag(n)))
	}
	s.post("/api/occupation/tomar", take(spoolTag(3), fitterB, "ARM")).want(t, "another is quicker", 200)
	until(t, p.tab, "the basket never saw that one is gone", `document.querySelector('[data-cmd="TOMAR"]').innerText.includes('TOMAR 2')`)
	p.cmd("TOMAR")
	until(t, p.tab, "no results came", `document.querySelector('.lote')?.innerText.includes('2 de 2 tomados.')`)
	p.spent("batch TOMAR of 3", 4)
}

// TestTheBasketLiveEqualsReload lets others work while a basket lies open.
func TestTheBasketLiveEqualsReload(t *testing.T) {
	t.Parallel()
	s := serve(t, newPlant(t, 60, 6))
	p := newTablet(t, s, 768, 1024)
	p.is("Ana Bravo", "Armador")
	until(t, p.tab, "Ana's spools never came", `location.pathname === '/mis'`)
	open(t, p.tab, s.url+"/canasta")
	live(t, p.tab)
	for _, n := range []int{1, 4, 9} {
		p.tap("a tile", fmt.Sprintf(`document.querySelector('main [data-tag=%q] button')`, spoolTag(n)))
	}
	rng := rand.New(rand.NewPCG(7, 11))
	work(t, s, rng, 200)
	fresh := newTab(t, p.tab)
	deadline := time.Now().Add(20 * time.Second)
	for {
		open(t, fresh, s.url+"/canasta")
		want, got := eval[string](t, fresh, liveDOM), eval[string](t, p.tab, liveDOM)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the open basket differs from a fresh one:\nlive  %s\nfresh %s", tail(got, 1500), tail(want, 1500))
		}
		if err := chromedp.Do(p.tab, chromedp.Sleep(200*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
}
