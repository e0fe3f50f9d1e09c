package ui

import (
	"fmt"
	"strconv"
	"strings"

	"rsc.io/qr"
)

// quiet is the blank border a reader needs, in modules.
const quiet = 4

// symbol is a QR code as one path over a square of Size modules, the border
// included.
type symbol struct {
	Path string
	Size int
}

func (s symbol) box() string { return "0 0 " + strconv.Itoa(s.Size) + " " + strconv.Itoa(s.Size) }

// qrOf draws text as a QR code of correction level Q: it is read with a
// quarter of it rubbed off.
func qrOf(text string) (symbol, error) {
	c, err := qr.Encode(text, qr.Q)
	if err != nil {
		return symbol{}, fmt.Errorf("draw the code of %q: %w", text, err)
	}
	var b strings.Builder
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			n := 0
			for c.Black(x+n, y) {
				n++
			}
			if n > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, n, n)
				x += n
			}
		}
	}
	return symbol{Path: b.String(), Size: c.Size + 2*quiet}, nil
}
