package ui

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"envivo/plant"
)

// Beside an open spool a tablet that lies shows the list the person came from
// (ui: list left, spool right). The list's address travels in the spool's own,
// so that a reload, the live view and the page after an act show the same rows.
// The script adds it where there is room: narrow screens never carry a list.
const (
	// BesideParam is where a spool's address carries the list's.
	BesideParam = "lista"
	// besideMost bounds the rows drawn beside a spool.
	besideMost = 120
	// besideLongest bounds the list's address, in bytes.
	besideLongest = 400
	// TextBesideEmpty is the drawing of a list that became empty.
	TextBesideEmpty = "En esta lista ya no queda nada."
)

// besideTitle names a list that can stand beside a spool; empty for any other
// page.
func besideTitle(path string) string {
	switch path {
	case "/mis":
		return "Mis spools"
	case "/listos":
		return "Listos para ti"
	case "/spools":
		return "Spools"
	case "/metrologia":
		return "Metrología"
	case "/reparacion":
		return "Reparación"
	case "/quien":
		return "Quién tiene qué"
	}
	return ""
}

// ParseBeside reads the address of a list of this box; nil for anything else.
// Of what it says only the canonical address remains, without any person.
func ParseBeside(address string) *Filter {
	if address == "" || len(address) > besideLongest {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || besideTitle(u.Path) == "" {
		return nil
	}
	f := ParseFilter(u.Path, u.Query())
	f.Me, f.Trade = 0, ""
	if len(f.Address()) > besideLongest {
		return nil
	}
	return &f
}

// besideQuery is q with the list, as the end of an address.
func besideQuery(list *Filter, q url.Values) string {
	if list != nil {
		q.Set(BesideParam, list.Address())
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// SpoolBeside is the address of a spool's page with a list beside it, and more
// parameters by name and value.
func SpoolBeside(t plant.Tag, list *Filter, params ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(params); i += 2 {
		q.Set(params[i], params[i+1])
	}
	return SpoolPath(t) + besideQuery(list, q)
}

// Beside is the region of the list beside a spool: lado. Rows are drawn once
// for all lists and screens; only the open one differs.
func (c *Rows) Beside(s *plant.Snapshot, f Filter, open plant.Tag, now time.Time) (Region, error) {
	out := Region{ID: "lado"}
	rows := besideList(s, f, now)
	shown := rows[:min(len(rows), f.window(), besideMost)]
	for i, tail := range Tails(tagsIn(shown)) {
		v := rowOf(s, shown[i], now)
		v.Tail = tail
		isOpen := v.Row.Spool.Tag == open
		draw := func() templ.Component { return neighbour(v, isOpen) }
		kept := c.beside
		if isOpen {
			kept = map[rowKey]drawnRow{} // nobody else has it open
		}
		it, err := c.keep(kept, v, draw)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, it)
	}
	if rest := len(rows) - len(shown); rest > 0 || len(rows) == 0 {
		it, err := item("mas", besideRest(f, len(rows)))
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, it)
	}
	return out, nil
}

// besideList gives a list's rows in its own order.
func besideList(s *plant.Snapshot, f Filter, now time.Time) []*plant.Row {
	me, _ := s.Worker(f.Me)
	var views []rowView
	switch f.Path {
	case "/spools":
		rows, _ := f.Matching(s)
		return rows
	case "/listos":
		views = readyOrNot(s, me.Roles, f)
	case "/mis":
		ready := readyFor(s, me.Roles, Filter{})
		late := overdueFor(s, me, now)
		views = slices.Concat(heldOf(s, f.Me, now), ready[:min(len(ready), firstReady)], late[:min(len(late), firstOverdue)])
	case "/metrologia":
		views = toInspect(s)
	case "/reparacion":
		views = toRepair(s, now)
	case "/quien":
		for _, d := range desksOf(s, f, now).order {
			views = append(views, d.rows...)
		}
	}
	rows := make([]*plant.Row, len(views))
	for i, v := range views {
		rows[i] = v.Row
	}
	return rows
}

// heldOf are the spools of one person, oldest first.
func heldOf(s *plant.Snapshot, me plant.WorkerID, now time.Time) []rowView {
	var held []rowView
	for _, t := range s.Held(me) {
		if r, ok := s.Row(t); ok {
			v := rowOf(s, r, now)
			v.Own = true
			held = append(held, v)
		}
	}
	slices.SortStableFunc(held, func(a, b rowView) int { return a.Row.Spool.Hold.Since.Compare(b.Row.Spool.Hold.Since) })
	return held
}

// desk is one person with what that person has.
type desk struct {
	who  plant.Person
	name string
	rows []rowView
}

// desks are people by name, and what is counted over all of them.
type desks struct {
	order []*desk
	all   []rowView
	ops   map[plant.Op]int
	late  int
}

// desksOf gathers who has what; the counts are over all, the rest is filtered.
func desksOf(s *plant.Snapshot, f Filter, now time.Time) desks {
	out := desks{ops: map[plant.Op]int{}}
	byKey := map[string]*desk{}
	for _, r := range heldRows(s) {
		h := r.Spool.Hold
		v := rowOf(s, r, now)
		out.ops[h.Op]++
		if v.Late {
			out.late++
		}
		if f.Op != plant.OpNone && h.Op != f.Op || f.Vencidas && !v.Late {
			continue
		}
		out.all = append(out.all, v)
		key := deskKey(h.Worker)
		d := byKey[key]
		if d == nil {
			d = &desk{who: h.Worker, name: Name(s, h.Worker)}
			byKey[key], out.order = d, append(out.order, d)
		}
		d.rows = append(d.rows, v)
	}
	slices.SortStableFunc(out.order, func(a, b *desk) int {
		return cmp.Or(cmp.Compare(plant.Fold(a.name), plant.Fold(b.name)), cmp.Compare(a.who.ID, b.who.ID))
	})
	for _, d := range out.order {
		slices.SortStableFunc(d.rows, func(a, b rowView) int { return a.Row.Spool.Hold.Since.Compare(b.Row.Spool.Hold.Since) })
	}
	return out
}

func besideMore(n int) string {
	if n == 0 {
		return "Volver a la lista"
	}
	return "Ver la lista (" + strconv.Itoa(n) + ")"
}
