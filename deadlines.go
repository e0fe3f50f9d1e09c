package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"envivo/plant"
	"envivo/store"
)

const (
	// bodyWithin is how long a request body of at most a megabyte may take.
	bodyWithin = 20 * time.Second
	// answerWithin is how long a client may take from the request to the last byte of
	// the answer; after it the connection is cut.
	answerWithin = time.Minute
	// commandWithin is how long a command may wait for the disk. With the body's time
	// it leaves enough of answerWithin for the answer.
	commandWithin = 15 * time.Second
)

// deadlines bounds what one client can hold on to. The server's own timeouts
// cannot do it: they would cut the live streams, which never end.
func deadlines(next http.Handler, now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		write := now().Add(answerWithin)
		if streams(r.URL.Path) {
			write = time.Time{} // the connection may carry the deadline of an earlier request
		}
		_ = c.SetWriteDeadline(write) // a connection that cannot have one is a test's
		// A body that nobody reads is waited for as well, after the answer.
		if r.Method != http.MethodGet && r.Method != http.MethodHead || r.ContentLength != 0 {
			_ = c.SetReadDeadline(now().Add(bodyWithin))
		}
		next.ServeHTTP(w, r)
	})
}

// streams reports whether answers under a path are open-ended.
func streams(path string) bool {
	return path == "/ws" || strings.HasPrefix(path, "/ws/") || strings.HasSuffix(path, "/stream")
}

// prompt is the store as the API asks it: whoever gave a command is answered while
// the connection still stands, and be it that nobody knows the outcome, as with a
// disk that does not come back. What was queued is carried out all the same, and
// its key tells.
type prompt struct {
	*store.Bolt
	within time.Duration
}

// Do is part of api.Plant.
func (p prompt) Do(ctx context.Context, c plant.Command) (plant.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, p.within)
	defer cancel()
	return p.Bolt.Do(ctx, c)
}

// DoAll is part of api.Plant.
func (p prompt) DoAll(ctx context.Context, cmds []plant.Command) []plant.Result {
	ctx, cancel := context.WithTimeout(ctx, p.within)
	defer cancel()
	return p.Bolt.DoAll(ctx, cmds)
}
