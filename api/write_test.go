package api_test

import (
	"strings"
	"testing"
	"time"

	"envivo/plant"
)

func TestTakingPausingAndFinishing(t *testing.T) {
	b := newBox(t)
	r := b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM", "worker_nombre", "x", "desconocido", 1)).want(t, "TOMAR", 200)
	for key, want := range map[string]any{
		"success": true, "tag_spool": "S-1", "message": "Spool S-1 tomado por AB(12)", "version": 2.0, "seq": float64(b.seq()),
		"estado_detalle": "AB(12) trabajando ARM (ARM en progreso, SOLD pendiente)",
	} {
		if r.Body[key] != want {
			t.Errorf("answer to TOMAR has %s = %v, want %v", key, r.Body[key], want)
		}
	}
	b.clock.Add(time.Minute)
	r = b.post("/api/occupation/tomar", by("s-1", bruno, "operacion", "ARM")).want(t, "TOMAR of a held spool", 409, "SPOOL_OCCUPIED")
	if r.data("owner_id") != 12.0 || r.data("owner_name") != "AB(12)" || !strings.Contains(r.text("message"), "ocupado por AB(12)") || r.text("detail") != r.text("message") {
		t.Errorf("refusal = %s, want it to name the holder in message, detail and data", r.Raw)
	}
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR of one's own spool", 409, "SPOOL_OCCUPIED")
	b.post("/api/occupation/pausar", by("S-1", bruno)).want(t, "PAUSAR by a stranger", 403, "NO_AUTORIZADO")
	r = b.post("/api/v3/occupation/pausar", by("S-1", ana, "operacion", "ARM")).want(t, "PAUSAR", 200)
	if r.text("message") != "Trabajo pausado en S-1" || r.text("estado_detalle") != "Disponible - ARM pausado, SOLD pendiente" {
		t.Errorf("answer to PAUSAR = %s", r.Raw)
	}
	b.post("/api/occupation/pausar", by("S-1", bruno)).want(t, "PAUSAR by a stranger after the release", 403, "NO_AUTORIZADO")
	b.post("/api/occupation/pausar", by("S-1", ana)).want(t, "PAUSAR of a free spool", 400, "INVALID_STATE_TRANSITION")
	b.post("/api/v3/occupation/tomar", by("S-1", bruno, "operacion", "ARM")).want(t, "TOMAR of a paused spool", 200)
	r = b.post("/api/v3/occupation/completar", by("S-1", bruno, "fecha_operacion", "05-01-2026")).want(t, "COMPLETAR", 200)
	if r.text("message") != "Operación completada en S-1" || r.text("action_taken") != "COMPLETAR" {
		t.Errorf("answer to COMPLETAR = %s", r.Raw)
	}
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR of what is done", 400, "OPERACION_YA_COMPLETADA")
}

func TestRefusalsOfTaking(t *testing.T) {
	b := newBox(t)
	for _, c := range []struct {
		name   string
		body   fields
		status int
		code   string
	}{
		{"unknown spool", by("NADA-1", ana, "operacion", "ARM"), 404, "SPOOL_NO_ENCONTRADO"},
		{"unknown worker", by("S-1", 999, "operacion", "ARM"), 404, "WORKER_NO_ENCONTRADO"},
		{"inactive worker", by("S-1", felix, "operacion", "ARM"), 404, "WORKER_NO_ENCONTRADO"},
		{"wrong trade", by("S-1", carla, "operacion", "ARM"), 403, "ROL_NO_AUTORIZADO"},
		{"no material", by("SIN-1", ana, "operacion", "ARM"), 400, "DEPENDENCIAS_NO_SATISFECHAS"},
		{"no ARM yet", by("S-1", carla, "operacion", "SOLD"), 400, "DEPENDENCIAS_NO_SATISFECHAS"},
		{"inspection", by("S-1", elena, "operacion", "METROLOGIA"), 400, "OPERACION_NO_DISPONIBLE"},
		{"repair of what is whole", by("S-1", ana, "operacion", "REPARACION"), 400, "OPERACION_NO_DISPONIBLE"},
		{"unknown operation", by("S-1", ana, "operacion", "PINTAR"), 422, "VALIDATION_ERROR"},
		{"day to come", by("S-1", ana, "operacion", "ARM", "fecha_operacion", "2199-01-01"), 422, "VALIDATION_ERROR"},
		{"no operation", by("S-1", ana, "motivo", "turno"), 422, "VALIDATION_ERROR"},
	} {
		before := b.seq()
		b.post("/api/occupation/tomar", c.body).want(t, c.name, c.status, c.code)
		if b.seq() != before {
			t.Errorf("%s: something was committed", c.name)
		}
	}
}

func TestOldDoorLetsSoldBeginOnceArmHasBegun(t *testing.T) {
	b := newBox(t)
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR ARM", 200)
	b.post("/api/occupation/pausar", by("S-1", ana)).want(t, "PAUSAR ARM", 200)
	b.post("/api/occupation/tomar", by("S-1", carla, "operacion", "SOLD")).want(t, "TOMAR SOLD with ARM begun", 200)
}

func TestVersionSeen(t *testing.T) {
	b := newBox(t)
	r := b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM", "version", 7)).want(t, "TOMAR with an old version", 409, "VERSION_CONFLICT")
	if r.data("expected_version") != 7.0 || r.data("actual_version") != 1.0 {
		t.Errorf("data = %v, want both versions", r.Body["data"])
	}
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM", "version", 1)).want(t, "TOMAR with the right version", 200)
}

func TestDaysOfOperation(t *testing.T) {
	b := newBox(t)
	today := plant.DateOf(b.clock.Now())
	for i, day := range []any{today.ISO(), today.String(), today.ISO() + "T10:00:00Z", "", nil} {
		tag := []string{"S-1", "S-2", "S-3", "S-4", "S-5"}[i]
		b.post("/api/occupation/tomar", by(tag, ana, "operacion", "ARM")).want(t, "TOMAR", 200)
		b.post("/api/occupation/completar", by(tag, ana, "fecha_operacion", day)).want(t, "COMPLETAR", 200)
		if got := b.get("/api/spools/" + tag).text("fecha_armado"); got != today.ISO() {
			t.Errorf("fecha_operacion %v is kept as %q, want %s", day, got, today.ISO())
		}
	}
	b.post("/api/occupation/completar", by("S-6", ana, "fecha_operacion", "31-02-2026")).want(t, "a day that never was", 422, "VALIDATION_ERROR")
}

func TestRepeatingUnderAKey(t *testing.T) {
	b := newBox(t)
	key := []string{"Idempotency-Key", "clave-1"}
	b.post("/api/occupation/tomar", by("SIN-1", ana, "operacion", "ARM"), key...).want(t, "a refusal under a key", 400)
	first := b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM"), key...).want(t, "the key after a refusal", 200)
	at := b.seq()
	again := b.post("/api/occupation/tomar", ` { "operacion":"ARM", "worker_id":12,  "otro":[1], "tag_spool":"S-1" } `, key...).want(t, "the same again", 200)
	if again.Raw != first.Raw || b.seq() != at {
		t.Errorf("repeated = %s (seq %d), want the first answer %s and no new event", again.Raw, b.seq(), first.Raw)
	}
	for name, c := range map[string]struct {
		path string
		body fields
	}{
		"another spool":   {"/api/occupation/tomar", by("S-2", ana, "operacion", "ARM")},
		"another worker":  {"/api/occupation/tomar", by("S-1", bruno, "operacion", "ARM")},
		"another address": {"/api/v3/occupation/tomar", by("S-1", ana, "operacion", "ARM")},
		"one field more":  {"/api/occupation/tomar", by("S-1", ana, "operacion", "ARM", "version", 1)},
		"empty unions":    {"/api/occupation/tomar", by("S-1", ana, "operacion", "ARM", "uniones", []int{})},
	} {
		b.post(c.path, c.body, key...).want(t, "the key with "+name, 422, "IDEMPOTENCY_KEY_REUSED")
	}
	if b.seq() != at {
		t.Errorf("a reused key committed something")
	}
	b.post("/api/occupation/tomar", by("S-3", ana, "operacion", "ARM"), "Idempotency-Key", strings.Repeat("k", 129)).want(t, "a key too long", 422, "VALIDATION_ERROR")
	long := []string{"Idempotency-Key", strings.Repeat("ñ", 128)}
	b.post("/api/occupation/tomar", by("S-3", ana, "operacion", "ARM"), long...).want(t, "a key of 128 letters", 200)
	b.post("/api/occupation/tomar", by("S-3", ana, "operacion", "ARM"), long...).want(t, "a key of 128 letters again", 200)
}

func TestBatches(t *testing.T) {
	b := newBox(t)
	b.post("/api/occupation/tomar", by("S-2", bruno, "operacion", "ARM")).want(t, "TOMAR", 200)
	body := fields{"tag_spools": []string{"S-1", "S-2", "NADA", "SIN-1", "S-3"}, "worker_id": ana, "operacion": "ARM"}
	key := []string{"Idempotency-Key", "lote"}
	r := b.post("/api/occupation/batch-tomar", body, key...).want(t, "batch", 200)
	if r.num("total") != 5 || r.num("succeeded") != 2 || r.num("failed") != 3 {
		t.Errorf("batch = %s, want 2 of 5", r.Raw)
	}
	for i, want := range []string{"Spool S-1 tomado por AB(12)", "Spool ya ocupado: ", "Error: Spool NADA no encontrado", "Error: Faltan dependencias", "Spool S-3 tomado por AB(12)"} {
		item := r.items("details")[i]
		if m, _ := item["message"].(string); !strings.HasPrefix(m, want) || item["success"] != (i == 0 || i == 4) {
			t.Errorf("item %d = %v, want success and a message beginning %q", i, item, want)
		}
	}
	at := b.seq()
	if again := b.post("/api/v3/occupation/batch-tomar", body, "Idempotency-Key", "otro").want(t, "batch by another", 200); again.num("succeeded") != 0 {
		t.Errorf("the batch without its key = %s, want nothing taken", again.Raw)
	}
	if again := b.post("/api/occupation/batch-tomar", body, key...); again.Raw != r.Raw || b.seq() != at {
		t.Errorf("the batch repeated = %s, want %s", again.Raw, r.Raw)
	}
	for name, c := range map[string]struct {
		path string
		body fields
	}{
		"other spools": {"/api/occupation/batch-tomar", fields{"tag_spools": []string{"U-1"}, "worker_id": ana, "operacion": "ARM"}},
		"fewer":        {"/api/occupation/batch-tomar", fields{"tag_spools": []string{"S-1"}, "worker_id": ana, "operacion": "ARM"}},
		"another door": {"/api/iniciar-accion-batch", body},
		"one spool":    {"/api/occupation/tomar", by("U-1", ana, "operacion", "ARM")},
	} {
		b.post(c.path, c.body, key...).want(t, "the batch's key with "+name, 422, "IDEMPOTENCY_KEY_REUSED")
	}
	if b.seq() != at {
		t.Errorf("a reused key committed something")
	}
	many := make([]string, 51)
	for i := range many {
		many[i] = strings.Repeat("X", i+1)
	}
	for name, tags := range map[string]any{"none": []string{}, "51": many, "the same twice": []string{"S-1", " s-1"}, "an empty one": []string{""}, "a text": "S-1", "missing": nil} {
		b.post("/api/occupation/batch-tomar", fields{"tag_spools": tags, "worker_id": ana, "operacion": "ARM"}).want(t, "batch of "+name, 422, "VALIDATION_ERROR")
	}
}

func TestUnionsKeepAnOperationOpen(t *testing.T) {
	b := newBox(t)
	b.post("/api/occupation/tomar", by("U-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	r := b.post("/api/occupation/completar", by("U-1", ana)).want(t, "COMPLETAR with unions open", 200)
	if r.text("action_taken") != "PAUSAR" || r.text("message") != "Trabajo pausado en U-1: ARM parcial 0/3" ||
		r.text("estado_detalle") != "ARM parcial 0/3 (pausado)" {
		t.Errorf("COMPLETAR with unions open = %s, want a partial pause with counts", r.Raw)
	}
}

func TestInspectionAndRepair(t *testing.T) {
	b := newBox(t)
	b.post("/api/metrologia/completar", by("S-1", elena, "resultado", "APROBADO")).want(t, "inspection of unfinished work", 400, "DEPENDENCIAS_NO_SATISFECHAS")
	b.inspectable("S-1")
	b.post("/api/metrologia/completar", by("S-1", ana, "resultado", "APROBADO")).want(t, "inspection by a fitter", 403, "ROL_NO_AUTORIZADO")
	b.post("/api/metrologia/completar", by("S-1", elena, "resultado", "TAL VEZ")).want(t, "no verdict", 422, "VALIDATION_ERROR")
	b.post("/api/metrologia/completar", by("S-1", elena)).want(t, "verdict missing", 422, "VALIDATION_ERROR")
	r := b.post("/api/metrologia/completar", by("S-1", elena, "resultado", "RECHAZADO", "uniones", []int{9})).want(t, "rejection of a union that is not there", 422, "VALIDATION_ERROR")
	if !strings.Contains(r.text("message"), "9") || r.items("detail")[0]["loc"].([]any)[1] != "uniones" {
		t.Errorf("refusal = %s, want it to be about union 9", r.Raw)
	}
	r = b.post("/api/metrologia/completar", by("S-1", elena, "resultado", "RECHAZADO", "motivo", "poro")).want(t, "rejection", 200)
	if r.text("message") != "Metrología rechazado para spool S-1" || r.text("resultado") != "RECHAZADO" ||
		r.text("estado_detalle") != "Disponible - ARM completado, SOLD completado, RECHAZADO (Ciclo 1/3) - Pendiente reparación" {
		t.Errorf("rejection = %s", r.Raw)
	}
	b.post("/api/metrologia/completar", by("S-1", elena, "resultado", "APROBADO")).want(t, "inspection twice", 400, "OPERACION_YA_COMPLETADA")
	for _, c := range []struct {
		path, message, estado string
		cycle                 bool
	}{
		{"tomar", "Reparación tomada para spool S-1", "EN_REPARACION (Ciclo 1/3) - Ocupado: AB(12)", true},
		{"pausar", "Reparación pausada para spool S-1", "REPARACION_PAUSADA (Ciclo 1/3)", false},
		{"tomar", "Reparación tomada para spool S-1", "EN_REPARACION (Ciclo 1/3) - Ocupado: AB(12)", true},
		{"cancelar", "Reparación cancelada para spool S-1", "RECHAZADO (Ciclo 1/3) - Pendiente reparación", false},
		{"tomar", "Reparación tomada para spool S-1", "EN_REPARACION (Ciclo 1/3) - Ocupado: AB(12)", true},
		{"completar", "Reparación completada para spool S-1 - devuelto a metrología", "PENDIENTE_METROLOGIA", true},
	} {
		r := b.post("/api/"+c.path+"-reparacion", by("S-1", ana)).want(t, c.path+" the repair", 200)
		if r.text("message") != c.message || r.text("estado_detalle") != c.estado || c.cycle && r.num("cycle") != 1 || c.path == "tomar" && r.text("worker_nombre") != "AB(12)" {
			t.Errorf("%s the repair = %s, want %q, %q", c.path, r.Raw, c.message, c.estado)
		}
	}
	b.post("/api/cancelar-reparacion", by("S-1", ana)).want(t, "cancelling no repair", 400, "OPERACION_NO_INICIADA")
	r = b.post("/api/occupation/completar", by("S-1", elena, "operacion", "METROLOGIA", "resultado", "APROBADO")).want(t, "inspection by the occupation endpoint", 200)
	if r.text("estado_detalle") != "Disponible - ARM completado, SOLD completado, METROLOGIA APROBADO ✓" {
		t.Errorf("approval = %s", r.Raw)
	}
	b.post("/api/occupation/completar", by("S-1", elena, "operacion", "METROLOGIA")).want(t, "inspection without verdict", 422, "VALIDATION_ERROR")
}

func TestBlockedSpoolNeedsTheSupervisor(t *testing.T) {
	b := newBox(t)
	admin := []string{"Authorization", "Bearer " + b.token("admin")}
	b.rejected("S-1", 3)
	if got := b.get("/api/spools/S-1").text("estado_detalle"); got != "BLOQUEADO - Contactar supervisor" {
		t.Errorf("after three rejections = %q", got)
	}
	b.post("/api/tomar-reparacion", by("S-1", ana)).want(t, "repair of a blocked spool", 403, "SPOOL_BLOQUEADO")
	b.post("/api/metrologia/completar", by("S-1", elena, "resultado", "APROBADO")).want(t, "inspection of a blocked spool", 403, "SPOOL_BLOQUEADO")
	b.post("/api/occupation/desbloquear", fields{"tag_spool": "S-1", "motivo": "revisado"}).want(t, "unblocking by anybody", 403, "NO_AUTORIZADO")
	b.post("/api/occupation/desbloquear", fields{"tag_spool": "S-1"}, admin...).want(t, "unblocking without motive", 422, "VALIDATION_ERROR")
	b.post("/api/occupation/desbloquear", fields{"tag_spool": "S-1", "motivo": "revisado"}, admin...).want(t, "unblocking", 200)
	b.post("/api/tomar-reparacion", by("S-1", ana)).want(t, "repair after the unblocking", 200)
}

func TestHoldsPassOn(t *testing.T) {
	b := newBox(t)
	admin := []string{"Authorization", "Bearer " + b.token("admin")}
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	r := b.post("/api/occupation/relevar", by("S-1", bruno)).want(t, "RELEVAR too early", 403, "NO_AUTORIZADO")
	if r.data("vence") == nil {
		t.Errorf("refusal = %s, want the instant from which it may be relieved", r.Raw)
	}
	b.clock.Add(time.Hour)
	if r := b.get("/api/spools/S-1"); r.Body["vencida"] != true {
		t.Errorf("after an hour vencida = %v, want true", r.Body["vencida"])
	}
	r = b.post("/api/occupation/relevar", by("S-1", bruno)).want(t, "RELEVAR", 200)
	if r.text("worker_nombre") != "BC(13)" || r.text("de") != "AB(12)" {
		t.Errorf("RELEVAR = %s, want from whom to whom", r.Raw)
	}
	b.post("/api/occupation/pausar", by("S-1", ana)).want(t, "PAUSAR by the relieved", 410, "LOCK_EXPIRED")
	b.post("/api/occupation/traspasar", by("S-1", bruno)).want(t, "TRASPASAR to nobody", 422, "VALIDATION_ERROR")
	b.post("/api/occupation/traspasar", by("S-1", bruno, "worker_destino", 999)).want(t, "TRASPASAR to a stranger", 404, "WORKER_NO_ENCONTRADO")
	b.post("/api/occupation/traspasar", by("S-1", bruno, "worker_destino", ana)).want(t, "TRASPASAR", 200)
	b.post("/api/occupation/liberar", by("S-1", bruno, "motivo", "turno")).want(t, "LIBERAR by a worker", 403, "NO_AUTORIZADO")
	b.post("/api/occupation/liberar", fields{"tag_spool": "S-1"}, admin...).want(t, "LIBERAR without motive", 422, "VALIDATION_ERROR")
	r = b.post("/api/occupation/liberar", fields{"tag_spool": "S-1", "motivo": "turno"}, admin...).want(t, "LIBERAR", 200)
	if r.text("de") != "AB(12)" || r.text("estado_detalle") != "Disponible - ARM pausado, SOLD pendiente" {
		t.Errorf("LIBERAR = %s", r.Raw)
	}
	b.post("/api/occupation/pausar", by("S-1", ana)).want(t, "PAUSAR by the released", 410, "LOCK_EXPIRED")
}

func TestUndoing(t *testing.T) {
	b := newBox(t)
	r := b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.post("/api/occupation/deshacer", by("S-1", bruno)).want(t, "DESHACER of somebody else's", 400, "INVALID_STATE_TRANSITION")
	b.post("/api/occupation/deshacer", by("S-1", ana, "seq", r.num("seq")+1)).want(t, "DESHACER of another event", 400, "INVALID_STATE_TRANSITION")
	undone := b.post("/api/occupation/deshacer", by("S-1", ana, "seq", r.num("seq"))).want(t, "DESHACER", 200)
	if undone.num("deshace") != r.num("seq") {
		t.Errorf("DESHACER = %s, want it to name event %d", undone.Raw, r.num("seq"))
	}
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR again", 200)
	b.clock.Add(11 * time.Second)
	b.post("/api/occupation/deshacer", by("S-1", ana)).want(t, "DESHACER too late", 400, "INVALID_STATE_TRANSITION")
	r = b.post("/api/occupation/cancelar", by("S-1", ana)).want(t, "CANCELAR", 200)
	if r.text("estado_detalle") != "Disponible - ARM pendiente, SOLD pendiente" {
		t.Errorf("CANCELAR = %s", r.Raw)
	}
}
