package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"envivo/plant"
	"envivo/ui"
)

// diagnosis is what somebody who helps from afar needs to see of a box: how it
// is, what it runs with, who comes in. It holds no secret and nobody's work.
type diagnosis struct {
	Time     string          `json:"time"`
	Version  string          `json:"version"`
	Build    string          `json:"build"`
	Env      string          `json:"env"`
	Epoch    string          `json:"epoch"`
	Seq      plant.Seq       `json:"seq"`
	Spools   int             `json:"spools"`
	Workers  int             `json:"workers"`
	Health   []ui.HealthLine `json:"health"`
	Settings []ui.Fact       `json:"settings"`
	Devices  []deviceJSON    `json:"devices"`
	Tokens   []tokenJSON     `json:"tokens"`
	Metrics  []string        `json:"metrics"`
}

type tokenJSON struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Scope   string `json:"scope"`
	Created string `json:"created"`
}

// diagnose gives the diagnosis as a file.
func (p *pages) diagnose(w http.ResponseWriter, r *http.Request) error {
	s, snap := p.box, p.plant.Snapshot()
	v := p.adminSight(r, "")
	d := diagnosis{Time: plant.ISOTime(p.now()), Version: v.Version, Build: v.Build, Env: v.Env, Epoch: snap.Epoch, Seq: snap.Seq,
		Spools: snap.Len(), Workers: len(snap.Workers()), Health: v.Lines(), Settings: v.Settings, Devices: s.deviceRows().Devices}
	for _, t := range Tokens(snap) {
		d.Tokens = append(d.Tokens, tokenJSON{t.ID, t.Name, t.Scope, plant.ISOTime(t.Created)})
	}
	var measured strings.Builder
	s.desk.measure(&measured)
	s.meters.write(&measured)
	d.Metrics = strings.Split(strings.TrimSpace(measured.String()), "\n")
	b, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return fmt.Errorf("encode the diagnosis: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="envivo-diagnostico-`+strings.ReplaceAll(plant.DateOf(p.now()).String(), "/", "-")+`.json"`)
	var out reply
	out.add(b)
	return out.send(w, r, http.StatusOK)
}
