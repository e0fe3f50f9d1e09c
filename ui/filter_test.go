package ui

import (
	"net/url"
	"slices"
	"testing"

	"envivo/plant"
)

func TestAFilterHasOneAddress(t *testing.T) {
	for in, want := range map[string]string{
		"":                                     "/spools",
		"q=++28082+++010+":                     "/spools?q=28082+010",
		"nv=+0123+&q=a":                        "/spools?nv=0123&q=a",
		"vencidas=1&operacion=ARM&estado=OTRA": "/spools?operacion=ARM&vencidas=1",
		"vencidas=si&operacion=arm&utm=1":      "/spools",
		"estado=LISTO_ARM&yo=12":               "/spools?estado=LISTO_ARM&yo=12",
		"yo=-3":                                "/spools",
		"yo=99999999999":                       "/spools",
		"q=%22%3Cb%3E%25":                      "/spools?q=%22%3Cb%3E%25",
	} {
		q, err := url.ParseQuery(in)
		if err != nil {
			t.Fatalf("query %s: %v", in, err)
		}
		f := ParseFilter("/spools", q)
		if got := f.View(); got != want {
			t.Errorf("the view of ?%s = %s, want %s", in, got, want)
		}
		u, err := url.Parse(f.View())
		if err != nil || ParseFilter(u.Path, u.Query()) != f {
			t.Errorf("?%s does not come back from its address %s", in, f.View())
		}
	}
}

func TestALongSearchIsCutBetweenLetters(t *testing.T) {
	long := url.Values{"q": {"a" + string(slices.Repeat([]rune("ñ"), 60))}}
	if f := ParseFilter("/spools", long); len(f.Q) > 80 || f.Q[len(f.Q)-2:] != "ñ" {
		t.Errorf("a search of 121 bytes became %q, want at most 80 bytes of whole letters", f.Q)
	}
}

func found(s *plant.Snapshot, f Filter) []string {
	rows, _ := f.Matching(s)
	var out []string
	for _, r := range rows {
		out = append(out, string(r.Spool.Tag))
	}
	return out
}

func TestSearchForgivesHowItIsTyped(t *testing.T) {
	s := snapshot(
		spool("MK-1346-TW-28082-010", func(s *plant.Spool) { s.Office.NV, s.Office.OT = "NV0119", "490" }),
		spool("MK-1346-TW-28082-011", heldBy(carla, plant.SOLD, 0)),
		spool("MK_1347 tw/28083'0100", func(s *plant.Spool) { s.Notas = "20261124: Válvula rota" }),
		spool("28082"),
		spool("Ñandú-010"),
	)
	ten, eleven, hundred, own, nandu := "MK-1346-TW-28082-010", "MK-1346-TW-28082-011", "MK_1347 tw/28083'0100", "28082", "Ñandú-010"
	for q, want := range map[string][]string{
		"28082 10":             {ten},
		"28082-010":            {ten},
		"2808210":              nil, // the zero stands in the tag and not in the search
		"28082010":             {ten},
		"010":                  {ten, nandu, hundred},
		"10":                   {ten, nandu, hundred},
		"mk1346tw28082010":     {ten},
		"mk 1346 tw 28082 010": {ten},
		"MK-1346":              {ten, eleven},
		"28082":                {own, ten, eleven},
		"nv0119":               {ten},
		"490":                  {ten},
		"díaz":                 {eleven},
		"DIAZ carla":           {eleven},
		"valvula":              {hundred},
		"nandu":                {nandu},
		"tw/28083":             {hundred},
		"zzz":                  nil,
		"-":                    {ten, eleven, hundred, own, nandu}, // nothing to look for
	} {
		got := found(s, Filter{Path: "/spools", Q: q})
		if !slices.Equal(got, want) {
			t.Errorf("search %q finds %v, want %v", q, got, want)
		}
	}
}

func TestTheBestAnswerComesFirst(t *testing.T) {
	s := snapshot(spool("A-12-34"), spool("12-999"), spool("X-Y-012"), spool("12"), spool("B-3-121"))
	want := []string{"12", "X-Y-012", "12-999", "A-12-34", "B-3-121"} // exact, tail, beginning, anywhere in the order of the Sheet
	if got := found(s, Filter{Q: "12"}); !slices.Equal(got, want) {
		t.Errorf("search 12 finds %v, want %v", got, want)
	}
}

func TestFiltersCombineAndCountWhatTheyWouldShow(t *testing.T) {
	s := snapshot(append(everySpool(), spool("OTRA", func(s *plant.Spool) { s.Office.NV = "0999" }))...)
	f := Filter{Path: "/spools", NV: "0123", Estado: plant.ListoARM, ByEstado: true}
	if got := found(s, f); !slices.Equal(got, []string{"E-LAR"}) {
		t.Errorf("ready for ARM in NV 0123 = %v, want E-LAR", got)
	}
	_, counts := f.Matching(s)
	for _, e := range plant.Estados() {
		if counts[e] != 1 {
			t.Errorf("the chip of %s counts %d, want 1: the state filter does not apply to its own chips", e, counts[e])
		}
	}
	for op, want := range map[plant.Op][]string{
		plant.ARM: {"E-ARM", "E-PAR", "E-LAR"}, plant.SOLD: {"E-SOL", "E-PAR", "E-LSO"}, plant.METROLOGIA: {"E-INS"},
		plant.REPARACION: {"E-BLO", "E-REP", "E-RPA", "E-REC"},
	} {
		if got := found(s, Filter{NV: "0123", Op: op}); !slices.Equal(got, want) {
			t.Errorf("operation %s = %v, want %v", op, got, want)
		}
	}
}

func TestAFilterNamesItself(t *testing.T) {
	f := Filter{Q: "010", Estado: plant.Parcial, ByEstado: true, NV: "0123", Op: plant.SOLD, Vencidas: true}
	if got, want := f.Words(), "«010» · Parcial · NV 0123 · SOLD · Vencidas"; got != want {
		t.Errorf("Words = %q, want %q", got, want)
	}
	if !f.Active() || (Filter{Me: 3, Path: "/mis"}).Active() {
		t.Error("a filter is active when it leaves something out, and only then")
	}
}
