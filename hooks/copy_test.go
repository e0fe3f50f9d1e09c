package hooks

import (
	"log/slog"
	"path/filepath"
	"slices"
	"testing"

	"envivo/fsm"
	"envivo/plant"
	"envivo/store"
)

// TestARestoredCopyTellsNobody: a copy opened for a test has another epoch, so
// the plant's receivers hear nothing of it until somebody says so.
func TestARestoredCopyTellsNobody(t *testing.T) {
	b := newBench(t, nil)
	b.happen("A")
	b.run()
	b.arrived(1)
	b.stop()
	rules := plant.DefaultRules()
	file, dir := filepath.Join(t.TempDir(), "copy.db"), t.TempDir()
	if _, err := b.store.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(file, dir, false, store.CheckOptions{Evolve: fsm.Evolve, Rules: rules}); err != nil {
		t.Fatal(err)
	}
	copied, err := store.Open(filepath.Join(dir, store.FileName), store.Options{Decide: fsm.New(rules).Decide, Evolve: fsm.Evolve, Rules: rules,
		Now: b.clock.Now, NewUUID: func() string { return "another" }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	original := b.store
	b.store = copied
	t.Cleanup(func() {
		if err := original.Close(); err != nil {
			t.Errorf("close the original: %v", err)
		}
	})
	b.happen("B")
	s := b.run()
	for !s.States()[b.hook.ID].Paused {
		if err := b.wait(t.Context(), look); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.got) != 1 {
		t.Errorf("sent %v, want nothing from the copy", b.got)
	}
	settings := map[string]string{}
	for _, key := range copied.Snapshot().Settings(settingDone) {
		settings[key] = copied.Snapshot().Setting(key)
	}
	if !Paused(settings, b.hook.ID, copied.Epoch()) || Paused(settings, b.hook.ID, original.Epoch()) {
		t.Errorf("Paused of %v is not true in the copy alone", settings)
	}
	if got := Resume(settings, "", "yet another"); len(got) != 0 {
		t.Errorf("resuming those of another epoch changes %v", got)
	}
	for _, x := range Resume(settings, b.hook.ID, "") {
		b.set(x)
	}
	if got := b.arrived(1); !slices.Equal(got, []string{"A", "B"}) {
		t.Errorf("sent %v after the resume, want B too", got)
	}
	b.happen("C")
	b.arrived(1)
	if s.States()[b.hook.ID].Paused {
		t.Error("the hook is still paused")
	}
}
