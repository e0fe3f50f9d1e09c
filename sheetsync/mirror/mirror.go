// Package mirror keeps the office's Sheet like the store and brings the office's
// inputs in. One goroutine owns everything that is said to Google; nobody on the
// floor ever waits for it.
//
// The store's outbox is the queue: an event leaves it when a reading of the Sheet
// has shown its row of Operaciones, its unions and its rows of Metadata as they
// should be. Nothing else has to be remembered, so a process that dies anywhere
// finds its place again by reading.
//
//	rows   every owned cell that differs from the store is written; rows are found
//	       by TAG in the reading of the same cycle, and looked at again in the next
//	log    rows of Metadata go to explicit rows below the last one; after a doubt
//	       the rows where the write would be are read, and the whole worksheet
//	       unless they tell, before the next write
//	in     office columns, people and definitions of unions become IMPORTAR
//	       commands; edits of our columns become propuestas
package mirror

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"envivo/plant"
	"envivo/sheetsync"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// Plant is what the mirror needs of the store.
type Plant interface {
	sheetsync.Plant
	Do(context.Context, plant.Command) (plant.Receipt, error)
	// Pending lists events not yet delivered, oldest first; Ack, Park and Unpark
	// change that durably.
	Pending(limit int) ([]plant.Event, error)
	Ack(context.Context, ...plant.Seq) error
	Park(ctx context.Context, seq plant.Seq, why string) error
	Unpark(ctx context.Context, seq plant.Seq) error
	Parked() []Parked
}

// Parked is an event that could not be delivered.
type Parked struct {
	Seq plant.Seq
	Tag plant.Tag
	Why string
	At  time.Time
}

// Sheet is what the mirror needs of the spreadsheet; see google.Client.
type Sheet interface {
	Layout(context.Context) (google.Layout, error)
	Stamp(ctx context.Context, env string, again bool) error
	Read(ctx context.Context, ranges ...string) ([][][]table.Cell, error)
	Formulas(ctx context.Context, ranges ...string) ([][][]table.Cell, error)
	Shown(ctx context.Context, ranges ...string) ([][][]table.Cell, error)
	Write(context.Context, ...google.Block) error
	Enter(context.Context, ...google.Block) error
	Grow(ctx context.Context, t google.Tab, rows, cols int) error
	Format(context.Context, ...google.Format) error
	// Calls is how many calls the last minute saw.
	Calls() int
}

// Options say how the mirror works. Zero values of Interval, Poll and Budget
// mean the defaults of the settings.
type Options struct {
	Plant Plant
	Sheet Sheet
	// Interval is how long changes are gathered before they are written, Poll how
	// often the office's inputs are read.
	Interval, Poll time.Duration
	// Budget is the number of calls per minute in steady state.
	Budget int
	// Titles are the worksheets' names where they are not those of the rules.
	Titles map[string]string
	// Old allows a sheet that was not migrated: it is read and never written.
	Old bool
	// Env is the environment of the store. A spreadsheet that belongs to another is
	// neither read nor written.
	Env string
	// Account is the address the sheet has to be shared with, for the texts.
	Account string
	Now     func() time.Time
	Random  *rand.Rand
	Log     *slog.Logger
}

func (o *Options) title(name string) string {
	if t := o.Titles[name]; t != "" {
		return t
	}
	return name
}

// Mirror is the exchange with one Sheet. Make one with New, then Run it.
type Mirror struct {
	o     Options
	plant Plant
	sheet Sheet
	log   *slog.Logger
	poke  chan struct{}

	// The rest up to mu belongs to the goroutine of Run.
	tabs     []*tab // in the order of table.SheetNames
	located  bool
	pace     pace
	failures int       // in a row
	starved  bool      // the last exchange ended for want of calls
	rest     time.Time // nothing is called before
	polled   time.Time // the last complete reading of the office's inputs
	unions   time.Time // the last reading of Uniones
	groomed  time.Time // formulas and formats were last looked at
	studied  time.Time // the whole log was last read
	baseline map[string]int
	odd      map[string]int // readings in a row that were set aside, by worksheet
	inputs   uint64         // hash of what was brought in last
	formulas map[string]bool
	rows     rowLane
	trail    logLane
	memories map[string][]memory // writes of the last cycle, by worksheet
	rowDone  map[plant.Seq]bool  // pending events whose cells were seen to be right
	poison   map[plant.Tag]string
	refused  int // writes refused in a row

	mu       sync.Mutex // guards the rest
	news     time.Time  // when the oldest change not yet written was committed
	seq      plant.Seq  // of the newest event heard of
	weighed  plant.Seq  // of the newest event that status.Backlog knows of
	forced   bool
	restore  map[plant.Tag]bool // propuestas that were rejected
	status   Status
	counted  tally
	proposed map[string]*proposal
	alerts   map[string]Alert
	audit    []Note
}

// New prepares a mirror. It calls nobody.
func New(o Options) (*Mirror, error) {
	if o.Plant == nil || o.Sheet == nil || o.Now == nil || o.Log == nil {
		return nil, errors.New("mirror: a plant, a sheet, a clock and a log are required")
	}
	if o.Interval <= 0 {
		o.Interval = 5 * time.Second
	}
	if o.Poll <= 0 {
		o.Poll = 30 * time.Second
	}
	if o.Budget <= 0 {
		o.Budget = 20
	}
	if o.Random == nil {
		o.Random = rand.New(rand.NewPCG(uint64(o.Now().UnixNano()), 1))
	}
	m := &Mirror{o: o, plant: o.Plant, log: o.Log, poke: make(chan struct{}, 1),
		baseline: map[string]int{}, odd: map[string]int{}, formulas: map[string]bool{}, memories: map[string][]memory{}, rowDone: map[plant.Seq]bool{}, poison: map[plant.Tag]string{},
		rows: rowLane{sent: map[plant.Seq]bool{}, tokens: map[plant.Tag]string{}}, restore: map[plant.Tag]bool{}, proposed: map[string]*proposal{}, alerts: map[string]Alert{}}
	m.sheet = paced{o.Sheet, m.mayCall}
	for _, name := range table.SheetNames() {
		m.tabs = append(m.tabs, &tab{name: name})
	}
	m.status = Status{Mode: Behind, Sentence: "La hoja aún no se ha leído."}
	return m, nil
}

// mayCall takes one call from the allowance.
func (m *Mirror) mayCall() bool {
	now := m.o.Now()
	m.pace.repeated(now, m.o.Sheet.Calls())
	return m.pace.spend(now, m.allowance(now))
}

func (m *Mirror) tab(name string) *tab {
	for _, t := range m.tabs {
		if t.name == name {
			return t
		}
	}
	return nil
}

// Heard tells of events that were committed; it never blocks.
func (m *Mirror) Heard(seq plant.Seq) {
	m.mu.Lock()
	if seq > m.seq {
		m.seq = seq
		if m.news.IsZero() {
			m.news = m.o.Now()
		}
	}
	m.mu.Unlock()
	m.wake()
}

// Now asks for a complete exchange at once ("Sincronizar ahora").
func (m *Mirror) Now() {
	m.mu.Lock()
	m.forced = true
	m.mu.Unlock()
	m.wake()
}

func (m *Mirror) wake() {
	select {
	case m.poke <- struct{}{}:
	default:
	}
}

// Run exchanges until ctx ends. A call in progress is given up then; everything
// it was about is still in the outbox.
func (m *Mirror) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		wait := m.Step(ctx)
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-m.poke:
		case <-t.C:
		}
		t.Stop()
	}
	return nil
}

// Step does what is due now and says how long nothing will be, unless somebody
// calls Heard or Now.
func (m *Mirror) Step(ctx context.Context) time.Duration {
	if wait := m.next(); wait > 0 {
		return wait
	}
	now := m.o.Now()
	m.mu.Lock()
	news, forced := m.news, m.forced
	m.news, m.forced = time.Time{}, false
	m.mu.Unlock()
	err := m.exchange(ctx, now, forced)
	if err != nil {
		m.mu.Lock()
		if !news.IsZero() && (m.news.IsZero() || news.Before(m.news)) {
			m.news = news
		}
		m.mu.Unlock()
	}
	m.settle(ctx, err)
	return m.next()
}

// next is how long nothing is due.
func (m *Mirror) next() time.Duration {
	now := m.o.Now()
	m.mu.Lock()
	news, forced := m.news, m.forced
	m.mu.Unlock()
	due := m.polled.Add(m.o.Poll)
	if at := news.Add(m.o.Interval); !news.IsZero() && at.Before(due) {
		due = at
	}
	if m.rest.After(due) {
		due = m.rest
	}
	if forced {
		due = now
	}
	perMinute := m.allowance(now)
	m.pace.fill(now, perMinute)
	need := 1
	if !news.IsZero() {
		need = min(2, ceiling(perMinute))
	}
	if m.starved {
		need = min(starvedNeeds, ceiling(perMinute))
	}
	return max(due.Sub(now), m.pace.until(now, need, perMinute, m.failures > 0 || m.starved))
}

// allowance is the number of calls per minute now: more when catching up.
func (m *Mirror) allowance(now time.Time) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.status.Backlog > catchUpFrom || !m.status.Oldest.IsZero() && now.Sub(m.status.Oldest) > catchUpAfter && m.status.Backlog > 0 {
		return max(catchUp, m.o.Budget)
	}
	return m.o.Budget
}

// starvedNeeds is how many calls have to be free before an exchange is tried again
// that had too few: enough for the longest.
const starvedNeeds = 8

// A backlog of so many events, or so old, is no steady state.
const (
	catchUpFrom  = 300
	catchUpAfter = 2 * time.Minute
)
