package plant

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold must agree with compatibility decomposition plus dropping the marks for
// every letter a Chilean office can type, ß, ø and their like aside.
func TestFoldIsDecompositionWithoutMarks(t *testing.T) {
	for r := rune(0x20); r < 0x180; r++ {
		if !unicode.IsLetter(r) && r > 0x7f {
			continue
		}
		want := strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) {
				return -1
			}
			return unicode.ToLower(r)
		}, norm.NFKD.String(string(r)))
		got := Fold(string(r))
		special := strings.ContainsRune("ßæœøđðħıłþŧÆŒØĐÐĦŁÞŦİĿŀŉĲĳªºµſĸŋŊ", r)
		if got != want && !special {
			t.Errorf("Fold(%q) = %q, want %q", r, got, want)
		}
	}
	if got := Fold("Metrologi\u0301a"); got != "metrologia" {
		t.Errorf("Fold of a combining accent = %q, want metrologia", got)
	}
}

func TestDisplay(t *testing.T) {
	for _, c := range []struct {
		w    Worker
		want string
	}{
		{Worker{ID: 12, Nombre: "Ana María", Apellido: "Bravo Cortés"}, "AB(12)"},
		{Worker{ID: 7, Nombre: "álvaro", Apellido: "ñuñez"}, "ÁÑ(7)"},
		{Worker{ID: 7, Nombre: "  Ana", Apellido: " "}, "A(7)"},
	} {
		if got := c.w.Display(); got != c.want {
			t.Errorf("Display of %v = %q, want %q", c.w, got, c.want)
		}
		if got := ParsePerson(c.want); got.ID != c.w.ID {
			t.Errorf("ParsePerson(%q) = %+v, want id %d", c.want, got, c.w.ID)
		}
	}
	for _, s := range []string{"Juan Pérez", "AB(x)", "(12) AB", "AB(0)", "AB(-3)", "AB(99999999999)", ")"} {
		if got := ParsePerson(s); got.ID != 0 || got.Display != s {
			t.Errorf("ParsePerson(%q) = %+v, want the text without an id", s, got)
		}
	}
}

func TestDatesArePlantDates(t *testing.T) {
	late := time.Date(2026, 11, 24, 2, 30, 0, 0, time.UTC) // 23:30 of the 23rd in Santiago
	if got := DateOf(late).String(); got != "23-11-2026" {
		t.Errorf("DateOf(%v) = %s, want the plant's day 23-11-2026", late, got)
	}
	if got := NewDate(2026, 5, 13); got != 46155 {
		t.Errorf("serial of 13-05-2026 = %d, want 46155", got)
	}
	if got := SheetTime(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)); got != "01-07-2026 08:00:00" {
		t.Errorf("winter time = %s, want UTC-4", got)
	}
	if got := SheetTime(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)); got != "01-01-2026 09:00:00" {
		t.Errorf("summer time = %s, want UTC-3", got)
	}
	for d := NewDate(2025, 1, 1); d < NewDate(2027, 12, 31); d++ {
		if got := DateOf(d.Start()); got != d {
			t.Fatalf("the day of the first instant of %s is %s", d, got)
		}
	}
}

func TestInches(t *testing.T) {
	for v, want := range map[Inches]string{0: "0", 200: "2", 75: "0.75", 1250: "12.5", -5: "-0.05"} {
		if got := v.String(); got != want {
			t.Errorf("%d hundredths = %s, want %s", int(v), got, want)
		}
	}
}

func TestParseRole(t *testing.T) {
	for text, want := range map[string]Role{"Armador": Armador, " metrología ": Metrologia, "SOLDADOR": Soldador} {
		if got, ok := ParseRole(text); !ok || got != want {
			t.Errorf("ParseRole(%q) = %v %v, want %v", text, got, ok, want)
		}
	}
	if _, ok := ParseRole("Gerente"); ok {
		t.Error("ParseRole accepts a role the plant does not have")
	}
}
