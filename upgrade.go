package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"envivo/store"
)

// noteBuild names the program that last had the store open as a server.
const noteBuild = "programa.json"

type buildNote struct {
	Build   string `json:"build"`
	Version string `json:"version"`
}

// keptUpgrades is how many copies from before another program stay.
const keptUpgrades = 3

// saveBeforeUpgrade keeps a copy of the store as it was before this program,
// another one than the last, opens it. Failing is told and does not keep the
// plant from starting: a change of schema makes a copy of its own or stops.
func (f *floor) saveBeforeUpgrade() {
	id := build()
	var last buildNote
	if readNote(f.cfg.Data, noteBuild, &last) && last.Build == id {
		return
	}
	err := f.saveAs("antes-de-" + id + "-" + f.now().UTC().Format(backupStamp) + ".db")
	if err == nil {
		err = writeNote(f.cfg.Data, noteBuild, buildNote{id, release})
	}
	if err != nil {
		f.log.Error("keep a copy from before this program", "err", err)
	}
}

func (f *floor) saveAs(name string) error {
	if !exists(storePath(f.cfg.Data)) {
		return nil
	}
	dir := f.cfg.backupsFolder()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := store.Save(storePath(f.cfg.Data), filepath.Join(dir, name)); err != nil {
		return err
	}
	f.log.Info("copy from before this program", "file", name)
	old, err := filepath.Glob(filepath.Join(dir, "antes-de-*.db"))
	slices.SortFunc(old, func(a, b string) int { return byTime(a).Compare(byTime(b)) })
	for _, path := range old[:max(0, len(old)-keptUpgrades)] {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}
