// Package camera finds the QR code in a frame that a tablet's camera took, for
// browsers that cannot do it themselves. A frame is raw grey pixels: there is no
// picture format to be attacked through.
package camera

import (
	"errors"
	"fmt"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// MaxFrame is the largest frame, in bytes: one byte per pixel.
const MaxFrame = 200_000

// minSide is less than the smallest symbol at one pixel a module.
const minSide = 24

// ErrFrame says that bytes are no frame of that width.
var ErrFrame = errors.New("want rows of grey pixels, one byte each, 24 pixels or more in both directions and 200,000 bytes at most")

// Read looks for one QR code in a frame of rows of width pixels, one byte each,
// 0 black. ok is false when there is none that can be read; the error is about
// the shape of the frame (ErrFrame).
func Read(frame []byte, width int) (text string, ok bool, err error) {
	if width < minSide || len(frame) > MaxFrame || len(frame)%width != 0 || len(frame)/width < minSide {
		return "", false, ErrFrame
	}
	defer func() {
		if recover() != nil { // the decoder indexes what a broken code told it: a frame without code
			text, ok, err = "", false, nil
		}
	}()
	height := len(frame) / width
	source, err := gozxing.NewPlanarYUVLuminanceSource(frame, width, height, 0, 0, width, height, false)
	if err != nil {
		return "", false, fmt.Errorf("read a frame: %w", err)
	}
	picture, err := gozxing.NewBinaryBitmap(gozxing.NewHybridBinarizer(source))
	if err != nil {
		return "", false, fmt.Errorf("read a frame: %w", err)
	}
	found, err := qrcode.NewQRCodeReader().Decode(picture, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_CHARACTER_SET: "UTF-8"})
	if err != nil || found.GetText() == "" { // most frames hold none, or a blurred one
		return "", false, nil
	}
	return found.GetText(), true, nil
}
