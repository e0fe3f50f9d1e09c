package assets

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(method, url string, header ...string) *http.Response {
	r := httptest.NewRequest(method, url, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("read an answer: %v", err)
	}
	return string(b)
}

func TestAnAssetIsKeptForEverUnderTheNameOfItsContent(t *testing.T) {
	for name, kind := range map[string]string{"app.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8",
		"plex.woff2": "font/woff2", "icono.svg": "image/svg+xml", "app.webmanifest": "application/manifest+json"} {
		url := URL(name)
		if !regexp.MustCompile(`^/assets/[a-z]+\.[0-9a-f]{10}\.[a-z0-9]+$`).MatchString(url) {
			t.Errorf("the address of %s is %s, want one with a hash", name, url)
		}
		r := get(http.MethodGet, url)
		if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != kind || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("GET %s = %d %v, want 200, %s, immutable", url, r.StatusCode, r.Header, kind)
		}
		if r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s may be sniffed", name)
		}
	}
}

func TestAPackedAssetIsTheSame(t *testing.T) {
	plain := body(t, get(http.MethodGet, URL("app.css")).Body)
	r := get(http.MethodGet, URL("app.css"), "Accept-Encoding", "br, gzip")
	if r.Header.Get("Content-Encoding") != "gzip" || r.Header.Get("Vary") != "Accept-Encoding" {
		t.Fatalf("a reader that takes gzip got %v", r.Header)
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		t.Fatalf("unpack: %v", err)
	}
	if got := body(t, z); got != plain {
		t.Errorf("unpacked style sheet has %d bytes, want the plain %d", len(got), len(plain))
	}
	if !strings.Contains(plain, "--e-blo: #000000") || !strings.Contains(plain, "url("+URL("plex.woff2")+")") {
		t.Error("the style sheet lacks the tokens or the address of the typeface")
	}
}

func TestWhatIsNoAssetIsNotFound(t *testing.T) {
	for _, url := range []string{"/assets/", "/assets/app.css", "/assets/../main.go", URL("app.js") + "x"} {
		if r := get(http.MethodGet, url); r.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404", url, r.StatusCode)
		}
	}
}

func TestHeadSendsNoBody(t *testing.T) {
	r := get(http.MethodHead, URL("app.js"))
	if b := body(t, r.Body); r.StatusCode != http.StatusOK || len(b) != 0 {
		t.Errorf("HEAD = %d with %d bytes, want 200 with none", r.StatusCode, len(b))
	}
}

func TestTheManifestNamesTheIconByItsAddress(t *testing.T) {
	b := []byte(body(t, get(http.MethodGet, URL("app.webmanifest")).Body))
	if !bytes.Contains(b, []byte(URL("icono.svg"))) {
		t.Errorf("the manifest %s does not name %s", b, URL("icono.svg"))
	}
}

// TestEachScaleHasItsWidths: the sheet for gloves breaks its lines where the usual
// one does for letters as large.
func TestEachScaleHasItsWidths(t *testing.T) {
	for scale, want := range map[string]string{"": "(min-width: 62em)", "dedos": "(min-width: 62em)", "guantes": "(min-width: 77.5em)", "gruesos": "(min-width: 93em)"} {
		css := body(t, get(http.MethodGet, URL(Sheet(scale))).Body)
		if !strings.Contains(css, want) || want != "(min-width: 62em)" && strings.Contains(css, "(min-width: 62em)") {
			t.Errorf("the sheet for %q does not begin its columns at %s", scale, want)
		}
		if factor := map[string]string{"guantes": "--escala: 1.25", "gruesos": "--escala: 1.5"}[scale]; !strings.Contains(css, `[data-escala="`+scale+`"] { `+factor) && factor != "" {
			t.Errorf("the sheet for %q and its letters are of different scales", scale)
		}
	}
}
