package api

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"envivo/plant"
	"envivo/ui"
)

// claim is what somebody says to be, to whom the PIN is asked for: the person
// of this tablet, or, with a verb, the one whom an act on a spool names.
type claim struct {
	worker plant.Worker
	verb   string // "", traspasar, deshacer
	tag    plant.Tag
	fields url.Values
}

// claims are the fields that travel through the pad, by verb. They decide
// nothing before the PIN is right.
var claims = map[string][]string{
	"":          {"trabajador", "volver", "escaneo"},
	"traspasar": {"destino", "orden", "version", "union"},
	"deshacer":  {"quien", "orden", "evento", "volver"},
}

// newClaim takes a claim out of a query or a form.
func (p *pages) newClaim(verb string, tag plant.Tag, who string, from url.Values) (claim, bool) {
	names, known := claims[verb]
	c := claim{verb: verb, tag: tag, fields: url.Values{}}
	var active bool
	if c.worker, active = activeWorker(p.plant.Snapshot(), who); !known || !active || (verb == "") != (tag == "") {
		return c, false
	}
	for _, name := range names {
		if v := from[name]; len(v) > 0 && v[0] != "" {
			c.fields[name] = v
		}
	}
	c.fields.Set(names[0], strconv.Itoa(int(c.worker.ID)))
	return c, true
}

// address is the page with the pad.
func (c claim) address() string {
	q := url.Values{}
	maps.Copy(q, c.fields)
	q.Set("trabajador", strconv.Itoa(int(c.worker.ID)))
	if c.verb != "" {
		q.Set("accion", c.verb)
		q.Set("spool", string(c.tag))
	}
	return ui.PersonPINPath + "?" + q.Encode()
}

func (p *pages) claimPad(c claim) ui.WorkerPad {
	stored := p.plant.Snapshot().Setting(WorkerPINKey(c.worker.ID))
	pad := ui.WorkerPad{Worker: c.worker, Tag: c.tag, Receives: c.verb == "traspasar",
		PinPad: ui.PinPad{Action: ui.PersonPINPath, Digits: pinDigits(stored)}}
	if c.verb != "" {
		pad.Action = ui.SpoolPath(c.tag) + "/" + c.verb
	}
	for _, name := range claims[c.verb] {
		for _, v := range c.fields[name] {
			pad.Hidden = append(pad.Hidden, ui.PadField{Name: name, Value: v})
		}
	}
	return pad
}

// personPIN is the page that asks a person for the own PIN.
func (p *pages) personPIN(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	c, ok := p.newClaim(q.Get("accion"), plant.Tag(q.Get("spool")), q.Get("trabajador"), q)
	switch {
	case !ok:
		return p.notActive(w, r)
	case !hasPIN(p.plant.Snapshot(), c.worker.ID): // it was taken away meanwhile
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	return p.showPad(w, r, http.StatusOK, p.claimPad(c))
}

func (p *pages) showPad(w http.ResponseWriter, r *http.Request, status int, pad ui.WorkerPad) error {
	return p.write(w, r, status, live{}, ui.WorkerPINPage(p.frame(w, r, "PIN"), pad))
}

func (p *pages) notActive(w http.ResponseWriter, r *http.Request) error {
	return p.write(w, r, http.StatusNotFound, live{}, ui.ErrorPage(p.frame(w, r, "¿Quién eres?"), "Ese trabajador no está activo.", "Elige otra persona o avisa al supervisor.", ""))
}

// askClaim answers a request that did not prove a claim: with the pad, or, to
// the script, with the way there.
func (p *pages) askClaim(w http.ResponseWriter, r *http.Request, c claim, no *unproven) error {
	switch {
	case !no.tried && asked(r):
		return p.told(w, r, toldJSON{Go: c.address()}, nil)
	case !no.tried:
		http.Redirect(w, r, c.address(), http.StatusSeeOther)
		return nil
	}
	p.turnedAway(r, codePINWrong, no)
	pad := p.claimPad(c)
	pad.Said, pad.Locked = no.said(), no.wait > 0
	return p.showPad(w, r, http.StatusForbidden, pad)
}

// askOutcome is askClaim for an act on a spool.
func (p *pages) askOutcome(w http.ResponseWriter, r *http.Request, res result, no *unproven) error {
	verb := r.PathValue("verbo")
	if res.act.verb == plant.Traspasar {
		verb = "traspasar" // a badge has no address of its own
	}
	who := strconv.Itoa(int(no.worker))
	c, ok := p.newClaim(verb, plant.Tag(r.PathValue("tag")), who, res.form)
	if !ok {
		if c, ok = p.newClaim("", "", who, url.Values{"volver": {ui.SpoolPath(plant.Tag(r.PathValue("tag")))}}); !ok {
			return p.notActive(w, r)
		}
	}
	return p.askClaim(w, r, c, no)
}

// proven checks that everybody a form's command names is who stands there: by
// the tablet's cookie, or by the PIN typed.
func (p *pages) proven(r *http.Request, c *plant.Command, pin string) error {
	if c.Actor == plant.BySupervisor {
		return nil
	}
	me, _ := p.me(r, p.plant.Snapshot())
	for _, who := range []plant.WorkerID{c.Worker, c.Destino} {
		if who == 0 || who == me.ID {
			continue
		}
		if err := p.box.prove(r, who, pin); err != nil {
			return err
		}
	}
	return nil
}

// dismiss lets the person of a tablet go; copies of the cookie are nothing from
// then on.
func (p *pages) dismiss(w http.ResponseWriter, r *http.Request) {
	p.handBack(r)
	p.forget(w, personCookie)
}

func (p *pages) handBack(r *http.Request) {
	if _, ok := p.me(r, p.plant.Snapshot()); !ok {
		return
	}
	if c, err := r.Cookie(personCookie); err == nil {
		p.box.seals.handBack(c.Value)
	}
}

// workerPIN is the supervisor's form on a person's page: it sets the PIN or
// takes it away.
func (p *pages) workerPIN(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, "pin", "pin2", "quitar")
	if err != nil {
		return p.rejected(w, r, err)
	}
	who, ok := p.asked(r)
	if !ok {
		return p.missing(w, r)
	}
	hash, said := "", ui.PINGone(who)
	if form.Get("quitar") == "" {
		said = ui.PINSet(who)
		if hash, err = p.newHash(form.Get("pin"), form.Get("pin2")); err != nil {
			return p.refusedPIN(w, r, who, err)
		}
	}
	if err := setWorkerPIN(r.Context(), p.box.o.Plant, who.ID, hash, p.device(r)); err != nil {
		return p.refusedPIN(w, r, who, err)
	}
	p.log.Info("a worker's PIN changed", "worker", int(who.ID), "set", hash != "", "device", p.device(r))
	p.leaveNotice(w, ui.Notice{OK: true, Text: said})
	http.Redirect(w, r, ui.PersonPath(who.ID), http.StatusSeeOther)
	return nil
}

// newHash is the stored text of a PIN that was typed twice.
func (p *pages) newHash(pin, again string) (string, error) {
	if pin != again {
		return "", errPINsDiffer
	}
	return HashPIN(pin, p.box.o.Random)
}

func (p *pages) refusedPIN(w http.ResponseWriter, r *http.Request, who plant.Worker, err error) error {
	sight := sightOf(p.plant.Snapshot(), who)
	switch {
	case errors.Is(err, ErrPIN):
		sight.PINSaid = ui.TextPINShape
	case errors.Is(err, errPINsDiffer):
		sight.PINSaid = ui.TextPINsDiffer
	case errors.Is(err, errNotActive):
		sight.PINSaid = ui.TextPINActive
	default:
		return fmt.Errorf("set a PIN: %w", err)
	}
	return p.write(w, r, http.StatusUnprocessableEntity, live{}, ui.PersonPage(p.frame(w, r, who.FullName()), sight, ""))
}
