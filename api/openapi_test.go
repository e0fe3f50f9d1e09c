package api_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"envivo/api"
)

var update = flag.Bool("update", false, "write docs/openapi.json anew")

// TestTheDocumentInTheRepositoryIsTheOneServed: docs/openapi.json shows what a
// change does to clients.
func TestTheDocumentInTheRepositoryIsTheOneServed(t *testing.T) {
	path := filepath.Join("..", "docs", "openapi.json")
	if *update {
		if err := os.WriteFile(path, api.OpenAPI(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, api.OpenAPI()) {
		t.Error("docs/openapi.json is not what the program makes; write it anew with go test ./api -run TheDocumentInTheRepository -update")
	}
	if got := newBox(t).get("/api/openapi.json").want(t, "the document", 200); got.Raw != string(file) {
		t.Errorf("GET /api/openapi.json gives %d bytes, docs/openapi.json has %d", len(got.Raw), len(file))
	}
}
