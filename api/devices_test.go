package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"envivo/api"
	"envivo/plant"
	"envivo/ui"
)

// device enrols a device and returns its cookie.
func (b *box) device(name, kind string) string {
	b.t.Helper()
	secret, s, err := api.NewDevice(api.Device{TabletSettings: ui.TabletSettings{Name: name, Kind: kind}.Filled(), By: "prueba"}, strings.NewReader(strings.Repeat(name, 60)))
	if err != nil {
		b.t.Fatalf("make a device: %v", err)
	}
	b.setting(s)
	return "envivo_device=" + secret
}

// deviceID is the id in a device's cookie.
func deviceID(cookie string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(cookie, "envivo_device="), ".")
	return id
}

// with gives a browser a cookie.
func (p *tablet) with(cookie string) *tablet {
	name, value, _ := strings.Cut(cookie, "=")
	p.cookies[name] = value
	return p
}

// setup is the code of a plant that waits to be set up.
func (b *box) setup() string {
	b.t.Helper()
	code, err := b.api.SetupCode()
	if err != nil || code == "" {
		b.t.Fatalf("the set-up code = %q, %v", code, err)
	}
	return code
}

func setupForm(code, pin string) url.Values {
	return url.Values{"codigo": {code}, "pin": {pin}, "pin2": {pin}, "nombre": {"Oficina"}, "tipo": {"personal"}}
}

func TestThePlantIsSetUpOnceWithItsCode(t *testing.T) {
	b := newBox(t, enrolled)
	code := b.setup()
	p := b.tablet().open("/quien", http.StatusForbidden).says("Este servidor todavía no está instalado", "Instalar").silent("S-1")
	p.open("/instalar", http.StatusOK).says("Código de instalación")
	for name, f := range map[string]url.Values{"two PINs": {"codigo": {code}, "pin": {"2580"}, "pin2": {"2581"}, "nombre": {"x"}}, "letters": setupForm(code, "abcd"),
		"no name": {"codigo": {code}, "pin": {"2580"}, "pin2": {"2580"}}, "a TV": {"codigo": {code}, "pin": {"2580"}, "pin2": {"2580"}, "nombre": {"x"}, "tipo": {"tv"}}} {
		if r := p.send(http.MethodPost, "/instalar", f); r.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("a set-up with %s = %d, want 422", name, r.StatusCode)
		}
	}
	p.fill("/instalar", setupForm("AAAA-AAAA", "2580")).says("Código incorrecto", "Quedan 4 intentos")
	before := b.seq()
	p.open("/instalar", http.StatusOK).press("INSTALAR", setupForm(strings.ToLower(code), "2580")).says("Administración", "Oficina", "(esta)")
	c := p.send(http.MethodGet, "/quien", nil)
	if c.StatusCode != http.StatusOK || b.seq() != before+2 {
		t.Errorf("after the set-up /quien = %d with %d events, want 200 and the PIN and the device as events", c.StatusCode, b.seq()-before)
	}
	if r := b.tablet().send(http.MethodPost, "/instalar", setupForm(code, "9999")); r.StatusCode != http.StatusConflict {
		t.Errorf("the code a second time = %d, want 409", r.StatusCode)
	}
	if code, err := b.api.SetupCode(); code != "" || err != nil {
		t.Errorf("a plant that is set up has the code %q, %v", code, err)
	}
	if again, err := newBox(t).api.SetupCode(); again != "" || err != nil {
		t.Errorf("an open plant has the set-up code %q, %v", again, err)
	}
}

func TestTheCodeCannotBeGuessed(t *testing.T) {
	b := newBox(t, enrolled)
	code, p := b.setup(), b.tablet()
	for range 5 {
		p.send(http.MethodPost, "/instalar", setupForm("AAAA-AAAA", "2580"))
	}
	if r := p.send(http.MethodPost, "/instalar", setupForm(code, "2580")); r.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the right code after five wrong ones = %d, want 429", r.StatusCode)
	}
	b.clock.Add(time.Minute)
	if r := p.send(http.MethodPost, "/instalar", setupForm(code, "2580")); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the right code a minute later = %d, want 303", r.StatusCode)
	}
}

// office is the supervisor at an enrolled device.
func (b *box) office() *tablet {
	b.t.Helper()
	b.pin("2580")
	p := b.tablet().with(b.device("Oficina", "personal"))
	return p.open("/entrar?volver=%2Fadmin", http.StatusOK).press("ENTRAR", url.Values{"pin": {"2580"}}).says("Administración")
}

// inner is the text of the element with an attribute.
func (p *tablet) inner(attr string) string {
	p.t.Helper()
	n := p.find(func(n *html.Node) bool {
		for _, a := range n.Attr {
			if a.Key == attr {
				return true
			}
		}
		return false
	})
	if n == nil {
		p.t.Fatalf("%s has no %s; it says %q", p.at, attr, p.text())
	}
	return nodeText(n)
}

func TestATabletIsEnrolledWithACode(t *testing.T) {
	b := newBox(t, enrolled)
	office := b.office()
	office.press("CODIGO", url.Values{"nombre": {"Soldadura  2"}, "tipo": {"compartida"}, "oficio": {"Soldador"}, "escala": {"guantes"}, "volumen": {"fuerte"}})
	code := office.inner("data-codigo")
	office.says("Soldadura 2", "http://example.com/tablet?codigo=", "Sirve una vez")

	n := b.tablet().open("/spools/S-1", http.StatusForbidden)
	n.open("/tablet?codigo="+strings.ReplaceAll(code, "-", "")+"&volver=%2Fspools%2FS-1", http.StatusOK).press("REGISTRAR", url.Values{"codigo": {code}})
	n.says("Registrada: Soldadura 2.", "NV1")
	if n.at != "/spools/S-1" || n.cookies["envivo_device"] == "" {
		t.Errorf("the new tablet is at %s with cookies %v", n.at, n.cookies)
	}
	n.open("/", http.StatusOK).says("Carla Díaz", "Soldador 1 Armador 2").silent("Ana Bravo")
	n.open("/?rol=Armador", http.StatusOK).says("Ana Bravo", "Soldador 1 Armador 2")
	for _, want := range []string{`data-escala="guantes"`, `data-volumen="fuerte"`} {
		if !strings.Contains(n.raw, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	n.open("/menu", http.StatusOK).says("Soldadura 2", "Compartida · Soldador · Guantes")
	n.identify("34").says("Carla Díaz")
	b.tablet().fill("/tablet/codigo", url.Values{"codigo": {code}}).says("Código incorrecto, vencido o ya usado")
	office.open("/admin", http.StatusOK).says("Soldadura 2", "último contacto")

	office.press("CODIGO", url.Values{"nombre": {"soldadura 2"}}).says("Ya hay una tablet con ese nombre")
	office.open("/admin", http.StatusOK).press("CODIGO", url.Values{"nombre": {"Otra"}})
	late := office.inner("data-codigo")
	b.clock.Add(10 * time.Minute)
	b.tablet().fill("/tablet/codigo", url.Values{"codigo": {late}}).says("Código incorrecto, vencido o ya usado")
}

func TestADeviceInUseIsNotForgotten(t *testing.T) {
	b := newBox(t, enrolled)
	p := b.tablet().with(b.device("Armado 1", "compartida"))
	renewed := func() bool {
		r := p.send(http.MethodGet, "/quien", nil, "Accept", "text/html")
		return slices.ContainsFunc(r.Cookies(), func(c *http.Cookie) bool {
			return c.Name == "envivo_device" && c.MaxAge > 300*24*3600 && c.HttpOnly && c.SameSite == http.SameSiteLaxMode
		})
	}
	if !renewed() || renewed() {
		t.Error("the cookie is not renewed once on the first visit of a day")
	}
	b.clock.Add(24 * time.Hour)
	if !renewed() {
		t.Error("the cookie is not renewed a day later")
	}
}

func TestEventsNameTheTablet(t *testing.T) {
	b := newBox(t, enrolled)
	b.tablet().with(b.device("Armado 1", "compartida")).identify("12").open("/spools/S-1", http.StatusOK).press("TOMAR", nil)
	last := b.last()
	if last.Kind != plant.KindTomar || last.Device != "Armado 1" {
		t.Errorf("the last event is %v from %q, want TOMAR from the tablet", last.Kind, last.Device)
	}
	office := b.office()
	office.press("CODIGO", url.Values{"nombre": {"Otra"}})
	b.tablet().fill("/tablet/codigo", url.Values{"codigo": {office.inner("data-codigo")}})
	if last = b.last(); last.Kind != plant.KindAjuste || last.Device != "Oficina" || !last.Supervisor {
		t.Errorf("an enrolment is %v from %q, want an AJUSTE from where it was allowed", last.Kind, last.Device)
	}
}

// last is the newest event.
func (b *box) last() plant.Event {
	b.t.Helper()
	events, err := b.store.Events(b.t.Context(), b.seq()-1, 1)
	if err != nil || len(events) != 1 {
		b.t.Fatalf("the last event: %v, %v", events, err)
	}
	return events[0]
}

func TestARevokedTabletIsAStrangerAtOnce(t *testing.T) {
	b := newBox(t, enrolled)
	office, cookie := b.office(), b.device("Armado 1", "compartida")
	p := b.tablet().with(cookie).open("/quien", http.StatusOK)
	office.open("/admin/tablets/"+deviceID(cookie), http.StatusOK).says("REVOCAR Armado 1").press("REVOCAR", nil).says("Revocado: Armado 1 ya no entra.").silent("Etiqueta")
	p.open("/quien", http.StatusForbidden).says("Esta tablet no está registrada. Pide al supervisor.").silent("S-1")
	b.get("/api/workers", "Cookie", cookie).want(t, "JSON of a revoked tablet", 403, "NO_AUTORIZADO")
	if p.send(http.MethodGet, "/pulso", nil); !strings.Contains(p.raw, `"fuera":true`) {
		t.Errorf("the pulse of a revoked tablet is %s", p.raw)
	}
	office.open("/admin/tablets/"+deviceID(cookie), http.StatusNotFound)
	if r := office.send(http.MethodPost, "/admin/revocar/NADA123", url.Values{}); r.StatusCode != http.StatusNotFound {
		t.Errorf("revoking what is not there = %d, want 404", r.StatusCode)
	}
}

func TestATabletIsRenamed(t *testing.T) {
	b := newBox(t, enrolled)
	office, cookie := b.office(), b.device("Armado 1", "compartida")
	at := "/admin/tablets/" + deviceID(cookie)
	office.open(at, http.StatusOK).press("GUARDAR", url.Values{"nombre": {"Oficina"}}).says("Ya hay una tablet con ese nombre")
	office.open(at, http.StatusOK).press("GUARDAR", url.Values{"nombre": {""}}).says("Escribe el nombre de la tablet")
	office.open(at, http.StatusOK).press("GUARDAR", url.Values{"nombre": {"Armado norte"}, "tipo": {"personal"}}).says("Guardado: Armado norte.")
	b.tablet().with(cookie).open("/menu", http.StatusOK).says("Armado norte", "Personal")
	office.open("/admin/etiquetas", http.StatusOK).says("Armado norte", ui.DeviceCode(deviceID(cookie)))
}

func TestAWallScreenOnlyLooks(t *testing.T) {
	b := newBox(t, enrolled)
	b.pin("2580")
	cookie := b.device("Muro", "tv")
	p := b.tablet().with(cookie)
	if r := p.send(http.MethodGet, "/", nil); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/tv" {
		t.Errorf("/ on a wall screen = %d to %s, want /tv", r.StatusCode, r.Header.Get("Location"))
	}
	p.open("/tv", http.StatusOK)
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM"), "Cookie", cookie).want(t, "TOMAR by a wall screen", 403, "NO_AUTORIZADO")
	p.fill("/spools/S-1/tomar", form("operacion", "ARM")).says("Esta pantalla solo muestra.")
	session, _ := b.session("2580", "Cookie", cookie)
	b.post("/api/occupation/liberar", fields{"tag_spool": "S-1", "motivo": "turno"}, "Cookie", cookie+"; "+session).want(t, "LIBERAR on a wall screen", 403)
	if r := p.send(http.MethodGet, "/admin", nil); r.StatusCode != http.StatusSeeOther {
		t.Errorf("/admin on a wall screen = %d, want 303 to the PIN", r.StatusCode)
	}
}

func TestTokensAreMadeAndRevokedOnThePage(t *testing.T) {
	b := newBox(t, enrolled)
	office := b.office()
	office.press("TOKEN", url.Values{"nombre": {"erp"}, "alcance": {"act"}})
	erp := []string{"Authorization", "Bearer " + office.inner("data-secreto")}
	b.get("/api/workers", erp...).want(t, "the new token", 200)
	office.open("/admin", http.StatusOK).press("TOKEN", url.Values{"nombre": {"erp"}, "alcance": {"read"}}).says("Escribe un nombre que no tenga otro token")
	office.open("/admin", http.StatusOK).press("TOKEN", url.Values{"nombre": {"muro"}, "alcance": {"read"}}).says("/tv?clave=envivo_")
	secret, wall := office.inner("data-secreto"), b.tablet()
	wall.send(http.MethodGet, "/tv?clave="+secret, nil)
	wall.open("/tv", http.StatusOK)
	office.open("/admin/tokens/"+strings.Split(secret, "_")[1], http.StatusOK).press("REVOCAR", nil).says("Revocado: muro ya no entra.")
	wall.open("/tv", http.StatusForbidden)
	office.open("/admin/tokens/"+strings.Split(secret, "_")[1], http.StatusNotFound)
	if r := office.send(http.MethodPost, "/admin/tokens/00000000", url.Values{}); r.StatusCode != http.StatusNotFound {
		t.Errorf("revoking a token that is not there = %d, want 404", r.StatusCode)
	}
}

// TestTheDiagnosisHoldsNoSecret: it is made to be sent away.
func TestTheDiagnosisHoldsNoSecret(t *testing.T) {
	var b *box
	b = newBox(t, enrolled, func(o *api.Options) {
		o.Diagnosis = func(_ context.Context, w io.Writer) error {
			for _, l := range b.api.HealthLines() {
				fmt.Fprintln(w, l.Level, l.Name, l.Text)
			}
			b.api.WriteMetrics(w)
			return b.api.WriteBox(w)
		}
		o.Health = func() []ui.HealthLine { return []ui.HealthLine{{Name: "Disco", Level: "bad", Text: "lleno"}} }
		o.Settings = []ui.Fact{{Name: "Acceso", Value: "enrolled"}}
	})
	office, secret := b.office(), b.token("read")
	office.says("Disco", "Mal: lleno", "Acceso", "enrolled")
	r := office.send(http.MethodGet, "/admin/diagnostico", nil)
	if r.StatusCode != http.StatusOK || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment; filename=") {
		t.Fatalf("the diagnosis = %d with %v", r.StatusCode, r.Header)
	}
	for _, want := range []string{"bad Disco lleno", "Sincronización", "Guardar", "Oficina", "tv-read", "envivo_http_requests_total", b.store.Snapshot().Epoch, ui.HeadCode(b.store.Snapshot().Seq, b.store.Snapshot().Head)} {
		if !strings.Contains(office.raw, want) {
			t.Errorf("the diagnosis lacks %s", want)
		}
	}
	snap := b.store.Snapshot()
	for _, key := range snap.Settings("") {
		d, err := api.ParseDevice(plant.Setting{Key: key, Value: snap.Setting(key)})
		if err == nil && strings.Contains(office.raw, d.SHA256) || strings.Contains(office.raw, snap.Setting(key)) {
			t.Errorf("the diagnosis holds the setting %s", key)
		}
	}
	if strings.Contains(office.raw, secret) || strings.Contains(office.raw, "Bravo") {
		t.Error("the diagnosis holds a token's secret or somebody's name")
	}
}

// TestTheFrameOfAStrangerTellsNothing: a made-up cookie must not name anybody.
func TestTheFrameOfAStrangerTellsNothing(t *testing.T) {
	b := newBox(t, enrolled)
	b.pin("2580")
	p := b.tablet().with("envivo_persona=12").with("envivo_device=AAAAAAA.x")
	for path, status := range map[string]int{"/quien": 403, "/entrar": 200, "/tablet": 200, "/instalar": 200, "/admin": 403, "/spools/S-1": 403} {
		p.open(path, status).silent("Ana", "Bravo", "S-1", "Mis spools")
	}
}

func TestAnOpenPlantWarnsTheSupervisor(t *testing.T) {
	b := newBox(t)
	b.pin("2580")
	p := b.tablet().open("/quien", http.StatusOK).silent("Acceso abierto")
	p.open("/entrar", http.StatusOK).press("ENTRAR", url.Values{"pin": {"2580"}}).says("Acceso abierto: cualquiera en esta red puede registrar.")
	p.open("/menu", http.StatusOK).fill("/tablet", url.Values{"escala": {"gruesos"}})
	if !strings.Contains(p.raw, `data-escala="gruesos"`) {
		t.Error("an open plant's tablet does not keep its scale")
	}
	if r := p.send(http.MethodPost, "/tablet", url.Values{"tipo": {"tv"}}); r.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a kind nobody offers = %d, want 422", r.StatusCode)
	}
}

// breakable is a plant that can be told to fail.
type breakable struct {
	api.Plant
	err error
	// good are the snapshots given before the plant panics, when panics is set.
	good   int
	panics bool
}

func (p *breakable) Do(ctx context.Context, c plant.Command) (plant.Receipt, error) {
	if p.err != nil {
		return plant.Receipt{}, p.err
	}
	return p.Plant.Do(ctx, c)
}

func (p *breakable) Snapshot() *plant.Snapshot {
	if p.good--; p.panics && p.good < 0 {
		panic("a bug")
	}
	return p.Plant.Snapshot()
}

func TestDevicesForPrograms(t *testing.T) {
	var broken *breakable
	b := newBox(t, enrolled, func(o *api.Options) {
		broken = &breakable{Plant: o.Plant}
		o.Plant, o.Random = broken, rand.NewChaCha8([32]byte{})
	})
	admin := []string{"Authorization", "Bearer " + b.token("admin")}
	b.get("/api/devices", "Authorization", "Bearer "+b.token("act")).want(t, "a token that acts", 403, "NO_AUTORIZADO")
	r := b.post("/api/devices/codigo", fields{"nombre": "Muro", "tipo": "tv"}, admin...).want(t, "a code", 200)
	wall := b.tablet()
	wall.send(http.MethodPost, "/tablet/codigo", url.Values{"codigo": {r.text("codigo")}})
	wall.open("/tv", http.StatusOK)
	b.post("/api/devices/codigo", fields{"nombre": "muro"}, admin...).want(t, "a name that is taken", 409, "NOMBRE_EN_USO")
	for _, body := range []any{fields{}, fields{"nombre": " "}, fields{"nombre": "x", "tipo": "robot"}, `[]`} {
		b.post("/api/devices/codigo", body, admin...).want(t, "a bad device", 422, "VALIDATION_ERROR")
	}
	b.post("/api/devices/codigo", `{"nombre":"`+strings.Repeat("A", 2<<20)+`"}`, admin...).want(t, "a huge name", 413)
	list := b.get("/api/devices", admin...).want(t, "the list", 200).items("devices")
	if len(list) != 1 || list[0]["nombre"] != "Muro" || list[0]["tipo"] != "tv" || list[0]["por"] != "tv-admin" || list[0]["ultimo_contacto"] == nil {
		t.Fatalf("devices = %v, want the wall that was just there", list)
	}
	at := "/api/devices/" + list[0]["id"].(string) + "/revocar"
	broken.err = &plant.Error{Code: plant.CodeBusy}
	b.post(at, nil, admin...).want(t, "revoking in a busy plant", 503)
	broken.err = errors.New("a bug")
	b.post(at, nil, admin...).want(t, "revoking in a broken plant", 500)
	broken.err = nil
	b.post(at, nil, admin...).want(t, "revoking", 200)
	b.post(at, nil, admin...).want(t, "revoking again", 404, "NO_ENCONTRADO")
	wall.open("/tv", http.StatusForbidden)
	broken.panics = true
	for _, way := range []string{"GET /api/devices", "POST /api/devices/codigo"} {
		method, path, _ := strings.Cut(way, " ")
		broken.good = 1 // the token's
		b.send(method, path, fields{"nombre": "x"}, admin...).want(t, way+" in a broken plant", 500)
	}
	broken.panics = false
	for i := range 50 {
		b.post("/api/devices/codigo", fields{"nombre": "n" + strconv.Itoa(i)}, admin...).want(t, "a code", 200)
	}
	b.post("/api/devices/codigo", fields{"nombre": "one more"}, admin...).want(t, "too many codes", 409)
}
