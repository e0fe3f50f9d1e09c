package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"envivo/plant"
	"envivo/ui"
)

// The cookies that set a tablet where nobody enrols any; an enrolled one is set
// by its record.
const (
	tabletCookie = "envivo_tablet"
	scaleCookie  = "envivo_escala"
	volumeCookie = "envivo_volumen"
	restSeconds  = 30
)

// settingsOf are what the tablet a request comes from is set to.
func settingsOf(g grant, r *http.Request) ui.TabletSettings {
	if g.tablet != nil {
		return g.tablet.TabletSettings
	}
	var t ui.TabletSettings
	for name, to := range map[string]*string{tabletCookie: &t.Kind, scaleCookie: &t.Scale, volumeCookie: &t.Volume} {
		if c, err := r.Cookie(name); err == nil {
			*to = c.Value
		}
	}
	t.Name = g.device
	if t = t.Filled(); t.Fault() != "" { // a cookie of somebody's own making
		t = ui.TabletSettings{Name: g.device}.Filled()
	}
	return t
}

// rest is after how many seconds the person leaves a tablet, 0 for never: a
// shared one lets the person go after restSeconds without a touch.
func rest(t ui.TabletSettings) int {
	if t.Kind == ui.TabletShared {
		return restSeconds
	}
	return 0
}

// tablet sets this tablet, where no record does; one field at a time.
func (p *pages) tablet(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, "tipo", "escala", "volumen")
	if err != nil {
		return p.rejected(w, r, err)
	}
	g := p.box.identify(r)
	if g.tablet != nil { // the supervisor sets enrolled ones
		http.Redirect(w, r, "/admin/tablets/"+g.tablet.ID, http.StatusSeeOther)
		return nil
	}
	t := settingsOf(g, r)
	for field, c := range map[string]struct {
		cookie string
		to     *string
	}{"tipo": {tabletCookie, &t.Kind}, "escala": {scaleCookie, &t.Scale}, "volumen": {volumeCookie, &t.Volume}} {
		if !form.Has(field) {
			continue
		}
		if *c.to = form.Get(field); t.Filled().Fault() != "" || t.TV() {
			return p.rejected(w, r, &foreignField{field})
		}
		p.remember(w, c.cookie, *c.to, recentFor)
	}
	http.Redirect(w, r, "/menu", http.StatusSeeOther)
	return nil
}

// leaveBehind keeps what the person who leaves has ticked, and shows the way
// back from the last act on the picker too.
func (p *pages) leaveBehind(w http.ResponseWriter, r *http.Request, form url.Values) error {
	tag := plant.Tag(form.Get("spool"))
	if me, ok := p.me(r, p.plant.Snapshot()); ok && tag != "" {
		p.drafts.keepTicks(me.ID, tag, form["union"])
	}
	n, err := strconv.ParseUint(form.Get("evento"), 10, 62)
	if err != nil || n == 0 {
		return nil
	}
	events, err := p.plant.Events(r.Context(), plant.Seq(n-1), 1)
	if err != nil {
		return fmt.Errorf("read event %d: %w", n, err)
	}
	if len(events) == 1 {
		if said := p.success(events[0]); said.UndoOpen(p.now()) {
			said.Signal = ""
			p.leaveNotice(w, said)
		}
	}
	return nil
}
