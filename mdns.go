package main

import (
	"context"
	"fmt"
	"net"

	"github.com/brutella/dnssd"
	dnslog "github.com/brutella/dnssd/log"
)

// announce publishes the box's name in the local network until ctx ends. It is
// a convenience: where it fails, that is told once and everything else works.
func (f *floor) announce(ctx context.Context) error {
	at, _ := f.listen.Addr().(*net.TCPAddr)
	if !f.cfg.announced(at) {
		return nil
	}
	dnslog.Info.Disable() // it would write to stdout
	if err := f.publish(ctx, at); err != nil && ctx.Err() == nil {
		f.log.Warn("the name in the local network is not published; use the address", "name", f.cfg.localName(), "err", err)
	}
	return nil
}

// announced: a box that only its own machine reaches has no name.
func (c *Config) announced(at *net.TCPAddr) bool {
	return c.localName() != "" && at != nil && !at.IP.IsLoopback()
}

// publish blocks until ctx ends or something fails.
func (f *floor) publish(ctx context.Context, at *net.TCPAddr) error {
	kind := "_http._tcp"
	if f.secured != nil {
		kind = "_https._tcp"
	}
	srv, err := dnssd.NewService(dnssd.Config{Name: f.cfg.MDNS, Host: f.cfg.MDNS, Type: kind, Port: at.Port, Ifaces: interfacesOf(at.IP)})
	if err != nil {
		return fmt.Errorf("describe the service: %w", err)
	}
	if srv, err = dnssd.ProbeService(ctx, srv); err != nil {
		return fmt.Errorf("ask whether the name is free: %w", err)
	}
	if srv.Host != f.cfg.MDNS {
		f.log.Warn("another machine has this name; choose one with --mdns", "name", f.cfg.localName(), "instead", srv.Host+".local")
		f.renamed.Store(&srv.Host)
	}
	r, err := dnssd.NewResponder()
	if err != nil {
		return fmt.Errorf("listen for questions: %w", err)
	}
	if _, err := r.Add(srv); err != nil {
		return fmt.Errorf("add the service: %w", err)
	}
	f.log.Info("the box has a name in the local network", "name", srv.Host+".local", "port", at.Port)
	return r.Respond(ctx)
}

// interfacesOf are the interfaces that have an address; nil, which means all,
// for the address of every interface.
func interfacesOf(ip net.IP) []string {
	if ip.IsUnspecified() {
		return nil
	}
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range all {
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(ip) {
				return []string{i.Name}
			}
		}
	}
	return nil
}
