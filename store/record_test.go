package store_test

import (
	"context"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"envivo/plant"
	"envivo/store"
	"envivo/store/storetest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// fill sets everything that v holds to something that is not its zero value,
// each time something else.
func fill(t *testing.T, v reflect.Value, n *int64) {
	t.Helper()
	*n++
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(*n)
	case reflect.Uint8:
		v.SetUint(uint64(*n%200) + 1)
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.String:
		v.SetString("texto ñ " + time.Duration(*n).String())
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(t, v.Index(i), n)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1_780_000_000+*n, *n).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(t, v.Field(i), n)
		}
	default:
		t.Fatalf("nobody knows how to fill a %v", v.Type())
	}
}

// Every field of an event, and of all it carries, is on disk: one that plant
// gains and the records lack would be lost at the next start.
func TestNoFieldOfAnEventIsForgotten(t *testing.T) {
	var full plant.Event
	n := int64(0)
	fill(t, reflect.ValueOf(&full).Elem(), &n)
	full.Tag, full.Import.Spool.Tag, full.Import.Worker.ID = "A-1", "A-1", 7
	full.Import.Spool.Unions[0].N, full.Import.Spool.Unions[1].N = 1, 2
	o := toyOptions()
	o.Decide = func(_ plant.View, c plant.Command, now time.Time) (plant.Event, error) {
		e := full
		e.At, e.ID = now, c.UUID
		return e, nil
	}
	path := dbPath(t)
	st := open(t, path, o)
	want := must(t, st, plant.Command{ID: "k", Verb: plant.Importar, Tag: "A-1"})
	before := st.Snapshot()
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	st = open(t, path, o)
	got, err := st.Events(context.Background(), 0, 10)
	if err != nil || len(got) != 1 {
		t.Fatalf("the reopened store has %d events, %v; want the one", len(got), err)
	}
	if d := cmp.Diff(want, got[0]); d != "" {
		t.Errorf("the event came back changed (-committed +read):\n%s", d)
	}
	if d := storetest.Diff(before, st.Snapshot()); d != "" {
		t.Errorf("the reopened store differs:\n%s", d)
	}
}

// What the first version wrote is written to the same bytes today, so every
// old file is read as it was meant: new fields took new numbers.
func TestTheBytesOfOldEventsStay(t *testing.T) {
	path := dbPath(t)
	st, err := store.Open(path, toyOptions())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []plant.Command{
		storetest.Hire(1, "Ana"), storetest.Bring("MK-1", 3), storetest.Take("k1", "MK-1", 1), storetest.Pause("k2", "MK-1", 1, 1, 3),
		storetest.Note("k3", "MK-1", "ojo"), storetest.Set("pin", "x"),
		{Verb: plant.Importar, Tag: "MK-1", Import: &plant.Import{Office: &plant.Office{NV: "7"}, Damaged: []string{"Armador"}, SetDamaged: true,
			History: []plant.MetadataRow{{ID: "a", EventoTipo: "TOMAR_SPOOL", Order: 2}}}},
	} {
		must(t, st, c)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var b strings.Builder
	if err := db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("journal")).ForEach(func(_, v []byte) error {
			b.WriteString(hex.EncodeToString(v) + "\n")
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "journal-v1.hex")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("the journal of old events changed (-old +new):\n%s", d)
	}
}

// The office may empty the notes, which is not the same as leaving them.
func TestEmptiedNotesAreNotNotesLeftAlone(t *testing.T) {
	path, none := dbPath(t), ""
	st := open(t, path, toyOptions())
	must(t, st, storetest.Bring("MK-1", 0))
	must(t, st, storetest.Note("k", "MK-1", "ojo"))
	must(t, st, plant.Command{Verb: plant.Importar, Tag: "MK-1", Import: &plant.Import{Notas: &none}})
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	st = open(t, path, toyOptions())
	events, err := st.Events(context.Background(), 2, 1)
	if err != nil || len(events) != 1 || events[0].Import == nil || events[0].Import.Notas == nil || *events[0].Import.Notas != "" {
		t.Errorf("the event came back as %+v, %v; want the notes emptied", events, err)
	}
	if sp, _ := st.Snapshot().Spool("MK-1"); sp.Notas != "" {
		t.Errorf("notes = %q after the start, want none", sp.Notas)
	}
}
