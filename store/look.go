package store

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// This file walks a file's pages without mapping them and without bbolt, so
// that neither a cycle, nor a page that many others point to, nor a length
// beyond the page's end reaches code that trusts them. Every page is read at
// most once; memory is a bit per page and one page.

const (
	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	flagBucket   = 0x01 // of an element of a leaf
	elemSize     = 16
	bucketSize   = 16
	// deepest is how many levels a tree may have: with one key a page that would
	// be more pages than any file has.
	deepest = 64
	noPage  = ^uint64(0)
)

// walker examines the structure of one file as its newest meta page describes it.
type walker struct {
	r     io.ReaderAt
	page  int64  // size in bytes
	pages uint64 // that the meta page counts
	seen  []uint64
	todo  []visit
}

type visit struct {
	id    uint64
	depth int
}

// header is a page's first 16 bytes: id, flags, count, overflow.
type header struct {
	id       uint64
	flags    uint16
	count    int
	overflow uint64
}

func parseHeader(b []byte) header {
	n := binary.NativeEndian
	return header{id: n.Uint64(b), flags: n.Uint16(b[8:]), count: int(n.Uint16(b[10:])), overflow: uint64(n.Uint32(b[12:]))}
}

// walk proves that the trees of a file are trees.
func walk(r io.ReaderAt, m boltMeta) error {
	w := &walker{r: r, page: int64(m.pageSize), pages: m.pages, seen: make([]uint64, m.pages/64+1), todo: []visit{{m.root, 0}}}
	if m.freelist != noPage {
		if err := w.freelist(m.freelist); err != nil {
			return err
		}
	}
	for len(w.todo) > 0 {
		v := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		if err := w.visit(v); err != nil {
			return err
		}
	}
	return nil
}

func broken(id uint64, format string, args ...any) error {
	return fmt.Errorf("%w: page %d: %s", ErrDamaged, id, fmt.Sprintf(format, args...))
}

// read takes a page with its header, and everything of it that elements need:
// the bytes of the page and of its overflow up to most.
func (w *walker) read(id uint64, most int64) (header, []byte, error) {
	if id < 2 || id >= w.pages {
		return header{}, nil, broken(id, "is not one of the file's %d", w.pages)
	}
	b := make([]byte, w.page)
	if _, err := w.r.ReadAt(b, int64(id)*w.page); err != nil {
		return header{}, nil, broken(id, "%v", err)
	}
	h := parseHeader(b)
	switch {
	case h.id != id:
		return h, nil, broken(id, "says that it is page %d", h.id)
	case h.overflow >= w.pages-id:
		return h, nil, broken(id, "goes on for %d pages, beyond the end", h.overflow)
	}
	if err := w.claim(id, h.overflow); err != nil {
		return h, nil, err
	}
	if whole := (int64(h.overflow) + 1) * w.page; most > w.page && whole > w.page {
		b = make([]byte, min(most, whole))
		if _, err := w.r.ReadAt(b, int64(id)*w.page); err != nil {
			return h, nil, broken(id, "%v", err)
		}
	}
	return h, b, nil
}

// claim marks pages as used; a second use is damage.
func (w *walker) claim(id, overflow uint64) error {
	for p := id; p <= id+overflow; p++ {
		if w.seen[p/64]&(1<<(p%64)) != 0 {
			return broken(p, "is used twice")
		}
		w.seen[p/64] |= 1 << (p % 64)
	}
	return nil
}

func (w *walker) freelist(id uint64) error {
	h, b, err := w.read(id, 0)
	if err != nil {
		return err
	}
	if h.flags != flagFreelist {
		return broken(id, "is no free list (flags %#x)", h.flags)
	}
	count, ids := uint64(h.count), int64(0)
	if h.count == 0xFFFF {
		count, ids = binary.NativeEndian.Uint64(b[pageHeader:]), 8
	}
	if size := uint64((int64(h.overflow)+1)*w.page - pageHeader - ids); count > size/8 {
		return broken(id, "lists %d free pages, more than it has room for", count)
	}
	return nil
}

func (w *walker) visit(v visit) error {
	const mostElements = 0xFFFF*elemSize + pageHeader
	h, b, err := w.read(v.id, mostElements)
	switch {
	case err != nil:
		return err
	case v.depth > deepest:
		return broken(v.id, "lies deeper than any tree of ours")
	case h.flags != flagBranch && h.flags != flagLeaf:
		return broken(v.id, "has flags %#x inside a tree", h.flags)
	case int64(h.count)*elemSize+pageHeader > int64(len(b)):
		return broken(v.id, "has %d elements, more than it has room for", h.count)
	case h.flags == flagBranch && h.count == 0:
		return broken(v.id, "is a branch that leads nowhere")
	}
	room := (int64(h.overflow) + 1) * w.page
	for i := range h.count {
		at := int64(pageHeader + i*elemSize)
		e := b[at : at+elemSize]
		if h.flags == flagBranch {
			if err := w.branch(v, at, room, e); err != nil {
				return err
			}
			continue
		}
		if err := w.leaf(v, at, room, e); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) branch(v visit, at, room int64, e []byte) error {
	n := binary.NativeEndian
	if at+int64(n.Uint32(e))+int64(n.Uint32(e[4:])) > room {
		return broken(v.id, "has a key beyond its end")
	}
	w.todo = append(w.todo, visit{n.Uint64(e[8:]), v.depth + 1})
	return nil
}

func (w *walker) leaf(v visit, at, room int64, e []byte) error {
	n := binary.NativeEndian
	flags, pos, key, value := n.Uint32(e), int64(n.Uint32(e[4:])), int64(n.Uint32(e[8:])), int64(n.Uint32(e[12:]))
	switch {
	case at+pos+key+value > room:
		return broken(v.id, "has a record beyond its end")
	case flags == 0:
		return nil
	case flags != flagBucket || value < bucketSize:
		return broken(v.id, "has an element that is neither record nor bucket")
	}
	b := make([]byte, min(value, w.page))
	if _, err := w.r.ReadAt(b, int64(v.id)*w.page+at+pos+key); err != nil {
		return broken(v.id, "%v", err)
	}
	if root := n.Uint64(b); root != 0 {
		w.todo = append(w.todo, visit{root, v.depth + 1})
		return nil
	}
	return w.inline(v.id, b[bucketSize:])
}

// inline examines a bucket that is so small that it lies in its parent's leaf.
func (w *walker) inline(id uint64, b []byte) error {
	if len(b) < pageHeader {
		return broken(id, "has a bucket without a page")
	}
	h := parseHeader(b)
	if h.flags != flagLeaf || h.overflow != 0 || pageHeader+h.count*elemSize > len(b) {
		return broken(id, "has a bucket whose page is none")
	}
	n := binary.NativeEndian
	for i := range h.count {
		at := pageHeader + i*elemSize
		e := b[at:]
		if n.Uint32(e) != 0 || int64(at)+int64(n.Uint32(e[4:]))+int64(n.Uint32(e[8:]))+int64(n.Uint32(e[12:])) > int64(len(b)) {
			return broken(id, "has a bucket with a record beyond its end")
		}
	}
	return nil
}

// powerOfTwo reports whether a page size is one that bbolt makes.
func powerOfTwo(n uint32) bool { return bits.OnesCount32(n) == 1 }
