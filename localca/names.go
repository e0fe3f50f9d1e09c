package localca

import (
	"crypto/x509"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Names are what a leaf is valid for.
type Names struct {
	DNS []string     // lower case, without a trailing dot
	IP  []netip.Addr // without a zone
}

// private are the addresses a plant's box can have.
var private = []string{
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8",
	"fc00::/7", "fe80::/10", "::1/128",
}

func privateNets() []*net.IPNet {
	out := make([]*net.IPNet, len(private))
	for i, s := range private {
		p := netip.MustParsePrefix(s)
		out[i] = &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
	}
	return out
}

var dnsName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// DNSName is a host name as certificates spell it, empty for one that cannot
// stand in a certificate.
func DNSName(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if len(host) > 253 || !dnsName.MatchString(host) {
		return ""
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	return host
}

// Allowed keeps what a root may vouch for, sorted and once each.
func Allowed(root *x509.Certificate, n Names) Names {
	var out Names
	for _, d := range n.DNS {
		if d = DNSName(d); d != "" && mayName(root, d) {
			out.DNS = append(out.DNS, d)
		}
	}
	for _, a := range n.IP {
		a = a.Unmap().WithZone("")
		if slices.ContainsFunc(root.PermittedIPRanges, func(r *net.IPNet) bool { return r.Contains(a.AsSlice()) }) {
			out.IP = append(out.IP, a)
		}
	}
	slices.Sort(out.DNS)
	slices.SortFunc(out.IP, netip.Addr.Compare)
	return Names{slices.Compact(out.DNS), slices.Compact(out.IP)}
}

// mayName follows RFC 5280 §4.2.1.10: a permitted domain admits itself and
// everything below it.
func mayName(root *x509.Certificate, name string) bool {
	return slices.ContainsFunc(root.PermittedDNSDomains, func(d string) bool {
		return name == d || strings.HasSuffix(name, "."+d)
	})
}

// Missing is what a certificate does not cover of the wanted names.
func Missing(leaf *x509.Certificate, want Names) []string {
	var out []string
	for _, d := range want.DNS {
		if leaf.VerifyHostname(d) != nil {
			out = append(out, d)
		}
	}
	for _, a := range want.IP {
		if leaf.VerifyHostname(a.String()) != nil {
			out = append(out, a.String())
		}
	}
	return out
}
