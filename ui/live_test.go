package ui

import (
	"strings"
	"testing"
	"time"
)

func TestFillTimesWritesWhatPassesAndNothingElse(t *testing.T) {
	at := noon.Add(-85 * time.Minute)
	mark := func(f string) string { return `<time data-elapsed="` + unix(at) + `"` + f + `></time>` }
	for name, c := range map[string]struct{ in, want string }{
		"nothing passes":           {`<p>x</p>`, `<p>x</p>`},
		"how long":                 {mark(""), `<time data-elapsed="` + unix(at) + `">1 h 25 min</time>`},
		"since when":               {`a` + mark(` data-f="desde"`) + `b`, `a<time data-elapsed="` + unix(at) + `" data-f="desde">las 10:35</time>b`},
		"several":                  {mark("") + mark(""), strings.Repeat(`<time data-elapsed="`+unix(at)+`">1 h 25 min</time>`, 2)},
		"no number":                {`<time data-elapsed="x"></time>`, `<time data-elapsed="x"></time>`},
		"a mark that is not time":  {`<p data-elapsed>a</p>` + mark(""), `<p data-elapsed>a</p><time data-elapsed="` + unix(at) + `">1 h 25 min</time>`},
		"an element with a text":   {`<i data-elapsed="5">a</i>`, `<i data-elapsed="5">a</i>`},
		"broken off at the end":    {`<time data-elapsed="5`, `<time data-elapsed="5`},
		"a quotation mark missing": {`<time data-elapsed="5></time>`, `<time data-elapsed="5></time>`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(FillTimes([]byte(c.in), noon)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func FuzzFillTimesKeepsEveryByte(f *testing.F) {
	f.Add(`<time data-elapsed="5"></time>`)
	f.Add(` data-elapsed="`)
	f.Fuzz(func(t *testing.T, in string) {
		out := string(FillTimes([]byte(in), noon))
		i := 0
		for k := 0; k < len(out) && i < len(in); k++ {
			if out[k] == in[i] {
				i++
			}
		}
		if i < len(in) {
			t.Errorf("FillTimes(%q) = %q lost what follows byte %d", in, out, i)
		}
	})
}

func TestTimesReadAsPeopleSayThem(t *testing.T) {
	for d, want := range map[time.Duration]string{-time.Hour: "menos de 1 min", 59 * time.Second: "menos de 1 min", time.Minute: "1 min",
		59 * time.Minute: "59 min", time.Hour: "1 h 0 min", 47*time.Hour + 59*time.Minute: "47 h 59 min", 52 * time.Hour: "2 días 4 h"} {
		if got := Lapse(d); got != want {
			t.Errorf("Lapse(%s) = %q, want %q", d, got, want)
		}
	}
	midnight := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC) // 00:00 in the plant
	for at, want := range map[time.Time]string{noon: "las 12:00", midnight: "las 00:00", midnight.Add(-time.Minute): "el 23-11-2026 a las 23:59"} {
		if got := Desde(at, noon); got != want {
			t.Errorf("Desde(%s) = %q, want %q", at, got, want)
		}
	}
}

// A page that shows the same plant later is the same page, passing times aside.
func TestRegionsDoNotChangeWhileOnlyTimePasses(t *testing.T) {
	s := snapshot(everySpool()...)
	at := func(now time.Time) string {
		regions, err := Held(s, Filter{Path: "/quien"}, now)
		if err != nil {
			t.Fatalf("draw who has what: %v", err)
		}
		var b strings.Builder
		for _, r := range regions {
			b.Write(joinItems(r))
		}
		return b.String()
	}
	if at(noon) != at(noon.Add(20*time.Minute)) {
		t.Error("20 minutes changed the page although no hold became vencida")
	}
	if at(noon) == at(noon.Add(2*time.Hour)) {
		t.Error("two hours later no hold is vencida")
	}
}
