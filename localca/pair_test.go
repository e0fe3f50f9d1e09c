package localca

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzPair: of what a file of a certificate and its key holds, either both are
// there and belong together, and then they are written such that they read the
// same, or nothing is used.
func FuzzPair(f *testing.F) {
	dir := f.TempDir()
	now := func() time.Time { return time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC) }
	if _, err := Open(Options{Dir: dir, Now: now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}); err != nil {
		f.Fatal(err)
	}
	made, err := os.ReadFile(filepath.Join(dir, rootFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(made)
	f.Add(append(bytes.Clone(made[:len(made)/2]), made...))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMAAwAA==\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePair(text)
		if err != nil {
			if p.cert != nil || p.key != nil {
				t.Fatalf("refused with %v, and yet something of it would be used", err)
			}
			return
		}
		if !p.key.PublicKey.Equal(p.cert.PublicKey) {
			t.Fatal("key and certificate do not belong together")
		}
		path := filepath.Join(dir, "again.pem")
		if err := writePair(path, p); err != nil {
			t.Fatal(err)
		}
		again, err := readPair(path)
		if err != nil || !bytes.Equal(again.cert.Raw, p.cert.Raw) || !again.key.Equal(p.key) {
			t.Fatalf("read again it differs: %v", err)
		}
	})
}
