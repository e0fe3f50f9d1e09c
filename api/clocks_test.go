package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"envivo/api"
)

func TestTheBoxLearnsWhatDevicesThinkOfItsClock(t *testing.T) {
	b := newBox(t, func(o *api.Options) {
		o.UI = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	})
	hello := func(device int, ahead time.Duration) {
		r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("/ws/ui?view=/quien&reloj=%d", b.clock.Now().Add(ahead).UnixMilli()), nil)
		r.RemoteAddr = fmt.Sprintf("10.0.0.%d:5000", device)
		w := httptest.NewRecorder()
		b.api.ServeHTTP(w, r)
		if w.Code != http.StatusNoContent {
			t.Fatalf("hello = %d %s", w.Code, w.Body)
		}
	}
	if _, n := b.api.ClockAhead(); n != 0 {
		t.Errorf("%d devices before any has said hello", n)
	}
	hello(1, 2*time.Second)
	hello(2, 48*time.Hour) // a tablet whose battery was empty
	hello(3, -time.Second)
	if ahead, n := b.api.ClockAhead(); n != 3 || ahead.Round(time.Second) != 2*time.Second {
		t.Errorf("three devices, one of them two days ahead: the middle is %v of %d, want 2s of 3", ahead, n)
	}
	hello(1, 5*time.Minute)
	hello(3, 5*time.Minute)
	if ahead, _ := b.api.ClockAhead(); ahead.Round(time.Second) != 5*time.Minute {
		t.Errorf("all say that the box is five minutes late: %v", ahead)
	}
	for _, nonsense := range []string{"", "x", "-1", "99999999999999999"} {
		b.api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/ws/ui?reloj="+nonsense, nil))
	}
	if _, n := b.api.ClockAhead(); n != 3 {
		t.Errorf("nonsense counts as a clock: %d devices", n)
	}
	b.clock.Add(25 * time.Hour)
	if _, n := b.api.ClockAhead(); n != 0 {
		t.Errorf("a day later %d devices still count", n)
	}
}
