package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	actionKeys = "data estado_detalle message seq success version"
	lotKeys    = "exitosos fallidos message resultados success total"
	finalKeys  = "action_taken estado_detalle message metrologia_triggered new_state pulgadas seq success tag_spool unions_processed version"
	savedKeys  = "created created_ids deleted estado_detalle message seq success tag_spool total_uniones updated version"
	cardKeys   = "armador_display ciclo_rep completion_history estado_detalle estado_trabajo fecha_armado fecha_ocupacion fecha_soldadura nv ocupado_por ocupado_por_display " +
		"operacion_actual ot pulgadas_arm pulgadas_sold soldador_display tag_spool total_uniones uniones_arm_completadas uniones_sold_completadas version"
)

// actions is §9.8.
func (k *conformance) actions(t *testing.T) {
	begin, finish, cancel := "POST /api/iniciar-accion", "POST /api/completar-accion", "POST /api/cancelar-accion"
	act := func(tag string, worker int, op string) fields {
		return fields{"tag_spool": tag, "worker_id": worker, "operacion": op, "timestamp": "2026-01-20T10:00:00Z"}
	}
	data := func(tag, op, who, armador, soldador, armado, soldado string) string {
		return `"data":{"tag_spool":"` + tag + `","operacion":"` + op + `","trabajador":"` + who + `","fila_actualizada":0,"columna_actualizada":"Metadata","valor_nuevo":0.0,` +
			`"metadata_actualizada":{"armador":` + armador + `,"soldador":` + soldador + `,"fecha_armado":` + armado + `,"fecha_soldadura":` + soldado + `}}`
	}
	today := `"` + time.Now().In(santiago(t)).Format("02-01-2006") + `"`
	tag, ready, paused := k.free(), k.ready(), k.paused(fitterA, "ARM")
	k.run(t, []probe{
		{name: "a free spool", to: begin, body: act(tag, fitterA, "ARM"), want: 200, keys: actionKeys, says: []string{"Acción ARM iniciada exitosamente. "}, has: []string{data(tag, "ARM", "AB(12)", `"AB(12)"`, "null", "null", "null")}},
		{name: "held for it", to: begin, body: act(tag, fitterB, "ARM"), want: 400, code: "OPERACION_YA_INICIADA"},
		{name: "held for another operation", to: begin, body: act(tag, welder, "SOLD"), want: 409, code: "SPOOL_OCCUPIED"},
		{name: "seen by a v3.0 client", to: "GET /api/occupation/status/" + tag, want: 200, has: []string{`"ocupado":true,"ocupado_por":"AB(12)"`}},
		{name: "held by another", to: finish, body: act(tag, fitterB, "ARM"), want: 403, code: "NO_AUTORIZADO"},
		{name: "held by another", to: cancel, body: act(tag, fitterB, "ARM"), want: 403, code: "NO_AUTORIZADO"},
		{name: "another version than the client saw", to: finish, body: with(act(tag, fitterA, "ARM"), "version", 9), want: 409, code: "VERSION_CONFLICT"},
		{name: "another version than the client saw", to: cancel, body: with(act(tag, fitterA, "ARM"), "version", 9), want: 409, code: "VERSION_CONFLICT"},
		{name: "by its holder", to: finish, body: act(tag, fitterA, "ARM"), want: 200, keys: actionKeys, says: []string{"Acción ARM completada exitosamente. "}, has: []string{data(tag, "ARM", "AB(12)", "null", "null", today, "null")}},
		{name: "completed", to: begin, body: act(tag, fitterA, "ARM"), want: 400, code: "OPERACION_YA_COMPLETADA"},
		{name: "completed", to: finish, body: act(tag, fitterA, "ARM"), want: 400, code: "OPERACION_YA_COMPLETADA"},
		{name: "not begun", to: finish, body: act(tag, welder, "SOLD"), want: 400, code: "OPERACION_NO_INICIADA"},
		{name: "not begun", to: cancel, body: act(tag, welder, "SOLD"), want: 400, code: "OPERACION_NO_INICIADA"},
		{name: "SOLD", to: begin, body: act(tag, welder, "SOLD"), want: 200, keys: actionKeys, has: []string{data(tag, "SOLD", "CD(34)", "null", `"CD(34)"`, "null", "null")}},
		{name: "SOLD", to: cancel, body: act(tag, welder, "SOLD"), want: 200, keys: actionKeys, says: []string{"Acción SOLD cancelada exitosamente. "}, has: []string{data(tag, "SOLD", "CD(34)", "null", "null", "null", "null")}},
		{name: "paused, without the role", to: finish, body: act(paused, welder, "ARM"), want: 403, code: "ROL_NO_AUTORIZADO"},
		{name: "paused, by anybody with the role", to: finish, body: act(paused, fitterB, "ARM"), want: 200, keys: actionKeys},
		{name: "paused, by anybody with the role", to: cancel, body: act(k.paused(fitterA, "ARM"), fitterB, "ARM"), want: 200, keys: actionKeys},
		{name: "without the role", to: begin, body: act(k.free(), welder, "ARM"), want: 403, code: "ROL_NO_AUTORIZADO"},
		{name: "without materials", to: begin, body: act(noMaterial, fitterA, "ARM"), want: 400, code: "DEPENDENCIAS_NO_SATISFECHAS"},
		{name: "METROLOGIA that is open", to: finish, body: act(ready, metro, "METROLOGIA"), want: 400, code: "OPERACION_NO_DISPONIBLE"},
		{name: "METROLOGIA", to: begin, body: act(ready, metro, "METROLOGIA"), want: 200, keys: actionKeys, says: []string{"Acción METROLOGIA iniciada y completada exitosamente. "}},
		{name: "METROLOGIA", to: finish, body: act(ready, metro, "METROLOGIA"), want: 400, code: "OPERACION_YA_COMPLETADA"},
		{name: "METROLOGIA", to: cancel, body: act(ready, metro, "METROLOGIA"), want: 400, code: "OPERACION_NO_DISPONIBLE"},
		{name: "a blocked spool", to: begin, body: act(k.rejected(3), fitterA, "ARM"), want: 403, code: "SPOOL_BLOQUEADO"},
	})
	for _, to := range []string{begin, finish, cancel} {
		k.run(t, []probe{
			{name: "an unknown spool", to: to, body: act("NO-HAY-1", fitterA, "ARM"), want: 404, code: "SPOOL_NO_ENCONTRADO"},
			{name: "an unknown worker", to: to, body: act(tag, 999, "ARM"), want: 404, code: "WORKER_NO_ENCONTRADO"},
			{name: "without operacion", to: to, body: by(tag, fitterA), want: 422, code: "VALIDATION_ERROR"},
			{name: "another operacion", to: to, body: act(tag, fitterA, "PINTURA"), want: 422, code: "VALIDATION_ERROR"},
		})
	}
	k.one(t, probe{name: "another version than the client saw", to: begin, body: with(act(k.free(), fitterA, "ARM"), "version", 9), want: 409, code: "VERSION_CONFLICT"})
}

// actionBatches is the second half of §9.8.
func (k *conformance) actionBatches(t *testing.T) {
	a, b, busy := k.free(), k.free(), k.held(fitterB, "ARM")
	lot := func(worker int, op string, tags ...string) fields {
		return fields{"tag_spools": tags, "worker_id": worker, "operacion": op}
	}
	k.run(t, []probe{
		{name: "some fail", to: "POST /api/iniciar-accion-batch", body: lot(fitterA, "ARM", a, b, busy, "NO-HAY-1"), want: 200, keys: lotKeys, says: []string{"Batch ARM iniciado: 2 de 4 spools exitosos (2 fallos)"},
			has: []string{`"success":true,"message":"Batch`, `"error_type":"OperacionYaIniciadaError"`, `"evento_id":null,"error_type":"SpoolNoEncontradoError"`}},
		{name: "none fails", to: "POST /api/completar-accion-batch", body: lot(fitterA, "ARM", a, b), want: 200, keys: lotKeys, says: []string{"Batch ARM completado: 2 de 2 spools exitosos"}, has: []string{`"error_type":null`}},
		{name: "all fail", to: "POST /api/cancelar-accion-batch", body: lot(fitterA, "ARM", a, b), want: 200, keys: lotKeys, says: []string{"Batch ARM cancelado: 0 de 2 spools exitosos (2 fallos)"}, has: []string{`{"success":false,`}},
	})
	many := make([]string, 51)
	for i := range many {
		many[i] = fmt.Sprint("NO-HAY-", i)
	}
	for _, verb := range []string{"iniciar", "completar", "cancelar"} {
		to := "POST /api/" + verb + "-accion-batch"
		r := k.one(t, probe{name: "50", to: to, body: lot(fitterA, "ARM", many[:50]...), want: 200, keys: lotKeys, has: []string{`"total":50,"exitosos":0,"fallidos":50`}})
		if list, _ := r.Body["resultados"].([]any); len(list) != 50 || keysOf(list[0].(fields)) != "error_type evento_id message success tag_spool" {
			t.Errorf("%s: results = %v", to, list)
		}
		for name, body := range map[string]fields{"51": lot(fitterA, "ARM", many...), "none": lot(fitterA, "ARM", []string{}...), "a double": lot(fitterA, "ARM", a, a), "no operacion": with(lot(fitterA, "ARM", a), "operacion", nil)} {
			k.one(t, probe{name: name, to: to, body: body, want: 422, code: "VALIDATION_ERROR"})
		}
	}
}

// finishing is §6.5.
func (k *conformance) finishing(t *testing.T) {
	begin, finish := "POST /api/v4/occupation/iniciar", "POST /api/v4/occupation/finalizar"
	sel := func(tag string, worker int, op string, ids ...string) fields {
		return by(tag, worker, "operacion", op, "selected_unions", append([]string{}, ids...))
	}
	u, ot, s, lost := k.joints(), fmt.Sprint(k.jointed), k.held(fitterA, "ARM"), k.lost(fitterA, "ARM")
	k.run(t, []probe{
		{name: "SOLD before any union is armed", to: begin, body: take(u, welder, "SOLD"), want: 403, code: "ARM_PREREQUISITE"},
		{name: "SOLD before Fecha_Armado", to: begin, body: take(k.paused(fitterA, "ARM"), welder, "SOLD"), want: 403, code: "ARM_PREREQUISITE"},
		{name: "without materials", to: begin, body: take(noMaterial, fitterA, "ARM"), want: 400, code: "DEPENDENCIAS_NO_SATISFECHAS"},
		{name: "without the role", to: begin, body: take(u, welder, "ARM"), want: 403, code: "ROL_NO_AUTORIZADO"},
		{name: "a free spool", to: begin, body: take(u, fitterA, "ARM"), want: 200, keys: writeKeys, says: []string{"Spool " + u + " iniciado por AB(12)"}},
		{name: "held", to: begin, body: take(u, fitterB, "ARM"), want: 409, code: "SPOOL_OCCUPIED"},
		{name: "completed", to: begin, body: take(k.ready(), fitterA, "ARM"), want: 400, code: "OPERACION_YA_COMPLETADA"},
		{name: "another version than the client saw", to: begin, body: with(take(k.free(), fitterA, "ARM"), "version", 9), want: 409, code: "VERSION_CONFLICT"},
		{name: "neither selection nor override", to: finish, body: by(u, fitterA, "operacion", "ARM"), want: 422, code: "VALIDATION_ERROR"},
		{name: "another override", to: finish, body: by(u, fitterA, "operacion", "ARM", "action_override", "BORRAR"), want: 422, code: "VALIDATION_ERROR"},
		{name: "an id that is none", to: finish, body: sel(u, fitterA, "ARM", "1"), want: 422, code: "VALIDATION_ERROR"},
		{name: "a union of another spool", to: finish, body: sel(u, fitterA, "ARM", "OTRO+1"), want: 422, code: "VALIDATION_ERROR"},
		{name: "more unions than there are", to: finish, body: sel(u, fitterA, "ARM", ot+"+1", ot+"+2", ot+"+3", ot+"+4", ot+"+5"), want: 409, code: "RACE_CONDITION"},
		{name: "by another", to: finish, body: sel(u, fitterB, "ARM", ot+"+1"), want: 403, code: "NO_AUTORIZADO"},
		{name: "some unions", to: finish, body: sel(u, fitterA, "ARM", ot+"+1", u+"+2"), want: 200, keys: finalKeys, says: []string{"Trabajo pausado en " + u + ": ARM parcial 2/4"},
			has: []string{`"action_taken":"PAUSAR","unions_processed":2,"pulgadas":5,"metrologia_triggered":false,"new_state":null`, `"estado_detalle":"ARM parcial 2/4 (pausado)"`}},
		{name: "again", to: begin, body: take(u, fitterA, "ARM"), want: 200},
		{name: "none selected", to: finish, body: sel(u, fitterA, "ARM"), want: 200, keys: finalKeys, has: []string{`"action_taken":"CANCELADO","unions_processed":0`}},
		{name: "SOLD with unions armed", to: begin, body: take(u, welder, "SOLD"), want: 200},
		{name: "override PAUSAR", to: finish, body: by(u, welder, "operacion", "SOLD", "action_override", "PAUSAR"), want: 200, has: []string{`"action_taken":"PAUSAR","unions_processed":0`}},
		{name: "ARM again", to: begin, body: take(u, fitterA, "ARM"), want: 200},
		{name: "the rest", to: finish, body: sel(u, fitterA, "ARM", ot+"+3", ot+"+4"), want: 200, keys: finalKeys, says: []string{"Operación completada en " + u}, has: []string{`"action_taken":"COMPLETAR","unions_processed":2,"pulgadas":9`}},
		{name: "SOLD again", to: begin, body: take(u, welder, "SOLD"), want: 200},
		{name: "override COMPLETAR", to: finish, body: by(u, welder, "operacion", "SOLD", "action_override", "COMPLETAR", "selected_unions", []string{}), want: 200,
			has: []string{`"action_taken":"COMPLETAR","unions_processed":3,"pulgadas":9,"metrologia_triggered":true,"new_state":"En Cola Metrología"`}},
		{name: "not held", to: finish, body: sel(u, welder, "SOLD"), want: 400, code: "INVALID_STATE_TRANSITION"},
		{name: "without unions, a selection", to: finish, body: sel(s, fitterA, "ARM", s+"+1"), want: 200, has: []string{`"action_taken":"COMPLETAR","unions_processed":0,"pulgadas":null`}},
		{name: "without unions, override PAUSAR", to: finish, body: by(k.held(fitterA, "ARM"), fitterA, "operacion", "ARM", "selected_unions", []string{}, "action_override", "PAUSAR"), want: 200, has: []string{`"action_taken":"PAUSAR"`}},
		{name: "REPARACION", to: finish, body: by(k.repair(fitterA), fitterA, "operacion", "REPARACION", "action_override", "COMPLETAR"), want: 200, has: []string{`"estado_detalle":"PENDIENTE_METROLOGIA"`}},
		{name: "taken away", to: finish, body: sel(lost, fitterA, "ARM"), want: 410, code: "LOCK_EXPIRED"},
		{name: "an unknown spool", to: begin, body: take("NO-HAY-1", fitterA, "ARM"), want: 404, code: "SPOOL_NO_ENCONTRADO"},
		{name: "an unknown spool", to: finish, body: sel("NO-HAY-1", fitterA, "ARM", "1+1"), want: 404, code: "SPOOL_NO_ENCONTRADO"},
		{name: "an unknown worker", to: begin, body: take(u, 999, "ARM"), want: 404, code: "WORKER_NO_ENCONTRADO"},
	})
}

// unions is the rest of §9.9 that is about joints.
func (k *conformance) unions(t *testing.T) {
	const save = "POST /api/v4/uniones/guardar"
	u, ot := k.joints(), fmt.Sprint(k.jointed)
	set := func(tag string, us ...fields) fields {
		return fields{"tag_spool": tag, "unions": append([]fields{}, us...)}
	}
	n := func(n int, more ...any) fields {
		out := by("", 0, more...)
		delete(out, "tag_spool")
		delete(out, "worker_id")
		return with(out, "n_union", n)
	}
	brief := `{"id":"` + ot + `+1","n_union":1,"dn_union":2,"tipo_union":"BW"}`
	k.run(t, []probe{
		{name: "ARM", to: "GET /api/v4/uniones/" + u + "/disponibles?operacion=ARM", want: 200, keys: "count operacion tag_spool unions", has: []string{`"count":4`, brief}},
		{name: "SOLD before ARM", to: "GET /api/v4/uniones/" + u + "/disponibles?operacion=sold", want: 200, has: []string{`"unions":[],"count":0`}},
		{name: "another operation", to: "GET /api/v4/uniones/" + u + "/disponibles?operacion=METROLOGIA", want: 400, code: "VALIDATION_ERROR"},
		{name: "no operation", to: "GET /api/v4/uniones/" + u + "/disponibles", want: 422, code: "VALIDATION_ERROR"},
		{name: "an unknown spool", to: "GET /api/v4/uniones/NO-HAY-1/disponibles?operacion=ARM", want: 404, code: "SPOOL_NO_ENCONTRADO"},
		{name: "with unions", to: "GET /api/v4/uniones/" + u + "/metricas", want: 200, keys: "arm_completadas pulgadas_arm pulgadas_sold sold_completadas tag_spool total_uniones", has: []string{`"total_uniones":4,"arm_completadas":0`}},
		{name: "without unions", to: "GET /api/v4/uniones/" + k.free() + "/metricas", want: 404, code: "NO_ENCONTRADO"},
		{name: "all", to: "GET /api/v4/uniones/" + u + "/todas", want: 200, keys: "tag_spool total unions", has: []string{`"has_work":false,"arm_worker":null,"sol_worker":null`, `"total":4`}},
		{name: "an unknown spool", to: "GET /api/v4/uniones/NO-HAY-1/todas", want: 404, code: "SPOOL_NO_ENCONTRADO"},
		{name: "with unions", to: "GET /api/diagnostic/" + u + "/version", want: 200, keys: "success tag_spool total_uniones version", has: []string{`"version":"v4.0"`}},
		{name: "without unions", to: "GET /api/diagnostic/" + k.free() + "/version", want: 200, has: []string{`"version":"v3.0"`}},
		{name: "an unknown spool", to: "GET /api/diagnostic/NO-HAY-1/version", want: 404, code: "SPOOL_NO_ENCONTRADO"},
		{name: "one new, one changed, one gone", to: save, body: set(u, n(1), n(2, "dn_union", 0.5, "tipo_union", "SO"), n(4), n(7, "dn_union", 1, "tipo_union", "MIT")), want: 200, keys: savedKeys,
			has: []string{`"total_uniones":4,"created":1,"updated":1,"deleted":1,"created_ids":[{"n_union":7,"id":"` + ot + `+7"}]`}},
		{name: "nothing new", to: save, body: set(u, n(1), n(2), n(4), n(7)), want: 200, keys: savedKeys, has: []string{`"created":0,"updated":0,"deleted":0,"created_ids":[]`}},
		{name: "another version than the client saw", to: save, body: with(set(u, n(1)), "version", 9), want: 409, code: "VERSION_CONFLICT"},
		{name: "an unknown spool", to: save, body: set("NO-HAY-1", n(1, "dn_union", 1, "tipo_union", "BW")), want: 404, code: "SPOOL_NO_ENCONTRADO"},
		{name: "a blocked spool", to: save, body: set(k.rejected(3), n(1, "dn_union", 1, "tipo_union", "BW")), want: 403, code: "SPOOL_BLOQUEADO"},
		{name: "none", to: save, body: set(u), want: 422, code: "VALIDATION_ERROR"},
		{name: "N 21", to: save, body: set(u, n(21, "dn_union", 1, "tipo_union", "BW")), want: 422, code: "VALIDATION_ERROR"},
		{name: "DN 51", to: save, body: set(u, n(1, "dn_union", 51)), want: 422, code: "VALIDATION_ERROR"},
		{name: "another type", to: save, body: set(u, n(1, "tipo_union", "LET")), want: 422, code: "VALIDATION_ERROR"},
	})
	k.post("/api/occupation/tomar", take(u, fitterA, "ARM")).want(t, "TOMAR", 200)
	k.post("/api/occupation/pausar", by(u, fitterA, "uniones", []int{2})).want(t, "PAUSAR with a union", 200)
	k.run(t, []probe{
		{name: "gone with work", to: save, body: set(u, n(1), n(4), n(7)), want: 400, code: "OPERACION_NO_DISPONIBLE"},
		{name: "changed with work", to: save, body: set(u, n(1), n(2, "dn_union", 9), n(4), n(7)), want: 400, code: "OPERACION_NO_DISPONIBLE"},
	})
	var many []fields
	for i := 1; i <= 21; i++ {
		many = append(many, n(i, "dn_union", 1, "tipo_union", "BW"))
	}
	k.one(t, probe{name: "21", to: save, body: set(u, many...), want: 422, code: "VALIDATION_ERROR"})
	k.one(t, probe{name: "20", to: save, body: set(k.free(), many[:20]...), want: 200, has: []string{`"created":20`}})
}

// cards is what v5 asks a spool and a worker.
func (k *conformance) cards(t *testing.T) {
	held, noted, u := k.held(fitterA, "ARM"), k.free(), k.joints()
	k.post("/api/occupation/tomar", take(u, fitterA, "ARM")).want(t, "TOMAR", 200)
	k.post("/api/occupation/completar", by(u, fitterA, "uniones", []int{1, 2, 3, 4})).want(t, "COMPLETAR", 200)
	day := time.Now().In(santiago(t))
	line := day.Format("20060102") + ": "
	tags := make([]string, 101)
	for i := range tags {
		tags[i] = spoolTag(i + 1)
	}
	k.run(t, []probe{
		{name: "held", to: "GET /api/spool/" + held + "/status", want: 200, keys: cardKeys, has: []string{`"ocupado_por":"AB(12)","ocupado_por_display":"Ana Bravo"`, `"operacion_actual":"ARM","estado_trabajo":"EN_PROGRESO","ciclo_rep":null`}},
		{name: "armed", to: "GET /api/spool/" + u + "/status", want: 200, keys: cardKeys, has: []string{`"completion_history":[{"operation":"ARM","worker":"Ana Bravo","date":"` + day.Format("02/01") + `","kind":"complete"}]`}},
		{name: "an unknown spool", to: "GET /api/spool/NO-HAY-1/status", want: 404, code: "SPOOL_NO_ENCONTRADO"},
		{name: "some unknown", to: "POST /api/spools/batch-status", body: fields{"tags": []string{held, "NO-HAY-1", u}}, want: 200, keys: "errors spools total", has: []string{`"total":2,"errors":[]`}},
		{name: "100", to: "POST /api/spools/batch-status", body: fields{"tags": tags[:100]}, want: 200, has: []string{`"total":100`}},
		{name: "101", to: "POST /api/spools/batch-status", body: fields{"tags": tags}, want: 422, code: "VALIDATION_ERROR"},
		{name: "none", to: "POST /api/spools/batch-status", body: fields{"tags": []string{}}, want: 422, code: "VALIDATION_ERROR"},
		{name: "no notes", to: "GET /api/spool/" + noted + "/notas", want: 200, keys: "nota tag_spool", has: []string{`"nota":""`}},
		{name: "a note", to: "POST /api/spool/" + noted + "/notas", body: fields{"texto": " falta soporte "}, want: 200, keys: "estado_detalle message nota seq success tag_spool version", has: []string{`"nota":"` + line + `falta soporte"`}},
		{name: "another", to: "POST /api/spool/" + noted + "/notas", body: fields{"texto": "listo", "worker_id": fitterA}, want: 200, has: []string{`"nota":"` + line + `falta soporte\n` + line + `listo"`}},
		{name: "an unknown worker", to: "POST /api/spool/" + noted + "/notas", body: fields{"texto": "x", "worker_id": 999}, want: 404, code: "WORKER_NO_ENCONTRADO"},
		{name: "an unknown spool", to: "POST /api/spool/NO-HAY-1/notas", body: fields{"texto": "x"}, want: 404, code: "SPOOL_NO_ENCONTRADO"},
		{name: "501 characters", to: "POST /api/spool/" + noted + "/notas", body: fields{"texto": strings.Repeat("ñ", 501)}, want: 422, code: "VALIDATION_ERROR"},
		{name: "blanks", to: "POST /api/spool/" + noted + "/notas", body: fields{"texto": "  "}, want: 422, code: "VALIDATION_ERROR"},
		{name: "another version than the client saw", to: "POST /api/spool/" + noted + "/notas", body: fields{"texto": "x", "version": 1}, want: 409, code: "VERSION_CONFLICT"},
		{name: "an unknown spool", to: "GET /api/spool/NO-HAY-1/notas", want: 404, code: "SPOOL_NO_ENCONTRADO"},
		{name: "today", to: "GET /api/registro/12", want: 200, keys: "fecha resumen spools worker_id worker_nombre",
			has: []string{`"tag_spool":"` + u + `","operacion":"ARM","uniones":[{"n_union":1,"dn_union":2,"tipo_union":"BW","fecha_inicio":"` + day.Format("02-01-2006"), `"pd_total":14,"otro_trabajador":"Pendiente"`}},
		{name: "another day", to: "GET /api/registro/12?fecha=01-02-2020", want: 200, has: []string{`"fecha":"01-02-2020","resumen":{"fecha":"01-02-2020","pd_total":0,"total_uniones":0,"total_spools":0},"spools":[]`}},
		{name: "no day", to: "GET /api/registro/12?fecha=ayer", want: 422, code: "VALIDATION_ERROR"},
		{name: "an unknown worker", to: "GET /api/registro/999", want: 404, code: "WORKER_NO_ENCONTRADO"},
	})
}

// supervisor is §11.8 and the one administrative act of §9.9.
func (k *conformance) supervisor(t *testing.T) {
	add, remove, audit, old := "POST /api/supervisor/list/add", "POST /api/supervisor/list/remove", "POST /api/supervisor/audit/batch", "POST /api/supervisor/legacy-snapshot"
	tag, other := k.free(), k.free()
	follow := func(tag string) fields { return fields{"tag_spool": tag, "session_id": "s1"} }
	event := func(id any, kind string) fields {
		return fields{"id": id, "session_id": "s1", "event_type": kind, "timestamp": "2026-05-11T10:00:00Z"}
	}
	many := make([]fields, 101)
	for i := range many {
		many[i] = event(fmt.Sprint("m", i), "NAVIGATE")
	}
	columns, office := "POST /api/admin/invalidate-column-cache?sheet=Operaciones", []string{"Authorization", "Bearer " + k.admin}
	k.run(t, []probe{
		{name: "empty", to: "GET /api/supervisor/list", want: 200, keys: "items", has: []string{`{"items":[]}`}},
		{name: "one", to: add, body: follow(tag), want: 200, keys: "item seq", has: []string{`"tag_spool":"` + tag + `"`, `"added_at"`, `"updated_at"`, `"notes":""`}},
		{name: "again", to: add, body: follow(strings.ToLower(tag)), want: 200, keys: "item seq"},
		{name: "another", to: add, body: follow(other), want: 200},
		{name: "a blank tag", to: add, body: follow(" "), want: 400, code: "VALIDATION_ERROR"},
		{name: "gone", to: remove, body: follow(other), want: 200, keys: "removed seq tag_spool", has: []string{`{"removed":true,"tag_spool":"` + other + `"`}},
		{name: "gone already", to: remove, body: follow(other), want: 200, keys: "removed seq tag_spool", has: []string{`"removed":false`}},
		{name: "a blank session", to: remove, body: with(follow(tag), "session_id", ""), want: 400, code: "VALIDATION_ERROR"},
		{name: "events", to: audit, body: fields{"events": []fields{event("a", "SESSION_START"), event("b", "MODAL_OPEN")}}, want: 200, keys: "duplicates seq success total written", has: []string{`"written":2,"duplicates":0,"total":2`}},
		{name: "known ones", to: audit, body: fields{"events": []fields{event("a", "SESSION_START"), event("c", "LIST_MIGRATE_PARTIAL")}}, want: 200, has: []string{`"written":1,"duplicates":1`}},
		{name: "100", to: audit, body: fields{"events": many[:100]}, want: 200, has: []string{`"written":100`}},
		{name: "101", to: audit, body: fields{"events": many}, want: 422, code: "VALIDATION_ERROR"},
		{name: "a strange type", to: audit, body: fields{"events": []fields{event("z", "PINTAR")}}, want: 422, code: "VALIDATION_ERROR"},
		{name: "all", to: "GET /api/supervisor/audit", want: 200, keys: "events total", has: []string{`"event_type":"LIST_ADD"`, `"event_type":"LIST_REMOVE"`, `"event_type":"SESSION_START"`}},
		{name: "later ones", to: "GET /api/supervisor/audit?since=2199-01-01T00:00:00Z", want: 200, has: []string{`"events":[],"total":0`}},
		{name: "no instant", to: "GET /api/supervisor/audit?since=ayer", want: 422, code: "VALIDATION_ERROR"},
		{name: "a list", to: old, body: fields{"snapshot_id": "n1", "raw": "[]", "user_agent": "x"}, want: 200, keys: "seq snapshot_id written", has: []string{`"written":true`}},
		{name: "again", to: old, body: fields{"snapshot_id": "n1", "raw": "[]"}, want: 200, keys: "seq snapshot_id written", has: []string{`"written":false`}},
		{name: "as anybody", to: columns, body: fields{}, want: 403, code: "NO_AUTORIZADO"},
		{name: "as administrator", to: columns, body: fields{}, header: office, want: 200, keys: "critical_columns_present message missing_columns sheet success"},
		{name: "an unknown worksheet", to: "POST /api/admin/invalidate-column-cache?sheet=Nada", body: fields{}, header: office, want: 422, code: "VALIDATION_ERROR"},
	})
}
