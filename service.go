package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// watchdogWithin is how soon a server that proves nothing any more is ended and
// started again.
const watchdogWithin = time.Minute

type serviceCmd struct {
	Install   serviceInstall   `cmd:"" help:"Run the server with these settings from now on, also after every start of this machine."`
	Uninstall serviceUninstall `cmd:"" help:"Stop the service and remove it. The data folder stays."`
	Status    serviceStatus    `cmd:"" help:"Tell how the service is doing."`
}

// Which names a service.
type Which struct {
	Service string `default:"envivo" placeholder:"NAME" help:"Name of the service (${default}); one machine may run several."`
}

var serviceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)

// Validate is called by kong.
func (w *Which) Validate() error {
	if !serviceName.MatchString(w.Service) {
		return fmt.Errorf("--service %q: want letters, digits, - or _", w.Service)
	}
	return nil
}

type serviceInstall struct {
	Config `embed:""`
	Which  `embed:""`
	User   string `placeholder:"NAME" help:"Account the server runs as; by default one of its own, named like the service, which is made when it is missing."`
	Print  bool   `help:"Only print what would be installed."`
	Root   string `hidden:"" placeholder:"DIR" help:"Install below this folder, into an image; nothing is started."`
}

// Validate is called by kong; both embedded parts have one of their own.
func (s *serviceInstall) Validate() error {
	if err := s.Which.Validate(); err != nil {
		return err
	}
	return s.Config.Validate()
}

// Run installs, or prints.
func (s *serviceInstall) Run(p *program, k *kong.Context) error {
	if strings.HasPrefix(s.Sheet.Credentials, "$") {
		return usageError{errors.New("a service needs the key of the Sheet in a file: --sheet-credentials FILE")}
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	settings, err := chosen(k, p.env)
	if err != nil {
		return err
	}
	u := unit{name: s.Service, user: s.User, program: exe, settings: settings, lowPort: s.lowPort()}
	if u.user == "" {
		u.user = s.Service
	}
	if s.Print {
		_, err := fmt.Fprint(p.out, u.printed(runtime.GOOS))
		return err
	}
	return install(p, &u, s.Root)
}

type serviceUninstall struct {
	Which `embed:""`
}

// Run removes the service.
func (s *serviceUninstall) Run(p *program) error { return uninstall(p, s.Service) }

type serviceStatus struct {
	Which `embed:""`
}

// Run passes on what the operating system says.
func (s *serviceStatus) Run(p *program) error { return status(p, s.Service) }

// choice is a setting that differs from its default.
type choice struct {
	name, value string
	// folder and file say what value names; both are absolute paths then.
	folder, file bool
}

// chosen are the settings given on the command line or by a variable, data
// always among them. A service has no working folder and no environment of its
// own, so paths are made absolute.
func chosen(k *kong.Context, env *environment) ([]choice, error) {
	given := map[string]bool{"data": true}
	for _, path := range k.Path {
		if path.Flag != nil {
			given[path.Flag.Name] = true
		}
	}
	for name := range env.from {
		given[name] = true
	}
	var out []choice
	for _, f := range k.Flags() {
		if !f.Tag.Has("setting") || !given[f.Name] {
			continue
		}
		s := choice{name: f.Name, value: text(f.Target), folder: f.PlaceHolder == "DIR", file: f.PlaceHolder == "FILE"}
		if err := s.absolute(); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// text is a setting's value as the command line takes it.
func text(v reflect.Value) string {
	if list, ok := v.Interface().([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(v.Interface())
}

func (s *choice) absolute() (err error) {
	switch {
	case s.value == "":
	case s.folder || s.file:
		s.value, err = filepath.Abs(s.value)
	case s.name == "tls":
		cert, key, ok := strings.Cut(s.value, ",")
		if !ok {
			return nil
		}
		if cert, err = filepath.Abs(cert); err != nil {
			return err
		}
		key, err = filepath.Abs(key)
		s.value = cert + "," + key
	}
	return err
}

// lowPort says that the address is one that only the superuser may take.
func (s *serviceInstall) lowPort() bool {
	_, port, _ := strings.Cut(s.Addr[strings.LastIndex(s.Addr, ":"):], ":")
	var n int
	_, err := fmt.Sscan(port, &n)
	return err == nil && n > 0 && n < 1024
}
