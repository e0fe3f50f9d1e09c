package api

import (
	"net/http"

	"envivo/plant"
	"envivo/ui"
)

// brakes is the page "Qué nos frena", behind the PIN.
func (p *pages) brakes(w http.ResponseWriter, r *http.Request) error {
	if !p.supervisor(r) {
		return p.askPIN(w, r)
	}
	now := p.now()
	var list []ui.Refused
	if p.refusals != nil {
		since := (plant.DateOf(now) - 2*ui.BrakeDays + 1).Start()
		for _, a := range p.refusals(since) {
			if a.Verb == "" { // a request that never became an act of the floor
				continue
			}
			list = append(list, ui.Refused{At: a.At, Code: a.Code, Why: a.Why, Op: a.Op, Tag: a.Tag})
		}
	}
	f := p.frame(w, r, "Qué nos frena")
	f.Wide = true
	return p.write(w, r, http.StatusOK, live{}, ui.BrakesPage(f, p.plant.Snapshot(), list, now))
}
