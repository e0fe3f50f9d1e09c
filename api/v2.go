package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"envivo/plant"
)

// acciones are the actions of v2.1 by address.
var acciones = map[string]accion{
	"/api/iniciar-accion":   {verb: plant.Tomar, una: "iniciada", lote: "iniciado"},
	"/api/completar-accion": {verb: plant.Completar, una: "completada", lote: "completado"},
	"/api/cancelar-accion":  {verb: plant.Cancelar, una: "cancelada", lote: "cancelado"},
}

// accion is one of the three actions of v2.1: an alias of a command, with its
// answers (rules §9.8).
type accion struct {
	verb      plant.Verb
	una, lote string // participle of one action, of a batch
}

// command translates a body. What v2.1 calls the beginning of an inspection is
// its approval.
func (a accion) command(c *call, b *order) (plant.Command, error) {
	cmd, err := c.command(b, a.verb)
	cmd.Door = plant.DoorV21
	cmd.Fecha = 0 // that generation always wrote today
	if a.verb == plant.Tomar && b.op == plant.METROLOGIA {
		cmd.Verb, cmd.Resultado = plant.Inspeccionar, plant.Aprobado
	}
	return cmd, err
}

// done is the participle for what was done.
func (a accion) done(op plant.Op) string {
	if a.verb == plant.Tomar && op == plant.METROLOGIA {
		return "iniciada y completada"
	}
	return a.una
}

type accionAnswer struct {
	Success       bool       `json:"success"`
	Message       string     `json:"message"`
	Data          accionData `json:"data"`
	Seq           plant.Seq  `json:"seq"`
	Version       uint64     `json:"version"`
	EstadoDetalle string     `json:"estado_detalle"`
}

// accionData names a row and a value that have had no meaning since v2.1
// stopped writing into the Sheet; its clients still demand them.
type accionData struct {
	TagSpool  plant.Tag      `json:"tag_spool"`
	Operacion string         `json:"operacion"`
	Worker    string         `json:"trabajador"`
	Fila      int            `json:"fila_actualizada"`
	Columna   string         `json:"columna_actualizada"`
	Valor     json.Number    `json:"valor_nuevo"`
	Metadata  accionColumnas `json:"metadata_actualizada"`
}

// accionColumnas are the values just written, null elsewhere.
type accionColumnas struct {
	Armador        *string `json:"armador"`
	Soldador       *string `json:"soldador"`
	FechaArmado    *string `json:"fecha_armado"`
	FechaSoldadura *string `json:"fecha_soldadura"`
}

func columnsOf(e *plant.Event) (out accionColumnas) {
	who, day := &out.Armador, &out.FechaArmado
	if e.Op == plant.SOLD {
		who, day = &out.Soldador, &out.FechaSoldadura
	}
	switch e.Kind {
	case plant.KindTomar:
		*who = orNull(e.Worker.Display)
	case plant.KindCompletar:
		*day = orNull(e.Fecha.String())
	}
	return out
}

func (a accion) single(c *call) (any, error) {
	b := order{needs: needs{op: true}}
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	cmd, err := a.command(c, &b)
	if err != nil {
		return nil, err
	}
	rec, err := c.s.o.Plant.Do(c.r.Context(), cmd)
	if err != nil {
		return nil, err
	}
	e := &rec.Event
	return &accionAnswer{
		Success: true, Message: a.message(e), Seq: e.Seq, Version: e.Version, EstadoDetalle: e.EstadoRespuesta(),
		Data: accionData{TagSpool: e.Tag, Operacion: e.Op.String(), Worker: e.Actor.Display, Columna: "Metadata", Valor: "0.0", Metadata: columnsOf(e)},
	}, nil
}

// message says what one action came to: a completion with unions still open is
// a pause.
func (a accion) message(e *plant.Event) string {
	if e.Outcome == plant.Pausar {
		return "Acción " + e.Op.String() + " pausada. " + partial(e) + "."
	}
	return "Acción " + e.Op.String() + " " + a.done(e.Op) + " exitosamente. Spool " + string(e.Tag) + " por " + e.Actor.Display + "."
}

type accionBatch struct {
	Success    bool         `json:"success"`
	Message    string       `json:"message"`
	Total      int          `json:"total"`
	Exitosos   int          `json:"exitosos"`
	Fallidos   int          `json:"fallidos"`
	Resultados []accionItem `json:"resultados"`
}

type accionItem struct {
	TagSpool  plant.Tag  `json:"tag_spool"`
	Success   bool       `json:"success"`
	Message   string     `json:"message"`
	EventoID  *string    `json:"evento_id"`
	ErrorType *string    `json:"error_type"`
	Seq       *plant.Seq `json:"seq,omitempty"`
	Version   *uint64    `json:"version,omitempty"`
}

// batch judges each spool on its own (rules §6.3).
func (a accion) batch(c *call) (any, error) {
	b := order{needs: needs{batch: true, op: true}}
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	first, err := a.command(c, &b)
	if err != nil {
		return nil, err
	}
	cmds, results, err := c.each(first, b.TagSpools)
	if err != nil {
		return nil, err
	}
	out := accionBatch{Total: len(cmds), Resultados: make([]accionItem, len(cmds))}
	for i, r := range results {
		out.Resultados[i] = a.item(c, cmds[i].Tag, r)
		if r.Err == nil {
			out.Exitosos++
		}
	}
	out.Success, out.Fallidos = out.Exitosos > 0, out.Total-out.Exitosos
	out.Message = fmt.Sprintf("Batch %s %s: %d de %d spools exitosos", b.op, a.lote, out.Exitosos, out.Total)
	if out.Fallidos > 0 {
		out.Message += fmt.Sprintf(" (%d fallos)", out.Fallidos)
	}
	return &out, nil
}

func (a accion) item(c *call, tag plant.Tag, r plant.Result) accionItem {
	if r.Err != nil {
		body, _ := c.s.explain(c.w, c.r, r.Err)
		return accionItem{TagSpool: tag, Message: body.Message, ErrorType: orNull(className(body.Error))}
	}
	e := &r.Receipt.Event
	return accionItem{TagSpool: e.Tag, Success: true, Message: a.message(e), EventoID: orNull(e.ID), Seq: &e.Seq, Version: &e.Version}
}

// className is a code as v2.1 called its error's class: OPERACION_YA_INICIADA
// is OperacionYaIniciadaError.
func className(code string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(strings.TrimSuffix(code, "_ERROR"), "_") {
		b.WriteString(part[:1] + strings.ToLower(part[1:]))
	}
	return b.String() + "Error"
}

// each carries a batch out spool by spool. A key that another request has used
// refuses the whole: no item was carried out.
func (c *call) each(first plant.Command, tags []string) ([]plant.Command, []plant.Result, error) {
	cmds := eachOf(first, tags)
	results := c.s.o.Plant.DoAll(c.r.Context(), cmds)
	for _, r := range results {
		if errors.Is(r.Err, plant.ErrKeyReused) {
			return nil, nil, r.Err
		}
	}
	return cmds, results, nil
}

// eachOf is a command for each of a batch's spools. The version a client saw
// can be that of one spool only and does not count.
func eachOf(first plant.Command, tags []string) []plant.Command {
	cmds := make([]plant.Command, len(tags))
	for i, t := range tags {
		cmds[i] = first
		cmds[i].Tag, cmds[i].Version = plant.Tag(strings.TrimSpace(t)), nil
		if first.ID != "" {
			cmds[i].ID = first.ID.Item(cmds[i].Tag)
		}
	}
	return cmds
}
