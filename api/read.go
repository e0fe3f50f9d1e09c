package api

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"envivo/plant"
)

type spoolList struct {
	Spools []spoolJSON `json:"spools"`
	Total  int         `json:"total"`
	Filtro string      `json:"filtro_aplicado"`
}

// op reads the operation of a list's address.
func (c *call) op() (plant.Op, error) {
	v, err := c.query("operacion")
	if err != nil {
		return plant.OpNone, err
	}
	op, ok := plant.ParseOp(strings.ToUpper(v))
	if !ok {
		return plant.OpNone, badOp(v, plant.ARM, plant.SOLD, plant.METROLOGIA)
	}
	return op, nil
}

// list collects the spools that fit, in the order of the Sheet (rules §12).
func (s *Server) list(filtro string, fits func(*plant.Row, plant.Rules) bool) spoolList {
	snap := s.o.Plant.Snapshot()
	out := spoolList{Spools: []spoolJSON{}, Filtro: filtro}
	for r := range snap.Rows() {
		if fits(r, snap.Rules()) {
			out.Spools = append(out.Spools, spoolOf(r, snap.Rules()))
		}
	}
	out.Total = len(out.Spools)
	return out
}

func (s *Server) listIniciar(c *call) (any, error) {
	op, err := c.op()
	if err != nil {
		return nil, err
	}
	filtro := map[plant.Op]string{
		plant.ARM:        "ARM - Fecha_Materiales llena, ARM sin completar, libre",
		plant.SOLD:       "SOLD - ARM completado o con uniones armadas, SOLD sin completar, libre",
		plant.METROLOGIA: "METROLOGIA - trabajo completo, sin resultado, libre",
		plant.REPARACION: "RECHAZADO o reparación pausada, libre",
	}[op]
	return s.list(filtro, func(r *plant.Row, rules plant.Rules) bool { return startable(r, op, rules) }), nil
}

// startable reports whether a spool is offered for an operation.
func startable(r *plant.Row, op plant.Op, rules plant.Rules) bool {
	s := r.Spool
	open := s.Hold.Free() && s.Quality == plant.SinVeredicto && s.Office.Materiales != 0
	switch op {
	case plant.ARM:
		return open && !s.Complete(plant.ARM, rules)
	case plant.SOLD:
		return open && !s.Complete(plant.SOLD, rules) && (s.ArmComplete(rules) || r.Tally.Armed > 0)
	case plant.METROLOGIA:
		return s.InQueue(rules)
	}
	return s.Hold.Free() && (s.Quality == plant.RechazadoQ || s.Quality == plant.ReparacionPausada)
}

func (s *Server) listCompletar(c *call) (any, error) {
	op, err := c.op()
	if err != nil {
		return nil, err
	}
	name, err := c.query("worker_nombre")
	if err != nil {
		return nil, err
	}
	who := plant.ParsePerson(name)
	return s.list(op.String()+" - en progreso", func(r *plant.Row, _ plant.Rules) bool {
		h := r.Spool.Hold
		return !h.Free() && h.Op == op && (who.ID == 0 || h.Worker.ID == who.ID)
	}), nil
}

func (s *Server) workerOp(c *call) (plant.Op, plant.WorkerID, error) {
	op, err := c.op()
	if err != nil {
		return op, 0, err
	}
	if _, err := c.query("worker_id"); err != nil {
		return op, 0, err
	}
	n, err := c.number("worker_id", 0, 1, 1<<31-1)
	return op, plant.WorkerID(n), err
}

func (s *Server) listCancelar(c *call) (any, error) {
	op, who, err := s.workerOp(c)
	if err != nil {
		return nil, err
	}
	return s.list(fmt.Sprintf("%s - en progreso o pausado Y worker_id=%d", op, who), func(r *plant.Row, rules plant.Rules) bool {
		sp := r.Spool
		if !sp.Hold.Free() {
			return sp.Hold.Op == op && sp.Hold.Worker.ID == who && op != plant.METROLOGIA
		}
		return (op == plant.ARM || op == plant.SOLD) && sp.Quality == plant.SinVeredicto &&
			sp.Phase(op, rules) == plant.Pausado && sp.Work(op).Worker.ID == who
	}), nil
}

func (s *Server) listOcupados(c *call) (any, error) {
	op, who, err := s.workerOp(c)
	if err != nil {
		return nil, err
	}
	return s.list(fmt.Sprintf("%s - ocupado Y worker_id=%d", op, who), func(r *plant.Row, _ plant.Rules) bool {
		h := r.Spool.Hold
		return !h.Free() && h.Op == op && h.Worker.ID == who
	}), nil
}

type repairJSON struct {
	TagSpool      string  `json:"tag_spool"`
	EstadoDetalle string  `json:"estado_detalle"`
	FechaRechazo  *string `json:"fecha_rechazo"`
	Cycle         int     `json:"cycle"`
	Bloqueado     bool    `json:"bloqueado"`
}

type repairList struct {
	Spools     []repairJSON `json:"spools"`
	Total      int          `json:"total"`
	Bloqueados int          `json:"bloqueados"`
	Filtro     string       `json:"filtro_aplicado"`
}

func (s *Server) listReparacion(*call) (any, error) {
	snap := s.o.Plant.Snapshot()
	out := repairList{Spools: []repairJSON{}, Filtro: "RECHAZADO + BLOQUEADO visibles (no ocupados)"}
	for r := range snap.Rows() {
		sp := r.Spool
		blocked := sp.Quality == plant.BloqueadoQ
		if !sp.Hold.Free() || !blocked && sp.Quality != plant.RechazadoQ && sp.Quality != plant.ReparacionPausada {
			continue
		}
		item := repairJSON{TagSpool: string(sp.Tag), EstadoDetalle: sp.EstadoDetalle(snap.Rules()), Cycle: int(sp.Ciclo), Bloqueado: blocked}
		if !sp.RejectedAt.IsZero() {
			item.FechaRechazo = orNull(plant.DateOf(sp.RejectedAt).ISO())
		}
		if blocked {
			out.Bloqueados++
		}
		out.Spools = append(out.Spools, item)
	}
	out.Total = len(out.Spools)
	return out, nil
}

type workerJSON struct {
	ID       plant.WorkerID `json:"id"`
	Nombre   string         `json:"nombre"`
	Apellido string         `json:"apellido"`
	Rol      string         `json:"rol"`
	Roles    []string       `json:"roles"`
	Activo   bool           `json:"activo"`
	Display  string         `json:"nombre_completo"`
	PIN      bool           `json:"tiene_pin,omitempty"`
}

func workerOf(w plant.Worker) workerJSON {
	out := workerJSON{ID: w.ID, Nombre: w.Nombre, Apellido: w.Apellido, Rol: "Ayudante", Roles: w.Roles.Names(), Activo: w.Activo, Display: w.Display()}
	if len(out.Roles) > 0 {
		out.Rol = out.Roles[0]
	}
	return out
}

type workerList struct {
	Workers []workerJSON `json:"workers"`
	Total   int          `json:"total"`
}

func (s *Server) workers(*call) (any, error) {
	out := workerList{Workers: []workerJSON{}}
	snap := s.o.Plant.Snapshot()
	for _, w := range snap.Workers() {
		if w.Activo {
			j := workerOf(w)
			j.PIN = hasPIN(snap, w.ID)
			out.Workers = append(out.Workers, j)
		}
	}
	out.Total = len(out.Workers)
	return out, nil
}

type roleList struct {
	Roles []string `json:"roles"`
}

func (s *Server) workerRoles(c *call) (any, error) {
	n, err := strconv.ParseInt(c.r.PathValue("id"), 10, 32)
	if err != nil || n <= 0 {
		return nil, invalid("path", "id", "int_parsing", "El número del trabajador debe ser un entero mayor que 0.", c.r.PathValue("id"))
	}
	w, ok := s.o.Plant.Snapshot().Worker(plant.WorkerID(n))
	if !ok || !w.Activo {
		return nil, &plant.Error{Code: plant.CodeWorkerNotFound, Worker: plant.Person{ID: plant.WorkerID(n)}}
	}
	return roleList{w.Roles.Names()}, nil
}

type sessionJSON struct {
	Worker    string         `json:"worker_nombre"`
	WorkerID  plant.WorkerID `json:"worker_id"`
	Operacion string         `json:"operacion"`
	Start     string         `json:"start_time"`
	End       *string        `json:"end_time"`
	Duration  *string        `json:"duration"`
}

type historyAnswer struct {
	Tag      string        `json:"tag_spool"`
	Sessions []sessionJSON `json:"sessions"`
}

// history lists the stints on a spool (rules §7.3); with todo=1 inspections as
// well.
func (s *Server) history(c *call) (any, error) {
	_, r, err := c.row()
	if err != nil {
		return nil, err
	}
	events, err := wholeHistory(c.r.Context(), s.o.Plant, r.Spool.Tag)
	if err != nil {
		return nil, err
	}
	stints := plant.Sessions(events)
	if c.r.URL.Query().Get("todo") == "1" {
		stints = plant.AllSessions(events)
	}
	out := historyAnswer{string(r.Spool.Tag), []sessionJSON{}}
	for _, x := range stints {
		out.Sessions = append(out.Sessions, sessionJSON{Worker: x.Worker.Display, WorkerID: x.Worker.ID, Operacion: x.Op.String(),
			Start: plant.ISOTime(x.Start), End: orNull(plant.ISOTime(x.End)), Duration: orNull(x.Duration())})
	}
	return out, nil
}

// wholeHistory is every event of a spool, in any order.
func wholeHistory(ctx context.Context, p Plant, tag plant.Tag) ([]plant.Event, error) {
	const page = 500
	var all []plant.Event
	for before := plant.Seq(0); ; {
		events, err := p.History(ctx, tag, before, page)
		if err != nil {
			return nil, fmt.Errorf("read the history of %s: %w", tag, err)
		}
		all = append(all, events...)
		if len(events) == 0 || events[len(events)-1].PrevTag == 0 {
			return all, nil
		}
		before = events[len(events)-1].Seq
	}
}

type occupiedJSON struct {
	TagSpool string `json:"tag_spool"`
	Worker   string `json:"worker_nombre"`
	Estado   string `json:"estado_detalle"`
	Fecha    string `json:"fecha_ocupacion"`
}

func (s *Server) occupied(*call) (any, error) {
	snap := s.o.Plant.Snapshot()
	var rows []*plant.Row
	for r := range snap.Rows() {
		if !r.Spool.Hold.Free() {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b *plant.Row) int { return b.Spool.Hold.Since.Compare(a.Spool.Hold.Since) })
	out := make([]occupiedJSON, 0, len(rows))
	for _, r := range rows {
		item := occupiedJSON{string(r.Spool.Tag), r.Spool.Hold.Worker.Display, r.Spool.EstadoDetalle(snap.Rules()), plant.ISOTime(r.Spool.Hold.Since)}
		if item.Estado == "" {
			item.Estado = "Ocupado"
		}
		if item.Fecha == "" {
			item.Fecha = "N/A"
		}
		out = append(out, item)
	}
	return out, nil
}

type occupationAnswer struct {
	Tag     string  `json:"tag_spool"`
	Ocupado bool    `json:"ocupado"`
	Por     *string `json:"ocupado_por"`
	Desde   *string `json:"fecha_ocupacion"`
}

func (s *Server) occupation(c *call) (any, error) {
	_, r, err := c.row()
	if err != nil {
		return nil, err
	}
	h := r.Spool.Hold
	return occupationAnswer{string(r.Spool.Tag), !h.Free(), orNull(h.Worker.Display), orNull(plant.SheetTime(h.Since))}, nil
}

const (
	eventsDefault = 500
	eventsMost    = 5000
)

// events are committed events in order, for clients that catch up. Settings
// hold secrets and are left out; prev skips them as the streams do.
func (s *Server) events(c *call) (any, error) {
	after, err := c.number("after", 0, 0, 1<<62)
	if err != nil {
		return nil, err
	}
	limit, err := c.number("limit", eventsDefault, 1, eventsMost)
	if err != nil {
		return nil, err
	}
	found, err := s.streamed(c.r.Context(), plant.Seq(after), int(limit))
	if err != nil {
		return nil, err
	}
	b := []byte(`{"events":[`)
	for i, e := range found {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, EncodeEvent(e)...)
	}
	snap := s.o.Plant.Snapshot()
	b = appendUintField(append(b, ']'), "seq", uint64(snap.Seq))
	b = appendTextField(b, "epoch", snap.Epoch)
	return raw(append(b, '}')), nil
}

func (s *Server) streamed(ctx context.Context, after plant.Seq, limit int) ([]plant.Event, error) {
	var out []plant.Event
	for at := after; len(out) < limit; {
		events, err := s.o.Plant.Events(ctx, at, limit)
		if err != nil {
			return nil, fmt.Errorf("read events after %d: %w", at, err)
		}
		if len(events) == 0 {
			break
		}
		at = events[len(events)-1].Seq
		for _, e := range events {
			if e.Kind != plant.KindAjuste && len(out) < limit {
				out = append(out, e)
			}
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	prev, err := s.streamedBefore(ctx, out[0].Prev)
	for i := range out {
		out[i].Prev, prev = prev, out[i].Seq
	}
	return out, err
}

// streamedBefore is the newest event up to seq that is no setting. It reads one
// event first, for settings change rarely, then pages.
func (s *Server) streamedBefore(ctx context.Context, seq plant.Seq) (plant.Seq, error) {
	for n := plant.Seq(1); seq > 0; n = eventsDefault {
		from := seq - min(n, seq)
		events, err := s.o.Plant.Events(ctx, from, int(seq-from))
		if err != nil {
			return 0, fmt.Errorf("read the events up to %d: %w", seq, err)
		}
		for i := len(events) - 1; i >= 0; i-- {
			if events[i].Seq <= seq && events[i].Kind != plant.KindAjuste {
				return events[i].Seq, nil
			}
		}
		seq = from
	}
	return 0, nil
}
