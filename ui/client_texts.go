package ui

import "github.com/a-h/templ"

// clientTexts are the sentences the script says by itself. They travel as
// attributes of one hidden element, so that the script holds no text of its own.
func clientTexts() templ.OrderedAttributes {
	return templ.OrderedAttributes{
		{Key: "data-al-dia", Value: "Al día"},
		{Key: "data-de-las", Value: "Datos de las"},
		{Key: "data-vuelta", Value: "Conectado. Datos al día"},
		{Key: "data-caida", Value: "Sin conexión con el servidor desde las {h}. Puedes mirar, no registrar."},
		{Key: "data-reinicio", Value: TextRestart + ". Datos de las {h}: puedes mirar, no registrar."},
		{Key: "data-viejo", Value: TextStale},
		{Key: "data-confirmando", Value: "Confirmando…"},
		{Key: "data-perdida", Value: TextLost},
		{Key: "data-no-sabemos", Value: TextUnknown},
		{Key: "data-no-llego", Value: TextNotSaved},
		{Key: "data-no-cargo", Value: TextNotLoaded + " Datos de las {h}."},
		{Key: "data-reintentar", Value: TextRetry},
		{Key: "data-nuevo", Value: "{n} nuevo"},
		{Key: "data-nuevos", Value: "{n} nuevos"},
		{Key: "data-ido", Value: "{n} cambió de manos"},
		{Key: "data-idos", Value: "{n} cambiaron de manos"},
		{Key: "data-orden", Value: "Cambió el orden"},
		{Key: "data-min", Value: "{m} min"},
		{Key: "data-recien", Value: "menos de 1 min"},
		{Key: "data-horas", Value: "{h} h {m} min"},
		{Key: "data-dias", Value: "{d} días {h} h"},
		{Key: "data-las", Value: "las {h}"},
		{Key: "data-el", Value: "el {d} a las {h}"},
		{Key: "data-k-de-n", Value: "{k} de {n}"},
		{Key: "data-pd", Value: "{pd} PD · "},
		{Key: "data-repetido", Value: "Ya lo escaneaste: {c}."},
		{Key: "data-no-leidos", Value: "No se leyó: {c}. Espera y escanea de nuevo."},
		{Key: "data-sigues", Value: "¿Sigues ahí, {n}? Se cierra en {s} s."},
		{Key: "data-listo", Value: "Listo, {n}. Se cierra en {s} s."},
		{Key: "data-seguir", Value: "SEGUIR"},
		{Key: "data-segundos", Value: "{s} s"},
		{Key: "data-camara", Value: "Cámara"},
		{Key: "data-apunta", Value: "Apunta al código: que llene el cuadro."},
		{Key: "data-cerrar", Value: "Cerrar"},
		{Key: "data-sin-camara", Value: "La cámara no se abrió. Revisa el permiso de esta página o busca por número."},
	}
}
