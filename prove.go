package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"envivo/store"
)

// prover examines store files in a child process: a damaged file may fault
// whoever maps it, and the floor must neither die of that nor lend its memory.
type prover struct {
	// exe is this program's own file.
	exe string
}

// newProver is nil when the program does not know its own file; then copies are
// examined in this process.
func newProver() *prover {
	exe, err := os.Executable()
	if err != nil {
		return nil
	}
	return &prover{exe: exe}
}

// check examines a file as `envivo check` does. What is wrong with the file is
// in the report; an examination that dies is ErrDamaged.
func (v *prover) check(ctx context.Context, path string) (store.Report, error) {
	var r store.Report
	return r, v.ask(ctx, &r, "check", "--data", path, "--json")
}

// ask runs this program with low priority and reads its answer from stdout.
func (v *prover) ask(ctx context.Context, into any, args ...string) error {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, v.exe, args...)
	cmd.Args[0] = "envivo"
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Env = append(plainEnviron(), "GOMAXPROCS=1")
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("examine in a process of its own: %w", err)
	}
	lowPriority(cmd.Process.Pid)
	err := cmd.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if jsonErr := json.Unmarshal(out.Bytes(), into); jsonErr == nil {
		return nil // exit 1 with an answer: the answer says what is wrong
	}
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() == 1 {
		return errors.New(strings.TrimSpace(strings.TrimPrefix(lastLine(errs.String()), "envivo: ")))
	}
	return fmt.Errorf("%w: the examination died: %w: %.200s", store.ErrDamaged, err, errs.String())
}

// plainEnviron is the environment without the settings of this program.
func plainEnviron() []string {
	var out []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "ENVIVO_") {
			out = append(out, e)
		}
	}
	return out
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}
