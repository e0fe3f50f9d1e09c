package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// serve admits the call, lets a fault have its way with it, applies it and
// answers. The call is in the log before its answer leaves, so that whoever has
// the answer finds the call there.
func (e *Emulator) serve(q *request) {
	e.mu.Lock()
	err := e.admitCall(q)
	var fault Fault
	if err == nil {
		if f := e.strikes(q.Call); f != nil {
			fault, q.Fault = *f, f.name()
		}
	}
	e.mu.Unlock()
	if err != nil {
		e.fail(q, err)
		return
	}
	if fault.Before != nil {
		fault.Before(q.Call)
	}
	if e.stopped(q, fault) {
		return
	}
	answer, err := e.apply(q)
	q.Applied = err == nil
	if fault.After != nil {
		fault.After(q.Call)
	}
	e.finish(q, fault, answer, err)
}

// name is what the log calls the fault.
func (f *Fault) name() string {
	if f.Name != "" {
		return f.Name
	}
	return "fault " + strconv.Itoa(int(f.Act))
}

// admitCall checks the bearer and the quota. Callers hold the lock.
func (e *Emulator) admitCall(q *request) error {
	if q.Op == Token {
		return nil
	}
	if err := e.authorize(q.r.Header, q.Op); err != nil {
		return err
	}
	return e.spend(q.Op.Kind())
}

// stopped carries out a fault that strikes before the call is applied, and
// reports whether the call ends there.
func (e *Emulator) stopped(q *request, f Fault) bool {
	switch f.Act {
	case ResetBefore:
		e.record(q.Call)
		reset(q.w)
		return true
	case Hang:
		if e.hold(q.ctx()) != nil {
			e.record(q.Call)
			return true
		}
	case PageAnswer:
		q.Status = http.StatusOK
		if f.Code != 0 {
			q.Status = f.Code
		}
		e.record(q.Call)
		writePage(q.w, q.Status)
		return true
	}
	if err := f.refusal(q.Call); err != nil {
		e.fail(q, err)
		return true
	}
	return false
}

// finish answers an applied call, unless a fault has the answer lost or spoilt.
func (e *Emulator) finish(q *request, f Fault, answer any, err error) {
	switch f.Act {
	case ResetAfter:
		e.record(q.Call)
		reset(q.w)
		return
	case FailAfter:
		e.fail(q, f.failure())
		return
	case HangAfter:
		if e.hold(q.ctx()) != nil {
			e.record(q.Call)
			return
		}
	case EmptyAnswer:
		answer = cut(answer, func(int) int { return 0 })
	case HalfAnswer:
		answer = cut(answer, func(n int) int { return n / 2 })
	}
	if err != nil {
		e.fail(q, err)
		return
	}
	answer, err = filter(answer, q.query.Get("fields"))
	if err != nil {
		e.fail(q, errInternal)
		return
	}
	body, err := json.Marshal(answer)
	if err != nil {
		e.fail(q, errInternal)
		return
	}
	q.Status = http.StatusOK
	e.record(q.Call)
	q.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	q.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if f.Act == CutAnswer {
		body = body[:len(body)/2]
	}
	_, err = q.w.Write(body)
	if f.Act == CutAnswer && err == nil {
		_ = http.NewResponseController(q.w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// cut is an answer with fewer values, as if the service had seen an older file.
// Only answers to reads have any.
func cut(answer any, keep func(rows int) int) any {
	switch a := answer.(type) {
	case *valueRange:
		a.Values = a.Values[:keep(len(a.Values))]
	case *batchAnswer:
		for _, r := range a.ValueRanges {
			r.Values = r.Values[:keep(len(r.Values))]
		}
	}
	return answer
}

// apply does what the call asks for, whole or not at all.
func (e *Emulator) apply(q *request) (any, error) {
	if q.Op == Token {
		return e.giveToken(string(q.body))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	b := e.books[q.Spreadsheet]
	if b == nil {
		return nil, errMissing
	}
	if q.Op == CopyFile {
		return e.copyFile(b, q.body)
	}
	if q.Op != GetSpreadsheet && len(b.sheets) == 0 {
		return nil, errMissing // a file without a sheet cannot exist
	}
	switch q.Op {
	case GetSpreadsheet:
		return b.get(), nil
	case BatchUpdate:
		return b.batchUpdate(q.body)
	case GetValues:
		return b.getValues(q.rest, q.query)
	case BatchGetValues:
		return b.batchGet(q.query)
	case UpdateValues:
		return b.update(q.rest, q.query, q.body)
	case BatchUpdateValues:
		return b.batchWrite(q.body)
	case ClearValues:
		return b.clear(q.rest)
	case BatchClearValues:
		return b.batchClear(q.body)
	}
	return nil, errMissing
}

// copyFile answers Drive's files.copy. Callers hold the lock.
func (e *Emulator) copyFile(b *Book, body []byte) (any, error) {
	if e.driveFull {
		return nil, errDriveQuota
	}
	var req struct {
		Name string `json:"name"`
	}
	if len(body) > 0 {
		if err := decode(body, &req); err != nil {
			return nil, err
		}
	}
	if req.Name == "" {
		req.Name = "Copia de " + b.title
	}
	id := fmt.Sprintf("%s-copia-%d", b.id, len(e.books))
	e.books[id] = b.copy(id, req.Name)
	return map[string]any{"kind": "drive#file", "id": id, "name": req.Name,
		"mimeType": "application/vnd.google-apps.spreadsheet"}, nil
}

// fail writes an error answer.
func (e *Emulator) fail(q *request, err error) {
	var body any
	var g *grantError
	var a *apiError
	switch {
	case errors.As(err, &g):
		q.Status, body = http.StatusBadRequest, g
	case errors.As(err, &a):
		q.Status, body = a.code, a.body()
	default:
		q.Status, body = http.StatusInternalServerError, errInternal.body()
	}
	q.Message = err.Error()
	e.record(q.Call)
	if q.Status == http.StatusTooManyRequests && e.retryAfter > 0 {
		q.w.Header().Set("Retry-After", strconv.Itoa(int(e.retryAfter.Seconds())))
	}
	q.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	q.w.WriteHeader(q.Status)
	_ = json.NewEncoder(q.w).Encode(body) // the client is gone if this fails
}

// writePage answers the HTML page that stands before the service.
func writePage(w http.ResponseWriter, code int) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, "<!DOCTYPE html><html lang=en><title>Error %d</title><p><b>%d.</b> That's an error.</html>\n",
		code, code) // the client is gone if this fails
}

// reset breaks the connection without an answer, with a reset packet where the
// connection allows it.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // without it the connection is merely closed
	}
	_ = conn.Close() // nobody is left to tell
}
