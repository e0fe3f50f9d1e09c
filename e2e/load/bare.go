package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// sizes are the bytes of the records a command leaves behind; the baseline
// writes as much.
type sizes struct{ spool, event, index int }

// bareRate is what the disk allows: a goroutine draining a queue into bbolt
// transactions of one spool row, one event and one index entry a command, with
// no rules, no encoding and no network. It returns the histogram of callers.
func bareRate(ctx context.Context, dir string, z sizes, callers int, d time.Duration) (*samples, error) {
	path := filepath.Join(dir, fmt.Sprintf("bare-%d.db", callers))
	defer os.Remove(path)
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second, FreelistType: bolt.FreelistMapType, InitialMmapSize: 1 << 30})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := bareFill(db, z); err != nil {
		return nil, err
	}
	queue := make(chan chan error, 4096)
	writerDone := make(chan struct{})
	go func() {
		defer close(writerDone)
		bareWriter(db, z, queue)
	}()
	s := newSamples()
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	begin := time.Now()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			mine := newSamples()
			answer := make(chan error, 1)
			for ctx.Err() == nil {
				t := time.Now()
				queue <- answer
				if err := <-answer; err != nil {
					mine.failed++
					break
				}
				mine.add(time.Since(t))
			}
			s.merge(mine)
		})
	}
	wg.Wait()
	s.elapsed = time.Since(begin)
	close(queue)
	<-writerDone
	return s, nil
}

var bareBuckets = [][]byte{[]byte("spools"), []byte("events"), []byte("index")}

const bareSpools = 2500

func bareFill(db *bolt.DB, z sizes) error {
	return db.Update(func(tx *bolt.Tx) error {
		for _, name := range bareBuckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		for i := range bareSpools {
			if err := tx.Bucket(bareBuckets[0]).Put(fmt.Appendf(nil, "MK-1346-TW-%05d-%03d", i, i%7), make([]byte, z.spool)); err != nil {
				return err
			}
		}
		return nil
	})
}

func bareWriter(db *bolt.DB, z sizes, queue <-chan chan error) {
	batch := make([]chan error, 0, 256)
	var seq uint64
	for first := range queue {
		batch = append(batch[:0], first)
	drain:
		for len(batch) < cap(batch) {
			select {
			case c, ok := <-queue:
				if !ok {
					break drain
				}
				batch = append(batch, c)
			default:
				break drain
			}
		}
		err := db.Update(func(tx *bolt.Tx) error {
			tx.Bucket(bareBuckets[1]).FillPercent = 0.95
			for range batch {
				seq++
				if err := barePut(tx, z, seq); err != nil {
					return err
				}
			}
			return nil
		})
		for _, c := range batch {
			c <- err
		}
	}
}

func barePut(tx *bolt.Tx, z sizes, seq uint64) error {
	i := rand.IntN(bareSpools)
	spool := make([]byte, z.spool)
	binary.BigEndian.PutUint64(spool, seq)
	if err := tx.Bucket(bareBuckets[0]).Put(fmt.Appendf(nil, "MK-1346-TW-%05d-%03d", i, i%7), spool); err != nil {
		return err
	}
	key := binary.BigEndian.AppendUint64(nil, seq)
	if err := tx.Bucket(bareBuckets[1]).Put(key, make([]byte, z.event)); err != nil {
		return err
	}
	return tx.Bucket(bareBuckets[2]).Put(fmt.Appendf(nil, "%03d-%016x", i%50, seq), make([]byte, z.index))
}
