package e2e

import (
	"os"
	"syscall"
)

// mostHeld is the most memory that a program held at once, in bytes.
func mostHeld(p *os.ProcessState) int64 {
	if use, ok := p.SysUsage().(*syscall.Rusage); ok {
		return use.Maxrss << 10
	}
	return 0
}
