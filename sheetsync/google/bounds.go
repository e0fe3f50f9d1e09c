package google

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// bounds are the most bytes that are taken of one answer, unpacked. Tokens are
// bounded by the library that fetches them, to a megabyte.
type bounds struct {
	// cells is for a reading of cells. A spreadsheet holds ten million of them, each
	// of some fifty bytes with its share of the answer's form.
	cells int64
	// other is for everything else, refused for answers with a status from 400 up.
	other, refused int64
}

var largest = bounds{cells: 512 << 20, other: 16 << 20, refused: 1 << 20}

// ErrTooLarge says that an answer is larger than any that the service gives: what
// answers is something else, or somebody put far too much into the spreadsheet.
var ErrTooLarge = errors.New("the answer is too large")

// reasonTooLarge is the Reason of such an Error.
const reasonTooLarge = "answerTooLarge"

// bounded cuts off answers that are too large, before or while they are read.
type bounded struct {
	next http.RoundTripper
	most bounds
}

// RoundTrip is part of http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	most := b.most.other
	switch {
	case resp.StatusCode >= 400:
		most = b.most.refused
	case strings.HasSuffix(r.URL.Path, "/values:batchGet"):
		most = b.most.cells
	}
	resp.Body = &atMost{resp.Body, most, most}
	if resp.StatusCode < 400 && resp.ContentLength > most {
		return nil, errors.Join(tooLarge(most), resp.Body.Close())
	}
	return resp, nil
}

func tooLarge(most int64) error { return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, most) }

// atMost is a body that fails once more than most bytes were read of it; left is
// what may still come.
type atMost struct {
	io.ReadCloser
	most, left int64
}

// Read is part of io.Reader.
func (a *atMost) Read(p []byte) (int, error) {
	if int64(len(p)) > a.left+1 {
		p = p[:a.left+1]
	}
	n, err := a.ReadCloser.Read(p)
	if int64(n) > a.left {
		n = int(a.left)
		a.left = 0
		return n, tooLarge(a.most)
	}
	a.left -= int64(n)
	return n, err
}
