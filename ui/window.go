package ui

import (
	"strconv"

	"envivo/plant"
)

// A list draws a window of its rows: the first few, and more when asked. Counts
// and filters are over all rows, and the window says so; nothing is left out
// silently (G-19). The width is part of the address (hasta=120), so that a
// reload and the live view show the same rows.
const (
	// windowRows is how many rows a list draws and by how many it grows. The
	// first screens show 6 to 10.
	windowRows = 60
	// searchRows is the window of a search, which is ranked: who does not find it
	// among these types one more character.
	searchRows = 30
	// mostRows bounds the width an address can ask for.
	mostRows = 100_000
)

// firstWindow is the width of the list's own address.
func (f Filter) firstWindow() int {
	if f.Q != "" {
		return searchRows
	}
	return windowRows
}

// parseHasta reads a width; 0 for what the list shows anyway. Widths are
// rounded up to whole steps, so that few views exist of one list.
func (f Filter) parseHasta(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n <= f.firstWindow() {
		return 0
	}
	return (min(n, mostRows) + searchRows - 1) / searchRows * searchRows
}

// window is how many rows are drawn at most.
func (f Filter) window() int { return max(f.Hasta, f.firstWindow()) }

// wider is the same list with more rows.
func (f Filter) wider() Filter {
	f.Hasta = f.window() + windowRows
	return f
}

// windowed is the part of a list that is drawn.
func windowed[T any](f Filter, all []T) []T { return all[:min(len(all), f.window())] }

// extent is what a list says about itself: how many rows it has, how many of
// them are drawn, and which cannot be trusted.
type extent struct {
	Total, Shown int
	// Damaged are the spools with a cell in quarantine among all Total.
	Damaged []*plant.Row
	// ToFollow is how many of Total a supervisor could begin to follow at once.
	ToFollow int
}

// extentOf measures a list of which the first shown rows are drawn.
func extentOf(s *plant.Snapshot, rows []*plant.Row, shown int) extent {
	e := extent{Total: len(rows), Shown: shown, ToFollow: followable(s, rows)}
	for _, r := range rows {
		if len(r.Spool.Damaged) > 0 {
			e.Damaged = append(e.Damaged, r)
		}
	}
	return e
}

func viewsExtent(s *plant.Snapshot, views []rowView, shown int) extent {
	rows := make([]*plant.Row, len(views))
	for i, v := range views {
		rows[i] = v.Row
	}
	return extentOf(s, rows, shown)
}

// namedDamaged is how many damaged spools a list names; the others are counted.
const namedDamaged = 5

// text says what is not drawn as usual, empty when all is. "Se muestran 119 de
// 120: 1 con dato dañado", "Se muestran 60 de 2.493".
func (e extent) text() string {
	good := e.Shown
	if e.Shown == e.Total {
		good -= len(e.Damaged)
	}
	if good == e.Total && len(e.Damaged) == 0 {
		return ""
	}
	text := "Se muestran " + Count(good) + " de " + Count(e.Total)
	if n := len(e.Damaged); n > 0 {
		text += ": " + Count(n) + " con dato dañado"
	}
	return text
}

// more is the region below a list: the way to the rows that are not drawn.
func more(f Filter, e extent) (Region, error) {
	out := Region{ID: "mas"}
	if e.Shown >= e.Total {
		return out, nil
	}
	it, err := item("mas", moreRows(f, e))
	if err != nil {
		return out, err
	}
	out.Items = []Item{it}
	return out, nil
}

// moreText is "Ver 60 más (de 2.433)": how many come, of how many that are left.
func moreText(e extent) string {
	left := e.Total - e.Shown
	if left <= windowRows {
		return "Ver " + strconv.Itoa(left) + " más"
	}
	return "Ver " + strconv.Itoa(windowRows) + " más (de " + Count(left) + ")"
}
