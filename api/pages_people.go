package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"envivo/plant"
	"envivo/ui"
)

// personRoutes are about people's data and what was tried; all of them need the supervisor.
func (p *pages) personRoutes() map[string]pageFunc {
	return map[string]pageFunc{
		"GET " + ui.PersonsPath:                 p.behindPIN(p.persons),
		"GET " + ui.PersonsPath + "/{id}":       p.behindPIN(p.aPerson),
		"POST " + ui.PersonsPath + "/{id}":      p.behindPIN(p.anonymise),
		"GET " + ui.PersonsPath + "/{id}/datos": p.behindPIN(p.personData),
		"POST " + ui.PersonsPath + "/{id}/pin":  p.behindPIN(p.workerPIN),
		"GET " + ui.AttemptsPath:                p.behindPIN(p.attempts),
		"GET " + ui.DiagnosisPath:               p.behindPIN(p.diagnosis),
	}
}

func sightOf(snap *plant.Snapshot, w plant.Worker) ui.PersonSight {
	return ui.PersonSight{Worker: w, Anonymous: snap.Setting(plant.AnonymousKey(w.ID)) != "", PIN: hasPIN(snap, w.ID)}
}

func (p *pages) persons(w http.ResponseWriter, r *http.Request) error {
	snap := p.plant.Snapshot()
	var all []ui.PersonSight
	for _, who := range snap.Workers() {
		all = append(all, sightOf(snap, who))
	}
	return p.write(w, r, http.StatusOK, live{}, ui.PersonsPage(p.frame(w, r, "Datos de las personas"), all))
}

// asked is the worker of the address.
func (p *pages) asked(r *http.Request) (plant.Worker, bool) {
	n, err := strconv.ParseInt(r.PathValue("id"), 10, 32)
	if err != nil {
		return plant.Worker{}, false
	}
	return p.plant.Snapshot().Worker(plant.WorkerID(n))
}

func (p *pages) aPerson(w http.ResponseWriter, r *http.Request) error {
	return p.showPerson(w, r, http.StatusOK, "")
}

func (p *pages) showPerson(w http.ResponseWriter, r *http.Request, status int, why string) error {
	who, ok := p.asked(r)
	if !ok {
		return p.missing(w, r)
	}
	return p.write(w, r, status, live{}, ui.PersonPage(p.frame(w, r, who.FullName()), sightOf(p.plant.Snapshot(), who), why))
}

// personData is the file of everything about a person.
func (p *pages) personData(w http.ResponseWriter, r *http.Request) error {
	who, ok := p.asked(r)
	if !ok {
		return p.missing(w, r)
	}
	var refusals []Attempt
	if p.box.o.Refusals != nil {
		refusals = p.box.o.Refusals(time.Time{})
	}
	about, err := AboutWorker(r.Context(), p.box.o.Plant, who.ID, refusals, p.now())
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(about, "", "  ")
	if err != nil {
		return fmt.Errorf("encode what is known of worker %d: %w", who.ID, err)
	}
	p.log.Info("exported what is known of a worker", "worker", int(who.ID), "from", p.device(r))
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="trabajador-%d.json"`, who.ID))
	_, _ = w.Write(text) // a reader that left needs no answer
	return nil
}

// anonymise takes a departed worker's name out.
func (p *pages) anonymise(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, "motivo")
	if err != nil {
		return p.rejected(w, r, err)
	}
	who, ok := p.asked(r)
	if !ok {
		return p.missing(w, r)
	}
	err = AnonymiseWorker(r.Context(), p.box.o.Plant, who.ID, p.device(r), form.Get("motivo"), p.now())
	var no *plant.Error
	switch {
	case errors.Is(err, ErrStillActive):
		return p.showPerson(w, r, http.StatusUnprocessableEntity, ui.TextStillActive)
	case errors.Is(err, ErrStillHolds):
		return p.showPerson(w, r, http.StatusUnprocessableEntity, ui.TextStillHolds)
	case errors.As(err, &no) && no.Code == plant.CodeInvalid:
		return p.showPerson(w, r, http.StatusUnprocessableEntity, ui.TextWhyNeeded)
	case err != nil:
		return err
	}
	p.leaveNotice(w, ui.Notice{OK: true, Text: ui.NameGone(who.ID)})
	http.Redirect(w, r, ui.PersonPath(who.ID), http.StatusSeeOther)
	return nil
}
