package main

import "golang.org/x/sys/windows"

// diskSpace is the space on the volume of a path: what this user may still
// write, and all of it.
func diskSpace(path string) (free, total uint64, err error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, 0, err
	}
	err = windows.GetDiskFreeSpaceEx(name, &free, &total, nil)
	return free, total, err
}
