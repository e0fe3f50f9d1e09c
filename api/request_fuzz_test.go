package api_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"envivo/api"
	"envivo/plant"
)

// visit is one request that somebody may send: to an address of the box whose
// places are filled in, with lines of header, a cookie text and a body.
type visit struct {
	who                                 uint8
	at                                  uint16
	place, query, header, cookies, body string
}

// door is an enrolled plant with one visitor of each kind, and a log that shows
// what was not foreseen.
type door struct {
	*box
	at   []string
	log  *bytes.Buffer
	sent [5][]string // header pairs of a stranger, a reader, a tablet, a supervisor, an administrator
}

func newDoor(t testing.TB) *door {
	t.Helper()
	d := &door{log: &bytes.Buffer{}}
	d.box = newBox(t, enrolled, func(o *api.Options) {
		o.Log = slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelError}))
	})
	d.pin("24681357")
	d.workerPIN(bruno, brunosPIN)
	read, act, admin := d.token("read"), d.token("act"), d.token("admin")
	session := d.post("/api/supervisor/session", `{"pin":"24681357"}`, "Authorization", "Bearer "+act).want(t, "a session", 200)
	cookie, _, _ := strings.Cut(session.Header.Get("Set-Cookie"), ";")
	d.sent = [...][]string{{}, {"Authorization", "Bearer " + read}, {"Authorization", "Bearer " + act}, {"Authorization", "Bearer " + act, "Cookie", cookie}, {"Authorization", "Bearer " + admin}}
	d.at = slices.Sorted(slices.Values(api.Patterns(d.api)))
	return d
}

// request is what a visit puts on the wire. Nothing is escaped that a hostile
// program would not escape.
func (d *door) request(t *testing.T, k visit) *http.Request {
	method, path, ok := strings.Cut(d.at[int(k.at)%len(d.at)], " ")
	if !ok {
		method, path = [...]string{"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"}[k.at>>8%6], method
	}
	part := strings.Split(strings.TrimSuffix(path, "{$}"), "/")
	for i, p := range part {
		if strings.HasPrefix(p, "{") {
			part[i] = url.PathEscape(k.place)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), method, "/", strings.NewReader(k.body))
	escaped := strings.Join(part, "/")
	if plain, err := url.PathUnescape(escaped); err == nil {
		r.URL.Path, r.URL.RawPath = plain, escaped
	}
	r.URL.RawQuery, r.RequestURI = k.query, r.URL.RequestURI()
	for line := range strings.Lines(k.header) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			r.Header.Add(name, strings.TrimSpace(value))
		}
	}
	if k.cookies != "" {
		r.Header.Add("Cookie", k.cookies)
	}
	own := d.sent[int(k.who)%len(d.sent)]
	for i := 0; i+1 < len(own); i += 2 {
		r.Header.Add(own[i], own[i+1])
	}
	return r
}

// made are the events since one, but for the locks after wrong PINs: those are
// made of refusals.
func (d *door) made(t *testing.T, after plant.Seq) []plant.Event {
	if d.seq() == after {
		return nil
	}
	all, err := d.store.Events(t.Context(), after, 100)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e plant.Event) bool {
		return e.Setting != nil && strings.HasPrefix(e.Setting.Key, "bloqueo/")
	})
}

// FuzzRequests: whatever somebody sends to any address of the box, it is
// answered; what only looks, what a stranger sends and what is refused changes
// nothing; and no page holds a tag that somebody sent, then or later.
func FuzzRequests(f *testing.F) {
	d := newDoor(f)
	const form = "Content-Type: application/x-www-form-urlencoded\n"
	find := func(at string) uint16 {
		i := slices.Index(d.at, at)
		if i < 0 {
			f.Fatalf("the box has no address %s", at)
		}
		return uint16(i)
	}
	for _, k := range []visit{
		{2, find("POST /spools/{tag}/{verbo}"), "tomar", "", form, "envivo_persona=12", "orden=1&operacion=ARM&union=1&union=<canario>"},
		{2, find("POST /escaneo"), "", "", form, "envivo_persona=12; envivo_par=MSAxMiBTLTE", "codigo=S-1&orden=2&spool=U-1&version=1"},
		{2, find("POST /escaneo/imagen"), "", "ancho=8", "Content-Type: application/octet-stream\n", "", strings.Repeat("\x00\xff", 32)},
		{2, find("POST /canasta/{verbo}"), "tomar", "", form, "envivo_persona=12", "spool=S-1&orden=3&operacion=ARM"},
		{2, find("POST /persona"), "", "", form, "", "trabajador=12&volver=//evil.example"},
		{2, find("POST /persona"), "", "", form, "envivo_persona=13.1764194700000.x.y", "trabajador=13&volver=<canario>&pin=<canario>&escaneo=1"},
		{2, find("GET /persona"), "", "trabajador=13&accion=traspasar&spool=%3Ccanario%3E&orden=%3Ccanario%3E&version=1", "Accept: text/html\n", "envivo_persona=13.99999999999999999999..", ""},
		{0, find("POST /entrar"), "", "", form, "", "pin=00000000&volver=%2F<canario>"},
		{0, find("POST /tablet/codigo"), "", "", form, "", "codigo=ABC<canario>"},
		{1, find("GET /spools"), "", "q=%3Ccanario%3E&yo=12&orden=;&op=ARM", "Accept: text/html\nX-Parte: vivo\nX-Vista: /spools?q=<canario>\n", "envivo_recientes=S-1.<canario>; envivo_aviso=eyJ0IjoiPGNhbmFyaW8-In0", ""},
		{1, find("GET /spools/{tag}"), "U-1", "hacer=nota&antes=18446744073709551615", "Accept: text/html\nRange: bytes=9-1\nIf-None-Match: \"\nAccept-Encoding: gzip\n", "", ""},
		{1, find("GET /momento"), "", "cuando=2026-01-05T13:00", "Host: x\nOrigin: null\nSec-Fetch-Site: cross-site\n", "", ""},
		{3, find("POST /cifras/meta"), "", "", form, "", "meta=1e999&turno=<canario>"},
		{3, find("POST /spools/{tag}/corregir"), "S-1", "", form, "", "orden=4&trabajador=12&motivo=<canario>"},
		{1, find("GET /api/events"), "", "after=-1&limit=1e9&tag=<canario>", "Last-Event-ID: 99999999999999999999\n", "", ""},
		{4, find("POST /api/devices/{id}/revocar"), "../..%2f", "", "Idempotency-Key: \x01\n", "", `{"nombre":"<canario>"}`},
		{4, find("POST /api/spool/{tag}/notas"), "S-1", "", "", "", `{"texto":"<canario>"}`},
	} {
		f.Add(k.who, k.at, k.place, k.query, k.header, k.cookies, k.body)
	}
	f.Fuzz(func(t *testing.T, who uint8, at uint16, place, query, header, cookies, body string) {
		k := visit{who, at, place, query, header, cookies, body}
		r := d.request(t, k)
		mine := *d.box
		mine.t = t
		before := d.seq()
		d.log.Reset()
		got := mine.answer(r)
		what := r.Method + " " + r.URL.EscapedPath()
		if got.Status < 200 || got.Status >= 500 && got.Status != http.StatusServiceUnavailable || d.log.Len() > 0 {
			t.Errorf("%s = %d %.300s; log %s", what, got.Status, got.Raw, d.log)
		}
		looks := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
		if made := d.made(t, before); len(made) > 0 && (looks || got.Status >= 400 || who%5 < 2) {
			t.Errorf("%s of visitor %d = %d made %+v", what, who%5, got.Status, made)
		}
		if strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") && strings.Contains(strings.ToLower(got.Raw), "<canario") {
			t.Errorf("%s = %d with somebody's tag", what, got.Status)
		}
	})
}
