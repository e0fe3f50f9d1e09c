package api_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"envivo/api"
	"envivo/plant"
)

// The callers of the matrix, each with its headers.
type caller struct {
	name    string
	headers []string
	// may says whether the gate lets the caller through to an address of a class.
	may string
}

// The classes of addresses: free to all; looks for who may read; acts for who
// may act; admin for a supervisor or an administrator's token. pin is a page
// that asks whoever may act for the PIN.
const (
	free  = "free"
	looks = "looks"
	acts  = "acts"
	admin = "admin"
	pin   = "pin"
)

// classes names the class of every address that is none of the table of routes:
// a new page has to be entered here.
var classes = map[string]string{
	"/api/": free, "/": looks, "GET /ws/ui": looks,
	"GET /entrar": free, "POST /entrar": free, "POST /entrar/salir": free, "GET /pulso": free,
	"GET /instalar": free, "POST /instalar": free, "GET /tablet": free, "POST /tablet/codigo": free, "POST /tablet/registrar": free,
	"GET /{$}": looks, "GET /quien": looks, "GET /spools": looks, "GET /spools/{tag}": looks, "GET /spools/{tag}/orden": looks, "GET /mis": looks, "GET /listos": looks,
	"GET /metrologia": looks, "GET /reparacion": looks, "GET /menu": looks, "GET /buscar": looks, "GET /tv": looks, "GET /cifras": looks, "GET /momento": looks,
	"GET /mi-registro/{worker}": looks, "GET /registro/{worker}": looks, "GET /spools/{tag}/dossier": looks, "GET /imprimir": looks, "GET /canasta": looks,
	"GET /canasta/orden": looks, "GET /spools/{tag}/uniones": looks, "GET /supervisor": looks, "GET /sync": looks,
	"POST /spools/{tag}/{verbo}": acts, "GET /persona": looks, "POST /persona": acts, "POST /salir": acts, "POST /cifras/meta": acts, "POST /escaneo": acts, "POST /escaneo/imagen": acts, "POST /canasta": acts,
	"POST /canasta/{verbo}": acts, "POST /tablet": acts, "POST /supervisor/cierre": acts, "POST /supervisor/seguidos": acts, "GET /supervisor/frenos": looks, "GET /spools/{tag}/corregir": looks, "POST /spools/{tag}/corregir": acts, "POST /spools/{tag}/uniones": acts,
	"POST /sync/ahora": acts, "POST /sync/propuestas/{id}/aceptar": acts, "POST /sync/propuestas/{id}/rechazar": acts, "POST /sync/aparcados/{seq}/reintentar": acts,
	"GET /imprimir/contingencia": looks, "GET /admin/personas": pin, "GET /admin/personas/{id}": pin, "POST /admin/personas/{id}": pin,
	"GET /admin/personas/{id}/datos": pin, "GET /admin/actos": pin,
	"POST /admin/personas/{id}/pin": pin,
	"GET /admin":                    pin, "GET /admin/etiquetas": pin, "GET /admin/diagnostico": pin, "GET /admin/tablets/{id}": pin, "GET /admin/tokens/{id}": pin,
	"POST /admin/codigo": pin, "POST /admin/tablets/{id}": pin, "POST /admin/revocar/{id}": pin, "POST /admin/tokens": pin, "POST /admin/tokens/{id}": pin,
}

// classOf is the class of an address; the table of routes says it of its own.
func classOf(t *testing.T, pattern string) string {
	t.Helper()
	for at, scope := range api.RouteScopes() {
		if at != pattern {
			continue
		}
		return []string{free, looks, acts, admin}[scope]
	}
	class, ok := classes[pattern]
	if !ok {
		t.Fatalf("nobody said who may use %s: enter it in classes", pattern)
	}
	return class
}

// callers are everybody who may knock.
func callers(b *box) []caller {
	b.pin("2580")
	secrets := map[string]string{}
	for _, scope := range []string{"read", "act", "admin"} {
		secrets[scope] = b.token(scope)
	}
	bearer := func(scope string) []string { return []string{"Authorization", "Bearer " + secrets[scope]} }
	cookie := func(c ...string) []string { return []string{"Cookie", strings.Join(c, "; ")} }
	device, tv, revoked := b.device("Armado 1", "compartida"), b.device("Muro", "tv"), b.device("Vieja", "compartida")
	b.forget(revoked)
	stray, _ := b.session("2580")
	mine, _ := b.session("2580", "Cookie", device)
	carried, _ := b.session("2580", "Cookie", device)
	wall, _ := b.session("2580", "Cookie", tv)
	const none, reads, works, all = "", "looks", "looks acts", "looks acts admin pin"
	return []caller{
		{"nobody", nil, none}, {"a revoked device", cookie(revoked), none}, {"a made-up device", cookie("envivo_device=AAAAAAA.x"), none},
		{"a supervisor on a device that is not enrolled", cookie(stray), none}, {"a session carried off to another device", cookie(carried), none},
		{"a token that is none", []string{"Authorization", "Bearer envivo_00000000_x"}, none},
		{"a wall screen", cookie(tv), reads}, {"a supervisor on a wall screen", cookie(tv, wall), reads}, {"a screen's link", cookie("envivo_pantalla=" + secrets["read"]), reads},
		{"a token that reads", bearer("read"), reads}, {"a token that acts", bearer("act"), works}, {"a token that administers", bearer("admin"), all},
		{"a device", cookie(device), works}, {"a supervisor on a device", cookie(device, mine), all},
	}
}

// forget revokes a device.
func (b *box) forget(cookie string) {
	b.t.Helper()
	b.setting(plant.Setting{Key: "device/" + deviceID(cookie)})
}

// knock asks for an address; let is whether the gate let it through. The answers
// behind the gate are other tests' matter.
func (b *box) knock(pattern string, headers []string) (status int, let bool) {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		method, path = http.MethodGet, pattern+"no-hay"
	}
	path = strings.NewReplacer("{$}", "", "{tag}", "S-1", "{worker}", "12", "{worker_id}", "12", "{id}", "12", "{seq}", "1", "{verbo}", "nada").Replace(path)
	r := httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(""))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.api.ServeHTTP(w, r)
	body := w.Body.String()
	shut := w.Code == http.StatusForbidden && (path == "/metrics" || strings.Contains(body, "hace falta un dispositivo inscrito o un token") || strings.Contains(body, "el token no es válido") ||
		strings.Contains(body, "Esta tablet no está registrada") || strings.Contains(body, "Esta pantalla solo muestra"))
	to := w.Header().Get("Location")
	enrol := w.Code == http.StatusSeeOther && strings.HasPrefix(to, "/tablet?")
	asked := w.Code == http.StatusSeeOther && strings.HasPrefix(to, "/entrar?volver=%2Fadmin")
	return w.Code, !shut && !enrol && !asked
}

// TestEveryAddressForEveryCaller walks the muxes: whoever is not in the class of
// an address is stopped at the gate, whoever is gets past it.
func TestEveryAddressForEveryCaller(t *testing.T) {
	b := newBox(t, enrolled, func(o *api.Options) {
		stand := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
		o.WS, o.SSE, o.UI = stand, stand, stand
	})
	patterns := api.Patterns(b.api)
	if len(patterns) < 120 || len(patterns) < len(classes)+len(api.RouteScopes()) {
		t.Fatalf("the muxes have %d addresses; the test would prove nothing", len(patterns))
	}
	ends := []string{"DELETE /api/supervisor/session", "POST /entrar/salir"} // knocked at last: they end the session
	patterns = append(slices.DeleteFunc(patterns, func(p string) bool { return slices.Contains(ends, p) }), ends...)
	for pattern := range classes {
		if !slices.Contains(patterns, pattern) {
			t.Errorf("%s is in classes, but no page", pattern)
		}
	}
	for _, c := range callers(b) {
		for _, pattern := range patterns {
			class := classOf(t, pattern)
			want := class == free || slices.Contains(strings.Fields(c.may), class)
			if status, let := b.knock(pattern, c.headers); let != want {
				t.Errorf("%s at %s (%s): status %d, let in %v, want %v", c.name, pattern, class, status, let, want)
			}
		}
	}
}
