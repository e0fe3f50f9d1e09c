// Command release builds what is handed out: a static binary for each platform,
// a software bill of materials beside it, and SHA256SUMS over all of it. The
// same commit and the same Go give the same bytes wherever they are built; with
// -prove it builds twice, in folders of different names and the second time with
// an empty build cache, and compares.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// platforms are what plants run on.
var platforms = []string{"linux/amd64", "linux/arm64", "windows/amd64"}

const sums = "SHA256SUMS"

func main() {
	out := flag.String("out", "dist", "folder the files are put into")
	prove := flag.Bool("prove", false, "build the current commit twice and compare; -out gets the first")
	flag.Parse()
	err := errors.New("there are no arguments, only flags")
	switch {
	case flag.NArg() > 0:
	case *prove:
		err = proven(*out)
	default:
		err = release(".", *out, "")
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "release: %v\n", err)
		os.Exit(1)
	}
}

// release builds the source in dir into out. cache is the folder of Go's build
// cache, empty for the usual one.
func release(dir, out, cache string) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if changed, err := git(dir, "status", "--porcelain"); err != nil || changed != "" {
		fmt.Fprintf(os.Stderr, "release: this is not a commit as it is, the binaries will say so: %v %s\n", err, changed)
	}
	var lines []string
	for _, p := range platforms {
		name := "envivo-" + strings.ReplaceAll(p, "/", "-")
		if strings.HasPrefix(p, "windows/") {
			name += ".exe"
		}
		if err := build(dir, p, filepath.Join(out, name), cache); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		plex, err := font(dir)
		if err != nil {
			return err
		}
		bill, err := billOf(filepath.Join(out, name), p, plex)
		if err != nil {
			return fmt.Errorf("%s: bill of materials: %w", p, err)
		}
		if err := os.WriteFile(filepath.Join(out, name+".cdx.json"), bill, 0o644); err != nil {
			return err
		}
		for _, file := range []string{name, name + ".cdx.json"} {
			sum, size, err := hashOf(filepath.Join(out, file))
			if err != nil {
				return err
			}
			lines = append(lines, sum+"  "+file+"\n")
			fmt.Printf("%s  %9d  %s\n", sum, size, file)
		}
	}
	return os.WriteFile(filepath.Join(out, sums), []byte(strings.Join(lines, "")), 0o644)
}

// build makes one binary: static, stripped, without paths of this machine, with
// the commit that Go stamps.
func build(dir, platform, to, cache string) error {
	goos, goarch, _ := strings.Cut(platform, "/")
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w -buildid=", "-o", to, ".")
	c.Dir, c.Stdout, c.Stderr = dir, os.Stderr, os.Stderr
	// What somebody has set for their own machine must not get into the bytes.
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch, "GOFLAGS=-mod=readonly", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOWORK=off")
	if cache != "" {
		c.Env = append(c.Env, "GOCACHE="+cache)
	}
	return c.Run()
}

// proven builds the current commit in two places and compares the sums.
func proven(out string) error {
	tmp, err := os.MkdirTemp("", "envivo-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	first, second := filepath.Join(tmp, "uno"), filepath.Join(tmp, "otra carpeta", "más honda")
	for _, dir := range []string{first, second} {
		if _, err := git(".", "clone", "--quiet", "--no-hardlinks", ".", dir); err != nil {
			return fmt.Errorf("copy the source: %w", err)
		}
	}
	if err := release(first, out, ""); err != nil {
		return err
	}
	again := filepath.Join(tmp, "again")
	if err := release(second, again, filepath.Join(tmp, "cache")); err != nil {
		return err
	}
	a, err := os.ReadFile(filepath.Join(out, sums))
	if err != nil {
		return err
	}
	b, err := os.ReadFile(filepath.Join(again, sums))
	if err != nil {
		return err
	}
	if !bytes.Equal(a, b) {
		return fmt.Errorf("two builds of one commit differ:\n%s%s", a, b)
	}
	fmt.Printf("the same bytes twice: %d files\n", bytes.Count(a, []byte("\n")))
	return nil
}

func git(dir string, args ...string) (string, error) {
	c := exec.Command("git", args...)
	c.Dir = dir
	out, err := c.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		err = fmt.Errorf("git %s: %w: %s", args[0], err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

func hashOf(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

// sortedBy sorts in place and returns its argument.
func sortedBy[T any](all []T, key func(T) string) []T {
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	return all
}
