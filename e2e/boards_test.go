package e2e

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// settledLike waits until a live page at rest reads like a fresh load of its
// address.
func settledLike(t *testing.T, s *server, page context.Context, path string) {
	t.Helper()
	fresh := newTab(t, page)
	var got, want string
	for begin := time.Now(); time.Since(begin) < 20*time.Second; {
		open(t, fresh, s.url+path)
		if got, want = eval[string](t, page, liveDOM), eval[string](t, fresh, liveDOM); got == want {
			return
		}
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	keep(t, "live.html", got)
	keep(t, "fresh.html", want)
	t.Fatalf("%s live differs from a fresh one at byte %d:\nlive  …%s\nfresh …%s", path, i, window(got, i), window(want, i))
}

// TestBoardsLiveEqualReload: the wall, the figures, a worker's record and a
// dossier follow the plant through cuts of the wire as every other page does.
func TestBoardsLiveEqualReload(t *testing.T) {
	t.Parallel()
	s := serve(t, newPlant(t, 60, 6))
	wire := newWire(t, strings.TrimPrefix(s.url, "http://"))
	first := browser(t)
	rng := rand.New(rand.NewPCG(2026, 12))
	for _, path := range []string{"/tv", "/tv?vista=alertas", "/cifras", "/mi-registro/101", "/spools/" + spoolTag(3) + "/dossier"} {
		t.Run(path, func(t *testing.T) {
			page := newTab(t, first)
			open(t, page, wire.url+path)
			live(t, page)
			for range 2 {
				work(t, s, rng, 50)
				wire.cut()
				work(t, s, rng, 20)
				wire.mend()
			}
			live(t, page)
			settledLike(t, s, page, path)
		})
	}
}

// TestAWallWithoutTheBoxIsGrey: old data is shown grey, with its hour and age,
// and in colour again when the box is back.
func TestAWallWithoutTheBoxIsGrey(t *testing.T) {
	t.Parallel()
	s := serve(t, newPlant(t, 5, 0))
	wire := newWire(t, strings.TrimPrefix(s.url, "http://"))
	tab := browser(t)
	open(t, tab, wire.url+"/tv?vista=quien")
	live(t, tab)
	const grey = `getComputedStyle(document.querySelector('main')).filter === 'grayscale(1)'`
	if eval[bool](t, tab, grey) {
		t.Fatal("the wall is grey while the box speaks")
	}
	wire.cut()
	until(t, tab, "the wall never said that its data is old", `!document.querySelector('[data-tv-caida]').hidden`)
	if got := eval[string](t, tab, `document.querySelector('[data-tv-caida]').innerText`); !strings.HasPrefix(got, "Datos de las ") || !strings.Contains(got, "sin conexión hace 1") {
		t.Errorf("the wall says %q, want the hour of its data and for how long", got)
	}
	if !eval[bool](t, tab, grey) {
		t.Error("the wall shows old data in colour")
	}
	wire.mend()
	until(t, tab, "the wall never came back", `document.querySelector('[data-tv-caida]').hidden && !(`+grey+`)`)
}
