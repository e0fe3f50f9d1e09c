package ws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
)

// placed is an item of a region with the states since which it has its HTML and
// its place among those that did not move.
type placed struct {
	key     string
	html    []byte
	body    uint64 // digest of html
	changed uint64
	moved   uint64
}

// regionState is one region of an instance, guarded by the instance's mu.
type regionState struct {
	id    string
	items []placed
	// gone says when a key left that is not there now.
	gone map[string]uint64
	// sum is the digest of the region: the sum over its items of key,
	// predecessor and HTML, so that a change costs only what changed.
	sum uint64
}

// update takes the region's new items over as state rev and reports whether
// anything changed.
func (st *regionState) update(items []Item, rev uint64) bool {
	if len(items) == len(st.items) && sameKeys(st.items, items) {
		return st.replace(items, rev)
	}
	st.rebuild(items, rev)
	return true
}

func sameKeys(old []placed, items []Item) bool {
	for i := range items {
		if old[i].key != items[i].Key {
			return false
		}
	}
	return true
}

// replace is the common case: same items, same order.
func (st *regionState) replace(items []Item, rev uint64) bool {
	changed := false
	prev := ""
	for i := range items {
		it := &st.items[i]
		if !sameBytes(it.html, items[i].HTML) {
			changed = true
			st.sum -= it.digest(prev)
			it.html, it.body, it.changed = items[i].HTML, fnvBytes(items[i].HTML), rev
			st.sum += it.digest(prev)
		}
		prev = it.key
	}
	return changed
}

// sameBytes compares the common case, the very same slice, at once.
func sameBytes(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || bytes.Equal(a, b))
}

// rebuild handles items that came, went or moved. Only the part between the
// common beginning and the common end is looked at closely.
func (st *regionState) rebuild(items []Item, rev uint64) {
	old := st.items
	head := 0
	for head < min(len(old), len(items)) && old[head].key == items[head].Key {
		head++
	}
	tail := 0
	for tail < min(len(old), len(items))-head && old[len(old)-1-tail].key == items[len(items)-1-tail].Key {
		tail++
	}
	where := make(map[string]int, len(old)-head-tail)
	for i := head; i < len(old)-tail; i++ {
		where[old[i].key] = i
	}
	next := make([]placed, 0, len(items))
	var kept, from []int // positions in next of surviving middle items, and in old
	for i, item := range items {
		j, known := i, i < head
		if i >= len(items)-tail {
			j, known = len(old)-len(items)+i, true
		}
		if !known {
			if j, known = where[item.Key]; known {
				kept, from = append(kept, i), append(from, j)
				delete(where, item.Key)
			}
		}
		if known {
			next = append(next, old[j].with(item.HTML, rev))
			continue
		}
		next = append(next, placed{key: item.Key, html: item.HTML, body: fnvBytes(item.HTML), changed: rev, moved: rev})
		delete(st.gone, item.Key)
	}
	stays := longestIncreasing(from)
	for n, i := range kept {
		if !stays[n] {
			next[i].moved = rev
		}
	}
	for key := range where {
		if st.gone == nil {
			st.gone = make(map[string]uint64)
		}
		st.gone[key] = rev
	}
	st.items = next
	st.total()
}

// with is the item with new HTML, if it is new.
func (p placed) with(html []byte, rev uint64) placed {
	if !sameBytes(p.html, html) {
		p.html, p.body, p.changed = html, fnvBytes(html), rev
	}
	return p
}

func (st *regionState) total() {
	st.sum = 0
	prev := ""
	for i := range st.items {
		st.sum += st.items[i].digest(prev)
		prev = st.items[i].key
	}
}

// digest is the item's part of the region's sum.
func (p *placed) digest(prev string) uint64 {
	return fnvWord(fnvText(fnvText(fnvStart, p.key), prev), p.body)
}

// forget drops what only pages older than floor could need.
func (st *regionState) forget(floor uint64) {
	for key, rev := range st.gone {
		if rev <= floor {
			delete(st.gone, key)
		}
	}
}

// patch is what a page at state from is missing; false when nothing.
//
// Items that are not put have kept their relative order since from, because
// every rebuild marks all others as moved. Putting the marked ones in list
// order, each behind its predecessor, therefore gives the list.
func (st *regionState) patch(from uint64) (patchRegion, bool) {
	out := patchRegion{ID: st.id}
	for key, rev := range st.gone {
		if rev > from {
			out.Remove = append(out.Remove, key)
		}
	}
	slices.Sort(out.Remove)
	for i, it := range st.items {
		if it.changed <= from && it.moved <= from {
			continue
		}
		p := patchPut{Key: it.key}
		if it.changed > from {
			html := string(it.html)
			p.HTML = &html
		}
		if it.moved > from {
			p.After = json.RawMessage("null")
			if i > 0 {
				p.After = st.items[i-1].key
			}
		}
		out.Put = append(out.Put, p)
	}
	return out, len(out.Remove) > 0 || len(out.Put) > 0
}

// longestIncreasing marks the members of a longest increasing subsequence of
// distinct numbers: the items that need not move.
func longestIncreasing(xs []int) []bool {
	ends := make([]int, 0, len(xs)) // ends[n]: where the best run of length n+1 ends
	back := make([]int, len(xs))    // the member before, -1 for none
	for i, x := range xs {
		n := sort.Search(len(ends), func(n int) bool { return xs[ends[n]] > x })
		back[i] = -1
		if n > 0 {
			back[i] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, i)
		} else {
			ends[n] = i
		}
	}
	out := make([]bool, len(xs))
	if len(ends) > 0 {
		for i := ends[len(ends)-1]; i >= 0; i = back[i] {
			out[i] = true
		}
	}
	return out
}

// checkKeys refuses drawings that could not be patched.
func checkKeys(regions []Region) error {
	ids := make(map[string]bool, len(regions))
	for _, r := range regions {
		if ids[r.ID] {
			return fmt.Errorf("region %q occurs twice", r.ID)
		}
		ids[r.ID] = true
		keys := make(map[string]struct{}, len(r.Items))
		for _, it := range r.Items {
			if _, twice := keys[it.Key]; twice {
				return fmt.Errorf("region %q has key %q twice", r.ID, it.Key)
			}
			keys[it.Key] = struct{}{}
		}
	}
	return nil
}
