package api

import (
	"errors"
	"math"
	"slices"
	"strconv"

	"envivo/plant"
)

type unionBrief struct {
	ID   string `json:"id"`
	N    int    `json:"n_union"`
	DN   Inches `json:"dn_union"`
	Tipo string `json:"tipo_union"`
}

func briefOf(snap *plant.Snapshot, sp *plant.Spool, u plant.Union) unionBrief {
	return unionBrief{ID: snap.UnionID(sp, u.N), N: u.N, DN: Inches(u.DN), Tipo: u.Tipo}
}

type unionsOpen struct {
	TagSpool  plant.Tag    `json:"tag_spool"`
	Operacion string       `json:"operacion"`
	Unions    []unionBrief `json:"unions"`
	Count     int          `json:"count"`
}

// unionsOpen are the unions that can be done now (rules §6.5 step 4).
func (s *Server) unionsOpen(c *call) (any, error) {
	op, err := c.op()
	if err != nil {
		return nil, err
	}
	if op != plant.ARM && op != plant.SOLD {
		return nil, badOp(op.String(), plant.ARM, plant.SOLD)
	}
	snap, r, err := c.row()
	if err != nil {
		return nil, err
	}
	out := unionsOpen{TagSpool: r.Spool.Tag, Operacion: op.String(), Unions: []unionBrief{}}
	for _, u := range r.Spool.Available(op, snap.Rules()) {
		out.Unions = append(out.Unions, briefOf(snap, r.Spool, u))
	}
	out.Count = len(out.Unions)
	return out, nil
}

type unionsMetrics struct {
	TagSpool     plant.Tag `json:"tag_spool"`
	Total        int       `json:"total_uniones"`
	Arm          int       `json:"arm_completadas"`
	Sold         int       `json:"sold_completadas"`
	PulgadasArm  Inches    `json:"pulgadas_arm"`
	PulgadasSold Inches    `json:"pulgadas_sold"`
}

func (s *Server) unionsMetrics(c *call) (any, error) {
	_, r, err := c.row()
	if err != nil {
		return nil, err
	}
	t := r.Tally
	if t.Total == 0 {
		return nil, &problem{status: 404, code: codeMissing, message: "Recurso no encontrado: " + clip(string(r.Spool.Tag)) + " no tiene uniones.",
			data: map[string]any{"tag_spool": r.Spool.Tag}}
	}
	return unionsMetrics{r.Spool.Tag, t.Total, t.Armed, t.Welded, Inches(t.PDArmed), Inches(t.PDSold)}, nil
}

type unionWork struct {
	unionBrief
	HasWork   bool    `json:"has_work"`
	ArmWorker *string `json:"arm_worker"`
	SolWorker *string `json:"sol_worker"`
}

type unionsAll struct {
	TagSpool plant.Tag   `json:"tag_spool"`
	Unions   []unionWork `json:"unions"`
	Total    int         `json:"total"`
}

func (s *Server) unionsAll(c *call) (any, error) {
	snap, r, err := c.row()
	if err != nil {
		return nil, err
	}
	out := unionsAll{TagSpool: r.Spool.Tag, Unions: []unionWork{}, Total: len(r.Spool.Unions)}
	for _, u := range r.Spool.Unions {
		out.Unions = append(out.Unions, unionWork{unionBrief: briefOf(snap, r.Spool, u), HasWork: u.Worked(),
			ArmWorker: orNull(u.Arm.Worker.Display), SolWorker: orNull(u.Sold.Worker.Display)})
	}
	return out, nil
}

// edit is the body of guardar: the whole set of unions.
type edit struct {
	order
	Unions []editUnion `json:"unions"`
}

type editUnion struct {
	N    *int     `json:"n_union"`
	DN   *float64 `json:"dn_union"`
	Tipo *string  `json:"tipo_union"`
}

// formTypes are the types the v5 form offers (rules §11.2).
var formTypes = []string{"BW", "SO", "FILL", "BR", "MIT"}

const (
	maxFormUnions = 20
	maxFormDN     = plant.Inches(50 * 100)
)

func (b *edit) check(k *checker) {
	b.order.check(k)
	switch {
	case b.Unions == nil:
		k.missing("unions")
		return
	case len(b.Unions) == 0 || len(b.Unions) > maxFormUnions:
		k.bad("unions", "unions debe traer entre 1 y 20 elementos.", len(b.Unions))
		return
	}
	seen := map[int]bool{}
	for _, u := range b.Unions {
		switch {
		case u.N == nil:
			k.missing("n_union")
		case seen[*u.N]:
			k.bad("n_union", "n_union aparece dos veces.", *u.N)
		case *u.N < 1:
			k.bad("n_union", "n_union debe ser un entero entre 1 y 20.", *u.N)
		default:
			seen[*u.N] = true
		}
	}
}

func (b *edit) says(out []byte) []byte {
	out = b.order.says(out)
	for _, u := range b.Unions {
		out = appendIntField(out, "n_union", *u.N)
		if u.DN != nil {
			out = strconv.AppendFloat(appendKey(out, "dn_union"), *u.DN, 'g', -1, 64)
		}
		if u.Tipo != nil {
			out = appendTextField(out, "tipo_union", *u.Tipo)
		}
	}
	return out
}

// edits completes the set from the unions that are there: what a client does
// not name stays, and what engineering defined beyond the form's limits may be
// sent back as it is.
func (b *edit) edits(sp *plant.Spool) ([]plant.Union, error) {
	out := make([]plant.Union, 0, len(b.Unions))
	for _, x := range b.Unions {
		u, _ := sp.Union(*x.N)
		before := u
		u.N = *x.N
		if x.DN != nil {
			u.DN = plant.Inches(math.Round(min(*x.DN, 1e6) * 100))
			if u.DN != before.DN && (u.DN <= 0 || u.DN > maxFormDN) {
				return nil, invalid("body", "dn_union", "value_error", "dn_union debe ser mayor que 0 y hasta 50.", *x.DN)
			}
		}
		if x.Tipo != nil {
			if u.Tipo = *x.Tipo; u.Tipo != before.Tipo && !slices.Contains(formTypes, u.Tipo) {
				return nil, invalid("body", "tipo_union", "enum", "tipo_union debe ser BW, SO, FILL, BR o MIT.", u.Tipo)
			}
		}
		switch {
		case u.DN == 0:
			return nil, invalid("body", "dn_union", "missing", "Falta el campo dn_union de una unión nueva.", nil)
		case u.Tipo == "":
			return nil, invalid("body", "tipo_union", "missing", "Falta el campo tipo_union de una unión nueva.", nil)
		}
		out = append(out, u)
	}
	return out, nil
}

type savedUnions struct {
	written
	Total      int         `json:"total_uniones"`
	Created    int         `json:"created"`
	Updated    int         `json:"updated"`
	Deleted    int         `json:"deleted"`
	CreatedIDs []createdID `json:"created_ids"`
}

type createdID struct {
	N  int    `json:"n_union"`
	ID string `json:"id"`
}

// saveUnions replaces a spool's set of unions (rules §11.6). A set that changes
// nothing is saved already.
func (s *Server) saveUnions(c *call) (any, error) {
	b := edit{order: order{needs: needs{noWorker: true}}}
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	cmd, err := c.command(&b.order, plant.EditarUniones)
	if err == nil {
		err = c.key(&cmd, &b)
	}
	if err != nil {
		return nil, err
	}
	sp, known := s.o.Plant.Snapshot().Spool(cmd.Tag)
	if known { // an unknown one is refused as such
		if cmd.Edits, err = b.edits(&sp); err != nil {
			return nil, err
		}
	}
	cmd.Door = plant.DoorV4
	rec, err := s.o.Plant.Do(c.r.Context(), cmd)
	var no *plant.Error
	switch {
	case errors.Is(err, plant.ErrUnchanged):
		return &savedUnions{written: written{Success: true, TagSpool: sp.Tag, Message: "Uniones de " + string(sp.Tag) + " sin cambios", Seq: sp.Last,
			Version: sp.Version, EstadoDetalle: sp.EstadoDetalle(s.o.Plant.Snapshot().Rules())}, Total: len(sp.Unions), CreatedIDs: []createdID{}}, nil
	case errors.As(err, &no) && no.Code == plant.CodeUnion:
		return nil, unionsWorked(no)
	case err != nil:
		return nil, err
	}
	return c.saved(&rec.Event)
}

// unionsWorked is the refusal to change unions with recorded work.
func unionsWorked(e *plant.Error) error {
	fixed := ": no se cambian ni se borran."
	if len(e.Unions) == 1 {
		fixed = ": no se cambia ni se borra."
	}
	return &problem{status: 400, code: statuses[plant.CodeNotAvailable].code,
		message: "En " + tagOf(e) + " ya hay trabajo en " + unionList(e.Unions) + fixed,
		data:    map[string]any{"tag_spool": string(e.Tag), "uniones": e.Unions}}
}

// saved tells created from updated unions by the spool's history up to the
// event, so that a repeated command is answered as the first time.
func (c *call) saved(e *plant.Event) (any, error) {
	events, err := wholeHistory(c.r.Context(), c.s.o.Plant, e.Tag)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(events, func(a, b plant.Event) int { return int(a.Seq) - int(b.Seq) })
	there := map[int]bool{}
	for _, x := range events {
		if x.Seq >= e.Seq {
			break
		}
		if x.Import != nil && x.Import.Spool != nil {
			mark(there, x.Import.Spool.Unions, nil)
		}
		mark(there, x.Unions, x.Removed)
	}
	snap := c.s.o.Plant.Snapshot()
	sp, _ := snap.Spool(e.Tag)
	out := savedUnions{Deleted: len(e.Removed), CreatedIDs: []createdID{}}
	for _, u := range e.Unions {
		if there[u.N] {
			out.Updated++
			continue
		}
		out.Created++
		out.CreatedIDs = append(out.CreatedIDs, createdID{u.N, snap.UnionID(&sp, u.N)})
	}
	mark(there, e.Unions, e.Removed)
	out.Total = len(there)
	out.written = writtenBy(e, "Uniones de "+string(e.Tag)+" guardadas: "+strconv.Itoa(out.Created)+" nuevas, "+strconv.Itoa(out.Updated)+" cambiadas, "+strconv.Itoa(out.Deleted)+" borradas")
	return &out, nil
}

func mark(there map[int]bool, put []plant.Union, removed []int) {
	for _, u := range put {
		there[u.N] = true
	}
	for _, n := range removed {
		delete(there, n)
	}
}
