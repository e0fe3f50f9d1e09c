package localca

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"

	"envivo/durable"
)

// The files of the folder.
const (
	rootFile = "ca.pem"
	leafFile = "leaf.pem"
)

// DamagedError is a file that is there and cannot be used.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string { return e.Path + " is damaged: " + e.Err.Error() }

func (e *DamagedError) Unwrap() error { return e.Err }

// pair is a certificate with its key.
type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (p pair) tls() *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{p.cert.Raw}, PrivateKey: p.key, Leaf: p.cert}
}

// readPair reads a file of the folder. A missing one is fs.ErrNotExist, one that
// cannot be used a *DamagedError.
func readPair(path string) (pair, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return pair{}, fmt.Errorf("read the certificate: %w", err)
	}
	p, err := parsePair(text)
	if err != nil {
		return pair{}, &DamagedError{Path: path, Err: err}
	}
	return p, nil
}

// parsePair wants exactly one certificate and the key that belongs to it.
func parsePair(text []byte) (pair, error) {
	var p pair
	for {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			break
		}
		switch b.Type {
		case "CERTIFICATE":
			c, err := x509.ParseCertificate(b.Bytes)
			if err != nil {
				return pair{}, fmt.Errorf("its certificate: %w", err)
			}
			p.cert = c
		case "PRIVATE KEY":
			k, err := x509.ParsePKCS8PrivateKey(b.Bytes)
			if err != nil {
				return pair{}, fmt.Errorf("its key: %w", err)
			}
			key, ok := k.(*ecdsa.PrivateKey)
			if !ok {
				return pair{}, fmt.Errorf("its key is a %T, want ECDSA", k)
			}
			p.key = key
		}
	}
	switch {
	case p.cert == nil:
		return pair{}, errors.New("it holds no certificate")
	case p.key == nil:
		return pair{}, errors.New("it holds no key")
	case !p.key.PublicKey.Equal(p.cert.PublicKey):
		return pair{}, errors.New("key and certificate do not belong together")
	}
	return p, nil
}

// writePair replaces a file of the folder as a whole. When it returns nil the
// new one is on the disk.
func writePair(path string, p pair) error {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return fmt.Errorf("encode the key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	return durable.Replace(path, 0o600, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
