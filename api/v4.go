package api

import (
	"errors"
	"strings"

	"envivo/plant"
)

// written is what the answer to every write carries.
type written struct {
	Success       bool      `json:"success"`
	TagSpool      plant.Tag `json:"tag_spool"`
	Message       string    `json:"message"`
	Seq           plant.Seq `json:"seq"`
	Version       uint64    `json:"version"`
	EstadoDetalle string    `json:"estado_detalle"`
}

func writtenBy(e *plant.Event, message string) written {
	return written{Success: true, TagSpool: e.Tag, Message: message, Seq: e.Seq, Version: e.Version, EstadoDetalle: e.EstadoRespuesta()}
}

// iniciar is TOMAR with the prerequisites of v4 (rules §4.2).
func (s *Server) iniciar(c *call) (any, error) {
	b := order{needs: needs{op: true}}
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	cmd, err := c.command(&b, plant.Tomar)
	if err != nil {
		return nil, err
	}
	cmd.Door = plant.DoorV4
	rec, err := s.o.Plant.Do(c.r.Context(), cmd)
	if err != nil {
		return nil, err
	}
	e := &rec.Event
	return writtenBy(e, "Spool "+string(e.Tag)+" iniciado por "+e.Worker.Display), nil
}

// finish is the body of FINALIZAR.
type finish struct {
	order
	SelectedUnions []string `json:"selected_unions"`
	ActionOverride *string  `json:"action_override"`

	over plant.Verb
}

func (b *finish) check(k *checker) {
	b.order.check(k)
	if b.ActionOverride != nil && *b.ActionOverride != "" {
		switch *b.ActionOverride {
		case "PAUSAR":
			b.over = plant.Pausar
		case "COMPLETAR":
			b.over = plant.Completar
		default:
			k.bad("action_override", "action_override debe ser PAUSAR o COMPLETAR.", *b.ActionOverride)
		}
	} else if b.SelectedUnions == nil { // absent is not empty: an empty selection cancels
		k.missing("selected_unions")
	}
	for _, id := range b.SelectedUnions {
		if _, n, ok := strings.Cut(id, "+"); !ok || n == "" {
			k.bad("selected_unions", "selected_unions trae un identificador mal escrito: debe ser OT+N o TAG+N.", id)
			return
		}
	}
}

func (b *finish) says(out []byte) []byte {
	out = b.order.says(out)
	if b.ActionOverride != nil {
		out = appendTextField(out, "action_override", *b.ActionOverride)
	}
	for _, id := range b.SelectedUnions {
		out = appendTextField(out, "selected_unions", id)
	}
	return out
}

// numbers are the numbers of the unions named; strange are the names that are
// of no union of this spool.
func (b *finish) numbers(sp *plant.Spool) (n []int, strange []string) {
	if b.SelectedUnions == nil {
		return nil, nil
	}
	n = make([]int, 0, len(b.SelectedUnions))
	for _, id := range b.SelectedUnions {
		x, ok := sp.ParseUnionID(id)
		if !ok {
			strange = append(strange, clip(id))
		}
		n = append(n, x)
	}
	return n, strange
}

type finished4 struct {
	written
	ActionTaken string  `json:"action_taken"`
	Processed   int     `json:"unions_processed"`
	Pulgadas    *Inches `json:"pulgadas"`
	Triggered   bool    `json:"metrologia_triggered"`
	NewState    *string `json:"new_state"`
}

// finalizar lets the unions selected decide (rules §6.5).
func (s *Server) finalizar(c *call) (any, error) {
	var b finish
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	cmd, err := c.command(&b.order, plant.Finalizar)
	if err == nil {
		err = c.key(&cmd, &b)
	}
	if err != nil {
		return nil, err
	}
	var strange []string
	cmd.Door, cmd.Override, cmd.Unions = plant.DoorV4, b.over, nil
	sp, _ := s.o.Plant.Snapshot().Spool(cmd.Tag) // an unknown one is refused as such
	cmd.Unions, strange = b.numbers(&sp)
	rec, err := s.o.Plant.Do(c.r.Context(), cmd)
	switch {
	case errors.Is(err, &plant.Error{Code: plant.CodeUnion}) && len(strange) > 0:
		return nil, invalid("body", "selected_unions", "value_error", "En "+clip(string(sp.Tag))+" no hay uniones con el identificador "+strings.Join(strange, ", ")+".", strange)
	case err != nil:
		return nil, err
	}
	return finishedBy(&rec.Event), nil
}

func finishedBy(e *plant.Event) finished4 {
	out := finished4{ActionTaken: e.Outcome.String(), Processed: len(e.Selected), Triggered: e.Ready}
	message := finished(e)
	if e.Outcome == plant.Cancelar {
		out.ActionTaken, message = "CANCELADO", "Trabajo cancelado en "+string(e.Tag)
	}
	if e.Needed > 0 {
		pd := Inches(e.PD)
		out.Pulgadas = &pd
	}
	if e.Ready {
		out.NewState = orNull("En Cola Metrología")
	}
	out.written = writtenBy(e, message)
	return out
}
