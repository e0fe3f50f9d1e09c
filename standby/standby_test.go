package standby

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"envivo/plant"
)

// shelf is a store that takes any records; broken makes it fail.
type shelf struct {
	snap   *plant.Snapshot
	order  []string
	broken error
}

func (s *shelf) Snapshot() *plant.Snapshot { return s.snap }

func (s *shelf) Follow(_ context.Context, after plant.Seq, records [][]byte) error {
	if s.broken != nil {
		return s.broken
	}
	s.order = append(s.order, fmt.Sprintf("take %d after %d", len(records), after))
	s.snap = s.snap.Change().Done(after+plant.Seq(len(records)), [32]byte{byte(after) + byte(len(records))})
	return nil
}

// script answers each request in turn and then ends the run.
type script struct {
	t       *testing.T
	shelf   *shelf
	answers []any // Answer, a status, or an error
	waits   []time.Duration
	end     context.CancelFunc
}

func (s *script) send(r *http.Request) (*http.Response, error) {
	q := r.URL.Query()
	s.shelf.order = append(s.shelf.order, "ask after "+q.Get("after"))
	if r.Header.Get("Authorization") != "Bearer secret" || q.Get("epoch") != "e1" || len(q.Get("link")) != 64 {
		s.t.Errorf("asked %v with %v", r.URL, r.Header)
	}
	if len(s.answers) == 0 {
		s.end()
		return nil, context.Canceled
	}
	next := s.answers[0]
	s.answers = s.answers[1:]
	status, body := 200, ""
	switch x := next.(type) {
	case error:
		return nil, x
	case int:
		status, body = x, `{"message":"porque sí"}`
	case string:
		body = x
	default:
		b, err := json.Marshal(x)
		if err != nil {
			s.t.Fatal(err)
		}
		body = string(b)
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}, nil
}

func (s *script) follower(ctx context.Context) (*Follower, context.Context) {
	ctx, s.end = context.WithCancel(ctx)
	s.shelf = &shelf{snap: plant.NewSnapshot(plant.DefaultRules(), "e1")}
	return NewFollower(Options{Primary: "http://p/", Token: func() (string, error) { return "secret", nil }, Send: s.send,
		Wait: func(_ context.Context, d time.Duration) error { s.waits = append(s.waits, d); return nil },
		Now:  func() time.Time { return time.Unix(1000, 0) }, Log: slog.New(slog.DiscardHandler)}, s.shelf, 0, time.Time{}), ctx
}

func records(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = []byte("r")
	}
	return out
}

func TestItAsksForMoreOnlyAfterTheStoreHasIt(t *testing.T) {
	s := &script{t: t, answers: []any{Answer{Epoch: "e1", Seq: 5, Records: records(3)}, Answer{Epoch: "e1", Seq: 5, Records: records(2)}, Answer{Epoch: "e1", Seq: 5}}}
	f, ctx := s.follower(t.Context())
	if err := f.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(s.shelf.order, ", "), "ask after 0, take 3 after 0, ask after 3, take 2 after 3, ask after 5, ask after 5"; got != want {
		t.Errorf("order = %s\nwant    %s", got, want)
	}
	if st := f.State(); st.Applied != 5 || st.Told != 5 || st.Behind() != 0 || st.Contact.Unix() != 1000 || st.Trouble != "" {
		t.Errorf("state = %+v", st)
	}
}

func TestAPrimaryThatIsSilentIsAskedAgain(t *testing.T) {
	s := &script{t: t, answers: []any{errors.New("no route"), 503, "no JSON", Answer{Epoch: "e1", Seq: 9, Records: records(1)}, errors.New("gone")}}
	f, ctx := s.follower(t.Context())
	if err := f.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(s.waits) != "[500ms 1s 2s 500ms]" {
		t.Errorf("waited %v, want 500 ms doubled, and anew after an answer", s.waits)
	}
	if st := f.State(); st.Behind() != 8 || st.Trouble == "" {
		t.Errorf("state = %+v, want 8 behind and the trouble", st)
	}
}

func TestAnotherHistoryEndsTheFollowing(t *testing.T) {
	for name, answer := range map[string]any{"said": 409, "seen": Answer{Epoch: "e2", Seq: 5, Records: records(1)}} {
		s := &script{t: t, answers: []any{answer}}
		f, ctx := s.follower(t.Context())
		if err := f.Run(ctx); !errors.Is(err, ErrAnother) || len(s.shelf.order) != 1 {
			t.Errorf("%s: Run = %v after %v, want another history and nothing taken", name, err, s.shelf.order)
		}
	}
}

func TestAStoreThatFailsEndsTheFollowing(t *testing.T) {
	s := &script{t: t, answers: []any{Answer{Epoch: "e1", Seq: 1, Records: records(1)}}}
	f, ctx := s.follower(t.Context())
	s.shelf.broken = errors.New("bent on the way")
	if err := f.Run(ctx); !errors.Is(err, s.shelf.broken) {
		t.Errorf("Run = %v, want the store's error", err)
	}
}

func TestACopyThatIsCutOffIsNoCopy(t *testing.T) {
	for name, c := range map[string]struct {
		resp *http.Response
		ok   bool
		want string // what is written
	}{
		"whole":                {&http.Response{StatusCode: 200, ContentLength: 4}, true, "copy"},
		"cut":                  {&http.Response{StatusCode: 200, ContentLength: 9}, false, "copy"},
		"refused":              {&http.Response{StatusCode: 403, Status: "403", ContentLength: 4}, false, ""},
		"longer than it says":  {&http.Response{StatusCode: 200, ContentLength: 2}, true, "co"},
		"of a size it hides":   {&http.Response{StatusCode: 200, ContentLength: -1}, false, ""},
		"larger than the room": {&http.Response{StatusCode: 200, ContentLength: 11}, false, ""},
	} {
		c.resp.Body = io.NopCloser(strings.NewReader("copy"))
		var b strings.Builder
		err := Fetch(t.Context(), Options{Primary: "http://p", Token: func() (string, error) { return "x", nil }, Send: func(*http.Request) (*http.Response, error) { return c.resp, nil }}, 10, &b)
		if (err == nil) != c.ok || b.String() != c.want || errors.Is(err, ErrTooLarge) != (c.resp.ContentLength > 10) {
			t.Errorf("%s: Fetch = %v with %q written, want %q", name, err, b.String(), c.want)
		}
	}
}

// spaces are an answer that does not end.
type spaces struct{ read int }

func (s *spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	s.read += len(p)
	return len(p), nil
}

func (*spaces) Close() error { return nil }

func TestAnAnswerWithoutEndIsCutOff(t *testing.T) {
	s := &script{t: t}
	f, ctx := s.follower(t.Context())
	endless := &spaces{}
	f.o.Send = func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ContentLength: -1, Body: endless}, nil
	}
	if err := f.turn(ctx); !errors.Is(err, ErrTooLarge) || endless.read > maxAnswer+1 {
		t.Errorf("an answer without end: %v after %d bytes", err, endless.read)
	}
}

func TestPromotion(t *testing.T) {
	good := State{Applied: 7, Told: 7, Contact: time.Unix(1, 0)}
	behind, never := good, good
	behind.Told, never.Contact = 9, time.Time{}
	for name, c := range map[string]struct {
		s     State
		alive bool
		want  string
	}{"may": {good, false, ""}, "alive": {good, true, "answers"}, "behind": {behind, false, "lacks 2"}, "never": {never, false, "never"}} {
		err := Promotion(c.s, c.alive)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestKnock(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		err  error
		want Found
	}{
		"a server":       {`{"details":{"epoch":"e1"}}`, nil, Found{Alive: true, Epoch: "e1"}},
		"a standby":      {`{"details":{"epoch":"e1","sigue_a":"http://q"}}`, nil, Found{Alive: true, Epoch: "e1", Follows: "http://q"}},
		"something else": {"<html>", nil, Found{Alive: true}},
		"nobody":         {"", errors.New("no route"), Found{}},
	} {
		send := func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("Authorization") != "" {
				t.Errorf("%s: a secret was sent to whoever answers", name)
			}
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(c.body))}, c.err
		}
		if got := Knock(t.Context(), Options{Primary: "http://p/", Send: send}); got != c.want {
			t.Errorf("%s: Knock = %+v, want %+v", name, got, c.want)
		}
	}
}

func TestRetire(t *testing.T) {
	for status, ok := range map[int]bool{200: true, 403: false, 409: false, 307: false} {
		send := func(r *http.Request) (*http.Response, error) {
			if q := r.URL.Query(); r.Method != http.MethodPost || r.URL.Path != RetirePath || q.Get("epoch") != "e1" || q.Get("address") != "http://new" || r.Header.Get("Authorization") != "Bearer x" {
				t.Errorf("asked %s %v with %v", r.Method, r.URL, r.Header)
			}
			return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Body: io.NopCloser(strings.NewReader("{}"))}, nil
		}
		err := Retire(t.Context(), Options{Primary: "http://p", Token: func() (string, error) { return "x", nil }, Send: send}, "e1", "http://new")
		if (err == nil) != ok {
			t.Errorf("Retire answered %d = %v", status, err)
		}
	}
}
