// Digest reads what `go test -json` writes and prints what a person wants to
// read of it: a line per package and the output of the tests that failed. How
// long each test took is added to the file named by the argument, one line of
// seconds, package and test each, for the list of the slowest.
//
// It is no part of the program; .ci/run starts it with `go run`.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// event is one line of test2json.
type event struct {
	Action, Package, Test, Output string
	ImportPath                    string // of a build's output
	Elapsed                       float64
}

func main() {
	if err := digest(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "digest:", err)
		os.Exit(1)
	}
}

func digest(to string) error {
	times, err := os.OpenFile(to, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer times.Close()
	running := map[string]*strings.Builder{}
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var e event
		if json.Unmarshal(line, &e) != nil || e.Action == "" {
			os.Stdout.Write(line) // not of the tests, such as a complaint of the go command
			continue
		}
		if err := e.tell(running, times); err != nil {
			return err
		}
	}
	for name, out := range running { // whoever ended them, here is what they said
		fmt.Printf("unfinished: %s\n%s", name, out)
	}
	return times.Close()
}

// tell prints an event or keeps it until the outcome of its test is known.
func (e event) tell(running map[string]*strings.Builder, times *os.File) error {
	name := e.Package + " " + e.Test
	switch {
	case e.Action == "build-output":
		fmt.Print(e.Output)
	case e.Action == "output" && e.Test == "":
		if e.Output != "PASS\n" && !strings.HasPrefix(e.Output, "=== ") {
			fmt.Print(e.Output)
		}
	case e.Action == "output":
		if running[name] == nil {
			running[name] = &strings.Builder{}
		}
		running[name].WriteString(e.Output)
	case e.Test != "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip"):
		if e.Action != "pass" && running[name] != nil {
			fmt.Print(running[name])
		}
		delete(running, name)
		_, err := fmt.Fprintf(times, "%7.2f s  %s %s\n", e.Elapsed, e.Package, e.Test)
		return err
	}
	return nil
}
