package ui

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"
	"time"

	"envivo/plant"
)

// ContingencyPath is the sheet among the pages.
const ContingencyPath = "/imprimir/contingencia"

// ContingencySheet is the floor on paper: what goes on by hand when the server
// is dead, and the codes to key it in with afterwards.
type ContingencySheet struct {
	At   time.Time
	Head string
	// People hold something; Crew is everybody who may work, for the codes.
	People []contingencyPerson
	Crew   []contingencyPerson
	Spools int
}

type contingencyPerson struct {
	Name, Code string
	Holds      []contingencyHold
}

// contingencyHold is one line: Unions is "3 de 8", empty without joints.
type contingencyHold struct {
	Tag, Code, Op, Since, Unions string
}

// NewContingencySheet draws up the sheet.
func NewContingencySheet(s *plant.Snapshot, now time.Time) *ContingencySheet {
	out := &ContingencySheet{At: now, Head: HeadCode(s.Seq, s.Head)}
	by := map[plant.Person]*contingencyPerson{}
	for _, r := range heldRows(s) {
		h := r.Spool.Hold
		who := by[h.Worker]
		if who == nil {
			who = &contingencyPerson{Name: Name(s, h.Worker)}
			if h.Worker.ID != 0 {
				who.Code = WorkerCode(h.Worker.ID)
			}
			by[h.Worker] = who
		}
		line := contingencyHold{Tag: string(r.Spool.Tag), Code: SpoolCode(r.Spool.Tag), Op: h.Op.String(), Since: Fecha(h.Since)}
		if done, needed := r.Spool.Counts(h.Op, s.Rules()); needed > 0 {
			line.Unions = strconv.Itoa(done) + " de " + strconv.Itoa(needed)
		}
		who.Holds = append(who.Holds, line)
		out.Spools++
	}
	for _, who := range by {
		slices.SortFunc(who.Holds, func(a, b contingencyHold) int { return cmp.Compare(a.Tag, b.Tag) })
		out.People = append(out.People, *who)
	}
	byName := func(a, b contingencyPerson) int {
		return cmp.Or(cmp.Compare(plant.Fold(a.Name), plant.Fold(b.Name)), cmp.Compare(a.Code, b.Code))
	}
	slices.SortFunc(out.People, byName)
	for _, w := range active(s) {
		out.Crew = append(out.Crew, contingencyPerson{Name: w.FullName(), Code: WorkerCode(w.ID)})
	}
	slices.SortFunc(out.Crew, byName)
	return out
}

// blankLines are the lines for work begun on paper.
const blankLines = 14

func (c *ContingencySheet) summary() string {
	return Plural(c.Spools, "spool", "spools") + " en manos de " + Plural(len(c.People), "persona", "personas")
}

func (c *ContingencySheet) said() string {
	return "Así estaba el piso el " + Fecha(c.At) + ": " + c.summary() + ". Registro " + c.Head + "."
}

// contingencyStyle makes the sheet stand on its own in a file.
const contingencyStyle = `<style>
body{font:11pt/1.3 sans-serif;color:#000;background:#fff;margin:1rem}
h1{font-size:16pt;margin:0}h2{font-size:12pt;margin:1rem 0 .3rem}
table{border-collapse:collapse;width:100%}th,td{border:1px solid #000;padding:2pt 4pt;text-align:left}
thead{display:table-header-group}tr{break-inside:avoid}.anota{min-width:3.5cm}.renglon-papel td{height:8mm}
.codigo-papel{font-family:monospace}.codigos{columns:3;list-style:none;padding:0}
@page{size:A4 landscape;margin:10mm}
</style>`

// WriteContingency writes the sheet as a page that needs nothing else.
func WriteContingency(ctx context.Context, w io.Writer, c *ContingencySheet) error {
	return ContingencyFile(c).Render(ctx, w)
}
