package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// runWith executes a command line in this process with an environment.
func runWith(t *testing.T, env map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	look := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	p := &program{in: strings.NewReader(""), out: &o, err: &e, now: func() time.Time { return time.Unix(1_795_000_000, 0) },
		exit: func(int) {}, env: &environment{look: look, from: map[string]string{}}}
	code = run(p, args)
	return code, o.String(), e.String()
}

// setting is the value and the source that `envivo config` prints.
func setting(t *testing.T, out, name string) (value, source string) {
	t.Helper()
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) >= 3 && f[0] == name {
			return f[1], strings.Join(f[2:], " ")
		}
	}
	t.Fatalf("envivo config prints no %s:\n%s", name, out)
	return "", ""
}

func TestSettingsComeFromTheNearestSource(t *testing.T) {
	type env = map[string]string
	for _, c := range []struct {
		name, setting string
		env           env
		args          []string
		value, source string
	}{
		{"default", "addr", nil, nil, ":8080", "default"},
		{"flag", "addr", nil, []string{"--addr", ":9"}, ":9", "flag"},
		{"variable", "addr", env{"ENVIVO_ADDR": ":7"}, nil, ":7", "ENVIVO_ADDR"},
		{"flag before variable", "addr", env{"ENVIVO_ADDR": ":7"}, []string{"--addr", ":9"}, ":9", "flag"},
		{"flag equal to the default before variable", "addr", env{"ENVIVO_ADDR": ":7"}, []string{"--addr", ":8080"}, ":8080", "flag"},
		{"variable before alias", "addr", env{"ENVIVO_ADDR": ":7", "API_PORT": "8000"}, nil, ":7", "ENVIVO_ADDR"},
		{"empty variable counts as absent", "addr", env{"ENVIVO_ADDR": ""}, nil, ":8080", "default"},
		{"old port", "addr", env{"API_PORT": "8000"}, nil, ":8000", "API_HOST, API_PORT"},
		{"old host and port", "addr", env{"API_HOST": "0.0.0.0", "API_PORT": "8000"}, nil, "0.0.0.0:8000", "API_HOST, API_PORT"},
		{"old host", "addr", env{"API_HOST": "10.0.0.5"}, nil, "10.0.0.5:8080", "API_HOST"},
		{"old lock time", "lock-ttl", env{"REDIS_LOCK_TTL_SECONDS": "7200"}, nil, "2h0m0s", "REDIS_LOCK_TTL_SECONDS"},
		{"lock time never", "lock-ttl", env{"ENVIVO_LOCK_TTL": "0"}, nil, "0s", "ENVIVO_LOCK_TTL"},
		{"old origins", "cors-origins", env{"ALLOWED_ORIGINS": "http://a:1, http://b:2"}, nil, "http://a:1,http://b:2", "ALLOWED_ORIGINS"},
		{"old environment", "env", env{"ENVIRONMENT": "production"}, nil, "produccion", "ENVIRONMENT"},
		{"old test environment", "env", env{"ENVIRONMENT": "local"}, nil, "local", "ENVIRONMENT"},
		{"environment", "env", nil, nil, "produccion", "default"},
		{"old level", "log-level", env{"LOG_LEVEL": "WARNING"}, nil, "warn", "LOG_LEVEL"},
		{"old sheet", "sheet-id", env{"GOOGLE_SHEET_ID": "abc"}, nil, "abc", "GOOGLE_SHEET_ID"},
		{"old key is named, not shown", "sheet-credentials", env{"GOOGLE_APPLICATION_CREDENTIALS_JSON": `{"private_key":"hush"}`}, nil,
			"$GOOGLE_APPLICATION_CREDENTIALS_JSON", "GOOGLE_APPLICATION_CREDENTIALS_JSON"},
		{"switch off by variable", "check-roles", env{"ENVIVO_CHECK_ROLES": "false"}, nil, "false", "ENVIVO_CHECK_ROLES"},
		{"switch off by flag", "check-roles", nil, []string{"--check-roles=false"}, "false", "flag"},
		{"switch off by its opposite", "check-workers", nil, []string{"--no-check-workers"}, "false", "flag"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := runWith(t, c.env, append([]string{"config"}, c.args...)...)
			if code != 0 {
				t.Fatalf("envivo config exits %d, want 0: %s", code, errs)
			}
			if strings.Contains(out, "hush") {
				t.Errorf("envivo config prints a secret:\n%s", out)
			}
			if value, source := setting(t, out, c.setting); value != c.value || source != c.source {
				t.Errorf("%s = %s from %s, want %s from %s", c.setting, value, source, c.value, c.source)
			}
		})
	}
}

func TestBadSettingsAreRefused(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		args []string
		want string
	}{
		{nil, []string{"--addr", "8080"}, "HOST:PORT"},
		{nil, []string{"--addr", ":99999"}, "port"},
		{nil, []string{"--access", "all"}, "--access"},
		{nil, []string{"--tls", "on"}, "--tls"},
		{nil, []string{"--tls", "cert.pem,"}, "--tls"},
		{nil, []string{"--lock-ttl", "-1s"}, "--lock-ttl"},
		{nil, []string{"--lock-ttl", "soon"}, "--lock-ttl"},
		{nil, []string{"--backup-keep", "0"}, "--backup-keep"},
		{nil, []string{"--backup-every=-1h"}, "--backup-every"},
		{nil, []string{"--cors-origins", "localhost"}, "--cors-origins"},
		{nil, []string{"--env", "with blank"}, "--env"},
		{nil, []string{"--sheet-budget", "51"}, "--sheet-budget"},
		{nil, []string{"--write-rate=-1"}, "--write-rate"},
		{nil, []string{"--conns-per-address=-1"}, "--conns-per-address"},
		{nil, []string{"--nonsense"}, "--nonsense"},
		{nil, []string{"nonsense"}, "nonsense"},
		{map[string]string{"API_PORT": "http"}, nil, "port"},
		{map[string]string{"REDIS_LOCK_TTL_SECONDS": "1h"}, nil, "REDIS_LOCK_TTL_SECONDS"},
		{map[string]string{"ENVIVO_LOG_LEVEL": "loud"}, nil, "log-level"},
	} {
		code, out, errs := runWith(t, c.env, append([]string{"config"}, c.args...)...)
		if code != 2 || out != "" || !strings.HasPrefix(errs, "envivo: ") || !strings.Contains(errs, c.want) {
			t.Errorf("envivo config %v with %v = %d %q %q, want 2 and a message about %s", c.args, c.env, code, out, errs, c.want)
		}
	}
}

func TestDurationsAreShownAsTyped(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Hour: "1h", 90 * time.Minute: "1h30m", 5 * time.Minute: "5m", 45 * time.Second: "45s", 0: "0s", 10*time.Hour + 10*time.Second: "10h0m10s"} {
		if got := briefly(d); got != want {
			t.Errorf("%d s are shown as %s, want %s", int(d.Seconds()), got, want)
		}
	}
}
