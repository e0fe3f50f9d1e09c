package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"envivo/api"
	"envivo/plant"
	"envivo/ui"
)

type deviceCmd struct {
	Code   deviceCode   `cmd:"" help:"Make a one-time code that enrols a tablet; a running server is needed."`
	List   deviceList   `cmd:"" help:"List enrolled devices."`
	Revoke deviceRevoke `cmd:"" help:"Revoke a device by id or name, at once."`
}

// Invitation is the one-time code of a new device: Path is where the device
// opens it, below the box's address.
type Invitation struct {
	Code    string    `json:"code"`
	Address string    `json:"address"`
	Expires time.Time `json:"expires"`
}

type deviceCode struct {
	Where `embed:""`
	Name  string `required:"" placeholder:"NAME" help:"Name of the tablet; events name it as their device."`
	Kind  string `default:"compartida" enum:"compartida,personal,tv" help:"compartida: people leave it by themselves; personal: one person's; tv: a wall screen that only shows."`
}

// Run prints the code and the address to open on the new device.
func (c *deviceCode) Run(p *program) error {
	return withKeeper(p, c.Where, func(ctx context.Context, k keeper) error {
		i, err := k.Invite(ctx, ui.TabletSettings{Name: c.Name, Kind: c.Kind}.Filled())
		if err != nil {
			return fmt.Errorf("make the code: %w", err)
		}
		_, err = fmt.Fprintf(p.out, "%s\n%s\n", i.Code, i.Address)
		p.say("good once, until %s; open the address on %s", plant.Clock(i.Expires), c.Name)
		return err
	})
}

type deviceList struct {
	Where `embed:""`
}

// Run prints one device a line: id, name, kind, day of enrolment.
func (c *deviceList) Run(p *program) error {
	return withKeeper(p, c.Where, func(ctx context.Context, k keeper) error {
		all, err := enrolled(ctx, k)
		if err != nil {
			return err
		}
		for _, d := range all {
			if _, err := fmt.Fprintf(p.out, "%-8s %-24s %-10s %s\n", d.ID, d.Name, d.Kind, plant.DateOf(d.Created)); err != nil {
				return err
			}
		}
		return nil
	})
}

type deviceRevoke struct {
	Where  `embed:""`
	Device string `arg:"" help:"Id or name of the device."`
}

// Run removes the device's record: its next request is refused and a running
// server closes its streams.
func (c *deviceRevoke) Run(p *program) error {
	return withKeeper(p, c.Where, func(ctx context.Context, k keeper) error {
		all, err := enrolled(ctx, k)
		if err != nil {
			return err
		}
		d, ok := api.FindDevice(all, c.Device)
		if !ok {
			return fmt.Errorf("there is no device %s", c.Device)
		}
		return k.Set(ctx, plant.Setting{Key: api.SettingDevice + d.ID})
	})
}

func enrolled(ctx context.Context, k keeper) ([]api.Device, error) {
	settings, err := k.Settings(ctx, api.SettingDevice)
	if err != nil {
		return nil, err
	}
	return api.ParseDevices(settings)
}

// Invite asks the running server.
func (w *wire) Invite(ctx context.Context, t ui.TabletSettings) (Invitation, error) {
	var i Invitation
	b, err := json.Marshal(t)
	if err != nil {
		return i, err
	}
	return i, w.fetch(ctx, http.MethodPost, "/invite", b, &i)
}

// Invite needs the server that will see the code.
func (d *desk) Invite(_ context.Context, t ui.TabletSettings) (Invitation, error) {
	if d.invite == nil {
		return Invitation{}, errNoServer
	}
	return d.invite(t)
}

// invite makes the code of a new device for the terminal.
func (f *floor) invite(t ui.TabletSettings) (Invitation, error) {
	code, path, expires, err := f.api.Invite(t, "terminal")
	return Invitation{Code: code, Address: f.outside() + path, Expires: expires}, err
}

// sayHowToSetUp tells whoever started a plant without PIN and devices how to
// set it up. The code is no lasting secret: it ends with its use or the server.
func (f *floor) sayHowToSetUp(out io.Writer) {
	if f.role.follows() { // what its primary is set up for
		return
	}
	code, err := f.api.SetupCode()
	switch {
	case err != nil:
		f.log.Error("make the set-up code", "err", err)
	case code != "":
		fmt.Fprintf(out, "Código de instalación: %s (sirve una vez; ábrelo en %s/instalar)\n", code, f.outside())
		f.log.Info("the plant waits to be set up: open /instalar; the code is good once and until the server stops", "code", code)
	}
}

// outside is where other devices of the network reach the plant, as far as the
// box knows: its first address that is not its own loop.
func (f *floor) outside() string {
	a := f.listen.Addr().(*net.TCPAddr)
	if !a.IP.IsUnspecified() {
		return f.url()
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return f.url()
	}
	for _, x := range all {
		if n, ok := x.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			scheme, _, _ := strings.Cut(f.url(), "://")
			return scheme + "://" + net.JoinHostPort(n.IP.String(), strconv.Itoa(a.Port))
		}
	}
	return f.url()
}

// facts are the settings in force as the administration page shows them, without
// secrets.
func (c *Config) facts() []ui.Fact {
	yes := map[bool]string{true: "sí", false: "no"}
	sheet := "ninguna"
	if c.Sheet.on() {
		sheet = "…" + c.Sheet.ID[max(0, len(c.Sheet.ID)-4):]
	}
	return []ui.Fact{{Name: "Carpeta (--data)", Value: c.Data}, {Name: "Dirección (--addr)", Value: c.Addr}, {Name: "Acceso (--access)", Value: c.Access},
		{Name: "HTTPS (--tls)", Value: c.TLS}, {Name: "Nombre en la red (--mdns)", Value: c.MDNS}, {Name: "Vencimiento de una toma (--lock-ttl)", Value: briefly(c.LockTTL)},
		{Name: "Comprobar roles (--check-roles)", Value: yes[c.CheckRoles]}, {Name: "Comprobar personas (--check-workers)", Value: yes[c.CheckWorkers]},
		{Name: "Hoja (--sheet-id)", Value: sheet}, {Name: "Copias (--backup-every)", Value: briefly(c.BackupEvery)},
		{Name: "Copias guardadas (--backup-keep)", Value: fmt.Sprint(c.BackupKeep)}, {Name: "Otros sitios (--cors-origins)", Value: strings.Join(c.CORSOrigins, " ")},
		{Name: "Registro (--log-level)", Value: c.LogLevel}}
}

// briefly is a duration as one would type it for a flag: 1h, 1h30m, 45s.
func briefly(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
