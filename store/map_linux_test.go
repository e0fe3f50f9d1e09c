package store_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAGrowingFileWaitsForNoReader: a file that outgrows its mapping is mapped
// anew, and that waits for every reader, a backup of minutes included. So the
// mapping has room for all that a plant will ever write.
func TestAGrowingFileWaitsForNoReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plant.db")
	open(t, path, yearsOptions())
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	var most uint64
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uint64
		if strings.HasSuffix(lines.Text(), path) {
			if _, err := fmt.Sscanf(lines.Text(), "%x-%x", &from, &to); err != nil {
				t.Fatal(err)
			}
			most = max(most, to-from)
		}
	}
	if want := uint64(64 << 30); most < want {
		t.Errorf("%d bytes of addresses for the file, want %d", most, want)
	}

}
