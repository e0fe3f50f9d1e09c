package api

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"
	"sync"
	"time"

	"envivo/plant"
	"envivo/ui"
)

// A reply is sent as one gzip stream made of pieces that were packed on their
// own: each ends at a byte boundary and looks back at nothing before itself, so
// a long list packed once can stand between the few bytes of one reader.
type reply struct {
	pieces []piece
	length int
}

type piece struct {
	raw    []byte
	packed []byte // nil: to be packed for this reply
}

func (o *reply) add(raw []byte) { o.addKept(piece{raw: raw}) }

func (o *reply) addKept(p piece) {
	o.pieces = append(o.pieces, p)
	o.length += len(p.raw)
}

var gzipHead = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}

// lastBlock is an empty final block of deflate.
var lastBlock = []byte{0x03, 0x00}

func (o *reply) send(w http.ResponseWriter, r *http.Request, status int) error {
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.WriteHeader(status)
		for _, p := range o.pieces {
			if _, err := w.Write(p.raw); err != nil {
				return nil // the reader left; nobody to tell
			}
		}
		return nil
	}
	body, err := o.gzip()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	_, _ = w.Write(body) // as above
	return nil
}

func (o *reply) gzip() ([]byte, error) {
	var buf, run bytes.Buffer
	buf.Write(gzipHead)
	sum := uint32(0)
	flush := func() error {
		if run.Len() == 0 {
			return nil
		}
		err := deflate(&buf, run.Bytes(), flate.BestSpeed)
		run.Reset()
		return err
	}
	for _, p := range o.pieces {
		sum = crc32.Update(sum, crc32.IEEETable, p.raw)
		if p.packed == nil {
			run.Write(p.raw)
			continue
		}
		if err := flush(); err != nil {
			return nil, err
		}
		buf.Write(p.packed)
	}
	if err := flush(); err != nil {
		return nil, err
	}
	buf.Write(lastBlock)
	var tail [8]byte
	binary.LittleEndian.PutUint32(tail[:4], sum)
	binary.LittleEndian.PutUint32(tail[4:], uint32(o.length))
	buf.Write(tail[:])
	return buf.Bytes(), nil
}

// deflate appends raw as blocks that stand on their own and end at a byte.
func deflate(buf *bytes.Buffer, raw []byte, level int) error {
	w, err := flate.NewWriter(buf, level)
	if err != nil {
		return fmt.Errorf("pack page: %w", err)
	}
	if _, err := w.Write(raw); err != nil {
		return fmt.Errorf("pack page: %w", err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("pack page: %w", err)
	}
	return nil
}

// worthKeeping is the size from which a packed region is kept.
const worthKeeping = 32 << 10

// maxBodies bounds what is kept; whole pages of the largest plant fit many times.
const maxBodies = 48

// bodies keeps packed regions by content. It is guarded by mu.
type bodies struct {
	mu   sync.Mutex
	kept map[bodyKey]piece
	age  []bodyKey
}

type bodyKey struct {
	view, rev, region string
	minute            int64 // 0 for JSON, in which no time passes
}

func newBodies() *bodies { return &bodies{kept: map[bodyKey]piece{}} }

func (b *bodies) html(l live, r ui.Region, now time.Time) piece {
	key := bodyKey{view: l.view, rev: l.rev, region: r.ID, minute: now.Unix() / 60}
	return b.piece(key, func() []byte { return ui.FillTimes(joined(r), now) })
}

// piece gives the kept piece or makes it. Two readers at once may both make it.
func (b *bodies) piece(key bodyKey, draw func() []byte) piece {
	b.mu.Lock()
	p, ok := b.kept[key]
	b.mu.Unlock()
	if ok {
		return p
	}
	p = piece{raw: draw()}
	if len(p.raw) < worthKeeping || key.rev == "" {
		return p
	}
	var buf bytes.Buffer
	if err := deflate(&buf, p.raw, flate.DefaultCompression); err != nil {
		return p // packed with the rest of the reply, which reports the error
	}
	p.packed = buf.Bytes()
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.kept[key]; !ok {
		b.kept[key] = p
		b.age = append(b.age, key)
		if len(b.age) > maxBodies {
			delete(b.kept, b.age[0])
			b.age = b.age[1:]
		}
	}
	return p
}

// writeState answers with the state of a view alone.
func (p *pages) writeState(w http.ResponseWriter, r *http.Request, l live) error {
	var out reply
	if err := p.addState(&out, l); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	return out.send(w, r, http.StatusOK)
}

type stateHead struct {
	View  string    `json:"view"`
	Seq   plant.Seq `json:"seq"`
	Rev   string    `json:"rev"`
	Epoch string    `json:"epoch"`
	Build string    `json:"build"`
	Now   int64     `json:"now"`
}

type stateRegion struct {
	ID    string      `json:"id"`
	Items []stateItem `json:"items"`
}

type stateItem struct {
	Key  string `json:"k"`
	HTML string `json:"h"`
}

// addState adds {"view":…,"regions":[…]} with the regions packed once.
func (p *pages) addState(out *reply, l live) error {
	head, err := json.Marshal(stateHead{View: l.view, Seq: l.seq, Rev: l.rev, Epoch: l.epoch, Build: p.build, Now: p.now().UnixMilli()})
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	out.add(append(bytes.TrimSuffix(head, []byte("}")), `,"regions":`...))
	var failed error
	out.addKept(p.bodies.piece(bodyKey{view: l.view, rev: l.rev, region: "*"}, func() []byte {
		list := make([]stateRegion, 0, len(l.regions))
		for _, r := range l.regions {
			sr := stateRegion{ID: r.ID, Items: make([]stateItem, 0, len(r.Items))}
			for _, it := range r.Items {
				sr.Items = append(sr.Items, stateItem{Key: it.Key, HTML: string(it.HTML)})
			}
			list = append(list, sr)
		}
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		failed = enc.Encode(list)
		return bytes.TrimSpace(buf.Bytes())
	}))
	if failed != nil {
		return fmt.Errorf("encode state: %w", failed)
	}
	out.add([]byte("}"))
	return nil
}
