package ui

import (
	"cmp"
	"slices"

	"envivo/plant"
)

// SalesOrder is one NV with how many spools it has.
type SalesOrder struct {
	NV string
	N  int
}

// MatchingOrders counts the spools a filter shows by NV, whatever NV is chosen.
func MatchingOrders(s *plant.Snapshot, f Filter) []SalesOrder {
	n := map[string]int{}
	rows, _ := f.withNV("").Matching(s)
	for _, r := range rows {
		n[r.Spool.Office.NV]++
	}
	return salesOrders(n)
}

// salesOrders lists counts in the order of the numbers, without the spools that
// have none.
func salesOrders(n map[string]int) []SalesOrder {
	out := make([]SalesOrder, 0, len(n))
	for nv, count := range n {
		if nv != "" {
			out = append(out, SalesOrder{NV: nv, N: count})
		}
	}
	slices.SortFunc(out, func(a, b SalesOrder) int { return cmp.Compare(a.NV, b.NV) })
	return out
}
