package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"envivo/plant"
)

func accion(tag string, worker int, op string) fields { return by(tag, worker, "operacion", op) }

func TestV21ActionsAreTheSameCommands(t *testing.T) {
	b := newBox(t)
	r := b.post("/api/iniciar-accion", accion("S-1", ana, "ARM")).want(t, "iniciar ARM", 200)
	const data = `"data":{"tag_spool":"S-1","operacion":"ARM","trabajador":"AB(12)","fila_actualizada":0,"columna_actualizada":"Metadata","valor_nuevo":0.0,` +
		`"metadata_actualizada":{"armador":"AB(12)","soldador":null,"fecha_armado":null,"fecha_soldadura":null}}`
	if !strings.Contains(r.Raw, data) || !strings.HasPrefix(r.text("message"), "Acción ARM iniciada exitosamente. ") || r.num("seq") != int(b.seq()) || r.num("version") != 2 {
		t.Errorf("iniciar answers %s, want %s with seq %d and version 2", r.Raw, data, b.seq())
	}
	if s := b.get("/api/occupation/status/S-1"); s.text("ocupado_por") != "AB(12)" {
		t.Errorf("after iniciar the spool is %s, want it held by AB(12)", s.Raw)
	}
	b.post("/api/iniciar-accion", accion("S-1", bruno, "ARM")).want(t, "iniciar again", 400, "OPERACION_YA_INICIADA")
	b.post("/api/iniciar-accion", accion("S-1", carla, "SOLD")).want(t, "iniciar another operation", 409, "SPOOL_OCCUPIED")
	b.post("/api/completar-accion", accion("S-1", bruno, "ARM")).want(t, "completar what another holds", 403, "NO_AUTORIZADO")
	r = b.post("/api/completar-accion", accion("S-1", ana, "ARM")).want(t, "completar ARM", 200)
	if !strings.Contains(r.Raw, `"metadata_actualizada":{"armador":null,"soldador":null,"fecha_armado":"`+plant.DateOf(b.clock.Now()).String()+`","fecha_soldadura":null}`) ||
		!strings.HasPrefix(r.text("message"), "Acción ARM completada exitosamente. ") || r.text("estado_detalle") != "Disponible - ARM completado, SOLD pendiente" {
		t.Errorf("completar answers %s", r.Raw)
	}
	b.post("/api/completar-accion", accion("S-1", ana, "ARM")).want(t, "completar again", 400, "OPERACION_YA_COMPLETADA")
	b.post("/api/iniciar-accion", accion("S-1", carla, "SOLD")).want(t, "iniciar SOLD", 200)
	r = b.post("/api/cancelar-accion", accion("S-1", carla, "SOLD")).want(t, "cancelar SOLD", 200)
	if !strings.HasPrefix(r.text("message"), "Acción SOLD cancelada exitosamente. ") || !strings.Contains(r.Raw, `"soldador":null`) {
		t.Errorf("cancelar answers %s", r.Raw)
	}
	b.post("/api/cancelar-accion", accion("S-1", carla, "SOLD")).want(t, "cancelar what was not begun", 400, "OPERACION_NO_INICIADA")
}

func TestV21FinishesWhatNobodyHolds(t *testing.T) {
	b := newBox(t)
	b.post("/api/occupation/tomar", by("S-1", ana, "operacion", "ARM")).want(t, "TOMAR", 200)
	b.post("/api/occupation/pausar", by("S-1", ana)).want(t, "PAUSAR", 200)
	b.post("/api/completar-accion", accion("S-1", carla, "ARM")).want(t, "completar without the role", 403, "ROL_NO_AUTORIZADO")
	b.post("/api/completar-accion", accion("S-1", bruno, "ARM")).want(t, "completar a paused ARM", 200)
	if s := b.get("/api/spools/S-1"); s.text("armador") != "BC(13)" {
		t.Errorf("armador = %s, want who finished: BC(13)", s.text("armador"))
	}
}

func TestV21Inspects(t *testing.T) {
	b := newBox(t)
	b.inspectable("S-1")
	b.post("/api/completar-accion", accion("S-1", elena, "METROLOGIA")).want(t, "completar an inspection that is open", 400, "OPERACION_NO_DISPONIBLE")
	b.post("/api/iniciar-accion", accion("S-1", ana, "METROLOGIA")).want(t, "inspection by a fitter", 403, "ROL_NO_AUTORIZADO")
	r := b.post("/api/iniciar-accion", accion("S-1", elena, "METROLOGIA")).want(t, "iniciar METROLOGIA", 200)
	if !strings.HasPrefix(r.text("message"), "Acción METROLOGIA iniciada y completada exitosamente. ") {
		t.Errorf("message = %q", r.text("message"))
	}
	if s := b.get("/api/spools/S-1"); s.text("fecha_qc_metrologia") == "" || s.text("estado") != "APROBADO" {
		t.Errorf("after iniciar METROLOGIA the spool is %s, want it approved", s.Raw)
	}
	b.post("/api/iniciar-accion", accion("S-1", elena, "METROLOGIA")).want(t, "again", 400, "OPERACION_YA_COMPLETADA")
	b.post("/api/completar-accion", accion("S-1", elena, "METROLOGIA")).want(t, "completar METROLOGIA", 400, "OPERACION_YA_COMPLETADA")
	b.post("/api/cancelar-accion", accion("S-1", elena, "METROLOGIA")).want(t, "cancelar METROLOGIA", 400, "OPERACION_NO_DISPONIBLE")
}

func TestV21BatchesJudgeEachSpoolOnItsOwn(t *testing.T) {
	b := newBox(t)
	b.post("/api/occupation/tomar", by("S-2", bruno, "operacion", "ARM")).want(t, "TOMAR", 200)
	body := fields{"tag_spools": []string{"S-1", "S-2", "NO-HAY", "SIN-1"}, "worker_id": ana, "operacion": "ARM"}
	first := b.post("/api/iniciar-accion-batch", body, "Idempotency-Key", "lote").want(t, "batch", 200)
	if got, want := first.text("message"), "Batch ARM iniciado: 1 de 4 spools exitosos (3 fallos)"; got != want || first.Body["success"] != true ||
		first.num("total") != 4 || first.num("exitosos") != 1 || first.num("fallidos") != 3 {
		t.Errorf("batch answers %s, want %q", first.Raw, want)
	}
	var got []string
	for _, x := range first.items("resultados") {
		got = append(got, fmt.Sprint(x["tag_spool"], " ", x["success"], " ", x["evento_id"] != nil, " ", x["error_type"]))
	}
	if want := []string{"S-1 true true <nil>", "S-2 false false OperacionYaIniciadaError", "NO-HAY false false SpoolNoEncontradoError", "SIN-1 false false DependenciasNoSatisfechasError"}; !slices.Equal(got, want) {
		t.Errorf("results = %q, want %q", got, want)
	}
	before := b.seq()
	if again := b.post("/api/iniciar-accion-batch", body, "Idempotency-Key", "lote"); again.Raw != first.Raw || b.seq() != before {
		t.Errorf("the batch repeated answers %s, want the first answer", again.Raw)
	}
	done := b.post("/api/completar-accion-batch", fields{"tag_spools": []string{"S-1"}, "worker_id": ana, "operacion": "ARM"}).want(t, "batch", 200)
	if done.text("message") != "Batch ARM completado: 1 de 1 spools exitosos" {
		t.Errorf("message = %q, want no failures named", done.text("message"))
	}
	none := b.post("/api/cancelar-accion-batch", fields{"tag_spools": []string{"S-1", "S-3"}, "worker_id": ana, "operacion": "ARM"}).want(t, "batch", 200)
	if none.Body["success"] != false || none.text("message") != "Batch ARM cancelado: 0 de 2 spools exitosos (2 fallos)" {
		t.Errorf("a batch without any success answers %s", none.Raw)
	}
	var many []string
	for i := range 51 {
		many = append(many, fmt.Sprint("X-", i))
	}
	for name, tags := range map[string][]string{"none": {}, "51": many, "a double": {"S-1", "s-1"}} {
		told(t, b.post("/api/iniciar-accion-batch", fields{"tag_spools": tags, "worker_id": ana, "operacion": "ARM"}), "batch of "+name, 422, "tag_spools")
	}
}

func TestV21CompletesOnlyWhatTheUnionsSayIsComplete(t *testing.T) {
	b := newBox(t)
	b.post("/api/iniciar-accion", accion("U-1", ana, "ARM")).want(t, "iniciar", 200)
	r := b.post("/api/completar-accion", accion("U-1", ana, "ARM")).want(t, "completar", 200)
	if got, want := r.text("message"), "Acción ARM pausada. Trabajo pausado en U-1: ARM parcial 0/3."; got != want {
		t.Errorf("message = %q, want %q", got, want)
	}
}
