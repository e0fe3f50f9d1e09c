package ui

import (
	"testing"
	"time"

	"envivo/plant"
)

func TestDiametersReadAsOnTheSteel(t *testing.T) {
	for in, want := range map[plant.Inches]string{200: `2"`, 150: `1½"`, 75: `¾"`, 25: `¼"`, 1025: `10¼"`, 237: `2,37"`, 2400: `24"`} {
		if got := DN(in); got != want {
			t.Errorf("DN(%d) = %s, want %s", in, got, want)
		}
	}
}

func TestNumbersReadTheChileanWay(t *testing.T) {
	for in, want := range map[int]string{0: "0", 999: "999", 2493: "2.493", 1234567: "1.234.567", -1200: "-1.200"} {
		if got := Count(in); got != want {
			t.Errorf("Count(%d) = %s, want %s", in, got, want)
		}
	}
	for in, want := range map[plant.Inches]string{4200: "42", 3750: "37,5", 75: "0,75"} {
		if got := PD(in); got != want {
			t.Errorf("PD(%d) = %s, want %s", in, got, want)
		}
	}
	if got, want := Fecha(noon), "24-11-2026 12:00"; got != want {
		t.Errorf("Fecha = %s, want %s", got, want)
	}
	if got := Fecha(time.Time{}); got != "" {
		t.Errorf("Fecha of no time = %q, want nothing", got)
	}
}

func TestListsOfNumbersReadAsASentence(t *testing.T) {
	for want, in := range map[string][]int{"": nil, "3": {3}, "3 y 5": {3, 5}, "3, 5 y 7": {3, 5, 7}} {
		if got := Enumerate(in); got != want {
			t.Errorf("Enumerate(%v) = %q, want %q", in, got, want)
		}
	}
	if got := Plural(1, "unión", "uniones") + ", " + Plural(2493, "unión", "uniones"); got != "1 unión, 2.493 uniones" {
		t.Errorf("Plural gives %q", got)
	}
}

func TestTheTailOfATagTellsItApart(t *testing.T) {
	for tag, want := range map[plant.Tag][3]string{
		"MK-1346-TW-28082-010":   {"MK-1346-TW-28082-", "010", "…010"},
		"MK-1346-TW-28082-010-A": {"MK-1346-TW-28082-", "010-A", "…010-A"},
		"S-1":                    {"", "S-1", "S-1"},
		"S-0001":                 {"S-", "0001", "…0001"},
		"SUELTO":                 {"", "SUELTO", "SUELTO"},
		"A-ñú":                   {"", "A-ñú", "A-ñú"},
		"X-Y-ñúa":                {"X-Y-", "ñúa", "…ñúa"},
	} {
		head, tail := SplitTag(tag)
		if got := [3]string{head, tail, Short(tag)}; got != want {
			t.Errorf("%s parts into %q, want %q", tag, got, want)
		}
		if head+tail != string(tag) {
			t.Errorf("%s loses letters when parted: %q + %q", tag, head, tail)
		}
	}
}

func TestASalesOrderIsNotCalledNVTwice(t *testing.T) {
	for in, want := range map[string]string{"0123": "NV 0123", "NV0123": "NV0123", "nv-7": "nv-7"} {
		if got := NVText(in); got != want {
			t.Errorf("NVText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPathsEscapeEveryTag(t *testing.T) {
	if got, want := SpoolPath(`A/B %"😀`), "/spools/A%2FB%20%25%22%F0%9F%98%80"; got != want {
		t.Errorf("SpoolPath = %s, want %s", got, want)
	}
}

func TestNamesComeFromThePeopleElseFromTheCell(t *testing.T) {
	s := snapshot()
	for want, p := range map[string]plant.Person{"Ana Bravo": ana.Person(), "XX(99)": {ID: 99, Display: "XX(99)"}, "Contratista": {Display: "Contratista"}, "": {}} {
		if got := Name(s, p); got != want {
			t.Errorf("Name(%v) = %q, want %q", p, got, want)
		}
	}
	if got := Initials(ana.Person()) + Initials(plant.Person{Display: "pedro"}); got != "ABP" {
		t.Errorf("Initials give %q, want ABP", got)
	}
}
