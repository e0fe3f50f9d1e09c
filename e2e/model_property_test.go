package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"envivo/fsm"
	"envivo/plant"
	"envivo/store"
)

// bench is a real store with the real engine under a clock of the test's own.
type bench struct {
	st    *store.Bolt
	now   time.Time
	tags  int
	rules plant.Rules
}

func newBench(t *testing.T) *bench {
	b := &bench{now: time.Date(2026, 11, 2, 11, 0, 0, 0, time.UTC), rules: plant.DefaultRules()}
	path := filepath.Join(t.TempDir(), "plant.db")
	st, err := store.Open(path, store.Options{
		Decide: fsm.New(b.rules).Decide, Evolve: fsm.Evolve, Rules: b.rules,
		Now: func() time.Time { return b.now }, NewUUID: uuid.NewString, Env: "prueba", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.st = st
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		check(t, filepath.Dir(path)) // state == fold, for everything the property did
	})
	people := map[plant.WorkerID]plant.Role{1: plant.Armador, 2: plant.Armador, 3: plant.Soldador, 4: plant.Soldador, 5: plant.Ayudante,
		6: plant.Metrologia, 7: plant.Pintura, 67: plant.Armador}
	for id, role := range people {
		w := plant.Worker{ID: id, Nombre: "Ana", Apellido: "Bravo", Roles: role, Activo: id != 67}
		b.must(t, plant.Command{Verb: plant.Importar, Import: &plant.Import{Worker: &w}})
	}
	return b
}

func (b *bench) must(t interface{ Fatalf(string, ...any) }, c plant.Command) {
	if _, err := b.st.Do(context.Background(), c); err != nil {
		t.Fatalf("%v %s: %v", c.Verb, c.Tag, err)
	}
}

// spool imports a fresh spool like the model's.
func (b *bench) spool(t *rapid.T, m *mSpool) plant.Tag {
	b.tags++
	tag := plant.Tag(fmt.Sprintf("MODELO-%05d", b.tags))
	sp := plant.Spool{Tag: tag, Order: int32(b.tags)}
	if m.materials {
		sp.Office.Materiales = plant.DateOf(b.now)
	}
	for i, u := range m.unions {
		tipo := "FW"
		if u.weld {
			tipo = "BW"
		}
		sp.Unions = append(sp.Unions, plant.Union{N: i + 1, DN: 200, Tipo: tipo})
	}
	b.must(t, plant.Command{Verb: plant.Importar, Tag: tag, Import: &plant.Import{Spool: &sp}})
	return tag
}

func TestEngineAgreesWithTheRuleBook(t *testing.T) {
	b := newBench(t)
	rapid.Check(t, func(t *rapid.T) {
		m := &mSpool{materials: rapid.IntRange(0, 9).Draw(t, "materials") > 0, gone: map[int]bool{}}
		for i := range rapid.IntRange(0, 4).Draw(t, "joints") {
			m.unions = append(m.unions, mUnion{weld: i == 0 || rapid.Bool().Draw(t, "weld")})
		}
		tag := b.spool(t, m)
		for range rapid.IntRange(1, 40).Draw(t, "length") {
			b.now = b.now.Add(time.Second)
			c := drawCommand(t, m)
			if c.verb == "reloj" {
				b.now = b.now.Add(b.rules.TTL)
				m.overdue = m.holder != 0
				continue
			}
			if c.verb == "cancelar" && m.holder == 0 && m.gone[c.worker] {
				continue // the rule book does not say whether 410 goes before the cancelling of a pause
			}
			before, _ := b.st.Snapshot().Spool(tag)
			ok, why := m.apply(c)
			_, err := b.st.Do(context.Background(), c.command(tag))
			if (err == nil) != ok {
				t.Fatalf("%+v: the store says %v, the rule book says accepted=%v (%s); spool %+v", c, err, ok, why, before.Progress)
			}
			if err != nil {
				compareRefusal(t, c, why, err)
			}
			after, _ := b.st.Snapshot().Spool(tag)
			compareSpool(t, c, m, &after, b.rules)
			if want := before.Version; ok && after.Version != want+1 || !ok && after.Version != want {
				t.Fatalf("%+v: version went from %d to %d, accepted=%v", c, before.Version, after.Version, ok)
			}
		}
	})
}

// drawCommand favours what moves the spool along, so that deep states are met.
func drawCommand(t *rapid.T, m *mSpool) mCmd {
	anyone := rapid.SampledFrom([]int{1, 2, 3, 4, 5, 6, 7, 67, 99})
	c := mCmd{worker: anyone.Draw(t, "worker"), op: rapid.SampledFrom([]string{"ARM", "SOLD", "REPARACION"}).Draw(t, "op")}
	if m.holder != 0 && rapid.IntRange(0, 3).Draw(t, "as holder") > 0 {
		c.worker = m.holder
	}
	c.verb = rapid.SampledFrom([]string{"tomar", "tomar", "tomar", "pausar", "completar", "cancelar", "finalizar", "finalizar", "finalizar",
		"inspeccionar", "inspeccionar", "relevar", "traspasar", "liberar", "desbloquear", "reloj"}).Draw(t, "verb")
	switch c.verb {
	case "pausar", "completar", "finalizar":
		if rapid.Bool().Draw(t, "op unnamed") || c.verb == "finalizar" && m.op != "" {
			c.op = m.op
		}
	case "cancelar":
		if m.holder != 0 {
			c.op = m.op
		}
	case "inspeccionar":
		c.op, c.good = "METROLOGIA", rapid.IntRange(0, 3).Draw(t, "good") == 0
		if rapid.IntRange(0, 4).Draw(t, "inspector") > 0 {
			c.worker = 6
		}
	case "traspasar":
		c.to, c.op = anyone.Draw(t, "to"), ""
	case "liberar", "desbloquear":
		c.boss, c.op = rapid.IntRange(0, 4).Draw(t, "boss") > 0, ""
		c.motive = rapid.SampledFrom([]string{"", "turno terminado", "turno terminado"}).Draw(t, "motive")
	case "relevar":
		c.op = ""
	}
	if c.verb == "finalizar" {
		c.over = rapid.SampledFrom([]string{"", "", "", "PAUSAR", "COMPLETAR"}).Draw(t, "override")
		c.unions = []int{}
		for n := 1; n <= len(m.unions); n++ {
			if rapid.Bool().Draw(t, "tick") {
				c.unions = append(c.unions, n)
			}
		}
		if m.op != "" && c.over == "" && len(m.unions) > 0 && rapid.Bool().Draw(t, "all open") {
			c.unions = append([]int{}, m.open(m.op)...)
		}
	}
	return c
}

func (c mCmd) command(tag plant.Tag) plant.Command {
	op, _ := plant.ParseOp(c.op)
	out := plant.Command{Tag: tag, Op: op, Worker: plant.WorkerID(c.worker), Door: plant.DoorPage, Motivo: c.motive,
		Destino: plant.WorkerID(c.to), Supervisor: c.boss, Unions: c.unions}
	out.Verb = map[string]plant.Verb{"tomar": plant.Tomar, "pausar": plant.Pausar, "completar": plant.Completar, "cancelar": plant.Cancelar,
		"finalizar": plant.Finalizar, "inspeccionar": plant.Inspeccionar, "relevar": plant.Relevar, "traspasar": plant.Traspasar,
		"liberar": plant.Liberar, "desbloquear": plant.Desbloquear}[c.verb]
	out.Override = map[string]plant.Verb{"PAUSAR": plant.Pausar, "COMPLETAR": plant.Completar}[c.over]
	if c.verb == "inspeccionar" {
		out.Resultado = plant.Rechazado
		if c.good {
			out.Resultado = plant.Aprobado
		}
	}
	if c.boss && c.verb != "liberar" && c.verb != "desbloquear" {
		out.Supervisor = false
	}
	return out
}

// compareRefusal checks the statuses that the rule book pins down.
func compareRefusal(t *rapid.T, c mCmd, why string, err error) {
	var e *plant.Error
	if !errors.As(err, &e) {
		t.Fatalf("%+v: refused with %T %v, want a *plant.Error", c, err, err)
	}
	want := map[string][]plant.Code{
		"worker": {plant.CodeWorkerNotFound}, "boss": {plant.CodeSupervisor}, "dependency": {plant.CodeDependency, plant.CodeArmFirst},
		"occupied": {plant.CodeOccupied}, "gone": {plant.CodeDisplaced}, "stranger": {plant.CodeNotHolder},
	}[why]
	if want == nil {
		return
	}
	for _, w := range want {
		if e.Code == w {
			return
		}
	}
	if c.verb == "cancelar" || c.verb == "finalizar" {
		return // the rule book pins the codes of PAUSAR and COMPLETAR
	}
	if e.Code == plant.CodeRole && (why == "stranger" || why == "gone") {
		return // the role is checked before the holder
	}
	t.Fatalf("%+v: refused with code %d, want one of %v (%s)", c, e.Code, want, why)
}

func compareSpool(t *rapid.T, c mCmd, m *mSpool, s *plant.Spool, r plant.Rules) {
	got := mSpool{holder: int(s.Hold.Worker.ID), op: s.Hold.Op.String(), cycle: int(s.Ciclo),
		arm:     mWork{by: int(s.Arm.Worker.ID), done: s.Arm.Phase == plant.Completado},
		sold:    mWork{by: int(s.Sold.Worker.ID), done: s.Sold.Phase == plant.Completado},
		quality: map[plant.Quality]string{plant.SinVeredicto: "", plant.AprobadoQ: "ok", plant.RechazadoQ: "rejected", plant.EnReparacion: "repairing", plant.ReparacionPausada: "repair paused", plant.PendienteMetrologia: "again", plant.BloqueadoQ: "blocked"}[s.Quality],
	}
	for _, u := range s.Unions {
		got.unions = append(got.unions, mUnion{weld: r.Welded[u.Tipo], arm: int(u.Arm.Worker.ID), sold: int(u.Sold.Worker.ID)})
	}
	a, b := fmt.Sprintf("%+v", mView(got)), fmt.Sprintf("%+v", mView(*m))
	if a != b {
		t.Fatalf("after %+v the store has\n%s, the rule book says\n%s", c, a, b)
	}
	offered := s.Estado(r) == plant.PorInspeccionar
	want := m.ready() && m.holder == 0 && (m.quality == "" || m.quality == "again")
	if offered != want {
		t.Fatalf("after %+v inspection offered = %v, want %v; %s", c, offered, want, b)
	}
	if (s.Arm.Phase == plant.Completado) != (s.Arm.Fecha != 0) || (s.Sold.Phase == plant.Completado) != (s.Sold.Fecha != 0) {
		t.Fatalf("after %+v a completion date and its phase disagree: %+v", c, s.Progress)
	}
}

// mView is what both sides can be compared by.
func mView(s mSpool) any {
	return struct {
		Holder    int
		Op        string
		Arm, Sold mWork
		Quality   string
		Cycle     int
		Unions    []mUnion
	}{s.holder, s.op, s.arm, s.sold, s.quality, s.cycle, s.unions}
}
