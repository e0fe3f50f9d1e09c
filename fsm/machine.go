package fsm

import (
	"context"
	"fmt"
	"slices"

	"github.com/qmuntal/stateless"

	"envivo/plant"
)

// trigger is what can happen to ARM, SOLD or the quality of a spool.
type trigger string

// The triggers of both machines.
const (
	tomar       trigger = "tomar"
	entregar    trigger = "entregar" // the hold passes to somebody else: RELEVAR, TRASPASAR
	pausar      trigger = "pausar"
	cerrar      trigger = "cerrar" // the holder is done; the unions say whether the work is
	completar   trigger = "completar"
	cancelar    trigger = "cancelar"
	aprobar     trigger = "aprobar"
	rechazar    trigger = "rechazar"
	desbloquear trigger = "desbloquear"
)

// facts are what guards look at. They travel in the context of a firing.
type facts struct {
	// open is set while something of the operation is left to do.
	open bool
	// recorded is set when work on unions stays behind a cancelled beginning.
	recorded bool
	// ciclo counts the rejections before this one.
	ciclo uint8
}

// guard chooses between edges that share state and trigger. Of those exactly
// one holds for any facts.
type guard struct {
	// word says in Spanish when the edge is taken; it labels the diagram.
	word string
	ok   func(context.Context, ...any) bool
}

func nothingOpen(ctx context.Context, _ ...any) bool   { return !factsOf(ctx).open }
func somethingOpen(ctx context.Context, _ ...any) bool { return factsOf(ctx).open }
func nothingRecorded(ctx context.Context, _ ...any) bool {
	return !factsOf(ctx).recorded
}
func somethingRecorded(ctx context.Context, _ ...any) bool { return factsOf(ctx).recorded }
func belowLimit(ctx context.Context, _ ...any) bool        { return factsOf(ctx).ciclo+1 < plant.MaxCiclo }
func atLimit(ctx context.Context, _ ...any) bool           { return factsOf(ctx).ciclo+1 >= plant.MaxCiclo }

// edge is one legal step. State is plant.Phase or plant.Quality.
type edge[S comparable] struct {
	from S
	on   trigger
	to   S
	when *guard
}

var (
	todoHecho      = &guard{"todo hecho", nothingOpen}
	faltaTrabajo   = &guard{"falta trabajo", somethingOpen}
	sinUniones     = &guard{"sin uniones hechas", nothingRecorded}
	conUniones     = &guard{"con uniones hechas", somethingRecorded}
	primeroSegundo = &guard{"rechazo 1 o 2", belowLimit}
	tercero        = &guard{"rechazo 3", atLimit}
)

// workEdges are ARM and SOLD (rules §4.1).
func workEdges() []edge[plant.Phase] {
	return []edge[plant.Phase]{
		{plant.Pendiente, tomar, plant.EnProgreso, nil},
		{plant.Pausado, tomar, plant.EnProgreso, nil},
		{plant.EnProgreso, entregar, plant.EnProgreso, nil},
		{plant.EnProgreso, pausar, plant.Pausado, nil},
		{plant.EnProgreso, cerrar, plant.Completado, todoHecho},
		{plant.EnProgreso, cerrar, plant.Pausado, faltaTrabajo},
		{plant.Pausado, cerrar, plant.Completado, todoHecho}, // v2.1 completes without holding (rules §9.8)
		{plant.EnProgreso, cancelar, plant.Pendiente, sinUniones},
		{plant.EnProgreso, cancelar, plant.Pausado, conUniones},
		{plant.Pausado, cancelar, plant.Pendiente, sinUniones},
		{plant.Pausado, cancelar, plant.Pausado, conUniones},
	}
}

// qualityEdges are Metrología and Reparación (rules §4.3 to §4.5).
func qualityEdges() []edge[plant.Quality] {
	out := []edge[plant.Quality]{
		{plant.RechazadoQ, tomar, plant.EnReparacion, nil},
		{plant.ReparacionPausada, tomar, plant.EnReparacion, nil},
		{plant.EnReparacion, entregar, plant.EnReparacion, nil},
		{plant.EnReparacion, pausar, plant.ReparacionPausada, nil},
		{plant.EnReparacion, completar, plant.PendienteMetrologia, nil},
		{plant.EnReparacion, cancelar, plant.RechazadoQ, nil},
		{plant.ReparacionPausada, cancelar, plant.RechazadoQ, nil},
		{plant.BloqueadoQ, desbloquear, plant.RechazadoQ, nil},
	}
	for _, from := range []plant.Quality{plant.SinVeredicto, plant.PendienteMetrologia} {
		out = append(out,
			edge[plant.Quality]{from, aprobar, plant.AprobadoQ, nil},
			edge[plant.Quality]{from, rechazar, plant.RechazadoQ, primeroSegundo},
			edge[plant.Quality]{from, rechazar, plant.BloqueadoQ, tercero})
	}
	return out
}

// machine is one table of edges behind a stateless machine that all spools
// share. It holds no state: the state of a firing lives in its context, so that
// firings may run at once.
type machine[S comparable] struct {
	m     *stateless.StateMachine
	known []S
}

// cell is the state of one firing.
type cell struct {
	state any
	facts facts
}

type cellKey struct{}

func cellOf(ctx context.Context) *cell { c, _ := ctx.Value(cellKey{}).(*cell); return c }

func factsOf(ctx context.Context) facts {
	if c := cellOf(ctx); c != nil {
		return c.facts
	}
	return facts{}
}

// errStep says that a trigger leads nowhere from a state. Callers make the
// refusal of it, since they know spool and person.
type errStep struct {
	state any
	on    trigger
}

func (e *errStep) Error() string { return fmt.Sprintf("%v: no way on from %v", e.on, e.state) }

// build makes the machine of a table. A table that names a state only as a
// target of nothing, or twice the same step without guards, is a bug of ours
// and panics at the start of the program.
func build[S comparable](edges []edge[S], initial S) *machine[S] {
	if err := sound(edges); err != nil {
		panic("fsm: " + err.Error())
	}
	sm := stateless.NewStateMachineWithExternalStorage(
		func(ctx context.Context) (stateless.State, error) {
			if c := cellOf(ctx); c != nil {
				return c.state, nil
			}
			return initial, nil // asked for the diagram
		},
		func(ctx context.Context, s stateless.State) error {
			cellOf(ctx).state = s
			return nil
		},
		stateless.FiringImmediate)
	sm.OnUnhandledTrigger(func(_ context.Context, s stateless.State, t stateless.Trigger, _ []string) error {
		return &errStep{s, t.(trigger)}
	})
	out := &machine[S]{m: sm}
	for _, e := range edges {
		state := sm.Configure(e.from)
		var guards []stateless.GuardFunc
		if e.when != nil {
			guards = append(guards, e.when.ok)
		}
		if e.from == e.to {
			state.PermitReentry(e.on, guards...)
		} else {
			state.Permit(e.on, e.to, guards...)
		}
		for _, s := range []S{e.from, e.to} {
			if !slices.Contains(out.known, s) {
				out.known = append(out.known, s)
			}
		}
	}
	return out
}

// sound checks what stateless would accept silently: two edges that share state
// and trigger need a guard each.
func sound[S comparable](edges []edge[S]) error {
	for i, a := range edges {
		for _, b := range edges[i+1:] {
			if a.from == b.from && a.on == b.on && (a.when == nil || b.when == nil || a.when == b.when) {
				return fmt.Errorf("%v from %v is ambiguous", a.on, a.from)
			}
		}
	}
	return nil
}

// step is the state after a trigger, or an *errStep.
func (m *machine[S]) step(from S, on trigger, f facts) (S, error) {
	if !slices.Contains(m.known, from) {
		return from, fmt.Errorf("state %v is not one of this machine", from)
	}
	c := &cell{state: from, facts: f}
	if err := m.m.FireCtx(context.WithValue(context.Background(), cellKey{}, c), on); err != nil {
		return from, err
	}
	return c.state.(S), nil
}
