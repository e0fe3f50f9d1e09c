package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// route is one address for programs: what the mux serves and what the document
// says of it. There is no other list of either.
type route struct {
	at    string // method and pattern, for the mux
	scope Scope  // what a caller needs
	f     endpoint
	plain http.HandlerFunc // instead of f, where the answer is no JSON of ours
	media string           // of plain

	group  string // heading in the document
	says   string // one line
	more   string // what else a reader has to know
	query  []param
	body   checked // nil for none; its check says what is required
	reads  string  // fields of body that count; all when empty
	either string  // field of body that another one replaces
	keyed  bool    // takes an Idempotency-Key
	answer any     // a value of the type that 200 carries
	refuse string  // statuses beside 200 and those that follow from the rest
}

// param is one value in the address or a header.
type param struct {
	name, says string
	kind       string // string, integer
	words      []string
	must       bool
}

// routes is the table. It can be read from a Server that serves nothing.
func (s *Server) routes() []route {
	return slices.Concat(s.readRoutes(), s.occupationRoutes(), s.repairRoutes(), s.v4Routes(), s.v2Routes(),
		s.supervisorRoutes(), s.followRoutes(), s.syncRoutes(), s.liveRoutes(), s.deviceRoutes(), s.boxRoutes(), s.replicaRoutes())
}

func (r *route) method() string { m, _, _ := strings.Cut(r.at, " "); return m }
func (r *route) path() string   { _, p, _ := strings.Cut(r.at, " "); return p }

// batch reports whether the body names several spools.
func (r *route) batch() bool {
	o, ok := r.body.(*order)
	return ok && o.needs.batch
}

// refusals are the statuses beside success, each once and in order.
func (r *route) refusals() []int {
	var out []int
	for word := range strings.FieldsSeq(r.refuse) {
		n, err := strconv.Atoi(word)
		if err != nil {
			panic("api: " + r.at + ": the status " + word + " is no number") // the table is ours
		}
		out = append(out, n)
	}
	if r.method() != http.MethodGet {
		out = append(out, http.StatusTooManyRequests)
	}
	if r.scope > ScopeNone {
		out = append(out, http.StatusForbidden)
	}
	if r.body != nil {
		out = append(out, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity)
	}
	if one := strings.HasPrefix(r.reads, "tag_spool "); one || strings.Contains(r.at, "{tag}") {
		out = append(out, http.StatusNotFound)
	}
	if r.keyed && !r.batch() {
		out = append(out, http.StatusServiceUnavailable)
	}
	if r.f != nil {
		out = append(out, http.StatusInternalServerError)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// The headings of the document, in its order.
const (
	groupReads  = "Lecturas"
	groupTake   = "Ocupación"
	groupRepair = "Metrología y reparación"
	groupV4     = "Uniones, v4 y v5"
	groupV2     = "Acciones v2.1"
	groupSup    = "Supervisor"
	groupSheet  = "Hoja"
	groupLive   = "En vivo"
	groupBox    = "Servidor"
)

var opWords = []string{"ARM", "SOLD", "METROLOGIA", "REPARACION"}

// The parameters that several routes take.
var (
	paramOp       = param{name: "operacion", says: "Operación; se acepta en minúsculas.", kind: "string", words: opWords, must: true}
	paramUnionOp  = param{name: "operacion", says: "Operación de la unión; se acepta en minúsculas.", kind: "string", words: opWords[:2], must: true}
	paramWorker   = param{name: "worker_id", says: "Número del trabajador.", kind: "integer", must: true}
	paramLimit    = param{name: "limit", says: "Cuántos elementos como máximo.", kind: "integer"}
	paramAnybody  = param{name: "worker_id", says: "Número de un trabajador: solo lo suyo.", kind: "integer"}
	paramAnyOp    = param{name: "operacion", says: "Solo los que esperan o tienen esta operación.", kind: "string", words: opWords}
	paramAfterTag = param{name: "after", says: "Sigue después de este TAG: el next de la página anterior.", kind: "string"}
	paramAfterSeq = param{name: "after", says: "Sigue después de este seq.", kind: "integer"}
	paramEpoch    = param{name: "epoch", says: "El epoch que el cliente conoce.", kind: "string"}
)

// liveRoutes are the streams; package ws serves them.
func (s *Server) liveRoutes() []route {
	return []route{
		{at: "GET /ws", scope: ScopeRead, plain: s.stream(func() http.Handler { return s.o.WS }), group: groupLive, refuse: "503",
			says:  "Canal WebSocket de eventos, subprotocolo envivo.v1",
			more:  "Primero llega hello; después cada evento una vez y en orden. Con after sigue desde ahí; si no se puede, llega reset: lee el estado de nuevo. Cada 15 s llega beat.",
			query: []param{paramAfterSeq, paramEpoch}},
		{at: "GET /api/sse/stream", scope: ScopeRead, plain: s.stream(func() http.Handler { return s.o.SSE }), media: "text/event-stream", group: groupLive, refuse: "503",
			says:  "Canal SSE de eventos",
			more:  "Mensajes spool_update con id igual a seq. Después de COMPLETAR el mismo evento llega otra vez como STATE_CHANGE. Last-Event-ID retoma; los demás reciben antes resync: lee el estado de nuevo.",
			query: []param{paramAfterSeq, paramEpoch}},
	}
}

// boxRoutes are about the box itself. Their answers carry nothing of the plant
// and most need no access.
func (s *Server) boxRoutes() []route {
	const text = "text/plain"
	return []route{
		{at: "GET /api/openapi.json", f: s.openAPI, group: groupBox, says: "Este documento, OpenAPI 3.1", answer: raw(nil)},
		{at: "GET /api/docs", plain: s.docsPage, media: "text/html", group: groupBox, says: "Este documento, para leer"},
		{at: "GET /api/redoc", plain: s.docsPage, media: "text/html", group: groupBox, says: "Lo mismo que /api/docs"},
		{at: "GET /api/health", f: s.health, group: groupBox, says: "Estado del servidor y de la hoja", more: "Siempre responde 200.", answer: healthJSON{}},
		{at: "GET /api/health/diagnostic", scope: ScopeRead, f: s.diagnostic, group: groupBox, says: "Hojas, roles y cantidades", answer: diagnosticAnswer{}},
		{at: "GET /api/redis-health", f: s.lockHealth, group: groupBox, says: "Estado de las tomas guardadas", answer: lockHealth{}},
		{at: "GET /api/redis-connection-stats", f: s.lockStats, group: groupBox, says: "Conexiones del almacén de tomas", answer: lockStats{}},
		{at: "GET /api/webhooks", scope: ScopeAdmin, f: s.webhooks, group: groupBox, says: "Programas que reciben cada evento, y lo que no aceptaron",
			more: "Cada evento llega por POST con X-Envivo-Event (su id), X-Envivo-Timestamp y X-Envivo-Signature: v1= y el HMAC-SHA256, en hexadecimal, de la hora, un punto y el cuerpo; la clave es el SHA-256 del secreto, en hexadecimal.", answer: webhookList{}},
		{at: "GET /healthz", plain: healthz, media: text, group: groupBox, says: "El proceso vive"},
		{at: "GET /readyz", plain: s.readyz, media: text, group: groupBox, refuse: "503", says: "Se pueden guardar cambios"},
		{at: "GET /metrics", scope: ScopeRead, plain: s.metricsPage, media: text, group: groupBox, says: "Mediciones para Prometheus"},
	}
}

func (s *Server) syncRoutes() []route {
	return []route{
		{at: "GET /api/sync", scope: ScopeRead, f: s.syncStatus, group: groupSheet, says: "Estado del intercambio con la hoja", answer: syncJSON{}},
		{at: "POST /api/sync/now", scope: ScopeAct, f: s.syncNow, group: groupSheet, says: "Pide una vuelta ahora", answer: syncAnswer{}, refuse: "404"},
		{at: "POST /api/sync/proposals/{id}/accept", scope: ScopeAct, f: s.syncAccept, group: groupSheet, says: "Acepta lo que dice la hoja", more: "Acto del supervisor.",
			body: &motivoBody{}, answer: syncAnswer{}, refuse: "400 404 409 503"},
		{at: "POST /api/sync/proposals/{id}/reject", scope: ScopeAct, f: s.syncReject, group: groupSheet, says: "Escribe de nuevo el dato de la planta", more: "Acto del supervisor.",
			answer: syncAnswer{}, refuse: "404 409 503"},
		{at: "POST /api/sync/parked/{seq}/retry", scope: ScopeAct, f: s.syncRetry, group: groupSheet, says: "Reintenta un evento apartado", more: "Acto del supervisor.",
			answer: syncAnswer{}, refuse: "404 409 422 503"},
	}
}
