package fsm

import (
	"fmt"
	"slices"
	"strings"

	"envivo/plant"
)

// corregirAutores puts right who did ARM or SOLD of a free spool, and on a
// spool without unions the day (rules §2.9). What is done stays done, so no
// phase, verdict or cycle changes.
func (j *judge) corregirAutores() (plant.Event, error) {
	e, err := j.reason()
	if err != nil {
		return plant.Event{}, err
	}
	if err := j.notBlocked(); err != nil {
		return plant.Event{}, err
	}
	if !j.s.Hold.Free() {
		return plant.Event{}, j.occupied()
	}
	p := j.progress()
	fix := fixing{judge: j, e: &e, p: &p}
	for _, a := range j.c.Correction.Authors {
		if err := fix.one(a); err != nil {
			return plant.Event{}, err
		}
	}
	if len(e.Correction) == 0 {
		return plant.Event{}, j.idle(plant.CodeUnchanged)
	}
	slices.SortFunc(e.Unions, func(a, b plant.Union) int { return a.N - b.N })
	e.Texto = strings.Join(fix.words, "; ")
	return j.seal(e, p)
}

// reason begins the event of a correction that somebody answers for.
func (j *judge) reason() (plant.Event, error) {
	e := j.event(plant.KindCorregir, plant.OpNone)
	var err error
	e.Motivo, err = j.motive()
	return e, err
}

// fixing gathers what a correction of authors comes to.
type fixing struct {
	*judge
	e     *plant.Event
	p     *plant.Progress
	words []string
}

// note records one cell that changes; what says the same is no change.
func (f *fixing) note(column, words, old, now string) {
	if old == now {
		return
	}
	f.e.Correction = append(f.e.Correction, plant.CellEdit{Column: column, Old: old, New: now})
	if old == "" {
		old = "—"
	}
	f.words = append(f.words, fmt.Sprintf("%s: %s → %s", words, old, now))
}

func (f *fixing) one(a plant.Author) error {
	if a.Op != plant.ARM && a.Op != plant.SOLD {
		return f.invalid("operacion")
	}
	who, err := f.author(a)
	if err != nil {
		return err
	}
	if a.N != 0 {
		return f.union(a, who)
	}
	w := part(f.p, a.Op)
	column, fecha := columns(a.Op)
	if w.Phase != plant.Completado { // what is not done has no author to put right
		return f.invalid(column)
	}
	if who != w.Worker && !who.None() {
		f.note(column, a.Op.String(), w.Worker.Display, who.Display)
		w.Worker = who
	}
	switch {
	case a.Fecha == 0 || a.Fecha == w.Fecha:
		return nil
	case len(f.s.Unions) > 0 || a.Fecha > plant.DateOf(f.now): // the day follows from the unions
		return f.invalid(fecha)
	}
	f.note(fecha, "Fecha "+a.Op.String(), w.Fecha.String(), a.Fecha.String())
	w.Fecha = a.Fecha
	return nil
}

// author is the worker a correction names; nobody when it leaves the author.
func (f *fixing) author(a plant.Author) (plant.Person, error) {
	if a.Worker == 0 {
		return plant.Person{}, nil
	}
	w, ok := f.v.Worker(a.Worker)
	if !ok {
		return plant.Person{}, f.refuseFor(plant.CodeWorkerNotFound, plant.Person{ID: a.Worker})
	}
	return w.Person(), f.role(w, a.Op)
}

func (f *fixing) union(a plant.Author, who plant.Person) error {
	u, ok := f.s.Union(a.N)
	at := slices.IndexFunc(f.e.Unions, func(u plant.Union) bool { return u.N == a.N })
	if at >= 0 {
		u = f.e.Unions[at] // its other trade was put right already
	}
	w := u.Part(a.Op)
	if !ok || !w.Done() || a.Fecha != 0 {
		r := f.refuse(plant.CodeUnion)
		r.Op, r.Unions = a.Op, []int{a.N}
		return r
	}
	if who == w.Worker || who.None() {
		return nil
	}
	f.note(fmt.Sprintf("%s_WORKER %d", a.Op, a.N), fmt.Sprintf("Unión %d %s", a.N, a.Op), w.Worker.Display, who.Display)
	w.Worker = who
	if at >= 0 {
		f.e.Unions[at] = u
	} else {
		f.e.Unions = append(f.e.Unions, u)
	}
	return nil
}
