package api

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"envivo/plant"
	"envivo/ui"
)

// row is what the JSON API says about one code: status, stable code, sentence
// and data (rules §9.1). Sentences name people only as AB(12), always the TAG
// if the request had one, and no word that old front ends sort by another code.
type row struct {
	status int
	code   string
	say    func(*plant.Error) string
	data   func(*plant.Error) map[string]any
}

func (r row) facts(e *plant.Error) map[string]any {
	if r.data != nil {
		return r.data(e)
	}
	if e.Tag == "" && e.Op == plant.OpNone {
		return nil
	}
	d := map[string]any{"tag_spool": string(e.Tag)}
	if e.Op != plant.OpNone {
		d["operacion"] = e.Op.String()
	}
	return d
}

// statusOf is the HTTP status of a code.
func statusOf(c plant.Code) int { return statuses[c].status }

// statuses is the JSON column of the catalogue; ui/texts.go holds the other
// one. A test walks every code.
var statuses = map[plant.Code]row{
	plant.CodeInternal: {http.StatusInternalServerError, codeInternal, func(e *plant.Error) string {
		if e.Tag == "" {
			return "Falla interna, código " + e.Detail + "."
		}
		return "Falla interna con " + tagOf(e) + ", código " + e.Detail + "."
	}, nil},
	plant.CodeInvalid:        {http.StatusUnprocessableEntity, codeInvalid, sayInvalid, nil},
	plant.CodeSpoolNotFound:  {http.StatusNotFound, "SPOOL_NO_ENCONTRADO", say("Spool {TAG} no encontrado."), nil},
	plant.CodeWorkerNotFound: {http.StatusNotFound, "WORKER_NO_ENCONTRADO", sayWorker, workerData},
	plant.CodeRole:           {http.StatusForbidden, "ROL_NO_AUTORIZADO", sayRole, roleData},
	plant.CodeBlocked:        {http.StatusForbidden, "SPOOL_BLOQUEADO", say("Spool {TAG} bloqueado tras 3 rechazos: debe intervenir el supervisor."), nil},
	plant.CodeDependency: {http.StatusBadRequest, "DEPENDENCIAS_NO_SATISFECHAS", func(e *plant.Error) string {
		return "Faltan dependencias para " + e.Op.String() + " en " + tagOf(e) + ": " + e.Missing + "."
	}, dependencyData},
	plant.CodeArmFirst:   {http.StatusForbidden, "ARM_PREREQUISITE", say("Aún no se puede soldar {TAG}: ninguna unión tiene ARM."), dependencyData},
	plant.CodeOccupied:   {http.StatusConflict, "SPOOL_OCCUPIED", sayOccupied, occupiedData},
	plant.CodeNotHolder:  {http.StatusForbidden, "NO_AUTORIZADO", sayNotHolder, holderData},
	plant.CodeTooEarly:   {http.StatusForbidden, "NO_AUTORIZADO", sayNotHolder, holderData},
	plant.CodeSupervisor: {http.StatusForbidden, "NO_AUTORIZADO", say("No autorizado en {TAG}: hace falta la sesión del supervisor."), holderData},
	plant.CodeDisplaced:  {http.StatusGone, "LOCK_EXPIRED", sayDisplaced, displacedData},
	plant.CodeTransition: {http.StatusBadRequest, "INVALID_STATE_TRANSITION", sayTransition, transitionData},
	plant.CodeUnchanged:  {http.StatusBadRequest, "INVALID_STATE_TRANSITION", say("Spool {TAG}: no había nada que cambiar."), transitionData},
	plant.CodeUndoLate:   {http.StatusBadRequest, "INVALID_STATE_TRANSITION", say("Spool {TAG}: ya no se puede deshacer."), transitionData},
	plant.CodeStarted:    {http.StatusBadRequest, "OPERACION_YA_INICIADA", sayBy("ya iniciada"), nil},
	plant.CodeDone:       {http.StatusBadRequest, "OPERACION_YA_COMPLETADA", sayBy("ya completada"), nil},
	plant.CodeNotStarted: {http.StatusBadRequest, "OPERACION_NO_INICIADA", say("{OP} no está iniciada en {TAG}."), nil},
	plant.CodeNotPending: {http.StatusBadRequest, "OPERACION_NO_PENDIENTE", say("{OP} no está pendiente en {TAG}."), func(e *plant.Error) map[string]any {
		return map[string]any{"tag_spool": string(e.Tag), "operacion": e.Op.String(), "estado_actual": e.State}
	}},
	plant.CodeNotAvailable: {http.StatusBadRequest, "OPERACION_NO_DISPONIBLE", func(e *plant.Error) string {
		if e.Op == plant.METROLOGIA {
			return "METROLOGIA no se toma en " + tagOf(e) + ": se registra el resultado."
		}
		return e.Op.String() + " no corresponde ahora en " + tagOf(e) + "."
	}, nil},
	plant.CodeVersion: {http.StatusConflict, "VERSION_CONFLICT", say("Spool {TAG} cambió desde que lo leíste: revisa y repite."), func(e *plant.Error) map[string]any {
		return map[string]any{"tag_spool": string(e.Tag), "expected_version": e.Want, "actual_version": e.Have}
	}},
	plant.CodeRace: {http.StatusConflict, "RACE_CONDITION", func(e *plant.Error) string {
		return fmt.Sprintf("En %s quedan %d uniones por hacer y llegaron %d.", tagOf(e), e.Want, e.Have)
	}, nil},
	plant.CodeUnion: {http.StatusUnprocessableEntity, codeInvalid, sayUnions, func(e *plant.Error) map[string]any {
		return map[string]any{"tag_spool": string(e.Tag), "uniones": e.Unions}
	}},
	plant.CodeKeyReused: {http.StatusUnprocessableEntity, "IDEMPOTENCY_KEY_REUSED", say("Esta clave ya se usó con otro pedido; {TAG} sin cambios."), nil},
	plant.CodeCorrupt: {http.StatusInternalServerError, "SPOOL_DATA_CORRUPT", func(e *plant.Error) string {
		return "Spool " + tagOf(e) + " tiene un dato dañado en " + e.Missing + "."
	}, nil},
	plant.CodeBusy:           {http.StatusServiceUnavailable, codeSheet, sayBusy, nil},
	plant.CodeFull:           {http.StatusServiceUnavailable, "SHEETS_UPDATE_ERROR", say("El disco del servidor está lleno o protegido: {TAG} sin cambios."), nil},
	plant.CodeUnknownOutcome: {http.StatusServiceUnavailable, "SHEETS_UPDATE_ERROR", say("El servidor no pudo confirmar el cambio en {TAG}."), nil},
	plant.CodeStandby:        {http.StatusServiceUnavailable, "RESPALDO_SOLO_LECTURA", sayStandby, nil},
	plant.CodeUnauthorized:   {http.StatusForbidden, "NO_AUTORIZADO", say("No autorizado: hace falta un dispositivo inscrito o un token."), nil},
}

// tagOf is the TAG for a sentence: clipped, since a client may send anything.
func tagOf(e *plant.Error) string { return clip(string(e.Tag)) }

func clip(s string) string {
	const most = 80
	s = strings.ToValidUTF8(s, "\ufffd")
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return s
}

// say fills {TAG} and {OP} into a sentence.
func say(text string) func(*plant.Error) string {
	return func(e *plant.Error) string {
		return strings.NewReplacer("{TAG}", tagOf(e), "{OP}", e.Op.String()).Replace(text)
	}
}

func sayBy(what string) func(*plant.Error) string {
	return func(e *plant.Error) string {
		out := e.Op.String() + " " + what + " en " + tagOf(e)
		if !e.Holder.None() {
			out += " por " + who(e.Holder)
		}
		return out + "."
	}
}

func sayInvalid(e *plant.Error) string {
	out := "Falta un dato o está mal escrito: " + e.Missing
	if e.Tag != "" {
		out += "; " + tagOf(e) + " sin cambios"
	}
	return out + "."
}

func sayBusy(e *plant.Error) string {
	if e.Tag == "" {
		return "El servidor tiene mucho trabajo: repite en un momento."
	}
	return "El servidor tiene mucho trabajo: repite " + tagOf(e) + " en un momento."
}

func sayStandby(e *plant.Error) string {
	out := "Este equipo no registra, solo muestra"
	if e.Primary == "" {
		out = "El servidor acaba de arrancar y pregunta a su respaldo si sigue a cargo"
	}
	if e.Tag != "" {
		out += "; " + tagOf(e) + " sin cambios"
	}
	if e.Primary == "" {
		return out + ". Repite en un momento."
	}
	return out + ". Envía el pedido a " + e.Primary + "."
}

func sayWorker(e *plant.Error) string {
	out := "Trabajador " + strconv.Itoa(int(e.Worker.ID)) + " no encontrado o inactivo"
	if e.Tag != "" {
		out += "; " + tagOf(e) + " sin cambios"
	}
	return out + "."
}

func sayRole(e *plant.Error) string {
	return e.Worker.Display + " no está autorizado para " + e.Op.String() + " en " + tagOf(e) + ": hace falta el rol " +
		strings.Join(e.Required.Names(), " o ") + "."
}

// who names a person as AB(12). A cell of the Sheet may hold a whole name, which
// is not repeated: it may contain what old front ends take for a network failure.
func who(p plant.Person) string {
	initials, _, _ := strings.Cut(p.Display, "(")
	switch {
	case p.ID == 0:
		return "alguien sin número"
	case utf8.RuneCountInString(initials) > 2:
		return "el trabajador " + strconv.Itoa(int(p.ID))
	}
	return p.Display
}

// since is " desde las 09:42", empty for an unknown instant.
func since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " desde las " + plant.Clock(t)
}

func sayOccupied(e *plant.Error) string {
	return "Spool " + tagOf(e) + " ocupado por " + who(e.Holder) + since(e.Since) + "."
}

func sayNotHolder(e *plant.Error) string {
	out := e.Worker.Display + " no está autorizado en " + tagOf(e)
	switch {
	case e.Holder.None():
		return out + "."
	case e.Since.IsZero():
		return out + ": la última toma fue de " + who(e.Holder) + "."
	}
	return out + ": lo tiene " + who(e.Holder) + since(e.Since) + "."
}

func sayDisplaced(e *plant.Error) string {
	out := "La toma de " + tagOf(e) + " por " + e.Worker.Display + " expiró: "
	if e.How == plant.KindLiberar {
		return out + "la liberó un supervisor a las " + plant.Clock(e.Since) + "."
	}
	return out + "la tiene " + who(e.By) + since(e.Since) + "."
}

// verbWords are verbs as sentences name them; "completar" is a word by which
// old front ends know another code.
var verbWords = map[string]string{"completar": "terminar", "finalizar": "terminar"}

func sayTransition(e *plant.Error) string {
	verb := e.Transition
	if w, ok := verbWords[verb]; ok {
		verb = w
	}
	out := "Spool " + tagOf(e) + ": no se puede " + verb
	if e.Op != plant.OpNone {
		out += " " + e.Op.String()
	}
	return out + ", está " + e.State + "."
}

// unionWords say why a union, or several, cannot be recorded.
var unionWords = map[plant.UnionWhy][2]string{
	plant.UnionMissing:  {"no existe", "no existen"},
	plant.UnionTwice:    {"viene dos veces", "vienen dos veces"},
	plant.UnionDone:     {"ya está hecha", "ya están hechas"},
	plant.UnionUnarmed:  {"todavía no tiene ARM", "todavía no tienen ARM"},
	plant.UnionWeldless: {"no lleva soldadura", "no llevan soldadura"},
}

// sayUnions names the unions, by reason where the reasons are known.
func sayUnions(e *plant.Error) string {
	if len(e.Whys) != len(e.Unions) || len(e.Unions) == 0 {
		can := " no se pueden usar "
		if len(e.Unions) == 1 {
			can = " no se puede usar "
		}
		return "En " + tagOf(e) + can + unionList(e.Unions) + "."
	}
	var parts []string
	for why := plant.UnionMissing; why <= plant.UnionWeldless; why++ {
		var n []int
		for i, u := range e.Unions {
			if e.Whys[i] == why && !slices.Contains(n, u) {
				n = append(n, u)
			}
		}
		switch len(n) {
		case 0:
		case 1:
			parts = append(parts, unionList(n)+" "+unionWords[why][0])
		default:
			parts = append(parts, unionList(n)+" "+unionWords[why][1])
		}
	}
	return "En " + tagOf(e) + " " + strings.Join(parts, "; ") + "."
}

// unionList is "la unión 3" or "las uniones 3, 4 y 5".
func unionList(n []int) string {
	if len(n) == 1 {
		return "la unión " + strconv.Itoa(n[0])
	}
	return "las uniones " + ui.Enumerate(n)
}

func workerData(e *plant.Error) map[string]any {
	return map[string]any{"worker_nombre": strconv.Itoa(int(e.Worker.ID)), "worker_id": e.Worker.ID, "tag_spool": string(e.Tag)}
}

func roleData(e *plant.Error) map[string]any {
	return map[string]any{"worker_id": e.Worker.ID, "operacion": e.Op.String(), "rol_requerido": strings.Join(e.Required.Names(), " o "), "roles_actuales": e.Has.Names()}
}

func dependencyData(e *plant.Error) map[string]any {
	return map[string]any{"tag_spool": string(e.Tag), "operacion": e.Op.String(), "dependencia_faltante": e.Missing}
}

func occupiedData(e *plant.Error) map[string]any {
	return map[string]any{"tag_spool": string(e.Tag), "owner_id": e.Holder.ID, "owner_name": e.Holder.Display}
}

func holderData(e *plant.Error) map[string]any {
	op := e.Op
	if op == plant.OpNone { // the command did not say; the hold does
		op = e.HeldFor
	}
	d := map[string]any{"tag_spool": string(e.Tag), "trabajador_esperado": e.Holder.Display, "trabajador_solicitante": e.Worker.Display, "operacion": op.String()}
	if !e.Until.IsZero() {
		d["vence"] = plant.ISOTime(e.Until)
	}
	return d
}

func displacedData(e *plant.Error) map[string]any {
	return map[string]any{"tag_spool": string(e.Tag), "owner_id": e.By.ID, "owner_name": e.By.Display, "desde": plant.ISOTime(e.Since)}
}

func transitionData(e *plant.Error) map[string]any {
	return map[string]any{"tag_spool": string(e.Tag), "current_state": strings.ReplaceAll(e.State, " ", "_"), "attempted_transition": e.Transition}
}

// wrongPIN is the answer to a PIN that did not open a session.
func wrongPIN(a attempt) error {
	p := &problem{status: http.StatusForbidden, code: "NO_AUTORIZADO", message: "No autorizado: PIN incorrecto."}
	switch {
	case a.unset:
		p.message = "No autorizado: todavía no hay un PIN de supervisor."
	case a.wait > 0:
		p.status, p.code, p.retry = http.StatusTooManyRequests, codeLocked, a.wait
		p.message = fmt.Sprintf("Demasiados intentos: espera %d s.", int(a.wait.Seconds())+1)
	default:
		p.message += triesLeft(a.left)
	}
	return p
}

// problem is unproven as the JSON API puts it; field is where the PIN belongs.
func (u *unproven) problem(tag plant.Tag, field string) error {
	in := ""
	if tag != "" {
		in = " en " + clip(string(tag))
	}
	p := &problem{status: http.StatusForbidden, code: codePIN, data: map[string]any{"tag_spool": string(tag), "worker_id": u.worker, "campo": field},
		message: fmt.Sprintf("No autorizado%s: el trabajador %d tiene PIN y falta el campo %s.", in, u.worker, field)}
	switch {
	case u.tried && u.wait > 0:
		p.status, p.code, p.retry = http.StatusTooManyRequests, codeLocked, u.wait
		p.message = fmt.Sprintf("Demasiados intentos%s con el PIN del trabajador %d: espera %d s.", in, u.worker, int(u.wait.Seconds())+1)
	case u.tried:
		p.code = codePINWrong
		p.message = fmt.Sprintf("No autorizado%s: el PIN del trabajador %d es incorrecto.%s", in, u.worker, triesLeft(u.left))
	}
	return p
}

func triesLeft(n int) string {
	if n == 1 {
		return " Queda 1 intento."
	}
	return fmt.Sprintf(" Quedan %d intentos.", n)
}

// said is what the screen says of a PIN that was not right.
func (a attempt) said() string {
	if a.wait > 0 {
		return ui.PinWait(a.wait)
	}
	return ui.PinLeft(a.left)
}

// tooFast is the answer to a write that came too soon after many others.
func tooFast(wait time.Duration) error {
	return &problem{status: http.StatusTooManyRequests, code: codePace, retry: wait, message: "Demasiados pedidos seguidos: no se guardó. Repite en un momento."}
}

// unknownHost is the answer to a request for a name that is not the box's.
func unknownHost() error {
	return &problem{status: http.StatusMisdirectedRequest, code: codeHost, message: "Este servidor no responde por ese nombre: usa su dirección IP, o agrega el nombre con --host."}
}

const (
	textSessionOpen   = "Sesión de supervisor abierta."
	textSessionClosed = "Sesión de supervisor terminada."
)
