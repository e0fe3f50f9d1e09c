//go:build !unix

package durable

// SyncFolder does nothing: folders cannot be flushed here, the file system looks
// after its names itself.
func SyncFolder(string) error { return nil }
