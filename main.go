// Command envivo runs a pipe plant's floor: who has which spool, live, on every
// screen. One binary holds the server, its pages and the tools around its store.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"envivo/store"
)

// cli is the whole command line.
type cli struct {
	Demo    demoCmd    `cmd:"" help:"Run the real server on a throw-away sample plant. Nothing to configure."`
	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Import  importCmd  `cmd:"" help:"Bring in a workbook (.xlsx) or a folder of .csv files. Repeatable."`
	Export  exportCmd  `cmd:"" help:"Write the worksheets with the current state and the complete Metadata."`
	Sheet   sheetCmd   `cmd:"" help:"Exchange with the office's Google Sheet."`
	Backup  backupCmd  `cmd:"" help:"Make a consistent, verified copy of the store, also of a running one."`
	Restore restoreCmd `cmd:"" help:"Put a backup into a data folder."`
	Promote promoteCmd `cmd:"" help:"Make a standby the plant's server, when the server is dead."`
	Check   checkCmd   `cmd:"" help:"Prove every invariant of the store; exit 1 and the first violation otherwise."`
	Token   tokenCmd   `cmd:"" help:"Make, list and revoke tokens for programs and wall screens."`
	Device  deviceCmd  `cmd:"" help:"Enrolled tablets and wall screens."`
	Webhook webhookCmd `cmd:"" help:"Programs that are sent every event."`
	Pin     pinCmd     `cmd:"" help:"The supervisor's PIN and the workers'."`
	Config  configCmd  `cmd:"" help:"Print the effective settings without secrets."`
	Service serviceCmd `cmd:"" help:"Have the operating system run the server: install, uninstall, status."`
	Worker  workerCmd  `cmd:"" help:"A person's data: export, and the name of somebody who left."`
	Paper   paperCmd   `cmd:"" name:"contingency" help:"Write who has what, with codes, as a page to print when the server cannot run."`
	Version versionCmd `cmd:"" help:"Print build, schema and Go version."`
	Drill   drillCmd   `cmd:"" hidden:"" help:"Restore a copy into an empty folder for practice; the server does so daily."`
	Doctor  doctorCmd  `cmd:"" help:"Examine disk, clock, store, certificate and port, and say what is wrong."`
}

// release is the version that people speak of; build tells binaries apart.
const release = "0.1.0"

// program is what a command may use of the outside world.
type program struct {
	in   io.Reader
	out  io.Writer
	err  io.Writer
	now  func() time.Time
	exit func(int)
	env  *environment
	// self runs parts of the program in processes of their own; nil does not.
	self *prover
	// manager watches the server in place of systemd; nil looks for that. giveUp
	// ends a process that nobody else would end when it hangs.
	manager overseer
	giveUp  func()
}

// overseer is who wants to know how a server does, and how soon it gives it up.
func (p *program) overseer(log *slog.Logger) (overseer, time.Duration) {
	if p.manager != nil {
		return p.manager, watchdogWithin
	}
	return systemd(p.env.look, os.Getpid(), log)
}

// say writes a message for the person at the terminal.
func (p *program) say(format string, args ...any) {
	fmt.Fprintf(p.err, "envivo: "+format+"\n", args...)
}

func main() {
	p := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr, now: time.Now, exit: os.Exit, env: newEnvironment(), self: newProver()}
	os.Exit(run(p, os.Args[1:]))
}

// exitSettings is the exit code of a service whose command line cannot be
// understood, which systemd is told not to start again (EX_CONFIG of sysexits.h).
// It cannot be 2: Go ends with that after a panic, and after the SIGABRT by which
// systemd ends a server that hangs.
const exitSettings = 78

// run executes one command line and returns the exit code: 0, 1 when the
// command failed, 2 when it could not be understood (exitSettings of a service).
func run(p *program, args []string) int {
	parser, err := kong.New(&cli{}, kong.Name("envivo"),
		kong.Description("Who has which spool, live. Start with: envivo demo"),
		kong.Writers(p.out, p.err), kong.Exit(p.exit), kong.Resolvers(p.env), kong.ValueFormatter(describe),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100, NoExpandSubcommands: true}), kong.Bind(p))
	if err != nil {
		p.say("%v", err)
		return 1
	}
	if len(args) == 0 {
		return usage(p, parser)
	}
	ctx, err := parser.Parse(args)
	if err == nil {
		err = ctx.Run(p)
	}
	switch {
	case err == nil:
		return 0
	case isUsage(err):
		p.say("%v (see envivo %s-h)", err, commandOf(err))
		if by, _ := p.env.look("NOTIFY_SOCKET"); by != "" {
			return exitSettings
		}
		return 2
	}
	p.say("%v", err)
	return 1
}

// usage answers a bare `envivo`: help, and an exit code that says nothing ran.
func usage(p *program, parser *kong.Kong) int {
	ctx, err := kong.Trace(parser, nil)
	if err == nil {
		err = ctx.PrintUsage(false)
	}
	if err != nil {
		p.say("%v", err)
	}
	return 2
}

// usageError is a mistake in the arguments that the grammar cannot see.
type usageError struct{ error }

func isUsage(err error) bool {
	var parse *kong.ParseError
	var use usageError
	return errors.As(err, &parse) || errors.As(err, &use)
}

// commandOf is the command whose help fits a mistake, with a blank after it.
func commandOf(err error) string {
	var parse *kong.ParseError
	if !errors.As(err, &parse) || parse.Context == nil || parse.Context.Selected() == nil {
		return ""
	}
	return strings.TrimPrefix(parse.Context.Selected().FullPath(), "envivo ") + " "
}

// describe adds the environment variable to a setting's help.
func describe(v *kong.Value) string {
	if !v.Tag.Has("setting") {
		return v.Help
	}
	return v.Help + " [$" + variable(v.Name) + "]"
}

// logger writes to stderr in the form the settings ask for.
func (l Logging) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.LogLevel)) // the enum of the flag admits only known names
	o := &slog.HandlerOptions{Level: level}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

type versionCmd struct{}

// Run prints what this binary is.
func (versionCmd) Run(p *program) error {
	_, err := fmt.Fprintf(p.out, "envivo %s\nschema %d\n%s %s/%s\n", build(), store.Schema, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// build identifies this binary: the commit it was built from, or, when the
// source had changes or no history, a hash of the program itself. Two binaries
// that differ must never share an id: pages of another build renew themselves.
func build() string {
	var commit string
	dirty := true
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				commit = s.Value
			case "vcs.modified":
				dirty = s.Value != "false"
			}
		}
	}
	if commit != "" && !dirty {
		return commit[:min(12, len(commit))]
	}
	return "dev-" + ownHash()
}

func ownHash() string {
	name, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	f, err := os.Open(name)
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "unknown"
	}
	return hex.EncodeToString(h.Sum(nil)[:5])
}
