package emulator

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"runtime"
	"testing"
	"time"

	"google.golang.org/api/googleapi"
	"google.golang.org/api/sheets/v4"
)

// mark is a write that leaves a trace in B3.
func (x *bench) mark(ctx context.Context, text string) error {
	_, err := x.svc.Spreadsheets.Values.BatchUpdate("emulador", &sheets.BatchUpdateValuesRequest{
		ValueInputOption: "RAW", Data: []*sheets.ValueRange{block1("Operaciones!B3", []any{text})}}).Context(ctx).Do()
	return err
}

func (x *bench) marked() string { return x.b.Cell("Operaciones", "B3").Text }

func TestFaultsOfWritesAreAppliedExactlyWhenTheySay(t *testing.T) {
	tests := []struct {
		name    string
		fault   Fault
		code    int // 0: no answer of Google's at all; 200: success
		applied bool
	}{
		{"a reset before", Fault{Act: ResetBefore}, 0, false},
		{"a reset after", Fault{Act: ResetAfter}, 0, true},
		{"503 before", Fault{Act: Fail}, 503, false},
		{"500 before", Fault{Act: Fail, Code: 500}, 500, false},
		{"503 after", Fault{Act: FailAfter}, 503, true},
		{"504 after", Fault{Act: FailAfter, Code: 504}, 504, true},
		{"an answer cut in the middle", Fault{Act: CutAnswer}, 0, true},
		{"a page", Fault{Act: PageAnswer}, 0, false},
		{"a page of 502", Fault{Act: PageAnswer, Code: 502}, 502, false},
		{"no access", Fault{Act: DenyAccess}, 403, false},
		{"no file", Fault{Act: HideFile}, 404, false},
		{"no API", Fault{Act: DisableService}, 403, false},
		{"no quota", Fault{Act: ExceedQuota}, 429, false},
		{"nothing", Fault{Act: Nothing}, 200, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := newBench(t, Options{})
			tt.fault.When, tt.fault.Times, tt.fault.Name = Writes, 1, tt.name
			x.e.Inject(tt.fault)
			err := x.mark(t.Context(), "seen")
			var g *googleapi.Error
			switch {
			case tt.code == 200 && err != nil, tt.code != 200 && err == nil:
				t.Errorf("answer = %v, want %d", err, tt.code)
			case tt.code > 200 && (!errors.As(err, &g) || g.Code != tt.code):
				t.Errorf("answer = %v, want %d", err, tt.code)
			case tt.code == 0 && errors.As(err, &g):
				t.Errorf("answer = %v, want none of Google's", err)
			}
			if got := x.marked() == "seen"; got != tt.applied {
				t.Errorf("the write was applied: %t, want %t", got, tt.applied)
			}
			calls := x.e.Calls()
			if last := calls[len(calls)-1]; last.Fault != tt.name || last.Applied != tt.applied {
				t.Errorf("the log says fault %q, applied %t", last.Fault, last.Applied)
			}
			if err := x.mark(t.Context(), "again"); err != nil || x.marked() != "again" {
				t.Errorf("the next write = %v, cell %q, want it to pass", err, x.marked())
			}
		})
	}
}

func TestAHeldCallIsReleasedOrGivenUp(t *testing.T) {
	for name, tt := range map[string]struct {
		act     Action
		applied bool
	}{"before": {Hang, false}, "after": {HangAfter, true}} {
		t.Run(name, func(t *testing.T) {
			x := newBench(t, Options{})
			do(t, x.mark(t.Context(), "first"))
			struck := make(chan struct{}, 1)
			strike := func(Call) { struck <- struct{}{} }
			held := Fault{When: Writes, Times: 2, Act: tt.act, Before: strike}
			if tt.applied {
				held.Before, held.After = nil, strike
			}
			x.e.Inject(held)

			ctx, giveUp := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- x.mark(ctx, "given up") }()
			<-struck
			for x.e.Holding() == 0 {
				runtime.Gosched()
			}
			giveUp()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("a call that was given up = %v, want context canceled", err)
			}
			for x.e.Holding() > 0 {
				runtime.Gosched()
			}
			if got := x.marked() == "given up"; got != tt.applied {
				t.Errorf("the call was applied: %t, want %t", got, tt.applied)
			}

			go func() { done <- x.mark(t.Context(), "released") }()
			<-struck
			for x.e.Holding() == 0 {
				runtime.Gosched()
			}
			x.e.Release()
			if err := <-done; err != nil || x.marked() != "released" {
				t.Errorf("a released call = %v, cell %q, want it applied and answered", err, x.marked())
			}
		})
	}
}

func TestReadsCanBeEmptyHalfOrRubbish(t *testing.T) {
	x := newBench(t, Options{})
	for act, want := range map[Action]int{EmptyAnswer: 0, HalfAnswer: 1, Nothing: 3} {
		x.e.Inject(Fault{When: On(GetValues), Times: 1, Act: act})
		got, err := x.get("Operaciones!A1:D")
		if err != nil || len(got.Values) != want {
			t.Errorf("action %d: %d rows, %v, want %d", act, len(got.Values), err, want)
		}
	}
	x.e.Inject(Fault{When: On(BatchGetValues), Times: 1, Act: EmptyAnswer})
	batch, err := x.svc.Spreadsheets.Values.BatchGet("emulador").Ranges("Operaciones!A:A", "Operaciones!B:B").Do()
	if err != nil || len(batch.ValueRanges) != 2 || batch.ValueRanges[0].Values != nil {
		t.Errorf("an empty batch = %+v, %v, want two ranges without values", batch, err)
	}
	for _, act := range []Action{PageAnswer, CutAnswer} {
		x.e.Inject(Fault{When: On(GetValues), Times: 1, Act: act})
		if got, err := x.get("Operaciones!A1:D"); err == nil {
			t.Errorf("action %d was read as %+v, want an error", act, got)
		}
	}
	expect(t, x.b, "Operaciones", "spoilt reads", [][]string{
		{"TAG_SPOOL", "Armador", "Fecha_Armado", "Total_Uniones"}, {"A-1", "MR(93)", "21-01-2026", "2"}, {"B-2", "", "", "0"}})
}

func TestFaultsOfTheTokenEndpointAreNotGooglesErrors(t *testing.T) {
	for name, f := range map[string]Fault{
		"503": {Act: Fail}, "refused": {Act: RefuseSignature}, "reset": {Act: ResetBefore},
	} {
		x := newBench(t, Options{})
		f.When, f.Times = On(Token), 1
		x.e.Inject(f)
		_, err := x.get("Operaciones!A1")
		var g *googleapi.Error
		var u *url.Error
		if err == nil || errors.As(err, &g) || !errors.As(err, &u) {
			t.Errorf("%s: error = %v, want a url.Error", name, err)
		}
		if _, err := x.get("Operaciones!A1"); err != nil {
			t.Errorf("%s: the next try = %v, want it to pass", name, err)
		}
	}
}

func TestAnOutageBreaksEverythingUntilItEnds(t *testing.T) {
	x := newBench(t, Options{})
	do(t, x.mark(t.Context(), "before"))
	x.e.Outage(true)
	var g *googleapi.Error
	if err := x.mark(t.Context(), "during"); err == nil || errors.As(err, &g) {
		t.Errorf("a write during an outage = %v, want a broken connection", err)
	}
	if _, err := x.get("Operaciones!A1"); err == nil {
		t.Error("a read during an outage was answered")
	}
	if x.marked() != "before" {
		t.Errorf("cell = %q, want nothing applied during the outage", x.marked())
	}
	x.e.Outage(false)
	if err := x.mark(t.Context(), "afterwards"); err != nil || x.marked() != "afterwards" {
		t.Errorf("a write after the outage = %v, cell %q", err, x.marked())
	}
}

func TestFaultsComeInSequenceAndByChance(t *testing.T) {
	x := newBench(t, Options{Writes: -1})
	remove := x.e.Inject(Fault{When: Writes, Skip: 2, Times: 2, Act: Fail})
	var got []bool
	for range 6 {
		got = append(got, x.mark(t.Context(), "x") == nil)
	}
	want := []bool{true, true, false, false, true, true}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("successes = %v, want %v", got, want)
		}
	}
	remove()
	x.e.Inject(Fault{When: Writes, Chance: 0.3, Act: Fail})
	failed := 0
	for range 200 {
		if x.mark(t.Context(), "x") != nil {
			failed++
		}
	}
	if failed < 30 || failed > 90 {
		t.Errorf("%d of 200 calls failed, want about 60", failed)
	}
	x.e.Calm()
	do(t, x.mark(t.Context(), "calm"))
}

func TestQuotasAreSpentPerMinuteAndByKind(t *testing.T) {
	x := newBench(t, Options{Reads: 3, Writes: 2, RetryAfter: 7 * time.Second})
	for range 2 {
		do(t, x.mark(t.Context(), "within"))
	}
	g := refused(t, x.mark(t.Context(), "beyond"), http.StatusTooManyRequests,
		"Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per user' of service 'sheets.googleapis.com'")
	if got := g.Header.Get("Retry-After"); got != "7" {
		t.Errorf("Retry-After = %q, want 7", got)
	}
	if len(g.Details) == 0 {
		t.Error("the answer has no details, want RATE_LIMIT_EXCEEDED")
	}
	if x.marked() != "within" {
		t.Errorf("cell = %q, want the refused write not applied", x.marked())
	}
	for i := range 4 {
		_, err := x.get("Operaciones!A1")
		if i < 3 && err != nil {
			t.Errorf("read %d of 3: %v", i+1, err)
		}
		if i == 3 {
			refused(t, err, http.StatusTooManyRequests, "'Read requests per minute per user'")
		}
	}
	x.clock.advance(time.Minute)
	do(t, x.mark(t.Context(), "next minute"))
	got := x.e.Minutes()
	if len(got) != 2 || got[0].Reads != 4 || got[0].Writes != 3 || got[0].Refused != 2 || got[1].Writes != 1 {
		t.Errorf("minutes = %+v, want 4 reads, 3 writes, 2 refused, then 1 write", got)
	}
	x.e.SetQuota(0, 0)
	refused(t, x.mark(t.Context(), "never"), http.StatusTooManyRequests, "")
	x.e.SetQuota(-1, -1)
	for range 100 {
		do(t, x.mark(t.Context(), "free"))
	}
	x.e.ResetCalls()
	if len(x.e.Calls()) != 0 || len(x.e.Minutes()) != 0 {
		t.Error("the log is not empty after it was reset")
	}
}

func TestTheLogForgetsTheOldestCalls(t *testing.T) {
	x := newBench(t, Options{Log: 3})
	for range 5 {
		do(t, x.mark(t.Context(), "x"))
	}
	calls := x.e.Calls()
	if len(calls) != 3 || calls[2].N != 6 || calls[0].N != 4 {
		t.Errorf("log = %+v, want the calls 4 to 6", calls)
	}
	if len(calls[2].Ranges) != 1 || calls[2].Ranges[0] != "Operaciones!B3" || calls[2].Bytes == 0 {
		t.Errorf("last call = %+v, want its range and size", calls[2])
	}
}

func TestLatencyLiesBetweenItsBounds(t *testing.T) {
	var waited []time.Duration
	x := newBench(t, Options{Sleep: func(_ context.Context, d time.Duration) { waited = append(waited, d) }})
	x.e.Latency(200*time.Millisecond, 500*time.Millisecond)
	for range 20 {
		do(t, x.mark(t.Context(), "x"))
	}
	least, most := waited[0], waited[0]
	for _, d := range waited {
		least, most = min(least, d), max(most, d)
	}
	if least < 200*time.Millisecond || most > 500*time.Millisecond || least == most {
		t.Errorf("delays between %v and %v, want different ones within 200ms and 500ms", least, most)
	}
}

// A person who edits while a call is under way: before it is applied, and between
// applying and answering.
func TestPeopleEditWhileABatchRuns(t *testing.T) {
	x := newBench(t, Options{})
	x.e.Inject(Fault{When: Writes, Times: 1, Before: func(Call) {
		do(t, x.b.SortBy("Operaciones", "TAG_SPOOL", true))
	}, After: func(Call) {
		do(t, x.b.InsertRows("Operaciones", 2, 1))
	}})
	do(t, x.put("RAW", block1("Operaciones!B3", []any{"for B-2"})))
	expect(t, x.b, "Operaciones", "a sort and an insert around the write", [][]string{
		{"TAG_SPOOL", "Armador", "Fecha_Armado", "Total_Uniones"}, {}, {"B-2", "", "", "0"},
		{"A-1", "for B-2", "21-01-2026", "2"}})
}

// Under the race detector: readers, writers, people and faults at the same time;
// every write is seen whole.
func TestManyHandsAtOnce(t *testing.T) {
	x := newBench(t, Options{Reads: -1, Writes: -1})
	x.b.Fill("Pares", [][]any{{"a", "b"}, {0, 0}})
	done := make(chan error, 4)
	work := func(f func(i int) error) {
		go func() {
			var err error
			for i := 0; i < 40 && err == nil; i++ {
				err = f(i)
			}
			done <- err
		}()
	}
	work(func(i int) error { return x.put("RAW", block1("Pares!A2:B2", []any{i, i})) })
	work(func(int) error {
		got, err := x.get("Pares!A2:B2")
		if err == nil && (len(got.Values) != 1 || got.Values[0][0] != got.Values[0][1]) {
			t.Errorf("a read saw %v, want both cells of one write", got.Values)
		}
		return err
	})
	work(func(int) error { return x.b.SortBy("Operaciones", "Armador", false) })
	work(func(int) error {
		x.e.Inject(Fault{When: On(GetSpreadsheet), Times: 1, Act: Fail})()
		_, _ = x.e.Calls(), x.e.Minutes()
		return x.b.DuplicateRow("Operaciones", 2)
	})
	for range 4 {
		do(t, <-done)
	}
}

func TestClaimsOfATokenRequestAreJudged(t *testing.T) {
	x := newBench(t, Options{})
	now := x.e.machine()
	good := claims{Iss: account, Aud: x.url + "/token", Scope: "a b", Iat: now.Unix(), Exp: now.Add(time.Hour).Unix()}
	tests := []struct {
		name  string
		spoil func(*claims)
		ok    bool
	}{
		{"as they should be", func(*claims) {}, true},
		{"of somebody else", func(c *claims) { c.Iss = "otro" }, false},
		{"for another endpoint", func(c *claims) { c.Aud = "https://oauth2.googleapis.com/token" }, false},
		{"without a scope", func(c *claims) { c.Scope = "" }, false},
		{"that have expired", func(c *claims) { c.Iat -= 7200; c.Exp -= 7200 }, false},
		{"from the future", func(c *claims) { c.Iat += 7200; c.Exp += 7200 }, false},
		{"for a whole day", func(c *claims) { c.Exp += 86400 }, false},
		{"a minute off", func(c *claims) { c.Iat += 60; c.Exp += 60 }, true},
	}
	for _, tt := range tests {
		c := good
		tt.spoil(&c)
		_, err := x.e.giveToken("grant_type=" + url.QueryEscape(grantType) + "&assertion=" + signed(t, c))
		if (err == nil) != tt.ok {
			t.Errorf("claims %s: %v, want accepted: %t", tt.name, err, tt.ok)
		}
	}
	if _, err := x.e.giveToken("grant_type=password"); err == nil {
		t.Error("another grant type was accepted")
	}
}
