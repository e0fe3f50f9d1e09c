package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"envivo/plant"
)

// retention says which automatic copies are kept: the newest ones, and behind
// them the last one of each day and of each month, by the plant's calendar.
type retention struct {
	newest int
	// days and months count back from today, today's included.
	days, months int
}

// backupStamp is the instant in a copy's name, in UTC so that names sort.
const backupStamp = "20060102T150405Z"

func copyName(at time.Time) string { return "plant-" + at.UTC().Format(backupStamp) + ".db" }

// copiedAt reads the instant out of a copy's name; ok is false for other files.
func copiedAt(path string) (time.Time, bool) {
	stamp, ok := strings.CutPrefix(filepath.Base(path), "plant-")
	stamp, ok2 := strings.CutSuffix(stamp, ".db")
	at, err := time.Parse(backupStamp, stamp)
	return at, ok && ok2 && err == nil
}

// copiesIn lists the automatic copies of a folder, oldest first.
func copiesIn(dir string) []string {
	all, err := filepath.Glob(filepath.Join(dir, "plant-*Z.db"))
	if err != nil {
		return nil
	}
	all = slices.DeleteFunc(all, func(name string) bool { _, ok := copiedAt(name); return !ok })
	slices.Sort(all)
	return all
}

// surplus are the copies, of names oldest first, that nothing asks to keep.
func (r retention) surplus(names []string, now time.Time) []string {
	keep := map[string]bool{}
	for _, name := range names[max(0, len(names)-r.newest):] {
		keep[name] = true
	}
	today := plant.DateOf(now)
	year, month, _ := now.In(plant.Zone()).Date()
	days, months := map[plant.Date]bool{}, map[int]bool{}
	for _, name := range slices.Backward(names) {
		at, _ := copiedAt(name)
		day := plant.DateOf(at)
		if int(today)-int(day) < r.days && !days[day] {
			keep[name], days[day] = true, true
		}
		y, m, _ := at.In(plant.Zone()).Date()
		if back := (year-y)*12 + int(month-m); back < r.months && !months[back] {
			keep[name], months[back] = true, true
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return keep[name] })
}

// prune removes the surplus of a folder; files somebody else put there stay.
func (r retention) prune(dir string, now time.Time) error {
	for _, name := range r.surplus(copiesIn(dir), now) {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// byTime is when a file was last written; the zero time when nobody knows.
func byTime(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
