package api

import (
	"errors"
	"net/http"

	"envivo/plant"
	"envivo/ui"
)

const groupDevices = "Dispositivos"

func (s *Server) deviceRoutes() []route {
	return []route{
		{at: "GET /api/devices", scope: ScopeAdmin, f: s.deviceList, group: groupDevices, says: "Tablets y pantallas registradas", answer: deviceList{}},
		{at: "POST /api/devices/codigo", scope: ScopeAdmin, f: s.deviceCode, group: groupDevices, says: "Crea el código de una tablet nueva",
			more: "Sirve una vez, diez minutos y hasta que el servidor se reinicie. La tablet nueva abre direccion.",
			body: &deviceBody{}, answer: deviceCodeAnswer{}, refuse: "409"},
		{at: "POST /api/devices/{id}/revocar", scope: ScopeAdmin, f: s.deviceRevoke, group: groupDevices, says: "Revoca una tablet, de inmediato",
			more: "Su próximo pedido se rechaza y sus canales abiertos se cierran con el código 4003.", answer: deviceRevoked{}, refuse: "404 503"},
	}
}

// deviceJSON is a device for programs. Contact is null while the device has not
// asked for anything since the start, build while it has not said its own.
type deviceJSON struct {
	ID      string  `json:"id"`
	Name    string  `json:"nombre"`
	Kind    string  `json:"tipo"`
	Trade   string  `json:"oficio"`
	Scale   string  `json:"escala"`
	Volume  string  `json:"volumen"`
	Created string  `json:"creada"`
	By      string  `json:"por"`
	Code    string  `json:"codigo"`
	Contact *string `json:"ultimo_contacto"`
	Build   *string `json:"build"`
}

type deviceList struct {
	Devices []deviceJSON `json:"devices"`
}

func (s *Server) deviceList(*call) (any, error) { return s.deviceRows(), nil }

func (s *Server) deviceRows() deviceList {
	out := deviceList{Devices: []deviceJSON{}}
	for _, d := range Devices(s.o.Plant.Snapshot()) {
		j := deviceJSON{ID: d.ID, Name: d.Name, Kind: d.Kind, Trade: d.Trade, Scale: d.Scale, Volume: d.Volume,
			Created: plant.ISOTime(d.Created), By: d.By, Code: ui.DeviceCode(d.ID)}
		if c := s.devices.contact(d.ID); !c.at.IsZero() {
			at := plant.ISOTime(c.at)
			j.Contact, j.Build = &at, orNull(c.build)
		}
		out.Devices = append(out.Devices, j)
	}
	return out
}

type deviceBody struct {
	Nombre  *string `json:"nombre"`
	Tipo    *string `json:"tipo"`
	Oficio  *string `json:"oficio"`
	Escala  *string `json:"escala"`
	Volumen *string `json:"volumen"`
}

func (b *deviceBody) settings() ui.TabletSettings {
	var t ui.TabletSettings
	for from, to := range map[**string]*string{&b.Nombre: &t.Name, &b.Tipo: &t.Kind, &b.Oficio: &t.Trade, &b.Escala: &t.Scale, &b.Volumen: &t.Volume} {
		if *from != nil {
			*to = **from
		}
	}
	return t.Filled()
}

func (b *deviceBody) check(k *checker) {
	if b.Nombre == nil {
		k.missing("nombre")
		return
	}
	if f := b.settings().Fault(); f != "" {
		k.bad(f, "El campo "+f+" no es de los que se admiten.", nil)
	}
}

type deviceCodeAnswer struct {
	Code    string `json:"codigo"`
	Address string `json:"direccion"`
	Expires string `json:"vence"`
}

func (s *Server) deviceCode(c *call) (any, error) {
	var b deviceBody
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	code, path, expires, err := s.Invite(b.settings(), c.grant.device)
	switch {
	case errors.Is(err, errSameName):
		return nil, &problem{status: http.StatusConflict, code: codeTaken, message: "Ya hay un dispositivo con ese nombre."}
	case errors.Is(err, errManyCodes):
		return nil, &problem{status: http.StatusConflict, code: codeTaken, message: "Hay demasiados códigos en espera: repite en unos minutos."}
	case err != nil:
		return nil, err
	}
	return deviceCodeAnswer{Code: code, Address: s.address(c.r) + path, Expires: plant.ISOTime(expires)}, nil
}

// codeTaken is a name that another device has, or no place for one more.
const codeTaken = "NOMBRE_EN_USO"

type deviceRevoked struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
}

func (s *Server) deviceRevoke(c *call) (any, error) {
	_, err := s.revoke(c.r, c.r.PathValue("id"), c.grant.device)
	switch {
	case errors.Is(err, errNoDevice):
		return nil, &problem{status: http.StatusNotFound, code: codeMissing, message: "Dispositivo no encontrado."}
	case err != nil:
		return nil, err
	}
	return deviceRevoked{Success: true, Message: "Dispositivo revocado."}, nil
}
