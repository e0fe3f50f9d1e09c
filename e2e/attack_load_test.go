package e2e

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// latencies takes and gives back spools, and sorts how long that took.
func (a *assault) latencies(n int) []time.Duration {
	var out []time.Duration
	for i := range n {
		path, body := "/api/occupation/tomar", a.take(2)
		if i%2 == 1 {
			path = "/api/occupation/pausar"
		}
		begin := time.Now()
		if got := a.code("POST", path, body, bearer(a.act)...); got != "200 " {
			a.t.Fatalf("%s under attack: %s", path, got)
		}
		out = append(out, time.Since(begin))
	}
	slices.Sort(out)
	return out
}

// slow holds 300 connections that never finish their header: commands go on
// beside them, and the box cuts every one.
func (a *assault) slow() string {
	calm := a.latencies(40)
	begin := time.Now()
	var held []net.Conn
	for range 300 {
		c := a.dial()
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "); err != nil {
			return "not held: " + err.Error()
		}
		held = append(held, c)
	}
	under := a.latencies(40)
	for _, c := range held {
		_ = c.SetReadDeadline(begin.Add(time.Minute)) // a socket takes any deadline
		if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
			return "still held after a minute: " + err.Error()
		}
	}
	a.t.Logf("a command beside 300 slow connections: median %v, worst of 40 %v (before: %v, %v); all cut after %v",
		under[20], under[39], calm[20], calm[39], time.Since(begin))
	return "cut, commands go on"
}

// crowd opens more connections than one address may hold.
func (a *assault) crowd() string {
	addr, refused := strings.TrimPrefix(a.url, "http://"), 0
	var held []net.Conn
	for range 500 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			refused++
			continue
		}
		held = append(held, c)
	}
	for _, c := range held[min(400, len(held)):] {
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second)) // a socket takes any deadline
		if _, err := c.Read(make([]byte, 1)); err != nil {
			refused++
		}
	}
	for _, c := range held {
		_ = c.Close() // the flood is over
	}
	if refused < 100 {
		return "let in"
	}
	if got := a.code("GET", "/api/workers", "", append(bearer(a.read), "X-From", "127.0.0.5")...); got != "200 " {
		return "another address: " + got
	}
	return "reset beyond its share"
}

// exported is everything an export holds.
func (a *assault) exported() string {
	var all strings.Builder
	for _, text := range a.exportedFiles() {
		all.WriteString(text)
	}
	return all.String()
}

// leaks looks for the planted secrets in everything the box gives out.
func (a *assault) leaks() {
	out := map[string]string{"the log at debug level": a.logs.String(), "the export": a.exported(),
		"config": envivo(a.t, "config", "--data", a.data), "what is known of Bruno": a.aboutBruno(), "token list": envivo(a.t, "token", "list", "--data", a.data)}
	if report, err := run("doctor", "--data", a.data); report != "" {
		out["doctor"] = report
	} else if err != nil {
		a.t.Errorf("doctor says nothing: %v", err)
	}
	for _, path := range []string{"/api/events?limit=5000", "/metrics", "/api/devices", "/api/health", "/api/health/diagnostic", "/api/webhooks", "/admin", "/sync", "/supervisor", "/quien", "/"} {
		_, raw := a.ask("GET", path, "", bearer(a.admin)...)
		out["GET "+path] = raw
	}
	err := filepath.WalkDir(a.data, func(path string, d os.DirEntry, err error) error {
		out["file names"] += path + "\n"
		return err
	})
	if err != nil {
		a.t.Fatal(err)
	}
	_, device, _ := strings.Cut(a.device, "=")
	_, session, _ := strings.Cut(a.session, "=")
	seal := a.person[strings.LastIndexByte(a.person, '.')+1:]
	for name, secret := range map[string]string{"the PIN": a.pin, "a worker's PIN": a.workerPIN, "the seal of a person's cookie": seal, "a token": a.read, "the act token": a.act, "the admin token": a.admin, "a device's secret": device, "a session": session, "a PIN's hash": "argon2id"} {
		if secret == "" {
			a.t.Errorf("%s is empty; the search would prove nothing", name)
			continue
		}
		for where, text := range out {
			if strings.Contains(text, secret) {
				a.t.Errorf("%s holds %s", where, name)
			}
		}
	}
}
