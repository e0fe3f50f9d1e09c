package store

import (
	"context"
	"time"

	"envivo/plant"
)

// request is what one caller waits for: a group of commands, or a mark in the
// outbox. The writer owns results until done is closed.
type request struct {
	cmds    []plant.Command
	results []plant.Result
	mark    *mark
	swap    *swap
	follow  *follow
	done    chan struct{}
}

func newRequest(cmds []plant.Command) *request {
	return &request{cmds: cmds, results: make([]plant.Result, len(cmds)), done: make(chan struct{})}
}

// weight is how many events a request may come to.
func (r *request) weight() int {
	if r.follow != nil {
		return len(r.follow.records)
	}
	return len(r.cmds)
}

// answer releases the caller; results must not be touched afterwards.
func (r *request) answer() {
	select {
	case <-r.done: // a fault of the tests was faster
	default:
		close(r.done)
	}
}

// refuse settles the whole request with one error. Only its owner may: the
// caller while it is not queued or when the writer is gone, else the writer.
func (r *request) refuse(code plant.Code, cause error) {
	for i := range r.results {
		r.results[i] = plant.Result{Err: trouble(code, r.cmds[i], cause)}
	}
	if r.mark != nil {
		r.mark.err = trouble(code, plant.Command{}, cause)
	}
	if r.follow != nil {
		r.follow.err = trouble(code, plant.Command{}, cause)
	}
	if r.swap != nil {
		r.swap.err = trouble(code, plant.Command{}, cause)
	}
	r.answer()
}

// take gives the results, or CodeUnknownOutcome for all when ctx ended first.
func (r *request) take(ctx context.Context) []plant.Result {
	select {
	case <-r.done:
		return r.results
	default:
	}
	out := make([]plant.Result, len(r.cmds))
	for i := range out {
		out[i].Err = trouble(plant.CodeUnknownOutcome, r.cmds[i], ctx.Err())
	}
	return out
}

// retryAfter is what a caller is told when nothing was stored.
const retryAfter = time.Second

// trouble is an answer that is not the rules' but the store's.
func trouble(code plant.Code, c plant.Command, cause error) error {
	e := &plant.Error{Code: code, Verb: c.Verb, Op: c.Op, Tag: c.Tag, Err: cause}
	if code == plant.CodeBusy || code == plant.CodeFull {
		e.RetryAfter = retryAfter
	}
	return e
}
