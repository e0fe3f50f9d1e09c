package google

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/api/drive/v3"
	"google.golang.org/api/option"
	"google.golang.org/api/sheets/v4"
)

// canned answers every request the same.
type canned struct {
	status      int
	retry, body string
}

// RoundTrip answers without a network.
func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	h := http.Header{"Content-Type": {"application/json"}, "Retry-After": {c.retry}}
	return &http.Response{StatusCode: c.status, Header: h, Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
}

// FuzzSheetAnswers: whatever answers in place of the Sheet, a reading is cells
// for every range, or an error with a class, a bounded wait and a bounded text
// that does not name the spreadsheet.
func FuzzSheetAnswers(f *testing.F) {
	const id = "hoja-secreta"
	var answer canned
	client := option.WithHTTPClient(&http.Client{Transport: &answer})
	cells, err := sheets.NewService(f.Context(), client)
	if err != nil {
		f.Fatal(err)
	}
	files, err := drive.NewService(f.Context(), client)
	if err != nil {
		f.Fatal(err)
	}
	c := &Client{o: Options{ID: id, Now: time.Now, Log: slog.New(slog.DiscardHandler)}, sheets: cells, drive: files}
	for _, body := range []string{
		`{"properties":{"title":"x","locale":"es_CL"},"sheets":[{"properties":{"sheetId":1,"title":"Operaciones","gridProperties":{"rowCount":9,"columnCount":3}}},null],"developerMetadata":[null,{"metadataKey":"envivo.env"}]}`,
		`{"valueRanges":[{"range":"A1","values":[["x",1,true,null],[],[{}]]}],"id":"copia"}`, `{"valueRanges":[null]}`, `[]`, ``, `<html>`,
	} {
		f.Add(uint16(0), "", body)
	}
	f.Add(uint16(229), "99999999999", `{"error":{"code":429,"message":"`+strings.Repeat("ñ", 400)+`","errors":[{"reason":"rateLimitExceeded"}],"details":[{"reason":7},null]}}`)
	f.Add(uint16(203), "-1", `{"error":{"message":"<b>","details":[{"reason":"SERVICE_DISABLED"}]}}`)
	f.Fuzz(func(t *testing.T, status uint16, retry, body string) {
		answer = canned{200 + int(status)%400, retry, body}
		l, err := c.Layout(t.Context())
		told(t, err)
		if err != nil && len(l.Tabs) > 0 {
			t.Fatalf("%v, and yet %d worksheets", err, len(l.Tabs))
		}
		got, err := c.Read(t.Context(), "A1:B2")
		told(t, err)
		if err == nil && len(got) != 1 || err != nil && got != nil {
			t.Fatalf("%d ranges, %v", len(got), err)
		}
		told(t, c.Write(t.Context(), Block{"A1", [][]any{{"x"}}}))
		_, err = c.Copy(t.Context(), "copia", "")
		told(t, err)
	})
}

func told(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if err == nil {
		return
	}
	if !errors.As(err, &e) || ClassOf(err) < Retry || ClassOf(err) > Refused || e.RetryAfter < 0 || e.RetryAfter > mostWait {
		t.Fatalf("%v is of the class %v, wait %v", err, ClassOf(err), e.RetryAfter)
	}
	if s := err.Error(); s == "" || utf8.RuneCountInString(s) > 400 || strings.Contains(s, "hoja-secreta") {
		t.Fatalf("the error reads %q", s)
	}
}
