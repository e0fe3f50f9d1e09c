package camera_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"rsc.io/qr"

	"envivo/camera"
)

// framed is a code as a camera sees it: scale pixels a module, somewhere on a
// table that is not white, lit from one side, turned by quarters.
func framed(t testing.TB, text string, scale, turns int) (frame []byte, width int) {
	t.Helper()
	c, err := qr.Encode(text, qr.Q)
	if err != nil {
		t.Fatal(err)
	}
	width, height := 400, 400
	frame = make([]byte, width*height)
	left, top := 31, 17
	for y := range height {
		for x := range width {
			light := 150 + x/8
			mx, my := (x-left)/scale-4, (y-top)/scale-4
			onPaper := x >= left && y >= top && mx < c.Size+4 && my < c.Size+4
			for range turns {
				mx, my = my, c.Size-1-mx
			}
			switch {
			case !onPaper:
				light -= 60
			case c.Black(mx, my):
				light -= 130
			}
			frame[y*width+x] = byte(light)
		}
	}
	return frame, width
}

func TestACodeIsFoundHoweverItLies(t *testing.T) {
	for _, text := range []string{"E:MK-1342-TW-17334-010", "T:93", "O:TERMINAR", "NV Ñuñoa 12"} {
		for scale := 3; scale <= 7; scale += 2 {
			for turns := range 4 {
				frame, width := framed(t, text, scale, turns)
				if got, ok, err := camera.Read(frame, width); err != nil || !ok || got != text {
					t.Errorf("%q at %d pixels a module, turned %d times: %q, %v, %v", text, scale, turns, got, ok, err)
				}
			}
		}
	}
}

func TestAFrameWithoutCode(t *testing.T) {
	noise := make([]byte, 160_000)
	for i := range noise {
		noise[i] = byte(i * i >> 3)
	}
	for name, frame := range map[string][]byte{"dark": make([]byte, 160_000), "noise": noise} {
		if got, ok, err := camera.Read(frame, 400); ok || err != nil {
			t.Errorf("%s: %q, %v, %v", name, got, ok, err)
		}
	}
	half, width := framed(t, "E:MK-1", 7, 0)
	if _, ok, err := camera.Read(half[:width*60], width); ok || err != nil {
		t.Errorf("half a code: %v, %v", ok, err)
	}
}

func TestWhatIsNoFrame(t *testing.T) {
	for _, c := range []struct{ bytes, width int }{{0, 0}, {160_000, 0}, {160_000, -400}, {160_000, 399}, {200_001, 1}, {480_000, 800}, {23 * 400, 400}, {400 * 23, 23}, {10, 1 << 40}} {
		if _, _, err := camera.Read(make([]byte, c.bytes), c.width); !errors.Is(err, camera.ErrFrame) {
			t.Errorf("%d bytes of width %d: %v, want ErrFrame", c.bytes, c.width, err)
		}
	}
}

// FuzzRead: whatever a tablet sends, the box answers, and with text only.
func FuzzRead(f *testing.F) {
	for _, text := range []string{"E:MK-1", "T:93", "a longer text for a symbol of more modules, with an alignment pattern"} {
		frame, width := framed(f, text, 3, 0)
		f.Add(frame[:width*200], width)
	}
	f.Add(make([]byte, 1024), 32)
	f.Fuzz(func(t *testing.T, frame []byte, width int) {
		text, ok, err := camera.Read(frame, width)
		if ok == (text == "") || err != nil && ok {
			t.Errorf("%q, %v, %v", text, ok, err)
		}
		if ok && !utf8.ValidString(text) {
			t.Logf("not UTF-8: %q", text) // ParseCode takes any bytes
		}
	})
}
