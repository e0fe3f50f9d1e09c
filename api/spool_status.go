package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"envivo/plant"
)

// spoolStatus is the card of a v5 front end (rules §9.9). Where a person
// appears as …_display it is by full name, else as AB(12).
type spoolStatus struct {
	TagSpool        plant.Tag        `json:"tag_spool"`
	NV              *string          `json:"nv"`
	OT              *string          `json:"ot"`
	OcupadoPor      *string          `json:"ocupado_por"`
	OcupadoDisplay  *string          `json:"ocupado_por_display"`
	FechaOcupacion  *string          `json:"fecha_ocupacion"`
	EstadoDetalle   *string          `json:"estado_detalle"`
	TotalUniones    int              `json:"total_uniones"`
	ArmCompletadas  int              `json:"uniones_arm_completadas"`
	SoldCompletadas int              `json:"uniones_sold_completadas"`
	PulgadasArm     Inches           `json:"pulgadas_arm"`
	PulgadasSold    Inches           `json:"pulgadas_sold"`
	History         []completionItem `json:"completion_history"`
	FechaArmado     *string          `json:"fecha_armado"`
	Armador         *string          `json:"armador_display"`
	FechaSoldadura  *string          `json:"fecha_soldadura"`
	Soldador        *string          `json:"soldador_display"`
	OperacionActual *string          `json:"operacion_actual"`
	EstadoTrabajo   string           `json:"estado_trabajo"`
	CicloRep        *int             `json:"ciclo_rep"`
	Version         uint64           `json:"version"`
}

// completionItem is work done on a spool: all of an operation, or part of it.
type completionItem struct {
	Operation string `json:"operation"`
	Worker    string `json:"worker"`
	Date      string `json:"date"`
	Kind      string `json:"kind"`
}

// fullName is a person by name where the plant knows one.
func fullName(snap *plant.Snapshot, p plant.Person) string {
	if w, ok := snap.Worker(p.ID); ok && p.ID != 0 {
		return w.FullName()
	}
	return p.Display
}

func statusCard(snap *plant.Snapshot, r *plant.Row) *spoolStatus {
	sp, t, rules := r.Spool, r.Tally, snap.Rules()
	estado, op, ciclo := sp.EstadoTrabajo(rules)
	out := &spoolStatus{
		TagSpool: sp.Tag, NV: orNull(sp.Office.NV), OT: orNull(sp.Office.OT), Version: sp.Version,
		OcupadoPor: orNull(sp.Hold.Worker.Display), OcupadoDisplay: orNull(fullName(snap, sp.Hold.Worker)),
		FechaOcupacion: orNull(plant.SheetTime(sp.Hold.Since)), EstadoDetalle: orNull(sp.EstadoDetalle(rules)),
		TotalUniones: t.Total, ArmCompletadas: t.Armed, SoldCompletadas: t.Welded,
		PulgadasArm: Inches(t.PDArmed), PulgadasSold: Inches(t.PDSold), History: completions(snap, r),
		FechaArmado: orNull(sp.Arm.Fecha.ISO()), Armador: orNull(fullName(snap, sp.Arm.Worker)),
		FechaSoldadura: orNull(sp.Sold.Fecha.ISO()), Soldador: orNull(fullName(snap, sp.Sold.Worker)),
		OperacionActual: orNull(op.String()), EstadoTrabajo: estado.String(),
	}
	if ciclo > 0 {
		n := int(ciclo)
		out.CicloRep = &n
	}
	return out
}

// completions are what has been done on a spool, in the order of the trade.
func completions(snap *plant.Snapshot, r *plant.Row) []completionItem {
	sp, out := r.Spool, []completionItem{}
	for _, op := range []plant.Op{plant.ARM, plant.SOLD} {
		w := sp.Work(op)
		last, some := sp.LastDone(op)
		item := completionItem{Operation: op.String(), Worker: fullName(snap, w.Worker), Date: "—", Kind: "partial"}
		switch {
		case w.Phase == plant.Completado && w.Fecha != 0:
			item.Date, item.Kind = dayMonth(w.Fecha), "complete"
		case some:
			item.Worker, item.Date = fullName(snap, last.Worker), dayMonth(plant.DateOf(last.End))
		case sp.Phase(op, snap.Rules()) != plant.Pausado:
			continue
		}
		out = append(out, item)
	}
	if sp.Quality == plant.AprobadoQ && sp.FechaQC != 0 {
		out = append(out, completionItem{plant.METROLOGIA.String(), fullName(snap, sp.Inspector), dayMonth(sp.FechaQC), "complete"})
	}
	return out
}

func dayMonth(d plant.Date) string { return strings.ReplaceAll(d.String()[:5], "-", "/") }

func (s *Server) spoolStatus(c *call) (any, error) {
	snap, r, err := c.row()
	if err != nil {
		return nil, err
	}
	return statusCard(snap, r), nil
}

const maxStatus = 100

type statusBody struct {
	Tags []string `json:"tags"`
}

func (b *statusBody) check(k *checker) {
	switch {
	case b.Tags == nil:
		k.missing("tags")
	case len(b.Tags) == 0 || len(b.Tags) > maxStatus:
		k.bad("tags", "tags debe traer entre 1 y 100 elementos.", len(b.Tags))
	}
}

type statusPage struct {
	Spools []*spoolStatus `json:"spools"`
	Total  int            `json:"total"`
	Errors []statusError  `json:"errors"`
}

type statusError struct {
	TagSpool plant.Tag `json:"tag_spool"`
	Code     string    `json:"error_code"`
	Message  string    `json:"message"`
}

// batchStatus gives each spool once, in the order asked for. Unknown ones are
// left out; of a damaged one the last good state is given, and what is wrong.
func (s *Server) batchStatus(c *call) (any, error) {
	var b statusBody
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	snap := s.o.Plant.Snapshot()
	out := statusPage{Spools: []*spoolStatus{}, Errors: []statusError{}}
	seen := map[plant.Tag]bool{}
	for _, tag := range b.Tags {
		r, ok := snap.Row(plant.Tag(strings.TrimSpace(tag)))
		if !ok || seen[r.Spool.Tag] {
			continue
		}
		seen[r.Spool.Tag] = true
		out.Spools = append(out.Spools, statusCard(snap, r))
		if damaged := r.Spool.Damaged; len(damaged) > 0 {
			row := statuses[plant.CodeCorrupt]
			out.Errors = append(out.Errors, statusError{r.Spool.Tag, row.code,
				row.say(&plant.Error{Code: plant.CodeCorrupt, Tag: r.Spool.Tag, Missing: strings.Join(damaged, ", ")})})
		}
	}
	out.Total = len(out.Spools)
	return out, nil
}

type notesAnswer struct {
	TagSpool plant.Tag `json:"tag_spool"`
	Nota     string    `json:"nota"`
}

func (s *Server) notes(c *call) (any, error) {
	_, r, err := c.row()
	if err != nil {
		return nil, err
	}
	return notesAnswer{r.Spool.Tag, r.Spool.Notas}, nil
}

// note is the body of a new note; the spool is in the address.
type note struct {
	WorkerID *int64  `json:"worker_id"`
	Texto    *string `json:"texto"`
	Version  *uint64 `json:"version"`
	PIN      *string `json:"pin"`
}

const maxNote = 500

func (b *note) check(k *checker) {
	if b.WorkerID != nil && (*b.WorkerID <= 0 || *b.WorkerID > 1<<31-1) {
		k.bad("worker_id", "worker_id debe ser un entero mayor que 0.", *b.WorkerID)
	}
	if b.Texto == nil {
		k.missing("texto")
	} else if t := strings.TrimSpace(*b.Texto); t == "" || utf8.RuneCountInString(t) > maxNote {
		k.bad("texto", "texto debe tener entre 1 y 500 caracteres.", utf8.RuneCountInString(t))
	}
}

func (b *note) says(out []byte) []byte {
	if b.WorkerID != nil {
		out = appendIntField(out, "worker_id", int(*b.WorkerID))
	}
	if b.Version != nil {
		out = appendUintField(out, "version", *b.Version)
	}
	return appendTextField(out, "texto", *b.Texto)
}

type noteAnswer struct {
	written
	Nota string `json:"nota"`
}

// addNote appends a note (rules §11.9).
func (s *Server) addNote(c *call) (any, error) {
	var b note
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	cmd := plant.Command{Verb: plant.Anotar, Tag: plant.Tag(strings.TrimSpace(c.r.PathValue("tag"))), Texto: *b.Texto, Version: b.Version,
		Door: plant.DoorV4, Device: c.grant.device, Supervisor: c.grant.supervisor}
	if b.WorkerID != nil {
		cmd.Worker = plant.WorkerID(*b.WorkerID)
	}
	if err := c.proven(&cmd, b.PIN, nil); err != nil {
		return nil, err
	}
	if err := c.key(&cmd, &b); err != nil {
		return nil, err
	}
	rec, err := s.o.Plant.Do(c.r.Context(), cmd)
	if err != nil {
		return nil, err
	}
	e := &rec.Event
	text, err := s.notesAt(c.r.Context(), e)
	if err != nil {
		return nil, err
	}
	return &noteAnswer{writtenBy(e, "Nota agregada en "+string(e.Tag)), text}, nil
}

// notesAt is the whole text as it was after a note: every note is one line, so
// later ones are cut off its end.
func (s *Server) notesAt(ctx context.Context, e *plant.Event) (string, error) {
	sp, _ := s.o.Plant.Snapshot().Spool(e.Tag)
	later := 0
	for before := plant.Seq(0); ; {
		events, err := s.o.Plant.History(ctx, e.Tag, before, 50)
		if err != nil {
			return "", fmt.Errorf("read the history of %s: %w", e.Tag, err)
		}
		for i := range events {
			if events[i].Seq <= e.Seq {
				lines := strings.Split(sp.Notas, "\n")
				return strings.Join(lines[:max(len(lines)-later, 0)], "\n"), nil
			}
			if events[i].Kind == plant.KindNota && events[i].Seq <= sp.Last {
				later++
			}
		}
		if len(events) == 0 {
			return sp.Notas, nil
		}
		before = events[len(events)-1].Seq
	}
}

type generationAnswer struct {
	Success bool      `json:"success"`
	Tag     plant.Tag `json:"tag_spool"`
	Version string    `json:"version"`
	Total   int       `json:"total_uniones"`
}

// generation says which front end's screens a spool needs.
func (s *Server) generation(c *call) (any, error) {
	_, r, err := c.row()
	if err != nil {
		return nil, err
	}
	out := generationAnswer{true, r.Spool.Tag, "v3.0", len(r.Spool.Unions)}
	if out.Total > 0 {
		out.Version = "v4.0"
	}
	return out, nil
}

// sheetNames are the worksheets of the office's workbook (rules §2.1).
var sheetNames = []string{"Operaciones", "Trabajadores", "Roles", "Metadata", "Uniones"}

type columnsAnswer struct {
	Success bool     `json:"success"`
	Message string   `json:"message"`
	Sheet   string   `json:"sheet"`
	Present bool     `json:"critical_columns_present"`
	Missing []string `json:"missing_columns"`
}

// columns has the Sheet read anew, headers first, and says which critical
// columns of a worksheet are missing as far as is known. A plant without a
// Sheet misses none: all its columns are its own.
func (s *Server) columns(c *call) (any, error) {
	sheet := c.r.URL.Query().Get("sheet")
	if sheet == "" {
		sheet = sheetNames[0]
	}
	if !slices.Contains(sheetNames, sheet) {
		return nil, invalid("query", "sheet", "enum", "El parámetro sheet debe ser "+strings.Join(sheetNames, ", ")+".", sheet)
	}
	out := columnsAnswer{Success: true, Sheet: sheet, Present: true, Missing: []string{}, Message: "Columnas de " + sheet + " revisadas."}
	if s.o.Sync == nil {
		return out, nil
	}
	s.o.Sync.Now()
	var missing []string
	for _, a := range s.o.Sync.Status().Alerts {
		if a.Sheet == sheet && a.Column != "" {
			missing = append(missing, a.Column)
		}
	}
	if len(missing) > 0 {
		out.Present, out.Missing, out.Message = false, missing, "En "+sheet+" faltan columnas: "+strings.Join(missing, ", ")+"."
	}
	return out, nil
}
