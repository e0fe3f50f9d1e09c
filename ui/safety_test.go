package ui

import (
	"testing"
	"time"
)

func TestHeadCode(t *testing.T) {
	head := [32]byte{0xFF, 0x00, 0x12, 0x34, 0x56, 0x78}
	code := HeadCode(8412, head)
	if code != "8.412-ZW01-4D2P" {
		t.Errorf("HeadCode = %s, want the number and 40 bits", code)
	}
	seq, again, ok := ParseHeadCode(" 8.412-zw01-4d2p ")
	if !ok || seq != 8412 || again != code {
		t.Errorf("ParseHeadCode = %d %s %v", seq, again, ok)
	}
	for _, bad := range []string{"", "8412", "x-ZW01-4D2P", "0-ZW01-4D2P", "-"} {
		if _, _, ok := ParseHeadCode(bad); ok {
			t.Errorf("%q is read as a code", bad)
		}
	}
	for i := range 5 {
		other := head
		other[i] ^= 1
		if HeadCode(8412, other) == code {
			t.Errorf("byte %d of the link does not show", i)
		}
	}
}

func TestStandbyText(t *testing.T) {
	for want, s := range map[string]Standby{"al día": {}, "le faltan 1.200 eventos": {Behind: 1200}, "sin respuesta del principal hace 3 min": {Behind: 5, Silent: 3 * time.Minute}} {
		if got := s.Text(); got != want {
			t.Errorf("%+v says %q, want %q", s, got, want)
		}
	}
}
