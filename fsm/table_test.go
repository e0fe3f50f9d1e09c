package fsm_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"envivo/fsm"
	"envivo/plant"
)

// words name the refusals in the decision table.
var words = map[plant.Code]string{
	plant.CodeInvalid: "inválido", plant.CodeSpoolNotFound: "sin-spool", plant.CodeWorkerNotFound: "¿quién?", plant.CodeRole: "rol",
	plant.CodeBlocked: "bloqueado", plant.CodeDependency: "depende", plant.CodeArmFirst: "ARM-antes", plant.CodeOccupied: "ocupado",
	plant.CodeNotHolder: "de-otro", plant.CodeTooEarly: "no-vencida", plant.CodeSupervisor: "supervisor", plant.CodeDisplaced: "desplazado",
	plant.CodeTransition: "transición", plant.CodeUnchanged: "sin-cambio", plant.CodeUndoLate: "tarde", plant.CodeStarted: "iniciada",
	plant.CodeDone: "completada", plant.CodeNotStarted: "no-iniciada", plant.CodeNotPending: "no-pendiente", plant.CodeNotAvailable: "no-disponible",
	plant.CodeRace: "carrera", plant.CodeUnion: "unión",
}

// request is one column of the table's blocks: a command as anybody may send it.
type request struct {
	name string
	c    plant.Command
}

func requests() []request {
	var out []request
	add := func(name string, c plant.Command) { out = append(out, request{name, c}) }
	for _, op := range []plant.Op{plant.ARM, plant.SOLD, plant.METROLOGIA, plant.REPARACION} {
		add("TOMAR "+op.String(), plant.Command{Verb: plant.Tomar, Op: op})
	}
	for _, v := range []plant.Verb{plant.Pausar, plant.Completar, plant.Cancelar} {
		for _, op := range []plant.Op{plant.OpNone, plant.ARM, plant.SOLD, plant.REPARACION} {
			add(strings.TrimSpace(v.String()+" "+op.String()), plant.Command{Verb: v, Op: op})
		}
	}
	add("FINALIZAR", plant.Command{Verb: plant.Finalizar})
	add("FINALIZAR vacío", plant.Command{Verb: plant.Finalizar, Unions: []int{}})
	add("FINALIZAR 1,2", plant.Command{Verb: plant.Finalizar, Unions: []int{1, 2}})
	add("FINALIZAR → PAUSAR", plant.Command{Verb: plant.Finalizar, Override: plant.Pausar})
	add("FINALIZAR → COMPLETAR", plant.Command{Verb: plant.Finalizar, Override: plant.Completar})
	add("APROBAR", plant.Command{Verb: plant.Inspeccionar, Resultado: plant.Aprobado})
	add("RECHAZAR", plant.Command{Verb: plant.Inspeccionar, Resultado: plant.Rechazado})
	add("RELEVAR", plant.Command{Verb: plant.Relevar})
	add("TRASPASAR a AB(5)", plant.Command{Verb: plant.Traspasar, Destino: ayu})
	add("LIBERAR", plant.Command{Verb: plant.Liberar, Motivo: "turno"})
	add("LIBERAR supervisor", plant.Command{Verb: plant.Liberar, Motivo: "turno", Supervisor: true})
	add("DESBLOQUEAR", plant.Command{Verb: plant.Desbloquear, Motivo: "visto"})
	add("DESBLOQUEAR supervisor", plant.Command{Verb: plant.Desbloquear, Motivo: "visto", Supervisor: true})
	add("DESHACER", plant.Command{Verb: plant.Deshacer})
	add("NOTA", plant.Command{Verb: plant.Anotar, Texto: "ojo"})
	return out
}

var callers = []struct {
	name string
	id   plant.WorkerID
}{
	{"Armador 1", ana}, {"Armador 2", beto}, {"Soldador 3", sol}, {"Ayudante 5", ayu}, {"Metrologia 6", mario}, {"Pintura 7", pia},
	{"inactiva", inactiva}, {"desconocida", nadie}, {"nadie", 0},
}

// cell is what one request of one person comes to where a floor stands.
func cell(f *floor, s situation, r request, who plant.WorkerID) string {
	r.c.Tag, r.c.Worker = s.tag, who
	e, err := f.do(r.c)
	var no *plant.Error
	switch {
	case err == nil && (e.Outcome == plant.VerbNone || e.Outcome == r.c.Verb):
		return "sí"
	case err == nil:
		return "→ " + e.Outcome.String()
	case !errors.As(err, &no) || words[no.Code] == "":
		return "ERROR " + err.Error()
	}
	return words[no.Code]
}

// The table lists every cell: situation, request and person. A change of it is
// a change of the rules and is read as one, line by line.
func TestEveryCellOfTheDecisionTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("What each request comes to, by situation and by who sends it (rules §4, §6).\nARM is held by 1, SOLD by 3, REPARACION by 7.\n")
	for _, s := range situations() {
		f := at(t, s)
		fmt.Fprintf(&b, "\n== %s\n%-24s", s.name, "")
		for _, who := range callers {
			fmt.Fprintf(&b, "%-14s", who.name)
		}
		trim(&b)
		for _, r := range requests() {
			fmt.Fprintf(&b, "%-24s", r.name)
			for _, who := range callers {
				fmt.Fprintf(&b, "%-14s", cell(f.clone(t), s, r, who.id))
			}
			trim(&b)
		}
	}
	golden(t, filepath.Join("testdata", "decisions.txt"), b.String())
}

// trim ends a line without trailing blanks.
func trim(b *strings.Builder) {
	s := strings.TrimRight(b.String(), " ")
	b.Reset()
	b.WriteString(s + "\n")
}

// golden compares with a file, or rewrites it under -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			t.Fatalf("%s ends after line %d, want %q", path, i, w[i])
		case i >= len(w) || g[i] != w[i]:
			t.Fatalf("%s, line %d:\n got %s\nwant %s", path, i+1, g[i], strings.Join(w[min(i, len(w)):min(i+1, len(w))], ""))
		}
	}
}

// Whatever Permitted allows is accepted once it is filled in, and whatever it
// refuses is refused with the same code, for everybody, everywhere, at every
// door.
func TestPermittedAndDecideAgreeEverywhere(t *testing.T) {
	for _, s := range situations() {
		for _, door := range []plant.Door{plant.DoorPage, plant.DoorV3, plant.DoorV21, plant.DoorV4} {
			f := at(t, s)
			for _, who := range callers {
				for _, supervisor := range []bool{false, true} {
					asker := fsm.Asker{Worker: who.id, Supervisor: supervisor, Door: door}
					for _, a := range f.engine.Permitted(f, s.tag, asker, f.now) {
						agree(t, f.clone(t), s, asker, a)
					}
				}
			}
		}
	}
}

// agree sends what a page would send for an action.
func agree(t *testing.T, f *floor, s situation, a fsm.Asker, act fsm.Action) {
	t.Helper()
	c := plant.Command{Verb: act.Verb, Op: act.Op, Tag: s.tag, Worker: a.Worker, Supervisor: a.Supervisor, Door: a.Door,
		Motivo: "turno", Texto: "ojo", Resultado: plant.Aprobado}
	now := f.spool(s.tag)
	switch act.Verb {
	case plant.Finalizar:
		c.Override = plant.Pausar
	case plant.Traspasar:
		c.Destino = map[bool]plant.WorkerID{true: pia, false: ayu}[now.Hold.Op == plant.REPARACION]
		if c.Destino == a.Worker {
			c.Destino = ana
		}
	case plant.EditarUniones:
		c.Edits = append(append([]plant.Union{}, now.Unions...), plant.Union{N: 9, DN: 100, Tipo: "BW"})
	}
	_, err := f.do(c)
	var no *plant.Error
	switch {
	case act.Allowed != (err == nil):
		t.Fatalf("%s, %+v: Permitted says %v %v allowed=%v, Decide says %v", s.name, a, act.Verb, act.Op, act.Allowed, err)
	case err == nil && act.Refusal != nil:
		t.Fatalf("%s: %v is allowed with a refusal %v", s.name, act.Verb, act.Refusal)
	case err != nil && (!errors.As(err, &no) || act.Refusal == nil || act.Refusal.Code != no.Code):
		t.Fatalf("%s, %+v: Permitted refuses %v %v with %v, Decide with %v", s.name, a, act.Verb, act.Op, act.Refusal, err)
	}
}
