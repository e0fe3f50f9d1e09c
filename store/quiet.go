package store

import (
	"runtime/debug"
	"sync"
)

// loadGC is the garbage collector's percentage while a file is loaded: nearly
// everything that is made then stays, so collecting often is work for nothing.
const loadGC = 400

// quiet counts the loads that are going on; the last one puts back what the
// first one found.
var quiet struct {
	mu    sync.Mutex
	loads int
	was   int
}

// quietly runs f with fewer collections.
func quietly(f func() error) error {
	quiet.mu.Lock()
	if quiet.loads++; quiet.loads == 1 {
		if quiet.was = debug.SetGCPercent(loadGC); quiet.was < 0 || quiet.was > loadGC {
			debug.SetGCPercent(quiet.was) // somebody wants even fewer
		}
	}
	quiet.mu.Unlock()
	defer func() {
		quiet.mu.Lock()
		defer quiet.mu.Unlock()
		if quiet.loads--; quiet.loads == 0 {
			debug.SetGCPercent(quiet.was)
		}
	}()
	return f()
}
