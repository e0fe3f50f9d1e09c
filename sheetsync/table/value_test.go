package table

import (
	"math"
	"testing"
	"time"

	"envivo/plant"
)

func txt(s string) Cell { return TextCell(s) }

// state is OK, repaired or bad.
func state(p Problem) string {
	switch {
	case p.OK():
		return "ok"
	case p.Repaired:
		return "repaired"
	}
	return "bad"
}

func TestDateReadsEveryShapeTheOfficeUses(t *testing.T) {
	day := plant.NewDate(2026, 1, 21)
	for _, c := range []struct {
		in    Cell
		want  plant.Date
		state string
	}{
		{txt("21-01-2026"), day, "ok"},
		{txt(" 21-01-2026\u00a0"), day, "ok"},
		{txt("21-1-2026"), day, "ok"},
		{txt("30/7/2025"), plant.NewDate(2025, 7, 30), "ok"},
		{txt("30/7/25"), plant.NewDate(2025, 7, 30), "ok"},
		{txt("2/3/2026"), plant.NewDate(2026, 3, 2), "ok"}, // day first, always
		{txt("2025-11-08"), plant.NewDate(2025, 11, 8), "ok"},
		{txt("08-Nov-2025"), plant.NewDate(2025, 11, 8), "ok"},
		{txt("08-NOV-25"), plant.NewDate(2025, 11, 8), "ok"},
		{txt("8-ene-2026"), plant.NewDate(2026, 1, 8), "repaired"},
		{txt("21.01.2026"), day, "repaired"},
		{txt("2026/01/21"), day, "repaired"},
		{txt("21-01-2026 10:30:00"), day, "repaired"},
		{txt("2026-01-21T02:30:00Z"), plant.NewDate(2026, 1, 20), "repaired"}, // 23:30 the day before in the plant
		{NumberCell(46043), day, "ok"},
		{NumberCell(46043.48), day, "ok"},
		{NumberCell(46042.999999), day, "ok"}, // within half a second of midnight
		{txt("46043"), day, "ok"},
		{txt("46043,5"), day, "ok"},
		{DateCell(day), day, "ok"},
		{Cell{}, 0, "ok"},
		{txt("  "), 0, "ok"},
		{txt("-"), 0, "repaired"},
		{txt("—"), 0, "repaired"},
		{txt("pronto"), 0, "bad"},
		{txt("31-02-2026"), 0, "bad"},
		{txt("13/13/2026"), 0, "bad"},
		{txt("21-01-202"), 0, "bad"},
		{txt("21-01/2026"), 0, "bad"},
		{txt("21-01-2026 mañana"), 0, "bad"},
		{txt("21-01"), 0, "bad"},
		{txt("#REF!"), 0, "bad"},
		{NumberCell(7), 0, "bad"}, // a counter, not the year 1900
		{NumberCell(-1), 0, "bad"},
		{NumberCell(math.NaN()), 0, "bad"},
		{NumberCell(math.Inf(1)), 0, "bad"},
		{BoolCell(true), 0, "bad"},
	} {
		got, p := Date(c.in)
		if got != c.want || state(p) != c.state {
			t.Errorf("Date(%+v) = %v, %s (%s), want %v, %s", c.in, got, state(p), p.Reason, c.want, c.state)
		}
	}
}

func TestTimeReadsEveryShapeInPlantTime(t *testing.T) {
	summer := time.Date(2026, 1, 21, 13, 30, 15, 0, time.UTC) // 10:30:15, UTC-3
	winter := time.Date(2026, 7, 21, 14, 30, 15, 0, time.UTC) // 10:30:15, UTC-4
	for _, c := range []struct {
		in    Cell
		want  time.Time
		state string
	}{
		{txt("21-01-2026 10:30:15"), summer, "ok"},
		{txt("21/01/2026 10:30:15"), summer, "ok"},
		{txt("2026-01-21 10:30:15"), summer, "ok"},
		{txt("2026-01-21T10:30:15"), summer, "ok"},
		{txt("2026-01-21T13:30:15Z"), summer, "ok"},
		{txt("2026-01-21T10:30:15-03:00"), summer, "ok"},
		{txt("2026-01-21T13:30:14.6Z"), summer, "ok"},
		{txt("21-01-2026 10:30:14.600"), summer, "ok"},
		{txt("21-07-2026 10:30:15"), winter, "ok"},
		{txt("21-01-2026 10:30"), summer.Add(-15 * time.Second), "ok"},
		{txt("21-01-2026"), time.Date(2026, 1, 21, 3, 0, 0, 0, time.UTC), "ok"},
		{NumberCell(46043 + (10*3600+30*60+15.4)/86400), summer, "ok"},
		{NumberCell(46043), time.Date(2026, 1, 21, 3, 0, 0, 0, time.UTC), "ok"},
		{InstantCell(winter), winter, "ok"},
		{Cell{}, time.Time{}, "ok"},
		{txt("-"), time.Time{}, "repaired"},
		{txt("21-01-2026 25:00:00"), time.Time{}, "bad"},
		{txt("10:30:15"), time.Time{}, "bad"},
		{txt("ayer"), time.Time{}, "bad"},
		{txt("0001-01-01T00:00:00Z"), time.Time{}, "bad"},
		{NumberCell(0.48), time.Time{}, "bad"},
		{BoolCell(false), time.Time{}, "bad"},
	} {
		got, p := Time(c.in)
		if !got.Equal(c.want) || state(p) != c.state {
			t.Errorf("Time(%+v) = %v, %s (%s), want %v, %s", c.in, got, state(p), p.Reason, c.want, c.state)
		}
	}
}

// In 2026 the clocks of the plant went back on 5 April at 00:00 to 23:00 of
// the 4th, and forward on 6 September at 00:00 to 01:00.
func TestTimeOnTheTwoDaysTheClocksChange(t *testing.T) {
	for _, c := range []struct{ in, want, state string }{
		{"04-04-2026 22:59:59", "2026-04-04T22:59:59-03:00", "ok"},
		{"04-04-2026 23:30:00", "2026-04-04T23:30:00-03:00", "ok"}, // happened twice: the first
		{"05-04-2026 00:00:00", "2026-04-05T00:00:00-04:00", "ok"},
		{"05-09-2026 23:59:59", "2026-09-05T23:59:59-04:00", "ok"},
		{"06-09-2026 00:30:00", "2026-09-06T01:30:00-03:00", "repaired"}, // never happened
		{"06-09-2026", "2026-09-06T01:00:00-03:00", "ok"},                // the day itself began at 01:00
		{"06-09-2026 01:00:00", "2026-09-06T01:00:00-03:00", "ok"},
	} {
		got, p := Time(txt(c.in))
		if plant.ISOTime(got) != c.want || state(p) != c.state {
			t.Errorf("Time(%q) = %s, %s, want %s, %s", c.in, plant.ISOTime(got), state(p), c.want, c.state)
		}
	}
}

func TestEveryHourOfAYearSurvivesTheCell(t *testing.T) {
	for at := time.Date(2026, 1, 1, 3, 0, 7, 0, time.UTC); at.Year() < 2027; at = at.Add(time.Hour) {
		c := InstantCell(at)
		got, p := Time(c)
		if !p.OK() || plant.SheetTime(got) != plant.SheetTime(at) {
			t.Fatalf("%s came back from its cell as %s (%s)", plant.ISOTime(at), plant.ISOTime(got), p.Reason)
		}
		if again, _ := Time(TextCell(c.String())); !again.Equal(got) {
			t.Fatalf("%s as text %q is %s", plant.ISOTime(got), c.String(), plant.ISOTime(again))
		}
	}
}

func TestInt(t *testing.T) {
	for _, c := range []struct {
		in    Cell
		want  int
		state string
	}{
		{NumberCell(12), 12, "ok"}, {txt("12"), 12, "ok"}, {txt("012"), 12, "ok"}, {txt(" 12.0 "), 12, "ok"}, {Cell{}, 0, "ok"},
		{NumberCell(12.5), 0, "bad"}, {txt("doce"), 0, "bad"}, {txt("AB12"), 0, "bad"}, {NumberCell(-1), 0, "bad"}, {NumberCell(1e9), 0, "bad"},
		{BoolCell(true), 0, "bad"}, {txt("-"), 0, "bad"}, {txt("1e2"), 0, "bad"}, {txt("#N/A"), 0, "bad"}, {NumberCell(math.NaN()), 0, "bad"},
	} {
		if got, p := Int(c.in, 1000); got != c.want || state(p) != c.state {
			t.Errorf("Int(%+v) = %d, %s, want %d, %s", c.in, got, state(p), c.want, c.state)
		}
	}
}

func TestInches(t *testing.T) {
	for _, c := range []struct {
		in    Cell
		want  plant.Inches
		state string
	}{
		{NumberCell(2), 200, "ok"}, {NumberCell(0.75), 75, "ok"}, {NumberCell(0.1 + 0.2), 30, "ok"}, {txt("2,5"), 250, "ok"}, {txt("2.5"), 250, "ok"},
		{txt("½"), 50, "ok"}, {txt("1½"), 150, "ok"}, {txt("1 ½"), 150, "ok"}, {txt("¾"), 75, "ok"}, {txt("1/2"), 50, "ok"}, {txt("1 1/2"), 150, "ok"},
		{txt(`1 1/2"`), 150, "ok"}, {txt("12″"), 1200, "ok"}, {txt("3/8"), 38, "repaired"}, {Cell{}, 0, "ok"}, {txt("0"), 0, "ok"},
		{NumberCell(46024), 0, "bad"}, // 1/2 that a spreadsheet took for a day
		{NumberCell(-2), 0, "bad"}, {txt("dos"), 0, "bad"}, {txt("1 2"), 0, "bad"}, {txt("1/0"), 0, "bad"}, {txt("1,2,3"), 0, "bad"}, {txt("-"), 0, "bad"},
		{BoolCell(true), 0, "bad"}, {txt("½½"), 0, "bad"}, {txt("2-3"), 0, "bad"}, {NumberCell(math.Inf(1)), 0, "bad"},
	} {
		if got, p := Inches(c.in, MaxDN); got != c.want || state(p) != c.state {
			t.Errorf("Inches(%+v) = %v, %s, want %v, %s", c.in, got, state(p), c.want, c.state)
		}
	}
}

func TestTruth(t *testing.T) {
	for _, c := range []struct {
		in    Cell
		want  bool
		state string
	}{
		{BoolCell(true), true, "ok"}, {BoolCell(false), false, "ok"}, {txt("TRUE"), true, "ok"}, {txt("verdadero"), true, "ok"}, {txt("FALSO"), false, "ok"},
		{txt("1"), true, "ok"}, {NumberCell(1), true, "ok"}, {NumberCell(0), false, "ok"}, {Cell{}, false, "ok"}, {txt(" FALSE "), false, "ok"},
		{txt("Sí"), true, "repaired"}, {txt("no"), false, "repaired"}, {txt("-"), false, "repaired"},
		{txt("quizás"), false, "bad"}, {NumberCell(2), false, "bad"}, {txt("#REF!"), false, "bad"},
	} {
		if got, p := Truth(c.in); got != c.want || state(p) != c.state {
			t.Errorf("Truth(%+v) = %v, %s, want %v, %s", c.in, got, state(p), c.want, c.state)
		}
	}
}

func TestWorkersAndOccupants(t *testing.T) {
	for _, c := range []struct {
		in       Cell
		worker   plant.Person
		state    string
		occupant plant.Person
		occState string
	}{
		{txt("AB(12)"), plant.Person{ID: 12, Display: "AB(12)"}, "ok", plant.Person{ID: 12, Display: "AB(12)"}, "ok"},
		{txt(" Juan Pérez "), plant.Person{Display: "Juan Pérez"}, "ok", plant.Person{Display: "Juan Pérez"}, "ok"},
		{txt("Nicolás(93)"), plant.Person{ID: 93, Display: "Nicolás(93)"}, "ok", plant.Person{ID: 93, Display: "Nicolás(93)"}, "ok"},
		{Cell{}, plant.Person{}, "ok", plant.Person{}, "ok"},
		{txt("DISPONIBLE"), plant.Person{Display: "DISPONIBLE"}, "ok", plant.Person{}, "ok"},
		{txt("disponible "), plant.Person{Display: "disponible"}, "ok", plant.Person{}, "ok"},
		{txt("-"), plant.Person{}, "repaired", plant.Person{}, "ok"},
		{txt(" — "), plant.Person{}, "repaired", plant.Person{}, "ok"},
		{NumberCell(46043), plant.Person{}, "bad", plant.Person{}, "bad"},
		{txt("21-01-2026"), plant.Person{}, "bad", plant.Person{}, "bad"},
		{txt("46043"), plant.Person{}, "bad", plant.Person{}, "bad"},
		{BoolCell(true), plant.Person{}, "bad", plant.Person{}, "bad"},
		{txt("#REF!"), plant.Person{}, "bad", plant.Person{}, "bad"},
	} {
		if got, p := Worker(c.in); got != c.worker || state(p) != c.state {
			t.Errorf("Worker(%+v) = %+v, %s, want %+v, %s", c.in, got, state(p), c.worker, c.state)
		}
		if got, p := Occupant(c.in); got != c.occupant || state(p) != c.occState {
			t.Errorf("Occupant(%+v) = %+v, %s, want %+v, %s", c.in, got, state(p), c.occupant, c.occState)
		}
	}
}

func TestTexts(t *testing.T) {
	for _, c := range []struct {
		in           Cell
		label, prose string
		state        string
	}{
		{txt(" MK-1 "), "MK-1", "MK-1", "ok"},
		{txt("007"), "007", "007", "ok"},
		{NumberCell(123), "123", "123", "ok"},
		{NumberCell(1.5), "1.5", "1.5", "ok"},
		{txt("a\r\nb"), "a b", "a\nb", "ok"},
		{txt("a\u200bb"), "ab", "ab", "repaired"},
		{txt("a\x00b"), "ab", "ab", "repaired"},
		{txt("\u00a0MK-1\u00a0"), "MK-1", "MK-1", "ok"},
		{BoolCell(true), "", "", "bad"},
		{txt("#REF!"), "", "", "bad"},
		{txt("#1"), "#1", "#1", "ok"},
		{Cell{}, "", "", "ok"},
	} {
		label, p := Label(c.in)
		prose, q := Prose(c.in)
		if label != c.label || prose != c.prose || state(p) != c.state || state(q) != c.state {
			t.Errorf("Label, Prose of %+v = %q, %q, %s, want %q, %q, %s", c.in, label, prose, state(p), c.label, c.prose, c.state)
		}
	}
}

// FuzzDecoders: whatever a cell holds, every decoder answers, says so when it
// could not read it, and never invents a value for what it called bad.
func FuzzDecoders(f *testing.F) {
	for _, s := range []string{"21-01-2026 10:30:15", "30/7/25", "½", "1 1/2", "AB(12)", "-", "#REF!", "2026-01-21T10:30:15Z", "\xff", "T-1-2", "1,5"} {
		f.Add(s, 46043.5, uint8(1))
	}
	f.Fuzz(func(t *testing.T, s string, n float64, kind uint8) {
		c := Cell{Kind: Kind(kind % 4), Text: s, Num: n}
		if d, p := Date(c); p.Bad() && d != 0 {
			t.Errorf("Date(%+v) is bad and yet %v", c, d)
		} else if d != 0 {
			if again, q := Date(TextCell(d.String())); again != d || !q.OK() {
				t.Errorf("Date(%+v) = %v, which reads back as %v", c, d, again)
			}
		}
		if at, p := Time(c); p.Bad() && !at.IsZero() {
			t.Errorf("Time(%+v) is bad and yet %v", c, at)
		} else if again, _ := Time(InstantCell(at)); plant.SheetTime(again) != plant.SheetTime(at) {
			t.Errorf("Time(%+v) = %v, which reads back as %v", c, at, again)
		}
		if i, p := Int(c, 100); p.Bad() && i != 0 || i < 0 || i > 100 {
			t.Errorf("Int(%+v) = %d, %+v", c, i, p)
		}
		if in, p := Inches(c, MaxDN); p.Bad() && in != 0 || in < 0 || in > MaxDN*100 {
			t.Errorf("Inches(%+v) = %d, %+v", c, in, p)
		}
		if w, p := Worker(c); p.Bad() && !w.None() {
			t.Errorf("Worker(%+v) is bad and yet %+v", c, w)
		}
		if s, p := Label(c); p.Bad() && s != "" {
			t.Errorf("Label(%+v) is bad and yet %q", c, s)
		} else if again, q := Label(TextCell(s)); again != s || q.Bad() && s != "" {
			t.Errorf("Label(%+v) = %q, which reads back as %q", c, s, again)
		}
		_, _ = Truth(c)
		_, _ = Occupant(c)
		_, _ = Prose(c)
	})
}
