package api

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"envivo/plant"
	"envivo/ui"
)

// attemptsShown is how many lines the page has.
const attemptsShown = 200

// attempts searches the record by spool, person, tablet, code or trace.
func (p *pages) attempts(w http.ResponseWriter, r *http.Request) error {
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	var found []Attempt
	if p.box.o.Attempts != nil {
		var err error
		if found, err = p.box.o.Attempts(matching(q), attemptsShown); err != nil {
			return err
		}
	}
	snap := p.plant.Snapshot()
	all := make([]ui.AttemptSight, len(found))
	for i, a := range found {
		all[i] = attemptSight(snap, a)
	}
	f := p.frame(w, r, "Lo que se intentó")
	f.Wide = true
	return p.write(w, r, http.StatusOK, live{}, ui.AttemptsPage(f, q, all))
}

func matching(q string) func(Attempt) bool {
	fold := plant.Fold(q)
	return func(a Attempt) bool {
		if fold == "" || strconv.Itoa(int(a.Worker)) == q || a.Trace == q {
			return true
		}
		return strings.Contains(plant.Fold(string(a.Tag)+"\n"+a.Device+"\n"+a.Code+"\n"+a.Verb), fold)
	}
}

func attemptSight(snap *plant.Snapshot, a Attempt) ui.AttemptSight {
	out := ui.AttemptSight{At: a.At, Tag: string(a.Tag), Device: a.Device, What: strings.TrimSpace(a.Verb + " " + a.Op), Refused: a.Code, Why: a.Why,
		Trace: a.Trace, Took: time.Duration(a.Micros) * time.Microsecond, More: a.More}
	if a.Path != "" {
		out.What = strings.TrimSpace(out.What + " " + a.Path)
	}
	if w, ok := snap.Worker(a.Worker); ok {
		out.Who = w.FullName()
	}
	return out
}

// diagnosis is everything that explains a fault, in one file.
func (p *pages) diagnosis(w http.ResponseWriter, r *http.Request) error {
	if p.box.o.Diagnosis == nil {
		return p.missing(w, r)
	}
	var zipped bytes.Buffer // made whole first: half a file must not look like one
	if err := p.box.o.Diagnosis(r.Context(), &zipped); err != nil {
		return err
	}
	p.log.Info("exported the diagnosis", "from", p.device(r), "bytes", zipped.Len())
	name := "envivo-diagnostico-" + p.now().In(plant.Zone()).Format("20060102-1504") + ".zip"
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = w.Write(zipped.Bytes()) // a reader that left needs no answer
	return nil
}
