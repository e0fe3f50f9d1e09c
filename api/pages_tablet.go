package api

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"envivo/plant"
	"envivo/ui"
)

const (
	setupPath  = "/instalar"
	tabletPath = "/tablet"
)

// accessRoutes are the pages on which devices get in, and the supervisor's
// administration of them.
func (p *pages) accessRoutes() map[string]pageFunc {
	return map[string]pageFunc{
		"GET " + setupPath:                  p.setup,
		"POST " + setupPath:                 p.setUp,
		"GET " + tabletPath:                 p.newTablet,
		"POST " + tabletPath + "/codigo":    p.redeem,
		"POST " + tabletPath + "/registrar": p.register,

		"GET " + adminPath:                    p.behindPIN(p.admin),
		"GET " + adminPath + "/etiquetas":     p.behindPIN(p.deviceLabels),
		"POST " + adminPath + "/codigo":       p.behindPIN(p.invite),
		"GET " + adminPath + "/tablets/{id}":  p.behindPIN(p.deviceSheet),
		"POST " + adminPath + "/tablets/{id}": p.behindPIN(p.changeDevice),
		"POST " + adminPath + "/revocar/{id}": p.behindPIN(p.revokeDevice),
		"POST " + adminPath + "/tokens":       p.behindPIN(p.newToken),
		"GET " + adminPath + "/tokens/{id}":   p.behindPIN(p.tokenSheet),
		"POST " + adminPath + "/tokens/{id}":  p.behindPIN(p.revokeToken),
	}
}

// stranger is what a device sees that may not read (ui: Tablet nueva).
func (p *pages) stranger(w http.ResponseWriter, r *http.Request) {
	p.turnedAway(r, statuses[plant.CodeUnauthorized].code, &plant.Error{Code: plant.CodeUnauthorized})
	p.handle(func(w http.ResponseWriter, r *http.Request) error {
		f := p.frame(w, r, ui.TextNewTablet)
		back := "/"
		if r.Method == http.MethodGet {
			back = local(r.URL.RequestURI(), "/")
		}
		if p.box.identify(r).enrolling {
			http.Redirect(w, r, tabletAt(back), http.StatusSeeOther)
			return nil
		}
		stored := p.plant.Snapshot().Setting(SettingPIN)
		return p.write(w, r, http.StatusForbidden, live{}, ui.StrangerPage(f, ui.Strange{Back: tabletAt(back), Bare: p.box.bare(),
			NoPIN: stored == "", Digits: pinDigits(stored)}))
	})(w, r)
}

// tabletAt is the page of enrolling, which leads back to where somebody wanted
// to go.
func tabletAt(back string) string { return tabletPath + "?volver=" + url.QueryEscape(back) }

// onlyLooks refuses a wall screen's form.
func (p *pages) onlyLooks(w http.ResponseWriter, r *http.Request) {
	p.turnedAway(r, statuses[plant.CodeUnauthorized].code, &plant.Error{Code: plant.CodeUnauthorized})
	p.handle(func(w http.ResponseWriter, r *http.Request) error {
		return p.write(w, r, http.StatusForbidden, live{}, ui.ErrorPage(p.frame(w, r, "Solo mira"), ui.TextOnlyLooks, ui.TextOnlyLooksHow, ""))
	})(w, r)
}

// tabletFields are what a form sends of a tablet's settings.
var tabletFields = []string{"nombre", "tipo", "oficio", "escala", "volumen"}

func tabletOf(form url.Values) ui.TabletSettings {
	return ui.TabletSettings{Name: form.Get("nombre"), Kind: form.Get("tipo"), Trade: form.Get("oficio"), Scale: form.Get("escala"), Volume: form.Get("volumen")}.Filled()
}

// newTablet is where a device gets in: with the code that its address carries
// or that is typed, or after the PIN with its settings.
func (p *pages) newTablet(w http.ResponseWriter, r *http.Request) error {
	g := p.box.identify(r)
	q := r.URL.Query()
	n := ui.NewTablet{Code: spell(plainCode(q.Get("codigo"))), Back: local(q.Get("volver"), "/")}
	switch {
	case g.tablet != nil:
		return p.write(w, r, http.StatusOK, live{}, ui.EnrolledPage(p.frame(w, r, "Tablet"), g.tablet.TabletSettings))
	case g.enrolling, g.supervisor && q.Get("codigo") == "":
		n.Settings = ui.TabletSettings{}.Filled()
		return p.write(w, r, http.StatusOK, live{}, ui.RegisterPage(p.frame(w, r, ui.TextNewTablet), n))
	}
	return p.write(w, r, http.StatusOK, live{}, ui.CodePage(p.frame(w, r, ui.TextNewTablet), n))
}

// guesses counts the tries of a code like those of a PIN, by address.
// A restart ends the codes, so it may end the count.
func (p *pages) guesses(r *http.Request) (own budget, left int, wait time.Duration) {
	own = budget{key: "codigo/" + network(address(r)), most: wrongPINs, volatile: true}
	left, wait = p.box.guard.admit(own)
	return own, left, wait
}

// redeem enrols this device with a one-time code.
func (p *pages) redeem(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, "codigo", "volver")
	if err != nil {
		return p.rejected(w, r, err)
	}
	if g := p.box.identify(r); g.tablet != nil {
		return p.write(w, r, http.StatusConflict, live{}, ui.EnrolledPage(p.frame(w, r, "Tablet"), g.tablet.TabletSettings))
	}
	n := ui.NewTablet{Back: local(form.Get("volver"), "/")}
	again := func(status int, said string) error {
		n.Said = said
		return p.write(w, r, status, live{}, ui.CodePage(p.frame(w, r, ui.TextNewTablet), n))
	}
	own, left, wait := p.guesses(r)
	if wait > 0 {
		return again(http.StatusTooManyRequests, ui.CodeLeft(0))
	}
	i, err := p.box.codes.take(form.Get("codigo"), false)
	if err != nil {
		p.box.guard.wrong(address(r), own)
		p.log.Warn("wrong code of a new tablet", "address", address(r), "left", left)
		return again(http.StatusForbidden, ui.CodeLeft(left))
	}
	p.box.guard.right(address(r), own)
	d, err := p.box.enrol(w, r, i.tablet, i.by)
	if err != nil {
		p.box.codes.putBack(form.Get("codigo"), i)
		if said := enrolSaid(err); said != "" {
			return again(http.StatusConflict, said)
		}
		return err
	}
	p.enrolled(w, d)
	http.Redirect(w, r, p.wanted(d, n.Back), http.StatusSeeOther)
	return nil
}

// register enrols this device after the PIN was entered on it. The session ends
// with that: the tablet is for those who work.
func (p *pages) register(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, append([]string{"volver"}, tabletFields...)...)
	if err != nil {
		return p.rejected(w, r, err)
	}
	g := p.box.identify(r)
	if g.tablet != nil {
		return p.write(w, r, http.StatusConflict, live{}, ui.EnrolledPage(p.frame(w, r, "Tablet"), g.tablet.TabletSettings))
	}
	n := ui.NewTablet{Back: local(form.Get("volver"), "/"), Settings: tabletOf(form)}
	if !g.enrolling && !g.supervisor {
		http.Redirect(w, r, "/entrar?volver="+url.QueryEscape(tabletAt(n.Back)), http.StatusSeeOther)
		return nil
	}
	d, err := p.box.enrol(w, r, n.Settings, g.device)
	if said := enrolSaid(err); said != "" {
		n.Said = said
		return p.write(w, r, http.StatusUnprocessableEntity, live{}, ui.RegisterPage(p.frame(w, r, ui.TextNewTablet), n))
	}
	if err != nil {
		return err
	}
	p.leave(w, r)
	p.enrolled(w, d)
	http.Redirect(w, r, p.wanted(d, n.Back), http.StatusSeeOther)
	return nil
}

// enrolled greets a new device.
func (p *pages) enrolled(w http.ResponseWriter, d Device) {
	if !d.TV() { // a wall shows no notices
		p.leaveNotice(w, ui.Notice{OK: true, Text: ui.TabletEnrolled(d.Name)})
	}
}

// wanted is where a new device goes: what it was opened for, or its boards.
func (p *pages) wanted(d Device, back string) string {
	if d.TV() {
		return tvPath
	}
	return back
}

// enrolSaid is what the screen says of a refusal; empty for a fault of ours.
func enrolSaid(err error) string {
	var f *tabletFault
	switch {
	case errors.As(err, &f):
		return ui.TabletFault(f.field)
	case errors.Is(err, errSameName):
		return ui.TextTabletTaken
	case errors.Is(err, errTooMany), errors.Is(err, errManyCodes):
		return ui.TextTabletMany
	}
	return ""
}

// setup is the page of a plant that has neither PIN nor device.
func (p *pages) setup(w http.ResponseWriter, r *http.Request) error {
	if !p.box.bare() {
		return p.write(w, r, http.StatusOK, live{}, ui.InstalledPage(p.frame(w, r, "Instalar")))
	}
	return p.write(w, r, http.StatusOK, live{}, ui.SetupPage(p.frame(w, r, "Instalar"), ui.NewTablet{Settings: ui.TabletSettings{}.Filled()}))
}

// setUp sets the supervisor's PIN and enrols the first device, once.
func (p *pages) setUp(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, append([]string{"codigo", "pin", "pin2"}, tabletFields...)...)
	if err != nil {
		return p.rejected(w, r, err)
	}
	if !p.box.bare() {
		return p.write(w, r, http.StatusConflict, live{}, ui.InstalledPage(p.frame(w, r, "Instalar")))
	}
	n := ui.NewTablet{Code: form.Get("codigo"), Settings: tabletOf(form)}
	status, err := p.install(w, r, form, &n)
	if err != nil {
		return err
	}
	if n.Said != "" {
		return p.write(w, r, status, live{}, ui.SetupPage(p.frame(w, r, "Instalar"), n))
	}
	http.Redirect(w, r, adminPath, http.StatusSeeOther)
	return nil
}

// install does it; what is wrong with the form is left in n.Said.
func (p *pages) install(w http.ResponseWriter, r *http.Request, form url.Values, n *ui.NewTablet) (status int, err error) {
	pin := form.Get("pin")
	switch {
	case pin != form.Get("pin2"):
		n.Said = ui.TextPINsDiffer
		return http.StatusUnprocessableEntity, nil
	case !goodPIN(pin):
		n.Said = ui.TextPINShape
		return http.StatusUnprocessableEntity, nil
	case n.Settings.Fault() != "":
		n.Said = ui.TabletFault(n.Settings.Fault())
		return http.StatusUnprocessableEntity, nil
	case n.Settings.TV():
		n.Said = ui.TextFirstIsNoTV
		return http.StatusUnprocessableEntity, nil
	}
	own, left, wait := p.guesses(r)
	if wait > 0 {
		n.Said = ui.CodeLeft(0)
		return http.StatusTooManyRequests, nil
	}
	i, err := p.box.codes.take(n.Code, true)
	if err != nil {
		p.box.guard.wrong(address(r), own)
		p.log.Warn("wrong set-up code", "address", address(r), "left", left)
		n.Said = ui.CodeLeft(left)
		return http.StatusForbidden, nil
	}
	p.box.guard.right(address(r), own)
	hash, err := HashPIN(pin, p.box.o.Random)
	if err == nil {
		err = p.box.adjust(r, plant.Setting{Key: SettingPIN, Value: hash}, address(r))
	}
	if err != nil {
		p.box.codes.putBack(n.Code, i)
		return 0, err
	}
	d, err := p.box.enrol(w, r, n.Settings, address(r))
	if err != nil { // the PIN stands: it enrols this device as well
		return 0, err
	}
	p.log.Info("the plant is set up", "device", d.Name)
	return 0, p.box.open(w, SettingDevice+d.ID)
}

func (s *Server) open(w http.ResponseWriter, bound string) error {
	secret, err := s.sessions.begin(bound)
	if err != nil {
		return err
	}
	http.SetCookie(w, s.cookie(secret, int(lastFor/time.Second)))
	return nil
}
