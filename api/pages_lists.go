package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"envivo/plant"
	"envivo/ui"
)

// filter is the list a request asks for, as this person sees it.
func (p *pages) filter(r *http.Request, path string) ui.Filter {
	f := ui.ParseFilter(path, r.URL.Query())
	f.Me, f.Trade = 0, ""
	switch path { // the pages that depend on who looks
	case "/mis", "/listos":
		if me, ok := p.me(r, p.plant.Snapshot()); ok {
			f.Me = me.ID
		}
	}
	return f
}

func (p *pages) list(w http.ResponseWriter, r *http.Request, title string, page func(ui.Frame, ui.Filter) templ.Component) error {
	f := p.filter(r, r.URL.Path)
	return p.show(w, r, title, f.View(), func(fr ui.Frame) templ.Component { return page(fr, f) })
}

// inicio asks who is there (ui: the picker of a shared tablet), people of the
// tablet's own trade first. A wall screen goes to its boards.
func (p *pages) inicio(w http.ResponseWriter, r *http.Request) error {
	f, t := p.filter(r, "/"), settingsOf(p.box.identify(r), r)
	if t.TV() {
		http.Redirect(w, r, tvPath, http.StatusSeeOther)
		return nil
	}
	f.Trade = t.Trade
	return p.show(w, r, "¿Quién eres?", f.View(), func(f ui.Frame) templ.Component {
		return ui.StartPage(f, local(r.URL.Query().Get("volver"), "/mis"), p.recent(r))
	})
}

func (p *pages) quien(w http.ResponseWriter, r *http.Request) error {
	return p.list(w, r, "Quién tiene qué", func(f ui.Frame, _ ui.Filter) templ.Component {
		f.Wide = true
		return ui.HeldPage(f)
	})
}

func (p *pages) spools(w http.ResponseWriter, r *http.Request) error {
	f := p.filter(r, "/spools")
	return p.withOrders(w, r, "Spools", f, ui.MatchingOrders, func(fr ui.Frame) templ.Component {
		fr.Footer = ui.SearchFooter(fr)
		return ui.SpoolsPage(fr, f)
	})
}

// withOrders is a list over which the dialog that chooses an NV can be opened.
func (p *pages) withOrders(w http.ResponseWriter, r *http.Request, title string, f ui.Filter, orders func(*plant.Snapshot, ui.Filter) []ui.SalesOrder, page func(ui.Frame) templ.Component) error {
	var sheet templ.Component
	if r.URL.Query().Get("hacer") == "nv" {
		sheet = ui.SalesOrders(f, orders(p.plant.Snapshot(), f))
		if r.Header.Get("X-Parte") == "hoja" {
			return p.writePart(w, r, sheet)
		}
	}
	return p.show(w, r, title, f.View(), func(fr ui.Frame) templ.Component {
		fr.Wide, fr.Sheet = true, sheet
		return page(fr)
	})
}

// buscar is the address printed codes and old bookmarks point to.
func (p *pages) buscar(w http.ResponseWriter, r *http.Request) error {
	to := "/spools"
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (p *pages) mis(w http.ResponseWriter, r *http.Request) error {
	if _, ok := p.me(r, p.plant.Snapshot()); !ok {
		http.Redirect(w, r, "/?volver=%2Fmis", http.StatusSeeOther)
		return nil
	}
	return p.list(w, r, "Mis spools", func(f ui.Frame, _ ui.Filter) templ.Component {
		f.Wide = true
		return ui.MinePage(f)
	})
}

func (p *pages) listos(w http.ResponseWriter, r *http.Request) error {
	f := p.filter(r, "/listos")
	return p.withOrders(w, r, "Listos para ti", f, ui.ReadyOrders, func(fr ui.Frame) templ.Component { return ui.ReadyPage(fr, f) })
}

func (p *pages) metrologia(w http.ResponseWriter, r *http.Request) error {
	return p.queue(w, r, "Metrología")
}

func (p *pages) reparacion(w http.ResponseWriter, r *http.Request) error {
	return p.queue(w, r, "Reparación")
}

func (p *pages) queue(w http.ResponseWriter, r *http.Request, title string) error {
	return p.list(w, r, title, func(f ui.Frame, _ ui.Filter) templ.Component {
		f.Wide = true
		return ui.QueuePage(f, title)
	})
}

func (p *pages) menu(w http.ResponseWriter, r *http.Request) error {
	return p.write(w, r, http.StatusOK, live{}, ui.MenuPage(p.frame(w, r, "Menú")))
}

// The cookies of a tablet. They name a person, never hold anything of the
// plant's; see seals for persons who have a PIN.
const (
	personCookie = "envivo_persona"
	recentCookie = "envivo_recientes"
	noticeCookie = "envivo_aviso"
	// personFor is how long a shared tablet remembers who stands before it.
	personFor  = 12 * time.Hour
	recentFor  = 90 * 24 * time.Hour
	recentMost = 6
)

func (p *pages) remember(w http.ResponseWriter, name, value string, keep time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(keep / time.Second), HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.tls})
}

func (p *pages) forget(w http.ResponseWriter, name string) { p.remember(w, name, "", -time.Second) }

// me is who stands before the tablet.
func (p *pages) me(r *http.Request, snap *plant.Snapshot) (plant.Worker, bool) {
	c, err := r.Cookie(personCookie)
	if err != nil {
		return plant.Worker{}, false
	}
	id, _, _ := strings.Cut(c.Value, ".")
	me, ok := activeWorker(snap, id)
	return me, ok && p.box.sealed(r, snap, me.ID, c.Value)
}

func activeWorker(snap *plant.Snapshot, text string) (plant.Worker, bool) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n <= 0 {
		return plant.Worker{}, false
	}
	w, ok := snap.Worker(plant.WorkerID(n))
	return w, ok && w.Activo
}

// recent are the last people of this tablet, newest first.
func (p *pages) recent(r *http.Request) []plant.Worker {
	c, err := r.Cookie(recentCookie)
	if err != nil {
		return nil
	}
	snap := p.plant.Snapshot()
	var out []plant.Worker
	for id := range strings.SplitSeq(c.Value, ".") {
		if w, ok := activeWorker(snap, id); ok && len(out) < recentMost {
			out = append(out, w)
		}
	}
	return out
}

// persona identifies somebody on this tablet.
func (p *pages) persona(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, "trabajador", "volver", "escaneo", "pin")
	if err != nil {
		return p.rejected(w, r, err)
	}
	snap := p.plant.Snapshot()
	c, ok := p.newClaim("", "", form.Get("trabajador"), form)
	if !ok {
		return p.notActive(w, r)
	}
	if now, known := p.me(r, snap); !known || now.ID != c.worker.ID || !hasPIN(snap, now.ID) {
		err := p.box.prove(r, c.worker.ID, form.Get("pin"))
		var no *unproven
		switch {
		case errors.As(err, &no):
			return p.askClaim(w, r, c, no)
		case err != nil:
			return err
		}
		if err := p.become(w, r, c.worker); err != nil {
			return err
		}
	}
	if form.Get("escaneo") != "" {
		p.leavePair(w, pair{worker: c.worker.ID})
	}
	http.Redirect(w, r, local(form.Get("volver"), "/mis"), http.StatusSeeOther)
	return nil
}

// become makes somebody the acting person of this tablet.
func (p *pages) become(w http.ResponseWriter, r *http.Request, me plant.Worker) error {
	person, err := p.box.personValue(r, me.ID)
	if err != nil {
		return fmt.Errorf("make the cookie of worker %d: %w", me.ID, err)
	}
	ids := []string{strconv.Itoa(int(me.ID))}
	for _, other := range p.recent(r) {
		if other.ID != me.ID && len(ids) < recentMost {
			ids = append(ids, strconv.Itoa(int(other.ID)))
		}
	}
	p.handBack(r)
	p.remember(w, personCookie, person, personFor)
	p.remember(w, recentCookie, strings.Join(ids, "."), recentFor)
	return nil
}

// salir lets the person go: what was ticked is kept for that person, and the
// last act can still be undone from the picker.
func (p *pages) salir(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, "spool", "union", "evento")
	if err != nil {
		return p.rejected(w, r, err)
	}
	if err := p.leaveBehind(w, r, form); err != nil {
		return err
	}
	p.dismiss(w, r)
	p.forget(w, pairCookie)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// local is an address of this box, or def: nobody is sent elsewhere.
func local(to, def string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return def
	}
	return to
}

func (p *pages) entrar(w http.ResponseWriter, r *http.Request) error {
	pad := p.pinPad(local(r.URL.Query().Get("volver"), "/quien"))
	return p.write(w, r, http.StatusOK, live{}, ui.LoginPage(p.frame(w, r, "Supervisor"), pad))
}

// pinPad is the pad as it stands before a PIN is tried.
func (p *pages) pinPad(back string) ui.PinPad {
	stored := p.plant.Snapshot().Setting(SettingPIN)
	if stored == "" {
		return ui.PinPad{Back: back, Said: ui.TextPinNone, Locked: true}
	}
	return ui.PinPad{Back: back, Digits: pinDigits(stored)}
}

func (p *pages) entrarPIN(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, "pin", "volver")
	if err != nil {
		return p.rejected(w, r, err)
	}
	pad := p.pinPad(local(form.Get("volver"), "/quien"))
	if pad.Locked {
		return p.write(w, r, http.StatusForbidden, live{}, ui.LoginPage(p.frame(w, r, "Supervisor"), pad))
	}
	if a := p.enter(w, r, form.Get("pin")); !a.ok {
		pad.Said, pad.Locked = a.said(), a.wait > 0
		return p.write(w, r, http.StatusForbidden, live{}, ui.LoginPage(p.frame(w, r, "Supervisor"), pad))
	}
	http.Redirect(w, r, pad.Back, http.StatusSeeOther)
	return nil
}

func (p *pages) entrarSalir(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.form(w, r); err != nil {
		return p.rejected(w, r, err)
	}
	p.leave(w, r)
	http.Redirect(w, r, "/quien", http.StatusSeeOther)
	return nil
}
