package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// This file holds the program to docs/architecture.md: who may import whom,
// who may ask for the time, who may write the store. It needs nothing else of
// this package, so that `go test ./e2e/arrows_test.go` answers in seconds.

// edges are the imports allowed between our own packages; external are the
// modules a package may use beside the standard library. A package that is
// missing here may import nothing at all, so a new one has to be entered.
var (
	edges = map[string][]string{
		"envivo": {"envivo/api", "envivo/assets", "envivo/blackbox", "envivo/camera", "envivo/durable", "envivo/fsm", "envivo/hooks", "envivo/localca", "envivo/plant", "envivo/sheetsync", "envivo/sheetsync/emulator", "envivo/standby",
			"envivo/sheetsync/google", "envivo/sheetsync/migration", "envivo/sheetsync/mirror", "envivo/sheetsync/sample", "envivo/sheetsync/table", "envivo/sheetsync/workbook", "envivo/store", "envivo/ui", "envivo/ws"},
		"envivo/api":                 {"envivo/plant", "envivo/ui"},
		"envivo/ui":                  {"envivo/assets", "envivo/plant"},
		"envivo/ws":                  {"envivo/plant"},
		"envivo/client":              {},
		"envivo/blackbox":            {},
		"envivo/release":             {},
		"envivo/hooks":               {"envivo/plant"},
		"envivo/durable":             {},
		"envivo/localca":             {"envivo/durable"},
		"envivo/camera":              {},
		"envivo/fsm":                 {"envivo/plant"},
		"envivo/store":               {"envivo/durable", "envivo/plant"},
		"envivo/store/storetest":     {"envivo/plant", "envivo/store"},
		"envivo/standby":             {"envivo/plant"},
		"envivo/sheetsync":           {"envivo/plant", "envivo/sheetsync/table", "envivo/sheetsync/workbook"},
		"envivo/sheetsync/google":    {"envivo/sheetsync/table"},
		"envivo/sheetsync/migration": {"envivo/durable", "envivo/plant", "envivo/sheetsync", "envivo/sheetsync/google", "envivo/sheetsync/table", "envivo/sheetsync/workbook"},
		"envivo/sheetsync/mirror":    {"envivo/plant", "envivo/sheetsync", "envivo/sheetsync/google", "envivo/sheetsync/table"},
		"envivo/sheetsync/sample":    {"envivo/plant", "envivo/sheetsync/table"},
		"envivo/sheetsync/table":     {"envivo/plant"},
		"envivo/sheetsync/workbook":  {"envivo/durable", "envivo/plant", "envivo/sheetsync/table"},
	}
	external = map[string][]string{
		"envivo/release":             {"github.com/google/uuid"},
		"envivo/sheetsync/mirror":    {"github.com/google/uuid"},
		"envivo":                     {"github.com/brutella/dnssd", "github.com/alecthomas/kong", "github.com/google/uuid", "golang.org/x/sync", "golang.org/x/sys", "golang.org/x/crypto"},
		"envivo/camera":              {"github.com/makiuchi-d/gozxing"},
		"envivo/api":                 {"github.com/a-h/templ", "github.com/VictoriaMetrics/metrics", "github.com/google/uuid", "golang.org/x/crypto", "golang.org/x/sync"},
		"envivo/ui":                  {"github.com/a-h/templ", "rsc.io/qr"},
		"envivo/ws":                  {"github.com/gorilla/websocket"},
		"envivo/client":              {"github.com/gorilla/websocket"},
		"envivo/fsm":                 {"github.com/qmuntal/stateless"},
		"envivo/store":               {"go.etcd.io/bbolt", "github.com/fxamacker/cbor/v2"},
		"envivo/store/storetest":     {"github.com/google/go-cmp", "pgregory.net/rapid", "github.com/anishathalye/porcupine"},
		"envivo/sheetsync":           {"github.com/google/uuid"},
		"envivo/sheetsync/google":    {"google.golang.org/api"},
		"envivo/sheetsync/migration": {"github.com/google/uuid"},
		"envivo/sheetsync/sample":    {"github.com/google/uuid"},
		"envivo/sheetsync/table":     {"github.com/google/uuid", "golang.org/x/text"},
		"envivo/sheetsync/workbook":  {"github.com/xuri/excelize/v2", "golang.org/x/text"},
	}
)

// long are the files allowed beyond maxLines, each with its reason.
var long = map[string]string{}

const maxLines = 500

// root is the module's folder as seen from a test of this package.
const root = ".."

// pkg is what go list tells about a package.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Module     *struct{ Path string }
}

// listed gives all packages the program's packages depend on, by import path.
func listed(t *testing.T, goos string) map[string]*pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Imports,Module", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	all := map[string]*pkg{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pkg)
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("read the answer of go list: %v", err)
		}
		all[p.ImportPath] = p
	}
}

func ours(path string) bool { return path == "envivo" || strings.HasPrefix(path, "envivo/") }

// measuring packages are programs and tests around the product, not part of it.
func measuring(path string) bool {
	return path == "envivo/e2e" || strings.HasPrefix(path, "envivo/e2e/")
}

func TestArrowsBetweenPackages(t *testing.T) {
	for _, goos := range []string{"linux", "windows"} {
		all := listed(t, goos)
		if len(all) < 50 || all["envivo"] == nil {
			t.Fatalf("go list found %d packages; the test would prove nothing", len(all))
		}
		for path, p := range all {
			if !ours(path) || measuring(path) {
				continue
			}
			for _, problem := range wrong(p, all) {
				t.Errorf("%s: %s imports %s", goos, path, problem)
			}
		}
	}
}

// wrong lists the imports of a package of ours that no arrow allows.
func wrong(p *pkg, all map[string]*pkg) []string {
	var out []string
	for _, imp := range p.Imports {
		dep := all[imp]
		switch {
		case dep == nil || dep.Standard:
		case ours(imp):
			if !slices.Contains(edges[p.ImportPath], imp) {
				out = append(out, imp+", an arrow that docs/architecture.md does not draw")
			}
		case dep.Module == nil:
			out = append(out, imp+", which belongs to no module")
		case !slices.Contains(external[p.ImportPath], dep.Module.Path):
			out = append(out, imp+" of "+dep.Module.Path+", a module that no ADR gave to this package")
		}
	}
	return out
}

func TestArrowsNoticeAStrangeImport(t *testing.T) {
	all := listed(t, "linux")
	for from, imp := range map[string]string{"envivo/plant": "envivo/store", "envivo/fsm": "go.etcd.io/bbolt", "envivo/ws": "envivo/api"} {
		p := &pkg{ImportPath: from, Imports: []string{imp}}
		if len(wrong(p, all)) == 0 {
			t.Errorf("%s importing %s passes as a good arrow", from, imp)
		}
	}
}

// source is one Go file of the module.
type source struct {
	path      string // with slashes, from the module's root
	text      []byte
	generated bool
}

func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s source) dir() string { return filepath.ToSlash(filepath.Dir(s.path)) }

// files reads every file of the module with one of the extensions. Folders of
// tools and of data are not source.
func files(t *testing.T, ext ...string) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "envivo-data" || d.Name() == "dist"):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains(ext, filepath.Ext(path)):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		out = append(out, source{path: filepath.ToSlash(rel), text: text, generated: strings.HasSuffix(path, "_templ.go")})
		return nil
	})
	if err != nil {
		t.Fatalf("walk the module: %v", err)
	}
	return out
}

// parsed are the module's own Go files that pass keep.
func parsed(t *testing.T, keep func(source) bool, see func(source, *token.FileSet, *ast.File)) {
	t.Helper()
	n := 0
	for _, s := range files(t, ".go") {
		if s.generated || !keep(s) {
			continue
		}
		n++
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, s.path, s.text, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%s does not parse: %v", s.path, err)
			continue
		}
		see(s, fset, f)
	}
	if n == 0 {
		t.Fatal("no file was looked at; the test would prove nothing")
	}
}

// uses lists where a file mentions pkg.name, for a package imported under its
// own name.
func uses(fset *token.FileSet, f *ast.File, pkg string, names ...string) []token.Position {
	var out []token.Position
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || !slices.Contains(names, sel.Sel.Name) {
			return true
		}
		if id, ok := sel.X.(*ast.Ident); ok && id.Name == pkg {
			out = append(out, fset.Position(sel.Pos()))
		}
		return true
	})
	return out
}

func TestOnlyMainAsksForTheTime(t *testing.T) {
	parsed(t, func(s source) bool { return !s.test() && !strings.HasPrefix(s.path, "e2e/") }, func(s source, fset *token.FileSet, f *ast.File) {
		if f.Name.Name == "main" {
			return
		}
		for _, at := range uses(fset, f, "time", "Now", "Since", "Until") {
			t.Errorf("%v asks the machine for the time; outside package main Now is injected", at)
		}
	})
}

func TestNoTestSleeps(t *testing.T) {
	parsed(t, source.test, func(_ source, fset *token.FileSet, f *ast.File) {
		for _, at := range uses(fset, f, "time", "Sleep") {
			t.Errorf("%v sleeps; wait for what should happen, or use testing/synctest", at)
		}
	})
}

// TestOneWriter: the store has one place that writes. Creating and migrating a
// file, before anybody has it open, happens in file.go.
func TestOneWriter(t *testing.T) {
	var writers []string
	parsed(t, func(s source) bool { return s.dir() == "store" && !s.test() }, func(s source, fset *token.FileSet, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			switch sel.Sel.Name {
			case "Update", "Batch":
				writers = append(writers, fset.Position(call.Pos()).String())
			case "Begin":
				if len(call.Args) == 1 && s.path != "store/file.go" {
					if arg, ok := call.Args[0].(*ast.Ident); !ok || arg.Name != "false" {
						t.Errorf("%v begins a transaction that may write; only the writer and file.go do", fset.Position(call.Pos()))
					}
				}
			}
			return true
		})
	})
	if len(writers) != 1 {
		t.Errorf("read-write transactions are opened at %v, want exactly one place", writers)
	}
}

func TestFilesStayShort(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range files(t, ".go", ".templ") {
		n := bytes.Count(s.text, []byte("\n"))
		if s.generated || n <= maxLines {
			continue
		}
		seen[s.path] = true
		if long[s.path] == "" {
			t.Errorf("%s has %d lines, want at most %d or a reason in the table of this test", s.path, n, maxLines)
		}
	}
	for path := range long {
		if !seen[path] {
			t.Errorf("%s is in the table of long files and is not long", path)
		}
	}
}

var (
	citation = regexp.MustCompile(`(?:rules|rules\.md|rules\.md\)) §+(\d+(?:\.\d+)*)((?:(?:,| and| to|–| or) §\d+(?:\.\d+)*)*)(?: step (\d+))?`)
	further  = regexp.MustCompile(`§(\d+(?:\.\d+)*)`)
	comment  = regexp.MustCompile(`\s*\n\s*//\s*`)
	heading  = regexp.MustCompile(`^#{2,3} (\d+(?:\.\d+)*)\.? `)
	numbered = regexp.MustCompile(`^(\d+)\. `)
)

// sections are the section numbers of the rule book, those of numbered lines
// included: the second line of a list in §2.8 is 2.8.2.
func sections(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "rules.md"))
	if err != nil {
		t.Fatalf("the rule book: %v", err)
	}
	out := map[string]bool{}
	at := ""
	for line := range strings.Lines(string(text)) {
		if m := heading.FindStringSubmatch(line); m != nil {
			at = m[1]
			out[at] = true
		} else if m := numbered.FindStringSubmatch(line); m != nil && at != "" {
			out[at+"."+m[1]] = true
		}
	}
	if !out["4.1"] || !out["2.8.13"] {
		t.Fatal("the rule book has no section 4.1 or no line 2.8.13; the test would prove nothing")
	}
	return out
}

// cited lists the sections a text cites.
func cited(text string) []string {
	var out []string
	for _, m := range citation.FindAllStringSubmatch(comment.ReplaceAllString(text, " "), -1) {
		out = append(out, m[1])
		last := m[1]
		for _, f := range further.FindAllStringSubmatch(m[2], -1) {
			out = append(out, f[1])
			last = f[1]
		}
		if m[3] != "" {
			out = append(out, last+"."+m[3])
		}
	}
	return out
}

func TestCitedRulesExist(t *testing.T) {
	if got, want := fmt.Sprint(cited("// See rules §4.3,\n// §6.5 step 4 and (rules §2.8.13).")), "[4.3 6.5 6.5.4 2.8.13]"; got != want {
		t.Fatalf("the reader of citations finds %s, want %s", got, want)
	}
	known := sections(t)
	n := 0
	for _, s := range files(t, ".go", ".templ", ".md") {
		if s.generated || s.path == "e2e/arrows_test.go" {
			continue
		}
		for _, section := range cited(string(s.text)) {
			n++
			if !known[section] {
				t.Errorf("%s cites rules §%s, which docs/rules.md does not have", s.path, section)
			}
		}
	}
	if n == 0 {
		t.Error("nobody cites the rule book; the test would prove nothing")
	}
}
