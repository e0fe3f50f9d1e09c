package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pair are two boxes as operations.md sets them up: enrolled access, the first
// with its own authority, the second its standby.
type pair struct {
	t                      *testing.T
	client                 *http.Client
	first, second          *server
	data, other            string // their folders
	token, tokenFile, host string
	follow                 []string // the second one's settings
}

func newPair(t *testing.T) *pair {
	dir := t.TempDir()
	p := &pair{t: t, data: newPlant(t, 12, 0), other: filepath.Join(dir, "second"), tokenFile: filepath.Join(dir, "token")}
	text := envivo(t, "token", "new", "--data", p.data, "--name", "respaldo-1", "--scope", "admin")
	p.token = strings.Fields(text)[0]
	if err := os.WriteFile(p.tokenFile, []byte(p.token), 0o600); err != nil {
		t.Fatal(err)
	}
	p.first = p.serve(p.data, "127.0.0.1:0", "--tls", "auto")
	p.host = strings.TrimPrefix(p.first.url, "https://")
	ca := p.fetch("http://" + p.host + "/tls/ca.crt")
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(ca)) {
		t.Fatalf("/tls/ca.crt is no certificate: %.80s", ca)
	}
	p.client = &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	caFile := filepath.Join(dir, "ca.crt")
	if err := os.WriteFile(caFile, []byte(ca), 0o600); err != nil {
		t.Fatal(err)
	}
	p.follow = []string{"--standby-of", p.first.url, "--standby-token", p.tokenFile, "--standby-ca", caFile}
	p.second = p.serve(p.other, "127.0.0.1:0", p.follow...)
	return p
}

func (p *pair) serve(data, addr string, more ...string) *server {
	return launch(p.t, data, append([]string{"serve", "--data", data, "--addr", addr, "--mdns", "off"}, more...)...)
}

func (p *pair) fetch(from string) string {
	p.t.Helper()
	resp, err := httpClient.Get(from)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("GET %s = %d %v", from, resp.StatusCode, err)
	}
	return string(b)
}

// ask sends a request with one header; a body makes it a POST.
func (p *pair) ask(to, body, name, value string) (reply, http.Header) {
	p.t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(p.t.Context(), method, to, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if req.Header.Set("Content-Type", "application/json"); strings.HasSuffix(to, "/tablet/codigo") {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set(name, value)
	resp, err := p.client.Do(req)
	if err != nil {
		return reply{Raw: err.Error()}, nil // it is not there, or going
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{Raw: err.Error()}, nil
	}
	return reply{Status: resp.StatusCode, Raw: string(raw)}, resp.Header
}

// take sends a TOMAR as the program with the token.
func (p *pair) take(s *server, n int) reply {
	r, _ := p.ask(s.url+"/api/occupation/tomar", fmt.Sprintf(`{"tag_spool":%q,"worker_id":12,"worker_nombre":"x","operacion":"ARM"}`, spoolTag(n)), "Authorization", "Bearer "+p.token)
	return r
}

// until asks an address as the program until its answer says what is wanted.
func (p *pair) until(what, at, says string) {
	p.t.Helper()
	p.wait(what, at, func(text string) bool { return strings.Contains(text, says) })
}

// wait asks an address until its answer is as it should be.
func (p *pair) wait(what, at string, good func(text string) bool) {
	p.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		r, _ := p.ask(at, "", "Authorization", "Bearer "+p.token)
		if good(r.Raw) {
			return
		}
		select {
		case <-deadline:
			p.t.Fatalf("%s: %s says %.400s", what, at, r.Raw)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// TestTheOldPrimaryComesBack: a standby over TLS with enrolled access is
// promoted, and the box it took over from is switched on again with its data.
// The new one gives the alarm; the old one stops taking commands, also after
// restarts, and says where the work goes on; emptied, it is the new one's
// standby without any alarm.
func TestTheOldPrimaryComesBack(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	said := envivo(t, "device", "code", "--data", p.data, "--name", "Armado 1")
	_, answer := p.ask(p.first.url+"/tablet/codigo", url.Values{"codigo": {strings.Fields(said)[0]}}.Encode(), "Origin", p.first.url)
	cookie := ""
	for _, c := range answer.Values("Set-Cookie") {
		if strings.HasPrefix(c, "envivo_device=") {
			cookie, _, _ = strings.Cut(c, ";")
		}
	}
	if r := p.take(p.first, 1); r.Status != 200 || cookie == "" {
		t.Fatalf("TOMAR at the primary = %d %s, the tablet's cookie is %q", r.Status, r.Raw, cookie)
	}
	p.until("the standby follows", p.second.url+"/spools/"+spoolTag(1), "Ana")
	if out, err := run("promote", "--data", p.other); err == nil || !strings.Contains(out, "the primary answers") {
		t.Errorf("promote while the primary lives = %v\n%s, want it refused", err, out)
	}
	p.first.kill()
	if err := os.Rename(p.tokenFile, p.tokenFile+".aside"); err != nil {
		t.Fatal(err)
	}
	envivo(t, "promote", "--data", p.other)
	p.until("promoted", p.second.url+"/metrics", "envivo_standby 0")
	if r, _ := p.ask(p.second.url+"/quien", "", "Cookie", cookie); r.Status != 200 {
		t.Errorf("a tablet of the old primary gets %d from the promoted one", r.Status)
	}
	p.comesBack()
	p.retired()
	p.becomesStandby()
}

// comesBack switches the old primary on while the new one has no way to tell it.
func (p *pair) comesBack() {
	if err := os.Remove(filepath.Join(p.data, "respaldos.json")); err != nil { // it would ask
		p.t.Fatal(err)
	}
	p.first = p.serve(p.data, p.host, "--tls", "auto")
	p.until("the alarm", p.second.url+"/metrics", "envivo_old_primary_alive 1")
	p.until("the alarm in words", p.second.url+"/readyz", "servidor anterior: El servidor anterior ("+p.first.url+") responde: apágalo.")
	if err := os.Rename(p.tokenFile+".aside", p.tokenFile); err != nil {
		p.t.Fatal(err)
	}
	p.until("the old primary gives in", p.second.url+"/readyz", "ya no registra")
	p.until("no alarm any more", p.second.url+"/metrics", "envivo_old_primary_alive 0")
}

// retired looks at the old primary, then after a restart of it.
func (p *pair) retired() {
	for _, when := range []string{"at once", "after a restart"} {
		p.until(when, p.first.url+"/api/health", `"sigue_a":"`+p.second.url+`"`)
		if r := p.take(p.first, 2); r.Status != 503 || !strings.Contains(r.Raw, "RESPALDO_SOLO_LECTURA") || !strings.Contains(r.Raw, p.second.url) {
			p.t.Errorf("%s a command to the old primary = %d %s, want 503 naming the new one", when, r.Status, r.Raw)
		}
		if r, _ := p.ask(p.first.url+"/quien", "", "Authorization", "Bearer "+p.token); !strings.Contains(r.Raw, "SERVIDOR ANTERIOR — no registra") || !strings.Contains(r.Raw, `href="`+p.second.url+`"`) {
			p.t.Errorf("%s its pages do not lead to the new one: %.300s", when, r.Raw)
		}
		if when == "at once" {
			p.first.stop()
			p.first = p.serve(p.data, p.host, "--tls", "auto")
		}
	}
	p.first.stop()
	if out, err := run("serve", "--data", p.data, "--addr", p.host, "--standby-of", p.second.url, "--standby-token", p.tokenFile); err == nil || !strings.Contains(out, "empty folder") {
		p.t.Errorf("the old primary's folder became a standby's with its data: %v %s", err, out)
	}
	if r := p.take(p.second, 2); r.Status != 200 {
		p.t.Errorf("TOMAR at the promoted one = %d %s", r.Status, r.Raw)
	}
	check(p.t, p.data)
}

// becomesStandby empties the old primary and starts it as the manual says.
func (p *pair) becomesStandby() {
	if err := os.RemoveAll(p.data); err != nil {
		p.t.Fatal(err)
	}
	p.first = p.serve(p.data, p.host, "--tls", "auto", "--standby-of", p.second.url, "--standby-token", p.tokenFile)
	p.until("the new standby is seen", p.second.url+"/metrics", `envivo_standby_behind_events{standby="respaldo-1"} 0`)
	p.until("no old primary any more", p.second.url+"/metrics", "envivo_old_primary_alive 0")
	// The metric is 0 for a retired one as well: the words last until the next look.
	p.wait("a new standby at the old address is not taken for the old primary", p.second.url+"/readyz", func(text string) bool {
		return strings.HasPrefix(text, "ok") && !strings.Contains(text, "servidor anterior")
	})
	check(p.t, p.other)
}
