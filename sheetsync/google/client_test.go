package google

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"envivo/sheetsync/emulator"
	"envivo/sheetsync/table"
)

// bench is the client in front of an emulator behind a real socket.
type bench struct {
	*Client
	e *emulator.Emulator
}

func newBench(t *testing.T, o emulator.Options) *bench {
	t.Helper()
	o.Now = time.Now
	e, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(e)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(func() { e.Release(); srv.Close() })
	key, err := e.KeyFile(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	e.Book().Fill("Operaciones", [][]any{{"TAG_SPOOL", "Fecha", "N"}, {"A-1", emulator.Day(2026, 1, 21), 2}, {"B-2"}})
	c, err := New(t.Context(), Options{ID: "emulador", Key: key, Endpoint: srv.URL, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{c, e}
}

func TestCellsKeepTheirTypesBothWays(t *testing.T) {
	b := newBench(t, emulator.Options{})
	ctx := t.Context()
	err := b.Write(ctx, Block{A1("Operaciones", 3, 1, 3, 2), [][]any{{46155.5, "=1+1"}}}, Block{A1("Operaciones", 2, 0, 2, 2), [][]any{{nil, "", true}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Read(ctx, A1("Operaciones", 1, 0, 0, 2), A1("Operaciones", 1, 0, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	if c := got[0][2][1]; c.Kind != table.Number || c.Num != 46155.5 {
		t.Errorf("number came back as %+v", c)
	}
	if c := got[0][2][2]; c.Kind != table.Text || c.Text != "=1+1" {
		t.Errorf("text with = came back as %+v, want the text itself", c)
	}
	if c := got[0][1]; c[0].Text != "A-1" || c[1].Kind != table.Empty || !c[2].True() {
		t.Errorf("row 2 = %+v, want the first cell left alone, the second cleared, the third true", c)
	}
	if len(got[1]) != 1 || got[1][0][0].Text != "TAG_SPOOL" {
		t.Errorf("second range = %+v, want the header alone", got[1])
	}
	if n := b.Calls(); n != 2 || b.Total() != 2 {
		t.Errorf("%d calls counted, %d in all, want 2 and 2", n, b.Total())
	}
}

func TestTheGridGrowsAndShrinks(t *testing.T) {
	b := newBench(t, emulator.Options{})
	ctx := t.Context()
	l, err := b.Layout(ctx)
	if err != nil || len(l.Tabs) != 1 || l.Tabs[0].Title != "Operaciones" {
		t.Fatalf("layout = %+v, %v", l, err)
	}
	before := l.Tabs[0]
	for _, step := range []error{b.Grow(ctx, before, 2, 3), b.DropColumns(ctx, before, 0, 1), b.DropRows(ctx, before, 1, 1)} {
		if step != nil {
			t.Fatal(step)
		}
	}
	rows, cols := b.e.Book().Grid("Operaciones")
	if rows != before.Rows+1 || cols != before.Cols+2 {
		t.Errorf("grid = %dx%d, want %dx%d", rows, cols, before.Rows+1, before.Cols+2)
	}
	if err := b.Format(ctx, Format{before, 0, table.Day}, Format{before, 1, table.Instant}); err != nil {
		t.Errorf("format: %v", err)
	}
}

func TestEveryAnswerHasItsClass(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  emulator.Fault
		want   Class
		reason string
	}{
		{"503", emulator.Fault{Act: emulator.Fail, Code: 503}, Retry, ""},
		{"500 after it was applied", emulator.Fault{Act: emulator.FailAfter, Code: 500}, Retry, ""},
		{"408", emulator.Fault{Act: emulator.Fail, Code: 408}, Retry, ""},
		{"a broken connection", emulator.Fault{Act: emulator.ResetBefore}, Retry, ""},
		{"a broken connection after it was applied", emulator.Fault{Act: emulator.ResetAfter}, Retry, ""},
		{"an answer cut off", emulator.Fault{Act: emulator.CutAnswer}, Retry, ""},
		{"a page instead of JSON", emulator.Fault{Act: emulator.PageAnswer}, Retry, ""},
		{"the quota", emulator.Fault{Act: emulator.ExceedQuota}, Wait, "RATE_LIMIT_EXCEEDED"},
		{"not shared", emulator.Fault{Act: emulator.DenyAccess}, Stop, ""},
		{"no such file", emulator.Fault{Act: emulator.HideFile}, Stop, ""},
		{"the API is off", emulator.Fault{Act: emulator.DisableService}, Stop, "SERVICE_DISABLED"},
		{"a token no longer valid", emulator.Fault{Act: emulator.Fail, Code: 401}, Stop, "ACCESS_TOKEN_EXPIRED"},
		{"a bad request", emulator.Fault{Act: emulator.Fail, Code: 400}, Refused, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, emulator.Options{RetryAfter: 7 * time.Second})
			c.fault.When = emulator.On(emulator.BatchUpdateValues)
			b.e.Inject(c.fault)
			err := b.Write(t.Context(), Block{"Operaciones!A2", [][]any{{"x"}}})
			var e *Error
			if !errors.As(err, &e) || e.Class != c.want || ClassOf(err) != c.want {
				t.Fatalf("error = %v, class %v, want %v", err, ClassOf(err), c.want)
			}
			if e.Reason != c.reason {
				t.Errorf("reason = %q, want %q", e.Reason, c.reason)
			}
			if c.want == Wait && e.RetryAfter != 7*time.Second {
				t.Errorf("retry after %v, want what the service said", e.RetryAfter)
			}
			if strings.Contains(err.Error(), "emulador") {
				t.Errorf("the error names the spreadsheet: %v", err)
			}
		})
	}
}

func TestRevokedCredentialsStopAndAServiceInTroubleDoesNot(t *testing.T) {
	b := newBench(t, emulator.Options{})
	b.e.Revoke(true)
	if _, err := b.Layout(t.Context()); ClassOf(err) != Stop {
		t.Errorf("revoked: %v, class %v, want stop", err, ClassOf(err))
	}
	b.e.Revoke(false)
	b.e.Inject(emulator.Fault{When: emulator.On(emulator.Token), Act: emulator.Fail, Code: 503, Times: 20})
	if _, err := b.Layout(t.Context()); ClassOf(err) != Retry {
		t.Errorf("token endpoint in trouble: %v, class %v, want retry", err, ClassOf(err))
	}
	b.e.Calm()
	if _, err := b.Layout(t.Context()); err != nil {
		t.Errorf("afterwards: %v, want it to work again", err)
	}
}

func TestACopyOfTheFile(t *testing.T) {
	b := newBench(t, emulator.Options{})
	id, err := b.Copy(t.Context(), "respaldo", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := b.e.Other(id); !ok {
		t.Errorf("there is no file %q", id)
	}
	b.e.SetDriveFull(true)
	var e *Error
	if _, err = b.Copy(t.Context(), "respaldo", ""); !errors.As(err, &e) || e.Reason != "storageQuotaExceeded" || e.Class != Stop {
		t.Errorf("copy without storage: %v (%+v), want storageQuotaExceeded", err, e)
	}
}

func TestOnlyServiceAccountKeysOfGoogleAreTaken(t *testing.T) {
	for name, c := range map[string]struct {
		key      string
		emulated bool
		want     string
	}{
		"no JSON":          {"clave", false, "not JSON"},
		"another kind":     {`{"type":"external_account"}`, false, "external_account"},
		"no secret":        {`{"type":"service_account","client_email":"a@b"}`, false, "private_key"},
		"a strange server": {`{"type":"service_account","client_email":"a@b","private_key":"x","token_uri":"https://evil/token"}`, false, "evil"},
		"an emulator":      {`{"type":"service_account","client_email":"a@b","private_key":"x","token_uri":"http://127.0.0.1/token"}`, true, ""},
		"Google":           {`{"type":"service_account","client_email":"a@b","private_key":"x","token_uri":"https://oauth2.googleapis.com/token"}`, false, ""},
	} {
		a, err := ReadKey([]byte(c.key), c.emulated)
		switch {
		case c.want == "" && (err != nil || a.Email != "a@b"):
			t.Errorf("%s: %+v, %v, want it taken", name, a, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error = %v, want it to say %q", name, err, c.want)
		}
	}
}

func TestACallThatHangsEndsWithItsContext(t *testing.T) {
	b := newBench(t, emulator.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	b.e.Inject(emulator.Fault{When: emulator.On(emulator.GetSpreadsheet), Act: emulator.Hang, Before: func(emulator.Call) { cancel() }})
	if _, err := b.Layout(ctx); !errors.Is(ctx.Err(), context.Canceled) || ClassOf(err) != Retry {
		t.Errorf("a call that was given up: %v, class %v, want retry", err, ClassOf(err))
	}
}

func TestTheSpreadsheetIsStampedOutsideItsCells(t *testing.T) {
	b := newBench(t, emulator.Options{})
	ctx := t.Context()
	before, _ := b.e.Book().Dump("Operaciones")
	for _, want := range []string{"", "produccion", "prueba"} {
		if want != "" {
			if err := b.Stamp(ctx, want, want == "prueba"); err != nil {
				t.Fatal(err)
			}
		}
		if l, err := b.Layout(ctx); err != nil || l.Stamp != want {
			t.Errorf("stamp = %q, %v, want %q", l.Stamp, err, want)
		}
	}
	if after, _ := b.e.Book().Dump("Operaciones"); len(after) != len(before) || len(after[0]) != len(before[0]) {
		t.Error("the stamp changed a cell")
	}
}
