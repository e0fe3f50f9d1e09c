package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"envivo/api"
	"envivo/plant"
	"envivo/ui"
)

// enter types a PIN on the pad that is on the screen.
func (p *tablet) enter(pin string) *tablet {
	p.t.Helper()
	return p.press("ENTRAR", url.Values{"pin": {pin}})
}

// me is who the tablet takes its person for.
func (p *tablet) me() string {
	p.t.Helper()
	r := p.send(http.MethodGet, "/mis", nil)
	if r.StatusCode != http.StatusOK {
		return ""
	}
	for _, name := range []string{"Ana Bravo", "Bruno Castro", "Carla Díaz"} {
		if strings.Contains(p.raw, name) {
			return name
		}
	}
	return p.raw
}

func (p *tablet) isMe(name, when string) *tablet {
	p.t.Helper()
	if got := p.me(); got != name {
		p.t.Errorf("%s the person is %.300q, want %q", when, got, name)
	}
	return p
}

func TestAWorkerWithAPINEntersItToBeThePerson(t *testing.T) {
	b := newBox(t)
	b.workerPIN(ana, anasPIN)
	p := b.tablet().identify("13").isMe("Bruno Castro", "without a PIN")
	p.fill("/persona", url.Values{"trabajador": {"12"}, "volver": {"/listos"}})
	p.says("Ana Bravo", "Ingresa tu PIN.").isMe("Bruno Castro", "before the PIN")
	if !strings.Contains(p.raw, "Bruno Castro") { // isMe loaded another page
		t.Error("the tablet forgot Bruno")
	}
	p.fill("/persona", url.Values{"trabajador": {"12"}, "volver": {"/listos"}})
	p.enter("1111").says("PIN incorrecto. Quedan 4 intentos.").enter("1111").says("Quedan 3 intentos.")
	p.enter(anasPIN).says("Listos para ti", "Ana Bravo")
	p.fill("/persona", url.Values{"trabajador": {"12"}, "volver": {"/mis"}}).says("Mis spools")
	for range 4 {
		p.identify("13").fill("/persona", url.Values{"trabajador": {"12"}})
		p.enter("1111").says("PIN incorrecto.")
	}
	p.enter("1111").says("Espera 1 minuto")
	b = b.restarted()
	q := &tablet{box: b, cookies: maps.Clone(p.cookies)}
	q.fill("/persona", url.Values{"trabajador": {"12"}})
	q.enter(anasPIN).says("Espera 1 minuto").isMe("Bruno Castro", "while it is locked")
	b.clock.Add(time.Minute + time.Second)
	q.fill("/persona", url.Values{"trabajador": {"12"}})
	q.enter(anasPIN).isMe("Ana Bravo", "after the lock")
}

// TestAPersonsCookieProvesThePIN: made up, of before, of elsewhere, out of date
// or handed back it is nothing.
func TestAPersonsCookieProvesThePIN(t *testing.T) {
	b := newBox(t, enrolled)
	p := b.tablet().with(b.device("Armado 1", "compartida")).identify("12").isMe("Ana Bravo", "without a PIN")
	old := p.cookies["envivo_persona"]
	b.workerPIN(ana, anasPIN)
	p.isMe("", "after the PIN was set")
	p.identify("12").enter(anasPIN).isMe("Ana Bravo", "with the PIN")
	good := p.cookies["envivo_persona"]
	p.box = b.restarted()
	p.isMe("Ana Bravo", "after a restart")
	part := strings.Split(good, ".")
	later := fmt.Sprint(b.clock.Now().Add(11 * time.Hour).UnixMilli())
	for _, forged := range []string{old, "12.", "12..", strings.Join(part[:3], "."), strings.Join([]string{part[0], later, part[2], part[3]}, "."), strings.Join([]string{part[0], part[1], "AAAA", part[3]}, "."), strings.Join(part[:3], ".") + ".AAAA", good + "A", good + ".A"} {
		p.cookies["envivo_persona"] = forged
		if got := p.me(); got == "Ana Bravo" {
			t.Errorf("the cookie %s makes one Ana", forged)
		}
	}
	b.workerPIN(bruno, anasPIN)
	p.cookies["envivo_persona"] = "13." + strings.Join(part[1:], ".")
	p.isMe("", "with Ana's seal on Bruno's number")
	p.cookies["envivo_persona"] = good
	elsewhere := b.tablet().with(b.device("Soldar 2", "compartida"))
	elsewhere.cookies["envivo_persona"] = good
	elsewhere.isMe("", "on another device")
	b.clock.Add(12 * time.Hour)
	p.isMe("", "after twelve hours")
	b.clock.Add(-14 * time.Hour)
	p.isMe("", "with the clock set back")
	b.clock.Add(2 * time.Hour)
	p.isMe("Ana Bravo", "with the clock put right")
	b.workerPIN(ana, "2222")
	p.isMe("", "after the PIN changed")
	p.identify("12").enter("2222").isMe("Ana Bravo", "with the new PIN")
	stolen := maps.Clone(p.cookies)
	p.fill("/salir", url.Values{})
	thief := &tablet{box: p.box, cookies: stolen}
	thief.isMe("", "with a copy of what was handed back")
	b.setting(plant.Setting{Key: api.WorkerPINKey(ana)})
	p.identify("12").isMe("Ana Bravo", "after the PIN was taken away")
}

func TestABadgeOfAWorkerWithAPINAsksForIt(t *testing.T) {
	b := newBox(t)
	b.workerPIN(ana, anasPIN)
	p := b.tablet().open("/", 200)
	if got := p.scan(ui.WorkerCode(ana)); !strings.HasPrefix(got.Go, "/persona?") {
		t.Fatalf("the badge leads to %q", got.Go)
	}
	p.says("Ingresa tu PIN.").scan(ui.WorkerCode(carla))
	p.isMe("Carla Díaz", "after another badge over the pad")
	p.open("/", 200).scan(ui.WorkerCode(ana))
	p.enter(anasPIN).says("Mis spools")
	p.scan(ui.SpoolCode("S-1"))
	if got := b.holder("S-1"); got != ana {
		t.Errorf("badge, PIN and spool leave the holder %d, want Ana", got)
	}
	if got := p.scan(ui.WorkerCode(ana)); !strings.HasPrefix(got.Go, "/spools/") {
		t.Errorf("the badge of who is there already leads to %q", got.Go)
	}
	p.scan(ui.CommandCode("SALIR"))
	p.isMe("", "after SALIR")
	p.open("/", 200).scan(ui.SpoolCode("S-2"))
	p.scan(ui.WorkerCode(ana))
	p.enter(anasPIN).says("S-2", "TOMAR ARM")
}

// TestTicksGoAlongWithAHandOver: what the giver ticks is recorded to the giver's
// name in the event that hands the spool over; with all that is left there is
// nothing to hand over.
func TestTicksGoAlongWithAHandOver(t *testing.T) {
	b := newBox(t)
	b.workerPIN(bruno, brunosPIN)
	b.post("/api/occupation/tomar", by("U-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	p := b.tablet().identify("12").open("/spools/U-1?hacer=traspasar", http.StatusOK).says("¿Qué uniones dejas hechas? Quedan a nombre de Ana Bravo")
	p.press("TRASPASAR", url.Values{"destino": {"13"}, "union": {"1", "2", "3"}})
	changes := func() uint64 {
		row, _ := b.store.Snapshot().Row("U-1")
		return row.Spool.Version
	}
	before := changes()
	p.enter(brunosPIN).says("Con esas uniones ARM queda terminado y no hay nada que traspasar. Usa TERMINAR.")
	if changes() != before || b.holder("U-1") != ana {
		t.Fatalf("handing over what is finished recorded something and left the holder %d", b.holder("U-1"))
	}
	if got := p.scan(ui.WorkerCode(bruno), "recibe", "1", "spool", "U-1", "union", "1", "union", "3"); !strings.Contains(got.Go, "union=1&union=3") {
		t.Errorf("the receiver's badge leads to %q, without what was ticked", got.Go)
	}
	p.open("/spools/U-1?hacer=traspasar", http.StatusOK).press("TRASPASAR", url.Values{"destino": {"13"}, "union": {"1", "3"}}).says("Recibes U-1 con tu PIN.")
	p.enter(brunosPIN).says("U-1 pasó de Ana Bravo a Bruno Castro a las", "2 uniones hechas = 6 PD a nombre de Ana Bravo.", "Uniones 1 y 3 de Ana Bravo")
	if changes() != before+1 || b.holder("U-1") != bruno {
		t.Errorf("the hand-over recorded %d events and left the holder %d, want one and Bruno", changes()-before, b.holder("U-1"))
	}
	row, _ := b.store.Snapshot().Row("U-1")
	for _, u := range row.Spool.Unions {
		if want := map[int]plant.WorkerID{1: ana, 3: ana}[u.N]; u.Arm.Worker.ID != want {
			t.Errorf("union %d was armed by %d, want %d", u.N, u.Arm.Worker.ID, want)
		}
	}
}

func TestWhoReceivesASpoolEntersTheOwnPIN(t *testing.T) {
	b := newBox(t)
	b.workerPIN(bruno, brunosPIN)
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	p := b.tablet().identify("12").open("/spools/S-1?hacer=traspasar", 200)
	p.press("TRASPASAR", url.Values{"destino": {"13"}}).says("Bruno Castro", "Recibes S-1 con tu PIN.")
	p.enter("1111").says("PIN incorrecto. Quedan 4 intentos.")
	if got := b.holder("S-1"); got != ana {
		t.Fatalf("a wrong PIN leaves the holder %d", got)
	}
	p.enter(brunosPIN).says("S-1", "Bruno Castro").isMe("Ana Bravo", "afterwards")
	if got := b.holder("S-1"); got != bruno {
		t.Errorf("the right PIN leaves the holder %d", got)
	}
	b.post("/api/occupation/tomar", by("S-2", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	p.open("/spools/S-2?hacer=traspasar", 200)
	if got := p.scan(ui.WorkerCode(bruno), "recibe", "1", "spool", "S-2"); !strings.HasPrefix(got.Go, "/persona?") || b.holder("S-2") != ana {
		t.Fatalf("the receiver's badge leads to %q and leaves the holder %d", got.Go, b.holder("S-2"))
	}
	p.enter(brunosPIN)
	if got := b.holder("S-2"); got != bruno {
		t.Errorf("badge and PIN leave the holder %d", got)
	}
}

// TestUndoFromThePickerNeedsThePIN: the bar names who acted, and anybody
// can touch it.
func TestUndoFromThePickerNeedsThePIN(t *testing.T) {
	b := newBox(t)
	b.workerPIN(ana, anasPIN)
	p := b.tablet().identify("12").enter(anasPIN).open("/spools/S-1", 200).press("TOMAR", nil)
	seq := fmt.Sprint(b.seq())
	p.fill("/salir", url.Values{"evento": {seq}}).says("DESHACER")
	p.press("DESHACER", nil).says("Ana Bravo", "Para deshacer en S-1, ingresa tu PIN.")
	p.enter("1111").says("PIN incorrecto.")
	if got := b.holder("S-1"); got != ana {
		t.Fatalf("a wrong PIN leaves the holder %d", got)
	}
	p.enter(anasPIN)
	if got := b.holder("S-1"); got != 0 {
		t.Errorf("the right PIN leaves the holder %d", got)
	}
	p.isMe("", "after the undo")
}

func TestThePadOfNobody(t *testing.T) {
	b := newBox(t)
	p := b.tablet()
	for _, q := range []string{"", "?trabajador=99", "?trabajador=67", "?trabajador=12&accion=liberar&spool=S-1", "?trabajador=12&accion=traspasar", "?trabajador=12&spool=S-1"} {
		p.open("/persona"+q, 404).says("Ese trabajador no está activo.")
	}
	if r := p.send(http.MethodGet, "/persona?trabajador=12", nil); r.Header.Get("Location") != "/" {
		t.Errorf("the pad of who has no PIN = %d to %q", r.StatusCode, r.Header.Get("Location"))
	}
	b.workerPIN(ana, anasPIN)
	p.open("/persona?trabajador=12&volver=https%3A%2F%2Fevil.example%2F", 200).enter(anasPIN)
	if p.at != "/mis" {
		t.Errorf("the pad leads to %q", p.at)
	}
	p.open("/persona?trabajador=12&accion=traspasar&spool=NO-HAY&orden=x", 200)
	if r := p.send(http.MethodPost, "/spools/NO-HAY/traspasar", url.Values{"destino": {"12"}, "orden": {"x"}}, "Accept", "application/json"); r.StatusCode != 200 {
		t.Errorf("a spool that is not there = %d %s", r.StatusCode, p.raw)
	}
}

func TestASupervisorSetsAndRemovesPINs(t *testing.T) {
	b := newBox(t)
	b.pin("2468")
	p := b.tablet()
	if r := p.send(http.MethodPost, "/admin/personas/12/pin", url.Values{"pin": {"1357"}, "pin2": {"1357"}}); !strings.HasPrefix(r.Header.Get("Location"), "/entrar?") {
		t.Errorf("nobody's PIN for Ana = %d to %q", r.StatusCode, r.Header.Get("Location"))
	}
	p.fill("/entrar", url.Values{"pin": {"2468"}, "volver": {"/admin/personas/12"}}).says("PIN propio", "basta tocar su nombre")
	for _, c := range []struct{ pin, again, said string }{{"135", "135", "4 a 12 dígitos"}, {"12a4", "12a4", "4 a 12 dígitos"}, {"1357", "1358", "no son iguales"}} {
		p.press("PIN", url.Values{"pin": {c.pin}, "pin2": {c.again}}).says(c.said, "basta tocar su nombre")
	}
	before := b.seq()
	p.press("PIN", url.Values{"pin": {"1357"}, "pin2": {"1357"}}).says("PIN de Ana Bravo guardado.", "Tiene PIN", "Cambiar el PIN")
	events, err := b.store.Events(t.Context(), before, 10)
	if err != nil || len(events) != 1 || events[0].Setting == nil || events[0].Setting.Key != "pin-trabajador/12" || events[0].Device == "" {
		t.Errorf("the act is the events %+v, %v", events, err)
	}
	b.tablet().identify("12").says("Ingresa tu PIN.").enter("1357").says("Mis spools")
	p.open("/admin/personas/12", 200).press("SIN PIN", nil).says("Ana Bravo ya no tiene PIN.", "basta tocar su nombre")
	if b.seq() == before+1 {
		t.Error("taking the PIN away is no event")
	}
	b.tablet().identify("12").says("Mis spools")
	if r := p.send(http.MethodPost, "/admin/personas/67/pin", url.Values{"pin": {"1357"}, "pin2": {"1357"}}); r.StatusCode != 422 {
		t.Errorf("a PIN for who left = %d %.200s", r.StatusCode, p.raw)
	}
	if r := p.send(http.MethodPost, "/admin/personas/999/pin", url.Values{"pin": {"1357"}, "pin2": {"1357"}}); r.StatusCode != 404 {
		t.Errorf("a PIN for nobody = %d", r.StatusCode)
	}
}

func TestAnonymityTakesThePINAway(t *testing.T) {
	b := newBox(t)
	b.workerPIN(felix, anasPIN)
	b.setting(plant.Setting{Key: api.WorkerLocks(felix) + "dir/10.0.0.7", Value: "{}"})
	if err := api.AnonymiseWorker(t.Context(), b.store, felix, "prueba", "lo pidió", b.clock.Now()); err != nil {
		t.Fatal(err)
	}
	snap := b.store.Snapshot()
	if left := append(snap.Settings("pin-trabajador/"), snap.Settings(api.SettingLock)...); len(left) > 0 {
		t.Errorf("of a worker without a name %v is left", left)
	}
}
