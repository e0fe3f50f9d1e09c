package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"envivo/api"
	"envivo/localca"
	"envivo/plant"
	"envivo/ui"
)

const (
	// lookEvery is how soon a new address of the box is in its certificate.
	lookEvery = time.Minute
	// warnBefore is when a certificate's end is told: for our own that means
	// that renewing fails.
	warnBefore = 30 * 24 * time.Hour
)

// secured is the certificate the box serves with: of its own authority, or of
// two files that somebody else renews.
type secured struct {
	authority *localca.Authority // nil: files
	files     *tls.Certificate
	names     func() localca.Names
	log       *slog.Logger
}

// tlsFolder holds the plant's own authority.
func (c *Config) tlsFolder() string { return filepath.Join(c.Data, "tls") }

// secure reads or makes what --tls asks for; nil for off.
func (f *floor) secure() (*secured, error) {
	s := &secured{names: f.names, log: f.log}
	if f.cfg.TLS == "off" {
		return nil, nil
	}
	if cert, key, ok := f.cfg.keyPair(); ok {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("--tls: %w", err)
		}
		s.files = &pair
		return s, nil
	}
	host, _ := os.Hostname() // a box without a name has its addresses
	a, err := localca.Open(localca.Options{Dir: f.cfg.tlsFolder(), Now: f.now, Random: rand.Reader, Host: host, Log: f.log})
	if err != nil {
		return nil, fmt.Errorf("--tls auto: %w", err)
	}
	if _, err := a.Cover(s.names()); err != nil {
		return nil, fmt.Errorf("--tls auto: %w", err)
	}
	s.authority = a
	return s, nil
}

// config is HTTP/1.1 only: the live streams hijack their connection, and on a
// LAN HTTP/2 would win nothing.
func (s *secured) config() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if s.authority != nil {
		c.GetCertificate = s.authority.Certificate
	} else {
		c.Certificates = []tls.Certificate{*s.files}
	}
	return c
}

// leaf is the certificate in use.
func (s *secured) leaf() *x509.Certificate {
	if s.authority != nil {
		return s.authority.Leaf()
	}
	return s.files.Leaf
}

// run renews our own certificate until ctx ends. A failure is told once and
// tried again: the one in use stays good for months.
func (s *secured) run(ctx context.Context) error {
	if s.authority == nil {
		return nil
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		_, err := s.authority.Cover(s.names())
		if err != nil && !failing {
			s.log.Error("renew the certificate", "err", err)
		}
		failing = err != nil
	}
}

// tlsMetrics is the certificate's line of the metrics page.
func (f *floor) tlsMetrics(w io.Writer) {
	if f.secured != nil {
		writeGauges(w, []gauge{{"envivo_certificate_expiry_seconds", f.secured.leaf().NotAfter.Sub(f.now()).Seconds()}})
	}
}

// certificateLine is what the administration page says of the certificate.
func (f *floor) certificateLine() ui.HealthLine {
	line := ui.HealthLine{Name: "HTTPS", Level: levelWarn, Text: ui.TextNoHTTPS}
	if f.secured == nil {
		return line
	}
	leaf, now, own := f.secured.leaf(), f.now(), f.secured.authority != nil
	left := leaf.NotAfter.Sub(now)
	switch {
	case left < 0 || now.Before(leaf.NotBefore):
		line.Level, line.Text = levelBad, ui.CertificateInvalid(leaf.NotAfter)
	case left < warnBefore && own:
		line.Level, line.Text = levelBad, ui.CertificateStuck(leaf.NotAfter)
	case left < warnBefore:
		line.Text = ui.CertificateEnds(leaf.NotAfter)
	default:
		line.Level, line.Text = levelOK, ui.CertificateGood(leaf.NotAfter, own)
	}
	return line
}

// trust is what tablets need to trust our own authority; nil without one.
func (f *floor) trust() *api.Trust {
	if f.secured == nil || f.secured.authority == nil {
		return nil
	}
	root := f.secured.authority.Root()
	return &api.Trust{PEM: f.secured.authority.RootPEM(), Profile: localca.Profile(root),
		Fingerprint: localca.Fingerprint(root), Name: root.Subject.CommonName, Until: root.NotAfter, Hosts: f.hosts}
}

// hosts are the names and addresses tablets can use and that the certificate
// covers, with the port where it is not the scheme's own: the local name first,
// then addresses of version 4.
func (f *floor) hosts() []string {
	at := f.listen.Addr().(*net.TCPAddr)
	var all []string
	switch {
	case at.IP.IsUnspecified():
		if name := f.cfg.localName(); name != "" {
			all = append(all, name)
		}
		for _, a := range boxAddresses() {
			if a.Is4() && !a.IsLoopback() && !a.IsLinkLocalUnicast() {
				all = append(all, a.String())
			}
		}
	default:
		all = append(all, at.IP.String())
	}
	all = slices.DeleteFunc(all, func(h string) bool { return f.secured.leaf().VerifyHostname(h) != nil })
	if len(all) == 0 {
		all = append(all, "localhost")
	}
	for i, h := range all {
		if at.Port != 443 {
			all[i] = net.JoinHostPort(h, strconv.Itoa(at.Port))
		}
	}
	return all
}

// names are what the certificate should cover now.
func (f *floor) names() localca.Names {
	n := f.cfg.certificateNames()
	if other := f.renamed.Load(); other != nil {
		n.DNS = append(n.DNS, *other+".local")
	}
	return n
}

// certificateNames are what the box is called now: by its name in the local
// network, its host name, the address it listens on, and every address it has.
func (c *Config) certificateNames() localca.Names {
	n := localca.Names{DNS: []string{"localhost"}}
	if name := c.localName(); name != "" {
		n.DNS = append(n.DNS, name)
	}
	if host, err := os.Hostname(); err == nil {
		if h := localca.DNSName(host); h != "" {
			n.DNS = append(n.DNS, h, h+".local")
		}
	}
	if host, _, err := net.SplitHostPort(c.Addr); err == nil && localca.DNSName(host) != "" {
		n.DNS = append(n.DNS, localca.DNSName(host))
	}
	n.IP = append(boxAddresses(), netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback())
	return n
}

// boxAddresses are the addresses of this machine, none when it cannot tell.
func boxAddresses() []netip.Addr {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, a := range found {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p.Addr().Unmap())
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// certificate judges what --tls would serve, without making anything.
func (d *doctorCmd) certificate(now time.Time) verdict {
	switch d.TLS {
	case "off":
		return fine("certificate", "TLS is off")
	case "auto":
		return d.ownCertificate(now)
	}
	file, key, _ := d.keyPair()
	pair, err := tls.LoadX509KeyPair(file, key)
	if err != nil {
		return bad("certificate", "%v", err)
	}
	v := judged(pair.Leaf, now, "renew it")
	if missing, all := uncovered(pair.Leaf, d.certificateNames()); all && v.level == "ok" {
		return warn("certificate", "%s; it covers none of the names and addresses tablets may use: %v", v.text, missing)
	}
	return v
}

// uncovered are the names by which tablets may reach the box and that a
// certificate does not cover; all is set when it covers none.
func uncovered(leaf *x509.Certificate, n localca.Names) (missing []string, all bool) {
	n.DNS = slices.DeleteFunc(n.DNS, func(d string) bool { return d == "localhost" })
	n.IP = slices.DeleteFunc(n.IP, netip.Addr.IsLoopback)
	missing = localca.Missing(leaf, n)
	return missing, len(missing) > 0 && len(missing) == len(n.DNS)+len(n.IP)
}

// localNameVerdict tells by which name tablets find the box.
func (d *doctorCmd) localNameVerdict() verdict {
	if name := d.localName(); name != "" {
		return fine("name", "%s, published while a server runs on an address of the network", name)
	}
	return fine("name", "none in the local network (--mdns off)")
}

// ownCertificate judges the files of the plant's own authority.
func (d *doctorCmd) ownCertificate(now time.Time) verdict {
	root, leaf, err := localca.Inspect(d.tlsFolder())
	switch {
	case err != nil:
		return bad("certificate", "%v", err)
	case root == nil:
		return fine("certificate", "serve --tls auto makes the plant's authority at its first start")
	case now.Before(root.NotBefore) || now.After(root.NotAfter):
		return bad("certificate", "the plant's authority is valid from %s to %s: not now", plant.DateOf(root.NotBefore), plant.DateOf(root.NotAfter))
	case root.NotAfter.Sub(now) < 365*24*time.Hour:
		return warn("certificate", "the plant's authority ends on %s: plan a new one, every tablet must trust it", plant.DateOf(root.NotAfter))
	case leaf == nil:
		return fine("certificate", "serve --tls auto makes the box's certificate at its next start")
	}
	v := judged(leaf, now, "a running server renews it; if one runs, see its log")
	if missing, _ := uncovered(leaf, localca.Allowed(root, d.certificateNames())); len(missing) > 0 && v.level == "ok" {
		v.text += fmt.Sprintf("; a running server adds %v within a minute", missing)
	}
	return v
}

func judged(leaf *x509.Certificate, now time.Time, advice string) verdict {
	left := leaf.NotAfter.Sub(now)
	text := fmt.Sprintf("%v %v, valid until %s", leaf.DNSNames, leaf.IPAddresses, plant.DateOf(leaf.NotAfter))
	switch {
	case left < 0 || now.Before(leaf.NotBefore):
		return bad("certificate", "%s: not valid now", text)
	case left < warnBefore:
		return warn("certificate", "%s: %s", text, advice)
	}
	return fine("certificate", "%s", text)
}
