package migration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"envivo/sheetsync/emulator"
	"envivo/sheetsync/google"
)

// interrupted runs what with a fault at call n, then again without, and reports
// whether the fault was met and whether the first run failed.
func (b *bench) interrupted(n int, act emulator.Action, what func(context.Context, Options) (*Report, error)) (met, failed bool) {
	b.t.Helper()
	b.e.ResetCalls()
	remove := b.e.Inject(emulator.Fault{Name: "cut", When: emulator.API, Skip: n - 1, Times: 1, Act: act})
	_, err := what(b.t.Context(), b.o)
	remove()
	met = slices.ContainsFunc(b.e.Calls(), func(c emulator.Call) bool { return c.Fault == "cut" })
	var no *Refusal
	if err != nil && (!met || errors.As(err, &no)) {
		b.t.Fatalf("call %d cut: %v", n, err)
	}
	if _, err := what(b.t.Context(), b.o); err != nil {
		b.t.Fatalf("again after call %d was cut: %v", n, err)
	}
	return met, err != nil
}

func cuts() map[string]emulator.Action {
	return map[string]emulator.Action{"before it was applied": emulator.ResetBefore, "after it was applied": emulator.ResetAfter,
		"after it was applied, with an error": emulator.FailAfter}
}

func TestACutAtAnyCallOfTheMigrationChangesNothingInTheEnd(t *testing.T) {
	whole := newBench(t, small)
	original := whole.picture()
	whole.run()
	want := whole.picture()
	for name, act := range cuts() {
		t.Run(name, func(t *testing.T) {
			failures := 0
			for n := 1; ; n++ {
				b := newBench(t, small)
				met, failed := b.interrupted(n, act, Run)
				if !met {
					break
				}
				if failed {
					failures++
				}
				b.same(fmt.Sprintf("the sheet after call %d was cut", n), b.picture(), want)
				if slices.ContainsFunc(b.files(), func(f string) bool { return strings.HasPrefix(f, "checkpoint_") }) {
					t.Fatalf("checkpoints are left: %v", b.files())
				}
				b.rollback()
				b.same(fmt.Sprintf("the sheet after call %d was cut and a rollback", n), b.picture(), original)
			}
			if failures < 6 {
				t.Errorf("only %d runs were cut; the test proves little", failures)
			}
		})
	}
}

func TestACutAtAnyCallOfTheRollbackChangesNothingInTheEnd(t *testing.T) {
	for name, act := range cuts() {
		t.Run(name, func(t *testing.T) {
			failures := 0
			for n := 1; ; n++ {
				b := newBench(t, small)
				original := b.picture()
				b.run()
				met, failed := b.interrupted(n, act, Rollback)
				if !met {
					break
				}
				if failed {
					failures++
				}
				b.same(fmt.Sprintf("the sheet after call %d of the rollback was cut", n), b.picture(), original)
			}
			if failures < 2 {
				t.Errorf("only %d rollbacks were cut; the test proves little", failures)
			}
		})
	}
}

// mortal is a sheet whose caller dies at call n: the call is applied or not, and no
// other follows.
type mortal struct {
	Sheet
	left    int
	applies bool
}

var errKilled = errors.New("killed")

func (m *mortal) die(call func() error) error {
	m.left--
	switch {
	case m.left > 0:
		return call()
	case m.left == 0 && m.applies:
		return errors.Join(call(), errKilled)
	}
	return errKilled
}

func (m *mortal) Write(ctx context.Context, blocks ...google.Block) error {
	return m.die(func() error { return m.Sheet.Write(ctx, blocks...) })
}

func (m *mortal) Grow(ctx context.Context, t google.Tab, rows, cols int) error {
	return m.die(func() error { return m.Sheet.Grow(ctx, t, rows, cols) })
}

func (m *mortal) Copy(ctx context.Context, title, folder string) (id string, err error) {
	err = m.die(func() error { id, err = m.Sheet.Copy(ctx, title, folder); return err })
	return id, err
}

func TestAMigrationThatDiedCanBeTakenBackAtOnceOrContinuedTwice(t *testing.T) {
	whole := newBench(t, small)
	original := whole.picture()
	whole.run()
	want := whole.picture()
	for n := 1; n <= 5; n++ {
		for _, applies := range []bool{false, true} {
			name := fmt.Sprintf("killed at write %d, applied %t", n, applies)
			killed := func() *bench {
				b := newBench(t, small)
				o := b.o
				o.Sheet = &mortal{b.o.Sheet, n, applies}
				if _, err := Run(t.Context(), o); !errors.Is(err, errKilled) {
					t.Fatalf("%s: %v, want it killed", name, err)
				}
				return b
			}
			b := killed()
			b.rollback()
			b.same(name+" and taken back", b.picture(), original)
			b.run()
			b = killed()
			o := b.o
			o.Sheet = &mortal{b.o.Sheet, 1, applies}
			if _, err := Run(t.Context(), o); err != nil && !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			b.run()
			b.same(name+", again, and continued", b.picture(), want)
		}
	}
}
