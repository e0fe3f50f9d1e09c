package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"
)

// The numbers of our lines in the Windows event log.
const (
	eventStarted = 1
	eventStopped = 2
	eventFailed  = 3
)

// underServiceManager serves when Windows has started us as a service.
func underServiceManager(p *program, cfg *Config) (bool, error) {
	is, err := svc.IsWindowsService()
	if err != nil || !is {
		return false, err
	}
	if cfg.LogFile == "" { // a service has no stderr
		cfg.LogFile = filepath.Join(cfg.Data, "logs", "envivo.log")
	}
	p.out, p.err = io.Discard, io.Discard
	s := &windowsService{program: p, cfg: cfg, states: make(chan string, 8)}
	if err := svc.Run("", s); err != nil {
		return true, err
	}
	return true, s.err
}

// windowsService is the server under the service manager of Windows.
type windowsService struct {
	program *program
	cfg     *Config
	states  chan string
	err     error
}

// tell is part of overseer: of what systemd wants to know Windows wants the
// beginning and the end. A full channel means that it has heard enough.
func (s *windowsService) tell(all ...string) {
	select {
	case s.states <- all[0]:
	default:
	}
}

// Execute is part of svc.Handler.
func (s *windowsService) Execute(args []string, asked <-chan svc.ChangeRequest, now chan<- svc.Status) (bool, uint32) {
	now <- svc.Status{State: svc.StartPending, WaitHint: uint32((15 * time.Minute).Milliseconds())}
	events := openEventLog(args)
	defer events.close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.program.manager = s
	s.program.giveUp = func() {
		events.fail("nothing proves any more that the server is alive; it ends, to be started again")
		os.Exit(1)
	}
	done := make(chan error, 1)
	go func() { done <- serveInRole(ctx, s.program, s.cfg) }()
	for {
		select {
		case state := <-s.states:
			if state == stateReady {
				now <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown | svc.AcceptPreShutdown}
				events.info(eventStarted, "serving "+s.cfg.Data)
			}
		case r := <-asked:
			switch r.Cmd {
			case svc.Interrogate:
				now <- r.CurrentStatus
			case svc.Stop, svc.Shutdown, svc.PreShutdown:
				now <- svc.Status{State: svc.StopPending, WaitHint: uint32(time.Minute.Milliseconds())}
				cancel()
			}
		case s.err = <-done:
			if s.err != nil {
				events.fail(s.err.Error())
				return false, 1 // not SERVICE_STOPPED by itself: the recovery actions start us again
			}
			events.info(eventStopped, "stopped")
			return false, 0
		}
	}
}

// eventLog is the log of Windows; without it we go on all the same.
type eventLog struct{ log *eventlog.Log }

func openEventLog(args []string) eventLog {
	name := "envivo"
	if len(args) > 0 {
		name = args[0]
	}
	l, err := eventlog.Open(name)
	if err != nil {
		return eventLog{}
	}
	return eventLog{l}
}

func (e eventLog) info(id uint32, text string) {
	if e.log != nil {
		_ = e.log.Info(id, text) // the log file has it too
	}
}

func (e eventLog) fail(text string) {
	if e.log != nil {
		_ = e.log.Error(eventFailed, text) // the log file has it too
	}
}

func (e eventLog) close() {
	if e.log != nil {
		_ = e.log.Close() // nothing is written to it any more
	}
}

// install makes the service and starts it, now and with the machine.
func install(p *program, u *unit, _ string) error {
	m, err := connected()
	if err != nil {
		return err
	}
	defer m.Disconnect()
	if err := os.MkdirAll(u.value("data"), 0o700); err != nil {
		return err
	}
	s, err := m.OpenService(u.name)
	if err == nil {
		_ = s.Close() // only its name was wanted
		return fmt.Errorf("service %s is there already: envivo service uninstall first", u.name)
	}
	s, err = m.CreateService(u.name, u.program, mgr.Config{
		StartType: mgr.StartAutomatic, ErrorControl: mgr.ErrorNormal, ServiceStartName: windowsAccount(u),
		DisplayName: "envivo " + u.name, Description: "Who has which pipe spool", SidType: windows.SERVICE_SID_TYPE_UNRESTRICTED,
	}, u.arguments()...)
	if err != nil {
		return fmt.Errorf("make the service: %w", err)
	}
	defer s.Close()
	if err := settle(p, u, s); err != nil {
		return errors.Join(err, s.Delete())
	}
	if err := s.Start(); err != nil {
		return fmt.Errorf("the service is there but does not start: %w", err)
	}
	fmt.Fprintf(p.out, "%s runs and starts with this machine\n", u.name)
	return nil
}

// settle gives a service its recovery, its line in the event log and its
// folders.
func settle(p *program, u *unit, s *mgr.Service) error {
	again := func(d time.Duration) mgr.RecoveryAction {
		return mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: d}
	}
	if err := s.SetRecoveryActions([]mgr.RecoveryAction{again(2 * time.Second), again(10 * time.Second), again(time.Minute)}, 24*60*60); err != nil {
		return fmt.Errorf("set the recovery: %w", err)
	}
	if err := s.SetRecoveryActionsOnNonCrashFailures(true); err != nil {
		return fmt.Errorf("set the recovery: %w", err)
	}
	if err := eventlog.InstallAsEventCreate(u.name, eventlog.Error|eventlog.Warning|eventlog.Info); err != nil {
		p.say("no lines in the event log: %v", err)
	}
	for _, dir := range u.folders() {
		c := exec.Command("icacls", dir, "/grant", windowsAccount(u)+":(OI)(CI)F")
		if said, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("let the service write %s: %w: %s", dir, err, said)
		}
	}
	return nil
}

func connected() (*mgr.Mgr, error) {
	m, err := mgr.Connect()
	if err != nil {
		return nil, fmt.Errorf("reach the service manager (run as administrator): %w", err)
	}
	return m, nil
}

// opened is the service of that name; closeAll lets go of it and of the manager.
func opened(name string) (s *mgr.Service, closeAll func(), err error) {
	m, err := connected()
	if err != nil {
		return nil, nil, err
	}
	if s, err = m.OpenService(name); err != nil {
		_ = m.Disconnect() // nothing was asked of it
		return nil, nil, fmt.Errorf("service %s: %w", name, err)
	}
	return s, func() { _, _ = s.Close(), m.Disconnect() }, nil // handles of reads; nothing can be lost
}

// stopWithin is how long uninstall waits for the server to stop.
const stopWithin = time.Minute

func uninstall(p *program, name string) error {
	s, closeAll, err := opened(name)
	if err != nil {
		return err
	}
	defer closeAll()
	state, err := s.Control(svc.Stop)
	for deadline := p.now().Add(stopWithin); err == nil && state.State != svc.Stopped && p.now().Before(deadline); {
		time.Sleep(200 * time.Millisecond)
		state, err = s.Query()
	}
	if err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
		return fmt.Errorf("stop the service: %w", err)
	}
	if err := s.Delete(); err != nil {
		return fmt.Errorf("remove the service: %w", err)
	}
	if err := eventlog.Remove(name); err != nil {
		p.say("its lines in the event log stay: %v", err)
	}
	fmt.Fprintf(p.out, "%s removed; the data stays\n", name)
	return nil
}

var stateNames = map[svc.State]string{svc.Stopped: "stopped", svc.StartPending: "starting", svc.StopPending: "stopping", svc.Running: "running"}

func status(p *program, name string) error {
	s, closeAll, err := opened(name)
	if err != nil {
		return err
	}
	defer closeAll()
	state, err := s.Query()
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s: %s, process %d\n", name, stateNames[state.State], state.ProcessId)
	if state.State != svc.Running {
		return fmt.Errorf("service %s is not running (exit code %d)", name, state.Win32ExitCode)
	}
	return nil
}
