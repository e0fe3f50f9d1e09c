package api_test

import (
	"net/http"
	"net/url"
	"sync"
	"testing"

	"envivo/api"
	"envivo/plant"
)

// witness keeps what was tried.
type witness struct {
	mu  sync.Mutex
	all []api.Attempt
}

func (w *witness) watch(o *api.Options) {
	o.Attempted = func(a api.Attempt) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all = append(w.all, a)
	}
}

// since gives what was tried after the first n, without pages that were opened.
func (w *witness) since(n int) []api.Attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []api.Attempt
	for _, a := range w.all[n:] {
		if a.Verb != api.VerbOpen {
			out = append(out, a)
		}
	}
	return out
}

func (w *witness) len() int { w.mu.Lock(); defer w.mu.Unlock(); return len(w.all) }

// TestEveryRefusalIsTriedOnce: whichever way a refusal takes to the caller, it
// is on record exactly once, with who, what and why.
func TestEveryRefusalIsTriedOnce(t *testing.T) {
	var saw witness
	b := newBox(t, saw.watch)
	b.work("S-1", ana, "ARM")
	tablet := b.tablet().identify("13")
	tablet.open("/spools/S-2", http.StatusOK)
	for _, at := range []struct {
		name string
		do   func()
		want api.Attempt
	}{
		{"a command refused by the rules, as JSON", func() { b.post("/api/occupation/tomar", by("SIN-1", ana, "operacion", "ARM")) },
			api.Attempt{Code: "DEPENDENCIAS_NO_SATISFECHAS", Why: "Fecha_Materiales", Verb: "TOMAR", Op: "ARM", Tag: "SIN-1", Worker: ana, Door: "v3"}},
		{"a body that is none", func() { b.post("/api/occupation/tomar", "nada") },
			api.Attempt{Code: "VALIDATION_ERROR", Why: "body.body json_invalid", Door: "web"}},
		{"a role that is missing", func() { b.post("/api/occupation/tomar", by("S-3", elena, "operacion", "ARM")) },
			api.Attempt{Code: "ROL_NO_AUTORIZADO", Why: "Armador,Ayudante", Verb: "TOMAR", Op: "ARM", Tag: "S-3", Worker: elena, Door: "v3"}},
		{"a supervisor's act without the supervisor, on a page", func() {
			tablet.fill("/spools/S-2/liberar", url.Values{"orden": {"x1"}, "motivo": {"prueba"}})
		}, api.Attempt{Code: "NO_AUTORIZADO", Why: "supervisor", Verb: "LIBERAR", Tag: "S-2", Worker: bruno, Door: "page"}},
		{"a form with a field of its own", func() { tablet.fill("/spools/S-2/nota", url.Values{"orden": {"x2"}, "raro": {"1"}}) },
			api.Attempt{Code: "VALIDATION_ERROR", Tag: "S-2", Worker: bruno, Door: "web"}},
		{"an address that is none", func() { b.get("/api/nada") }, api.Attempt{Code: "NO_ENCONTRADO", Door: "web"}},
	} {
		n := saw.len()
		at.do()
		got := saw.since(n)
		if len(got) != 1 {
			t.Errorf("%s is on record %d times: %+v", at.name, len(got), got)
			continue
		}
		g := got[0]
		if g.Trace == "" || g.Device == "" || g.At.IsZero() {
			t.Errorf("%s: the record lacks trace, device or time: %+v", at.name, g)
		}
		g.At, g.Trace, g.Device, g.Path, g.Micros = at.want.At, "", "", "", 0
		if g != at.want {
			t.Errorf("%s is on record as\n%+v, want\n%+v", at.name, g, at.want)
		}
	}
}

func TestWhatWasDoneIsOnRecordWithItsEvent(t *testing.T) {
	var saw witness
	b := newBox(t, saw.watch)
	n := saw.len()
	tablet := b.tablet().identify("12")
	tablet.send(http.MethodGet, "/spools/S-4", nil, "Accept", "text/html")
	tablet.fill("/spools/S-4/tomar", url.Values{"orden": {"x1"}, "operacion": {"ARM"}})
	got := saw.since(n)
	if len(got) != 1 || got[0].Verb != "TOMAR" || got[0].Seq != b.seq() || got[0].Code != "" || got[0].Worker != plant.WorkerID(ana) {
		t.Errorf("on record is %+v, want one TOMAR of Ana with event %d", got, b.seq())
	}
	opened := 0
	for _, a := range saw.all {
		if a.Verb == api.VerbOpen && a.Tag == "S-4" {
			opened++
		}
	}
	if opened == 0 {
		t.Errorf("that the page of S-4 was opened is not on record: %+v", saw.all)
	}
}
