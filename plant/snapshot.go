package plant

import (
	"iter"
	"maps"
	"math/bits"
	"slices"
	"strings"
)

// Snapshot is the whole plant at one sequence number: immutable, shared by all
// readers, derived from the one before in time proportional to what changed.
type Snapshot struct {
	Seq   Seq
	Epoch string
	// Head is the hash chain's head after Seq.
	Head [32]byte

	rules    Rules
	rows     pages[*Row]
	byTag    index[string]
	people   pages[*desk]
	byWorker index[WorkerID]
	byEstado [estadoEnd]bitset
	count    [estadoEnd]int
	byOT     index[string] // the number of spools with that OT
	settings map[string]string
}

// Row is a spool in the snapshot with what is derived from it once per change.
type Row struct {
	Spool  *Spool
	Estado Estado
	Tally  Tally
	// Search is the folded text Find looks into.
	Search string
}

// desk is a worker and what the worker holds.
type desk struct {
	worker Worker
	known  bool
	held   []Tag
}

// NewSnapshot is the empty plant.
func NewSnapshot(r Rules, epoch string) *Snapshot {
	return &Snapshot{
		Epoch: epoch, rules: r, settings: map[string]string{},
		byTag: index[string]{hash: hashString}, byOT: index[string]{hash: hashString}, byWorker: index[WorkerID]{hash: func(w WorkerID) uint32 { return uint32(w) }},
	}
}

func hashString(s string) uint32 { // FNV-1a
	h := uint32(2166136261)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// Rules are the rules the derived facts were computed under.
func (s *Snapshot) Rules() Rules { return s.rules }

// Len is the number of spools.
func (s *Snapshot) Len() int { return s.rows.n }

// Row finds a spool by tag: spelling first, then ignoring case. Tags that
// differ only in case cannot both exist.
func (s *Snapshot) Row(t Tag) (*Row, bool) {
	i, ok := s.byTag.find(strings.ToUpper(string(t)))
	if !ok {
		return nil, false
	}
	return s.rows.at(i), true
}

// Spool finds a spool by tag as Row does.
func (s *Snapshot) Spool(t Tag) (Spool, bool) {
	r, ok := s.Row(t)
	if !ok {
		return Spool{}, false
	}
	return *r.Spool, true
}

func (s *Snapshot) sharedOT(ot string) bool {
	n, _ := s.byOT.find(strings.ToUpper(ot))
	return n > 1
}

// Position is a spool's row number: rows are numbered from 0 in the order in
// which they were added and keep their number for ever.
func (s *Snapshot) Position(t Tag) (int, bool) {
	return s.byTag.find(strings.ToUpper(string(t)))
}

// Rows walks all spools in the order of the Sheet.
func (s *Snapshot) Rows() iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		for _, page := range s.rows.p {
			for _, r := range page {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// In walks the spools in one state, in the order of the Sheet.
func (s *Snapshot) In(e Estado) iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		for w, word := range s.byEstado[e] {
			for ; word != 0; word &= word - 1 {
				if !yield(s.rows.at(w<<6 + bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}

// Count is the number of spools in a state.
func (s *Snapshot) Count(e Estado) int { return s.count[e] }

// Worker finds a worker of Trabajadores.
func (s *Snapshot) Worker(id WorkerID) (Worker, bool) {
	if i, ok := s.byWorker.find(id); ok {
		if d := s.people.at(i); d.known {
			return d.worker, true
		}
	}
	return Worker{}, false
}

// Held lists the tags a worker holds, in the order they were taken.
func (s *Snapshot) Held(id WorkerID) []Tag {
	if i, ok := s.byWorker.find(id); ok {
		return s.people.at(i).held
	}
	return nil
}

// Workers lists all workers by id, inactive ones included.
func (s *Snapshot) Workers() []Worker {
	out := make([]Worker, 0, s.people.n)
	for _, page := range s.people.p {
		for _, d := range page {
			if d.known {
				out = append(out, d.worker)
			}
		}
	}
	slices.SortFunc(out, func(a, b Worker) int { return int(a.ID) - int(b.ID) })
	return out
}

// Setting reads one of the store's own settings; empty when absent.
func (s *Snapshot) Setting(key string) string { return s.settings[key] }

// Settings lists the keys that begin with prefix, sorted.
func (s *Snapshot) Settings(prefix string) []string {
	var out []string
	for k := range s.settings {
		if strings.HasPrefix(k, prefix) {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// Change derives the next snapshot from s. It is used by one goroutine and
// then finished; s stays as it is. It also serves as the View of the commands
// decided together.
type Change struct {
	s        Snapshot
	rows     *editor[*Row]
	byTag    indexEditor[string]
	people   *editor[*desk]
	byWorker indexEditor[WorkerID]
	byOT     indexEditor[string]
	estado   [estadoEnd]bool // copied
	settings bool            // copied
}

// Change begins the derivation of the next snapshot.
func (s *Snapshot) Change() *Change {
	return &Change{s: *s, rows: edit(s.rows), byTag: indexEditor[string]{x: s.byTag}, byOT: indexEditor[string]{x: s.byOT},
		people: edit(s.people), byWorker: indexEditor[WorkerID]{x: s.byWorker}}
}

// Spool is the spool with the changes made so far.
func (c *Change) Spool(t Tag) (Spool, bool) {
	i, ok := c.byTag.x.find(strings.ToUpper(string(t)))
	if !ok {
		return Spool{}, false
	}
	return *c.rows.v.at(i).Spool, true
}

// Worker is the worker with the changes made so far.
func (c *Change) Worker(id WorkerID) (Worker, bool) {
	if i, ok := c.byWorker.x.find(id); ok {
		if d := c.people.v.at(i); d.known {
			return d.worker, true
		}
	}
	return Worker{}, false
}

// Held is what the worker holds with the changes made so far.
func (c *Change) Held(id WorkerID) []Tag {
	if i, ok := c.byWorker.x.find(id); ok {
		return c.people.v.at(i).held
	}
	return nil
}

// Setting is the setting's value with the changes made so far, empty for none.
func (c *Change) Setting(key string) string { return c.s.settings[key] }

// PutSpool adds or replaces a spool. The value must not be changed afterwards.
func (c *Change) PutSpool(sp *Spool) { c.PutRow(c.Row(sp)) }

// Row derives a spool's row from the workers and rules of the change, without
// putting it. It may be called concurrently while nobody changes c.
func (c *Change) Row(sp *Spool) *Row {
	return &Row{Spool: sp, Estado: sp.Estado(c.s.rules), Tally: sp.Tally(c.s.rules), Search: c.searchText(sp)}
}

// PutRow adds or replaces a spool by the row that Row made of it.
func (c *Change) PutRow(row *Row) {
	sp := row.Spool
	key := strings.ToUpper(string(sp.Tag))
	i, ok := c.byTag.x.find(key)
	if !ok {
		i = c.rows.push(row)
		c.byTag.put(key, i)
		c.mark(i, row.Estado, true)
		c.hold(sp.Hold.Worker.ID, sp.Tag, true)
		c.countOT(sp.Office.OT, 1)
		return
	}
	old := c.rows.v.at(i)
	c.rows.set(i, row)
	if old.Estado != row.Estado {
		c.mark(i, old.Estado, false)
		c.mark(i, row.Estado, true)
	}
	if a, b := old.Spool.Office.OT, sp.Office.OT; a != b {
		c.countOT(a, -1)
		c.countOT(b, 1)
	}
	if a, b := old.Spool.Hold.Worker.ID, sp.Hold.Worker.ID; a != b {
		c.hold(a, sp.Tag, false)
		c.hold(b, sp.Tag, true)
	}
}

func (c *Change) countOT(ot string, by int) {
	if ot = strings.ToUpper(strings.TrimSpace(ot)); ot == "" {
		return
	}
	n, _ := c.byOT.x.find(ot)
	c.byOT.put(ot, n+by)
}

func (c *Change) searchText(sp *Spool) string {
	var b strings.Builder
	b.WriteString(FoldKey(string(sp.Tag)))
	for _, part := range []string{sp.Office.NV, sp.Office.OT, sp.Hold.Worker.Display} {
		b.WriteByte('\n')
		b.WriteString(FoldKey(part))
	}
	if w, ok := c.Worker(sp.Hold.Worker.ID); ok && sp.Hold.Worker.ID != 0 {
		b.WriteByte('\n')
		b.WriteString(FoldKey(w.FullName()))
	}
	if sp.Notas != "" {
		b.WriteByte('\n')
		b.WriteString(FoldKey(sp.Notas))
	}
	return b.String()
}

func (c *Change) mark(i int, e Estado, on bool) {
	if !c.estado[e] {
		c.s.byEstado[e] = slices.Clone(c.s.byEstado[e])
		c.estado[e] = true
	}
	c.s.byEstado[e] = c.s.byEstado[e].with(i, on)
	if on {
		c.s.count[e]++
	} else {
		c.s.count[e]--
	}
}

func (c *Change) hold(id WorkerID, t Tag, on bool) {
	if id == 0 {
		return
	}
	d := desk{}
	i, ok := c.byWorker.x.find(id)
	if ok {
		d = *c.people.v.at(i)
	}
	held := make([]Tag, 0, len(d.held)+1)
	for _, h := range d.held {
		if h != t {
			held = append(held, h)
		}
	}
	if on {
		held = append(held, t)
	}
	d.held = held
	c.putDesk(id, i, ok, d)
}

func (c *Change) putDesk(id WorkerID, i int, ok bool, d desk) {
	if ok {
		c.people.set(i, &d)
		return
	}
	c.byWorker.put(id, c.people.push(&d))
}

// PutWorker adds or replaces a worker.
func (c *Change) PutWorker(w Worker) {
	d := desk{}
	i, ok := c.byWorker.x.find(w.ID)
	if ok {
		d = *c.people.v.at(i)
	}
	d.worker, d.known = w, true
	c.putDesk(w.ID, i, ok, d)
	for _, t := range d.held { // the name is part of their search text
		if sp, ok := c.Spool(t); ok {
			c.PutSpool(&sp)
		}
	}
}

// PutSetting sets or, with an empty value, removes a setting.
func (c *Change) PutSetting(s Setting) {
	if !c.settings {
		c.s.settings = maps.Clone(c.s.settings)
		c.settings = true
	}
	if s.Value == "" {
		delete(c.s.settings, s.Key)
		return
	}
	c.s.settings[s.Key] = s.Value
}

// Done is the new snapshot at seq with the chain's head.
func (c *Change) Done(seq Seq, head [32]byte) *Snapshot {
	out := c.s
	out.Seq, out.Head = seq, head
	out.rows, out.people = c.rows.v, c.people.v
	out.byTag, out.byWorker, out.byOT = c.byTag.x, c.byWorker.x, c.byOT.x
	return &out
}
