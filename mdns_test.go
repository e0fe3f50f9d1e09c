package main

import (
	"net"
	"testing"
)

// TestABoxForItselfHasNoName: nothing is published on loopback, nor with off.
func TestABoxForItselfHasNoName(t *testing.T) {
	lan, loop, all := net.IPv4(192, 168, 1, 10), net.IPv4(127, 0, 0, 1), net.IPv4zero
	for _, c := range []struct {
		name string
		ip   net.IP
		want bool
	}{{"envivo", all, true}, {"envivo", lan, true}, {"envivo", loop, false}, {"envivo", net.IPv6loopback, false}, {"off", all, false}, {"", all, false}} {
		if got := (&Config{MDNS: c.name}).announced(&net.TCPAddr{IP: c.ip, Port: 8080}); got != c.want {
			t.Errorf("--mdns %q on %v: published = %v, want %v", c.name, c.ip, got, c.want)
		}
	}
	if got := (&Config{MDNS: "planta"}).certificateNames().DNS; len(got) < 2 || got[1] != "planta.local" {
		t.Errorf("the certificate covers %v, want planta.local", got)
	}
}
