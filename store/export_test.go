package store

import (
	bolt "go.etcd.io/bbolt"

	"envivo/plant"
)

// DB is the open file, so that tests can lay a disk of theirs under it.
func (b *Bolt) DB() *bolt.DB { return b.file() }

// Chained is a journal record with a body of anybody's, with the link that makes
// it fit behind prev.
func Chained(prev [32]byte, body []byte) []byte {
	b := append(make([]byte, bodyAt), body...)
	b[0] = recordV1
	l := chain(prev, b)
	copy(b[linkAt:], l[:])
	return b
}

// BodyOf is what of a journal record the chain covers.
func BodyOf(record []byte) []byte { return record[bodyAt:] }

// Reencoded is what a journal record says, and the record that this program
// would write of it.
func Reencoded(seq plant.Seq, prev [32]byte, record []byte) (plant.Event, []byte, error) {
	x, err := decodeEntry(seq, record)
	if err != nil {
		return plant.Event{}, nil, err
	}
	out, _, err := encodeEntry(&x.event, x.digest, x.own, prev)
	return x.event, out, err
}
