package storetest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/google/go-cmp/cmp"

	"envivo/plant"
)

// image is a snapshot as plain data.
type image struct {
	Seq      plant.Seq
	Head     [32]byte
	Spools   []plant.Spool
	Search   []string
	Counts   map[string]int
	Workers  []plant.Worker
	Held     map[plant.WorkerID][]plant.Tag
	Settings map[string]string
}

func imageOf(s *plant.Snapshot) image {
	m := image{Seq: s.Seq, Head: s.Head, Workers: s.Workers(), Counts: map[string]int{}, Held: map[plant.WorkerID][]plant.Tag{}, Settings: map[string]string{}}
	for r := range s.Rows() {
		m.Spools = append(m.Spools, *r.Spool)
		m.Search = append(m.Search, r.Search)
		if id := r.Spool.Hold.Worker.ID; id != 0 {
			m.Held[id] = slices.Clone(s.Held(id))
		}
	}
	for _, e := range plant.Estados() {
		m.Counts[e.String()] = s.Count(e)
	}
	for _, k := range s.Settings("") {
		m.Settings[k] = s.Setting(k)
	}
	maps.DeleteFunc(m.Counts, func(_ string, n int) bool { return n == 0 })
	return m
}

// Diff says where two snapshots differ in anything a reader can see, the epoch
// aside; empty when they do not.
func Diff(want, got *plant.Snapshot) string {
	return cmp.Diff(imageOf(want), imageOf(got))
}

// Reached reports whether a snapshot shows an event.
func Reached(s *plant.Snapshot, e plant.Event) error {
	if s.Seq < e.Seq {
		return fmt.Errorf("the snapshot is at %d, the event is %d", s.Seq, e.Seq)
	}
	if sp, ok := s.Spool(e.Tag); e.Tag != "" && (!ok || sp.Last < e.Seq) {
		return fmt.Errorf("the snapshot's %s is at event %d, want %d", e.Tag, sp.Last, e.Seq)
	}
	return nil
}
