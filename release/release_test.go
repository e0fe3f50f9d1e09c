package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBillListsWhatIsInTheBinary makes the bill of a small program of ours: this
// one, which is quickly built.
func TestBillListsWhatIsInTheBinary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "release")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	plex, err := font("..")
	if err != nil {
		t.Fatalf("the font: %v", err)
	}
	text, err := billOf(path, "linux/amd64", plex)
	if err != nil {
		t.Fatalf("bill: %v", err)
	}
	again, err := billOf(path, "linux/amd64", plex)
	if err != nil || string(text) != string(again) {
		t.Errorf("the bill of one binary differs from time to time: %v", err)
	}
	var b bill
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatalf("the bill is no JSON: %v", err)
	}
	sum, _, err := hashOf(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || b.Metadata.Component.Hashes[0].Content != sum || !strings.HasPrefix(b.Serial, "urn:uuid:") {
		t.Errorf("the head of the bill is %+v", b)
	}
	found := map[string]bool{}
	for _, c := range b.Parts {
		found[c.Name] = c.Version != "" && (c.Purl == "pkg:golang/"+c.Name+"@"+c.Version || c.Type == "file" && len(c.Hashes[0].Content) == 64)
	}
	if !found["std"] || !found["github.com/google/uuid"] || !found[plex.Name] || len(found) != 3 {
		t.Errorf("the bill lists %v, want Go itself, uuid and the font", found)
	}
	if len(b.Needs) != 1 || len(b.Needs[0].On) != len(b.Parts) {
		t.Errorf("dependencies %+v, want one with all parts", b.Needs)
	}
}

func TestNothingThatIsNoBinaryHasABill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "texto")
	if err := os.WriteFile(path, []byte("nada"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := billOf(path, "linux/amd64"); err == nil {
		t.Error("a text has a bill of materials")
	}
}
