package ws

import (
	"context"
	"testing"

	"envivo/plant"
	"envivo/store/storetest"
)

// counting counts the readings of a journal.
type counting struct {
	Source
	n int
}

func (c *counting) Events(ctx context.Context, after plant.Seq, limit int) ([]plant.Event, error) {
	c.n++
	return c.Source.Events(ctx, after, limit)
}

// Long runs of settings are passed over by pages, and what stands before them
// is found whatever the length of the run.
func TestTheEventBeforeARunOfSettingsIsFoundByPages(t *testing.T) {
	for _, run := range []int{0, 1, 2, journalPage, journalPage + 1, 3*journalPage + 7} {
		b := newBox(t, func(*Hub) {})
		b.notes(3)
		want := b.store.Snapshot().Seq
		for i := range run {
			b.do(storetest.Set("pin", string(rune('a'+i%7))+string(rune('a'+i%11))))
		}
		src := &counting{Source: b.store}
		h := &Hub{o: Options{Source: src}}
		got, err := h.streamedBefore(context.Background(), b.store.Snapshot().Seq)
		if err != nil || got != want {
			t.Errorf("before %d settings = event %d, %v; want %d", run, got, err, want)
		}
		if most := 2 + run/journalPage; src.n > most {
			t.Errorf("%d settings took %d readings, want at most %d", run, src.n, most)
		}
	}
}
