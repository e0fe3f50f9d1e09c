package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"envivo/plant"
	"envivo/ui"
)

// Sync is what the pages show and may ask of the exchange with the Sheet.
// Status answers from memory, so that no page waits for Google; Now returns at
// once. The other three are durable when they return nil. They answer
// ErrSyncGone for what is not (or no longer) there, ErrSyncMoved when the cell
// or the spool changed since, *SyncRefused for what cannot be done at all, and
// pass the rules' refusals (*plant.Error) on.
type Sync interface {
	Status() SyncStatus
	// Now asks for a round at once.
	Now()
	// Accept makes a proposal a correction event that names the supervisor and
	// the device; motivo is not empty.
	Accept(ctx context.Context, id, motivo, device string) error
	// Reject has our value written again.
	Reject(ctx context.Context, id, device string) error
	// Retry has a parked event written again.
	Retry(ctx context.Context, seq plant.Seq) error
}

// What a Sync tells is what the page shows.
type (
	SyncStatus   = ui.SyncStatus
	SyncAlert    = ui.SyncAlert
	SyncProposal = ui.SyncProposal
	SyncParked   = ui.SyncParked
	SyncCell     = ui.SyncCell
	SyncAudit    = ui.SyncAudit
	SyncReport   = ui.SyncReport
)

// The modes of the exchange, for SyncStatus.Mode.
const (
	SyncFine     = ui.SyncFine
	SyncNoticed  = ui.SyncNoticed
	SyncBehind   = ui.SyncBehind
	SyncStopped  = ui.SyncStopped
	SyncReadOnly = ui.SyncReadOnly
	SyncNone     = ui.SyncNone
)

// Errors of a Sync.
var (
	ErrSyncGone  = errors.New("there is no such entry of the exchange")
	ErrSyncMoved = errors.New("the cell or the spool changed meanwhile")

	errNoSync      = errors.New("the plant has no Sheet")
	errSyncSession = errors.New("a supervisor's act without a supervisor")
	errSyncMotivo  = &plant.Error{Code: plant.CodeInvalid, Missing: "motivo"}
)

// SyncRefused is something the exchange will not do. Why is a Spanish sentence.
type SyncRefused struct{ Why string }

func (e *SyncRefused) Error() string { return "the exchange refuses: " + e.Why }

const (
	// rememberActs is how long a settled entry is known, so that the same act
	// sent again after a lost answer is told what became of the first.
	rememberActs = 10 * time.Minute
	// freshAlerts is how old the mark in the frame of a page may be when drawn.
	freshAlerts = time.Second
	// maxMotivo is the longest motive, in bytes.
	maxMotivo = 800
)

// desk takes what people ask of the exchange, from pages and programs alike.
type desk struct {
	sync Sync // nil: the plant has no Sheet
	now  func() time.Time
	// plant records the acts that are no event of a spool.
	plant Plant

	// turn admits one act at a time and guards done.
	turn chan struct{}
	done map[string]time.Time

	// mu guards the count for the frame.
	mu      sync.Mutex
	counted time.Time
	alerts  int
}

func newDesk(s Sync, p Plant, now func() time.Time) *desk {
	return &desk{sync: s, now: now, plant: p, turn: make(chan struct{}, 1), done: map[string]time.Time{}}
}

func (d *desk) status() SyncStatus {
	if d.sync == nil {
		return SyncStatus{Mode: SyncNone, Sentence: ui.TextNoSheet}
	}
	return d.sync.Status()
}

// attention counts the alerts for the frame of a page.
func (d *desk) attention() int {
	if d.sync == nil {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.now(); d.counted.IsZero() || now.Sub(d.counted) >= freshAlerts || now.Before(d.counted) {
		d.counted, d.alerts = now, len(d.sync.Status().Alerts)
	}
	return d.alerts
}

// ask has the Sheet read and written at once.
func (d *desk) ask() error {
	if d.sync == nil {
		return errNoSync
	}
	d.sync.Now()
	return nil
}

// pressing is who asks something of the exchange.
type pressing struct {
	supervisor bool
	device     string
}

// accept makes a proposal a correction; it returns the proposal as it was when
// it was still listed.
func (d *desk) accept(ctx context.Context, by pressing, id, motivo string) (SyncProposal, error) {
	motivo = strings.TrimSpace(motivo)
	var was SyncProposal
	err := d.act(ctx, by, "accept\n"+id+"\n"+motivo, func() error {
		if motivo == "" || len(motivo) > maxMotivo {
			return errSyncMotivo
		}
		sight := ui.SyncSight{Status: d.sync.Status()}
		if p, ok := sight.Proposal(id); ok {
			if was = p; !p.Acceptable {
				return &SyncRefused{Why: p.Why}
			}
		}
		return d.sync.Accept(ctx, id, motivo, by.device)
	})
	return was, err
}

// reject has our value written again.
func (d *desk) reject(ctx context.Context, by pressing, id string) error {
	return d.act(ctx, by, "reject\n"+id, func() error {
		if err := d.sync.Reject(ctx, id, by.device); err != nil {
			return err
		}
		return d.log(ctx, by, "rechazar", id)
	})
}

// retry has a parked event written again.
func (d *desk) retry(ctx context.Context, by pressing, seq plant.Seq) error {
	return d.act(ctx, by, fmt.Sprintf("retry\n%d", seq), func() error {
		if err := d.sync.Retry(ctx, seq); err != nil {
			return err
		}
		return d.log(ctx, by, "reintentar", strconv.FormatUint(uint64(seq), 10))
	})
}

// settingSheetAct is the key under which acts on the exchange that change no
// spool are recorded, the last one as its value:
//
//	{"acto":"rechazar","que":"ID","cuando":"2026-11-26T10:05:00-03:00"}
//
// Its events say who did each of them, where and when.
const settingSheetAct = "hoja/acto"

// log records an act that is done.
func (d *desk) log(ctx context.Context, by pressing, act, what string) error {
	value := encode(struct {
		Act  string `json:"acto"`
		What string `json:"que"`
		At   string `json:"cuando"`
	}{act, what, plant.ISOTime(d.now())})
	c := plant.Command{Verb: plant.Ajustar, Supervisor: true, Device: by.device, Setting: &plant.Setting{Key: settingSheetAct, Value: value}}
	if _, err := d.plant.Do(ctx, c); err != nil && !errors.Is(err, plant.ErrUnchanged) {
		return fmt.Errorf("record that the supervisor pressed %s %s: %w", act, what, err)
	}
	return nil
}

// act does what a supervisor asks, one act after the other. What is asked is
// its own key: an entry that is gone because this very act settled it a while
// ago is a success again.
func (d *desk) act(ctx context.Context, by pressing, key string, f func() error) error {
	switch {
	case d.sync == nil:
		return errNoSync
	case !by.supervisor:
		return errSyncSession
	}
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return &plant.Error{Code: plant.CodeBusy, Err: ctx.Err()}
	}
	now := d.now()
	for k, at := range d.done {
		if now.Sub(at) >= rememberActs {
			delete(d.done, k)
		}
	}
	err := f()
	_, before := d.done[key]
	switch {
	case err == nil:
		d.done[key] = now
	case errors.Is(err, ErrSyncGone) && before:
		return nil
	}
	return err
}

// measure appends what the exchange is measured by.
func (d *desk) measure(w io.Writer) {
	if d.sync == nil {
		return
	}
	s, now := d.sync.Status(), d.now()
	line := func(name string, n int64) { fmt.Fprintf(w, "envivo_sheet_%s %d\n", name, n) }
	line("backlog", int64(s.Backlog))
	line("oldest_seconds", secondsSince(s.Oldest, now))
	line("calls_per_minute", int64(s.Calls))
	line("budget", int64(s.Budget))
	line("alerts", int64(len(s.Alerts)))
	line("parked", int64(len(s.Parked)))
	line("proposals", int64(len(s.Proposals)))
	for _, last := range []struct {
		name string
		at   time.Time
	}{{"last_in_seconds", s.LastIn}, {"last_out_seconds", s.LastOut}} {
		if !last.at.IsZero() {
			line(last.name, secondsSince(last.at, now))
		}
	}
}

// secondsSince is 0 for an instant that is unknown or still to come.
func secondsSince(at, now time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return max(0, int64(now.Sub(at)/time.Second))
}

// health is what health says of the exchange: figures and no texts, since
// anybody may read it.
func (d *desk) health() syncHealth {
	s := d.status()
	return syncHealth{Mode: s.Mode, Backlog: s.Backlog, OldestSeconds: secondsSince(s.Oldest, d.now()), Alerts: len(s.Alerts)}
}

type syncHealth struct {
	Mode          string `json:"mode"`
	Backlog       int    `json:"backlog"`
	OldestSeconds int64  `json:"oldest_seconds"`
	Alerts        int    `json:"alerts"`
}

type syncAnswer struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
}

const (
	textSyncNow      = "Sincronización pedida."
	textSyncAccepted = "Propuesta aceptada: queda lo que dice la hoja."
	textSyncRejected = "Propuesta rechazada: se escribe de nuevo el dato de la planta."
)

func (s *Server) syncNow(*call) (any, error) {
	return syncDone(textSyncNow, s.desk.ask())
}

type motivoBody struct {
	Motivo *string `json:"motivo"`
}

func (b *motivoBody) check(k *checker) {
	switch {
	case b.Motivo == nil:
		k.missing("motivo")
	case strings.TrimSpace(*b.Motivo) == "":
		k.bad("motivo", "motivo no puede estar vacío.", *b.Motivo)
	case len(*b.Motivo) > maxMotivo:
		k.bad("motivo", "motivo es demasiado largo.", nil)
	}
}

func (c *call) pressing() pressing { return pressing{c.grant.supervisor, c.grant.device} }

func (s *Server) syncAccept(c *call) (any, error) {
	if !c.grant.supervisor && s.desk.sync != nil {
		return syncDone("", errSyncSession)
	}
	var b motivoBody
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	_, err := s.desk.accept(c.r.Context(), c.pressing(), c.r.PathValue("id"), *b.Motivo)
	return syncDone(textSyncAccepted, err)
}

func (s *Server) syncReject(c *call) (any, error) {
	return syncDone(textSyncRejected, s.desk.reject(c.r.Context(), c.pressing(), c.r.PathValue("id")))
}

func (s *Server) syncRetry(c *call) (any, error) {
	n, err := strconv.ParseUint(c.r.PathValue("seq"), 10, 62)
	if err != nil {
		return nil, invalid("path", "seq", "int_parsing", "seq debe ser el número de un evento.", c.r.PathValue("seq"))
	}
	return syncDone("Se reintenta el evento "+strconv.FormatUint(n, 10)+".", s.desk.retry(c.r.Context(), c.pressing(), plant.Seq(n)))
}

// syncDone is the answer to an act on the exchange.
func syncDone(message string, err error) (any, error) {
	var no *SyncRefused
	switch {
	case err == nil:
		return &syncAnswer{Success: true, Message: message}, nil
	case errors.Is(err, errNoSync):
		return nil, &problem{status: http.StatusNotFound, code: codeMissing, message: "Esta planta trabaja sin hoja."}
	case errors.Is(err, errSyncSession):
		return nil, &problem{status: http.StatusForbidden, code: "NO_AUTORIZADO", message: "No autorizado: hace falta la sesión del supervisor."}
	case errors.Is(err, ErrSyncGone):
		return nil, &problem{status: http.StatusNotFound, code: codeMissing, message: "Esa entrada ya no está pendiente: lee la lista de nuevo."}
	case errors.Is(err, ErrSyncMoved):
		return nil, &problem{status: http.StatusConflict, code: "VERSION_CONFLICT", message: "La celda o el spool cambió desde que lo leíste: revisa y repite."}
	case errors.As(err, &no):
		return nil, &problem{status: http.StatusBadRequest, code: "OPERACION_NO_DISPONIBLE", message: "Esa propuesta no se puede aceptar, solo rechazar."}
	}
	return nil, err
}
