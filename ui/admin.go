package ui

import (
	"strconv"
	"strings"
	"time"
)

// HealthLine is one thing the administration page tells about the box. Level is
// ok, warn or bad.
type HealthLine struct {
	Name  string `json:"name"`
	Level string `json:"level"`
	Text  string `json:"text"`
}

// Fact is one setting in force.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// DeviceSight is an enrolled device as the page shows it. Heard is zero while
// it has not asked for anything since the start.
type DeviceSight struct {
	ID string
	TabletSettings
	Created  time.Time
	By       string
	Heard    time.Time
	Build    string
	OldBuild bool
	// Mine is the device the page is shown on.
	Mine bool
	// Code is what its label carries.
	Code string
}

// TokenSight is a token as the page shows it.
type TokenSight struct {
	ID, Name, Scope, By string
	Created             time.Time
}

// AdminSight is the administration page.
type AdminSight struct {
	// Unready is why commands cannot be carried out, empty when they can.
	Unready             string
	Sync                SyncStatus
	Health              []HealthLine
	Build, Version, Env string
	Devices             []DeviceSight
	Tokens              []TokenSight
	Settings            []Fact
	// New fills the form of a new tablet; Said is why one was refused.
	New  TabletSettings
	Said string
}

// Lines are the state of the box, the most important first.
func (v *AdminSight) Lines() []HealthLine {
	out := []HealthLine{{"Servidor", "ok", "vivo"}, {"Guardar", "ok", "listo: se puede registrar"}}
	if v.Unready != "" {
		out[1] = HealthLine{"Guardar", "bad", "no se puede registrar: " + v.Unready}
	}
	sight := SyncSight{Status: v.Sync}
	sync := HealthLine{"Sincronización", "ok", sight.look().Word}
	switch v.Sync.Mode {
	case SyncStopped:
		sync.Level = "bad"
	case SyncNoticed, SyncBehind, SyncReadOnly:
		sync.Level = "warn"
	}
	out = append(out, sync)
	out = append(out, v.Health...)
	return append(out, HealthLine{"Versión", "ok", v.Version + " · " + v.Build}, HealthLine{"Ambiente", "ok", v.Env})
}

// Care is the region cuidado of the supervisor's page: what is wrong with the box.
func Care(all []HealthLine) (Region, error) {
	r := Region{ID: "cuidado"}
	for _, h := range all {
		it, err := item(h.Name, careLine(h))
		if err != nil {
			return r, err
		}
		r.Items = append(r.Items, it)
	}
	return r, nil
}

func (h HealthLine) icon() string {
	switch h.Level {
	case "ok":
		return "visto"
	case "warn":
		return "dano"
	}
	return "cruz"
}

func (h HealthLine) word() string {
	switch h.Level {
	case "ok":
		return "Bien"
	case "warn":
		return "Atención"
	}
	return "Mal"
}

// scopeOptions are what a token may do, as the page offers it.
func scopeOptions() []option {
	return []option{{"read", "Mirar", "pantallas y programas que leen"}, {"act", "Trabajar", "registra a nombre de cualquiera"}, {"admin", "Administrar", "también actos del supervisor"}}
}

// InviteCard shows the one-time code of a new tablet.
type InviteCard struct {
	TabletSettings
	Code, Address string
	Expires       time.Time
	qr            symbol
}

// NewInviteCard draws the code of an address to open on the new tablet.
func NewInviteCard(t TabletSettings, code, address string, expires time.Time) (InviteCard, error) {
	qr, err := qrOf(address)
	return InviteCard{t, code, address, expires, qr}, err
}

// TokenCard shows a new token's secret, once.
type TokenCard struct {
	TokenSight
	Secret  string
	address string
	qr      symbol
}

// Link adds the address that a wall screen opens once.
func (c *TokenCard) Link(address string) error {
	qr, err := qrOf(address)
	c.address, c.qr = address, qr
	return err
}

// DeviceLabel is the label of one tablet.
type DeviceLabel struct {
	DeviceSight
	qr symbol
}

// NewDeviceLabels draws the tablets' labels.
func NewDeviceLabels(all []DeviceSight) ([]DeviceLabel, error) {
	out := make([]DeviceLabel, 0, len(all))
	for _, d := range all {
		qr, err := qrOf(d.Code)
		if err != nil {
			return nil, err
		}
		out = append(out, DeviceLabel{d, qr})
	}
	return out, nil
}

// Strange is what a device sees that may not read. Back is where the PIN leads;
// Bare is a plant that waits to be set up.
type Strange struct {
	Back        string
	Bare, NoPIN bool
	// Digits is how long the supervisor's PIN is, 0 when not known.
	Digits int
}

// NewTablet is the form of a device that gets in.
type NewTablet struct {
	Code, Back, Said string
	Settings         TabletSettings
}

// The texts of enrolling.
const (
	TextNewTablet    = "Tablet nueva"
	TextStrange      = "Esta tablet no está registrada. Pide al supervisor."
	TextBare         = "Este servidor todavía no está instalado."
	TextOnlyLooks    = "Esta pantalla solo muestra."
	TextOnlyLooksHow = "Para registrar usa una tablet."
	TextTabletTaken  = "Ya hay una tablet con ese nombre. Elige otro."
	TextTabletMany   = "Hay demasiadas tablets registradas o códigos en espera. Revoca las que ya no se usan."
	TextTabletGone   = "Esa tablet ya no está registrada."
	TextTokenGone    = "Ese token ya no existe."
	TextTokenName    = "Escribe un nombre que no tenga otro token, de 1 a 40 caracteres, y elige qué puede hacer."
	TextPINsDiffer   = "Los dos PIN no son iguales. Escríbelos de nuevo."
	TextPINShape     = "El PIN tiene de 4 a 12 dígitos."
	TextFirstIsNoTV  = "La primera tablet no puede ser una TV: una TV solo muestra."
	TextCodeWrong    = "Código incorrecto, vencido o ya usado."
	TextOpenPlant    = "Acceso abierto: cualquiera en esta red puede registrar."
)

// CodeLeft is the answer to a wrong code.
func CodeLeft(left int) string {
	switch {
	case left <= 0:
		return "Espera 1 minuto o pide ayuda al supervisor."
	case left == 1:
		return TextCodeWrong + " Queda 1 intento."
	}
	return TextCodeWrong + " Quedan " + strconv.Itoa(left) + " intentos."
}

// TabletFault names what is wrong in the form of a tablet.
func TabletFault(field string) string {
	if field == "nombre" {
		return "Escribe el nombre de la tablet: de 1 a 40 caracteres."
	}
	return "Elige " + field + " de la lista."
}

// TabletEnrolled greets a new tablet.
func TabletEnrolled(name string) string { return "Registrada: " + name + "." }

// TabletChanged says that a tablet's settings were stored.
func TabletChanged(name string) string { return "Guardado: " + name + "." }

// Revoked says that a tablet or token was shut out.
func Revoked(name string) string { return "Revocado: " + name + " ya no entra." }

// DiskText tells how much of the disk is free; both are bytes.
func DiskText(free, total uint64) string {
	const gib = 1 << 30
	text := func(n uint64) string {
		return strings.ReplaceAll(strconv.FormatFloat(float64(n)/gib, 'f', 1, 64), ".", ",") + " GiB"
	}
	return text(free) + " libres de " + text(total)
}
