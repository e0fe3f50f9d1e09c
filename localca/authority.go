package localca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	rootFor = 10 * 365 * 24 * time.Hour
	// leafFor is under the 398 days that browsers accept.
	leafFor = 397 * 24 * time.Hour
	// renewBefore leaves a box that is switched off for a quarter time to renew.
	renewBefore = 120 * 24 * time.Hour
	// early lets tablets whose clock is behind accept a new certificate.
	early = 24 * time.Hour
	// firstYear is before which a clock cannot be right.
	firstYear = 2026
)

// ErrClock refuses to make an authority by a clock that was never set: it would
// have expired as soon as the clock is right.
var ErrClock = errors.New("the clock of this machine is not set; set it before the first start with --tls auto")

// Options configure an Authority. Dir, Now, Random and Log are required.
type Options struct {
	// Dir holds the files; it is created, mode 0700.
	Dir string
	Now func() time.Time
	// Random is the source of serial numbers and signatures. Keys come from the
	// system's own source, whatever is given here (crypto/ecdsa).
	Random io.Reader
	// Host is the box's host name, which a new root may vouch for; empty for none.
	Host string
	Log  *slog.Logger
}

// Authority holds the root and the leaf in use.
type Authority struct {
	o    Options
	root pair

	mu   sync.Mutex // one leaf is made at a time
	leaf atomic.Pointer[pair]
}

// Open reads the authority of a folder and makes it where there is none. A
// damaged root is an error that names the file: it is never replaced, since
// every tablet trusts it. A damaged leaf is made again.
func Open(o Options) (*Authority, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the authority: %w", err)
	}
	a := &Authority{o: o}
	path := filepath.Join(o.Dir, rootFile)
	root, err := readPair(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if root, err = a.newRoot(); err != nil {
			return nil, err
		}
		if err := writePair(path, root); err != nil {
			return nil, err
		}
		o.Log.Info("made the plant's own authority", "file", path, "until", root.cert.NotAfter)
	case err != nil:
		return nil, fmt.Errorf("the plant's authority: %w; put back a copy of it, or move it away to make a new one that every tablet must trust anew", err)
	case !root.cert.IsCA:
		return nil, fmt.Errorf("the plant's authority: %w", &DamagedError{path, errors.New("it is no authority")})
	}
	a.root = root
	return a, nil
}

// Cover makes sure that the leaf is valid for every name that the root may vouch
// for, now and for a good while; it makes another leaf when it is not. Names
// beyond the root's constraints are left out. It reports whether the leaf
// changed; connections begun before keep theirs.
func (a *Authority) Cover(want Names) (changed bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	want = Allowed(a.root.cert, want)
	path := filepath.Join(a.o.Dir, leafFile)
	if a.leaf.Load() == nil {
		p, err := readPair(path)
		var damaged *DamagedError
		switch {
		case err == nil:
			a.leaf.Store(&p)
		case errors.As(err, &damaged):
			a.o.Log.Warn("the certificate of the box is made again", "err", err)
		case !errors.Is(err, fs.ErrNotExist):
			return false, err
		}
	}
	if p := a.leaf.Load(); p != nil && a.good(p.cert, want) {
		return false, nil
	}
	p, err := a.newLeaf(want)
	if err != nil {
		return false, err
	}
	if err := writePair(path, p); err != nil {
		return false, err
	}
	a.leaf.Store(&p)
	a.o.Log.Info("made a certificate for the box", "names", p.cert.DNSNames, "addresses", p.cert.IPAddresses, "until", p.cert.NotAfter)
	return true, nil
}

// good reports whether a leaf can stay in use.
func (a *Authority) good(leaf *x509.Certificate, want Names) bool {
	now := a.o.Now()
	last := a.root.cert.NotAfter
	renew := leaf.NotAfter.Add(-renewBefore)
	if !leaf.NotAfter.Before(last) { // no later one can be made
		renew = leaf.NotAfter
	}
	return leaf.CheckSignatureFrom(a.root.cert) == nil && len(Missing(leaf, want)) == 0 &&
		!now.Before(leaf.NotBefore) && now.Before(renew)
}

// Certificate is for tls.Config.GetCertificate: always the newest leaf.
func (a *Authority) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p := a.leaf.Load()
	if p == nil {
		return nil, errors.New("the box has no certificate yet")
	}
	return p.tls(), nil
}

// Leaf is the certificate in use, nil before the first Cover.
func (a *Authority) Leaf() *x509.Certificate {
	p := a.leaf.Load()
	if p == nil {
		return nil
	}
	return p.cert
}

// Root is the certificate that tablets trust.
func (a *Authority) Root() *x509.Certificate { return a.root.cert }

// RootPEM is the root certificate, without its key, as tablets download it.
func (a *Authority) RootPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.cert.Raw})
}

// Fingerprint is the SHA-256 of a certificate as browsers show it.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

// Inspect reads both certificates of a folder without making or changing
// anything; one that is not there is nil.
func Inspect(dir string) (root, leaf *x509.Certificate, err error) {
	var found [2]*x509.Certificate
	for i, name := range []string{rootFile, leafFile} {
		p, err := readPair(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
		found[i] = p.cert
	}
	return found[0], found[1], nil
}

func (a *Authority) newRoot() (pair, error) {
	now := a.o.Now()
	if now.Year() < firstYear {
		return pair{}, ErrClock
	}
	domains := []string{"local", "localhost"}
	if h := DNSName(a.o.Host); h != "" && h != "localhost" && !strings.HasSuffix(h, ".local") {
		domains = append(domains, h)
	}
	name := "envivo " + now.Format("2006-01-02")
	if h := DNSName(a.o.Host); h != "" {
		name = "envivo " + h + now.Format(" 2006-01-02")
	}
	t := &x509.Certificate{
		Subject:   pkix.Name{CommonName: name, Organization: []string{"envivo"}},
		NotBefore: now.Add(-early), NotAfter: now.Add(rootFor),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: domains, PermittedIPRanges: privateNets(),
	}
	return a.issue(t, nil)
}

func (a *Authority) newLeaf(want Names) (pair, error) {
	now := a.o.Now()
	until := now.Add(leafFor - early)
	if until.After(a.root.cert.NotAfter) {
		until = a.root.cert.NotAfter
	}
	if len(want.DNS) == 0 {
		want.DNS = []string{"localhost"}
	}
	t := &x509.Certificate{
		Subject:   pkix.Name{CommonName: want.DNS[0], Organization: []string{"envivo"}},
		NotBefore: now.Add(-early), NotAfter: until,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:              want.DNS,
	}
	for _, ip := range want.IP {
		t.IPAddresses = append(t.IPAddresses, net.IP(ip.AsSlice()))
	}
	return a.issue(t, &a.root)
}

// issue makes a key and its certificate, signed by parent or by itself.
func (a *Authority) issue(t *x509.Certificate, parent *pair) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), a.o.Random)
	if err != nil {
		return pair{}, fmt.Errorf("make a key: %w", err)
	}
	serial := make([]byte, 16)
	if _, err := io.ReadFull(a.o.Random, serial); err != nil {
		return pair{}, fmt.Errorf("make a serial number: %w", err)
	}
	serial[0] = serial[0]&0x7f | 0x40 // positive, and always of the same length
	t.SerialNumber = new(big.Int).SetBytes(serial)
	signer, by := t, key
	if parent != nil {
		signer, by = parent.cert, parent.key
	}
	der, err := x509.CreateCertificate(a.o.Random, t, signer, &key.PublicKey, by)
	if err != nil {
		return pair{}, fmt.Errorf("sign a certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return pair{}, fmt.Errorf("read back a certificate: %w", err)
	}
	return pair{cert: cert, key: key}, nil
}
