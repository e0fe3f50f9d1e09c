package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"envivo/durable"

	bolt "go.etcd.io/bbolt"
)

// migrations bring a file from a schema to the next one. Schema 1 is the first
// that was ever written, so there is none yet.
func migrations() map[uint32]func(*bolt.Tx) error { return nil }

// migrate brings a file up to Schema, after a copy of it was put beside it. Each
// step is one transaction: a crash leaves the file between two steps, and the
// next start goes on from there.
func migrate(db *bolt.DB, from uint32, o Options) error {
	steps := migrations()
	if o.Faults.Steps != nil {
		steps = o.Faults.Steps
	}
	for at := from; at < Schema; at++ {
		if steps[at] == nil {
			return fmt.Errorf("%w: schema %d, this program begins with %d", ErrOlder, from, Schema)
		}
	}
	kept := fmt.Sprintf("%s.schema-%d", db.Path(), from)
	if err := writeCopy(db, kept); err != nil {
		return fmt.Errorf("keep a copy before the change of schema: %w", err)
	}
	for at := from; at < Schema; at++ {
		err := guarded(func() error {
			return inTx(db, func(tx *bolt.Tx) error {
				if err := steps[at](tx); err != nil {
					return err
				}
				return tx.Bucket(bucketMeta).Put(keySchema, binary.BigEndian.AppendUint32(nil, at+1))
			})
		})
		if err != nil {
			return fmt.Errorf("bring the store from schema %d to %d (a copy is in %s): %w", at, at+1, kept, err)
		}
	}
	o.Log.Warn("the store has a new schema", "from", from, "to", Schema, "copy", kept)
	return nil
}

// Save copies a store that nobody has open to path, durably; an older file there
// is replaced. The copy is not marked as one: it is the store itself, as it was.
func Save(from, path string) error {
	if _, err := structure(from); err != nil {
		return err
	}
	db, err := openFile(from, true, 0)
	if err != nil {
		return err
	}
	return errors.Join(writeCopy(db, path), db.Close())
}

// writeCopy writes what a file contains to path, complete or not at all.
func writeCopy(db *bolt.DB, path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), copyPattern)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = guarded(func() error {
		return db.View(func(tx *bolt.Tx) error {
			_, err := tx.WriteTo(patient{context.Background(), f})
			return err
		})
	})
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return durable.SyncFolder(filepath.Dir(path))
}
