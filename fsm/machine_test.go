package fsm

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"envivo/plant"
)

// drawn is the diagram of a table of edges.
func drawn[S comparable](b *strings.Builder, edges []edge[S], name func(S) string, first, note string) {
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	fmt.Fprintf(b, "    [*] --> %s\n", first)
	for _, e := range edges {
		label := string(e.on)
		if e.when != nil {
			label += " [" + e.when.word + "]"
		}
		fmt.Fprintf(b, "    %s --> %s: %s\n", name(e.from), name(e.to), label)
	}
	fmt.Fprintf(b, "```\n\n%s\n", note)
}

// The diagrams of docs/machines.md are drawn from the tables the engine runs.
func TestTheDiagramsShowTheTablesThatRun(t *testing.T) {
	var b strings.Builder
	b.WriteString("# The machines\n\nDrawn from the tables in `fsm/machine.go` by `go test ./fsm -update`; do not edit by hand. The conditions around\nthem (who, holder, prerequisites) are in [rules.md](rules.md), sections 4 and 6.\n\n## ARM and SOLD\n\n")
	drawn(&b, workEdges(), func(p plant.Phase) string { return strings.ReplaceAll(p.Word(), " ", "_") }, "pendiente",
		"`cerrar` is the end of a hold by somebody who says it is done; the unions decide whether it is. `entregar` passes the\nhold to somebody else (RELEVAR, TRASPASAR).")
	b.WriteString("\n## Metrología and Reparación\n\n")
	drawn(&b, qualityEdges(), plant.Quality.String, "sin_veredicto",
		"A verdict is given from `sin_veredicto` once the work is complete, and from `pendiente_metrologia` after a repair.")
	path := filepath.Join("..", "docs", "machines.md")
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("docs/machines.md is not what the tables say; got\n%s\nwant\n%s", got, want)
	}
}

// allFacts are all combinations of what guards look at.
func allFacts() (out []facts) {
	for _, open := range []bool{false, true} {
		for _, recorded := range []bool{false, true} {
			for c := range uint8(plant.MaxCiclo + 1) {
				out = append(out, facts{open, recorded, c})
			}
		}
	}
	return out
}

// steps checks a machine against its table: whatever the facts, a step leads
// where the one edge that holds points, and nowhere where there is none.
func steps[S comparable](t *testing.T, m *machine[S], edges []edge[S], states []S) {
	t.Helper()
	triggers := []trigger{tomar, entregar, pausar, cerrar, completar, cancelar, aprobar, rechazar, desbloquear}
	for _, from := range states {
		for _, on := range triggers {
			for _, f := range allFacts() {
				ctx := context.WithValue(context.Background(), cellKey{}, &cell{state: from, facts: f})
				var to []S
				for _, e := range edges {
					if e.from == from && e.on == on && (e.when == nil || e.when.ok(ctx)) {
						to = append(to, e.to)
					}
				}
				got, err := m.step(from, on, f)
				var no *errStep
				switch {
				case len(to) > 1:
					t.Fatalf("%v from %v with %+v has %d edges, want at most one", on, from, f, len(to))
				case len(to) == 0 && !errors.As(err, &no):
					t.Fatalf("%v from %v = %v, %v, want a refusal of ours", on, from, got, err)
				case len(to) == 1 && (err != nil || got != to[0]):
					t.Fatalf("%v from %v with %+v = %v, %v, want %v", on, from, f, got, err, to[0])
				}
			}
		}
	}
}

func TestMachinesTakeTheStepsOfTheirTablesAndNoOthers(t *testing.T) {
	e := New(plant.DefaultRules())
	steps(t, e.work, workEdges(), []plant.Phase{plant.Pendiente, plant.EnProgreso, plant.Pausado, plant.Completado})
	steps(t, e.quality, qualityEdges(), []plant.Quality{plant.SinVeredicto, plant.AprobadoQ, plant.RechazadoQ, plant.EnReparacion,
		plant.ReparacionPausada, plant.PendienteMetrologia, plant.BloqueadoQ})
}

func TestAStoredStateThatIsUnknownIsNeverFired(t *testing.T) {
	e := New(plant.DefaultRules())
	var no *errStep
	if got, err := e.work.step(plant.Phase(9), tomar, facts{}); err == nil || errors.As(err, &no) {
		t.Errorf("TOMAR from phase 9 = %v, %v, want an internal error", got, err)
	}
	if got, err := e.quality.step(plant.Quality(9), tomar, facts{}); err == nil || errors.As(err, &no) {
		t.Errorf("TOMAR from quality 9 = %v, %v, want an internal error", got, err)
	}
}

func TestEveryGuardHasASpanishSentence(t *testing.T) {
	for _, e := range workEdges() {
		if e.when != nil && (e.when.word == "" || e.when.ok == nil) {
			t.Errorf("%v from %v has a guard without words or without a test", e.on, e.from)
		}
	}
	for _, e := range qualityEdges() {
		if e.when != nil && (e.when.word == "" || e.when.ok == nil) {
			t.Errorf("%v from %v has a guard without words or without a test", e.on, e.from)
		}
	}
}

func TestAnAmbiguousTableIsNotBuilt(t *testing.T) {
	bad := map[string][]edge[plant.Phase]{
		"the same step twice": {{plant.Pendiente, tomar, plant.EnProgreso, nil}, {plant.Pendiente, tomar, plant.Pausado, nil}},
		"one of two guarded":  {{plant.Pendiente, tomar, plant.EnProgreso, todoHecho}, {plant.Pendiente, tomar, plant.Pausado, nil}},
		"the same guard":      {{plant.Pendiente, tomar, plant.EnProgreso, todoHecho}, {plant.Pendiente, tomar, plant.Pausado, todoHecho}},
	}
	for name, edges := range bad {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: the table was built, want a panic at the start", name)
				}
			}()
			build(edges, plant.Pendiente)
		}()
	}
}

func TestSharedMachinesServeManyAtOnce(t *testing.T) {
	e := New(plant.DefaultRules())
	done := make(chan error)
	for i := range 8 {
		go func() {
			from, want := plant.Pendiente, plant.EnProgreso
			on := tomar
			if i%2 == 1 {
				from, on, want = plant.EnProgreso, pausar, plant.Pausado
			}
			for range 500 {
				if got, err := e.work.step(from, on, facts{}); err != nil || got != want {
					done <- fmt.Errorf("%v from %v = %v, %v, want %v", on, from, got, err, want)
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
