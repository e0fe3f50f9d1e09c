package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"envivo/plant"
	"envivo/sheetsync/google"
	"envivo/sheetsync/table"
)

// unionsEvery is how often all unions are read; the office's definitions must
// reach the floor within a minute.
const unionsEvery = 45 * time.Second

// outboxReads is the most events the outbox gives at once.
const outboxReads = 5000

// studyEvery is how often the whole log is compared with the store's.
const studyEvery = 15 * time.Minute

// cycle is one exchange in progress.
type cycle struct {
	now     time.Time
	poll    bool // the office's inputs are read as well
	snap    *plant.Snapshot
	pending []plant.Event
	// more says that the outbox holds more than was read: any spool may wait then.
	more bool
	// upTo is the last event that the cycle knows of: what is not in pending up to
	// it has been delivered, what comes after it waits.
	upTo   plant.Seq
	upToAt time.Time // of that event, when more wait
	// waiting are the spools with pending events; defined those whose unions our
	// form has changed.
	waiting, defined map[plant.Tag]bool
	pages            map[string]*page
	usable           map[string]bool // worksheets whose reading may be believed
	wholeLog         bool            // Metadata was read from its first row on
	formulas         bool            // formulas were looked for in this cycle
}

// exchange reads, brings in, writes. An error ends it where it is: whatever was
// not proved stays in the outbox.
func (m *Mirror) exchange(ctx context.Context, now time.Time, forced bool) error {
	if !m.located || m.failures > 3 { // after an outage one small call tells whether it is over
		if err := m.locate(ctx); err != nil {
			return err
		}
	}
	c := &cycle{now: now, poll: forced || !now.Before(m.polled.Add(m.o.Poll)), usable: map[string]bool{}}
	if err := m.refresh(c); err != nil {
		return err
	}
	first := c.snap.Len() == 0
	if forced || now.Sub(m.studied) >= studyEvery {
		m.trail.forget()
	}
	var err error
	if c.pages, err = m.read(ctx, m.wishes(c, first)); err != nil {
		return m.unread(err)
	}
	m.believe(c)
	if err := m.putBack(ctx, c); err != nil {
		return err
	}
	if c.poll {
		if err := m.bringIn(ctx, c, first); err != nil {
			return err
		}
		m.polled = now
		if err := m.refresh(c); err != nil {
			return err
		}
	}
	if !c.usable[table.Operaciones] && !c.usable[table.Metadata] {
		m.publish(c, false)
		return nil
	}
	if err := m.groom(ctx, c, forced); err != nil {
		return err
	}
	if err := m.sendOut(ctx, c); err != nil {
		return err
	}
	m.publish(c, c.usable[table.Operaciones] && m.trail.known && !m.readOnly())
	return nil
}

// refresh takes the newest snapshot and everything that waits for the Sheet. The
// snapshot comes first: a change it holds is in the outbox by then, and is never
// taken for somebody's edit. What was committed in between is left for later.
func (m *Mirror) refresh(c *cycle) error {
	c.snap = m.plant.Snapshot()
	pending, err := m.plant.Pending(0)
	if err != nil {
		return fmt.Errorf("read the outbox: %w", err)
	}
	c.more = len(pending) >= outboxReads
	if c.upTo = c.snap.Seq; c.more {
		last := pending[len(pending)-1]
		c.upTo, c.upToAt = min(c.upTo, last.Seq), last.At
	}
	c.pending = slices.DeleteFunc(pending, func(e plant.Event) bool { return e.Seq > c.snap.Seq }) // empties the end of pending
	c.waiting, c.defined = map[plant.Tag]bool{}, map[plant.Tag]bool{}
	for _, e := range c.pending {
		if e.Tag != "" && !ofTheOffice(e) {
			c.waiting[e.Tag] = true
			c.defined[e.Tag] = c.defined[e.Tag] || e.Kind == plant.KindUniones
		}
	}
	return nil
}

// ofTheOffice reports whether an event brought nothing but notes and data of the
// office: no other cell of ours changes with it.
func ofTheOffice(e plant.Event) bool {
	return e.Import != nil && e.Import.Spool == nil && len(e.Unions) == 0
}

// wishes are what this cycle has to read.
func (m *Mirror) wishes(c *cycle, first bool) []wish {
	var out []wish
	add := func(name string, columns []string, from int) {
		if t := m.tab(name); t.found {
			out = append(out, wish{t, columns, from})
		}
	}
	add(table.Operaciones, table.Columns(table.Operaciones), 0)
	if c.poll {
		add(table.Trabajadores, append(table.Columns(table.Trabajadores), "Rol"), 0)
		add(table.Roles, table.Columns(table.Roles), 0)
	}
	if c.poll && !c.now.Before(m.unions.Add(unionsEvery)) || first || m.unionsWait(c) {
		add(table.Uniones, table.Columns(table.Uniones), 0)
	}
	from := 0
	if (m.trail.known || m.trail.doubt != nil) && !first {
		from = m.trail.look()
	}
	c.wholeLog = from == 0
	add(table.Metadata, table.Columns(table.Metadata), from)
	return out
}

// unionsWait reports whether something pending concerns cells of unions.
func (m *Mirror) unionsWait(c *cycle) bool {
	return slices.ContainsFunc(c.pending, func(e plant.Event) bool { return touchesUnions(e) && !m.rowDone[e.Seq] })
}

func touchesUnions(e plant.Event) bool {
	return e.Kind != plant.KindImportar && (len(e.Unions) > 0 || len(e.Removed) > 0)
}

// unread turns a refused reading into a look at the layout: a worksheet was
// renamed, deleted or became smaller.
func (m *Mirror) unread(err error) error {
	if google.ClassOf(err) == google.Refused {
		m.located = false
		m.trail.forget()
		for _, t := range m.tabs { // where columns were may lie outside of the grid now
			t.texts, t.header = nil, table.Header{}
		}
	}
	return err
}

// believe decides which worksheets of a reading may be used: their headers must
// be whole and clear, and they must not have shrunk by a stroke.
func (m *Mirror) believe(c *cycle) {
	missing := false
	for _, t := range m.tabs {
		p := c.pages[t.name]
		if !t.found {
			missing = true
			m.absent(t, c.now)
			continue
		}
		m.clear("hoja", t.name)
		if p == nil {
			continue
		}
		c.usable[t.name] = m.clearHeader(c, t) && m.plausible(c, t, p)
	}
	if missing {
		m.located = false // somebody may bring it back: look again at the next poll
	}
}

// absent says that a worksheet is not there. Without unions a plant works.
func (m *Mirror) absent(t *tab, now time.Time) {
	if t.name == table.Uniones {
		return
	}
	m.alert("hoja", t.name, "", now, fmt.Sprintf("No existe la hoja «%s» en la planilla: %s está detenida hasta que vuelva.", m.o.title(t.name), direction(t.name)))
}

// direction is what stops with a worksheet.
func direction(name string) string {
	switch name {
	case table.Operaciones:
		return "el intercambio de los spools"
	case table.Metadata:
		return "la escritura del registro"
	case table.Uniones:
		return "el intercambio de las uniones"
	}
	return "la lectura de las personas"
}

// added are the columns of the migration (rules §10).
var added = []string{"Ocupado_Por", "Fecha_Ocupacion", "version", "Estado_Detalle"}

// clearHeader reports whether the header of a worksheet has everything that is
// needed, once each.
func (m *Mirror) clearHeader(c *cycle, t *tab) bool {
	missing, twice := t.lacking(table.Critical(t.name, false))
	if len(t.texts) == 0 {
		m.alert("columna", t.name, "", c.now, fmt.Sprintf("La hoja «%s» respondió sin encabezados; la lectura se dejó aparte.", t.grid.Title))
		return false
	}
	if t.name == table.Operaciones && !slices.ContainsFunc(added, func(a string) bool { _, ok := t.header.Col(a); return ok }) {
		m.clear("columna", t.name)
		return m.unmigrated(c, t, missing)
	}
	m.clear("migración", t.name)
	switch {
	case len(missing) > 0:
		m.alert("columna", t.name, strings.Join(missing, ", "), c.now, fmt.Sprintf("En la hoja «%s» falta la columna %s: %s está detenido hasta que vuelva.",
			t.grid.Title, strings.Join(missing, ", "), direction(t.name)))
		return false
	case len(twice) > 0:
		m.alert("columna", t.name, strings.Join(twice, ", "), c.now, fmt.Sprintf("En la hoja «%s» la columna %s está dos veces: %s está detenido hasta que quede una.",
			t.grid.Title, strings.Join(twice, ", "), direction(t.name)))
		return false
	}
	m.clear("columna", t.name)
	return true
}

// unmigrated handles a sheet from before the occupation: with the plant's
// permission it is read, never written.
func (m *Mirror) unmigrated(c *cycle, t *tab, missing []string) bool {
	rest := slices.DeleteFunc(slices.Clone(missing), func(s string) bool { return slices.Contains(added, s) })
	if !m.o.Old || len(rest) > 0 {
		m.alert("migración", t.name, strings.Join(missing, ", "), c.now, fmt.Sprintf("A la hoja «%s» le faltan columnas (%s): ejecute «envivo sheet migrate».",
			t.grid.Title, strings.Join(missing, ", ")))
		return false
	}
	m.alert("migración", t.name, "", c.now, fmt.Sprintf("La hoja «%s» no está migrada: solo se lee, no se escribe nada en ella.", t.grid.Title))
	p := c.pages[t.name]
	for _, a := range added {
		if !slices.Contains(p.columns, a) {
			p.columns = append(p.columns, a)
			p.rows[0] = append(p.rows[0], table.TextCell(a))
		}
	}
	return true
}

// readOnly reports that nothing may be written to a sheet.
func (m *Mirror) readOnly() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, old := m.alerts["migración\x00"+table.Operaciones]
	return old
}

const (
	// shrinkage is the share of rows that may go from one reading to the next.
	shrinkage = 0.2
	// slack is how many rows may go in any case.
	slack = 3
	// insist is how many readings in a row have to say the same before less is
	// believed; nothing at all never is.
	insist = 20
)

// plausible reports whether a worksheet has about as many rows as before.
func (m *Mirror) plausible(c *cycle, t *tab, p *page) bool {
	if t.name == table.Metadata {
		return true // the log has its own check
	}
	n := filled(p, t.name)
	was := m.baseline[t.name]
	if t.name == table.Operaciones && was == 0 {
		was = c.snap.Len()
	}
	if t.name == table.Trabajadores && was == 0 {
		was = len(c.snap.Workers())
	}
	if lost := was - n; lost <= slack || float64(lost) <= shrinkage*float64(was) {
		m.baseline[t.name], m.odd[t.name] = n, 0
		m.clear("lectura", t.name)
		return true
	}
	m.odd[t.name]++
	if n > 0 && m.odd[t.name] >= insist {
		m.baseline[t.name], m.odd[t.name] = n, 0
		m.clear("lectura", t.name)
		m.note(c.now, fmt.Sprintf("La hoja «%s» tiene %d filas desde hace %d lecturas (antes %d): se aceptó.", t.grid.Title, n, insist, was))
		return true
	}
	m.alert("lectura", t.name, "", c.now, fmt.Sprintf("La hoja «%s» respondió %d filas (antes %d): la lectura se dejó aparte y nada cambió.", t.grid.Title, n, was))
	return false
}

// filled counts the rows that are about something.
func filled(p *page, name string) int {
	key := "TAG_SPOOL"
	if name == table.Trabajadores || name == table.Roles {
		key = "Id"
	}
	n := 0
	for row := 2; row <= len(p.rows); row++ {
		if !p.cell(row, key).Blank() {
			n++
		}
	}
	return n
}

// settle draws the consequences of an exchange: how long to rest, what to say.
func (m *Mirror) settle(ctx context.Context, err error) {
	now := m.o.Now()
	if err == nil {
		m.failures, m.rest, m.starved = 0, time.Time{}, false
		m.clear("google", "")
		return
	}
	if ctx.Err() != nil {
		return // being stopped is no failure
	}
	if m.starved = errors.Is(err, errPaced); m.starved {
		return // next waits for the minute to pass
	}
	m.failures++
	wait := backoff(m.failures, m.o.Random)
	var g *google.Error
	switch {
	case !errors.As(err, &g):
		m.log.Error("sheet sync", "err", err)
		m.alert("google", "", "", now, "El intercambio falló dentro del servidor: "+err.Error())
	case g.Class == google.Stop:
		wait = stoppedFor
		m.alert("google", "", "", now, m.sayStop(g))
	case g.Class == google.Wait:
		wait = max(wait, g.RetryAfter)
		m.alert("google", "", "", now, "Google pide esperar (cuota agotada). Se seguirá solo; el piso no se entera.")
	case g.Class == google.Refused && m.failures < 3:
	default:
		if m.failures > 3 {
			m.alert("google", "", "", now, "Sin conexión con Google: "+g.Err.Error()+". Se seguirá solo; el piso no se entera.")
		}
	}
	m.rest = now.Add(wait)
	m.publishFailure()
}

// sayStop tells a person what to do.
func (m *Mirror) sayStop(g *google.Error) string {
	who := m.o.Account
	if who == "" {
		who = "la cuenta de servicio"
	}
	switch {
	case g.Reason == foreignEnv:
		return fmt.Sprintf("La planilla es del ambiente «%v» y este servidor es de «%s»: no se lee ni se escribe. Si es una copia, ejecute «envivo sheet check --claim».", g.Err, m.o.Env)
	case g.Reason == "invalid_grant":
		return "Google no acepta la clave de la cuenta de servicio: cree una nueva y cámbiela en --sheet-credentials."
	case g.Reason == "answerTooLarge":
		return "Lo que llega de la planilla es demasiado grande (" + g.Err.Error() + "): revise si alguien pegó datos de más, o si responde otro en lugar de Google."
	case g.Reason == "SERVICE_DISABLED":
		return "La API de Google Sheets está desactivada en el proyecto de la cuenta: actívela en la consola de Google."
	case g.Status == 404:
		return "Google no encuentra la planilla: revise --sheet-id, o recupérela de la papelera."
	case g.Status == 403:
		return "La planilla no está compartida con " + who + ": compártala como editor."
	}
	return "Google no acepta las credenciales: " + g.Err.Error()
}
