package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"envivo/client"
)

func TestTheClientWorksAShift(t *testing.T) {
	s := serve(t, newPlant(t, 30, 2))
	c, ctx := &client.Client{Base: s.url}, t.Context()
	order := client.Order{Tag: spoolTag(1), Worker: fitterA, Op: client.ARM, Key: "take-1"}
	first, err := c.Tomar(ctx, order)
	if err != nil {
		t.Fatalf("Tomar: %v", err)
	}
	if again, err := c.Tomar(ctx, order); err != nil || again != first {
		t.Errorf("the same under the same key = %+v, %v, want %+v", again, err, first)
	}
	_, err = c.Tomar(ctx, client.Order{Tag: spoolTag(1), Worker: fitterB, Op: client.ARM})
	var no *client.Error
	if !errors.Is(err, client.ErrOccupied) || !errors.As(err, &no) || no.Status != 409 || !strings.Contains(no.Message, "ocupado") {
		t.Errorf("Tomar of a held spool = %v, want ErrOccupied with its sentence", err)
	}
	old := first.Version - 1
	if _, err := c.Pausar(ctx, client.Order{Tag: spoolTag(1), Worker: fitterA, Version: &old}); !errors.Is(err, client.ErrVersion) {
		t.Errorf("Pausar of an old revision = %v, want ErrVersion", err)
	}
	if e, err := c.Pausar(ctx, client.Order{Tag: spoolTag(1), Worker: fitterA}); err != nil || e.Action != "PAUSAR" || e.Seq != first.Seq+1 {
		t.Errorf("Pausar = %+v, %v", e, err)
	}
	if _, err := c.Tomar(ctx, client.Order{Tag: jointTag(1), Worker: fitterA, Op: client.ARM}); err != nil {
		t.Fatalf("Tomar: %v", err)
	}
	d, err := c.Spool(ctx, jointTag(1))
	if err != nil || len(d.Uniones) != 4 || d.OcupadoPor == nil || *d.OcupadoPor != "AB(12)" {
		t.Fatalf("Spool = %+v, %v, want four unions in the hands of AB(12)", d, err)
	}
	if f, err := c.Finalizar(ctx, client.Order{Tag: jointTag(1), Worker: fitterA, Op: client.ARM, Selected: []string{d.Uniones[0].ID}}); err != nil || f.Action != "PAUSAR" || f.Unions != 1 || f.PD == nil || *f.PD != 2 {
		t.Errorf("Finalizar of one union = %+v, %v, want a pause with 2 inches", f, err)
	}
	if _, err := c.Tomar(ctx, client.Order{Tag: spoolTag(2), Worker: fitterA, Op: client.ARM}); err != nil {
		t.Fatalf("Tomar: %v", err)
	}
	if e, err := c.Completar(ctx, client.Order{Tag: spoolTag(2), Worker: fitterA}); err != nil || e.Action != "COMPLETAR" {
		t.Errorf("Completar = %+v, %v", e, err)
	}
	allPages(t, c)
}

// allPages reads every spool by pages, each once.
func allPages(t *testing.T, c *client.Client) {
	t.Helper()
	var tags []string
	for q := (client.Query{Limit: 7}); ; {
		p, err := c.Spools(t.Context(), q)
		if err != nil {
			t.Fatalf("Spools: %v", err)
		}
		for _, s := range p.Spools {
			tags = append(tags, s.Tag)
		}
		if p.Next == nil {
			if len(tags) != p.Total || len(slices.Compact(slices.Sorted(slices.Values(tags)))) != p.Total {
				t.Errorf("the pages have %d spools, want %d, each once", len(tags), p.Total)
			}
			return
		}
		q.After = *p.Next
	}
}

// TestTheClientFollowsThroughBrokenLines: every event arrives once and in order
// though the line breaks again and again.
func TestTheClientFollowsThroughBrokenLines(t *testing.T) {
	s := serve(t, newPlant(t, 30, 0))
	wire := newWire(t, strings.TrimPrefix(s.url, "http://"))
	acts := &client.Client{Base: s.url}
	at, err := acts.Here(t.Context())
	if err != nil {
		t.Fatalf("Here: %v", err)
	}
	from := at
	const rounds = 24
	seen := make(chan client.Event, rounds)
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		ended <- (&client.Client{Base: wire.url}).Follow(ctx, &at, func(e client.Event) error { seen <- e; return nil })
	}()
	var want, got []uint64
	for i := 1; i <= rounds; i++ {
		if i%4 == 0 {
			wire.cut()
		}
		w, err := acts.Tomar(ctx, client.Order{Tag: spoolTag(i), Worker: fitterA, Op: client.ARM})
		if err != nil {
			t.Fatalf("Tomar: %v", err)
		}
		want = append(want, w.Seq)
		if i%4 == 3 && i > 4 {
			wire.mend()
		}
	}
	wire.mend()
	for range rounds {
		got = append(got, (<-seen).Seq)
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Follow ended with %v, want the context's error", err)
	}
	if !slices.Equal(got, want) || at.Seq != want[rounds-1] {
		t.Errorf("followed %v up to %d, want %v", got, at.Seq, want)
	}
	page, err := acts.Events(t.Context(), from.Seq, 5)
	if err != nil || len(page.Events) != 5 || page.Events[0].Seq != want[0] || page.Events[0].Kind == "" || page.Seq != at.Seq {
		t.Errorf("Events = %+v, %v, want the first five of the same", page, err)
	}
	elsewhere := client.Position{Seq: 5, Epoch: "another"}
	if err := acts.Follow(t.Context(), &elsewhere, func(client.Event) error { return nil }); !errors.Is(err, client.ErrReset) || elsewhere.Epoch != from.Epoch || elsewhere.Seq != at.Seq {
		t.Errorf("following another store's history = %v at %+v, want ErrReset at the box's own place", err, elsewhere)
	}
}

// TestTheDocumentPromisesWhatTheSuiteSees: the binary's document and the table
// of the conformance suite speak of the same statuses.
func TestTheDocumentPromisesWhatTheSuiteSees(t *testing.T) {
	s := serve(t, newPlant(t, 1, 0))
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]json.RawMessage `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal([]byte(s.get("/api/openapi.json").want(t, "the document", 200).Raw), &doc); err != nil {
		t.Fatal(err)
	}
	for at, statuses := range promised {
		method, path, _ := strings.Cut(at, " ")
		answers := doc.Paths[path][strings.ToLower(method)].Responses
		for _, status := range strings.Fields(statuses) {
			if answers[status] == nil {
				t.Errorf("%s answers %s, the document says %v", at, status, slices.Sorted(maps.Keys(answers)))
			}
		}
	}
	if len(doc.Paths) < 60 {
		t.Errorf("the document has %d paths, want every one: %s", len(doc.Paths), fmt.Sprint(slices.Sorted(maps.Keys(doc.Paths))))
	}
}

// TestTheDocumentIsReadableOnEveryScreen: nothing sticks out at the side with
// everything unfolded, and the page asks for nothing from elsewhere.
func TestTheDocumentIsReadableOnEveryScreen(t *testing.T) {
	t.Parallel()
	s := serve(t, newPlant(t, 1, 0))
	tab := newTab(t, browser(t))
	for _, width := range []int64{360, 601, 1280} {
		if err := chromedp.Do(tab, chromedp.EmulateViewport(width, 900)); err != nil {
			t.Fatal(err)
		}
		open(t, tab, s.url+"/api/docs")
		folded := eval[int](t, tab, `document.querySelectorAll("details").length`)
		if folded < 60 {
			t.Errorf("the page has %d addresses, want every one", folded)
		}
		wide := eval[int](t, tab, `document.querySelectorAll("details").forEach(d => d.open = true), document.documentElement.scrollWidth`)
		if int64(wide) > width {
			t.Errorf("at %d px the page is %d px wide", width, wide)
		}
		if got := eval[string](t, tab, `getComputedStyle(document.body).fontFamily + [...document.styleSheets].length`); !strings.Contains(got, "Plex") || !strings.HasSuffix(got, "1") {
			t.Errorf("the page is set in %s, want its style sheet and typeface", got)
		}
		outside := eval[string](t, tab, `performance.getEntriesByType("resource").map(r => r.name).filter(n => !n.startsWith(location.origin)).join(" ")`)
		if outside != "" {
			t.Errorf("the page asks for %s", outside)
		}
	}
}
