//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
)

// underServiceManager is for Windows: systemd runs an ordinary program.
func underServiceManager(*program, *Config) (bool, error) { return false, nil }

func unitPath(root, name string) string {
	return filepath.Join(root, "/etc/systemd/system", name+".service")
}

// install writes the unit and starts it, now and with the machine.
func install(p *program, u *unit, root string) error {
	path := unitPath(root, u.name)
	if root == "" {
		if err := account(p, u); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(u.systemdUnit()), 0o644); err != nil {
		return fmt.Errorf("write the unit (are you root?): %w", err)
	}
	fmt.Fprintf(p.out, "%s written\n", path)
	if root != "" {
		return nil
	}
	if err := systemctl(p, "daemon-reload"); err != nil {
		return err
	}
	if err := systemctl(p, "enable", u.name); err != nil {
		return err
	}
	if err := systemctl(p, "restart", u.name); err != nil {
		return fmt.Errorf("%w (see: journalctl -u %s -n 50)", err, u.name)
	}
	fmt.Fprintf(p.out, "%s runs and starts with this machine\n", u.name)
	u.warnOfFolders(p)
	return nil
}

// warnOfFolders names the folders beside the data's that the account cannot
// write: they may hold what is somebody else's, so they are not given away.
func (u *unit) warnOfFolders(p *program) {
	for _, dir := range u.folders()[1:] {
		if exec.Command("runuser", "-u", u.user, "--", "test", "-w", dir).Run() != nil {
			p.say("%s cannot write %s: chown %s %s", u.user, dir, u.user, dir)
		}
	}
}

// account makes the account the server runs as, and gives it its folder.
func account(p *program, u *unit) error {
	who, err := user.Lookup(u.user)
	var unknown user.UnknownUserError
	if errors.As(err, &unknown) {
		if err := tool(p, "useradd", "--system", "--no-create-home", "--home-dir", u.value("data"), "--shell", "/usr/sbin/nologin", u.user); err != nil {
			return err
		}
		who, err = user.Lookup(u.user)
	}
	if err != nil {
		return fmt.Errorf("account %s: %w", u.user, err)
	}
	dir := u.value("data")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder (are you root?): %w", err)
	}
	// What import or pin set wrote as root must be the server's.
	return tool(p, "chown", "-R", "-P", who.Uid+":"+who.Gid, dir)
}

func uninstall(p *program, name string) error {
	path := unitPath("", name)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("service %s: %w", name, err)
	}
	if err := systemctl(p, "disable", "--now", name); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s removed; the data stays\n", path)
	return systemctl(p, "daemon-reload")
}

func status(p *program, name string) error {
	return systemctl(p, "status", "--no-pager", "--full", name)
}

func systemctl(p *program, args ...string) error { return tool(p, "systemctl", args...) }

// tool runs a program of the system and passes on what it says.
func tool(p *program, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = p.out, p.err
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, args[0], err)
	}
	return nil
}
