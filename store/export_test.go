package store

import bolt "go.etcd.io/bbolt"

// DB is the open file, so that tests can lay a disk of theirs under it.
func (b *Bolt) DB() *bolt.DB { return b.file() }
