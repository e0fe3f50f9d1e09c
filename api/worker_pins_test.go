package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"envivo/api"
	"envivo/plant"
)

const anasPIN, brunosPIN = "7391", "60482"

// workerPIN gives a worker a PIN, with a hash that costs little.
func (b *box) workerPIN(who plant.WorkerID, pin string) {
	b.t.Helper()
	salt := []byte("sixteen bytes of " + fmt.Sprint(who) + pin)[:16]
	key := base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte(pin), salt, 1, 8, 1, 32))
	b.setting(plant.Setting{Key: api.WorkerPINKey(who), Value: fmt.Sprintf("%d$argon2id$v=19$m=8,t=1,p=1$%s$%s", len(pin), base64.RawStdEncoding.EncodeToString(salt), key)})
}

// claim sends a worker's PIN, with nothing else that could change, from an
// address or a device.
func (b *box) claim(from string, who int, pin string) reply {
	b.t.Helper()
	body, err := json.Marshal(by("NO-HAY", who, "pin", pin))
	if err != nil {
		b.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, "/api/occupation/pausar", bytes.NewReader(body))
	if strings.Contains(from, "=") {
		r.Header.Set("Cookie", from)
	} else {
		r.RemoteAddr = from + ":4711"
	}
	return b.answer(r)
}

// fails guesses wrongly until the lock.
func (b *box) fails(from string, who int) {
	b.t.Helper()
	for range 4 {
		b.claim(from, who, "0000").want(b.t, fmt.Sprintf("a wrong PIN of %d at %s", who, from), 403, "PIN_INCORRECTO")
	}
	b.claim(from, who, "0000").want(b.t, fmt.Sprintf("the fifth wrong PIN of %d at %s", who, from), 429, "DEMASIADOS_INTENTOS")
}

// passes wants a worker's PIN to be taken: what follows is about the spool.
func (b *box) passes(what, from string, who int, pin string) {
	b.t.Helper()
	b.claim(from, who, pin).want(b.t, what, 404, "SPOOL_NO_ENCONTRADO")
}

func TestEveryWriteInTheNameOfAWorkerWithAPINCarriesIt(t *testing.T) {
	b := newBox(t)
	admin := []string{"Authorization", "Bearer " + b.token("admin")}
	all := maps.Clone(writes)
	all["/api/v4/uniones/guardar"] = samples["/api/v4/uniones/guardar"]
	all["/api/spool/S-1/notas"] = fields{"texto": "revisar", "worker_id": ana}
	b.workerPIN(ana, anasPIN)
	b.workerPIN(elena, anasPIN)
	before := b.seq()
	for _, path := range slices.Sorted(maps.Keys(all)) {
		r := b.post(path, all[path], admin...).want(t, path+" without the PIN", 403, "PIN_REQUERIDO")
		if r.data("campo") != "pin" || r.data("worker_id") == nil || !strings.Contains(r.text("message"), "No autorizado") {
			t.Errorf("%s says %s", path, r.Raw)
		}
		b.post(path, change(all[path], "pin", "0000"), admin...).want(t, path+" with a wrong PIN", 403, "PIN_INCORRECTO")
		if r := b.post(path, change(all[path], "pin", anasPIN), admin...); r.text("error") == "PIN_REQUERIDO" || r.text("error") == "PIN_INCORRECTO" || r.Status == 429 {
			t.Errorf("%s with the PIN = %s", path, r.Raw)
		}
		b.post(path, change(all[path], "pin", 7391), admin...).want(t, path+" with a number for a PIN", 422, "VALIDATION_ERROR")
	}
	if b.seq() == before {
		t.Error("nothing was done with the PIN; the test would prove nothing")
	}
	b.post("/api/occupation/tomar", by("S-2", bruno, "operacion", "ARM", "pin", "what for")).want(t, "who has no PIN and sends one", 200)
	b.post("/api/spool/S-2/notas", fields{"texto": "de nadie en particular"}).want(t, "a note of nobody", 200)
}

func TestTheListOfWorkersSaysWhoHasAPIN(t *testing.T) {
	b := newBox(t)
	if r := b.get("/api/workers"); strings.Contains(r.Raw, "tiene_pin") {
		t.Errorf("a plant without PINs tells of them: %s", r.Raw)
	}
	b.workerPIN(ana, anasPIN)
	for _, w := range b.get("/api/workers").want(t, "workers", 200).items("workers") {
		if has, told := w["tiene_pin"]; (has == true) != (w["id"] == float64(ana)) || told && has != true {
			t.Errorf("worker %v is said to have a PIN: %v", w["id"], has)
		}
	}
}

func TestTraspasarCarriesBothPINs(t *testing.T) {
	b := newBox(t)
	b.workerPIN(ana, anasPIN)
	b.workerPIN(bruno, brunosPIN)
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM", "pin", anasPIN)).want(t, "TOMAR", 200)
	body := by("S-1", ana, "worker_destino", bruno, "pin", anasPIN)
	if r := b.post("/api/occupation/traspasar", body).want(t, "without the receiver's", 403, "PIN_REQUERIDO"); r.data("campo") != "pin_destino" || r.data("worker_id") != float64(bruno) {
		t.Errorf("refused as %s", r.Raw)
	}
	b.post("/api/occupation/traspasar", change(body, "pin_destino", anasPIN)).want(t, "with the giver's twice", 403, "PIN_INCORRECTO")
	b.post("/api/occupation/traspasar", change(change(body, "pin_destino", brunosPIN), "pin", nil)).want(t, "without the giver's", 403, "PIN_REQUERIDO")
	b.post("/api/occupation/traspasar", change(body, "pin_destino", brunosPIN)).want(t, "with both", 200)
	if got := b.holder("S-1"); got != bruno {
		t.Errorf("the holder is %d, want Bruno", got)
	}
}

// TestAPINIsNoPartOfWhatAKeyStandsFor: a receipt must give nobody anything to
// try PINs against, and a repeat after the PIN changed is still the same act.
func TestAPINIsNoPartOfWhatAKeyStandsFor(t *testing.T) {
	b := newBox(t)
	b.workerPIN(ana, anasPIN)
	body, key := by("S-1", ana, "operacion", "ARM", "pin", anasPIN), []string{"Idempotency-Key", "k-1"}
	b.post("/api/occupation/tomar", change(body, "pin", "0000"), key...).want(t, "a wrong PIN", 403)
	first := b.post("/api/occupation/tomar", body, key...).want(t, "TOMAR", 200)
	b.post("/api/occupation/tomar", change(body, "pin", nil), key...).want(t, "the repeat without the PIN", 403, "PIN_REQUERIDO")
	b.workerPIN(ana, brunosPIN)
	again := b.post("/api/occupation/tomar", change(body, "pin", brunosPIN), key...).want(t, "the repeat under the new PIN", 200)
	b.setting(plant.Setting{Key: api.WorkerPINKey(ana)})
	last := b.post("/api/occupation/tomar", change(body, "pin", nil), key...).want(t, "the repeat without any", 200)
	if first.num("seq") != again.num("seq") || last.num("seq") != first.num("seq") {
		t.Errorf("one act is %d, %d and %d", first.num("seq"), again.num("seq"), last.num("seq"))
	}
}

func TestAWorkersLockIsThatDevicesAlone(t *testing.T) {
	b := newBox(t, enrolled)
	b.workerPIN(ana, anasPIN)
	b.workerPIN(bruno, brunosPIN)
	mine, other, third := b.device("Armado 1", "compartida"), b.device("Soldar 2", "compartida"), b.device("Torno 3", "compartida")
	b.passes("Ana where she works", mine, ana, anasPIN)
	for _, minutes := range []int{1, 5, 15, 60} {
		before := b.seq()
		b.fails(other, ana)
		if n := b.seq() - before; n != 1 && minutes < 60 { // the last one locks a pool as well
			t.Errorf("a lock wrote %d events, want one", n)
		}
		b = b.restarted()
		b.claim(other, ana, anasPIN).want(t, "the right PIN on the locked device", 429, "DEMASIADOS_INTENTOS")
		b.passes("Ana where she works meanwhile", mine, ana, anasPIN)
		b.passes("Bruno on the device that is locked for Ana", other, bruno, brunosPIN)
		b.clock.Add(time.Duration(minutes)*time.Minute - 2*time.Second)
		b.claim(other, ana, anasPIN).want(t, fmt.Sprintf("just before %d minutes are over", minutes), 429)
		b.clock.Add(3 * time.Second)
	}
	b.passes("Ana on the device after its lock", other, ana, anasPIN)
	b.passes("Ana on a device where she never was", third, ana, anasPIN)
}

// TestOnePINIsNotGuessedFromManyDevices: twenty wrong ones in all, wherever the
// worker never was; where she works she is not kept out.
func TestOnePINIsNotGuessedFromManyDevices(t *testing.T) {
	b := newBox(t)
	b.workerPIN(ana, anasPIN)
	b.passes("Ana where she works", "10.0.0.7", ana, anasPIN)
	for i := range 20 {
		r := b.claim(fmt.Sprintf("10.0.1.%d", i), ana, "0000")
		if i < 19 && r.Status != 403 || i == 19 && r.Status != 429 {
			t.Fatalf("wrong PIN %d, each from another address = %d %s", i+1, r.Status, r.Raw)
		}
	}
	b = b.restarted()
	b.claim("10.0.2.1", ana, anasPIN).want(t, "one more address", 429)
	b.passes("Ana where she works meanwhile", "10.0.0.7", ana, anasPIN)
	b.clock.Add(time.Minute + time.Second)
	b.passes("that address a minute later", "10.0.2.1", ana, anasPIN)
}

// TestOneDeviceDoesNotGoThroughThePlant: twenty wrong ones, whoever's.
func TestOneDeviceDoesNotGoThroughThePlant(t *testing.T) {
	b := newBox(t)
	for _, who := range []plant.WorkerID{ana, bruno, carla, elena} {
		b.workerPIN(who, anasPIN)
	}
	b.passes("Elena works here", "10.0.0.7", elena, anasPIN)
	last := 0
	for i := range 20 {
		last = b.claim("10.0.0.7", []int{ana, bruno, carla}[i%3], "0000").Status
		if i < 12 && last != 403 {
			t.Fatalf("wrong PIN %d of three workers in turn = %d", i+1, last)
		}
		if last == 429 {
			b.clock.Add(2 * time.Minute)
		}
	}
	for range 8 {
		if last = b.claim("10.0.0.7", []int{ana, bruno, carla}[last%3], "0000").Status; last == 429 {
			break
		}
	}
	if last != 429 {
		t.Fatalf("one device tried more than twenty wrong PINs")
	}
	b.passes("Elena meanwhile", "10.0.0.7", elena, anasPIN)
	b.claim("10.0.0.8", carla, "0000").want(t, "Carla elsewhere", 403, "PIN_INCORRECTO")
}

func TestManyRightPINsAtOnceLockNobody(t *testing.T) {
	b := newBox(t)
	b.workerPIN(ana, anasPIN)
	var all sync.WaitGroup
	for range 24 {
		all.Go(func() {
			if r := b.claim("10.0.0.7", ana, anasPIN); r.Status != 404 {
				t.Errorf("a right PIN among many = %d %s", r.Status, r.Raw)
			}
		})
	}
	all.Wait()
}

func TestANewPINLiftsTheLocksOfTheOld(t *testing.T) {
	b := newBox(t)
	b.pin("2468")
	b.workerPIN(ana, anasPIN)
	b.workerPIN(bruno, brunosPIN)
	b.fails("192.0.2.1", ana)
	b.fails("192.0.2.1", bruno)
	p := b.tablet().fill("/entrar", map[string][]string{"pin": {"2468"}, "volver": {"/admin/personas/12"}})
	p.press("PIN", map[string][]string{"pin": {"1357"}, "pin2": {"1357"}}).says("PIN de Ana Bravo guardado.", "Tiene PIN")
	b.passes("Ana under the new PIN", "192.0.2.1", ana, "1357")
	b.claim("192.0.2.1", bruno, brunosPIN).want(t, "Bruno", 429)
}

func TestWorkerPINsAreWrittenNowhere(t *testing.T) {
	var log bytes.Buffer
	var tried []api.Attempt
	b := newBox(t, func(o *api.Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.Attempted = func(a api.Attempt) { tried = append(tried, a) }
	})
	b.workerPIN(ana, anasPIN)
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM", "pin", anasPIN)).want(t, "TOMAR", 200)
	b.post("/api/occupation/tomar", by("S-2", ana, "operacion", "ARM", "pin", "907060")).want(t, "a wrong PIN", 403)
	p := b.tablet().identify("12")
	p.press("ENTRAR", map[string][]string{"pin": {"907060"}})
	p.press("ENTRAR", map[string][]string{"pin": {anasPIN}}).says("Mis spools")
	record, err := json.Marshal(tried)
	if err != nil || len(tried) < 3 {
		t.Fatalf("%d attempts on record, %v", len(tried), err)
	}
	about, err := api.AboutWorker(t.Context(), b.store, ana, tried, b.clock.Now())
	if err != nil || !about.PIN {
		t.Fatalf("what is known of Ana: has a PIN %v, %v", about.PIN, err)
	}
	data, err := json.Marshal(about)
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"the log": log.String(), "the record": string(record), "the events": b.get("/api/events").Raw, "the person's file": string(data), "the page": p.raw} {
		for _, secret := range []string{anasPIN, "907060", "argon2id"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %s: %s", where, secret, text)
			}
		}
	}
	if !strings.Contains(string(record), "PIN_INCORRECTO") || !strings.Contains(log.String(), "wrong PIN") {
		t.Errorf("wrong PINs are not told: log %s, record %s", log.String(), record)
	}
}

// TestWhatWasHandedBackStaysSoAfterARestart: a copy of a person's cookie, taken from
// the tablet before Salir, was good again once the box had been started anew.
func TestWhatWasHandedBackStaysSoAfterARestart(t *testing.T) {
	var kept []byte
	fails := false
	b := newBox(t, func(o *api.Options) {
		o.KeepReturned = func(text []byte) error {
			if fails {
				return errors.New("the disk is full")
			}
			kept = bytes.Clone(text)
			return nil
		}
	})
	b.workerPIN(ana, anasPIN)
	again := func() {
		t.Helper()
		b.options.Returned = kept
		b = b.restarted()
	}
	enter := func() map[string]string {
		t.Helper()
		p := b.tablet().identify("12")
		p.press("ENTRAR", map[string][]string{"pin": {anasPIN}}).says("Mis spools")
		return p.cookies
	}
	is := func(name string, cookies map[string]string, when string) {
		t.Helper()
		(&tablet{box: b, cookies: maps.Clone(cookies)}).isMe(name, when)
	}
	leave := func(cookies map[string]string) {
		t.Helper()
		(&tablet{box: b, cookies: maps.Clone(cookies)}).send("POST", "/salir", url.Values{})
	}
	stays, left := enter(), enter()
	is("Ana Bravo", left, "before Salir")
	leave(left)
	is("", left, "after Salir")
	_, seal, _ := strings.Cut(left["envivo_persona"][3:], ".")
	if len(kept) == 0 || strings.Contains(string(kept), seal[strings.LastIndex(seal, ".")+1:]) {
		t.Fatalf("kept is %s", kept)
	}
	again()
	is("", left, "after Salir and a restart")
	is("Ana Bravo", stays, "with the other cookie, after a restart")
	before := string(kept)
	leave(map[string]string{"envivo_persona": "13.99999999999999.x.y"})
	if string(kept) != before {
		t.Errorf("a seal that nobody looked at is remembered: %s", kept)
	}
	fails = true
	leave(stays)
	is("", stays, "after Salir on a full disk")
	fails = false
	b.clock.Add(13 * time.Hour)
	last := enter()
	leave(last)
	again()
	is("", last, "after Salir and a restart, a day later")
	if n := strings.Count(string(kept), ":"); n != 2 {
		t.Errorf("a day later %s is kept, want only the last", kept)
	}
	for _, text := range []string{"", "null", "{", `{"devueltos":{"x":"y"}}`, `{"devueltos":null}`} {
		kept = []byte(text)
		again()
		is("Ana Bravo", last, "with a file that holds nothing")
		leave(last)
		is("", last, "after Salir, the file having held nothing")
	}
}
