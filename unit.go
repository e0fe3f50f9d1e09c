package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// unit is a server as the operating system is to run it.
type unit struct {
	name, user, program string
	settings            []choice
	// lowPort asks for the right to listen below 1024.
	lowPort bool
}

// value is one of the settings.
func (u *unit) value(name string) string {
	for _, s := range u.settings {
		if s.name == name {
			return s.value
		}
	}
	return ""
}

// folders are those the server writes into, the data folder first.
func (u *unit) folders() []string {
	out := []string{u.value("data")}
	for _, s := range u.settings {
		switch {
		case s.value == "" || s.name == "data":
		case s.folder:
			out = append(out, s.value)
		case s.name == "log-file":
			out = append(out, filepath.Dir(s.value))
		}
	}
	slices.Sort(out[1:])
	return slices.Compact(out)
}

// arguments are those of the program.
func (u *unit) arguments() []string {
	out := []string{"serve"}
	for _, s := range u.settings {
		out = append(out, "--"+s.name+"="+s.value)
	}
	return out
}

// keyFile is the name under which systemd hands the key of the Sheet over.
const keyFile = "sheet-key"

// systemdUnit is the unit file. The server runs as an account of its own that
// can write its folders and nothing else; what it may not do at all is listed,
// so that a fault in it stays in it. It is ended and started again when it fails
// or proves nothing for watchdogWithin, but not when its arguments are wrong
// (exitSettings): that does not mend itself.
func (u *unit) systemdUnit() string {
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	folders := u.folders()
	line("# Written by envivo service install; install again to change it.")
	line("[Unit]")
	line("Description=envivo %s: who has which pipe spool", u.name)
	line("After=network.target")
	line("RequiresMountsFor=%s", quoted(folders[0]))
	line("StartLimitIntervalSec=0")
	line("")
	line("[Service]")
	line("Type=notify")
	command := []string{quoted(u.program)}
	for _, a := range u.arguments() {
		if key, ok := strings.CutPrefix(a, "--sheet-credentials="); ok && key != "" {
			line("LoadCredential=%s:%s", keyFile, escaped(key))
			command = append(command, "--sheet-credentials=%d/"+keyFile)
			continue
		}
		command = append(command, quoted(strings.ReplaceAll(a, "$", "$$")))
	}
	line("ExecStart=%s", strings.Join(command, " "))
	line("User=%s", u.user)
	line("UMask=0077")
	line("Restart=always")
	line("RestartSec=2")
	line("RestartPreventExitStatus=%d", exitSettings)
	line("WatchdogSec=%d", int(watchdogWithin.Seconds()))
	line("TimeoutStartSec=15min")
	line("TimeoutStopSec=60")
	line("LimitNOFILE=65536")
	line("OOMScoreAdjust=-500")
	line("")
	line("ProtectSystem=strict")
	line("ReadWritePaths=%s", quoted(folders[0]))
	for _, f := range folders[1:] {
		line("ReadWritePaths=%s", quoted("-"+f))
	}
	line("ProtectHome=%s", u.home())
	if u.lowPort {
		line("AmbientCapabilities=CAP_NET_BIND_SERVICE")
		line("CapabilityBoundingSet=CAP_NET_BIND_SERVICE")
	} else {
		line("CapabilityBoundingSet=")
	}
	b.WriteString(hardening)
	line("")
	line("[Install]")
	line("WantedBy=multi-user.target")
	return b.String()
}

// hardening is what no plant's server ever needs. Netlink is how a program asks
// for the machine's own addresses.
const hardening = `NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
`

// home says how much the server sees of the people's folders: nothing, unless
// its program, its data or a file of its settings lies there.
func (u *unit) home() string {
	paths := append(u.folders(), u.program)
	for _, s := range u.settings {
		if s.file || s.name == "tls" {
			paths = append(paths, strings.Split(s.value, ",")...)
		}
	}
	for _, p := range paths {
		for _, home := range []string{"/home/", "/root/", "/run/user/"} {
			if strings.HasPrefix(p, home) {
				return "read-only"
			}
		}
	}
	return "yes"
}

// quoted is a word of a unit file.
func quoted(s string) string {
	s = escaped(s)
	if strings.ContainsAny(s, " \t\"'\\;") || s == "" {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	return s
}

// escaped keeps systemd from reading % as one of its own.
func escaped(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// printed is what install would set up on an operating system.
func (u *unit) printed(goos string) string {
	if goos != "windows" {
		return u.systemdUnit()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "service   %s\naccount   %s\nprogram   %s\n", u.name, windowsAccount(u), u.program)
	for _, a := range u.arguments() {
		fmt.Fprintf(&b, "          %s\n", a)
	}
	return b.String()
}

// windowsAccount is the account of a service on Windows: a virtual one that
// exists for as long as the service does and has no password.
func windowsAccount(u *unit) string {
	if u.user != "" && u.user != u.name {
		return u.user
	}
	return `NT SERVICE\` + u.name
}
