package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"envivo/plant"
)

// The kind of a tablet, set once on it: a shared one lets the person go after
// restSeconds without a touch, a personal one never.
const (
	tabletCookie   = "envivo_tablet"
	tabletPersonal = "personal"
	tabletShared   = "compartida"
	restSeconds    = 30
)

// rest is after how many seconds the person leaves this tablet, 0 for never.
func rest(r *http.Request) int {
	if c, err := r.Cookie(tabletCookie); err == nil && c.Value == tabletPersonal {
		return 0
	}
	return restSeconds
}

// tablet sets the kind of this tablet.
func (p *pages) tablet(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, "tipo")
	if err != nil {
		return p.rejected(w, r, err)
	}
	kind := tabletShared
	if form.Get("tipo") == tabletPersonal {
		kind = tabletPersonal
	}
	p.remember(w, tabletCookie, kind, recentFor)
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
