package plant

const pageBits, pageSize = 7, 1 << 7

// pages is a vector whose versions share what they have in common: changing
// one element copies one page. The zero value is empty.
type pages[T any] struct {
	p [][]T
	n int
}

func (v pages[T]) at(i int) T { return v.p[i>>pageBits][i&(pageSize-1)] }

// editor changes a copy of a vector; pages it has copied are its own.
type editor[T any] struct {
	v     pages[T]
	owned map[int]bool
}

func edit[T any](v pages[T]) *editor[T] { return &editor[T]{v: v} }

func (e *editor[T]) own(page int) {
	if e.owned == nil {
		e.owned = make(map[int]bool)
		e.v.p = append(make([][]T, 0, len(e.v.p)+1), e.v.p...)
	}
	if !e.owned[page] {
		e.v.p[page] = append(make([]T, 0, pageSize), e.v.p[page]...)
		e.owned[page] = true
	}
}

func (e *editor[T]) set(i int, x T) {
	e.own(i >> pageBits)
	e.v.p[i>>pageBits][i&(pageSize-1)] = x
}

func (e *editor[T]) push(x T) int {
	i := e.v.n
	page := i >> pageBits
	if page == len(e.v.p) {
		if e.owned == nil {
			e.owned = make(map[int]bool)
			e.v.p = append(make([][]T, 0, len(e.v.p)+1), e.v.p...)
		}
		e.v.p = append(e.v.p, make([]T, 0, pageSize))
		e.owned[page] = true
	}
	e.own(page)
	e.v.p[page] = append(e.v.p[page], x)
	e.v.n++
	return i
}

const shardCount = 1 << 10

// index maps keys to positions. Versions share shards; adding copies one.
type index[K comparable] struct {
	shards *[shardCount]map[K]int32
	hash   func(K) uint32
}

func (x index[K]) find(k K) (int, bool) {
	if x.shards == nil {
		return 0, false
	}
	i, ok := x.shards[x.hash(k)%shardCount][k]
	return int(i), ok
}

// indexEditor changes a copy of an index; shards it has copied are its own.
type indexEditor[K comparable] struct {
	x     index[K]
	owned map[uint32]bool
}

func (e *indexEditor[K]) put(k K, i int) {
	if e.owned == nil {
		e.owned = make(map[uint32]bool)
		fresh := new([shardCount]map[K]int32)
		if e.x.shards != nil {
			*fresh = *e.x.shards
		}
		e.x.shards = fresh
	}
	s := e.x.hash(k) % shardCount
	if !e.owned[s] {
		old := e.x.shards[s]
		m := make(map[K]int32, len(old)+1)
		for k, v := range old {
			m[k] = v
		}
		e.x.shards[s] = m
		e.owned[s] = true
	}
	e.x.shards[s][k] = int32(i)
}

// bitset is a set of row numbers.
type bitset []uint64

func (b bitset) with(i int, on bool) bitset {
	for i>>6 >= len(b) {
		b = append(b, 0)
	}
	if on {
		b[i>>6] |= 1 << (i & 63)
	} else {
		b[i>>6] &^= 1 << (i & 63)
	}
	return b
}
