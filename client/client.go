// Package client is the typed way into envivo for Go programs: the acts on a
// spool, the reads, and the stream of events. docs/openapi.json describes the
// addresses it calls.
//
// A write that returns nil is on the box's disk. A write whose answer was lost
// may be sent again with the same Order.Key: it has one effect.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client calls one box. Its fields must not change while it is in use; its
// methods may be called from many goroutines.
type Client struct {
	// Base is the box's address, such as http://taller.local:8000.
	Base string
	// Token is sent with every request; empty in an open plant.
	Token string
	// HTTP makes the requests; nil means one that waits 30 s at most.
	HTTP *http.Client
}

const (
	patience = 30 * time.Second
	// mostAnswer bounds an answer, in bytes: 5000 events fit many times.
	mostAnswer = 64 << 20
)

var patient = &http.Client{Timeout: patience}

// Error is a refusal: the box is well and says no, or says what is the matter.
type Error struct {
	Status int
	// Code is stable; Message is a Spanish sentence for people.
	Code, Message string
	// Data are the facts, by code.
	Data json.RawMessage
	// Fields are the values that are wrong or missing, for status 422.
	Fields []string
	// RetryAfter is how long to wait before the same again; 0 when not said.
	RetryAfter time.Duration
}

func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message) }

// Is compares codes, for errors.Is(err, client.ErrOccupied).
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Refusals that programs decide by; compare with errors.Is. Others are known by
// their Code.
var (
	ErrOccupied     = &Error{Code: "SPOOL_OCCUPIED"}
	ErrNotHolder    = &Error{Code: "NO_AUTORIZADO"}
	ErrHoldLost     = &Error{Code: "LOCK_EXPIRED"}
	ErrBlocked      = &Error{Code: "SPOOL_BLOQUEADO"}
	ErrUnknownSpool = &Error{Code: "SPOOL_NO_ENCONTRADO"}
	ErrVersion      = &Error{Code: "VERSION_CONFLICT"}
	ErrKeyReused    = &Error{Code: "IDEMPOTENCY_KEY_REUSED"}
)

// Tomar takes a free spool for Order.Op.
func (c *Client) Tomar(ctx context.Context, o Order) (Written, error) {
	return write[Written](ctx, c, "/api/occupation/tomar", o)
}

// Pausar lets a spool go unfinished.
func (c *Client) Pausar(ctx context.Context, o Order) (Ended, error) {
	return write[Ended](ctx, c, "/api/occupation/pausar", o)
}

// Completar finishes the work on a spool.
func (c *Client) Completar(ctx context.Context, o Order) (Ended, error) {
	return write[Ended](ctx, c, "/api/occupation/completar", o)
}

// Finalizar ends a hold by the unions that were done: all of them finish it,
// some pause it, none cancel it.
func (c *Client) Finalizar(ctx context.Context, o Order) (Finished, error) {
	if o.Selected == nil && o.Override == "" {
		o.Selected = []string{}
	}
	return write[Finished](ctx, c, "/api/v4/occupation/finalizar", o)
}

// Spools searches; Page.Next is the After of the next page, nil on the last.
func (c *Client) Spools(ctx context.Context, q Query) (Page, error) {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" && value != "0" {
			v.Set(name, value)
		}
	}
	set("q", q.Text)
	set("estado", q.Estado)
	set("operacion", q.Op)
	set("worker_id", strconv.Itoa(q.Worker))
	set("limit", strconv.Itoa(q.Limit))
	set("after", q.After)
	return read[Page](ctx, c, "/api/spools?"+v.Encode())
}

// Spool is one spool with its unions and what may be done with it.
func (c *Client) Spool(ctx context.Context, tag string) (Detail, error) {
	return read[Detail](ctx, c, "/api/spools/"+url.PathEscape(tag))
}

// Events are at most limit committed events after seq, in order; limit 0 leaves
// the number to the box.
func (c *Client) Events(ctx context.Context, seq uint64, limit int) (EventPage, error) {
	at := "/api/events?after=" + strconv.FormatUint(seq, 10)
	if limit > 0 {
		at += "&limit=" + strconv.Itoa(limit)
	}
	return read[EventPage](ctx, c, at)
}

// Here is the newest place in the box's history.
func (c *Client) Here(ctx context.Context) (Position, error) {
	p, err := c.Events(ctx, 0, 1)
	return Position{Seq: p.Seq, Epoch: p.Epoch}, err
}

func write[T any](ctx context.Context, c *Client, path string, o Order) (T, error) {
	body, err := json.Marshal(o)
	if err != nil {
		var none T
		return none, fmt.Errorf("encode the order: %w", err)
	}
	return call[T](ctx, c, http.MethodPost, path, body, o.Key)
}

func read[T any](ctx context.Context, c *Client, path string) (T, error) {
	return call[T](ctx, c, http.MethodGet, path, nil, "")
}

// call sends a request and decodes its answer.
func call[T any](ctx context.Context, c *Client, method, path string, body []byte, key string) (out T, err error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Base, "/")+path, bytes.NewReader(body))
	if err != nil {
		return out, fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	c.sign(req.Header)
	h := c.HTTP
	if h == nil {
		h = patient
	}
	resp, err := h.Do(req)
	if err != nil {
		return out, err // it names method and address
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return out, fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return out, refusal(resp, raw)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return out, fmt.Errorf("%s %s: decode the answer: %w", method, path, err)
	}
	return out, nil
}

func (c *Client) sign(h http.Header) {
	if c.Token != "" {
		h.Set("Authorization", "Bearer "+c.Token)
	}
}

// fault is one wrong field.
type fault struct {
	Loc []string `json:"loc"`
}

// refusal reads an answer other than 200. What does not come from a box, such as
// a proxy's page, has no code.
func refusal(resp *http.Response, raw []byte) error {
	e := &Error{Status: resp.StatusCode}
	var body struct {
		Error   string          `json:"error"`
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
		Detail  json.RawMessage `json:"detail"`
	}
	if err := json.Unmarshal(raw, &body); err != nil || body.Error == "" {
		e.Message = resp.Status
		return e
	}
	e.Code, e.Message, e.Data = body.Error, body.Message, body.Data
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(n) * time.Second
	}
	var faults []fault
	if json.Unmarshal(body.Detail, &faults) != nil { // an object at some addresses
		var detail struct {
			Faults []fault `json:"faults"`
		}
		_ = json.Unmarshal(body.Detail, &detail) // a sentence at others: no faults
		faults = detail.Faults
	}
	for _, f := range faults {
		if len(f.Loc) > 0 {
			e.Fields = append(e.Fields, f.Loc[len(f.Loc)-1])
		}
	}
	return e
}

// ErrReset says that the history cannot be continued from a position: another
// store is there, or it lies too far back. Load the state again.
var ErrReset = errors.New("the history of events cannot be continued from here")
