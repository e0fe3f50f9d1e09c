package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
)

// step is one part of an orderly stop.
type step struct {
	name string
	// within is how long the step may take; afterwards it is left behind and
	// the stop goes on, because a hanging client must not keep the store open.
	within time.Duration
	do     func(context.Context) error
}

// stage is what is stopped at the same time.
type stage []step

// stopInOrder runs the stages one after the other, whatever fails, and returns
// the first failure.
func stopInOrder(log *slog.Logger, stages ...stage) error {
	var first error
	for _, st := range stages {
		var g errgroup.Group
		for _, s := range st {
			g.Go(func() error {
				err := s.run()
				if err != nil {
					log.Error("stop", "step", s.name, "err", err)
				}
				return err
			})
		}
		if err := g.Wait(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (s step) run() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.within)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.do(ctx) }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		return nil
	case <-ctx.Done():
		select { // a step that gives up at its deadline may still say why
		case err := <-done:
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			return nil
		case <-time.After(s.within / 4):
		}
		return fmt.Errorf("%s: not done within %v", s.name, s.within)
	}
}
