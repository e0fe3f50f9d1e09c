package ui

import (
	"cmp"
	"slices"
	"time"

	"envivo/plant"
)

// firstReady is how many ready spools Mis spools shows below one's own.
const firstReady = 8

// firstOverdue is how many overdue spools of others Mis spools shows at its end.
const firstOverdue = 4

// Mine are the regions of what one person holds, what that person could take
// next, and what others have left overdue in that person's trade: mios, listos,
// relevables.
func Mine(s *plant.Snapshot, f Filter, now time.Time) ([]Region, error) {
	w, _ := s.Worker(f.Me)
	held, ready, late := heldOf(s, f.Me, now), readyFor(s, w.Roles, Filter{}), overdueFor(s, w, now)
	total := len(ready)
	ready = ready[:min(total, firstReady)]
	tellApart(held, ready, late[:min(len(late), firstOverdue)])
	mine, err := rowItems(held, nothing(TextNoMine, "", ""))
	if err != nil {
		return nil, err
	}
	lost, err := lossItems(s, lossesOf(s, f.Me, now), now)
	if err != nil {
		return nil, err
	}
	mine = append(mine, lost...)
	next, err := rowItems(forBasket(s, w, ready), nothing(TextNoReady, "/spools", "Ver todos"))
	if err != nil {
		return nil, err
	}
	if total > firstReady {
		it, err := item("mas", moreReady(total))
		if err != nil {
			return nil, err
		}
		next = append(next, it)
	}
	relieve, err := overdueItems(late)
	if err != nil {
		return nil, err
	}
	return []Region{{ID: "mios", Items: mine}, {ID: "listos", Items: next}, {ID: "relevables", Items: relieve}}, nil
}

// overdueFor are the overdue spools in other people's hands that w may relieve,
// oldest hold first. Whether RELEVAR is allowed is decided on the spool's page.
func overdueFor(s *plant.Snapshot, w plant.Worker, now time.Time) []rowView {
	var out []rowView
	for _, r := range heldRows(s) {
		h := r.Spool.Hold
		if v := rowOf(s, r, now); v.Late && h.Worker.ID != w.ID && doesOp(s.Rules(), w.Roles, h.Op) {
			out = append(out, v)
		}
	}
	slices.SortStableFunc(out, func(a, b rowView) int { return a.Row.Spool.Hold.Since.Compare(b.Row.Spool.Hold.Since) })
	return out
}

// doesOp says whether roles do an operation (rules §3); repairs are anybody's.
func doesOp(rules plant.Rules, roles plant.Role, op plant.Op) bool {
	switch {
	case !rules.CheckRoles:
		return true
	case op == plant.ARM:
		return roles&(plant.Armador|plant.Ayudante) != 0
	case op == plant.SOLD:
		return roles&(plant.Soldador|plant.Ayudante) != 0
	}
	return true
}

// overdueItems draws the first of them; there is no drawing for none, since the
// list is then not there at all.
func overdueItems(views []rowView) ([]Item, error) {
	if len(views) == 0 {
		return nil, nil
	}
	items, err := rowItems(views[:min(len(views), firstOverdue)], nil)
	if err != nil || len(views) <= firstOverdue {
		return items, err
	}
	it, err := item("mas", moreOverdue(len(views)))
	return append(items, it), err
}

// Ready are the regions of what a person's roles may take now, or, with the
// filter No listo, of what nobody may take yet, each with its reason: filtros,
// nolistos, resumen, filas, mas.
func Ready(s *plant.Snapshot, f Filter, _ time.Time) ([]Region, error) {
	w, _ := s.Worker(f.Me)
	views := readyOrNot(s, w.Roles, f)
	shown := forBasket(s, w, windowed(f, views))
	tellApart(shown)
	list, err := rowItems(shown, noneReady(f))
	if err != nil {
		return nil, err
	}
	options, err := choiceItems(readyChoices(s, w.Roles, f))
	if err != nil {
		return nil, err
	}
	other, err := otherReadiness(s, w.Roles, f)
	if err != nil {
		return nil, err
	}
	n := nouns{"spool listo", "spools listos"}
	return around(f, viewsExtent(s, views, len(shown)), n, Region{ID: "filas", Items: list}, Region{ID: "filtros", Items: options}, other)
}

func noneReady(f Filter) func() (Item, error) {
	switch {
	case f.notReady() && f.NV == "":
		return nothing("No hay spools sin preparar: a ninguno le falta algo.", f.withReady().Address(), "Ver los listos")
	case f.Active():
		return nothing("Ningún spool listo con filtro "+f.Words()+".", f.Path, "Quitar filtros")
	}
	return nothing(TextNoReady, "/spools", "Ver todos")
}

// readyChoices are the operations and the NV, each with how many rows choosing
// it would show.
func readyChoices(s *plant.Snapshot, roles plant.Role, f Filter) []choice {
	all := readyFor(s, roles, f.withOp(plant.OpNone).withReady())
	var tabs []choice
	for _, o := range []plant.Op{plant.ARM, plant.SOLD, plant.METROLOGIA, plant.REPARACION} {
		n := 0
		for _, v := range all {
			if (Filter{Op: o}).matchesOp(v.Row) {
				n++
			}
		}
		on := f.Op == o && !f.notReady()
		if n == 0 && !on {
			continue
		}
		to := f.withReady().withOp(o)
		if on {
			to = f.withOp(plant.OpNone)
		}
		tabs = append(tabs, choice{Key: "o-" + o.String(), Href: to.Address(), Word: OpWord(o), N: n, On: on})
	}
	return append(tabs, nvChoice(f, len(readyOrNot(s, roles, f))))
}

// otherReadiness leads from the ready spools to those that are not, and back.
func otherReadiness(s *plant.Snapshot, roles plant.Role, f Filter) (Region, error) {
	out := Region{ID: "nolistos"}
	to, what, how := f.withOp(plant.OpNone).withEstado(plant.NoListo, true), "", "ver por qué"
	if f.notReady() {
		to = f.withReady()
		what, how = Plural(len(readyFor(s, roles, to)), "listo", "listos"), "ver"
	} else if n := len(notReady(s, f)); n > 0 {
		what = Plural(n, "no listo", "no listos")
	}
	if what == "" {
		return out, nil
	}
	it, err := item("nolistos", otherList(to, what, how))
	out.Items = []Item{it}
	return out, err
}

// readyOrNot are the rows of Listos para ti under a filter.
func readyOrNot(s *plant.Snapshot, roles plant.Role, f Filter) []rowView {
	if f.notReady() {
		return notReady(s, f)
	}
	return readyFor(s, roles, f)
}

// notReady lists the spools that are free and miss something, in the order of
// the Sheet, each with what it misses.
func notReady(s *plant.Snapshot, f Filter) []rowView {
	var out []rowView
	for r := range s.In(plant.NoListo) {
		if f.matchesNV(r) {
			out = append(out, rowView{Row: r, Who: s, Why: whyNotReady(r)})
		}
	}
	slices.SortStableFunc(out, func(a, b rowView) int { return cmp.Compare(a.Row.Spool.Order, b.Row.Spool.Order) })
	return out
}

// ReadyOrders counts the rows of Listos para ti by NV, whatever NV is chosen.
func ReadyOrders(s *plant.Snapshot, f Filter) []SalesOrder {
	w, _ := s.Worker(f.Me)
	n := map[string]int{}
	for _, v := range readyOrNot(s, w.Roles, f.withNV("")) {
		n[v.Row.Spool.Office.NV]++
	}
	return salesOrders(n)
}

// forBasket marks the rows that a person can take several of at once.
func forBasket(s *plant.Snapshot, w plant.Worker, views []rowView) []rowView {
	for i, v := range views {
		_, views[i].Basket = (&SpoolSight{Snap: s, Row: v.Row, Me: w, Actions: mayTake(v.Row, w.Roles)}).Start()
	}
	return views
}

// readyFor lists the free spools a set of roles may work on: those left half
// done first, oldest first, then the order of the Sheet. Nobody identified sees
// what anybody could take.
func readyFor(s *plant.Snapshot, roles plant.Role, f Filter) []rowView {
	var out []rowView
	for r := range s.Rows() {
		if !r.Spool.Hold.Free() || !takeable(r, roles) || !f.matchesOp(r) || !f.matchesNV(r) || f.ByEstado && r.Estado != f.Estado {
			continue
		}
		out = append(out, rowView{Row: r, Who: s})
	}
	begun := func(r *plant.Row) int {
		if r.Estado == plant.Parcial || r.Estado == plant.EnPausaReparacion {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b rowView) int {
		x, y := begun(a.Row), begun(b.Row)
		if x != y || x == 1 {
			return cmp.Compare(x, y)
		}
		return a.Row.Spool.Changed.Compare(b.Row.Spool.Changed)
	})
	return out
}

// takeable says whether a spool waits for one of the roles. It only orders and
// fills lists; whether an act is allowed is decided on the spool's page.
func takeable(r *plant.Row, roles plant.Role) bool {
	arm := roles == 0 || roles&(plant.Armador|plant.Ayudante) != 0
	sold := roles == 0 || roles&(plant.Soldador|plant.Ayudante) != 0
	switch r.Estado {
	case plant.ListoARM:
		return arm
	case plant.ListoSOLD:
		return sold
	case plant.Parcial:
		return arm && r.Spool.Office.Materiales != 0 && r.Spool.Arm.Phase != plant.Completado ||
			sold && (r.Spool.Arm.Phase == plant.Completado || r.Tally.Armed > 0)
	case plant.PorInspeccionar:
		return roles&plant.Metrologia != 0
	case plant.EstadoRechazado, plant.EnPausaReparacion:
		return roles&(plant.Armador|plant.Soldador) != 0
	}
	return false
}

// Inspection are the regions of Metrología: oldest first.
func Inspection(s *plant.Snapshot, f Filter, _ time.Time) ([]Region, error) {
	return queueRegions(s, f, toInspect(s), nouns{"spool por inspeccionar", "spools por inspeccionar"}, TextNoInspect)
}

func toInspect(s *plant.Snapshot) []rowView {
	var views []rowView
	for r := range s.In(plant.PorInspeccionar) {
		v := rowView{Row: r, Who: s, NoChip: true, Since: r.Spool.ReadyAt, Extra: authors(s, r.Spool)}
		if r.Spool.Ciclo > 0 {
			v.Locked = cycle(r.Spool.Ciclo)
		}
		views = append(views, v)
	}
	slices.SortStableFunc(views, func(a, b rowView) int { return a.Since.Compare(b.Since) })
	return views
}

// Repair are the regions of Reparación: rejected, paused, blocked.
func Repair(s *plant.Snapshot, f Filter, now time.Time) ([]Region, error) {
	return queueRegions(s, f, toRepair(s, now), nouns{"spool en reparación", "spools en reparación"}, TextNoRepair)
}

func toRepair(s *plant.Snapshot, now time.Time) []rowView {
	var views []rowView
	for _, e := range []plant.Estado{plant.EstadoRechazado, plant.EnPausaReparacion, plant.Reparando, plant.Bloqueado} {
		for r := range s.In(e) {
			v := rowOf(s, r, now)
			v.Extra = r.Spool.Motivo
			if e == plant.Bloqueado {
				v.Locked = TextBlocked
			}
			views = append(views, v)
		}
	}
	return views
}

func queueRegions(s *plant.Snapshot, f Filter, views []rowView, n nouns, empty string) ([]Region, error) {
	shown := windowed(f, views)
	tellApart(shown)
	list, err := rowItems(shown, nothing(empty, "/spools", "Ver todos"))
	if err != nil {
		return nil, err
	}
	return around(f, viewsExtent(s, views, len(shown)), n, Region{ID: "filas", Items: list})
}

func authors(who People, s *plant.Spool) string {
	arm, sold := Name(who, s.Arm.Worker), Name(who, s.Sold.Worker)
	switch {
	case arm != "" && sold != "":
		return "ARM " + arm + " · SOLD " + sold
	case arm != "":
		return "ARM " + arm
	case sold != "":
		return "SOLD " + sold
	}
	return ""
}
