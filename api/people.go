package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"envivo/plant"
)

// WorkerData is everything the box knows about one person, for that person.
type WorkerData struct {
	At     string         `json:"generado"`
	ID     plant.WorkerID `json:"id"`
	Name   string         `json:"nombre"`
	Family string         `json:"apellido"`
	Roles  []string       `json:"roles"`
	Active bool           `json:"activo"`
	// Anonymous is set when the name was taken out.
	Anonymous bool        `json:"anonimo"`
	PIN       bool        `json:"tiene_pin"`
	Holds     []plant.Tag `json:"tiene"`
	// PD are the inches of joints finished, by day and operation.
	PD map[string]map[string]Inches `json:"pd_por_dia"`
	// Events are those the person did, or that name them in another way, as
	// /api/events gives them.
	Events   []json.RawMessage `json:"eventos"`
	Refusals []Attempt         `json:"rechazos"`
}

// AboutWorker gathers what is known of a worker. It reads the whole log.
func AboutWorker(ctx context.Context, p Plant, id plant.WorkerID, refusals []Attempt, now time.Time) (*WorkerData, error) {
	snap := p.Snapshot()
	w, ok := snap.Worker(id)
	if !ok {
		return nil, &plant.Error{Code: plant.CodeWorkerNotFound, Worker: plant.Person{ID: id}}
	}
	d := &WorkerData{At: plant.ISOTime(now), ID: id, Name: w.Nombre, Family: w.Apellido, Roles: w.Roles.Names(), Active: w.Activo,
		Anonymous: snap.Setting(plant.AnonymousKey(id)) != "", PIN: hasPIN(snap, id), Holds: snap.Held(id),
		PD: map[string]map[string]Inches{}, Events: []json.RawMessage{}, Refusals: []Attempt{}}
	for r := range snap.Rows() {
		d.addWork(r.Spool)
	}
	for _, a := range refusals {
		if a.Worker == id {
			d.Refusals = append(d.Refusals, a)
		}
	}
	return d, d.addEvents(ctx, p, snap.Seq)
}

func (d *WorkerData) addWork(sp *plant.Spool) {
	for i := range sp.Unions {
		u := &sp.Unions[i]
		for _, op := range []plant.Op{plant.ARM, plant.SOLD} {
			part := u.Part(op)
			if part.Worker.ID != d.ID || !part.Done() {
				continue
			}
			day := plant.DateOf(part.End).String()
			if d.PD[day] == nil {
				d.PD[day] = map[string]Inches{}
			}
			d.PD[day][op.String()] += Inches(u.DN)
		}
	}
}

func (d *WorkerData) addEvents(ctx context.Context, p Plant, until plant.Seq) error {
	const page = 1000
	for at := plant.Seq(0); at < until; {
		events, err := p.Events(ctx, at, page)
		if err != nil {
			return fmt.Errorf("read the log after %d: %w", at, err)
		}
		if len(events) == 0 {
			return nil
		}
		for _, e := range events {
			if e.Worker.ID == d.ID || e.Actor.ID == d.ID || e.From.ID == d.ID {
				d.Events = append(d.Events, EncodeEvent(e))
			}
		}
		at = events[len(events)-1].Seq
	}
	return nil
}

// Days are the days with work, oldest first.
func (d *WorkerData) Days() []string { return slices.Sorted(maps.Keys(d.PD)) }

// AnonymiseWorker takes the name of a departed worker out of the plant: screens,
// answers and exports say "Trabajador 93" from then on, and no import brings the
// name back; the worker's PIN goes too. Events tell of each. The log keeps its bytes, so that the chain
// can be verified, and with them the name in the records by which the worker
// once came in; docs/operations.md tells how far that reaches.
func AnonymiseWorker(ctx context.Context, p Plant, id plant.WorkerID, device, motivo string, now time.Time) error {
	snap := p.Snapshot()
	w, ok := snap.Worker(id)
	motivo = strings.TrimSpace(motivo)
	switch {
	case !ok:
		return &plant.Error{Code: plant.CodeWorkerNotFound, Worker: plant.Person{ID: id}}
	case w.Activo:
		return ErrStillActive
	case len(snap.Held(id)) > 0:
		return ErrStillHolds
	case motivo == "":
		return &plant.Error{Code: plant.CodeInvalid, Missing: "motivo"}
	}
	value, err := json.Marshal(anonymity{now.UTC(), device, motivo})
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	masked := w.Anonymous()
	// First the setting: an import between the two must not bring the name back.
	for _, c := range []plant.Command{
		{Verb: plant.Ajustar, Supervisor: true, Device: device, Setting: &plant.Setting{Key: plant.AnonymousKey(id), Value: string(value)}},
		{Verb: plant.Importar, Device: device, Import: &plant.Import{Worker: &masked, Source: device}},
	} {
		if _, err := p.Do(ctx, c); err != nil && !errors.Is(err, plant.ErrUnchanged) {
			return fmt.Errorf("take out the name of worker %d: %w", id, err)
		}
	}
	return setWorkerPIN(ctx, p, id, "", device)
}

type anonymity struct {
	At     time.Time `json:"at"`
	Device string    `json:"device"`
	Motivo string    `json:"motivo"`
}

// The reasons why a name stays.
var (
	ErrStillActive = errors.New("the worker is active")
	ErrStillHolds  = errors.New("the worker holds spools")
)
