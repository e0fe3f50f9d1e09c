// Package emulator is a Google Sheets of our own: it speaks the REST protocol of
// the service, from the signed request for a token to the text of its errors, well
// enough that Google's client library cannot tell. It holds spreadsheets in
// memory, keeps the service's quotas, parses what people type the way a file of
// the locale es_CL does, and breaks on request in every way the service was seen
// to break. The demo runs against it and so do the tests of the sync.
//
// An Emulator is an http.Handler and a few methods that may all be used at the
// same time. Each request and each edit is applied whole, one at a time. Nothing
// survives the process.
//
// What it does not do: formulas beyond the few of Formula, developer metadata,
// protected ranges, conditional formats, and values.append, which the program
// never uses.
package emulator

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxBody is how much of a request is read, in bytes.
const maxBody = 32 << 20

// Options say what an Emulator is made of. Now is required.
type Options struct {
	// ID and Title name the first spreadsheet; empty means "emulador" and
	// "Planilla".
	ID, Title string
	// Now is the clock of quotas, logs and typed dates.
	Now func() time.Time
	// Machine is the clock that signed requests and tokens are judged by. The
	// client library always uses the machine's, so whoever injects another Now
	// leaves this at the machine's. Nil means Now.
	Machine func() time.Time
	// Sleep waits for a delay of Latency or until the context ends. Nil means a
	// timer.
	Sleep func(context.Context, time.Duration)
	// Random decides faults with a chance and delays. Nil is a fixed sequence.
	Random *mathrand.Rand
	// Key signs for the account. Nil makes one, which takes a tenth of a second.
	Key *rsa.PrivateKey
	// Reads and Writes are allowed per minute. Zero means 60, as for a service
	// account of Google's; negative means any number.
	Reads, Writes int
	// RetryAfter, if positive, is told with every 429, in whole seconds.
	RetryAfter time.Duration
	// DriveFull refuses copies of files the way Google does for service accounts
	// without storage of their own. SetDriveFull changes it.
	DriveFull bool
	// Log is how many calls the log holds. Zero means 20,000.
	Log int
}

// Emulator is the service. Make one with New.
type Emulator struct {
	now, machine func() time.Time
	sleep        func(context.Context, time.Duration)
	key          *rsa.PrivateKey
	retryAfter   time.Duration
	keep         int
	main         *Book

	mu        sync.Mutex // guards the rest, and the content of all books
	books     map[string]*Book
	audiences []string
	tokens    map[string]token
	revoked   bool
	reads     int
	writes    int
	driveFull bool
	minutes   []Minute
	log       []Call
	calls     int
	random    *mathrand.Rand
	faults    []*injected
	outage    bool
	slow      [2]time.Duration
	held      chan struct{} // closed by Release
	holding   int
}

// New makes an emulator with one spreadsheet, which has no worksheet until Fill
// makes one.
func New(o Options) (*Emulator, error) {
	if o.Now == nil {
		return nil, errors.New("emulator: a clock is required")
	}
	e := &Emulator{
		now: o.Now, machine: o.Machine, sleep: o.Sleep, key: o.Key, random: o.Random,
		retryAfter: o.RetryAfter, keep: orDefault(o.Log, 20_000),
		reads: orDefault(o.Reads, 60), writes: orDefault(o.Writes, 60), driveFull: o.DriveFull,
		books: map[string]*Book{}, tokens: map[string]token{}, held: make(chan struct{}),
	}
	if e.machine == nil {
		e.machine = o.Now
	}
	if e.sleep == nil {
		e.sleep = sleep
	}
	if e.random == nil {
		e.random = mathrand.New(mathrand.NewPCG(3, 9))
	}
	if e.key == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("emulator: make a key: %w", err)
		}
		e.key = key
	}
	id, title := o.ID, o.Title
	if id == "" {
		id = "emulador"
	}
	if title == "" {
		title = "Planilla"
	}
	e.main = e.AddBook(id, title)
	return e, nil
}

func orDefault(n, without int) int {
	if n == 0 {
		return without
	}
	return n
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Book is the first spreadsheet.
func (e *Emulator) Book() *Book { return e.main }

// Other is the spreadsheet of an identifier, for example a copy that was made.
func (e *Emulator) Other(id string) (*Book, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b, ok := e.books[id]
	return b, ok
}

// AddBook adds an empty spreadsheet, or replaces the one of that identifier.
func (e *Emulator) AddBook(id, title string) *Book {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := &Book{e: e, id: id, title: title}
	e.books[id] = b
	return b
}

// SetDriveFull says whether copies of files are refused.
func (e *Emulator) SetDriveFull(full bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.driveFull = full
}

// request is a call with what is needed to answer it.
type request struct {
	Call
	w     http.ResponseWriter
	r     *http.Request
	rest  string // the range in the path
	query url.Values
	body  []byte
}

// ctx ends when the client is gone.
func (q *request) ctx() context.Context { return q.r.Context() }

// ServeHTTP answers the API; a plain GET of the root answers the page of Page.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" && r.Method == http.MethodGet {
		e.Page().ServeHTTP(w, r)
		return
	}
	q, ok := route(r)
	if !ok {
		writePage(w, http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "unreadable request", http.StatusBadRequest)
		return
	}
	q.w, q.body, q.Bytes, q.At = w, body, len(body), e.now()
	q.name()
	e.mu.Lock()
	e.calls++
	q.N = e.calls
	outage, delay := e.outage, e.slow[0]
	if e.slow[1] > e.slow[0] {
		delay += time.Duration(e.random.Int64N(int64(e.slow[1] - e.slow[0] + 1)))
	}
	e.mu.Unlock()
	if delay > 0 {
		e.sleep(r.Context(), delay)
	}
	if outage {
		q.Fault = "outage"
		e.record(q.Call)
		reset(w)
		return
	}
	e.serve(q)
}

// route reads what a request asks for.
func route(r *http.Request) (*request, bool) {
	q := &request{r: r, query: r.URL.Query()}
	path, method := r.URL.EscapedPath(), r.Method
	if path == "/token" && method == http.MethodPost {
		q.Op = Token
		return q, true
	}
	if rest, ok := strings.CutPrefix(path, "/drive/v3/files/"); ok {
		id, ok := strings.CutSuffix(rest, "/copy")
		q.Op, q.Spreadsheet = CopyFile, id
		return q, ok && method == http.MethodPost
	}
	rest, ok := strings.CutPrefix(path, "/v4/spreadsheets/")
	if !ok {
		return nil, false
	}
	id, values, isValues := strings.Cut(rest, "/values")
	if !isValues {
		return q, q.whole(method, id)
	}
	q.Spreadsheet = id
	if strings.HasPrefix(values, ":") {
		return q, q.batch(method, values[1:])
	}
	text, err := url.PathUnescape(strings.TrimPrefix(values, "/"))
	return q, err == nil && q.single(method, text)
}

// name fills Ranges from the body, for the calls that name their parts there. A
// body that cannot be read names none; the call itself will say so.
func (q *request) name() {
	var parts struct {
		Data     []struct{ Range string }
		Ranges   []string
		Requests []map[string]json.RawMessage
	}
	switch q.Op {
	case BatchUpdateValues, BatchClearValues, BatchUpdate:
	default:
		return
	}
	if json.Unmarshal(q.body, &parts) != nil {
		return
	}
	q.Ranges = parts.Ranges
	for _, d := range parts.Data {
		q.Ranges = append(q.Ranges, d.Range)
	}
	for _, r := range parts.Requests {
		q.Ranges = slices.AppendSeq(q.Ranges, maps.Keys(r))
	}
}

// whole, batch and single name the call on a spreadsheet, on many ranges and on
// one range.
func (q *request) whole(method, id string) bool {
	var batch bool
	q.Spreadsheet, batch = strings.CutSuffix(id, ":batchUpdate")
	switch {
	case batch && method == http.MethodPost:
		q.Op = BatchUpdate
	case !batch && method == http.MethodGet:
		q.Op = GetSpreadsheet
	default:
		return false
	}
	return true
}

func (q *request) batch(method, verb string) bool {
	switch {
	case verb == "batchGet" && method == http.MethodGet:
		q.Op, q.Ranges = BatchGetValues, q.query["ranges"]
	case verb == "batchUpdate" && method == http.MethodPost:
		q.Op = BatchUpdateValues
	case verb == "batchClear" && method == http.MethodPost:
		q.Op = BatchClearValues
	default:
		return false
	}
	return true
}

func (q *request) single(method, text string) bool {
	switch method {
	case http.MethodGet:
		q.Op = GetValues
	case http.MethodPut:
		q.Op = UpdateValues
	case http.MethodPost:
		var clears bool
		text, clears = strings.CutSuffix(text, ":clear")
		q.Op = ClearValues
		if !clears {
			return false
		}
	default:
		return false
	}
	q.rest, q.Ranges = text, []string{text}
	return true
}
