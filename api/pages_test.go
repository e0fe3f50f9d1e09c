package api_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"envivo/api"
	"envivo/plant"
)

func TestEveryPageOpensWithItsHeaders(t *testing.T) {
	b := newBox(t)
	for _, path := range []string{"/", "/quien", "/quien?vencidas=1", "/spools", "/spools?q=s-1&estado=LISTO_ARM", "/spools?hacer=nv", "/spools/S-1", "/spools/S-1?hacer=mas",
		"/spools/S-1?hacer=nota", "/spools/S-1?antes=3", "/listos", "/metrologia", "/reparacion", "/menu", "/entrar"} {
		p := b.tablet().open(path, http.StatusOK)
		h := p.send(http.MethodGet, path, nil).Header
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'self'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s has the policy %q", path, csp)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" {
			t.Errorf("%s has the headers %v", path, h)
		}
		p.silent("Falla", "Código:")
	}
}

func TestWhatIsNotThereIsAPageThatLeadsOn(t *testing.T) {
	b := newBox(t)
	for path, want := range map[string]string{"/nada": "Esta dirección no existe.", "/spools/NADA": "No hay ningún spool NADA. Revisa el número o busca.",
		"/spools/%3Cb%3E%25": "No hay ningún spool <b>%. Revisa el número o busca."} {
		p := b.tablet().open(path, http.StatusNotFound).says("No está", want, "Buscar", "Inicio")
		if p.find(func(n *html.Node) bool { return n.Data == "b" && n.FirstChild == nil }) != nil {
			t.Errorf("%s: a tag became markup", path)
		}
	}
	if r := b.tablet().send(http.MethodPost, "/spools/S-1/borrar", url.Values{}); r.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown act = %d, want 404", r.StatusCode)
	}
	resp := b.tablet().send(http.MethodGet, "/buscar?q=010", nil)
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/spools?q=010" {
		t.Errorf("/buscar = %d to %s, want the list", resp.StatusCode, resp.Header.Get("Location"))
	}
}

func TestATabletKnowsWhoStandsBeforeIt(t *testing.T) {
	p := newBox(t).tablet()
	p.open("/", http.StatusOK).says("¿Quién eres?", "Ana Bravo", "Bruno Castro").silent("Félix Gómez")
	if r := p.send(http.MethodGet, "/mis", nil); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/?volver=%2Fmis" {
		t.Errorf("/mis without anybody = %d to %s", r.StatusCode, r.Header.Get("Location"))
	}
	p.identify("12").says("Mis spools", "Ana Bravo", "Armador · 12", "S-1")
	p.identify("13").says("Bruno Castro")
	p.fill("/salir", url.Values{}).says("¿Quién eres?")
	recent := p.find(func(n *html.Node) bool { return strings.Contains(value(n, "class"), "recientes") })
	if recent == nil || nodeText(recent) != "BC Bruno Castro Armador · 13 AB Ana Bravo Armador · 12" {
		t.Errorf("the recent people are not Bruno and Ana, newest first")
	}
	for worker, want := range map[string]int{"67": http.StatusNotFound, "999": http.StatusNotFound, "": http.StatusNotFound, "-12": http.StatusNotFound, "12;13": http.StatusNotFound} {
		if r := p.send(http.MethodPost, "/persona", url.Values{"trabajador": {worker}}); r.StatusCode != want {
			t.Errorf("identifying as %q = %d, want %d", worker, r.StatusCode, want)
		}
	}
	p.cookies["envivo_persona"] = "67"
	p.open("/menu", http.StatusOK).says("¿Quién eres?").silent("Félix")
}

func TestNobodyIsSentElsewhere(t *testing.T) {
	b := newBox(t)
	for to, want := range map[string]string{"/spools/S-1": "/spools/S-1", "https://mal.example": "/mis", "//mal.example": "/mis", `/\mal.example`: "/mis", "": "/mis", "/a\r\nX: y": "/mis"} {
		r := b.tablet().send(http.MethodPost, "/persona", url.Values{"trabajador": {"12"}, "volver": {to}})
		if got := r.Header.Get("Location"); got != want {
			t.Errorf("coming back to %q leads to %q, want %q", to, got, want)
		}
	}
}

func TestASpoolGoesFromHandToHandByFormsAlone(t *testing.T) {
	b := newBox(t)
	p := b.tablet().identify("12")
	p.open("/spools/S-1", http.StatusOK).press("TOMAR", nil).says("Tomado: S-1. Queda a tu nombre desde las", "DESHACER", "Lo tienes tú", "TERMINAR", "PAUSAR")
	if got := b.holder("S-1"); got != ana {
		t.Fatalf("after TOMAR the holder is %d, want Ana", got)
	}
	p.open(p.at, http.StatusOK).silent("Tomado:") // the outcome is told once
	b.tablet().open("/quien", http.StatusOK).says("Ana Bravo", "1 spool en curso")
	p.press("PAUSAR", nil).says("queda en pausa, libre para otro.", "TOMAR ARM")
	p.press("TOMAR", nil).press("TERMINAR", nil).says("Terminado ARM: S-1.", "Sigue: SOLD")
	p.identify("34").open("/spools/S-1", http.StatusOK).press("TOMAR", nil).press("TERMINAR", nil).says("Sigue: Metrología")
	p.identify("56").open("/metrologia", http.StatusOK).says("1 spool por inspeccionar")
	p.open("/spools/S-1?hacer=rechazado", http.StatusOK).press("RECHAZADO", url.Values{"motivo": {"Fuera de medida"}}).says("Rechazado, 1 de 3. Pasa a reparación.", "Motivo del rechazo: Fuera de medida")
	p.identify("12").open("/spools/S-1", http.StatusOK).press("REPARAR", nil).says("Tomado: S-1").press("TERMINAR", nil).says("Reparación terminada: S-1 vuelve a inspección.")
	p.identify("56").open("/spools/S-1", http.StatusOK).press("APROBADO", nil).says("Aprobado: S-1.", "Nada más que hacer: está aprobado")
	e := b.events("S-1")[0]
	if e.Door != plant.DoorPage || e.Actor.ID != elena {
		t.Errorf("the event came through door %d by %d, want the pages and Elena", e.Door, e.Actor.ID)
	}
}

// events are those of a spool, newest first.
func (b *box) events(tag string) []plant.Event {
	b.t.Helper()
	list, err := b.store.History(b.t.Context(), plant.Tag(tag), 0, 100)
	if err != nil {
		b.t.Fatalf("read the history of %s: %v", tag, err)
	}
	return list
}

func TestPartOfTheUnionsIsSavedByForm(t *testing.T) {
	b := newBox(t)
	p := b.tablet().identify("12").open("/spools/U-1", http.StatusOK).says("TOMAR ARM", "3 uniones · 6,75 PD").press("TOMAR", nil).says("TERMINAR TODO")
	p.press("GUARDAR", nil).says("Marca las uniones que hiciste (o TODAS).")
	if got := b.holder("U-1"); got != ana {
		t.Fatalf("nothing ticked freed the spool: holder %d, want Ana", got)
	}
	p.press("GUARDAR", url.Values{"union": {"1", "3"}}).says("Guardadas 2 de 3 uniones = 6 PD. Queda en pausa, libre para otro.", "En pausa 2/3", "Sigue: lo que falta de ARM")
	p.press("TOMAR", nil).press("PAUSAR", url.Values{"union": {"2"}}).says("Terminado ARM: 1 unión, 0,75 PD.")
}

func TestTheSheetsOfMore(t *testing.T) {
	b := newBox(t)
	b.pin("2580")
	p := b.tablet().identify("12").open("/spools/S-2", http.StatusOK).press("TOMAR", nil)
	p.open("/spools/S-2?hacer=mas", http.StatusOK).says("Nota", "Traspasar", "Cancelar la toma", "Entrar como supervisor").silent("Liberar con")
	p.open("/spools/S-2?hacer=traspasar", http.StatusOK).says("Bruno Castro").press("TRASPASAR", url.Values{"destino": {"13"}}).says("S-2 pasó de Ana Bravo a Bruno Castro a las")
	p.open("/spools/S-2?hacer=nota", http.StatusOK).press("NOTA", url.Values{"texto": {`Ojo: 50% "listo" 😀 <b>`}}).says("Nota guardada en S-2.", `Ojo: 50% "listo" 😀 <b>`)
	p.fill("/spools/S-2/liberar", form("motivo", "Terminó su turno")).says("Eso lo hace el supervisor: ingresa el PIN.")
	p.open("/entrar?volver=%2Fspools%2FS-2", http.StatusOK)
	p.press("ENTRAR", url.Values{"pin": {"1111"}}).says("PIN incorrecto. Quedan")
	p.press("ENTRAR", url.Values{"pin": {"2580"}}).says("SUPERVISOR")
	p.open("/spools/S-2?hacer=liberar", http.StatusOK).press("LIBERAR", nil).says("Falta el motivo.", "LIBERAR")
	p.press("LIBERAR", url.Values{"otro": {" se fue "}}).says("Liberado: S-2. Lo tenía Bruno Castro; lo ya hecho sigue a su nombre.")
	former := b.tablet().identify("13").open("/mis", http.StatusOK).says("El supervisor liberó S-2 a las")
	former.open("/spools/S-2", http.StatusOK).says("El supervisor liberó S-2 a las", "Motivo: se fue")
	former.fill("/spools/S-2/pausar", form("operacion", "ARM")).says("El supervisor liberó S-2 a las", "Motivo: se fue")
	if e := b.events("S-2")[0]; e.Motivo != "se fue" || !e.Supervisor {
		t.Errorf("LIBERAR was stored with motive %q, supervisor %v", e.Motivo, e.Supervisor)
	}
	p.fill("/entrar/salir", url.Values{}).silent("SUPERVISOR")
	p.open("/spools/S-3", http.StatusOK).press("TOMAR", nil).open("/spools/S-3?hacer=cancelar", http.StatusOK).press("CANCELAR", nil).says("Toma cancelada: S-3 quedó libre.")
}

var orders int

// form are fields with a command id of their own.
func form(pairs ...string) url.Values {
	orders++
	out := url.Values{"orden": {fmt.Sprintf("orden-%d", orders)}}
	for i := 0; i+1 < len(pairs); i += 2 {
		out.Add(pairs[i], pairs[i+1])
	}
	return out
}

func TestAnOverdueHoldIsRelievedAndTheFormerHolderIsTold(t *testing.T) {
	b := newBox(t)
	b.tablet().identify("12").open("/spools/S-4", http.StatusOK).press("TOMAR", nil)
	p := b.tablet().identify("13").open("/spools/S-4", http.StatusOK).says("Lo tiene Ana Bravo (ARM). Elige otro o pídeselo.")
	p.fill("/spools/S-4/relevar", form("operacion", "ARM")).says("Todavía no se puede relevar: vence a las")
	b.clock.Add(61 * time.Minute)
	p.open("/spools/S-4", http.StatusOK).says("Vencida").press("RELEVAR", nil).says("Relevaste a Ana Bravo. S-4 queda a tu nombre; lo ya hecho sigue a nombre de Ana Bravo.")
	b.tablet().identify("12").fill("/spools/S-4/pausar", form("operacion", "ARM")).says("Bruno Castro te relevó en S-4 a las")
}

func TestUndoTakesBackOnlyWhatIsFresh(t *testing.T) {
	b := newBox(t)
	p := b.tablet().identify("12").open("/spools/S-5", http.StatusOK).press("TOMAR", nil).press("DESHACER", nil).says("Deshecho: S-5 quedó como antes.")
	if got := b.holder("S-5"); got != 0 {
		t.Errorf("after DESHACER the holder is %d, want nobody", got)
	}
	p.press("TOMAR", nil)
	b.clock.Add(11 * time.Second)
	p.press("DESHACER", nil).says("Ya no se puede deshacer: pasaron 10 s o S-5 cambió.")
}

func TestARefusalIsTheSentenceOfTheBrief(t *testing.T) {
	b := newBox(t)
	b.tablet().identify("12").open("/spools/S-6", http.StatusOK).press("TOMAR", nil)
	b.clock.Add(20 * time.Minute)
	p := b.tablet().identify("13")
	for name, c := range map[string]struct {
		path string
		form url.Values
		want string
	}{
		"held":        {"/spools/S-6/tomar", form("operacion", "ARM"), "Lo tiene Ana Bravo (ARM) desde las 09:00. Elige otro o pídeselo."},
		"not mine":    {"/spools/S-6/pausar", form("operacion", "ARM"), "solo quien lo tiene puede pausarlo o terminarlo"},
		"wrong trade": {"/spools/S-7/tomar", form("operacion", "SOLD"), "Soldar es solo para Soldador o Ayudante. Tu rol: Armador."},
		"material":    {"/spools/SIN-1/tomar", form("operacion", "ARM"), "Falta registrar la llegada de materiales. Avisa a tu supervisor."},
		"stale":       {"/spools/S-7/tomar", form("operacion", "ARM", "version", "99"), "S-7 cambió mientras mirabas"},
		"no receiver": {"/spools/S-7/traspasar", form("destino", "12"), "S-7 está libre: primero tómalo."},
		"a long note": {"/spools/S-7/nota", form("texto", strings.Repeat("ñ", 501)), "Escribe la nota: de 1 a 500 caracteres."},
		"no id":       {"/spools/S-7/tomar", url.Values{"operacion": {"ARM"}}, "Falta un dato o está mal escrito"},
		"a long id":   {"/spools/S-7/tomar", url.Values{"operacion": {"ARM"}, "orden": {strings.Repeat("x", 129)}}, "Falta un dato o está mal escrito"},
		"an odd op":   {"/spools/S-7/tomar", form("operacion", "arm"), "Falta un dato o está mal escrito"},
		"an odd size": {"/spools/S-7/pausar", form("operacion", "ARM", "union", "uno"), "Falta un dato o está mal escrito"},
		"more fields": {"/spools/S-7/tomar", form("operacion", "ARM", "motivo", "x"), "trae un dato que esta página no manda"},
		"twice":       {"/spools/S-7/tomar", form("operacion", "ARM", "operacion", "SOLD"), "trae un dato que esta página no manda"},
	} {
		t.Run(name, func(t *testing.T) {
			before := b.seq()
			p.fill(c.path, c.form).says(c.want)
			if got := b.seq(); got != before {
				t.Errorf("a refusal changed the plant from %d to %d", before, got)
			}
		})
	}
}

func TestADoubleSubmitHasOneEffect(t *testing.T) {
	b := newBox(t)
	p := b.tablet().identify("12")
	f := form("operacion", "ARM", "version", "1")
	first := p.fill("/spools/S-8/tomar", f).says("Tomado: S-8.").text()
	seq := b.seq()
	if again := p.fill("/spools/S-8/tomar", f).text(); !strings.Contains(again, "Tomado: S-8.") {
		t.Errorf("the second of two submits says %q, want what the first said: %q", again, first)
	}
	if got := b.seq(); got != seq || len(b.events("S-8")) != 2 { // its import and one TOMAR
		t.Errorf("two submits made events up to %d, want %d", got, seq)
	}
	f.Set("operacion", "SOLD")
	p.fill("/spools/S-8/tomar", f).says("Este botón ya se usó para otra cosa.")
}

func TestAFormOfNobodyAsksWhoIsThere(t *testing.T) {
	b := newBox(t)
	p := b.tablet()
	p.open("/spools/S-1", http.StatusOK).says("¿Quién eres?")
	before := b.seq()
	p.fill("/spools/S-1/tomar", form("operacion", "ARM")).says("¿Quién eres?")
	if p.at != "/?volver=%2Fspools%2FS-1" || b.seq() != before {
		t.Errorf("a command of nobody led to %s and event %d, want the picker and %d", p.at, b.seq(), before)
	}
	p.fill("/persona", p.fields(p.find(func(n *html.Node) bool { return value(n, "id") == "f-yo" }))) // back with nobody chosen
	p.says("Ese trabajador no está activo.")
	p.fill("/spools/S-1/nota", form("texto", "sin nombre")).says("Nota guardada en S-1.")
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	b := newBox(t)
	p := b.tablet().identify("12")
	before := b.seq()
	r := p.send(http.MethodPost, "/spools/S-1/tomar", form("operacion", "ARM"), "Sec-Fetch-Site", "cross-site", "Origin", "https://mal.example")
	if r.StatusCode != http.StatusForbidden || b.seq() != before {
		t.Errorf("a form of another site = %d and event %d, want 403 and %d", r.StatusCode, b.seq(), before)
	}
	for _, path := range []string{"/persona", "/salir", "/entrar/salir", "/entrar"} {
		if r := p.send(http.MethodPost, path, url.Values{"extra": {"1"}}); r.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("POST %s with a strange field = %d, want 422", path, r.StatusCode)
		}
	}
	if r := p.send(http.MethodPost, "/spools/S-1/nota", form("texto", strings.Repeat("x", 70<<10))); r.StatusCode >= 500 || b.seq() != before {
		t.Errorf("a form of 70 kB = %d", r.StatusCode)
	}
}

func TestAnUnknownDeviceSeesHowToGetIn(t *testing.T) {
	b := newBox(t, enrolled)
	b.pin("2580")
	b.tablet().open("/quien", http.StatusForbidden).says("Esta tablet no está registrada. Pide al supervisor.").silent("S-1")
	p := b.tablet().open("/entrar", http.StatusOK)
	if r := p.send(http.MethodPost, "/spools/S-1/tomar", form("operacion", "ARM")); r.StatusCode != http.StatusForbidden {
		t.Errorf("a command of an unknown device = %d, want 403", r.StatusCode)
	}
	p.open("/quien?vencidas=1", http.StatusForbidden).press("ENTRAR", url.Values{"pin": {"2580"}}).says("Registrar esta tablet", "SUPERVISOR").silent("S-1")
	p.open("/tablet?volver=%2Fquien%3Fvencidas%3D1", http.StatusOK).press("REGISTRAR", url.Values{"nombre": {"Armado 1"}, "tipo": {"compartida"}, "escala": {"gruesos"}})
	if p.says("Quién tiene qué", "Registrada: Armado 1.").silent("SUPERVISOR"); p.at != "/quien?vencidas=1" {
		t.Errorf("the new tablet is at %s, want the address it was opened for", p.at)
	}
}

func TestWithoutAPINNobodyEnters(t *testing.T) {
	p := newBox(t).tablet()
	p.open("/entrar", http.StatusOK).says("Todavía no hay un PIN de supervisor")
	r := p.send(http.MethodPost, "/entrar", url.Values{"pin": {"2580"}})
	p.show("/entrar", r, http.StatusForbidden)
	p.says("Todavía no hay un PIN de supervisor")
}

func TestTheEnvironmentIsNamedOnEveryPage(t *testing.T) {
	newBox(t).tablet().open("/quien", http.StatusOK).says("PRUEBA — estos datos no son de la planta")
	newBox(t, func(o *api.Options) { o.Env = "produccion" }).tablet().open("/quien", http.StatusOK).silent("PRUEBA")
}

func TestAPackedPageIsThePlainPage(t *testing.T) {
	b := newBox(t)
	p := b.tablet()
	p.send(http.MethodGet, "/menu", nil)
	plain := p.raw
	r := p.send(http.MethodGet, "/menu", nil, "Accept-Encoding", "gzip")
	if r.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("a reader that takes gzip got %v", r.Header)
	}
	if got := unpack(t, p.raw); got != plain {
		t.Errorf("unpacked the page has %d bytes, want the plain %d", len(got), len(plain))
	}
}

func unpack(t testing.TB, raw string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("unpack: %v", err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatalf("unpack: %v", err)
	}
	return string(out)
}
