package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"envivo/api"
	"envivo/plant"
)

func TestScopes(t *testing.T) {
	b := newBox(t, enrolled)
	read, act, admin := b.token("read"), b.token("act"), b.token("admin")
	take, free := by("S-1", ana, "operacion", "ARM"), fields{"tag_spool": "S-1", "motivo": "turno"}
	for _, c := range []struct {
		name, method, path, token string
		body                      any
		want                      int
	}{
		{"nobody reads", "GET", "/api/workers", "", nil, 403},
		{"nobody acts", "POST", "/api/occupation/tomar", "", take, 403},
		{"nobody streams", "GET", "/ws", "", nil, 403},
		{"nobody measures", "GET", "/metrics", "", nil, 403},
		{"anybody sees health", "GET", "/api/health", "", nil, 200},
		{"anybody sees readiness", "GET", "/readyz", "", nil, 200},
		{"a made-up token", "GET", "/api/workers", "envivo_00000000_abc", nil, 403},
		{"another token's secret", "GET", "/api/workers", read + "x", nil, 403},
		{"no token of ours", "GET", "/api/workers", "Basic", nil, 403},
		{"read reads", "GET", "/api/workers", read, nil, 200},
		{"read measures", "GET", "/metrics", read, nil, 200},
		{"read does not act", "POST", "/api/occupation/tomar", read, take, 403},
		{"act acts", "POST", "/api/occupation/tomar", act, take, 200},
		{"act is no supervisor", "POST", "/api/occupation/liberar", act, free, 403},
		{"admin is", "POST", "/api/occupation/liberar", admin, free, 200},
	} {
		var header []string
		if c.token != "" {
			header = []string{"Authorization", "Bearer " + c.token}
		}
		r := b.send(c.method, c.path, c.body, header...)
		if r.Status != c.want {
			t.Errorf("%s: %s %s = %d %s, want %d", c.name, c.method, c.path, r.Status, r.Raw, c.want)
		}
		if c.want == 403 && c.path != "/metrics" && (r.text("error") != "NO_AUTORIZADO" || !strings.Contains(r.text("message"), "utorizado")) {
			t.Errorf("%s: refusal = %s, want NO_AUTORIZADO", c.name, r.Raw)
		}
	}
	events := b.get("/api/events?limit=5000", "Authorization", "Bearer "+read).items("events")
	if last := events[len(events)-1]; last["device"] != "tv-admin" {
		t.Errorf("the last act came from %v, want the token's name", last["device"])
	}
}

func TestRevokedTokenIsNoneAtOnce(t *testing.T) {
	b := newBox(t)
	secret := b.token("act")
	header := []string{"Authorization", "Bearer " + secret}
	b.get("/api/workers", header...).want(t, "before", 200)
	id := strings.Split(secret, "_")[1]
	b.setting(plant.Setting{Key: api.SettingToken + id})
	r := b.get("/api/workers", header...).want(t, "with a revoked token, in an open plant", 403, "NO_AUTORIZADO")
	if !strings.Contains(r.text("message"), "token") {
		t.Errorf("refusal = %q, want it to speak of the token", r.text("message"))
	}
	b.get("/api/workers").want(t, "without any token, in an open plant", 200)
}

func TestTokensAndPINsAreChecked(t *testing.T) {
	for name, tok := range map[string]api.Token{"no name": {Name: " ", Scope: "read"}, "no scope": {Name: "x"}, "unknown scope": {Name: "x", Scope: "root"}} {
		if _, _, err := api.NewToken(tok, &counted{}); err == nil {
			t.Errorf("a token with %s was made", name)
		}
	}
	if _, _, err := api.NewToken(api.Token{Name: "x", Scope: "act"}, strings.NewReader("short")); err == nil {
		t.Error("a token was made without randomness")
	}
	for _, pin := range []string{"", "123", "1234567890123", "12a4", "١٢٣٤"} {
		if _, err := api.HashPIN(pin, &counted{}); !errors.Is(err, api.ErrPIN) {
			t.Errorf("HashPIN(%q) = %v, want ErrPIN", pin, err)
		}
	}
	for _, phc := range []string{"", "1234", "$argon2id$v=19$m=9999999999,t=1,p=1$AAAA$AAAA", "$argon2id$v=19$m=19456,t=0,p=1$AAAA$AAAA", "$argon2i$v=19$m=1,t=1,p=1$a$b", "$argon2id$v=19$m=19456,t=2,p=1$!$AAAA"} {
		if ok, err := api.VerifyPIN(phc, "1234"); ok || err == nil {
			t.Errorf("VerifyPIN(%q) = %v, %v; want an error", phc, ok, err)
		}
	}
}

// TestAPadKnowsHowLongThePINIs: so that it submits itself on the last digit.
func TestAPadKnowsHowLongThePINIs(t *testing.T) {
	for _, pin := range []string{"2580", "123456789012"} {
		b := newBox(t)
		b.pin(pin)
		want := fmt.Sprintf(`data-largo="%d"`, len(pin))
		if p := b.tablet().open("/entrar", http.StatusOK); !strings.Contains(p.raw, want) {
			t.Errorf("the pad for a PIN of %d digits has no %s", len(pin), want)
		}
		stored := b.store.Snapshot().Setting(api.SettingPIN)
		if ok, err := api.VerifyPIN(stored, pin); !ok || err != nil {
			t.Errorf("VerifyPIN of %q = %v, %v", stored, ok, err)
		}
		_, bare, _ := strings.Cut(stored, "$")
		if ok, err := api.VerifyPIN("$"+bare, pin); !ok || err != nil {
			t.Errorf("VerifyPIN of a hash without its length = %v, %v, want it taken", ok, err)
		}
	}
}

// session opens the supervisor's session and returns its cookie.
func (b *box) session(pin string, header ...string) (string, reply) {
	b.t.Helper()
	r := b.post("/api/supervisor/session", fields{"pin": pin}, header...)
	cookie, _, _ := strings.Cut(r.Header.Get("Set-Cookie"), ";")
	return cookie, r
}

func TestSupervisorsSession(t *testing.T) {
	b := newBox(t, enrolled)
	_, r := b.session("1234")
	r.want(t, "a session in a plant without PIN", 403, "NO_AUTORIZADO")
	b.pin("2468")
	_, r = b.session("1111")
	r.want(t, "a wrong PIN", 403, "NO_AUTORIZADO")
	cookie, r := b.session("2468")
	r.want(t, "the right PIN", 200)
	if set := r.Header.Get("Set-Cookie"); !strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Lax") || r.Body["activa"] != true {
		t.Errorf("session = %s with cookie %q", r.Raw, set)
	}
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM"), "Cookie", cookie).want(t, "TOMAR with a session on a device that is not enrolled", 403, "NO_AUTORIZADO")
	device := b.device("Armado 1", "compartida")
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM"), "Cookie", device+"; "+cookie).want(t, "TOMAR on a device", 200)
	b.post("/api/occupation/liberar", fields{"tag_spool": "S-1", "motivo": "turno"}, "Cookie", device+"; "+cookie).want(t, "LIBERAR with the session of elsewhere", 403)
	cookie, _ = b.session("2468", "Cookie", device)
	mine := []string{"Cookie", device + "; " + cookie}
	b.post("/api/occupation/liberar", fields{"tag_spool": "S-1", "motivo": "turno"}, mine...).want(t, "LIBERAR", 200)
	b.send(http.MethodDelete, "/api/supervisor/session", nil, mine...).want(t, "closing", 200)
	b.get("/api/webhooks", mine...).want(t, "after closing", 403)
	b.get("/api/workers", mine...).want(t, "the device after closing", 200)
	for _, body := range []any{`{}`, `{"pin":1234}`, `[]`, ``, `{"pin":null}`} {
		b.post("/api/supervisor/session", body).want(t, "a body without PIN", 422, "VALIDATION_ERROR")
	}
}

func TestSessionsEndByThemselves(t *testing.T) {
	b := newBox(t, enrolled)
	b.pin("2468")
	device := b.device("Armado 1", "compartida")
	begin := func() []string {
		cookie, _ := b.session("2468", "Cookie", device)
		return []string{"Cookie", device + "; " + cookie}
	}
	mine := begin()
	b.clock.Add(2*time.Minute - time.Second)
	b.get("/api/webhooks", mine...).want(t, "just before two idle minutes", 200)
	b.clock.Add(2 * time.Minute)
	b.get("/api/webhooks", mine...).want(t, "after two idle minutes", 403)
	mine = begin()
	for range 9 {
		b.clock.Add(time.Minute)
		b.get("/api/webhooks", mine...).want(t, "a busy session", 200)
	}
	b.clock.Add(time.Minute)
	b.get("/api/webhooks", mine...).want(t, "a busy session after ten minutes", 403)
}

func TestGuessingThePINIsLocked(t *testing.T) {
	b := newBox(t)
	b.pin("2468")
	for i := range 4 {
		_, r := b.session("0000")
		r.want(t, "a wrong PIN", 403, "NO_AUTORIZADO")
		if left := []string{"Quedan 4", "Quedan 3", "Quedan 2", "Queda 1"}[i]; !strings.Contains(r.text("message"), left) {
			t.Errorf("after %d wrong PINs: %q, want %q", i+1, r.text("message"), left)
		}
	}
	_, r := b.session("0000")
	r.want(t, "the fifth wrong PIN", 429, "DEMASIADOS_INTENTOS")
	_, r = b.session("2468")
	r.want(t, "the right PIN while locked", 429, "DEMASIADOS_INTENTOS")
	if r.Header.Get("Retry-After") == "" {
		t.Error("the lock does not say for how long")
	}
	b.clock.Add(time.Minute)
	_, r = b.session("2468")
	r.want(t, "the right PIN a minute later", 200)
}

func TestOtherSites(t *testing.T) {
	b := newBox(t)
	take := by("S-1", ana, "operacion", "ARM")
	b.post("/api/occupation/tomar", take, "Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site").want(t, "a write from a strange site", 403, "NO_AUTORIZADO")
	r := b.get("/api/workers", "Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site")
	if r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a strange site may read answers")
	}
	r = b.send(http.MethodOptions, "/api/occupation/tomar", nil, "Origin", "http://localhost:3000",
		"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "idempotency-key,content-type").want(t, "preflight", 204)
	for key, want := range map[string]string{
		"Access-Control-Allow-Origin": "http://localhost:3000", "Access-Control-Allow-Credentials": "true",
		"Access-Control-Allow-Methods": "GET, POST, OPTIONS", "Access-Control-Allow-Headers": "idempotency-key,content-type", "Vary": "Origin",
	} {
		if got := r.Header.Get(key); got != want {
			t.Errorf("preflight has %s = %q, want %q", key, got, want)
		}
	}
	r = b.post("/api/occupation/tomar", take, "Origin", "http://localhost:3000", "Sec-Fetch-Site", "same-site").want(t, "a write from our other front end", 200)
	if r.Header.Get("Access-Control-Allow-Origin") != "http://localhost:3000" {
		t.Error("our other front end may not read the answer")
	}
	r = b.post("/api/occupation/tomar", take, "Origin", "http://localhost:3000").want(t, "a refusal to our other front end", 409)
	if r.Header.Get("Access-Control-Allow-Origin") == "" || r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers of a refusal = %v", r.Header)
	}
	if _, err := api.New(api.Options{Origins: []string{"localhost"}, Now: b.clock.Now}); err == nil {
		t.Error("an origin without scheme was accepted")
	}
}
