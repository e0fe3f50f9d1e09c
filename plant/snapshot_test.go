package plant

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// mirror is the snapshot kept in plain maps.
type mirror struct {
	order    []Tag
	spools   map[Tag]*Spool
	workers  map[WorkerID]Worker
	held     map[WorkerID][]Tag
	settings map[string]string
}

func (m *mirror) clone() *mirror {
	c := &mirror{order: slices.Clone(m.order), spools: maps.Clone(m.spools), workers: maps.Clone(m.workers), held: map[WorkerID][]Tag{}, settings: maps.Clone(m.settings)}
	for k, v := range m.held {
		c.held[k] = slices.Clone(v)
	}
	return c
}

func (m *mirror) put(s *Spool) {
	if old, ok := m.spools[s.Tag]; ok {
		if id := old.Hold.Worker.ID; id != s.Hold.Worker.ID {
			m.held[id] = slices.DeleteFunc(m.held[id], func(t Tag) bool { return t == s.Tag })
			m.take(s)
		}
	} else {
		m.order = append(m.order, s.Tag)
		m.take(s)
	}
	m.spools[s.Tag] = s
}

func (m *mirror) take(s *Spool) {
	if id := s.Hold.Worker.ID; id != 0 {
		m.held[id] = append(m.held[id], s.Tag)
	}
}

func (m *mirror) compare(t *rapid.T, s *Snapshot) {
	var order []Tag
	byEstado := map[Estado][]Tag{}
	for r := range s.Rows() {
		order = append(order, r.Spool.Tag)
		if m.spools[r.Spool.Tag] != r.Spool {
			t.Fatalf("row of %s is not the spool that was put", r.Spool.Tag)
		}
		byEstado[r.Spool.Estado(s.Rules())] = append(byEstado[r.Spool.Estado(s.Rules())], r.Spool.Tag)
	}
	if !slices.Equal(order, m.order) || s.Len() != len(m.order) {
		t.Fatalf("order = %v, want %v", order, m.order)
	}
	for _, e := range Estados() {
		var got []Tag
		for r := range s.In(e) {
			got = append(got, r.Spool.Tag)
		}
		if !slices.Equal(got, byEstado[e]) || s.Count(e) != len(got) {
			t.Fatalf("In(%s) = %v (count %d), want %v", e, got, s.Count(e), byEstado[e])
		}
	}
	for id := WorkerID(1); id < 8; id++ {
		if got := s.Held(id); !slices.Equal(got, m.held[id]) {
			t.Fatalf("Held(%d) = %v, want %v", id, got, m.held[id])
		}
		w, ok := s.Worker(id)
		if want, known := m.workers[id]; ok != known || w != want {
			t.Fatalf("Worker(%d) = %v %v, want %v %v", id, w, ok, want, known)
		}
	}
	for k := range m.settings {
		if s.Setting(k) != m.settings[k] {
			t.Fatalf("Setting(%s) = %q, want %q", k, s.Setting(k), m.settings[k])
		}
	}
}

// Every snapshot, old ones included, keeps showing what it showed when it was
// made, however many changes are derived from it later.
func TestSnapshotsShareButNeverChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snap, m := NewSnapshot(DefaultRules(), "e"), &mirror{spools: map[Tag]*Spool{}, workers: map[WorkerID]Worker{}, held: map[WorkerID][]Tag{}, settings: map[string]string{}}
		type version struct {
			s *Snapshot
			m *mirror
		}
		var past []version
		for range rapid.IntRange(1, 12).Draw(t, "commits") {
			past = append(past, version{snap, m})
			m = m.clone()
			c := snap.Change()
			for range rapid.IntRange(1, 40).Draw(t, "changes") {
				switch rapid.IntRange(0, 9).Draw(t, "what") {
				case 0:
					w := Worker{ID: WorkerID(rapid.IntRange(1, 7).Draw(t, "id")), Nombre: rapid.SampledFrom([]string{"Ana", "Bruno"}).Draw(t, "name")}
					for _, tag := range m.held[w.ID] { // their rows are derived anew
						sp := *m.spools[tag]
						m.spools[tag] = &sp
					}
					m.workers[w.ID] = w
					c.PutWorker(w)
					for _, tag := range m.held[w.ID] {
						got, _ := c.Spool(tag)
						sp := &got
						c.PutSpool(sp)
						m.spools[tag] = sp
					}
				case 1:
					st := Setting{Key: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key"), Value: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "value")}
					c.PutSetting(st)
					m.settings[st.Key] = st.Value
				default:
					sp := &Spool{Tag: Tag(fmt.Sprintf("T-%03d", rapid.IntRange(0, 300).Draw(t, "tag"))), Version: rapid.Uint64().Draw(t, "v")}
					sp.Office.Materiales = Date(rapid.IntRange(0, 1).Draw(t, "materials"))
					sp.Quality = Quality(rapid.IntRange(0, 6).Draw(t, "quality"))
					if id := WorkerID(rapid.IntRange(0, 7).Draw(t, "holder")); id != 0 {
						sp.Hold = Hold{Worker: Person{ID: id, Display: "X"}, Op: ARM}
					}
					c.PutSpool(sp)
					m.put(sp)
				}
			}
			snap = c.Done(snap.Seq+1, [32]byte{})
			m.compare(t, snap)
		}
		for _, v := range past {
			v.m.compare(t, v.s)
		}
	})
}

func TestRowIgnoresCase(t *testing.T) {
	c := NewSnapshot(DefaultRules(), "e").Change()
	c.PutSpool(&Spool{Tag: "Mk-1a"})
	s := c.Done(1, [32]byte{})
	for _, tag := range []Tag{"Mk-1a", "MK-1A", "mk-1a"} {
		if r, ok := s.Row(tag); !ok || r.Spool.Tag != "Mk-1a" {
			t.Errorf("Row(%s) = %v %v, want the Sheet's spelling", tag, r, ok)
		}
	}
	if _, ok := s.Row("MK-1"); ok {
		t.Error("Row(MK-1) finds a spool by a part of its tag")
	}
}

func TestSearchTextNamesTheHolder(t *testing.T) {
	c := NewSnapshot(DefaultRules(), "e").Change()
	c.PutWorker(Worker{ID: 12, Nombre: "Ángela", Apellido: "Núñez"})
	c.PutSpool(&Spool{Tag: "MK-1346-TW-28082-010", Office: Office{NV: "NV 0123"}, Progress: Progress{Hold: Hold{Worker: Person{ID: 12, Display: "ÁN(12)"}}}})
	s := c.Done(1, [32]byte{})
	r, _ := s.Row("MK-1346-TW-28082-010")
	for _, want := range []string{"2808201", "nv0123", "angelanunez", "an(12)"} {
		if !strings.Contains(r.Search, want) {
			t.Errorf("search text %q lacks %q", r.Search, want)
		}
	}
	c = s.Change()
	c.PutWorker(Worker{ID: 12, Nombre: "Angélica", Apellido: "Núñez"})
	r, _ = c.Done(2, [32]byte{}).Row("MK-1346-TW-28082-010")
	if !strings.Contains(r.Search, "angelica") {
		t.Errorf("search text %q keeps a worker's former name", r.Search)
	}
}

func BenchmarkChangeOneOf10000(b *testing.B) {
	c := NewSnapshot(DefaultRules(), "e").Change()
	for i := range 10_000 {
		c.PutSpool(&Spool{Tag: Tag(fmt.Sprintf("MK-1346-TW-%05d-010", i))})
	}
	s := c.Done(1, [32]byte{})
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		c := s.Change()
		sp, _ := c.Spool(Tag(fmt.Sprintf("MK-1346-TW-%05d-010", i%10_000)))
		sp.Version++
		sp.Hold = Hold{Worker: Person{ID: WorkerID(1 + i%50), Display: "AB(1)"}, Op: ARM}
		c.PutSpool(&sp)
		s = c.Done(s.Seq+1, [32]byte{})
	}
}

func TestPositionNumbersRows(t *testing.T) {
	c := NewSnapshot(DefaultRules(), "e").Change()
	for i := range 300 {
		c.PutSpool(&Spool{Tag: Tag(fmt.Sprintf("MK-%d", i))})
	}
	c.PutSpool(&Spool{Tag: "MK-7", Version: 2})
	s := c.Done(1, [32]byte{})
	i := 0
	for r := range s.Rows() {
		if got, ok := s.Position(r.Spool.Tag); got != i || !ok {
			t.Fatalf("Position(%s) = %d %v, want %d", r.Spool.Tag, got, ok, i)
		}
		i++
	}
	if _, ok := s.Position("MK-300"); ok {
		t.Error("Position finds a spool that is not there")
	}
}
