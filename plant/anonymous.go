package plant

import "strconv"

// SettingAnonymous begins the keys of workers whose names were taken out:
//
//	key    anonimo/93
//	value  {"at":"2026-11-24T10:05:00Z","device":"oficina","motivo":"se fue"}
//
// While the setting stands no import brings the name back.
const SettingAnonymous = "anonimo/"

// AnonymousKey is the key of a worker's setting.
func AnonymousKey(id WorkerID) string { return SettingAnonymous + strconv.Itoa(int(id)) }

// Anonymous is the worker without a name: "Trabajador 93". The number stays, it
// is what the log and the work are known by.
func (w Worker) Anonymous() Worker {
	w.Nombre, w.Apellido = "Trabajador", strconv.Itoa(int(w.ID))
	return w
}
