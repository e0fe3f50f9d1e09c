package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"envivo/plant"
)

// maxBody is the largest request body, in bytes.
const maxBody = 1 << 20

// call is one request on its way through an endpoint.
type call struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	grant grant
	body  []byte
}

// endpoint does the work of a route: it returns what to answer, as a value for
// encoding/json or as finished JSON (raw), or an error.
type endpoint func(*call) (any, error)

// raw is JSON that is ready to be sent.
type raw []byte

// problem is an error that is no refusal of the rules: the request cannot be
// served as it is.
type problem struct {
	status  int
	code    string
	message string
	faults  []fault // for 422
	data    any
	retry   time.Duration
}

func (p *problem) Error() string { return p.code + ": " + p.message }

// fault is one field that is wrong, in the form the earlier clients read.
type fault struct {
	Type  string   `json:"type"`
	Loc   []string `json:"loc"`
	Msg   string   `json:"msg"`
	Input any      `json:"input"`
}

// The codes of problems.
const (
	codeInvalid  = "VALIDATION_ERROR"
	codeMissing  = "NO_ENCONTRADO"
	codeMethod   = "METODO_NO_PERMITIDO"
	codeTooLarge = "CUERPO_DEMASIADO_GRANDE"
	codeInternal = "INTERNAL_SERVER_ERROR"
	codeSheet    = "SHEETS_CONNECTION_ERROR"
	codeLocked   = "DEMASIADOS_INTENTOS"
	codePace     = "DEMASIADOS_PEDIDOS"
	codeHost     = "NOMBRE_DESCONOCIDO"
	codePIN      = "PIN_REQUERIDO"
	codePINWrong = "PIN_INCORRECTO"
)

func invalid(where, field, kind, msg string, input any) *problem {
	return &problem{status: http.StatusUnprocessableEntity, code: codeInvalid, message: msg,
		faults: []fault{{Type: kind, Loc: []string{where, field}, Msg: msg, Input: input}}}
}

// checker collects what is wrong with a body.
type checker struct{ faults []fault }

func (k *checker) missing(field string) {
	k.faults = append(k.faults, fault{Type: "missing", Loc: []string{"body", field}, Msg: "Falta el campo " + field + "."})
}

func (k *checker) bad(field, msg string, input any) {
	k.faults = append(k.faults, fault{Type: "value_error", Loc: []string{"body", field}, Msg: msg, Input: input})
}

// checked is a body that knows what it needs.
type checked interface{ check(*checker) }

// decode reads the body into b: JSON, one object, at most maxBody. Unknown
// fields are ignored (rules §9.1).
func (c *call) decode(b checked) error {
	var err error
	if c.body, err = io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody)); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return &problem{status: http.StatusRequestEntityTooLarge, code: codeTooLarge, message: "El pedido es demasiado grande: 1 MiB como máximo."}
		}
		return invalid("body", "body", "read_error", "El pedido llegó incompleto.", nil)
	}
	if !utf8.Valid(c.body) {
		return invalid("body", "body", "utf8", "El pedido no es UTF-8 válido.", nil)
	}
	if t := bytes.TrimLeft(c.body, " \t\r\n"); len(t) == 0 || t[0] != '{' {
		return invalid("body", "body", "json_invalid", "El pedido no es un objeto JSON.", nil)
	}
	if err := json.Unmarshal(c.body, b); err != nil {
		return badJSON(err)
	}
	var k checker
	b.check(&k)
	if len(k.faults) > 0 {
		return &problem{status: http.StatusUnprocessableEntity, code: codeInvalid, message: k.faults[0].Msg, faults: k.faults}
	}
	return nil
}

func badJSON(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		field := strings.TrimPrefix(wrong.Field, "order.") // the part that all writes share
		if field == "" {
			field = "body"
		}
		return invalid("body", field, "type_error", "El campo "+field+" tiene un tipo equivocado.", wrong.Value)
	}
	return invalid("body", "body", "json_invalid", "El pedido no es JSON válido.", nil)
}

// query reads one value of the address; missing is 422.
func (c *call) query(name string) (string, error) {
	v := c.r.URL.Query().Get(name)
	if v == "" {
		return "", invalid("query", name, "missing", "Falta el parámetro "+name+".", nil)
	}
	return v, nil
}

// number reads a whole number from the address; def when it is absent.
func (c *call) number(name string, def, least, most int64) (int64, error) {
	v := c.r.URL.Query().Get(name)
	if v == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < least || n > most {
		return 0, invalid("query", name, "int_parsing", "El parámetro "+name+" debe ser un número entre "+
			strconv.FormatInt(least, 10)+" y "+strconv.FormatInt(most, 10)+".", v)
	}
	return n, nil
}

// handle mounts one route of the table.
func (s *Server) handle(at route) {
	if at.f == nil {
		s.mux.HandleFunc(at.at, at.plain)
		return
	}
	m := s.meters.route(at.at)
	s.mux.HandleFunc(at.at, func(w http.ResponseWriter, r *http.Request) {
		began := s.o.Now()
		c := &call{s: s, w: w, r: r, grant: s.identify(r)}
		status := s.serve(c, at.scope, at.f)
		m.done(status, s.o.Now().Sub(began))
	})
}

// serve runs an endpoint and answers; it returns the status.
func (s *Server) serve(c *call, scope Scope, f endpoint) (status int) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			status = s.refuse(c.w, c.r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	if c.grant.scope < scope {
		return s.refuse(c.w, c.r, unauthorized(c.grant))
	}
	v, err := f(c)
	if err != nil {
		return s.refuse(c.w, c.r, err)
	}
	return s.answer(c.w, http.StatusOK, v)
}

// unauthorized says why a request was not let in.
func unauthorized(g grant) error {
	if g.stale {
		return &problem{status: http.StatusForbidden, code: "NO_AUTORIZADO", message: "No autorizado: el token no es válido o fue revocado."}
	}
	return &plant.Error{Code: plant.CodeUnauthorized}
}

// answer sends a value as JSON.
func (s *Server) answer(w http.ResponseWriter, status int, v any) int {
	b, ok := v.(raw)
	if !ok {
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			s.o.Log.Error("encode an answer", "err", err)
			w.WriteHeader(http.StatusInternalServerError)
			return http.StatusInternalServerError
		}
		b = buf.Bytes()
	}
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.WriteHeader(status)
	_, _ = w.Write(b) // a reader that left needs no answer
	return status
}

// errorBody is the union of what all generations of clients read (rules §9.1).
type errorBody struct {
	Success bool   `json:"success"`
	Error   string `json:"error"`
	Message string `json:"message"`
	Data    any    `json:"data"`
	Detail  any    `json:"detail"`
}

// refuse answers an error; it returns the status.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) int {
	body, status := s.explain(w, r, err)
	s.turnedAway(r, body.Error, err)
	if detailed(r.URL.Path) {
		detail := map[string]any{"error": body.Error, "message": body.Message, "data": body.Data}
		if faults, ok := body.Detail.([]fault); ok {
			detail["faults"] = faults
		}
		body.Detail = detail
	}
	return s.answer(w, status, body)
}

func (s *Server) explain(w http.ResponseWriter, r *http.Request, err error) (errorBody, int) {
	// Nobody waits for this answer, or somebody who only stopped sending: to whom it
	// must not be said that nothing was stored when nobody knows.
	if gone := r.Context().Err(); gone != nil && errors.Is(err, gone) && !errors.Is(err, plant.ErrUnknownOutcome) {
		err = &plant.Error{Code: plant.CodeBusy, Err: err}
	}
	var no *plant.Error
	var p *problem
	switch {
	case errors.As(err, &no) && no.Code != plant.CodeInternal:
		row := statuses[no.Code]
		s.meters.refused(row.code)
		b := errorBody{Error: row.code, Message: row.say(no), Data: row.facts(no)}
		b.Detail = b.Message
		if row.status == http.StatusUnprocessableEntity {
			b.Detail = []fault{{Type: "value_error", Loc: []string{"body", fieldOf(no)}, Msg: b.Message}}
		}
		retryAfter(w, no.RetryAfter)
		s.o.Log.Info("refused", "code", row.code, "tag", string(no.Tag), "worker", int(no.Worker.ID), "op", no.Op.String())
		return b, row.status
	case errors.As(err, &p):
		b := errorBody{Error: p.code, Message: p.message, Data: p.data, Detail: p.message}
		if len(p.faults) > 0 {
			b.Detail = p.faults
		}
		retryAfter(w, p.retry)
		s.meters.refused(p.code)
		return b, p.status
	}
	id := w.Header().Get(traceHeader)
	s.o.Log.Error("unforeseen", "id", id, "method", r.Method, "path", r.URL.Path, "err", err)
	e := &plant.Error{Code: plant.CodeInternal, Detail: id}
	if no != nil {
		e.Tag = no.Tag
	}
	row := statuses[plant.CodeInternal]
	s.meters.refused(row.code)
	b := errorBody{Error: row.code, Message: row.say(e), Data: map[string]any{"id": id}}
	b.Detail = b.Message
	return b, row.status
}

func retryAfter(w http.ResponseWriter, d time.Duration) {
	if d > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(d.Seconds())+1))
	}
}

// fieldOf is the field a refusal with status 422 is about.
func fieldOf(e *plant.Error) string {
	switch {
	case e.Code == plant.CodeUnion:
		return "uniones"
	case e.Code == plant.CodeKeyReused:
		return "Idempotency-Key"
	case e.Missing != "":
		return e.Missing
	}
	return "body"
}

// detailed reports the addresses whose clients want an object as detail.
func detailed(path string) bool {
	for _, p := range []string{"/api/v4/", "/api/spool/", "/api/registro/"} {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

func strangeOrigin() error {
	return &problem{status: http.StatusForbidden, code: "NO_AUTORIZADO", message: "No autorizado: el pedido viene de otro sitio."}
}

// crossOrigin answers what browsers ask about other front ends, and marks
// answers to those that are configured. It reports whether the request is done.
func (s *Server) crossOrigin(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || !s.origins[origin] {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Expose-Headers", traceHeader)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// nowhere answers addresses under /api that lead to nothing, or not by this
// method.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := s.mux.Handler(other); pattern != "/api/" && strings.Contains(pattern, "/api/") {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		s.refuse(w, r, &problem{status: http.StatusNotFound, code: codeMissing, message: "Recurso no encontrado en esta dirección."})
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	s.refuse(w, r, &problem{status: http.StatusMethodNotAllowed, code: codeMethod, message: "Esta dirección no admite el método " + clip(r.Method) + "."})
}
