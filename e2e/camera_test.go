package e2e

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"rsc.io/qr"

	"envivo/plant"
	"envivo/ui"
)

// footage writes what a camera sees that looks at a code: one frame, which the
// browser repeats (YUV4MPEG2, 4:2:0).
func footage(t *testing.T, text string) string {
	t.Helper()
	const w, h, scale = 640, 480, 8
	c, err := qr.Encode(text, qr.Q)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\nFRAME\n", w, h)
	left, top := (w-c.Size*scale)/2, (h-c.Size*scale)/2
	for y := range h {
		for x := range w {
			light := byte(210)
			if x >= left && y >= top && c.Black((x-left)/scale, (y-top)/scale) {
				light = 40
			}
			b.WriteByte(light)
		}
	}
	b.Write(bytes.Repeat([]byte{128}, w*h/2))
	path := filepath.Join(t.TempDir(), "camera.y4m")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// keyOf is the hash of a server's key as Chromium wants it.
func keyOf(t *testing.T, addr string) string {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) // only its key is wanted
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sum := sha256.Sum256(c.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// movedInMain counts what moved of the middle of the page since it was opened.
const movedInMain = `(() => {
	const seen = new PerformanceObserver(() => {});
	seen.observe({type: 'layout-shift', buffered: true});
	return seen.takeRecords().flatMap((s) => s.sources).filter((s) => s.node && document.querySelector('main').contains(s.node)).length;
})()`

// theButtonMovesNothing opens the list twice, first while the tablet does not know
// yet that it has a camera: the button comes into a place kept for it, and the
// page that knows is drawn alike.
func theButtonMovesNothing(t *testing.T, e *eye) {
	t.Helper()
	const top = `document.querySelector('[data-region="filas"]').getBoundingClientRect().top`
	var tops []float64
	for range 2 {
		open(t, e.tab, e.s.url+"/spools")
		until(t, e.tab, "the camera's button never appeared", `document.querySelector('[data-camara]').checkVisibility({visibilityProperty: true})`)
		tops = append(tops, eval[float64](t, e.tab, top))
		if moved := eval[int](t, e.tab, movedInMain); moved > 0 {
			t.Errorf("%d things below the header moved while the page loaded", moved)
		}
	}
	if tops[0] != tops[1] {
		t.Errorf("the list begins at %.0f px before the camera is known and at %.0f px after", tops[0], tops[1])
	}
}

// TestTheCameraScansByHTTPS: a box with its own authority, a tablet with a
// camera that cannot read codes itself, a spool's label before it.
func TestTheCameraScansByHTTPS(t *testing.T) {
	s := serve(t, newPlant(t, 12, 2), "--tls", "auto")
	addr := strings.TrimPrefix(s.url, "https://")
	if addr == s.url {
		t.Fatalf("with --tls auto the address is %s", s.url)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(601, 962),
		chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", footage(t, ui.SpoolCode(plant.Tag(spoolTag(2))))),
		chromedp.Flag("ignore-certificate-errors-spki-list", keyOf(t, addr)))
	alloc, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	first, cancelTab := chromedp.NewContext(alloc)
	t.Cleanup(cancelTab)
	if err := chromedp.Do(first); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	shots := shotFolder(t)
	e := newEye(t, first, s, shots, 601, 962)
	axe := axeSource(t)

	open(t, e.tab, "http://"+addr+"/quien")
	until(t, e.tab, "plain HTTP never led to HTTPS", fmt.Sprintf(`location.href === %q && isSecureContext`, s.url+"/quien"))
	e.as(fitterA)
	theButtonMovesNothing(t, e)
	open(t, e.tab, s.url+"/canasta")
	live(t, e.tab)
	click(t, e.tab, `[data-con-camara="si"] button[data-camara]`)
	until(t, e.tab, "the label before the camera never came into the basket", fmt.Sprintf(`!!document.querySelector('main [data-tag=%q] button[name=quitar]')`, spoolTag(2)))
	if !eval[bool](t, e.tab, `!!document.querySelector('.camara video').srcObject`) {
		t.Error("in the basket the camera does not stay open")
	}
	e.shoot("camera in the basket", "light") // what lies under the picture is covered by intent, so only axe judges
	eval[bool](t, e.tab, `(() => { `+axe+`; return !!window.axe; })()`)
	e.ask("camera in the basket", "axe", `audit.axed()`)
	if err := chromedp.Do(e.tab, chromedp.KeyEvent("\x1b")); err != nil {
		t.Fatal(err)
	}
	until(t, e.tab, "Esc does not close the camera", `!document.querySelector('.camara') && document.activeElement.matches('[data-camara]')`)

	open(t, e.tab, s.url+"/menu")
	click(t, e.tab, `[data-con-camara="si"] button[data-camara]`)
	until(t, e.tab, "the label before the camera never opened the spool", fmt.Sprintf(`location.pathname === %q`, "/spools/"+spoolTag(2)))
	for _, said := range e.heard("/quien") {
		t.Errorf("the browser says: %s", said)
	}
	for _, size := range [][2]int64{{601, 962}, {1280, 800}} {
		l := look{eye: newEye(t, first, s, shots, size[0], size[1]), axe: axe}
		open(t, l.tab, "http://"+addr+"/tls")
		l.judge("trust the box")
		eval[bool](t, l.tab, `(document.querySelectorAll('details').forEach(d => { d.open = true }), true)`)
		l.judge("trust the box, every step")
	}
}

// TestWithoutHTTPSThereIsNoCameraButton: the header forbids it, the page does
// not offer it.
func TestWithoutHTTPSThereIsNoCameraButton(t *testing.T) {
	s := serve(t, newPlant(t, 2, 0))
	req, err := http.NewRequest(http.MethodGet, s.url+"/menu", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "envivo.local"
	resp, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var page bytes.Buffer
	if _, err := page.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page.String(), "data-camara>") || !strings.Contains(resp.Header.Get("Permissions-Policy"), "camera=()") {
		t.Errorf("over HTTP the page may use the camera: %v", resp.Header)
	}
}
