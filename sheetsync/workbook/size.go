package workbook

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
)

// packed proves, before anything is unfolded, that the parts of a packed file
// claim to unfold to no more than the limits. That they do not unfold to more
// than they claim is what archive/zip proves while it reads.
func packed(raw []byte, l Limits) error {
	if int64(len(raw)) > l.File {
		return fmt.Errorf("more than %d bytes: %w", l.File, ErrTooLarge)
	}
	r, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return err
	}
	left := l.Unpack
	for _, f := range r.File {
		// Compared as a number without sign: a claim of 2^63 is no small one.
		if f.UncompressedSize64 > uint64(min(left, l.part(f.Name))) {
			return fmt.Errorf("unfolded, the part %.80q is too much: %w", f.Name, ErrTooLarge)
		}
		left -= int64(f.UncompressedSize64)
	}
	return nil
}

// part is the most that one part may unfold to, in bytes: only worksheets and
// their texts are read piece by piece, and each text costs several times its
// bytes.
func (l Limits) part(name string) int64 {
	switch name = strings.ToLower(strings.ReplaceAll(name, "\\", "/")); {
	case strings.HasPrefix(name, "xl/worksheets/sheet"):
		return l.Unpack
	case strings.HasPrefix(name, "xl/worksheets/"), name == "xl/sharedstrings.xml":
		return l.Unpack / 8
	}
	return l.Unpack / 32
}
