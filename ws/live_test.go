package ws

import (
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
	"pgregory.net/rapid"

	"envivo/plant"
)

// screen is what a test's page shows now, and how often it was drawn.
type screen struct {
	mu      sync.Mutex
	regions []Region
	err     error
	panics  bool
	drawn   atomic.Int64
}

// show sets the page's only region: one item per text, of which the first byte
// is the key.
func (s *screen) show(texts ...string) {
	r := Region{ID: "lista"}
	for _, text := range texts {
		r.Items = append(r.Items, Item{Key: text[:1], HTML: []byte("<li>" + text + "</li>")})
	}
	s.showAll([]Region{r})
}

func (s *screen) showAll(regions []Region) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.regions, s.err, s.panics = regions, nil, false
}

func (s *screen) fail(err error, panics bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.panics = err, panics
}

func (s *screen) page(*plant.Snapshot, time.Time) ([]Region, error) {
	s.drawn.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.panics {
		panic("roto")
	}
	return s.regions, s.err
}

// viewBox never looks at the clock by itself: what is told is told because it
// happened.
func viewBox(t *testing.T, s *screen) *box {
	return newBox(t, func(h *Hub) {
		h.pace.tick, h.pace.gap, h.o.MaxViews = time.Hour, time.Millisecond, 4
		h.o.Resolve = func(view string) (Page, error) {
			if view == "/nada" {
				return nil, ErrNoView
			}
			return s.page, nil
		}
	})
}

func (b *box) render(view string) Rendering {
	b.t.Helper()
	v, err := b.hub.Views().Render(view)
	if err != nil {
		b.t.Fatalf("render %s: %v", view, err)
	}
	return v
}

// watch opens the socket of a page drawn as v and reads its hello.
func (b *box) watch(v Rendering) *websocket.Conn {
	b.t.Helper()
	c := b.dial("/ws/ui?" + url.Values{"view": {"/v"}, "epoch": {v.Epoch}, "rev": {v.Rev}}.Encode())
	if f := b.read(c); f.Kind != "hello" || f.Epoch != "memory" || f.Build != "prueba" || f.Rev == "" {
		b.t.Fatalf("first frame = %+v, want hello", f)
	}
	return c
}

// settled are the kinds of the frames that come before the answer to a ping,
// and the answer.
func (b *box) settled(c *websocket.Conn) (kinds []string, beat frame) {
	b.t.Helper()
	ping(b.t, c)
	for {
		f := b.read(c)
		if f.Kind == "beat" {
			return kinds, f
		}
		kinds = append(kinds, f.Kind)
	}
}

// A page that applies what its socket brings shows what a fresh load shows,
// whether it reads every patch or comes back now and then.
func TestAFollowedPageShowsWhatAFreshOneShows(t *testing.T) {
	s := &screen{}
	s.showAll([]Region{{ID: "a"}, {ID: "b"}})
	b := viewBox(t, s)
	rapid.Check(t, func(rt *rapid.T) {
		s.showAll(anyRegions(rt))
		b.notes(1)
		v := b.render("/v")
		shown, rev := shownBy(v.Regions), v.Rev
		c := b.watch(v)
		for range rapid.IntRange(1, 5).Draw(rt, "changes") {
			if rapid.Bool().Draw(rt, "away meanwhile") {
				_ = c.Close()
				c = nil
			}
			s.showAll(anyRegions(rt))
			b.notes(1)
			want := b.render("/v")
			if c == nil {
				c = b.watch(Rendering{Epoch: v.Epoch, Rev: rev})
			}
			for rev != want.Rev {
				f := b.read(c)
				if f.Kind != "patch" {
					rt.Fatalf("%+v came, want a patch", f)
				}
				next, err := shown.patched(f)
				if err != nil {
					rt.Fatalf("the patch %+v cannot be applied: %v", f, err)
				}
				shown, rev = next, f.Rev
			}
			if diff := cmp.Diff(shownBy(want.Regions), shown); diff != "" {
				rt.Fatalf("the followed page differs from a fresh one (-fresh +followed):\n%s", diff)
			}
		}
		_ = c.Close()
	})
}

func TestWhereAPageComesBackTo(t *testing.T) {
	s := &screen{}
	s.show("a1")
	b := viewBox(t, s)
	old := b.render("/v")
	s.show("a2", "b1")
	b.notes(1)
	now := b.render("/v")
	for name, c := range map[string]struct {
		epoch, rev, want string
	}{
		"the newest state":         {old.Epoch, now.Rev, ""},
		"an old state":             {old.Epoch, old.Rev, "patch"},
		"an old state, any epoch":  {"", old.Rev, "patch"},
		"another epoch":            {"otra", now.Rev, "reset"},
		"a state of another run":   {old.Epoch, "00000000deadbeef", "reset"},
		"no state":                 {old.Epoch, "", "reset"},
		"something that is no rev": {old.Epoch, "nunca", "reset"},
	} {
		t.Run(name, func(t *testing.T) {
			conn := b.watch(Rendering{Epoch: c.epoch, Rev: c.rev})
			var want []string
			if c.want != "" {
				want = []string{c.want}
			}
			got, beat := b.settled(conn)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("frames after hello (-want +got):\n%s", diff)
			}
			if beat.Seq != 2 {
				t.Errorf("the beat says %d, want the snapshot 2", beat.Seq)
			}
		})
	}
}

// A change of the set of regions cannot be patched; the old socket then only
// beats. The end of the day changes the page here, without any event.
func TestAPageOfAnotherShapeIsReloaded(t *testing.T) {
	s := &screen{}
	s.show("a1")
	b := viewBox(t, s)
	c := b.watch(b.render("/v"))
	s.showAll([]Region{{ID: "lista"}, {ID: "otra"}})
	b.clock.Add(24 * time.Hour)
	now := b.render("/v")
	if f := b.read(c); f.Kind != "reset" || f.Rev != now.Rev || f.Seq != 1 {
		t.Errorf("after the change of shape came %+v, want a reset to rev %s at 1", f, now.Rev)
	}
	s.showAll([]Region{{ID: "lista", Items: []Item{{Key: "n"}}}, {ID: "otra"}})
	b.notes(1)
	b.render("/v")
	if kinds, _ := b.settled(c); len(kinds) > 0 {
		t.Errorf("a page that was told to reload got %v, want beats only", kinds)
	}
}

// However many readers a view has, one change is drawn once.
func TestAViewIsDrawnOncePerChange(t *testing.T) {
	s := &screen{}
	s.show("a0")
	b := viewBox(t, s)
	v := b.render("/v")
	var all []*websocket.Conn
	for range 40 {
		all = append(all, b.watch(v))
	}
	if got := s.drawn.Load(); got != 1 {
		t.Errorf("the page was drawn %d times for 40 readers that came, want once", got)
	}
	for n := range 10 {
		s.show(fmt.Sprint("a", n+1))
		b.notes(1)
		for _, c := range all {
			if f := b.read(c); f.Kind != "patch" || f.Seq != plant.Seq(n+2) {
				t.Fatalf("change %d: %+v came, want a patch at %d", n, f, n+2)
			}
		}
	}
	if got := s.drawn.Load(); got != 11 {
		t.Errorf("the page was drawn %d times for 10 changes, want 11 with the first", got)
	}
}

// A view nobody follows is not drawn, whatever happens.
func TestAViewWithoutReadersIsNotDrawn(t *testing.T) {
	s := &screen{}
	s.show("a1")
	b := viewBox(t, s)
	v := b.render("/v")
	c := b.watch(v)
	_ = c.Close()
	until(t, "the socket is gone", func() bool { return b.hub.Stats().ViewSockets == 0 })
	b.notes(20)
	b.render("/otra") // asked for by a page, drawn by it
	if got := s.drawn.Load(); got != 2 {
		t.Errorf("pages were drawn %d times, want twice: once each when they were loaded", got)
	}
}

func TestAViewThatCannotBeDrawnSaysSoOnceAndRecovers(t *testing.T) {
	for name, c := range map[string]struct {
		panics bool
		err    error
		bad    []Region
		after  string // what the page shows when it can be drawn again
	}{
		"an error, then something new":        {err: errors.New("roto"), after: "a2"},
		"an error, then the same as before":   {err: errors.New("roto"), after: "a1"},
		"a panic, then the same as before":    {panics: true, after: "a1"},
		"a repeated key, then something new":  {bad: []Region{{ID: "lista", Items: []Item{{Key: "a"}, {Key: "a"}}}}, after: "a2"},
		"a repeated key, then the old things": {bad: []Region{{ID: "lista", Items: []Item{{Key: "a"}, {Key: "a"}}}}, after: "a1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &screen{}
			s.show("a1")
			b := viewBox(t, s)
			v := b.render("/v")
			conn := b.watch(v)
			if c.bad != nil {
				s.showAll(c.bad)
			}
			s.fail(c.err, c.panics)
			for range 3 {
				b.notes(1)
				if _, err := b.hub.Views().Render("/v"); err == nil {
					t.Fatal("a page that cannot be drawn was rendered")
				}
			}
			kinds, beat := b.settled(conn)
			if diff := cmp.Diff([]string{"error"}, kinds); diff != "" || beat.Seq != 1 {
				t.Errorf("three failures brought (-want +got):\n%s and the beat %d, want 1, what the page shows", diff, beat.Seq)
			}
			late := b.watch(v)
			if kinds, _ := b.settled(late); len(kinds) != 1 || kinds[0] != "error" {
				t.Errorf("a page that came meanwhile got %v, want an error", kinds)
			}
			s.show(c.after)
			now := b.render("/v")
			for who, conn := range map[string]*websocket.Conn{"the first page": conn, "the late page": late} {
				f := b.read(conn)
				if f.Kind != "patch" || f.Rev != now.Rev || f.Seq != 4 || (len(f.Regions) > 0) != (c.after == "a2") {
					t.Errorf("%s: the recovery brought %+v, want a patch to rev %s at 4", who, f, now.Rev)
				}
				if kinds, beat := b.settled(conn); len(kinds) > 0 || beat.Seq != 4 {
					t.Errorf("%s: after the recovery came %v and the beat %d, want only a beat at 4", who, kinds, beat.Seq)
				}
			}
		})
	}
}

func TestAViewThatNeverCouldBeDrawnHasNothingToFollow(t *testing.T) {
	s := &screen{}
	s.fail(errors.New("roto"), false)
	b := viewBox(t, s)
	if got := closeCode(t, b.dial("/ws/ui?view=%2Fv")); got != websocket.CloseInternalServerErr {
		t.Errorf("close code %d, want 1011", got)
	}
	if got := closeCode(t, b.dial("/ws/ui?view=%2Fnada")); got != CloseNoView {
		t.Errorf("a view that does not exist: close code %d, want %d", got, CloseNoView)
	}
	if _, err := b.hub.Views().Render("/nada"); !errors.Is(err, ErrNoView) {
		t.Errorf("render of a view that does not exist = %v, want %v", err, ErrNoView)
	}
	until(t, "both sockets are gone", func() bool { return b.hub.Stats().ViewSockets == 0 })
	for _, in := range b.hub.Views().followed() {
		t.Errorf("%s still counts %d readers", in.name, in.readers)
	}
}

// Views nobody uses are dropped, the longest unused first; followed ones stay.
func TestViewsAreBounded(t *testing.T) {
	s := &screen{}
	s.show("a1")
	b := viewBox(t, s)
	b.watch(b.render("/v"))
	for n := range 20 {
		b.render(fmt.Sprint("/x", n))
	}
	kept := func() (out []string) {
		for _, name := range []string{"/v", "/x16", "/x17", "/x18", "/x19"} {
			if b.hub.views.find(name, 0) != nil {
				out = append(out, name)
			}
		}
		return out
	}
	if diff := cmp.Diff([]string{"/v", "/x17", "/x18", "/x19"}, kept()); diff != "" || b.hub.Stats().Views != 4 {
		t.Errorf("%d views are kept (-want +got):\n%s", b.hub.Stats().Views, diff)
	}
	now := b.clock.Now()
	b.hub.views.reap(now)
	b.hub.views.reap(now.Add(b.hub.pace.linger - 1))
	if got := b.hub.Stats().Views; got != 4 {
		t.Errorf("%d views are kept just before their time, want 4", got)
	}
	b.hub.views.reap(now.Add(b.hub.pace.linger))
	if diff := cmp.Diff([]string{"/v"}, kept()); diff != "" {
		t.Errorf("after their time (-want +got):\n%s", diff)
	}
}
