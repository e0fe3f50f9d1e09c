package ws

// The digests of states are FNV-1a, 64 bits: they must be the same in every
// process, they guard against accidents only, and they run over whole pages.

const (
	fnvStart uint64 = 14695981039346656037
	fnvPrime uint64 = 1099511628211
)

func fnvBytes(b []byte) uint64 {
	d := fnvStart
	for _, c := range b {
		d = (d ^ uint64(c)) * fnvPrime
	}
	return d
}

// fnvText adds a text and its end.
func fnvText(d uint64, s string) uint64 {
	for i := 0; i < len(s); i++ {
		d = (d ^ uint64(s[i])) * fnvPrime
	}
	return (d ^ 0xff) * fnvPrime
}

// fnvWord adds a number, a byte at a time, so that its high bits count.
func fnvWord(d, x uint64) uint64 {
	for range 8 {
		d = (d ^ x&0xff) * fnvPrime
		x >>= 8
	}
	return d
}
