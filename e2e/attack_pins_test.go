package e2e

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// setPIN sets the supervisor's PIN at the terminal, or a worker's.
func setPIN(t *testing.T, data, pin string, more ...string) {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"pin", "set", "--data", data}, more...)...)
	cmd.Stdin = strings.NewReader(pin + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("set the PIN: %v %s", err, out)
	}
}

// asBruno is a TOMAR in his name with a PIN, empty for none.
func (a *assault) asBruno(pin string) string {
	return fmt.Sprintf(`{"tag_spool":"S-0001","worker_id":13,"operacion":"ARM","pin":%q}`, pin)
}

// guessedBruno tries a PIN with a token where it was never right.
func (a *assault) guessedBruno() string {
	var mu sync.Mutex
	looked := 0
	var all sync.WaitGroup
	for range 24 {
		all.Go(func() {
			got := a.code("POST", "/api/occupation/tomar", a.asBruno("000000000000"), bearer(a.act)...)
			mu.Lock()
			defer mu.Unlock()
			if got == "403 PIN_INCORRECTO" {
				looked++
			}
		})
	}
	all.Wait()
	if looked > 5 {
		return fmt.Sprintf("%d looked at", looked)
	}
	return a.code("POST", "/api/occupation/tomar", a.asBruno(a.workerPIN), bearer(a.act)...)
}

// becomeBruno enters the PIN on the enrolled device and keeps the cookie.
func (a *assault) becomeBruno() string {
	form := url.Values{"trabajador": {"13"}, "pin": {a.workerPIN}}.Encode()
	resp, raw := a.ask("POST", "/persona", form, "Cookie", a.device, "Content-Type", formType)
	for _, c := range resp.Cookies() {
		if c.Name == "envivo_persona" {
			a.person = c.Name + "=" + c.Value
		}
	}
	if a.person == "" {
		a.t.Fatalf("Bruno's PIN on the device = %d %.300s", resp.StatusCode, raw)
	}
	return a.page("GET", "/mis", "", "Cookie", a.device+"; "+a.person)
}

func (a *assault) carriedPerson() string {
	if got := a.becomeBruno(); got != "200 page" {
		return "at home: " + got
	}
	other, _ := a.enrol("Torno 3")
	return a.page("GET", "/mis", "", "Cookie", other+"; "+a.person)
}

func (a *assault) replayedPerson() string {
	if got := a.becomeBruno(); got != "200 page" {
		return "before: " + got
	}
	a.page("POST", "/salir", "", "Cookie", a.device+"; "+a.person, "Content-Type", formType)
	return a.page("GET", "/mis", "", "Cookie", a.device+"; "+a.person)
}

// aboutBruno is the file of everything known of him.
func (a *assault) aboutBruno() string {
	path := filepath.Join(a.t.TempDir(), "13.json")
	envivo(a.t, "worker", "export", "13", "--data", a.data, "--out", path)
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), `"tiene_pin": true`) {
		a.t.Fatalf("what is known of Bruno: %.300s, %v", text, err)
	}
	return string(text)
}
