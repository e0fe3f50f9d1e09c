package api_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestMain holds a whole run to the document: whatever it says that the box may
// answer has been answered to some test. A run of chosen tests proves nothing
// about the rest and is not asked.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if missing := unproduced(); code == 0 && wholeRun() && len(missing) > 0 {
		fmt.Printf("FAIL: no test got these answers, which the document promises:\n\t%s\n", strings.Join(missing, "\n\t"))
		code = 1
	}
	os.Exit(code)
}

func wholeRun() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if flag.Lookup(name).Value.String() != "" {
			return false
		}
	}
	return true
}

// neverProduced are described answers that no test of this package can get.
var neverProduced = map[string]string{
	"GET /ws 101":                         "package ws serves it and tests it; here a stand-in does",
	"GET /api/sse/stream 200":             "as GET /ws",
	"GET /api/openapi.json 500":           "made of the program alone",
	"GET /api/redis-connection-stats 500": "asks nobody for anything",
	"DELETE /api/supervisor/session 500":  "asks nobody for anything",
}

// unproduced lists the described answers that no test got, and exemptions that
// are none.
func unproduced() []string {
	var out []string
	for _, at := range slices.Sorted(maps.Keys(theSpec().paths)) {
		for _, status := range statuses(theSpec().paths[at]) {
			pair := at + " " + status
			_, free := neverProduced[pair]
			switch seen := produced.seen[pair]; {
			case !seen && !free:
				out = append(out, pair)
			case seen && free:
				out = append(out, pair+", which is said to be impossible")
			}
		}
	}
	return out
}

// TestEveryParameterIsDescribed: what endpoints read from the address is in the
// document, and nothing else is.
func TestEveryParameterIsDescribed(t *testing.T) {
	read := map[string]bool{"q": true, "estado": true} // by ui.ParseFilter
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	reads := regexp.MustCompile(`(?:c\.query|c\.number|c\.r\.URL\.Query\(\)\.Get|q\.Get)\("(\w+)"`)
	for _, path := range sources {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "pages") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range reads.FindAllStringSubmatch(string(text), -1) {
			read[m[1]] = true
		}
	}
	described := map[string]bool{}
	for _, op := range theSpec().paths {
		list, _ := op["parameters"].([]any)
		for _, p := range list {
			if p.(fields)["in"] == "query" {
				described[p.(fields)["name"].(string)] = true
			}
		}
	}
	if !maps.Equal(read, described) {
		t.Errorf("endpoints read %v, the document has %v", slices.Sorted(maps.Keys(read)), slices.Sorted(maps.Keys(described)))
	}
}
