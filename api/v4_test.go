package api_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"envivo/plant"
)

// keys are the names in an object, sorted.
func keys(m map[string]any) string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func finalizar(tag string, worker int, op string, ids ...string) fields {
	return by(tag, worker, "operacion", op, "selected_unions", append([]string{}, ids...))
}

func TestFinalizarLetsTheUnionsDecide(t *testing.T) {
	b := newBox(t)
	b.post("/api/v4/occupation/iniciar", by("U-1", carla, "operacion", "SOLD")).want(t, "SOLD before ARM", 403, "ARM_PREREQUISITE")
	b.post("/api/v4/occupation/iniciar", by("S-1", carla, "operacion", "SOLD")).want(t, "SOLD before ARM without unions", 403, "ARM_PREREQUISITE")
	r := b.post("/api/v4/occupation/iniciar", by("U-1", ana, "operacion", "ARM")).want(t, "iniciar", 200)
	if r.text("message") != "Spool U-1 iniciado por AB(12)" {
		t.Errorf("message = %q", r.text("message"))
	}
	b.post("/api/v4/occupation/iniciar", by("U-1", bruno, "operacion", "ARM")).want(t, "iniciar a held spool", 409, "SPOOL_OCCUPIED")
	b.post("/api/v4/occupation/finalizar", by("U-1", ana, "operacion", "ARM")).want(t, "neither selection nor override", 422, "VALIDATION_ERROR")
	b.post("/api/v4/occupation/finalizar", finalizar("U-1", ana, "ARM", "7+1", "7+2", "7+3", "U-1+4")).want(t, "more than there are", 409, "RACE_CONDITION")
	b.post("/api/v4/occupation/finalizar", finalizar("U-1", ana, "ARM", "OTRA+1")).want(t, "a union of another spool", 422, "VALIDATION_ERROR")
	b.post("/api/v4/occupation/finalizar", finalizar("U-1", bruno, "ARM", "7+1")).want(t, "by a stranger", 403, "NO_AUTORIZADO")
	r = b.post("/api/v4/occupation/finalizar", finalizar("U-1", ana, "ARM", "7+1", "U-1+2")).want(t, "two of three", 200)
	if got, want := keys(r.Body), "action_taken estado_detalle message metrologia_triggered new_state pulgadas seq success tag_spool unions_processed version"; got != want {
		t.Errorf("finalizar answers the keys %s, want %s", got, want)
	}
	if r.text("action_taken") != "PAUSAR" || r.num("unions_processed") != 2 || r.Body["pulgadas"] != 2.75 || r.Body["metrologia_triggered"] != false || r.Body["new_state"] != nil {
		t.Errorf("finalizar with two of three answers %s", r.Raw)
	}
	b.post("/api/v4/occupation/iniciar", by("U-1", ana, "operacion", "ARM")).want(t, "iniciar again", 200)
	r = b.post("/api/v4/occupation/finalizar", finalizar("U-1", ana, "ARM", "7+3")).want(t, "the last", 200)
	if r.text("action_taken") != "COMPLETAR" || r.Body["pulgadas"] != 4.0 {
		t.Errorf("finalizar with the last union answers %s", r.Raw)
	}
	b.post("/api/v4/occupation/iniciar", by("U-1", carla, "operacion", "SOLD")).want(t, "SOLD", 200)
	r = b.post("/api/v4/occupation/finalizar", by("U-1", carla, "operacion", "SOLD", "action_override", "COMPLETAR")).want(t, "override", 200)
	if r.text("action_taken") != "COMPLETAR" || r.num("unions_processed") != 2 || r.Body["metrologia_triggered"] != true || r.text("new_state") != "En Cola Metrología" {
		t.Errorf("finalizar with all welds answers %s", r.Raw)
	}
}

func TestFinalizarWithoutUnionsAndWithNone(t *testing.T) {
	b := newBox(t)
	for i, c := range []struct {
		name, action string
		body         fields
	}{
		{"an empty selection", "CANCELADO", fields{"selected_unions": []string{}}},
		{"override PAUSAR", "PAUSAR", fields{"action_override": "PAUSAR"}},
		{"override COMPLETAR", "COMPLETAR", fields{"action_override": "COMPLETAR", "selected_unions": []string{}}},
	} {
		tag := fmt.Sprint("S-", i+1)
		b.post("/api/v4/occupation/iniciar", by(tag, ana, "operacion", "ARM")).want(t, "iniciar", 200)
		body := by(tag, ana, "operacion", "ARM")
		for k, v := range c.body {
			body[k] = v
		}
		first := b.post("/api/v4/occupation/finalizar", body, "Idempotency-Key", tag).want(t, c.name, 200)
		if first.text("action_taken") != c.action || first.Body["pulgadas"] != nil || first.num("unions_processed") != 0 {
			t.Errorf("%s answers %s, want %s without inches", c.name, first.Raw, c.action)
		}
		if again := b.post("/api/v4/occupation/finalizar", body, "Idempotency-Key", tag); again.Raw != first.Raw {
			t.Errorf("%s repeated answers %s, want %s", c.name, again.Raw, first.Raw)
		}
		b.post("/api/v4/occupation/finalizar", change(body, "selected_unions", []string{"S-1+1"}), "Idempotency-Key", tag).want(t, "the key with another selection", 422, "IDEMPOTENCY_KEY_REUSED")
	}
	if s := b.get("/api/spools/S-2"); s.text("armador") != "AB(12)" {
		t.Errorf("after override PAUSAR the fitter is %q, want AB(12): a pause keeps who began", s.text("armador"))
	}
}

func TestUnionsAreReadInThreeWays(t *testing.T) {
	b := newBox(t)
	r := b.get("/api/v4/uniones/U-1/disponibles?operacion=arm").want(t, "disponibles", 200)
	if want := `{"tag_spool":"U-1","operacion":"ARM","unions":[{"id":"7+1","n_union":1,"dn_union":2,"tipo_union":"BW"},{"id":"7+2","n_union":2,"dn_union":0.75,"tipo_union":"SO"},{"id":"7+3","n_union":3,"dn_union":4,"tipo_union":"FW"}],"count":3}`; strings.TrimSpace(r.Raw) != want {
		t.Errorf("disponibles = %s, want %s", r.Raw, want)
	}
	if r := b.get("/api/v4/uniones/U-1/disponibles?operacion=SOLD").want(t, "disponibles SOLD", 200); r.num("count") != 0 || !strings.Contains(r.Raw, `"unions":[]`) {
		t.Errorf("before ARM %s can be welded, want none", r.Raw)
	}
	for path, want := range map[string]int{
		"/api/v4/uniones/U-1/disponibles": 422, "/api/v4/uniones/U-1/disponibles?operacion=METROLOGIA": 400, "/api/v4/uniones/NO-HAY/disponibles?operacion=ARM": 404,
		"/api/v4/uniones/S-1/metricas": 404, "/api/v4/uniones/NO-HAY/metricas": 404, "/api/v4/uniones/NO-HAY/todas": 404,
	} {
		if _, ok := b.get(path).want(t, path, want).Body["detail"].(map[string]any); !ok {
			t.Errorf("GET %s: detail is no object", path)
		}
	}
	if r := b.get("/api/v4/uniones/U-1/disponibles?operacion=METROLOGIA"); r.text("message") != "Operación inválida 'METROLOGIA'. Debe ser ARM o SOLD." {
		t.Errorf("METROLOGIA is refused with %q, which does not say what is known here", r.text("message"))
	}
	b.post("/api/occupation/tomar", by("U-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.post("/api/occupation/pausar", by("U-1", ana, "uniones", []int{2})).want(t, "PAUSAR with a union", 200)
	if r := b.get("/api/v4/uniones/U-1/metricas").want(t, "metricas", 200); strings.TrimSpace(r.Raw) != `{"tag_spool":"U-1","total_uniones":3,"arm_completadas":1,"sold_completadas":0,"pulgadas_arm":0.75,"pulgadas_sold":0}` {
		t.Errorf("metricas = %s", r.Raw)
	}
	if r := b.get("/api/v4/uniones/U-1/todas").want(t, "todas", 200); !strings.Contains(r.Raw, `{"id":"7+2","n_union":2,"dn_union":0.75,"tipo_union":"SO","has_work":true,"arm_worker":"AB(12)","sol_worker":null}`) || r.num("total") != 3 {
		t.Errorf("todas = %s", r.Raw)
	}
	for tag, want := range map[string]string{"U-1": "v4.0", "S-1": "v3.0"} {
		if r := b.get("/api/diagnostic/"+tag+"/version").want(t, "diagnostic", 200); r.text("version") != want {
			t.Errorf("diagnostic of %s = %s, want %s", tag, r.Raw, want)
		}
	}
}

func union(n int, more ...any) fields {
	out := fields{"n_union": n}
	for i := 0; i+1 < len(more); i += 2 {
		out[more[i].(string)] = more[i+1]
	}
	return out
}

func TestSavingUnionsSendsTheWholeSet(t *testing.T) {
	b := newBox(t)
	save := func(tag string, us ...fields) reply {
		return b.post("/api/v4/uniones/guardar", fields{"tag_spool": tag, "unions": append([]fields{}, us...)}, "Idempotency-Key", fmt.Sprintf("%x", sha256.Sum256([]byte(fmt.Sprint(tag, us)))))
	}
	bw1, so2, fw3 := union(1, "dn_union", 2, "tipo_union", "BW"), union(2, "dn_union", 1.5, "tipo_union", "SO"), union(3, "dn_union", 4, "tipo_union", "FW")
	first := save("U-1", bw1, so2, union(4, "dn_union", 0.3, "tipo_union", "MIT")).want(t, "save", 200)
	if got, want := keys(first.Body), "created created_ids deleted estado_detalle message seq success tag_spool total_uniones updated version"; got != want {
		t.Errorf("guardar answers the keys %s, want %s", got, want)
	}
	if first.num("total_uniones") != 3 || first.num("created") != 1 || first.num("updated") != 1 || first.num("deleted") != 1 || !strings.Contains(first.Raw, `"created_ids":[{"n_union":4,"id":"7+4"}]`) {
		t.Errorf("guardar answers %s, want one of each", first.Raw)
	}
	again := save("U-1", union(1), union(2), union(4)).want(t, "the same set, not spelled out", 200)
	if again.num("created")+again.num("updated")+again.num("deleted") != 0 || again.num("total_uniones") != 3 || again.num("seq") != first.num("seq") {
		t.Errorf("a set that is there already answers %s, want no changes", again.Raw)
	}
	b.post("/api/occupation/tomar", by("U-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.post("/api/occupation/pausar", by("U-1", ana, "uniones", []int{2})).want(t, "PAUSAR with a union", 200)
	if late := save("U-1", bw1, so2, union(4, "dn_union", 0.3, "tipo_union", "MIT")); late.Raw != first.Raw {
		t.Errorf("the first set under its key answers %s, want %s", late.Raw, first.Raw)
	}
	for name, us := range map[string][]fields{"delete": {bw1}, "change": {bw1, union(2, "dn_union", 3), union(4)}} {
		r := save("U-1", us...).want(t, name+" a union with work", 400)
		if !strings.Contains(r.text("message"), "U-1") || strings.Contains(r.text("message"), "red") {
			t.Errorf("message = %q", r.text("message"))
		}
	}
	var many []fields
	for n := 1; n <= 21; n++ {
		many = append(many, union(n, "dn_union", 1, "tipo_union", "BW"))
	}
	for name, us := range map[string][]fields{
		"none": {}, "21": many, "N missing": {{"dn_union": 1}}, "N 0": {union(0)}, "N 21": {union(21, "dn_union", 1, "tipo_union", "BW")}, "N twice": {bw1, bw1}, "DN 0": {union(1, "dn_union", 0)}, "DN below 0": {union(1, "dn_union", -3)},
		"DN 50.1": {union(1, "dn_union", 50.1)}, "a type the form lacks": {union(1, "tipo_union", "FW")}, "a new one without DN": {union(9, "tipo_union", "BW")}, "a new one without type": {union(9, "dn_union", 1)},
		"N a text": {{"n_union": "1"}},
	} {
		save("U-1", us...).want(t, "unions: "+name, 422, "VALIDATION_ERROR")
	}
	save("NO-HAY", bw1).want(t, "an unknown spool", 404, "SPOOL_NO_ENCONTRADO")
	save("S-1", fw3).want(t, "a type of engineering's on a new union", 422, "VALIDATION_ERROR")
	save("S-1", bw1).want(t, "the first union of a spool", 200)
}

func TestEngineeringsOwnTypesMayBeSentBack(t *testing.T) {
	b := newBox(t)
	r := b.post("/api/v4/uniones/guardar", fields{"tag_spool": "U-1", "unions": []fields{union(1), union(2), union(3, "dn_union", 4, "tipo_union", "FW"), union(5, "dn_union", 1, "tipo_union", "BW")}}).want(t, "save", 200)
	if r.num("created") != 1 || r.num("updated") != 0 || r.num("total_uniones") != 4 {
		t.Errorf("guardar answers %s, want one new", r.Raw)
	}
}

func TestStatusIsACard(t *testing.T) {
	b := newBox(t)
	want := "armador_display ciclo_rep completion_history estado_detalle estado_trabajo fecha_armado fecha_ocupacion fecha_soldadura nv ocupado_por ocupado_por_display operacion_actual ot " +
		"pulgadas_arm pulgadas_sold soldador_display tag_spool total_uniones uniones_arm_completadas uniones_sold_completadas version"
	if got := keys(b.get("/api/spool/S-1/status").want(t, "status", 200).Body); got != want {
		t.Errorf("status has the keys %s, want %s", got, want)
	}
	b.work("S-1", ana, "ARM")
	b.post("/api/occupation/tomar", by("S-1", carla, "operacion", "SOLD")).want(t, "TOMAR", 200)
	r := b.get("/api/spool/S-1/status")
	day := plant.DateOf(b.clock.Now())
	if r.text("ocupado_por") != "CD(34)" || r.text("ocupado_por_display") != "Carla Díaz" || r.text("estado_trabajo") != "EN_PROGRESO" || r.text("operacion_actual") != "SOLD" ||
		r.text("armador_display") != "Ana Bravo" || r.text("fecha_armado") != day.ISO() {
		t.Errorf("status of a spool being welded = %s", r.Raw)
	}
	b.post("/api/occupation/pausar", by("S-1", carla)).want(t, "PAUSAR", 200)
	r = b.get("/api/spool/S-1/status")
	if want := `"completion_history":[{"operation":"ARM","worker":"Ana Bravo","date":"` + day.String()[:2] + "/" + day.String()[3:5] + `","kind":"complete"},{"operation":"SOLD","worker":"Carla Díaz","date":"—","kind":"partial"}]`; !strings.Contains(r.Raw, want) {
		t.Errorf("status = %s, want %s", r.Raw, want)
	}
	b.rejected("S-2", 2)
	if r := b.get("/api/spool/S-2/status"); r.num("ciclo_rep") != 2 || r.text("estado_trabajo") != "RECHAZADO" {
		t.Errorf("status of a rejected spool = %s, want cycle 2", r.Raw)
	}
	if _, ok := b.get("/api/spool/NO-HAY/status").want(t, "status", 404, "SPOOL_NO_ENCONTRADO").Body["detail"].(map[string]any); !ok {
		t.Error("detail of an unknown spool's status is no object")
	}
}

func TestBatchStatusLeavesUnknownTagsOut(t *testing.T) {
	b := newBox(t)
	r := b.post("/api/spools/batch-status", fields{"tags": []string{"S-2", "NO-HAY", "s-1", "S-2"}}).want(t, "batch-status", 200)
	if got := r.tags(); !slices.Equal(got, []string{"S-2", "S-1"}) || r.num("total") != 2 || !strings.Contains(r.Raw, `"errors":[]`) {
		t.Errorf("batch-status = %s, want S-2 and S-1", r.Raw)
	}
	for name, tags := range map[string]any{"missing": nil, "none": []string{}, "101": strings.Split(strings.Repeat("X ", 100)+"X", " "), "a text": "S-1"} {
		told(t, b.post("/api/spools/batch-status", fields{"tags": tags}), "tags "+name, 422, "tags")
	}
}

func TestADamagedSpoolIsShownAndReported(t *testing.T) {
	b := newBox(t)
	if _, err := b.store.Do(t.Context(), plant.Command{Verb: plant.Importar, Tag: "S-1", Import: &plant.Import{Damaged: []string{"Fecha_Armado"}, SetDamaged: true}}); err != nil {
		t.Fatal(err)
	}
	r := b.post("/api/spools/batch-status", fields{"tags": []string{"S-1"}}).want(t, "batch-status", 200)
	if e := r.items("errors"); len(e) != 1 || e[0]["error_code"] != "SPOOL_DATA_CORRUPT" || e[0]["tag_spool"] != "S-1" || r.num("total") != 1 {
		t.Errorf("batch-status = %s, want the spool and what is wrong with it", r.Raw)
	}
}

func TestNotesGrowByLines(t *testing.T) {
	b := newBox(t)
	day := plant.DateOf(b.clock.Now()).Compact()
	if r := b.get("/api/spool/S-1/notas").want(t, "notes", 200); strings.TrimSpace(r.Raw) != `{"tag_spool":"S-1","nota":""}` {
		t.Errorf("notes of a new spool = %s", r.Raw)
	}
	first := b.post("/api/spool/S-1/notas", fields{"texto": "  falta\nrevisar  "}, "Idempotency-Key", "nota").want(t, "note", 200)
	if got, want := keys(first.Body), "estado_detalle message nota seq success tag_spool version"; got != want || first.text("nota") != day+": falta revisar" {
		t.Errorf("note answers %s, want the keys %s", first.Raw, want)
	}
	second := b.post("/api/spool/S-1/notas", fields{"texto": "lista", "worker_id": ana}).want(t, "note", 200)
	if want := day + ": falta revisar\n" + day + ": lista"; second.text("nota") != want || b.get("/api/spool/S-1/notas").text("nota") != want {
		t.Errorf("notes = %q, want %q", second.text("nota"), want)
	}
	if again := b.post("/api/spool/S-1/notas", fields{"texto": "  falta\nrevisar  "}, "Idempotency-Key", "nota"); again.Raw != first.Raw {
		t.Errorf("the note repeated answers %s, want %s", again.Raw, first.Raw)
	}
	b.post("/api/spool/S-1/notas", fields{"texto": "otra"}, "Idempotency-Key", "nota").want(t, "the key with another text", 422, "IDEMPOTENCY_KEY_REUSED")
	b.post("/api/spool/S-1/notas", fields{"texto": "x", "version": 1}).want(t, "a stale version", 409, "VERSION_CONFLICT")
	b.post("/api/spool/S-1/notas", fields{"texto": "x", "worker_id": 999}).want(t, "an unknown worker", 404, "WORKER_NO_ENCONTRADO")
	b.post("/api/spool/NO-HAY/notas", fields{"texto": "x"}).want(t, "an unknown spool", 404, "SPOOL_NO_ENCONTRADO")
	b.get("/api/spool/NO-HAY/notas").want(t, "notes of an unknown spool", 404, "SPOOL_NO_ENCONTRADO")
	for name, body := range map[string]any{"missing": fields{}, "blank": fields{"texto": " \n "}, "501": fields{"texto": strings.Repeat("ñ", 501)}, "worker 0": fields{"texto": "x", "worker_id": 0}, "no JSON": "x"} {
		b.post("/api/spool/S-1/notas", body).want(t, "note "+name, 422, "VALIDATION_ERROR")
	}
	b.post("/api/spool/S-1/notas", fields{"texto": strings.Repeat("ñ", 500)}).want(t, "500 characters", 200)
}

func TestRegistroIsAWorkersDay(t *testing.T) {
	b := newBox(t)
	b.post("/api/occupation/tomar", by("U-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.post("/api/occupation/completar", by("U-1", ana, "uniones", []int{1, 2, 3})).want(t, "COMPLETAR", 200)
	b.post("/api/occupation/tomar", by("U-1", carla, "operacion", "SOLD")).want(t, "TOMAR SOLD", 200)
	b.post("/api/occupation/pausar", by("U-1", carla, "uniones", []int{1})).want(t, "PAUSAR SOLD", 200)
	day := plant.DateOf(b.clock.Now())
	r := b.get("/api/registro/12").want(t, "registro", 200)
	if want := `"resumen":{"fecha":"` + day.String() + `","pd_total":6.75,"total_uniones":3,"total_spools":1}`; !strings.Contains(r.Raw, want) || r.text("worker_nombre") != "AB(12)" || r.num("worker_id") != ana {
		t.Errorf("registro = %s, want %s", r.Raw, want)
	}
	s := r.items("spools")
	if len(s) != 1 || keys(s[0]) != "operacion otro_trabajador pd_total tag_spool uniones" || s[0]["operacion"] != "ARM" || s[0]["otro_trabajador"] != "CD(34)" {
		t.Errorf("registro's spools = %v", s)
	}
	if r := b.get("/api/registro/34?fecha="+day.String()).want(t, "registro of the welder", 200); r.items("spools")[0]["otro_trabajador"] != "AB(12)" || r.items("spools")[0]["pd_total"] != 2.0 {
		t.Errorf("registro of the welder = %s", r.Raw)
	}
	if r := b.get("/api/registro/12?fecha=01-01-2020").want(t, "registro of another day", 200); !strings.Contains(r.Raw, `"spools":[]`) || r.text("fecha") != "01-01-2020" {
		t.Errorf("registro of another day = %s", r.Raw)
	}
	b.get("/api/registro/67").want(t, "registro of somebody not active", 200)
	b.get("/api/registro/999").want(t, "an unknown worker", 404, "WORKER_NO_ENCONTRADO")
	for _, path := range []string{"/api/registro/x", "/api/registro/0", "/api/registro/12?fecha=ayer"} {
		b.get(path).want(t, path, 422, "VALIDATION_ERROR")
	}
}

func TestColumnsAreTheSupervisorsBusiness(t *testing.T) {
	b := newBox(t)
	b.post("/api/admin/invalidate-column-cache?sheet=Operaciones", nil).want(t, "without a session", 403, "NO_AUTORIZADO")
	admin := []string{"Authorization", "Bearer " + b.token("admin")}
	r := b.post("/api/admin/invalidate-column-cache", nil, admin...).want(t, "as admin", 200)
	if r.text("sheet") != "Operaciones" || r.Body["critical_columns_present"] != true {
		t.Errorf("columns = %s", r.Raw)
	}
	b.post("/api/admin/invalidate-column-cache?sheet=Nada", nil, admin...).want(t, "an unknown worksheet", 422)
}
