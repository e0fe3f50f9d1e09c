package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/fxamacker/cbor/v2"

	"envivo/plant"
)

// link is one element of the hash chain.
type link [sha256.Size]byte

const linkAt, bodyAt = 1, 1 + sha256.Size

// encMode writes Core Deterministic CBOR (RFC 8949 §4.2.1).
var encMode = sync.OnceValue(func() cbor.EncMode {
	m, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic("store: encoder options: " + err.Error())
	}
	return m
})

// decMode refuses what encMode cannot have written, except that a text may be
// any bytes: cells of a spreadsheet are not always UTF-8, and what was accepted
// once must be readable for ever.
var decMode = sync.OnceValue(func() cbor.DecMode {
	m, err := decOptions().DecMode()
	if err != nil {
		panic("store: decoder options: " + err.Error())
	}
	return m
})

// partMode is decMode for types that name only some of a record's fields.
var partMode = sync.OnceValue(func() cbor.DecMode {
	o := decOptions()
	o.ExtraReturnErrors = cbor.ExtraDecErrorNone
	m, err := o.DecMode()
	if err != nil {
		panic("store: decoder options: " + err.Error())
	}
	return m
})

func decOptions() cbor.DecOptions {
	return cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, UTF8: cbor.UTF8DecodeInvalid, MaxArrayElements: math.MaxInt32,
	}
}

// seal encodes v behind its version byte.
func seal(v any) ([]byte, error) {
	body, err := encMode().Marshal(v)
	if err != nil {
		return nil, err
	}
	return append([]byte{recordV1}, body...), nil
}

// unseal decodes a value written by seal.
func unseal(b []byte, into any) error {
	if err := version(b); err != nil {
		return err
	}
	return decMode().Unmarshal(b[1:], into)
}

func version(b []byte) error {
	switch {
	case len(b) == 0:
		return errors.New("an empty record")
	case b[0] != recordV1:
		return fmt.Errorf("record version %d, this program knows %d", b[0], recordV1)
	}
	return nil
}

// encodeEntry makes the journal record of an event behind prev, and its link.
func encodeEntry(e *plant.Event, digest [32]byte, own bool, prev link) ([]byte, link, error) {
	r := entryRec{Cmd: string(e.Cmd), Own: own, At: toInstant(e.At), Event: toEventRec(e)}
	if digest != ([32]byte{}) {
		r.Digest = digest[:]
	}
	var buf bytes.Buffer
	buf.Grow(1024)
	buf.Write(make([]byte, bodyAt))
	if err := encMode().NewEncoder(&buf).Encode(&r); err != nil {
		return nil, prev, fmt.Errorf("encode event %d: %w", e.Seq, err)
	}
	b := buf.Bytes()
	b[0] = recordV1
	l := chain(prev, b)
	copy(b[linkAt:], l[:])
	return b, l, nil
}

// chain is the link that belongs to a journal record behind prev.
func chain(prev link, record []byte) link {
	h := sha256.New()
	h.Write(prev[:])
	h.Write(record[:linkAt])
	h.Write(record[bodyAt:])
	return link(h.Sum(nil))
}

// entry is a decoded journal record.
type entry struct {
	event  plant.Event
	digest [32]byte
	own    bool
	link   link
}

func decodeEntry(seq plant.Seq, b []byte) (entry, error) {
	var r entryRec
	if err := decodeBody(b, decMode(), &r); err != nil {
		return entry{}, err
	}
	x := entry{event: r.Event.event(seq), own: r.Own, link: link(b[linkAt:bodyAt])}
	x.event.At, x.event.Cmd = r.At.time(), plant.CommandID(r.Cmd)
	switch len(r.Digest) {
	case 0:
	case len(x.digest):
		x.digest = [32]byte(r.Digest)
	default:
		return entry{}, fmt.Errorf("a digest of %d bytes", len(r.Digest))
	}
	return x, nil
}

func decodeBody(b []byte, m cbor.DecMode, into any) error {
	if err := version(b); err != nil {
		return err
	}
	if len(b) < bodyAt {
		return fmt.Errorf("a record of %d bytes", len(b))
	}
	return m.Unmarshal(b[bodyAt:], into)
}

// seqKey is a sequence number as a key that sorts like it.
func seqKey(s plant.Seq) []byte { return binary.BigEndian.AppendUint64(nil, uint64(s)) }

func keySeq(k []byte) (plant.Seq, error) {
	if len(k) != 8 {
		return 0, fmt.Errorf("a key of %d bytes where a sequence number belongs", len(k))
	}
	return plant.Seq(binary.BigEndian.Uint64(k)), nil
}

func workerKey(id plant.WorkerID) []byte { return binary.BigEndian.AppendUint32(nil, uint32(id)) }
