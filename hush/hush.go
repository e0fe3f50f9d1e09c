// Package hush silences the standard library's log until the program begins. The
// metrics library looks for the kernel's pressure figures while the packages are
// set up, and on machines without them it says so on the standard error: a line
// before the output of every command.
//
// It works because packages are set up in the order of their import paths as far
// as their own imports allow: this one needs nothing of what it silences, and
// envivo/hush comes before github.com. Should that order ever change, the test
// of the built binary (e2e/service_test.go) fails.
package hush

import (
	"io"
	"log"
	"os"
)

func init() { log.SetOutput(io.Discard) }

// Over lets the log speak again; main begins with it.
func Over() { log.SetOutput(os.Stderr) }
