package store

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"envivo/plant"
)

// CheckOptions say under which rules a file is examined.
type CheckOptions struct {
	Evolve func(plant.Spool, plant.Event) plant.Spool
	Rules  plant.Rules
	// Legal names what is wrong with a state the rules do not know; nil accepts
	// every state.
	Legal func(*plant.Spool) error
	// At asks for the chain's link at one event, for a code on paper.
	At plant.Seq
}

// Report is what an examination found.
type Report struct {
	Schema  uint32    `json:"schema"`
	Env     string    `json:"env"`
	Epoch   string    `json:"epoch"`
	Created time.Time `json:"created"`
	Seq     plant.Seq `json:"seq"`
	Head    string    `json:"head"`
	// At is the link that CheckOptions.At asked for, empty when nobody did.
	At         string    `json:"at,omitempty"`
	Checkpoint plant.Seq `json:"checkpoint"`
	Cursor     plant.Seq `json:"cursor"`
	Parked     int       `json:"parked"`
	Spools     int       `json:"spools"`
	Held       int       `json:"held"`
	Workers    int       `json:"workers"`
	// Notes are facts that are no violation, such as the trace of a crash.
	Notes []string `json:"notes,omitempty"`
	// Violation is the first thing that is wrong, nil when nothing is.
	Violation *Violation `json:"violation,omitempty"`
}

// Violation is one broken promise.
type Violation struct {
	// Seq is the journal record; 0 when no single one is to blame.
	Seq  plant.Seq `json:"seq,omitempty"`
	Tag  plant.Tag `json:"tag,omitempty"`
	What string    `json:"what"`
}

// Error makes a violation an error.
func (v *Violation) Error() string {
	switch {
	case v.Seq != 0 && v.Tag != "":
		return fmt.Sprintf("event %d (%s): %s", v.Seq, v.Tag, v.What)
	case v.Seq != 0:
		return fmt.Sprintf("event %d: %s", v.Seq, v.What)
	case v.Tag != "":
		return fmt.Sprintf("%s: %s", v.Tag, v.What)
	}
	return v.What
}

// Err is the violation as an error, nil when there is none.
func (r *Report) Err() error {
	if r.Violation == nil {
		return nil
	}
	return r.Violation
}

// Check examines a file that nobody has open: pages, every record, the chain
// from its beginning, numbers without gaps, versions that grow by one, and that
// the checkpoint with its replay is the fold of the journal. What is wrong with
// the file is in the report; the error says why it could not be examined
// (ErrMissing, ErrLocked, ErrForeign, ErrNewer).
func Check(path string, o CheckOptions) (Report, error) {
	var r Report
	torn, err := structure(path)
	if err == nil && torn {
		r.Notes = append(r.Notes, "one of the two meta pages is not valid: the last transaction was cut off, or the page was damaged")
	}
	var db *bolt.DB
	if err == nil {
		db, err = openFile(path, true, 0)
	}
	if err == nil {
		err = guarded(func() error { return db.View(func(tx *bolt.Tx) error { return o.examine(tx, &r, torn) }) })
		err = errors.Join(err, db.Close())
	}
	var v *Violation
	switch {
	case errors.As(err, &v):
		r.Violation, err = v, nil
	case errors.Is(err, ErrDamaged):
		r.Violation, err = &Violation{What: err.Error()}, nil
	}
	return r, err
}

// structure walks the pages before anybody maps them.
func structure(path string) (torn bool, err error) {
	f, err := openRegular(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	m, torn, err := metas(f, path)
	if err != nil {
		return torn, err
	}
	return torn, walk(f, m)
}

func (o CheckOptions) examine(tx *bolt.Tx, r *Report, torn bool) error {
	crooked := pages(tx, torn)
	m, err := readFileMeta(tx)
	if err != nil {
		return errors.Join(crooked, err)
	}
	r.Schema, r.Env, r.Epoch, r.Created = m.schema, m.env, m.epoch, m.created
	r.Seq, r.Head, r.Checkpoint, r.Cursor = plant.Seq(m.head.Seq), hex.EncodeToString(m.head.Link), plant.Seq(m.head.Checkpoint), plant.Seq(m.head.Cursor)
	a := &audit{o: o, fold: fold{evolve: o.Evolve, taken: map[plant.Tag]plant.Seq{}}, change: plant.NewSnapshot(o.Rules, m.epoch).Change()}
	if err := a.walk(tx); err != nil { // it names the record, which a page's number does not
		return err
	}
	if crooked != nil {
		return crooked
	}
	if o.At > 0 && o.At <= a.seq {
		l, err := linkAtSeq(tx, o.At)
		if err != nil {
			return err
		}
		r.At = hex.EncodeToString(l[:])
	}
	if a.seq != plant.Seq(m.head.Seq) || a.tip != m.head.link() {
		return &Violation{Seq: a.seq + 1, What: fmt.Sprintf("the journal ends at %d, the last transaction left it at %d", a.seq, m.head.Seq)}
	}
	l := &loader{evolve: o.Evolve, rules: o.Rules, epoch: m.epoch}
	if err := l.read(tx); err != nil {
		return err
	}
	folded := a.change.Done(a.seq, a.tip)
	r.Spools, r.Workers = folded.Len(), len(folded.Workers())
	for _, p := range l.outbox.parked {
		if !p.Retry {
			r.Parked++
		}
	}
	if err := a.sameRows(folded, l); err != nil {
		return err
	}
	r.Held, err = sameHolders(folded, l.snap)
	return err
}

// pages touches every page that is in use, here, where a fault is survived,
// before bbolt's own check does so in a goroutine of its own. That check wants
// a sound header on both meta pages and gives up on a torn one; a start mends it.
func pages(tx *bolt.Tx, torn bool) error {
	err := tx.ForEach(func(_ []byte, b *bolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			_, _ = bytes.IndexByte(k, 0), bytes.IndexByte(v, 0)
			return nil
		})
	})
	if err != nil {
		return err
	}
	var first error
	for err := range tx.Check() { // drained, else its goroutine outlives the transaction
		if first == nil && !(torn && aboutMeta(err)) {
			first = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return first
}

// aboutMeta reports whether bbolt's check stumbled over the header of a meta page.
func aboutMeta(err error) bool {
	return slices.ContainsFunc([]string{"Page expected to be: 0,", "Page expected to be: 1,", "page 0: has unexpected type", "page 1: has unexpected type"},
		func(part string) bool { return strings.Contains(err.Error(), part) })
}

// audit walks the journal from the beginning.
type audit struct {
	o      CheckOptions
	fold   fold
	change *plant.Change
	seq    plant.Seq
	tip    link
	at     time.Time
}

func (a *audit) walk(tx *bolt.Tx) error {
	const chunk = 4096
	for {
		raw := collect(tx, a.seq, chunk)
		if len(raw) == 0 {
			break
		}
		base := a.seq
		entries, errs := make([]entry, len(raw)), make([]error, len(raw))
		if err := inParallel(len(raw), func(i int) error {
			entries[i], errs[i] = decodeEntry(base+1+plant.Seq(i), raw[i].value)
			return nil
		}); err != nil {
			return err
		}
		for i := range raw {
			if err := a.record(raw[i], &entries[i], errs[i]); err != nil {
				return err
			}
		}
	}
	if n := tx.Bucket(bucketJournal).Stats().KeyN; n != int(a.seq) {
		return &Violation{What: fmt.Sprintf("%d records, but the last is %d", n, a.seq)}
	}
	return nil
}

// record examines one journal record and applies it.
func (a *audit) record(raw pair, x *entry, err error) error {
	want := a.seq + 1
	bad := func(format string, args ...any) error {
		return &Violation{Seq: want, Tag: x.event.Tag, What: fmt.Sprintf(format, args...)}
	}
	if !bytes.Equal(raw.key, seqKey(want)) {
		return bad("missing: the next record has key %x", raw.key)
	}
	if err != nil {
		return bad("not readable: %v", err)
	}
	tip := chain(a.tip, raw.value)
	e := &x.event
	switch {
	case tip != x.link:
		return bad("does not continue the chain: this record or the one before was changed")
	case e.Prev != a.seq:
		return bad("names %d as the event before", e.Prev)
	case e.At.Before(a.at):
		return bad("is older than the event before")
	}
	fx := a.fold.next(a.change, e)
	if err := a.effect(e, fx, bad); err != nil {
		return err
	}
	a.fold.put(a.change, e, fx)
	a.fold.hold(fx)
	a.seq, a.tip, a.at = want, tip, e.At
	return nil
}

// effect examines what an event does to its spool.
func (a *audit) effect(e *plant.Event, x effect, bad func(string, ...any) error) error {
	if x.after == nil {
		return nil
	}
	history := e.Import != nil && len(e.Import.History) > 0
	grown := x.after.Version == x.before.Version+1 || history && x.after.Version == x.before.Version
	takes := e.Kind == plant.KindTomar || e.Kind == plant.KindTomarReparacion
	switch {
	case e.PrevTag != x.before.Last:
		return bad("names %d as the spool's event before, not %d", e.PrevTag, x.before.Last)
	case !grown:
		return bad("brings version %d after %d", x.after.Version, x.before.Version)
	case e.Version != x.after.Version:
		return bad("says version %d, its effect has %d", e.Version, x.after.Version)
	case takes && !x.before.Hold.Free():
		return bad("gives the spool to %s while %s has it", x.after.Hold.Worker.Display, x.before.Hold.Worker.Display)
	}
	if a.o.Legal != nil {
		if err := a.o.Legal(x.after); err != nil {
			return bad("leaves a state outside the rules: %v", err)
		}
	}
	return nil
}

// sameRows compares the fold of the whole journal with what a start would load.
func (a *audit) sameRows(folded *plant.Snapshot, l *loader) error {
	loaded := slices.Collect(l.snap.Rows())
	if len(loaded) != folded.Len() {
		return &Violation{What: fmt.Sprintf("the checkpoint with its replay has %d spools, the journal %d", len(loaded), folded.Len())}
	}
	i := -1
	for want := range folded.Rows() {
		i++
		got := loaded[i].Spool
		w, err := seal(&rowRec{Spool: toSpoolRec(want.Spool), Taken: uint64(a.fold.taken[want.Spool.Tag])})
		if err != nil {
			return err
		}
		g, err := seal(&rowRec{Spool: toSpoolRec(got), Taken: uint64(l.fold.taken[got.Tag])})
		if err != nil {
			return err
		}
		if !bytes.Equal(w, g) {
			return &Violation{Seq: want.Spool.Last, Tag: want.Spool.Tag,
				What: fmt.Sprintf("the stored state (version %d) is not the fold of its events (version %d)", got.Version, want.Spool.Version)}
		}
	}
	if !slices.Equal(folded.Workers(), l.snap.Workers()) {
		return &Violation{What: "the stored workers are not the fold of their events"}
	}
	if !maps.Equal(settings(folded), settings(l.snap)) {
		return &Violation{What: "the stored settings are not the fold of their events"}
	}
	return nil
}

func settings(s *plant.Snapshot) map[string]string {
	m := map[string]string{}
	for _, k := range s.Settings("") {
		m[k] = s.Setting(k)
	}
	return m
}

// sameHolders compares what spools say about their holders with what the index
// of holders says, and counts the holds.
func sameHolders(folded, loaded *plant.Snapshot) (held int, err error) {
	mine := map[plant.WorkerID]int{}
	for r := range loaded.Rows() {
		if r.Spool.Hold.Free() {
			continue
		}
		held++
		if id := r.Spool.Hold.Worker.ID; id != 0 {
			mine[id]++
			if !slices.Contains(loaded.Held(id), r.Spool.Tag) {
				return held, &Violation{Seq: r.Spool.Last, Tag: r.Spool.Tag, What: fmt.Sprintf("worker %d has it, but it is not in the worker's list", id)}
			}
		}
	}
	for id, n := range mine {
		if len(loaded.Held(id)) != n || !slices.Equal(loaded.Held(id), folded.Held(id)) {
			return held, &Violation{What: fmt.Sprintf("worker %d: the list of spools held is %v, want %v", id, loaded.Held(id), folded.Held(id))}
		}
	}
	return held, nil
}

// Check examines a consistent copy of the store while it is running.
func (b *Bolt) Check(ctx context.Context, legal func(*plant.Spool) error) (Report, error) {
	b.copying.Lock()
	defer b.copying.Unlock()
	tmp, err := b.copyTo(ctx, filepath.Dir(b.path))
	if err != nil {
		return Report{}, fmt.Errorf("copy the store: %w", err)
	}
	defer os.Remove(tmp)
	return b.prove(ctx, tmp, legal)
}
