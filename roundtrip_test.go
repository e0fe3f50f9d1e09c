package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"envivo/fsm"
	"envivo/plant"
	"envivo/sheetsync"
	"envivo/sheetsync/sample"
	"envivo/sheetsync/table"
	"envivo/store/storetest"
)

// factory is a plant with the real rules, whose clock and identifiers are its own.
type factory struct {
	*storetest.Memory
	t   *testing.T
	rng *rand.Rand
	now time.Time
	// last is the spool of the last accepted command.
	last plant.Tag
}

func newFactory(t *testing.T, seed uint64) *factory {
	f := &factory{t: t, rng: rand.New(rand.NewPCG(seed, 17)), now: time.Date(2026, 5, 12, 14, 30, 0, 0, time.UTC)}
	rules := plant.DefaultRules()
	ids := rand.NewChaCha8([32]byte{byte(seed)})
	f.Memory = storetest.NewMemory(storetest.Config{
		Decide: fsm.New(rules).Decide, Evolve: fsm.Evolve, Rules: rules, Now: func() time.Time { return f.now },
		NewUUID: func() string { return uuid.Must(uuid.NewRandomFromReader(ids)).String() },
	})
	return f
}

func (f *factory) bring(b table.Book) *sheetsync.Report {
	f.t.Helper()
	r, err := sheetsync.Import(context.Background(), f, b, "prueba", f.now, false)
	if err != nil {
		f.t.Fatalf("import: %v", err)
	}
	return r
}

func (f *factory) export() table.Book {
	f.t.Helper()
	b, err := sheetsync.Export(context.Background(), f)
	if err != nil {
		f.t.Fatalf("export: %v", err)
	}
	return b
}

// corner is a part of the sample plant: every nth spool with what belongs to it.
func corner(b table.Book, nth int) table.Book {
	keep := map[string]bool{}
	var out table.Book
	for _, s := range b.Sheets {
		tag, isTag := table.ReadHeader(s.Rows[0]).Col("TAG_SPOOL")
		cut := table.Sheet{Name: s.Name, Rows: s.Rows[:1:1]}
		for i, row := range s.Rows[1:] {
			if s.Name == table.Operaciones && i%nth == 0 {
				keep[row[tag].Text] = true
			}
			if !isTag || keep[row[tag].Text] {
				cut.Rows = append(cut.Rows, row)
			}
		}
		out.Sheets = append(out.Sheets, cut)
	}
	return out
}

// act sends one command that somebody on the floor could think of.
func (f *factory) act(tags []plant.Tag) plant.Result {
	if r, ok := f.regret(); ok {
		return r
	}
	f.now = f.now.Add(time.Duration(1+f.rng.IntN(900)) * time.Second)
	pick := func(ids ...plant.WorkerID) plant.WorkerID { return ids[f.rng.IntN(len(ids))] }
	tag := tags[f.rng.IntN(len(tags))]
	s, _ := f.Snapshot().Spool(tag)
	c := plant.Command{Tag: tag, Verb: plant.Verbs()[f.rng.IntN(13)], Op: []plant.Op{plant.ARM, plant.SOLD, plant.REPARACION, plant.OpNone}[f.rng.IntN(4)],
		Worker: pick(90, 92, 96, 97, 102, 118), Destino: pick(90, 92, 96, 102), Door: plant.Door(f.rng.IntN(4)), Motivo: "fin de turno", Texto: "=ojo con la brida",
		Supervisor: true, Resultado: []plant.Resultado{plant.Rechazado, plant.Rechazado, plant.Aprobado}[f.rng.IntN(3)], Device: "Tablet 3"}
	if !s.Hold.Free() && c.Verb == plant.Relevar {
		f.now = f.now.Add(time.Hour)
	} else if !s.Hold.Free() {
		c.Worker, c.Op = s.Hold.Worker.ID, s.Hold.Op
	} else if f.rng.IntN(3) > 0 {
		f.sensible(&c, &s)
	}
	for _, u := range s.Available(c.Op, f.Snapshot().Rules()) {
		if f.rng.IntN(2) == 0 {
			c.Unions = append(c.Unions, u.N)
		}
	}
	if c.Verb == plant.EditarUniones {
		c.Edits = append([]plant.Union(nil), s.Unions...)
		if n := len(c.Edits); n < 20 {
			c.Edits = append(c.Edits, plant.Union{N: n + 1, DN: 350, Tipo: []string{"BW", "FW"}[f.rng.IntN(2)]})
		}
	}
	r := f.DoAll(context.Background(), []plant.Command{c})[0]
	if f.last = tag; r.Err != nil {
		f.last = ""
	}
	return r
}

// regret takes the last command back now and then, while that is possible.
func (f *factory) regret() (plant.Result, bool) {
	s, ok := f.Snapshot().Spool(f.last)
	if f.last = ""; !ok || s.Undo == nil || f.rng.IntN(6) > 0 {
		return plant.Result{}, false
	}
	f.now = f.now.Add(time.Second)
	c := plant.Command{Verb: plant.Deshacer, Tag: s.Tag, Worker: s.Undo.Actor, Device: "Tablet 3"}
	return f.DoAll(context.Background(), []plant.Command{c})[0], true
}

// sensible is what somebody who looks at a free spool would send.
func (f *factory) sensible(c *plant.Command, s *plant.Spool) {
	switch r := f.Snapshot().Rules(); {
	case s.InQueue(r):
		c.Verb, c.Worker, c.Op = plant.Inspeccionar, 97, plant.METROLOGIA
	case s.Quality == plant.BloqueadoQ:
		c.Verb = plant.Desbloquear
	case s.Quality == plant.SinVeredicto && !s.ArmComplete(r):
		c.Verb, c.Worker, c.Op = plant.Tomar, 96, plant.ARM
	case s.Quality == plant.SinVeredicto:
		c.Verb, c.Worker, c.Op = plant.Tomar, 96, plant.SOLD
	default:
		c.Verb, c.Op = plant.Tomar, plant.REPARACION
	}
}

// carried is a spool without what a worksheet has no place for: the revision
// and the last event are the store's own, an undo lasts ten seconds, and who
// was displaced is forgotten.
func carried(s plant.Spool) plant.Spool {
	s.Order, s.Version, s.Last, s.Changed, s.Undo, s.Displaced = 0, 0, 0, time.Time{}, nil, nil
	if !s.InQueue(plant.DefaultRules()) {
		s.ReadyAt = time.Time{}
	}
	return s
}

// TestWhateverHappensExportAndImportKeepIt lets the floor do whatever it wants,
// exports, imports into an empty plant and compares.
func TestWhateverHappensExportAndImportKeepIt(t *testing.T) {
	seen := map[plant.Kind]int{}
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			a := newFactory(t, seed)
			a.bring(corner(sample.Tables(a.now), 41))
			var tags []plant.Tag
			for r := range a.Snapshot().Rows() {
				tags = append(tags, r.Spool.Tag)
			}
			for range 1500 {
				if r := a.act(tags); r.Err == nil {
					seen[r.Receipt.Event.Kind]++
				}
			}
			sameAfterwards(t, a, seed+100)
		})
	}
	for k := plant.KindTomar; k <= plant.KindUniones; k++ {
		if seen[k] < 5 {
			t.Errorf("%v happened %d times, too few to prove anything", k, seen[k])
		}
	}
}

// sameAfterwards exports a, imports that into an empty plant and compares.
func sameAfterwards(t *testing.T, a *factory, seed uint64) {
	t.Helper()
	b := newFactory(t, seed)
	b.now = a.now.Add(time.Hour)
	book := a.export()
	if r := b.bring(book); len(r.Findings) > 0 {
		t.Logf("the export is not without remarks: %+v", r.Findings[0])
	}
	if got, want := b.Snapshot().Len(), a.Snapshot().Len(); got != want {
		t.Errorf("%d spools after export and import, want %d", got, want)
	}
	for r := range a.Snapshot().Rows() {
		got, _ := b.Snapshot().Spool(r.Spool.Tag)
		if d := cmp.Diff(carried(*r.Spool), carried(got)); d != "" {
			t.Errorf("%s (%s) differs after export and import:\n%s", r.Spool.Tag, r.Spool.EstadoDetalle(a.Snapshot().Rules()), d)
		}
	}
	if d := cmp.Diff(a.Snapshot().Workers(), b.Snapshot().Workers()); d != "" {
		t.Errorf("the workers differ after export and import:\n%s", d)
	}
	if d := cmp.Diff(a.stints(), b.stints()); d != "" {
		t.Errorf("the stints differ after export and import:\n%.3000s", d)
	}
	if d := cmp.Diff(book, b.export()); d != "" {
		t.Errorf("the second export differs from the first:\n%.3000s", d)
	}
	if r := a.bring(book); r.Changed != 0 {
		t.Errorf("importing a plant's own export changed %d things", r.Changed)
	}
}

// stints are the histories of all spools, inspections included.
func (f *factory) stints() map[plant.Tag][]plant.Session {
	out := map[plant.Tag][]plant.Session{}
	for r := range f.Snapshot().Rows() {
		events, err := f.History(context.Background(), r.Spool.Tag, 0, 10_000)
		if err != nil {
			f.t.Fatal(err)
		}
		out[r.Spool.Tag] = plant.AllSessions(events)
	}
	return out
}
