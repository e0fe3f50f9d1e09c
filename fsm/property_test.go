package fsm_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"envivo/fsm"
	"envivo/plant"
)

// drawCommand is any command whatever, leaning towards what moves a spool on.
func drawCommand(t *rapid.T, f *floor) plant.Command {
	tags := []plant.Tag{liso, cuatro, fit, vacio}
	c := plant.Command{Tag: rapid.SampledFrom(tags).Draw(t, "tag"), Verb: rapid.SampledFrom(plant.Verbs()[:13]).Draw(t, "verb"),
		Op:     rapid.SampledFrom([]plant.Op{plant.OpNone, plant.ARM, plant.SOLD, plant.METROLOGIA, plant.REPARACION}).Draw(t, "op"),
		Worker: rapid.SampledFrom([]plant.WorkerID{ana, beto, sol, saul, ayu, mario, pia, inactiva, nadie, 0}).Draw(t, "worker"),
		Door:   rapid.SampledFrom([]plant.Door{plant.DoorPage, plant.DoorV3, plant.DoorV21, plant.DoorV4}).Draw(t, "door"),
		Motivo: rapid.SampledFrom([]string{"", "turno", "turno"}).Draw(t, "motive"), Texto: "ojo", Supervisor: rapid.Bool().Draw(t, "supervisor"),
		Resultado: rapid.SampledFrom([]plant.Resultado{plant.Rechazado, plant.Rechazado, plant.Aprobado, plant.ResultadoNone}).Draw(t, "result"),
		Override:  rapid.SampledFrom([]plant.Verb{plant.VerbNone, plant.Completar, plant.Completar, plant.Pausar}).Draw(t, "override"),
		Destino:   rapid.SampledFrom([]plant.WorkerID{ana, beto, sol, ayu}).Draw(t, "to"),
		Unions:    rapid.SliceOfN(rapid.IntRange(0, 5), 0, 4).Draw(t, "unions")}
	s := f.spool(c.Tag)
	if rapid.IntRange(0, 5).Draw(t, "office") == 0 {
		return drawCorrection(t, f, c)
	}
	if rapid.IntRange(0, 3).Draw(t, "sensible") == 0 {
		return c
	}
	switch { // what somebody who looks at the spool would send
	case !s.Hold.Free():
		c.Worker, c.Op = s.Hold.Worker.ID, s.Hold.Op
	case s.InQueue(f.rules):
		c.Verb, c.Worker, c.Op = plant.Inspeccionar, mario, plant.METROLOGIA
	case s.Quality == plant.BloqueadoQ:
		c.Verb, c.Supervisor = plant.Desbloquear, true
	case s.Quality != plant.SinVeredicto:
		c.Verb, c.Op, c.Worker = plant.Tomar, plant.REPARACION, pia
	default:
		c.Verb, c.Worker = plant.Tomar, ayu
		c.Op = map[bool]plant.Op{true: plant.SOLD, false: plant.ARM}[s.ArmComplete(f.rules)]
	}
	return c
}

// drawCorrection is any edit of a row whatever, accepted by somebody.
func drawCorrection(t *rapid.T, f *floor, like plant.Command) plant.Command {
	day := rapid.SampledFrom([]plant.Date{0, 46000, plant.DateOf(f.now), plant.DateOf(f.now) + 1})
	who := rapid.SampledFrom([]plant.Person{{}, {ID: ana, Display: "AB(1)"}, {Display: "Juan"}})
	c := f.correct(like.Tag, func(p *plant.Progress) {
		for _, w := range []*plant.Work{&p.Arm, &p.Sold} {
			if rapid.Bool().Draw(t, "work") {
				*w = plant.Work{Phase: plant.Phase(rapid.IntRange(0, 4).Draw(t, "phase")), Worker: who.Draw(t, "by"), Fecha: day.Draw(t, "day")}
			}
		}
		if rapid.Bool().Draw(t, "verdict") {
			p.Quality, p.Ciclo, p.FechaQC = plant.Quality(rapid.IntRange(0, 7).Draw(t, "quality")), uint8(rapid.IntRange(0, 4).Draw(t, "cycle")), day.Draw(t, "qc")
		}
	})
	c.Worker, c.Supervisor = like.Worker, like.Supervisor || rapid.Bool().Draw(t, "boss")
	return c
}

// sound are the promises that hold after every step.
func sound(t *rapid.T, f *floor, e plant.Event, before plant.Spool) {
	s := f.spool(e.Tag)
	if err := fsm.Legal(&s); err != nil {
		t.Fatalf("after %v: %v; %+v", e.Kind, err, s.Progress)
	}
	if s.Version != before.Version+1 || e.Version != s.Version || s.Token != e.Token || s.Token == before.Token {
		t.Fatalf("%v moved %s from revision %d to %d with tokens %q and %q", e.Kind, e.Tag, before.Version, s.Version, before.Token, s.Token)
	}
	if e.Before != before.EstadoDetalle(f.rules) || e.After != s.EstadoDetalle(f.rules) {
		t.Fatalf("%v says %q → %q, the spool %q → %q", e.Kind, e.Before, e.After, before.EstadoDetalle(f.rules), s.EstadoDetalle(f.rules))
	}
	if e.Progress != nil && !reflect.DeepEqual(*e.Progress, s.Progress) {
		t.Fatalf("%v carries %+v, the spool has %+v", e.Kind, *e.Progress, s.Progress)
	}
	if (s.Quality == plant.AprobadoQ) != (s.FechaQC != 0) {
		t.Fatalf("after %v the spool is %v with QC date %v, want one exactly after an approval", e.Kind, s.Quality, s.FechaQC)
	}
	holders(t, e, before, s)
	joints(t, f, e, s)
	if queued := s.InQueue(f.rules) && !before.InQueue(f.rules) && e.Kind != plant.KindDeshacer; queued != e.Ready {
		t.Fatalf("%v put the spool into the queue: %v, and says %v", e.Kind, queued, e.Ready)
	}
}

// holders: a hold passes on only by RELEVAR, TRASPASAR or an undo; all else
// takes a free spool or frees a held one.
func holders(t *rapid.T, e plant.Event, before, s plant.Spool) {
	switch e.Kind {
	case plant.KindTomar, plant.KindTomarReparacion:
		if !before.Hold.Free() || s.Hold.Free() {
			t.Fatalf("%v took %s from %+v", e.Kind, e.Tag, before.Hold)
		}
	case plant.KindRelevar, plant.KindTraspasar:
		if before.Hold.Free() || s.Hold.Free() || e.From != before.Hold.Worker || before.Hold.Worker == s.Hold.Worker || before.Hold.Token == s.Hold.Token {
			t.Fatalf("%v passed %+v to %+v", e.Kind, before.Hold, s.Hold)
		}
	case plant.KindNota, plant.KindUniones, plant.KindInspeccion, plant.KindDesbloquear, plant.KindCorregir:
		if before.Hold != s.Hold {
			t.Fatalf("%v changed the hold from %+v to %+v", e.Kind, before.Hold, s.Hold)
		}
	case plant.KindDeshacer:
	default:
		if !s.Hold.Free() {
			t.Fatalf("after %v the spool is held by %+v", e.Kind, s.Hold)
		}
	}
}

// joints: with unions completion is what they say, never more and never less.
func joints(t *rapid.T, f *floor, e plant.Event, s plant.Spool) {
	if len(s.Unions) == 0 {
		return
	}
	tally := s.Tally(f.rules)
	if got, want := s.Arm.Phase == plant.Completado, tally.Armed == tally.Total; got != want {
		t.Fatalf("after %v ARM is %v with %d of %d", e.Kind, s.Arm.Phase, tally.Armed, tally.Total)
	}
	if tally.ToWeld > 0 && (s.Sold.Phase == plant.Completado) != (tally.Welded == tally.ToWeld) {
		t.Fatalf("after %v SOLD is %v with %d of %d", e.Kind, s.Sold.Phase, tally.Welded, tally.ToWeld)
	}
	for _, u := range s.Unions {
		if u.Sold.Done() && !u.Arm.Done() {
			t.Fatalf("after %v union %d is welded and not fitted", e.Kind, u.N)
		}
	}
}

func TestWhateverIsSentThePromisesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newFloor(t)
		inRow := map[plant.Tag]int{}
		for range rapid.IntRange(1, 60).Draw(t, "length") {
			f.now = f.now.Add(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, 2 * time.Hour}).Draw(t, "pause"))
			c := drawCommand(t, f)
			before := f.spool(c.Tag)
			view := f.clone(t)
			e, err := f.do(c)
			c.UUID = e.Token
			if again, againErr := view.engine.Decide(view, c, f.now); err == nil {
				again.Seq, again.Prev = e.Seq, e.Prev
				if againErr != nil || !reflect.DeepEqual(again, e) {
					t.Fatalf("the same command on the same view came to\n%+v and\n%+v, %v", e, again, againErr)
				}
			}
			var no *plant.Error
			if err != nil {
				if !errors.As(err, &no) || no.Code == plant.CodeInternal {
					t.Fatalf("%+v = %v, want a refusal of the rules", c, err)
				}
				if !reflect.DeepEqual(before, f.spool(c.Tag)) {
					t.Fatalf("the refused %v changed %s", c.Verb, c.Tag)
				}
				continue
			}
			sound(t, f, e, before)
			countRejections(t, f, e, inRow)
		}
		refold(t, f)
	})
}

// countRejections counts the rejections in a row on its own.
func countRejections(t *rapid.T, f *floor, e plant.Event, inRow map[plant.Tag]int) {
	s := f.spool(e.Tag)
	switch {
	case e.Kind == plant.KindDeshacer, e.Kind == plant.KindCorregir:
		inRow[e.Tag] = int(s.Ciclo) // whatever the verdict undone had counted, or the office typed
	case e.Kind == plant.KindDesbloquear, e.Resultado == plant.Aprobado:
		inRow[e.Tag] = 0
	case e.Resultado == plant.Rechazado:
		inRow[e.Tag]++
	}
	if n := inRow[e.Tag]; int(s.Ciclo) != n || (n == plant.MaxCiclo) != (s.Quality == plant.BloqueadoQ) {
		t.Fatalf("after %d rejections in a row %s is %v in cycle %d", n, e.Tag, s.Quality, s.Ciclo)
	}
}

// refold folds the events again and compares.
func refold(t *rapid.T, f *floor) {
	folded := map[plant.Tag]plant.Spool{}
	for _, e := range f.events {
		if e.Tag != "" {
			s := fsm.Evolve(folded[e.Tag], e)
			s.Last = e.Seq
			folded[e.Tag] = s
		}
	}
	if !reflect.DeepEqual(folded, f.spools) {
		t.Fatalf("the events fold to\n%+v, the floor has\n%+v", folded, f.spools)
	}
}

// Evolve is total: any event on any spool gives a spool, and the old one is
// left as it was.
func TestEvolveTakesAnyEventAndChangesNoOldState(t *testing.T) {
	var floors []*floor
	for _, s := range situations() {
		floors = append(floors, at(t, s))
	}
	rapid.Check(t, func(t *rapid.T) {
		from := floors[rapid.IntRange(0, len(floors)-1).Draw(t, "floor")]
		other := floors[rapid.IntRange(0, len(floors)-1).Draw(t, "other")]
		e := rapid.SampledFrom(other.events).Draw(t, "event")
		e.Kind = plant.Kind(rapid.IntRange(0, 25).Draw(t, "kind"))
		e.Removed = rapid.SliceOfN(rapid.IntRange(-1, 5), 0, 2).Draw(t, "removed")
		for _, s := range from.spools {
			s.Unions = slices.Clone(s.Unions)
			was, unions := s, slices.Clone(s.Unions)
			got := fsm.Evolve(s, e)
			if !reflect.DeepEqual(was, s) || !slices.Equal(unions, s.Unions) {
				t.Fatalf("Evolve of %v changed the spool it was given", e.Kind)
			}
			if got.Version != e.Version || got.Token != e.Token || !got.Changed.Equal(e.At) {
				t.Fatalf("Evolve of %v left revision %d, want the event's %d", e.Kind, got.Version, e.Version)
			}
		}
		if got := fsm.Evolve(plant.Spool{}, plant.Event{Kind: e.Kind, Texto: "x"}); got.Tag != "" || got.Notas != "" {
			t.Fatalf("an event about no spool made %+v", got)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	s := situations()
	for _, c := range []struct {
		name string
		at   situation
		c    plant.Command
	}{
		{"TOMAR", s[1], cmd(plant.Tomar, liso, plant.ARM, ana)},
		{"refused", s[2], cmd(plant.Tomar, liso, plant.ARM, beto)},
		{"FINALIZAR 2 of 4", s[19], finish(cuatro, ana, 1, 2)},
	} {
		f := at(b, c.at)
		c.c.UUID = "00000000-0000-4000-8000-000000000000"
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = f.engine.Decide(f, c.c, f.now)
			}
		})
	}
}

func BenchmarkPermitted(b *testing.B) {
	f := at(b, situations()[2])
	b.ReportAllocs()
	for b.Loop() {
		f.engine.Permitted(f, liso, fsm.Asker{Worker: ana}, f.now)
	}
}
