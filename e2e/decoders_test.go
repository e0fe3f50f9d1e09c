package e2e

import (
	"go/ast"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryDecoderIsNamed: the tables of docs/security.md name the fuzz targets
// that there are, and functions that there are.
func TestEveryDecoderIsNamed(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(doc), "## What reads bytes from outside\n")
	part, _, _ = strings.Cut(part, "\n## ")
	targets, functions := map[string]bool{}, map[string]bool{}
	parsed(t, func(source) bool { return true }, func(s source, _ *token.FileSet, f *ast.File) {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && s.test() && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Fuzz") {
				targets[fn.Name.Name] = true
			} else if ok && !s.test() {
				functions[spoken(s, fn)] = true
			}
		}
	})
	named := map[string]bool{}
	for _, name := range regexp.MustCompile(`\bFuzz\w+`).FindAllString(part, -1) {
		named[name] = true
	}
	if !maps.Equal(named, targets) {
		t.Errorf("docs/security.md names the targets\n%v, the code has\n%v", slices.Sorted(maps.Keys(named)), slices.Sorted(maps.Keys(targets)))
	}
	decoders := regexp.MustCompile("`([a-z0-9/]+(?:\\.\\w+)+)`").FindAllStringSubmatch(part, -1)
	for _, m := range decoders {
		if !functions[m[1]] && !strings.HasSuffix(m[1], ".go") && !strings.HasSuffix(m[1], ".json") {
			t.Errorf("docs/security.md speaks of %s, which is not there", m[1])
		}
	}
	for line := range strings.Lines(part) {
		cell := strings.Split(strings.TrimSpace(line), " | ")
		if len(cell) == 3 && !strings.Contains(cell[2], "Fuzz") && !strings.Contains(cell[2], "none") && cell[0] != "| Bytes" {
			t.Errorf("a row has neither a target nor a reason: %s", line)
		}
	}
	if len(decoders) < 30 {
		t.Errorf("only %d functions were found in docs/security.md", len(decoders))
	}
}

// spoken is a function as the documents name it: folder, receiver's type, name.
func spoken(s source, fn *ast.FuncDecl) string {
	name := s.dir()
	if name == "." {
		name = "main"
	}
	if fn.Recv != nil {
		of := fn.Recv.List[0].Type
		if p, ok := of.(*ast.StarExpr); ok {
			of = p.X
		}
		if g, ok := of.(*ast.IndexExpr); ok {
			of = g.X
		}
		if id, ok := of.(*ast.Ident); ok {
			name += "." + id.Name
		}
	}
	return name + "." + fn.Name.Name
}
