//go:build !unix

package migration

// syncDir does nothing: folders cannot be flushed here, the file system looks
// after the order of names itself.
func syncDir(string) error { return nil }
