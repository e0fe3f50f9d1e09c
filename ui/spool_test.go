package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"envivo/plant"
)

// acts are the commands the lower edge offers, in order.
func acts(t *testing.T, v *SpoolSight) ([]string, dom) {
	t.Helper()
	regions, err := v.Regions()
	if err != nil {
		t.Fatalf("draw the spool: %v", err)
	}
	d := region(t, regions, "accion")
	var out []string
	for _, n := range d.all("[data-cmd]") {
		cmd, _ := attr(n, "data-cmd")
		op, _ := attr(n, "value")
		out = append(out, strings.TrimSpace(cmd+" "+op))
	}
	return out, d
}

func TestTheLowerEdgeOffersTheOneNextAct(t *testing.T) {
	s := snapshot(everySpool()...)
	nobody := plant.Worker{}
	for _, c := range []struct {
		name, tag string
		me        plant.Worker
		may       []Action
		want      []string
		says      []string
	}{
		{"free and ready", "E-LAR", ana, may(plant.Tomar, plant.ARM), []string{"TOMAR ARM"}, []string{"TOMAR ARM", "4 uniones · 8,25 PD"}},
		{"both trades", "E-PAR", bruno, may(plant.Tomar, plant.ARM, plant.Tomar, plant.SOLD), []string{"TOMAR ARM", "TOMAR SOLD"}, []string{"2 uniones · 5,5 PD", "2 uniones · 2,75 PD"}},
		{"free, nobody there", "E-LAR", nobody, nil, nil, []string{"¿Quién eres?", TextIdentify}},
		{"held by me", "E-ARM", ana, may(plant.Completar, plant.ARM, plant.Pausar, plant.ARM), []string{"TERMINAR ARM", "GUARDAR ARM", "PAUSAR ARM"},
			[]string{"TERMINAR TODO", "4 uniones · 8,25 PD", "PAUSAR"}},
		{"held by another, in time", "E-SOL", ana, nil, nil, []string{"Lo tiene Carla Díaz (SOLD). Elige otro o pídeselo."}},
		{"held by another, my trade too", "E-ARM", bruno, []Action{{Verb: plant.Tomar, Op: plant.ARM, Refusal: &plant.Error{Code: plant.CodeOccupied}}}, []string{"PEDIR_TRASPASO"}, []string{"Elige otro o pídeselo.", "TRASPASAR"}},
		{"held by another, not my trade", "E-SOL", ana, []Action{{Verb: plant.Tomar, Op: plant.SOLD, Refusal: &plant.Error{Code: plant.CodeRole}}}, nil, []string{"Elige otro o pídeselo."}},
		{"held by another, vencida", "E-ARM", bruno, may(plant.Relevar, plant.ARM), []string{"RELEVAR ARM"}, []string{"RELEVAR", "Lo tiene Ana Bravo hace 1 h 25 min", "Queda a tu nombre; lo ya hecho sigue a nombre de Ana Bravo."}},
		{"in inspection, inspector", "E-INS", elena, may(plant.Inspeccionar, plant.METROLOGIA), []string{"APROBADO METROLOGIA", "RECHAZADO"}, []string{"sin rechazos", "con motivo y uniones"}},
		{"in inspection, others", "E-INS", ana, nil, nil, []string{"Espera inspección desde las 11:20 La hace alguien de Metrología."}},
		{"rejected", "E-REC", ana, may(plant.Tomar, plant.REPARACION), []string{"REPARAR REPARACION"}, []string{"Rechazo 1 de 3"}},
		{"blocked", "E-BLO", ana, nil, nil, []string{"BLOQUEADO: 3 rechazos seguidos. Lo debe desbloquear el supervisor."}},
		{"blocked, supervisor", "E-BLO", ana, may(plant.Desbloquear, plant.OpNone), nil, []string{"BLOQUEADO: 3 rechazos seguidos."}},
		{"not ready", "E-NOL", ana, nil, nil, []string{"Falta registrar la llegada de materiales. Avisa a tu supervisor."}},
		{"approved", "E-APR", ana, nil, nil, []string{"Aprobado por Elena Fuentes", "No queda nada por hacer."}},
		{"the wrong trade", "E-LSO", ana, []Action{{Verb: plant.Tomar, Op: plant.SOLD, Refusal: &plant.Error{Code: plant.CodeRole, Op: plant.SOLD, Has: plant.Armador}}},
			nil, []string{"Soldar es solo para Soldador o Ayudante. Tu rol: Armador."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, d := acts(t, sight(t, s, c.tag, c.me, c.may...))
			if !slices.Equal(got, c.want) {
				t.Errorf("offered %q, want %q", got, c.want)
			}
			says(t, "the lower edge", d.one(t, ".barra-accion"), append(c.says, "Más")...)
			d.one(t, "input[name=version][form=f-orden]")
		})
	}
}

// Inside a supervisor session its acts stand at the head, away from the lower edge
// where the dialog asks for the confirmation.
func TestTheHeadOffersWhatASupervisorMay(t *testing.T) {
	s := snapshot(everySpool()...)
	for _, c := range []struct {
		tag, cmd, to string
		may          []Action
	}{
		{"E-SOL", "LIBERAR", "/spools/E-SOL?hacer=liberar", may(plant.Liberar, plant.OpNone)},
		{"E-BLO", "DESBLOQUEAR", "/spools/E-BLO?hacer=desbloquear", may(plant.Desbloquear, plant.OpNone)},
	} {
		regions, err := sight(t, s, c.tag, ana, c.may...).Regions()
		if err != nil {
			t.Fatalf("draw %s: %v", c.tag, err)
		}
		if to, _ := attr(region(t, regions, "cabeza").one(t, "a[data-cmd="+c.cmd+"]"), "href"); to != c.to {
			t.Errorf("%s of %s leads to %q, want %q", c.cmd, c.tag, to, c.to)
		}
	}
	regions, err := sight(t, s, "E-SOL", ana).Regions()
	if err != nil {
		t.Fatalf("draw E-SOL: %v", err)
	}
	if n := len(region(t, regions, "cabeza").all("[data-cmd]")); n != 0 {
		t.Errorf("the head offers %d acts to somebody who may do none", n)
	}
}

func TestASpoolWithoutUnionsHasAllVerbs(t *testing.T) {
	s := snapshot(spool("B-1", bare, heldBy(ana, plant.ARM, 0)))
	v := sight(t, s, "B-1", ana, may(plant.Completar, plant.ARM, plant.Pausar, plant.ARM)...)
	got, d := acts(t, v)
	if want := []string{"TERMINAR ARM", "PAUSAR ARM"}; !slices.Equal(got, want) {
		t.Errorf("offered %q, want %q", got, want)
	}
	if strings.Contains(text(d.n), "TODO") {
		t.Error("TERMINAR TODO is said of a spool without unions")
	}
	regions, err := v.Regions()
	if err != nil {
		t.Fatalf("draw the spool: %v", err)
	}
	says(t, "the place of the unions", region(t, regions, "uniones").one(t, ".nada"), TextNoUnions)
	says(t, "the head", region(t, regions, "cabeza").one(t, ".cifras"), "en progreso", "pendiente", "—")
}

func TestTheHeadSaysWhoSinceWhenAndHowFar(t *testing.T) {
	s := snapshot(everySpool()...)
	for _, c := range []struct {
		tag  string
		me   plant.Worker
		want []string
	}{
		{"E-ARM", bruno, []string{"En curso · ARM", "Vencida 25 min", "Lo tiene Ana Bravo (ARM) desde las 10:35 · 1 h 25 min", "0/4", "0/3"}},
		{"E-ARM", ana, []string{"Lo tienes tú"}},
		{"E-SOL", ana, []string{"En curso · SOLD", "4/4", "0/3", "12-05-2026"}},
		{"E-REC", ana, []string{"Rechazado 1/3", "Motivo del rechazo: Fuera de medida"}},
		{"E-PAR", ana, []string{"En pausa 2/4", "2,75", "de 8,25"}},
	} {
		regions, err := sight(t, s, c.tag, c.me).Regions()
		if err != nil {
			t.Fatalf("draw %s: %v", c.tag, err)
		}
		head := region(t, regions, "cabeza").one(t, "section[data-tag="+c.tag+"]")
		says(t, "the head of "+c.tag, head, c.want...)
	}
}

func TestOnlyOpenUnionsCanBeTicked(t *testing.T) {
	two := spool("S-2", armed(2), heldBy(carla, plant.SOLD, 0))
	s := snapshot(spool("S-1", armed(2), heldBy(ana, plant.ARM, 0)), two)
	ticks := func(tag string, me plant.Worker) (open []string, d dom) {
		regions, err := sight(t, s, tag, me, may(plant.Completar, plant.OpNone)...).Regions()
		if err != nil {
			t.Fatalf("draw %s: %v", tag, err)
		}
		d = region(t, regions, "uniones")
		for _, n := range d.all("input[type=checkbox][form=f-orden]") {
			v, _ := attr(n, "value")
			open = append(open, v)
		}
		return open, d
	}
	if got, _ := ticks("S-1", ana); !slices.Equal(got, []string{"3", "4"}) {
		t.Errorf("the fitter may tick %v, want 3 and 4: 1 and 2 are armed", got)
	}
	got, d := ticks("S-2", carla)
	if !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("the welder may tick %v, want 1 and 2: 3 is not armed and FW is not welded", got)
	}
	says(t, "union 3", d.one(t, "[data-k=u3]"), `1½"`, "LET", "falta ARM")
	says(t, "union 4", d.one(t, "[data-k=u4]"), "no se suelda")
	says(t, "union 1", d.one(t, "[data-k=u1]"), "ARM Ana Bravo", "SOLD —")
	if got, d := ticks("S-2", ana); len(got) > 0 || d.has("[data-todas]") {
		t.Errorf("somebody who does not hold the spool may tick %v", got)
	}
}

func TestMoreOffersWhatIsAllowed(t *testing.T) {
	s := snapshot(everySpool()...)
	links := func(v *SpoolSight) []string {
		var out []string
		for _, a := range component(t, More(v)).all("a[href]") {
			to, _ := attr(a, "href")
			if i := strings.Index(to, "?hacer="); i >= 0 {
				out = append(out, to[i+len("?hacer="):])
			}
		}
		return out
	}
	mine := sight(t, s, "E-ARM", ana, may(plant.Traspasar, plant.OpNone, plant.Cancelar, plant.ARM)...)
	if got, want := links(mine), []string{"nota", "traspasar", "cancelar"}; !slices.Equal(got, want) {
		t.Errorf("the holder is offered %v, want %v", got, want)
	}
	boss := sight(t, s, "E-ARM", bruno, may(plant.Liberar, plant.OpNone)...)
	boss.Supervisor = true
	if got, want := links(boss), []string{"nota"}; !slices.Equal(got, want) {
		t.Errorf("the supervisor is offered %v, want %v", got, want)
	}
	other := sight(t, s, "E-ARM", bruno)
	if got, want := links(other), []string{"nota"}; !slices.Equal(got, want) {
		t.Errorf("somebody else is offered %v, want %v", got, want)
	}
	component(t, More(other)).one(t, "a[href=/entrar?volver=%2Fspools%2FE-ARM]")
}

func TestTheThirdRejectionWarnsThatItBlocks(t *testing.T) {
	s := snapshot(spool("Q-1", welded), spool("Q-2", quality(plant.PendienteMetrologia, 2)))
	for tag, want := range map[string]string{"Q-1": "1 de 3, pasa a reparación", "Q-2": "es el tercero seguido: queda BLOQUEADO"} {
		d := component(t, Reject(sight(t, s, tag, elena), SheetForm{CommandID: "c"}))
		says(t, "the button for "+tag, d.one(t, "button[data-cmd=RECHAZADO]"), want)
		if n := len(d.all("input[type=checkbox][name=union]")); n != 4 {
			t.Errorf("%d unions can be rejected, want 4", n)
		}
	}
}

func TestAnOpenDialogIsToldWhatChanged(t *testing.T) {
	s := snapshot(everySpool()...)
	for tag, want := range map[string]string{"E-ARM": "Mientras mirabas, E-ARM cambió: lo tiene Ana Bravo (ARM).", "E-PAR": "Mientras mirabas, E-PAR cambió: en pausa 2/4."} {
		v := sight(t, s, tag, bruno)
		want = strings.Replace(want, tag, Short(v.Row.Spool.Tag), 1)
		if got := v.Say(); got != want {
			t.Errorf("Say = %q, want %q", got, want)
		}
	}
}

// TestARowThatLeavesSaysWhy in the words of the screens, never of the Sheet.
func TestARowThatLeavesSaysWhy(t *testing.T) {
	s := snapshot(spool("A-1", heldBy(bruno, plant.ARM, time.Minute)), spool("A-2", quality(plant.AprobadoQ, 0)), spool("A-3", quality(plant.ReparacionPausada, 1)))
	for tag, want := range map[string]string{"A-1": "Lo tomó Bruno Castro", "A-2": "Aprobado", "A-3": "En reparación 1/3 en pausa"} {
		regions, err := sight(t, s, tag, ana).Regions()
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := attr(region(t, regions, "cabeza").one(t, "[data-ahora]"), "data-ahora"); got != want {
			t.Errorf("%s left because %q, want %q", tag, got, want)
		}
	}
}

func TestTheHistoryTellsHandoversPartsAndVerdicts(t *testing.T) {
	s := snapshot()
	for want, e := range map[string]plant.Event{
		"Tomó ARM Ana Bravo 24-11-2026 12:00": {Kind: plant.KindTomar, Op: plant.ARM},
		"Guardó parte de ARM Ana Bravo Uniones 1 y 2 · 2,75 PD · van 2 de 4 · lo tuvo 1 h 25 min 24-11-2026 12:00": {Kind: plant.KindPausar, Op: plant.ARM,
			Selected: []int{1, 2}, PD: 275, Done: 2, Needed: 4, HoldSince: noon.Add(-85 * time.Minute)},
		"Recibió por traspaso ARM Ana Bravo Lo tenía Carla Díaz 24-11-2026 12:00":                 {Kind: plant.KindTraspasar, Op: plant.ARM, From: carla.Person()},
		"Rechazado 2 de 3 Ana Bravo Motivo: Fuera de medida 24-11-2026 12:00":                     {Kind: plant.KindInspeccion, Resultado: plant.Rechazado, Motivo: "Fuera de medida", Progress: &plant.Progress{Ciclo: 2}},
		"Tomó ARM Ana Bravo lo registró Bruno Castro · con sesión de supervisor 24-11-2026 12:00": {Kind: plant.KindTomar, Op: plant.ARM, Actor: bruno.Person(), Supervisor: true},
	} {
		e.Seq, e.At, e.Worker = 7, noon, ana.Person()
		items, err := Timeline([]plant.Event{e}, s)
		if err != nil || len(items) != 1 || items[0].Key != "s7" {
			t.Fatalf("the history of one event is %v, %v", items, err)
		}
		if got := text(parse(t, items[0].HTML).n); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestAHistoryThatOutgrowsItsPageLeadsToTheRest: the way to older events comes
// to a page that is open, since it is part of what the page follows.
func TestAHistoryThatOutgrowsItsPageLeadsToTheRest(t *testing.T) {
	s := snapshot(spool("S-1", func(s *plant.Spool) { s.Version = 92 }))
	row, _ := s.Row("S-1")
	events := func(n int, before plant.Seq) []plant.Event {
		out := make([]plant.Event, n)
		for i := range out {
			out[i] = plant.Event{Seq: plant.Seq(1000 - i), Kind: plant.KindNota, Tag: "S-1", At: noon, PrevTag: plant.Seq(999 - i)}
		}
		out[n-1].PrevTag = before
		return out
	}
	for _, c := range []struct {
		events []plant.Event
		want   int
	}{{events(PageOfHistory, 7), 1}, {events(PageOfHistory, 0), 0}, {events(PageOfHistory-1, 0), 0}} {
		regions, err := (&SpoolSight{Snap: s, Row: row, Now: noon, Events: c.events}).Regions()
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, r := range regions {
			if r.ID == "antes" {
				got = len(r.Items)
			}
		}
		if got != c.want {
			t.Errorf("after %d events the way to older ones is there %d times, want %d", len(c.events), got, c.want)
		}
		if c.want > 0 {
			says(t, "the way to older events", region(t, drawn(t, regions, err), "antes").n, "Ver 50 más (de 92)")
		}
	}
}
