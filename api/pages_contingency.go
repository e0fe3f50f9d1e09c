package api

import (
	"net/http"

	"envivo/ui"
)

// contingency is the floor on paper. It does not follow the plant.
func (p *pages) contingency(w http.ResponseWriter, r *http.Request) error {
	f := p.frame(w, r, "Hoja de contingencia")
	f.Wide = true
	return p.write(w, r, http.StatusOK, live{}, ui.ContingencyPage(f, ui.NewContingencySheet(p.plant.Snapshot(), p.now())))
}
