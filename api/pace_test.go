package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"envivo/api"
)

// from is a request of an address, with a body that does not matter.
func (b *box) from(addr, method, path string, header ...string) reply {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(`{}`))
	r.RemoteAddr = addr + ":4711"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.answer(r)
}

func TestWritesAreSpacedOut(t *testing.T) {
	b := newBox(t, func(o *api.Options) { o.WriteRate = 2 })
	act := []string{"Authorization", "Bearer " + b.token("act")}
	const path = "/api/occupation/tomar"
	for _, c := range []struct {
		who, addr string
		header    []string
		burst     int
	}{
		{"an address", "10.0.0.7", nil, 2 * 25 * 3},
		{"a program", "10.0.0.7", act, 2 * 10 * 3},
		{"a program elsewhere", "10.0.0.9", act, 0},
	} {
		for i := range c.burst {
			b.from(c.addr, http.MethodPost, path, c.header...).want(t, c.who, 422)
			if i == 0 {
				b.from(c.addr, http.MethodGet, "/api/workers", c.header...).want(t, "a read of "+c.who, 200)
			}
		}
		r := b.from(c.addr, http.MethodPost, path, c.header...).want(t, c.who+" after its burst", 429, "DEMASIADOS_PEDIDOS")
		if r.Header.Get("Retry-After") == "" || !strings.Contains(r.text("message"), "Repite") {
			t.Errorf("%s is told %q, Retry-After %q; want when to repeat", c.who, r.Raw, r.Header.Get("Retry-After"))
		}
		b.from(c.addr, http.MethodGet, "/api/workers", c.header...).want(t, "a read of "+c.who+" after its burst", 200)
	}
	b.from("10.0.0.8", http.MethodPost, path).want(t, "another address", 422)
	for range 500 {
		b.from("127.0.0.1", http.MethodPost, path).want(t, "the box itself", 422)
	}
	b.clock.Add(time.Second)
	b.from("10.0.0.7", http.MethodPost, path).want(t, "the address a second later", 422)
}

func TestPagesSayThatFormsCameTooFast(t *testing.T) {
	b := newBox(t, func(o *api.Options) { o.WriteRate = 1 })
	for range 75 {
		b.from("10.0.0.7", http.MethodPost, "/salir")
	}
	page := b.from("10.0.0.7", http.MethodPost, "/salir").want(t, "a form after the burst", 429)
	if !strings.Contains(page.Raw, "demasiados pedidos") || !strings.Contains(page.Raw, "<html") || page.Header.Get("Retry-After") == "" {
		t.Errorf("the page says %.300s", page.Raw)
	}
	told := b.from("10.0.0.7", http.MethodPost, "/spools/S-1/tomar", "Accept", "application/json").want(t, "a script's form after the burst", 429)
	if html := told.text("html"); !strings.Contains(html, "demasiados pedidos") || told.Body["ok"] != false {
		t.Errorf("the script is told %.300s", told.Raw)
	}
}

// TestEveryWriteCanComeTooFast: what the document says about 429 is so.
func TestEveryWriteCanComeTooFast(t *testing.T) {
	b := newBox(t, func(o *api.Options) { o.WriteRate = 1 })
	for range 75 {
		b.from("192.0.2.1", http.MethodPost, "/salir")
	}
	b.each(429, "429")
}

func TestAStrangeHostIsToldWhatToDo(t *testing.T) {
	b := newBox(t, func(o *api.Options) { o.Host = func(h string) bool { return h == "envivo.local:8080" } })
	ask := func(host, path string) reply {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Host = host
		w := httptest.NewRecorder()
		b.api.ServeHTTP(w, r)
		return reply{Status: w.Code, Header: w.Result().Header, Raw: w.Body.String()}
	}
	for _, host := range []string{"envivo.local:8080", ""} {
		ask(host, "/").want(t, "the box under "+host, 200)
	}
	for path, want := range map[string]string{"/": "--host", "/api/workers": "NOMBRE_DESCONOCIDO", "/ws": "--host", "/healthz": "--host"} {
		r := ask("evil.example", path).want(t, path+" under a strange name", 421)
		if !strings.Contains(r.Raw, want) || strings.Contains(r.Raw, "S-1") || strings.Contains(r.Raw, "Ana") {
			t.Errorf("%s under a strange name says %.400s", path, r.Raw)
		}
	}
}
