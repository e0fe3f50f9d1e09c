package google

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/googleapi"
)

// Class says what to do about a failed call.
type Class uint8

// The classes.
const (
	// Retry: the network or the service stumbled. Whether the call was applied is
	// not known.
	Retry Class = iota + 1
	// Wait: the quota is used up; nothing was applied.
	Wait
	// Stop: a person has to do something (credentials, sharing, the API switched
	// off, the file gone, an answer larger than any); nothing was applied, or it was
	// a reading.
	Stop
	// Refused: the service does not accept this request, now or later, unless the
	// sheet or the request changes; nothing was applied.
	Refused
)

var classNames = [...]string{"", "retry", "wait", "stop", "refused"}

// String is the class in logs.
func (c Class) String() string { return classNames[c] }

// Error is a failed call.
type Error struct {
	Class Class
	// Op is the call, as the API names it.
	Op string
	// Status is the HTTP status, 0 without an answer.
	Status int
	// Reason is the service's word for it, such as storageQuotaExceeded.
	Reason string
	// RetryAfter is how long the service asks to wait; 0 when it does not say.
	RetryAfter time.Duration
	Err        error
}

func (e *Error) Error() string { return e.Op + ": " + e.Err.Error() }

// Unwrap gives the library's error.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf is the class of an error of this package; Retry for any other, 0 for
// nil.
func ClassOf(err error) Class {
	var e *Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.Class
	}
	return Retry
}

// classify turns what the library returned into an Error. Failures of the token
// endpoint are no googleapi.Error and look like network errors.
func classify(op string, err error) error {
	if err == nil {
		return nil
	}
	out := &Error{Class: Retry, Op: op, Err: err}
	if errors.Is(err, ErrTooLarge) { // a repetition would only load it again
		out.Class, out.Reason, out.Err = Stop, reasonTooLarge, errors.New(inner(err))
		return out
	}
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		out.Status, out.RetryAfter, out.Reason = answer.Code, retryAfter(answer.Header), reasonOf(answer)
		out.Class = classOfStatus(out)
		out.Err = fmt.Errorf("%d %s", answer.Code, short(answer))
		return out
	}
	if errors.Is(err, context.Canceled) {
		return out
	}
	if s := err.Error(); refusedGrant(s) {
		out.Class, out.Reason = Stop, "invalid_grant"
		out.Err = errors.New("Google does not accept the service account's key: " + inner(err))
	} else {
		out.Err = errors.New(inner(err))
	}
	return out
}

func classOfStatus(e *Error) Class {
	switch {
	case e.Status == http.StatusTooManyRequests, e.Status == http.StatusForbidden && isQuota(e.Reason):
		return Wait
	case e.Status == http.StatusRequestTimeout, e.Status >= 500, e.Status < 400:
		return Retry
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden, e.Status == http.StatusNotFound:
		return Stop
	}
	return Refused
}

// isQuota reports whether the reason of a 403 means "too fast" and not "never".
func isQuota(reason string) bool {
	switch reason {
	case "rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED":
		return true
	}
	return false
}

// refusedGrant reports whether the token endpoint refused the key itself.
func refusedGrant(s string) bool {
	for _, word := range []string{"invalid_grant", "invalid_client", "unauthorized_client", "Invalid JWT", "private key should be"} {
		if strings.Contains(s, word) {
			return true
		}
	}
	return false
}

func reasonOf(e *googleapi.Error) string {
	for _, item := range e.Errors {
		if item.Reason != "" {
			return item.Reason
		}
	}
	for _, d := range e.Details {
		if m, ok := d.(map[string]any); ok {
			if r, ok := m["reason"].(string); ok {
				return r
			}
		}
	}
	return ""
}

// mostWait is the longest that the service can make us wait. It asks for a
// minute at most; what asks for years is something else that answered.
const mostWait = 10 * time.Minute

func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(strings.TrimSpace(h.Get("Retry-After")))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, int(mostWait/time.Second))) * time.Second
}

// short is the service's message; a page of HTML is not one.
func short(e *googleapi.Error) string {
	s := e.Message
	if s == "" || strings.HasPrefix(strings.TrimSpace(s), "<") {
		return http.StatusText(e.Code)
	}
	if r := []rune(s); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}

// inner is the message of the deepest error that says what happened, without the
// address, which carries the spreadsheet's id.
func inner(err error) string {
	var u *url.Error
	for errors.As(err, &u) && u.Err != nil {
		err = u.Err
		u = nil
	}
	s := err.Error()
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "…"
	}
	return s
}
