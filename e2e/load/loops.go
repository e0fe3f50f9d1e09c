package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

const loopSpools = 2500

// closedLoop compares durable commands over HTTP with the bare rate.
func closedLoop(ctx context.Context, s settings, r *report) error {
	data, err := prepare(ctx, s, "closed", loopSpools, 500, 0)
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	srv, err := start(ctx, s, data)
	if err != nil {
		return err
	}
	r.printf("## Durable commands, closed loop (TOMAR and PAUSAR over HTTP, %d spools)\n\n", loopSpools)
	var rows [][2]*samples
	var counts []int
	for _, word := range strings.Split(s.clients, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		got, err := closedRun(ctx, srv.addr, n, s.duration)
		if err != nil {
			return err
		}
		counts = append(counts, n)
		rows = append(rows, [2]*samples{got, nil})
	}
	rss := residentKB(srv.cmd.Process.Pid)
	if err := srv.stop(); err != nil {
		return fmt.Errorf("server ended with: %w", err)
	}
	z, err := recordSizes(filepath.Join(data, "plant.db"))
	if err != nil {
		return err
	}
	for i, n := range counts {
		if rows[i][1], err = bareRate(ctx, s.dir, z, n, s.duration); err != nil {
			return err
		}
	}
	r.printf("Bare rate: one goroutine draining a queue (≤ 256) into bbolt, a command being one spool row of %d B, one event of %d B and one index entry of %d B.\n", z.spool, z.event, z.index)
	r.printf("Server's resident memory after the runs: %d MB.\n\n", rss/1024)
	r.printf("| clients | envivo over HTTP | bare bbolt | rate ratio | p50 ratio |\n|---|---|---|---|---|\n")
	for i, n := range counts {
		got, bare := rows[i][0], rows[i][1]
		r.printf("| %d | %s | %s | %.2f | %.2f |\n", n, got, bare, got.rate()/bare.rate(), got.ms(50)/bare.ms(50))
	}
	r.printf("\n")
	return nil
}

func closedRun(ctx context.Context, addr string, n int, d time.Duration) (*samples, error) {
	crew, err := crew(addr, n, loopSpools, dial)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	s := newSamples()
	errs := make(chan error, n)
	var wg sync.WaitGroup
	begin := time.Now()
	for _, w := range crew {
		wg.Go(func() {
			mine := newSamples()
			for ctx.Err() == nil {
				t := time.Now()
				if err := w.step(); err != nil {
					errs <- err
					break
				}
				mine.add(time.Since(t))
			}
			s.merge(mine)
		})
	}
	wg.Wait()
	s.elapsed = time.Since(begin)
	select {
	case err := <-errs:
		return nil, err
	default:
		return s, rest(crew)
	}
}

// recordSizes reads the mean sizes of what the store really wrote.
func recordSizes(path string) (sizes, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return sizes{}, err
	}
	defer db.Close()
	z := sizes{index: 16}
	err = db.View(func(tx *bolt.Tx) error {
		mean := func(bucket string) int {
			total, n := 0, 0
			b := tx.Bucket([]byte(bucket))
			if b == nil {
				return 0
			}
			c := b.Cursor()
			for k, v := c.Last(); k != nil && n < 20_000; k, v = c.Prev() {
				total, n = total+len(v), n+1
			}
			return total / max(1, n)
		}
		z.spool, z.event = mean("spools"), mean("journal")
		return nil
	})
	if err == nil && (z.spool == 0 || z.event == 0) {
		err = fmt.Errorf("%s has no spools or no journal to measure", path)
	}
	return z, err
}

// openLoop sends on a fixed schedule and counts latency from the schedule.
func openLoop(ctx context.Context, s settings, r *report) error {
	data, err := prepare(ctx, s, "open", loopSpools, 500, 0)
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	srv, err := start(ctx, s, data)
	if err != nil {
		return err
	}
	r.printf("## Durable commands, open loop (latency from the scheduled instant)\n\n| scheduled | measured |\n|---|---|\n")
	for _, rate := range []int{100, 1000, 3000} {
		got, err := openRun(ctx, srv.addr, rate, s.duration)
		if err != nil {
			return err
		}
		r.printf("| %d/s over 200 connections | %s |\n", rate, got)
	}
	r.printf("\n")
	return srv.stop()
}

func openRun(ctx context.Context, addr string, rate int, d time.Duration) (*samples, error) {
	const conns = 200
	crew, err := crew(addr, conns, loopSpools, dial)
	if err != nil {
		return nil, err
	}
	s := newSamples()
	errs := make(chan error, conns)
	gap := time.Duration(conns) * time.Second / time.Duration(rate)
	begin := time.Now().Add(50 * time.Millisecond)
	var wg sync.WaitGroup
	for i, w := range crew {
		wg.Go(func() {
			mine := newSamples()
			due := begin.Add(gap * time.Duration(i) / conns)
			for ; due.Sub(begin) < d && ctx.Err() == nil; due = due.Add(gap) {
				time.Sleep(time.Until(due))
				if err := w.step(); err != nil {
					errs <- err
					break
				}
				mine.add(time.Since(due))
			}
			s.merge(mine)
		})
	}
	wg.Wait()
	s.elapsed = time.Since(begin)
	select {
	case err := <-errs:
		return nil, err
	default:
		return s, rest(crew)
	}
}
