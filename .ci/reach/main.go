// Reach says by its exit code whether an address answers within five seconds,
// through the same proxy settings as every Go program.
package main

import (
	"net/http"
	"os"
	"time"
)

func main() {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Head(os.Args[1])
	if err != nil {
		os.Exit(1)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		os.Exit(1)
	}
}
