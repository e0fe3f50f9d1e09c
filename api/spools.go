package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"envivo/plant"
	"envivo/ui"
)

// spoolJSON is the Spool of rules §9.2.
type spoolJSON struct {
	TagSpool         string  `json:"tag_spool"`
	NV               *string `json:"nv"`
	Arm              string  `json:"arm"`
	Sold             string  `json:"sold"`
	FechaMateriales  *string `json:"fecha_materiales"`
	FechaArmado      *string `json:"fecha_armado"`
	FechaSoldadura   *string `json:"fecha_soldadura"`
	FechaQC          *string `json:"fecha_qc_metrologia"`
	Armador          *string `json:"armador"`
	Soldador         *string `json:"soldador"`
	Proyecto         *string `json:"proyecto"`
	OcupadoPor       *string `json:"ocupado_por"`
	FechaOcupacion   *string `json:"fecha_ocupacion"`
	Version          uint64  `json:"version"`
	EstadoDetalle    *string `json:"estado_detalle"`
	OT               *string `json:"ot"`
	TotalUniones     int     `json:"total_uniones"`
	ArmCompletadas   int     `json:"uniones_arm_completadas"`
	SoldCompletadas  int     `json:"uniones_sold_completadas"`
	PulgadasArm      Inches  `json:"pulgadas_arm"`
	PulgadasSold     Inches  `json:"pulgadas_sold"`
	Estado           string  `json:"estado"`
	OperacionActual  *string `json:"operacion_actual"`
	FechaOcupacionZ  *string `json:"ocupado_desde"`
	RechazosSeguidos int     `json:"ciclo"`
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func spoolOf(r *plant.Row, rules plant.Rules) spoolJSON {
	s, t := r.Spool, r.Tally
	_, op, _ := s.EstadoTrabajo(rules)
	return spoolJSON{
		TagSpool: string(s.Tag), NV: orNull(s.Office.NV), OT: orNull(s.Office.OT),
		Arm: s.Phase(plant.ARM, rules).String(), Sold: s.Phase(plant.SOLD, rules).String(),
		FechaMateriales: orNull(s.Office.Materiales.ISO()), FechaArmado: orNull(s.Arm.Fecha.ISO()),
		FechaSoldadura: orNull(s.Sold.Fecha.ISO()), FechaQC: orNull(s.FechaQC.ISO()),
		Armador: orNull(s.Arm.Worker.Display), Soldador: orNull(s.Sold.Worker.Display),
		OcupadoPor: orNull(s.Hold.Worker.Display), FechaOcupacion: orNull(plant.SheetTime(s.Hold.Since)),
		FechaOcupacionZ: orNull(plant.ISOTime(s.Hold.Since)), Version: s.Version, EstadoDetalle: orNull(s.EstadoDetalle(rules)),
		TotalUniones: t.Total, ArmCompletadas: t.Armed, SoldCompletadas: t.Welded, PulgadasArm: Inches(t.PDArmed), PulgadasSold: Inches(t.PDSold),
		Estado: r.Estado.String(), OperacionActual: orNull(op.String()), RechazosSeguidos: int(s.Ciclo),
	}
}

type unionJSON struct {
	ID        string  `json:"id"`
	N         int     `json:"n_union"`
	DN        Inches  `json:"dn_union"`
	Tipo      string  `json:"tipo_union"`
	ArmWorker *string `json:"arm_worker"`
	ArmInicio *string `json:"arm_fecha_inicio"`
	ArmFin    *string `json:"arm_fecha_fin"`
	SolWorker *string `json:"sol_worker"`
	SolInicio *string `json:"sol_fecha_inicio"`
	SolFin    *string `json:"sol_fecha_fin"`
}

type accionJSON struct {
	Accion    string  `json:"accion"`
	Operacion *string `json:"operacion"`
	Permitida bool    `json:"permitida"`
	Motivo    *string `json:"motivo"`
}

// spoolDetail is GET /api/spools/{tag}.
type spoolDetail struct {
	spoolJSON
	Vencida       bool         `json:"vencida"`
	EstadoTrabajo string       `json:"estado_trabajo"`
	CicloRep      *int         `json:"ciclo_rep"`
	Notas         string       `json:"notas"`
	Danado        []string     `json:"columnas_danadas"`
	Uniones       []unionJSON  `json:"uniones"`
	Acciones      []accionJSON `json:"acciones"`
}

func (c *call) row() (*plant.Snapshot, *plant.Row, error) {
	snap := c.s.o.Plant.Snapshot()
	tag := plant.Tag(strings.TrimSpace(c.r.PathValue("tag")))
	r, ok := snap.Row(tag)
	if !ok {
		return snap, nil, &plant.Error{Code: plant.CodeSpoolNotFound, Tag: tag}
	}
	return snap, r, nil
}

func (s *Server) spoolDetail(c *call) (any, error) {
	who, err := c.number("worker_id", 0, 1, 1<<31-1)
	if err != nil {
		return nil, err
	}
	snap, r, err := c.row()
	if err != nil {
		return nil, err
	}
	now := s.o.Now()
	t, _, ciclo := r.Spool.EstadoTrabajo(snap.Rules())
	out := spoolDetail{spoolJSON: spoolOf(r, snap.Rules()), Vencida: r.Spool.Hold.Overdue(now, snap.Rules().TTL), EstadoTrabajo: t.String(),
		Notas: r.Spool.Notas, Danado: append([]string{}, r.Spool.Damaged...), Uniones: []unionJSON{}, Acciones: []accionJSON{}}
	if ciclo > 0 {
		n := int(ciclo)
		out.CicloRep = &n
	}
	for _, u := range r.Spool.Unions {
		out.Uniones = append(out.Uniones, unionJSON{ID: snap.UnionID(r.Spool, u.N), N: u.N, DN: Inches(u.DN), Tipo: u.Tipo,
			ArmWorker: orNull(u.Arm.Worker.Display), ArmInicio: orNull(plant.SheetTime(u.Arm.Start)), ArmFin: orNull(plant.SheetTime(u.Arm.End)),
			SolWorker: orNull(u.Sold.Worker.Display), SolInicio: orNull(plant.SheetTime(u.Sold.Start)), SolFin: orNull(plant.SheetTime(u.Sold.End))})
	}
	for _, a := range s.actions(snap, r, plant.WorkerID(who), c.grant.supervisor, now) {
		item := accionJSON{Accion: a.Verb.String(), Operacion: orNull(a.Op.String()), Permitida: a.Allowed}
		if a.Refusal != nil {
			item.Motivo = orNull(statuses[a.Refusal.Code].say(a.Refusal))
		}
		out.Acciones = append(out.Acciones, item)
	}
	return out, nil
}

// actions are what the worker may do; for nobody in particular, what somebody
// of the plant may do: one worker of each set of roles, and the holder, stand
// for all.
func (s *Server) actions(snap *plant.Snapshot, r *plant.Row, who plant.WorkerID, supervisor bool, now time.Time) []ui.Action {
	if who != 0 {
		return s.o.Permitted(snap, r.Spool.Tag, who, supervisor, now)
	}
	var out []ui.Action
	for _, id := range representatives(snap, r.Spool.Hold.Worker.ID) {
		for i, a := range s.o.Permitted(snap, r.Spool.Tag, id, supervisor, now) {
			switch {
			case i >= len(out):
				out = append(out, a)
			case out[i].Allowed:
			case a.Allowed, out[i].Refusal != nil && out[i].Refusal.Code == plant.CodeRole:
				out[i] = a
			}
		}
	}
	return out
}

func representatives(snap *plant.Snapshot, holder plant.WorkerID) []plant.WorkerID {
	var out []plant.WorkerID
	if holder != 0 {
		out = append(out, holder)
	}
	seen := map[plant.Role]bool{}
	for _, w := range snap.Workers() {
		if w.Activo && !seen[w.Roles] {
			seen[w.Roles] = true
			out = append(out, w.ID)
		}
	}
	return out
}

type spoolPage struct {
	Spools []spoolJSON `json:"spools"`
	Total  int         `json:"total"`
	Next   *string     `json:"next"`
}

// spools is the search over all spools, ranked, paged by the last TAG seen.
func (s *Server) spools(c *call) (any, error) {
	q := c.r.URL.Query()
	q.Set("estado", strings.ToUpper(q.Get("estado")))
	f := ui.ParseFilter("/spools", q)
	if v := q.Get("estado"); v != "" && !f.ByEstado {
		known := make([]string, len(plant.Estados()))
		for i, e := range plant.Estados() {
			known[i] = e.String()
		}
		return nil, invalid("query", "estado", "enum", "El parámetro estado debe ser "+oneOf(known)+".", v)
	}
	if v := q.Get("operacion"); v != "" {
		op, ok := plant.ParseOp(strings.ToUpper(v))
		if !ok {
			return nil, badOp(v, plant.ARM, plant.SOLD, plant.METROLOGIA, plant.REPARACION)
		}
		f.Op = op
	}
	limit, err := c.number("limit", 100, 1, 1000)
	if err != nil {
		return nil, err
	}
	who, err := c.number("worker_id", 0, 1, 1<<31-1)
	if err != nil {
		return nil, err
	}
	snap := s.o.Plant.Snapshot()
	rows, _ := f.Matching(snap)
	if who != 0 {
		rows = slices.DeleteFunc(rows, func(r *plant.Row) bool { return r.Spool.Hold.Worker.ID != plant.WorkerID(who) })
	}
	return pageOf(snap, rows, &f, q.Get("after"), int(limit))
}

// behind are the rows after the one with a tag. That row may meanwhile fit the
// filters no longer; its place in the search without them still tells.
func behind(snap *plant.Snapshot, rows []*plant.Row, q, tag string) ([]*plant.Row, bool) {
	is := func(r *plant.Row) bool { return strings.EqualFold(string(r.Spool.Tag), tag) }
	if i := slices.IndexFunc(rows, is); i >= 0 {
		return rows[i+1:], true
	}
	all, _ := ui.Filter{Q: q}.Matching(snap)
	i := slices.IndexFunc(all, is)
	if i < 0 {
		return nil, false
	}
	passed := make(map[*plant.Row]bool, i)
	for _, r := range all[:i] {
		passed[r] = true
	}
	return rows[slices.IndexFunc(append(rows, nil), func(r *plant.Row) bool { return !passed[r] }):], true
}

func pageOf(snap *plant.Snapshot, rows []*plant.Row, f *ui.Filter, after string, limit int) (any, error) {
	out := spoolPage{Spools: []spoolJSON{}, Total: len(rows)}
	if after != "" {
		var ok bool
		if rows, ok = behind(snap, rows, f.Q, after); !ok {
			return nil, invalid("query", "after", "value_error", "El parámetro after no es el último TAG de una página de esta búsqueda.", after)
		}
	}
	for _, r := range rows[:min(limit, len(rows))] {
		out.Spools = append(out.Spools, spoolOf(r, snap.Rules()))
	}
	if len(rows) > limit {
		out.Next = orNull(string(rows[limit-1].Spool.Tag))
	}
	return out, nil
}

// badOp refuses an operation that this address has no answer for, and names
// those it has.
func badOp(v string, ops ...plant.Op) error {
	known := make([]string, len(ops))
	for i, op := range ops {
		known[i] = op.String()
	}
	return &problem{status: http.StatusBadRequest, code: codeInvalid,
		message: "Operación inválida '" + clip(strings.ToUpper(v)) + "'. Debe ser " + oneOf(known) + "."}
}

// oneOf is "ARM, SOLD o METROLOGIA".
func oneOf(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " o " + words[last]
}
