package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"envivo/plant"
	"envivo/ui"
)

// act is what a form's address asks for and which fields it sends.
type act struct {
	verb   plant.Verb
	fields []string
	fill   func(*plant.Command, url.Values)
	// sheet is the dialog to show again when the form was refused.
	sheet string
	// anyone need not be identified.
	anyone bool
}

// acts are the forms of a spool's page. Each knows its fields; one more is
// refused, so that no misspelt field can turn one act into another.
var acts = map[string]act{
	"tomar":   {verb: plant.Tomar, fields: []string{"operacion"}},
	"reparar": {verb: plant.Tomar, fields: []string{"operacion"}, fill: func(c *plant.Command, _ url.Values) { c.Op = plant.REPARACION }},
	"pausar":  {verb: plant.Pausar, fields: []string{"operacion", "union"}},
	"terminar": {verb: plant.Finalizar, fields: []string{"operacion", "union"}, fill: func(c *plant.Command, _ url.Values) {
		c.Override, c.Unions = plant.Completar, nil
	}},
	"guardar":   {verb: plant.Finalizar, fields: []string{"operacion", "union"}},
	"relevar":   {verb: plant.Relevar, fields: []string{"operacion", "union"}},
	"aprobado":  {verb: plant.Inspeccionar, fields: []string{"operacion", "union"}, fill: verdict(plant.Aprobado)},
	"rechazado": {verb: plant.Inspeccionar, fields: []string{"union", "motivo", "otro"}, sheet: "rechazado", fill: verdict(plant.Rechazado)},
	"cancelar":  {verb: plant.Cancelar, fields: []string{"operacion"}, sheet: "cancelar"},
	"traspasar": {verb: plant.Traspasar, fields: []string{"destino", "pin", "union"}, sheet: "traspasar", fill: func(c *plant.Command, f url.Values) {
		n, _ := strconv.ParseInt(f.Get("destino"), 10, 32) // 0 is refused as missing
		c.Destino = plant.WorkerID(n)
	}},
	"liberar":     {verb: plant.Liberar, fields: []string{"motivo", "otro"}, sheet: "liberar", anyone: true},
	"desbloquear": {verb: plant.Desbloquear, fields: []string{"motivo", "otro"}, sheet: "desbloquear", anyone: true},
	"nota":        {verb: plant.Anotar, fields: []string{"texto"}, sheet: "nota", anyone: true, fill: func(c *plant.Command, f url.Values) { c.Texto = f.Get("texto") }},
	"deshacer": {verb: plant.Deshacer, fields: []string{"evento", "volver", "quien", "pin"}, fill: func(c *plant.Command, f url.Values) {
		n, _ := strconv.ParseUint(f.Get("evento"), 10, 62) // 0 is the last command
		c.Undoes, c.Version = plant.Seq(n), nil
	}},
}

func verdict(v plant.Resultado) func(*plant.Command, url.Values) {
	return func(c *plant.Command, _ url.Values) {
		c.Op, c.Resultado = plant.METROLOGIA, v
		if v == plant.Aprobado {
			c.Unions = nil
		}
	}
}

// maxForm is the largest form, in bytes.
const maxForm = 64 << 10

// form reads a form that may send only the fields named.
func (p *pages) form(w http.ResponseWriter, r *http.Request, fields ...string) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, &plant.Error{Code: plant.CodeInvalid, Err: err}
	}
	for name, values := range r.PostForm {
		if !slices.Contains(fields, name) || len(values) > 1 && name != "union" {
			return nil, &foreignField{name}
		}
	}
	return r.PostForm, nil
}

// foreignField is a field that none of our forms sends.
type foreignField struct{ name string }

func (f *foreignField) Error() string { return "a form sent the field " + strconv.Quote(f.name) }

// rejected answers a form that cannot be understood.
func (p *pages) rejected(w http.ResponseWriter, r *http.Request, err error) error {
	p.log.Info("form refused", "path", r.URL.Path, "err", err)
	p.turnedAway(r, codeInvalid, err)
	return p.write(w, r, http.StatusUnprocessableEntity, live{}, ui.ErrorPage(p.frame(w, r, "No se guardó"), "No se guardó.", ui.TextForeign, ""))
}

// command carries out one form of a spool's page.
func (p *pages) command(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("verbo")
	a, ok := acts[name]
	if !ok {
		return p.missing(w, r)
	}
	form, err := p.form(w, r, append([]string{"orden", "version"}, a.fields...)...)
	if err != nil {
		return p.outcome(w, r, result{act: a, err: err})
	}
	me, known := p.me(r, p.plant.Snapshot())
	if !known && a.verb == plant.Deshacer { // the bar outlives whoever left the tablet
		me, known = activeWorker(p.plant.Snapshot(), form.Get("quien"))
	}
	cmd, err := p.orderBy(r, a, form, me, known)
	if err != nil {
		return p.outcome(w, r, result{act: a, form: form, err: err})
	}
	rec, err := p.plant.Do(r.Context(), cmd)
	return p.outcome(w, r, result{act: a, form: form, event: rec.Event, err: err})
}

// errNobody says that nobody is identified on the tablet.
var errNobody = errors.New("nobody is identified")

// orderBy makes the command of a form for who acts.
func (p *pages) orderBy(r *http.Request, a act, form url.Values, me plant.Worker, known bool) (plant.Command, error) {
	pin := form.Get("pin")
	form.Del("pin") // the digest is kept
	c := plant.Command{ID: plant.CommandID(form.Get("orden")), Verb: a.verb, Tag: plant.Tag(r.PathValue("tag")),
		Door: plant.DoorPage, Device: p.device(r), Supervisor: p.supervisor(r)}
	c.Worker = me.ID
	if held, ok := p.assigned(a, c); ok { // who assigned it may take it back
		c.Worker, c.Actor, known = held, plant.BySupervisor, true
	}
	if !known && !a.anyone {
		return c, errNobody
	}
	if c.ID == "" || len(c.ID) > plant.MaxCommandID {
		return c, &plant.Error{Code: plant.CodeInvalid, Verb: a.verb, Tag: c.Tag, Missing: "orden"}
	}
	if err := c2fields(&c, form); err != nil {
		return c, err
	}
	if a.fill != nil {
		a.fill(&c, form)
	}
	if a.verb == plant.Finalizar && c.Override == plant.VerbNone && len(c.Unions) == 0 {
		return c, &plant.Error{Code: plant.CodeUnion, Verb: a.verb, Tag: c.Tag, Op: c.Op} // nothing ticked is no cancellation
	}
	if err := p.proven(r, &c, pin); err != nil {
		return c, err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n%d\n%s", r.URL.Path, form.Encode(), c.Worker, "page")
	sum.Sum(c.Digest[:0])
	return c, nil
}

// c2fields reads the fields that several forms share.
func c2fields(c *plant.Command, form url.Values) error {
	bad := func(field string) error {
		return &plant.Error{Code: plant.CodeInvalid, Verb: c.Verb, Tag: c.Tag, Missing: field}
	}
	if v := form.Get("operacion"); v != "" {
		op, ok := plant.ParseOp(v)
		if !ok {
			return bad("operacion")
		}
		c.Op = op
	}
	if v := form.Get("version"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			return bad("version")
		}
		c.Version = &n
	}
	for _, v := range form["union"] {
		n, err := strconv.Atoi(v)
		if err != nil {
			return bad("union")
		}
		c.Unions = append(c.Unions, n)
	}
	c.Motivo = strings.TrimSpace(form.Get("otro"))
	if c.Motivo == "" {
		c.Motivo = form.Get("motivo")
	}
	return nil
}

// result is what became of a form.
type result struct {
	act   act
	form  url.Values
	event plant.Event
	err   error
}

func refusalIn(err error) *plant.Error {
	var no *plant.Error
	if errors.As(err, &no) {
		return no
	}
	return nil
}

// outcome answers a form: to the script with what to show, else by loading the
// page again.
func (p *pages) outcome(w http.ResponseWriter, r *http.Request, res result) error {
	tag := plant.Tag(r.PathValue("tag"))
	list := besideOf(r.URL.Query())
	back := ui.SpoolBeside(tag, list)
	if v := local(res.form.Get("volver"), ""); v != "" {
		back = v
	}
	script := strings.Contains(r.Header.Get("Accept"), "application/json")
	if errors.Is(res.err, errNobody) {
		to := "/?volver=" + url.QueryEscape(back)
		if script {
			return p.told(w, r, toldJSON{Go: to}, nil)
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	if no := (*unproven)(nil); errors.As(res.err, &no) {
		return p.askOutcome(w, r, res, no)
	}
	n := p.noticeOf(r, res)
	if n.OK {
		p.drafts.keepTicks(res.event.Worker.ID, tag, nil)
		p.drafts.keepTicks(res.event.From.ID, tag, nil) // whose ticks went along with a hand-over
		p.forget(w, pairCookie)                         // what was begun by hand ends a pair of scans
	}
	if script {
		return p.told(w, r, toldJSON{OK: n.OK, Signal: n.Signal}, &n)
	}
	if !n.OK && res.act.sheet != "" {
		back = ui.SpoolBeside(tag, list, "hacer", res.act.sheet)
	}
	p.leaveNotice(w, n)
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}

// noticeOf is the sentence about a form's result.
func (p *pages) noticeOf(r *http.Request, res result) ui.Notice {
	if res.err == nil {
		return p.success(res.event)
	}
	p.turnedAway(r, codeInvalid, res.err)
	n := p.refusal(r, res)
	n.Signal = signalNo
	return n
}

func (p *pages) refusal(r *http.Request, res result) ui.Notice {
	snap := p.plant.Snapshot()
	no := refusalIn(res.err)
	var foreign *foreignField
	switch {
	case errors.As(res.err, &foreign):
		p.log.Info("form refused", "path", r.URL.Path, "err", res.err)
		return ui.Notice{Text: ui.TextForeign}
	case no == nil || no.Code == plant.CodeInternal:
		code := p.newID()
		p.log.Error("command", "path", r.URL.Path, "code", code, "err", res.err)
		no = &plant.Error{Code: plant.CodeInternal, Tag: plant.Tag(r.PathValue("tag"))}
		return ui.Notice{Text: ui.Refusal(no, ui.Telling{Who: snap, Now: p.now(), Code: code})}
	}
	t := ui.Telling{Who: snap, Now: p.now()}
	if row, ok := snap.Row(plant.Tag(r.PathValue("tag"))); ok {
		t.Spool = row.Spool
	}
	if me, ok := p.me(r, snap); ok {
		t.Mine = me.Roles
	}
	if no.Code == plant.CodeDisplaced {
		events, err := p.plant.History(r.Context(), no.Tag, snap.Seq+1, ui.PageOfHistory)
		if err != nil {
			p.log.Error("read why a hold was ended", "tag", no.Tag, "err", err)
		}
		t.Motivo = ui.MotiveOf(events, no.Since)
	}
	n := ui.Notice{Text: ui.Refusal(no, t)}
	if no.Code == plant.CodeSupervisor {
		n.Link, n.LinkText = "/entrar?volver="+url.QueryEscape(ui.SpoolPath(no.Tag)), "Ingresar el PIN"
	}
	return n
}

// success tells a committed event, with the way back while there is one.
func (p *pages) success(e plant.Event) ui.Notice {
	snap := p.plant.Snapshot()
	n := ui.Notice{OK: true, Text: ui.Outcome(e, snap), Fresh: true, Signal: signalOf(e.Kind)}
	row, ok := snap.Row(e.Tag)
	if !ok {
		return n
	}
	if row.Spool.Hold.Free() {
		n.Next = ui.NextStep(row)
	}
	if ui.Undoable(e.Kind) && row.Spool.Undo != nil && row.Spool.Undo.Seq == e.Seq {
		n.Undo, n.UndoTag, n.UndoUntil, n.CommandID = e.Seq, e.Tag, e.At.Add(snap.Rules().UndoWithin), p.newID()
		n.UndoBy = row.Spool.Undo.Actor
	}
	return n
}

// toldJSON is the answer to the script: {"ok":…,"html":…,"state":…} or
// {"ir":…}, where to go instead.
type toldJSON struct {
	OK   bool   `json:"ok"`
	HTML string `json:"html"`
	Go   string `json:"ir,omitempty"`
	// Signal is what the tablet sounds and vibrates.
	Signal string `json:"senal,omitempty"`
	// Moves says that the state belongs to the page's new view.
	Moves bool `json:"cambia,omitempty"`
	// Beside is the list to show beside a spool that was scanned, where there is
	// room and none yet.
	Beside string `json:"lista,omitempty"`
}

// The signals of ui/clientTexts' script: spool taken, work finished, a code
// seen, a refusal.
const (
	signalTaken = "tomado"
	signalDone  = "terminado"
	signalPause = "pausa"
	signalSeen  = "visto"
	signalTwice = "doble"
	signalNo    = "no"
)

func signalOf(k plant.Kind) string {
	switch k {
	case plant.KindTomar, plant.KindTomarReparacion, plant.KindRelevar, plant.KindTraspasar:
		return signalTaken
	case plant.KindCompletar, plant.KindCompletarReparacion, plant.KindInspeccion:
		return signalDone
	case plant.KindPausar, plant.KindPausarReparacion:
		return signalPause
	}
	return signalSeen
}

func (p *pages) told(w http.ResponseWriter, r *http.Request, t toldJSON, n *ui.Notice) error {
	if n != nil {
		f := ui.Frame{Now: p.now(), Here: ui.SpoolPath(plant.Tag(r.PathValue("tag")))}
		html, err := ui.Bytes(ui.NoticeBox(*n, f))
		if err != nil {
			return err
		}
		t.HTML = string(html)
	}
	head, err := marshal(t)
	if err != nil {
		return err
	}
	var out reply
	view := r.Header.Get("X-Vista")
	if l, err := p.state(view); view != "" && t.Go == "" && err == nil {
		out.add(append(bytes.TrimSuffix(head, []byte("}")), `,"state":`...))
		if err := p.addState(&out, l); err != nil {
			return err
		}
		out.add([]byte("}"))
	} else {
		out.add(head)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	return out.send(w, r, http.StatusOK)
}

func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return bytes.TrimSpace(buf.Bytes()), nil
}

// lookBack is how many events of a spool are searched for a command.
const lookBack = 200

// orderOutcome says what became of a command whose answer was lost.
func (p *pages) orderOutcome(w http.ResponseWriter, r *http.Request) error {
	id := plant.CommandID(r.URL.Query().Get("id"))
	e, ok, err := p.committed(r, plant.Tag(r.PathValue("tag")), id)
	switch {
	case err != nil:
		return err
	case !ok:
		return p.told(w, r, toldJSON{}, &ui.Notice{Text: ui.TextNotSaved})
	}
	n := p.success(e)
	n.Text = "Confirmado: guardado a las " + plant.Clock(e.At) + ". " + n.Text
	return p.told(w, r, toldJSON{OK: true}, &n)
}

// committed is the event that a command led to, among a spool's newest.
func (p *pages) committed(r *http.Request, tag plant.Tag, id plant.CommandID) (plant.Event, bool, error) {
	if id == "" {
		return plant.Event{}, false, nil
	}
	events, err := p.plant.History(r.Context(), tag, 0, lookBack)
	if err != nil {
		return plant.Event{}, false, fmt.Errorf("read the history of %s: %w", tag, err)
	}
	for _, e := range events {
		if e.Cmd == id {
			return e, true, nil
		}
	}
	return plant.Event{}, false, nil
}

// The notice travels to the next page in a cookie that is read once.
type noticeJSON struct {
	OK   bool      `json:"ok"`
	Text string    `json:"t"`
	Next string    `json:"n,omitempty"`
	Undo plant.Seq `json:"u,omitempty"`
	// By is whose undo it is.
	By    plant.WorkerID `json:"b,omitempty"`
	Tag   string         `json:"g,omitempty"`
	Until int64          `json:"h,omitempty"`
	Link  string         `json:"l,omitempty"`
	Word  string         `json:"w,omitempty"`
	// Pair is how long the other half of a pair of scans is awaited.
	Pair int64 `json:"p,omitempty"`
	// Unfollow is the undo of rows followed at once.
	Unfollow string `json:"f,omitempty"`
	Signal   string `json:"s,omitempty"`
}

const noticeFor = 15 * time.Second

func (p *pages) leaveNotice(w http.ResponseWriter, n ui.Notice) {
	j := noticeJSON{OK: n.OK, Text: n.Text, Next: n.Next, Undo: n.Undo, By: n.UndoBy, Tag: string(n.UndoTag), Link: n.Link, Word: n.LinkText, Signal: n.Signal, Unfollow: n.Unfollow}
	if !n.Until.IsZero() {
		j.Pair = n.Until.UnixMilli()
	}
	if n.Undo != 0 || n.Unfollow != "" {
		j.Until = n.UndoUntil.UnixMilli()
	}
	b, err := marshal(j)
	if err != nil || len(b) > 2<<10 {
		return // the page shows the state itself
	}
	p.remember(w, noticeCookie, base64.RawURLEncoding.EncodeToString(b), noticeFor)
}

// notice is what the act before this page came to; it is shown once.
func (p *pages) notice(w http.ResponseWriter, r *http.Request, _ *plant.Snapshot) *ui.Notice {
	c, err := r.Cookie(noticeCookie)
	if err != nil || c.Value == "" {
		return nil
	}
	p.forget(w, noticeCookie)
	b, err := base64.RawURLEncoding.DecodeString(c.Value)
	var j noticeJSON
	if err != nil || json.Unmarshal(b, &j) != nil || j.Text == "" {
		return nil
	}
	n := &ui.Notice{OK: j.OK, Text: j.Text, Next: j.Next, Link: local(j.Link, ""), LinkText: j.Word, Fresh: true, Signal: j.Signal}
	if j.Pair != 0 {
		n.Until = time.UnixMilli(j.Pair)
	}
	if n.Unfollow = j.Unfollow; n.Unfollow != "" {
		n.UndoUntil, n.CommandID = time.UnixMilli(j.Until), p.newID()
	}
	if j.Undo != 0 {
		n.Undo, n.UndoTag, n.UndoUntil, n.CommandID, n.UndoBy = j.Undo, plant.Tag(j.Tag), time.UnixMilli(j.Until), p.newID(), j.By
	}
	return n
}
