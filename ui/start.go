package ui

import (
	"cmp"
	"slices"
	"time"

	"envivo/plant"
)

// roleTabs are the tabs of the picker, in the order of the work.
var roleTabs = [...]plant.Role{plant.Armador, plant.Soldador, plant.Ayudante, plant.Metrologia, plant.Revestimiento, plant.Pintura, plant.Despacho}

// tabsFor are the tabs of a tablet: its own trade first.
func tabsFor(trade string) []plant.Role {
	out := roleTabs[:]
	own, _ := plant.ParseRole(trade)
	i := slices.Index(out, own)
	if i < 0 {
		return out
	}
	return slices.Concat([]plant.Role{own}, out[:i], out[i+1:])
}

// Start are the regions of the picker. Without a chosen role it shows the first
// one that anybody has.
func Start(s *plant.Snapshot, f Filter, now time.Time) ([]Region, error) {
	people := active(s)
	chosen, _ := plant.ParseRole(f.Rol)
	var tabs []choice
	for _, r := range tabsFor(f.Trade) {
		n := 0
		for _, w := range people {
			if w.Roles&r != 0 {
				n++
			}
		}
		if n == 0 {
			continue
		}
		if chosen == 0 {
			chosen = r
		}
		name := r.Names()[0]
		to := f
		to.Rol = name
		tabs = append(tabs, choice{Key: name, Href: to.Address(), Word: RoleWord(name), N: n, On: r == chosen})
	}
	options, err := choiceItems(tabs)
	if err != nil {
		return nil, err
	}
	list := Region{ID: "personas"}
	for _, w := range people {
		if chosen != 0 && w.Roles&chosen == 0 {
			continue
		}
		it, err := item(id(w.ID), personTile(w))
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, it)
	}
	if len(list.Items) == 0 {
		it, err := item("vacio", message("vacio", "Todavía no hay trabajadores. Llegan con la primera importación.", "", ""))
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, it)
	}
	held := heldRows(s)
	late := 0
	for _, r := range held {
		if r.Spool.Hold.Overdue(now, s.Rules().TTL) {
			late++
		}
	}
	strip, err := item("curso", running(len(held), late))
	if err != nil {
		return nil, err
	}
	return []Region{{ID: "curso", Items: []Item{strip}}, {ID: "roles", Items: options}, list}, nil
}

// active lists the people who can be chosen, by name.
func active(s *plant.Snapshot) []plant.Worker {
	out := slices.DeleteFunc(s.Workers(), func(w plant.Worker) bool { return !w.Activo })
	slices.SortStableFunc(out, func(a, b plant.Worker) int {
		return cmp.Or(cmp.Compare(plant.Fold(a.FullName()), plant.Fold(b.FullName())), cmp.Compare(a.ID, b.ID))
	})
	return out
}
