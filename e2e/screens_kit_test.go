package e2e

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// audits is what the tests ask of a page, see its comments.
//
//go:embed testdata/audit.js
var audits string

// geometry is what they ask of sizes and places.
//
//go:embed testdata/geometry.js
var geometry string

// Where the pictures go and where axe is; both are handed over by the gate.
const (
	shotsEnv = "ENVIVO_SHOTS"
	axeEnv   = "ENVIVO_AXE"
)

// shotFolder is the folder of the pictures of this run.
func shotFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv(shotsEnv)
	if dir == "" {
		return t.TempDir()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// axeSource is the text of axe.min.js. Without it the promise "no findings"
// cannot be kept, so its absence is a failure and not a skip.
func axeSource(t *testing.T) string {
	t.Helper()
	path := os.Getenv(axeEnv)
	if path == "" {
		t.Fatalf("%s is not set: it names the axe.min.js of the npm package axe-core; `make check` and `make e2e` fetch it", axeEnv)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read axe: %v", err)
	}
	return string(text)
}

// demo starts the sample plant of 2,493 spools without its simulated workers.
func demo(t testing.TB) *server {
	t.Helper()
	return launch(t, "", "demo", "--quiet", "--addr", "127.0.0.1:0")
}

const demoPIN = "2580"

// eye is one tab that is watched for what must never happen in it: errors on
// the console, requests to other hosts, violations of the content policy.
type eye struct {
	t     *testing.T
	tab   context.Context
	s     *server
	shots string
	size  string

	mu   sync.Mutex
	seen []string
}

// newEye opens a tab of its own cookies, drawn at a size.
func newEye(t *testing.T, first context.Context, s *server, shots string, width, height int64) *eye {
	t.Helper()
	tab, cancel := chromedp.NewContext(first, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	e := &eye{t: t, tab: tab, s: s, shots: shots, size: fmt.Sprintf("%dx%d", width, height)}
	if err := chromedp.Do(tab, chromedp.EmulateViewport(width, height)); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(tab, e.notice); err != nil {
		t.Fatal(err)
	}
	call(t, tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: audits + geometry})
	e.theme("light")
	return e
}

// call runs one command of the browser's protocol.
func call[P, R any](t *testing.T, tab context.Context, c cdp.Command[P, R], params P) R {
	t.Helper()
	r, err := chromedp.Run(tab, func(ctx context.Context, to *chromedp.Target) (R, error) { return cdp.Call(ctx, to, c, params) })
	if err != nil {
		t.Fatalf("%s: %v", c.Method, err)
	}
	return r
}

// notice hears the browser; it must not ask anything back.
func (e *eye) notice(ev any) {
	said := ""
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		said = "exception: " + ev.ExceptionDetails.Text
		if x := ev.ExceptionDetails.Exception; x != nil {
			said += " " + x.Description
		}
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeWarning {
			said = fmt.Sprintf("console.%s", ev.Type)
			for _, a := range ev.Args {
				said += " " + string(a.Value) + a.Description
			}
		}
	case *log.EventEntryAdded:
		if ev.Entry.Level == log.EntryLevelError {
			said = "log: " + ev.Entry.Text + " " + ev.Entry.URL
		}
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(ev.Request.URL); err != nil || strings.HasPrefix(u.Scheme, "http") && !strings.HasSuffix(e.s.url, "//"+u.Host) {
			said = "request to " + ev.Request.URL
		}
	}
	if said != "" {
		e.mu.Lock()
		e.seen = append(e.seen, said)
		e.mu.Unlock()
	}
}

// heard returns what was noticed since the last call, except what is expected.
func (e *eye) heard(except string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, s := range e.seen {
		if except == "" || !strings.Contains(s, except) {
			out = append(out, s)
		}
	}
	e.seen = nil
	return out
}

func (e *eye) theme(scheme string) {
	e.t.Helper()
	call(e.t, e.tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// letters sets the reader's own text size, 16 being the usual.
func (e *eye) letters(px int64) {
	e.t.Helper()
	call(e.t, e.tab, page.SetFontSizes, page.SetFontSizesParams{FontSizes: &page.FontSizes{Standard: px, Fixed: px}})
}

var notAName = regexp.MustCompile(`[^a-z0-9]+`)

// shoot keeps a picture of what is on the screen now.
func (e *eye) shoot(name, theme string) {
	e.t.Helper()
	png, err := chromedp.Run(e.tab, chromedp.CaptureScreenshot())
	for end := time.Now().Add(20 * time.Second); err != nil && strings.Contains(err.Error(), "Not attached") && time.Now().Before(end); {
		// The page went away under the camera: take the one that comes.
		until(e.t, e.tab, "no page ever came to be photographed", `document.readyState === 'complete'`)
		png, err = chromedp.Run(e.tab, chromedp.CaptureScreenshot())
	}
	if err != nil {
		e.t.Fatalf("photograph %s: %v", name, err)
	}
	file := fmt.Sprintf("%s-%s-%s.png", strings.Trim(notAName.ReplaceAllString(strings.ToLower(name), "-"), "-"), e.size, theme)
	if err := os.WriteFile(filepath.Join(e.shots, file), png, 0o644); err != nil {
		e.t.Fatal(err)
	}
}

// ask runs one audit and reports each finding.
func (e *eye) ask(screen, what, js string) {
	e.t.Helper()
	found, err := chromedp.Run(e.tab, chromedp.Evaluate[[]string](js, awaiting))
	if err != nil {
		e.t.Fatalf("%s %s, %s: %v", screen, e.size, what, err)
	}
	for _, f := range found {
		e.t.Errorf("%s at %s, %s: %s", screen, e.size, what, f)
	}
}

// await is eval for a promise.
func await[T any](t *testing.T, tab context.Context, js string) T {
	t.Helper()
	v, err := chromedp.Run(tab, chromedp.Evaluate[T](js, awaiting))
	if err != nil {
		t.Fatalf("await %s: %v", js, err)
	}
	return v
}

func awaiting(p *runtime.EvaluateParams) { p.AwaitPromise = ptr(true) }

func ptr[T any](v T) *T { return &v }

// as identifies somebody on this tablet, without any screen.
func (e *eye) as(worker int) {
	e.t.Helper()
	e.form("/persona", fmt.Sprintf("trabajador=%d", worker))
}

// form sends a form from within the page, so that its cookies land here.
func (e *eye) form(path, body string) {
	e.t.Helper()
	js := fmt.Sprintf(`fetch(%q, {method: 'POST', body: new URLSearchParams(%q), redirect: 'follow'}).then(r => r.status)`, path, body)
	status, err := chromedp.Run(e.tab, chromedp.Evaluate[int](js, awaiting))
	if err != nil || status >= 400 {
		e.t.Fatalf("POST %s from the page = %d, %v", path, status, err)
	}
}
