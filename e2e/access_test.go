package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
)

var setupCode = regexp.MustCompile(`[A-Z2-9]{4}-[A-Z2-9]{4}`)

// fill types into fields by their names, picks radio buttons by their values and
// presses a command.
func (e *eye) fill(cmd string, fields ...string) {
	e.t.Helper()
	for i := 0; i+1 < len(fields); i += 2 {
		js := fmt.Sprintf(`(() => { for (const f of document.querySelectorAll('[name=%q]')) { if (f.type !== 'radio') { f.value = %q; return true; } if (f.value === %[2]q) return f.checked = true; } return false; })()`, fields[i], fields[i+1])
		until(e.t, e.tab, fields[i]+" takes no "+fields[i+1], js)
	}
	until(e.t, e.tab, "nothing is called "+cmd, fmt.Sprintf(`(b => b && (b.scrollIntoView({block: 'center', behavior: 'instant'}), true))(document.querySelector('[data-cmd=%q]'))`, cmd))
	click(e.t, e.tab, fmt.Sprintf(`[data-cmd=%q]`, cmd))
}

// says waits until the page says a text.
func (e *eye) says(text string) {
	e.t.Helper()
	until(e.t, e.tab, "the page never said "+text, fmt.Sprintf(`document.body.innerText.includes(%q)`, text))
}

// judge is look.at for what is on the screen now and cannot be loaded again.
func (l *look) judge(name string) {
	l.t.Helper()
	l.ask(name, "by hand", `audit.plain()`)
	l.shoot(name, "light")
	eval[bool](l.t, l.tab, `(() => { `+l.axe+`; return !!window.axe; })()`)
	l.ask(name, "axe", `audit.axed()`)
}

// TestTabletsAreEnrolledAndRevoked plays the installation of a plant: the
// printed code, the office, a tablet by code, one by PIN, and the tablet's end
// while its page is open. Every page on the way is looked at.
func TestTabletsAreEnrolledAndRevoked(t *testing.T) {
	t.Parallel()
	data := newPlant(t, 30, 2)
	s := launch(t, data, "serve", "--data", data, "--addr", "127.0.0.1:0")
	code := setupCode.FindString(<-s.said)
	axe, first, shots := axeSource(t), browser(t), shotFolder(t)
	office := look{eye: newEye(t, first, s, shots, 1280, 800), axe: axe, axeTheme: "dark"}
	floor := look{eye: newEye(t, first, s, shots, 601, 962), axe: axe, axeTheme: "light"}
	floor.at(screen{"acceso sin instalar", "/quien", "403"})

	office.at(screen{"acceso instalar", "/instalar", ""})
	office.fill("INSTALAR", "codigo", "AAAA-AAAA", "pin", demoPIN, "pin2", demoPIN, "nombre", "Oficina", "tipo", "personal")
	office.says("Quedan 4 intentos")
	office.fill("INSTALAR", "codigo", code, "pin", demoPIN, "pin2", demoPIN)
	office.says("Administración")
	office.judge("acceso recien instalado")

	floor.at(screen{"acceso tablet sin registrar", "/spools/" + spoolTag(1), "403"})
	eval[bool](t, office.tab, `document.querySelector('[action="/admin/codigo"]').closest('details').open = true`)
	office.judge("acceso tablet nueva")
	office.fill("CODIGO", "nombre", "Armado 1", "oficio", "Armador", "escala", "guantes")
	office.says("Sirve una vez")
	office.judge("acceso codigo")
	floor.at(screen{"acceso con codigo", "/tablet?volver=%2Fquien&codigo=" + eval[string](t, office.tab, `document.querySelector('[data-codigo]').innerText.replace('-', '')`), ""})
	floor.fill("REGISTRAR")
	floor.says("Registrada: Armado 1.")
	live(t, floor.tab)
	floor.shoot("acceso registrada", "light")
	s.strangers(http.StatusForbidden, "/quien", "/api/workers", "/ws")

	open(t, office.tab, s.url+"/admin")
	office.judge("acceso administracion")
	click(t, office.tab, `[aria-label="Cambiar o revocar Armado 1"]`)
	office.says("REVOCAR Armado 1")
	office.judge("acceso una tablet")
	office.fill("REVOCAR")
	office.says("Revocado: Armado 1 ya no entra.")
	floor.says("Esta tablet no está registrada")
	floor.shoot("acceso revocada", "light")

	floor.fill("ENTRAR", "pin", demoPIN)
	floor.says("Nombre de la tablet")
	floor.judge("acceso registrar con PIN")
	floor.fill("REGISTRAR", "nombre", "Soldadura 1")
	floor.says("Registrada: Soldadura 1.")
	for _, l := range []look{office, floor} {
		for _, said := range l.heard("40") { // the refusals on the way
			t.Errorf("%s: %s", l.size, said)
		}
	}
}

// strangers wants a status for everybody who is not enrolled.
func (s *server) strangers(status int, paths ...string) {
	s.t.Helper()
	for _, path := range paths {
		resp, err := http.Get(s.url + path)
		if err != nil {
			s.t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != status {
			s.t.Errorf("GET %s by a stranger = %d, %v, want %d", path, resp.StatusCode, err, status)
		}
	}
}
