package ui

import (
	"strings"
	"time"

	"envivo/plant"
)

// TrustPath is the page that tells how a tablet comes to trust the box; the
// files below it are the downloads.
const (
	TrustPath        = "/tls"
	TrustRootPath    = TrustPath + "/ca.crt"
	TrustProfilePath = TrustPath + "/ca.mobileconfig"
)

// TrustSight is what the page of the plant's own authority shows.
type TrustSight struct {
	// On is set when the box serves HTTPS; Own when with its own authority.
	On, Own bool
	// Name and Fingerprint are the root's, Until its end.
	Name, Fingerprint string
	Until             time.Time
	// Hosts are names and addresses of the box with the port.
	Hosts []string
}

// doors are the addresses of the box by HTTPS, each with its code.
func (t TrustSight) doors() ([]door, error) {
	var out []door
	for _, h := range t.Hosts {
		d := door{URL: "https://" + h + "/"}
		var err error
		if d.QR, err = qrOf(d.URL); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// again is the address of the page itself for a tablet that does not trust yet.
func (t TrustSight) again() (door, error) {
	d := door{URL: "http://" + t.Hosts[0] + TrustPath}
	for _, h := range t.Hosts { // an address works on every tablet, a local name does not
		if !strings.Contains(h, ".local") {
			d.URL = "http://" + h + TrustPath
			break
		}
	}
	var err error
	d.QR, err = qrOf(d.URL)
	return d, err
}

type door struct {
	URL string
	QR  symbol
}

// device is the way to trust a root on one kind of device.
type device struct {
	Name  string
	Steps []string
}

// deviceSteps name every button as the device writes it.
func deviceSteps(name string) []device {
	return []device{
		{"Tablet Android (Chrome)", []string{
			"Toca **Certificado** aquí arriba; queda en Descargas.",
			"Abre Ajustes y busca **Certificado de CA**: Seguridad, Cifrado y credenciales, Instalar un certificado.",
			"Toca **Instalar de todos modos** y elige envivo-ca.crt. Si no tiene bloqueo de pantalla, la tablet pide crear uno.",
			"Cierra Chrome y abre la dirección del paso 3.",
		}},
		{"iPad o iPhone", []string{
			"En Safari toca **Perfil para iPad** aquí arriba y después **Permitir**.",
			"Abre Ajustes, **Perfil descargado**, **Instalar**.",
			"Ajustes, General, Información, **Ajustes de confianza de los certificados**: activa **" + name + "**.",
			"Abre la dirección del paso 3.",
		}},
		{"PC con Windows (Chrome o Edge)", []string{
			"Descarga el **Certificado** y ábrelo. Toca **Instalar certificado**.",
			"Elige **Equipo local** y **Colocar todos los certificados en el siguiente almacén**.",
			"Examinar, **Entidades de certificación raíz de confianza**, Aceptar, Finalizar.",
			"Cierra el navegador y abre la dirección del paso 3.",
		}},
		{"Firefox", []string{
			"Descarga el **Certificado**.",
			"Ajustes, Privacidad y seguridad, **Ver certificados**, Autoridades, **Importar**.",
			"Elige envivo-ca.crt y marca **Confiar en esta CA para identificar sitios web**.",
			"Abre la dirección del paso 3.",
		}},
	}
}

func (t TrustSight) until() string { return plant.DateOf(t.Until).String() }

// TextNoHTTPS says what a box without HTTPS cannot do.
const TextNoHTTPS = "apagado: no hay cámara en las tablets y las claves viajan a la vista. Se activa con --tls auto"

// CertificateGood tells until when; own is renewed by the box itself.
func CertificateGood(until time.Time, own bool) string {
	if own {
		return "autoridad de la planta, hasta el " + plant.DateOf(until).String() + "; se renueva solo"
	}
	return "certificado propio, hasta el " + plant.DateOf(until).String()
}

// CertificateEnds asks for other files in time.
func CertificateEnds(until time.Time) string {
	return "el certificado vence el " + plant.DateOf(until).String() + ": pide el nuevo, cambia los archivos y reinicia"
}

// CertificateStuck says that the box fails to renew its own.
func CertificateStuck(until time.Time) string {
	return "el certificado vence el " + plant.DateOf(until).String() + " y no se pudo renovar: mira el registro del servidor"
}

// CertificateInvalid says that no tablet will accept it today.
func CertificateInvalid(until time.Time) string {
	return "el certificado no vale hoy (vence el " + plant.DateOf(until).String() + "): revisa el reloj del servidor"
}
