package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// attack is one row of the table in docs/security.md: what is tried, what comes
// of it, and what the log says; none of it may differ from what happens.
type attack struct {
	name, refused, log string
	try                func(*assault) string
}

// assault is a plant under attack, with secrets that must not leak.
type assault struct {
	*server
	t                        *testing.T
	pin                      string
	read, act, admin, device string // device is a cookie
	session                  string // a supervisor's cookie that was valid
	workerPIN, person        string // Bruno's PIN, and his cookie on device
	sheet                    *sheetBox
	told                     []string // what the rows say of the log
}

const (
	noAccess = "403 NO_AUTORIZADO"
	noPerson = "303 /?volver=%2Fmis"
	silent   = "—"
)

func attacks() []attack {
	return []attack{
		{"a device that is not enrolled reads", noAccess, silent, func(a *assault) string { return a.code("GET", "/api/workers", "") }},
		{"a device that is not enrolled opens a page", "403 page", silent, func(a *assault) string { return a.page("GET", "/quien", "") }},
		{"a device after its revocation", "403 page", silent, (*assault).revoked},
		{"a token of too small a scope acts", noAccess, silent, func(a *assault) string { return a.code("POST", "/api/occupation/tomar", a.take(1), bearer(a.read)...) }},
		{"a token that acts does a supervisor's act", noAccess, "code=NO_AUTORIZADO", func(a *assault) string {
			return a.code("POST", "/api/occupation/liberar", `{"tag_spool":"S-0001","motivo":"x"}`, bearer(a.act)...)
		}},
		{"a write from a foreign origin", noAccess, silent, func(a *assault) string {
			return a.code("POST", "/api/occupation/tomar", a.take(1), append(bearer(a.act), "Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site")...)
		}},
		{"CSRF: a foreign page sends a tablet's form", "403 page", silent, func(a *assault) string {
			return a.page("POST", "/spools/S-0001/tomar", "operacion=ARM", "Cookie", a.device+"; envivo_persona=12", "Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site", "Content-Type", formType)
		}},
		{"socket hijack: a tablet's cookie, a foreign origin", "403 no socket", silent, func(a *assault) string { return a.socket("Cookie", a.device, "Origin", "http://evil.example") }},
		{"a socket without cookie or token", "403 no socket", silent, func(a *assault) string { return a.socket() }},
		{"a supervisor's cookie replayed after Salir", noAccess, silent, (*assault).replayed},
		{"a supervisor's cookie on another device", noAccess, silent, func(a *assault) string {
			own := a.enter(bearer(a.act)...)
			return a.code("POST", "/api/occupation/liberar", `{"tag_spool":"S-0001","motivo":"x"}`, append(bearer(a.read), "Cookie", own)...)
		}},
		{"cookie fixation", noAccess, "msg=\"supervisor session\"", func(a *assault) string {
			a.enter(append(bearer(a.act), "Cookie", "envivo_supervisor=fijada")...)
			return a.code("POST", "/api/occupation/liberar", `{"tag_spool":"S-0001","motivo":"x"}`, append(bearer(a.act), "Cookie", "envivo_supervisor=fijada")...)
		}},
		{"PIN brute force, 24 at once", "429 DEMASIADOS_INTENTOS", "msg=\"wrong PIN\" and msg=\"locked after wrong PINs\"", (*assault).guessed},
		{"acting as a worker who has a PIN, without it", "403 PIN_REQUERIDO", silent, func(a *assault) string {
			return a.code("POST", "/api/occupation/tomar", a.asBruno(""), bearer(a.act)...)
		}},
		{"a worker's PIN guessed, 24 at once", "429 DEMASIADOS_INTENTOS", "msg=\"wrong PIN\" and msg=\"locked after wrong PINs\"", (*assault).guessedBruno},
		{"a person's cookie made up for a worker who has a PIN", noPerson, silent, func(a *assault) string {
			return a.page("GET", "/mis", "", "Cookie", a.device+"; envivo_persona=13")
		}},
		{"a person's cookie on another device", noPerson, silent, (*assault).carriedPerson},
		{"a person's cookie replayed after Salir", noPerson, silent, (*assault).replayedPerson},
		{"path traversal", "no file", silent, (*assault).traversed},
		{"open redirect", "303 /mis", silent, func(a *assault) string {
			return a.page("POST", "/persona", "trabajador=12&volver=//evil.example", "Cookie", a.device, "Content-Type", formType)
		}},
		{"a host name that is not the box's (DNS rebinding)", "421 NOMBRE_DESCONOCIDO", "msg=\"a strange host name\"", func(a *assault) string {
			return a.code("GET", "/api/workers", "", append(bearer(a.read), "Host", "evil.example")...)
		}},
		{"header flood", "431 page", silent, func(a *assault) string { return a.page("GET", "/", "", "X-Flood", strings.Repeat("x", 64<<10)) }},
		{"body flood", "413 CUERPO_DEMASIADO_GRANDE", silent, func(a *assault) string {
			return a.code("POST", "/api/occupation/tomar", `{"tag_spool":"`+strings.Repeat("x", 2<<20)+`"}`, bearer(a.act)...)
		}},
		{"write flood of a tablet", "429 page", "msg=\"too many writes\"", func(a *assault) string {
			for range 200 {
				if got := a.page("POST", "/salir", "", "Cookie", a.device, "Content-Type", formType); got != "303 /" {
					return got
				}
			}
			return "all let in"
		}},
		{"WebSocket: a message of a megabyte", "closed 1009", silent, func(a *assault) string { return a.flood(1, 1<<20) }},
		{"WebSocket: 200 messages at once", "closed 1008", silent, func(a *assault) string { return a.flood(200, 10) }},
		{"slowloris: 300 connections with half a header", "cut, commands go on", silent, (*assault).slow},
		{"connection flood of one address", "reset beyond its share", "msg=\"too many connections\"", (*assault).crowd},
		{"XSS in every text, the pages as they are sent", "shown as text", silent, (*assault).scripted},
		{"XSS in every text, the pages in Chromium", "shown as text, nothing ran", silent, (*assault).watched},
		{"formulas in an export as .csv", "neutralised with '", silent, (*assault).formula},
		{"formulas in an export as .xlsx", "neutralised with '", silent, (*assault).formulaPacked},
		{"formulas in the Sheet", "written as text", silent, (*assault).formulaInSheet},
		{"a zip bomb as .xlsx", "exit 1, nothing changed", "workbook beyond its limits", (*assault).bombed},
		{"a million cells by the row as .xlsx", "exit 1, nothing changed", "workbook beyond its limits", (*assault).bombedByCells},
		{"a restore file that is a link", "exit 1, nothing changed", "is a link", func(a *assault) string { return a.restored(a.linked()) }},
		{"a restore file with one byte changed", "exit 1, nothing changed", "cannot be restored", func(a *assault) string { return a.restored(a.bent()) }},
		{"a terabyte in place of the Sheet", "exit 1, nothing changed", "the answer is too large", (*assault).endlessSheet},
		{"a primary whose copy is a terabyte", "no copy, nothing written", "what the primary sends is too large", (*assault).endlessPrimary},
	}
}

const formType = "application/x-www-form-urlencoded"

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func TestAttackTable(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	a := besieged(t)
	for _, row := range attacks() {
		line := fmt.Sprintf("| %s | %s | %s |", row.name, row.refused, strings.ReplaceAll(row.log, "msg=", ""))
		if !strings.Contains(string(doc), line) {
			t.Errorf("docs/security.md lacks the row\n%s", line)
		}
		before := len(a.logs.String())
		if got := row.try(a); got != row.refused {
			t.Errorf("%s: %s, want %s", row.name, got, row.refused)
		}
		for _, text := range strings.Split(strings.TrimPrefix(row.log, silent), " and ") {
			if text == "" {
				continue
			}
			a.told = append(a.told, text)
			if !a.logged(before, text) {
				t.Errorf("%s: the log says %q, want %s", row.name, tail(a.logs.String()[before:], 600), text)
			}
		}
	}
	a.guessed()
	a.guessedBruno() // where the rows took longer than their locks, again
	if got := a.replayedPerson(); got != noPerson {
		t.Errorf("a person's cookie replayed after Salir: %s, want %s", got, noPerson)
	}
	a.restart()
	if got := a.page("GET", "/mis", "", "Cookie", a.device+"; "+a.person); got != noPerson {
		t.Errorf("a person's cookie replayed after Salir and a restart: %s, want %s", got, noPerson)
	}
	if got := a.code("POST", "/api/supervisor/session", `{"pin":"`+a.pin+`"}`, "X-From", guesser); got != "429 DEMASIADOS_INTENTOS" {
		t.Errorf("the right PIN of a locked address after a restart: %s, want 429", got)
	}
	if got := a.code("POST", "/api/occupation/liberar", `{"tag_spool":"S-0001","motivo":"x"}`, append(bearer(a.act), "Cookie", a.session)...); got != noAccess {
		t.Errorf("a supervisor's cookie replayed after a restart: %s, want %s", got, noAccess)
	}
	if got := a.code("POST", "/api/occupation/tomar", a.asBruno(a.workerPIN), bearer(a.act)...); got != "429 DEMASIADOS_INTENTOS" {
		t.Errorf("the right PIN of a locked worker after a restart: %s, want 429", got)
	}
	a.quiet()
	a.leaks()
}

// quiet proves the dashes: at level warn the log holds nothing but what the
// rows say.
func (a *assault) quiet() {
	for line := range strings.Lines(a.logs.String()) {
		loud := strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR")
		if loud && !slices.ContainsFunc(a.told, func(text string) bool { return strings.Contains(line, text) }) {
			a.t.Errorf("no row speaks of %s", line)
		}
	}
}

// logged waits until the log says a text behind a place; it reaches the test
// through a pipe.
func (a *assault) logged(after int, text string) bool {
	for end := time.After(10 * time.Second); ; {
		if strings.Contains(a.logs.String()[after:], text) {
			return true
		}
		select {
		case <-end:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// besieged is a plant with hostile texts and known secrets, and with a Sheet.
func besieged(t *testing.T) *assault {
	dir := plantCSV(t, 5, 1)
	hostile(t, dir)
	data := filepath.Join(t.TempDir(), "data")
	a := &assault{t: t, pin: "24681357", workerPIN: "907060504030", sheet: newSheet(t, dir)}
	envivo(t, "import", dir, "--data", data)
	setPIN(t, data, a.pin)
	setPIN(t, data, a.workerPIN, "--worker", "13")
	for scope, to := range map[string]*string{"read": &a.read, "act": &a.act, "admin": &a.admin} {
		*to = strings.TrimSpace(envivo(t, "token", "new", "--name", "t-"+scope, "--scope", scope, "--data", data))
	}
	a.server = launch(t, data, a.args(data)...)
	a.device, _ = a.enrol("Muro 1")
	return a
}

func (a *assault) args(data string) []string {
	return append([]string{"serve", "--data", data, "--addr", "127.0.0.1:0", "--conns-per-address", "400", "--log-level", "debug"}, a.sheet.flags...)
}

func (a *assault) restart() {
	old := a.logs.String()
	a.stop()
	a.server = launch(a.t, a.data, a.args(a.data)...)
	_, _ = a.logs.Write([]byte(old)) // a buffer takes everything
}

// ask sends one request. X-From is the address it comes from and Host its Host.
func (a *assault) ask(method, path, body string, header ...string) (*http.Response, string) {
	req, err := http.NewRequest(method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	dial := &net.Dialer{}
	for i := 0; i+1 < len(header); i += 2 {
		switch header[i] {
		case "Host":
			req.Host = header[i+1]
		case "X-From":
			dial.LocalAddr = &net.TCPAddr{IP: net.ParseIP(header[i+1])}
		default:
			req.Header.Set(header[i], header[i+1])
		}
	}
	tr := &http.Transport{DialContext: dial.DialContext, DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: tr, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		a.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp, string(raw)
}

// code is an answer of the API as status and code.
func (a *assault) code(method, path, body string, header ...string) string {
	resp, raw := a.ask(method, path, body, header...)
	_, rest, _ := strings.Cut(raw, `"error":"`)
	code, _, _ := strings.Cut(rest, `"`)
	return fmt.Sprint(resp.StatusCode, " ", code)
}

// page is an answer to a browser: where it leads, or its status.
func (a *assault) page(method, path, body string, header ...string) string {
	resp, _ := a.ask(method, path, body, header...)
	if to := resp.Header.Get("Location"); to != "" {
		return fmt.Sprint(resp.StatusCode, " ", to)
	}
	return fmt.Sprint(resp.StatusCode, " page")
}

func (a *assault) take(n int) string {
	return fmt.Sprintf(`{"tag_spool":%q,"worker_id":12,"operacion":"ARM"}`, spoolTag(n))
}

func (a *assault) enrol(name string) (cookie, id string) {
	_, raw := a.ask("POST", "/api/devices/codigo", `{"nombre":"`+name+`"}`, bearer(a.admin)...)
	_, rest, _ := strings.Cut(raw, `"codigo":"`)
	code, _, _ := strings.Cut(rest, `"`)
	resp, _ := a.ask("POST", "/tablet/codigo", url.Values{"codigo": {code}}.Encode(), "Content-Type", formType)
	for _, c := range resp.Cookies() {
		if c.Name != "envivo_aviso" && c.Value != "" {
			cookie = c.Name + "=" + c.Value
		}
	}
	_, list := a.ask("GET", "/api/devices", "", bearer(a.admin)...)
	at := strings.Index(list, `"nombre":"`+name)
	if cookie == "" || at < 0 {
		a.t.Fatalf("enrol %s: %s, devices %s", name, raw, list)
	}
	part := strings.Split(list[:at], `"id":"`)
	id, _, _ = strings.Cut(part[len(part)-1], `"`)
	return cookie, id
}

func (a *assault) revoked() string {
	cookie, id := a.enrol("Muro 2")
	if got := a.page("GET", "/quien", "", "Cookie", cookie); got != "200 page" {
		return "before: " + got
	}
	a.ask("POST", "/api/devices/"+id+"/revocar", "{}", bearer(a.admin)...)
	return a.page("GET", "/quien", "", "Cookie", cookie)
}

// enter opens a supervisor's session and returns its cookie.
func (a *assault) enter(header ...string) string {
	resp, raw := a.ask("POST", "/api/supervisor/session", `{"pin":"`+a.pin+`"}`, header...)
	for _, c := range resp.Cookies() {
		if c.Name == "envivo_supervisor" {
			return c.Name + "=" + c.Value
		}
	}
	a.t.Fatalf("no session: %d %s", resp.StatusCode, raw)
	return ""
}

func (a *assault) replayed() string {
	a.session = a.enter(bearer(a.act)...)
	a.ask("DELETE", "/api/supervisor/session", "", append(bearer(a.act), "Cookie", a.session)...)
	return a.code("POST", "/api/occupation/liberar", `{"tag_spool":"S-0001","motivo":"x"}`, append(bearer(a.act), "Cookie", a.session)...)
}

// guesser is the address that guesses.
const guesser = "127.0.0.9"

func (a *assault) guessed() string {
	var mu sync.Mutex
	looked := 0
	var all sync.WaitGroup
	for range 24 {
		all.Go(func() {
			got := a.code("POST", "/api/supervisor/session", `{"pin":"00000000"}`, "X-From", guesser)
			mu.Lock()
			defer mu.Unlock()
			if got == noAccess {
				looked++
			}
		})
	}
	all.Wait()
	if looked > 5 {
		return fmt.Sprintf("%d looked at", looked)
	}
	return a.code("POST", "/api/supervisor/session", `{"pin":"`+a.pin+`"}`, "X-From", guesser)
}

func (a *assault) traversed() string {
	for _, path := range []string{"/../../../../etc/passwd", "/assets/../../../etc/passwd", "/assets/..%2f..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/....//etc/passwd", "//etc/passwd", "/assets/plant.db", "/plant.db", "/backups/"} {
		c := a.dial()
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n", path, a.admin)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return path + ": " + err.Error()
		}
		raw, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode == http.StatusOK || bytes.Contains(raw, []byte("root:")) {
			return fmt.Sprintf("%s = %d %v", path, resp.StatusCode, err)
		}
	}
	return "no file"
}

func (a *assault) dial() net.Conn {
	c, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = c.Close() }) // the test is over
	return c
}

func (a *assault) socket(header ...string) string {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	c, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(a.url, "http")+"/ws", h)
	if err == nil {
		_ = c.Close() // it should not be there
		return "let in"
	}
	if resp == nil {
		return err.Error()
	}
	return fmt.Sprint(resp.StatusCode, " no socket")
}

// flood opens a stream and sends n messages of a size.
func (a *assault) flood(n, size int) string {
	c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(a.url, "http")+"/ws", http.Header{"Authorization": {"Bearer " + a.read}})
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	for range n {
		if c.WriteMessage(websocket.TextMessage, bytes.Repeat([]byte("x"), size)) != nil {
			break // it was closed meanwhile; the code says why
		}
	}
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				return fmt.Sprint("closed ", closed.Code)
			}
			return err.Error()
		}
	}
}
