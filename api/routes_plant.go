package api

import "envivo/plant"

func (s *Server) readRoutes() []route {
	list := func(at, says string, f endpoint, answer any, refuse string, query ...param) route {
		return route{at: "GET " + at, scope: ScopeRead, f: f, group: groupReads, says: says, answer: answer, refuse: refuse, query: query}
	}
	return []route{
		list("/api/workers", "Trabajadores activos", s.workers, workerList{}, ""),
		list("/api/workers/{id}/roles", "Roles de un trabajador", s.workerRoles, roleList{}, "404 422"),
		list("/api/spools", "Busca entre todos los spools, por páginas", s.spools, spoolPage{}, "400 422",
			param{name: "q", says: "Texto del TAG, de la NV o de la OT.", kind: "string"},
			param{name: "estado", says: "Solo los que están en este estado, como lo da el campo estado.", kind: "string"},
			paramAnyOp, paramAnybody, paramLimit, paramAfterTag),
		list("/api/spools/{tag}", "Un spool con sus uniones y lo que se puede hacer con él", s.spoolDetail, spoolDetail{}, "422",
			param{name: "worker_id", says: "Las acciones de este trabajador; sin él, las de cualquiera.", kind: "integer"}),
		list("/api/spools/iniciar", "Spools que se ofrecen para una operación", s.listIniciar, spoolList{}, "400 422", paramOp),
		list("/api/spools/completar", "Spools en progreso de una persona", s.listCompletar, spoolList{}, "400 422", paramOp,
			param{name: "worker_nombre", says: "Quien los tiene, como AB(12).", kind: "string", must: true}),
		list("/api/spools/cancelar", "Spools en progreso o pausados de un trabajador", s.listCancelar, spoolList{}, "400 422", paramOp, paramWorker),
		list("/api/spools/ocupados", "Spools que un trabajador tiene", s.listOcupados, spoolList{}, "400 422", paramOp, paramWorker),
		list("/api/spools/reparacion", "Spools rechazados y bloqueados, libres", s.listReparacion, repairList{}, ""),
		list("/api/history/{tag}", "Quién tuvo un spool y cuánto tiempo", s.history, historyAnswer{}, "",
			param{name: "todo", says: "1: también las inspecciones.", kind: "string", words: []string{"1"}}),
		list("/api/dashboard/occupied", "Spools ocupados, el más reciente primero", s.occupied, []occupiedJSON{}, ""),
		list("/api/occupation/status/{tag}", "Quién tiene un spool", s.occupation, occupationAnswer{}, ""),
		list("/api/events", "Eventos guardados, en orden, para ponerse al día", s.events, eventPage{}, "422 503", paramAfterSeq, paramLimit),
	}
}

// write is a route of a command on one spool.
func write(at, group, says string, f endpoint, n needs, reads string, answer any, refuse string) route {
	return route{at: "POST " + at, scope: ScopeAct, f: f, group: group, says: says, answer: answer, refuse: refuse, keyed: true,
		body: &order{needs: n}, reads: reads + " worker_nombre version pin"}
}

// The fields of order that the commands read.
const (
	readsTag   = "tag_spool worker_id"
	readsOp    = readsTag + " operacion"
	readsDay   = readsOp + " fecha_operacion uniones"
	readsBatch = "tag_spools worker_id operacion"
)

func (s *Server) occupationRoutes() []route {
	take, done := needs{op: true}, needs{}
	batch := needs{batch: true, op: true}
	var out []route
	for _, prefix := range []string{"/api/occupation", "/api/v3/occupation"} {
		out = append(out,
			write(prefix+"/tomar", groupTake, "TOMAR: un trabajador toma un spool libre", s.tomar, take, readsOp, written{}, "400 409"),
			write(prefix+"/pausar", groupTake, "PAUSAR: deja el spool sin terminar", s.pausar, done, readsOp+" uniones", endedAnswer{}, "400 409 410"),
			write(prefix+"/completar", groupTake, "COMPLETAR: termina la operación, o registra una inspección", s.completar, done, readsDay+" resultado motivo", completedAnswer{}, "400 409 410"),
			write(prefix+"/batch-tomar", groupTake, "TOMAR de hasta 50 spools, cada uno por separado", s.batchTomar, batch, readsBatch, batchAnswer{}, ""))
	}
	out = append(out,
		write("/api/occupation/cancelar", groupTake, "CANCELAR: deshace la toma", s.cancelar, done, readsOp, written{}, "400 409 410"),
		write("/api/occupation/relevar", groupTake, "RELEVAR: toma un spool de una toma vencida", s.relevar, done, readsOp+" motivo", passedAnswer{}, "400 409"),
		write("/api/occupation/traspasar", groupTake, "TRASPASAR: lo entrega a otra persona", s.traspasar, needs{destino: true}, readsOp+" worker_destino pin_destino motivo", passedAnswer{}, "400 409 410"),
		write("/api/occupation/liberar", groupTake, "LIBERAR: el supervisor suelta una toma", s.liberar, needs{noWorker: true}, readsOp+" motivo", passedAnswer{}, "400 409"),
		write("/api/occupation/desbloquear", groupTake, "DESBLOQUEAR: el supervisor devuelve un bloqueado a reparación", s.desbloquear, needs{noWorker: true}, readsOp+" motivo", written{}, "400 409"),
		write("/api/occupation/deshacer", groupTake, "DESHACER: lo último que uno mismo hizo, dentro de 10 s", s.deshacer, done, readsTag+" seq", undoneAnswer{}, "400 409"))
	return withBatchMore(out)
}

// withBatchMore explains what all batches have in common.
func withBatchMore(routes []route) []route {
	for i := range routes {
		if routes[i].batch() {
			routes[i].more = "Responde 200 aunque algunos fallen: cada elemento dice lo suyo. La clave vale para el lote entero."
		}
	}
	return routes
}

func (s *Server) repairRoutes() []route {
	return []route{
		write("/api/metrologia/completar", groupRepair, "INSPECCIONAR: registra APROBADO o RECHAZADO", s.metrologia, needs{resultado: true}, readsTag+" resultado fecha_operacion motivo", inspectedAnswer{}, "400 409"),
		write("/api/tomar-reparacion", groupRepair, "Toma una reparación", repair(plant.Tomar, "Reparación tomada para spool ", "", repairTaken), needs{}, readsTag, repairTakenAnswer{}, "400 409"),
		write("/api/pausar-reparacion", groupRepair, "Pausa una reparación", repair(plant.Pausar, "Reparación pausada para spool ", "", repairCycle), needs{}, readsTag, repairAnswer{}, "400 409 410"),
		write("/api/completar-reparacion", groupRepair, "Termina una reparación: vuelve a metrología", repair(plant.Completar, "Reparación completada para spool ", " - devuelto a metrología", repairCycle), needs{}, readsTag, repairAnswer{}, "400 409 410"),
		write("/api/cancelar-reparacion", groupRepair, "Deja una reparación como estaba", repair(plant.Cancelar, "Reparación cancelada para spool ", "", repairCycle), needs{}, readsTag, repairAnswer{}, "400 409 410"),
	}
}

func (s *Server) v2Routes() []route {
	var out []route
	for _, at := range []string{"/api/iniciar-accion", "/api/completar-accion", "/api/cancelar-accion"} {
		a, refuse := acciones[at], "400 409"
		says := "Acción v2.1: " + a.verb.String()
		out = append(out,
			write(at, groupV2, says, a.single, needs{op: true}, readsOp, accionAnswer{}, refuse),
			write(at+"-batch", groupV2, says+" de hasta 50 spools", a.batch, needs{batch: true, op: true}, readsBatch, accionBatch{}, ""))
	}
	return withBatchMore(out)
}

func (s *Server) v4Routes() []route {
	read := func(at, says string, f endpoint, answer any, refuse string, query ...param) route {
		return route{at: "GET " + at, scope: ScopeRead, f: f, group: groupV4, says: says, answer: answer, refuse: refuse, query: query}
	}
	finalizar := write("/api/v4/occupation/finalizar", groupV4, "FINALIZAR: las uniones elegidas deciden entre terminar, pausar y cancelar", s.finalizar, needs{}, "", finished4{}, "400 409 410")
	finalizar.body, finalizar.reads, finalizar.either = &finish{}, readsOp+" fecha_operacion selected_unions action_override version worker_nombre pin", "selected_unions"
	finalizar.more = "selected_unions puede faltar si viene action_override; vacía cancela la toma."
	guardar := write("/api/v4/uniones/guardar", groupV4, "Reemplaza las uniones de un spool", s.saveUnions, needs{}, "", savedUnions{}, "400 404 409")
	guardar.body, guardar.reads = &edit{order: order{needs: needs{noWorker: true}}}, readsTag+" unions version worker_nombre pin"
	return []route{
		write("/api/v4/occupation/iniciar", groupV4, "INICIAR: TOMAR con los requisitos de v4", s.iniciar, needs{op: true}, readsOp, written{}, "400 409"),
		finalizar,
		read("/api/v4/uniones/{tag}/disponibles", "Uniones que se pueden hacer ahora", s.unionsOpen, unionsOpen{}, "400 422", paramUnionOp),
		read("/api/v4/uniones/{tag}/metricas", "Uniones y pulgadas hechas", s.unionsMetrics, unionsMetrics{}, ""),
		read("/api/v4/uniones/{tag}/todas", "Todas las uniones de un spool", s.unionsAll, unionsAll{}, ""),
		guardar,
		read("/api/spool/{tag}/status", "Tarjeta de un spool", s.spoolStatus, spoolStatus{}, ""),
		{at: "POST /api/spools/batch-status", scope: ScopeRead, f: s.batchStatus, group: groupV4, says: "Tarjetas de hasta 100 spools; es una lectura", body: &statusBody{}, answer: statusPage{}},
		read("/api/spool/{tag}/notas", "Notas de un spool", s.notes, notesAnswer{}, ""),
		{at: "POST /api/spool/{tag}/notas", scope: ScopeAct, f: s.addNote, group: groupV4, says: "Agrega una nota", body: &note{}, keyed: true, answer: noteAnswer{}, refuse: "409"},
		read("/api/registro/{worker_id}", "El día de un trabajador", s.registro, registro{}, "404 422",
			param{name: "fecha", says: "DD-MM-AAAA o AAAA-MM-DD; hoy si falta.", kind: "string"}),
		read("/api/diagnostic/{tag}/version", "Qué pantallas necesita un spool: v3.0 o v4.0", s.generation, generationAnswer{}, ""),
		{at: "POST /api/admin/invalidate-column-cache", scope: ScopeAdmin, f: s.columns, group: groupV4, says: "Lee de nuevo las columnas de la hoja", answer: columnsAnswer{}, refuse: "422",
			query: []param{{name: "sheet", says: "Nombre de la hoja.", kind: "string", words: sheetNames}}},
	}
}

func (s *Server) supervisorRoutes() []route {
	return []route{
		{at: "POST /api/supervisor/session", f: s.openSession, group: groupSup, says: "Abre la sesión del supervisor con su PIN", more: "La respuesta trae la cookie envivo_supervisor. Cinco errores seguidos bloquean un minuto.",
			body: &pinBody{}, answer: sessionAnswer{}, refuse: "403"},
		{at: "DELETE /api/supervisor/session", f: s.closeSession, group: groupSup, says: "Termina la sesión", answer: sessionAnswer{}},
	}
}

func (s *Server) followRoutes() []route {
	post := func(at, says string, f endpoint, body checked, answer any, refuse string) route {
		return route{at: "POST " + at, scope: ScopeAct, f: f, group: groupSup, says: says, body: body, keyed: true, answer: answer, refuse: refuse}
	}
	return []route{
		{at: "GET /api/supervisor/list", scope: ScopeRead, f: s.followed, group: groupSup, says: "Spools que el supervisor sigue", answer: followList{}},
		post("/api/supervisor/list/add", "Sigue un spool, o lo renueva", s.follow, &followBody{}, followAnswer{}, "400"),
		post("/api/supervisor/list/remove", "Deja de seguir un spool; no lo libera", s.unfollow, &followBody{}, unfollowAnswer{}, "400"),
		{at: "GET /api/supervisor/audit", scope: ScopeRead, f: s.auditLog, group: groupSup, says: "Lo que las pantallas informaron de su uso", answer: auditPage{}, refuse: "422",
			query: []param{{name: "since", says: "Solo lo que llegó desde esta hora, ISO.", kind: "string"}}},
		post("/api/supervisor/audit/batch", "Recibe informes de uso, cada uno una vez por su id", s.auditBatch, &auditBody{}, auditAnswer{}, ""),
		post("/api/supervisor/legacy-snapshot", "Guarda una lista antigua tal como es", s.oldList, &oldListBody{}, oldListAnswer{}, ""),
	}
}
