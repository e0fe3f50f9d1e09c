package api_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"envivo/api"
)

func frameTo(b *box, width string, size int) *http.Response {
	w := httptest.NewRecorder()
	b.api.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/escaneo/imagen?ancho="+width, bytes.NewReader(make([]byte, size))))
	return w.Result()
}

// TestAFrameIsReadForTheTablet: what is answered, and that a tablet gets no
// more than its share.
func TestAFrameIsReadForTheTablet(t *testing.T) {
	b := newBox(t, func(o *api.Options) {
		o.ReadCode = func(frame []byte, width int) (string, bool, error) {
			switch width {
			case 0:
				return "", false, errors.New("no width")
			case 40:
				return "", false, nil
			}
			return "C1", true, nil
		}
	})
	for _, c := range []struct {
		width  string
		size   int
		status int
	}{{"400", 160_000, 200}, {"40", 1600, 204}, {"x", 1600, 400}, {"400", 200_001, 413}} {
		if r := frameTo(b, c.width, c.size); r.StatusCode != c.status {
			t.Errorf("%d bytes of width %s = %d, want %d", c.size, c.width, r.StatusCode, c.status)
		}
	}
	if text := read(t, frameTo(b, "400", 1600)); !strings.Contains(text, `"codigo":"C1"`) {
		t.Errorf("a code is answered with %s", text)
	}
	refused := 0
	for range 20 {
		if r := frameTo(b, "400", 1600); r.StatusCode == http.StatusTooManyRequests && r.Header.Get("Retry-After") == "1" {
			refused++
		}
	}
	if refused != 17 { // eight at once, of which five were spent above
		t.Errorf("of 20 frames at once %d were refused, want 17", refused)
	}
	b.clock.Add(time.Second)
	if r := frameTo(b, "400", 1600); r.StatusCode != 200 {
		t.Errorf("a second later = %d", r.StatusCode)
	}
	if r := frameTo(newBox(t, enrolled, func(o *api.Options) { o.ReadCode = func([]byte, int) (string, bool, error) { return "C1", true, nil } }), "400", 1600); r.StatusCode != http.StatusForbidden {
		t.Errorf("a strange device = %d, want 403", r.StatusCode)
	}
	if r := frameTo(newBox(t), "400", 1600); r.StatusCode != http.StatusNotFound {
		t.Errorf("a box that cannot read = %d, want 404", r.StatusCode)
	}
}

// TestTheCameraIsOfferedWhereABrowserGivesIt, and the header says the same.
func TestTheCameraIsOfferedWhereABrowserGivesIt(t *testing.T) {
	b := newBox(t)
	for url, want := range map[string]bool{"http://envivo.local": false, "http://192.168.1.10:8080": false, "http://localhost:8080": true, "http://127.0.0.1:8080": true,
		"http://[::1]:8080": true, "http://127.0.0.1.evil.cl": false, "https://envivo.local": true} {
		for _, path := range []string{"/", "/menu", "/spools", "/quien"} {
			r := knock(b, http.MethodGet, url+path)
			allowed := strings.Contains(r.Header.Get("Permissions-Policy"), "camera=(self)")
			button := strings.Contains(read(t, r), "data-camara>")
			if allowed != want || button != (want && path != "/quien") {
				t.Errorf("%s%s: allowed %v, offered %v; the camera works: %v", url, path, allowed, button, want)
			}
		}
	}
}

// TestThePageIsDrawnForTheTabletsCamera: as its script last found, and for
// nothing else a cookie may say. Until then a tablet keeps the button's place; a
// browser on the box does not.
func TestThePageIsDrawnForTheTabletsCamera(t *testing.T) {
	b := newBox(t)
	for at, want := range map[[2]string]string{{"https://envivo.local", ""}: "", {"https://envivo.local", "si"}: "si", {"https://envivo.local", "no"}: "no", {"https://envivo.local", "x"}: "",
		{"http://localhost:8080", ""}: "no", {"http://localhost:8080", "si"}: "si"} {
		cookie := at[1]
		if want != "" {
			want = ` data-con-camara="` + want + `"`
		}
		r := httptest.NewRequest(http.MethodGet, at[0]+"/spools", nil)
		if cookie != "" {
			r.AddCookie(&http.Cookie{Name: "envivo_camara", Value: cookie})
		}
		w := httptest.NewRecorder()
		b.api.ServeHTTP(w, r)
		head, _, _ := strings.Cut(w.Body.String(), "<head>")
		if !strings.HasSuffix(head, `<html lang="es-CL"`+want+">") {
			t.Errorf("%s with the cookie %q: the page begins %q, want%s", at[0], cookie, head, want)
		}
	}
}
