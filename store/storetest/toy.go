package storetest

import (
	"fmt"
	"strings"
	"time"

	"envivo/plant"
)

// Toy is a trade with few rules: IMPORTAR makes a spool or a worker, TOMAR and
// PAUSAR pass it around, NOTA adds a line, AJUSTE sets a setting. It is enough
// to tell a sound store from a broken one and easy to foresee.
type Toy struct {
	// Gate, if set, is called at the start of every decision.
	Gate func(plant.Command)
}

// Decide judges a command.
func (t Toy) Decide(v plant.View, c plant.Command, now time.Time) (plant.Event, error) {
	if t.Gate != nil {
		t.Gate(c)
	}
	e := plant.Event{ID: c.UUID, At: now, Tag: c.Tag, Op: c.Op, Worker: person(c.Worker), Actor: person(c.Worker), Device: c.Device, Token: c.UUID}
	switch c.Verb {
	case plant.Ajustar:
		e.Kind, e.Setting = plant.KindAjuste, c.Setting
		return e, nil
	case plant.Importar:
		return t.bring(v, c, e)
	}
	sp, ok := v.Spool(c.Tag)
	if !ok {
		return e, refuse(plant.CodeSpoolNotFound, c)
	}
	e.Version, e.Before = sp.Version+1, fmt.Sprint("version ", sp.Version)
	p := sp.Progress
	switch c.Verb {
	case plant.Tomar:
		if !sp.Hold.Free() {
			err := refuse(plant.CodeOccupied, c)
			err.Holder, err.Since = sp.Hold.Worker, sp.Hold.Since
			return e, err
		}
		p.Hold = plant.Hold{Worker: person(c.Worker), Op: c.Op, Since: now, Token: fmt.Sprintf("%d:%s", c.Worker, c.UUID)}
		e.Kind, e.Progress = plant.KindTomar, &p
	case plant.Pausar:
		if sp.Hold.Worker.ID != c.Worker {
			return e, refuse(plant.CodeNotHolder, c)
		}
		e.HoldSince = p.Hold.Since
		p.LastHolder, p.Hold = p.Hold.Worker, plant.Hold{}
		e.Kind, e.Progress, e.Selected = plant.KindPausar, &p, c.Unions
		e.Unions = finish(sp.Unions, c.Unions, person(c.Worker), now)
	case plant.Anotar:
		e.Kind, e.Texto = plant.KindNota, c.Texto
	default:
		panic("the toy does not know " + c.Verb.String())
	}
	return e, nil
}

// bring decides IMPORTAR.
func (Toy) bring(v plant.View, c plant.Command, e plant.Event) (plant.Event, error) {
	e.Import = c.Import
	switch {
	case c.Import.Worker != nil:
		e.Kind = plant.KindTrabajador
		return e, nil
	case c.Import.Spool != nil:
		if _, ok := v.Spool(c.Tag); ok {
			return e, refuse(plant.CodeUnchanged, c)
		}
		e.Kind, e.Version = plant.KindImportar, 1
		return e, nil
	}
	e.Kind = plant.KindImportar
	if c.Tag == "" { // rows of the log about nobody's spool
		return e, nil
	}
	sp, ok := v.Spool(c.Tag)
	if !ok {
		return e, refuse(plant.CodeSpoolNotFound, c)
	}
	e.Version = sp.Version + 1
	return e, nil
}

// Evolve applies an event.
func (Toy) Evolve(s plant.Spool, e plant.Event) plant.Spool {
	if e.Import != nil && e.Import.Spool != nil {
		s = *e.Import.Spool
	}
	if s.Tag == "" {
		return s
	}
	if e.Import != nil && e.Import.Office != nil {
		s.Office = *e.Import.Office
	}
	if e.Import != nil && e.Import.Notas != nil {
		s.Notas = *e.Import.Notas
	}
	if e.Progress != nil {
		s.Progress = *e.Progress
		s.Touched = true
	}
	if len(e.Unions) > 0 {
		s.Unions = append([]plant.Union(nil), s.Unions...)
		for _, u := range e.Unions {
			for i := range s.Unions {
				if s.Unions[i].N == u.N {
					s.Unions[i] = u
				}
			}
		}
	}
	if e.Texto != "" {
		s.Notas = strings.TrimPrefix(s.Notas+"\n"+e.Texto, "\n")
	}
	s.Version, s.Token, s.Last, s.Changed = e.Version, e.Token, e.Seq, e.At
	return s
}

func person(id plant.WorkerID) plant.Person {
	return plant.Person{ID: id, Display: fmt.Sprintf("XX(%d)", id)}
}

func finish(all []plant.Union, numbers []int, p plant.Person, now time.Time) []plant.Union {
	var out []plant.Union
	for _, n := range numbers {
		for _, u := range all {
			if u.N == n {
				u.Arm = plant.JointWork{Worker: p, Start: now.Add(-time.Minute), End: now}
				out = append(out, u)
			}
		}
	}
	return out
}

func refuse(code plant.Code, c plant.Command) *plant.Error {
	return &plant.Error{Code: code, Verb: c.Verb, Op: c.Op, Tag: c.Tag, Worker: person(c.Worker)}
}

// Take, Pause, Note, Bring, Hire and Set are commands of the toy. The id may be
// empty.
func Take(id plant.CommandID, t plant.Tag, w plant.WorkerID) plant.Command {
	return plant.Command{ID: id, Digest: digest("take", t, w), Verb: plant.Tomar, Op: plant.ARM, Tag: t, Worker: w, Device: "tablet 1"}
}

// Pause gives a spool back with the given unions finished.
func Pause(id plant.CommandID, t plant.Tag, w plant.WorkerID, unions ...int) plant.Command {
	return plant.Command{ID: id, Digest: digest("pause", t, w, unions), Verb: plant.Pausar, Op: plant.ARM, Tag: t, Worker: w, Unions: unions}
}

// Note adds a line.
func Note(id plant.CommandID, t plant.Tag, text string) plant.Command {
	return plant.Command{ID: id, Digest: digest("note", t, text), Verb: plant.Anotar, Tag: t, Worker: 1, Texto: text}
}

// Bring makes a spool with n unions.
func Bring(t plant.Tag, n int) plant.Command {
	s := plant.Spool{Tag: t, Office: plant.Office{NV: "NV-1", OT: "OT 2", Materiales: 46155}}
	for i := range n {
		s.Unions = append(s.Unions, plant.Union{N: i + 1, DN: 250, Tipo: "BW", SheetID: fmt.Sprintf("%s+%d", t, i+1)})
	}
	return plant.Command{Verb: plant.Importar, Tag: t, Import: &plant.Import{Spool: &s, Source: "sheet"}}
}

// Hire makes or replaces a worker.
func Hire(id plant.WorkerID, nombre string) plant.Command {
	w := plant.Worker{ID: id, Nombre: nombre, Apellido: "Núñez", Roles: plant.Armador, Activo: true}
	return plant.Command{Verb: plant.Importar, Import: &plant.Import{Worker: &w}}
}

// Set sets a setting; an empty value removes it.
func Set(key, value string) plant.Command {
	return plant.Command{Verb: plant.Ajustar, Setting: &plant.Setting{Key: key, Value: value}}
}
