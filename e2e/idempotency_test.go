package e2e

import "testing"

// TestOneIntention repeats a command under its key: at once, after a restart,
// and with another body.
func TestOneIntention(t *testing.T) {
	data := newPlant(t, 5, 0)
	s := serve(t, data)
	body := take(spoolTag(1), fitterA, "ARM")
	first := s.post("/api/occupation/tomar", body, "Idempotency-Key", "una vez").want(t, "TOMAR", 200)
	again := s.post("/api/occupation/tomar", body, "Idempotency-Key", "una vez").want(t, "TOMAR repeated", 200)
	if again.Raw != first.Raw {
		t.Errorf("repeated answer = %s, want the first one %s", again.Raw, first.Raw)
	}
	s.post("/api/occupation/pausar", take(spoolTag(1), fitterA, "ARM")).want(t, "PAUSAR", 200)
	s.post("/api/occupation/tomar", take(spoolTag(2), fitterA, "ARM"), "Idempotency-Key", "una vez").want(t, "the key with another body", 422)
	s.post("/api/occupation/pausar", body, "Idempotency-Key", "una vez").want(t, "the key on another path", 422)
	s.kill()
	s = serve(t, data)
	late := s.post("/api/occupation/tomar", body, "Idempotency-Key", "una vez").want(t, "TOMAR repeated after a power cut", 200)
	if late.Raw != first.Raw {
		t.Errorf("answer after the restart = %s, want the first one %s", late.Raw, first.Raw)
	}
	if r := s.get("/api/occupation/status/" + spoolTag(1)); r.Body["ocupado"] != false {
		t.Errorf("the repeated key took the spool again: %s", r.Raw)
	}
	// A refusal is not remembered: the same key may try again later.
	s.post("/api/occupation/tomar", take(spoolTag(3), fitterB, "ARM")).want(t, "TOMAR by B", 200)
	s.post("/api/occupation/tomar", take(spoolTag(3), fitterA, "ARM"), "Idempotency-Key", "otra").want(t, "TOMAR of a held spool", 409)
	s.post("/api/occupation/pausar", take(spoolTag(3), fitterB, "ARM")).want(t, "PAUSAR by B", 200)
	s.post("/api/occupation/tomar", take(spoolTag(3), fitterA, "ARM"), "Idempotency-Key", "otra").want(t, "TOMAR under the key of a refusal", 200)
}

// TestVersionSeen sends the revision the client saw.
func TestVersionSeen(t *testing.T) {
	s := serve(t, newPlant(t, 5, 0))
	v := s.get("/api/spools/"+spoolTag(1)).want(t, "GET spool", 200).num("version")
	body := take(spoolTag(1), fitterA, "ARM")
	body["version"] = v + 1
	r := s.post("/api/occupation/tomar", body).want(t, "TOMAR with a wrong revision", 409)
	if d, _ := r.Body["data"].(fields); r.text("error") != "VERSION_CONFLICT" || d["expected_version"] != float64(v+1) || d["actual_version"] != float64(v) {
		t.Errorf("answer = %s, want VERSION_CONFLICT with both revisions", r.Raw)
	}
	body["version"] = v
	if got := s.post("/api/occupation/tomar", body).want(t, "TOMAR with the right revision", 200).num("version"); got != v+1 {
		t.Errorf("revision after TOMAR = %d, want %d", got, v+1)
	}
}

// TestReadsShowTheWrite reads at once what was acknowledged, a thousand times.
func TestReadsShowTheWrite(t *testing.T) {
	s := serve(t, newPlant(t, 10, 0))
	for i := range 500 {
		tag := spoolTag(1 + i%10)
		for _, verb := range []string{"tomar", "pausar"} {
			w := s.post("/api/occupation/"+verb, take(tag, fitterA, "ARM")).want(t, verb, 200)
			r := s.get("/api/spools/"+tag).want(t, "GET spool", 200)
			if r.num("version") < w.num("version") {
				t.Fatalf("read after the acknowledged %s %d shows revision %d, want at least %d", verb, i, r.num("version"), w.num("version"))
			}
		}
	}
}
