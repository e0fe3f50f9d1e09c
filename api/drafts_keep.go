package api

import (
	"encoding/json"
	"slices"
	"time"

	"envivo/plant"
)

// draftsText are the drafts as they survive a restart of the box, as JSON; what
// an act came to is not kept, since its undo has passed by then. Times are Unix
// milliseconds:
//
//	{"marcas":[{"quien":91,"spool":"MK-1","uniones":["2"],"cuando":1764184500000}],
//	 "canastas":[{"quien":91,"spools":["MK-1","MK-2"],"cuando":1764184500000}]}
//
// A basket of a negative number is what a supervisor assigns to that worker.
type draftsText struct {
	Ticks   []ticksText  `json:"marcas,omitempty"`
	Baskets []basketText `json:"canastas,omitempty"`
}

type ticksText struct {
	Who    plant.WorkerID `json:"quien"`
	Tag    plant.Tag      `json:"spool"`
	Unions []string       `json:"uniones"`
	At     int64          `json:"cuando"`
}

type basketText struct {
	Who  plant.WorkerID `json:"quien"`
	Tags []plant.Tag    `json:"spools"`
	At   int64          `json:"cuando"`
}

// Drafts are what people have begun and not sent, to be given back as
// Options.Drafts after a restart; changed is false when nothing is new since
// the last call. They are no truth of the plant: losing them costs taps.
func (s *Server) Drafts() (text []byte, changed bool) { return s.pages.drafts.save() }

func (d *drafts) save() (text []byte, changed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.dirty {
		return nil, false
	}
	d.dirty = false
	now := d.now()
	var out draftsText
	for key, t := range d.ticks {
		if now.Sub(t.at) <= draftFor {
			out.Ticks = append(out.Ticks, ticksText{key.worker, key.tag, t.unions, t.at.UnixMilli()})
		}
	}
	for who, b := range d.baskets {
		if now.Sub(b.at) <= draftFor && len(b.tags) > 0 {
			out.Baskets = append(out.Baskets, basketText{who, b.tags, b.at.UnixMilli()})
		}
	}
	text, err := json.Marshal(out)
	return text, err == nil
}

// load takes over what was kept; what cannot be read, is too old or too much is
// dropped.
func (d *drafts) load(text []byte) {
	var in draftsText
	if json.Unmarshal(text, &in) != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	for _, t := range in.Ticks {
		at := time.UnixMilli(t.At)
		if len(d.ticks) < maxDrafts && now.Sub(at) <= draftFor && !at.After(now) && t.Tag != "" {
			d.ticks[tickKey{t.Who, t.Tag}] = ticked{t.Unions, at}
		}
	}
	for _, b := range in.Baskets {
		at := time.UnixMilli(b.At)
		if len(d.baskets) < maxDrafts && now.Sub(at) <= draftFor && !at.After(now) && len(b.Tags) <= maxBatch && !slices.Contains(b.Tags, "") {
			d.baskets[b.Who] = basket{tags: b.Tags, at: at}
		}
	}
}
