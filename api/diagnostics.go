package api

import (
	"encoding/json"
	"fmt"
	"io"

	"envivo/plant"
	"envivo/ui"
)

// boxJSON is what somebody who helps from afar needs to know of a box beside its
// log: which plant it has, who comes in. It holds no secret and nobody's work.
type boxJSON struct {
	Time    string       `json:"time"`
	Version string       `json:"version"`
	Build   string       `json:"build"`
	Env     string       `json:"env"`
	Epoch   string       `json:"epoch"`
	Seq     plant.Seq    `json:"seq"`
	Head    string       `json:"head"`
	Spools  int          `json:"spools"`
	Workers int          `json:"workers"`
	Devices []deviceJSON `json:"devices"`
	Tokens  []tokenJSON  `json:"tokens"`
}

type tokenJSON struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Scope   string `json:"scope"`
	Created string `json:"created"`
}

// WriteBox writes who the box is and who may come in, as JSON, for the
// diagnosis.
func (s *Server) WriteBox(w io.Writer) error {
	snap := s.o.Plant.Snapshot()
	d := boxJSON{Time: plant.ISOTime(s.o.Now()), Version: s.o.Version, Build: s.o.Build, Env: s.o.Env, Epoch: snap.Epoch, Seq: snap.Seq,
		Head: ui.HeadCode(snap.Seq, snap.Head), Spools: snap.Len(), Workers: len(snap.Workers()), Devices: s.deviceRows().Devices, Tokens: []tokenJSON{}}
	for _, t := range Tokens(snap) {
		d.Tokens = append(d.Tokens, tokenJSON{t.ID, t.Name, t.Scope, plant.ISOTime(t.Created)})
	}
	b, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return fmt.Errorf("encode the box: %w", err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}
