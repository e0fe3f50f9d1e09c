package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"envivo/localca"
	"envivo/plant"
)

// Config is every setting of the server. A flag wins over ENVIVO_<FLAG>, that
// over the earlier deployment's variable, that over the default.
type Config struct {
	Where   `embed:""`
	Addr    string        `setting:"" default:":8080" placeholder:"HOST:PORT" help:"Listen address (${default}); port 0 takes a free one."`
	Access  string        `setting:"" default:"enrolled" enum:"enrolled,open" help:"Who may read and act: enrolled (devices and tokens only) or open (anyone who reaches the port; supervisor acts still need the PIN)."`
	TLS     string        `setting:"" name:"tls" default:"off" placeholder:"off|auto|CERT,KEY" help:"HTTPS with the plant's own authority (auto) or these files; plain HTTP on the same port is redirected."`
	MDNS    string        `setting:"" name:"mdns" default:"envivo" placeholder:"NAME|off" help:"Name of the box in the local network, NAME.local."`
	LockTTL time.Duration `setting:"" name:"lock-ttl" default:"1h" help:"Age after which an occupation is vencida; 0 never."`

	CheckRoles   bool `setting:"" default:"true" negatable:"" help:"Refuse work by workers without the role."`
	CheckWorkers bool `setting:"" default:"true" negatable:"" help:"Refuse unknown and inactive workers."`

	Sheet sheetFlags `embed:"" prefix:"sheet-"`

	CORSOrigins []string      `setting:"" name:"cors-origins" default:"http://localhost:3000,http://localhost:3001" help:"Origins of other front ends that may call the API."`
	BackupEvery time.Duration `setting:"" default:"1h" help:"How often a verified copy is put into DIR/backups; 0 never."`
	BackupKeep  int           `setting:"" default:"48" help:"How many of the newest automatic copies are kept."`

	BackupKeepDays   int    `setting:"" default:"31" help:"For how many days the last copy of each day is kept."`
	BackupKeepMonths int    `setting:"" default:"12" help:"For how many months the last copy of each month is kept."`
	BackupCopy       string `setting:"" placeholder:"DIR" help:"Folder on another disk (USB, NAS) that gets each copy as well; it must exist."`

	StandbyOf    string `setting:"" name:"standby-of" placeholder:"URL" help:"Follow the server at this address instead of being one: pages only, ready to be promoted."`
	StandbyToken string `setting:"" placeholder:"FILE" help:"File with an admin token of that server."`
	StandbyCA    string `setting:"" name:"standby-ca" placeholder:"FILE" help:"Certificate of the authority that signed that server's, when the system does not know it."`

	Limits limitFlags `embed:""`

	Logging `embed:""`
}

// Where names the store. Every command that needs one takes these flags.
type Where struct {
	Data string `setting:"" default:"./envivo-data" placeholder:"DIR" help:"Data folder (${default}); the store is DIR/plant.db."`
	Env  string `setting:"" default:"" placeholder:"NAME" help:"Environment name stamped into the store at creation (produccion by default); a store of another name is refused."`
}

// Logging is how the server logs.
type Logging struct {
	LogLevel  string `setting:"" default:"info" enum:"debug,info,warn,error" help:"Least level that is logged."`
	LogFormat string `setting:"" default:"text" enum:"text,json" help:"Form of the log."`
	LogFile   string `setting:"" placeholder:"FILE" help:"Log into this file instead of stderr; at 10 MiB it is put aside."`
	LogKeep   int    `setting:"" default:"5" help:"How many log files put aside are kept."`
}

// sheetFlags are the settings of the Google Sheet.
type sheetFlags struct {
	ID          string        `setting:"" name:"id" placeholder:"ID" help:"Spreadsheet id; empty means no Sheet."`
	Credentials string        `setting:"" placeholder:"FILE" help:"Service-account key file."`
	Endpoint    string        `setting:"" placeholder:"URL" help:"Base URL of the Sheets API, for an emulator."`
	Interval    time.Duration `setting:"" default:"5s" help:"How long changes are gathered before one write."`
	Poll        time.Duration `setting:"" default:"30s" help:"How often human edits are read."`
	Budget      int           `setting:"" default:"20" help:"API calls per minute in steady state."`
	Compat      bool          `setting:"" help:"Read a sheet that was not migrated, without writing to it."`

	Operaciones  string `setting:"" default:"Operaciones" placeholder:"NAME" help:"Worksheet of the spools."`
	Trabajadores string `setting:"" default:"Trabajadores" placeholder:"NAME" help:"Worksheet of the workers."`
	Metadata     string `setting:"" default:"Metadata" placeholder:"NAME" help:"Worksheet of the log."`
}

// defaultEnv is stamped into a store created without --env.
const defaultEnv = "produccion"

var envName = regexp.MustCompile(`^[\p{L}\p{N}_-]{1,32}$`)

// Validate is called by kong after every source has been read.
func (w *Where) Validate() error {
	if w.Data == "" {
		return errors.New("--data must name a folder")
	}
	if w.Env != "" && !envName.MatchString(w.Env) {
		return fmt.Errorf("--env %q: want up to 32 letters, digits, - or _", w.Env)
	}
	return nil
}

// Validate checks what the types of the flags do not say.
func (c *Config) Validate() error {
	if err := c.Where.Validate(); err != nil {
		return err
	}
	if err := checkAddr(c.Addr); err != nil {
		return err
	}
	if c.TLS != "off" && c.TLS != "auto" {
		if _, _, ok := c.keyPair(); !ok {
			return fmt.Errorf("--tls %q: want off, auto or CERT,KEY", c.TLS)
		}
	}
	if c.MDNS != "off" && (localca.DNSName(c.MDNS) == "" || strings.Contains(c.MDNS, ".")) {
		return fmt.Errorf("--mdns %q: want a name of letters, digits and -, without dots, or off", c.MDNS)
	}
	for _, o := range c.CORSOrigins {
		u, err := url.Parse(o)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.TrimSuffix(u.Path, "/") != "" {
			return fmt.Errorf("--cors-origins %q: want an origin such as http://localhost:3000", o)
		}
	}
	switch {
	case c.LockTTL < 0:
		return errors.New("--lock-ttl must not be negative")
	case c.BackupEvery < 0:
		return errors.New("--backup-every must not be negative")
	case c.LogKeep < 1:
		return errors.New("--log-keep must be at least 1")
	case c.BackupKeep < 1:
		return errors.New("--backup-keep must be at least 1")
	case c.BackupKeepDays < 0 || c.BackupKeepMonths < 0:
		return errors.New("--backup-keep-days and --backup-keep-months must not be negative")
	}
	if c.StandbyOf != "" {
		if u, err := url.Parse(c.StandbyOf); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("--standby-of %q: want a URL such as http://planta:8080", c.StandbyOf)
		}
		if c.StandbyToken == "" {
			return errors.New("--standby-of needs --standby-token FILE with an admin token of that server")
		}
	}
	return errors.Join(c.Limits.validate(), c.Sheet.validate())
}

func (s *sheetFlags) validate() error {
	switch {
	case s.Interval <= 0, s.Poll <= 0:
		return errors.New("--sheet-interval and --sheet-poll must be positive")
	case s.Budget < 1 || s.Budget > 50:
		return errors.New("--sheet-budget must be between 1 and 50")
	case s.Operaciones == "" || s.Trabajadores == "" || s.Metadata == "":
		return errors.New("--sheet-operaciones, --sheet-trabajadores and --sheet-metadata must name worksheets")
	}
	if s.Endpoint != "" {
		if u, err := url.Parse(s.Endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("--sheet-endpoint %q: want a URL such as http://127.0.0.1:9000", s.Endpoint)
		}
	}
	return nil
}

func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("--addr %q: want HOST:PORT", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("--addr %q: the port must be between 0 and 65535", addr)
	}
	return nil
}

// env is the environment a new store is stamped with.
func (w *Where) env() string {
	if w.Env == "" {
		return defaultEnv
	}
	return w.Env
}

// keyPair splits --tls CERT,KEY.
func (c *Config) keyPair() (cert, key string, ok bool) {
	cert, key, ok = strings.Cut(c.TLS, ",")
	return cert, key, ok && cert != "" && key != ""
}

// localName is the box's name in the local network, empty when it has none.
func (c *Config) localName() string {
	if c.MDNS == "off" || c.MDNS == "" {
		return ""
	}
	return c.MDNS + ".local"
}

// rules are the plant's rules under these settings.
func (c *Config) rules() plant.Rules {
	r := plant.DefaultRules()
	r.TTL, r.CheckRoles, r.CheckWorkers = c.LockTTL, c.CheckRoles, c.CheckWorkers
	return r
}

// environment resolves settings from variables and remembers where each came
// from, for `envivo config`.
type environment struct {
	look func(string) (string, bool)
	from map[string]string // flag name -> variable
}

func newEnvironment() *environment {
	return &environment{look: os.LookupEnv, from: map[string]string{}}
}

// Validate is part of kong.Resolver.
func (e *environment) Validate(*kong.Application) error { return nil }

// Resolve looks a setting up in the environment. An empty variable counts as
// absent. Flags that are no settings (--force, --dry-run) have no variable.
func (e *environment) Resolve(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
	if !f.Tag.Has("setting") {
		return nil, nil
	}
	if v, ok := e.look(variable(f.Name)); ok && v != "" {
		e.from[f.Name] = variable(f.Name)
		return v, nil
	}
	name, v, err := e.alias(f.Name)
	if err != nil || v == "" {
		return nil, err
	}
	e.from[f.Name] = name
	return v, nil
}

// variable is the name of a setting's own environment variable.
func variable(flag string) string {
	return "ENVIVO_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// alias reads the variables of the earlier deployment (rules §2.1).
func (e *environment) alias(flag string) (name, value string, err error) {
	get := func(name string) string { v, _ := e.look(name); return strings.TrimSpace(v) }
	switch flag {
	case "sheet-id":
		return "GOOGLE_SHEET_ID", get("GOOGLE_SHEET_ID"), nil
	case "sheet-credentials":
		const json = "GOOGLE_APPLICATION_CREDENTIALS_JSON" // the key's text itself: named, never copied into a setting
		if get(json) != "" {
			return json, "$" + json, nil
		}
	case "sheet-operaciones":
		return "HOJA_OPERACIONES_NOMBRE", get("HOJA_OPERACIONES_NOMBRE"), nil
	case "sheet-trabajadores":
		return "HOJA_TRABAJADORES_NOMBRE", get("HOJA_TRABAJADORES_NOMBRE"), nil
	case "sheet-metadata":
		return "HOJA_METADATA_NOMBRE", get("HOJA_METADATA_NOMBRE"), nil
	case "addr":
		host, port := get("API_HOST"), get("API_PORT")
		switch {
		case port != "":
			return "API_HOST, API_PORT", net.JoinHostPort(host, port), nil
		case host != "":
			return "API_HOST", net.JoinHostPort(host, "8080"), nil
		}
	case "lock-ttl":
		if v := get("REDIS_LOCK_TTL_SECONDS"); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil {
				return "", "", fmt.Errorf("REDIS_LOCK_TTL_SECONDS=%q is no number of seconds", v)
			}
			return "REDIS_LOCK_TTL_SECONDS", (time.Duration(n) * time.Second).String(), nil
		}
	case "cors-origins":
		return "ALLOWED_ORIGINS", spaceless(get("ALLOWED_ORIGINS")), nil
	case "env":
		v := get("ENVIRONMENT")
		if strings.EqualFold(v, "production") {
			v = defaultEnv
		}
		return "ENVIRONMENT", v, nil
	case "log-level":
		return "LOG_LEVEL", oldLevel(get("LOG_LEVEL")), nil
	}
	return "", "", nil
}

func spaceless(s string) string { return strings.ReplaceAll(s, " ", "") }

// oldLevel turns the earlier deployment's level names into ours.
func oldLevel(s string) string {
	switch s = strings.ToLower(s); s {
	case "warning":
		return "warn"
	case "critical", "fatal":
		return "error"
	}
	return s
}

type configCmd struct {
	Config `embed:""`
}

// Run prints the effective settings and where each comes from.
func (c *configCmd) Run(p *program, k *kong.Context) error {
	given := map[string]bool{}
	for _, path := range k.Path {
		if path.Flag != nil && !path.Resolved {
			given[path.Flag.Name] = true
		}
	}
	for _, f := range k.Flags() {
		if !f.Tag.Has("setting") {
			continue
		}
		source := "default"
		switch v, ok := p.env.from[f.Name]; {
		case given[f.Name]:
			source = "flag"
		case ok:
			source = v
		}
		if _, err := fmt.Fprintf(p.out, "%-18s %-48s %s\n", f.Name, shown(f, &c.Config), source); err != nil {
			return err
		}
	}
	if tz, ok := p.env.look("TIMEZONE"); ok && tz != plant.Zone().String() {
		p.say("TIMEZONE=%s has no effect: the plant's zone is always %s", tz, plant.Zone())
	}
	return nil
}

// shown is a setting's value as text; an empty one shows as "-".
func shown(f *kong.Flag, c *Config) string {
	switch f.Name {
	case "env":
		return c.env()
	case "cors-origins":
		return strings.Join(c.CORSOrigins, ",")
	}
	s := fmt.Sprint(f.Target.Interface())
	if s == "" {
		return "-"
	}
	return s
}
