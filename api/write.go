package api

import (
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"envivo/plant"
)

// keyHeader carries the idempotency key of a write.
const keyHeader = "Idempotency-Key"

// maxKey is the longest key, in characters.
const maxKey = 128

// order is the body of every write on one spool. Fields that an endpoint does
// not know are ignored; worker_nombre always is, for the name comes from the
// plant's own list (rules §3).
type order struct {
	TagSpool       *string  `json:"tag_spool"`
	TagSpools      []string `json:"tag_spools"`
	WorkerID       *int64   `json:"worker_id"`
	WorkerNombre   *string  `json:"worker_nombre"`
	WorkerDestino  *int64   `json:"worker_destino"`
	Operacion      *string  `json:"operacion"`
	FechaOperacion *string  `json:"fecha_operacion"`
	Resultado      *string  `json:"resultado"`
	Motivo         *string  `json:"motivo"`
	Uniones        []int    `json:"uniones"`
	Version        *uint64  `json:"version"`
	Seq            *uint64  `json:"seq"`
	PIN            *string  `json:"pin"`
	PINDestino     *string  `json:"pin_destino"`

	needs needs
	op    plant.Op
	fecha plant.Date
	res   plant.Resultado
}

// needs is what an endpoint requires of the body.
type needs struct {
	batch, op, destino, resultado bool
	// worker may be left out by a supervisor's act.
	noWorker bool
}

const maxBatch = 50

func (b *order) check(k *checker) {
	b.checkTags(k)
	b.checkWorkers(k)
	if b.Operacion != nil {
		op, ok := plant.ParseOp(*b.Operacion)
		if !ok {
			k.bad("operacion", "Operación inválida: debe ser ARM, SOLD, METROLOGIA o REPARACION.", *b.Operacion)
		}
		b.op = op
	} else if b.needs.op {
		k.missing("operacion")
	}
	if b.Resultado != nil {
		r, ok := plant.ParseResultado(*b.Resultado)
		if !ok {
			k.bad("resultado", "Resultado inválido: debe ser APROBADO o RECHAZADO.", *b.Resultado)
		}
		b.res = r
	} else if b.needs.resultado {
		k.missing("resultado")
	}
	if b.FechaOperacion != nil && *b.FechaOperacion != "" {
		d, ok := parseDay(*b.FechaOperacion)
		if !ok {
			k.bad("fecha_operacion", "Fecha inválida: debe ser AAAA-MM-DD o DD-MM-AAAA.", *b.FechaOperacion)
		}
		b.fecha = d
	}
}

func (b *order) checkTags(k *checker) {
	switch {
	case !b.needs.batch && b.TagSpool == nil:
		k.missing("tag_spool")
	case !b.needs.batch && strings.TrimSpace(*b.TagSpool) == "":
		k.bad("tag_spool", "tag_spool no puede estar vacío.", *b.TagSpool)
	case b.needs.batch && b.TagSpools == nil:
		k.missing("tag_spools")
	case b.needs.batch && (len(b.TagSpools) == 0 || len(b.TagSpools) > maxBatch):
		k.bad("tag_spools", "tag_spools debe traer entre 1 y 50 elementos.", len(b.TagSpools))
	}
	seen := map[string]bool{}
	for _, t := range b.TagSpools {
		if key := strings.ToUpper(strings.TrimSpace(t)); seen[key] {
			k.bad("tag_spools", "tag_spools trae un elemento dos veces.", t)
			return
		} else if seen[key] = true; key == "" {
			k.bad("tag_spools", "tag_spools trae un elemento vacío.", t)
			return
		}
	}
}

func (b *order) checkWorkers(k *checker) {
	const most = 1<<31 - 1
	switch {
	case b.WorkerID == nil && !b.needs.noWorker:
		k.missing("worker_id")
	case b.WorkerID != nil && (*b.WorkerID <= 0 || *b.WorkerID > most):
		k.bad("worker_id", "worker_id debe ser un entero mayor que 0.", *b.WorkerID)
	}
	switch {
	case b.needs.destino && b.WorkerDestino == nil:
		k.missing("worker_destino")
	case b.WorkerDestino != nil && (*b.WorkerDestino <= 0 || *b.WorkerDestino > most):
		k.bad("worker_destino", "worker_destino debe ser un entero mayor que 0.", *b.WorkerDestino)
	}
	if b.WorkerNombre != nil && *b.WorkerNombre == "" {
		k.bad("worker_nombre", "worker_nombre no puede estar vacío.", "")
	}
}

// parseDay reads AAAA-MM-DD, also with a time behind it, and DD-MM-AAAA.
func parseDay(s string) (plant.Date, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 10 && s[4] == '-' && (s[10] == 'T' || s[10] == ' ') {
		s = s[:10]
	}
	for _, layout := range []string{"2006-01-02", "02-01-2006"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1990 && t.Year() < 2200 {
			return plant.NewDate(t.Date()), true
		}
	}
	return 0, false
}

// command begins the command of a body that was decoded.
func (c *call) command(b *order, v plant.Verb) (plant.Command, error) {
	cmd := plant.Command{Verb: v, Op: b.op, Fecha: b.fecha, Resultado: b.res, Version: b.Version, Unions: b.Uniones,
		Door: plant.DoorV3, Device: c.grant.device, Supervisor: c.grant.supervisor}
	if b.TagSpool != nil {
		cmd.Tag = plant.Tag(strings.TrimSpace(*b.TagSpool))
	}
	if b.WorkerID != nil {
		cmd.Worker = plant.WorkerID(*b.WorkerID)
	}
	if b.WorkerDestino != nil {
		cmd.Destino = plant.WorkerID(*b.WorkerDestino)
	}
	if b.Motivo != nil {
		cmd.Motivo = *b.Motivo
	}
	if b.Seq != nil {
		cmd.Undoes = plant.Seq(*b.Seq)
	}
	if err := c.proven(&cmd, b.PIN, b.PINDestino); err != nil {
		return cmd, err
	}
	return cmd, c.key(&cmd, b)
}

// key takes the idempotency key over. What must match under it are method, path
// and what the body says: spacing, the order of fields and fields that nobody
// reads do not count (rules §9.1).
func (c *call) key(cmd *plant.Command, b interface{ says([]byte) []byte }) error {
	key := c.r.Header.Get(keyHeader)
	if key == "" {
		return nil
	}
	if utf8.RuneCountInString(key) > maxKey {
		return invalid("header", keyHeader, "string_too_long", "Idempotency-Key puede tener 128 caracteres como máximo.", nil)
	}
	if cmd.ID = plant.CommandID(key); len(key) > plant.MaxBatchID { // the store counts bytes
		cmd.ID = plant.CommandID("clave-" + hashHex(key))
	}
	says := append(make([]byte, 0, 320), c.r.Method...)
	says = append(append(append(says, ' '), c.r.URL.Path...), '\n')
	cmd.Digest = sha256.Sum256(b.says(says))
	return nil
}

// says appends what the body says, the same for all bodies that say the same;
// PINs are left out, so that no receipt can be tried against.
func (b *order) says(out []byte) []byte {
	for _, f := range []struct {
		name string
		text *string
	}{{"tag_spool", b.TagSpool}, {"operacion", b.Operacion}, {"fecha_operacion", b.FechaOperacion}, {"resultado", b.Resultado}, {"motivo", b.Motivo}} {
		if f.text != nil {
			out = appendTextField(out, f.name, *f.text)
		}
	}
	for _, t := range b.TagSpools {
		out = appendTextField(out, "tag_spools", t)
	}
	for _, f := range []struct {
		name   string
		number *int64
	}{{"worker_id", b.WorkerID}, {"worker_destino", b.WorkerDestino}} {
		if f.number != nil {
			out = appendIntField(out, f.name, int(*f.number))
		}
	}
	for _, f := range []struct {
		name   string
		number *uint64
	}{{"version", b.Version}, {"seq", b.Seq}} {
		if f.number != nil {
			out = appendUintField(out, f.name, *f.number)
		}
	}
	if b.Uniones != nil {
		out = append(out, ",uniones"...)
	}
	for _, n := range b.Uniones {
		out = appendIntField(out, "uniones", n)
	}
	return out
}

// one decodes a body and carries its command out.
func (c *call) one(n needs, v plant.Verb) (plant.Event, error) {
	b := order{needs: n}
	if err := c.decode(&b); err != nil {
		return plant.Event{}, err
	}
	return c.carry(&b, v)
}

func (c *call) carry(b *order, v plant.Verb) (plant.Event, error) {
	cmd, err := c.command(b, v)
	if err != nil {
		return plant.Event{}, err
	}
	rec, err := c.s.o.Plant.Do(c.r.Context(), cmd)
	return rec.Event, err
}

// done is the answer to an accepted write: what was committed and nothing else.
// more appends fields of an endpoint's own.
func done(e *plant.Event, message string, more func([]byte) []byte) raw {
	b := append(make([]byte, 0, 320), `{"success":true`...)
	b = appendTextField(b, "tag_spool", string(e.Tag))
	b = appendTextField(b, "message", message)
	b = appendUintField(b, "seq", uint64(e.Seq))
	b = appendUintField(b, "version", e.Version)
	b = appendTextField(b, "estado_detalle", e.EstadoRespuesta())
	if more != nil {
		b = more(b)
	}
	return append(b, '}')
}

func (s *Server) tomar(c *call) (any, error) {
	b := order{needs: needs{op: true}}
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	e, err := c.carry(&b, plant.Tomar)
	if err != nil {
		return nil, err
	}
	return done(&e, taken(&e), nil), nil
}

func taken(e *plant.Event) string {
	return "Spool " + string(e.Tag) + " tomado por " + e.Worker.Display
}

func (s *Server) pausar(c *call) (any, error) {
	e, err := c.one(needs{}, plant.Pausar)
	if err != nil {
		return nil, err
	}
	return done(&e, textPaused+string(e.Tag), ended(&e)), nil
}

const textPaused = "Trabajo pausado en "

// partial is what a COMPLETAR with unions still open came to.
func partial(e *plant.Event) string {
	out := textPaused + string(e.Tag)
	if e.Needed > 0 {
		out += ": " + e.Op.String() + " parcial " + strconv.Itoa(e.Done) + "/" + strconv.Itoa(e.Needed)
	}
	return out
}

// completar also carries the inspection of the last v3.0 clients.
func (s *Server) completar(c *call) (any, error) {
	var b order
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	if b.op == plant.METROLOGIA {
		if b.res == plant.ResultadoNone {
			return nil, invalid("body", "resultado", "missing", "Falta el campo resultado.", nil)
		}
		return c.inspect(&b)
	}
	e, err := c.carry(&b, plant.Completar)
	if err != nil {
		return nil, err
	}
	return done(&e, finished(&e), ended(&e)), nil
}

func finished(e *plant.Event) string {
	if e.Outcome == plant.Pausar {
		return partial(e)
	}
	return "Operación completada en " + string(e.Tag)
}

// ended adds what the end of a hold came to.
func ended(e *plant.Event) func([]byte) []byte {
	return func(b []byte) []byte {
		b = appendTextField(b, "action_taken", e.Outcome.String())
		b = appendIntField(b, "unions_processed", len(e.Selected))
		b = append(appendKey(b, "pulgadas"), e.PD.String()...)
		if e.Ready {
			b = append(appendKey(b, "metrologia_triggered"), "true"...)
		}
		return b
	}
}

func (s *Server) cancelar(c *call) (any, error) {
	e, err := c.one(needs{}, plant.Cancelar)
	if err != nil {
		return nil, err
	}
	return done(&e, "Toma cancelada en "+string(e.Tag), nil), nil
}

func (s *Server) relevar(c *call) (any, error) {
	e, err := c.one(needs{}, plant.Relevar)
	if err != nil {
		return nil, err
	}
	return done(&e, taken(&e), passed(&e)), nil
}

func (s *Server) traspasar(c *call) (any, error) {
	e, err := c.one(needs{destino: true}, plant.Traspasar)
	if err != nil {
		return nil, err
	}
	return done(&e, "Spool "+string(e.Tag)+" traspasado a "+e.Worker.Display, passed(&e)), nil
}

// passed adds from whom to whom.
func passed(e *plant.Event) func([]byte) []byte {
	return func(b []byte) []byte {
		b = appendTextField(b, "worker_nombre", e.Worker.Display)
		return appendTextField(b, "de", e.From.Display)
	}
}

func (s *Server) liberar(c *call) (any, error) {
	e, err := c.one(needs{noWorker: true}, plant.Liberar)
	if err != nil {
		return nil, err
	}
	return done(&e, "Spool "+string(e.Tag)+" liberado", passed(&e)), nil
}

func (s *Server) desbloquear(c *call) (any, error) {
	e, err := c.one(needs{noWorker: true}, plant.Desbloquear)
	if err != nil {
		return nil, err
	}
	return done(&e, "Spool "+string(e.Tag)+" vuelve a reparación", nil), nil
}

func (s *Server) deshacer(c *call) (any, error) {
	e, err := c.one(needs{}, plant.Deshacer)
	if err != nil {
		return nil, err
	}
	return done(&e, "Deshecho en "+string(e.Tag), func(b []byte) []byte { return appendUintField(b, "deshace", uint64(e.Undoes)) }), nil
}

func (s *Server) metrologia(c *call) (any, error) {
	b := order{needs: needs{resultado: true}}
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	return c.inspect(&b)
}

func (c *call) inspect(b *order) (any, error) {
	b.op = plant.METROLOGIA
	e, err := c.carry(b, plant.Inspeccionar)
	if err != nil {
		return nil, err
	}
	word := strings.ToLower(e.Resultado.String())
	return done(&e, "Metrología "+word+" para spool "+string(e.Tag), func(b []byte) []byte {
		b = appendTextField(b, "resultado", e.Resultado.String())
		return appendIntField(b, "cycle", int(e.Progress.Ciclo))
	}), nil
}

// repair is an endpoint of Reparación (rules §9.7).
func repair(v plant.Verb, text, after string, more func(*plant.Event) func([]byte) []byte) endpoint {
	return func(c *call) (any, error) {
		b := order{}
		if err := c.decode(&b); err != nil {
			return nil, err
		}
		b.op = plant.REPARACION
		e, err := c.carry(&b, v)
		if err != nil {
			return nil, err
		}
		return done(&e, text+string(e.Tag)+after, more(&e)), nil
	}
}

func repairTaken(e *plant.Event) func([]byte) []byte {
	return func(b []byte) []byte { return repairCycle(e)(appendTextField(b, "worker_nombre", e.Worker.Display)) }
}

func repairCycle(e *plant.Event) func([]byte) []byte {
	return func(b []byte) []byte { return appendIntField(b, "cycle", int(e.Progress.Ciclo)) }
}

// batchTomar judges each spool on its own (rules §6.3).
func (s *Server) batchTomar(c *call) (any, error) {
	b := order{needs: needs{batch: true, op: true}}
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	first, err := c.command(&b, plant.Tomar)
	if err != nil {
		return nil, err
	}
	cmds, results, err := c.each(first, b.TagSpools)
	if err != nil {
		return nil, err
	}
	return c.batch(cmds, results), nil
}

// itemKey is the key of one thing of a form: the form repeated is every thing
// repeated.
func itemKey(id plant.CommandID, t plant.Tag) plant.CommandID {
	return plant.CommandID("lote-" + hashHex(string(id)+"\x00"+string(t)))
}

// batch is the answer to a batch.
func (c *call) batch(cmds []plant.Command, results []plant.Result) raw {
	good := 0
	var items []byte
	for i, r := range results {
		if i > 0 {
			items = append(items, ',')
		}
		ok, text, tag := true, "", string(cmds[i].Tag)
		if r.Err == nil {
			good++
			tag = string(r.Receipt.Event.Tag)
			text = taken(&r.Receipt.Event)
		} else {
			ok, text = false, c.refusal(r.Err)
		}
		items = strconv.AppendBool(append(items, `{"success":`...), ok)
		items = appendTextField(items, "tag_spool", tag)
		items = appendTextField(items, "message", text)
		if ok {
			items = appendUintField(items, "seq", uint64(r.Receipt.Event.Seq))
			items = appendUintField(items, "version", r.Receipt.Event.Version)
		}
		items = append(items, '}')
	}
	b := strconv.AppendInt([]byte(`{"total":`), int64(len(results)), 10)
	b = appendIntField(b, "succeeded", good)
	b = appendIntField(b, "failed", len(results)-good)
	b = append(append(appendKey(b, "details"), '['), items...)
	return append(b, `]}`...)
}

// refusal is the text of a batch's failed item (rules §6.3).
func (c *call) refusal(err error) string {
	body, _ := c.s.explain(c.w, c.r, err)
	if errors.Is(err, plant.ErrOccupied) {
		return "Spool ya ocupado: " + body.Message
	}
	return "Error: " + body.Message
}
