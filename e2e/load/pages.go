package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"
)

// pageSize measures the list of all spools: bytes on the wire and time.
func pageSize(ctx context.Context, s settings, r *report) error {
	data, err := prepare(ctx, s, "page", loopSpools, 50, 7)
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	srv, err := start(ctx, s, data)
	if err != nil {
		return err
	}
	r.printf("## The list of %d spools\n\n", loopSpools)
	took := make([]time.Duration, 0, 100)
	var wire, plain int
	for range cap(took) {
		begin := time.Now()
		if wire, plain, err = getPage(ctx, "http://"+srv.addr+"/spools"); err != nil {
			return err
		}
		took = append(took, time.Since(begin))
	}
	first := took[0]
	slices.Sort(took)
	r.printf("%.1f kB compressed, %.1f kB plain; first answer %.1f ms, later ones p50 %.2f ms, max %.1f ms\n\n",
		float64(wire)/1000, float64(plain)/1000, ms(first), ms(took[len(took)/2]), ms(took[len(took)-1]))
	return srv.stop()
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func getPage(ctx context.Context, url string) (wire, plain int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("Accept-Encoding", "gzip") // set by hand: the body arrives as sent
	req.Header.Set("Accept", "text/html")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Encoding") != "gzip" {
		return 0, 0, fmt.Errorf("%s answered %s, encoding %q", url, resp.Status, resp.Header.Get("Content-Encoding"))
	}
	counted := &counter{r: resp.Body}
	z, err := gzip.NewReader(counted)
	if err != nil {
		return 0, 0, err
	}
	n, err := io.Copy(io.Discard, z)
	return counted.n, int(n), err
}

type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// startTime measures process start to first complete page.
func startTime(ctx context.Context, s settings, r *report) error {
	r.printf("## Start to first page\n\n| spools | ready line | first page complete | resident memory |\n|---|---|---|---|\n")
	for _, n := range []int{2500, s.big} {
		joints := 2
		if n > 100_000 { // more rows of Uniones than a worksheet holds
			joints = 0
		}
		data, err := prepare(ctx, s, "start", n, 50, joints)
		if err != nil {
			return err
		}
		var ready, page []time.Duration
		rss := 0
		for range 5 {
			begin := time.Now()
			srv, err := start(ctx, s, data)
			if err != nil {
				return err
			}
			if _, _, err := getPage(ctx, "http://"+srv.addr+"/quien"); err != nil {
				return err
			}
			page = append(page, time.Since(begin))
			ready = append(ready, srv.ready)
			rss = residentKB(srv.cmd.Process.Pid)
			if err := srv.stop(); err != nil {
				return err
			}
		}
		slices.Sort(ready)
		slices.Sort(page)
		r.printf("| %d | %.0f ms | %.0f ms | %d MB |\n", n, ms(ready[2]), ms(page[2]), rss/1024)
		if err := os.RemoveAll(data); err != nil {
			return err
		}
	}
	r.printf("\nMedians of five starts, page cache warm.\n\n")
	return nil
}
