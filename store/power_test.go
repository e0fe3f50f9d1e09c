package store_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"envivo/plant"
	"envivo/store"
	"envivo/store/storetest"
)

// nightlyEnv, when set, lets the power fail at every point of the recorded day
// instead of at some.
const nightlyEnv = "ENVIVO_NIGHTLY"

// tape is a recorded life of a store.
type tape struct {
	base    []byte // the file when the recording began, all of it on the platter
	page    int64
	strokes []stroke
	heads   map[plant.Seq]string // the end of the chain after each commit
}

// record runs a day on a store with a disk under it.
func record(t *testing.T, o store.Options, day func(*tape, *store.Bolt, *disk)) *tape {
	t.Helper()
	path := dbPath(t)
	st, err := store.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	d := layDisk(t, st)
	tp := &tape{page: d.page, heads: map[plant.Seq]string{0: ""}}
	if tp.base, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	day(tp, st, d)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	tp.strokes = d.strokes()
	return tp
}

// note remembers what somebody was told and where the chain ended then.
func (tp *tape) note(st *store.Bolt, d *disk) {
	snap := st.Snapshot()
	tp.heads[snap.Seq] = hex.EncodeToString(snap.Head[:])
	d.answered(snap.Seq)
}

// mixedDay has every kind of transaction: single commands, groups, workers,
// settings, the outbox, checkpoint rows along with events, and the closing.
func mixedDay(t *testing.T, tags int) func(*tape, *store.Bolt, *disk) {
	return func(tp *tape, st *store.Bolt, d *disk) {
		ctx := context.Background()
		do := func(cmds ...plant.Command) {
			t.Helper()
			for _, r := range st.DoAll(ctx, cmds) {
				if r.Err != nil {
					t.Fatal(r.Err)
				}
			}
			tp.note(st, d)
		}
		do(storetest.Hire(1, "Ana"), storetest.Hire(2, "Luis"))
		for i := range tags {
			tag := plant.Tag(fmt.Sprintf("MK-%03d", i))
			do(storetest.Bring(tag, 3))
			do(storetest.Take(plant.CommandID(fmt.Sprint("k", i)), tag, 1))
			do(storetest.Note("", tag, "una nota"), storetest.Pause("", tag, 1), storetest.Take("", tag, 2))
			if i%5 != 0 {
				continue
			}
			do(storetest.Set("turno", fmt.Sprint(i)))
			if err := st.Ack(ctx, st.Snapshot().Seq-1); err != nil {
				t.Fatal(err)
			}
			if err := st.Park(ctx, st.Snapshot().Seq, "sin fila"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// image is a file as the power cut leaves it.
type image struct {
	name  string
	told  plant.Seq // the newest event that somebody was told about
	bytes []byte
}

// cuts walks the tape and gives the images of every moment between two syncs.
func (tp *tape) cuts(rng *rand.Rand, every bool, yield func(image) bool) {
	durable := bytes.Clone(tp.base)
	var pending []stroke
	told := plant.Seq(0)
	for _, s := range tp.strokes {
		switch s.kind {
		case anAnswer:
			told = s.seq
		case aWrite:
			pending = append(pending, s)
		case aSync:
			if !tp.moment(rng, every, told, durable, pending, yield) {
				return
			}
			for _, s := range pending {
				durable = laid(durable, s.off, s.data)
			}
			pending = pending[:0]
		}
	}
}

// moment gives the images of one set of un-synced writes: nothing, all, any
// prefix, a prefix whose last page is torn, and pages that overtook each other.
func (tp *tape) moment(rng *rand.Rand, every bool, told plant.Seq, durable []byte, pending []stroke, yield func(image) bool) bool {
	give := func(name string, b []byte) bool { return yield(image{name, told, b}) }
	torn := tears()
	for n := range len(pending) + 1 {
		if !every && n > 0 && n < len(pending) && rng.IntN(3) > 0 {
			continue
		}
		prefix := bytes.Clone(durable)
		for _, s := range pending[:n] {
			prefix = laid(prefix, s.off, s.data)
		}
		if !give(fmt.Sprintf("%d of %d writes", n, len(pending)), prefix) {
			return false
		}
		for i, tear := range torn {
			if n == len(pending) || !every && i != rng.IntN(len(torn)) {
				continue
			}
			s := pending[n]
			old := make([]byte, len(s.data))
			copy(old, prefix[min(int(s.off), len(prefix)):])
			if !give(fmt.Sprintf("%d of %d writes and the next one %s", n, len(pending), tear.name), laid(bytes.Clone(prefix), s.off, tear.do(rng, old, s.data))) {
				return false
			}
		}
	}
	for range 3 {
		some := bytes.Clone(durable)
		for _, i := range rng.Perm(len(pending)) {
			if s := pending[i]; rng.IntN(2) == 0 {
				some = laid(some, s.off, s.data)
			}
		}
		if !give(fmt.Sprintf("some of %d writes in any order", len(pending)), some) {
			return false
		}
	}
	return true
}

type tear struct {
	name string
	do   func(rng *rand.Rand, old, page []byte) []byte
}

// tears are the ways in which a page can be caught in the middle.
func tears() []tear {
	return []tear{
		{"half written", func(_ *rand.Rand, old, page []byte) []byte {
			return append(bytes.Clone(page[:len(page)/2]), old[len(page)/2:]...)
		}},
		{"cut after its first words", func(_ *rand.Rand, old, page []byte) []byte {
			return append(bytes.Clone(page[:metaSum]), old[metaSum:]...)
		}},
		{"zeroed", func(_ *rand.Rand, _, page []byte) []byte { return make([]byte, len(page)) }},
		{"garbage", func(rng *rand.Rand, _, page []byte) []byte {
			b := make([]byte, len(page))
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
			return b
		}},
		{"with sectors missing", func(rng *rand.Rand, old, page []byte) []byte {
			const sector = 512
			b := bytes.Clone(old)
			for at := 0; at < len(b); at += sector {
				if rng.IntN(2) == 0 {
					copy(b[at:min(at+sector, len(b))], page[at:])
				}
			}
			return b
		}},
	}
}

// laid writes data into b, which grows as a file does.
func laid(b []byte, off int64, data []byte) []byte {
	if end := int(off) + len(data); end > len(b) {
		b = append(b, make([]byte, end-len(b))...)
	}
	copy(b[off:], data)
	return b
}

// survives says whether an image keeps the store's promises: sound, complete as
// far as anybody was told, nothing in it that was not commanded, and able to
// go on.
func (tp *tape) survives(dir string, m image) error {
	path := filepath.Join(dir, store.FileName)
	if err := writeImage(path, m.bytes); err != nil {
		return err
	}
	r, err := examine(path)
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if r.Seq < m.told {
		return fmt.Errorf("it ends at event %d, but somebody was told about %d", r.Seq, m.told)
	}
	if head, ok := tp.heads[r.Seq]; !ok || head != r.Head {
		return fmt.Errorf("it ends at event %d with %s, which no commit left behind", r.Seq, r.Head)
	}
	st, err := store.Open(path, toyOptions())
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	_, err = st.Do(context.Background(), storetest.Bring("NEW-1", 0))
	if err := errors.Join(err, st.Close()); err != nil {
		return fmt.Errorf("go on: %w", err)
	}
	if r, err = examine(path); err != nil {
		return fmt.Errorf("check after going on: %w", err)
	}
	if len(r.Notes) > 0 {
		return fmt.Errorf("after going on there is still to note: %v", r.Notes)
	}
	return nil
}

// writeImage makes the file with room behind what was written, as bbolt had
// made it before it wrote.
func writeImage(path string, b []byte) error {
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return err
	}
	return os.Truncate(path, int64(len(b)+1<<20))
}

// TestPowerCutKeepsWhatWasSaid lets the power fail between any two syncs of a
// recorded day.
func TestPowerCutKeepsWhatWasSaid(t *testing.T) {
	every, tags := os.Getenv(nightlyEnv) != "", 5
	if every {
		tags = 60
	}
	o := toyOptions()
	o.Replay = 8 // rows of the checkpoint go along with events
	tp := record(t, o, mixedDay(t, tags))
	dir, n := t.TempDir(), 0
	tp.cuts(rand.New(rand.NewPCG(1, 2)), every, func(m image) bool {
		n++
		if err := tp.survives(dir, m); err != nil {
			t.Errorf("image %d, %s, event %d told: %v", n, m.name, m.told, err)
		}
		return !t.Failed()
	})
	if n < 100 {
		t.Errorf("%d images of %d strokes are too few to say anything", n, len(tp.strokes))
	}
	t.Logf("%d images of %d strokes", n, len(tp.strokes))
}

// TestAnswerBeforeCommitLosesInAPowerCut proves that a store which says yes too
// early would be caught by the images.
func TestAnswerBeforeCommitLosesInAPowerCut(t *testing.T) {
	o := toyOptions()
	o.Faults = &store.Faults{AnswerBeforeCommit: true, At: stall(store.BeforeCommit)}
	tp := record(t, o, func(tp *tape, st *store.Bolt, d *disk) {
		r, err := st.Do(context.Background(), storetest.Bring("A-1", 0))
		if err != nil {
			t.Fatal(err)
		}
		d.answered(r.Event.Seq)
	})
	dir, lost := t.TempDir(), 0
	tp.cuts(rand.New(rand.NewPCG(5, 6)), true, func(m image) bool {
		if err := tp.survives(dir, m); err != nil {
			lost++
		}
		return true
	})
	if lost == 0 {
		t.Error("a yes before the disk said so lost nothing in any image")
	}
}
