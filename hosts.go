package main

import (
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// limitFlags bound what callers may do, and the names they may do it under.
type limitFlags struct {
	Host            []string `setting:"" name:"host" placeholder:"NAME" help:"More names the box answers to, beside addresses, names without dots, local names and those of its certificate."`
	WriteRate       int      `setting:"" default:"20" help:"Writes per second a tablet may send; a program may 10 times, an address in open access 25 times as many; 0 no limit."`
	ConnsPerAddress int      `setting:"" name:"conns-per-address" default:"0" help:"Connections one address may hold; 0 means 256, and for this machine no limit of its own."`
}

func (l *limitFlags) validate() error {
	switch {
	case l.WriteRate < 0 || l.WriteRate > 100_000:
		return errors.New("--write-rate must be between 0 and 100000")
	case l.ConnsPerAddress < 0:
		return errors.New("--conns-per-address must not be negative")
	}
	return nil
}

// homeDomains cannot be bought on the Internet, so nobody elsewhere can let a
// name under them point here.
var homeDomains = [...]string{".local", ".localhost", ".lan", ".internal", ".home.arpa", ".localdomain"}

// knownHost says whether a Host header can be the box's own: an address, a name
// without dots, a name of a local network, a name of the certificate, or one of
// --host. Any other name may have been bought to point at this box, so that the
// pages of a stranger count as the box's own (DNS rebinding).
func knownHost(more []string, cert *x509.Certificate) func(string) bool {
	return func(host string) bool {
		name := host
		if h, _, err := net.SplitHostPort(host); err == nil {
			name = h
		}
		name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
		if _, err := netip.ParseAddr(name); err == nil {
			return true
		}
		if !strings.Contains(name, ".") {
			return name != ""
		}
		for _, d := range homeDomains {
			if strings.HasSuffix(name, d) {
				return true
			}
		}
		return slices.ContainsFunc(more, func(m string) bool { return strings.EqualFold(strings.TrimSuffix(m, "."), name) }) ||
			cert != nil && cert.VerifyHostname(name) == nil
	}
}

// knownHost is knownHost with the names of this box and of its certificate.
func (f *floor) knownHost() func(string) bool {
	var cert *x509.Certificate
	if f.secured != nil && f.secured.files != nil {
		cert = f.secured.files.Leaf
	}
	return knownHost(slices.Concat(f.cfg.Limits.Host, f.cfg.certificateNames().DNS), cert)
}
