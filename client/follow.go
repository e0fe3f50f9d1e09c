package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const (
	protocol = "envivo.v1"
	// silence is how long nothing may come: three beats of the box.
	silence = 45 * time.Second
	// A broken line is tried again after firstPause, doubled up to lastPause.
	firstPause = 200 * time.Millisecond
	lastPause  = 5 * time.Second
)

// errGap says that an event between two was not seen.
var errGap = errors.New("an event was lost on the way")

// Follow calls see with every event after at, each once and in order, and moves
// at on after each. A broken line is mended and nothing is lost by it. Follow
// ends with the error of see, with ctx's, with *Error when the box lets the
// caller not in, and with ErrReset when the history cannot be continued; at then
// is where it goes on, once the caller has loaded the state again.
func (c *Client) Follow(ctx context.Context, at *Position, see func(Event) error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		before := at.Seq
		err := c.stream(ctx, at, see)
		var line *lineError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.As(err, &line):
			return err
		case at.Seq != before:
			pause = firstPause
		}
		wait := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		case <-wait.C:
		}
	}
}

// lineError is a trouble that another try may end.
type lineError struct{ err error }

func (e *lineError) Error() string { return "the stream broke: " + e.err.Error() }
func (e *lineError) Unwrap() error { return e.err }

// closeRevoked ends the stream of a token that was revoked.
const closeRevoked = 4003

// stream follows until the line breaks.
func (c *Client) stream(ctx context.Context, at *Position, see func(Event) error) error {
	conn, err := c.dial(ctx, at)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	watch := time.AfterFunc(silence, func() { _ = conn.Close() })
	defer watch.Stop()
	for {
		_, raw, err := conn.ReadMessage()
		if websocket.IsCloseError(err, websocket.ClosePolicyViolation, websocket.CloseMessageTooBig, closeRevoked) {
			return fmt.Errorf("the box hung up: %w", err)
		} else if err != nil {
			return &lineError{err}
		}
		watch.Reset(silence)
		if err := at.take(raw, see); err != nil {
			return err
		}
	}
}

// frame is any message of the stream.
type frame struct {
	Type  string `json:"kind"`
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

// take moves the position by one message.
func (at *Position) take(raw []byte, see func(Event) error) error {
	var f frame
	if err := json.Unmarshal(raw, &f); err != nil {
		return &lineError{err}
	}
	switch f.Type {
	case "hello":
		if at.Epoch == "" {
			at.Epoch = f.Epoch
		}
	case "reset":
		*at = Position{Seq: f.Seq, Epoch: f.Epoch}
		return ErrReset
	case "beat":
		if f.Seq > at.Seq {
			return &lineError{errGap}
		}
	case "event":
		return at.event(raw, see)
	}
	return nil // messages of a later box are not ours
}

func (at *Position) event(raw []byte, see func(Event) error) error {
	var e Event
	switch err := json.Unmarshal(raw, &e); {
	case err != nil:
		return &lineError{err}
	case e.Seq <= at.Seq:
		return nil
	case e.Prev > at.Seq:
		return &lineError{errGap}
	}
	if err := see(e); err != nil {
		return err
	}
	at.Seq = e.Seq
	return nil
}

func (c *Client) dial(ctx context.Context, at *Position) (*websocket.Conn, error) {
	q := url.Values{"after": {strconv.FormatUint(at.Seq, 10)}}
	if at.Epoch != "" {
		q.Set("epoch", at.Epoch)
	}
	header := http.Header{}
	c.sign(header)
	d := websocket.Dialer{Subprotocols: []string{protocol}, HandshakeTimeout: patience, Proxy: http.ProxyFromEnvironment}
	base := "ws" + strings.TrimPrefix(strings.TrimSuffix(c.Base, "/"), "http") // https becomes wss
	conn, resp, err := d.DialContext(ctx, base+"/ws?"+q.Encode(), header)
	if err == nil {
		return conn, nil
	}
	if resp != nil && resp.StatusCode != http.StatusServiceUnavailable && resp.StatusCode < http.StatusInternalServerError {
		raw, _ := io.ReadAll(resp.Body) // what came of it; the status says enough
		return nil, refusal(resp, raw)
	}
	return nil, &lineError{err}
}
