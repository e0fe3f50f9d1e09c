package emulator

import (
	"slices"
	"time"
)

// Allowance says which allowance a call uses.
type Allowance uint8

// The allowances.
const (
	Other Allowance = iota // tokens and Drive
	Read
	Write
)

// Op is what a call asks for.
type Op string

// The calls the emulator knows.
const (
	Token             Op = "token"
	GetSpreadsheet    Op = "spreadsheets.get"
	BatchUpdate       Op = "spreadsheets.batchUpdate"
	GetValues         Op = "values.get"
	BatchGetValues    Op = "values.batchGet"
	UpdateValues      Op = "values.update"
	BatchUpdateValues Op = "values.batchUpdate"
	ClearValues       Op = "values.clear"
	BatchClearValues  Op = "values.batchClear"
	CopyFile          Op = "files.copy"
)

// Kind is the allowance the call uses.
func (o Op) Kind() Allowance {
	switch o {
	case Token, CopyFile:
		return Other
	case GetSpreadsheet, GetValues, BatchGetValues:
		return Read
	}
	return Write
}

// Call is one request as the emulator saw it.
type Call struct {
	N           int       // counts from 1
	At          time.Time // by the emulator's clock, when it came in
	Op          Op
	Spreadsheet string
	Ranges      []string // as asked for; of spreadsheets.batchUpdate, the kinds of its requests
	Bytes       int      // of the request
	Status      int      // 0: there was no answer
	Fault       string   // the name of the fault it met
	Applied     bool     // a write that took effect, or a read that was answered in full
	Message     string   // of an error answer
}

// Minute is what one minute of the clock saw. Refused calls are 429 answers; they
// are counted in Reads or Writes too, for the sender made them.
type Minute struct {
	Start                  time.Time
	Reads, Writes, Refused int
}

// Calls is a copy of the log, oldest first. It holds the last calls only (see
// Options.Log).
func (e *Emulator) Calls() []Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.log)
}

// Minutes are the counters of every minute that saw a call, oldest first.
func (e *Emulator) Minutes() []Minute {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.minutes)
}

// SetQuota changes the reads and writes allowed per minute. Zero refuses all;
// negative allows any number.
func (e *Emulator) SetQuota(reads, writes int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reads, e.writes = reads, writes
}

// ResetCalls empties the log and the counters, and with them this minute's use of
// the quota.
func (e *Emulator) ResetCalls() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.log, e.minutes = nil, nil
}

// spend takes one call of the kind from this minute's allowance, which is whole
// again at every full minute. Callers hold the lock.
func (e *Emulator) spend(k Allowance) error {
	if k == Other {
		return nil
	}
	start := e.now().Truncate(time.Minute)
	if n := len(e.minutes); n == 0 || !e.minutes[n-1].Start.Equal(start) {
		e.minutes = append(e.minutes, Minute{Start: start})
	}
	m := &e.minutes[len(e.minutes)-1]
	count, limit := &m.Reads, e.reads
	if k == Write {
		count, limit = &m.Writes, e.writes
	}
	*count++
	if limit >= 0 && *count > limit {
		m.Refused++
		return quotaError(k)
	}
	return nil
}

// record appends a finished call to the log.
func (e *Emulator) record(c Call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.log) >= e.keep {
		e.log = slices.Delete(e.log, 0, len(e.log)-e.keep+1)
	}
	e.log = append(e.log, c)
}
