package localca_test

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"envivo/localca"
)

var noon = time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// shelf is an authority with a clock of its own.
type shelf struct {
	t   *testing.T
	dir string
	now time.Time
}

func newShelf(t *testing.T) *shelf {
	return &shelf{t: t, dir: filepath.Join(t.TempDir(), "tls"), now: noon}
}

func (s *shelf) options() localca.Options {
	return localca.Options{Dir: s.dir, Now: func() time.Time { return s.now }, Random: rand.Reader, Host: "Caja-Planta", Log: slog.New(slog.DiscardHandler)}
}

func (s *shelf) open() *localca.Authority {
	s.t.Helper()
	a, err := localca.Open(s.options())
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *shelf) cover(a *localca.Authority, n localca.Names) bool {
	s.t.Helper()
	changed, err := a.Cover(n)
	if err != nil {
		s.t.Fatal(err)
	}
	return changed
}

func names(dns string, ips ...string) localca.Names {
	n := localca.Names{DNS: strings.Fields(dns)}
	for _, ip := range ips {
		n.IP = append(n.IP, netip.MustParseAddr(ip))
	}
	return n
}

// trusts reports what a tablet that trusts the root says to a leaf.
func (s *shelf) trusts(root, leaf *x509.Certificate, host string) error {
	pool := x509.NewCertPool()
	pool.AddCert(root)
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: pool, CurrentTime: s.now})
	return err
}

func TestATabletTrustsTheBoxByEveryName(t *testing.T) {
	s := newShelf(t)
	a := s.open()
	s.cover(a, names("envivo.local caja-planta localhost", "192.168.1.10", "10.0.0.4", "127.0.0.1", "::1", "fe80::1%eth0", "169.254.3.4"))
	for _, host := range []string{"envivo.local", "caja-planta", "localhost", "192.168.1.10", "10.0.0.4", "127.0.0.1", "::1", "fe80::1", "169.254.3.4"} {
		if err := s.trusts(a.Root(), a.Leaf(), host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := s.trusts(a.Root(), a.Leaf(), "otra.local"); err == nil {
		t.Error("a name nobody asked for is trusted")
	}
	if life := a.Leaf().NotAfter.Sub(a.Leaf().NotBefore); life > 397*day {
		t.Errorf("the leaf lives %v, browsers accept 398 days", life)
	}
	if got := a.Root().NotAfter.Sub(noon); got < 3650*day {
		t.Errorf("the root lives %v", got)
	}
}

// TestTheRootCannotVouchForTheWorld: a stolen root key is worth nothing outside
// the plant.
func TestTheRootCannotVouchForTheWorld(t *testing.T) {
	s := newShelf(t)
	a := s.open()
	s.cover(a, names("envivo.local www.banco.cl local.banco.cl evil-local", "8.8.8.8", "2001:db8::1", "172.32.0.1"))
	if got := a.Leaf().DNSNames; !slices.Equal(got, []string{"envivo.local"}) || len(a.Leaf().IPAddresses) != 0 {
		t.Errorf("the leaf covers %v %v", got, a.Leaf().IPAddresses)
	}
	root, key := s.keyOfRoot()
	for _, bad := range []x509.Certificate{
		{DNSNames: []string{"www.banco.cl"}}, {DNSNames: []string{"envivo.local", "banco.cl"}},
		{IPAddresses: []net.IP{net.ParseIP("8.8.8.8")}}, {IPAddresses: []net.IP{net.ParseIP("2001:db8::1")}},
	} {
		forged := s.forge(bad, root, key)
		host := ""
		if len(forged.DNSNames) > 0 {
			host = forged.DNSNames[len(forged.DNSNames)-1]
		} else {
			host = forged.IPAddresses[0].String()
		}
		var invalid x509.CertificateInvalidError
		if err := s.trusts(root, forged, host); !errors.As(err, &invalid) || invalid.Reason != x509.CANotAuthorizedForThisName {
			t.Errorf("a forged certificate for %s: %v, want the name constraint", host, err)
		}
	}
}

// keyOfRoot is what a thief finds.
func (s *shelf) keyOfRoot() (*x509.Certificate, any) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "ca.pem"))
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := tls.X509KeyPair(text, text)
	if err != nil {
		s.t.Fatal(err)
	}
	return p.Leaf, p.PrivateKey
}

func (s *shelf) forge(c x509.Certificate, root *x509.Certificate, key any) *x509.Certificate {
	s.t.Helper()
	c.SerialNumber = root.SerialNumber
	c.NotBefore, c.NotAfter = s.now.Add(-time.Hour), s.now.Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, &c, root, root.PublicKey, key)
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func TestALeafIsRenewedInTimeAndWhenNamesChange(t *testing.T) {
	s := newShelf(t)
	a := s.open()
	home := names("envivo.local", "192.168.1.10")
	if !s.cover(a, home) || s.cover(a, home) {
		t.Fatal("want a leaf the first time and the same one the second")
	}
	for _, c := range []struct {
		name string
		at   time.Duration // after noon
		want localca.Names
		new  bool
	}{
		{"a day later", day, home, false},
		{"fewer names", day, names("envivo.local"), false},
		{"another address", 2 * day, names("envivo.local", "192.168.1.77"), true},
		{"an address that no root may vouch for", 2 * day, names("envivo.local", "192.168.1.77", "8.8.8.8"), false},
		{"another name", 3 * day, names("planta.local", "192.168.1.77"), true},
		{"four months before the end", 280 * day, names("planta.local"), true},
		{"the clock set back", -20 * day, names("planta.local"), true},
		{"switched off for two years", 800 * day, names("planta.local"), true},
		{"the root is about to end", 3600 * day, names("planta.local"), true},
		{"nothing later can be made", 3640 * day, names("planta.local"), false},
	} {
		s.now = noon.Add(c.at)
		if got := s.cover(a, c.want); got != c.new {
			t.Errorf("%s: a new leaf = %v, want %v", c.name, got, c.new)
		}
		cert, err := a.Certificate(nil)
		if err != nil || cert.Leaf != a.Leaf() {
			t.Errorf("%s: the server answers with another leaf: %v", c.name, err)
		}
		if a.Leaf().NotAfter.After(a.Root().NotAfter) {
			t.Errorf("%s: the leaf outlives its root", c.name)
		}
	}
}

func TestTheAuthorityOutlivesARestart(t *testing.T) {
	s := newShelf(t)
	a := s.open()
	s.cover(a, names("envivo.local"))
	b := s.open()
	if s.cover(b, names("envivo.local")) || !b.Leaf().Equal(a.Leaf()) || !b.Root().Equal(a.Root()) {
		t.Error("a restart made other certificates")
	}
	root, leaf, err := localca.Inspect(s.dir)
	if err != nil || !root.Equal(a.Root()) || !leaf.Equal(a.Leaf()) {
		t.Errorf("Inspect finds others: %v", err)
	}
	all, err := os.ReadDir(s.dir)
	if err != nil || len(all) != 2 {
		t.Fatalf("the folder holds %v, %v; want two files", all, err)
	}
	for _, f := range all {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestDamageIsNamed(t *testing.T) {
	whole := newShelf(t)
	whole.cover(whole.open(), names("envivo.local"))
	other := newShelf(t)
	other.cover(other.open(), names("envivo.local"))
	read := func(s *shelf, name string) []byte {
		text, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, name := range []string{"ca.pem", "leaf.pem"} {
		good := read(whole, name)
		cert, key := pem.Decode(good)
		swapped := append(pem.EncodeToMemory(cert), key[:0]...)
		_, otherKey := pem.Decode(read(other, name))
		for what, bad := range map[string][]byte{
			"empty": nil, "half": good[:len(good)/2], "zeroes": make([]byte, len(good)), "no key": swapped,
			"another's key": append(pem.EncodeToMemory(cert), otherKey...), "a certificate that is none": bytes.Replace(good, []byte("MII"), []byte("AAA"), 1),
		} {
			s := newShelf(t)
			if err := os.MkdirAll(s.dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for file, text := range map[string][]byte{"ca.pem": read(whole, "ca.pem"), "leaf.pem": read(whole, "leaf.pem"), name: bad} {
				if err := os.WriteFile(filepath.Join(s.dir, file), text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s.damaged(name, what)
		}
	}
}

// damaged checks one damaged file: a root is refused by name and left as it is,
// a leaf is made again.
func (s *shelf) damaged(name, what string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	before, _ := os.ReadFile(path)
	if _, _, err := localca.Inspect(s.dir); err == nil || !strings.Contains(err.Error(), path) {
		s.t.Errorf("%s, %s: Inspect says %v", name, what, err)
	}
	a, err := localca.Open(s.options())
	if name == "ca.pem" {
		var damage *localca.DamagedError
		if !errors.As(err, &damage) || damage.Path != path {
			s.t.Errorf("%s, %s: %v, want the file by name", name, what, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			s.t.Errorf("%s, %s: it was changed", name, what)
		}
		return
	}
	if err != nil {
		s.t.Fatalf("%s, %s: %v", name, what, err)
	}
	if !s.cover(a, names("envivo.local")) || s.trusts(a.Root(), a.Leaf(), "envivo.local") != nil {
		s.t.Errorf("%s, %s: no good leaf was made", name, what)
	}
}

// TestAClockThatWasNeverSet: a root made in 1970 would be long over.
func TestAClockThatWasNeverSet(t *testing.T) {
	s := newShelf(t)
	s.now = time.Unix(0, 0)
	if _, err := localca.Open(s.options()); !errors.Is(err, localca.ErrClock) {
		t.Errorf("Open = %v, want ErrClock", err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "ca.pem")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a root was made: %v", err)
	}
}

// TestTheProfileHoldsTheRoot: well-formed, and the same every time.
func TestTheProfileHoldsTheRoot(t *testing.T) {
	s := newShelf(t)
	a := s.open()
	p := localca.Profile(a.Root())
	if !bytes.Equal(p, localca.Profile(a.Root())) {
		t.Error("the profile differs from one time to the next")
	}
	for d := xml.NewDecoder(bytes.NewReader(p)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the profile is no XML: %v", err)
		}
	}
	b, rest := pem.Decode(a.RootPEM())
	if b == nil || len(rest) != 0 || bytes.Contains(a.RootPEM(), []byte("PRIVATE")) {
		t.Fatalf("the download is not one certificate: %s", a.RootPEM())
	}
	if got := localca.Fingerprint(a.Root()); len(got) != 32*3-1 {
		t.Errorf("fingerprint %q", got)
	}
}
