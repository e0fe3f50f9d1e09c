package api

import (
	"net/http"

	"envivo/ui"
)

// labels is the page of things to print. It does not follow the plant: what is
// on paper does not either.
func (p *pages) labels(w http.ResponseWriter, r *http.Request) error {
	snap := p.plant.Snapshot()
	sheet, err := ui.NewLabelSheet(snap, ui.ParseLabels(r.URL.Query()))
	if err != nil {
		return err
	}
	f := p.frame(w, r, "Imprimir")
	f.Wide = true
	return p.write(w, r, http.StatusOK, live{}, ui.LabelsPage(f, sheet, ui.MatchingOrders(snap, ui.Filter{})))
}
