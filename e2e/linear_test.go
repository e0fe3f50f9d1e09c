package e2e

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// The register of one spool as the rule book describes it, written without a
// look at the engine: who has it, and who had it last.
type register struct{ holder, last int }

type opIn struct {
	verb   string // tomar, pausar, leer
	tag    string
	worker int
}

// opOut is an answer; status 0 means the outcome is unknown.
type opOut struct{ status, owner int }

var registerModel = porcupine.NondeterministicModel{
	Partition: func(ops []porcupine.Operation) [][]porcupine.Operation {
		byTag := map[string][]porcupine.Operation{}
		for _, op := range ops {
			tag := op.Input.(opIn).tag
			byTag[tag] = append(byTag[tag], op)
		}
		out := make([][]porcupine.Operation, 0, len(byTag))
		for _, p := range byTag {
			out = append(out, p)
		}
		return out
	},
	Init: func() []any { return []any{register{}} },
	Step: func(state, input, output any) []any {
		s, in, out := state.(register), input.(opIn), output.(opOut)
		next, want := s.after(in)
		switch {
		case out.status == 0 && want.status == 200:
			return []any{s, next}
		case out.status == 0:
			return []any{s}
		case out == want:
			return []any{next}
		}
		return nil
	},
	Equal: func(a, b any) bool { return a == b },
	DescribeOperation: func(input, output any) string {
		in, out := input.(opIn), output.(opOut)
		return fmt.Sprintf("%s %s by %d -> %d %d", in.verb, in.tag, in.worker, out.status, out.owner)
	},
}

// after is what the rules say about one request.
func (s register) after(in opIn) (register, opOut) {
	switch in.verb {
	case "leer":
		return s, opOut{status: 200, owner: s.holder}
	case "tomar":
		if s.holder != 0 {
			return s, opOut{status: 409, owner: s.holder}
		}
		return register{holder: in.worker, last: s.last}, opOut{status: 200}
	}
	switch {
	case s.holder == in.worker:
		return register{last: in.worker}, opOut{status: 200}
	case s.holder != 0 || s.last != 0 && s.last != in.worker:
		return s, opOut{status: 403}
	}
	return s, opOut{status: 400}
}

// TestLinearizable records what sixteen clients see while they fight over four
// spools, with the server killed and restarted in between, and looks for a
// legal order of it all. Each client reads its own write at once.
func TestLinearizable(t *testing.T) {
	data := newPlant(t, 4, 0)
	begin := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	record := func(client int, in opIn, call time.Time, out opOut) {
		ret := time.Since(begin).Nanoseconds()
		if out.status == 0 {
			ret = math.MaxInt64
		}
		mu.Lock()
		defer mu.Unlock()
		history = append(history, porcupine.Operation{ClientId: client, Input: in, Call: call.Sub(begin).Nanoseconds(), Output: out, Return: ret})
	}
	const clients, perRound, rounds = 16, 40, 5
	for round := range rounds {
		s := serve(t, data)
		var wg sync.WaitGroup
		answered := make(chan struct{}, clients*perRound)
		for c := range clients {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(round), uint64(c)))
				// A client whose request was lost is a new client afterwards:
				// the lost one never returns.
				id := round*clients + c
				for range perRound {
					in := opIn{tag: spoolTag(1 + rng.IntN(4)), worker: 101 + c, verb: []string{"tomar", "pausar"}[rng.IntN(2)]}
					call := time.Now()
					out := ask(s, in)
					record(id, in, call, out)
					if out.status == 0 {
						return
					}
					answered <- struct{}{}
					in.verb = "leer"
					call = time.Now()
					if out = ask(s, in); out.status != 0 {
						record(id, in, call, out)
					}
				}
			})
		}
		for range clients * perRound / 2 {
			<-answered
		}
		if round < rounds-1 {
			s.kill()
		}
		wg.Wait()
	}
	result, info := porcupine.CheckOperationsVerbose(registerModel.ToModel(), history, time.Minute)
	if result != porcupine.Ok {
		path := filepath.Join(t.ArtifactDir(), "history.html")
		if f, err := os.Create(path); err == nil {
			_ = porcupine.Visualize(registerModel.ToModel(), info, f)
			f.Close()
		}
		t.Fatalf("the history of %d operations has no legal order (%v); see %s", len(history), result, path)
	}
	t.Logf("%d operations of %d clients over %d server lives have a legal order", len(history), clients, rounds)
}

// ask performs one operation and reads what the model needs of the answer.
func ask(s *server, in opIn) opOut {
	if in.verb == "leer" {
		return askHolder(s, in.tag)
	}
	r, err := s.try("/api/occupation/"+in.verb, take(in.tag, in.worker, "ARM"))
	if err != nil {
		return opOut{}
	}
	out := opOut{status: r.Status}
	if d, ok := r.Body["data"].(fields); ok && r.Status == 409 {
		owner, _ := d["owner_id"].(float64)
		out.owner = int(owner)
	}
	return out
}

func askHolder(s *server, tag string) opOut {
	r, err := s.read("/api/spools/" + tag)
	if err != nil || r.Status != 200 {
		return opOut{}
	}
	out := opOut{status: 200}
	if who := r.text("ocupado_por"); who != "" {
		fmt.Sscanf(who, "OZ(%d)", &out.owner)
	}
	return out
}
