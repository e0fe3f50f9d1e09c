package api

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"envivo/plant"
	"envivo/ui"
)

const adminPath = "/admin"

// behindPIN asks for the supervisor's PIN first.
func (p *pages) behindPIN(f pageFunc) pageFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		if p.supervisor(r) {
			return f(w, r)
		}
		back := adminPath
		if r.Method == http.MethodGet {
			back = local(r.URL.RequestURI(), adminPath)
		}
		http.Redirect(w, r, "/entrar?volver="+url.QueryEscape(back), http.StatusSeeOther)
		return nil
	}
}

// admin is the page of whoever looks after the box.
func (p *pages) admin(w http.ResponseWriter, r *http.Request) error {
	return p.showAdmin(w, r, http.StatusOK, "")
}

func (p *pages) showAdmin(w http.ResponseWriter, r *http.Request, status int, said string) error {
	f := p.frame(w, r, "Administración")
	f.Wide = true
	return p.write(w, r, status, live{}, ui.AdminPage(f, p.adminSight(r, said)))
}

func (p *pages) adminSight(r *http.Request, said string) *ui.AdminSight {
	s, snap := p.box, p.plant.Snapshot()
	v := s.state()
	v.Said, v.Settings, v.New = said, s.o.Settings, ui.TabletSettings{}.Filled()
	mine := s.identify(r).tablet
	for _, d := range Devices(snap) {
		v.Devices = append(v.Devices, s.deviceSight(d, mine))
	}
	for _, t := range Tokens(snap) {
		v.Tokens = append(v.Tokens, tokenSight(t))
	}
	return v
}

// state is the page's upper part: how the box is.
func (s *Server) state() *ui.AdminSight {
	v := &ui.AdminSight{Build: s.o.Build, Version: s.o.Version, Env: s.o.Env, Sync: s.desk.status()}
	if err := s.unready(); err != nil {
		v.Unready = err.Error()
	}
	if s.o.Health != nil {
		v.Health = s.o.Health()
	}
	return v
}

// HealthLines are what the administration page tells of the box, for the
// diagnosis.
func (s *Server) HealthLines() []ui.HealthLine { return s.state().Lines() }

func (s *Server) deviceSight(d Device, mine *Device) ui.DeviceSight {
	c := s.devices.contact(d.ID)
	return ui.DeviceSight{ID: d.ID, TabletSettings: d.TabletSettings, Created: d.Created, By: d.By, Heard: c.at, Build: c.build,
		OldBuild: c.build != "" && c.build != s.o.Build, Mine: mine != nil && mine.ID == d.ID, Code: ui.DeviceCode(d.ID)}
}

func tokenSight(t Token) ui.TokenSight {
	return ui.TokenSight{ID: t.ID, Name: t.Name, Scope: t.Scope, Created: t.Created, By: t.By}
}

// Tokens are the plant's tokens by the time they were made; one that cannot be
// read is left out.
func Tokens(snap *plant.Snapshot) []Token {
	var out []Token
	for _, key := range snap.Settings(SettingToken) {
		if t, err := ParseToken(plant.Setting{Key: key, Value: snap.Setting(key)}); err == nil {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b Token) int { return a.Created.Compare(b.Created) })
	return out
}

// invite makes the code of a new tablet and shows it, once.
func (p *pages) invite(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, tabletFields...)
	if err != nil {
		return p.rejected(w, r, err)
	}
	t := tabletOf(form)
	code, path, expires, err := p.box.Invite(t, p.device(r))
	if said := enrolSaid(err); said != "" {
		return p.showAdmin(w, r, http.StatusUnprocessableEntity, said)
	}
	if err != nil {
		return err
	}
	card, err := ui.NewInviteCard(t, code, p.box.address(r)+path, expires)
	if err != nil {
		return err
	}
	return p.write(w, r, http.StatusOK, live{}, ui.InvitePage(p.frame(w, r, "Código de una tablet nueva"), card))
}

// address is how other devices reach the box: as this one does, unless it is
// the box itself.
func (s *Server) address(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if ip := net.ParseIP(strings.Trim(host, "[]")); s.o.Address != "" && (host == "localhost" || ip != nil && ip.IsLoopback()) {
		return s.o.Address
	}
	scheme := "http://"
	if s.o.TLS {
		scheme = "https://"
	}
	return scheme + r.Host
}

// deviceSheet is one tablet: its settings, and its revocation.
func (p *pages) deviceSheet(w http.ResponseWriter, r *http.Request) error {
	d, err := p.box.parseDevice(r.PathValue("id"))
	if err != nil {
		return p.gone(w, r, ui.TextTabletGone)
	}
	return p.showDevice(w, r, http.StatusOK, d, "")
}

func (p *pages) showDevice(w http.ResponseWriter, r *http.Request, status int, d Device, said string) error {
	v := p.box.deviceSight(d, p.box.identify(r).tablet)
	return p.write(w, r, status, live{}, ui.DevicePage(p.frame(w, r, "Tablet"), v, said))
}

func (p *pages) changeDevice(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, tabletFields...)
	if err != nil {
		return p.rejected(w, r, err)
	}
	d, err := p.box.parseDevice(r.PathValue("id"))
	if err != nil {
		return p.gone(w, r, ui.TextTabletGone)
	}
	d.TabletSettings = tabletOf(form)
	changed, err := p.box.alter(r, d.ID, d.TabletSettings, p.device(r))
	if said := enrolSaid(err); said != "" {
		return p.showDevice(w, r, http.StatusUnprocessableEntity, d, said)
	}
	return p.adminDone(w, r, ui.TabletChanged(changed.Name), err)
}

func (p *pages) revokeDevice(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.form(w, r); err != nil {
		return p.rejected(w, r, err)
	}
	d, err := p.box.revoke(r, r.PathValue("id"), p.device(r))
	if errors.Is(err, errNoDevice) {
		return p.gone(w, r, ui.TextTabletGone)
	}
	return p.adminDone(w, r, ui.Revoked(d.Name), err)
}

// newToken makes a token and shows its secret, once.
func (p *pages) newToken(w http.ResponseWriter, r *http.Request) error {
	form, err := p.form(w, r, "nombre", "alcance")
	if err != nil {
		return p.rejected(w, r, err)
	}
	t, secret, err := p.box.newToken(r, Token{Name: form.Get("nombre"), Scope: form.Get("alcance")}, p.device(r))
	switch {
	case errors.Is(err, errTokenName):
		return p.showAdmin(w, r, http.StatusUnprocessableEntity, ui.TextTokenName)
	case err != nil:
		return err
	}
	card := ui.TokenCard{TokenSight: tokenSight(t), Secret: secret}
	if t.Scope == ScopeRead.String() {
		if err := card.Link(p.box.address(r) + tvPath + "?clave=" + url.QueryEscape(secret)); err != nil {
			return err
		}
	}
	return p.write(w, r, http.StatusOK, live{}, ui.NewTokenPage(p.frame(w, r, "Token nuevo"), card))
}

// errTokenName says that a token's name is missing, too long or taken, or its
// scope unknown.
var errTokenName = errors.New("the token's name or scope is not good")

func (s *Server) newToken(r *http.Request, t Token, by string) (Token, string, error) {
	s.enrolling.Lock()
	defer s.enrolling.Unlock()
	name := ui.TabletSettings{Name: t.Name}.Filled()
	known := Tokens(s.o.Plant.Snapshot())
	_, scoped := ParseScope(t.Scope)
	if !scoped || name.Fault() != "" || len(known) >= maxTokens || slices.ContainsFunc(known, func(k Token) bool { return k.Name == name.Name }) {
		return t, "", errTokenName
	}
	t.Name, t.Created, t.By = name.Name, s.o.Now().UTC(), by
	secret, set, err := NewToken(t, s.o.Random)
	if err != nil {
		return t, "", err
	}
	if err := s.adjust(r, set, by); err != nil {
		return t, "", err
	}
	s.o.Log.Info("token made", "token", t.Name, "scope", t.Scope, "from", by)
	t, err = ParseToken(set)
	return t, secret, err
}

func (p *pages) findToken(r *http.Request) (Token, bool) {
	key := SettingToken + r.PathValue("id")
	t, err := ParseToken(plant.Setting{Key: key, Value: p.plant.Snapshot().Setting(key)})
	return t, err == nil
}

func (p *pages) tokenSheet(w http.ResponseWriter, r *http.Request) error {
	t, ok := p.findToken(r)
	if !ok {
		return p.gone(w, r, ui.TextTokenGone)
	}
	return p.write(w, r, http.StatusOK, live{}, ui.TokenPage(p.frame(w, r, "Token"), tokenSight(t)))
}

func (p *pages) revokeToken(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.form(w, r); err != nil {
		return p.rejected(w, r, err)
	}
	t, ok := p.findToken(r)
	if !ok {
		return p.gone(w, r, ui.TextTokenGone)
	}
	err := p.box.adjust(r, plant.Setting{Key: SettingToken + t.ID}, p.device(r))
	if err == nil {
		p.log.Info("token revoked", "token", t.Name, "from", p.device(r))
	}
	return p.adminDone(w, r, ui.Revoked(t.Name), err)
}

// adminDone leads back to the page, which tells what was done.
func (p *pages) adminDone(w http.ResponseWriter, r *http.Request, said string, err error) error {
	if err != nil {
		return err
	}
	p.leaveNotice(w, ui.Notice{OK: true, Text: said})
	http.Redirect(w, r, adminPath, http.StatusSeeOther)
	return nil
}

// deviceLabels are the tablets' labels, to print and stick on.
func (p *pages) deviceLabels(w http.ResponseWriter, r *http.Request) error {
	var all []ui.DeviceSight
	for _, d := range Devices(p.plant.Snapshot()) {
		all = append(all, p.box.deviceSight(d, nil))
	}
	labels, err := ui.NewDeviceLabels(all)
	if err != nil {
		return err
	}
	return p.write(w, r, http.StatusOK, live{}, ui.DeviceLabelsPage(p.frame(w, r, "Etiquetas de tablets"), labels))
}
