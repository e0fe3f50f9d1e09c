package api_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"envivo/plant"
	"envivo/ui"
)

// tablet is a browser without script: it keeps cookies, follows redirects
// after forms and sends exactly the fields that a page holds.
type tablet struct {
	*box
	cookies map[string]string
	// at is the page on the screen.
	at  string
	dom *html.Node
	raw string
}

func (b *box) tablet() *tablet { return &tablet{box: b, cookies: map[string]string{}} }

func (p *tablet) send(method, path string, form url.Values, header ...string) *http.Response {
	p.t.Helper()
	r := httptest.NewRequestWithContext(p.t.Context(), method, path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range p.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	p.api.ServeHTTP(w, r)
	resp := w.Result()
	for _, c := range resp.Cookies() {
		if c.MaxAge < 0 {
			delete(p.cookies, c.Name)
			continue
		}
		p.cookies[c.Name] = c.Value
	}
	p.raw = w.Body.String()
	return resp
}

// open loads a page and fails the test unless it has the status.
func (p *tablet) open(path string, status int) *tablet {
	p.t.Helper()
	resp := p.send(http.MethodGet, path, nil)
	p.show(path, resp, status)
	return p
}

func (p *tablet) show(path string, resp *http.Response, status int) {
	p.t.Helper()
	if resp.StatusCode != status || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		p.t.Fatalf("%s = %d %s, want %d and a page; body %.300s", path, resp.StatusCode, resp.Header.Get("Content-Type"), status, p.raw)
	}
	n, err := html.Parse(strings.NewReader(p.raw))
	if err != nil {
		p.t.Fatalf("parse %s: %v", path, err)
	}
	p.at, p.dom = path, n
}

// fill posts a form and follows where it leads.
func (p *tablet) fill(action string, form url.Values) *tablet {
	p.t.Helper()
	resp := p.send(http.MethodPost, action, form)
	if resp.StatusCode != http.StatusSeeOther {
		p.show(action, resp, resp.StatusCode)
		return p
	}
	return p.open(resp.Header.Get("Location"), http.StatusOK)
}

// identify makes somebody the acting person.
func (p *tablet) identify(worker string) *tablet {
	p.t.Helper()
	return p.open("/", http.StatusOK).fill("/persona", url.Values{"trabajador": {worker}})
}

// press touches the button of a command with these fields besides its own.
func (p *tablet) press(cmd string, more url.Values) *tablet {
	p.t.Helper()
	button := p.find(func(n *html.Node) bool { return n.Data == "button" && value(n, "data-cmd") == cmd })
	if button == nil {
		p.t.Fatalf("%s offers no %s; it says %q", p.at, cmd, p.text())
	}
	form := button
	if id := value(button, "form"); id != "" {
		form = p.find(func(n *html.Node) bool { return value(n, "id") == id })
	} else {
		for form.Data != "form" {
			form = form.Parent
		}
	}
	fields := p.fields(form)
	if name := value(button, "name"); name != "" {
		fields.Set(name, value(button, "value"))
	}
	for name, v := range more {
		fields[name] = v
	}
	action := value(form, "action")
	if own := value(button, "formaction"); own != "" {
		action = own
	}
	return p.fill(action, fields)
}

// fields are the hidden inputs that belong to a form.
func (p *tablet) fields(form *html.Node) url.Values {
	out, id := url.Values{}, value(form, "id")
	for n := range p.dom.Descendants() {
		if n.Data != "input" || value(n, "type") != "hidden" {
			continue
		}
		inside := false
		for a := range n.Ancestors() {
			inside = inside || a == form
		}
		if inside || id != "" && value(n, "form") == id {
			out.Add(value(n, "name"), value(n, "value"))
		}
	}
	return out
}

func (p *tablet) find(match func(*html.Node) bool) *html.Node {
	for n := range p.dom.Descendants() {
		if n.Type == html.ElementNode && match(n) {
			return n
		}
	}
	return nil
}

func value(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is what the screen says.
func (p *tablet) text() string { return nodeText(p.dom) }

func nodeText(n *html.Node) string {
	var b bytes.Buffer
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
			if c.Parent.Data != "strong" && (c.NextSibling == nil || c.NextSibling.Data != "strong") {
				b.WriteByte(' ')
			}
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// says fails the test unless the screen holds every word.
func (p *tablet) says(words ...string) *tablet {
	p.t.Helper()
	for _, w := range words {
		if got := p.text(); !strings.Contains(got, w) {
			p.t.Errorf("%s says %q, want %q in it", p.at, got, w)
		}
	}
	return p
}

func (p *tablet) silent(words ...string) *tablet {
	p.t.Helper()
	for _, w := range words {
		if got := p.text(); strings.Contains(got, w) {
			p.t.Errorf("%s says %q, which must not hold %q", p.at, got, w)
		}
	}
	return p
}

// holder is who has a spool now.
func (b *box) holder(tag string) plant.WorkerID {
	b.t.Helper()
	s, ok := b.store.Snapshot().Spool(plant.Tag(tag))
	if !ok {
		b.t.Fatalf("there is no spool %s", tag)
	}
	return s.Hold.Worker.ID
}

// watched counts what the hub would draw, one drawing per view and change.
type watched struct {
	b     *box
	kept  map[string]drawnView
	draws int
}

type drawnView struct {
	regions []ui.Region
	seq     plant.Seq
}

func (w *watched) render(view string) ([]ui.Region, plant.Seq, string, error) {
	snap := w.b.store.Snapshot()
	if k, ok := w.kept[view]; ok && k.seq == snap.Seq {
		return k.regions, k.seq, rev(k.seq), nil
	}
	page, err := w.b.api.LivePage(view)
	if err != nil {
		return nil, 0, "", err
	}
	w.draws++
	regions, err := page(snap, w.b.clock.Now())
	w.kept[view] = drawnView{regions, snap.Seq}
	return regions, snap.Seq, rev(snap.Seq), err
}

func rev(s plant.Seq) string { return strconv.FormatUint(uint64(s), 36) }
