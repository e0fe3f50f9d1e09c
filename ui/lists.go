package ui

import (
	"cmp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/a-h/templ"

	"envivo/plant"
)

// Rows draws spools for the long list and keeps what it drew until the spool
// changes: with thousands of rows and dozens of screens each row is drawn once.
type Rows struct {
	mu    sync.Mutex
	drawn map[rowKey]drawnRow
	// beside are the narrow rows of the list beside a spool.
	beside map[rowKey]drawnRow
}

// rowKey is a row as one list shows it: how long its tail is depends on its
// neighbours.
type rowKey struct {
	tag  plant.Tag
	tail int
}

type drawnRow struct {
	row  *plant.Row
	late bool
	html []byte
}

// NewRows is an empty cache.
func NewRows() *Rows { return &Rows{drawn: map[rowKey]drawnRow{}, beside: map[rowKey]drawnRow{}} }

func (c *Rows) item(v rowView) (Item, error) {
	return c.keep(c.drawn, v, func() templ.Component { return row(v) })
}

// keep gives a row as it was drawn before, or draws it.
func (c *Rows) keep(kept map[rowKey]drawnRow, v rowView, draw func() templ.Component) (Item, error) {
	tag := v.Row.Spool.Tag
	key := rowKey{tag, len(v.Tail)}
	c.mu.Lock()
	d, ok := kept[key]
	c.mu.Unlock()
	if ok && d.row == v.Row && d.late == v.Late {
		return Item{Key: string(tag), HTML: d.html}, nil
	}
	it, err := item(string(tag), draw())
	if err != nil {
		return Item{}, err
	}
	c.mu.Lock()
	kept[key] = drawnRow{row: v.Row, late: v.Late, html: it.HTML}
	c.mu.Unlock()
	return it, nil
}

// Spools are the regions of the list of all spools.
func (c *Rows) Spools(s *plant.Snapshot, f Filter, now time.Time) ([]Region, error) {
	rows, counts := f.Matching(s)
	shown := windowed(f, rows)
	list := Region{ID: "filas", Items: make([]Item, 0, len(shown)+1)}
	for i, tail := range Tails(tagsIn(shown)) {
		v := rowOf(s, shown[i], now)
		v.Tail = tail
		it, err := c.item(v)
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, it)
	}
	if len(rows) == 0 {
		text, link, word := "Todavía no hay spools en este servidor.", "", ""
		if f.Active() {
			text, link, word = "Ningún spool con filtro "+f.Words()+".", f.Path, "Quitar filtros"
		}
		it, err := item("vacio", message("vacio", text, link, word))
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, it)
	}
	options, err := choiceItems(stateChoices(f, counts))
	if err != nil {
		return nil, err
	}
	return around(f, extentOf(s, rows, len(shown)), nouns{"spool", "spools"}, list, Region{ID: "filtros", Items: options})
}

// nouns name what a list holds: one, and many.
type nouns struct{ one, many string }

// around puts a list between what it says about itself and the way to more.
func around(f Filter, e extent, n nouns, list Region, before ...Region) ([]Region, error) {
	sum, err := item("resumen", summary(f, e, n))
	if err != nil {
		return nil, err
	}
	rest, err := more(f, e)
	if err != nil {
		return nil, err
	}
	return append(before, Region{ID: "resumen", Items: []Item{sum}}, list, rest), nil
}

func stateChoices(f Filter, counts map[plant.Estado]int) []choice {
	var out []choice
	for _, e := range plant.Estados() {
		on := f.ByEstado && f.Estado == e
		if counts[e] == 0 && !on {
			continue
		}
		look := LookOf(e)
		out = append(out, choice{Key: "e-" + e.String(), Href: f.withEstado(e, !on).Address(), Word: look.Text(), Look: &look, N: counts[e], On: on})
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	return append(out, nvChoice(f, total))
}

// nvChoice takes the NV off the filter, or leads to where one is chosen.
func nvChoice(f Filter, n int) choice {
	if f.NV == "" {
		return choice{Key: "nv", Href: f.choosing("nv"), Word: "NV", Opens: true}
	}
	return choice{Key: "nv", Href: f.withNV("").Address(), Word: NVText(f.NV), N: n, On: true, Drops: true}
}

func choiceItems(list []choice) ([]Item, error) {
	out := make([]Item, 0, len(list))
	for _, c := range list {
		it, err := item(c.Key, choiceChip(c))
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// rowItems draws a short list.
func rowItems(views []rowView, empty func() (Item, error)) ([]Item, error) {
	if len(views) == 0 {
		it, err := empty()
		return []Item{it}, err
	}
	out := make([]Item, 0, len(views))
	for _, v := range views {
		it, err := item(string(v.Row.Spool.Tag), row(v))
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

func nothing(text, link, word string) func() (Item, error) {
	return func() (Item, error) { return item("vacio", message("vacio", text, link, word)) }
}

func rowOf(s *plant.Snapshot, r *plant.Row, now time.Time) rowView {
	ttl := s.Rules().TTL
	return rowView{Row: r, Who: s, Late: r.Spool.Hold.Overdue(now, ttl), TTL: ttl}
}

// Held are the regions of who has what: one card per person, by name.
func Held(s *plant.Snapshot, f Filter, now time.Time) ([]Region, error) {
	d := desksOf(s, f, now)
	list, shown := Region{ID: "gente"}, 0
	var shownRows [][]rowView
	people := d.order
	for i, d := range people {
		if shown >= f.window() {
			people = people[:i]
			break
		}
		shown += len(d.rows) // a person is drawn whole
		shownRows = append(shownRows, d.rows)
	}
	tellApart(shownRows...)
	for _, d := range people {
		it, err := item(deskKey(d.who), person(d.who, d.name, d.rows))
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, it)
	}
	if len(d.order) == 0 {
		text, link, word := TextNoHeld, "/listos", "Ver los listos"
		if f.Active() {
			text, link, word = "Nadie tiene spools con filtro "+f.Words()+".", f.Path, "Quitar filtros"
		}
		it, err := item("vacio", message("vacio", text, link, word))
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, it)
	}
	options, err := choiceItems(heldChoices(f, d.ops, d.late))
	if err != nil {
		return nil, err
	}
	return around(f, viewsExtent(s, d.all, shown), nouns{"spool en curso", "spools en curso"}, list, Region{ID: "filtros", Items: options})
}

func deskKey(p plant.Person) string {
	if p.ID != 0 {
		return "p" + strconv.Itoa(int(p.ID))
	}
	return "x" + p.Display
}

func heldChoices(f Filter, ops map[plant.Op]int, late int) []choice {
	var out []choice
	for _, o := range []plant.Op{plant.ARM, plant.SOLD, plant.REPARACION} {
		on := f.Op == o
		to := f.withOp(o)
		if on {
			to = f.withOp(plant.OpNone)
		}
		out = append(out, choice{Key: "o-" + o.String(), Href: to.Address(), Word: OpWord(o), N: ops[o], On: on})
	}
	return append(out, choice{Key: "vencidas", Href: f.withVencidas(!f.Vencidas).Address(), Word: "Vencidas", N: late, On: f.Vencidas,
		Look: &Look{Icon: "reloj", Class: "lis"}})
}

// heldRows lists every spool somebody has, in the order of the Sheet.
func heldRows(s *plant.Snapshot) []*plant.Row {
	var out []*plant.Row
	for _, e := range []plant.Estado{plant.EnCursoARM, plant.EnCursoSOLD, plant.EnCurso, plant.Reparando} {
		for r := range s.In(e) {
			if !r.Spool.Hold.Free() {
				out = append(out, r)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *plant.Row) int { return cmp.Compare(a.Spool.Order, b.Spool.Order) })
	return out
}
