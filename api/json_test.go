package api

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"envivo/plant"
)

// encoded is v as encoding/json writes it for API answers.
func encoded(t testing.TB, v any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatalf("encode %v: %v", v, err)
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

func FuzzTextIsWrittenAsEncodingJSONDoes(f *testing.F) {
	for _, s := range []string{"", "MK-1", `a"b\c`, "línea\ny\tmás\x00\x1f\x7f", "✓🔧", "\u2028\u2029", "\xff\xfe", "a\xffb", "<a href='x'>&", "\ufffd", "\b\f\r"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := string(appendText(nil, s)), encoded(t, s); got != want {
			t.Errorf("appendText(%q) = %s, want %s", s, got, want)
		}
	})
}

func TestAppendedFieldsAreJSON(t *testing.T) {
	b := appendTextField([]byte(`{"a":1`), "texto", `"x"`)
	b = appendUintField(b, "seq", 1<<63)
	b = appendIntField(b, "n", -3)
	b = append(appendTextOrNull(appendKey(b, "nada"), ""), '}')
	if got, want := string(b), `{"a":1,"texto":"\"x\"","seq":9223372036854775808,"n":-3,"nada":null}`; got != want {
		t.Errorf("fields = %s, want %s", got, want)
	}
}

func TestInstantsCarryThePlantsOffset(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{time.Date(2026, 1, 5, 13, 4, 5, 6e6, time.UTC), `"2026-01-05T10:04:05.006-03:00"`},
		{time.Date(2026, 7, 5, 13, 4, 5, 0, time.UTC), `"2026-07-05T09:04:05.000-04:00"`},
	} {
		if got := string(appendISO(nil, c.at)); got != c.want {
			t.Errorf("appendISO(%v) = %s, want %s", c.at, got, c.want)
		}
	}
}

func TestInchesAreNumbers(t *testing.T) {
	for in, want := range map[plant.Inches]string{0: "0", 75: "0.75", 200: "2", 1250: "12.5"} {
		got := encoded(t, Inches(in))
		var n float64
		if err := json.Unmarshal([]byte(got), &n); err != nil || n != float64(in)/100 {
			t.Errorf("Inches(%d) = %s, want %s", in, got, want)
		}
	}
}
