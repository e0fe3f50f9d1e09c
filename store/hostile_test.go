package store_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"envivo/plant"
	"envivo/store"
	"envivo/store/storetest"
)

// TestEveryByteOfARecordIsGuarded flips each byte of some records where they lie
// in the file, key and value, and wants the check to name that record.
func TestEveryByteOfARecordIsGuarded(t *testing.T) {
	path := filled(t)
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bent.db")
	if err := os.WriteFile(bad, image, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(bad, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	flips := 0
	for _, seq := range []plant.Seq{1, 20, 40} { // the first, one between, the last
		record := recordOf(t, path, seq)
		at := bytes.Index(image, record)
		if at < 0 || bytes.Count(image, record) != 1 {
			t.Fatalf("record %d lies %d times in the file", seq, bytes.Count(image, record))
		}
		for i := range record {
			if _, err := f.WriteAt([]byte{record[i] ^ byte(1+i%255)}, int64(at+i)); err != nil {
				t.Fatal(err)
			}
			r, err := examine(bad)
			var v *store.Violation
			if !errors.As(err, &v) || v.Seq != seq {
				t.Errorf("byte %d of record %d changed: %v (%+v), want the record named", i, seq, err, r.Violation)
			}
			if _, err := f.WriteAt(record[i:i+1], int64(at+i)); err != nil {
				t.Fatal(err)
			}
			flips++
		}
	}
	if _, err := examine(bad); err != nil {
		t.Errorf("the file as it was: %v", err)
	}
	t.Logf("%d changed bytes, each found with its record", flips)
}

// recordOf is a journal record's key and value as they lie in the leaf.
func recordOf(t *testing.T, path string, seq plant.Seq) []byte {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	key := binary.BigEndian.AppendUint64(nil, uint64(seq))
	var out []byte
	if err := db.View(func(tx *bolt.Tx) error {
		out = append(bytes.Clone(key), tx.Bucket([]byte("journal")).Get(key)...)
		return nil
	}); err != nil || len(out) < 100 {
		t.Fatalf("record %d: %d bytes, %v", seq, len(out), err)
	}
	return out
}

// fileImage is a store's file whose pages a test bends.
type fileImage []byte

// pageSize is what bbolt takes on the machines of these tests.
const pageSize = 4096

func (m fileImage) page(id uint64) []byte { return m[id*pageSize : (id+1)*pageSize] }

// meta gives the page of the newer meta.
func (m fileImage) meta() []byte {
	n := binary.NativeEndian
	a, b := m.page(0)[16:80], m.page(1)[16:80]
	if n.Uint64(b[48:]) > n.Uint64(a[48:]) {
		return b
	}
	return a
}

// used is a store's file without the room behind its last page.
func used(t testing.TB) fileImage {
	t.Helper()
	b, err := os.ReadFile(filled(t))
	if err != nil {
		t.Fatal(err)
	}
	m := fileImage(b)
	return m[:binary.NativeEndian.Uint64(m.meta()[40:])*pageSize]
}

func (m fileImage) seal() {
	for _, b := range [][]byte{m.page(0)[16:80], m.page(1)[16:80]} {
		h := fnv.New64a()
		h.Write(b[:56])
		binary.NativeEndian.PutUint64(b[56:], h.Sum64())
	}
}

// TestHostileFilesAreRefused: files no accident makes, with sound meta pages.
func TestHostileFilesAreRefused(t *testing.T) {
	whole := used(t)
	n := binary.NativeEndian
	for name, bend := range map[string]func(m fileImage) fileImage{
		"a root that is its own child": func(m fileImage) fileImage {
			root := m.page(n.Uint64(m.meta()[16:]))
			n.PutUint16(root[8:], 1)
			n.PutUint16(root[10:], 1)
			n.PutUint64(root[16+8:], n.Uint64(m.meta()[16:]))
			return m
		},
		"a branch whose keys all lead to one page": func(m fileImage) fileImage {
			root, other := m.page(n.Uint64(m.meta()[16:])), uint64(0)
			for id := uint64(2); id < uint64(len(m)/pageSize); id++ {
				if n.Uint16(m.page(id)[8:]) == 2 && id != n.Uint64(m.meta()[16:]) {
					other = id
				}
			}
			n.PutUint16(root[8:], 1)
			n.PutUint16(root[10:], 100)
			for i := range 100 {
				n.PutUint32(root[16+16*i:], 2000)
				n.PutUint32(root[16+16*i+4:], 1)
				n.PutUint64(root[16+16*i+8:], other)
			}
			return m
		},
		"a free list of 2^60 pages": func(m fileImage) fileImage {
			free := m.page(n.Uint64(m.meta()[32:]))
			n.PutUint16(free[10:], 0xFFFF)
			n.PutUint64(free[16:], 1<<60)
			return m
		},
		"a free list that is a leaf": func(m fileImage) fileImage { n.PutUint64(m.meta()[32:], n.Uint64(m.meta()[16:])); m.seal(); return m },
		"a root beyond the end":      func(m fileImage) fileImage { n.PutUint64(m.meta()[16:], 1<<40); m.seal(); return m },
		"more pages than bytes":      func(m fileImage) fileImage { n.PutUint64(m.meta()[40:], 1<<38); m.seal(); return m },
		"a page size of 3000": func(m fileImage) fileImage {
			n.PutUint32(m.page(0)[16+8:], 3000)
			n.PutUint32(m.page(1)[16+8:], 3000)
			m.seal()
			return m
		},
		"a page of 4 billion pages":   func(m fileImage) fileImage { n.PutUint32(m.page(n.Uint64(m.meta()[16:]))[12:], 1<<32-1); return m },
		"a record beyond its page":    func(m fileImage) fileImage { n.PutUint32(m.page(n.Uint64(m.meta()[16:]))[16+12:], 1<<31); return m },
		"65,000 records in one page":  func(m fileImage) fileImage { n.PutUint16(m.page(n.Uint64(m.meta()[16:]))[10:], 65000); return m },
		"the second half is missing":  func(m fileImage) fileImage { return m[:len(m)/2] },
		"only the meta pages":         func(m fileImage) fileImage { return m[:2*pageSize] },
		"the pages in reverse":        reversed,
		"the magic of something else": func(m fileImage) fileImage { m.page(0)[16], m.page(1)[16] = 1, 1; return m },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "hostile.db")
			if err := os.WriteFile(path, bend(bytes.Clone(whole)), 0o600); err != nil {
				t.Fatal(err)
			}
			refusedEverywhere(t, path)
		})
	}
}

func reversed(m fileImage) fileImage {
	out := bytes.Clone(m[:2*pageSize])
	for id := len(m)/pageSize - 1; id >= 2; id-- {
		out = append(out, m.page(uint64(id))...)
	}
	return out
}

// refusedEverywhere wants check and restore to refuse a file, and restore to
// leave nothing behind.
func refusedEverywhere(t *testing.T, path string) {
	t.Helper()
	if _, err := examine(path); err == nil {
		t.Error("check found nothing")
	}
	dir := t.TempDir()
	c := storetest.ToyConfig(storetest.Toy{}, storetest.NewClock())
	if _, err := store.Restore(path, dir, false, store.CheckOptions{Evolve: c.Evolve, Rules: c.Rules}); err == nil {
		t.Error("restore took it")
	} else {
		t.Log(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("restore left %v behind", left)
	}
}

// bentAtRandom changes some bytes of an image, near the structures rather than
// inside the values.
func bentAtRandom(whole []byte, rng *rand.Rand) []byte {
	m := bytes.Clone(whole)
	for range 1 + rng.IntN(4) {
		page := rng.IntN(len(m) / pageSize)
		at := page*pageSize + rng.IntN([]int{16, 80, 400, pageSize}[rng.IntN(4)])
		switch rng.IntN(3) {
		case 0:
			m[at] ^= 1 << rng.IntN(8)
		case 1:
			m[at] = 0xFF
		default:
			binary.NativeEndian.PutUint16(m[min(at, len(m)-2):], uint16(rng.IntN(1<<16)))
		}
	}
	fileImage(m).seal()
	return m
}

// TestBentFilesNeverHarm: whatever is in a file, check comes back with an answer.
func TestBentFilesNeverHarm(t *testing.T) {
	whole := used(t)
	rng := rand.New(rand.NewPCG(11, 26))
	path, found := filepath.Join(t.TempDir(), "bent.db"), 0
	const files = 400
	for range files {
		if err := os.WriteFile(path, bentAtRandom(whole, rng), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := examine(path); err != nil {
			found++
		}
	}
	if found < files/3 {
		t.Errorf("only %d of %d bent files were refused; the test bends too little", found, files)
	}
}

// FuzzCheck: no file makes the check fault, hang or take memory without end.
func FuzzCheck(f *testing.F) {
	whole := used(f)
	f.Add(uint16(0), []byte{1})
	f.Add(uint16(3*pageSize+10), []byte{0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, at uint16, bytes []byte) {
		m := append([]byte(nil), whole...)
		for i, b := range bytes {
			m[(int(at)*7+i*(1+len(bytes)))%len(m)] ^= b
		}
		fileImage(m).seal()
		path := filepath.Join(t.TempDir(), "fuzz.db")
		if err := os.WriteFile(path, m, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = examine(path) // only that it comes back
	})
}
