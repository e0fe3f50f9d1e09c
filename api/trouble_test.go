package api_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"envivo/api"
	"envivo/plant"
)

// faulty is a plant whose answers are all the same.
type faulty struct {
	api.Plant
	err   error
	panic bool
}

func (f faulty) Do(_ context.Context, c plant.Command) (plant.Receipt, error) {
	if f.panic {
		panic("a bug")
	}
	return plant.Receipt{}, f.err
}

func (f faulty) DoAll(_ context.Context, cmds []plant.Command) []plant.Result {
	out := make([]plant.Result, len(cmds))
	for i := range out {
		out[i].Err = f.err
	}
	return out
}

func (f faulty) Events(ctx context.Context, _ plant.Seq, _ int) ([]plant.Event, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, f.err
}

func TestTroubleOfTheStore(t *testing.T) {
	for _, c := range []struct {
		name   string
		plant  faulty
		status int
		code   string
		again  bool
	}{
		{"busy", faulty{err: &plant.Error{Code: plant.CodeBusy, Tag: "S-1", RetryAfter: time.Second}}, 503, "SHEETS_CONNECTION_ERROR", true},
		{"full", faulty{err: &plant.Error{Code: plant.CodeFull, Tag: "S-1", RetryAfter: time.Second}}, 503, "SHEETS_UPDATE_ERROR", true},
		{"unknown outcome", faulty{err: &plant.Error{Code: plant.CodeUnknownOutcome, Tag: "S-1"}}, 503, "SHEETS_UPDATE_ERROR", false},
		{"damaged", faulty{err: &plant.Error{Code: plant.CodeCorrupt, Tag: "S-1", Missing: "Armador"}}, 500, "SPOOL_DATA_CORRUPT", false},
		{"a bug in a rule", faulty{err: &plant.Error{Code: plant.CodeInternal, Tag: "S-1", Detail: "credentials of Alfredo"}}, 500, "INTERNAL_SERVER_ERROR", false},
		{"something else", faulty{err: errors.New("credentials of Alfredo")}, 500, "INTERNAL_SERVER_ERROR", false},
		{"a panic", faulty{panic: true}, 500, "INTERNAL_SERVER_ERROR", false},
	} {
		var log bytes.Buffer
		b := newBox(t, func(o *api.Options) {
			c.plant.Plant = o.Plant
			o.Plant, o.Log = c.plant, slog.New(slog.NewTextHandler(&log, nil))
		})
		r := b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, c.name, c.status, c.code)
		if got := r.Header.Get("Retry-After") != ""; got != c.again {
			t.Errorf("%s says when to repeat: %v, want %v", c.name, got, c.again)
		}
		if strings.Contains(r.Raw, "Alfredo") || strings.Contains(r.Raw, "a bug") {
			t.Errorf("%s tells a client what is for the log: %s", c.name, r.Raw)
		}
		id := r.Header.Get("X-Request-Id")
		if c.code == "INTERNAL_SERVER_ERROR" && (!strings.Contains(r.text("message"), id) || r.data("id") != id || !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), id)) {
			t.Errorf("%s: answer %s and log %q, want both to name the request %s", c.name, r.Raw, log.String(), id)
		}
	}
}

func TestTroubleWithinABatch(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"busy":            {&plant.Error{Code: plant.CodeBusy, Tag: "S-1"}, "Error: El servidor tiene mucho trabajo: repite S-1 en un momento."},
		"a bug in a rule": {&plant.Error{Code: plant.CodeInternal, Tag: "S-1", Detail: "credentials of Alfredo"}, "Error: Falla interna con S-1, código {id}."},
		"something else":  {errors.New("credentials of Alfredo"), "Error: Falla interna, código {id}."},
	} {
		b := newBox(t, func(o *api.Options) { o.Plant = faulty{Plant: o.Plant, err: c.err} })
		r := b.post("/api/occupation/batch-tomar", fields{"tag_spools": []string{"S-1"}, "worker_id": ana, "operacion": "ARM"}).want(t, name, 200)
		if r.num("failed") != 1 || r.items("details")[0]["message"] != strings.Replace(c.want, "{id}", r.Header.Get("X-Request-Id"), 1) {
			t.Errorf("%s in a batch = %s, want %q", name, r.Raw, c.want)
		}
	}
}

func TestWhoLeavesIsNoFaultOfOurs(t *testing.T) {
	var log bytes.Buffer
	b := newBox(t, func(o *api.Options) {
		o.Plant, o.Log = faulty{Plant: o.Plant}, slog.New(slog.NewTextHandler(&log, nil))
	})
	ctx, leave := context.WithCancel(t.Context())
	leave()
	b.answer(httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/events", nil)).want(t, "a reader that left", 503)
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("log = %s, want no error", log.String())
	}
}

// TestWhoLeavesIsNotToldThatNothingWasStored: a client that has closed its half of
// the connection still reads.
func TestWhoLeavesIsNotToldThatNothingWasStored(t *testing.T) {
	b := newBox(t, func(o *api.Options) {
		o.Plant = faulty{Plant: o.Plant, err: &plant.Error{Code: plant.CodeUnknownOutcome, Tag: "S-1", Err: context.Canceled}}
	})
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/occupation/tomar", strings.NewReader(`{"tag_spool":"S-1","worker_id":12,"operacion":"ARM"}`))
	b.answer(r).want(t, "a command whose client left while the disk had it", 503, "SHEETS_UPDATE_ERROR")
}

func TestSheetInHealth(t *testing.T) {
	b := newBox(t, func(o *api.Options) {
		o.SheetID = "1aBcDeFgHiJkLmNoP"
		o.Sheet = func() error { return errors.New("no network") }
	})
	if r := b.get("/api/health").want(t, "health", 200); r.text("status") != "degraded" || r.text("sheets_connection") != "error" || r.Body["operational"] != true {
		t.Errorf("health without Sheet = %s, want degraded but operational", r.Raw)
	}
	if r := b.get("/api/health/diagnostic"); r.text("sheet_id") != "1aBc…mNoP" {
		t.Errorf("sheet_id = %q, want it masked", r.text("sheet_id"))
	}
}
