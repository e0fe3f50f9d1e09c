package main

import (
	"net/http"
	"strings"
	"time"
)

const (
	// bodyWithin is how long a request body of at most a megabyte may take.
	bodyWithin = 20 * time.Second
	// answerWithin is how long a client may take to accept an answer.
	answerWithin = time.Minute
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
