package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// A recorded session is what one generation's front end sends, in its order,
// and what it reads from the answers:
//
//	# a comment
//	GET /api/workers
//	200 {"total": 55}                      members that matter; the rest is free
//	POST /api/occupation/tomar {"tag_spool": "S-0001"}
//	200 {"success": true}
//	SSE                                    opens the stream of events
//	event {"type": "TOMAR"}                the next event on it
//
// In an expectation "*" is any value that is not null, a list is complete unless
// it ends in "...", and an event is compared like an object.

// TestOldFrontEndsNeedNoChange replays the sessions on a plant each.
func TestOldFrontEndsNeedNoChange(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.session")
	if err != nil || len(files) < 3 {
		t.Fatalf("sessions %v, %v; want those of v2.1, v3.0 and v5", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := &replay{server: serve(t, newPlant(t, 12, 3)), t: t}
			for i, line := range strings.Split(string(text), "\n") {
				p.where = fmt.Sprintf("%s:%d", file, i+1)
				p.line(strings.TrimSpace(line))
			}
			if p.steps < 10 {
				t.Errorf("%s has %d steps, want a session", file, p.steps)
			}
		})
	}
}

// TestFollowedSpoolsSurviveAPowerCut: the list was lost once, when browsers kept it.
func TestFollowedSpoolsSurviveAPowerCut(t *testing.T) {
	t.Parallel()
	data := newPlant(t, 3, 0)
	s := serve(t, data)
	body := fields{"tag_spool": spoolTag(2), "session_id": "s1"}
	first := s.post("/api/supervisor/list/add", body, "Idempotency-Key", "k").want(t, "add", 200)
	list, audit := s.get("/api/supervisor/list"), s.get("/api/supervisor/audit")
	s.kill()
	s = serve(t, data)
	if got := s.get("/api/supervisor/list"); got.Raw != list.Raw || !strings.Contains(got.Raw, spoolTag(2)) {
		t.Errorf("the list after a power cut = %s, want %s", got.Raw, list.Raw)
	}
	if got := s.get("/api/supervisor/audit"); got.Raw != audit.Raw || got.num("total") != 1 {
		t.Errorf("the audit after a power cut = %s, want %s", got.Raw, audit.Raw)
	}
	if again := s.post("/api/supervisor/list/add", body, "Idempotency-Key", "k"); again.Raw != first.Raw {
		t.Errorf("add repeated after a power cut = %s, want %s", again.Raw, first.Raw)
	}
	s.stop()
	check(t, data)
}

type replay struct {
	*server
	t      *testing.T
	where  string
	last   reply
	stream <-chan string
	steps  int
}

func (p *replay) line(line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "", "#":
	case "GET":
		p.last = p.get(rest)
		p.steps++
	case "POST":
		path, body, _ := strings.Cut(rest, " ")
		p.last = p.post(path, []byte(body))
		p.steps++
	case "SSE":
		p.stream = p.listen()
	case "event":
		select {
		case data := <-p.stream:
			p.compare(rest, data)
		case <-time.After(10 * time.Second):
			p.t.Fatalf("%s: no event came within 10 s", p.where)
		}
	default:
		if got := fmt.Sprint(p.last.Status); got != word {
			p.t.Fatalf("%s: status %s, want %s: %s", p.where, got, word, tail(p.last.Raw, 500))
		}
		p.compare(rest, p.last.Raw)
	}
}

func (p *replay) compare(want, got string) {
	p.t.Helper()
	if want == "" {
		return
	}
	var w, g any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		p.t.Fatalf("%s: the expectation is no JSON: %v", p.where, err)
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		p.t.Fatalf("%s: the answer is no JSON: %q", p.where, tail(got, 300))
	}
	if at, ok := fits(w, g); !ok {
		p.t.Errorf("%s: got %s\n want %s; they differ at %s", p.where, tail(got, 1500), want, at)
	}
}

// fits reports whether got has everything want has, and where it does not.
func fits(want, got any) (at string, ok bool) {
	switch w := want.(type) {
	case fields:
		g, isObject := got.(fields)
		if !isObject {
			return "(no object)", false
		}
		for key, value := range w {
			have, there := g[key]
			if !there {
				return key + " (missing)", false
			}
			if at, ok := fits(value, have); !ok {
				return key + "." + at, false
			}
		}
		return "", true
	case []any:
		return fitsList(w, got)
	case string:
		if w == "*" {
			return "(null)", got != nil
		}
	}
	return fmt.Sprint(got), reflect.DeepEqual(want, got)
}

func fitsList(w []any, got any) (at string, ok bool) {
	g, isList := got.([]any)
	open := len(w) > 0 && w[len(w)-1] == "..."
	if open {
		w = w[:len(w)-1]
	}
	if !isList || len(g) < len(w) || !open && len(g) != len(w) {
		return fmt.Sprintf("(list of %d)", len(g)), false
	}
	for i := range w {
		if at, ok := fits(w[i], g[i]); !ok {
			return fmt.Sprint(i, ".", at), false
		}
	}
	return "", true
}

// listen opens the stream of events as a browser does and gives their data.
func (p *replay) listen() <-chan string {
	ctx, stop := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/sse/stream", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		stop()
		resp.Body.Close()
	})
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || !strings.HasPrefix(got, "text/event-stream") {
		p.t.Fatalf("%s: the stream is %d %s", p.where, resp.StatusCode, got)
	}
	out := make(chan string, 100)
	go func() {
		lines := bufio.NewScanner(resp.Body)
		update := false
		for lines.Scan() {
			switch field, value, _ := strings.Cut(lines.Text(), ":"); {
			case field == "event":
				update = strings.TrimSpace(value) == "spool_update"
			case field == "data" && update:
				out <- strings.TrimSpace(value)
			case field == "":
				update = false
			}
		}
	}()
	return out
}
