package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"envivo/api"
	"envivo/plant"
	"envivo/sheetsync/google"
	"envivo/sheetsync/migration"
	"envivo/sheetsync/mirror"
	"envivo/sheetsync/table"
	"envivo/store"
)

// on reports whether the plant has a Sheet.
func (s *sheetFlags) on() bool { return s.ID != "" }

// titles are the worksheets' names in this spreadsheet.
func (s *sheetFlags) titles() map[string]string {
	return map[string]string{table.Operaciones: s.Operaciones, table.Trabajadores: s.Trabajadores, table.Metadata: s.Metadata}
}

// key is the text of the service-account key: of the file, or of the variable
// that the earlier deployment put it into.
func (s *sheetFlags) key(look func(string) (string, bool)) ([]byte, error) {
	if s.Credentials == "" {
		return nil, errors.New("--sheet-credentials is empty: name the service account's key file")
	}
	if name, ok := strings.CutPrefix(s.Credentials, "$"); ok {
		text, _ := look(name)
		if text == "" {
			return nil, fmt.Errorf("the variable %s is empty", name)
		}
		return []byte(text), nil
	}
	return os.ReadFile(s.Credentials)
}

// client prepares calls to the Sheet. Nobody is called.
func (s *sheetFlags) client(ctx context.Context, p *program, log *slog.Logger) (*google.Client, error) {
	if !s.on() {
		return nil, errors.New("--sheet-id is empty: there is no Sheet")
	}
	key, err := s.key(p.env.look)
	if err != nil {
		return nil, err
	}
	return google.New(ctx, google.Options{ID: s.ID, Key: key, Endpoint: s.Endpoint, Now: p.now, Log: log})
}

// outbox is the store as the mirror sees it.
type outbox struct{ *store.Bolt }

// Parked lists what was set aside, with the spools.
func (o outbox) Parked() []mirror.Parked {
	parked := o.Bolt.Parked()
	out := make([]mirror.Parked, 0, len(parked))
	for _, p := range parked {
		x := mirror.Parked{Seq: p.Seq, Why: p.Why, At: p.At}
		if events, err := o.Events(context.Background(), p.Seq-1, 1); err == nil && len(events) == 1 {
			x.Tag = events[0].Tag
		}
		out = append(out, x)
	}
	return out
}

// newMirror makes the exchange of a store with the Sheet.
func (s *sheetFlags) newMirror(ctx context.Context, p *program, st *store.Bolt, log *slog.Logger) (*mirror.Mirror, error) {
	c, err := s.client(ctx, p, log)
	if err != nil {
		return nil, err
	}
	return mirror.New(mirror.Options{Plant: outbox{st}, Sheet: c, Interval: s.Interval, Poll: s.Poll, Budget: s.Budget,
		Titles: s.titles(), Old: s.Compat, Env: st.Env(), Account: c.Account().Email, Now: p.now, Log: log})
}

// sheetSync is the exchange of a running plant. A Sheet that cannot even be
// prepared (no key file, say) stops nothing: the page says so, and it is tried
// again every minute.
type sheetSync struct {
	flags *sheetFlags
	p     *program
	store *store.Bolt
	log   *slog.Logger

	mu     sync.Mutex // guards the rest
	mirror *mirror.Mirror
	why    string
	since  time.Time
}

func newSheetSync(flags *sheetFlags, p *program, st *store.Bolt, log *slog.Logger) *sheetSync {
	return &sheetSync{flags: flags, p: p, store: st, log: log, since: p.now()}
}

// prepareEvery is how often a Sheet that could not be prepared is tried again.
const prepareEvery = time.Minute

func (s *sheetSync) run(ctx context.Context) error {
	for {
		m, err := s.flags.newMirror(ctx, s.p, s.store, s.log)
		s.mu.Lock()
		s.mirror, s.why = m, ""
		if err != nil {
			s.why = err.Error()
			s.log.Warn("the Sheet cannot be prepared", "err", err)
		}
		s.mu.Unlock()
		if err == nil {
			return s.exchange(ctx, m)
		}
		t := time.NewTimer(prepareEvery)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

// exchange runs the mirror and tells it of news.
func (s *sheetSync) exchange(ctx context.Context, m *mirror.Mirror) error {
	go func() {
		for events, err := range s.store.Tail(ctx, s.store.Snapshot().Seq) {
			if err != nil {
				return // the store is closed: the plant stops
			}
			m.Heard(events[len(events)-1].Seq)
		}
	}()
	return m.Run(ctx)
}

func (s *sheetSync) now() *mirror.Mirror {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mirror
}

// Status is what pages and `envivo sheet status` show.
func (s *sheetSync) Status() api.SyncStatus {
	s.mu.Lock()
	m, why, since := s.mirror, s.why, s.since
	s.mu.Unlock()
	if m != nil {
		return shownStatus(m.Status())
	}
	out := waitingStatus(s.store)
	out.Budget = s.flags.Budget
	out.Mode, out.Sentence = api.SyncBehind, "La planilla aún no se ha leído."
	if why != "" {
		text := "La planilla no se puede usar: " + why
		out.Mode, out.Sentence = api.SyncStopped, text
		out.Alerts = []api.SyncAlert{{Since: since, Direction: "ambas", Text: text}}
	}
	return out
}

// waitingStatus is what the store alone knows of the exchange.
func waitingStatus(st *store.Bolt) api.SyncStatus {
	var out api.SyncStatus
	if pending, err := st.Pending(0); err == nil && len(pending) > 0 {
		out.Backlog, out.Oldest = len(pending), pending[0].At
	}
	for _, p := range (outbox{st}).Parked() {
		out.Parked = append(out.Parked, api.SyncParked{Seq: p.Seq, Tag: p.Tag, Why: p.Why, At: p.At})
	}
	return out
}

// shownStatus is the mirror's status in the words of the pages.
func shownStatus(s mirror.Status) api.SyncStatus {
	out := api.SyncStatus{Mode: string(s.Mode), Sentence: s.Sentence, LastIn: s.LastIn, LastOut: s.LastOut, Backlog: s.Backlog, Oldest: s.Oldest,
		Calls: s.Calls, Budget: s.Budget, Missing: s.Missing}
	for _, a := range s.Alerts {
		out.Alerts = append(out.Alerts, api.SyncAlert{Since: a.Since, Direction: a.Direction(), Sheet: a.Sheet, Column: a.Column, Text: a.Text})
	}
	for _, x := range s.Proposals {
		out.Proposals = append(out.Proposals, api.SyncProposal{ID: x.ID, Tag: x.Tag, Column: x.Column, Ours: x.Ours, Theirs: x.Theirs, Row: x.Row,
			Since: x.Since, Acceptable: x.Acceptable, Why: x.Why})
	}
	for _, x := range s.Parked {
		out.Parked = append(out.Parked, api.SyncParked{Seq: x.Seq, Tag: x.Tag, Why: x.Why, At: x.At})
	}
	for _, f := range s.Quarantined {
		out.Quarantined = append(out.Quarantined, api.SyncCell{Sheet: f.Sheet, Row: f.Row, Column: f.Column, Value: f.Value, Reason: f.Reason})
	}
	for _, n := range s.Audit {
		out.Audit = append(out.Audit, api.SyncAudit{At: n.At, Text: n.Text})
	}
	if s.First != nil {
		for _, name := range table.SheetNames() {
			if t := s.First.Sheets[name]; t != nil {
				out.Report = append(out.Report, api.SyncReport{Sheet: name, Rows: t.Rows, Accepted: t.Accepted, Repaired: t.Repaired, Quarantined: t.Quarantined})
			}
		}
	}
	return out
}

// Now asks for an exchange at once.
func (s *sheetSync) Now() {
	if m := s.now(); m != nil {
		m.Now()
	}
}

// Accept makes a hand-made edit a correction.
func (s *sheetSync) Accept(ctx context.Context, id, motivo, device string) error {
	return s.decide(func(m *mirror.Mirror) error { return m.Accept(ctx, id, motivo, device) })
}

// Reject has our values written again.
func (s *sheetSync) Reject(ctx context.Context, id, device string) error {
	return s.decide(func(m *mirror.Mirror) error { return m.Reject(ctx, id, device) })
}

// Retry has a parked event written again.
func (s *sheetSync) Retry(ctx context.Context, seq plant.Seq) error {
	return s.decide(func(m *mirror.Mirror) error { return m.Retry(ctx, seq) })
}

// decide carries out an act and names its refusals as the pages do.
func (s *sheetSync) decide(act func(*mirror.Mirror) error) error {
	m := s.now()
	if m == nil {
		return api.ErrSyncGone
	}
	err := act(m)
	var no *mirror.NotAcceptable
	switch {
	case errors.Is(err, mirror.ErrNoProposal), errors.Is(err, store.ErrNoEvent):
		return api.ErrSyncGone
	case errors.Is(err, plant.ErrVersion):
		return api.ErrSyncMoved
	case errors.As(err, &no):
		return &api.SyncRefused{Why: no.Why}
	}
	return err
}

// migrationOptions are the settings as a migration needs them; its files lie in
// the data folder.
func (s *sheetFlags) migrationOptions(c *google.Client, p *program, dir string) migration.Options {
	return migration.Options{Sheet: c, ID: s.ID, Dir: dir, Now: p.now,
		Names: migration.Names{Operaciones: s.Operaciones, Trabajadores: s.Trabajadores, Metadata: s.Metadata}}
}
