package sheetsync

import (
	"fmt"
	"io"
	"slices"

	"envivo/sheetsync/table"
)

// Tally is what became of the rows of one worksheet. Accepted, repaired and
// quarantined add up to rows; unchanged are those that changed nothing in the
// store.
type Tally struct {
	Rows        int `json:"rows"`
	Accepted    int `json:"accepted"`
	Repaired    int `json:"repaired"`
	Quarantined int `json:"quarantined"`
	Unchanged   int `json:"unchanged"`
}

// Report is what an import did, or would do.
type Report struct {
	Sheets   map[string]*Tally `json:"sheets"`
	Findings []table.Finding   `json:"findings"`
	// Changed counts the changes of the store.
	Changed int `json:"changed"`
}

func newReport() *Report {
	r := &Report{Sheets: map[string]*Tally{}, Findings: []table.Finding{}}
	for _, name := range table.SheetNames() {
		r.Sheets[name] = &Tally{}
	}
	return r
}

// rowState collects what became of the rows of a worksheet until it is final.
type rowState struct {
	action  map[int]table.Action
	changed map[int]bool
	all     []int
}

func newRowState(outcomes []table.Outcome) *rowState {
	s := &rowState{action: map[int]table.Action{}, changed: map[int]bool{}}
	for _, o := range outcomes {
		s.action[o.Row] = o.Action
		s.all = append(s.all, o.Row)
	}
	return s
}

// worsen notes that a row is worse than its cells alone say.
func (s *rowState) worsen(row int, a table.Action) {
	old := s.action[row]
	if a == table.Quarantined || a == table.Repaired && old != table.Quarantined {
		s.action[row] = a
	}
}

func (s *rowState) tally() *Tally {
	t := &Tally{Rows: len(s.all)}
	for _, row := range s.all {
		switch s.action[row] {
		case table.Quarantined:
			t.Quarantined++
		case table.Repaired:
			t.Repaired++
		default:
			t.Accepted++
		}
		if !s.changed[row] {
			t.Unchanged++
		}
	}
	return t
}

// sort puts findings in the order in which a person reads the workbook.
func (r *Report) sort() {
	rank := map[string]int{}
	for i, name := range table.SheetNames() {
		rank[name] = i
	}
	slices.SortStableFunc(r.Findings, func(a, b table.Finding) int {
		if a.Sheet != b.Sheet {
			return rank[a.Sheet] - rank[b.Sheet]
		}
		return a.Row - b.Row
	})
}

// WriteText writes the report for a person.
func (r *Report) WriteText(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%-13s %7s %9s %9s %12s %10s\n", "worksheet", "rows", "accepted", "repaired", "quarantined", "unchanged"); err != nil {
		return err
	}
	for _, name := range table.SheetNames() {
		t := r.Sheets[name]
		if t == nil {
			continue
		}
		if _, err := fmt.Fprintf(w, "%-13s %7d %9d %9d %12d %10d\n", name, t.Rows, t.Accepted, t.Repaired, t.Quarantined, t.Unchanged); err != nil {
			return err
		}
	}
	for _, f := range r.Findings {
		if _, err := fmt.Fprintf(w, "%s row %d, %s %q: %s (%s)\n", f.Sheet, f.Row, f.Column, f.Value, f.Reason, f.Action); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "changes: %d\n", r.Changed)
	return err
}
