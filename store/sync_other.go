//go:build !unix

package store

// syncDir does nothing: folders cannot be flushed here, the file system
// journals its names.
func syncDir(string) error { return nil }
