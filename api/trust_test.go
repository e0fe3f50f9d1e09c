package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"envivo/api"
	"envivo/assets"
)

// withTLS is a box that serves HTTPS with its own authority to unknown devices.
func withTLS(o *api.Options) {
	o.TLS, o.Open = true, false
	o.Assets, o.AssetsPrefix = assets.Handler(), assets.Prefix
	o.Trust = &api.Trust{PEM: []byte("-----BEGIN CERTIFICATE-----"), Profile: []byte("<plist/>"), Name: "envivo caja", Fingerprint: "AB:CD",
		Until: time.Date(2036, 11, 24, 15, 0, 0, 0, time.UTC), Hosts: func() []string { return []string{"envivo.local:8443", "192.168.1.10:8443"} }}
}

func knock(b *box, method, url string) *http.Response {
	w := httptest.NewRecorder()
	b.api.ServeHTTP(w, httptest.NewRequest(method, url, nil))
	return w.Result()
}

func read(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("read an answer: %v", err)
	}
	return string(b)
}

// TestWithoutHTTPS: on a box with HTTPS a plain request gets the way to trust
// it, a redirect, or a refusal that asks to change the secret; never the plant.
func TestWithoutHTTPS(t *testing.T) {
	b := newBox(t, withTLS)
	for _, c := range []struct {
		method, url string
		status      int
		location    string
	}{
		{"GET", "http://box:8443/tls", 200, ""},
		{"HEAD", "http://box:8443/tls", 200, ""},
		{"GET", "http://box:8443/tls/ca.crt", 200, ""},
		{"GET", "http://box:8443/tls/ca.mobileconfig", 200, ""},
		{"GET", "http://box:8443" + assets.URL("app.css"), 200, ""},
		{"GET", "http://box:8443/tls/otra", 404, ""},
		{"GET", "http://box:8443/", 308, "https://box:8443/"},
		{"GET", "http://box:8443/spools?q=a%20b&nv=1", 308, "https://box:8443/spools?q=a%20b&nv=1"},
		{"HEAD", "http://box:8443/quien", 308, "https://box:8443/quien"},
		{"GET", "http://box:8443/livez", 308, "https://box:8443/livez"},
		{"GET", "http://[::1]:8443//evil.cl/x", 308, "https://[::1]:8443//evil.cl/x"},
		{"GET", "http://box:8443/api/health", 426, ""},
		{"POST", "http://box:8443/api/occupation/tomar", 426, ""},
		{"POST", "http://box:8443/entrar", 426, ""},
		{"POST", "http://box:8443/tls", 426, ""},
		{"GET", "http://box:8443/ws", 426, ""},
		{"GET", "http://box:8443/ws/ui", 426, ""},
	} {
		r := knock(b, c.method, c.url)
		if r.StatusCode != c.status || r.Header.Get("Location") != c.location {
			t.Errorf("%s %s = %d to %q, want %d to %q", c.method, c.url, r.StatusCode, r.Header.Get("Location"), c.status, c.location)
		}
		if len(r.Cookies()) > 0 {
			t.Errorf("%s %s sets a cookie without HTTPS", c.method, c.url)
		}
		if r.StatusCode == 308 && r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: a browser keeps the redirect", c.method, c.url)
		}
	}
}

// TestTheWayToTrustTheBox is open to devices that are not enrolled, with HTTPS
// and without, and says what there is in each mode.
func TestTheWayToTrustTheBox(t *testing.T) {
	own := newBox(t, withTLS)
	for _, scheme := range []string{"http", "https"} {
		r := knock(own, "GET", scheme+"://box:8443/tls")
		text := read(t, r)
		for _, want := range []string{"Confiar en este servidor", "AB:CD", "envivo caja", "24-11-2036", "https://envivo.local:8443/", "https://192.168.1.10:8443/",
			"http://192.168.1.10:8443/tls", "Tablet Android", "iPad o iPhone", "Windows", "Firefox", "/tls/ca.crt", "/tls/ca.mobileconfig"} {
			if !strings.Contains(text, want) {
				t.Errorf("by %s the page does not say %q", scheme, want)
			}
		}
		if strings.Contains(text, "<script") {
			t.Errorf("by %s the page has a script", scheme)
		}
		for path, kind := range map[string]string{"/tls/ca.crt": "application/x-x509-ca-cert", "/tls/ca.mobileconfig": "application/x-apple-aspen-config"} {
			r := knock(own, "GET", scheme+"://box:8443"+path)
			if r.StatusCode != 200 || r.Header.Get("Content-Type") != kind || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment") {
				t.Errorf("%s by %s = %d %v", path, scheme, r.StatusCode, r.Header)
			}
		}
	}
	if r := knock(own, "GET", "https://box:8443/quien"); r.StatusCode != http.StatusForbidden {
		t.Errorf("an unknown device gets %d by HTTPS", r.StatusCode)
	}
	for want, set := range map[string]func(*api.Options){"--tls auto": func(*api.Options) {}, "certificado propio": func(o *api.Options) { o.TLS = true }} {
		b := newBox(t, set)
		scheme := "http"
		if want != "--tls auto" {
			scheme = "https"
		}
		if text := read(t, knock(b, "GET", scheme+"://box/tls")); !strings.Contains(text, want) {
			t.Errorf("without an authority the page does not say %q", want)
		}
		if r := knock(b, "GET", scheme+"://box/tls/ca.crt"); r.StatusCode != http.StatusNotFound {
			t.Errorf("without an authority there is a certificate: %d", r.StatusCode)
		}
	}
}
