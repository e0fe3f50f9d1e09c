package api

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"envivo/plant"
	"envivo/ui"
)

// A scan is a form like any other: the tablet sends the code, what is on its
// screen and the key of the command that may come of it; what the code means
// is decided here.
var scanFields = []string{"codigo", "orden", "spool", "version", "union", "aqui", "recibe"}

// floorRoutes mounts what the floor needs beside the lists and the spool.
func (p *pages) floorRoutes(mux *entrances) {
	for pattern, h := range map[string]pageFunc{
		"POST /escaneo":              p.scan,
		"POST /escaneo/imagen":       p.frameCode,
		"GET /pulso":                 p.pulse,
		"GET /imprimir":              p.labels,
		"GET /imprimir/contingencia": p.contingency,

		"GET /canasta":          p.canasta,
		"POST /canasta":         p.canastaChange,
		"POST /canasta/{verbo}": p.canastaAct,
		"GET /canasta/orden":    p.canasta,
		"POST /tablet":          p.tablet,

		"GET /supervisor":           p.supervisorDesk,
		"POST /supervisor/cierre":   p.closeShift,
		"POST /supervisor/seguidos": p.followSpool,
		"GET /supervisor/frenos":    p.brakes,

		"GET /spools/{tag}/corregir":  p.correct,
		"POST /spools/{tag}/corregir": p.saveCorrect,

		"GET /spools/{tag}/uniones":  p.unions,
		"POST /spools/{tag}/uniones": p.saveUnions,
	} {
		mux.HandleFunc(pattern, p.handle(h))
	}
}

// pulse lets a page that follows nothing know that the box is there, and
// whether it still lets the device in.
func (p *pages) pulse(w http.ResponseWriter, r *http.Request) error {
	b, err := marshal(struct {
		Now int64 `json:"now"`
		Out bool  `json:"fuera,omitempty"`
	}{p.now().UnixMilli(), p.box.identify(r).scope < ScopeRead})
	if err != nil {
		return err
	}
	var out reply
	out.add(b)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	return out.send(w, r, http.StatusOK)
}

// pairWithin is how long badge and spool may lie apart, in any order.
const pairWithin = 20 * time.Second

const pairCookie = "envivo_par"

// pair is what was scanned last: a spool or a person, until it is too old.
type pair struct {
	tag    plant.Tag
	worker plant.WorkerID
	at     time.Time
}

func (p *pages) leavePair(w http.ResponseWriter, c pair) {
	text := strconv.FormatInt(p.now().UnixMilli(), 10) + " " + strconv.Itoa(int(c.worker)) + " " + string(c.tag)
	p.remember(w, pairCookie, base64.RawURLEncoding.EncodeToString([]byte(text)), pairWithin)
}

// lastScan is the other half of a pair, if it is still young.
func (p *pages) lastScan(r *http.Request) (pair, bool) {
	c, err := r.Cookie(pairCookie)
	if err != nil {
		return pair{}, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return pair{}, false
	}
	part := strings.SplitN(string(raw), " ", 3)
	if len(part) != 3 {
		return pair{}, false
	}
	at, err := strconv.ParseInt(part[0], 10, 64)
	if err != nil {
		return pair{}, false
	}
	worker, _ := strconv.ParseInt(part[1], 10, 32) // 0 is a spool's half
	out := pair{tag: plant.Tag(part[2]), worker: plant.WorkerID(worker), at: time.UnixMilli(at)}
	age := p.now().Sub(out.at)
	return out, age >= 0 && age <= pairWithin
}

// scanning is one scan with what the tablet shows.
type scanning struct {
	p    *pages
	w    http.ResponseWriter
	r    *http.Request
	form url.Values
	snap *plant.Snapshot
	// me acts; known is false while nobody is identified.
	me    plant.Worker
	known bool
}

// scan answers a code read by a scanner, always to the script: only a script
// hears a scanner.
func (p *pages) scan(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, scanFields...)
	if err != nil {
		return p.rejected(w, r, err)
	}
	s := &scanning{p: p, w: w, r: r, form: form, snap: p.plant.Snapshot()}
	s.me, s.known = p.me(r, s.snap)
	text := strings.TrimSpace(form.Get("codigo"))
	code, _ := ui.ParseCode(text)
	rows := ui.FindSpools(s.snap, text)
	switch {
	case len(rows) == 1:
		return s.spool(rows[0].Spool.Tag)
	case len(rows) > 1:
		return s.goTo("/spools?q="+url.QueryEscape(text), nil)
	case code.Kind == ui.CodeWorker:
		return s.badge(code.ID)
	case code.Kind == ui.CodeCommand:
		return s.card(code.ID)
	case code.Kind == ui.CodeDevice:
		return s.say(ui.TextScanDevice)
	}
	return s.say(ui.ScanUnknown(text))
}

// say refuses a scan; nothing was recorded.
func (s *scanning) say(text string) error {
	return s.p.told(s.w, s.r, toldJSON{Signal: signalNo}, &ui.Notice{Text: text})
}

// goTo sends the tablet to a page, which tells the notice.
func (s *scanning) goTo(path string, n *ui.Notice) error {
	t := toldJSON{OK: true, Go: path}
	if strings.HasPrefix(path, "/spools/") {
		t.Beside = "/quien"
		if s.known {
			t.Beside = "/mis"
		}
	}
	if n != nil {
		s.p.leaveNotice(s.w, *n)
		t.OK, t.Signal = n.OK, n.Signal
	}
	return s.p.told(s.w, s.r, t, nil)
}

// badge identifies a person, receives a spool handed over, or completes a pair.
func (s *scanning) badge(id string) error {
	worker, ok := activeWorker(s.snap, id)
	if !ok {
		return s.say("Ese trabajador no está activo.")
	}
	if s.form.Get("recibe") != "" {
		return s.act("traspasar", plant.Tag(s.form.Get("spool")), url.Values{"destino": {id}, "union": s.form["union"]})
	}
	other, young := s.p.lastScan(s.r)
	if (!s.known || s.me.ID != worker.ID) && hasPIN(s.snap, worker.ID) {
		return s.askBadge(worker, other.tag)
	}
	if err := s.p.become(s.w, s.r, worker); err != nil {
		return err
	}
	switched := s.known && s.me.ID != worker.ID
	s.me, s.known = worker, true
	if young && other.tag != "" {
		return s.start(other.tag)
	}
	s.p.leavePair(s.w, pair{worker: worker.ID})
	n := &ui.Notice{OK: true, Text: ui.TextScanPerson, Until: s.p.now().Add(pairWithin), Signal: signalSeen}
	if switched {
		n.Text = ui.Switched(worker)
	}
	return s.goTo(s.back(), n)
}

// back is where the tablet stays after a badge: the page it shows, or the
// person's own if that one asks who is there.
func (s *scanning) back() string {
	back := local(s.form.Get("aqui"), "/mis")
	if back == "/" || strings.HasPrefix(back, "/?") || strings.HasPrefix(back, "/entrar") || strings.HasPrefix(back, ui.PersonPINPath) {
		return "/mis"
	}
	return back
}

// askBadge sends a person whose badge was read to the pad; a spool that was
// scanned just before is where it leads.
func (s *scanning) askBadge(worker plant.Worker, tag plant.Tag) error {
	from := url.Values{"volver": {s.back()}, "escaneo": {"1"}}
	if tag != "" {
		from.Set("volver", ui.SpoolPath(tag))
	}
	c, ok := s.p.newClaim("", "", strconv.Itoa(int(worker.ID)), from)
	if !ok {
		return s.say("Ese trabajador no está activo.")
	}
	return s.goTo(c.address(), nil)
}

// basket is whose basket lies open on the tablet.
func (s *scanning) basket() (ui.BasketOwner, bool) {
	here, err := url.Parse(s.form.Get("aqui"))
	if err != nil || here.Path != ui.BasketPath {
		return ui.BasketOwner{}, false
	}
	return s.p.basketOf(s.r, here.Query().Get("para"))
}

// spool opens a spool, feeds the basket, or completes a pair.
func (s *scanning) spool(tag plant.Tag) error {
	if s.form.Get("recibe") != "" {
		return s.say(ui.TextScanSpool)
	}
	if who, ok := s.basket(); ok {
		n := s.p.addTo(who, tag)
		return s.p.toldBasket(s.w, s.r, who, &n)
	}
	other, young := s.p.lastScan(s.r)
	if s.known && young && other.worker == s.me.ID {
		return s.start(tag)
	}
	s.p.leavePair(s.w, pair{tag: tag})
	n := &ui.Notice{OK: true, Text: ui.TextScanBadge, Until: s.p.now().Add(pairWithin), Signal: signalSeen}
	if s.known {
		n = nil
	}
	return s.goTo(ui.SpoolPath(tag), n)
}

// start does the one legal thing badge and spool can begin; otherwise the page
// says what there is to do, and who has the spool.
func (s *scanning) start(tag plant.Tag) error {
	s.p.forget(s.w, pairCookie)
	s.r.SetPathValue("tag", string(tag))
	done, again, err := s.p.committed(s.r, tag, plant.CommandID(s.form.Get("orden")))
	if err != nil {
		return err
	}
	if again { // its answer was lost
		n := s.p.success(done)
		return s.goTo(ui.SpoolPath(tag), &n)
	}
	sight, err := s.p.sight(s.r.Context(), s.snap, tag, asking{me: s.me.ID, supervisor: s.p.supervisor(s.r), now: s.p.now()})
	if err != nil {
		return err
	}
	op, ok := sight.Start()
	if !ok {
		text, good := sight.Offer()
		if text == "" {
			return s.goTo(ui.SpoolPath(tag), nil)
		}
		n := ui.Notice{OK: good, Text: text, Signal: signalSeen}
		if !good {
			n.Signal = signalNo
		}
		return s.goTo(ui.SpoolPath(tag), &n)
	}
	form := url.Values{"orden": {s.form.Get("orden")}, "operacion": {op.String()}}
	n := s.p.noticeOf(s.r, s.do("tomar", form))
	return s.goTo(ui.SpoolPath(tag), &n)
}

// do carries out one of the page's acts for who scanned.
func (s *scanning) do(verb string, form url.Values) result {
	a := acts[verb]
	cmd, err := s.p.orderBy(s.r, a, form, s.me, s.known)
	if err != nil {
		return result{act: a, form: form, err: err}
	}
	rec, err := s.p.plant.Do(s.r.Context(), cmd)
	return result{act: a, form: form, event: rec.Event, err: err}
}

// act is do on the spool of the screen, answered there.
func (s *scanning) act(verb string, tag plant.Tag, form url.Values) error {
	s.r.SetPathValue("tag", string(tag))
	form.Set("orden", s.form.Get("orden"))
	form.Set("version", s.form.Get("version"))
	return s.p.outcome(s.w, s.r, s.do(verb, form))
}

// card carries out the command of a card on the spool of the screen.
func (s *scanning) card(word string) error {
	if word == "SALIR" {
		s.p.dismiss(s.w, s.r)
		s.p.forget(s.w, pairCookie)
		return s.goTo("/", nil)
	}
	if !s.known {
		return s.say(ui.TextScanWho)
	}
	if who, ok := s.basket(); ok {
		return s.basketCard(who, word)
	}
	row, ok := s.snap.Row(plant.Tag(s.form.Get("spool")))
	if !ok {
		return s.say(ui.TextScanWhich)
	}
	tag := row.Spool.Tag
	marked := s.form["union"]
	form := url.Values{"operacion": {row.Spool.Hold.Op.String()}}
	switch word {
	case "TERMINAR":
		verb := "terminar"
		if len(marked) > 0 { // what the button on the page would record
			verb, form["union"] = "guardar", marked
		}
		return s.act(verb, tag, form)
	case "PAUSAR":
		if len(marked) > 0 {
			form["union"] = marked
		}
		return s.act("pausar", tag, form)
	case "APROBADO":
		return s.act("aprobado", tag, url.Values{"operacion": {plant.METROLOGIA.String()}})
	case "RECHAZADO":
		return s.reject(tag)
	case "DESHACER":
		return s.act("deshacer", tag, url.Values{})
	}
	return s.say(ui.ScanUnknown(s.form.Get("codigo")))
}

// basketCard carries out a card's command on the spools that the basket's button
// of that name would name. Verdicts and undo are about one spool.
func (s *scanning) basketCard(who ui.BasketOwner, word string) error {
	verb := strings.ToLower(word)
	if _, ok := batchVerbs[verb]; !ok || who.Assign {
		return s.say(ui.BasketNoCard(who, word))
	}
	order := plant.CommandID(s.form.Get("orden"))
	b := s.p.drafts.basket(who.Key())
	if b.results != nil && b.order == order { // its answer was lost
		return s.p.toBasket(s.w, s.r, who, nil)
	}
	tags := s.p.basketSight(s.snap, who, b.tags, s.p.now()).Names(verb)
	if order == "" || len(tags) == 0 {
		return s.say(ui.BasketNothingFor(word))
	}
	out := s.p.basketDo(s.r, who, verb, order, tags)
	signal := map[string]string{"terminar": signalDone, "pausar": signalPause, "tomar": signalTaken}[verb]
	did := len(out.Failed()) < len(out.Items)
	if !did {
		signal = signalNo
	}
	return s.p.told(s.w, s.r, toldJSON{OK: did, Go: who.Path(), Signal: signal}, nil)
}

// reject opens the dialog: motive and unions are touched.
func (s *scanning) reject(tag plant.Tag) error {
	sight, err := s.p.sight(s.r.Context(), s.snap, tag, asking{me: s.me.ID, now: s.p.now()})
	if err != nil {
		return err
	}
	if !sight.Can(plant.Inspeccionar) {
		return s.say(ui.TextNotInspected)
	}
	return s.goTo(ui.SpoolPath(tag)+"?hacer=rechazado", nil)
}
