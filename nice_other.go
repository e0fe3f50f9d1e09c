//go:build !unix

package main

import (
	"hash/fnv"
	"path/filepath"
	"strings"
)

func lowPriority(int) {}

// deviceOf tells drives apart by their letter or share.
func deviceOf(path string) (uint64, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return 0, err
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.ToUpper(filepath.VolumeName(full)))) // never fails
	return h.Sum64(), nil
}
