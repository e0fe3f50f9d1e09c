package ui

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"envivo/plant"
)

// yesterday are two weeks of waits and verdicts, all on their last day but one.
func yesterday() Log {
	log := Log{Waits: make([][]Wait, 2*FigureDays), Verdicts: make([][]Verdict, 2*FigureDays)}
	for i := range 6 {
		log.Waits[2*FigureDays-2] = append(log.Waits[2*FigureDays-2], Wait{Op: plant.SOLD, For: time.Duration(i) * time.Hour})
	}
	log.Verdicts[2*FigureDays-2] = []Verdict{{Rejected: true, Motivo: "porosidad"}, {}, {}}
	log.Verdicts[0] = []Verdict{{Rejected: true}, {}}
	return log
}

// boardPages are the pages that are looked at and not worked on.
func boardPages(t *testing.T, s *plant.Snapshot, f Frame, add func(string, templ.Component, ...Region)) {
	t.Helper()
	for name, draw := range boardDraws(s) {
		regions, err := draw(noon)
		if err != nil {
			t.Fatalf("draw the regions of %s: %v", name, err)
		}
		add("board "+name, boardPage(name, f), regions...)
	}
}

func boardPage(name string, f Frame) templ.Component {
	switch name {
	case "cifras":
		return FiguresPage(f, GoalForm{ARM: 300})
	case "momento":
		return MomentPage(f, noon)
	case "registro":
		return RegistroPage(f, ana, plant.DateOf(noon), TextCodeSame, true)
	case "dossier":
		return DossierPage(f, "E-APR")
	case "tv":
		return TVPage(f, "", false)
	}
	return TVPage(f, name, true)
}

// boardDraws draw the regions of those pages at a moment.
func boardDraws(s *plant.Snapshot) map[string]func(time.Time) ([]Region, error) {
	out := map[string]func(time.Time) ([]Region, error){
		"tv":       func(now time.Time) ([]Region, error) { return TV(s, "", now) },
		"cifras":   func(now time.Time) ([]Region, error) { return Figures(s, yesterday(), now) },
		"registro": func(now time.Time) ([]Region, error) { return RegistroRegions(s, ana.ID, 0, plant.DateOf(now)) },
		"momento": func(time.Time) ([]Region, error) {
			return Moment(s, []Stint{{Tag: "A-1", Worker: ana.Person(), Op: plant.ARM, From: noon.Add(-time.Hour)}}, noon)
		},
		"dossier": func(time.Time) ([]Region, error) {
			for r := range s.Rows() {
				return Dossier(s, r, []plant.Event{{Seq: 2, At: noon, Kind: plant.KindTomar, Tag: r.Spool.Tag, Op: plant.ARM, Worker: ana.Person()}})
			}
			return nil, fmt.Errorf("there is no spool")
		},
	}
	for _, b := range Boards() {
		out[b.Key] = func(now time.Time) ([]Region, error) { return TV(s, b.Key, now) }
	}
	return out
}

func TestBoardsDoNotChangeWhileOnlyTimePasses(t *testing.T) {
	s := snapshot(everySpool()...)
	for name, draw := range boardDraws(s) {
		at := func(now time.Time) (out []string) {
			regions, err := draw(now)
			if err != nil {
				t.Fatalf("draw %s: %v", name, err)
			}
			for _, r := range regions {
				out = append(out, string(joinItems(r)))
			}
			return out
		}
		if diff := cmp.Diff(at(noon), at(noon.Add(20*time.Minute))); diff != "" {
			t.Errorf("20 minutes changed %s although no hold became vencida:\n%s", name, diff)
		}
	}
}

func TestEveryKeyOfABoardIsThereOnce(t *testing.T) {
	s := snapshot(everySpool()...)
	for name, draw := range boardDraws(s) {
		regions, err := draw(noon)
		if err != nil {
			t.Fatalf("draw %s: %v", name, err)
		}
		for _, r := range regions {
			k := keys(r)
			slices.Sort(k)
			if len(slices.Compact(slices.Clone(k))) != len(k) {
				t.Errorf("%s: the region %s has a key twice: %v", name, r.ID, k)
			}
			d := parse(t, joinItems(r))
			for _, key := range k {
				if !d.has(`[data-k="`+key+`"]`) && !slices.ContainsFunc(r.Items, func(i Item) bool { return i.Key == key }) {
					t.Errorf("%s: the region %s draws no element for %q", name, r.ID, key)
				}
			}
		}
	}
}

// TestAlertsSayWhyAndHowLong: a rejected or blocked spool shows its motive and its
// age; of one rejected before there was a log nobody knows either, and it comes last.
func TestAlertsSayWhyAndHowLong(t *testing.T) {
	why := func(motivo string, at time.Time) func(*plant.Spool) {
		return func(s *plant.Spool) { s.Motivo, s.RejectedAt = motivo, at }
	}
	s := snapshot(
		spool("R-OLD", quality(plant.RechazadoQ, 1), why("", time.Time{})),
		spool("R-DAY", quality(plant.RechazadoQ, 1), why("", time.Time{}), func(s *plant.Spool) { s.FechaQC = plant.DateOf(noon) - 3 }),
		spool("R-NEW", quality(plant.RechazadoQ, 2), why("poros", noon.Add(-time.Hour))),
		spool("B-1", quality(plant.BloqueadoQ, 3), why("fuera de medida", noon.Add(-26*time.Hour))))
	regions, err := boardAlerts(s, noon)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range region(t, regions, "tv-alertas").all("li") {
		got = append(got, text(n))
	}
	want := []string{"Fuera de medida B-1 B-1 Bloqueado 26 h 0 min", "Sin motivo anotado R-DAY DAY Rechazado 1/3 3 días 12 h",
		"Poros R-NEW NEW Rechazado 2/3 1 h 0 min", "Sin motivo anotado R-OLD OLD Rechazado 1/3"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the alerts read (-want +got):\n%s", diff)
	}
}

func TestDaysReadAsPeopleSayThem(t *testing.T) {
	for d, want := range map[plant.Date]string{plant.NewDate(2026, 11, 26): "jueves 26 de noviembre", plant.NewDate(2026, 1, 4): "domingo 4 de enero",
		plant.NewDate(2026, 9, 6): "domingo 6 de septiembre"} {
		if got := DayWords(d); got != want {
			t.Errorf("DayWords = %q, want %q", got, want)
		}
	}
}

func TestTheBottleneckNeedsEnoughWaits(t *testing.T) {
	_, shown := recent(yesterday().Waits)
	list := waiting(snapshot(), append(shown, Wait{Op: plant.METROLOGIA, For: 100 * time.Hour}))
	b, ok := bottleneck(list)
	if !ok || b.Op != plant.SOLD || b.Median != 3*time.Hour || b.Long != 5*time.Hour || b.N != 6 {
		t.Errorf("the bottleneck is %+v %v, want SOLD by 6 waits of 3 h in the middle and 5 h at the end", b, ok)
	}
	if _, ok := bottleneck(waiting(snapshot(), nil)); ok {
		t.Error("without waits there is a bottleneck")
	}
}

func TestRejectionsAreComparedWithTheDaysBefore(t *testing.T) {
	v := judged(make([]plant.Date, FigureDays), yesterday().Verdicts)
	if v.N != 3 || v.NRejected != 1 || v.Before != "50 %" || len(v.Motives) != 1 || v.Motives[0].Text != "Porosidad" {
		t.Errorf("the verdicts are %+v, want 1 of 3 against 50 %% before, for porosity", v)
	}
}

func TestAnOrderWithoutPaceIsStandingStill(t *testing.T) {
	for _, c := range []struct {
		o    orderFigure
		want int
	}{
		{orderFigure{Total: 100_00, Welded: 30_00, Lately: 14_00}, 70},
		{orderFigure{Total: 100_00, Welded: 99_00, Lately: 14_00}, 1},
		{orderFigure{Total: 100_00, Welded: 30_00}, 0},
	} {
		if got := c.o.left(); got != c.want {
			t.Errorf("%+v takes %d more days, want %d", c.o, got, c.want)
		}
	}
}

func TestCheckCodesAreReadFromPaper(t *testing.T) {
	code := checkCode("x")
	if again := checkCode("y"); again == code || len(code) != 9 {
		t.Errorf("two texts have the codes %s and %s", code, again)
	}
	for typed, same := range map[string]bool{"7K02-M9X1": true, "7ko2m9xi": true, " 7K02 M9XL ": true, "7K02-M9X2": false, "": false} {
		if got := SameCode(typed, "7K02-M9X1"); got != same {
			t.Errorf("%q against 7K02-M9X1 = %v, want %v", typed, got, same)
		}
	}
}

func TestBarsFillTheirChart(t *testing.T) {
	c := chart{Bars: []bar{{N: 0}, {N: 50, Bad: 50}, {N: 100}}, Goal: 200}
	b := c.bars()
	if b[0].H != 0 || b[0].Value != "" || b[1].H != c.tall()/4 || b[1].BadH != b[1].H || b[2].H != c.tall()/2 || b[2].Y+b[2].H != c.base() {
		t.Errorf("bars of 0, 50, 100 under a goal of 200 are %+v", b)
	}
	if c.goalY() != chartTop {
		t.Errorf("the goal is drawn at %d, want at the top %d", c.goalY(), chartTop)
	}
}

// floorOf is a plant as it is on a working day: most spools wait, one in sixty
// is in somebody's hands, the joints were made on many days.
func floorOf(n int) *plant.Snapshot {
	list := make([]plant.Spool, n)
	for i := range list {
		list[i] = spool(fmt.Sprintf("MK-13%02d-TW-%d-%03d", i%50, 28000+i/9, 1+i%9*10))
		if i%3 > 0 {
			armed(4)(&list[i])
			for k := range list[i].Unions {
				u := &list[i].Unions[k]
				u.Arm.End = noon.Add(-time.Duration(i%40) * 24 * time.Hour)
			}
		}
		if i%60 == 0 {
			heldBy(ana, plant.ARM, time.Duration(i)*time.Minute)(&list[i])
		}
		list[i].Office.NV = fmt.Sprintf("NV0%d", 101+i/40)
	}
	return snapshot(list...)
}

func BenchmarkWall2500(b *testing.B) {
	s := floorOf(2500)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := TV(s, "", noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFigures2500(b *testing.B) {
	s := floorOf(2500)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Figures(s, yesterday(), noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRegistro2500(b *testing.B) {
	s := floorOf(2500)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := RegistroRegions(s, ana.ID, 0, plant.DateOf(noon)); err != nil {
			b.Fatal(err)
		}
	}
}
