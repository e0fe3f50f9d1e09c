package ui

import (
	"cmp"
	"slices"
	"time"

	"envivo/plant"
)

// heldThen is what one person had at a moment.
type heldThen struct {
	Who    plant.Person
	Name   string
	Stints []Stint
}

// Moment are the regions of the time machine: one card per person, by name.
func Moment(s *plant.Snapshot, stints []Stint, at time.Time) ([]Region, error) {
	desks := map[string]*heldThen{}
	var order []*heldThen
	for _, x := range stints {
		key := deskKey(x.Worker)
		d := desks[key]
		if d == nil {
			d = &heldThen{Who: x.Worker, Name: Name(s, x.Worker)}
			desks[key], order = d, append(order, d)
		}
		d.Stints = append(d.Stints, x)
	}
	slices.SortFunc(order, func(a, b *heldThen) int {
		return cmp.Or(cmp.Compare(plant.Fold(a.Name), plant.Fold(b.Name)), cmp.Compare(deskKey(a.Who), deskKey(b.Who)))
	})
	list := Region{ID: "gente"}
	for _, d := range order {
		slices.SortFunc(d.Stints, func(a, b Stint) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Tag, b.Tag)) })
		it, err := item(deskKey(d.Who), personThen(*d, at))
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, it)
	}
	if len(order) == 0 {
		it, err := item("vacio", message("vacio", "Nadie tenía spools en ese momento, según el registro.", "", ""))
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, it)
	}
	text := Plural(len(stints), "spool en curso", "spools en curso") + " · " + Plural(len(order), "persona", "personas")
	sum, err := item("resumen", boardSentence(text))
	if err != nil {
		return nil, err
	}
	return []Region{{ID: "resumen", Items: []Item{sum}}, list}, nil
}

// thenLook is how an operation of the past is shown.
func thenLook(op plant.Op) Look {
	l := LookOf(plant.EnCurso)
	if op == plant.REPARACION {
		l = LookOf(plant.Reparando)
	}
	if w := OpWord(op); w != "" {
		l.Word = w
	}
	return l
}

// ended says how an occupation went on after the moment.
func (x Stint) ended(at time.Time) string {
	if x.To.IsZero() {
		return "todavía lo tiene"
	}
	if plant.DateOf(x.To) == plant.DateOf(at) {
		return "hasta las " + plant.Clock(x.To)
	}
	return "hasta " + Desde(x.To, at)
}

// momentLinks are moments near a moment, as addresses name them.
func momentLinks(at, now time.Time) []choice {
	address := func(t time.Time) string { return "/momento?t=" + escapeQuery(momentText(t)) }
	out := []choice{
		{Href: address(at.Add(-time.Hour)), Word: "1 h antes"},
		{Href: address(at.Add(-24 * time.Hour)), Word: "Un día antes"},
	}
	if next := at.Add(time.Hour); !next.After(now) {
		out = append(out, choice{Href: address(next), Word: "1 h después"})
	}
	if next := at.Add(24 * time.Hour); !next.After(now) {
		out = append(out, choice{Href: address(next), Word: "Un día después"})
	}
	return out
}

func momentText(t time.Time) string { return t.In(plant.Zone()).Format("2006-01-02T15:04") }
