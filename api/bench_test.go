package api_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"envivo/api"
	"envivo/plant"
)

// instant is a plant that accepts everything at once, so that what remains is
// the API's own share of a command.
type instant struct{ api.Plant }

func (instant) Do(_ context.Context, c plant.Command) (plant.Receipt, error) {
	return plant.Receipt{Event: plant.Event{Seq: 7, Kind: plant.KindTomar, Tag: c.Tag, Op: c.Op, Worker: plant.Person{ID: c.Worker, Display: "AB(12)"}, Version: 3,
		Progress: &plant.Progress{}, After: "AB(12) trabajando ARM (ARM en progreso, SOLD pendiente)"}}, nil
}

// blank throws an answer away.
type blank struct{ h http.Header }

func (w *blank) Header() http.Header         { return w.h }
func (w *blank) Write(p []byte) (int, error) { return len(p), nil }
func (w *blank) WriteHeader(int)             {}

func BenchmarkTomarWithoutTheStore(b *testing.B) {
	box := newBox(b, func(o *api.Options) { o.Plant = instant{o.Plant} })
	const body = `{"tag_spool":"S-1","worker_id":12,"worker_nombre":"x","operacion":"ARM"}`
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/api/occupation/tomar", nil)
	r.Header.Set("Idempotency-Key", "load-1-2-3")
	b.ReportAllocs()
	for b.Loop() {
		again := *r
		again.Body = io.NopCloser(strings.NewReader(body))
		box.api.ServeHTTP(&blank{http.Header{}}, &again)
	}
}
