package main

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"envivo/fsm"
	"envivo/plant"
)

// crew is the simulated shift of the demo. Its workers send the commands
// everybody sends, and only those the rules permit. It leaves alone what a
// visitor holds. One goroutine runs it.
type crew struct {
	snapshot  func() *plant.Snapshot
	do        func(context.Context, plant.Command) (plant.Receipt, error)
	permitted func(plant.View, plant.Tag, fsm.Asker, time.Time) []fsm.Action
	now       func() time.Time
	rnd       *rand.Rand
	log       *slog.Logger

	// ours are the occupations of the crew, by lock token.
	ours map[plant.Tag]string
}

// crowd is how many spools the crew likes to have in hand.
const crowd = 14

// crewDevice names the crew's tablet in the audit.
const crewDevice = "demo"

// run acts every couple of seconds until ctx ends.
func (c *crew) run(ctx context.Context) error {
	c.ours = map[plant.Tag]string{}
	for r := range c.snapshot().Rows() {
		if !r.Spool.Hold.Free() {
			c.ours[r.Spool.Tag] = r.Spool.Hold.Token
		}
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Duration(1200+c.rnd.IntN(1600)) * time.Millisecond):
			c.move(ctx)
		}
	}
}

// move sends one command that changes something; it gives up after some tries,
// for instance when visitors hold everything.
func (c *crew) move(ctx context.Context) {
	for range 40 {
		snap := c.snapshot()
		cmd, ok := c.propose(snap)
		if !ok {
			continue
		}
		receipt, err := c.do(ctx, cmd)
		switch refusal := (*plant.Error)(nil); {
		case err == nil:
			c.remember(receipt.Event.Tag)
			return
		case errors.As(err, &refusal): // a visitor was faster
			c.log.Debug("crew refused", "tag", cmd.Tag, "err", err)
		default:
			if ctx.Err() == nil {
				c.log.Warn("crew", "tag", cmd.Tag, "err", err)
			}
			return
		}
	}
}

func (c *crew) remember(t plant.Tag) {
	if s, ok := c.snapshot().Spool(t); ok && !s.Hold.Free() {
		c.ours[t] = s.Hold.Token
		return
	}
	delete(c.ours, t)
}

// propose picks somebody and something to do.
func (c *crew) propose(snap *plant.Snapshot) (plant.Command, bool) {
	if held := c.held(snap); len(held) > c.rnd.IntN(2*crowd) {
		return c.proceed(snap, held[c.rnd.IntN(len(held))])
	}
	states := []plant.Estado{plant.ListoARM, plant.ListoARM, plant.ListoSOLD, plant.ListoSOLD, plant.Parcial, plant.PorInspeccionar,
		plant.PorInspeccionar, plant.EstadoRechazado, plant.EnPausaReparacion}
	row := c.pick(snap, states[c.rnd.IntN(len(states))])
	if row == nil {
		return plant.Command{}, false
	}
	who := c.somebody(snap)
	return c.choose(snap, row.Spool, who, plant.Tomar, plant.Inspeccionar)
}

// held lists the spools whose occupation is still one of the crew's.
func (c *crew) held(snap *plant.Snapshot) []*plant.Spool {
	var out []*plant.Spool
	for t, token := range c.ours {
		if r, ok := snap.Row(t); ok && r.Spool.Hold.Token == token {
			out = append(out, r.Spool)
			continue
		}
		delete(c.ours, t)
	}
	slices.SortFunc(out, func(a, b *plant.Spool) int { return int(a.Order) - int(b.Order) })
	return out
}

// proceed lets the holder pause or finish.
func (c *crew) proceed(snap *plant.Snapshot, s *plant.Spool) (plant.Command, bool) {
	verbs := []plant.Verb{plant.Finalizar, plant.Completar}
	if c.rnd.IntN(3) == 0 {
		verbs = []plant.Verb{plant.Pausar}
	}
	return c.choose(snap, s, s.Hold.Worker.ID, verbs...)
}

// choose makes a command of one of the verbs if the rules permit it.
func (c *crew) choose(snap *plant.Snapshot, s *plant.Spool, who plant.WorkerID, verbs ...plant.Verb) (plant.Command, bool) {
	actions := c.permitted(snap, s.Tag, fsm.Asker{Worker: who, Door: plant.DoorPage}, c.now())
	actions = slices.DeleteFunc(actions, func(a fsm.Action) bool { return !a.Allowed || !slices.Contains(verbs, a.Verb) })
	if len(actions) == 0 {
		return plant.Command{}, false
	}
	a := actions[c.rnd.IntN(len(actions))]
	cmd := plant.Command{Verb: a.Verb, Tag: s.Tag, Op: a.Op, Worker: who, Device: crewDevice, Door: plant.DoorPage}
	switch a.Verb {
	case plant.Inspeccionar:
		cmd.Resultado = plant.Aprobado
		if c.rnd.IntN(5) == 0 {
			cmd.Resultado, cmd.Motivo = plant.Rechazado, c.motive()
		}
	case plant.Finalizar, plant.Completar:
		cmd.Unions = c.work(s, a.Op, snap.Rules())
	}
	return cmd, true
}

func (c *crew) motive() string {
	motives := []string{"porosidad en el cordón", "medida fuera de tolerancia", "desalineación en la junta", "socavado en la raíz"}
	return motives[c.rnd.IntN(len(motives))]
}

// work selects some of the unions still open, all of them as a rule; nil
// without unions.
func (c *crew) work(s *plant.Spool, op plant.Op, r plant.Rules) []int {
	var open []int
	for _, u := range s.Unions {
		switch {
		case op == plant.ARM && !u.Arm.Done(), op == plant.SOLD && u.Arm.Done() && !u.Sold.Done() && r.Welded[u.Tipo]:
			open = append(open, u.N)
		}
	}
	if len(open) > 1 && c.rnd.IntN(3) == 0 {
		open = open[:1+c.rnd.IntN(len(open)-1)]
	}
	return open
}

// pick chooses a spool in a state at random.
func (c *crew) pick(snap *plant.Snapshot, e plant.Estado) *plant.Row {
	n := snap.Count(e)
	if n == 0 {
		return nil
	}
	skip := c.rnd.IntN(n)
	for r := range snap.In(e) {
		if skip == 0 {
			return r
		}
		skip--
	}
	return nil
}

// somebody chooses an active worker at random.
func (c *crew) somebody(snap *plant.Snapshot) plant.WorkerID {
	all := slices.DeleteFunc(snap.Workers(), func(w plant.Worker) bool { return !w.Activo })
	if len(all) == 0 {
		return 0
	}
	return all[c.rnd.IntN(len(all))].ID
}
