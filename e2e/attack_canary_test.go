package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
)

// The texts that would run a script in a page; hostileTag is also an address.
const (
	canary     = `"'><script>canario()</script><img src=//evil.example/x onerror=canario()><svg onload=canario()>`
	hostileTag = "X<img src=x onerror=canario()>-001"
)

// hostile adds to a plant what must not run, in every column.
func hostile(t *testing.T, dir string) {
	quoted := `"` + strings.ReplaceAll(canary, `"`, `""`) + `"`
	every := func(n int, first ...string) string {
		for len(first) < n {
			first = append(first, quoted)
		}
		return strings.Join(first, ",") + "\n"
	}
	for file, lines := range map[string]string{
		"Operaciones.csv": every(14, `"`+hostileTag+`"`, quoted, `"=HYPERLINK(""http://evil.example"")"`, quoted, "05-10-2026", "", "", "", "", "", "", "", "") +
			every(14, quoted, quoted, quoted, quoted, "05-10-2026") + formulaRows(),
		"Uniones.csv":      every(17, quoted, quoted, "1", `"`+hostileTag+`"`, "2", quoted, "", "", "", "", "", "") + every(17, quoted, quoted, "2", `"`+hostileTag+`"`, "2", "BW"),
		"Trabajadores.csv": every(4, "91", quoted, "Malo", "TRUE") + every(4, "92", "=Cmd", "@Sum", "TRUE"),
		"Roles.csv":        every(3, "91", "Armador", "TRUE") + every(3, "92", "Armador", "TRUE"),
	} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, file, string(text)+lines)
	}
	columns := "ID,Timestamp,Evento_Tipo,TAG_SPOOL,Worker_ID,Worker_Nombre,Operacion,Accion,Fecha_Operacion,Metadata_JSON,N_UNION\n"
	write(t, dir, "Metadata.csv", columns+every(11, "evil-1", "05-01-2026 10:00:00", quoted, `"`+hostileTag+`"`, "91", quoted, quoted, quoted, "05-01-2026", `"{""motivo"":""<script>canario()</script>""}"`))
}

// say posts JSON as an administrator.
func (a *assault) say(path string, body fields) string {
	raw, err := json.Marshal(body)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.code("POST", path, string(raw), bearer(a.admin)...)
}

// plant puts a script into every text that can be given while the box runs. What
// is refused is kept by the record of attempts, which has a page, too.
func (a *assault) plant() {
	tag := url.PathEscape(hostileTag)
	for _, worker := range []int{91, 92} {
		a.say("/api/occupation/tomar", fields{"tag_spool": hostileTag, "worker_id": worker, "operacion": "ARM"})
		a.say("/api/occupation/liberar", fields{"tag_spool": hostileTag, "motivo": canary})
	}
	for i, f := range append(formulas(), canary) {
		a.say("/api/spool/"+tag+"/notas", fields{"texto": f})
		a.say("/api/occupation/tomar", fields{"tag_spool": spoolTag(5), "worker_id": 92, "operacion": "ARM"})
		a.say("/api/occupation/liberar", fields{"tag_spool": spoolTag(5), "motivo": f})
		a.say("/api/occupation/tomar", fields{"tag_spool": canary, "worker_id": i, "operacion": canary, "session_id": canary})
	}
	a.say("/api/occupation/tomar", fields{"tag_spool": hostileTag, "worker_id": 91, "operacion": "ARM"})
	a.say("/api/v4/uniones/guardar", fields{"tag_spool": hostileTag, "unions": []fields{{"n_union": 3, "dn_union": 2, "tipo_union": canary}}})
	a.say("/api/supervisor/list/add", fields{"tag_spool": hostileTag, "nota": canary})
	a.ask("GET", "/spools/"+url.PathEscape(canary), "", append(bearer(a.admin), "User-Agent", canary, "Referer", canary, "Accept", "text/html")...)
	envivo(a.t, "token", "new", "--name", canary, "--scope", "read", "--data", a.data)
	if err := a.sheet.b.Put("Operaciones", [2]string{"TAG_SPOOL", spoolTag(4)}, "Armador", canary); err != nil {
		a.t.Fatal(err)
	}
	if out, err := run("sheet", "pull", "--data", a.data); err != nil {
		a.t.Fatalf("read the Sheet: %v %s", err, out)
	}
}

// sights are the pages with everything that is in them of outside texts.
func (a *assault) sights(device string) []string {
	at, q := "/spools/"+url.PathEscape(hostileTag), "?q="+url.QueryEscape(canary)
	return []string{"/", "/quien", "/spools", "/spools" + q, at, at + "?hacer=nota", at + "/orden?orden=" + url.QueryEscape(canary), at + "/corregir", at + "/uniones", at + "/dossier",
		"/mis", "/listos", "/metrologia", "/reparacion", "/menu", "/buscar" + q, "/canasta", "/canasta/orden", "/supervisor", "/supervisor/frenos", "/admin", "/admin/etiquetas",
		"/admin/tablets/" + device, "/admin/tokens/" + url.PathEscape(canary), "/admin/personas", "/admin/personas/91", "/admin/actos" + q, "/admin/actos", "/sync", "/tv", "/cifras", "/momento",
		"/imprimir?tipo=credenciales", "/imprimir?tipo=spools", "/imprimir/contingencia", "/registro/91", "/mi-registro/91", "/mi-registro/92", "/tls", "/tablet" + q, "/instalar" + q,
		"/entrar?volver=" + url.QueryEscape(canary), "/api/docs", "/" + url.PathEscape(canary)}
}

// scripted looks for scripts in the pages as they are sent.
func (a *assault) scripted() string {
	a.plant()
	shown := 0
	for _, path := range a.sights("x") {
		resp, raw := a.ask("GET", path, "", append(bearer(a.admin), "Accept", "text/html")...)
		for _, bad := range []string{"<script>canario", "<img src=x", "<img src=//evil", "<svg onload"} {
			if strings.Contains(raw, bad) {
				return "runs on " + path
			}
		}
		policy := resp.Header.Get("Content-Security-Policy")
		if resp.StatusCode == 200 && (!strings.Contains(policy, "default-src") || strings.Contains(policy, "unsafe")) {
			return path + " has the policy " + policy
		}
		if strings.Contains(raw, "canario") {
			shown++
		}
	}
	if shown < 20 {
		return fmt.Sprintf("shown on %d pages only; the row proves little", shown)
	}
	return "shown as text"
}

// watched visits all pages in a browser, as a tablet with the supervisor in it,
// and lets one change while it is looked at. Nothing planted may run, ask
// another host for something or hurt the content policy.
func (a *assault) watched() string {
	cookie, id := a.enrol(`<script>canario()</script>`)
	e := newEye(a.t, browser(a.t), a.server, a.t.TempDir(), 1280, 800)
	call(a.t, e.tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `window.canario = () => console.error('canario ran'); window.alert = window.canario; addEventListener('securitypolicyviolation', v => console.error('policy', v.violatedDirective))`})
	name, value, _ := strings.Cut(cookie, "=")
	for name, value := range map[string]string{name: value, "envivo_persona": "91"} {
		call(a.t, e.tab, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: a.url, HTTPOnly: ptr(true)})
	}
	open(a.t, e.tab, a.url+"/")
	e.form("/entrar", "pin="+a.pin)
	a.unvisited(a.sights(id))
	shown := 0
	for _, path := range a.sights(id) {
		open(a.t, e.tab, a.url+path)
		if eval[bool](a.t, e.tab, `document.documentElement.outerHTML.includes('canario')`) {
			shown++
		}
		if said := e.heard("404"); len(said) > 0 {
			return fmt.Sprintf("%s: %v", path, said)
		}
	}
	open(a.t, e.tab, a.url+"/quien")
	live(a.t, e.tab)
	a.say("/api/occupation/liberar", fields{"tag_spool": hostileTag, "motivo": canary})
	until(a.t, e.tab, "the page never showed the release", `!document.querySelector('main').innerText.includes('-001')`)
	a.say("/api/occupation/tomar", fields{"tag_spool": hostileTag, "worker_id": 91, "operacion": "ARM"})
	until(a.t, e.tab, "the page never showed the hostile spool", `document.querySelector('main').innerText.includes('onerror=canario()')`)
	if said := e.heard(""); len(said) > 0 {
		return fmt.Sprintf("live: %v", said)
	}
	eval[bool](a.t, e.tab, `(document.body.insertAdjacentHTML('beforeend', `+strconv.Quote(canary)+`), true)`)
	if !e.hears("evil.example") || !e.hears("policy") {
		return "a script on a page would not be noticed; the row proves nothing"
	}
	if shown < 20 {
		return fmt.Sprintf("shown on %d pages only; the row proves little", shown)
	}
	return "shown as text, nothing ran"
}

// hears waits until something was noticed that contains a text.
func (e *eye) hears(text string) bool {
	for end := time.After(20 * time.Second); ; {
		e.mu.Lock()
		found := slices.ContainsFunc(e.seen, func(s string) bool { return strings.Contains(s, text) })
		e.mu.Unlock()
		if found {
			return true
		}
		select {
		case <-end:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// unvisited fails the test for pages that the program has and the list has not.
func (a *assault) unvisited(sights []string) {
	for _, s := range files(a.t, ".go") {
		if s.dir() != "api" || !strings.HasPrefix(filepath.Base(s.path), "pages") || s.test() {
			continue
		}
		for _, m := range regexp.MustCompile(`"GET (/[^"]*)"`).FindAllStringSubmatch(string(s.text), -1) {
			as := regexp.MustCompile(`^` + regexp.MustCompile(`\\\{[^/]*\\\}`).ReplaceAllString(regexp.QuoteMeta(strings.TrimSuffix(m[1], "{$}")), `[^/]+`) + `(\?.*)?$`)
			if m[1] != "/pulso" && !slices.ContainsFunc(sights, as.MatchString) {
				a.t.Errorf("no page of the list is %s", m[1])
			}
		}
	}
}
