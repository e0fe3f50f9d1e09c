package api

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// FuzzDrafts: whatever the file of drafts holds, what is taken of it is bounded,
// fresh and kept such that it is taken again; anything else is dropped.
func FuzzDrafts(f *testing.F) {
	now := time.Date(2026, 11, 26, 15, 0, 0, 0, time.UTC)
	for _, text := range []string{
		`{"marcas":[{"quien":91,"spool":"MK-1","uniones":["2"],"cuando":1795700000000}],"canastas":[{"quien":-91,"spools":["MK-1","MK-2"],"cuando":1795700000000}]}`,
		`{"canastas":[{"quien":1,"spools":[""],"cuando":-9223372036854775808},{"spools":null}]}`, `{"marcas":[null]}`, `[`, ``,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d := newDrafts(func() time.Time { return now })
		d.load(text)
		if len(d.ticks) > maxDrafts || len(d.baskets) > maxDrafts {
			t.Fatalf("%d ticks, %d baskets", len(d.ticks), len(d.baskets))
		}
		for who, b := range d.baskets {
			if len(b.tags) > maxBatch || b.at.After(now) || now.Sub(b.at) > draftFor {
				t.Fatalf("the basket of %d: %+v", who, b)
			}
			d.change(who, func(b *basket) { b.tags = append(b.tags, "X") })
		}
		d.dirty = true
		kept, changed := d.save()
		if !changed || !json.Valid(kept) || len(kept) > 8*len(text)+64*len(d.baskets)+64 {
			t.Fatalf("%d bytes are kept as %d: %v", len(text), len(kept), changed)
		}
		again := newDrafts(d.now)
		again.load(kept)
		for who, b := range d.baskets {
			if got := again.baskets[who]; len(b.tags) <= maxBatch && !reflect.DeepEqual(got.tags, b.tags) {
				t.Fatalf("the basket of %d was %v, now %v", who, b.tags, got.tags)
			}
		}
		for key, ticks := range d.ticks {
			if got := again.ticksOf(key.worker, key.tag); !reflect.DeepEqual(got, ticks.unions) {
				t.Fatalf("the ticks of %v were %q, now %q", key, ticks.unions, got)
			}
		}
	})
}
