// Package sample makes a plant out of nothing: 2,493 spools in every state a
// spool can be in, their unions, forty workers and the log of the last weeks.
// The same base instant always gives the same plant, down to every identifier.
package sample

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"envivo/plant"
	"envivo/sheetsync/table"
)

// Spools is the number of spools of the sample plant.
const Spools = 2493

// World is the sample plant in the plant's own types.
type World struct {
	Base    time.Time
	Workers []plant.Worker
	Spools  []plant.Spool
	Log     []plant.MetadataRow

	rng *rand.Rand
	// logFrom is when the plant began to keep its log: older work has none.
	logFrom time.Time
	rules   plant.Rules
}

// Make is the plant as it stands at base: what is held was taken a plausible
// time before it.
func Make(base time.Time) *World {
	w := &World{
		Base: base.Truncate(time.Second).UTC(), Workers: crew(),
		rng: rand.New(rand.NewPCG(1346, 28082)), rules: plant.DefaultRules(),
	}
	w.logFrom = w.Base.AddDate(0, 0, -21)
	plan := stages()
	w.rng.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	for i, st := range plan {
		sp := w.blank(i)
		w.live(&sp, st)
		w.Spools = append(w.Spools, sp)
	}
	slices.SortStableFunc(w.Log, func(a, b plant.MetadataRow) int { return a.At.Compare(b.At) })
	for i := range w.Log {
		w.Log[i].Order = int32(i + 2)
	}
	return w
}

// Tables are the worksheets of the clean plant: what `demo` imports.
func Tables(base time.Time) table.Book { return Make(base).Tables() }

// Tables writes the plant as worksheets.
func (w *World) Tables() table.Book {
	ops, people, roles := table.NewSheet(table.Operaciones), table.NewSheet(table.Trabajadores), table.NewSheet(table.Roles)
	unions, log := table.NewSheet(table.Uniones), table.NewSheet(table.Metadata)
	for i := range w.Spools {
		sp := &w.Spools[i]
		ops.Rows = append(ops.Rows, table.SpoolCells(sp, w.rules))
		for _, u := range sp.Unions {
			unions.Rows = append(unions.Rows, table.UnionCells(sp.Tag, sp.Office.OT, u))
		}
	}
	for _, p := range w.Workers {
		people.Rows = append(people.Rows, table.WorkerCells(p))
		roles.Rows = append(roles.Rows, table.RoleCells(p)...)
	}
	for _, m := range w.Log {
		log.Rows = append(log.Rows, table.MetadataCells(m))
	}
	return table.Book{Sheets: []table.Sheet{ops, people, roles, unions, log}}
}

// blank is spool i before anybody touched it.
func (w *World) blank(i int) plant.Spool {
	area := []string{"TW", "TW", "TW", "PW", "SW", "FG", "AC"}[w.rng.IntN(7)]
	project := 1300 + w.rng.IntN(60)
	line := 28000 + i/9
	tag := fmt.Sprintf("MK-%d-%s-%05d-%03d", project, area, line, 1+i%9*10+w.rng.IntN(9))
	if w.rng.IntN(23) == 0 {
		tag += []string{"-A", "-B"}[w.rng.IntN(2)]
	}
	sp := plant.Spool{Tag: plant.Tag(tag), Order: int32(i + 2), Office: plant.Office{
		Split: tag, NV: fmt.Sprintf("NV%04d", 101+i/40), OT: fmt.Sprintf("%03d", 1+i),
	}}
	switch {
	case i%11 == 3: // an order that covers two spools
		sp.Office.OT = fmt.Sprintf("%03d", i)
	case i%97 == 5:
		sp.Office.OT = ""
	}
	if w.rng.IntN(20) == 0 {
		sp.Office.Split = tag[strings.LastIndexByte(tag, '-')+1:]
	}
	if w.rng.IntN(100) < 86 {
		sp.Unions = w.joints(i)
	}
	return sp
}

// joints are the unions engineering defined for a spool: mostly a handful,
// seldom twenty.
func (w *World) joints(i int) []plant.Union {
	n := 1 + w.rng.IntN(4) + w.rng.IntN(5)
	if w.rng.IntN(40) == 0 {
		n = 12 + w.rng.IntN(9)
	}
	types := []string{"BW", "BW", "BW", "BW", "SO", "SO", "FILL", "BR", "LET", "FW", "MIT"}
	sizes := []plant.Inches{50, 75, 100, 150, 200, 200, 250, 300, 400, 400, 600, 800, 1000, 1200, 1600, 2000, 2400}
	dn := sizes[w.rng.IntN(len(sizes))]
	out := make([]plant.Union, n)
	for k := range out {
		if w.rng.IntN(4) == 0 {
			dn = sizes[w.rng.IntN(len(sizes))]
		}
		out[k] = plant.Union{N: k + 1, DN: dn, Tipo: types[w.rng.IntN(len(types))], SheetID: fmt.Sprintf("%04d", i*4+k+1)}
	}
	return out
}

// id is a UUID4 of the world's own chance.
func (w *World) id() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], w.rng.Uint64())
	binary.LittleEndian.PutUint64(b[8:], w.rng.Uint64())
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return uuid.UUID(b).String()
}

// pick is somebody at work who has the role.
func (w *World) pick(r plant.Role) plant.Person {
	for {
		if p := w.Workers[w.rng.IntN(len(w.Workers))]; p.Activo && p.Roles&r != 0 {
			return p.Person()
		}
	}
}
